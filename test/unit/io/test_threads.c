/*
 * Several loops at once: messages, spawns and conditions across threads. Run by
 * ThreadSanitizer too. The stress is random in time, never in its expected outcome.
 */
#include <pthread.h>
#include "base/rand.h"
#include "io_test.h"

#define LOOPS 3

static struct loop *loops[LOOPS];
static pthread_t threads[LOOPS];

static void *loop_thread(void *arg)
{
	loop_run(arg);
	return NULL;
}

static int start_loops(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOOPS; i++) {
		loops[i] = loop_new(NULL);
		if (!loops[i] || pthread_create(&threads[i], NULL, loop_thread, loops[i]) != 0)
			return -1;
	}
	return 0;
}

static int stop_loops(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOOPS; i++)
		loop_stop(loops[i]);
	for (unsigned i = 0; i < LOOPS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < LOOPS; i++)
		loops[i] = loop_free(loops[i]);
	return 0;
}

/* What the tests wait for: a count under a mutex. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned count;
} tally = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void tally_add(void)
{
	pthread_mutex_lock(&tally.mutex);
	tally.count++;
	pthread_cond_signal(&tally.changed);
	pthread_mutex_unlock(&tally.mutex);
}

static void tally_wait(unsigned count)
{
	pthread_mutex_lock(&tally.mutex);
	while (tally.count < count)
		pthread_cond_wait(&tally.changed, &tally.mutex);
	tally.count = 0;
	pthread_mutex_unlock(&tally.mutex);
}

/* ---- messages ---- */

#define MESSAGES 20000

static unsigned received[LOOPS];

static void receive(void *arg)
{
	uintptr_t v = (uintptr_t)arg;
	unsigned sender = v % LOOPS, number = (unsigned)(v / LOOPS);

	assert_true(loop_self() == loops[0]);
	assert_null(task_self());
	/* In order per sender. */
	must(received[sender] == number);
	if (++received[sender] == MESSAGES)
		tally_add();
}

static void *send_many(void *arg)
{
	for (uintptr_t i = 0; i < MESSAGES; i++) {
		loop_post(loops[0], receive, (void *)(i * LOOPS + (uintptr_t)arg));
		/* Let the loop fall asleep now and then. */
		if (i % 1000 == 0)
			usleep(100);
	}
	return NULL;
}

static void test_messages_come_in_order_and_none_is_lost(void **state)
{
	pthread_t senders[LOOPS];

	(void)state;
	for (uintptr_t i = 0; i < LOOPS; i++)
		assert_int_equal(pthread_create(&senders[i], NULL, send_many, (void *)i), 0);
	tally_wait(LOOPS);
	for (unsigned i = 0; i < LOOPS; i++)
		pthread_join(senders[i], NULL);
}

/* ---- a counter handed round between loops ---- */

#define ROUNDS 2000

static struct {
	pthread_mutex_t mutex;
	struct task_cond changed;
	unsigned turn;
} ring = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void ring_member(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	pthread_mutex_lock(&ring.mutex);
	for (unsigned round = 0; round < ROUNDS; round++) {
		while (ring.turn % LOOPS != me)
			must(task_cond_wait(&ring.changed, &ring.mutex, DEADLINE_NEVER) == 0);
		ring.turn++;
		task_cond_broadcast(&ring.changed);
	}
	pthread_mutex_unlock(&ring.mutex);
	tally_add();
}

static void test_a_token_passed_round_the_loops(void **state)
{
	(void)state;
	task_cond_init(&ring.changed);
	for (uintptr_t i = 0; i < LOOPS; i++)
		task_spawn_on(loops[i], "ring", ring_member, (void *)i, NULL);
	tally_wait(LOOPS);
	assert_int_equal(ring.turn, LOOPS * ROUNDS);
}

/* ---- signals against deadlines and cancellations ---- */

#define TAKERS 60
#define TOKENS 20000

static struct {
	pthread_mutex_t mutex;
	struct task_cond added;
	unsigned tokens, taken, timeouts;
	bool closed;
} box = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* Takes tokens, each wait with a deadline so short that it often passes just as a signal
 * comes: a token must be taken exactly once and no signal may be lost. */
