/*
 * The index: shards of hash tables from key to entry, and SIEVE's queue of objects in each shard.
 *
 * SIEVE: new objects enter at the front; a hit sets the object's bit; the hand walks from the back
 * to the front, clears bits and evicts the first object whose bit is clear, and stays there.
 * Objects never move.
 *
 * The index holds one reference to each of its objects. What is evicted but still being sent lives,
 * and is counted, until its last reader is done.
 */
#include "cache/cache_priv.h"

#define BUCKETS_FIRST     256
#define SWEEP_BUCKETS     4096   /* looked at in one cache_sweep() */
#define MARKERS_MAX       100000 /* beyond that, keys simply have none */
#define MARKED_KEY_MAX    1024   /* nor have longer ones: what is not evicted must stay small */
#define EVICT_BATCH       32     /* objects taken out under one hold of a lock */
#define SITE_SHARE_PRESET 50     /* percent */

struct cache *cache_new(const struct cache_settings *settings)
{
	struct cache *c = mem_new(struct cache);

	c->settings = *settings;
	c->bytes_max = settings->bytes_max;
	if (c->settings.followers_max == 0)
		c->settings.followers_max = 10000;
	if (c->settings.follow_wait_ms == 0)
		c->settings.follow_wait_ms = 5000;
	if (c->settings.hit_for_miss_ms == 0)
		c->settings.hit_for_miss_ms = 120000;
	c->site_share = settings->site_share ? settings->site_share : SITE_SHARE_PRESET;
	points_init(c);
	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *s = &c->shards[i];

		pthread_mutex_init(&s->lock, NULL);
		list_init(&s->sieve.objects);
		s->buckets_n = BUCKETS_FIRST;
		s->buckets = counted_alloc(c, s->buckets_n * sizeof(*s->buckets));
	}
	return c;
}

struct cache *cache_free(struct cache *c)
{
	if (!c)
		return NULL;
	cache_purge(c, CACHE_PURGE_ALL, (struct span){ 0 }, NULL, true, 0);
	for (unsigned i = 0; i < SHARDS * 2; i++)
		for (size_t b = 0; b < c->shards[i % SHARDS].buckets_n; b += SWEEP_BUCKETS)
			cache_sweep(c, INT64_MAX / 2);
	for (unsigned i = 0; i < SHARDS; i++) {
		must(c->shards[i].entries == 0);
		pthread_mutex_destroy(&c->shards[i].lock);
		counted_free(c, c->shards[i].buckets);
	}
	points_done(c);
	must(c->bytes == 0);
	return mem_free(c);
}

void cache_resize(struct cache *c, uint64_t bytes_max, unsigned site_share)
{
	c->bytes_max = bytes_max;
	if (site_share > 0)
		c->site_share = site_share;
	cache_evict(c, &c->shards[0]);
}

struct cache_shard *shard_of(struct cache *c, uint64_t hash)
{
	return &c->shards[hash >> 32 & (SHARDS - 1)];
}

/* ---- entries; under the shard's lock ---- */

struct cache_entry **bucket_of(struct cache_shard *s, uint64_t hash)
{
	return &s->buckets[hash & (s->buckets_n - 1)];
}

struct cache_entry *entry_find(struct cache_shard *s, const struct cache_key *key)
{
	for (struct cache_entry *e = *bucket_of(s, key->hash); e; e = e->next)
		if (e->hash == key->hash && span_eq(e->text, key->text))
			return e;
	return NULL;
}

static void grow(struct cache *c, struct cache_shard *s)
{
	struct cache_entry **old = s->buckets;
	size_t n = s->buckets_n;

	s->buckets_n *= 2;
	s->buckets = counted_alloc(c, s->buckets_n * sizeof(*s->buckets));
	for (size_t i = 0; i < n; i++) {
		for (struct cache_entry *e = old[i], *next; e; e = next) {
			struct cache_entry **bucket = bucket_of(s, e->hash);

			next = e->next;
			e->next = *bucket;
			*bucket = e;
		}
	}
	counted_free(c, old);
}

/* The oldest spelling of a URI that has too many, and is not being fetched. */
static void drop_spelling(struct cache *c, struct cache_shard *s, struct cache_entry *e)
{
	while (!list_empty(&e->variants)) {
		struct cache_obj *o = container_of(e->variants.next, struct cache_obj, variant_link);

		index_remove(s, o);
		cache_obj_unref(o);
	}
	entry_unmark(c, e);
	entry_release_if_empty(c, s, e, INT64_MAX);
}

