/* The loop itself: timers, messages, descriptors that vanish, stop by signal. */
#include <signal.h>
#include <sys/resource.h>
#include "io_test.h"

/* ---- timers ---- */

static char trace[64];

static void note(void *arg)
{
	assert_null(task_self());
	strncat(trace, arg, sizeof(trace) - strlen(trace) - 1);
}

static void timers(void *arg)
{
	static struct loop_timer a, b, c;

	(void)arg;
	trace[0] = 0;
	loop_timer_set(&a, deadline_in(20), note, "a");
	loop_timer_set(&b, deadline_in(10), note, "b");
	loop_timer_set(&c, deadline_in(15), note, "c");
	loop_timer_clear(&c);
	loop_timer_clear(&c);
	task_sleep(40);
	assert_string_equal(trace, "ba");
	/* Later, then earlier, than it was set before. */
	loop_timer_set(&a, deadline_in(5), note, "x");
	loop_timer_set(&a, deadline_in(30), note, "y");
	loop_timer_set(&b, deadline_in(1000), note, "z");
	loop_timer_set(&b, deadline_in(10), note, "w");
	task_sleep(15);
	assert_string_equal(trace, "baw");
	task_sleep(40);
	assert_string_equal(trace, "bawy");
	/* Left behind: the loop's end forgets it, the memory may go. */
	loop_timer_set(&a, deadline_in(60000), note, "never");
	loop_timer_set(&b, DEADLINE_NEVER, note, "never");
}

static void test_timers(void **state)
{
	(void)state;
	io_run(timers, NULL);
}

struct again {
	struct loop_timer timer;
	unsigned fired;
};

static void fire_again(void *arg)
{
	struct again *again = arg;

	again->fired++;
	loop_timer_set(&again->timer, loop_now_ms(), fire_again, again);
}

static void timer_for_now(void *arg)
{
	struct again *again = arg;

	fire_again(again);
	/* The loop's rounds go on although a timer is always due. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(task_sleep(1), 0);
	loop_timer_clear(&again->timer);
}

static void test_a_timer_that_sets_itself_for_now_holds_nobody(void **state)
{
	struct again again = { 0 };

	(void)state;
	io_run(timer_for_now, &again);
	assert_true(again.fired > 10);
}

/* ---- messages to oneself ---- */

static void post(void *arg)
{
	(void)arg;
	trace[0] = 0;
	loop_post(loop_self(), note, "1");
	loop_post(loop_self(), note, "2");
	loop_post(loop_self(), note, "3");
	assert_string_equal(trace, "");
	task_sleep(2);
	assert_string_equal(trace, "123");
	/* Also at the end: a message may own something. */
	loop_post(loop_self(), note, "4");
}

static void test_messages(void **state)
{
	(void)state;
	io_run(post, NULL);
	assert_string_equal(trace, "1234");
}

static void test_messages_to_a_loop_that_never_runs(void **state)
{
	struct loop *loop = loop_new(NULL);

	(void)state;
	loop_post(loop, note, "unheard");
	assert_null(loop_free(loop));
	assert_null(loop_free(NULL));
}

/* ---- descriptors ---- */

struct pair {
	int fd[2];
	struct loop_fd f;
	struct pair *other;
	bool gone;
};

static void pair_open(struct pair *p)
{
	assert_int_equal(pipe2(p->fd, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(loop_fd_add(&p->f, p->fd[0]), 0);
	p->f.readable = false;
}

static void pair_close(struct pair *p)
{
	loop_fd_remove(&p->f);
	loop_fd_remove(&p->f);
	close(p->fd[0]);
	close(p->fd[1]);
	/* Whatever still points there must be noticed. */
	memset(&p->f, 0xff, sizeof(p->f));
	p->gone = true;
}

static void close_other(void *arg, enum loop_idle_end why)
{
	struct pair *p = arg;

	assert_int_equal(why, LOOP_IDLE_READABLE);
	assert_false(p->gone);
	pair_close(p->other);
}

static void removed_within_a_round(void *arg)
{
	struct pair a = { .other = NULL }, b = { .other = &a };

	(void)arg;
	a.other = &b;
	pair_open(&a);
	pair_open(&b);
	loop_fd_park(&a.f, DEADLINE_NEVER, close_other, &a);
	loop_fd_park(&b.f, DEADLINE_NEVER, close_other, &b);
	/* Both become readable in one round; the first callback removes the second. */
	assert_int_equal(write(a.fd[1], "x", 1), 1);
	assert_int_equal(write(b.fd[1], "x", 1), 1);
	task_sleep(5);
	assert_int_not_equal(a.gone, b.gone);
	pair_close(a.gone ? &b : &a);
}

static void test_a_descriptor_removed_while_its_event_waits(void **state)
{
	(void)state;
	io_run(removed_within_a_round, NULL);
}

static void refused_descriptor(void *arg)
{
	struct loop_fd f;

	(void)arg;
	assert_int_equal(loop_fd_add(&f, -1), -EBADF);
	loop_fd_remove(&f);
}

static void test_a_bad_descriptor_is_an_error(void **state)
{
	(void)state;
	io_run(refused_descriptor, NULL);
}

static void no_descriptors(void *arg)
{
	struct rlimit old, none;
	struct net_addr a;
	struct fault fault;

	(void)arg;
	assert_int_equal(net_addr_parse(SPAN("127.0.0.1:0"), -1, &a), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(net_connect(&a, deadline_in(1000)), -EMFILE);
	assert_int_equal(net_listen(&a, false, 1, &fault), -EMFILE);
	assert_null(loop_new(NULL));
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void test_running_out_of_descriptors_is_an_error(void **state)
{
	(void)state;
	io_run(no_descriptors, NULL);
}

/* ---- stop ---- */

static struct loop *to_stop;

static void on_alarm(int signal)
{
	(void)signal;
	loop_stop(to_stop);
}

static void test_stop_from_a_signal_handler(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;

	(void)state;
	to_stop = loop_new(NULL);
	assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
	ualarm(5000, 0);
	loop_run(to_stop);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
	/* A stop that comes first counts too, and the loop may run again. */
	loop_stop(to_stop);
	loop_run(to_stop);
	to_stop = loop_free(to_stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_a_timer_that_sets_itself_for_now_holds_nobody),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_messages_to_a_loop_that_never_runs),
		cmocka_unit_test(test_a_descriptor_removed_while_its_event_waits),
		cmocka_unit_test(test_a_bad_descriptor_is_an_error),
		cmocka_unit_test(test_running_out_of_descriptors_is_an_error),
		cmocka_unit_test(test_stop_from_a_signal_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
