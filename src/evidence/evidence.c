/*
 * What the gateway tells, added up in memory: one mutex, maps from keys to counts, an arena that
 * dies when the store has it all. Under the mutex nothing is done but that; texts are made safe and
 * hellos looked at before.
 *
 * The batch is full when its arena has EVIDENCE_BYTES_MAX. What has an entry goes on counting then;
 * what would need a new one is lost, and counted.
 */
#include "evidence/evidence.h"
#include <stdio.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "evidence/evidence_priv.h"

#define DAY_S        86400
#define HOUR_S       3600
#define KEY_MAX      (4 * TEXT_MAX)
#define SAME_NETWORK 16 /* failures of one network that evidence_earlier() knows */

/* ---- texts ---- */

/* A text that is safe to keep and to show, in room bytes with its NUL. */
static struct span clean(struct span text, bool lower, char *out, size_t room)
{
	size_t n = fmt_safe(text, "", out, room - 1);

	for (size_t i = 0; lower && i < n; i++)
		out[i] = ascii_lower(out[i]);
	out[n] = '\0';
	return span_make(out, n);
}

/* A peer as it is kept. */
struct who {
	char network[GUARD_NETWORK_SIZE], address[NET_ADDR_SIZE], helo[TEXT_MAX];
};

static void who_of(const struct evidence_peer *p, struct who *ret)
{
	guard_network_text(p->addr, GUARD_SITE, ret->network);
	net_addr_host_text(p->addr, ret->address);
	clean(p->helo, true, ret->helo, sizeof(ret->helo));
}

/* ---- the batch ---- */

struct batch *batch_new(void)
{
	struct batch *b = mem_new(struct batch);

	arena_init(&b->arena, 65536);
	map_init(&b->peers);
	map_init(&b->failures);
	map_init(&b->refusals);
	map_init(&b->mails);
	map_init(&b->graces);
	map_init(&b->certificates);
	return b;
}

struct batch *batch_free(struct batch *b)
{
	if (!b)
		return NULL;
	map_done(&b->peers);
	map_done(&b->failures);
	map_done(&b->refusals);
	map_done(&b->mails);
	map_done(&b->graces);
	map_done(&b->certificates);
	arena_done(&b->arena);
	return mem_free(b);
}

/* Around every event that is added. */
static void event_begin(struct evidence *e)
{
	pthread_mutex_lock(&e->lock);
	e->losing = false;
}

static void event_end(struct evidence *e, int64_t now)
{
	if (e->losing) {
		if (e->lost++ == 0)
			e->lost_since = now;
		e->lost_until = now;
	} else if (e->batch->events++ == 0) {
		writer_wake(e->writer);
	}
	pthread_mutex_unlock(&e->lock);
}

/* The entry of key in map, made zeroed if it is not there (*ret_new). NULL if there is no room for
 * it: the event is lost. */
static void *entry(struct evidence *e, struct map *map, struct span key, size_t size, bool *ret_new)
{
	struct batch *b = e->batch;
	void *found = map_find(map, key);

	*ret_new = !found;
	if (!found && b->arena.used + key.n + size > EVIDENCE_BYTES_MAX) {
		e->losing = true;
		return NULL;
	}
	if (!found) {
		found = arena_zalloc(&b->arena, 1, size);
		map_put(map, arena_span(&b->arena, key), found);
	}
	return found;
}

static struct span kept(struct evidence *e, struct span text)
{
	return arena_span(&e->batch->arena, text);
}

/* In the place of old, unless it is the same, or there is no room. */
static struct span kept_again(struct evidence *e, struct span old, struct span text)
{
	if (span_eq(old, text) || e->batch->arena.used + text.n > EVIDENCE_BYTES_MAX)
		return old;
	return kept(e, text);
}

/* ---- peers ---- */

static struct peer_entry *peer_entry(struct evidence *e, const struct who *who, int64_t now)
{
	char key[KEY_MAX];
	struct peer_entry *p;
	bool is_new;
	int n = snprintf(key, sizeof(key), "%s\n%s", who->network, who->helo);

