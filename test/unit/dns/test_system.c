/* /etc/resolv.conf and /etc/hosts (resolv.conf(5), hosts(5)), tidy and not. */
#include "dns/resolver_priv.h"
#include "dns_test.h"

static void assert_candidates(const struct system_conf *c, const char *name, const char *want)
{
	struct buf all = BUF_INIT(1024);
	char text[DNS_NAME_TEXT_SIZE];
	struct dns_name one;

	for (unsigned i = 0; system_conf_candidate(c, span_of(name), i, &one); i++) {
		dns_name_text(&one, text);
		buf_addf(&all, "%s%s", i ? " " : "", text);
	}
	assert_string_equal(all.n ? buf_text(&all) : "", want);
	buf_done(&all);
}

static void test_resolv_conf(void **state)
{
	struct system_conf *c = system_conf_parse(SPAN("# by hand\n"
						       "; also by hand\n"
						       "nameserver 192.0.2.1 # the near one\n"
						       "nameserver\t2001:db8::1\r\n"
						       "nameserver fe80::1%eth0\n"
						       "nameserver somewhere\n"
						       "nameserver\n"
						       "search example.de Example.com\n"
						       "options rotate ndots:2 timeout:1\n"
						       "sortlist 10.0.0.0\n"),
		SPAN(""));
	struct net_addr servers[DNS_UPSTREAMS_MAX];
	char text[NET_ADDR_SIZE];

	(void)state;
	assert_int_equal(system_conf_servers(c, servers), 2);
	net_addr_text(&servers[0], text);
	assert_string_equal(text, "192.0.2.1:53");
	net_addr_text(&servers[1], text);
	assert_string_equal(text, "[2001:db8::1]:53");
	assert_candidates(c, "app", "app.example.de app.example.com app");
	/* A dot: it is meant as it stands, whatever ndots says. */
	assert_candidates(c, "a.app", "a.app");
	assert_candidates(c, "WWW.a.app", "www.a.app");
	assert_candidates(c, "www.a.app.", "www.a.app");
	assert_candidates(c, "app.", "app");
	assert_candidates(c, "a..b", "");
	system_conf_unref(c);
}

static void test_nothing_said(void **state)
{
	struct system_conf *c = system_conf_parse(SPAN(""), SPAN(""));
	struct net_addr servers[DNS_UPSTREAMS_MAX];
	char text[NET_ADDR_SIZE];

	(void)state;
	/* resolv.conf(5): then the one on this machine. */
	assert_int_equal(system_conf_servers(c, servers), 1);
	net_addr_text(&servers[0], text);
	assert_string_equal(text, "127.0.0.1:53");
	assert_candidates(c, "app", "app");
	assert_int_equal(system_conf_hosts(c, SPAN("app"), servers, 1), 0);
	assert_null(system_conf_unref(c));
	assert_null(system_conf_unref(NULL));
}

static void test_more_than_fits(void **state)
{
	struct buf text = BUF_INIT(65536);
	struct net_addr servers[DNS_UPSTREAMS_MAX];
	struct system_conf *c;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		buf_addf(&text, "nameserver 192.0.2.%u\n", i);
	buf_add_text(&text, "search");
	for (unsigned i = 0; i < 40; i++)
		buf_addf(&text, " s%u.example", i);
	buf_add_text(&text, "\noptions ndots:99999999999999999999 ndots:99\n");
	c = system_conf_parse(buf_span(&text), SPAN(""));
	assert_int_equal(system_conf_servers(c, servers), DNS_UPSTREAMS_MAX);
	assert_candidates(c, "a",
		"a.s0.example a.s1.example a.s2.example a.s3.example a.s4.example a.s5.example a.s6.example a.s7.example a");
	system_conf_unref(c);
	buf_done(&text);
}

static void test_hosts(void **state)
{
	struct system_conf *c = system_conf_parse(SPAN(""),
		SPAN("127.0.0.1 localhost\n"
		     "::1\tlocalhost ip6-localhost # both\n"
		     "192.0.2.7 App.example.de app\n"
		     "# 192.0.2.8 app\n"
		     "192.0.2.9\n"
		     "nonsense app\n"
		     "192.0.2.10   app"));
	struct net_addr a[4];
	char text[NET_ADDR_SIZE];

	(void)state;
	assert_int_equal(system_conf_hosts(c, SPAN("localhost"), a, 4), 2);
	assert_int_equal(system_conf_hosts(c, SPAN("localhost"), a, 1), 1);
	assert_int_equal(system_conf_hosts(c, SPAN("APP.EXAMPLE.DE"), a, 4), 1);
	assert_int_equal(system_conf_hosts(c, SPAN("app"), a, 4), 2);
	assert_int_equal(system_conf_hosts(c, SPAN("app.example.de."), a, 4), 1);
	net_addr_host_text(&a[1], text);
	assert_string_equal(text, "192.0.2.10");
	assert_int_equal(system_conf_hosts(c, SPAN("example.de"), a, 4), 0);
	system_conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolv_conf),
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_more_than_fits),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
