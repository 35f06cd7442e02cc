/*
 * Names of ours of whose origins some are host names.
 *
 * A gathering holds a question while the addresses for it come together: those that the map has, at
 * once, of origins that are names of ours, too (their origins' addresses); then those of each host
 * that has to be looked up. A look-up is a task, for /etc/hosts is a file; it asks for the family
 * that was asked for, and it is one for all gatherings that want this host meanwhile. When the last
 * has come, the answer leaves with what there is: for as long as the shortest-lived of it holds, 30
 * s at most, and only for a moment if one of the hosts could not be looked up. With nothing at all
 * it is SERVFAIL then.
 */
#include <errno.h>
#include "names/names_priv.h"

#define LOOK_UPS_MAX 256 /* hosts that are looked up at once, per thread */
#define DEPTH_MAX    8   /* origins that are names of ours, whose origins are names of ours… */
#define NAMES_MAX    64  /* of these for one question */
#define PARTIAL_TTL  5

/* All who want one host's addresses of one family. */
struct look_up {
	struct list link; /* in thread->look_ups */
	struct names_thread *thread;
	uint16_t type;
	struct list wanted; /* struct want */
	struct dns_name host;
};
struct gathering;
struct want {
	struct list link;
	struct gathering *gathering;
};
struct gathering {
	struct names_waiting *waiting;
	struct zone *zone; /* of which apex is */
	const struct dns_name *apex;
	uint16_t type;
	unsigned names_n; /* of ours that were looked at */
	unsigned open_n;  /* look-ups that have not ended */
	int failed;       /* 0, or what the last that failed said */
	unsigned wants_n;
	struct want wants[NAMES_HOSTS_MAX];
	struct names_addresses all;
};

/* ---- addresses ---- */

static unsigned size_of(const struct gathering *g)
{
	return g->type == DNS_TYPE_A ? 4 : 16;
}

/* Two hosts may be one machine. */
static void add_address(struct gathering *g, const void *p)
{
	unsigned size = size_of(g);

	for (unsigned i = 0; i < g->all.n; i++)
		if (memcmp(g->all.p + size * (size_t)i, p, size) == 0)
			return;
	if (g->all.n < NAMES_ADDRS_MAX)
		memcpy(g->all.p + size * (size_t)g->all.n++, p, size);
}

static void add_found(struct gathering *g, const struct zone_found *f)
{
	const uint8_t *p = g->type == DNS_TYPE_A ? f->v4 : f->v6;
	unsigned n = g->type == DNS_TYPE_A ? f->v4_n : f->v6_n;

	for (unsigned i = 0; i < n; i++)
		add_address(g, p + size_of(g) * (size_t)i);
}

static void add_host(struct gathering *g, const struct dns_host *host)
{
	for (unsigned i = 0; i < host->n; i++) {
		const struct net_addr *a = &host->v[i];

		add_address(g, g->type == DNS_TYPE_A ? (const void *)&a->in.sin_addr : &a->in6.sin6_addr);
	}
	if (host->ttl_s < g->all.ttl_s)
		g->all.ttl_s = host->ttl_s;
	g->all.stale |= host->stale;
}

/* ---- the end ---- */

static void gathering_free(struct gathering *g)
{
	zone_unref(g->zone);
	mem_free(g);
}

static size_t write_gathered(const struct gathering *g, struct names_thread *t, const struct dns_query *q, uint8_t *out,
	size_t max)
{
	struct names_addresses all = g->all;

	if (g->failed < 0 && all.n == 0)
		return names_write_failure(q, DNS_EDE_NO_REACHABLE, out, max);
	if (g->failed < 0 && all.ttl_s > PARTIAL_TTL)
		all.ttl_s = PARTIAL_TTL;
	stat_add(all.stale ? STAT_NAMES_STALE : STAT_NAMES_LOCAL, 1);
	return names_answer_addresses(t, q, g->apex, &all, out, max);
}

static void answer_gathered(struct gathering *g)
{
	struct names_waiting *w = g->waiting;
	uint8_t out[DNS_UDP_MAX];
	struct dns_query q;
	size_t max;

	names_waiting_query(w, &q);
	max = w->listener ? dns_udp_limit(&q) : sizeof(out);
	names_waiting_end(w, out, write_gathered(g, w->thread, &q, out, max));
	gathering_free(g);
}

