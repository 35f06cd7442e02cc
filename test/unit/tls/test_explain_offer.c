/*
 * What the peer offered against our certificates, groups and suites: causes 1 to 18 and 29 to 37 of
 * the catalogue, each as a handshake that fails, the proof of its remedy, and combinations of two
 * told apart.
 */
#include "explained.h"

static struct made rsa, ecdsa, p384, ed25519;
static struct tls_set *only_rsa, *only_ecdsa, *only_p384, *only_ed25519, *both, *none;
static struct explained e;

static int set_up(void **state)
{
	(void)state;
	rsa = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_RSA, 0));
	ecdsa = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_ECDSA, 0));
	p384 = make_simple("DNS:mx.example.net", EVP_EC_gen("P-384"));
	ed25519 = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_ED25519, 0));
	only_rsa = set_of_pairs(&rsa, NULL, NULL);
	only_ecdsa = set_of_pairs(&ecdsa, NULL, NULL);
	only_p384 = set_of_pairs(&p384, NULL, NULL);
	only_ed25519 = set_of_pairs(&ed25519, NULL, NULL);
	both = set_of_pairs(&rsa, &ecdsa, NULL);
	none = set_of_pairs(NULL, NULL, NULL);
	return 0;
}

static int tear_down(void **state)
{
	struct tls_set *sets[] = { only_rsa, only_ecdsa, only_p384, only_ed25519, both, none };

	(void)state;
	for (size_t i = 0; i < array_len(sets); i++)
		tls_set_unref(sets[i]);
	EVP_PKEY_free(p384.key);
	return 0;
}

#define USUAL_GROUPS     LIST16(29, 23, 24)
#define USUAL_SIGNATURES LIST16(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)

/* The 14 suites of a large filtering provider's outbound servers, in their order. */
static const struct hello_recipe partner = {
	.suites = { (const uint16_t[]){ 0xc030, 0xc02f, 0xc028, 0xc027, 0xc014, 0xc013, 0x009d, 0x009c, 0x003d, 0x003c,
			    0x0035, 0x002f, 0x0005, 0x000a },
		14 },
	.groups = { (const uint16_t[]){ 23, 24, 25 }, 3 },
	.signatures = { (const uint16_t[]){ 0x0601, 0x0603, 0x0501, 0x0503, 0x0401, 0x0403, 0x0201, 0x0203 }, 8 },
};

static void test_the_founding_case(void **state)
{
	struct buf text = BUF_INIT(16384);

	explain_hello(only_ecdsa, TLS_FOR_MAIL, &partner, &e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT);
	assert_proof(&e, 1, "ECDHE-RSA-AES256-GCM-SHA384");
	assert_evidence(&e, "suites",
		"ECDHE-RSA-AES256-GCM-SHA384, ECDHE-RSA-AES128-GCM-SHA256, ECDHE-RSA-AES256-SHA384");
	assert_evidence(&e, "count", "14");
	assert_evidence(&e, "certificates", "ECDSA (");
	fault_cause(&e.why.causes[0], FAULT_EN, &text);
	assert_string_equal(buf_text(&text),
		"The peer can only verify RSA certificates (14 suites offered, all with RSA authentication, TLS 1.2 at "
		"most); this server has only an ECDSA certificate for mx.example.net.");
	buf_reset(&text);
	fault_remedy(&e.why.causes[0], FAULT_EN, &text);
	assert_string_equal(buf_text(&text),
		"Serve an RSA certificate beside the ECDSA one. Replayed against the same settings plus an RSA "
		"certificate, this ClientHello succeeds with ECDHE-RSA-AES256-GCM-SHA384.");
	buf_reset(&text);
	fault_remedy(&e.why.causes[0], FAULT_DE, &text);
	assert_string_equal(buf_text(&text),
		"Ein RSA-Zertifikat neben dem ECDSA-Zertifikat ausliefern. Gegen dieselben Einstellungen plus ein "
		"RSA-Zertifikat abgespielt, gelingt dieses ClientHello mit ECDHE-RSA-AES256-GCM-SHA384.");
	buf_done(&text);
	assert_int_equal(e.why.obstacles_n, 1);
	assert_false(e.why.obstacles[0].usable);
	assert_string_equal(e.why.obstacles[0].why_en, "the peer offers no suite for its key type");
	explained_done(&e);
}

