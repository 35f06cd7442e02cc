/* Inside tls/: a pair with its OpenSSL objects, the set, the connection's filter. */
#pragma once
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include "base/map.h"
#include "base/mem.h"
#include "tls/tls.h"

/* A verified pair; immutable, shared by the sets that serve it. */
struct pair {
	atomic_uint refs;
	struct tls_pair pub; /* its texts live in arena */
	struct arena arena;
	X509 *leaf;
	STACK_OF(X509) * chain; /* without the leaf; may be empty */
	EVP_PKEY *key;
	bool reordered;       /* the chain stood otherwise in its file */
	unsigned left_out;    /* certificates of the file that do not belong to it */
	unsigned names_n;     /* in the certificate: pub.names has NAMES_MAX of them at most */
	struct span staple;   /* OCSP response, DER; .n == 0: none */
	int64_t staple_until; /* wall seconds: out of date from then on, and not sent any more */
};
struct pair *pair_unref(struct pair *p);

/* All pairs that the files hold and that may be served; faults for the others. */
struct pairs {
	struct pair **v;
	unsigned n;
};
void pairs_from_files(const struct tls_files *files, const struct tls_set_settings *settings, struct pairs *ret,
	tls_fault_fn *on_fault, void *arg);
void pairs_done(struct pairs *p);
/* The common name, else all of it; ret. */
#define CERT_NAME_SIZE 256
const char *cert_name_text(X509_NAME *name, char ret[CERT_NAME_SIZE]);
int64_t asn1_time_s(const ASN1_TIME *t); /* wall seconds; 0 if it is none */
enum tls_key_type key_type_of(EVP_PKEY *key);
/* A fault with the pair's facts. */
void pair_tell(const struct pair *p, enum fault_code code, tls_fault_fn *on_fault, void *arg);
/* Itself or an issuer of its chain out of date. */
void pair_tell_dates(const struct pair *p, int64_t now_s, tls_fault_fn *on_fault, void *arg);
bool pair_is_valid_now(const struct pair *p, int64_t now_s);

/* ---- chain.c ---- */

/* The issuers of leaf (which is one of certs), in order; the caller's. */
STACK_OF(X509) * chain_put_in_order(STACK_OF(X509) * certs, X509 *leaf, unsigned *ret_left_out, bool *ret_changed);
/* Chains are judged one after the other; what they have in common, once. */
struct chain_judge {
	X509_STORE *cas;  /* borrowed; NULL: nothing can be said */
	struct map known; /* issuers -> the verdict about them */
	struct arena arena;
};
void chain_judge_init(struct chain_judge *j, X509_STORE *cas);
void chain_judge_done(struct chain_judge *j);
/* Sets the pair's reach. NULL, or why its chain reaches none of the CAs (OpenSSL's words). */
const char *chain_judge(struct chain_judge *j, struct pair *p);

X509 *chain_end(const struct pair *p); /* the last that is sent */
/* The first issuer of the chain that is out of date; NULL: none is. A root that peers have
 * themselves may be sent in any state. */
X509 *chain_out_of_date(const struct pair *p, int64_t now_s);

/* filter.c: the CAs of this machine, read at the first call; NULL: it has none. */
X509_STORE *client_cas(void);

/* staple.c: the OCSP response in NAME.ocsp beside NAME.crt (NULL: none is), if it is good for this
 * pair. */
void pair_read_staple(struct pair *p, const struct tls_file *file, tls_fault_fn *on_fault, void *arg);

/* The pairs of one name, one for each key type, or NULL. */
struct tls_slot {
	struct pair *by_type[TLS_KEY_TYPES_MAX];
};
struct tls_set {
	atomic_uint refs;
	struct pairs pairs;              /* those in service */
	struct map names;                /* "example.de", "*.example.de" -> struct tls_slot */
	struct arena arena;              /* of the slots */
	const struct tls_slot *fallback; /* for unknown names; NULL: no pairs at all */
	/* why pairs of the folders are not served: CERT-* with file, type, name */
	struct fault *refused;
	unsigned refused_n; /* at most REFUSED_MAX */
	SSL_CTX *ctx[TLS_USES];
};
#define REFUSED_MAX 64
const struct tls_slot *set_slot_for(const struct tls_set *set, struct span name);
struct tls_set *set_new(void);
/* The server's context: versions, suites, groups, tickets, callbacks. context.c */
SSL_CTX *context_new(enum tls_use use, struct tls_set *set, const struct tls_set_settings *settings);

/* selfsigned.c: RSA (2048) or ECDSA (P-256); NULL if it cannot be made (a bad name). */
X509 *self_signed_new(enum tls_key_type type, const struct span *names, unsigned n, unsigned days, EVP_PKEY **ret_key);

/* The groups of the contexts, by number (RFC 8446 4.2.7). */
extern const uint16_t our_groups[];
extern const unsigned our_groups_n;

/* The application protocols of the contexts, "http/1.1, http/1.0" (RFC 7301). */
extern const char *const our_protocols_text[TLS_USES];

/* tickets.c */
void tickets_attach(SSL_CTX *ctx);

/* facts.c: callbacks that keep what a handshake shows. */
void facts_attach(SSL *ssl, struct tls_facts *facts);
void facts_detach(SSL *ssl);
/* Just after OpenSSL failed: its error, the verdict about the peer's certificate, what was
 * chosen. */
void facts_failed(SSL *ssl, struct tls_facts *facts);
void facts_add_bytes(struct tls_facts *facts, const void *p, size_t n);
