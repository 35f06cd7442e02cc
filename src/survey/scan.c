/*
 * Many servers at once. See survey/scan.h.
 *
 * Everything runs on one loop, so the shared state needs its mutex only because task_cond wants
 * one. A worker that holds a host waits for the host's address to be free; many names on one
 * address therefore cost jobs, not connections.
 *
 * Whom the cache spares. A host of a list is not asked if a result is kept that holds for it. Asked
 * always is who was named just now (somebody has mended a server and wants to see it), and who lies
 * in a private network (it is one's own) unless age_own is set.
 */
#include "survey/scan.h"
#include <errno.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "dns/dns.h"
#include "io/helper.h"
#include "io/loop.h"
#include "survey/scan_priv.h"

#define RESOLVE_MS 20000
#define NAME_MAX_  253
#define LABEL_MAX  63
#define HELPERS    16 /* for name look-ups */

void scan_init(struct scan *s)
{
	*s = (struct scan){ .jobs = 400, .gap_auto = true };
	map_init(&s->seen);
	map_init(&s->addresses);
	pthread_mutex_init(&s->lock, NULL);
	task_cond_init(&s->freed);
	arena_init(&s->arena, 1 << 16);
}

void scan_done(struct scan *s)
{
	for (unsigned i = 0; i < s->hosts_n; i++) {
		arena_done(&s->hosts[i]->arena);
		mem_free(s->hosts[i]);
	}
	for (unsigned i = 0; i < s->domains_n; i++) {
		arena_done(&s->domains[i]->arena);
		mem_free(s->domains[i]);
	}
	s->hosts = mem_free(s->hosts);
	s->domains = mem_free(s->domains);
	s->hosts_n = s->domains_n = 0;
	s->dns = scan_dns_free(s->dns);
	map_done(&s->seen);
	map_done(&s->addresses);
	pthread_mutex_destroy(&s->lock);
	arena_done(&s->arena);
}

/* ---- hosts ---- */

static bool is_host_char(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
}

/* None empty or too long, and the last no number: resolvers take "10.1" for an address that nobody
 * meant. */
static bool are_labels(struct span name)
{
	struct span rest = name, label = { 0 };
	uint64_t number;

	while (span_cut(&rest, '.', &label))
		if (label.n == 0 || label.n > LABEL_MAX)
			return false;
	return span_to_u64(label, &number) < 0;
}

bool scan_is_host(struct span name)
{
	struct net_addr literal;

	if (net_addr_parse_host(name, &literal) == 0)
		return true;
	for (size_t i = 0; i < name.n; i++)
		if (!is_host_char(name.p[i]))
			return false;
	return name.n > 0 && name.n <= NAME_MAX_ && name.p[0] != '-' && are_labels(name);
}

/* Host and port apart; brackets are for IPv6 literals. */
static int split(struct span text, uint16_t default_port, struct span *ret_name, uint16_t *ret_port)
{
	struct span port = SPAN("");
	ptrdiff_t colon = span_index(text, ':');
	struct net_addr literal;
	uint64_t n = default_port;

	*ret_name = text;
	if (text.n && text.p[0] == '[') {
		ptrdiff_t end = span_index(text, ']');

		if (end < 0)
			return -EINVAL;
		*ret_name = span_sub(text, 1, (size_t)end - 1);
		port = span_from(text, (size_t)end + 1);
		if (port.n == 1 || (port.n && port.p[0] != ':'))
			return -EINVAL;
		port = span_from(port, 1);
	} else if (colon >= 0 && net_addr_parse_host(text, &literal) < 0) {
		*ret_name = span_sub(text, 0, (size_t)colon);
		port = span_from(text, (size_t)colon + 1);
		if (port.n == 0)
			return -EINVAL;
	}
	if (port.n && (span_to_u64(port, &n) < 0 || n == 0 || n > 65535))
		return -EINVAL;
	*ret_port = (uint16_t)n;
	if (ret_name->n > 1 && ret_name->p[ret_name->n - 1] == '.')
		ret_name->n--;
	return scan_is_host(*ret_name) ? 0 : -EINVAL;
}

struct span scan_lower(struct arena *a, struct span name)
{
	char *lower = arena_text(a, name);

	for (size_t i = 0; i < name.n; i++)
		lower[i] = ascii_lower(lower[i]);
	return span_make(lower, name.n);
}

