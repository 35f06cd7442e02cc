/*
 * Addresses, networks, listening and connecting sockets.
 *
 * Deliberately not here: zone identifiers (fe80::1%eth0); an edge has no business with
 * link-local addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "io/loop.h"
#include "io/net.h"

/* ---- text ---- */

int net_addr_parse_host(struct span host, struct net_addr *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, 0, host.n))
		return -EINVAL;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	*ret = (struct net_addr){ 0 };
	if (inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->n = sizeof(ret->in);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->n = sizeof(ret->in6);
		return 0;
	}
	return -EINVAL;
}

static int parse_unix(struct span path, struct net_addr *ret)
{
	*ret = (struct net_addr){ 0 };
	if (path.n == 0 || path.n >= sizeof(ret->un.sun_path) || memchr(path.p, 0, path.n))
		return -EINVAL;
	ret->un.sun_family = AF_UNIX;
	memcpy(ret->un.sun_path, path.p, path.n);
	ret->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
	return 0;
}

/* "host:port" or "[host]:port" into its parts; port.p == NULL if there is none. */
static int split_port(struct span text, struct span *ret_host, struct span *ret_port)
{
	ptrdiff_t colon = span_index(text, ':');
	ptrdiff_t bracket = span_index(text, ']');

	*ret_host = text;
	*ret_port = (struct span){ 0 };
	if (text.n > 0 && text.p[0] == '[') {
		if (bracket < 0)
			return -EINVAL;
		*ret_host = span_sub(text, 1, (size_t)bracket - 1);
		text = span_from(text, (size_t)bracket + 1);
		if (span_index(*ret_host, ':') < 0 || (text.n > 0 && text.p[0] != ':'))
			return -EINVAL;
		if (text.n > 0)
			*ret_port = span_from(text, 1);
		return 0;
	}
	/* With a second colon it is a bare IPv6 address. */
	if (colon >= 0 && span_index(span_from(text, (size_t)colon + 1), ':') < 0) {
		*ret_host = span_sub(text, 0, (size_t)colon);
		*ret_port = span_from(text, (size_t)colon + 1);
	}
	return 0;
}

int net_addr_parse(struct span text, int default_port, struct net_addr *ret)
{
	struct span host, port;
	uint64_t number;

	if (span_starts(text, SPAN("unix:")))
		return parse_unix(span_from(text, 5), ret);
	if (split_port(text, &host, &port) < 0 || net_addr_parse_host(host, ret) < 0)
		return -EINVAL;
	if (port.p) {
		if (span_to_u64(port, &number) < 0 || number > UINT16_MAX)
			return -EINVAL;
	} else {
		if (default_port < 0)
			return -EINVAL;
		number = (uint64_t)default_port;
	}
	net_addr_set_port(ret, (uint16_t)number);
	return 0;
}

void net_addr_host_text(const struct net_addr *a, char ret[NET_ADDR_SIZE])
{
	ret[0] = 0;
	if (a->n == 0) {
		snprintf(ret, NET_ADDR_SIZE, "-");
	} else if (a->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->in.sin_addr, ret, NET_ADDR_SIZE);
	} else if (a->sa.sa_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
			inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], ret, NET_ADDR_SIZE);
		else
			inet_ntop(AF_INET6, &a->in6.sin6_addr, ret, NET_ADDR_SIZE);
	} else {
		/* The peer of a Unix socket usually has no name. */
		size_t n = a->n - offsetof(struct sockaddr_un, sun_path);

		snprintf(ret, NET_ADDR_SIZE, "unix:%.*s", (int)n, a->un.sun_path);
	}
}

void net_addr_text(const struct net_addr *a, char ret[NET_ADDR_SIZE])
{
	char host[NET_ADDR_SIZE];
	bool bracket;

	net_addr_host_text(a, host);
	if (a->n == 0 || a->sa.sa_family == AF_UNIX) {
		memcpy(ret, host, sizeof(host));
		return;
	}
	bracket = strchr(host, ':');
	snprintf(ret, NET_ADDR_SIZE, bracket ? "[%.46s]:%u" : "%.46s:%u", host, net_addr_port(a));
}

