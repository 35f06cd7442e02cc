/*
 * The server's side of one connection while it is busy.
 *
 * An idle connection is a struct h1_conn. As soon as a byte arrives, a task takes a struct
 * h1_work from its thread's pool: the read buffer, the arena and the exchange. It goes back
 * when the connection is parked again or closed.
 *
 *     buf   [ head | …body as it passes… | leftover ]
 *                  ^base      ^at        ^end
 *
 * The head stays where it was read, for the request's spans point into it; body bytes that
 * come through the buffer use what is behind. What is left at the end of an exchange is the
 * next request's beginning, and is parsed where it lies.
 */
#pragma once
#include "http/http_priv.h"

struct h1_conn {
	const struct http_server *server;
	struct conn *conn;
	uint64_t requests; /* begun */
};
/* Another thread may say so at any time. */
static inline bool h1_is_draining(const struct h1_conn *h)
{
	return h->server->draining && __atomic_load_n(h->server->draining, __ATOMIC_RELAXED);
}

struct h1_work {
	struct h1_work *next; /* in the pool */
	struct h1_conn *h;
	struct arena arena;
	struct http_exchange x;
	struct h1_terms terms; /* of x.req */

	char *buf; /* small, or H1_BIG_SIZE bytes on the heap */
	size_t room, base, at, end;

	struct h1_in { /* the request's body */
		struct h1_chunked chunked;
		uint64_t left; /* of a Content-Length */
		struct http_fields trailers;
		bool done;
		bool continue_owed; /* the client waits for 100 before it sends */
		int error;          /* sticky: -EPROTO, -ETIMEDOUT… */
		uint64_t deadline;  /* of all reads, if not 0 (while draining) */
	} in;
	struct h1_out { /* the response */
		enum { H1_OUT_NONE, H1_OUT_LENGTH, H1_OUT_CHUNKED, H1_OUT_UNTIL_CLOSE } framing;
		struct span head; /* held back until there is something to send with it */
		uint64_t left;    /* of H1_OUT_LENGTH */
		bool close;       /* the connection ends with this exchange */
		bool finished;    /* all of it was sent */
		bool dead;        /* it broke off */
		bool upgraded;
	} out;
	char small[H1_BUF_SIZE];
};

/* From and to the calling thread's pool. */
struct h1_work *h1_work_take(struct h1_conn *h);
void h1_work_give(struct h1_work *w);

/* What is unread. */
static inline struct span h1_work_unread(const struct h1_work *w)
{
	return span_make(w->buf + w->at, w->end - w->at);
}
/* The next head, in w->buf at w->at: its length, 0 if the client went away or stayed silent, or a
 * negative HTTP status with the fault set. Suspends. */
int h1_read_head(struct h1_work *w, struct fault *fault);
/* For struct http_exchange_ops. */
ssize_t h1_read_body(struct http_exchange *x, void *p, size_t n);
const struct http_fields *h1_read_trailers(struct http_exchange *x);
/* Could what is unread of the body be dropped for the next request's sake? */
bool h1_body_droppable(const struct h1_work *w);
/* Drops it. False if that did not work or would take too much. Suspends. */
bool h1_drop_body(struct h1_work *w);

extern const struct http_exchange_ops h1_exchange_ops;
/* All of iov, whose entries it changes; the client has to take something every send_timeout_ms. */
int h1_send(struct h1_work *w, struct iovec *iov, int count);
