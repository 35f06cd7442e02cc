/*
 * Handshakes in memory.
 *
 * The replay: would this ClientHello have got through with something changed?
 *
 * The kept bytes go into a server's connection of the same context, with the change made on the
 * connection itself. It is a success when our whole flight came out (see tls/explain.h).
 * Certificates for the change are a stock pair of each kind, made once a process, which never
 * leaves it: what counts is the key type, not the name.
 *
 * The proof that a set serves what it should: a whole handshake, as a client that can verify one
 * key type only.
 */
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include "tls/explain_priv.h"

#define ALL_SUITES "ALL:!aNULL:!PSK:!SRP"
#define ALL_SUITES13 \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:" \
	"TLS_AES_128_CCM_8_SHA256"
#define ALL_GROUPS "X25519:P-256:P-384:P-521:X448"

#define ROUNDS_MAX 20

enum { SERVER_HELLO = 2, SERVER_HELLO_DONE = 14, FINISHED = 20 };

static struct stock {
	X509 *leaf;
	EVP_PKEY *key;
} stock[TLS_KEY_TYPES_MAX];

/* A pair is made when the first replay asks for its type: most processes never need the RSA key,
 * which takes up to a second. */
static const struct stock *stock_get(enum tls_key_type type)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const struct span name = SPAN("replay.invalid");
	struct stock *s = &stock[type];

	pthread_mutex_lock(&lock);
	if (!s->leaf) {
		s->leaf = self_signed_new(type, &name, 1, 30, &s->key);
		must(s->leaf);
	}
	pthread_mutex_unlock(&lock);
	return s;
}

struct attempt {
	const struct why *why;
	unsigned changes;
	uint32_t sent; /* a bit per handshake message */
};

/* In the place of context.c's: the pairs of the name, and what the change adds. */
static int on_certificates(SSL *ssl, void *arg)
{
	const struct attempt *a = arg;
	static const struct {
		enum change change;
		enum tls_key_type type;
	} added[] = { { CHANGE_RSA, TLS_KEY_RSA }, { CHANGE_ECDSA, TLS_KEY_ECDSA } };

	for (unsigned i = 0; i < a->why->pairs_n; i++) {
		const struct pair *p = a->why->pairs[i];

		if (SSL_use_cert_and_key(ssl, p->leaf, p->key, p->chain, 1) != 1)
			return 0;
	}
	for (size_t i = 0; i < array_len(added); i++) {
		const struct stock *s;

		if (!(a->changes & added[i].change))
			continue;
		s = stock_get(added[i].type);
		if (SSL_use_cert_and_key(ssl, s->leaf, s->key, NULL, 1) != 1)
			return 0;
	}
	return 1;
}

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct attempt *a = arg;

	(void)version, (void)ssl;
	if (sent && type == SSL3_RT_HANDSHAKE && n > 0)
		a->sent |= 1u << (*(const uint8_t *)p & 31);
}

static void make_changes(SSL *ssl, unsigned changes)
{
	if (changes & CHANGE_SUITES) {
		SSL_set_cipher_list(ssl, ALL_SUITES);
		SSL_set_ciphersuites(ssl, ALL_SUITES13);
	}
	if (changes & CHANGE_GROUPS)
		SSL_set1_groups_list(ssl, ALL_GROUPS);
	if (changes & CHANGE_VERSIONS) {
		SSL_set_min_proto_version(ssl, TLS1_VERSION);
		SSL_set_max_proto_version(ssl, TLS1_3_VERSION);
	}
	if (changes & CHANGE_LEVEL)
		SSL_set_security_level(ssl, 0);
	if (changes & CHANGE_DH)
		SSL_set_dh_auto(ssl, 1);
}

static bool is_through(SSL *ssl, const struct attempt *a)
{
	uint32_t last = SSL_version(ssl) == TLS1_3_VERSION ? FINISHED : SERVER_HELLO_DONE;

	return (a->sent & 1u << SERVER_HELLO) && (a->sent & 1u << last);
}

const char *replay(const struct why *w, unsigned changes)
{
	struct attempt a = { w, changes, 0 };
	SSL *ssl = SSL_new(w->ctx);
	const char *suite = NULL;

	must(ssl);
	SSL_set_bio(ssl, BIO_new_mem_buf(w->bytes.p, (int)w->bytes.n), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	SSL_set_options(ssl, SSL_OP_NO_TICKET); /* no short cut by resuming */
	SSL_set_cert_cb(ssl, on_certificates, &a);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, &a);
	make_changes(ssl, changes);
	ERR_clear_error();
	SSL_do_handshake(ssl);
	ERR_clear_error();
	if (is_through(ssl, &a))
		suite = SSL_CIPHER_get_name(SSL_get_pending_cipher(ssl));
	SSL_free(ssl);
	return suite;
}

void changes_text(unsigned changes, enum fault_lang lang, struct buf *out)
{
	static const struct {
		enum change change;
		const char *text[2];
	} all[] = {
		{ CHANGE_RSA, { "an RSA certificate", "ein RSA-Zertifikat" } },
		{ CHANGE_ECDSA, { "an ECDSA certificate on P-256", "ein ECDSA-Zertifikat auf P-256" } },
		{ CHANGE_SUITES, { "all suites that OpenSSL has", "alle Suiten, die OpenSSL hat" } },
		{ CHANGE_GROUPS, { "all groups that OpenSSL has", "alle Gruppen, die OpenSSL hat" } },
		{ CHANGE_VERSIONS, { "TLS 1.0 to 1.3", "TLS 1.0 bis 1.3" } },
		{ CHANGE_LEVEL, { "security level 0", "Sicherheitsstufe 0" } },
		{ CHANGE_DH, { "DH parameters", "DH-Parameter" } },
	};
	size_t before = out->n;

	for (size_t i = 0; i < array_len(all); i++)
		if (changes & all[i].change)
			buf_addf(out, "%s%s",
				out->n == before           ? ""
					: lang == FAULT_DE ? " und "
							   : " and ",
				all[i].text[lang]);
}

/* ---- the proof ---- */

static const char *const signatures_of[TLS_KEY_TYPES_MAX] = {
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
	must(SSL_set1_sigalgs_list(ssl, signatures_of[type]) == 1);
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
