/*
 * Peers: what events add up to. The table is as large as it may become from the start; a peer's
 * place is taken over when it has to go. Two lists keep the order of last sight, one of peers
 * without failures, which go first, and one of those with.
 */
#include "base/mem.h"
#include "base/fmt.h"
#include "logs/logs_priv.h"

#define LATE_S  2 /* between a failure and its line, at most */
#define AGAIN_S 1 /* between lines about one failed delivery, at most */

/* ---- the table ---- */

struct logs *logs_new(int64_t since, unsigned peers_max)
{
	struct logs *l = mem_new(struct logs);

	l->since = since;
	l->peers_max = peers_max ? peers_max : LOGS_PEERS_MAX;
	l->peers = mem_zalloc(l->peers_max, sizeof(*l->peers));
	l->by_addr_mask = 1;
	while (l->by_addr_mask < l->peers_max)
		l->by_addr_mask = l->by_addr_mask << 1 | 1;
	l->by_addr = mem_zalloc(l->by_addr_mask + 1, sizeof(*l->by_addr));
	l->sessions = mem_zalloc(SESSIONS_MAX, sizeof(*l->sessions));
	memset(l->languages, 0xff, sizeof(l->languages));
	map_init(&l->suite_by_text);
	list_init(&l->quiet);
	list_init(&l->failed);
	arena_init(&l->arena, 4096);
	arena_init(&l->report_arena, 65536);
	return l;
}

struct logs *logs_free(struct logs *l)
{
	if (!l)
		return NULL;
	map_done(&l->suite_by_text);
	arena_done(&l->arena);
	arena_done(&l->report_arena);
	mem_free(l->by_addr);
	mem_free(l->peers);
	mem_free(l->sessions);
	return mem_free(l);
}

static struct span key_of(const uint8_t addr[16])
{
	return span_make(addr, 16);
}

/* Where the peers with an address's hash begin. */
static uint32_t *chain_of(const struct logs *l, const uint8_t addr[16])
{
	return &l->by_addr[span_hash(key_of(addr), 0) & l->by_addr_mask];
}

static struct peer *find_in(const struct logs *l, uint32_t chain, const uint8_t addr[16])
{
	for (uint32_t i = chain; i > 0; i = l->peers[i - 1].next)
		if (memcmp(l->peers[i - 1].addr, addr, 16) == 0)
			return &l->peers[i - 1];
	return NULL;
}

static void unchain(struct logs *l, struct peer *p)
{
	uint32_t *at = chain_of(l, p->addr);

	while (&l->peers[*at - 1] != p)
		at = &l->peers[*at - 1].next;
	*at = p->next;
}

static bool has_failed(const struct peer *p)
{
	return p->failures[IN] + p->failures[OUT] > 0;
}

/* The place of the peer that was not seen for the longest time: a quiet one, unless those with
 * failures hold most of the table. */
static struct peer *evict(struct logs *l)
{
	struct list *from = list_empty(&l->quiet) ? &l->failed : &l->quiet;
	struct peer *p = container_of(list_pop(from), struct peer, recent);

	unchain(l, p);
	l->totals.evicted++;
	l->totals.evicted_failures += p->failures[IN] + p->failures[OUT];
	return p;
}

static size_t keep_text(char ret[LOGS_TEXT], struct span text)
{
	size_t n = fmt_safe(text, "", ret, LOGS_TEXT - 1);

	ret[n] = '\0';
	return n;
}

static struct peer *add(struct logs *l, const struct party *party, int64_t at)
{
	struct peer *p = l->peers_n < l->peers_max ? &l->peers[l->peers_n++] : evict(l);
	uint32_t *chain = chain_of(l, party->addr);

	*p = (struct peer){ .first_at = at, .next = *chain };
	memcpy(p->addr, party->addr, 16);
	list_init(&p->recent);
	*chain = (uint32_t)(p - l->peers) + 1;
	return p;
}

