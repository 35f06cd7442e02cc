/* Kept connections. See io/kept.h. */
#include "io/kept.h"
#include <errno.h>
#include <sys/socket.h>

void kept_list_init(struct kept_list *l)
{
	list_init(&l->conns);
	l->n = 0;
}

static void on_idle_end(void *arg, enum loop_idle_end why)
{
	struct kept *k = arg;

	list_remove(&k->link);
	k->in->n--;
	k->in = NULL;
	k->end(k, why);
}

void kept_add(struct kept_list *l, struct kept *k, uint64_t deadline, kept_end_fn *end)
{
	must(!k->in);
	k->in = l;
	k->end = end;
	list_push_front(&l->conns, &k->link);
	l->n++;
	conn_park(k->conn, deadline, on_idle_end, k);
}

void kept_remove(struct kept *k)
{
	if (!k->in)
		return;
	list_remove(&k->link);
	k->in->n--;
	k->in = NULL;
	loop_fd_unpark(&k->conn->fd);
}

bool kept_is_quiet(struct conn *c)
{
	char byte;

	return !c->fd.hung_up && conn_pending(c) == 0 && recv(c->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		errno == EAGAIN;
}