void *scan_grown(void *list, unsigned n, size_t size)
{
	return (n & (n - 1)) == 0 ? mem_resize(list, n ? 2 * (size_t)n : 1, size) : list;
}

int scan_add(struct scan *s, struct span text, bool named)
{
	struct scan_host *h;
	struct span name, key;
	uint16_t port;
	int r = split(text, s->port, &name, &port);

	if (r < 0)
		return r;
	name = scan_lower(&s->arena, name);
	key = arena_spanf(&s->arena, "%.*s %u", SPAN_ARG(name), port);
	h = map_find(&s->seen, key);
	if (h) {
		h->named |= named;
		return 0;
	}
	if (s->hosts_n == SCAN_HOSTS_MAX)
		return -E2BIG;
	h = mem_new(struct scan_host);
	h->name = name;
	h->port = port;
	h->named = named;
	arena_init(&h->arena, 1 << 12);
	map_put(&s->seen, key, h);
	s->hosts = scan_grown(s->hosts, s->hosts_n, sizeof(*s->hosts));
	s->hosts[s->hosts_n++] = h;
	return 0;
}

struct scan_host *scan_find(const struct scan *s, struct span name, uint16_t port)
{
	char key[NAME_MAX_ + 16];
	int n = snprintf(key, sizeof(key), "%.*s %u", SPAN_ARG(name), port);

	return n > 0 && n < (int)sizeof(key) ? map_find(&s->seen, span_make(key, (size_t)n)) : NULL;
}

