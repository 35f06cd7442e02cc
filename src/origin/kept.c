/*
 * Kept-alive connections to origins: per origin and thread, newest first (the oldest then
 * time out, and the pool shrinks to what the traffic needs). While kept, a connection is
 * parked: whatever happens on it (the origin closes, or says something nobody asked for)
 * ends it.
 */
#include <errno.h>
#include "base/mem.h"
#include "origin/origin_priv.h"

struct kept {
	struct list link;
	struct conn *conn;
	uint64_t tag; /* what its TLS was verified for: never lent to others */
	struct kept_list *in;
};

_Thread_local unsigned origin_thread;

static struct conn *kept_free(struct kept *k)
{
	struct conn *c = k->conn;

	list_remove(&k->link);
	k->in->n--;
	mem_free(k);
	return c;
}

static void on_kept_end(void *arg, enum loop_idle_end why)
{
	(void)why;
	conn_close(kept_free(arg));
}

/* Nothing unread and not closed: the park would tell, but only when the loop comes round. */
static bool is_quiet(struct conn *c)
{
	char byte;

	return !c->fd.hung_up && conn_pending(c) == 0 && recv(c->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		errno == EAGAIN;
}

struct conn *origin_take_kept(struct origin *o, uint64_t tag)
{
	struct kept_list *kept = &o->kept[origin_thread];

	list_each_safe (it, &kept->conns) {
		struct kept *k = container_of(it, struct kept, link);
		struct conn *c;

		if (k->tag != tag)
			continue;
		c = kept_free(k);

		loop_fd_unpark(&c->fd);
		if (is_quiet(c))
			return c;
		conn_close(c);
	}
	return NULL;
}

void origin_keep(struct origin *o, uint64_t tag, struct conn *c)
{
	struct kept_list *kept = &o->kept[origin_thread];
	struct kept *k;

	if (kept->n >= ORIGIN_KEPT_MAX || conn_pending(c) > 0) {
		conn_close(c);
		return;
	}
	k = mem_new(struct kept);
	k->conn = c;
	k->tag = tag;
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
