/* Tasks on one loop: order, waiting, cancelling, limits, the guard page. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include "io_test.h"

static char trace[64];

static void note(void *arg)
{
	strncat(trace, arg, sizeof(trace) - strlen(trace) - 1);
}

static void spawn_in_order(void *arg)
{
	(void)arg;
	trace[0] = 0;
	assert_non_null(task_spawn("a", note, "a"));
	assert_non_null(task_spawn("b", note, "b"));
	note("-");
	assert_int_equal(task_yield(), 0);
	note("+");
}

static void test_spawned_tasks_run_at_the_next_wait(void **state)
{
	(void)state;
	io_run(spawn_in_order, NULL);
	assert_string_equal(trace, "-ab+");
}

static void sleeper(void *arg)
{
	static const char *const names[] = { "0", "1", "2", "3" };
	uint64_t step = (uint64_t)(uintptr_t)arg;

	task_sleep(step * 20);
	note((void *)names[step]);
}

static void sleep_sort(void *arg)
{
	uint64_t start = loop_now_ms(); /* sleeps are counted from the round, not from the moment */

	(void)arg;
	trace[0] = 0;
	task_spawn("3", sleeper, (void *)3);
	task_spawn("1", sleeper, (void *)1);
	task_spawn("2", sleeper, (void *)2);
	task_sleep(80);
	assert_true(clock_mono_ms() - start >= 80);
}

static void test_sleepers_wake_in_the_order_of_their_deadlines(void **state)
{
	(void)state;
	io_run(sleep_sort, NULL);
	assert_string_equal(trace, "123");
}

struct canceled {
	int first, second, yielded;
	bool seen;
};

static void cancel_victim(void *arg)
{
	struct canceled *c = arg;

	c->first = task_sleep(60000);
	c->seen = task_canceled();
	c->second = task_sleep(60000);
	c->yielded = task_yield();
}

static void cancel_one(void *arg)
{
	struct task *t = task_spawn("victim", cancel_victim, arg);

	assert_string_equal(task_name(t), "victim");
	task_yield();
	task_cancel(t);
	task_cancel(t);
	task_yield();
}

static void see_off(void *arg)
{
	struct canceled c;
	struct task *t = task_spawn("victim", cancel_victim, &c);

	/* Cancelled itself, as all are when the loop ends. */
	task_cancel(task_self());
	task_cancel(t);
	c.yielded = 0;
	while (c.yielded == 0)
		task_give_way();
	*(bool *)arg = true;
}

static void test_a_cancelled_task_can_see_others_off(void **state)
{
	bool done = false;

	(void)state;
	io_run(see_off, &done);
	assert_true(done);
}

static void test_cancellation_is_an_error_of_every_wait(void **state)
{
	struct canceled c = { 0 };

	(void)state;
	io_run(cancel_one, &c);
	assert_int_equal(c.first, -ECANCELED);
	assert_true(c.seen);
	assert_int_equal(c.second, -ECANCELED);
	assert_int_equal(c.yielded, -ECANCELED);
}

static void cancel_before_it_runs(void *arg)
{
	task_cancel(task_spawn("victim", cancel_victim, arg));
	task_yield();
}

static void test_a_task_cancelled_before_it_runs_still_runs(void **state)
{
	struct canceled c = { 0 };

	(void)state;
	io_run(cancel_before_it_runs, &c);
	assert_int_equal(c.first, -ECANCELED);
	assert_true(c.seen);
}

static void leave_behind(void *arg)
{
	assert_non_null(task_spawn("victim", cancel_victim, arg));
	task_yield();
}

static void test_stop_cancels_what_lives(void **state)
{
	struct canceled c = { 0 };

	(void)state;
	io_run(leave_behind, &c);
	assert_int_equal(c.first, -ECANCELED);
	assert_int_equal(c.second, -ECANCELED);
}

/* Cleanup that starts another task, three deep: stop waits for all of them. */
static void spawn_at_cleanup(void *arg)
{
	int *depth = arg;

	assert_int_equal(task_sleep(60000), -ECANCELED);
	if (++*depth < 3)
		assert_non_null(task_spawn("deeper", spawn_at_cleanup, depth));
}

static void start_spawner(void *arg)
{
	task_spawn("deeper", spawn_at_cleanup, arg);
	task_yield();
}

static void test_tasks_started_while_stopping_are_born_cancelled(void **state)
{
	int depth = 0;

	(void)state;
	io_run(start_spawner, &depth);
	assert_int_equal(depth, 3);
}

