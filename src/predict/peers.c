/*
 * Kept peers against certificates; the essay is in predict/predict.h.
 *
 * The store gives the hellos of a peer one after the other. Verdicts are kept by fingerprint, so
 * that the thousand peers with the same library cost one replay.
 */
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "store/evidence.h"
#include "survey/fleet.h"
#include "logs/logs.h"
#include "predict/predict.h"
#include "tls/explain.h"

/* What becomes of one hello. */
struct verdict {
	bool now, then, both;
	struct fault cause; /* if then fails */
};

struct work {
	enum tls_use use;
	struct tls_set *now, *then, *both;
	struct arena *arena;
	struct predict_result *ret;
	struct map verdicts; /* by fingerprint */
	unsigned room;
	/* The peer under way. */
	struct predict_breaker peer;
	bool has_peer, fails_now, works_then;
};

static bool gets_through(const struct work *w, struct span hello, struct tls_set *set, struct fault *ret_cause)
{
	struct tls_explanation why;
	const char *suite;

	if (tls_explain_hello(hello, w->use, set, &suite, &why))
		return true;
	if (ret_cause)
		*ret_cause = why.causes[0];
	return false;
}

static const struct verdict *verdict_of(struct work *w, const struct store_hello *h)
{
	struct span key = span_make(h->fingerprint, sizeof(h->fingerprint));
	struct verdict *v = map_find(&w->verdicts, key);

	if (v)
		return v;
	v = arena_new(w->arena, struct verdict);
	v->now = w->now && gets_through(w, h->bytes, w->now, NULL);
	v->then = gets_through(w, h->bytes, w->then, &v->cause);
	v->both = v->then || (w->both && gets_through(w, h->bytes, w->both, NULL));
	map_put(&w->verdicts, arena_span(w->arena, key), v);
	w->ret->hellos++;
	return v;
}

/* ---- the breakers ---- */

static void add_breaker(struct predict_result *r, struct arena *a, unsigned *room, const struct predict_breaker *b)
{
	r->broken++;
	r->mails_recent += b->mails_recent;
	r->keeping_helps &= b->kept_old_helps;
	if (r->breakers_n == PREDICT_BREAKERS_MAX)
		return;
	if (r->breakers_n == *room) {
		struct predict_breaker *grown;

		*room = *room ? 2 * *room : 16;
		grown = arena_array(a, struct predict_breaker, *room);
		if (r->breakers_n > 0)
			memcpy(grown, r->breakers, r->breakers_n * sizeof(*grown));
		r->breakers = grown;
	}
	r->breakers[r->breakers_n++] = *b;
}

static int by_mail(const void *va, const void *vb)
{
	const struct predict_breaker *a = va, *b = vb;

	if (a->mails_recent != b->mails_recent)
		return a->mails_recent < b->mails_recent ? 1 : -1;
	return a->mails < b->mails ? 1 : a->mails > b->mails ? -1 : span_cmp(a->network, b->network);
}

static void sort_breakers(struct predict_result *r)
{
	if (r->breakers_n > 1)
		qsort(r->breakers, r->breakers_n, sizeof(*r->breakers), by_mail);
}

static void end_peer(struct work *w)
{
	if (!w->has_peer)
		return;
	w->ret->peers++;
	if (w->peer.broken > 0)
		add_breaker(w->ret, w->arena, &w->room, &w->peer);
	w->ret->failing += w->fails_now;
	w->ret->mended += w->fails_now && w->works_then;
	w->has_peer = false;
}

static void begin_peer(struct work *w, const struct store_peer *p)
{
	w->has_peer = true;
	w->fails_now = false;
	w->works_then = true;
	w->peer = (struct predict_breaker){ .network = arena_span(w->arena, p->network),
		.helo = arena_span(w->arena, p->helo),
		.address = arena_span(w->arena, p->address),
		.last_at = p->last_at,
		.mails = p->mails,
		.mails_recent = p->mails_recent,
		.kept_old_helps = true };
}

static int on_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	struct work *w = arg;
	const struct verdict *v;
	bool now;

	if (!w->has_peer || !span_eq(w->peer.network, p->network) || !span_eq(w->peer.helo, p->helo)) {
		end_peer(w);
		begin_peer(w, p);
	}
	w->peer.hellos++;
	/* What never got through need not be replayed to know that: hellos cost CPU, and anybody
	 * can send them. */
	if (!w->now && h->succeeded == 0) {
		w->fails_now = true;
		w->works_then = false;
		return 0;
	}
	v = verdict_of(w, h);
	now = !w->now || v->now;
	w->fails_now |= !now;
	w->works_then &= v->then;
	if (!now || v->then)
		return 0;
	if (w->peer.broken++ == 0)
		w->peer.cause = v->cause;
	w->peer.kept_old_helps &= v->both;
	return 0;
}

