/*
 * The client's side of HTTP: one request on a connection and its response.
 *
 * http_client_* streams a request to an origin and its response back, piece by piece; the
 * functions that send and read suspend. http_ask() is all of it at once, for questions whose
 * answer is small: a health check, a policy.
 *
 * The connection is the caller's: connecting, TLS and whether it is kept are not decided here.
 */
#pragma once
#include "base/buf.h"
#include "http/http.h"
#include "io/conn.h"

struct h1_chunked;
struct http_client {
	struct http_resp resp;       /* the last head that was read */
	struct http_fields trailers; /* of its body, once that was read to its end */
	uint64_t body_timeout_ms;    /* for the next bytes of a body; the caller's to set */
	unsigned fields_max;         /* of a head; 0: HTTP_FIELDS_MAX. The caller's to set */
	bool bad_chunks;             /* the body failed because of its framing */

	/* inside http/ */
	struct conn *conn;
	struct arena *arena;
	char *buf; /* unread bytes: at to end */
	size_t at, end, room;
	struct h1_chunked *chunked; /* of a chunked body */
	uint64_t left;              /* of a body with a length */
	bool body_done;
};
/* conn stays the caller's, who closes it after http_client_done(); the response's head comes from
 * arena. */
void http_client_init(struct http_client *c, struct conn *conn, struct arena *arena);
void http_client_done(struct http_client *c);

struct http_client_request {
	struct span method, target, host; /* host with port if it needs one */
	const struct http_fields *fields; /* no hop-by-hop, framing or Host field; NULL: none */
	bool has_body;
	int64_t length;      /* of the body; < 0: not known before its end */
	bool last;           /* nothing follows on the connection: tells the peer so */
	struct span upgrade; /* the protocol to ask for; .p == NULL: none */
};
/* Sends the head. 0; -EINVAL if something in it must not go on the wire; -errno. */
int http_client_send_head(struct http_client *c, const struct http_client_request *r, uint64_t deadline);
/* Bytes of the body; unknown: its length was not declared. 0 or -errno. */
int http_client_send_body(struct http_client *c, struct span bytes, bool unknown, uint64_t deadline);
int http_client_send_end(struct http_client *c, bool unknown, const struct http_fields *trailers, uint64_t deadline);
/* The next response head into c->resp, 1xx ones included (the caller calls again). 0; -EPROTO with
 * fault; -ECONNRESET if the peer closed before the first byte; another -errno. */
int http_client_read_head(struct http_client *c, enum http_method method, uint64_t deadline, struct fault *fault);
/* While the request's body is being sent: has the final head begun to come, or the origin gone?
 * Then there is no point in sending on. Takes in what is there; does not wait. */
bool http_client_has_answer(struct http_client *c);
/* Body bytes, borrowed until the next call; an empty span at the end (then c->trailers). 0, -EPROTO
 * (also: closed before the declared end), -errno. */
int http_client_read_body(struct http_client *c, struct span *ret);
/* True if the connection can carry another request: body read to its end, keep-alive, nothing
 * unread. */
bool http_client_reusable(const struct http_client *c);
/* After 101: the connection's bytes belong to another protocol from here on. Those that came with
 * the head are returned, in the arena; the client is done. */
struct span http_client_take_early(struct http_client *c);

/* One plain request and its whole answer. */
struct http_question {
	struct span method, host, target;
	const struct http_fields *fields; /* as in struct http_client_request */
	struct span body;                 /* .p == NULL: none */
};
/* deadline is for all of it. 0: the answer's final head, from a, is in *ret and its body in
 * *ret_body (NULL: it is not read). -ENOBUFS: the body does not fit there, the head is read.
 * -EPROTO with fault (may be NULL); another -errno. conn is of no use for anything else afterwards.
 * Suspends. */
int http_ask(struct conn *conn, const struct http_question *q, uint64_t deadline, struct arena *a,
	struct http_resp *ret, struct buf *ret_body, struct fault *fault);
