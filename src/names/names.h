/*
 * The DNS edge: whoever asks gets an answer.
 *
 *   listener.c   datagrams in batches; sender.c: answers on their way out; tcp.c: connections (RFC
 *                7766)
 *   responder.c  a question to its answer: allowed? one of our names? else forward
 *   zone.c       the names of the snapshot in wire form, with the addresses of their origins;
 *                image.c: these as bytes
 *   hosts.c      the addresses of origins that are host names
 *   special.c    localhost, and the reverse zones of private networks
 *   forward.c    the rest: to the resolver (dns/resolver.h), and its answer back
 *   waiting.c    whoever waits for an answer
 *
 * A domain's name and its web names are answered from memory with the addresses of their origins
 * (those that are no backup; backups if there are no others), 30 s. Other types of such a name are
 * answered "no such data" with an SOA and never forwarded. Origins that are host names are looked
 * up in the map itself, else at the resolver, and their addresses are given as the name's own,
 * beside those of the others. Names below a domain that are no web names are the public DNS's
 * business, and so is a domain without origins.
 *
 * One struct names per worker; each thread has its sockets and a state (zone, settings), replaced
 * as a whole. The resolver is the process's.
 *
 * Whatever is asked is answered: when too much is under way, at the end of the process, or before
 * it knows its names, with SERVFAIL.
 */
#pragma once
#include "dns/resolver.h"
#include "domain/domain.h"
#include "edge/edge.h"

struct names_settings {
	const struct net_addr *forward; /* upstreams, the preferred first */
	unsigned forward_n;
	const struct net_prefix *allow; /* who may ask; others are refused */
	unsigned allow_n;
	bool forward_private; /* reverse zones of private networks are others' to answer */
};
struct names;
/* resolver is borrowed. */
struct names *names_new(struct dns_resolver *resolver, unsigned threads);
struct names *names_free(struct names *n); /* after all its loops have ended */

/* How the worker drives it; of what is published to it nothing is kept. Its settings come first
 * (struct names_settings) and go to the resolver, too; as long as no snapshot has come and nothing
 * was restored, all that is asked is answered SERVFAIL (EDE 14: not ready). After a drain what was
 * asked is still answered. */
extern const struct edge_ops names_edge;
