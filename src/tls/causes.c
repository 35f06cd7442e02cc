/*
 * The table of causes, in the order of the decision (see tls/explain.h). Numbers in the comments
 * are those of the catalogue that the tests follow. A predicate is small, looks at the facts, and
 * adds the evidence that its sentence in base/fault_tls.tbl.h names.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "tls/explain_priv.h"

#define BYTES_SHOWN     24
#define LIST_SHOWN      320  /* bytes of a list of names */
#define CHAIN_BIG_BYTES 8192 /* some clients take no more */

enum { CERTIFICATE = 11, CERTIFICATE_REQUEST = 13 };
enum { NO_ALERT = 0xff };

/* ---- evidence ---- */

static void add(struct found *f, const char *name, struct span value)
{
	fault_fact(&f->fault, name, "%.*s", SPAN_ARG(value));
}

/* English and German. */
static void add_both(struct found *f, const char *name, const char *name_de, const char *en, const char *de)
{
	fault_fact(&f->fault, name, "%s", en);
	fault_fact(&f->fault, name_de, "%s", de);
}

/* Appends a name to a list that may not grow over LIST_SHOWN; what does not fit is counted. */
static void list_add(struct buf *list, struct span name, unsigned *left_out)
{
	if (list->n + name.n + 2 > LIST_SHOWN)
		++*left_out;
	else
		buf_addf(list, "%s%.*s", list->n ? ", " : "", SPAN_ARG(name));
}

static void add_list(struct found *f, const char *name, struct buf *list, unsigned left_out)
{
	if (left_out)
		buf_addf(list, " (+%u)", left_out);
	fault_fact(&f->fault, name, "%s", list->n ? buf_text(list) : "-");
}

static void add_suites(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (unsigned i = 0; i < w->suites_n; i++)
		list_add(&list, span_of(tls_suite_text(w->suites[i].number)), &left_out);
	add_list(f, "suites", &list, left_out);
	fault_fact(&f->fault, "count", "%u", w->suites_n);
}

static void add_our_suites(const struct why *w, struct found *f, bool in_13)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(w->ctx);
	unsigned left_out = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);

		if ((SSL_CIPHER_get_auth_nid(c) == NID_auth_any) == in_13)
			list_add(&list, span_of(SSL_CIPHER_get_name(c)), &left_out);
	}
	add_list(f, "ours", &list, left_out);
}

static void add_their_signatures(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;
	char number[8];

	for (size_t i = 0; i < w->hello.signatures.n / 2; i++) {
		uint16_t n = tls_hello_u16(w->hello.signatures, i);
		const struct tls_signature *s = tls_signature_find(n);

		snprintf(number, sizeof(number), "0x%04x", n);
		list_add(&list, span_of(s ? s->name : number), &left_out);
	}
	add_list(f, "theirs", &list, left_out);
}

static void add_their_groups(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (size_t i = 0; i < w->hello.groups.n / 2; i++)
		list_add(&list, span_of(tls_group_text(tls_hello_u16(w->hello.groups, i))), &left_out);
	add_list(f, "theirs", &list, left_out);
}

static void add_our_groups(struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (unsigned i = 0; i < our_groups_n; i++)
		list_add(&list, span_of(tls_group_text(our_groups[i])), &left_out);
	add_list(f, "ours", &list, left_out);
}

static void add_version(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "version", "%s", tls_version_text(w->theirs_max));
}

static void add_name(const struct why *w, struct found *f)
{
	add(f, "name", why_name(w));
}

static void add_served(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "served", "%s", why_served(w));
	add_name(w, f);
}

static void add_bytes(const struct why *w, struct found *f)
{
	struct span bytes = span_sub(w->bytes, 0, BYTES_SHOWN);
	ptrdiff_t line = span_index(bytes, '\r');

	char safe[4 * BYTES_SHOWN];

	/* A NUL would end it. */
	bytes = line > 0 ? span_sub(bytes, 0, (size_t)line) : bytes;
	add(f, "bytes", span_make(safe, fmt_safe(bytes, "", safe, sizeof(safe))));
}

/* OpenSSL's own words. */
static void add_error(const struct why *w, struct found *f)
{
	const char *reason = w->facts->ssl_error ? ERR_reason_error_string(w->facts->ssl_error) : NULL;

	fault_fact(&f->fault, "error", "%s", reason ? reason : "unknown");
}

/* ---- around the handshake ---- */

/* 69 */
static bool is_pipelined(const struct why *w, struct found *f)
{
	add(f, "bytes", span_sub(w->around->pipelined, 0, 64));
	return w->around->pipelined.n > 0;
}

static void add_sentence(struct found *f, const char *name, const struct fault *of, enum fault_lang lang,
	void (*sentence)(const struct fault *, enum fault_lang, struct buf *))
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	sentence(of, lang, &text);
	add(f, name, span_sub(buf_span(&text), 0, LIST_SHOWN));
}

/* 70 */
static bool is_plaintext_fallback(const struct why *w, struct found *f)
{
	const struct fault *earlier = w->around->earlier;
	char ago[FMT_SIZE];

	if (!w->around->plaintext || !earlier)
		return false;
	fmt_duration((uint64_t)w->around->earlier_ago_s * 1000, ago);
	fault_fact(&f->fault, "ago", "%s", ago);
	fault_fact(&f->fault, "earlier", "%s", fault_code_text(earlier->code));
	add_sentence(f, "earlier_cause", earlier, FAULT_EN, fault_cause);
	add_sentence(f, "earlier_cause_de", earlier, FAULT_DE, fault_cause);
	add_sentence(f, "earlier_remedy", earlier, FAULT_EN, fault_remedy);
	add_sentence(f, "earlier_remedy_de", earlier, FAULT_DE, fault_remedy);
	return true;
}

