/*
 * The connection filter: OpenSSL between a conn and its socket.
 *
 * OpenSSL sees a BIO over the filter below. Reading never waits inside OpenSSL: when the socket has
 * nothing, the BIO says "try again", OpenSSL gives its 16 KiB buffer back
 * (SSL_MODE_RELEASE_BUFFERS), and the task waits out here. Writing may wait inside: there is
 * something to be written then. The deadline of the current call lies in the filter.
 *
 * One answer, head and body, leaves as one record where it fits: pieces are gathered in a buffer
 * that the thread owns, which is free again as soon as OpenSSL has encrypted it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include "tls/explain.h"
#include "tls/tls_priv.h"

#define RECORD_MAX 16384

struct tls_filter {
	struct conn_filter filter;
	SSL *ssl;
	struct tls_set *set;     /* NULL on the client's side */
	struct tls_facts *facts; /* during the handshake */
	uint64_t deadline;       /* of the call under way */
	int error;               /* of the filter below: negative errno */
	bool ended;              /* the peer said close_notify, or closed */
	bool broken;             /* an SSL error: nothing more can be sent */
	/* of the peer's, after the handshake, that broke it; 0: none did */
	uint8_t late_alert;
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *p, int n)
{
	struct tls_filter *t = BIO_get_data(bio);
	struct conn_filter *below = t->filter.below;
	ssize_t got;

	BIO_clear_retry_flags(bio);
	if (!t->filter.conn->fd.readable && below->ops->pending(below) == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	got = below->ops->recv(below, p, (size_t)n, t->deadline);
	/* Nothing there, although it looked so: out here one waits in vain, too, but nothing is
	 * broken. */
	if (got == -ETIMEDOUT || got == -ECANCELED)
		BIO_set_retry_read(bio);
	else if (got < 0)
		t->error = (int)got;
	if (got == 0)
		t->ended = true;
	if (got == 0 && t->facts)
		t->facts->ended = true;
	if (got > 0 && t->facts)
		facts_add_bytes(t->facts, p, (size_t)got);
	return got < 0 ? -1 : (int)got;
}

static int bio_write(BIO *bio, const char *p, int n)
{
	struct tls_filter *t = BIO_get_data(bio);
	struct conn_filter *below = t->filter.below;
	struct iovec iov = { (void *)p, (size_t)n };
	ssize_t sent = below->ops->send(below, &iov, 1, t->deadline);

	BIO_clear_retry_flags(bio);
	if (sent < 0)
		t->error = (int)sent;
	if (sent > 0 && t->facts)
		t->facts->answered = true;
	return sent < 0 ? -1 : (int)sent;
}

static long bio_ctrl(BIO *bio, int command, long number, void *p)
{
	(void)bio, (void)number, (void)p;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;
static SSL_CTX *client_ctx, *lenient_ctx;

static void make_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "torhaus conn");
	must(bio_method);
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

/* ---- the filter's operations ---- */

/* What to make of a negative answer of OpenSSL: 0 to try again, else a negative errno. */
static int settle(struct tls_filter *t, int result)
{
	int error = SSL_get_error(t->ssl, result);

	if (error == SSL_ERROR_WANT_READ && t->error == 0)
		return loop_fd_wait_read(&t->filter.conn->fd, t->deadline);
	t->broken = true;
	if (t->facts)
		facts_failed(t->ssl, t->facts);
	else if (ERR_GET_REASON(ERR_peek_last_error()) > SSL_AD_REASON_OFFSET)
		t->late_alert = (uint8_t)(ERR_GET_REASON(ERR_peek_last_error()) - SSL_AD_REASON_OFFSET);
	ERR_clear_error();
	if (t->error < 0)
		return t->error;
	return t->ended ? -ECONNRESET : -EPROTO;
}

static ssize_t tls_recv(struct conn_filter *f, void *p, size_t n, uint64_t deadline)
{
	struct tls_filter *t = (struct tls_filter *)f;
	size_t got;

	t->deadline = deadline;
	t->error = 0;
	for (;;) {
		int r = SSL_read_ex(t->ssl, p, n, &got);

		if (r == 1) {
			f->conn->drained = !SSL_has_pending(t->ssl) && !f->conn->fd.readable;
			return (ssize_t)got;
		}
		if (SSL_get_error(t->ssl, r) == SSL_ERROR_ZERO_RETURN)
			return 0;
		r = settle(t, r);
		/* The end came where close_notify should have. */
		if (r == -ECONNRESET && t->ended) {
			f->conn->cut_short = true;
			return 0;
		}
		if (r < 0)
			return r;
	}
}

/* The pieces that fit into one record, copied together; a lone or a long first piece goes as it
 * is. */
static struct span gather(const struct iovec *iov, int count)
{
	static _Thread_local char record[RECORD_MAX];
	size_t n = 0;

	if (count == 1 || iov[0].iov_len >= RECORD_MAX)
		return span_make(iov[0].iov_base, iov[0].iov_len);
	for (int i = 0; i < count && n < RECORD_MAX; i++) {
		size_t take = iov[i].iov_len < RECORD_MAX - n ? iov[i].iov_len : RECORD_MAX - n;

		memcpy(record + n, iov[i].iov_base, take);
		n += take;
	}
	return span_make(record, n);
}

static ssize_t tls_send(struct conn_filter *f, const struct iovec *iov, int count, uint64_t deadline)
{
	struct tls_filter *t = (struct tls_filter *)f;
	struct span bytes = gather(iov, count);
	size_t sent;

	if (t->broken)
		return -EPIPE;
	t->deadline = deadline;
	t->error = 0;
	for (;;) {
		int r = SSL_write_ex(t->ssl, bytes.p, bytes.n < RECORD_MAX ? bytes.n : RECORD_MAX, &sent);

		if (r == 1)
			return (ssize_t)sent;
		r = settle(t, r);
		if (r < 0)
			return r;
	}
}

static size_t tls_pending(struct conn_filter *f)
{
	struct tls_filter *t = (struct tls_filter *)f;

	/* Decrypted, or read ahead and not yet looked at. */
	return SSL_has_pending(t->ssl) ? 1 : f->below->ops->pending(f->below);
}

static int tls_shutdown(struct conn_filter *f, uint64_t deadline)
{
	struct tls_filter *t = (struct tls_filter *)f;

	if (t->broken || !SSL_is_init_finished(t->ssl))
		return 0;
	t->deadline = deadline;
	t->error = 0;
	SSL_shutdown(t->ssl);
	ERR_clear_error();
	return t->error;
}

static void tls_free(struct conn_filter *f)
{
	struct tls_filter *t = (struct tls_filter *)f;

	SSL_free(t->ssl);
	tls_set_unref(t->set);
	mem_free(t);
}

static const struct conn_filter_ops tls_ops = {
	.name = "tls",
	.recv = tls_recv,
	.send = tls_send,
	.pending = tls_pending,
	.shutdown = tls_shutdown,
	.free = tls_free,
};

/* ---- handshakes ---- */

static struct tls_filter *filter_push(struct conn *c, SSL_CTX *ctx, struct tls_set *set)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tls_filter *t = mem_new(struct tls_filter);
	BIO *bio;

	pthread_once(&once, make_method);
	t->filter.ops = &tls_ops;
	t->ssl = SSL_new(ctx);
	t->set = set;
	bio = BIO_new(bio_method);
	must(t->ssl && bio);
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	conn_push(c, &t->filter);
	return t;
}

