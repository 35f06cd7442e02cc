/*
 * What `torhaus tls scan` prints: a row for each server, then what was found, each kind once with
 * the servers that have it.
 */
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/tls_scan.h"
#include "tls/explain.h"

#define DAY_S        86400
#define JSON_LINE    (4 << 20)
#define CELL         200
#define FINDINGS_MAX (PROBE_FINDINGS_MAX > SCAN_DOMAIN_FINDINGS_MAX ? PROBE_FINDINGS_MAX : SCAN_DOMAIN_FINDINGS_MAX)
#define PLACES_TOLD  5
#define DETAILS_MAX  3 /* servers, of which all is told */

static const struct {
	const char *name;
	enum probe_version version;
} versions[] = { { "ssl2", PROBE_SSL2 }, { "ssl3", PROBE_SSL3 }, { "1.0", PROBE_TLS10 }, { "1.1", PROBE_TLS11 },
	{ "1.2", PROBE_TLS12 }, { "1.3", PROBE_TLS13 } };

/* ---- JSON and CSV ---- */

/* Nobody was asked: there is nothing but the name. */
static void excepted_json(struct jsonw *j, const struct tls_scan *t, const struct scan_host *h)
{
	jsonw_span(j, "host", h->name);
	jsonw_uint(j, "port", h->port);
	jsonw_text(j, "starttls", t->scan.probe.smtp ? "smtp" : "none");
	jsonw_text(j, "verdict", "opted-out");
}

static int append(const char *text, size_t n, void *out)
{
	buf_add(out, text, n);
	return 0;
}

/* Findings are those of today, for days go by; the answers are those of then. */
static void date(struct buf *line, int64_t asked_at)
{
	json_t *object = json_loadb(line->p, line->n, 0, NULL);

	must(object);
	json_object_set_new(object, "asked_at", json_integer(asked_at));
	json_object_set_new(object, "cached", json_true());
	buf_reset(line);
	json_dump_callback(object, append, line, JSON_COMPACT);
	json_decref(object);
}

void tls_scan_line(struct tls_scan *t, const struct scan_host *h)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(JSON_LINE);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.tls-scan/1");
	if (h->opted_out)
		excepted_json(&j, t, h);
	else
		probe_json(&j, &h->probe, t->now_s);
	jsonw_end(&j);
	if (h->kept)
		date(&out, h->asked_at);
	fleet_add(&t->now, buf_span(&out));
	if (t->cli->json)
		fprintf(t->cli->out, "%s\n", buf_text(&out));
}

static void domain_json(struct tls_scan *t, const struct scan_domain *d)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(JSON_LINE);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.tls-scan-domain/1");
	scan_domain_json(&j, d);
	jsonw_end(&j);
	fprintf(t->cli->out, "%s\n", buf_text(&out));
}

void tls_scan_csv_head(struct tls_scan *t)
{
	fprintf(t->cli->out,
		"host,address,port,verdict,ssl2,ssl3,tls1.0,tls1.1,tls1.2,tls1.3,rsa,rsa_not_after,ecdsa,ecdsa_not_after,"
		"suites,groups,signatures,year,connections,findings,asked_at\n");
}

/* RFC 4180: quoted where it must be. */
static void csv_cell(struct buf *out, struct span s)
{
	bool quote = span_index(s, ',') >= 0 || span_index(s, '"') >= 0 || span_index(s, '\n') >= 0;

	if (quote)
		buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, s.p[i]);
	}
	if (quote)
		buf_add_char(out, '"');
	buf_add_char(out, ',');
}

static const struct probe_cert *cert_of(const struct probe *p, enum tls_key_type type)
{
	for (unsigned i = 0; i < p->certs_n; i++)
		if (p->certs[i]->type == type)
			return p->certs[i];
	return NULL;
}

static void csv_cert(struct buf *out, const struct probe_cert *c)
{
	char until[CLOCK_RFC3339_SIZE] = "";

	if (c)
		clock_rfc3339(c->not_after, until);
	csv_cell(out, span_of(c ? c->key : ""));
	csv_cell(out, span_of(until));
}

static void csv_list(struct buf *out, const struct offer *a, const struct offer *b, const char *(*text)(uint16_t))
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(16384);

	for (unsigned i = 0; i < a->n; i++)
		buf_addf(&list, "%s%s", list.n ? " " : "", text(a->v[i]));
	for (unsigned i = 0; b && i < b->n; i++)
		buf_addf(&list, "%s%s", list.n ? " " : "", text(b->v[i]));
	csv_cell(out, buf_span(&list));
}

