/*
 * torhaus domain: the customers' domains in the store.
 *
 * Works with or without a running server, which takes changes up within a second by itself. Every
 * change is one transaction: read, judged, written, or not at all.
 *
 * add and set put the given options into the domain's text form, key by key, and have it
 * judged like any file: there is one parser and one set of messages.
 *
 * Status: an unknown, existing or conflicting domain is a negative finding; an option's value that
 * does not fit is wrong usage; a file with faults counts as invalid settings; a store that cannot
 * be used counts as unreachable; rows that had to be left out make the work done in part.
 */
#include "cli/domain.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/domain_print.h"
#include "domain/domain.h"
#include "store/store.h"

#define KEYS_MAX   CONF_KEYS_MAX
#define VALUES_MAX DOMAIN_WEB_MAX
#define OUT_MAX    (256u << 20)

/* What every verb works with. */
struct work {
	struct cli *cli;
	struct settings *settings;
	struct store *store;
	struct arena arena;
	struct buf out;
	struct fault fault;
};

/* ---- beginning and end ---- */

static const char *say(const struct cli *cli, const char *en, const char *de)
{
	return cli->lang == FAULT_DE ? de : en;
}

static enum cli_status status_of(const struct fault *f)
{
	return f->code == FAULT_STORE_NAME_TAKEN ? CLI_FOUND : CLI_UNREACHABLE;
}

static int work_begin(struct work *w, struct cli *cli)
{
	*w = (struct work){ .cli = cli, .out = BUF_INIT(OUT_MAX) };
	arena_init(&w->arena, 65536);
	w->settings = cli_settings(cli);
	if (!w->settings)
		return CLI_SETTINGS;
	if (store_open(w->settings->store.p, false, &w->store, &w->fault) < 0) {
		cli_fault(cli, &w->fault);
		return status_of(&w->fault);
	}
	return CLI_DONE;
}

/* Prints what has been gathered; returns status. */
static int work_end(struct work *w, int status)
{
	if (w->out.n > 0)
		fwrite(w->out.p, 1, w->out.n, w->cli->out);
	buf_done(&w->out);
	store_close(w->store);
	settings_unref(w->settings);
	arena_done(&w->arena);
	return status;
}

/* A failure of the store. */
static int refuse(struct work *w)
{
	store_rollback(w->store);
	cli_fault(w->cli, &w->fault);
	return status_of(&w->fault);
}

static int refuse_errors(struct work *w, const struct conf_errors *errors, enum cli_status status)
{
	for (unsigned i = 0; i < errors->n; i++)
		cli_fault(w->cli, &errors->v[i]);
	return status;
}

/* Who makes the change: the person behind sudo, else the user. */
static const char *changed_by(struct work *w)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *user = sudo && *sudo ? NULL : getpwuid(getuid());

	if (sudo && *sudo)
		return arena_text(&w->arena, span_sub(span_of(sudo), 0, 64));
	return user ? arena_text(&w->arena, span_of(user->pw_name)) : arena_spanf(&w->arena, "uid %u", getuid()).p;
}

/* ---- rows ---- */

struct reading {
	struct work *w;
	struct domain_row *rows;
	unsigned n, room, bad;
	struct conf_errors errors; /* of the last bad row */
};

static void tell_bad_row(struct work *w, struct span name, const struct fault *error)
{
	_cleanup_(buf_done) struct buf en = BUF_INIT(FAULT_TEXT_MAX), de = BUF_INIT(FAULT_TEXT_MAX);
	struct fault f;

	fault_cause(error, FAULT_EN, &en);
	fault_cause(error, FAULT_DE, &de);
	fault_set(&f, FAULT_STORE_BAD_ROW);
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(name));
	fault_fact(&f, "why", "%s", buf_text(&en));
	fault_fact(&f, "why_de", "%s", buf_text(&de));
	cli_fault(w->cli, &f);
}

