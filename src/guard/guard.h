/*
 * Who may come, and how often: what all edges ask before they serve a client.
 *
 * The guard decides and does not act: it gets an address and says whether there is room; the edge
 * says it in its own language.
 */
#pragma once
#include <stdbool.h>
#include "io/net.h"

/* ---- networks.c: sessions of one network at a time ---- */

struct networks;
/* An empty table; networks_free() it. Any thread. */
struct networks *networks_new(void);
/* NULL is fine; always NULL. Nobody may be in it any more. */
struct networks *networks_free(struct networks *n);
/* One more from a's network (/24 of IPv4, /56 of IPv6), unless it has max already: true, and the
 * caller calls networks_leave() once. Any thread; does not suspend. */
bool networks_enter(struct networks *n, const struct net_addr *a, unsigned max);
void networks_leave(struct networks *n, const struct net_addr *a);
