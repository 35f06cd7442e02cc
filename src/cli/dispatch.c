/*
 * From the words of the command line to the verb that runs.
 *
 * Global options are taken out of the words first, wherever they stand, so that a verb sees only
 * its own. The first word of several verbs is a group (`torhaus domain`); alone it lists them.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli_priv.h"

#define CONFIG_DEFAULT "/etc/torhaus/torhaus.conf"

struct words {
	struct cli *cli;
	char **v; /* what is no global option */
	int n;
	bool help, version;
	const char *color;
};

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
	return fits ? CLI_DONE
		    : cli_usage(w->cli, "%s is %s, not \"%s\"", "%s ist %s, nicht \"%s\"", o->name, o->value, value);
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

static const char *long_form(const char *word)
{
	if (strcmp(word, "-h") == 0)
		return "--help";
	return strcmp(word, "-V") == 0 ? "--version" : word;
}

static int take_words(struct words *w, int argc, char **argv)
{
	int status = CLI_DONE;

	for (int i = 1; i < argc && status == CLI_DONE; i++) {
		const char *value;
		const struct cli_option *o = find_global(long_form(argv[i]), &value);

		if (!o)
			w->v[w->n++] = argv[i];
		else if (!o->value)
			set_switch(w, o);
		else if (value || ++i < argc)
			status = set_value(w, o, value ? value : argv[i]);
		else
			status = cli_usage(w->cli, "%s needs a value", "%s braucht einen Wert", o->name);
	}
	return status;
}

static bool wants_color(const char *wish)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(wish, "auto") != 0)
		return strcmp(wish, "always") == 0;
	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

/* ---- the verb ---- */

const struct cli_verb *cli_find_verb(char **words, int n)
{
	char name[64];

	if (strcmp(words[0], "-t") == 0)
		return cli_find_verb((char *[]){ "check" }, 1);
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

bool cli_is_group(const char *word)
{
	size_t n = strlen(word);

	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		if (strncmp(v->name, word, n) == 0 && v->name[n] == ' ')
			return true;
	return false;
}

int cli_unknown_verb(struct cli *cli, char **words, int n)
{
	const struct cli_verb *nearest = NULL;
	unsigned best = UINT_MAX;
	char typed[256];

	snprintf(typed, sizeof(typed), "%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		const char *word = cli_verb_words(v) == 2 ? typed : words[0];

		if (v->help_en && !(v->flags & CLI_NOT_SUGGESTED) && cli_is_near(span_of(word), v->name, &best))
			nearest = v;
	}
	if (n > 1 && cli_is_group(words[0]))
		return nearest ? cli_usage(cli, "there is no verb %s; did you mean %s?",
					 "es gibt kein Verb %s; ist %s gemeint?", typed, nearest->name)
			       : cli_usage(cli, "there is no verb %s; `torhaus %s` lists those that there are",
					 "es gibt kein Verb %s; `torhaus %s` nennt die vorhandenen", typed, words[0]);
	if (nearest)
		return cli_usage(cli, "there is no verb %s; did you mean %s?", "es gibt kein Verb %s; ist %s gemeint?",
			cli_verb_words(nearest) == 2 ? typed : words[0], nearest->name);
	return cli_usage(cli, "there is no verb %s", "es gibt kein Verb %s", words[0]);
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
		cli_help_all(cli);
		return w->help ? CLI_DONE : CLI_USAGE;
	}
	cli->verb = cli_find_verb(w->v, w->n);
	if (!cli->verb && w->n == 1 && cli_is_group(w->v[0]))
		return cli_help_group(cli, w->v[0]);
	if (!cli->verb)
		return cli_unknown_verb(cli, w->v, w->n);
	if (w->help)
		return cli_help_verb(cli);
	if (cli->json && (cli->verb->flags & CLI_NO_JSON))
		return cli_usage(cli, "there is no --json for it", "--json gibt es dafür nicht");
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
