/*
 * torhaus mail report --domain NAME [--month YYYY-MM | --from DAY --to DAY] [--html FILE]: its
 * arguments, and where the report goes (report/mail_report.h).
 */
#include "report/mail_report.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

#define DAY_S       86400
#define DOCUMENT    ((size_t)64 << 20)
#define MONTH_BYTES 7 /* "2026-11" */

/* ---- the period ---- */

static int parse_day(struct cli *cli, const char *text, int64_t *ret)
{
	int64_t at;

	if (strlen(text) != 10 || clock_parse_rfc3339(span_of(text), &at) < 0 || at < 0)
		return cli_usage(cli, "%s is no day of the form YYYY-MM-DD", "%s ist kein Tag der Form JJJJ-MM-TT",
			text);
	*ret = at / DAY_S;
	return CLI_DONE;
}

/* The month of a day, from its first to its last. */
static void month_of(int64_t day, struct mail_report *r)
{
	time_t t = day * DAY_S;
	struct tm tm;

	must(gmtime_r(&t, &tm));
	r->first = day - (tm.tm_mday - 1);
	tm.tm_mday = 1;
	tm.tm_mon++;
	r->last = (int64_t)timegm(&tm) / DAY_S - 1;
}

static int period_of(struct cli *cli, const struct cli_args *args, struct mail_report *r)
{
	const char *month = cli_arg(args, "--month"), *from = cli_arg(args, "--from"), *to = cli_arg(args, "--to");
	char first[16];
	int64_t day = r->now / DAY_S;

	if (month && (from || to))
		return cli_usage(cli, "either --month, or --from and --to", "entweder --month oder --from und --to");
	if (!month && !from != !to)
		return cli_usage(cli, "--from and --to belong together", "--from und --to gehören zusammen");
	if (from) {
		if (parse_day(cli, from, &r->first) != CLI_DONE || parse_day(cli, to, &r->last) != CLI_DONE)
			return CLI_USAGE;
		if (r->last < r->first || r->last - r->first >= REPORT_DAYS_MAX)
			return cli_usage(cli, "from %s to %s: that are not 1 to %d days",
				"von %s bis %s: das sind nicht 1 bis %d Tage", from, to, REPORT_DAYS_MAX);
		return CLI_DONE;
	}
	if (month) {
		snprintf(first, sizeof(first), "%.10s-01", month);
		if (strlen(month) != MONTH_BYTES || parse_day(cli, first, &day) != CLI_DONE)
			return cli_usage(cli, "%s is no month of the form YYYY-MM",
				"%s ist kein Monat der Form JJJJ-MM", month);
	}
	month_of(day, r);
	/* The present month ends today. */
	if (r->last > r->now / DAY_S && r->first <= r->now / DAY_S)
		r->last = r->now / DAY_S;
	return CLI_DONE;
}

/* ---- the domain ---- */

/* A domain that was removed still has its evidence; one that there never was is a mistake. */
static int read_domain(struct work *w, struct mail_report *r, struct reading *rd)
{
	int found = work_has(w, r->domain), status;

	if (found > 0) {
		status = work_read_one(rd, r->domain);
		r->row = status == CLI_DONE ? &rd->rows[0] : NULL;
		return status == CLI_FOUND ? CLI_DONE : status;
	}
	if (found < 0)
		return work_refuse(w);
	return mail_report_has_mail(r) ? CLI_DONE : work_refuse_unknown(w, r->domain);
}

/* ---- output ---- */

static int write_page(struct work *w, const struct doc *d, const char *path)
{
	_cleanup_(buf_done) struct buf page = BUF_INIT(DOCUMENT);
	bool to_stdout = strcmp(path, "-") == 0, failed;
	FILE *f = to_stdout ? w->cli->out : fopen(path, "w");

	doc_print_html(d, w->cli->lang, &page);
	if (buf_error(&page) < 0)
		errno = EFBIG;
	failed = !f || buf_error(&page) < 0 || fwrite(page.p, 1, page.n, f) != page.n;
	if (f && !to_stdout && fclose(f) != 0)
		failed = true;
	if (!failed)
		return CLI_DONE;
	fault_set(&w->fault, FAULT_FILE_UNWRITABLE);
	fault_fact(&w->fault, "path", "%s", path);
	fault_fact(&w->fault, "error", "%s", strerror(errno));
	cli_fault(w->cli, &w->fault);
	return CLI_PARTLY;
}

static int print(struct work *w, struct mail_report *r, const char *html)
{
	struct doc d;

	if (w->cli->json && !html) {
		mail_report_json(r, &w->out);
		return CLI_DONE;
	}
	mail_report_doc(r, &d);
	if (html)
		return write_page(w, &d, html);
	doc_print_text(&d, cli_bold(w->cli), cli_plain(w->cli), &w->out);
	return CLI_DONE;
}

static int report(struct work *w, struct mail_report *r, const char *html)
{
	struct reading rd = { .w = w };
	unsigned http;
	int error, status;
	json_t *server;

	if (mail_report_read(r, w->store, &w->fault) < 0)
		return work_refuse(w);
	status = read_domain(w, r, &rd);
	if (status == CLI_DONE) {
		server = cli_ask(w->settings, "GET", "/status", NULL, &http, &error);
		mail_report_gap(r, server);
		json_decref(server);
		status = print(w, r, html);
	}
	mem_free(rd.rows);
	return status;
}

int cli_mail_report(struct cli *cli, int argc, char **argv)
{
	struct mail_report *r;
	struct cli_args args;
	struct work w;
	int status;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	if (!cli_arg(&args, "--domain"))
		return cli_usage(cli, "--domain NAME is missing", "--domain NAME fehlt");
	r = mem_new(struct mail_report);
	*r = (struct mail_report){ .a = &w.arena, .lang = cli->lang, .now = clock_wall_s() };
	status = period_of(cli, &args, r);
	if (status == CLI_DONE) {
		status = work_begin(&w, cli);
		if (status == CLI_DONE && !work_find_name(&w, cli_arg(&args, "--domain"), &r->domain))
			status = CLI_USAGE;
		if (status == CLI_DONE) {
			r->hostname = w.settings->mail.hostname;
			status = report(&w, r, cli_arg(&args, "--html"));
		}
		status = work_end(&w, status);
	}
	mem_free(r);
	return status;
}