/* 68 */
static bool is_not_offered(const struct why *w, struct found *f)
{
	add(f, "reply", span_sub(w->around->starttls_reply, 0, 200));
	return w->around->starttls_reply.n > 0;
}

/* ---- no TLS, or not a hello ---- */

static bool is_record(const struct why *w)
{
	const uint8_t *p = (const uint8_t *)w->bytes.p;

	return w->bytes.n >= 2 && ((p[0] >= 20 && p[0] <= 23 && p[1] == 3) || (p[0] & 0x80));
}

static bool is_no_tls(const struct why *w)
{
	return w->bytes.n > 0 && !is_record(w) && !(w->bytes.n == 1 && w->bytes.p[0] == 22);
}

static bool starts_with_any(const struct why *w, const char *const *words)
{
	for (; *words; words++)
		if (span_starts_nocase(w->bytes, span_of(*words)))
			return true;
	return false;
}

/* 40 */
static bool is_plain_smtp(const struct why *w, struct found *f)
{
	static const char *const words[] = { "EHLO ", "HELO ", "LHLO ", "MAIL FROM", "STARTTLS", "NOOP\r", "QUIT\r",
		"RSET\r", NULL };

	add_bytes(w, f);
	return !w->facts->client && is_no_tls(w) && starts_with_any(w, words);
}

/* 41 */
static bool is_server_first(const struct why *w, struct found *f)
{
	static const char *const words[] = { "220", "421", "554", "+OK", "* OK", "HTTP/", "SSH-", NULL };

	add_bytes(w, f);
	return w->facts->client && is_no_tls(w) && starts_with_any(w, words);
}

/* 42 */
static bool is_http(const struct why *w, struct found *f)
{
	static const char *const words[] = { "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ",
		"PATCH ", "TRACE ", "PRI * HTTP/2", NULL };

	add_bytes(w, f);
	return is_no_tls(w) && starts_with_any(w, words);
}

/* 43 */
static bool is_proxy_header(const struct why *w, struct found *f)
{
	(void)f;
	return span_starts(w->bytes, SPAN("PROXY ")) || span_starts(w->bytes, SPAN("\r\n\r\n\0\r\nQUIT\n"));
}

static bool is_ssh(const struct why *w, struct found *f)
{
	add_bytes(w, f);
	return !w->facts->client && span_starts(w->bytes, SPAN("SSH-"));
}

static bool is_other(const struct why *w, struct found *f)
{
	add_bytes(w, f);
	return is_no_tls(w);
}

/* 63 */
static bool is_too_large(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	fault_fact(&f->fault, "bytes", "%zu", w->bytes.n);
	return reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_DATA_LENGTH_TOO_LONG ||
		reason == SSL_R_ENCRYPTED_LENGTH_TOO_LONG || w->facts->alert_sent == SSL_AD_RECORD_OVERFLOW;
}

/* 65 */
static bool is_unexpected(const struct why *w, struct found *f)
{
	static const struct {
		uint8_t type;
		const char *en, *de;
	} first[] = { { 20, "a ChangeCipherSpec", "einem ChangeCipherSpec" }, { 21, "an alert", "einem Alarm" },
		{ 23, "encrypted data", "verschlüsselten Daten" } };

	for (size_t i = 0; i < array_len(first); i++)
		if (is_record(w) && (uint8_t)w->bytes.p[0] == first[i].type && !w->facts->client) {
			add_both(f, "what", "what_de", first[i].en, first[i].de);
			return true;
		}
	return false;
}

/* 64 */
static bool is_malformed(const struct why *w, struct found *f)
{
	const struct tls_facts *facts = w->facts;

	add_error(w, f);
	return !facts->client && is_record(w) && !why_answered(w) && facts->error == -EPROTO &&
		(facts->alert_sent == SSL_AD_DECODE_ERROR || facts->alert_sent == SSL_AD_ILLEGAL_PARAMETER ||
			(!w->has_hello && facts->ssl_error != 0 && w->bytes.n > 0));
}

static bool has_left(const struct why *w)
{
	int error = w->facts->error;

	return w->facts->ended || error == -ECONNRESET || error == -EPIPE || error == -ECANCELED;
}

static void add_count(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "count", "%zu", w->bytes.n);
}

/* 44 */
static bool has_left_early(const struct why *w, struct found *f)
{
	add_count(w, f);
	return has_left(w) && !w->has_hello && (w->bytes.n == 0 || !w->facts->client);
}

/* 47 */
static bool is_silent(const struct why *w, struct found *f)
{
	add_count(w, f);
	return w->facts->error == -ETIMEDOUT && !w->has_hello && (w->bytes.n == 0 || !w->facts->client);
}

static bool sent(const struct why *w, unsigned message)
{
	return w->facts->messages_sent & 1u << message;
}

/* 46: a FIN would have set ended. */
static bool is_reset(const struct why *w, struct found *f)
{
	(void)f;
	return (w->facts->error == -ECONNRESET || w->facts->error == -EPIPE) && !w->facts->ended && w->has_hello &&
		!w->facts->answered;
}

/* ---- versions ---- */

