/* torhaus mail report: its arguments, and what the store knows of the period. */
#include "cli/mail_report.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#define DAY_S       86400
#define DOCUMENT    ((size_t)64 << 20)
#define MONTH_BYTES 7 /* "2026-11" */

void mail_report_day(int64_t day, char ret[32])
{
	struct tm tm;
	time_t t = day * DAY_S;

	if (!gmtime_r(&t, &tm) || strftime(ret, 32, "%Y-%m-%d", &tm) == 0)
		memcpy(ret, "-", 2);
}

/* ---- the period ---- */

static int parse_day(struct cli *cli, const char *text, int64_t *ret)
{
	int64_t at;

	if (strlen(text) != 10 || clock_parse_rfc3339(span_of(text), &at) < 0 || at < 0)
		return cli_usage(cli, "%s is no day of the form YYYY-MM-DD", text);
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
		return cli_usage(cli, "either --month, or --from and --to");
	if (!month && !from != !to)
		return cli_usage(cli, "--from and --to belong together");
	if (from) {
		if (parse_day(cli, from, &r->first) != CLI_DONE || parse_day(cli, to, &r->last) != CLI_DONE)
			return CLI_USAGE;
		if (r->last < r->first || r->last - r->first >= REPORT_DAYS_MAX)
			return cli_usage(cli, "from %s to %s: that are not 1 to %d days", from, to, REPORT_DAYS_MAX);
		return CLI_DONE;
	}
	if (month) {
		snprintf(first, sizeof(first), "%.10s-01", month);
		if (strlen(month) != MONTH_BYTES || parse_day(cli, first, &day) != CLI_DONE)
			return cli_usage(cli, "%s is no month of the form YYYY-MM", month);
	}
	month_of(day, r);
	/* The present month ends today. */
	if (r->last > r->now / DAY_S && r->first <= r->now / DAY_S)
		r->last = r->now / DAY_S;
	return CLI_DONE;
}

/* ---- mails ---- */

static void add_suite(struct mail_report *r, const struct store_mail *m)
{
	unsigned i = 0;

	while (i < r->suites_n && !(span_eq(r->suites[i].version, m->version) && span_eq(r->suites[i].suite, m->suite)))
		i++;
	/* There are not that many suites; should there be, the last line has the rest. */
	if (i == REPORT_SUITES_MAX)
		i--;
	if (i == r->suites_n) {
		r->suites[i].version = arena_span(&r->w->arena, m->version);
		r->suites[i].suite = arena_span(&r->w->arena, m->suite);
		r->suites_n++;
	}
	r->suites[i].mails += m->mails;
}

static void add_hop(struct mail_report *r, const struct store_mail *m)
{
	unsigned i = 0;

	while (i < r->hops_n && !span_eq(r->hops[i].hop, m->hop))
		i++;
	if (i == REPORT_HOPS_MAX)
		i--;
	if (i == r->hops_n)
		r->hops[r->hops_n++].hop = arena_span(&r->w->arena, m->hop);
	r->hops[i].mails += m->mails;
}

static int add_mail(void *arg, const struct store_mail *m)
{
	struct mail_report *r = arg;
	struct report_day *day = &r->days[m->day - r->first];

	if (span_eq(m->verdict, SPAN("refused"))) {
		r->refused += m->mails;
	} else if (span_eq(m->verdict, SPAN("deferred"))) {
		r->deferred += m->mails;
	} else {
		bool clear = m->version.n == 0;

		r->delivered += m->mails;
		r->clear += clear ? m->mails : 0;
		r->recipients += m->recipients;
		r->bytes += m->bytes;
		*(clear ? &day->clear : &day->encrypted) += m->mails;
		add_suite(r, m);
		add_hop(r, m);
	}
	return 0;
}

