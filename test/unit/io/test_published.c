/*
 * States that are replaced while loops work with them: each loop sees them in order, work keeps the
 * one that it began with, the last one arrives everywhere, and none is lost or freed twice. Run by
 * ThreadSanitizer too.
 */
#include "io/published.h"
#include <pthread.h>
#include "io_test.h"

#define LOOPS  3
#define STATES 2000

static atomic_int alive;

struct number {
	struct published_state published;
	unsigned value;
	unsigned *text; /* what only the state's own memory holds */
};

static struct number *number_of(struct published_state *s)
{
	return s ? container_of(s, struct number, published) : NULL;
}

static struct published_state *number_new(unsigned value)
{
	struct number *n = mem_new(struct number);

	n->value = value;
	n->text = mem_copy(&value, 1, sizeof(value));
	atomic_fetch_add(&alive, 1);
	return &n->published;
}

static struct published_state *number_copy(const struct published_state *s)
{
	return number_new(container_of(s, const struct number, published)->value);
}

static void number_free(struct published_state *s)
{
	struct number *n = number_of(s);

	mem_free(n->text);
	mem_free(n);
	atomic_fetch_sub(&alive, 1);
}

static const struct published_kind kind = { number_copy, number_free };

/* ---- one loop ---- */

struct one {
	struct published published;
	struct published_reader reader;
	struct number *present;
	unsigned taken, told;
};

static void on_taken(void *arg, struct published_state *present)
{
	struct one *o = arg;

	assert_null(task_self());
	o->present = number_of(present);
	o->taken++;
}

static void on_told(void *arg)
{
	struct one *o = arg;

	assert_null(task_self());
	o->told++;
}

static void begin(void *arg)
{
	struct one *o = arg;

	published_read(&o->published, &o->reader, on_taken, o);
}

static void publish(struct one *o, unsigned value)
{
	struct number *before = number_of(published_take(&o->published));

	assert_true(value == 1 || before->value == value - 1);
	published_put(&o->published, number_new(value));
}

static void run_one(void *arg)
{
	struct one *o = arg;
	struct number *held;

	loop_post(loop_self(), begin, o);
	task_sleep(1);
	assert_int_equal(o->taken, 0);
	publish(o, 1);
	assert_null(o->present);
	task_sleep(1);
	assert_int_equal(o->present->value, 1);

	/* Held while two more come at once, of which the loop sees the last. */
	held = o->present;
	published_ref(&held->published);
	publish(o, 2);
	publish(o, 3);
	task_sleep(1);
	assert_int_equal(o->taken, 2);
	assert_int_equal(o->present->value, 3);
	assert_int_equal(*held->text, 1);
	assert_int_equal(alive, 3);
	published_unref(&held->published);
	assert_int_equal(alive, 2);

	assert_int_equal(number_of(published_take(&o->published))->value, 3);
	published_keep(&o->published);
	published_tell(&o->published, on_told);
	assert_int_equal(o->told, 0);
	task_sleep(1);
	assert_int_equal(o->told, 1);
}

static void test_one_loop(void **state)
{
	struct one o = { 0 };

	(void)state;
	published_init(&o.published, &kind);
	assert_null(published_take(&o.published));
	published_keep(&o.published);
	io_run(run_one, &o);
	assert_int_equal(alive, 2);
	published_done(&o.published);
	assert_int_equal(alive, 0);
}

static void run_late(void *arg)
{
	loop_post(loop_self(), begin, arg);
	task_sleep(1);
}

static void test_who_comes_late_has_the_latest_at_once(void **state)
{
	struct one o = { 0 };

	(void)state;
	published_init(&o.published, &kind);
	publish(&o, 1);
	publish(&o, 2);
	io_run(run_late, &o);
	assert_int_equal(o.taken, 1);
	assert_int_equal(o.present->value, 2);
	published_done(&o.published);
	assert_int_equal(alive, 0);
}

static void begin_and_stop(void *arg)
{
	begin(arg);
	loop_stop(loop_self());
}

static void test_what_comes_too_late_for_a_loop_is_freed(void **state)
{
	struct one o = { 0 };
	struct loop *loop = loop_new(NULL);

	(void)state;
	published_init(&o.published, &kind);
	publish(&o, 1);
	loop_post(loop, begin_and_stop, &o);
	loop_run(loop);
	publish(&o, 2);
	publish(&o, 3);
	assert_int_equal(o.taken, 1);
	assert_int_equal(alive, 3);
	loop_free(loop);
	published_done(&o.published);
	assert_int_equal(alive, 0);
}

/* ---- many ---- */

static struct published shared;

static struct thread {
	pthread_t thread;
	struct loop *loop;
	struct published_reader reader;
	struct number *present;
	bool ended;
} threads[LOOPS];

static void on_shared(void *arg, struct published_state *present)
{
	struct thread *t = arg;

	/* In order, perhaps with gaps. */
	must(!t->present || t->present->value < number_of(present)->value);
	t->present = number_of(present);
	must(*t->present->text == t->present->value);
	if (t->present->value == STATES && !t->ended) {
		t->ended = true;
		loop_stop(t->loop);
	}
}

/* Work that lasts longer than states do. */
static void work(void *arg)
{
	struct thread *t = arg;

	while (!t->ended) {
		struct number *held = t->present;
		unsigned value;

		if (!held) {
			task_yield();
			continue;
		}
		value = held->value;
		published_ref(&held->published);
		for (unsigned i = 0; i < 5; i++) {
			task_yield();
			must(*held->text == value);
		}
		published_unref(&held->published);
	}
}

static void join(void *arg)
{
	struct thread *t = arg;

	published_read(&shared, &t->reader, on_shared, t);
	for (unsigned i = 0; i < 4 && !t->ended; i++)
		must(task_spawn("work", work, t));
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;

	loop_post(t->loop, join, t);
	loop_run(t->loop);
	return NULL;
}

/* Several publishers, each of which makes the next from the latest. */
static void *publish_many(void *arg)
{
	for (;;) {
		struct number *latest = number_of(published_take(&shared));
		unsigned value = latest ? latest->value : 0;

		if (value == STATES) {
			published_keep(&shared);
			return arg;
		}
		published_put(&shared, number_new(value + 1));
		if (value % 64 == 0)
			usleep(100);
	}
}

static void test_many_loops(void **state)
{
	pthread_t publishers[2];

	(void)state;
	published_init(&shared, &kind);
	for (unsigned i = 0; i < LOOPS; i++) {
		threads[i].loop = loop_new(NULL);
		assert_int_equal(pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]), 0);
	}
	for (unsigned i = 0; i < array_len(publishers); i++)
		assert_int_equal(pthread_create(&publishers[i], NULL, publish_many, NULL), 0);
	for (unsigned i = 0; i < array_len(publishers); i++)
		pthread_join(publishers[i], NULL);
	for (unsigned i = 0; i < LOOPS; i++)
		pthread_join(threads[i].thread, NULL);
	for (unsigned i = 0; i < LOOPS; i++)
		loop_free(threads[i].loop);
	published_done(&shared);
	assert_int_equal(alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_loop),
		cmocka_unit_test(test_who_comes_late_has_the_latest_at_once),
		cmocka_unit_test(test_what_comes_too_late_for_a_loop_is_freed),
		cmocka_unit_test(test_many_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
