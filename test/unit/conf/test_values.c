/* What a right text gives: types, presets, ranges, quoting there and back, the template. */
#include "conf_test.h"
#include "base/rand.h"

static void test_nothing_gives_presets(void **state)
{
	assert_parses("  # only a comment");
	assert_span(sample.store, "sqlite:/var/lib/x.db");
	assert_span(sample.user, "");
	assert_non_null(sample.user.p);
	assert_int_equal(sample.threads, 0);
	assert_int_equal(sample.access, 1);
	assert_int_equal(sample.web.listen.n, 2);
	assert_span(sample.web.listen.v[1], "[::]:80");
	assert_int_equal(sample.web.size, 64 << 20);
	assert_int_equal(sample.web.wait, 30000);
	assert_true(sample.web.redirect);
	assert_int_equal(sample.sites.n, 0);
}

static void test_every_type(void **state)
{
	assert_parses("store = 'pg:x' user=torhaus threads = 64\n"
		      "access = off # not logged\n"
		      "web {\r\n"
		      "\tlisten = {127.0.0.1:0, \"[::1]:0\",}\r\n"
		      "\tcache_memory = \"2G\" wait = 1s redirect = no\r\n"
		      "}");
	assert_span(sample.store, "pg:x");
	assert_span(sample.user, "torhaus");
	assert_int_equal(sample.threads, 64);
	assert_int_equal(sample.access, 2);
	assert_int_equal(sample.web.listen.n, 2);
	assert_span(sample.web.listen.v[0], "127.0.0.1:0");
	assert_span(sample.web.listen.v[1], "[::1]:0");
	assert_true(sample.web.size == 2ull << 30);
	assert_int_equal(sample.web.wait, 1000);
	assert_false(sample.web.redirect);
}

static void test_titled(void **state)
{
	assert_parses("site a { origin = http://h:1/#not-read\n weight = 7 }\n"
		      "site \"b c\" {}\n"
		      "site 'c' { names = x }");
	struct site *site = sample.sites.v;

	assert_int_equal(sample.sites.n, 3);
	assert_span(sample.sites.titles[1], "b c");
	assert_int_equal(sample.sites.lines[0], 1);
	assert_int_equal(sample.sites.lines[2], 4);
	assert_span(site[0].origin, "http://h:1/");
	assert_int_equal(site[0].weight, 7);
	assert_int_equal(site[1].weight, 1);
	assert_int_equal(site[1].names.n, 0);
	assert_int_equal(site[2].names.n, 1);
	assert_span(site[2].names.v[0], "x");
}

static void test_many_titled(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);

	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&text, "site s%u { weight = %u }\n", i, i % 100 + 1);
	assert_parses(buf_text(&text));
	assert_int_equal(sample.sites.n, 5000);
	for (unsigned i = 0; i < 5000; i++) {
		assert_int_equal(((struct site *)sample.sites.v)[i].weight, i % 100 + 1);
		assert_int_equal(sample.sites.lines[i], i + 1);
	}
}

static void test_empty_values(void **state)
{
	assert_parses("user = \"\" web { listen = {} }");
	assert_span(sample.user, "");
	assert_int_equal(sample.web.listen.n, 0);
	assert_parses("site x { origin = '' }");
}

static void test_strings(void **state)
{
	assert_parses("user = \"a\\\"b\\\\c\\n\\r\\t\\x41\\xfe'\\'\"");
	assert_span(sample.user, "a\"b\\c\n\r\tA\xfe''");
	assert_parses("user = 'a\"b\\\\c\\'d\\n'");
	assert_span(sample.user, "a\"b\\c'd\\n");
	assert_parses("user = \"# { } = , ; ( )\"");
	assert_span(sample.user, "# { } = , ; ( )");
}

static void test_nothing_is_expanded(void **state)
{
	assert_int_equal(setenv("TORHAUS_SECRET", "leaked", 1), 0);
	assert_parses("user = \"${TORHAUS_SECRET}\" store = $TORHAUS_SECRET");
	assert_span(sample.user, "${TORHAUS_SECRET}");
	assert_span(sample.store, "$TORHAUS_SECRET");
}

static void test_byte_order_mark(void **state)
{
	assert_parses("\xef\xbb\xbfuser = x");
	assert_span(sample.user, "x");
}

