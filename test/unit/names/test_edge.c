/*
 * The DNS edge over real sockets, with an upstream that does as it is told: our names, what is
 * forwarded, who waits when a listener goes or the process ends. Nobody is left without an answer.
 */
#include "edge_test.h"

static int connect_udp(struct edge *e)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, &e->addr.sa, e->addr.n), 0);
	return fd;
}

static void send_question(int fd, const char *name, uint16_t type, uint16_t id)
{
	uint8_t out[DNS_QUERY_MAX];
	size_t n = write_question(name, type, id, out);

	assert_int_equal(send(fd, out, n, 0), n);
}

static void receive(int fd, struct heard *h)
{
	struct dns_reader r;
	ssize_t n;

	while ((n = recv(fd, h->p, sizeof(h->p), MSG_DONTWAIT)) < 0)
		assert_int_equal(task_sleep(1), 0);
	h->n = (size_t)n;
	dns_reader_init(&r, span_make(h->p, h->n));
	dns_read_header(&r, &h->h);
	assert_false(r.error);
}

static void ask(struct edge *e, const char *name, uint16_t type, struct heard *h)
{
	int fd = connect_udp(e);

	send_question(fd, name, type, 7);
	receive(fd, h);
	close(fd);
	assert_int_equal(h->h.id, 7);
	assert_true(h->h.flags & DNS_QR);
}

/* Answers and authority of what was heard: "TYPE TYPE | TYPE"; with its response code before. */
static void assert_heard(const struct heard *h, const char *want)
{
	struct buf text = BUF_INIT(4096);
	struct dns_reader r;
	struct dns_header header;
	struct dns_question q;
	struct dns_record record;

	dns_reader_init(&r, span_make(h->p, h->n));
	dns_read_header(&r, &header);
	buf_add_text(&text, dns_rcode_text(header.flags & DNS_RCODE));
	for (unsigned i = 0; i < header.questions; i++)
		dns_read_question(&r, &q);
	for (unsigned i = 0; i < header.answers + header.authorities; i++) {
		dns_read_record(&r, &record);
		buf_addf(&text, "%s%s", i == header.answers ? " | " : " ", dns_type_text(record.type));
		if (record.type == DNS_TYPE_A)
			buf_addf(&text, "=%u.%u", h->p[record.rdata_at], h->p[record.rdata_at + 3]);
	}
	assert_false(r.error);
	assert_string_equal(buf_text(&text), want);
	buf_done(&text);
}

static void assert_answer(struct edge *e, const char *name, uint16_t type, const char *want)
{
	struct heard h;

	ask(e, name, type, &h);
	assert_heard(&h, want);
}

/* ---- our names ---- */