/* 25 */
static bool is_ssl2(const struct why *w, struct found *f)
{
	(void)f;
	return w->has_hello && w->hello.v2 && w->hello.legacy_version <= 0x0002;
}

/* 26 */
static bool is_v2_form(const struct why *w, struct found *f)
{
	add_version(w, f);
	return w->has_hello && w->hello.v2 && !why_answered(w);
}

/* 24 */
static bool is_ssl3(const struct why *w, struct found *f)
{
	(void)f;
	return w->has_hello && w->theirs_max == 0x0300;
}

/* 27 */
static bool is_draft(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;
	char number[8];

	if (!w->has_hello || !w->hello.versions.p || w->theirs_max != 0)
		return false;
	for (size_t i = 0; i < w->hello.versions.n / 2; i++) {
		snprintf(number, sizeof(number), "0x%04x", tls_hello_u16(w->hello.versions, i));
		list_add(&list, span_of(number), &left_out);
	}
	add_list(f, "theirs", &list, left_out);
	return true;
}

/* 28 */
static bool is_fallback(const struct why *w, struct found *f)
{
	const struct fault *earlier = w->around->earlier;

	add_version(w, f);
	fault_fact(&f->fault, "earlier", "%s%s%s", earlier ? " (" : "", earlier ? fault_code_text(earlier->code) : "",
		earlier ? ")" : "");
	return w->facts->alert_sent == SSL_AD_INAPPROPRIATE_FALLBACK || why_reason(w) == SSL_R_INAPPROPRIATE_FALLBACK;
}

static bool no_version(const struct why *w)
{
	return w->has_hello && w->ctx && w->version == 0 && !why_answered(w);
}

/* 22 */
static bool is_only_13_allowed(const struct why *w, struct found *f)
{
	add_version(w, f);
	return no_version(w) && w->ours_min == 0x0304 && w->theirs_max == 0x0303;
}

/* 20 */
static bool is_too_old(const struct why *w, struct found *f)
{
	add_version(w, f);
	fault_fact(&f->fault, "ours", "%s", tls_version_text(w->ours_min));
	return no_version(w) && w->theirs_max >= 0x0301 && w->theirs_max < w->ours_min && w->theirs_max < 0x0303;
}

/* 21 */
static bool is_13_needed(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "ours", "%s", tls_version_text(w->ours_max));
	return no_version(w) && w->theirs_min == 0x0304 && w->ours_max < 0x0304;
}

/* 23 */
static bool is_below_level(const struct why *w, struct found *f)
{
	add_version(w, f);
	if (w->ctx)
		fault_fact(&f->fault, "level", "%d", SSL_CTX_get_security_level(w->ctx));
	return why_any_obstacle(w, OBSTACLE_LEVEL) && !why_answered(w);
}

/* ---- name, protocol, shape ---- */

/* 38 */
static bool is_name_refused(const struct why *w, struct found *f)
{
	add_name(w, f);
	return w->facts->alert_sent == SSL_AD_UNRECOGNIZED_NAME;
}

/* 39 */
static bool is_no_alpn(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	struct span rest = w->hello.alpn;
	unsigned left_out = 0;

	while (rest.n > 0) {
		struct span name = span_sub(rest, 1, (uint8_t)rest.p[0]);

		list_add(&list, name, &left_out);
		rest = span_from(rest, 1 + name.n);
	}
	add_list(f, "theirs", &list, left_out);
	return w->facts->alert_sent == SSL_AD_NO_APPLICATION_PROTOCOL ||
		(w->facts->client && w->facts->alert_received == SSL_AD_NO_APPLICATION_PROTOCOL);
}

/* 37 */
static bool is_incomplete_13(const struct why *w, struct found *f)
{
	if (!w->has_hello || w->version != 0x0304 || why_answered(w))
		return false;
	if (!w->hello.signatures.p)
		add_both(f, "missing", "missing_de", "the signature algorithms", "die Signaturverfahren");
	else if (!w->hello.groups.p)
		add_both(f, "missing", "missing_de", "the groups", "die Gruppen");
	else if (!w->hello.shares.p)
		add_both(f, "missing", "missing_de", "the key shares", "die Schlüsselanteile");
	else
		return false;
	return true;
}

/* ---- our certificates against what the peer can verify ---- */

/* We could choose, and the hello is a sound one of a version that we have. */
static bool is_choosing(const struct why *w)
{
	return w->has_hello && w->ctx && w->version != 0 && !why_answered(w);
}

/* 29 */
static bool has_no_cert(const struct why *w, struct found *f)
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
		add(f, "type", type);
		add(f, "file", fault_value(r, "file"));
		add(f, "bits", fault_value(r, "bits"));
		f->change = key == TLS_KEY_RSA ? CHANGE_RSA : CHANGE_ECDSA;
		return true;
	}
	return false;
}

/* 30 */
static bool is_pair_mismatched(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_MISMATCH);
}

/* 31 */
static bool is_pair_small(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_TOO_SMALL);
}

/* 32 */
static bool is_pair_weak(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_WEAK_SIGNATURE);
}

/* 33 */
static bool is_pair_keyless(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_NO_KEY);
}

/* 34 */
static bool is_pair_not_signing(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_USAGE);
}

/* 10 */
static bool is_pair_pss(const struct why *w, struct found *f)
{
	return was_refused(w, f, FAULT_CERT_KEY_KIND) && span_eq(fault_value(&f->fault, "type"), SPAN("RSASSA-PSS"));
}

