/* What is seen of a message that passes, split at every byte; sessions of a network. */
#include "mail/mail_priv.h"
#include "unit.h"

static void measure_split(struct span message, size_t at, struct mail_measure *ret)
{
	*ret = (struct mail_measure){ 0 };
	mail_measure(ret, span_sub(message, 0, at));
	mail_measure(ret, span_from(message, at));
}

static void test_received_lines(void **state)
{
	struct span message = SPAN("Received: a\r\n received: b\r\nRECEIVED:c\r\nX-Received: d\r\nReceived : e\r\n"
				   "Receive\r\nReceived:\r\n\r\nReceived: body\r\n");
	struct mail_measure measure;

	for (size_t at = 0; at <= message.n; at++) {
		measure_split(message, at, &measure);
		assert_int_equal(measure.received, 3);
		assert_int_equal(measure.bytes, message.n);
		assert_false(measure.eight_bit);
	}
}

static void test_eight_bits(void **state)
{
	char message[40];
	struct mail_measure measure;

	for (size_t bad = 0; bad < sizeof(message); bad++) {
		memset(message, 'x', sizeof(message));
		message[bad] = '\x80';
		for (size_t at = 0; at <= sizeof(message); at++) {
			measure_split(span_make(message, sizeof(message)), at, &measure);
			assert_true(measure.eight_bit);
		}
	}
}

static struct net_addr address(const char *text)
{
	struct net_addr a;

	assert_int_equal(net_addr_parse_host(span_of(text), &a), 0);
	return a;
}

static void test_networks(void **state)
{
	struct net_addr one = address("192.0.2.1"), neighbour = address("192.0.2.200"), other = address("192.0.3.1");
	struct net_addr six = address("2001:db8:1:ff::1"), six_neighbour = address("2001:db8:1:1::2"),
			six_other = address("2001:db8:1:100::1"), mapped = address("::ffff:192.0.2.9");
	struct networks *n = networks_new();

	assert_true(networks_enter(n, &one, 2));
	assert_true(networks_enter(n, &neighbour, 2));
	assert_false(networks_enter(n, &mapped, 2));
	assert_true(networks_enter(n, &other, 1));
	assert_true(networks_enter(n, &six, 1));
	assert_false(networks_enter(n, &six_neighbour, 1));
	assert_true(networks_enter(n, &six_other, 1));
	networks_leave(n, &one);
	assert_true(networks_enter(n, &mapped, 2));
	networks_leave(n, &mapped);
	networks_leave(n, &neighbour);
	networks_leave(n, &other);
	networks_leave(n, &six);
	assert_true(networks_enter(n, &six_neighbour, 1));
	networks_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received_lines),
		cmocka_unit_test(test_eight_bits),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
