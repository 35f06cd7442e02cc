/*
 * The first bytes: no TLS at all, broken or missing hellos, versions, names and protocols: causes
 * 20 to 28, 38 to 47 and 63 to 65 of the catalogue.
 */
#include "explained.h"

static struct made rsa, ecdsa;
static struct tls_set *set;
static struct explained e;

static int set_up(void **state)
{
	(void)state;
	rsa = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_RSA, 0));
	ecdsa = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_ECDSA, 0));
	set = set_of_pairs(&rsa, &ecdsa, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tls_set_unref(set);
	return 0;
}

/* ---- no TLS ---- */

static void test_40_to_43_other_protocols(void **state)
{
	static const struct {
		struct span bytes;
		enum fault_code code;
		const char *shown; /* NULL: no bytes are shown */
	} cases[] = {
		{ { "EHLO client.example\r\n", 21 }, FAULT_TLS_PLAIN_SMTP, "EHLO client.example" },
		{ { "helo x\r\n", 8 }, FAULT_TLS_PLAIN_SMTP, "helo x" },
		{ { "QUIT\r\n", 6 }, FAULT_TLS_PLAIN_SMTP, "QUIT" },
		{ { "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 36 }, FAULT_TLS_PROXY_HEADER, NULL },
		{ { "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16 }, FAULT_TLS_PROXY_HEADER, NULL },
		{ { "SSH-2.0-OpenSSH_9.2\r\n", 21 }, FAULT_TLS_SSH, "SSH-2.0" },
		{ { "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0", 19 }, FAULT_TLS_NOT_TLS, "\\x03\\x00" },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		explain_bytes(set, cases[i].bytes, 0, &e);
		assert_causes(&e, cases[i].code);
		if (cases[i].shown)
			assert_evidence(&e, "bytes", cases[i].shown);
		explained_done(&e);
	}
}

/* On a port of the web; on one of mail it is just no TLS, see below. */
static void test_42_http(void **state)
{
	static const char *const requests[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" };

	for (size_t i = 0; i < array_len(requests); i++) {
		attempt_bytes(set, TLS_FOR_WEB, span_of(requests[i]), 0, &e.attempt);
		tls_explain(&e.attempt.facts, set, NULL, &e.why);
		assert_complete(&e);
		assert_causes(&e, FAULT_TLS_HTTP);
		assert_evidence(&e, "bytes", i == 0 ? "GET / HTTP/1.1" : i == 1 ? "CONNECT" : "PRI");
		explained_done(&e);
	}
}

static void explain_hex(const char *hex, int error)
{
	struct hand h;

	hand_hex(hex, &h);
	explain_bytes(set, hand_span(&h), error, &e);
}

static void test_44_gone_early(void **state)
{
	struct hand h;

	explain_bytes(set, SPAN(""), 0, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	assert_evidence(&e, "count", "0");
	explained_done(&e);
	/* In the midst of its hello, cleanly or by a reset. */
	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f) }, &h);
	explain_bytes(set, span_make(h.bytes, 20), 0, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	explained_done(&e);
	explain_bytes(set, span_make(h.bytes, 20), -ECONNRESET, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	explained_done(&e);
}

static void test_46_reset_after_the_hello(void **state)
{
	struct tls_facts facts = { .error = -ECONNRESET, .alert_sent = 0xff, .alert_received = 0xff };
	struct hand h;

	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f), .signatures = LIST16(0x0401) }, &h);
	facts_add_bytes(&facts, h.bytes, h.n);
	explain_facts(set, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_RESET);
	explained_done(&e);
}

static void test_47_silence(void **state)
{
	explain_bytes(set, SPAN(""), -ETIMEDOUT, &e);
	assert_causes(&e, FAULT_TLS_SILENCE);
	explained_done(&e);
	explain_hex("1603010200 01", -ETIMEDOUT);
	assert_causes(&e, FAULT_TLS_SILENCE);
	assert_evidence(&e, "count", "6");
	explained_done(&e);
}

/* The client answers our flight never. */
static void test_a_handshake_that_is_too_slow(void **state)
{
	struct tls_facts facts;
	struct hand h;

	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f),
			   .groups = LIST16(29),
			   .signatures = LIST16(0x0804, 0x0401) },
		&h);
	attempt_bytes(set, TLS_FOR_WEB, hand_span(&h), -ETIMEDOUT, &e.attempt);
	facts = e.attempt.facts;
	SSL_free(e.attempt.server);
	explain_facts(set, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_TIMEOUT);
	assert_evidence(&e, "state", "server");
	explained_done(&e);
}

