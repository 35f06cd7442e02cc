/* Import: the flat list of names and addresses. */
#include "store_unit.h"

static const char *import(const char *text, bool dry_run)
{
	struct domain_change *changes = NULL;
	int n = domain_import(store, span_of(text), "list", dry_run, "ada", &arena, &changes, &errors, &fault);

	return n == -EINVAL ? error_codes() : n < 0 ? strerror(-n) : summary(changes, n);
}

static void apply(const char *text)
{
	struct domain_file file = parse(text);
	struct domain_change *changes;

	assert_true(domain_apply(store, &file, false, true, "bob", &arena, &changes, &fault) >= 0);
}

/* The list that fed a "fake DNS". */
static void test_the_list(void **state)
{
	static const char list[] = "domain.de 123.45.67.89\n"
				   "www.domain.de 123.45.67.89\n"
				   "shop.example.com 192.0.2.10\n";

	assert_string_equal(import(list, true), "+domain.de +shop.example.com ");
	assert_string_equal(stored(), "");
	assert_string_equal(import(list, false), "+domain.de +shop.example.com ");
	assert_string_equal(stored(),
		"domain.de [ada domain.de www.domain.de]\n"
		"web    = {\"domain.de\", \"www.domain.de\"}\norigin = {\"http://123.45.67.89\"}\n"
		"shop.example.com [ada shop.example.com]\n"
		"web    = {\"shop.example.com\"}\norigin = {\"http://192.0.2.10\"}\n");
	assert_string_equal(import(list, false), "");
}

static void test_forms(void **state)
{
	assert_string_equal(import("# made by hand\r\n\r\n\t A.de   \t 10.0.0.5:8080 # note\r\n"
				   "www.b.de 10.0.0.6\n"
				   "b.de 10.0.0.7\n"
				   "c.de 2001:DB8::0:1\n"
				   "www.c.de [2001:db8::1]:80\n"
				   "www.www.c.de 2001:db8::1",
				    false),
		"+a.de +www.b.de +b.de +c.de +www.www.c.de ");
	assert_string_equal(stored(),
		"a.de [ada a.de]\nweb    = {\"a.de\"}\norigin = {\"http://10.0.0.5:8080\"}\n"
		"b.de [ada b.de]\nweb    = {\"b.de\"}\norigin = {\"http://10.0.0.7\"}\n"
		"c.de [ada c.de www.c.de]\n"
		"web    = {\"c.de\", \"www.c.de\"}\norigin = {\"http://[2001:db8::1]\"}\n"
		"www.b.de [ada www.b.de]\nweb    = {\"www.b.de\"}\norigin = {\"http://10.0.0.6\"}\n"
		"www.www.c.de [ada www.www.c.de]\n"
		"web    = {\"www.www.c.de\"}\norigin = {\"http://[2001:db8::1]\"}\n");
	assert_string_equal(import("", false), "");
}

static void test_all_faults_change_nothing(void **state)
{
	assert_string_equal(import("good.de 10.0.0.1\n"
				   "alone.de\n"
				   "a_b.de 10.0.0.1\n"
				   "*.a.de 10.0.0.1\n"
				   "a.de 10.0.0.256\n"
				   "b.de host.de\n"
				   "c.de 10.0.0.1 10.0.0.2\n"
				   "d.de 10.0.0.1:0\n"
				   "e.de http://10.0.0.1\n"
				   "f.de 10.0.0.1/\n"
				   "Good.de. 10.0.0.2\n"
				   "h.de [10.0.0.1]\n",
				    false),
		"2 DOMAIN-LIST-LINE\n3 DOMAIN-LIST-LINE\n4 DOMAIN-LIST-LINE\n5 DOMAIN-LIST-LINE\n"
		"6 DOMAIN-LIST-LINE\n7 DOMAIN-LIST-LINE\n8 DOMAIN-LIST-LINE\n9 DOMAIN-LIST-LINE\n"
		"10 DOMAIN-LIST-LINE\n11 DOMAIN-LIST-TWICE\n12 DOMAIN-LIST-LINE\n");
	assert_span(fault_value(&errors.v[9], "name"), "good.de");
	assert_span(fault_value(&errors.v[9], "first"), "1");
	assert_string_equal(stored(), "");
}

static void test_settings_stay(void **state)
{
	apply("domain a.de { web = {a.de, *.a.de} origin = {http://10.0.0.1, http://10.0.0.2} preset = wordpress }\n"
	      "domain b.de { web = other.de origin = http://10.0.0.1 }\n");
	assert_string_equal(import("a.de 10.0.0.9\nwww.a.de 10.0.0.9\nb.de 10.0.0.1\n", false), "~a.de ~b.de ");
	assert_string_equal(stored(),
		"a.de [ada *.a.de a.de www.a.de]\nweb    = {\"a.de\", \"*.a.de\", \"www.a.de\"}\n"
		"origin = {\"http://10.0.0.9\"}\npreset = \"wordpress\"\n"
		"b.de [ada b.de other.de]\nweb    = {\"other.de\", \"b.de\"}\norigin = {\"http://10.0.0.1\"}\n");
}

static void test_names_of_other_domains(void **state)
{
	apply("domain a.de { web = {a.de, shop.de, www.shop.de, old.de} origin = http://10.0.0.1 }");
	/* The same origin serves it already. */
	assert_string_equal(import("shop.de 10.0.0.1\nwww.shop.de 10.0.0.1\n", false), "");
	assert_string_equal(import("shop.de 10.0.0.2\n\nold.de 10.0.0.1:81\n", false),
		"1 DOMAIN-LIST-TAKEN\n3 DOMAIN-LIST-TAKEN\n");
	assert_span(fault_value(&errors.v[1], "owner"), "a.de");
	assert_span(fault_value(&errors.v[1], "text"), "http://10.0.0.1:81");
	assert_non_null(strstr(stored(), "a.de [bob a.de old.de shop.de www.shop.de]\n"));
}

/* Rows that nobody can read stay, and begin anew where the list wants their name. */
static void test_bad_rows(void **state)
{
	static const char *const names[] = { "bad.de", "worse.de", "not a name" };

	for (size_t i = 0; i < array_len(names); i++)
		store_domain_put(store,
			&(struct store_domain){ .name = span_of(names[i]),
				.text = SPAN("wep = x\n"),
				.changed_by = "x" },
			&fault);
	assert_string_equal(import("bad.de 10.0.0.1\n", false), "~bad.de ");
	assert_string_equal(stored(),
		"bad.de [ada bad.de]\nweb    = {\"bad.de\"}\norigin = {\"http://10.0.0.1\"}\n"
		"not a name [x]\nwep = x\nworse.de [x]\nwep = x\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_store, remove_store)
	const struct CMUnitTest tests[] = {
		TEST(test_the_list),
		TEST(test_forms),
		TEST(test_all_faults_change_nothing),
		TEST(test_settings_stay),
		TEST(test_names_of_other_domains),
		TEST(test_bad_rows),
	};

	return cmocka_run_group_tests(tests, setup_arena, teardown_arena);
}
