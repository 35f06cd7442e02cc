/* Certificates on disk and in service, compared. */
#pragma once
#include "cli/cli_priv.h"

/* torhaus cert check HOST:PORT: args->rest[0] is the server. The exit status. */
int cert_check_server(struct cli *cli, const struct cli_args *args);
/* Adds what differs: CERT-NOT-SERVED for each pair on disk that the running server does not
 * have. */
void cert_compare_served(struct cli *cli, struct findings *f, const struct settings *s);
