/*
 * A loop: one thread's epoll instance, timers, ready tasks and messages from other threads.
 *
 * loop_run() is the thread. Each round: ready tasks, timers that are due, then epoll_wait.
 * Descriptors are registered once, edge-triggered, for both directions; a task tries its
 * system call first and parks only on EAGAIN.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/heap.h"
#include "io/task.h"

struct loop_settings {
	unsigned tasks_max;    /* live tasks; 0: 20000 */
	unsigned stacks_spare; /* pooled stacks kept for reuse; 0: 256 */
};

/* NULL with errno if the kernel refuses descriptors. settings may be NULL. */
struct loop *loop_new(const struct loop_settings *settings);
/* After loop_run() returned, and once no other thread can send to the loop any more. NULL.
 * Messages that came too late are dropped. */
struct loop *loop_free(struct loop *loop);
/* Runs until loop_stop(); then cancels all tasks, runs them to their end and returns. A task
 * started meanwhile is born cancelled. */
void loop_run(struct loop *loop);
/* Any thread, also a signal handler. */
void loop_stop(struct loop *loop);
/* The calling thread's loop while inside loop_run(), else NULL. */
struct loop *loop_self(void);
/* clock_mono_ms() as of this round of the loop: cheap, good enough for deadlines. */
uint64_t loop_now_ms(void);
/* Wall-clock seconds as of this round. */
int64_t loop_wall_s(void);
unsigned loop_tasks(const struct loop *loop); /* live tasks (approximate from elsewhere) */

/* Calls fn(arg) on loop's thread, outside any task. Any thread. In order per sender. */
void loop_post(struct loop *loop, task_fn *fn, void *arg);

/* A timer calls fn(arg) on the loop, outside any task (fn may task_spawn()). Own loop only. */
struct loop_timer {
	struct heap_node node;
	uint64_t deadline; /* node.key may be earlier: the loop then moves the node on */
	task_fn *fn;
	void *arg;
};
void loop_timer_set(struct loop_timer *t, uint64_t deadline, task_fn *fn, void *arg);
void loop_timer_clear(struct loop_timer *t); /* not set: nothing */

/*
 * A descriptor on the loop. At most one task waits for reading and one for writing.
 * `idle` is the parked state: no task, no stack; when the descriptor becomes readable (or
 * hung up), or at the deadline, fn(arg, why) is called on the loop, once.
 */
enum loop_idle_end { LOOP_IDLE_READABLE, LOOP_IDLE_TIMEOUT, LOOP_IDLE_STOP };
typedef void loop_idle_fn(void *arg, enum loop_idle_end why);
struct loop_fd {
	int fd;
	bool readable, writable; /* since the last EAGAIN: try before you wait */
	bool hung_up;            /* EPOLLRDHUP, EPOLLHUP or EPOLLERR was seen */
	struct loop *loop;
	struct task *reader, *writer;
	loop_idle_fn *idle_fn;
	void *idle_arg;
	struct list idle_link; /* in the loop's list of parked descriptors */
	struct loop_timer idle_timer;
};
/* fd must be non-blocking. Registers it with the calling thread's loop. 0 or -errno. */
int loop_fd_add(struct loop_fd *f, int fd);
/* Deregisters; closes nothing. Tasks still waiting on it get -EBADF. */
void loop_fd_remove(struct loop_fd *f);
/* Suspends until readable/writable. 0, -ETIMEDOUT, -ECANCELED, -EBADF. The caller clears
 * f->readable/f->writable itself on EAGAIN, before it waits. */
int loop_fd_wait_read(struct loop_fd *f, uint64_t deadline);
int loop_fd_wait_write(struct loop_fd *f, uint64_t deadline);
/* Parks. fn comes later, never inside this call; at once (next round) if f->readable.
 * loop_stop() ends all parked descriptors with LOOP_IDLE_STOP. */
void loop_fd_park(struct loop_fd *f, uint64_t deadline, loop_idle_fn *fn, void *arg);
void loop_fd_unpark(struct loop_fd *f); /* not parked: nothing */
/* Ends every parked descriptor of the calling loop now with LOOP_IDLE_STOP (drain). */
void loop_idle_stop_all(void);
unsigned loop_idle_count(const struct loop *loop);
