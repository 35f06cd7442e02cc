/* Handshakes in memory; see hand.h. */
#include "hand.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 20

/* ---- hellos by hand ---- */

static void put(struct hand *h, uint64_t v, unsigned bytes)
{
	assert_true(h->n + bytes <= HAND_MAX);
	while (bytes-- > 0)
		h->bytes[h->n++] = (uint8_t)(v >> (8 * bytes));
}

static void put_bytes(struct hand *h, const void *p, size_t n)
{
	assert_true(h->n + n <= HAND_MAX);
	memcpy(h->bytes + h->n, p, n);
	h->n += n;
}

/* Opens a vector whose length has that many bytes; returns where it stands. */
static size_t begin(struct hand *h, unsigned bytes)
{
	put(h, 0, bytes);
	return h->n;
}

static void end(struct hand *h, size_t at, unsigned bytes)
{
	size_t n = h->n - at;

	for (unsigned i = 0; i < bytes; i++)
		h->bytes[at - 1 - i] = (uint8_t)(n >> (8 * i));
}

static void put_list(struct hand *h, struct list16 list)
{
	for (unsigned i = 0; i < list.n; i++)
		put(h, list.p[i], 2);
}

static void put_list_extension(struct hand *h, uint16_t type, struct list16 list, unsigned length_bytes)
{
	size_t body, inner;

	if (!list.p)
		return;
	put(h, type, 2);
	body = begin(h, 2);
	inner = begin(h, length_bytes);
	put_list(h, list);
	end(h, inner, length_bytes);
	end(h, body, 2);
}

/* The public part of a fresh key of that group. */
static void put_share(struct hand *h, uint16_t group)
{
	const char *curve = group == 0x0017 ? "P-256" : group == 0x0018 ? "P-384" : "P-521";
	EVP_PKEY *key = group == 0x001d ? EVP_PKEY_Q_keygen(NULL, NULL, "X25519") : EVP_EC_gen(curve);
	unsigned char *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point), at;

	assert_true(n > 0);
	put(h, group, 2);
	at = begin(h, 2);
	put_bytes(h, point, n);
	end(h, at, 2);
	OPENSSL_free(point);
	EVP_PKEY_free(key);
}

static void put_shares(struct hand *h, struct list16 shares)
{
	size_t body, inner;

	if (!shares.p)
		return;
	put(h, 51, 2);
	body = begin(h, 2);
	inner = begin(h, 2);
	for (unsigned i = 0; i < shares.n; i++)
		put_share(h, shares.p[i]);
	end(h, inner, 2);
	end(h, body, 2);
}

static void put_sni(struct hand *h, const char *name)
{
	size_t body, list;

	if (!name)
		return;
	put(h, 0, 2);
	body = begin(h, 2);
	list = begin(h, 2);
	put(h, 0, 1);
	put(h, strlen(name), 2);
	put_bytes(h, name, strlen(name));
	end(h, list, 2);
	end(h, body, 2);
}

static void put_alpn(struct hand *h, const char *protocol)
{
	size_t body, list;

	if (!protocol)
		return;
	put(h, 16, 2);
	body = begin(h, 2);
	list = begin(h, 2);
	put(h, strlen(protocol), 1);
	put_bytes(h, protocol, strlen(protocol));
	end(h, list, 2);
	end(h, body, 2);
}

void hand_hex(const char *hex, struct hand *ret)
{
	unsigned byte;

	ret->n = 0;
	for (; *hex; hex += 2) {
		while (*hex == ' ')
			hex++;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		put(ret, byte, 1);
	}
}

static void put_extensions(struct hand *h, const struct hello_recipe *r)
{
	size_t extensions = begin(h, 2);

	put_sni(h, r->sni);
	put_alpn(h, r->alpn);
	put_list_extension(h, 10, r->groups, 2);
	put_list_extension(h, 13, r->signatures, 2);
	put_list_extension(h, 43, r->versions, 1);
	put_shares(h, r->shares);
	if (r->more) {
		struct hand more;

		hand_hex(r->more, &more);
		put_bytes(h, more.bytes, more.n);
	}
	if (r->padding > 0) {
		put(h, 21, 2);
		put(h, r->padding, 2);
		assert_true(h->n + r->padding <= HAND_MAX);
		memset(h->bytes + h->n, 0, r->padding);
		h->n += r->padding;
	}
	end(h, extensions, 2);
	/* Old clients send no block at all. */
	if (h->n == extensions)
		h->n -= 2;
}

