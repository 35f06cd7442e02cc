/* Buffers: growth up to the cap and not a byte further; errors stick. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"

static void test_grows_to_the_cap(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	for (int i = 0; i < 1000; i++)
		buf_add_char(&b, 'x');
	assert_int_equal(b.n, 1000);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(strlen(buf_text(&b)), 1000);
	buf_add_char(&b, 'y');
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_int_equal(b.n, 1000);
}

static void test_error_sticks_until_reset(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4);

	buf_add_text(&b, "ab");
	buf_add_text(&b, "cde"); /* not even its beginning */
	buf_add_text(&b, "f");
	assert_span(buf_span(&b), "ab");
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_null(buf_room(&b, 1));
	buf_reset(&b);
	buf_add_text(&b, "wxyz");
	assert_span(buf_span(&b), "wxyz");
	assert_int_equal(buf_error(&b), 0);
}

static void test_cap_zero(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(0);

	buf_add(&b, NULL, 0);
	buf_add_span(&b, (struct span){ NULL, 0 });
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal(buf_text(&b), "");
	buf_add_char(&b, 'x');
	assert_int_equal(buf_error(&b), -ENOBUFS);
}

static void test_formats(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	char text[1000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_addf(&b, "%s", text); /* more than the first room */
	assert_span(buf_span(&b), text);
	buf_reset(&b);
	buf_add_u64(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_addf(&b, " %d", -5);
	assert_span(buf_span(&b), "0 18446744073709551615 -5");
}

/* Formatted texts that end before, at and behind the end of what is allocated. */
static void test_formats_across_the_room(void **state)
{
	for (int filled = 100; filled < 130; filled++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(4096);

		for (int i = 0; i < filled; i++)
			buf_add_char(&b, 'x');
		buf_addf(&b, "%s", "0123456789");
		assert_int_equal(b.n, filled + 10);
		assert_span(span_from(buf_span(&b), (size_t)filled), "0123456789");
		assert_true(b.n < b.room);
	}
}

static void test_format_past_the_cap(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10);

	buf_addf(&b, "%s", "0123456789");
	assert_span(buf_span(&b), "0123456789");
	assert_int_equal(buf_error(&b), 0);
	buf_reset(&b);
	buf_addf(&b, "%s", "0123456789a");
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_error(&b), -ENOBUFS);
}

static void test_room_and_consume(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);

	memcpy(buf_room(&b, 5), "hello", 5);
	assert_int_equal(b.n, 0);
	buf_grew(&b, 5);
	buf_consume(&b, 2);
	assert_span(buf_span(&b), "llo");
	buf_consume(&b, 3);
	assert_int_equal(b.n, 0);
	assert_non_null(buf_room(&b, 100000));
	assert_null(buf_room(&b, 100001));
}

static void test_take(void **state)
{
	struct buf b = BUF_INIT(100);
	_cleanup_(mem_freep) char *empty = buf_take(&b);
	_cleanup_(mem_freep) char *text = NULL;

	assert_string_equal(empty, "");
	buf_add_text(&b, "moved");
	text = buf_take(&b);
	assert_string_equal(text, "moved");
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	buf_done(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_the_cap),
		cmocka_unit_test(test_error_sticks_until_reset),
		cmocka_unit_test(test_cap_zero),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_formats_across_the_room),
		cmocka_unit_test(test_format_past_the_cap),
		cmocka_unit_test(test_room_and_consume),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
