/* Certificates on disk and in service, compared. */
#pragma once
#include "cli/cli_priv.h"

/* Adds what differs: CERT-NOT-SERVED for each pair on disk that the running server does not have. */
void cert_compare_served(struct findings *f, const struct settings *s);
