/*
 * The command line: a table of verbs, one file each.
 *
 * From the table in cli/verbs.c come dispatch, --help, bash completion and the man page. A verb
 * gets the global options parsed and its own arguments; it prints to cli->out (results) and
 * cli->err (faults, progress) and returns the exit status.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "base/fault.h"
#include "settings/settings.h"

enum cli_status {
	CLI_DONE = 0,
	CLI_FOUND = 1, /* a negative finding */
	CLI_USAGE = 2,
	CLI_SETTINGS = 3,    /* settings invalid */
	CLI_UNREACHABLE = 4, /* the server cannot be reached */
	CLI_PARTLY = 5,
};
struct cli {
	const char *program;
	/* path of the settings file: --config, $TORHAUS_CONFIG, /etc/torhaus/torhaus.conf */
	const char *config;
	bool json;
	bool color;
	enum fault_lang lang;
	FILE *out, *err;
	const struct cli_verb *verb;
};
struct cli_option {
	const char *name;  /* "--hard" */
	const char *value; /* "NAME", or NULL for a switch */
	bool repeat;
	const char *help_en, *help_de; /* a sentence each */
};
struct cli_verb {
	const char *name; /* "cache purge": one or two words */
	/* "NAME [--hard]": the usage line after the name */
	const char *args;
	const char *help_en, *help_de; /* a sentence each; NULL: not for people */
	/* ends with name == NULL; may be NULL */
	const struct cli_option *options;
	/* argv[0]: first argument after the verb's name */
	int (*run)(struct cli *cli, int argc, char **argv);
	unsigned flags;
};
/* It has nothing to say as JSON: --json is refused. */
#define CLI_NO_JSON 1u
/* Too much would be lost if it was carried out by mistake. */
#define CLI_NOT_SUGGESTED 2u
/* The main program. */
int cli_main(int argc, char **argv);
/* The settings of cli->config; faults are printed, then NULL (return CLI_SETTINGS). *_unref it. */
struct settings *cli_settings(struct cli *cli);
void cli_fault(struct cli *cli, const struct fault *f);
/* Wrong usage: "torhaus cache purge: MESSAGE" and the usage line to err; returns CLI_USAGE. The
 * message in both languages, with the same values in the same order. */
int cli_usage(struct cli *cli, const char *en, const char *de, ...)
	__attribute__((format(printf, 2, 4), format(printf, 3, 4)));