/* With both key types the same client gets through. */
static void test_the_remedy_of_the_founding_case(void **state)
{
	const struct client_recipe client = { .max = TLS1_2_VERSION,
		.suites = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA" };
	struct attempt a;

	explain_client(only_ecdsa, TLS_FOR_MAIL, &client, &e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT);
	explained_done(&e);
	attempt_client(both, TLS_FOR_MAIL, &client, &a);
	assert_true(a.client_done && a.server_done);
	assert_int_equal(X509_cmp(a.served, rsa.x), 0);
	attempt_done(&a);
}

/* The same in a hello of 60 KB, in large records and small ones: it is no worse for its size. */
static void test_the_founding_case_in_a_large_hello(void **state)
{
	struct hello_recipe large = partner;

	large.padding = 60000;
	for (unsigned i = 0; i < 2; i++) {
		large.record = i ? 700 : 0;
		explain_hello(only_ecdsa, TLS_FOR_MAIL, &large, &e);
		assert_causes(&e, FAULT_TLS_NO_RSA_CERT);
		assert_proof(&e, 1, "ECDHE-RSA-AES256-GCM-SHA384");
		explained_done(&e);
	}
}

static void test_2_ecdsa_suites_only(void **state)
{
	explain_client(only_rsa, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-GCM-SHA256" }, &e);
	assert_causes(&e, FAULT_TLS_NO_ECDSA_CERT);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_evidence(&e, "served", "RSA");
	explained_done(&e);
}

static void test_3_rsa_signatures_only(void **state)
{
	explain_client(only_ecdsa, TLS_FOR_WEB,
		&(struct client_recipe){ .min = TLS1_3_VERSION, .signatures = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256" },
		&e);
	assert_causes(&e, FAULT_TLS_SIGNATURES_RSA_ONLY);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	assert_evidence(&e, "theirs", "rsa_pss_rsae_sha256, rsa_pkcs1_sha256");
	explained_done(&e);
}

static void test_4_ecdsa_signatures_only(void **state)
{
	explain_client(only_rsa, TLS_FOR_WEB,
		&(struct client_recipe){ .min = TLS1_3_VERSION, .signatures = "ecdsa_secp256r1_sha256" }, &e);
	assert_causes(&e, FAULT_TLS_SIGNATURES_ECDSA_ONLY);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	explained_done(&e);
}

static void test_5_ecdsa_suites_without_ecdsa_signatures(void **state)
{
	explain_hello(only_ecdsa, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02b, 0xc02f),
			.groups = USUAL_GROUPS,
			.signatures = LIST16(0x0804, 0x0401) },
		&e);
	assert_causes(&e, FAULT_TLS_NO_ECDSA_SIGNATURE);
	assert_proof(&e, 1, "ECDHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
}

static void test_6_rsa_suites_without_rsa_signatures(void **state)
{
	explain_hello(only_rsa, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02b, 0xc02f),
			.groups = USUAL_GROUPS,
			.signatures = LIST16(0x0403) },
		&e);
	assert_causes(&e, FAULT_TLS_NO_RSA_SIGNATURE);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-GCM-SHA256");
	explained_done(&e);
	/* A peer that offers RSA suites only cannot be helped: there is no proof then. */
	explain_hello(only_rsa, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02f),
			.groups = USUAL_GROUPS,
			.signatures = LIST16(0x0403) },
		&e);
	assert_causes(&e, FAULT_TLS_NO_RSA_SIGNATURE);
	assert_proof(&e, 0, NULL);
	explained_done(&e);
}

static void test_7_a_curve_that_the_peer_lacks(void **state)
{
	explain_client(only_p384, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-ECDSA-AES128-GCM-SHA256",
			.groups = "P-256" },
		&e);
	assert_causes(&e, FAULT_TLS_CERT_CURVE);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_evidence(&e, "ours", "P-384");
	assert_evidence(&e, "theirs", "P-256");
	explained_done(&e);
}

static void test_8_a_curve_whose_signatures_the_peer_lacks(void **state)
{
	explain_client(only_p384, TLS_FOR_WEB,
		&(struct client_recipe){ .min = TLS1_3_VERSION,
			.signatures = "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256" },
		&e);
	assert_causes(&e, FAULT_TLS_CERT_CURVE_SIGNATURE);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	explained_done(&e);
	/* The list of groups alone does no harm with TLS 1.3. */
	attempt_client(only_p384, TLS_FOR_WEB, &(struct client_recipe){ .min = TLS1_3_VERSION, .groups = "P-256" },
		&e.attempt);
	assert_true(e.attempt.server_done);
	attempt_done(&e.attempt);
}

