/* Wrong texts: every fault in one run, each with its line, and no echo of it. */
#include "conf_test.h"

static void test_unknown_keys(void **state)
{
	assert_faults("thread = 4\n"
		      "web {\n"
		      "  lisen = {\"a:1\", \"b:2\"}\n"
		      "  mail { host = x  deeper { y = 1 } }\n"
		      "}\n"
		      "site x {\n"
		      "  wieght = 7\n"
		      "}\n"
		      "listen = a:1\n"
		      "quux \"title\" { a = {b, c} }\n",
		"1 UNKNOWN-KEY thread threads\n"
		"3 UNKNOWN-KEY web.lisen listen\n"
		"4 NO-SUCH-KEY web.mail listen, cache_memory, wait, redirect\n"
		"7 UNKNOWN-KEY site.wieght weight\n"
		"9 UNKNOWN-KEY listen web { listen }\n"
		"10 NO-SUCH-KEY quux store, user, threads, access, web, site\n");
}

static void test_bad_values(void **state)
{
	assert_faults("threads = 65\n"
		      "threads_ = x\n"
		      "access = xml\n"
		      "web {\n"
		      "  listen = {\"a:1\", nothing,\n"
		      "    neither}\n"
		      "  wait = 1h\n"
		      "  cache_memory = 1\n"
		      "  redirect = maybe\n"
		      "}\n"
		      "site x { weight = -1 }\n"
		      "site y { weight = {1, 2} origin = z }\n"
		      "store = 7\n",
		"1 BAD-VALUE threads it is too large\n"
		"2 UNKNOWN-KEY threads_ threads\n"
		"3 BAD-VALUE access there is no such choice\n"
		"5 BAD-VALUE web.listen it has no port\n"
		"6 BAD-VALUE web.listen it has no port\n"
		"7 BAD-VALUE web.wait it is too large\n"
		"8 BAD-VALUE web.cache_memory it is too small\n"
		"9 BAD-VALUE web.redirect it is neither true nor false\n"
		"11 BAD-VALUE site.weight it is not a number\n"
		"12 BAD-VALUE site.weight one value is wanted, not a list\n"
		"12 BAD-VALUE site.origin it has no port\n");
}

static void test_number_edges(void **state)
{
	assert_faults("threads = 18446744073709551616", "1 BAD-VALUE threads it is too large\n");
	assert_faults("threads = \"\"", "1 BAD-VALUE threads it is not a number\n");
	assert_faults("threads = 4x", "1 BAD-VALUE threads it is not a number\n");
	assert_faults("web { wait = 30 s }", "1 NO-SUCH-KEY web.s listen, cache_memory, wait, redirect\n");
}

static void test_stands_twice(void **state)
{
	assert_faults("user = a\n"
		      "web { wait = 2s\n wait = 3s }\n"
		      "user = b\n"
		      "web { redirect = nope }\n"
		      "site x {}\n"
		      "site y {}\n"
		      "site x {}\n",
		"3 TWICE web.wait 2\n"
		"4 TWICE user 1\n"
		"5 TWICE web 2\n"
		"5 BAD-VALUE web.redirect it is neither true nor false\n"
		"8 TWICE site \"x\" 6\n");
}

static void test_unterminated_string(void **state)
{
	assert_faults("user = \"abc\n"
		      "threads = x\n"
		      "store = 'abc\\'\n"
		      "access = \"off",
		"1 SYNTAX the string \"abc does not end on its line\n"
		"2 BAD-VALUE threads it is not a number\n"
		"3 SYNTAX the string 'abc\\' does not end on its line\n"
		"4 SYNTAX the string \"off does not end on its line\n");
}

static void test_bad_escapes(void **state)
{
	assert_faults("user = \"a\\qb\"\n"
		      "store = \"\\x00\"\n"
		      "access = \"\\x4\"\n",
		"1 SYNTAX there is no escape \"\\q\" (a backslash itself is \\\\)\n"
		"2 SYNTAX there is no escape \"\\x\" (a backslash itself is \\\\)\n"
		"3 SYNTAX there is no escape \"\\x\" (a backslash itself is \\\\)\n");
	assert_faults("user = \"a\001b\"",
		"1 SYNTAX the control byte \"\\x01\" stands in a string (write it as \\xHH)\n");
}

static void test_missing_equals_and_values(void **state)
{
	assert_faults("user torhaus\n"
		      "threads =\n"
		      "store\n"
		      "web { listen {\"a:1\"}\n"
		      "  wait = }\n"
		      "access = = json\n",
		"1 SYNTAX the = after \"user\" is missing\n"
		"2 SYNTAX the value of \"threads\" is missing (it begins on the same line)\n"
		"3 SYNTAX the value of \"store\" is missing (it begins on the same line)\n"
		"4 SYNTAX the = after \"listen\" is missing\n"
		"5 SYNTAX the value of \"wait\" is missing (it begins on the same line)\n"
		"6 SYNTAX the value of \"access\" is missing (it begins on the same line)\n");
}

