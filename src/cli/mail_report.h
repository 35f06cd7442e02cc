/*
 * torhaus mail report --domain NAME [--month YYYY-MM | --from DAY --to DAY]: what shows that a
 * domain's mail came encrypted.
 *
 * mail_report.c gathers it from the store, mail_report_print.c tells it in words, as a document
 * (report/doc.h), mail_report_json.c to programs.
 */
#pragma once
#include "cli/cli_priv.h"
#include "report/doc.h"
#include "cli/domain_work.h"
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
	struct work *w;
	struct domain_row *row; /* NULL: the domain is no longer in the store */
	struct span domain;
	int64_t first, last; /* days since 1970, both included */
	int64_t now;
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
void mail_report_doc(struct mail_report *r, struct doc *ret);
void mail_report_json(struct mail_report *r, struct buf *out);
/* "2026-11-25" */
void mail_report_day(int64_t day, char ret[32]);
