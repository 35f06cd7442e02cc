/*
 * One server, looked at: which versions, suites, groups and signature algorithms it speaks, and
 * every certificate it serves.
 *
 * The way. Hello A offers TLS 1.3 and everything below; its answer tells the version and, below
 * 1.3, a certificate. Then one hello for each key type that has not been seen, with only its suites
 * and matching signature algorithms, so that a server with two certificates shows both; lower
 * versions until one refusal by version speaks for all below. A full probe also walks: all suites
 * are offered, the one chosen is taken away, and again, which gives them in the server's order; the
 * same with groups. Signature algorithms are seen on the way, since each hello of the walk prefers
 * those not seen yet. A server that speaks TLS 1.3 only shows its certificates in real handshakes.
 *
 * Politeness. One connection at a time, the greeting and each reply awaited, an honest EHLO name,
 * hellos that are dropped say goodbye (user_canceled, close_notify), one complete session with QUIT
 * at the end. At 421, 450 or 554 the probe stops and says "rate limited", never "no TLS". A quick
 * probe makes at most PROBE_QUICK_MAX connections, a full one at most PROBE_FULL_EXTRA more than it
 * finds suites and groups.
 *
 * Everything that a server says goes through probe/wire.h, smtp/smtp.h or OpenSSL.
 */
#pragma once
#include "base/jsonw.h"
#include "io/net.h"
#include "probe/offer.h"

#define PROBE_QUICK_MAX    6
#define PROBE_FULL_EXTRA   10
#define PROBE_CERTS_MAX    6
#define PROBE_NAMES_MAX    100 /* of a certificate */
#define PROBE_FINDINGS_MAX 24

enum probe_verdict {
	PROBE_TLS, /* it speaks TLS */
#define VERDICT(id, word, en, de) PROBE_##id,
#include "probe/verdict.tbl.h"
#undef VERDICT
	PROBE_VERDICT_COUNT
};
const char *probe_verdict_word(enum probe_verdict v); /* "rate-limited": for programs */
const char *probe_verdict_text(enum probe_verdict v, enum fault_lang lang);

enum probe_version {
	PROBE_SSL2,
	PROBE_SSL3,
	PROBE_TLS10,
	PROBE_TLS11,
	PROBE_TLS12,
	PROBE_TLS13,
	PROBE_VERSION_COUNT,
};
enum probe_answer { PROBE_NOT_ASKED, PROBE_NO, PROBE_YES };
uint16_t probe_version_number(enum probe_version v); /* 0x0303 */

struct probe_cert {
	enum tls_key_type type;
	const char *key; /* "RSA 2048", "ECDSA P-256", "Ed25519" */
	unsigned bits;
	const char *subject, *issuer; /* one line each */
	struct span names[PROBE_NAMES_MAX];
	unsigned names_n;
	int64_t not_before, not_after;
	const char *signature; /* "sha256WithRSAEncryption" */
	bool weak_signature;   /* SHA-1 or MD5 */
	uint8_t sha256[32], spki_sha256[32];
	bool self_signed, for_servers, must_staple;
	enum probe_answer name_fits; /* NOT_ASKED: the host was given as an address */
	/* X509_V_OK or X509_V_ERR_…: the chain as it was sent, against the CAs; the name apart */
	int verify_error;
	const char *verify_text;
	unsigned chain_n; /* certificates sent */
	struct span chain[WIRE_CHAIN_MAX];
	/* does a TLSA record match? NOT_ASKED: none is published, or nobody looked */
	enum probe_answer dane;
};

struct probe_settings {
	bool smtp; /* STARTTLS; else TLS at once */
	bool quick;
	const char *helo; /* the EHLO name */
	uint64_t connect_ms, answer_ms, greeting_ms;
	uint64_t gap_ms;             /* between two connections to one address */
	struct x509_store_st *store; /* of CAs; NULL: chains are not verified */
};
/* The system's CAs and those of a file (PEM; NULL: none). NULL if the file cannot be read. Blocks:
 * once, before the run. */
