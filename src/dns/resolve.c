/*
 * For tasks: a question and its answer; a host name and its addresses.
 *
 * A and AAAA are asked at once, and neither may spoil the other. Once one has brought an address
 * that can be reached, the other has RESOLUTION_DELAY_MS left (RFC 8305 3); at the deadline what
 * has come counts. Each has room of its own for its addresses, and they are given in turn.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "dns/resolver_priv.h"

#define RESOLUTION_DELAY_MS 50
#define HOSTS_FILE_TTL_S    30

/* One who waits in a task, for several answers. */
struct asker {
	pthread_mutex_t lock; /* for the condition only: all is on one loop */
	struct task_cond answered;
	unsigned waiting;
};
struct asked {
	struct dns_waiter waiter;
	struct asker *asker;
	struct dns_question q;
	struct dns_result result;
	int error; /* -EAGAIN: too many questions; -ETIMEDOUT: not answered yet */
};

static void on_answer(struct dns_waiter *w, const struct dns_result *result)
{
	struct asked *a = container_of(w, struct asked, waiter);

	a->result = *result;
	a->error = 0;
	if (result->answer)
		dns_answer_ref(result->answer);
	pthread_mutex_lock(&a->asker->lock);
	a->asker->waiting--;
	task_cond_broadcast(&a->asker->answered);
	pthread_mutex_unlock(&a->asker->lock);
}