static void ours(struct edge *e)
{
	struct heard h;

	ask(e, "WWW.Example.test", DNS_TYPE_A, &h);
	assert_true(h.h.flags & DNS_AA);
	assert_memory_equal(h.p + DNS_HEADER_SIZE, "\3WWW\7Example\4test", 18);
	assert_int_equal(h.h.answers, 2);
	assert_answer(e, "example.test", DNS_TYPE_AAAA, "NOERROR AAAA");
	assert_answer(e, "example.test", DNS_TYPE_MX, "NOERROR | SOA");
	assert_answer(e, "example.test", DNS_TYPE_SOA, "NOERROR SOA");
	assert_answer(e, "www.example.test", DNS_TYPE_SOA, "NOERROR | SOA");
	assert_answer(e, "example.test", DNS_TYPE_ANY, "NOERROR HINFO");
	assert_answer(e, "x.wild.test", DNS_TYPE_AAAA, "NOERROR AAAA");
	assert_answer(e, "example.test", DNS_TYPE_AXFR, "REFUSED");
	assert_int_equal(e->upstream.asked, 0);
	/* A star is one label; its parent, mail domains and names below are the public DNS's
	 * business. */
	assert_answer(e, "x.y.wild.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "wild.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "mail.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "ftp.example.test", DNS_TYPE_A, "NOERROR A=192.1");
}

static void test_our_names(void **state)
{
	(void)state;
	edge_run(ours);
}

static void turns(struct edge *e)
{
	unsigned first[2] = { 0, 0 };
	struct heard h;

	for (unsigned i = 0; i < 8; i++) {
		ask(e, "example.test", DNS_TYPE_A, &h);
		first[h.p[DNS_HEADER_SIZE + 18 + 15] == 11]++;
	}
	assert_int_equal(first[0], 4);
	assert_int_equal(first[1], 4);
}

static void test_another_address_first_each_time(void **state)
{
	(void)state;
	edge_run(turns);
}

static void named(struct edge *e)
{
	assert_answer(e, "named.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "named.test", DNS_TYPE_AAAA, "NOERROR | SOA");
	assert_answer(e, "named.test", DNS_TYPE_MX, "NOERROR | SOA");
	e->upstream.script = NX;
	e->upstream.asked = 0;
	assert_answer(e, "named.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_int_equal(e->upstream.asked, 0);
}

/* One look-up for all who ask, and one answer for each. */
static void named_by_many(struct edge *e)
{
	int fd = connect_udp(e);
	struct heard h;

	e->upstream.script = SLOW;
	for (uint16_t i = 0; i < 50; i++)
		send_question(fd, "named.test", i % 2 ? DNS_TYPE_A : DNS_TYPE_AAAA, i);
	for (unsigned i = 0; i < 50; i++) {
		receive(fd, &h);
		assert_heard(&h, h.h.id % 2 ? "NOERROR A=192.1" : "NOERROR | SOA");
	}
	assert_true(e->upstream.asked <= 8);
	close(fd);
}

/* The last bytes of all addresses, in increasing order, and the least TTL. */
static void assert_addresses(struct edge *e, const char *name, const char *want, uint32_t ttl)
{
	struct buf text = BUF_INIT(4096);
	struct dns_question q;
	struct dns_record record;
	struct dns_reader r;
	bool seen[256] = { false };
	struct heard h;

	ask(e, name, DNS_TYPE_A, &h);
	dns_reader_init(&r, span_make(h.p, h.n));
	dns_read_header(&r, &h.h);
	dns_read_question(&r, &q);
	for (unsigned i = 0; i < h.h.answers; i++) {
		dns_read_record(&r, &record);
		assert_int_equal(record.type, DNS_TYPE_A);
		assert_false(seen[h.p[record.rdata_at + 3]]);
		seen[h.p[record.rdata_at + 3]] = true;
		assert_true(record.ttl <= ttl && record.ttl + 2 >= ttl);
	}
	for (unsigned i = 0; i < 256; i++)
		if (seen[i])
			buf_addf(&text, "%s%u", text.n ? " " : "", i);
	assert_string_equal(buf_text(&text), want);
	buf_done(&text);
}

/* Hosts beside addresses, hosts that are names of ours, a circle of these. */
static void mixed(struct edge *e)
{
	e->upstream.ttl = 7;
	assert_addresses(e, "mixed.test", "1 10 11 30", 7);
	assert_int_equal(e->upstream.asked, 1);
	assert_answer(e, "circle.test", DNS_TYPE_A, "NOERROR A=192.1");
	assert_addresses(e, "www.example.test", "10 11", 30);
}

/* One that cannot be looked up takes the others nothing, but for the time they are believed. */
static void mixed_in_part(struct edge *e)
{
	e->upstream.script = SERVFAIL;
	assert_addresses(e, "mixed.test", "10 11 30", 5);
	assert_answer(e, "named.test", DNS_TYPE_A, "SERVFAIL");
	/* NODATA is an answer. */
	assert_answer(e, "mixed.test", DNS_TYPE_MX, "NOERROR | SOA");
}

/* An answer of before does for a while; then it says so. */
static void named_stale(struct edge *e)
{
	struct heard h;

	e->upstream.ttl = 1;
	assert_addresses(e, "named.test", "1", 1);
	task_sleep(1100);
	e->upstream.script = SERVFAIL;
	ask(e, "named.test", DNS_TYPE_A, &h);
	assert_heard(&h, "NOERROR A=192.1");
	assert_int_equal(dns_response_ede(span_make(h.p, h.n)), DNS_EDE_STALE);
}

static void test_origins_of_all_kinds(void **state)
{
	(void)state;
	helper_start(1);
	edge_run(mixed);
	edge_run(mixed_in_part);
	edge_run(named_stale);
	helper_stop();
}

/* Never asked elsewhere: RFC 6761 6.3, 6303. */
static void special(struct edge *e)
{
	static const struct {
		const char *name;
		uint16_t type;
		const char *want;
	} cases[] = {
		{ "localhost", DNS_TYPE_A, "NOERROR A=127.1" },
		{ "LocalHost", DNS_TYPE_AAAA, "NOERROR AAAA" },
		{ "a.b.localhost", DNS_TYPE_A, "NOERROR A=127.1" },
		{ "localhost", DNS_TYPE_MX, "NOERROR | SOA" },
		{ "localhost", DNS_TYPE_PTR, "NOERROR | SOA" },
		{ "1.0.0.127.in-addr.arpa", DNS_TYPE_PTR, "NOERROR PTR" },
		{ "1.0.0.127.in-addr.arpa", DNS_TYPE_A, "NOERROR | SOA" },
		{ "2.0.0.127.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", DNS_TYPE_PTR,
			"NOERROR PTR" },
		{ "5.0.0.10.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "10.in-addr.arpa", DNS_TYPE_SOA, "NOERROR SOA" },
		{ "10.in-addr.arpa", DNS_TYPE_NS, "NOERROR | SOA" },
		{ "1.1.16.172.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "1.1.31.172.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "1.168.192.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "9.100.100.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "0.0.d.f.ip6.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
		{ "0.b.e.f.ip6.arpa", DNS_TYPE_PTR, "NXDOMAIN | SOA" },
	};
	static const char *const others[] = { "32.172.in-addr.arpa", "15.172.in-addr.arpa", "128.100.in-addr.arpa",
		"11.in-addr.arpa", "in-addr.arpa", "arpa", "0.c.e.f.ip6.arpa", "localhost.example", "xlocalhost" };

	for (unsigned i = 0; i < array_len(cases); i++)
		assert_answer(e, cases[i].name, cases[i].type, cases[i].want);
	assert_int_equal(e->upstream.asked, 0);
	for (unsigned i = 0; i < array_len(others); i++)
		assert_answer(e, others[i], DNS_TYPE_A, "NOERROR A=192.1");
	assert_int_equal(e->upstream.asked, array_len(others));
}

static void test_names_of_every_machine(void **state)
{
	(void)state;
	edge_run(special);
}

/* Without an answer it is SERVFAIL, in time. */
static void named_by_nobody(struct edge *e)
{
	e->upstream.script = SILENT;
	assert_answer(e, "named.test", DNS_TYPE_A, "SERVFAIL");
}

static void test_an_origin_that_is_a_host_name(void **state)
{
	(void)state;
	helper_start(1);
	edge_run(named);
	edge_run(named_by_many);
	edge_run(named_by_nobody);
	helper_stop();
}

/* ---- the rest ---- */

static void forwarded(struct edge *e)
{
	struct dns_question q = dns_question_of("other.example", DNS_TYPE_A);
	uint8_t out[DNS_QUERY_MAX];
	struct heard h;
	int fd;

	assert_answer(e, "other.example", DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "OTHER.example", DNS_TYPE_A, "NOERROR A=192.1");
	assert_int_equal(e->upstream.asked, 1);
	e->upstream.script = NX;
	assert_answer(e, "nix.example", DNS_TYPE_A, "NXDOMAIN | SOA");
	/* Who wants no recursion is no client of a resolver. */
	fd = connect_udp(e);
	assert_true(send(fd, out, dns_query_write(&q, 7, 0, NULL, out), 0) > 0);
	receive(fd, &h);
	assert_heard(&h, "REFUSED");
	/* An answer is answered by nobody: the question behind it is. */
	assert_true(send(fd, out, dns_query_write(&q, 8, DNS_QR, NULL, out), 0) > 0);
	assert_true(send(fd, out, dns_query_write(&q, 9, DNS_RD, NULL, out), 0) > 0);
	receive(fd, &h);
	assert_int_equal(h.h.id, 9);
	close(fd);
}

static void test_what_is_not_ours(void **state)
{
	(void)state;
	edge_run(forwarded);
}

static void nobody_to_ask(struct edge *e)
{
	e->forward = false;
	edge_publish(e);
	assert_answer(e, "other.example", DNS_TYPE_A, "REFUSED");
	assert_answer(e, "example.test", DNS_TYPE_AAAA, "NOERROR AAAA");
}

static void test_without_upstreams(void **state)
{
	(void)state;
	helper_start(1);
	edge_run(nobody_to_ask);
	helper_stop();
}

static void back_home(struct edge *e)
{
	char secret[DNS_NAME_TEXT_SIZE];
	struct dns_name old;

	/* A test that is over proves nothing: anybody may have seen its name. */
	while (e->upstream.secret.n == 0)
		task_sleep(5);
	task_sleep(50);
	old = e->upstream.secret;
	dns_name_text(&old, secret);
	assert_answer(e, secret, DNS_TYPE_A, "NOERROR A=192.1");
	assert_answer(e, "some.example", DNS_TYPE_A, "NOERROR A=192.1");
	e->upstream.asked = 0;
	e->upstream.probe = SILENT;
	while (dns_name_eq(&e->upstream.secret, &old))
		task_sleep(5);
	dns_name_text(&e->upstream.secret, secret);
	assert_answer(e, secret, DNS_TYPE_A, "REFUSED");
	/* Now nobody is left to be asked, which is said at once. */
	assert_answer(e, "other.example", DNS_TYPE_A, "SERVFAIL");
	assert_int_equal(e->upstream.asked, 0);
}

static void test_a_loop_of_questions(void **state)
{
	(void)state;
	edge_run(back_home);
}

/* ---- those who wait ---- */

static void end_while_waiting(struct edge *e)
{
	int fd = connect_udp(e);
	struct heard h;

	e->upstream.script = SILENT;
	send_question(fd, "slow.example", DNS_TYPE_A, 9);
	while (names_edge.busy(e->names) == 0)
		task_sleep(1);
	/* The address goes away, and with it the caller's socket. */
	names_edge.unlisten(e->names, 0, e->udp);
	task_sleep(1);
	close(e->udp);
	e->udp = -1;
	receive(fd, &h);
	assert_heard(&h, "SERVFAIL");
	assert_int_equal(h.h.id, 9);
	close(fd);
}

static void test_a_listener_ends_while_somebody_waits(void **state)
{
	(void)state;
	edge_run(end_while_waiting);
}

static void stop_while_waiting(struct edge *e)
{
	int fd = connect_udp(e);
	struct heard h;

	e->upstream.script = SILENT;
	send_question(fd, "slow.example", DNS_TYPE_A, 9);
	while (names_edge.busy(e->names) == 0)
		task_sleep(1);
	names_edge.drain(e->names);
	receive(fd, &h);
	assert_heard(&h, "SERVFAIL");
	close(fd);
}

static void test_the_end_while_somebody_waits(void **state)
{
	(void)state;
	edge_run(stop_while_waiting);
}

#define FLOOD 100 /* what the client's own queue holds at once */

static void flood(struct edge *e)
{
	int fd = connect_udp(e);
	bool seen[FLOOD] = { false };
	char name[32];
	struct heard h;

	e->upstream.script = SILENT;
	for (unsigned i = 0; i < FLOOD; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		send_question(fd, name, DNS_TYPE_A, (uint16_t)i);
	}
	for (unsigned i = 0; i < FLOOD; i++) {
		receive(fd, &h);
		assert_true(h.h.id < FLOOD && !seen[h.h.id]);
		seen[h.h.id] = true;
		assert_heard(&h, "SERVFAIL");
	}
	close(fd);
}

static void test_everybody_is_answered(void **state)
{
	(void)state;
	edge_run(flood);
}

/* ---- TCP ---- */

static int connect_tcp(struct edge *e)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, &e->addr.sa, e->addr.n), 0);
	return fd;
}

static size_t frame(const char *name, uint16_t id, uint8_t *out)
{
	size_t n = write_question(name, DNS_TYPE_A, id, out + 2);

	dns_put_u16(out, (uint16_t)n);
	return n + 2;
}

static void read_exactly(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t r = recv(fd, p, n, MSG_DONTWAIT);

		if (r < 0) {
			assert_int_equal(task_sleep(1), 0);
			continue;
		}
		assert_true(r > 0);
		p += r;
		n -= (size_t)r;
	}
}

static uint16_t read_frame(int fd, struct heard *h)
{
	uint8_t length[2];

	read_exactly(fd, length, 2);
	h->n = dns_get_u16(length);
	assert_true(h->n <= sizeof(h->p));
	read_exactly(fd, h->p, h->n);
	return dns_get_u16(h->p);
}

static void pipeline(struct edge *e)
{
	uint8_t out[3 * (2 + DNS_QUERY_MAX)];
	struct heard h;
	int fd = connect_tcp(e);
	size_t n;

	/* The slow one comes last, whatever the order of the questions. */
	e->upstream.script = SLOW;
	n = frame("slow.example", 1, out);
	n += frame("example.test", 2, out + n);
	n += frame("www.example.test", 3, out + n);
	assert_int_equal(send(fd, out, n, 0), n);
	assert_int_equal(read_frame(fd, &h), 2);
	assert_int_equal(read_frame(fd, &h), 3);
	/* Who says that he will ask no more still gets his answer, and then the end. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(read_frame(fd, &h), 1);
	while (recv(fd, out, 1, MSG_DONTWAIT) < 0)
		task_sleep(1);
	assert_int_equal(recv(fd, out, 1, MSG_DONTWAIT), 0);
	close(fd);
}

static void test_many_questions_on_a_connection(void **state)
{
	(void)state;
	edge_run(pipeline);
}

/* Told once, and then it is over: who may not ask must not keep a connection. */
static void not_allowed(struct edge *e)
{
	struct sockaddr_in elsewhere = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000101) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint8_t out[2 * (2 + DNS_QUERY_MAX)];
	struct heard h;
	size_t n;

	assert_int_equal(bind(fd, (struct sockaddr *)&elsewhere, sizeof(elsewhere)), 0);
	assert_int_equal(connect(fd, &e->addr.sa, e->addr.n), 0);
	n = frame("example.test", 1, out);
	n += frame("example.test", 2, out + n);
	assert_int_equal(send(fd, out, n, 0), n);
	assert_int_equal(read_frame(fd, &h), 1);
	assert_heard(&h, "REFUSED");
	while (names_edge.busy(e->names) > 0)
		task_sleep(1);
	assert_true(recv(fd, out, 1, MSG_DONTWAIT) <= 0);
	close(fd);
}

static void test_who_may_not_ask(void **state)
{
	(void)state;
	edge_run(not_allowed);
}

static void byte_by_byte(struct edge *e)
{
	uint8_t out[2 + DNS_QUERY_MAX];
	struct heard h;
	int fd = connect_tcp(e);
	size_t n = frame("example.test", 5, out);

	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(send(fd, out + i, 1, 0), 1);
			if (i % 7 == 0)
				task_sleep(1);
		}
		assert_int_equal(read_frame(fd, &h), 5);
	}
	close(fd);
}

