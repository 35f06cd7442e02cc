/*
 * A filter that gives back what was read too far: after "101 Switching Protocols" the bytes
 * that came with the request belong to the new protocol. When they are used up, it only
 * passes on what comes from below.
 */
#include "http/http_priv.h"

struct early {
	struct conn_filter filter;
	size_t at, n;
	char bytes[];
};

static ssize_t early_recv(struct conn_filter *f, void *p, size_t n, uint64_t deadline)
{
	struct early *e = container_of(f, struct early, filter);

	if (e->at == e->n)
		return f->below->ops->recv(f->below, p, n, deadline);
	if (n > e->n - e->at)
		n = e->n - e->at;
	memcpy(p, e->bytes + e->at, n);
	e->at += n;
	return (ssize_t)n;
}

static ssize_t early_send(struct conn_filter *f, const struct iovec *iov, int count, uint64_t deadline)
{
	return f->below->ops->send(f->below, iov, count, deadline);
}

static size_t early_pending(struct conn_filter *f)
{
	struct early *e = container_of(f, struct early, filter);

	return e->n - e->at;
}

static int early_shutdown(struct conn_filter *f, uint64_t deadline)
{
	(void)f;
	(void)deadline;
	return 0;
}

static void early_free(struct conn_filter *f)
{
	mem_free(container_of(f, struct early, filter));
}

static const struct conn_filter_ops early_ops = {
	.name = "early",
	.recv = early_recv,
	.send = early_send,
	.pending = early_pending,
	.shutdown = early_shutdown,
	.free = early_free,
};

void h1_push_early(struct conn *c, struct span bytes)
{
	struct early *e;

	if (bytes.n == 0)
		return;
	e = mem_alloc(sizeof(*e) + bytes.n);
	e->filter = (struct conn_filter){ .ops = &early_ops };
	e->at = 0;
	e->n = bytes.n;
	memcpy(e->bytes, bytes.p, bytes.n);
	conn_push(c, &e->filter);
}
