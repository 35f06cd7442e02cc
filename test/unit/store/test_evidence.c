/* What the mail edge keeps: additions, bounds, ages, and that nobody else notices. */
#include "store_unit.h"
#include <sqlite3.h>
#include "base/arena.h"
#include "store/evidence.h"

#define NOW   1795600000
#define DAY_S 86400

static struct store *s;

static int open_new(void **state)
{
	if (make_folder(state) < 0)
		return -1;
	s = open_store(true);
	return s ? store_begin(s, &fault) : -1;
}

static int close_it(void **state)
{
	store_close(s);
	return remove_folder(state);
}

static void commit(void)
{
	assert_int_equal(store_evidence_trim(s, &fault), 0);
	assert_int_equal(store_commit(s, &fault), 0);
}

/* A number that a query of the file gives. */
static int64_t number_of(const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t number;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return number;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static struct store_hello hello_of(unsigned number, int64_t at)
{
	struct store_hello h = { .bytes = SPAN("hello"), .succeeded = 1, .first_at = at, .last_at = at };

	memcpy(h.fingerprint, &number, sizeof(number));
	return h;
}

static void add_peer(const char *network, const char *helo, const struct store_hello *hellos, unsigned n, int64_t at)
{
	const struct store_peer p = { .network = span_of(network),
		.helo = span_of(helo),
		.address = SPAN("192.0.2.1"),
		.first_at = at,
		.last_at = at,
		.handshakes = 1,
		.version = SPAN("TLSv1.3") };

	assert_int_equal(store_peer_add(s, &p, hellos, n, &fault), 0);
}

static int print_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	unsigned number;

	memcpy(&number, h->fingerprint, sizeof(number));
	buf_addf(arg, "%.*s:%u:%u ", SPAN_ARG(p->helo), number, (unsigned)h->succeeded);
	return 0;
}

static const char *hellos(void)
{
	static char text[1024];
	struct buf out = BUF_INIT(sizeof(text) - 1);

	assert_int_equal(store_hello_each(s, print_hello, &out, &fault), 0);
	snprintf(text, sizeof(text), "%s", buf_text(&out));
	buf_done(&out);
	return text;
}

/* ---- nobody else notices ---- */

static void test_evidence_is_no_new_version(void **state)
{
	struct store *watcher;
	uint64_t v;

	commit();
	assert_int_equal(put(s, "a.example", "one"), 0);
	watcher = open_store(false);
	v = version(watcher);
	for (int i = 0; i < 3; i++) {
		uint64_t own = version(s);

		assert_int_equal(store_begin(s, &fault), 0);
		add_peer("192.0.2.0/24", "mx", NULL, 0, NOW + i);
		commit();
		assert_int_equal(version(s), own);
		assert_int_equal(version(watcher), v);
	}
	assert_int_equal(put(s, "b.example", "two"), 0);
	assert_int_not_equal(version(watcher), v);
	v = version(watcher);
	assert_int_equal(store_purge_add(s, &(struct store_purge){ .kind = STORE_PURGE_ALL, .at = NOW },
				 &(uint64_t){ 0 }, &fault),
		0);
	assert_int_not_equal(version(watcher), v);
	v = version(watcher);
	/* Somebody with a shell counts, too. */
	run_sql("UPDATE domain SET body = 'three' WHERE name = 'a.example'");
	assert_int_not_equal(version(watcher), v);
	store_close(watcher);
}

/* As torhaus made it before it had mail. */
static void test_the_first_schema_is_brought_up_to_date(void **state)
{
	uint64_t v;

	s = store_close(s);
	assert_int_equal(remove(path), 0);
	run_sql("PRAGMA journal_mode = WAL; PRAGMA application_id = 1953460840; PRAGMA user_version = 1;"
		"CREATE TABLE domain (name TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL, changed_at INTEGER NOT NULL,"
		" changed_by TEXT NOT NULL) STRICT;"
		"CREATE TABLE web_name (name TEXT PRIMARY KEY NOT NULL,"
		" domain TEXT NOT NULL REFERENCES domain (name) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
		"CREATE INDEX web_name_of_domain ON web_name (domain, name);"
		"CREATE TABLE purge (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, what TEXT NOT NULL,"
		" hard INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;"
		"CREATE INDEX purge_by_age ON purge (at);"
		"INSERT INTO domain VALUES ('a.example', 'one', 1, 'ada'); INSERT INTO web_name VALUES ('a.example', 'a.example');");
	s = open_store(false);
	assert_non_null(s);
	assert_string_equal(list(s), "a.example: one [a.example]\n");
	v = version(s);
	assert_int_equal(store_begin(s, &fault), 0);
	add_peer("192.0.2.0/24", "mx", NULL, 0, NOW);
	commit();
	assert_int_equal(version(s), v);
	assert_int_equal(put(s, "a.example", "two"), 0);
	assert_int_not_equal(version(s), v);
}

