/*
 * Fills: one fetch, one leader, any number of readers.
 *
 * A fill stands in its entry's list from cache_find() until its head was refused or its body is
 * complete, so that purges find it. While it is open, requests which come meanwhile follow it; a
 * solo fill (hit-for-miss) never is, nor is one that a purge has overtaken. Its object enters the
 * index when the body is complete, not before: what breaks off was never stored.
 *
 * Bodies under way may take half of the cache's memory. Beyond that, those that grow are not stored
 * but stream, as one does that is too large by itself.
 *
 * Locks: the shard's for the entry, the fill's for its state, the body's for the bytes; never two
 * at once, but that the shard's may be held while a fill is taken out of the list.
 */
#include <errno.h>
#include "base/clock.h"
#include "cache/cache_priv.h"

struct cache_fill *fill_new(struct cache *c, struct cache_shard *s, struct cache_entry *e, const struct cache_key *key,
	const struct http_req *req, struct cache_obj *old, bool solo)
{
	struct cache_fill *f = counted_alloc(c, sizeof(*f) + key->text.n);
	const struct cache_obj *newest =
		list_empty(&e->variants) ? NULL : container_of(e->variants.next, struct cache_obj, variant_link);

	f->refs = 1;
	f->cache = c;
	f->key = *key;
	f->key.text.p = memcpy(f + 1, key->text.p, key->text.n);
	f->shard = s;
	f->old = cache_obj_ref(old);
	f->solo = solo;
	f->seq = c->seq;
	f->site_point = point_get(c, 's', key->site->name, (struct span){ 0 });
	pthread_mutex_init(&f->lock, NULL);
	task_cond_init(&f->ready);
	list_init(&f->link);
	arena_init(&f->arena, 512);
	if (newest && newest->vary.n > 0) {
		f->vary = arena_span(&f->arena, newest->vary);
		f->vary_text = vary_text(newest->vary, req, &f->arena);
	}
	list_push_back(&e->fills, &f->link);
	f->listed = true;
	f->open = !solo;
	c->fills++;
	f->number = ++c->begun;
	return f;
}

struct cache_fill *fill_for(struct cache_entry *e, const struct http_req *req)
{
	list_each (it, &e->fills) {
		struct cache_fill *f = container_of(it, struct cache_fill, link);
		struct arena a;
		bool same;

		if (!f->open || fill_is_overtaken(f))
			continue;
		if (f->vary.n == 0)
			return f;
		arena_init(&a, 1024);
		same = span_eq(vary_text(f->vary, req, &a), f->vary_text);
		arena_done(&a);
		if (same)
			return f;
	}
	return NULL;
}

struct cache_fill *cache_fill_unref(struct cache_fill *f)
{
	if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	must(!f->listed);
	f->cache->fills--;
	cache_obj_unref(f->old);
	cache_obj_unref(f->obj);
	point_unref(f->cache, f->site_point);
	arena_done(&f->arena);
	pthread_mutex_destroy(&f->lock);
	counted_free(f->cache, f);
	return NULL;
}

struct cache_fill *cache_fill_drop(struct cache_fill *f)
{
	if (f && !f->ended)
		cache_fill_abort(f, NULL);
	return cache_fill_unref(f);
}

/* ---- the entry ---- */

/* Under the shard's lock: nobody follows from now on. */
static void unlist(struct cache_fill *f)
{
	if (f->listed) {
		list_remove(&f->link);
		f->listed = false;
	}
}

/* Takes variants that o replaces out of the index, and the oldest if there are too many. */
static void displace(struct cache_fill *f, struct cache_entry *e, struct span text, struct list *out)
{
	unsigned n = 0;

	list_each_safe (it, &e->variants) {
		struct cache_obj *o = container_of(it, struct cache_obj, variant_link);

		if (o != f->old && !obj_is_purged(o) && !span_eq(o->vary_text, text) && ++n < VARIANTS_MAX)
			continue;
		index_remove(f->shard, o);
		list_push_back(out, &o->variant_link);
	}
}

/* Is the answer to a later question there already? */
static bool is_outrun(const struct cache_entry *e, const struct cache_obj *o)
{
	list_each (it, &e->variants) {
		const struct cache_obj *other = container_of(it, struct cache_obj, variant_link);

		if (other->number > o->number && span_eq(other->vary_text, o->vary_text))
			return true;
	}
	return false;
}

