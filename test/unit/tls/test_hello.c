/* The ClientHello reader: by hand, from OpenSSL, cut off at every byte, split over records, and
 * nonsense. */
#include "hand.h"
#include "tls/hello.h"

static struct arena arena;
static struct tls_hello hello;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1024);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void assert_list(struct span list, struct list16 want)
{
	assert_int_equal(list.n, 2 * want.n);
	for (unsigned i = 0; i < want.n; i++)
		assert_int_equal(tls_hello_u16(list, i), want.p[i]);
}

static const struct hello_recipe full = {
	.version = 0x0303,
	.suites = { (const uint16_t[]){ 0x1301, 0xc02f, 0x0005 }, 3 },
	.versions = { (const uint16_t[]){ 0x0a0a, 0x0304, 0x0303 }, 3 },
	.groups = { (const uint16_t[]){ 0x001d, 0x0017 }, 2 },
	.signatures = { (const uint16_t[]){ 0x0403, 0x0804 }, 2 },
	.shares = { (const uint16_t[]){ 0x001d, 0x0017 }, 2 },
	.sni = "mx.example.net",
	.alpn = "smtp",
};

static void test_everything(void **state)
{
	struct hand h;

	hand_hello(&full, &h);
	assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), 0);
	assert_true(hello.complete);
	assert_false(hello.v2);
	assert_int_equal(hello.legacy_version, 0x0303);
	assert_list(hello.suites, full.suites);
	assert_list(hello.versions, full.versions);
	assert_list(hello.groups, full.groups);
	assert_list(hello.signatures, full.signatures);
	assert_list(hello.shares, full.shares);
	assert_span(hello.sni, "mx.example.net");
	assert_span(hello.alpn, "\4smtp");
	assert_int_equal(tls_hello_version(&hello), 0x0304);
}

static void test_without_extensions(void **state)
{
	struct hand h;

	hand_hello(&(struct hello_recipe){ .version = 0x0301, .suites = LIST16(0x000a) }, &h);
	assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), 0);
	assert_true(hello.complete);
	assert_list(hello.suites, LIST16(0x000a));
	assert_null(hello.versions.p);
	assert_null(hello.groups.p);
	assert_null(hello.signatures.p);
	assert_int_equal(hello.sni.n, 0);
	assert_int_equal(tls_hello_version(&hello), 0x0301);
}

/* An empty list is not the same as no list. */
static void test_an_empty_list(void **state)
{
	struct hand h;

	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f), .more = "000a 0002 0000" }, &h);
	assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), 0);
	assert_non_null(hello.groups.p);
	assert_int_equal(hello.groups.n, 0);
}

static void test_versions(void **state)
{
	const struct {
		struct list16 versions;
		uint16_t want;
	} cases[] = {
		{ { (const uint16_t[]){ 0x0303, 0x0304, 0x0301 }, 3 }, 0x0304 },
		{ { (const uint16_t[]){ 0x0a0a, 0x0303 }, 2 }, 0x0303 }, /* GREASE */
		{ { (const uint16_t[]){ 0x7f1c, 0x7f17 }, 2 }, 0 },      /* drafts */
		{ { (const uint16_t[]){ 0x0305 }, 1 }, 0 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct hand h;

		hand_hello(&(struct hello_recipe){ .suites = LIST16(0x1301), .versions = cases[i].versions }, &h);
		assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), 0);
		assert_int_equal(tls_hello_version(&hello), cases[i].want);
	}
}

static void test_the_form_of_ssl2(void **state)
{
	struct hand h;

	hand_hello_v2(0x0301, LIST16(0x0005, 0x000a), &h);
	assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), 0);
	assert_true(hello.v2 && hello.complete);
	assert_int_equal(hello.suites.n, 6);
	assert_memory_equal(hello.suites.p, "\0\0\5\0\0\x0a", 6);
	assert_int_equal(tls_hello_version(&hello), 0x0301);
	/* Lengths that contradict each other are no hello. */
	h.bytes[6]++;
	assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), -EPROTO);
}

/* Whatever is missing at the end, what came is there, and nothing is called complete. */
static void test_cut_off_at_every_byte(void **state)
{
	struct hand h;

	hand_hello(&full, &h);
	for (size_t n = 0; n < h.n; n++) {
		struct span cut = { memcpy(mem_alloc(n + 1), h.bytes, n), n };
		int r = tls_hello_parse(cut, &arena, &hello);

		assert_int_equal(r, n < 6 ? -EPROTO : 0);
		assert_false(hello.complete);
		if (n > 80)
			assert_list(hello.suites, full.suites);
		mem_free((char *)cut.p);
	}
}

