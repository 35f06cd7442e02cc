/*
 * Kept-alive connections to origins: per origin and thread, newest first (the oldest then
 * time out, and the pool shrinks to what the traffic needs). While kept, a connection is
 * parked: whatever happens on it (the origin closes, or says something nobody asked for)
 * ends it.
 *
 * A connection belongs to one site, although many sites may live on one origin server: a script of
 * one customer that can write to the server's end of the connection may leave an answer there, and
 * the next request on it gets that (a desync of the response queue). No look at the connection
 * shows an answer that comes only after the next request was sent.
 */
#include <errno.h>
#include "base/mem.h"
#include "origin/origin_priv.h"

struct kept {
	struct list link;
	struct conn *conn;
	char *owner; /* struct origin_call's: never lent to others */
	size_t owner_n;
	struct kept_list *in;
};

_Thread_local unsigned origin_thread;

static struct conn *kept_free(struct kept *k)
{
	struct conn *c = k->conn;

	list_remove(&k->link);
	k->in->n--;
	mem_free(k->owner);
	mem_free(k);
	return c;
}

static void on_kept_end(void *arg, enum loop_idle_end why)
{
	(void)why;
	conn_close(kept_free(arg));
}

bool origin_conn_is_quiet(struct conn *c)
{
	char byte;

	return !c->fd.hung_up && conn_pending(c) == 0 && recv(c->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		errno == EAGAIN;
}

struct conn *origin_take_kept(struct origin *o, struct span owner)
{
	struct kept_list *kept = &o->kept[origin_thread];

	list_each_safe (it, &kept->conns) {
		struct kept *k = container_of(it, struct kept, link);
		struct conn *c;

		if (!span_eq(span_make(k->owner, k->owner_n), owner))
			continue;
		c = kept_free(k);
		loop_fd_unpark(&c->fd);
		if (origin_conn_is_quiet(c) && origin_is_at(o, &c->peer))
			return c;
		conn_close(c);
	}
	return NULL;
}

/* The one that was not needed for the longest time. */
static void drop_oldest(struct kept_list *kept)
{
	struct conn *c = kept_free(container_of(kept->conns.prev, struct kept, link));

	loop_fd_unpark(&c->fd);
	conn_close(c);
}

void origin_keep(struct origin *o, struct span owner, struct conn *c)
{
	struct kept_list *kept = &o->kept[origin_thread];
	struct kept *k;

	if (!origin_conn_is_quiet(c)) {
		conn_close(c);
		return;
	}
	if (kept->n >= ORIGIN_KEPT_MAX)
		drop_oldest(kept);
	k = mem_new(struct kept);
	k->conn = c;
	k->owner = span_text(owner);
	k->owner_n = owner.n;
	k->in = kept;
	list_push_front(&kept->conns, &k->link);
	kept->n++;
	conn_park(c, deadline_in(ORIGIN_KEPT_MS), on_kept_end, k);
}

void origin_close_kept(struct origin *o, unsigned thread)
{
	struct kept_list *kept = &o->kept[thread];

	while (!list_empty(&kept->conns)) {
		struct conn *c = kept_free(container_of(kept->conns.next, struct kept, link));

		loop_fd_unpark(&c->fd);
		conn_close(c);
	}
}
