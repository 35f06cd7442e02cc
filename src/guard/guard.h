/*
 * Who may come, and how often: what all edges ask before they serve a client.
 *
 * The guard decides and does not act: it gets an address and says whether there is room; the edge
 * says it in its own language.
 */
#pragma once
#include <stdbool.h>
#include "io/net.h"

/* ---- network.c: the network of an address ---- */

/* How far apart two addresses may be and still be one to us. IPv4: /24 in any case. IPv6: what one
 * customer of an access provider gets (/56), for limits, which must not meet his neighbours; what
 * one site gets (/48), for recognising whoever has several servers. */
enum guard_width { GUARD_CUSTOMER, GUARD_SITE };
/* IPv4-mapped IPv6 addresses are IPv4. Of a Unix socket there is no network: all are one, with 0
 * bits. Pure. */
void guard_network(const struct net_addr *a, enum guard_width width, struct net_prefix *ret);
#define GUARD_NETWORK_SIZE 64
/* "192.0.2.0/24", "2001:db8:1::/48"; of a Unix socket its path. */
void guard_network_text(const struct net_addr *a, enum guard_width width, char ret[GUARD_NETWORK_SIZE]);

/* ---- networks.c: sessions of one network at a time ---- */

struct networks;
/* An empty table; networks_free() it. Any thread. */
struct networks *networks_new(void);
/* NULL is fine; always NULL. Nobody may be in it any more. */
struct networks *networks_free(struct networks *n);
/* One more from a's network (GUARD_CUSTOMER), unless it has max already: true, and the
 * caller calls networks_leave() once. Any thread; does not suspend. */
bool networks_enter(struct networks *n, const struct net_addr *a, unsigned max);
void networks_leave(struct networks *n, const struct net_addr *a);
