/* Addresses and networks as text, listening, connecting. */
#include "base/span.h"
#include "io_test.h"

static void test_addresses_as_text(void **state)
{
	static const struct {
		const char *text;
		int default_port;
		const char *printed; /* NULL: refused */
		const char *host;
		int port;
	} rows[] = {
		{ "192.0.2.1:80", -1, "192.0.2.1:80", "192.0.2.1", 80 },
		{ "192.0.2.1", 443, "192.0.2.1:443", "192.0.2.1", 443 },
		{ "192.0.2.1:0", -1, "192.0.2.1:0", "192.0.2.1", 0 },
		{ "[2001:db8::1]:65535", -1, "[2001:db8::1]:65535", "2001:db8::1", 65535 },
		{ "[2001:db8::1]", 25, "[2001:db8::1]:25", "2001:db8::1", 25 },
		{ "2001:db8::1", 25, "[2001:db8::1]:25", "2001:db8::1", 25 },
		{ "[::ffff:192.0.2.1]:80", -1, "192.0.2.1:80", "192.0.2.1", 80 },
		{ "unix:/run/x", -1, "unix:/run/x", "unix:/run/x", 0 },
		{ "192.0.2.1", -1, NULL, NULL, 0 },
		{ "[2001:db8::1]", -1, NULL, NULL, 0 },
		{ "2001:db8::1", -1, NULL, NULL, 0 },
		{ "192.0.2.1:65536", -1, NULL, NULL, 0 },
		{ "192.0.2.1:", 80, NULL, NULL, 0 },
		{ "192.0.2.1:-1", 80, NULL, NULL, 0 },
		{ "192.0.2.1:8 0", 80, NULL, NULL, 0 },
		{ "192.0.2.256:80", -1, NULL, NULL, 0 },
		{ "192.0.2:80", -1, NULL, NULL, 0 },
		{ "[192.0.2.1]:80", -1, NULL, NULL, 0 },
		{ "[2001:db8::1]80", -1, NULL, NULL, 0 },
		{ "[2001:db8::1", 80, NULL, NULL, 0 },
		{ "2001:db8::1]:80", -1, NULL, NULL, 0 },
		{ "[]:80", -1, NULL, NULL, 0 },
		{ "[fe80::1%lo]:80", -1, NULL, NULL, 0 },
		{ "localhost:80", -1, NULL, NULL, 0 },
		{ ":80", -1, NULL, NULL, 0 },
		{ "", 80, NULL, NULL, 0 },
		{ "unix:", -1, NULL, NULL, 0 },
		{ "unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789",
			-1, NULL, NULL, 0 },
	};
	char text[NET_ADDR_SIZE];
	struct net_addr a;

	(void)state;
	for (unsigned i = 0; i < array_len(rows); i++) {
		int r = net_addr_parse(span_of(rows[i].text), rows[i].default_port, &a);

		if (r != (rows[i].printed ? 0 : -EINVAL))
			fail_msg("%s: %d", rows[i].text, r);
		if (r < 0)
			continue;
		net_addr_text(&a, text);
		assert_string_equal(text, rows[i].printed);
		net_addr_host_text(&a, text);
		assert_string_equal(text, rows[i].host);
		assert_int_equal(net_addr_port(&a), rows[i].port);
	}
	assert_int_equal(net_addr_parse((struct span){ "1.2.3.4\0:80", 11 }, -1, &a), -EINVAL);
	net_addr_text(&(struct net_addr){ 0 }, text);
	assert_string_equal(text, "-");
}

static struct net_addr addr(const char *text)
{
	struct net_addr a;

	assert_int_equal(net_addr_parse(span_of(text), 0, &a), 0);
	return a;
}

static void test_equal_addresses(void **state)
{
	struct net_addr a = addr("192.0.2.1:80"), mapped = addr("[::ffff:192.0.2.1]:80");
	struct net_addr other_port = addr("192.0.2.1:81"), v6 = addr("[2001:db8::1]:80");
	struct net_addr x = addr("unix:/x"), y = addr("unix:/y");

	(void)state;
	assert_true(net_addr_eq(&a, &mapped));
	assert_false(net_addr_eq(&a, &other_port));
	assert_true(net_addr_eq_host(&a, &other_port));
	assert_false(net_addr_eq_host(&a, &v6));
	assert_true(net_addr_eq(&x, &x));
	assert_false(net_addr_eq(&x, &y));
	assert_false(net_addr_eq(&x, &a));
}

