/* Evidence: what is told comes back from the store, added up; what is kept in memory; bounds. */
#include "evidence_unit.h"
#include "base/clock.h"
#include "base/rand.h"

/* ---- hellos ---- */

/* A TLS 1.2 hello with these suites (hexadecimal), and random bytes where real ones have them. */
static struct span hello_of(const char *suites)
{
	static uint8_t bytes[8][512];
	static unsigned next;
	uint8_t *p = bytes[next++ % 8], random[32];
	size_t n = strlen(suites) / 2, at = 43;

	rand_bytes(random, sizeof(random));
	memset(p, 0, 512);
	memcpy(p + 5, (uint8_t[]){ 1, 0, 0, 0, 3, 3 }, 6);
	memcpy(p + 11, random, 32);
	p[at++] = 0; /* session id */
	p[at++] = 0;
	p[at++] = (uint8_t)n;
	assert_int_equal(span_from_hex(span_of(suites), p + at, n), 0);
	at += n;
	p[at++] = 1;
	p[at++] = 0; /* compression */
	p[8] = (uint8_t)(at - 9);
	memcpy(p, (uint8_t[]){ 0x16, 3, 1, 0, (uint8_t)(at - 5) }, 5);
	return span_make(p, at);
}

static void test_hellos_are_the_same_by_what_they_offer(void **state)
{
	uint8_t one[STORE_FINGERPRINT], other[STORE_FINGERPRINT];
	struct span hello = hello_of("c02fc030"), cut;
	char behind[600];

	cut = evidence_hello_cut(hello, one);
	assert_true(span_eq(cut, hello));
	assert_false(span_eq(hello, hello_of("c02fc030")));
	evidence_hello_cut(hello_of("c02fc030"), other);
	assert_memory_equal(one, other, sizeof(one));
	evidence_hello_cut(hello_of("c030c02f"), other);
	assert_memory_not_equal(one, other, sizeof(one));
	/* GREASE is drawn anew each time. */
	evidence_hello_cut(hello_of("3a3ac02f"), one);
	evidence_hello_cut(hello_of("fafac02f"), other);
	assert_memory_equal(one, other, sizeof(one));
	/* What came behind it is no part of it. */
	memcpy(behind, hello.p, hello.n);
	memset(behind + hello.n, 0x17, 100);
	assert_int_equal(evidence_hello_cut(span_make(behind, hello.n + 100), one).n, hello.n);
}

static void test_bytes_that_are_no_hello(void **state)
{
	uint8_t one[STORE_FINGERPRINT], other[STORE_FINGERPRINT];
	char bytes[200];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(evidence_hello_cut(span_make(bytes, sizeof(bytes)), one).n, 64);
	assert_int_equal(evidence_hello_cut(SPAN("EHLO mx.example\r\n"), other).n, 17);
	assert_memory_equal(one, other, sizeof(one));
	assert_int_equal(evidence_hello_cut(SPAN(""), other).n, 0);
	/* Every beginning of a hello, and records that say what they are not. */
	for (size_t n = 0; n < hello_of("c02f").n; n++)
		assert_true(evidence_hello_cut(span_sub(hello_of("c02f"), 0, n), one).n <= n);
	assert_true(evidence_hello_cut(SPAN("\x16\x03\x01\xff\xff\x01\xff\xff\xff\x03\x03"), one).n <= 11);
}

/* ---- what is written ---- */

/* The founding case as evidence: a handshake that fails, plaintext that is refused, then the remedy
 * and the mail. */
