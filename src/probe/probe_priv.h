/* Inside the prober: one connection (session.c), one question (ask.c), plans (plan.c on). */
#pragma once
#include <openssl/err.h>
#include <openssl/x509.h>
#include "smtp/smtp.h"
#include "probe/probe.h"

/* ---- session.c: a connection up to the point where TLS begins. Everything here may suspend.
 * ---- */

struct session {
	struct smtp_client smtp; /* its conn carries TLS, too */
	uint16_t version;        /* that the goodbye is said in */
};
/* Connects, is greeted, says EHLO and STARTTLS as the settings want. 0; 1: the probe is over,
 * p->verdict says why; -ECANCELED. On 0 session_finish() or session_drop() it. */
int session_open(struct probe *p, struct session *s);
/* Leaves in the middle of a handshake: says goodbye unless the peer has ended it, and waits for the
 * peer's end, so that it never sees two connections. */
void session_drop(struct session *s, bool say_goodbye);
/* EHLO and QUIT on what TLS carries now, then as above. That TLS 1.3 refuses us only now goes into
 * p->session_fault. */
void session_finish(struct probe *p, struct session *s);
/* A connection without TLS: EHLO and QUIT. 0 or -ECANCELED. */
int session_plain(struct probe *p);

/* ---- ask.c: one hello, one answer ---- */

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
/* Asks and enters into p what every answer tells (versions, certificates, groups…). 0; 1: the probe
 * is over; -ECANCELED. Suspends. */
int probe_ask(struct probe *p, const struct wire_hello *h, struct ask *ret);
#define PROBE_SIGNS_RSA   "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define PROBE_SIGNS_ECDSA "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448"
/* A real handshake with these signature algorithms (NULL: all), at most this version (0: any), then
 * EHLO and QUIT. *ret_done: it succeeded. Suspends. */
int probe_shake(struct probe *p, const char *signatures, uint16_t highest, bool *ret_done);
/* Enters a chain, unless its leaf is known. */
void probe_add_chain(struct probe *p, const struct span *chain, unsigned n);
void probe_end(struct probe *p, enum probe_verdict verdict, struct span said, int error);

/* ---- plans. Those that ask return 0 to go on, 1 when the probe is over (the server had enough, or
 * nothing can be learnt), or -ECANCELED, and suspend. They ask only while there is room for it and
 * for the real handshakes at the end. ---- */

/* plan.c: what is known so far, how much may still be asked, and the hellos. */
bool probe_speaks_below_13(const struct probe *p);
bool probe_speaks_13_only(const struct probe *p);   /* as far as is known now */
uint16_t probe_top_below_13(const struct probe *p); /* TLS 1.2 if nothing is known */
bool probe_may_connect(const struct probe *p);
bool probe_may_ask(const struct probe *p); /* and room for real handshakes is left */

/* The lists of a hello, which the hello itself borrows. */
struct probe_lists {
	struct offer suites, groups, signatures;
};
/* All there is below TLS 1.3, turned. */
void probe_lists_fill(const struct probe *p, struct probe_lists *l);
/* Groups and signature algorithms not seen yet come first: a server that follows the client's order
 * shows them one by one. */
void probe_lists_turn(const struct probe *p, struct probe_lists *l);
struct wire_hello probe_hello(const struct probe *p, uint16_t version, const struct probe_lists *l);
/* A refusal by version speaks for all that this hello could have been answered with. */
void probe_note_refusal(struct probe *p, uint16_t offered, const struct ask *a);
int probe_ask_lists(struct probe *p, uint16_t version, const struct probe_lists *l, struct ask *ret);
/* Only what a key of this type can authenticate: the server must show that certificate, or
 * refuse. */
int probe_ask_key(struct probe *p, enum tls_key_type type, struct ask *ret);
int probe_ask_version(struct probe *p, enum probe_version v);

/* walk.c: all suites, groups and signature algorithms. long_ok: a hello with all suites has been
 * answered. */
int probe_walk(struct probe *p, bool long_ok);
int probe_walk_signatures(struct probe *p);

/* quick.c: what a quick probe asks once its first hello has been answered, real handshakes
 * included. */
int probe_quick(struct probe *p);

/* probe.c: complete sessions: one, or one for each key type where TLS 1.3 hides the
 * certificates. */
int probe_sessions(struct probe *p);
/* OpenSSL can speak one of its suites in one of its versions. */
bool probe_can_shake(const struct probe *p);
