/*
 * torhaus tls log: what mail logs say about TLS.
 *
 * For people one screen: who failed and why, what followed, what is spoken, who would fail without
 * an RSA certificate. For programs everything, a line for each peer.
 */
#include <string.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "logs/logs.h"

#define GROUPS_SHOWN 6
#define PEERS_SHOWN  2 /* of a group */
#define USES_SHOWN   12
#define USES_MAX     256

static const char *say(const struct cli *cli, const char *en, const char *de)
{
	return cli_say(cli, en, de);
}

static const char *seconds_text(int64_t at, char ret[CLOCK_RFC3339_SIZE])
{
	clock_rfc3339(at, ret);
	ret[10] = ' ';
	ret[19] = '\0';
	return ret;
}

/* ---- totals ---- */

/* Of what the log leaves open nobody is accused. */
static void print_untold(struct cli *cli, const struct logs *l)
{
	uint64_t in = 0, out = 0;

	for (unsigned i = 0; i < logs_count(l); i++) {
		in += logs_peer(l, i)->untold_in;
		out += logs_peer(l, i)->untold_out;
	}
	if (in + out > 0)
		fprintf(cli->out,
			say(cli,
				"Whether TLS was used is not told of %llu mails that came and %llu that went (Postfix: smtpd_tls_loglevel = 1, smtp_tls_loglevel = 1).\n",
				"Ob TLS benutzt wurde, bleibt bei %llu ein- und %llu ausgehenden Mails offen (Postfix: smtpd_tls_loglevel = 1, smtp_tls_loglevel = 1).\n"),
			(unsigned long long)in, (unsigned long long)out);
}

static void print_totals(struct cli *cli, const struct logs *l)
{
	const struct logs_totals *t = logs_totals(l);
	char size[FMT_SIZE], from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	struct logs_change change;

	fmt_size_rough(t->bytes, size);
	fprintf(cli->out,
		say(cli, "Files: %u; lines: %llu (%s), about mail or TLS: %llu",
			"Dateien: %u; Zeilen: %llu (%s), über Mail oder TLS: %llu"),
		t->files, (unsigned long long)t->lines, size, (unsigned long long)t->relevant);
	if (t->relevant > 0)
		fprintf(cli->out, "; %s - %s", seconds_text(t->first_at, from), seconds_text(t->last_at, to));
	fprintf(cli->out, "\n");
	if (t->foreign + t->undated > 0)
		fprintf(cli->out,
			say(cli, "Not understood: %llu lines of other programs, %llu without a time; the first: %s\n",
				"Nicht verstanden: %llu Zeilen anderer Programme, %llu ohne Zeit; die erste: %s\n"),
			(unsigned long long)t->foreign, (unsigned long long)t->undated, t->first_odd);
	if (t->evicted > 0)
		fprintf(cli->out,
			say(cli,
				"There were more peers than are kept: %u that had not been seen for longest went, with %llu failures.\n",
				"Es gab mehr Gegenstellen, als behalten werden: %u am längsten nicht gesehene fielen weg, mit %llu Fehlschlägen.\n"),
			t->evicted, (unsigned long long)t->evicted_failures);
	print_untold(cli, l);
	if (logs_key_change(l, &change))
		fprintf(cli->out,
			say(cli, "Your server's certificate was %s until %s, and %s from %s on.\n",
				"Das Zertifikat Ihres Servers war %s bis %s und %s ab %s.\n"),
			tls_key_type_text(change.from), seconds_text(change.until, from), tls_key_type_text(change.to),
			seconds_text(change.since, to));
}

/* ---- failures ---- */

static bool has_trouble(const struct log_peer *p)
{
	return p->failures_in + p->failures_out + p->refusals > 0;
}

/* What helps, as far as the code alone tells. */
static void remedy_of(enum fault_code code, enum fault_lang lang, struct buf *ret)
{
	struct fault f;

	fault_set(&f, code);
	fault_fact(&f, "served", "%s", code == FAULT_TLS_NO_ECDSA_CERT ? "RSA" : "ECDSA");
	fault_fact(&f, "version", "TLS 1.1");
	fault_fact(&f, "proof", "%s", "");
	fault_fact(&f, "earlier", "%s", "");
	buf_reset(ret);
	fault_remedy(&f, lang, ret);
}

