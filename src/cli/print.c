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

void cli_fault_placeless(struct cli *cli, const struct fault *f)
{
	struct span file = fault_value(f, "file"), line = fault_value(f, "line");
	struct buf cause = BUF_INIT(8192), remedy = BUF_INIT(8192);
	size_t place = file.n + line.n + sizeof(":: ") - 1;

	fault_cause(f, cli->lang, &cause);
	fault_remedy(f, cli->lang, &remedy);
	if (!span_starts(buf_span(&cause), file) || cause.n < place)
		place = 0;
	print(cli, cli->err, fault_code_text(f->code), buf_text(&cause) + place, buf_text(&remedy));
	buf_done(&cause);
	buf_done(&remedy);
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
	json_t *facts = json_object_get(fault, "facts");
	const char *domains = json_string_value(json_object_get(facts, cli_say(cli, "domains", "domains_de")));
	const char *code = json_string_value(json_object_get(fault, "code"));
	const char *cause = json_string_value(json_object_get(fault, cli_say(cli, "cause", "cause_de")));
	const char *remedy = json_string_value(json_object_get(fault, cli_say(cli, "remedy", "remedy_de")));

	print(cli, f, code ? code : "?", cause ? cause : "", remedy ? remedy : "");
	if (domains && *domains)
		fprintf(f, "  %s %s\n", cli_say(cli, "concerns:", "betrifft:"), domains);
}
