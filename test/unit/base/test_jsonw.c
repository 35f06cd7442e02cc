/* The JSON writer: documents as they should stand, and whatever bytes, jansson reads them. */
#include "../unit.h"
#include <jansson.h>
#include <math.h>
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/rand.h"

static void test_document(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "site", "example.de");
	jsonw_array(&j, "codes");
	jsonw_int(&j, NULL, INT64_MIN);
	jsonw_uint(&j, NULL, UINT64_MAX);
	jsonw_object(&j, NULL);
	jsonw_end(&j);
	jsonw_array(&j, NULL);
	jsonw_end(&j);
	jsonw_end(&j);
	jsonw_bool(&j, "hit", true);
	jsonw_bool(&j, "stale", false);
	jsonw_text(&j, "none", NULL);
	jsonw_real(&j, "ratio", 0.1);
	jsonw_end(&j);
	assert_span(buf_span(&out),
		"{\"site\":\"example.de\",\"codes\":[-9223372036854775808,18446744073709551615,"
		"{},[]],\"hit\":true,\"stale\":false,\"none\":null,\"ratio\":0.1}");
	assert_int_equal(j.depth, 0);
}

static void test_deepest(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct jsonw j;

	jsonw_init(&j, &out);
	for (int i = 0; i < 32; i++)
		jsonw_array(&j, NULL);
	jsonw_int(&j, NULL, 1);
	jsonw_int(&j, NULL, 2);
	for (int i = 0; i < 32; i++)
		jsonw_end(&j);
	assert_int_equal(out.n, 32 + 3 + 32);
	assert_int_equal(span_find(buf_span(&out), SPAN("[1,2]")), 31);
}

static void test_reals(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_array(&j, NULL);
	jsonw_real(&j, NULL, NAN);
	jsonw_real(&j, NULL, -INFINITY);
	jsonw_real(&j, NULL, 1.0 / 3);
	jsonw_real(&j, NULL, 1e300);
	jsonw_real(&j, NULL, 3);
	jsonw_end(&j);
	assert_span(buf_span(&out), "[null,null,0.33333333333333331,1e+300,3]");
}

static void assert_escaped(struct span s, const char *want)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);

	jsonw_escape(&out, s);
	assert_span(buf_span(&out), want);
}

static void test_escapes(void **state)
{
	assert_escaped(SPAN("a\"b\\c/"), "a\\\"b\\\\c/");
	assert_escaped(SPAN("\b\f\n\r\t"), "\\b\\f\\n\\r\\t");
	assert_escaped(SPAN("\0\x1f\x7f"), "\\u0000\\u001f\x7f");
	assert_escaped(SPAN("M\xc3\xbcller \xf0\x9f\x98\x80"), "M\xc3\xbcller \xf0\x9f\x98\x80");
	assert_escaped(SPAN("a\xff\xc3z\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
	assert_escaped((struct span){ NULL, 0 }, "");
}

static void test_any_bytes_parse(void **state)
{
	for (int turn = 0; turn < 2000; turn++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
		char bytes[64];
		struct jsonw j;
		json_t *read;

		rand_bytes(bytes, sizeof(bytes));
		jsonw_init(&j, &out);
		jsonw_array(&j, NULL);
		jsonw_span(&j, NULL, span_make(bytes, rand_below(sizeof(bytes) + 1)));
		jsonw_end(&j);
		read = json_loadb(out.p, out.n, JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
		json_decref(read);
	}
}

static void test_cap_is_seen(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(8);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "key", "a long value");
	jsonw_end(&j);
	assert_int_equal(buf_error(&out), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_deepest),
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_any_bytes_parse),
		cmocka_unit_test(test_cap_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
