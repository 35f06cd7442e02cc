/*
 * Kept-alive connections to origins (io/kept.h): per origin and thread.
 *
 * A connection belongs to one site, although many sites may live on one origin server: a script of
 * one customer that can write to the server's end of the connection may leave an answer there, and
 * the next request on it gets that (a desync of the response queue). No look at the connection
 * shows an answer that comes only after the next request was sent.
 */
#include "base/mem.h"
#include "origin/origin_priv.h"

struct lendable {
	struct kept kept;
	char *owner; /* struct origin_call's: never lent to others */
	size_t owner_n;
};

_Thread_local unsigned origin_thread;

static struct lendable *lendable_of(struct list *link)
{
	return container_of(container_of(link, struct kept, link), struct lendable, kept);
}

/* It is kept no longer: its connection, which is all that stays. */
static struct conn *lendable_free(struct lendable *l)
{
	struct conn *c = l->kept.conn;

	mem_free(l->owner);
	mem_free(l);
	return c;
}

static void on_kept_end(struct kept *k, enum loop_idle_end why)
{
	(void)why;
	conn_close(lendable_free(container_of(k, struct lendable, kept)));
}

static struct conn *take_off(struct lendable *l)
{
	kept_remove(&l->kept);
	return lendable_free(l);
}

struct conn *origin_take_kept(struct origin *o, struct span owner)
{
	list_each_safe (it, &o->kept[origin_thread].conns) {
		struct lendable *l = lendable_of(it);
		struct conn *c;

		if (!span_eq(span_make(l->owner, l->owner_n), owner))
			continue;
		c = take_off(l);
		if (kept_is_quiet(c) && origin_is_at(o, &c->peer))
			return c;
		conn_close(c);
	}
	return NULL;
}

void origin_keep(struct origin *o, struct span owner, struct conn *c)
{
	struct kept_list *kept = &o->kept[origin_thread];
	struct lendable *l;

	if (!kept_is_quiet(c)) {
		conn_close(c);
		return;
	}
	/* The one that was not needed for the longest time makes room. */
	if (kept->n >= ORIGIN_KEPT_MAX)
		conn_close(take_off(lendable_of(kept->conns.prev)));
	l = mem_new(struct lendable);
	l->kept.conn = c;
	l->owner = span_text(owner);
	l->owner_n = owner.n;
	kept_add(kept, &l->kept, deadline_in(ORIGIN_KEPT_MS), on_kept_end);
}

void origin_close_kept(struct origin *o, unsigned thread)
{
	struct kept_list *kept = &o->kept[thread];

	while (!list_empty(&kept->conns))
		conn_close(take_off(lendable_of(kept->conns.next)));
}
