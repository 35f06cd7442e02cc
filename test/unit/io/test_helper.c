/* Helper threads and the look-up of names. */
#include <pthread.h>
#include "io/helper.h"
#include "io_test.h"

static void with_helpers(unsigned threads, task_fn *fn, void *arg)
{
	helper_start(threads);
	io_run(fn, arg);
	helper_stop();
}

struct job {
	pthread_t thread;
	int value;
};

static void double_it(void *arg)
{
	struct job *job = arg;

	job->thread = pthread_self();
	usleep(2000);
	job->value *= 2;
}

static void tick(void *arg)
{
	unsigned *ticks = arg;

	while (task_sleep(0) == 0)
		++*ticks;
}

static void run_job(void *arg)
{
	struct job job = { .value = 21 };
	unsigned ticks = 0;
	struct task *t = task_spawn("tick", tick, &ticks);

	(void)arg;
	assert_int_equal(helper_run(double_it, &job), 0);
	assert_int_equal(job.value, 42);
	assert_false(pthread_equal(job.thread, pthread_self()));
	/* The loop went on meanwhile. */
	assert_true(ticks > 0);
	task_cancel(t);
}

static void test_a_job_runs_elsewhere(void **state)
{
	(void)state;
	with_helpers(2, run_job, NULL);
}

static void run_cancelled(void *arg)
{
	struct job job = { .value = 1 };

	assert_int_equal(helper_run(double_it, &job), 0);
	*(int *)arg = job.value;
}

static void cancel_runner(void *arg)
{
	struct task *t = task_spawn("job", run_cancelled, arg);

	task_yield();
	task_cancel(t);
}

static void test_a_cancelled_task_still_waits_for_its_job(void **state)
{
	int value = 0;

	(void)state;
	with_helpers(1, cancel_runner, &value);
	assert_int_equal(value, 2);
}

struct gate {
	pthread_mutex_t mutex;
	unsigned ran;
};

static void wait_at_gate(void *arg)
{
	struct gate *gate = arg;

	pthread_mutex_lock(&gate->mutex);
	gate->ran++;
	pthread_mutex_unlock(&gate->mutex);
}

static void fill_the_queue(void *arg)
{
	struct gate *gate = arg;
	unsigned posted = 0;

	pthread_mutex_lock(&gate->mutex);
	while (helper_post(wait_at_gate, gate) == 0)
		posted++;
	assert_int_equal(helper_run(wait_at_gate, gate), -EAGAIN);
	gate->ran -= posted;
	pthread_mutex_unlock(&gate->mutex);
	/* One job may be in the thread's hands. */
	assert_in_range(posted, 10000, 10001);
}

static void test_the_queue_is_bounded_and_nothing_is_dropped(void **state)
{
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, 0 };

	(void)state;
	with_helpers(1, fill_the_queue, &gate);
	assert_int_equal(gate.ran, 0);
	assert_int_equal(helper_post(wait_at_gate, &gate), -EAGAIN);
}

/* ---- names ---- */

static void resolve(void *arg)
{
	struct net_addr a[4];
	char text[NET_ADDR_SIZE];
	int n = net_resolve(SPAN("localhost"), 8080, a, array_len(a), deadline_in(10000));

	(void)arg;
	assert_in_range(n, 1, array_len(a));
	for (int i = 0; i < n; i++) {
		net_addr_host_text(&a[i], text);
		assert_true(strcmp(text, "127.0.0.1") == 0 || strcmp(text, "::1") == 0);
		assert_int_equal(net_addr_port(&a[i]), 8080);
	}
	assert_int_equal(net_resolve(SPAN("192.0.2.7"), 25, a, 1, 0), 1);
	net_addr_text(&a[0], text);
	assert_string_equal(text, "192.0.2.7:25");
	assert_int_equal(net_resolve(SPAN("::1"), 25, a, 1, 0), 1);
	assert_int_equal(net_resolve(SPAN(""), 25, a, 1, deadline_in(1000)), -ENOENT);
	assert_int_equal(net_resolve(SPAN("a\0b"), 25, a, 1, deadline_in(1000)), -ENOENT);
	/* The answer comes after its asker has left, most times. */
	n = net_resolve(SPAN("localhost"), 25, a, 1, 0);
	assert_true(n == -ETIMEDOUT || n == 1);
}

static void test_names(void **state)
{
	(void)state;
	with_helpers(1, resolve, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_job_runs_elsewhere),
		cmocka_unit_test(test_a_cancelled_task_still_waits_for_its_job),
		cmocka_unit_test(test_the_queue_is_bounded_and_nothing_is_dropped),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
