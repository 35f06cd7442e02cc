/* Clients from lists of suites and from captures. */
#include "../unit.h"
#include "base/mem.h"
#include "survey/fleet.h"
#include "predict/predict.h"
#include "tls/explain.h"
#include "tls/hello.h"
#include "tls/names.h"

static struct arena arena;
static struct predict_client client;
static struct fault fault;

static void from_suites(const char *list)
{
	assert_int_equal(predict_from_suites(span_of(list), SPAN("mx.example.net"), &arena, &client, &fault), 0);
}

static struct tls_hello hello_of_client(void)
{
	struct tls_hello h;

	assert_int_equal(tls_hello_parse(client.hello, &arena, &h), 0);
	assert_true(h.complete);
	return h;
}

static void test_names_of_suites(void **state)
{
	static const struct {
		const char *name;
		uint16_t number;
	} all[] = { { "ECDHE-RSA-AES128-GCM-SHA256", 0xc02f }, { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f },
		{ "ECDHE_RSA_AES_128_GCM_SHA256", 0xc02f }, { "TLS_AES_256_GCM_SHA384", 0x1302 },
		{ "TLS_RSA_WITH_AES_128_CBC_SHA", 0x002f }, { "RSA_AES_128_CBC_SHA1", 0x002f },
		{ "AES128-SHA", 0x002f }, { "RC4-SHA", 0x0005 }, { "TLS_RSA_WITH_RC4_128_SHA", 0x0005 },
		{ "DES-CBC3-SHA", 0x000a }, { "EDH-RSA-DES-CBC3-SHA", 0x0016 }, { "0xC030", 0xc030 },
		{ "ecdhe-rsa-aes128-gcm-sha256", 0xc02f } };
	static const char *const none[] = { "", "TLS_", "AES", "ECDHE-RSA", "0x12345", "0x", "WITH_", "HIGH", "SHA1" };
	uint16_t number;

	for (size_t i = 0; i < array_len(all); i++) {
		assert_true(tls_suite_find(span_of(all[i].name), &number));
		assert_int_equal(number, all[i].number);
	}
	for (size_t i = 0; i < array_len(none); i++)
		assert_false(tls_suite_find(span_of(none[i]), &number));
}

static void test_a_list(void **state)
{
	struct tls_hello h;

	from_suites("# of 2023\nECDHE-RSA-AES128-GCM-SHA256:RC4-SHA,\n  TLS_RSA_WITH_AES_128_CBC_SHA ; NEVER-HEARD\n");
	h = hello_of_client();
	assert_int_equal(client.suites_n, 3);
	assert_int_equal(client.unknown_n, 1);
	assert_span(client.unknown, "NEVER-HEARD");
	assert_int_equal(tls_hello_u16(h.suites, 0), 0xc02f);
	assert_int_equal(tls_hello_u16(h.suites, 1), 0x0005);
	assert_int_equal(tls_hello_u16(h.suites, 2), 0x002f);
	assert_int_equal(tls_hello_version(&h), 0x0303);
	assert_span(h.sni, "mx.example.net");
	assert_int_equal(h.groups.n, 8);
	assert_true(h.shares.n == 0);
}