/* Cuts the message that begins at h->bytes[0] into records. */
static void put_into_records(struct hand *h, unsigned most)
{
	struct hand message = *h;

	h->n = 0;
	for (size_t at = 0; at < message.n; at += most) {
		size_t n = at + most < message.n ? most : message.n - at;

		put(h, 0x160301, 3);
		put(h, n, 2);
		put_bytes(h, message.bytes + at, n);
	}
}

void hand_hello(const struct hello_recipe *r, struct hand *h)
{
	size_t message, suites;

	h->n = 0;
	put(h, 1, 1);
	message = begin(h, 3);
	put(h, r->version ? r->version : 0x0303, 2);
	for (unsigned i = 0; i < 32; i++)
		put(h, i, 1);
	put(h, 0, 1);
	suites = begin(h, 2);
	put_list(h, r->suites);
	end(h, suites, 2);
	put(h, 0x0100, 2);
	put_extensions(h, r);
	end(h, message, 3);
	put_into_records(h, r->record ? r->record : 16384);
}

void hand_hello_v2(uint16_t version, struct list16 suites, struct hand *h)
{
	h->n = 0;
	put(h, 0x8000 | (9 + 3 * suites.n + 16), 2);
	put(h, 1, 1);
	put(h, version, 2);
	put(h, 3 * suites.n, 2);
	put(h, 0, 2);
	put(h, 16, 2);
	for (unsigned i = 0; i < suites.n; i++)
		put(h, suites.p[i], 3);
	for (unsigned i = 0; i < 16; i++)
		put(h, i, 1);
}

struct span hand_span(const struct hand *h)
{
	return span_make(h->bytes, h->n);
}

/* ---- attempts ---- */

static void set_alpn(SSL *ssl, const char *protocol)
{
	unsigned char wire[64];

	wire[0] = (unsigned char)strlen(protocol);
	memcpy(wire + 1, protocol, wire[0]);
	assert_int_equal(SSL_set_alpn_protos(ssl, wire, wire[0] + 1u), 0);
}

static void set_lists(SSL *ssl, const struct client_recipe *r)
{
	if (r->suites)
		assert_int_equal(SSL_set_cipher_list(ssl, r->suites), 1);
	if (r->suites13)
		assert_int_equal(SSL_set_ciphersuites(ssl, r->suites13), 1);
	if (r->groups)
		assert_int_equal(SSL_set1_groups_list(ssl, r->groups), 1);
	if (r->signatures)
		assert_int_equal(SSL_set1_sigalgs_list(ssl, r->signatures), 1);
}

static void set_trust(SSL *ssl, SSL_CTX *ctx, const struct client_recipe *r)
{
	if (r->trust) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), r->trust->x);
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	}
	if (r->verify_name)
		SSL_set1_host(ssl, r->verify_name);
	if (r->chain_max)
		SSL_set_max_cert_list(ssl, (long)r->chain_max);
}

/* As Postfix does where DNSSEC proves the records: they replace CAs and names. */
static void set_wrong_tlsa(SSL *ssl, const struct client_recipe *r)
{
	static const unsigned char digest[32] = { 1 };

	assert_true(SSL_dane_enable(ssl, r->name) > 0);
	assert_int_equal(SSL_dane_tlsa_add(ssl, 3, 1, 1, digest, sizeof(digest)), 1);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
}

