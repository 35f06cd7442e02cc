/* torhaus tls scan: what its two files share. */
#pragma once
#include "cli/cli_priv.h"
#include "survey/survey.h"

struct tls_scan {
	struct cli *cli;
	struct scan scan;
	bool csv, progress;
	uint64_t began_ms, told_ms;
	int64_t now_s;
};
/* A server, as soon as it is done. */
void tls_scan_json(struct tls_scan *t, const struct scan_host *h);
void tls_scan_csv_head(struct tls_scan *t);
void tls_scan_csv(struct tls_scan *t, const struct scan_host *h);
/* The table, or the sums; the exit status. */
int tls_scan_end(struct tls_scan *t);
