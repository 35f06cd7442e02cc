/*
 * One question, from its first try to its answer.
 *
 * A question is a small struct with a timer, not a task: ten thousand of them may wait. Its tries
 * are with upstreams (whose turn it is: turn.c); what comes of them arrives at try_answered() and
 * try_failed().
 *
 * Whoever waits gets at the latest: a stale answer after DNS_STALE_MS (at once if every upstream
 * has failed by then), a failure after DNS_ANSWER_MS. After that the question still listens for a
 * while, without asking anybody, so that the answer of a slow upstream is there for the next who
 * asks; when the table is full these make room first.
 */
#include <errno.h>
#include "base/rand.h"
#include "dns/resolver_priv.h"

#define AGAIN_PER_MS 4 /* questions that are sent again to an upstream that came back */

/* ---- the end ---- */

static void tell(struct question *q, const struct dns_result *result)
{
	struct list waiters;

	list_take(&q->waiters, &waiters);
	while (!list_empty(&waiters)) {
		struct dns_waiter *w = container_of(list_pop(&waiters), struct dns_waiter, link);

		w->fn(w, result);
	}
}

/* Upstreams that had a second and said nothing. */
static void count_silent(struct question *q)
{
	uint64_t now_ms = loop_now_ms();

	list_each (it, &q->tries) {
		struct dns_try *t = container_of(it, struct dns_try, in_question);

		if (now_ms - t->sent_ms >= SILENT_MS)
			upstream_failed(t->lane->upstream, FAULT_DNS_UPSTREAM_SILENT, 0);
	}
}

/* q is gone afterwards. */
static void finish(struct question *q, const struct dns_result *result)
{
	if (!q->late)
		count_silent(q);
	while (!list_empty(&q->tries))
		try_drop(container_of(q->tries.next, struct dns_try, in_question));
	loop_timer_clear(&q->timer);
	list_remove(&q->link);
	list_remove(&q->in_bucket);
	atomic_fetch_sub_explicit(&q->client->questions_n, 1, memory_order_relaxed);
	tell(q, result);
	mem_free(q);
}

static bool give_stale(struct question *q)
{
	struct dns_result result;
	bool refresh;

	if (q->stale_given || !answers_find(q->client->resolver->answers, &q->q, q->bits, true, &result, &refresh))
		return q->stale_given;
	/* Another thread's failure is nothing to end this question with. */
	if (!result.answer)
		return false;
	q->stale_given = true;
	tell(q, &result);
	dns_answer_unref(result.answer);
	return true;
}

/* Nobody had an answer: that is remembered, so that the next who asks need not wait for it, and
 * whoever could not answer is not asked as often as somebody likes to know (RFC 9520). */
static void conclude(struct question *q, struct dns_result *ret_failure)
{
	*ret_failure = (struct dns_result){ .rcode = DNS_SERVFAIL, .ede = DNS_EDE_NO_REACHABLE };
	if (q->late)
		return;
	if (q->bad_ede != DNS_EDE_NONE)
		ret_failure->ede = q->bad_ede;
	else if (!q->bad && q->unreachable)
		ret_failure->ede = DNS_EDE_NETWORK;
	give_stale(q);
	if (!q->client->stopping)
		answers_put_failure(q->client->resolver->answers, &q->q, q->bits, ret_failure->rcode, ret_failure->ede,
			!q->bad);
}

static void finish_failed(struct question *q)
{
	struct dns_result failure;

	conclude(q, &failure);
	finish(q, &failure);
}

static void on_time(void *arg);

/* Fails the waiters; the question stays open for LATE_MS, so that a slow answer still fills the
 * cache. */
static void listen_on(struct question *q)
{
	struct dns_result failure;

	conclude(q, &failure);
	count_silent(q);
	q->late = true;
	list_remove(&q->link);
	list_push_back(&q->client->late, &q->link);
	loop_timer_set(&q->timer, loop_now_ms() + LATE_MS, on_time, q);
	tell(q, &failure);
}

/* ---- tries ---- */

static unsigned all_bits(const struct dns_client *c)
{
	return (1u << c->set->n) - 1;
}

static struct dns_try *try_new(struct question *q, unsigned i)
{
	struct dns_try *t = mem_new(struct dns_try);

	t->question = q;
	t->lane = q->client->lane[i];
	t->sent_ms = loop_now_ms();
	t->edns = !(q->no_edns >> i & 1);
	t->strict = upstream_keeps_case(t->lane->upstream) && !(q->folded >> i & 1);
	if (t->strict)
		rand_bytes(&t->case_bits, sizeof(t->case_bits));
	list_init(&t->in_port);
	list_init(&t->by_id);
	list_push_back(&q->tries, &t->in_question);
	return t;
}

