/*
 * HTTP, as everything above speaks it: messages without a protocol version.
 *
 * http_serve() runs a visitor's connection. Each request arrives as `struct http_exchange`: the
 * request's head, a body that can be read, and a sink for the response. Which protocol carried it
 * is decided by http_serve(), and whoever answers an exchange never learns which it was. The
 * client's side is http/client.h.
 *
 * Field names keep the sender's spelling; look-ups ignore case. Well-known names carry an
 * id (enum http_field_id), so that hot paths compare integers. Spans point into the
 * message's arena or the reader's buffer and live as long as the exchange.
 *
 * Strictness (RFC 9112; "HTTP framing" of the design): what is ambiguous is refused with a
 * code, never repaired. A head that the parsers accept has: a valid token for the method
 * and each field name; values without CR, LF, NUL or other control bytes (HTAB allowed),
 * trimmed of outer blanks; one valid Host; framing that has one reading only.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/arena.h"
#include "base/fault.h"
#include "base/span.h"

/* Limits (stated in the manual). */
#define HTTP_REQUEST_LINE_MAX 8192
#define HTTP_FIELDS_MAX       100
#define HTTP_HEAD_MAX         65536
#define HTTP_TRAILERS_MAX     8192 /* bytes, at most 32 fields */

enum http_field_id {
	HTTP_OTHER = 0,
#define HTTP_FIELD(id, name, flags) HTTP_##id,
#include "http/field.tbl.h"
#undef HTTP_FIELD
	HTTP_FIELD_COUNT
};
/* Flags of the table. */
enum {
	HTTP_HOP = 1,         /* hop-by-hop: never forwarded */
	HTTP_FRAMING = 2,     /* Content-Length, Transfer-Encoding…: ours to write */
	HTTP_FORWARDING = 4,  /* says who the client is or what it asked: ours alone to set */
	HTTP_CONDITIONAL = 8, /* If-*, Range */
	HTTP_NO_STRIP = 16,   /* a Connection option never removes it (Host, Cookie…) */
	HTTP_NO_TRAILER = 32, /* not allowed in trailers */
};
struct http_field {
	struct span name, value;
	uint8_t id; /* enum http_field_id */
};
/* A list of fields in order; memory from the arena given to http_fields_add(). */
struct http_fields {
	struct http_field *v;
	uint16_t n, room;
};

enum http_field_id http_field_id_of(struct span name);
struct span http_field_name(enum http_field_id id);
unsigned http_field_flags(enum http_field_id id);
/* Could f, from a client, make an origin believe that the request came from elsewhere or asked for
 * something else? Also under names of other vendors, and in spellings that CGI confuses with
 * them. */
bool http_field_claims(const struct http_field *f);
/* The first of that id; NULL if absent. */
const struct http_field *http_fields_find(const struct http_fields *f, enum http_field_id id);
/* Its value; .p == NULL if absent. */
struct span http_fields_value(const struct http_fields *f, enum http_field_id id);
const struct http_field *http_fields_find_name(const struct http_fields *f, struct span name);
unsigned http_fields_count(const struct http_fields *f, enum http_field_id id);
/* All values of that id joined by ", " (RFC 9110 5.3); .p == NULL if absent. */
struct span http_fields_joined(const struct http_fields *f, enum http_field_id id, struct arena *a);
/* Borrows name and value. */
void http_fields_add(struct http_fields *f, struct arena *a, enum http_field_id id, struct span value);
void http_fields_add_name(struct http_fields *f, struct arena *a, struct span name, struct span value);
/* Adds a field whose id is right already, such as one of another list. */
void http_fields_push(struct http_fields *f, struct arena *a, struct http_field field);
void http_fields_remove(struct http_fields *f, enum http_field_id id);
/* Removes the fields that Connection names (RFC 9110 7.6.1), but none marked HTTP_NO_STRIP and no
 * hop-by-hop ones. */
void http_fields_strip_named(struct http_fields *f);
/* The same, then all hop-by-hop fields, Connection too. */
void http_fields_strip_hop(struct http_fields *f);

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
	HTTP_TRACE,
	HTTP_CONNECT,
	HTTP_PURGE,
	HTTP_METHOD_OTHER,
};
bool http_method_safe(enum http_method m);       /* RFC 9110 9.2.1 */
bool http_method_idempotent(enum http_method m); /* RFC 9110 9.2.2 */

