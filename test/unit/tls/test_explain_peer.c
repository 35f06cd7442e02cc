/*
 * After our ServerHello: the peer's opinion of our certificate, by its alert or by its silence,
 * weighed against our own chain's facts: causes 45 and 48 to 62 of the catalogue. OpenSSL clients
 * tell the alerts apart; GnuTLS says 42 about everything, which made-up facts stand for here and
 * gnutls-cli itself in test_explain_real.c.
 */
#include "explained.h"
#include <openssl/ssl.h>

static struct made root, ecdsa;
static struct explained e;

static int set_up(void **state)
{
	(void)state;
	root = make(&(struct recipe){ .cn = "Test Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 3) });
	ecdsa = make_simple("DNS:mx.example.net", maker_key(TLS_KEY_ECDSA, 0));
	return 0;
}

/* A leaf of the root. */
static struct made leaf_with(struct recipe recipe)
{
	recipe.cn = "leaf";
	recipe.san = recipe.san ? recipe.san : "DNS:mx.example.net";
	recipe.by = &root;
	return make(&recipe);
}

/* A set of this leaf, with the root behind it so that the chain is complete. */
static struct tls_set *set_of_leaf(const struct made *leaf)
{
	return set_of(CERTS(leaf, &root), leaf->key);
}

/* What a peer that verifies (with the root, for the name) says of the set. */
static void explain_verified(struct tls_set *set, const char *name)
{
	explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .trust = &root, .verify_name = name, .name = name },
		&e);
	explained_done(&e);
	/* TLS 1.3 hides the alert in a record of its own; the outcome is the same. */
	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .trust = &root, .verify_name = name, .name = name },
		&e);
}

/* The facts of a handshake that went well, up to the certificate, and then this alert (0xff: hung
 * up). */
static void explain_alert(struct tls_set *set, uint8_t alert, const struct tls_circumstances *around)
{
	struct tls_facts facts;

	attempt_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .name = "mx.example.net" }, &e.attempt);
	assert_true(e.attempt.server_done);
	facts = e.attempt.facts;
	e.attempt.facts = (struct tls_facts){ 0 };
	attempt_done(&e.attempt);
	facts.alert_received = alert;
	facts.alert_received_level = 2;
	facts.error = alert == 0xff ? -ECONNRESET : -EPROTO;
	facts.ended = alert == 0xff;
	facts.served = TLS_KEY_ECDSA;
	facts.suite = 0x1301;
	facts.group = 29;
	explain_facts(set, &facts, around, &e);
}

