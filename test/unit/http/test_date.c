/* HTTP dates: three forms read, one written. */
#include "../unit.h"
#include "base/mem.h"
#include "http/http.h"

#define NOW 1704067200 /* 2024-01-01 */

static void test_accepted(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "sun, 06 nov 1994 08:49:37 gmt", 784111777 },
		{ "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 }, /* not checked */
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Thu, 18 Aug 2050 02:01:18 GMT", 2544400878 },
		/* Up to 50 years ahead of NOW, else past. */
		{ "Monday, 31-Dec-74 23:59:59 GMT", 3313526399 },
		{ "Tuesday, 01-Jan-75 00:00:00 GMT", 157766400 },
		{ "Fri Dec 31 23:59:59 9999", 253402300799 },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t got;

		if (http_date_parse(span_of(rows[i].text), NOW, &got) < 0)
			fail_msg("refused: %s", rows[i].text);
		if (got != rows[i].seconds)
			fail_msg("%s: %lld", rows[i].text, (long long)got);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = { "", "0", "-1", "now", "Sun", "Sun,", "Sun, ", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 2023 12:00:00 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Xun, 06 Nov 1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sunday, 06-Nov-94 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT" };

	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t got;

		if (http_date_parse(span_of(rows[i]), NOW, &got) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
	}
}

static void test_written(void **state)
{
	char text[HTTP_DATE_SIZE];

	http_date_format(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_date_format(0, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_format(-1, text);
	assert_string_equal(text, "Wed, 31 Dec 1969 23:59:59 GMT");
	http_date_format(INT64_MAX, text);
	assert_int_equal(strlen(text), HTTP_DATE_SIZE - 1);
	http_date_format(INT64_MIN, text);
	assert_int_equal(strlen(text), HTTP_DATE_SIZE - 1);
}

static void test_written_is_read_back(void **state)
{
	for (int64_t s = -2208988800; s < 7258118400; s += 86400 * 13 + 3607) {
		char text[HTTP_DATE_SIZE];
		int64_t got = 0;

		http_date_format(s, text);
		assert_int_equal(http_date_parse(span_of(text), NOW, &got), 0);
		assert_int_equal(got, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
