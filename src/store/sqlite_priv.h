/* The SQLite engine's own parts: sqlite.c (connection, faults, transactions), sqlite_schema.c
 * (migrations), sqlite_query.c (the statements), sqlite_run.c (how they run), sqlite_rows.c
 * (domains and purges), sqlite_evidence.c (mail). */
#pragma once
#include <stdarg.h>
#include <sys/stat.h>
#include <sqlite3.h>
#include "store/store_priv.h"

enum sqlite_query {
	Q_BEGIN_READ,
	Q_BEGIN_WRITE,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_DATA_VERSION,
	Q_DOMAINS,
	Q_DOMAIN,
	Q_DOMAINS_WEB,
	Q_DOMAIN_WEB,
	Q_DOMAIN_PUT,
	Q_DOMAIN_REMOVE,
	Q_WEB_OWNER,
	Q_WEB_PUT,
	Q_WEB_CLEAR,
	Q_UNDO_LAST,
	Q_UNDO_KEEP,
	Q_UNDO_ROWS,
	Q_UNDO_DROP,
	Q_UNDO_TRIM,
	Q_PURGE_ADD,
	Q_PURGE_EXPIRE,
	Q_PURGE_SINCE,
	Q_PURGE_LAST,
	Q_REVISION,
	Q_PEER_ADD,
	Q_PEER_TRIM_NETWORK,
	Q_PEER_TRIM,
	Q_PEER_EXPIRE,
	Q_PEERS,
	Q_PEERS_FAILED,
	Q_PEER_DAY_ADD,
	Q_PEER_DAY_EXPIRE,
	Q_HELLO_ADD,
	Q_HELLO_TRIM,
	Q_HELLO_TRIM_BYTES,
	Q_HELLO_EXPIRE,
	Q_PEER_HELLO_ADD,
	Q_PEER_HELLO_TRIM,
	Q_PEER_HELLOS,
	Q_FAILURE_ROOM,
	Q_FAILURE_ADD,
	Q_FAILURE_TRIM,
	Q_FAILURE_EXPIRE,
	Q_FAILURES,
	Q_REFUSAL_ROOM,
	Q_REFUSAL_ADD,
	Q_REFUSAL_TRIM,
	Q_REFUSAL_EXPIRE,
	Q_REFUSALS,
	Q_MAIL_ADD,
	Q_MAIL_EXPIRE,
	Q_MAILS,
	Q_GRACE_PUT,
	Q_GRACE_REMOVE,
	Q_GRACE_TRIM,
	Q_GRACE_EXPIRE,
	Q_GRACES,
	Q_EVIDENCE_SINCE,
	Q_CERTIFICATE_ADD,
	Q_CERTIFICATE_TRIM,
	Q_CERTIFICATE_EXPIRE,
	Q_CERTIFICATES,
	Q_COUNT
};
extern const char *const sqlite_query_text[Q_COUNT];

struct sqlite {
	struct store store;
	char *path;
	sqlite3 *db;      /* NULL: to be opened at the next use */
	struct stat file; /* of the file that db has open, as last seen */
	/* grows when the domains or purges of another revision were noticed */
	uint64_t version;
	int64_t revision; /* of version */
	/* whether revision is that of the file: it was opened again, or we committed */
	bool doubt;
	int64_t data_version;   /* SQLite's count of commits by others */
	int64_t changes_before; /* sqlite3_total_changes64() at begin */
	/* This transaction's number in domain_undo; 0: none yet; negative: it takes one back. */
	int64_t undo_change;
	bool large_hello; /* one was added since the last trim */
	sqlite3_stmt *query[Q_COUNT];
};

/* Makes ready for use: opens the file, or opens it again if it is another one by now. */
int sqlite_ready(struct sqlite *q, struct fault *fault);
/* The last error of db as fault and -errno; errors that reopening may cure drop the connection. */
int sqlite_fail(struct sqlite *q, int rc, struct fault *fault);
/* Brings the tables of the open file to the present schema. */
int sqlite_migrate(struct sqlite *q, bool create, struct fault *fault);

/* ---- sqlite_run.c ---- */

/* A cached statement, to be bound and stepped; who steps it himself resets it after use. */
int sqlite_query(struct sqlite *q, enum sqlite_query which, sqlite3_stmt **ret, struct fault *fault);
/* Binds the parameters by their kinds: t struct span as text, i int64_t; what they point to is
 * borrowed until the statement is cleared. */
void sqlite_bind(sqlite3_stmt *stmt, const char *kinds, ...);
void sqlite_vbind(sqlite3_stmt *stmt, const char *kinds, va_list ap);
/* Steps a statement that changes rows, and clears it. */
int sqlite_change(struct sqlite *q, sqlite3_stmt *stmt, struct fault *fault);
/* All of that: binds, steps and clears a statement that changes rows. */
int sqlite_run(struct sqlite *q, enum sqlite_query which, struct fault *fault, const char *kinds, ...);
/* Steps a bound statement to its one row, whose first columns are numbers, and clears it. */
int sqlite_numbers(struct sqlite *q, sqlite3_stmt *stmt, int64_t *ret, int count, struct fault *fault);
/* Gives each row of a bound statement to fn, and clears it. Non-zero from fn ends the reading and
 * is returned. */
typedef int sqlite_row_fn(const void *arg, sqlite3_stmt *row);
int sqlite_each(struct sqlite *q, sqlite3_stmt *stmt, sqlite_row_fn *fn, const void *arg, struct fault *fault);
/* text or blob, borrowed until the next step */
struct span sqlite_column(sqlite3_stmt *row, int at);

/* The fields of *from to the parameters ?1, ?2, … as far as the statement has such; borrowed until
 * it is cleared. */
void sqlite_bind_record(sqlite3_stmt *stmt, const struct record *record, const void *from);
/* The columns from the first on to the fields of *ret; texts are borrowed, bytes of another size
 * than the field's leave it. */
void sqlite_read_record(sqlite3_stmt *row, int first, const struct record *record, void *ret);

/* ---- sqlite_rows.c ---- */

int sqlite_domain_put(struct store *s, const struct store_domain *d, struct fault *fault);
int sqlite_domain_remove(struct store *s, struct span name, struct fault *fault);
int sqlite_domain_each(struct store *s, const struct span *only, store_domain_fn *fn, void *arg, struct fault *fault);
int sqlite_undo_last(struct store *s, store_undo_fn *fn, void *arg, struct fault *fault);
int sqlite_purge_add(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault);
int sqlite_purge_since(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault);
int sqlite_purge_last(struct store *s, uint64_t *ret_seq, struct fault *fault);

/* ---- sqlite_evidence.c ---- */

extern const struct store_evidence_engine sqlite_evidence;
