/* What a probe's answers mean: how old the software is, what is wrong; hosts of a scan as people
 * write them. */
#include "../tls/maker.h"
#include <time.h>
#include "survey/scan.h"

static struct arena arena;
static struct probe probe;
static const struct probe_settings settings = { .smtp = true };
static struct fault found[PROBE_FINDINGS_MAX];

static int set_up(void **state)
{
	arena_init(&arena, 4096);
	probe = (struct probe){ .settings = &settings, .host = SPAN("mx.example.net"), .arena = &arena };
	return 0;
}

static int tear_down(void **state)
{
	arena_done(&arena);
	return 0;
}

/* ---- age ---- */

static void assert_age(unsigned year, const char *word)
{
	struct probe_age a = probe_age(&probe);

	assert_int_equal(a.year, year);
	assert_string_equal(a.word_en, word);
	assert_true(a.rule_en[0] && a.rule_de[0]);
}

static void test_ages(void **state)
{
	assert_age(0, "unknown");
	probe.versions[PROBE_SSL2] = PROBE_YES;
	assert_age(1995, "ancient");
	probe.versions[PROBE_SSL3] = PROBE_YES;
	assert_age(1999, "ancient");
	probe.versions[PROBE_TLS10] = PROBE_YES;
	offer_add(&probe.suites, 0x0005); /* RC4-SHA */
	assert_age(2003, "ancient");
	offer_add(&probe.suites, 0x002f); /* AES128-SHA */
	assert_age(2006, "ancient");
	offer_add(&probe.suites, 0xc013); /* ECDHE-RSA-AES128-SHA */
	assert_age(2010, "old");
	probe.versions[PROBE_TLS12] = PROBE_YES;
	assert_age(2013, "old");
	offer_add(&probe.suites, 0xc02f); /* … with GCM */
	assert_age(2015, "dated");
	offer_add(&probe.groups, 29); /* X25519 */
	assert_age(2016, "dated");
	probe.versions[PROBE_TLS13] = PROBE_YES;
	assert_age(2018, "current");
	offer_add(&probe.groups, 0x11ec);
	assert_age(2024, "current");
}

/* ---- findings ---- */

static bool has(enum fault_code code)
{
	unsigned n = probe_findings(&probe, 1700000000, found);

	for (unsigned i = 0; i < n; i++)
		if (found[i].code == code)
			return true;
	return false;
}

static void test_every_verdict_has_its_finding(void **state)
{
	assert_int_equal(probe_findings(&probe, 1, found), 0);
	for (enum probe_verdict v = PROBE_TLS + 1; v < PROBE_VERDICT_COUNT; v++) {
		probe.verdict = v;
		assert_int_equal(probe_findings(&probe, 1, found), 1);
		assert_int_not_equal(found[0].code, FAULT_NONE);
		assert_string_not_equal(probe_verdict_text(v, FAULT_DE), "");
		assert_string_not_equal(probe_verdict_word(v), "tls");
	}
}

static void test_what_is_old(void **state)
{
	probe.versions[PROBE_TLS12] = probe.versions[PROBE_SSL3] = PROBE_YES;
	offer_add(&probe.suites, 0xc02f);
	offer_add(&probe.suites, 0x000a);
	offer_add(&probe.suites, 0x0003);
	assert_true(has(FAULT_SCAN_OBSOLETE));
	assert_span(fault_value(&found[0], "what"), "SSL 3, export suites of the 1990s, 3DES");
	probe.versions[PROBE_TLS12] = PROBE_NO;
	probe.versions[PROBE_TLS11] = PROBE_YES;
	assert_true(has(FAULT_SCAN_OLD_VERSION));
	offer_remove(&probe.suites, 0xc02f);
	assert_true(has(FAULT_SCAN_ONLY_OBSOLETE));
	probe.dh_bits = 1024;
	assert_true(has(FAULT_SCAN_WEAK_DH));
	probe.compression = probe.no_secure_renegotiation = probe.suite_not_offered = true;
	assert_true(has(FAULT_SCAN_COMPRESSION) && has(FAULT_TLS_NO_SECURE_RENEGOTIATION) &&
		has(FAULT_TLS_SUITE_NOT_OFFERED));
}

