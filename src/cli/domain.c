/*
 * torhaus domain: the table of its verbs, and those that take a name at most.
 *
 * All work with or without a running server, which takes changes up within a second by itself.
 * Every change is one transaction: read, judged, written, or not at all.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

static int keep_body(void *arg, const struct store_domain *row)
{
	struct buf *body = arg;

	buf_add_span(body, row->text);
	return 0;
}

static int remove_domain(struct work *w, const char *text)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);
	struct domain_change c = { .kind = DOMAIN_REMOVED };
	int r;

	if (!work_find_name(w, text, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return work_refuse(w);
	r = store_domain_get(w->store, c.name, keep_body, &body, &w->fault);
	if (r == -ENOENT && w->fault.code == FAULT_NONE)
		return work_refuse_unknown(w, c.name);
	if (r == 0)
		r = domain_remove(w->store, c.name, &w->fault);
	if (r == 0)
		r = store_commit(w->store, &w->fault);
	if (r < 0)
		return work_refuse(w);
	c.before = arena_span(&w->arena, buf_span(&body));
	work_print_changes(w, "torhaus.domain-remove/1", &c, 1, false);
	return CLI_DONE;
}

/* ---- show, list, export ---- */

static void print_row(struct work *w, const struct domain_row *row)
{
	char at[CLOCK_RFC3339_SIZE];
	struct jsonw j;

	if (w->cli->json) {
		jsonw_init(&j, &w->out);
		jsonw_object(&j, NULL);
		jsonw_text(&j, "schema", "torhaus.domain-show/1");
		domain_print_json(&j, "domain", row);
		jsonw_end(&j);
		buf_add_char(&w->out, '\n');
		return;
	}
	clock_rfc3339(row->changed_at, at);
	domain_export(&row->d, &w->out);
	buf_addf(&w->out, "# %s %s, %.*s\n", work_say(w, "changed", "geändert"), at, SPAN_ARG(row->changed_by));
}

static int show_domain(struct work *w, const char *text)
{
	struct reading rd = { .w = w };
	struct span name;
	int status;

	if (!work_find_name(w, text, &name))
		return CLI_USAGE;
	status = work_read_one(&rd, name);
	if (status == CLI_DONE)
		print_row(w, &rd.rows[0]);
	else if (rd.bad)
		store_domain_get(w->store, name, keep_body, &w->out, &w->fault);
	mem_free(rd.rows);
	return status;
}

static void print_rows_json(struct work *w, const struct reading *rd)
{
	struct jsonw j;

	jsonw_init(&j, &w->out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.domain-list/1");
	jsonw_array(&j, "domains");
	for (unsigned i = 0; i < rd->n; i++)
		domain_print_json(&j, NULL, &rd->rows[i]);
	jsonw_end(&j);
	jsonw_uint(&j, "left_out", rd->bad);
	jsonw_end(&j);
	buf_add_char(&w->out, '\n');
}

static int list_domains(struct work *w)
{
	struct reading rd = { .w = w };
	int status = work_read_all(&rd);

	if (status != CLI_UNREACHABLE && w->cli->json)
		print_rows_json(w, &rd);
	else if (status != CLI_UNREACHABLE)
		domain_print_table(&w->out, w->cli->lang, rd.rows, rd.n);
	mem_free(rd.rows);
	return status;
}

static int export_domains(struct work *w, const char *text)
{
	struct reading rd = { .w = w };
	struct span name;
	int status;

	if (text && !work_find_name(w, text, &name))
		return CLI_USAGE;
	status = text ? work_read_one(&rd, name) : work_read_all(&rd);
	for (unsigned i = 0; i < rd.n && status != CLI_UNREACHABLE; i++)
		domain_export(&rd.rows[i].d, &w->out);
	mem_free(rd.rows);
	return status;
}

/* ---- verbs that take a name at most ---- */

/* The verb's one word, which no option may stand for; NULL: none is there. */
static int take_name(struct cli *cli, int argc, char **argv, bool needed, const char **ret)
{
	struct cli_args args;
	int status = cli_args_parse(cli, argc, argv, 1, &args);

	if (status != CLI_DONE)
		return status;
	*ret = args.rest[0];
	return *ret || !needed ? CLI_DONE
			       : cli_usage(cli, "the name of one domain is wanted", "der Name einer Domain ist nötig");
}

static int run_remove(struct cli *cli, int argc, char **argv)
{
	struct work w;
	const char *name;
	int status = take_name(cli, argc, argv, true, &name);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? remove_domain(&w, name) : status);
}

static int run_show(struct cli *cli, int argc, char **argv)
{
	struct work w;
	const char *name;
	int status = take_name(cli, argc, argv, true, &name);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? show_domain(&w, name) : status);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc > 0)
		return cli_usage(cli, "nothing may follow, but there is %s",
			"danach darf nichts stehen, aber da ist %s", argv[0]);
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? list_domains(&w) : status);
}

static int run_export(struct cli *cli, int argc, char **argv)
{
	struct work w;
	const char *name;
	int status = take_name(cli, argc, argv, false, &name);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? export_domains(&w, name) : status);
}

/* ---- the table ---- */