static void ask(struct dns_resolver *r, struct asker *asker, unsigned bits, struct asked *a)
{
	a->asker = asker;
	a->waiter.fn = on_answer;
	a->error = 0;
	list_init(&a->waiter.link);
	if (dns_now(r, &a->q, bits, &a->result))
		return;
	a->result = (struct dns_result){ .rcode = DNS_SERVFAIL, .ede = DNS_EDE_NONE };
	a->error = dns_wait(r, &a->q, bits, &a->waiter);
	if (a->error < 0)
		return;
	a->error = -ETIMEDOUT;
	asker->waiting++;
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

static void address_of(uint16_t type, struct span data, struct net_addr *ret)
{
	*ret = (struct net_addr){ 0 };
	if (type == DNS_TYPE_A) {
		ret->n = sizeof(ret->in);
		ret->in.sin_family = AF_INET;
		memcpy(&ret->in.sin_addr, data.p, 4);
	} else {
		ret->n = sizeof(ret->in6);
		ret->in6.sin6_family = AF_INET6;
		memcpy(&ret->in6.sin6_addr, data.p, 16);
	}
}

static bool has_reachable(const struct asked *a)
{
	struct net_addr addr;
	struct span data;
	uint32_t ttl;
	size_t at = 0;

	if (!a->result.answer || !dns_answer_next(a->result.answer, a->q.type, &at, &data, &ttl))
		return false;
	address_of(a->q.type, data, &addr);
	/* Connecting wants a port; which one does not matter to a route. */
	net_addr_set_port(&addr, DNS_PORT);
	return is_reachable(&addr);
}

/* Until all have answered, or enough of them. */
static int wait_for(struct asker *asker, const struct asked *a, unsigned n, uint64_t deadline)
{
	bool hurry = false;
	int error = 0;

	pthread_mutex_lock(&asker->lock);
	while (error == 0 && asker->waiting > 0) {
		for (unsigned i = 0; i < n && !hurry; i++)
			if (a[i].error == 0 && has_reachable(&a[i])) {
				hurry = true;
				if (deadline_in(RESOLUTION_DELAY_MS) < deadline)
					deadline = deadline_in(RESOLUTION_DELAY_MS);
			}
		error = task_cond_wait(&asker->answered, &asker->lock, deadline);
	}
	pthread_mutex_unlock(&asker->lock);
	return error;
}

/* Whose answer has not come has an error then; the others have a result, whose answer is the
 * caller's. Negative: the task is cancelled, and nothing is left. */
static int ask_all(struct dns_resolver *r, struct asked *a, unsigned n, unsigned bits, uint64_t deadline)
{
	struct asker asker = { .lock = PTHREAD_MUTEX_INITIALIZER };
	int error;

	task_cond_init(&asker.answered);
	for (unsigned i = 0; i < n; i++)
		ask(r, &asker, bits, &a[i]);
	error = wait_for(&asker, a, n, deadline);
	for (unsigned i = 0; i < n; i++) {
		if (a[i].error < 0)
			dns_wait_cancel(&a[i].waiter);
		else if (error < 0 && error != -ETIMEDOUT)
			a[i].result.answer = dns_answer_unref(a[i].result.answer);
	}
	pthread_mutex_destroy(&asker.lock);
	return error == -ETIMEDOUT ? 0 : error;
}

int dns_query(const struct dns_question *q, unsigned bits, uint64_t deadline, struct dns_result *ret)
{
	struct dns_resolver *r;
	struct asked a = { .q = *q };
	int error;

	must(dns_client);
	r = dns_client->resolver;
	dns_name_lower(&a.q.name);
	if (dns_client->set->n == 0)
		system_conf_unref(system_conf_get(r));
	error = ask_all(r, &a, 1, bits, deadline);
	*ret = a.result;
	return error < 0 ? error : a.error;
}

/* ---- addresses ---- */

static void take_ttl(struct dns_host *to, const struct dns_result *result)
{
	uint32_t ttl_s = dns_answer_ttl(result->answer);

	ttl_s = result->stale ? DNS_STALE_TTL : ttl_s > result->age_s ? ttl_s - result->age_s : 0;
	if (ttl_s < to->ttl_s)
		to->ttl_s = ttl_s;
	to->stale |= result->stale;
}

static void take_addresses(struct dns_host *to, const struct asked *a)
{
	struct span data;
	uint32_t ttl;
	size_t at = 0;
	unsigned n;

	for (n = 0; n < DNS_HOST_ADDRS_MAX && dns_answer_next(a->result.answer, a->q.type, &at, &data, &ttl); n++)
		address_of(a->q.type, data, &to->v[to->n++]);
	if (n > 0)
		take_ttl(to, &a->result);
}

/* The addresses of one name: 0 (there may be none), -EAGAIN (nobody could say), -ETIMEDOUT, or why
 * the task stopped waiting. */
static int ask_addresses(struct dns_resolver *r, const struct dns_name *name, unsigned families, uint64_t deadline,
	struct dns_host *to)
{
	struct asked a[2] = { 0 };
	unsigned n = 0;
	int error;

	if (families & DNS_V6)
		a[n++].q.type = DNS_TYPE_AAAA;
	if (families & DNS_V4)
		a[n++].q.type = DNS_TYPE_A;
	for (unsigned i = 0; i < n; i++) {
		a[i].q.name = *name;
		a[i].q.klass = DNS_CLASS_IN;
	}
	error = ask_all(r, a, n, 0, deadline);
	if (error < 0)
		return error;
	for (unsigned i = 0; i < n; i++) {
		if (a[i].error == 0 && a[i].result.answer)
			take_addresses(to, &a[i]);
		else if (error == 0)
			error = a[i].error < 0 ? a[i].error : -EAGAIN;
		dns_answer_unref(a[i].error == 0 ? a[i].result.answer : NULL);
	}
	return to->n > 0 ? 0 : error;
}

/* /etc/hosts; false: it does not know the name in these families. */
static bool take_hosts(const struct system_conf *c, struct span name, unsigned families, struct dns_host *to)
{
	struct net_addr all[DNS_HOST_ADDRS_MAX];
	unsigned n = system_conf_hosts(c, name, all, DNS_HOST_ADDRS_MAX);

	for (unsigned i = 0; i < n; i++)
		if (families & (all[i].sa.sa_family == AF_INET ? DNS_V4 : DNS_V6))
			to->v[to->n++] = all[i];
	to->ttl_s = HOSTS_FILE_TTL_S;
	return n > 0;
}

int dns_resolve_host(struct span name, unsigned families, uint64_t deadline, struct dns_host *ret)
{
	struct dns_resolver *r = dns_client->resolver;
	struct system_conf *c = system_conf_get(r);
	struct dns_name candidate;
	int error = 0;

	*ret = (struct dns_host){ .ttl_s = UINT32_MAX };
	if (!c)
		return -EAGAIN;
	if (!take_hosts(c, name, families, ret)) {
		ret->ttl_s = UINT32_MAX;
		for (unsigned i = 0; error == 0 && ret->n == 0 && system_conf_candidate(c, name, i, &candidate); i++)
			error = ask_addresses(r, &candidate, families, deadline, ret);
	}
	system_conf_unref(c);
	return error < 0 ? error : ret->n > 0 ? (int)ret->n : -ENOENT;
}

/* ---- in the order in which they are tried ---- */

static unsigned rank(const struct net_addr *a)
{
	return (is_reachable(a) ? 0u : 2u) + (a->sa.sa_family == AF_INET6 ? 0 : 1);
}

/* Stable: what the servers put first stays first. */
static void sort(struct dns_host *all, unsigned ranks[])
{
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

static unsigned count_rank(const struct dns_host *all, const unsigned ranks[], unsigned its)
{
	unsigned n = 0;

	for (unsigned i = 0; i < all->n; i++)
		n += ranks[i] == its;
	return n;
}

/* Families in turn (RFC 8305 4), so that few places are not all taken by one of them. */
static unsigned give_in_turn(struct dns_host *all, uint16_t port, struct net_addr *ret, unsigned max)
{
	unsigned ranks[2 * DNS_HOST_ADDRS_MAX], given = 0, first = 0;

	for (unsigned i = 0; i < all->n; i++)
		net_addr_set_port(&all->v[i], port);
	sort(all, ranks);
	for (unsigned far = 0; far < 4; far += 2) {
		unsigned six = count_rank(all, ranks, far), four = count_rank(all, ranks, far + 1);

		for (unsigned i = 0; i < six || i < four; i++) {
			if (i < six && given < max)
				ret[given++] = all->v[first + i];
			if (i < four && given < max)
				ret[given++] = all->v[first + six + i];
		}
		first += six + four;
	}
	return given;
}

int dns_resolve(struct span name, uint16_t port, struct net_addr *ret, unsigned max, uint64_t deadline)
{
	struct dns_host host;
	int n;

	must(max > 0);
	if (net_addr_parse_host(name, ret) == 0) {
		net_addr_set_port(ret, port);
		return 1;
	}
	if (!dns_client)
		return net_resolve(name, port, ret, max, deadline);
	n = dns_resolve_host(name, DNS_V4 | DNS_V6, deadline, &host);
	return n < 0 ? n : (int)give_in_turn(&host, port, ret, max);
}
