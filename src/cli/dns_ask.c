/* Asking a DNS server from the command line: plain blocking calls, nothing shared with the server's
 * own resolver. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cli/dns.h"
#include "domain/domain.h"

struct asking {
	const struct dns_question *q;
	uint8_t query[DNS_QUERY_MAX];
	size_t query_n;
	uint16_t id;
	unsigned timeout_ms;
	uint64_t deadline; /* clock_mono_ms() */
	int fd;
};

static int wait_for(const struct asking *a, short events)
{
	struct pollfd p = { .fd = a->fd, .events = events };
	uint64_t now = clock_mono_ms();
	int r;

	if (now >= a->deadline)
		return -ETIMEDOUT;
	r = poll(&p, 1, (int)(a->deadline - now));
	return r > 0 ? 0 : r == 0 || errno == EINTR ? -ETIMEDOUT : -errno;
}

/* At most n bytes; their number, 0 at the end. */
static ssize_t receive(const struct asking *a, void *p, size_t n)
{
	for (;;) {
		ssize_t r = recv(a->fd, p, n, MSG_DONTWAIT);
		int e;

		if (r >= 0 || (errno != EAGAIN && errno != EINTR))
			return r < 0 ? -errno : r;
		e = wait_for(a, POLLIN);
		if (e < 0)
			return e;
	}
}

static int connect_to(struct asking *a, const struct net_addr *server, int type)
{
	int error = 0, r;
	socklen_t n = sizeof(error);

	a->fd = socket(server->sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return -errno;
	if (connect(a->fd, &server->sa, server->n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(a, POLLOUT);
	if (r == 0 && getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		r = -errno;
	return r < 0 ? r : -error;
}

/* ---- UDP ---- */

static int try_udp(struct asking *a, struct buf *message)
{
	char *p = buf_room(message, DNS_MESSAGE_MAX);
	ssize_t n;

	if (send(a->fd, a->query, a->query_n, MSG_NOSIGNAL) < 0)
		return -errno;
	do {
		n = receive(a, p, DNS_MESSAGE_MAX);
		if (n < 0)
			return (int)n;
	} while (!dns_response_matches(span_make(p, (size_t)n), a->id, a->q));
	buf_grew(message, (size_t)n);
	return 0;
}

/* Twice: datagrams get lost. */
static int ask_udp(struct asking *a, struct buf *message)
{
	uint64_t end = a->deadline;
	int r;

	a->deadline -= a->timeout_ms / 2;
	r = try_udp(a, message);
	a->deadline = end;
	return r == -ETIMEDOUT ? try_udp(a, message) : r;
}

/* ---- TCP: a length of two bytes before each message (RFC 1035 4.2.2) ---- */

static int receive_whole(const struct asking *a, void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = receive(a, (char *)p + at, n - at);

		if (r <= 0)
			return r < 0 ? (int)r : -ECONNRESET;
		at += (size_t)r;
	}
	return 0;
}

static int ask_tcp(struct asking *a, struct buf *message)
{
	uint8_t framed[2 + DNS_QUERY_MAX], length[2];
	size_t n;
	int r;

	dns_put_u16(framed, (uint16_t)a->query_n);
	memcpy(framed + 2, a->query, a->query_n);
	/* A fresh connection takes that much at once. */
	if (send(a->fd, framed, 2 + a->query_n, MSG_NOSIGNAL) < 0)
		return -errno;
	r = receive_whole(a, length, sizeof(length));
	if (r < 0)
		return r;
	n = dns_get_u16(length);
	r = receive_whole(a, buf_room(message, n), n);
	if (r == 0)
		buf_grew(message, n);
	return r == 0 && !dns_response_matches(buf_span(message), a->id, a->q) ? -EPROTO : r;
}

int dns_ask(const struct net_addr *server, bool tcp, const struct dns_question *q, unsigned timeout_ms,
	struct dns_heard *ret)
{
	static const struct dns_edns edns = { .present = true, .udp_size = DNS_UDP_MAX, .ede = DNS_EDE_NONE };
	struct asking a = { .q = q,
		.id = (uint16_t)rand_fast(),
		.timeout_ms = timeout_ms,
		.deadline = clock_mono_ms() + timeout_ms };
	uint64_t began = clock_mono_ns();
	struct dns_reader reader;
	int r;

	*ret = (struct dns_heard){ .message = BUF_INIT(DNS_MESSAGE_MAX), .tcp = tcp };
	a.query_n = dns_query_write(q, a.id, DNS_RD, &edns, a.query);
	r = connect_to(&a, server, tcp ? SOCK_STREAM : SOCK_DGRAM);
	if (r == 0)
		r = tcp ? ask_tcp(&a, &ret->message) : ask_udp(&a, &ret->message);
	if (a.fd >= 0)
		close(a.fd);
	ret->took_us = (clock_mono_ns() - began) / 1000;
	if (r < 0)
		return r;
	dns_reader_init(&reader, buf_span(&ret->message));
	dns_read_header(&reader, &ret->header);
	return 0;
}

void dns_heard_done(struct dns_heard *h)
{
	buf_done(&h->message);
}

/* ---- who is silent, and who only seems to be ---- */

static int receive_from_anybody(const struct asking *a, struct net_addr *ret_peer)
{
	uint8_t message[DNS_UDP_MAX];
	int r;

	while ((r = wait_for(a, POLLIN)) == 0) {
		ssize_t n;

		ret_peer->n = sizeof(ret_peer->un);
		n = recvfrom(a->fd, message, sizeof(message), MSG_DONTWAIT, &ret_peer->sa, &ret_peer->n);
		if (n >= 0 && dns_response_matches(span_make(message, (size_t)n), a->id, a->q))
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return r;
}

int dns_ask_anybody(const struct net_addr *server, const struct dns_question *q, unsigned timeout_ms,
	struct net_addr *ret_peer)
{
	struct asking a = { .q = q,
		.id = (uint16_t)rand_fast(),
		.deadline = clock_mono_ms() + timeout_ms,
		.fd = socket(server->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	int r = -errno;

	if (a.fd < 0)
		return r;
	a.query_n = dns_query_write(q, a.id, DNS_RD, NULL, a.query);
	if (sendto(a.fd, a.query, a.query_n, MSG_NOSIGNAL, &server->sa, server->n) < 0)
		r = -errno;
	else
		r = receive_from_anybody(&a, ret_peer);
	close(a.fd);
	return r;
}

/* ---- whom and what ---- */

/* A wildcard address is asked at the loopback's. */
static void make_reachable(struct net_addr *a)
{
	if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == INADDR_ANY)
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr))
		a->in6.sin6_addr = in6addr_loopback;
}

bool dns_listener(json_t *status, size_t i, enum listener_kind kind, struct net_addr *ret)
{
	json_t *l = json_array_get(json_object_get(status, "listeners"), i);
	const char *address = json_string_value(json_object_get(l, "address"));
	const char *word = json_string_value(json_object_get(l, "kind"));

	if (!address || !word || strcmp(word, listener_kind_text(kind)) != 0 ||
		net_addr_parse(span_of(address), -1, ret) < 0)
		return false;
	make_reachable(ret);
	return true;
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] & 0x80)
			return false;
	return true;
}

int dns_question_of(struct span name, uint16_t type, struct dns_question *ret)
{
	_cleanup_(arena_done) struct arena a;

	*ret = (struct dns_question){ .type = type, .klass = DNS_CLASS_IN };
	arena_init(&a, 1024);
	if (!is_ascii(name) && domain_name_normalise(name, false, &a, &name) < 0)
		return -EINVAL;
	return dns_name_parse(name, &ret->name);
}
