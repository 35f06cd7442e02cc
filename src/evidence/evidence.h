/*
 * Evidence: what came of every handshake and mail, kept for people. From it `torhaus mail peers`
 * says who comes how, `torhaus mail report` shows that a domain's mail came encrypted (GDPR Art.
 * 32), `torhaus cert predict` asks the kept ClientHellos whom a new certificate would break, and
 * the gateway names a peer's earlier failure when it then comes without TLS.
 *
 * The gateway calls and goes on: whatever is said here is added up in memory under a mutex, in a
 * few microseconds, and the worker's writer (store/writer.h) takes it to the store about once a
 * second, each batch in one transaction. Nothing here suspends, and nothing waits for the store.
 *
 * What is added up (struct store_peer and its neighbours in store/evidence.h):
 *   peers      by network (GUARD_SITE) and EHLO name: counts, the last version and suite,
 *              the last fault, and up to 4 distinct ClientHellos. Distinct is by what is offered
 *              (versions, suites, groups, signature algorithms, ALPN, name), not by bytes, which
 *              are new in every hello.
 *   failures   of handshakes, by peer, code and hour, with the evidence and the proof of the remedy
 *   refusals   of mail for want of encryption (and, where a domain only reports, what would have
 *              been refused), by peer, sender, recipient and hour
 *   mails      by domain, day, TLS version and suite, TLS of the backend's hop, and verdict
 *   graces     since when a peer tries without TLS for a domain
 *   certificates   that served the mail edge's name, from when to when
 *
 * When the store fails (locked, full, read-only, damaged, gone), what was added up stays in memory
 * and is written once the store works again. Up to EVIDENCE_BYTES_MAX wait; beyond that what is new
 * is dropped and counted, while counts of what is known go on; evidence_fault() tells both. A
 * worker that is killed takes what it did not write yet, about a second's worth.
 *
 * A flood costs bounded memory here and bounded rows there (store/evidence.h): what one network can
 * write in an hour is limited, and the oldest goes first.
 */
#pragma once
#include "base/jsonw.h"
#include "domain/domain.h"
#include "io/net.h"
#include "store/evidence.h"
#include "tls/explain.h"

#define EVIDENCE_BYTES_MAX ((size_t)16 << 20) /* of what is added up and waits for the store */
/* how long a failed handshake explains plaintext (row 70) */
#define EVIDENCE_EARLIER_S 600
/* a peer that did not try without TLS for so long begins anew */
#define EVIDENCE_FORGET_S   (30 * 86400)
#define EVIDENCE_RECENT_MAX 1024 /* failures that evidence_earlier() knows */
#define EVIDENCE_GRACES_MAX STORE_GRACES_MAX

struct evidence;
struct writer;

/* Remembers nothing yet, and becomes a client of the writer, which has not been started: that reads
 * what a worker before this one wrote. Does not block. */
struct evidence *evidence_new(struct writer *writer);
struct evidence *evidence_free(struct evidence *e); /* the writer is stopped; NULL is fine */

/* Everything below: any thread; texts are copied and made safe; e may be NULL: then nothing. */

struct evidence_peer {
	const struct net_addr *addr;
	struct span helo; /* as said; empty before EHLO */
};

/* A handshake succeeded. hello: the peer's first bytes (tls_facts.hello), may be empty. now: wall
 * seconds, here and below. */
void evidence_handshake(struct evidence *e, const struct evidence_peer *p, const struct tls_info *tls,
	struct span hello, int64_t now);
/* A handshake failed, and why. */
void evidence_failed(struct evidence *e, const struct evidence_peer *p, const struct tls_explanation *why,
	struct span hello, int64_t now);
/* Did the same peer fail within the last EVIDENCE_EARLIER_S: the same address and EHLO name, or
 * else the same name from the same network, or else the address before it said a name? The latest
 * such failure's first cause, and how long ago. */
bool evidence_earlier(struct evidence *e, const struct evidence_peer *p, int64_t now, struct fault *ret,
	int64_t *ret_ago_s);
/* The peer tries without TLS for a domain that requires it: the seconds since it did so first (0:
 * now), for the grace. Survives the worker. A mail of the same peer for that domain that came
 * encrypted ends it (evidence_mail()). */
int64_t evidence_plaintext(struct evidence *e, const struct evidence_peer *p, struct span domain, int64_t now);

/* A recipient was refused (or put off) for want of encryption. */
struct evidence_refusal {
	struct evidence_peer peer;
	struct span domain, sender, recipient; /* recipient: the mailbox; sender empty: <> */
	enum fault_code code;                  /* ours */
	/* of the failed handshake before; FAULT_NONE: none is known */
	enum fault_code earlier;
	int64_t at;
};
void evidence_refused(struct evidence *e, const struct evidence_refusal *r);

/* A message ended: taken, refused or put off by the backend (or for its sake). */
enum evidence_verdict { EVIDENCE_DELIVERED, EVIDENCE_REFUSED, EVIDENCE_DEFERRED };
struct evidence_mail {
	struct evidence_peer peer;
	struct span domain, sender, recipient; /* recipient: one of them */
	unsigned recipients;
	uint64_t bytes;
	const char *version, *suite; /* of the client's TLS ("TLSv1.3"); NULL: none */
	/* TLS version towards the backend; "local": in the clear, within this machine; NULL: none
	 * */
	const char *hop;
	/* the strictest among the recipients: REPORT has a mail without TLS written down */
	enum domain_tls policy;
	enum evidence_verdict verdict;
	int64_t at;
};
void evidence_mail(struct evidence *e, const struct evidence_mail *m);

/* These certificates serve name now (those of set that a peer asking for it gets). To be called
 * when the set changed, and from time to time: then they are seen to be served still. */
void evidence_certificates(struct evidence *e, const struct tls_set *set, struct span name, int64_t now);

/* ---- state ---- */

/* Is something not as it should be? The fault: what waits because the store fails, or what was
 * lost. */
bool evidence_fault(struct evidence *e, struct fault *ret);
/* Object "evidence" of the status. */
void evidence_json(struct evidence *e, struct jsonw *j);