static void test_9_ed25519(void **state)
{
	explain_client(only_ed25519, TLS_FOR_WEB,
		&(struct client_recipe){ .signatures = "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256" }, &e);
	assert_causes(&e, FAULT_TLS_CERT_ED25519);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	explained_done(&e);
}

static void test_11_no_suite_in_common(void **state)
{
	explain_client(both, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "AES256-SHA:ECDHE-ECDSA-AES128-SHA" }, &e);
	assert_causes(&e, FAULT_TLS_SUITES_DISJOINT);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-SHA");
	assert_evidence(&e, "suites", "AES256-SHA");
	assert_evidence(&e, "ours", "ECDHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
}

static void test_12_no_suite_in_common_13(void **state)
{
	explain_client(both, TLS_FOR_WEB,
		&(struct client_recipe){ .min = TLS1_3_VERSION, .suites13 = "TLS_AES_128_CCM_SHA256" }, &e);
	assert_causes(&e, FAULT_TLS_SUITES_DISJOINT_13);
	assert_proof(&e, 1, "TLS_AES_128_CCM_SHA256");
	explained_done(&e);
}

static void test_13_to_15_ciphers_of_the_past(void **state)
{
	const struct {
		struct list16 suites;
		enum fault_code code;
		const char *name;
	} cases[] = {
		{ LIST16(0x000a, 0x0016, 0x00ff), FAULT_TLS_PEER_3DES, "DES-CBC3-SHA, DHE-RSA-DES-CBC3-SHA" },
		{ LIST16(0xc012, 0x0005), FAULT_TLS_PEER_3DES, "ECDHE-RSA-DES-CBC3-SHA, RC4-SHA" },
		{ LIST16(0x0005, 0x0004, 0xc011), FAULT_TLS_PEER_RC4, "RC4-SHA, RC4-MD5, ECDHE-RSA-RC4-SHA" },
		{ LIST16(0x0003, 0x0008, 0x0014), FAULT_TLS_PEER_EXPORT, "EXP-RC4-MD5, EXP-DES-CBC-SHA" },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		explain_hello(only_ecdsa, TLS_FOR_MAIL,
			&(struct hello_recipe){ .suites = cases[i].suites,
				.groups = USUAL_GROUPS,
				.signatures = USUAL_SIGNATURES },
			&e);
		assert_causes(&e, cases[i].code);
		assert_evidence(&e, "suites", cases[i].name);
		assert_proof(&e, 0, NULL);
		explained_done(&e);
	}
}

static void test_16_no_group_in_common(void **state)
{
	explain_client(both, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-RSA-AES128-GCM-SHA256",
			.groups = "P-521" },
		&e);
	assert_causes(&e, FAULT_TLS_GROUPS_DISJOINT);
	assert_proof(&e, 1, "ECDHE-RSA-AES128-GCM-SHA256");
	assert_evidence(&e, "theirs", "P-521");
	assert_evidence(&e, "ours", "X25519, P-256, P-384");
	explained_done(&e);
}

static void test_17_no_group_in_common_13(void **state)
{
	explain_client(both, TLS_FOR_WEB, &(struct client_recipe){ .min = TLS1_3_VERSION, .groups = "X448:P-521" }, &e);
	assert_causes(&e, FAULT_TLS_GROUPS_DISJOINT_13);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	assert_evidence(&e, "theirs", "X448, P-521");
	explained_done(&e);
}

static void test_18_no_dh_parameters(void **state)
{
	struct tls_set *set = set_of_pairs(&rsa, NULL, NULL);

	SSL_CTX_set_dh_auto(set->ctx[TLS_FOR_MAIL], 0);
	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "DHE-RSA-AES128-GCM-SHA256" }, &e);
	assert_causes(&e, FAULT_TLS_NO_DH);
	assert_proof(&e, 1, "DHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
	tls_set_unref(set);
}

/* ---- certificates that are not served ---- */

