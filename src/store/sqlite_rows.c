/* Domains with their web names, and purges. */
#include <errno.h>
#include "base/arena.h"
#include "base/mem.h"
#include "store/sqlite_priv.h"

#define PURGE_KEPT_S  86400
#define UNDO_NOT_KEPT (-1)

/* ---- domains ---- */

/* -EEXIST if name belongs to a domain other than ours. */
static int check_owner(struct sqlite *q, struct span name, struct span ours, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, Q_WEB_OWNER, &stmt, fault), rc;

	if (r < 0)
		return r;
	sqlite_bind(stmt, "t", name);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && !span_eq(sqlite_column(stmt, 0), ours)) {
		struct span owner = sqlite_column(stmt, 0);

		fault_set(fault, FAULT_STORE_NAME_TAKEN);
		fault_fact(fault, "name", "%.*s", SPAN_ARG(name));
		fault_fact(fault, "owner", "%.*s", SPAN_ARG(owner));
		fault_fact(fault, "domain", "%.*s", SPAN_ARG(ours));
		r = -EEXIST;
	}
	sqlite3_reset(stmt);
	if (r == 0 && rc != SQLITE_ROW && rc != SQLITE_DONE)
		r = sqlite_fail(q, rc, fault);
	return r;
}

static int put_web(struct sqlite *q, struct span name, struct span domain, struct fault *fault)
{
	int r = check_owner(q, name, domain, fault);

	return r < 0 ? r : sqlite_run(q, Q_WEB_PUT, fault, "tt", name, domain);
}

static int read_number(struct sqlite *q, enum sqlite_query which, int64_t *ret, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, which, &stmt, fault);

	return r < 0 ? r : sqlite_numbers(q, stmt, ret, 1, fault);
}

/* Keeps what the domain is before the transaction's first change of it. */
static int undo_keep(struct sqlite *q, struct span name, struct fault *fault)
{
	int64_t last = 0;
	int r = 0;

	if (q->undo_change == UNDO_NOT_KEPT)
		return 0;
	if (q->undo_change == 0) {
		r = read_number(q, Q_UNDO_LAST, &last, fault);
		if (r == 0)
			r = sqlite_run(q, Q_UNDO_TRIM, fault, "i", last + 1 - STORE_UNDO_MAX);
		if (r < 0)
			return r;
		q->undo_change = last + 1;
	}
	return sqlite_run(q, Q_UNDO_KEEP, fault, "it", q->undo_change, name);
}

struct undo_reader {
	store_undo_fn *fn;
	void *arg;
};

static int undo_row(const void *arg, sqlite3_stmt *row)
{
	const struct undo_reader *to = arg;
	struct store_undo u = {
		.name = sqlite_column(row, 0),
		.existed = sqlite3_column_type(row, 1) != SQLITE_NULL,
		.text = sqlite_column(row, 1),
	};

	return to->fn(to->arg, &u);
}

int sqlite_undo_last(struct store *s, store_undo_fn *fn, void *arg, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	struct undo_reader to = { fn, arg };
	sqlite3_stmt *stmt;
	int64_t last = 0;
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = read_number(q, Q_UNDO_LAST, &last, fault);
	if (r == 0 && last == 0)
		return -ENOENT;
	if (r == 0)
		r = sqlite_query(q, Q_UNDO_ROWS, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "i", last);
	r = sqlite_each(q, stmt, undo_row, &to, fault);
	q->undo_change = UNDO_NOT_KEPT;
	return r == 0 ? sqlite_run(q, Q_UNDO_DROP, fault, "i", last) : r;
}

int sqlite_domain_put(struct store *s, const struct store_domain *d, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = undo_keep(q, d->name, fault);
	if (r == 0)
		r = sqlite_run(q, Q_DOMAIN_PUT, fault, "ttit", d->name, d->text, d->changed_at, span_of(d->changed_by));
	if (r == 0)
		r = sqlite_run(q, Q_WEB_CLEAR, fault, "t", d->name);
	for (unsigned i = 0; r == 0 && i < d->web_n; i++)
		r = put_web(q, d->web[i], d->name, fault);
	return r;
}

int sqlite_domain_remove(struct store *s, struct span name, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = undo_keep(q, name, fault);
	if (r == 0)
		r = sqlite_run(q, Q_DOMAIN_REMOVE, fault, "t", name);
	if (r < 0)
		return r;
	return sqlite3_changes(q->db) > 0 ? 0 : -ENOENT;
}

/* Two cursors in the same order, domains and web names, read like a zip. */
struct reading {
	struct sqlite *q;
	sqlite3_stmt *domains, *web;
	int web_rc;         /* SQLITE_ROW: web stands on a row not yet used */
	struct arena arena; /* of the present domain's names */
	struct span names[STORE_WEB_MAX];
};

