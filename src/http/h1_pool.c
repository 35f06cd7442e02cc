/*
 * What busy connections need and idle ones must not keep, recycled per thread: at most KEPT
 * of each kind stay on the list, so that a burst leaves nothing behind for good. A thread
 * that ends frees its lists.
 */
#include <pthread.h>
#include "http/h1_work.h"

#define KEPT 64
/* Fields and response heads of ordinary exchanges fit into one chunk. */
#define ARENA_CHUNK 8192

struct free_buf {
	struct free_buf *next;
};
static _Thread_local struct pool {
	struct h1_work *works;
	struct free_buf *bufs;
	unsigned works_n, bufs_n;
	bool watched;
} pool;
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static struct h1_work *work_free(struct h1_work *w)
{
	arena_done(&w->arena);
	return mem_free(w);
}

static void pool_free(void *arg)
{
	struct pool *p = arg;

	while (p->works) {
		struct h1_work *w = p->works;

		p->works = w->next;
		work_free(w);
	}
	while (p->bufs) {
		struct free_buf *b = p->bufs;

		p->bufs = b->next;
		mem_free(b);
	}
	*p = (struct pool){ 0 };
}

static void make_key(void)
{
	must(pthread_key_create(&thread_end, pool_free) == 0);
}

static void watch_thread_end(void)
{
	if (pool.watched)
		return;
	pthread_once(&thread_end_once, make_key);
	pthread_setspecific(thread_end, &pool);
	pool.watched = true;
}

struct h1_work *h1_work_take(struct h1_conn *h)
{
	struct h1_work *w = pool.works;

	if (w) {
		pool.works = w->next;
		pool.works_n--;
	} else {
		w = mem_alloc(sizeof(*w));
		arena_init(&w->arena, ARENA_CHUNK);
	}
	w->h = h;
	w->buf = w->small;
	w->room = sizeof(w->small);
	w->base = w->at = w->end = 0;
	return w;
}

void h1_work_give(struct h1_work *w)
{
	if (w->buf != w->small)
		mem_free(w->buf);
	if (pool.works_n == KEPT) {
		work_free(w);
		return;
	}
	watch_thread_end();
	arena_reset(&w->arena);
	w->next = pool.works;
	pool.works = w;
	pool.works_n++;
}

char *h1_buf_take(void)
{
	struct free_buf *b = pool.bufs;

	if (!b)
		return mem_alloc(H1_BUF_SIZE);
	pool.bufs = b->next;
	pool.bufs_n--;
	return (char *)b;
}

void h1_buf_give(char *buf)
{
	struct free_buf *b = (struct free_buf *)buf;

	if (!b || pool.bufs_n == KEPT) {
		mem_free(b);
		return;
	}
	watch_thread_end();
	b->next = pool.bufs;
	pool.bufs = b;
	pool.bufs_n++;
}
