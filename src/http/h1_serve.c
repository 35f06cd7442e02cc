/*
 * A client's connection, from its first byte to its end.
 *
 *     new -> busy -> parked -> busy -> … -> closed
 *
 * Busy: a task reads a head, lets the handler answer, and goes on with what is in the buffer
 * (pipelined requests are answered in order). When nothing is, the connection is parked: it
 * keeps a struct h1_conn and its place in the loop, and the task ends.
 *
 * Closing: after an answer, by a lingering close, so that the client reads it all (RFC 9112
 * 9.6), the longer if it is still sending; after a broken answer at once, so that the client
 * notices.
 */
#include <errno.h>
#include <stdio.h>
#include "http/h1_work.h"

/* A new connection's first bytes are usually there or about to come: so long its task waits. */
#define FIRST_BYTE_MS 20
#define LINGER_BYTES  (1024 * 1024)
#define LINGER_MS     2000
/* The same while the peer still sends its body: in all, and between two pieces of it. */
#define UNREAD_MS      30000
#define UNREAD_IDLE_MS 5000
#define LINGERING_MAX  1000 /* of these at a time on one thread */
#define FAREWELL_MS    1000

enum next { NEXT_REQUEST, NEXT_FAREWELL, NEXT_LINGER, NEXT_LINGER_UNREAD, NEXT_CLOSE };

static void serve(void *arg);

static void close_now(struct h1_conn *h)
{
	if (h->server->closed)
		h->server->closed(h->server->arg, h->conn);
	conn_close(h->conn);
	mem_free(h);
}

/* TLS wants a word at the end (close_notify); TCP's FIN says it all. */
static void say_farewell(void *arg)
{
	struct h1_conn *h = arg;

	conn_shutdown(h->conn, deadline_in(FAREWELL_MS));
	close_now(h);
}

static void on_idle_end(void *arg, enum loop_idle_end why)
{
	struct h1_conn *h = arg;
	struct task *t;

	if (why == LOOP_IDLE_READABLE)
		t = task_spawn("h1", serve, h);
	else
		t = h->conn->secure ? task_spawn("h1-farewell", say_farewell, h) : NULL;
	if (!t)
		close_now(h);
}

/* ---- one request ---- */

static enum next refuse(struct h1_work *w, int status, const struct fault *fault)
{
	const struct http_server *server = w->h->server;
	struct span date = h1_date_line();
	char text[512], body[64];
	struct iovec iov = { .iov_base = text };
	int n;

	if (server->refused)
		server->refused(server->arg, w->h->conn, (unsigned)-status, fault);
	n = snprintf(body, sizeof(body), "%d %s\n", -status, http_reason((unsigned)-status));
	n = snprintf(text, sizeof(text),
		"HTTP/1.1 %d %s\r\n%.*sContent-Type: text/plain\r\nContent-Length: %d\r\n"
		"Connection: close\r\n\r\n%s",
		-status, http_reason((unsigned)-status), SPAN_ARG(date), n, body);
	must(n > 0 && (size_t)n < sizeof(text));
	iov.iov_len = (size_t)n;
	return h1_send(w, &iov, 1) < 0 ? NEXT_CLOSE : NEXT_LINGER_UNREAD;
}

/* The handler gave up before it answered: if the request's body was to blame, say so. */
static enum next refuse_body(struct h1_work *w)
{
	struct fault fault;

	if (w->in.error == -EPROTO) {
		fault_set(&fault, FAULT_HTTP_BAD_CHUNKS);
		return refuse(w, -400, &fault);
	}
	if (w->in.error == -ECONNRESET) {
		fault_set(&fault, FAULT_CLIENT_BODY_BROKE_OFF);
		fault_fact(&fault, "error", "the client ended its side");
		return refuse(w, -400, &fault);
	}
	if (w->in.error == -ETIMEDOUT) {
		fault_set(&fault, FAULT_HTTP_SLOW_BODY);
		fault_fact(&fault, "timeout_ms", "%llu", (unsigned long long)w->h->server->limits.body_timeout_ms);
		return refuse(w, -408, &fault);
	}
	return NEXT_CLOSE;
}

static enum next after_answer(struct h1_work *w)
{
	if (w->out.upgraded)
		return NEXT_FAREWELL;
	if (!w->x.head_sent && !w->out.dead)
		return refuse_body(w);
	if (!w->out.finished)
		return NEXT_CLOSE;
	if (w->out.close || !h1_drop_body(w))
		return w->in.done ? NEXT_LINGER : NEXT_LINGER_UNREAD;
	/* Old clients end a body with a CRLF that belongs to nothing (RFC 9112 2.2). */
	if (span_eq(h1_work_unread(w), SPAN("\r\n")))
		w->at = w->end;
	return NEXT_REQUEST;
}

