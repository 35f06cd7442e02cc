/* The common part of `torhaus domain`: store, rows, names, what is told. */
#include "cli/domain_work.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fmt.h"
#include "base/mem.h"

#define OUT_MAX (256u << 20)

/* ---- beginning and end ---- */

const char *work_say(const struct work *w, const char *en, const char *de)
{
	return w->cli->lang == FAULT_DE ? de : en;
}

static enum cli_status status_of(const struct fault *f)
{
	return f->code == FAULT_STORE_NAME_TAKEN ? CLI_FOUND : CLI_UNREACHABLE;
}

int work_begin(struct work *w, struct cli *cli)
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
int work_end(struct work *w, int status)
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
int work_refuse(struct work *w)
{
	store_rollback(w->store);
	cli_fault(w->cli, &w->fault);
	return status_of(&w->fault);
}

int work_refuse_errors(struct work *w, const struct conf_errors *errors, enum cli_status status)
{
	for (unsigned i = 0; i < errors->n; i++)
		cli_fault(w->cli, &errors->v[i]);
	return status;
}

/* Who makes the change: the person behind sudo, else the user. */
const char *work_changed_by(struct work *w)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *user = sudo && *sudo ? NULL : getpwuid(getuid());

	if (sudo && *sudo)
		return arena_text(&w->arena, span_sub(span_of(sudo), 0, 64));
	return user ? arena_text(&w->arena, span_of(user->pw_name)) : arena_spanf(&w->arena, "uid %u", getuid()).p;
}

/* ---- rows ---- */

static int read_row(void *arg, const struct store_domain *row)
{
	struct reading *rd = arg;
	struct arena *a = &rd->w->arena;
	struct conf_errors errors;
	struct domain_row *to;
	struct fault f;

	if (rd->n == rd->room) {
		rd->room = rd->room ? rd->room * 2 : 16;
		rd->rows = mem_resize(rd->rows, rd->room, sizeof(*rd->rows));
	}
	to = &rd->rows[rd->n];
	to->changed_at = row->changed_at;
	to->changed_by = arena_span(a, span_of(row->changed_by));
	if (domain_parse_body(arena_span(a, row->name), row->text, a, &to->d, &errors) == 0) {
		rd->n++;
		return 0;
	}
	rd->bad++;
	domain_bad_row(&f, row->name, &errors.v[0]);
	cli_fault(rd->w->cli, &f);
	return 0;
}

/* The name that a user meant, in the form of the store. */
bool work_find_name(struct work *w, const char *text, struct span *ret)
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

int work_refuse_unknown(struct work *w, struct span name)
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

static int is_row_of(void *arg, const struct store_domain *row)
{
	return span_eq(row->name, *(const struct span *)arg);
}

int work_has(struct work *w, struct span name)
{
	int r = store_domain_get(w->store, name, is_row_of, &name, &w->fault);

	return r == -ENOENT && w->fault.code == FAULT_NONE ? 0 : r;
}

int work_read_one(struct reading *rd, struct span name)
{
	int r = store_domain_get(rd->w->store, name, read_row, rd, &rd->w->fault);

	if (r == -ENOENT && rd->w->fault.code == FAULT_NONE)
		return work_refuse_unknown(rd->w, name);
	if (r < 0)
		return work_refuse(rd->w);
	return rd->bad ? CLI_FOUND : CLI_DONE;
}

int work_read_all(struct reading *rd)
{
	if (store_domain_each(rd->w->store, read_row, rd, &rd->w->fault) < 0)
		return work_refuse(rd->w);
	return rd->bad ? CLI_PARTLY : CLI_DONE;
}

/* ---- changes ---- */

void work_print_changes(struct work *w, const char *schema, const struct domain_change *changes, unsigned n,
	bool dry_run)
{
	struct jsonw j;

	if (!w->cli->json) {
		domain_print_changes(&w->out, changes, n);
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
