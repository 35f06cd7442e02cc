/*
 * We are the client (towards a backend, an origin, a surveyed server): what a handshake with each
 * kind of unfit server leaves us with. OpenSSL servers in memory, and bytes where OpenSSL cannot be
 * made to err.
 */
#include "explained.h"
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#define NAME "mx.example.net"

static struct made root, good;
static struct explained e;

static int set_up(void **state)
{
	root = make(&(struct recipe){ .cn = "Test Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 3) });
	good = make(&(struct recipe){ .cn = "leaf", .san = "DNS:" NAME, .by = &root });
	return 0;
}

/* ---- servers ---- */

static SSL_CTX *server_with(const struct made *leaf, const struct made *issuer)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	if (leaf) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, leaf->x), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf->key), 1);
	}
	if (issuer)
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, issuer->x), 1);
	return ctx;
}

/* Our client, as torhaus is one: TLS 1.2 and 1.3, the name asked for and verified. */
static const struct client_recipe ours = { .min = TLS1_2_VERSION, .name = NAME, .verify_name = NAME, .trust = &root };

static void explain_ours(void)
{
	assert_false(e.attempt.client_done);
	tls_explain(&e.attempt.facts, NULL, &(struct tls_circumstances){ .name = SPAN(NAME) }, &e.why);
	assert_complete(&e);
}

static void meet(SSL_CTX *ctx)
{
	attempt_as_client(ctx, &ours, &e.attempt);
	explain_ours();
}

static void meet_bytes(const void *p, size_t n)
{
	attempt_as_client_of_bytes(span_make(p, n), 0, &ours, &e.attempt);
	explain_ours();
}

static void done(SSL_CTX *ctx)
{
	explained_done(&e);
	SSL_CTX_free(ctx);
}

/* ---- it refuses us ---- */

/* 1 to 18 and 29 look alike from here: alert 40. */
static void test_no_certificate_and_no_suite(void **state)
{
	SSL_CTX *ctx = server_with(NULL, NULL);

	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_SERVER_REFUSED);
	assert_evidence(&e, "alert", "alert 40, handshake_failure");
	assert_evidence(&e, "name", NAME);
	done(ctx);
	ctx = server_with(&good, NULL);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "AES128-SHA"); /* of RSA, which it does not have */
	meet(ctx);
	assert_causes(&e, FAULT_TLS_SERVER_REFUSED);
	done(ctx);
}

static void test_20_it_is_too_old(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);

	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_SERVER_VERSION);
	assert_evidence(&e, "alert", "alert 70, protocol_version");
	done(ctx);
}

static int refuse_name(SSL *ssl, int *alert, void *arg)
{
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void test_38_it_refuses_the_name(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);

	SSL_CTX_set_tlsext_servername_callback(ctx, refuse_name);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_SERVER_REFUSED);
	assert_evidence(&e, "alert", "alert 112, unrecognized_name");
	assert_evidence(&e, "name", NAME);
	done(ctx);
}

static int refuse_protocols(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
	unsigned in_n, void *arg)
{
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void test_39_it_has_no_such_protocol(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);
	struct client_recipe with_alpn = ours;

	with_alpn.alpn = "h2";
	SSL_CTX_set_alpn_select_cb(ctx, refuse_protocols, NULL);
	attempt_as_client(ctx, &with_alpn, &e.attempt);
	explain_ours();
	assert_causes(&e, FAULT_TLS_NO_ALPN);
	assert_int_equal(e.attempt.facts.alert_received, 120);
	done(ctx);
}

static void test_59_it_demands_a_certificate(void **state)
{
	SSL_CTX *ctx = server_with(&good, &root);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_CLIENT_CERT_WANTED);
	assert_evidence(&e, "alert", "alert 40, handshake_failure");
	explained_done(&e);
	/* With TLS 1.3 we are done before the server has looked: its alert comes with the first
	 * read. */
	SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
	attempt_as_client(ctx, &ours, &e.attempt);
	assert_true(e.attempt.client_done && !e.attempt.server_done);
	done(ctx);
}

/* ---- we refuse it ---- */

/* The server shows this leaf, made by the root (or by itself), with the root behind it if
 * with_root. */
static void assert_not_trusted(const struct recipe *recipe, bool by_root, bool with_root, const char *error,
	const char *error_de)
{
	struct recipe r = *recipe;
	struct made leaf;
	SSL_CTX *ctx;

	r.cn = "leaf";
	r.san = r.san ? r.san : "DNS:" NAME;
	if (by_root)
		r.by = &root;
	leaf = make(&r);
	ctx = server_with(&leaf, with_root ? &root : NULL);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_NOT_TRUSTED);
	assert_evidence(&e, "error", error);
	assert_evidence(&e, "error_de", error_de);
	done(ctx);
}

