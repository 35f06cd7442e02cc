/* The prober's wire: hellos as another reader sees them; flights whole, cut, split over records,
 * and nonsense. */
#include "../unit.h"
#include "base/mem.h"
#include "probe/offer.h"
#include "tls/hello.h"

static struct arena arena;
static struct buf out;
static const uint8_t random_bytes[64] = { 1, 2, 3 };

static int set_up(void **state)
{
	arena_init(&arena, 1024);
	out = BUF_INIT(WIRE_FLIGHT_MAX * 2);
	return 0;
}

static int tear_down(void **state)
{
	arena_done(&arena);
	buf_done(&out);
	return 0;
}

/* ---- hellos ---- */

static const uint16_t suites[] = { 0x1301, 0xc02f, 0x0005 };
static const uint16_t groups[] = { 29, 23 };
static const uint16_t signatures[] = { 0x0403, 0x0804 };

static struct wire_hello hello_of(uint16_t version)
{
	return (struct wire_hello){ .version = version,
		.suites = { suites, 3 },
		.groups = { groups, 2 },
		.signatures = { signatures, 2 },
		.name = SPAN("mx.example.net") };
}

static struct tls_hello written(const struct wire_hello *h)
{
	struct tls_hello ret;

	buf_reset(&out);
	wire_hello_write(h, random_bytes, &out);
	assert_int_equal(tls_hello_parse(buf_span(&out), &arena, &ret), 0);
	assert_true(ret.complete);
	return ret;
}

