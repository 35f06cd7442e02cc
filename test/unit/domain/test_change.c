/* Apply: the difference between store and file, carried out as one. */
#include "store_unit.h"

static const char *apply(const char *text, bool dry_run)
{
	struct domain_file file = parse(text);
	struct domain_change *changes = NULL;
	int n = domain_apply(store, &file, dry_run, true, "ada", &arena, &changes, &fault);

	return n < 0 ? strerror(-n) : summary(changes, n);
}

#define A "domain a.de { web = a.de origin = http://o }\n"
#define B "domain b.de { web = b.de origin = http://o }\n"

static void test_apply(void **state)
{
	assert_string_equal(apply(B A, false), "+a.de +b.de ");
	assert_string_equal(stored(),
		"a.de [ada a.de]\nweb    = {\"a.de\"}\norigin = {\"http://o\"}\n"
		"b.de [ada b.de]\nweb    = {\"b.de\"}\norigin = {\"http://o\"}\n");
	/* Again, in other words: nothing to do. */
	assert_string_equal(apply(A "domain B.de { web = {b.de} origin = \"http://o:80/\" preset = standard }", false),
		"");
	assert_string_equal(apply(B "domain c.de { }\n", false), "-a.de +c.de ");
	assert_string_equal(apply("domain c.de { grace = 1h }\n" A B, false), "+a.de ~c.de ");
	assert_string_equal(apply("", false), "-a.de -b.de -c.de ");
	assert_string_equal(stored(), "");
}

static void test_dry_run_changes_nothing(void **state)
{
	apply(A, false);
	assert_string_equal(apply(B, true), "-a.de +b.de ");
	assert_string_equal(apply(B, true), "-a.de +b.de ");
	assert_string_equal(stored(), "a.de [ada a.de]\nweb    = {\"a.de\"}\norigin = {\"http://o\"}\n");
}

static void test_bodies_of_a_change(void **state)
{
	struct domain_file file = parse("domain a.de { web = {a.de, x.de} origin = http://o }");
	struct domain_change *changes;

	apply(A, false);
	assert_int_equal(domain_apply(store, &file, true, true, "ada", &arena, &changes, &fault), 1);
	assert_span(changes[0].before, "web    = {\"a.de\"}\norigin = {\"http://o\"}\n");
	assert_span(changes[0].after, "web    = {\"a.de\", \"x.de\"}\norigin = {\"http://o\"}\n");
}

static void test_names_move_between_domains(void **state)
{
	apply("domain a.de { web = {a.de, x.de} origin = http://o }\n" B, false);
	assert_string_equal(
		apply("domain a.de { web = b.de origin = http://o }\ndomain b.de { web = {a.de, x.de} origin = http://o }",
			false),
		"~a.de ~b.de ");
	assert_non_null(strstr(stored(), "b.de [ada a.de x.de]\n"));
}

static void test_export_is_its_own_image(void **state)
{
	_cleanup_(buf_done) struct buf first = BUF_INIT(65536), second = BUF_INIT(65536);
	struct snapshot *s;

	apply(A B "domain c.de { hsts = 30d health_path = \"/a\\\\\\\"b\" }", false);
	assert_int_equal(snapshot_load(store, NULL, NULL, &s, &fault), 0);
	snapshot_to_text(s, &first);
	snapshot_unref(s);
	assert_string_equal(apply(buf_text(&first), false), "");
	assert_int_equal(snapshot_load(store, NULL, NULL, &s, &fault), 0);
	snapshot_to_text(s, &second);
	snapshot_unref(s);
	assert_string_equal(buf_text(&first), buf_text(&second));
}

static void test_put_one(void **state)
{
	struct domain_file file = parse("domain c.de { web = a.de origin = http://o }");

	apply(A, false);
	assert_int_equal(domain_put(store, file.v, "bob", &fault), -EEXIST);
	assert_int_equal(fault.code, FAULT_STORE_NAME_TAKEN);
	apply("", false);
	assert_int_equal(domain_put(store, file.v, "bob", &fault), 0);
	assert_string_equal(stored(), "c.de [bob a.de]\nweb    = {\"a.de\"}\norigin = {\"http://o\"}\n");
}

