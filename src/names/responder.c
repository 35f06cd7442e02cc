/*
 * One question to its answer.
 *
 * The answer is written straight behind the header, the question as it was asked, case and all:
 * owners of records are then a pointer to it. What several addresses there are begins with another
 * one each time.
 *
 * localhost and the reverse zones of private networks are answered here, too (special.c).
 *
 * ANY gets one made-up HINFO record (RFC 8482 4.2). Classes other than IN, zone transfers and
 * questions that want no recursion (RD=0) for what is not ours are refused.
 */
#include "names/names_priv.h"

#define OWNER       0xc00c /* a pointer to the question's name */
#define SPECIAL_TTL 3600
#define SOA_REFRESH 3600
#define SOA_RETRY   600
#define SOA_EXPIRE  86400

struct reply {
	struct names_thread *thread;
	const struct dns_query *q;
	struct dns_writer w;
	uint16_t answers, authorities;
	unsigned rcode;
	int ede;
};

bool names_may_ask(const struct names_thread *t, const struct net_addr *peer)
{
	const struct names_settings *s = &t->state->settings;

	for (unsigned i = 0; i < s->allow_n; i++)
		if (net_prefix_contains(&s->allow[i], peer))
			return true;
	return false;
}

/* ---- our names ---- */

static void begin(struct reply *r, uint8_t *out, size_t max)
{
	dns_writer_init(&r->w, out, max);
	r->w.n = DNS_HEADER_SIZE;
	dns_write_bytes(&r->w, r->q->question, r->q->question_n);
}

/* Header and OPT around what was written; if that did not fit, only the question with TC. */
static size_t finish(struct reply *r, unsigned flags)
{
	const struct dns_query *q = r->q;
	struct dns_edns edns = { .udp_size = DNS_UDP_MAX, .dnssec_ok = q->edns.dnssec_ok, .ede = r->ede };
	uint8_t *p = r->w.p;

	if (q->edns.present)
		dns_write_edns(&r->w, &edns);
	if (r->w.error)
		return dns_reply_empty(q, (uint16_t)(flags | DNS_TC), r->rcode, r->ede, p, r->w.max);
	dns_put_u16(p, q->id);
	dns_put_u16(p + 2, (uint16_t)(DNS_QR | (q->flags & (DNS_RD | DNS_CD)) | flags | r->rcode));
	dns_put_u16(p + 4, 1);
	dns_put_u16(p + 6, r->answers);
	dns_put_u16(p + 8, r->authorities);
	dns_put_u16(p + 10, q->edns.present);
	return r->w.n;
}

static void write_head(struct reply *r, uint16_t type, uint32_t ttl, uint16_t rdata_n)
{
	dns_write_u16(&r->w, OWNER);
	dns_write_u16(&r->w, type);
	dns_write_u16(&r->w, DNS_CLASS_IN);
	dns_write_u32(&r->w, ttl);
	dns_write_u16(&r->w, rdata_n);
}

/* n addresses of size bytes each, another one first each time. */
static void write_addresses(struct reply *r, uint16_t type, const uint8_t *p, unsigned n, unsigned size, uint32_t ttl_s)
{
	unsigned first = n > 1 ? (unsigned)(r->thread->turn++ % n) : 0;

	for (unsigned i = 0; i < n; i++) {
		write_head(r, type, ttl_s, (uint16_t)size);
		dns_write_bytes(&r->w, p + size * (size_t)((first + i) % n), size);
	}
	r->answers = (uint16_t)n;
}

/* RFC 2308 3: how long "no such data" holds is the SOA's minimum. */
static void write_soa(struct reply *r, const struct dns_name *apex)
{
	size_t length_at;

	dns_write_name(&r->w, apex, false);
	dns_write_u16(&r->w, DNS_TYPE_SOA);
	dns_write_u16(&r->w, DNS_CLASS_IN);
	dns_write_u32(&r->w, NAMES_TTL);
	length_at = r->w.n;
	dns_write_u16(&r->w, 0);
	dns_write_name(&r->w, apex, true);
	dns_write_bytes(&r->w, "\12hostmaster", 11);
	dns_write_name(&r->w, apex, true);
	dns_write_u32(&r->w, r->thread->state->zone ? zone_serial(r->thread->state->zone) : 1);
	dns_write_u32(&r->w, SOA_REFRESH);
	dns_write_u32(&r->w, SOA_RETRY);
	dns_write_u32(&r->w, SOA_EXPIRE);
	dns_write_u32(&r->w, NAMES_TTL);
	if (!r->w.error)
		dns_put_u16(r->w.p + length_at, (uint16_t)(r->w.n - length_at - 2));
}

static void write_hinfo(struct reply *r)
{
	static const char data[] = "\7RFC8482\0";

	write_head(r, DNS_TYPE_HINFO, SOA_REFRESH, sizeof(data) - 1);
	dns_write_bytes(&r->w, data, sizeof(data) - 1);
	r->answers = 1;
}

static void write_nothing(struct reply *r, const struct dns_name *apex)
{
	write_soa(r, apex);
	r->authorities = 1;
}

size_t names_answer_addresses(struct names_thread *t, const struct dns_query *q, const struct dns_name *apex,
	const struct names_addresses *all, uint8_t *out, size_t max)
{
	struct reply r = { .thread = t, .q = q, .ede = all->stale ? DNS_EDE_STALE : DNS_EDE_NONE };

	begin(&r, out, max);
	if (all->n > 0)
		write_addresses(&r, q->q.type, all->p, all->n, q->q.type == DNS_TYPE_A ? 4 : 16, all->ttl_s);
	else
		write_nothing(&r, apex);
	return finish(&r, DNS_AA | DNS_RA);
}