/* A certificate of that kind is not there, but others are. */
static bool lacks(const struct why *w, enum tls_key_type key)
{
	return is_choosing(w) && w->pairs_n > 0 && !why_pair(w, key);
}

/* 1 */
static bool is_rsa_suites_only(const struct why *w, struct found *f)
{
	add_suites(w, f);
	add_version(w, f);
	add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version < 0x0304 && why_has_auth(w, TLS_AUTH_RSA) &&
		!why_has_auth(w, TLS_AUTH_ECDSA);
}

/* 2 */
static bool is_ecdsa_suites_only(const struct why *w, struct found *f)
{
	add_suites(w, f);
	add_version(w, f);
	add_served(w, f);
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
static bool is_rsa_signatures_only(const struct why *w, struct found *f)
{
	add_their_signatures(w, f);
	add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version == 0x0304 && why_verifies(w, TLS_KEY_RSA) &&
		!why_verifies(w, TLS_KEY_ECDSA) && verifies_none(w);
}

/* 4 */
static bool is_ecdsa_signatures_only(const struct why *w, struct found *f)
{
	add_their_signatures(w, f);
	add_served(w, f);
	return lacks(w, TLS_KEY_ECDSA) && w->version == 0x0304 && why_verifies(w, TLS_KEY_ECDSA) &&
		!why_verifies(w, TLS_KEY_RSA) && verifies_none(w);
}

/* 5 */
static bool is_without_ecdsa_signature(const struct why *w, struct found *f)
{
	add_their_signatures(w, f);
	add_served(w, f);
	return lacks(w, TLS_KEY_RSA) && w->version == 0x0303 && why_has_auth(w, TLS_AUTH_ECDSA) &&
		!why_verifies(w, TLS_KEY_ECDSA) && why_verifies(w, TLS_KEY_RSA);
}

/* 6 */
static bool is_without_rsa_signature(const struct why *w, struct found *f)
{
	add_their_signatures(w, f);
	add_served(w, f);
	return lacks(w, TLS_KEY_ECDSA) && w->version == 0x0303 && why_has_auth(w, TLS_AUTH_RSA) &&
		!why_verifies(w, TLS_KEY_RSA) && why_verifies(w, TLS_KEY_ECDSA);
}

static void add_our_curve(const struct why *w, struct found *f)
{
	const struct pair *p = why_pair(w, TLS_KEY_ECDSA);

	add_name(w, f);
	fault_fact(&f->fault, "ours", "%s", p ? tls_group_text(group_of_key(p->key)) : "-");
}

/* 7 */
static bool is_curve_unknown(const struct why *w, struct found *f)
{
	add_our_curve(w, f);
	add_their_groups(w, f);
	return is_choosing(w) && why_any_obstacle(w, OBSTACLE_CURVE);
}

/* 8 */
static bool is_curve_unverifiable(const struct why *w, struct found *f)
{
	add_our_curve(w, f);
	add_their_signatures(w, f);
	return is_choosing(w) && why_any_obstacle(w, OBSTACLE_CURVE_13);
}

/* 9 */
static bool is_ed25519_only(const struct why *w, struct found *f)
{
	add_name(w, f);
	add_their_signatures(w, f);
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
static bool is_sha1_only(const struct why *w, struct found *f)
{
	add_their_signatures(w, f);
	return is_choosing(w) && w->version == 0x0303 && w->hello.signatures.n > 0 && !verifies_strongly(w);
}

/* 36 */
static bool is_without_signatures(const struct why *w, struct found *f)
{
	(void)f;
	return is_choosing(w) && w->version == 0x0303 && !w->hello.signatures.p &&
		(why_has_auth(w, TLS_AUTH_RSA) || why_has_auth(w, TLS_AUTH_ECDSA));
}

/* ---- groups and suites ---- */

/* 16 */
static bool is_without_group(const struct why *w, struct found *f)
{
	add_their_groups(w, f);
	add_our_groups(f);
	return is_choosing(w) && w->version < 0x0304 && why_needs_group(w);
}

/* 17 */
static bool is_without_group_13(const struct why *w, struct found *f)
{
	add_their_groups(w, f);
	add_our_groups(f);
	return is_choosing(w) && w->version == 0x0304 && w->hello.groups.p && why_needs_group(w);
}

/* 18 */
static bool is_without_dh(const struct why *w, struct found *f)
{
	add_suites(w, f);
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
	add_suites(w, f);
	return is_choosing(w) && w->suites_n > 0 && found == best;
}

/* 13 */
static bool is_3des(const struct why *w, struct found *f)
{
	return is_past(w, f, TLS_SUITE_3DES);
}

/* 14 */
static bool is_rc4(const struct why *w, struct found *f)
{
	return is_past(w, f, TLS_SUITE_RC4);
}

/* 15 */
static bool is_export(const struct why *w, struct found *f)
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
static bool is_without_suite(const struct why *w, struct found *f)
{
	if (!is_choosing(w) || w->version == 0x0304 || (suites_meet(w) && !why_any_obstacle(w, OBSTACLE_SUITE_OURS)))
		return false;
	add_suites(w, f);
	add_our_suites(w, f, false);
	return true;
}

/* 12 */
static bool is_without_suite_13(const struct why *w, struct found *f)
{
	if (!is_choosing(w) || w->version != 0x0304 || suites_meet(w))
		return false;
	add_suites(w, f);
	add_our_suites(w, f, true);
	return true;
}

/* ---- the peer's opinion of our certificate ---- */

/* Alert numbers depend on the peer's library, so any of these may mean any of those causes. */
static bool is_about_certificates(uint8_t alert)
{
	return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_ACCESS_DENIED) ||
		alert == SSL_AD_HANDSHAKE_FAILURE || alert == SSL_AD_DECODE_ERROR || alert == SSL_AD_DECRYPT_ERROR ||
		alert == SSL_AD_INSUFFICIENT_SECURITY || alert == SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE ||
		alert == SSL_AD_USER_CANCELLED;
}

static bool was_rejected(const struct why *w)
{
	return !w->facts->client && sent(w, CERTIFICATE) && is_about_certificates(w->facts->alert_received);
}

/* Gone without a word, when it had our certificate. */
static bool has_hung_up(const struct why *w)
{
	uint8_t alert = w->facts->alert_received;

	return !w->facts->client && sent(w, CERTIFICATE) && has_left(w) &&
		(alert == NO_ALERT || alert == SSL_AD_CLOSE_NOTIFY);
}

/* The pair that the peer got; NULL if it got none or did not mind. */
static const struct pair *minded_pair(const struct why *w)
{
	const struct pair *p = why_pair(w, w->facts->served);

	if (!was_rejected(w) && !has_hung_up(w))
		return NULL;
	return p ? p : w->pairs_n > 0 ? w->pairs[0] : NULL;
}

static void add_alert(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	if (alert == NO_ALERT)
		add_both(f, "alert", "alert_de", "it hung up", "sie legte auf");
	else
		fault_fact(&f->fault, "alert", "alert %u, %s", alert, tls_alert_text(alert));
	if (alert != NO_ALERT)
		fault_fact(&f->fault, "alert_de", "Alarm %u, %s", alert, tls_alert_text(alert));
}

/* What became of it stands in {refusal}, which is empty where nobody was asked. */
static void add_pair(const struct why *w, struct found *f, const struct pair *p)
{
	uint8_t alert = w->facts->alert_received;

	add_name(w, f);
	fault_fact(&f->fault, "file", "%s", p->pub.cert_path);
	if (alert == NO_ALERT)
		add_both(f, "refusal", "refusal_de", "; the peer hung up on it",
			"; die Gegenstelle legte daraufhin auf");
	else
		fault_fact(&f->fault, "refusal", "; the peer refused it (alert %u, %s)", alert, tls_alert_text(alert));
	if (alert != NO_ALERT)
		fault_fact(&f->fault, "refusal_de", "; die Gegenstelle lehnte es ab (Alarm %u, %s)", alert,
			tls_alert_text(alert));
	add_alert(w, f);
}

static void add_time(struct found *f, const char *name, int64_t wall_s)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_s, text);
	fault_fact(&f->fault, name, "%s", text);
}

