/* Lists, entity tags, Cache-Control, ranges. */
#include "../unit.h"
#include "base/mem.h"
#include "http/http.h"

/* The list's elements joined by "|". */
static void assert_elements(const char *list, const char *want)
{
	struct span rest = span_of(list), element;
	char got[256] = "";

	while (http_list_next(&rest, &element))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s", got[0] ? "|" : "", SPAN_ARG(element));
	assert_string_equal(got, want);
}

static void test_list(void **state)
{
	assert_elements("", "");
	assert_elements("a", "a");
	assert_elements(" , ,a ,\t, b,", "a|b");
	assert_elements("a=\"x,y\", b", "a=\"x,y\"|b");
	assert_elements("a=\"x\\\",y\", b", "a=\"x\\\",y\"|b");
	assert_elements("a=\"x, b", "a=\"x, b");
	assert_elements("\"\\", "\"\\");
	assert_true(http_list_has(SPAN("gzip, Chunked"), SPAN("chunked")));
	assert_false(http_list_has(SPAN("xchunked"), SPAN("chunked")));
	assert_true(http_is_token(SPAN("a!#$%&'*+-.^_`|~9Z")));
	assert_false(http_is_token(SPAN("")) || http_is_token(SPAN("a b")) || http_is_token(SPAN("a:")) ||
		http_is_token(SPAN("\xc3\xa4")));
}

static void test_entity_tags(void **state)
{
	static const struct {
		const char *list, *tag;
		bool weak, strong;
	} rows[] = {
		{ "\"a\"", "\"a\"", true, true },
		{ "\"a\"", "\"b\"", false, false },
		{ "\"a\" , W/\"b\",\"c\"", "\"c\"", true, true },
		{ "\"a\", W/\"b\"", "\"b\"", true, false },
		{ "\"b\"", "W/\"b\"", true, false },
		{ "W/\"b\"", "W/\"b\"", true, false },
		{ "w/\"b\"", "\"b\"", false, false },
		{ "*", "\"x\"", true, true },
		{ " * ", "", true, true },
		{ "\"*\"", "\"x\"", false, false },
		{ "", "\"x\"", false, false },
		{ "\"a,b\"", "\"a,b\"", true, true },
		{ "\"a\\\",\"b\"", "\"b\"", true, true }, /* a backslash escapes nothing */
		{ "\"a", "\"a\"", false, false },
		{ "abc, def", "def", true, true }, /* unquoted by sloppy origins */
		{ "\"def\"", "def", false, false },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct span list = span_of(rows[i].list), tag = span_of(rows[i].tag);

		if (http_etag_in(list, tag, true) != rows[i].weak || http_etag_in(list, tag, false) != rows[i].strong)
			fail_msg("row %zu: %s in %s", i, rows[i].tag, rows[i].list);
	}
}

static struct http_cache_control parsed(const char *text)
{
	struct http_cache_control cc;

	http_cache_control_parse(span_of(text), &cc);
	return cc;
}

static void test_cache_control_flags(void **state)
{
	struct http_cache_control cc = parsed("");

	assert_false(cc.present);
	assert_int_equal(cc.max_age, HTTP_SECONDS_NONE);
	cc = parsed("No-Store, PUBLIC,must-revalidate , proxy-revalidate, must-understand, "
		    "no-transform, only-if-cached, immutable, unknown=1, max-stale");
	assert_true(cc.present && cc.no_store && cc.is_public && cc.must_revalidate);
	assert_true(cc.proxy_revalidate && cc.must_understand && cc.no_transform);
	assert_true(cc.only_if_cached && cc.immutable && cc.max_stale_any);
	assert_false(cc.no_cache || cc.is_private);
	assert_true(parsed("unknown").present);
}

static void test_cache_control_seconds(void **state)
{
	static const struct {
		const char *text;
		int32_t max_age;
	} rows[] = {
		{ "max-age=60", 60 },
		{ "MAX-AGE=060", 60 },
		{ "max-age=\"60\"", 60 },
		{ "max-age=99999999999999999999", INT32_MAX },
		{ "max-age=2147483648", INT32_MAX },
		{ "max-age", 0 },
		{ "max-age=", 0 },
		{ "max-age=-1", 0 },
		{ "max-age=1.5", 0 },
		{ "max-age=a60", 0 },
		{ "max-age=60a", 0 },
		{ "max-age =60", 0 },
		{ "max-age= 60", 0 },
		{ "max-age=60, max-age=30", 30 },
		{ "max-age=30, max-age=60", 30 },
		{ "max-age=60, max-age=x", 0 },
		{ "x-max-age=60", HTTP_SECONDS_NONE },
		{ "x=\"max-age=60\"", HTTP_SECONDS_NONE },
		{ "x=\"a, max-age=60\"", HTTP_SECONDS_NONE },
	};
	struct http_cache_control cc;

	for (size_t i = 0; i < array_len(rows); i++)
		if (parsed(rows[i].text).max_age != rows[i].max_age)
			fail_msg("%s: %d", rows[i].text, parsed(rows[i].text).max_age);
	cc = parsed("s-maxage=1,stale-while-revalidate=2,stale-if-error=3,max-stale=4,min-fresh=5");
	assert_int_equal(cc.s_maxage, 1);
	assert_int_equal(cc.stale_while_revalidate, 2);
	assert_int_equal(cc.stale_if_error, 3);
	assert_int_equal(cc.max_stale, 4);
	assert_int_equal(cc.min_fresh, 5);
	assert_false(parsed("max-stale, max-stale=4").max_stale_any);
	assert_int_equal(parsed("min-fresh=5, min-fresh=9").min_fresh, 9);
	assert_int_equal(parsed("min-fresh=x").min_fresh, INT32_MAX);
}

