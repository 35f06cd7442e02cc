/* Connections over real sockets: slow peers, resets, half-closes, parking, fairness. */
#include "io_test.h"

static void soon(uint64_t ms)
{
	assert_int_equal(task_sleep(ms), 0);
}

/* ---- reading and writing ---- */

struct late {
	int fd;
	const char *text;
};

static void write_late(void *arg)
{
	struct late *late = arg;

	soon(10);
	assert_int_equal(write(late->fd, late->text, strlen(late->text)), strlen(late->text));
}

static void read_and_write(void *arg)
{
	struct late late = { .text = "hello" };
	struct conn *c = io_conn_pair(&late.fd);
	char text[16] = "";

	(void)arg;
	task_spawn("late", write_late, &late);
	assert_int_equal(conn_recv(c, text, sizeof(text), deadline_in(5000)), 5);
	assert_string_equal(text, "hello");
	/* Less came than was asked for: the next byte is an edge to come. */
	assert_true(c->drained);
	assert_false(c->fd.readable);
	assert_int_equal(conn_write(c, "world!", 6, deadline_in(5000)), 0);
	assert_int_equal(read(late.fd, text, sizeof(text)), 6);
	assert_int_equal(c->bytes_in, 5);
	assert_int_equal(c->bytes_out, 6);
	assert_true(net_addr_port(&c->peer) != 0 && net_addr_port(&c->local) != 0);
	assert_int_equal(c->via.n, 0);
	assert_null(conn_close(c));
	assert_int_equal(read(late.fd, text, sizeof(text)), 0);
	close(late.fd);
	assert_null(conn_close(NULL));
}

static void test_read_and_write(void **state)
{
	(void)state;
	io_run(read_and_write, NULL);
}

static void deadline_passes(void *arg)
{
	struct late late = { .text = "x" };
	struct conn *c = io_conn_pair(&late.fd);
	char byte;

	(void)arg;
	assert_int_equal(conn_recv(c, &byte, 1, deadline_in(10)), -ETIMEDOUT);
	assert_int_equal(conn_wait(c, deadline_in(10)), -ETIMEDOUT);
	assert_int_equal(conn_recv(c, &byte, 1, 0), -ETIMEDOUT);
	/* The connection is none the worse. */
	task_spawn("late", write_late, &late);
	assert_int_equal(conn_wait(c, deadline_in(5000)), 0);
	assert_int_equal(conn_recv(c, &byte, 1, deadline_in(5000)), 1);
	conn_close(c);
	close(late.fd);
}

static void test_a_deadline_ends_a_wait_and_nothing_else(void **state)
{
	(void)state;
	io_run(deadline_passes, NULL);
}

struct reader {
	struct conn *c;
	ssize_t got;
	bool done;
};

static void read_one(void *arg)
{
	struct reader *r = arg;
	char byte;

	r->got = conn_recv(r->c, &byte, 1, DEADLINE_NEVER);
	r->done = true;
}

static void cancel_reader(void *arg)
{
	int peer;
	struct reader r = { .c = io_conn_pair(&peer) };
	struct task *t = task_spawn("reader", read_one, &r);

	(void)arg;
	soon(5);
	task_cancel(t);
	task_yield();
	assert_true(r.done);
	assert_int_equal(r.got, -ECANCELED);
	conn_close(r.c);
	close(peer);
}

static void test_a_reader_can_be_cancelled(void **state)
{
	(void)state;
	io_run(cancel_reader, NULL);
}

static void close_under_reader(void *arg)
{
	int peer;
	struct reader r = { .c = io_conn_pair(&peer) };

	(void)arg;
	task_spawn("reader", read_one, &r);
	soon(5);
	/* Bytes come, the reader is woken, and before it runs the connection is gone. */
	assert_int_equal(write(peer, "x", 1), 1);
	conn_close(r.c);
	task_yield();
	assert_true(r.done);
	assert_int_equal(r.got, -EBADF);
	close(peer);
}

static void test_closing_under_a_reader(void **state)
{
	(void)state;
	io_run(close_under_reader, NULL);
}

