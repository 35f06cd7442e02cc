/* Causes where we are the client, and what is left over on either side. (Numbers in comments: see
 * tls/causes.tbl.h.) */
#include <errno.h>
#include <openssl/sslerr.h>
#include <string.h>
#include "tls/causes_priv.h"

/* ---- we are the client ---- */

static bool is_client(const struct why *w, int reason)
{
	return w->facts->client && why_reason(w) == reason;
}

/* 19 */
bool cause_is_dh_small(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_DH_KEY_TOO_SMALL);
}

/* 58, from the other side */
bool cause_is_server_chain_large(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_EXCESSIVE_MESSAGE_SIZE);
}

/* 66 */
bool cause_is_without_renegotiation(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED);
}

/* 67 */
bool cause_is_suite_not_offered(const struct why *w, struct found *f)
{
	(void)f;
	return is_client(w, SSL_R_UNKNOWN_CIPHER_RETURNED) || is_client(w, SSL_R_WRONG_CIPHER_RETURNED);
}

/* 48 to 56, from the other side */
bool cause_is_not_trusted(const struct why *w, struct found *f)
{
	cause_add_verdict(w, f);
	return w->facts->client && w->facts->verify_error != X509_V_OK;
}

/* 59 from the other side; with TLS 1.2 the alert is just 40. */
bool cause_is_client_cert_wanted(const struct why *w, struct found *f)
{
	uint8_t alert = w->facts->alert_received;

	cause_add_alert(w, f);
	return w->facts->client &&
		(alert == SSL_AD_CERTIFICATE_REQUIRED ||
			(alert == SSL_AD_HANDSHAKE_FAILURE &&
				(w->facts->messages_received & 1u << TLS_CERTIFICATE_REQUEST)));
}

/* 20 to 22 from the other side */
bool cause_is_server_version(const struct why *w, struct found *f)
{
	int reason = why_reason(w);

	cause_add_alert(w, f);
	return w->facts->client &&
		(w->facts->alert_received == SSL_AD_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL ||
			reason == SSL_R_VERSION_TOO_LOW);
}

bool cause_is_server_refused(const struct why *w, struct found *f)
{
	cause_add_alert(w, f);
	cause_add(f, "name", w->around->name.n ? w->around->name : SPAN("-"));
	return w->facts->client && w->facts->alert_received != TLS_NO_ALERT &&
		w->facts->alert_received_level == SSL3_AL_FATAL;
}

/* ---- what is left ---- */

bool cause_is_slow(const struct why *w, struct found *f)
{
	fault_fact(&f->fault, "state", "%s", w->facts->state[0] ? w->facts->state : "-");
	return w->facts->error == -ETIMEDOUT;
}

bool cause_is_failed(const struct why *w, struct found *f)
{
	if (w->facts->ssl_error)
		cause_add_error(w, f);
	else
		fault_fact(&f->fault, "error", "%s", w->facts->error ? strerror(-w->facts->error) : "unknown");
	fault_fact(&f->fault, "sent", "%s", tls_alert_text(w->facts->alert_sent));
	fault_fact(&f->fault, "received", "%s", tls_alert_text(w->facts->alert_received));
	cause_add(f, "sni", w->hello.sni.n ? w->hello.sni : SPAN("-"));
	return true;
}