static void test_48_to_55_its_certificate(void **state)
{
	assert_not_trusted(&(struct recipe){ .from_s = -9 * DAY, .until_s = -DAY }, true, false,
		"certificate has expired", "ist abgelaufen");
	assert_not_trusted(&(struct recipe){ .from_s = DAY, .until_s = 9 * DAY }, true, false,
		"certificate is not yet valid", "gilt noch nicht");
	assert_not_trusted(&(struct recipe){ .san = "DNS:other.example" }, true, false, "hostname mismatch",
		"für einen anderen Namen");
	assert_not_trusted(&(struct recipe){ 0 }, false, false, "self-signed certificate", "selbst signiert");
	assert_not_trusted(&(struct recipe){ .key = maker_weak_key() }, true, false, "EE certificate key too weak",
		"zu klein");
	assert_not_trusted(&(struct recipe){ .digest = EVP_sha1() }, true, false,
		"CA signature digest algorithm too weak", "zu schwach");
	assert_not_trusted(&(struct recipe){ .extended = "clientAuth" }, true, false, "unsuitable certificate purpose",
		"nicht für diesen Zweck");
}

static void test_52_and_53_its_chain(void **state)
{
	struct made foreign =
		make(&(struct recipe){ .cn = "Foreign Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 1) });
	struct family family = make_family("DNS:" NAME, NULL);
	SSL_CTX *ctx = server_with(&family.leaf, NULL);
	struct made leaf;

	meet(ctx);
	assert_causes(&e, FAULT_TLS_NOT_TRUSTED);
	assert_evidence(&e, "error", "unable to get local issuer certificate");
	done(ctx);
	leaf = make(&(struct recipe){ .cn = "leaf", .san = "DNS:" NAME, .by = &foreign });
	ctx = server_with(&leaf, &foreign);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_NOT_TRUSTED);
	assert_evidence(&e, "error", "self-signed certificate in certificate chain");
	assert_evidence(&e, "error_de", "Wurzel der Kette");
	done(ctx);
}

static void test_56_its_tlsa_record(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);
	const struct client_recipe dane = { .min = TLS1_2_VERSION, .name = NAME, .wrong_tlsa = true };

	attempt_as_client(ctx, &dane, &e.attempt);
	explain_ours();
	assert_causes(&e, FAULT_TLS_NOT_TRUSTED);
	assert_int_equal(e.attempt.facts.verify_error, X509_V_ERR_DANE_NO_MATCH);
	done(ctx);
}

static void test_58_its_chain_is_too_large(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);

	for (int i = 0; i < 400; i++) /* over OpenSSL's 100 KiB */
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, root.x), 1);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_SERVER_CHAIN_TOO_LARGE);
	done(ctx);
}