static void print_causes(struct cli *cli, const struct log_peer *p)
{
	_cleanup_(buf_done) struct buf remedy = BUF_INIT(FAULT_TEXT_MAX);
	uint64_t others = p->failures_in + p->failures_out;

	for (unsigned i = 0; i < p->causes_n; i++) {
		const struct log_cause *c = &p->causes[i];

		others -= c->count;
		fprintf(cli->out, "    %s%s%s%s: %s", cli_red(cli), fault_code_text(c->code), cli_plain(cli),
			c->guess ? say(cli, " (a guess)", " (vermutet)") : "", say(cli, c->en, c->de));
		if (p->causes_n > 1)
			fprintf(cli->out, " (%llu)", (unsigned long long)c->count);
		remedy_of(c->code, cli->lang, &remedy);
		fprintf(cli->out, "\n      %s %s\n", say(cli, "remedy:", "Abhilfe:"), buf_text(&remedy));
	}
	if (others > 0)
		fprintf(cli->out, say(cli, "    other causes (%llu)\n", "    andere Ursachen (%llu)\n"),
			(unsigned long long)others);
}

/* When it failed, and whether it could before or can again. */
static void print_failed(struct cli *cli, const struct log_peer *p)
{
	char first[CLOCK_RFC3339_SIZE], last[CLOCK_RFC3339_SIZE], secured[CLOCK_RFC3339_SIZE];

	fprintf(cli->out,
		say(cli, "    failed: %llu inbound, %llu outbound; ",
			"    gescheitert: %llu eingehend, %llu ausgehend; "),
		(unsigned long long)p->failures_in, (unsigned long long)p->failures_out);
	fprintf(cli->out, "%s", seconds_text(p->failed_first_at, first));
	if (p->failed_first_at < p->failed_at)
		fprintf(cli->out, " - %s", seconds_text(p->failed_at, last));
	if (p->secured_at == 0)
		fprintf(cli->out, "%s", say(cli, "; never with TLS in this time", "; in dieser Zeit nie mit TLS"));
	else if (p->secured_at < p->failed_first_at)
		fprintf(cli->out, say(cli, "; with TLS until %s", "; mit TLS bis %s"),
			seconds_text(p->secured_at, secured));
	else
		fprintf(cli->out,
			p->secured_at > p->failed_at
				? say(cli, "; with TLS since, last %s", "; seither mit TLS, zuletzt %s")
				: say(cli, "; with TLS between, last %s", "; dazwischen mit TLS, zuletzt %s"),
			seconds_text(p->secured_at, secured));
	fprintf(cli->out, "\n");
}

static void print_followed(struct cli *cli, const struct log_peer *p)
{
	char ago[FMT_SIZE], at[CLOCK_RFC3339_SIZE];

	if (p->fallbacks > 0) {
		fmt_duration((uint64_t)p->fallback_after_s * 1000, ago);
		fprintf(cli->out,
			say(cli,
				"    followed: it came without TLS, %llu times in all, last %s (%s after the failure)\n",
				"    gefolgt: sie kam ohne TLS, insgesamt %llu-mal, zuletzt %s (%s nach dem Fehlschlag)\n"),
			(unsigned long long)p->fallbacks, seconds_text(p->fallback_at, at), ago);
	}
	if (p->fallbacks_out > 0)
		fprintf(cli->out,
			say(cli, "    followed: your mail went there without TLS, after %llu of the failures\n",
				"    gefolgt: Ihre Mail ging ohne TLS dorthin, nach %llu der Fehlschläge\n"),
			(unsigned long long)p->fallbacks_out);
	if (p->refusals > 0)
		fprintf(cli->out,
			say(cli, "    refused without TLS: %llu times, last %s for %s: %s\n",
				"    ohne TLS abgewiesen: %llu-mal, zuletzt %s für %s: %s\n"),
			(unsigned long long)p->refusals, seconds_text(p->refused_at, at),
			p->refused_for[0] ? p->refused_for : "-", p->refused_with);
}

