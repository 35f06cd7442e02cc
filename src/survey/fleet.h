/*
 * What the results of many servers say together: sums, the odd one out, what changed since an
 * earlier scan.
 *
 * Everything here works on the lines of JSON that a scan prints (probe/json.c), so that today's
 * results and those of a file are the same kind of thing. A server is a set of traits: a version
 * that it speaks, a key type that it serves, an issuer, a suite, a group. Only what was asked of
 * both sides is compared: a quick scan does not make suites disappear.
 *
 * Siblings are servers whose names differ in the first label only (mx1.example.net,
 * mx2.example.net), or addresses of one /24 or /64. Among three or more, a trait that all but one
 * have, or none but one, makes that one odd (among twenty and more: a tenth of them): usually
 * somebody forgot a server.
 */
#pragma once
#include "base/arena.h"
#include "base/fault.h"
#include "base/map.h"

enum fleet_kind {
	FLEET_VERSION,
	FLEET_KEY,
	FLEET_ISSUER,
	FLEET_TLSA,
	FLEET_SUITE,
	FLEET_GROUP,
	FLEET_KIND_COUNT,
};
struct fleet_trait {
	enum fleet_kind kind;
	struct span name;
};
#define FLEET_TRAITS_MAX 400
#define FLEET_CERTS_MAX  8
#define FLEET_LINE_MAX   (4 << 20)
struct fleet_host {
	struct span place;    /* "mx.example.net" or "mx.example.net:465" */
	struct span siblings; /* the same for all of them */
	struct span verdict;  /* "tls"… */
	struct span address;  /* empty: it has none */
	int64_t asked_at;     /* wall seconds */
	bool kept;            /* an earlier scan asked it */
	bool full;            /* suites and groups are all there */
	unsigned asked;       /* bits of versions that were asked for */
	struct fleet_trait *traits;
	unsigned traits_n;
	struct {
		struct span type, sha256;
		int64_t not_after;
		bool trusted, name_fits;
	} certs[FLEET_CERTS_MAX];
	unsigned certs_n;
	struct span *signatures; /* algorithms that it signed with */
	unsigned signatures_n;
};
struct fleet {
	struct arena arena;
	struct fleet_host **v;
	unsigned n;
	struct map places; /* place -> host */
};
void fleet_init(struct fleet *f);
void fleet_done(struct fleet *f);
/* A line that a scan printed. 0; 1: it is about something else; -EINVAL: it is no JSON. */
int fleet_add(struct fleet *f, struct span line);
/* "TLS 1.3", "RSA certificate", "suite RC4-SHA". */
void fleet_trait_print(const struct fleet_trait *t, enum fault_lang lang, struct buf *out);

/* ---- sums ---- */

struct fleet_sums {
	unsigned servers;
	unsigned opted_out;   /* were not asked, for they do not want it */
	unsigned kept;        /* results of an earlier scan; counted below, too */
	unsigned tls;         /* speak it */
	unsigned unknown;     /* could not be asked, or not to the end */
	unsigned without_tls; /* were asked and speak none */
	unsigned without_13, below_12,
		/* of those with TLS: no TLS 1.3; at most TLS 1.1; still TLS 1.0, 1.1 or SSL */
		older;
	unsigned rsa_only, ecdsa_only, both;
	unsigned expired, expiring; /* a certificate: is, or will be within 30 days */
	unsigned untrusted, misnamed;
	unsigned tlsa;
};
/* Counts f; now_s: wall clock, for dates of certificates. */
void fleet_sum(const struct fleet *f, int64_t now_s, struct fleet_sums *ret);

/* ---- the odd one out ---- */

typedef void fleet_odd_fn(void *arg, const struct fleet_host *h, const struct fault *f);
/* SCAN-ODD-ONE for each. */
void fleet_odd(const struct fleet *f, fleet_odd_fn *fn, void *arg);

/* ---- changes ---- */

/* Between two scans of one server; spans of either fleet. was or is NULL: it was not there, or is
 * not any more. */
struct fleet_change {
	const struct fleet_host *was, *is;
	bool verdict; /* differs */
	const struct fleet_trait *gained[FLEET_TRAITS_MAX], *lost[FLEET_TRAITS_MAX];
	unsigned gained_n, lost_n;
	unsigned new_certs; /* certificates that were not there before, of a key type that was */
	int64_t not_after;  /* of the last of them */
};
typedef void fleet_change_fn(void *arg, const struct fleet_change *c);
void fleet_compare(const struct fleet *was, const struct fleet *is, fleet_change_fn *fn, void *arg);
