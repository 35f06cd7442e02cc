/*
 * Addresses and sockets. IPv4 and IPv6 everywhere; text forms "192.0.2.1:80",
 * "[2001:db8::1]:80", "unix:/path" where a Unix socket makes sense.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/fault.h"
#include "base/span.h"

struct net_addr {
	socklen_t n;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};
#define NET_ADDR_SIZE 128 /* "[" address "]:" port, or unix:path, and a NUL */

/* Numeric address with port ("host:port"); port required unless default_port >= 0.
 * 0 or -EINVAL. Names are not resolved here. */
int net_addr_parse(struct span text, int default_port, struct net_addr *ret);
/* Numeric address without port and brackets; its port is 0. 0 or -EINVAL. */
int net_addr_parse_host(struct span text, struct net_addr *ret);
void net_addr_text(const struct net_addr *a, char ret[NET_ADDR_SIZE]);
/* Without port; IPv4-mapped IPv6 addresses as IPv4. */
void net_addr_host_text(const struct net_addr *a, char ret[NET_ADDR_SIZE]);
uint16_t net_addr_port(const struct net_addr *a);
void net_addr_set_port(struct net_addr *a, uint16_t port);
bool net_addr_eq(const struct net_addr *a, const struct net_addr *b);      /* with port */
bool net_addr_eq_host(const struct net_addr *a, const struct net_addr *b); /* without */

/* A network such as "127.0.0.0/8", "::1", "2001:db8::/32". 0 or -EINVAL. */
struct net_prefix {
	uint8_t bits; /* of the 128-bit form, IPv4 mapped */
	uint8_t addr[16];
};
int net_prefix_parse(struct span text, struct net_prefix *ret);
bool net_prefix_contains(const struct net_prefix *p, const struct net_addr *a);

/* A listening, non-blocking, close-on-exec stream socket with SO_REUSEADDR, and with
 * SO_REUSEPORT if reuse_port; IPv6 sockets are IPV6_V6ONLY. Returns the descriptor or a
 * negative errno; fills fault (LISTEN-FAILED). Does not suspend. */
int net_listen(const struct net_addr *a, bool reuse_port, int backlog, struct fault *fault);
/* The same for datagrams; queue_bytes: what the kernel shall keep of them, each way (as far as it
 * lets us). */
int net_listen_udp(const struct net_addr *a, bool reuse_port, int queue_bytes, struct fault *fault);
/* Could one listen on a? Binds a socket of that type (SOCK_STREAM, SOCK_DGRAM) without
 * SO_REUSEPORT, which fails if anybody listens there, and closes it. 0 or a negative errno. Does
 * not suspend. */
int net_probe(const struct net_addr *a, int type);
/* Connects. Suspends. The connected, non-blocking descriptor or -errno (-ETIMEDOUT…). */
int net_connect(const struct net_addr *a, uint64_t deadline);
/* The addresses of a name (A and AAAA) with that port, asked of the system's resolver on a
 * helper thread. Suspends. Their number (at most max), or -ENOENT, -EAGAIN, -ETIMEDOUT. */
int net_resolve(struct span name, uint16_t port, struct net_addr *ret, unsigned max, uint64_t deadline);
