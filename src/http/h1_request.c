/*
 * A request's head (RFC 9112 3, 6; RFC 9110 7.2).
 *
 * The host is the target's authority if it has one (absolute-form; 3.2.2 says that Host is
 * ignored then), else that of Host, which HTTP/1.1 demands in every case. HTTP/1.0 does not
 * demand it: such a request has an empty host, to which no site answers.
 *
 * CONNECT is refused: torhaus is no forward proxy. An Upgrade beside a body is not taken up
 * (the body would have to be read before the protocol changes, and no real client does that).
 */
#include <arpa/inet.h>
#include "http/http_priv.h"

#define HOST_MAX 254 /* a DNS name with its trailing dot */

static enum http_method method_of(struct span s)
{
	static const struct span names[] = {
		[HTTP_GET] = SPAN("GET"),
		[HTTP_HEAD] = SPAN("HEAD"),
		[HTTP_POST] = SPAN("POST"),
		[HTTP_PUT] = SPAN("PUT"),
		[HTTP_DELETE] = SPAN("DELETE"),
		[HTTP_OPTIONS] = SPAN("OPTIONS"),
		[HTTP_PATCH] = SPAN("PATCH"),
		[HTTP_TRACE] = SPAN("TRACE"),
		[HTTP_CONNECT] = SPAN("CONNECT"),
		[HTTP_PURGE] = SPAN("PURGE"),
	};

	for (unsigned i = 0; i < array_len(names); i++)
		if (span_eq(names[i], s))
			return (enum http_method)i;
	return HTTP_METHOD_OTHER;
}

/* "[::1]" into ret, lower case; false if that is no address. */
static bool parse_host_ipv6(struct span text, struct arena *a, struct span *ret)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr unused;
	char *copy;

	if (text.n < 4 || text.n - 2 >= sizeof(address) || text.p[text.n - 1] != ']')
		return false;
	memcpy(address, text.p + 1, text.n - 2);
	address[text.n - 2] = '\0';
	if (memchr(text.p, '\0', text.n) || inet_pton(AF_INET6, address, &unused) != 1)
		return false;
	copy = arena_text(a, text);
	for (size_t i = 0; i < text.n; i++)
		copy[i] = ascii_lower(copy[i]);
	*ret = span_make(copy, text.n);
	return true;
}

/* A name or an IPv4 address: labels of allowed bytes, no empty ones, one trailing dot taken off. */
static bool parse_host_name(struct span text, struct arena *a, struct span *ret)
{
	bool upper = false;
	char last = '.';
	char *copy;

	if (text.n == 0 || text.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!http_char_is(c, HTTP_CHAR_HOST) || (c == '.' && last == '.'))
			return false;
		upper = upper || ascii_lower(c) != c;
		last = c;
	}
	if (last == '.')
		text.n--;
	*ret = text;
	if (upper) {
		copy = arena_text(a, text);
		for (size_t i = 0; i < text.n; i++)
			copy[i] = ascii_lower(copy[i]);
		ret->p = copy;
	}
	return true;
}

/* uri-host [ ":" port ]; an empty port is none. */
static bool parse_authority(struct span text, struct arena *a, struct span *ret_host, uint16_t *ret_port)
{
	size_t host_n = text.n;
	uint64_t port = 0;
	const char *colon;

	if (text.n && text.p[0] == '[') {
		const char *close = memchr(text.p, ']', text.n);

		if (!close)
			return false;
		host_n = (size_t)(close - text.p) + 1;
	} else if ((colon = memchr(text.p, ':', text.n))) {
		host_n = (size_t)(colon - text.p);
	}
	if (host_n < text.n) {
		struct span digits = span_from(text, host_n + 1);

		if (text.p[host_n] != ':' ||
			(digits.n && (span_to_u64(digits, &port) < 0 || port == 0 || port > UINT16_MAX)))
			return false;
	}
	*ret_port = (uint16_t)port;
	text.n = host_n;
	return text.n && text.p[0] == '[' ? parse_host_ipv6(text, a, ret_host) : parse_host_name(text, a, ret_host);
}

/* "HTTP/1.x": 0 or -400, -505. */
static int parse_version(struct h1_cursor *c, struct http_req *req, struct h1_terms *terms)
{
	struct span text = span_make(c->p, (size_t)(c->end - c->p));

	if (!span_starts(text, SPAN("HTTP/")) || text.n < 8 || !ascii_digit(text.p[5]) || text.p[6] != '.' ||
		!ascii_digit(text.p[7]))
		return h1_refuse(c, -400, FAULT_HTTP_BAD_REQUEST_LINE, span_sub(text, 0, 8));
	if (text.p[5] != '1')
		return h1_refuse(c, -505, FAULT_HTTP_BAD_VERSION, span_sub(text, 0, 8));
	terms->version_minor = (uint8_t)(text.p[7] - '0');
	/* RFC 9110 2.5: a later minor version is spoken to as the one we know. */
	req->version = terms->version_minor ? SPAN("1.1") : SPAN("1.0");
	c->p += 8;
	return 0;
}

/* METHOD SP target SP version CRLF. The target is taken as it stands. */
static int parse_request_line(struct h1_cursor *c, struct http_req *req, struct h1_terms *terms)
{
	const char *start = c->p, *p = c->p, *target;
	int r;

	while (p < c->end && http_char_is(*p, HTTP_CHAR_TOKEN))
		p++;
	if (p == start || p == c->end || *p != ' ')
		return h1_refuse(c, -400, FAULT_HTTP_BAD_REQUEST_LINE, span_make(start, (size_t)(p - start)));
	req->method_text = span_make(start, (size_t)(p - start));
	req->method = method_of(req->method_text);
	target = ++p;
	while (p < c->end && http_char_is(*p, HTTP_CHAR_TARGET))
		p++;
	req->target = span_make(target, (size_t)(p - target));
	if (p == target || p == c->end || *p != ' ')
		return h1_refuse(c, -400, FAULT_HTTP_BAD_TARGET,
			span_make(target, (size_t)(p - target) + (p < c->end)));
	c->p = p + 1;
	r = parse_version(c, req, terms);
	if (r < 0)
		return r;
	if (c->p == c->end || (*c->p != '\r' && *c->p != '\n'))
		return h1_refuse(c, -400, FAULT_HTTP_BAD_REQUEST_LINE, span_make(start, (size_t)(c->p - start)));
	return h1_parse_line_end(c);
}

