/*
 * Accepting: one task per listening socket, which takes what comes until it is told to stop.
 *
 * A listener that ends empties the queue first: whoever was in it came while we still listened.
 */
#pragma once
#include "io/loop.h"

struct acceptor {
	struct loop_fd fd;
	struct task *task;
	bool closing;
	/* Set by the caller. None may suspend. */
	void (*take)(struct acceptor *a, int fd);      /* a connection: non-blocking, close-on-exec, the callee's */
	void (*failed)(struct acceptor *a, int error); /* errno of accept(), if it is not about one connection alone */
	void (*ended)(struct acceptor *a);             /* the last call: a may be freed */
};
/* Accepts on fd (kept by the caller, open until ended() was called) from now on. On the loop's thread. Does not suspend. */
void acceptor_start(struct acceptor *a, int fd);
/* Stops; a second time is harmless. ended() comes later. On the loop's thread. */
void acceptor_stop(struct acceptor *a);
