/*
 * Purges.
 *
 * A purge point is what a site, a tag, a tag of one site, or everything was last purged at: a
 * sequence number, hard and soft. An object remembers the sequence at which its fetch began, and
 * its points; it is out of reach if one of them was purged later. So a purge of any size costs one
 * store, and one that happens during a fetch wins.
 *
 * Points count their live objects, which is the number a purge reports. They are freed when nothing
 * refers to them and they were never purged, or a fetch that began before their purge cannot be
 * under way any more (an hour). Points of sites also know their objects and what these cost, so
 * that a site beyond its share gives way first.
 *
 * URLs are looked up, in all spellings of theirs (cache/key.c); prefixes walk the index.
 */
#include "base/clock.h"
#include "cache/cache_priv.h"

#define POINT_KEPT_MS (3600 * 1000LL)
#define POINTS_SWEPT  1024
#define VICTIM_STEPS  1000 /* objects looked at for one to go */

/* ---- points ---- */

static void points_counted(struct cache *c)
{
	uint64_t bytes = map_bytes(&c->points);

	c->bytes += bytes - c->points_bytes;
	c->points_bytes = bytes;
}

static struct purge_point *point_make(struct cache *c, struct span text)
{
	struct purge_point *p = map_find(&c->points, text);

	if (p)
		return p;
	p = counted_alloc(c, sizeof(*p) + text.n);
	p->n = text.n;
	memcpy(p->text, text.p, text.n);
	if (text.p[0] == 's') {
		p->holding = counted_alloc(c, sizeof(*p->holding));
		list_init(&p->holding->sieve.objects);
		list_init(&p->holding->over_link);
	}
	map_put(&c->points, span_make(p->text, p->n), p);
	points_counted(c);
	return p;
}

static void point_free(struct cache *c, struct purge_point *p)
{
	map_remove(&c->points, span_make(p->text, p->n));
	points_counted(c);
	if (p->holding) {
		must(p->holding->sieve.n == 0);
		list_remove(&p->holding->over_link);
		counted_free(c, p->holding);
	}
	counted_free(c, p);
}

/* Under points_lock. What was never purged tells nothing when nobody has it. */
static void point_let_go(struct cache *c, struct purge_point *p)
{
	if (--p->refs == 0 && p->hard_seq == 0 && p->soft_seq == 0)
		point_free(c, p);
}

struct purge_point *point_get(struct cache *c, char kind, struct span site, struct span tag)
{
	struct buf text = BUF_INIT(HTTP_HEAD_MAX);
	struct purge_point *p;

	buf_add_char(&text, kind);
	buf_add_span(&text, site);
	buf_add_char(&text, '\0');
	buf_add_span(&text, tag);
	pthread_mutex_lock(&c->points_lock);
	p = point_make(c, buf_span(&text));
	p->refs++;
	pthread_mutex_unlock(&c->points_lock);
	buf_done(&text);
	return p;
}

void point_unref(struct cache *c, struct purge_point *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&c->points_lock);
	point_let_go(c, p);
	pthread_mutex_unlock(&c->points_lock);
}

bool point_is_of(const struct purge_point *p, const struct domain *site)
{
	return p->n == site->name.n + 2 && span_eq(span_make(p->text + 1, p->n - 2), site->name);
}

void points_init(struct cache *c)
{
	pthread_mutex_init(&c->points_lock, NULL);
	map_init(&c->points);
	list_init(&c->over);
	c->all = point_get(c, 'a', (struct span){ 0 }, (struct span){ 0 });
}

void points_done(struct cache *c)
{
	size_t at = 0;
	struct span text;
	void *value;

	while (map_next(&c->points, &at, &text, &value)) {
		struct purge_point *p = value;

		counted_free(c, p->holding);
		counted_free(c, p);
	}
	map_done(&c->points);
	c->bytes -= c->points_bytes;
	pthread_mutex_destroy(&c->points_lock);
}

