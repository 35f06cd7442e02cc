/* The network of an address. See guard/guard.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "guard/guard.h"

#define MAPPED_BITS 96 /* before the IPv4 address in ::ffff:0:0/96 */

/* The 128-bit form. False: a Unix socket. */
static bool to_bytes(const struct net_addr *a, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (a->sa.sa_family == AF_INET6) {
		memcpy(ret, &a->in6.sin6_addr, 16);
	} else if (a->sa.sa_family == AF_INET) {
		ret[10] = ret[11] = 0xff;
		memcpy(ret + 12, &a->in.sin_addr, 4);
	}
	return a->sa.sa_family == AF_INET6 || a->sa.sa_family == AF_INET;
}

static bool is_v4(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

void guard_network(const struct net_addr *a, enum guard_width width, struct net_prefix *ret)
{
	static const uint8_t bits_of_v6[] = { [GUARD_CUSTOMER] = 56, [GUARD_SITE] = 48 };

	*ret = (struct net_prefix){ 0 };
	if (!to_bytes(a, ret->addr))
		return;
	ret->bits = is_v4(ret->addr) ? MAPPED_BITS + 24 : bits_of_v6[width];
	memset(ret->addr + ret->bits / 8, 0, sizeof(ret->addr) - ret->bits / 8);
}

void guard_network_text(const struct net_addr *a, enum guard_width width, char ret[GUARD_NETWORK_SIZE])
{
	char text[INET6_ADDRSTRLEN], host[NET_ADDR_SIZE];
	struct net_prefix p;
	bool v4;

	guard_network(a, width, &p);
	if (p.bits == 0) {
		net_addr_host_text(a, host);
		snprintf(ret, GUARD_NETWORK_SIZE, "%.60s", host);
		return;
	}
	v4 = is_v4(p.addr);
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? p.addr + 12 : p.addr, text, sizeof(text));
	snprintf(ret, GUARD_NETWORK_SIZE, "%s/%u", text, v4 ? p.bits - MAPPED_BITS : p.bits);
}
