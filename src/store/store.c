/*
 * The door to the engines: picks one by the URL's scheme, and keeps what is the same for all:
 * transactions do not nest, and a single change outside of one gets a transaction of its own.
 */
#include "store/store_priv.h"
#include <errno.h>
#include "base/mem.h"

static const struct store_engine *const engines[] = { &store_engine_sqlite };

/* The engine of url and what url says to it; NULL: there is no such address. */
static const struct store_engine *engine_of(struct span url, struct span *ret_place)
{
	struct span scheme;

	*ret_place = url;
	if (!span_cut(ret_place, ':', &scheme))
		return NULL;
	for (size_t i = 0; i < array_len(engines); i++)
		if (span_eq(scheme, span_of(engines[i]->scheme)) && engines[i]->is_place(*ret_place))
			return engines[i];
	return NULL;
}

bool store_url_is_valid(struct span url)
{
	struct span place;

	return engine_of(url, &place) != NULL;
}

struct span store_url_file(struct span url)
{
	struct span place;
	const struct store_engine *engine = engine_of(url, &place);

	must(engine);
	return engine->file(place);
}

char *store_url_of_file(const char *path)
{
	return mem_textf("%s:%s", store_engine_sqlite.scheme, path);
}

int store_open(const char *url, bool create, struct store **ret, struct fault *fault)
{
	struct span place;
	const struct store_engine *engine = engine_of(span_of(url), &place);

	if (engine)
		return engine->open(place, create, ret, fault);
	fault_set(fault, FAULT_STORE_BAD_URL);
	fault_fact(fault, "url", "%s", url);
	return -EINVAL;
}

struct store *store_close(struct store *s)
{
	if (s) {
		store_rollback(s);
		s->engine->close(s);
	}
	return NULL;
}

int store_begin(struct store *s, struct fault *fault)
{
	int r;

	must(!s->begun);
	r = s->engine->begin(s, fault);
	s->begun = r == 0;
	return r;
}

int store_commit(struct store *s, struct fault *fault)
{
	int r;

	must(s->begun);
	r = s->engine->commit(s, fault);
	if (r < 0)
		s->engine->rollback(s);
	s->begun = false;
	return r;
}

void store_rollback(struct store *s)
{
	if (s->begun)
		s->engine->rollback(s);
	s->begun = false;
}

/* Ends the transaction that a single change opened for itself; r: how the change went. */
static int end_own(struct store *s, bool own, int r, struct fault *fault)
{
	if (!own)
		return r;
	if (r == 0)
		return store_commit(s, fault);
	store_rollback(s);
	return r;
}

int store_writable(struct store *s, struct fault *fault)
{
	must(!s->begun);
	return s->engine->writable(s, fault);
}

int store_version(struct store *s, uint64_t *ret, struct fault *fault)
{
	return s->engine->version(s, ret, fault);
}

int store_domain_put(struct store *s, const struct store_domain *d, struct fault *fault)
{
	bool own = !s->begun;
	int r = 0;

	must(d->name.n > 0 && d->text.n <= STORE_TEXT_MAX);
	if (own)
		r = store_begin(s, fault);
	return r < 0 ? r : end_own(s, own, s->engine->domain_put(s, d, fault), fault);
}

int store_domain_remove(struct store *s, struct span name, struct fault *fault)
{
	bool own = !s->begun;
	int r = 0;

	if (own)
		r = store_begin(s, fault);
	return r < 0 ? r : end_own(s, own, s->engine->domain_remove(s, name, fault), fault);
}

int store_domain_each(struct store *s, store_domain_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->domain_each(s, NULL, fn, arg, fault);
}

int store_domain_get(struct store *s, struct span name, store_domain_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->domain_each(s, &name, fn, arg, fault);
}

int store_undo_last(struct store *s, store_undo_fn *fn, void *arg, struct fault *fault)
{
	must(s->begun);
	return s->engine->undo_last(s, fn, arg, fault);
}

int store_purge_add(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault)
{
	bool own = !s->begun;
	int r = 0;

	must(p->what.n <= STORE_TEXT_MAX);
	if (own)
		r = store_begin(s, fault);
	return r < 0 ? r : end_own(s, own, s->engine->purge_add(s, p, ret_seq, fault), fault);
}

int store_purge_since(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->purge_since(s, seq, fn, arg, fault);
}

int store_purge_last(struct store *s, uint64_t *ret_seq, struct fault *fault)
{
	return s->engine->purge_last(s, ret_seq, fault);
}
