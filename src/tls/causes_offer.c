/*
 * Causes in what the peer offers: beside what our certificates can authenticate, and beside our
 * groups and suites. (Numbers in comments: see tls/causes.tbl.h.)
 */
#include "tls/causes_priv.h"

/* ---- our certificates against what the peer can verify ---- */

/* We could choose, and the hello is a sound one of a version that we have. */
static bool is_choosing(const struct why *w)
{
	return w->has_hello && w->ctx && w->version != 0 && !why_answered(w);
}

/* 29 */
bool cause_has_no_cert(const struct why *w, struct found *f)
{
	(void)f;
	return is_choosing(w) && w->pairs_n == 0;
}

/* Would a certificate with such a key serve this peer? Roughly: the replay says it exactly. */
static bool wants(const struct why *w, enum tls_key_type key)
{
	if (w->version == 0x0304)
		return why_verifies(w, key);
	return why_has_auth(w, key == TLS_KEY_RSA ? TLS_AUTH_RSA : TLS_AUTH_ECDSA) && why_verifies(w, key);
}

static bool is_for_the_name(const struct why *w, struct span name)
{
	if (w->hello.sni.n == 0 || w->pairs_n == 0 || span_eq_nocase(name, w->hello.sni))
		return true;
	for (unsigned i = 0; i < w->pairs[0]->pub.names_n; i++)
		if (span_eq(name, w->pairs[0]->pub.names[i]))
			return true;
	return false;
}

/* A pair that lies in the folders, was refused with that code, and would have served this peer. */
static bool was_refused(const struct why *w, struct found *f, enum fault_code code)
{
	for (unsigned i = 0; is_choosing(w) && i < w->set->refused_n; i++) {
		const struct fault *r = &w->set->refused[i];
		struct span type = fault_value(r, "type");
		enum tls_key_type key = span_eq(type, SPAN("ECDSA")) ? TLS_KEY_ECDSA : TLS_KEY_RSA;

		if (r->code != code || why_pair(w, key) || !wants(w, key) || span_eq(type, SPAN("Ed25519")) ||
			!is_for_the_name(w, fault_value(r, "name")))
			continue;
		cause_add(f, "type", type);
		cause_add(f, "file", fault_value(r, "file"));
		cause_add(f, "bits", fault_value(r, "bits"));
		f->change = key == TLS_KEY_RSA ? CHANGE_RSA : CHANGE_ECDSA;
		return true;
	}
	return false;
}

/* 30 */
bool cause_is_pair_mismatched(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_MISMATCH);
}

/* 31 */
bool cause_is_pair_small(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_TOO_SMALL);
}

/* 32 */
bool cause_is_pair_weak(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_WEAK_SIGNATURE);
}

/* 33 */
bool cause_is_pair_keyless(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_NO_KEY);
}

/* 34 */
bool cause_is_pair_not_signing(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_USAGE);
}

/* 10 */
bool cause_is_pair_pss(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_KIND) && span_eq(fault_value(&f->fault, "type"), SPAN("RSASSA-PSS"));
}

/* A certificate of that kind is not there, but others are. */
static bool lacks(const struct why *w, enum tls_key_type key)
{
	return is_choosing(w) && w->pairs_n > 0 && !why_pair(w, key);
}

