/* Inside mail/: the state that every session reads, the session, the transaction. */
#pragma once
#include <stdatomic.h>
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "edge/edge.h"
#include "evidence/evidence.h"
#include "guard/guard.h"
#include "mail/mail.h"
#include "mail/mta.h"
#include "smtp/smtp.h"
#include "stats/stats.h"
#include "tls/explain.h"

/* ---- mail.c ---- */

/* What is published to the edge. */
struct mail_state {
	struct published_state published;
	struct snapshot *snapshot;
	struct tls_set *tls; /* NULL: no TLS */
	struct mail_settings settings;
};
static inline struct mail_state *mail_state_ref(struct mail_state *s)
{
	published_ref(&s->published);
	return s;
}
/* NULL is fine; always NULL. */
static inline struct mail_state *mail_state_unref(struct mail_state *s)
{
	if (s)
		published_unref(&s->published);
	return NULL;
}

#define MAIL_LISTENERS_MAX 64

struct mail_thread {
	struct mail *mail;
	unsigned index;
	struct published_reader reader;
	struct mail_state *state; /* the present one */
	struct edge_door door;
	struct { /* what it accepts on */
		int fd;
		struct net_addr addr;
	} listeners[MAIL_LISTENERS_MAX];
	unsigned listeners_n;
	struct list parked; /* sessions that wait for a command */
	bool draining;
};
struct mail {
	unsigned threads_n;
	struct mail_thread *threads;
	atomic_uint sessions;
	struct networks *networks;
	struct backends *backends;
	struct evidence *evidence;  /* NULL: none */
	struct published published; /* struct mail_state */
};

/* ---- listener.c ---- */

/* The thread begins to accept on fd, or ends it (fd < 0: on all). */
void mail_remember_listener(struct mail_thread *t, int fd);
void mail_forget_listener(struct mail_thread *t, int fd);
/* Do we accept on that address? here: it is one of this machine's, so a listener on all addresses
 * counts, too. On the thread's loop. */
bool mail_listens_on(const struct mail_thread *t, const struct net_addr *a, bool here);

/* ---- measure.c: what is seen of a message that passes ---- */

struct mail_measure {
	uint64_t bytes;
	unsigned received; /* trace lines in its header (RFC 5321 6.3) */
	bool eight_bit;    /* a byte beyond ASCII */
	/* The automaton's. */
	bool in_body;
	unsigned matched; /* of the field's name at the beginning of this line */
	size_t line_n;
};
/* content: whole CRLF lines, split anywhere. */
void mail_measure(struct mail_measure *m, struct span content);

/* ---- session.c ---- */

/* What a command says of the session. Negative errno: the connection is of no use any more. */
enum next {
	NEXT_COMMAND = 0,
	NEXT_CLOSE, /* after what was said */
};
/* Why a session ended; the log's word for it is in note.c. */
enum verdict {
	VERDICT_LOST, /* the client went without a word */
	VERDICT_QUIT,
	VERDICT_TIMEOUT,
	VERDICT_TLS_FAILED,
	VERDICT_MALFORMED,
	VERDICT_NOT_SMTP,
	VERDICT_TOO_MANY,
	VERDICT_DRAINED,
	VERDICT_COUNT
};
struct mail_session {
	struct mail_thread *thread;
	/* NULL while parked outside a transaction; the same for all of a transaction */
	struct mail_state *state;
	struct list link; /* in thread->parked */
	struct conn *conn;
	struct mail_transaction *mail; /* from MAIL to its end, or NULL */
	struct buf in, out;            /* no memory while parked, but for a line that has begun */
	size_t used;                   /* of in */
	char *helo;                    /* NULL: not said (any more) */
	char *name, *reverse_name;     /* peer_name.c; NULL: not looked up */
	char id[20];                   /* in the log */
	bool implicit_tls, esmtp;
	unsigned offered; /* enum smtp_cap of the backends', in the answer to EHLO */
	bool self;        /* its TLS was our own check: not worth a line, unless it does more */
	bool in_network;  /* counted by the guard, see edge_leave() */
	enum verdict verdict;
	enum fault_code code;      /* of the fault that ended it */
	unsigned commands, errors; /* since the last message that was taken */
	unsigned errors_before, mails;
	uint64_t deadline;             /* of the command that is awaited */
	enum loop_idle_end wait_ended; /* how; READABLE: the command comes */
};
/* Begins a session with whoever came, or says why not. Suspends. */
void session_begin(struct mail_thread *t, struct edge_arrival *a);
/* Ends all sessions of the thread that wait for a command. On its loop, not in a task. */
void session_end_parked(struct mail_thread *t);

/* An answer of ours. What was said is sent when nothing more is there to be read, or before a long
 * wait. */