static void begin(struct work *w)
{
	*w->ret = (struct predict_result){ .keeping_helps = true };
	map_init(&w->verdicts);
}

static void end(struct work *w)
{
	end_peer(w);
	sort_breakers(w->ret);
	map_done(&w->verdicts);
}

int predict_peers(struct store *store, enum tls_use use, struct tls_set *now, struct tls_set *then,
	struct tls_set *both, struct arena *a, struct predict_result *ret, struct fault *fault)
{
	struct work w = { .use = use, .now = now, .then = then, .both = both, .arena = a, .ret = ret };
	int r;

	begin(&w);
	r = store_hello_each(store, on_hello, &w, fault);
	end(&w);
	return r;
}

/* ---- a scan instead ---- */

void predict_servers(const struct fleet *f, enum tls_use use, struct tls_set *now, struct tls_set *then,
	struct tls_set *both, struct arena *a, struct predict_result *ret)
{
	struct work w = { .use = use, .now = now, .then = then, .both = both, .arena = a, .ret = ret };

	begin(&w);
	for (unsigned i = 0; i < f->n; i++) {
		const struct fleet_host *h = f->v[i];
		struct store_peer p = { .network = h->address,
			.helo = h->place,
			.address = h->address,
			.last_at = h->asked_at };
		struct store_hello hello = { 0 };
		uint8_t print[32];

		if (!predict_from_server(h, a, &hello.bytes, print))
			continue;
		memcpy(hello.fingerprint, print, sizeof(hello.fingerprint));
		on_hello(&w, &p, &hello);
	}
	end(&w);
}

/* ---- a log instead ---- */

static bool serves(struct tls_set *set, enum tls_key_type type)
{
	for (unsigned i = 0; i < tls_set_count(set); i++)
		if (tls_set_pair(set, i)->type == type)
			return true;
	return false;
}

/* Only seen with certificates of this type, and never with TLS 1.3, where the suites do not
 * tell. */
static bool only_seen_with(const struct log_peer *p, enum tls_key_type type)
{
	bool seen = false;

	for (unsigned i = 0; i < p->uses_n; i++) {
		if (strstr(p->uses[i].version, "1.3") || (p->uses[i].key != type && p->uses[i].key != TLS_KEY_OTHER))
			return false;
		seen |= p->uses[i].key == type;
	}
	return seen && p->uses_more == 0;
}

static void add_log_peer(const struct log_peer *p, enum tls_key_type lost, enum fault_code code, struct arena *a,
	struct predict_result *ret, unsigned *room)
{
	struct predict_breaker b = { .network = arena_span(a, span_of(p->network)),
		.helo = arena_span(a, span_of(p->host)),
		.address = arena_span(a, span_of(p->address)),
		.last_at = p->last_at,
		.mails = p->mails_in + p->mails_out,
		.mails_recent = p->mails_in + p->mails_out,
		.kept_old_helps = true };

	if (!only_seen_with(p, lost))
		return;
	fault_set(&b.cause, code);
	add_breaker(ret, a, room, &b);
}

void predict_logs(const struct logs *logs, struct tls_set *now, struct tls_set *then, struct arena *a,
	struct predict_result *ret)
{
	bool rsa_lost = serves(now, TLS_KEY_RSA) && !serves(then, TLS_KEY_RSA);
	bool ecdsa_lost = serves(now, TLS_KEY_ECDSA) && !serves(then, TLS_KEY_ECDSA);
	unsigned room = 0;

	*ret = (struct predict_result){ .keeping_helps = true };
	for (unsigned i = 0; i < logs_count(logs); i++) {
		const struct log_peer *p = logs_peer(logs, i);

		ret->peers += p->uses_n > 0;
		if (rsa_lost)
			add_log_peer(p, TLS_KEY_RSA, FAULT_TLS_NO_RSA_CERT, a, ret, &room);
		if (ecdsa_lost)
			add_log_peer(p, TLS_KEY_ECDSA, FAULT_TLS_NO_ECDSA_CERT, a, ret, &room);
	}
	sort_breakers(ret);
}