/* A flood of tags leaves a large table: one that fits, when they have gone. */
static void points_shrink(struct cache *c)
{
	struct map fitting;
	size_t at = 0;
	struct span text;
	void *value;

	if (c->points.room < 256 || c->points.count * 16 > c->points.room)
		return;
	map_init(&fitting);
	while (map_next(&c->points, &at, &text, &value))
		map_put(&fitting, text, value);
	map_done(&c->points);
	c->points = fitting;
	points_counted(c);
}

void points_sweep(struct cache *c, int64_t now_ms)
{
	struct purge_point *unused[POINTS_SWEPT];
	unsigned n = 0;
	size_t at = 0;
	struct span text;
	void *value;

	pthread_mutex_lock(&c->points_lock);
	points_shrink(c);
	if (now_ms < c->points_swept_ms + POINT_KEPT_MS) {
		pthread_mutex_unlock(&c->points_lock);
		return;
	}
	while (n < POINTS_SWEPT && map_next(&c->points, &at, &text, &value)) {
		struct purge_point *p = value;

		if (p->refs == 0 && now_ms > p->purged_ms + POINT_KEPT_MS)
			unused[n++] = p;
	}
	for (unsigned i = 0; i < n; i++)
		point_free(c, unused[i]);
	pthread_mutex_unlock(&c->points_lock);
	/* If there were more, the next call goes on. */
	if (n < POINTS_SWEPT)
		c->points_swept_ms = now_ms;
}

/* ---- objects ---- */

static void count_one(struct purge_point *p, const struct cache_obj *o, int sign)
{
	/* What a hard purge has reported already is not counted again. */
	if (o->seq < p->hard_seq)
		return;
	p->live += (uint64_t)(int64_t)sign;
	p->bytes += (uint64_t)((int64_t)o->cost * sign);
}

/* Under points_lock. */
static void hold(struct cache *c, struct site_holding *h, struct cache_obj *o, int sign)
{
	if (sign > 0) {
		list_push_front(&h->sieve.objects, &o->site_link);
		h->sieve.n++;
		h->cost += o->cost;
	} else {
		if (h->sieve.hand == &o->site_link)
			h->sieve.hand = o->site_link.prev;
		list_remove(&o->site_link);
		h->sieve.n--;
		h->cost -= o->cost;
	}
	if (h->cost > site_bytes_max(c) && !h->is_over) {
		h->is_over = true;
		list_push_back(&c->over, &h->over_link);
	}
}

void points_count(struct cache_obj *o, int sign)
{
	struct cache *c = o->cache;

	pthread_mutex_lock(&c->points_lock);
	hold(c, o->site_point->holding, o, sign);
	count_one(c->all, o, sign);
	count_one(o->site_point, o, sign);
	for (unsigned i = 0; i < o->tags_n; i++)
		count_one(o->tags[i], o, sign);
	pthread_mutex_unlock(&c->points_lock);
}

/* SIEVE over one site's objects. NULL: the next ones are all being sent, or asked for often. */
static struct cache_obj *holding_victim(struct site_holding *h)
{
	struct list *at = h->sieve.hand ? h->sieve.hand : h->sieve.objects.prev;
	size_t steps = 2 * h->sieve.n < VICTIM_STEPS ? 2 * h->sieve.n : VICTIM_STEPS;

	for (; steps > 0; steps--, at = at->prev) {
		struct cache_obj *o;

		if (at == &h->sieve.objects)
			at = h->sieve.objects.prev;
		h->sieve.hand = at;
		o = container_of(at, struct cache_obj, site_link);
		if (!atomic_exchange_explicit(&o->visited, false, memory_order_relaxed) && o->refs == 1)
			return cache_obj_ref(o);
	}
	return NULL;
}

struct cache_obj *points_victim(struct cache *c)
{
	struct cache_obj *victim = NULL;

	pthread_mutex_lock(&c->points_lock);
	list_each_safe (it, &c->over) {
		struct site_holding *h = container_of(it, struct site_holding, over_link);

		if (h->cost <= site_bytes_max(c)) {
			list_remove(&h->over_link);
			h->is_over = false;
		} else if (!victim) {
			victim = holding_victim(h);
		}
	}
	pthread_mutex_unlock(&c->points_lock);
	return victim;
}

