/*
 * Session tickets (RFC 5077, RFC 8446 4.6.1): AES-256-CBC and HMAC-SHA-256 under keys that the
 * supervisor makes and rotates, so that a client resumes across worker restarts and threads. The
 * newest key encrypts; older ones still decrypt, and what they decrypted is issued anew. In TLS 1.3
 * every resumption brings a new ticket, because clients use each once only (RFC 8446 C.4); and a
 * client that heeds Nagle's algorithm need not wait for an acknowledgement of its Finished.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include "base/rand.h"
#include "tls/tls_priv.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct tls_ticket_keys keys;

void tls_ticket_keys_rotate(struct tls_ticket_keys *k, int64_t now_s)
{
	memmove(&k->key[1], &k->key[0], sizeof(k->key) - sizeof(k->key[0]));
	rand_bytes(k->key[0].name, sizeof(k->key[0].name));
	rand_bytes(k->key[0].aes, sizeof(k->key[0].aes));
	rand_bytes(k->key[0].hmac, sizeof(k->key[0].hmac));
	k->key[0].made_at = now_s;
}

void tls_ticket_keys_use(const struct tls_ticket_keys *k)
{
	pthread_rwlock_wrlock(&lock);
	keys = *k;
	pthread_rwlock_unlock(&lock);
}

static int set_hmac(EVP_MAC_CTX *mac, uint8_t *key, size_t n)
{
	OSSL_PARAM params[] = { OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, key, n),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0), OSSL_PARAM_END };

	return EVP_MAC_CTX_set_params(mac, params);
}

/* As OpenSSL wants it: -1 error, 0 no key (full handshake), 1 fine, 2 fine and issue a new
 * ticket. */
static int encrypt(const struct tls_ticket_keys *k, uint8_t name[16], uint8_t *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac)
{
	uint8_t hmac[32];

	if (k->key[0].made_at == 0)
		return 0;
	memcpy(name, k->key[0].name, 16);
	memcpy(hmac, k->key[0].hmac, sizeof(hmac));
	rand_bytes(iv, EVP_MAX_IV_LENGTH);
	if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->key[0].aes, iv) != 1)
		return -1;
	return set_hmac(mac, hmac, sizeof(hmac)) == 1 ? 1 : -1;
}

static int decrypt(const struct tls_ticket_keys *k, int version, const uint8_t name[16], const uint8_t *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	for (unsigned i = 0; i < array_len(k->key); i++) {
		uint8_t hmac[32];

		if (k->key[i].made_at == 0 || CRYPTO_memcmp(k->key[i].name, name, 16) != 0)
			continue;
		memcpy(hmac, k->key[i].hmac, sizeof(hmac));
		if (set_hmac(mac, hmac, sizeof(hmac)) != 1 ||
			EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->key[i].aes, iv) != 1)
			return -1;
		return i == 0 && version < TLS1_3_VERSION ? 1 : 2;
	}
	return 0;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
	int enc)
{
	int r;

	pthread_rwlock_rdlock(&lock);
	r = enc ? encrypt(&keys, name, iv, cipher, mac) : decrypt(&keys, SSL_version(ssl), name, iv, cipher, mac);
	pthread_rwlock_unlock(&lock);
	return r;
}

void tickets_attach(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
