/*
 * Counters.
 *
 * Each thread counts in a block of its own, made at its first count, so that threads never fight
 * over a cache line; the writer is alone, so that a relaxed load and store suffice. Blocks hang in
 * a list that only grows and outlive their threads, for what an ended thread counted still counts:
 * threads are few and live about as long as the process.
 */
#include "stats/stats.h"
#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"

#define CACHE_LINE 64

struct block {
	char before[CACHE_LINE]; /* what malloc put in front belongs to somebody else */
	_Atomic uint64_t v[STAT_COUNT];
	struct block *next;
	char after[CACHE_LINE];
};
static _Atomic(struct block *) blocks;
static _Thread_local struct block *mine;

static const struct {
	const char *name, *help;
} rows[STAT_COUNT] = {
#define STAT(id, name, help) [STAT_##id] = { name, help },
#include "stats/stats.tbl.h"
#undef STAT
};

const char *stat_name(enum stat_id s)
{
	return rows[s].name;
}

const char *stat_help(enum stat_id s)
{
	return rows[s].help;
}

static struct block *block_new(void)
{
	struct block *b = mem_new(struct block);

	b->next = atomic_load(&blocks);
	while (!atomic_compare_exchange_weak(&blocks, &b->next, b))
		continue;
	return b;
}

void stat_add(enum stat_id s, uint64_t n)
{
	_Atomic uint64_t *v;

	if (!mine)
		mine = block_new();
	v = &mine->v[s];
	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}

uint64_t stat_read(enum stat_id s)
{
	uint64_t sum = 0;

	for (struct block *b = atomic_load(&blocks); b; b = b->next)
		sum += atomic_load_explicit(&b->v[s], memory_order_relaxed);
	return sum;
}

/* ---- sites ---- */

struct site {
	struct site_stats stats;
	struct site *next; /* in order of appearance */
	size_t n;
	char name[];
};
static pthread_mutex_t sites_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map sites_by_name;
static struct site *sites, **sites_end = &sites;

static const char *const site_names[SITE_STAT_COUNT] = {
#define X(id, name) [SITE_##id] = name,
	SITE_STATS(X)
#undef X
};

const char *site_stat_name(enum site_stat s)
{
	return site_names[s];
}

static struct site *site_new(struct span name)
{
	struct site *s = mem_zalloc(1, sizeof(*s) + name.n + 1);

	s->n = name.n;
	memcpy(s->name, name.p, name.n);
	*sites_end = s;
	sites_end = &s->next;
	map_put(&sites_by_name, span_make(s->name, s->n), s);
	return s;
}

struct site_stats *site_stats_get(struct span name)
{
	struct site *s;

	pthread_mutex_lock(&sites_lock);
	s = map_find(&sites_by_name, name);
	if (!s)
		s = site_new(name);
	pthread_mutex_unlock(&sites_lock);
	return &s->stats;
}

/* ---- as JSON ---- */

static void site_json(struct jsonw *j, struct site *s)
{
	jsonw_object(j, s->name);
	for (enum site_stat i = 0; i < SITE_STAT_COUNT; i++)
		jsonw_uint(j, site_names[i], atomic_load_explicit(&s->stats.v[i], memory_order_relaxed));
	jsonw_end(j);
}

void stats_json(struct jsonw *j)
{
	jsonw_object(j, "counters");
	for (enum stat_id i = 0; i < STAT_COUNT; i++)
		jsonw_uint(j, rows[i].name, stat_read(i));
	jsonw_end(j);
	jsonw_object(j, "sites");
	pthread_mutex_lock(&sites_lock);
	for (struct site *s = sites; s; s = s->next)
		site_json(j, s);
	pthread_mutex_unlock(&sites_lock);
	jsonw_end(j);
}