struct http_req {
	enum http_method method;
	struct span method_text;
	bool tls; /* the scheme: https */
	/* lower case, without port, without trailing dot; "[::1]" for IPv6; empty: none */
	struct span host;
	uint16_t port; /* from Host; 0 if it named none */
	/* origin-form as received ("/a?b"), or "*"; absolute-form is reduced to it */
	struct span target;
	struct span path, query;   /* of target; query without '?', .p == NULL if there is none */
	struct span version;       /* "1.0", "1.1": for logs and Via, nothing else depends on it */
	struct http_fields fields; /* as received, without Host and what Connection names */
	bool has_body;
	int64_t content_length; /* of the body, as declared; -1: only its end will tell */
	bool upgrade;           /* it asks for the protocol of its Upgrade field */
};
struct http_resp {
	uint16_t status;
	uint8_t version_minor;
	struct span reason;
	struct http_fields fields;
	enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE } body;
	/* if body == HTTP_BODY_LENGTH; or what HEAD/304 declared (has_length) */
	uint64_t content_length;
	bool has_length;
	bool keep_alive;
};
/* A whole response to a GET, as bytes that are there already: its head and its body, which points
 * into bytes. 0; -ECONNRESET if it is cut short; -EPROTO. */
int http_response_parse(struct span bytes, struct arena *a, struct http_resp *ret, struct span *ret_body);
/* The reason phrase; "" for a status that has none. */
const char *http_reason(unsigned status);

/*
 * One request and the way to answer it. The functions may suspend; all return 0 or a
 * negative errno after which the exchange is dead (the client is gone or too slow) and the
 * answering code just returns.
 */
struct http_exchange;
struct http_exchange_ops {
	/* Up to n bytes of the request's body; 0 at its end; -EPROTO for broken framing,
	 * -ECONNRESET if the client ended within it, -ETIMEDOUT. The first call sends 100 Continue
	 * if the client waits for it. */
	ssize_t (*read_body)(struct http_exchange *x, void *p, size_t n);
	/* The body's trailers, after read_body() returned 0; empty if there were none. */
	const struct http_fields *(*trailers)(struct http_exchange *x);
	/* A 1xx response (not 101), any number before the final head. */
	int (*send_interim)(struct http_exchange *x, unsigned status, const struct http_fields *fields);
	/* The final head. The sink adds framing (Content-Length or chunked), Connection, and Date
	 * if absent; fields must hold no hop-by-hop and no framing fields. length < 0: unknown. For
	 * HEAD, 204 and 304 no body follows whatever length says; length >= 0 is still declared
	 * (not for 204). The head may be held back until the first body bytes, so that both leave
	 * in one packet. -EINVAL if a name or value must not go on the wire (CR, LF, NUL…). */
	int (*send_head)(struct http_exchange *x, unsigned status, const struct http_fields *fields, int64_t length);
	/* Body bytes; waits while the client is slow (that is the back-pressure). iov is not
	 * kept. */
	int (*send_body)(struct http_exchange *x, const struct iovec *iov, int count);
	/* The end; trailers may be NULL and are sent only where framing allows. */
	int (*finish)(struct http_exchange *x, const struct http_fields *trailers);
	/* After the head: the body breaks off; the client must be able to see that (connection
	 * closed before the declared end; a reset stream). */
	void (*abort)(struct http_exchange *x);
	/* Has the client ended its side? It may still read, for a side can be closed alone. Does
	 * not suspend. */
	bool (*has_left)(const struct http_exchange *x);
	/* 101: sends the head with Upgrade, then hands over the byte stream in both directions:
	 * returns the connection to read from and write to until the end (it is closed when the
	 * handler returns; it need not be a socket); bytes that the client sent early are in its
	 * pending data. The Upgrade field is that of fields, else the request's. NULL where the
	 * version has no upgrade, or the request (req.upgrade) asked for none. */
	struct conn *(*upgrade)(struct http_exchange *x, const struct http_fields *fields);
};
struct http_exchange {
	const struct http_exchange_ops *ops;
	struct http_req req;
	struct arena *arena;           /* dies with the exchange */
	const struct net_addr *client; /* address and port of the client */
	const struct net_addr *local;  /* the address it reached us at */
	/* What was answered, for the access log; kept by the sink. */
	uint16_t status;
	bool head_sent;
	uint64_t body_bytes_sent, body_bytes_received;
	bool body_ended; /* the request's body was read to its end, or there is none */
	/* set by the answering code: read_body() says -EFBIG beyond; 0: no bound */
	uint64_t body_max;
	uint64_t started_ms;
};

