/*
 * The peer's opinion of what we answered: of our certificate, by its alert or its silence; and the
 * certificates of clients, records that are corrupt. (Numbers in comments: see tls/causes.tbl.h.)
 *
 * An alert is no cause. Its number depends on the peer's library (GnuTLS says 42 about everything),
 * so a row needs a fact of our own that explains a refusal; the alert only says which of several
 * such facts comes first. Where nothing here explains it, the rows that are left say so.
 */
#include <errno.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include "base/clock.h"
#include "tls/causes_priv.h"

#define CHAIN_BIG_BYTES 8192 /* some clients take no more */

/* ---- the peer's opinion of our certificate ---- */

/* Alerts by which libraries refuse a certificate. Their numbers do not tell which of the causes it
 * is. */
static bool is_about_certificates(uint8_t alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE:
		return true;
	default:
		return false;
	}
}

/* And those that say as little as hanging up does. */
static bool is_unspecific(uint8_t alert)
{
	return alert == SSL_AD_HANDSHAKE_FAILURE || alert == SSL_AD_DECRYPT_ERROR || alert == SSL_AD_INTERNAL_ERROR ||
		alert == SSL_AD_INSUFFICIENT_SECURITY;
}

/* Java ends any handshake that it dislikes so: user_canceled, then close_notify. */
static bool is_closing(uint8_t alert)
{
	return alert == TLS_NO_ALERT || alert == SSL_AD_CLOSE_NOTIFY || alert == SSL_AD_USER_CANCELLED;
}

/* It broke off, in whatever way, when it had our whole answer. */
static bool has_broken_off(const struct why *w)
{
	int error = w->facts->error;

	return !w->facts->client && why_sent(w, TLS_CERTIFICATE) && error != 0 && error != -ETIMEDOUT &&
		(w->facts->alert_received != TLS_NO_ALERT || why_has_left(w));
}

static const struct pair *served_pair(const struct why *w)
{
	const struct pair *p = why_pair(w, w->facts->served);

	return p ? p : w->pairs_n > 0 ? w->pairs[0] : NULL;
}

/* The pair that the peer got; NULL if it got none, or broke off in a way that no certificate
 * explains. */
static const struct pair *minded_pair(const struct why *w)
{
	uint8_t alert = w->facts->alert_received;

	if (!has_broken_off(w) || !(is_about_certificates(alert) || is_unspecific(alert) || is_closing(alert)))
		return NULL;
	return served_pair(w);
}

/* What became of it stands in {refusal}, which is empty where nobody was asked. */
static void add_pair(const struct why *w, struct found *f, const struct pair *p)
{
	uint8_t alert = w->facts->alert_received;

	cause_add_name(w, f);
	fault_fact(&f->fault, "file", "%s", p->pub.cert_path);
	cause_add_alert(w, f);
	if (is_closing(alert)) {
		cause_add_both(f, "refusal", "refusal_de", "; the peer hung up on it",
			"; die Gegenstelle legte daraufhin auf");
		return;
	}
	fault_fact(&f->fault, "refusal", "; the peer refused it (alert %u, %s)", alert, tls_alert_text(alert));
	fault_fact(&f->fault, "refusal_de", "; die Gegenstelle lehnte es ab (Alert %u, %s)", alert,
		tls_alert_text(alert));
}

static void add_time(struct found *f, const char *name, int64_t wall_s)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_s, text);
	fault_fact(&f->fault, name, "%s", text);
}

/* 48 */
bool cause_is_expired(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.not_after > w->now_s)
		return false;
	add_pair(w, f, p);
	add_time(f, "until", p->pub.not_after);
	return true;
}

/* 49 */
bool cause_is_early(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.not_before <= w->now_s)
		return false;
	add_pair(w, f, p);
	add_time(f, "from", p->pub.not_before);
	return true;
}

/* 51 */
bool cause_is_self_signed(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !p->pub.self_signed)
		return false;
	add_pair(w, f, p);
	return true;
}

