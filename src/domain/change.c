/*
 * Changes to the store: one domain, or the difference between the store and a file.
 *
 * The difference is a merge of two lists in order of their names. Bodies are compared as texts:
 * what is written is always the canonical export. All that leaves goes before anything comes, so
 * that a web name can move from one domain to another within one transaction.
 */
#include <errno.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

/* Who removes more than one in so many has to say that he means it. */
#define REMOVED_SHARE 10

int domain_put(struct store *s, const struct domain *d, const char *by, struct fault *fault)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);

	domain_export_body(d, &body);
	/* The judgements of the keys bound every value, and so the text. */
	must(buf_error(&body) == 0);
	return store_domain_put(s,
		&(struct store_domain){ .name = d->name,
			.text = buf_span(&body),
			.web = d->web,
			.web_n = d->web_n,
			.changed_at = clock_wall_s(),
			.changed_by = by },
		fault);
}

/* The pages of a domain that is gone must not come back with its name, which may be another
 * customer's then, on any node: so the purge is a row, written with the removal. */
int domain_remove(struct store *s, struct span name, struct fault *fault)
{
	struct store_purge purge = { .kind = STORE_PURGE_DOMAIN, .what = name, .hard = true, .at = clock_wall_s() };
	int r = store_domain_remove(s, name, fault);
	uint64_t seq;

	return r < 0 ? r : store_purge_add(s, &purge, &seq, fault);
}

/* ---- plans ---- */

/* Room for one more in an arena; full whenever n == *room. */
static void *grow(struct arena *a, void *v, unsigned n, unsigned *room, size_t size)
{
	void *grown;

	if (n < *room)
		return v;
	*room = *room ? *room * 2 : 16;
	grown = arena_alloc(a, *room * size);
	if (n > 0)
		memcpy(grown, v, n * size);
	return grown;
}

void change_add(struct change_plan *plan, struct arena *a, struct span name, struct span before,
	const struct domain *after)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);
	struct domain_change *c;
	unsigned room = plan->room;

	if (after)
		domain_export_body(after, &body);
	if (before.p && after && span_eq(before, buf_span(&body)))
		return;
	plan->changes = grow(a, plan->changes, plan->n, &room, sizeof(*plan->changes));
	plan->after = grow(a, plan->after, plan->n, &plan->room, sizeof(*plan->after));
	plan->after[plan->n] = after;
	c = &plan->changes[plan->n++];
	c->kind = !after ? DOMAIN_REMOVED : before.p ? DOMAIN_CHANGED : DOMAIN_ADDED;
	c->name = arena_span(a, name);
	c->before = arena_span(a, before);
	c->after = arena_span(a, buf_span(&body));
}

static int write_all(struct store *s, const struct change_plan *plan, const char *by, struct fault *fault)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->n; i++)
		if (plan->changes[i].kind == DOMAIN_REMOVED)
			r = domain_remove(s, plan->changes[i].name, fault);
		else if (plan->changes[i].kind == DOMAIN_CHANGED)
			r = store_domain_remove(s, plan->changes[i].name, fault);
	for (unsigned i = 0; r == 0 && i < plan->n; i++)
		if (plan->after[i])
			r = domain_put(s, plan->after[i], by, fault);
	return r;
}

int change_end(struct store *s, const struct change_plan *plan, int r, bool dry_run, const char *by,
	struct fault *fault)
{
	if (r == 0 && !dry_run)
		r = write_all(s, plan, by, fault);
	if (r == 0 && !dry_run)
		r = store_commit(s, fault);
	store_rollback(s);
	return r < 0 ? r : (int)plan->n;
}

static int read_row(void *arg, const struct store_domain *d)
{
	struct store_rows *rows = arg;

	rows->v = grow(rows->a, rows->v, rows->n, &rows->room, sizeof(*rows->v));
	rows->v[rows->n].name = arena_span(rows->a, d->name);
	rows->v[rows->n].body = arena_span(rows->a, d->text);
	rows->n++;
	return 0;
}

int store_rows_read(struct store *s, struct arena *a, struct store_rows *ret, struct fault *fault)
{
	*ret = (struct store_rows){ .a = a };
	return store_domain_each(s, read_row, ret, fault);
}

/* ---- apply ---- */

static int by_name(const void *a, const void *b)
{
	return span_cmp((*(const struct domain *const *)a)->name, (*(const struct domain *const *)b)->name);
}

static const struct domain **sorted(const struct domain_file *file, struct arena *a)
{
	const struct domain **v = arena_array(a, const struct domain *, file->n);

	for (unsigned i = 0; i < file->n; i++)
		v[i] = &file->v[i];
	if (file->n > 1)
		qsort(v, file->n, sizeof(*v), by_name);
	return v;
}

