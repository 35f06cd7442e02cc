/*
 * TLS: one immutable set of certificates, contexts made from it, and the connection filter.
 *
 * The data's way: the supervisor (which may read keys) collects the files of the watched
 * folders (tls/files.c) and hands their bytes to the worker; tls_set_build() pairs
 * certificates with keys, verifies each pair and makes a `struct tls_set`, immutable and
 * reference-counted, swapped as a whole. A faulty pair is reported and left out; where an
 * earlier set had a working pair for the same name and key type, that pair stays in service.
 *
 * A name is served with every key type it has (RSA and ECDSA side by side), chosen by what
 * the peer can verify. SNI: exact name, then wildcard of one label, then the default (the
 * first pair of the first folder, by file name). An unknown or missing SNI gets the default.
 *
 * Every connection keeps the facts of its handshake (tls_facts) until it is over: raw
 * ClientHello, alerts both ways, how far it came. The explanation engine reads them.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/fault.h"
#include "base/jsonw.h"
#include "io/conn.h"

enum tls_key_type { TLS_KEY_RSA, TLS_KEY_ECDSA, TLS_KEY_ED25519, TLS_KEY_OTHER };
#define TLS_KEY_TYPES_MAX 3                         /* that we serve: all but OTHER */
const char *tls_key_type_text(enum tls_key_type t); /* "RSA"… */

/* ---- files: what the watched folders hold ---- */

/* One file's bytes. Files of other suffixes than .pem .crt .cer .key .chain .ocsp (in letters of
 * either case) are left out. */
struct tls_file {
	char *path;
	int64_t changed_ns; /* mtime */
	/* st_mode; a folder stands here if everybody may write to it; 0: it does not matter */
	uint32_t mode;
	char *bytes;
	size_t n;
	/* false: error holds errno; EFBIG: larger than 256 KiB; EMFILE: beyond TLS_FILES_MAX, like
	 * all that come behind it */
	bool readable;
	int error;
};
#define TLS_FILES_MAX 40000
struct tls_files {
	struct tls_file *v;
	unsigned n; /* at most TLS_FILES_MAX + 1; sorted by folder, then path */
};
/* Reads the folders (and their subfolders, one level: certbot's live/NAME/). Blocking: not in a
 * task. */
struct tls_files *tls_files_read(const struct span *folders, unsigned count);
/* Reads exactly these, whatever their suffix (at most 256 KiB of each). Blocking. */
struct tls_files *tls_files_read_named(const char *const *paths, unsigned count);
struct tls_files *tls_files_free(struct tls_files *files); /* wipes key bytes */
/* A cheap fingerprint of names, sizes and times: changes when something changed. Blocking. */
uint64_t tls_files_stamp(const struct span *folders, unsigned count);
/* The same as one blob, and back (for the way from supervisor to worker). 0 or -EINVAL. */
void tls_files_pack(const struct tls_files *files, struct buf *out);
int tls_files_unpack(struct span blob, struct tls_files **ret);

/* ---- the set ---- */

/* Does a chain end at a CA of this machine? Unknown: nobody asked, or it signed itself. */
enum tls_reach { TLS_REACH_UNKNOWN, TLS_REACH_YES, TLS_REACH_NO };
struct tls_pair {
	const char *cert_path, *key_path;
	const struct span *names; /* DNS names of the SAN (or CN), lower case */
	unsigned names_n;
	enum tls_key_type type;
	unsigned bits; /* of the key */
	int64_t not_before, not_after;
	uint8_t fingerprint[32]; /* SHA-256 of the leaf */
	bool has_staple;
	bool kept; /* from the earlier set, because its file is faulty now */
	bool self_signed;
	enum tls_reach reach;
	bool stand_in; /* served with a key made up for the purpose: fit for replays only */
	const char *issuer;
};
struct tls_set;
struct tls_set_settings {
	uint64_t session_lifetime_s; /* of tickets */
	/* judge whether chains reach a CA of this machine, whose CAs are read for that */
	bool judge_reach;
	/* For questions about certificates rather than for serving them: */
	/* a certificate without its key gets one of the same type and curve */
	bool stand_in_keys;
	/* all pairs answer for every name, as those of a mail server do */
	bool any_name;
	const char *suites, *suites13; /* of the server asked about (OpenSSL's lists); NULL: ours */
};
/* Builds from files; earlier (may be NULL) lends its working pairs. Each fault (CERT-* codes with
 * file, dates, names) goes to on_fault. Never fails as a whole: a set without pairs refuses
 * handshakes with an alert. CPU-heavy with many pairs: call it from a helper thread. */