/* Puts the finished object into the index, unless a purge or a later answer has overtaken it. */
static void publish(struct cache_fill *f, struct cache_obj *o)
{
	struct cache_entry *e;
	struct list displaced;

	list_init(&displaced);
	pthread_mutex_lock(&f->shard->lock);
	unlist(f);
	e = entry_get(f->cache, f->shard, &f->key);
	if (f->purged != PURGE_HARD && !obj_is_purged(o) && !is_outrun(e, o)) {
		o->purged = f->purged;
		displace(f, e, o->vary_text, &displaced);
		if (o->policy.shareable)
			entry_unmark(f->cache, e);
		index_add(f->shard, e, o);
	}
	entry_release_if_empty(f->cache, f->shard, e, clock_wall_ms());
	pthread_mutex_unlock(&f->shard->lock);
	objs_unref(&displaced);
	cache_evict(f->cache, f->shard);
}

/* Nothing will be stored: off the list, a marker if the answer showed that waiting is in vain, and
 * what was stored before goes if the origin now says something else. */
static void withdraw(struct cache_fill *f, bool mark, bool forget_old)
{
	struct cache_entry *e;
	struct list displaced;

	list_init(&displaced);
	pthread_mutex_lock(&f->shard->lock);
	unlist(f);
	e = mark ? entry_get(f->cache, f->shard, &f->key) : entry_find(f->shard, &f->key);
	if (e && mark)
		entry_mark(f->cache, e, clock_wall_ms());
	if (forget_old && f->old && f->old->indexed) {
		index_remove(f->shard, f->old);
		list_push_back(&displaced, &f->old->variant_link);
	}
	if (e)
		entry_release_if_empty(f->cache, f->shard, e, clock_wall_ms());
	pthread_mutex_unlock(&f->shard->lock);
	objs_unref(&displaced);
}

/* What comes next need not wait for this one; a marker says so. */
static void close_to_followers(struct cache_fill *f)
{
	struct cache_entry *e;

	pthread_mutex_lock(&f->shard->lock);
	f->open = false;
	e = entry_get(f->cache, f->shard, &f->key);
	entry_mark(f->cache, e, clock_wall_ms());
	pthread_mutex_unlock(&f->shard->lock);
}

static void settle(struct cache_fill *f, int state)
{
	pthread_mutex_lock(&f->lock);
	f->state = state;
	task_cond_broadcast(&f->ready);
	pthread_mutex_unlock(&f->lock);
}

/* ---- the head ---- */

void cache_fill_conditions(const struct cache_fill *f, struct http_fields *out, struct arena *a)
{
	struct span modified;

	if (!f->old || !atomic_load(&f->old->body->complete))
		return;
	if (f->old->etag.p)
		http_fields_add(out, a, HTTP_IF_NONE_MATCH, f->old->etag);
	modified = http_fields_value(&f->old->fields, HTTP_LAST_MODIFIED);
	if (modified.p)
		http_fields_add(out, a, HTTP_IF_MODIFIED_SINCE, modified);
}

/* The parts of an object that come from the fetch rather than from the fields. */
static void complete_head(struct cache_fill *f, struct cache_obj *o, const struct http_req *req,
	const struct http_fields *fields, int64_t asked_ms, int64_t answered_ms)
{
	struct span vary = http_fields_joined(fields, HTTP_VARY, &f->arena);
	struct span text = vary_text(vary, req, &f->arena);
	char *block = counted_alloc(f->cache, vary.n + text.n + 1);

	memcpy(block, vary.n ? vary.p : "", vary.n);
	memcpy(block + vary.n, text.p ? text.p : "", text.n);
	o->vary = span_make(block, vary.n);
	o->vary_text = span_make(block + vary.n, text.n);
	o->answered_ms = answered_ms;
	o->born_ms = policy_born_ms(fields, asked_ms, answered_ms);
	o->keep_ms = (int64_t)f->key.site->grace_ms;
	o->seq = f->seq;
	o->number = f->number;
	o->site_point = point_get(f->cache, 's', f->key.site->name, (struct span){ 0 });
	obj_set_tags(o, f->key.site->name, fields);
}

/* RFC 9111 3.2: the stored fields with those of the 304 in their place; what describes the body
 * stays. */
static void merge_fields(const struct http_fields *stored, const struct http_fields *fresh, struct arena *a,
	struct http_fields *ret)
{
	*ret = (struct http_fields){ 0 };
	for (unsigned i = 0; i < stored->n; i++)
		if (!http_fields_find_name(fresh, stored->v[i].name) || stored->v[i].id == HTTP_CONTENT_ENCODING ||
			stored->v[i].id == HTTP_CONTENT_TYPE || stored->v[i].id == HTTP_CONTENT_RANGE)
			http_fields_push(ret, a, stored->v[i]);
	for (unsigned i = 0; i < fresh->n; i++)
		if (fresh->v[i].id != HTTP_CONTENT_ENCODING && fresh->v[i].id != HTTP_CONTENT_TYPE &&
			fresh->v[i].id != HTTP_CONTENT_RANGE)
			http_fields_push(ret, a, fresh->v[i]);
}