static void test_48_expired(void **state)
{
	struct made leaf = leaf_with((struct recipe){ .from_s = -9 * DAY, .until_s = -DAY });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_verified(set, "mx.example.net");
	assert_int_equal(e.attempt.facts.alert_received, 45);
	assert_causes(&e, FAULT_TLS_CERT_EXPIRED);
	assert_evidence(&e, "alert", "alert 45, certificate_expired");
	assert_evidence(&e, "until", "20");
	explained_done(&e);
	/* GnuTLS's 42. */
	explain_alert(set, 42, NULL);
	assert_causes(&e, FAULT_TLS_CERT_EXPIRED);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_49_not_yet_valid(void **state)
{
	struct made leaf = leaf_with((struct recipe){ .from_s = DAY, .until_s = 9 * DAY });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_verified(set, "mx.example.net");
	assert_causes(&e, FAULT_TLS_CERT_NOT_YET_VALID);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_50_another_name(void **state)
{
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_verified(set, "other.example");
	assert_int_equal(e.attempt.facts.alert_received, 42);
	assert_causes(&e, FAULT_TLS_CERT_NAME);
	assert_evidence(&e, "name", "other.example");
	assert_evidence(&e, "names", "mx.example.net");
	explained_done(&e);
	tls_set_unref(set);
}

static void test_51_self_signed(void **state)
{
	struct tls_set *set = set_of(CERTS(&ecdsa), ecdsa.key);

	explain_verified(set, "mx.example.net");
	assert_int_equal(e.attempt.facts.alert_received, 48);
	assert_causes(&e, FAULT_TLS_CERT_SELF_SIGNED);
	explained_done(&e);
	explain_alert(set, 42, NULL);
	assert_causes(&e, FAULT_TLS_CERT_SELF_SIGNED);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_52_no_intermediate(void **state)
{
	struct family family = make_family("DNS:mx.example.net", NULL);
	struct tls_set *set = set_of(CERTS(&family.leaf), family.leaf.key);

	explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .trust = &family.root }, &e);
	assert_causes(&e, FAULT_TLS_CERT_NO_CHAIN);
	assert_evidence(&e, "issuer", "Test Intermediate");
	explained_done(&e);
	tls_set_unref(set);
}

static void test_53_a_ca_that_the_peer_lacks(void **state)
{
	struct made foreign =
		make(&(struct recipe){ .cn = "Foreign Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 1) });
	struct made leaf = make(&(struct recipe){ .cn = "leaf", .san = "DNS:mx.example.net", .by = &foreign });
	struct tls_set *set = set_of(CERTS(&leaf, &foreign), leaf.key);

	explain_verified(set, "mx.example.net");
	assert_causes(&e, FAULT_TLS_CERT_CA_UNKNOWN);
	assert_evidence(&e, "issuer", "Foreign Root");
	explained_done(&e);
	/* Alert 45, though ours is in date: an old root of the peer's is not. */
	explain_alert(set, 45, NULL);
	assert_causes(&e, FAULT_TLS_CERT_CA_UNKNOWN);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_54_too_weak_for_the_peer(void **state)
{
	struct made leaf = leaf_with((struct recipe){ .key = maker_key(TLS_KEY_RSA, 0) });
	struct tls_set *set = set_of_leaf(&leaf);

	/* More than the usual measure: what helps is not what is there already. */
	explain_alert(set, 71, NULL);
	assert_causes(&e, FAULT_TLS_CERT_WEAK_FOR_PEER);
	assert_evidence(&e, "weakness", "an RSA key of 2048 bits");
	assert_evidence(&e, "stronger", "RSA of 3072 bits, or ECDSA P-256 beside it");
	explained_done(&e);
	tls_set_unref(set);
	/* A key of 128 bits of security is not what it minds. */
	leaf = leaf_with((struct recipe){ .key = maker_key(TLS_KEY_ECDSA, 0) });
	set = set_of_leaf(&leaf);
	explain_alert(set, 71, NULL);
	assert_causes(&e, FAULT_TLS_PEER_BROKE_OFF);
	assert_evidence(&e, "suite", "TLS_AES_");
	explained_done(&e);
	tls_set_unref(set);
}

/* Such pairs are not served; one that is, by whatever way, must be named all the same. */
static void serve_instead(struct tls_set *set, const struct made *leaf)
{
	struct pair *p = set->pairs.v[0];

	X509_free(p->leaf);
	X509_up_ref(leaf->x);
	p->leaf = leaf->x;
	EVP_PKEY_free(p->key);
	EVP_PKEY_up_ref(leaf->key);
	p->key = leaf->key;
	SSL_CTX_set_security_level(set->ctx[TLS_FOR_MAIL], 0);
}

/* OpenSSL's alert about it is 42, which says nothing; the key's size does. */
static void test_54_a_key_too_small_for_the_peer(void **state)
{
	struct made good = leaf_with((struct recipe){ .key = maker_key(TLS_KEY_RSA, 0) });
	struct made weak = leaf_with((struct recipe){ .key = maker_weak_key() });
	struct tls_set *set = set_of_leaf(&good);

	serve_instead(set, &weak);
	set->pairs.v[0]->pub.bits = 1024;
	explain_verified(set, "mx.example.net");
	assert_int_equal(e.attempt.facts.alert_received, 42);
	assert_causes(&e, FAULT_TLS_CERT_WEAK);
	assert_evidence(&e, "weakness", "an RSA key of 1024 bits");
	explained_done(&e);
	tls_set_unref(set);
}

static void test_54_a_signature_too_weak_for_the_peer(void **state)
{
	struct made good = leaf_with((struct recipe){ 0 });
	struct made weak = leaf_with((struct recipe){ .digest = EVP_sha1() });
	struct tls_set *set = set_of_leaf(&good);

	serve_instead(set, &weak);
	explain_verified(set, "mx.example.net");
	assert_int_equal(e.attempt.facts.alert_received, 42);
	assert_causes(&e, FAULT_TLS_CERT_WEAK);
	assert_evidence(&e, "weakness", "a signature with SHA-1");
	explained_done(&e);
	tls_set_unref(set);
}

static void test_55_not_for_servers(void **state)
{
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct made client_leaf = leaf_with((struct recipe){ .extended = "clientAuth" });
	struct tls_set *set = set_of_leaf(&leaf);

	serve_instead(set, &client_leaf);
	explain_verified(set, "mx.example.net");
	assert_int_equal(e.attempt.facts.alert_received, 43);
	assert_causes(&e, FAULT_TLS_CERT_NOT_FOR_SERVERS);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_56_and_57_policies(void **state)
{
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_alert(set, 42, &(struct tls_circumstances){ .tlsa_published = true });
	assert_causes(&e, FAULT_TLS_DANE_MISMATCH);
	explained_done(&e);
	explain_alert(set, 42, &(struct tls_circumstances){ .mta_sts_enforced = true });
	assert_causes(&e, FAULT_TLS_MTA_STS);
	explained_done(&e);
	/* With records that match it is something else. */
	explain_alert(set, 42, &(struct tls_circumstances){ .tlsa_published = true, .tlsa_matches = true });
	assert_causes(&e, FAULT_TLS_CERT_REFUSED);
	explained_done(&e);
	tls_set_unref(set);
}

/* A peer that verifies by TLSA records, and one that hangs up instead of saying what it minds. */
static void test_56_and_57_with_real_peers(void **state)
{
	const struct client_recipe dane = { .name = "mx.example.net", .wrong_tlsa = true, .max = TLS1_2_VERSION };
	const struct client_recipe leaves = { .name = "mx.example.net", .leaves = true };
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct tls_set *set = set_of_leaf(&leaf);

	attempt_client(set, TLS_FOR_MAIL, &dane, &e.attempt);
	assert_int_equal(e.attempt.facts.alert_received, 42);
	tls_explain(&e.attempt.facts, set, &(struct tls_circumstances){ .tlsa_published = true }, &e.why);
	assert_causes(&e, FAULT_TLS_DANE_MISMATCH);
	assert_complete(&e);
	explained_done(&e);
	attempt_client(set, TLS_FOR_MAIL, &leaves, &e.attempt);
	tls_explain(&e.attempt.facts, set, &(struct tls_circumstances){ .mta_sts_enforced = true }, &e.why);
	assert_causes(&e, FAULT_TLS_MTA_STS);
	assert_complete(&e);
	explained_done(&e);
	tls_set_unref(set);
}

/* The size is what tells: the alert about a chain like everybody's is no cause. */
static void test_58_a_chain_too_large(void **state)
{
	struct buf san = BUF_INIT(1 << 16);
	struct made leaf = leaf_with((struct recipe){ 0 }), large;
	struct tls_set *set = set_of_leaf(&leaf);

	explain_alert(set, 47, NULL);
	assert_causes(&e, FAULT_TLS_PEER_BROKE_OFF);
	assert_evidence(&e, "alert", "alert 47, illegal_parameter");
	explained_done(&e);
	tls_set_unref(set);
	buf_addf(&san, "DNS:mx.example.net");
	for (unsigned i = 0; i < 400; i++)
		buf_addf(&san, ",DNS:name-%04u.of.example.net", i);
	large = leaf_with((struct recipe){ .san = buf_text(&san) });
	set = set_of_leaf(&large);
	for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
		explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .max = max, .chain_max = 8000 }, &e);
		assert_int_equal(e.attempt.facts.alert_received, 47);
		assert_causes(&e, FAULT_TLS_CHAIN_TOO_LARGE);
		explained_done(&e);
	}
	/* Others say record_overflow or nothing. */
	explain_alert(set, 22, NULL);
	assert_causes(&e, FAULT_TLS_CHAIN_TOO_LARGE);
	explained_done(&e);
	explain_alert(set, 0xff, NULL);
	assert_causes(&e, FAULT_TLS_CHAIN_TOO_LARGE);
	explained_done(&e);
	tls_set_unref(set);
	buf_done(&san);
}

/* Alerts that say nothing about a chain in which nothing is wrong. */
static void test_alerts_without_a_fact(void **state)
{
	static const struct {
		uint8_t alert;
		enum fault_code code;
	} rows[] = { { 40, FAULT_TLS_PEER_BROKE_OFF }, { 44, FAULT_TLS_CERT_REVOKED }, { 46, FAULT_TLS_CERT_REFUSED },
		{ 49, FAULT_TLS_CERT_REFUSED }, { 50, FAULT_TLS_PEER_BROKE_OFF }, { 51, FAULT_TLS_PEER_BROKE_OFF },
		{ 80, FAULT_TLS_PEER_BROKE_OFF }, { 110, FAULT_TLS_PEER_BROKE_OFF },
		{ 90, FAULT_TLS_PEER_LEFT_AT_CERT }, /* Java: user_canceled, then close_notify */
		{ 0, FAULT_TLS_PEER_LEFT_AT_CERT } };
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct tls_set *set = set_of_leaf(&leaf);

	for (size_t i = 0; i < array_len(rows); i++) {
		explain_alert(set, rows[i].alert, NULL);
		assert_causes_at(&e, (const enum fault_code[]){ rows[i].code, FAULT_NONE }, __FILE__, __LINE__);
		explained_done(&e);
	}
	tls_set_unref(set);
}

/* What the peer breaks off at has a name: suite and group, and the bits of classic DH, which are
 * more than Java 7 takes. */
static void test_what_was_chosen(void **state)
{
	struct made leaf = leaf_with((struct recipe){ .key = maker_key(TLS_KEY_RSA, 0) });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION,
			.suites = "ECDHE-RSA-AES256-GCM-SHA384",
			.groups = "P-384",
			.leaves = true },
		&e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT_AT_CERT);
	assert_evidence(&e, "suite", "ECDHE-RSA-AES256-GCM-SHA384");
	assert_evidence(&e, "group", "P-384");
	explained_done(&e);
	explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .groups = "X25519", .leaves = true }, &e);
	assert_causes(&e, FAULT_TLS_PEER_LEFT_AT_CERT);
	assert_evidence(&e, "group", "X25519");
	explained_done(&e);
	explain_client(set, TLS_FOR_MAIL,
		&(struct client_recipe){ .max = TLS1_2_VERSION, .suites = "DHE-RSA-AES128-SHA", .leaves = true }, &e);
	assert_causes(&e, FAULT_TLS_DH_TOO_LARGE);
	assert_evidence(&e, "suite", "DHE-RSA-AES128-SHA");
	assert_evidence(&e, "group", "DH 2048");
	explained_done(&e);
	tls_set_unref(set);
}

