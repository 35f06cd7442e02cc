/*
 * A handshake with ourselves, over the real listener, from outside of our own TLS code's view: OpenSSL as a plain
 * client that offers signature algorithms of one key type only, so that the server has to show that certificate.
 *
 * Nothing is verified but which certificate comes: whether the world trusts it is another question. Where only mail is listened for,
 * it is asked for by STARTTLS; the mail edge knows its own name in EHLO, and neither logs that session nor keeps it as evidence.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "serve/serve_priv.h"
#include "smtp/smtp.h"

#define PROVE_TIMEOUT_S 5

static const char *sigalgs_of(enum tls_key_type type)
{
	switch (type) {
	case TLS_KEY_RSA:
		return "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384";
	case TLS_KEY_ECDSA:
		return "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512";
	case TLS_KEY_ED25519:
		return "ed25519";
	case TLS_KEY_OTHER:
		break;
	}
	return NULL;
}

/* 0.0.0.0 and [::] are reached at the loopback address. */
static struct net_addr reachable(const struct net_addr *address)
{
	struct net_addr a = *address;

	if (a.sa.sa_family == AF_INET && a.in.sin_addr.s_addr == htonl(INADDR_ANY))
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (a.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr))
		a.in6.sin6_addr = in6addr_loopback;
	return a;
}

static int connect_to(const struct net_addr *address, bool proxied)
{
	static const char proxy[] = "PROXY UNKNOWN\r\n";
	struct net_addr a = reachable(address);
	struct timeval limit = { .tv_sec = PROVE_TIMEOUT_S };
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 || connect(fd, &a.sa, a.n) < 0 ||
		(proxied && send(fd, proxy, sizeof(proxy) - 1, MSG_NOSIGNAL) < 0))
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Waits for a reply that begins with code, to line (NULL: nobody asked). 0 or -errno. */
static int converse(int fd, const char *line, const char *code)
{
	char reply[SMTP_REPLY_MAX];
	struct smtp_reply r;
	size_t n = 0, used;

	if (line && send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return -errno;
	while (smtp_reply_parse(span_make(reply, n), &r, &used) == 0) {
		ssize_t got = n < sizeof(reply) ? recv(fd, reply + n, sizeof(reply) - n, 0) : 0;

		if (got <= 0)
			return got < 0 ? -errno : -EPROTO;
		n += (size_t)got;
	}
	return span_starts(span_make(reply, n), span_of(code)) ? 0 : -EPROTO;
}

static int ask_for_tls(int fd, const char *name)
{
	_cleanup_(mem_freep) char *ehlo = mem_textf("EHLO %s\r\n", name);
	int r = converse(fd, NULL, "220");

	if (r == 0)
		r = converse(fd, ehlo, "250");
	return r < 0 ? r : converse(fd, "STARTTLS\r\n", "220");
}

static void free_ctx(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

static void free_ssl(SSL **ssl)
{
	SSL_free(*ssl);
}

static int shake(SSL *ssl, uint8_t ret_fingerprint[32], const char **ret_why)
{
	unsigned n = 0;
	X509 *leaf;

	ERR_clear_error();
	if (SSL_connect(ssl) != 1) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		*ret_why = why ? why : "the connection broke off or was too slow";
		return -EPROTO;
	}
	leaf = SSL_get1_peer_certificate(ssl);
	if (!leaf || X509_digest(leaf, EVP_sha256(), ret_fingerprint, &n) != 1 || n != 32)
		*ret_why = "no certificate came";
	X509_free(leaf);
	SSL_shutdown(ssl);
	return n == 32 ? 0 : -EPROTO;
}

int prove_served(const struct prove_place *place, struct span name, enum tls_key_type type, uint8_t ret_fingerprint[32],
	const char **ret_why)
{
	_cleanup_(free_ctx) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	_cleanup_(free_ssl) SSL *ssl = NULL;
	_cleanup_(mem_freep) char *sni = span_text(name);
	const char *sigalgs = sigalgs_of(type);
	int fd = connect_to(&place->address, place->proxied);
	int r = 0;

	if (fd < 0) {
		*ret_why = strerror(-fd);
		return fd;
	}
	must(ctx);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (sigalgs)
		must(SSL_CTX_set1_sigalgs_list(ctx, sigalgs) == 1);
	ssl = SSL_new(ctx);
	must(ssl && SSL_set_fd(ssl, fd) == 1);
	SSL_set_tlsext_host_name(ssl, sni);
	if (place->ehlo[0])
		r = ask_for_tls(fd, place->ehlo);
	if (r < 0)
		*ret_why = "STARTTLS was not to be had";
	else
		r = shake(ssl, ret_fingerprint, ret_why);
	close(fd);
	return r;
}
