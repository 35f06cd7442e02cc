/*
 * The ClientHello as it came over the wire (RFC 8446 4.1.2, RFC 5246 7.4.1.2; the SSL 2 form of RFC
 * 5246 E.2).
 *
 * Pure. OpenSSL drops what it does not know (suites of the past, whole hellos that it dislikes);
 * what explains a failed handshake is often exactly that. Lists are borrowed from the bytes, in the
 * sender's order, as big-endian 16-bit numbers: tls_hello_u16().
 */
#pragma once
#include <stdbool.h>
#include "base/arena.h"

/* Bytes of a hello that are looked at and kept, records' headers included. What can be large in one
 * is a post-quantum key share (1.2 to 1.6 KB each), a ticket, padding; its extensions have 64 KiB
 * at most, and they may be cut into many records. */
#define TLS_HELLO_MAX (66 * 1024)

struct tls_hello {
	bool v2;                 /* in the form of SSL 2 */
	uint16_t legacy_version; /* 0x0303 for TLS 1.2 and 1.3 */
	struct span suites;      /* two bytes each (three in a v2 hello) */
	struct span sni;         /* the first host_name, as sent */
	/* supported_versions, two bytes each; .p == NULL: no such extension */
	struct span versions;
	struct span groups, signatures; /* supported_groups, signature_algorithms; likewise */
	/* the groups of key_share, two bytes each, copied to the arena */
	struct span shares;
	struct span alpn; /* the protocol list: length byte, name, … */
	/* false: the bytes end before the hello does; what came is filled in */
	bool complete;
	/* bytes of the records that it is in; if they are not all there: how many it takes at
	 * least */
	size_t records_n;
};
/* From records (or an SSL 2 header) on; fragments over several records are joined in a. Bytes
 * beyond TLS_HELLO_MAX are not looked at. 0, or -EPROTO: not a ClientHello. */
int tls_hello_parse(struct span bytes, struct arena *a, struct tls_hello *ret);
/* The first host_name of a server_name extension's body (RFC 6066 3); .p == NULL: none. */
struct span tls_hello_sni(struct span body);
/* The number at index i of a list of two-byte entries. */
uint16_t tls_hello_u16(struct span list, size_t i);
/* The highest version that it offers, GREASE and drafts aside: 0x0304, 0x0303… */
uint16_t tls_hello_version(const struct tls_hello *h);
