/*
 * The model: domains, and the snapshot that every request reads.
 *
 * A domain is the customer's unit. Its text form is a titled section in the grammar of
 * conf/conf.h; the table `domain_keys` is the one source of its keys, presets, judgements,
 * command-line options (`torhaus domain add --preset wordpress`), export and man page:
 *
 *   domain "example.de" {
 *     web    = {"example.de", "www.example.de"}
 *     origin = {"http://10.0.0.5:8080"}
 *     preset = "wordpress"
 *     grace  = "24h"
 *     mail   = "10.0.0.6:25"
 *     tls    = "require"
 *     recipient = {"list@example.de report by=ada at=2026-11-25"}
 *   }
 *
 * Web and mail are independent: a domain has one of them, or both.
 *
 * The snapshot is the immutable in-memory form of all domains, reference-counted and replaced as a
 * whole. One domain costs under 4 KiB; 10,000 load in under 2 s.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "conf/conf.h"
#include "store/store.h"

enum domain_preset { PRESET_STANDARD, PRESET_WORDPRESS, PRESET_STATIC, PRESET_OFF };

/* An origin of a site as written: "http://10.0.0.5:8080", "https://origin.example", weight after a
 * blank: "http://10.0.0.6 weight=3 backup". */
struct origin_spec {
	bool tls;
	struct span host; /* name or address, without brackets */
	uint16_t port;
	unsigned weight; /* 1..100 */
	bool backup;     /* only when no other is up */
};
/* 0, or -EINVAL with *ret_why ("English|German"). host borrows from text and is as written there;
 * in a struct domain it is lower case, IPv6 in its shortest form. */
int origin_spec_parse(struct span text, struct origin_spec *ret, const char **ret_why);
/* The shortest text that means spec: no default port, no weight=1. */
void origin_spec_print(const struct origin_spec *spec, struct buf *out);

/* Must mail come encrypted? OFF: as the sender likes. REPORT: likewise, but who came without TLS is
 * written down, as a rehearsal of REQUIRE, which refuses them. */
enum domain_tls { DOMAIN_TLS_OFF, DOMAIN_TLS_REPORT, DOMAIN_TLS_REQUIRE };
/* TLS on the way to the backend: never, if it offers it, always, always and with a certificate for
 * its name. */
enum domain_mail_tls {
	DOMAIN_MAIL_TLS_OFF,
	DOMAIN_MAIL_TLS_OPPORTUNISTIC,
	DOMAIN_MAIL_TLS_REQUIRED,
	DOMAIN_MAIL_TLS_VERIFIED
};
/* A lone LF or CR within a message: refused, for mail is smuggled so; or made CRLF. */
enum domain_mail_lines { DOMAIN_MAIL_LINES_STRICT, DOMAIN_MAIL_LINES_MEND };
/* How the backend learns who the client is. */
enum domain_mail_client { DOMAIN_MAIL_CLIENT_NONE, DOMAIN_MAIL_CLIENT_XCLIENT, DOMAIN_MAIL_CLIENT_PROXY };

/* The backend MTA of a domain, "10.0.0.6:25" (the port may be left out on input). */
struct domain_mail {
	/* canonical: "mx.example.de:25", "[::1]:25"; empty: the domain has no mail */
	struct span text;
	struct span host; /* name or address, without brackets, lower case; host.n == 0: none */
	uint16_t port;
};
int domain_mail_parse(struct span text, struct domain_mail *ret,
	const char **ret_why); /* like origin_spec_parse(); no text */

/* What one recipient has instead of the domain's tls, who said so when, and until when it holds:
 * "anna@example.de require by=ada at=2026-11-25 until=2026-12-31". Days are those of UTC. */
struct domain_recipient {
	struct span address; /* local@domain, ASCII in lower case, A-labels */
	enum domain_tls tls;
	struct span by; /* who set it; empty: not known */
	int64_t at;     /* midnight UTC of that day; 0: not known */
	int64_t until;  /* of the last day on which it holds; 0: for good */
};
#define DOMAIN_BY_MAX 32 /* bytes of `by`, more are cut; blanks become hyphens */
/* 0, or -EINVAL with *ret_why ("English|German"). by borrows from text, address is from a. Local
 * parts in quotes are refused. */
