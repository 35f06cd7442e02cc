/* The chunked coding, in one piece and byte by byte; trailers. */
#include "../unit.h"
#include "base/mem.h"
#include "http/h1_priv.h"

/* Decodes bytes offered in steps of at most step more at a time. The body (and "|" with the raw
 * trailers) into out; 1 at its end, 0 if more is needed, -EPROTO. */
static int decode(struct span bytes, size_t step, char out[256], size_t *ret_used)
{
	struct h1_chunked c = { 0 };
	size_t at = 0, have = 0;

	out[0] = '\0';
	while (have < bytes.n) {
		size_t used = 1;

		have = have + step < bytes.n ? have + step : bytes.n;
		while (used) {
			struct span data;
			int r = h1_chunked_step(&c, span_sub(bytes, at, have - at), &used, &data);

			if (r < 0)
				return r;
			at += used;
			snprintf(out + strlen(out), 256 - strlen(out), "%s%.*s", r ? "|" : "", SPAN_ARG(data));
			*ret_used = at;
			if (r)
				return r;
		}
	}
	return 0;
}

static void test_accepted(void **state)
{
	static const struct {
		struct span bytes;
		const char *want;
		size_t left; /* bytes that belong to the next message */
	} rows[] = {
		{ SPAN("0\r\n\r\n"), "|\r\n", 0 },
		{ SPAN("3\r\nabc\r\n0\r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET"), "abcde|\r\n", 3 },
		{ SPAN("000000000000000A\r\n0123456789\r\n00\r\n\r\n"), "0123456789|\r\n", 0 },
		{ SPAN("00000000000000003\r\nabc\r\n0\r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("3 \t\r\nabc\r\n0 \r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("3;a=b\r\nabc\r\n0;last\r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("3;a\r\nabc\r\n0\r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("3 ; a = b ;c = \"d;\\\"e\xff\" ; f\r\nabc\r\n0\r\n\r\n"), "abc|\r\n", 0 },
		{ SPAN("9\r\n0\r\n\r\n0\r\n\r\r\n0\r\n\r\n"), "0\r\n\r\n0\r\n\r|\r\n", 0 },
		{ SPAN("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nX"), "x|A: b\r\nC: d\r\n\r\n", 1 },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		for (size_t step = 1; step <= rows[i].bytes.n; step++) {
			char out[256];
			size_t used = 0;

			if (decode(rows[i].bytes, step, out, &used) != 1)
				fail_msg("row %zu in steps of %zu", i, step);
			assert_string_equal(out, rows[i].want);
			assert_int_equal(used, rows[i].bytes.n - rows[i].left);
		}
	}
}

static void test_refused(void **state)
{
	static const struct span rows[] = { SPAN("\r\n"), SPAN("g\r\n"), SPAN("0x3\r\nabc\r\n"), SPAN("3\nabc\r\n"),
		SPAN("3\r\r\nabc"), SPAN("3 4\r\nabc\r\n"), SPAN(" 3\r\nabc\r\n"), SPAN("3;a=b\nabc\r\n"),
		SPAN("3;\r\nabc\r\n"), SPAN("3;=b\r\nabc\r\n"), SPAN("3;a=\r\nabc\r\n"), SPAN("3;a b\r\nabc\r\n"),
		SPAN("3;a=\"b\r\nabc\r\n"), SPAN("3;a=\"b\\\r\n\"\r\nabc\r\n"), SPAN("3;a=\"b\"c\r\nabc\r\n"),
		SPAN("3;a\rb\r\nabc\r\n"), SPAN("3;a=b\0\r\nabc\r\n"), SPAN("3\r;a\r\nabc\r\n"), SPAN(";a\r\nabc\r\n"),
		SPAN("+3\r\nabc\r\n"), SPAN("-3\r\nabc\r\n"), SPAN("3\r\nabcd\r\n"), SPAN("3\r\nabc\n0\r\n\r\n"),
		SPAN("3\r\nabc\r0\r\n\r\n"), SPAN("3\r\nabc0\r\n\r\n"), SPAN("10000000000000000\r\n"),
		SPAN("000000000000000000000000000000003\r\n"), SPAN("8000000000000000\r\n"),
		SPAN("FFFFFFFFFFFFFFFF\r\n"), SPAN("0\r\n\n"), SPAN("0\r\nA: b\n\r\n"), SPAN("0\n\r\n"),
		SPAN("3\r\nabc\r\n\r\n") };

	for (size_t i = 0; i < array_len(rows); i++) {
		for (size_t step = 1; step <= rows[i].n; step++) {
			char out[256];
			size_t used;

			if (decode(rows[i], step, out, &used) != -EPROTO)
				fail_msg("row %zu in steps of %zu", i, step);
		}
	}
}

/* What extensions may cost: a line, and all lines of a body whose chunks are small. */
static void test_extensions_are_bounded(void **state)
{
	static char line[2048], out[256], body[65536];
	size_t used, n = 0;

	memcpy(line, "3;", 2);
	memset(line + 2, 'a', 1020);
	memcpy(line + 1022, "\r\nabc\r\n0\r\n\r\n", 12);
	assert_int_equal(decode(span_make(line, 1034), 1, out, &used), 1);
	memset(line + 2, 'a', 1030);
	memcpy(line + 1032, "\r\nabc\r\n0\r\n\r\n", 12);
	assert_int_equal(decode(span_make(line, 1044), 1, out, &used), -EPROTO);
	for (unsigned i = 0; i < 60; i++) {
		memcpy(body + n, "1;", 2);
		n += 2;
		memset(body + n, 'a', 500);
		n += 500;
		memcpy(body + n, "\r\nx\r\n", 5);
		n += 5;
	}
	assert_int_equal(decode(span_make(body, n), 4096, out, &used), -EPROTO);
	assert_int_equal(decode(span_make(body, n / 2), 4096, out, &used), 0);
}

static void test_nothing_follows_the_end(void **state)
{
	struct h1_chunked c = { .state = H1_CHUNK_DONE };
	struct span data;
	size_t used;

	assert_int_equal(h1_chunked_step(&c, SPAN("0\r\n"), &used, &data), -EPROTO);
}

static void test_trailers_are_bounded(void **state)
{
	static char bytes[HTTP_TRAILERS_MAX + 3];
	struct h1_chunked c = { 0 };
	struct span data;
	size_t used;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "0\r\n", 3);
	assert_int_equal(h1_chunked_step(&c, span_make(bytes, sizeof(bytes) - 1), &used, &data), 0);
	assert_int_equal(used, 3);
	assert_int_equal(h1_chunked_step(&c, span_make(bytes + 3, HTTP_TRAILERS_MAX), &used, &data), -EPROTO);
}

static void test_trailer_fields(void **state)
{
	struct http_fields f;
	struct arena arena;

	arena_init(&arena, 1024);
	assert_int_equal(h1_parse_trailers(SPAN("\r\n"), &arena, &f), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(h1_parse_trailers(SPAN("X-Sum: 1\r\nHost: evil\r\nContent-Length: 5\r\n"
						"Transfer-Encoding: chunked\r\nX-Forwarded-For: 1\r\n"
						"Set-Cookie: a\r\nConnection: x\r\nETag: \"y\"\r\n\r\n"),
				 &arena, &f),
		0);
	assert_int_equal(f.n, 2);
	assert_span(f.v[0].name, "X-Sum");
	assert_span(f.v[1].value, "\"y\"");
	assert_int_equal(h1_parse_trailers(SPAN("X : 1\r\n\r\n"), &arena, &f), -EPROTO);
	assert_int_equal(f.n, 0);
	assert_int_equal(h1_parse_trailers(SPAN("X: \0\r\n\r\n"), &arena, &f), -EPROTO);
	assert_int_equal(h1_parse_trailers(SPAN(" X: 1\r\n\r\n"), &arena, &f), -EPROTO);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_extensions_are_bounded),
		cmocka_unit_test(test_nothing_follows_the_end),
		cmocka_unit_test(test_trailers_are_bounded),
		cmocka_unit_test(test_trailer_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