/* ---- serving ---- */

struct http_limits {
	uint64_t head_timeout_ms; /* from the first byte of a head to its end */
	uint64_t body_timeout_ms; /* between two reads of a body */
	uint64_t send_timeout_ms; /* for the client to take anything at all */
	uint64_t keep_alive_ms;   /* idle between requests */
	uint64_t requests_max;    /* on one connection */
};
/* Answers one exchange. Suspends. */
typedef void http_handler_fn(void *arg, struct http_exchange *x);
/* A request that was refused before there was an exchange, for log and counters: status is what the
 * client got. */
typedef void http_refused_fn(void *arg, struct conn *c, unsigned status, const struct fault *fault);
struct http_server {
	struct http_limits limits;
	http_handler_fn *handler;
	http_refused_fn *refused;
	/* Called when the connection was closed (once, also after parking). */
	void (*closed)(void *arg, struct conn *c);
	void *arg;
	const bool *draining; /* once true: connections end with their current answer */
};
/* Takes c: serves its requests, parks it while idle (no task, no buffer), closes it at the end. The
 * protocol is the one that TLS agreed on (ALPN), without such an agreement HTTP/1.1. Call it from a
 * task for a new connection; returns when the connection is parked or closed. server must outlive
 * the connection. */
void http_serve(const struct http_server *server, struct conn *c);

/* ---- dates, lists, directives: pure ---- */

/* HTTP-date in its three forms (RFC 9110 5.6.7) to seconds since 1970; now_s decides the
 * century of RFC 850 dates. 0 or -EINVAL. */
int http_date_parse(struct span s, int64_t now_s, int64_t *ret);
#define HTTP_DATE_SIZE 30
void http_date_format(int64_t wall_s, char ret[HTTP_DATE_SIZE]); /* IMF-fixdate, NUL-terminated */

/* Takes the next element off a comma-separated list, respecting quoted strings, skipping empty
 * ones (RFC 9110 5.6.1). False at the end. */
bool http_list_next(struct span *rest, struct span *ret_element);
/* True if the list of tokens holds token (ignoring case). */
bool http_list_has(struct span list, struct span token);
bool http_is_token(struct span s);

/* Cache-Control and CDN-Cache-Control (RFC 9111 5.2, RFC 5861, RFC 9213). Numbers saturate at
 * 2^31; a directive given twice with different values: the smaller (more careful) one. A
 * number that cannot be read counts as 0 for lifetimes (stale). */
#define HTTP_SECONDS_NONE (-1)
struct http_cache_control {
	bool present;
	bool no_store, no_cache, is_private, is_public, must_revalidate, proxy_revalidate;
	bool must_understand, no_transform, only_if_cached, immutable;
	struct span no_cache_fields, private_fields;     /* with field names, else .p == NULL */
	int32_t max_age, s_maxage, max_stale, min_fresh; /* HTTP_SECONDS_NONE if absent */
	bool max_stale_any;                              /* max-stale without a value */
	int32_t stale_while_revalidate, stale_if_error;
};
void http_cache_control_parse(struct span value, struct http_cache_control *ret);
/* The same of all fields of that id. */
void http_cache_control_of(const struct http_fields *f, enum http_field_id id, struct http_cache_control *ret);

/* Range: bytes=… against a body of that length (RFC 9110 14). Number of ranges (merged where
 * they overlap, at most HTTP_RANGES_MAX), 0 if the field is to be ignored (other unit,
 * malformed, too many), -ERANGE if none can be satisfied (416). */
#define HTTP_RANGES_MAX 16
struct http_range {
	uint64_t first, last; /* inclusive */
};
int http_range_parse(struct span value, uint64_t length, struct http_range ret[HTTP_RANGES_MAX]);

/* Does If-None-Match / If-Match's list hold this entity tag? weak: weak comparison (8.8.3.2).
 * "*" matches anything. */
bool http_etag_in(struct span list, struct span etag, bool weak);
