/* The engine's frame; the essay is in tls/explain.h. */
#include "tls/explain.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include "tls/tls_priv.h"

#define BYTES_SHOWN 16

/* Alerts by number: OpenSSL's own table has gaps (86, 109, 116). */
const char *tls_alert_text(uint8_t alert)
{
	static const struct {
		uint8_t number;
		const char *text;
	} alerts[] = { { 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" },
		{ 22, "record_overflow" }, { 40, "handshake_failure" }, { 42, "bad_certificate" },
		{ 43, "unsupported_certificate" }, { 44, "certificate_revoked" }, { 45, "certificate_expired" },
		{ 46, "certificate_unknown" }, { 47, "illegal_parameter" }, { 48, "unknown_ca" },
		{ 49, "access_denied" }, { 50, "decode_error" }, { 51, "decrypt_error" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" }, { 86, "inappropriate_fallback" },
		{ 90, "user_canceled" }, { 100, "no_renegotiation" }, { 109, "missing_extension" },
		{ 110, "unsupported_extension" }, { 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" }, { 115, "unknown_psk_identity" },
		{ 116, "certificate_required" }, { 120, "no_application_protocol" }, { 0xff, "none" } };

	for (size_t i = 0; i < array_len(alerts); i++)
		if (alerts[i].number == alert)
			return alerts[i].text;
	return "unknown";
}

static bool is_tls(const struct tls_facts *f)
{
	return f->hello_n >= 2 &&
		((f->hello[0] >= 20 && f->hello[0] <= 23 && f->hello[1] == 3) || (f->hello[0] & 0x80));
}

static void add_hello(const struct tls_facts *f, struct fault *fault)
{
	struct tls_hello hello;
	struct arena a;

	arena_init(&a, 1024);
	if (tls_hello_parse(span_make(f->hello, f->hello_n), &a, &hello) == 0) {
		fault_fact(fault, "sni", "%.*s", SPAN_ARG(hello.sni.n ? hello.sni : SPAN("no name")));
		fault_fact(fault, "version", "0x%04x", tls_hello_version(&hello));
		fault_fact(fault, "suites", "%zu", hello.suites.n / (hello.v2 ? 3 : 2));
	}
	arena_done(&a);
}

static void facts_fault(const struct tls_facts *f, struct fault *fault)
{
	const char *reason = f->ssl_error ? ERR_reason_error_string(f->ssl_error) : NULL;

	if (f->hello_n > 0 && !is_tls(f)) {
		fault_set(fault, FAULT_TLS_NOT_TLS);
		fault_fact(fault, "bytes", "%.*s", f->hello_n < BYTES_SHOWN ? f->hello_n : BYTES_SHOWN,
			(const char *)f->hello);
		return;
	}
	if (f->error == -ETIMEDOUT) {
		fault_set(fault, FAULT_TLS_TIMEOUT);
	} else if (f->error == -ECONNRESET || f->error == -EPIPE || f->error == -ECANCELED) {
		fault_set(fault, FAULT_TLS_PEER_LEFT);
	} else {
		fault_set(fault, FAULT_TLS_HANDSHAKE_FAILED);
		fault_fact(fault, "error", "%s", reason ? reason : "unknown");
		fault_fact(fault, "sent", "%s", tls_alert_text(f->alert_sent));
		fault_fact(fault, "received", "%s", tls_alert_text(f->alert_received));
	}
	add_hello(f, fault);
}

void tls_explain(const struct tls_facts *facts, struct tls_set *set, const struct tls_circumstances *circumstances,
	struct tls_explanation *ret)
{
	(void)set, (void)circumstances;
	*ret = (struct tls_explanation){ .causes_n = 1 };
	facts_fault(facts, &ret->causes[0]);
}
