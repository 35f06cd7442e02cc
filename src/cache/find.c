/*
 * The look-up: from a key and a request to what is to be done.
 *
 * Before the lock: does the request pass by (method, preset, its own no-store)? Under the lock: the
 * variant that fits, or the fill to follow or to lead. Where variants are told apart by fields of
 * the request, these are read between two holds of the lock (struct selection): the lock is others'
 * too, and a visitor can send 64 KiB of fields.
 */
#include "cache/cache_priv.h"

#define FETCHES_MAX   4   /* at once for one answer, the later ones because the first take long */
#define FILLS_MAX     256 /* of one key; further requests are forwarded */
#define RANGES_WANTED 3   /* so many requests for parts make the whole worth fetching */

/* ---- what selects a variant ---- */

static bool selects(const struct selection *s, struct span vary, uint64_t text_hash)
{
	if (vary.n == 0)
		return true;
	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i].text_hash == text_hash && span_eq(s->v[i].vary, vary))
			return true;
	return false;
}

/* Notes a Vary that is to be answered for. */
static void selection_want(struct selection *s, struct span vary, struct arena *a)
{
	if (vary.n == 0)
		return;
	for (unsigned i = 0; i < s->n; i++)
		if (span_eq(s->v[i].vary, vary))
			return;
	if (s->n < VARIES_MAX)
		s->v[s->n++].vary = arena_span(a, vary);
}

/* False: the request would select by more than we look at. */
static bool selection_answer(struct selection *s, const struct http_req *req, struct arena *a)
{
	for (unsigned i = 0; i < s->n; i++) {
		s->v[i].text = vary_text(s->v[i].vary, req, a);
		if (!s->v[i].text.p)
			return false;
		s->v[i].text_hash = span_hash(s->v[i].text, 0);
	}
	return true;
}

/* ---- one variant ---- */

static int64_t ttl_ms(const struct cache_obj *o, const struct domain *site, int64_t now_ms)
{
	int64_t ttl = obj_ttl_ms(o, now_ms);

	return o->origin_hash != site->origin_hash && ttl > 0 ? 0 : ttl;
}

/* RFC 9111 4.2 with the request's max-age, min-fresh, max-stale and no-cache (5.2.1). */
enum reuse { REUSE_FRESH, REUSE_BEHIND, REUSE_VALIDATE };

static enum reuse reuse_of(const struct cache_obj *o, const struct domain *site, const struct http_cache_control *asked,
	int64_t now_ms)
{
	int64_t ttl = ttl_ms(o, site, now_ms);
	int64_t age_s = cache_obj_age_s(o, now_ms);
	int64_t stale_ms = -ttl;

	if (o->policy.always_validate || asked->no_cache || o->purged == PURGE_INVALID)
		return REUSE_VALIDATE;
	if (asked->max_age >= 0 && age_s > asked->max_age)
		return REUSE_VALIDATE;
	if (ttl > 0 && (asked->min_fresh < 0 || ttl >= asked->min_fresh * 1000LL))
		return REUSE_FRESH;
	if (ttl > 0 || o->policy.never_stale)
		return REUSE_VALIDATE;
	/* RFC 9111 5.2.2.10: s-maxage forbids what only the client wishes. */
	if (!o->policy.no_grace &&
		(asked->max_stale_any || (asked->max_stale >= 0 && stale_ms <= asked->max_stale * 1000LL)))
		return REUSE_FRESH;
	if (o->policy.stale_while_ms >= 0 && stale_ms <= o->policy.stale_while_ms)
		return REUSE_BEHIND;
	return REUSE_VALIDATE;
}

bool cache_stale_usable(const struct cache_obj *o, const struct domain *site, const struct http_req *req,
	int64_t now_ms)
{
	int64_t stale_ms = -ttl_ms(o, site, now_ms);
	int64_t window_ms = o->policy.stale_error_ms;
	struct http_cache_control asked;

	if (obj_is_purged(o) || o->purged == PURGE_INVALID)
		return false;
	policy_of_request(req, &asked);
	/* RFC 5861 4: the request may ask for it, too */
	if (asked.stale_if_error > window_ms / 1000)
		window_ms = asked.stale_if_error * 1000LL;
	if (o->policy.never_stale)
		window_ms = -1;
	if ((site->grace_forced || !(o->policy.never_stale || o->policy.no_grace)) &&
		(int64_t)site->grace_ms > window_ms && site->grace_ms > 0)
		window_ms = (int64_t)site->grace_ms;
	return stale_ms <= window_ms;
}