/* Quoted, then parsed: the same text. */
static void assert_round_trip(const char *bytes, size_t n)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	buf_add_text(&text, "user = ");
	conf_quote(&text, span_make(bytes, n));
	assert_parses(buf_text(&text));
	assert_int_equal(sample.user.n, n);
	assert_memory_equal(sample.user.p, bytes, n);
}

static void test_quote_every_byte(void **state)
{
	char all[255], mixed[64];

	for (int c = 1; c < 256; c++) {
		all[c - 1] = (char)c;
		assert_round_trip(&all[c - 1], 1);
	}
	assert_round_trip(all, sizeof(all));
	assert_round_trip("m\xc3\xbcnchen \xe2\x82\xac \xc3", 14);
	for (int turn = 0; turn < 500; turn++) {
		rand_bytes(mixed, sizeof(mixed));
		for (size_t i = 0; i < sizeof(mixed); i++)
			if (mixed[i] == '\0')
				mixed[i] = '\\';
		assert_round_trip(mixed, sizeof(mixed));
	}
}

static void test_quote_is_readable(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(100);

	conf_quote(&text, SPAN("m\xc3\xbc\"n\\\n\x7f\xff"));
	assert_string_equal(buf_text(&text), "\"m\xc3\xbc\\\"n\\\\\\n\\x7f\\xff\"");
}

static void test_template_is_presets(void **state)
{
	for (enum fault_lang lang = FAULT_EN; lang <= FAULT_DE; lang++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

		conf_template(&text, sample_keys, NULL, lang);
		assert_parses(buf_text(&text));
		assert_non_null(strstr(buf_text(&text),
			lang == FAULT_DE ? "# Benutzer.\nuser = \"\"\n" : "# User.\nuser = \"\"\n"));
		assert_span(sample.store, "sqlite:/var/lib/x.db");
		assert_int_equal(sample.access, 1);
		assert_int_equal(sample.web.listen.n, 2);
		assert_int_equal(sample.web.size, 64 << 20);
		assert_true(sample.web.redirect);
		assert_int_equal(sample.sites.n, 0);
	}
}

static void test_template_with_given_values(void **state)
{
	static const struct conf_given given[] = { { "user", "\"me\"" }, { "web.listen", "{}" }, { NULL } };
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	conf_template(&text, sample_keys, given, FAULT_EN);
	assert_parses(buf_text(&text));
	assert_span(sample.user, "me");
	assert_int_equal(sample.web.listen.n, 0);
	assert_int_equal(sample.access, 1);
}

static void note_path(void *arg, const char *path, const struct conf_key *key)
{
	buf_addf(arg, "%s ", path);
}

static void test_compare(void **state)
{
	_cleanup_(buf_done) struct buf paths = BUF_INIT(1000);
	struct sample before;

	assert_parses("user = a web { listen = {a:1, b:1} }");
	before = sample;
	assert_parses("web { listen = {'a:1', \"b:1\"} } user = 'a'");
	conf_compare(sample_keys, &before, &sample, note_path, &paths);
	assert_string_equal(buf_text(&paths), "");
	assert_parses("user = b threads = 1 access = off store = x\n"
		      "web { listen = a:1 cache_memory = 1M wait = 1s redirect = no }");
	conf_compare(sample_keys, &before, &sample, note_path, &paths);
	assert_string_equal(buf_text(&paths),
		"store user threads access web.listen web.cache_memory web.wait web.redirect ");
}

static void test_man(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	conf_man(&text, sample_keys);
	assert_int_equal(buf_error(&text), 0);
	assert_non_null(strstr(buf_text(&text),
		".TP\n.B wait\nWait.\nWrite a duration such as 30s, 5m or 4h, from 1s to 1m. "
		"Preset: \"30s\".\n"));
	assert_non_null(strstr(buf_text(&text), ".B web { ... }\nWeb edge.\n.RS\n.TP\n.B listen\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_gives_presets),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_titled),
		cmocka_unit_test(test_many_titled),
		cmocka_unit_test(test_empty_values),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_nothing_is_expanded),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_quote_every_byte),
		cmocka_unit_test(test_quote_is_readable),
		cmocka_unit_test(test_template_is_presets),
		cmocka_unit_test(test_template_with_given_values),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_man),
	};

	return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