static void test_63_a_record_too_large(void **state)
{
	explain_hex("160301ffff 010000", 0);
	assert_causes(&e, FAULT_TLS_RECORD_TOO_LARGE);
	explained_done(&e);
}

static void test_64_malformed_hellos(void **state)
{
	static const char *const more[] = {
		"000a 0003 0004 1d", /* the list is longer than the extension */
		"000d 0000",         /* empty where something must be */
		"0000 0004 00ff 0000",
	};
	struct hand h;

	for (size_t i = 0; i < array_len(more); i++) {
		explain_hello(set, TLS_FOR_WEB,
			&(struct hello_recipe){ .suites = LIST16(0xc02f), .groups = { 0 }, .more = more[i] }, &e);
		assert_causes(&e, FAULT_TLS_HELLO_MALFORMED);
		explained_done(&e);
	}
	/* Without the null compression. */
	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f) }, &h);
	h.bytes[h.n - 1] = 1;
	explain_bytes(set, hand_span(&h), 0, &e);
	assert_causes(&e, FAULT_TLS_HELLO_MALFORMED);
	/* "no compression specified", since OpenSSL 3.5 "required compression algorithm missing" */
	assert_evidence(&e, "error", "compression");
	explained_done(&e);
}

/* More than extensions can hold: what is kept says neither that it is sound nor that it is not. */
static void test_64_a_hello_without_end(void **state)
{
	struct hand *h = mem_new(struct hand);

	hand_hello(&(struct hello_recipe){ .suites = LIST16(0xc02f), .padding = 60000, .record = 2000 }, h);
	h->bytes[6] = 1; /* in the length of the message: 64 KiB more */
	while (h->n < 70000) {
		memcpy(h->bytes + h->n, "\x16\3\1\0\0\0", 6);
		h->bytes[h->n + 4] = 200;
		memset(h->bytes + h->n + 5, 0, 200);
		h->n += 205;
	}
	explain_bytes(set, hand_span(h), 0, &e);
	assert_causes(&e, FAULT_TLS_HELLO_TOO_LARGE);
	assert_evidence(&e, "bytes", "67584");
	explained_done(&e);
	mem_free(h);
}

static void test_65_something_else_first(void **state)
{
	explain_hex("1503010002 0228", 0);
	assert_causes(&e, FAULT_TLS_UNEXPECTED_MESSAGE);
	assert_evidence(&e, "what", "an alert");
	explained_done(&e);
	explain_hex("1703030005 0102030405", 0);
	assert_causes(&e, FAULT_TLS_UNEXPECTED_MESSAGE);
	assert_evidence(&e, "what", "encrypted data");
	explained_done(&e);
}

/* ---- versions ---- */

static const struct hello_recipe old = { .version = 0x0301, .suites = { (const uint16_t[]){ 0xc013, 0x002f }, 2 } };

static void test_20_too_old(void **state)
{
	struct hello_recipe hello = old;

	explain_hello(set, TLS_FOR_MAIL, &hello, &e);
	assert_causes(&e, FAULT_TLS_PEER_TOO_OLD);
	assert_evidence(&e, "version", "TLS 1.0");
	assert_evidence(&e, "ours", "TLS 1.2");
	explained_done(&e);
	hello.version = 0x0302;
	explain_hello(set, TLS_FOR_MAIL, &hello, &e);
	assert_causes(&e, FAULT_TLS_PEER_TOO_OLD);
	assert_evidence(&e, "version", "TLS 1.1");
	explained_done(&e);
}

static struct tls_set *set_with_versions(int min, int max)
{
	struct tls_set *s = set_of_pairs(&rsa, &ecdsa, NULL);

	assert_int_equal(SSL_CTX_set_min_proto_version(s->ctx[TLS_FOR_WEB], min), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(s->ctx[TLS_FOR_WEB], max), 1);
	return s;
}

static void test_21_insists_on_13(void **state)
{
	struct tls_set *s = set_with_versions(TLS1_2_VERSION, TLS1_2_VERSION);

	explain_client(s, TLS_FOR_WEB, &(struct client_recipe){ .min = TLS1_3_VERSION }, &e);
	assert_causes(&e, FAULT_TLS_PEER_NEEDS_13);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	assert_evidence(&e, "ours", "TLS 1.2");
	explained_done(&e);
	tls_set_unref(s);
}

