/* A fleet's results together: sums, siblings, oddities, changes. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"
#include "survey/fleet.h"

static struct fleet fleet, other;
static struct buf told;

static int set_up(void **state)
{
	fleet_init(&fleet);
	fleet_init(&other);
	told = BUF_INIT(65536);
	return 0;
}

static int tear_down(void **state)
{
	fleet_done(&fleet);
	fleet_done(&other);
	buf_done(&told);
	return 0;
}

/* Versions "1.2 1.3", key types "RSA ECDSA", suites; NULL verdict: tls. */
struct recipe {
	const char *host, *verdict, *versions, *keys, *suites;
	bool quick;
	int64_t not_after;
	const char *issuer, *sha256;
};

static void add_words(struct buf *out, const char *words, const char *format)
{
	struct span rest = span_of(words ? words : ""), word;
	bool first = true;

	while (span_cut(&rest, ' ', &word)) {
		if (word.n == 0)
			continue;
		buf_add_text(out, first ? "" : ",");
		buf_addf(out, format, SPAN_ARG(word));
		first = false;
	}
}

static void add(struct fleet *f, const struct recipe *r)
{
	struct buf line = BUF_INIT(65536);

	buf_addf(&line,
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"%s\",\"port\":25,\"starttls\":\"smtp\",\"verdict\":\"%s\","
		"\"full\":%s,\"versions\":{",
		r->host, r->verdict ? r->verdict : "tls", r->quick ? "false" : "true");
	add_words(&line, r->versions, "\"TLS %.*s\":true");
	buf_add_text(&line, "},\"suites\":[");
	add_words(&line, r->suites, "\"%.*s\"");
	buf_add_text(&line, "],\"certificates\":[");
	for (const char *at = r->keys; at && *at; at += strcspn(at, " "), at += *at == ' ') {
		buf_add_text(&line, at == r->keys ? "" : ",");
		buf_addf(&line,
			"{\"type\":\"%.*s\",\"sha256\":\"%s\",\"issuer\":\"%s\",\"not_after\":%lld,\"trusted\":true}",
			(int)strcspn(at, " "), at, r->sha256 ? r->sha256 : "aa", r->issuer ? r->issuer : "CA",
			(long long)r->not_after);
	}
	buf_add_text(&line, "]}");
	assert_int_equal(fleet_add(f, buf_span(&line)), 0);
	buf_done(&line);
}

static void test_lines_that_are_none(void **state)
{
	assert_int_equal(fleet_add(&fleet, SPAN("")), -EINVAL);
	assert_int_equal(fleet_add(&fleet, SPAN("{\"schema\":")), -EINVAL);
	assert_int_equal(fleet_add(&fleet, SPAN("[]")), 1);
	assert_int_equal(fleet_add(&fleet, SPAN("{\"schema\":\"torhaus.tls-scan-sums/1\"}")), 1);
	assert_int_equal(fleet_add(&fleet, SPAN("{\"schema\":\"torhaus.tls-scan/1\",\"host\":7}")), 0);
	assert_int_equal(fleet.n, 0);
	/* Types that are wrong are as if nothing were there. */
	assert_int_equal(fleet_add(&fleet,
				 SPAN("{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"a\",\"versions\":[1],"
				      "\"suites\":{\"x\":1},\"certificates\":[1,{\"type\":5}],\"port\":\"x\"}")),
		0);
	assert_int_equal(fleet.n, 1);
	assert_int_equal(fleet.v[0]->traits_n, 0);
}

static void test_sums(void **state)
{
	struct fleet_sums s;

	add(&fleet,
		&(struct recipe){ .host = "a.x", .versions = "1.2 1.3", .keys = "RSA ECDSA", .not_after = 2000000 });
	add(&fleet, &(struct recipe){ .host = "b.x", .versions = "1.0 1.2", .keys = "RSA", .not_after = 900000 });
	add(&fleet, &(struct recipe){ .host = "c.x", .versions = "1.0", .keys = "ECDSA", .not_after = 90000000 });
	add(&fleet, &(struct recipe){ .host = "d.x", .verdict = "no-starttls" });
	add(&fleet, &(struct recipe){ .host = "e.x", .verdict = "rate-limited", .versions = "1.2" });
	fleet_sum(&fleet, 1000000, &s);
	assert_int_equal(s.servers, 5);
	assert_int_equal(s.tls, 3);
	assert_int_equal(s.without_tls, 1);
	assert_int_equal(s.unknown, 1);
	assert_int_equal(s.without_13, 2);
	assert_int_equal(s.below_12, 1);
	assert_int_equal(s.older, 2);
	assert_int_equal(s.both, 1);
	assert_int_equal(s.rsa_only, 1);
	assert_int_equal(s.ecdsa_only, 1);
	assert_int_equal(s.expired, 1);
	assert_int_equal(s.expiring, 1);
	assert_int_equal(s.untrusted, 0);
}

static void on_odd(void *arg, const struct fleet_host *h, const struct fault *f)
{
	assert_int_equal(f->code, FAULT_SCAN_ODD_ONE);
	buf_addf(&told, "%.*s lacks %.*s has %.*s;", SPAN_ARG(h->place), SPAN_ARG(fault_value(f, "lacks")),
		SPAN_ARG(fault_value(f, "has")));
}

