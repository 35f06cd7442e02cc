/* torhaus help, and --help wherever it stands: from the table of verbs. */
#include <string.h>
#include "base/fmt.h"
#include "cli/cli_priv.h"

#define OPTION_WIDTH 28
#define VERB_WIDTH   16

static void help_options(struct cli *cli, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		char head[96];

		snprintf(head, sizeof(head), "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		/* What is too wide for its column has a line of its own. */
		if (strlen(head) > OPTION_WIDTH)
			fprintf(cli->out, "  %s\n  %-*s", head, OPTION_WIDTH, "");
		else
			fprintf(cli->out, "  %-*s", OPTION_WIDTH, head);
		fprintf(cli->out, " %s%s\n", cli_say(cli, o->help_en, o->help_de),
			o->repeat ? cli_say(cli, " (may be repeated)", " (mehrfach möglich)") : "");
	}
}

static void help_line(struct cli *cli, const struct cli_verb *v)
{
	if (v->help_en)
		fprintf(cli->out, "  %-*s %s\n", VERB_WIDTH, v->name, cli_say(cli, v->help_en, v->help_de));
}

int cli_help_verb(struct cli *cli)
{
	const struct cli_verb *v = cli->verb;

	fprintf(cli->out, "torhaus %s %s\n\n%s\n", v->name, v->args,
		v->help_en ? cli_say(cli, v->help_en, v->help_de) : "");
	if (v->options && v->options->name)
		fprintf(cli->out, "\n");
	help_options(cli, v->options);
	fprintf(cli->out, "\n%s\n", cli_say(cli, "Global options:", "Für alle Verben:"));
	help_options(cli, cli_global_options);
	return CLI_DONE;
}

int cli_help_group(struct cli *cli, const char *group)
{
	size_t n = strlen(group);

	fprintf(cli->out, cli_say(cli, "torhaus %s VERB [options]\n\n", "torhaus %s VERB [Optionen]\n\n"), group);
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		if (strncmp(v->name, group, n) == 0 && v->name[n] == ' ')
			help_line(cli, v);
	fprintf(cli->out,
		cli_say(cli, "\n`torhaus help %s VERB` explains one of them.\n",
			"\n`torhaus help %s VERB` erklärt eines davon.\n"),
		group);
	return CLI_DONE;
}

int cli_help_all(struct cli *cli)
{
	fprintf(cli->out, "%s\n\n",
		cli_say(cli, "torhaus VERB [options]: a self-hosted edge",
			"torhaus VERB [Optionen]: das Torhaus vor den eigenen Servern"));
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		help_line(cli, v);
	fprintf(cli->out, "\n");
	help_options(cli, cli_global_options);
	fprintf(cli->out, "\n%s\n",
		cli_say(cli,
			"Exit status: 0 done, 1 a negative finding, 2 wrong usage, 3 settings invalid,\n"
			"4 the server cannot be reached, 5 done in part.",
			"Exit-Status: 0 erledigt, 1 ein Befund, 2 falscher Aufruf, 3 Einstellungen ungültig,\n"
			"4 Server nicht erreichbar, 5 nur zum Teil erledigt."));
	return CLI_DONE;
}

int cli_help(struct cli *cli, int argc, char **argv)
{
	if (argc == 0)
		return cli_help_all(cli);
	if (argc == 1 && cli_is_group(argv[0]))
		return cli_help_group(cli, argv[0]);
	cli->verb = cli_find_verb(argv, argc);
	if (!cli->verb || (int)cli_verb_words(cli->verb) != argc) {
		cli->verb = NULL;
		return cli_unknown_verb(cli, argv, argc);
	}
	return cli_help_verb(cli);
}
