/*
 * Objects: an immutable head and a body in segments.
 *
 * A growing body is guarded by its lock; readers wait on `grown`. Once complete it never changes,
 * and readers take its segments without a lock: `complete` is stored after everything else and read
 * before. A body that streams (it outgrew what may be stored) drops the segments that all its
 * readers have passed; its writer waits on `drained`.
 *
 * A body whose length was declared gets segments of up to 256 KiB that fit; otherwise they double
 * from 4 KiB to 64 KiB.
 */
#include <errno.h>
#include <malloc.h>
#include "base/clock.h"
#include "cache/cache_priv.h"

#define SEGMENT_FIRST    4096
#define SEGMENT_MOST     65536
#define SEGMENT_DECLARED (256 * 1024)
#define BLOCK_OVERHEAD   8 /* of the allocator, beside the usable size */

size_t counted_size(const void *p)
{
	return p ? malloc_usable_size((void *)p) + BLOCK_OVERHEAD : 0;
}

void *counted_alloc(struct cache *c, size_t n)
{
	void *p = mem_zalloc(1, n);

	atomic_fetch_add_explicit(&c->bytes, counted_size(p), memory_order_relaxed);
	return p;
}

void counted_free(struct cache *c, void *p)
{
	if (!p)
		return;
	atomic_fetch_sub_explicit(&c->bytes, counted_size(p), memory_order_relaxed);
	mem_free(p);
}

/* ---- bodies ---- */

struct cache_body *body_new(struct cache *c, int64_t declared, struct site_holding *holding)
{
	struct cache_body *b = counted_alloc(c, sizeof(*b));

	b->refs = 1;
	b->cache = c;
	b->declared = declared;
	b->holding = holding;
	pthread_mutex_init(&b->lock, NULL);
	task_cond_init(&b->grown);
	task_cond_init(&b->drained);
	list_init(&b->readers);
	return b;
}

