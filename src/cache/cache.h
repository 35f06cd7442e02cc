/*
 * The cache: RFC 9111's store, shared by all threads of the worker.
 *
 * The way of a request (web/ drives it): cache_key_make(), then cache_find() says one of
 *
 *   FRESH    answer from the object
 *   REFRESH  answer from the object although it is stale; if a fill came with it, lead that beside
 *            the answer
 *   LEAD     fetch: a fill is yours. The object, if there is one, is what to validate against and
 *            what to fall back to
 *   FOLLOW   somebody fetches this already: cache_fill_wait(), then read along
 *   PASS     not for the cache: forward it. The object, if there is one, is what to fall back to
 *   BUSY     too many wait for the same page already: 503 is due
 *   ONLY_IF_CACHED   504 is due
 *
 * A fill is driven by whoever leads it: cache_fill_head() with the response decides (store it; or
 * not, then all followers are released to PASS at once); then body pieces and the end, or abort.
 * Everybody else reads along.
 *
 * Hit-for-miss: an answer that must not be shared leaves a marker on its key for 120 s. While it is
 * there the page counts as uncacheable and nobody waits for anybody: each request leads a fill of
 * its own without followers, and the first answer that may be shared removes the marker.
 *
 * Small questions stay small: HEAD is passed on as HEAD, and a range of what is not there as a
 * range, until it was asked for RANGES_WANTED times. A fill that nobody reads any more ends, unless
 * it is nearly done or the page is wanted again and again.
 *
 * What is stored: a head (immutable) and a body (grows while it is filled, then immutable), both
 * reference-counted; a 304 makes a new head over the same body. Objects are kept past their
 * lifetime for as long as they may be served stale.
 *
 * The index is sharded by key hash, one mutex a shard held for a few instructions: what a request
 * says to the fields that select a variant is worked out before. Eviction is SIEVE (NSDI '24): a
 * hit sets a bit and moves nothing; where memory is short, sites beyond their share go first, and
 * what is being sent stays, for taking it out would free nothing. Memory is counted to the byte,
 * the allocator's own overhead included. Bodies under way may take half of it; beyond that answers
 * are not stored, so that a slow visitor makes us read slowly from the origin.
 *
 * Purges of a site, a tag or everything are O(1): each has a "purge point" with a sequence number,
 * objects remember the number at which their fetch began and compare at look-up; so a purge wins
 * over a fetch in flight. cache_sweep() frees what is out of reach.
 *
 * A page belongs to the domain that it was fetched for and to its origins: another domain of the
 * same host never gets it, and after a change of the origins it counts as stale.
 *
 * Only the functions that say so suspend. Times are monotonic ms, for a clock that is set must not
 * make pages older or younger; asked_ms and answered_ms alone are wall-clock ms since 1970, as
 * Date is.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "domain/domain.h"
#include "http/http.h"
#include "io/task.h"

struct cache;
struct cache_obj;
struct cache_fill;

struct cache_settings {
	uint64_t bytes_max;
	uint64_t object_max; /* larger bodies pass through unstored; 0: bytes_max / 8 */
	/* percent of bytes_max that one site keeps where others need room; 0: 50 */
	unsigned site_share;
	/* of one fill, waiting for its head; 0: 10000; further ones are told BUSY */
	unsigned followers_max;
	uint64_t follow_wait_ms;  /* for the head; 0: 5000; then another is sent to ask, too */
	uint64_t hit_for_miss_ms; /* 0: 120 s */
};
struct cache *cache_new(const struct cache_settings *settings);
/* Everything must have been given back: fills, readers, references. */
struct cache *cache_free(struct cache *c);
void cache_resize(struct cache *c, uint64_t bytes_max, unsigned site_share);
/* Frees what was purged or is too old to be of use: a bounded piece of work. Call it every
 * second. */
void cache_sweep(struct cache *c, int64_t now_ms);

/* ---- key: exactly what is forwarded ---- */

struct cache_key {
	/* of the text in its normal form (RFC 3986 6.2.2): all spellings of one URI are found */
	uint64_t hash;
	/* "https" NUL host NUL target, the target without what the preset drops */
	struct span text;
	const struct domain *site;
};
/* Memory from a. The host is part of it: one site has several names. So is its port, if that is not
 * the scheme's own: "host:8080". */
void cache_key_make(struct cache_key *ret, const struct domain *site, bool tls, struct span host, struct span target,
	struct arena *a);

/* ---- look-up ---- */

