/* Inside the log reader: lines to events (a file for each program), events to peers. */
#pragma once
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "survey/logs.h"

#define SUITES_MAX   256
#define SESSIONS_MAX 4096 /* processes of Postfix that are followed at once */
#define NO_RULE      0

struct suite_name {
	struct log_use pub; /* without counts */
	char version[16], suite[64];
};

struct use {
	uint8_t suite;
	uint32_t in, out;
};
struct cause {
	uint16_t rule;
	uint32_t count;
};

struct peer {
	struct list recent; /* in quiet or failed */
	uint8_t addr[16];   /* IPv4 mapped */
	char host[LOGS_TEXT], reason[LOGS_TEXT], refused_for[LOGS_TEXT], refused_with[LOGS_TEXT];
	int64_t first_at, last_at, failed_at, refused_at, fallback_at, fallback_after_s;
	int64_t clear_at;                         /* it last came without TLS for no reason known; 0: never since TLS */
	uint64_t mails[2], clear[2], failures[2]; /* in, out */
	uint64_t fallbacks, refusals, uses_more;
	bool failed_out, cleared; /* cleared: the last failure was followed already */
	struct use uses[LOGS_USES_MAX];
	struct cause causes[LOGS_CAUSES_MAX];
	unsigned uses_n, causes_n;
	uint16_t rule; /* of the last failure's cause */
};

/* A process of Postfix and the connection that it has. */
struct session {
	uint32_t pid;
	bool client; /* smtp, else smtpd */
	bool secured, failed;
	uint8_t addr[16];
};

struct clock_cache {
	char key[16];
	int64_t hour_s;
};

struct logs {
	struct logs_totals totals;
	int64_t since, changed_at;
	struct clock_cache local, syslog;
	/* Peers, all allocated at once as they come; by address. */
	struct peer *peers;
	unsigned peers_n, peers_max;
	struct peer *last; /* that an event was about; NULL: none yet */
	struct map by_addr;
	struct list quiet, failed; /* the longest unseen first */
	struct suite_name suites[SUITES_MAX];
	unsigned suites_n;
	struct map suite_by_text;
	struct arena arena;       /* of suites' keys, and of what is reported */
	struct session *sessions; /* SESSIONS_MAX, by pid */
	uint64_t ecdsa_in;        /* uses of our ECDSA certificates */
	/* After logs_conclude(). */
	struct log_peer *report;
	unsigned report_n;
	struct arena report_arena;
};

enum way { IN, OUT };

/* Who, in an event. */
struct party {
	uint8_t addr[16];
	struct span host;
};

/* ---- logs_line.c ---- */

/* The time that the line begins with (any of the three forms): what follows it, or .p == NULL. The value comes with at(): it is
 * looked up only for lines that matter. */
struct stamp {
	struct span text; /* of the time */
	enum { STAMP_NONE, STAMP_EXIM, STAMP_RFC3339, STAMP_SYSLOG } form;
};
/* false: older than since. */
bool stamp_time(struct logs *l, const struct stamp *stamp, int64_t *ret);
/* Of the first dated line; false: none. */
bool logs_first_time(struct logs *l, struct span lines, int64_t changed_at, int64_t *ret);
/* The address in [ ] (what stands in it); false: none. */
bool party_addr(struct span text, uint8_t ret[16]);
/* "name (helo) [address]" or "name[address]" at the beginning of *rest, which then stands behind it. */
bool party_take(struct span *rest, struct party *ret);
/* Does it begin with this? Then *rest stands behind it. */
bool skip(struct span *rest, struct span prefix);

/* ---- one program each: the line behind its time and header ---- */
void exim_line(struct logs *l, const struct stamp *stamp, struct span message);
void postfix_line(struct logs *l, const struct stamp *stamp, struct span daemon, uint32_t pid, struct span message);
bool torhaus_line(struct logs *l, const struct stamp *stamp, struct span message); /* false: it is none of those */

/* ---- logs_peers.c: events ---- */
void peer_secured(struct logs *l, const struct party *p, enum way way, int64_t at, struct span version,
	struct span suite, enum tls_key_type key);
void peer_mail(struct logs *l, const struct party *p, enum way way, int64_t at, bool secured, uint64_t count);
void peer_failed(struct logs *l, const struct party *p, enum way way, int64_t at, struct span reason);
void peer_failed_as(struct logs *l, const struct party *p, enum way way, int64_t at, enum fault_code code);
/* Its last failure, at `at`, was written up to some seconds after it happened: what followed may stand before it. */
void peer_failed_before(struct logs *l, const uint8_t addr[16], int64_t at);
/* Better words for its last failure. */
void peer_failed_because(struct logs *l, const uint8_t addr[16], struct span reason);
void peer_refused(struct logs *l, const struct party *p, int64_t at, struct span recipient, struct span words);

/* ---- logs_reason.c ---- */
unsigned rule_find(struct span reason);
unsigned rule_of_code(enum fault_code code);
void rule_cause(unsigned rule, struct log_cause *ret); /* count aside */
/* The words leave open what it was, and the key type may have been. */
bool rule_is_about_suites(unsigned rule);
/* RSA or ECDSA by a suite's name. */
enum tls_key_type suite_key(struct span suite);
/* Words of a refusal for want of encryption. */
bool is_about_encryption(struct span words);
