/*
 * What is not ours: to the resolver, and its answer back to whoever asked. What the resolver has at
 * once leaves at once; for the rest somebody waits (waiting.c).
 */
#include <errno.h>
#include "names/names_priv.h"

static size_t write_result(const struct dns_query *q, const struct dns_result *r, uint8_t *out, size_t max)
{
	if (!r->answer)
		return names_write_failure(q, r->ede, out, max);
	if (r->stale)
		stat_add(STAT_NAMES_STALE, 1);
	return dns_answer_write(r->answer, q, r->age_s, r->stale, out, max);
}

static void on_answer(struct dns_waiter *waiter, const struct dns_result *result)
{
	struct names_waiting *w = container_of(waiter, struct names_waiting, waiter);
	uint8_t small[DNS_UDP_MAX], *out = w->listener ? small : mem_alloc(DNS_MESSAGE_MAX);
	struct dns_query q;
	size_t n;

	names_waiting_query(w, &q);
	if (w->conn && !names_conn_has_room(w->conn))
		n = names_write_overload(&q, out, DNS_UDP_MAX);
	else
		n = write_result(&q, result, out, names_waiting_limit(w, &q));
	names_waiting_end(w, out, n);
	if (out != small)
		mem_free(out);
}

static unsigned bits_of(const struct dns_query *q)
{
	return (q->edns.present && q->edns.dnssec_ok ? DNS_ASK_DO : 0u) | (q->flags & DNS_CD ? DNS_ASK_CD : 0u);
}

size_t names_forward(struct names_thread *t, const struct dns_query *q, const struct names_from *from, uint8_t *out,
	size_t max)
{
	struct dns_resolver *resolver = t->names->resolver;
	struct dns_result result;
	struct names_waiting *w;
	size_t n;

	stat_add(STAT_NAMES_FORWARDED, 1);
	if (dns_now(resolver, &q->q, bits_of(q), &result)) {
		stat_add(STAT_NAMES_KEPT, result.cached);
		n = write_result(q, &result, out, max);
		dns_answer_unref(result.answer);
		return n;
	}
	w = names_waiting_new(t, q, from);
	if (!w)
		return names_write_overload(q, out, max);
	w->waiter.fn = on_answer;
	if (dns_wait(resolver, &q->q, bits_of(q), &w->waiter) == 0)
		return 0;
	names_waiting_end(w, out, names_write_overload(q, out, max));
	return 0;
}