/* The web names of the domain; the cursor stands behind them then. */
static unsigned read_web(struct reading *rd, struct span domain)
{
	unsigned n = 0;

	while (rd->web_rc == SQLITE_ROW) {
		int order = span_cmp(sqlite_column(rd->web, 0), domain);

		if (order > 0)
			break;
		if (order == 0 && n < STORE_WEB_MAX)
			rd->names[n++] = arena_span(&rd->arena, sqlite_column(rd->web, 1));
		rd->web_rc = sqlite3_step(rd->web);
	}
	return n;
}

static int read_rows(struct reading *rd, store_domain_fn *fn, void *arg, unsigned *ret_count, struct fault *fault)
{
	int r = 0, rc;

	rd->web_rc = sqlite3_step(rd->web);
	while (r == 0 && (rc = sqlite3_step(rd->domains)) == SQLITE_ROW) {
		struct store_domain d = {
			.name = sqlite_column(rd->domains, 0),
			.text = sqlite_column(rd->domains, 1),
			.web = rd->names,
			.changed_at = sqlite3_column_int64(rd->domains, 2),
			.changed_by = (const char *)sqlite3_column_text(rd->domains, 3),
		};

		arena_reset(&rd->arena);
		d.web_n = read_web(rd, d.name);
		if (rd->web_rc != SQLITE_ROW && rd->web_rc != SQLITE_DONE)
			return sqlite_fail(rd->q, rd->web_rc, fault);
		(*ret_count)++;
		r = fn(arg, &d);
	}
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_fail(rd->q, rc, fault);
	return r;
}

int sqlite_domain_each(struct store *s, const struct span *only, store_domain_fn *fn, void *arg, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	_cleanup_(mem_freep) struct reading *rd = mem_new(struct reading);
	unsigned count = 0;
	int r = sqlite_ready(q, fault);

	rd->q = q;
	/* Both cursors must see the same commit. */
	if (r == 0 && !s->begun)
		r = sqlite_run(q, Q_BEGIN_READ, fault, "");
	if (r == 0)
		r = sqlite_query(q, only ? Q_DOMAIN : Q_DOMAINS, &rd->domains, fault);
	if (r == 0)
		r = sqlite_query(q, only ? Q_DOMAIN_WEB : Q_DOMAINS_WEB, &rd->web, fault);
	if (r == 0) {
		if (only) {
			sqlite_bind(rd->domains, "t", *only);
			sqlite_bind(rd->web, "t", *only);
		}
		arena_init(&rd->arena, 16384);
		r = read_rows(rd, fn, arg, &count, fault);
		arena_done(&rd->arena);
	}
	if (q->db) {
		sqlite3_reset(rd->domains);
		sqlite3_reset(rd->web);
		if (!s->begun && !sqlite3_get_autocommit(q->db))
			sqlite_run(q, Q_ROLLBACK, NULL, "");
	}
	return r == 0 && only && count == 0 ? -ENOENT : r;
}

/* ---- purges ---- */

int sqlite_purge_add(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_run(q, Q_PURGE_EXPIRE, fault, "i", p->at - PURGE_KEPT_S);
	if (r == 0)
		r = sqlite_run(q, Q_PURGE_ADD, fault, "itii", (int64_t)p->kind, p->what, (int64_t)p->hard, p->at);
	if (r == 0)
		*ret_seq = (uint64_t)sqlite3_last_insert_rowid(q->db);
	return r;
}

struct purge_reader {
	store_purge_fn *fn;
	void *arg;
};

static int purge_row(const void *arg, sqlite3_stmt *row)
{
	const struct purge_reader *to = arg;
	struct store_purge p = {
		.seq = (uint64_t)sqlite3_column_int64(row, 0),
		.kind = (enum store_purge_kind)sqlite3_column_int64(row, 1),
		.what = sqlite_column(row, 2),
		.hard = sqlite3_column_int64(row, 3) != 0,
		.at = sqlite3_column_int64(row, 4),
	};

	/* A kind of a newer torhaus means nothing here. */
	return p.kind <= STORE_PURGE_ALL ? to->fn(to->arg, &p) : 0;
}

int sqlite_purge_since(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	sqlite3_stmt *stmt;
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_query(q, Q_PURGE_SINCE, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "i", (int64_t)seq);
	return sqlite_each(q, stmt, purge_row, &(struct purge_reader){ fn, arg }, fault);
}

int sqlite_purge_last(struct store *s, uint64_t *ret_seq, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	sqlite3_stmt *stmt;
	int64_t seq = 0;
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_query(q, Q_PURGE_LAST, &stmt, fault);
	if (r == 0)
		r = sqlite_numbers(q, stmt, &seq, 1, fault);
	if (r == 0)
		*ret_seq = (uint64_t)seq;
	return r;
}
