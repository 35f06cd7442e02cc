/*
 * A response's head (RFC 9112 4, 6.3). As strict as for requests: an origin whose framing
 * has two readings could poison the cache. Only what is common and has one reading is let
 * pass: a status line without the blank before an empty reason, codes up to 999, and a
 * Content-Length where no body follows anyway.
 */
#include <errno.h>
#include "http/http_priv.h"

/* HTTP/1.x SP 3DIGIT [ SP reason ] CRLF */
static int parse_status_line(struct h1_cursor *c, struct http_resp *resp)
{
	struct span s = span_make(c->p, (size_t)(c->end - c->p));
	const char *reason;

	if (s.n < 14 || !span_starts(s, SPAN("HTTP/1.")) || !ascii_digit(s.p[7]) || s.p[8] != ' ')
		return h1_refuse(c, -EPROTO, FAULT_HTTP_BAD_STATUS_LINE, span_sub(s, 0, 32));
	for (unsigned i = 9; i < 12; i++) {
		if (!ascii_digit(s.p[i]))
			return h1_refuse(c, -EPROTO, FAULT_HTTP_BAD_STATUS_LINE, span_sub(s, 0, 32));
		resp->status = (uint16_t)(resp->status * 10 + (s.p[i] - '0'));
	}
	reason = c->p + 12;
	if (resp->status < 100 || (*reason != ' ' && *reason != '\r'))
		return h1_refuse(c, -EPROTO, FAULT_HTTP_BAD_STATUS_LINE, span_sub(s, 0, 32));
	resp->version_minor = (uint8_t)(s.p[7] - '0');
	reason += *reason == ' ';
	c->p = reason + http_value_length(reason, (size_t)(c->end - reason));
	resp->reason = span_make(reason, (size_t)(c->p - reason));
	return h1_parse_line_end(c);
}

static bool has_no_body(unsigned status, enum http_method method)
{
	return method == HTTP_HEAD || status < 200 || status == 204 || status == 304;
}

static int apply_facts(struct h1_cursor *c, const struct h1_facts *facts, enum http_method method,
	struct http_resp *resp)
{
	bool chunked;
	int r;

	r = h1_parse_framing(c, facts, resp->version_minor, &chunked, &resp->content_length);
	if (r < 0)
		return r;
	resp->has_length = facts->lengths > 0;
	if (has_no_body(resp->status, method))
		resp->body = HTTP_BODY_NONE;
	else if (chunked)
		resp->body = HTTP_BODY_CHUNKED;
	else
		resp->body = resp->has_length ? HTTP_BODY_LENGTH : HTTP_BODY_UNTIL_CLOSE;
	resp->keep_alive =
		resp->body != HTTP_BODY_UNTIL_CLOSE && !facts->close && (resp->version_minor > 0 || facts->keep_alive);
	return 0;
}

int h1_parse_response(struct span head, enum http_method method, unsigned fields_max, struct arena *a,
	struct http_resp *ret, struct fault *fault)
{
	struct h1_cursor c = { .p = head.p, .end = head.p + head.n, .line = 1, .fault = fault };
	struct h1_facts facts = { 0 };

	*ret = (struct http_resp){ 0 };
	if (parse_status_line(&c, ret) < 0 || h1_parse_fields(&c, a, fields_max, &ret->fields, &facts) < 0 ||
		apply_facts(&c, &facts, method, ret) < 0)
		return -EPROTO;
	return 0;
}

int http_response_parse(struct span bytes, struct arena *a, struct http_resp *ret, struct span *ret_body)
{
	size_t scanned = 0;
	int head = h1_head_length(bytes, &scanned);
	struct fault fault;

	if (head <= 0)
		return head == 0 ? -ECONNRESET : -EPROTO;
	if (h1_parse_response(span_sub(bytes, 0, (size_t)head), HTTP_GET, HTTP_FIELDS_MAX, a, ret, &fault) < 0)
		return -EPROTO;
	*ret_body = span_from(bytes, (size_t)head);
	return ret->body == HTTP_BODY_LENGTH && ret_body->n == ret->content_length ? 0 : -ECONNRESET;
}