static void end_of_stream(void *arg)
{
	int peer;
	struct conn *c = io_conn_pair(&peer);
	char text[16];

	(void)arg;
	/* The last bytes and the end come as one: the short read must not hide the end. */
	assert_int_equal(write(peer, "bye", 3), 3);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	soon(5);
	assert_int_equal(conn_recv(c, text, sizeof(text), deadline_in(5000)), 3);
	assert_int_equal(conn_recv(c, text, sizeof(text), deadline_in(5000)), 0);
	assert_int_equal(conn_recv(c, text, sizeof(text), deadline_in(5000)), 0);
	/* Half-closed: our direction still works. */
	assert_int_equal(conn_write(c, "ok", 2, deadline_in(5000)), 0);
	assert_int_equal(read(peer, text, sizeof(text)), 2);
	assert_int_equal(conn_shutdown(c, deadline_in(5000)), 0);
	assert_int_equal(read(peer, text, sizeof(text)), 0);
	conn_close(c);
	close(peer);
}

static void test_half_close(void **state)
{
	(void)state;
	io_run(end_of_stream, NULL);
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

static void peer_resets(void *arg)
{
	int peer;
	struct reader r = { .c = io_conn_pair(&peer) };

	(void)arg;
	task_spawn("reader", read_one, &r);
	soon(5);
	reset(peer);
	soon(5);
	assert_true(r.done);
	assert_int_equal(r.got, -ECONNRESET);
	assert_true(r.c->fd.hung_up);
	/* No SIGPIPE. */
	assert_int_equal(conn_write(r.c, "x", 1, deadline_in(1000)), -EPIPE);
	conn_close(r.c);
}

static void test_reset_by_the_peer(void **state)
{
	(void)state;
	io_run(peer_resets, NULL);
}

/* ---- a peer that reads slowly ---- */

#define BIG (4 * 1024 * 1024)

struct slow {
	int fd;
	size_t got;
	unsigned char sum;
};

static void read_slowly(void *arg)
{
	struct slow *s = arg;
	unsigned char text[32768];
	ssize_t n;

	while ((n = recv(s->fd, text, sizeof(text), MSG_DONTWAIT)) != 0) {
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			if (task_sleep(1) < 0)
				break;
			continue;
		}
		for (ssize_t i = 0; i < n; i++)
			s->sum ^= text[i];
		s->got += (size_t)n;
	}
}

static void write_much(void *arg)
{
	struct slow s = { 0 };
	struct conn *c = io_conn_pair(&s.fd);
	unsigned char *big = mem_alloc(BIG), sum = 0;
	struct iovec iov[4] = { { big, 1000 }, { big, 0 }, { big + 1000, BIG - 2000 }, { big + BIG - 1000, 1000 } };

	(void)arg;
	for (size_t i = 0; i < BIG; i++)
		sum ^= big[i] = (unsigned char)(i * 7 + i / 4096);
	/* Nobody reads: the buffers fill, the deadline ends the wait. */
	assert_int_equal(conn_write(c, big, BIG, deadline_in(20)), -ETIMEDOUT);
	conn_close(c);
	close(s.fd);

	c = io_conn_pair(&s.fd);
	task_spawn("slow", read_slowly, &s);
	assert_int_equal(conn_send(c, iov, 4, deadline_in(20000)), 0);
	conn_close(c);
	while (loop_tasks(loop_self()) > 1)
		soon(1);
	assert_int_equal(s.got, BIG);
	assert_int_equal(s.sum, sum);
	close(s.fd);
	mem_free(big);
}

static void test_a_slow_reader(void **state)
{
	(void)state;
	io_run(write_much, NULL);
}

/* ---- fairness ---- */

static void pump(void *arg)
{
	struct conn *c = arg;
	char bytes[512];

	memset(bytes, 'x', sizeof(bytes));
	while (conn_write(c, bytes, sizeof(bytes), DEADLINE_NEVER) == 0 && recv(c->fd.fd, bytes, 0, MSG_DONTWAIT) <= 0)
		;
}

static void drain(void *arg)
{
	struct conn *c = arg;
	char bytes[512];

	while (conn_recv(c, bytes, sizeof(bytes), DEADLINE_NEVER) > 0)
		;
}

static void others_run(void *arg)
{
	int fds[2], error;
	struct conn *a, *b;

	(void)arg;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	a = conn_new(fds[0], &error);
	b = conn_new(fds[1], &error);
	assert_true(a && b);
	task_spawn("pump", pump, a);
	task_spawn("drain", drain, b);
	/* The pair never has to wait for long, yet this task's timer is served. */
	for (int i = 0; i < 20; i++)
		soon(1);
	conn_close(a);
	task_yield();
	conn_close(b);
}

