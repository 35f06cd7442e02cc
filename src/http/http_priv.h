/* What the files of http/ share among themselves. */
#pragma once
#include "http/h1_priv.h"

/* ---- bytes ---- */

enum {
	HTTP_CHAR_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
	HTTP_CHAR_VALUE = 2,  /* a field's value: no control bytes but HTAB */
	HTTP_CHAR_TARGET = 4, /* a request target: as browsers send them, see char.c */
	HTTP_CHAR_HOST = 8,   /* a host's name */
};
extern const uint8_t http_chars[256];

static inline bool http_char_is(char c, unsigned class)
{
	return http_chars[(unsigned char)c] & class;
}
/* Length of the longest prefix whose bytes a value may hold. */
size_t http_value_length(const char *p, size_t n);
static inline bool http_value_ok(struct span s)
{
	return http_value_length(s.p, s.n) == s.n;
}

/* ---- reading a head ---- */

/* What the lines of a head said about framing and the connection. */
struct h1_facts {
	unsigned hosts, lengths;
	unsigned options; /* of Connection */
	unsigned codings; /* of Transfer-Encoding */
	struct span host, length, coding;
	struct h1_values { /* the first of those that came, as evidence */
		struct span v[4];
		unsigned n;
	} host_values, length_values;
	bool has_coding;
	bool chunked_last, coding_bad; /* of the codings so far */
	bool close, keep_alive, upgrade_option, upgrade_field;
	bool names_fields; /* Connection has other options */
	bool expect_continue, expect_other;
	bool trailers; /* the lines are trailers: nothing is noted */
};
/* Where the parser stands in a head; line counts from 1. */
struct h1_cursor {
	const char *p, *end;
	unsigned line;
	struct fault *fault;
};
/* All field lines up to and with the empty one, at most max. Host is noted, not added.
 * 0 or a negative HTTP status with the fault set. */
int h1_parse_fields(struct h1_cursor *c, struct arena *a, unsigned max, struct http_fields *ret,
	struct h1_facts *facts);
/* What stands at c->p is a byte that ends or breaks a line: 0 after CRLF (consumed), or -400. */
int h1_parse_line_end(struct h1_cursor *c);
/* Sets code with {line} and {what} and returns status. */
int h1_refuse(struct h1_cursor *c, int status, enum fault_code code, struct span text);
/* The same for a field that came more than once: its values, separated by commas. */
int h1_refuse_repeated(struct h1_cursor *c, int status, enum fault_code code, const struct h1_values *values);
/* Content-Length and Transfer-Encoding against each other: 0 (*ret_chunked, or *ret_length if
 * facts->lengths), or a negative HTTP status. */
int h1_parse_framing(struct h1_cursor *c, const struct h1_facts *facts, unsigned version_minor, bool *ret_chunked,
	uint64_t *ret_length);
/* The fault of a negative h1_head_length(). */
void h1_head_fault(int status, struct fault *fault);

/* ---- writing a head ---- */

/* Appends to memory whose size was computed before; must() guards the end. */
struct h1_writer {
	char *p, *end;
};
static inline void h1_write(struct h1_writer *w, struct span s)
{
	must(s.n <= (size_t)(w->end - w->p));
	if (s.n)
		w->p = mempcpy(w->p, s.p, s.n);
}
static inline void h1_write_field(struct h1_writer *w, struct span name, struct span value)
{
	h1_write(w, name);
	h1_write(w, SPAN(": "));
	h1_write(w, value);
	h1_write(w, SPAN("\r\n"));
}
void h1_write_fields(struct h1_writer *w, const struct http_fields *f);
/* The bytes that h1_write_fields() writes (f may be NULL), or -EINVAL if one of them must not go on
 * the wire: a value or name that could end its line, or a field that is the sink's own to write.
 * Field `allowed` is none of those (HTTP_OTHER: no exception). */
ssize_t h1_fields_size(const struct http_fields *f, enum http_field_id allowed);
/* "1a2b\r\n" into ret; its length. */
#define H1_CHUNK_HEAD_SIZE 20
size_t h1_chunk_head(char ret[H1_CHUNK_HEAD_SIZE], uint64_t n);
/* The last chunk with its trailers (may be NULL) in a; .p == NULL if they must not go on the
 * wire. */
struct span h1_last_chunk(const struct http_fields *trailers, struct arena *a);
/* "Date: …CRLF" as of this second; good until the thread's next call. */
struct span h1_date_line(void);

/* ---- buffers ---- */

#define H1_BUF_SIZE 16384
/* A head larger than that moves to one of this size: room for it and for reading a body behind. */
#define H1_BIG_SIZE (HTTP_HEAD_MAX + H1_BUF_SIZE)
/* H1_BUF_SIZE bytes from a list of the calling thread, or to it. */
char *h1_buf_take(void);
void h1_buf_give(char *buf); /* NULL is fine */
/* Makes bytes what c's next reads return, before anything else. */
void h1_push_early(struct conn *c, struct span bytes);