static int by_mails(const void *a, const void *b)
{
	uint64_t x = ((const struct report_suite *)a)->mails, y = ((const struct report_suite *)b)->mails;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* ---- refusals and failures ---- */

static int add_refusal(void *arg, const struct store_refusal *f)
{
	struct mail_report *r = arg;
	struct arena *a = &r->w->arena;
	struct report_refusal *kept = arena_new(a, struct report_refusal);
	bool refused = f->code.n > 0;
	struct report_refusal **to = refused ? &r->refusals : &r->taken;

	kept->r = *f;
	store_refusal_keep(a, &kept->r);
	/* The latest first. */
	kept->next = *to;
	*to = kept;
	*(refused ? &r->refusals_n : &r->taken_n) += 1;
	*(refused ? &r->refusals_times : &r->taken_times) += f->times;
	return 0;
}

struct failures {
	struct mail_report *r;
	struct map by_key;
};

static int add_failure(void *arg, const struct store_failure *f)
{
	struct failures *fs = arg;
	struct mail_report *r = fs->r;
	struct arena *a = &r->w->arena;
	struct span key =
		arena_spanf(a, "%.*s\n%.*s\n%.*s", SPAN_ARG(f->network), SPAN_ARG(f->helo), SPAN_ARG(f->code));
	struct report_failure *kept = map_find(&fs->by_key, key);
	int64_t first_at = kept ? kept->f.first_at : f->first_at;
	uint64_t times = kept ? kept->f.times : 0;

	if (!kept) {
		kept = arena_new(a, struct report_failure);
		map_put(&fs->by_key, key, kept);
		kept->next = r->failures;
		r->failures = kept;
		r->failures_n++;
	}
	/* The latest tells best how things are. */
	kept->f = *f;
	kept->f.first_at = first_at;
	kept->f.times = times + f->times;
	store_failure_keep(a, &kept->f);
	r->failures_times += f->times;
	return 0;
}

struct certificates {
	struct mail_report *r;
	struct report_certificate **last;
};

static int add_certificate(void *arg, const struct store_certificate *c)
{
	struct certificates *cs = arg;
	struct arena *a = &cs->r->w->arena;
	struct report_certificate *kept = arena_new(a, struct report_certificate);

	kept->c = *c;
	store_certificate_keep(a, &kept->c);
	*cs->last = kept;
	cs->last = &kept->next;
	return 0;
}

/* Which of the peers that failed came without TLS then, for this domain? */
static void mark_followed(struct mail_report *r)
{
	struct map refused;

	map_init(&refused);
	for (const struct report_refusal *f = r->refusals; f; f = f->next)
		map_put(&refused, arena_spanf(&r->w->arena, "%.*s\n%.*s", SPAN_ARG(f->r.network), SPAN_ARG(f->r.helo)),
			r);
	for (struct report_failure *f = r->failures; f; f = f->next)
		f->followed = map_find(&refused,
				      arena_spanf(&r->w->arena, "%.*s\n%.*s", SPAN_ARG(f->f.network),
					      SPAN_ARG(f->f.helo))) != NULL;
	map_done(&refused);
}

static int read_evidence(struct mail_report *r)
{
	int64_t from = r->first * DAY_S, to = (r->last + 1) * DAY_S;
	struct certificates certificates = { .r = r, .last = &r->certificates };
	struct failures failures = { .r = r };
	struct work *w = r->w;
	int result = store_mail_each(w->store, r->domain, r->first, r->last, add_mail, r, &w->fault);

	if (result == 0)
		result = store_refusal_each(w->store, r->domain, from, to, add_refusal, r, &w->fault);
	map_init(&failures.by_key);
	if (result == 0)
		result = store_failure_each(w->store, from, to, add_failure, &failures, &w->fault);
	map_done(&failures.by_key);
	if (result == 0)
		result = store_certificate_each(w->store, w->settings->mail.hostname, from, to, add_certificate,
			&certificates, &w->fault);
	if (result < 0)
		return work_refuse(w);
	qsort(r->suites, r->suites_n, sizeof(*r->suites), by_mails);
	mark_followed(r);
	return CLI_DONE;
}

/* ---- the domain, gaps ---- */

/* A domain that was removed still has its evidence; one that there never was is a mistake. */
static int read_domain(struct mail_report *r, struct reading *rd)
{
	struct work *w = r->w;
	int found = work_has(w, r->domain), status;

	if (found > 0) {
		status = work_read_one(rd, r->domain);
		r->row = status == CLI_DONE ? &rd->rows[0] : NULL;
		return status == CLI_FOUND ? CLI_DONE : status;
	}
	if (found < 0)
		return work_refuse(w);
	if (r->delivered + r->refused + r->deferred + r->refusals_n + r->taken_n > 0)
		return CLI_DONE;
	return work_refuse_unknown(w, r->domain);
}

/* A running server knows what is not in the store. */
static void read_gap(struct mail_report *r)
{
	unsigned http;
	int error;
	json_t *status = cli_ask(r->w->settings, "GET", "/status", NULL, &http, &error), *fault;
	size_t i;

	fault_clear(&r->gap);
	json_array_foreach(json_object_get(status, "faults"), i, fault)
	{
		const char *code = json_string_value(json_object_get(fault, "code")), *name;
		enum fault_code found = code ? fault_code_find(span_of(code)) : FAULT_NONE;
		json_t *value;

		if (found != FAULT_EVIDENCE_LOST && found != FAULT_EVIDENCE_WAITING)
			continue;
		fault_set(&r->gap, found);
		json_object_foreach(json_object_get(fault, "facts"), name, value) if (json_is_string(value))
			fault_fact(&r->gap, arena_text(&r->w->arena, span_of(name)), "%s", json_string_value(value));
	}
	json_decref(status);
}

/* ---- output ---- */

static int write_page(struct mail_report *r, const struct doc *d, const char *path)
{
	_cleanup_(buf_done) struct buf page = BUF_INIT(DOCUMENT);
	struct work *w = r->w;
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

static int print(struct mail_report *r, const char *html)
{
	struct work *w = r->w;
	struct doc d;

	if (w->cli->json && !html) {
		mail_report_json(r, &w->out);
		return CLI_DONE;
	}
	mail_report_doc(r, &d);
	if (html)
		return write_page(r, &d, html);
	doc_print_text(&d, cli_bold(w->cli), cli_plain(w->cli), &w->out);
	return CLI_DONE;
}

static int report(struct mail_report *r, const char *html)
{
	struct reading rd = { .w = r->w };
	int status = read_evidence(r);

	if (status == CLI_DONE)
		status = read_domain(r, &rd);
	if (status == CLI_DONE) {
		read_gap(r);
		status = print(r, html);
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
		return cli_usage(cli, "--domain NAME is missing");
	r = mem_new(struct mail_report);
	r->w = &w;
	r->now = clock_wall_s();
	status = period_of(cli, &args, r);
	if (status == CLI_DONE) {
		status = work_begin(&w, cli);
		if (status == CLI_DONE && !work_find_name(&w, cli_arg(&args, "--domain"), &r->domain))
			status = CLI_USAGE;
		if (status == CLI_DONE)
			status = report(r, cli_arg(&args, "--html"));
		status = work_end(&w, status);
	}
	mem_free(r);
	return status;
}
