/*
 * The map of names (zone.c) and its bytes (image.c), from which it can be made again in another
 * process.
 */
#pragma once
#include "dns/dns.h"
#include "domain/domain.h"

#define NAMES_ADDRS_MAX 24 /* of a family: 24 AAAA records fit into 1232 bytes */
#define NAMES_HOSTS_MAX 24 /* origins of a domain that are host names */
#define ZONE_MAGIC      "torhaus names 2\n"
enum zone_flag {
	ZONE_WILDCARD = 1,
	ZONE_YIELDS = 2,    /* another domain's web name goes before it */
	ZONE_ELSEWHERE = 4, /* its domain is not above it */
};
/* Appends the names of all domains that have origins. */
void zone_image(const struct snapshot *s, struct buf *out);

/* Immutable. */
struct zone;
/* From an image, which is taken. 0 or -EINVAL. */
int zone_new(struct buf *image, struct zone **ret);
struct zone *zone_of(const struct snapshot *s);
struct zone *zone_ref(struct zone *z); /* z may be NULL, also there: */
struct zone *zone_unref(struct zone *z);
/* Where a name leads; all of it borrowed from the zone. */
struct zone_found {
	const uint8_t *v4, *v6; /* addresses, 4 or 16 bytes each */
	uint8_t v4_n, v6_n, hosts_n;
	/* hosts_n names whose addresses are the name's own, too; zone_next_host() leads on */
	const struct dns_name *hosts;
	/* of the SOA: the domain, or the name itself if it lies elsewhere */
	const struct dns_name *apex;
};
/* Of a row of hosts the one after host; of each only its n bytes are there. */
const struct dns_name *zone_next_host(const struct dns_name *host);
/* Exact name, else the wildcard of its parent; false: not ours. name is in lower case. */
bool zone_find(const struct zone *z, const struct dns_name *name, struct zone_found *ret);
uint32_t zone_serial(const struct zone *z);
unsigned zone_count(const struct zone *z);
struct span zone_bytes(const struct zone *z); /* its image */
