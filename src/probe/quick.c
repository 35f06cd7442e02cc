/*
 * The plan of a quick probe: at most PROBE_QUICK_MAX connections for the versions, both
 * certificates and what a server should not take any more. They suffice since every question is put
 * so that its answer tells several things:
 *
 *   everything, TLS 1.3 at most         (asked already) the highest version; below 1.3 a
 *                                       certificate
 *   ECDSA, TLS 1.2 at most              that certificate; 1.2
 *   RSA, TLS 1.1 at most                1.1, or that nothing lies below 1.2; the RSA certificate
 *   without ECDHE, TLS 1.0 at most      where 1.1 is taken: 1.0; the group of classic DH
 *   the same and what is weak, TLS 1.2  where 1.1 is not taken: the RSA certificate; one refusal
 *                                       clears it of weak suites and classic DH
 *   what is weak                        kind by kind, as long as there is room; then SSL 3
 *   a complete session                  with RSA alone if that certificate has not been seen yet,
 *                                       with TLS 1.2 at most if that is open
 *
 * Where a server refuses a version with another alert than protocol_version, or has ECDSA alone and
 * versions from 1.0 on, they do not suffice for all: then what stands last is left out, and results
 * say that it was not asked.
 */
#include "base/mem.h"
#include "probe/probe_priv.h"

static bool is_open(const struct probe *p, enum probe_version v)
{
	return p->versions[v] == PROBE_NOT_ASKED;
}

static bool may_speak_below_13(const struct probe *p)
{
	for (enum probe_version v = PROBE_SSL3; v <= PROBE_TLS12; v++)
		if (p->versions[v] != PROBE_NO)
			return true;
	return false;
}

static bool has_answered(const struct ask *a)
{
	return a->end == ASK_HELLO;
}

static bool has_refused(const struct ask *a)
{
	return a->end == ASK_REFUSED || a->end == ASK_CLOSED;
}

/* Silent if there is no room for it. */
static int ask_some(struct probe *p, uint16_t version, const struct offer *suites, struct ask *ret)
{
	struct probe_lists l;

	*ret = (struct ask){ .end = ASK_SILENT };
	if (suites->n == 0 || !probe_may_ask(p))
		return 0;
	probe_lists_fill(p, &l);
	l.suites = *suites;
	return probe_ask_lists(p, version, &l, ret);
}

/* ECDSA where RSA is to be seen elsewhere; what speaks TLS 1.1 at most has no such place. */
static int ask_certificates(struct probe *p)
{
	struct ask a;
	int r = 0;

	if (!probe_has_key(p, TLS_KEY_ECDSA) && may_speak_below_13(p) && probe_may_ask(p))
		r = probe_ask_key(p, TLS_KEY_ECDSA, &a);
	if (r == 0 && !probe_has_key(p, TLS_KEY_RSA) && p->versions[PROBE_TLS12] == PROBE_NO && may_speak_below_13(p) &&
		probe_may_ask(p))
		r = probe_ask_key(p, TLS_KEY_RSA, &a);
	return r;
}

/* ---- what is weak ---- */

/* Neither weak suites nor classic ones: nothing of both is taken. An answer with one kind leaves
 * the other open. */
static int ask_weak_or_classic(struct probe *p)
{
	struct offer both, classic;
	struct ask a;
	int r;

	offer_suites_weak(&both);
	offer_suites_classic(&classic);
	for (unsigned i = 0; i < classic.n; i++)
		offer_add(&both, classic.v[i]);
	r = ask_some(p, probe_top_below_13(p), &both, &a);
	if (r == 0 && has_refused(&a) && p->obsolete == PROBE_NOT_ASKED)
		p->obsolete = PROBE_NO;
	return r;
}

/* The weak suites of kinds not seen yet. */
static void unseen_weak(const struct probe *p, struct offer *ret)
{
	struct offer weak;
	unsigned seen = 0;

	for (unsigned i = 0; i < p->suites.n; i++)
		seen |= offer_weaknesses(p->suites.v[i]);
	offer_suites_weak(&weak);
	ret->n = 0;
	for (unsigned i = 0; i < weak.n; i++)
		if (offer_weaknesses(weak.v[i]) & ~seen)
			offer_add(ret, weak.v[i]);
}