	p = entry(e, &e->batch->peers, span_make(key, (size_t)n), sizeof(*p), &is_new);
	if (!p)
		return NULL;
	if (is_new) {
		p->p.network = kept(e, span_of(who->network));
		p->p.helo = kept(e, span_of(who->helo));
		p->p.first_at = now;
	}
	p->p.last_at = now;
	snprintf(p->address, sizeof(p->address), "%.63s", who->address);
	p->p.address = span_of(p->address);
	return p;
}

static void add_hello(struct evidence *e, struct peer_entry *p, struct span hello,
	const uint8_t fingerprint[STORE_FINGERPRINT], bool succeeded, int64_t now)
{
	struct store_hello *h = p->hellos;
	unsigned i = 0;

	while (i < p->hellos_n && memcmp(h[i].fingerprint, fingerprint, STORE_FINGERPRINT) != 0)
		i++;
	/* The rest will come again. */
	if (i == STORE_PEER_HELLOS || (i == p->hellos_n && e->batch->arena.used + hello.n > EVIDENCE_BYTES_MAX))
		return;
	if (i == p->hellos_n) {
		h[i] = (struct store_hello){ .bytes = kept(e, hello), .first_at = now };
		memcpy(h[i].fingerprint, fingerprint, STORE_FINGERPRINT);
		p->hellos_n++;
	}
	h[i].succeeded += succeeded;
	h[i].failed += !succeeded;
	h[i].last_at = now;
}

void evidence_handshake(struct evidence *e, const struct evidence_peer *peer, const struct tls_info *tls,
	struct span hello, int64_t now)
{
	uint8_t fingerprint[STORE_FINGERPRINT];
	struct peer_entry *p;
	struct who who;

	if (!e)
		return;
	who_of(peer, &who);
	hello = evidence_hello_cut(hello, fingerprint);
	event_begin(e);
	p = peer_entry(e, &who, now);
	if (p) {
		p->p.handshakes++;
		p->p.version = clean(span_of(tls->version), false, p->version, sizeof(p->version));
		p->p.suite = clean(span_of(tls->suite), false, p->suite, sizeof(p->suite));
		if (!tls->resumed)
			p->p.key = clean(span_of(tls_key_type_text(tls->key)), false, p->key, sizeof(p->key));
		if (hello.n > 0)
			add_hello(e, p, hello, fingerprint, true, now);
	}
	event_end(e, now);
}

/* ---- failures ---- */

static void recent_free(struct evidence *e, struct recent *r)
{
	list_remove(&r->link);
	mem_free(r->helo);
	mem_free(r);
	e->recent_n--;
}

/* Makes room: the same peer's failure before that goes, and the oldest of a network that has too
 * many, or of all. False: a later one of the same peer is known. */
static bool recent_trim(struct evidence *e, const char *network, const char *address, struct span helo, int64_t at)
{
	struct recent *oldest = NULL;
	unsigned same = 0;

	list_each_safe (it, &e->recent) {
		struct recent *r = container_of(it, struct recent, link);

		if (strcmp(r->address, address) == 0 && span_eq(span_of(r->helo), helo)) {
			if (r->at > at)
				return false;
			recent_free(e, r);
		} else if (strcmp(r->network, network) == 0) {
			same++;
			oldest = r;
		}
	}
	if (same >= SAME_NETWORK)
		recent_free(e, oldest);
	else if (e->recent_n >= EVIDENCE_RECENT_MAX)
		recent_free(e, container_of(e->recent.prev, struct recent, link));
	return true;
}

void recent_add(struct evidence *e, const char *network, const char *address, struct span helo, int64_t at,
	const struct fault *f)
{
	struct list *before = &e->recent;
	struct recent *r;

	if (!recent_trim(e, network, address, helo, at))
		return;
	r = mem_new(struct recent);
	snprintf(r->network, sizeof(r->network), "%s", network);
	snprintf(r->address, sizeof(r->address), "%s", address);
	r->helo = span_text(helo);
	r->at = at;
	r->fault = *f;
	/* What is read from the store is older than what came meanwhile. */
	while (before->next != &e->recent && container_of(before->next, struct recent, link)->at > at)
		before = before->next;
	list_push_front(before, &r->link);
	e->recent_n++;
}