/* Who takes more than a tenth away, or everything, has to say so. */
static int removes(const char *text, bool may_remove)
{
	struct domain_file file = parse(text);
	struct domain_change *changes = NULL;

	return domain_apply(store, &file, false, may_remove, "ada", &arena, &changes, &fault);
}

static void test_a_file_that_removes_much_is_refused(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
	struct span all;

	for (unsigned i = 10; i < 30; i++)
		buf_addf(&text, "domain d%u.de { }\n", i);
	assert_int_equal(removes(buf_text(&text), false), 20);
	all = buf_span(&text);
	/* 18 of 20 stay: a tenth goes. 17: more. */
	assert_int_equal(removes(arena_text(&arena, span_sub(all, 0, 18 * all.n / 20)), false), 2);
	assert_int_equal(removes(buf_text(&text), false), 2);
	assert_int_equal(removes(arena_text(&arena, span_sub(all, 0, 17 * all.n / 20)), false), -EPERM);
	assert_int_equal(fault.code, FAULT_DOMAIN_APPLY_REMOVES);
	assert_span(fault_value(&fault, "removed"), "3");
	assert_span(fault_value(&fault, "left"), "17");
	assert_span(fault_value(&fault, "all"), "20");
	assert_int_equal(removes("", false), -EPERM);
	assert_int_equal(removes("# nothing\n", false), -EPERM);
	assert_int_equal(removes("", true), 20);
	assert_int_equal(removes("", false), 0);
	/* The only one is all of them. */
	assert_int_equal(removes(A, false), 1);
	assert_int_equal(removes(B, false), -EPERM);
	assert_non_null(strstr(stored(), "a.de [ada a.de]\n"));
}

static const char *undo(void)
{
	struct domain_change *changes = NULL;
	int n = domain_undo(store, false, "eve", &arena, &changes, &fault);

	return n < 0 ? strerror(-n) : summary(changes, n);
}

static void test_undo_goes_back_change_by_change(void **state)
{
	struct domain_change *changes;

	assert_string_equal(undo(), strerror(ENOENT));
	assert_int_equal(fault.code, FAULT_DOMAIN_NOTHING_TO_UNDO);
	apply(A B, false);
	apply("domain a.de { web = b.de origin = http://o }\ndomain c.de { }\n", false);
	apply("", false);
	assert_int_equal(domain_undo(store, true, "eve", &arena, &changes, &fault), 2);
	assert_string_equal(stored(), "");
	assert_string_equal(undo(), "+a.de +c.de ");
	assert_non_null(strstr(stored(), "a.de [eve b.de]\n"));
	/* b.de comes back with the name that a.de had taken from it. */
	assert_string_equal(undo(), "~a.de +b.de -c.de ");
	assert_non_null(strstr(stored(), "b.de [eve b.de]\n"));
	assert_string_equal(undo(), "-a.de -b.de ");
	assert_string_equal(undo(), strerror(ENOENT));
}

static void test_undo_keeps_the_last_changes_only(void **state)
{
	char text[64];

	for (unsigned i = 0; i < STORE_UNDO_MAX + 5; i++) {
		snprintf(text, sizeof(text), "domain d%u.de { }\n", i);
		apply(text, false);
	}
	for (unsigned i = 0; i < STORE_UNDO_MAX; i++)
		assert_true(strlen(undo()) > 0);
	assert_string_equal(undo(), strerror(ENOENT));
	assert_non_null(strstr(stored(), "d4.de"));
}

static void test_a_lost_store_is_told(void **state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/torhaus.db", folder);
	remove(path);
	assert_string_equal(apply(A, false), strerror(ENOENT));
	assert_int_equal(fault.code, FAULT_STORE_MISSING);
	assert_string_equal(apply(A, true), strerror(ENOENT));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_store, remove_store)
	const struct CMUnitTest tests[] = {
		TEST(test_apply),
		TEST(test_dry_run_changes_nothing),
		TEST(test_bodies_of_a_change),
		TEST(test_names_move_between_domains),
		TEST(test_export_is_its_own_image),
		TEST(test_put_one),
		TEST(test_a_file_that_removes_much_is_refused),
		TEST(test_undo_goes_back_change_by_change),
		TEST(test_undo_keeps_the_last_changes_only),
		TEST(test_a_lost_store_is_told),
	};

	return cmocka_run_group_tests(tests, setup_arena, teardown_arena);
}
