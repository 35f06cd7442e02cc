/*
 * How many connections, how soon: the politeness of a scan.
 *
 * The rate. Every connection of the run takes the next slot, 1/rate after the one before, however
 * many servers wait for one: the first second sees no more than any other.
 *
 * Addresses. One conversation at a time with an address, whatever its names and ports; between the
 * last connection of one host and the first of the next at the same address lies the same gap as
 * between two of one host. Where an address has said that it has enough, the other hosts there are
 * not asked any more.
 *
 * Between two connections to somebody else's address lie GAP_QUICK_MS or GAP_FULL_MS; none on
 * loopback and private networks, which are the operator's own.
 */
#include <errno.h>
#include "base/clock.h"
#include "base/mem.h"
#include "survey/scan_priv.h"

#define GAP_QUICK_MS 1000
#define GAP_FULL_MS  2000

void scan_polite_start(struct scan *s)
{
	if (s->rate == 0)
		s->rate = s->probe.quick ? SCAN_RATE_QUICK : SCAN_RATE_FULL;
	s->slow = s->probe;
	s->slow.gap_ms = s->probe.quick ? GAP_QUICK_MS : GAP_FULL_MS;
}

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

bool scan_is_own(const struct net_addr *a)
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

const struct probe_settings *scan_settings_for(const struct scan *s, const struct net_addr *a)
{
	return s->gap_auto && !scan_is_own(a) ? &s->slow : &s->probe;
}

static struct scan_address *address_of(struct scan *s, const struct net_addr *a)
{
	char text[NET_ADDR_SIZE];
	struct scan_address *address;

	net_addr_host_text(a, text);
	address = map_find(&s->addresses, span_of(text));
	if (address)
		return address;
	address = arena_new(&s->arena, struct scan_address);
	address->gap_ms = scan_settings_for(s, a)->gap_ms;
	map_put(&s->addresses, arena_span(&s->arena, span_of(text)), address);
	return address;
}

int scan_take_address(struct scan *s, const struct net_addr *a, struct scan_address **ret)
{
	struct scan_address *address = address_of(s, a);
	uint64_t now;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (r == 0 && address->busy)
		r = task_cond_wait(&s->freed, &s->lock,
			DEADLINE_NEVER); /* whoever has it gives it back, cancelled or not */
	if (r == 0)
		address->busy = true;
	pthread_mutex_unlock(&s->lock);
	now = clock_mono_ms();
	if (r == 0 && address->free_at_ms > now) {
		r = task_sleep(address->free_at_ms - now);
		if (r < 0)
			scan_give_address(s, address);
	}
	*ret = address;
	return r;
}

void scan_give_address(struct scan *s, struct scan_address *address)
{
	pthread_mutex_lock(&s->lock);
	address->busy = false;
	address->free_at_ms = clock_mono_ms() + address->gap_ms;
	task_cond_broadcast(&s->freed);
	pthread_mutex_unlock(&s->lock);
}