static void test_29_no_certificate(void **state)
{
	explain_client(none, TLS_FOR_WEB, &(struct client_recipe){ .max = TLS1_2_VERSION }, &e);
	assert_causes(&e, FAULT_TLS_NO_CERT);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-GCM-SHA256");
	explained_done(&e);
	explain_client(none, TLS_FOR_WEB, &(struct client_recipe){ .min = TLS1_3_VERSION }, &e);
	assert_causes(&e, FAULT_TLS_NO_CERT);
	assert_proof(&e, 1, "TLS_AES_128_GCM_SHA256");
	explained_done(&e);
}

/* An ECDSA pair works; beside it lies what folder holds; the client can verify RSA only. */
static void explain_with_refused(struct folder *folder)
{
	struct told told;
	struct tls_set *set;

	folder_put_pair(folder, "ecdsa.pem", &ecdsa);
	set = folder_build(folder, NULL, &told);
	assert_int_equal(tls_set_count(set), 1);
	explain_hello(set, TLS_FOR_MAIL, &partner, &e);
	tls_set_unref(set);
	folder_remove(folder);
}

static void assert_refused(enum fault_code code)
{
	assert_causes(&e, code, FAULT_TLS_NO_RSA_CERT);
	assert_proof(&e, 1, "ECDHE-RSA-AES256-GCM-SHA384");
	assert_evidence(&e, "file", "/rsa.pem");
	explained_done(&e);
}

static void test_30_a_key_of_another_certificate(void **state)
{
	struct folder folder = folder_make();

	folder_put(&folder, "rsa.pem", CERTS(&rsa), maker_key(TLS_KEY_RSA, 1));
	explain_with_refused(&folder);
	assert_refused(FAULT_TLS_PAIR_MISMATCHED);
}

static void test_31_a_small_key(void **state)
{
	struct folder folder = folder_make();
	struct made small = make_simple("DNS:mx.example.net", maker_weak_key());

	folder_put_pair(&folder, "rsa.pem", &small);
	explain_with_refused(&folder);
	assert_evidence(&e, "bits", "1024");
	assert_refused(FAULT_TLS_PAIR_SMALL_KEY);
}

static void test_32_signed_with_sha1(void **state)
{
	struct folder folder = folder_make();
	struct family family = make_family("DNS:x", NULL);
	struct made weak = make(&(struct recipe){ .cn = "mx",
		.san = "DNS:mx.example.net",
		.key = maker_key(TLS_KEY_RSA, 0),
		.by = &family.middle,
		.digest = EVP_sha1() });

	folder_put_pair(&folder, "rsa.pem", &weak);
	explain_with_refused(&folder);
	assert_refused(FAULT_TLS_PAIR_WEAK_SIGNATURE);
}

static void test_33_no_key(void **state)
{
	struct folder folder = folder_make();

	folder_put(&folder, "rsa.pem", CERTS(&rsa), NULL);
	explain_with_refused(&folder);
	assert_refused(FAULT_TLS_PAIR_KEY_MISSING);
}

static void test_34_a_key_that_may_not_sign(void **state)
{
	struct folder folder = folder_make();
	struct made pair = make(&(struct recipe){ .cn = "mx",
		.san = "DNS:mx.example.net",
		.key = maker_key(TLS_KEY_RSA, 0),
		.usage = "keyEncipherment" });

	folder_put_pair(&folder, "rsa.pem", &pair);
	explain_with_refused(&folder);
	assert_refused(FAULT_TLS_PAIR_KEY_USAGE);
}

static void test_10_an_rsa_pss_key(void **state)
{
	struct folder folder = folder_make();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
	EVP_PKEY *key = NULL;
	struct made pair;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	pair = make_simple("DNS:mx.example.net", key);
	folder_put_pair(&folder, "rsa.pem", &pair);
	explain_with_refused(&folder);
	assert_refused(FAULT_TLS_PAIR_RSA_PSS);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
}

/* A refused pair of a name that the peer did not ask for explains nothing. */
static void test_a_refused_pair_of_another_name(void **state)
{
	struct folder folder = folder_make();
	struct made small = make_simple("DNS:elsewhere.example", maker_weak_key());
	struct hello_recipe hello = partner;
	struct told told;
	struct tls_set *set;

	folder_put_pair(&folder, "ecdsa.pem", &ecdsa);
	folder_put_pair(&folder, "rsa.pem", &small);
	set = folder_build(&folder, NULL, &told);
	hello.sni = "mx.example.net";
	explain_hello(set, TLS_FOR_MAIL, &hello, &e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT);
	explained_done(&e);
	tls_set_unref(set);
	folder_remove(&folder);
}

