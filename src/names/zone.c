/*
 * The map of names, so that a question is answered without a look at text: an image of them
 * (image.c) and an index.
 *
 * The index is two open-addressed tables, at most half full: a slot has a part of a name's hash and
 * where its entry stands in the image. One look-up is one line of memory for the slot and one or
 * two for the entry. Wildcards stand in a table of their own, and are asked with the question's
 * parent: a wildcard stands for exactly one label, as at the web edge.
 *
 * An image comes from another process, which may have been of another version or out of its mind:
 * it is checked from end to end before it is believed. Its hashes are nobody's but ours, for their
 * key differs from process to process.
 */
#include <errno.h>
#include "names/names_priv.h"

#define COUNTS_SIZE 12 /* serial, names, wildcards */
#define ENTRY_NAME  5  /* where in an entry its name stands */
#define ENTRY_MIN   (ENTRY_NAME + 2)
#define FLAGS       (ZONE_WILDCARD | ZONE_YIELDS | ZONE_ELSEWHERE)

struct slot {
	uint32_t hash; /* its upper half */
	uint32_t at;   /* 0: free */
};
struct table {
	struct slot *slots;
	size_t room; /* a power of two */
	unsigned n, left;
};
struct zone {
	atomic_uint refs;
	uint8_t *p;
	size_t n;
	struct table exact, wild;
	uint32_t serial;
};

static const struct dns_name *name_at(const uint8_t *p)
{
	return (const struct dns_name *)p;
}

/* Of an entry's domain. */
static size_t place_at(const void *entry)
{
	uint32_t place;

	memcpy(&place, entry, sizeof(place));
	return place;
}

static size_t size_of(const struct dns_name *name)
{
	return offsetof(struct dns_name, p) + name->n;
}

/* ---- the index ---- */

static uint64_t hash_of(const struct dns_name *name)
{
	return span_hash(span_make(name->p, name->n), 0);
}

static struct slot *probe(const struct zone *z, const struct table *t, const struct dns_name *name, uint64_t hash)
{
	for (size_t i = hash & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
		struct slot *s = &t->slots[i];
		const struct dns_name *its = name_at(z->p + s->at + ENTRY_NAME);

		if (s->at == 0 || (s->hash == hash >> 32 && its->n == name->n && memcmp(its->p, name->p, name->n) == 0))
			return s;
	}
}

static void table_init(struct table *t, uint32_t n)
{
	*t = (struct table){ .room = 2, .left = n };
	while (t->room < 2 * (size_t)n)
		t->room *= 2;
	t->slots = mem_zalloc(t->room, sizeof(*t->slots));
}

static void put(struct zone *z, size_t at, unsigned flags, const struct dns_name *name)
{
	struct table *t = flags & ZONE_WILDCARD ? &z->wild : &z->exact;
	uint64_t hash = hash_of(name);
	struct slot *slot = probe(z, t, name, hash);

	if (slot->at != 0 && flags & ZONE_YIELDS)
		return;
	t->n += slot->at == 0;
	*slot = (struct slot){ (uint32_t)(hash >> 32), (uint32_t)at };
}

/* ---- reading an image ---- */

/* Labels that end where the name ends. */
static bool is_name(const struct dns_name *name)
{
	unsigned at = 0;

	while (at < name->n && name->p[at] != 0) {
		if (name->p[at] > DNS_LABEL_MAX)
			return false;
		at += 1u + name->p[at];
	}
	return at + 1 == name->n;
}

static const struct dns_name *read_name(struct dns_reader *r)
{
	size_t at = r->at;
	uint8_t n = dns_read_u8(r);

	dns_read_bytes(r, n);
	r->error = r->error || n == 0 || !is_name(name_at(r->p + at));
	return name_at(r->p + at);
}

static void read_entry(struct zone *z, struct dns_reader *r, size_t domain_at)
{
	size_t at = r->at;
	struct span place = dns_read_bytes(r, sizeof(uint32_t));
	unsigned flags = dns_read_u8(r);
	const struct dns_name *name = read_name(r);
	struct table *t = flags & ZONE_WILDCARD ? &z->wild : &z->exact;

	r->error = r->error || place_at(place.p) != domain_at || flags & ~FLAGS || t->left == 0;
	if (r->error)
		return;
	t->left--;
	put(z, at, flags, name);
}

