/* Inside the prober: one connection (probe_session.c), one question (probe_ask.c), the plan (probe.c). */
#pragma once
#include <openssl/err.h>
#include <openssl/x509.h>
#include "smtp/smtp.h"
#include "survey/probe.h"

/* ---- probe_session.c: a connection up to the point where TLS begins. Everything here may suspend. ---- */

struct session {
	struct smtp_client smtp; /* its conn carries TLS, too */
	uint16_t version;        /* that the goodbye is said in */
};
/* Connects, is greeted, says EHLO and STARTTLS as the settings want. 0; 1: the probe is over, p->verdict says why; -ECANCELED. On 0
 * session_close() or session_drop() it. */
int session_open(struct probe *p, struct session *s);
/* Leaves in the middle of a handshake: says goodbye unless the peer has ended it, and waits for the peer's end, so that it never sees
 * two connections. */
void session_drop(struct session *s, bool say_goodbye);
/* EHLO and QUIT on what TLS carries now, then as above. */
void session_finish(struct probe *p, struct session *s);
/* A connection without TLS: EHLO and QUIT. 0 or -ECANCELED. */
int session_plain(struct probe *p);

/* ---- probe_ask.c: one hello, one answer ---- */

enum ask_end {
	ASK_HELLO,   /* it chose: flight tells what */
	ASK_REFUSED, /* an alert */
	ASK_CLOSED,  /* closed or reset without a word */
	ASK_SILENT,
	ASK_NOT_TLS,
};
struct ask {
	enum ask_end end;
	struct wire_flight flight; /* chain is empty: certificates are in p by now */
	int error;
};
/* Asks and enters into p what every answer tells (versions, certificates, groups…). 0; 1: the probe is over; -ECANCELED. Suspends. */
int probe_ask(struct probe *p, const struct wire_hello *h, struct ask *ret);
/* A real handshake with these signature algorithms (NULL: all), then EHLO and QUIT. *ret_done: it succeeded. Suspends. */
int probe_shake(struct probe *p, const char *signatures, bool *ret_done);
/* Enters a chain, unless its leaf is known. */
void probe_add_chain(struct probe *p, const struct span *chain, unsigned n);
void probe_end(struct probe *p, enum probe_verdict verdict, struct span said, int error);
