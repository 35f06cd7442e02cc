/*
 * Programs as peers: `openssl s_client` and gnutls-cli meet certificates that they do not like, and
 * bring some that we do not.
 *
 * OpenSSL tells its reasons apart by the alert; GnuTLS (the library of Debian's Exim) says 42 about
 * everything, so that only our own chain's facts can name the cause.
 */
#include "explained.h"
#include <unistd.h>

#define NAME      "mx.example.net"
#define WORDS_MAX 24

static struct made root, foreign;
static struct folder folder;
static char ca[128], own[128];
static struct explained e;

static int set_up(void **state)
{
	root = make(&(struct recipe){ .cn = "Test Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 3) });
	foreign = make(&(struct recipe){ .cn = "Foreign Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 1) });
	folder = folder_make();
	folder_put(&folder, "ca.pem", CERTS(&root), NULL);
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder.path);
	snprintf(own, sizeof(own), "%s/own.pem", folder.path);
	return 0;
}

static int tear_down(void **state)
{
	folder_remove(&folder);
	return 0;
}

enum program { OPENSSL, GNUTLS, PROGRAMS };
enum version { TLS_12, TLS_13, VERSIONS };

/* Verifying our certificate for the name, or not; showing own.pem, or not. */
static void run(enum program program, enum version version, struct tls_set *set, const char *name, bool verifies,
	bool shows)
{
	const char *words[WORDS_MAX] = { NULL };
	unsigned n = 0;
	char ca_file[160], cert[160], key[160], verify[128];

	snprintf(ca_file, sizeof(ca_file), "--x509cafile=%s", ca);
	snprintf(cert, sizeof(cert), "--x509certfile=%s", own);
	snprintf(key, sizeof(key), "--x509keyfile=%s", own);
	snprintf(verify, sizeof(verify), "--verify-hostname=%s", name);
	if (program == OPENSSL) {
		const char *usual[] = { "openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", name,
			version == TLS_12 ? "-tls1_2" : "-tls1_3" };
		const char *verifying[] = { "-CAfile", ca, "-verify_return_error", "-verify_hostname", name };
		const char *showing[] = { "-cert", own, "-key", own };

		for (size_t i = 0; i < array_len(usual); i++)
			words[n++] = usual[i];
		for (size_t i = 0; verifies && i < array_len(verifying); i++)
			words[n++] = verifying[i];
		for (size_t i = 0; shows && i < array_len(showing); i++)
			words[n++] = showing[i];
	} else {
		words[n++] = "gnutls-cli";
		words[n++] = "--logfile=/dev/null";
		words[n++] = version == TLS_12 ? "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"
					       : "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3";
		words[n++] = verifies ? ca_file : "--insecure";
		words[n++] = verify;
		words[n++] = "--sni-hostname";
		words[n++] = name;
		if (shows) {
			words[n++] = cert;
			words[n++] = key;
		}
		words[n++] = "--port=PORT";
		words[n++] = "127.0.0.1";
	}
	must(n < WORDS_MAX);
	attempt_program(set, TLS_FOR_MAIL, words, &e.attempt);
}

static void explain(struct tls_set *set)
{
	assert_false(e.attempt.server_done);
	tls_explain(&e.attempt.facts, set, NULL, &e.why);
	assert_complete(&e);
}

/* ---- our certificate ---- */

/* Both programs in both versions; alert: what OpenSSL's client says of it. */
static void assert_refused(struct tls_set *set, const char *name, uint8_t alert, enum fault_code code)
{
	for (enum program p = OPENSSL; p < PROGRAMS; p++)
		for (enum version v = TLS_12; v < VERSIONS; v++) {
			run(p, v, set, name, true, false);
			explain(set);
			assert_int_equal(e.attempt.facts.alert_received, p == OPENSSL ? alert : 42);
			assert_causes_at(&e, (const enum fault_code[]){ code, FAULT_NONE }, __FILE__, __LINE__);
			explained_done(&e);
		}
	tls_set_unref(set);
}

static struct tls_set *set_with(const struct recipe *recipe, const struct made *by)
{
	struct recipe r = *recipe;
	struct made leaf;

	r.cn = "leaf";
	r.san = "DNS:" NAME;
	r.by = by;
	leaf = make(&r);
	return by ? set_of(CERTS(&leaf, by), leaf.key) : set_of(CERTS(&leaf), leaf.key);
}

static void test_48_expired(void **state)
{
	assert_refused(set_with(&(struct recipe){ .from_s = -9 * DAY, .until_s = -DAY }, &root), NAME, 45,
		FAULT_TLS_CERT_EXPIRED);
}

static void test_49_not_yet_valid(void **state)
{
	assert_refused(set_with(&(struct recipe){ .from_s = DAY, .until_s = 9 * DAY }, &root), NAME, 42,
		FAULT_TLS_CERT_NOT_YET_VALID);
}

static void test_50_another_name(void **state)
{
	assert_refused(set_with(&(struct recipe){ 0 }, &root), "other.example", 42, FAULT_TLS_CERT_NAME);
}

static void test_51_self_signed(void **state)
{
	assert_refused(set_with(&(struct recipe){ 0 }, NULL), NAME, 48, FAULT_TLS_CERT_SELF_SIGNED);
}

static void test_52_no_intermediate(void **state)
{
	struct family family = make_family("DNS:" NAME, NULL);

	folder_put(&folder, "ca.pem", CERTS(&family.root), NULL);
	assert_refused(set_of(CERTS(&family.leaf), family.leaf.key), NAME, 48, FAULT_TLS_CERT_NO_CHAIN);
	folder_put(&folder, "ca.pem", CERTS(&root), NULL);
}

/* GnuTLS's alert does not say that the CA is meant: the engine must not invent it. */
static void test_53_a_ca_that_the_peer_lacks(void **state)
{
	struct tls_set *set = set_with(&(struct recipe){ 0 }, &foreign);

	for (enum program p = OPENSSL; p < PROGRAMS; p++) {
		run(p, TLS_13, set, NAME, true, false);
		explain(set);
		assert_causes_at(&e,
			(const enum fault_code[]){ p == OPENSSL ? FAULT_TLS_CERT_CA_UNKNOWN : FAULT_TLS_CERT_REFUSED,
				FAULT_NONE },
			__FILE__, __LINE__);
		explained_done(&e);
	}
	tls_set_unref(set);
}

/* OpenSSL's client does not ask for a staple. */
static void test_61_must_staple(void **state)
{
	struct tls_set *set = set_with(&(struct recipe){ .must_staple = true }, &root);

	for (enum version v = TLS_12; v < VERSIONS; v++) {
		run(GNUTLS, v, set, NAME, true, false);
		explain(set);
		assert_causes(&e, FAULT_TLS_MUST_STAPLE);
		explained_done(&e);
		run(OPENSSL, v, set, NAME, true, false);
		assert_true(e.attempt.server_done);
		attempt_done(&e.attempt);
	}
	tls_set_unref(set);
}

static void test_a_good_one(void **state)
{
	struct tls_set *set = set_with(&(struct recipe){ 0 }, &root);

	for (enum program p = OPENSSL; p < PROGRAMS; p++)
		for (enum version v = TLS_12; v < VERSIONS; v++) {
			run(p, v, set, NAME, true, false);
			assert_true(e.attempt.server_done);
			attempt_done(&e.attempt);
		}
	tls_set_unref(set);
}

/* ---- theirs ---- */

static struct tls_set *set_that_demands(void)
{
	struct tls_set *set = set_with(&(struct recipe){ 0 }, &root);

	SSL_CTX_set_verify(set->ctx[TLS_FOR_MAIL], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(set->ctx[TLS_FOR_MAIL]), root.x);
	return set;
}

static void test_59_no_client_certificate(void **state)
{
	struct tls_set *set = set_that_demands();

	for (enum program p = OPENSSL; p < PROGRAMS; p++)
		for (enum version v = TLS_12; v < VERSIONS; v++) {
			run(p, v, set, NAME, false, false);
			explain(set);
			assert_int_equal(e.attempt.facts.alert_sent, v == TLS_12 ? 40 : 116);
			assert_causes(&e, FAULT_TLS_CLIENT_CERT_MISSING);
			explained_done(&e);
		}
	tls_set_unref(set);
}

/* A client with this certificate; code FAULT_NONE: it is let in. */
static void assert_client(const struct recipe *recipe, const struct made *by, uint8_t alert, enum fault_code code,
	const char *error)
{
	struct tls_set *set = set_that_demands();
	struct recipe r = *recipe;
	struct made leaf;

	r.cn = "client";
	r.san = "DNS:client.example";
	r.by = by;
	leaf = make(&r);
	folder_put_pair(&folder, "own.pem", &leaf);
	for (enum program p = OPENSSL; p < PROGRAMS; p++)
		for (enum version v = TLS_12; v < VERSIONS; v++) {
			run(p, v, set, NAME, false, true);
			if (code == FAULT_NONE) {
				assert_true(e.attempt.server_done);
				attempt_done(&e.attempt);
				continue;
			}
			explain(set);
			assert_int_equal(e.attempt.facts.alert_sent, alert);
			assert_causes_at(&e, (const enum fault_code[]){ code, FAULT_NONE }, __FILE__, __LINE__);
			assert_evidence(&e, "error", error);
			explained_done(&e);
		}
	tls_set_unref(set);
}

static void test_60_client_certificates(void **state)
{
	assert_client(&(struct recipe){ .from_s = -9 * DAY, .until_s = -DAY }, &root, 45, FAULT_TLS_CLIENT_CERT_EXPIRED,
		"certificate has expired");
	assert_client(&(struct recipe){ .from_s = DAY, .until_s = 9 * DAY }, &root, 42, FAULT_TLS_CLIENT_CERT_EARLY,
		"certificate is not yet valid");
	assert_client(&(struct recipe){ 0 }, &foreign, 48, FAULT_TLS_CLIENT_CERT_BAD,
		"unable to get local issuer certificate");
	assert_client(&(struct recipe){ .extended = "serverAuth" }, &root, 43, FAULT_TLS_CLIENT_CERT_PURPOSE,
		"unsuitable certificate purpose");
	assert_client(&(struct recipe){ .extended = "clientAuth" }, &root, 0, FAULT_NONE, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_48_expired),
		cmocka_unit_test(test_49_not_yet_valid),
		cmocka_unit_test(test_50_another_name),
		cmocka_unit_test(test_51_self_signed),
		cmocka_unit_test(test_52_no_intermediate),
		cmocka_unit_test(test_53_a_ca_that_the_peer_lacks),
		cmocka_unit_test(test_59_no_client_certificate),
		cmocka_unit_test(test_60_client_certificates),
		cmocka_unit_test(test_61_must_staple),
		cmocka_unit_test(test_a_good_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
