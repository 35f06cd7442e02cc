/*
 * Fills: one fetch, one leader, any number of readers.
 *
 * A fill stands in its entry's list from cache_find() until its head was refused or its body is
 * complete, so that purges find it. While it is open, requests which come meanwhile follow it; one
 * of a page that counts as uncacheable never is, nor is one that a purge has overtaken. Its object
 * enters the index when the body is complete, not before: what breaks off was never stored.
 *
 * Bodies under way may take half of the cache's memory, those of one site its share of that.
 * Beyond, those that grow are not stored but stream, as one does that is too large by itself, and
 * what begins then is not taken in at all.
 *
 * Locks: the shard's for the entry, the fill's for its state, the body's for the bytes; never two
 * at once, but that the shard's may be held while a fill is taken out of the list.
 */
#include <errno.h>
#include "base/clock.h"
#include "cache/cache_priv.h"

#define STREAM_WINDOW      (1024 * 1024) /* of a stream that its readers have not passed */
#define STREAM_WINDOW_LESS (64 * 1024)   /* the same where memory is short */
#define STREAM_STALL_MS    30000
/* What is added between two evictions may be this part of all. */
#define BYTES_SLACK      16
#define NEARLY_DONE      (256 * 1024)       /* bytes of a body that are fetched for nobody */
#define WANTED_BY        4                  /* followers: then it is finished without them, too */
#define VALIDATE_KEEP_MS (24 * 3600 * 1000) /* past its life, what can be validated */

struct cache_fill *fill_new(struct cache *c, struct cache_shard *s, struct cache_entry *e,
	const struct fill_begin *begin)
{
	const struct cache_key *key = begin->key;
	struct cache_fill *f = counted_alloc(c, sizeof(*f) + key->text.n);

	f->refs = 1;
	f->cache = c;
	f->key = *key;
	f->key.text.p = memcpy(f + 1, key->text.p, key->text.n);
	f->shard = s;
	f->old = cache_obj_ref(begin->old);
	f->uncacheable = begin->uncacheable;
	f->wanted = begin->wanted;
	f->seq = c->seq;
	f->origin_hash = key->site->origin_hash;
	f->began_ms = begin->now_ms;
	f->site_point = point_get(c, 's', key->site->name, (struct span){ 0 });
	pthread_mutex_init(&f->lock, NULL);
	task_cond_init(&f->ready);
	list_init(&f->link);
	arena_init(&f->arena, 512);
	if (begin->choice) {
		f->vary = arena_span(&f->arena, begin->choice->vary);
		f->vary_text_hash = begin->choice->text_hash;
	}
	list_push_back(&e->fills, &f->link);
	e->fills_n++;
	f->listed = true;
	f->open = !f->uncacheable;
	c->fills++;
	f->number = ++c->begun;
	return f;
}