/* ---- signature algorithms of the past ---- */

static void test_35_sha1_only(void **state)
{
	explain_hello(both, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02b, 0xc02f),
			.groups = USUAL_GROUPS,
			.signatures = LIST16(0x0201, 0x0203) },
		&e);
	assert_causes(&e, FAULT_TLS_PEER_SHA1_ONLY);
	assert_evidence(&e, "theirs", "rsa_pkcs1_sha1, ecdsa_sha1");
	explained_done(&e);
}

static void test_36_no_signature_algorithms(void **state)
{
	explain_hello(both, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02b, 0xc02f, 0x002f), .groups = USUAL_GROUPS }, &e);
	assert_causes(&e, FAULT_TLS_NO_SIGNATURES);
	explained_done(&e);
}

static void test_37_an_incomplete_hello_of_13(void **state)
{
	const struct {
		struct hello_recipe hello;
		const char *missing;
	} cases[] = {
		{ { .groups = USUAL_GROUPS, .shares = LIST16(29) }, "the signature algorithms" },
		{ { .signatures = USUAL_SIGNATURES, .shares = LIST16(29) }, "the groups" },
		{ { .groups = USUAL_GROUPS, .signatures = USUAL_SIGNATURES }, "the key shares" },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct hello_recipe hello = cases[i].hello;

		hello.suites = LIST16(0x1301);
		hello.versions = LIST16(0x0304);
		explain_hello(both, TLS_FOR_WEB, &hello, &e);
		assert_causes(&e, FAULT_TLS_HELLO_INCOMPLETE_13);
		assert_evidence(&e, "missing", cases[i].missing);
		explained_done(&e);
	}
}

/* ---- two causes ---- */

/* RSA suites only, and those that the web does not allow. */
static void test_no_rsa_certificate_and_no_allowed_suite(void **state)
{
	explain_client(only_ecdsa, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "AES128-SHA:ECDHE-RSA-AES128-SHA" }, &e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT, FAULT_TLS_SUITES_DISJOINT);
	assert_proof(&e, 2, "ECDHE-RSA-AES128-SHA");
	assert_evidence(&e, "proof", "an RSA certificate and all suites");
	explained_done(&e);
}

static void test_no_rsa_certificate_and_no_group(void **state)
{
	explain_client(only_ecdsa, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-RSA-AES128-GCM-SHA256",
			.groups = "P-521" },
		&e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT, FAULT_TLS_GROUPS_DISJOINT);
	assert_proof(&e, 2, "ECDHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
}

static void test_no_group_and_wrong_signatures_13(void **state)
{
	explain_client(only_ecdsa, TLS_FOR_WEB,
		&(struct client_recipe){ .min = TLS1_3_VERSION,
			.groups = "P-521",
			.signatures = "rsa_pss_rsae_sha256" },
		&e);
	assert_causes(&e, FAULT_TLS_SIGNATURES_RSA_ONLY, FAULT_TLS_GROUPS_DISJOINT_13);
	assert_proof(&e, 2, "TLS_AES_128_GCM_SHA256");
	explained_done(&e);
}

/* The founding client, had it been older still: another certificate alone would not have helped. */
static void test_no_rsa_certificate_and_sha1_only(void **state)
{
	struct hello_recipe hello = partner;

	hello.signatures = LIST16(0x0201, 0x0203);
	explain_hello(only_ecdsa, TLS_FOR_MAIL, &hello, &e);
	assert_causes(&e, FAULT_TLS_NO_RSA_CERT, FAULT_TLS_PEER_SHA1_ONLY);
	assert_proof(&e, 2, "ECDHE-RSA-AES256-GCM-SHA384");
	assert_evidence(&e, "proof", "an RSA certificate and security level 0");
	explained_done(&e);
}

