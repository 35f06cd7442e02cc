/*
 * The plan of a probe: what is asked next, given what is known. See survey/probe.h.
 *
 * Every function here returns 0 to go on, 1 when the probe is over (the server had enough, or nothing can be learnt), or -ECANCELED.
 * A hello is only sent while the budget has room for it and for the real handshakes at the end.
 */
#include "survey/probe.h"
#include "base/clock.h"
#include "base/mem.h"
#include "survey/probe_priv.h"

#define ALERT_VERSION 70
#define HOST_MAX_MS \
	(15 * 60 * 1000) /* that one server may take: a greeting delay of 15 s before each of 50 connections */
#define CHUNK       64   /* suites in a hello, for servers that refuse long lists */
#define SHAKES_13   2    /* real handshakes with servers that speak TLS 1.3 only: RSA, ECDSA */
#define SIGNS_RSA   "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define SIGNS_ECDSA "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448"

/* ---- what is known ---- */

bool probe_has_key(const struct probe *p, enum tls_key_type type)
{
	for (unsigned i = 0; i < p->certs_n; i++)
		if (p->certs[i]->type == type)
			return true;
	return false;
}

static bool speaks_below_13(const struct probe *p)
{
	for (unsigned v = PROBE_SSL3; v <= PROBE_TLS12; v++)
		if (p->versions[v] == PROBE_YES)
			return true;
	return false;
}

/* As far as is known now. */
static bool speaks_13_only(const struct probe *p)
{
	return p->versions[PROBE_TLS13] == PROBE_YES && !speaks_below_13(p);
}

/* How many connections may still be made, those kept for real handshakes apart. */
static bool may_ask(const struct probe *p)
{
	unsigned kept = speaks_13_only(p) ? SHAKES_13 : 1;
	unsigned max = PROBE_QUICK_MAX;

	if (!p->settings->quick)
		max = p->suites.n + p->suites_13.n + p->groups.n + PROBE_FULL_EXTRA;
	return p->connections + kept < max && clock_mono_ms() - p->began_ms < HOST_MAX_MS;
}

static uint16_t top_below_13(const struct probe *p)
{
	for (unsigned v = PROBE_TLS12; v >= PROBE_SSL3; v--)
		if (p->versions[v] == PROBE_YES)
			return probe_version_number(v);
	return WIRE_TLS12;
}

/* ---- hellos ---- */

/* The lists of a hello, which the hello itself borrows. */
struct lists {
	struct offer suites, groups, signatures;
};

static struct wire_hello hello_of(const struct probe *p, uint16_t version, const struct lists *l)
{
	struct net_addr literal;

	return (struct wire_hello){ .version = version,
		.suites = offer_list(&l->suites),
		.groups = offer_list(&l->groups),
		.signatures = offer_list(&l->signatures),
		.name = net_addr_parse_host(p->host, &literal) == 0 ? SPAN("") : p->host };
}

static void fill_lists(const struct probe *p, struct lists *l)
{
	offer_suites(&l->suites);
	offer_groups(&l->groups);
	offer_signatures(&l->signatures);
	/* Those that were not seen yet come first: a server that follows the client's order shows them one by one. */
	offer_last(&l->signatures, &p->signatures);
}

/* A refusal by version speaks for all that this hello could have been answered with. */
static void note_refusal(struct probe *p, uint16_t offered, const struct ask *a)
{
	unsigned lowest = offered == WIRE_TLS13 ? PROBE_TLS10 : PROBE_SSL3;

	if (a->end != ASK_REFUSED || a->flight.alert != ALERT_VERSION || offered == WIRE_SSL2)
		return;
	for (unsigned v = lowest; v < PROBE_VERSION_COUNT && probe_version_number(v) <= offered; v++)
		if (p->versions[v] == PROBE_NOT_ASKED)
			p->versions[v] = PROBE_NO;
}

static int ask(struct probe *p, uint16_t version, const struct lists *l, struct ask *ret)
{
	struct wire_hello h = hello_of(p, version, l);
	int r = probe_ask(p, &h, ret);

	if (r == 0)
		note_refusal(p, version, ret);
	return r;
}

/* ---- versions and certificates ---- */

