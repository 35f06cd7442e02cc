/* A visitor's conditions against a stored page, in the order of RFC 9110 13.2.2. */
#include "cache_unit.h"

#define NOW 1700000000000LL

static struct arena arena;
static struct cache_obj page;

static int begin(void **state)
{
	arena_init(&arena, 8192);
	/* Changed an hour before it came: a strong date. */
	page = (struct cache_obj){ .status = 200,
		.etag = SPAN("\"1\""),
		.modified_s = NOW / 1000 - 3600,
		.date_s = NOW / 1000,
		.answered_ms = NOW };
	return 0;
}

static int end(void **state)
{
	arena_done(&arena);
	return 0;
}

static enum cache_condition ask(const char *fields)
{
	struct http_req req = get_of("/", fields, &arena);

	return cache_condition(&page, &req);
}

static const char *date(int64_t wall_s, const char *name)
{
	char text[HTTP_DATE_SIZE];

	http_date_format(wall_s, text);
	return arena_spanf(&arena, "%s: %s", name, text).p;
}

static void test_order(void **state)
{
	assert_int_equal(ask(""), CACHE_SEND);
	assert_int_equal(ask("If-None-Match: \"1\""), CACHE_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match: W/\"1\", \"2\""), CACHE_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match: *"), CACHE_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match: \"2\""), CACHE_SEND);
	assert_int_equal(ask("If-Match: \"2\"|If-None-Match: \"1\""), CACHE_PRECONDITION_FAILED);
	assert_int_equal(ask("If-Match: W/\"1\""), CACHE_PRECONDITION_FAILED);
	assert_int_equal(ask("If-Match: *|If-None-Match: \"1\""), CACHE_NOT_MODIFIED);
	assert_int_equal(ask("If-Match: \"1\"|Range: bytes=0-1"), CACHE_SEND_RANGE);
	assert_int_equal(ask("If-None-Match: \"1\"|Range: bytes=0-1"), CACHE_NOT_MODIFIED);
	page.status = 404;
	assert_int_equal(ask("If-None-Match: \"1\""), CACHE_SEND);
}

static void test_dates(void **state)
{
	assert_int_equal(ask(date(page.modified_s, "If-Modified-Since")), CACHE_NOT_MODIFIED);
	assert_int_equal(ask(date(page.modified_s - 1, "If-Modified-Since")), CACHE_SEND);
	assert_int_equal(ask(date(page.modified_s - 1, "If-Unmodified-Since")), CACHE_PRECONDITION_FAILED);
	assert_int_equal(ask(date(page.modified_s, "If-Unmodified-Since")), CACHE_SEND);
	assert_int_equal(ask("If-Modified-Since: yesterday"), CACHE_SEND);
	/* Without Last-Modified, the day it came. */
	page.modified_s = -1;
	assert_int_equal(ask(date(page.date_s, "If-Modified-Since")), CACHE_NOT_MODIFIED);
	assert_int_equal(ask(date(page.date_s - 1, "If-Modified-Since")), CACHE_SEND);
}

static void test_if_range(void **state)
{
	assert_int_equal(ask("Range: bytes=0-1|If-Range: \"1\""), CACHE_SEND_RANGE);
	assert_int_equal(ask("Range: bytes=0-1|If-Range: W/\"1\""), CACHE_SEND);
	assert_int_equal(ask("Range: bytes=0-1|If-Range: \"2\""), CACHE_SEND);
	assert_int_equal(ask(arena_spanf(&arena, "Range: bytes=0-1|%s", date(page.modified_s, "If-Range")).p),
		CACHE_SEND_RANGE);
	/* A date within a minute of the answer is weak. */
	page.date_s = page.modified_s + 30;
	assert_int_equal(ask(arena_spanf(&arena, "Range: bytes=0-1|%s", date(page.modified_s, "If-Range")).p),
		CACHE_SEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_dates, begin, end),
		cmocka_unit_test_setup_teardown(test_if_range, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
