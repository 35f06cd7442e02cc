/* Inside the log reader: lines to events (a file for each program), events to peers. */
#pragma once
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "logs/logs.h"

#define SUITES_MAX          256
#define SESSIONS_MAX        4096 /* processes of Postfix that are followed at once */
#define MEMOS               1024
#define NO_RULE             0
#define LANGUAGE_WORDS      4  /* bits for each row of months.tbl.h */
#define MONTH_NAME_MAX      48 /* bytes */
#define JOURNAL_MESSAGE_MAX 8192

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

/* First what lines without trouble look at: few lines of cache, for a log of many peers finds none
 * of them there. */
struct peer {
	uint8_t addr[16];   /* IPv4 mapped */
	struct list recent; /* in quiet or failed */
	uint32_t next;      /* of the same hash: its number + 1; 0: none */
	uint16_t rule;      /* of the last failure's cause */
	uint8_t host_n, uses_n, causes_n;
	bool failed_out; /* the last failure */
	bool cleared[2]; /* in, out; the last failure was followed already */
	int64_t first_at, last_at, secured_at[2], failed_at[2];
	/* it last came without TLS for no reason known; 0: never since TLS */
	int64_t clear_at;
	uint64_t mails[2], clear[2], failures[2]; /* in, out */
	/* with no line about TLS, in a log that had none so far */
	uint64_t untold[2];
	struct use uses[LOGS_USES_MAX];
	char host[LOGS_TEXT];
	uint64_t fallbacks[2], refusals, uses_more;
	int64_t failed_first_at[2], refused_at, fallback_at, fallback_after_s;
	struct cause causes[LOGS_CAUSES_MAX];
	char reason[LOGS_TEXT], refused_for[LOGS_TEXT], refused_with[LOGS_TEXT];
};

/* A process of Postfix and the connection that it has. */
struct session {
	uint32_t pid;
	bool client; /* smtp, else smtpd */
	bool secured, failed;
	uint8_t addr[16];
	uint64_t mail; /* hash of the queue id that the connection was made for; 0: none yet */
	/* Mails that came before it was told whether TLS was up, the first of them at held_at. */
	uint32_t held;
	int64_t held_at;
};

struct clock_cache {
	char key[16]; /* the hour's text, and of what kind it is */
	int64_t hour_s;
};

/* What a text was found to say, as it comes again and again. Of the text its hash is kept: 64 bits
 * of a function that nobody outside the process knows. */
enum question { WHICH_SUITE, WHICH_RULE, ABOUT_ENCRYPTION };
struct memo {
	uint64_t hash;
	unsigned answer;
};

struct seen {
	int64_t first_at, last_at; /* 0: never */
};

