/* Time: stamps with local offsets, RFC 3339 read strictly and back. */
#include "../unit.h"
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void assert_stamps(int64_t at, const char *rfc3339, const char *clf)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(at, text);
	assert_string_equal(text, rfc3339);
	clock_clf(at, text);
	assert_string_equal(text, clf);
}

static void test_stamps(void **state)
{
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_stamps(1704442461, "2024-01-05T09:14:21+01:00", "05/Jan/2024:09:14:21 +0100");
	assert_stamps(1720000000, "2024-07-03T11:46:40+02:00", "03/Jul/2024:11:46:40 +0200");
	/* The last second of summer time and the first after it. */
	assert_stamps(1729990799, "2024-10-27T02:59:59+02:00", "27/Oct/2024:02:59:59 +0200");
	assert_stamps(1729990800, "2024-10-27T02:00:00+01:00", "27/Oct/2024:02:00:00 +0100");
	zone("NST3:30");
	assert_stamps(0, "1969-12-31T20:30:00-03:30", "31/Dec/1969:20:30:00 -0330");
	zone("UTC");
	assert_stamps(-1, "1969-12-31T23:59:59+00:00", "31/Dec/1969:23:59:59 +0000");
}

static void test_stamps_out_of_range(void **state)
{
	zone("UTC");
	assert_stamps(INT64_MAX, "9999-12-31T00:00:00+00:00", "31/Dec/9999:00:00:00 +0000");
	assert_stamps(INT64_MIN, "1000-01-02T00:00:00+00:00", "02/Jan/1000:00:00:00 +0000");
}

static int64_t parsed(const char *text)
{
	int64_t at = 42;

	assert_int_equal(clock_parse_rfc3339(span_of(text), &at), 0);
	return at;
}

static void test_parse(void **state)
{
	assert_int_equal(parsed("1970-01-01"), 0);
	assert_int_equal(parsed("2024-01-05T09:14:21+01:00"), 1704442461);
	assert_int_equal(parsed("2024-01-05t08:14:21.999z"), 1704442461);
	assert_int_equal(parsed("2024-02-29 00:00:00-00:30"), 1709166600);
	assert_int_equal(parsed("2000-02-29"), 951782400);
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), 1483228800);
	assert_int_equal(parsed("0001-01-01"), -62135596800);
	assert_int_equal(parsed("9999-12-31T23:59:59Z"), 253402300799);
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = { "", "2024", "2024-1-05", "2024-00-01", "2024-13-01", "2024-01-00",
		"2024-01-32", "2023-02-29", "1900-02-29", "2024-04-31", "2024-01-05T", "2024-01-05T09:14:21",
		"2024-01-05T24:00:00Z", "2024-01-05T09:60:00Z", "2024-01-05T09:00:61Z", "2024-01-05T09:14:21.Z",
		"2024-01-05T09:14:21+0100", "2024-01-05T09:14:21+01:00x", "+024-01-05", "2024-01-05X09:14:21Z",
		"2024-01-05T09:14:21+24:00" };
	int64_t at = 42;

	for (size_t i = 0; i < array_len(bad); i++)
		if (clock_parse_rfc3339(span_of(bad[i]), &at) != -EINVAL)
			fail_msg("\"%s\" was taken for a time", bad[i]);
	assert_int_equal(at, 42);
}

static void test_prints_what_it_reads(void **state)
{
	char text[CLOCK_RFC3339_SIZE];

	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (int64_t at = 0; at < 4000000000; at += 1234567) {
		clock_rfc3339(at, text);
		assert_int_equal(parsed(text), at);
	}
}

static void test_clocks_agree(void **state)
{
	uint64_t ms = clock_mono_ms(), ns = clock_mono_ns();
	int64_t wall_ms = clock_wall_ms(), wall_s = clock_wall_s();

	assert_true(ns / 1000000 >= ms);
	assert_true(clock_mono_ns() >= ns);
	assert_true(wall_s >= wall_ms / 1000 - 1);
	assert_true(wall_ms > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_stamps_out_of_range),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_prints_what_it_reads),
		cmocka_unit_test(test_clocks_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
