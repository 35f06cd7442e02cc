/*
 * What surrounds handshakes (causes 68 to 70), our own ones as a client (19, 41, 59, 66, 67 and the
 * verdicts about the server's certificate), and the table as a whole.
 */
#include "explained.h"
#include <openssl/err.h>
#include <openssl/sslerr.h>

static struct explained e;

static struct tls_facts facts_of_client(void)
{
	return (struct tls_facts){ .client = true, .alert_sent = 0xff, .alert_received = 0xff, .error = -EPROTO };
}

/* ---- around ---- */

static void test_68_starttls_is_not_offered(void **state)
{
	const struct tls_facts facts = { .alert_sent = 0xff, .alert_received = 0xff };

	explain_facts(NULL, &facts, &(struct tls_circumstances){ .starttls_reply = SPAN("250 XXXXXXXXA") }, &e);
	assert_causes(&e, FAULT_TLS_NOT_OFFERED);
	assert_evidence(&e, "reply", "250 XXXXXXXXA");
}

static void test_69_bytes_behind_starttls(void **state)
{
	const struct tls_facts facts = { .alert_sent = 0xff, .alert_received = 0xff };

	explain_facts(NULL, &facts, &(struct tls_circumstances){ .pipelined = SPAN("RSET\r\nMAIL FROM:x\r\n") }, &e);
	assert_causes(&e, FAULT_TLS_PIPELINED);
	assert_evidence(&e, "bytes", "RSET\\x0d\\x0aMAIL FROM:x");
}

/* The founding incident's second line: the refusal names the handshake before it. */
static void test_70_plaintext_after_a_failure(void **state)
{
	const struct tls_facts facts = { .alert_sent = 0xff, .alert_received = 0xff };
	struct buf text = BUF_INIT(16384);
	struct fault earlier;

	fault_set(&earlier, FAULT_TLS_NO_RSA_CERT);
	fault_fact(&earlier, "count", "14");
	fault_fact(&earlier, "version", "TLS 1.2");
	fault_fact(&earlier, "served", "ECDSA");
	fault_fact(&earlier, "name", "mx.example.net");
	fault_fact(&earlier, "proof", "%s", "");
	explain_facts(NULL, &facts,
		&(struct tls_circumstances){ .plaintext = true, .earlier = &earlier, .earlier_ago_s = 1 }, &e);
	assert_causes(&e, FAULT_TLS_PLAINTEXT_FALLBACK);
	fault_print(&e.why.causes[0], FAULT_EN, &text);
	assert_string_equal(buf_text(&text),
		"  cause:  The peer came without TLS because its TLS handshake 1s before had failed (TLS-NO-RSA-CERT: The peer "
		"can only verify RSA certificates (14 suites offered, all with RSA authentication, TLS 1.2 at most); this "
		"server has only an ECDSA certificate for mx.example.net.)\n"
		"  remedy: Lift the cause of that handshake: Serve an RSA certificate beside the ECDSA one.\n");
	buf_done(&text);
	/* Without an earlier failure there is nothing to link to. */
	explain_facts(NULL, &facts, &(struct tls_circumstances){ .plaintext = true }, &e);
	assert_causes(&e, FAULT_TLS_HANDSHAKE_FAILED);
}

/* ---- we are the client ---- */

static void explain_reason(int reason)
{
	struct tls_facts facts = facts_of_client();

	facts.ssl_error = ERR_PACK(ERR_LIB_SSL, 0, reason);
	explain_facts(NULL, &facts, NULL, &e);
}

static void test_19_66_and_67_reasons(void **state)
{
	static const struct {
		int reason;
		enum fault_code code;
	} cases[] = {
		{ SSL_R_DH_KEY_TOO_SMALL, FAULT_TLS_DH_TOO_SMALL },
		{ SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, FAULT_TLS_NO_SECURE_RENEGOTIATION },
		{ SSL_R_UNKNOWN_CIPHER_RETURNED, FAULT_TLS_SUITE_NOT_OFFERED },
		{ SSL_R_WRONG_CIPHER_RETURNED, FAULT_TLS_SUITE_NOT_OFFERED },
		{ SSL_R_UNSUPPORTED_PROTOCOL, FAULT_TLS_SERVER_VERSION },
		{ SSL_R_LENGTH_MISMATCH, FAULT_TLS_HANDSHAKE_FAILED },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		explain_reason(cases[i].reason);
		assert_causes(&e, cases[i].code);
	}
}