static void count_up(void *arg)
{
	++*(unsigned *)arg;
	task_sleep(1);
	++*(unsigned *)arg;
}

static void spawn_thousands(void *arg)
{
	unsigned spawned = 0;

	while (task_spawn("count", count_up, arg))
		spawned++;
	/* This task is the one missing. */
	assert_int_equal(spawned, 4999);
	assert_int_equal(loop_tasks(loop_self()), 5000);
	task_sleep(20);
	while (loop_tasks(loop_self()) > 1)
		task_yield();
	/* Stacks beyond the spare ones were given back; there is room again. */
	assert_non_null(task_spawn("count", count_up, arg));
	task_sleep(5);
}

static void test_thousands_of_tasks_and_the_limit(void **state)
{
	struct loop_settings settings = { .tasks_max = 5000, .stacks_spare = 100 };
	unsigned count = 0;

	(void)state;
	io_run_with(&settings, spawn_thousands, &count);
	assert_int_equal(count, 5000 * 2);
}

static void refused(void *arg)
{
	*(bool *)arg = true;
}

static void spawn_beyond_the_limit(void *arg)
{
	task_spawn_on(loop_self(), "refused", cancel_victim, arg, refused);
	task_sleep(2);
}

static void test_spawn_on_tells_of_a_refusal(void **state)
{
	struct loop_settings settings = { .tasks_max = 1 };
	bool was_refused = false;

	(void)state;
	io_run_with(&settings, spawn_beyond_the_limit, &was_refused);
	assert_true(was_refused);
}

/* Registers that a callee preserves, floating point, and a few KiB of frames survive. */
static double deep(int n)
{
	volatile char frame[256];
	double below;

	frame[0] = (char)n;
	if (n == 0) {
		task_sleep(1);
		return 0.5;
	}
	below = deep(n - 1);
	return below + frame[0];
}

static void deep_waiter(void *arg)
{
	*(double *)arg = deep(40);
}

static void two_deep_waiters(void *arg)
{
	double *sums = arg;

	task_spawn("deep", deep_waiter, &sums[0]);
	task_spawn("deep", deep_waiter, &sums[1]);
	task_sleep(10);
}

static void test_frames_survive_a_wait(void **state)
{
	double sums[2] = { 0 };

	(void)state;
	io_run(two_deep_waiters, sums);
	assert_true(sums[0] == 820.5 && sums[1] == 820.5);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((no_sanitize("address", "undefined", "thread"))) static int overflow(int n)
{
	volatile char frame[512];

	frame[0] = (char)n;
	return overflow(n + 1) + frame[0];
}
#pragma GCC diagnostic pop

static void run_off_the_stack(void *arg)
{
	*(int *)arg = overflow(0);
}

static void test_running_off_the_stack_is_a_fault(void **state)
{
	int status, n = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		/* Without the sanitizer's report: the signal itself is what counts. */
		signal(SIGSEGV, SIG_DFL);
		io_run(run_off_the_stack, &n);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void deadlines(void *arg)
{
	(void)arg;
	assert_true(deadline_in(0) == loop_now_ms());
	assert_true(deadline_in(5) == loop_now_ms() + 5);
	assert_true(deadline_in(DEADLINE_NEVER) == DEADLINE_NEVER);
	assert_true(deadline_in(DEADLINE_NEVER - 1) == DEADLINE_NEVER);
	assert_int_equal(task_sleep(0), 0);
}

static void test_deadlines_saturate(void **state)
{
	(void)state;
	assert_null(loop_self());
	assert_null(task_self());
	io_run(deadlines, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spawned_tasks_run_at_the_next_wait),
		cmocka_unit_test(test_sleepers_wake_in_the_order_of_their_deadlines),
		cmocka_unit_test(test_cancellation_is_an_error_of_every_wait),
		cmocka_unit_test(test_a_cancelled_task_can_see_others_off),
		cmocka_unit_test(test_a_task_cancelled_before_it_runs_still_runs),
		cmocka_unit_test(test_stop_cancels_what_lives),
		cmocka_unit_test(test_tasks_started_while_stopping_are_born_cancelled),
		cmocka_unit_test(test_thousands_of_tasks_and_the_limit),
		cmocka_unit_test(test_spawn_on_tells_of_a_refusal),
		cmocka_unit_test(test_frames_survive_a_wait),
		cmocka_unit_test(test_running_off_the_stack_is_a_fault),
		cmocka_unit_test(test_deadlines_saturate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
