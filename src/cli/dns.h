/* What the verbs of `torhaus dns` share: asking a server, and the listeners of the running one. */
#pragma once
#include "cli/cli_priv.h"
#include "dns/dns.h"

#define DNS_ASK_MS 3000 /* a server of ours has answered by then, whatever its upstreams do */

struct dns_heard {
	struct buf message; /* the answer */
	struct dns_header header;
	uint64_t took_us;
	bool tcp;
};
/* Asks, with EDNS and RD, by UDP a second time after half the time; dns_heard_done() it in any
 * case. Blocking, at most timeout_ms. 0, or -ETIMEDOUT, -ECONNREFUSED…; what does not belong to the
 * question is no answer. */
int dns_ask(const struct net_addr *server, bool tcp, const struct dns_question *q, unsigned timeout_ms,
	struct dns_heard *ret);
void dns_heard_done(struct dns_heard *h);
/* Asks one that was silent as a client does that cares for nothing: without EDNS, and whoever
 * answers is welcome. 0 and who that was, or -ETIMEDOUT… Blocking. */
int dns_ask_anybody(const struct net_addr *server, const struct dns_question *q, unsigned timeout_ms,
	struct net_addr *ret_peer);

/* The address to ask at listener i of a status document: ours if it listens on all addresses.
 * False: that is no listener of that kind, or there is none of that number. */
bool dns_listener(json_t *status, size_t i, enum listener_kind kind, struct net_addr *ret);
/* The question for a name as people write it, umlauts and all. 0 or -EINVAL. */
int dns_question_of(struct span name, uint16_t type, struct dns_question *ret);

/* ---- dns_store.c ---- */

struct dns_compared {
	/* of the store; questions for them; answers that are not what it says */
	unsigned names, asked, differ;
	unsigned hosts_failed; /* origins that are host names and could not be looked up */
	bool refused;          /* we may not ask there: nothing was compared */
};
/* Asks server for the names of the store, all or a sample; tells what differs. Takes time. */
void dns_compare_store(struct findings *f, const struct settings *s, const struct net_addr *server,
	struct dns_compared *ret);