static void test_a_fast_pair_does_not_hold_the_loop(void **state)
{
	(void)state;
	io_run(others_run, NULL);
}

/* ---- parking ---- */

struct parked {
	struct conn *c;
	int peer;
	unsigned calls;
	enum loop_idle_end why;
};

static void unparked(void *arg, enum loop_idle_end why)
{
	struct parked *p = arg;

	p->calls++;
	p->why = why;
}

static void park_one(void *arg)
{
	struct parked p = { 0 };
	char text[8];

	(void)arg;
	p.c = io_conn_pair(&p.peer);
	/* Fresh and silent: parked, not called. */
	conn_park(p.c, deadline_in(60000), unparked, &p);
	assert_int_equal(loop_idle_count(loop_self()), 1);
	soon(5);
	assert_int_equal(p.calls, 0);
	assert_int_equal(write(p.peer, "a", 1), 1);
	soon(5);
	assert_int_equal(p.calls, 1);
	assert_int_equal(p.why, LOOP_IDLE_READABLE);
	assert_int_equal(loop_idle_count(loop_self()), 0);
	/* Bytes that are there already: called at once, but not inside the call. */
	conn_park(p.c, deadline_in(60000), unparked, &p);
	assert_int_equal(p.calls, 1);
	task_yield();
	soon(1);
	assert_int_equal(p.calls, 2);
	assert_int_equal(conn_recv(p.c, text, sizeof(text), deadline_in(1000)), 1);
	/* The deadline, first earlier, then later than the one before. */
	conn_park(p.c, deadline_in(5), unparked, &p);
	soon(15);
	assert_int_equal(p.why, LOOP_IDLE_TIMEOUT);
	conn_park(p.c, deadline_in(30), unparked, &p);
	soon(10);
	assert_int_equal(p.calls, 3);
	soon(40);
	assert_int_equal(p.calls, 4);
	/* Taken back. */
	conn_park(p.c, deadline_in(5), unparked, &p);
	loop_fd_unpark(&p.c->fd);
	soon(15);
	assert_int_equal(p.calls, 4);
	/* The peer leaves. */
	conn_park(p.c, deadline_in(60000), unparked, &p);
	close(p.peer);
	soon(5);
	assert_int_equal(p.calls, 5);
	assert_int_equal(p.why, LOOP_IDLE_READABLE);
	assert_int_equal(conn_recv(p.c, text, sizeof(text), deadline_in(1000)), 0);
	/* Closing a parked connection calls nobody. */
	conn_park(p.c, deadline_in(60000), unparked, &p);
	conn_close(p.c);
	soon(5);
	assert_int_equal(p.calls, 5);
}

static void test_parking(void **state)
{
	(void)state;
	io_run(park_one, NULL);
}

#define PARKED 2000

static void serve_parked(void *arg);

static void on_parked(void *arg, enum loop_idle_end why)
{
	struct parked *p = arg;

	p->calls++;
	p->why = why;
	if (why == LOOP_IDLE_READABLE)
		assert_non_null(task_spawn("serve", serve_parked, p));
}

static void serve_parked(void *arg)
{
	struct parked *p = arg;
	char text[64];
	ssize_t n = conn_recv(p->c, text, sizeof(text), deadline_in(5000));

	assert_int_equal(n, 4);
	assert_int_equal(conn_write(p->c, text, (size_t)n, deadline_in(5000)), 0);
	conn_park(p->c, deadline_in(60000), on_parked, p);
}

