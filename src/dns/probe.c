/*
 * Probes: each second every upstream is asked for the root's name servers, which any resolver
 * knows; SERVFAIL and silence count against it, and REFUSED does unless it answered others a moment
 * ago. While all are down they are asked four times a second, so that recovery is seen at once.
 * Thread 0 does this for all.
 *
 * The first probes and every thirtieth are loop tests: each has a new name, a random number below
 * "example", which no registry gives away (RFC 6761 6.5; resolvers treat it as any name, whereas
 * many answer "invalid" themselves, so that a loop behind them would not show). If that question
 * comes to our own listeners while the test is under way, the upstream is ourselves (behind a
 * wildcard address or NAT) or asks us, and dns_resolver_is_loop() says so. The name of a test that
 * has ended proves nothing: whoever has seen it can ask for it. These names have letters, which
 * show whether the upstream repeats a question as it was written.
 *
 * A probe without an answer counts against its upstream after SILENT_MS and is still listened for
 * until LATE_PROBE_MS: late is not dead.
 *
 * Upstreams of /etc/resolv.conf are probed only while they are down or slow.
 */
#include <errno.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/rand.h"
#include "dns/resolver_priv.h"

#define PROBE_MS         1000
#define PROBE_HURRY_MS   250
#define LATE_PROBE_MS    5000
#define SECRET_FIRST     3
#define SECRET_EVERY     30
#define REFUSED_QUIET_MS 10000
#define SECRET_PREFIX    "\30torhaus-" /* a label of 24 bytes */
#define SECRET_DIGITS    16
#define SECRET_ZONE      "\7example"

/* ---- names ---- */

#define SECRET_N  (sizeof(SECRET_PREFIX) - 1 + SECRET_DIGITS + sizeof(SECRET_ZONE))
#define DIGITS_AT (sizeof(SECRET_PREFIX) - 1)

static void secret_name(uint64_t secret, struct dns_name *ret)
{
	ret->n = SECRET_N;
	memcpy(ret->p, SECRET_PREFIX, DIGITS_AT);
	for (unsigned i = 0; i < SECRET_DIGITS; i++)
		ret->p[DIGITS_AT + i] = (uint8_t) "0123456789abcdef"[secret >> (4 * i) & 15];
	memcpy(ret->p + DIGITS_AT + SECRET_DIGITS, SECRET_ZONE, sizeof(SECRET_ZONE));
}

/* 0: name is no such name. */
static uint64_t secret_of(const struct dns_name *name)
{
	struct dns_name again;
	uint64_t secret = 0;

	if (name->n != SECRET_N || memcmp(name->p, SECRET_PREFIX, DIGITS_AT) != 0)
		return 0;
	for (unsigned i = 0; i < SECRET_DIGITS; i++) {
		unsigned c = name->p[DIGITS_AT + i];

		secret |= (uint64_t)((c <= '9' ? c - '0' : c - 'a' + 10) & 15) << (4 * i);
	}
	secret_name(secret, &again);
	return dns_name_eq(&again, name) ? secret : 0;
}

void probe_question(const struct dns_try *t, struct dns_question *ret)
{
	*ret = (struct dns_question){ .type = t->secret ? DNS_TYPE_A : DNS_TYPE_NS, .klass = DNS_CLASS_IN };
	if (t->secret)
		secret_name(t->secret, &ret->name);
	else
		ret->name.n = 1;
}

void probe_leaves(const struct dns_try *t, int fd)
{
	struct net_addr from = { .n = sizeof(from.un) };

	if (t->secret && getsockname(fd, &from.sa, &from.n) == 0)
		upstream_test_begin(t->lane->upstream, t->secret, &from);
}

bool dns_resolver_is_loop(struct dns_resolver *r, const struct dns_name *name, const struct net_addr *peer)
{
	uint64_t secret = secret_of(name);
	struct upstream_set *set;
	bool found = false;

	if (!secret)
		return false;
	set = set_current(r);
	for (unsigned i = 0; i < set->n && !found; i++)
		found = upstream_test_came_back(set->v[i], secret, peer);
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
	return dns_get_u16((const uint8_t *)message.p + 4) == 1 && try_match(&strict, message) == TRY_MATCHES;
}

void probe_answered(struct dns_try *t, struct span message)
{
	unsigned rcode = dns_get_u16((const uint8_t *)message.p + 2) & DNS_RCODE;
	struct upstream *u = t->lane->upstream;

	upstream_test_end(u, t->secret);
	if (t->secret && (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN))
		atomic_store_explicit(&u->keeps_case, is_verbatim(t, message), memory_order_relaxed);
	/* An unknown top-level domain may be refused or fail; the root must not. */
	if (rcode == DNS_SERVFAIL && !t->secret)
		upstream_failed(u, FAULT_DNS_UPSTREAM_FAILS, 0);
	else if (rcode == DNS_REFUSED && !t->secret && !answered_lately(u))
		upstream_failed(u, FAULT_DNS_UPSTREAM_REFUSES, 0);
	else if (upstream_answered(u, t->lane->client->set, loop_now_ms() - t->sent_ms))
		upstream_came_back(t->lane->client->resolver, u, t->sent_ms);
	try_drop(t);
}

void probe_failed(struct dns_try *t, int error)
{
	upstream_test_end(t->lane->upstream, t->secret);
	upstream_failed(t->lane->upstream, FAULT_DNS_UPSTREAM_DOWN, error);
	try_drop(t);
}

/* ---- sending ---- */

static uint64_t rand_secret(void)
{
	uint64_t secret;

	rand_bytes(&secret, sizeof(secret));
	return secret ? secret : 1;
}

static void send_probe(struct lane *lane)
{
	struct dns_try *t = mem_new(struct dns_try);
	bool self = !upstream_is_usable(lane->upstream, loop_now_ms());
	int r;

	t->lane = lane;
	t->edns = true;
	t->sent_ms = loop_now_ms();
	if (self || lane->probes_sent < SECRET_FIRST || lane->probes_sent % SECRET_EVERY == 0)
		t->secret = rand_secret();
	t->case_bits = t->secret;
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
		if (t->late)
			upstream_test_end(lane->upstream, t->secret);
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