/* 48 */
static bool is_expired(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.not_after > w->now_s)
		return false;
	add_pair(w, f, p);
	add_time(f, "until", p->pub.not_after);
	return true;
}

/* 49 */
static bool is_early(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.not_before <= w->now_s)
		return false;
	add_pair(w, f, p);
	add_time(f, "from", p->pub.not_before);
	return true;
}

/* 51 */
static bool is_self_signed(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !p->pub.self_signed)
		return false;
	add_pair(w, f, p);
	return true;
}

/* 52 */
static bool is_without_chain(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || p->pub.self_signed || sk_X509_num(p->chain) > 0)
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", p->pub.issuer);
	return true;
}

/* 55 */
static bool is_not_for_servers(const struct why *w, struct found *f)
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

/* 54: by the usual measure (112 bits), or by the peer's own, if it says so. */
static bool is_weak(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	bool said = w->facts->alert_received == SSL_AD_INSUFFICIENT_SECURITY;
	char en[64], de[64];

	if (!p)
		return false;
	add_pair(w, f, p);
	if (signature_bits(p->leaf) < 80 && !p->pub.self_signed) {
		add_both(f, "weakness", "weakness_de", "a signature with SHA-1 or weaker",
			"eine Signatur mit SHA-1 oder schwächer");
		return true;
	}
	snprintf(en, sizeof(en), "an %s key of %u bits", tls_key_type_text(p->pub.type), p->pub.bits);
	snprintf(de, sizeof(de), "einen %s-Schlüssel mit %u Bit", tls_key_type_text(p->pub.type), p->pub.bits);
	add_both(f, "weakness", "weakness_de", en, de);
	return said || EVP_PKEY_get_security_bits(p->key) < 112;
}

static bool has_name(const struct pair *p, struct span name)
{
	char *text = span_text(name);
	bool has = X509_check_host(p->leaf, text, name.n, 0, NULL) == 1;

	mem_free(text);
	return has;
}

/* 50 */
static bool is_misnamed(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	const struct pair *p = minded_pair(w);
	unsigned left_out = 0;

	if (!p || w->hello.sni.n == 0 || has_name(p, w->hello.sni))
		return false;
	add_pair(w, f, p);
	for (unsigned i = 0; i < p->pub.names_n; i++)
		list_add(&list, p->pub.names[i], &left_out);
	add_list(f, "names", &list, left_out);
	return true;
}

/* 61 */
static bool is_staple_missing(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || X509_get_ext_by_NID(p->leaf, NID_tlsfeature, -1) < 0 ||
		(p->staple.n > 0 && p->staple_until > w->now_s))
		return false;
	add_pair(w, f, p);
	return true;
}

