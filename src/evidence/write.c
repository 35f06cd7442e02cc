/*
 * The evidence's thread: takes what was added up, about once a second, and writes it in one
 * transaction.
 *
 * A batch that the store does not take stays with the thread and is tried again, after a second
 * first, after half a minute at last; meanwhile the next batch fills. A commit that failed wrote
 * nothing, so nothing is counted twice.
 *
 * At its beginning it reads what a worker before it wrote: the graces, and the failures of the last
 * minutes.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "evidence/evidence_priv.h"

#define GATHER_MS 1000 /* so that what belongs together is one commit */
#define RETRY_MS  30000
#define EXPIRE_S  3600

/* ---- reading what was ---- */

static int read_grace(void *arg, const struct store_grace *g)
{
	struct evidence *e = arg;
	struct grace *known;
	char *key = mem_textf("%.*s\n%.*s\n%.*s", SPAN_ARG(g->network), SPAN_ARG(g->helo), SPAN_ARG(g->domain));

	pthread_mutex_lock(&e->lock);
	known = map_find(&e->graces, span_of(key));
	if (!known)
		grace_put(e, span_of(key), g->first_at, g->last_at);
	else if (g->first_at < known->first_at)
		known->first_at = g->first_at;
	pthread_mutex_unlock(&e->lock);
	mem_free(key);
	return 0;
}