static const char *signature_text(uint16_t number)
{
	const struct tls_signature *s = tls_signature_find(number);

	return s ? s->name : "unknown";
}

/* Who does not want to be asked has none. */
static unsigned findings_of(const struct tls_scan *t, const struct scan_host *h, struct fault *ret)
{
	return h->opted_out ? 0 : probe_findings(&h->probe, t->now_s, ret);
}

/* The codes of what was found, each once. */
static void codes_of(const struct fault *all, unsigned n, const char *separator, struct buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		bool told = false;

		for (unsigned k = 0; k < i; k++)
			told |= all[k].code == all[i].code;
		if (!told)
			buf_addf(out, "%s%s", out->n ? separator : "", fault_code_text(all[i].code));
	}
}

void tls_scan_csv(struct tls_scan *t, const struct scan_host *h)
{
	_cleanup_(mem_freep) struct fault *found = mem_zalloc(PROBE_FINDINGS_MAX, sizeof(*found));
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536), codes = BUF_INIT(4096);
	const struct probe *p = &h->probe;
	char address[NET_ADDR_SIZE] = "", asked_at[CLOCK_RFC3339_SIZE] = "";

	if (p->addr.n)
		net_addr_host_text(&p->addr, address);
	if (h->asked_at)
		clock_rfc3339(h->asked_at, asked_at);
	csv_cell(&out, h->name);
	csv_cell(&out, span_of(address));
	buf_addf(&out, "%u,%s,", h->port, h->opted_out ? "opted-out" : probe_verdict_word(p->verdict));
	for (size_t i = 0; i < array_len(versions); i++)
		buf_addf(&out, "%s,",
			p->versions[versions[i].version] == PROBE_YES          ? "yes"
				: p->versions[versions[i].version] == PROBE_NO ? "no"
									       : "");
	csv_cert(&out, cert_of(p, TLS_KEY_RSA));
	csv_cert(&out, cert_of(p, TLS_KEY_ECDSA));
	csv_list(&out, &p->suites_13, &p->suites, tls_suite_text);
	csv_list(&out, &p->groups, NULL, tls_group_text);
	csv_list(&out, &p->signatures, NULL, signature_text);
	buf_addf(&out, "%u,%u,", probe_age(p).year, p->connections);
	codes_of(found, findings_of(t, h, found), " ", &codes);
	fprintf(t->cli->out, "%s%s,%s\n", buf_text(&out), codes.n ? buf_text(&codes) : "", asked_at);
}

/* ---- the table ---- */

enum { HOST, TLS, CERTS, AGE, CODES, COLUMNS };
struct row {
	const char *cell[COLUMNS];
};
struct table {
	struct tls_scan *t;
	struct arena arena;
	struct row *rows;
	unsigned n;
	struct fault *first[FAULT_COUNT]; /* the first of each code */
	unsigned count[FAULT_COUNT];
	struct buf places[FAULT_COUNT];
};

/* "asked 3 h ago". */
static void add_age(const struct tls_scan *t, const struct scan_host *h, struct buf *out)
{
	int64_t minutes = (t->now_s - h->asked_at) / 60;

	if (minutes < 60)
		buf_addf(out, cli_say(t->cli, " (asked %lld min ago)", " (gefragt vor %lld Min.)"),
			(long long)(minutes > 0 ? minutes : 0));
	else
		buf_addf(out, cli_say(t->cli, " (asked %lld h ago)", " (gefragt vor %lld Std.)"),
			(long long)minutes / 60);
}

static struct span tls_cell(struct table *b, const struct scan_host *h)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CELL);
	const struct probe *p = &h->probe;

	if (h->opted_out)
		return span_of(cli_say(b->t->cli, "opted out", "ausgenommen"));

	for (size_t i = 0; i < array_len(versions); i++)
		if (p->versions[versions[i].version] == PROBE_YES)
			buf_addf(&text, "%s%s", text.n ? " " : "", versions[i].name);
	if (p->verdict != PROBE_TLS)
		buf_addf(&text, text.n ? " (%s)" : "%s", probe_verdict_text(p->verdict, b->t->cli->lang));
	if (h->kept)
		add_age(b->t, h, &text);
	return arena_span(&b->arena, buf_span(&text));
}

