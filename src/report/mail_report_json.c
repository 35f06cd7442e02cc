/* The report for programs: torhaus.mail-report/1. */
#include "base/mem.h"
#include "report/mail_report.h"

#define DAY_S 86400

static void json_day(struct jsonw *j, const char *key, int64_t day)
{
	char text[32];

	mail_report_day(day, text);
	jsonw_text(j, key, text);
}

static void json_policy(const struct mail_report *r, struct jsonw *j)
{
	const struct domain *d = &r->row->d;

	jsonw_object(j, "policy");
	jsonw_text(j, "tls", domain_tls_text(d->tls));
	jsonw_span(j, "mail", d->mail.text);
	jsonw_text(j, "mail_tls", domain_mail_tls_text(d->mail_tls));
	jsonw_time(j, "changed_at", r->row->changed_at);
	jsonw_span(j, "changed_by", r->row->changed_by);
	jsonw_array(j, "exceptions");
	for (unsigned i = 0; i < d->recipient_n; i++) {
		const struct domain_recipient *e = &d->recipient[i];

		jsonw_object(j, NULL);
		jsonw_span(j, "address", e->address);
		jsonw_text(j, "tls", domain_tls_text(e->tls));
		jsonw_span(j, "by", e->by);
		if (e->at)
			json_day(j, "at", e->at / DAY_S);
		if (e->until)
			json_day(j, "until", e->until / DAY_S);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_end(j);
}

static void json_mails(const struct mail_report *r, struct jsonw *j)
{
	jsonw_object(j, "mails");
	jsonw_uint(j, "delivered", r->delivered);
	jsonw_uint(j, "encrypted", r->delivered - r->clear);
	jsonw_uint(j, "without_tls", r->clear);
	jsonw_uint(j, "refused", r->refused);
	jsonw_uint(j, "deferred", r->deferred);
	jsonw_uint(j, "recipients", r->recipients);
	jsonw_uint(j, "bytes", r->bytes);
	jsonw_array(j, "by_tls");
	for (unsigned i = 0; i < r->suites_n; i++) {
		jsonw_object(j, NULL);
		jsonw_span(j, "version", r->suites[i].version);
		jsonw_span(j, "suite", r->suites[i].suite);
		jsonw_uint(j, "mails", r->suites[i].mails);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_array(j, "by_hop");
	for (unsigned i = 0; i < r->hops_n; i++) {
		jsonw_object(j, NULL);
		jsonw_span(j, "hop", r->hops[i].hop);
		jsonw_uint(j, "mails", r->hops[i].mails);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_array(j, "by_day");
	for (int64_t day = r->first; day <= r->last; day++) {
		const struct report_day *d = &r->days[day - r->first];

		if (d->encrypted + d->clear == 0)
			continue;
		jsonw_object(j, NULL);
		json_day(j, "day", day);
		jsonw_uint(j, "encrypted", d->encrypted);
		jsonw_uint(j, "without_tls", d->clear);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_end(j);
}

static void json_refusals(struct jsonw *j, const char *name, const struct report_refusal *list)
{
	jsonw_array(j, name);
	for (const struct report_refusal *f = list; f; f = f->next) {
		jsonw_object(j, NULL);
		jsonw_time(j, "first_at", f->r.first_at);
		jsonw_time(j, "last_at", f->r.last_at);
		jsonw_uint(j, "times", f->r.times);
		jsonw_span(j, "address", f->r.address);
		jsonw_span(j, "helo", f->r.helo);
		jsonw_span(j, "network", f->r.network);
		jsonw_span(j, "sender", f->r.sender);
		jsonw_span(j, "recipient", f->r.recipient);
		jsonw_span(j, "code", f->r.code);
		jsonw_span(j, "earlier", f->r.earlier);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void json_failures(const struct mail_report *r, struct jsonw *j)
{
	struct fault fault;

	jsonw_array(j, "failures");
	for (const struct report_failure *f = r->failures; f; f = f->next) {
		jsonw_object(j, NULL);
		jsonw_time(j, "first_at", f->f.first_at);
		jsonw_time(j, "last_at", f->f.last_at);
		jsonw_uint(j, "times", f->f.times);
		jsonw_span(j, "address", f->f.address);
		jsonw_span(j, "helo", f->f.helo);
		jsonw_span(j, "network", f->f.network);
		jsonw_span(j, "code", f->f.code);
		jsonw_bool(j, "came_without_tls", f->followed);
		jsonw_span(j, "proof", f->f.proof);
		if (fault_unpack(f->f.fault, r->a, &fault) == 0)
			fault_json(j, "fault", &fault);
		if (f->f.also.n > 0 && fault_unpack(f->f.also, r->a, &fault) == 0)
			fault_json(j, "also", &fault);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void json_certificates(const struct mail_report *r, struct jsonw *j)
{
	jsonw_array(j, "certificates");
	for (const struct report_certificate *c = r->certificates; c; c = c->next) {
		_cleanup_(buf_done) struct buf hex = BUF_INIT(128);

		buf_add_hex(&hex, c->c.sha256, sizeof(c->c.sha256));
		jsonw_object(j, NULL);
		jsonw_span(j, "name", c->c.name);
		jsonw_span(j, "key", c->c.key);
		jsonw_uint(j, "bits", c->c.bits);
		jsonw_span(j, "issuer", c->c.issuer);
		jsonw_bool(j, "self_signed", c->c.self_signed);
		jsonw_time(j, "not_before", c->c.not_before);
		jsonw_time(j, "not_after", c->c.not_after);
		jsonw_time(j, "served_first", c->c.first_at);
		jsonw_time(j, "served_last", c->c.last_at);
		jsonw_span(j, "sha256", buf_span(&hex));
		jsonw_end(j);
	}
	jsonw_end(j);
}

void mail_report_json(struct mail_report *r, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.mail-report/1");
	jsonw_span(&j, "domain", r->domain);
	json_day(&j, "from", r->first);
	json_day(&j, "to", r->last);
	if (r->begins <= r->last)
		json_day(&j, "records_from", r->begins);
	jsonw_time(&j, "made_at", r->now);
	jsonw_text(&j, "version", TORHAUS_VERSION);
	if (r->row)
		json_policy(r, &j);
	json_mails(r, &j);
	json_refusals(&j, "refused", r->refusals);
	json_refusals(&j, "taken_without_tls", r->taken);
	json_failures(r, &j);
	json_certificates(r, &j);
	if (r->gap.code != FAULT_NONE)
		fault_json(&j, "gap", &r->gap);
	jsonw_end(&j);
	buf_add_char(out, '\n');
}
