/*
 * Proof that a set serves what it should: a whole handshake in memory, as a client that can verify
 * one key type only.
 */
#include <errno.h>
#include <openssl/err.h>
#include "tls/tls_priv.h"

#define ROUNDS_MAX 20

static const char *const signatures[TLS_KEY_TYPES_MAX] = {
	[TLS_KEY_RSA] = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256:rsa_pss_rsae_sha384:rsa_pkcs1_sha384",
	[TLS_KEY_ECDSA] = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512",
	[TLS_KEY_ED25519] = "ed25519",
};

static SSL *client_new(SSL_CTX *ctx, struct span name, enum tls_key_type type)
{
	_cleanup_(mem_freep) char *text = span_text(name);
	SSL *ssl = SSL_new(ctx);

	must(ssl);
	SSL_set_connect_state(ssl);
	if (name.n > 0)
		SSL_set_tlsext_host_name(ssl, text);
	must(SSL_set1_sigalgs_list(ssl, signatures[type]) == 1);
	return ssl;
}

/* The pipe between the two holds 17 KiB: a big certificate waits for the other side to read. */
static bool can_go_on(SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);

	return result == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool shake_hands(SSL *client, SSL *server)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		int c, s;

		c = SSL_do_handshake(client);
		if (!can_go_on(client, c))
			return false;
		s = SSL_do_handshake(server);
		if (!can_go_on(server, s))
			return false;
		if (c == 1 && s == 1)
			return true;
	}
	return false;
}

int tls_set_prove(struct tls_set *set, struct span name, enum tls_key_type type, uint8_t ret_fingerprint[32])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client, *server = SSL_new(set->ctx[TLS_FOR_WEB]);
	BIO *to_server = NULL, *to_client = NULL;
	unsigned n = 32;
	X509 *leaf = NULL;
	int r = -EPROTO;

	must(type < TLS_KEY_TYPES_MAX && ctx && server);
	client = client_new(ctx, name, type);
	ERR_clear_error();
	BIO_new_bio_pair(&to_server, 0, &to_client, 0);
	SSL_set_bio(client, to_server, to_server);
	SSL_set_bio(server, to_client, to_client);
	SSL_set_accept_state(server);
	if (shake_hands(client, server))
		leaf = SSL_get1_peer_certificate(client);
	if (leaf && X509_digest(leaf, EVP_sha256(), ret_fingerprint, &n) == 1)
		r = 0;
	ERR_clear_error();
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(ctx);
	X509_free(leaf);
	return r;
}