static struct span certs_cell(struct table *b, const struct probe *p)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CELL);

	for (unsigned i = 0; i < p->certs_n; i++)
		buf_addf(&text, cli_say(b->t->cli, "%s%s (%lld d)", "%s%s (%lld T)"), i ? ", " : "", p->certs[i]->key,
			(long long)((p->certs[i]->not_after - b->t->now_s) / DAY_S));
	return text.n ? arena_span(&b->arena, buf_span(&text)) : SPAN("-");
}

static struct span age_cell(struct table *b, const struct probe *p)
{
	struct probe_age age = probe_age(p);

	if (age.year == 0)
		return SPAN("-");
	return arena_spanf(&b->arena, "%u %s", age.year, cli_say(b->t->cli, age.word_en, age.word_de));
}

static void note(struct table *b, const char *place, const struct fault *f)
{
	enum fault_code c = f->code;

	if (!b->first[c]) {
		b->first[c] = arena_new(&b->arena, struct fault);
		*b->first[c] = *f;
		b->places[c] = BUF_INIT(4096);
	}
	if (++b->count[c] <= PLACES_TOLD)
		buf_addf(&b->places[c], "%s%s", b->places[c].n ? ", " : "", place);
}

static void fill_row(struct table *b, const struct scan_host *h, struct row *ret)
{
	_cleanup_(mem_freep) struct fault *found = mem_zalloc(PROBE_FINDINGS_MAX, sizeof(*found));
	_cleanup_(buf_done) struct buf codes = BUF_INIT(4096);
	unsigned n = findings_of(b->t, h, found);
	char place[320];

	probe_place(&h->probe, place, sizeof(place));
	codes_of(found, n, " ", &codes);
	for (unsigned i = 0; i < n; i++) {
		bool told = false;

		for (unsigned k = 0; k < i; k++)
			told |= found[k].code == found[i].code;
		if (!told)
			note(b, place, &found[i]);
	}
	*ret = (struct row){ { arena_text(&b->arena, span_of(place)), tls_cell(b, h).p, certs_cell(b, &h->probe).p,
		age_cell(b, &h->probe).p, arena_text(&b->arena, buf_span(&codes)) } };
}

/* Characters, not bytes. */
static unsigned width(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void print_row(struct table *b, const struct row *r, const unsigned widths[COLUMNS])
{
	unsigned blanks = 0;

	/* Blanks only before something: no line ends in them. */
	for (unsigned c = 0; c < COLUMNS; c++) {
		if (r->cell[c][0] == '\0')
			continue;
		fprintf(b->t->cli->out, "%*s%s", (int)blanks, "", r->cell[c]);
		blanks = widths[c] - width(r->cell[c]) + 2;
	}
	fprintf(b->t->cli->out, "\n");
}

static void print_table(struct table *b)
{
	const struct cli *cli = b->t->cli;
	const struct row head = { { cli_say(cli, "SERVER", "SERVER"), "TLS",
		cli_say(cli, "CERTIFICATES", "ZERTIFIKATE"), cli_say(cli, "AS OF ABOUT", "STAND ETWA"),
		cli_say(cli, "FINDINGS", "BEFUNDE") } };
	unsigned widths[COLUMNS] = { 0 };

	for (unsigned c = 0; c < COLUMNS; c++) {
		widths[c] = width(head.cell[c]);
		for (unsigned i = 0; i < b->n; i++)
			if (width(b->rows[i].cell[c]) > widths[c])
				widths[c] = width(b->rows[i].cell[c]);
	}
	fprintf(cli->out, "%s", cli_bold(cli));
	print_row(b, &head, widths);
	fprintf(cli->out, "%s", cli_plain(cli));
	for (unsigned i = 0; i < b->n; i++)
		print_row(b, &b->rows[i], widths);
}

static void print_findings(struct table *b)
{
	struct cli *cli = b->t->cli;

	for (enum fault_code c = FAULT_NONE + 1; c < FAULT_COUNT; c++) {
		if (!b->first[c])
			continue;
		fprintf(cli->out, "\n");
		cli_fault_to(cli, cli->out, b->first[c]);
		if (b->count[c] > 1)
			fprintf(cli->out, cli_say(cli, "  %u servers: ", "  %u Server: "), b->count[c]);
		else
			fprintf(cli->out, "  server: ");
		fprintf(cli->out, "%s%s\n", buf_text(&b->places[c]), b->count[c] > PLACES_TOLD ? ", …" : "");
		buf_done(&b->places[c]);
	}
}

/* ---- details, for a few ---- */

static void print_list(struct cli *cli, const char *label, const struct offer *o, const char *(*text)(uint16_t),
	const char *remark)
{
	if (o->n == 0)
		return;
	fprintf(cli->out, "  %s", label);
	for (unsigned i = 0; i < o->n; i++)
		fprintf(cli->out, "%s%s", i ? ", " : " ", text(o->v[i]));
	fprintf(cli->out, "%s\n", remark);
}

static void print_cert(struct cli *cli, const struct probe_cert *c)
{
	char until[32];

	clock_minute(c->not_after, until);
	fprintf(cli->out, cli_say(cli, "  certificate: %s, until %s, by %s; ", "  Zertifikat: %s, bis %s, von %s; "),
		c->key, until, c->issuer);
	for (unsigned i = 0; i < c->names_n && i < PLACES_TOLD; i++)
		fprintf(cli->out, "%s%.*s", i ? ", " : "", SPAN_ARG(c->names[i]));
	fprintf(cli->out, "%s\n", c->names_n > PLACES_TOLD ? ", …" : "");
}

static void print_not_asked(struct cli *cli, const struct probe *p)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(256);

	for (enum probe_version v = PROBE_SSL2; v < PROBE_VERSION_COUNT; v++)
		if (p->versions[v] == PROBE_NOT_ASKED)
			buf_addf(&list, "%s%s", list.n ? ", " : "", tls_version_text(probe_version_number(v)));
	if (p->obsolete == PROBE_NOT_ASKED)
		buf_addf(&list, "%s%s", list.n ? ", " : "", cli_say(cli, "weak suites", "schwache Suites"));
	if (list.n)
		fprintf(cli->out, cli_say(cli, "  not asked: %s\n", "  nicht gefragt: %s\n"), buf_text(&list));
}

