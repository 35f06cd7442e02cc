/*
 * torhaus doctor: everything that is wrong now.
 *
 * A running server says most of it (store, certificates, origins, logs, limits); what is on disk is
 * looked at here in any case, and whether what is served is what is on disk.
 */
#include "cli/cli_priv.h"
#include "cli/cert.h"

static void not_running(struct findings *f, const struct settings *s)
{
	struct fault fault;

	fault_set(&fault, FAULT_SERVE_NOT_RUNNING);
	fault_fact(&fault, "path", "%s", s->control.p);
	fault_fact(&fault, "error", "%s", cli_say(f->cli, "no answer", "keine Antwort"));
	findings_add(f, &fault);
}

static void look(struct findings *f, const struct settings *s)
{
	findings_store(f, s);
	findings_certificates(f, s);
	if (findings_server(f, s)) {
		cert_compare_served(f, s);
	} else {
		not_running(f, s);
		findings_origins(f, s);
	}
}

int cli_doctor(struct cli *cli, int argc, char **argv)
{
	return findings_run(cli, argc, argv, "torhaus.doctor/1", look);
}