static void test_a_question_in_pieces(void **state)
{
	(void)state;
	edge_run(byte_by_byte);
}

static void gone(struct edge *e)
{
	uint8_t out[2 + DNS_QUERY_MAX];
	struct linger now = { .l_onoff = 1 };
	int fd = connect_tcp(e);
	size_t n = frame("slow.example", 5, out);

	/* Asks and is gone, by a reset: its question ends all the same, and nothing else does. */
	e->upstream.script = SLOW;
	assert_int_equal(send(fd, out, n, 0), n);
	while (names_edge.busy(e->names) < 2)
		task_sleep(1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	while (names_edge.busy(e->names) > 0)
		task_sleep(1);
	assert_answer(e, "example.test", DNS_TYPE_AAAA, "NOERROR AAAA");
}

static void test_a_client_that_is_gone(void **state)
{
	(void)state;
	edge_run(gone);
}

static void not_reading(struct edge *e)
{
	uint8_t out[2 + DNS_QUERY_MAX];
	int fd = connect_tcp(e), small = 1 << 16;
	size_t n = frame("example.test", 5, out), sent = 0;
	struct heard h;
	ssize_t r = 1;

	/* Asks and asks and takes no answer: at some time it is not read any more, and costs nobody
	 * anything. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (unsigned idle = 0; idle < 50; idle += r < 0) {
		r = send(fd, out + sent % n, n - sent % n, MSG_DONTWAIT);
		if (r > 0)
			sent += (size_t)r;
		if (r < 0)
			task_sleep(1);
	}
	assert_true(sent < 64 << 20);
	assert_answer(e, "example.test", DNS_TYPE_AAAA, "NOERROR AAAA");
	/* Takes them after all: every question that was sent whole has its answer. */
	for (size_t i = 0; i < sent / n; i++)
		assert_int_equal(read_frame(fd, &h), 5);
	close(fd);
}

static void test_a_client_that_takes_nothing(void **state)
{
	(void)state;
	edge_run(not_reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_names),
		cmocka_unit_test(test_another_address_first_each_time),
		cmocka_unit_test(test_an_origin_that_is_a_host_name),
		cmocka_unit_test(test_origins_of_all_kinds),
		cmocka_unit_test(test_names_of_every_machine),
		cmocka_unit_test(test_what_is_not_ours),
		cmocka_unit_test(test_without_upstreams),
		cmocka_unit_test(test_a_loop_of_questions),
		cmocka_unit_test(test_a_listener_ends_while_somebody_waits),
		cmocka_unit_test(test_the_end_while_somebody_waits),
		cmocka_unit_test(test_everybody_is_answered),
		cmocka_unit_test(test_many_questions_on_a_connection),
		cmocka_unit_test(test_who_may_not_ask),
		cmocka_unit_test(test_a_question_in_pieces),
		cmocka_unit_test(test_a_client_that_is_gone),
		cmocka_unit_test(test_a_client_that_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
