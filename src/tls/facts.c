/*
 * What a handshake shows while it runs, and the first word about one that failed.
 *
 * The explanation engine works on struct tls_facts; until it is there, the fault is one of four: not TLS at all, the peer
 * left, too slow, or failed with OpenSSL's reason, the alerts of both sides, and what the ClientHello asked for.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include "tls/hello.h"
#include "tls/tls_priv.h"

#define NO_ALERT    0xff
#define BYTES_SHOWN 16

/* Alerts by number: OpenSSL's own table has gaps (86, 109, 116). */
static const char *alert_text(uint8_t alert)
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
		{ 116, "certificate_required" }, { 120, "no_application_protocol" }, { NO_ALERT, "none" } };

	for (size_t i = 0; i < array_len(alerts); i++)
		if (alerts[i].number == alert)
			return alerts[i].text;
	return "unknown";
}

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct tls_facts *f = arg;
	const uint8_t *bytes = p;

	(void)version, (void)ssl;
	if (type == SSL3_RT_ALERT && n == 2) {
		*(sent ? &f->alert_sent_level : &f->alert_received_level) = bytes[0];
		*(sent ? &f->alert_sent : &f->alert_received) = bytes[1];
	} else if (type == SSL3_RT_HANDSHAKE && n > 0) {
		*(sent ? &f->messages_sent : &f->messages_received) |= (uint16_t)(1u << (bytes[0] & 15));
	}
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls_facts *f = SSL_get_app_data(ssl);

	(void)value;
	if (f && (where & SSL_CB_LOOP))
		snprintf(f->state, sizeof(f->state), "%s", SSL_state_string_long(ssl));
}

void facts_attach(SSL *ssl, struct tls_facts *facts)
{
	facts->alert_sent = facts->alert_received = NO_ALERT;
	SSL_set_app_data(ssl, facts);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, facts);
	SSL_set_info_callback(ssl, on_info);
}

void facts_detach(SSL *ssl)
{
	SSL_set_app_data(ssl, NULL);
	SSL_set_msg_callback(ssl, NULL);
	SSL_set_msg_callback_arg(ssl, NULL);
	SSL_set_info_callback(ssl, NULL);
}

void facts_add_bytes(struct tls_facts *f, const void *p, size_t n)
{
	if (n > (size_t)(TLS_HELLO_MAX - f->hello_n))
		n = (size_t)(TLS_HELLO_MAX - f->hello_n);
	if (n == 0)
		return;
	f->hello = mem_resize(f->hello, f->hello_n + n, 1);
	memcpy(f->hello + f->hello_n, p, n);
	f->hello_n = (uint16_t)(f->hello_n + n);
}

void tls_facts_done(struct tls_facts *facts)
{
	facts->hello = mem_free(facts->hello);
	facts->hello_n = 0;
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

void facts_fault(const struct tls_facts *f, struct fault *fault)
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
		fault_fact(fault, "sent", "%s", alert_text(f->alert_sent));
		fault_fact(fault, "received", "%s", alert_text(f->alert_received));
	}
	add_hello(f, fault);
}
