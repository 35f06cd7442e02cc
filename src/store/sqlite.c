/*
 * The SQLite engine: one file in WAL mode.
 *
 * Durability: synchronous=FULL. An administrator's edit that was confirmed survives a power cut;
 * edits are rare, so their speed does not count.
 *
 * The file alone is the store: each commit moves the log (-wal) into the file and empties it, as
 * far as readers allow. So `cp` of the file of an idle store is a backup, and a file put in its
 * place is not mixed up with frames of the old one, which SQLite itself could not tell.
 *
 * Replacement: before each use outside a transaction the path is compared with the file that is
 * open (device, inode, size, time of change). Another inode is a file moved into place; the same
 * inode with another size or time is a checkpoint by somebody else, or a copy written over it,
 * which SQLite would not notice. In doubt the file is opened again, which costs a millisecond.
 *
 * Rights: WAL needs write access to FILE-shm and, where they are absent, the right to create
 * FILE-shm and FILE-wal in the folder; therefore they stay in place after the last connection
 * closes (PERSIST_WAL), and whoever may read the three files can read the store. SQLite gives
 * -wal and -shm the mode of the file and, when run by root, its owner (its
 * findCreateFileMode and robustFchown): a store touched by root stays usable for the server's user.
 * A file made by root gets the owner of its folder for the same reason.
 *
 * Faults: after any error but "locked", "full" and a refused row, the connection is dropped
 * and opened afresh at the next use, so a handle recovers as soon as the cause is gone.
 */
#include "store/sqlite_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/mem.h"

#define BUSY_TIMEOUT_MS 5000
#define ROW_SIZE_MAX    (STORE_TEXT_MAX + 4096)
#define ROOM_LEAST      65536 /* bytes of the file system that a small commit may need */

static void drop(struct sqlite *q)
{
	for (unsigned i = 0; i < Q_COUNT; i++) {
		sqlite3_finalize(q->query[i]);
		q->query[i] = NULL;
	}
	sqlite3_close(q->db);
	q->db = NULL;
}

/* ---- faults ---- */

struct verdict {
	enum fault_code code;
	int error;
	bool keep; /* the connection is sound */
};

/* What the system said about a file decides when SQLite only knows "I/O error" or "cannot open". */
static struct verdict judge_system(const struct sqlite *q, int rc, int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return (struct verdict){ FAULT_STORE_FULL, -ENOSPC, false };
	case EROFS:
		return (struct verdict){ FAULT_STORE_READ_ONLY, -EROFS, false };
	case EACCES:
	case EPERM:
		if (access(q->path, R_OK) < 0)
			return (struct verdict){ FAULT_STORE_NO_ACCESS, -EACCES, false };
		/* The file is readable: its folder does not let -wal and -shm be made. */
		return (struct verdict){ FAULT_STORE_READ_ONLY, -EROFS, false };
	default:
		if (rc == SQLITE_IOERR_SHORT_READ || rc == SQLITE_IOERR_CORRUPTFS)
			return (struct verdict){ FAULT_STORE_CORRUPT, -EBADMSG, false };
		return (struct verdict){ FAULT_STORE_FAILED, -EIO, false };
	}
}

static struct verdict judge_error(const struct sqlite *q, int rc, int error)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return (struct verdict){ FAULT_STORE_LOCKED, -EBUSY, true };
	case SQLITE_READONLY:
		return (struct verdict){ FAULT_STORE_READ_ONLY, -EROFS, false };
	case SQLITE_FULL:
		return (struct verdict){ FAULT_STORE_FULL, -ENOSPC, true };
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return (struct verdict){ FAULT_STORE_CORRUPT, -EBADMSG, false };
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return judge_system(q, rc, error);
	default:
		return (struct verdict){ FAULT_STORE_FAILED, -EIO, false };
	}
}

int sqlite_fail(struct sqlite *q, int rc, struct fault *fault)
{
	/* SQLite keeps the error of openings and reads, that of a commit's writes is still in errno
	 * (sqlite_query() cleared it). */
	int last = errno;
	int kept = q->db ? sqlite3_system_errno(q->db) : 0;
	int error = kept ? kept : last;
	bool system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
	struct verdict v = judge_error(q, rc, error);

	fault_set(fault, v.code);
	fault_fact(fault, "path", "%s", q->path);
	if (system && error)
		fault_fact(fault, "error", "%s: %s", sqlite3_errstr(rc), strerror(error));
	else if (q->db && sqlite3_extended_errcode(q->db) == rc)
		fault_fact(fault, "error", "%s", sqlite3_errmsg(q->db));
	else
		fault_fact(fault, "error", "%s", sqlite3_errstr(rc));
	fault_fact(fault, "uid", "%u", (unsigned)geteuid());
	if (!v.keep)
		drop(q);
	return v.error;
}