/* ---- bounds ---- */

static void test_hellos_of_a_peer(void **state)
{
	struct store_hello h;

	for (unsigned i = 1; i <= 6; i++) {
		h = hello_of(i, NOW + i);
		add_peer("192.0.2.0/24", "a", &h, 1, NOW + i);
	}
	h = hello_of(4, NOW + 10);
	add_peer("192.0.2.0/24", "a", &h, 1, NOW + 10);
	/* Another peer has the same hello: one copy. */
	add_peer("192.0.2.0/24", "b", &h, 1, NOW + 10);
	commit();
	assert_string_equal(hellos(), "a:4:2 a:6:1 a:5:1 a:3:1 b:4:1 ");
	assert_int_equal(number_of("SELECT count(*) FROM mail_hello"), 6);
	/* Those that nobody has go with the next expiry. */
	assert_int_equal(store_begin(s, &fault), 0);
	assert_int_equal(store_evidence_expire(s, NOW, &(uint64_t){ 0 }, &fault), 0);
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM mail_hello"), 4);
}

/* Large ones count by their bytes: the oldest go. */
static void test_bytes_of_hellos(void **state)
{
	char *bytes = mem_zalloc(STORE_HELLO_BYTES, 1);
	struct store_hello h = hello_of(1, NOW);

	commit();
	run_sql("WITH RECURSIVE n(i) AS (VALUES (1000) UNION ALL SELECT i + 1 FROM n WHERE i < 2100)"
		" INSERT INTO mail_hello (fingerprint, bytes, last_at) SELECT CAST(i AS BLOB), zeroblob(66 * 1024), i FROM n");
	assert_int_equal(store_begin(s, &fault), 0);
	h.bytes = span_make(bytes, STORE_HELLO_BYTES);
	add_peer("192.0.2.0/24", "a", &h, 1, NOW);
	commit();
	assert_true(number_of("SELECT sum(length(bytes)) FROM mail_hello") <= STORE_HELLOS_BYTES);
	assert_true(number_of("SELECT sum(length(bytes)) FROM mail_hello") > STORE_HELLOS_BYTES - STORE_HELLO_BYTES);
	assert_int_equal(number_of("SELECT max(last_at) FROM mail_hello"), NOW);
	mem_free(bytes);
}

static void test_peers_of_a_network_and_of_all(void **state)
{
	char network[32], helo[32];

	for (int i = 0; i < STORE_PEERS_PER_NETWORK + 5; i++) {
		snprintf(helo, sizeof(helo), "mx%d", i);
		add_peer("192.0.2.0/24", helo, NULL, 0, NOW + 1000000 + i);
	}
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM mail_peer"), STORE_PEERS_PER_NETWORK);
	assert_int_equal(number_of("SELECT count(*) FROM mail_peer WHERE helo IN ('mx0', 'mx4')"), 0);
	assert_int_equal(store_begin(s, &fault), 0);
	for (int i = 0; i < STORE_PEERS_MAX; i++) {
		snprintf(network, sizeof(network), "10.%d.%d.0/24", i / 256, i % 256);
		add_peer(network, "mx", NULL, 0, NOW + i);
	}
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM mail_peer"), STORE_PEERS_MAX);
	assert_int_equal(number_of("SELECT count(*) FROM mail_peer WHERE network = '192.0.2.0/24'"),
		STORE_PEERS_PER_NETWORK);
	assert_int_equal(number_of("SELECT min(last_at) FROM mail_peer"), NOW + STORE_PEERS_PER_NETWORK);
}