/* One more try. False: there is nobody to be tried now, or it could not be sent. */
static bool try_once(struct question *q, unsigned i)
{
	struct dns_try *t;
	int r;

	turn_taken(q, i, loop_now_ms());
	t = try_new(q, i);
	r = port_send(t);
	if (r == 0)
		return true;
	upstream_failed(t->lane->upstream, FAULT_DNS_UPSTREAM_DOWN, -r);
	q->unreachable |= (uint16_t)(1u << i);
	try_drop(t);
	return false;
}

static void try_next(struct question *q)
{
	/* Each upstream once: what cannot be sent to one may go to another. */
	for (unsigned n = q->client->set->n; n > 0; n--) {
		int i = turn_of(q, loop_now_ms());

		if (i < 0 || try_once(q, (unsigned)i))
			return;
	}
}

/* ---- time ---- */

static void arm(struct question *q)
{
	uint64_t end = q->started_ms + DNS_ANSWER_MS, stale = q->started_ms + DNS_STALE_MS;
	uint64_t due = q->next_try_ms < end ? q->next_try_ms : end;

	if (!q->stale_given && due > stale && loop_now_ms() < stale)
		due = stale;
	loop_timer_set(&q->timer, due, on_time, q);
}

/* Has nobody anything more to say? */
static bool is_hopeless(const struct question *q)
{
	unsigned self = 0;

	for (unsigned i = 0; i < q->client->set->n; i++)
		self |= (unsigned)!upstream_is_usable(q->client->set->v[i], loop_now_ms()) << i;
	return ((q->bad | self) & all_bits(q->client)) == all_bits(q->client);
}

/* Are those who have not failed at this question down? They had their chance by now. */
static bool only_down_left(const struct question *q)
{
	if (!q->bad)
		return false;
	for (unsigned i = 0; i < q->client->set->n; i++)
		if (!(q->bad >> i & 1) && !upstream_is_down(q->client->set->v[i]))
			return false;
	return true;
}

/* Each has failed once: who has a stale answer need not wait for a better one. */
static void give_stale_if_all_failed(struct question *q)
{
	if (((q->bad | q->unreachable) & all_bits(q->client)) == all_bits(q->client))
		give_stale(q);
}

static void on_time(void *arg)
{
	struct question *q = arg;
	uint64_t now_ms = loop_now_ms();

	if (q->late || is_hopeless(q) || only_down_left(q)) {
		finish_failed(q);
		return;
	}
	if (now_ms >= q->started_ms + DNS_ANSWER_MS) {
		listen_on(q);
		return;
	}
	if (now_ms >= q->started_ms + DNS_STALE_MS)
		give_stale(q);
	if (now_ms >= q->next_try_ms) {
		try_next(q);
		q->next_try_ms = now_ms + TRY_AFTER_MS;
		give_stale_if_all_failed(q);
	}
	arm(q);
}

/* ---- what comes of a try ---- */

static unsigned index_of(const struct question *q, const struct lane *lane)
{
	for (unsigned i = 0; i < q->client->set->n; i++)
		if (q->client->lane[i] == lane)
			return i;
	return DNS_UPSTREAMS_MAX;
}

static bool all_tried(const struct question *q)
{
	for (unsigned i = 0; i < q->client->set->n; i++)
		if (!q->tried[i] && upstream_is_usable(q->client->set->v[i], loop_now_ms()))
			return false;
	return true;
}

/* After a failure the next upstream has its turn at once; when all have had theirs, with the
 * clock. */
static void go_on(struct question *q)
{
	if (is_hopeless(q) || (q->late && list_empty(&q->tries))) {
		finish_failed(q);
		return;
	}
	if (q->late)
		return;
	if (!all_tried(q)) {
		try_next(q);
		q->next_try_ms = loop_now_ms() + TRY_AFTER_MS;
	}
	give_stale_if_all_failed(q);
	arm(q);
}

static void note_bad(struct question *q, unsigned i)
{
	if (i < DNS_UPSTREAMS_MAX)
		q->bad |= (uint16_t)(1u << i);
}

/* The same question to the same upstream once more: by TCP, or without EDNS. */
static void try_again(struct question *q, unsigned i, bool tcp)
{
	struct dns_try *t;

	if (!tcp) {
		if (!try_once(q, i))
			go_on(q);
		return;
	}
	t = try_new(q, i);
	rand_bytes(&t->id, sizeof(t->id));
	atomic_fetch_add_explicit(&t->lane->upstream->asked, 1, memory_order_relaxed);
	stream_send(t);
}

static void on_failure(struct question *q, unsigned i, unsigned rcode, bool had_edns)
{
	if (i < DNS_UPSTREAMS_MAX && had_edns && (rcode == DNS_FORMERR || rcode == DNS_NOTIMP)) {
		q->no_edns |= (uint16_t)(1u << i);
		try_again(q, i, false);
		return;
	}
	stat_add(STAT_DNS_UPSTREAM_FAILURES, 1);
	note_bad(q, i);
	go_on(q);
}