static struct cli_option key_options[CONF_KEYS_MAX + 1];
static const struct cli_option apply_options[] = {
	{ "--dry-run", NULL, false, "Show what would change, and change nothing.",
		"Zeigen, was sich ändern würde, und nichts ändern." },
	{ "--remove", NULL, false, "Also where all domains, or more than a tenth of them, would go.",
		"Auch wenn alle Domains oder mehr als ein Zehntel davon verschwänden." },
	{ NULL },
};
static const struct cli_option import_options[] = {
	{ "--dry-run", NULL, false, "Show what would change, and change nothing.",
		"Zeigen, was sich ändern würde, und nichts ändern." },
	{ NULL },
};
static const struct cli_option recipient_options[] = {
	{ "--tls", "off|report|require", false, "What holds for this recipient instead of the domain's.",
		"Was statt der Vorgabe der Domain für diesen Empfänger gilt." },
	{ "--until", "YYYY-MM-DD", false, "The last day (UTC) on which it holds; without it for good.",
		"Der letzte Tag (UTC), an dem es gilt; ohne ihn auf Dauer." },
	{ NULL },
};
static const struct cli_verb verbs[] = {
	{ "domain add", "NAME [--origin URL]… [--web NAME]… [--mail HOST:PORT] [OPTION]…",
		"Add a domain; with an origin it is visited as NAME and www.NAME unless --web says otherwise.",
		"Eine Domain anlegen; mit einem Ursprungsserver wird sie als NAME und www.NAME besucht, außer --web sagt "
		"anderes.",
		key_options, cli_domain_add, CLI_NO_JSON },
	{ "domain set", "NAME [OPTION]…", "Change settings of a domain; a repeated option replaces the whole list.",
		"Einstellungen einer Domain ändern; eine mehrfach genannte Option ersetzt die ganze Liste.",
		key_options, cli_domain_set },
	{ "domain show", "NAME", "Show a domain's settings as text.", "Die Einstellungen einer Domain als Text zeigen.",
		NULL, run_show },
	{ "domain list", "", "List all domains.", "Alle Domains nennen.", NULL, run_list },
	{ "domain remove", "NAME", "Remove a domain.", "Eine Domain entfernen.", NULL, run_remove, CLI_NOT_SUGGESTED },
	{ "domain export", "[NAME]", "Print all domains, or one, as text for `torhaus domain apply`.",
		"Alle Domains oder eine als Text für `torhaus domain apply` ausgeben.", NULL, run_export, CLI_NO_JSON },
	{ "domain apply", "FILE [--dry-run] [--remove]",
		"Make the store equal to a file of domains; - reads standard input.",
		"Den Store einer Datei mit Domains angleichen; - liest die Standardeingabe.", apply_options,
		cli_domain_apply },
	{ "domain import", "FILE [--dry-run]", "Take domains from a flat list of lines \"name address\".",
		"Domains aus einer flachen Liste mit Zeilen \"Name Adresse\" übernehmen.", import_options,
		cli_domain_import },
	{ "domain undo", "[--dry-run]",
		"Take back the last change of domains that was made here; again, the one before.",
		"Die letzte Änderung an Domains zurücknehmen; noch einmal: die davor.", import_options, cli_domain_undo,
		CLI_NOT_SUGGESTED },
	{ "recipient set", "ADDRESS --tls off|report|require [--until YYYY-MM-DD]",
		"Require encryption of mail to one recipient, or do not, whatever its domain says.",
		"Für Mail an einen Empfänger Verschlüsselung verlangen oder nicht, was auch für seine Domain gilt.",
		recipient_options, cli_recipient_set },
	{ "recipient list", "[DOMAIN]", "List the recipients with an encryption of their own, and who set it when.",
		"Die Empfänger mit eigener Verschlüsselung nennen, und wer sie wann gesetzt hat.", NULL,
		cli_recipient_list },
	{ "recipient remove", "ADDRESS", "Let the domain's encryption hold for a recipient again.",
		"Für einen Empfänger wieder die Verschlüsselung der Domain gelten lassen.", NULL,
		cli_recipient_remove },
	{ NULL },
};

/* "standard|wordpress|static|off"; lives as long as the process. */
static const char *choices(const struct conf_key *key)
{
	static char text[CONF_KEYS_MAX][128];
	char *own = text[key - domain_keys];
	size_t n = 0;

	for (unsigned i = 0; key->choices[i] && n < sizeof(text[0]); i++)
		n += (size_t)snprintf(own + n, sizeof(text[0]) - n, "%s%s", i > 0 ? "|" : "", key->choices[i]);
	return own;
}

static const char *value_name(const struct conf_key *key)
{
	switch (key->type) {
	case CONF_LIST:
		return strcmp(key->name, "web") == 0 ? "NAME" : strcmp(key->name, "origin") == 0 ? "URL" : "EXCEPTION";
	case CONF_BOOL:
		return "yes|no";
	case CONF_DURATION:
		return "DURATION";
	case CONF_SIZE:
		return "SIZE";
	case CONF_ENUM:
		return choices(key);
	case CONF_TEXT:
	case CONF_UINT:
	case CONF_SECTION:
	case CONF_TITLED:
		return "VALUE";
	}
	return "VALUE";
}

const struct cli_verb *cli_domain_verbs(void)
{
	static char names[CONF_KEYS_MAX][64];

	for (unsigned i = 0; domain_keys[i].name; i++) {
		const struct conf_key *key = &domain_keys[i];

		cli_domain_option_name(key, names[i]);
		key_options[i] = (struct cli_option){ names[i], value_name(key), key->type == CONF_LIST, key->help_en,
			key->help_de };
	}
	return verbs;
}