static int read_row(void *arg, const struct store_domain *row)
{
	struct reading *rd = arg;
	struct arena *a = &rd->w->arena;
	struct domain_row *to;

	if (rd->n == rd->room) {
		rd->room = rd->room ? rd->room * 2 : 16;
		rd->rows = mem_resize(rd->rows, rd->room, sizeof(*rd->rows));
	}
	to = &rd->rows[rd->n];
	to->changed_at = row->changed_at;
	to->changed_by = arena_span(a, span_of(row->changed_by));
	if (domain_parse_body(arena_span(a, row->name), row->text, a, &to->d, &rd->errors) == 0) {
		rd->n++;
		return 0;
	}
	rd->bad++;
	tell_bad_row(rd->w, row->name, &rd->errors.v[0]);
	return 0;
}

/* The name that a user meant, in the form of the store. */
static bool find_name(struct work *w, const char *text, struct span *ret)
{
	if (domain_name_normalise(span_of(text), false, &w->arena, ret) == 0)
		return true;
	fault_set(&w->fault, FAULT_DOMAIN_BAD_NAME);
	fault_fact(&w->fault, "domain", "%s", text);
	cli_fault(w->cli, &w->fault);
	return false;
}

struct nearest {
	struct span name;
	char best[256];
	unsigned distance;
};

static int compare_name(void *arg, const struct store_domain *row)
{
	struct nearest *nearest = arg;
	unsigned distance = fmt_distance(nearest->name, row->name);

	if (distance < nearest->distance) {
		nearest->distance = distance;
		snprintf(nearest->best, sizeof(nearest->best), "%.*s", SPAN_ARG(row->name));
	}
	return 0;
}

static int refuse_unknown(struct work *w, struct span name)
{
	struct nearest nearest = { .name = name, .distance = (unsigned)name.n / 3 + 2 };
	struct fault f;

	store_domain_each(w->store, compare_name, &nearest, &w->fault);
	store_rollback(w->store);
	fault_set(&f, FAULT_DOMAIN_UNKNOWN);
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(name));
	if (nearest.best[0]) {
		fault_fact(&f, "hint", "Did you mean %s?", nearest.best);
		fault_fact(&f, "hint_de", "Ist %s gemeint?", nearest.best);
	} else {
		fault_fact(&f, "hint", "`torhaus domain list` shows all domains.");
		fault_fact(&f, "hint_de", "`torhaus domain list` zeigt alle Domains.");
	}
	cli_fault(w->cli, &f);
	return CLI_FOUND;
}

/* One domain into rd; a status if there is none that can be used. */
static int read_one(struct work *w, struct span name, struct reading *rd)
{
	int r = store_domain_get(w->store, name, read_row, rd, &w->fault);

	if (r == -ENOENT && w->fault.code == FAULT_NONE)
		return refuse_unknown(w, name);
	if (r < 0)
		return refuse(w);
	return rd->bad ? CLI_FOUND : CLI_DONE;
}

/* ---- options made from the table of keys ---- */

struct edit {
	const char *name;
	struct {
		const char *v[VALUES_MAX];
		unsigned n;
	} given[KEYS_MAX];
};

/* "--redirect-to-tls" of "redirect_to_tls" */
static void option_name(const struct conf_key *key, char ret[64])
{
	snprintf(ret, 64, "--%s", key->name);
	for (char *p = ret; *p; p++)
		if (*p == '_')
			*p = '-';
}

/* The index of the key whose option text is, up to a "="; -1 if there is none. */
static int find_option(struct span text, const char **ret_nearest)
{
	static char nearest[64];
	unsigned best = 4;
	char option[64];

	*ret_nearest = NULL;
	for (int i = 0; domain_keys[i].name; i++) {
		unsigned distance;

		option_name(&domain_keys[i], option);
		if (span_eq(text, span_of(option)))
			return i;
		distance = fmt_distance(text, span_of(option));
		if (distance < best) {
			best = distance;
			snprintf(nearest, sizeof(nearest), "%s", option);
			*ret_nearest = nearest;
		}
	}
	return -1;
}

/* One option with its value, which stands behind a "=" or is the next argument. The arguments taken, or
 * 0 after telling what is wrong. */
