/*
 * TLS on the wire as the prober speaks it: a ClientHello written by hand, a server's first flight
 * read. Pure.
 *
 * No cryptography: up to TLS 1.2 version, suite, group, signature algorithm and the whole
 * certificate chain come in plain text, and with TLS 1.3 a hello without key shares is answered by
 * a HelloRetryRequest, which tells version, suite and group. So SSL 2, SSL 3, RC4, 3DES and export
 * suites are seen, too, which OpenSSL no longer speaks.
 *
 * RFC 8446 4.1 and 4.2, RFC 5246 7.4, RFC 4346, RFC 6101 (SSL 3), RFC 8422 5.4 (ECDHE), RFC 7685
 * (padding), RFC 5746; the SSL 2 hello as in Netscape's draft of 1995.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

#define WIRE_SSL2  0x0002
#define WIRE_SSL3  0x0300
#define WIRE_TLS10 0x0301
#define WIRE_TLS11 0x0302
#define WIRE_TLS12 0x0303
#define WIRE_TLS13 0x0304

/* ---- writing ---- */

struct wire_list {
	const uint16_t *v;
	unsigned n;
};
#define WIRE_HELLO_MAX 2048
#define WIRE_LIST_MAX  256 /* entries of a list */
/* Lists are borrowed, in the order of preference. */
struct wire_hello {
	uint16_t version; /* the highest that is offered */
	/* TLS 1.3: nothing beside it; else 1.2, 1.1 and 1.0, too. Lower ones always allow what lies
	 * below */
	bool only;
	struct wire_list suites;     /* SSL 2 takes none: it is offered all seven of its own */
	struct wire_list groups;     /* v == NULL: no such extension */
	struct wire_list signatures; /* likewise; sent from TLS 1.2 on */
	/* server_name; empty: none. Not with SSL 2 and 3, which have no extensions */
	struct span name;
};
/* Appends the records. out has room for WIRE_HELLO_MAX. random: 32 bytes and, for TLS 1.3, the
 * session id's 32. */
void wire_hello_write(const struct wire_hello *h, const uint8_t random[64], struct buf *out);
/* The alert of a client that leaves: user_canceled (90), then close_notify, as warnings (RFC 8446
 * 6.1). */
void wire_goodbye_write(uint16_t version, struct buf *out);

/* ---- reading ---- */

#define WIRE_FLIGHT_MAX 65536 /* bytes of a handshake */
#define WIRE_CHAIN_MAX  10
#define WIRE_NO_ALERT   0xff
struct wire_flight {
	uint16_t version; /* chosen; 0: no ServerHello came (yet) */
	bool retry;       /* it was a HelloRetryRequest */
	/* ServerHelloDone came, or the hello of TLS 1.3: all that is in plain text */
	bool whole;
	uint16_t suite; /* chosen */
	/* of ServerKeyExchange or HelloRetryRequest; 0: none, or an explicit curve */
	uint16_t group;
	uint16_t signature; /* of a TLS 1.2 ServerKeyExchange; 0: none */
	unsigned dh_bits;   /* of a classic DH group; 0: none */
	bool has_exchange;  /* a ServerKeyExchange came */
	bool secure_renegotiation;
	bool extended_master_secret;
	bool compression;       /* it chose to compress (CRIME) */
	bool wants_client_cert; /* a CertificateRequest came */
	uint8_t alert;          /* description; WIRE_NO_ALERT: none came */
	uint8_t alert_level;    /* 1 warning, 2 fatal */
	/* certificates, the leaf first; more than WIRE_CHAIN_MAX are left out */
	unsigned chain_n;
	struct span chain[WIRE_CHAIN_MAX]; /* DER, in the arena */
	size_t chain_bytes;                /* of the whole Certificate message */
	struct span v2_suites;             /* SSL 2: three bytes each */
};
/*
 * Looks at all bytes that came so far. 1: this is the whole answer (ServerHelloDone, a ServerHello
 * of TLS 1.3, a HelloRetryRequest, a fatal alert, SSL 2's hello); 0: more is to come, ret tells
 * what is there. -EPROTO: not TLS, or malformed; -EMSGSIZE: longer than WIRE_FLIGHT_MAX. What ret
 * borrows lies in a.
 */
int wire_flight_read(struct span bytes, struct arena *a, struct wire_flight *ret);
/* How many bytes must be there before a look can tell more: the end of the record under way; not
 * more than there are if none is. */
size_t wire_flight_need(struct span bytes);
