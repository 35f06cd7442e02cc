/*
 * DNS over TCP (RFC 7766): many questions on a connection, answers in whatever order they come.
 *
 * A connection has a task while there is something to read, and is parked when there is not. An
 * answer is sent from where it comes about, straight into the socket; only what the socket does not
 * take has a task that waits for it.
 *
 * Bounds: CONNS_MAX connections a thread; per connection UNANSWERED_MAX questions and OUT_MAX bytes
 * of answers, beyond which it is not read until some have left, and answers that had to wait for
 * others become SERVFAIL; a client that begins a message must end it within MESSAGE_MS, and one
 * that takes nothing for SEND_MS is cut off. Whoever closes its sending side still gets its
 * answers. When there are too many connections, the one that has asked nothing for the longest
 * makes room: being there keeps nobody else out. Who may not ask is told so once, and that was it.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "names/names_priv.h"

#define CONNS_MAX      1000
#define UNANSWERED_MAX 200
#define OUT_MAX        (256u << 10)
#define IDLE_MS        10000
#define MESSAGE_MS     5000
#define SEND_MS        10000
#define READ_SIZE      4096
#define FRAME_MAX      (2 + DNS_MESSAGE_MAX)
#define SMALL_MAX      (2 + DNS_UDP_MAX) /* a failure, or addresses of an origin */

struct names_conn {
	struct list link; /* in thread->conns, in the order of the last whole message */
	struct names_thread *thread;
	struct conn *conn;
	struct buf in, out;
	struct task *reader, *writer;
	unsigned unanswered;
	bool parked;
	bool ended; /* no more questions will be read */
	bool dead;  /* nor answers sent */
};

static void run_reader(void *arg);
static void run_writer(void *arg);

/* ---- the end ---- */

static void conn_free_if_done(struct names_conn *c)
{
	if (c->reader || c->writer || c->unanswered > 0 || (!c->dead && (!c->ended || c->out.n > 0)))
		return;
	list_remove(&c->link);
	edge_leave(&c->thread->door, c->conn, false);
	conn_close(c->conn);
	buf_done(&c->in);
	buf_done(&c->out);
	mem_free(c);
}

/* Nobody is there any more: what is still to be answered goes nowhere. */
static void conn_die(struct names_conn *c)
{
	c->dead = c->ended = true;
	buf_reset(&c->out);
}

bool names_conn_has_room(const struct names_conn *c)
{
	return c->out.n < OUT_MAX;
}

static bool is_full(const struct names_conn *c)
{
	return c->unanswered >= UNANSWERED_MAX || !names_conn_has_room(c);
}

static void read_on(struct names_conn *c)
{
	if (c->reader || c->parked || c->ended || is_full(c))
		return;
	c->reader = task_spawn("names-tcp", run_reader, c);
	if (!c->reader)
		conn_die(c);
}

/* ---- answers ---- */

/* As much as the socket takes now. */
static void send_now(struct names_conn *c)
{
	while (c->out.n > 0) {
		ssize_t n = send(c->conn->fd.fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			buf_consume(&c->out, (size_t)n);
		} else if (errno == EAGAIN) {
			c->conn->fd.writable = false;
			return;
		} else if (errno != EINTR) {
			conn_die(c);
			return;
		}
	}
}

static void flush(struct names_conn *c)
{
	if (c->writer || c->dead)
		return;
	send_now(c);
	if (c->out.n == 0)
		return;
	c->writer = task_spawn("names-tcp-send", run_writer, c);
	if (!c->writer)
		conn_die(c);
}

static void run_writer(void *arg)
{
	struct names_conn *c = arg;

	while (!c->dead && c->out.n > 0) {
		if (loop_fd_wait_write(&c->conn->fd, deadline_in(SEND_MS)) < 0)
			conn_die(c);
		else
			send_now(c);
	}
	c->writer = NULL;
	/* Perhaps it was for these answers that no more questions were read. */
	read_on(c);
	conn_free_if_done(c);
}

static void add_answer(struct names_conn *c, const void *p, size_t n)
{
	uint8_t length[2];

	if (n == 0 || c->dead)
		return;
	dns_put_u16(length, (uint16_t)n);
	buf_add(&c->out, length, sizeof(length));
	buf_add(&c->out, p, n);
	if (buf_error(&c->out))
		conn_die(c);
}

void names_conn_wait(struct names_conn *c)
{
	c->unanswered++;
}

void names_conn_answer(struct names_conn *c, const void *p, size_t n)
{
	c->unanswered--;
	add_answer(c, p, n);
	flush(c);
	read_on(c);
	conn_free_if_done(c);
}

