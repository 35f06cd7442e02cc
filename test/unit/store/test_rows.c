/* Domains and purges go in and come out; transactions; versions. */
#include "store_unit.h"

static void test_domains_come_back_by_name(void **state)
{
	struct store *s = open_store(true);

	assert_non_null(s);
	assert_string_equal(list(s), "");
	assert_int_equal(put(s, "b.example", "two"), 0);
	assert_int_equal(put(s, "a.example", "one"), 0);
	assert_string_equal(list(s), "a.example: one [a.example]\nb.example: two [b.example]\n");
	assert_int_equal(put(s, "b.example", "three"), 0);
	assert_int_equal(store_domain_remove(s, SPAN("a.example"), &fault), 0);
	assert_int_equal(store_domain_remove(s, SPAN("a.example"), &fault), -ENOENT);
	assert_string_equal(list(s), "b.example: three [b.example]\n");
	store_close(s);

	/* Another handle, later. */
	s = open_store(false);
	assert_string_equal(list(s), "b.example: three [b.example]\n");
	store_close(s);
}

static int keep_row(void *arg, const struct store_domain *d)
{
	struct store_domain *row = arg;

	row->web_n = d->web_n;
	row->changed_at = d->changed_at;
	row->changed_by = mem_text(d->changed_by);
	return 7;
}

static void test_one_domain(void **state)
{
	struct store *s = open_store(true);
	struct store_domain row;

	put(s, "a.example", "one");
	put(s, "b.example", "two");
	assert_int_equal(store_domain_get(s, SPAN("b.example"), keep_row, &row, &fault), 7);
	assert_int_equal(row.web_n, 1);
	assert_int_equal(row.changed_at, 1704442461);
	assert_string_equal(row.changed_by, "ada");
	mem_free((char *)row.changed_by);
	assert_int_equal(store_domain_get(s, SPAN("c.example"), keep_row, &row, &fault), -ENOENT);
	/* What a name holds is data, whatever it looks like. */
	assert_int_equal(put(s, "'; DROP TABLE domain; --", "x"), 0);
	assert_int_equal(store_domain_remove(s, SPAN("'; DROP TABLE domain; --"), &fault), 0);
	assert_string_equal(list(s), "a.example: one [a.example]\nb.example: two [b.example]\n");
	store_close(s);
}

static void test_a_web_name_has_one_owner(void **state)
{
	struct store *s = open_store(true);
	struct span web[] = { SPAN("c.example"), SPAN("a.example") };
	struct store_domain c = { .name = SPAN("c.example"), .web = web, .web_n = 2 };

	put(s, "a.example", "one");
	assert_int_equal(store_domain_put(s, &c, &fault), -EEXIST);
	assert_int_equal(fault.code, FAULT_STORE_NAME_TAKEN);
	assert_span(fault_value(&fault, "name"), "a.example");
	assert_span(fault_value(&fault, "owner"), "a.example");
	assert_span(fault_value(&fault, "domain"), "c.example");
	/* Nothing of it stayed. */
	assert_string_equal(list(s), "a.example: one [a.example]\n");

	store_domain_remove(s, SPAN("a.example"), &fault);
	assert_int_equal(store_domain_put(s, &c, &fault), 0);
	assert_string_equal(list(s), "c.example:  [a.example] [c.example]\n");
	/* Names that are no longer listed are free again; a name listed twice is one name. */
	web[1] = web[0];
	assert_int_equal(store_domain_put(s, &c, &fault), 0);
	assert_int_equal(put(s, "a.example", "one"), 0);
	assert_string_equal(list(s), "a.example: one [a.example]\nc.example:  [c.example]\n");
	store_close(s);
}

static void test_transactions(void **state)
{
	struct store *s = open_store(true), *other = open_store(false);

	assert_int_equal(store_begin(s, &fault), 0);
	put(s, "a.example", "one");
	put(s, "b.example", "two");
	assert_string_equal(list(s), "a.example: one [a.example]\nb.example: two [b.example]\n");
	assert_string_equal(list(other), "");
	store_rollback(s);
	store_rollback(s);
	assert_string_equal(list(s), "");

	assert_int_equal(store_begin(s, &fault), 0);
	put(s, "a.example", "one");
	assert_int_equal(store_commit(s, &fault), 0);
	assert_string_equal(list(other), "a.example: one [a.example]\n");

	/* Closing forgets what was not committed. */
	assert_int_equal(store_begin(s, &fault), 0);
	put(s, "b.example", "two");
	store_close(s);
	assert_string_equal(list(other), "a.example: one [a.example]\n");
	store_close(other);
}

