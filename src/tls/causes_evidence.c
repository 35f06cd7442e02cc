/* The evidence that several causes' sentences name; see tls/causes_priv.h. */
#include <openssl/err.h>
#include <stdio.h>
#include "base/fmt.h"
#include "tls/causes_priv.h"

#define BYTES_SHOWN 24

void cause_add(struct found *f, const char *name, struct span value)
{
	fault_fact(&f->fault, name, "%.*s", SPAN_ARG(value));
}

void cause_add_both(struct found *f, const char *name, const char *name_de, const char *en, const char *de)
{
	fault_fact(&f->fault, name, "%s", en);
	fault_fact(&f->fault, name_de, "%s", de);
}

void cause_list_add(struct buf *list, struct span name, unsigned *left_out)
{
	if (list->n + name.n + 2 > LIST_SHOWN)
		++*left_out;
	else
		buf_addf(list, "%s%.*s", list->n ? ", " : "", SPAN_ARG(name));
}

void cause_add_list(struct found *f, const char *name, struct buf *list, unsigned left_out)
{
	if (left_out)
		buf_addf(list, " (+%u)", left_out);
	fault_fact(&f->fault, name, "%s", list->n ? buf_text(list) : "-");
}

void cause_add_suites(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (unsigned i = 0; i < w->suites_n; i++)
		cause_list_add(&list, span_of(tls_suite_text(w->suites[i].number)), &left_out);
	cause_add_list(f, "suites", &list, left_out);
	fault_fact(&f->fault, "count", "%u", w->suites_n);
}

void cause_add_our_suites(const struct why *w, struct found *f, bool in_13)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(w->ctx);
	unsigned left_out = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);

		if ((SSL_CIPHER_get_auth_nid(c) == NID_auth_any) == in_13)
			cause_list_add(&list, span_of(SSL_CIPHER_get_name(c)), &left_out);
	}
	cause_add_list(f, "ours", &list, left_out);
}

void cause_add_their_signatures(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;
	char number[8];

	for (size_t i = 0; i < w->hello.signatures.n / 2; i++) {
		uint16_t n = tls_hello_u16(w->hello.signatures, i);
		const struct tls_signature *s = tls_signature_find(n);

		snprintf(number, sizeof(number), "0x%04x", n);
		cause_list_add(&list, span_of(s ? s->name : number), &left_out);
	}
	cause_add_list(f, "theirs", &list, left_out);
}

void cause_add_their_groups(const struct why *w, struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (size_t i = 0; i < w->hello.groups.n / 2; i++)
		cause_list_add(&list, span_of(tls_group_text(tls_hello_u16(w->hello.groups, i))), &left_out);
	cause_add_list(f, "theirs", &list, left_out);
}

void cause_add_our_groups(struct found *f)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(1024);
	unsigned left_out = 0;

	for (unsigned i = 0; i < our_groups_n; i++)
		cause_list_add(&list, span_of(tls_group_text(our_groups[i])), &left_out);
	cause_add_list(f, "ours", &list, left_out);
}

void cause_add_version(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "version", "%s", tls_version_text(w->theirs_max));
}

void cause_add_name(const struct why *w, struct found *f)
{
	cause_add(f, "name", why_name(w));
}

void cause_add_served(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "served", "%s", why_served(w));
	cause_add_name(w, f);
}

void cause_add_bytes(const struct why *w, struct found *f)
{
	struct span bytes = span_sub(w->bytes, 0, BYTES_SHOWN);
	ptrdiff_t line = span_index(bytes, '\r');

	char safe[4 * BYTES_SHOWN];

	/* A NUL would end it. */
	bytes = line > 0 ? span_sub(bytes, 0, (size_t)line) : bytes;
	cause_add(f, "bytes", span_make(safe, fmt_safe(bytes, "", safe, sizeof(safe))));
}

void cause_add_choice(const struct why *w, struct found *f)
{
	const struct tls_facts *facts = w->facts;

	fault_fact(&f->fault, "suite", "%s", facts->suite ? tls_suite_text(facts->suite) : "-");
	if (facts->dh_bits)
		fault_fact(&f->fault, "group", "DH %u", facts->dh_bits);
	else
		fault_fact(&f->fault, "group", "%s", facts->group ? tls_group_text(facts->group) : "-");
}

void cause_add_alert(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	if (alert == TLS_NO_ALERT) {
		cause_add_both(f, "alert", "alert_de", "it hung up", "sie legte auf");
		return;
	}
	fault_fact(&f->fault, "alert", "alert %u, %s", alert, tls_alert_text(alert));
	fault_fact(&f->fault, "alert_de", "Alert %u, %s", alert, tls_alert_text(alert));
}

void cause_add_error(const struct why *w, struct found *f)
{
	const char *reason = w->facts->ssl_error ? ERR_reason_error_string(w->facts->ssl_error) : NULL;

	fault_fact(&f->fault, "error", "%s", reason ? reason : "unknown");
}

void cause_add_verdict(const struct why *w, struct found *f)
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
	cause_add_both(f, "error", "error_de", en, de);
}