int domain_recipient_parse(struct span text, struct arena *a, struct domain_recipient *ret, const char **ret_why);
/* An address alone, as it stands in struct domain_recipient; ret_domain: its part behind the @. */
int domain_address_normalise(struct span text, struct arena *a, struct span *ret, struct span *ret_domain,
	const char **ret_why);
void domain_recipient_print(const struct domain_recipient *r, struct buf *out);
/* Does it hold at now (wall seconds)? */
bool domain_recipient_holds(const struct domain_recipient *r, int64_t now);
const char *domain_tls_text(enum domain_tls t);           /* "require" */
const char *domain_mail_tls_text(enum domain_mail_tls t); /* "verified" */

struct domain {
	struct span name; /* lower case, A-label form */
	uint32_t id;      /* dense in a snapshot: index for per-site counters */
	struct span *web; /* names, lower case, "*.example.de" allowed */
	unsigned web_n;
	struct origin_spec *origin;
	unsigned origin_n;
	enum domain_preset preset;
	uint64_t grace_ms;    /* 0: off; default 24h */
	bool grace_forced;    /* also against must-revalidate and its like */
	bool redirect_to_tls; /* HTTP -> HTTPS */
	uint64_t hsts_ms;     /* 0: no header */
	bool websocket;       /* upgrades are passed through */
	bool alt_svc;         /* so is the origin's Alt-Svc */
	/* https origins: certificate must be valid for the name (default) */
	bool origin_verify;
	struct span origin_host; /* Host sent to the origin; empty: the visitor's */
	struct span health_path; /* active check: GET path; empty: TCP connect only */
	uint64_t health_interval_ms;
	uint64_t connect_timeout_ms, first_byte_timeout_ms, read_timeout_ms; /* of the origin */
	/* of a visitor's request */
	uint64_t body_max;
	/* of the origins and of what they are asked for: pages of others are others' pages */
	uint64_t origin_hash;
	struct domain_mail mail;
	enum domain_tls tls;
	enum domain_mail_tls mail_tls;
	enum domain_mail_client mail_client;
	enum domain_mail_lines mail_lines;
	struct domain_recipient *recipient; /* sorted by address, none twice */
	unsigned recipient_n;
};
/* A domain as the store has it: with who changed it last, and when (wall seconds). */
struct domain_row {
	struct domain d;
	int64_t changed_at;
	struct span changed_by;
};

/* ---- text form ---- */

#define DOMAIN_WEB_MAX       STORE_WEB_MAX /* web names of a domain */
#define DOMAIN_ORIGIN_MAX    32
#define DOMAIN_RECIPIENT_MAX 500    /* exceptions of a domain */
#define DOMAINS_MAX          200000 /* of a store or file */

struct domain_file {
	struct domain *v;
	unsigned n;
};
/* Of one section. Single values stand in struct domain at key->at; lists (web, origin, recipient)
 * do not. */
extern const struct conf_key domain_keys[];
/* A whole export file. 0, or -EINVAL with all faults. Checks across domains too (a web name
 * twice). */
int domain_parse(struct span text, const char *file, struct arena *a, struct domain_file *ret,
	struct conf_errors *errors);
/* One domain's body (as the store keeps it). */
int domain_parse_body(struct span name, struct span body, struct arena *a, struct domain *ret,
	struct conf_errors *errors);
/* STORE-BAD-ROW about the domain name, because of the first of what domain_parse_body() found. */
void domain_bad_row(struct fault *f, struct span name, const struct fault *why);
/* One key's line (of domain_keys), with its newline; nothing if it is at its preset. */
void domain_export_key(const struct domain *d, const struct conf_key *key, struct buf *out);
/* The canonical text: keys at their preset are left out, so that export(apply(x)) == export(x). */
void domain_export(const struct domain *d, struct buf *out);
void domain_export_body(const struct domain *d, struct buf *out);
/* A host name of a site: lower-cased, A-labels (IDNA 2008, UTS 46 non-transitional), letters,
 * digits and hyphens; an IPv4 address passes, too. wildcard: "*." may stand before it. 0 or
 * -EINVAL. */
int domain_name_normalise(struct span text, bool wildcard, struct arena *a, struct span *ret);

/* ---- the snapshot ---- */