static void test_version_changes_with_every_commit(void **state)
{
	struct store *s = open_store(true), *other = open_store(false);
	uint64_t v = version(s), v_other = version(other);

	assert_int_equal(version(s), v);
	put(s, "a.example", "one");
	assert_int_not_equal(version(s), v);
	assert_int_not_equal(version(other), v_other);
	v = version(s);
	v_other = version(other);
	put(other, "a.example", "two");
	assert_int_not_equal(version(s), v);
	assert_int_not_equal(version(other), v_other);

	v = version(s);
	assert_int_equal(store_begin(s, &fault), 0);
	put(s, "b.example", "three");
	store_rollback(s);
	assert_int_equal(store_begin(s, &fault), 0);
	assert_int_equal(store_commit(s, &fault), 0);
	assert_int_equal(version(s), v);
	store_close(s);
	store_close(other);
}

/* `cp` of the file alone is a backup. */
static void test_the_file_alone_is_the_store(void **state)
{
	struct store *s = open_store(true);
	char wal[128];
	struct stat st;

	put(s, "a.example", "one");
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	store_close(s);
	assert_int_equal(stat(wal, &st), 0);
}

static int add_seq(void *arg, const struct store_purge *p)
{
	buf_addf(arg, "%u:%d:%.*s%s ", (unsigned)p->seq, p->kind, SPAN_ARG(p->what), p->hard ? "!" : "");
	return 0;
}

static const char *purges_since(struct store *s, uint64_t seq)
{
	static char text[1024];
	struct buf out = BUF_INIT(sizeof(text) - 1);

	assert_int_equal(store_purge_since(s, seq, add_seq, &out, &fault), 0);
	snprintf(text, sizeof(text), "%s", buf_text(&out));
	buf_done(&out);
	return text;
}

static void add_purge(struct store *s, enum store_purge_kind kind, const char *what, bool hard, int64_t at)
{
	struct store_purge p = { .kind = kind, .what = span_of(what), .hard = hard, .at = at };
	uint64_t seq = 0, last = 0;

	assert_int_equal(store_purge_add(s, &p, &seq, &fault), 0);
	assert_int_equal(store_purge_last(s, &last, &fault), 0);
	assert_int_equal(last, seq);
}

static void test_purges(void **state)
{
	struct store *s = open_store(true);
	uint64_t last = 99;

	assert_int_equal(store_purge_last(s, &last, &fault), 0);
	assert_int_equal(last, 0);
	add_purge(s, STORE_PURGE_URL, "https://a.example/x", false, 1000);
	add_purge(s, STORE_PURGE_ALL, "", true, 1000 + 86400);
	assert_string_equal(purges_since(s, 0), "1:0:https://a.example/x 2:4:! ");
	assert_string_equal(purges_since(s, 1), "2:4:! ");
	/* After a day rows go, numbers go on. */
	add_purge(s, STORE_PURGE_TAG, "news", false, 1000 + 86401);
	assert_string_equal(purges_since(s, 0), "2:4:! 3:2:news ");
	add_purge(s, STORE_PURGE_TAG, "late", false, 1000 + 10 * 86400);
	assert_string_equal(purges_since(s, 0), "4:2:late ");
	assert_string_equal(purges_since(s, 4), "");
	store_close(s);
}

static void test_urls(void **state)
{
	static const char *const bad[] = { "", "sqlite", "sqlite:", "sqlite:torhaus.db",
		"sqlite::memory:", "/var/lib/torhaus.db", "postgresql://localhost/x" };
	struct store *s = NULL;

	for (size_t i = 0; i < array_len(bad); i++) {
		assert_int_equal(store_open(bad[i], true, &s, &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_STORE_BAD_URL);
		assert_false(store_url_is_valid(span_of(bad[i])));
	}
	assert_true(store_url_is_valid(SPAN(STORE_URL_PRESET)));
	assert_string_equal(store_url_file(SPAN(STORE_URL_PRESET)).p, "/var/lib/torhaus/torhaus.db");
	assert_null(store_close(NULL));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_domains_come_back_by_name),
		TEST(test_one_domain),
		TEST(test_a_web_name_has_one_owner),
		TEST(test_transactions),
		TEST(test_version_changes_with_every_commit),
		TEST(test_the_file_alone_is_the_store),
		TEST(test_purges),
		TEST(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
