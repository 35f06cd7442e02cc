/*
 * What the mail edge keeps in the store: peers with their ClientHellos, failed handshakes, refused
 * plaintext, counts of mails. (Who feeds it, and why it looks so: evidence/evidence.h.)
 *
 * Everything is additive: store_*_add() gives what is new since the last time, the store adds it to
 * the row with the same key. Texts are UTF-8 without control bytes and bounded by the caller. Times
 * are wall seconds; days begin at midnight UTC.
 *
 * Bounds. They hold after each store_evidence_trim(), which the writer calls before it commits:
 *   peers       STORE_PEERS_MAX, of one network STORE_PEERS_PER_NETWORK; hellos of a peer
 *               STORE_PEER_HELLOS; the oldest go
 *   hellos      STORE_HELLOS_MAX, STORE_HELLOS_BYTES; several peers may share one
 *   graces, certificates   STORE_GRACES_MAX, STORE_CERTIFICATES_MAX
 *   failures, refusals   STORE_ROWS_MAX each; of one network in an hour (and for one domain)
 *               STORE_ROWS_PER_HOUR, what comes then is added to a row whose EHLO name, sender and
 *               recipient are "*"
 * Ages: rows go after STORE_ROWS_DAYS, counts, peers and certificates after STORE_COUNTS_DAYS,
 * graces after STORE_GRACE_DAYS; in batches, by store_evidence_expire().
 *
 * Readers see one consistent view a call. Strings and bytes are borrowed during fn; non-zero from
 * fn ends the reading and is returned.
 */
#pragma once
#include "store/store.h"

struct arena;

#define STORE_PEERS_MAX         20000
#define STORE_PEERS_PER_NETWORK 64
#define STORE_PEER_HELLOS       4
#define STORE_HELLOS_MAX        10000
#define STORE_HELLO_BYTES       (66 * 1024)
#define STORE_HELLOS_BYTES      (64 << 20) /* of all of them */
#define STORE_ROWS_MAX          100000
#define STORE_ROWS_PER_HOUR     32
#define STORE_GRACES_MAX        10000
#define STORE_CERTIFICATES_MAX  2000
#define STORE_ROWS_DAYS         90
#define STORE_COUNTS_DAYS       400
#define STORE_GRACE_DAYS        30
#define STORE_RECENT_DAYS       30
#define STORE_EXPIRE_BATCH      500 /* rows of each kind a call */

/* A ClientHello of a peer. */
#define STORE_FINGERPRINT 16
struct store_hello {
	uint8_t fingerprint[STORE_FINGERPRINT]; /* of what it offers */
	/* the records, the last that was seen; as tls_explain_hello() takes them */
	struct span bytes;
	uint64_t succeeded, failed; /* handshakes of this peer with it */
	int64_t first_at, last_at;
};
struct store_peer {
	struct span network, helo; /* the key: "192.0.2.0/24", "mx.example.com" */
	struct span address;       /* the last */
	int64_t first_at, last_at;
	uint64_t handshakes, failures; /* TLS that succeeded, that failed */
	uint64_t refusals;             /* recipients refused for want of TLS */
	uint64_t mails, mails_clear;   /* delivered, and of them without TLS */
	/* read: delivered in the last STORE_RECENT_DAYS, today included */
	uint64_t mails_recent;
	struct span version, suite, key; /* of the last handshake that succeeded; empty: none */
	int64_t failed_at;               /* of the last failure; 0: none */
	struct span fault;               /* its cause, fault_pack(); to fault_unpack() */
	/* the suite with which the remedy was proven to work, or empty */
	struct span proof;
};
/* 0 or -errno with fault, as all functions here. hellos: n of them. */
int store_peer_add(struct store *s, const struct store_peer *p, const struct store_hello *hellos, unsigned n,
	struct fault *fault);

struct store_failure {
	struct span network, helo, address;
	int64_t first_at, last_at; /* within one hour */
	uint64_t times;
	struct span code;        /* "TLS-NO-RSA-CERT" */
	struct span fault, also; /* fault_pack(); also: a second cause, or empty */
	struct span proof;
};
/* Key: network, EHLO name, code and hour. */
int store_failure_add(struct store *s, const struct store_failure *f, struct fault *fault);