static void assert_list(struct span list, const uint16_t *want, unsigned n)
{
	assert_int_equal(list.n, 2 * n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(tls_hello_u16(list, i), want[i]);
}

static void test_tls_13(void **state)
{
	static const uint16_t all[] = { 0x0304, 0x0303, 0x0302, 0x0301 };
	struct wire_hello h = hello_of(WIRE_TLS13);
	struct tls_hello got = written(&h);

	assert_int_equal(got.legacy_version, 0x0303);
	assert_list(got.versions, all, 4);
	assert_list(got.suites, suites, 3);
	assert_list(got.groups, groups, 2);
	assert_list(got.signatures, signatures, 2);
	assert_span(got.sni, "mx.example.net");
	/* the extension is there, without a share: that asks for a HelloRetryRequest */
	assert_non_null(got.shares.p);
	assert_int_equal(got.shares.n, 0);
	h.only = true;
	assert_list(written(&h).versions, all, 1);
}

static void test_tls_12_and_below(void **state)
{
	struct wire_hello h = hello_of(WIRE_TLS12);
	struct tls_hello got = written(&h);

	assert_int_equal(tls_hello_version(&got), WIRE_TLS12);
	assert_null(got.versions.p);
	assert_null(got.shares.p);
	assert_list(got.signatures, signatures, 2);
	h.version = WIRE_TLS10;
	got = written(&h);
	assert_int_equal(tls_hello_version(&got), WIRE_TLS10);
	assert_null(got.signatures.p);
	assert_list(got.groups, groups, 2);
}

static void test_ssl_3_has_no_extensions(void **state)
{
	static const uint16_t with_scsv[] = { 0x1301, 0xc02f, 0x0005, 0x00ff };
	struct wire_hello h = hello_of(WIRE_SSL3);
	struct tls_hello got = written(&h);

	assert_int_equal(got.legacy_version, WIRE_SSL3);
	assert_int_equal((uint8_t)out.p[2], 0);
	assert_null(got.groups.p);
	assert_int_equal(got.sni.n, 0);
	assert_list(got.suites, with_scsv, 4);
}

static void test_ssl_2(void **state)
{
	struct wire_hello h = hello_of(WIRE_SSL2);
	struct tls_hello got = written(&h);

	assert_true(got.v2);
	assert_int_equal(got.legacy_version, WIRE_SSL2);
	assert_int_equal(got.suites.n, 21);
}

/* Everything at once stays within what is allowed, and outside of what hangs some load
 * balancers. */
static void test_the_biggest(void **state)
{
	struct wire_hello h = hello_of(WIRE_TLS13);
	struct offer s, g, a;

	offer_suites(&s);
	offer_groups(&g);
	offer_signatures(&a);
	h.suites = offer_list(&s);
	h.groups = offer_list(&g);
	h.signatures = offer_list(&a);
	assert_int_equal(written(&h).suites.n, 2 * s.n);
	for (unsigned n = 0; n <= s.n; n++) {
		h.suites.n = n;
		written(&h);
		assert_true(out.n - 5 < 256 || out.n - 5 >= 512);
	}
}

static void test_goodbye(void **state)
{
	wire_goodbye_write(WIRE_TLS13, &out);
	assert_true(span_eq(buf_span(&out), SPAN("\25\3\3\0\2\1\x5a\25\3\3\0\2\1\0")));
}

/* ---- flights ---- */

static void put(uint32_t v, unsigned bytes)
{
	while (bytes-- > 0)
		buf_add_char(&out, (char)(v >> 8 * bytes));
}

static void put_record(unsigned type, unsigned version, struct span payload)
{
	put(type, 1);
	put(version, 2);
	put((uint32_t)payload.n, 2);
	buf_add_span(&out, payload);
}

static struct span message(unsigned type, struct span body)
{
	char *p = arena_alloc(&arena, body.n + 4);

	p[0] = (char)type;
	p[1] = 0;
	p[2] = (char)(body.n >> 8);
	p[3] = (char)body.n;
	memcpy(p + 4, body.p, body.n);
	return span_make(p, body.n + 4);
}

static struct span joined(struct span a, struct span b)
{
	char *p = arena_alloc(&arena, a.n + b.n + 1);

	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return span_make(p, a.n + b.n);
}

#define RANDOM "0123456789abcdef0123456789ABCDEF"
#define RETRY \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" \
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

/* A server of TLS 1.2 with ECDHE-RSA-AES256-GCM-SHA384, two certificates ("leaf", "ca"), X25519,
 * rsa_pss_rsae_sha256. */
static struct span usual(void)
{
	struct span hello = message(2, SPAN("\3\3" RANDOM "\0\xc0\x30\0\0\x09\xff\1\0\1\0\0\x17\0\0"));
	struct span certs = message(11, SPAN("\0\0\x0c\0\0\4leaf\0\0\2ca"));
	struct span exchange = message(12, SPAN("\3\0\x1d\3pub\x08\4\0\2ok"));

	return joined(joined(hello, certs), joined(exchange, message(14, SPAN(""))));
}

static int read_out(struct wire_flight *f)
{
	return wire_flight_read(buf_span(&out), &arena, f);
}

static void assert_usual(const struct wire_flight *f)
{
	assert_int_equal(f->version, WIRE_TLS12);
	assert_int_equal(f->suite, 0xc030);
	assert_int_equal(f->group, 29);
	assert_int_equal(f->signature, 0x0804);
	assert_true(f->secure_renegotiation);
	assert_true(f->extended_master_secret);
	assert_false(f->compression);
	assert_int_equal(f->chain_n, 2);
	assert_span(f->chain[0], "leaf");
	assert_span(f->chain[1], "ca");
	assert_int_equal(f->alert, WIRE_NO_ALERT);
}

static void test_a_flight(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0303, usual());
	assert_int_equal(read_out(&f), 1);
	assert_usual(&f);
	assert_int_equal(wire_flight_need(buf_span(&out)), out.n);
}

static void test_messages_over_records(void **state)
{
	struct span all = usual();
	struct wire_flight f;

	for (size_t i = 0; i < all.n; i++)
		put_record(22, 0x0303, span_sub(all, i, 1));
	assert_int_equal(read_out(&f), 1);
	assert_usual(&f);
}

/* Cut anywhere it is incomplete, never wrong. */
static void test_cut(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0303, span_sub(usual(), 0, 80));
	put_record(22, 0x0303, span_from(usual(), 80));
	for (size_t n = 0; n < out.n; n++) {
		assert_int_equal(wire_flight_read(span_make(out.p, n), &arena, &f), 0);
		assert_true(n == 0 || wire_flight_need(span_make(out.p, n)) >= n);
	}
	assert_int_equal(read_out(&f), 1);
}

