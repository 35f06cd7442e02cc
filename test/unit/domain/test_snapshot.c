/* The snapshot: look-ups, bad rows, its size, references. */
#include "store_unit.h"
#include <pthread.h>
#include "base/clock.h"

static struct snapshot *from_text(const char *text)
{
	struct snapshot *s = NULL;

	if (snapshot_from_text(span_of(text), &arena, &s, &errors) < 0)
		fail_msg("%s", error_codes());
	return s;
}

static const char *site(const struct snapshot *s, const char *host)
{
	const struct domain *d = snapshot_find_web(s, span_of(host));

	return d ? arena_text(&arena, d->name) : "none";
}

static void test_look_ups(void **state)
{
	struct snapshot *s = from_text("domain b.de { web = {b.de, *.b.de} origin = http://o }\n"
				       "domain a.de { web = {www.a.de, x.b.de} origin = http://o }\n"
				       "domain c.de { }\n");

	assert_int_equal(snapshot_count(s), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(snapshot_at(s, i)->id, i);
	assert_span(snapshot_at(s, 0)->name, "a.de");
	assert_string_equal(site(s, "www.a.de"), "a.de");
	assert_string_equal(site(s, "b.de"), "b.de");
	assert_string_equal(site(s, "anything.b.de"), "b.de");
	assert_string_equal(site(s, "x.b.de"), "a.de");
	/* One label, no more and no less; the wildcard itself is no host. */
	assert_string_equal(site(s, "y.x.b.de"), "none");
	assert_string_equal(site(s, ".b.de"), "none");
	assert_string_equal(site(s, "a.de"), "none");
	assert_string_equal(site(s, ""), "none");
	assert_string_equal(site(s, "."), "none");
	assert_ptr_equal(snapshot_find(s, SPAN("c.de")), snapshot_at(s, 2));
	assert_null(snapshot_find(s, SPAN("d.de")));
	assert_null(snapshot_find(s, SPAN("")));
	assert_null(snapshot_unref(s));
}

static void test_mail(void **state)
{
	struct snapshot *s =
		from_text("domain a.de { mail = \"10.0.0.6\" tls = require recipient = \"list@a.de off by=ada\" }\n"
			  "domain b.de { web = b.de origin = http://o }\n"
			  "domain m\xc3\xbcller.de { mail = \"10.0.0.7\" }\n");
	const struct domain *a = snapshot_find(s, SPAN("a.de"));

	assert_ptr_equal(snapshot_find_mail(s, SPAN("A.De")), a);
	assert_null(snapshot_find_mail(s, SPAN("b.de")));
	assert_null(snapshot_find_mail(s, SPAN("c.de")));
	assert_null(snapshot_find_mail(s, SPAN("")));
	assert_null(snapshot_find_mail(s, SPAN("[10.0.0.6]")));
	assert_non_null(snapshot_find_mail(s, SPAN("M\xc3\x9cLLER.de")));
	assert_ptr_equal(snapshot_find_mail(s, SPAN("M\xc3\x9cLLER.de")),
		snapshot_find_mail(s, SPAN("xn--mller-kva.de")));
	assert_int_equal(snapshot_tls_of(s, a, SPAN("anna@a.de")), DOMAIN_TLS_REQUIRE);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("List@A.DE")), DOMAIN_TLS_OFF);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("postmaster")), DOMAIN_TLS_REQUIRE);
	assert_span(a->recipient[0].by, "ada");
	snapshot_unref(s);
	/* What is over holds no more; its last day is one of it. */
	s = from_text("domain a.de { mail = mx tls = require recipient = {\"over@a.de off until=2024-01-05\",\n"
		      "\"later@a.de off until=9999-12-31\"} }\n");
	a = snapshot_find(s, SPAN("a.de"));
	assert_int_equal(snapshot_tls_of(s, a, SPAN("over@a.de")), DOMAIN_TLS_REQUIRE);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("later@a.de")), DOMAIN_TLS_OFF);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("later+tag@a.de")), DOMAIN_TLS_REQUIRE);
	assert_true(domain_recipient_holds(&a->recipient[1], 1704499199));
	assert_false(domain_recipient_holds(&a->recipient[1], 1704499200));
	snapshot_unref(s);
	/* What is required for a person is so for the person's tags, too; unless a tag has an
	 * exception of its own. */
	s = from_text("domain a.de { mail = mx recipient = {\"anna@a.de require\", \"anna+list@a.de report\",\n"
		      "\"postmaster@a.de require\"} }\n");
	a = snapshot_find(s, SPAN("a.de"));
	assert_int_equal(snapshot_tls_of(s, a, SPAN("ANNA+x+y@a.de")), DOMAIN_TLS_REQUIRE);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("anna+list@a.de")), DOMAIN_TLS_REPORT);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("annax+x@a.de")), DOMAIN_TLS_OFF);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("+anna@a.de")), DOMAIN_TLS_OFF);
	assert_int_equal(snapshot_tls_of(s, a, SPAN("postmaster")), DOMAIN_TLS_REQUIRE);
	snapshot_unref(s);
}