static int ask_weak(struct probe *p)
{
	struct offer weak;
	struct ask a;
	int r = 0;

	if (p->obsolete == PROBE_NO)
		return 0;
	do {
		unseen_weak(p, &weak);
		r = ask_some(p, probe_top_below_13(p), &weak, &a);
	} while (r == 0 && has_answered(&a) && offer_has(&weak, a.flight.suite));
	if (r == 0 && has_refused(&a) && p->obsolete == PROBE_NOT_ASKED)
		p->obsolete = PROBE_NO;
	return r;
}

/* ---- older versions ---- */

static int ask_rsa_11(struct probe *p, struct ask *ret)
{
	struct offer rsa;

	offer_suites_of(TLS_KEY_RSA, &rsa);
	return ask_some(p, WIRE_TLS11, &rsa, ret);
}

/* With all suites: a refusal, whatever its alert, speaks for all versions below, too. */
static int ask_all(struct probe *p, enum probe_version top, struct ask *ret)
{
	struct offer all;
	int r;

	offer_suites(&all);
	r = ask_some(p, probe_version_number(top), &all, ret);
	for (enum probe_version v = PROBE_SSL3; v <= top && r == 0 && has_refused(ret); v++)
		if (is_open(p, v))
			p->versions[v] = PROBE_NO;
	return r;
}

static int ask_below(struct probe *p, enum probe_version v)
{
	return is_open(p, v) && p->versions[v + 1] == PROBE_YES && probe_may_ask(p) ? probe_ask_version(p, v) : 0;
}

/* Without ECDHE, so that the group of classic DH is seen; for those who refuse that, with all. */
static int ask_10(struct probe *p)
{
	struct offer classic;
	struct ask a;
	int r = 0;

	offer_suites_classic(&classic);
	if (is_open(p, PROBE_TLS10) && p->versions[PROBE_TLS11] == PROBE_YES && probe_has_key(p, TLS_KEY_RSA))
		r = ask_some(p, WIRE_TLS10, &classic, &a);
	return r ? r : ask_below(p, PROBE_TLS10);
}

/* Who takes nothing of RSA but something else has no such certificate. */
static int ask_11(struct probe *p)
{
	struct ask a;
	int r;

	if (!is_open(p, PROBE_TLS11))
		return 0;
	r = ask_rsa_11(p, &a);
	if (r == 0 && is_open(p, PROBE_TLS11) && is_open(p, PROBE_TLS12))
		r = ask_all(p, PROBE_TLS12, &a);
	if (r || !is_open(p, PROBE_TLS11))
		return r;
	r = ask_all(p, PROBE_TLS11, &a);
	p->no_rsa = has_answered(&a) && !probe_has_key(p, TLS_KEY_RSA);
	return r;
}

/* ---- the session ---- */

/* Answers what is open; where it fails for that, another one asks for nothing. */
static int hold_session(struct probe *p)
{
	bool rsa = !probe_has_key(p, TLS_KEY_RSA) && !p->no_rsa, is_12_open = is_open(p, PROBE_TLS12), done = false;
	int r;

	if ((!rsa && !is_12_open) || p->versions[PROBE_TLS12] == PROBE_NO || !probe_can_shake(p))
		return probe_sessions(p);
	r = probe_shake(p, rsa ? PROBE_SIGNS_RSA : NULL, is_12_open ? WIRE_TLS12 : 0, &done);
	if (r || done)
		return r;
	if (is_12_open)
		p->versions[PROBE_TLS12] = PROBE_NO;
	p->session_fault = NULL;
	return probe_may_connect(p) ? probe_sessions(p) : 0;
}

int probe_quick(struct probe *p)
{
	int r = ask_certificates(p);

	if (r == 0)
		r = ask_11(p);
	if (r == 0)
		r = ask_10(p);
	if (r == 0 && p->versions[PROBE_TLS11] == PROBE_NO && p->versions[PROBE_TLS12] != PROBE_NO)
		r = ask_weak_or_classic(p);
	if (r == 0 && may_speak_below_13(p))
		r = ask_weak(p);
	if (r == 0)
		r = ask_below(p, PROBE_SSL3);
	return r ? r : hold_session(p);
}
