/* Request heads: every rule of framing that refuses, and odd ones that must pass. */
#include "../unit.h"
#include "base/mem.h"
#include "http/h1_priv.h"

#define H    "Host: a\r\n"
#define E    "\r\n"
#define GET  "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" H

static struct arena arena;

static int setup(void **state)
{
	arena_init(&arena, 4096);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

static struct h1_terms terms; /* of the last request that was parsed */

/* What a connection does with these bytes: 0 and the request, or the status. */
static int parse(struct span bytes, struct http_req *req, struct fault *fault)
{
	size_t scanned = 0;
	int n = h1_head_length(bytes, &scanned);

	fault_clear(fault);
	if (n <= 0)
		return n ? n : 1;
	return h1_parse_request(span_sub(bytes, 0, (size_t)n), false, &arena, req, &terms, fault);
}

struct refusal {
	struct span bytes;
	int status;
	enum fault_code code; /* FAULT_NONE: seen before the head was whole */
};
#define ROW(lit, status, code) \
	{ \
		SPAN(lit), status, FAULT_##code \
	}

static void check_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fault fault;
		struct http_req req;
		int r = parse(rows[i].bytes, &req, &fault);

		if (r != -rows[i].status || fault.code != rows[i].code)
			fail_msg("row %zu: %d %s for\n%.*s", i, r, fault_code_text(fault.code),
				SPAN_ARG(rows[i].bytes));
	}
}

