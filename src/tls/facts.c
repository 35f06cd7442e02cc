/* What a handshake shows while it runs: struct tls_facts, filled by OpenSSL's callbacks. Explained
 * by tls/explain.h. */
#include <openssl/err.h>
#include <stdio.h>
#include "tls/explain_priv.h"
#include "tls/hello.h"

#define SERVER_HELLO 2

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct tls_facts *f = arg;
	const uint8_t *bytes = p;

	(void)version, (void)ssl;
	if (type == SSL3_RT_ALERT && n == 2) {
		*(sent ? &f->alert_sent_level : &f->alert_received_level) = bytes[0];
		*(sent ? &f->alert_sent : &f->alert_received) = bytes[1];
	} else if (type == SSL3_RT_HANDSHAKE && n > 0) {
		*(sent ? &f->messages_sent : &f->messages_received) |= 1u << (bytes[0] & 31);
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
	facts->alert_sent = facts->alert_received = TLS_NO_ALERT;
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

/* Until the handshake is over, OpenSSL has what was chosen as pending. */
static void keep_choice(SSL *ssl, struct tls_facts *f)
{
	const SSL_CIPHER *suite = SSL_get_pending_cipher(ssl);
	EVP_PKEY *own = NULL;

	if (!suite || f->client || !(f->messages_sent & 1u << SERVER_HELLO))
		return;
	f->suite = SSL_CIPHER_get_protocol_id(suite);
	if (SSL_get_tmp_key(ssl, &own) != 1)
		return;
	if (EVP_PKEY_is_a(own, "DH"))
		f->dh_bits = (uint16_t)EVP_PKEY_get_bits(own);
	else
		f->group = group_of_key(own);
	EVP_PKEY_free(own);
}

void facts_failed(SSL *ssl, struct tls_facts *f)
{
	X509 *leaf = f->client ? NULL : SSL_get_certificate(ssl);

	f->ssl_error = ERR_peek_last_error();
	f->served = leaf ? key_type_of(X509_get0_pubkey(leaf)) : TLS_KEY_OTHER;
	keep_choice(ssl, f);
	if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
		f->verify_error = SSL_get_verify_result(ssl);
}

void facts_add_bytes(struct tls_facts *f, const void *p, size_t n)
{
	if (n > TLS_HELLO_MAX - f->hello_n)
		n = TLS_HELLO_MAX - f->hello_n;
	if (n == 0)
		return;
	f->hello = mem_resize(f->hello, f->hello_n + n, 1);
	memcpy(f->hello + f->hello_n, p, n);
	f->hello_n += (uint32_t)n;
}

void tls_facts_done(struct tls_facts *facts)
{
	facts->hello = mem_free(facts->hello);
	facts->hello_n = 0;
}
