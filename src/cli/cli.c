/* What verbs call: the settings, faults, wrong usage. */
#include "cli/cli.h"
#include <stdarg.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/cli_priv.h"

#define USAGE_MAX 2048

struct settings *cli_settings(struct cli *cli)
{
	struct conf_errors errors = { 0 };
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(cli->config, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		cli_fault(cli, &errors.v[i]);
	arena_done(&a);
	return s;
}

void cli_fault(struct cli *cli, const struct fault *f)
{
	cli_fault_to(cli, cli->err, f);
}

int cli_usage(struct cli *cli, const char *en, const char *de, ...)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(USAGE_MAX);
	const struct cli_verb *verb = cli->verb;
	char safe[USAGE_MAX];
	va_list ap;

	va_start(ap, de);
	buf_vaddf(&text, cli_say(cli, en, de), ap);
	va_end(ap);
	/* It repeats what was typed, or what a file holds. */
	fprintf(cli->err, "torhaus%s%s: %.*s", verb ? " " : "", verb ? verb->name : "",
		(int)fmt_safe(buf_span(&text), "", safe, sizeof(safe)), safe);
	if (verb)
		fprintf(cli->err, "\n%s torhaus %s %s\n", cli_say(cli, "usage:", "Aufruf:"), verb->name, verb->args);
	else
		fprintf(cli->err, "\n%s\n",
			cli_say(cli, "`torhaus --help` lists the verbs.", "`torhaus --help` nennt die Verben."));
	return CLI_USAGE;
}