struct cache_body *body_ref(struct cache_body *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

static void body_hold(struct cache_body *b, int64_t bytes)
{
	b->held += (uint64_t)bytes;
	if (!b->holding)
		return;
	b->cache->under_way += (uint64_t)bytes;
	b->holding->under_way += (uint64_t)bytes;
}

void body_settle(struct cache_body *b)
{
	if (!b->holding)
		return;
	b->cache->under_way -= b->held;
	b->holding->under_way -= b->held;
	b->holding = NULL;
}

static void segment_free(struct cache_body *b, struct cache_segment *s)
{
	body_hold(b, -(int64_t)counted_size(s));
	counted_free(b->cache, s);
}

static void body_unref(struct cache_body *b)
{
	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	body_settle(b);
	for (struct cache_segment *s = b->first, *next; s; s = next) {
		next = s->next;
		counted_free(b->cache, s);
	}
	counted_free(b->cache, b->trailers.v);
	pthread_mutex_destroy(&b->lock);
	counted_free(b->cache, b);
}

static size_t next_room(const struct cache_body *b)
{
	int64_t left = b->declared - (int64_t)b->length;
	size_t room;

	if (left > 0)
		return left < SEGMENT_DECLARED ? (size_t)left : SEGMENT_DECLARED;
	room = b->last ? b->last->room * 2 : SEGMENT_FIRST;
	return room < SEGMENT_MOST ? room : SEGMENT_MOST;
}

/* Under b->lock. */
void body_add(struct cache_body *b, struct span bytes)
{
	while (bytes.n > 0) {
		struct cache_segment *s = b->last;
		size_t n;

		if (!s || s->n == s->room) {
			size_t room = next_room(b);

			s = counted_alloc(b->cache, sizeof(*s) + room);
			s->room = room;
			body_hold(b, (int64_t)counted_size(s));
			*(b->last ? &b->last->next : &b->first) = s;
			b->last = s;
		}
		n = s->room - s->n < bytes.n ? s->room - s->n : bytes.n;
		memcpy(s->data + s->n, bytes.p, n);
		s->n += n;
		b->length += n;
		bytes = span_from(bytes, n);
	}
}

/* ---- heads ---- */

static bool is_kept(const struct http_field *f, const struct cache_policy *policy)
{
	if (http_field_flags(f->id) & (HTTP_HOP | HTTP_FRAMING))
		return false;
	if (f->id == HTTP_AGE)
		return false;
	return !policy ||
		(!http_list_has(policy->private_fields, f->name) && !http_list_has(policy->no_cache_fields, f->name));
}

/* The array, then the texts. */
void fields_copy(struct cache *c, const struct http_fields *from, const struct cache_policy *policy,
	struct http_fields *to)
{
	size_t bytes = from->n * sizeof(struct http_field) + 1;
	char *text;

	for (unsigned i = 0; i < from->n; i++)
		bytes += from->v[i].name.n + from->v[i].value.n;
	*to = (struct http_fields){ .v = counted_alloc(c, bytes) };
	text = (char *)(to->v + from->n);
	for (unsigned i = 0; i < from->n; i++) {
		const struct http_field *f = &from->v[i];

		if (!is_kept(f, policy))
			continue;
		memcpy(text, f->name.p, f->name.n);
		memcpy(text + f->name.n, f->value.p, f->value.n);
		to->v[to->n++] = (struct http_field){ .name = { text, f->name.n },
			.value = { text + f->name.n, f->value.n },
			.id = f->id };
		text += f->name.n + f->value.n;
	}
	to->room = to->n;
}

struct cache_obj *obj_new(struct cache *c, struct cache_body *body, unsigned status, const struct http_fields *fields,
	const struct cache_policy *policy)
{
	struct cache_obj *o = counted_alloc(c, sizeof(*o));
	int64_t now_s = clock_wall_s();
	struct span value;

	o->refs = 1;
	o->cache = c;
	o->body = body;
	o->status = status;
	o->policy = *policy;
	fields_copy(c, fields, policy, &o->fields);
	/* What they named is gone from the fields; the spans point into the response. */
	o->policy.private_fields = o->policy.no_cache_fields = (struct span){ 0 };
	o->etag = http_fields_value(&o->fields, HTTP_ETAG);
	value = http_fields_value(&o->fields, HTTP_LAST_MODIFIED);
	if (!value.p || http_date_parse(value, now_s, &o->modified_s) < 0)
		o->modified_s = -1;
	value = http_fields_value(&o->fields, HTTP_DATE);
	if (!value.p || http_date_parse(value, now_s, &o->date_s) < 0)
		o->date_s = now_s;
	list_init(&o->variant_link);
	list_init(&o->sieve_link);
	list_init(&o->site_link);
	return o;
}

struct cache_obj *cache_obj_ref(struct cache_obj *o)
{
	if (o)
		atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

struct cache_obj *cache_obj_unref(struct cache_obj *o)
{
	if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	must(!o->indexed);
	for (unsigned i = 0; i < o->tags_n; i++)
		point_unref(o->cache, o->tags[i]);
	point_unref(o->cache, o->site_point);
	counted_free(o->cache, o->tags);
	counted_free(o->cache, (void *)o->vary.p);
	counted_free(o->cache, o->fields.v);
	body_unref(o->body);
	counted_free(o->cache, o);
	return NULL;
}

unsigned cache_obj_status(const struct cache_obj *o)
{
	return o->status;
}

const struct http_fields *cache_obj_fields(const struct cache_obj *o)
{
	return &o->fields;
}

const struct http_fields *cache_obj_trailers(const struct cache_obj *o)
{
	static const struct http_fields none;

	return atomic_load_explicit(&o->body->complete, memory_order_acquire) ? &o->body->trailers : &none;
}

bool obj_fits(const struct cache_obj *o, const struct http_req *req)
{
	struct arena a;
	bool same;

	if (o->vary.n == 0)
		return true;
	arena_init(&a, 1024);
	same = span_eq(vary_text(o->vary, req, &a), o->vary_text);
	arena_done(&a);
	return same;
}

bool obj_is_of(const struct cache_obj *o, const struct domain *site)
{
	return point_is_of(o->site_point, site);
}

uint64_t obj_cost(struct cache_obj *o)
{
	struct cache_body *b = o->body;
	uint64_t bytes = counted_size(o) + counted_size(o->fields.v) + counted_size(o->vary.p) + counted_size(o->tags);

	for (unsigned i = 0; i < o->tags_n; i++)
		bytes += counted_size(o->tags[i]);
	pthread_mutex_lock(&b->lock);
	bytes += counted_size(b) + b->held + counted_size(b->trailers.v);
	pthread_mutex_unlock(&b->lock);
	return bytes;
}

int64_t cache_obj_age_s(const struct cache_obj *o, int64_t now_ms)
{
	int64_t age = (now_ms - o->born_ms) / 1000;

	return age < 0 ? 0 : age > SECONDS_MAX ? SECONDS_MAX : age;
}

int64_t obj_ttl_ms(const struct cache_obj *o, int64_t now_ms)
{
	int64_t ttl = o->born_ms + o->policy.lifetime_ms - now_ms;

	/* Whatever was left of its life, a purge ended it. */
	return obj_is_soft_purged(o) && ttl > 0 ? 0 : ttl;
}

/* ---- reading ---- */

static bool is_complete(const struct cache_body *b)
{
	return atomic_load_explicit(&b->complete, memory_order_acquire);
}

void cache_reader_init(struct cache_reader *r, struct cache_obj *obj)
{
	struct cache_body *b = obj->body;

	*r = (struct cache_reader){ .obj = cache_obj_ref(obj) };
	if (is_complete(b))
		return;
	r->joined = true;
	r->moved_ms = clock_mono_ms();
	pthread_mutex_lock(&b->lock);
	list_push_back(&b->readers, &r->link);
	r->listed = true;
	pthread_mutex_unlock(&b->lock);
}

/* What a reader was lent stays in memory until it asks for more, even if it was cut off: it may be
 * in the middle of sending it. All under the body's lock. */
static void pin(struct cache_reader *r, struct cache_segment *first, uint64_t first_at)
{
	r->pinned = first;
	r->pinned_at = first_at;
	r->pinned_last = r->segment;
	for (struct cache_segment *s = first;; s = s->next) {
		s->pins++;
		if (s == r->pinned_last)
			return;
	}
}

static void unpin(struct cache_reader *r)
{
	struct cache_segment *s = r->pinned, *next;

	for (bool last = !s; !last; s = next) {
		last = s == r->pinned_last;
		next = s->next;
		if (--s->pins == 0 && s->dropped)
			segment_free(r->obj->body, s);
	}
	r->pinned = NULL;
}

void body_drop_until(struct cache_body *b, uint64_t offset)
{
	while (b->first && b->first != b->last && b->first_at + b->first->n <= offset) {
		struct cache_segment *s = b->first;

		b->first = s->next;
		b->first_at += s->n;
		s->dropped = true;
		if (s->pins == 0)
			segment_free(b, s);
	}
}

void cache_reader_done(struct cache_reader *r)
{
	struct cache_body *b = r->obj->body;

	if (r->joined) {
		pthread_mutex_lock(&b->lock);
		list_remove(&r->link);
		unpin(r);
		task_cond_broadcast(&b->drained);
		if (b->on_unread && list_empty(&b->readers))
			b->on_unread(b->on_unread_arg);
		pthread_mutex_unlock(&b->lock);
	}
	r->obj = cache_obj_unref(r->obj);
}

int64_t cache_reader_length(const struct cache_reader *r)
{
	const struct cache_body *b = r->obj->body;

	return is_complete(b) ? (int64_t)b->length : b->declared;
}

/* Pieces from r->at on, as far as the body goes now; -EPIPE if they are gone (it streams). Under
 * b->lock unless it is complete. */
static int take_pieces(struct cache_reader *r, struct iovec *iov, int max)
{
	struct cache_body *b = r->obj->body;
	int count = 0;

	if (r->at < b->first_at)
		return -EPIPE;
	if (!r->segment || r->at < r->segment_at) {
		r->segment = b->first;
		r->segment_at = b->first_at;
	}
	while (r->segment && count < max) {
		struct cache_segment *s = r->segment;
		size_t skip = (size_t)(r->at - r->segment_at);

		if (skip < s->n) {
			iov[count++] = (struct iovec){ s->data + skip, s->n - skip };
			r->at = r->segment_at + s->n;
		}
		if (!s->next || r->at < r->segment_at + s->n)
			break;
		r->segment_at += s->n;
		r->segment = s->next;
	}
	return count;
}

/* The same, pinned until the next call. */
static int take_pinned(struct cache_reader *r, struct iovec *iov, int max)
{
	struct cache_body *b = r->obj->body;
	bool again = r->segment && r->at >= r->segment_at;
	struct cache_segment *first = again ? r->segment : b->first;
	uint64_t first_at = again ? r->segment_at : b->first_at;
	int count = r->cut_off ? -EPIPE : take_pieces(r, iov, max);

	if (count > 0)
		pin(r, first, first_at);
	return count;
}

static int wait_for_pieces(struct cache_reader *r, struct iovec *iov, int max, uint64_t deadline)
{
	struct cache_body *b = r->obj->body;
	int count, error = 0;

	pthread_mutex_lock(&b->lock);
	unpin(r);
	r->moved_ms = clock_mono_ms();
	task_cond_broadcast(&b->drained);
	for (;;) {
		/* Of a stream one at a time, so that one sees who moves. */
		count = take_pinned(r, iov, b->streams ? 1 : max);
		if (count != 0 || b->ended)
			break;
		count = b->failed ? -EPIPE : error;
		if (count < 0)
			break;
		error = task_cond_wait(&b->grown, &b->lock, deadline);
	}
	pthread_mutex_unlock(&b->lock);
	return count;
}

int cache_reader_next(struct cache_reader *r, struct iovec *iov, int max, uint64_t deadline)
{
	return is_complete(r->obj->body) ? take_pieces(r, iov, max) : wait_for_pieces(r, iov, max, deadline);
}
