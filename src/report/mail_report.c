/* What the store knows of a domain's mail in a period. */
#include "report/mail_report.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/map.h"
#include "base/mem.h"

#define DAY_S 86400

void mail_report_day(int64_t day, char ret[32])
{
	struct tm tm;
	time_t t = day * DAY_S;

	if (!gmtime_r(&t, &tm) || strftime(ret, 32, "%Y-%m-%d", &tm) == 0)
		memcpy(ret, "-", 2);
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
		r->suites[i].version = arena_span(r->a, m->version);
		r->suites[i].suite = arena_span(r->a, m->suite);
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
		r->hops[r->hops_n++].hop = arena_span(r->a, m->hop);
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
	struct arena *a = r->a;
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
	struct arena *a = r->a;
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
	struct arena *a = cs->r->a;
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
		map_put(&refused, arena_spanf(r->a, "%.*s\n%.*s", SPAN_ARG(f->r.network), SPAN_ARG(f->r.helo)), r);
	for (struct report_failure *f = r->failures; f; f = f->next)
		f->followed =
			map_find(&refused,
				arena_spanf(r->a, "%.*s\n%.*s", SPAN_ARG(f->f.network), SPAN_ARG(f->f.helo))) != NULL;
	map_done(&refused);
}

int mail_report_read(struct mail_report *r, struct store *store, struct fault *fault)
{
	int64_t from = r->first * DAY_S, to = (r->last + 1) * DAY_S;
	struct certificates certificates = { .r = r, .last = &r->certificates };
	struct failures failures = { .r = r };
	int64_t since = 0;
	int result = store_mail_each(store, r->domain, r->first, r->last, add_mail, r, fault);

	if (result == 0)
		result = store_refusal_each(store, r->domain, from, to, add_refusal, r, fault);
	map_init(&failures.by_key);
	if (result == 0)
		result = store_failure_each(store, from, to, add_failure, &failures, fault);
	map_done(&failures.by_key);
	if (result == 0)
		result = store_certificate_each(store, r->hostname, from, to, add_certificate, &certificates, fault);
	if (result == 0)
		result = store_evidence_since(store, &since, fault);
	if (result < 0)
		return result;
	r->begins = since > 0 ? since / DAY_S : r->last + 1;
	qsort(r->suites, r->suites_n, sizeof(*r->suites), by_mails);
	mark_followed(r);
	return 0;
}

bool mail_report_has_mail(const struct mail_report *r)
{
	return r->delivered + r->refused + r->deferred + r->refusals_n + r->taken_n > 0;
}

/* ---- gaps ---- */

void mail_report_gap(struct mail_report *r, json_t *status)
{
	json_t *fault;
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
			fault_fact(&r->gap, arena_text(r->a, span_of(name)), "%s", json_string_value(value));
	}
}