static void test_empty(void **state)
{
	struct snapshot *s = from_text("");

	assert_int_equal(snapshot_count(s), 0);
	assert_null(snapshot_find_web(s, SPAN("a.de")));
	assert_null(snapshot_find(s, SPAN("a.de")));
	snapshot_unref(s);
	assert_null(snapshot_unref(NULL));
}

static void test_text_comes_back(void **state)
{
	static const char text[] = "domain \"a.de\" {\n  web    = {\"a.de\"}\n  origin = {\"http://o\"}\n}\n"
				   "domain \"b.de\" {\n}\n";
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct snapshot *s = from_text(text);

	snapshot_to_text(s, &out);
	assert_string_equal(buf_text(&out), text);
	snapshot_unref(s);
}

/* Pages of other origins are others' pages. */
static void test_origins_have_a_hash(void **state)
{
	struct snapshot *s = from_text("domain \"a\" {\n  origin = {\"http://o\", \"http://p:81\"}\n}\n"
				       "domain \"b\" {\n  origin = {\"http://p:81 weight=3 backup\", \"http://o\"}\n}\n"
				       "domain \"c\" {\n  origin = {\"http://o\", \"https://p:81\"}\n}\n"
				       "domain \"d\" {\n  origin = {\"http://o\", \"http://p\"}\n}\n"
				       "domain \"e\" {\n  origin = {\"http://o\", \"http://p:81\"}\n"
				       "  origin_host = \"h\"\n}\n"
				       "domain \"f\" {\n  origin = {\"http://o\"}\n}\n");

	assert_int_equal(snapshot_at(s, 0)->origin_hash, snapshot_at(s, 1)->origin_hash);
	for (unsigned i = 2; i < 6; i++)
		assert_int_not_equal(snapshot_at(s, 0)->origin_hash, snapshot_at(s, i)->origin_hash);
	snapshot_unref(s);
}

/* ---- from the store ---- */

static void put_row(const char *name, const char *text)
{
	struct store_domain d = { .name = span_of(name), .text = span_of(text), .changed_by = "test" };

	assert_int_equal(store_domain_put(store, &d, &fault), 0);
}

static void add_fault(void *arg, const struct fault *f)
{
	struct buf *out = arg;

	assert_int_equal(f->code, FAULT_STORE_BAD_ROW);
	buf_addf(out, "%.*s: %.*s\n", SPAN_ARG(fault_value(f, "domain")), SPAN_ARG(fault_value(f, "why")));
}

