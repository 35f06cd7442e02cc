/*
 * Who does not want to be asked: names with all that lies below them, addresses, networks.
 *
 * A list is text, one entry a line; blank lines and what follows a # do not count. "example.net"
 * covers example.net, mx.example.net and so on; "192.0.2.7" and "2001:db8::/32" cover every host
 * that has such an address. A domain that is covered is not looked up at all.
 */
#pragma once
#include "base/map.h"
#include "io/net.h"

#define SCAN_EXCEPT_MAX 1000000 /* entries */

struct scan_except {
	struct arena arena;
	struct map names;
	struct net_prefix *networks;
	unsigned networks_n;
};
void scan_except_init(struct scan_except *e);
void scan_except_done(struct scan_except *e);
/* One entry. 0; -EINVAL: neither a name nor an address nor a network; -E2BIG: too many. */
int scan_except_add(struct scan_except *e, struct span entry);
bool scan_except_name(const struct scan_except *e, struct span name);
bool scan_except_address(const struct scan_except *e, const struct net_addr *a);
