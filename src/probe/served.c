/* A handshake that shows which certificate is served; the essay is in probe/served.h. */
#include "probe/served.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "smtp/smtp.h"

static const struct kind {
	const char *signatures, *suites; /* suites: up to TLS 1.2 */
} kinds[TLS_KEY_TYPES_MAX] = {
	[TLS_KEY_RSA] = { "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA1",
		"aRSA" },
	[TLS_KEY_ECDSA] = { "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1", "aECDSA" },
	[TLS_KEY_ED25519] = { "ed25519", "aECDSA" },
};

/* ---- the way to TLS ---- */

static struct net_addr reachable(const struct net_addr *address)
{
	struct net_addr a = *address;

	if (a.sa.sa_family == AF_INET && a.in.sin_addr.s_addr == htonl(INADDR_ANY))
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (a.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr))
		a.in6.sin6_addr = in6addr_loopback;
	return a;
}

static int send_text(int fd, struct span text)
{
	ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);

	return n == (ssize_t)text.n ? 0 : n < 0 ? -errno : -EPIPE;
}

static int connect_to(const struct served_place *place)
{
	struct net_addr a = reachable(&place->address);
	struct timeval limit = { .tv_sec = place->timeout_s };
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 || connect(fd, &a.sa, a.n) < 0)
		r = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (r == 0 && place->proxied)
		r = send_text(fd, SPAN("PROXY UNKNOWN\r\n"));
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* The code of a whole reply, or -errno. */
static int read_reply(int fd)
{
	char text[SMTP_REPLY_MAX];
	struct smtp_reply reply;
	size_t n = 0, used;

	for (;;) {
		int r = smtp_reply_parse(span_make(text, n), &reply, &used);
		ssize_t got;

		if (r != 0)
			return r < 0 ? -EBADMSG : (int)reply.code;
		got = n < sizeof(text) ? recv(fd, text + n, sizeof(text) - n, 0) : 0;
		if (got <= 0)
			return got == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
		n += (size_t)got;
	}
}

static int expect(int fd, struct span command, int code)
{
	int r = command.n > 0 ? send_text(fd, command) : 0;

	if (r < 0)
		return r;
	r = read_reply(fd);
	return r < 0 ? r : r == code ? 0 : -EOPNOTSUPP;
}

static int start_tls(int fd, const char *ehlo)
{
	char hello[300];
	int r = expect(fd, SPAN(""), 220);

	snprintf(hello, sizeof(hello), "EHLO %s\r\n", ehlo ? ehlo : "localhost");
	if (r == 0)
		r = expect(fd, span_of(hello), 250);
	return r == 0 ? expect(fd, SPAN("STARTTLS\r\n"), 220) : r;
}

/* ---- TLS ---- */

static void free_ctx(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

static void free_ssl(SSL **ssl)
{
	SSL_free(*ssl);
}

static int64_t time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static bool read_leaf(X509 *x, struct served_leaf *ret)
{
	char issuer[256] = "";
	unsigned n = 0;

	if (!x || X509_digest(x, EVP_sha256(), ret->fingerprint, &n) != 1 || n != 32)
		return false;
	ret->not_before = time_s(X509_get0_notBefore(x));
	ret->not_after = time_s(X509_get0_notAfter(x));
	if (X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, issuer, sizeof(issuer)) < 0)
		X509_NAME_oneline(X509_get_issuer_name(x), issuer, sizeof(issuer));
	ret->issuer[fmt_safe(span_of(issuer), "", ret->issuer, sizeof(ret->issuer) - 1)] = '\0';
	return true;
}

/* -EPROTO: the server speaks TLS and had no certificate of that type for us, as far as one can
 * tell; else it did not come to that. */
static int shake_failed(int error, const char **ret_why)
{
	unsigned long last = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(last);

	ERR_clear_error();
	*ret_why = why ? why : "the connection broke off";
	if (error == EAGAIN || error == EWOULDBLOCK) {
		*ret_why = "it does not answer TLS; if it speaks SMTP first, say --starttls smtp";
		return -ETIMEDOUT;
	}
	if (ERR_GET_REASON(last) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(last) == SSL_R_HTTP_REQUEST ||
		ERR_GET_REASON(last) == SSL_R_PACKET_LENGTH_TOO_LONG) {
		*ret_why = "it does not speak TLS at once; if it speaks SMTP first, say --starttls smtp";
		return -EBADMSG;
	}
	return -EPROTO;
}

