/*
 * Probes: each second every upstream is asked for the root's name servers, which any resolver
 * knows; SERVFAIL and silence count against it, and REFUSED does unless it answered others a moment
 * ago. While all are down they are asked four times a second, so that recovery is seen at once.
 * Thread 0 does this for all.
 *
 * The first probes and every thirtieth have a name that only this process knows. If that question
 * ever comes to our own listeners, the upstream is ourselves (behind a wildcard address, NAT, or
 * another forwarder), and dns_resolver_is_loop() says so. These names have letters, which show
 * whether the upstream repeats a question as it was written.
 *
 * A probe without an answer counts against its upstream after SILENT_MS and is still listened for
 * until LATE_PROBE_MS: late is not dead.
 *
 * Upstreams of /etc/resolv.conf are probed only while they are down or slow.
 */
#include <errno.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/rand.h"
#include "dns/resolver_priv.h"

#define PROBE_MS         1000
#define PROBE_HURRY_MS   250
#define LATE_PROBE_MS    5000
#define SECRET_FIRST     3
#define SECRET_EVERY     30
#define REFUSED_QUIET_MS 10000
#define SECRET_LABEL     "torhaus-%016llx-%04x"
#define SECRET_SIZE      32

/* ---- names ---- */

/* A label of its own for each upstream, below a name that no registry gives away (RFC 6761 6.4). */
static void secret_name(const struct dns_resolver *r, unsigned number, struct dns_name *ret)
{
	char text[SECRET_SIZE + sizeof(".invalid")];
	uint64_t key;

	memcpy(&key, r->loop_key, sizeof(key));
	snprintf(text, sizeof(text), SECRET_LABEL ".invalid", (unsigned long long)key, number & 0xffff);
	must(dns_name_parse(span_of(text), ret) == 0);
}

static bool is_secret(const struct dns_try *t)
{
	return t->letters != 0;
}

void probe_question(const struct dns_try *t, struct dns_question *ret)
{
	*ret = (struct dns_question){ .type = is_secret(t) ? DNS_TYPE_A : DNS_TYPE_NS, .klass = DNS_CLASS_IN };
	if (is_secret(t))
		secret_name(t->lane->client->resolver, t->lane->upstream->number, &ret->name);
	else
		ret->name.n = 1;
}

bool dns_resolver_is_loop(struct dns_resolver *r, const struct dns_name *name)
{
	struct upstream_set *set;
	bool found = false;

	if (name->n < SECRET_SIZE || memcmp(name->p + 1, "torhaus-", 8) != 0)
		return false;
	set = set_current(r);
	for (unsigned i = 0; i < set->n && !found; i++) {
		struct dns_name secret;

		secret_name(r, set->v[i]->number, &secret);
		found = dns_name_eq(&secret, name);
		if (found)
			upstream_is_self(set->v[i]);
	}
	set_unref(set);
	return found;
}

/* ---- what comes of one ---- */

static bool answered_lately(const struct upstream *u)
{
	uint64_t ms = atomic_load_explicit(&u->answered_ms, memory_order_relaxed);

	return ms && loop_now_ms() - ms < REFUSED_QUIET_MS;
}

/* Are the letters those that were sent? */
static bool is_verbatim(const struct dns_try *t, struct span message)
{
	struct dns_try strict = *t;

	strict.strict = true;
	return dns_get_u16((const uint8_t *)message.p + 4) == 1 && try_matches(&strict, message);
}

void probe_answered(struct dns_try *t, struct span message)
{
	unsigned rcode = dns_get_u16((const uint8_t *)message.p + 2) & DNS_RCODE;
	struct upstream *u = t->lane->upstream;

	if (is_secret(t) && (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN))
		atomic_store_explicit(&u->keeps_case, is_verbatim(t, message), memory_order_relaxed);
	/* An unknown top-level domain may be refused or fail; the root must not. */
	if (rcode == DNS_SERVFAIL && !is_secret(t))
		upstream_failed(u, FAULT_DNS_UPSTREAM_FAILS, 0);
	else if (rcode == DNS_REFUSED && !is_secret(t) && !answered_lately(u))
		upstream_failed(u, FAULT_DNS_UPSTREAM_REFUSES, 0);
	else if (upstream_answered(u, t->lane->client->set, loop_now_ms() - t->sent_ms))
		upstream_came_back(t->lane->client->resolver, u, t->sent_ms);
	try_drop(t);
}

void probe_failed(struct dns_try *t, int error)
{
	upstream_failed(t->lane->upstream, FAULT_DNS_UPSTREAM_DOWN, error);
	try_drop(t);
}

/* ---- sending ---- */

static void send_probe(struct lane *lane)
{
	struct dns_try *t = mem_new(struct dns_try);
	bool self = !upstream_is_usable(lane->upstream, loop_now_ms());
	int r;

	t->lane = lane;
	t->edns = true;
	t->sent_ms = loop_now_ms();
	if (self || lane->probes_sent < SECRET_FIRST || lane->probes_sent % SECRET_EVERY == 0)
		t->letters = rand_fast() | 1;
	lane->probes_sent++;
	list_init(&t->in_port);
	list_init(&t->by_id);
	list_push_back(&lane->probes, &t->in_question);
	r = port_send(t);
	if (r < 0)
		probe_failed(t, -r);
}

static bool is_in_use(const struct lane *lane)
{
	const struct upstream_set *set = lane->client->set;

	for (unsigned i = 0; i < set->n; i++)
		if (set->v[i] == lane->upstream)
			return true;
	return false;
}

static void expire(struct lane *lane)
{
	bool counts = is_in_use(lane);

	list_each_safe (it, &lane->probes) {
		struct dns_try *t = container_of(it, struct dns_try, in_question);
		uint64_t age_ms = loop_now_ms() - t->sent_ms;

		if (counts && age_ms >= SILENT_MS && !t->late)
			upstream_failed(lane->upstream, FAULT_DNS_UPSTREAM_SILENT, 0);
		t->late = age_ms >= SILENT_MS;
		if (!counts || age_ms >= LATE_PROBE_MS)
			try_drop(t);
	}
}

static void on_tick(void *arg)
{
	struct dns_client *c = arg;
	uint64_t now_ms = loop_now_ms();
	bool hurry;

	for (unsigned i = 0; i < c->lanes_n; i++)
		expire(c->lanes[i]);
	hurry = upstreams_all_down(c->set);
	for (unsigned i = 0; i < c->set->n; i++) {
		struct lane *lane = c->lane[i];
		bool wanted = c->set->probed || upstream_is_down(lane->upstream) || upstream_is_slow(lane->upstream);

		if (!wanted || (now_ms < lane->next_probe_ms && !hurry))
			continue;
		lane->next_probe_ms = now_ms + PROBE_MS;
		send_probe(lane);
	}
	if (c->lanes_n > 0)
		loop_timer_set(&c->probe_timer, now_ms + (hurry ? PROBE_HURRY_MS : PROBE_MS), on_tick, c);
}

void probe_start(struct dns_client *c)
{
	loop_timer_clear(&c->probe_timer);
	on_tick(c);
}

void probe_stop(struct dns_client *c)
{
	loop_timer_clear(&c->probe_timer);
	for (unsigned i = 0; i < c->lanes_n; i++)
		while (!list_empty(&c->lanes[i]->probes))
			try_drop(container_of(c->lanes[i]->probes.next, struct dns_try, in_question));
}