struct store_refusal {
	struct span domain, network, helo, address;
	struct span sender, recipient;
	int64_t first_at, last_at;
	uint64_t times;
	struct span code;    /* ours; empty: it was taken, because the domain only reports */
	struct span earlier; /* code of the failed handshake before, or empty */
};
/* Key: domain, network, EHLO name, sender, recipient, code and hour. */
int store_refusal_add(struct store *s, const struct store_refusal *r, struct fault *fault);

struct store_mail {
	struct span domain;
	int64_t day;                /* since 1970 */
	struct span version, suite; /* empty: without TLS */
	/* TLS version to the backend; "local": without, within the machine; empty: without */
	struct span hop;
	struct span verdict; /* "delivered", "refused", "deferred" */
	uint64_t mails, recipients, bytes;
};
/* Key: all but the counts. */
int store_mail_add(struct store *s, const struct store_mail *m, struct fault *fault);

/* Since when a peer tries to bring mail for a domain without TLS. first_at 0: it does so no more,
 * the row goes. */
struct store_grace {
	struct span network, helo, domain;
	int64_t first_at, last_at;
};
/* Key: network, EHLO name and domain. */
int store_grace_put(struct store *s, const struct store_grace *g, struct fault *fault);

/* A certificate that served a name of the mail edge. */
struct store_certificate {
	uint8_t sha256[32]; /* of the leaf */
	struct span name;
	struct span key; /* "RSA" */
	uint64_t bits;
	struct span issuer;
	bool self_signed;
	int64_t not_before, not_after;
	int64_t first_at, last_at; /* seen to be served */
};
/* Key: sha256 and name. */
int store_certificate_add(struct store *s, const struct store_certificate *c, struct fault *fault);

/* Within the transaction of the additions: back to the bounds. */
int store_evidence_trim(struct store *s, struct fault *fault);
/* Drops a batch of what is too old at now; how many rows that were. */
int store_evidence_expire(struct store *s, int64_t now, uint64_t *ret_rows, struct fault *fault);

/* ---- reading ---- */

/* Each row is borrowed; who keeps a copy moves its texts into the arena. */
void store_peer_keep(struct arena *a, struct store_peer *p);
void store_hello_keep(struct arena *a, struct store_hello *h);
void store_failure_keep(struct arena *a, struct store_failure *f);
void store_refusal_keep(struct arena *a, struct store_refusal *r);
void store_certificate_keep(struct arena *a, struct store_certificate *c);

/* Peers, the last seen first. failed: only those whose handshakes failed. */
typedef int store_peer_fn(void *arg, const struct store_peer *p);
int store_peer_each(struct store *s, bool failed, store_peer_fn *fn, void *arg, struct fault *fault);
/* Every hello of every peer: peers in the order of their networks and names, their hellos the last
 * seen first. */
typedef int store_hello_fn(void *arg, const struct store_peer *p, const struct store_hello *h);
int store_hello_each(struct store *s, store_hello_fn *fn, void *arg, struct fault *fault);
/* What began at from or later and before to, in the order of time. */
typedef int store_failure_fn(void *arg, const struct store_failure *f);
int store_failure_each(struct store *s, int64_t from, int64_t to, store_failure_fn *fn, void *arg, struct fault *fault);
typedef int store_refusal_fn(void *arg, const struct store_refusal *r);
int store_refusal_each(struct store *s, struct span domain, int64_t from, int64_t to, store_refusal_fn *fn, void *arg,
	struct fault *fault);
/* Days from first to last, both included. */
typedef int store_mail_fn(void *arg, const struct store_mail *m);
int store_mail_each(struct store *s, struct span domain, int64_t first, int64_t last, store_mail_fn *fn, void *arg,
	struct fault *fault);
/* Those of name that were served between from and to, in the order in which they came. */
typedef int store_certificate_fn(void *arg, const struct store_certificate *c);
int store_certificate_each(struct store *s, struct span name, int64_t from, int64_t to, store_certificate_fn *fn,
	void *arg, struct fault *fault);
typedef int store_grace_fn(void *arg, const struct store_grace *g);
int store_grace_each(struct store *s, store_grace_fn *fn, void *arg, struct fault *fault);
/* When the oldest of all that is kept was seen (of counts: the midnight before); 0: nothing is
 * kept. */
int store_evidence_since(struct store *s, int64_t *ret, struct fault *fault);
