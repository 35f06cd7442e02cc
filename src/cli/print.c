/* What verbs share in printing. */
#include <string.h>
#include "cli/cli_priv.h"

const char *cli_say(const struct cli *cli, const char *en, const char *de)
{
	return cli->lang == FAULT_DE ? de : en;
}

const char *cli_bold(const struct cli *cli)
{
	return cli->color ? "\033[1m" : "";
}

const char *cli_red(const struct cli *cli)
{
	return cli->color ? "\033[31m" : "";
}

const char *cli_plain(const struct cli *cli)
{
	return cli->color ? "\033[0m" : "";
}

static void print(struct cli *cli, FILE *f, const char *code, const char *cause, const char *remedy)
{
	fprintf(f, "%s%s%s %s\n  %s %s\n", cli_red(cli), code, cli_plain(cli), cause,
		cli_say(cli, "remedy:", "Abhilfe:"), remedy);
}

void cli_fault_to(struct cli *cli, FILE *f, const struct fault *fault)
{
	struct buf cause = BUF_INIT(8192), remedy = BUF_INIT(8192);

	fault_cause(fault, cli->lang, &cause);
	fault_remedy(fault, cli->lang, &remedy);
	print(cli, f, fault_code_text(fault->code), buf_text(&cause), buf_text(&remedy));
	buf_done(&cause);
	buf_done(&remedy);
}

void cli_fault_json(struct cli *cli, FILE *f, json_t *fault)
{
	const char *code = json_string_value(json_object_get(fault, "code"));
	const char *cause = json_string_value(json_object_get(fault, cli_say(cli, "cause", "cause_de")));
	const char *remedy = json_string_value(json_object_get(fault, cli_say(cli, "remedy", "remedy_de")));

	print(cli, f, code ? code : "?", cause ? cause : "", remedy ? remedy : "");
}