static void test_refused_framing(void **state)
{
	static const struct refusal rows[] = {
		/* Content-Length and Transfer-Encoding together, in both orders. */
		ROW(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" E, 400, HTTP_LENGTH_AND_CODING),
		ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" E, 400, HTTP_LENGTH_AND_CODING),
		ROW(POST "transfer-encoding: x\r\ncontent-length: 0\r\n" E, 400, HTTP_LENGTH_AND_CODING),
		/* Content-Length: once, digits only, representable. */
		ROW(POST "Content-Length: 3\r\nContent-Length: 4\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 3\r\nContent-Length: 3\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 3, 3\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length:\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: +3\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: -3\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 0x3\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 3 4\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: \"3\"\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 9223372036854775808\r\n" E, 400, HTTP_BAD_LENGTH),
		ROW(POST "Content-Length: 18446744073709551617\r\n" E, 400, HTTP_BAD_LENGTH),
		/* Only a single, final chunked; never in HTTP/1.0. */
		ROW(POST "Transfer-Encoding:\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: gzip\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: identity\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked, identity\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: identity, chunked\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked, gzip\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked, chunked\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked;q=1\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: \"chunked\"\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: xchunked\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: , chunked\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked,\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: chunked x\r\n" E, 400, HTTP_BAD_CODING),
		ROW(POST "Transfer-Encoding: \x0b"
			 "chunked\r\n" E,
			400, HTTP_CONTROL_BYTE),
		ROW(POST "Transfer-Encoding: gzip, chunked\r\n" E, 501, HTTP_UNKNOWN_CODING),
		ROW(POST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n" E, 501, HTTP_UNKNOWN_CODING),
		ROW("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n" E, 400, HTTP_BAD_CODING),
	};

	check_refusals(rows, array_len(rows));
}

static void test_refused_lines(void **state)
{
	static const struct refusal rows[] = {
		/* Bare LF and bare CR anywhere. */
		ROW("GET / HTTP/1.1\n" H E, 400, NONE),
		ROW(GET "Host: a\n" E, 400, NONE),
		ROW(GET H "\n", 400, NONE),
		ROW("\n" GET H E, 400, NONE),
		ROW(GET "X: a\rb\r\n" H E, 400, HTTP_BAD_LINE_END),
		ROW(GET "X: a\r\r\n" H E, 400, HTTP_BAD_LINE_END),
		ROW(GET H "\r\r\n" E, 400, HTTP_BAD_LINE_END),
		ROW("GET / HTTP/1.1\r" H E, 400, HTTP_BAD_LINE_END),
		ROW("GET /\r HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		/* obs-fold, also before the first field. */
		ROW(GET H "X: a\r\n b\r\n" E, 400, HTTP_FOLDED_LINE),
		ROW(GET H "X: a\r\n\tb\r\n" E, 400, HTTP_FOLDED_LINE),
		ROW(GET " Host: a\r\n" E, 400, HTTP_FOLDED_LINE),
		ROW(GET H " \r\n" E, 400, HTTP_FOLDED_LINE),
		/* NUL and control bytes. */
		ROW(GET H "X: a\0b\r\n" E, 400, HTTP_CONTROL_BYTE),
		ROW(GET H "X: \x01\r\n" E, 400, HTTP_CONTROL_BYTE),
		ROW(GET H "X: 12345678901234567\x7f\r\n" E, 400, HTTP_CONTROL_BYTE),
		ROW(GET H "X: a\x1b[0m\r\n" E, 400, HTTP_CONTROL_BYTE),
		ROW(GET H "X\0: a\r\n" E, 400, HTTP_BAD_FIELD),
		/* Names are tokens directly followed by a colon. */
		ROW(GET "Host : a\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET "Host\t: a\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET H ": a\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET H "X\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET H "X Y: a\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET H "X(Y): a\r\n" E, 400, HTTP_BAD_FIELD),
		ROW(GET H "\xc3\xa4: a\r\n" E, 400, HTTP_BAD_FIELD),
		/* The request line. */
		ROW("\r\n\r\n", 400, NONE),
		ROW("\r\n\r\n" GET H E, 400, NONE),
		ROW("GET /\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW(" GET / HTTP/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET  / HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET /  HTTP/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET\t/ HTTP/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET /\tHTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET / HTTP/1.1 \r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET / HTTP/1.10\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET / http/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET / HTTP/1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET / HTTP/1,1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET / ICE/1.0\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("G(T / HTTP/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("\x16\x03\x01\x02\r\n\r\n", 400, HTTP_BAD_REQUEST_LINE),
		ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, HTTP_BAD_VERSION),
		ROW("GET / HTTP/2.0\r\n" H E, 505, HTTP_BAD_VERSION),
		ROW("GET / HTTP/0.9\r\n" H E, 505, HTTP_BAD_VERSION),
	};

	check_refusals(rows, array_len(rows));
}

static void test_refused_targets(void **state)
{
	static const struct refusal rows[] = {
		ROW("GET /a b HTTP/1.1\r\n" H E, 400, HTTP_BAD_REQUEST_LINE),
		ROW("GET /a#b HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET /?q#b HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET /a\0 HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET /a\x7f HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET /a\x1f HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET index.html HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET ?q HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET * HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("OPTIONS ** HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET ftp://a/ HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET http:/a/ HTTP/1.1\r\n" H E, 400, HTTP_BAD_TARGET),
		ROW("GET http:///x HTTP/1.1\r\n" H E, 400, HTTP_BAD_HOST),
		ROW("GET http://user@a/ HTTP/1.1\r\n" H E, 400, HTTP_BAD_HOST),
		ROW("GET http://a:99999/ HTTP/1.1\r\n" H E, 400, HTTP_BAD_HOST),
		ROW("GET https://a/ HTTP/1.1\r\n" H E, 421, HTTP_WRONG_SCHEME),
		ROW("GET http://a/ HTTP/1.1\r\n" E, 400, HTTP_NO_HOST),
		ROW("CONNECT a:443 HTTP/1.1\r\n" H E, 501, HTTP_CONNECT),
	};

	check_refusals(rows, array_len(rows));
}

static void test_refused_hosts(void **state)
{
	static const struct refusal rows[] = {
		ROW(GET E, 400, HTTP_NO_HOST),
		ROW(GET H H E, 400, HTTP_NO_HOST),
		ROW(GET H "HOST: b\r\n" E, 400, HTTP_NO_HOST),
		ROW(GET "Host:\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: .\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a..b\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: .a\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a..\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a b\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a,b\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a/b\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: u@a\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a%41\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: m\xc3\xbcller.de\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a:b\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a:0\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a:65536\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: a:80:80\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: :80\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: ::1\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: [::1\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: [::1]80\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: []\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: [a]\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: [fe80::1%25eth0]\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET "Host: [1:2:3:4:5:6:7:8:9]\r\n" E, 400, HTTP_BAD_HOST),
		ROW(GET H "Expect: 200-ok\r\n" E, 417, HTTP_BAD_EXPECT),
		ROW(GET H "Expect: 100-continue, x\r\n" E, 417, HTTP_BAD_EXPECT),
	};

	check_refusals(rows, array_len(rows));
}

/* Every byte at every place of a value, whichever way the scanner gets there. */
static void test_every_byte_in_a_value(void **state)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		bool want = byte == '\t' || (byte >= 0x20 && byte != 0x7f);

		for (size_t at = 0; at < 24; at++) {
			char head[] = GET H "X: a23456789\t12345678901234z\r\n" E;
			struct fault fault;
			struct http_req req;
			int r;

			head[strlen(GET H "X: a") + at] = (char)byte;
			r = h1_parse_request(span_make(head, sizeof(head) - 1), false, &arena, &req, &terms, &fault);
			if ((r == 0) != want)
				fail_msg("byte 0x%02x at %zu: %d", byte, at, r);
			arena_reset(&arena);
		}
	}
}

struct acceptance {
	struct span head;
	const char *host, *path, *query;
	unsigned port;
};
#define OK(lit, host, port, path, query) \
	{ \
		SPAN(lit), host, path, query, port \
	}

/* Odd, but with one reading: a refusal here would be a page that does not load. */
static void test_accepted(void **state)
{
	static const struct acceptance rows[] = {
		OK(GET H E, "a", 0, "/", NULL),
		OK("\r\n" GET H E, "a", 0, "/", NULL),
		OK(GET "host:a\r\n" E, "a", 0, "/", NULL),
		OK(GET "HOST: \t a \t \r\n" E, "a", 0, "/", NULL),
		OK(GET "Host: EXAMPLE.de.:8080\r\n" E, "example.de", 8080, "/", NULL),
		OK(GET "Host: example.de:\r\n" E, "example.de", 0, "/", NULL),
		OK(GET "Host: _dmarc.x_y-z.de\r\n" E, "_dmarc.x_y-z.de", 0, "/", NULL),
		OK(GET "Host: 192.0.2.1:80\r\n" E, "192.0.2.1", 80, "/", NULL),
		OK(GET "Host: [2001:DB8::1]:8443\r\n" E, "[2001:db8::1]", 8443, "/", NULL),
		OK(GET "Host: [::ffff:192.0.2.1]\r\n" E, "[::ffff:192.0.2.1]", 0, "/", NULL),
		OK("GET / HTTP/1.0\r\n" H E, "a", 0, "/", NULL),
		OK("GET / HTTP/1.0\r\n" E, "", 0, "/", NULL),
		OK("GET / HTTP/1.2\r\n" H E, "a", 0, "/", NULL),
		OK("get / HTTP/1.1\r\n" H E, "a", 0, "/", NULL),
		OK("M-SEARCH / HTTP/1.1\r\n" H E, "a", 0, "/", NULL),
		OK("OPTIONS * HTTP/1.1\r\n" H E, "a", 0, "*", NULL),
		OK("OPTIONS http://a HTTP/1.1\r\n" H E, "a", 0, "*", NULL),
		OK("OPTIONS http://a?q HTTP/1.1\r\n" H E, "a", 0, "/", "q"),
		OK("GET http://b/x?y HTTP/1.1\r\n" H E, "b", 0, "/x", "y"),
		OK("GET HTTP://B:81 HTTP/1.1\r\n" H E, "b", 81, "/", NULL),
		OK("GET http://b?y HTTP/1.1\r\n" H E, "b", 0, "/", "y"),
		OK("GET http://b/ HTTP/1.0\r\n" E, "b", 0, "/", NULL),
		OK("GET //x//../y HTTP/1.1\r\n" H E, "a", 0, "//x//../y", NULL),
		OK("GET /?a=[1]{2}|^`\"<>\\ HTTP/1.1\r\n" H E, "a", 0, "/", "a=[1]{2}|^`\"<>\\"),
		OK("GET /m\xc3\xbcller?\xff HTTP/1.1\r\n" H E, "a", 0, "/m\xc3\xbcller", "\xff"),
		OK("GET /a?? HTTP/1.1\r\n" H E, "a", 0, "/a", "?"),
		OK("GET /a? HTTP/1.1\r\n" H E, "a", 0, "/a", ""),
		OK("GET /%00%zz HTTP/1.1\r\n" H E, "a", 0, "/%00%zz", NULL),
		OK(GET H "X:\r\nY: \r\nZ:\t\r\n" E, "a", 0, "/", NULL),
		OK(GET H "X: m\xfcller\tx y: \"z\"\r\n" E, "a", 0, "/", NULL),
		OK(GET H "X: a:b::\r\n!#$%&'*+.^_`|~: 1\r\n" E, "a", 0, "/", NULL),
		OK(GET H "Content-Length: 0\r\n" E, "a", 0, "/", NULL),
		OK(POST "Content-Length: 0003\r\n" E, "a", 0, "/", NULL),
		OK(POST "Transfer-Encoding:  CHUNKED \r\n" E, "a", 0, "/", NULL),
		OK(GET H "Connection: , close,, x\r\n" E, "a", 0, "/", NULL),
		OK(GET H "Expect: 100-CONTINUE\r\n" E, "a", 0, "/", NULL),
		OK("GET / HTTP/1.0\r\n" H "Expect: x\r\n" E, "a", 0, "/", NULL),
		OK(GET H "Cookie: a=1\r\nCookie: b=2\r\nRange: x\r\nRange: y\r\n" E, "a", 0, "/", NULL),
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct fault fault;
		struct http_req req;
		int r = parse(rows[i].head, &req, &fault);

		if (r != 0)
			fail_msg("row %zu: %d %s for\n%.*s", i, r, fault_code_text(fault.code), SPAN_ARG(rows[i].head));
		assert_span(req.host, rows[i].host);
		assert_int_equal(req.port, rows[i].port);
		assert_span(req.path, rows[i].path);
		assert_span(req.query, rows[i].query ? rows[i].query : "");
		assert_int_equal(req.query.p != NULL, rows[i].query != NULL);
	}
}

static struct h1_terms terms_of(struct span head)
{
	struct fault fault;
	struct http_req req;

	assert_int_equal(parse(head, &req, &fault), 0);
	return terms;
}

static struct http_req parsed(struct span head)
{
	struct fault fault;
	struct http_req req;

	assert_int_equal(parse(head, &req, &fault), 0);
	return req;
}

static void test_bodies(void **state)
{
	struct http_req req = parsed(SPAN(GET H E));

	assert_false(req.has_body);
	req = parsed(SPAN(GET H "Content-Length: 5\r\n" E));
	assert_true(req.has_body && !terms.chunked);
	assert_int_equal(req.content_length, 5);
	req = parsed(SPAN(POST "Content-Length: 9223372036854775807\r\n" E));
	assert_true(req.content_length == INT64_MAX);
	req = parsed(SPAN(POST "Transfer-Encoding: chunked\r\n" E));
	assert_true(req.has_body && terms.chunked && req.content_length == -1);
	assert_false(parsed(SPAN(POST "Content-Length: 0\r\n" E)).has_body);
	assert_true(terms_of(SPAN(POST "Content-Length: 1\r\nExpect: 100-continue\r\n" E)).expect_continue);
	assert_false(terms_of(SPAN(POST "Expect: 100-continue\r\n" E)).expect_continue);
	assert_false(terms_of(SPAN("POST / HTTP/1.0\r\n" H "Content-Length: 1\r\nExpect: 100-continue\r\n" E))
			     .expect_continue);
}

static void test_connection_wishes(void **state)
{
	assert_true(terms_of(SPAN(GET H E)).keep_alive);
	assert_false(terms_of(SPAN(GET H "Connection: x, Close\r\n" E)).keep_alive);
	assert_false(terms_of(SPAN(GET H "Connection: close\r\nConnection: keep-alive\r\n" E)).keep_alive);
	assert_false(terms_of(SPAN("GET / HTTP/1.0\r\n" H E)).keep_alive);
	assert_true(terms_of(SPAN("GET / HTTP/1.0\r\n" H "Connection: Keep-Alive\r\n" E)).keep_alive);
	assert_true(parsed(SPAN(GET H "Connection: Upgrade\r\nUpgrade: websocket\r\n" E)).upgrade);
	assert_false(parsed(SPAN(GET H "Upgrade: websocket\r\n" E)).upgrade);
	assert_false(parsed(SPAN(GET H "Connection: upgrade\r\n" E)).upgrade);
	assert_false(parsed(SPAN(GET H "Content-Length: 1\r\nConnection: upgrade\r\n"
				       "Upgrade: h2c\r\n" E))
			     .upgrade);
}

static void test_fields_are_kept_in_order_without_host(void **state)
{
	struct http_req req = parsed(SPAN(GET "B: 1 \r\n" H "accept: x\r\nb:\t2\r\n" E));

	assert_int_equal(req.fields.n, 3);
	assert_span(req.fields.v[0].name, "B");
	assert_span(req.fields.v[0].value, "1");
	assert_int_equal(req.fields.v[1].id, HTTP_ACCEPT);
	assert_span(req.fields.v[2].value, "2");
}

/* A head of count fields, each with a value of size bytes, on a target of that length. */
static int parse_sized(unsigned count, size_t size, size_t target)
{
	struct buf b = BUF_INIT(1 << 20);
	struct http_req req;
	struct fault fault;
	int r;

	buf_add_text(&b, "GET ");
	for (size_t i = 0; i < target; i++)
		buf_add_char(&b, '/');
	buf_add_text(&b, " HTTP/1.1\r\n" H);
	for (unsigned i = 1; i < count; i++) {
		buf_add_text(&b, "X: ");
		for (size_t j = 0; j < size; j++)
			buf_add_char(&b, 'x');
		buf_add_text(&b, "\r\n");
	}
	buf_add_text(&b, "\r\n");
	r = parse(buf_span(&b), &req, &fault);
	buf_done(&b);
	return r;
}

static void test_limits(void **state)
{
	const size_t target_max = HTTP_REQUEST_LINE_MAX - strlen("GET  HTTP/1.1");
	const size_t rest = HTTP_HEAD_MAX - strlen(GET H "X: \r\n\r\n");

	assert_int_equal(parse_sized(HTTP_FIELDS_MAX, 1, 1), 0);
	assert_int_equal(parse_sized(HTTP_FIELDS_MAX + 1, 1, 1), -431);
	assert_int_equal(parse_sized(1, 0, target_max), 0);
	assert_int_equal(parse_sized(1, 0, target_max + 1), -414);
	assert_int_equal(parse_sized(1, 0, HTTP_HEAD_MAX), -414);
	assert_int_equal(parse_sized(2, rest, 1), 0);
	assert_int_equal(parse_sized(2, rest + 1, 1), -431);
}

static void test_limits_are_seen_before_the_end(void **state)
{
	static char bytes[HTTP_HEAD_MAX];
	size_t scanned = 0;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(h1_head_length(span_make(bytes, HTTP_REQUEST_LINE_MAX + 1), &scanned), 0);
	assert_int_equal(h1_head_length(span_make(bytes, HTTP_REQUEST_LINE_MAX + 2), &scanned), -414);
	memcpy(bytes, "GET / HTTP/1.1\r\n", 16);
	scanned = 0;
	assert_int_equal(h1_head_length(span_make(bytes, HTTP_HEAD_MAX - 1), &scanned), 0);
	assert_int_equal(h1_head_length(span_make(bytes, HTTP_HEAD_MAX), &scanned), -431);
}

static void test_connection_options_are_bounded(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	struct http_req req;
	struct fault fault;

	buf_add_text(&b, GET H "Connection: ");
	for (unsigned i = 0; i < 101; i++)
		buf_add_text(&b, "a,");
	buf_add_text(&b, "\r\n\r\n");
	assert_int_equal(parse(buf_span(&b), &req, &fault), -431);
	assert_int_equal(fault.code, FAULT_HTTP_HEAD_TOO_LARGE);
	buf_done(&b);
}

static void test_byte_by_byte(void **state)
{
	static const struct span heads[] = { SPAN(GET H E), SPAN("\r\n" GET H "X: y\r\n" E "GET"), SPAN("\r\n\r\n"),
		SPAN("\n"), SPAN(GET H "X: y\n" E) };

	for (size_t i = 0; i < array_len(heads); i++) {
		size_t whole = 0, scanned = 0;
		int want = h1_head_length(heads[i], &whole), got = 0;

		for (size_t n = 0; n <= heads[i].n && !got; n++)
			got = h1_head_length(span_sub(heads[i], 0, n), &scanned);
		assert_int_equal(got, want);
		assert_int_not_equal(got, 0);
	}
}

static void test_evidence(void **state)
{
	struct http_req req;
	struct fault fault;

	assert_int_equal(parse(SPAN(GET H "X: y\r\nZ\x1b : 1\r\n" E), &req, &fault), -400);
	assert_span(fault_value(&fault, "line"), "4");
	assert_span(fault_value(&fault, "what"), "Z\\x1b : 1");
	assert_int_equal(parse(SPAN(GET H "X: \x02\r\n" E), &req, &fault), -400);
	assert_span(fault_value(&fault, "what"), "0x02");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused_framing),
		TEST(test_refused_lines),
		TEST(test_refused_targets),
		TEST(test_refused_hosts),
		TEST(test_every_byte_in_a_value),
		TEST(test_accepted),
		TEST(test_bodies),
		TEST(test_connection_wishes),
		TEST(test_fields_are_kept_in_order_without_host),
		TEST(test_limits),
		TEST(test_limits_are_seen_before_the_end),
		TEST(test_connection_options_are_bounded),
		TEST(test_byte_by_byte),
		TEST(test_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
