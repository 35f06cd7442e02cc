/*
 * What `torhaus tls scan` says about all servers together: sums, the odd one out, what changed
 * since an earlier scan.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/tls_scan.h"

#define SUMS_MIN  4 /* servers: fewer one sees at a glance */
#define LINE_MAX_ (1 << 20)

/* ---- an earlier scan ---- */

int tls_scan_read(struct cli *cli, const char *path, struct fleet *ret)
{
	FILE *f = fopen(path, "re");
	int status = CLI_DONE;
	size_t room = 0;
	char *line = NULL;
	ssize_t n;

	if (!f)
		return cli_usage(cli, "%s: %s", "%s: %s", path, strerror(errno));
	while (status == CLI_DONE && (n = getline(&line, &room, f)) >= 0)
		if (n > 1 && fleet_add(ret, span_make(line, (size_t)n)) < 0)
			status = cli_usage(cli, "%s is not what torhaus tls scan --json prints",
				"%s ist nicht, was torhaus tls scan --json ausgibt", path);
	if (ferror(f))
		status = cli_usage(cli, "%s: %s", "%s: %s", path, strerror(errno));
	mem_free(line);
	fclose(f);
	if (status == CLI_DONE && ret->n == 0)
		return cli_usage(cli, "%s holds no scan", "%s enthält keinen Scan", path);
	return status;
}

/* ---- sums ---- */

static void print_sum(struct cli *cli, unsigned n, const char *en, const char *de)
{
	if (n > 0)
		fprintf(cli->out, "  %5u  %s\n", n, cli_say(cli, en, de));
}

static void print_sums(struct tls_scan *t, const struct fleet_sums *s)
{
	struct cli *cli = t->cli;
	const struct {
		unsigned n;
		const char *en, *de;
	} rows[] = {
		{ s->opted_out, "opted out: not asked", "ausgenommen: nicht gefragt" },
		{ s->kept, "asked within the last 24 h already: what they said then",
			"in den letzten 24 Stunden schon gefragt: was sie damals sagten" },
		{ s->tls, "speak TLS", "sprechen TLS" },
		{ s->without_tls, "speak none", "sprechen keines" },
		{ s->unknown, "could not be asked (to the end)", "waren nicht (bis zum Ende) zu befragen" },
		{ s->without_13, "without TLS 1.3", "ohne TLS 1.3" },
		{ s->below_12, "with TLS 1.1 at best", "mit höchstens TLS 1.1" },
		{ s->older, "still with TLS 1.1, 1.0 or SSL", "noch mit TLS 1.1, 1.0 oder SSL" },
		{ s->both, "serve RSA and ECDSA", "mit RSA und ECDSA" },
		{ s->rsa_only, "serve RSA only", "nur mit RSA" },
		{ s->ecdsa_only, "serve ECDSA only", "nur mit ECDSA" },
		{ s->expired, "with an expired certificate", "mit abgelaufenem Zertifikat" },
		{ s->expiring, "with one that expires within 30 days", "mit einem, das in 30 Tagen abläuft" },
		{ s->untrusted, "with one that no known CA stands behind",
			"mit einem, hinter dem keine bekannte CA steht" },
		{ s->misnamed, "with one for another name", "mit einem für einen anderen Namen" },
		{ s->tlsa, "with TLSA records", "mit TLSA-Einträgen" },
	};

	fprintf(cli->out, cli_say(cli, "\n%s%u servers%s\n", "\n%s%u Server%s\n"), cli_bold(cli), s->servers,
		cli_plain(cli));
	for (size_t i = 0; i < array_len(rows); i++)
		print_sum(cli, rows[i].n, rows[i].en, rows[i].de);
}

static void begin_line(struct jsonw *j, struct buf *out, const char *schema)
{
	jsonw_init(j, out);
	jsonw_object(j, NULL);
	jsonw_text(j, "schema", schema);
}

static void end_line(struct tls_scan *t, struct jsonw *j)
{
	jsonw_end(j);
	fprintf(t->cli->out, "%s\n", buf_text(j->out));
	buf_done(j->out);
}

static void json_sums(struct tls_scan *t, const struct fleet_sums *s)
{
	struct buf out = BUF_INIT(LINE_MAX_);
	struct jsonw j;

	begin_line(&j, &out, "torhaus.tls-scan-sums/1");
	jsonw_uint(&j, "servers", s->servers);
	jsonw_uint(&j, "opted_out", s->opted_out);
	jsonw_uint(&j, "cached", s->kept);
	jsonw_uint(&j, "tls", s->tls);
	jsonw_uint(&j, "without_tls", s->without_tls);
	jsonw_uint(&j, "unknown", s->unknown);
	jsonw_uint(&j, "without_tls13", s->without_13);
	jsonw_uint(&j, "below_tls12", s->below_12);
	jsonw_uint(&j, "older_too", s->older);
	jsonw_uint(&j, "rsa_and_ecdsa", s->both);
	jsonw_uint(&j, "rsa_only", s->rsa_only);
	jsonw_uint(&j, "ecdsa_only", s->ecdsa_only);
	jsonw_uint(&j, "expired", s->expired);
	jsonw_uint(&j, "expiring", s->expiring);
	jsonw_uint(&j, "untrusted", s->untrusted);
	jsonw_uint(&j, "misnamed", s->misnamed);
	jsonw_uint(&j, "tlsa", s->tlsa);
	end_line(t, &j);
}

