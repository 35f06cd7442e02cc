/* Inside cli/: the table of verbs, the options of a verb, and what a running server says. */
#pragma once
#include <jansson.h>
#include "base/jsonw.h"
#include "cli/cli.h"
#include "report/findings.h"
#include "serve/listeners.h"
#include "serve/report.h"
#include "serve/serve.h"

/* ---- verbs.c ---- */
#define VERBS_MAX 64
/* All verbs in the order of the manual; the last has name == NULL. Those without help are not for
 * people. */
const struct cli_verb *cli_verbs(void);
extern const struct cli_option cli_global_options[];
/* "--json --json": the words that a verb's name consists of; 1 or 2. */
unsigned cli_verb_words(const struct cli_verb *verb);

int cli_init(struct cli *cli, int argc, char **argv);
int cli_serve(struct cli *cli, int argc, char **argv);
int cli_check(struct cli *cli, int argc, char **argv);
int cli_reload(struct cli *cli, int argc, char **argv);
int cli_stop(struct cli *cli, int argc, char **argv);
int cli_show_status(struct cli *cli, int argc, char **argv);
int cli_doctor(struct cli *cli, int argc, char **argv);
int cli_cert_list(struct cli *cli, int argc, char **argv);
int cli_cert_check(struct cli *cli, int argc, char **argv);
int cli_tls_explain(struct cli *cli, int argc, char **argv);
int cli_tls_log(struct cli *cli, int argc, char **argv);
int cli_cert_predict(struct cli *cli, int argc, char **argv);
int cli_cache_purge(struct cli *cli, int argc, char **argv);
int cli_cache_stat(struct cli *cli, int argc, char **argv);
int cli_dns_check(struct cli *cli, int argc, char **argv);
int cli_dns_query(struct cli *cli, int argc, char **argv);
int cli_tls_scan(struct cli *cli, int argc, char **argv);
int cli_mail_peers(struct cli *cli, int argc, char **argv);
int cli_mail_report(struct cli *cli, int argc, char **argv);
int cli_explain(struct cli *cli, int argc, char **argv);
int cli_help(struct cli *cli, int argc, char **argv);
int cli_complete(struct cli *cli, int argc, char **argv);
int cli_completion(struct cli *cli, int argc, char **argv);
int cli_man(struct cli *cli, int argc, char **argv);

/* ---- help.c ---- */
/* Of cli->verb; CLI_DONE. */
int cli_help_verb(struct cli *cli);
/* Of all verbs, and of those whose first word it is. */
int cli_help_all(struct cli *cli);
int cli_help_group(struct cli *cli, const char *group);

/* ---- dispatch.c ---- */
/* The verb that the first of n words name; NULL: none. */
const struct cli_verb *cli_find_verb(char **words, int n);
/* Do verbs begin with this word and go on with another? */
bool cli_is_group(const char *word);
/* There is no such verb: tells what is near; CLI_USAGE. */
int cli_unknown_verb(struct cli *cli, char **words, int n);

/* ---- args.c: the options of cli->verb ---- */
#define ARGS_MAX 256
struct cli_args {
	struct {
		const struct cli_option *option;
		const char *value; /* "" for a switch */
	} v[ARGS_MAX];
	unsigned n;
	const char *rest[ARGS_MAX]; /* what is no option */
	unsigned rest_n;
};
/* CLI_DONE, or CLI_USAGE after telling. At most rest_max words may be no options. */
int cli_args_parse(struct cli *cli, int argc, char **argv, unsigned rest_max, struct cli_args *ret);
/* Is name nearer to the word than *best, and near enough to be meant? Then *best is its
 * distance. */
bool cli_is_near(struct span word, const char *name, unsigned *best);
/* There is no such option; nearest may be NULL. Returns CLI_USAGE. */
int cli_unknown_option(struct cli *cli, struct span name, const char *nearest);
/* The last value given; NULL: none. */
const char *cli_arg(const struct cli_args *args, const char *option);
/* A host name, as options may name one: letters of ASCII, digits, ".", "-", "_". */
bool cli_is_name(const char *text);

/* ---- print.c ---- */
const char *cli_say(const struct cli *cli, const char *en, const char *de);
/* A fault, from JSON as reports have it, to f. */
void cli_fault_json(struct cli *cli, FILE *f, json_t *fault);
void cli_fault_to(struct cli *cli, FILE *f, const struct fault *fault);
/* To cli->err, without the "file:line: " that it may begin with: there was no file. */
void cli_fault_placeless(struct cli *cli, const struct fault *f);
/* Terminal escapes, or "" without color. */
const char *cli_bold(const struct cli *cli);
const char *cli_red(const struct cli *cli);
const char *cli_plain(const struct cli *cli);

/* ---- file.c ---- */
/* Appends what the file holds ("-": standard input). 0, or a negative errno; -EFBIG: more than
 * out's cap. */
int cli_file_read(const char *path, struct buf *out);

/* ---- tls_log.c ---- */
/* --since: a date, or a time up to now ("30d"); NULL: 0. false: neither. */
bool cli_since(const char *text, int64_t *ret_wall_s);

/* ---- ask.c: a running server ---- */
/* Its answer to a request, json_decref() it; *ret_status is HTTP's. NULL: none is running or it
 * does not answer; *ret_error is the reason then. body may be NULL. */
json_t *cli_ask(const struct settings *s, const char *method, const char *path, json_t *body, unsigned *ret_status,
	int *ret_error);
/* Why no server answers: none runs, or this user may not ask it. */
void cli_no_server(const struct settings *s, int error, struct fault *ret);
/* Tells it; returns CLI_UNREACHABLE. */
int cli_unreachable(struct cli *cli, const struct settings *s, int error);
/* Prints the document as it is, with a newline; decrefs it. */
void cli_print_json(struct cli *cli, json_t *json);

/* ---- findings.c: how check, doctor and their kind tell what they found ---- */

/* Prints all (or says that there are none), frees; the exit status. */
int cli_findings_end(struct cli *cli, struct findings *f, const char *schema);
/* The same with a document that has more to say; it is taken. */
int cli_findings_end_with(struct cli *cli, struct findings *f, json_t *document);
/* A whole verb without arguments of its own: look() adds what it finds, unless the settings cannot
 * be read. */
int cli_findings_run(struct cli *cli, int argc, char **argv, const char *schema,
	void (*look)(struct cli *cli, struct findings *f, const struct settings *s));