/* An issuer out of date, and a chain that reaches no CA of this machine, are our faults, not the
 * peer's. */
static void test_our_own_chain(void **state)
{
	struct family f = make_family("DNS:mx.example.net", NULL);
	struct made old = make(&(struct recipe){ .cn = "Test Intermediate",
		.ca = true,
		.by = &f.root,
		.key = f.middle.key,
		.from_s = -90 * DAY,
		.until_s = -DAY });
	struct tls_set *set = set_of(CERTS(&f.leaf, &old), f.leaf.key);

	explain_alert(set, 45, NULL);
	assert_causes(&e, FAULT_TLS_CHAIN_DATE);
	assert_evidence(&e, "issuer", "Test Intermediate");
	explained_done(&e);
	tls_set_unref(set);
	set = set_of(CERTS(&f.leaf, &f.middle), f.leaf.key);
	set->pairs.v[0]->pub.reach = TLS_REACH_NO;
	explain_alert(set, 48, NULL);
	assert_causes(&e, FAULT_TLS_CHAIN_NO_CA);
	assert_evidence(&e, "issuer", "Test Root");
	explained_done(&e);
	set->pairs.v[0]->pub.reach = TLS_REACH_YES;
	explain_alert(set, 48, NULL);
	assert_causes(&e, FAULT_TLS_CERT_CA_UNKNOWN);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_61_must_staple(void **state)
{
	struct made leaf = leaf_with((struct recipe){ .must_staple = true });
	struct tls_set *set = set_of_leaf(&leaf);

	explain_alert(set, 113, NULL);
	assert_causes(&e, FAULT_TLS_MUST_STAPLE);
	explained_done(&e);
	tls_set_unref(set);
}

static void test_45_hung_up_at_the_certificate(void **state)
{
	struct made leaf = leaf_with((struct recipe){ 0 });
	struct tls_set *set = set_of_leaf(&leaf);

	for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
		explain_client(set, TLS_FOR_MAIL,
			&(struct client_recipe){ .name = "mx.example.net", .max = max, .leaves = true }, &e);
		assert_causes(&e, FAULT_TLS_PEER_LEFT_AT_CERT);
		explained_done(&e);
	}
	tls_set_unref(set);
	/* If something is wrong with it, that is named instead. */
	set = set_of(CERTS(&ecdsa), ecdsa.key);
	explain_alert(set, 0xff, NULL);
	assert_causes(&e, FAULT_TLS_CERT_SELF_SIGNED);
	assert_evidence(&e, "alert", "it hung up");
	explained_done(&e);
	tls_set_unref(set);
}