/*
 * DNS 0x20 (draft-vixie-dnsext-dns0x20): who answers in other letters than he was asked in may be a
 * forger, or an upstream that folds letters, for all names or for some. TCP, which nobody forges
 * from afar, has the answer for this question; where there is none by TCP, a second question from
 * another port with another id has it, in whatever letters. Meanwhile the first may still be
 * answered as it was asked. An upstream that folds question after question need not repeat letters
 * for a while (upstream.c); all others still have to.
 */
void try_folded(struct dns_try *t)
{
	struct question *q = t->question;
	unsigned i = q ? index_of(q, t->lane) : DNS_UPSTREAMS_MAX;

	if (i == DNS_UPSTREAMS_MAX || q->late || q->folded >> i & 1)
		return;
	q->folded |= (uint16_t)(1u << i);
	try_again(q, i, true);
}

/* The answer to q by t: what it says about letters. */
static void note_case(const struct question *q, const struct dns_try *t, unsigned i)
{
	if (t->strict && t->port)
		upstream_kept_case(t->lane->upstream);
	else if (i < DNS_UPSTREAMS_MAX && q->folded >> i & 1)
		upstream_folded_case(t->lane->upstream);
}

static bool is_answer(unsigned rcode)
{
	return rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN || rcode == DNS_YXDOMAIN;
}

void try_answered(struct dns_try *t, struct span message)
{
	struct question *q = t->question;
	struct dns_result result = { .ede = DNS_EDE_NONE };
	unsigned flags = dns_get_u16((const uint8_t *)message.p + 2), i;
	bool had_edns = t->edns, tcp = !t->port;

	if (!q) {
		probe_answered(t, message);
		return;
	}
	turn_answered(t->lane);
	/* Who answers with a failure is there, but perhaps not well: that says nothing of it. */
	if (is_answer(flags & DNS_RCODE) &&
		upstream_answered(t->lane->upstream, q->client->set, loop_now_ms() - t->sent_ms))
		upstream_came_back(q->client->resolver, t->lane->upstream, t->sent_ms);
	i = index_of(q, t->lane);
	note_case(q, t, i);
	try_drop(t);
	if (!is_answer(flags & DNS_RCODE)) {
		/* Such as "DNSSEC bogus": what an upstream knows of its failure helps more than
		 * what we do. */
		if (q->bad_ede == DNS_EDE_NONE)
			q->bad_ede = dns_response_ede(message);
		on_failure(q, i, flags & DNS_RCODE, had_edns);
	} else if (flags & DNS_TC && !tcp && i < DNS_UPSTREAMS_MAX) {
		try_again(q, i, true);
	} else if (flags & DNS_TC || dns_answer_read(message, &q->q, &result.answer) < 0) {
		on_failure(q, i, DNS_SERVFAIL, false);
	} else {
		result.rcode = dns_answer_rcode(result.answer);
		answers_put(q->client->resolver->answers, &q->q, q->bits, result.answer);
		finish(q, &result);
		dns_answer_unref(result.answer);
	}
}

void try_failed(struct dns_try *t, int error)
{
	struct question *q = t->question;
	unsigned i;

	if (!q) {
		probe_failed(t, error);
		return;
	}
	/* Who does not speak TCP (-errno) answers the rest all the same. */
	if (error > 0)
		upstream_failed(t->lane->upstream, FAULT_DNS_UPSTREAM_DOWN, error);
	i = index_of(q, t->lane);
	try_drop(t);
	if (i < DNS_UPSTREAMS_MAX && error < 0 && q->folded >> i & 1 && !q->late && try_once(q, i))
		return;
	if (i < DNS_UPSTREAMS_MAX)
		q->unreachable |= (uint16_t)(1u << i);
	go_on(q);
}

/* ---- asking ---- */

static uint64_t hash_of(const struct dns_question *q, unsigned bits)
{
	return span_hash(span_make(q->name.p, q->name.n), (uint64_t)q->type << 8 | bits);
}

static struct question *find(struct dns_client *c, const struct dns_question *q, unsigned bits, uint64_t hash)
{
	list_each (it, &c->buckets[hash % QUESTION_BUCKETS]) {
		struct question *one = container_of(it, struct question, in_bucket);

		if (one->hash == hash && one->q.type == q->type && one->bits == bits &&
			dns_name_eq(&one->q.name, &q->name))
			return one;
	}
	return NULL;
}

static void begin(struct question *q)
{
	q->late = q->stale_given = false;
	q->bad = q->unreachable = q->folded = 0;
	q->bad_ede = DNS_EDE_NONE;
	memset(q->tried, 0, sizeof(q->tried));
	q->started_ms = loop_now_ms();
	q->next_try_ms = q->started_ms + TRY_AFTER_MS;
	list_push_back(&q->client->questions, &q->link);
	try_next(q);
	arm(q);
}

