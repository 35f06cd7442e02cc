/*
 * struct task_cond: waiting across threads.
 *
 * A waiter is a record on the waiting task's stack, in the condition's list; the mutex
 * guards the list and `woken`. Whoever wakes takes the record off the list, marks it and,
 * unless it runs on the waiter's own loop, sends the record's message to that loop.
 *
 * The races: a deadline or a cancellation may end the wait while a waker is at work. The
 * waiter decides under the mutex: still in the list, then it takes itself off and reports
 * why it left; woken, then it reports that (a signal is never lost to a deadline), but its
 * record may still lie in the loop's queue, so it stays until `delivered`.
 *
 * A waker holds the mutex until the message is sent and the loop is awake, so neither the
 * record nor the loop can go while it works.
 */
#include <errno.h>
#include "io/io_priv.h"

struct waiter {
	struct list link;
	struct task *task;
	struct loop_msg msg;
	bool woken;     /* under the mutex */
	bool delivered; /* the waiter's loop only */
};

void task_cond_init(struct task_cond *c)
{
	list_init(&c->waiters);
}

static void deliver(void *arg)
{
	struct waiter *w = arg;

	w->delivered = true;
	task_wake(w->task, 0);
}

static int cond_wait(struct task_cond *c, pthread_mutex_t *held, uint64_t deadline, bool cancelable)
{
	struct waiter w = { .task = task_self() };
	int r;

	must(w.task);
	list_push_back(&c->waiters, &w.link);
	pthread_mutex_unlock(held);
	r = task_wait(deadline, cancelable);
	pthread_mutex_lock(held);
	if (!w.woken) {
		list_remove(&w.link);
		return r;
	}
	while (!w.delivered) {
		pthread_mutex_unlock(held);
		task_wait(DEADLINE_NEVER, false);
		pthread_mutex_lock(held);
	}
	return 0;
}

int task_cond_wait(struct task_cond *c, pthread_mutex_t *held, uint64_t deadline)
{
	return cond_wait(c, held, deadline, true);
}

void task_cond_wait_woken(struct task_cond *c, pthread_mutex_t *held)
{
	must(cond_wait(c, held, DEADLINE_NEVER, false) == 0);
}

static void wake(struct waiter *w)
{
	struct loop *loop = w->task->loop;

	list_remove(&w->link);
	w->woken = true;
	if (loop == loop_self()) {
		deliver(w);
		return;
	}
	w->msg = (struct loop_msg){ .fn = deliver, .arg = w };
	loop_send(loop, &w->msg);
}

void task_cond_signal(struct task_cond *c)
{
	if (!list_empty(&c->waiters))
		wake(container_of(c->waiters.next, struct waiter, link));
}

void task_cond_broadcast(struct task_cond *c)
{
	while (!list_empty(&c->waiters))
		task_cond_signal(c);
}
