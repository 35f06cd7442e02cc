/*
 * What is not ours: to the resolver, and its answer back to whoever asked.
 *
 * What the resolver has at once leaves at once. Else a struct waiting keeps the little that the
 * answer needs: the question as it was written, id, flags, and the way back. The resolver answers
 * everything within 2 s, so each of them has an end; when there are too many, and when the process
 * ends, the answer is SERVFAIL, never silence.
 *
 * A name of ours whose origin is a host name is looked up by a task (/etc/hosts, search domains,
 * both families), one for all who ask meanwhile, and its addresses are answered as the name's own.
 */
#include <errno.h>
#include "names/names_priv.h"

#define QUESTION_MAX (DNS_NAME_MAX + 4)
#define HOST_ADDRS   16
#define LOOK_UPS_MAX 256 /* hosts that are looked up at once, per thread */

struct waiting {
	struct dns_waiter waiter;
	struct names_thread *thread;
	struct names_conn *conn;         /* by TCP */
	struct names_listener *listener; /* by UDP; then: */
	struct names_way way;
	/* of the question: */
	struct dns_edns edns;
	uint16_t id, flags, type, question_n;
	struct zone *zone; /* of a name of ours, and its */
	const struct dns_name *apex;
	uint8_t question[QUESTION_MAX];
};

/* ---- waiting ---- */

static struct waiting *waiting_new(struct names_thread *t, const struct dns_query *q, const struct names_from *from)
{
	struct waiting *w;

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
	w->zone = NULL;
	w->apex = NULL;
	t->waiting_n++;
	atomic_fetch_add_explicit(&t->names->waiting, 1, memory_order_relaxed);
	return w;
}

/* The question again; without its name in lower case, which no answer needs. */
static void query_of(const struct waiting *w, struct dns_query *ret)
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

static size_t limit_of(const struct waiting *w, const struct dns_query *q)
{
	return w->listener ? dns_udp_limit(q) : DNS_MESSAGE_MAX;
}

/* Sends (n > 0) and forgets w. */
static void end(struct waiting *w, const uint8_t *p, size_t n)
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
	zone_unref(w->zone);
	mem_free(w);
}

/* ---- answers ---- */

static size_t write_failure(const struct dns_query *q, int ede, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_FAILED, 1);
	return dns_reply_empty(q, DNS_RA, DNS_SERVFAIL, ede, out, max);
}

static size_t write_result(const struct dns_query *q, const struct dns_result *r, uint8_t *out, size_t max)
{
	if (!r->answer)
		return write_failure(q, r->ede, out, max);
	if (r->stale)
		stat_add(STAT_NAMES_STALE, 1);
	return dns_answer_write(r->answer, q, r->age_s, r->stale, out, max);
}

static size_t overloaded(const struct dns_query *q, uint8_t *out, size_t max)
{
	stat_add(STAT_NAMES_OVERLOAD, 1);
	return write_failure(q, DNS_EDE_NONE, out, max);
}

static void on_answer(struct dns_waiter *waiter, const struct dns_result *result)
{
	struct waiting *w = container_of(waiter, struct waiting, waiter);
	uint8_t small[DNS_UDP_MAX], *out = w->listener ? small : mem_alloc(DNS_MESSAGE_MAX);
	struct dns_query q;
	size_t n;

	query_of(w, &q);
	if (w->conn && !names_conn_has_room(w->conn))
		n = overloaded(&q, out, DNS_UDP_MAX);
	else
		n = write_result(&q, result, out, limit_of(w, &q));
	end(w, out, n);
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
	struct waiting *w;
	size_t n;

	stat_add(STAT_NAMES_FORWARDED, 1);
	if (dns_now(resolver, &q->q, bits_of(q), &result)) {
		stat_add(STAT_NAMES_KEPT, result.cached);
		n = write_result(q, &result, out, max);
		dns_answer_unref(result.answer);
		return n;
	}
	w = waiting_new(t, q, from);
	if (!w)
		return overloaded(q, out, max);
	w->waiter.fn = on_answer;
	if (dns_wait(resolver, &q->q, bits_of(q), &w->waiter) == 0)
		return 0;
	end(w, out, overloaded(q, out, max));
	return 0;
}

/* ---- names of ours whose origin is a host name ---- */

static size_t write_host(const struct waiting *w, const struct dns_query *q, const struct net_addr *all, int found,
	uint8_t *out, size_t max)
{
	uint8_t bytes[HOST_ADDRS * 16];
	unsigned size = q->q.type == DNS_TYPE_A ? 4 : 16, n = 0;

	if (found < 0 && found != -ENOENT)
		return write_failure(q, DNS_EDE_NO_REACHABLE, out, max);
	for (int i = 0; i < found; i++) {
		bool v4 = all[i].sa.sa_family == AF_INET;

		if (v4 == (size == 4))
			memcpy(bytes + size * (size_t)n++,
				v4 ? (const void *)&all[i].in.sin_addr : &all[i].in6.sin6_addr, size);
	}
	return names_answer_addresses(w->thread, q, w->apex, bytes, n, out, max);
}

/* All who wait for one host's addresses, whatever the family: one task for them. */
struct look_up {
	struct list link; /* in thread->look_ups */
	struct names_thread *thread;
	struct dns_name host;
	struct list waiting;
};

static void answer_host(struct waiting *w, const struct net_addr *all, int found)
{
	uint8_t out[DNS_UDP_MAX];
	struct dns_query q;

	query_of(w, &q);
	end(w, out, write_host(w, &q, all, found, out, w->listener ? dns_udp_limit(&q) : sizeof(out)));
}

static void look_up(void *arg)
{
	struct look_up *l = arg;
	char host[DNS_NAME_TEXT_SIZE];
	size_t n = dns_name_text(&l->host, host);
	struct net_addr all[HOST_ADDRS];
	int found = dns_resolve(span_make(host, n), 0, all, HOST_ADDRS, deadline_in(DNS_ANSWER_MS));
	struct list *link;

	list_remove(&l->link);
	l->thread->look_ups_n--;
	while ((link = list_pop(&l->waiting)))
		answer_host(container_of(link, struct waiting, waiter.link), all, found);
	mem_free(l);
}

/* NULL: there are too many. */
static struct look_up *look_up_get(struct names_thread *t, const struct dns_name *host)
{
	struct look_up *l;

	list_each (it, &t->look_ups) {
		l = container_of(it, struct look_up, link);
		if (dns_name_eq(&l->host, host))
			return l;
	}
	if (t->look_ups_n >= LOOK_UPS_MAX)
		return NULL;
	l = mem_new(struct look_up);
	l->thread = t;
	memcpy(&l->host, host, offsetof(struct dns_name, p) + host->n);
	list_init(&l->waiting);
	if (!task_spawn("names-host", look_up, l))
		return mem_free(l);
	list_push_back(&t->look_ups, &l->link);
	t->look_ups_n++;
	return l;
}

size_t names_forward_host(struct names_thread *t, const struct dns_query *q, const struct zone_found *found,
	const struct names_from *from, uint8_t *out, size_t max)
{
	struct look_up *l = look_up_get(t, found->host);
	struct waiting *w = l ? waiting_new(t, q, from) : NULL;

	if (!w)
		return overloaded(q, out, max);
	w->zone = zone_ref(t->state->zone);
	w->apex = found->apex;
	list_push_back(&l->waiting, &w->waiter.link);
	return 0;
}
