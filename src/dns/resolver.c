/*
 * The resolver's state: of the process (upstreams, answers) and of each thread (its questions,
 * sockets, lanes).
 *
 * Upstreams are known by address for as long as the process lives, so that a reload keeps what is
 * known of their health. The set in use is replaced as a whole and posted to each loop.
 */
#include "dns/resolver_priv.h"

#define ANSWERS_BYTES_MAX ((size_t)32 << 20)

_Thread_local struct dns_client *dns_client;

struct dns_client *client_of(struct dns_resolver *r)
{
	must(dns_client && dns_client->resolver == r);
	return dns_client;
}

/* ---- upstreams ---- */

struct upstream_set *set_current(struct dns_resolver *r)
{
	struct upstream_set *set;

	pthread_mutex_lock(&r->lock);
	set = r->set;
	atomic_fetch_add(&set->refs, 1);
	pthread_mutex_unlock(&r->lock);
	return set;
}

struct upstream_set *set_unref(struct upstream_set *set)
{
	if (set && atomic_fetch_sub(&set->refs, 1) == 1)
		mem_free(set);
	return NULL;
}

/* Lock held. */
static struct upstream *upstream_get(struct dns_resolver *r, const struct net_addr *addr)
{
	struct upstream *u;

	list_each (it, &r->known) {
		u = container_of(it, struct upstream, link);
		if (net_addr_eq(&u->addr, addr))
			return u;
	}
	u = upstream_new(addr, r->known_n++);
	list_push_back(&r->known, &u->link);
	return u;
}

static struct lane *lane_get(struct dns_client *c, struct upstream *u)
{
	struct lane *lane;

	for (unsigned i = 0; i < c->lanes_n; i++)
		if (c->lanes[i]->upstream == u)
			return c->lanes[i];
	lane = mem_new(struct lane);
	lane->upstream = u;
	lane->client = c;
	list_init(&lane->ports);
	list_init(&lane->probes);
	c->lanes = mem_resize(c->lanes, c->lanes_n + 1u, sizeof(struct lane *));
	c->lanes[c->lanes_n++] = lane;
	return lane;
}

static void take_set(struct dns_client *c)
{
	set_unref(c->set);
	c->set = set_current(c->resolver);
	for (unsigned i = 0; i < c->set->n; i++)
		c->lane[i] = lane_get(c, c->set->v[i]);
}

static void on_new_set(void *arg)
{
	struct dns_client *c = arg;

	if (c->stopping)
		return;
	take_set(c);
	questions_restart(c);
	if (c->index == 0)
		probe_start(c);
}

/* ---- one is back ---- */

static void on_came_back(void *arg)
{
	struct dns_client *c = arg;

	for (unsigned i = 0; i < c->set->n && !c->stopping; i++) {
		uint64_t sent_ms = atomic_load(&c->set->v[i]->back_sent_ms);

		if (sent_ms != c->lane[i]->back_sent_ms)
			questions_ask_again(c, i, sent_ms);
		c->lane[i]->back_sent_ms = sent_ms;
	}
}

/* Lock held. On each thread that runs. */
static void post_to_all(struct dns_resolver *r, void (*fn)(void *client))
{
	for (unsigned i = 0; i < r->threads_n; i++)
		if (r->clients[i].loop)
			loop_post(r->clients[i].loop, fn, &r->clients[i]);
}

void upstream_came_back(struct dns_resolver *r, struct upstream *u, uint64_t sent_ms)
{
	atomic_store(&u->back_sent_ms, sent_ms);
	answers_forgive(r->answers);
	pthread_mutex_lock(&r->lock);
	post_to_all(r, on_came_back);
	pthread_mutex_unlock(&r->lock);
}

/* ---- the set ---- */

