/*
 * A domain in a survey: its MX names become hosts of the scan; its MTA-STS policy is fetched and
 * held against them.
 */
#pragma once
#include "survey/scan.h"
#include "survey/sts.h"

#define SCAN_MX_MAX              SCAN_RECORDS_MAX
#define SCAN_DOMAIN_FINDINGS_MAX 32

enum scan_sts {
	SCAN_STS_ABSENT,
	SCAN_STS_BROKEN_RECORD,
	SCAN_STS_UNFETCHED,
	SCAN_STS_OPTED_OUT, /* whoever keeps the policy does not want to be asked */
	SCAN_STS_MALFORMED,
	SCAN_STS_POLICY,
};
struct scan_domain {
	struct span name;
	struct scan_host *mx[SCAN_MX_MAX]; /* the best preference first */
	unsigned mx_n;
	bool secure;    /* DNSSEC proves the MX records */
	bool bogus;     /* or refutes them */
	bool null_mx;   /* it takes no mail (RFC 7505) */
	bool opted_out; /* it does not want to be looked at: nothing is known */
	int error;      /* of the look-up: negative errno */
	enum scan_sts sts;
	struct span sts_id, sts_why;
	struct sts_policy policy;
	struct arena arena;
};
/* Looks it up and adds its hosts to s. Suspends. 0 or -ECANCELED. */
int scan_domain_ask(struct scan *s, struct scan_domain *d);
/* scan_sts.c: the record and the policy. Suspends. 0 or -ECANCELED. */
int scan_sts_ask(struct scan *s, struct scan_domain *d);
/* What is wrong with the domain itself, once its hosts are done; at most
 * SCAN_DOMAIN_FINDINGS_MAX. */
unsigned scan_domain_findings(const struct scan_domain *d, struct fault *ret);
void scan_domain_json(struct jsonw *j, const struct scan_domain *d);
