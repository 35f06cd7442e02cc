/* torhaus tls scan: what its two files share. */
#pragma once
#include "cli/cli_priv.h"
#include "survey/survey.h"

struct tls_scan {
	struct cli *cli;
	struct scan scan;
	bool csv, progress;
	struct fleet now, earlier;
	bool compare; /* with earlier */
	struct scan_except except;
	uint64_t began_ms, told_ms;
	int64_t now_s;
};
/* ---- tls_scan_print.c ---- */

/* A server, as soon as it is done: entered into the fleet; printed, if lines of JSON are wanted. */
void tls_scan_line(struct tls_scan *t, const struct scan_host *h);
void tls_scan_csv_head(struct tls_scan *t);
void tls_scan_csv(struct tls_scan *t, const struct scan_host *h);
/* The table, or the sums; the exit status. */
int tls_scan_end(struct tls_scan *t);

/* ---- tls_scan_kept.c: whom the scan spares ---- */

/* --except and the lists that are always obeyed. CLI_DONE, or CLI_USAGE or CLI_SETTINGS after
 * telling. */
int tls_scan_read_excepted(struct tls_scan *t, const struct cli_args *args);
/* --fresh, --max-age and the results of earlier scans. CLI_DONE, or CLI_USAGE after telling. */
int tls_scan_open_cache(struct tls_scan *t, const struct cli_args *args);
void tls_scan_close_cache(struct tls_scan *t);
/* Each line of path ("-": standard input) but for blanks and what follows a #, until fn returns
 * something else than CLI_DONE. That, or CLI_USAGE after telling that the file cannot be read. */
typedef int tls_scan_entry_fn(struct tls_scan *t, const char *path, unsigned line, struct span entry);
int tls_scan_entries(struct tls_scan *t, const char *path, tls_scan_entry_fn *fn);

/* ---- tls_scan_fleet.c: what the servers say together ---- */

/* What a scan printed, into ret. CLI_DONE, or CLI_USAGE after telling. */
int tls_scan_read(struct cli *cli, const char *path, struct fleet *ret);
/* Sums, the odd ones, what changed; as JSON or for people. True if somebody is odd. */
bool tls_scan_fleet(struct tls_scan *t);