static void test_two_things_wrong_with_a_certificate(void **state)
{
	struct made leaf =
		make(&(struct recipe){ .cn = "x", .san = "DNS:old.example", .from_s = -9 * DAY, .until_s = -DAY });
	struct tls_set *set = set_of(CERTS(&leaf), leaf.key);

	/* The alert says which of them the peer saw. */
	explain_alert(set, 45, NULL);
	assert_causes(&e, FAULT_TLS_CERT_EXPIRED, FAULT_TLS_CERT_SELF_SIGNED, FAULT_TLS_CERT_NAME);
	explained_done(&e);
	explain_alert(set, 48, NULL);
	assert_causes(&e, FAULT_TLS_CERT_SELF_SIGNED, FAULT_TLS_CERT_EXPIRED, FAULT_TLS_CERT_NAME);
	explained_done(&e);
	explain_alert(set, 42, NULL);
	assert_causes(&e, FAULT_TLS_CERT_NAME, FAULT_TLS_CERT_EXPIRED, FAULT_TLS_CERT_SELF_SIGNED);
	explained_done(&e);
	tls_set_unref(set);
}

/* ---- certificates of clients, records ---- */

/* A client certificate is demanded, and verified by the root. */
static struct tls_set *set_that_demands(void)
{
	struct tls_set *set = set_of(CERTS(&ecdsa), ecdsa.key);