static void test_41_the_server_greets(void **state)
{
	struct tls_facts facts = facts_of_client();

	facts.ssl_error = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER);
	facts_add_bytes(&facts, "220 mx.example.net ESMTP\r\n", 26);
	explain_facts(NULL, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_SERVER_SPEAKS_FIRST);
	assert_evidence(&e, "bytes", "220 mx.example.net ESMTP");
	explained_done(&e);
}

static void test_alerts_of_servers(void **state)
{
	static const struct {
		uint8_t alert;
		uint32_t received;
		enum fault_code code;
	} cases[] = {
		{ 116, 0, FAULT_TLS_CLIENT_CERT_WANTED },
		{ 40, 1u << 13, FAULT_TLS_CLIENT_CERT_WANTED },
		{ 40, 0, FAULT_TLS_SERVER_REFUSED },
		{ 112, 0, FAULT_TLS_SERVER_REFUSED },
		{ 70, 0, FAULT_TLS_SERVER_VERSION },
		{ 120, 0, FAULT_TLS_NO_ALPN },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct tls_facts facts = facts_of_client();

		facts.alert_received = cases[i].alert;
		facts.alert_received_level = 2;
		facts.messages_received = cases[i].received;
		explain_facts(NULL, &facts, &(struct tls_circumstances){ .name = SPAN("backend.example") }, &e);
		assert_causes(&e, cases[i].code);
	}
}

static void test_verdicts(void **state)
{
	struct tls_facts facts = facts_of_client();

	facts.verify_error = X509_V_ERR_CERT_HAS_EXPIRED;
	facts.alert_sent = 45;
	explain_facts(NULL, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_NOT_TRUSTED);
	assert_evidence(&e, "error", "certificate has expired");
	assert_evidence(&e, "error_de", "abgelaufen");
}

static void test_a_server_that_is_silent_or_gone(void **state)
{
	struct tls_facts facts = facts_of_client();

	facts.error = -ETIMEDOUT;
	explain_facts(NULL, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_SILENCE);
	facts.error = -ECONNRESET;
	explain_facts(NULL, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
}

/* ---- the whole ---- */

static void test_nothing_known(void **state)
{
	const struct tls_facts facts = { .alert_sent = 0xff, .alert_received = 0xff };

	explain_facts(NULL, &facts, NULL, &e);
	assert_causes(&e, FAULT_TLS_HANDSHAKE_FAILED);
}

static void test_as_json(void **state)
{
	struct made ecdsa = make_simple("DNS:mx.example.net", NULL);
	struct tls_set *set = set_of(CERTS(&ecdsa), ecdsa.key);
	struct buf out = BUF_INIT(1 << 16);
	struct jsonw j;

	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256" }, &e);
	jsonw_init(&j, &out);
	tls_explanation_json(&j, NULL, &e.why);
	assert_non_null(strstr(buf_text(&out), "{\"causes\":[{\"code\":\"TLS-NO-RSA-CERT\",\"cause\":\"The peer can"));
	assert_non_null(strstr(buf_text(&out), "\"usable\":false,\"why\":\"the peer offers no suite"));
	assert_non_null(strstr(buf_text(&out), "\"proven\":true,\"suite\":\"ECDHE-RSA-AES128-GCM-SHA256\"}"));
	buf_done(&out);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_names(void **state)
{
	assert_string_equal(tls_suite_text(0x0005), "RC4-SHA");
	assert_string_equal(tls_suite_text(0xc02f), "ECDHE-RSA-AES128-GCM-SHA256");
	assert_string_equal(tls_suite_text(0x1301), "TLS_AES_128_GCM_SHA256");
	assert_string_equal(tls_suite_text(0xfefe), "0xfefe");
	assert_string_equal(tls_alert_text(109), "missing_extension");
	assert_string_equal(tls_alert_text(0xff), "none");
	assert_string_equal(tls_version_text(0x0304), "TLS 1.3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_68_starttls_is_not_offered),
		cmocka_unit_test(test_69_bytes_behind_starttls),
		cmocka_unit_test(test_70_plaintext_after_a_failure),
		cmocka_unit_test(test_19_66_and_67_reasons),
		cmocka_unit_test(test_41_the_server_greets),
		cmocka_unit_test(test_alerts_of_servers),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_a_server_that_is_silent_or_gone),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_as_json),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