/* Byte pairs, Java's and Windows' names: each suite by another spelling. */
static void test_other_spellings(void **state)
{
	static const char *const lists[] = { "0xc0,0x2f", "0xC0,0x2F;", "0xc0, 0x2f", "0xc02f",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256_P256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256_P384" };

	for (size_t i = 0; i < array_len(lists); i++) {
		from_suites(lists[i]);
		assert_int_equal(client.suites_n, 1);
		assert_int_equal(client.unknown_n, 0);
		assert_int_equal(tls_hello_u16(hello_of_client().suites, 0), 0xc02f);
	}
	from_suites("SSL_RSA_WITH_RC4_128_SHA,0x13,0x01,0xc0");
	assert_int_equal(client.suites_n, 2);
	assert_int_equal(tls_hello_u16(hello_of_client().suites, 0), 0x0005);
	assert_int_equal(tls_hello_u16(hello_of_client().suites, 1), 0x1301);
	assert_span(client.unknown, "0xc0");
}

static void test_a_list_with_13(void **state)
{
	struct tls_hello h;

	from_suites("TLS_AES_128_GCM_SHA256");
	h = hello_of_client();
	assert_int_equal(tls_hello_version(&h), 0x0304);
	assert_int_equal(h.versions.n, 2);
	assert_int_equal(h.shares.n, 2);
	from_suites("TLS_AES_128_GCM_SHA256:AES128-SHA");
	h = hello_of_client();
	assert_int_equal(h.versions.n, 4);
}

static void test_a_list_of_nothing(void **state)
{
	static const char *const lists[] = { "", " \n:", "# AES128-SHA", "BOGUS:\x1b[31m", "TLS_FALLBACK_SCSV" };

	for (size_t i = 0; i < array_len(lists); i++) {
		assert_int_equal(predict_from_suites(span_of(lists[i]), SPAN(""), &arena, &client, &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_TLS_SUITES_UNKNOWN);
	}
	assert_true(span_index(client.unknown, '\x1b') < 0);
}

/* Longer than any client sends: cut, and still a sound hello. */
static void test_a_list_without_end(void **state)
{
	struct buf list = BUF_INIT(1 << 20);

	for (unsigned i = 0; i < 4000; i++)
		buf_add_text(&list, i % 2 ? "AES128-SHA:" : "what-is-this-suite-called:");
	from_suites(buf_text(&list));
	hello_of_client();
	assert_int_equal(client.suites_n, PREDICT_SUITES_MAX);
	assert_int_equal(client.unknown_n, 2000);
	buf_done(&list);
}

static void test_suites_of_a_server(void **state)
{
	struct buf old = BUF_INIT(4096), new = BUF_INIT(4096);

	predict_server_suites(
		SPAN("TLS_AES_256_GCM_SHA384:AES128-SHA:RC4-SHA:BOGUS:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), &old,
		&new);
	assert_string_equal(buf_text(&old), "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256");
	assert_string_equal(buf_text(&new), "TLS_AES_256_GCM_SHA384");
	buf_done(&old);
	buf_done(&new);
}

/* What a scan's line becomes: versions, suites, groups as they are; signatures that its keys could
 * not show are added. */
static void test_a_scanned_server(void **state)
{
#define SERVER(rest) "{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"mx.example.net\"," rest "}"
#define RSA_ONLY     "\"certificates\":[{\"type\":\"RSA\"}]"
	static const struct {
		const char *line;
		uint16_t version, suite;
		unsigned suites_n, groups_n, signatures_n, shares_n;
	} cases[] = {
		{ SERVER("\"full\":true,\"versions\":{\"TLS 1.2\":true,\"TLS 1.3\":true},\"suites_13\":[\"TLS_AES_128_GCM_SHA256\"],"
			 "\"suites\":[\"AES128-SHA\"],\"groups\":[\"P-384\"],\"signatures\":[\"rsa_pkcs1_sha256\"]"),
			0x0304, 0x1301, 2, 1, 9, 1 },
		{ SERVER("\"full\":true,\"versions\":{\"TLS 1.2\":true},\"suites\":[\"ECDHE-RSA-AES128-GCM-SHA256\"],\"groups\":[\"X25519\",\"P-256\"],"
			 "\"signatures\":[\"rsa_pkcs1_sha256\"]," RSA_ONLY),
			0x0303, 0xc02f, 1, 2, 4, 0 },
		{ SERVER("\"full\":false,\"versions\":{\"TLS 1.2\":true},\"suites\":[\"ECDHE-RSA-AES128-GCM-SHA256\"],\"groups\":[\"X25519\"],"
			 "\"signatures\":[\"rsa_pkcs1_sha256\"]," RSA_ONLY),
			0x0303, 0xc02f, 1, 4, 9, 0 },
		{ SERVER("\"full\":true,\"versions\":{\"TLS 1.0\":true},\"suites\":[\"RC4-SHA\"]"), 0x0301, 0x0005, 1,
			4, 0, 0 },
		{ SERVER("\"full\":true,\"versions\":{\"SSL 3\":true},\"suites\":[\"RC4-SHA\"]"), 0x0300, 0x0005, 1, 0,
			0, 0 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		uint8_t print[32], again[32];
		struct tls_hello h;
		struct fleet f;

		fleet_init(&f);
		assert_int_equal(fleet_add(&f, span_of(cases[i].line)), 0);
		assert_true(predict_from_server(f.v[0], &arena, &client.hello, again));
		assert_true(predict_from_server(f.v[0], &arena, &client.hello, print));
		assert_memory_equal(print, again, sizeof(print));
		h = hello_of_client();
		assert_int_equal(tls_hello_version(&h), cases[i].version);
		/* and the signal of renegotiation */
		assert_int_equal(h.suites.n, 2 * (cases[i].suites_n + 1));
		assert_int_equal(tls_hello_u16(h.suites, 0), cases[i].suite);
		assert_int_equal(h.groups.n, 2 * cases[i].groups_n);
		assert_int_equal(h.signatures.n, 2 * cases[i].signatures_n);
		assert_int_equal(h.shares.n, 2 * cases[i].shares_n);
		fleet_done(&f);
	}
}

/* ---- captures ---- */

static int capture(struct span bytes)
{
	struct predict_client other;
	int r = predict_from_capture(bytes, &arena, &other, &fault);

	if (r == 0)
		client = other;
	return r;
}

static void test_bytes_and_digits(void **state)
{
	struct buf hex = BUF_INIT(1 << 16);
	struct span hello;

	from_suites("AES128-SHA");
	hello = client.hello;
	assert_int_equal(capture(hello), 0);
	assert_true(span_eq(client.hello, hello));
	/* Without the record's header. */
	assert_int_equal(capture(span_from(hello, 5)), 0);
	assert_true(span_eq(span_from(client.hello, 5), span_from(hello, 5)));
	for (size_t i = 0; i < hello.n; i++)
		buf_addf(&hex, "%s%02X%s", i % 3 ? "" : "0x", (uint8_t)hello.p[i],
			i % 16 == 15    ? "\r\n"
				: i % 2 ? ", "
					: ":");
	assert_int_equal(capture(buf_span(&hex)), 0);
	assert_true(span_eq(client.hello, hello));
	assert_int_equal(capture(span_sub(hello, 0, hello.n - 1)), -EINVAL);
	assert_int_equal(fault.code, FAULT_TLS_HELLO_NOT_FOUND);
	assert_int_equal(capture(SPAN("EHLO mx.example.net\r\n")), -EINVAL);
	assert_int_equal(capture(SPAN("")), -EINVAL);
	assert_int_equal(capture(SPAN("16030")), -EINVAL);
	buf_done(&hex);
}

static void add(struct buf *b, unsigned bytes, size_t v)
{
	while (bytes-- > 0)
		buf_add_char(b, (char)(v >> 8 * bytes));
}

/* IPv4 and TCP around a payload, from 192.0.2.1 (or 2001:db8::1) port 40000. */
static void add_packet(struct buf *b, bool six, uint32_t seq, struct span payload)
{
	if (six) {
		add(b, 4, 0x60000000);
		add(b, 2, 20 + payload.n);
		add(b, 2, 0x0640);
		buf_add(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 32);
	} else {
		add(b, 2, 0x4500);
		add(b, 2, 40 + payload.n);
		add(b, 4, 0);
		add(b, 4, 0x40060000);
		buf_add(b, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	}
	add(b, 2, 40000);
	add(b, 2, 25);
	add(b, 4, seq);
	add(b, 4, 0);
	add(b, 4, 0x50180000);
	add(b, 4, 0);
	buf_add_span(b, payload);
}

static void add_record(struct buf *file, bool six, uint32_t seq, struct span payload)
{
	struct buf packet = BUF_INIT(1 << 16);

	add_packet(&packet, six, seq, payload);
	add(file, 8, 0);
	add(file, 4, packet.n);
	add(file, 4, packet.n);
	buf_add_span(file, buf_span(&packet));
	buf_done(&packet);
}

static void begin_pcap(struct buf *file)
{
	buf_reset(file);
	add(file, 4, 0xa1b2c3d4);
	add(file, 4, 0x00020004);
	add(file, 8, 0);
	add(file, 4, 65535);
	add(file, 4, 101);
}

/* STARTTLS, then the hello in two segments, a lost one sent twice. */
static void test_pcap(void **state)
{
	struct buf file = BUF_INIT(1 << 20);
	struct span hello;

	from_suites("AES128-SHA");
	hello = client.hello;
	for (int six = 0; six < 2; six++) {
		begin_pcap(&file);
		add_record(&file, six, 1000, SPAN("STARTTLS\r\n"));
		add_record(&file, six, 1010, span_sub(hello, 0, 60));
		add_record(&file, six, 1010, span_sub(hello, 0, 60));
		add_record(&file, six, 1070, span_from(hello, 60));
		add_record(&file, six, 9000, hello);
		assert_int_equal(capture(buf_span(&file)), 0);
		assert_true(span_eq(client.hello, hello));
		assert_int_equal(client.hellos_n, 2);
		assert_string_equal(client.from, six ? "2001:db8::1" : "192.0.2.1");
		/* Cut anywhere: no more than what is there. */
		for (size_t n = 0; n < file.n; n++)
			capture(span_sub(buf_span(&file), 0, n));
	}
	begin_pcap(&file);
	add_record(&file, false, 1010, span_sub(hello, 0, 60));
	add_record(&file, false, 1071, span_from(hello, 61));
	assert_int_equal(capture(buf_span(&file)), -EINVAL);
	buf_done(&file);
}

/* Segments of any size: one byte first, the last one before the others, some of them twice and
 * overlapping. */
static void test_segments_out_of_order(void **state)
{
	struct buf file = BUF_INIT(1 << 20);
	struct span hello;

	from_suites("AES128-SHA");
	hello = client.hello;
	begin_pcap(&file);
	add_record(&file, false, 1000, SPAN("STARTTLS\r\n"));
	add_record(&file, false, 1010 + 80, span_from(hello, 80));
	add_record(&file, false, 1010, span_sub(hello, 0, 1));
	add_record(&file, false, 1010 + 20, span_sub(hello, 20, 70));
	add_record(&file, false, 1010, span_sub(hello, 0, 10));
	add_record(&file, false, 1010 + 5, span_sub(hello, 5, 20));
	assert_int_equal(capture(buf_span(&file)), 0);
	assert_true(span_eq(client.hello, hello));
	assert_int_equal(client.hellos_n, 1);
	buf_done(&file);
}

/* The extensions of a hello have up to 64 KiB: as bytes, in digits, as a bare message, captured. */
static void test_a_large_hello(void **state)
{
	struct buf hello = BUF_INIT(1 << 17), message = BUF_INIT(1 << 17), text = BUF_INIT(1 << 20);
	const size_t padding = 60000;

	add(&message, 4, 0x01000000 | (2 + 32 + 1 + 4 + 2 + 2 + 4 + padding));
	add(&message, 2, 0x0303);
	for (unsigned i = 0; i < 32; i++)
		add(&message, 1, i);
	add(&message, 1, 0);
	add(&message, 4, 0x0002002f);
	add(&message, 2, 0x0100);
	add(&message, 2, 4 + padding);
	add(&message, 2, 21);
	add(&message, 2, padding);
	for (size_t i = 0; i < padding; i++)
		add(&message, 1, 0);
	for (size_t at = 0; at < message.n; at += 16384) {
		struct span payload = span_sub(buf_span(&message), at, 16384);

		add(&hello, 3, 0x160301);
		add(&hello, 2, payload.n);
		buf_add_span(&hello, payload);
	}
	assert_int_equal(capture(buf_span(&hello)), 0);
	assert_true(span_eq(client.hello, buf_span(&hello)));
	assert_int_equal(capture(buf_span(&message)), 0);
	assert_true(span_eq(client.hello, buf_span(&hello)));
	buf_add_hex(&text, hello.p, hello.n);
	assert_int_equal(capture(buf_span(&text)), 0);
	assert_true(span_eq(client.hello, buf_span(&hello)));
	begin_pcap(&text);
	for (size_t at = 0; at < hello.n; at += 1400)
		add_record(&text, false, (uint32_t)at, span_sub(buf_span(&hello), at, 1400));
	assert_int_equal(capture(buf_span(&text)), 0);
	assert_true(span_eq(client.hello, buf_span(&hello)));
	buf_done(&hello);
	buf_done(&message);
	buf_done(&text);
}

static void test_pcapng(void **state)
{
	struct buf file = BUF_INIT(1 << 20), packet = BUF_INIT(1 << 16);
	struct span hello;

	from_suites("AES128-SHA");
	hello = client.hello;
	add_packet(&packet, false, 1, hello);
	/* A section, an interface of raw IP, a packet. */
	add(&file, 4, 0x0a0d0d0a);
	add(&file, 4, 28);
	add(&file, 4, 0x1a2b3c4d);
	add(&file, 4, 0x00010000);
	add(&file, 8, UINT64_MAX);
	add(&file, 4, 28);
	add(&file, 4, 1);
	add(&file, 4, 20);
	add(&file, 2, 101);
	add(&file, 2, 0);
	add(&file, 4, 65535);
	add(&file, 4, 20);
	add(&file, 4, 6);
	add(&file, 4, 32 + packet.n);
	add(&file, 4, 0);
	add(&file, 8, 0);
	add(&file, 4, packet.n);
	add(&file, 4, packet.n);
	buf_add_span(&file, buf_span(&packet));
	add(&file, 4, 32 + packet.n);
	assert_int_equal(capture(buf_span(&file)), 0);
	assert_true(span_eq(client.hello, hello));
	for (size_t n = 0; n < file.n; n++)
		capture(span_sub(buf_span(&file), 0, n));
	buf_done(&file);
	buf_done(&packet);
}

static int tear_down(void **state)
{
	arena_done(&arena);
	return 0;
}

static int set_up(void **state)
{
	arena_init(&arena, 4096);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_suites),
		cmocka_unit_test(test_a_list),
		cmocka_unit_test(test_other_spellings),
		cmocka_unit_test(test_a_list_with_13),
		cmocka_unit_test(test_a_list_of_nothing),
		cmocka_unit_test(test_a_list_without_end),
		cmocka_unit_test(test_suites_of_a_server),
		cmocka_unit_test(test_a_scanned_server),
		cmocka_unit_test(test_bytes_and_digits),
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_segments_out_of_order),
		cmocka_unit_test(test_a_large_hello),
		cmocka_unit_test(test_pcapng),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
