/* Names that are every machine's own: localhost (RFC 6761 6.3) and the reverse zones of private
 * networks (RFC 6303), which the public DNS must not be bothered with. Pure. */
#pragma once
#include "dns/dns.h"

enum special_is {
	SPECIAL_NONE,     /* there is no such name in the zone */
	SPECIAL_ZONE,     /* the zone's own */
	SPECIAL_LOOPBACK, /* this machine */
};
struct special {
	enum special_is is;
	bool reverse;
	bool is_private;      /* of a network that somebody here may have and know */
	struct dns_name zone; /* that holds the name */
};
/* name in lower case. False: it is none of these. */
bool special_find(const struct dns_name *name, struct special *ret);