	SSL_CTX_set_verify(set->ctx[TLS_FOR_MAIL], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(set->ctx[TLS_FOR_MAIL]), root.x);
	return set;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void test_59_a_client_certificate_is_missing(void **state)
{
	static const uint8_t alerts[] = { 40, 116 };
	struct tls_set *set = set_that_demands();

	for (size_t i = 0; i < array_len(versions); i++) {
		explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .min = versions[i], .max = versions[i] },
			&e);
		assert_int_equal(e.attempt.facts.alert_sent, alerts[i]);
		assert_causes(&e, FAULT_TLS_CLIENT_CERT_MISSING);
		explained_done(&e);
	}
	tls_set_unref(set);
}

/* With this certificate, in both versions. */
static void assert_client_cert(const struct recipe *recipe, const struct made *by, uint8_t alert, enum fault_code code,
	const char *error, const char *error_de)
{
	struct tls_set *set = set_that_demands();
	struct recipe r = *recipe;
	struct made own;

	r.cn = "client";
	r.san = "DNS:client.example";
	r.by = by;
	own = make(&r);
	for (size_t i = 0; i < array_len(versions); i++) {
		explain_client(set, TLS_FOR_MAIL,
			&(struct client_recipe){ .min = versions[i], .max = versions[i], .own = &own }, &e);
		assert_int_equal(e.attempt.facts.alert_sent, alert);
		assert_causes_at(&e, (const enum fault_code[]){ code, FAULT_NONE }, __FILE__, __LINE__);
		assert_evidence(&e, "error", error);
		assert_evidence(&e, "error_de", error_de);
		explained_done(&e);
	}
	tls_set_unref(set);
}