static int shake_hands(struct tls_filter *t, uint64_t deadline)
{
	int r;

	t->deadline = deadline;
	t->error = 0;
	ERR_clear_error();
	while ((r = SSL_do_handshake(t->ssl)) != 1) {
		r = settle(t, r);
		if (r < 0)
			return r;
	}
	t->filter.conn->secure = true;
	return 0;
}

/* Keeps the facts meanwhile. */
static int handshake(struct tls_filter *t, struct tls_facts *f, uint64_t deadline)
{
	int r;

	t->facts = f;
	facts_attach(t->ssl, f);
	r = shake_hands(t, deadline);
	facts_detach(t->ssl);
	t->facts = NULL;
	f->error = r;
	return r;
}

/* The first cause is what callers log; the whole explanation is too big for a task's stack. */
static void explain(const struct tls_facts *facts, struct tls_set *set, struct span name, struct fault *fault)
{
	const struct tls_circumstances around = { .name = name };
	struct tls_explanation *why;

	if (!fault)
		return;
	why = mem_new(struct tls_explanation);
	tls_explain_in_task(facts, set, &around, why);
	*fault = why->causes[0];
	mem_free(why);
}

int tls_accept_for(enum tls_use use, enum tls_start start, struct conn *c, struct tls_set *set, uint64_t deadline,
	struct tls_facts *facts)
{
	struct tls_filter *t = filter_push(c, set->ctx[use], tls_set_ref(set));