void cache_origin_failed(struct cache_obj *o, int64_t now_ms)
{
	unsigned failures;
	int64_t wait_s;

	if (!o)
		return;
	failures = atomic_fetch_add(&o->failures, 1);
	wait_s = failures < 5 ? 1 << failures : BACKOFF_MAX_S;
	o->retry_ms = now_ms + wait_s * 1000;
}

/* ---- the verdict; under the shard's lock ---- */

struct lookup {
	struct cache *cache;
	struct cache_shard *shard;
	const struct cache_key *key;
	const struct http_req *req;
	struct http_cache_control asked;
	struct selection selection;
	int64_t now_ms;
	struct cache_found *found;
};

static struct cache_obj *variant_for(const struct lookup *l, struct cache_entry *e)
{
	list_each (it, &e->variants) {
		struct cache_obj *o = container_of(it, struct cache_obj, variant_link);

		if (!obj_is_purged(o) && obj_is_of(o, l->key->site) &&
			selects(&l->selection, o->vary, o->vary_text_hash))
			return o;
	}
	return NULL;
}

/* The fill that the request may follow: one whose head is there, else the youngest. NULL: none.
 * *ret_n: how many there are. */
static struct cache_fill *fill_for(const struct lookup *l, struct cache_entry *e, unsigned *ret_n)
{
	struct cache_fill *best = NULL;

	*ret_n = 0;
	list_each (it, &e->fills) {
		struct cache_fill *f = container_of(it, struct cache_fill, link);

		if (!f->open || fill_is_overtaken(f) || !point_is_of(f->site_point, l->key->site) ||
			f->origin_hash != l->key->site->origin_hash)
			continue;
		if (!selects(&l->selection, f->vary, f->vary_text_hash))
			continue;
		(*ret_n)++;
		if (!best || best->state == FILL_WAITING)
			best = f;
	}
	return best;
}

static void lead(struct lookup *l, struct cache_entry *e, enum cache_verdict verdict, bool uncacheable)
{
	struct fill_begin begin = { .key = l->key, .now_ms = l->now_ms, .uncacheable = uncacheable };
	struct cache_obj *o = l->found->obj;

	begin.wanted = o != NULL;
	if (!e)
		e = entry_get(l->cache, l->shard, l->key);
	/* Entity tags of another origin say nothing. */
	if (o && o->origin_hash == l->key->site->origin_hash)
		begin.old = o;
	if (!list_empty(&e->variants)) {
		const struct cache_obj *newest = container_of(e->variants.next, struct cache_obj, variant_link);

		for (unsigned i = 0; i < l->selection.n; i++)
			if (span_eq(l->selection.v[i].vary, newest->vary))
				begin.choice = &l->selection.v[i];
	}
	l->found->verdict = verdict;
	l->found->uncacheable = uncacheable;
	l->found->fill = fill_new(l->cache, l->shard, e, &begin);
}

static void follow(struct lookup *l, struct cache_fill *f)
{
	if (f->waiting >= l->cache->settings.followers_max) {
		l->found->verdict = CACHE_BUSY;
		return;
	}
	l->found->verdict = CACHE_FOLLOW;
	l->found->fill = f;
	atomic_fetch_add(&f->refs, 1);
	f->followers++;
}

/* May one more be sent to ask, because those that were sent before take long? */
static bool is_overdue(const struct lookup *l, const struct cache_fill *youngest, unsigned n)
{
	return youngest->state == FILL_WAITING && n < FETCHES_MAX &&
		l->now_ms - youngest->began_ms >= (int64_t)l->cache->settings.follow_wait_ms;
}

/* Only a part is asked for, and nothing is there yet: the whole may be large. */
static bool stays_small(struct lookup *l, struct cache_entry **e)
{
	if (l->req->method != HTTP_GET || l->found->obj || !http_fields_find(&l->req->fields, HTTP_RANGE))
		return false;
	if (!*e)
		*e = entry_get(l->cache, l->shard, l->key);
	return ++(*e)->ranges < RANGES_WANTED;
}

