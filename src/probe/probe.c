/*
 * The plan of a probe: what is asked next, given what is known. See probe/probe.h.
 *
 * A full probe walks through all suites and groups (walk.c); a quick one puts few questions that
 * tell much each (quick.c). A server that gave no answer to the first hello is asked the same way
 * in both, with shorter ones.
 */
#include "probe/probe.h"
#include "base/clock.h"
#include "base/mem.h"
#include "probe/probe_priv.h"

/* ---- versions and certificates ---- */

/* TLS 1.3, 1.2 and all that lies below, with everything. */
static int ask_first(struct probe *p, struct ask *ret)
{
	struct probe_lists l;
	struct offer old;

	probe_lists_fill(p, &l);
	old = l.suites;
	offer_suites_13(&l.suites);
	for (unsigned i = 0; i < old.n; i++)
		offer_add(&l.suites, old.v[i]);
	return probe_ask_lists(p, WIRE_TLS13, &l, ret);
}

static int ask_keys(struct probe *p, struct ask *last)
{
	static const enum tls_key_type types[] = { TLS_KEY_RSA, TLS_KEY_ECDSA };
	int r = 0;

	for (size_t i = 0; i < array_len(types) && r == 0; i++)
		if (!probe_has_key(p, types[i]) && p->versions[PROBE_SSL3] != PROBE_NO && probe_may_ask(p)) {
			r = probe_ask_key(p, types[i], last);
			if (last->end == ASK_SILENT)
				break;
		}
	if (r == 0 && p->versions[PROBE_TLS12] == PROBE_NOT_ASKED)
		p->versions[PROBE_TLS12] = PROBE_NO;
	return r;
}

/* Some servers, or what stands before them, drop hellos that are long: a short one with TLS 1.3
 * alone. */
static int ask_short_13(struct probe *p)
{
	static const uint16_t groups[] = { 29, 23, 24 };
	struct wire_hello h;
	struct probe_lists l;
	struct ask a;
	int r;

	offer_suites_13(&l.suites);
	l.groups.n = 0;
	for (size_t i = 0; i < array_len(groups); i++)
		offer_add(&l.groups, groups[i]);
	offer_signatures(&l.signatures);
	h = probe_hello(p, WIRE_TLS13, &l);
	h.only = true;
	r = probe_ask(p, &h, &a);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_NOT_ASKED)
		p->versions[PROBE_TLS13] = PROBE_NO;
	return r;
}

static int ask_older(struct probe *p)
{
	enum probe_version lowest = p->settings->quick ? PROBE_TLS10 : PROBE_SSL2;
	int r = 0;

	for (enum probe_version v = PROBE_TLS11 + 1; v-- > lowest && r == 0;)
		if (p->versions[v] == PROBE_NOT_ASKED && probe_may_ask(p))
			r = probe_ask_version(p, v);
	return r;
}

/* ---- the end ---- */

bool probe_can_shake(const struct probe *p)
{
	for (unsigned i = 0; i < p->suites.n; i++)
		if (tls_suite_get(p->suites.v[i]).kind == TLS_SUITE_USUAL && probe_top_below_13(p) >= WIRE_TLS10)
			return true;
	return p->suites_13.n > 0;
}

int probe_sessions(struct probe *p)
{
	bool rsa = false, ecdsa = false;
	struct fault *fault;
	int r;

	if (!probe_can_shake(p))
		return session_plain(p);
	if (!probe_speaks_13_only(p))
		return probe_shake(p, NULL, 0, &rsa);
	r = probe_shake(p, PROBE_SIGNS_RSA, 0, &rsa);
	fault = p->session_fault;
	if (r == 0 && probe_may_connect(p))
		r = probe_shake(p, PROBE_SIGNS_ECDSA, 0, &ecdsa);
	/* That it lacks one of the two is a finding, not a failure. */
	if (rsa && !ecdsa)
		p->session_fault = fault;
	return r;
}

/* Nothing was chosen in any hello: what the last end means. */
static int give_up(struct probe *p, enum ask_end end, int error)
{
	static const enum probe_verdict verdicts[] = {
		[ASK_REFUSED] = PROBE_FAILED,
		[ASK_CLOSED] = PROBE_RESET,
		[ASK_SILENT] = PROBE_SILENT,
		[ASK_NOT_TLS] = PROBE_NOT_TLS,
	};

	must(end != ASK_HELLO);
	p->verdict = verdicts[end];
	p->error = error;
	return 1;
}

static bool speaks_any(const struct probe *p)
{
	return probe_speaks_below_13(p) || p->versions[PROBE_TLS13] == PROBE_YES ||
		p->versions[PROBE_SSL2] == PROBE_YES;
}

/* The first hello got no answer: shorter ones. */
static int ask_patiently(struct probe *p, struct ask *last)
{
	int r = ask_keys(p, last);

	/* Two resets in a row are no accident of the first hello's size. */
	if (r == 0 && !speaks_any(p) && last->end != ASK_REFUSED && last->end != ASK_HELLO)
		return give_up(p, last->end, last->error);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_NOT_ASKED && probe_may_ask(p))
		r = ask_short_13(p);
	if (r == 0)
		r = ask_older(p);
	return r == 0 && !speaks_any(p) ? give_up(p, ASK_REFUSED, 0) : r;
}

static int run_full(struct probe *p, struct ask *first)
{
	bool long_ok = first->end == ASK_HELLO;
	int r = long_ok ? probe_walk(p, true) : ask_patiently(p, first);

	if (r == 0 && long_ok)
		r = ask_keys(p, first);
	if (r == 0 && long_ok)
		r = ask_older(p);
	if (r == 0 && !long_ok)
		r = probe_walk(p, false);
	if (r == 0)
		r = probe_walk_signatures(p);
	return r ? r : probe_sessions(p);
}

static int run_quick(struct probe *p, struct ask *first)
{
	int r;

	if (first->end == ASK_HELLO)
		return probe_quick(p);
	r = ask_patiently(p, first);
	return r ? r : probe_sessions(p);
}

static int run(struct probe *p)
{
	struct ask first;
	int r = ask_first(p, &first);

	if (r)
		return r;
	if (first.end == ASK_NOT_TLS)
		return give_up(p, first.end, first.error);
	return p->settings->quick ? run_quick(p, &first) : run_full(p, &first);
}

int probe_run(struct probe *p)
{
	int r;

	p->alert = WIRE_NO_ALERT;
	p->began_ms = clock_mono_ms();
	r = run(p);
	p->took_ms = clock_mono_ms() - p->began_ms;
	return r < 0 ? r : 0;
}
