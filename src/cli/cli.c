/*
 * The frame of the command line: global options wherever they stand, the verb, its usage.
 *
 * Global options are taken out of the words first, so that a verb sees only its own. A "--" ends
 * them.
 */
#include "cli/cli.h"
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/fmt.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli_priv.h"

#define USAGE_MAX      2048
#define CONFIG_DEFAULT "/etc/torhaus/torhaus.conf"

struct words {
	struct cli *cli;
	char **v; /* what is no global option */
	int n;
	bool help, version;
	const char *color;
};

/* ---- settings, faults, usage ---- */

struct settings *cli_settings(struct cli *cli)
{
	struct conf_errors errors = { 0 };
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(cli->config, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		cli_fault(cli, &errors.v[i]);
	arena_done(&a);
	return s;
}

void cli_fault(struct cli *cli, const struct fault *f)
{
	cli_fault_to(cli, cli->err, f);
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(USAGE_MAX);
	const struct cli_verb *verb = cli->verb;
	char safe[USAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	/* It repeats what was typed, or what a file holds. */
	fprintf(cli->err, "torhaus%s%s: %.*s", verb ? " " : "", verb ? verb->name : "",
		(int)fmt_safe(buf_span(&text), "", safe, sizeof(safe)), safe);
	if (verb)
		fprintf(cli->err, "\n%s torhaus %s %s\n", cli_say(cli, "usage:", "Aufruf:"), verb->name, verb->args);
	else
		fprintf(cli->err, "\n%s\n",
			cli_say(cli, "`torhaus --help` lists the verbs.", "`torhaus --help` nennt die Verben."));
	return CLI_USAGE;
}

/* ---- help ---- */

static void help_options(struct cli *cli, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		char head[64];

		snprintf(head, sizeof(head), "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		fprintf(cli->out, "  %-28s %s%s\n", head, o->help, o->repeat ? " (may be repeated)" : "");
	}
}

static int help_verb(struct cli *cli)
{
	const struct cli_verb *v = cli->verb;

	fprintf(cli->out, "torhaus %s %s\n\n%s\n", v->name, v->args, v->help ? v->help : "");
	if (v->options && v->options->name)
		fprintf(cli->out, "\n");
	help_options(cli, v->options);
	fprintf(cli->out, "\nGlobal options:\n");
	help_options(cli, cli_global_options);
	return CLI_DONE;
}

static int help_all(struct cli *cli)
{
	fprintf(cli->out, "torhaus VERB [options]: a self-hosted edge\n\n");
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		if (v->help)
			fprintf(cli->out, "  %-16s %s\n", v->name, v->help);
	fprintf(cli->out, "\n");
	help_options(cli, cli_global_options);
	fprintf(cli->out,
		"\nExit status: 0 done, 1 a negative finding, 2 wrong usage, 3 settings invalid,\n"
		"4 the server cannot be reached, 5 done in part.\n");
	return CLI_DONE;
}

/* ---- global options ---- */

static bool set_lang(struct words *w, const char *value)
{
	if (strcmp(value, "en") != 0 && strcmp(value, "de") != 0)
		return false;
	w->cli->lang = strcmp(value, "de") == 0 ? FAULT_DE : FAULT_EN;
	return true;
}

static bool set_color(struct words *w, const char *value)
{
	w->color = value;
	return strcmp(value, "auto") == 0 || strcmp(value, "always") == 0 || strcmp(value, "never") == 0;
}

static int set_value(struct words *w, const struct cli_option *o, const char *value)
{
	bool fits = true;

	if (strcmp(o->name, "--config") == 0)
		w->cli->config = value;
	else if (strcmp(o->name, "--lang") == 0)
		fits = set_lang(w, value);
	else
		fits = set_color(w, value);
	return fits ? CLI_DONE : cli_usage(w->cli, "%s is %s, not \"%s\"", o->name, o->value, value);
}

static void set_switch(struct words *w, const struct cli_option *o)
{
	if (strcmp(o->name, "--json") == 0)
		w->cli->json = true;
	else if (strcmp(o->name, "--help") == 0)
		w->help = true;
	else
		w->version = true;
}

static const struct cli_option *find_global(const char *word, const char **ret_value)
{
	struct span rest = span_of(word), name;

	span_cut(&rest, '=', &name);
	*ret_value = rest.p;
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		if (span_eq(span_of(o->name), name))
			return o;
	return NULL;
}

static int take_words(struct words *w, int argc, char **argv)
{
	int status = CLI_DONE;

	for (int i = 1; i < argc && status == CLI_DONE; i++) {
		const char *value;
		const struct cli_option *o = find_global(strcmp(argv[i], "-h") == 0 ? "--help" : argv[i], &value);

		if (!o)
			w->v[w->n++] = argv[i];
		else if (!o->value)
			set_switch(w, o);
		else if (value || ++i < argc)
			status = set_value(w, o, value ? value : argv[i]);
		else
			status = cli_usage(w->cli, "%s needs a value", o->name);
	}
	return status;
}

static bool wants_color(const char *wish)
{
	const char *no = getenv("NO_COLOR");

	if (strcmp(wish, "auto") != 0)
		return strcmp(wish, "always") == 0;
	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && !(no && *no);
}

/* ---- the verb ---- */

static const struct cli_verb *find_verb(char **words, int n)
{
	char name[64];

	if (strcmp(words[0], "-t") == 0)
		return find_verb((char *[]){ "check" }, 1);
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		unsigned of_name = cli_verb_words(v);

		if ((int)of_name > n)
			continue;
		snprintf(name, sizeof(name), of_name == 2 ? "%s %s" : "%s", words[0], of_name == 2 ? words[1] : "");
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* There is no such verb: what is near, or what begins so. */
static int unknown_verb(struct words *w)
{
	char name[64];
	const struct cli_verb *best = NULL;
	unsigned least = 4;

	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		unsigned d;

		if (!v->help)
			continue;
		snprintf(name, sizeof(name), cli_verb_words(v) == 2 && w->n > 1 ? "%s %s" : "%s", w->v[0],
			w->n > 1 ? w->v[1] : "");
		d = fmt_distance(span_of(name), span_of(v->name));
		if (span_starts(span_of(v->name), span_of(w->v[0])) && d > 3)
			d = 3;
		if (d < least) {
			least = d;
			best = v;
		}
	}
	if (best)
		return cli_usage(w->cli, "there is no verb %s; did you mean %s?", w->v[0], best->name);
	return cli_usage(w->cli, "there is no verb %s", w->v[0]);
}

static int run(struct words *w)
{
	struct cli *cli = w->cli;
	unsigned words;

	if (w->version) {
		fprintf(cli->out, "torhaus " TORHAUS_VERSION "\n");
		return CLI_DONE;
	}
	if (w->n == 0) {
		help_all(cli);
		return w->help ? CLI_DONE : CLI_USAGE;
	}
	cli->verb = find_verb(w->v, w->n);
	if (!cli->verb)
		return unknown_verb(w);
	if (w->help)
		return help_verb(cli);
	words = cli_verb_words(cli->verb);
	return cli->verb->run(cli, w->n - (int)words, w->v + words);
}

static const char *language(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (unsigned i = 0; i < array_len(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return "C";
}

int cli_main(int argc, char **argv)
{
	const char *config = getenv("TORHAUS_CONFIG");
	struct cli cli = { .program = argv[0],
		.config = config && *config ? config : CONFIG_DEFAULT,
		.out = stdout,
		.err = stderr,
		.lang = fault_lang_of(language()) };
	struct words w = { .cli = &cli, .v = mem_zalloc((size_t)argc + 1, sizeof(char *)), .color = "auto" };
	int status = take_words(&w, argc, argv);

	cli.color = wants_color(w.color);
	log_lang(cli.lang);
	if (status == CLI_DONE)
		status = run(&w);
	if (fflush(cli.out) != 0 && status == CLI_DONE)
		status = CLI_PARTLY;
	mem_free(w.v);
	return status;
}
