/* Inside the scan: names as people write them (scan.c), and politeness (scan_polite.c), which hosts
 * and policies share. */
#pragma once
#include "survey/scan_domain.h"

/* A name or literal address that may be asked; no port, no brackets. */
bool scan_is_host(struct span name);
struct span scan_lower(struct arena *a, struct span name);
/* Room for one more in a list that doubles. */
void *scan_grown(void *list, unsigned n, size_t size);

/* ---- scan_polite.c ---- */

struct scan_address {
	bool busy;
	uint64_t gap_ms, free_at_ms;     /* clock_mono_ms() */
	const struct scan_host *limited; /* whom it told that it has enough */
};
/* Sets what the caller left open, once before the run. */
void scan_polite_start(struct scan *s);
/* Loopback and private networks. */
bool scan_is_own(const struct net_addr *a);
const struct probe_settings *scan_settings_for(const struct scan *s, const struct net_addr *a);
/* A probe_gate_fn; arg: the scan. Each connection takes the next slot of the whole run. Suspends. 0
 * or -ECANCELED. */
int scan_gate(void *arg);
/* The address is the caller's until it is given back; it is not used before its gap is over.
 * Suspends. 0 or -ECANCELED. */
int scan_take_address(struct scan *s, const struct net_addr *a, struct scan_address **ret);
void scan_give_address(struct scan *s, struct scan_address *address);