/* What is written of one failure. */
struct failure_text {
	struct buf fault, also;
	struct span proof;
};

static void failure_text(const struct tls_explanation *why, struct failure_text *ret)
{
	*ret = (struct failure_text){ .fault = BUF_INIT(FAULT_MAX), .also = BUF_INIT(FAULT_MAX) };
	fault_pack(&why->causes[0], &ret->fault);
	if (why->causes_n > 1)
		fault_pack(&why->causes[1], &ret->also);
	if (why->proven)
		ret->proof = span_of(why->suite);
}

static void add_failure(struct evidence *e, const struct who *who, const char *code, const struct failure_text *text,
	int64_t now)
{
	size_t texts = text->fault.n + text->also.n + 512;
	char key[KEY_MAX];
	struct store_failure *f;
	bool is_new;
	int n = snprintf(key, sizeof(key), "%s\n%s\n%s\n%lld", who->network, who->helo, code,
		(long long)(now / HOUR_S));

	f = entry(e, &e->batch->failures, span_make(key, (size_t)n), sizeof(*f) + texts, &is_new);
	if (!f)
		return;
	if (is_new)
		*f = (struct store_failure){ .network = kept(e, span_of(who->network)),
			.helo = kept(e, span_of(who->helo)),
			.address = kept(e, span_of(who->address)),
			.code = span_of(code),
			.fault = kept(e, buf_span(&text->fault)),
			.also = kept(e, buf_span(&text->also)),
			.first_at = now };
	f->times++;
	f->last_at = now;
	if (f->proof.n == 0)
		f->proof = kept_again(e, f->proof, text->proof);
}

static void add_peer_failure(struct evidence *e, const struct who *who, const struct failure_text *text,
	struct span hello, const uint8_t fingerprint[STORE_FINGERPRINT], int64_t now)
{
	struct peer_entry *p = peer_entry(e, who, now);

	if (!p)
		return;
	p->p.failures++;
	p->p.failed_at = now;
	p->p.fault = kept_again(e, p->p.fault, buf_span(&text->fault));
	p->p.proof = kept_again(e, p->p.proof, text->proof);
	if (hello.n > 0)
		add_hello(e, p, hello, fingerprint, false, now);
}

void evidence_failed(struct evidence *e, const struct evidence_peer *peer, const struct tls_explanation *why,
	struct span hello, int64_t now)
{
	enum fault_code code = why->causes[0].code;
	uint8_t fingerprint[STORE_FINGERPRINT];
	struct failure_text text;
	struct who who;

	/* Port scans and health checks that say nothing are no evidence of anything. */
	if (!e || code == FAULT_TLS_PEER_LEFT)
		return;
	who_of(peer, &who);
	hello = evidence_hello_cut(hello, fingerprint);
	failure_text(why, &text);
	event_begin(e);
	recent_add(e, who.network, who.address, span_of(who.helo), now, &why->causes[0]);
	add_failure(e, &who, fault_code_text(code), &text, now);
	add_peer_failure(e, &who, &text, hello, fingerprint, now);
	event_end(e, now);
	buf_done(&text.fault);
	buf_done(&text.also);
}

/* How sure is it that the failure is this peer's? 0: it is another's. Behind one address there may
 * be several mail servers, told apart by their names; one that failed before it said a name may be
 * any of them. */
static unsigned likeness(const struct recent *r, const struct who *who)
{
	bool same_name = who->helo[0] && strcmp(r->helo, who->helo) == 0;
	/* "*": the store has it for many (store/evidence.h). */
	bool nameless = !who->helo[0] || !r->helo[0] || strcmp(r->helo, "*") == 0;

	if (strcmp(r->address, who->address) == 0)
		return same_name ? 3 : nameless ? 1 : 0;
	return same_name && strcmp(r->network, who->network) == 0 ? 2 : 0;
}

