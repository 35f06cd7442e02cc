/*
 * The backend's side: what is known of the customers' mail servers, connections to them, and the
 * conversation.
 *
 * A backend is a host and a port. What is learned of it (addresses, what its EHLO said, that its
 * TLS does not work) is shared by all threads and outlives snapshots. Per thread: connections that
 * wait for the next message. They are lent again if they were made the same way (TLS as strict,
 * handing the client on likewise); with PROXY v2 a connection belongs to one client, with XCLIENT
 * the next client is announced anew.
 *
 * mta_get() gives a connection on which MAIL can be said: connected, PROXY header sent, greeted,
 * STARTTLS by the domain's rule, client announced. After STARTTLS nothing that came before counts:
 * what the backend said behind its 220 is thrown away, and it is asked EHLO again (RFC 3207 4.2). A
 * backend that is told of the client, by XCLIENT or PROXY, hears the client's name in EHLO, too:
 * else every client would seem to call itself like us.
 *
 *   off            no TLS
 *   opportunistic  STARTTLS where it is offered; when that fails, a new connection without it, and
 *                  for a while no more tries
 *   required       STARTTLS or nothing; the certificate may be anybody's
 *   verified       as required, with a certificate that a CA of the system vouches for and that has
 *                  the backend's name
 *
 * A kept connection may be dead, or the backend may be done with it (421): so what fails on a kept
 * one is tried once more on a new one, as long as the message has not begun.
 */
#pragma once
#include "base/jsonw.h"
#include "domain/domain.h"
#include "io/kept.h"
#include "mail/mail.h"
#include "smtp/smtp.h"

struct backends;
struct backend;
struct mail_settings;
struct mail_thread;

struct backends *backends_new(unsigned threads);
struct backends *backends_free(struct backends *b);
/* The backends of a snapshot: capabilities are announced for these. Any thread. */
void backends_watch(struct backends *b, const struct snapshot *s);
/* What all of them can do as far as is known (an unknown one: everything), and the largest message
 * that one of them takes (0: no limit is known). Any thread. */
unsigned backends_caps(const struct backends *b, uint64_t *ret_size_max);
void backends_json(struct backends *b, struct jsonw *j);
/* A word in our greeting by which we recognise ourselves behind a backend's address. Any thread. */
const char *backends_mark(const struct backends *b);
/* What is wrong with those that do not work now; at most 20. Any thread. */
void backends_faults(struct backends *b, edge_fault_fn *on_fault, void *arg);

/* On whose behalf. Borrowed. */
struct mta_client {
	const struct net_addr *peer, *local;
	struct span helo;
	/* for XCLIENT: the forward-confirmed name of its address, and any; or "[UNAVAILABLE]" (it
	 * has none), "[TEMPUNAVAIL]" (nobody could say) */
	struct span name, reverse_name;
	bool esmtp;
};
struct mta {
	struct smtp_client client; /* client.caps: of its last EHLO */
	struct backend *backend;
	enum domain_mail_tls tls; /* as it was asked for */
	enum domain_mail_client handed_on;
	uint64_t tag;   /* kept connections: whom it may be lent to */
	bool secure;    /* encrypted */
	bool local;     /* the backend is this machine */
	bool reused;    /* it was kept */
	bool begun;     /* it has taken MAIL, and the message is not done */
	bool broken;    /* it carries nothing any more */
	unsigned mails; /* that went over it */
	/* Of the loan under way. */
	const struct mail_settings *settings;
	struct buf mail_reply; /* a refusal of MAIL */
	struct kept kept;
	unsigned thread;
};
/* "10.0.0.6:25" */
const char *mta_text(const struct mta *m);
bool mta_is_for(const struct mta *m, const struct domain *d, enum domain_mail_tls tls);
/* Suspends. NULL with fault (MAIL-BACKEND-*). fresh: not a kept one. settings have to stay until
 * mta_put(). */
struct mta *mta_get(struct mail_thread *t, const struct domain *d, enum domain_mail_tls tls,
	const struct mta_client *client, const struct mail_settings *settings, bool fresh, struct fault *fault);
/* Between two messages: keeps it or closes it. Does not suspend. */
void mta_put(struct mta *m);
/* Closes it without a word, so that whatever was begun on it is void. NULL. Does not suspend. */
struct mta *mta_drop(struct mta *m);

/* Commands (whole lines) and the reply to the last of them, within the settings' time. Suspends. 0
 * or -errno. */
int mta_ask(struct mta *m, struct span bytes, struct smtp_reply *ret);
/* MAIL, unless begun, and RCPT, in one go where the backend takes that. 0 and the replies
 * (mail->code 0: not asked), or -errno. Both are good until the next call. rcpt->code is 0 if MAIL
 * was refused and RCPT not asked. Suspends. */
int mta_envelope(struct mta *m, struct span mail_line, struct span rcpt_line, struct smtp_reply *ret_mail,
	struct smtp_reply *ret_rcpt);
/* MAIL-BACKEND-* for what went wrong on m. */
void mta_fault(struct fault *f, const struct mta *m, int error);
