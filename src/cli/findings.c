/* How verbs such as `torhaus check` tell what they found: the frame around report/findings.h. */
#include "cli/cli_priv.h"

int cli_findings_end(struct cli *cli, struct findings *f, const char *schema)
{
	return cli_findings_end_with(cli, f, json_pack("{s:s}", "schema", schema));
}

int cli_findings_end_with(struct cli *cli, struct findings *f, json_t *document)
{
	size_t n = json_array_size(f->faults), i;
	json_t *fault;

	if (cli->json) {
		json_object_set(document, "faults", f->faults);
		cli_print_json(cli, json_incref(document));
	} else {
		json_array_foreach(f->faults, i, fault)
		{
			cli_fault_json(cli, cli->out, fault);
		}
		if (n == 0)
			fprintf(cli->out, "%s\n", cli_say(cli, "Nothing is wrong.", "Alles in Ordnung."));
	}
	json_decref(document);
	findings_done(f);
	return f->settings_faulty ? CLI_SETTINGS : n > 0 ? CLI_FOUND : CLI_DONE;
}

int cli_findings_run(struct cli *cli, int argc, char **argv, const char *schema,
	void (*look)(struct cli *cli, struct findings *f, const struct settings *s))
{
	struct cli_args args;
	struct findings f;
	struct settings *s;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	findings_init(&f);
	s = findings_settings(&f, cli->config);
	if (s)
		look(cli, &f, s);
	settings_unref(s);
	return cli_findings_end(cli, &f, schema);
}
