/*
 * The tables, as numbered migrations: migration[i] leads from schema i to schema i + 1, and
 * PRAGMA user_version says where a file stands. They run in one transaction, so that a file is
 * either old or new. Rows are only ever added to the list below; a file that is ahead of the
 * list belongs to a newer torhaus and is left alone.
 *
 * A file is ours by its application_id. An empty file is taken only when the caller wants one
 * made: a store that was emptied by accident must not look like one without domains.
 */
#include <errno.h>
#include "base/mem.h"
#include "store/sqlite_priv.h"

#define APPLICATION_ID 1953460840 /* "torh" */

static const char *const migrations[] = {
	"CREATE TABLE domain ("
	"  name TEXT PRIMARY KEY NOT NULL,"
	"  body TEXT NOT NULL,"
	"  changed_at INTEGER NOT NULL,"
	"  changed_by TEXT NOT NULL) STRICT;"
	"CREATE TABLE web_name ("
	"  name TEXT PRIMARY KEY NOT NULL,"
	"  domain TEXT NOT NULL REFERENCES domain (name) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE INDEX web_name_of_domain ON web_name (domain, name);"
	"CREATE TABLE purge ("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  kind INTEGER NOT NULL,"
	"  what TEXT NOT NULL,"
	"  hard INTEGER NOT NULL,"
	"  at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX purge_by_age ON purge (at);",

	/* A new token whenever domains or purges changed, so that the evidence of mail, which is
	 * written all the time, lets nobody read the domains again. A counter would not tell a
	 * backup that was put in place. */
	"CREATE TABLE revision (token INTEGER NOT NULL) STRICT;"
	"INSERT INTO revision (token) VALUES (random());"
	"CREATE TRIGGER domain_added AFTER INSERT ON domain BEGIN UPDATE revision SET token = random(); END;"
	"CREATE TRIGGER domain_changed AFTER UPDATE ON domain BEGIN UPDATE revision SET token = random(); END;"
	"CREATE TRIGGER domain_removed AFTER DELETE ON domain BEGIN UPDATE revision SET token = random(); END;"
	"CREATE TRIGGER purge_added AFTER INSERT ON purge BEGIN UPDATE revision SET token = random(); END;"
	"CREATE TABLE mail_peer ("
	"  id INTEGER PRIMARY KEY,"
	"  network TEXT NOT NULL,"
	"  helo TEXT NOT NULL,"
	"  address TEXT NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  handshakes INTEGER NOT NULL,"
	"  failures INTEGER NOT NULL,"
	"  refusals INTEGER NOT NULL,"
	"  mails INTEGER NOT NULL,"
	"  mails_clear INTEGER NOT NULL,"
	"  version TEXT NOT NULL,"
	"  suite TEXT NOT NULL,"
	"  key_type TEXT NOT NULL,"
	"  failed_at INTEGER NOT NULL,"
	"  fault TEXT NOT NULL,"
	"  proof TEXT NOT NULL,"
	"  UNIQUE (network, helo)) STRICT;"
	"CREATE INDEX mail_peer_by_age ON mail_peer (last_at);"
	"CREATE TABLE mail_hello ("
	"  id INTEGER PRIMARY KEY,"
	"  fingerprint BLOB NOT NULL UNIQUE,"
	"  bytes BLOB NOT NULL,"
	"  last_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX mail_hello_by_age ON mail_hello (last_at);"
	"CREATE TABLE mail_peer_hello ("
	"  peer INTEGER NOT NULL REFERENCES mail_peer (id) ON DELETE CASCADE,"
	"  hello INTEGER NOT NULL REFERENCES mail_hello (id) ON DELETE CASCADE,"
	"  succeeded INTEGER NOT NULL,"
	"  failed INTEGER NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  PRIMARY KEY (peer, hello)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX mail_peer_hello_of ON mail_peer_hello (hello);"
	"CREATE TABLE mail_failure ("
	"  id INTEGER PRIMARY KEY,"
	"  network TEXT NOT NULL,"
	"  hour INTEGER NOT NULL,"
	"  helo TEXT NOT NULL,"
	"  code TEXT NOT NULL,"
	"  address TEXT NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  times INTEGER NOT NULL,"
	"  fault TEXT NOT NULL,"
	"  also TEXT NOT NULL,"
	"  proof TEXT NOT NULL,"
	"  UNIQUE (network, hour, helo, code)) STRICT;"
	"CREATE INDEX mail_failure_by_age ON mail_failure (first_at);"
	"CREATE TABLE mail_refusal ("
	"  id INTEGER PRIMARY KEY,"
	"  domain TEXT NOT NULL,"
	"  network TEXT NOT NULL,"
	"  hour INTEGER NOT NULL,"
	"  helo TEXT NOT NULL,"
	"  sender TEXT NOT NULL,"
	"  recipient TEXT NOT NULL,"
	"  code TEXT NOT NULL,"
	"  earlier TEXT NOT NULL,"
	"  address TEXT NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  times INTEGER NOT NULL,"
	"  UNIQUE (domain, network, hour, helo, sender, recipient, code)) STRICT;"
	"CREATE INDEX mail_refusal_by_age ON mail_refusal (first_at);"
	"CREATE TABLE mail_count ("
	"  domain TEXT NOT NULL,"
	"  day INTEGER NOT NULL,"
	"  version TEXT NOT NULL,"
	"  suite TEXT NOT NULL,"
	"  hop TEXT NOT NULL,"
	"  verdict TEXT NOT NULL,"
	"  mails INTEGER NOT NULL,"
	"  recipients INTEGER NOT NULL,"
	"  bytes INTEGER NOT NULL,"
	"  UNIQUE (domain, day, version, suite, hop, verdict)) STRICT;"
	"CREATE INDEX mail_count_by_age ON mail_count (day);"
	"CREATE TABLE mail_grace ("
	"  network TEXT NOT NULL,"
	"  helo TEXT NOT NULL,"
	"  domain TEXT NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  UNIQUE (network, helo, domain)) STRICT;"
	"CREATE INDEX mail_grace_by_age ON mail_grace (last_at);",

	"CREATE TABLE mail_certificate ("
	"  id INTEGER PRIMARY KEY,"
	"  sha256 BLOB NOT NULL,"
	"  name TEXT NOT NULL,"
	"  key_type TEXT NOT NULL,"
	"  bits INTEGER NOT NULL,"
	"  issuer TEXT NOT NULL,"
	"  self_signed INTEGER NOT NULL,"
	"  not_before INTEGER NOT NULL,"
	"  not_after INTEGER NOT NULL,"
	"  first_at INTEGER NOT NULL,"
	"  last_at INTEGER NOT NULL,"
	"  UNIQUE (sha256, name)) STRICT;",

	"CREATE TABLE mail_peer_day ("
	"  peer INTEGER NOT NULL REFERENCES mail_peer (id) ON DELETE CASCADE,"
	"  day INTEGER NOT NULL,"
	"  mails INTEGER NOT NULL,"
	"  PRIMARY KEY (peer, day)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX mail_peer_day_by_age ON mail_peer_day (day);",

	/* What each changed domain was before a change; body NULL: there was none. */
	"CREATE TABLE domain_undo ("
	"  change INTEGER NOT NULL,"
	"  name TEXT NOT NULL,"
	"  body TEXT,"
	"  PRIMARY KEY (change, name)) STRICT, WITHOUT ROWID;",
};
#define SCHEMA ((int64_t)array_len(migrations))

