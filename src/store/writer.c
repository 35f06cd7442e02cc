/* The writer's thread. See store/writer.h. */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/writer.h"

#define GATHER_MS 1000 /* so that what belongs together is one commit */
#define RETRY_MS  30000
#define EXPIRE_S  3600

struct client {
	const struct writer_client *calls;
	void *arg;
	void *batch; /* that the store did not take yet */
	bool loaded;
	int64_t expire_at;
};
struct writer {
	char *url;
	struct client clients[WRITER_CLIENTS_MAX];
	unsigned clients_n;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool stopping, pending;
	/* The thread's own: */
	struct store *store;
	unsigned failed_n; /* rounds in a row */
};

struct writer *writer_new(const char *url)
{
	struct writer *w = mem_new(struct writer);
	pthread_condattr_t attr;

	w->url = mem_text(url);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

void writer_add(struct writer *w, const struct writer_client *client, void *arg)
{
	must(!w->started && w->clients_n < WRITER_CLIENTS_MAX);
	w->clients[w->clients_n++] = (struct client){ .calls = client, .arg = arg };
}

void writer_wake(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->pending = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

/* ---- a round ---- */

static bool has_batches(const struct writer *w)
{
	for (unsigned i = 0; i < w->clients_n; i++)
		if (w->clients[i].batch)
			return true;
	return false;
}

static void take_batches(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	/* Whose batch was kept back hands over what came since in another round. */
	w->pending = has_batches(w);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->clients_n; i++)
		if (!w->clients[i].batch)
			w->clients[i].batch = w->clients[i].calls->take(w->clients[i].arg);
}

static int load_clients(struct writer *w, struct fault *fault)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < w->clients_n; i++) {
		struct client *c = &w->clients[i];

		if (!c->loaded)
			r = c->calls->load(c->arg, w->store, fault);
		c->loaded = r == 0;
	}
	return r;
}

/* All batches, or none. */
static int write_batches(struct writer *w, struct fault *fault)
{
	int r = store_begin(w->store, fault);

	for (unsigned i = 0; r == 0 && i < w->clients_n; i++) {
		struct client *c = &w->clients[i];

		if (c->batch)
			r = c->calls->write(c->arg, w->store, c->batch, fault);
	}
	if (r == 0)
		r = store_commit(w->store, fault);
	store_rollback(w->store);
	return r;
}

static int write_unsaved(struct writer *w, struct fault *fault)
{
	int r = w->store ? 0 : store_open(w->url, false, &w->store, fault);

	if (r == 0)
		r = load_clients(w, fault);
	if (r == 0 && has_batches(w))
		r = write_batches(w, fault);
	return r;
}

/* More at once next time if there was any; what is too old can wait for another hour. */
static void expire(struct writer *w, struct client *c)
{
	int64_t now = clock_wall_s();
	struct fault ignored;
	uint64_t rows = 0;
	int r;

	if (now < c->expire_at)
		return;
	fault_clear(&ignored);
	r = store_begin(w->store, &ignored);
	if (r == 0)
		r = c->calls->expire(c->arg, w->store, &rows, &ignored);
	if (r == 0)
		r = store_commit(w->store, &ignored);
	store_rollback(w->store);
	if (r < 0 || rows == 0)
		c->expire_at = now + EXPIRE_S;
}

static void write_round(struct writer *w)
{
	struct fault fault;
	int r;

	take_batches(w);
	fault_clear(&fault);
	r = write_unsaved(w, &fault);
	w->failed_n = r < 0 ? w->failed_n + 1 : 0;
	for (unsigned i = 0; i < w->clients_n; i++) {
		struct client *c = &w->clients[i];

		c->calls->went(c->arg, c->batch, r < 0 ? &fault : NULL);
		if (r < 0)
			continue;
		c->batch = NULL;
		expire(w, c);
	}
}

/* ---- the thread ---- */

/* Under the lock, for ms, or until the end. */
static void rest(struct writer *w, uint64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!w->stopping && pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
}

/* Until the next round is due. True: there is to be one. */
static bool wait_for_round(struct writer *w)
{
	uint64_t ms = GATHER_MS;
	bool stopping;

	for (unsigned i = 1; i < w->failed_n && ms < RETRY_MS; i++)
		ms *= 2;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && w->failed_n == 0 && !w->pending)
		pthread_cond_wait(&w->wake, &w->lock);
	rest(w, ms < RETRY_MS ? ms : RETRY_MS);
	stopping = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return !stopping;
}

static void *run_writer(void *arg)
{
	struct writer *w = arg;

	do
		write_round(w);
	while (wait_for_round(w));
	/* What was kept back, then what came since. */
	write_round(w);
	if (!has_batches(w))
		write_round(w);
	w->store = store_close(w->store);
	return NULL;
}

void writer_start(struct writer *w)
{
	must(pthread_create(&w->thread, NULL, run_writer, w) == 0);
	w->started = true;
}

static void give_back(struct client *c)
{
	if (c->batch)
		c->calls->give_up(c->arg, c->batch);
	c->batch = NULL;
}

void writer_stop(struct writer *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
	for (unsigned i = 0; i < w->clients_n; i++)
		give_back(&w->clients[i]);
}

struct writer *writer_free(struct writer *w)
{
	if (!w)
		return NULL;
	must(!w->started);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	mem_free(w->url);
	return mem_free(w);
}
