/*
 * What shows that a domain's mail came encrypted: evidence under Art. 32 GDPR for a period of days.
 *
 * mail_report.c gathers it from the store, mail_report_doc.c tells it in words, as a document
 * (report/doc.h), mail_report_json.c to programs.
 */
#pragma once
#include <jansson.h>
#include "domain/domain.h"
#include "report/doc.h"
#include "store/evidence.h"

#define REPORT_DAYS_MAX STORE_COUNTS_DAYS
#define REPORT_ROWS_MAX 1000 /* of a list that are told in words; JSON has all */

/* Mails that were delivered, by TLS version and suite. */
struct report_suite {
	struct span version, suite; /* empty: without TLS */
	uint64_t mails;
};
/* And by how they went on to the mail server. */
struct report_hop {
	struct span hop; /* as in struct store_mail */
	uint64_t mails;
};
struct report_day {
	uint64_t encrypted, clear;
};
struct report_refusal {
	struct store_refusal r;
	struct report_refusal *next;
};
/* Failures of one peer for one reason in the period. */
struct report_failure {
	struct store_failure f;
	bool followed; /* the peer was refused without TLS for this domain, too */
	struct report_failure *next;
};
struct report_certificate {
	struct store_certificate c;
	struct report_certificate *next;
};
#define REPORT_SUITES_MAX 64
#define REPORT_HOPS_MAX   16
struct mail_report {
	/* The caller's: what is asked for, in which language, as of when. */
	struct arena *a; /* for what is read; lives as long as the report */
	enum fault_lang lang;
	struct span domain;
	struct span hostname; /* the mail edge's, whose certificates are listed */
	int64_t first, last;  /* days since 1970, both included; REPORT_DAYS_MAX at most */
	int64_t now;
	const struct domain_row *row; /* NULL: the domain is no longer in the store */
	/* What mail_report_read() found. */
	int64_t begins; /* the day of the oldest record of all domains; after last: none by then */
	uint64_t delivered, clear, refused, deferred, recipients, bytes;
	struct report_suite suites[REPORT_SUITES_MAX]; /* the most first */
	unsigned suites_n;
	struct report_hop hops[REPORT_HOPS_MAX];
	unsigned hops_n;
	struct report_day days[REPORT_DAYS_MAX];
	struct report_refusal *refusals,
		*taken; /* refused without TLS; taken without it, because the domain only reports */
	unsigned refusals_n, taken_n;
	uint64_t refusals_times, taken_times;
	struct report_failure *failures;
	unsigned failures_n;
	uint64_t failures_times;
	/* that served the mail edge's name in the period */
	struct report_certificate *certificates;
	/* a running server says that evidence is missing; else FAULT_NONE */
	struct fault gap;
};
/* Reads the evidence of the period into r, of which all but the caller's part is zero. 0, or -errno
 * with fault. Blocks. */
int mail_report_read(struct mail_report *r, struct store *store, struct fault *fault);
/* Is there anything in the store of this domain's mail? After mail_report_read(). */
bool mail_report_has_mail(const struct mail_report *r);
/* Takes from the status document of a running server (NULL: none) what is missing in the store. */
void mail_report_gap(struct mail_report *r, json_t *status);
/* As a document in r's language; it lives in r's arena. */
void mail_report_doc(struct mail_report *r, struct doc *ret);
/* As "torhaus.mail-report/1". */
void mail_report_json(struct mail_report *r, struct buf *out);
/* "2026-11-25" */
void mail_report_day(int64_t day, char ret[32]);