static int take_option(struct cli *cli, struct edit *e, int argc, char **argv)
{
	struct span rest = span_of(argv[0]), option;
	const char *nearest, *value;
	int i;

	span_cut(&rest, '=', &option);
	i = find_option(option, &nearest);
	if (i < 0) {
		cli_usage(cli, nearest ? "there is no option %.*s; did you mean %s?" : "there is no option %.*s",
			SPAN_ARG(option), nearest);
		return 0;
	}
	value = rest.p ? rest.p : argc > 1 ? argv[1] : NULL;
	if (!value) {
		cli_usage(cli, "%.*s needs a value", SPAN_ARG(option));
		return 0;
	}
	if (e->given[i].n == (domain_keys[i].type == CONF_LIST ? VALUES_MAX : 1)) {
		cli_usage(cli, "%.*s stands too often", SPAN_ARG(option));
		return 0;
	}
	e->given[i].v[e->given[i].n++] = value;
	return rest.p ? 1 : 2;
}

static int parse_edit(struct cli *cli, int argc, char **argv, struct edit *e)
{
	for (int i = 0, taken; i < argc; i += taken) {
		taken = 1;
		if (span_starts(span_of(argv[i]), SPAN("--"))) {
			taken = take_option(cli, e, argc - i, argv + i);
			if (taken == 0)
				return CLI_USAGE;
		} else if (e->name) {
			return cli_usage(cli, "one domain at a time: %s, %s", e->name, argv[i]);
		} else {
			e->name = argv[i];
		}
	}
	return e->name ? CLI_DONE : cli_usage(cli, "the name of the domain is missing");
}

/* The body: what was given, and for the other keys what d (may be NULL) has. One empty value empties a list. */
static void compose(const struct edit *e, const struct domain *d, struct buf *out)
{
	for (unsigned i = 0; domain_keys[i].name; i++) {
		bool list = domain_keys[i].type == CONF_LIST;
		unsigned n = e->given[i].n;

		if (n == 0) {
			if (d)
				domain_export_key(d, &domain_keys[i], out);
			continue;
		}
		if (list && n == 1 && !*e->given[i].v[0])
			n = 0;
		buf_addf(out, "%s = %s", domain_keys[i].name, list ? "{" : "");
		for (unsigned k = 0; k < n; k++) {
			buf_add_text(out, k > 0 ? ", " : "");
			conf_quote(out, span_of(e->given[i].v[k]));
		}
		buf_add_text(out, list ? "}\n" : "\n");
	}
}

/* Judges, writes and commits the domain; begun already. */
static int write_edit(struct work *w, const struct edit *e, struct span name, const struct domain *before,
	struct domain *ret)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(CONF_BYTES_MAX);
	struct conf_errors errors;

	compose(e, before, &body);
	if (domain_parse_body(name, buf_span(&body), &w->arena, ret, &errors) < 0) {
		store_rollback(w->store);
		return refuse_errors(w, &errors, CLI_USAGE);
	}
	if (domain_put(w->store, ret, changed_by(w), &w->fault) < 0 || store_commit(w->store, &w->fault) < 0)
		return refuse(w);
	return CLI_DONE;
}

/* What has been done, as a change of one domain. */
static void print_change(struct work *w, const char *schema, const struct domain_change *c)
{
	struct jsonw j;

	if (!w->cli->json) {
		domain_print_changes(&w->out, c, 1);
		return;
	}
	jsonw_init(&j, &w->out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", schema);
	domain_print_changes_json(&j, "changes", c, 1);
	jsonw_end(&j);
	buf_add_char(&w->out, '\n');
}

static struct span body_of(struct work *w, const struct domain *d)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);

	domain_export_body(d, &body);
	return arena_span(&w->arena, buf_span(&body));
}

/* ---- add, set, remove ---- */

/* The index of "web" in domain_keys. */
static unsigned web_key(void)
{
	unsigned i = 0;

	while (strcmp(domain_keys[i].name, "web") != 0)
		i++;
	return i;
}

/* Without --web a domain is visited under its name and, if that is an ordinary one, under www.NAME. */
static void give_web(struct work *w, struct edit *e, struct span name)
{
	unsigned web = web_key();
	uint64_t number;
	bool is_address = span_to_u64(span_from(name, name.n - 1), &number) == 0;

	if (e->given[web].n > 0)
		return;
	e->given[web].v[e->given[web].n++] = arena_text(&w->arena, name);
	if (!span_starts(name, SPAN("www.")) && span_index(name, '.') > 0 && !is_address && name.n + 4 <= 253)
		e->given[web].v[e->given[web].n++] = arena_spanf(&w->arena, "www.%.*s", SPAN_ARG(name)).p;
	if (!w->cli->json)
		fprintf(w->cli->err, "%s%s%s (%s)\n", say(w->cli, "web names: ", "Webnamen: "), e->given[web].v[0],
			e->given[web].n > 1 ? arena_spanf(&w->arena, ", %s", e->given[web].v[1]).p : "",
			say(w->cli, "--web NAME chooses others", "--web NAME wählt andere"));
}