static void test_cache_control_field_names(void **state)
{
	struct http_cache_control cc = parsed("no-cache=\"Set-Cookie, X-A\", private=x-b");

	assert_true(cc.no_cache && cc.is_private);
	assert_span(cc.no_cache_fields, "Set-Cookie, X-A");
	assert_span(cc.private_fields, "x-b");
	/* Unclear or contradictory: the whole response. */
	assert_null(parsed("no-cache").no_cache_fields.p);
	assert_null(parsed("no-cache=\"a\", no-cache").no_cache_fields.p);
	assert_null(parsed("no-cache, no-cache=\"a\"").no_cache_fields.p);
	assert_null(parsed("no-cache=\"a\", no-cache=\"b\"").no_cache_fields.p);
	assert_null(parsed("private=\"\"").private_fields.p);
	assert_null(parsed("private=\"a\\b\"").private_fields.p);
	assert_true(parsed("private=\"a\\b\"").is_private);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *text;
		uint64_t length;
		int n;
		uint64_t first, last;
	} rows[] = {
		{ "bytes=0-499", 1000, 1, 0, 499 },
		{ "Bytes=0-499", 1000, 1, 0, 499 },
		{ "bytes=500-", 1000, 1, 500, 999 },
		{ "bytes=-500", 1000, 1, 500, 999 },
		{ "bytes=-5000", 1000, 1, 0, 999 },
		{ "bytes=0-5000", 1000, 1, 0, 999 },
		{ "bytes=0-99999999999999999999999", 1000, 1, 0, 999 },
		{ "bytes=99999999999999999999999-", 1000, -ERANGE, 0, 0 },
		{ "bytes=1000-", 1000, -ERANGE, 0, 0 },
		{ "bytes=-0", 1000, -ERANGE, 0, 0 },
		{ "bytes=0-", 0, -ERANGE, 0, 0 },
		{ "bytes=-5", 0, -ERANGE, 0, 0 },
		{ "bytes=1000-, 0-0", 1000, 1, 0, 0 },
		{ "bytes=0-0,-1", 1000, 2, 0, 0 },
		{ "bytes=500-600,0-10", 1000, 2, 500, 600 },
		{ "bytes=0-10,5-20", 1000, 1, 0, 20 },
		{ "bytes=0-10,11-20", 1000, 1, 0, 20 },
		{ "bytes=0-10,20-30,5-25", 1000, 1, 0, 30 },
		{ "bytes=50-60,0-10,,55-70", 1000, 2, 50, 70 },
		{ "bytes=0-,0-,0-", 1000, 1, 0, 999 },
		{ "", 1000, 0, 0, 0 },
		{ "bytes=", 1000, 0, 0, 0 },
		{ "bytes=-", 1000, 0, 0, 0 },
		{ "bytes=a-5", 1000, 0, 0, 0 },
		{ "bytes=5-a", 1000, 0, 0, 0 },
		{ "bytes=5", 1000, 0, 0, 0 },
		{ "bytes=9-5", 1000, 0, 0, 0 },
		{ "bytes=0-5, x", 1000, 0, 0, 0 },
		{ "bytes =0-5", 1000, 0, 0, 0 },
		{ "lines=0-5", 1000, 0, 0, 0 },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,"
		  "26-26,28-28,30-30",
			1000, 16, 0, 0 },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,"
		  "26-26,28-28,30-30,32-32",
			1000, 0, 0, 0 },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct http_range ranges[HTTP_RANGES_MAX];
		int n = http_range_parse(span_of(rows[i].text), rows[i].length, ranges);

		if (n != rows[i].n)
			fail_msg("%s: %d", rows[i].text, n);
		if (n > 0 && (ranges[0].first != rows[i].first || ranges[0].last != rows[i].last))
			fail_msg("%s: %llu-%llu", rows[i].text, (unsigned long long)ranges[0].first,
				(unsigned long long)ranges[0].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_entity_tags),
		cmocka_unit_test(test_cache_control_flags),
		cmocka_unit_test(test_cache_control_seconds),
		cmocka_unit_test(test_cache_control_field_names),
		cmocka_unit_test(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
