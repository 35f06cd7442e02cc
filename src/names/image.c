/*
 * The names of a snapshot as bytes: what a zone is, and what a worker leaves to the one after it
 * (names_save()).
 *
 *   image   "torhaus names 2\n", serial (4), how many entries are names (4) and wildcards (4),
 *           domains to the end
 *   domain  how many IPv4 addresses (1), IPv6 addresses (1) and hosts (1), these, apex, how many
 *           entries (2), entries
 *   entry   where its domain begins (4), flags (1), name
 *
 * Numbers as everywhere in DNS, but a place as this machine has it; names as a struct dns_name in
 * lower case: its length (1) and its wire form. Hosts are origins that have to be looked up. A
 * wildcard's name is what follows its star. The apex of an entry is the domain, or, if it lies
 * elsewhere, itself.
 *
 * A name that is written down for two domains (one's name is the other's web name) belongs to the
 * web name: the domain's own yields to it.
 */
#include "base/clock.h"
#include "names/names_priv.h"

struct image {
	struct buf *out;
	size_t counts_at;
	uint32_t names_n, wildcards_n;
};

static void add_u8(struct buf *b, unsigned v)
{
	buf_add_char(b, (char)v);
}

static void add_u16(struct buf *b, unsigned v)
{
	uint8_t bytes[2];

	dns_put_u16(bytes, (uint16_t)v);
	buf_add(b, bytes, sizeof(bytes));
}

static void add_u32(struct buf *b, uint32_t v)
{
	add_u16(b, v >> 16);
	add_u16(b, v & 0xffff);
}

static void add_name(struct buf *b, const struct dns_name *name)
{
	buf_add(b, name, offsetof(struct dns_name, p) + name->n);
}

static int parse_lower(struct span text, struct dns_name *ret)
{
	int r = dns_name_parse(text, ret);

	if (r == 0)
		dns_name_lower(ret);
	return r;
}

/* ---- addresses ---- */

struct addresses {
	uint8_t v4[NAMES_ADDRS_MAX * 4], v6[NAMES_ADDRS_MAX * 16];
	struct dns_name hosts[NAMES_HOSTS_MAX];
	unsigned v4_n, v6_n, hosts_n;
};

static void take_origin(struct addresses *a, const struct origin_spec *o)
{
	struct net_addr addr;

	if (net_addr_parse_host(o->host, &addr) < 0) {
		if (a->hosts_n < NAMES_HOSTS_MAX && parse_lower(o->host, &a->hosts[a->hosts_n]) == 0)
			a->hosts_n++;
	} else if (addr.sa.sa_family == AF_INET && a->v4_n < NAMES_ADDRS_MAX) {
		memcpy(a->v4 + 4 * (size_t)a->v4_n++, &addr.in.sin_addr, 4);
	} else if (addr.sa.sa_family == AF_INET6 && a->v6_n < NAMES_ADDRS_MAX) {
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

	ret->v4_n = ret->v6_n = ret->hosts_n = 0;
	for (unsigned i = 0; i < d->origin_n; i++)
		only_backups &= d->origin[i].backup;
	for (unsigned i = 0; i < d->origin_n; i++)
		if (d->origin[i].backup == only_backups && !is_known(d, i))
			take_origin(ret, &d->origin[i]);
}

static void add_addresses(struct buf *b, const struct domain *d)
{
	struct addresses a;

	addresses_of(d, &a);
	add_u8(b, a.v4_n);
	add_u8(b, a.v6_n);
	add_u8(b, a.hosts_n);
	buf_add(b, a.v4, 4 * (size_t)a.v4_n);
	buf_add(b, a.v6, 16 * (size_t)a.v6_n);
	for (unsigned i = 0; i < a.hosts_n; i++)
		add_name(b, &a.hosts[i]);
}

/* ---- names ---- */

/* Their number: 1, or 0 if it cannot be a name on the wire. */
static unsigned add_entry(struct image *i, size_t domain_at, const struct dns_name *apex, struct span text,
	unsigned flags)
{
	uint32_t place = (uint32_t)domain_at;
	struct dns_name name;

	if (span_starts(text, SPAN("*."))) {
		flags |= ZONE_WILDCARD;
		text = span_from(text, 2);
	}
	if (parse_lower(text, &name) < 0)
		return 0;
	if (!dns_name_under(&name, apex))
		flags |= ZONE_ELSEWHERE;
	*(flags & ZONE_WILDCARD ? &i->wildcards_n : &i->names_n) += 1;
	buf_add(i->out, &place, sizeof(place));
	add_u8(i->out, flags);
	add_name(i->out, &name);
	return 1;
}

static bool has_web(const struct domain *d, struct span name)
{
	for (unsigned k = 0; k < d->web_n; k++)
		if (span_eq(d->web[k], name))
			return true;
	return false;
}

static void add_domain(struct image *i, const struct domain *d)
{
	size_t at = i->out->n, count_at;
	struct dns_name apex;
	unsigned n;

	if (parse_lower(d->name, &apex) < 0)
		return;
	add_addresses(i->out, d);
	add_name(i->out, &apex);
	count_at = i->out->n;
	add_u16(i->out, 0);
	n = has_web(d, d->name) ? 0 : add_entry(i, at, &apex, d->name, ZONE_YIELDS);
	for (unsigned k = 0; k < d->web_n; k++)
		n += add_entry(i, at, &apex, d->web[k], 0);
	if (!buf_error(i->out))
		dns_put_u16((uint8_t *)i->out->p + count_at, (uint16_t)n);
}

void zone_image(const struct snapshot *s, struct buf *out)
{
	struct image i = { .out = out };
	struct buf counts = BUF_INIT(16);

	buf_add_text(out, ZONE_MAGIC);
	add_u32(out, (uint32_t)clock_wall_s());
	i.counts_at = out->n;
	buf_add(out, "\0\0\0\0\0\0\0", 8);
	for (unsigned k = 0; k < snapshot_count(s); k++)
		if (snapshot_at(s, k)->origin_n > 0)
			add_domain(&i, snapshot_at(s, k));
	add_u32(&counts, i.names_n);
	add_u32(&counts, i.wildcards_n);
	if (!buf_error(out))
		memcpy(out->p + i.counts_at, counts.p, counts.n);
	buf_done(&counts);
}