static void test_lists(void **state)
{
	assert_faults("web {\n"
		      "  listen = {\"a:1\" \"b:2\",\n"
		      "    , \"c\"\n"
		      "  wait = 1ms\n"
		      "}\n"
		      "threads = x\n",
		"2 SYNTAX after \"a:1\" a comma is missing\n"
		"3 SYNTAX a value is missing before this comma\n"
		"3 BAD-VALUE web.listen it has no port\n"
		"4 BAD-VALUE web.wait it is too small\n"
		"6 BAD-VALUE threads it is not a number\n");
	assert_faults("site x { names = {a, b, c, d, e, f} }", "1 BAD-VALUE site.names the list is too long\n");
	assert_faults("web { listen = {\"a:1\",", "1 SYNTAX the list of web.listen is not closed with }\n");
}

static void test_braces(void **state)
{
	assert_faults("web {\n"
		      "  redirect = no\n"
		      "site x {\n"
		      "  weight = 0\n"
		      "}\n"
		      "}\n"
		      "threads = x",
		"1 SYNTAX the section \"web\" is not closed with }\n"
		"4 BAD-VALUE site.weight it is too small\n"
		"6 SYNTAX this } closes nothing\n"
		"7 BAD-VALUE threads it is not a number\n");
	assert_faults("site x {\n web = {",
		"1 SYNTAX the section \"site\" is not closed with }\n"
		"2 SYNTAX no = stands after the name of the section \"web\"\n");
	assert_faults("site\n{ }\nweb\nthreads = x\n",
		"1 SYNTAX the title after \"site\" is missing\n"
		"3 SYNTAX the { after \"web\" is missing\n"
		"4 BAD-VALUE threads it is not a number\n");
	assert_faults("x {\n y {\n",
		"1 NO-SUCH-KEY x store, user, threads, access, web, site\n"
		"1 SYNTAX this { is never closed\n");
}

static void test_strange_bytes(void **state)
{
	assert_faults("threads = 2;\n"
		      "access = off;;  user = a;\n"
		      "include(\"/etc/passwd\")\n"
		      "\"user\" = x\n"
		      "\001\002\n"
		      "threads += 3\n",
		"1 SYNTAX \";\" does not belong here (in a value it needs quotes)\n"
		"2 SYNTAX \";;\" does not belong here (in a value it needs quotes)\n"
		"3 SYNTAX \"(\" does not belong here (in a value it needs quotes)\n"
		"3 NO-SUCH-KEY include store, user, threads, access, web, site\n"
		"4 SYNTAX the name of a setting is wanted here, not \"user\"\n"
		"5 SYNTAX \"\\x01\\x02\" does not belong here (in a value it needs quotes)\n"
		"6 TWICE threads 1\n"
		"6 SYNTAX the = after \"threads\" is missing\n"
		"6 BAD-VALUE threads it is not a number\n");
}

static void test_too_deep_is_harmless(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 22);

	for (unsigned i = 0; i < 1000000; i++)
		buf_add_text(&text, "x{");
	assert_int_equal(parse(buf_text(&text)), -EINVAL);
	assert_int_equal(errors.n, 2);
}

static void test_too_many_are_dropped(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	for (unsigned i = 0; i < 1000; i++)
		buf_add_text(&text, "quux = 1\n");
	assert_int_equal(parse(buf_text(&text)), -EINVAL);
	assert_int_equal(errors.n, CONF_ERRORS_MAX);
	assert_span(fault_value(&errors.v[99], "line"), "100");
}

static void test_too_large(void **state)
{
	struct span huge = span_make("", (size_t)CONF_BYTES_MAX + 1);

	assert_int_equal(conf_parse(huge, "t.conf", sample_keys, &sample, &arena, &errors), -EINVAL);
	assert_string_equal(faults(), "1 SYNTAX it is larger than 64 MiB\n");
}

/* Long names and values cost neither the sentence nor the rest of the evidence. */
static void test_long_evidence(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);

	buf_add_text(&text, "threads = ");
	for (unsigned i = 0; i < 5000; i++)
		buf_add_text(&text, "9x");
	assert_int_equal(parse(buf_text(&text)), -EINVAL);
	fault_print(&errors.v[0], FAULT_DE, &out);
	assert_non_null(strstr(buf_text(&out), "es ist keine Zahl.\n"));
	assert_non_null(strstr(buf_text(&out), "Erwartet wird: eine ganze Zahl, von 0 bis 64.\n"));
}

static void test_sentences(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 16);

	assert_int_equal(parse("web { listen = \"x|y{}\" }"), -EINVAL);
	fault_print(&errors.v[0], FAULT_EN, &out);
	assert_string_equal(buf_text(&out),
		"  cause:  t.conf:1: \"x|y{}\" does not fit web.listen: it has no port.\n"
		"  remedy: Write an address such as 0.0.0.0:80.\n");
	buf_reset(&out);
	fault_print(&errors.v[0], FAULT_DE, &out);
	assert_string_equal(buf_text(&out),
		"  Ursache: t.conf:1: \"x|y{}\" passt nicht zu web.listen: es hat keinen Port.\n"
		"  Abhilfe: Erwartet wird: eine Adresse wie 0.0.0.0:80.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_number_edges),
		cmocka_unit_test(test_stands_twice),
		cmocka_unit_test(test_unterminated_string),
		cmocka_unit_test(test_bad_escapes),
		cmocka_unit_test(test_missing_equals_and_values),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_braces),
		cmocka_unit_test(test_strange_bytes),
		cmocka_unit_test(test_too_deep_is_harmless),
		cmocka_unit_test(test_too_many_are_dropped),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_long_evidence),
		cmocka_unit_test(test_sentences),
	};

	return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