static bool is_after(const _Atomic uint64_t *seq, const struct cache_obj *o)
{
	return atomic_load_explicit(seq, memory_order_acquire) > o->seq;
}

static bool point_is_after(const struct purge_point *p, uint64_t seq)
{
	return p->hard_seq > seq || p->soft_seq > seq;
}

bool fill_is_overtaken(const struct cache_fill *f)
{
	return f->purged != PURGE_NOT || point_is_after(f->cache->all, f->seq) || point_is_after(f->site_point, f->seq);
}

bool obj_is_purged(const struct cache_obj *o)
{
	if (is_after(&o->cache->all->hard_seq, o) || is_after(&o->site_point->hard_seq, o))
		return true;
	for (unsigned i = 0; i < o->tags_n; i++)
		if (is_after(&o->tags[i]->hard_seq, o))
			return true;
	return false;
}

bool obj_is_soft_purged(const struct cache_obj *o)
{
	if (o->purged != PURGE_NOT || is_after(&o->cache->all->soft_seq, o) || is_after(&o->site_point->soft_seq, o))
		return true;
	for (unsigned i = 0; i < o->tags_n; i++)
		if (is_after(&o->tags[i]->soft_seq, o))
			return true;
	return false;
}

static bool has_tag(const struct cache_obj *o, const struct purge_point *p)
{
	for (unsigned i = 0; i < o->tags_n; i++)
		if (o->tags[i] == p)
			return true;
	return false;
}

/* A tag belongs to its site and, for purges of a tag everywhere, to all. */
static void add_tag(struct cache_obj *o, struct span site, struct span tag)
{
	struct span sites[] = { site, { 0 } };

	for (unsigned i = 0; i < 2; i++) {
		struct purge_point *p = point_get(o->cache, 't', sites[i], tag);

		if (has_tag(o, p))
			point_unref(o->cache, p);
		else
			o->tags[o->tags_n++] = p;
	}
}

/* How many the fields name, and if o is given, all of them to it. */
static unsigned each_tag(const struct http_fields *fields, struct cache_obj *o, struct span site)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fields->n; i++) {
		const struct http_field *f = &fields->v[i];
		struct span rest = f->value, tag;

		if (f->id != HTTP_CACHE_TAG && f->id != HTTP_SURROGATE_KEY)
			continue;
		while (span_cut(&rest, f->id == HTTP_CACHE_TAG ? ',' : ' ', &tag)) {
			if (span_trim(tag).n == 0)
				continue;
			n++;
			if (o)
				add_tag(o, site, span_trim(tag));
		}
	}
	return n;
}

bool tags_are_bounded(const struct http_fields *fields)
{
	return each_tag(fields, NULL, (struct span){ 0 }) <= TAGS_MAX;
}

void obj_set_tags(struct cache_obj *o, struct span site, const struct http_fields *fields)
{
	unsigned n = each_tag(fields, NULL, site);

	if (n == 0 || n > TAGS_MAX)
		return;
	o->tags = counted_alloc(o->cache, 2 * n * sizeof(*o->tags));
	each_tag(fields, o, site);
}

/* ---- purging ---- */

static uint64_t purge_point(struct cache *c, struct purge_point *p, bool hard, int64_t now_ms)
{
	uint64_t seq = atomic_fetch_add(&c->seq, 1) + 1;
	uint64_t n;

	pthread_mutex_lock(&c->points_lock);
	n = p->live;
	p->purged_ms = now_ms;
	if (hard) {
		p->live = p->bytes = 0;
		atomic_store_explicit(&p->hard_seq, seq, memory_order_release);
	} else {
		atomic_store_explicit(&p->soft_seq, seq, memory_order_release);
	}
	point_let_go(c, p);
	pthread_mutex_unlock(&c->points_lock);
	return n;
}

static void worsen(_Atomic int *purged, enum purge_way way)
{
	if (*purged < (int)way)
		*purged = (int)way;
}