static void test_bad_rows_take_nothing_down(void **state)
{
	_cleanup_(buf_done) struct buf told = BUF_INIT(4096);
	struct snapshot *s;

	put_row("a.de", "web = a.de\norigin = http://o\n");
	put_row("b.de", "wep = b.de\n");
	put_row("c.de", "web = a.de\norigin = http://o\n");
	put_row("D.de", "");
	put_row("e.de", "web = {a.de");
	put_row("f.de", "web = f.de\norigin = http://o\n");
	assert_int_equal(snapshot_load(store, add_fault, &told, &s, &fault), 0);
	assert_int_equal(snapshot_count(s), 2);
	assert_string_equal(site(s, "a.de"), "a.de");
	assert_string_equal(site(s, "f.de"), "f.de");
	assert_non_null(strstr(buf_text(&told), "b.de: domain b.de:1: there is no setting \"wep\".\n"));
	assert_non_null(strstr(buf_text(&told), "c.de: its web name a.de belongs to a.de\n"));
	assert_non_null(strstr(buf_text(&told), "D.de: its name is not in lower case"));
	assert_non_null(strstr(buf_text(&told), "e.de: "));
	snapshot_unref(s);
	assert_int_equal(snapshot_load(store, NULL, NULL, &s, &fault), 0);
	snapshot_unref(s);
}

static void test_no_store_no_snapshot(void **state)
{
	struct snapshot *s = (struct snapshot *)1;
	char path[96];

	snprintf(path, sizeof(path), "%s/torhaus.db", folder);
	remove(path);
	assert_int_equal(snapshot_load(store, NULL, NULL, &s, &fault), -ENOENT);
	assert_int_equal(fault.code, FAULT_STORE_MISSING);
	assert_null(s);
}

/* The promise is 10,000 domains in less than 2 s and 4 KiB each; the time is printed, not
 * judged. */
static void test_ten_thousand(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 << 20);
	struct domain_change *changes;
	struct domain_file file;
	struct snapshot *s;
	uint64_t start, applied, loaded;

	for (unsigned i = 0; i < 10000; i++)
		buf_addf(&text,
			"domain customer-number-%u.example.de {\n"
			"  web = {customer-number-%u.example.de, www.customer-number-%u.example.de, *.shop-%u.de}\n"
			"  origin = {\"http://10.0.%u.%u:8080 weight=3\", \"https://backup.example backup\"}\n"
			"  preset = wordpress\n  grace = 2d\n  origin_host = inner-%u.example.de\n"
			"  health_path = \"/health?customer=%u\"\n}\n",
			i, i, i, i, i / 250, i % 250, i, i);
	assert_int_equal(domain_parse(buf_span(&text), "t", &arena, &file, &errors), 0);
	start = clock_mono_ms();
	assert_int_equal(domain_apply(store, &file, false, true, "test", &arena, &changes, &fault), 10000);
	applied = clock_mono_ms();
	assert_int_equal(snapshot_load(store, NULL, NULL, &s, &fault), 0);
	loaded = clock_mono_ms();
	assert_int_equal(snapshot_count(s), 10000);
	assert_string_equal(site(s, "x.shop-4711.de"), "customer-number-4711.example.de");
	print_message("10,000 domains: applied in %u ms, loaded in %u ms, %u bytes each\n", (unsigned)(applied - start),
		(unsigned)(loaded - applied), (unsigned)(snapshot_bytes(s) / 10000));
	assert_in_range(snapshot_bytes(s) / 10000, 1, 4096);
	snapshot_unref(s);
}

/* ---- threads ---- */

static void *hold_and_release(void *arg)
{
	struct snapshot *s = arg;

	for (int i = 0; i < 10000; i++) {
		struct snapshot *mine = snapshot_ref(s);

		if (!snapshot_find_web(mine, SPAN("a.de")))
			abort();
		snapshot_unref(mine);
	}
	snapshot_unref(s);
	return NULL;
}

static void test_references_of_many_threads(void **state)
{
	struct snapshot *s = from_text("domain a.de { web = a.de origin = http://o }");
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, snapshot_ref(s)), 0);
	snapshot_unref(s);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_ups),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_text_comes_back),
		cmocka_unit_test(test_origins_have_a_hash),
		cmocka_unit_test_setup_teardown(test_bad_rows_take_nothing_down, make_store, remove_store),
		cmocka_unit_test_setup_teardown(test_no_store_no_snapshot, make_store, remove_store),
		cmocka_unit_test_setup_teardown(test_ten_thousand, make_store, remove_store),
		cmocka_unit_test(test_references_of_many_threads),
	};

	return cmocka_run_group_tests(tests, setup_arena, teardown_arena);
}