/* TLS 1.3, 1.2 and all that lies below, with everything. */
static int ask_first(struct probe *p, struct ask *ret)
{
	struct lists l;
	struct offer old;

	fill_lists(p, &l);
	old = l.suites;
	offer_suites_13(&l.suites);
	for (unsigned i = 0; i < old.n; i++)
		offer_add(&l.suites, old.v[i]);
	return ask(p, WIRE_TLS13, &l, ret);
}

/* Only what a key of this type can authenticate: the server must show that certificate, or refuse. */
static int ask_key(struct probe *p, enum tls_key_type type, struct ask *ret)
{
	struct lists l;

	fill_lists(p, &l);
	offer_suites_of(type, &l.suites);
	offer_signatures_of(type, &l.signatures);
	return ask(p, top_below_13(p), &l, ret);
}

static int ask_keys(struct probe *p, struct ask *last)
{
	static const enum tls_key_type types[] = { TLS_KEY_RSA, TLS_KEY_ECDSA };
	int r = 0;

	for (size_t i = 0; i < array_len(types) && r == 0; i++)
		if (!probe_has_key(p, types[i]) && p->versions[PROBE_SSL3] != PROBE_NO && may_ask(p)) {
			r = ask_key(p, types[i], last);
			if (last->end == ASK_SILENT)
				break;
		}
	if (r == 0 && p->versions[PROBE_TLS12] == PROBE_NOT_ASKED)
		p->versions[PROBE_TLS12] = PROBE_NO;
	return r;
}

/* Some servers, or what stands before them, drop hellos that are long: a short one with TLS 1.3 alone. */
static int ask_short_13(struct probe *p)
{
	static const uint16_t groups[] = { 29, 23, 24 };
	struct wire_hello h;
	struct lists l;
	struct ask a;
	int r;

	offer_suites_13(&l.suites);
	l.groups.n = 0;
	for (size_t i = 0; i < array_len(groups); i++)
		offer_add(&l.groups, groups[i]);
	offer_signatures(&l.signatures);
	h = hello_of(p, WIRE_TLS13, &l);
	h.only = true;
	r = probe_ask(p, &h, &a);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_NOT_ASKED)
		p->versions[PROBE_TLS13] = PROBE_NO;
	return r;
}

static int ask_version(struct probe *p, enum probe_version v)
{
	struct lists l;
	struct ask a;
	int r;

	fill_lists(p, &l);
	r = ask(p, probe_version_number(v), &l, &a);
	if (r == 0 && p->versions[v] == PROBE_NOT_ASKED)
		p->versions[v] = PROBE_NO;
	return r;
}

static int ask_older(struct probe *p)
{
	enum probe_version lowest = p->settings->quick ? PROBE_TLS10 : PROBE_SSL2;
	int r = 0;

	for (enum probe_version v = PROBE_TLS11 + 1; v-- > lowest && r == 0;)
		if (p->versions[v] == PROBE_NOT_ASKED && may_ask(p))
			r = ask_version(p, v);
	return r;
}

/* ---- walks ---- */

/* Asks for what is left of l->suites until it is refused. *ret_found: how many were chosen; *ret_whole: it ended by refusal. */
static int walk_list(struct probe *p, uint16_t version, struct lists *l, unsigned *ret_found, bool *ret_whole)
{
	struct wire_hello h;
	struct ask a;

	*ret_found = 0;
	*ret_whole = false;
	while (l->suites.n > 0 && may_ask(p)) {
		int r;

		offer_last(&l->signatures, &p->signatures);
		h = hello_of(p, version, l);
		h.only = version == WIRE_TLS13;
		r = probe_ask(p, &h, &a);
		if (r)
			return r;
		if (*ret_found == 0 && !h.only)
			note_refusal(p, version, &a);
		*ret_whole = a.end == ASK_REFUSED || a.end == ASK_CLOSED;
		if (a.end != ASK_HELLO)
			return 0;
		p->suite_not_offered |= !offer_has(&l->suites, a.flight.suite);
		if (p->suite_not_offered)
			return 0;
		offer_remove(&l->suites, a.flight.suite);
		++*ret_found;
	}
	*ret_whole = l->suites.n == 0;
	return 0;
}

static void without(struct offer *o, const struct offer *seen)
{
	for (unsigned i = 0; i < seen->n; i++)
		offer_remove(o, seen->v[i]);
}

