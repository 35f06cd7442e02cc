/*
 * For tasks: a question and its answer; a host name and its addresses.
 *
 * A and AAAA are asked at once. An answer that fails does not spoil the other: the addresses that
 * there are do.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "dns/resolver_priv.h"

/* One who waits in a task, for several answers. */
struct asker {
	pthread_mutex_t lock; /* for the condition only: all is on one loop */
	struct task_cond answered;
	unsigned waiting;
};
struct asked {
	struct dns_waiter waiter;
	struct asker *asker;
	struct dns_result result;
};

static void on_answer(struct dns_waiter *w, const struct dns_result *result)
{
	struct asked *a = container_of(w, struct asked, waiter);

	a->result = *result;
	if (result->answer)
		dns_answer_ref(result->answer);
	pthread_mutex_lock(&a->asker->lock);
	a->asker->waiting--;
	task_cond_broadcast(&a->asker->answered);
	pthread_mutex_unlock(&a->asker->lock);
}

static int ask(struct dns_resolver *r, struct asker *asker, const struct dns_question *q, unsigned bits,
	struct asked *a)
{
	int error;

	*a = (struct asked){ .asker = asker, .waiter.fn = on_answer };
	list_init(&a->waiter.link);
	if (dns_now(r, q, bits, &a->result))
		return 0;
	error = dns_wait(r, q, bits, &a->waiter);
	if (error == 0)
		asker->waiting++;
	return error;
}

/* All of them, or none: 0, or an error and nothing is left. */
static int ask_all(struct dns_resolver *r, const struct dns_question *q, unsigned n, unsigned bits, uint64_t deadline,
	struct asked *a)
{
	struct asker asker = { .lock = PTHREAD_MUTEX_INITIALIZER };
	int error = 0;

	task_cond_init(&asker.answered);
	for (unsigned i = 0; i < n; i++) {
		int one = ask(r, &asker, &q[i], bits, &a[i]);

		error = one < 0 ? one : error;
	}
	pthread_mutex_lock(&asker.lock);
	while (error == 0 && asker.waiting > 0)
		error = task_cond_wait(&asker.answered, &asker.lock, deadline);
	pthread_mutex_unlock(&asker.lock);
	for (unsigned i = 0; i < n && error < 0; i++) {
		dns_wait_cancel(&a[i].waiter);
		a[i].result.answer = dns_answer_unref(a[i].result.answer);
	}
	pthread_mutex_destroy(&asker.lock);
	return error;
}

int dns_query(const struct dns_question *q, unsigned bits, uint64_t deadline, struct dns_result *ret)
{
	struct dns_resolver *r;
	struct dns_question lower = *q;
	struct asked a;
	int error;

	must(dns_client);
	r = dns_client->resolver;
	dns_name_lower(&lower.name);
	if (dns_client->set->n == 0)
		system_conf_unref(system_conf_get(r));
	error = ask_all(r, &lower, 1, bits, deadline, &a);
	*ret = a.result;
	return error;
}

/* ---- addresses ---- */

struct addresses {
	struct net_addr *v;
	unsigned n, max;
};

static void take(struct addresses *to, const struct dns_result *result, uint16_t type)
{
	struct span data;
	uint32_t ttl;
	size_t at = 0;

	while (result->answer && to->n < to->max && dns_answer_next(result->answer, type, &at, &data, &ttl)) {
		struct net_addr *a = &to->v[to->n++];

		*a = (struct net_addr){ 0 };
		if (type == DNS_TYPE_A) {
			a->n = sizeof(a->in);
			a->in.sin_family = AF_INET;
			memcpy(&a->in.sin_addr, data.p, 4);
		} else {
			a->n = sizeof(a->in6);
			a->in6.sin6_family = AF_INET6;
			memcpy(&a->in6.sin6_addr, data.p, 16);
		}
	}
}

static bool has_failed(const struct dns_result *r)
{
	return !r->answer;
}

/* The addresses of one name: 0 (there may be none), -EAGAIN (nobody could say), or why the task
 * stopped waiting. */
static int ask_addresses(struct dns_resolver *r, const struct dns_name *name, uint64_t deadline, struct addresses *to)
{
	struct dns_question q[2] = { { .type = DNS_TYPE_AAAA, .klass = DNS_CLASS_IN },
		{ .type = DNS_TYPE_A, .klass = DNS_CLASS_IN } };
	struct asked a[2];
	int error;

	q[0].name = q[1].name = *name;
	error = ask_all(r, q, 2, 0, deadline, a);
	if (error < 0)
		return error;
	for (unsigned i = 0; i < 2; i++)
		take(to, &a[i].result, q[i].type);
	if (to->n == 0 && (has_failed(&a[0].result) || has_failed(&a[1].result)))
		error = -EAGAIN;
	dns_answer_unref(a[0].result.answer);
	dns_answer_unref(a[1].result.answer);
	return error;
}

/* Is there a route? Connecting a datagram socket asks the routing table and sends nothing. */
static bool is_reachable(const struct net_addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, &a->sa, a->n) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static unsigned rank(const struct net_addr *a)
{
	return (is_reachable(a) ? 0u : 2u) + (a->sa.sa_family == AF_INET6 ? 0 : 1);
}

/* Stable: what the servers put first stays first. */
static void sort(struct addresses *all)
{
	unsigned ranks[DNS_RESOLVE_MAX];

	for (unsigned i = 0; i < all->n; i++) {
		struct net_addr one = all->v[i];
		unsigned its = rank(&one), at = i;

		for (; at > 0 && ranks[at - 1] > its; at--) {
			all->v[at] = all->v[at - 1];
			ranks[at] = ranks[at - 1];
		}
		all->v[at] = one;
		ranks[at] = its;
	}
}

static int resolve(struct dns_resolver *r, const struct system_conf *c, struct span name, uint64_t deadline,
	struct addresses *to)
{
	struct dns_name candidate;
	int error = 0;

	for (unsigned i = 0; error == 0 && to->n == 0 && system_conf_candidate(c, name, i, &candidate); i++)
		error = ask_addresses(r, &candidate, deadline, to);
	return error < 0 ? error : to->n > 0 ? (int)to->n : -ENOENT;
}

int dns_resolve(struct span name, uint16_t port, struct net_addr *ret, unsigned max, uint64_t deadline)
{
	struct net_addr all[DNS_RESOLVE_MAX];
	struct addresses to = { .v = all, .max = DNS_RESOLVE_MAX };
	struct system_conf *c;
	int n;

	must(max > 0);
	if (net_addr_parse_host(name, ret) == 0) {
		net_addr_set_port(ret, port);
		return 1;
	}
	if (!dns_client)
		return net_resolve(name, port, ret, max, deadline);
	c = system_conf_get(dns_client->resolver);
	if (!c)
		return -EAGAIN;
	to.n = system_conf_hosts(c, name, all, to.max);
	n = to.n > 0 ? (int)to.n : resolve(dns_client->resolver, c, name, deadline, &to);
	system_conf_unref(c);
	if (n < 0)
		return n;
	sort(&to);
	n = n < (int)max ? n : (int)max;
	for (int i = 0; i < n; i++) {
		ret[i] = all[i];
		net_addr_set_port(&ret[i], port);
	}
	return n;
}