static void test_rows_in_all(void **state)
{
	commit();
	run_sql("INSERT INTO mail_failure VALUES (5, 'n', 1, 'h', 'c', 'a', 1, 1, 1, '', '', ''),"
		" (100005, 'n', 2, 'h', 'c', 'a', 1, 1, 1, '', '', ''), (6, 'n', 3, 'h', 'c', 'a', 1, 1, 1, '', '', '')");
	assert_int_equal(store_begin(s, &fault), 0);
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM mail_failure"), 2);
	assert_int_equal(number_of("SELECT min(id) FROM mail_failure"), 6);
}

/* ---- ages ---- */

static void add_rows(int64_t at)
{
	const struct store_failure f = { .network = SPAN("n"),
		.code = SPAN("c"),
		.first_at = at,
		.last_at = at,
		.times = 1 };
	const struct store_refusal r = { .domain = SPAN("d"),
		.network = SPAN("n"),
		.first_at = at,
		.last_at = at,
		.times = 1 };
	const struct store_mail m = { .domain = SPAN("d"),
		.day = at / DAY_S,
		.verdict = SPAN("delivered"),
		.mails = 1 };
	char domain[32];

	snprintf(domain, sizeof(domain), "d%lld", (long long)at);
	assert_int_equal(store_failure_add(s, &f, &fault), 0);
	assert_int_equal(store_refusal_add(s, &r, &fault), 0);
	assert_int_equal(store_mail_add(s, &m, &fault), 0);
	assert_int_equal(store_grace_put(s,
				 &(struct store_grace){ .network = SPAN("n"),
					 .domain = span_of(domain),
					 .first_at = at,
					 .last_at = at },
				 &fault),
		0);
	add_peer("n", domain, NULL, 0, at);
}

static void test_what_is_too_old_goes(void **state)
{
	uint64_t rows;

	add_rows(NOW - 20 * DAY_S);
	add_rows(NOW - 80 * DAY_S);
	add_rows(NOW - 200 * DAY_S);
	add_rows(NOW - 500ll * DAY_S);
	assert_int_equal(store_evidence_expire(s, NOW, &rows, &fault), 0);
	commit();
	assert_int_equal(rows, 2 + 2 + 1 + 3 + 1);
	assert_int_equal(number_of("SELECT count(*) FROM mail_failure"), 2);
	assert_int_equal(number_of("SELECT count(*) FROM mail_refusal"), 2);
	assert_int_equal(number_of("SELECT count(*) FROM mail_count"), 3);
	assert_int_equal(number_of("SELECT count(*) FROM mail_grace"), 1);
	assert_int_equal(number_of("SELECT count(*) FROM mail_peer"), 3);
}

static void test_in_batches(void **state)
{
	uint64_t rows;

	for (int i = 0; i < STORE_EXPIRE_BATCH + 3; i++)
		assert_int_equal(store_mail_add(s,
					 &(struct store_mail){ .domain = SPAN("d"),
						 .day = i,
						 .verdict = SPAN("delivered") },
					 &fault),
			0);
	assert_int_equal(store_evidence_expire(s, NOW, &rows, &fault), 0);
	assert_int_equal(rows, STORE_EXPIRE_BATCH);
	assert_int_equal(store_evidence_expire(s, NOW, &rows, &fault), 0);
	assert_int_equal(rows, 3);
	assert_int_equal(store_evidence_expire(s, NOW, &rows, &fault), 0);
	assert_int_equal(rows, 0);
}

/* ---- reading ---- */

static int stop_at_second(void *arg, const struct store_mail *m)
{
	return ++*(int *)arg == 2 ? 42 : 0;
}

static void test_readers(void **state)
{
	int seen = 0;

	for (int day = 100; day < 105; day++)
		assert_int_equal(store_mail_add(s,
					 &(struct store_mail){ .domain = SPAN("d"),
						 .day = day,
						 .verdict = SPAN("delivered"),
						 .mails = 1 },
					 &fault),
			0);
	commit();
	assert_int_equal(store_mail_each(s, SPAN("d"), 0, 1000, stop_at_second, &seen, &fault), 42);
	assert_int_equal(seen, 2);
	seen = -100;
	assert_int_equal(store_mail_each(s, SPAN("d"), 101, 103, stop_at_second, &seen, &fault), 0);
	assert_int_equal(seen, -97);
	seen = -100;
	assert_int_equal(store_mail_each(s, SPAN("e"), 0, 1000, stop_at_second, &seen, &fault), 0);
	assert_int_equal(seen, -100);
}

