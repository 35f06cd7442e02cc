/*
 * The look-up: from a key and a request to what is to be done.
 *
 * Before the lock: does the request pass by (method, preset, its own no-store)? Under the lock: the
 * variant that fits, or the fill to follow or to lead.
 */
#include "cache/cache_priv.h"

void cache_key_make(struct cache_key *ret, const struct domain *site, bool tls, struct span host, struct span target,
	struct arena *a)
{
	struct span scheme = tls ? SPAN("https") : SPAN("http");
	char *text;

	target = preset_target(site, target, a);
	ret->site = site;
	ret->text.n = scheme.n + 1 + host.n + 1 + target.n;
	ret->text.p = text = arena_alloc(a, ret->text.n);
	memcpy(text, scheme.p, scheme.n);
	text += scheme.n;
	*text++ = '\0';
	memcpy(text, host.p, host.n);
	text += host.n;
	*text++ = '\0';
	memcpy(text, target.p, target.n);
	ret->hash = span_hash(ret->text, 0);
}

/* ---- one variant ---- */

bool obj_fits(const struct cache_obj *o, const struct http_req *req)
{
	struct arena a;
	bool same;

	if (o->vary.n == 0)
		return true;
	arena_init(&a, 1024);
	same = span_eq(vary_text(o->vary, req, &a), o->vary_text);
	arena_done(&a);
	return same;
}

static struct cache_obj *variant_for(struct cache_entry *e, const struct http_req *req)
{
	list_each (it, &e->variants) {
		struct cache_obj *o = container_of(it, struct cache_obj, variant_link);

		if (!obj_is_purged(o) && obj_fits(o, req))
			return o;
	}
	return NULL;
}

/* RFC 9111 4.2 with the request's max-age, min-fresh, max-stale and no-cache (5.2.1). */
enum reuse { REUSE_FRESH, REUSE_BEHIND, REUSE_VALIDATE };

static enum reuse reuse_of(const struct cache_obj *o, const struct http_cache_control *asked, int64_t now_ms)
{
	int64_t ttl_ms = obj_ttl_ms(o, now_ms);
	int64_t age_s = cache_obj_age_s(o, now_ms);
	int64_t stale_ms = -ttl_ms;

	if (o->policy.always_validate || asked->no_cache || o->purged == PURGE_INVALID)
		return REUSE_VALIDATE;
	if (asked->max_age >= 0 && age_s > asked->max_age)
		return REUSE_VALIDATE;
	if (ttl_ms > 0 && (asked->min_fresh < 0 || ttl_ms >= asked->min_fresh * 1000LL))
		return REUSE_FRESH;
	if (ttl_ms > 0 || o->policy.never_stale)
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
	int64_t stale_ms = -obj_ttl_ms(o, now_ms);
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
	int64_t now_ms;
	struct cache_found *found;
};

static void lead(struct lookup *l, struct cache_entry *e, enum cache_verdict verdict, bool solo)
{
	l->found->verdict = verdict;
	l->found->solo = solo;
	l->found->fill = fill_new(l->cache, l->shard, e, l->key, l->req, l->found->obj, solo);
}

/* Nothing to answer from: follow, or lead, or (marker) lead alone. */
static void fetch_it(struct lookup *l, struct cache_entry *e)
{
	struct cache_fill *running;

	if (l->asked.only_if_cached) {
		l->found->verdict = CACHE_ONLY_IF_CACHED;
		return;
	}
	if (e && e->solo_until_ms > l->now_ms) {
		lead(l, e, CACHE_LEAD, true);
		return;
	}
	running = e ? fill_for(e, l->req) : NULL;
	if (running) {
		l->found->verdict = running->waiting < l->cache->settings.followers_max ? CACHE_FOLLOW : CACHE_PASS;
		l->found->fill = running;
		atomic_fetch_add(&running->refs, 1);
		return;
	}
	lead(l, e ? e : entry_get(l->cache, l->shard, l->key), CACHE_LEAD, false);
}

static void refresh_behind(struct lookup *l, struct cache_entry *e, struct cache_obj *o)
{
	l->found->verdict = CACHE_REFRESH;
	if (o->retry_ms <= l->now_ms && !fill_for(e, l->req))
		lead(l, e, CACHE_REFRESH, false);
}

static void judge(struct lookup *l, struct cache_entry *e, struct cache_obj *o)
{
	struct cache_found *found = l->found;

	found->obj = cache_obj_ref(o);
	found->ttl_s = obj_ttl_ms(o, l->now_ms) / 1000;
	switch (reuse_of(o, &l->asked, l->now_ms)) {
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
	found->why = obj_ttl_ms(o, l->now_ms) > 0 ? "request" : "stale";
	if (o->retry_ms > l->now_ms && cache_stale_usable(o, l->key->site, l->req, l->now_ms))
		found->verdict = CACHE_REFRESH;
	else
		fetch_it(l, e);
}

static void look_up(struct lookup *l)
{
	struct cache_entry *e = entry_find(l->shard, l->key);
	struct cache_obj *o = e ? variant_for(e, l->req) : NULL;

	if (o) {
		judge(l, e, o);
		return;
	}
	l->found->why = e && !list_empty(&e->variants) ? "vary-miss" : "uri-miss";
	fetch_it(l, e);
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

	*ret = (struct cache_found){ .verdict = CACHE_PASS, .why = preset_bypass(key->site, req) };
	if (ret->why)
		return;
	policy_of_request(req, &l.asked);
	if (l.asked.no_store) {
		ret->why = "request";
		return;
	}
	pthread_mutex_lock(&l.shard->lock);
	look_up(&l);
	pthread_mutex_unlock(&l.shard->lock);
}

void cache_found_done(struct cache_found *f)
{
	if (f->verdict == CACHE_LEAD || f->verdict == CACHE_REFRESH)
		f->fill = cache_fill_drop(f->fill);
	else
		f->fill = cache_fill_unref(f->fill);
	f->obj = cache_obj_unref(f->obj);
}
