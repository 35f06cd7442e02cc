/*
 * The evidence and the store: what the writer (store/writer.h) calls, about once a second.
 *
 * At its beginning it reads what a worker before it wrote: the graces, and the failures of the last
 * minutes.
 */
#include <stdio.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "evidence/evidence_priv.h"

#define HOUR_S 3600 /* failures are rows of an hour */

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
	char network[GUARD_NETWORK_SIZE], address[GUARD_NETWORK_SIZE];
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

static int load(void *arg, struct store *s, struct fault *fault)
{
	struct evidence *e = arg;
	int64_t now = clock_wall_s();
	int r = store_grace_each(s, read_grace, e, fault);

	return r < 0 ? r : store_failure_each(s, now - EVIDENCE_EARLIER_S - HOUR_S, now + 1, read_failure, e, fault);
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

static void *take(void *arg)
{
	struct evidence *e = arg;
	struct batch *b = NULL;

	pthread_mutex_lock(&e->lock);
	if (e->batch->events > 0) {
		b = e->batch;
		e->batch = batch_new();
		e->waiting = b->events;
	}
	pthread_mutex_unlock(&e->lock);
	return b;
}

static int write_batch(void *arg, struct store *s, const void *batch, struct fault *fault)
{
	const struct batch *b = batch;
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
	int r = 0;

	(void)arg;
	for (size_t i = 0; r == 0 && i < array_len(parts); i++)
		r = write_map(s, parts[i].map, parts[i].write, fault);
	return r < 0 ? r : store_evidence_trim(s, fault);
}

static int expire(void *arg, struct store *s, uint64_t *ret_rows, struct fault *fault)
{
	(void)arg;
	return store_evidence_expire(s, clock_wall_s(), ret_rows, fault);
}

/* ---- how it went ---- */

static void went_wrong(struct evidence *e, bool waits, const struct fault *fault)
{
	bool news;

	pthread_mutex_lock(&e->lock);
	news = !e->failing || e->fault.code != fault->code;
	if (!e->failing)
		e->failing_since = clock_wall_s();
	e->failing = true;
	e->fault = *fault;
	pthread_mutex_unlock(&e->lock);
	/* A store that fails is told of by those who need it; here it matters once something
	 * waits. */
	if (waits && (news || !e->told))
		log_fault(LOG_LEVEL_ERROR, "mail", "evidence-waits", fault);
	e->told = waits;
}

static void went_well(struct evidence *e)
{
	bool news;
	int64_t since;

	pthread_mutex_lock(&e->lock);
	news = e->failing;
	since = e->failing_since;
	e->failing = false;
	e->written += e->waiting;
	e->waiting = 0;
	pthread_mutex_unlock(&e->lock);
	if (news && e->told)
		log_event(LOG_LEVEL_INFO, "mail", "evidence-recovered", "after=%llds",
			(long long)(clock_wall_s() - since));
	e->told = false;
}

static void went(void *arg, void *batch, const struct fault *failed)
{
	if (failed) {
		went_wrong(arg, batch != NULL, failed);
		return;
	}
	went_well(arg);
	batch_free(batch);
}

static void give_up(void *arg, void *batch)
{
	(void)arg;
	batch_free(batch);
}

const struct writer_client evidence_writer_client = { load, take, write_batch, went, give_up, expire };
