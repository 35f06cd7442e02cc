/* Domains with their web names, and purges; what all rows need. */
#include <errno.h>
#include <stdarg.h>
#include "base/arena.h"
#include "base/mem.h"
#include "store/sqlite_priv.h"

#define PURGE_KEPT_S 86400

void sqlite_bind(sqlite3_stmt *stmt, const char *kinds, ...)
{
	va_list ap;

	va_start(ap, kinds);
	for (int at = 1; kinds[at - 1]; at++) {
		struct span s;

		switch (kinds[at - 1]) {
		case 'i':
			sqlite3_bind_int64(stmt, at, va_arg(ap, int64_t));
			break;
		case 'b':
			s = va_arg(ap, struct span);
			sqlite3_bind_blob(stmt, at, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
			break;
		default:
			must(kinds[at - 1] == 't');
			s = va_arg(ap, struct span);
			/* Never NULL: an empty text is not an absent one. */
			sqlite3_bind_text(stmt, at, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
		}
	}
	va_end(ap);
}

struct span sqlite_column(sqlite3_stmt *stmt, int at)
{
	const void *p = sqlite3_column_blob(stmt, at);

	return span_make(p, p ? (size_t)sqlite3_column_bytes(stmt, at) : 0);
}

int sqlite_change(struct sqlite *q, sqlite3_stmt *stmt, struct fault *fault)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? 0 : sqlite_fail(q, rc, fault);
}

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
	sqlite3_stmt *stmt;
	int r = check_owner(q, name, domain, fault);

	if (r == 0)
		r = sqlite_query(q, Q_WEB_PUT, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "tt", name, domain);
	return sqlite_change(q, stmt, fault);
}

static int put_row(struct sqlite *q, const struct store_domain *d, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, Q_DOMAIN_PUT, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "ttit", d->name, d->text, d->changed_at, span_of(d->changed_by));
	return sqlite_change(q, stmt, fault);
}

/* A statement whose one parameter is a domain's name. */
static int run_named(struct sqlite *q, enum sqlite_query which, struct span name, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, which, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "t", name);
	return sqlite_change(q, stmt, fault);
}

int sqlite_domain_put(struct store *s, const struct store_domain *d, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = put_row(q, d, fault);
	if (r == 0)
		r = run_named(q, Q_WEB_CLEAR, d->name, fault);
	for (unsigned i = 0; r == 0 && i < d->web_n; i++)
		r = put_web(q, d->web[i], d->name, fault);
	return r;
}

int sqlite_domain_remove(struct store *s, struct span name, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = run_named(q, Q_DOMAIN_REMOVE, name, fault);
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
		r = sqlite_run(q, Q_BEGIN_READ, fault);
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
			sqlite_run(q, Q_ROLLBACK, NULL);
	}
	return r == 0 && only && count == 0 ? -ENOENT : r;
}

/* ---- purges ---- */

int sqlite_purge_add(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	sqlite3_stmt *add, *expire;
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_query(q, Q_PURGE_EXPIRE, &expire, fault);
	if (r == 0)
		r = sqlite_query(q, Q_PURGE_ADD, &add, fault);
	if (r < 0)
		return r;
	sqlite_bind(expire, "i", p->at - PURGE_KEPT_S);
	r = sqlite_change(q, expire, fault);
	if (r < 0)
		return r;
	sqlite_bind(add, "itii", (int64_t)p->kind, p->what, (int64_t)p->hard, p->at);
	r = sqlite_change(q, add, fault);
	if (r == 0)
		*ret_seq = (uint64_t)sqlite3_last_insert_rowid(q->db);
	return r;
}

int sqlite_purge_since(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	sqlite3_stmt *stmt;
	int r = sqlite_ready(q, fault), rc = SQLITE_DONE;

	if (r == 0)
		r = sqlite_query(q, Q_PURGE_SINCE, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "i", (int64_t)seq);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_purge p = {
			.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
			.kind = (enum store_purge_kind)sqlite3_column_int64(stmt, 1),
			.what = sqlite_column(stmt, 2),
			.hard = sqlite3_column_int64(stmt, 3) != 0,
			.at = sqlite3_column_int64(stmt, 4),
		};

		/* A kind of a newer torhaus means nothing here. */
		if (p.kind <= STORE_PURGE_ALL)
			r = fn(arg, &p);
	}
	sqlite3_reset(stmt);
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_fail(q, rc, fault);
	return r;
}

int sqlite_purge_last(struct store *s, uint64_t *ret_seq, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	sqlite3_stmt *stmt;
	int r = sqlite_ready(q, fault), rc;

	if (r == 0)
		r = sqlite_query(q, Q_PURGE_LAST, &stmt, fault);
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret_seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : sqlite_fail(q, rc, fault);
}