static void print_trouble(struct cli *cli, const struct log_peer *p)
{
	fprintf(cli->out, "  %s [%s]\n", p->host[0] ? p->host : "-", p->address);
	if (p->failed_at)
		print_failed(cli, p);
	if (p->reason[0])
		fprintf(cli->out, "    \"%s\"\n", p->reason);
	print_causes(cli, p);
	print_followed(cli, p);
}

/* How many from i on belong to its group. */
static unsigned group_size(const struct logs *l, unsigned i)
{
	unsigned n = 1;

	while (i + n < logs_count(l) && strcmp(logs_peer(l, i)->group, logs_peer(l, i + n)->group) == 0)
		n++;
	return n;
}

static uint64_t print_group(struct cli *cli, const struct logs *l, unsigned from, unsigned n, bool shown)
{
	uint64_t failures = 0, refusals = 0;
	unsigned troubled = 0, k = 0;

	for (unsigned i = from; i < from + n; i++) {
		failures += logs_peer(l, i)->failures_in + logs_peer(l, i)->failures_out;
		refusals += logs_peer(l, i)->refusals;
		troubled += has_trouble(logs_peer(l, i));
	}
	if (!shown || troubled == 0)
		return failures + refusals;
	fprintf(cli->out,
		say(cli, "%s%s%s: TLS failures: %llu, recipients refused without TLS: %llu, addresses: %u of %u\n",
			"%s%s%s: TLS-Fehlschläge: %llu, ohne TLS abgewiesene Empfänger: %llu, Adressen: %u von %u\n"),
		cli_bold(cli), logs_peer(l, from)->group, cli_plain(cli), (unsigned long long)failures,
		(unsigned long long)refusals, troubled, n);
	for (unsigned i = from; i < from + n && k < PEERS_SHOWN; i++)
		if (has_trouble(logs_peer(l, i))) {
			print_trouble(cli, logs_peer(l, i));
			k++;
		}
	if (troubled > k)
		fprintf(cli->out,
			say(cli, "  and %u more (--json lists all)\n", "  und %u weitere (--json nennt alle)\n"),
			troubled - k);
	return failures + refusals;
}

/* Nothing failed - or nothing was seen. */
static void print_none(struct cli *cli, const struct logs_totals *t)
{
	const char *said = say(cli, "No handshake failed.", "Kein Handshake ist gescheitert.");

	if (logs_is_little(t))
		said = say(cli, "Whether a handshake failed is unknown: hardly anything was understood.",
			"Ob ein Handshake gescheitert ist, bleibt offen: Es wurde kaum etwas verstanden.");
	else if (t->relevant == 0 && t->older > 0)
		said = say(cli, "All lines about mail or TLS are older.", "Alle Zeilen über Mail oder TLS sind älter.");
	else if (t->relevant == 0 && t->understood > 0)
		said = say(cli, "Whether a handshake failed is unknown: no line tells about mail or TLS.",
			"Ob ein Handshake gescheitert ist, bleibt offen: Keine Zeile sagt etwas über Mail oder TLS.");
	else if (t->lines == 0)
		said = say(cli, "There are no lines.", "Es gibt keine Zeilen.");
	fprintf(cli->out, "%s\n", said);
}

/* Then that no failure was found means nothing. */
static bool is_blind(const struct logs_totals *t)
{
	return logs_is_little(t) || (t->lines > 0 && t->relevant + t->older == 0);
}

static bool print_failures(struct cli *cli, const struct logs *l)
{
	unsigned groups = 0, left_out = 0;

	for (unsigned i = 0, n; i < logs_count(l); i += n) {
		n = group_size(l, i);
		if (print_group(cli, l, i, n, groups < GROUPS_SHOWN) == 0)
			break;
		if (groups++ >= GROUPS_SHOWN)
			left_out++;
	}
	if (groups == 0)
		print_none(cli, logs_totals(l));
	if (left_out > 0)
		fprintf(cli->out,
			say(cli, "and %u more domains or networks with failures (--json lists all)\n",
				"und %u weitere Domains oder Netze mit Fehlschlägen (--json nennt alle)\n"),
			left_out);
	return groups > 0;
}

/* ---- what is spoken ---- */

struct usage {
	struct log_use use;
	unsigned peers;
};