static void begin_exchange(struct h1_work *w)
{
	struct conn *c = w->h->conn;

	w->x.ops = &h1_exchange_ops;
	w->x.arena = &w->arena;
	w->x.client = &c->peer;
	w->x.local = &c->local;
	w->x.status = 0;
	w->x.head_sent = false;
	w->x.body_bytes_sent = w->x.body_bytes_received = 0;
	w->x.body_ended = !w->x.req.has_body;
	w->x.started_ms = loop_now_ms();
	w->in = (struct h1_in){
		.left = w->terms.chunked ? 0 : (uint64_t)w->x.req.content_length,
		.done = !w->x.req.has_body,
		.continue_owed = w->terms.expect_continue,
	};
	w->h->requests++;
}

static enum next serve_request(struct h1_work *w)
{
	const struct http_server *server = w->h->server;
	struct fault fault;
	struct span head;
	int r;

	w->out = (struct h1_out){ 0 };
	arena_reset(&w->arena);
	r = h1_read_head(w, &fault);
	if (r == 0)
		return NEXT_FAREWELL;
	if (r < 0)
		return refuse(w, r, &fault);
	head = span_make(w->buf + w->at, (size_t)r);
	w->at += head.n;
	w->base = w->at;
	r = h1_parse_request(head, w->h->conn->secure || w->h->conn->tls_before, &w->arena, &w->x.req, &w->terms,
		&fault);
	if (r < 0)
		return refuse(w, r, &fault);
	begin_exchange(w);
	server->handler(server->arg, &w->x);
	return after_answer(w);
}

/* ---- the connection ---- */

static bool is_idle(const struct h1_work *w)
{
	return w->at == w->end && conn_pending(w->h->conn) == 0;
}

static void park(struct h1_conn *h)
{
	conn_park(h->conn, deadline_in(h->server->limits.keep_alive_ms), on_idle_end, h);
}

/* What is no socket cannot be parked: its task waits for the next request. True if one comes. */
static bool waits_unparked(struct h1_conn *h)
{
	return !conn_can_park(h->conn) && !h1_is_draining(h) &&
		conn_wait(h->conn, deadline_in(h->server->limits.keep_alive_ms)) == 0;
}

/* Whoever writes before it reads has to get rid of its body, or it never hears our answer: a close
 * with unread bytes is a reset, which takes the answer from the peer's buffer. As long and as many
 * of those as nginx allows by default; the others have 2 s. */
static void linger(struct h1_conn *h, bool unread)
{
	static _Thread_local unsigned lingering;

	if (!unread || lingering >= LINGERING_MAX || h1_is_draining(h)) {
		conn_linger(h->conn, LINGER_BYTES, LINGER_MS, deadline_in(LINGER_MS));
		return;
	}
	lingering++;
	conn_linger(h->conn, SIZE_MAX, UNREAD_IDLE_MS, deadline_in(UNREAD_MS));
	lingering--;
}

/* The task of a connection that has something to say. */
static void serve(void *arg)
{
	struct h1_conn *h = arg;
	struct h1_work *w = h1_work_take(h);
	enum next next;

	do
		next = serve_request(w);
	while (next == NEXT_REQUEST && (!is_idle(w) || waits_unparked(h)));
	h1_work_give(w);
	if (next == NEXT_REQUEST && (h1_is_draining(h) || !conn_can_park(h->conn)))
		next = NEXT_FAREWELL;
	switch (next) {
	case NEXT_REQUEST:
		park(h);
		return;
	case NEXT_FAREWELL:
		conn_shutdown(h->conn, deadline_in(FAREWELL_MS));
		break;
	case NEXT_LINGER:
	case NEXT_LINGER_UNREAD:
		linger(h, next == NEXT_LINGER_UNREAD);
		break;
	case NEXT_CLOSE:
		break;
	}
	close_now(h);
}

void h1_serve(const struct http_server *server, struct conn *c)
{
	struct h1_conn *h = mem_new(struct h1_conn);

	h->server = server;
	h->conn = c;
	if (conn_wait(c, deadline_in(FIRST_BYTE_MS)) == -ETIMEDOUT && conn_can_park(c))
		park(h);
	else
		serve(h);
}
