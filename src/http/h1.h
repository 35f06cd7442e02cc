/*
 * HTTP/1.1 on the wire (RFC 9112).
 *
 * The first half is pure: bytes in, struct or refusal out. The second half runs a
 * connection: h1_serve() reads requests off a conn and calls a handler for each;
 * h1_client_* sends a request to an origin and reads its response.
 *
 * Refused with 400 and a closed connection, never repaired: Content-Length together with
 * Transfer-Encoding; more than one or a non-digit Content-Length; any transfer coding but
 * a single chunked; any in HTTP/1.0; bare CR or LF in the head or in chunk framing;
 * obs-fold; NUL and control bytes; blanks before the colon; a missing, repeated or
 * malformed Host; chunk sizes that overflow or carry anything but hex digits (a chunk
 * extension is refused, too); fragments, blanks and control bytes in the target. HTTP/1.0
 * without Host is refused as well: no site could be picked. Other statuses: 414, the
 * request line is over its limit; 417, Expect is not 100-continue; 421, the target's scheme
 * is not the connection's; 431, the head is over its limits; 501, a transfer coding we lack
 * (RFC 9112 6.1), or CONNECT; 505, a major version that is not 1.
 *
 * Accepted although a grammar forbids it, because browsers send it and it has one reading:
 * in the target " < > \ ^ ` { | } [ ] and bytes from 0x80 on.
 */
#pragma once
#include "http/http.h"
#include "io/conn.h"

/* ---- pure ---- */

/* Length of the head in bytes (with its empty line) if all of it is there, 0 if more is needed, or
 * a negative HTTP status (-400, -414, -431) as soon as it is clear. scanned: how far an earlier
 * call looked (start with 0), so that byte-by-byte arrival costs linear time. */
int h1_head_length(struct span bytes, size_t *scanned);
/* A whole head. Fields come from a. 0, or a negative HTTP status with fault filled (HTTP-*
 * codes, evidence: what and where). */
int h1_parse_request(struct span head, bool tls, struct arena *a, struct http_req *ret, struct fault *fault);
/* method: of the request this answers (HEAD has no body…). 0 or -EPROTO with fault filled. */
int h1_parse_response(struct span head, enum http_method method, struct arena *a, struct http_resp *ret,
	struct fault *fault);

/* Incremental chunked decoder (RFC 9112 7.1). */
struct h1_chunked {
	enum {
		H1_CHUNK_SIZE,
		H1_CHUNK_SIZE_LF,
		H1_CHUNK_DATA,
		H1_CHUNK_DATA_CR,
		H1_CHUNK_DATA_LF,
		H1_CHUNK_TRAILERS,
		H1_CHUNK_DONE
	} state;
	uint64_t left;
	unsigned digits;
	size_t trailer_scanned;
};
/* Looks at bytes: *ret_used consumed, of which *ret_data (a sub-span, maybe empty) is body. 1 when
 * the body's end (with trailers, whose raw block is *ret_data then) was consumed, 0 to go on,
 * -EPROTO. */
int h1_chunked_step(struct h1_chunked *c, struct span bytes, size_t *ret_used, struct span *ret_data);
/* The raw trailer block to fields; forbidden ones (HTTP_NO_TRAILER) are dropped. 0 or -EPROTO. */
int h1_parse_trailers(struct span block, struct arena *a, struct http_fields *ret);

/* ---- server ---- */

struct h1_limits {
	uint64_t head_timeout_ms; /* from the first byte of a head to its end */
	uint64_t body_timeout_ms; /* between two reads of a body */
	uint64_t send_timeout_ms; /* for the client to take anything at all */
	uint64_t keep_alive_ms;   /* idle between requests */
	uint64_t requests_max;    /* on one connection */
};
/* Answers one exchange. Suspends. The return value is for the log only. */
typedef void h1_handler_fn(void *arg, struct http_exchange *x);
/* A head that was refused, for log and counters: status is what the client got. */
typedef void h1_refused_fn(void *arg, struct conn *c, unsigned status, const struct fault *fault);
struct h1_server {
	struct h1_limits limits;
	h1_handler_fn *handler;
	h1_refused_fn *refused;
	/* Called when the connection was closed (once, also after parking). */
	void (*closed)(void *arg, struct conn *c);
	void *arg;
	const bool *draining; /* once true: Connection: close on every answer, no parking */
};
/* Takes c: serves its requests, one after another (pipelined ones in order), parks it while idle
 * (no task, no buffer), closes it at the end. Call it from a task for a new connection; returns
 * when the connection is parked or closed. server must outlive the connection. */
void h1_serve(const struct h1_server *server, struct conn *c);

/* ---- client: one request on a connection to an origin ---- */

struct h1_client {
	struct conn *conn;
	struct arena *arena; /* of the response's head; the caller's */
	char *buf;           /* unread bytes, 16 KiB, allocated while in use */
	size_t at, end, room;
	struct http_resp resp;
	struct h1_chunked chunked;
	struct http_fields trailers;
	uint64_t left;
	bool body_done;
	uint64_t body_timeout_ms;
};
void h1_client_init(struct h1_client *c, struct conn *conn, struct arena *arena);
void h1_client_done(struct h1_client *c); /* does not close conn */
/* Writes the head: request line, Host, fields (which must hold no hop-by-hop, framing or Host
 * field), framing (length < 0: chunked if has_body), "Connection: keep-alive" being implied. 0 or
 * -errno. */
struct h1_request {
	struct span method, target, host; /* host with port if it needs one */
	const struct http_fields *fields;
	bool has_body;
	int64_t length;
	bool last;           /* of its connection: sends Connection: close */
	struct span upgrade; /* sends Connection: upgrade with it; .p == NULL: none */
};
int h1_client_send_head(struct h1_client *c, const struct h1_request *r, uint64_t deadline);
int h1_client_send_body(struct h1_client *c, struct span bytes, bool chunked, uint64_t deadline);
int h1_client_send_end(struct h1_client *c, bool chunked, const struct http_fields *trailers, uint64_t deadline);
/* The next response head into c->resp, 1xx ones included (the caller calls again; after 101 what
 * the origin sent early is buf[at..end)). 0; -EPROTO with fault;
 * -ECONNRESET if the peer closed before the first byte; another -errno. */
int h1_client_read_head(struct h1_client *c, enum http_method method, uint64_t deadline, struct fault *fault);
/* While the request's body is being sent: has the final head begun to come, or the origin gone?
 * Then there is no point in sending on. Takes in what is there; does not wait. */
bool h1_client_has_answer(struct h1_client *c);
/* Body bytes borrowed from the buffer until the next call; empty span at the end (then
 * c->trailers). 0, -EPROTO (also: closed before the declared end), -errno. */
int h1_client_read_body(struct h1_client *c, struct span *ret);
/* True if the connection can carry another request: body read to its end, keep-alive, nothing
 * unread. */
bool h1_client_reusable(const struct h1_client *c);