/* All variants of an entry and the fills under way. Under the shard's lock; what is taken out goes
 * to out. */
static uint64_t purge_entry(struct cache_shard *s, struct cache_entry *e, enum purge_way way, struct list *out)
{
	uint64_t n = 0;

	list_each (it, &e->fills)
		worsen(&container_of(it, struct cache_fill, link)->purged, way);
	list_each_safe (it, &e->variants) {
		struct cache_obj *o = container_of(it, struct cache_obj, variant_link);

		n += !obj_is_purged(o);
		if (way != PURGE_HARD) {
			worsen(&o->purged, way);
			continue;
		}
		index_remove(s, o);
		list_push_back(out, &o->variant_link);
	}
	return n;
}

/* Are both spellings of one URI? */
static bool is_equivalent(struct span text, const struct cache_key *key)
{
	struct arena a;
	bool same;

	if (span_eq(text, key->text))
		return true;
	arena_init(&a, 1024);
	same = span_eq(key_text_normal(text, false, &a), key_text_normal(key->text, false, &a));
	arena_done(&a);
	return same;
}

static uint64_t purge_key(struct cache *c, const struct cache_key *key, enum purge_way way)
{
	struct cache_shard *s = shard_of(c, key->hash);
	struct list out;
	uint64_t n = 0;

	list_init(&out);
	pthread_mutex_lock(&s->lock);
	for (struct cache_entry *e = *bucket_of(s, key->hash), *next; e; e = next) {
		next = e->next;
		if (e->hash != key->hash || !is_equivalent(e->text, key))
			continue;
		n += purge_entry(s, e, way, &out);
		entry_release_if_empty(c, s, e, clock_mono_ms());
	}
	pthread_mutex_unlock(&s->lock);
	objs_unref(&out);
	return n;
}

static bool starts_alike(struct span text, struct span prefix)
{
	struct arena a;
	bool starts;

	arena_init(&a, 1024);
	starts = span_starts(key_text_normal(text, false, &a), prefix);
	arena_done(&a);
	return starts;
}

static uint64_t purge_prefix(struct cache *c, struct span prefix, enum purge_way way)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *s = &c->shards[i];
		struct list out;

		list_init(&out);
		pthread_mutex_lock(&s->lock);
		for (size_t b = 0; b < s->buckets_n; b++)
			for (struct cache_entry *e = s->buckets[b]; e; e = e->next)
				if (starts_alike(e->text, prefix))
					n += purge_entry(s, e, way, &out);
		pthread_mutex_unlock(&s->lock);
		objs_unref(&out);
	}
	return n;
}

/* "https://host:port/path" in its parts, host with its port; no scheme ("//host/path") means both.
 * False: no URL. */
struct url {
	bool http, https;
	struct span host, target;
};

static bool url_split(struct span text, struct url *ret)
{
	struct span schemes[] = { SPAN("https://"), SPAN("http://"), SPAN("//") };
	ptrdiff_t slash, fragment;
	unsigned i = 0;

	while (i < 3 && !span_starts_nocase(text, schemes[i]))
		i++;
	if (i == 3)
		return false;
	ret->https = i != 1;
	ret->http = i != 0;
	text = span_from(text, schemes[i].n);
	fragment = span_index(text, '#');
	if (fragment >= 0)
		text = span_sub(text, 0, (size_t)fragment);
	slash = span_index(text, '/');
	ret->host = slash < 0 ? text : span_sub(text, 0, (size_t)slash);
	ret->target = slash < 0 ? SPAN("/") : span_from(text, (size_t)slash);
	return ret->host.n > 0;
}

/* As keys have it: lower case and A-labels, without the port that the scheme has anyway and without
 * the dot of the root. */
static struct span host_of_key(struct span s, bool tls, struct arena *a)
{
	const char *colon = s.n > 0 && s.p[s.n - 1] == ']' ? NULL : memrchr(s.p, ':', s.n);
	struct span host = span_sub(s, 0, colon ? (size_t)(colon - s.p) : s.n);
	struct span port = span_from(s, host.n), name;

