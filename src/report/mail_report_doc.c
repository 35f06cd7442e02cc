/* The report in words, in the user's language. */
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "report/mail_report.h"

#define DAY_S     86400
#define MANY_DAYS 62 /* longer periods are told by month */

static const char *say(const struct mail_report *r, const char *en, const char *de)
{
	return r->lang == FAULT_DE ? de : en;
}

/* "1,234" or "1.234"; good until the eighth next call. */
static const char *number(const struct mail_report *r, uint64_t v)
{
	static char ring[8][32];
	static unsigned next;
	char digits[24], *out = ring[next++ % 8];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = *say(r, ",", ".");
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

static unsigned per_mille(uint64_t part, uint64_t all)
{
	return all ? (unsigned)(part * 1000 / all) : 0;
}

/* "99.7 %": cut, not rounded, so that only all is 100 %. */
static const char *share(const struct mail_report *r, uint64_t part, uint64_t all)
{
	static char ring[4][16];
	static unsigned next;
	char *out = ring[next++ % 4];

	snprintf(out, sizeof(ring[0]), "%u%s%u %%", per_mille(part, all) / 10, say(r, ".", ","),
		per_mille(part, all) % 10);
	return out;
}

/* "TLS 1.3" of "TLSv1.3". */
static struct span version_name(const struct mail_report *r, struct span version)
{
	if (span_starts(version, SPAN("TLSv")))
		return arena_spanf(r->a, "TLS %.*s", SPAN_ARG(span_from(version, 4)));
	return version.n > 0 ? version : span_of(say(r, "without TLS", "ohne TLS"));
}

static void fact(struct doc *d, const char *name)
{
	doc_row(d);
	doc_cell(d, "%s", name);
}

/* ---- what holds ---- */

static const char *requirement(const struct mail_report *r, enum domain_tls tls)
{
	switch (tls) {
	case DOMAIN_TLS_OFF:
		return say(r, "off: TLS is offered, mail without it is taken",
			"off: TLS wird angeboten, Mail ohne TLS wird angenommen");
	case DOMAIN_TLS_REPORT:
		return say(r, "report: mail without TLS is taken and written down",
			"report: Mail ohne TLS wird angenommen und aufgeschrieben");
	case DOMAIN_TLS_REQUIRE:
		return say(r, "require: mail without TLS is refused", "require: Mail ohne TLS wird abgelehnt");
	}
	return "";
}

static void add_policy(struct mail_report *r, struct doc *d)
{
	const struct domain_row *row = r->row;
	char at[32];

	fact(d, say(r, "Encryption required", "Verschlüsselung verlangt"));
	if (!row) {
		doc_cell(d, "%s",
			say(r, "the domain is no longer in the store", "die Domain steht nicht mehr im Store"));
		return;
	}
	doc_cell(d, "%s", requirement(r, row->d.tls));
	clock_minute(row->changed_at, at);
	fact(d, say(r, "Settings changed last", "Einstellungen zuletzt geändert"));
	doc_cell(d, "%s, %.*s", at, SPAN_ARG(row->changed_by));
	fact(d, say(r, "Exceptions", "Ausnahmen"));
	doc_cell(d, "%u", row->d.recipient_n);
	fact(d, say(r, "Mail server behind torhaus", "Mailserver hinter torhaus"));
	if (row->d.mail.host.n > 0)
		doc_cell(d, "%.*s, TLS: %s", SPAN_ARG(row->d.mail.text), domain_mail_tls_text(row->d.mail_tls));
	else
		doc_cell(d, "%s", say(r, "none", "keiner"));
}

static void add_summary(struct mail_report *r, struct doc *d)
{
	char size[FMT_SIZE];

	doc_heading(d, say(r, "Summary", "Überblick"));
	doc_table(d, "ll", NULL);
	add_policy(r, d);
	fact(d, say(r, "Mails delivered", "Mails zugestellt"));
	fmt_size_rough(r->bytes, size);
	doc_cell(d, say(r, "%s, to %s recipients, %s", "%s, an %s Empfänger, %s"), number(r, r->delivered),
		number(r, r->recipients), size);
	if (r->delivered > 0) {
		fact(d, say(r, "of them encrypted", "davon verschlüsselt"));
		doc_cell(d, "%s (%s)", number(r, r->delivered - r->clear),
			share(r, r->delivered - r->clear, r->delivered));
		fact(d, say(r, "without TLS", "ohne TLS"));
		doc_cell(d, "%s", number(r, r->clear));
	}
	fact(d, say(r, "Recipients refused without TLS", "Empfänger ohne TLS abgelehnt"));
	doc_cell(d, "%s", number(r, r->refusals_times));
	fact(d, say(r, "Not delivered for other reasons", "Aus anderen Gründen nicht zugestellt"));
	doc_cell(d, say(r, "%s refused by the mail server, %s put off", "%s vom Mailserver abgelehnt, %s aufgeschoben"),
		number(r, r->refused), number(r, r->deferred));
	fact(d, say(r, "Failed handshakes", "Gescheiterte Handshakes"));
	doc_cell(d, say(r, "%s, of all domains", "%s, aller Domains"), number(r, r->failures_times));
}

static void add_gap(struct mail_report *r, struct doc *d)
{
	_cleanup_(buf_done) struct buf cause = BUF_INIT(4096);

	if (r->gap.code == FAULT_NONE)
		return;
	doc_heading(d, say(r, "This report is not complete", "Dieser Bericht ist nicht vollständig"));
	fault_cause(&r->gap, r->lang, &cause);
	doc_paragraph(d, "%s (%s)", buf_text(&cause), fault_code_text(r->gap.code));
}

/* ---- mails ---- */

static void add_suites(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { "TLS", say(r, "SUITE", "SUITE"), "MAILS", say(r, "SHARE", "ANTEIL"), "" };

	doc_heading(d, say(r, "Mails delivered, by TLS", "Zugestellte Mails nach TLS"));
	if (r->suites_n == 0) {
		doc_paragraph(d, "%s", say(r, "No mail was delivered.", "Es wurde keine Mail zugestellt."));
		return;
	}
	doc_table(d, "llrrb", heads);
	for (unsigned i = 0; i < r->suites_n; i++) {
		const struct report_suite *s = &r->suites[i];

		doc_row(d);
		doc_cell(d, "%.*s", SPAN_ARG(version_name(r, s->version)));
		doc_cell(d, "%.*s", SPAN_ARG(s->suite));
		doc_cell(d, "%s", number(r, s->mails));
		doc_cell(d, "%s", share(r, s->mails, r->delivered));
		doc_cell(d, "%u", per_mille(s->mails, r->delivered));
	}
}

static void add_hops(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { "TLS", "MAILS", say(r, "SHARE", "ANTEIL") };

	if (r->hops_n == 0)
		return;
	doc_heading(d, say(r, "On from torhaus to the mail server", "Weiter von torhaus zum Mailserver"));
	doc_table(d, "lrr", heads);
	for (unsigned i = 0; i < r->hops_n; i++) {
		const struct report_hop *h = &r->hops[i];

		doc_row(d);
		if (span_eq(h->hop, SPAN("local")))
			doc_cell(d, "%s", say(r, "within the same machine", "innerhalb derselben Maschine"));
		else
			doc_cell(d, "%.*s", SPAN_ARG(version_name(r, h->hop)));
		doc_cell(d, "%s", number(r, h->mails));
		doc_cell(d, "%s", share(r, h->mails, r->delivered));
	}
}

static void add_day(struct mail_report *r, struct doc *d, const char *name, uint64_t encrypted, uint64_t clear,
	uint64_t most)
{
	if (encrypted + clear == 0)
		return;
	doc_row(d);
	doc_cell(d, "%s", name);
	doc_cell(d, "%s", number(r, encrypted));
	doc_cell(d, "%s", number(r, clear));
	doc_cell(d, "%u", per_mille(encrypted + clear, most));
}

/* By day, or by month if there are many. */
static void add_days(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { "", say(r, "ENCRYPTED", "VERSCHLÜSSELT"), say(r, "WITHOUT TLS", "OHNE TLS"), "" };
	size_t unit = r->last - r->first < MANY_DAYS ? 10 : 7; /* of "2026-11-25" */
	uint64_t most = 0, encrypted, clear;
	char name[32], next[32];

	if (r->delivered == 0)
		return;
	doc_heading(d, unit == 10 ? say(r, "Day by day", "Tag für Tag") : say(r, "Month by month", "Monat für Monat"));
	doc_table(d, "lrrb", heads);
	/* First the longest bar, then all. */
	for (int pass = 0; pass < 2; pass++) {
		encrypted = clear = 0;
		for (int64_t day = r->first; day <= r->last; day++) {
			encrypted += r->days[day - r->first].encrypted;
			clear += r->days[day - r->first].clear;
			mail_report_day(day, name);
			mail_report_day(day + 1, next);
			name[unit] = next[unit] = '\0';
			if (day < r->last && span_eq(span_of(name), span_of(next)))
				continue;
			if (pass == 1)
				add_day(r, d, name, encrypted, clear, most);
			else if (encrypted + clear > most)
				most = encrypted + clear;
			encrypted = clear = 0;
		}
	}
}

/* ---- who came without ---- */

static void add_more(struct mail_report *r, struct doc *d, unsigned n)
{
	if (n > REPORT_ROWS_MAX)
		doc_paragraph(d, say(r, "and %u more (--json has all)", "und %u weitere (--json enthält alle)"),
			n - REPORT_ROWS_MAX);
}

/* "mx.example.com (192.0.2.1)" */
static void cell_peer(struct doc *d, struct span helo, struct span address)
{
	if (helo.n > 0)
		doc_cell(d, "%.*s (%.*s)", SPAN_ARG(helo), SPAN_ARG(address));
	else
		doc_cell(d, "%.*s", SPAN_ARG(address));
}

static void add_refusals(struct mail_report *r, struct doc *d, const struct report_refusal *list, unsigned n,
	bool refused)
{
	const char *const heads[] = { say(r, "LAST", "ZULETZT"), say(r, "TIMES", "MAL"), say(r, "PEER", "GEGENSTELLE"),
		say(r, "CODE", "CODE"), say(r, "from, to", "von, an"), say(r, "before that", "zuvor") };
	unsigned rows = 0;
	char at[32];

	doc_table(d, "lrllww", heads);
	for (const struct report_refusal *f = list; f && rows < REPORT_ROWS_MAX; f = f->next, rows++) {
		clock_minute(f->r.last_at, at);
		doc_row(d);
		doc_cell(d, "%s", at);
		doc_cell(d, "%s", number(r, f->r.times));
		cell_peer(d, f->r.helo, f->r.address);
		doc_cell(d, "%.*s", SPAN_ARG(refused ? f->r.code : SPAN("-")));
		doc_cell(d, "<%.*s> → <%.*s>", SPAN_ARG(f->r.sender), SPAN_ARG(f->r.recipient));
		if (f->r.earlier.n > 0)
			doc_cell(d, say(r, "its TLS handshake failed, %.*s", "sein TLS-Handshake scheiterte, %.*s"),
				SPAN_ARG(f->r.earlier));
	}
	add_more(r, d, n);
}

static void add_without(struct mail_report *r, struct doc *d)
{
	doc_heading(d, say(r, "Refused because they came without TLS", "Abgelehnt, weil sie ohne TLS kamen"));
	if (r->refusals)
		add_refusals(r, d, r->refusals, r->refusals_n, true);
	else
		doc_paragraph(d, "%s", say(r, "Nobody.", "Niemand."));
	if (!r->taken)
		return;
	doc_heading(d,
		say(r, "Taken without TLS while the domain only reports",
			"Ohne TLS angenommen, solange die Domain nur berichtet"));
	add_refusals(r, d, r->taken, r->taken_n, false);
}

/* Cause and remedy of a kept fault; one after the other, if there are two. */
static void add_sentences(struct mail_report *r, struct span packed, struct buf *cause, struct buf *remedy)
{
	struct fault fault;

	if (packed.n == 0 || fault_unpack(packed, r->a, &fault) < 0)
		return;
	buf_add_text(cause, cause->n > 0 ? " " : "");
	buf_add_text(remedy, remedy->n > 0 ? " " : "");
	fault_cause(&fault, r->lang, cause);
	fault_remedy(&fault, r->lang, remedy);
}

static void add_failure(struct mail_report *r, struct doc *d, const struct report_failure *f)
{
	_cleanup_(buf_done) struct buf cause = BUF_INIT(16384), remedy = BUF_INIT(16384);
	char at[32];

	clock_minute(f->f.last_at, at);
	doc_row(d);
	doc_cell(d, "%s", at);
	doc_cell(d, "%s", number(r, f->f.times));
	cell_peer(d, f->f.helo, f->f.address);
	doc_cell(d, "%.*s", SPAN_ARG(f->f.code));
	add_sentences(r, f->f.fault, &cause, &remedy);
	add_sentences(r, f->f.also, &cause, &remedy);
	doc_cell(d, "%s", buf_text(&cause));
	doc_cell(d, "%s", buf_text(&remedy));
	if (f->followed)
		doc_cell(d, "%s",
			say(r, "it came without TLS and was refused", "sie kam ohne TLS und wurde abgelehnt"));
}

static void add_failures(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { say(r, "LAST", "ZULETZT"), say(r, "TIMES", "MAL"), say(r, "PEER", "GEGENSTELLE"),
		"CODE", say(r, "cause", "Ursache"), say(r, "remedy", "Abhilfe"), say(r, "then", "danach") };
	unsigned rows = 0;

	doc_heading(d,
		say(r, "Failed TLS handshakes with this server", "Gescheiterte TLS-Handshakes mit diesem Server"));
	if (!r->failures) {
		doc_paragraph(d, "%s", say(r, "None.", "Keine."));
		return;
	}
	doc_paragraph(d, "%s",
		say(r, "A handshake comes before the recipient is named, so these are of all domains.",
			"Der Handshake kommt vor dem Empfänger, daher sind es die aller Domains."));
	doc_table(d, "lrllwww", heads);
	for (const struct report_failure *f = r->failures; f && rows < REPORT_ROWS_MAX; f = f->next, rows++)
		add_failure(r, d, f);
	add_more(r, d, r->failures_n);
}

/* ---- exceptions, certificates, method ---- */

static void add_exceptions(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { say(r, "RECIPIENT", "EMPFÄNGER"), "TLS", say(r, "SINCE", "SEIT"),
		say(r, "UNTIL", "BIS"), say(r, "SET BY", "GESETZT VON") };
	char day[32];

	if (!r->row || r->row->d.recipient_n == 0)
		return;
	doc_heading(d, say(r, "Recipients for whom something else holds", "Empfänger, für die anderes gilt"));
	doc_table(d, "lllll", heads);
	for (unsigned i = 0; i < r->row->d.recipient_n; i++) {
		const struct domain_recipient *e = &r->row->d.recipient[i];

		mail_report_day(e->at / DAY_S, day);
		doc_row(d);
		doc_cell(d, "%.*s", SPAN_ARG(e->address));
		doc_cell(d, "%s", domain_tls_text(e->tls));
		doc_cell(d, "%s", e->at ? day : "-");
		mail_report_day(e->until / DAY_S, day);
		doc_cell(d, "%s%s", e->until ? day : "-",
			domain_recipient_holds(e, r->now) ? "" : say(r, " (over)", " (vorbei)"));
		doc_cell(d, "%.*s", SPAN_ARG(e->by.n > 0 ? e->by : SPAN("-")));
	}
}

static void add_certificate(struct mail_report *r, struct doc *d, const struct store_certificate *c)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(128);
	char first[32], last[32], from[32], until[32];

	clock_minute(c->first_at, first);
	clock_minute(c->last_at, last);
	mail_report_day(c->not_before / DAY_S, from);
	mail_report_day(c->not_after / DAY_S, until);
	buf_add_hex(&hex, c->sha256, sizeof(c->sha256));
	doc_row(d);
	doc_cell(d, "%.*s %llu", SPAN_ARG(c->key), (unsigned long long)c->bits);
	doc_cell(d, "%s", first);
	doc_cell(d, "%s", last);
	doc_cell(d, "%s – %s", from, until);
	doc_cell(d, "%.*s%s", SPAN_ARG(c->issuer), c->self_signed ? say(r, " (self-signed)", " (selbstsigniert)") : "");
	doc_cell(d, "%s", buf_text(&hex));
}