/* The group of 1024 bits that everybody had (RFC 2409 6.2). */
static EVP_PKEY *weak_dh(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *p = BN_get_rfc2409_prime_1024(NULL), *g = BN_new();
	EVP_PKEY *group = NULL;
	OSSL_PARAM *params;

	BN_set_word(g, 2);
	OSSL_PARAM_BLD_push_BN(bld, "p", p);
	OSSL_PARAM_BLD_push_BN(bld, "g", g);
	params = OSSL_PARAM_BLD_to_param(bld);
	assert_true(EVP_PKEY_fromdata_init(maker) == 1);
	assert_true(EVP_PKEY_fromdata(maker, &group, EVP_PKEY_KEY_PARAMETERS, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(maker);
	BN_free(p);
	BN_free(g);
	return group;
}

static void test_19_its_dh_group_is_too_small(void **state)
{
	struct made leaf = make(&(struct recipe){ .san = "DNS:" NAME, .by = &root, .key = maker_key(TLS_KEY_RSA, 0) });
	SSL_CTX *ctx = server_with(&leaf, NULL);

	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "DHE-RSA-AES128-GCM-SHA256");
	assert_int_equal(SSL_CTX_set0_tmp_dh_pkey(ctx, weak_dh()), 1);
	meet(ctx);
	assert_causes(&e, FAULT_TLS_DH_TOO_SMALL);
	done(ctx);
}

static void test_62_a_corrupt_record(void **state)
{
	struct client_recipe unlucky = ours;
	SSL_CTX *ctx = server_with(&good, NULL);

	unlucky.max = TLS1_2_VERSION;
	unlucky.corrupt = true;
	attempt_as_client(ctx, &unlucky, &e.attempt);
	explain_ours();
	assert_causes(&e, FAULT_TLS_RECORD_CORRUPT);
	assert_int_equal(e.attempt.facts.alert_sent, 20);
	done(ctx);
}

/* ---- bytes ---- */

static void test_41_it_greets(void **state)
{
	static const char greeting[] = "220 mx.example.net ESMTP Postfix\r\n";

	meet_bytes(greeting, sizeof(greeting) - 1);
	assert_causes(&e, FAULT_TLS_SERVER_SPEAKS_FIRST);
	assert_evidence(&e, "bytes", "220 mx.example.net ESMTP");
	done(NULL);
}

/* It said 220 to STARTTLS, and then something in plain text. */
static void test_41_it_goes_on_in_plain_text(void **state)
{
	attempt_as_client_of_bytes(SPAN("454 4.7.0 TLS not available\r\n"), 0, &ours, &e.attempt);
	e.attempt.facts.starttls = true;
	tls_explain(&e.attempt.facts, NULL, NULL, &e.why);
	assert_causes(&e, FAULT_TLS_SERVER_PLAIN_AFTER_STARTTLS);
	assert_evidence(&e, "bytes", "454 4.7.0 TLS");
	assert_complete(&e);
	explained_done(&e);
}

/* A ServerHello of TLS 1.2 with this suite and these extensions (hexadecimal). */
static void meet_hello(const char *suite, const char *extensions)
{
	struct hand bare, h;
	struct buf hex = BUF_INIT(1024);
	unsigned n = (unsigned)strlen(extensions) / 2, body = 2 + 32 + 1 + 2 + 1 + (n ? 2 + n : 0);

	buf_addf(&hex, "160303%04x02%06x0303", body + 4, body);
	for (int i = 0; i < 32; i++)
		buf_add_text(&hex, "11");
	buf_addf(&hex, "00%s00", suite);
	if (n)
		buf_addf(&hex, "%04x%s", n, extensions);
	hand_hex(buf_text(&hex), &bare);
	h = bare;
	meet_bytes(h.bytes, h.n);
	buf_done(&hex);
}

static void test_66_it_lacks_secure_renegotiation(void **state)
{
	meet_hello("c02f", "");
	assert_causes(&e, FAULT_TLS_NO_SECURE_RENEGOTIATION);
	done(NULL);
}

static void test_67_it_chooses_what_was_not_offered(void **state)
{
	meet_hello("0005", "ff01000100"); /* RC4-SHA, which OpenSSL does not know */
	assert_causes(&e, FAULT_TLS_SUITE_NOT_OFFERED);
	explained_done(&e);
	/* ECDHE-ECDSA-NULL-SHA, which it knows and did not offer */
	meet_hello("c006", "ff01000100");
	assert_causes(&e, FAULT_TLS_SUITE_NOT_OFFERED);
	done(NULL);
}

static void test_44_46_and_47_it_goes(void **state)
{
	meet_bytes("", 0);
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	explained_done(&e);
	attempt_as_client_of_bytes(SPAN(""), -ECONNRESET, &ours, &e.attempt);
	explain_ours();
	assert_causes(&e, FAULT_TLS_PEER_LEFT);
	explained_done(&e);
	attempt_as_client_of_bytes(SPAN(""), -ETIMEDOUT, &ours, &e.attempt);
	explain_ours();
	assert_causes(&e, FAULT_TLS_SILENCE);
	done(NULL);
}

/* And a server that is fit. */
static void test_nothing_is_wrong(void **state)
{
	SSL_CTX *ctx = server_with(&good, NULL);

	attempt_as_client(ctx, &ours, &e.attempt);
	assert_true(e.attempt.client_done);
	done(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_certificate_and_no_suite),
		cmocka_unit_test(test_19_its_dh_group_is_too_small),
		cmocka_unit_test(test_20_it_is_too_old),
		cmocka_unit_test(test_38_it_refuses_the_name),
		cmocka_unit_test(test_39_it_has_no_such_protocol),
		cmocka_unit_test(test_41_it_greets),
		cmocka_unit_test(test_41_it_goes_on_in_plain_text),
		cmocka_unit_test(test_44_46_and_47_it_goes),
		cmocka_unit_test(test_48_to_55_its_certificate),
		cmocka_unit_test(test_52_and_53_its_chain),
		cmocka_unit_test(test_56_its_tlsa_record),
		cmocka_unit_test(test_58_its_chain_is_too_large),
		cmocka_unit_test(test_59_it_demands_a_certificate),
		cmocka_unit_test(test_62_a_corrupt_record),
		cmocka_unit_test(test_66_it_lacks_secure_renegotiation),
		cmocka_unit_test(test_67_it_chooses_what_was_not_offered),
		cmocka_unit_test(test_nothing_is_wrong),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
