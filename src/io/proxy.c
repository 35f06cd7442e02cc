/*
 * The PROXY protocol, inbound (haproxy's proxy-protocol.txt): one header before the first
 * byte of the connection tells whose connection it is.
 *
 *   v1 (2.1)  "PROXY" SP ("TCP4" | "TCP6") SP source SP target SP port SP port CRLF
 *             "PROXY UNKNOWN" anything CRLF; at most 107 bytes
 *   v2 (2.2)  12 bytes of signature, version and command, family and transport, length,
 *             addresses, extensions
 *
 * Strict: ports and addresses in their one written form, reserved values refused.
 * Families that we do not serve (UDP, Unix) count as unknown, as the document asks. Of the
 * extensions (TLVs, which may take all of the 64 KiB that the length can say) one is of use:
 * whether the balancer took TLS off (2.2.6). The others are skipped, and so is what is behind one
 * that does not fit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "io/conn.h"
#include "io/io_priv.h"

#define V1_MAX   107
#define V2_FIXED 16
#define V2_MAX   (V2_FIXED + 65535)

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };
enum { V2_TCP4 = 0x11, V2_TCP6 = 0x21 };
enum { V2_TLV_SSL = 0x20, V2_CLIENT_SSL = 0x01 };

/* ---- version 1 ---- */

/* One address and the family it must have. */
static int v1_addr(struct span text, sa_family_t family, struct net_addr *ret)
{
	if (net_addr_parse_host(text, ret) < 0 || ret->sa.sa_family != family)
		return -EPROTO;
	return 0;
}

static int v1_port(struct span text, struct net_addr *addr)
{
	uint64_t port;

	if (text.n > 5 || (text.n > 1 && text.p[0] == '0') || span_to_u64(text, &port) < 0 || port > UINT16_MAX)
		return -EPROTO;
	net_addr_set_port(addr, (uint16_t)port);
	return 0;
}

/* line: between "PROXY " and CRLF. */
static int v1_line(struct span line, struct proxy_header *ret)
{
	struct span word[5];
	sa_family_t family;

	if (span_eq(line, SPAN("UNKNOWN")) || span_starts(line, SPAN("UNKNOWN ")))
		return 0;
	for (unsigned i = 0; i < array_len(word); i++)
		if (!span_cut(&line, ' ', &word[i]))
			return -EPROTO;
	if (line.p)
		return -EPROTO;
	if (span_eq(word[0], SPAN("TCP4")))
		family = AF_INET;
	else if (span_eq(word[0], SPAN("TCP6")))
		family = AF_INET6;
	else
		return -EPROTO;
	if (v1_addr(word[1], family, &ret->source) < 0 || v1_addr(word[2], family, &ret->target) < 0 ||
		v1_port(word[3], &ret->source) < 0 || v1_port(word[4], &ret->target) < 0)
		return -EPROTO;
	ret->has_addrs = true;
	return 0;
}

static int v1_parse(struct span bytes, struct proxy_header *ret, size_t *ret_used)
{
	struct span start = span_sub(bytes, 0, V1_MAX);
	ptrdiff_t end = span_find(start, SPAN("\r\n"));

	if (end < 0)
		return bytes.n < V1_MAX ? 0 : -EPROTO;
	*ret_used = (size_t)end + 2;
	return v1_line(span_sub(start, 6, (size_t)end - 6), ret) < 0 ? -EPROTO : 1;
}

/* ---- version 2 ---- */

static void v2_addrs(const char *p, unsigned family, struct proxy_header *ret)
{
	struct net_addr *end[2] = { &ret->source, &ret->target };
	size_t n = family == V2_TCP4 ? 4 : 16;
	uint16_t port;

	for (unsigned i = 0; i < 2; i++) {
		*end[i] = (struct net_addr){ 0 };
		if (family == V2_TCP4) {
			end[i]->n = sizeof(end[i]->in);
			end[i]->in.sin_family = AF_INET;
			memcpy(&end[i]->in.sin_addr, p + i * n, n);
		} else {
			end[i]->n = sizeof(end[i]->in6);
			end[i]->in6.sin6_family = AF_INET6;
			memcpy(&end[i]->in6.sin6_addr, p + i * n, n);
		}
		memcpy(&port, p + 2 * n + i * sizeof(port), sizeof(port));
		net_addr_set_port(end[i], ntohs(port));
	}
	ret->has_addrs = true;
}

/* Does PP2_TYPE_SSL say that the client came by TLS? */
static bool v2_came_by_tls(struct span tlvs)
{
	while (tlvs.n >= 3) {
		const unsigned char *p = (const unsigned char *)tlvs.p;
		size_t n = (size_t)p[1] << 8 | p[2];

		if (n > tlvs.n - 3)
			return false;
		if (p[0] == V2_TLV_SSL)
			return n >= 5 && (p[3] & V2_CLIENT_SSL);
		tlvs = span_from(tlvs, 3 + n);
	}
	return false;
}

