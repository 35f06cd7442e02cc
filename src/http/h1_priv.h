/*
 * Inside http/: HTTP/1.1 on the wire (RFC 9112).
 *
 * Pure but for its last function: bytes in, struct or refusal out. The server's side of a
 * connection is h1_serve(), the client's http/client.h.
 *
 * Refused with 400 and a closed connection, never repaired: Content-Length together with
 * Transfer-Encoding; more than one or a non-digit Content-Length; any transfer coding but
 * a single chunked; any in HTTP/1.0; bare CR or LF in the head or in chunk framing;
 * obs-fold; NUL and control bytes; blanks before the colon; a missing, repeated or
 * malformed Host; chunk sizes that overflow, chunk extensions that are malformed or large (others
 * are read and dropped); fragments, blanks and control bytes in the target. Other statuses: 414,
 * the request line is over its limit; 417, Expect is not 100-continue; 421, the target's scheme
 * is not the connection's; 431, the head is over its limits; 501, a transfer coding we lack
 * (RFC 9112 6.1), or CONNECT; 505, a major version that is not 1.
 *
 * Accepted although a grammar forbids it, because browsers send it and it has one reading:
 * in the target " < > \ ^ ` { | } [ ] and bytes from 0x80 on.
 */
#pragma once
#include "http/client.h"
#include "http/http.h"

/* ---- pure ---- */

/* Length of the head in bytes (with its empty line) if all of it is there, 0 if more is needed, or
 * a negative HTTP status (-400, -414, -431) as soon as it is clear. scanned: how far an earlier
 * call looked (start with 0), so that byte-by-byte arrival costs linear time. */
int h1_head_length(struct span bytes, size_t *scanned);
/* A whole head. Fields come from a. 0, or a negative HTTP status with fault filled (HTTP-*
 * codes, evidence: what and where). */
struct h1_terms { /* on which a request came: what HTTP/1 alone knows */
	uint8_t version_minor;
	bool chunked;
	bool expect_continue;
	bool keep_alive; /* the client's wish, by version and Connection */
};
int h1_parse_request(struct span head, bool tls, struct arena *a, struct http_req *ret, struct h1_terms *ret_terms,
	struct fault *fault);
/* method: of the request this answers (HEAD has no body…). 0 or -EPROTO with fault filled. */
int h1_parse_response(struct span head, enum http_method method, unsigned fields_max, struct arena *a,
	struct http_resp *ret, struct fault *fault);

/* Incremental chunked decoder (RFC 9112 7.1). */
struct h1_chunked {
	enum {
		H1_CHUNK_SIZE,
		H1_CHUNK_BLANKS, /* behind a size or an extension */
		H1_CHUNK_EXT,    /* before the name of an extension */
		H1_CHUNK_EXT_NAME,
		H1_CHUNK_EXT_EQUALS, /* blanks between name and "=" */
		H1_CHUNK_EXT_VALUE,  /* before its value */
		H1_CHUNK_EXT_TOKEN,
		H1_CHUNK_EXT_QUOTED,
		H1_CHUNK_EXT_PAIR, /* behind a backslash */
		H1_CHUNK_SIZE_LF,
		H1_CHUNK_DATA,
		H1_CHUNK_DATA_CR,
		H1_CHUNK_DATA_LF,
		H1_CHUNK_TRAILERS,
		H1_CHUNK_DONE
	} state;
	uint64_t left;
	unsigned digits;      /* of this size */
	unsigned line;        /* bytes of extensions and blanks behind it */
	uint64_t lines, data; /* of all chunks: such bytes, and those of the body */
	size_t trailer_scanned;
};
/* Looks at bytes: *ret_used consumed, of which *ret_data (a sub-span, maybe empty) is body. 1 when
 * the body's end (with trailers, whose raw block is *ret_data then) was consumed, 0 to go on,
 * -EPROTO. */
int h1_chunked_step(struct h1_chunked *c, struct span bytes, size_t *ret_used, struct span *ret_data);
/* The raw trailer block to fields; forbidden ones (HTTP_NO_TRAILER) are dropped. 0 or -EPROTO. */
int h1_parse_trailers(struct span block, struct arena *a, struct http_fields *ret);

/* ---- server ---- */

/* http_serve() for connections that speak HTTP/1.1. */
void h1_serve(const struct http_server *server, struct conn *c);