/* Piece by piece, since it refused the whole list although it takes one of it. The order between pieces stays unknown. */
static int walk_pieces(struct probe *p, const struct lists *all, bool *ret_whole)
{
	int r = 0;

	p->ordered = false;
	*ret_whole = true;
	for (unsigned at = 0; at < all->suites.n && r == 0; at += CHUNK) {
		struct lists l = *all;
		unsigned found;
		bool whole;

		l.suites.n = 0;
		for (unsigned i = at; i < at + CHUNK && i < all->suites.n; i++)
			offer_add(&l.suites, all->suites.v[i]);
		r = walk_list(p, top_below_13(p), &l, &found, &whole);
		*ret_whole &= whole;
	}
	return r;
}

/* long_ok: a hello with all suites has been answered, so that a refusal is not about its length; the suite chosen then is the first. */
static int walk_suites(struct probe *p, bool long_ok, bool *ret_whole)
{
	unsigned found;
	struct lists l;
	int r;

	if (!long_ok)
		p->suites.n = 0;
	fill_lists(p, &l);
	without(&l.suites, &p->suites);
	p->ordered = true;
	r = walk_list(p, top_below_13(p), &l, &found, ret_whole);
	if (r == 0 && found == 0 && !long_ok)
		r = walk_pieces(p, &l, ret_whole);
	return r;
}

static bool stand_in_our_order(const struct offer *found)
{
	struct offer ours;
	unsigned at = 0;

	offer_suites(&ours);
	for (unsigned i = 0; i < found->n; i++) {
		while (at < ours.n && ours.v[at] != found->v[i])
			at++;
		if (at == ours.n)
			return false;
	}
	return true;
}

/* Suites that came in our order are no preference of the server's if it takes the last one first when that is offered first. */
static int ask_order(struct probe *p)
{
	struct lists l;
	struct ask a;
	int r;

	if (!p->ordered || p->suites.n < 2 || !stand_in_our_order(&p->suites) || !may_ask(p))
		return 0;
	fill_lists(p, &l);
	l.suites.n = 0;
	for (unsigned i = p->suites.n; i-- > 0;)
		offer_add(&l.suites, p->suites.v[i]);
	r = ask(p, top_below_13(p), &l, &a);
	if (r == 0 && a.end == ASK_HELLO && a.flight.suite == l.suites.v[0]) {
		p->follows_client = true;
		p->ordered = false;
	}
	return r;
}

static int walk_suites_13(struct probe *p, bool *ret_whole)
{
	unsigned found;
	struct lists l;

	fill_lists(p, &l);
	offer_suites_13(&l.suites);
	without(&l.suites, &p->suites_13);
	return walk_list(p, WIRE_TLS13, &l, &found, ret_whole);
}

/* The suites found that need a group and, if wanted, are signed by a key of this type. */
static void suites_with_exchange(const struct probe *p, bool dhe, enum tls_suite_auth auth, struct offer *ret)
{
	ret->n = 0;
	for (unsigned i = 0; i < p->suites.n; i++) {
		struct tls_suite s = tls_suite_get(p->suites.v[i]);

		if ((s.exchange == TLS_EXCHANGE_ECDHE || (dhe && s.exchange == TLS_EXCHANGE_DHE)) &&
			(auth == TLS_AUTH_ANY || s.auth == auth))
			offer_add(ret, s.number);
	}
}

static int walk_groups(struct probe *p, bool *ret_whole)
{
	bool in_13 = p->versions[PROBE_TLS13] == PROBE_YES;
	struct lists l;
	struct ask a;

	fill_lists(p, &l);
	if (in_13)
		offer_suites_13(&l.suites);
	else
		suites_with_exchange(p, false, TLS_AUTH_ANY, &l.suites);
	without(&l.groups, &p->groups);
	*ret_whole = true;
	while (l.suites.n > 0 && l.groups.n > 0 && may_ask(p)) {
		struct wire_hello h = hello_of(p, in_13 ? WIRE_TLS13 : top_below_13(p), &l);
		int r;

		h.only = in_13;
		r = probe_ask(p, &h, &a);
		if (r)
			return r;
		*ret_whole = a.end == ASK_REFUSED || a.end == ASK_CLOSED;
		/* Some take a group that was not offered. */
		if (a.end != ASK_HELLO || !offer_has(&l.groups, a.flight.group))
			return 0;
		offer_remove(&l.groups, a.flight.group);
	}
	return 0;
}