static void test_no_certificate_and_no_group(void **state)
{
	explain_client(none, TLS_FOR_WEB, &(struct client_recipe){ .max = TLS1_2_VERSION, .groups = "P-521" }, &e);
	assert_causes(&e, FAULT_TLS_NO_CERT, FAULT_TLS_GROUPS_DISJOINT);
	assert_proof(&e, 2, "ECDHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
}

/* The pair that the peer needs is faulty, and it would not have sufficed. */
static void test_a_refused_pair_and_no_group(void **state)
{
	struct folder folder = folder_make();
	struct told told;
	struct tls_set *set;

	folder_put(&folder, "rsa.pem", CERTS(&rsa), maker_key(TLS_KEY_RSA, 1));
	folder_put_pair(&folder, "ecdsa.pem", &ecdsa);
	set = folder_build(&folder, NULL, &told);
	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-RSA-AES128-GCM-SHA256",
			.groups = "P-521" },
		&e);
	assert_causes(&e, FAULT_TLS_PAIR_MISMATCHED, FAULT_TLS_GROUPS_DISJOINT, FAULT_TLS_NO_RSA_CERT);
	assert_proof(&e, 2, "ECDHE-RSA-AES128-GCM-SHA256");
	explained_done(&e);
	tls_set_unref(set);
	folder_remove(&folder);
}

/* The curve is unknown to the peer, which is too old as well for what else could be done about it:
 * one of the two suffices. */
static void test_a_foreign_curve_or_an_rsa_certificate(void **state)
{
	explain_client(only_p384, TLS_FOR_MAIL, &(struct client_recipe){ .max = TLS1_2_VERSION, .groups = "P-256" },
		&e);
	assert_int_equal(e.why.causes[0].code, FAULT_TLS_CERT_CURVE);
	assert_int_equal(e.why.proof_n, 1);
	explained_done(&e);
}

/* ECDSA suites that are not allowed beside RSA suites that are: a certificate or a suite would do,
 * both are named. */
static void test_either_of_two_would_do(void **state)
{
	explain_client(only_ecdsa, TLS_FOR_WEB,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256" },
		&e);
	assert_causes(&e, FAULT_TLS_SUITES_DISJOINT);
	assert_proof(&e, 1, "ECDHE-ECDSA-AES128-SHA");
	explained_done(&e);
}

/* Without replays the causes are the same, and nothing is claimed. */
static void test_without_replays(void **state)
{
	const struct tls_circumstances around = { .no_replay = true };
	struct tls_explanation why;

	explain_hello(only_ecdsa, TLS_FOR_MAIL, &partner, &e);
	tls_explain(&e.attempt.facts, only_ecdsa, &around, &why);
	assert_int_equal(why.causes[0].code, FAULT_TLS_NO_RSA_CERT);
	assert_int_equal(why.replays, 0);
	assert_false(why.proven);
	assert_span(fault_value(&why.causes[0], "proof"), "");
	explained_done(&e);
}

/* A hello without a connection, as `torhaus tls explain` asks. */
static void test_a_hello_alone(void **state)
{
	const char *suite;
	struct hand h;

	hand_hello(&partner, &h);
	assert_true(tls_explain_hello(hand_span(&h), TLS_FOR_MAIL, both, &suite, &e.why));
	assert_string_equal(suite, "ECDHE-RSA-AES256-GCM-SHA384");
	assert_false(tls_explain_hello(hand_span(&h), TLS_FOR_MAIL, only_ecdsa, &suite, &e.why));
	assert_int_equal(e.why.causes[0].code, FAULT_TLS_NO_RSA_CERT);
	assert_false(tls_explain_hello(SPAN("EHLO x\r\n"), TLS_FOR_MAIL, both, &suite, &e.why));
	assert_int_equal(e.why.causes[0].code, FAULT_TLS_PLAIN_SMTP);
}

/* What the peer verifies is what no certificate makes: serving another kind is no remedy. */
static void test_signatures_that_nobody_makes(void **state)
{
	const struct {
		struct list16 signatures;
		enum fault_code code;
	} rows[] = { { LIST16(0x0401, 0x0501), FAULT_TLS_SIGNATURES_PKCS1_ONLY },
		{ LIST16(0x0401, 0x0402), FAULT_TLS_SIGNATURES_PKCS1_ONLY },
		{ LIST16(0x0402, 0x0602), FAULT_TLS_SIGNATURES_DSS_ONLY },
		{ LIST16(0x0904, 0x0905), FAULT_TLS_SIGNATURES_ML_DSA_ONLY },
		{ LIST16(0x0906, 0x0402), FAULT_TLS_SIGNATURES_ML_DSA_ONLY },
		{ LIST16(0x0807, 0x0808), FAULT_TLS_SIGNATURES_UNUSABLE },
		{ LIST16(0x0708), FAULT_TLS_SIGNATURES_UNUSABLE } };

	for (size_t i = 0; i < array_len(rows); i++) {
		explain_hello(both, TLS_FOR_WEB,
			&(struct hello_recipe){ .suites = LIST16(0x1301),
				.versions = LIST16(0x0304),
				.groups = LIST16(29),
				.shares = LIST16(29),
				.signatures = rows[i].signatures },
			&e);
		assert_causes_at(&e, (const enum fault_code[]){ rows[i].code, FAULT_NONE }, __FILE__, __LINE__);
		explained_done(&e);
	}
	/* With TLS 1.2 the old form is fine, and DSS is not. */
	explain_hello(both, TLS_FOR_MAIL,
		&(struct hello_recipe){ .suites = LIST16(0xc02f), .groups = LIST16(29), .signatures = LIST16(0x0402) },
		&e);
	assert_causes(&e, FAULT_TLS_SIGNATURES_DSS_ONLY);
	assert_evidence(&e, "version", "TLS 1.2");
	explained_done(&e);
}

