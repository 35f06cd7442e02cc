/*
 * When all is read: peers by group (the domain of their names, else their network), and causes that
 * the words left open, guessed from what the group was seen to speak.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include "base/mem.h"
#include "logs/logs_priv.h"

/* What a group's peers have in common. */
struct group {
	uint64_t failures, mails;
	bool rsa, ecdsa, tls13;
};

/* ---- names of groups ---- */

static void address_text(const uint8_t addr[16], char ret[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(addr, mapped, 12) == 0)
		inet_ntop(AF_INET, addr + 12, ret, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, addr, ret, INET6_ADDRSTRLEN);
}

static struct span network_of(struct arena *a, const uint8_t addr[16])
{
	uint8_t prefix[16];
	char text[INET6_ADDRSTRLEN];
	bool four;

	memcpy(prefix, addr, 16);
	address_text(addr, text);
	four = !strchr(text, ':');
	memset(prefix + (four ? 15 : 6), 0, four ? 1 : 10);
	address_text(prefix, text);
	return arena_spanf(a, "%s/%d", text, four ? 24 : 48);
}

/* "mx1.example.net" -> "example.net"; one label more where a country sells below co, com and their
 * like. Empty: no such name. */
static struct span domain_of(struct span host)
{
	unsigned labels = 0, want = 2;
	size_t label_end = host.n;

	for (size_t i = host.n; i > 0; i--) {
		if (host.p[i - 1] != '.')
			continue;
		labels++;
		if (labels == 2 && host.n - label_end == 3 && label_end - i <= 3)
			want = 3;
		if (labels == want)
			return span_from(host, i);
		label_end = i - 1;
	}
	return labels == want - 1 ? host : SPAN("");
}

/* ---- causes ---- */

static void see_uses(const struct logs *l, const struct peer *p, struct group *g)
{
	for (unsigned i = 0; i < p->uses_n; i++) {
		const struct suite_name *s = &l->suites[p->uses[i].suite];

		g->rsa |= s->pub.key == TLS_KEY_RSA;
		g->ecdsa |= s->pub.key == TLS_KEY_ECDSA;
		g->tls13 |= strstr(s->version, "1.3") != NULL;
	}
}

/* "no shared cipher" of a peer whose kind was never seen with anything but RSA. */
static void guess(const struct group *g, struct log_cause *c)
{
	if (g->tls13 || g->rsa == g->ecdsa)
		return;
	c->guess = true;
	c->code = g->rsa ? FAULT_TLS_NO_RSA_CERT : FAULT_TLS_NO_ECDSA_CERT;
	c->en = g->rsa
		? "it, or its siblings, were only ever seen with RSA suites of TLS 1.2 or older: probably it cannot use an ECDSA certificate"
		: "it, or its siblings, were only ever seen with ECDSA suites: probably it cannot use an RSA certificate";
	c->de = g->rsa
		? "sie oder ihresgleichen waren nur mit RSA-Suiten bis TLS 1.2 zu sehen: wohl kann sie kein ECDSA-Zertifikat benutzen"
		: "sie oder ihresgleichen waren nur mit ECDSA-Suiten zu sehen: wohl kann sie kein RSA-Zertifikat benutzen";
}

/* ---- the report ---- */

static void fill(struct logs *l, const struct peer *p, const struct group *g, struct log_peer *out)
{
	struct log_use *uses = arena_array(&l->report_arena, struct log_use, p->uses_n + 1);
	struct log_cause *causes = arena_array(&l->report_arena, struct log_cause, p->causes_n + 1);

	out->host = p->host;
	out->first_at = p->first_at;
	out->last_at = p->last_at;
	out->mails_in = p->mails[IN];
	out->mails_out = p->mails[OUT];
	/* Where a line about TLS would have been written, none means none. */
	out->clear_in = p->clear[IN] + (l->postfix_tells[IN] ? p->untold[IN] : 0);
	out->clear_out = p->clear[OUT] + (l->postfix_tells[OUT] ? p->untold[OUT] : 0);
	out->untold_in = l->postfix_tells[IN] ? 0 : p->untold[IN];
	out->untold_out = l->postfix_tells[OUT] ? 0 : p->untold[OUT];
	out->failures_in = p->failures[IN];
	out->failures_out = p->failures[OUT];
	out->failed_at = p->failed_at[p->failed_out];
	out->failed_out = p->failed_out;
	out->failed_first_at = p->failed_first_at[p->failed_out];
	out->secured_at = p->secured_at[p->failed_out];
	out->reason = p->reason;
	out->fallbacks = p->fallbacks[IN];
	out->fallbacks_out = p->fallbacks[OUT];
	out->fallback_at = p->fallback_at;
	out->fallback_after_s = p->fallback_after_s;
	out->refusals = p->refusals;
	out->refused_at = p->refused_at;
	out->refused_for = p->refused_for;
	out->refused_with = p->refused_with;
	out->uses_more = p->uses_more;
	out->uses = uses;
	out->causes = causes;
	for (unsigned i = 0; i < p->uses_n; i++) {
		uses[i] = l->suites[p->uses[i].suite].pub;
		uses[i].in = p->uses[i].in;
		uses[i].out = p->uses[i].out;
	}
	out->uses_n = p->uses_n;
	for (unsigned i = 0; i < p->causes_n; i++) {
		rule_cause(p->causes[i].rule, &causes[i]);
		causes[i].count = p->causes[i].count;
		if (rule_is_about_suites(p->causes[i].rule))
			guess(g, &causes[i]);
	}
	out->causes_n = p->causes_n;
}

