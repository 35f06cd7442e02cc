/* torhaus serve, reload, stop */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli_priv.h"

#define STOP_MAX_MS 40000
#define LOOK_US     50000

int cli_serve(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	_cleanup_(mem_freep) char *config = NULL;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	/* The new program of a hand-over finds the file wherever it starts. */
	config = realpath(cli->config, NULL);
	return cli_arg(&args, "--try") ? serve_try(config ? config : cli->config)
				       : serve_run(config ? config : cli->config);
}

static void tell_faults(struct cli *cli, json_t *answer)
{
	json_t *fault;
	size_t i;

	json_array_foreach(json_object_get(answer, "faults"), i, fault)
	{
		cli_fault_json(cli, cli->err, fault);
	}
}

static void tell_reloaded(struct cli *cli, json_t *answer)
{
	const char *changed = json_string_value(json_object_get(answer, "changed"));

	fprintf(cli->out, "%s", cli_say(cli, "Reloaded", "Neu geladen"));
	if (changed && *changed)
		fprintf(cli->out, ": %s", changed);
	if (json_is_true(json_object_get(answer, "new_worker")))
		fprintf(cli->out, " %s", cli_say(cli, "(with a new worker)", "(mit neuem Worker)"));
	fprintf(cli->out, ".\n");
}

int cli_reload(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct settings *s;
	unsigned status;
	json_t *answer;
	int error, r;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	/* Faulty settings are told here, whether a server runs or not. */
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	answer = cli_ask(s, "POST", cli_arg(&args, "--binary") ? "/reload/binary" : "/reload", NULL, &status, &error);
	if (!answer) {
		r = cli_unreachable(cli, s, error);
		settings_unref(s);
		return r;
	}
	settings_unref(s);
	if (status != 200)
		tell_faults(cli, answer);
	else if (!cli->json)
		tell_reloaded(cli, answer);
	if (cli->json)
		cli_print_json(cli, answer);
	else
		json_decref(answer);
	return status == 200 ? CLI_DONE : status == 422 ? CLI_SETTINGS : CLI_FOUND;
}

int cli_stop(struct cli *cli, int argc, char **argv)
{
	uint64_t end = clock_mono_ms() + STOP_MAX_MS;
	struct cli_args args;
	struct settings *s;
	unsigned status;
	json_t *answer;
	int error, r = CLI_DONE;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	answer = cli_ask(s, "POST", "/stop", NULL, &status, &error);
	if (!answer)
		r = cli_unreachable(cli, s, error);
	json_decref(answer);
	/* The socket goes with the server. */
	while (r == CLI_DONE && access(s->control.p, F_OK) == 0 && clock_mono_ms() < end)
		usleep(LOOK_US);
	if (r == CLI_DONE && access(s->control.p, F_OK) == 0)
		r = CLI_FOUND;
	settings_unref(s);
	return r;
}