struct peer *peer_meet(struct logs *l, const struct party *party, int64_t at)
{
	struct peer *p = find_in(l, *chain_of(l, party->addr), party->addr);

	if (!p)
		p = add(l, party, at);
	list_remove(&p->recent);
	list_push_back(has_failed(p) ? &l->failed : &l->quiet, &p->recent);
	if (at > p->last_at)
		p->last_at = at;
	if (p->first_at > at)
		p->first_at = at;
	if (party->host.n > 0 && !span_eq(party->host, span_make(p->host, p->host_n)))
		p->host_n = (uint8_t)keep_text(p->host, party->host);
	return p;
}

struct peer *peer_find(const struct logs *l, const uint8_t addr[16])
{
	return find_in(l, *chain_of(l, addr), addr);
}

/* ---- suites ---- */

unsigned suite_index(struct logs *l, struct span version, struct span suite, enum tls_key_type key)
{
	char text[96];
	size_t n = 0;
	struct suite_name *name;
	uintptr_t index;

	version = span_sub(version, 0, sizeof(name->version) - 1);
	suite = span_sub(suite, 0, sizeof(name->suite) - 1);
	memcpy(text, version.p, version.n);
	n = version.n;
	text[n++] = (char)('0' + key);
	memcpy(text + n, suite.p, suite.n);
	n += suite.n;
	index = (uintptr_t)map_find(&l->suite_by_text, span_make(text, n));
	if (index > 0)
		return (unsigned)index - 1;
	if (l->suites_n == SUITES_MAX)
		return SUITES_MAX;
	name = &l->suites[l->suites_n++];
	name->version[fmt_safe(version, "", name->version, sizeof(name->version) - 1)] = '\0';
	name->suite[fmt_safe(suite, "", name->suite, sizeof(name->suite) - 1)] = '\0';
	name->pub = (struct log_use){ .version = name->version, .suite = name->suite, .key = key };
	map_put(&l->suite_by_text, arena_span(&l->arena, span_make(text, n)), (void *)(uintptr_t)l->suites_n);
	return l->suites_n - 1;
}

static void see(struct seen *s, int64_t at)
{
	if (s->first_at == 0 || at < s->first_at)
		s->first_at = at;
	if (at > s->last_at)
		s->last_at = at;
}

static void see_our_key(struct logs *l, unsigned suite, int64_t at)
{
	enum tls_key_type key = suite < SUITES_MAX ? l->suites[suite].pub.key : TLS_KEY_OTHER;

	if (key == TLS_KEY_RSA)
		see(&l->rsa_in, at);
	else if (key == TLS_KEY_ECDSA)
		see(&l->ecdsa_in, at);
}

void peer_secured_somehow(struct peer *p, enum way way, int64_t at)
{
	p->cleared[way] = true; /* it can: what is without TLS later has another reason */
	if (at > p->secured_at[way])
		p->secured_at[way] = at;
	if (way == IN)
		p->clear_at = 0;
}

void peer_secured(struct logs *l, struct peer *p, enum way way, int64_t at, unsigned suite)
{
	unsigned i = 0;

	peer_secured_somehow(p, way, at);
	if (way == IN)
		see_our_key(l, suite, at);
	while (i < p->uses_n && p->uses[i].suite != suite)
		i++;
	if (suite == SUITES_MAX || (i == p->uses_n && i == LOGS_USES_MAX)) {
		p->uses_more++;
		return;
	}
	if (i == p->uses_n)
		p->uses[p->uses_n++] = (struct use){ .suite = (uint8_t)suite };
	if (way == IN)
		p->uses[i].in++;
	else
		p->uses[i].out++;
}

/* ---- what went wrong, and what followed ---- */

static void fell_back(struct peer *p, int64_t at, int64_t after_s)
{
	p->cleared[IN] = true;
	p->clear_at = 0;
	p->fallbacks[IN]++;
	p->fallback_at = at;
	p->fallback_after_s = after_s;
}

