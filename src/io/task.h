/*
 * Tasks: straight-line code that waits by calling.
 *
 * A task is a stackful coroutine on one loop (io/loop.h), that is on one thread. It runs
 * until it waits; nothing else of its loop runs meanwhile, so data that only one loop
 * touches needs no lock. Functions that may suspend the calling task say so; they are
 * those of the families task_*, conn_*, net_*, helper_*, origin_*, cache_*.
 *
 * Stacks: 64 KiB by mmap with a guard page below, pooled per loop. Running off the end is
 * a SIGSEGV, never silent. Keep big buffers out of frames (arena or heap).
 *
 * Waiting takes a deadline: an absolute clock_mono_ms() value, DEADLINE_NEVER where a
 * bound would be wrong (each such place says why). Every wait may return -ETIMEDOUT or,
 * once task_cancel() was called, -ECANCELED: cancellation is an error return, so cleanup
 * always runs, and every later wait of that task returns it again at once.
 *
 * AddressSanitizer and ThreadSanitizer are told of every switch.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

#define DEADLINE_NEVER UINT64_MAX
/* ms from now. */
uint64_t deadline_in(uint64_t ms);

struct task;
struct loop;
typedef void task_fn(void *arg);

/* Starts fn(arg) on the calling thread's loop; it runs when the caller next waits or the
 * loop comes round (never inside this call). name: a literal, shown in diagnostics. The
 * task frees itself when fn returns: the pointer is good until then. At most
 * loop_settings.tasks_max tasks a loop: NULL beyond that (the caller refuses its work). */
struct task *task_spawn(const char *name, task_fn *fn, void *arg);
/* The same on another loop; any thread. Refusal is told by on_refused(arg) on that loop (may be
 * NULL). */
void task_spawn_on(struct loop *loop, const char *name, task_fn *fn, void *arg, task_fn *on_refused);
/* The running task, or NULL when called from the loop itself. */
struct task *task_self(void);
const char *task_name(const struct task *t);
/* From the task's own loop only. The task's current or next wait returns -ECANCELED. */
void task_cancel(struct task *t);
bool task_canceled(void); /* of the running task */

/* Suspends for ms. 0 or -ECANCELED. */
int task_sleep(uint64_t ms);
/* Lets everything else that is ready run first. 0 or -ECANCELED. */
int task_yield(void);
/* The same for a cancelled task, too, which has to see others off. */
void task_give_way(void);

/*
 * A condition variable for tasks of any loop, used like pthread_cond_t: the waiter holds
 * the mutex, checks its condition in a loop, and waits; the mutex is released while it
 * waits and held again on return. Mutexes are held for a few instructions, never across
 * another wait. A plain thread may broadcast.
 */
struct task_cond {
	struct list waiters;
};
void task_cond_init(struct task_cond *c);
/* Suspends. 0 (woken), -ETIMEDOUT or -ECANCELED; mutex held in every case. */
int task_cond_wait(struct task_cond *c, pthread_mutex_t *held, uint64_t deadline);
/* The caller holds the mutex. */
void task_cond_broadcast(struct task_cond *c);
void task_cond_signal(struct task_cond *c); /* wakes the one that waits longest */