static void add_usage(struct usage *all, unsigned *n, const struct log_use *u)
{
	unsigned i = 0;

	while (i < *n &&
		(strcmp(all[i].use.version, u->version) != 0 || strcmp(all[i].use.suite, u->suite) != 0 ||
			all[i].use.key != u->key))
		i++;
	if (i == USES_MAX)
		return;
	if (i == *n)
		all[(*n)++] = (struct usage){ .use = { u->version, u->suite, u->key, 0, 0 } };
	all[i].use.in += u->in;
	all[i].use.out += u->out;
	all[i].peers++;
}

static int by_count(const void *va, const void *vb)
{
	const struct usage *a = va, *b = vb;
	uint64_t na = a->use.in + a->use.out, nb = b->use.in + b->use.out;

	return na < nb ? 1 : na > nb ? -1 : strcmp(a->use.suite, b->use.suite);
}

static void print_usage(struct cli *cli, const struct logs *l)
{
	struct usage *all = mem_zalloc(USES_MAX, sizeof(*all));
	unsigned n = 0;

	for (unsigned i = 0; i < logs_count(l); i++)
		for (unsigned k = 0; k < logs_peer(l, i)->uses_n; k++)
			add_usage(all, &n, &logs_peer(l, i)->uses[k]);
	qsort(all, n, sizeof(*all), by_count);
	if (n > 0)
		fprintf(cli->out, "\n%s%-8s %-46s %-7s %10s %10s %9s%s\n", cli_bold(cli), "TLS",
			say(cli, "suite", "Suite"), say(cli, "key", "Art"), say(cli, "inbound", "eingehend"),
			say(cli, "outbound", "ausgehend"), say(cli, "addresses", "Adressen"), cli_plain(cli));
	for (unsigned i = 0; i < n && i < USES_SHOWN; i++)
		fprintf(cli->out, "%-8s %-46s %-7s %10llu %10llu %9u\n", all[i].use.version, all[i].use.suite,
			all[i].use.key == TLS_KEY_OTHER ? "-" : tls_key_type_text(all[i].use.key),
			(unsigned long long)all[i].use.in, (unsigned long long)all[i].use.out, all[i].peers);
	if (n > USES_SHOWN)
		fprintf(cli->out, say(cli, "and %u more\n", "und %u weitere\n"), n - USES_SHOWN);
	mem_free(all);
}

static void print_rsa_group(struct cli *cli, const struct logs *l, unsigned from, unsigned n, unsigned rsa)
{
	uint64_t mails = 0;

	for (unsigned i = from; i < from + n; i++)
		mails += logs_peer(l, i)->mails_in + logs_peer(l, i)->mails_out;
	fprintf(cli->out,
		say(cli, "  %s: %u of %u addresses, %llu mails with TLS\n",
			"  %s: %u von %u Adressen, %llu Mails mit TLS\n"),
		logs_peer(l, from)->group, rsa, n, (unsigned long long)mails);
}

static void print_rsa_only(struct cli *cli, const struct logs *l)
{
	unsigned groups = 0, left_out = 0;
	bool any_sure = false;

	for (unsigned i = 0, n; i < logs_count(l); i += n) {
		unsigned rsa = 0;
		bool sure;

		n = group_size(l, i);
		for (unsigned k = i; k < i + n; k++)
			if (logs_is_rsa_only(l, logs_peer(l, k), &sure)) {
				rsa++;
				any_sure |= sure;
			}
		if (rsa == 0)
			continue;
		if (groups++ == 0)
			fprintf(cli->out, "\n%s%s%s\n", cli_bold(cli),
				say(cli, "Only seen with RSA; without an RSA certificate these would fail:",
					"Nur mit RSA gesehen; ohne ein RSA-Zertifikat würden diese scheitern:"),
				cli_plain(cli));
		if (groups <= GROUPS_SHOWN)
			print_rsa_group(cli, l, i, n, rsa);
		else
			left_out++;
	}
	if (left_out > 0)
		fprintf(cli->out, say(cli, "  and %u more\n", "  und %u weitere\n"), left_out);
	if (groups > 0)
		fprintf(cli->out, "  %s\n",
			any_sure
				? say(cli,
					  "(Your server showed ECDSA certificates to others meanwhile, so those that came in could have chosen.)",
					  "(Ihr Server zeigte anderen derweil ECDSA-Zertifikate; die eingehenden hätten also wählen können.)")
				: say(cli,
					  "(A guess: these lines do not tell whether they could have used ECDSA, too. Serve both key types, and nobody has to know.)",
					  "(Vermutet: Diese Zeilen sagen nicht, ob sie auch ECDSA könnten. Wer beide Schlüsselarten ausliefert, muss es nicht wissen.)"));
}

