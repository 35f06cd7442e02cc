/*
 * Findings: what verbs such as `torhaus check` gather, each once, and tell at the end. What they
 * look at is in findings_look.c.
 */
#include "cli/cli_priv.h"
#include "base/mem.h"

void findings_init(struct findings *f, struct cli *cli)
{
	*f = (struct findings){ .cli = cli, .faults = json_array() };
}

static bool is_same(json_t *a, json_t *b)
{
	return json_equal(json_object_get(a, "code"), json_object_get(b, "code")) &&
		json_equal(json_object_get(a, "facts"), json_object_get(b, "facts"));
}

void findings_add_json(struct findings *f, json_t *fault)
{
	json_t *known;
	size_t i;

	json_array_foreach(f->faults, i, known)
	{
		if (is_same(known, fault))
			return;
	}
	json_array_append(f->faults, fault);
}

void findings_add(struct findings *f, const struct fault *fault)
{
	struct buf text = BUF_INIT(1 << 16);
	struct jsonw j;
	json_t *json;

	jsonw_init(&j, &text);
	report_fault_json(&j, NULL, fault);
	json = json_loadb(text.p, text.n, 0, NULL);
	must(json);
	findings_add_json(f, json);
	json_decref(json);
	buf_done(&text);
}

struct settings *findings_settings(struct findings *f)
{
	struct conf_errors errors = { 0 };
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(f->cli->config, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		findings_add(f, &errors.v[i]);
	arena_done(&a);
	f->settings_faulty = !s;
	return s;
}

int findings_end(struct findings *f, const char *schema)
{
	return findings_end_with(f, json_pack("{s:s}", "schema", schema));
}

int findings_end_with(struct findings *f, json_t *document)
{
	struct cli *cli = f->cli;
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
	json_decref(f->faults);
	return f->settings_faulty ? CLI_SETTINGS : n > 0 ? CLI_FOUND : CLI_DONE;
}

int findings_run(struct cli *cli, int argc, char **argv, const char *schema,
	void (*look)(struct findings *f, const struct settings *s))
{
	struct cli_args args;
	struct findings f;
	struct settings *s;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	findings_init(&f, cli);
	s = findings_settings(&f);
	if (s)
		look(&f, s);
	settings_unref(s);
	return findings_end(&f, schema);
}