static void test_60_a_client_certificate_is_bad(void **state)
{
	struct made foreign =
		make(&(struct recipe){ .cn = "Foreign Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 1) });

	assert_client_cert(&(struct recipe){ .from_s = -9 * DAY, .until_s = -DAY }, &root, 45,
		FAULT_TLS_CLIENT_CERT_EXPIRED, "certificate has expired", "ist abgelaufen");
	assert_client_cert(&(struct recipe){ .extended = "serverAuth" }, &root, 43, FAULT_TLS_CLIENT_CERT_PURPOSE,
		"unsuitable certificate purpose", "nicht für diesen Zweck");
	assert_client_cert(&(struct recipe){ 0 }, &foreign, 48, FAULT_TLS_CLIENT_CERT_BAD,
		"unable to get local issuer certificate", "Der Aussteller ist nicht bekannt");
	assert_client_cert(&(struct recipe){ 0 }, NULL, 48, FAULT_TLS_CLIENT_CERT_BAD, "self-signed certificate",
		"selbst signiert");
	assert_client_cert(&(struct recipe){ .from_s = DAY, .until_s = 9 * DAY }, &root, 42,
		FAULT_TLS_CLIENT_CERT_EARLY, "certificate is not yet valid", "gilt noch nicht");
}

/* Made for both, and for clients: these pass. */
static void test_60_client_certificates_that_are_good(void **state)
{
	static const char *const purposes[] = { "clientAuth", "serverAuth,clientAuth", NULL };
	struct tls_set *set = set_that_demands();

	for (size_t i = 0; i < array_len(purposes); i++) {
		struct made own = make(&(struct recipe){ .cn = "client", .by = &root, .extended = purposes[i] });

		attempt_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .own = &own }, &e.attempt);
		assert_true(e.attempt.server_done);
		attempt_done(&e.attempt);
	}
	tls_set_unref(set);
}

static void test_62_a_corrupt_record(void **state)
{
	struct tls_set *set = set_of(CERTS(&ecdsa), ecdsa.key);

	explain_client(set, TLS_FOR_MAIL, &(struct client_recipe){ .max = TLS1_2_VERSION, .corrupt = true }, &e);
	assert_causes(&e, FAULT_TLS_RECORD_CORRUPT);
	assert_int_equal(e.attempt.facts.alert_sent, 20);
	explained_done(&e);
	tls_set_unref(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_45_hung_up_at_the_certificate),
		cmocka_unit_test(test_48_expired),
		cmocka_unit_test(test_49_not_yet_valid),
		cmocka_unit_test(test_50_another_name),
		cmocka_unit_test(test_51_self_signed),
		cmocka_unit_test(test_52_no_intermediate),
		cmocka_unit_test(test_53_a_ca_that_the_peer_lacks),
		cmocka_unit_test(test_54_too_weak_for_the_peer),
		cmocka_unit_test(test_54_a_key_too_small_for_the_peer),
		cmocka_unit_test(test_54_a_signature_too_weak_for_the_peer),
		cmocka_unit_test(test_55_not_for_servers),
		cmocka_unit_test(test_56_and_57_policies),
		cmocka_unit_test(test_56_and_57_with_real_peers),
		cmocka_unit_test(test_58_a_chain_too_large),
		cmocka_unit_test(test_alerts_without_a_fact),
		cmocka_unit_test(test_what_was_chosen),
		cmocka_unit_test(test_our_own_chain),
		cmocka_unit_test(test_59_a_client_certificate_is_missing),
		cmocka_unit_test(test_60_a_client_certificate_is_bad),
		cmocka_unit_test(test_60_client_certificates_that_are_good),
		cmocka_unit_test(test_61_must_staple),
		cmocka_unit_test(test_62_a_corrupt_record),
		cmocka_unit_test(test_two_things_wrong_with_a_certificate),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
