/*
 * Questions whose answer comes later. Each keeps the little that its answer needs: the question as
 * it was written, id, flags, and the way back. Whoever it waits for answers within 2 s, so each has
 * an end; when there are too many, the answer is SERVFAIL, never silence.
 */
#include "names/names_priv.h"

struct names_waiting *names_waiting_new(struct names_thread *t, const struct dns_query *q,
	const struct names_from *from)
{
	struct names_waiting *w;

	if (t->waiting_n >= NAMES_WAITING_MAX)
		return NULL;
	w = mem_alloc(sizeof(*w));
	w->thread = t;
	w->conn = from->conn;
	w->listener = from->listener;
	if (w->listener) {
		w->listener->waiting++;
		names_way_init(&w->way, from->datagram);
	} else {
		names_conn_wait(w->conn);
	}
	w->id = q->id;
	w->flags = q->flags;
	w->edns = q->edns;
	w->type = q->q.type;
	w->question_n = q->question_n;
	memcpy(w->question, q->question, q->question_n);
	t->waiting_n++;
	atomic_fetch_add_explicit(&t->names->waiting, 1, memory_order_relaxed);
	return w;
}

void names_waiting_query(const struct names_waiting *w, struct dns_query *ret)
{
	ret->id = w->id;
	ret->flags = w->flags;
	ret->edns = w->edns;
	ret->q.type = w->type;
	ret->q.klass = DNS_CLASS_IN;
	ret->q.name.n = 0;
	ret->question = w->question;
	ret->question_n = w->question_n;
}

size_t names_waiting_limit(const struct names_waiting *w, const struct dns_query *q)
{
	return w->listener ? dns_udp_limit(q) : DNS_MESSAGE_MAX;
}

void names_waiting_end(struct names_waiting *w, const uint8_t *p, size_t n)
{
	w->thread->waiting_n--;
	atomic_fetch_sub_explicit(&w->thread->names->waiting, 1, memory_order_relaxed);
	if (w->listener) {
		if (n > 0)
			names_send(w->listener, &w->way, p, n);
		names_listener_leave(w->listener);
	} else {
		names_conn_answer(w->conn, p, n);
	}
	mem_free(w);
}

size_t names_write_failure(const struct dns_query *q, int ede, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_FAILED, 1);
	return dns_reply_empty(q, DNS_RA, DNS_SERVFAIL, ede, out, max);
}

size_t names_write_overload(const struct dns_query *q, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_OVERLOAD, 1);
	return names_write_failure(q, DNS_EDE_NONE, out, max);
}