static void test_22_only_13_allowed(void **state)
{
	struct tls_set *s = set_with_versions(TLS1_3_VERSION, TLS1_3_VERSION);

	explain_client(s, TLS_FOR_WEB, &(struct client_recipe){ .max = TLS1_2_VERSION }, &e);
	assert_causes(&e, FAULT_TLS_ONLY_13_ALLOWED);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-GCM-SHA256");
	explained_done(&e);
	tls_set_unref(s);
}

/* Allowed by version, forbidden by the security level: OpenSSL's alert 80. */
static void test_23_forbidden_by_the_level(void **state)
{
	struct tls_set *s = set_with_versions(TLS1_VERSION, TLS1_3_VERSION);

	SSL_CTX_set_cipher_list(s->ctx[TLS_FOR_WEB], "ALL");
	explain_client(s, TLS_FOR_WEB, &(struct client_recipe){ .max = TLS1_VERSION, .suites = "ALL", .level = 1 }, &e);
	assert_causes(&e, FAULT_TLS_LEVEL_FORBIDS_OLD);
	assert_evidence(&e, "level", "2");
	assert_evidence(&e, "version", "TLS 1.0");
	assert_int_equal(e.why.proof_n, 1);
	explained_done(&e);
	tls_set_unref(s);
}

static void test_24_ssl3(void **state)
{
	explain_hello(set, TLS_FOR_MAIL, &(struct hello_recipe){ .version = 0x0300, .suites = LIST16(0x002f) }, &e);
	assert_causes(&e, FAULT_TLS_PEER_SSL3);
	explained_done(&e);
}

static void test_25_and_26_ssl2(void **state)
{
	struct hand h;

	hand_hello_v2(0x0002, LIST16(0x0080, 0x00c0), &h);
	explain_bytes(set, hand_span(&h), 0, &e);
	assert_causes(&e, FAULT_TLS_PEER_SSL2);
	explained_done(&e);
	/* TLS 1.0 in that form: two causes. */
	hand_hello_v2(0x0301, LIST16(0x0005, 0x002f), &h);
	explain_bytes(set, hand_span(&h), 0, &e);
	assert_causes(&e, FAULT_TLS_PEER_TOO_OLD, FAULT_TLS_HELLO_V2);
	assert_evidence(&e, "version", "TLS 1.0");
	explained_done(&e);
}

static void test_27_drafts(void **state)
{
	explain_hello(set, TLS_FOR_WEB,
		&(struct hello_recipe){ .suites = LIST16(0x1301),
			.versions = LIST16(0x7f1c, 0x7f17),
			.groups = LIST16(29),
			.signatures = LIST16(0x0403),
			.shares = LIST16(29) },
		&e);
	assert_causes(&e, FAULT_TLS_PEER_DRAFT);
	assert_evidence(&e, "theirs", "0x7f1c, 0x7f17");
	explained_done(&e);
}

static void test_28_fallback(void **state)
{
	struct tls_circumstances around = { 0 };
	struct tls_explanation why;
	struct fault earlier;

	explain_client(set, TLS_FOR_WEB, &(struct client_recipe){ .max = TLS1_2_VERSION, .scsv = true }, &e);
	assert_causes(&e, FAULT_TLS_FALLBACK_SCSV);
	assert_evidence(&e, "version", "TLS 1.2");
	/* What is known of the attempt before is named. */
	fault_set(&earlier, FAULT_TLS_SILENCE);
	around.earlier = &earlier;
	tls_explain(&e.attempt.facts, set, &around, &why);
	assert_span(fault_value(&why.causes[0], "earlier"), " (TLS-SILENCE)");
	explained_done(&e);
}

/* Too old, and with suites of the past: the version decides. */
static void test_too_old_and_rc4(void **state)
{
	struct hello_recipe hello = { .version = 0x0301, .suites = LIST16(0x0005, 0x0004) };

	explain_hello(set, TLS_FOR_MAIL, &hello, &e);
	assert_causes(&e, FAULT_TLS_PEER_TOO_OLD);
	assert_proof(&e, 0, NULL);
	explained_done(&e);
}

/* ---- names and protocols: torhaus refuses neither, other servers' facts do ---- */

static int refuse_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl, (void)arg;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void test_38_a_name_refused(void **state)
{
	struct tls_set *s = set_of_pairs(&rsa, &ecdsa, NULL);

	SSL_CTX_set_tlsext_servername_callback(s->ctx[TLS_FOR_WEB], refuse_name);
	explain_client(s, TLS_FOR_WEB, &(struct client_recipe){ .name = "other.example" }, &e);
	assert_causes(&e, FAULT_TLS_NAME_REFUSED);
	assert_evidence(&e, "name", "other.example");
	explained_done(&e);
	tls_set_unref(s);
}

