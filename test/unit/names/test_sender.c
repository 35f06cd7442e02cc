/*
 * Answers that find the socket's send queue full. Over the loopback device no UDP socket ever fills
 * (packets are the receiver's at once), so the edge listens on a datagram socket of the AF_UNIX
 * family here, with the smallest send buffer, and a client that reads when it likes: there the
 * queue is full after a few answers, and has room again when he reads.
 */
#include "edge_test.h"

#define ALL         2000
#define ANSWER_SIZE 100

struct client {
	int server, fd;
	struct names_listener *listener;
	struct names_way way;
};

static int bind_anywhere(struct net_addr *ret)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	sa_family_t family = AF_UNIX;

	/* The kernel picks a name. */
	assert_int_equal(bind(fd, (struct sockaddr *)&family, sizeof(family)), 0);
	ret->n = sizeof(ret->un);
	assert_int_equal(getsockname(fd, &ret->sa, &ret->n), 0);
	return fd;
}

static void client_start(struct edge *e, struct client *c)
{
	struct net_addr server, client;
	int small = 1;

	c->server = bind_anywhere(&server);
	c->fd = bind_anywhere(&client);
	assert_int_equal(setsockopt(c->server, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	names_edge.listen(e->names, 0, c->server, EDGE_DATAGRAMS);
	c->listener = container_of(e->names->threads[0].listeners.prev, struct names_listener, link);
	names_way_init(&c->way, &(struct msghdr){ .msg_name = &client.sa, .msg_namelen = client.n });
	/* Who has no address is allowed nothing: each question is refused at once. */
	assert_int_equal(connect(c->fd, &server.sa, server.n), 0);
}

/* False: the server does not read. */
static bool try_question(struct client *c, uint16_t id)
{
	uint8_t out[DNS_QUERY_MAX];
	size_t n = write_question("example.test", DNS_TYPE_A, id, out);

	return send(c->fd, out, n, 0) == (ssize_t)n;
}

static void assert_next(struct client *c, unsigned id)
{
	uint8_t answer[DNS_UDP_MAX];

	while (recv(c->fd, answer, sizeof(answer), 0) < 0)
		assert_int_equal(task_yield(), 0);
	assert_int_equal(dns_get_u16(answer), id & 0xffff);
}

static void send_late(struct client *c, unsigned id, size_t n)
{
	uint8_t answer[DNS_UDP_MAX] = { (uint8_t)(id >> 8), (uint8_t)id, DNS_QR >> 8 };

	names_send(c->listener, &c->way, answer, n);
}

static void unlisten(struct edge *e, struct client *c)
{
	names_edge.unlisten(e->names, 0, c->server);
	task_sleep(1);
	close(c->server);
}

/* ---- */

static void at_once(struct edge *e)
{
	uint64_t later = stat_read(STAT_NAMES_SENT_LATER), lost = stat_read(STAT_NAMES_SEND_ERRORS);
	unsigned asked = 0, heard = 0;
	struct client c;

	client_start(e, &c);
	while (heard < ALL) {
		/* When the server does not read any more, it is for the answers that nobody
		 * takes. */
		for (unsigned idle = 0; asked < ALL && idle < 5;) {
			if (try_question(&c, (uint16_t)asked))
				asked++;
			else
				task_sleep(1), idle++;
		}
		for (; heard < asked; heard++)
			assert_next(&c, heard);
	}
	assert_true(stat_read(STAT_NAMES_SENT_LATER) > later);
	assert_int_equal(stat_read(STAT_NAMES_SEND_ERRORS), lost);
	unlisten(e, &c);
	close(c.fd);
}

static void test_answers_of_a_batch(void **state)
{
	(void)state;
	edge_run(at_once);
}

static void late(struct edge *e)
{
	uint64_t lost = stat_read(STAT_NAMES_SEND_ERRORS);
	struct client c;

	client_start(e, &c);
	for (unsigned i = 0; i < ALL; i++)
		send_late(&c, i, ANSWER_SIZE);
	assert_true(names_edge.busy(e->names) > ALL / 2);
	for (unsigned i = 0; i < ALL; i++)
		assert_next(&c, i);
	assert_int_equal(names_edge.busy(e->names), 0);
	assert_int_equal(c.listener->unsent_bytes, 0);
	/* And then at once again. */
	send_late(&c, 7, ANSWER_SIZE);
	assert_int_equal(names_edge.busy(e->names), 0);
	assert_next(&c, 7);
	assert_int_equal(stat_read(STAT_NAMES_SEND_ERRORS), lost);
	unlisten(e, &c);
	close(c.fd);
}

static void test_answers_that_come_late(void **state)
{
	(void)state;
	edge_run(late);
}

/* What comes first is kept, what finds the queue full is counted. */
static void too_many(struct edge *e)
{
	uint64_t before = stat_read(STAT_NAMES_SEND_ERRORS), lost;
	unsigned all = 10000;
	struct client c;

	client_start(e, &c);
	for (unsigned i = 0; i < all; i++)
		send_late(&c, i, DNS_UDP_MAX);
	lost = stat_read(STAT_NAMES_SEND_ERRORS) - before;
	assert_in_range(lost, 1, all / 2);
	assert_true(c.listener->unsent_bytes <= 8u << 20);
	for (unsigned i = 0; i < all - lost; i++)
		assert_next(&c, i);
	assert_int_equal(names_edge.busy(e->names), 0);
	unlisten(e, &c);
	close(c.fd);
}

static void test_too_many_for_the_queue(void **state)
{
	(void)state;
	edge_run(too_many);
}

static void at_the_end(struct edge *e)
{
	struct client c;

	client_start(e, &c);
	for (unsigned i = 0; i < ALL; i++)
		send_late(&c, i, ANSWER_SIZE);
	/* First the address goes, then the whole process wants to. */
	unlisten(e, &c);
	names_edge.drain(e->names);
	task_sleep(1);
	assert_true(names_edge.busy(e->names) > 0);
	for (unsigned i = 0; i < ALL; i++)
		assert_next(&c, i);
	assert_int_equal(names_edge.busy(e->names), 0);
	close(c.fd);
}

static void test_the_end_waits_for_them(void **state)
{
	(void)state;
	edge_run(at_the_end);
}

static void nobody_there(struct edge *e)
{
	uint64_t before = stat_read(STAT_NAMES_SEND_ERRORS);
	struct client c;

	client_start(e, &c);
	for (unsigned i = 0; i < ALL; i++)
		send_late(&c, i, ANSWER_SIZE);
	close(c.fd);
	while (names_edge.busy(e->names) > 0)
		task_sleep(1);
	assert_in_range(stat_read(STAT_NAMES_SEND_ERRORS) - before, ALL / 2, ALL);
	unlisten(e, &c);
}

static void test_a_client_that_goes(void **state)
{
	(void)state;
	edge_run(nobody_there);
}

/* A process that is told to end at once leaves nothing behind, whatever waits. */
static void cut_off(struct edge *e)
{
	struct client c;

	client_start(e, &c);
	for (unsigned i = 0; i < ALL; i++)
		send_late(&c, i, ANSWER_SIZE);
	task_cancel(c.listener->sender);
	while (names_edge.busy(e->names) > 0)
		task_sleep(1);
	for (unsigned i = 0; i < ALL; i++)
		send_late(&c, i, ANSWER_SIZE);
	assert_int_equal(names_edge.busy(e->names), 0);
	unlisten(e, &c);
	close(c.fd);
}

static void test_an_end_at_once(void **state)
{
	(void)state;
	edge_run(cut_off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_a_batch),
		cmocka_unit_test(test_answers_that_come_late),
		cmocka_unit_test(test_too_many_for_the_queue),
		cmocka_unit_test(test_the_end_waits_for_them),
		cmocka_unit_test(test_a_client_that_goes),
		cmocka_unit_test(test_an_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
