/*
 * Many servers, in parallel and politely: hosts to addresses, a task for each of `jobs` hosts at a
 * time, never two at one address, no more than `rate` new connections a second in all, nobody who
 * does not want it (survey/scan_except.h), nobody again who was asked within a day
 * (survey/scan_cache.h).
 *
 * A host is one row of the result, whatever its number of addresses: they are tried in turn until
 * one can be reached. Results stay in memory (some 20 KiB a host, most of it certificates) until
 * scan_done().
 */
#pragma once
#include <pthread.h>
#include "base/map.h"
#include "io/task.h"
#include "probe/probe.h"
#include "survey/scan_cache.h"
#include "survey/scan_dns.h"
#include "survey/scan_except.h"

#define SCAN_HOSTS_MAX     100000
#define SCAN_ADDRESSES_MAX 4 /* of a host that are tried */
/* New connections a second unless the caller wants others: see doc/guide/survey.md. */
#define SCAN_RATE_QUICK 300
#define SCAN_RATE_FULL  100

struct scan_host {
	struct span name; /* a host name or a literal address */
	uint16_t port;
	bool named;         /* by a person, just now: always asked */
	struct probe probe; /* the result; of the last address tried */
	struct arena arena; /* of it */
	bool done;
	bool opted_out;   /* does not want to be asked: there is no result */
	bool kept;        /* the result is an earlier scan's */
	int64_t asked_at; /* when it was asked; wall seconds */
};
struct scan_domain; /* survey/scan_domain.h */
struct scan {
	struct probe_settings probe; /* gap_ms: see gap_auto */
	/* none between connections to private addresses, else as the design says: see scan.c */
	bool gap_auto;
	struct scan_dns *
		/* for addresses of hosts if dns_all, for TLSA, for domains; NULL: the system's
		 * resolver, no DANE */
		dns;
	bool dns_all;
	uint16_t port; /* of hosts that name none */
	unsigned jobs;
	unsigned rate;                    /* new connections a second, over all; 0: SCAN_RATE_… */
	const struct scan_except *except; /* NULL: everybody may be asked */
	/* results of earlier scans; NULL: none. Results of this one are added */
	struct scan_cache *cache;
	/* of results from the cache; 0: everybody is asked. See scan.c for whom it does not hold */
	int64_t age_max_s;
	bool age_own; /* it holds for private addresses, too */
	struct scan_host **hosts;
	unsigned hosts_n, done_n;
	struct scan_domain **domains;
	unsigned domains_n;
	/* after each; NULL: nothing */
	void (*on_done)(void *arg, struct scan *s, const struct scan_host *h);
	void *arg;
	/* ---- inside ---- */
	struct loop *loop;
	struct probe_settings slow; /* probe, with the gap for addresses of others */
	struct map seen;            /* host:port -> host */
	struct map addresses;       /* text -> struct scan_address */
	pthread_mutex_t lock;
	struct task_cond freed;
	unsigned next, next_domain, running;
	uint64_t slot_us; /* when the next connection may begin */
	struct arena arena;
};
/* probe, jobs, rate… are for the caller to set afterwards. */
void scan_init(struct scan *s);
void scan_done(struct scan *s);
/* "mx.example.net", "mx.example.net:465", "192.0.2.1", "[2001:db8::1]:25"; twice the same is once.
 * named: by a person, just now; else from a list. 0, -EINVAL (no host), -E2BIG (too many). */
int scan_add(struct scan *s, struct span host, bool named);
/* The host of that name and port, NULL if it is none of the scan's. */
struct scan_host *scan_find(const struct scan *s, struct span name, uint16_t port);
/* A domain whose MX names are to be asked; s->dns must be set. 0, -EINVAL, -E2BIG. */
int scan_add_domain(struct scan *s, struct span domain);
/* Asks them all, on a loop and helper threads of its own; the calling thread is busy with it until
 * the end. Once a process. 0; -ECANCELED after scan_stop() (what is done is there); another
 * -errno. */
int scan_run(struct scan *s);
/* Any thread, also a signal handler. */
void scan_stop(struct scan *s);
