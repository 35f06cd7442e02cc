/*
 * Part of torhaus dns check: are names answered as the store says?
 *
 * A name that differs is asked once more a moment later: the store may have changed while we
 * looked, and the server takes a change up within a second.
 */
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/map.h"
#include "cli/dns.h"
#include "dns/resolver.h"
#include "domain/domain.h"

#define NAMES_MAX     5000 /* asked in one run, spread over all */
#define TOLD_MAX      20   /* of names that differ */
#define SILENT_MAX    5    /* then there is no use in asking on */
#define TAKEN_UP_US   1200000
#define ADDRESSES_MAX DOMAIN_ORIGIN_MAX

struct addresses {
	struct net_addr v[ADDRESSES_MAX];
	unsigned n;
	bool by_name; /* an origin's address is somebody else's to tell */
};

/* Where the store sends those who ask: the origins that are no backup, else the backups. */
static void wanted_of(const struct domain *d, int family, struct addresses *ret)
{
	bool only_backups = true;
	struct net_addr a;

	*ret = (struct addresses){ 0 };
	for (unsigned i = 0; i < d->origin_n; i++)
		only_backups &= d->origin[i].backup;
	for (unsigned i = 0; i < d->origin_n; i++) {
		if (d->origin[i].backup != only_backups)
			continue;
		if (net_addr_parse_host(d->origin[i].host, &a) < 0)
			ret->by_name = true;
		else if (a.sa.sa_family == family)
			ret->v[ret->n++] = a;
	}
}

/* The address that a record holds; false: none. */
static bool address_of(const struct dns_record *record, const uint8_t *data, struct net_addr *ret)
{
	*ret = (struct net_addr){ 0 };
	if (record->type == DNS_TYPE_A && record->rdata_n == 4) {
		ret->n = sizeof(ret->in);
		ret->sa.sa_family = AF_INET;
		memcpy(&ret->in.sin_addr, data, 4);
	} else if (record->type == DNS_TYPE_AAAA && record->rdata_n == 16) {
		ret->n = sizeof(ret->in6);
		ret->sa.sa_family = AF_INET6;
		memcpy(&ret->in6.sin6_addr, data, 16);
	}
	return ret->n > 0;
}

static void got_of(const struct dns_heard *h, struct addresses *ret)
{
	struct dns_question repeated;
	struct dns_record record;
	struct dns_reader r;

	*ret = (struct addresses){ 0 };
	dns_reader_init(&r, buf_span(&h->message));
	r.at = DNS_HEADER_SIZE;
	dns_read_question(&r, &repeated);
	for (unsigned i = 0; i < h->header.answers && ret->n < ADDRESSES_MAX; i++) {
		dns_read_record(&r, &record);
		if (!r.error && address_of(&record, r.p + record.rdata_at, &ret->v[ret->n]))
			ret->n++;
	}
}

static bool contains(const struct addresses *all, const struct net_addr *a)
{
	for (unsigned i = 0; i < all->n; i++)
		if (net_addr_eq_host(&all->v[i], a))
			return true;
	return false;
}

/* Nothing but what the store has, and something if it has anything (a datagram need not hold
 * all). */
static bool is_right(const struct addresses *got, const struct addresses *wanted)
{
	for (unsigned i = 0; i < got->n; i++)
		if (!contains(wanted, &got->v[i]))
			return false;
	return got->n > 0 || wanted->n == 0;
}

static void print_addresses(const struct addresses *all, const char *none, struct buf *out)
{
	char text[NET_ADDR_SIZE];

	for (unsigned i = 0; i < all->n; i++) {
		net_addr_host_text(&all->v[i], text);
		buf_addf(out, "%s%s", i ? " " : "", text);
	}
	if (all->n == 0)
		buf_add_text(out, none);
}

struct pass {
	struct findings *findings;
	const struct net_addr *server;
	const struct snapshot *domains;
	bool tell;
	unsigned silent;
	struct dns_compared n;
};

static void tell_name(struct pass *p, const struct domain *d, const struct dns_question *q, const struct addresses *got,
	const struct addresses *wanted, const char *what)
{
	struct buf text = BUF_INIT(4096);
	char name[DNS_NAME_TEXT_SIZE];
	struct fault f;

	p->n.differ++;
	if (!p->tell || p->n.differ > TOLD_MAX)
		return;
	dns_name_text(&q->name, name);
	fault_set(&f, FAULT_DNS_NAME_DIFFERS);
	fault_fact(&f, "name", "%s", name);
	fault_fact(&f, "type", "%s", dns_type_text(q->type));
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(d->name));
	print_addresses(got, what, &text);
	fault_fact(&f, "got", "%s", buf_text(&text));
	buf_reset(&text);
	print_addresses(wanted, "NODATA", &text);
	fault_fact(&f, "want", "%s", buf_text(&text));
	findings_add(p->findings, &f);
	buf_done(&text);
}

