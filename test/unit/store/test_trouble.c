/*
 * What happens to a store in real life: full disks, locks, rights, damage, replacement. Every fault
 * is provoked for real, and the same handle works again once its cause is gone.
 *
 * SQLite connections do not survive fork(): helpers are forked while the test has no store open,
 * and say what they found by their exit status.
 */
#include "store_unit.h"
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY 65534

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make_store(const char *name, const char *text)
{
	struct store *s = open_store(true);

	assert_non_null(s);
	assert_int_equal(put(s, name, text), 0);
	store_close(s);
}

/* cp: over the file if it is there. */
static void copy_file(const char *from, const char *to)
{
	static char bytes[1 << 18];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	ssize_t n = read(in, bytes, sizeof(bytes));

	assert_true(n > 0 && n < (ssize_t)sizeof(bytes));
	assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

static const char *beside(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/%s", folder, name);
	return text;
}

/* In a child the checks end the process instead of the test. */
#define check(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "line %d: %s (%s: %.*s)\n", __LINE__, #cond, fault_code_text(fault.code), \
				SPAN_ARG(fault_value(&fault, "error"))); \
			_exit(1); \
		} \
	} while (0)

static void run_child(void (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- missing and replaced ---- */

static void test_missing(void **state)
{
	struct store *s;
	uint64_t v;

	assert_null(open_store(false));
	assert_int_equal(fault.code, FAULT_STORE_MISSING);
	assert_span(fault_value(&fault, "path"), path);
	make_store("a.example", "one");
	s = open_store(true);
	assert_int_equal(rename(path, beside("away")), 0);
	assert_int_equal(store_version(s, &v, &fault), -ENOENT);
	assert_int_equal(fault.code, FAULT_STORE_MISSING);
	assert_int_equal(put(s, "b.example", "two"), -ENOENT);
	/* Not made anew behind the administrator's back, although the handle could. */
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(rename(beside("away"), path), 0);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	store_close(s);
}

static void test_deleted_then_restored(void **state)
{
	struct store *s;

	make_store("a.example", "one");
	copy_file(path, beside("backup"));
	s = open_store(false);
	put(s, "b.example", "two");
	unlink(path);
	assert_string_equal(list(s), strerror(ENOENT));
	copy_file(beside("backup"), path);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	assert_int_equal(put(s, "c.example", "three"), 0);
	store_close(s);
}

static void test_another_file_moved_into_place(void **state)
{
	struct store *s;
	uint64_t v;

	make_store("a.example", "one");
	rename(path, beside("other"));
	make_store("b.example", "two");
	s = open_store(false);
	v = version(s);
	rename(beside("other"), path);
	assert_int_not_equal(version(s), v);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	assert_int_equal(put(s, "c.example", "three"), 0);
	store_close(s);
}

static void test_a_backup_copied_over(void **state)
{
	struct store *s;
	uint64_t v;

	make_store("a.example", "one");
	copy_file(path, beside("backup"));
	s = open_store(false);
	put(s, "b.example", "two");
	v = version(s);
	copy_file(beside("backup"), path);
	assert_int_not_equal(version(s), v);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	store_close(s);
}

/* ---- damaged and foreign ---- */

static void expect_corrupt(struct store *s)
{
	uint64_t v;

	assert_int_equal(store_version(s, &v, &fault), -EBADMSG);
	assert_int_equal(fault.code, FAULT_STORE_CORRUPT);
	assert_int_equal(put(s, "b.example", "two"), -EBADMSG);
	assert_string_equal(list(s), strerror(EBADMSG));
}

static void test_corrupt(void **state)
{
	static const char garbage[] = "this was a store, before somebody's editor saved it\n";
	struct store *s;
	int fd;

	make_store("a.example", "one");
	copy_file(path, beside("backup"));
	s = open_store(false);

	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
	expect_corrupt(s);
	assert_null(open_store(true));
	assert_int_equal(fault.code, FAULT_STORE_CORRUPT);

	/* Emptied: not a store without domains. */
	assert_int_equal(ftruncate(fd, 0), 0);
	expect_corrupt(s);
	close(fd);

	copy_file(beside("backup"), path);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	assert_int_equal(put(s, "b.example", "two"), 0);
	store_close(s);
}

static void test_cut_short(void **state)
{
	struct store *s;

	make_store("a.example", "one");
	copy_file(path, beside("backup"));
	s = open_store(false);
	assert_int_equal(truncate(path, 6000), 0);
	assert_string_equal(list(s), strerror(EBADMSG));
	assert_int_equal(fault.code, FAULT_STORE_CORRUPT);
	copy_file(beside("backup"), path);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	store_close(s);
}

static void test_foreign(void **state)
{
	run_sql("CREATE TABLE recipes (cake TEXT)");
	assert_null(open_store(true));
	assert_int_equal(fault.code, FAULT_STORE_FOREIGN);
	assert_null(open_store(false));
	assert_int_equal(fault.code, FAULT_STORE_FOREIGN);
}

static int schema_of(void)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int schema;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	schema = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return schema;
}

static void test_newer(void **state)
{
	char sql[64];
	int schema;
	struct store *s;
	uint64_t v;

	make_store("a.example", "one");
	s = open_store(false);
	schema = schema_of();
	run_sql("PRAGMA user_version = 4711");
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
	assert_int_equal(store_version(s, &v, &fault), -EPROTO);
	assert_int_equal(fault.code, FAULT_STORE_NEWER);
	assert_span(fault_value(&fault, "schema"), "4711");
	assert_null(open_store(true));
	assert_int_equal(fault.code, FAULT_STORE_NEWER);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", schema);
	run_sql(sql);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	store_close(s);
}

/* ---- locked ---- */

static void test_locked(void **state)
{
	int ready[2], go[2], status;
	struct store *s;
	pid_t holder;
	char c;

	make_store("a.example", "one");
	assert_true(pipe(ready) == 0 && pipe(go) == 0);
	holder = fork();
	if (holder == 0) {
		sqlite3 *db;

		close(go[1]);
		check(sqlite3_open(path, &db) == SQLITE_OK);
		check(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK);
		check(write(ready[1], "x", 1) == 1);
		check(read(go[0], &c, 1) == 0);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	s = open_store(false);
	assert_non_null(s);
	/* Readers do not mind. */
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	assert_int_equal(store_writable(s, &fault), -EBUSY);
	assert_int_equal(put(s, "b.example", "two"), -EBUSY);
	assert_int_equal(fault.code, FAULT_STORE_LOCKED);
	close(go[1]);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	assert_int_equal(put(s, "b.example", "two"), 0);
	store_close(s);
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
}

/* ---- full ---- */

static void fill(const char *file)
{
	static const char block[4096];
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	check(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void put_until_full(struct store *s)
{
	char name[32];
	int r = 0;

	for (int i = 0; i < 100 && r == 0; i++) {
		snprintf(name, sizeof(name), "x%d.example", i);
		r = put(s, name, "some text of a domain that takes a little room");
	}
	check(r == -ENOSPC);
	check(fault.code == FAULT_STORE_FULL);
}

static bool write_proc(const char *file, const char *fmt, unsigned id)
{
	FILE *f = fopen(file, "w");

	if (!f)
		return false;
	fprintf(f, fmt, id, id);
	return fclose(f) == 0;
}

/* A namespace of our own, in which we are who we were and may mount. */
static bool may_mount(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		return unshare(CLONE_NEWNS) == 0;
	return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 && write_proc("/proc/self/uid_map", "%u %u 1", uid) &&
		write_proc("/proc/self/setgroups", "deny", 0) && write_proc("/proc/self/gid_map", "%u %u 1", gid);
}

/* Root, or a user who may have namespaces of his own, mounts a file system of 1 MiB. */
static void on_small_disk(void)
{
	struct store *s;

	if (!may_mount() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", folder, "tmpfs", 0, "size=1m") < 0) {
		fprintf(stderr, "no small disk here: not tested\n");
		_exit(0);
	}
	fill(beside("filler"));
	check(!open_store(true));
	check(fault.code == FAULT_STORE_FULL);
	unlink(beside("filler"));
	s = open_store(true);
	check(s);
	check(put(s, "a.example", "one") == 0);

	fill(beside("filler"));
	put_until_full(s);
	check(strstr(list(s), "a.example: one [a.example]\n"));
	unlink(beside("filler"));
	check(put(s, "b.example", "two") == 0);
	check(strstr(list(s), "b.example: two [b.example]\n"));
	store_close(s);
}

static void with_small_files(void)
{
	struct rlimit limit;
	struct store *s = open_store(true);

	check(s && put(s, "a.example", "one") == 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 8192;
	check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	put_until_full(s);
	limit.rlim_cur = limit.rlim_max;
	check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	check(put(s, "b.example", "two") == 0);
	store_close(s);
}

static void test_full(void **state)
{
	run_child(on_small_disk);
	run_child(with_small_files);
}

/* ---- rights ---- */

/* Root may do everything: the tests about rights run as nobody, whose folder this is then. */
static void become_ordinary(void)
{
	if (geteuid() == 0)
		check(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void own_folder(void)
{
	if (geteuid() == 0)
		assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
}

static void with_read_only_file(void)
{
	struct store *s;

	become_ordinary();
	s = open_store(true);
	check(s && put(s, "a.example", "one") == 0);
	store_close(s);
	check(chmod(path, 0440) == 0);
	s = open_store(false);
	check(s);
	check(strcmp(list(s), "a.example: one [a.example]\n") == 0);
	check(put(s, "b.example", "two") == -EROFS);
	check(fault.code == FAULT_STORE_READ_ONLY);
	check(chmod(path, 0640) == 0);
	check(put(s, "b.example", "two") == 0);
	store_close(s);
}

static void with_read_only_folder(void)
{
	char name[160];
	struct store *s;
	uint64_t v;

	become_ordinary();
	s = open_store(true);
	check(s && put(s, "a.example", "one") == 0);
	store_close(s);
	/* With -wal and -shm in place nothing is missing. */
	check(chmod(folder, 0555) == 0);
	s = open_store(false);
	check(s && put(s, "a.example", "two") == 0);
	check(chmod(folder, 0755) == 0);
	snprintf(name, sizeof(name), "%s-wal", path);
	check(unlink(name) == 0);
	snprintf(name, sizeof(name), "%s-shm", path);
	check(unlink(name) == 0);
	check(chmod(folder, 0555) == 0);
	check(utimensat(AT_FDCWD, path, NULL, 0) == 0);
	check(store_version(s, &v, &fault) == -EROFS);
	check(fault.code == FAULT_STORE_READ_ONLY);
	check(chmod(folder, 0755) == 0);
	check(store_version(s, &v, &fault) == 0);
	check(put(s, "b.example", "three") == 0);
	store_close(s);
}

static void without_access(void)
{
	struct store *s;

	become_ordinary();
	s = open_store(true);
	check(s);
	store_close(s);
	check(chmod(path, 0) == 0);
	check(!open_store(false));
	check(fault.code == FAULT_STORE_NO_ACCESS);
}

static void test_read_only_file(void **state)
{
	own_folder();
	run_child(with_read_only_file);
}

static void test_read_only_folder(void **state)
{
	own_folder();
	run_child(with_read_only_folder);
}

static void test_no_access(void **state)
{
	own_folder();
	run_child(without_access);
}

static void only_read(void)
{
	struct store *s;

	become_ordinary();
	s = open_store(false);
	check(s);
	check(strcmp(list(s), "a.example: one [a.example]\n") == 0);
	check(put(s, "b.example", "two") == -EROFS);
	store_close(s);
}

/* Another user's reader, and files that root touched. */
static void test_users(void **state)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	struct stat st;
	char name[160];

	if (geteuid() != 0)
		skip();
	own_folder();
	make_store("a.example", "one");
	for (size_t i = 0; i < array_len(suffix); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_uid, NOBODY);
		assert_int_equal(st.st_mode & 0777, 0640);
		assert_int_equal(chown(name, 0, 0), 0);
		assert_int_equal(chmod(name, 0644), 0);
	}
	assert_int_equal(chown(folder, 0, 0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	run_child(only_read);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_missing),
		TEST(test_deleted_then_restored),
		TEST(test_another_file_moved_into_place),
		TEST(test_a_backup_copied_over),
		TEST(test_corrupt),
		TEST(test_cut_short),
		TEST(test_foreign),
		TEST(test_newer),
		TEST(test_locked),
		TEST(test_full),
		TEST(test_read_only_file),
		TEST(test_read_only_folder),
		TEST(test_no_access),
		TEST(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
