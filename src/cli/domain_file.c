/* torhaus domain apply, import, undo: the verbs that change many domains at once. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

/* ---- apply, import ---- */

struct file_args {
	const char *path; /* "-": standard input */
	bool dry_run;
	bool remove; /* that many domains go is meant */
};

static int parse_file_args(struct cli *cli, int argc, char **argv, struct file_args *ret)
{
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n == 0)
		return cli_usage(cli, "the file is missing (- reads standard input)",
			"die Datei fehlt (- liest die Standardeingabe)");
	*ret = (struct file_args){ .path = args.rest[0],
		.dry_run = cli_arg(&args, "--dry-run") != NULL,
		.remove = cli_arg(&args, "--remove") != NULL };
	return CLI_DONE;
}

static int read_file(struct work *w, const char *path, struct buf *out)
{
	int r = cli_file_read(path, out);

	if (r == 0)
		return CLI_DONE;
	fault_set(&w->fault, FAULT_DOMAIN_FILE_UNREADABLE);
	fault_fact(&w->fault, "file", "%s", path);
	fault_fact(&w->fault, "error", "%s", strerror(-r));
	cli_fault(w->cli, &w->fault);
	return CLI_SETTINGS;
}

/* What has been done, and for people how much. */
static void finish(struct work *w, const char *schema, const struct domain_change *changes, unsigned n, bool dry_run)
{
	unsigned count[3] = { 0 };

	work_print_changes(w, schema, changes, n, dry_run);
	if (w->cli->json)
		return;
	for (unsigned i = 0; i < n; i++)
		count[changes[i].kind]++;
	buf_addf(&w->out, work_say(w, "%u added, %u changed, %u removed%s\n", "%u neu, %u geändert, %u entfernt%s\n"),
		count[DOMAIN_ADDED], count[DOMAIN_CHANGED], count[DOMAIN_REMOVED],
		dry_run ? work_say(w, " (dry run: nothing was written)", " (Probelauf: es wurde nichts geschrieben)")
			: "");
}

static int apply_file(struct work *w, const struct file_args *args, struct span text)
{
	struct domain_change *changes = NULL;
	struct conf_errors errors;
	struct domain_file file;
	int n;

	if (domain_parse(text, args->path, &w->arena, &file, &errors) < 0)
		return work_refuse_errors(w, &errors, CLI_SETTINGS);
	n = domain_apply(w->store, &file, args->dry_run, args->remove, work_changed_by(w), &w->arena, &changes,
		&w->fault);
	if (n == -EPERM && w->fault.code == FAULT_DOMAIN_APPLY_REMOVES) {
		fault_fact(&w->fault, "file", "%s", args->path);
		work_refuse(w);
		return CLI_FOUND;
	}
	if (n < 0)
		return work_refuse(w);
	finish(w, "torhaus.domain-apply/1", changes, (unsigned)n, args->dry_run);
	return CLI_DONE;
}

static int import_file(struct work *w, const struct file_args *args, struct span text)
{
	struct domain_change *changes = NULL;
	struct conf_errors errors;
	int n = domain_import(w->store, text, args->path, args->dry_run, work_changed_by(w), &w->arena, &changes,
		&errors, &w->fault);

	if (errors.n > 0)
		return work_refuse_errors(w, &errors, CLI_SETTINGS);
	if (n < 0)
		return work_refuse(w);
	finish(w, "torhaus.domain-import/1", changes, (unsigned)n, args->dry_run);
	return CLI_DONE;
}

static int run_file(struct cli *cli, int argc, char **argv,
	int (*run)(struct work *, const struct file_args *, struct span))
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CONF_BYTES_MAX);
	struct file_args args;
	struct work w;
	int status = parse_file_args(cli, argc, argv, &args);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	if (status == CLI_DONE)
		status = read_file(&w, args.path, &text);
	return work_end(&w, status == CLI_DONE ? run(&w, &args, buf_span(&text)) : status);
}

int cli_domain_apply(struct cli *cli, int argc, char **argv)
{
	return run_file(cli, argc, argv, apply_file);
}

int cli_domain_import(struct cli *cli, int argc, char **argv)
{
	return run_file(cli, argc, argv, import_file);
}

/* ---- undo ---- */

static int undo(struct work *w, bool dry_run)
{
	struct domain_change *changes = NULL;
	int n = domain_undo(w->store, dry_run, work_changed_by(w), &w->arena, &changes, &w->fault);

	if (n < 0 && w->fault.code == FAULT_DOMAIN_NOTHING_TO_UNDO) {
		work_refuse(w);
		return CLI_FOUND;
	}
	if (n < 0)
		return work_refuse(w);
	finish(w, "torhaus.domain-undo/1", changes, (unsigned)n, dry_run);
	return CLI_DONE;
}

int cli_domain_undo(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct work w;
	int status;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? undo(&w, cli_arg(&args, "--dry-run") != NULL) : status);
}
