/*
 * Randomness: getrandom() for keys; a wyrand generator per thread for everything that
 * only has to be spread. A fork would hand its state to both sides, so each thread seeds
 * itself again when the count of forks behind this process has changed.
 */
#include "base/rand.h"
#include <errno.h>
#include <pthread.h>
#include <sys/random.h>
#include "base/mem.h"

static unsigned forks = 1;
static _Thread_local uint64_t state;
static _Thread_local unsigned seeded_for; /* 0: never */

void rand_bytes(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t r = getrandom(at, n, 0);

		if (r < 0) {
			must(errno == EINTR);
			continue;
		}
		at += r;
		n -= (size_t)r;
	}
}

static void count_fork(void)
{
	forks++;
}

__attribute__((constructor)) static void watch_forks(void)
{
	must(pthread_atfork(NULL, NULL, count_fork) == 0);
}

uint64_t rand_fast(void)
{
	__uint128_t product;

	if (seeded_for != forks) {
		rand_bytes(&state, sizeof(state));
		seeded_for = forks;
	}
	state += 0xa0761d6478bd642full;
	product = (__uint128_t)state * (state ^ 0xe7037ed1a0b428dbull);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t rand_below(uint64_t limit)
{
	must(limit > 0);
	return (uint64_t)(((__uint128_t)rand_fast() * limit) >> 64);
}
