/*
 * Causes that show before certificates matter: what the surroundings know, bytes that are no TLS, a
 * hello that is broken or never came, versions, the name and the protocol asked for. (Numbers in
 * comments: see tls/causes.tbl.h.)
 */
#include <errno.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include "base/fmt.h"
#include "tls/causes_priv.h"
#include "tls/record.h"

/* ---- around the handshake ---- */

/* 69 */
bool cause_is_pipelined(const struct why *w, struct found *f)
{
	cause_add(f, "bytes", span_sub(w->around->pipelined, 0, 64));
	return w->around->pipelined.n > 0;
}

static void add_sentence(struct found *f, const char *name, const struct fault *of, enum fault_lang lang,
	void (*sentence)(const struct fault *, enum fault_lang, struct buf *))
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	sentence(of, lang, &text);
	cause_add(f, name, span_sub(buf_span(&text), 0, LIST_SHOWN));
}

/* 70 */
bool cause_is_plaintext_fallback(const struct why *w, struct found *f)
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
bool cause_is_not_offered(const struct why *w, struct found *f)
{
	cause_add(f, "reply", span_sub(w->around->starttls_reply, 0, 200));
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
static bool is_smtp(const struct why *w, struct found *f)
{
	static const char *const words[] = { "EHLO ", "HELO ", "LHLO ", "MAIL FROM", "STARTTLS", "NOOP\r", "QUIT\r",
		"RSET\r", NULL };

	cause_add_bytes(w, f);
	return !w->facts->client && is_no_tls(w) && starts_with_any(w, words);
}

bool cause_is_plain_smtp(const struct why *w, struct found *f)
{
	return !w->facts->starttls && is_smtp(w, f);
}

bool cause_is_plain_after_starttls(const struct why *w, struct found *f)
{
	return w->facts->starttls && is_smtp(w, f);
}

/* 41 */
bool cause_is_server_first(const struct why *w, struct found *f)
{
	static const char *const words[] = { "220", "421", "554", "+OK", "* OK", "HTTP/", "SSH-", NULL };

	cause_add_bytes(w, f);
	return w->facts->client && is_no_tls(w) && !w->facts->starttls && starts_with_any(w, words);
}

/* Replies of SMTP, and whatever else is no TLS. */
bool cause_is_server_plain_after_starttls(const struct why *w, struct found *f)
{
	cause_add_bytes(w, f);
	return w->facts->client && is_no_tls(w) && w->facts->starttls;
}

/* 42 */
bool cause_is_http(const struct why *w, struct found *f)
{
	static const char *const words[] = { "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ",
		"PATCH ", "TRACE ", "PRI * HTTP/2", NULL };

	cause_add_bytes(w, f);
	return is_no_tls(w) && w->facts->use == TLS_FOR_WEB && starts_with_any(w, words);
}

/* 43 */
bool cause_is_proxy_header(const struct why *w, struct found *f)
{
	(void)f;
	if (w->facts->client || w->facts->starttls)
		return false;
	return span_starts(w->bytes, SPAN("PROXY ")) || span_starts(w->bytes, SPAN("\r\n\r\n\0\r\nQUIT\n"));
}

bool cause_is_ssh(const struct why *w, struct found *f)
{
	cause_add_bytes(w, f);
	return !w->facts->client && !w->facts->starttls && span_starts(w->bytes, SPAN("SSH-"));
}

bool cause_is_other(const struct why *w, struct found *f)
{
	cause_add_bytes(w, f);
	if (w->facts->starttls)
		cause_add_both(f, "where", "where_de", "behind STARTTLS", "hinter STARTTLS");
	else
		cause_add_both(f, "where", "where_de", "on a TLS port", "auf einem TLS-Port");
	return is_no_tls(w);
}

/* 63 */
bool cause_is_too_large(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	fault_fact(&f->fault, "bytes", "%zu", w->bytes.n);
	return reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_DATA_LENGTH_TOO_LONG ||
		reason == SSL_R_ENCRYPTED_LENGTH_TOO_LONG || w->facts->alert_sent == SSL_AD_RECORD_OVERFLOW;
}

/* 65 */
bool cause_is_unexpected(const struct why *w, struct found *f)
{
	static const struct {
		uint8_t type;
		const char *en, *de;
	} first[] = { { 20, "a ChangeCipherSpec", "einem ChangeCipherSpec" }, { 21, "an alert", "einem Alert" },
		{ 23, "encrypted data", "verschlüsselten Daten" } };

	for (size_t i = 0; i < array_len(first); i++)
		if (is_record(w) && (uint8_t)w->bytes.p[0] == first[i].type && !w->facts->client) {
			cause_add_both(f, "what", "what_de", first[i].en, first[i].de);
			return true;
		}
	return false;
}

/* OpenSSL may read on where what is kept ends. */
bool cause_is_too_large_a_hello(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "bytes", "%zu", w->bytes.n);
	return !w->facts->client && is_record(w) && !w->has_hello && !why_answered(w) && w->bytes.n == TLS_HELLO_MAX;
}

/* 64 */
bool cause_is_malformed(const struct why *w, struct found *f)
{
	const struct tls_facts *facts = w->facts;

	cause_add_error(w, f);
	return !facts->client && is_record(w) && !why_answered(w) && facts->error == -EPROTO &&
		(facts->alert_sent == SSL_AD_DECODE_ERROR || facts->alert_sent == SSL_AD_ILLEGAL_PARAMETER ||
			(!w->has_hello && facts->ssl_error != 0 && w->bytes.n > 0));
}

static void add_count(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "count", "%zu", w->bytes.n);
}