static void test_weaknesses(void **state)
{
	static const struct {
		uint16_t suite;
		unsigned are;
	} suites[] = {
		{ 0x1301, 0 },
		{ 0xc02f, 0 },
		{ 0x002f, 0 },
		{ 0x0005, OFFER_RC4 },
		{ 0xc012, OFFER_3DES },
		{ 0x0009, OFFER_DES },
		{ 0x0007, OFFER_IDEA },
		{ 0x0003, OFFER_EXPORT },
		{ 0x0062, OFFER_EXPORT }, /* 56 bits */
		{ 0x0064, OFFER_EXPORT },
		{ 0x0017, OFFER_EXPORT | OFFER_ANON },
		{ 0x0002, OFFER_NULL },
		{ 0xc015, OFFER_NULL | OFFER_ANON },
		{ 0x006d, OFFER_ANON },
		{ 0xc018, OFFER_ANON },
		{ 0x001b, OFFER_3DES | OFFER_ANON },
	};
	struct offer weak, classic;

	offer_suites_weak(&weak);
	offer_suites_classic(&classic);
	for (size_t i = 0; i < array_len(suites); i++) {
		assert_int_equal(offer_weaknesses(suites[i].suite), suites[i].are);
		assert_int_equal(offer_has(&weak, suites[i].suite), suites[i].are != 0);
	}
	assert_true(offer_has(&classic, 0x009e) && offer_has(&classic, 0x002f));
	assert_false(offer_has(&classic, 0xc02f) || offer_has(&classic, 0x000a) || offer_has(&classic, 0x00a2));
}

/* ---- certificates ---- */

static struct span der_of(const struct made *m)
{
	unsigned char *der = NULL;
	int n = i2d_X509(m->x, &der);
	struct span copy;

	assert_true(n > 0);
	copy = arena_span(&arena, span_make(der, (size_t)n));
	OPENSSL_free(der);
	return copy;
}

/* The probe's one certificate: made by the recipe, sent alone, judged now. */
static struct probe_cert *serve(const struct recipe *recipe)
{
	static struct x509_store_st *store;
	struct made m = make(recipe);
	struct span der = der_of(&m);

	if (!store)
		store = probe_store_new(NULL);
	probe.certs_n = 1;
	probe.certs[0] = probe_cert_read(&der, 1, probe.host, store, time(NULL), &arena);
	assert_non_null(probe.certs[0]);
	return probe.certs[0];
}

static bool has_now(enum fault_code code)
{
	unsigned n = probe_findings(&probe, time(NULL), found);

	for (unsigned i = 0; i < n; i++)
		if (found[i].code == code)
			return true;
	return false;
}

static void test_a_certificate(void **state)
{
	const struct probe_cert *c = serve(
		&(struct recipe){ .cn = "mx.example.net", .san = "DNS:mx.example.net,DNS:*.example.org,IP:192.0.2.7" });

	assert_int_equal(c->type, TLS_KEY_ECDSA);
	assert_string_equal(c->key, "ECDSA P-256");
	assert_int_equal(c->names_n, 3);
	assert_span(c->names[1], "*.example.org");
	assert_span(c->names[2], "192.0.2.7");
	assert_int_equal(c->name_fits, PROBE_YES);
	assert_true(c->self_signed && c->for_servers && !c->weak_signature && !c->must_staple);
	assert_true(c->not_before < time(NULL) && c->not_after > time(NULL) + 80 * DAY);
	assert_true(has_now(FAULT_TLS_CERT_SELF_SIGNED));
	assert_false(has_now(FAULT_TLS_CERT_NAME) || has_now(FAULT_TLS_CERT_EXPIRED));
	assert_true(has_now(FAULT_SCAN_ECDSA_ONLY));
}

static void test_names_that_do_not_fit(void **state)
{
	serve(&(struct recipe){ .san = "DNS:*.net,DNS:mx.example.net.example" });
	assert_true(has_now(FAULT_TLS_CERT_NAME));
	serve(&(struct recipe){ .cn = "evil\n\033[31m.example" });
	assert_true(has_now(FAULT_TLS_CERT_NAME));
	assert_null(strpbrk(probe.certs[0]->subject, "\n\033"));
	assert_true(span_index(probe.certs[0]->names[0], '\033') < 0);
	probe.host = SPAN("192.0.2.7"); /* scanned by address: nobody knows which name was meant */
	serve(&(struct recipe){ .san = "DNS:*.example.net" });
	assert_false(has_now(FAULT_TLS_CERT_NAME));
}

static void test_dates(void **state)
{
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .from_s = -30 * DAY, .until_s = -DAY });
	assert_true(has_now(FAULT_TLS_CERT_EXPIRED));
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .from_s = 2 * DAY, .until_s = 90 * DAY });
	assert_true(has_now(FAULT_TLS_CERT_NOT_YET_VALID));
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .until_s = 3 * DAY });
	assert_true(has_now(FAULT_SCAN_CERT_EXPIRES));
}