/* Who offers other protocols than this port speaks is refused, on either edge and with either
 * version; a list with the right one, or no list, is served. */
static void test_39_no_protocol_in_common(void **state)
{
	static const struct {
		enum tls_use use;
		const char *protocol;
		bool served;
	} rows[] = { { TLS_FOR_WEB, "h2", false }, { TLS_FOR_WEB, "smtp", false }, { TLS_FOR_WEB, "acme-tls/1", false },
		{ TLS_FOR_WEB, "http/1.1", true }, { TLS_FOR_WEB, "http/1.0", true }, { TLS_FOR_WEB, NULL, true },
		{ TLS_FOR_MAIL, "h2", false }, { TLS_FOR_MAIL, "http/1.1", false }, { TLS_FOR_MAIL, "imap", false },
		{ TLS_FOR_MAIL, "smtp", true }, { TLS_FOR_MAIL, "esmtp", true }, { TLS_FOR_MAIL, NULL, true } };
	struct tls_set *s = set_of_pairs(&rsa, &ecdsa, NULL);

	for (size_t i = 0; i < 2 * array_len(rows); i++) {
		const struct client_recipe client = { .alpn = rows[i / 2].protocol,
			.max = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION };

		if (rows[i / 2].served) {
			attempt_client(s, rows[i / 2].use, &client, &e.attempt);
			assert_true(e.attempt.server_done);
			attempt_done(&e.attempt);
			continue;
		}
		explain_client(s, rows[i / 2].use, &client, &e);
		assert_int_equal(e.attempt.facts.alert_sent, 120);
		assert_causes(&e, FAULT_TLS_NO_ALPN);
		assert_evidence(&e, "theirs", rows[i / 2].protocol);
		assert_evidence(&e, "ours", rows[i / 2].use == TLS_FOR_WEB ? "http/1.1" : "smtp");
		explained_done(&e);
	}
	tls_set_unref(s);
}

/* How TLS should have begun decides what plain text means. */
static void test_40_behind_starttls(void **state)
{
	explain_bytes_after_starttls(set, SPAN("EHLO mx.example\r\n"), 0, &e);
	assert_causes(&e, FAULT_TLS_PLAIN_AFTER_STARTTLS);
	assert_evidence(&e, "bytes", "EHLO mx.example");
	explained_done(&e);
	explain_bytes_after_starttls(set, SPAN("GET / HTTP/1.1\r\n"), 0, &e);
	assert_causes(&e, FAULT_TLS_NOT_TLS);
	assert_evidence(&e, "where", "behind STARTTLS");
	explained_done(&e);
	explain_bytes_after_starttls(set, SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n"), 0, &e);
	assert_causes(&e, FAULT_TLS_NOT_TLS);
	explained_done(&e);
	explain_bytes_after_starttls(set, SPAN(""), 0, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	assert_evidence(&e, "when", "after STARTTLS");
	explained_done(&e);
	/* On a port of mail where TLS begins at once it is no visitor's link. */
	explain_bytes(set, SPAN("GET / HTTP/1.1\r\n"), 0, &e);
	assert_causes(&e, FAULT_TLS_NOT_TLS);
	assert_evidence(&e, "where", "on a TLS port");
	explained_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_40_to_43_other_protocols),
		cmocka_unit_test(test_42_http),
		cmocka_unit_test(test_44_gone_early),
		cmocka_unit_test(test_46_reset_after_the_hello),
		cmocka_unit_test(test_47_silence),
		cmocka_unit_test(test_a_handshake_that_is_too_slow),
		cmocka_unit_test(test_63_a_record_too_large),
		cmocka_unit_test(test_64_malformed_hellos),
		cmocka_unit_test(test_64_a_hello_without_end),
		cmocka_unit_test(test_65_something_else_first),
		cmocka_unit_test(test_20_too_old),
		cmocka_unit_test(test_21_insists_on_13),
		cmocka_unit_test(test_22_only_13_allowed),
		cmocka_unit_test(test_23_forbidden_by_the_level),
		cmocka_unit_test(test_24_ssl3),
		cmocka_unit_test(test_25_and_26_ssl2),
		cmocka_unit_test(test_27_drafts),
		cmocka_unit_test(test_28_fallback),
		cmocka_unit_test(test_too_old_and_rc4),
		cmocka_unit_test(test_38_a_name_refused),
		cmocka_unit_test(test_39_no_protocol_in_common),
		cmocka_unit_test(test_40_behind_starttls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
