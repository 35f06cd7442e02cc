/*
 * Names to addresses by the system's resolver (hosts file, nsswitch, search lists: what the
 * operator expects of a name in his settings).
 *
 * getaddrinfo() knows no deadline, so the question outlives the asker: the look-up is
 * shared by the waiting task and the helper, and who leaves last frees it.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include "io/helper.h"
#include "io/io_priv.h"
#include "io/net.h"

#define NAME_MAX_BYTES 253
#define ADDRS_MAX      32

struct lookup {
	unsigned users;
	bool done;
	int result; /* a count or a negative errno */
	struct task_cond on_done;
	char name[NAME_MAX_BYTES + 1];
	struct net_addr addr[ADDRS_MAX];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Mutex held. */
static void lookup_leave(struct lookup *l)
{
	if (--l->users == 0)
		mem_free(l);
}

static int error_of(int gai)
{
	return gai == EAI_NONAME || gai == EAI_NODATA || gai == EAI_ADDRFAMILY ? -ENOENT : -EAGAIN;
}

static int copy_addrs(struct lookup *l, const struct addrinfo *info)
{
	int n = 0;

	for (; info && n < ADDRS_MAX; info = info->ai_next) {
		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		l->addr[n] = (struct net_addr){ .n = info->ai_addrlen };
		memcpy(&l->addr[n].sa, info->ai_addr, info->ai_addrlen);
		n++;
	}
	return n > 0 ? n : -ENOENT;
}

static void look_up(void *arg)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *l = arg;
	struct addrinfo *info = NULL;
	int gai = getaddrinfo(l->name, NULL, &hints, &info);
	int result = gai == 0 ? copy_addrs(l, info) : error_of(gai);

	if (info)
		freeaddrinfo(info);
	pthread_mutex_lock(&mutex);
	l->result = result;
	l->done = true;
	task_cond_broadcast(&l->on_done);
	lookup_leave(l);
	pthread_mutex_unlock(&mutex);
}

/* Waits for the answer and leaves the look-up. */
static int collect(struct lookup *l, struct net_addr *ret, unsigned max, uint64_t deadline)
{
	int r = 0;

	pthread_mutex_lock(&mutex);
	while (r == 0 && !l->done)
		r = task_cond_wait(&l->on_done, &mutex, deadline);
	if (l->done) {
		r = l->result < (int)max ? l->result : (int)max;
		if (r > 0)
			memcpy(ret, l->addr, (size_t)r * sizeof(*ret));
	}
	lookup_leave(l);
	pthread_mutex_unlock(&mutex);
	return r;
}

int net_resolve(struct span name, uint16_t port, struct net_addr *ret, unsigned max, uint64_t deadline)
{
	struct lookup *l;
	int r;

	must(max > 0);
	if (name.n == 0 || name.n > NAME_MAX_BYTES || memchr(name.p, 0, name.n))
		return -ENOENT;
	if (net_addr_parse_host(name, ret) == 0) {
		net_addr_set_port(ret, port);
		return 1;
	}
	l = mem_new(struct lookup);
	memcpy(l->name, name.p, name.n);
	task_cond_init(&l->on_done);
	l->users = 2;
	r = helper_post(look_up, l);
	if (r < 0) {
		mem_free(l);
		return r;
	}
	r = collect(l, ret, max, deadline);
	for (int i = 0; i < r; i++)
		net_addr_set_port(&ret[i], port);
	return r;
}
