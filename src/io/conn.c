/*
 * Connections and the filter at their bottom, the socket.
 *
 * The socket's filter tries first and waits only if the kernel has nothing. Readiness is
 * edge-triggered, which a short read makes use of: what comes after it is an edge to come
 * (epoll(7), question 9), so the next recv waits without asking the kernel again, except
 * where the end was already seen and no edge is left to come. The same holds for a short
 * write.
 *
 * MSG_DONTWAIT goes with every call: a descriptor that somebody made blocking cannot stop
 * the loop.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <unistd.h>
#include "io/conn.h"
#include "io/io_priv.h"

#define LINGER_CHUNK 16384

/* The connection and its bottom filter, in one piece; bottom is not used over something that is not
 * a socket, whose fd is -1. */
struct socket_conn {
	struct conn conn;
	struct conn_filter bottom;
};

/* ---- the socket ---- */

static ssize_t socket_recv(struct conn_filter *f, void *p, size_t n, uint64_t deadline)
{
	struct conn *c = f->conn;
	int r;

	must(n > 0);
	r = fd_turn_read(&c->fd, deadline);
	while (r == 0) {
		ssize_t got = c->fd.readable ? recv(c->fd.fd, p, n, MSG_DONTWAIT) : -1;

		if (got >= 0) {
			c->bytes_in += (size_t)got;
			c->drained = got > 0 && (size_t)got < n && !c->fd.hung_up;
			c->fd.readable = !c->drained;
			return got;
		}
		if (c->fd.readable && errno == EINTR)
			continue;
		if (c->fd.readable && errno != EAGAIN)
			return -errno;
		c->fd.readable = false;
		c->drained = true;
		r = loop_fd_wait_read(&c->fd, deadline);
	}
	return r;
}