/* ---- questions ---- */

static void on_readable(void *arg, enum loop_idle_end why)
{
	struct names_conn *c = arg;

	c->parked = false;
	if (why == LOOP_IDLE_READABLE)
		read_on(c);
	else
		c->ended = true;
	conn_free_if_done(c);
}

/* All whole messages of c->in. Their number. */
static unsigned answer_all(struct names_conn *c, uint8_t *room)
{
	struct names_from from = { .peer = &c->conn->peer, .conn = c };
	unsigned done = 0;

	while (!is_full(c) && c->in.n >= 2) {
		size_t n = dns_get_u16((const uint8_t *)c->in.p), length;

		if (c->in.n < 2 + n)
			break;
		length = names_respond(c->thread, span_make(c->in.p + 2, n), &from, room, DNS_MESSAGE_MAX);
		add_answer(c, room, length);
		buf_consume(&c->in, 2 + n);
		list_remove(&c->link);
		list_push_back(&c->thread->conns, &c->link);
		done++;
		if (!names_may_ask(c->thread, &c->conn->peer)) {
			c->ended = true;
			break;
		}
	}
	return done;
}

/* Reads once. False: the client has said all, or is gone. */
static bool read_some(struct names_conn *c, uint64_t deadline)
{
	char *room = buf_room(&c->in, READ_SIZE);
	ssize_t n = room ? conn_recv(c->conn, room, READ_SIZE, deadline) : -EPROTO;

	if (n > 0) {
		buf_grew(&c->in, (size_t)n);
		return true;
	}
	if (n < 0)
		conn_die(c);
	c->ended = true;
	return false;
}

/* Is there nothing to be read, and no message begun? */
static bool is_idle(const struct names_conn *c)
{
	return c->in.n == 0 && !c->conn->fd.readable;
}

static void run_reader(void *arg)
{
	struct names_conn *c = arg;
	uint8_t *room = mem_alloc(DNS_MESSAGE_MAX);
	uint64_t deadline = deadline_in(MESSAGE_MS);

	for (;;) {
		if (answer_all(c, room) > 0)
			deadline = deadline_in(MESSAGE_MS);
		flush(c);
		if (c->ended || is_full(c) || is_idle(c) || !read_some(c, deadline))
			break;
	}
	mem_free(room);
	c->reader = NULL;
	if (!c->ended && !is_full(c)) {
		c->parked = true;
		conn_park(c->conn, deadline_in(IDLE_MS), on_readable, c);
	}
	conn_free_if_done(c);
}

/* ---- connections ---- */

static void unpark(struct names_conn *c)
{
	if (c->parked)
		loop_fd_unpark(&c->conn->fd);
	c->parked = false;
}

/* False: all have questions that wait. */
static bool make_room(void *thread)
{
	struct names_thread *t = thread;

	list_each (it, &t->conns) {
		struct names_conn *c = container_of(it, struct names_conn, link);

		if (c->ended || c->unanswered > 0 || c->out.n > 0)
			continue;
		c->ended = true;
		unpark(c);
		if (c->reader)
			task_cancel(c->reader);
		conn_free_if_done(c);
		stat_add(STAT_NAMES_TCP_REFUSED, 1);
		return true;
	}
	return false;
}

/* A task of the door's, which becomes the reader. */
static void run_connection(void *thread, struct edge_arrival *a)
{
	struct names_thread *t = thread;
	struct names_conn *c = mem_new(struct names_conn);

	published_unref(a->state);
	c->thread = t;
	c->conn = a->conn;
	buf_init(&c->in, FRAME_MAX + READ_SIZE);
	buf_init(&c->out, OUT_MAX + FRAME_MAX + UNANSWERED_MAX * (size_t)SMALL_MAX);
	list_push_back(&t->conns, &c->link);
	c->ended = t->draining;
	c->reader = task_self();
	run_reader(c);
}

static void present_policy(void *thread, struct edge_policy *ret)
{
	struct names_state *s = ((struct names_thread *)thread)->state;

	*ret = (struct edge_policy){ .state = &s->published, .connections_max = CONNS_MAX };
}

const struct edge_protocol names_tcp_protocol = { .name = "names",
	.task = "names-tcp",
	.came = STAT_NAMES_TCP,
	.refused = STAT_NAMES_TCP_REFUSED,
	.policy = present_policy,
	.make_room = make_room,
	.run = run_connection };

void names_drain_tcp(struct names_thread *t)
{
	list_each_safe (it, &t->conns) {
		struct names_conn *c = container_of(it, struct names_conn, link);

		c->ended = true;
		unpark(c);
		conn_free_if_done(c);
	}
}