static void print_details(struct tls_scan *t, const struct scan_host *h)
{
	const struct probe *p = &h->probe;
	struct cli *cli = t->cli;
	struct probe_age age = probe_age(p);
	const char *whose = p->ordered ? cli_say(cli, " (the server's order)", " (Reihenfolge des Servers)")
		: p->follows_client
		? cli_say(cli, " (it takes the client's order)", " (er nimmt die Reihenfolge des Clients)")
		: "";
	const char *part = p->full
		? ""
		: cli_say(cli, " (seen; --quick does not look for all)", " (gesehen; --quick sucht nicht alle)");

	fprintf(cli->out, "\n%s%.*s%s\n", cli_bold(cli), SPAN_ARG(p->host), cli_plain(cli));
	for (unsigned i = 0; i < p->certs_n; i++)
		print_cert(cli, p->certs[i]);
	print_list(cli, "TLS 1.3:", &p->suites_13, tls_suite_text, part);
	print_list(cli, cli_say(cli, "TLS 1.2 and below:", "TLS 1.2 und darunter:"), &p->suites, tls_suite_text,
		p->full ? whose : part);
	print_list(cli, cli_say(cli, "groups:", "Gruppen:"), &p->groups, tls_group_text, part);
	print_list(cli, cli_say(cli, "signatures:", "Signaturen:"), &p->signatures, signature_text,
		p->signatures_all ? "" : cli_say(cli, " (seen)", " (gesehen)"));
	print_not_asked(cli, p);
	if (age.year)
		fprintf(cli->out, cli_say(cli, "  as of about %u (%s): %s\n", "  Stand etwa %u (%s): %s\n"), age.year,
			cli_say(cli, age.word_en, age.word_de), cli_say(cli, age.rule_en, age.rule_de));
	fprintf(cli->out, cli_say(cli, "  %u connections in %.1f s%s\n", "  %u Verbindungen in %.1f s%s\n"),
		p->connections, (double)p->took_ms / 1000, h->kept ? cli_say(cli, ", then", ", damals") : "");
}

/* "example.de: mx1.example.net, mx2.example.net; DNSSEC; MTA-STS enforce", and what is wrong with
 * it. */
