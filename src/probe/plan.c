/*
 * What every plan of a probe stands on: what is known so far, how much may still be asked, and the
 * hellos. See probe/probe_priv.h.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "probe/probe_priv.h"

#define ALERT_VERSION 70
/* that one server may take: a greeting delay of 15 s before each of 50 connections */
#define HOST_MAX_MS (15 * 60 * 1000)

/* ---- what is known ---- */

bool probe_has_key(const struct probe *p, enum tls_key_type type)
{
	for (unsigned i = 0; i < p->certs_n; i++)
		if (p->certs[i]->type == type)
			return true;
	return false;
}

bool probe_speaks_below_13(const struct probe *p)
{
	for (unsigned v = PROBE_SSL3; v <= PROBE_TLS12; v++)
		if (p->versions[v] == PROBE_YES)
			return true;
	return false;
}

bool probe_speaks_13_only(const struct probe *p)
{
	return p->versions[PROBE_TLS13] == PROBE_YES && !probe_speaks_below_13(p);
}

/* The last ones are real handshakes; where RSA has not been seen, one tries it and another may have
 * to do without. */
static unsigned kept_for_sessions(const struct probe *p)
{
	if (probe_speaks_13_only(p))
		return 2;
	return p->settings->quick && !probe_has_key(p, TLS_KEY_RSA) && !p->no_rsa ? 2 : 1;
}

static unsigned connections_max(const struct probe *p)
{
	if (p->settings->quick)
		return PROBE_QUICK_MAX;
	return p->suites.n + p->suites_13.n + p->groups.n + PROBE_FULL_EXTRA;
}

bool probe_may_connect(const struct probe *p)
{
	return p->connections < connections_max(p) && clock_mono_ms() - p->began_ms < HOST_MAX_MS;
}

bool probe_may_ask(const struct probe *p)
{
	return probe_may_connect(p) && p->connections + kept_for_sessions(p) < connections_max(p);
}

uint16_t probe_top_below_13(const struct probe *p)
{
	for (unsigned v = PROBE_TLS12; v >= PROBE_SSL3; v--)
		if (p->versions[v] == PROBE_YES)
			return probe_version_number(v);
	return WIRE_TLS12;
}

/* ---- hellos ---- */

struct wire_hello probe_hello(const struct probe *p, uint16_t version, const struct probe_lists *l)
{
	struct net_addr literal;

	return (struct wire_hello){ .version = version,
		.suites = offer_list(&l->suites),
		.groups = offer_list(&l->groups),
		.signatures = offer_list(&l->signatures),
		.name = net_addr_parse_host(p->host, &literal) == 0 ? SPAN("") : p->host };
}

void probe_lists_fill(const struct probe *p, struct probe_lists *l)
{
	offer_suites(&l->suites);
	offer_groups(&l->groups);
	offer_signatures(&l->signatures);
	probe_lists_turn(p, l);
}

void probe_lists_turn(const struct probe *p, struct probe_lists *l)
{
	offer_last(&l->groups, &p->groups);
	offer_last(&l->signatures, &p->signatures);
}

void probe_note_refusal(struct probe *p, uint16_t offered, const struct ask *a)
{
	unsigned lowest = offered == WIRE_TLS13 ? PROBE_TLS10 : PROBE_SSL3;

	if (a->end != ASK_REFUSED || a->flight.alert != ALERT_VERSION || offered == WIRE_SSL2)
		return;
	for (unsigned v = lowest; v < PROBE_VERSION_COUNT && probe_version_number(v) <= offered; v++)
		if (p->versions[v] == PROBE_NOT_ASKED)
			p->versions[v] = PROBE_NO;
}

int probe_ask_lists(struct probe *p, uint16_t version, const struct probe_lists *l, struct ask *ret)
{
	struct wire_hello h = probe_hello(p, version, l);
	int r = probe_ask(p, &h, ret);

	if (r == 0)
		probe_note_refusal(p, version, ret);
	return r;
}

int probe_ask_key(struct probe *p, enum tls_key_type type, struct ask *ret)
{
	struct probe_lists l;

	probe_lists_fill(p, &l);
	offer_suites_of(type, &l.suites);
	offer_signatures_of(type, &l.signatures);
	return probe_ask_lists(p, probe_top_below_13(p), &l, ret);
}

int probe_ask_version(struct probe *p, enum probe_version v)
{
	struct probe_lists l;
	struct ask a;
	int r;

	probe_lists_fill(p, &l);
	r = probe_ask_lists(p, probe_version_number(v), &l, &a);
	if (r == 0 && p->versions[v] == PROBE_NOT_ASKED)
		p->versions[v] = PROBE_NO;
	return r;
}