/* ---- the odd ones ---- */

struct odd {
	struct tls_scan *t;
	unsigned n;
};

static void on_odd(void *arg, const struct fleet_host *h, const struct fault *f)
{
	struct buf out = BUF_INIT(LINE_MAX_);
	struct odd *o = arg;
	struct jsonw j;

	o->n++;
	if (!o->t->cli->json) {
		if (!o->t->csv) {
			fprintf(o->t->cli->out, "\n");
			cli_fault_to(o->t->cli, o->t->cli->out, f);
		}
		return;
	}
	begin_line(&j, &out, "torhaus.tls-scan-odd/1");
	jsonw_span(&j, "server", h->place);
	fault_json(&j, "finding", f);
	end_line(o->t, &j);
}

/* ---- changes ---- */

static void traits_json(struct jsonw *j, const char *key, const struct fleet_trait *const *traits, unsigned n)
{
	jsonw_array(j, key);
	for (unsigned i = 0; i < n; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(1024);

		fleet_trait_print(traits[i], FAULT_EN, &text);
		jsonw_span(j, NULL, buf_span(&text));
	}
	jsonw_end(j);
}

static void json_change(struct tls_scan *t, const struct fleet_change *c)
{
	struct buf out = BUF_INIT(LINE_MAX_);
	struct jsonw j;

	begin_line(&j, &out, "torhaus.tls-scan-change/1");
	jsonw_span(&j, "server", c->is ? c->is->place : c->was->place);
	if (c->was)
		jsonw_span(&j, "was", c->was->verdict);
	if (c->is)
		jsonw_span(&j, "is", c->is->verdict);
	traits_json(&j, "gained", c->gained, c->gained_n);
	traits_json(&j, "lost", c->lost, c->lost_n);
	jsonw_uint(&j, "renewed", c->new_certs);
	if (c->new_certs)
		jsonw_int(&j, "not_after", c->not_after);
	end_line(t, &j);
}

static void print_traits(struct cli *cli, const char *label, const struct fleet_trait *const *traits, unsigned n)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);

	for (unsigned i = 0; i < n; i++) {
		buf_add_text(&text, i ? ", " : "");
		fleet_trait_print(traits[i], cli->lang, &text);
	}
	if (n)
		fprintf(cli->out, "  %s %s\n", label, buf_text(&text));
}

static void print_change(struct tls_scan *t, const struct fleet_change *c)
{
	struct cli *cli = t->cli;
	char until[32];

	fprintf(cli->out, "%s%.*s%s", cli_bold(cli), SPAN_ARG(c->is ? c->is->place : c->was->place), cli_plain(cli));
	if (!c->was)
		fprintf(cli->out, "%s", cli_say(cli, ": was not there", ": war nicht dabei"));
	else if (!c->is)
		fprintf(cli->out, "%s", cli_say(cli, ": is not there any more", ": ist nicht mehr dabei"));
	else if (c->verdict)
		fprintf(cli->out, ": %.*s → %.*s", SPAN_ARG(c->was->verdict), SPAN_ARG(c->is->verdict));
	fprintf(cli->out, "\n");
	print_traits(cli, cli_say(cli, "now with:", "jetzt mit:"), c->gained, c->gained_n);
	print_traits(cli, cli_say(cli, "no longer:", "nicht mehr:"), c->lost, c->lost_n);
	clock_minute(c->not_after, until);
	if (c->new_certs)
		fprintf(cli->out, cli_say(cli, "  certificate renewed, until %s\n", "  Zertifikat erneuert, bis %s\n"),
			until);
}

struct changes {
	struct tls_scan *t;
	unsigned n;
};

static void on_change(void *arg, const struct fleet_change *c)
{
	struct changes *all = arg;

	if (all->t->cli->json) {
		json_change(all->t, c);
		return;
	}
	if (all->n++ == 0)
		fprintf(all->t->cli->out, "\n%s\n",
			cli_say(all->t->cli,
				"Changed since the earlier scan:", "Seit der früheren Untersuchung geändert:"));
	print_change(all->t, c);
}

static void compare(struct tls_scan *t)
{
	struct changes all = { .t = t };

	fleet_compare(&t->earlier, &t->now, on_change, &all);
	if (!t->cli->json && all.n == 0)
		fprintf(t->cli->out, "\n%s\n",
			cli_say(t->cli, "Nothing changed since the earlier scan.",
				"Seit der früheren Untersuchung hat sich nichts geändert."));
}

bool tls_scan_fleet(struct tls_scan *t)
{
	struct odd odd = { .t = t };
	struct fleet_sums sums;

	fleet_odd(&t->now, on_odd, &odd);
	fleet_sum(&t->now, t->now_s, &sums);
	if (t->cli->json)
		json_sums(t, &sums);
	else if (!t->csv && sums.servers >= SUMS_MIN)
		print_sums(t, &sums);
	if (t->compare && !t->csv)
		compare(t);
	return odd.n > 0;
}
