/*
 * Names for surveys: a validating resolver (libunbound), asked on helper threads.
 *
 * DANE needs answers that are proven by DNSSEC (RFC 7672 2.2), which the system's resolver does not
 * give. With a trust anchor every answer says whether it is proven; without one none is.
 */
#pragma once
#include "base/arena.h"
#include "io/net.h"

#define SCAN_RECORDS_MAX 32
#define SCAN_ANCHOR      "/usr/share/dns/root.key" /* Debian: dns-root-data */

struct scan_dns;
/* resolver: "192.0.2.1" or "192.0.2.1@53", NULL: those of /etc/resolv.conf. anchor: a file of DS or
 * DNSKEY records; NULL: SCAN_ANCHOR if it is there. NULL: *ret_why says why, in words of
 * libunbound. */
struct scan_dns *scan_dns_new(const char *resolver, const char *anchor, const char **ret_why);
struct scan_dns *scan_dns_free(struct scan_dns *d);

struct scan_answer {
	bool secure; /* proven, also that there is nothing */
	bool bogus;  /* there should be a proof, and it fails: no answer then */
	unsigned n;  /* more than SCAN_RECORDS_MAX are left out */
	/* the data of each record, names uncompressed; in the arena */
	struct span v[SCAN_RECORDS_MAX];
};
/* type: enum dns_type. 0; -ENOENT: the name does not exist or has no such record; -EBADMSG: the
 * proof fails; -EAGAIN: no usable answer. Suspends. */
int scan_dns_ask(struct scan_dns *d, struct span name, unsigned type, struct arena *a, struct scan_answer *ret);
/* A and AAAA. Their number, or as above. Suspends. */
int scan_dns_addresses(struct scan_dns *d, struct span name, uint16_t port, struct arena *a, struct net_addr *ret,
	unsigned max);
/* What such an error means: "there is no such name". */
const char *scan_dns_error_text(int error);
