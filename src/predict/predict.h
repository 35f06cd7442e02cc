/*
 * Would they get through? Clients, real and supposed, against certificates.
 *
 * A client is its ClientHello: kept from a session, captured by tcpdump, or supposed from a list of
 * suites. The answer comes from the replay of tls/explain.h, not from comparing lists: that a suite
 * stands on both sides says nothing about whether a certificate can serve it.
 *
 * What is supposed: a list of suites is not a whole hello. The rest is what clients of such lists
 * send: TLS 1.3 if the list has suites of it, else at most TLS 1.2; the groups X25519, P-256, P-384
 * and P-521; all signature algorithms with SHA-256 and up, for RSA and ECDSA. Who prints an answer
 * says so.
 *
 * Captures: a ClientHello as bytes (with or without its record header), the same in hexadecimal
 * (blanks, colons, commas and 0x allowed), or a file of tcpdump (pcap, pcapng; Ethernet, Linux
 * "any", raw IP, loopback), in which the first complete hello of a TCP stream is taken, also where
 * its segments came twice or out of order.
 */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/fault.h"
#include "io/net.h"
#include "tls/tls.h"

#define PREDICT_SUITES_MAX     512
#define PREDICT_GROUPS_MAX     64
#define PREDICT_SIGNATURES_MAX 64
#define PREDICT_CAPTURE_MAX    (64 * 1024 * 1024)

struct predict_client {
	struct span hello;   /* raw records, in the arena */
	bool supposed;       /* from a list of suites */
	unsigned suites_n;   /* of the list */
	unsigned unknown_n;  /* names of the list that nobody knows; left out */
	struct span unknown; /* the first of them, "A, B", made safe to print */
	bool with_13;        /* the list has suites of TLS 1.3 */
	/* in a capture by tcpdump: how many there are; this is the first */
	unsigned hellos_n;
	char from[NET_ADDR_SIZE]; /* likewise: who sent it; "" elsewhere */
};

/* A list of names as OpenSSL, IANA, GnuTLS, Java (SSL_RSA_WITH_…) or Windows (…_P256) writes them,
 * or numbers (0xc02f, or its bytes 0xc0,0x2f), separated by colons, commas or white space; # begins
 * a comment. name: asked for (SNI); may be empty. 0, or -EINVAL with TLS-SUITES-UNKNOWN: none of
 * the names is known. */
int predict_from_suites(struct span list, struct span name, struct arena *a, struct predict_client *ret,
	struct fault *fault);
/* 0, or -EINVAL with TLS-HELLO-NOT-FOUND (without its fact file). */
int predict_from_capture(struct span bytes, struct arena *a, struct predict_client *ret, struct fault *fault);
/* The lists of a server, as OpenSSL wants them set: of TLS 1.2 and below, and of TLS 1.3; names
 * that it does not have are left out. */
void predict_server_suites(struct span list, struct buf *ret_12, struct buf *ret_13);

/* ---- peers ---- */

/*
 * The kept peers (store/evidence.h) against two sets of certificates: as it is, and as it would be.
 * Each kept ClientHello is replayed against both, equal ones once. A peer breaks if one of its
 * hellos gets through to the set that is, and not to the one that would be.
 */

struct store;
struct predict_breaker {
	struct span network, helo, address;
	int64_t last_at;
	uint64_t mails, mails_recent; /* delivered since it is kept, and in the last 30 days */
	unsigned hellos, broken;      /* kinds of hello that it has, and that would fail */
	/* it gets through if the old certificates stay beside the new ones */
	bool kept_old_helps;
	struct fault cause; /* of the first that would fail */
};
struct predict_result {
	unsigned peers, hellos;   /* that were asked; hellos: different ones */
	unsigned broken, failing; /* peers that would break; that fail already */
	unsigned mended;          /* peers that fail now and would get through */
	uint64_t mails_recent;    /* of those that break */
	/* with the old certificates beside the new ones nobody breaks */
	bool keeping_helps;
	struct predict_breaker *breakers; /* the one with the most mail first; in the arena */
	unsigned breakers_n;              /* at most PREDICT_BREAKERS_MAX */
};
#define PREDICT_BREAKERS_MAX 1000
/* now: NULL: whose hellos got through before, by what is kept, as at a start. use: what the sets
 * serve. both: old and new certificates side by side (NULL: not asked). Blocking, and about 2 ms of
 * CPU for each different hello. 0 or -errno with fault (STORE-*). */
int predict_peers(struct store *store, enum tls_use use, struct tls_set *now, struct tls_set *then,
	struct tls_set *both, struct arena *a, struct predict_result *ret, struct fault *fault);
/* The same for a log's peers, which is an approximation: those only seen with RSA break if no RSA
 * certificate is left, those only seen with ECDSA (up to TLS 1.2) if none of those is. */
struct logs;
void predict_logs(const struct logs *logs, struct tls_set *now, struct tls_set *then, struct arena *a,
	struct predict_result *ret);

/*
 * The same for the servers of a scan, another approximation: each is taken for a client that knows
 * what it accepts as a server. Its versions, suites and groups are those of the scan. Its signature
 * algorithms, too, but what a server can show depends on its own key: where it has no certificate
 * of a type, the usual ones of that type are added, and with TLS 1.3 the usual ones of both, which
 * every library with TLS 1.3 knows. Who speaks TLS 1.2 at most and has an RSA certificate only is
 * so taken to know RSA only. A quick scan saw one answer each: the usual groups and signature
 * algorithms are added, and its suites are few.
 */
struct fleet;
struct fleet_host;
/* The supposed hello, in the arena, and a fingerprint that equal ones share; false: the scan tells
 * too little. */
bool predict_from_server(const struct fleet_host *h, struct arena *a, struct span *ret_hello,
	uint8_t ret_fingerprint[32]);
/* As predict_peers(); ret->peers: servers that could be judged. mails: none are known. */
void predict_servers(const struct fleet *f, enum tls_use use, struct tls_set *now, struct tls_set *then,
	struct tls_set *both, struct arena *a, struct predict_result *ret);