struct snapshot;
/* Reads all domains. 0 or -errno with fault. A row that does not parse is left out and told to
 * on_fault (STORE-BAD-ROW): one bad row takes nothing else down. Blocking. */
int snapshot_load(struct store *store, void (*on_fault)(void *arg, const struct fault *f), void *arg,
	struct snapshot **ret, struct fault *fault);
/* From text in export form (the last good state that the supervisor keeps, tests). a: for the
 * errors and for the time of the call. */
int snapshot_from_text(struct span text, struct arena *a, struct snapshot **ret, struct conf_errors *errors);
void snapshot_to_text(const struct snapshot *s, struct buf *out);
/* No domains, before the store could be read. Not whole. */
struct snapshot *snapshot_unread(void);
/* Is every domain there is in it? Else rows were left out, or nothing could be read yet: who is not
 * found may be a customer's. */
bool snapshot_is_whole(const struct snapshot *s);
struct snapshot *snapshot_ref(struct snapshot *s);
struct snapshot *snapshot_unref(struct snapshot *s);
/* The site of a host (lower case, no port): exact name, else the wildcard of its parent. NULL:
 * none. */
const struct domain *snapshot_find_web(const struct snapshot *s, struct span host);
const struct domain *snapshot_find(const struct snapshot *s, struct span name); /* by domain name */
/* The domain that mail for …@name is for: it has a backend. Any case, U-labels too. NULL: none. */
const struct domain *snapshot_find_mail(const struct snapshot *s, struct span name);
/* Must mail for this mailbox of d ("local@domain", in any case) come encrypted now? Its own
 * exception, else the domain's, or that of the mailbox without its "+tag" if that is stricter: both
 * may be the same person's. */
enum domain_tls snapshot_tls_of(const struct snapshot *s, const struct domain *d, struct span mailbox);
/* The exception of a mailbox, or NULL. */
const struct domain_recipient *domain_find_recipient(const struct domain *d, struct span mailbox);
unsigned snapshot_count(const struct snapshot *s);
const struct domain *snapshot_at(const struct snapshot *s, unsigned i); /* i == domain.id */
size_t snapshot_bytes(const struct snapshot *s);

/* ---- changes, for the command line and the API ---- */

/* What would change: lines of "+ domain …", "- domain …", "~ domain …" with the keys, for
 * people. */
struct domain_change {
	enum { DOMAIN_ADDED, DOMAIN_REMOVED, DOMAIN_CHANGED } kind;
	struct span name;
	struct span before, after; /* bodies */
};
/* Writes one domain. Begins no transaction of its own if one is open. */
int domain_put(struct store *s, const struct domain *d, const char *by, struct fault *fault);
/* Removes one, and purges its pages on every node. In a transaction that was begun. -ENOENT. */
int domain_remove(struct store *s, struct span name, struct fault *fault);
/* Makes the store equal to file: the changes (memory from a), carried out in one transaction unless
 * dry_run. Their number or -errno. Unless may_remove, -EPERM with DOMAIN-APPLY-REMOVES (to which
 * the caller adds the file) if more than a tenth of the domains, or all, would be removed: an empty
 * or cut-off file is a likelier reason. */
int domain_apply(struct store *s, const struct domain_file *file, bool dry_run, bool may_remove, const char *by,
	struct arena *a, struct domain_change **ret, struct fault *fault);
/* Takes the latest change of domains back, whoever made it, and forgets it: as domain_apply().
 * -ENOENT with DOMAIN-NOTHING-TO-UNDO. */
int domain_undo(struct store *s, bool dry_run, const char *by, struct arena *a, struct domain_change **ret,
	struct fault *fault);
/* A flat "name address" list: every line a domain with that one web name and origin http://address;
 * "www.x" joins x if x is in the list with the same address. address: IPv4 or IPv6, a port may
 * follow (10.0.0.5:8080, [2001:db8::5]:8080). # comments and blank lines may stand between. All
 * faults with line numbers; with any, nothing is changed (-EINVAL). Existing domains keep their
 * other settings, only origins change; a name that another domain serves from the same address
 * already needs nothing. */
int domain_import(struct store *s, struct span text, const char *file, bool dry_run, const char *by, struct arena *a,
	struct domain_change **ret, struct conf_errors *errors, struct fault *fault);