/* Signature algorithms of one key type that the other walks have not shown; one refusal ends it. */
static int walk_signatures_of(struct probe *p, enum tls_key_type type, bool *ret_whole)
{
	struct lists l;
	struct ask a;

	fill_lists(p, &l);
	suites_with_exchange(p, true, type == TLS_KEY_RSA ? TLS_AUTH_RSA : TLS_AUTH_ECDSA, &l.suites);
	offer_signatures_of(type, &l.signatures);
	without(&l.signatures, &p->signatures);
	*ret_whole = l.suites.n == 0 || l.signatures.n == 0;
	while (!*ret_whole && l.signatures.n > 0 && may_ask(p)) {
		int r = ask(p, WIRE_TLS12, &l, &a);

		if (r)
			return r;
		*ret_whole = a.end == ASK_REFUSED;
		if (a.end != ASK_HELLO || !offer_has(&l.signatures, a.flight.signature))
			return 0;
		offer_remove(&l.signatures, a.flight.signature);
	}
	return 0;
}

static int walk_signatures(struct probe *p)
{
	bool rsa = true, ecdsa = true;
	int r = 0;

	if (p->versions[PROBE_TLS12] != PROBE_YES)
		return 0;
	if (probe_has_key(p, TLS_KEY_RSA))
		r = walk_signatures_of(p, TLS_KEY_RSA, &rsa);
	if (r == 0 && (probe_has_key(p, TLS_KEY_ECDSA) || probe_has_key(p, TLS_KEY_ED25519)))
		r = walk_signatures_of(p, TLS_KEY_ECDSA, &ecdsa);
	p->signatures_all = r == 0 && rsa && ecdsa;
	return r;
}

/* Those of TLS 1.2 and below first: they may show the other certificate. */
static int walk_all(struct probe *p, bool long_ok)
{
	bool whole = true, whole_13 = true, groups = true;
	int r = 0;

	if (speaks_below_13(p) || p->versions[PROBE_TLS12] == PROBE_NOT_ASKED)
		r = walk_suites(p, long_ok, &whole);
	if (r == 0)
		r = ask_order(p);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_YES)
		r = walk_suites_13(p, &whole_13);
	if (r == 0)
		r = walk_groups(p, &groups);
	p->full = r == 0 && whole && whole_13 && groups;
	return r;
}

/* ---- the end ---- */

/* OpenSSL can speak one of its suites in one of its versions. */
static bool can_shake(const struct probe *p)
{
	for (unsigned i = 0; i < p->suites.n; i++)
		if (tls_suite_get(p->suites.v[i]).kind == TLS_SUITE_USUAL && top_below_13(p) >= WIRE_TLS10)
			return true;
	return p->suites_13.n > 0;
}

static int shake(struct probe *p)
{
	bool done = false;
	int r;

	if (!can_shake(p))
		return session_plain(p);
	if (!speaks_13_only(p))
		return probe_shake(p, NULL, &done);
	r = probe_shake(p, SIGNS_RSA, &done);
	if (r == 0)
		r = probe_shake(p, SIGNS_ECDSA, &done);
	/* That it lacks one of the two is a finding, not a failure. */
	if (p->session)
		p->session_fault = NULL;
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
	return speaks_below_13(p) || p->versions[PROBE_TLS13] == PROBE_YES || p->versions[PROBE_SSL2] == PROBE_YES;
}

static int run(struct probe *p)
{
	bool full, long_ok;
	struct ask a;
	int r = ask_first(p, &a);

	if (r)
		return r;
	if (a.end == ASK_NOT_TLS)
		return give_up(p, a.end, a.error);
	full = !p->settings->quick;
	long_ok = a.end == ASK_HELLO;
	if (full && long_ok)
		r = walk_all(p, true);
	if (r == 0)
		r = ask_keys(p, &a);
	/* Two resets in a row are no accident of the first hello's size. */
	if (r == 0 && !speaks_any(p) && a.end != ASK_REFUSED && a.end != ASK_HELLO)
		return give_up(p, a.end, a.error);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_NOT_ASKED && may_ask(p))
		r = ask_short_13(p);
	if (r == 0)
		r = ask_older(p);
	if (r == 0 && !speaks_any(p))
		return give_up(p, ASK_REFUSED, 0);
	if (r == 0 && full && !long_ok)
		r = walk_all(p, false);
	if (r == 0 && full)
		r = walk_signatures(p);
	return r ? r : shake(p);
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
