/*
 * The map of names: from the snapshot, in wire form, so that a question is answered without a look at text.
 *
 * An open-addressed table of pointers to entries, at most half full, hash beside pointer: one look-up is one line of
 * memory for the slot and one for the entry. Wildcards stand in a table of their own under what follows their star,
 * and are asked with the question's parent: a wildcard stands for exactly one label, as at the web edge.
 *
 * A name that is written down for two domains (one's name is the other's web name) belongs to the web name.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "names/names_priv.h"

#define ADDRS_MAX 24 /* of a family: 24 AAAA records fit into 1232 bytes */

struct slot {
	uint64_t hash;
	const struct zone_entry *entry;
};
struct table {
	struct slot *slots;
	size_t room; /* a power of two */
	unsigned n;
};
struct zone {
	atomic_uint refs;
	struct arena arena;
	struct table exact, wild;
	uint32_t serial;
};

static uint64_t hash_of(const struct dns_name *name)
{
	return span_hash(span_make(name->p, name->n), 0);
}

static struct slot *probe(const struct table *t, const struct dns_name *name, uint64_t hash)
{
	for (size_t i = hash & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
		struct slot *s = &t->slots[i];

		if (!s->entry ||
			(s->hash == hash && s->entry->name.n == name->n &&
				memcmp(s->entry->name.p, name->p, name->n) == 0))
			return s;
	}
}

static void table_init(struct table *t, size_t n)
{
	*t = (struct table){ .room = 16 };
	while (t->room < 2 * n)
		t->room *= 2;
	t->slots = mem_zalloc(t->room, sizeof(*t->slots));
}

/* ---- making ---- */

#define NAME_BYTES(name) (offsetof(struct dns_name, p) + (name)->n)

static int parse_lower(struct span text, struct dns_name *ret)
{
	int r = dns_name_parse(text, ret);

	if (r == 0)
		dns_name_lower(ret);
	return r;
}

static struct dns_name *keep_name(struct zone *z, const struct dns_name *name)
{
	return memcpy(arena_alloc(&z->arena, NAME_BYTES(name)), name, NAME_BYTES(name));
}

struct addresses {
	uint8_t v4[ADDRS_MAX * 4], v6[ADDRS_MAX * 16];
	unsigned v4_n, v6_n;
	struct span host;
};

static void take_origin(struct addresses *a, const struct origin_spec *o)
{
	struct net_addr addr;

	if (net_addr_parse_host(o->host, &addr) < 0) {
		if (a->host.n == 0)
			a->host = o->host;
	} else if (addr.sa.sa_family == AF_INET && a->v4_n < ADDRS_MAX) {
		memcpy(a->v4 + 4 * (size_t)a->v4_n++, &addr.in.sin_addr, 4);
	} else if (addr.sa.sa_family == AF_INET6 && a->v6_n < ADDRS_MAX) {
		memcpy(a->v6 + 16 * (size_t)a->v6_n++, &addr.in6.sin6_addr, 16);
	}
}

static bool is_known(const struct domain *d, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (d->origin[k].backup == d->origin[i].backup && span_eq(d->origin[k].host, d->origin[i].host))
			return true;
	return false;
}

/* Of the origins that are no backup; of the backups if there are no others. */
static void addresses_of(const struct domain *d, struct addresses *ret)
{
	bool only_backups = true;

	*ret = (struct addresses){ 0 };
	for (unsigned i = 0; i < d->origin_n; i++)
		only_backups &= d->origin[i].backup;
	for (unsigned i = 0; i < d->origin_n; i++)
		if (d->origin[i].backup == only_backups && !is_known(d, i))
			take_origin(ret, &d->origin[i]);
}

static void *keep_bytes(struct zone *z, const void *p, size_t n)
{
	return n > 0 ? memcpy(arena_alloc(&z->arena, n), p, n) : NULL;
}

static const struct zone_target *target_of(struct zone *z, const struct domain *d)
{
	struct zone_target *t = arena_new(&z->arena, struct zone_target);
	struct addresses a;
	struct dns_name host;

	addresses_of(d, &a);
	t->v4 = keep_bytes(z, a.v4, a.v4_n * 4u);
	t->v6 = keep_bytes(z, a.v6, a.v6_n * 16u);
	t->v4_n = (uint8_t)a.v4_n;
	t->v6_n = (uint8_t)a.v6_n;
	if (a.v4_n + a.v6_n == 0 && parse_lower(a.host, &host) == 0)
		t->host = keep_name(z, &host);
	return t;
}

static void put(struct zone *z, const struct zone_target *target, const struct dns_name *domain, struct span text,
	bool replace)
{
	struct table *t = &z->exact;
	struct zone_entry *e;
	struct slot *slot;
	struct dns_name name;
	uint64_t hash;

	if (span_starts(text, SPAN("*."))) {
		t = &z->wild;
		text = span_from(text, 2);
	}
	if (parse_lower(text, &name) < 0)
		return;
	hash = hash_of(&name);
	slot = probe(t, &name, hash);
	if (slot->entry && !replace)
		return;
	t->n += !slot->entry;
	e = arena_alloc(&z->arena, offsetof(struct zone_entry, name) + NAME_BYTES(&name));
	e->target = target;
	memcpy(&e->name, &name, NAME_BYTES(&name));
	e->apex = dns_name_under(&name, domain) ? domain : &e->name;
	*slot = (struct slot){ hash, e };
}

static void add(struct zone *z, const struct domain *d)
{
	const struct zone_target *target = target_of(z, d);
	struct dns_name name;
	const struct dns_name *domain;

	if (parse_lower(d->name, &name) < 0)
		return;
	domain = keep_name(z, &name);
	for (unsigned i = 0; i < d->web_n; i++)
		put(z, target, domain, d->web[i], true);
	put(z, target, domain, d->name, false);
}

struct zone *zone_new(const struct snapshot *s)
{
	struct zone *z = mem_new(struct zone);
	size_t n = 0;

	atomic_init(&z->refs, 1);
	arena_init(&z->arena, 65536);
	z->serial = (uint32_t)clock_wall_s();
	for (unsigned i = 0; i < snapshot_count(s); i++)
		n += 1 + snapshot_at(s, i)->web_n;
	table_init(&z->exact, n);
	table_init(&z->wild, n);
	for (unsigned i = 0; i < snapshot_count(s); i++)
		if (snapshot_at(s, i)->origin_n > 0)
			add(z, snapshot_at(s, i));
	return z;
}

struct zone *zone_ref(struct zone *z)
{
	atomic_fetch_add_explicit(&z->refs, 1, memory_order_relaxed);
	return z;
}

struct zone *zone_unref(struct zone *z)
{
	if (!z || atomic_fetch_sub_explicit(&z->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	mem_free(z->exact.slots);
	mem_free(z->wild.slots);
	arena_done(&z->arena);
	return mem_free(z);
}

/* ---- look-ups ---- */

const struct zone_entry *zone_find(const struct zone *z, const struct dns_name *name)
{
	const struct zone_entry *e = probe(&z->exact, name, hash_of(name))->entry;
	struct dns_name parent;

	if (e || z->wild.n == 0 || name->n == 1)
		return e;
	parent = *name;
	dns_name_up(&parent);
	return probe(&z->wild, &parent, hash_of(&parent))->entry;
}

uint32_t zone_serial(const struct zone *z)
{
	return z->serial;
}

unsigned zone_count(const struct zone *z)
{
	return z->exact.n + z->wild.n;
}
