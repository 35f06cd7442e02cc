/*
 * Inside the explanation engine: what a failed handshake looks like once it is put side by side
 * with the set (why.c), the replay (replay.c) and the table of causes (causes.tbl.h).
 */
#pragma once
#include "tls/explain.h"
#include "tls/names.h"
#include "tls/tls_priv.h"

/* ---- names.c, beside tls/names.h ---- */

/* The security level and versions aside: is it among those of ctx? */
bool suite_is_allowed(SSL_CTX *ctx, uint16_t number);
uint16_t group_of_key(EVP_PKEY *key); /* of an ECDSA key; 0: none that TLS has a number for */

#define SUITE_FALLBACK_SCSV 0x5600
/* RFC 8701: numbers that mean nothing, sent to keep servers tolerant. */
bool tls_is_grease(uint16_t number);

enum { TLS_CERTIFICATE = 11, TLS_CERTIFICATE_REQUEST = 13 };
enum { TLS_NO_ALERT = 0xff };

/* ---- why.c: facts and set, side by side ---- */

enum obstacle {
	OBSTACLE_NONE,
	OBSTACLE_VERSION,       /* no version in common */
	OBSTACLE_SUITE,         /* the peer offers no suite with its authentication */
	OBSTACLE_SUITE_OURS,    /* it does, but none that we allow */
	OBSTACLE_GROUPS,        /* those need a group, and none is common */
	OBSTACLE_DH,            /* those need DH parameters */
	OBSTACLE_NO_SIGNATURES, /* TLS 1.2 without signature algorithms: SHA-1 */
	OBSTACLE_SHA1,          /* only weak ones for this key */
	OBSTACLE_SIGNATURE,     /* none for this key */
	OBSTACLE_CURVE,         /* TLS 1.2: the key's curve is not among the peer's groups */
	/* TLS 1.3: signatures on the key's curve are not among the peer's */
	OBSTACLE_CURVE_13,
	OBSTACLE_LEVEL, /* TLS 1.0 and 1.1 need SHA-1 */
};

struct why {
	const struct tls_facts *facts;
	struct tls_set *set; /* NULL: the server's side is not known */
	SSL_CTX *ctx;        /* likewise */
	const struct tls_circumstances *around;
	int64_t now_s;
	struct arena arena; /* of the hello, and of texts under way */
	struct span bytes;  /* the peer's first ones */
	/* The peer's offer; has_hello is false for clients' facts. */
	bool has_hello;
	struct tls_hello hello;
	uint16_t theirs_min, theirs_max;
	struct tls_suite *suites; /* without signals */
	unsigned suites_n;
	bool fallback_scsv;
	/* Ours. */
	uint16_t ours_min, ours_max, version; /* version: what both have, 0: none */
	const struct tls_slot *slot;          /* of the name asked for; NULL: no pairs at all */
	const struct pair *pairs[TLS_KEY_TYPES_MAX];
	enum obstacle obstacles[TLS_KEY_TYPES_MAX];
	unsigned pairs_n;
};
void why_init(struct why *w, const struct tls_facts *facts, struct tls_set *set,
	const struct tls_circumstances *around);
void why_done(struct why *w);
/* our ServerHello was sent: what follows is the peer's opinion */
bool why_answered(const struct why *w);
/* Reason code of OpenSSL's own last error; 0 if there is none. */
int why_reason(const struct why *w);
bool why_has_auth(const struct why *w,
	enum tls_suite_auth auth); /* a usual suite of TLS 1.2 or below with it is offered */
/* A strong signature algorithm for such a key, usable with the common version. */
bool why_verifies(const struct why *w, enum tls_key_type key);
/* All suites that both allow need a group, and none is common; whatever our certificates are. */
bool why_needs_group(const struct why *w);
bool why_any_obstacle(const struct why *w, enum obstacle o);
/* served for the name; NULL: none */
const struct pair *why_pair(const struct why *w, enum tls_key_type key);
/* A handshake message of that type was sent (RFC 8446 B.3). */
bool why_sent(const struct why *w, unsigned message);
/* The peer is gone: it closed, or reset the connection. */
bool why_has_left(const struct why *w);
struct span why_name(const struct why *w);   /* asked for, else the first of the pairs, else "-" */
const char *why_served(const struct why *w); /* "RSA and ECDSA" */
void obstacle_text(enum obstacle o, const struct pair *p, struct tls_obstacle *ret);

/* ---- replay.c ---- */

enum change {
	CHANGE_RSA = 1,       /* an RSA pair beside the others */
	CHANGE_ECDSA = 2,     /* an ECDSA pair on P-256 */
	CHANGE_SUITES = 4,    /* all suites that OpenSSL has */
	CHANGE_GROUPS = 8,    /* all groups */
	CHANGE_VERSIONS = 16, /* TLS 1.0 to 1.3 */
	CHANGE_LEVEL = 32,    /* security level 0 */
	CHANGE_DH = 64,       /* DH parameters */
};
/* The name of the suite that the hello gets with these changes (of enum change), NULL: it fails. */
const char *replay(const struct why *w, unsigned changes);
/* "an RSA certificate and ..." */
void changes_text(unsigned changes, enum fault_lang lang, struct buf *out);

/* ---- causes.tbl.h ---- */

/* A cause that applies: its code set, evidence added; change: of the row, or as the predicate knows
 * better. */
struct found {
	struct fault fault;
	unsigned change; /* that would lift it; 0: nothing here could */
};
enum {
	CAUSE_FINAL = 1, /* nothing behind it is looked at */
	CAUSE_LAST = 2,  /* looked at only if nothing before it applies */
};