static void add_certificates(struct mail_report *r, struct doc *d)
{
	const char *const heads[] = { say(r, "KEY", "SCHLÜSSEL"), say(r, "SERVED FROM", "AUSGELIEFERT VON"),
		say(r, "UNTIL", "BIS"), say(r, "VALID", "GÜLTIG"), say(r, "ISSUER", "AUSSTELLER"), "SHA-256" };

	doc_heading(d,
		arena_spanf(r->a, say(r, "Certificates of %.*s", "Zertifikate von %.*s"), SPAN_ARG(r->hostname)).p);
	if (!r->certificates) {
		doc_paragraph(d, "%s",
			say(r, "None was served in this time.", "In dieser Zeit wurde keines ausgeliefert."));
		return;
	}
	doc_table(d, "lllllw", heads);
	for (const struct report_certificate *c = r->certificates; c; c = c->next)
		add_certificate(r, d, &c->c);
}

static void add_method(struct mail_report *r, struct doc *d)
{
	int64_t oldest = r->now / DAY_S - STORE_ROWS_DAYS;
	char day[32], at[32];

	doc_heading(d, say(r, "How this was counted", "Wie gezählt wurde"));
	doc_paragraph(d, "%s",
		say(r,
			"This report is evidence of transport encryption in the sense of Art. 32(1)(a) GDPR: of TLS between the delivering "
			"server and this one, and on to the mail server. TLS version and suite are those of the connection over which the "
			"mail came; a mail counts once, when the mail server has taken it. Days begin at midnight UTC; times are local. What happens before "
			"the delivering server, and end-to-end encryption, cannot be seen here.",
			"Dieser Bericht weist die Transportverschlüsselung im Sinne von Art. 32 Abs. 1 lit. a DSGVO nach: TLS zwischen dem "
			"einliefernden Server und diesem, und weiter zum Mailserver. TLS-Version und Suite sind die der Verbindung, über "
			"die die Mail kam; eine Mail zählt einmal, wenn der Mailserver sie angenommen hat. Tage beginnen um Mitternacht "
			"UTC; Uhrzeiten sind örtliche. Was vor dem einliefernden Server geschieht, und Ende-zu-Ende-Verschlüsselung, ist hier nicht zu sehen."));
	doc_paragraph(d,
		say(r, "Counts are kept for %d days, single refusals and failures for %d.",
			"Zählungen werden %d Tage aufbewahrt, einzelne Ablehnungen und Fehlschläge %d."),
		STORE_COUNTS_DAYS, STORE_ROWS_DAYS);
	if (r->first < oldest) {
		mail_report_day(oldest, day);
		doc_paragraph(d,
			say(r, "The period begins before that: single rows from before %s are gone.",
				"Der Zeitraum beginnt davor: Einzelne Zeilen von vor dem %s sind nicht mehr da."),
			day);
	}
	clock_minute(r->now, at);
	doc_paragraph(d, say(r, "Made %s by torhaus %s.", "Erstellt %s von torhaus %s."), at, TORHAUS_VERSION);
}

