/* The network of an address, by purpose. */
#include "../unit.h"
#include "base/mem.h"
#include "guard/guard.h"

static void test_networks(void **state)
{
	static const struct {
		const char *address;
		enum guard_width width;
		const char *network;
	} rows[] = {
		{ "192.0.2.77:25", GUARD_SITE, "192.0.2.0/24" },
		{ "192.0.2.77:25", GUARD_CUSTOMER, "192.0.2.0/24" },
		{ "[::ffff:192.0.2.77]:25", GUARD_SITE, "192.0.2.0/24" },
		{ "[2001:db8:1:2:3::4]:25", GUARD_SITE, "2001:db8:1::/48" },
		{ "[2001:db8:1:2ff:3::4]:25", GUARD_CUSTOMER, "2001:db8:1:200::/56" },
		{ "[::1]:25", GUARD_CUSTOMER, "::/56" },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		char text[GUARD_NETWORK_SIZE];
		struct net_prefix prefix;
		struct net_addr a;

		assert_int_equal(net_addr_parse(span_of(rows[i].address), 25, &a), 0);
		guard_network_text(&a, rows[i].width, text);
		assert_string_equal(text, rows[i].network);
		guard_network(&a, rows[i].width, &prefix);
		assert_true(net_prefix_contains(&prefix, &a));
	}
}

static void test_a_unix_socket(void **state)
{
	struct net_addr a = { .n = sizeof(sa_family_t), .un.sun_family = AF_UNIX };
	struct net_prefix prefix;

	guard_network(&a, GUARD_CUSTOMER, &prefix);
	assert_int_equal(prefix.bits, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_a_unix_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
