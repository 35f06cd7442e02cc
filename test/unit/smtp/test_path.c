/* Addresses of the envelope. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"
#include "smtp/smtp.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *local, *domain, *mailbox;
	} rows[] = {
		{ "<>", "", "", "" },
		{ "<a@b.example>", "a", "b.example", "a@b.example" },
		{ "<A.b+c@B.Example>", "A.b+c", "B.Example", "A.b+c@b.example" },
		{ "<postmaster>", "postmaster", "", "postmaster" },
		{ "<@r.example,@s.example:a@b.example>", "a", "b.example", "a@b.example" },
		{ "<\"a b\"@c.example>", "\"a b\"", "c.example", "\"a b\"@c.example" },
		{ "<\"a\\b.c\"@c.example>", "\"a\\b.c\"", "c.example", "ab.c@c.example" },
		{ "<\"\"@c.example>", "\"\"", "c.example", "\"\"@c.example" },
		{ "<\"a@b\"@c.example>", "\"a@b\"", "c.example", "\"a@b\"@c.example" },
		{ "<\">\"@c.example>", "\">\"", "c.example", "\">\"@c.example" },
		{ "<a@[192.0.2.1]>", "a", "[192.0.2.1]", "a@[192.0.2.1]" },
		{ "<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]", "a@[ipv6:2001:db8::1]" },
		{ "<a@under_score.example>", "a", "under_score.example", "a@under_score.example" },
		{ "<j\xc3\xb6rg@b\xc3\xbc"
		  "cher.example>",
			"j\xc3\xb6rg",
			"b\xc3\xbc"
			"cher.example",
			"j\xc3\xb6rg@b\xc3\xbc"
			"cher.example" },
		{ "<bounce-1=x%y{z}@b.example>", "bounce-1=x%y{z}", "b.example", "bounce-1=x%y{z}@b.example" },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		_cleanup_(buf_done) struct buf mailbox = BUF_INIT(1024);
		struct span rest = span_of(rows[i].text);
		struct smtp_path path;

		assert_int_equal(smtp_path_parse(&rest, &path), 0);
		assert_int_equal(rest.n, 0);
		assert_span(path.local, rows[i].local);
		assert_span(path.domain, rows[i].domain);
		smtp_path_mailbox(&path, &mailbox);
		assert_span(buf_span(&mailbox), rows[i].mailbox);
	}
}

/* What Postfix or Exim take as well, and what is passed on of it. */
static void test_loose(void **state)
{
	static const struct {
		const char *text, *printed, *mailbox, *rest;
	} rows[] = {
		{ "a@b.example", "<a@b.example>", "a@b.example", "" },
		{ "a@b.example SIZE=1", "<a@b.example>", "a@b.example", " SIZE=1" },
		{ "a@b.example>", "<a@b.example>", "a@b.example", "" },
		{ "<<a@b.example>>", "<a@b.example>", "a@b.example", "" },
		{ "< a@b.example\t>", "<a@b.example>", "a@b.example", "" },
		{ "<a @ b.example>", "<a@b.example>", "a@b.example", "" },
		{ "< >", "<>", "", "" },
		{ "Joe <a@b.example>", "<a@b.example>", "a@b.example", "" },
		{ "\"Joe <x@y>\" <a@b.example>", "<a@b.example>", "a@b.example", "" },
		{ "J. Doe Jr. <a@b.example>", "<a@b.example>", "a@b.example", "" },
		{ "<a@b.example (Joe)>", "<a@b.example>", "a@b.example", "" },
		{ "<(Joe)a@b.example>", "<a@b.example>", "a@b.example", "" },
		{ "<a(x) @(y)b.example>", "<a@b.example>", "a@b.example", "" },
		{ "<a@b.example> (Joe)", "<a@b.example>", "a@b.example", " (Joe)" },
		{ "<.a@b.example>", "<.a@b.example>", ".a@b.example", "" },
		{ "<a.@b.example>", "<a.@b.example>", "a.@b.example", "" },
		{ "<a..b@c.example>", "<a..b@c.example>", "a..b@c.example", "" },
		{ "<...@c.example>", "<...@c.example>", "...@c.example", "" },
		{ "<\"a..b\"@c.example>", "<\"a..b\"@c.example>", "a..b@c.example", "" },
		{ "<a\\b@c.example>", "<a\\b@c.example>", "ab@c.example", "" },
		{ "<a\\ b@c.example>", "<a\\ b@c.example>", "a\\ b@c.example", "" },
		{ "<\"a\".b@c.example>", "<\"a\".b@c.example>", "a.b@c.example", "" },
		{ "<a.\"b c\"@d.example>", "<a.\"b c\"@d.example>", "a.\"b c\"@d.example", "" },
		{ "\"a b\"@c.example", "<\"a b\"@c.example>", "\"a b\"@c.example", "" },
		{ "<a@b.Example.>", "<a@b.Example>", "a@b.example", "" },
		{ "<a@b-.example>", "<a@b-.example>", "a@b-.example", "" },
		{ "<root>", "<root>", "root", "" },
		{ "root AUTH=<>", "<root>", "root", " AUTH=<>" },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		_cleanup_(buf_done) struct buf printed = BUF_INIT(1024), mailbox = BUF_INIT(1024);
		struct span rest = span_of(rows[i].text);
		struct smtp_path path;

		if (smtp_path_parse(&rest, &path) < 0)
			fail_msg("%s is refused", rows[i].text);
		assert_span(rest, rows[i].rest);
		smtp_path_print(&path, &printed);
		assert_span(buf_span(&printed), rows[i].printed);
		smtp_path_mailbox(&path, &mailbox);
		assert_span(buf_span(&mailbox), rows[i].mailbox);
	}
}