	*facts = (struct tls_facts){ .use = use, .starttls = start == TLS_AFTER_STARTTLS };
	SSL_set_accept_state(t->ssl);
	return handshake(t, facts, deadline);
}

/* ---- the client's side ---- */

static SSL_CTX *new_client_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(ctx);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* Renegotiation would make a write wait for reading, and two tasks may use one
	 * connection. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

static int cas_fd = -1;

void tls_client_open(void)
{
	const char *path = getenv(X509_get_default_cert_file_env());

	client_ctx = new_client_ctx();
	cas_fd = open(path ? path : X509_get_default_cert_file(), O_RDONLY | O_CLOEXEC);
}

/* As OpenSSL reads such a file itself, if it may open it. */
static void add_cas(X509_STORE *store, BIO *file)
{
	STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(file, NULL, NULL, NULL);

	for (int i = 0; i < sk_X509_INFO_num(all); i++) {
		const X509_INFO *one = sk_X509_INFO_value(all, i);

		if (one->x509)
			X509_STORE_add_cert(store, one->x509);
		if (one->crl)
			X509_STORE_add_crl(store, one->crl);
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	BIO_free(file);
}

static void load_cas(void)
{
	FILE *file;

	if (!client_ctx)
		client_ctx = new_client_ctx();
	if (cas_fd >= 0) {
		/* Not BIO_new_fd(): it reads lines by one system call a byte. */
		file = fdopen(cas_fd, "r");
		must(file);
		add_cas(SSL_CTX_get_cert_store(client_ctx), BIO_new_fp(file, BIO_CLOSE));
		SSL_CTX_set_default_verify_dir(client_ctx);
	} else {
		SSL_CTX_set_default_verify_paths(client_ctx);
	}
	ERR_clear_error();
}

void tls_client_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_cas);
}

X509_STORE *client_cas(void)
{
	X509_STORE *cas;

	tls_client_prepare();
	cas = SSL_CTX_get_cert_store(client_ctx);
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(cas)) > 0 ? cas : NULL;
}

static void make_lenient_ctx(void)
{
	lenient_ctx = new_client_ctx();
	SSL_CTX_set_security_level(lenient_ctx, 0);
	SSL_CTX_set_min_proto_version(lenient_ctx, TLS1_VERSION);
	SSL_CTX_set_options(lenient_ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	must(SSL_CTX_set_cipher_list(lenient_ctx, "ALL:@SECLEVEL=0") == 1);
}

static SSL_CTX *ctx_for(const struct tls_client_settings *settings)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (settings->lenient)
		pthread_once(&once, make_lenient_ctx);
	else
		tls_client_prepare();
	return settings->lenient ? lenient_ctx : client_ctx;
}

