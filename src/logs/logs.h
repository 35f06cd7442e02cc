/*
 * Mail logs: which peers fail at TLS and why, what followed, and what they speak.
 *
 * Read are the logs of Exim (built with OpenSSL or GnuTLS; also through syslog), Postfix (whose
 * lines about one connection are joined by the process's number) and torhaus itself, mixed at will;
 * plain, gzip or zstd. Lines of other programs cost little more than their line ends; they are
 * counted, for a log of which nothing was understood is no all-clear.
 *
 * Streaming, in constant memory: at most LOGS_PEERS_MAX peers (by address) are kept. When a new one
 * comes, the one that was seen longest ago goes, first among those without failures; logs_totals()
 * tells how many went, so that nobody takes a count for more than it is. A peer keeps up to
 * LOGS_USES_MAX versions and suites and LOGS_CAUSES_MAX causes; what does not fit is counted.
 *
 * What followed a failure: a mail or a refused recipient of the same address without TLS within
 * LOGS_FALLBACK_S.
 *
 * Causes are read from the words of the TLS library, which are often not enough ("no shared cipher"
 * has more than twenty causes): then the cause is a guess from what the peer, or its siblings of
 * the same domain, were seen to speak, and is marked as one. Outbound connections show what the
 * peer's servers do; that its clients do the same is a guess, too.
 *
 * Times: Exim's are local unless they carry a zone; those of classic syslog have no year, and get
 * the latest that does not lie past the file's last change.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/fault.h"
#include "tls/tls.h"

#define LOGS_PEERS_MAX  32768
#define LOGS_USES_MAX   6
#define LOGS_CAUSES_MAX 3
#define LOGS_FALLBACK_S 600
#define LOGS_TEXT       96 /* bytes of a name or reason that are kept, with its NUL */

struct logs;
/* since: what is older (wall seconds) is left out; 0: nothing. peers_max: 0: LOGS_PEERS_MAX. */
struct logs *logs_new(int64_t since, unsigned peers_max);
struct logs *logs_free(struct logs *l);

/* Reads files in the order of their first dated lines (rotated ones come in any order). Blocking.
 * 0, or the negative errno of the last that could not be read (FILE-UNREADABLE) or of which less
 * than a tenth was understood (LOG-NOT-UNDERSTOOD, -ENOMSG); each of those is told. */
typedef void logs_fault_fn(void *arg, const struct fault *f);
int logs_read(struct logs *l, const char *const *paths, unsigned n, logs_fault_fn *on_fault, void *arg);
/* Some lines; the last is taken to be whole. changed_at: of their file, for times without a
 * year. */
void logs_feed(struct logs *l, struct span lines, int64_t changed_at);
/* When everything was read: causes that are to be guessed from all there is. */
void logs_conclude(struct logs *l);

/* ---- what came out ---- */

/* A version and suite, and how often: handshakes or mails, whatever the program logs. */
struct log_use {
	const char *version, *suite; /* "TLS1.2", "ECDHE-RSA-AES128-GCM-SHA256"; as written */
	/* of the server's certificate; OTHER: the text does not tell */
	enum tls_key_type key;
	uint64_t in, out;
};
/* Why handshakes failed. */
struct log_cause {
	enum fault_code code; /* FAULT_TLS_HANDSHAKE_FAILED: nothing to go by */
	bool guess;
	const char *en, *de;
	uint64_t count;
};
struct log_peer {
	const char *address, *host;  /* host: the last name; "" if none */
	const char *group;           /* "example.net", else its network "192.0.2.0/24" */
	const char *network;         /* "192.0.2.0/24", "2001:db8::/48" */
	int64_t first_at, last_at;   /* wall seconds */
	uint64_t mails_in, clear_in; /* with TLS and without; inbound: the peer is the client */
	uint64_t mails_out, clear_out;
	/* with or without, which the log does not tell (Postfix's smtp_tls_loglevel = 0) */
	uint64_t untold_in, untold_out;
	uint64_t failures_in, failures_out;
	int64_t failed_at; /* the last; 0: none */
	bool failed_out;   /* in that direction */
	/* in that direction, too; secured_at: the last handshake, 0: none */
	int64_t failed_first_at, secured_at;
	const char *reason;     /* its words */
	uint64_t fallbacks;     /* came without TLS after a failure */
	uint64_t fallbacks_out; /* or mail went there without */
	int64_t fallback_at, fallback_after_s;
	uint64_t refusals; /* of recipients, for want of encryption */
	int64_t refused_at;
	const char *refused_for, *refused_with; /* the last recipient and the words */
	const struct log_use *uses;
	unsigned uses_n;
	uint64_t uses_more; /* that did not fit */
	const struct log_cause *causes;
	unsigned causes_n;
};
/* By group, worst first: groups with failures before those without, then by mails. Valid until the
 * next feeding. */
unsigned logs_count(const struct logs *l);
const struct log_peer *logs_peer(const struct logs *l, unsigned i);

/* Never seen with TLS 1.3 or an ECDSA certificate, but with RSA: it would fail if there were no RSA
 * certificate. *ret_sure: our server showed ECDSA certificates to others, so it could have
 * chosen. */
bool logs_is_rsa_only(const struct logs *l, const struct log_peer *p, bool *ret_sure);

/* Our server's certificates were of one type, then of the other: it changed between these. */
struct logs_change {
	enum tls_key_type from, to;
	int64_t until, since;
};
bool logs_key_change(const struct logs *l, struct logs_change *ret);

struct logs_totals {
	uint64_t lines, bytes; /* all */
	uint64_t relevant;     /* lines that told something */
	uint64_t older;        /* that would have, and are older than since */
	/* Lines with text: of a program that is read; of one that is known to have nothing to say
	 * about SMTP's TLS (a virus scanner); of unknown programs; without a time. */
	uint64_t understood, neighbours, foreign, undated;
	char first_odd[LOGS_TEXT]; /* the first that was not understood; "": none */
	int64_t first_at, last_at;
	unsigned evicted; /* peers that had to go */
	uint64_t evicted_failures;
	unsigned files;
};
/* Nothing was understood of what has lines, or less than a tenth: that no failure was found means
 * nothing then. */
bool logs_is_little(const struct logs_totals *t);
/* Of what was fed so far. */
const struct logs_totals *logs_totals(const struct logs *l);