/* One that only listens on goes for one that somebody waits for. */
static bool has_room(struct dns_client *c)
{
	if (c->questions_n >= DNS_QUESTIONS_MAX && !list_empty(&c->late))
		finish_failed(container_of(c->late.next, struct question, link));
	return c->questions_n < DNS_QUESTIONS_MAX && !c->stopping;
}

/* NULL: there are too many. */
static struct question *question_get(struct dns_client *c, const struct dns_question *asked, unsigned bits)
{
	uint64_t hash = hash_of(asked, bits);
	struct question *q = find(c, asked, bits, hash);

	if (q) {
		stat_add(STAT_DNS_COLLAPSED, 1);
		if (q->late) {
			list_remove(&q->link);
			begin(q);
		}
		return q;
	}
	if (!has_room(c))
		return NULL;
	q = mem_new(struct question);
	q->client = c;
	q->hash = hash;
	q->bits = bits;
	memcpy(&q->q.name, &asked->name, offsetof(struct dns_name, p) + asked->name.n);
	q->q.type = asked->type;
	q->q.klass = asked->klass;
	list_init(&q->waiters);
	list_init(&q->tries);
	list_push_back(&c->buckets[hash % QUESTION_BUCKETS], &q->in_bucket);
	atomic_fetch_add_explicit(&c->questions_n, 1, memory_order_relaxed);
	begin(q);
	return q;
}

/* Is there anybody to be asked; who is well? */
static bool has_usable(const struct dns_client *c, bool up)
{
	for (unsigned i = 0; i < c->set->n; i++)
		if (upstream_is_usable(c->set->v[i], loop_now_ms()) && !(up && upstream_is_down(c->set->v[i])))
			return true;
	return false;
}

bool dns_now(struct dns_resolver *r, const struct dns_question *q, unsigned bits, struct dns_result *ret)
{
	struct dns_client *c = client_of(r);
	bool refresh;

	must(q->klass == DNS_CLASS_IN);
	if (answers_find(r->answers, q, bits, !has_usable(c, true), ret, &refresh)) {
		/* So that there is a fresh one when they are back. */
		if (ret->stale && refresh && has_usable(c, false))
			question_get(c, q, bits);
		return true;
	}
	*ret = (struct dns_result){ .rcode = DNS_SERVFAIL, .ede = DNS_EDE_NO_REACHABLE };
	return c->stopping || !has_usable(c, false);
}

int dns_wait(struct dns_resolver *r, const struct dns_question *q, unsigned bits, struct dns_waiter *w)
{
	struct question *question = question_get(client_of(r), q, bits);

	if (!question)
		return -EAGAIN;
	list_push_back(&question->waiters, &w->link);
	/* Who asks again after others had a stale answer shall not wait for longer than they
	 * did. */
	if (question->stale_given) {
		question->stale_given = false;
		question->next_try_ms = loop_now_ms();
		arm(question);
	}
	return 0;
}

void dns_wait_cancel(struct dns_waiter *w)
{
	list_remove(&w->link);
}

/* ---- all at once ---- */

void questions_restart(struct dns_client *c)
{
	list_each (it, &c->questions) {
		struct question *q = container_of(it, struct question, link);

		memset(q->tried, 0, sizeof(q->tried));
		q->bad = q->unreachable = q->no_edns = q->folded = 0;
		q->next_try_ms = loop_now_ms();
		arm(q);
	}
}

/* A try of before sent_ms that is still open: an upstream that answers in order has lost it. */
static bool has_lost(const struct question *q, const struct lane *lane, uint64_t sent_ms)
{
	bool lost = false;

	list_each (it, &q->tries) {
		const struct dns_try *t = container_of(it, const struct dns_try, in_question);

		if (t->lane != lane || !t->port)
			continue;
		if (t->sent_ms >= sent_ms)
			return false;
		lost = true;
	}
	return lost;
}

void questions_ask_again(struct dns_client *c, unsigned i, uint64_t sent_ms)
{
	unsigned n = 0;

	list_each (it, &c->questions) {
		struct question *q = container_of(it, struct question, link);

		if (q->unreachable >> i & 1 || has_lost(q, c->lane[i], sent_ms)) {
			q->unreachable &= (uint16_t) ~(1u << i);
			q->tried[i] = 0;
			/* Not all at once: it has only just come back. */
			q->next_try_ms = loop_now_ms() + n++ / AGAIN_PER_MS;
			arm(q);
		}
	}
}

void questions_end(struct dns_client *c)
{
	while (!list_empty(&c->questions))
		finish_failed(container_of(c->questions.next, struct question, link));
	while (!list_empty(&c->late))
		finish_failed(container_of(c->late.next, struct question, link));
}
