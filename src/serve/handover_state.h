/*
 * What one program hands over to the next: the supervisor's state as a text, pure. Nothing here
 * opens, closes or looks at a descriptor; they are numbers.
 *
 * The text is JSON with a version. A program that does not know the version refuses the text, and
 * does so in its trial (serve/supervisor_handover.c), before anything depends on it.
 */
#pragma once
#include "serve/listeners.h"
#include "tls/tls.h"

#define HANDOVER_VERSION      1
#define HANDOVER_CHILDREN_MAX 16
#define HANDOVER_STATE_MAX    ((size_t)4 << 20)

struct handover_child {
	pid_t pid;
	int channel; /* -1: closed already */
	bool ready, draining;
};
struct handover {
	char *settings; /* the text in force: the file may have been changed, or be faulty now */
	struct listeners listeners;
	int control, snapshot, names; /* the last two: of CHANNEL_SNAPSHOT, -1 if there is none */
	int served;                   /* the certificate files in service, or -1 */
	char *control_path;
	struct handover_child children[HANDOVER_CHILDREN_MAX];
	unsigned children_n;
	struct tls_ticket_keys tickets;
	unsigned restarts;
	int64_t started_at;
	pid_t asker; /* the worker that waits for the end of it, and its tag; 0: nobody */
	uint32_t tag;
};

/* Appends the text, which holds keys: explicit_bzero() it in the end. */
void handover_encode(const struct handover *h, struct buf *out);
/* 0, or -EINVAL: another version, or not a state. ret is all the caller's, handover_done() it also
 * after an error. */
int handover_decode(struct span text, struct handover *ret);
/* Frees what decode made, listeners included, and wipes the keys. Descriptors stay open. */
void handover_done(struct handover *h);
/* Calls fn for every descriptor until it returns a negative number, which is then returned; else
 * 0. */
int handover_each_fd(const struct handover *h, int (*fn)(int fd));