struct logs {
	struct logs_totals totals;
	int64_t since, changed_at;
	struct clock_cache clock;
	struct span line; /* the one that is read */
	/* The last one of a usual form, which a "last message repeated" repeats; in text[] between
	 * feedings. */
	struct {
		struct span program, message;
		uint32_t pid;
		char text[4096];
	} last;
	uint64_t languages[LANGUAGE_WORDS]; /* that the names of months can be of */
	struct {
		char name[MONTH_NAME_MAX];
		size_t n; /* 0: none */
		int number;
	} month; /* the last name that was looked up */
	/* Peers, room for all from the start; by the address's hash. */
	struct peer *peers;
	unsigned peers_n, peers_max;
	uint32_t *by_addr; /* their numbers + 1 */
	size_t by_addr_mask;
	struct list quiet, failed; /* the longest unseen first */
	struct suite_name suites[SUITES_MAX];
	unsigned suites_n;
	struct map suite_by_text;
	struct memo memos[MEMOS];
	struct arena arena;       /* of suites' keys */
	struct session *sessions; /* SESSIONS_MAX, by pid */
	/* In, out: Postfix writes a line when TLS is up (its tls_loglevel is above 0). */
	bool postfix_tells[2];
	struct {
		uint32_t pid;
		size_t n;
		char text[512];
	} words; /* of the library, by tlsproxy, whose failures follow at once */
	struct {
		uint64_t key;
		int64_t at;
	} told;                       /* the last failure of a delivery */
	struct seen rsa_in, ecdsa_in; /* our certificates of these types */
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

/* ---- stamp.c ---- */

/* A line's time. Its value comes with stamp_time(): it is looked up only for lines that matter. Not
 * to be copied, for text may stand in own. */
struct stamp {
	struct span text;
	enum { STAMP_NONE, STAMP_EXIM, STAMP_RFC3339, STAMP_SYSLOG, STAMP_SECONDS } form;
	int64_t at; /* STAMP_SECONDS */
	char own[24];
};
/* Takes the time off *rest, if it is of the three most usual forms. */
bool stamp_take(struct span *rest, struct stamp *ret);
/* Or of any. */
bool stamp_take_any(struct logs *l, struct span *rest, struct stamp *ret);
/* Wall seconds; false: it only looked like a time. */
bool stamp_s(struct logs *l, const struct stamp *stamp, int64_t *ret);
/* The same for a line that tells something, which is counted; false also: older than since. */
bool stamp_time(struct logs *l, const struct stamp *stamp, int64_t *ret);

/* ---- line.c ---- */

/* Behind its time. depth: 0; more for a line within a line. */
void line_dated(struct logs *l, const struct stamp *stamp, struct span rest, unsigned depth);
void line_message(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid, struct span message);
/* It has a time, and is of no program that is read. */
void line_is_foreign(struct logs *l);
/* Of the first dated line; false: none. */
bool logs_first_time(struct logs *l, struct span lines, int64_t changed_at, int64_t *ret);

/* ---- journal.c ---- */
/* false: it is no object of JSON */
bool journal_line(struct logs *l, struct span line);

/* ---- text.c ---- */

/* Does it begin with this? Then *rest stands behind it. */
static inline bool skip(struct span *rest, struct span prefix)
{
	if (!span_starts(*rest, prefix))
		return false;
	rest->p += prefix.n;
	rest->n -= prefix.n;
	return true;
}
/* The place of the first part, or -1. By its first byte, which should be rare: memmem() builds a
 * table for each search, which does not pay in texts as short as lines. */
static inline ptrdiff_t find(struct span s, struct span part)
{
	const char *p = s.p;

	for (size_t n = s.n; n > 0 && (p = memchr(p, part.p[0], n)); p++, n--) {
		n = s.n - (size_t)(p - s.p);
		if (n >= part.n && memcmp(p, part.p, part.n) == 0)
			return p - s.p;
	}
	return -1;
}
/* What follows the first "name=", for a name with what stands before it (" H", ", relay"); false:
 * there is none. */
static inline bool find_value(struct span s, struct span name, struct span *ret)
{
	const char *p = s.p;

	for (size_t n = s.n; n > 0 && (p = memchr(p, '=', n)); p++) {
		n = s.n - (size_t)(p - s.p) - 1;
		if (s.n - n > name.n && memcmp(p - name.n, name.p, name.n) == 0) {
			*ret = span_make(p + 1, n);
			return true;
		}
	}
	return false;
}
bool skip_to_value_past_quotes(struct span *rest, struct span name);
/* Goes there, but outside of quotes: strangers choose local parts. */
static inline bool skip_to_value(struct span *rest, struct span name)
{
	struct span value;

	if (!find_value(*rest, name, &value))
		return false;
	if (span_index(span_sub(*rest, 0, (size_t)(value.p - rest->p)), '"') >= 0)
		return skip_to_value_past_quotes(rest, name);
	*rest = value;
	return true;
}
/* The address (what stands in [ ]); false: none. */
bool party_addr(struct span text, uint8_t ret[16]);
/* "name (helo) [address]" or "name[address]" at the beginning of *rest, which then stands behind
 * it. */
bool party_take(struct span *rest, struct party *ret);
/* Is the answer to this known? Else *ret is the place for it. */
bool memo_find(struct logs *l, enum question q, struct span text, struct memo **ret);

/* ---- one program each: the line behind its time and header ---- */
/* false: it does not look like a line of Exim's. */
bool exim_line(struct logs *l, const struct stamp *stamp, struct span message);
/* When all was read: connections that are still open. */
void postfix_end(struct logs *l);
void postfix_line(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid, struct span message);
/* false: it is none of those */
bool torhaus_line(struct logs *l, const struct stamp *stamp, struct span message);

/* ---- peers.c: events ---- */

/* The peer, seen at this time. Valid until the next one is met. */
struct peer *peer_meet(struct logs *l, const struct party *party, int64_t at);
struct peer *peer_find(const struct logs *l, const uint8_t addr[16]); /* NULL: unknown */
/* A suite's number; SUITES_MAX: there are too many. */
unsigned suite_index(struct logs *l, struct span version, struct span suite, enum tls_key_type key);
void peer_secured(struct logs *l, struct peer *p, enum way way, int64_t at, unsigned suite);
/* The same without a word about version and suite. */
void peer_secured_somehow(struct peer *p, enum way way, int64_t at);
void peer_mail(struct peer *p, enum way way, int64_t at, bool secured, uint64_t count);
void peer_failed(struct logs *l, struct peer *p, enum way way, int64_t at, struct span reason);
/* Of a message's delivery: one failure has a line for each recipient, and more. */
void peer_failed_for(struct logs *l, struct peer *p, struct span id, int64_t at, struct span reason);
void peer_failed_as(struct logs *l, struct peer *p, enum way way, int64_t at, enum fault_code code);
/* Its last failure, at `at`, was written up to some seconds after it happened: what followed may
 * stand before it. */
void peer_failed_before(struct peer *p, int64_t at);
/* It came as far as a recipient, and there was no handshake on the way. */
void peer_came(struct peer *p, int64_t at);
/* Better words for its last failure. */
void peer_failed_because(struct logs *l, struct peer *p, struct span reason);
void peer_refused(struct peer *p, int64_t at, struct span recipient, struct span words);

/* ---- reason.c ---- */
/* Of a reason in that direction; NO_RULE: its words do not tell. */
unsigned rule_find(struct logs *l, enum way way, struct span reason);
/* As people see it: without the place in the library's source behind it. */
struct span reason_shown(struct span words);
unsigned rule_of_code(enum fault_code code);
void rule_cause(unsigned rule, struct log_cause *ret); /* count aside */
/* The words leave open what it was, and the key type may have been. */
bool rule_is_about_suites(unsigned rule);
/* RSA or ECDSA by a suite's name. */
enum tls_key_type suite_key(struct span suite);
/* Words of a refusal for want of encryption. */
bool is_about_encryption(struct logs *l, struct span words);