/* 44 */
bool cause_has_left_early(const struct why *w, struct found *f)
{
	add_count(w, f);
	if (w->facts->starttls)
		cause_add_both(f, "when", "when_de", "after STARTTLS, before it began TLS",
			"nach STARTTLS, bevor sie TLS begann");
	else
		cause_add_both(f, "when", "when_de", "before it had asked for anything",
			"bevor sie etwas verlangt hatte");
	return why_has_left(w) && !w->has_hello && (w->bytes.n == 0 || !w->facts->client);
}

/* 47 */
bool cause_is_silent(const struct why *w, struct found *f)
{
	add_count(w, f);
	return w->facts->error == -ETIMEDOUT && !w->has_hello && (w->bytes.n == 0 || !w->facts->client);
}

/* 46: a FIN would have set ended. */
bool cause_is_reset(const struct why *w, struct found *f)
{
	(void)f;
	return (w->facts->error == -ECONNRESET || w->facts->error == -EPIPE) && !w->facts->ended && w->has_hello &&
		!w->facts->answered;
}

/* ---- versions ---- */

/* 25 */
bool cause_is_ssl2(const struct why *w, struct found *f)
{
	(void)f;
	return w->has_hello && w->hello.v2 && w->hello.legacy_version <= 0x0002;
}

/* 26 */
bool cause_is_v2_form(const struct why *w, struct found *f)
{
	cause_add_version(w, f);
	return w->has_hello && w->hello.v2 && !why_answered(w);
}

/* 24 */
bool cause_is_ssl3(const struct why *w, struct found *f)
{
	(void)f;
	return w->has_hello && w->theirs_max == 0x0300;
}

/* 27 */
bool cause_is_draft(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;
	char number[8];

	if (!w->has_hello || !w->hello.versions.p || w->theirs_max != 0)
		return false;
	for (size_t i = 0; i < w->hello.versions.n / 2; i++) {
		snprintf(number, sizeof(number), "0x%04x", tls_hello_u16(w->hello.versions, i));
		cause_list_add(&list, span_of(number), &left_out);
	}
	cause_add_list(f, "theirs", &list, left_out);
	return true;
}

/* 28 */
bool cause_is_fallback(const struct why *w, struct found *f)
{
	const struct fault *earlier = w->around->earlier;

	cause_add_version(w, f);
	fault_fact(&f->fault, "earlier", "%s%s%s", earlier ? " (" : "", earlier ? fault_code_text(earlier->code) : "",
		earlier ? ")" : "");
	return w->facts->alert_sent == SSL_AD_INAPPROPRIATE_FALLBACK || why_reason(w) == SSL_R_INAPPROPRIATE_FALLBACK;
}

static bool no_version(const struct why *w)
{
	return w->has_hello && w->ctx && w->version == 0 && !why_answered(w);
}

/* 22 */
bool cause_is_only_13_allowed(const struct why *w, struct found *f)
{
	cause_add_version(w, f);
	return no_version(w) && w->ours_min == 0x0304 && w->theirs_max == 0x0303;
}

/* 20 */
bool cause_is_too_old(const struct why *w, struct found *f)
{
	cause_add_version(w, f);
	fault_fact(&f->fault, "ours", "%s", tls_version_text(w->ours_min));
	return no_version(w) && w->theirs_max >= 0x0301 && w->theirs_max < w->ours_min && w->theirs_max < 0x0303;
}

/* 21 */
bool cause_is_13_needed(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "ours", "%s", tls_version_text(w->ours_max));
	return no_version(w) && w->theirs_min == 0x0304 && w->ours_max < 0x0304;
}

/* 23 */
bool cause_is_below_level(const struct why *w, struct found *f)
{
	cause_add_version(w, f);
	if (w->ctx)
		fault_fact(&f->fault, "level", "%d", SSL_CTX_get_security_level(w->ctx));
	return why_any_obstacle(w, OBSTACLE_LEVEL) && !why_answered(w);
}

/* ---- name, protocol, shape ---- */

/* 38 */
bool cause_is_name_refused(const struct why *w, struct found *f)
{
	cause_add_name(w, f);
	return w->facts->alert_sent == SSL_AD_UNRECOGNIZED_NAME;
}

/* 39 */
bool cause_is_no_alpn(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	struct span rest = w->hello.alpn;
	unsigned left_out = 0;

	while (rest.n > 0) {
		struct span name = span_sub(rest, 1, (uint8_t)rest.p[0]);

		cause_list_add(&list, name, &left_out);
		rest = span_from(rest, 1 + name.n);
	}
	cause_add_list(f, "theirs", &list, left_out);
	cause_add(f, "ours", w->facts->client ? SPAN("-") : span_of(our_protocols_text[w->facts->use]));
	return w->facts->alert_sent == SSL_AD_NO_APPLICATION_PROTOCOL ||
		(w->facts->client && w->facts->alert_received == SSL_AD_NO_APPLICATION_PROTOCOL);
}

/* 37 */
bool cause_is_incomplete_13(const struct why *w, struct found *f)
{
	if (!w->has_hello || w->version != 0x0304 || why_answered(w))
		return false;
	if (!w->hello.signatures.p)
		cause_add_both(f, "missing", "missing_de", "the signature algorithms", "die Signaturverfahren");
	else if (!w->hello.groups.p)
		cause_add_both(f, "missing", "missing_de", "the groups", "die Gruppen");
	else if (!w->hello.shares.p)
		cause_add_both(f, "missing", "missing_de", "the key shares", "die Schlüsselanteile");
	else
		return false;
	return true;
}
