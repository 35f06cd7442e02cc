/*
 * The loop: rounds of ready tasks, due timers and one epoll_wait.
 *
 * The clock is read once a round, after epoll_wait, so a timer may be late by what its
 * round took. Tasks that become ready while tasks run still run in the same round, up to
 * ROUND_RESUMES_MAX, which saves polls and bounds how long descriptors wait. What an event
 * wakes runs before the next event is looked at: it finds the stack and the buffers warm that
 * the one before has just left.
 *
 * Messages from other threads are a stack that senders push to and the loop takes whole
 * and turns round, so they come in order per sender. The wake-up descriptor is written
 * only if the loop sleeps: the loop announces that it will sleep and then looks at the
 * queue; a sender pushes and then looks whether the loop sleeps. Both in sequentially
 * consistent order, so at least one sees the other. Being edge-triggered, the descriptor
 * is never read.
 *
 * The end: loop_stop() cancels what lives and ends what is parked; rounds go on until no
 * task is left. Each wait of a cancelled task returns at once, so this takes as long as
 * the longest cleanup.
 */
#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "io/io_priv.h"

#define ROUND_RESUMES_MAX    256
#define EVENT_RESUMES_MAX    4
#define TASKS_MAX_DEFAULT    20000
#define STACKS_SPARE_DEFAULT 256

_Thread_local struct loop *io_loop;

static void read_clock(struct loop *loop)
{
	loop->now_ms = clock_mono_ms();
	loop->wall_s = clock_wall_s();
}

struct loop *loop_new(const struct loop_settings *settings)
{
	struct loop *loop = mem_new(struct loop);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	list_init(&loop->ready);
	list_init(&loop->idle);
	list_init(&loop->idle_due);
	list_init(&loop->tasks);
	list_init(&loop->spare);
	heap_init(&loop->timers);
	loop->tasks_max = settings && settings->tasks_max ? settings->tasks_max : TASKS_MAX_DEFAULT;
	loop->spare_max = settings && settings->stacks_spare ? settings->stacks_spare : STACKS_SPARE_DEFAULT;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* No data pointer: its events only end the sleep. */
	if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0) {
		int error = errno;

		loop_free(loop);
		errno = error;
		return NULL;
	}
	return loop;
}

struct loop *loop_free(struct loop *loop)
{
	struct loop_msg *msg;

	if (!loop)
		return NULL;
	must(loop->tasks_count == 0);
	task_spare_free_all(loop);
	heap_done(&loop->timers);
	for (msg = atomic_exchange(&loop->messages, NULL); msg;) {
		struct loop_msg *next = msg->next;

		if (msg->owned)
			mem_free(msg);
		msg = next;
	}
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	return mem_free(loop);
}

struct loop *loop_self(void)
{
	return io_loop;
}

uint64_t loop_now_ms(void)
{
	return io_loop->now_ms;
}

int64_t loop_wall_s(void)
{
	return io_loop->wall_s;
}

unsigned loop_tasks(const struct loop *loop)
{
	return __atomic_load_n(&loop->tasks_count, __ATOMIC_RELAXED);
}

/* ---- messages ---- */