/* ---- for programs ---- */

static void time_json(struct jsonw *j, const char *name, int64_t at)
{
	char text[CLOCK_RFC3339_SIZE];

	if (at == 0) {
		jsonw_text(j, name, NULL);
		return;
	}
	clock_rfc3339(at, text);
	jsonw_text(j, name, text);
}

static void totals_json(struct jsonw *j, const struct logs *l)
{
	const struct logs_totals *t = logs_totals(l);
	struct logs_change change;

	jsonw_object(j, NULL);
	jsonw_text(j, "schema", "torhaus.tls-log/1");
	jsonw_uint(j, "files", t->files);
	jsonw_uint(j, "lines", t->lines);
	jsonw_uint(j, "bytes", t->bytes);
	jsonw_uint(j, "relevant", t->relevant);
	jsonw_uint(j, "older", t->older);
	jsonw_uint(j, "understood", t->understood);
	jsonw_uint(j, "neighbours", t->neighbours);
	jsonw_uint(j, "not_understood", t->foreign);
	jsonw_uint(j, "undated", t->undated);
	jsonw_text(j, "first_not_understood", t->first_odd[0] ? t->first_odd : NULL);
	time_json(j, "from", t->first_at);
	time_json(j, "to", t->last_at);
	jsonw_uint(j, "peers_evicted", t->evicted);
	jsonw_uint(j, "failures_evicted", t->evicted_failures);
	if (logs_key_change(l, &change)) {
		jsonw_object(j, "key_change");
		jsonw_text(j, "from", tls_key_type_text(change.from));
		time_json(j, "until", change.until);
		jsonw_text(j, "to", tls_key_type_text(change.to));
		time_json(j, "since", change.since);
		jsonw_end(j);
	} else {
		jsonw_text(j, "key_change", NULL);
	}
	jsonw_end(j);
}

