/*
 * Reading from a client: heads and bodies.
 *
 * Time limits: a head has head_timeout_ms from its first byte on, however slowly it trickles
 * in; a body may pause for body_timeout_ms. Memory limit: the buffer, which grows once, for
 * a head over 16 KiB.
 */
#include <errno.h>
#include "http/h1_work.h"

/* Behind a head there is always room for a whole trailer block. */
#define BODY_ROOM (HTTP_TRAILERS_MAX + 64)
/* An unread body up to this size is read and dropped to keep the connection. */
#define DROP_MAX        65536
#define DROP_TIMEOUT_MS 5000

static const struct http_limits *limits_of(const struct h1_work *w)
{
	return &w->h->server->limits;
}

/* Nothing points into the buffer: unread bytes to its front; if they fill it, a larger one. */
static void make_room(struct h1_work *w)
{
	if (w->at > 0) {
		memmove(w->buf, w->buf + w->at, w->end - w->at);
		w->end -= w->at;
		w->at = 0;
	}
	if (w->room - w->end < BODY_ROOM && w->buf == w->small) {
		w->buf = memcpy(mem_alloc(H1_BIG_SIZE), w->small, w->end);
		w->room = H1_BIG_SIZE;
	}
}

/* Once a large buffer is no longer needed, back to the small one. */
static void shrink(struct h1_work *w)
{
	if (w->buf == w->small || w->end - w->at > sizeof(w->small) - BODY_ROOM)
		return;
	memcpy(w->small, w->buf + w->at, w->end - w->at);
	mem_free(w->buf);
	w->buf = w->small;
	w->room = sizeof(w->small);
	w->end -= w->at;
	w->at = 0;
}

int h1_read_head(struct h1_work *w, struct fault *fault)
{
	uint64_t deadline = deadline_in(limits_of(w)->head_timeout_ms);
	size_t scanned = 0;

	shrink(w);
	for (;;) {
		int n = h1_head_length(h1_work_unread(w), &scanned);
		ssize_t got;

		if (n < 0)
			h1_head_fault(n, fault);
		if (n != 0) {
			if (w->room - w->at - (n > 0 ? (size_t)n : 0) < BODY_ROOM)
				make_room(w);
			return n;
		}
		if (w->at == w->end)
			w->at = w->end = 0;
		else if (w->room - w->end < BODY_ROOM)
			make_room(w);
		got = conn_recv(w->h->conn, w->buf + w->end, w->room - w->end, deadline);
		if (got == -ETIMEDOUT && w->at < w->end) {
			fault_set(fault, FAULT_HTTP_SLOW_HEAD);
			fault_fact(fault, "timeout_ms", "%llu", (unsigned long long)limits_of(w)->head_timeout_ms);
			return -408;
		}
		if (got <= 0)
			return 0;
		w->end += (size_t)got;
	}
}

static ssize_t body_failed(struct h1_work *w, ssize_t error)
{
	w->in.error = error == 0 ? -ECONNRESET : (int)error;
	w->out.close = true;
	return w->in.error;
}

static uint64_t body_deadline(const struct h1_work *w)
{
	return w->in.deadline ? w->in.deadline : deadline_in(limits_of(w)->body_timeout_ms);
}

/* Straight into p, but for what came with the head. */
static ssize_t read_length(struct h1_work *w, char *p, size_t n)
{
	struct span unread = h1_work_unread(w);
	ssize_t got;

	if (n > w->in.left)
		n = w->in.left;
	if (unread.n) {
		got = (ssize_t)(n < unread.n ? n : unread.n);
		memcpy(p, unread.p, (size_t)got);
		w->at += (size_t)got;
	} else {
		got = conn_recv(w->h->conn, p, n, body_deadline(w));
		if (got <= 0)
			return body_failed(w, got);
	}
	w->in.left -= (size_t)got;
	w->in.done = w->in.left == 0;
	return got;
}

/* More bytes behind the head; what is unread (part of a trailer block) moves up to it. */
static ssize_t refill(struct h1_work *w)
{
	size_t n = w->end - w->at;
	ssize_t got;

	memmove(w->buf + w->base, w->buf + w->at, n);
	w->at = w->base;
	w->end = w->base + n;
	must(w->end < w->room);
	got = conn_recv(w->h->conn, w->buf + w->end, w->room - w->end, body_deadline(w));
	if (got <= 0)
		return body_failed(w, got);
	w->end += (size_t)got;
	return got;
}

static ssize_t read_chunked(struct h1_work *w, char *p, size_t n)
{
	size_t total = 0;

	while (total < n && !w->in.done) {
		/* Data is never longer than what was offered, so it fits. */
		bool whole = w->in.chunked.state == H1_CHUNK_TRAILERS;
		struct span bytes = span_sub(h1_work_unread(w), 0, whole ? SIZE_MAX : n - total), data;
		size_t used;
		int r = h1_chunked_step(&w->in.chunked, bytes, &used, &data);

		if (r == 1)
			r = h1_parse_trailers(arena_span(&w->arena, data), &w->arena, &w->in.trailers);
		else if (data.n)
			memcpy(p + total, data.p, data.n);
		if (r < 0)
			return body_failed(w, r);
		w->in.done = w->in.chunked.state == H1_CHUNK_DONE;
		w->at += used;
		total += w->in.done ? 0 : data.n;
		if (used || w->in.done)
			continue;
		if (total > 0)
			break;
		if (refill(w) < 0)
			return w->in.error;
	}
	return (ssize_t)total;
}

/* A client that waits for it gets its 100, unless its body is on the way already or the final
 * answer went out before (RFC 9110 10.1.1). */
static int send_continue(struct h1_work *w)
{
	struct http_exchange *x = &w->x;

	if (!x->head_sent && w->at == w->end)
		return x->ops->send_interim(x, 100, NULL);
	w->in.continue_owed = false;
	return 0;
}

ssize_t h1_read_body(struct http_exchange *x, void *p, size_t n)
{
	struct h1_work *w = container_of(x, struct h1_work, x);
	ssize_t got;
	int r;

	if (w->in.error || w->in.done || n == 0)
		return w->in.error;
	if (w->in.continue_owed) {
		r = send_continue(w);
		if (r < 0)
			return body_failed(w, r);
	}
	got = w->terms.chunked ? read_chunked(w, p, n) : read_length(w, p, n);
	x->body_ended = w->in.done;
	if (got <= 0)
		return got;
	x->body_bytes_received += (uint64_t)got;
	if (x->body_max && x->body_bytes_received > x->body_max)
		return body_failed(w, -EFBIG);
	return got;
}

const struct http_fields *h1_read_trailers(struct http_exchange *x)
{
	return &container_of(x, struct h1_work, x)->in.trailers;
}

bool h1_body_droppable(const struct h1_work *w)
{
	if (w->in.done)
		return true;
	/* Without its 100 the client may or may not send: nobody knows what comes next. */
	return !w->in.error && !w->in.continue_owed && (w->terms.chunked || w->in.left <= DROP_MAX);
}

bool h1_drop_body(struct h1_work *w)
{
	size_t dropped = 0;
	char *p;

	if (w->in.done)
		return true;
	if (!h1_body_droppable(w))
		return false;
	w->in.deadline = deadline_in(DROP_TIMEOUT_MS);
	p = arena_alloc(&w->arena, 4096);
	while (!w->in.done && dropped <= DROP_MAX) {
		ssize_t got = h1_read_body(&w->x, p, 4096);

		if (got < 0)
			return false;
		dropped += (size_t)got;
	}
	return w->in.done;
}
