/* Cache-Status (RFC 9211) and its one word for logs. */
#include "cache_unit.h"

static struct arena arena;

static int begin(void **state)
{
	arena_init(&arena, 2048);
	return 0;
}

static int end(void **state)
{
	arena_done(&arena);
	return 0;
}

static void expect(struct cache_status s, const char *earlier, const char *field, const char *word)
{
	struct http_fields fields;

	fields_of(earlier, &arena, &fields);
	cache_status_add(&s, &fields, &arena);
	assert_int_equal(http_fields_count(&fields, HTTP_CACHE_STATUS), 1);
	assert_span(http_fields_value(&fields, HTTP_CACHE_STATUS), field);
	assert_string_equal(cache_status_word(&s), word);
}

static void test_words(void **state)
{
	expect((struct cache_status){ .hit = true, .ttl_s = 9 }, "", "torhaus; hit; ttl=9", "hit");
	expect((struct cache_status){ .hit = true, .stale = true, .ttl_s = -4, .detail = "ORIGIN-REFUSED" }, "",
		"torhaus; hit; ttl=-4; detail=ORIGIN-REFUSED", "stale");
	expect((struct cache_status){ .fwd = "uri-miss", .fwd_status = 200, .stored = true }, "",
		"torhaus; fwd=uri-miss; fwd-status=200; stored", "miss");
	expect((struct cache_status){ .fwd = "stale", .fwd_status = 304, .stored = true }, "",
		"torhaus; fwd=stale; fwd-status=304; stored", "revalidated");
	expect((struct cache_status){ .fwd = "uri-miss", .collapsed = true }, "", "torhaus; fwd=uri-miss; collapsed",
		"collapsed");
	expect((struct cache_status){ .fwd = "method", .fwd_status = 201 }, "", "torhaus; fwd=method; fwd-status=201",
		"pass");
}

static void test_an_earlier_cache_stays_in_front(void **state)
{
	expect((struct cache_status){ .hit = true, .ttl_s = 1 }, "Cache-Status: a; hit|Cache-Status: b; fwd=miss",
		"a; hit, b; fwd=miss, torhaus; hit; ttl=1", "hit");
}

static void test_numbers(void **state)
{
	assert_span(cache_number(0, &arena), "0");
	assert_span(cache_number(-1, &arena), "-1");
	assert_span(cache_number(INT64_MIN, &arena), "-9223372036854775808");
	assert_string_equal(cache_status_word(&(struct cache_status){ 0 }), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, begin, end),
		cmocka_unit_test_setup_teardown(test_an_earlier_cache_stays_in_front, begin, end),
		cmocka_unit_test_setup_teardown(test_numbers, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