bool evidence_earlier(struct evidence *e, const struct evidence_peer *peer, int64_t now, struct fault *ret,
	int64_t *ret_ago_s)
{
	const struct recent *found = NULL;
	unsigned best = 0;
	struct who who;

	if (!e)
		return false;
	who_of(peer, &who);
	pthread_mutex_lock(&e->lock);
	list_each (it, &e->recent) {
		const struct recent *r = container_of(it, struct recent, link);
		unsigned like = now - r->at <= EVIDENCE_EARLIER_S ? likeness(r, &who) : 0;

		if (like > best) {
			best = like;
			found = r;
		}
	}
	if (found) {
		*ret = found->fault;
		*ret_ago_s = now > found->at ? now - found->at : 0;
	}
	pthread_mutex_unlock(&e->lock);
	return found != NULL;
}

/* ---- graces ---- */

void grace_remove(struct evidence *e, struct grace *g)
{
	map_remove(&e->graces, span_of(g->key));
	list_remove(&g->link);
	mem_free(g->key);
	mem_free(g);
}

struct grace *grace_put(struct evidence *e, struct span key, int64_t first_at, int64_t last_at)
{
	struct grace *g = map_find(&e->graces, key);

	if (!g) {
		if (e->graces.count >= EVIDENCE_GRACES_MAX)
			grace_remove(e, container_of(e->graces_by_age.prev, struct grace, link));
		g = mem_new(struct grace);
		g->key = span_text(key);
		map_put(&e->graces, span_of(g->key), g);
		list_init(&g->link);
	}
	g->first_at = first_at;
	g->last_at = last_at;
	list_remove(&g->link);
	list_push_front(&e->graces_by_age, &g->link);
	return g;
}

static struct span grace_key(const struct who *who, struct span domain, char room[KEY_MAX])
{
	char name[TEXT_MAX];
	int n;

	clean(domain, true, name, sizeof(name));
	n = snprintf(room, KEY_MAX, "%s\n%s\n%s", who->network, who->helo, name);
	return span_make(room, (size_t)n);
}

/* first_at 0: removed. */
static void grace_keep(struct evidence *e, struct span key, int64_t first_at, int64_t now)
{
	struct span rest;
	struct store_grace *g;
	bool is_new;

	g = entry(e, &e->batch->graces, key, sizeof(*g) + key.n, &is_new);
	if (!g)
		return;
	if (is_new) {
		rest = kept(e, key);
		span_cut(&rest, '\n', &g->network);
		span_cut(&rest, '\n', &g->helo);
		g->domain = rest;
	}
	g->first_at = first_at;
	g->last_at = now;
}

int64_t evidence_plaintext(struct evidence *e, const struct evidence_peer *peer, struct span domain, int64_t now)
{
	char room[KEY_MAX];
	int64_t first_at = now;
	struct grace *g;
	struct span key;
	struct who who;

	if (!e)
		return 0;
	who_of(peer, &who);
	key = grace_key(&who, domain, room);
	event_begin(e);
	g = map_find(&e->graces, key);
	if (g && now - g->last_at <= EVIDENCE_FORGET_S && g->first_at < now)
		first_at = g->first_at;
	grace_put(e, key, first_at, now);
	grace_keep(e, key, first_at, now);
	event_end(e, now);
	return now - first_at;
}

static void grace_end(struct evidence *e, const struct who *who, struct span domain, int64_t now)
{
	char room[KEY_MAX];
	struct span key = grace_key(who, domain, room);
	struct grace *g = map_find(&e->graces, key);

	if (!g)
		return;
	grace_remove(e, g);
	grace_keep(e, key, 0, now);
}

/* ---- refusals and mails ---- */

static void add_refusal(struct evidence *e, const struct who *who, const struct evidence_refusal *r)
{
	const char *code = r->code ? fault_code_text(r->code) : "";
	char domain[TEXT_MAX], sender[TEXT_MAX], recipient[TEXT_MAX], key[2 * KEY_MAX];
	struct store_refusal *f;
	bool is_new;
	int n;

	clean(r->domain, true, domain, sizeof(domain));
	clean(r->sender, false, sender, sizeof(sender));
	clean(r->recipient, false, recipient, sizeof(recipient));
	n = snprintf(key, sizeof(key), "%s\n%s\n%s\n%s\n%s\n%s\n%lld", domain, who->network, who->helo, sender,
		recipient, code, (long long)(r->at / HOUR_S));
	f = entry(e, &e->batch->refusals, span_make(key, (size_t)n), sizeof(*f) + (size_t)n + 64, &is_new);
	if (!f)
		return;
	if (is_new)
		*f = (struct store_refusal){ .domain = kept(e, span_of(domain)),
			.network = kept(e, span_of(who->network)),
			.helo = kept(e, span_of(who->helo)),
			.address = kept(e, span_of(who->address)),
			.sender = kept(e, span_of(sender)),
			.recipient = kept(e, span_of(recipient)),
			.code = span_of(code),
			.first_at = r->at };
	f->times++;
	f->last_at = r->at;
	if (r->earlier)
		f->earlier = span_of(fault_code_text(r->earlier));
}