static void test_retry_request(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0303, message(2, SPAN("\3\3" RETRY "\0\x13\2\0\0\x0c\0\x2b\0\2\3\4\0\x33\0\2\0\x1d")));
	assert_int_equal(read_out(&f), 1);
	assert_true(f.retry);
	assert_int_equal(f.version, WIRE_TLS13);
	assert_int_equal(f.suite, 0x1302);
	assert_int_equal(f.group, 29);
}

static void test_alerts(void **state)
{
	struct wire_flight f;

	put_record(21, 0x0301, SPAN("\1\x70")); /* a warning, unrecognized_name: it goes on */
	assert_int_equal(read_out(&f), 0);
	put_record(21, 0x0301, SPAN("\2\x46"));
	assert_int_equal(read_out(&f), 1);
	assert_int_equal(f.alert, 70);
	assert_int_equal(f.alert_level, 2);
	assert_int_equal(f.version, 0);
}

static void test_tls_10_has_no_signature_algorithm(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0301, message(2, SPAN("\3\1" RANDOM "\0\xc0\x14\0")));
	put_record(22, 0x0301, message(12, SPAN("\3\0\x17\3pub\0\2ok")));
	put_record(22, 0x0301, message(14, SPAN("")));
	assert_int_equal(read_out(&f), 1);
	assert_int_equal(f.version, WIRE_TLS10);
	assert_int_equal(f.group, 23);
	assert_int_equal(f.signature, 0);
	assert_false(f.secure_renegotiation);
}

static void test_classic_dh(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0303, message(2, SPAN("\3\3" RANDOM "\0\0\x9f\0")));
	put_record(22, 0x0303, message(12, SPAN("\0\4\0\x7f\xff\xff\0\1\2\0\1\5\4\1\0\1s")));
	put_record(22, 0x0303, message(14, SPAN("")));
	assert_int_equal(read_out(&f), 1);
	assert_int_equal(f.dh_bits, 23);
	assert_int_equal(f.group, 0);
	assert_int_equal(f.signature, 0x0401);
}

static void test_ssl_2_answer(void **state)
{
	struct span hello = SPAN("\x80\x16\4\0\1\0\2\0\4\0\3\0\4cert\1\0\x80"
				 "conn");
	struct wire_flight f;

	buf_add_span(&out, hello);
	assert_int_equal(read_out(&f), 1);
	assert_int_equal(f.version, WIRE_SSL2);
	assert_int_equal(f.chain_n, 1);
	assert_span(f.chain[0], "cert");
	assert_int_equal(f.v2_suites.n, 3);
	for (size_t n = 3; n < hello.n; n++)
		assert_int_equal(wire_flight_read(span_sub(hello, 0, n), &arena, &f), 0);
}

/* ---- misbehaviour ---- */

static void test_not_tls(void **state)
{
	static const char *const all[] = { "220 mx.example.net ESMTP\r\n", "HTTP/1.1 400 Bad Request\r\n",
		"SSH-2.0-x\r\n", "\x16\x03\x09..................", "\x80\x03\x09........" };
	struct wire_flight f;

	for (size_t i = 0; i < array_len(all); i++)
		assert_int_equal(wire_flight_read(span_of(all[i]), &arena, &f), -EPROTO);
}

static void assert_malformed(unsigned type, struct span body)
{
	struct wire_flight f;

	buf_reset(&out);
	put_record(22, 0x0303, message(2, SPAN("\3\3" RANDOM "\0\xc0\x30\0")));
	put_record(22, 0x0303, message(type, body));
	assert_int_equal(read_out(&f), -EPROTO);
}

static void test_malformed_messages(void **state)
{
	assert_malformed(2, SPAN("\3\3" RANDOM "\0\xc0\x30\0")); /* a second ServerHello */
	/* a certificate longer than its list */
	assert_malformed(11, SPAN("\0\0\5\0\0\xffxx"));
	assert_malformed(11, SPAN("\0\0\3\0\0\0trailing")); /* bytes behind the list */
	assert_malformed(11, SPAN("\0"));                   /* no list */
	/* a share longer than the message */
	assert_malformed(12, SPAN("\3\0\x1d\xff"));
	assert_malformed(99, SPAN("")); /* no such message */
}