static void park_many(void *arg)
{
	struct parked *all = arg;
	char text[8];

	for (unsigned i = 0; i < PARKED; i++) {
		all[i].c = io_conn_pair(&all[i].peer);
		conn_park(all[i].c, deadline_in(60000), on_parked, &all[i]);
	}
	assert_int_equal(loop_idle_count(loop_self()), PARKED);
	assert_int_equal(loop_tasks(loop_self()), 1);
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < PARKED; i++)
			assert_int_equal(write(all[i].peer, "ping", 4), 4);
		do
			soon(1);
		while (loop_idle_count(loop_self()) < PARKED || all[PARKED - 1].calls < round);
		for (unsigned i = 0; i < PARKED; i++) {
			assert_int_equal(all[i].calls, round);
			assert_int_equal(read(all[i].peer, text, sizeof(text)), 4);
		}
	}
	/* Drain: all are told. */
	loop_idle_stop_all();
	assert_int_equal(loop_idle_count(loop_self()), 0);
	for (unsigned i = 0; i < PARKED; i++)
		assert_int_equal(all[i].why, LOOP_IDLE_STOP);
	/* The end of the loop tells those parked since. */
	for (unsigned i = 0; i < PARKED; i++)
		conn_park(all[i].c, deadline_in(60000), on_parked, &all[i]);
}

static void close_all(void *arg)
{
	struct parked *all = arg;

	for (unsigned i = 0; i < PARKED; i++) {
		conn_close(all[i].c);
		close(all[i].peer);
	}
}

static void park_many_and_close(void *arg)
{
	park_many(arg);
	loop_idle_stop_all();
	close_all(arg);
}

static void test_two_thousand_parked_connections(void **state)
{
	struct parked *all = mem_zalloc(PARKED, sizeof(*all));

	(void)state;
	io_run(park_many_and_close, all);
	for (unsigned i = 0; i < PARKED; i++)
		assert_int_equal(all[i].calls, 5);
	mem_free(all);
}

static void close_at_stop(void *arg, enum loop_idle_end why)
{
	unparked(arg, why);
	((struct parked *)arg)->c = conn_close(((struct parked *)arg)->c);
}

static void park_and_leave(void *arg)
{
	struct parked *p = arg;

	p->c = io_conn_pair(&p->peer);
	conn_park(p->c, DEADLINE_NEVER, close_at_stop, p);
}

static void test_stop_ends_parked_connections(void **state)
{
	struct parked p = { 0 };

	(void)state;
	io_run(park_and_leave, &p);
	assert_int_equal(p.calls, 1);
	assert_int_equal(p.why, LOOP_IDLE_STOP);
	close(p.peer);
}

/* ---- ends ---- */

static void linger_peer(void *arg)
{
	int peer = *(int *)arg;
	char text[16];

	soon(5);
	assert_int_equal(write(peer, "too late", 8), 8);
	soon(5);
	/* Our last bytes arrive, then the end, and no reset. */
	assert_int_equal(read(peer, text, sizeof(text)), 5);
	assert_int_equal(read(peer, text, sizeof(text)), 0);
	close(peer);
}

static void linger(void *arg)
{
	int peer;
	struct conn *c = io_conn_pair(&peer);

	(void)arg;
	assert_int_equal(conn_write(c, "final", 5, deadline_in(1000)), 0);
	task_spawn("peer", linger_peer, &peer);
	conn_linger(c, 65536, 5000, deadline_in(5000));
	assert_int_equal(c->bytes_in, 8);
	conn_close(c);
	while (loop_tasks(loop_self()) > 1)
		soon(1);
	/* Bounded in bytes. */
	c = io_conn_pair(&peer);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(peer, "0123456789", 10), 10);
	conn_linger(c, 100, 5000, deadline_in(5000));
	assert_int_equal(c->bytes_in, 100);
	conn_close(c);
	close(peer);
}

static void test_linger(void **state)
{
	(void)state;
	io_run(linger, NULL);
}

static void bad_descriptors(void *arg)
{
	int error = 0, fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	assert_null(conn_new(fd, &error));
	assert_int_equal(error, -ENOTCONN);
	assert_int_equal(close(fd), -1);
}

static void test_a_socket_that_is_not_connected(void **state)
{
	(void)state;
	io_run(bad_descriptors, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_and_write),
		cmocka_unit_test(test_a_deadline_ends_a_wait_and_nothing_else),
		cmocka_unit_test(test_a_reader_can_be_cancelled),
		cmocka_unit_test(test_closing_under_a_reader),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_reset_by_the_peer),
		cmocka_unit_test(test_a_slow_reader),
		cmocka_unit_test(test_a_fast_pair_does_not_hold_the_loop),
		cmocka_unit_test(test_parking),
		cmocka_unit_test(test_two_thousand_parked_connections),
		cmocka_unit_test(test_stop_ends_parked_connections),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_a_socket_that_is_not_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