/* 52 */
bool cause_is_without_chain(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.self_signed || sk_X509_num(p->chain) > 0 || p->pub.reach == TLS_REACH_YES)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", p->pub.issuer);
	return true;
}

bool cause_is_issuer_out_of_date(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	X509 *out = p ? chain_out_of_date(p, w->now_s) : NULL;
	char issuer[CERT_NAME_SIZE] = "";

	if (!out)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", cert_name_text(X509_get_subject_name(out), issuer));
	add_time(f, "from", asn1_time_s(X509_get0_notBefore(out)));
	add_time(f, "until", asn1_time_s(X509_get0_notAfter(out)));
	return true;
}

bool cause_is_without_ca(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	char issuer[CERT_NAME_SIZE] = "";

	if (!p || p->pub.reach != TLS_REACH_NO || sk_X509_num(p->chain) == 0)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", cert_name_text(X509_get_issuer_name(chain_end(p)), issuer));
	return true;
}

/* 55 */
bool cause_is_not_for_servers(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	uint32_t usage = p ? X509_get_extended_key_usage(p->leaf) : UINT32_MAX;

	if (!p || usage == UINT32_MAX || (usage & (XKU_SSL_SERVER | XKU_ANYEKU)))
		return false;
	add_pair(w, f, p);
	return true;
}

static int signature_bits(const X509 *x)
{
	int bits = 0;
	uint32_t flags;

	X509_get_signature_info((X509 *)x, NULL, NULL, &bits, &flags);
	return bits;
}

static void add_key(struct found *f, const struct pair *p)
{
	char en[64], de[64];

	snprintf(en, sizeof(en), "an %s key of %u bits", tls_key_type_text(p->pub.type), p->pub.bits);
	snprintf(de, sizeof(de), "einen %s-Schlüssel mit %u Bit", tls_key_type_text(p->pub.type), p->pub.bits);
	cause_add_both(f, "weakness", "weakness_de", en, de);
}

/* 54: by the usual measure (112 bits). */
bool cause_is_weak(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p)
		return false;
	add_pair(w, f, p);
	if (signature_bits(p->leaf) < 80 && !p->pub.self_signed) {
		cause_add_both(f, "weakness", "weakness_de", "a signature with SHA-1 or weaker",
			"eine Signatur mit SHA-1 oder schwächer");
		return true;
	}
	add_key(f, p);
	return EVP_PKEY_get_security_bits(p->key) < 112;
}

/* 71, by a measure of its own: RSA with 2048 bits has 112 of security, and the next step is 128. */
bool cause_is_too_weak_for_peer(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || w->facts->alert_received != SSL_AD_INSUFFICIENT_SECURITY || EVP_PKEY_get_security_bits(p->key) >= 128)
		return false;
	add_pair(w, f, p);
	add_key(f, p);
	if (why_pair(w, TLS_KEY_ECDSA))
		cause_add_both(f, "stronger", "stronger_de", "RSA of 3072 bits", "RSA mit 3072 Bit");
	else
		cause_add_both(f, "stronger", "stronger_de", "RSA of 3072 bits, or ECDSA P-256 beside it",
			"RSA mit 3072 Bit, oder ECDSA P-256 daneben");
	return true;
}

static bool has_name(const struct pair *p, struct span name)
{
	char *text = span_text(name);
	bool has = X509_check_host(p->leaf, text, name.n, 0, NULL) == 1;

	mem_free(text);
	return has;
}

/* 50 */
bool cause_is_misnamed(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	const struct pair *p = minded_pair(w);
	unsigned left_out = 0;

	if (!p || w->hello.sni.n == 0 || has_name(p, w->hello.sni))
		return false;
	add_pair(w, f, p);
	for (unsigned i = 0; i < p->pub.names_n; i++)
		cause_list_add(&list, p->pub.names[i], &left_out);
	cause_add_list(f, "names", &list, left_out);
	return true;
}