struct x509_store_st *probe_store_new(const char *ca_file);
void probe_store_free(struct x509_store_st *store);
/* Before each connection; may suspend (the rate of the whole run). 0, or a negative errno that ends
 * the probe. */
typedef int probe_gate_fn(void *arg);

struct probe {
	const struct probe_settings *settings;
	/* as it was given: SNI and the name that certificates must have; may be a literal address
	 * */
	struct span host;
	struct net_addr addr;
	probe_gate_fn *gate;
	void *gate_arg;

	/* ---- results; texts in arena ---- */
	struct arena *arena;
	bool agreed; /* to STARTTLS */
	enum probe_verdict verdict;
	struct span said; /* what it said that led to the verdict: a reply, the first bytes */
	int error;        /* of the transport: negative errno, 0 if none */
	unsigned connections;
	uint64_t began_ms; /* clock_mono_ms() */
	/* greeting_ms: the longest that it let us wait for its greeting */
	uint64_t took_ms, greeting_ms;
	enum probe_answer versions[PROBE_VERSION_COUNT];
	struct offer suites_13, suites; /* in the server's order if ordered */
	struct offer groups, signatures;
	bool full;           /* all suites and groups were walked through */
	bool ordered;        /* suites stand in the server's order */
	bool follows_client; /* it takes the client's order: suites stand in ours */
	bool signatures_all; /* no others are taken */
	unsigned dh_bits;    /* the smallest classic DH group seen; 0: none */
	/* does it take a suite that nobody should: offer_weaknesses() */
	enum probe_answer obsolete;
	bool no_secure_renegotiation, extended_master_secret, compression, wants_client_cert;
	bool suite_not_offered; /* it chose one that was not */
	bool no_rsa;            /* where others are taken, RSA is refused */
	uint8_t alert;          /* of the last refusal; WIRE_NO_ALERT */
	struct probe_cert *certs[PROBE_CERTS_MAX];
	unsigned certs_n;
	/* TLSA records that DNSSEC proves; those that count for SMTP. probe_dane() */
	unsigned tlsa_n, tlsa_usable;
	bool tlsa_bogus; /* their proof fails */
	bool session;    /* a complete session was made */
	const char *session_version, *session_suite, *session_group;
	struct fault *session_fault; /* why the real handshake failed; NULL: it did not */
};
/* Looks at p->addr. Suspends. p: settings, host, addr, gate, arena are set, the rest zero. 0, or
 * -ECANCELED. */
int probe_run(struct probe *p);

/* A chain (DER, leaf first) as facts, everything in a; NULL if the leaf is no certificate. Pure but
 * for the store. */
struct probe_cert *probe_cert_read(const struct span *chain, unsigned n, struct span host, struct x509_store_st *store,
	int64_t now_s, struct arena *a);

/* Compares every certificate with the data of TLSA records (RFC 6698 2.1). */
void probe_dane(struct probe *p, const struct span *records, unsigned n);

/* Years and words for what is old (probe/age.c has the rule). year 0: no evidence. */
struct probe_age {
	unsigned year;
	const char *word_en, *word_de; /* "current", "dated", "old", "ancient" */
	const char *rule_en, *rule_de; /* "TLS 1.3" */
};
struct probe_age probe_age(const struct probe *p);

/* Everything that is wrong with it, the worst first; at most PROBE_FINDINGS_MAX, which is returned.
 * now_s: wall clock. */
unsigned probe_findings(const struct probe *p, int64_t now_s, struct fault *ret);

/* The members of an object under way. */
void probe_json(struct jsonw *j, const struct probe *p, int64_t now_s);
/* serves a certificate of that type */
bool probe_has_key(const struct probe *p, enum tls_key_type type);
/* "2001:db8::1" or "mx.example.net:465": host, the port if it is not the usual one of its kind. */
void probe_place(const struct probe *p, char *ret, size_t size);