/* An address is not sent as a name (RFC 6066 3), and the certificate must have it as an address. */
static void expect_name(SSL *ssl, const char *name, const struct tls_client_settings *settings)
{
	struct net_addr address;
	bool is_name = net_addr_parse_host(settings->name, &address) < 0;

	if (is_name && name[0])
		SSL_set_tlsext_host_name(ssl, name);
	if (settings->no_verify)
		return;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_name)
		SSL_set1_host(ssl, name);
	else
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
}

int tls_connect(struct conn *c, const struct tls_client_settings *settings, uint64_t deadline, struct fault *fault)
{
	_cleanup_(mem_freep) char *name = span_text(settings->name);
	struct tls_facts facts = { .client = true, .starttls = settings->starttls };
	struct tls_filter *t;
	int r;

	must(settings->no_verify || !settings->lenient);
	t = filter_push(c, ctx_for(settings), NULL);
	SSL_set_connect_state(t->ssl);
	if (settings->signatures)
		must(SSL_set1_sigalgs_list(t->ssl, settings->signatures) == 1);
	must(SSL_set_max_proto_version(t->ssl, settings->highest) == 1);
	expect_name(t->ssl, name, settings);
	r = handshake(t, &facts, deadline);
	if (r < 0)
		explain(&facts, NULL, settings->name, fault);
	tls_facts_done(&facts);
	return r;
}

bool tls_conn_refused(const struct conn *c, struct fault *fault)
{
	const struct tls_filter *t = (const struct tls_filter *)c->top;
	struct tls_facts facts = { .client = true, .alert_sent = 0xff, .alert_received_level = SSL3_AL_FATAL };

	if (!c->secure || c->top->ops != &tls_ops || t->set || t->late_alert == 0)
		return false;
	facts.alert_received = t->late_alert;
	facts.error = -EPROTO;
	explain(&facts, NULL, span_of(SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name)), fault);
	return true;
}

bool tls_conn_peer(const struct conn *c, struct arena *a, struct tls_peer *ret)
{
	const struct tls_filter *t = (const struct tls_filter *)c->top;
	STACK_OF(X509) * chain;

	*ret = (struct tls_peer){ 0 };
	if (!c->secure || c->top->ops != &tls_ops)
		return false;
	chain = SSL_get_peer_cert_chain(t->ssl);
	for (int i = 0; i < sk_X509_num(chain) && ret->chain_n < TLS_PEER_CHAIN_MAX; i++) {
		int n = i2d_X509(sk_X509_value(chain, i), NULL);
		unsigned char *der = arena_alloc(a, (size_t)(n > 0 ? n : 1)), *at = der;

		if (n > 0 && i2d_X509(sk_X509_value(chain, i), &at) == n)
			ret->chain[ret->chain_n++] = span_make(der, (size_t)n);
	}
	ret->group = SSL_group_to_name(t->ssl, SSL_get_negotiated_group(t->ssl));
	return true;
}

bool tls_conn_info(const struct conn *c, struct tls_info *ret)
{
	const struct tls_filter *t = (const struct tls_filter *)c->top;
	const unsigned char *alpn;
	const char *name;
	unsigned alpn_n;
	X509 *leaf;

	if (!c->secure || c->top->ops != &tls_ops)
		return false;
	SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_n);
	name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
	leaf = SSL_get_certificate(t->ssl);
	*ret = (struct tls_info){ .version = SSL_get_version(t->ssl),
		.number = (uint16_t)SSL_version(t->ssl),
		.suite = SSL_get_cipher_name(t->ssl),
		.sni = span_of(name),
		.alpn = { (const char *)alpn, alpn_n },
		.resumed = SSL_session_reused(t->ssl),
		.key = TLS_KEY_OTHER };
	/* A resumed session has no certificate any more. */
	if (leaf)
		ret->key = key_type_of(X509_get0_pubkey(leaf));
	return true;
}
