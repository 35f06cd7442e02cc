/* torhaus completion: bash's, from the table of verbs. */
#include <string.h>
#include "base/map.h"
#include "cli/cli_priv.h"
#include "store/store.h"

static void add_options(struct cli *cli, const struct cli_option *o)
{
	for (; o && o->name; o++)
		fprintf(cli->out, " %s", o->name);
}

/* The second words of the verbs that begin with first, or nothing. */
static void add_second(struct cli *cli, struct span first)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		struct span rest = span_of(v->name), word;

		span_cut(&rest, ' ', &word);
		if (v->help_en && rest.p && span_eq(word, first))
			fprintf(cli->out, " %s", rest.p);
	}
}

static bool is_first_of(const struct cli_verb *verb, struct span word)
{
	for (const struct cli_verb *v = cli_verbs(); v != verb; v++) {
		struct span rest = span_of(v->name), other;

		span_cut(&rest, ' ', &other);
		if (span_eq(other, word))
			return false;
	}
	return true;
}

static void add_first_words(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		struct span rest = span_of(v->name), word;

		span_cut(&rest, ' ', &word);
		if (v->help_en && is_first_of(v, word))
			fprintf(cli->out, " %.*s", SPAN_ARG(word));
	}
}

static void add_pairs(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		struct span rest = span_of(v->name), word;

		span_cut(&rest, ' ', &word);
		if (!v->help_en || !rest.p || !is_first_of(v, word))
			continue;
		fprintf(cli->out, "\t%.*s) words=\"", SPAN_ARG(word));
		add_second(cli, word);
		fprintf(cli->out, "\" ;;\n");
	}
}

static void add_all_options(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		if (!v->help_en)
			continue;
		fprintf(cli->out, "\t\"%s\") words=\"", v->name);
		add_options(cli, v->options);
		fprintf(cli->out, "\" ;;\n");
	}
}

/* A case for each option whose value is one of some words; $verb or not, a name has one meaning. */
static void add_choices(struct cli *cli, const struct cli_option *o, struct map *seen)
{
	for (; o && o->name; o++) {
		if (!o->value || !strchr(o->value, '|') || map_find(seen, span_of(o->name)) ||
			span_index(span_of(o->value), ' ') >= 0 || o->value[0] < 'a')
			continue;
		map_put(seen, span_of(o->name), cli);
		fprintf(cli->out, "\t%s) COMPREPLY=($(compgen -W \"", o->name);
		for (const char *c = o->value; *c; c++)
			fputc(*c == '|' ? ' ' : *c, cli->out);
		fprintf(cli->out, "\" -- \"$cur\")); return ;;\n");
	}
}

static void add_all_choices(struct cli *cli)
{
	struct map seen;

	map_init(&seen);
	add_choices(cli, cli_global_options, &seen);
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		if (v->help_en)
			add_choices(cli, v->options, &seen);
	map_done(&seen);
}

static bool takes(const struct cli_verb *v, const char *what)
{
	return v->help_en && strncmp(v->args, what, strlen(what)) == 0;
}

/* Where a name of a domain is wanted that exists, and where a code. */
static void add_values(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		bool domain = strcmp(v->name, "domain add") != 0 && strcmp(v->name, "dns query") != 0 &&
			(takes(v, "NAME") || takes(v, "[NAME]") || takes(v, "[DOMAIN]"));

		if (domain || takes(v, "[CODE]"))
			fprintf(cli->out, "\t\"%s\") words=\"$words $(torhaus complete %s 2>/dev/null)\" ;;\n", v->name,
				domain ? "domains" : "codes");
	}
}

int cli_completion(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n != 1 || strcmp(args.rest[0], "bash") != 0)
		return cli_usage(cli, "the shell is bash", "die Shell ist bash");
	fprintf(cli->out,
		"# Completion of torhaus for bash; made by: torhaus completion bash\n"
		"_torhaus() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= first= words= w i\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tw=${COMP_WORDS[i]}\n"
		"\t\tcase $w in\n"
		"\t\t--config|--lang|--color) ((i++)) ;;\n"
		"\t\t-*) ;;\n"
		"\t\t*) if [ -z \"$first\" ]; then first=$w; elif [ \"$verb\" = \"$first\" ]; then verb=\"$first $w\"; fi\n"
		"\t\t\t[ -n \"$verb\" ] || verb=$first ;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tcase $prev in\n"
		"\t--domain) COMPREPLY=($(compgen -W \"$(torhaus complete domains 2>/dev/null)\" -- \"$cur\")); return ;;\n");
	add_all_choices(cli);
	fprintf(cli->out,
		"\tesac\n"
		"\tcase $verb in\n"
		"\t\"\") words=\"");
	add_first_words(cli);
	fprintf(cli->out, "\" ;;\n");
	add_pairs(cli);
	add_all_options(cli);
	fprintf(cli->out, "\tesac\n\tcase $cur in\n\t-*) words=\"$words");
	add_options(cli, cli_global_options);
	fprintf(cli->out, "\" ;;\n\t*) case $verb in\n");
	add_values(cli);
	fprintf(cli->out,
		"\tesac ;;\n\tesac\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		"\tif [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
		"}\n"
		"complete -F _torhaus torhaus\n");
	return CLI_DONE;
}

/* ---- what the completion asks for while somebody types ---- */

static int print_name(void *arg, const struct store_domain *d)
{
	struct cli *cli = arg;

	fprintf(cli->out, "%.*s\n", SPAN_ARG(d->name));
	return 0;
}

/* Silent where there is nothing to read: whoever types does not want to hear of it. */
static void print_domains(struct cli *cli)
{
	struct conf_errors errors = { 0 };
	struct store *store = NULL;
	struct settings *s;
	struct fault fault;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(cli->config, &a, &errors);
	if (s && store_open(s->store.p, false, &store, &fault) == 0)
		store_domain_each(store, print_name, cli, &fault);
	store_close(store);
	settings_unref(s);
	arena_done(&a);
}

int cli_complete(struct cli *cli, int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "domains") == 0)
		print_domains(cli);
	else if (argc == 1 && strcmp(argv[0], "codes") == 0)
		for (enum fault_code c = FAULT_NONE + 1; c < FAULT_COUNT; c++)
			fprintf(cli->out, "%s\n", fault_code_text(c));
	else
		return cli_usage(cli, "domains or codes", "domains oder codes");
	return CLI_DONE;
}
