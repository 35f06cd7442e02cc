/*
 * Conversations with a gateway: a session on a loop of its own, a client and a backend that a
 * script plays. One line of a script is one step:
 *
 *   "> text"   the client hears this line from the gateway
 *   "< text"   the client says it
 *   "b> text"  the backend hears it
 *   "b< text"  the backend says it
 *   "+"        a backend is connected to, "-" the backend closes, "b-" the gateway closes its
 *              connection to the backend
 *   "x"        the client closes, ">-" the gateway closes the client's
 *
 * What is heard may end in "*": then the rest of the line does not matter. In a Received line
 * everything does not. Lines end in CRLF; "\r\n" in a step is what stands there: more lines at
 * once.
 */
#pragma once
#include "mail/mail_priv.h"
#include "unit.h"

struct talk {
	struct mail *mail;
	struct loop *loop;
	pthread_t thread;
	int listener, client, backend;
	unsigned port;
	char client_in[65536], backend_in[65536];
	size_t client_n, backend_n;
	struct mail_settings settings;
};
/* domains: in export form, with %u where the backend's port stands; NULL: example.test at the
 * backend. */
void talk_begin(struct talk *t, const char *domains);
void talk_end(struct talk *t);
/* A new client. */
void talk_connect(struct talk *t);
/* Plays the script. */
void talk_play(struct talk *t, const char *const *steps);
#define PLAY(t, ...) talk_play(t, (const char *const[]){ __VA_ARGS__, NULL })
/* From greeting to EHLO's end. */
void talk_hello(struct talk *t);