SSL *client_make(const struct client_recipe *r)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, r->level ? r->level - 1 : 2);
	SSL_CTX_set_min_proto_version(ctx, r->min);
	SSL_CTX_set_max_proto_version(ctx, r->max);
	if (r->wrong_tlsa)
		assert_true(SSL_CTX_dane_enable(ctx) > 0);
	ssl = SSL_new(ctx);
	assert_non_null(ssl);
	set_lists(ssl, r);
	if (r->name)
		SSL_set_tlsext_host_name(ssl, r->name);
	if (r->alpn)
		set_alpn(ssl, r->alpn);
	if (r->scsv)
		SSL_set_mode(ssl, SSL_MODE_SEND_FALLBACK_SCSV);
	if (r->session)
		assert_int_equal(SSL_set_session(ssl, r->session), 1);
	if (r->own)
		assert_int_equal(SSL_use_cert_and_key(ssl, r->own->x, r->own->key, NULL, 1), 1);
	set_trust(ssl, ctx, r);
	if (r->wrong_tlsa)
		set_wrong_tlsa(ssl, r);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	SSL_CTX_free(ctx);
	return ssl;
}

static void server_make(struct tls_set *set, enum tls_use use, struct attempt *a)
{
	*a = (struct attempt){ .facts = { .use = use } };
	a->server = SSL_new(set->ctx[use]);
	SSL_set_bio(a->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(a->server);
	facts_attach(a->server, &a->facts);
}

/* What waits in one side's BIO goes to the other's; the number of bytes. */
static size_t carry(SSL *from, SSL *to, struct tls_facts *facts, bool corrupt)
{
	char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(from), &p);

	if (n <= 0)
		return 0;
	p[n - 1] ^= corrupt;
	BIO_write(SSL_get_rbio(to), p, (int)n);
	if (facts)
		facts_add_bytes(facts, p, (size_t)n);
	BIO_reset(SSL_get_wbio(from));
	return (size_t)n;
}

/* One turn of the server; false: it failed. */
static bool serve(struct attempt *a)
{
	int r, error;

	if (a->server_done)
		return true;
	ERR_clear_error();
	r = SSL_do_handshake(a->server);
	error = SSL_get_error(a->server, r);
	a->server_done = r == 1;
	if (r == 1 || error == SSL_ERROR_WANT_READ)
		return true;
	facts_failed(a->server, &a->facts);
	a->facts.error = a->facts.ended ? -ECONNRESET : -EPROTO;
	return false;
}

void attempt_client(struct tls_set *set, enum tls_use use, const struct client_recipe *recipe, struct attempt *ret)
{
	server_make(set, use, ret);
	ret->client = client_make(recipe);
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		int r = SSL_do_handshake(ret->client);

		ret->client_done = r == 1;
		carry(ret->client, ret->server, &ret->facts, recipe->corrupt && i > 0);
		if (!serve(ret))
			break;
		if (carry(ret->server, ret->client, NULL, false) == 0)
			break;
		ret->facts.answered = true;
		if (!recipe->leaves)
			continue;
		facts_failed(ret->server, &ret->facts);
		ret->facts.ended = true;
		ret->facts.error = -ECONNRESET;
		break;
	}
	ERR_clear_error();
	facts_detach(ret->server);
	if (ret->client_done)
		ret->served = SSL_get0_peer_certificate(ret->client);
}

void attempt_bytes(struct tls_set *set, enum tls_use use, struct span bytes, int error, struct attempt *ret)
{
	server_make(set, use, ret);
	BIO_write(SSL_get_rbio(ret->server), bytes.p, (int)bytes.n);
	facts_add_bytes(&ret->facts, bytes.p, bytes.n);
	/* It waits for more, and there comes the end. */
	if (serve(ret)) {
		ret->facts.error = error ? error : -ECONNRESET;
		ret->facts.ended = error == 0;
	}
	ret->facts.answered = BIO_pending(SSL_get_wbio(ret->server)) > 0;
	ERR_clear_error();
	facts_detach(ret->server);
}

/* ---- programs as clients ---- */

#define PATIENCE_MS 30000