/* 61 */
bool cause_is_staple_missing(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || X509_get_ext_by_NID(p->leaf, NID_tlsfeature, -1) < 0 ||
		(p->staple.n > 0 && p->staple_until > w->now_s))
		return false;
	add_pair(w, f, p);
	return true;
}

/* 56 */
bool cause_is_dane_mismatch(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !w->around->tlsa_published || w->around->tlsa_matches)
		return false;
	add_pair(w, f, p);
	return true;
}

static size_t chain_bytes(const struct pair *p)
{
	int n = i2d_X509(p->leaf, NULL);

	for (int i = 0; i < sk_X509_num(p->chain); i++)
		n += i2d_X509(sk_X509_value(p->chain, i), NULL);
	return (size_t)n;
}

/* 58. The alert is any: record_overflow, illegal_parameter, internal_error are in use. */
bool cause_is_chain_large(const struct why *w, struct found *f)
{
	const struct pair *p = has_broken_off(w) ? served_pair(w) : NULL;

	if (!p || chain_bytes(p) < CHAIN_BIG_BYTES)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "count", "%zu", chain_bytes(p));
	return true;
}

bool cause_is_revoked(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || w->facts->alert_received != SSL_AD_CERTIFICATE_REVOKED)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", p->pub.issuer);
	return true;
}

/* Classic DH with more bits than old clients have room for: Java up to 7 takes 1024. */
bool cause_is_dh_large(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	cause_add_choice(w, f);
	cause_add_alert(w, f);
	return has_broken_off(w) && w->facts->dh_bits > 1024 && !is_about_certificates(alert);
}

/* 57 */
bool cause_is_mta_sts(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !w->around->mta_sts_enforced)
		return false;
	add_pair(w, f, p);
	return true;
}

/* 53 */
bool cause_is_ca_unknown(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	uint8_t alert = w->facts->alert_received;

	if (!p || (alert != SSL_AD_UNKNOWN_CA && alert != SSL_AD_CERTIFICATE_EXPIRED))
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", p->pub.issuer);
	return true;
}

bool cause_is_refused(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !is_about_certificates(w->facts->alert_received))
		return false;
	add_pair(w, f, p);
	return true;
}

/* 45 */
bool cause_is_gone_at_cert(const struct why *w, struct found *f)
{
	cause_add_name(w, f);
	cause_add_choice(w, f);
	cause_add_alert(w, f);
	return has_broken_off(w) && is_closing(w->facts->alert_received);
}

/* With an alert that is no opinion of a certificate, or need not be one. */
bool cause_is_broken_off(const struct why *w, struct found *f)
{
	cause_add_choice(w, f);
	cause_add_alert(w, f);
	return has_broken_off(w);
}

/* ---- certificates of clients, records ---- */

/* 59 */
bool cause_is_client_cert_missing(const struct why *w, struct found *f)
{
	(void)f;
	return !w->facts->client && why_reason(w) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}

/* 60, whatever it is */
bool cause_is_client_cert_bad(const struct why *w, struct found *f)
{
	cause_add_verdict(w, f);
	return !w->facts->client && why_reason(w) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

bool cause_is_client_cert_expired(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_CERT_HAS_EXPIRED && cause_is_client_cert_bad(w, f);
}

bool cause_is_client_cert_early(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_CERT_NOT_YET_VALID && cause_is_client_cert_bad(w, f);
}

bool cause_is_client_cert_for_servers(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_INVALID_PURPOSE && cause_is_client_cert_bad(w, f);
}

/* 62 */
bool cause_is_corrupt(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	cause_add_error(w, f);
	/* OpenSSL 3.5 calls whatever goes wrong there "record layer failure": our alert tells. */
	return reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC || reason == SSL_R_DECRYPTION_FAILED ||
		w->facts->alert_received == SSL_AD_BAD_RECORD_MAC || w->facts->alert_sent == SSL_AD_BAD_RECORD_MAC;
}