void set_upstreams(struct dns_resolver *r, const struct net_addr *v, unsigned n, bool probed)
{
	struct upstream_set *set = mem_new(struct upstream_set), *old;

	must(n <= DNS_UPSTREAMS_MAX);
	set->refs = 1;
	set->probed = probed;
	pthread_mutex_lock(&r->lock);
	for (set->n = 0; set->n < n; set->n++)
		set->v[set->n] = upstream_get(r, &v[set->n]);
	old = r->set;
	r->set = set;
	post_to_all(r, on_new_set);
	pthread_mutex_unlock(&r->lock);
	/* What others were silent about may be known to these. */
	answers_forgive(r->answers);
	set_unref(old);
}

bool set_is(const struct upstream_set *set, const struct net_addr *v, unsigned n)
{
	bool same = set->n == n;

	for (unsigned i = 0; same && i < n; i++)
		same = net_addr_eq(&set->v[i]->addr, &v[i]);
	return same;
}

void dns_resolver_use(struct dns_resolver *r, const struct net_addr *upstreams, unsigned n)
{
	struct upstream_set *set = set_current(r);

	/* A reload that changes something else leaves the questions alone. */
	if (set->probed != (n > 0) || (n > 0 && !set_is(set, upstreams, n)))
		set_upstreams(r, upstreams, n, n > 0);
	set_unref(set);
}

bool dns_resolver_is_set(struct dns_resolver *r)
{
	struct upstream_set *set = set_current(r);
	bool probed = set->probed;

	set_unref(set);
	return probed;
}

/* ---- threads ---- */

void dns_resolver_thread_start(struct dns_resolver *r, unsigned thread)
{
	struct dns_client *c = &r->clients[thread];

	must(thread < r->threads_n && !c->loop);
	c->resolver = r;
	c->index = thread;
	list_init(&c->questions);
	list_init(&c->late);
	list_init(&c->streams_waiting);
	for (unsigned i = 0; i < QUESTION_BUCKETS; i++)
		list_init(&c->buckets[i]);
	for (unsigned i = 0; i < TRY_BUCKETS; i++)
		list_init(&c->tries[i]);
	dns_client = c;
	pthread_mutex_lock(&r->lock);
	c->loop = loop_self();
	pthread_mutex_unlock(&r->lock);
	on_new_set(c);
}

/* Tasks that are still to be cancelled may ask: they get failures. */
void dns_resolver_thread_stop(struct dns_resolver *r, unsigned thread)
{
	struct dns_client *c = &r->clients[thread];

	must(c->loop == loop_self());
	c->stopping = true;
	if (thread == 0)
		probe_stop(c);
	questions_end(c);
	for (unsigned i = 0; i < c->lanes_n; i++) {
		must(list_empty(&c->lanes[i]->ports));
		mem_free(c->lanes[i]);
	}
	c->lanes = mem_free(c->lanes);
	c->lanes_n = 0;
	pthread_mutex_lock(&r->lock);
	c->loop = NULL;
	pthread_mutex_unlock(&r->lock);
}

struct dns_resolver *dns_resolver_new(unsigned threads)
{
	struct dns_resolver *r = mem_new(struct dns_resolver);

	r->threads_n = threads;
	r->clients = mem_zalloc(threads, sizeof(*r->clients));
	r->answers = answers_new(ANSWERS_BYTES_MAX);
	r->files = system_files_new();
	pthread_mutex_init(&r->lock, NULL);
	list_init(&r->known);
	set_upstreams(r, NULL, 0, false);
	return r;
}

struct dns_resolver *dns_resolver_free(struct dns_resolver *r)
{
	struct list *link;

	if (!r)
		return NULL;
	for (unsigned i = 0; i < r->threads_n; i++) {
		must(!r->clients[i].loop);
		set_unref(r->clients[i].set);
		if (dns_client == &r->clients[i])
			dns_client = NULL;
	}
	set_unref(r->set);
	while ((link = list_pop(&r->known)))
		upstream_free(container_of(link, struct upstream, link));
	answers_free(r->answers);
	system_files_free(r->files);
	pthread_mutex_destroy(&r->lock);
	mem_free(r->clients);
	return mem_free(r);
}

unsigned dns_resolver_busy(const struct dns_resolver *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->threads_n; i++)
		n += atomic_load_explicit(&r->clients[i].questions_n, memory_order_relaxed);
	return n;
}
