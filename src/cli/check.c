/* torhaus check (-t): settings, store, certificates, listeners, origins: every finding in one
 * run. */
#include "cli/cli_priv.h"
#include "serve/sandbox.h"

static void check_user(struct findings *f, const struct settings *s)
{
	struct sandbox_user user;
	struct fault fault;

	if (sandbox_user_find(s->user, &user, &fault) < 0)
		findings_add(f, &fault);
}

static void look(struct findings *f, const struct settings *s)
{
	check_user(f, s);
	findings_store(f, s);
	findings_certificates(f, s);
	findings_listeners(f, s);
	findings_origins(f, s);
}

int cli_check(struct cli *cli, int argc, char **argv)
{
	return findings_run(cli, argc, argv, "torhaus.check/1", look);
}
