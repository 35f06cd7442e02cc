/*
 * Sessions of one network at a time. A table of chains that only holds networks with sessions, so
 * that it is as small as the number of sessions.
 */
#include <pthread.h>
#include <string.h>
#include "base/rand.h"
#include "base/mem.h"
#include "guard/guard.h"

#define BUCKETS 1024

struct network {
	struct network *next;
	struct net_prefix prefix;
	unsigned sessions;
};
struct networks {
	pthread_mutex_t lock;
	uint64_t seed;
	struct network *bucket[BUCKETS];
};

struct networks *networks_new(void)
{
	struct networks *n = mem_new(struct networks);

	pthread_mutex_init(&n->lock, NULL);
	rand_bytes(&n->seed, sizeof(n->seed));
	return n;
}

struct networks *networks_free(struct networks *n)
{
	if (!n)
		return NULL;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (n->bucket[i]) {
			struct network *gone = n->bucket[i];

			n->bucket[i] = gone->next;
			mem_free(gone);
		}
	pthread_mutex_destroy(&n->lock);
	return mem_free(n);
}

/* Where the network stands, or where it would. Lock held. */
static struct network **find(struct networks *n, const struct net_prefix *prefix)
{
	uint64_t hash = span_hash(span_make(prefix->addr, sizeof(prefix->addr)), n->seed);
	struct network **at = &n->bucket[hash % BUCKETS];

	while (*at &&
		((*at)->prefix.bits != prefix->bits ||
			memcmp((*at)->prefix.addr, prefix->addr, sizeof(prefix->addr)) != 0))
		at = &(*at)->next;
	return at;
}

bool networks_enter(struct networks *n, const struct net_addr *a, unsigned max)
{
	struct net_prefix prefix;
	struct network **at;
	bool fits;

	guard_network(a, GUARD_CUSTOMER, &prefix);
	pthread_mutex_lock(&n->lock);
	at = find(n, &prefix);
	if (!*at) {
		*at = mem_new(struct network);
		(*at)->prefix = prefix;
	}
	fits = (*at)->sessions < max;
	if (fits)
		(*at)->sessions++;
	pthread_mutex_unlock(&n->lock);
	return fits;
}

void networks_leave(struct networks *n, const struct net_addr *a)
{
	struct net_prefix prefix;
	struct network **at;

	guard_network(a, GUARD_CUSTOMER, &prefix);
	pthread_mutex_lock(&n->lock);
	at = find(n, &prefix);
	must(*at && (*at)->sessions > 0);
	if (--(*at)->sessions == 0) {
		struct network *gone = *at;

		*at = gone->next;
		mem_free(gone);
	}
	pthread_mutex_unlock(&n->lock);
}
