/* The PROXY protocol: what is accepted, what is refused, what stays readable. */
#include "io_test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      "\xc0\0\2\1\xc0\0\2\2\x30\x39\x01\xbb"
#define ADDR6_1   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define ADDR6_2   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define LONG_100 \
	"0123456789012345678901234567890123456789012345678901234567890123456789" \
	"012345678901234567890123456789"

static const struct {
	struct span bytes;
	int result;
	const char *source, *target; /* NULL: no addresses */
} rows[] = {
	/* version 1 */
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 12345 443\r\n"), 1, "192.0.2.1:12345", "192.0.2.2:443" },
	{ SPAN("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), 1, "[2001:db8::1]:0", "[2001:db8::2]:65535" },
	{ SPAN("PROXY UNKNOWN\r\n"), 1, NULL, NULL },
	{ SPAN("PROXY UNKNOWN ffff::1 what ever\r\n"), 1, NULL, NULL },
	{ SPAN("PROXY UNKNOWNX\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY \r\n"), -EPROTO, NULL, NULL },
	{ SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"), 0, NULL, NULL },
	{ SPAN("PROXY UNKNOWN " LONG_100), -EPROTO, NULL, NULL },
	{ SPAN("proxy UNKNOWN\r\n"), -EPROTO, NULL, NULL },
	{ SPAN("GET / HTTP/1.1\r\n"), -EPROTO, NULL, NULL },
	/* version 2 */
	{ SPAN(SIGNATURE "\x21\x11\0\x0c" TCP4), 1, "192.0.2.1:12345", "192.0.2.2:443" },
	{ SPAN(SIGNATURE "\x21\x11\0\x0f" TCP4 "tlv"), 1, "192.0.2.1:12345", "192.0.2.2:443" },
	{ SPAN(SIGNATURE "\x21\x21\0\x24" ADDR6_1 ADDR6_2 "\0\1\0\2"), 1, "[2001:db8::1]:1", "[2001:db8::2]:2" },
	{ SPAN(SIGNATURE "\x20\0\0\0"), 1, NULL, NULL },
	{ SPAN(SIGNATURE "\x20\x11\0\2ab"), 1, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\0\0\0"), 1, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\x12\0\x0c" TCP4), 1, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\x11\0\x0b" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\x21\0\x0c" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x11\x11\0\x0c" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x22\x11\0\x0c" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\x41\0\x0c" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\x13\0\x0c" TCP4), -EPROTO, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\0\xff\xff"), 0, NULL, NULL },
	{ SPAN(SIGNATURE "\x21\0\x02\x08"), 0, NULL, NULL },
	{ SPAN("\r\n\r\n\0\r\nQUIT\r"), -EPROTO, NULL, NULL },
};

/* What the extensions say of TLS, behind others, cut short, and of a client without. */
static void test_tls_at_the_balancer(void **state)
{
	static const struct {
		struct span bytes;
		bool tls;
	} with[] = {
		{ SPAN(SIGNATURE "\x21\x11\0\x0c" TCP4), false },
		{ SPAN(SIGNATURE "\x21\x11\0\x14" TCP4 "\x20\0\5\1\0\0\0\0"), true },
		{ SPAN(SIGNATURE "\x21\x11\0\x14" TCP4 "\x20\0\5\6\0\0\0\0"), false },
		{ SPAN(SIGNATURE "\x21\x11\0\x18" TCP4 "\2\0\1a\x20\0\5\1\0\0\0\0"), true },
		{ SPAN(SIGNATURE "\x21\x11\0\x14" TCP4 "\x20\0\6\1\0\0\0\0"), false },
		{ SPAN(SIGNATURE "\x20\x11\0\x14" TCP4 "\x20\0\5\1\0\0\0\0"), false },
	};

	(void)state;
	for (unsigned i = 0; i < array_len(with); i++) {
		struct proxy_header h;
		size_t used;

		assert_int_equal(proxy_header_parse(with[i].bytes, &h, &used), 1);
		if (h.tls != with[i].tls)
			fail_msg("row %u", i);
	}
}

static void test_headers(void **state)
{
	char text[NET_ADDR_SIZE];

	(void)state;
	for (unsigned i = 0; i < array_len(rows); i++) {
		struct proxy_header h;
		size_t used;
		int r = proxy_header_parse(rows[i].bytes, &h, &used);

		if (r != rows[i].result || h.has_addrs != !!rows[i].source)
			fail_msg("row %u: %d", i, r);
		if (r == 1)
			assert_int_equal(used, rows[i].bytes.n);
		if (!h.has_addrs)
			continue;
		net_addr_text(&h.source, text);
		assert_string_equal(text, rows[i].source);
		net_addr_text(&h.target, text);
		assert_string_equal(text, rows[i].target);
	}
}

static void assert_comes_back(const char *from, const char *to, bool known)
{
	_cleanup_(buf_done) struct buf header = BUF_INIT(128);
	struct proxy_header back;
	struct net_addr a, b;
	size_t used;

	assert_int_equal(net_addr_parse(span_of(from), -1, &a), 0);
	assert_int_equal(net_addr_parse(span_of(to), -1, &b), 0);
	proxy_header_write(&a, &b, &header);
	assert_int_equal(proxy_header_parse(buf_span(&header), &back, &used), 1);
	assert_int_equal(used, header.n);
	assert_int_equal(back.has_addrs, known);
	assert_true(!known || (net_addr_eq(&back.source, &a) && net_addr_eq(&back.target, &b)));
}

static void test_what_is_written_is_read(void **state)
{
	assert_comes_back("192.0.2.1:4711", "198.51.100.2:25", true);
	assert_comes_back("[2001:db8::1]:4711", "[2001:db8::2]:25", true);
	assert_comes_back("192.0.2.1:4711", "[2001:db8::2]:25", false);
}

static void test_every_cut_of_a_header_asks_for_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < array_len(rows); i++) {
		struct proxy_header h;
		size_t used;

		for (size_t n = 0; rows[i].result == 1 && n < rows[i].bytes.n; n++)
			assert_int_equal(proxy_header_parse(span_sub(rows[i].bytes, 0, n), &h, &used), 0);
	}
}