/* The same hello in records of one to many bytes. */
static void test_split_over_records(void **state)
{
	struct hand whole, split;

	hand_hello(&full, &whole);
	for (size_t piece = 1; piece < whole.n; piece += 7) {
		split.n = 0;
		for (size_t at = 5; at < whole.n; at += piece) {
			size_t n = at + piece < whole.n ? piece : whole.n - at;
			uint8_t header[5] = { 22, 3, 1, (uint8_t)(n >> 8), (uint8_t)n };

			memcpy(split.bytes + split.n, header, 5);
			memcpy(split.bytes + split.n + 5, whole.bytes + at, n);
			split.n += 5 + n;
		}
		assert_int_equal(tls_hello_parse(hand_span(&split), &arena, &hello), 0);
		assert_true(hello.complete);
		assert_list(hello.suites, full.suites);
		assert_span(hello.sni, "mx.example.net");
	}
}

/* As large as extensions can be (64 KiB), in large records and in small ones; what comes behind is
 * none of it, and it is not whole a byte before. */
static void test_64_kib(void **state)
{
	struct hello_recipe recipe = full;
	struct hand *h = mem_new(struct hand);

	recipe.padding = 65535 - 300;
	for (unsigned i = 0; i < 2; i++) {
		recipe.record = i ? 512 : 0;
		hand_hello(&recipe, h);
		assert_int_equal(tls_hello_parse(hand_span(h), &arena, &hello), 0);
		assert_true(hello.complete);
		assert_list(hello.shares, full.shares);
		assert_int_equal(hello.records_n, h->n);
		assert_int_equal(tls_hello_parse(span_sub(hand_span(h), 0, h->n - 1), &arena, &hello), 0);
		assert_false(hello.complete);
		assert_int_equal(hello.records_n, h->n);
		memcpy(h->bytes + h->n, "\x14\3\3\0\1\1", 6);
		assert_int_equal(tls_hello_parse(span_make(h->bytes, h->n + 6), &arena, &hello), 0);
		assert_int_equal(hello.records_n, h->n);
	}
	mem_free(h);
}

static void test_no_hello(void **state)
{
	static const char *const cases[] = { "", "16", "160301000100", "15030100020228", "160301000402000000",
		"474554202f20485454502f312e310d0a", "220001", "80", "802e0200020015", "16040100010100000000" };

	for (size_t i = 0; i < array_len(cases); i++) {
		struct hand h;

		hand_hex(cases[i], &h);
		assert_int_equal(tls_hello_parse(hand_span(&h), &arena, &hello), -EPROTO);
	}
}

/* What OpenSSL sends is read as what OpenSSL was told. */
static void test_of_openssl(void **state)
{
	struct made pair = make_simple("DNS:a.example", NULL);
	struct tls_set *set = set_of(CERTS(&pair), pair.key);
	struct attempt a;

	attempt_client(set, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA",
			.groups = "P-384:P-256",
			.signatures = "ecdsa_secp256r1_sha256:rsa_pkcs1_sha256",
			.name = "a.example",
			.alpn = "http/1.1" },
		&a);
	assert_true(a.client_done && a.server_done);
	assert_int_equal(tls_hello_parse(span_make(a.facts.hello, a.facts.hello_n), &arena, &hello), 0);
	/* That it renegotiates securely OpenSSL says by a suite, from 3.5 on by an extension. */
	if (hello.suites.n == 6)
		assert_list(hello.suites, LIST16(0xc02c, 0x002f, 0x00ff));
	else
		assert_list(hello.suites, LIST16(0xc02c, 0x002f));
	assert_list(hello.groups, LIST16(0x0018, 0x0017));
	assert_list(hello.signatures, LIST16(0x0403, 0x0401));
	assert_span(hello.sni, "a.example");
	assert_span(hello.alpn, "\10http/1.1");
	assert_int_equal(tls_hello_version(&hello), 0x0303);
	attempt_done(&a);
	tls_set_unref(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_everything),
		TEST(test_without_extensions),
		TEST(test_an_empty_list),
		TEST(test_versions),
		TEST(test_the_form_of_ssl2),
		TEST(test_cut_off_at_every_byte),
		TEST(test_split_over_records),
		TEST(test_64_kib),
		TEST(test_no_hello),
		TEST(test_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
