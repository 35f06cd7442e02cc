/*
 * What the verbs of `torhaus domain` share.
 *
 * Status: an unknown, existing or conflicting domain is a negative finding; an option's value that
 * does not fit is wrong usage; a file with faults counts as invalid settings; a store that cannot
 * be used counts as unreachable; rows that had to be left out make the work done in part.
 */
#pragma once
#include "base/arena.h"
#include "cli/domain.h"
#include "cli/domain_print.h"
#include "domain/domain.h"
#include "store/store.h"

struct work {
	struct cli *cli;
	struct settings *settings;
	struct store *store;
	struct arena arena;
	struct buf out;
	struct fault fault;
};
/* Settings read and store open: CLI_DONE, or a status after telling why not. Either way work_end()
 * it. */
int work_begin(struct work *w, struct cli *cli);
/* Prints what has been gathered in out; returns status. */
int work_end(struct work *w, int status);
/* Rolls back and tells w->fault; the status for it. */
int work_refuse(struct work *w);
/* Tells all errors; returns status. */
int work_refuse_errors(struct work *w, const struct conf_errors *errors, enum cli_status status);
/* There is no domain of that name: rolls back, tells it with the nearest that there is; the status
 * for it. */
int work_refuse_unknown(struct work *w, struct span name);
/* The half of the pair for the user's language. */
const char *work_say(const struct work *w, const char *en, const char *de);
/* Who makes the change: the person behind sudo, else the user. */
const char *work_changed_by(struct work *w);
/* The name that a user meant, in the form of the store; false after telling that it is none. */
bool work_find_name(struct work *w, const char *text, struct span *ret);
/* Gathers what has been done, as text or as a document of that schema. */
void work_print_changes(struct work *w, const char *schema, const struct domain_change *changes, unsigned n,
	bool dry_run);

/* Rows as they are read; those that do not parse are told and counted. rows is the caller's to
 * mem_free(). */
struct reading {
	struct work *w;
	struct domain_row *rows;
	unsigned n, room, bad;
};
/* Is there a domain of that name? 1, 0, or -errno with w->fault. */
int work_has(struct work *w, struct span name);
/* CLI_DONE, CLI_PARTLY, or a status after telling */
int work_read_all(struct reading *rd);
int work_read_one(struct reading *rd, struct span name); /* CLI_DONE, or a status after telling */

/* ---- the verbs with options and files ---- */

int cli_domain_add(struct cli *cli, int argc, char **argv); /* domain_edit.c */
int cli_domain_set(struct cli *cli, int argc, char **argv);
/* "--redirect-to-tls" of "redirect_to_tls" */
void cli_domain_option_name(const struct conf_key *key, char ret[64]);
int cli_domain_apply(struct cli *cli, int argc, char **argv); /* domain_file.c */
int cli_domain_import(struct cli *cli, int argc, char **argv);
int cli_domain_undo(struct cli *cli, int argc, char **argv);
int cli_recipient_set(struct cli *cli, int argc, char **argv); /* recipient.c */
int cli_recipient_list(struct cli *cli, int argc, char **argv);
int cli_recipient_remove(struct cli *cli, int argc, char **argv);