static void test_a_peer_from_failure_to_mail(void **state)
{
	struct evidence_peer p = peer("185.132.180.43", "MX07.example.com");
	struct span hello = hello_of("c030009f");

	fail_handshake("185.132.180.43", "MX07.example.com", FAULT_TLS_NO_RSA_CERT, hello, NOW);
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("a.example"), NOW + 1), 0);
	evidence_refused(evidence,
		&(struct evidence_refusal){ .peer = p,
			.domain = SPAN("A.example"),
			.sender = SPAN("s@b.example"),
			.recipient = SPAN("r@a.example"),
			.code = FAULT_MAIL_TLS_REQUIRED,
			.earlier = FAULT_TLS_NO_RSA_CERT,
			.at = NOW + 1 });
	shake_hands("185.132.180.44", "mx07.example.com", hello_of("c030009f"), NOW + 60);
	deliver("185.132.180.44", "mx07.example.com", "TLSv1.3", DOMAIN_TLS_REQUIRE, NOW + 61);
	assert_string_equal(written(PEERS),
		"185.132.180.0/24 mx07.example.com 185.132.180.44 tls=1 failed=1 refused=1 mails=1 clear=0 TLSv1.3 RSA "
		"at=0..61 [0 TLS-NO-RSA-CERT proof=ECDHE-RSA-AES256-GCM-SHA384]\n");
	assert_string_equal(rows(FAILED_PEERS), rows(PEERS));
	assert_string_equal(rows(HELLOS), "mx07.example.com 52 bytes ok=1 failed=1 at=0..60\n");
	assert_string_equal(rows(FAILURES),
		"185.132.180.0/24 mx07.example.com TLS-NO-RSA-CERT 1 times at=0..0 proof=ECDHE-RSA-AES256-GCM-SHA384\n");
	assert_string_equal(rows(REFUSALS),
		"a.example: mx07.example.com <s@b.example> to <r@a.example> 1 times at=1..1 code=MAIL-TLS-REQUIRED "
		"earlier=TLS-NO-RSA-CERT\n");
	assert_string_equal(rows(MAILS),
		"0 TLSv1.3 TLS_AES_256_GCM_SHA384 hop=TLSv1.2 delivered: 1 mails, 2 recipients, 1000 bytes\n");
}

static void test_counts_are_added_to_what_is_there(void **state)
{
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 10; k++)
			deliver("192.0.2.1", "mx.b.example", k < 7 ? "TLSv1.3" : NULL, DOMAIN_TLS_OFF, NOW + i);
		fail_handshake("192.0.2.1", "mx.b.example", FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW + i);
		restart();
	}
	deliver("192.0.2.1", "mx.b.example", NULL, DOMAIN_TLS_OFF, NOW + 86400);
	assert_string_equal(written(MAILS),
		"0 TLSv1.3 TLS_AES_256_GCM_SHA384 hop=TLSv1.2 delivered: 21 mails, 42 recipients, 21000 bytes\n"
		"0   hop=TLSv1.2 delivered: 9 mails, 18 recipients, 9000 bytes\n"
		"1   hop=TLSv1.2 delivered: 1 mails, 2 recipients, 1000 bytes\n");
	assert_string_equal(rows(FAILURES), "192.0.2.0/24 mx.b.example TLS-SUITES-DISJOINT 3 times at=0..2 proof=\n");
	assert_string_equal(rows(REFUSALS), "");
}

static void test_reporting_writes_down_who_came_in_the_clear(void **state)
{
	deliver("192.0.2.1", "mx.b.example", NULL, DOMAIN_TLS_REPORT, NOW);
	deliver("192.0.2.1", "mx.b.example", NULL, DOMAIN_TLS_REPORT, NOW + 5);
	deliver("192.0.2.1", "mx.b.example", "TLSv1.2", DOMAIN_TLS_REPORT, NOW + 6);
	assert_string_equal(written(REFUSALS),
		"a.example: mx.b.example <s@b.example> to <r@a.example> 2 times at=0..5 code= earlier=\n");
}

static void test_scans_are_not_kept(void **state)
{
	fail_handshake("192.0.2.1", "", FAULT_TLS_PEER_LEFT, SPAN(""), NOW);
	assert_string_equal(written(PEERS), "");
	assert_string_equal(rows(FAILURES), "");
}

static void test_texts_are_made_safe(void **state)
{
	fail_handshake("192.0.2.1", "MX\n\x1b[31m\xff", FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW);
	assert_string_equal(written(FAILURES),
		"192.0.2.0/24 mx\\x0a\\x1b[31m\\xff TLS-SUITES-DISJOINT 1 times at=0..0 proof=\n");
}

static int print_certificate(void *arg, const struct store_certificate *c)
{
	buf_addf(arg, "%.*s %.*s %u %s%d..%d ", SPAN_ARG(c->name), SPAN_ARG(c->key), (unsigned)c->bits,
		c->self_signed ? "self " : "", (int)(c->first_at - NOW), (int)(c->last_at - NOW));
	return 0;
}

static const char *certificates(int64_t from, int64_t to)
{
	static char text[512];
	struct buf out = BUF_INIT(sizeof(text) - 1);
	struct store *s;

	restart();
	s = open_store(false);
	assert_int_equal(store_certificate_each(s, SPAN("mx.a.example"), from, to, print_certificate, &out, &fault), 0);
	store_close(s);
	snprintf(text, sizeof(text), "%s", buf_text(&out));
	buf_done(&out);
	return text;
}