enum cache_verdict {
	CACHE_FRESH,
	CACHE_REFRESH,
	CACHE_LEAD,
	CACHE_FOLLOW,
	CACHE_PASS,
	CACHE_BUSY,
	CACHE_ONLY_IF_CACHED,
};
struct cache_found {
	enum cache_verdict verdict;
	struct cache_obj *obj; /* a reference, or NULL */
	/* a reference, or NULL. REFRESH and LEAD: to be led (cache_fill_drop() it) */
	struct cache_fill *fill;
	/* of a LEAD: nobody follows, so the client's own conditions and range are sent along */
	bool uncacheable;
	/* RFC 9211's fwd=: "uri-miss", "vary-miss", "stale", "request", "bypass", "method" */
	const char *why;
	int64_t ttl_s; /* of obj: seconds of freshness left, negative when stale */
};
void cache_find(struct cache *c, const struct cache_key *key, const struct http_req *req, int64_t now_ms,
	struct cache_found *ret);
/* Gives back what is still in it (a fill that was to be led is dropped). */
void cache_found_done(struct cache_found *f);

struct cache_obj *cache_obj_ref(struct cache_obj *o);
struct cache_obj *cache_obj_unref(struct cache_obj *o);
unsigned cache_obj_status(const struct cache_obj *o);
/* As stored: without hop-by-hop, framing, Age and the fields that private="…" or no-cache="…"
 * named. */
const struct http_fields *cache_obj_fields(const struct cache_obj *o);
/* empty until the body is complete */
const struct http_fields *cache_obj_trailers(const struct cache_obj *o);
/* RFC 9111 4.2.3, never negative, saturating at 2^31. */
int64_t cache_obj_age_s(const struct cache_obj *o, int64_t now_ms);
/* May o be served although it is stale, because the origin failed: within stale-if-error (RFC 5861
 * 4) or the site's grace; never against must-revalidate, proxy-revalidate, no-cache or s-maxage,
 * unless the site forces it. */
bool cache_stale_usable(const struct cache_obj *o, const struct domain *site, const struct http_req *req,
	int64_t now_ms);
/* The origin failed when asked about o (NULL: nothing): the next try waits 1, 2, 4 … 30 s, until
 * then cache_find() answers with REFRESH and no fill where o may be served stale. */
void cache_origin_failed(struct cache_obj *o, int64_t now_ms);

/* The client's conditions against an object (RFC 9110 13.2.2, in that order). */
enum cache_condition { CACHE_SEND, CACHE_SEND_RANGE, CACHE_NOT_MODIFIED, CACHE_PRECONDITION_FAILED };
enum cache_condition cache_condition(const struct cache_obj *o, const struct http_req *req);

/* ---- filling ---- */

/* What to ask the origin for: the target of the key, not that of the request, for what is no part
 * of the key must not shape what others get. */
struct span cache_fill_target(const struct cache_fill *f);
/* The conditional fields to add to the fetch if there is an object to validate. */
void cache_fill_conditions(const struct cache_fill *f, struct http_fields *out, struct arena *a);
/* The response's head; asked and answered: when the request left and the head came. CACHE_STORE:
 * feed the body. CACHE_RELEASE: not to be stored; forward it yourself. CACHE_UPDATED: a 304
 * freshened the stored object, which is served; no body. */
enum cache_decision { CACHE_STORE, CACHE_RELEASE, CACHE_UPDATED };
enum cache_decision cache_fill_head(struct cache_fill *f, const struct http_req *req, const struct http_resp *resp,
	int64_t asked_ms, int64_t answered_ms, int64_t now_ms);
/* After CACHE_STORE or CACHE_UPDATED: a reference to the object, maybe still growing. */
struct cache_obj *cache_fill_obj(struct cache_fill *f);
/* NULL is fine. */
struct cache_fill *cache_fill_ref(struct cache_fill *f);
/* Follower's last call. NULL is fine; returns NULL. */
struct cache_fill *cache_fill_unref(struct cache_fill *f);
/* Body bytes. A body that outgrows object_max is not stored but streams through a window of 1 MiB
 * (less where memory is short): then this suspends until its readers have caught up; one that does
 * not move for 30 s is cut off. 0, or -EPIPE once nobody reads and it is not worth going on;
 * -ECANCELED. */
int cache_fill_body(struct cache_fill *f, struct span bytes);
/* Of a fill that stores: on_unread(arg) is called each time that its last reader has gone, on
 * whichever thread that was; it must neither suspend nor call the cache. NULL: no more. */
void cache_fill_watch(struct cache_fill *f, void (*on_unread)(void *arg), void *arg);
bool cache_fill_is_read(struct cache_fill *f);
/* Will what it stores ever answer anybody who does not wait for it now: because it is fresh for a
 * while, or can be validated? */
bool cache_fill_is_of_use(const struct cache_fill *f);
/* Does anybody wait for its head beside the leader? */
bool cache_fill_is_followed(const struct cache_fill *f);
/* The whole body has been fed: the object becomes part of the cache. */
void cache_fill_end(struct cache_fill *f, const struct http_fields *trailers);
/* No answer came, or it broke off: nothing is stored; readers get -EPIPE, followers waiting for the
 * head the fault. */