/* scheme "://" authority path-abempty [ "?" query ]; *ret_authority, and req->target reduced. */
static int parse_absolute_form(struct h1_cursor *c, struct http_req *req, struct arena *a, struct span *ret_authority)
{
	struct span text = req->target;
	bool tls = span_starts_nocase(text, SPAN("https://"));
	size_t at = tls ? 8 : 7, end = at;

	if (!tls && !span_starts_nocase(text, SPAN("http://")))
		return h1_refuse(c, -400, FAULT_HTTP_BAD_TARGET, text);
	/* RFC 9110 7.4: a resource of one scheme is not served over the other. */
	if (tls != req->tls)
		return h1_refuse(c, -421, FAULT_HTTP_WRONG_SCHEME, text);
	while (end < text.n && text.p[end] != '/' && text.p[end] != '?')
		end++;
	*ret_authority = span_sub(text, at, end - at);
	req->target = span_from(text, end);
	if (req->target.n == 0)
		req->target = req->method == HTTP_OPTIONS ? SPAN("*") : SPAN("/");
	else if (req->target.p[0] == '?')
		req->target = arena_spanf(a, "/%.*s", SPAN_ARG(req->target));
	return 0;
}

static int parse_target(struct h1_cursor *c, struct http_req *req, struct arena *a, struct span *ret_authority)
{
	const char *mark;
	int r;

	*ret_authority = (struct span){ 0 };
	if (req->method == HTTP_CONNECT)
		return h1_refuse(c, -501, FAULT_HTTP_CONNECT, req->target);
	if (span_eq(req->target, SPAN("*"))) {
		if (req->method != HTTP_OPTIONS)
			return h1_refuse(c, -400, FAULT_HTTP_BAD_TARGET, req->target);
	} else if (req->target.p[0] != '/') {
		r = parse_absolute_form(c, req, a, ret_authority);
		if (r < 0)
			return r;
	}
	req->path = req->target;
	mark = memchr(req->target.p, '?', req->target.n);
	if (mark) {
		req->path.n = (size_t)(mark - req->target.p);
		req->query = span_from(req->target, req->path.n + 1);
	}
	return 0;
}

static int pick_host(struct h1_cursor *c, const struct h1_facts *facts, struct span authority, struct arena *a,
	struct http_req *req, const struct h1_terms *terms)
{
	if (facts->hosts > 1 || (facts->hosts == 0 && terms->version_minor > 0))
		return h1_refuse_repeated(c, -400, FAULT_HTTP_NO_HOST, &facts->host_values);
	if (facts->hosts && !parse_authority(facts->host, a, &req->host, &req->port))
		return h1_refuse(c, -400, FAULT_HTTP_BAD_HOST, facts->host);
	if (authority.p && !parse_authority(authority, a, &req->host, &req->port))
		return h1_refuse(c, -400, FAULT_HTTP_BAD_HOST, authority);
	return 0;
}

static int apply_facts(struct h1_cursor *c, const struct h1_facts *facts, struct http_req *req, struct h1_terms *terms)
{
	bool v11 = terms->version_minor > 0;
	uint64_t length = 0;
	int r;

	r = h1_parse_framing(c, facts, terms->version_minor, &terms->chunked, &length);
	if (r < 0)
		return r;
	req->has_body = terms->chunked || length > 0;
	req->content_length = terms->chunked ? -1 : (int64_t)length;
	if (v11 && facts->expect_other)
		return h1_refuse(c, -417, FAULT_HTTP_BAD_EXPECT, http_fields_value(&req->fields, HTTP_EXPECT));
	terms->expect_continue = v11 && facts->expect_continue && req->has_body;
	terms->keep_alive = !facts->close && (v11 || facts->keep_alive);
	req->upgrade = v11 && facts->upgrade_option && facts->upgrade_field && !req->has_body;
	return 0;
}

int h1_parse_request(struct span head, bool tls, struct arena *a, struct http_req *ret, struct h1_terms *ret_terms,
	struct fault *fault)
{
	struct h1_cursor c = { .p = head.p, .end = head.p + head.n, .line = 1, .fault = fault };
	struct h1_facts facts = { 0 };
	struct span authority;
	int r;

	*ret = (struct http_req){ .tls = tls };
	*ret_terms = (struct h1_terms){ 0 };
	/* RFC 9112 2.2: one empty line before a request is an old client's mistake. */
	if (span_starts(head, SPAN("\r\n")))
		c.p += 2;
	r = parse_request_line(&c, ret, ret_terms);
	if (r < 0)
		return r;
	r = parse_target(&c, ret, a, &authority);
	if (r < 0)
		return r;
	r = h1_parse_fields(&c, a, HTTP_FIELDS_MAX, &ret->fields, &facts);
	if (r < 0)
		return r;
	/* From here on nobody sees what the next hop will not get, least of all the cache
	 * (Vary). */
	if (facts.names_fields)
		http_fields_strip_named(&ret->fields);
	r = pick_host(&c, &facts, authority, a, ret, ret_terms);
	if (r < 0)
		return r;
	return apply_facts(&c, &facts, ret, ret_terms);
}