uint16_t net_addr_port(const struct net_addr *a)
{
	if (a->n == 0)
		return 0;
	if (a->sa.sa_family == AF_INET)
		return ntohs(a->in.sin_port);
	return a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

void net_addr_set_port(struct net_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}

/* The 128-bit form, IPv4 mapped. False for addresses that have none. */
static bool host_bytes(const struct net_addr *a, uint8_t ret[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->n == 0)
		return false;
	if (a->sa.sa_family == AF_INET6) {
		memcpy(ret, &a->in6.sin6_addr, 16);
		return true;
	}
	memcpy(ret, mapped, sizeof(mapped));
	memcpy(ret + 12, &a->in.sin_addr, 4);
	return a->sa.sa_family == AF_INET;
}

bool net_addr_eq_host(const struct net_addr *a, const struct net_addr *b)
{
	uint8_t x[16], y[16];

	if (host_bytes(a, x))
		return host_bytes(b, y) && memcmp(x, y, sizeof(x)) == 0;
	return a->n == b->n && memcmp(&a->un, &b->un, a->n) == 0;
}

bool net_addr_eq(const struct net_addr *a, const struct net_addr *b)
{
	return net_addr_port(a) == net_addr_port(b) && net_addr_eq_host(a, b);
}

int net_prefix_parse(struct span text, struct net_prefix *ret)
{
	struct net_addr a;
	struct span rest = text, host, bits_text = { 0 };
	uint64_t bits, width;

	if (!span_cut(&rest, '/', &host) || net_addr_parse_host(host, &a) < 0)
		return -EINVAL;
	width = a.sa.sa_family == AF_INET ? 32 : 128;
	bits = width;
	if (host.n < text.n) {
		bits_text = span_from(text, host.n + 1);
		if (span_to_u64(bits_text, &bits) < 0 || bits > width)
			return -EINVAL;
	}
	host_bytes(&a, ret->addr);
	ret->bits = (uint8_t)(128 - width + bits);
	/* What lies beyond the prefix does not count. */
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = ret->bits > i * 8 ? ret->bits - i * 8 : 0;

		if (kept < 8)
			ret->addr[i] &= (uint8_t)(0xff00 >> kept);
	}
	return 0;
}

bool net_prefix_contains(const struct net_prefix *p, const struct net_addr *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	uint8_t bytes[16];

	if (!host_bytes(a, bytes) || memcmp(bytes, p->addr, whole) != 0)
		return false;
	return rest == 0 || ((bytes[whole] ^ p->addr[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

/* ---- sockets ---- */

static int set_option(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on));
}

static int bind_to(int fd, const struct net_addr *a, bool reuse_port)
{
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) < 0)
		return -errno;
	if (reuse_port && set_option(fd, SOL_SOCKET, SO_REUSEPORT) < 0)
		return -errno;
	if (a->sa.sa_family == AF_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0)
		return -errno;
	return bind(fd, &a->sa, a->n) < 0 ? -errno : 0;
}

/* fd, or r < 0 with fault and fd is closed. */
static int listened(int fd, int r, const struct net_addr *a, struct fault *fault)
{
	char text[NET_ADDR_SIZE];

	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	net_addr_text(a, text);
	fault_set(fault, FAULT_LISTEN_FAILED);
	fault_fact(fault, "address", "%s", text);
	fault_fact(fault, "error", "%s", strerror(-r));
	return r;
}

int net_listen(const struct net_addr *a, bool reuse_port, int backlog, struct fault *fault)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : bind_to(fd, a, reuse_port && a->sa.sa_family != AF_UNIX);

	if (r == 0 && listen(fd, backlog) < 0)
		r = -errno;
	return listened(fd, r, a, fault);
}

int net_listen_udp(const struct net_addr *a, bool reuse_port, int queue_bytes, struct fault *fault)
{
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : bind_to(fd, a, reuse_port);

	/* Beyond net.core.rmem_max only for those who may. */
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof(queue_bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof(queue_bytes));
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &queue_bytes, sizeof(queue_bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &queue_bytes, sizeof(queue_bytes));
	return listened(fd, r, a, fault);
}

/* Waits for a connect() in progress and asks for its result. */
static int connect_finish(int fd, uint64_t deadline)
{
	struct loop_fd f;
	socklen_t n = sizeof(int);
	int error = 0;
	int r = loop_fd_add(&f, fd);

	if (r < 0)
		return r;
	f.writable = false;
	r = loop_fd_wait_write(&f, deadline);
	loop_fd_remove(&f);
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		r = -errno;
	return r < 0 ? r : -error;
}

int net_probe(const struct net_addr *a, int type)
{
	int fd = socket(a->sa.sa_family, type | SOCK_CLOEXEC, 0);
	int on = 1, r = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a->sa, a->n) < 0)
		r = -errno;
	close(fd);
	return r;
}

int net_connect(const struct net_addr *a, uint64_t deadline)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (task_canceled())
		r = -ECANCELED;
	else if (connect(fd, &a->sa, a->n) < 0)
		r = errno == EINPROGRESS ? connect_finish(fd, deadline) : -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}