static ssize_t send_some(int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count };

	if (count == 1)
		return send(fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static size_t iov_size(const struct iovec *iov, int count)
{
	size_t n = 0;

	for (int i = 0; i < count; i++)
		n += iov[i].iov_len;
	return n;
}

static ssize_t socket_send(struct conn_filter *f, const struct iovec *iov, int count, uint64_t deadline)
{
	struct conn *c = f->conn;
	int r = fd_turn_write(&c->fd, deadline);

	if (count > IOV_MAX)
		count = IOV_MAX;
	while (r == 0) {
		ssize_t sent = c->fd.writable ? send_some(c->fd.fd, iov, count) : -1;

		if (sent >= 0) {
			c->bytes_out += (size_t)sent;
			c->fd.writable = (size_t)sent == iov_size(iov, count);
			return sent;
		}
		if (c->fd.writable && errno == EINTR)
			continue;
		if (c->fd.writable && errno != EAGAIN)
			return -errno;
		c->fd.writable = false;
		r = loop_fd_wait_write(&c->fd, deadline);
	}
	return r;
}

static size_t socket_pending(struct conn_filter *f)
{
	(void)f;
	return 0;
}

static int socket_shutdown(struct conn_filter *f, uint64_t deadline)
{
	(void)deadline;
	return shutdown(f->conn->fd.fd, SHUT_WR) < 0 ? -errno : 0;
}

/* The filter is part of its conn. */
static void socket_free(struct conn_filter *f)
{
	(void)f;
}

static const struct conn_filter_ops socket_ops = {
	.name = "socket",
	.recv = socket_recv,
	.send = socket_send,
	.pending = socket_pending,
	.shutdown = socket_shutdown,
	.free = socket_free,
};

/* ---- making and ending ---- */

static int set_up(struct conn *c, int fd)
{
	int on = 1;

	c->peer.n = c->local.n = sizeof(c->peer.un);
	if (getpeername(fd, &c->peer.sa, &c->peer.n) < 0 || getsockname(fd, &c->local.sa, &c->local.n) < 0)
		return -errno;
	if (c->local.sa.sa_family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -errno;
	return loop_fd_add(&c->fd, fd);
}

struct conn *conn_new(int fd, int *ret_error)
{
	struct socket_conn *s = mem_new(struct socket_conn);
	int r = set_up(&s->conn, fd);

	*ret_error = r;
	if (r < 0) {
		close(fd);
		return mem_free(s);
	}
	s->conn.started_ms = loop_now_ms();
	s->bottom.ops = &socket_ops;
	conn_push(&s->conn, &s->bottom);
	return &s->conn;
}

struct conn *conn_new_over(struct conn_filter *bottom, const struct net_addr *peer, const struct net_addr *local)
{
	struct socket_conn *s = mem_new(struct socket_conn);

	s->conn.fd.fd = -1;
	s->conn.peer = *peer;
	s->conn.local = *local;
	s->conn.started_ms = loop_now_ms();
	conn_push(&s->conn, bottom);
	return &s->conn;
}

void conn_push(struct conn *c, struct conn_filter *f)
{
	f->below = c->top;
	f->conn = c;
	c->top = f;
}

struct conn *conn_close(struct conn *c)
{
	if (!c)
		return NULL;
	while (c->top) {
		struct conn_filter *f = c->top;

		c->top = f->below;
		f->ops->free(f);
	}
	if (conn_can_park(c)) {
		loop_fd_remove(&c->fd);
		close(c->fd.fd);
	}
	return mem_free(container_of(c, struct socket_conn, conn));
}

void conn_closep(struct conn **c)
{
	*c = conn_close(*c);
}

struct conn *conn_connect(const struct net_addr *a, uint64_t deadline, int *ret_error)
{
	int fd = net_connect(a, deadline);

	if (fd >= 0)
		return conn_new(fd, ret_error);
	*ret_error = fd;
	return NULL;
}

static uint64_t share_of(uint64_t deadline, unsigned n)
{
	uint64_t now = loop_now_ms();

	return deadline == DEADLINE_NEVER || deadline <= now ? deadline : now + (deadline - now) / n;
}

struct conn *conn_connect_any(const struct net_addr *a, int n, uint64_t deadline, int *ret_error)
{
	struct conn *c = NULL;

	for (int i = 0; i < n && !c; i++)
		c = conn_connect(&a[i], share_of(deadline, (unsigned)(n - i)), ret_error);
	return c;
}

/* ---- reading and writing ---- */

ssize_t conn_recv(struct conn *c, void *p, size_t n, uint64_t deadline)
{
	return c->top->ops->recv(c->top, p, n, deadline);
}

void iov_skip(struct iovec **iov, int *count, size_t n)
{
	for (; *count > 0 && n >= (*iov)->iov_len; (*iov)++, (*count)--)
		n -= (*iov)->iov_len;
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

int conn_send(struct conn *c, struct iovec *iov, int count, uint64_t deadline)
{
	iov_skip(&iov, &count, 0);
	while (count > 0) {
		ssize_t sent = c->top->ops->send(c->top, iov, count, deadline);

		if (sent < 0)
			return (int)sent;
		iov_skip(&iov, &count, (size_t)sent);
	}
	return 0;
}

int conn_write(struct conn *c, const void *p, size_t n, uint64_t deadline)
{
	struct iovec iov = { (void *)p, n };

	return conn_send(c, &iov, 1, deadline);
}

int conn_shutdown(struct conn *c, uint64_t deadline)
{
	int result = 0;

	/* The FIN goes out even if a filter could not say goodbye. */
	for (struct conn_filter *f = c->top; f; f = f->below) {
		int r = f->ops->shutdown(f, deadline);

		if (r == -EBADF)
			return r;
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

static struct conn_filter *bottom_of(const struct conn *c)
{
	struct conn_filter *f = c->top;

	while (f->below)
		f = f->below;
	return f;
}

void conn_reset_at_close(struct conn *c)
{
	struct linger reset = { .l_onoff = 1 };

	if (conn_can_park(c))
		setsockopt(c->fd.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else
		bottom_of(c)->ops->reset(bottom_of(c));
}

bool conn_is_hung_up(const struct conn *c)
{
	return conn_can_park(c) ? c->fd.hung_up : bottom_of(c)->ops->has_ended(bottom_of(c));
}

bool conn_can_park(const struct conn *c)
{
	return c->fd.fd >= 0;
}

void conn_linger(struct conn *c, size_t bytes_max, uint64_t idle_ms, uint64_t deadline)
{
	struct conn_filter *bottom = bottom_of(c);
	char dropped[LINGER_CHUNK];
	ssize_t got;

	if (conn_shutdown(c, deadline) < 0)
		return;
	/* Below all filters: what is dropped need not be understood. */
	do {
		size_t n = bytes_max < sizeof(dropped) ? bytes_max : sizeof(dropped);
		uint64_t silent = deadline_in(idle_ms);

		got = n > 0 ? bottom->ops->recv(bottom, dropped, n, silent < deadline ? silent : deadline) : 0;
		if (got > 0)
			bytes_max -= (size_t)got;
	} while (got > 0);
}

size_t conn_pending(struct conn *c)
{
	size_t n = 0;

	for (struct conn_filter *f = c->top; f && n == 0; f = f->below)
		n = f->ops->pending(f);
	return n;
}

/* Whether recv on the socket would return at once. `readable` alone may be a guess; one
 * peek makes it sure. */
static bool socket_readable(struct conn *c)
{
	char byte;

	if (!c->fd.readable)
		return false;
	if (recv(c->fd.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN) {
		c->fd.readable = false;
		c->drained = true;
	}
	return c->fd.readable;
}

int conn_wait(struct conn *c, uint64_t deadline)
{
	if (task_canceled())
		return -ECANCELED;
	if (conn_pending(c) > 0)
		return 0;
	if (!conn_can_park(c))
		return bottom_of(c)->ops->wait(bottom_of(c), deadline);
	if (socket_readable(c))
		return 0;
	return loop_fd_wait_read(&c->fd, deadline);
}

void conn_park(struct conn *c, uint64_t deadline, loop_idle_fn *fn, void *arg)
{
	must(conn_pending(c) == 0);
	socket_readable(c);
	loop_fd_park(&c->fd, deadline, fn, arg);
}