void session_say(struct mail_session *s, unsigned code, const char *enhanced, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void session_answer(struct mail_session *s, const struct smtp_answer *a);
/* The answer to what we do not understand, with a line in the log: somebody will ask for that mail.
 * command: "MAIL FROM"; NULL: args is the whole line. */
void session_refuse_syntax(struct mail_session *s, const char *command, struct span args, const struct smtp_answer *a);
/* A backend's answer. What it may not say to a client is said otherwise: 421 closes its channel,
 * not ours. The code that was said. */
unsigned session_pass(struct mail_session *s, const struct smtp_reply *r);
/* Suspends, as all below. 0 or -errno. */
int session_flush(struct mail_session *s);
/* What was received and not used. */
struct span session_unread(const struct mail_session *s);
/* Receives more, at most n bytes. 0, or -errno (-ECONNRESET at the end). */
int session_receive(struct mail_session *s, size_t n, uint64_t deadline);
const struct mail_settings *session_settings(const struct mail_session *s);
/* Ends the transaction, if there is one. Within a message the backend's connection is dropped, so
 * that nothing comes of it. Does not suspend. */
void session_reset(struct mail_session *s);

extern const struct edge_protocol mail_protocol; /* listener.c */

/* ---- commands: enum next or -errno ---- */

typedef int command_fn(struct mail_session *s, struct span args);
command_fn on_helo, on_ehlo, on_starttls, on_mail, on_rcpt, on_data, on_bdat, on_rset;
/* After a handshake, which ended with error (0 or -errno): it is noted, or explained. error. */
int session_tls_ended(struct mail_session *s, int error, const struct tls_facts *facts);

/* ---- the transaction ---- */

/* Of one domain's among the recipients; in the transaction's arena. */
struct share {
	struct share *next;
	const struct domain *domain;
	struct span mailbox; /* of the first */
	unsigned n;
	enum domain_tls policy; /* the strictest */
};

struct mail_transaction {
	struct arena arena;
	struct smtp_mail from;
	struct mta *mta;     /* to the backend of all recipients; NULL: not yet, or lost */
	bool lost;           /* it went after it had taken recipients */
	unsigned recipients; /* that the backend has taken */
	unsigned refused;
	struct buf to;       /* the mailboxes of those taken, for Received and the log */
	struct share *share; /* the same by domain, for the evidence */
	struct relay *relay; /* from the first BDAT to its end, or NULL */
	char id[20];         /* in Received and in the log */
	uint64_t started_ms;
};

/* ---- peer_name.c ---- */

/* The names of the peer's address for XCLIENT (struct mta_client), looked up once in a session;
 * borrowed from it. Suspends. */
void find_peer_name(struct mail_session *s, struct span *ret_name, struct span *ret_reverse_name);

/* ---- encryption.c ---- */

/* Is it our own check of what is served (serve/worker_certs.c)? It comes from the address that it
 * goes to, under our name. */
bool session_is_self(const struct mail_session *s);
/* The peer, for the evidence. Borrowed from s. */
struct evidence_peer session_peer(const struct mail_session *s);

/* May mail for mailbox of d come over this session, by that rule? 0: yes; else the code (450, 550)
 * that was said. */
unsigned encryption_judge(struct mail_session *s, const struct domain *d, enum domain_tls rule, struct span mailbox);
/* May it go on over this connection to its backend? */
bool encryption_hop_is_safe(const struct mta *m);

/* ---- relay.c ---- */

/* One message from the session to the backend, in pieces. Bounded memory; suspends. */
struct relay {
	struct mail_session *s;
	struct mta *mta; /* the transaction's; NULL once the message is spoiled */
	struct smtp_data in;
	struct smtp_dot_stuffing dot_stuffing;
	struct mail_measure measure;
	struct buf content, out;
	uint64_t started_ms, received; /* bytes from the client */
	uint64_t size_max;
	const struct smtp_answer *spoiled; /* our answer; nothing is sent on any more */
	struct buf last;                   /* the backend's answer that spoiled it, or empty */
};
/* Says DATA to the backend. The transaction's relay, or NULL after its refusal, which was said to
 * the client; the transaction is over then. */
struct relay *relay_begin(struct mail_session *s);
struct relay *relay_free(struct relay *r);
/* When the client's next bytes must have come. */
uint64_t relay_deadline(const struct relay *r);
/* Content in r->content goes on (is dropped, if the message is spoiled), and the buffer is empty.
 * -errno: the client sends without end. */
int relay_send(struct relay *r);
/* The final dot and what became of it, said to the client. The transaction is over. An enum next or
 * -errno. */
int relay_end(struct relay *r);
/* The message ends within, for that reason, which the caller says. The transaction is over. Does
 * not suspend. */
void relay_refuse(struct relay *r, unsigned code, struct span why);

/* ---- received.c ---- */

void received_print(const struct mail_session *s, struct buf *out);

/* ---- note.c ---- */

/* What became of a message. */
enum note_verdict {
	NOTE_DELIVERED,  /* the backend took it, and the client was told */
	NOTE_UNANSWERED, /* the backend took it, and the client had gone: it may send it again */
	NOTE_REFUSED,
	NOTE_DEFERRED,
	NOTE_UNKNOWN, /* the backend had all of it and did not answer */
	NOTE_LOST,    /* the client went before its end */
};
void note_session(const struct mail_session *s);
/* reply: the backend's, or ours. */
void note_mail(const struct mail_session *s, enum note_verdict verdict, uint64_t bytes, struct span reply);
void note_recipient(const struct mail_session *s, struct span mailbox, unsigned code, struct span reply);
/* A command that was refused by its syntax; as session_refuse_syntax(). */
void note_syntax(const struct mail_session *s, const char *command, struct span args, const struct smtp_answer *a);
/* With whom it happened, at most 10 of a code in a second. */
void note_fault(const struct mail_session *s, enum log_level level, const char *event, const struct fault *f);
/* We refused a recipient: with its sender, and beyond those 10 a line without sentences, for
 * somebody will ask for that mail. more: a further line, "English|German", or NULL. */
void note_refusal(const struct mail_session *s, enum log_level level, const char *event, const struct fault *f,
	struct span mailbox, unsigned code, const char *more);