typedef void tls_fault_fn(void *arg, const struct fault *f);
struct tls_set *tls_set_build(const struct tls_files *files, const struct tls_set_settings *settings,
	struct tls_set *earlier, tls_fault_fn *on_fault, void *arg);
struct tls_set *tls_set_ref(struct tls_set *set);
struct tls_set *tls_set_unref(struct tls_set *set);
unsigned tls_set_count(const struct tls_set *set);
const struct tls_pair *tls_set_pair(const struct tls_set *set, unsigned i);
/* The pairs that a peer asking for name gets (one per key type). Their number, at most max. */
unsigned tls_set_pairs_for(const struct tls_set *set, struct span name, const struct tls_pair **ret, unsigned max);
/* Does a pair of the set name it, itself or by a wildcard? */
bool tls_set_has_name(const struct tls_set *set, struct span name);
/* What changed against an earlier set, as faults and notes: a name lost a key type
 * (CERT-KEY-TYPE-CHANGED) or all of its pairs (CERT-NAME-LOST). */
void tls_set_compare(const struct tls_set *now, const struct tls_set *earlier, tls_fault_fn *on_fault, void *arg);
/* What the time of day has made of the pairs in service: out of date, an issuer of the chain out of
 * date, expiry near. */
void tls_set_dates(const struct tls_set *set, tls_fault_fn *on_fault, void *arg);
/* A self-signed pair for names, PEM to bufs (for init and tests). key: TLS_KEY_RSA (2048) or ECDSA
 * (P-256). */
int tls_self_signed(enum tls_key_type key, const struct span *names, unsigned n, unsigned days,
	struct buf *ret_cert_pem, struct buf *ret_key_pem);
/* Handshakes in memory against the set, as a client that knows only this key type and asks for
 * name: 0 and the served leaf's fingerprint, or a negative errno. Proves a new set before and after
 * the swap. */
int tls_set_prove(struct tls_set *set, struct span name, enum tls_key_type type, uint8_t ret_fingerprint[32]);

/* ---- session tickets ---- */

/* Keys that encrypt session tickets: the current one and two older ones, rotated every
 * `lifetime / 2`; made by the supervisor, so that a restarted worker still resumes. */
struct tls_ticket_keys {
	struct {
		uint8_t name[16], aes[32], hmac[32];
		int64_t made_at; /* wall seconds; 0: unused */
	} key[3];
};
void tls_ticket_keys_rotate(struct tls_ticket_keys *keys, int64_t now_s);
/* For all sets of this process, from now on. Any thread. */
void tls_ticket_keys_use(const struct tls_ticket_keys *keys);

/* ---- facts of a handshake ---- */

/* What a handshake is for: web is strict (TLS 1.2 and 1.3, ECDHE with AEAD only); for mail, where a
 * refusal means plaintext, the older suites of TLS 1.2 are allowed, too. */
enum tls_use { TLS_FOR_WEB, TLS_FOR_MAIL };
#define TLS_USES 2

