/*
 * Counters: one table, cheap to count, cheap to read.
 *
 * Process-wide counters are the rows of "stats/stats.tbl.h"; each thread counts in its own cache
 * lines, readers add them up. Per-site counters are looked up once when a snapshot is published
 * and then counted with relaxed atomics.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "base/jsonw.h"
#include "base/span.h"

enum stat_id {
#define STAT(id, name, help) STAT_##id,
#include "stats/stats.tbl.h"
#undef STAT
	STAT_COUNT
};
const char *stat_name(enum stat_id s);
const char *stat_help(enum stat_id s);
/* Any thread; does not lock. */
void stat_add(enum stat_id s, uint64_t n);
uint64_t stat_read(enum stat_id s); /* the sum over all threads, past and present */

/* What one site counts: SITE_STAT(id, name). Never freed: sites are few and come back. */
#define SITE_STATS(X) \
	X(REQUESTS, "requests") \
	X(HITS, "hits") \
	X(STALE, "stale") \
	X(MISSES, "misses") \
	X(PASSED, "passed") \
	X(ORIGIN_ERRORS, "origin_errors") \
	X(FAILED, "failed") \
	X(BYTES, "bytes_sent")
/* clang-format off */
enum site_stat {
#define X(id, name) SITE_##id,
	SITE_STATS(X)
#undef X
	SITE_STAT_COUNT
};
/* clang-format on */
struct site_stats {
	_Atomic uint64_t v[SITE_STAT_COUNT];
};
const char *site_stat_name(enum site_stat s);
/* The counters of that domain name, made at first use. Any thread; locks. */
struct site_stats *site_stats_get(struct span name);
static inline void site_stat_add(struct site_stats *s, enum site_stat which, uint64_t n)
{
	atomic_fetch_add_explicit(&s->v[which], n, memory_order_relaxed);
}
/* Objects "counters" and "sites" into j. */
void stats_json(struct jsonw *j);
