/*
 * Many servers, in parallel and politely: hosts to addresses, a task for each of `jobs` hosts at a time, never two at one address, no more
 * than `rate` new connections a second in all.
 *
 * A host is one row of the result, whatever its number of addresses: they are tried in turn until one can be reached.
 * Results stay in memory (some 20 KiB a host, most of it certificates) until scan_done().
 */
#pragma once
#include <pthread.h>
#include "base/map.h"
#include "io/task.h"
#include "survey/probe.h"
#include "survey/scan_dns.h"

#define SCAN_HOSTS_MAX     100000
#define SCAN_ADDRESSES_MAX 4 /* of a host that are tried */

struct scan_host {
	struct span name; /* a host name or a literal address */
	uint16_t port;
	struct probe probe; /* the result; of the last address tried */
	struct arena arena; /* of it */
	bool done;
};
struct scan_domain; /* survey/scan_domain.h */
struct scan {
	struct probe_settings probe; /* gap_ms: see gap_auto */
	bool gap_auto; /* none between connections to private addresses, else as the design says: see scan.c */
	struct scan_dns *
		dns; /* for addresses of hosts if dns_all, for TLSA, for domains; NULL: the system's resolver, no DANE */
	bool dns_all;
	uint16_t port;       /* of hosts that name none */
	unsigned jobs, rate; /* rate: new connections a second, over all */
	struct scan_host **hosts;
	unsigned hosts_n, done_n;
	struct scan_domain **domains;
	unsigned domains_n;
	void (*on_done)(void *arg, struct scan *s, const struct scan_host *h); /* after each; NULL: nothing */
	void *arg;
	/* ---- inside ---- */
	struct loop *loop;
	struct probe_settings slow; /* probe, with the gap for addresses of others */
	struct map seen;            /* host:port -> host */
	struct map busy;            /* addresses that are being asked */
	pthread_mutex_t lock;
	struct task_cond freed;
	unsigned next, next_domain, running;
	uint64_t slot_us; /* when the next connection may begin */
	struct arena arena;
};
/* probe, jobs, rate… are for the caller to set afterwards. */
void scan_init(struct scan *s);
void scan_done(struct scan *s);
/* "mx.example.net", "mx.example.net:465", "192.0.2.1", "[2001:db8::1]:25"; twice the same is once. 0, -EINVAL (no host),
 * -E2BIG (too many). */
int scan_add(struct scan *s, struct span host);
/* The host of that name and port, NULL if it is none of the scan's. */
struct scan_host *scan_find(const struct scan *s, struct span name, uint16_t port);
/* A domain whose MX names are to be asked; s->dns must be set. 0, -EINVAL, -E2BIG. */
int scan_add_domain(struct scan *s, struct span domain);
/* Asks them all, on a loop and helper threads of its own; the calling thread is busy with it until the end. Once a process. 0;
 * -ECANCELED after scan_stop() (what is done is there); another -errno. */
int scan_run(struct scan *s);
/* Any thread, also a signal handler. */
void scan_stop(struct scan *s);