/* Before one more spelling of key comes: all stand in one bucket, which must stay short. */
static void bound_spellings(struct cache *c, struct cache_shard *s, const struct cache_key *key)
{
	struct cache_entry *oldest = NULL;
	unsigned n = 0;

	for (struct cache_entry *e = *bucket_of(s, key->hash); e; e = e->next)
		if (e->hash == key->hash) {
			n++;
			oldest = list_empty(&e->fills) ? e : oldest;
		}
	if (n >= SPELLINGS_MAX && oldest)
		drop_spelling(c, s, oldest);
}

struct cache_entry *entry_get(struct cache *c, struct cache_shard *s, const struct cache_key *key)
{
	struct cache_entry *e = entry_find(s, key);
	struct cache_entry **bucket;
	char *text;

	if (e)
		return e;
	bound_spellings(c, s, key);
	if (++s->entries > s->buckets_n)
		grow(c, s);
	e = counted_alloc(c, sizeof(*e) + key->text.n);
	text = (char *)(e + 1);
	memcpy(text, key->text.p, key->text.n);
	e->text = span_make(text, key->text.n);
	e->hash = key->hash;
	list_init(&e->variants);
	list_init(&e->fills);
	bucket = bucket_of(s, key->hash);
	e->next = *bucket;
	*bucket = e;
	return e;
}

void entry_mark(struct cache *c, struct cache_entry *e, int64_t now_ms)
{
	if (e->text.n > MARKED_KEY_MAX)
		return;
	if (!e->uncacheable_until_ms && atomic_fetch_add(&c->markers, 1) >= MARKERS_MAX) {
		c->markers--;
		return;
	}
	e->uncacheable_until_ms = now_ms + (int64_t)c->settings.hit_for_miss_ms;
}

void entry_unmark(struct cache *c, struct cache_entry *e)
{
	if (e->uncacheable_until_ms)
		c->markers--;
	e->uncacheable_until_ms = 0;
}

void entry_release_if_empty(struct cache *c, struct cache_shard *s, struct cache_entry *e, int64_t now_ms)
{
	struct cache_entry **at = bucket_of(s, e->hash);

	if (e->uncacheable_until_ms && e->uncacheable_until_ms <= now_ms)
		entry_unmark(c, e);
	if (!list_empty(&e->variants) || !list_empty(&e->fills) || e->uncacheable_until_ms)
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	s->entries--;
	counted_free(c, e);
}

void index_add(struct cache_shard *s, struct cache_entry *e, struct cache_obj *o)
{
	o->entry = e;
	o->shard = s;
	o->indexed = true;
	o->cost = obj_cost(o);
	cache_obj_ref(o);
	list_push_front(&e->variants, &o->variant_link);
	list_push_front(&s->sieve.objects, &o->sieve_link);
	s->sieve.n++;
	o->cache->objects++;
	points_count(o, 1);
}

void index_remove(struct cache_shard *s, struct cache_obj *o)
{
	if (s->sieve.hand == &o->sieve_link)
		s->sieve.hand = o->sieve_link.prev;
	list_remove(&o->sieve_link);
	list_remove(&o->variant_link);
	s->sieve.n--;
	o->indexed = false;
	o->entry = NULL;
	o->cache->objects--;
	points_count(o, -1);
}

void objs_unref(struct list *objects)
{
	struct list *it;

	while ((it = list_pop(objects)))
		cache_obj_unref(container_of(it, struct cache_obj, variant_link));
}

/* ---- eviction ---- */

uint64_t site_bytes_max(const struct cache *c)
{
	return c->bytes_max / 100 * c->site_share;
}

/* NULL: all are being sent, so that taking one out would free nothing. */
static struct cache_obj *sieve_victim(struct cache_shard *s)
{
	struct sieve *sieve = &s->sieve;
	struct list *at = sieve->hand ? sieve->hand : sieve->objects.prev;

	for (size_t steps = 2 * sieve->n; steps > 0; at = at->prev) {
		struct cache_obj *o;

		if (at == &sieve->objects)
			at = sieve->objects.prev;
		steps--;
		o = container_of(at, struct cache_obj, sieve_link);
		if (!atomic_exchange_explicit(&o->visited, false, memory_order_relaxed) && o->refs == 1) {
			sieve->hand = at;
			return o;
		}
	}
	return NULL;
}

