/* Inside names/: the state that every question reads. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "dns/dns.h"
#include "io/loop.h"
#include "names/names.h"
#include "stats/stats.h"

/* ---- zone.c ---- */

/* Where the names of a domain lead. Immutable, as all of it. */
struct zone_target {
	const uint8_t *v4, *v6;
	uint8_t v4_n, v6_n;          /* addresses, 4 or 16 bytes each */
	const struct dns_name *host; /* to be looked up, if there are no addresses; or NULL */
};
struct zone_entry {
	const struct zone_target *target;
	const struct dns_name *apex; /* of the SOA: the domain, or the name itself if it lies elsewhere */
	struct dns_name name;        /* lower case; of a wildcard: behind its star. Only name.n bytes are there */
};
struct zone;
/* Of all domains that have origins. */
struct zone *zone_new(const struct snapshot *s);
struct zone *zone_ref(struct zone *z);
struct zone *zone_unref(struct zone *z);
/* Exact name, else the wildcard of its parent; NULL: not ours. name is in lower case. */
const struct zone_entry *zone_find(const struct zone *z, const struct dns_name *name);
uint32_t zone_serial(const struct zone *z);
unsigned zone_count(const struct zone *z);

/* ---- names.c ---- */

/* What names_publish() publishes: immutable, shared by the threads. */
struct names_state {
	atomic_uint refs;
	struct zone *zone;
	struct names_settings settings;
};
struct names_thread {
	struct names *names;
	unsigned index;
	struct loop *loop;
	struct names_state *state;
	struct list listeners;
	uint64_t turn; /* picks the first address */
};
struct names {
	unsigned threads_n;
	struct names_thread *threads;
	_Atomic unsigned busy;
	pthread_mutex_t lock; /* of current */
	struct names_state *current;
};

/* ---- responder.c ---- */

/* The answer to message into out. Its length; 0: none now (what was asked goes elsewhere, or is not worth one). */
size_t names_respond(struct names_thread *t, struct span message, const struct net_addr *peer, uint8_t *out,
	size_t max);

/* ---- listener.c ---- */

struct names_listener {
	struct list link;
	struct names_thread *thread;
	struct loop_fd fd;
	struct task *task;
	bool any; /* bound to no address: each datagram tells which one it came to */
	bool closing;
};