static void write_text(int fd, struct span s)
{
	assert_int_equal(write(fd, s.p, s.n), s.n);
}

static void write_in_pieces(void *arg)
{
	int fd = *(int *)arg;

	task_sleep(5);
	write_text(fd, SPAN("PROXY TCP4 192.0"));
	task_sleep(5);
	write_text(fd, SPAN(".2.1 192.0.2.2 12345 443\r"));
	task_sleep(5);
	write_text(fd, SPAN("\nGET /"));
}

static void read_header(void *arg)
{
	int peer;
	struct conn *c = io_conn_pair(&peer);
	char text[NET_ADDR_SIZE] = "";

	(void)arg;
	task_spawn("peer", write_in_pieces, &peer);
	assert_int_equal(conn_read_proxy(c, deadline_in(5000)), 0);
	net_addr_text(&c->peer, text);
	assert_string_equal(text, "192.0.2.1:12345");
	net_addr_host_text(&c->via, text);
	assert_string_equal(text, "127.0.0.1");
	memset(text, 0, sizeof(text));
	assert_int_equal(conn_recv(c, text, sizeof(text), deadline_in(5000)), 5);
	assert_string_equal(text, "GET /");
	conn_close(c);
	close(peer);
}

static void test_a_header_in_pieces(void **state)
{
	(void)state;
	io_run(read_header, NULL);
}

/* All 65,535 bytes: addresses, one extension that nobody knows, and that of TLS. */
static void write_long_header(void *arg)
{
	static char bytes[16 + 65535];
	size_t at = 16 + 12, filler = 65535 - 12 - 3 - 8;
	int fd = *(int *)arg;

	memcpy(bytes, SIGNATURE "\x21\x11\xff\xff" TCP4, at);
	bytes[at] = 5;
	bytes[at + 1] = (char)(filler >> 8);
	bytes[at + 2] = (char)filler;
	memcpy(bytes + at + 3 + filler, "\x20\0\5\1\0\0\0\0", 8);
	for (size_t sent = 0; sent < sizeof(bytes); task_sleep(1)) {
		ssize_t n =
			send(fd, bytes + sent, sizeof(bytes) - sent < 9000 ? sizeof(bytes) - sent : 9000, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
	}
}

static void bad_headers(void *arg)
{
	int peer;
	struct conn *c = io_conn_pair(&peer);

	(void)arg;
	/* Silence, then half a header, then the end. */
	assert_int_equal(conn_read_proxy(c, deadline_in(5)), -ETIMEDOUT);
	write_text(peer, SPAN("PROXY TC"));
	assert_int_equal(conn_read_proxy(c, deadline_in(5)), -ETIMEDOUT);
	shutdown(peer, SHUT_WR);
	assert_int_equal(conn_read_proxy(c, deadline_in(5000)), -EPROTO);
	conn_close(c);
	close(peer);
	/* The end at once. */
	c = io_conn_pair(&peer);
	close(peer);
	assert_int_equal(conn_read_proxy(c, deadline_in(5000)), -EPROTO);
	conn_close(c);
	/* As long as it can be, in pieces. */
	c = io_conn_pair(&peer);
	task_spawn("peer", write_long_header, &peer);
	assert_int_equal(conn_read_proxy(c, deadline_in(5000)), 0);
	assert_true(c->tls_before && net_addr_port(&c->peer) == 12345);
	conn_close(c);
	close(peer);
	/* LOCAL: the balancer's own check. */
	c = io_conn_pair(&peer);
	write_text(peer, SPAN(SIGNATURE "\x20\0\0\0"));
	assert_int_equal(conn_read_proxy(c, deadline_in(5000)), 0);
	assert_int_equal(c->via.n, 0);
	conn_close(c);
	close(peer);
}

static void test_bad_headers_on_a_connection(void **state)
{
	(void)state;
	io_run(bad_headers, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_tls_at_the_balancer),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_every_cut_of_a_header_asks_for_more),
		cmocka_unit_test(test_a_header_in_pieces),
		cmocka_unit_test(test_bad_headers_on_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
