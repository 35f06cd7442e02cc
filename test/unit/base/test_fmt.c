/* Units, read and printed; distances of words; text made safe. */
#include "../unit.h"
#include <limits.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "base/rand.h"

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
		const char *printed;
	} rows[] = {
		{ "0", 0, "0" },
		{ "30", 30000, "30s" },
		{ "30s", 30000, "30s" },
		{ "250ms", 250, "250ms" },
		{ "90m", 5400000, "90m" },
		{ "60m", 3600000, "1h" },
		{ "24h", 86400000, "1d" },
		{ "7d", 604800000, "7d" },
		{ "0d", 0, "0" },
	};
	char text[FMT_SIZE];
	uint64_t ms;

	for (size_t i = 0; i < array_len(rows); i++) {
		assert_int_equal(fmt_parse_duration_ms(span_of(rows[i].text), &ms), 0);
		assert_int_equal(ms, rows[i].ms);
		fmt_duration(ms, text);
		assert_string_equal(text, rows[i].printed);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *printed, *rough;
	} rows[] = {
		{ "0", 0, "0", "0 B" },
		{ "87", 87, "87", "87 B" },
		{ "64K", 65536, "64K", "64 KiB" },
		{ "1024K", 1048576, "1M", "1.0 MiB" },
		{ "50M", 52428800, "50M", "50 MiB" },
		{ "1434K", 1468416, "1434K", "1.4 MiB" },
		{ "16777215T", 16777215ull << 40, "16777215T", "16 EiB" },
		{ "1048575", 1048575, "1048575", "1.0 MiB" },
		{ "1023", 1023, "1023", "1023 B" },
		{ "10751", 10751, "10751", "10 KiB" },
		{ "10752", 10752, "10752", "11 KiB" },
	};
	char text[FMT_SIZE];
	uint64_t bytes;

	for (size_t i = 0; i < array_len(rows); i++) {
		assert_int_equal(fmt_parse_size(span_of(rows[i].text), &bytes), 0);
		assert_true(bytes == rows[i].bytes);
		fmt_size(bytes, text);
		assert_string_equal(text, rows[i].printed);
		fmt_size_rough(bytes, text);
		assert_string_equal(text, rows[i].rough);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = { "", "s", "ms", "-1s", "+1s", "1.5s", "1 s", "1S", "1ss", "1h30m", " 1s",
		"1w", "0x10", "1s " };
	uint64_t v = 42;

	for (size_t i = 0; i < array_len(bad); i++)
		if (fmt_parse_duration_ms(span_of(bad[i]), &v) != -EINVAL)
			fail_msg("\"%s\" was taken for a duration", bad[i]);
	assert_int_equal(fmt_parse_size(SPAN("1k"), &v), -EINVAL);
	assert_int_equal(fmt_parse_size(SPAN("1KB"), &v), -EINVAL);
	assert_int_equal(fmt_parse_size(SPAN("K"), &v), -EINVAL);
	assert_int_equal(fmt_parse_size(SPAN("16777216T"), &v), -ERANGE);
	assert_int_equal(fmt_parse_duration_ms(SPAN("18446744073709551615"), &v), -ERANGE);
	assert_int_equal(fmt_parse_size(SPAN("99999999999999999999"), &v), -ERANGE);
	assert_int_equal(v, 42);
}

static void test_prints_what_it_reads(void **state)
{
	char text[FMT_SIZE];
	uint64_t back;

	for (int i = 0; i < 10000; i++) {
		uint64_t v = rand_fast() >> rand_below(64);

		fmt_size(v, text);
		assert_int_equal(fmt_parse_size(span_of(text), &back), 0);
		assert_true(back == v);
		fmt_duration(v, text);
		assert_int_equal(fmt_parse_duration_ms(span_of(text), &back), 0);
		assert_true(back == v);
	}
}

static void test_decimal_digits(void **state)
{
	char room[FMT_U64_SIZE];

	assert_true(span_eq(fmt_u64(0, room), SPAN("0")));
	assert_true(span_eq(fmt_u64(10, room), SPAN("10")));
	assert_true(span_eq(fmt_u64(1234567890, room), SPAN("1234567890")));
	assert_true(span_eq(fmt_u64(UINT64_MAX, room), SPAN("18446744073709551615")));
}

static void test_distance(void **state)
{
	char word[80];

	assert_int_equal(fmt_distance(SPAN("listen"), SPAN("listen")), 0);
	assert_int_equal(fmt_distance(SPAN("listen"), SPAN("lsten")), 1);
	assert_int_equal(fmt_distance(SPAN("listen"), SPAN("lisstem")), 2);
	assert_int_equal(fmt_distance(SPAN("listen"), SPAN("litsen")), 1);
	assert_int_equal(fmt_distance(SPAN(""), SPAN("abc")), 3);
	assert_int_equal(fmt_distance(SPAN("abc"), SPAN("")), 3);
	assert_int_equal(fmt_distance(SPAN("kitten"), SPAN("sitting")), 3);
	assert_int_equal(fmt_distance((struct span){ NULL, 0 }, SPAN("")), 0);
	memset(word, 'a', sizeof(word));
	assert_int_equal(fmt_distance(span_make(word, 64), SPAN("")), 64);
	assert_true(fmt_distance(span_make(word, 65), SPAN("")) == UINT_MAX);
	assert_true(fmt_distance(SPAN(""), span_make(word, 65)) == UINT_MAX);
}

static void assert_safe(struct span s, const char *also, size_t room, const char *want)
{
	_cleanup_(mem_freep) char *out = mem_alloc(room);

	assert_span(span_make(out, fmt_safe(s, also, out, room)), want);
}

static void test_safe(void **state)
{
	assert_safe(SPAN("M\xc3\xbcller"), "", 99, "M\xc3\xbcller");
	assert_safe(SPAN("a\r\nb\0c"), "", 99, "a\\x0d\\x0ab\\x00c");
	assert_safe(SPAN("\x1b]0;title\x07"), "", 99, "\\x1b]0;title\\x07");
	assert_safe(SPAN("\xc2\x9b\xc2\xa0"), "", 99, "\\xc2\\x9b\xc2\xa0");
	assert_safe(SPAN("\xc3"), "", 99, "\\xc3");
	assert_safe(SPAN("say \"hi\"\\"), "\"\\", 99, "say \\x22hi\\x22\\x5c");
	assert_safe(SPAN("ab\xc3\xbc"), "", 3, "ab");
	assert_safe(SPAN("ab\n"), "", 5, "ab");
	assert_safe(SPAN("ab\n"), "", 6, "ab\\x0a");
	assert_safe(SPAN("ab"), "", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_prints_what_it_reads),
		cmocka_unit_test(test_decimal_digits),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