/* Of days before there was anybody who wrote, silence shows nothing. */
static void add_begin(struct mail_report *r, struct doc *d)
{
	char first[32], begins[32];

	if (r->begins <= r->first)
		return;
	mail_report_day(r->first, first);
	mail_report_day(r->begins, begins);
	if (r->begins > r->last)
		doc_paragraph(d, "%s",
			say(r, "There are no records of this time: nothing is known of it.",
				"Aus dieser Zeit gibt es keine Aufzeichnungen: Von ihr ist nichts bekannt."));
	else
		doc_paragraph(d,
			say(r, "Asked for was the time from %s on; records begin on %s, nothing is known of the days before.",
				"Gefragt war nach der Zeit ab %s; die Aufzeichnungen beginnen am %s, von den Tagen davor ist nichts bekannt."),
			first, begins);
}

void mail_report_doc(struct mail_report *r, struct doc *ret)
{
	struct arena *a = r->a;
	char first[32], last[32];

	mail_report_day(r->begins > r->first && r->begins <= r->last ? r->begins : r->first, first);
	mail_report_day(r->last, last);
	doc_init(ret, a,
		arena_spanf(a, say(r, "Encryption of mail for %.*s", "Verschlüsselung der Mails für %.*s"),
			SPAN_ARG(r->domain)),
		arena_spanf(a, say(r, "%s to %s", "%s bis %s"), first, last));
	add_begin(r, ret);
	add_gap(r, ret);
	add_summary(r, ret);
	add_suites(r, ret);
	add_hops(r, ret);
	add_days(r, ret);
	add_without(r, ret);
	add_failures(r, ret);
	add_exceptions(r, ret);
	add_certificates(r, ret);
	add_method(r, ret);
}
