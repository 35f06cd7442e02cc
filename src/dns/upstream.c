/*
 * What is known of an upstream, for all threads.
 *
 * Up until proved otherwise. Down: two failures in a row while it has not answered anything for a
 * second (so that lost packets alone do not take down one that answers others), or at once when the
 * network says that nobody is there. Up again: two answers in a row; one, when no other is up.
 * "Down" is an order, never a ban: it is asked after the others, and at a low rate.
 *
 * A late answer is a sign of life like any other. It also tells how long this upstream takes now,
 * and the same question is not sent to it again before that (as RFC 6298 has it for TCP): one that
 * is behind with its work is not given the same work three times.
 *
 * Failures and returns are logged once each.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "dns/resolver_priv.h"

#define FALL            2
#define RISE            2
#define QUIET_MS        1000
#define SELF_MS         60000
#define RTT_US_MAX      10000000
#define RTT_FRACTION    8
#define VAR_FRACTION    4
#define PATIENCE_MIN_MS 400 /* a lost packet is made good in time */
#define PATIENCE_MAX_MS 5000

struct upstream *upstream_new(const struct net_addr *addr, unsigned number)
{
	struct upstream *u = mem_new(struct upstream);

	u->addr = *addr;
	net_addr_text(addr, u->text);
	u->number = number;
	pthread_mutex_init(&u->lock, NULL);
	return u;
}

void upstream_free(struct upstream *u)
{
	pthread_mutex_destroy(&u->lock);
	mem_free(u);
}

bool upstream_is_usable(const struct upstream *u, uint64_t now_ms)
{
	return atomic_load_explicit(&u->self_until_ms, memory_order_relaxed) <= now_ms;
}

bool upstreams_all_down(const struct upstream_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		if (!upstream_is_down(set->v[i]))
			return false;
	return true;
}

/* Threads may lose each other's measurement: it is one of many. */
static void note_rtt(struct upstream *u, uint64_t rtt_ms)
{
	int64_t now_us = rtt_ms * 1000 < RTT_US_MAX ? (int64_t)rtt_ms * 1000 : RTT_US_MAX;
	int64_t rtt_us = atomic_load_explicit(&u->rtt_us, memory_order_relaxed);
	int64_t var_us = atomic_load_explicit(&u->rtt_var_us, memory_order_relaxed);
	int64_t off_us = now_us > rtt_us ? now_us - rtt_us : rtt_us - now_us;

	var_us = rtt_us ? var_us + (off_us - var_us) / VAR_FRACTION : now_us / 2;
	rtt_us = rtt_us ? rtt_us + (now_us - rtt_us) / RTT_FRACTION : now_us;
	atomic_store_explicit(&u->rtt_us, (uint32_t)rtt_us, memory_order_relaxed);
	atomic_store_explicit(&u->rtt_var_us, (uint32_t)var_us, memory_order_relaxed);
}

unsigned upstream_patience_ms(const struct upstream *u)
{
	unsigned ms = (atomic_load_explicit(&u->rtt_us, memory_order_relaxed) +
			      4 * atomic_load_explicit(&u->rtt_var_us, memory_order_relaxed)) /
		1000;

	return ms < PATIENCE_MIN_MS ? PATIENCE_MIN_MS : ms > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : ms;
}

bool upstream_is_slow(const struct upstream *u)
{
	return atomic_load_explicit(&u->rtt_us, memory_order_relaxed) > SILENT_MS * 1000;
}

bool upstream_answered(struct upstream *u, const struct upstream_set *set, uint64_t rtt_ms)
{
	bool came_back = false;

	atomic_fetch_add_explicit(&u->answered, 1, memory_order_relaxed);
	atomic_store_explicit(&u->answered_ms, loop_now_ms(), memory_order_relaxed);
	note_rtt(u, rtt_ms);
	pthread_mutex_lock(&u->lock);
	u->fails = 0;
	if (u->down && (++u->successes >= RISE || upstreams_all_down(set))) {
		u->down = false;
		u->changed_at = clock_wall_s();
		came_back = true;
	}
	pthread_mutex_unlock(&u->lock);
	if (came_back)
		log_event(LOG_LEVEL_INFO, "names", "upstream-up", "server=%s", u->text);
	return came_back;
}

static void make_fault(const struct upstream *u, enum fault_code code, int error, struct fault *ret)
{
	fault_set(ret, code);
	fault_fact(ret, "server", "%s", u->text);
	if (code == FAULT_DNS_UPSTREAM_FAILS)
		fault_fact(ret, "rcode", "%s", dns_rcode_text(DNS_SERVFAIL));
	if (error)
		fault_fact(ret, "error", "%s", strerror(error));
	if (code != FAULT_DNS_UPSTREAM_SILENT)
		return;
	fault_fact(ret, "transport", "UDP");
	fault_fact(ret, "error", "> %u ms", SILENT_MS);
}

/* Lock held. */
static bool is_enough(const struct upstream *u, int error)
{
	uint64_t answered_ms = atomic_load_explicit(&u->answered_ms, memory_order_relaxed);

	return error != 0 || (u->fails >= FALL && loop_now_ms() - answered_ms >= QUIET_MS);
}

/* A lack of ours is no upstream's fault. */
static bool is_own_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void upstream_failed(struct upstream *u, enum fault_code code, int error)
{
	struct fault fault;
	bool went_down = false;

	if (is_own_lack(error))
		return;
	pthread_mutex_lock(&u->lock);
	u->fails++;
	u->successes = 0;
	if (!u->down && is_enough(u, error)) {
		u->down = true;
		u->changed_at = clock_wall_s();
		went_down = true;
	}
	/* In an outage thousands come a second, all the same. */
	if (went_down || u->fails == 1 || u->why.code != code)
		make_fault(u, code, error, &u->why);
	if (went_down)
		fault = u->why;
	pthread_mutex_unlock(&u->lock);
	if (went_down)
		log_fault(LOG_LEVEL_WARNING, "names", "upstream-down", &fault);
}

