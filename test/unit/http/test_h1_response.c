/* Response heads: framing by status, method and fields; what an origin must not send. */
#include "../unit.h"
#include "base/mem.h"
#include "http/h1_priv.h"

#define OK200 "HTTP/1.1 200 OK\r\n"
#define E     "\r\n"

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

static void test_framing(void **state)
{
	static const struct {
		struct span head;
		enum http_method method;
		enum http_body_kind body;
		bool keep_alive;
	} rows[] = {
		{ SPAN(OK200 "Content-Length: 5\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, true },
		{ SPAN(OK200 "Content-Length: 0\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, true },
		{ SPAN(OK200 "Transfer-Encoding: chunked\r\n" E), HTTP_GET, HTTP_BODY_CHUNKED, true },
		{ SPAN(OK200 E), HTTP_GET, HTTP_BODY_UNTIL_CLOSE, false },
		{ SPAN(OK200 "Connection: keep-alive\r\n" E), HTTP_GET, HTTP_BODY_UNTIL_CLOSE, false },
		{ SPAN(OK200 "Content-Length: 5\r\n" E), HTTP_HEAD, HTTP_BODY_NONE, true },
		{ SPAN(OK200 "Transfer-Encoding: chunked\r\n" E), HTTP_HEAD, HTTP_BODY_NONE, true },
		{ SPAN(OK200 E), HTTP_HEAD, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 204 No Content\r\n" E), HTTP_GET, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 204 x\r\nContent-Length: 0\r\n" E), HTTP_GET, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 304 x\r\nContent-Length: 99\r\n" E), HTTP_GET, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 100 Continue\r\n" E), HTTP_POST, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 103 Early Hints\r\nLink: x\r\n" E), HTTP_GET, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" E), HTTP_GET, HTTP_BODY_NONE, true },
		{ SPAN("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, false },
		{ SPAN("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n" E), HTTP_GET,
			HTTP_BODY_LENGTH, true },
		{ SPAN(OK200 "Content-Length: 5\r\nConnection: close\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, false },
		{ SPAN("HTTP/1.1 200\r\nContent-Length: 5\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, true },
		{ SPAN("HTTP/1.1 200 \r\nContent-Length: 5\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, true },
		{ SPAN("HTTP/1.1 999 Sch\xf6n\r\nContent-Length: 5\r\n" E), HTTP_GET, HTTP_BODY_LENGTH, true },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct http_resp resp;
		struct fault fault;

		fault_clear(&fault);
		if (h1_parse_response(rows[i].head, rows[i].method, HTTP_FIELDS_MAX, &arena, &resp, &fault) < 0)
			fail_msg("row %zu: %s", i, fault_code_text(fault.code));
		if (resp.body != rows[i].body || resp.keep_alive != rows[i].keep_alive)
			fail_msg("row %zu: body %d, keep-alive %d", i, resp.body, resp.keep_alive);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct span head;
		enum fault_code code;
	} rows[] = {
		{ SPAN(OK200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" E), FAULT_HTTP_LENGTH_AND_CODING },
		{ SPAN(OK200 "Content-Length: 5\r\nContent-Length: 5\r\n" E), FAULT_HTTP_BAD_LENGTH },
		{ SPAN(OK200 "Content-Length: 5, 5\r\n" E), FAULT_HTTP_BAD_LENGTH },
		{ SPAN(OK200 "Content-Length: five\r\n" E), FAULT_HTTP_BAD_LENGTH },
		{ SPAN(OK200 "Transfer-Encoding: gzip, chunked\r\n" E), FAULT_HTTP_UNKNOWN_CODING },
		{ SPAN(OK200 "Transfer-Encoding: gzip\r\n" E), FAULT_HTTP_BAD_CODING },
		{ SPAN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" E), FAULT_HTTP_BAD_CODING },
		{ SPAN("HTTP/1.1 200 OK\nContent-Length: 5\r\n" E), FAULT_HTTP_BAD_LINE_END },
		{ SPAN(OK200 "X: a\n" E), FAULT_HTTP_BAD_LINE_END },
		{ SPAN(OK200 "X: a\rb\r\n" E), FAULT_HTTP_BAD_LINE_END },
		{ SPAN(OK200 "X: a\0b\r\n" E), FAULT_HTTP_CONTROL_BYTE },
		{ SPAN("HTTP/1.1 200 O\x01K\r\n" E), FAULT_HTTP_CONTROL_BYTE },
		{ SPAN(OK200 "X : a\r\n" E), FAULT_HTTP_BAD_FIELD },
		{ SPAN(OK200 "X: a\r\n b\r\n" E), FAULT_HTTP_FOLDED_LINE },
		{ SPAN("\r\n" OK200 E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/2.0 200 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/1.1 20 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/1.1 2000 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/1.1 099 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/1.1  200 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("ICY 200 OK\r\n" E), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("<html>no head at all</html>\r\n\r\n"), FAULT_HTTP_BAD_STATUS_LINE },
		{ SPAN("HTTP/1.1 200 OK"), FAULT_HTTP_BAD_LINE_END },
		{ SPAN(OK200), FAULT_HTTP_BAD_LINE_END },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct http_resp resp;
		struct fault fault;

		fault_clear(&fault);
		assert_int_equal(h1_parse_response(rows[i].head, HTTP_GET, HTTP_FIELDS_MAX, &arena, &resp, &fault),
			-EPROTO);
		if (fault.code != rows[i].code)
			fail_msg("row %zu: %s", i, fault_code_text(fault.code));
	}
}

static void test_parts(void **state)
{
	struct http_resp resp;

	assert_int_equal(h1_parse_response(SPAN("HTTP/1.1 404 Not  here\r\nContent-Length: 12\r\n"
						"ETag: \"x\"\r\n\r\n"),
				 HTTP_HEAD, HTTP_FIELDS_MAX, &arena, &resp, NULL),
		0);
	assert_int_equal(resp.status, 404);
	assert_span(resp.reason, "Not  here");
	assert_true(resp.has_length);
	assert_int_equal(resp.content_length, 12);
	assert_span(http_fields_value(&resp.fields, HTTP_ETAG), "\"x\"");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_framing), TEST(test_refused), TEST(test_parts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