static void test_networks(void **state)
{
	static const struct {
		const char *prefix, *inside, *outside;
	} rows[] = {
		{ "127.0.0.0/8", "127.255.0.1", "128.0.0.1" },
		{ "10.1.2.3/8", "10.9.9.9", "11.0.0.0" },
		{ "192.0.2.64/26", "192.0.2.127", "192.0.2.128" },
		{ "192.0.2.1", "192.0.2.1", "192.0.2.2" },
		{ "0.0.0.0/0", "203.0.113.9", "2001:db8::1" },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", "::192.0.2.9" },
		{ "::1", "::1", "::2" },
		{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
		{ "::/0", "192.0.2.1", "unix:/x" },
	};
	static const char *const bad[] = { "", "/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8/8",
		"localhost/8", "10.0.0.0/-1", "[::1]/128" };
	struct net_prefix p;

	(void)state;
	for (unsigned i = 0; i < array_len(rows); i++) {
		struct net_addr in = addr(rows[i].inside), out = addr(rows[i].outside);

		assert_int_equal(net_prefix_parse(span_of(rows[i].prefix), &p), 0);
		if (!net_prefix_contains(&p, &in) || net_prefix_contains(&p, &out))
			fail_msg("%s", rows[i].prefix);
	}
	for (unsigned i = 0; i < array_len(bad); i++)
		if (net_prefix_parse(span_of(bad[i]), &p) != -EINVAL)
			fail_msg("%s", bad[i]);
}

/* ---- sockets ---- */

static void connect_both(void *arg)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };

	(void)arg;
	for (unsigned i = 0; i < array_len(hosts); i++) {
		struct net_addr a;
		int listener = io_listen(hosts[i], &a), error, fd;
		struct conn *c = conn_connect(&a, deadline_in(5000), &error);

		assert_non_null(c);
		assert_true(net_addr_eq(&c->peer, &a));
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		close(fd);
		conn_close(c);
		close(listener);
		/* Nobody listens there any more. */
		assert_null(conn_connect(&a, deadline_in(5000), &error));
		assert_int_equal(error, -ECONNREFUSED);
	}
}

static void test_connecting(void **state)
{
	(void)state;
	io_run(connect_both, NULL);
}

/* An address whose packets vanish: nobody accepts, and once the queue is full the SYN is
 * dropped. */
struct full {
	struct net_addr addr;
	int listener, fd[8], n;
};

static void full_make(struct full *f)
{
	*f = (struct full){ .addr = addr("127.0.0.1:0") };
	f->listener = net_listen(&f->addr, false, 0, NULL);
	assert_true(f->listener >= 0);
	f->addr.n = sizeof(f->addr.un);
	assert_int_equal(getsockname(f->listener, &f->addr.sa, &f->addr.n), 0);
	do
		f->fd[f->n] = net_connect(&f->addr, deadline_in(100));
	while (f->fd[f->n] >= 0 && ++f->n < 8);
	assert_true(f->n < 8);
	assert_int_equal(f->fd[f->n], -ETIMEDOUT);
}

static void full_done(struct full *f)
{
	while (f->n > 0)
		close(f->fd[--f->n]);
	close(f->listener);
}

static void connect_to_full(void *arg)
{
	struct full f;

	(void)arg;
	full_make(&f);
	full_done(&f);
}

/* Of several addresses the first is dead, and the second answers: there is time left for it. */
static void connect_to_any(void *arg)
{
	struct net_addr a[2];
	int listener = io_listen("127.0.0.1", &a[1]), error;
	struct conn *c;
	struct full f;

	(void)arg;
	full_make(&f);
	a[0] = f.addr;
	assert_null(conn_connect_any(a, 1, deadline_in(100), &error));
	assert_int_equal(error, -ETIMEDOUT);
	c = conn_connect_any(a, 2, deadline_in(400), &error);
	assert_non_null(c);
	assert_true(net_addr_eq(&c->peer, &a[1]));
	conn_close(c);
	full_done(&f);
	close(listener);
}

static void test_connecting_to_one_of_several(void **state)
{
	(void)state;
	io_run(connect_to_any, NULL);
}

static void test_connecting_has_a_deadline(void **state)
{
	(void)state;
	io_run(connect_to_full, NULL);
}

static void test_listening_twice(void **state)
{
	struct net_addr a;
	int first = io_listen("127.0.0.1", &a), shared[2];
	struct fault fault;
	char text[NET_ADDR_SIZE];

	(void)state;
	assert_int_equal(net_listen(&a, false, 16, &fault), -EADDRINUSE);
	assert_int_equal(fault.code, FAULT_LISTEN_FAILED);
	net_addr_text(&a, text);
	assert_true(span_eq(fault_value(&fault, "address"), span_of(text)));
	assert_true(fault_value(&fault, "error").n > 0);
	close(first);
	shared[0] = net_listen(&a, true, 16, NULL);
	shared[1] = net_listen(&a, true, 16, NULL);
	assert_true(shared[0] >= 0 && shared[1] >= 0);
	assert_true(fcntl(shared[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(shared[0], F_GETFD) & FD_CLOEXEC);
	close(shared[0]);
	close(shared[1]);
}

static void unix_socket(void *arg)
{
	char folder[] = "/tmp/io-test-XXXXXX", text[NET_ADDR_SIZE];
	struct net_addr a;
	struct conn *c;
	int listener, error;

	(void)arg;
	assert_non_null(mkdtemp(folder));
	snprintf(text, sizeof(text), "unix:%s/sock", folder);
	a = addr(text);
	listener = net_listen(&a, true, 16, NULL);
	assert_true(listener >= 0);
	c = conn_connect(&a, deadline_in(1000), &error);
	assert_non_null(c);
	assert_true(net_addr_eq(&c->peer, &a));
	net_addr_text(&c->local, text);
	assert_string_equal(text, "unix:");
	conn_close(c);
	close(listener);
	unlink(a.un.sun_path);
	rmdir(folder);
}

static void test_unix_sockets(void **state)
{
	(void)state;
	io_run(unix_socket, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_as_text),
		cmocka_unit_test(test_equal_addresses),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_connecting_has_a_deadline),
		cmocka_unit_test(test_connecting_to_one_of_several),
		cmocka_unit_test(test_listening_twice),
		cmocka_unit_test(test_unix_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