static void test_malformed_hellos(void **state)
{
	static const struct span all[] = { SPAN("\3\3" RANDOM), SPAN("\3\3" RANDOM "\x40\xc0\x30\0"),
		SPAN("\3\3" RANDOM "\0\xc0\x30\0\0\5\0\x2b\0\2\3\4"), SPAN("\2\xff" RANDOM "\0\xc0\x30\0"),
		SPAN("\3\3" RANDOM "\0\x13\1\0\0\6\0\x2b\0\2\7\7") };
	struct wire_flight f;

	for (size_t i = 0; i < array_len(all); i++) {
		buf_reset(&out);
		put_record(22, 0x0303, message(2, all[i]));
		assert_int_equal(read_out(&f), -EPROTO);
		assert_int_equal(f.version, 0);
	}
}

static void test_out_of_order(void **state)
{
	struct wire_flight f;

	put_record(22, 0x0303, message(11, SPAN("\0\0\0")));
	assert_int_equal(read_out(&f), -EPROTO);
	buf_reset(&out);
	put_record(23, 0x0303, SPAN("secret")); /* encrypted before anything was agreed */
	assert_int_equal(read_out(&f), -EPROTO);
	buf_reset(&out);
	put_record(21, 0x0303, SPAN("\2"));
	assert_int_equal(read_out(&f), -EPROTO);
}

static void test_too_long(void **state)
{
	struct wire_flight f;

	for (unsigned i = 0; i < 5; i++)
		put_record(22, 0x0303, span_make(memset(arena_alloc(&arena, 16384), 0, 16384), 16384));
	assert_int_equal(read_out(&f), -EMSGSIZE);
	buf_reset(&out);
	put_record(22, 0x0303, span_make(memset(arena_alloc(&arena, 30000), 0, 30000), 30000));
	assert_int_equal(read_out(&f), -EPROTO);
}

static void test_more_certificates_than_are_kept(void **state)
{
	char body[3 + 4 * 20] = { 0, 0, 80 };
	struct wire_flight f;

	for (unsigned i = 0; i < 20; i++)
		memcpy(body + 3 + 4 * i, "\0\0\1x", 4);
	put_record(22, 0x0303, message(2, SPAN("\3\3" RANDOM "\0\xc0\x30\0")));
	put_record(22, 0x0303, message(11, span_make(body, sizeof(body))));
	assert_int_equal(read_out(&f), 0);
	assert_int_equal(f.chain_n, WIRE_CHAIN_MAX);
	assert_int_equal(f.chain_bytes, 80);
}

/* ---- offers ---- */

static void test_offers(void **state)
{
	struct offer all, part, seen = { { 0x0401, 0x0403 }, 2 };

	offer_suites(&all);
	for (unsigned i = 0; i < all.n; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(all.v[i], all.v[k]);
		assert_int_not_equal(tls_suite_get(all.v[i]).kind, TLS_SUITE_UNKNOWN);
	}
	offer_suites_of(TLS_KEY_RSA, &part);
	assert_true(offer_has(&part, 0xc030) && offer_has(&part, 0x0005) && !offer_has(&part, 0xc02c));
	offer_suites_of(TLS_KEY_ECDSA, &part);
	assert_true(offer_has(&part, 0xc02c) && !offer_has(&part, 0xc030) && !offer_has(&part, 0x0005));
	offer_signatures(&all);
	for (unsigned i = 0; i < all.n; i++)
		assert_non_null(tls_signature_find(all.v[i]));
	offer_last(&all, &seen);
	assert_int_equal(all.v[all.n - 1], 0x0403);
	assert_int_equal(all.v[all.n - 2], 0x0401);
	offer_remove(&all, 0x0403);
	assert_false(offer_has(&all, 0x0403));
	offer_groups(&all);
	for (unsigned i = 0; i < all.n; i++)
		assert_int_not_equal(tls_group_text(all.v[i])[1], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tls_13, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_12_and_below, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ssl_3_has_no_extensions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ssl_2, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_biggest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goodbye, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_messages_over_records, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retry_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alerts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_10_has_no_signature_algorithm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_classic_dh, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ssl_2_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed_hellos, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_out_of_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_certificates_than_are_kept, set_up, tear_down),
		cmocka_unit_test(test_offers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
