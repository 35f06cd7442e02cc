/* The table of all origins, and what it says of itself. */
#include <stdio.h>
#include "base/clock.h"
#include "base/jsonw.h"
#include "origin/origin_priv.h"

struct origins *origins_new(unsigned threads)
{
	struct origins *o = mem_new(struct origins);

	o->threads = threads;
	pthread_mutex_init(&o->lock, NULL);
	map_init(&o->by_text);
	return o;
}

struct origins *origins_free(struct origins *o)
{
	size_t at = 0;
	struct span text;
	void *value;

	if (!o)
		return NULL;
	while (map_next(&o->by_text, &at, &text, &value)) {
		struct origin *origin = value;

		pthread_mutex_destroy(&origin->lock);
		mem_free(origin->kept);
		mem_free(origin->addrs);
		mem_free(origin->why);
		mem_free(origin->host);
		mem_free(origin->text);
		mem_free(origin);
	}
	map_done(&o->by_text);
	pthread_mutex_destroy(&o->lock);
	return mem_free(o);
}

void origins_thread_start(struct origins *o, unsigned thread)
{
	must(thread < o->threads);
	origin_thread = thread;
}

void origins_thread_stop(struct origins *o, unsigned thread)
{
	size_t at = 0;
	struct span text;
	void *value;

	if (thread == 0)
		origins_unwatch(o);
	pthread_mutex_lock(&o->lock);
	while (map_next(&o->by_text, &at, &text, &value))
		origin_close_kept(value, thread);
	pthread_mutex_unlock(&o->lock);
}

static struct origin *origin_new(struct origins *owner, struct span text, const struct origin_spec *spec)
{
	struct origin *o = mem_new(struct origin);

	o->owner = owner;
	o->text = span_text(text);
	o->host = span_text(spec->host);
	o->port = spec->port;
	o->tls = spec->tls;
	pthread_mutex_init(&o->lock, NULL);
	o->kept = mem_zalloc(owner->threads, sizeof(*o->kept));
	for (unsigned i = 0; i < owner->threads; i++)
		kept_list_init(&o->kept[i]);
	return o;
}

struct origin *origin_get(struct origins *o, const struct origin_spec *spec)
{
	bool v6 = span_index(spec->host, ':') >= 0;
	char text[300];
	struct origin *origin;
	int n = snprintf(text, sizeof(text), "%s://%s%.*s%s:%u", spec->tls ? "https" : "http", v6 ? "[" : "",
		SPAN_ARG(spec->host), v6 ? "]" : "", spec->port);
	struct span key = { text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };

	pthread_mutex_lock(&o->lock);
	origin = map_find(&o->by_text, key);
	if (!origin) {
		origin = origin_new(o, key, spec);
		map_put(&o->by_text, span_of(origin->text), origin);
	}
	pthread_mutex_unlock(&o->lock);
	return origin;
}

static bool is_at(struct origin *o, const struct net_addr *a)
{
	struct net_addr written;
	bool found = net_addr_parse(span_of(o->host), o->port, &written) == 0 && net_addr_eq_host(&written, a);

	pthread_mutex_lock(&o->lock);
	for (unsigned i = 0; i < o->addrs_n; i++)
		found = found || net_addr_eq_host(&o->addrs[i], a);
	pthread_mutex_unlock(&o->lock);
	return found;
}

bool origin_has_address(struct origins *o, const struct domain *site, const struct net_addr *a)
{
	for (unsigned i = 0; i < site->origin_n; i++)
		if (is_at(origin_get(o, &site->origin[i]), a))
			return true;
	return false;
}

/* ---- what they say of themselves ---- */

/* The domains that have an origin: some by name, the others by number. */
#define USERS_NAMED 5
struct users {
	struct span named[USERS_NAMED];
	unsigned n;
};

static void users_json(const struct users *u, struct jsonw *j)
{
	jsonw_array(j, "domains");
	for (unsigned i = 0; i < u->n && i < USERS_NAMED; i++)
		jsonw_span(j, NULL, u->named[i]);
	jsonw_end(j);
	jsonw_uint(j, "domains_count", u->n);
}

/* Of each origin that a domain of the snapshot has; by origin. */
static void users_find(struct origins *o, struct arena *a, struct map *ret)
{
	for (unsigned i = 0; i < snapshot_count(o->watched); i++) {
		const struct domain *d = snapshot_at(o->watched, i);

		for (unsigned k = 0; k < d->origin_n; k++) {
			struct span key = span_of(origin_get(o, &d->origin[k])->text);
			struct users *u = map_find(ret, key);

			if (!u) {
				u = arena_new(a, struct users);
				map_put(ret, key, u);
			}
			if (u->n < USERS_NAMED)
				u->named[u->n] = d->name;
			u->n++;
		}
	}
}

static void origin_json(struct origin *o, const struct users *users, struct jsonw *j)
{
	uint64_t now = clock_mono_ms();
	char since[CLOCK_RFC3339_SIZE];

	pthread_mutex_lock(&o->lock);
	jsonw_object(j, NULL);
	jsonw_text(j, "origin", o->text);
	jsonw_text(j, "state", o->down_until_ms == 0 ? "up" : o->down_until_ms > now ? "down" : "retrying");
	if (o->changed_at) {
		clock_rfc3339(o->changed_at, since);
		jsonw_text(j, "since", since);
	}
	users_json(users, j);
	jsonw_uint(j, "failures_in_a_row", o->fails);
	if (o->fails) {
		jsonw_text(j, "code", fault_code_text(o->why->code));
		jsonw_span(j, "error", fault_value(o->why, "error"));
		fault_json(j, "fault", o->why);
	}
	jsonw_end(j);
	pthread_mutex_unlock(&o->lock);
}

void origins_json(struct origins *o, struct jsonw *j)
{
	struct arena a;
	struct map users;
	struct span text;
	size_t at = 0;
	void *value;

	arena_init(&a, 4096);
	map_init(&users);
	if (o->watched)
		users_find(o, &a, &users);
	jsonw_array(j, "origins");
	/* One that no domain has any more is nobody's trouble. */
	while (map_next(&users, &at, &text, &value)) {
		struct origin *origin;

		pthread_mutex_lock(&o->lock);
		origin = map_find(&o->by_text, text);
		pthread_mutex_unlock(&o->lock);
		origin_json(origin, value, j);
	}
	jsonw_end(j);
	map_done(&users);
	arena_done(&a);
}