/* 56 */
static bool is_dane_mismatch(const struct why *w, struct found *f)
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

/* 58 */
static bool is_chain_large(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || (w->facts->alert_received != SSL_AD_ILLEGAL_PARAMETER && chain_bytes(p) < CHAIN_BIG_BYTES))
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "count", "%zu", chain_bytes(p));
	return true;
}

/* 57 */
static bool is_mta_sts(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !w->around->mta_sts_enforced)
		return false;
	add_pair(w, f, p);
	return true;
}

/* 53 */
static bool is_ca_unknown(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);
	uint8_t alert = w->facts->alert_received;

	if (!p || (alert != SSL_AD_UNKNOWN_CA && alert != SSL_AD_CERTIFICATE_EXPIRED))
		return false;
	add_pair(w, f, p);
	fault_fact(&f->fault, "issuer", "%s", p->pub.issuer);
	return true;
}

static bool is_refused(const struct why *w, struct found *f)
{
	const struct pair *p = minded_pair(w);

	if (!p || !was_rejected(w))
		return false;
	add_pair(w, f, p);
	return true;
}

/* 45 */
static bool is_gone_at_cert(const struct why *w, struct found *f)
{
	add_name(w, f);
	return has_hung_up(w);
}

/* ---- certificates of clients, records ---- */

/* 59 */
static bool is_client_cert_missing(const struct why *w, struct found *f)
{
	(void)f;
	return !w->facts->client && why_reason(w) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}

/* OpenSSL's words about a certificate, and German ones for the usual verdicts. */
static void add_verdict(const struct why *w, struct found *f)
{
	static const struct {
		long error;
		const char *de;
	} german[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, "Das Zertifikat ist abgelaufen" },
		{ X509_V_ERR_CERT_NOT_YET_VALID, "Das Zertifikat gilt noch nicht" },
		{ X509_V_ERR_HOSTNAME_MISMATCH, "Das Zertifikat ist für einen anderen Namen" },
		{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "Das Zertifikat ist selbst signiert" },
		{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "Die Wurzel der Kette ist hier nicht bekannt" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
			"Der Aussteller ist nicht bekannt, oder ein Zwischenzertifikat fehlt" },
		{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
			"Der Aussteller ist nicht bekannt, oder ein Zwischenzertifikat fehlt" },
		{ X509_V_ERR_INVALID_PURPOSE, "Das Zertifikat ist nicht für diesen Zweck" },
		{ X509_V_ERR_EE_KEY_TOO_SMALL, "Der Schlüssel des Zertifikats ist zu klein" },
		{ X509_V_ERR_CA_MD_TOO_WEAK, "Eine Signatur der Kette ist zu schwach" },
	};
	const char *en = X509_verify_cert_error_string(w->facts->verify_error), *de = en;

	for (size_t i = 0; i < array_len(german); i++)
		if (german[i].error == w->facts->verify_error)
			de = german[i].de;
	add_both(f, "error", "error_de", en, de);
}

/* 60, whatever it is */
static bool is_client_cert_bad(const struct why *w, struct found *f)
{
	add_verdict(w, f);
	return !w->facts->client && why_reason(w) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

static bool is_client_cert_expired(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_CERT_HAS_EXPIRED && is_client_cert_bad(w, f);
}

static bool is_client_cert_early(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_CERT_NOT_YET_VALID && is_client_cert_bad(w, f);
}

static bool is_client_cert_for_servers(const struct why *w, struct found *f)
{
	return w->facts->verify_error == X509_V_ERR_INVALID_PURPOSE && is_client_cert_bad(w, f);
}

/* 62 */
static bool is_corrupt(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	add_error(w, f);
	return reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC || reason == SSL_R_DECRYPTION_FAILED ||
		w->facts->alert_received == SSL_AD_BAD_RECORD_MAC;
}

/* ---- we are the client ---- */

static bool is_client(const struct why *w, int reason)
{
	return w->facts->client && why_reason(w) == reason;
}

static void add_received(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	fault_fact(&f->fault, "alert", "alert %u, %s", alert, tls_alert_text(alert));
	fault_fact(&f->fault, "alert_de", "Alarm %u, %s", alert, tls_alert_text(alert));
}

/* 19 */
static bool is_dh_small(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_DH_KEY_TOO_SMALL);
}

/* 58, from the other side */
static bool is_server_chain_large(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_EXCESSIVE_MESSAGE_SIZE);
}

/* 66 */
static bool is_without_renegotiation(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED);
}

/* 67 */
static bool is_suite_not_offered(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_UNKNOWN_CIPHER_RETURNED) || is_client(w, SSL_R_WRONG_CIPHER_RETURNED);
}

/* 48 to 56, from the other side */
static bool is_not_trusted(const struct why *w, struct found *f)
{
	add_verdict(w, f);
	return w->facts->client && w->facts->verify_error != X509_V_OK;
}

/* 59 from the other side; with TLS 1.2 the alert is just 40. */
static bool is_client_cert_wanted(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	add_received(w, f);
	return w->facts->client &&
		(alert == SSL_AD_CERTIFICATE_REQUIRED ||
			(alert == SSL_AD_HANDSHAKE_FAILURE &&
				(w->facts->messages_received & 1u << CERTIFICATE_REQUEST)));
}

/* 20 to 22 from the other side */
static bool is_server_version(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	add_received(w, f);
	return w->facts->client &&
		(w->facts->alert_received == SSL_AD_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL ||
			reason == SSL_R_VERSION_TOO_LOW);
}