static int fail_path(struct sqlite *q, int error, struct fault *fault)
{
	struct verdict v = error == ENOENT || error == ENOTDIR ? (struct verdict){ FAULT_STORE_MISSING, -ENOENT, false }
							       : judge_system(q, 0, error);

	fault_set(fault, v.code);
	fault_fact(fault, "path", "%s", q->path);
	fault_fact(fault, "error", "%s", strerror(error));
	fault_fact(fault, "uid", "%u", (unsigned)geteuid());
	drop(q);
	return v.error;
}

/* ---- connection ---- */

/* An empty file, readable for its group; made by root it gets the owner of its folder. */
static int make_file(struct sqlite *q, struct fault *fault)
{
	_cleanup_(mem_freep) char *folder = mem_text(q->path);
	char *slash = strrchr(folder, '/');
	struct stat st;
	int fd = open(q->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
	int error = 0;

	if (fd < 0)
		return errno == EEXIST ? 0 : fail_path(q, errno, fault);
	if (slash)
		slash[slash == folder] = '\0';
	if (geteuid() == 0 && (stat(slash ? folder : ".", &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0))
		error = errno;
	close(fd);
	return error ? fail_path(q, error, fault) : 0;
}

static int configure(struct sqlite *q, struct fault *fault)
{
	int on = 1, rc;

	sqlite3_busy_timeout(q->db, BUSY_TIMEOUT_MS);
	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, ROW_SIZE_MAX);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_file_control(q->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	rc = sqlite3_exec(q->db,
		"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
		"PRAGMA journal_size_limit = 1048576",
		NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : sqlite_fail(q, rc, fault);
}

/* Moves the log into the file; whoever reads now may stop that, then a later commit does it. */
static void empty_log(struct sqlite *q)
{
	struct stat now;

	sqlite3_busy_timeout(q->db, 0);
	sqlite3_wal_checkpoint_v2(q->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(q->db, BUSY_TIMEOUT_MS);
	if (stat(q->path, &now) == 0 && now.st_dev == q->file.st_dev && now.st_ino == q->file.st_ino)
		q->file = now;
}

static int connect_file(struct sqlite *q, bool create, struct fault *fault)
{
	int r, rc;

	if (create && access(q->path, F_OK) < 0 && errno == ENOENT) {
		r = make_file(q, fault);
		if (r < 0)
			return r;
	}
	if (stat(q->path, &q->file) < 0)
		return fail_path(q, errno, fault);
	rc = sqlite3_open_v2(q->path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		NULL);
	if (rc != SQLITE_OK)
		return sqlite_fail(q, rc, fault);
	r = configure(q, fault);
	if (r == 0)
		r = sqlite_migrate(q, create, fault);
	if (r < 0) {
		drop(q);
		return r;
	}
	/* Already so, except in a new file or one that `.recover` made. Where it cannot be changed
	 * (read-only) the store can still be read. */
	sqlite3_exec(q->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (create)
		empty_log(q);
	q->doubt = true;
	return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int sqlite_ready(struct sqlite *q, struct fault *fault)
{
	struct stat now;

	if (q->store.begun) {
		if (q->db && !sqlite3_get_autocommit(q->db))
			return 0;
		/* SQLite rolled back by itself; what follows must not be committed piecemeal. */
		return sqlite_fail(q, SQLITE_ABORT, fault);
	}
	if (stat(q->path, &now) < 0)
		return fail_path(q, errno, fault);
	if (q->db && !is_same_file(&q->file, &now))
		drop(q);
	return q->db ? 0 : connect_file(q, false, fault);
}

/* ---- the engine ---- */

/* A path that begins elsewhere than at the root would depend on who opens it. */
static bool engine_is_place(struct span place)
{
	return span_starts(place, SPAN("/"));
}

static struct span engine_file(struct span place)
{
	return place;
}

static int engine_open(struct span place, bool create, struct store **ret, struct fault *fault)
{
	struct sqlite *q = mem_new(struct sqlite);
	int r;

	q->store.engine = &store_engine_sqlite;
	q->path = span_text(place);
	r = connect_file(q, create, fault);
	if (r < 0) {
		mem_free(q->path);
		mem_free(q);
		return r;
	}
	*ret = &q->store;
	return 0;
}

static void engine_close(struct store *s)
{
	struct sqlite *q = container_of(s, struct sqlite, store);

	drop(q);
	mem_free(q->path);
	mem_free(q);
}

static int engine_begin(struct store *s, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_run(q, Q_BEGIN_WRITE, fault, "");
	/* A file that was read-only and no longer is: SQLite gives an empty -wal the mode of the
	 * file only after it opened it, so the second opening is the first that may write. */
	if (r == -EROFS && !q->db)
		r = sqlite_ready(q, fault);
	if (r == 0 && sqlite3_get_autocommit(q->db))
		r = sqlite_run(q, Q_BEGIN_WRITE, fault, "");
	if (r == 0)
		q->changes_before = sqlite3_total_changes64(q->db);
	q->undo_change = 0;
	return r;
}

static int engine_commit(struct store *s, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = sqlite_run(q, Q_COMMIT, fault, "");
	if (r < 0)
		return r;
	if (sqlite3_total_changes64(q->db) != q->changes_before)
		q->doubt = true;
	empty_log(q);
	return 0;
}

static void engine_rollback(struct store *s)
{
	struct sqlite *q = container_of(s, struct sqlite, store);

	if (q->db && !sqlite3_get_autocommit(q->db))
		sqlite_run(q, Q_ROLLBACK, NULL, "");
}

/* What SQLite would notice only when it writes. 0 or an errno. */
static int obstacle(const struct sqlite *q)
{
	struct statvfs fs;

	if (access(q->path, W_OK) < 0)
		return errno;
	if (statvfs(q->path, &fs) < 0)
		return 0;
	if (fs.f_flag & ST_RDONLY)
		return EROFS;
	return (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize < ROOM_LEAST ? ENOSPC : 0;
}

static int engine_writable(struct store *s, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int r = sqlite_ready(q, fault), error;

	if (r < 0)
		return r;
	error = obstacle(q);
	if (error)
		return fail_path(q, error, fault);
	sqlite3_busy_timeout(q->db, 0);
	r = sqlite_run(q, Q_BEGIN_WRITE, fault, "");
	if (q->db) {
		engine_rollback(s);
		sqlite3_busy_timeout(q->db, BUSY_TIMEOUT_MS);
	}
	return r;
}

static int read_number(struct sqlite *q, enum sqlite_query which, int64_t *ret, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, which, &stmt, fault);

	return r < 0 ? r : sqlite_numbers(q, stmt, ret, 1, fault);
}

/* The revision is read only when somebody committed something. */
static int engine_version(struct store *s, uint64_t *ret, struct fault *fault)
{
	struct sqlite *q = container_of(s, struct sqlite, store);
	int64_t data_version = 0, revision = 0;
	int r = sqlite_ready(q, fault);

	if (r == 0)
		r = read_number(q, Q_DATA_VERSION, &data_version, fault);
	if (r == 0 && (q->doubt || data_version != q->data_version)) {
		r = read_number(q, Q_REVISION, &revision, fault);
		if (r == 0 && (revision != q->revision || q->version == 0)) {
			q->revision = revision;
			q->version++;
		}
		if (r == 0) {
			q->data_version = data_version;
			q->doubt = false;
		}
	}
	*ret = q->version;
	return r;
}

const struct store_engine store_engine_sqlite = {
	.scheme = "sqlite",
	.is_place = engine_is_place,
	.file = engine_file,
	.open = engine_open,
	.close = engine_close,
	.begin = engine_begin,
	.commit = engine_commit,
	.rollback = engine_rollback,
	.writable = engine_writable,
	.version = engine_version,
	.domain_put = sqlite_domain_put,
	.domain_remove = sqlite_domain_remove,
	.domain_each = sqlite_domain_each,
	.purge_add = sqlite_purge_add,
	.purge_since = sqlite_purge_since,
	.undo_last = sqlite_undo_last,
	.purge_last = sqlite_purge_last,
	.evidence = &sqlite_evidence,
};
