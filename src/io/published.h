/*
 * A state that is replaced as a whole while the loops of many threads work with it: settings,
 * domains, certificates.
 *
 *	latest    what was published last; the next is made from it
 *	next      a reader's copy of it, until its loop comes round
 *	present   what new work on that loop begins with
 *	held      by work that began before the next came; freed with the last of it
 *
 * Who publishes makes a new state from the latest one and changes it no more. Each reader gets a
 * copy of its own: only its thread counts who holds it, so that the requests of several threads do
 * not fight over one cache line, and its thread frees it. What is big in a state (a snapshot, a
 * certificate set) is shared by the copies and has a count of its own.
 *
 * Nothing waits for anything: work goes on with the state that it began with for as long as it
 * holds it, and a loop that was busy while several states came takes the last of them only.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "io/task.h"

struct loop;

/* In each state. */
struct published_state {
	unsigned refs;
	const struct published_kind *kind;
};
struct published_kind {
	struct published_state *(*copy)(const struct published_state *state);
	void (*free)(struct published_state *state);
};
/* More work holds the state. On its reader's thread, as unref, which frees it with the last. */
void published_ref(struct published_state *state);
void published_unref(struct published_state *state);

/* What a thread works with. */
struct published_reader {
	struct list link;
	struct loop *loop;
	struct published_state
		/* held for as long as it is the present one; NULL: nothing was published yet */
		*present;
	_Atomic(struct published_state *) next;
	void (*taken)(void *arg, struct published_state *present);
	void *arg;
};
struct published {
	const struct published_kind *kind;
	pthread_mutex_t lock; /* of latest and readers */
	struct published_state *latest;
	struct list readers;
};
void published_init(struct published *p, const struct published_kind *kind);
/* After the loops of all readers have ended. Frees the latest state and what readers have. */
void published_done(struct published *p);

/* From now on the calling loop gets what is published: taken(arg, present) is called on it, outside
 * of tasks, for each state that it takes; at once, if there is one already. Does not suspend. */
void published_read(struct published *p, struct published_reader *r,
	void (*taken)(void *arg, struct published_state *present), void *arg);

/* The latest state, or NULL: nobody else publishes until published_put() or published_keep(). Any
 * thread; may block for as long as another publisher needs. */
struct published_state *published_take(struct published *p);
/* Publishes a new state, which is p's from now on. */
void published_put(struct published *p, struct published_state *state);
/* Leaves the latest as it is. */
void published_keep(struct published *p);
/* Calls fn(arg of the reader) on each reader's loop, outside of tasks. Any thread. */
void published_tell(struct published *p, task_fn *fn);
