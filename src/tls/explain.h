/*
 * Why a handshake failed: facts in, ranked causes out.
 *
 * "no shared cipher" is what OpenSSL says about more than twenty different set-ups, and the suites
 * that both sides know say nothing about the certificate. So the engine computes the overlap
 * itself: (offered suites) x (version) x (what each certificate can authenticate) x (signature
 * algorithms) x (groups) x (security level), from the raw ClientHello that the facts keep.
 *
 * Each cause is a row of tls/causes.tbl.h: its code, a small predicate that looks at the
 * facts and adds evidence, and the change that would lift it. Texts live in base/fault_tls.tbl.h
 * like those of all codes, so the log line, `torhaus explain CODE` and the page say the same. The
 * rows stand in the order of decision: not TLS, malformed, version, fallback, name and protocol,
 * each certificate, groups, suites; after our ServerHello the peer's opinion (its alert, weighed
 * against the facts of our own chain, since GnuTLS says 42 about everything), then where it left.
 * What the surroundings know (the same peer's earlier failure, bytes behind STARTTLS) comes with
 * struct tls_circumstances.
 *
 * Proof. The kept ClientHello is replayed in memory against the same context, certificates and
 * name, with the row's change made (such as an RSA certificate beside the others). It counts as
 * success when our whole flight was written: ServerHello, Certificate and what signs the exchange,
 * up to ServerHelloDone (TLS 1.2) or Finished (TLS 1.3). More cannot be had: the client's answer
 * needs its keys. A HelloRetryRequest proves nothing and is not counted. Where several rows hit,
 * the replay tells them apart: a change that suffices alone names the cause; if none does, two that
 * suffice together are both named.
 *
 * Pure but for tls_explain_in_task(): no sockets, no clock but the caller's now_s, no logging;
 * nothing is kept. A replay costs about as much CPU as a handshake; at most TLS_REPLAYS_MAX of them
 * an explanation.
 */
#pragma once
#include "tls/hello.h"
#include "tls/tls.h"

#define TLS_CAUSES_MAX  4
#define TLS_REPLAYS_MAX 12

/* What the surroundings know. Zero: nothing. Everything is borrowed. */
struct tls_circumstances {
	int64_t now_s;    /* wall seconds; 0: now */
	struct span name; /* that we asked for, as a client */
	/* bytes that came behind STARTTLS before our 220: row TLS-PIPELINED */
	struct span pipelined;
	/* the server's refusal of STARTTLS, or its EHLO without it (we are the client) */
	struct span starttls_reply;
	/* the peer came without TLS although it is required; see earlier */
	bool plaintext;
	const struct fault *earlier; /* the cause of the same peer's earlier failed handshake */
	int64_t earlier_ago_s;
	/* a TLSA record of the name, and whether it covers the served certificate */
	bool tlsa_published, tlsa_matches;
	bool mta_sts_enforced; /* our domain has an MTA-STS policy in mode enforce */
	bool no_replay;        /* explain from the facts alone */
};

/* What keeps one of our certificates from serving this peer. */
struct tls_obstacle {
	const struct tls_pair *pair; /* borrowed from the set */
	bool usable;
	const char *why_en, *why_de; /* "the peer offers no suite for its key type" */
};

struct tls_explanation {
	unsigned causes_n;                   /* at least 1 */
	struct fault causes[TLS_CAUSES_MAX]; /* the best first */
	unsigned obstacles_n;
	/* the pairs of the name that the peer asked for */
	struct tls_obstacle obstacles[TLS_KEY_TYPES_MAX];
	/* the replay with the remedy of the first cause (and the second, if both are needed)
	 * succeeded */
	bool proven;
	unsigned proof_n;  /* how many of the causes had to be lifted for that: 1 or 2 */
	const char *suite; /* with this suite */
	unsigned replays;  /* how many were made */
};

/* Explains a handshake that failed. The first replay with an RSA certificate added makes its
 * key, which takes up to a second. facts as tls_accept_for() left them; set is what it was made
 * against (NULL: we were the client, or nothing is known of the server's side). circumstances may
 * be NULL. */
void tls_explain(const struct tls_facts *facts, struct tls_set *set, const struct tls_circumstances *circumstances,
	struct tls_explanation *ret);
/* The same from a task, on a helper thread where it may take CPU (a replay costs about as much as a
 * handshake); when others are being explained already, from the facts alone, so that failing on
 * purpose costs little. Suspends. */
void tls_explain_in_task(const struct tls_facts *facts, struct tls_set *set,
	const struct tls_circumstances *circumstances, struct tls_explanation *ret);
/* Would a client with this hello (raw bytes) reach the set for this use? true: *ret_suite says with
 * what; false: *ret says why not, with the facts of the attempt. */
bool tls_explain_hello(struct span hello, enum tls_use use, struct tls_set *set, const char **ret_suite,
	struct tls_explanation *ret);

/* A client's suites beside those of a set. That a suite stands in both lists says little: up to TLS
 * 1.2 it also takes a certificate of the suite's kind. */
struct tls_offer {
	unsigned suites_n; /* offered, signals and GREASE aside */
	/* of them: authenticated with RSA, with ECDSA, with either (TLS 1.3) */
	unsigned rsa_n, ecdsa_n, any_n;
	/* that nobody has any more (RC4, 3DES, export); counted above, too */
	unsigned past_n;
	unsigned common_n;             /* that the set's side allows, too */
	unsigned usable_n;             /* of those, that a certificate can serve */
	uint16_t version, version_max; /* in common (0: none); the client's highest */
	char name[256];                /* asked for; "" if none */
	unsigned obstacles_n;
	/* as in an explanation, also where the handshake succeeds */
	struct tls_obstacle obstacles[TLS_KEY_TYPES_MAX];
};
/* false: no ClientHello. */
bool tls_explain_offer(struct span hello, enum tls_use use, struct tls_set *set, struct tls_offer *ret);
/* A member `name` of the document under way: causes with evidence and sentences in both languages,
 * certificates, proof. */
void tls_explanation_json(struct jsonw *j, const char *name, const struct tls_explanation *e);

/* A suite's name as OpenSSL writes it, also of those that it forgot (RC4-SHA); "0x1234" if nobody
 * knows it. Valid until the eighth next call of this thread. */
const char *tls_suite_text(uint16_t suite);
/* "TLS 1.2"; "unknown" */
const char *tls_version_text(uint16_t version);
/* "handshake_failure"; 0xff: "none" */
const char *tls_alert_text(uint8_t alert);
