/*
 * The server's SSL_CTX: one for the whole set. Which pairs a connection gets is decided in the
 * certificate callback, when the name is known; the SSL object then holds references to them. (A
 * context for each name would cost tens of KiB.)
 *
 * Versions 1.2 and 1.3; for 1.2 ECDHE with AEAD only. Browsers and crawlers of the last ten years
 * have that. Mail, where refusal means plaintext, goes on to CBC, classic DH and RSA key exchange,
 * in that order.
 */
#include <openssl/sha.h>
#include "base/clock.h"
#include "tls/hello.h"
#include "tls/tls_priv.h"

#define SUITES_STRICT \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
static const char *const suites_12[TLS_USES] = {
	[TLS_FOR_WEB] = SUITES_STRICT,
	[TLS_FOR_MAIL] =
		"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:DHE+CHACHA20:DHE+AES:RSA+AESGCM:RSA+AES:!PSK:!aNULL",
};
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* The same for OpenSSL and for whoever compares them with a peer's. */
#define GROUPS "X25519:P-256:P-384"
const uint16_t our_groups[] = { 29, 23, 24 };
const unsigned our_groups_n = array_len(our_groups);

/*
 * What is spoken behind TLS, as ALPN carries it. A client that offers other protocols only is
 * refused (RFC 7301 3.2): its request was meant for another server, and somebody sent it here (the
 * ALPACA attacks). "smtp" and "esmtp" are no registered names; Exim, the one mail server that knows
 * ALPN, has these two. A client without ALPN is served as ever.
 */
static const struct span our_protocols[TLS_USES] = {
	[TLS_FOR_WEB] = { "\x08http/1.1\x08http/1.0", 18 },
	[TLS_FOR_MAIL] = { "\4smtp\5esmtp", 11 },
};
const char *const our_protocols_text[TLS_USES] = {
	[TLS_FOR_WEB] = "http/1.1, http/1.0",
	[TLS_FOR_MAIL] = "smtp, esmtp",
};

static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *theirs,
	unsigned theirs_n, void *arg)
{
	const struct span *ours = arg;

	(void)ssl;
	if (SSL_select_next_proto((unsigned char **)out, out_n, (const unsigned char *)ours->p, (unsigned)ours->n,
		    theirs, theirs_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static struct span plain_name(struct span name, char lower[256])
{
	size_t n = 0;

	for (; n < name.n && n < 255; n++)
		lower[n] = ascii_lower(name.p[n]);
	/* "example.de." is the same name. */
	if (n > 0 && lower[n - 1] == '.')
		n--;
	return span_make(lower, n);
}

static struct span asked_name(SSL *ssl, char lower[256])
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return plain_name(name ? span_of(name) : SPAN(""), lower);
}

/*
 * A session is good for the name it was made for, and for no other: in TLS 1.3 OpenSSL would resume
 * one name's session under another, whose certificate was never shown. So the name is part of the
 * context of sessions, which tickets carry. This has to be settled before the ticket is looked at,
 * so it cannot wait for the callback that has the name.
 */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *body;
	struct span name = SPAN("");
	unsigned char context[SHA256_DIGEST_LENGTH];
	char lower[256];
	size_t n;

	(void)alert, (void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &n) == 1)
		name = tls_hello_sni(span_make(body, n));
	name = plain_name(name, lower);
	SHA256((const unsigned char *)name.p, name.n, context);
	SSL_set_session_id_context(ssl, context, sizeof(context));
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* All pairs of the name, side by side: OpenSSL then picks by what the peer can verify. */
static int on_certificates(SSL *ssl, void *arg)
{
	const struct tls_set *set = arg;
	char lower[256];
	const struct tls_slot *slot = set_slot_for(set, asked_name(ssl, lower));

	for (unsigned i = 0; slot && i < TLS_KEY_TYPES_MAX; i++) {
		const struct pair *p = slot->by_type[i];

		if (p && SSL_use_cert_and_key(ssl, p->leaf, p->key, p->chain, 1) != 1)
			return 0;
	}
	return 1;
}

/* The name is known and accepted: it is part of the session. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl, (void)alert, (void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static const struct pair *served_pair(SSL *ssl, const struct tls_set *set)
{
	X509 *leaf = SSL_get_certificate(ssl);
	char lower[256];
	const struct tls_slot *slot = set_slot_for(set, asked_name(ssl, lower));

	for (unsigned i = 0; slot && i < TLS_KEY_TYPES_MAX; i++)
		if (slot->by_type[i] && slot->by_type[i]->leaf == leaf)
			return slot->by_type[i];
	return NULL;
}

static int on_status(SSL *ssl, void *arg)
{
	const struct pair *p = served_pair(ssl, arg);
	void *copy;

	/* A response out of date is worse than none: browsers refuse it. */
	if (!p || p->staple.n == 0 || p->staple_until <= clock_wall_s())
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(p->staple.p, p->staple.n);
	if (!copy || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)p->staple.n) != 1)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

/* Lists of somebody else may hold nothing that OpenSSL has; then none of that kind are allowed. */
static void use_suites(SSL_CTX *ctx, enum tls_use use, const struct tls_set_settings *settings)
{
	bool have = SSL_CTX_set_cipher_list(ctx, settings->suites ? settings->suites : suites_12[use]) == 1;
	bool have13 = SSL_CTX_set_ciphersuites(ctx, settings->suites13 ? settings->suites13 : SUITES_13) == 1;

	must((have || settings->suites) && (have13 || settings->suites13));
	if (!have)
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	if (settings->suites13 && !settings->suites13[0])
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

SSL_CTX *context_new(enum tls_use use, struct tls_set *set, const struct tls_set_settings *settings)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(ctx);
	must(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
	use_suites(ctx, use, settings);
	must(SSL_CTX_set1_groups_list(ctx, GROUPS) == 1);
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_dh_auto(ctx, 1);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
			SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
	SSL_CTX_set_timeout(ctx, (long)settings->session_lifetime_s);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_alpn_select_cb(ctx, on_protocols, (void *)&our_protocols[use]);
	SSL_CTX_set_cert_cb(ctx, on_certificates, set);
	SSL_CTX_set_tlsext_status_cb(ctx, on_status);
	SSL_CTX_set_tlsext_status_arg(ctx, set);
	tickets_attach(ctx);
	return ctx;
}