static int is_row_of(void *arg, const struct store_domain *row)
{
	return span_eq(row->name, *(const struct span *)arg);
}

static int add_domain(struct work *w, struct edit *e)
{
	struct domain_change c = { .kind = DOMAIN_ADDED };
	struct domain d;
	int r;

	if (!find_name(w, e->name, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return refuse(w);
	r = store_domain_get(w->store, c.name, is_row_of, &c.name, &w->fault);
	if (r > 0) {
		fault_set(&w->fault, FAULT_DOMAIN_EXISTS);
		fault_fact(&w->fault, "domain", "%.*s", SPAN_ARG(c.name));
		refuse(w);
		return CLI_FOUND;
	}
	if (r < 0 && w->fault.code != FAULT_NONE)
		return refuse(w);
	give_web(w, e, c.name);
	r = write_edit(w, e, c.name, NULL, &d);
	if (r != CLI_DONE)
		return r;
	c.after = body_of(w, &d);
	print_change(w, "torhaus.domain-add/1", &c);
	return CLI_DONE;
}

static int set_domain(struct work *w, struct edit *e)
{
	struct domain_change c = { .kind = DOMAIN_CHANGED };
	struct reading rd = { .w = w };
	struct domain d;
	int r;

	if (!find_name(w, e->name, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return refuse(w);
	r = read_one(w, c.name, &rd);
	if (r == CLI_DONE)
		r = write_edit(w, e, c.name, &rd.rows[0].d, &d);
	if (r == CLI_DONE) {
		c.before = body_of(w, &rd.rows[0].d);
		c.after = body_of(w, &d);
		print_change(w, "torhaus.domain-set/1", &c);
	}
	mem_free(rd.rows);
	return r;
}

static int run_edit(struct cli *cli, int argc, char **argv, int (*run)(struct work *, struct edit *))
{
	_cleanup_(mem_freep) struct edit *e = mem_new(struct edit);
	struct work w;
	int status = parse_edit(cli, argc, argv, e);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? run(&w, e) : status);
}

static int run_add(struct cli *cli, int argc, char **argv)
{
	return run_edit(cli, argc, argv, add_domain);
}

static int run_set(struct cli *cli, int argc, char **argv)
{
	return run_edit(cli, argc, argv, set_domain);
}

static int keep_body(void *arg, const struct store_domain *row)
{
	struct buf *body = arg;

	buf_add_span(body, row->text);
	return 0;
}

static int remove_domain(struct work *w, const char *text)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);
	struct domain_change c = { .kind = DOMAIN_REMOVED };
	int r;

	if (!find_name(w, text, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return refuse(w);
	r = store_domain_get(w->store, c.name, keep_body, &body, &w->fault);
	if (r == -ENOENT && w->fault.code == FAULT_NONE)
		return refuse_unknown(w, c.name);
	if (r == 0)
		r = store_domain_remove(w->store, c.name, &w->fault);
	if (r == 0)
		r = store_commit(w->store, &w->fault);
	if (r < 0)
		return refuse(w);
	c.before = arena_span(&w->arena, buf_span(&body));
	print_change(w, "torhaus.domain-remove/1", &c);
	return CLI_DONE;
}

/* ---- show, list, export ---- */

static void print_row(struct work *w, const struct domain_row *row)
{
	char at[CLOCK_RFC3339_SIZE];
	struct jsonw j;

	if (w->cli->json) {
		jsonw_init(&j, &w->out);
		jsonw_object(&j, NULL);
		jsonw_text(&j, "schema", "torhaus.domain-show/1");
		domain_print_json(&j, "domain", row);
		jsonw_end(&j);
		buf_add_char(&w->out, '\n');
		return;
	}
	clock_rfc3339(row->changed_at, at);
	domain_export(&row->d, &w->out);
	buf_addf(&w->out, "# %s %s, %.*s\n", say(w->cli, "changed", "geändert"), at, SPAN_ARG(row->changed_by));
}

static int show_domain(struct work *w, const char *text)
{
	struct reading rd = { .w = w };
	struct span name;
	int status;

	if (!find_name(w, text, &name))
		return CLI_USAGE;
	status = read_one(w, name, &rd);
	if (status == CLI_DONE)
		print_row(w, &rd.rows[0]);
	else if (rd.bad)
		store_domain_get(w->store, name, keep_body, &w->out, &w->fault);
	mem_free(rd.rows);
	return status;
}

static void print_rows_json(struct work *w, const struct reading *rd)
{
	struct jsonw j;

	jsonw_init(&j, &w->out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.domain-list/1");
	jsonw_array(&j, "domains");
	for (unsigned i = 0; i < rd->n; i++)
		domain_print_json(&j, NULL, &rd->rows[i]);
	jsonw_end(&j);
	jsonw_uint(&j, "left_out", rd->bad);
	jsonw_end(&j);
	buf_add_char(&w->out, '\n');
}

static int list_domains(struct work *w)
{
	struct reading rd = { .w = w };

	if (store_domain_each(w->store, read_row, &rd, &w->fault) < 0) {
		mem_free(rd.rows);
		return refuse(w);
	}
	if (w->cli->json)
		print_rows_json(w, &rd);
	else
		domain_print_table(&w->out, rd.rows, rd.n);
	mem_free(rd.rows);
	return rd.bad ? CLI_PARTLY : CLI_DONE;
}

static int export_domains(struct work *w, const char *text)
{
	struct reading rd = { .w = w };
	struct span name;
	int status = CLI_DONE;

	if (text && !find_name(w, text, &name))
		return CLI_USAGE;
	if (text)
		status = read_one(w, name, &rd);
	else if (store_domain_each(w->store, read_row, &rd, &w->fault) < 0)
		status = refuse(w);
	else if (rd.bad)
		status = CLI_PARTLY;
	for (unsigned i = 0; i < rd.n && (status == CLI_DONE || status == CLI_PARTLY); i++)
		domain_export(&rd.rows[i].d, &w->out);
	mem_free(rd.rows);
	return status;
}

/* ---- verbs that take a name at most ---- */

static int run_remove(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc != 1)
		return cli_usage(cli, "the name of one domain is wanted");
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? remove_domain(&w, argv[0]) : status);
}

static int run_show(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc != 1)
		return cli_usage(cli, "the name of one domain is wanted");
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? show_domain(&w, argv[0]) : status);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc > 0)
		return cli_usage(cli, "nothing may follow, but there is %s", argv[0]);
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? list_domains(&w) : status);
}