void evidence_refused(struct evidence *e, const struct evidence_refusal *r)
{
	struct peer_entry *p;
	struct who who;

	if (!e)
		return;
	who_of(&r->peer, &who);
	event_begin(e);
	add_refusal(e, &who, r);
	p = peer_entry(e, &who, r->at);
	if (p)
		p->p.refusals++;
	event_end(e, r->at);
}

static void add_mail(struct evidence *e, const struct evidence_mail *m)
{
	static const char *const verdicts[] = { "delivered", "refused", "deferred" };
	char domain[TEXT_MAX], version[16], suite[64], hop[16], key[KEY_MAX];
	struct store_mail *f;
	bool is_new;
	int n;

	clean(m->domain, true, domain, sizeof(domain));
	clean(span_of(m->version), false, version, sizeof(version));
	clean(span_of(m->suite), false, suite, sizeof(suite));
	clean(span_of(m->hop), false, hop, sizeof(hop));
	n = snprintf(key, sizeof(key), "%s\n%lld\n%s\n%s\n%s\n%d", domain, (long long)(m->at / DAY_S), version, suite,
		hop, m->verdict);
	f = entry(e, &e->batch->mails, span_make(key, (size_t)n), sizeof(*f) + (size_t)n, &is_new);
	if (!f)
		return;
	if (is_new)
		*f = (struct store_mail){ .domain = kept(e, span_of(domain)),
			.day = m->at / DAY_S,
			.version = kept(e, span_of(version)),
			.suite = kept(e, span_of(suite)),
			.hop = kept(e, span_of(hop)),
			.verdict = span_of(verdicts[m->verdict]) };
	f->mails++;
	f->recipients += m->recipients;
	f->bytes += m->bytes;
}

void evidence_mail(struct evidence *e, const struct evidence_mail *m)
{
	bool delivered = m->verdict == EVIDENCE_DELIVERED, clear = !m->version;
	struct peer_entry *p;
	struct who who;

	if (!e)
		return;
	who_of(&m->peer, &who);
	event_begin(e);
	add_mail(e, m);
	if (delivered) {
		p = peer_entry(e, &who, m->at);
		if (p) {
			p->p.mails++;
			p->p.mails_clear += clear;
		}
	}
	if (!clear)
		grace_end(e, &who, m->domain, m->at);
	else if (delivered && m->policy == DOMAIN_TLS_REPORT)
		add_refusal(e, &who,
			&(struct evidence_refusal){ .domain = m->domain,
				.sender = m->sender,
				.recipient = m->recipient,
				.at = m->at });
	event_end(e, m->at);
}

/* ---- certificates ---- */

static void add_certificate(struct evidence *e, const struct tls_pair *p, struct span name, int64_t now)
{
	char clean_name[TEXT_MAX], issuer[TEXT_MAX], key[TEXT_MAX + 80];
	struct store_certificate *c;
	bool is_new;
	int n;

	clean(name, true, clean_name, sizeof(clean_name));
	clean(span_of(p->issuer), false, issuer, sizeof(issuer));
	n = snprintf(key, sizeof(key), "%s\n", clean_name);
	memcpy(key + n, p->fingerprint, sizeof(p->fingerprint));
	c = entry(e, &e->batch->certificates, span_make(key, (size_t)n + sizeof(p->fingerprint)), sizeof(*c) + 512,
		&is_new);
	if (!c)
		return;
	if (is_new) {
		*c = (struct store_certificate){ .name = kept(e, span_of(clean_name)),
			.key = span_of(tls_key_type_text(p->type)),
			.bits = p->bits,
			.issuer = kept(e, span_of(issuer)),
			.self_signed = p->self_signed,
			.not_before = p->not_before,
			.not_after = p->not_after,
			.first_at = now };
		memcpy(c->sha256, p->fingerprint, sizeof(c->sha256));
	}
	c->last_at = now;
}