/* 4.3.4: a 304 that names another entity tag than the stored one says nothing about it. */
static bool is_about_old(const struct cache_fill *f, const struct http_resp *resp)
{
	struct span etag = http_fields_value(&resp->fields, HTTP_ETAG);

	return f->old && atomic_load(&f->old->body->complete) &&
		(!etag.p || !f->old->etag.p || http_etag_in(etag, f->old->etag, true));
}

/* RFC 9110 6.6.1: what comes without Date gets the time at which it came. */
static const struct http_fields *with_date(struct cache_fill *f, const struct http_resp *resp, int64_t answered_ms,
	struct http_fields *room)
{
	char date[HTTP_DATE_SIZE];

	if (http_fields_find(&resp->fields, HTTP_DATE))
		return &resp->fields;
	*room = (struct http_fields){ 0 };
	for (unsigned i = 0; i < resp->fields.n; i++)
		http_fields_push(room, &f->arena, resp->fields.v[i]);
	http_date_format(answered_ms / 1000, date);
	http_fields_add(room, &f->arena, HTTP_DATE, arena_span(&f->arena, span_of(date)));
	return room;
}

static enum cache_decision freshen(struct cache_fill *f, const struct http_req *req, const struct http_resp *resp,
	int64_t asked_ms, int64_t answered_ms)
{
	struct http_fields merged, room;
	struct cache_policy policy;
	struct cache_obj *o;

	merge_fields(&f->old->fields, with_date(f, resp, answered_ms, &room), &f->arena, &merged);
	policy_of_response(f->key.site, req, f->old->status, &merged, answered_ms, &f->arena, &policy);
	o = obj_new(f->cache, body_ref(f->old->body), f->old->status, &merged, &policy);
	complete_head(f, o, req, &merged, asked_ms, answered_ms);
	f->obj = o;
	f->ended = true;
	if (policy.storable)
		publish(f, o);
	else
		withdraw(f, policy.leave_marker, true);
	settle(f, policy.shareable ? FILL_BODY : FILL_PASS);
	return CACHE_UPDATED;
}

static uint64_t object_max(const struct cache *c)
{
	return c->settings.object_max ? c->settings.object_max : c->bytes_max / 8;
}

static int64_t declared_length(const struct http_resp *resp)
{
	if (resp->body == HTTP_BODY_LENGTH)
		return (int64_t)resp->content_length;
	return resp->body == HTTP_BODY_NONE ? 0 : -1;
}

static enum cache_decision release(struct cache_fill *f, bool mark, bool forget_old)
{
	f->ended = true;
	withdraw(f, mark, forget_old);
	settle(f, FILL_PASS);
	return CACHE_RELEASE;
}

enum cache_decision cache_fill_head(struct cache_fill *f, const struct http_req *req, const struct http_resp *resp,
	int64_t asked_ms, int64_t answered_ms)
{
	int64_t length = declared_length(resp);
	struct cache_policy policy;
	struct http_fields room;

	if (resp->status == 304 && is_about_old(f, resp))
		return freshen(f, req, resp, asked_ms, answered_ms);
	policy_of_response(f->key.site, req, resp->status, &resp->fields, answered_ms, &f->arena, &policy);
	if (length > 0 && (uint64_t)length > object_max(f->cache))
		policy.storable = false;
	if (!policy.storable)
		return release(f, policy.leave_marker, resp->status < 500 && !policy.about_request);
	f->obj = obj_new(f->cache, body_new(f->cache, length), resp->status, with_date(f, resp, answered_ms, &room),
		&policy);
	complete_head(f, f->obj, req, &resp->fields, asked_ms, answered_ms);
	if (!policy.shareable)
		close_to_followers(f);
	settle(f, policy.shareable ? FILL_BODY : FILL_PASS);
	return CACHE_STORE;
}

struct span cache_fill_target(const struct cache_fill *f)
{
	struct span scheme, host, rest = f->key.text;

	span_cut(&rest, '\0', &scheme);
	span_cut(&rest, '\0', &host);
	return rest;
}

struct cache_obj *cache_fill_obj(struct cache_fill *f)
{
	return cache_obj_ref(f->obj);
}

/* ---- the body ---- */

/* Up to where a reader has let go: its pieces of the last call are still being sent. */
static uint64_t passed_by(const struct cache_reader *r)
{
	return r->pinned ? r->pinned_at : r->segment_at;
}

/* Frees what all readers have passed. Under the body's lock. */
static void drop_passed(struct cache_body *b)
{
	uint64_t passed = b->length;

	list_each (it, &b->readers) {
		const struct cache_reader *r = container_of(it, struct cache_reader, link);

		if (passed_by(r) < passed)
			passed = passed_by(r);
	}
	body_drop_until(b, passed);
}

