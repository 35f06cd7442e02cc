/* torhaus completion: bash's, from the table of verbs. */
#include <string.h>
#include "cli/cli_priv.h"

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
		if (v->help && rest.p && span_eq(word, first))
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
		if (v->help && is_first_of(v, word))
			fprintf(cli->out, " %.*s", SPAN_ARG(word));
	}
}

static void add_pairs(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		struct span rest = span_of(v->name), word;

		span_cut(&rest, ' ', &word);
		if (!v->help || !rest.p || !is_first_of(v, word))
			continue;
		fprintf(cli->out, "\t%.*s) words=\"", SPAN_ARG(word));
		add_second(cli, word);
		fprintf(cli->out, "\" ;;\n");
	}
}

static void add_all_options(struct cli *cli)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		if (!v->help)
			continue;
		fprintf(cli->out, "\t\"%s\") words=\"", v->name);
		add_options(cli, v->options);
		fprintf(cli->out, "\" ;;\n");
	}
}

int cli_completion(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n != 1 || strcmp(args.rest[0], "bash") != 0)
		return cli_usage(cli, "the shell is bash");
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
		"\t--config|--dir) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
		"\t--lang) COMPREPLY=($(compgen -W \"en de\" -- \"$cur\")); return ;;\n"
		"\t--color) COMPREPLY=($(compgen -W \"auto always never\" -- \"$cur\")); return ;;\n"
		"\t--preset) COMPREPLY=($(compgen -W \"standard wordpress static off\" -- \"$cur\")); return ;;\n"
		"\tesac\n"
		"\tcase $verb in\n"
		"\t\"\") words=\"");
	add_first_words(cli);
	fprintf(cli->out, "\" ;;\n");
	add_pairs(cli);
	add_all_options(cli);
	fprintf(cli->out, "\tesac\n\tcase $cur in\n\t-*) words=\"$words");
	add_options(cli, cli_global_options);
	fprintf(cli->out,
		"\" ;;\n\tesac\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		"\tif [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
		"}\n"
		"complete -F _torhaus torhaus\n");
	return CLI_DONE;
}
