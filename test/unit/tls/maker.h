/*
 * What the tests of tls/ share: certificates of every kind, good and bad, folders that hold them,
 * and the faults told.
 *
 * Keys are made once a process and type (RSA takes a while); certificates live until the process
 * ends, too.
 */
#pragma once
#include "../unit.h"
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "base/fault.h"
#include "base/mem.h"
#include "tls/tls.h"

#define DAY 86400L

struct made {
	X509 *x;
	EVP_PKEY *key;
};

/* Zero is what is usual: a leaf signed with SHA-256, valid from yesterday for 90 days. */
struct recipe {
	const char *cn;        /* NULL: an empty subject */
	const char *san;       /* "DNS:a.example,DNS:b.example" */
	EVP_PKEY *key;         /* NULL: maker_key(TLS_KEY_ECDSA, 0) */
	const struct made *by; /* the issuer; NULL: signs itself */
	const EVP_MD *digest;  /* NULL: SHA-256 (Ed25519: its own) */
	bool ca;
	const char *usage, *extended;
	bool must_staple;
	long from_s, until_s; /* from now on */
};
struct made make(const struct recipe *recipe);
/* A usual leaf for these names, self-signed. */
struct made make_simple(const char *san, EVP_PKEY *key);
/* The i-th key of a type (i < 4); RSA has 2048 bits. */
EVP_PKEY *maker_key(enum tls_key_type type, unsigned i);
EVP_PKEY *maker_weak_key(void); /* RSA, 1024 bits */

/* Root, intermediate and, with its names, a leaf of the intermediate. */
struct family {
	struct made root, middle, leaf;
};
struct family make_family(const char *san, EVP_PKEY *leaf_key);

/* A response about leaf, DER. by: who signs; embed: whether by's certificate goes along. */
struct span make_staple(const struct made *leaf, const struct made *issuer, const struct made *by, bool embed,
	int status, long from_s, long until_s);

/* ---- folders ---- */

struct folder {
	char path[64];
};
struct folder folder_make(void);
void folder_remove(struct folder *f); /* with all that lies in it */
/* Writes a file (and its subfolder, one level): certificates, then the key; NULL ends or leaves
 * out. */
void folder_put(const struct folder *f, const char *name, const struct made *const *certs, EVP_PKEY *key);
void folder_put_bytes(const struct folder *f, const char *name, const void *p, size_t n);
void folder_drop(const struct folder *f, const char *name);
#define CERTS(...) ((const struct made *const[]){ __VA_ARGS__, NULL })
/* PEM and key in one file, the usual case. */
void folder_put_pair(const struct folder *f, const char *name, const struct made *pair);

/* ---- building ---- */

/* What was told: the codes, and the last fault of each. */
struct told {
	unsigned n, count[FAULT_COUNT];
	struct fault last[FAULT_COUNT];
};
void told_fault(void *arg, const struct fault *f);
struct tls_set *folder_build(const struct folder *f, struct tls_set *earlier, struct told *told);
/* A set that serves just this pair, without files on disk. */
struct tls_set *set_of(const struct made *const *certs, EVP_PKEY *key);
/* Is this certificate served for name (to a client that knows type only)? */
bool serves(struct tls_set *set, const char *name, enum tls_key_type type, const struct made *want);