/* ---- look-ups ---- */

static void tell(struct want *want, const struct dns_host *host, int found)
{
	struct gathering *g = want->gathering;

	if (found > 0)
		add_host(g, host);
	else if (found != -ENOENT)
		g->failed = found;
	if (--g->open_n == 0)
		answer_gathered(g);
}

static void look_up(void *arg)
{
	struct look_up *l = arg;
	char text[DNS_NAME_TEXT_SIZE];
	struct span name = span_make(text, dns_name_text(&l->host, text));
	struct dns_host host;
	int found = dns_resolve_host(name, l->type == DNS_TYPE_A ? DNS_V4 : DNS_V6, deadline_in(DNS_ANSWER_MS), &host);
	struct list *link;

	list_remove(&l->link);
	l->thread->look_ups_n--;
	while ((link = list_pop(&l->wanted)))
		tell(container_of(link, struct want, link), &host, found);
	mem_free(l);
}

/* NULL: there are too many. */
static struct look_up *look_up_get(struct names_thread *t, const struct dns_name *host, uint16_t type)
{
	struct look_up *l;

	list_each (it, &t->look_ups) {
		l = container_of(it, struct look_up, link);
		if (l->type == type && dns_name_eq(&l->host, host))
			return l;
	}
	if (t->look_ups_n >= LOOK_UPS_MAX)
		return NULL;
	l = mem_new(struct look_up);
	l->thread = t;
	l->type = type;
	memcpy(&l->host, host, offsetof(struct dns_name, p) + host->n);
	list_init(&l->wanted);
	if (!task_spawn("names-host", look_up, l))
		return mem_free(l);
	list_push_back(&t->look_ups, &l->link);
	t->look_ups_n++;
	return l;
}

/* ---- the beginning ---- */

static void want_host(struct gathering *g, struct names_thread *t, const struct dns_name *host)
{
	struct look_up *l = g->wants_n < NAMES_HOSTS_MAX ? look_up_get(t, host, g->type) : NULL;
	struct want *want;

	if (!l) {
		g->failed = -EAGAIN;
		return;
	}
	want = &g->wants[g->wants_n++];
	want->gathering = g;
	list_push_back(&l->wanted, &want->link);
	g->open_n++;
}

/* What the map has, and whom to ask for the rest. asked: the question's own name; an origin that is
 * called like its site is somewhere else. */
static void gather(struct gathering *g, struct names_thread *t, const struct dns_name *asked,
	const struct zone_found *f, unsigned depth)
{
	const struct dns_name *host = f->hosts;
	struct zone_found other;
	struct dns_name name;

	g->names_n++;
	add_found(g, f);
	for (unsigned i = 0; i < f->hosts_n; i++, host = zone_next_host(host)) {
		memcpy(&name, host, offsetof(struct dns_name, p) + host->n);
		if (depth < DEPTH_MAX && g->names_n < NAMES_MAX && !dns_name_eq(&name, asked) &&
			zone_find(g->zone, &name, &other))
			gather(g, t, asked, &other, depth + 1);
		else
			want_host(g, t, &name);
	}
}

size_t names_answer_hosts(struct names_thread *t, const struct dns_query *q, const struct zone_found *found,
	const struct names_from *from, uint8_t *out, size_t max)
{
	struct gathering *g = mem_new(struct gathering);
	size_t n = 0;

	g->zone = zone_ref(t->state->zone);
	g->apex = found->apex;
	g->type = q->q.type;
	g->all.ttl_s = NAMES_TTL;
	gather(g, t, &q->q.name, found, 0);
	if (g->open_n > 0)
		g->waiting = names_waiting_new(t, q, from);
	if (g->waiting)
		return 0;
	/* A look-up that nobody waits for any more goes on and fills the cache. */
	for (unsigned i = 0; i < g->wants_n; i++)
		list_remove(&g->wants[i].link);
	n = g->open_n > 0 ? names_write_overload(q, out, max) : write_gathered(g, t, q, out, max);
	gathering_free(g);
	return n;
}