static void plan_difference(const struct store_rows *rows, const struct domain_file *file, struct arena *a,
	struct change_plan *plan)
{
	const struct domain **wanted = sorted(file, a);
	unsigned row = 0, want = 0;

	while (row < rows->n || want < file->n) {
		int order = row == rows->n ? 1 : want == file->n ? -1 : span_cmp(rows->v[row].name, wanted[want]->name);

		if (order < 0) {
			change_add(plan, a, rows->v[row].name, rows->v[row].body, NULL);
			row++;
		} else if (order > 0) {
			change_add(plan, a, wanted[want]->name, (struct span){ 0 }, wanted[want]);
			want++;
		} else {
			change_add(plan, a, rows->v[row].name, rows->v[row].body, wanted[want]);
			row++;
			want++;
		}
	}
}

static unsigned removals(const struct change_plan *plan)
{
	unsigned n = 0;

	for (unsigned i = 0; i < plan->n; i++)
		n += plan->changes[i].kind == DOMAIN_REMOVED;
	return n;
}

/* Would so many go that the file is hardly meant? */
static int judge_removals(const struct change_plan *plan, unsigned all, struct fault *fault)
{
	unsigned removed = removals(plan);

	if (removed == 0 || (removed < all && removed * REMOVED_SHARE <= all))
		return 0;
	fault_set(fault, FAULT_DOMAIN_APPLY_REMOVES);
	fault_fact(fault, "removed", "%u", removed);
	fault_fact(fault, "left", "%u", all - removed);
	fault_fact(fault, "all", "%u", all);
	return -EPERM;
}

int domain_apply(struct store *s, const struct domain_file *file, bool dry_run, bool may_remove, const char *by,
	struct arena *a, struct domain_change **ret, struct fault *fault)
{
	struct change_plan plan = { 0 };
	struct store_rows rows;
	int r = dry_run ? 0 : store_begin(s, fault);

	if (r == 0)
		r = store_rows_read(s, a, &rows, fault);
	if (r == 0) {
		plan_difference(&rows, file, a, &plan);
		*ret = plan.changes;
		r = dry_run || may_remove ? 0 : judge_removals(&plan, rows.n, fault);
	}
	return change_end(s, &plan, r, dry_run, by, fault);
}

/* ---- undo ---- */

struct before {
	struct arena *a;
	struct store_undo *v;
	unsigned n, room;
};

static int read_before(void *arg, const struct store_undo *u)
{
	struct before *b = arg;

	b->v = grow(b->a, b->v, b->n, &b->room, sizeof(*b->v));
	b->v[b->n++] = (struct store_undo){ arena_span(b->a, u->name), u->existed, arena_span(b->a, u->text) };
	return 0;
}

static int read_body(void *arg, const struct store_domain *d)
{
	return buf_add_span(arg, d->text), 0;
}

/* Adds the way from what the domain is now to what it was. */
static int plan_return(struct store *s, const struct store_undo *u, struct arena *a, struct change_plan *plan,
	struct fault *fault)
{
	_cleanup_(buf_done) struct buf now = BUF_INIT(STORE_TEXT_MAX);
	struct domain *was = u->existed ? arena_new(a, struct domain) : NULL;
	struct conf_errors errors;
	int r = store_domain_get(s, u->name, read_body, &now, fault);
	bool exists = r == 0;

	if (r < 0 && (r != -ENOENT || fault->code != FAULT_NONE))
		return r;
	if (was && domain_parse_body(u->name, u->text, a, was, &errors) < 0) {
		domain_bad_row(fault, u->name, &errors.v[0]);
		return -EINVAL;
	}
	if (exists || was)
		change_add(plan, a, u->name, exists ? span_make(now.p ? now.p : "", now.n) : (struct span){ 0 }, was);
	return 0;
}

int domain_undo(struct store *s, bool dry_run, const char *by, struct arena *a, struct domain_change **ret,
	struct fault *fault)
{
	struct change_plan plan = { 0 };
	struct before before = { .a = a };
	int r = store_begin(s, fault);

	fault_clear(fault);
	if (r == 0)
		r = store_undo_last(s, read_before, &before, fault);
	if (r == -ENOENT && fault->code == FAULT_NONE) {
		fault_set(fault, FAULT_DOMAIN_NOTHING_TO_UNDO);
		fault_fact(fault, "most", "%d", STORE_UNDO_MAX);
	}
	for (unsigned i = 0; r == 0 && i < before.n; i++)
		r = plan_return(s, &before.v[i], a, &plan, fault);
	*ret = plan.changes;
	return change_end(s, &plan, r, dry_run, by, fault);
}
