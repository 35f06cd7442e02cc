/*
 * What the files of io/ share: the insides of a loop and of a task.
 *
 * A task is a coroutine that outlives its function: when fn returns, the coroutine stays
 * suspended at the end of its own main loop, in the loop's list of spare tasks, and the
 * next task_spawn() gives it another fn. So spawning neither maps a stack nor writes a
 * first frame, and the sanitizers see frames that return in order.
 *
 * Everything of a loop belongs to its thread, except `messages`, `sleeping`, `stop`
 * (atomics), `wake_fd`, and the two counts that others may read.
 */
#pragma once
#include <stdatomic.h>
#include <sys/epoll.h>
#include "base/heap.h"
#include "base/list.h"
#include "base/mem.h"
#include "io/fiber.h"
#include "io/loop.h"
#include "io/task.h"

#define EVENTS_MAX 256

/* Calls that one task may make without suspending before it lets others run. */
#define TASK_TURN_OPS 32

/* A message to a loop: fn(arg) is called there. The sender does not touch it after
 * loop_send(); the loop does not touch it once fn was called. */
struct loop_msg {
	struct loop_msg *next;
	task_fn *fn;
	void *arg;
	bool owned; /* by the queue, which frees it before it calls fn */
};

struct loop {
	struct fiber fiber; /* the thread's own stack while a task runs */
	struct task *current;
	uint64_t now_ms;
	int64_t wall_s;
	struct list ready; /* tasks that will run, in order */
	struct heap timers;
	struct list idle;     /* parked descriptors that wait for an edge */
	struct list idle_due; /* parked descriptors to be called this round */
	unsigned idle_count;
	struct list tasks; /* all live tasks */
	unsigned tasks_count;
	struct list spare; /* coroutines without a task, last used first */
	unsigned spare_count;
	unsigned tasks_max, spare_max;
	bool stopping;
	int epoll_fd, wake_fd;
	/* Events of this round not yet handled; loop_fd_remove() strikes out its own. */
	int events_at, events_n;
	struct epoll_event events[EVENTS_MAX];

	/* Other threads write these. */
	_Atomic(struct loop_msg *) messages; /* newest first */
	atomic_bool sleeping;                /* in epoll_wait, or about to be */
	atomic_bool stop;
};

struct task {
	struct fiber fiber;
	struct list link;      /* in loop->ready or loop->spare, or in none */
	struct list task_link; /* in loop->tasks */
	struct loop *loop;
	task_fn *fn;
	void *arg;
	const char *name;
	int result;        /* of the wait that has ended */
	unsigned turn_ops; /* calls left before fd_turn_*() suspends */
	bool waiting;
	bool cancelable; /* the wait in progress */
	bool canceled;
	bool ended;
	struct loop_timer timer; /* of the wait in progress; left lying after it */
};

extern _Thread_local struct loop *io_loop;

/* ---- task.c ---- */

/* Suspends the running task until task_wake(), the deadline or, if cancelable, task_cancel().
 * The result given to task_wake(), -ETIMEDOUT or -ECANCELED; a deadline that has passed and a
 * cancellation that has happened return at once. */
int task_wait(uint64_t deadline, bool cancelable);
/* Ends the wait of t with that result; of two the first counts. Own loop only. */
void task_wake(struct task *t, int result);
/* Runs t until it suspends or ends. */
void task_resume(struct loop *loop, struct task *t);
void task_spare_free_all(struct loop *loop);
/* task_cond_wait() for those who must not leave before they were woken: neither deadline nor
 * cancellation. */
void task_cond_wait_woken(struct task_cond *c, pthread_mutex_t *held);

/* ---- loop.c ---- */

/* Hands msg to loop. Any thread. */
void loop_send(struct loop *loop, struct loop_msg *msg);
/* Disarms t but leaves it in the heap, where it costs nothing until its time comes: most
 * waits end early and are followed by one with a later deadline. The memory of t must stay
 * until loop_timer_clear(). */
void loop_timer_relax(struct loop_timer *t);

/* ---- fd.c ---- */

/* Called before each system call that may not suspend: once in TASK_TURN_OPS calls it lets
 * others run, so that no pair of fast peers holds the thread. 0, -ECANCELED, -ETIMEDOUT, or
 * -EBADF as from loop_fd_wait_read(). */
int fd_turn_read(struct loop_fd *f, uint64_t deadline);
int fd_turn_write(struct loop_fd *f, uint64_t deadline);
void fd_event(struct loop_fd *f, uint32_t events);
/* Calls the parked descriptors that are due. */
void fd_idle_run(struct loop *loop);
