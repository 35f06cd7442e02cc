/*
 * Accepting: one task per listening socket, which takes what comes until it is told to stop.
 *
 * What a thread listens on is a list of its own, from which an acceptor that has ended removes
 * itself. One that is told to stop empties its queue first: whoever was in it came while we still
 * listened.
 */
#pragma once
#include "base/fault.h"
#include "base/list.h"

/* What becomes of connections. None of these may suspend. */
struct accept_to {
	/* a connection: non-blocking, close-on-exec, the callee's */
	void (*take)(void *arg, int fd);
	/* ACCEPT-FAILED: it is not about one connection alone */
	void (*failed)(void *arg, const struct fault *failed);
};
/* Accepts on fd (the caller's; open until it has stopped and its queue is empty) from now on and
 * adds itself to the list. to is borrowed, so it is static. On the loop's thread, also outside of
 * tasks. Does not suspend. */
void accept_start(struct list *acceptors, int fd, const struct accept_to *to, void *arg);
/* Stops the acceptor of fd, or all if fd < 0; the queue is emptied within moments. One that is
 * stopping already, or none: nothing. On the loop's thread. Does not suspend. */
void accept_stop(struct list *acceptors, int fd);