static void ignore_fault(void *arg, const struct fault *f)
{
}

static void write_file(const char *name, const struct buf *bytes)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	f = fopen(file, "w");
	assert_int_equal(fwrite(bytes->p, 1, bytes->n, f), bytes->n);
	fclose(f);
}

/* A set with one pair, for mx.a.example. */
static struct tls_set *make_set(void)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 60 };
	struct buf cert = BUF_INIT(1 << 16), key = BUF_INIT(1 << 16);
	struct span name = SPAN("mx.a.example"), where = span_of(folder);
	struct tls_files *files;
	struct tls_set *set;

	assert_int_equal(tls_self_signed(TLS_KEY_ECDSA, &name, 1, 30, &cert, &key), 0);
	write_file("mx.crt", &cert);
	write_file("mx.key", &key);
	buf_done(&cert);
	buf_done(&key);
	files = tls_files_read(&where, 1);
	set = tls_set_build(files, &settings, NULL, ignore_fault, NULL);
	tls_files_free(files);
	return set;
}

static void test_certificates(void **state)
{
	struct span name = SPAN("MX.a.example");
	struct tls_set *set = make_set();

	evidence_certificates(evidence, set, name, NOW);
	evidence_certificates(evidence, set, name, NOW + 60);
	assert_string_equal(certificates(NOW - 10, NOW + 10), "mx.a.example ECDSA 256 self 0..0 ");
	evidence_certificates(evidence, set, name, NOW + 7200);
	assert_string_equal(certificates(NOW + 100, NOW + 200), "mx.a.example ECDSA 256 self 0..7200 ");
	assert_string_equal(certificates(NOW + 7201, NOW + 9000), "");
	assert_string_equal(certificates(NOW - 100, NOW), "");
	tls_set_unref(set);
}

static void test_no_evidence_is_fine(void **state)
{
	struct evidence_peer p = peer("192.0.2.1", "mx");
	struct fault f;
	int64_t ago;

	assert_false(evidence_earlier(NULL, &p, NOW, &f, &ago));
	assert_int_equal(evidence_plaintext(NULL, &p, SPAN("a.example"), NOW), 0);
	assert_false(evidence_fault(NULL, &f));
	assert_null(evidence_free(NULL));
}

/* ---- what is known ---- */

static bool earlier(const char *addr, const char *helo, int64_t now, enum fault_code *ret_code, int64_t *ret_ago)
{
	struct evidence_peer p = peer(addr, helo);
	struct fault f;
	bool found = evidence_earlier(evidence, &p, now, &f, ret_ago);

	if (found)
		*ret_code = f.code;
	return found;
}

static void test_earlier_failures(void **state)
{
	enum fault_code code = 0;
	int64_t ago = 0;

	fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), NOW);
	assert_true(earlier("192.0.2.1", "mx1.b.example", NOW + 1, &code, &ago));
	assert_int_equal(code, FAULT_TLS_NO_RSA_CERT);
	assert_int_equal(ago, 1);
	/* The same name from the same network, not from elsewhere; another name from the same
	 * network is another peer. */
	assert_true(earlier("192.0.2.9", "MX1.b.example", NOW + 600, &code, &ago));
	assert_false(earlier("192.0.3.1", "mx1.b.example", NOW + 1, &code, &ago));
	assert_false(earlier("192.0.2.9", "mx2.b.example", NOW + 1, &code, &ago));
	assert_false(earlier("192.0.2.9", "", NOW + 1, &code, &ago));
	assert_false(earlier("192.0.2.1", "mx1.b.example", NOW + 601, &code, &ago));
	/* The latest counts; the same address before the same name. */
	fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW + 10);
	fail_handshake("192.0.2.2", "mx1.b.example", FAULT_TLS_GROUPS_DISJOINT, SPAN(""), NOW + 20);
	assert_true(earlier("192.0.2.1", "mx1.b.example", NOW + 21, &code, &ago));
	assert_int_equal(code, FAULT_TLS_SUITES_DISJOINT);
	assert_int_equal(ago, 11);
}

/* Two mail servers behind one address: neither is told of the other's failure. Who failed before it
 * said a name may be either. */