static void check_name(struct pass *p, const struct domain *d, struct span name, uint16_t type)
{
	struct addresses wanted, got = { 0 };
	struct dns_question q;
	struct dns_heard h;
	unsigned rcode;
	int r;

	if (p->n.refused || p->silent == SILENT_MAX || dns_question_of(name, type, &q) < 0)
		return;
	p->n.asked++;
	wanted_of(d, type == DNS_TYPE_A ? AF_INET : AF_INET6, &wanted);
	r = dns_ask(p->server, false, &q, DNS_ASK_MS, &h);
	rcode = h.header.flags & DNS_RCODE;
	if (r == 0)
		got_of(&h, &got);
	p->silent += r < 0;
	if (r < 0)
		tell_name(p, d, &q, &got, &wanted, strerror(-r));
	else if (rcode == DNS_REFUSED)
		p->n.refused = true;
	else if (rcode != DNS_NOERROR && !wanted.by_name)
		tell_name(p, d, &q, &got, &wanted, dns_rcode_text(rcode));
	else if (!wanted.by_name && !is_right(&got, &wanted))
		tell_name(p, d, &q, &got, &wanted, "NODATA");
	dns_heard_done(&h);
}

/* ---- origins that are host names ---- */

/* Has the server an address of that type for it? Else what it says, or NULL if it may not be
 * asked. */
static bool has_address(struct pass *p, struct span host, uint16_t type, const char **ret_why)
{
	struct addresses got = { 0 };
	struct dns_question q;
	struct dns_heard h;
	unsigned rcode;
	int r;

	if (dns_question_of(host, type, &q) < 0)
		return false;
	r = dns_ask(p->server, false, &q, DNS_ASK_MS, &h);
	rcode = h.header.flags & DNS_RCODE;
	if (r == 0)
		got_of(&h, &got);
	*ret_why = r < 0 ? strerror(-r) : rcode == DNS_REFUSED ? NULL : rcode ? dns_rcode_text(rcode) : "NODATA";
	dns_heard_done(&h);
	return got.n > 0;
}

static void check_host(struct pass *p, const struct domain *d, struct span host)
{
	const char *why = NULL;
	struct fault f;

	if (has_address(p, host, DNS_TYPE_A, &why) || has_address(p, host, DNS_TYPE_AAAA, &why) || !why ||
		dns_is_in_hosts(host))
		return;
	p->n.hosts_failed++;
	fault_set(&f, FAULT_DNS_HOST_FAILS);
	fault_fact(&f, "host", "%.*s", SPAN_ARG(host));
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(d->name));
	fault_fact(&f, "error", "%s", why);
	findings_add(p->findings, &f);
}

/* Each host once, however many domains it serves. Names without a dot may belong to a search domain
 * of the machine: only the server knows. */
static void check_hosts(struct pass *p)
{
	struct net_addr literal;
	struct map seen;

	map_init(&seen);
	for (unsigned i = 0; i < snapshot_count(p->domains); i++) {
		const struct domain *d = snapshot_at(p->domains, i);

		for (unsigned k = 0; k < d->origin_n && p->n.hosts_failed < TOLD_MAX; k++) {
			struct span host = d->origin[k].host;

			if (net_addr_parse_host(host, &literal) == 0 || span_index(host, '.') < 0 ||
				map_find(&seen, host))
				continue;
			map_put(&seen, host, p);
			check_host(p, d, host);
		}
	}
	map_done(&seen);
}

/* ---- all names ---- */

/* A wildcard stands for any label: one that nobody has. */
static void check_web_name(struct pass *p, const struct domain *d, struct span name)
{
	struct buf text = BUF_INIT(512);

	if (span_starts(name, SPAN("*."))) {
		buf_addf(&text, "torhaus-dns-check.%.*s", SPAN_ARG(span_from(name, 2)));
		name = buf_span(&text);
	}
	check_name(p, d, name, DNS_TYPE_A);
	check_name(p, d, name, DNS_TYPE_AAAA);
	buf_done(&text);
}

static unsigned count_names(const struct snapshot *domains)
{
	unsigned n = 0;

	for (unsigned i = 0; i < snapshot_count(domains); i++)
		n += 1 + snapshot_at(domains, i)->web_n;
	return n;
}

/* All names, or each so many-th. A domain's own name belongs to whoever has it as a web name. */
static void check_all_names(struct pass *p)
{
	unsigned step = count_names(p->domains) / NAMES_MAX + 1;

	for (unsigned i = 0; i < snapshot_count(p->domains); i++) {
		const struct domain *d = snapshot_at(p->domains, i);

		if (d->origin_n == 0)
			continue;
		for (unsigned k = 0; k < d->web_n; k++)
			if (p->n.names++ % step == 0)
				check_web_name(p, d, d->web[k]);
		if (!snapshot_find_web(p->domains, d->name) && p->n.names++ % step == 0)
			check_web_name(p, d, d->name);
	}
}

void dns_compare_store(struct findings *f, const struct settings *s, const struct net_addr *server,
	struct dns_compared *ret)
{
	struct snapshot *domains = findings_read_store(f, s->store.p);
	struct pass p = { .findings = f, .server = server, .domains = domains };

	if (domains)
		check_all_names(&p);
	if (p.n.differ > 0) {
		usleep(TAKEN_UP_US);
		snapshot_unref(domains);
		domains = findings_read_store(f, s->store.p);
		p = (struct pass){ .findings = f, .server = server, .domains = domains, .tell = true };
		if (domains)
			check_all_names(&p);
	}
	if (domains && !p.n.refused && p.silent < SILENT_MAX)
		check_hosts(&p);
	snapshot_unref(domains);
	*ret = p.n;
}
