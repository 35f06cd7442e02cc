/*
 * The DNS edge: whoever asks gets an answer.
 *
 *   listener.c   datagrams in batches; sender.c: answers on their way out; tcp.c: connections (RFC
 *                7766)
 *   responder.c  a question to its answer: allowed? one of our names? else forward
 *   zone.c       the names of the snapshot in wire form, with the addresses of their origins;
 *                image.c: these as bytes
 *   forward.c    the rest: to the resolver (dns/resolver.h), and its answer back
 *
 * A domain's name and its web names are answered from memory with the addresses of their origins
 * (those that are no backup; backups if there are no others), 30 s. Other types of such a name are
 * answered "no such data" with an SOA and never forwarded. An origin that is a host name is looked
 * up at the resolver and its addresses are given as the name's own, if the site has no origin with
 * an address. Names below a domain that are no web names are the public DNS's business, and so is a
 * domain without origins.
 *
 * One struct names per worker; each thread has its sockets and a state (zone, settings), replaced
 * as a whole. The resolver is the process's.
 *
 * Whatever is asked is answered: when too much is under way, at the end of the process, or before
 * it knows its names, with SERVFAIL.
 */
#pragma once
#include "base/jsonw.h"
#include "dns/resolver.h"
#include "domain/domain.h"
#include "io/net.h"

struct names_settings {
	const struct net_addr *forward; /* upstreams, the preferred first */
	unsigned forward_n;
	const struct net_prefix *allow; /* who may ask; others are refused */
	unsigned allow_n;
};
struct names;
/* resolver is borrowed. */
struct names *names_new(struct dns_resolver *resolver, unsigned threads);
struct names *names_free(struct names *n); /* after all its loops have ended */

/* On thread's own loop, before anything else. */
void names_thread_start(struct names *n, unsigned thread);
/* Answers on fd (kept by the caller) from now on. On the thread's loop, after the first
 * names_publish(). */
void names_listen(struct names *n, unsigned thread, int fd, bool tcp);
/* Stops listening there; fd must stay open for as long as the loop takes to come round. What was
 * asked is answered. */
void names_unlisten(struct names *n, unsigned thread, int fd);

/* A new state for all threads: each argument may be NULL to keep what is there; nothing of them is
 * kept. Any thread; takes effect on each loop as it comes round. Settings have to come first; as
 * long as no snapshot has come, all that is asked is answered SERVFAIL (EDE 14: not ready). */
void names_publish(struct names *n, const struct snapshot *snapshot, const struct names_settings *settings);
/* Appends the names that are published as bytes, for names_restore() of another process: there they
 * are back long before a snapshot could be. Nothing if there are none yet. Any thread. */
void names_save(struct names *n, struct buf *out);
/* names_publish() of what was saved, which is taken. 0, or -EINVAL (and nothing is changed): these
 * are no such bytes. */
int names_restore(struct names *n, struct buf *saved);
/* No new questions; what was asked is answered. Any thread. */
void names_drain(struct names *n);
/* Questions that wait for their answer, and open connections. Any thread. */
unsigned names_busy(const struct names *n);
/* Object "names": how many names there are, who waits, the resolver's "upstreams" and "answers".
 * Any thread. */
void names_json(struct names *n, struct jsonw *j);