struct ranked {
	struct log_peer pub;
	const struct group *group;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static uint64_t mails_of(const struct log_peer *p)
{
	return p->mails_in + p->clear_in + p->untold_in + p->mails_out + p->clear_out + p->untold_out;
}

static int by_weight(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;
	int r = compare_u64(a->group->failures, b->group->failures);

	if (r == 0)
		r = compare_u64(a->group->mails, b->group->mails);
	if (r == 0)
		r = strcmp(a->pub.group, b->pub.group);
	if (r == 0)
		r = compare_u64(a->pub.failures_in + a->pub.failures_out, b->pub.failures_in + b->pub.failures_out);
	if (r == 0)
		r = compare_u64(mails_of(&a->pub), mails_of(&b->pub));
	return r != 0 ? r : strcmp(a->pub.address, b->pub.address);
}

static struct group *group_get(struct logs *l, struct map *groups, struct log_peer *out)
{
	struct span domain = domain_of(span_of(out->host));
	struct group *g;

	if (domain.n == 0)
		domain = span_of(out->network);
	g = map_find(groups, domain);
	if (!g) {
		g = arena_new(&l->report_arena, struct group);
		domain = arena_span(&l->report_arena, domain);
		map_put(groups, domain, g);
	}
	out->group = arena_text(&l->report_arena, domain);
	return g;
}

void logs_conclude(struct logs *l)
{
	struct ranked *ranked;
	struct map groups;

	postfix_end(l);
	ranked = mem_zalloc(l->peers_n + 1, sizeof(*ranked));
	arena_reset(&l->report_arena);
	map_init(&groups);
	for (unsigned i = 0; i < l->peers_n; i++) {
		const struct peer *p = &l->peers[i];
		struct log_peer *out = &ranked[i].pub;
		char text[INET6_ADDRSTRLEN];
		struct group *g;

		address_text(p->addr, text);
		out->address = arena_text(&l->report_arena, span_of(text));
		out->network = network_of(&l->report_arena, p->addr).p;
		out->host = p->host;
		g = group_get(l, &groups, out);
		g->failures += p->failures[IN] + p->failures[OUT] + p->refusals;
		g->mails +=
			p->mails[IN] + p->mails[OUT] + p->clear[IN] + p->clear[OUT] + p->untold[IN] + p->untold[OUT];
		see_uses(l, p, g);
		ranked[i].group = g;
	}
	for (unsigned i = 0; i < l->peers_n; i++)
		fill(l, &l->peers[i], ranked[i].group, &ranked[i].pub);
	qsort(ranked, l->peers_n, sizeof(*ranked), by_weight);
	l->report = arena_array(&l->report_arena, struct log_peer, l->peers_n + 1);
	l->report_n = l->peers_n;
	for (unsigned i = 0; i < l->peers_n; i++)
		l->report[i] = ranked[i].pub;
	map_done(&groups);
	mem_free(ranked);
}

unsigned logs_count(const struct logs *l)
{
	return l->report_n;
}

const struct log_peer *logs_peer(const struct logs *l, unsigned i)
{
	must(i < l->report_n);
	return &l->report[i];
}

bool logs_is_rsa_only(const struct logs *l, const struct log_peer *p, bool *ret_sure)
{
	bool rsa = false, inbound = false;

	for (unsigned i = 0; i < p->uses_n; i++) {
		if (p->uses[i].key == TLS_KEY_ECDSA || strstr(p->uses[i].version, "1.3"))
			return false;
		rsa |= p->uses[i].key == TLS_KEY_RSA;
		inbound |= p->uses[i].in > 0;
	}
	*ret_sure = inbound && l->ecdsa_in.first_at > 0;
	return rsa && p->uses_more == 0;
}

bool logs_key_change(const struct logs *l, struct logs_change *ret)
{
	bool to_ecdsa = l->rsa_in.first_at < l->ecdsa_in.first_at;
	const struct seen *before = to_ecdsa ? &l->rsa_in : &l->ecdsa_in, *after = to_ecdsa ? &l->ecdsa_in : &l->rsa_in;

	ret->from = to_ecdsa ? TLS_KEY_RSA : TLS_KEY_ECDSA;
	ret->to = to_ecdsa ? TLS_KEY_ECDSA : TLS_KEY_RSA;
	ret->until = before->last_at;
	ret->since = after->first_at;
	return before->first_at > 0 && before->last_at < after->first_at;
}

const struct logs_totals *logs_totals(const struct logs *l)
{
	return &l->totals;
}
