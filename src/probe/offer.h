/*
 * What a hello of ours can offer: every suite that a mail server may have spoken since 1995,
 * without those that need a shared secret (PSK, SRP, Kerberos); every group; every signature
 * algorithm. Pure.
 */
#pragma once
#include "probe/wire.h"
#include "tls/names.h"

/* Why nobody should take a suite any more: bits. 0: nothing that is known. */
enum offer_weakness {
	OFFER_EXPORT = 1 << 0, /* 40 and 56 bits, as the law of the 1990s had it */
	OFFER_RC4 = 1 << 1,    /* RFC 7465 */
	OFFER_3DES = 1 << 2,
	OFFER_DES = 1 << 3,
	OFFER_IDEA = 1 << 4,
	OFFER_NULL = 1 << 5, /* no encryption */
	OFFER_ANON = 1 << 6, /* no authentication */
};
unsigned offer_weaknesses(uint16_t suite);

/* A list under way; at most WIRE_LIST_MAX entries. */
struct offer {
	uint16_t v[WIRE_LIST_MAX];
	unsigned n;
};
static inline struct wire_list offer_list(const struct offer *o)
{
	return (struct wire_list){ o->v, o->n };
}
bool offer_has(const struct offer *o, uint16_t number);
/* At the end, once; what does not fit is dropped. */
void offer_add(struct offer *o, uint16_t number);
void offer_remove(struct offer *o, uint16_t number);
/* What is in `seen` goes behind the rest; the order is kept otherwise. */
void offer_last(struct offer *o, const struct offer *seen);

void offer_suites_13(struct offer *ret);
/* Of TLS 1.2 and below, strong ones first. */
void offer_suites(struct offer *ret);
/* Those that a key of this type authenticates (RSA with key exchange by RSA, too). */
void offer_suites_of(enum tls_key_type key, struct offer *ret);
/* RSA with classic DH or key exchange by RSA, as what knows no ECDHE has them. */
void offer_suites_classic(struct offer *ret);
/* Those with a weakness. */
void offer_suites_weak(struct offer *ret);
void offer_groups(struct offer *ret);
void offer_signatures(struct offer *ret);
/* RSA: also RSA-PSS keys; ECDSA: also the Edwards curves, whose certificates come with the same
 * suites. */
void offer_signatures_of(enum tls_key_type key, struct offer *ret);