static void test_post_quantum_groups_only(void **state)
{
	if (OpenSSL_version_num() >= 0x30500000)
		skip();
	explain_hello(both, TLS_FOR_WEB,
		&(struct hello_recipe){ .suites = LIST16(0x1301),
			.versions = LIST16(0x0304),
			.groups = LIST16(0x0a0a, 0x11ec, 0x0201),
			.shares = { (const uint16_t[]){ 0 }, 0 },
			.signatures = LIST16(0x0403) },
		&e);
	assert_causes(&e, FAULT_TLS_GROUPS_POST_QUANTUM);
	assert_evidence(&e, "theirs", "X25519MLKEM768, MLKEM768");
	assert_evidence(&e, "openssl", "3.");
	explained_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_founding_case),
		cmocka_unit_test(test_the_remedy_of_the_founding_case),
		cmocka_unit_test(test_the_founding_case_in_a_large_hello),
		cmocka_unit_test(test_2_ecdsa_suites_only),
		cmocka_unit_test(test_3_rsa_signatures_only),
		cmocka_unit_test(test_4_ecdsa_signatures_only),
		cmocka_unit_test(test_5_ecdsa_suites_without_ecdsa_signatures),
		cmocka_unit_test(test_6_rsa_suites_without_rsa_signatures),
		cmocka_unit_test(test_7_a_curve_that_the_peer_lacks),
		cmocka_unit_test(test_8_a_curve_whose_signatures_the_peer_lacks),
		cmocka_unit_test(test_9_ed25519),
		cmocka_unit_test(test_10_an_rsa_pss_key),
		cmocka_unit_test(test_11_no_suite_in_common),
		cmocka_unit_test(test_12_no_suite_in_common_13),
		cmocka_unit_test(test_13_to_15_ciphers_of_the_past),
		cmocka_unit_test(test_16_no_group_in_common),
		cmocka_unit_test(test_17_no_group_in_common_13),
		cmocka_unit_test(test_18_no_dh_parameters),
		cmocka_unit_test(test_29_no_certificate),
		cmocka_unit_test(test_30_a_key_of_another_certificate),
		cmocka_unit_test(test_31_a_small_key),
		cmocka_unit_test(test_32_signed_with_sha1),
		cmocka_unit_test(test_33_no_key),
		cmocka_unit_test(test_34_a_key_that_may_not_sign),
		cmocka_unit_test(test_a_refused_pair_of_another_name),
		cmocka_unit_test(test_35_sha1_only),
		cmocka_unit_test(test_36_no_signature_algorithms),
		cmocka_unit_test(test_37_an_incomplete_hello_of_13),
		cmocka_unit_test(test_no_rsa_certificate_and_no_allowed_suite),
		cmocka_unit_test(test_no_rsa_certificate_and_no_group),
		cmocka_unit_test(test_no_group_and_wrong_signatures_13),
		cmocka_unit_test(test_no_rsa_certificate_and_sha1_only),
		cmocka_unit_test(test_no_certificate_and_no_group),
		cmocka_unit_test(test_a_refused_pair_and_no_group),
		cmocka_unit_test(test_a_foreign_curve_or_an_rsa_certificate),
		cmocka_unit_test(test_either_of_two_would_do),
		cmocka_unit_test(test_without_replays),
		cmocka_unit_test(test_a_hello_alone),
		cmocka_unit_test(test_signatures_that_nobody_makes),
		cmocka_unit_test(test_post_quantum_groups_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