void evidence_certificates(struct evidence *e, const struct tls_set *set, struct span name, int64_t now)
{
	const struct tls_pair *pairs[TLS_KEY_TYPES_MAX];
	unsigned n = tls_set_pairs_for(set, name, pairs, TLS_KEY_TYPES_MAX);
	uint64_t hash = (uint64_t)(now / HOUR_S);

	if (!e)
		return;
	for (unsigned i = 0; i < n; i++)
		hash = span_hash(span_make(pairs[i]->fingerprint, sizeof(pairs[i]->fingerprint)), hash);
	event_begin(e);
	/* The same as before are written once an hour. */
	if (n == 0 || hash == e->certificates_hash) {
		pthread_mutex_unlock(&e->lock);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		add_certificate(e, pairs[i], name, now);
	if (!e->losing)
		e->certificates_hash = hash;
	event_end(e, now);
}

/* ---- state ---- */

static void fault_of_store(const struct evidence *e, struct fault *ret, enum fault_code code, uint64_t events,
	int64_t since)
{
	char at[CLOCK_RFC3339_SIZE];

	fault_set(ret, code);
	fault_fact(ret, "events", "%llu", (unsigned long long)events);
	clock_rfc3339(since, at);
	fault_fact(ret, "since", "%s", at);
	fault_fact(ret, "code", "%s", fault_code_text(e->fault.code));
}

bool evidence_fault(struct evidence *e, struct fault *ret)
{
	char until[CLOCK_RFC3339_SIZE];
	bool found = false;
	uint64_t waiting;

	if (!e)
		return false;
	pthread_mutex_lock(&e->lock);
	waiting = e->waiting + e->batch->events;
	if (e->lost > 0) {
		fault_of_store(e, ret, FAULT_EVIDENCE_LOST, e->lost, e->lost_since);
		clock_rfc3339(e->lost_until, until);
		fault_fact(ret, "until", "%s", until);
		found = true;
	} else if (e->failing && waiting > 0) {
		fault_of_store(e, ret, FAULT_EVIDENCE_WAITING, waiting, e->failing_since);
		fault_fact(ret, "most", "%zu", EVIDENCE_BYTES_MAX >> 20);
		found = true;
	}
	pthread_mutex_unlock(&e->lock);
	return found;
}

void evidence_json(struct evidence *e, struct jsonw *j)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	jsonw_object(j, "evidence");
	jsonw_text(j, "state", e->failing ? "failing" : "ok");
	if (e->failing)
		jsonw_text(j, "code", fault_code_text(e->fault.code));
	jsonw_uint(j, "written", e->written);
	jsonw_uint(j, "waiting", e->waiting + e->batch->events);
	jsonw_uint(j, "lost", e->lost);
	jsonw_end(j);
	pthread_mutex_unlock(&e->lock);
}

/* ---- life ---- */

struct evidence *evidence_new(struct writer *writer)
{
	struct evidence *e = mem_new(struct evidence);

	e->writer = writer;
	pthread_mutex_init(&e->lock, NULL);
	list_init(&e->recent);
	list_init(&e->graces_by_age);
	map_init(&e->graces);
	arena_init(&e->names, 4096);
	e->batch = batch_new();
	writer_add(writer, &evidence_writer_client, e);
	return e;
}

struct evidence *evidence_free(struct evidence *e)
{
	if (!e)
		return NULL;
	list_each_safe (it, &e->recent)
		recent_free(e, container_of(it, struct recent, link));
	list_each_safe (it, &e->graces_by_age)
		grace_remove(e, container_of(it, struct grace, link));
	map_done(&e->graces);
	batch_free(e->batch);
	arena_done(&e->names);
	pthread_mutex_destroy(&e->lock);
	return mem_free(e);
}
