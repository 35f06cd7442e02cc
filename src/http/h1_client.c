/*
 * One request to an origin and its response.
 *
 * The response's head is copied into the caller's arena, so that body bytes can use the whole
 * buffer. Body bytes are lent out of that buffer, not copied. Bytes behind the end of the
 * response are never looked at, but they make the connection unfit for another request: they
 * answer nothing that was asked.
 */
#include <errno.h>
#include <stdio.h>
#include "http/http_priv.h"

void http_client_init(struct http_client *c, struct conn *conn, struct arena *arena)
{
	*c = (struct http_client){ .conn = conn, .arena = arena };
}

void http_client_done(struct http_client *c)
{
	if (c->room == H1_BUF_SIZE)
		h1_buf_give(c->buf);
	else
		mem_free(c->buf);
	c->buf = NULL;
	c->at = c->end = c->room = 0;
}

/* ---- the request ---- */

/* What must not be in a request line, whoever rewrote the target. */
static bool line_ok(const struct http_client_request *r)
{
	for (size_t i = 0; i < r->target.n; i++)
		if (!http_char_is(r->target.p[i], HTTP_CHAR_TARGET))
			return false;
	return r->target.n && http_is_token(r->method) && http_value_ok(r->host) && http_value_ok(r->upgrade);
}

/* RFC 9110 8.6: a method that is about its content says that there is none. */
static bool announces_no_body(struct span method)
{
	return span_eq(method, SPAN("POST")) || span_eq(method, SPAN("PUT")) || span_eq(method, SPAN("PATCH"));
}

int http_client_send_head(struct http_client *c, const struct http_client_request *r, uint64_t deadline)
{
	ssize_t size = h1_fields_size(r->fields, HTTP_OTHER);
	char framing[64] = "", *p;
	struct h1_writer w;

	if (size < 0 || !line_ok(r) || (r->fields && http_fields_find(r->fields, HTTP_HOST)))
		return -EINVAL;
	if (r->has_body && r->length < 0)
		snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
	else if (r->has_body || announces_no_body(r->method))
		snprintf(framing, sizeof(framing), "Content-Length: %lld\r\n", r->has_body ? (long long)r->length : 0);
	size += (ssize_t)(r->method.n + r->target.n + r->host.n + r->upgrade.n + sizeof(framing) + 96);
	p = arena_alloc(c->arena, (size_t)size);
	w = (struct h1_writer){ p, p + size };
	h1_write(&w, r->method);
	h1_write(&w, SPAN(" "));
	h1_write(&w, r->target);
	h1_write(&w, SPAN(" HTTP/1.1\r\n"));
	h1_write_field(&w, SPAN("Host"), r->host);
	h1_write_fields(&w, r->fields);
	h1_write(&w, span_of(framing));
	if (r->upgrade.p) {
		h1_write_field(&w, SPAN("Connection"), SPAN("Upgrade"));
		h1_write_field(&w, SPAN("Upgrade"), r->upgrade);
	} else if (r->last) {
		h1_write_field(&w, SPAN("Connection"), SPAN("close"));
	}
	h1_write(&w, SPAN("\r\n"));
	return conn_write(c->conn, p, (size_t)(w.p - p), deadline);
}

int http_client_send_body(struct http_client *c, struct span bytes, bool chunked, uint64_t deadline)
{
	char size[H1_CHUNK_HEAD_SIZE];
	struct iovec v[3] = { { size, 0 }, { (char *)bytes.p, bytes.n }, { (char *)"\r\n", 2 } };

	/* An empty chunk would be the last one. */
	if (bytes.n == 0)
		return 0;
	if (!chunked)
		return conn_send(c->conn, v + 1, 1, deadline);
	v[0].iov_len = h1_chunk_head(size, bytes.n);
	return conn_send(c->conn, v, 3, deadline);
}

int http_client_send_end(struct http_client *c, bool chunked, const struct http_fields *trailers, uint64_t deadline)
{
	struct span last;

	if (!chunked)
		return 0;
	last = h1_last_chunk(trailers, c->arena);
	return last.p ? conn_write(c->conn, last.p, last.n, deadline) : -EINVAL;
}

/* ---- the response ---- */

static struct span unread(const struct http_client *c)
{
	return span_make(c->buf + c->at, c->end - c->at);
}

/* Unread bytes to the front, a larger buffer if they fill it, then more bytes behind them. */
static ssize_t refill(struct http_client *c, uint64_t deadline)
{
	ssize_t got;

	if (!c->buf) {
		c->buf = h1_buf_take();
		c->room = H1_BUF_SIZE;
	}
	if (c->at > 0) {
		memmove(c->buf, c->buf + c->at, c->end - c->at);
		c->end -= c->at;
		c->at = 0;
	}
	if (c->end == c->room) {
		char *big;

		must(c->room == H1_BUF_SIZE);
		big = memcpy(mem_alloc(H1_BIG_SIZE), c->buf, c->end);
		h1_buf_give(c->buf);
		c->buf = big;
		c->room = H1_BIG_SIZE;
	}
	got = conn_recv(c->conn, c->buf + c->end, c->room - c->end, deadline);
	if (got > 0)
		c->end += (size_t)got;
	return got;
}