/* Under the shard's lock: out of the index. */
static void take_out(struct cache *c, struct cache_shard *s, struct cache_obj *o)
{
	struct cache_entry *e = o->entry;

	index_remove(s, o);
	entry_release_if_empty(c, s, e, INT64_MAX);
	c->evicted++;
}

/* One object of a site that has more than its share. False: there is none. */
static bool evict_beyond_share(struct cache *c)
{
	struct cache_obj *o = points_victim(c);
	bool was_there;

	if (!o)
		return false;
	pthread_mutex_lock(&o->shard->lock);
	was_there = o->indexed;
	if (was_there)
		take_out(c, o->shard, o);
	pthread_mutex_unlock(&o->shard->lock);
	if (was_there)
		cache_obj_unref(o);
	cache_obj_unref(o);
	return true;
}

/* Up to EVICT_BATCH objects of this shard. Their number. */
static unsigned evict_from(struct cache *c, struct cache_shard *s)
{
	struct cache_obj *victims[EVICT_BATCH], *o;
	unsigned n = 0;
	uint64_t freed = 0;

	pthread_mutex_lock(&s->lock);
	while (n < EVICT_BATCH && c->bytes > c->bytes_max + freed && (o = sieve_victim(s))) {
		freed += o->cost;
		take_out(c, s, o);
		victims[n++] = o;
	}
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < n; i++)
		cache_obj_unref(victims[i]);
	return n;
}

bool cache_evict(struct cache *c, struct cache_shard *first)
{
	size_t start = (size_t)(first - c->shards);

	while (c->bytes > c->bytes_max && evict_beyond_share(c))
		;
	for (size_t i = 0; i < SHARDS && c->bytes > c->bytes_max; i++)
		while (c->bytes > c->bytes_max && evict_from(c, &c->shards[(start + i) % SHARDS]) > 0)
			;
	return c->bytes <= c->bytes_max;
}

/* ---- sweeping ---- */

/* Past everything for which it could still be used. */
static bool is_dead(const struct cache_obj *o, int64_t now_ms)
{
	int64_t keep = o->policy.stale_while_ms > o->policy.stale_error_ms ? o->policy.stale_while_ms
									   : o->policy.stale_error_ms;

	if (keep < o->keep_ms)
		keep = o->keep_ms;
	return obj_is_purged(o) || now_ms > o->born_ms + o->policy.lifetime_ms + keep;
}

static void sweep_bucket(struct cache *c, struct cache_shard *s, size_t bucket, int64_t now_ms, struct list *dead)
{
	for (struct cache_entry *e = s->buckets[bucket], *next; e; e = next) {
		next = e->next;
		list_each_safe (it, &e->variants) {
			struct cache_obj *o = container_of(it, struct cache_obj, variant_link);

			if (!is_dead(o, now_ms))
				continue;
			index_remove(s, o);
			list_push_back(dead, &o->variant_link);
		}
		entry_release_if_empty(c, s, e, now_ms);
	}
}

/* Up to max buckets of the shard whose turn it is. Their number. */
static unsigned sweep_some(struct cache *c, unsigned max, int64_t now_ms)
{
	struct cache_shard *s = &c->shards[c->sweep_shard];
	unsigned n = 0;
	struct list dead;

	list_init(&dead);
	pthread_mutex_lock(&s->lock);
	for (; n < max && s->swept < s->buckets_n; n++)
		sweep_bucket(c, s, s->swept++, now_ms, &dead);
	if (s->swept >= s->buckets_n) {
		s->swept = 0;
		c->sweep_shard = (c->sweep_shard + 1) % SHARDS;
	}
	pthread_mutex_unlock(&s->lock);
	objs_unref(&dead);
	return n;
}

void cache_sweep(struct cache *c, int64_t now_ms)
{
	for (unsigned left = SWEEP_BUCKETS; left > 0;)
		left -= sweep_some(c, left, now_ms);
	points_sweep(c, now_ms);
}

void cache_numbers(struct cache *c, struct cache_numbers *ret)
{
	*ret = (struct cache_numbers){ .objects = c->objects,
		.bytes = c->bytes,
		.bytes_max = c->bytes_max,
		.evicted = c->evicted,
		.purged = c->purged,
		.fills = c->fills,
		.markers = c->markers };
}