/* Soon after a failure in this direction, and the first since. */
static bool follows_failure(const struct peer *p, enum way way, int64_t at)
{
	return p->failed_at[way] > 0 && !p->cleared[way] && at >= p->failed_at[way] &&
		at - p->failed_at[way] <= LOGS_FALLBACK_S;
}

void peer_came(struct peer *p, int64_t at)
{
	if (follows_failure(p, IN, at))
		fell_back(p, at, at - p->failed_at[IN]);
	else
		p->clear_at = at;
}

void peer_mail(struct peer *p, enum way way, int64_t at, bool secured, uint64_t count)
{
	if (secured) {
		p->mails[way] += count;
		return;
	}
	p->clear[way] += count;
	if (way == IN) {
		peer_came(p, at);
	} else if (follows_failure(p, OUT, at)) {
		p->cleared[OUT] = true;
		p->fallbacks[OUT]++;
	}
}

static void count_cause(struct peer *p, unsigned rule)
{
	unsigned i = 0;

	while (i < p->causes_n && p->causes[i].rule != rule)
		i++;
	if (i == p->causes_n && i == LOGS_CAUSES_MAX)
		return;
	if (i == p->causes_n)
		p->causes[p->causes_n++] = (struct cause){ .rule = (uint16_t)rule };
	p->causes[i].count++;
}

/* Its last failure gets another cause than it had. The rule is kept with the peer: the words that
 * led to it are kept shortened. */
static void correct_cause(struct peer *p, unsigned better)
{
	for (unsigned i = 0; i < p->causes_n; i++)
		if (p->causes[i].rule == p->rule && --p->causes[i].count == 0) {
			p->causes[i] = p->causes[--p->causes_n];
			break;
		}
	p->rule = (uint16_t)better;
	count_cause(p, better);
}

static void fail(struct logs *l, struct peer *p, enum way way, int64_t at, unsigned rule)
{
	if (p->failures[way]++ == 0 || at < p->failed_first_at[way])
		p->failed_first_at[way] = at;
	p->failed_at[way] = at;
	p->failed_out = way == OUT;
	p->cleared[way] = false;
	list_remove(&p->recent);
	list_push_back(&l->failed, &p->recent);
	p->rule = (uint16_t)rule;
	count_cause(p, rule);
}

void peer_failed(struct logs *l, struct peer *p, enum way way, int64_t at, struct span reason)
{
	keep_text(p->reason, reason_shown(reason));
	fail(l, p, way, at, rule_find(l, way, reason));
}

void peer_failed_for(struct logs *l, struct peer *p, struct span id, int64_t at, struct span reason)
{
	uint64_t key = span_hash(id, span_hash(key_of(p->addr), 0));

	if (l->told.key == key && at >= l->told.at && at - l->told.at <= AGAIN_S)
		return;
	l->told.key = key;
	l->told.at = at;
	peer_failed(l, p, OUT, at, reason);
}

void peer_failed_as(struct logs *l, struct peer *p, enum way way, int64_t at, enum fault_code code)
{
	keep_text(p->reason, span_of(fault_code_text(code)));
	fail(l, p, way, at, rule_of_code(code));
}

void peer_failed_before(struct peer *p, int64_t at)
{
	if (p->clear_at > 0 && p->clear_at <= at && at - p->clear_at <= LATE_S)
		fell_back(p, p->clear_at, 0);
}

void peer_failed_because(struct logs *l, struct peer *p, struct span reason)
{
	unsigned better = rule_find(l, p->failed_out ? OUT : IN, reason);
	bool is_number = p->reason[0] == '-' || ascii_digit(p->reason[0]);

	if (!has_failed(p) || (better == NO_RULE && !is_number))
		return;
	keep_text(p->reason, reason_shown(reason));
	if (better != p->rule)
		correct_cause(p, better);
}

void peer_refused(struct peer *p, int64_t at, struct span recipient, struct span words)
{
	p->refusals++;
	p->refused_at = at;
	keep_text(p->refused_for, recipient);
	keep_text(p->refused_with, words);
	peer_came(p, at);
}