/* 1 */
bool cause_is_rsa_suites_only(const struct why *w, struct found *f)
{
	cause_add_suites(w, f);
	cause_add_version(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version < 0x0304 && why_has_auth(w, TLS_AUTH_RSA) &&
		!why_has_auth(w, TLS_AUTH_ECDSA);
}

/* 2 */
bool cause_is_ecdsa_suites_only(const struct why *w, struct found *f)
{
	cause_add_suites(w, f);
	cause_add_version(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_ECDSA) && w->version < 0x0304 && why_has_auth(w, TLS_AUTH_ECDSA) &&
		!why_has_auth(w, TLS_AUTH_RSA);
}

/* None of the key types that we serve. */
static bool verifies_none(const struct why *w)
{
	for (unsigned i = 0; i < w->pairs_n; i++)
		if (why_verifies(w, w->pairs[i]->pub.type))
			return false;
	return true;
}

/* 3 */
bool cause_is_rsa_signatures_only(const struct why *w, struct found *f)
{
	cause_add_their_signatures(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version == 0x0304 && why_verifies(w, TLS_KEY_RSA) &&
		!why_verifies(w, TLS_KEY_ECDSA) && verifies_none(w);
}

/* 4 */
bool cause_is_ecdsa_signatures_only(const struct why *w, struct found *f)
{
	cause_add_their_signatures(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_ECDSA) && w->version == 0x0304 && why_verifies(w, TLS_KEY_ECDSA) &&
		!why_verifies(w, TLS_KEY_RSA) && verifies_none(w);
}

/* 5 */
bool cause_is_without_ecdsa_signature(const struct why *w, struct found *f)
{
	cause_add_their_signatures(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version == 0x0303 && why_has_auth(w, TLS_AUTH_ECDSA) &&
		!why_verifies(w, TLS_KEY_ECDSA) && why_verifies(w, TLS_KEY_RSA);
}

/* 6 */
bool cause_is_without_rsa_signature(const struct why *w, struct found *f)
{
	cause_add_their_signatures(w, f);
	cause_add_served(w, f);
	return lacks(w, TLS_KEY_ECDSA) && w->version == 0x0303 && why_has_auth(w, TLS_AUTH_RSA) &&
		!why_verifies(w, TLS_KEY_RSA) && why_verifies(w, TLS_KEY_ECDSA);
}

static void add_our_curve(const struct why *w, struct found *f)
{
	const struct pair *p = why_pair(w, TLS_KEY_ECDSA);

	cause_add_name(w, f);
	fault_fact(&f->fault, "ours", "%s", p ? tls_group_text(group_of_key(p->key)) : "-");
}

/* 7 */
bool cause_is_curve_unknown(const struct why *w, struct found *f)
{
	add_our_curve(w, f);
	cause_add_their_groups(w, f);
	return is_choosing(w) && why_any_obstacle(w, OBSTACLE_CURVE);
}

/* 8 */
bool cause_is_curve_unverifiable(const struct why *w, struct found *f)
{
	add_our_curve(w, f);
	cause_add_their_signatures(w, f);
	return is_choosing(w) && why_any_obstacle(w, OBSTACLE_CURVE_13);
}

/* 9 */
bool cause_is_ed25519_only(const struct why *w, struct found *f)
{
	cause_add_name(w, f);
	cause_add_their_signatures(w, f);
	f->change = wants(w, TLS_KEY_ECDSA) ? CHANGE_ECDSA : CHANGE_RSA;
	return is_choosing(w) && w->pairs_n == 1 && why_pair(w, TLS_KEY_ED25519) && !why_verifies(w, TLS_KEY_ED25519) &&
		(wants(w, TLS_KEY_ECDSA) || wants(w, TLS_KEY_RSA));
}

static bool verifies_strongly(const struct why *w)
{
	for (size_t i = 0; i < w->hello.signatures.n / 2; i++) {
		const struct tls_signature *s = tls_signature_find(tls_hello_u16(w->hello.signatures, i));

		if (!s || !s->weak)
			return true;
	}
	return false;
}

/* 35 */
bool cause_is_sha1_only(const struct why *w, struct found *f)
{
	cause_add_their_signatures(w, f);
	return is_choosing(w) && w->version == 0x0303 && w->hello.signatures.n > 0 && !verifies_strongly(w);
}

/* 36 */
bool cause_is_without_signatures(const struct why *w, struct found *f)
{
	(void)f;
	return is_choosing(w) && w->version == 0x0303 && !w->hello.signatures.p &&
		(why_has_auth(w, TLS_AUTH_RSA) || why_has_auth(w, TLS_AUTH_ECDSA));
}

enum signature_kind {
	KIND_PKCS1 = 1, /* RSA as TLS 1.2 has it */
	KIND_DSS = 2,
	KIND_ML_DSA = 4, /* post-quantum */
	KIND_OTHER = 8,
};

static enum signature_kind kind_of(uint16_t number)
{
	const struct tls_signature *s = tls_signature_find(number);

	if (number >= 0x0904 && number <= 0x0906)
		return KIND_ML_DSA;
	if (s && s->key == TLS_KEY_RSA && !s->in_13)
		return KIND_PKCS1;
	return (number & 0xff) == 2 ? KIND_DSS : KIND_OTHER;
}

/* Signatures that no certificate which can be served here makes with this version are all that the
 * peer verifies; of these kinds (a bit each). 0: it verifies some that do. */
static unsigned unusable_signatures(const struct why *w, struct found *f)
{
	unsigned kinds = 0;

	if (!is_choosing(w) || w->version < 0x0303 || w->hello.signatures.n == 0 || why_verifies(w, TLS_KEY_RSA) ||
		why_verifies(w, TLS_KEY_ECDSA))
		return 0;
	/* Ed25519 alone would do where it is served. */
	if (why_pair(w, TLS_KEY_ED25519) && why_verifies(w, TLS_KEY_ED25519))
		return 0;
	for (size_t i = 0; i < w->hello.signatures.n / 2; i++)
		kinds |= kind_of(tls_hello_u16(w->hello.signatures, i));
	cause_add_their_signatures(w, f);
	fault_fact(&f->fault, "version", "%s", tls_version_text(w->version));
	fault_fact(&f->fault, "openssl", "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
	return kinds;
}

bool cause_is_pkcs1_only(const struct why *w, struct found *f)
{
	return w->version == 0x0304 && (unusable_signatures(w, f) & KIND_PKCS1);
}

bool cause_is_ml_dsa_only(const struct why *w, struct found *f)
{
	unsigned kinds = unusable_signatures(w, f);

	return (kinds & KIND_ML_DSA) && !(kinds & KIND_PKCS1);
}

bool cause_is_dss_only(const struct why *w, struct found *f)
{
	return unusable_signatures(w, f) == KIND_DSS && verifies_strongly(w);
}

bool cause_is_no_signature_usable(const struct why *w, struct found *f)
{
	unsigned kinds = unusable_signatures(w, f);

	return (kinds & KIND_OTHER) && !(kinds & (KIND_PKCS1 | KIND_ML_DSA)) && verifies_strongly(w);
}

/* ---- groups and suites ---- */

/* MLKEM alone, and its hybrids; drafts of both. */
static bool is_post_quantum(uint16_t group)
{
	return (group >= 0x0200 && group <= 0x0202) || (group >= 0x11eb && group <= 0x11ee) || group == 0x6399 ||
		group == 0x639a;
}

bool cause_is_post_quantum_only(const struct why *w, struct found *f)
{
	bool any = false;

	for (size_t i = 0; i < w->hello.groups.n / 2; i++) {
		uint16_t group = tls_hello_u16(w->hello.groups, i);

		if (!is_post_quantum(group) && !tls_is_grease(group))
			return false;
		any |= is_post_quantum(group);
	}
	cause_add_their_groups(w, f);
	fault_fact(&f->fault, "openssl", "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
	return any && is_choosing(w) && why_needs_group(w) && OpenSSL_version_num() < 0x30500000;
}

/* 16 */
bool cause_is_without_group(const struct why *w, struct found *f)
{
	cause_add_their_groups(w, f);
	cause_add_our_groups(f);
	return is_choosing(w) && w->version < 0x0304 && why_needs_group(w);
}

/* 17 */
bool cause_is_without_group_13(const struct why *w, struct found *f)
{
	cause_add_their_groups(w, f);
	cause_add_our_groups(f);
	return is_choosing(w) && w->version == 0x0304 && w->hello.groups.p && why_needs_group(w);
}

/* 18 */
bool cause_is_without_dh(const struct why *w, struct found *f)
{
	cause_add_suites(w, f);
	return is_choosing(w) && why_any_obstacle(w, OBSTACLE_DH);
}

/* All suites are of the past, and the best of them of that kind. */
static bool is_past(const struct why *w, struct found *f, enum tls_suite_kind best)
{
	static const int rank
		[] = { [TLS_SUITE_3DES] = 3, [TLS_SUITE_RC4] = 2, [TLS_SUITE_FORGOTTEN] = 1, [TLS_SUITE_EXPORT] = 1 };
	enum tls_suite_kind found = TLS_SUITE_EXPORT;

	for (unsigned i = 0; i < w->suites_n; i++) {
		enum tls_suite_kind kind = w->suites[i].kind;

		if (kind == TLS_SUITE_USUAL || kind == TLS_SUITE_UNKNOWN)
			return false;
		if (rank[kind] > rank[found])
			found = kind;
	}
	cause_add_suites(w, f);
	return is_choosing(w) && w->suites_n > 0 && found == best;
}

/* 13 */
bool cause_is_3des(const struct why *w, struct found *f)
{
	return is_past(w, f, TLS_SUITE_3DES);
}

/* 14 */
bool cause_is_rc4(const struct why *w, struct found *f)
{
	return is_past(w, f, TLS_SUITE_RC4);
}

/* 15 */
bool cause_is_export(const struct why *w, struct found *f)
{
	return is_past(w, f, TLS_SUITE_EXPORT);
}

static bool suites_meet(const struct why *w)
{
	for (unsigned i = 0; i < w->suites_n; i++)
		if ((w->suites[i].auth == TLS_AUTH_ANY) == (w->version == 0x0304) &&
			suite_is_allowed(w->ctx, w->suites[i].number))
			return true;
	return false;
}

/* 11: none at all, or none for the certificates that we have. */
bool cause_is_without_suite(const struct why *w, struct found *f)
{
	if (!is_choosing(w) || w->version == 0x0304 || (suites_meet(w) && !why_any_obstacle(w, OBSTACLE_SUITE_OURS)))
		return false;
	cause_add_suites(w, f);
	cause_add_our_suites(w, f, false);
	return true;
}

/* 12 */
bool cause_is_without_suite_13(const struct why *w, struct found *f)
{
	if (!is_choosing(w) || w->version != 0x0304 || suites_meet(w))
		return false;
	cause_add_suites(w, f);
	cause_add_our_suites(w, f, true);
	return true;
}
