/*
 * Tasks: spawn, wait, wake, cancel.
 *
 * A task is in one of these states:
 *   ready     in loop->ready, not waiting
 *   running   loop->current
 *   waiting   in no list; a timer, a descriptor or a condition knows it
 *   spare     in loop->spare: no task at all, a coroutine that waits for its next fn
 * Whoever ends a wait sets `result` and makes the task ready; later wakers find it not
 * waiting and change nothing. The task itself, once it runs, takes itself off what it
 * waited for, so a wait has no cancellation callbacks.
 *
 * Switches go from task to loop and from loop to task, never from task to task: a few
 * nanoseconds more for one place where everything comes by.
 */
#include <errno.h>
#include "base/clock.h"
#include "io/io_priv.h"

static _Noreturn void task_main(void)
{
	struct task *t = io_loop->current;

	fiber_started(&t->loop->fiber);
	for (;;) {
		t->fn(t->arg);
		t->ended = true;
		fiber_switch(&t->fiber, &t->loop->fiber, true);
	}
}

static void wait_timed_out(void *arg)
{
	task_wake(arg, -ETIMEDOUT);
}

static struct task *task_make(struct loop *loop)
{
	struct fiber fiber;
	struct task *t = fiber_map(sizeof(*t), &fiber);

	if (!t)
		return NULL;
	*t = (struct task){ .fiber = fiber, .loop = loop };
	list_init(&t->link);
	list_init(&t->task_link);
	fiber_prepare(&t->fiber, task_main);
	return t;
}

static void task_unmake(struct task *t)
{
	struct fiber fiber = t->fiber;

	loop_timer_clear(&t->timer);
	fiber_unmap(&fiber);
}

static struct task *spare_take(struct loop *loop)
{
	struct list *link = list_pop(&loop->spare);

	if (!link)
		return task_make(loop);
	loop->spare_count--;
	return container_of(link, struct task, link);
}

void task_spare_free_all(struct loop *loop)
{
	struct list *link;

	while ((link = list_pop(&loop->spare)))
		task_unmake(container_of(link, struct task, link));
	loop->spare_count = 0;
}

static void count_tasks(struct loop *loop, unsigned count)
{
	__atomic_store_n(&loop->tasks_count, count, __ATOMIC_RELAXED);
}

struct task *task_spawn(const char *name, task_fn *fn, void *arg)
{
	struct loop *loop = io_loop;
	struct task *t;

	must(loop);
	if (loop->tasks_count >= loop->tasks_max)
		return NULL;
	t = spare_take(loop);
	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	t->name = name;
	t->ended = false;
	/* A loop that ends still runs what is started, so that arg finds its owner, but lets
	 * nothing wait. */
	t->canceled = loop->stopping;
	count_tasks(loop, loop->tasks_count + 1);
	list_push_back(&loop->tasks, &t->task_link);
	list_push_back(&loop->ready, &t->link);
	return t;
}

struct spawn_request {
	const char *name;
	task_fn *fn, *on_refused;
	void *arg;
};

static void spawn_here(void *arg)
{
	struct spawn_request req = *(struct spawn_request *)arg;

	mem_free(arg);
	if (!task_spawn(req.name, req.fn, req.arg) && req.on_refused)
		req.on_refused(req.arg);
}

void task_spawn_on(struct loop *loop, const char *name, task_fn *fn, void *arg, task_fn *on_refused)
{
	struct spawn_request *req = mem_new(struct spawn_request);

	*req = (struct spawn_request){ name, fn, on_refused, arg };
	loop_post(loop, spawn_here, req);
}

static void task_end(struct loop *loop, struct task *t)
{
	count_tasks(loop, loop->tasks_count - 1);
	list_remove(&t->task_link);
	if (loop->spare_count >= loop->spare_max) {
		task_unmake(t);
		return;
	}
	list_push_front(&loop->spare, &t->link);
	loop->spare_count++;
}

void task_resume(struct loop *loop, struct task *t)
{
	loop->current = t;
	t->turn_ops = TASK_TURN_OPS;
	fiber_switch(&loop->fiber, &t->fiber, false);
	loop->current = NULL;
	if (t->ended)
		task_end(loop, t);
}

int task_wait(uint64_t deadline, bool cancelable)
{
	struct task *t = io_loop->current;

	must(t);
	if (cancelable && t->canceled)
		return -ECANCELED;
	if (deadline <= t->loop->now_ms)
		return -ETIMEDOUT;
	t->waiting = true;
	t->cancelable = cancelable;
	if (deadline != DEADLINE_NEVER)
		loop_timer_set(&t->timer, deadline, wait_timed_out, t);
	fiber_switch(&t->fiber, &t->loop->fiber, false);
	if (deadline != DEADLINE_NEVER)
		loop_timer_relax(&t->timer);
	return t->result;
}

void task_wake(struct task *t, int result)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	t->result = result;
	list_push_back(&t->loop->ready, &t->link);
}

void task_cancel(struct task *t)
{
	must(t->loop == io_loop);
	t->canceled = true;
	if (t->cancelable)
		task_wake(t, -ECANCELED);
}

struct task *task_self(void)
{
	return io_loop ? io_loop->current : NULL;
}

const char *task_name(const struct task *t)
{
	return t->name;
}

bool task_canceled(void)
{
	must(task_self());
	return io_loop->current->canceled;
}

void task_give_way(void)
{
	struct task *t = io_loop->current;

	must(t);
	list_push_back(&t->loop->ready, &t->link);
	fiber_switch(&t->fiber, &t->loop->fiber, false);
}

int task_yield(void)
{
	if (!task_canceled())
		task_give_way();
	return task_canceled() ? -ECANCELED : 0;
}

uint64_t deadline_in(uint64_t ms)
{
	uint64_t now = io_loop ? io_loop->now_ms : clock_mono_ms();

	return ms >= DEADLINE_NEVER - now ? DEADLINE_NEVER : now + ms;
}

int task_sleep(uint64_t ms)
{
	uint64_t deadline = deadline_in(ms);
	int r;

	/* The round began up to a millisecond after its stamp: never sleep too short. */
	if (ms > 0 && deadline != DEADLINE_NEVER)
		deadline++;
	r = ms == 0 ? task_yield() : task_wait(deadline, true);
	return r == -ETIMEDOUT ? 0 : r;
}