static void test_two_peers_behind_one_address(void **state)
{
	enum fault_code code = 0;
	int64_t ago = 0;

	fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), NOW);
	assert_false(earlier("192.0.2.1", "mx2.b.example", NOW + 1, &code, &ago));
	fail_handshake("192.0.2.1", "mx2.b.example", FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW + 1);
	assert_true(earlier("192.0.2.1", "mx1.b.example", NOW + 2, &code, &ago));
	assert_int_equal(code, FAULT_TLS_NO_RSA_CERT);
	fail_handshake("192.0.2.1", "", FAULT_TLS_GROUPS_DISJOINT, SPAN(""), NOW + 2);
	assert_true(earlier("192.0.2.1", "mx3.b.example", NOW + 3, &code, &ago));
	assert_int_equal(code, FAULT_TLS_GROUPS_DISJOINT);
	assert_true(earlier("192.0.2.1", "mx1.b.example", NOW + 3, &code, &ago));
	assert_int_equal(code, FAULT_TLS_NO_RSA_CERT);
	fail_handshake("192.0.2.7", "*", FAULT_TLS_GROUPS_DISJOINT, SPAN(""), NOW);
	assert_true(earlier("192.0.2.7", "mx3.b.example", NOW + 3, &code, &ago));
}

static void test_earlier_failures_survive_the_worker(void **state)
{
	int64_t now = clock_wall_s(), ago = 0;
	enum fault_code code = 0;

	fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), now - 700);
	fail_handshake("192.0.3.1", "mx2.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), now - 5);
	restart();
	wait_until_loaded();
	assert_true(earlier("192.0.3.1", "mx2.b.example", now, &code, &ago));
	assert_int_equal(code, FAULT_TLS_NO_RSA_CERT);
	assert_int_equal(ago, 5);
	assert_false(earlier("192.0.2.1", "mx1.b.example", now, &code, &ago));
}

/* What a worker reads at its beginning does not hide what came meanwhile. */
static void test_what_is_read_late(void **state)
{
	enum fault_code code = 0;
	struct fault old;
	int64_t ago = 0;

	fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW + 10);
	fail_handshake("192.0.2.2", "mx1.b.example", FAULT_TLS_GROUPS_DISJOINT, SPAN(""), NOW + 20);
	fault_set(&old, FAULT_TLS_NO_RSA_CERT);
	pthread_mutex_lock(&evidence->lock);
	recent_add(evidence, "192.0.2.0/24", "192.0.2.1", SPAN("mx1.b.example"), NOW, &old);
	recent_add(evidence, "192.0.2.0/24", "192.0.2.3", SPAN("mx1.b.example"), NOW, &old);
	pthread_mutex_unlock(&evidence->lock);
	assert_true(earlier("192.0.2.1", "mx1.b.example", NOW + 30, &code, &ago));
	assert_int_equal(code, FAULT_TLS_SUITES_DISJOINT);
	assert_true(earlier("192.0.2.9", "mx1.b.example", NOW + 30, &code, &ago));
	assert_int_equal(code, FAULT_TLS_GROUPS_DISJOINT);
	assert_true(earlier("192.0.2.3", "mx1.b.example", NOW + 30, &code, &ago));
	assert_int_equal(code, FAULT_TLS_NO_RSA_CERT);
}

