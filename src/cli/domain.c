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
		r = store_domain_remove(w->store, c.name, &w->fault);
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
		domain_print_table(&w->out, rd.rows, rd.n);
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

static int run_remove(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc != 1)
		return cli_usage(cli, "the name of one domain is wanted");
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? remove_domain(&w, argv[0]) : status);
}

static int run_show(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc != 1)
		return cli_usage(cli, "the name of one domain is wanted");
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? show_domain(&w, argv[0]) : status);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc > 0)
		return cli_usage(cli, "nothing may follow, but there is %s", argv[0]);
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? list_domains(&w) : status);
}

static int run_export(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc > 1)
		return cli_usage(cli, "one domain at most: %s, %s", argv[0], argv[1]);
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? export_domains(&w, argc ? argv[0] : NULL) : status);
}

/* ---- the table ---- */

static struct cli_option key_options[CONF_KEYS_MAX + 1];
static const struct cli_option file_options[] = {
	{ "--dry-run", NULL, false, "show what would change, and change nothing" },
	{ NULL },
};
static const struct cli_option recipient_options[] = {
	{ "--tls", "off|report|require", false, "What holds for this recipient instead of the domain's." },
	{ "--until", "YYYY-MM-DD", false, "The last day (UTC) on which it holds; without it for good." },
	{ NULL },
};
static const struct cli_verb verbs[] = {
	{ "domain add", "NAME [--origin URL]… [--web NAME]… [--mail HOST:PORT] [OPTION]…",
		"Add a domain; with an origin it is visited as NAME and www.NAME unless --web says otherwise.",
		key_options, cli_domain_add },
	{ "domain set", "NAME [OPTION]…", "Change settings of a domain; a repeated option replaces the whole list.",
		key_options, cli_domain_set },
	{ "domain show", "NAME", "Show a domain's settings as text.", NULL, run_show },
	{ "domain list", "", "List all domains.", NULL, run_list },
	{ "domain remove", "NAME", "Remove a domain.", NULL, run_remove },
	{ "domain export", "[NAME]", "Print all domains, or one, as text for `torhaus domain apply`.", NULL,
		run_export },
	{ "domain apply", "FILE [--dry-run]", "Make the store equal to a file of domains; - reads standard input.",
		file_options, cli_domain_apply },
	{ "domain import", "FILE [--dry-run]", "Take domains from a flat list of lines \"name address\".", file_options,
		cli_domain_import },
	{ "recipient set", "ADDRESS --tls off|report|require [--until YYYY-MM-DD]",
		"Require encryption of mail to one recipient, or do not, whatever its domain says.", recipient_options,
		cli_recipient_set },
	{ "recipient list", "[DOMAIN]", "List the recipients with an encryption of their own, and who set it when.",
		NULL, cli_recipient_list },
	{ "recipient remove", "ADDRESS", "Let the domain's encryption hold for a recipient again.", NULL,
		cli_recipient_remove },
	{ NULL },
};

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
		key_options[i] = (struct cli_option){ names[i], value_name(key), key->type == CONF_LIST, key->help_en };
	}
	return verbs;
}