static void test_what_else_is_wrong_with_one(void **state)
{
	struct made root = make(&(struct recipe){ .cn = "Root", .key = maker_key(TLS_KEY_RSA, 1), .ca = true });

	serve(&(struct recipe){ .san = "DNS:mx.example.net", .by = &root });
	assert_true(has_now(FAULT_TLS_CERT_NO_CHAIN));
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .key = maker_weak_key() });
	assert_true(has_now(FAULT_TLS_CERT_WEAK));
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .digest = EVP_sha1() });
	assert_true(has_now(FAULT_TLS_CERT_WEAK));
	serve(&(struct recipe){ .san = "DNS:mx.example.net", .extended = "clientAuth" });
	assert_true(has_now(FAULT_TLS_CERT_NOT_FOR_SERVERS));
	assert_true(serve(&(struct recipe){ .san = "DNS:mx.example.net", .must_staple = true })->must_staple);
	assert_null(probe_cert_read((const struct span[]){ SPAN("garbage") }, 1, probe.host, NULL, 0, &arena));
	assert_null(probe_cert_read(NULL, 0, probe.host, NULL, 0, &arena));
}

static struct span record(uint8_t usage, uint8_t selector, uint8_t matching, struct span data)
{
	char *p = arena_alloc(&arena, 3 + data.n);

	p[0] = (char)usage;
	p[1] = (char)selector;
	p[2] = (char)matching;
	memcpy(p + 3, data.p, data.n);
	return span_make(p, 3 + data.n);
}

static enum probe_answer dane(struct span r)
{
	probe.certs[0]->dane = PROBE_NOT_ASKED;
	probe_dane(&probe, &r, 1);
	return probe.certs[0]->dane;
}

static void test_tlsa(void **state)
{
	struct made root = make(&(struct recipe){ .cn = "Root", .ca = true });
	struct probe_cert *c = serve(&(struct recipe){ .san = "DNS:mx.example.net", .by = &root });
	struct span spki = span_make(c->spki_sha256, 32), all = span_make(c->sha256, 32);

	assert_int_equal(dane(record(3, 1, 1, spki)), PROBE_YES);
	assert_int_equal(dane(record(3, 0, 1, all)), PROBE_YES);
	assert_int_equal(dane(record(3, 0, 0, c->chain[0])), PROBE_YES);
	assert_int_equal(dane(record(3, 1, 1, all)), PROBE_NO);
	assert_int_equal(dane(record(3, 1, 2, spki)), PROBE_NO);
	assert_int_equal(dane(record(2, 1, 1, spki)), PROBE_NO); /* a leaf is no CA */
	/* Not for SMTP, or malformed: as if there were none. */
	assert_int_equal(dane(record(1, 1, 1, spki)), PROBE_NOT_ASKED);
	assert_int_equal(dane(record(3, 2, 1, spki)), PROBE_NOT_ASKED);
	assert_int_equal(dane(record(3, 1, 1, SPAN(""))), PROBE_NOT_ASKED);
	assert_int_equal(dane(SPAN("\3")), PROBE_NOT_ASKED);
	/* The CA in the chain. */
	c->chain[c->chain_n++] = der_of(&root);
	assert_int_equal(dane(record(2, 0, 0, c->chain[1])), PROBE_YES);
	c->name_fits = PROBE_NO;
	assert_int_equal(dane(record(2, 0, 0, c->chain[1])), PROBE_NO);
}

/* ---- hosts ---- */

static void test_hosts(void **state)
{
	static const char *const good[] = { "mx.example.net", "MX.Example.net.", "mx.example.net:25",
		"mx.example.net:465", "192.0.2.1", "192.0.2.1:2525", "2001:db8::1", "[2001:db8::1]",
		"[2001:db8::1]:465", "a_b-c.example" };
	static const char *const bad[] = { "", ":25", "mx:", "mx:0", "mx:99999", "mx:x", "[::1", "[::1]x", "a b", "a/b",
		"-x", ".x", "ex\xc3\xa4mple" };
	struct scan s;

	scan_init(&s);
	s.port = 25;
	for (size_t i = 0; i < array_len(good); i++)
		assert_int_equal(scan_add(&s, span_of(good[i]), true), 0);
	for (size_t i = 0; i < array_len(bad); i++)
		assert_int_equal(scan_add(&s, span_of(bad[i]), true), -EINVAL);
	assert_int_equal(s.hosts_n, 7); /* some are the same */
	assert_int_equal(scan_find(&s, SPAN("mx.example.net"), 465)->port, 465);
	assert_span(scan_find(&s, SPAN("2001:db8::1"), 25)->name, "2001:db8::1");
	assert_null(scan_find(&s, SPAN("mx.example.net"), 26));
	scan_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_verdict_has_its_finding, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_old, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_weaknesses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_that_do_not_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_else_is_wrong_with_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tlsa, set_up, tear_down),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