static int v2_parse(struct span bytes, struct proxy_header *ret, size_t *ret_used)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	unsigned command, family;
	size_t n;

	if (bytes.n < V2_FIXED)
		return 0;
	command = p[12];
	family = p[13];
	n = (size_t)p[14] << 8 | p[15];
	if (command != V2_LOCAL && command != V2_PROXY)
		return -EPROTO;
	if (family >> 4 > 3 || (family & 15) > 2)
		return -EPROTO;
	if (command == V2_PROXY && ((family == V2_TCP4 && n < 12) || (family == V2_TCP6 && n < 36)))
		return -EPROTO;
	*ret_used = V2_FIXED + n;
	if (bytes.n < V2_FIXED + n)
		return 0;
	if (command == V2_PROXY && (family == V2_TCP4 || family == V2_TCP6)) {
		size_t addrs_n = family == V2_TCP4 ? 12 : 36;

		v2_addrs(bytes.p + V2_FIXED, family, ret);
		ret->tls = v2_came_by_tls(span_sub(bytes, V2_FIXED + addrs_n, n - addrs_n));
	}
	return 1;
}

int proxy_header_parse(struct span bytes, struct proxy_header *ret, size_t *ret_used)
{
	struct span v1 = SPAN("PROXY "), v2 = { v2_signature, sizeof(v2_signature) };

	*ret = (struct proxy_header){ 0 };
	*ret_used = 0;
	if (span_starts(bytes, v1))
		return v1_parse(bytes, ret, ret_used);
	if (span_starts(bytes, v2))
		return v2_parse(bytes, ret, ret_used);
	/* The start of one of the two, or neither. */
	return span_starts(v1, bytes) || span_starts(v2, bytes) ? 0 : -EPROTO;
}

/* ---- writing ---- */

static void add_addr(struct buf *out, const struct net_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		buf_add(out, &a->in.sin_addr, 4);
	else
		buf_add(out, &a->in6.sin6_addr, 16);
}

static void add_u16(struct buf *out, unsigned n)
{
	buf_add_char(out, (char)(n >> 8));
	buf_add_char(out, (char)n);
}

void proxy_header_write(const struct net_addr *source, const struct net_addr *target, struct buf *out)
{
	sa_family_t family = source->sa.sa_family;
	bool known = family == target->sa.sa_family && (family == AF_INET || family == AF_INET6);

	buf_add(out, v2_signature, sizeof(v2_signature));
	buf_add_char(out, known ? V2_PROXY : V2_LOCAL);
	buf_add_char(out, !known ? 0 : family == AF_INET ? V2_TCP4 : V2_TCP6);
	add_u16(out, !known ? 0 : family == AF_INET ? 12 : 36);
	if (!known)
		return;
	add_addr(out, source);
	add_addr(out, target);
	add_u16(out, net_addr_port(source));
	add_u16(out, net_addr_port(target));
}

/* ---- on a connection ---- */

/* Looks at the first bytes without taking them until the header's length is known, so that nothing
 * need be put back, whatever follows: *ret_used. */
static int peek_length(struct conn *c, size_t *ret_used, uint64_t deadline)
{
	char bytes[V1_MAX];
	int r;

	do {
		ssize_t n = recv(c->fd.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
		struct proxy_header unused;

		if (n < 0 && errno != EAGAIN)
			return -errno;
		*ret_used = 0;
		r = n > 0 ? proxy_header_parse(span_make(bytes, (size_t)n), &unused, ret_used) : 0;
		if (r < 0 || *ret_used > 0)
			return r < 0 ? r : 0;
		/* The end before the header's: nothing more will come. */
		if (n == 0 || c->fd.hung_up)
			return -EPROTO;
		c->fd.readable = false;
		r = loop_fd_wait_read(&c->fd, deadline);
	} while (r == 0);
	return r;
}

static int read_all(struct conn *c, char *p, size_t n, uint64_t deadline)
{
	while (n > 0) {
		ssize_t got = conn_recv(c, p, n, deadline);

		if (got <= 0)
			return got < 0 ? (int)got : -EPROTO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int conn_read_proxy(struct conn *c, uint64_t deadline)
{
	_cleanup_(mem_freep) char *bytes = NULL;
	struct proxy_header header;
	size_t used;
	int r;

	must(c->top && !c->top->below);
	r = peek_length(c, &used, deadline);
	if (r < 0)
		return r;
	must(used <= V2_MAX);
	bytes = mem_alloc(used);
	r = read_all(c, bytes, used, deadline);
	if (r < 0)
		return r;
	if (proxy_header_parse(span_make(bytes, used), &header, &used) != 1)
		return -EPROTO;
	c->tls_before = header.tls;
	if (header.has_addrs) {
		c->via = c->peer;
		c->peer = header.source;
		c->local = header.target;
	}
	return 0;
}