static void cut_off_stalled(struct cache_body *b)
{
	uint64_t now = clock_mono_ms();

	list_each_safe (it, &b->readers) {
		struct cache_reader *r = container_of(it, struct cache_reader, link);

		if (now - r->moved_ms < STREAM_STALL_MS || passed_by(r) + STREAM_WINDOW > b->length)
			continue;
		r->cut_off = true;
		r->listed = false;
		list_remove(&r->link);
	}
}

/* Waits until the readers leave room in the window. Under the body's lock. */
static int wait_for_readers(struct cache_body *b)
{
	for (;;) {
		int error;

		drop_passed(b);
		if (list_empty(&b->readers))
			return -EPIPE;
		if (b->length - b->first_at < STREAM_WINDOW)
			return 0;
		error = task_cond_wait(&b->drained, &b->lock, deadline_in(1000));
		if (error == -ECANCELED)
			return error;
		cut_off_stalled(b);
	}
}

static void stop_growing(struct cache_body *b)
{
	b->cache->growing -= b->growing;
	b->growing = 0;
}

/* Does it take more than it, or all that grow now, may? Under the body's lock. */
static bool outgrows(struct cache_body *b, size_t n)
{
	struct cache *c = b->cache;

	b->growing += n;
	c->growing += n;
	return b->length > object_max(c) || c->growing > c->bytes_max / 2;
}

int cache_fill_body(struct cache_fill *f, struct span bytes)
{
	struct cache_body *b = f->obj->body;
	bool outgrown;
	int r = 0;

	if (f->cache->bytes > f->cache->bytes_max)
		cache_evict(f->cache, f->shard);
	pthread_mutex_lock(&b->lock);
	body_add(b, bytes);
	task_cond_broadcast(&b->grown);
	outgrown = !b->streams && outgrows(b, bytes.n);
	if (outgrown) {
		b->streams = true;
		stop_growing(b);
	}
	if (b->streams)
		r = wait_for_readers(b);
	pthread_mutex_unlock(&b->lock);
	if (outgrown)
		withdraw(f, true, false);
	return r;
}

static void finish_body(struct cache_body *b, const struct http_fields *trailers, bool whole)
{
	pthread_mutex_lock(&b->lock);
	if (whole && trailers && trailers->n > 0)
		fields_copy(b->cache, trailers, NULL, &b->trailers);
	b->failed = !whole;
	stop_growing(b);
	atomic_store_explicit(&b->complete, whole && !b->streams, memory_order_release);
	b->ended = whole;
	task_cond_broadcast(&b->grown);
	pthread_mutex_unlock(&b->lock);
}

void cache_fill_end(struct cache_fill *f, const struct http_fields *trailers)
{
	struct cache_body *b = f->obj->body;

	f->ended = true;
	finish_body(b, trailers, true);
	if (!b->streams)
		publish(f, f->obj);
}

void cache_fill_abort(struct cache_fill *f, const struct fault *fault)
{
	f->ended = true;
	withdraw(f, false, false);
	if (f->obj) {
		finish_body(f->obj->body, NULL, false);
		return;
	}
	pthread_mutex_lock(&f->lock);
	if (fault)
		f->fault = *fault;
	pthread_mutex_unlock(&f->lock);
	settle(f, fault ? FILL_FAILED : FILL_PASS);
}

/* ---- following ---- */

/* It streams, and whoever comes now is too late. */
static bool has_lost_its_beginning(struct cache_body *b)
{
	bool lost;

	pthread_mutex_lock(&b->lock);
	lost = b->first_at > 0;
	pthread_mutex_unlock(&b->lock);
	return lost;
}

enum cache_ready cache_fill_wait(struct cache_fill *f, const struct http_req *req, struct cache_obj **ret_obj,
	struct fault *fault)
{
	uint64_t deadline = deadline_in(f->cache->settings.follow_wait_ms);
	enum cache_ready ready = CACHE_READY_PASS;
	int r = 0;

	*ret_obj = NULL;
	pthread_mutex_lock(&f->lock);
	f->waiting++;
	while (f->state == FILL_WAITING && r == 0)
		r = task_cond_wait(&f->ready, &f->lock, deadline);
	f->waiting--;
	if (f->state == FILL_BODY && obj_fits(f->obj, req)) {
		*ret_obj = cache_obj_ref(f->obj);
		ready = CACHE_READY_BODY;
	} else if (f->state == FILL_FAILED) {
		*fault = f->fault;
		ready = CACHE_READY_FAILED;
	}
	pthread_mutex_unlock(&f->lock);
	if (ready == CACHE_READY_BODY && has_lost_its_beginning((*ret_obj)->body)) {
		*ret_obj = cache_obj_unref(*ret_obj);
		ready = CACHE_READY_PASS;
	}
	return ready;
}