/* What was kept of the rows that went by; alive after the reading. */
struct kept {
	struct arena arena;
	struct store_peer peer;
	struct store_hello hello;
	struct store_certificate certificate;
};

static int keep_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	struct kept *k = arg;

	k->peer = *p;
	k->hello = *h;
	store_peer_keep(&k->arena, &k->peer);
	store_hello_keep(&k->arena, &k->hello);
	return 0;
}

static int keep_certificate(void *arg, const struct store_certificate *c)
{
	struct kept *k = arg;

	k->certificate = *c;
	store_certificate_keep(&k->arena, &k->certificate);
	return 0;
}

static void assert_text(struct span got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

/* A field of each kind there and back. */
static void test_all_kinds_of_fields(void **state)
{
	const char bytes[] = "a\0b\xff";
	const struct store_hello h = { .fingerprint = { 1, 0, 255 },
		.bytes = span_make(bytes, sizeof(bytes)),
		.succeeded = 1,
		.failed = UINT64_C(1) << 40,
		.first_at = NOW - 1,
		.last_at = NOW };
	const struct store_certificate c = { .sha256 = { 0, 7, 255 },
		.name = SPAN("mx.a.example"),
		.key = SPAN("RSA"),
		.bits = 2048,
		.self_signed = true,
		.not_before = -5,
		.not_after = NOW,
		.first_at = NOW,
		.last_at = NOW };
	struct kept k = { 0 };

	arena_init(&k.arena, 4096);
	add_peer("192.0.2.0/24", "mx", &h, 1, NOW);
	assert_int_equal(store_certificate_add(s, &c, &fault), 0);
	commit();
	assert_int_equal(store_hello_each(s, keep_hello, &k, &fault), 0);
	assert_int_equal(store_certificate_each(s, c.name, 0, INT64_MAX, keep_certificate, &k, &fault), 0);
	store_close(s);
	s = NULL;
	assert_text(k.peer.network, "192.0.2.0/24");
	assert_text(k.peer.suite, "");
	assert_memory_equal(k.hello.fingerprint, h.fingerprint, sizeof(h.fingerprint));
	assert_int_equal(k.hello.bytes.n, sizeof(bytes));
	assert_memory_equal(k.hello.bytes.p, bytes, sizeof(bytes));
	assert_int_equal(k.hello.failed, h.failed);
	assert_int_equal(k.hello.first_at, h.first_at);
	assert_memory_equal(k.certificate.sha256, c.sha256, sizeof(c.sha256));
	assert_text(k.certificate.name, "mx.a.example");
	assert_int_equal(k.certificate.bits, c.bits);
	assert_true(k.certificate.self_signed);
	assert_int_equal(k.certificate.not_before, c.not_before);
	arena_done(&k.arena);
}

/* Nothing of a batch stays when it is rolled back. */
static void test_all_or_nothing(void **state)
{
	add_rows(NOW);
	store_rollback(s);
	assert_int_equal(number_of("SELECT (SELECT count(*) FROM mail_peer) + (SELECT count(*) FROM mail_failure)"
				   " + (SELECT count(*) FROM mail_refusal) + (SELECT count(*) FROM mail_count)"),
		0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_new, close_it)
	const struct CMUnitTest tests[] = {
		TEST(test_evidence_is_no_new_version),
		TEST(test_the_first_schema_is_brought_up_to_date),
		TEST(test_hellos_of_a_peer),
		TEST(test_bytes_of_hellos),
		TEST(test_peers_of_a_network_and_of_all),
		TEST(test_rows_in_all),
		TEST(test_what_is_too_old_goes),
		TEST(test_in_batches),
		TEST(test_readers),
		TEST(test_all_kinds_of_fields),
		TEST(test_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
