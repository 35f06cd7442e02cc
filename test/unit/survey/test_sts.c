/* MTA-STS: records and policies as they are, as they are not, and whom they cover. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"
#include "survey/sts.h"

static struct arena arena;

static int set_up(void **state)
{
	arena_init(&arena, 1024);
	return 0;
}

static int tear_down(void **state)
{
	arena_done(&arena);
	return 0;
}

static void test_records(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *id;
	} all[] = {
		{ "v=STSv1; id=20260101T000000;", 1, "20260101T000000" },
		{ "v=STSv1;id=a", 1, "a" },
		{ "v=STSv1; future=x; id = b2 ", 1, "b2" },
		{ "v=spf1 -all", 0, "" },
		{ "", 0, "" },
		{ "v=STSv1", -EPROTO, "" },
		{ "v=STSv1; id=with-dash;", -EPROTO, "with-dash" },
		{ "v=STSv1; id=123456789012345678901234567890123", -EPROTO, "123456789012345678901234567890123" },
		{ "id=1; v=STSv1", 0, "" },
	};
	struct span id;

	for (size_t i = 0; i < array_len(all); i++) {
		assert_int_equal(sts_record_parse(span_of(all[i].text), &id), all[i].r);
		assert_span(id, all[i].id);
	}
}

static int parse(const char *text, struct sts_policy *p)
{
	const char *why = NULL;
	int r = sts_policy_parse(span_of(text), &arena, p, &why);

	assert_true(r == 0 || (r == -EPROTO && why));
	return r;
}

static void test_a_policy(void **state)
{
	struct sts_policy p;

	assert_int_equal(parse("version: STSv1\r\nmode: testing\nmx: MX1.Example.net\n\nmx:*.example.org\nother: x\n"
			       "max_age: 604800",
				 &p),
		0);
	assert_int_equal(p.mode, STS_TESTING);
	assert_int_equal(p.max_age_s, 604800);
	assert_int_equal(p.mx_n, 2);
	assert_true(sts_policy_covers(&p, SPAN("mx1.example.net")));
	assert_true(sts_policy_covers(&p, SPAN("MX7.example.ORG")));
	assert_false(sts_policy_covers(&p, SPAN("a.b.example.org")));
	assert_false(sts_policy_covers(&p, SPAN("example.org")));
	assert_false(sts_policy_covers(&p, SPAN(".example.org")));
	assert_false(sts_policy_covers(&p, SPAN("mx2.example.net")));
	assert_int_equal(parse("version: STSv1\nmode: none\nmax_age: 0\n", &p), 0);
}

static void test_broken_policies(void **state)
{
	static const char *const all[] = { "", "mode: enforce\nmx: a\nmax_age: 1", "version: STSv1\nmx: a\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a", "version: STSv1\nmode: enforce\nmax_age: 1",
		"version: STSv2\nmode: none\nmax_age: 1", "version: STSv1\nmode: on\nmx: a\nmax_age: 1",
		"version: STSv1\nmode: none\nmax_age: -1", "version: STSv1\nmode: none\nmax_age: 99999999",
		"version: STSv1\nmode: none\nmx:\nmax_age: 1", "version: STSv1\nno colon\nmode: none\nmax_age: 1" };
	struct sts_policy p;

	for (size_t i = 0; i < array_len(all); i++)
		assert_int_equal(parse(all[i], &p), -EPROTO);
}

static void test_too_many_names(void **state)
{
	struct buf text = BUF_INIT(65536);
	struct sts_policy p;

	buf_add_text(&text, "version: STSv1\nmode: enforce\nmax_age: 1\n");
	for (unsigned i = 0; i < STS_MX_MAX; i++)
		buf_addf(&text, "mx: mx%u.example\n", i);
	assert_int_equal(parse(buf_text(&text), &p), 0);
	buf_add_text(&text, "mx: one.more\n");
	assert_int_equal(parse(buf_text(&text), &p), -EPROTO);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test_setup_teardown(test_a_policy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken_policies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
