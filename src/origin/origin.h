/*
 * Origins: the customers' web servers behind torhaus.
 *
 * Shared by all threads: what is known of each origin's health (active checks and passive marks),
 * keyed by its address, so that it outlives snapshots. Per thread: kept-alive connections.
 *
 * A call is one request to a site and its response:
 *
 *   origin_call() picks an origin (weights; backups when no other is up), takes a kept connection
 *   or opens one (TCP, TLS for https), sends the request with its body, reads the response's head.
 *   It tries another connection or origin while that is safe: nothing was sent, or the method is
 *   idempotent and its body (if any) was not touched, and no byte of a response came (RFC 9110
 *   9.2.2, RFC 9112 9.3.1). With all origins down they are still tried. Then the caller reads the
 *   body and ends with origin_call_done(), which keeps the connection if it may carry another
 *   request.
 *
 * Timeouts per phase come from the domain. Everything that fails fills a fault (ORIGIN-*): which
 * origin, which phase, the system's word for it, what to do.
 */
#pragma once
#include "base/jsonw.h"
#include "domain/domain.h"
#include "http/client.h"

struct origins;
struct origins *origins_new(unsigned threads);
struct origins *origins_free(struct origins *o);
/* On the thread's loop. */
void origins_thread_start(struct origins *o, unsigned thread);
void origins_thread_stop(struct origins *o, unsigned thread); /* closes kept connections */
/* The sites whose origins are to be checked actively; on the loop of thread 0, at each new
 * snapshot. */
void origins_watch(struct origins *o, struct snapshot *s);
/* All origins known, their state, since when and why: array "origins" into j. Any thread. */
void origins_json(struct origins *o, struct jsonw *j);

/* Is that the address of one of the site's origins (as written, or as last resolved)? Any
 * thread. */
bool origin_has_address(struct origins *o, const struct domain *site, const struct net_addr *a);

struct origin_request {
	enum http_method method;
	struct span method_text, target, host;
	const struct http_fields *fields; /* to send; no hop-by-hop, framing or Host */
	struct http_exchange *body_from;  /* its body is read and sent along; NULL: none */
	struct span upgrade;              /* value of Upgrade to ask for; .p == NULL: none */
	unsigned fields_max;              /* of the answer; 0: HTTP_FIELDS_MAX */
	/* 1xx responses (not 101) as they come; may be NULL. Non-zero ends the call with it. */
	int (*on_interim)(void *arg, unsigned status, const struct http_fields *fields);
	void *arg;
	struct span client_text; /* for logs */
};
struct origin_call {
	struct http_client client; /* client.resp is the response's head */
	struct origin *origin;
	struct origins *origins;
	char origin_text[160]; /* "http://10.0.0.5:8080" */
	/* Whose the connection is, and remains while it is kept: site, name and way of verifying;
	 * in the arena of the call */
	struct span owner;
	bool reused;
	bool has_first;
	struct span first; /* read by origin_call_await_body() */
	bool early;        /* bytes came before the request was sent */
	bool cut;          /* the request's body was not sent to its end */
	bool last;         /* the connection carries nothing after this (origin/call.c) */
	unsigned tries;
	int64_t asked_ms, answered_ms; /* wall clock: of the last try's sending, and of the head */
};
/* Suspends. 0 and a response head, or -errno with fault (then there is nothing to end). arena: for
 * the head. */
int origin_call(struct origins *o, const struct domain *site, const struct origin_request *r, struct arena *arena,
	struct origin_call *ret, struct fault *fault);
/* Waits for the first bytes of the body, which the next origin_call_body() returns: what fails
 * before them was no answer, and something else can be given. Of an event stream it waits for
 * nothing. 0 or -errno with fault. Suspends. */
int origin_call_await_body(struct origin_call *c, struct fault *fault);
/* Body bytes, borrowed until the next call; empty at the end. 0 or -errno with fault. Suspends. */
int origin_call_body(struct origin_call *c, struct span *ret, struct fault *fault);
/* Ends the call: the connection is kept for the same site, or closed if it might bring something
 * else than the answer to the next request. */
void origin_call_done(struct origin_call *c);
/* After a 101: the connection is the caller's (conn_close() it); unread bytes are in *ret_early, in
 * the call's arena. */
struct conn *origin_call_take(struct origin_call *c, struct span *ret_early);
