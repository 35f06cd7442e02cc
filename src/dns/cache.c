/*
 * Answers that are kept, for all threads.
 *
 * 32 shards by hash, each with its lock, a table of chains and a list in the order of SIEVE (NSDI
 * '24): a hit sets a bit, and who has to go is found by a hand that walks from old to new and
 * clears these bits. A kept answer stays past its TTL, for a day at most, because a stale answer is
 * better than none (RFC 8767); when memory runs out it goes like any other.
 *
 * A failure is kept beside the answer before it (RFC 9520): while it holds, a stale answer is given
 * at once, or the failure itself, and nobody is asked. After that whoever comes asks first (RFC
 * 8767 5); if that fails again, the failure holds for twice as long. That nobody said anything
 * stops counting as soon as somebody who was silent answers again.
 */
#include "base/clock.h"
#include "dns/resolver_priv.h"

#define SHARDS       32
#define BUCKETS      1024 /* of a shard */
#define BUCKETS_MASK (BUCKETS - 1)

struct entry {
	struct entry *next; /* in its bucket */
	struct list link;   /* newest first */
	uint64_t hash;
	struct dns_answer *answer; /* NULL: nothing but a failure is known */
	uint64_t stored_ms;
	uint32_t ttl;
	/* Its failure: */
	unsigned forgiven; /* answers->forgiven then, if that was silence; else 0 */
	uint64_t failed_until_ms;
	int failed_ede;
	uint8_t failed_rcode, failures; /* in a row */
	bool visited;
	uint8_t bits, name_n;
	uint16_t type;
	uint8_t name[];
};
struct shard {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
	struct list order, *hand;
	size_t bytes, entries;
};
struct answers {
	size_t shard_bytes_max;
	atomic_uint forgiven; /* how often silence was forgiven, and one */
	struct shard shards[SHARDS];
};

struct answers *answers_new(size_t bytes_max)
{
	struct answers *a = mem_new(struct answers);

	a->shard_bytes_max = bytes_max / SHARDS;
	atomic_init(&a->forgiven, 1);
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&a->shards[i].lock, NULL);
		list_init(&a->shards[i].order);
		a->shards[i].hand = &a->shards[i].order;
	}
	return a;
}

static size_t bytes_of(const struct entry *e)
{
	return sizeof(*e) + e->name_n + (e->answer ? dns_answer_bytes(e->answer) : 0);
}

/* ---- lock held ---- */

static struct entry **place_of(struct shard *s, uint64_t hash, const struct dns_question *q, unsigned bits)
{
	struct entry **at = &s->buckets[(hash >> 8) & BUCKETS_MASK];

	for (; *at; at = &(*at)->next) {
		const struct entry *e = *at;

		if (e->hash == hash && e->type == q->type && e->bits == bits && e->name_n == q->name.n &&
			memcmp(e->name, q->name.p, q->name.n) == 0)
			break;
	}
	return at;
}

static void drop(struct shard *s, struct entry *e)
{
	struct entry **at = &s->buckets[(e->hash >> 8) & BUCKETS_MASK];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (s->hand == &e->link)
		s->hand = e->link.prev;
	list_remove(&e->link);
	s->bytes -= bytes_of(e);
	s->entries--;
	dns_answer_unref(e->answer);
	mem_free(e);
}

/* The hand goes from the oldest towards the newest and begins again behind it. */
static void evict_one(struct shard *s)
{
	for (;;) {
		struct entry *e;

		if (s->hand == &s->order)
			s->hand = s->order.prev;
		e = container_of(s->hand, struct entry, link);
		s->hand = s->hand->prev;
		if (!e->visited) {
			drop(s, e);
			return;
		}
		e->visited = false;
	}
}

static struct entry *entry_get(struct shard *s, uint64_t hash, const struct dns_question *q, unsigned bits)
{
	struct entry **at = place_of(s, hash, q, bits), *e = *at;

	if (e)
		return e;
	e = mem_zalloc(1, sizeof(*e) + q->name.n);
	e->hash = hash;
	e->type = q->type;
	e->bits = (uint8_t)bits;
	e->name_n = q->name.n;
	memcpy(e->name, q->name.p, q->name.n);
	*at = e;
	list_push_front(&s->order, &e->link);
	s->entries++;
	s->bytes += bytes_of(e);
	return e;
}

static void take_answer(struct shard *s, struct entry *e, struct dns_answer *answer)
{
	s->bytes -= bytes_of(e);
	dns_answer_unref(e->answer);
	e->answer = dns_answer_ref(answer);
	e->ttl = dns_answer_ttl(answer) < ANSWER_TTL_MAX ? dns_answer_ttl(answer) : ANSWER_TTL_MAX;
	e->stored_ms = clock_boot_ms();
	e->failed_until_ms = 0;
	e->failures = 0;
	s->bytes += bytes_of(e);
}

static bool is_failing(const struct answers *a, const struct entry *e, uint64_t now_ms)
{
	return e->failed_until_ms > now_ms &&
		(e->forgiven == 0 || e->forgiven == atomic_load_explicit(&a->forgiven, memory_order_relaxed));
}

