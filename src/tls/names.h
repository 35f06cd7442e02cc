/*
 * What the numbers of TLS mean: suites, signature algorithms, groups. Pure tables; the IANA
 * registries of TLS parameters.
 *
 * OpenSSL is asked about the suites that it still has, those of the past stand in tls/names.c.
 * Names are OpenSSL's for suites and those of RFC 8446 for the rest.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "tls/tls.h"

enum tls_suite_auth { TLS_AUTH_RSA, TLS_AUTH_ECDSA, TLS_AUTH_ANY /* TLS 1.3 */, TLS_AUTH_OTHER };
enum tls_suite_exchange {
	TLS_EXCHANGE_RSA,
	TLS_EXCHANGE_DHE,
	TLS_EXCHANGE_ECDHE,
	TLS_EXCHANGE_ANY, /* TLS 1.3 */
	TLS_EXCHANGE_OTHER,
};
enum tls_suite_kind {
	TLS_SUITE_USUAL, /* OpenSSL has it */
	TLS_SUITE_3DES,
	TLS_SUITE_RC4,
	TLS_SUITE_EXPORT,
	TLS_SUITE_FORGOTTEN, /* single DES, NULL, IDEA, SEED */
	TLS_SUITE_SIGNAL,    /* SCSV, GREASE: no suite */
	TLS_SUITE_UNKNOWN,
};
struct tls_suite {
	uint16_t number;
	enum tls_suite_auth auth;
	enum tls_suite_exchange exchange;
	enum tls_suite_kind kind;
};
struct tls_suite tls_suite_get(uint16_t number);
/* The number of a name as OpenSSL, IANA or GnuTLS writes it, or of "0xc02f". false: nobody knows
 * it. */
bool tls_suite_find(struct span name, uint16_t *ret);

/* What a signature algorithm (RFC 8446 4.2.3) can be made with. */
struct tls_signature {
	uint16_t number;
	const char *name;
	enum tls_key_type key; /* OTHER: RSA-PSS keys, DSA */
	uint16_t group;        /* with TLS 1.3 ECDSA only on this curve; 0: any */
	bool in_13;            /* may be used for TLS 1.3's CertificateVerify */
	bool weak;             /* SHA-1 or MD5 */
};
/* NULL if nobody knows it. */
const struct tls_signature *tls_signature_find(uint16_t number);
const struct tls_signature *tls_signature_named(struct span name);

/* "X25519"; "0x1234" if nobody knows it, then valid until the eighth next call of this thread. */
const char *tls_group_text(uint16_t group);
/* The number of such a name; false: nobody knows it. */
bool tls_group_find(struct span name, uint16_t *ret);