/* Nothing to answer from: follow, or lead, or (marker) lead alone. */
static void fetch_it(struct lookup *l, struct cache_entry *e)
{
	struct cache_fill *running;
	unsigned n = 0;

	if (l->asked.only_if_cached) {
		l->found->verdict = CACHE_ONLY_IF_CACHED;
		return;
	}
	running = e && e->uncacheable_until_ms <= l->now_ms ? fill_for(l, e, &n) : NULL;
	if (running && !is_overdue(l, running, n))
		follow(l, running);
	else if (l->req->method == HTTP_HEAD || (e && e->fills_n >= FILLS_MAX))
		l->found->verdict = CACHE_PASS;
	else if (stays_small(l, &e))
		lead(l, e, CACHE_LEAD, true);
	else
		lead(l, e, CACHE_LEAD, e && e->uncacheable_until_ms > l->now_ms && e->ranges < RANGES_WANTED);
}

static void refresh_behind(struct lookup *l, struct cache_entry *e, struct cache_obj *o)
{
	unsigned n;

	l->found->verdict = CACHE_REFRESH;
	if (o->retry_ms <= l->now_ms && !fill_for(l, e, &n) && e->fills_n < FILLS_MAX)
		lead(l, e, CACHE_REFRESH, false);
}

static void judge(struct lookup *l, struct cache_entry *e, struct cache_obj *o)
{
	const struct domain *site = l->key->site;
	struct cache_found *found = l->found;
	int64_t ttl = ttl_ms(o, site, l->now_ms);

	found->obj = cache_obj_ref(o);
	found->ttl_s = ttl / 1000;
	switch (reuse_of(o, site, &l->asked, l->now_ms)) {
	case REUSE_FRESH:
		if (!atomic_load_explicit(&o->visited, memory_order_relaxed))
			atomic_store_explicit(&o->visited, true, memory_order_relaxed);
		found->verdict = CACHE_FRESH;
		return;
	case REUSE_BEHIND:
		refresh_behind(l, e, o);
		return;
	case REUSE_VALIDATE:
		break;
	}
	found->why = ttl > 0 ? "request" : "stale";
	if (o->retry_ms > l->now_ms && cache_stale_usable(o, site, l->req, l->now_ms))
		found->verdict = CACHE_REFRESH;
	else
		fetch_it(l, e);
}

static void look_up(struct lookup *l, struct cache_entry *e)
{
	struct cache_obj *o = e ? variant_for(l, e) : NULL;

	if (o) {
		judge(l, e, o);
		return;
	}
	l->found->why = e && !list_empty(&e->variants) ? "vary-miss" : "uri-miss";
	fetch_it(l, e);
}

/* What the entry's variants, there and to come, are told apart by. */
static void note_varies(struct lookup *l, struct cache_entry *e, struct arena *a)
{
	list_each (it, &e->variants)
		selection_want(&l->selection, container_of(it, struct cache_obj, variant_link)->vary, a);
	list_each (it, &e->fills)
		selection_want(&l->selection, container_of(it, struct cache_fill, link)->vary, a);
}

static void find(struct lookup *l, struct arena *a)
{
	struct cache_entry *e;

	pthread_mutex_lock(&l->shard->lock);
	e = entry_find(l->shard, l->key);
	if (e)
		note_varies(l, e, a);
	if (l->selection.n > 0) {
		bool answered;

		pthread_mutex_unlock(&l->shard->lock);
		answered = selection_answer(&l->selection, l->req, a);
		if (!answered)
			return;
		pthread_mutex_lock(&l->shard->lock);
		e = entry_find(l->shard, l->key);
	}
	look_up(l, e);
	pthread_mutex_unlock(&l->shard->lock);
}

void cache_find(struct cache *c, const struct cache_key *key, const struct http_req *req, int64_t now_ms,
	struct cache_found *ret)
{
	struct lookup l = { .cache = c,
		.shard = shard_of(c, key->hash),
		.key = key,
		.req = req,
		.now_ms = now_ms,
		.found = ret };
	struct arena a;

	*ret = (struct cache_found){ .verdict = CACHE_PASS, .why = preset_bypass(key->site, req) };
	if (ret->why)
		return;
	policy_of_request(req, &l.asked);
	ret->why = "request";
	if (l.asked.no_store)
		return;
	arena_init(&a, 1024);
	find(&l, &a);
	arena_done(&a);
}

void cache_found_done(struct cache_found *f)
{
	if (f->verdict == CACHE_LEAD || f->verdict == CACHE_REFRESH)
		f->fill = cache_fill_drop(f->fill);
	else
		f->fill = cache_fill_unref(f->fill);
	f->obj = cache_obj_unref(f->obj);
}
