/*
 * The channel between supervisor and worker: a SOCK_SEQPACKET pair of typed messages with
 * descriptors.
 *
 * A message is one packet: a number that says what it is, a tag that ties an answer to its
 * question, a small text, and descriptors. Texts that may be large (settings, certificates,
 * snapshots, answers) travel as a sealed memfd. Numbers are never reused: across a hand-over an
 * older worker talks with a newer supervisor, and both ignore what they do not know.
 */
#pragma once
#include <stdint.h>
#include "base/buf.h"

#define CHANNEL_TEXT_MAX 4096
#define CHANNEL_FDS_MAX  250 /* the kernel takes 253 */

enum channel_type {
	/* supervisor to worker */
	CHANNEL_SETTINGS = 1, /* memfd: settings that a running worker can take */
	CHANNEL_LISTEN = 2,   /* text: listener_text(); its sockets */
	CHANNEL_UNLISTEN = 3, /* likewise: stop accepting there */
	CHANNEL_CERTS = 4,    /* memfd: the files of the certificate folders; tag: a number of it */
	CHANNEL_TICKETS = 5,  /* memfd: struct tls_ticket_keys */
	CHANNEL_DRAIN = 6,    /* finish what is open, then end */
	CHANNEL_REOPEN = 7,   /* open log files again */
	/* memfd: JSON of an answer; text: its HTTP status; tag: of the question */
	CHANNEL_ANSWER = 8,
	CHANNEL_STATE = 9, /* memfd: the supervisor's part of the status, JSON */
	/* worker to supervisor */
	CHANNEL_READY = 33, /* it accepts connections */
	CHANNEL_SNAPSHOT =
		/* memfds: the last good domains in export form; names_save() of them, if there is
		 * that */
	34,
	CHANNEL_RELOAD = 35, /* asks for a reload; text "binary": with the new program; tag */
	CHANNEL_STOP = 36,   /* asks for the end; tag */
	CHANNEL_ALIVE = 37,  /* its first loop comes round */
	/* Certificates are in service; tag: of the CHANNEL_CERTS that it is about. No descriptor:
	 * just these files; a memfd: these with earlier ones in place of faulty ones. */
	CHANNEL_SERVED = 38,
};
struct channel_message {
	uint32_t type, tag;
	struct span text; /* within bytes */
	int fds[CHANNEL_FDS_MAX];
	unsigned fds_n;
	char bytes[CHANNEL_TEXT_MAX];
};

/* A connected pair, non-blocking, close-on-exec. 0 or -errno. */
int channel_pair(int ret[2]);
/* Descriptors are duplicated on the way, the caller keeps his. 0, -EAGAIN (the other side does not
 * read), -EPIPE, -EMSGSIZE. Does not suspend. */
int channel_send(int channel, uint32_t type, uint32_t tag, struct span text, const int *fds, unsigned fds_n);
/* The same with a text of any size, as a sealed memfd. */
int channel_send_large(int channel, uint32_t type, uint32_t tag, struct span text, struct span large);
/* 1 and a message, whose descriptors are the caller's (channel_message_done()); 0 if there is none
 * now; -EPIPE when the other side is gone; -EPROTO for something that is no message. */
int channel_receive(int channel, struct channel_message *ret);
/* Closes the descriptors that nobody took (those not set to -1). */
void channel_message_done(struct channel_message *m);

/* ---- sealed memfds ---- */

/* Bytes in an anonymous file that nobody can change any more. The descriptor or -errno. */
int memfd_from(const char *name, struct span bytes);
/* Is fd a memfd of memfd_from(), of at most max bytes? Else whoever sent it could change it later,
 * or keep its reader waiting. */
bool memfd_is_sealed(int fd, size_t max);
/* All of it into out (whose cap is the limit). 0 or -errno. fd stays open, its position does not
 * matter. */
int memfd_read(int fd, struct buf *out);
/* Do both hold the same bytes? Each may be -1, which equals nothing. */
bool memfd_same(int a, int b);