static int run_export(struct cli *cli, int argc, char **argv)
{
	struct work w;
	int status;

	if (argc > 1)
		return cli_usage(cli, "one domain at most: %s, %s", argv[0], argv[1]);
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? export_domains(&w, argc ? argv[0] : NULL) : status);
}

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
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	ssize_t n = 1;

	while (!error && n > 0) {
		char *room = buf_room(out, 65536);

		n = room ? read(fd, room, 65536) : -1;
		if (n < 0)
			error = room ? errno : EFBIG;
		else
			buf_grew(out, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	if (!error)
		return CLI_DONE;
	fault_set(&w->fault, FAULT_DOMAIN_FILE_UNREADABLE);
	fault_fact(&w->fault, "file", "%s", path);
	fault_fact(&w->fault, "error", "%s", strerror(error));
	cli_fault(w->cli, &w->fault);
	return CLI_SETTINGS;
}

static void print_summary(struct work *w, const struct domain_change *changes, unsigned n, bool dry_run)
{
	unsigned count[3] = { 0 };

	for (unsigned i = 0; i < n; i++)
		count[changes[i].kind]++;
	buf_addf(&w->out, say(w->cli, "%u added, %u changed, %u removed%s\n", "%u neu, %u geändert, %u entfernt%s\n"),
		count[DOMAIN_ADDED], count[DOMAIN_CHANGED], count[DOMAIN_REMOVED],
		dry_run ? say(w->cli, " (dry run: nothing was written)", " (Probelauf: es wurde nichts geschrieben)")
			: "");
}

static void print_changes(struct work *w, const char *schema, const struct domain_change *changes, unsigned n,
	bool dry_run)
{
	struct jsonw j;

	if (!w->cli->json) {
		domain_print_changes(&w->out, changes, n);
		print_summary(w, changes, n, dry_run);
		return;
	}
	jsonw_init(&j, &w->out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", schema);
	jsonw_bool(&j, "dry_run", dry_run);
	domain_print_changes_json(&j, "changes", changes, n);
	jsonw_end(&j);
	buf_add_char(&w->out, '\n');
}

static int apply_file(struct work *w, const struct file_args *args, struct span text)
{
	struct domain_change *changes = NULL;
	struct conf_errors errors;
	struct domain_file file;
	int n;

	if (domain_parse(text, args->path, &w->arena, &file, &errors) < 0)
		return refuse_errors(w, &errors, CLI_SETTINGS);
	n = domain_apply(w->store, &file, args->dry_run, changed_by(w), &w->arena, &changes, &w->fault);
	if (n < 0)
		return refuse(w);
	print_changes(w, "torhaus.domain-apply/1", changes, (unsigned)n, args->dry_run);
	return CLI_DONE;
}

static int import_file(struct work *w, const struct file_args *args, struct span text)
{
	struct domain_change *changes = NULL;
	struct conf_errors errors;
	int n = domain_import(w->store, text, args->path, args->dry_run, changed_by(w), &w->arena, &changes, &errors,
		&w->fault);

	if (errors.n > 0)
		return refuse_errors(w, &errors, CLI_SETTINGS);
	if (n < 0)
		return refuse(w);
	print_changes(w, "torhaus.domain-import/1", changes, (unsigned)n, args->dry_run);
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

static int run_apply(struct cli *cli, int argc, char **argv)
{
	return run_file(cli, argc, argv, apply_file);
}

static int run_import(struct cli *cli, int argc, char **argv)
{
	return run_file(cli, argc, argv, import_file);
}

/* ---- the table ---- */

static struct cli_option key_options[KEYS_MAX + 1];
static const struct cli_option file_options[] = {
	{ "--dry-run", NULL, false, "show what would change, and change nothing" },
	{ NULL },
};
static const struct cli_verb verbs[] = {
	{ "domain add", "NAME --origin URL… [--web NAME]… [OPTION]…",
		"Add a domain; it is visited as NAME and www.NAME unless --web says otherwise.", key_options, run_add },
	{ "domain set", "NAME [OPTION]…", "Change settings of a domain; a repeated option replaces the whole list.",
		key_options, run_set },
	{ "domain show", "NAME", "Show a domain's settings as text.", NULL, run_show },
	{ "domain list", "", "List all domains.", NULL, run_list },
	{ "domain remove", "NAME", "Remove a domain.", NULL, run_remove },
	{ "domain export", "[NAME]", "Print all domains, or one, as text for `torhaus domain apply`.", NULL,
		run_export },
	{ "domain apply", "FILE [--dry-run]", "Make the store equal to a file of domains; - reads standard input.",
		file_options, run_apply },
	{ "domain import", "FILE [--dry-run]", "Take domains from a flat list of lines \"name address\".", file_options,
		run_import },
	{ NULL },
};

static const char *value_name(const struct conf_key *key)
{
	switch (key->type) {
	case CONF_LIST:
		return strcmp(key->name, "web") == 0 ? "NAME" : "URL";
	case CONF_BOOL:
		return "yes|no";
	case CONF_DURATION:
		return "DURATION";
	case CONF_SIZE:
		return "SIZE";
	case CONF_ENUM:
	case CONF_TEXT:
	case CONF_UINT:
	case CONF_SECTION:
	case CONF_TITLED:
		return "VALUE";
	}
	return "VALUE";
}

const struct cli_verb *cli_domain_verbs(void)
{
	static char names[KEYS_MAX][64];

	for (unsigned i = 0; domain_keys[i].name; i++) {
		const struct conf_key *key = &domain_keys[i];

		option_name(key, names[i]);
		key_options[i] = (struct cli_option){ names[i], value_name(key), key->type == CONF_LIST, key->help_en };
	}
	return verbs;
}