void cache_fill_abort(struct cache_fill *f, const struct fault *fault);
/* The leader's last call: aborts unless ended, and gives the reference back. NULL is fine; returns
 * NULL. */
struct cache_fill *cache_fill_drop(struct cache_fill *f);

/* ---- following and reading along ---- */

enum cache_ready { CACHE_READY_BODY, CACHE_READY_PASS, CACHE_READY_LATE, CACHE_READY_FAILED };
/* Suspends until the head is there, at most follow_wait_ms. READY_BODY: *ret_obj is a reference;
 * READY_PASS: forward your own request (the answer is not for all, or does not fit your request by
 * Vary); READY_LATE: it takes long: look again (cache_find()), somebody may be sent to ask once
 * more; READY_FAILED: fault says why. */
enum cache_ready cache_fill_wait(struct cache_fill *f, const struct http_req *req, struct cache_obj **ret_obj,
	struct fault *fault);

struct cache_reader {
	struct cache_obj *obj; /* a reference of its own */
	struct cache_segment *segment;
	uint64_t segment_at; /* the body offset at which segment begins */
	uint64_t at;         /* set it (before the first cache_reader_next) to begin elsewhere */
	/* While the body grows: */
	struct list link;                           /* in the body's list */
	struct cache_segment *pinned, *pinned_last; /* what the last call lent out */
	uint64_t pinned_at;                         /* offset of pinned */
	uint64_t moved_ms;
	bool joined;          /* it grew when the reader came */
	bool cut_off, listed; /* under the body's lock */
};
void cache_reader_init(struct cache_reader *r, struct cache_obj *obj);
void cache_reader_done(struct cache_reader *r);
/* The body's length if known already (complete, or declared by the origin), else -1. */
int64_t cache_reader_length(const struct cache_reader *r);
/* Up to max pieces from r->at on, which moves past them; borrowed until the next call. Suspends
 * while there are none yet. Their count, 0 at the end, -EPIPE if the fill broke off (or this reader
 * was cut off), -ETIMEDOUT, -ECANCELED. */
int cache_reader_next(struct cache_reader *r, struct iovec *iov, int max, uint64_t deadline);

/* ---- purge, invalidation, numbers ---- */

enum cache_purge_kind { CACHE_PURGE_URL, CACHE_PURGE_PREFIX, CACHE_PURGE_TAG, CACHE_PURGE_DOMAIN, CACHE_PURGE_ALL };
/* what: a URL or the beginning of one ("https://host/path"; "//host/path" is both schemes), a tag,
 * a domain's name. site: of URLs, for the preset's normalisation; of tags, the only site meant
 * (NULL: all sites). Soft: objects become stale; hard: they are gone. The number of objects it hit.
 * A prefix walks the whole index: call that from a helper thread. */
uint64_t cache_purge(struct cache *c, enum cache_purge_kind kind, struct span what, const struct domain *site,
	bool hard, int64_t now_ms);
/* For a purge that hit nothing: the URL, tag or domain in the cache that is nearest to what, into
 * ret; nothing if there is none. Walks all that there is: call it from a helper thread. */
void cache_nearest(struct cache *c, enum cache_purge_kind kind, struct span what, const struct domain *site,
	struct buf *ret);
/* After a successful unsafe request (RFC 9111 4.4): its URI, and Location and Content-Location on
 * the same host. */
void cache_invalidate(struct cache *c, const struct cache_key *key, const struct http_resp *resp);

struct cache_numbers {
	uint64_t objects, bytes, bytes_max, evicted, purged, fills, markers;
};
void cache_numbers(struct cache *c, struct cache_numbers *ret);
/* Objects of one site and their bytes. */
void cache_site_numbers(struct cache *c, struct span domain, struct cache_numbers *ret);

/* ---- Cache-Status (RFC 9211) ---- */

struct cache_status {
	bool hit, stale, stored, collapsed;
	const char *fwd;     /* NULL for hits */
	unsigned fwd_status; /* 0: not asked */
	int64_t ttl_s;       /* of hits */
	const char *detail;  /* a code, or NULL */
};
/* Adds the field; what an origin's own cache said stays in front. */
void cache_status_add(const struct cache_status *s, struct http_fields *fields, struct arena *a);
/* v in decimal digits, in a: for Age and its like, on every hit. */
struct span cache_number(int64_t v, struct arena *a);
/* One word for logs: "hit", "stale", "miss", "pass", "collapsed", "revalidated", or "-" if the
 * cache was not asked. */
const char *cache_status_word(const struct cache_status *s);