static size_t answer_found(struct reply *r, const struct zone_found *f, uint8_t *out, size_t max)
{
	begin(r, out, max);
	switch (r->q->q.type) {
	case DNS_TYPE_A:
		write_addresses(r, DNS_TYPE_A, f->v4, f->v4_n, 4, NAMES_TTL);
		break;
	case DNS_TYPE_AAAA:
		write_addresses(r, DNS_TYPE_AAAA, f->v6, f->v6_n, 16, NAMES_TTL);
		break;
	case DNS_TYPE_ANY:
		write_hinfo(r);
		break;
	case DNS_TYPE_SOA:
		if (dns_name_eq(&r->q->q.name, f->apex)) {
			write_soa(r, f->apex);
			r->answers = 1;
		}
		break;
	default:
		break;
	}
	if (r->answers == 0)
		write_nothing(r, f->apex);
	stat_add(STAT_NAMES_LOCAL, 1);
	return finish(r, DNS_AA | DNS_RA);
}

/* ---- names that are every machine's own ---- */

static void write_localhost(struct reply *r)
{
	static const uint8_t v6[16] = { [15] = 1 };
	static const uint8_t name[] = "\11localhost";

	if (r->q->q.type == DNS_TYPE_A)
		write_addresses(r, DNS_TYPE_A, (const uint8_t *)"\177\0\0\1", 1, 4, SPECIAL_TTL);
	else if (r->q->q.type == DNS_TYPE_AAAA)
		write_addresses(r, DNS_TYPE_AAAA, v6, 1, sizeof(v6), SPECIAL_TTL);
	else if (r->q->q.type == DNS_TYPE_PTR) {
		write_head(r, DNS_TYPE_PTR, SPECIAL_TTL, sizeof(name));
		dns_write_bytes(&r->w, name, sizeof(name));
		r->answers = 1;
	}
}

static size_t answer_special(struct names_thread *t, const struct dns_query *q, const struct special *special,
	uint8_t *out, size_t max)
{
	struct reply r = { .thread = t, .q = q, .ede = DNS_EDE_NONE };

	r.rcode = special->is == SPECIAL_NONE ? DNS_NXDOMAIN : DNS_NOERROR;
	begin(&r, out, max);
	if (special->is == SPECIAL_LOOPBACK && (q->q.type == DNS_TYPE_PTR) == special->reverse)
		write_localhost(&r);
	if (special->is == SPECIAL_ZONE && q->q.type == DNS_TYPE_SOA) {
		write_soa(&r, &special->zone);
		r.answers = 1;
	}
	if (r.answers == 0)
		write_nothing(&r, &special->zone);
	stat_add(STAT_NAMES_LOCAL, 1);
	return finish(&r, DNS_AA | DNS_RA);
}

/* ---- everything else ---- */

static size_t refuse(const struct dns_query *q, int ede, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_REFUSED, 1);
	return dns_reply_empty(q, DNS_RA, DNS_REFUSED, ede, out, max);
}

/* While it is not known which names are ours, nothing can be said of any: neither that it is not,
 * nor what others say. */
static size_t not_ready(const struct dns_query *q, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_FAILED, 1);
	return dns_reply_empty(q, DNS_RA, DNS_SERVFAIL, DNS_EDE_NOT_READY, out, max);
}

static bool is_transfer(uint16_t type)
{
	return type >= DNS_TYPE_TKEY && type < DNS_TYPE_ANY;
}

/* Do addresses of the name's origins have to be looked up? */
static bool has_hosts(const struct zone_found *f, uint16_t type)
{
	return f->hosts_n > 0 && (type == DNS_TYPE_A || type == DNS_TYPE_AAAA);
}

/* A question that is well-formed, from somebody who may ask. */
static size_t answer(struct names_thread *t, const struct dns_query *q, const struct names_from *from, uint8_t *out,
	size_t max)
{
	struct reply r = { .thread = t, .q = q, .ede = DNS_EDE_NONE };
	struct zone *zone = t->state->zone;
	struct special special;
	struct zone_found found;

	if (q->q.klass != DNS_CLASS_IN || is_transfer(q->q.type))
		return refuse(q, DNS_EDE_NOT_SUPPORTED, out, max);
	if (!zone)
		return not_ready(q, out, max);
	if (zone_find(zone, &q->q.name, &found))
		return has_hosts(&found, q->q.type) ? names_answer_hosts(t, q, &found, from, out, max)
						    : answer_found(&r, &found, out, max);
	if (special_find(&q->q.name, &special) && !(special.is_private && t->state->settings.forward_private))
		return answer_special(t, q, &special, out, max);
	if (t->state->settings.forward_n == 0 || !(q->flags & DNS_RD) ||
		dns_resolver_is_loop(t->names->resolver, &q->q.name, from->peer))
		return refuse(q, DNS_EDE_NOT_AUTHORITATIVE, out, max);
	return names_forward(t, q, from, out, max);
}

size_t names_respond(struct names_thread *t, struct span message, const struct names_from *from, uint8_t *out,
	size_t max)
{
	struct dns_query q;
	int rcode = dns_query_parse(message, &q);

	stat_add(STAT_NAMES_QUERIES, 1);
	if (rcode < 0) {
		stat_add(STAT_NAMES_DROPPED, 1);
		return 0;
	}
	if (!names_may_ask(t, from->peer))
		return refuse(&q, DNS_EDE_PROHIBITED, out, max);
	if (rcode > 0) {
		stat_add(STAT_NAMES_MALFORMED, 1);
		return dns_reply_empty(&q, DNS_RA, (unsigned)rcode, DNS_EDE_NONE, out, max);
	}
	if (from->listener && max > dns_udp_limit(&q))
		max = dns_udp_limit(&q);
	return answer(t, &q, from, out, max);
}
