/*
 * Many servers at once. See survey/scan.h.
 *
 * Everything runs on one loop, so the shared state needs its mutex only because task_cond wants one. A worker that holds a
 * host waits for the host's address to be free; many names on one address therefore cost jobs, not connections.
 *
 * Gaps. Between two connections to somebody else's address lie GAP_QUICK_MS or GAP_FULL_MS; none on loopback and private networks, which
 * are the operator's own.
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

#define GAP_QUICK_MS 1000
#define GAP_FULL_MS  2000
#define RESOLVE_MS   20000
#define NAME_MAX_    253
#define HELPERS      16 /* for name look-ups */

void scan_init(struct scan *s)
{
	*s = (struct scan){ .jobs = 400, .rate = 400, .gap_auto = true };
	map_init(&s->seen);
	map_init(&s->busy);
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
	map_done(&s->busy);
	pthread_mutex_destroy(&s->lock);
	arena_done(&s->arena);
}

/* ---- hosts ---- */

static bool is_host_char(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
}

static bool is_host(struct span name)
{
	struct net_addr literal;

	if (net_addr_parse_host(name, &literal) == 0)
		return true;
	for (size_t i = 0; i < name.n; i++)
		if (!is_host_char(name.p[i]))
			return false;
	return name.n > 0 && name.n <= NAME_MAX_ && name.p[0] != '.' && name.p[0] != '-';
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
		if (port.n && port.p[0] != ':')
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
	return is_host(*ret_name) ? 0 : -EINVAL;
}

static struct span lower_of(struct scan *s, struct span name)
{
	char *lower = arena_text(&s->arena, name);

	for (size_t i = 0; i < name.n; i++)
		lower[i] = ascii_lower(lower[i]);
	return span_make(lower, name.n);
}

/* Room for one more in a list that doubles. */
static void *grown(void *list, unsigned n, size_t size)
{
	return (n & (n - 1)) == 0 ? mem_resize(list, n ? 2 * (size_t)n : 1, size) : list;
}

int scan_add(struct scan *s, struct span text)
{
	struct scan_host *h;
	struct span name, key;
	uint16_t port;
	int r = split(text, s->port, &name, &port);

	if (r < 0)
		return r;
	name = lower_of(s, name);
	key = arena_spanf(&s->arena, "%.*s %u", SPAN_ARG(name), port);
	if (map_find(&s->seen, key))
		return 0;
	if (s->hosts_n == SCAN_HOSTS_MAX)
		return -E2BIG;
	h = mem_new(struct scan_host);
	h->name = name;
	h->port = port;
	arena_init(&h->arena, 1 << 12);
	map_put(&s->seen, key, h);
	s->hosts = grown(s->hosts, s->hosts_n, sizeof(*s->hosts));
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
	struct scan_domain *d;

	must(s->dns);
	if (domain.n > 1 && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (!is_host(domain) || span_index(domain, ':') >= 0)
		return -EINVAL;
	if (s->domains_n == SCAN_HOSTS_MAX)
		return -E2BIG;
	d = mem_new(struct scan_domain);
	d->name = lower_of(s, domain);
	arena_init(&d->arena, 1 << 12);
	s->domains = grown(s->domains, s->domains_n, sizeof(*s->domains));
	s->domains[s->domains_n++] = d;
	return 0;
}

/* ---- politeness ---- */

int scan_gate(void *arg)
{
	struct scan *s = arg;
	uint64_t now_us = clock_mono_ns() / 1000, mine;

	if (s->slot_us < now_us)
		s->slot_us = now_us;
	mine = s->slot_us;
	s->slot_us += 1000000 / s->rate;
	return mine - now_us < 1000 ? 0 : task_sleep((mine - now_us) / 1000);
}

int scan_take_address(struct scan *s, struct span address)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (r == 0 && map_find(&s->busy, address))
		r = task_cond_wait(&s->freed, &s->lock,
			DEADLINE_NEVER); /* whoever has it gives it back, cancelled or not */
	if (r == 0)
		map_put(&s->busy, address, s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

void scan_give_address(struct scan *s, struct span address)
{
	pthread_mutex_lock(&s->lock);
	map_remove(&s->busy, address);
	task_cond_broadcast(&s->freed);
	pthread_mutex_unlock(&s->lock);
}

static bool is_own(const struct net_addr *a)
{
	static const char *const networks[] = { "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12",
		"192.168.0.0/16", "169.254.0.0/16", "fe80::/10", "fc00::/7" };

	for (size_t i = 0; i < array_len(networks); i++) {
		struct net_prefix prefix;

		must(net_prefix_parse(span_of(networks[i]), &prefix) == 0);
		if (net_prefix_contains(&prefix, a))
			return true;
	}
	return false;
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

static int ask_address(struct scan *s, struct scan_host *h, const struct net_addr *a)
{
	char text[NET_ADDR_SIZE];
	struct span address;
	int r;

	net_addr_host_text(a, text);
	address = arena_span(&h->arena, span_of(text));
	r = scan_take_address(s, address);
	if (r < 0)
		return r;
	h->probe = (struct probe){ .settings = s->gap_auto && !is_own(a) ? &s->slow : &s->probe,
		.host = h->name,
		.addr = *a,
		.gate = scan_gate,
		.gate_arg = s,
		.arena = &h->arena };
	r = probe_run(&h->probe);
	scan_give_address(s, address);
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

static int ask_host(struct scan *s, struct scan_host *h)
{
	struct net_addr addrs[SCAN_ADDRESSES_MAX];
	int n = resolve(s, h, addrs, SCAN_ADDRESSES_MAX), r = 0;

	if (n == -ECANCELED)
		return n;
	h->probe = (struct probe){ .settings = &s->probe, .host = h->name, .arena = &h->arena };
	if (n <= 0) {
		h->probe.verdict = PROBE_UNRESOLVED;
		h->probe.error = n;
		h->probe.said = span_of(scan_dns_error_text(n));
		h->probe.tlsa_bogus = n == -EBADMSG;
	}
	for (int i = 0; i < n && r == 0; i++) {
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
	s->slow = s->probe;
	s->slow.gap_ms = s->probe.quick ? GAP_QUICK_MS : GAP_FULL_MS;
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
