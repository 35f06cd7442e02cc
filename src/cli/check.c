/* torhaus check (-t): settings, store, certificates, listeners, origins: all findings at once. */
#include "cli/cli_priv.h"
#include "domain/domain.h"
#include "serve/sandbox.h"

static void check_user(struct findings *f, const struct settings *s)
{
	struct sandbox_user user;
	struct fault fault;

	if (sandbox_user_find(s->user, &user, &fault) < 0)
		findings_add(f, &fault);
}

static void look(struct cli *cli, struct findings *f, const struct settings *s)
{
	struct snapshot *domains = findings_read_store(f, s->store.p);
	unsigned http;
	int error;
	json_t *status = cli_ask(s, "GET", "/status", NULL, &http, &error);

	(void)cli;
	check_user(f, s);
	if (domains) {
		findings_domains(f, s, domains);
		findings_loops(f, s, domains);
	}
	findings_certificates(f, s, domains);
	findings_listeners(f, s, status);
	if (domains)
		findings_origins(f, domains);
	json_decref(status);
	snapshot_unref(domains);
}

int cli_check(struct cli *cli, int argc, char **argv)
{
	return cli_findings_run(cli, argc, argv, "torhaus.check/1", look);
}
