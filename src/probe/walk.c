/*
 * The walks of a full probe: what is offered is taken away piece by piece as the server chooses it,
 * until it refuses what is left. So suites and groups come in the server's order, each in one
 * connection more than there are. See probe/probe.h.
 */
#include "base/mem.h"
#include "probe/probe_priv.h"

#define CHUNK 64 /* suites in a hello, for servers that refuse long lists */

/* Asks for what is left of l->suites until it is refused. *ret_found: how many were chosen;
 * *ret_whole: it ended by refusal. */
static int walk_list(struct probe *p, uint16_t version, struct probe_lists *l, unsigned *ret_found, bool *ret_whole)
{
	struct wire_hello h;
	struct ask a;

	*ret_found = 0;
	*ret_whole = false;
	while (l->suites.n > 0 && probe_may_ask(p)) {
		int r;

		probe_lists_turn(p, l);
		h = probe_hello(p, version, l);
		h.only = version == WIRE_TLS13;
		r = probe_ask(p, &h, &a);
		if (r)
			return r;
		if (*ret_found == 0 && !h.only)
			probe_note_refusal(p, version, &a);
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

/* Piece by piece, since it refused the whole list although it takes one of it. The order between
 * pieces stays unknown. */
static int walk_pieces(struct probe *p, const struct probe_lists *all, bool *ret_whole)
{
	int r = 0;

	p->ordered = false;
	*ret_whole = true;
	for (unsigned at = 0; at < all->suites.n && r == 0; at += CHUNK) {
		struct probe_lists l = *all;
		unsigned found;
		bool whole;

		l.suites.n = 0;
		for (unsigned i = at; i < at + CHUNK && i < all->suites.n; i++)
			offer_add(&l.suites, all->suites.v[i]);
		r = walk_list(p, probe_top_below_13(p), &l, &found, &whole);
		*ret_whole &= whole;
	}
	return r;
}

/* long_ok: a hello with all suites has been answered, so that a refusal is not about its length;
 * the suite chosen then is the first. */
static int walk_suites(struct probe *p, bool long_ok, bool *ret_whole)
{
	unsigned found;
	struct probe_lists l;
	int r;

	if (!long_ok)
		p->suites.n = 0;
	probe_lists_fill(p, &l);
	without(&l.suites, &p->suites);
	p->ordered = true;
	r = walk_list(p, probe_top_below_13(p), &l, &found, ret_whole);
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

/* Suites that came in our order are no preference of the server's if it takes the last one first
 * when that is offered first. */
static int ask_order(struct probe *p)
{
	struct probe_lists l;
	struct ask a;
	int r;

	if (!p->ordered || p->suites.n < 2 || !stand_in_our_order(&p->suites) || !probe_may_ask(p))
		return 0;
	probe_lists_fill(p, &l);
	l.suites.n = 0;
	for (unsigned i = p->suites.n; i-- > 0;)
		offer_add(&l.suites, p->suites.v[i]);
	r = probe_ask_lists(p, probe_top_below_13(p), &l, &a);
	if (r == 0 && a.end == ASK_HELLO && a.flight.suite == l.suites.v[0]) {
		p->follows_client = true;
		p->ordered = false;
	}
	return r;
}

static int walk_suites_13(struct probe *p, bool *ret_whole)
{
	unsigned found;
	struct probe_lists l;

	probe_lists_fill(p, &l);
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
	struct probe_lists l;
	struct ask a;

	probe_lists_fill(p, &l);
	if (in_13)
		offer_suites_13(&l.suites);
	else
		suites_with_exchange(p, false, TLS_AUTH_ANY, &l.suites);
	without(&l.groups, &p->groups);
	*ret_whole = true;
	while (l.suites.n > 0 && l.groups.n > 0 && probe_may_ask(p)) {
		struct wire_hello h = probe_hello(p, in_13 ? WIRE_TLS13 : probe_top_below_13(p), &l);
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
	struct probe_lists l;
	struct ask a;

	probe_lists_fill(p, &l);
	suites_with_exchange(p, true, type == TLS_KEY_RSA ? TLS_AUTH_RSA : TLS_AUTH_ECDSA, &l.suites);
	offer_signatures_of(type, &l.signatures);
	without(&l.signatures, &p->signatures);
	*ret_whole = l.suites.n == 0 || l.signatures.n == 0;
	while (!*ret_whole && l.signatures.n > 0 && probe_may_ask(p)) {
		int r = probe_ask_lists(p, WIRE_TLS12, &l, &a);

		if (r)
			return r;
		*ret_whole = a.end == ASK_REFUSED;
		if (a.end != ASK_HELLO || !offer_has(&l.signatures, a.flight.signature))
			return 0;
		offer_remove(&l.signatures, a.flight.signature);
	}
	return 0;
}

int probe_walk_signatures(struct probe *p)
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
int probe_walk(struct probe *p, bool long_ok)
{
	bool whole = true, whole_13 = true, groups = true;
	int r = 0;

	if (probe_speaks_below_13(p) || p->versions[PROBE_TLS12] == PROBE_NOT_ASKED)
		r = walk_suites(p, long_ok, &whole);
	if (r == 0)
		r = ask_order(p);
	if (r == 0 && p->versions[PROBE_TLS13] == PROBE_YES)
		r = walk_suites_13(p, &whole_13);
	if (r == 0)
		r = walk_groups(p, &groups);
	p->full = r == 0 && whole && whole_13 && groups;
	if (p->full && p->obsolete == PROBE_NOT_ASKED)
		p->obsolete = PROBE_NO;
	return r;
}
