/*
 * torhaus domain add | set | show | list | remove | export | apply | import, torhaus recipient set
 * | list | remove
 *
 * The options of add and set are made from domain_keys, so this table is made at run time.
 */
#pragma once
#include "cli/cli.h"

/* The verbs, ending with name == NULL. */
const struct cli_verb *cli_domain_verbs(void);
