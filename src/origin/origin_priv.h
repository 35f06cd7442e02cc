/* Inside origin/: one origin's shared state, and what the files of this folder ask of each
 * other. */
#pragma once
#include <pthread.h>
#include "base/list.h"
#include "base/map.h"
#include "dns/resolver.h"
#include "io/kept.h"
#include "origin/origin.h"
#include "tls/tls.h"

#define ORIGIN_ADDRS_MAX     8
#define ORIGIN_KEPT_MAX      64    /* idle connections per origin and thread */
#define ORIGIN_KEPT_MS       30000 /* how long an idle connection is kept */
#define ORIGIN_RESOLVE_MS    1000  /* until the resolver, which keeps to the TTL, is asked again */
#define ORIGIN_FAILS_TO_DOWN 2     /* failures in a row until it counts as down */
#define ORIGIN_DOWN_MS_MIN   1000  /* then it is left alone for 1, 2, 4 … 30 s */
#define ORIGIN_DOWN_MS_MAX   30000
#define ORIGIN_CHECKS_MAX    64   /* active checks under way at once */
#define ORIGIN_CHECK_MS      5000 /* an active check's whole time */

/* Everything known of one origin, for all threads. Lives as long as struct origins. There are tens
 * of thousands of them, of which few are asked and fewer fail: what is large is made when it is
 * needed. */
struct origin {
	char *text; /* "http://10.0.0.5:8080", the key */
	char *host;
	uint16_t port;
	bool tls;
	struct origins *owner;

	pthread_mutex_t lock;   /* for all below but kept */
	unsigned fails;         /* in a row */
	uint64_t down_until_ms; /* monotonic; 0: up */
	unsigned downs;         /* times in a row that it went down: the back-off */
	int64_t changed_at;     /* wall clock of the last change between up and down */
	struct fault *why;      /* the last failure, if there ever was one */
	struct net_addr *addrs; /* ORIGIN_ADDRS_MAX, once resolved */
	unsigned addrs_n;
	uint64_t resolved_ms; /* monotonic; 0: never */

	struct kept_list *kept; /* one a thread, which alone touches it */
};

struct check;
struct origins {
	unsigned threads;
	pthread_mutex_t lock; /* of by_text */
	struct map by_text;
	/* Active checks: thread 0 only. */
	struct snapshot *watched;
	struct check *checks;
	unsigned checks_n, checking;
};

/* The shared state of that origin of site, made at first use. */
struct origin *origin_get(struct origins *o, const struct origin_spec *spec);

/* health.c */
bool origin_is_up(struct origin *o, uint64_t now_ms);
void origin_succeeded(struct origin *o);
void origin_failed(struct origin *o, const struct fault *why);
void origins_unwatch(struct origins *o);

/* connect.c */
/* A new connection (TCP, and TLS for https, name: what its certificate must say). NULL with fault.
 * Suspends. */
struct conn *origin_connect(struct origin *o, const struct domain *site, struct span name, struct fault *fault);
/* Is that one of its addresses, as last resolved? */
bool origin_is_at(struct origin *o, const struct net_addr *a);
/* Has its addresses looked up anew if they are old. Suspends. */
void origin_resolve_again(struct origin *o, uint64_t deadline);
/* fault for a failed system call in a phase: ORIGIN-REFUSED, -TIMEOUT…, evidence: origin, error. */
void origin_fault(struct fault *fault, const struct origin *o, int error, enum fault_code timeout_code);

/* kept.c */
/* An idle connection of that owner (struct origin_call) that is alive, or NULL. */
struct conn *origin_take_kept(struct origin *o, struct span owner);
/* Takes c, which becomes idle; if there is something to read on it, it is closed. */
void origin_keep(struct origin *o, struct span owner, struct conn *c);
void origin_close_kept(struct origin *o, unsigned thread);
extern _Thread_local unsigned origin_thread;