static void test_bad(void **state)
{
	static const char *const rows[] = { "", "<", "<a@b.example", "<<a@b.example>", "<<<a@b.example>>>",
		"<a b@c.example>", "<a@>", "a@", "a@ b.example", "<@b.example>", "@b.example", "<a@b..example>",
		"<a@.example>", "<a@.>", "<a@b.example..>", "<a@-b.example>", "<\"a@b.example>", "<\"a\"b@c.example>",
		"<a\"b\"@c.example>", "<\"a\"\"b\"@c.example>", "<a@[1.2.3]>", "<a@[2001:db8::1]>",
		"<a@[IPv6:1.2.3.4]>", "<a@[1.2.3.4>", "<a@b@c.example>", "<a,b@c.example>", "<a;b@c.example>",
		"<a:b@c.example>", "<a(b@c.example>", "<a)b@c.example>", "<a<b@c.example>", "<a>b@c.example",
		"<a[b@c.example>", "<a]b@c.example>", "<a\\>b@c.example>", "<a\\\"b@c.example>", "<a\\@b@c.example>",
		"<a@b.example (Joe>", "<a@b.example (J(o)e)>", "<a@b.example (\\)>", "Joe <a@b.example",
		"<a@b.example:25>", "<mailto:a@b.example>", "'a@b.example'", "<a@b.example>>", "<@r.example:>",
		"<@r.example,a@b.example>", "<@:a@b.example>", "<\xc3@b.example>", "<a@b.ex\xff>", "<a\r@b.example>",
		"<\"a\r\n\"@b.example>", "<a@b.example\r\n>" };

	for (size_t i = 0; i < array_len(rows); i++) {
		struct span rest = span_of(rows[i]);
		struct smtp_path path;

		/* What stands behind a bracket that closes is refused by who reads parameters. */
		if (smtp_path_parse(&rest, &path) == 0 && (rest.n == 0 || rest.p[0] == ' '))
			fail_msg("%s is taken", rows[i]);
	}
}

/* Labels of 63 bytes, local parts of SMTP_LOCAL_MAX; one more is too much. */
static void test_lengths(void **state)
{
	char text[1024], label[80] = "", local[SMTP_LOCAL_MAX + 2] = "";
	struct smtp_path path;
	struct span rest;

	memset(label, 'l', 63);
	memset(local, 'a', SMTP_LOCAL_MAX);
	snprintf(text, sizeof(text), "<%s@%s.example>", local, label);
	rest = span_of(text);
	assert_int_equal(smtp_path_parse(&rest, &path), 0);
	snprintf(text, sizeof(text), "<a@l%s.example>", label);
	rest = span_of(text);
	assert_int_equal(smtp_path_parse(&rest, &path), -EINVAL);
	snprintf(text, sizeof(text), "<a%s@b.example>", local);
	rest = span_of(text);
	assert_int_equal(smtp_path_parse(&rest, &path), -EINVAL);
	snprintf(text, sizeof(text), "<a@%s.%s.%s.%s.example>", label, label, label, label);
	rest = span_of(text);
	assert_int_equal(smtp_path_parse(&rest, &path), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