static void loop_wake(struct loop *loop)
{
	uint64_t one = 1;
	int error = errno;

	/* Fails only if the counter is full, and then the loop is awake. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		errno = error;
}

void loop_send(struct loop *loop, struct loop_msg *msg)
{
	struct loop_msg *head = atomic_load_explicit(&loop->messages, memory_order_relaxed);

	do {
		msg->next = head;
	} while (!atomic_compare_exchange_weak(&loop->messages, &head, msg));
	if (atomic_load(&loop->sleeping) && atomic_exchange(&loop->sleeping, false))
		loop_wake(loop);
}

void loop_post(struct loop *loop, task_fn *fn, void *arg)
{
	struct loop_msg *msg = mem_new(struct loop_msg);

	*msg = (struct loop_msg){ .fn = fn, .arg = arg, .owned = true };
	loop_send(loop, msg);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stop, true);
	loop_wake(loop);
}

static bool has_messages(struct loop *loop)
{
	return atomic_load(&loop->messages) != NULL;
}

static void run_messages(struct loop *loop)
{
	struct loop_msg *msg, *first = NULL;

	if (!atomic_load_explicit(&loop->messages, memory_order_relaxed))
		return;
	for (msg = atomic_exchange(&loop->messages, NULL); msg;) {
		struct loop_msg *next = msg->next;

		msg->next = first;
		first = msg;
		msg = next;
	}
	while (first) {
		struct loop_msg m = *first;

		if (m.owned)
			mem_free(first);
		first = m.next;
		m.fn(m.arg);
	}
}

/* ---- timers ---- */

void loop_timer_set(struct loop_timer *t, uint64_t deadline, task_fn *fn, void *arg)
{
	must(io_loop);
	t->fn = fn;
	t->arg = arg;
	t->deadline = deadline;
	/* A timer that lies in the heap too early moves when its time there comes. */
	if (t->node.place == 0 || t->node.key > deadline)
		heap_move(&io_loop->timers, &t->node, deadline);
}

void loop_timer_clear(struct loop_timer *t)
{
	if (t->node.place == 0)
		return;
	must(io_loop);
	heap_remove(&io_loop->timers, &t->node);
}

void loop_timer_relax(struct loop_timer *t)
{
	t->deadline = DEADLINE_NEVER;
}

static void run_timers(struct loop *loop)
{
	struct heap_node *node = heap_first(&loop->timers);

	/* At most those there are now: one that sets itself for now must not hold the round. */
	for (size_t left = loop->timers.count; left > 0 && node && node->key <= loop->now_ms; left--) {
		struct loop_timer *t = container_of(node, struct loop_timer, node);

		if (t->deadline > loop->now_ms && t->deadline != DEADLINE_NEVER) {
			heap_move(&loop->timers, node, t->deadline);
		} else {
			heap_remove(&loop->timers, node);
			if (t->deadline != DEADLINE_NEVER)
				t->fn(t->arg);
		}
		node = heap_first(&loop->timers);
	}
}

/* ---- rounds ---- */

static void run_ready(struct loop *loop, unsigned resumes_max)
{
	for (unsigned left = resumes_max; left > 0; left--) {
		struct list *link = list_pop(&loop->ready);

		if (!link)
			return;
		task_resume(loop, container_of(link, struct task, link));
	}
}

/* What a loop that ends still has to wait for. */
static bool has_life(const struct loop *loop)
{
	return loop->tasks_count > 0 || loop->idle_count > 0;
}

/* Milliseconds that epoll_wait may sleep; -1: until something comes. */
static int sleep_ms(const struct loop *loop)
{
	const struct heap_node *node = heap_first(&loop->timers);

	if (!list_empty(&loop->ready) || !list_empty(&loop->idle_due))
		return 0;
	if (loop->stopping && !has_life(loop))
		return 0;
	if (!node)
		return -1;
	if (node->key <= loop->now_ms)
		return 0;
	return node->key - loop->now_ms < INT_MAX ? (int)(node->key - loop->now_ms) : INT_MAX;
}

static void poll_events(struct loop *loop)
{
	int timeout_ms = sleep_ms(loop);

	if (timeout_ms != 0) {
		atomic_store(&loop->sleeping, true);
		if (has_messages(loop))
			timeout_ms = 0;
	}
	loop->events_n = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, timeout_ms);
	atomic_store_explicit(&loop->sleeping, false, memory_order_relaxed);
	must(loop->events_n >= 0 || errno == EINTR);
	read_clock(loop);
	for (loop->events_at = 0; loop->events_at < loop->events_n;) {
		const struct epoll_event *event = &loop->events[loop->events_at++];

		if (!event->data.ptr)
			continue;
		fd_event(event->data.ptr, event->events);
		run_ready(loop, EVENT_RESUMES_MAX);
	}
	loop->events_n = loop->events_at = 0;
}

static void run_round(struct loop *loop)
{
	run_messages(loop);
	fd_idle_run(loop);
	run_ready(loop, ROUND_RESUMES_MAX);
	run_timers(loop);
	poll_events(loop);
}

static void begin_stop(struct loop *loop)
{
	loop->stopping = true;
	list_each_safe (link, &loop->tasks)
		task_cancel(container_of(link, struct task, task_link));
	loop_idle_stop_all();
}

void loop_run(struct loop *loop)
{
	must(!io_loop);
	io_loop = loop;
	fiber_init_thread(&loop->fiber);
	read_clock(loop);
	while (!atomic_load_explicit(&loop->stop, memory_order_relaxed))
		run_round(loop);
	begin_stop(loop);
	/* What comes last may itself start tasks and send messages: until nothing is left. */
	while (has_life(loop) || has_messages(loop))
		run_round(loop);
	/* Timers still set belong to memory that may go before the loop does. */
	heap_done(&loop->timers);
	task_spare_free_all(loop);
	loop->stopping = false;
	atomic_store(&loop->stop, false);
	io_loop = NULL;
}