static int read_failure(void *arg, const struct store_failure *f)
{
	char network[EVIDENCE_NETWORK_SIZE], address[EVIDENCE_NETWORK_SIZE];
	struct evidence *e = arg;
	struct fault fault;

	if (f->last_at < clock_wall_s() - EVIDENCE_EARLIER_S || fault_unpack(f->fault, &e->names, &fault) < 0)
		return 0;
	snprintf(network, sizeof(network), "%.*s", SPAN_ARG(f->network));
	snprintf(address, sizeof(address), "%.*s", SPAN_ARG(f->address));
	pthread_mutex_lock(&e->lock);
	recent_add(e, network, address, f->helo, f->last_at, &fault);
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static int load(struct evidence *e, struct fault *fault)
{
	int64_t now = clock_wall_s();
	int r = store_grace_each(e->store, read_grace, e, fault);

	if (r == 0)
		r = store_failure_each(e->store, now - EVIDENCE_EARLIER_S - EXPIRE_S, now + 1, read_failure, e, fault);
	e->loaded = r == 0;
	return r;
}

/* ---- writing ---- */

static int write_peer(struct store *s, const void *v, struct fault *fault)
{
	const struct peer_entry *p = v;

	return store_peer_add(s, &p->p, p->hellos, p->hellos_n, fault);
}

static int write_failure(struct store *s, const void *v, struct fault *fault)
{
	return store_failure_add(s, v, fault);
}

static int write_refusal(struct store *s, const void *v, struct fault *fault)
{
	return store_refusal_add(s, v, fault);
}

static int write_mail(struct store *s, const void *v, struct fault *fault)
{
	return store_mail_add(s, v, fault);
}

static int write_grace(struct store *s, const void *v, struct fault *fault)
{
	return store_grace_put(s, v, fault);
}

static int write_certificate(struct store *s, const void *v, struct fault *fault)
{
	return store_certificate_add(s, v, fault);
}

/* All entries of a map. */
static int write_map(struct store *s, const struct map *map, int (*write)(struct store *, const void *, struct fault *),
	struct fault *fault)
{
	struct span key;
	size_t at = 0;
	void *v;
	int r = 0;

	while (r == 0 && map_next(map, &at, &key, &v))
		r = write(s, v, fault);
	return r;
}

static int write_batch(struct store *s, const struct batch *b, struct fault *fault)
{
	const struct {
		const struct map *map;
		int (*write)(struct store *, const void *, struct fault *);
	} parts[] = {
		{ &b->peers, write_peer },
		{ &b->failures, write_failure },
		{ &b->refusals, write_refusal },
		{ &b->mails, write_mail },
		{ &b->graces, write_grace },
		{ &b->certificates, write_certificate },
	};
	int r = store_begin(s, fault);

	for (size_t i = 0; r == 0 && i < array_len(parts); i++)
		r = write_map(s, parts[i].map, parts[i].write, fault);
	if (r == 0)
		r = store_evidence_trim(s, fault);
	if (r == 0)
		r = store_commit(s, fault);
	store_rollback(s);
	return r;
}

/* A batch of what is too old; more at once next time if there was any. */
static int expire(struct evidence *e, struct fault *fault)
{
	int64_t now = clock_wall_s();
	uint64_t rows = 0;
	int r;

	if (now < e->expire_at)
		return 0;
	r = store_begin(e->store, fault);
	if (r == 0)
		r = store_evidence_expire(e->store, now, &rows, fault);
	if (r == 0)
		r = store_commit(e->store, fault);
	store_rollback(e->store);
	if (r == 0 && rows == 0)
		e->expire_at = now + EXPIRE_S;
	return r;
}

static int write_unsaved(struct evidence *e, struct fault *fault)
{
	int r = e->store ? 0 : store_open(e->url, false, &e->store, fault);

	if (r == 0 && !e->loaded)
		r = load(e, fault);
	if (r == 0 && e->unsaved->events > 0)
		r = write_batch(e->store, e->unsaved, fault);
	return r;
}

/* ---- rounds ---- */

static void round_failed(struct evidence *e, const struct fault *fault)
{
	bool news;

	e->failed_n++;
	pthread_mutex_lock(&e->lock);
	news = !e->failing || e->fault.code != fault->code;
	if (!e->failing)
		e->failing_since = clock_wall_s();
	e->failing = true;
	e->fault = *fault;
	pthread_mutex_unlock(&e->lock);
	/* A store that fails is told of by those who need it; here it matters once something
	 * waits. */
	if (e->unsaved->events > 0 && (news || !e->told))
		log_fault(LOG_LEVEL_ERROR, "mail", "evidence-waits", fault);
	e->told = e->unsaved->events > 0;
}

static void round_works(struct evidence *e)
{
	bool news;
	int64_t since;

	e->failed_n = 0;
	pthread_mutex_lock(&e->lock);
	news = e->failing;
	since = e->failing_since;
	e->failing = false;
	e->written += e->waiting;
	e->waiting = 0;
	pthread_mutex_unlock(&e->lock);
	e->unsaved = batch_free(e->unsaved);
	if (news && e->told)
		log_event(LOG_LEVEL_INFO, "mail", "evidence-recovered", "after=%llds",
			(long long)(clock_wall_s() - since));
	e->told = false;
}

static void round_of(struct evidence *e)
{
	struct fault fault;

	if (!e->unsaved) {
		pthread_mutex_lock(&e->lock);
		e->unsaved = e->batch;
		e->batch = batch_new();
		e->waiting = e->unsaved->events;
		pthread_mutex_unlock(&e->lock);
	}
	fault_clear(&fault);
	if (write_unsaved(e, &fault) < 0) {
		round_failed(e, &fault);
		return;
	}
	round_works(e);
	/* What is too old can wait for another hour. */
	if (expire(e, &fault) < 0)
		e->expire_at = clock_wall_s() + EXPIRE_S;
}

/* Under the lock, for ms, or until the end. */
static void rest(struct evidence *e, uint64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!e->stopping && pthread_cond_timedwait(&e->wake, &e->lock, &until) != ETIMEDOUT)
		;
}

/* Until the next round is due. */
static void wait_for_events(struct evidence *e)
{
	uint64_t ms = GATHER_MS;

	for (unsigned i = 1; i < e->failed_n && ms < RETRY_MS; i++)
		ms *= 2;
	pthread_mutex_lock(&e->lock);
	while (!e->stopping && e->failed_n == 0 && e->batch->events == 0)
		pthread_cond_wait(&e->wake, &e->lock);
	rest(e, ms < RETRY_MS ? ms : RETRY_MS);
	pthread_mutex_unlock(&e->lock);
}

static bool is_stopping(struct evidence *e)
{
	bool stopping;

	pthread_mutex_lock(&e->lock);
	stopping = e->stopping;
	pthread_mutex_unlock(&e->lock);
	return stopping;
}

void *evidence_write_thread(void *arg)
{
	struct evidence *e = arg;

	do {
		round_of(e);
		if (!is_stopping(e))
			wait_for_events(e);
	} while (!is_stopping(e));
	/* What was kept back, then what came since. */
	round_of(e);
	if (!e->unsaved)
		round_of(e);
	e->store = store_close(e->store);
	return NULL;
}