static bool give(const struct answers *a, const struct entry *e, uint64_t now_ms, bool stale_too,
	struct dns_result *ret, bool *ret_refresh)
{
	uint64_t age_s = (now_ms - e->stored_ms) / 1000;
	bool has_stale = e->answer && age_s < (uint64_t)e->ttl + STALE_MAX_S;
	bool failing = is_failing(a, e, now_ms);

	*ret = (struct dns_result){ .cached = true, .ede = DNS_EDE_NONE };
	*ret_refresh = !failing;
	if (e->answer && age_s < e->ttl) {
		ret->answer = dns_answer_ref(e->answer);
		ret->age_s = (uint32_t)age_s;
	} else if (has_stale && (stale_too || failing)) {
		ret->answer = dns_answer_ref(e->answer);
		ret->stale = true;
	} else if (failing) {
		ret->rcode = e->failed_rcode;
		ret->ede = e->failed_ede;
	} else {
		return false;
	}
	return true;
}

/* ---- */

static struct shard *lock_shard(struct answers *a, const struct dns_question *q, unsigned bits, uint64_t *ret_hash)
{
	uint64_t hash = span_hash(span_make(q->name.p, q->name.n), (uint64_t)q->type << 8 | bits);
	struct shard *s = &a->shards[hash % SHARDS];

	*ret_hash = hash;
	pthread_mutex_lock(&s->lock);
	return s;
}

bool answers_find(struct answers *a, const struct dns_question *q, unsigned bits, bool stale_too,
	struct dns_result *ret, bool *ret_refresh)
{
	uint64_t hash, now_ms = clock_boot_ms();
	struct shard *s = lock_shard(a, q, bits, &hash);
	struct entry *e = *place_of(s, hash, q, bits);
	bool found = e && give(a, e, now_ms, stale_too, ret, ret_refresh);

	if (found)
		e->visited = true;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void fit(struct answers *a, struct shard *s)
{
	while (s->bytes > a->shard_bytes_max)
		evict_one(s);
}

void answers_put(struct answers *a, const struct dns_question *q, unsigned bits, struct dns_answer *answer)
{
	struct shard *s;
	uint64_t hash;

	if (dns_answer_ttl(answer) == 0)
		return;
	s = lock_shard(a, q, bits, &hash);
	take_answer(s, entry_get(s, hash, q, bits), answer);
	fit(a, s);
	pthread_mutex_unlock(&s->lock);
}

/* How long the failure that was found now holds: longer than the one before it, unless that is so
 * long ago that it has nothing to do with this one. */
static uint64_t failure_holds_ms(struct entry *e, uint64_t now_ms, bool silent)
{
	uint64_t max_ms = silent ? SILENCE_MAX_MS : FAILURE_SAID_MAX_MS, ms = FAILURE_MS;

	if (now_ms > e->failed_until_ms + 2 * SILENCE_MAX_MS)
		e->failures = 0;
	for (unsigned i = 0; i < e->failures && ms < max_ms; i++)
		ms *= 2;
	if (e->failures < UINT8_MAX)
		e->failures++;
	return ms < max_ms ? ms : max_ms;
}

void answers_put_failure(struct answers *a, const struct dns_question *q, unsigned bits, unsigned rcode, int ede,
	bool silent)
{
	uint64_t hash, now_ms = clock_boot_ms();
	struct shard *s = lock_shard(a, q, bits, &hash);
	struct entry *e = entry_get(s, hash, q, bits);

	/* Another thread that failed at the same time is not a second failure. */
	if (!is_failing(a, e, now_ms)) {
		e->failed_until_ms = now_ms + failure_holds_ms(e, now_ms, silent);
		e->failed_rcode = (uint8_t)rcode;
		e->failed_ede = ede;
		e->forgiven = silent ? atomic_load_explicit(&a->forgiven, memory_order_relaxed) : 0;
	}
	fit(a, s);
	pthread_mutex_unlock(&s->lock);
}

void answers_forgive(struct answers *a)
{
	/* It begins at 1: 0 marks failures that somebody said. */
	atomic_fetch_add(&a->forgiven, 1);
}

void answers_json(struct answers *a, struct jsonw *j)
{
	size_t bytes = 0, entries = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&a->shards[i].lock);
		bytes += a->shards[i].bytes;
		entries += a->shards[i].entries;
		pthread_mutex_unlock(&a->shards[i].lock);
	}
	jsonw_object(j, "answers");
	jsonw_uint(j, "kept", entries);
	jsonw_uint(j, "bytes", bytes);
	jsonw_uint(j, "bytes_max", a->shard_bytes_max * SHARDS);
	jsonw_end(j);
}

struct answers *answers_free(struct answers *a)
{
	if (!a)
		return NULL;
	for (unsigned i = 0; i < SHARDS; i++) {
		while (!list_empty(&a->shards[i].order))
			drop(&a->shards[i], container_of(a->shards[i].order.next, struct entry, link));
		pthread_mutex_destroy(&a->shards[i].lock);
	}
	return mem_free(a);
}
