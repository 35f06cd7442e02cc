/* Host names and origins: what passes, in which form, and what does not. */
#include "domain_unit.h"

static const char *name(const char *text, bool wildcard)
{
	struct span got;

	return domain_name_normalise(span_of(text), wildcard, &arena, &got) < 0 ? NULL : arena_text(&arena, got);
}

static void test_names(void **state)
{
	static const char *const good[][2] = {
		{ "example.de", "example.de" },
		{ "WWW.Example.DE", "www.example.de" },
		{ "example.de.", "example.de" },
		{ "localhost", "localhost" },
		{ "192.0.2.10", "192.0.2.10" },
		{ "3.example", "3.example" },
		{ "m\xc3\xbcller.de", "xn--mller-kva.de" },
		{ "M\xc3\x9cLLER.de", "xn--mller-kva.de" },
		{ "stra\xc3\x9f"
		  "e.de",
			"xn--strae-oqa.de" },
		{ "xn--mller-kva.de", "xn--mller-kva.de" },
		{ "\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82jp", "xn--r8jz45g.jp" },
	};

	for (size_t i = 0; i < array_len(good); i++)
		assert_string_equal(name(good[i][0], false), good[i][1]);
	assert_string_equal(name("*.Example.de", true), "*.example.de");
	assert_string_equal(name("*.m\xc3\xbcller.de", true), "*.xn--mller-kva.de");
}

static void test_no_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a..b", ".a", "-a.de", "a-.de", "a b.de", "a/b",
		"http://a.de", "a.de:80", "[::1]", "*", "*.", "*.*.de", "a.*.de", "a.de..", "192.0.2.256", "1.2.3",
		"a.1", "\xff.de", "a\xc3.de", "\xe2\x80\xae.de", "a\n.de",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.de" };
	char longest[260];
	struct span got;

	for (size_t i = 0; i < array_len(bad); i++) {
		assert_null(name(bad[i], false));
		assert_null(name(bad[i], true));
	}
	assert_null(name("*.example.de", false));
	/* Sites alone may have them. */
	assert_null(name("a_b.de", false));
	assert_string_equal(name("my_shop.Example.de", true), "my_shop.example.de");
	assert_int_equal(domain_name_normalise(span_make("a\0.de", 5), false, &arena, &got), -EINVAL);
	for (size_t i = 0; i < 259; i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	assert_non_null(name(longest, false));
	longest[253] = '.';
	longest[255] = '\0';
	assert_null(name(longest, false));
}

/* The canonical form of text, or why there is none. */
static const char *origin(const char *text)
{
	struct buf out = BUF_INIT(1024);
	struct origin_spec spec;
	const char *why, *got;

	if (origin_spec_parse(span_of(text), &spec, &why) < 0)
		return why;
	origin_spec_print(&spec, &out);
	got = arena_text(&arena, buf_span(&out));
	buf_done(&out);
	return got;
}

static void test_origins(void **state)
{
	static const char *const good[][2] = {
		{ "http://10.0.0.5:8080", "http://10.0.0.5:8080" },
		{ "http://10.0.0.5:80/", "http://10.0.0.5" },
		{ "https://origin.example:443", "https://origin.example" },
		{ "https://origin.example:80", "https://origin.example:80" },
		{ "HTTPS://my_app", "https://my_app" },
		{ "http://origin.example.:8080", "http://origin.example:8080" },
		{ "https://app./", "https://app." },
		{ "http://[2001:db8::1]", "http://[2001:db8::1]" },
		{ "http://[::1]:81  backup   weight=3 ", "http://[::1]:81 weight=3 backup" },
		{ "http://a weight=1", "http://a" },
	};

	for (size_t i = 0; i < array_len(good); i++)
		assert_string_equal(origin(good[i][0]), good[i][1]);
}

static void test_no_origins(void **state)
{
	/* What is wrong, and a word of the reason. */
	static const char *const bad[][2] = {
		{ "", "begins with" },
		{ "10.0.0.5", "begins with" },
		{ "ftp://10.0.0.5", "begins with" },
		{ "http://", "host" },
		{ "http://:80", "host" },
		{ "http:///", "host" },
		{ "http://a..b", "host" },
		{ "http://a..", "host" },
		{ "http://a.b..", "host" },
		{ "http://.", "host" },
		{ "http://..", "host" },
		{ "http://-a", "host" },
		{ "http://b\xc3\xbc.de", "host" },
		{ "http://10.0.0.256", "IPv4" },
		{ "http://10.0.5", "IPv4" },
		{ "http://a:", "port" },
		{ "http://a:0", "port" },
		{ "http://a:65536", "port" },
		{ "http://a:8o", "port" },
		{ "http://2001:db8::1", "brackets" },
		{ "http://[2001:db8::1", "IPv6" },
		{ "http://[]", "IPv6" },
		{ "http://[10.0.0.5]", "IPv6" },
		{ "http://[fe80::1%eth0]", "IPv6" },
		{ "http://[::1]80", "bracket" },
		{ "http://a/b", "path" },
		{ "http://a//", "path" },
		{ "http://a?b", "path" },
		{ "http://a#b", "path" },
		{ "http://me@a", "user" },
		{ "http://a weight=0", "weight" },
		{ "http://a weight=101", "weight" },
		{ "http://a weight=", "weight" },
		{ "http://a weight=1 weight=2", "once" },
		{ "http://a backup backup", "once" },
		{ "http://a http://b", "once" },
		{ "http://a\tbackup", "host" },
	};

	for (size_t i = 0; i < array_len(bad); i++)
		if (!strstr(origin(bad[i][0]), bad[i][1]))
			fail_msg("\"%s\": %s", bad[i][0], origin(bad[i][0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_no_origins),
	};

	return cmocka_run_group_tests(tests, setup_arena, teardown_arena);
}
