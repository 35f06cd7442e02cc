/*
 * Whose turn it is: to which upstream a question goes next.
 *
 * Of those that have not failed at this question the one tried least; among these whoever is up
 * comes before the slow, and the slow before those that are down; then the order of the settings.
 * One that is down is tried at most every DOWN_TRY_MS by each thread, so that an outage under load
 * is no storm.
 *
 * A copy is a question that was sent to this upstream before. It helps when a packet was lost, and
 * makes matters worse when the upstream is behind with its work. So there are at most TRIES_MAX
 * (RFC 9520 3.1), each after twice the time of the one before (upstream.c tells how long this
 * upstream takes), and of all questions together only as many as lane->copies has room for: 20 at
 * once, then 10 a second and one for every fifth answer. An upstream that says nothing at all is
 * thereby asked for signs of life, and not for the same things again and again. What others have
 * been asked already is a copy, too, for one that is slow.
 *
 * One that is slow has no more questions at a time than it answers in a second (and 10 a second
 * more, lest it never shows that it could do better). So what waits there melts away, and its
 * answers come in time again for most, where otherwise they would come too late for all.
 */
#include "dns/resolver_priv.h"

#define PARTS     5 /* one try */
#define PARTS_MAX (20 * PARTS)
#define PART_MS   20 /* each of these is one part more */

/* ---- budgets ---- */

static unsigned budget_now(const struct budget *b, uint64_t now_ms)
{
	uint64_t more = (now_ms - b->ms) / PART_MS;

	return more < PARTS_MAX - b->parts ? b->parts + (unsigned)more : PARTS_MAX;
}

static void budget_set(struct budget *b, unsigned parts, uint64_t now_ms)
{
	b->parts = parts < PARTS_MAX ? parts : PARTS_MAX;
	b->ms = now_ms - now_ms % PART_MS;
}

static void budget_spend(struct budget *b, uint64_t now_ms)
{
	unsigned parts = budget_now(b, now_ms);

	budget_set(b, parts > PARTS ? parts - PARTS : 0, now_ms);
}

static bool budget_allows(const struct budget *b, uint64_t now_ms)
{
	return budget_now(b, now_ms) >= PARTS;
}

/* ---- how much one that is slow can do ---- */

static void count_answers(struct lane *lane, uint64_t now_ms)
{
	uint64_t now_s = now_ms / 1000;

	if (lane->answers_s == now_s)
		return;
	lane->answers_before_n = lane->answers_s + 1 == now_s ? lane->answers_n : 0;
	lane->answers_n = 0;
	lane->answers_s = now_s;
}

static bool has_enough(struct lane *lane, uint64_t now_ms)
{
	if (!upstream_is_slow(lane->upstream))
		return false;
	count_answers(lane, now_ms);
	return lane->open_n >= lane->answers_before_n && !budget_allows(&lane->more, now_ms);
}

void turn_answered(struct lane *lane)
{
	uint64_t now_ms = loop_now_ms();

	budget_set(&lane->copies, budget_now(&lane->copies, now_ms) + 1, now_ms);
	count_answers(lane, now_ms);
	lane->answers_n++;
}

/* ---- whose turn ---- */

static bool is_copy(const struct question *q, unsigned i)
{
	return q->tried[i] > 0 || (!list_empty(&q->tries) && upstream_is_slow(q->client->set->v[i]));
}

/* When q was sent to lane the last time; 0: never, or that came to an end. */
static uint64_t last_sent_ms(const struct question *q, const struct lane *lane)
{
	uint64_t last_ms = 0;

	list_each (it, &q->tries) {
		const struct dns_try *t = container_of(it, const struct dns_try, in_question);

		if (t->lane == lane && t->sent_ms > last_ms)
			last_ms = t->sent_ms;
	}
	return last_ms;
}

static bool may_copy(const struct question *q, unsigned i, uint64_t now_ms)
{
	const struct lane *lane = q->client->lane[i];
	uint64_t last_ms = last_sent_ms(q, lane);

	if (q->tried[i] >= TRIES_MAX || !budget_allows(&lane->copies, now_ms))
		return false;
	return last_ms == 0 || q->tried[i] == 0 ||
		now_ms - last_ms >= (uint64_t)upstream_patience_ms(lane->upstream) << (q->tried[i] - 1);
}

static bool may_be_asked(const struct question *q, unsigned i, uint64_t now_ms)
{
	struct lane *lane = q->client->lane[i];

	if (q->bad >> i & 1 || !upstream_is_usable(lane->upstream, now_ms) ||
		(upstream_is_down(lane->upstream) && lane->next_down_ms > now_ms) || has_enough(lane, now_ms))
		return false;
	return !is_copy(q, i) || may_copy(q, i, now_ms);
}

int turn_of(const struct question *q, uint64_t now_ms)
{
	const struct upstream_set *set = q->client->set;
	unsigned best_score = ~0u;
	int best = -1;

	for (unsigned i = 0; i < set->n; i++) {
		unsigned rank = upstream_is_down(set->v[i]) ? 2 : upstream_is_slow(set->v[i]) ? 1 : 0;
		unsigned score = 3u * q->tried[i] + rank;

		if (score >= best_score || !may_be_asked(q, i, now_ms))
			continue;
		best = (int)i;
		best_score = score;
	}
	return best;
}

void turn_taken(struct question *q, unsigned i, uint64_t now_ms)
{
	struct lane *lane = q->client->lane[i];

	if (is_copy(q, i))
		budget_spend(&lane->copies, now_ms);
	if (lane->open_n >= lane->answers_before_n)
		budget_spend(&lane->more, now_ms);
	if (upstream_is_down(lane->upstream))
		lane->next_down_ms = now_ms + DOWN_TRY_MS;
	q->tried[i]++;
}
