/*
 * torhaus doctor: everything that is wrong now.
 *
 * A running server says most of it (store, certificates, origins, logs, limits); what is on disk is
 * looked at here in any case, and whether what is served is what is on disk.
 */
#include "cli/cli_priv.h"
#include "cli/cert.h"
#include "domain/domain.h"

static void look(struct cli *cli, struct findings *f, const struct settings *s)
{
	struct snapshot *domains = findings_read_store(f, s->store.p);
	struct fault none;
	unsigned http;
	int error;
	json_t *status = cli_ask(s, "GET", "/status", NULL, &http, &error);

	if (domains) {
		findings_domains(f, s, domains);
		findings_loops(f, s, domains);
	}
	findings_certificates(f, s, domains);
	if (status) {
		findings_server(f, status);
		cert_compare_served(cli, f, s);
	} else {
		cli_no_server(s, error, &none);
		findings_add(f, &none);
		if (domains)
			findings_origins(f, domains);
	}
	json_decref(status);
	snapshot_unref(domains);
}

int cli_doctor(struct cli *cli, int argc, char **argv)
{
	return cli_findings_run(cli, argc, argv, "torhaus.doctor/1", look);
}
