/* torhaus explain */
#include <string.h>
#include "cli/cli_priv.h"

static void explain(struct cli *cli, enum fault_code code)
{
	struct fault f;

	fault_set(&f, code);
	cli_fault_to(cli, cli->out, &f);
}

static int explain_json(struct cli *cli, enum fault_code code)
{
	struct buf out = BUF_INIT(1 << 20);
	struct fault f;
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.explain/1");
	jsonw_array(&j, "codes");
	for (enum fault_code c = FAULT_NONE + 1; c < FAULT_COUNT; c++) {
		fault_set(&f, c);
		if (code == FAULT_NONE || c == code)
			fault_json(&j, NULL, &f);
	}
	jsonw_end(&j);
	jsonw_end(&j);
	fprintf(cli->out, "%s\n", buf_text(&out));
	buf_done(&out);
	return CLI_DONE;
}

int cli_explain(struct cli *cli, int argc, char **argv)
{
	enum fault_code code = FAULT_NONE;
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n == 1) {
		code = fault_code_find(span_of(args.rest[0]));
		if (code == FAULT_NONE) {
			fprintf(cli->err,
				cli_say(cli, "There is no code %s; did you mean %s?\n",
					"Es gibt keinen Code %s; ist %s gemeint?\n"),
				args.rest[0], fault_code_text(fault_code_nearest(span_of(args.rest[0]))));
			return CLI_FOUND;
		}
	}
	if (cli->json)
		return explain_json(cli, code);
	if (code != FAULT_NONE)
		explain(cli, code);
	else
		for (enum fault_code c = FAULT_NONE + 1; c < FAULT_COUNT; c++)
			explain(cli, c);
	return CLI_DONE;
}