static int shake(SSL *ssl, struct served_leaf *ret, const char **ret_why)
{
	bool read;
	X509 *leaf;

	ERR_clear_error();
	errno = 0;
	if (SSL_connect(ssl) != 1)
		return shake_failed(errno, ret_why);
	leaf = SSL_get1_peer_certificate(ssl);
	read = read_leaf(leaf, ret);
	if (!read)
		*ret_why = "no certificate came";
	X509_free(leaf);
	SSL_shutdown(ssl);
	ERR_clear_error();
	return read ? 0 : -EPROTO;
}

static SSL_CTX *context_for(enum tls_key_type type)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(ctx);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_LEGACY_SERVER_CONNECT);
	must(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1);
	must(SSL_CTX_set1_sigalgs_list(ctx, kinds[type].signatures) == 1);
	must(SSL_CTX_set_cipher_list(ctx, kinds[type].suites) == 1);
	return ctx;
}

int served_ask(const struct served_place *place, struct span name, enum tls_key_type type, struct served_leaf *ret,
	const char **ret_why)
{
	_cleanup_(free_ctx) SSL_CTX *ctx = NULL;
	_cleanup_(free_ssl) SSL *ssl = NULL;
	_cleanup_(mem_freep) char *sni = span_text(name);
	int fd = connect_to(place), r = fd;

	must(type < TLS_KEY_TYPES_MAX);
	if (fd >= 0)
		r = place->starttls ? start_tls(fd, place->ehlo) : 0;
	if (r < 0) {
		*ret_why = r == -EOPNOTSUPP ? "it does not offer STARTTLS, or refused it"
			: fd >= 0 && place->starttls && (r == -EBADMSG || r == -ETIMEDOUT || r == -ECONNRESET)
			? "it does not greet as mail servers do; if TLS begins at once there, say --starttls none"
			: strerror(-r);
		if (fd >= 0)
			close(fd);
		return r;
	}
	ctx = context_for(type);
	ssl = SSL_new(ctx);
	must(ssl && SSL_set_fd(ssl, fd) == 1);
	if (name.n > 0)
		SSL_set_tlsext_host_name(ssl, sni);
	r = shake(ssl, ret, ret_why);
	close(fd);
	return r;
}

/* ---- what lies on disk ---- */

unsigned served_files(const char *const *paths, unsigned n, struct served_file *ret, tls_fault_fn *on_fault, void *arg)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 3600,
		.stand_in_keys = true,
		.any_name = true };
	unsigned found = 0;

	/* Each for itself: a set keeps only the best of a type. */
	for (unsigned i = 0; i < n; i++) {
		struct tls_files *files = tls_files_read_named(&paths[i], 1);
		struct tls_set *set = tls_set_build(files, &settings, NULL, on_fault, arg);

		for (unsigned k = 0; k < tls_set_count(set) && found < SERVED_FILES_MAX; k++) {
			const struct tls_pair *p = tls_set_pair(set, k);
			struct served_file *f = &ret[found++];

			*f = (struct served_file){ .path = paths[i],
				.type = p->type,
				.not_before = p->not_before,
				.not_after = p->not_after,
				.changed_at = files->v[0].changed_ns / 1000000000 };
			memcpy(f->fingerprint, p->fingerprint, sizeof(f->fingerprint));
		}
		tls_set_unref(set);
		tls_files_free(files);
	}
	return found;
}

static bool is_valid(const struct served_file *f, int64_t now_s)
{
	return f->not_before <= now_s && now_s < f->not_after;
}

const struct served_file *served_newest(const struct served_file *files, unsigned n, enum tls_key_type type,
	int64_t now_s)
{
	const struct served_file *best = NULL;

	for (unsigned i = 0; i < n; i++) {
		const struct served_file *f = &files[i];

		if (f->type != type)
			continue;
		if (!best || is_valid(f, now_s) > is_valid(best, now_s) ||
			(is_valid(f, now_s) == is_valid(best, now_s) && f->not_before > best->not_before))
			best = f;
	}
	return best;
}