struct cache_fill *cache_fill_ref(struct cache_fill *f)
{
	if (f)
		atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
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
static void fill_unlist(struct cache_fill *f, struct cache_entry *e)
{
	if (f->listed) {
		list_remove(&f->link);
		e->fills_n--;
		f->listed = false;
	}
}

static bool is_same_variant(const struct cache_obj *a, const struct cache_obj *b)
{
	return span_eq(a->vary_text, b->vary_text) && span_eq(a->vary, b->vary);
}

/* Takes variants that o replaces out of the index, and the oldest if there are too many, or if they
 * are told apart in too many ways. */
static void fill_displace(struct cache_fill *f, struct cache_entry *e, const struct cache_obj *o, struct list *out)
{
	struct span varies[VARIES_MAX - 1];
	unsigned n = 0, ways = 0;

	list_each_safe (it, &e->variants) {
		struct cache_obj *other = container_of(it, struct cache_obj, variant_link);
		bool known = span_eq(other->vary, o->vary);

		for (unsigned i = 0; i < ways && !known; i++)
			known = span_eq(other->vary, varies[i]);
		if (!known && ways < VARIES_MAX - 1) {
			varies[ways++] = other->vary;
			known = true;
		}
		if (known && other != f->old && !obj_is_purged(other) && obj_is_of(other, f->key.site) &&
			!is_same_variant(other, o) && ++n < VARIANTS_MAX)
			continue;
		index_remove(f->shard, other);
		list_push_back(out, &other->variant_link);
	}
}

/* Is the answer to a later question there already? */
static bool is_outrun(const struct cache_entry *e, const struct cache_obj *o)
{
	list_each (it, &e->variants) {
		const struct cache_obj *other = container_of(it, struct cache_obj, variant_link);

		if (other->number > o->number && is_same_variant(other, o))
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
	e = entry_get(f->cache, f->shard, &f->key);
	fill_unlist(f, e);
	if (f->purged != PURGE_HARD && !obj_is_purged(o) && !is_outrun(e, o)) {
		o->purged = f->purged;
		fill_displace(f, e, o, &displaced);
		if (o->policy.shareable)
			entry_unmark(f->cache, e);
		index_add(f->shard, e, o);
	}
	entry_release_if_empty(f->cache, f->shard, e, (int64_t)clock_mono_ms());
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
	e = mark ? entry_get(f->cache, f->shard, &f->key) : entry_find(f->shard, &f->key);
	if (e)
		fill_unlist(f, e);
	if (e && mark) {
		entry_mark(f->cache, e, clock_mono_ms());
		/* The whole was asked for, in vain. */
		if (!f->uncacheable)
			e->ranges = 0;
	}
	if (forget_old && f->old && f->old->indexed) {
		index_remove(f->shard, f->old);
		list_push_back(&displaced, &f->old->variant_link);
	}
	if (e)
		entry_release_if_empty(f->cache, f->shard, e, (int64_t)clock_mono_ms());
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
	entry_mark(f->cache, e, (int64_t)clock_mono_ms());
	pthread_mutex_unlock(&f->shard->lock);
}

static void settle(struct cache_fill *f, enum fill_state state)
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

struct fill_times {
	int64_t asked_ms, answered_ms, now_ms; /* as in cache_fill_head() */
};

/* The parts of an object that come from the fetch rather than from the fields. */
static void complete_head(struct cache_fill *f, struct cache_obj *o, const struct http_req *req,
	const struct http_fields *fields, const struct fill_times *at)
{
	struct span vary = http_fields_joined(fields, HTTP_VARY, &f->arena);
	struct span text = vary_text(vary, req, &f->arena);
	char *block = counted_alloc(f->cache, vary.n + text.n + 1);

	memcpy(block, vary.n ? vary.p : "", vary.n);
	memcpy(block + vary.n, text.p ? text.p : "", text.n);
	o->vary = span_make(block, vary.n);
	o->vary_text = span_make(block + vary.n, text.n);
	o->vary_text_hash = span_hash(text, 0);
	o->origin_hash = f->origin_hash;
	o->answered_ms = at->answered_ms;
	o->born_ms = at->now_ms - (at->answered_ms - policy_born_ms(fields, at->asked_ms, at->answered_ms));
	o->keep_ms = (int64_t)f->key.site->grace_ms;
	if (o->keep_ms < VALIDATE_KEEP_MS && (o->etag.p || o->modified_s >= 0))
		o->keep_ms = VALIDATE_KEEP_MS;
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
	const struct fill_times *at)
{
	struct http_fields merged, room;
	struct cache_policy policy;
	struct cache_obj *o;

	merge_fields(&f->old->fields, with_date(f, resp, at->answered_ms, &room), &f->arena, &merged);
	policy_of_response(f->key.site, req, f->old->status, &merged, at->answered_ms, &f->arena, &policy);
	policy.storable = policy.storable && tags_are_bounded(&merged);
	o = obj_new(f->cache, body_ref(f->old->body), f->old->status, &merged, &policy);
	complete_head(f, o, req, &merged, at);
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

/* Do bodies under way take what they may already, all or those of one site? Or does evicting not
 * help, because all that there is is being sent? */
static bool is_short(const struct cache *c, const struct site_holding *h)
{
	uint64_t most = c->bytes_max / 2;

	return c->bytes > c->bytes_max + c->bytes_max / BYTES_SLACK || c->under_way > most ||
		h->under_way > most / 100 * c->site_share;
}

/* Is there room for it, and can it be purged by all of its tags? */
static bool can_be_kept(struct cache_fill *f, const struct http_resp *resp, int64_t length)
{
	if (!tags_are_bounded(&resp->fields) || (length > 0 && (uint64_t)length > object_max(f->cache)))
		return false;
	if (f->cache->bytes > f->cache->bytes_max)
		cache_evict(f->cache, f->shard);
	return !is_short(f->cache, f->site_point->holding);
}

enum cache_decision cache_fill_head(struct cache_fill *f, const struct http_req *req, const struct http_resp *resp,
	int64_t asked_ms, int64_t answered_ms, int64_t now_ms)
{
	struct fill_times at = { asked_ms, answered_ms, now_ms };
	int64_t length = declared_length(resp);
	struct cache_policy policy;
	struct http_fields room;

	if (resp->status == 304 && is_about_old(f, resp))
		return freshen(f, req, resp, &at);
	policy_of_response(f->key.site, req, resp->status, &resp->fields, answered_ms, &f->arena, &policy);
	if (!policy.storable)
		return release(f, policy.leave_marker, resp->status < 500 && !policy.about_request);
	if (!can_be_kept(f, resp, length))
		return release(f, length > 0 && (uint64_t)length > object_max(f->cache), true);
	f->obj = obj_new(f->cache, body_new(f->cache, length, f->site_point->holding), resp->status,
		with_date(f, resp, answered_ms, &room), &policy);
	complete_head(f, f->obj, req, &resp->fields, &at);
	if (!policy.shareable)
		close_to_followers(f);
	settle(f, policy.shareable ? FILL_BODY : FILL_PASS);
	return CACHE_STORE;
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

static uint64_t stream_window(const struct cache_body *b)
{
	return is_short(b->cache, b->holding) ? STREAM_WINDOW_LESS : STREAM_WINDOW;
}

static void cut_off_stalled(struct cache_body *b)
{
	uint64_t now = clock_mono_ms();

	list_each_safe (it, &b->readers) {
		struct cache_reader *r = container_of(it, struct cache_reader, link);

		if (now - r->moved_ms < STREAM_STALL_MS || passed_by(r) + stream_window(b) > b->length)
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
		if (b->length - b->first_at < stream_window(b))
			return 0;
		error = task_cond_wait(&b->drained, &b->lock, deadline_in(1000));
		if (error == -ECANCELED)
			return error;
		cut_off_stalled(b);
	}
}

void cache_fill_watch(struct cache_fill *f, void (*on_unread)(void *arg), void *arg)
{
	struct cache_body *b = f->obj->body;

	pthread_mutex_lock(&b->lock);
	b->on_unread = on_unread;
	b->on_unread_arg = arg;
	pthread_mutex_unlock(&b->lock);
}

bool cache_fill_is_read(struct cache_fill *f)
{
	struct cache_body *b = f->obj->body;
	bool is_read;

	pthread_mutex_lock(&b->lock);
	is_read = !list_empty(&b->readers);
	pthread_mutex_unlock(&b->lock);
	return is_read;
}

bool cache_fill_is_of_use(const struct cache_fill *f)
{
	return f->obj->policy.shareable || f->obj->etag.p || f->obj->modified_s >= 0;
}

bool cache_fill_is_followed(const struct cache_fill *f)
{
	return f->waiting > 0;
}

/* ---- is it worth going on? ---- */

/* Does nobody but the leader hold the fill, or its object? */
static bool is_alone(const struct cache_fill *f)
{
	return f->refs == 1 && f->obj->refs == 1;
}

static bool is_wanted(const struct cache_fill *f)
{
	const struct cache_body *b = f->obj->body;

	if (f->wanted || f->followers >= WANTED_BY)
		return true;
	return b->declared >= 0 ? b->length + NEARLY_DONE >= (uint64_t)b->declared : b->length <= NEARLY_DONE;
}

/* Everybody has gone. Followers come under the shard's lock: once it is closed under that, and
 * still nobody is there, nobody will be. */
static bool is_for_nobody(struct cache_fill *f)
{
	bool nobody = is_alone(f) && !is_wanted(f), was_open;

	if (!nobody)
		return false;
	pthread_mutex_lock(&f->shard->lock);
	was_open = f->open;
	f->open = false;
	nobody = is_alone(f);
	if (!nobody)
		f->open = was_open;
	pthread_mutex_unlock(&f->shard->lock);
	return nobody;
}

/* ---- bytes ---- */

int cache_fill_body(struct cache_fill *f, struct span bytes)
{
	struct cache_body *b = f->obj->body;
	bool outgrown, too_large;
	int r = 0;

	if (is_for_nobody(f))
		return -EPIPE;
	if (f->cache->bytes > f->cache->bytes_max)
		cache_evict(f->cache, f->shard);
	pthread_mutex_lock(&b->lock);
	body_add(b, bytes);
	task_cond_broadcast(&b->grown);
	too_large = b->length > object_max(f->cache);
	outgrown = !b->streams && (too_large || is_short(f->cache, b->holding));
	b->streams = b->streams || outgrown;
	if (b->streams)
		r = wait_for_readers(b);
	pthread_mutex_unlock(&b->lock);
	if (outgrown)
		withdraw(f, too_large, false);
	return r;
}

static void finish_body(struct cache_body *b, const struct http_fields *trailers, bool whole)
{
	pthread_mutex_lock(&b->lock);
	if (whole && trailers && trailers->n > 0)
		fields_copy(b->cache, trailers, NULL, &b->trailers);
	b->failed = !whole;
	body_settle(b);
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
	if (f->state == FILL_BODY) {
		*ret_obj = cache_obj_ref(f->obj);
		ready = CACHE_READY_BODY;
	} else if (f->state == FILL_FAILED) {
		*fault = f->fault;
		ready = CACHE_READY_FAILED;
	} else if (f->state == FILL_WAITING) {
		ready = CACHE_READY_LATE;
	}
	pthread_mutex_unlock(&f->lock);
	if (*ret_obj && (!obj_fits(*ret_obj, req) || has_lost_its_beginning((*ret_obj)->body))) {
		*ret_obj = cache_obj_unref(*ret_obj);
		ready = CACHE_READY_PASS;
	}
	return ready;
}