static void taker(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&box.mutex);
	while (!box.closed || box.tokens > 0) {
		if (box.tokens > 0) {
			box.tokens--;
			box.taken++;
		} else if (task_cond_wait(&box.added, &box.mutex, deadline_in(rand_below(3))) == -ETIMEDOUT) {
			box.timeouts++;
			pthread_mutex_unlock(&box.mutex);
			task_sleep(rand_below(2));
			pthread_mutex_lock(&box.mutex);
		}
	}
	pthread_mutex_unlock(&box.mutex);
	tally_add();
}

static void test_no_signal_is_lost_to_a_deadline(void **state)
{
	(void)state;
	task_cond_init(&box.added);
	for (unsigned i = 0; i < TAKERS; i++)
		task_spawn_on(loops[i % LOOPS], "taker", taker, NULL, NULL);
	for (unsigned i = 0; i < TOKENS; i++) {
		pthread_mutex_lock(&box.mutex);
		box.tokens++;
		task_cond_signal(&box.added);
		pthread_mutex_unlock(&box.mutex);
		if (i % 64 == 0)
			usleep(200);
	}
	pthread_mutex_lock(&box.mutex);
	box.closed = true;
	task_cond_broadcast(&box.added);
	pthread_mutex_unlock(&box.mutex);
	tally_wait(TAKERS);
	assert_int_equal(box.taken, TOKENS);
	assert_true(list_empty(&box.added.waiters));
	assert_true(box.timeouts > 0);
}

/* One signal, one waiter without a deadline: it must arrive. */
static void patient(void *arg)
{
	unsigned *got = arg;

	pthread_mutex_lock(&box.mutex);
	while (*got == 0)
		must(task_cond_wait(&box.added, &box.mutex, DEADLINE_NEVER) == 0);
	pthread_mutex_unlock(&box.mutex);
	tally_add();
}

static void test_a_single_signal_wakes_a_sleeping_loop(void **state)
{
	(void)state;
	task_cond_init(&box.added);
	for (unsigned round = 0; round < 200; round++) {
		unsigned got = 0;

		task_spawn_on(loops[round % LOOPS], "patient", patient, &got, NULL);
		if (round % 2)
			usleep(300);
		pthread_mutex_lock(&box.mutex);
		got = 1;
		task_cond_signal(&box.added);
		pthread_mutex_unlock(&box.mutex);
		tally_wait(1);
	}
}

static void wait_for_ever(void *arg)
{
	int r;

	(void)arg;
	pthread_mutex_lock(&box.mutex);
	do
		r = task_cond_wait(&box.added, &box.mutex, DEADLINE_NEVER);
	while (r == 0);
	pthread_mutex_unlock(&box.mutex);
	must(r == -ECANCELED);
	tally_add();
}

static void *broadcaster(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 200; i++) {
		pthread_mutex_lock(&box.mutex);
		task_cond_broadcast(&box.added);
		pthread_mutex_unlock(&box.mutex);
		usleep(20);
	}
	return NULL;
}

static void test_stopping_against_broadcasts(void **state)
{
	pthread_t thread;

	task_cond_init(&box.added);
	for (unsigned i = 0; i < TAKERS; i++)
		task_spawn_on(loops[i % LOOPS], "waiter", wait_for_ever, NULL, NULL);
	usleep(2000);
	assert_int_equal(pthread_create(&thread, NULL, broadcaster, NULL), 0);
	usleep(1000);
	stop_loops(state);
	tally_wait(TAKERS);
	pthread_join(thread, NULL);
	assert_true(list_empty(&box.added.waiters));
	assert_int_equal(start_loops(state), 0);
}

/* ---- stop from outside ---- */

static void test_a_sleeping_loop_can_be_stopped(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		usleep(i % 2 ? 500 : 0);
		stop_loops(state);
		assert_int_equal(start_loops(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_come_in_order_and_none_is_lost),
		cmocka_unit_test(test_a_token_passed_round_the_loops),
		cmocka_unit_test(test_no_signal_is_lost_to_a_deadline),
		cmocka_unit_test(test_a_single_signal_wakes_a_sleeping_loop),
		cmocka_unit_test(test_stopping_against_broadcasts),
		cmocka_unit_test(test_a_sleeping_loop_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, start_loops, stop_loops);
}