/* ---- loops ---- */

void upstream_test_begin(struct upstream *u, uint64_t secret, const struct net_addr *from)
{
	pthread_mutex_lock(&u->lock);
	u->secret = secret;
	u->secret_from = *from;
	pthread_mutex_unlock(&u->lock);
}

void upstream_test_end(struct upstream *u, uint64_t secret)
{
	pthread_mutex_lock(&u->lock);
	if (u->secret == secret)
		u->secret = 0;
	pthread_mutex_unlock(&u->lock);
}

/* What was sent from our socket and came from there took no way through anybody. */
static void make_loop_fault(const struct upstream *u, const struct net_addr *from, const struct net_addr *peer,
	struct fault *ret)
{
	bool direct = net_addr_eq(from, peer);
	char text[NET_ADDR_SIZE];

	make_fault(u, direct ? FAULT_DNS_UPSTREAM_SELF : FAULT_DNS_FORWARD_LOOP, 0, ret);
	net_addr_text(peer, text);
	if (!direct)
		fault_fact(ret, "peer", "%s", text);
}

bool upstream_test_came_back(struct upstream *u, uint64_t secret, const struct net_addr *peer)
{
	uint64_t now_ms = clock_mono_ms();
	struct fault fault;
	bool is_new;

	pthread_mutex_lock(&u->lock);
	if (u->secret != secret) {
		pthread_mutex_unlock(&u->lock);
		return false;
	}
	is_new = atomic_exchange(&u->self_until_ms, now_ms + SELF_MS) <= now_ms;
	make_loop_fault(u, &u->secret_from, peer, &fault);
	u->why = fault;
	if (is_new)
		u->changed_at = clock_wall_s();
	pthread_mutex_unlock(&u->lock);
	if (is_new)
		log_fault(LOG_LEVEL_ERROR, "names", "upstream-self", &fault);
	return true;
}

/* ---- letters ---- */

/* After so many questions in a row in other letters it need not repeat them for so long. */
#define FOLDED_MAX 3
#define FOLDS_MS   600000

bool upstream_keeps_case(const struct upstream *u)
{
	return atomic_load_explicit(&u->keeps_case, memory_order_relaxed) &&
		atomic_load_explicit(&u->folds_until_ms, memory_order_relaxed) <= loop_now_ms();
}

void upstream_kept_case(struct upstream *u)
{
	if (atomic_load_explicit(&u->folded_n, memory_order_relaxed) > 0)
		atomic_store_explicit(&u->folded_n, 0, memory_order_relaxed);
}

void upstream_folded_case(struct upstream *u)
{
	if (atomic_fetch_add_explicit(&u->folded_n, 1, memory_order_relaxed) + 1 < FOLDED_MAX)
		return;
	atomic_store_explicit(&u->folded_n, 0, memory_order_relaxed);
	atomic_store_explicit(&u->folds_until_ms, loop_now_ms() + FOLDS_MS, memory_order_relaxed);
	log_event(LOG_LEVEL_INFO, "names", "upstream-folds-case", "server=%s", u->text);
}

/* ---- for people ---- */

static void upstream_json(struct upstream *u, struct jsonw *j)
{
	bool self = !upstream_is_usable(u, clock_mono_ms());
	char since[CLOCK_RFC3339_SIZE];

	jsonw_object(j, NULL);
	jsonw_text(j, "address", u->text);
	pthread_mutex_lock(&u->lock);
	jsonw_text(j, "state",
		!self                                           ? u->down ? "down" : "up"
			: u->why.code == FAULT_DNS_FORWARD_LOOP ? "loop"
								: "self");
	if (u->changed_at) {
		clock_rfc3339(u->changed_at, since);
		jsonw_text(j, "since", since);
	}
	jsonw_uint(j, "failures_in_a_row", u->fails);
	if (u->fails || self) {
		jsonw_text(j, "code", fault_code_text(u->why.code));
		jsonw_span(j, "error", fault_value(&u->why, "error"));
	}
	pthread_mutex_unlock(&u->lock);
	jsonw_uint(j, "asked", u->asked);
	jsonw_uint(j, "answered", u->answered);
	jsonw_real(j, "rtt_ms", u->rtt_us / 1000.0);
	jsonw_end(j);
}

void dns_resolver_json(struct dns_resolver *r, struct jsonw *j)
{
	struct upstream_set *set = set_current(r);

	jsonw_array(j, "upstreams");
	for (unsigned i = 0; i < set->n; i++)
		upstream_json(set->v[i], j);
	jsonw_end(j);
	set_unref(set);
	answers_json(r->answers, j);
}

void dns_resolver_faults(struct dns_resolver *r, void (*fn)(void *arg, const struct fault *f), void *arg)
{
	struct upstream_set *set = set_current(r);

	for (unsigned i = 0; i < set->n; i++) {
		struct upstream *u = set->v[i];
		struct fault fault = { 0 };

		pthread_mutex_lock(&u->lock);
		if (u->down || !upstream_is_usable(u, clock_mono_ms()))
			fault = u->why;
		pthread_mutex_unlock(&u->lock);
		if (fault.code != FAULT_NONE)
			fn(arg, &fault);
	}
	set_unref(set);
}
