/*
 * The one thread of a worker that writes to the store.
 *
 * Whoever has something to keep - evidence of mail is the first - adds it up in memory and hands it
 * over as a batch when the writer comes round, about once a second while there is something. The
 * batches of all clients go into one transaction, so the store is locked once and not once for each
 * of them, and nobody waits for anybody else's lock.
 *
 * A batch that could not be written stays with the writer and is tried again, after a second first,
 * after half a minute at last; meanwhile the client adds up the next. A commit that failed wrote
 * nothing, so nothing is counted twice. Bounds are the clients': what they add up meanwhile, and
 * what they keep in the store.
 *
 * Changes that somebody waits for (domains, purges) do not come this way.
 */
#pragma once
#include "store/store.h"

#define WRITER_CLIENTS_MAX 8

struct writer;
/* Static. All functions are called on the writer's thread and may block on the store alone. 0 or
 * -errno with fault. */
struct writer_client {
	/* Reads what a worker before this one wrote. Until it was done once, nothing is written. */
	int (*load)(void *arg, struct store *s, struct fault *fault);
	/* Hands over what was added up since the last time; NULL: nothing. */
	void *(*take)(void *arg);
	/* Within the transaction; after a failure again, with the same batch. */
	int (*write)(void *arg, struct store *s, const void *batch, struct fault *fault);
	/* How a round went: well (failed is NULL), and the batch is in the store and the client's
	 * to free; or not, and it will be tried again. batch: NULL if there was none. */
	void (*went)(void *arg, void *batch, const struct fault *failed);
	/* The last try of writer_stop() failed: the batch is the client's to free. */
	void (*give_up)(void *arg, void *batch);
	/* Drops a part of what is too old; *ret_rows: how much. In a transaction of its own. */
	int (*expire)(void *arg, struct store *s, uint64_t *ret_rows, struct fault *fault);
};
/* Writes nothing yet. url: the store's, as in the settings. Does not block. */
struct writer *writer_new(const char *url);
/* Before writer_start(). client is borrowed; arg has to stay until writer_stop(). */
void writer_add(struct writer *w, const struct writer_client *client, void *arg);
void writer_start(struct writer *w);
/* A client has something to hand over. Any thread; does not block. */
void writer_wake(struct writer *w);
/* Ends the thread after a last try to write everything (waits for a locked store, 10 s at most).
 * What could not be written goes back to its client by give_up(). */
void writer_stop(struct writer *w);
struct writer *writer_free(struct writer *w); /* stopped; NULL is fine, always NULL */
