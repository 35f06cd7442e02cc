/*
 * What a purge that hit nothing may have meant: the URL, tag or domain in the cache that shares the
 * longest beginning with what was named, of several the shortest.
 */
#include "cache/cache_priv.h"

struct nearest {
	struct span wanted;
	size_t shared;   /* of the best so far */
	struct buf best; /* empty: none */
};

static size_t shared_beginning(struct span a, struct span b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && ascii_lower(a.p[n]) == ascii_lower(b.p[n]))
		n++;
	return n;
}

static void nearest_offer(struct nearest *near, struct span one)
{
	size_t shared = shared_beginning(one, near->wanted);

	if (near->best.n > 0 && (shared < near->shared || (shared == near->shared && one.n >= near->best.n)))
		return;
	near->shared = shared;
	near->best.n = 0;
	buf_add_span(&near->best, one);
}

/* A key's text as a URL: "https://host/target". */
static struct span url_of(struct span text, struct arena *a)
{
	struct span scheme, host, rest = text;

	span_cut(&rest, '\0', &scheme);
	span_cut(&rest, '\0', &host);
	return arena_spanf(a, "%.*s://%.*s%.*s", SPAN_ARG(scheme), SPAN_ARG(host), SPAN_ARG(rest));
}

static void offer_entries(struct cache *c, struct nearest *near)
{
	bool with_scheme = !span_starts(near->wanted, SPAN("//"));
	struct arena a;

	arena_init(&a, 4096);
	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		for (size_t b = 0; b < s->buckets_n; b++)
			for (struct cache_entry *e = s->buckets[b]; e; e = e->next) {
				struct span url;

				if (list_empty(&e->variants))
					continue;
				arena_reset(&a);
				url = url_of(e->text, &a);
				nearest_offer(near, with_scheme ? url : span_from(url, (size_t)span_index(url, '/')));
			}
		pthread_mutex_unlock(&s->lock);
	}
	arena_done(&a);
}

/* Points of that kind that have objects; of tags those of the site, or those of all sites. */
static void offer_points(struct cache *c, char kind, struct span site, struct nearest *near)
{
	size_t at = 0;
	struct span text;
	void *value;

	pthread_mutex_lock(&c->points_lock);
	while (map_next(&c->points, &at, &text, &value)) {
		const struct purge_point *p = value;
		struct span tag = span_from(text, 1), of;

		if (text.p[0] != kind || p->live == 0)
			continue;
		span_cut(&tag, '\0', &of);
		if (kind == 's')
			nearest_offer(near, of);
		else if (span_eq(of, site))
			nearest_offer(near, tag);
	}
	pthread_mutex_unlock(&c->points_lock);
}

void cache_nearest(struct cache *c, enum cache_purge_kind kind, struct span what, const struct domain *site,
	struct buf *ret)
{
	struct nearest near = { .wanted = what, .best = BUF_INIT(HTTP_HEAD_MAX) };

	switch (kind) {
	case CACHE_PURGE_URL:
	case CACHE_PURGE_PREFIX:
		offer_entries(c, &near);
		break;
	case CACHE_PURGE_TAG:
		offer_points(c, 't', site ? site->name : SPAN(""), &near);
		break;
	case CACHE_PURGE_DOMAIN:
		offer_points(c, 's', SPAN(""), &near);
		break;
	case CACHE_PURGE_ALL:
		break;
	}
	buf_add_span(ret, buf_span(&near.best));
	buf_done(&near.best);
}