static const char *oddities(void)
{
	buf_reset(&told);
	fleet_odd(&fleet, on_odd, NULL);
	return buf_text(&told);
}

static void test_the_odd_one(void **state)
{
	add(&fleet,
		&(struct recipe){ .host = "mx1.x.de", .versions = "1.2 1.3", .keys = "RSA ECDSA", .suites = "A B" });
	add(&fleet, &(struct recipe){ .host = "mx2.x.de", .versions = "1.2 1.3", .keys = "RSA", .suites = "A C" });
	assert_string_equal(oddities(), "");
	add(&fleet,
		&(struct recipe){ .host = "mx3.x.de", .versions = "1.2 1.3", .keys = "RSA ECDSA", .suites = "A B" });
	assert_string_equal(oddities(), "mx2.x.de lacks ECDSA certificate, suite B has suite C;");
	/* Elsewhere, or without TLS: none of theirs. */
	add(&fleet, &(struct recipe){ .host = "mx4.y.de", .versions = "1.0", .keys = "RSA" });
	add(&fleet, &(struct recipe){ .host = "mx5.x.de", .verdict = "unreachable" });
	assert_string_equal(oddities(), "mx2.x.de lacks ECDSA certificate, suite B has suite C;");
	/* Not all suites are known any more. */
	add(&fleet, &(struct recipe){ .host = "mx6.x.de", .versions = "1.2 1.3", .keys = "RSA ECDSA", .quick = true });
	assert_string_equal(oddities(), "mx2.x.de lacks ECDSA certificate has nothing;");
}

static void test_diversity_is_not_odd(void **state)
{
	add(&fleet, &(struct recipe){ .host = "192.0.2.1", .versions = "1.2", .keys = "RSA", .issuer = "A" });
	add(&fleet, &(struct recipe){ .host = "192.0.2.2", .versions = "1.2", .keys = "RSA", .issuer = "B" });
	add(&fleet, &(struct recipe){ .host = "192.0.2.77", .versions = "1.2", .keys = "RSA", .issuer = "C" });
	assert_string_equal(oddities(), "");
	add(&fleet, &(struct recipe){ .host = "192.0.3.1", .versions = "1.2", .keys = "RSA", .issuer = "D" });
	assert_string_equal(oddities(), "");
}

/* Two of twenty have been forgotten; three of twenty are a habit. */
static void test_a_tenth(void **state)
{
	char host[32];

	for (unsigned i = 0; i < 18; i++) {
		snprintf(host, sizeof(host), "mx%u.x.de", i);
		add(&fleet, &(struct recipe){ .host = host, .versions = "1.2 1.3", .keys = "RSA" });
	}
	add(&fleet, &(struct recipe){ .host = "old1.x.de", .versions = "1.2", .keys = "RSA" });
	add(&fleet, &(struct recipe){ .host = "old2.x.de", .versions = "1.2", .keys = "RSA" });
	assert_string_equal(oddities(), "old1.x.de lacks TLS 1.3 has nothing;old2.x.de lacks TLS 1.3 has nothing;");
	add(&fleet, &(struct recipe){ .host = "old3.x.de", .versions = "1.2", .keys = "RSA" });
	assert_string_equal(oddities(), "");
}

static void on_change(void *arg, const struct fleet_change *c)
{
	buf_addf(&told, "%.*s:", SPAN_ARG(c->is ? c->is->place : c->was->place));
	buf_add_text(&told, !c->was ? " new" : !c->is ? " gone" : c->verdict ? " verdict" : "");
	for (unsigned i = 0; i < c->gained_n; i++)
		buf_addf(&told, " +%.*s", SPAN_ARG(c->gained[i]->name));
	for (unsigned i = 0; i < c->lost_n; i++)
		buf_addf(&told, " -%.*s", SPAN_ARG(c->lost[i]->name));
	buf_addf(&told, c->new_certs ? " renewed %u;" : ";", c->new_certs);
}

static void test_changes(void **state)
{
	add(&fleet, &(struct recipe){ .host = "a.x", .versions = "1.0 1.2", .keys = "RSA", .suites = "A B" });
	add(&fleet, &(struct recipe){ .host = "b.x", .versions = "1.2", .keys = "RSA", .suites = "A" });
	add(&fleet, &(struct recipe){ .host = "c.x", .versions = "1.2", .keys = "RSA" });
	add(&other, &(struct recipe){ .host = "a.x", .versions = "1.2 1.3", .keys = "ECDSA", .suites = "B C" });
	add(&other, &(struct recipe){ .host = "b.x", .versions = "1.2", .keys = "RSA", .quick = true, .sha256 = "bb" });
	add(&other, &(struct recipe){ .host = "d.x" });
	fleet_compare(&fleet, &other, on_change, NULL);
	/* Versions were asked of one side only where they stand on one side only. */
	assert_string_equal(buf_text(&told), "a.x: +ECDSA +C -RSA -A;b.x: renewed 1;d.x: new;c.x: gone;");
	buf_reset(&told);
	fleet_compare(&fleet, &fleet, on_change, NULL);
	assert_int_equal(told.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sums, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_odd_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_diversity_is_not_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_tenth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
