/* The map of names: from domains, and from what another process left of one. */
#include <errno.h>
#include "../unit.h"
#include "names/names_priv.h"

static const char domains[] =
	"domain \"example.test\" {\n"
	"  web = {\"www.example.test\", \"*.example.test\", \"shop.other.test\"}\n"
	"  origin = {\"http://192.0.2.10\", \"http://192.0.2.10:81\", \"http://[2001:db8::1]\", \"http://192.0.2.99 backup\"}\n"
	"}\n"
	"domain \"named.test\" {\n"
	"  web = {\"named.test\"}\n"
	"  origin = {\"http://Backend.example\"}\n"
	"}\n"
	"domain \"other.test\" {\n"
	"  web = {\"example.net\", \"backup.test\"}\n"
	"  origin = {\"http://192.0.2.20 backup\"}\n"
	"}\n"
	"domain \"backup.test\" {\n"
	"  origin = {\"http://192.0.2.30\"}\n"
	"}\n"
	"domain \"mixed.test\" {\n"
	"  origin = {\"http://One.example\", \"http://192.0.2.40\", \"http://two.example.:8080\", \"http://one.example:81\"}\n"
	"}\n"
	"domain \"mail.test\" {\n"
	"  mail = \"192.0.2.20:25\"\n"
	"}\n";

static struct zone *zone_from(const char *text)
{
	struct conf_errors errors = { 0 };
	struct snapshot *s = NULL;
	struct zone *z;
	struct arena a;

	arena_init(&a, 4096);
	assert_int_equal(snapshot_from_text(span_of(text), &a, &s, &errors), 0);
	z = zone_of(s);
	snapshot_unref(s);
	arena_done(&a);
	return z;
}

static bool find(const struct zone *z, const char *text, struct zone_found *ret)
{
	struct dns_name name;

	assert_int_equal(dns_name_parse(span_of(text), &name), 0);
	return zone_find(z, &name, ret);
}

static void assert_v4(const struct zone *z, const char *text, unsigned last, const char *apex)
{
	char its[DNS_NAME_TEXT_SIZE];
	struct zone_found f;

	assert_true(find(z, text, &f));
	assert_int_equal(f.v4_n, 1);
	assert_int_equal(f.v4[3], last);
	assert_int_equal(f.hosts_n, 0);
	dns_name_text(f.apex, its);
	assert_string_equal(its, apex);
}

static void assert_v4_and_hosts(const struct zone *z, const char *name, const char *want)
{
	struct buf got = BUF_INIT(1024);
	char text[DNS_NAME_TEXT_SIZE];
	struct zone_found f;

	assert_true(find(z, name, &f));
	for (unsigned i = 0; i < f.v4_n; i++)
		buf_addf(&got, "192.0.2.%u", f.v4[4 * i + 3]);
	for (unsigned i = 0; i < f.hosts_n; i++, f.hosts = zone_next_host(f.hosts)) {
		dns_name_text(f.hosts, text);
		buf_addf(&got, " %s", text);
	}
	assert_string_equal(buf_text(&got), want);
	dns_name_text(f.apex, text);
	assert_string_equal(text, name);
	buf_done(&got);
}

static void assert_all(const struct zone *z)
{
	char text[DNS_NAME_TEXT_SIZE];
	struct zone_found f;

	assert_v4(z, "example.test", 10, "example.test");
	assert_v4(z, "www.example.test", 10, "example.test");
	assert_v4(z, "any.example.test", 10, "example.test");
	assert_v4(z, "shop.other.test", 10, "shop.other.test");
	assert_v4(z, "other.test", 20, "other.test");
	assert_v4(z, "example.net", 20, "example.net");
	/* A web name goes before another domain's own. */
	assert_v4(z, "backup.test", 20, "backup.test");
	assert_true(find(z, "www.example.test", &f));
	assert_int_equal(f.v6_n, 1);
	assert_int_equal(f.v6[15], 1);
	assert_true(find(z, "named.test", &f));
	assert_int_equal(f.v4_n + f.v6_n, 0);
	assert_int_equal(f.hosts_n, 1);
	dns_name_text(f.hosts, text);
	assert_string_equal(text, "backend.example");
	/* Hosts beside addresses, each once; a last dot is no other name. */
	assert_v4_and_hosts(z, "mixed.test", "192.0.2.40 one.example two.example");
	assert_false(find(z, "a.b.example.test", &f));
	assert_false(find(z, "mail.test", &f));
	assert_false(find(z, "test", &f));
	assert_false(find(z, ".", &f));
	assert_int_equal(zone_count(z), 9);
}

static void test_names(void **state)
{
	struct zone *z = zone_from(domains);

	(void)state;
	assert_all(z);
	assert_null(zone_unref(z));
	z = zone_from("");
	assert_int_equal(zone_count(z), 0);
	assert_false(find(z, "example.test", &(struct zone_found){ 0 }));
	zone_unref(z);
}

/* ---- bytes ---- */

static int restore(const void *p, size_t n, struct zone **ret)
{
	struct buf image = BUF_INIT(1 << 20);
	int r;

	buf_add(&image, p, n);
	r = zone_new(&image, ret);
	buf_done(&image);
	return r;
}

static void test_bytes(void **state)
{
	struct zone *z = zone_from(domains), *again;
	struct span bytes = zone_bytes(z);

	(void)state;
	assert_int_equal(restore(bytes.p, bytes.n, &again), 0);
	assert_all(again);
	assert_int_equal(zone_serial(again), zone_serial(z));
	assert_int_equal(zone_bytes(again).n, bytes.n);
	assert_memory_equal(zone_bytes(again).p, bytes.p, bytes.n);
	zone_unref(again);
	zone_unref(z);
}

static void test_torn(void **state)
{
	struct zone *z = zone_from(domains), *again;
	struct span bytes = zone_bytes(z);

	(void)state;
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(restore(bytes.p, n, &again), -EINVAL);
	zone_unref(z);
}

/* Whatever byte is another: what is taken is no longer than it says. */
static void test_changed(void **state)
{
	struct zone *z = zone_from(domains), *again;
	struct span bytes = zone_bytes(z);
	char *copy = span_text(bytes);
	struct zone_found f;

	(void)state;
	for (size_t i = 0; i < bytes.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			copy[i] = (char)(bytes.p[i] ^ 1 << bit);
			if (restore(copy, bytes.n, &again) == 0) {
				if (find(again, "www.example.test", &f))
					assert_true(f.v4_n <= NAMES_ADDRS_MAX && f.apex->n > 0);
				zone_unref(again);
			}
			copy[i] = bytes.p[i];
		}
	mem_free(copy);
	zone_unref(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