static int begin_response(struct http_client *c, struct span head, enum http_method method, struct fault *fault)
{
	unsigned fields_max = c->fields_max ? c->fields_max : HTTP_FIELDS_MAX;
	int r = h1_parse_response(arena_span(c->arena, head), method, fields_max, c->arena, &c->resp, fault);

	if (r < 0)
		return r;
	c->at += head.n;
	c->chunked = c->resp.body == HTTP_BODY_CHUNKED ? arena_new(c->arena, struct h1_chunked) : NULL;
	c->trailers = (struct http_fields){ 0 };
	c->bad_chunks = false;
	c->left = c->resp.body == HTTP_BODY_LENGTH ? c->resp.content_length : 0;
	c->body_done = c->resp.body == HTTP_BODY_NONE || (c->resp.body == HTTP_BODY_LENGTH && c->left == 0);
	return 0;
}

int http_client_read_head(struct http_client *c, enum http_method method, uint64_t deadline, struct fault *fault)
{
	size_t scanned = 0;

	for (;;) {
		int n = c->buf ? h1_head_length(unread(c), &scanned) : 0;
		ssize_t got;

		if (n < 0) {
			h1_head_fault(n, fault);
			return -EPROTO;
		}
		if (n > 0)
			return begin_response(c, span_make(c->buf + c->at, (size_t)n), method, fault);
		got = refill(c, deadline);
		if (got == 0 || got == -ECONNRESET) {
			if (c->at == c->end)
				return -ECONNRESET;
			fault_set(fault, FAULT_HTTP_TRUNCATED_HEAD);
			fault_fact(fault, "what", "%zu bytes", c->end - c->at);
			return -EPROTO;
		}
		if (got < 0)
			return (int)got;
	}
}

/* An interim head, which may come at any time, is no answer. */
static bool is_interim(struct span s)
{
	return span_starts(s, SPAN("HTTP/1.")) && s.p[8] == ' ' && s.p[9] == '1';
}

bool http_client_has_answer(struct http_client *c)
{
	struct span rest;
	ssize_t got;
	int n;

	/* Nobody has that much to say beforehand. */
	if (c->buf && c->end - c->at == c->room)
		return true;
	got = refill(c, 0);
	if (got <= 0 && got != -ETIMEDOUT)
		return true;
	for (rest = unread(c); rest.n >= 10; rest = span_from(rest, (size_t)n)) {
		size_t scanned = 0;

		if (!is_interim(rest))
			return true;
		n = h1_head_length(rest, &scanned);
		if (n <= 0)
			return n < 0;
	}
	return false;
}

/* Bytes that mean nothing but themselves: up to the declared end, or to the connection's. */
static int read_plain(struct http_client *c, struct span *ret)
{
	bool until_close = c->resp.body == HTTP_BODY_UNTIL_CLOSE;

	if (c->at == c->end) {
		ssize_t got = refill(c, deadline_in(c->body_timeout_ms));

		if (got < 0)
			return (int)got;
		if (got == 0) {
			/* RFC 9112 9.8: in TLS, the end counts only if it is said. */
			c->body_done = until_close && !c->conn->cut_short;
			return c->body_done ? 0 : -EPROTO;
		}
	}
	*ret = unread(c);
	if (!until_close) {
		*ret = span_sub(*ret, 0, c->left);
		c->left -= ret->n;
		c->body_done = c->left == 0;
	}
	c->at += ret->n;
	return 0;
}

static int read_chunked(struct http_client *c, struct span *ret)
{
	for (;;) {
		size_t used;
		int r = h1_chunked_step(c->chunked, unread(c), &used, ret);
		ssize_t got;

		c->at += used;
		if (r == 1) {
			c->body_done = true;
			r = h1_parse_trailers(arena_span(c->arena, *ret), c->arena, &c->trailers);
			*ret = (struct span){ 0 };
			return r;
		}
		c->bad_chunks = r < 0;
		if (r < 0 || ret->n)
			return r;
		if (used)
			continue;
		got = refill(c, deadline_in(c->body_timeout_ms));
		if (got <= 0)
			return got < 0 ? (int)got : -EPROTO;
	}
}

int http_client_read_body(struct http_client *c, struct span *ret)
{
	*ret = (struct span){ 0 };
	if (c->body_done)
		return 0;
	return c->resp.body == HTTP_BODY_CHUNKED ? read_chunked(c, ret) : read_plain(c, ret);
}

bool http_client_reusable(const struct http_client *c)
{
	return c->body_done && c->resp.status >= 200 && c->resp.keep_alive && c->at == c->end &&
		conn_pending(c->conn) == 0;
}

struct span http_client_take_early(struct http_client *c)
{
	struct span early = arena_span(c->arena, unread(c));

	http_client_done(c);
	return early;
}
