/*
 * The resolver: whoever in torhaus has a question for the DNS asks here and gets an answer within 2
 * s, whatever the network does.
 *
 *   resolver.c   the state of the process and of each thread
 *   ask.c        one question from its first try to its answer; turn.c: whom it is sent to next
 *   port.c       tries by UDP: sockets, ids; stream.c: by TCP
 *   upstream.c   what is known of an upstream; probe.c: how it becomes known
 *   cache.c      answers, fresh and stale, for all threads
 *   system.c     /etc/resolv.conf and /etc/hosts; resolve.c: names to addresses; reverse.c: back
 *
 * A question goes to the first upstream that is up, after 250 ms to a second, then every 250 ms to
 * the one asked least, with few copies and three at most to each (turn.c). SERVFAIL, REFUSED and
 * what is malformed make the next one be asked at once and count only if no other has more to say;
 * a refusal by ICMP likewise; a truncated answer is asked for again by TCP. After DNS_STALE_MS a
 * stale answer is given if there is one (RFC 8767), after DNS_ANSWER_MS the failure, which is
 * remembered for a while (RFC 9520). With all upstreams down stale answers are given at once and
 * questions still go out, at a low rate, and those that wait are asked again when one comes back.
 * Equal questions of one thread are one.
 *
 * Against forgery (RFC 5452): ids and ports are random; a question has a connected socket of its
 * own (or, when very many are under way, one of 64 that change); the name's letters are in random
 * case where the upstream repeats them (DNS 0x20).
 *
 * One struct dns_resolver per process. Questions belong to the thread that asks; answers and health
 * are shared.
 */
#pragma once
#include "base/jsonw.h"
#include "base/list.h"
#include "dns/dns.h"
#include "io/net.h"

#define DNS_UPSTREAMS_MAX 16
#define DNS_STALE_MS      1750 /* then a stale answer is better than none yet */
/* then whoever waits is answered in any case: it is there within 2 s, also under load */
#define DNS_ANSWER_MS     1850
#define DNS_QUESTIONS_MAX 10000 /* under way on one thread */

struct dns_resolver;
struct dns_resolver *dns_resolver_new(unsigned threads);
/* After all its loops have ended. NULL. */
struct dns_resolver *dns_resolver_free(struct dns_resolver *r);
/* On thread's own loop, before anything else; and at its end: whoever waits is answered then, with
 * a failure. */
void dns_resolver_thread_start(struct dns_resolver *r, unsigned thread);
void dns_resolver_thread_stop(struct dns_resolver *r, unsigned thread);

/* The upstreams, the preferred first; copied. None: those of /etc/resolv.conf, read anew when it
 * changes, and never probed (they are nobody's edge). Any thread; takes effect on each loop as it
 * comes round. */
void dns_resolver_use(struct dns_resolver *r, const struct net_addr *upstreams, unsigned n);
/* Reads /etc/resolv.conf now, if nobody set upstreams. Suspends. */
void dns_resolver_prepare(struct dns_resolver *r);
/* Are upstreams set by dns_resolver_use()? */
bool dns_resolver_is_set(struct dns_resolver *r);

/* ---- asking ---- */

/* Bits that are asked along, and part of what an answer is kept under. */
enum { DNS_ASK_DO = 1, DNS_ASK_CD = 2 };
struct dns_result {
	struct dns_answer *answer; /* NULL: none; then rcode and ede say why */
	uint32_t age_s;            /* since it came */
	bool stale;
	bool cached; /* nobody had to be asked */
	unsigned rcode;
	int ede;
};
/* An answer that needs no waiting: kept, or a failure that needs no waiting either. The caller owns
 * a reference to ret->answer. False: dns_wait(). On the thread's loop; does not suspend. */
bool dns_now(struct dns_resolver *r, const struct dns_question *q, unsigned bits, struct dns_result *ret);

/* Somebody who waits; costs no task. */
struct dns_waiter {
	struct list link;
	/* Called once, on the loop, not inside dns_wait(); must not suspend. result->answer is
	 * borrowed; w may be freed. */
	void (*fn)(struct dns_waiter *w, const struct dns_result *result);
};
/* 0: w->fn will be called within DNS_ANSWER_MS. -EAGAIN: too many questions are under way, nothing
 * will be called. */
int dns_wait(struct dns_resolver *r, const struct dns_question *q, unsigned bits, struct dns_waiter *w);
/* Stops waiting; fn is not called any more. */
void dns_wait_cancel(struct dns_waiter *w);

/* For tasks, on a thread with a resolver: suspends until there is an answer. 0 with a reference to
 * ret->answer (which may still be NULL), -EAGAIN, -ETIMEDOUT at the deadline, -ECANCELED. */
int dns_query(const struct dns_question *q, unsigned bits, uint64_t deadline, struct dns_result *ret);
/* The addresses of a host name by the calling thread's resolver, without port: /etc/hosts, then A
 * and AAAA as families say; names without a dot below the search domains of /etc/resolv.conf, too.
 * When one family has come the other is not waited for in vain (RFC 8305 3). Suspends. Their
 * number, or -ENOENT (there is no such name, or it has no address of these families), -EAGAIN
 * (nobody could say), -ETIMEDOUT, -ECANCELED. */
enum { DNS_V4 = 1, DNS_V6 = 2 };
#define DNS_HOST_ADDRS_MAX 24 /* of a family */
struct dns_host {
	struct net_addr v[2 * DNS_HOST_ADDRS_MAX];
	unsigned n;
	uint32_t ttl_s; /* how long they hold still */
	bool stale;     /* they did not hold any more, but there were none better */
};
int dns_resolve_host(struct span name, unsigned families, uint64_t deadline, struct dns_host *ret);
/* The same with a port, for who connects: also a literal address. Those that there is a route to
 * come first, of these IPv6 and IPv4 in turn (RFC 8305 4). On a thread without a resolver (a
 * command): net_resolve(). Suspends. Their number (at most max), or an error as above. */
int dns_resolve(struct span name, uint16_t port, struct net_addr *ret, unsigned max, uint64_t deadline);

/* Does /etc/hosts know the name now? For commands: blocks. */
bool dns_is_in_hosts(struct span name);
/* The name of an address (PTR), and whether that name has the address in turn (forward-confirmed).
 * *ret_name is empty if it has none that is a host name, and *ret_confirmed then false. 0, -EAGAIN
 * (nobody could say), -ETIMEDOUT, -ECANCELED; a name may be there then, too. On a thread without a
 * resolver: -EAGAIN. Suspends. */
int dns_reverse(const struct net_addr *a, uint64_t deadline, char ret_name[DNS_NAME_TEXT_SIZE], bool *ret_confirmed);

/* ---- what is known ---- */

/* Is that a loop test of our own under way, which came back to us from peer? Then the upstream that
 * it was sent to is asked no more (DNS-UPSTREAM-SELF, or DNS-FORWARD-LOOP through others). name in
 * lower case. Any thread. */
bool dns_resolver_is_loop(struct dns_resolver *r, const struct dns_name *name, const struct net_addr *peer);
/* Questions under way. Any thread. */
unsigned dns_resolver_busy(const struct dns_resolver *r);
/* "upstreams" and "answers" (what is kept) into j. Any thread. */
void dns_resolver_json(struct dns_resolver *r, struct jsonw *j);
/* Faults of upstreams now: each is given to fn. Any thread. */
void dns_resolver_faults(struct dns_resolver *r, void (*fn)(void *arg, const struct fault *f), void *arg);
