/*
 * The mail edge: an SMTP gateway without a queue.
 *
 *   listener.c   from the door (edge/edge.h) to a session
 *   session.c    greeting to QUIT, read from top to bottom; the table of commands
 *   hello.c starttls.c envelope.c data.c    one command, or one step, each
 *   encryption.c who must come encrypted, and what is said to those who do not
 *   relay.c      the message on its way; measure.c: what is seen of it; received.c: its trace line
 *   mta.c        the conversation with a backend; backends.c: what is known of them, kept
 *                connections
 *   peer_name.c  what the peer's address is called, for XCLIENT
 *   note.c       what is logged of sessions, mails and recipients
 *
 * Its 250 is the backend's 250: a message is passed on while it comes in, its final dot is sent
 * when the sender's has come, and the sender hears what the backend says to it. So nothing is
 * stored here, nothing can be lost here, and nothing bounces from here. When the sender goes before
 * its dot, the backend never sees one. When the backend goes, the sender is told 451 and tries
 * again.
 *
 * All recipients of one transaction have to live at one backend; others are told 451 4.5.3, so that
 * the sender makes a second transaction for them.
 *
 * One struct mail per worker; each thread has a state (snapshot, certificates, settings), replaced
 * as a whole. A transaction keeps the state it began with. A session that waits for a command owns
 * no task and no buffer.
 */
#pragma once
#include "domain/domain.h"
#include "edge/edge.h"

struct mail_settings {
	const char *hostname; /* ours: greeting, EHLO, Received */
	uint64_t message_size_max;
	uint64_t tls_grace_ms; /* how long plaintext is put off (450) before it is refused (550) */
	uint64_t tls_timeout_ms, command_timeout_ms, data_timeout_ms;
	uint64_t connect_timeout_ms, backend_timeout_ms,
		final_timeout_ms; /* of the backend: replies, and that to the dot */
	uint64_t tarpit_ms;       /* before each answer to a client that makes errors */
	unsigned connections_max, connections_per_network;
	unsigned commands_max, errors_max; /* since the last message that was taken */
	unsigned recipients_max;
	const struct net_prefix *proxy_from; /* who must begin with a PROXY protocol header */
	unsigned proxy_from_n;
};
struct mail;
struct evidence;
/* evidence (may be NULL) is told what comes of handshakes and mails; it must live longer. */
struct mail *mail_new(unsigned threads, struct evidence *evidence);
struct mail *mail_free(struct mail *m); /* after all its loops have ended */

/* How the worker drives it; what is published to it has struct mail_settings, which are copied. In
 * a drain, idle sessions are told 421, others after their message. */
extern const struct edge_ops mail_edge;