static void read_domain(struct zone *z, struct dns_reader *r)
{
	size_t at = r->at;
	unsigned v4_n = dns_read_u8(r), v6_n = dns_read_u8(r), hosts_n = dns_read_u8(r);

	dns_read_bytes(r, 4 * v4_n + 16 * v6_n);
	r->error = r->error || v4_n > NAMES_ADDRS_MAX || v6_n > NAMES_ADDRS_MAX || hosts_n > NAMES_HOSTS_MAX;
	for (unsigned i = 0; i <= hosts_n && !r->error; i++)
		read_name(r); /* the hosts, and the apex */
	for (unsigned n = dns_read_u16(r); n > 0 && !r->error; n--)
		read_entry(z, r, at);
}

static bool read_all(struct zone *z)
{
	struct dns_reader r;
	uint32_t exact_n, wild_n;

	dns_reader_init(&r, span_make(z->p, z->n));
	dns_read_bytes(&r, sizeof(ZONE_MAGIC) - 1);
	z->serial = dns_read_u32(&r);
	exact_n = dns_read_u32(&r);
	wild_n = dns_read_u32(&r);
	if ((uint64_t)exact_n + wild_n > z->n / ENTRY_MIN)
		return false;
	table_init(&z->exact, exact_n);
	table_init(&z->wild, wild_n);
	while (!r.error && r.at < r.n)
		read_domain(z, &r);
	return !r.error && z->exact.left == 0 && z->wild.left == 0;
}

static bool has_head(struct span image)
{
	return span_starts(image, SPAN(ZONE_MAGIC)) && image.n >= sizeof(ZONE_MAGIC) - 1 + COUNTS_SIZE &&
		image.n <= UINT32_MAX;
}

int zone_new(struct buf *image, struct zone **ret)
{
	struct zone *z;

	if (!has_head(buf_span(image)))
		return -EINVAL;
	z = mem_new(struct zone);
	atomic_init(&z->refs, 1);
	z->n = image->n;
	z->p = mem_resize(buf_take(image), z->n, 1);
	*ret = read_all(z) ? z : zone_unref(z);
	return *ret ? 0 : -EINVAL;
}

struct zone *zone_of(const struct snapshot *s)
{
	/* A slot cannot point further; and memory ends sooner. */
	struct buf image = BUF_INIT(UINT32_MAX);
	struct zone *z;

	zone_image(s, &image);
	must(!buf_error(&image) && zone_new(&image, &z) == 0);
	return z;
}

struct zone *zone_ref(struct zone *z)
{
	if (z)
		atomic_fetch_add_explicit(&z->refs, 1, memory_order_relaxed);
	return z;
}

struct zone *zone_unref(struct zone *z)
{
	if (!z || atomic_fetch_sub_explicit(&z->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	mem_free(z->exact.slots);
	mem_free(z->wild.slots);
	mem_free(z->p);
	return mem_free(z);
}

/* ---- look-ups ---- */

const struct dns_name *zone_next_host(const struct dns_name *host)
{
	return name_at((const uint8_t *)host + size_of(host));
}

static bool describe(const struct zone *z, size_t at, struct zone_found *ret)
{
	const uint8_t *entry = z->p + at, *p;
	const struct dns_name *apex;

	if (at == 0)
		return false;
	p = z->p + place_at(entry);
	ret->v4_n = p[0];
	ret->v6_n = p[1];
	ret->hosts_n = p[2];
	ret->v4 = p + 3;
	ret->v6 = ret->v4 + 4 * (size_t)ret->v4_n;
	ret->hosts = name_at(ret->v6 + 16 * (size_t)ret->v6_n);
	apex = ret->hosts;
	for (unsigned i = 0; i < ret->hosts_n; i++)
		apex = zone_next_host(apex);
	ret->apex = entry[4] & ZONE_ELSEWHERE ? name_at(entry + ENTRY_NAME) : apex;
	return true;
}

bool zone_find(const struct zone *z, const struct dns_name *name, struct zone_found *ret)
{
	size_t at = probe(z, &z->exact, name, hash_of(name))->at;
	struct dns_name parent;

	if (at == 0 && z->wild.n > 0 && name->n > 1) {
		parent = *name;
		dns_name_up(&parent);
		at = probe(z, &z->wild, &parent, hash_of(&parent))->at;
	}
	return describe(z, at, ret);
}

uint32_t zone_serial(const struct zone *z)
{
	return z->serial;
}

unsigned zone_count(const struct zone *z)
{
	return z->exact.n + z->wild.n;
}

struct span zone_bytes(const struct zone *z)
{
	return span_make(z->p, z->n);
}
