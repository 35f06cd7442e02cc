/*
 * Helper threads: what blocks (SQL, files, name look-ups, long computing) runs there while
 * the asking task waits. A pool of a few threads per process; at most 10,000 jobs waiting.
 */
#pragma once
#include <stdint.h>

void helper_start(unsigned threads); /* once, before the first helper_run() */
void helper_stop(void);              /* waits for running jobs; drops none */
typedef void helper_fn(void *arg);
/* Runs fn(arg) on a helper thread. Suspends until it is done: arg may live on the
 * caller's stack, which is why there is neither deadline nor cancellation here.
 * 0, or -EAGAIN if the queue is full (then fn does not run). */
int helper_run(helper_fn *fn, void *arg);
/* The same without waiting; fn owns arg. 0 or -EAGAIN. Any thread. */
int helper_post(helper_fn *fn, void *arg);
