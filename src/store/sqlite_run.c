/*
 * How a statement runs: it is taken from the cache, its parameters are bound, it changes rows or
 * its rows are read, and it is cleared at once, so that it borrows nothing and holds no lock while
 * nobody uses it.
 *
 * Records (store_priv.h). One order serves twice: field i is parameter ?i+1 of the statement
 * that writes it and column i of the one that reads it; a statement that names fewer parameters
 * gets fewer, and may name them anywhere. So a new kind of row is a table and its statements, and
 * what a field is follows from its type in the struct.
 */
#include <errno.h>
#include "base/mem.h"
#include "store/sqlite_priv.h"

int sqlite_query(struct sqlite *q, enum sqlite_query which, sqlite3_stmt **ret, struct fault *fault)
{
	int rc;

	if (!q->query[which]) {
		rc = sqlite3_prepare_v3(q->db, sqlite_query_text[which], -1, SQLITE_PREPARE_PERSISTENT,
			&q->query[which], NULL);
		if (rc != SQLITE_OK)
			return sqlite_fail(q, rc, fault);
	}
	*ret = q->query[which];
	errno = 0;
	return 0;
}

/* ---- parameters ---- */

static void bind_text(sqlite3_stmt *stmt, int at, struct span s)
{
	/* Never NULL: an empty text is not an absent one. */
	sqlite3_bind_text(stmt, at, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *stmt, int at, struct span s)
{
	sqlite3_bind_blob(stmt, at, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

void sqlite_vbind(sqlite3_stmt *stmt, const char *kinds, va_list ap)
{
	for (int at = 1; kinds[at - 1]; at++) {
		switch (kinds[at - 1]) {
		case 'i':
			sqlite3_bind_int64(stmt, at, va_arg(ap, int64_t));
			break;
		default:
			must(kinds[at - 1] == 't');
			bind_text(stmt, at, va_arg(ap, struct span));
		}
	}
}

void sqlite_bind(sqlite3_stmt *stmt, const char *kinds, ...)
{
	va_list ap;

	va_start(ap, kinds);
	sqlite_vbind(stmt, kinds, ap);
	va_end(ap);
}

static void bind_field(sqlite3_stmt *stmt, int at, const struct record_field *field, const void *from)
{
	switch (field->kind) {
	case RECORD_TEXT:
		bind_text(stmt, at, *(const struct span *)from);
		break;
	case RECORD_BLOB:
		bind_blob(stmt, at, *(const struct span *)from);
		break;
	case RECORD_NUMBER:
		sqlite3_bind_int64(stmt, at, *(const int64_t *)from);
		break;
	case RECORD_FLAG:
		sqlite3_bind_int64(stmt, at, *(const bool *)from);
		break;
	case RECORD_BYTES:
		bind_blob(stmt, at, span_make(from, field->size));
	}
}

void sqlite_bind_record(sqlite3_stmt *stmt, const struct record *record, const void *from)
{
	int asked = sqlite3_bind_parameter_count(stmt);

	for (int i = 0; i < record->count && i < asked; i++)
		bind_field(stmt, i + 1, &record->fields[i], (const char *)from + record->fields[i].offset);
}

/* ---- changes ---- */

int sqlite_change(struct sqlite *q, sqlite3_stmt *stmt, struct fault *fault)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? 0 : sqlite_fail(q, rc, fault);
}

int sqlite_run(struct sqlite *q, enum sqlite_query which, struct fault *fault, const char *kinds, ...)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, which, &stmt, fault);
	va_list ap;

	if (r < 0)
		return r;
	va_start(ap, kinds);
	sqlite_vbind(stmt, kinds, ap);
	va_end(ap);
	return sqlite_change(q, stmt, fault);
}

/* ---- rows ---- */

int sqlite_numbers(struct sqlite *q, sqlite3_stmt *stmt, int64_t *ret, int count, struct fault *fault)
{
	int rc = sqlite3_step(stmt);

	for (int i = 0; rc == SQLITE_ROW && i < count; i++)
		ret[i] = sqlite3_column_int64(stmt, i);
	/* What RETURNING changes is done at its first row; the reset only ends the statement. */
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_ROW ? 0 : sqlite_fail(q, rc, fault);
}

int sqlite_each(struct sqlite *q, sqlite3_stmt *stmt, sqlite_row_fn *fn, const void *arg, struct fault *fault)
{
	int r = 0, rc = SQLITE_DONE;

	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = fn(arg, stmt);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_fail(q, rc, fault);
	return r;
}

struct span sqlite_column(sqlite3_stmt *row, int at)
{
	const void *p = sqlite3_column_blob(row, at);

	return span_make(p, p ? (size_t)sqlite3_column_bytes(row, at) : 0);
}

static void read_field(sqlite3_stmt *row, int at, const struct record_field *field, void *ret)
{
	struct span bytes;

	switch (field->kind) {
	case RECORD_TEXT:
	case RECORD_BLOB:
		*(struct span *)ret = sqlite_column(row, at);
		break;
	case RECORD_NUMBER:
		*(int64_t *)ret = sqlite3_column_int64(row, at);
		break;
	case RECORD_FLAG:
		*(bool *)ret = sqlite3_column_int64(row, at) != 0;
		break;
	case RECORD_BYTES:
		bytes = sqlite_column(row, at);
		if (bytes.n == field->size)
			memcpy(ret, bytes.p, bytes.n);
	}
}

void sqlite_read_record(sqlite3_stmt *row, int first, const struct record *record, void *ret)
{
	for (int i = 0; i < record->count; i++)
		read_field(row, first + i, &record->fields[i], (char *)ret + record->fields[i].offset);
}