static int read_number(struct sqlite *q, const char *sql, int64_t *ret, struct fault *fault)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(q->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : sqlite_fail(q, rc, fault);
}

static int refuse(struct sqlite *q, struct fault *fault, enum fault_code code, int error, const char *why)
{
	fault_set(fault, code);
	fault_fact(fault, "path", "%s", q->path);
	fault_fact(fault, "error", "%s", why);
	return error;
}

/* Is the file one of ours, at a schema that we can bring up to ours? */
static int judge(struct sqlite *q, bool create, int64_t *ret_version, struct fault *fault)
{
	int64_t application = 0, tables = 0;
	int r = read_number(q, "PRAGMA user_version", ret_version, fault);

	if (r == 0)
		r = read_number(q, "PRAGMA application_id", &application, fault);
	if (r == 0)
		r = read_number(q, "SELECT count(*) FROM sqlite_schema", &tables, fault);
	if (r < 0)
		return r;
	if (application != APPLICATION_ID && tables > 0)
		return refuse(q, fault, FAULT_STORE_FOREIGN, -EMEDIUMTYPE, "other tables");
	if (*ret_version == 0 && !create)
		return refuse(q, fault, FAULT_STORE_CORRUPT, -EBADMSG, "the file is empty");
	if (*ret_version <= SCHEMA)
		return 0;
	refuse(q, fault, FAULT_STORE_NEWER, -EPROTO, "newer schema");
	fault_fact(fault, "schema", "%lld", (long long)*ret_version);
	fault_fact(fault, "known", "%lld", (long long)SCHEMA);
	return -EPROTO;
}

static int run_migrations(struct sqlite *q, int64_t from, struct fault *fault)
{
	char set[96];

	for (int64_t i = from; i < SCHEMA; i++) {
		int rc = sqlite3_exec(q->db, migrations[i], NULL, NULL, NULL);

		if (rc != SQLITE_OK)
			return sqlite_fail(q, rc, fault);
	}
	sqlite3_snprintf(sizeof(set), set, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
		(int)SCHEMA);
	if (sqlite3_exec(q->db, set, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fail(q, sqlite3_extended_errcode(q->db), fault);
	return sqlite_run(q, Q_COMMIT, fault, "");
}

int sqlite_migrate(struct sqlite *q, bool create, struct fault *fault)
{
	int64_t version;
	int r = judge(q, create, &version, fault);

	if (r < 0 || version == SCHEMA)
		return r;
	r = sqlite_run(q, Q_BEGIN_WRITE, fault, "");
	/* Asked again inside the transaction: somebody may have been quicker. */
	if (r == 0)
		r = judge(q, create, &version, fault);
	if (r == 0)
		r = run_migrations(q, version, fault);
	if (r < 0 && q->db && !sqlite3_get_autocommit(q->db))
		sqlite_run(q, Q_ROLLBACK, NULL, "");
	return r;
}