int scan_add_domain(struct scan *s, struct span domain)
{
	struct net_addr literal;
	struct scan_domain *d;

	must(s->dns);
	if (domain.n > 1 && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (!scan_is_host(domain) || net_addr_parse_host(domain, &literal) == 0)
		return -EINVAL;
	if (s->domains_n == SCAN_HOSTS_MAX)
		return -E2BIG;
	d = mem_new(struct scan_domain);
	d->name = scan_lower(&s->arena, domain);
	arena_init(&d->arena, 1 << 12);
	s->domains = scan_grown(s->domains, s->domains_n, sizeof(*s->domains));
	s->domains[s->domains_n++] = d;
	return 0;
}

/* ---- one host ---- */

static int resolve(struct scan *s, struct scan_host *h, struct net_addr *ret, unsigned max)
{
	if (net_addr_parse_host(h->name, ret) == 0) {
		net_addr_set_port(ret, h->port);
		return 1;
	}
	if (s->dns_all)
		return scan_dns_addresses(s->dns, h->name, h->port, &h->arena, ret, max);
	return net_resolve(h->name, h->port, ret, max, deadline_in(RESOLVE_MS));
}

/* Another name at this address has been told that it is enough: that holds for all of them. */
static void spare(struct scan_host *h, const struct scan_host *limited)
{
	h->probe.verdict = PROBE_RATE_LIMITED;
	h->probe.said = arena_span(&h->arena, limited->probe.said);
	h->probe.alert = WIRE_NO_ALERT;
}

static int ask_politely(struct scan *s, struct scan_host *h, const struct net_addr *a)
{
	struct scan_address *address;
	int r = scan_take_address(s, a, &address);

	if (r < 0)
		return r;
	if (address->limited && address->limited->port == h->port)
		spare(h, address->limited);
	else
		r = probe_run(&h->probe);
	if (h->probe.verdict == PROBE_RATE_LIMITED && !address->limited)
		address->limited = h;
	scan_give_address(s, address);
	return r;
}

static bool is_kept(struct scan *s, struct scan_host *h, const struct net_addr *a)
{
	if (!s->cache || h->named || (scan_is_own(a) && !s->age_own))
		return false;
	h->kept = scan_cache_find(s->cache, &h->probe, clock_wall_s() - s->age_max_s, &h->asked_at);
	return h->kept;
}

static int ask_address(struct scan *s, struct scan_host *h, const struct net_addr *a)
{
	int r;

	h->probe = (struct probe){ .settings = scan_settings_for(s, a),
		.host = h->name,
		.addr = *a,
		.gate = scan_gate,
		.gate_arg = s,
		.arena = &h->arena };
	if (is_kept(s, h, a))
		return 0;
	r = ask_politely(s, h, a);
	h->asked_at = clock_wall_s();
	if (r == 0 && s->cache)
		scan_cache_add(s->cache, &h->probe, h->asked_at);
	return r;
}

/* TLSA records that DNSSEC proves (RFC 7672 2.2.1). */
static void ask_tlsa(struct scan *s, struct scan_host *h)
{
	struct net_addr literal;
	struct scan_answer answer;
	struct span name;
	int r;

	if (!s->dns || !s->probe.smtp || h->probe.certs_n == 0 || net_addr_parse_host(h->name, &literal) == 0)
		return;
	name = arena_spanf(&h->arena, "_%u._tcp.%.*s", h->port, SPAN_ARG(h->name));
	r = scan_dns_ask(s->dns, name, DNS_TYPE_TLSA, &h->arena, &answer);
	h->probe.tlsa_bogus = answer.bogus;
	if (r == 0 && answer.secure)
		probe_dane(&h->probe, answer.v, answer.n);
}

static bool does_not_want(const struct scan *s, const struct scan_host *h, const struct net_addr *addrs, int n)
{
	bool out = s->except && scan_except_name(s->except, h->name);

	for (int i = 0; i < n && s->except && !out; i++)
		out = scan_except_address(s->except, &addrs[i]);
	return out;
}

static int ask_host(struct scan *s, struct scan_host *h)
{
	struct net_addr addrs[SCAN_ADDRESSES_MAX];
	int n, r = 0;

	h->probe = (struct probe){ .settings = &s->probe, .host = h->name, .arena = &h->arena };
	h->opted_out = does_not_want(s, h, NULL, 0);
	if (h->opted_out)
		return 0;
	n = resolve(s, h, addrs, SCAN_ADDRESSES_MAX);
	if (n == -ECANCELED)
		return n;
	if (n <= 0) {
		h->probe.verdict = PROBE_UNRESOLVED;
		h->probe.error = n;
		h->probe.said = span_of(scan_dns_error_text(n));
		h->probe.tlsa_bogus = n == -EBADMSG;
	}
	h->opted_out = does_not_want(s, h, addrs, n);
	for (int i = 0; i < n && r == 0 && !h->opted_out; i++) {
		r = ask_address(s, h, &addrs[i]);
		if (h->probe.verdict != PROBE_UNREACHABLE)
			break;
	}
	if (r == 0)
		ask_tlsa(s, h);
	return r;
}

/* ---- the run ---- */

static void work(void *arg)
{
	struct scan *s = arg;

	while (s->next < s->hosts_n && !task_canceled()) {
		struct scan_host *h = s->hosts[s->next++];

		if (ask_host(s, h) < 0)
			break;
		h->done = true;
		s->done_n++;
		if (s->on_done)
			s->on_done(s->arg, s, h);
		/* Who was not asked did not wait: others have their turn, too. */
		if ((h->kept || h->opted_out) && task_yield() < 0)
			break;
	}
	if (--s->running == 0)
		loop_stop(s->loop);
}

static void start_hosts(struct scan *s)
{
	for (unsigned i = 0; i < s->jobs && i < s->hosts_n; i++)
		s->running += task_spawn("scan", work, s) != NULL;
	if (s->running == 0)
		loop_stop(s->loop);
}

/* All hosts are known once the last domain is done. */
static void work_domains(void *arg)
{
	struct scan *s = arg;

	while (s->next_domain < s->domains_n && !task_canceled())
		if (scan_domain_ask(s, s->domains[s->next_domain++]) < 0)
			break;
	if (--s->running == 0)
		start_hosts(s);
}

static void start(void *arg)
{
	struct scan *s = arg;

	for (unsigned i = 0; i < s->jobs && i < s->domains_n; i++)
		s->running += task_spawn("scan domains", work_domains, s) != NULL;
	if (s->running == 0)
		start_hosts(s);
}

int scan_run(struct scan *s)
{
	const struct loop_settings settings = { .tasks_max = s->jobs + 16, .stacks_spare = s->jobs };

	s->loop = loop_new(&settings);
	if (!s->loop)
		return -errno;
	scan_polite_start(s);
	helper_start(HELPERS);
	loop_post(s->loop, start, s);
	loop_run(s->loop);
	helper_stop();
	s->loop = loop_free(s->loop);
	return s->done_n < s->hosts_n ? -ECANCELED : 0;
}

void scan_stop(struct scan *s)
{
	if (s->loop)
		loop_stop(s->loop);
}
