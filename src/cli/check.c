/* torhaus check (-t): settings, store, certificates, listeners, origins: every finding in one run. */
#include "cli/cli_priv.h"
#include "serve/sandbox.h"

static void check_user(struct findings *f, const struct settings *s)
{
	struct sandbox_user user;
	struct fault fault;

	if (sandbox_user_find(s->user, &user, &fault) < 0)
		findings_add(f, &fault);
}

int cli_check(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct findings f;
	struct settings *s;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	findings_init(&f, cli);
	s = findings_settings(&f);
	if (s) {
		check_user(&f, s);
		findings_store(&f, s);
		findings_certificates(&f, s);
		findings_listeners(&f, s);
		findings_origins(&f, s);
	}
	settings_unref(s);
	return findings_end(&f, "torhaus.check/1");
}