static int listen_on(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* Its words without "PORT", which becomes the number. */
static pid_t run_client(const char *const *words, uint16_t port)
{
	char *argv[32] = { NULL };
	pid_t child;
	int null;

	for (unsigned i = 0; words[i]; i++) {
		const char *at = strstr(words[i], "PORT");

		assert_true(i + 1 < array_len(argv));
		argv[i] = at ? mem_textf("%.*s%u%s", (int)(at - words[i]), words[i], port, at + 4) : mem_text(words[i]);
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	for (unsigned i = 0; argv[i]; i++)
		mem_free(argv[i]);
	return child;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

/* One read, one turn; false: it is over. */
static bool turn(struct attempt *a, int fd)
{
	char bytes[16384], *p;
	ssize_t n = readable(fd) ? read(fd, bytes, sizeof(bytes)) : -1;
	bool going;
	long out;

	if (n <= 0) {
		a->facts.ended = n == 0;
		a->facts.error = -ECONNRESET;
		return false;
	}
	BIO_write(SSL_get_rbio(a->server), bytes, (int)n);
	facts_add_bytes(&a->facts, bytes, (size_t)n);
	going = serve(a);
	out = BIO_get_mem_data(SSL_get_wbio(a->server), &p);
	if (out > 0) {
		assert_int_equal(send(fd, p, (size_t)out, MSG_NOSIGNAL), out);
		BIO_reset(SSL_get_wbio(a->server));
		a->facts.answered = true;
	}
	return going && !a->server_done;
}

static bool is_installed(const char *program)
{
	char path[256];

	snprintf(path, sizeof(path), "/usr/bin/%s", program);
	return access(path, X_OK) == 0;
}

void attempt_program(struct tls_set *set, enum tls_use use, const char *const *words, struct attempt *ret)
{
	uint16_t port;
	int listening, fd;
	pid_t child;

	if (!is_installed(words[0]))
		skip();
	listening = listen_on(&port);
	child = run_client(words, port);
	server_make(set, use, ret);
	assert_true(readable(listening));
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	while (turn(ret, fd))
		continue;
	close(fd);
	close(listening);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ERR_clear_error();
	facts_detach(ret->server);
}

/* ---- we are the client ---- */

static void begin_as_client(const struct client_recipe *recipe, struct attempt *ret)
{
	*ret = (struct attempt){ .facts = { .client = true } };
	ret->client = client_make(recipe);
	facts_attach(ret->client, &ret->facts);
}

/* One turn of ours; false: it is over. */
static bool go_on(struct attempt *a)
{
	int r, error;

	ERR_clear_error();
	r = SSL_do_handshake(a->client);
	error = SSL_get_error(a->client, r);
	a->client_done = r == 1;
	if (r == 1 || error == SSL_ERROR_WANT_READ)
		return true;
	facts_failed(a->client, &a->facts);
	a->facts.error = -EPROTO;
	return false;
}

void attempt_as_client(SSL_CTX *ctx, const struct client_recipe *recipe, struct attempt *ret)
{
	begin_as_client(recipe, ret);
	ret->server = SSL_new(ctx);
	assert_non_null(ret->server);
	SSL_set_bio(ret->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ret->server);
	for (unsigned i = 0; i < ROUNDS_MAX && go_on(ret); i++) {
		if (carry(ret->client, ret->server, NULL, false) == 0)
			break;
		ERR_clear_error();
		ret->server_done = SSL_do_handshake(ret->server) == 1;
		if (carry(ret->server, ret->client, &ret->facts, recipe->corrupt && i > 0) == 0)
			break;
	}
	ERR_clear_error();
	facts_detach(ret->client);
}

void attempt_as_client_of_bytes(struct span bytes, int error, const struct client_recipe *recipe, struct attempt *ret)
{
	begin_as_client(recipe, ret);
	assert_true(go_on(ret));
	BIO_write(SSL_get_rbio(ret->client), bytes.p, (int)bytes.n);
	facts_add_bytes(&ret->facts, bytes.p, bytes.n);
	if (go_on(ret)) {
		ret->facts.error = error ? error : -ECONNRESET;
		ret->facts.ended = error == 0;
	}
	ERR_clear_error();
	facts_detach(ret->client);
}

void attempt_done(struct attempt *a)
{
	SSL_free(a->client);
	SSL_free(a->server);
	tls_facts_done(&a->facts);
}