static void causes_json(struct jsonw *j, const struct log_peer *p)
{
	_cleanup_(buf_done) struct buf remedy = BUF_INIT(FAULT_TEXT_MAX);

	jsonw_array(j, "causes");
	for (unsigned i = 0; i < p->causes_n; i++) {
		jsonw_object(j, NULL);
		jsonw_text(j, "code", fault_code_text(p->causes[i].code));
		jsonw_bool(j, "guess", p->causes[i].guess);
		jsonw_text(j, "why", p->causes[i].en);
		jsonw_text(j, "why_de", p->causes[i].de);
		remedy_of(p->causes[i].code, FAULT_EN, &remedy);
		jsonw_text(j, "remedy", buf_text(&remedy));
		remedy_of(p->causes[i].code, FAULT_DE, &remedy);
		jsonw_text(j, "remedy_de", buf_text(&remedy));
		jsonw_uint(j, "count", p->causes[i].count);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void uses_json(struct jsonw *j, const struct log_peer *p)
{
	jsonw_array(j, "tls");
	for (unsigned i = 0; i < p->uses_n; i++) {
		const struct log_use *u = &p->uses[i];

		jsonw_object(j, NULL);
		jsonw_text(j, "version", u->version);
		jsonw_text(j, "suite", u->suite);
		jsonw_text(j, "key", u->key == TLS_KEY_OTHER ? NULL : tls_key_type_text(u->key));
		jsonw_uint(j, "inbound", u->in);
		jsonw_uint(j, "outbound", u->out);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_uint(j, "tls_more", p->uses_more);
}

static void peer_json(struct jsonw *j, const struct logs *l, const struct log_peer *p)
{
	bool sure = false, rsa_only = logs_is_rsa_only(l, p, &sure);

	jsonw_object(j, NULL);
	jsonw_text(j, "peer", p->address);
	jsonw_text(j, "host", p->host[0] ? p->host : NULL);
	jsonw_text(j, "group", p->group);
	jsonw_text(j, "network", p->network);
	time_json(j, "first", p->first_at);
	time_json(j, "last", p->last_at);
	jsonw_uint(j, "mails_inbound", p->mails_in);
	jsonw_uint(j, "mails_inbound_clear", p->clear_in);
	jsonw_uint(j, "mails_outbound", p->mails_out);
	jsonw_uint(j, "mails_outbound_clear", p->clear_out);
	jsonw_uint(j, "mails_inbound_untold", p->untold_in);
	jsonw_uint(j, "mails_outbound_untold", p->untold_out);
	jsonw_uint(j, "failures_inbound", p->failures_in);
	jsonw_uint(j, "failures_outbound", p->failures_out);
	time_json(j, "failed_first", p->failed_first_at);
	time_json(j, "failed", p->failed_at);
	jsonw_text(j, "failed_direction", p->failed_at == 0 ? NULL : p->failed_out ? "outbound" : "inbound");
	time_json(j, "secured", p->secured_at);
	jsonw_text(j, "reason", p->reason[0] ? p->reason : NULL);
	causes_json(j, p);
	jsonw_uint(j, "fallbacks", p->fallbacks);
	time_json(j, "fallback", p->fallback_at);
	jsonw_int(j, "fallback_after_s", p->fallback_after_s);
	jsonw_uint(j, "fallbacks_outbound", p->fallbacks_out);
	jsonw_uint(j, "refusals", p->refusals);
	time_json(j, "refused", p->refused_at);
	jsonw_text(j, "refused_for", p->refused_for[0] ? p->refused_for : NULL);
	jsonw_text(j, "refused_with", p->refused_with[0] ? p->refused_with : NULL);
	uses_json(j, p);
	jsonw_bool(j, "rsa_only", rsa_only);
	jsonw_bool(j, "rsa_only_sure", rsa_only && sure);
	jsonw_end(j);
}

static void print_json(struct cli *cli, const struct logs *l)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
	struct jsonw j;

	jsonw_init(&j, &text);
	totals_json(&j, l);
	fprintf(cli->out, "%s\n", buf_text(&text));
	for (unsigned i = 0; i < logs_count(l); i++) {
		buf_reset(&text);
		jsonw_init(&j, &text);
		peer_json(&j, l, logs_peer(l, i));
		fprintf(cli->out, "%s\n", buf_text(&text));
	}
}

/* ---- the verb ---- */

static void on_fault(void *arg, const struct fault *f)
{
	cli_fault(arg, f);
}

bool cli_since(const char *text, int64_t *ret)
{
	uint64_t ms;

	*ret = 0;
	if (!text || clock_parse_rfc3339(span_of(text), ret) == 0)
		return true;
	if (fmt_parse_duration_ms(span_of(text), &ms) < 0)
		return false;
	*ret = clock_wall_s() - (int64_t)(ms / 1000);
	return true;
}

int cli_tls_log(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct logs *l;
	int64_t since;
	bool failures = false, blind;
	int r;

	if (cli_args_parse(cli, argc, argv, ARGS_MAX, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n == 0)
		return cli_usage(cli, "name at least one file", "mindestens eine Datei nennen");
	if (!cli_since(cli_arg(&args, "--since"), &since))
		return cli_usage(cli, "--since is a date (2024-01-05) or a time to now (30d)",
			"--since ist ein Datum (2024-01-05) oder eine Zeit bis jetzt (30d)");
	l = logs_new(since, 0);
	r = logs_read(l, args.rest, args.rest_n, on_fault, cli);
	logs_conclude(l);
	if (cli->json) {
		print_json(cli, l);
		for (unsigned i = 0; i < logs_count(l); i++)
			failures |= has_trouble(logs_peer(l, i));
	} else {
		print_totals(cli, l);
		fprintf(cli->out, "\n");
		failures = print_failures(cli, l);
		print_usage(cli, l);
		print_rsa_only(cli, l);
	}
	blind = is_blind(logs_totals(l));
	logs_free(l);
	return r < 0 || blind ? CLI_PARTLY : failures ? CLI_FOUND : CLI_DONE;
}