/* One network that fails all the time does not push out what is known of others. */
static void test_a_flood_of_failures(void **state)
{
	enum fault_code code;
	char helo[32];
	int64_t ago;

	fail_handshake("198.51.100.1", "mx.c.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), NOW);
	for (int i = 0; i < 3000; i++) {
		snprintf(helo, sizeof(helo), "mx%d.b.example", i);
		fail_handshake("192.0.2.1", helo, FAULT_TLS_SUITES_DISJOINT, SPAN(""), NOW);
	}
	assert_true(earlier("198.51.100.1", "mx.c.example", NOW, &code, &ago));
	assert_int_equal(evidence->recent_n, 17);
	written(FAILURES);
	unsigned lines = 0, many = 0;

	for (const char *p = rows(FAILURES); *p; p = strchr(p, '\n') + 1) {
		lines++;
		many += strstr(p, "192.0.2.0/24 * TLS-SUITES-DISJOINT ") == p;
	}
	/* 32, one for the rest, and the other network's. */
	assert_int_equal(lines, STORE_ROWS_PER_HOUR + 2);
	assert_int_equal(many, 1);
	assert_non_null(strstr(rows(FAILURES), "192.0.2.0/24 * TLS-SUITES-DISJOINT 2968 times"));
	lines = 0;
	for (const char *p = rows(PEERS); *p; p = strchr(p, '\n') + 1)
		lines++;
	assert_int_equal(lines, STORE_PEERS_PER_NETWORK + 1);
}

static void test_graces(void **state)
{
	struct evidence_peer p = peer("192.0.2.1", "mx1.b.example"), q = peer("192.0.2.1", "mx2.b.example");
	struct evidence_peer neighbour = peer("192.0.2.200", "MX1.b.example");

	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("a.example"), NOW), 0);
	assert_int_equal(evidence_plaintext(evidence, &neighbour, SPAN("A.example"), NOW + 10), 10);
	assert_int_equal(evidence_plaintext(evidence, &q, SPAN("a.example"), NOW + 10), 0);
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("c.example"), NOW + 10), 0);
	/* A clock that was set back. */
	assert_int_equal(evidence_plaintext(evidence, &q, SPAN("a.example"), NOW), 0);
	restart();
	wait_until_loaded();
	p = peer("192.0.2.1", "mx1.b.example");
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("a.example"), NOW + 14400), 14400);
	/* Mail that came encrypted ends it, now and for the next worker. */
	deliver("192.0.2.1", "mx1.b.example", "TLSv1.3", DOMAIN_TLS_REQUIRE, NOW + 14401);
	restart();
	wait_until_loaded();
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("a.example"), NOW + 14402), 0);
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("c.example"), NOW + 14402), 14392);
	/* So does a long time. */
	assert_int_equal(evidence_plaintext(evidence, &p, SPAN("a.example"), NOW + 14402 + EVIDENCE_FORGET_S + 1), 0);
}

static unsigned graces_known(void)
{
	unsigned n;

	pthread_mutex_lock(&evidence->lock);
	n = (unsigned)evidence->graces.count;
	pthread_mutex_unlock(&evidence->lock);
	return n;
}

static void test_graces_are_bounded(void **state)
{
	char helo[32];

	for (int i = 0; i < EVIDENCE_GRACES_MAX + 10; i++) {
		struct evidence_peer p;

		snprintf(helo, sizeof(helo), "mx%d.example", i);
		p = peer("192.0.2.1", helo);
		evidence_plaintext(evidence, &p, SPAN("a.example"), NOW + i);
	}
	assert_int_equal(graces_known(), EVIDENCE_GRACES_MAX);
	restart();
	wait_until_loaded();
	/* Of the store, too: the oldest are gone. */
	for (int i = 0; i < 2000 && graces_known() < EVIDENCE_GRACES_MAX; i++)
		usleep(5000);
	pthread_mutex_lock(&evidence->lock);
	assert_int_equal(evidence->graces.count, EVIDENCE_GRACES_MAX);
	assert_null(map_find(&evidence->graces, SPAN("192.0.2.0/24\nmx9.example\na.example")));
	pthread_mutex_unlock(&evidence->lock);
}

/* ---- threads ---- */

static void *tell_much(void *arg)
{
	for (int i = 0; i < 500; i++) {
		deliver_from(*(const struct evidence_peer *)arg, "TLSv1.3", DOMAIN_TLS_OFF, NOW);
		if (i % 100 == 0)
			usleep(1000);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	struct evidence_peer p = peer("192.0.2.1", "mx.b.example");
	pthread_t threads[4];

	for (size_t i = 0; i < array_len(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, tell_much, &p), 0);
	for (size_t i = 0; i < array_len(threads); i++)
		pthread_join(threads[i], NULL);
	assert_non_null(strstr(written(MAILS), "delivered: 2000 mails, 4000 recipients, 2000000 bytes"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_evidence, remove_evidence)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hellos_are_the_same_by_what_they_offer),
		cmocka_unit_test(test_bytes_that_are_no_hello),
		TEST(test_a_peer_from_failure_to_mail),
		TEST(test_counts_are_added_to_what_is_there),
		TEST(test_reporting_writes_down_who_came_in_the_clear),
		TEST(test_scans_are_not_kept),
		TEST(test_texts_are_made_safe),
		TEST(test_certificates),
		cmocka_unit_test(test_no_evidence_is_fine),
		TEST(test_earlier_failures),
		TEST(test_earlier_failures_survive_the_worker),
		TEST(test_what_is_read_late),
		TEST(test_two_peers_behind_one_address),
		TEST(test_a_flood_of_failures),
		TEST(test_graces),
		TEST(test_graces_are_bounded),
		TEST(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
