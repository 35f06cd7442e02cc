/* Accepting: who comes is taken, who stopped empties its queue first, a lack of descriptors is told
 * and does not end it. */
#include <sys/resource.h>
#include "base/list.h"
#include "io/accept.h"
#include "io_test.h"

struct taker {
	struct list acceptors;
	unsigned taken, failed;
};

static void take(void *arg, int fd)
{
	struct taker *t = arg;

	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	t->taken++;
}

static void on_failed(void *arg, const struct fault *fault)
{
	struct taker *t = arg;

	assert_int_equal(fault->code, FAULT_ACCEPT_FAILED);
	t->failed++;
}

static const struct accept_to to = { take, on_failed };

static int join(const struct net_addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &a->sa, a->n), 0);
	return fd;
}

static void run_ordinary(void *arg)
{
	struct taker t = { 0 };
	struct net_addr first, second;
	int a = io_listen("127.0.0.1", &first), b = io_listen("::1", &second), fds[3];

	(void)arg;
	list_init(&t.acceptors);
	accept_stop(&t.acceptors, -1);
	accept_start(&t.acceptors, a, &to, &t);
	accept_start(&t.acceptors, b, &to, &t);
	fds[0] = join(&first);
	fds[1] = join(&second);
	while (t.taken < 2)
		task_yield();
	/* One goes, with what is in its queue; a second time is harmless. */
	fds[2] = join(&first);
	accept_stop(&t.acceptors, a);
	accept_stop(&t.acceptors, a);
	while (t.acceptors.next->next != &t.acceptors)
		task_yield();
	assert_int_equal(t.taken, 3);
	close(a);
	accept_stop(&t.acceptors, 9999);
	assert_false(list_empty(&t.acceptors));
	accept_stop(&t.acceptors, -1);
	while (!list_empty(&t.acceptors))
		task_yield();
	close(b);
	assert_int_equal(t.failed, 0);
	for (unsigned i = 0; i < array_len(fds); i++)
		close(fds[i]);
}

static void test_ordinary(void **state)
{
	(void)state;
	io_run(run_ordinary, NULL);
}

static void run_no_descriptors(void *arg)
{
	struct taker t = { 0 };
	struct rlimit limit, none;
	struct net_addr addr;
	int listener = io_listen("127.0.0.1", &addr), fd = join(&addr);

	(void)arg;
	list_init(&t.acceptors);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)fd, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	accept_start(&t.acceptors, listener, &to, &t);
	while (t.failed == 0)
		task_yield();
	assert_int_equal(t.taken, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (t.taken == 0)
		task_sleep(10);
	accept_stop(&t.acceptors, listener);
	while (!list_empty(&t.acceptors))
		task_yield();
	close(fd);
	close(listener);
}

static void test_no_descriptors(void **state)
{
	(void)state;
	io_run(run_no_descriptors, NULL);
}

/* A loop that stops meanwhile: its acceptors end with it. */
static void run_stopped(void *arg)
{
	struct net_addr addr;

	accept_start(arg, io_listen("127.0.0.1", &addr), &to, NULL);
}

static void test_stopped_loop(void **state)
{
	struct list acceptors;

	(void)state;
	list_init(&acceptors);
	io_run(run_stopped, &acceptors);
	assert_true(list_empty(&acceptors));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_stopped_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
