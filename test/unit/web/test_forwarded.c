/* What balancers say of a visitor: which address counts, and which scheme. */
#include "../unit.h"
#include "base/mem.h"
#include "web/web_priv.h"

struct row {
	const char *value, *proto;
	const char *client; /* NULL: none can be read */
	int tls;
};

static void check(enum web_forwarded_by by, const struct row *rows, size_t n)
{
	struct net_prefix trusted[2];

	assert_int_equal(net_prefix_parse(SPAN("10.0.0.0/8"), &trusted[0]), 0);
	assert_int_equal(net_prefix_parse(SPAN("2001:db8::/32"), &trusted[1]), 0);
	for (size_t i = 0; i < n; i++) {
		struct http_fields fields = { 0 };
		char text[NET_ADDR_SIZE] = "";
		struct net_addr client;
		struct arena a;
		int tls;

		arena_init(&a, 1024);
		http_fields_add_name(&fields, &a,
			by == WEB_FORWARDED_BY_X ? SPAN("X-Forwarded-For") : SPAN("Forwarded"), span_of(rows[i].value));
		if (rows[i].proto)
			http_fields_add_name(&fields, &a, SPAN("X-Forwarded-Proto"), span_of(rows[i].proto));
		if (web_forwarded_read(&fields, by, trusted, 2, &a, &client, &tls))
			net_addr_host_text(&client, text);
		if (strcmp(text, rows[i].client ? rows[i].client : "") != 0 || tls != rows[i].tls)
			fail_msg("row %zu: %s, %d", i, text, tls);
		arena_done(&a);
	}
}

static void test_x_forwarded(void **state)
{
	static const struct row rows[] = {
		{ "192.0.2.1", "https", "192.0.2.1", 1 },
		{ "192.0.2.1:4711", "http", "192.0.2.1", 0 },
		{ "[2001:db9::1]:80", "HTTPS", "2001:db9::1", 1 },
		{ "2001:db9::1", "wss", "2001:db9::1", 1 },
		/* What the visitor wrote himself stands to the left. */
		{ "1.2.3.4, 192.0.2.1", "http, https", "192.0.2.1", 1 },
		/* A row of balancers. */
		{ "1.2.3.4, 192.0.2.1, 10.0.0.7, 2001:db8::1", NULL, "192.0.2.1", -1 },
		{ "10.1.1.1, 10.0.0.7", NULL, "10.1.1.1", -1 },
		{ "unknown, 10.0.0.7", "gopher", "10.0.0.7", -1 },
		{ "192.0.2.1, x", NULL, NULL, -1 },
		{ "", "https", NULL, 1 },
	};

	check(WEB_FORWARDED_BY_X, rows, array_len(rows));
}

static void test_forwarded(void **state)
{
	static const struct row rows[] = {
		{ "for=192.0.2.1;proto=https", NULL, "192.0.2.1", 1 },
		{ "For=\"[2001:db9::1]:4711\"; Proto=http", NULL, "2001:db9::1", 0 },
		{ "for=1.2.3.4;proto=https, for=192.0.2.1;by=10.0.0.1;proto=http", NULL, "192.0.2.1", 0 },
		{ "for=192.0.2.1, for=10.0.0.7", NULL, "192.0.2.1", -1 },
		{ "for=_hidden;proto=https", NULL, NULL, 1 },
		{ "proto=https", NULL, NULL, 1 },
		/* The other kind of field is nobody's word here. */
		{ "for=192.0.2.1", "https", "192.0.2.1", -1 },
	};

	check(WEB_FORWARDED_BY_STANDARD, rows, array_len(rows));
}

static void test_long_lists_are_read_from_their_end(void **state)
{
	struct http_fields fields = { 0 };
	struct buf list = BUF_INIT(65536);
	char text[NET_ADDR_SIZE];
	struct net_addr client;
	struct arena a;
	int tls;

	arena_init(&a, 1024);
	for (unsigned i = 0; i < 1000; i++)
		buf_addf(&list, "1.2.3.4, ");
	buf_add_text(&list, "192.0.2.1, 10.0.0.1");
	http_fields_add_name(&fields, &a, SPAN("X-Forwarded-For"), buf_span(&list));
	assert_true(web_forwarded_read(&fields, WEB_FORWARDED_BY_X, NULL, 0, &a, &client, &tls));
	net_addr_host_text(&client, text);
	assert_string_equal(text, "10.0.0.1");
	arena_done(&a);
	buf_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x_forwarded),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_long_lists_are_read_from_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