/* About 200 bytes beside the kept ones; nothing is allocated but those. */
struct tls_facts {
	bool client;      /* we are the client; else the server */
	enum tls_use use; /* of the server's side */
	bool starttls;    /* SMTP came before, and asked for TLS; else TLS began at once */
	/* the first bytes that the peer sent (raw records), up to TLS_HELLO_MAX (tls/hello.h) */
	uint8_t *hello;
	uint32_t hello_n;
	bool answered;                      /* we sent bytes */
	bool ended;                         /* the peer closed */
	uint8_t alert_sent, alert_received; /* description; 0xff: none */
	uint8_t alert_sent_level, alert_received_level;
	/* a bit per type of handshake message (RFC 8446 B.3: 1 << type) */
	uint32_t messages_sent, messages_received;
	int error; /* negative errno of the transport, 0 if none */
	/* the last error of the SSL library, 0 if none */
	unsigned long ssl_error;
	/* X509_V_ERR_… about the peer's certificate, if that was verified */
	long verify_error;
	enum tls_key_type served; /* of the certificate chosen for the peer; OTHER: none was */
	/* that we chose, if it failed behind that; 0: nothing was, or it has no number */
	uint16_t suite, group, dh_bits;
	char state[32]; /* the state before the error */
};

/* ---- the filter ---- */

/* How TLS begins on a connection. */
enum tls_start { TLS_AT_ONCE, TLS_AFTER_STARTTLS };
/* Does the server side of the handshake on c and pushes the filter. Suspends. 0 or a negative
 * errno. facts are filled either way: what the peer sent first is worth keeping when it works, too,
 * and tls_explain() makes causes of them. tls_facts_done() them. The connection keeps a reference
 * to the set. */
int tls_accept_for(enum tls_use use, enum tls_start start, struct conn *c, struct tls_set *set, uint64_t deadline,
	struct tls_facts *facts);
void tls_facts_done(struct tls_facts *facts);
/* The client side, towards origins. verify_name: the name the certificate must have (SNI too),
 * checked against the system's CAs; no_verify: any certificate will do. 0 or -errno with *fault
 * (TLS-*). Suspends. */
struct tls_client_settings {
	struct span name; /* empty with no_verify: none is asked for */
	bool no_verify;
	bool starttls; /* SMTP came before: it decides what plain text from the server means */
	/* whatever OpenSSL can speak: TLS 1.0 on, every suite, no security level. Surveys only */
	bool lenient;
	const char
		/* signature algorithms as OpenSSL lists them ("ECDSA+SHA256:…"); NULL: the usual
		 * ones */
		*signatures;
	uint16_t highest; /* version that is offered: 0x0303; 0: the newest there is */
};
int tls_connect(struct conn *c, const struct tls_client_settings *settings, uint64_t deadline, struct fault *fault);
/* Has the server refused us after all? With TLS 1.3 our handshake is done before the server has
 * looked at what we sent: that it wanted a client certificate comes as an alert with the first
 * read, which then fails. false: no alert ended c. Suspends. */
bool tls_conn_refused(const struct conn *c, struct fault *fault);

/* Opens the file of the system's CAs: before the process fences itself in. */
void tls_client_open(void);
/* Reads the system's CAs, which takes tens of milliseconds. Any thread; tls_connect() does it
 * otherwise. */
void tls_client_prepare(void);

struct tls_info {
	const char *version; /* "TLSv1.3" */
	const char *suite;   /* "TLS_AES_256_GCM_SHA384" */
	struct span sni;     /* borrowed from the connection */
	bool resumed;
	enum tls_key_type key; /* of our certificate; OTHER if resumed */
	uint16_t number;       /* the version: 0x0304 */
	struct span alpn;      /* the protocol agreed on; .p == NULL: none */
};
/* false if c has no TLS filter. */
bool tls_conn_info(const struct conn *c, struct tls_info *ret);

/* What the server showed, of a connection that tls_connect() made. Certificates come from a. */
#define TLS_PEER_CHAIN_MAX 10
struct tls_peer {
	unsigned chain_n;                      /* more are left out */
	struct span chain[TLS_PEER_CHAIN_MAX]; /* DER, the leaf first */
	const char *group;                     /* of the key exchange: "x25519"; NULL: not known */
};
bool tls_conn_peer(const struct conn *c, struct arena *a, struct tls_peer *ret);