static bool is_server_refused(const struct why *w, struct found *f)
{
	add_received(w, f);
	add(f, "name", w->around->name.n ? w->around->name : SPAN("-"));
	return w->facts->client && w->facts->alert_received != NO_ALERT &&
		w->facts->alert_received_level == SSL3_AL_FATAL;
}

/* ---- what is left ---- */

static bool is_slow(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "state", "%s", w->facts->state[0] ? w->facts->state : "-");
	return w->facts->error == -ETIMEDOUT;
}

static bool is_failed(const struct why *w, struct found *f)
{
	if (w->facts->ssl_error)
		add_error(w, f);
	else
		fault_fact(&f->fault, "error", "%s", w->facts->error ? strerror(-w->facts->error) : "unknown");
	fault_fact(&f->fault, "sent", "%s", tls_alert_text(w->facts->alert_sent));
	fault_fact(&f->fault, "received", "%s", tls_alert_text(w->facts->alert_received));
	add(f, "sni", w->hello.sni.n ? w->hello.sni : SPAN("-"));
	return true;
}

/* ---- the table ---- */

const struct cause causes[] = {
	{ FAULT_TLS_PIPELINED, is_pipelined, 0, CAUSE_FINAL },
	{ FAULT_TLS_PLAINTEXT_FALLBACK, is_plaintext_fallback, 0, CAUSE_FINAL },
	{ FAULT_TLS_NOT_OFFERED, is_not_offered, 0, CAUSE_FINAL },

	{ FAULT_TLS_PLAIN_SMTP, is_plain_smtp, 0, CAUSE_FINAL },
	{ FAULT_TLS_SERVER_SPEAKS_FIRST, is_server_first, 0, CAUSE_FINAL },
	{ FAULT_TLS_HTTP, is_http, 0, CAUSE_FINAL },
	{ FAULT_TLS_PROXY_HEADER, is_proxy_header, 0, CAUSE_FINAL },
	{ FAULT_TLS_SSH, is_ssh, 0, CAUSE_FINAL },
	{ FAULT_TLS_NOT_TLS, is_other, 0, CAUSE_FINAL },
	{ FAULT_TLS_RECORD_TOO_LARGE, is_too_large, 0, CAUSE_FINAL },
	{ FAULT_TLS_UNEXPECTED_MESSAGE, is_unexpected, 0, CAUSE_FINAL },
	{ FAULT_TLS_HELLO_INCOMPLETE_13, is_incomplete_13, 0, CAUSE_FINAL },
	{ FAULT_TLS_HELLO_MALFORMED, is_malformed, 0, CAUSE_FINAL },
	{ FAULT_TLS_PEER_LEFT, has_left_early, 0, CAUSE_FINAL },
	{ FAULT_TLS_SILENCE, is_silent, 0, CAUSE_FINAL },
	{ FAULT_TLS_RESET, is_reset, 0, CAUSE_FINAL },

	{ FAULT_TLS_PEER_SSL2, is_ssl2, 0, CAUSE_FINAL },
	{ FAULT_TLS_HELLO_V2, is_v2_form },
	{ FAULT_TLS_PEER_SSL3, is_ssl3, 0, CAUSE_FINAL },
	{ FAULT_TLS_PEER_DRAFT, is_draft, 0, CAUSE_FINAL },
	{ FAULT_TLS_FALLBACK_SCSV, is_fallback, 0, CAUSE_FINAL },
	{ FAULT_TLS_ONLY_13_ALLOWED, is_only_13_allowed, CHANGE_VERSIONS },
	{ FAULT_TLS_PEER_TOO_OLD, is_too_old, CHANGE_VERSIONS | CHANGE_LEVEL | CHANGE_SUITES },
	{ FAULT_TLS_PEER_NEEDS_13, is_13_needed, CHANGE_VERSIONS },
	{ FAULT_TLS_LEVEL_FORBIDS_OLD, is_below_level, CHANGE_LEVEL | CHANGE_SUITES },

	{ FAULT_TLS_NAME_REFUSED, is_name_refused, 0, CAUSE_FINAL },
	{ FAULT_TLS_NO_ALPN, is_no_alpn, 0, CAUSE_FINAL },

	{ FAULT_TLS_PAIR_MISMATCHED, is_pair_mismatched },
	{ FAULT_TLS_PAIR_SMALL_KEY, is_pair_small },
	{ FAULT_TLS_PAIR_WEAK_SIGNATURE, is_pair_weak },
	{ FAULT_TLS_PAIR_KEY_MISSING, is_pair_keyless },
	{ FAULT_TLS_PAIR_KEY_USAGE, is_pair_not_signing },
	{ FAULT_TLS_PAIR_RSA_PSS, is_pair_pss },
	{ FAULT_TLS_NO_CERT, has_no_cert, CHANGE_RSA | CHANGE_ECDSA },
	{ FAULT_TLS_PEER_3DES, is_3des, 0, CAUSE_FINAL },
	{ FAULT_TLS_PEER_RC4, is_rc4, 0, CAUSE_FINAL },
	{ FAULT_TLS_PEER_EXPORT, is_export, 0, CAUSE_FINAL },
	{ FAULT_TLS_CERT_ED25519, is_ed25519_only },
	{ FAULT_TLS_NO_RSA_CERT, is_rsa_suites_only, CHANGE_RSA },
	{ FAULT_TLS_NO_ECDSA_CERT, is_ecdsa_suites_only, CHANGE_ECDSA },
	{ FAULT_TLS_SIGNATURES_RSA_ONLY, is_rsa_signatures_only, CHANGE_RSA },
	{ FAULT_TLS_SIGNATURES_ECDSA_ONLY, is_ecdsa_signatures_only, CHANGE_ECDSA },
	{ FAULT_TLS_NO_ECDSA_SIGNATURE, is_without_ecdsa_signature, CHANGE_RSA },
	{ FAULT_TLS_NO_RSA_SIGNATURE, is_without_rsa_signature, CHANGE_ECDSA },
	{ FAULT_TLS_CERT_CURVE, is_curve_unknown, CHANGE_ECDSA },
	{ FAULT_TLS_CERT_CURVE_SIGNATURE, is_curve_unverifiable, CHANGE_ECDSA },
	{ FAULT_TLS_PEER_SHA1_ONLY, is_sha1_only, CHANGE_LEVEL },
	{ FAULT_TLS_NO_SIGNATURES, is_without_signatures, CHANGE_LEVEL },

	{ FAULT_TLS_GROUPS_DISJOINT, is_without_group, CHANGE_GROUPS },
	{ FAULT_TLS_GROUPS_DISJOINT_13, is_without_group_13, CHANGE_GROUPS },
	{ FAULT_TLS_NO_DH, is_without_dh, CHANGE_DH },
	{ FAULT_TLS_SUITES_DISJOINT, is_without_suite, CHANGE_SUITES },
	{ FAULT_TLS_SUITES_DISJOINT_13, is_without_suite_13, CHANGE_SUITES },

	{ FAULT_TLS_CLIENT_CERT_MISSING, is_client_cert_missing, 0, CAUSE_FINAL },
	{ FAULT_TLS_CLIENT_CERT_EXPIRED, is_client_cert_expired, 0, CAUSE_FINAL },
	{ FAULT_TLS_CLIENT_CERT_EARLY, is_client_cert_early, 0, CAUSE_FINAL },
	{ FAULT_TLS_CLIENT_CERT_PURPOSE, is_client_cert_for_servers, 0, CAUSE_FINAL },
	{ FAULT_TLS_CLIENT_CERT_BAD, is_client_cert_bad, 0, CAUSE_FINAL },
	{ FAULT_TLS_RECORD_CORRUPT, is_corrupt, 0, CAUSE_FINAL },
	{ FAULT_TLS_CERT_EXPIRED, is_expired, .alert = SSL_AD_CERTIFICATE_EXPIRED },
	{ FAULT_TLS_CERT_NOT_YET_VALID, is_early, .alert = SSL_AD_BAD_CERTIFICATE },
	{ FAULT_TLS_CERT_SELF_SIGNED, is_self_signed, .alert = SSL_AD_UNKNOWN_CA },
	{ FAULT_TLS_CERT_NO_CHAIN, is_without_chain, .alert = SSL_AD_UNKNOWN_CA },
	{ FAULT_TLS_CERT_NOT_FOR_SERVERS, is_not_for_servers, .alert = SSL_AD_UNSUPPORTED_CERTIFICATE },
	{ FAULT_TLS_CERT_WEAK, is_weak, .alert = SSL_AD_INSUFFICIENT_SECURITY },
	{ FAULT_TLS_CERT_NAME, is_misnamed, .alert = SSL_AD_BAD_CERTIFICATE },
	{ FAULT_TLS_MUST_STAPLE, is_staple_missing, .alert = SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE },
	{ FAULT_TLS_DANE_MISMATCH, is_dane_mismatch, .alert = SSL_AD_BAD_CERTIFICATE },
	{ FAULT_TLS_CHAIN_TOO_LARGE, is_chain_large, .alert = SSL_AD_ILLEGAL_PARAMETER },
	{ FAULT_TLS_MTA_STS, is_mta_sts, 0, CAUSE_LAST },
	{ FAULT_TLS_CERT_CA_UNKNOWN, is_ca_unknown, 0, CAUSE_LAST },
	{ FAULT_TLS_CERT_REFUSED, is_refused, 0, CAUSE_LAST },
	{ FAULT_TLS_PEER_LEFT_AT_CERT, is_gone_at_cert, 0, CAUSE_LAST },

	{ FAULT_TLS_DH_TOO_SMALL, is_dh_small, 0, CAUSE_FINAL },
	{ FAULT_TLS_SERVER_CHAIN_TOO_LARGE, is_server_chain_large, 0, CAUSE_FINAL },
	{ FAULT_TLS_NO_SECURE_RENEGOTIATION, is_without_renegotiation, 0, CAUSE_FINAL },
	{ FAULT_TLS_SUITE_NOT_OFFERED, is_suite_not_offered, 0, CAUSE_FINAL },
	{ FAULT_TLS_NOT_TRUSTED, is_not_trusted, 0, CAUSE_FINAL },
	{ FAULT_TLS_CLIENT_CERT_WANTED, is_client_cert_wanted, 0, CAUSE_FINAL },
	{ FAULT_TLS_SERVER_VERSION, is_server_version, 0, CAUSE_FINAL },
	{ FAULT_TLS_SERVER_REFUSED, is_server_refused, 0, CAUSE_LAST },
	{ FAULT_TLS_TIMEOUT, is_slow, 0, CAUSE_LAST },
	{ FAULT_TLS_HANDSHAKE_FAILED, is_failed, 0, CAUSE_LAST },
};
const unsigned causes_n = array_len(causes);
