/* torhaus domain apply, import: the verbs that read a file. */
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

/* ---- apply, import ---- */

struct file_args {
	const char *path; /* "-": standard input */
	bool dry_run;
};

static int parse_file_args(struct cli *cli, int argc, char **argv, struct file_args *ret)
{
	*ret = (struct file_args){ 0 };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			ret->dry_run = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return cli_usage(cli, "there is no option %s; did you mean --dry-run?", argv[i]);
		else if (ret->path)
			return cli_usage(cli, "one file at a time: %s, %s", ret->path, argv[i]);
		else
			ret->path = argv[i];
	}
	return ret->path ? CLI_DONE : cli_usage(cli, "the file is missing (- reads standard input)");
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
	n = domain_apply(w->store, &file, args->dry_run, work_changed_by(w), &w->arena, &changes, &w->fault);
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