static void print_domain(struct table *b, const struct scan_domain *d)
{
	_cleanup_(mem_freep) struct fault *found = mem_zalloc(SCAN_DOMAIN_FINDINGS_MAX, sizeof(*found));
	unsigned n = scan_domain_findings(d, found);
	struct cli *cli = b->t->cli;

	fprintf(cli->out, "%.*s:%s", SPAN_ARG(d->name), d->opted_out ? cli_say(cli, " opted out", " ausgenommen") : "");
	for (unsigned i = 0; i < d->mx_n; i++)
		fprintf(cli->out, "%s %.*s", i ? "," : "", SPAN_ARG(d->mx[i]->name));
	if (d->null_mx)
		fprintf(cli->out, "%s", cli_say(cli, " takes no mail", " nimmt keine Mail an"));
	fprintf(cli->out, "%s", d->secure ? "; DNSSEC" : "");
	if (d->sts == SCAN_STS_POLICY)
		fprintf(cli->out, "; MTA-STS %s", sts_mode_text(d->policy.mode));
	fprintf(cli->out, "\n");
	for (unsigned i = 0; i < n; i++)
		note(b, arena_text(&b->arena, d->name), &found[i]);
}

static void print_domains(struct table *b)
{
	for (unsigned i = 0; i < b->t->scan.domains_n; i++)
		print_domain(b, b->t->scan.domains[i]);
	if (b->t->scan.domains_n)
		fprintf(b->t->cli->out, "\n");
}

/* Where no sums are printed, too, nobody shall take what is kept for what is. */
static void print_kept(const struct tls_scan *t)
{
	struct cli *cli = t->cli;
	unsigned kept = 0;

	for (unsigned i = 0; i < t->scan.hosts_n; i++)
		kept += t->scan.hosts[i]->kept;
	if (kept)
		fprintf(cli->out,
			cli_say(cli,
				"\n%u of %u were asked within the last 24 hours and not again; --fresh asks everybody.\n",
				"\n%u von %u wurden in den letzten 24 Stunden gefragt und nicht noch einmal; --fresh fragt alle.\n"),
			kept, t->scan.hosts_n);
}

static void print_all(struct tls_scan *t)
{
	struct table *b = mem_new(struct table);

	b->t = t;
	arena_init(&b->arena, 1 << 16);
	b->rows = mem_zalloc(t->scan.hosts_n, sizeof(*b->rows));
	for (unsigned i = 0; i < t->scan.hosts_n; i++)
		if (t->scan.hosts[i]->done)
			fill_row(b, t->scan.hosts[i], &b->rows[b->n++]);
	print_domains(b);
	print_table(b);
	print_kept(t);
	for (unsigned i = 0; i < t->scan.hosts_n && t->scan.hosts_n <= DETAILS_MAX; i++)
		if (t->scan.hosts[i]->done && !t->scan.hosts[i]->opted_out &&
			t->scan.hosts[i]->probe.verdict == PROBE_TLS)
			print_details(t, t->scan.hosts[i]);
	print_findings(b);
	mem_free(b->rows);
	arena_done(&b->arena);
	mem_free(b);
}

/* ---- the end ---- */

/* That a server could not be asked, or not to the end, is no finding about its TLS. */
static bool is_unknown(enum probe_verdict v)
{
	return v == PROBE_UNRESOLVED || v == PROBE_UNREACHABLE || v == PROBE_SILENT || v == PROBE_RATE_LIMITED;
}

static enum cli_status status_of(const struct tls_scan *t)
{
	_cleanup_(mem_freep) struct fault *found = mem_zalloc(FINDINGS_MAX, sizeof(*found));
	enum cli_status status = t->scan.done_n < t->scan.hosts_n ? CLI_PARTLY : CLI_DONE;

	for (unsigned i = 0; i < t->scan.hosts_n; i++) {
		const struct probe *p = &t->scan.hosts[i]->probe;

		if (!t->scan.hosts[i]->done || t->scan.hosts[i]->opted_out)
			continue;
		if (is_unknown(p->verdict) && !p->tlsa_bogus)
			status = CLI_PARTLY;
		else if (probe_findings(p, t->now_s, found) > 0)
			return CLI_FOUND;
	}
	for (unsigned i = 0; i < t->scan.domains_n; i++)
		if (scan_domain_findings(t->scan.domains[i], found) > 0)
			return CLI_FOUND;
	return status;
}

int tls_scan_end(struct tls_scan *t)
{
	for (unsigned i = 0; i < t->scan.domains_n && t->cli->json; i++)
		domain_json(t, t->scan.domains[i]);
	if (!t->cli->json && !t->csv)
		print_all(t);
	if (tls_scan_fleet(t) && status_of(t) != CLI_PARTLY)
		return CLI_FOUND;
	return status_of(t);
}