	if (port.n == 1 || span_eq(port, tls ? SPAN(":443") : SPAN(":80")))
		port.n = 0;
	if (span_ends(host, SPAN(".")))
		host.n--;
	if (domain_name_normalise(host, false, a, &name) < 0) {
		char *p = arena_text(a, host);

		for (size_t i = 0; i < host.n; i++)
			p[i] = ascii_lower(p[i]);
		name = span_make(p, host.n);
	}
	return arena_spanf(a, "%.*s%.*s", SPAN_ARG(name), SPAN_ARG(port));
}

static uint64_t purge_url(struct cache *c, bool prefix, struct span what, const struct domain *site, enum purge_way way)
{
	static const struct domain any = { 0 };
	struct arena a;
	struct url url;
	uint64_t n = 0;

	if (!url_split(what, &url))
		return 0;
	arena_init(&a, 1024);
	for (int tls = 0; tls < 2; tls++) {
		struct cache_key key;

		if (tls ? !url.https : !url.http)
			continue;
		cache_key_make(&key, site ? site : &any, tls, host_of_key(url.host, tls, &a), url.target, &a);
		n += prefix ? purge_prefix(c, key_text_normal(key.text, true, &a), way) : purge_key(c, &key, way);
	}
	arena_done(&a);
	return n;
}

uint64_t cache_purge(struct cache *c, enum cache_purge_kind kind, struct span what, const struct domain *site,
	bool hard, int64_t now_ms)
{
	struct span none = { 0 };
	uint64_t n = 0;

	switch (kind) {
	case CACHE_PURGE_URL:
	case CACHE_PURGE_PREFIX:
		n = purge_url(c, kind == CACHE_PURGE_PREFIX, what, site, hard ? PURGE_HARD : PURGE_SOFT);
		break;
	case CACHE_PURGE_TAG:
		n = purge_point(c, point_get(c, 't', site ? site->name : none, what), hard, now_ms);
		break;
	case CACHE_PURGE_DOMAIN:
		n = purge_point(c, point_get(c, 's', what, none), hard, now_ms);
		break;
	case CACHE_PURGE_ALL:
		n = purge_point(c, point_get(c, 'a', none, none), hard, now_ms);
		break;
	}
	c->purged += n;
	return n;
}

void cache_site_numbers(struct cache *c, struct span domain, struct cache_numbers *ret)
{
	struct purge_point *p = point_get(c, 's', domain, (struct span){ 0 });

	pthread_mutex_lock(&c->points_lock);
	*ret = (struct cache_numbers){ .objects = p->live, .bytes = p->bytes };
	point_let_go(c, p);
	pthread_mutex_unlock(&c->points_lock);
}

/* ---- invalidation (RFC 9111 4.4) ---- */

/* value as a URL of the key's host; "/path" is relative to it. False: another host, or nothing. */
static bool same_host(const struct cache_key *key, struct span value, struct arena *a, struct span *ret)
{
	struct span scheme, host, rest = key->text;
	struct url url;

	span_cut(&rest, '\0', &scheme);
	span_cut(&rest, '\0', &host);
	if (value.n == 0)
		return false;
	if (url_split(value, &url)) {
		*ret = value;
		return span_eq(host_of_key(url.host, url.https, a), host);
	}
	if (value.p[0] != '/')
		return false;
	*ret = arena_spanf(a, "//%.*s%.*s", SPAN_ARG(host), SPAN_ARG(value));
	return true;
}

void cache_invalidate(struct cache *c, const struct cache_key *key, const struct http_resp *resp)
{
	enum http_field_id ids[] = { HTTP_LOCATION, HTTP_CONTENT_LOCATION };
	struct arena a;

	purge_key(c, key, PURGE_INVALID);
	arena_init(&a, 512);
	for (unsigned i = 0; i < 2; i++) {
		struct span url;

		if (same_host(key, http_fields_value(&resp->fields, ids[i]), &a, &url))
			purge_url(c, false, url, key->site, PURGE_INVALID);
	}
	arena_done(&a);
}
