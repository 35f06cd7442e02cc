/*
 * The cache: RFC 9111's store, shared by all threads of the worker.
 *
 * The way of a request (web/ drives it):
 *
 *   cache_key_make() -> cache_find() says one of
 *     FRESH        answer from the object
 *     REFRESH      answer from the object (stale-while-revalidate), and you lead a fill in the background
 *     LEAD         you fetch: a fill is yours; object (maybe NULL) is what to validate against, and what
 *                  to fall back to on an origin error (cache_stale_usable())
 *     FOLLOW       somebody fetches: cache_fill_wait() and then read along
 *     PASS         not to be cached now (hit-for-miss marker, request not cacheable): just forward
 *     ONLY_IF_CACHED  504 is due
 *
 *   The fetch task (not the client's: a slow or vanished client neither stalls nor kills it) drives
 *   a fill: cache_fill_head() with the response decides (store, or release all as PASS), then body, end or
 *   abort. Readers - the first client, too - read along with cache_reader_*().
 *
 * Objects are immutable once complete, reference-counted, kept past their lifetime for the site's
 * grace. Index sharded by key hash, one mutex a shard held for a few instructions; eviction is SIEVE
 * (NSDI '24): a hit sets a bit and moves nothing. Sizes are counted to the byte with all overhead.
 * Site and tag purges are O(1): generations, checked at look-up, swept in the background.
 *
 * Functions marked (suspends) may suspend; everything takes the time as argument.
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
	uint64_t object_max;      /* larger bodies pass through unstored; 0: bytes_max / 8 */
	unsigned shards;          /* 0: 64 */
	unsigned followers_max;   /* that wait for one head; 0: 10000 (more are told PASS) */
	uint64_t follow_wait_ms;  /* 0: 5000; then PASS */
	uint64_t hit_for_miss_ms; /* 0: 120 s */
};
struct cache *cache_new(const struct cache_settings *settings);
struct cache *cache_free(struct cache *c);
void cache_resize(struct cache *c, uint64_t bytes_max);
/* Sweeps purged and long-dead objects, a bounded piece of work a call; call it every second. */
void cache_sweep(struct cache *c, int64_t now_s);

/* ---- key: exactly what is forwarded ---- */

struct cache_key {
	uint64_t hash;
	struct span text; /* "https\0host\0target" after the site's normalisation, in the request's arena */
	const struct domain *site;
};
/* host must be in the key: one site has several names. Drops marketing parameters where the preset says so. */
void cache_key_make(struct cache_key *ret, const struct domain *site, bool tls, struct span host, struct span target,
	struct arena *a);

/* ---- look-up ---- */

enum cache_verdict { CACHE_FRESH, CACHE_REFRESH, CACHE_LEAD, CACHE_FOLLOW, CACHE_PASS, CACHE_ONLY_IF_CACHED };
struct cache_found {
	enum cache_verdict verdict;
	struct cache_obj *obj;   /* a reference (cache_obj_unref it) or NULL */
	struct cache_fill *fill; /* for REFRESH, LEAD (to drive) and FOLLOW (to read): a reference */
	const char *why;         /* RFC 9211 fwd=: uri-miss, vary-miss, stale, request, bypass, method */
	int64_t ttl_s;           /* of obj: seconds of freshness left, negative when stale */
	int64_t age_s;
};
/* now_ms: wall clock in ms. Does not suspend. */
void cache_find(struct cache *c, const struct cache_key *key, const struct http_req *req, int64_t now_ms,
	struct cache_found *ret);
void cache_found_done(struct cache_found *f);

struct cache_obj *cache_obj_ref(struct cache_obj *o);
struct cache_obj *cache_obj_unref(struct cache_obj *o);
unsigned cache_obj_status(const struct cache_obj *o);
const struct http_fields *cache_obj_fields(const struct cache_obj *o); /* stored ones, without Age */
const struct http_fields *cache_obj_trailers(const struct cache_obj *o);
/* Complete objects only: body length and its pieces (borrowed while a reference is held). */
uint64_t cache_obj_length(const struct cache_obj *o);
/* Up to max iovecs covering body bytes from at, at most n bytes; their count. */
int cache_obj_iov(const struct cache_obj *o, uint64_t at, uint64_t n, struct iovec *iov, int max);
/* May o be served now although it is stale, because the origin failed (stale-if-error or the site's grace,
 * RFC 5861 4; never against must-revalidate and its like unless forced)? */
bool cache_stale_usable(const struct cache_obj *o, const struct domain *site, const struct http_req *req,
	int64_t now_ms);
/* The origin failed for this key: the next try waits (back-off 1, 2, 4 … 30 s); until then cache_find()
 * says REFRESH without a fill, or FRESH-like stale use. */
void cache_origin_failed(struct cache *c, const struct cache_key *key, struct cache_obj *o, int64_t now_ms);

/* ---- filling ---- */

/* The response's head: request and response times in wall ms. Decides by RFC 9111 3 (and the site's
 * preset): CACHE_STORE: feed the body; CACHE_RELEASE: not to be stored: a hit-for-miss marker is left and all
 * followers are released to PASS; the leader forwards it himself. 304 for a fill that validates:
 * CACHE_UPDATED: the stored object got the new fields and is served to all (no body to feed). */
enum cache_decision { CACHE_STORE, CACHE_RELEASE, CACHE_UPDATED };
enum cache_decision cache_fill_head(struct cache_fill *f, const struct http_req *req, const struct http_resp *resp,
	int64_t asked_ms, int64_t answered_ms);
/* The conditional fields to add to the fetch, if there is an object to validate (ETag, Last-Modified). */
void cache_fill_conditions(struct cache_fill *f, struct http_fields *out, struct arena *a);
/* Body bytes. 0; -ENOBUFS cannot happen: a body over object_max turns the fill into a stream with a window, and
 * then this suspends until readers have caught up; -EPIPE once nobody reads and nothing will be stored. (suspends) */
int cache_fill_body(struct cache_fill *f, struct span bytes);
void cache_fill_end(struct cache_fill *f, const struct http_fields *trailers);
/* The body broke off, or no answer came: never stored; readers get an error; followers waiting for the
 * head are told, with the fault. */
void cache_fill_abort(struct cache_fill *f, const struct fault *fault);
struct cache_fill *cache_fill_ref(struct cache_fill *f);
/* Dropping the leader's reference without end or abort counts as abort. */
struct cache_fill *cache_fill_unref(struct cache_fill *f);

/* ---- reading along ---- */

enum cache_ready { CACHE_READY_BODY, CACHE_READY_PASS, CACHE_READY_FAILED };
/* Waits for the head. READY_BODY: *ret_obj is a reference to the (maybe still growing) object; READY_PASS: forward
 * your own request; READY_FAILED: *ret_fault says why (stale object? use it). Negative errno: -ETIMEDOUT after
 * follow_wait_ms (then forward), -ECANCELED. (suspends) */
int cache_fill_wait(struct cache_fill *f, uint64_t deadline, struct cache_obj **ret_obj, struct fault *ret_fault);
struct cache_reader {
	struct cache_obj *obj;
	uint64_t at;
	void *priv;
};
void cache_reader_init(struct cache_reader *r, struct cache_obj *obj);
void cache_reader_done(struct cache_reader *r);
/* Length if known already (complete, or declared by Content-Length), else -1. */
int64_t cache_reader_length(const struct cache_reader *r);
/* Up to max iovecs at r->at, waiting for bytes if there are none yet; borrowed until the next call; advances at.
 * Count, 0 at the end, -EPIPE if the fill broke off, -ETIMEDOUT, -ECANCELED. (suspends) */
int cache_reader_next(struct cache_reader *r, struct iovec *iov, int max, uint64_t deadline);

/* ---- purge, invalidation, numbers ---- */

enum cache_purge_kind { CACHE_PURGE_URL, CACHE_PURGE_PREFIX, CACHE_PURGE_TAG, CACHE_PURGE_DOMAIN, CACHE_PURGE_ALL };
/* what: a URL or URL prefix "https://host/path" (both schemes if it starts with "//"), a tag, a domain name.
 * site: limits a tag to one site (NULL: all). soft: objects become stale (and may be served while refreshed);
 * hard: gone. A purge wins over a fetch in flight. Returns the number of objects it hit. */
uint64_t cache_purge(struct cache *c, enum cache_purge_kind kind, struct span what, const struct domain *site,
	bool hard, int64_t now_ms);
/* After a successful unsafe request (RFC 9111 4.4): this URI, and Location and Content-Location of the same origin. */
void cache_invalidate(struct cache *c, const struct cache_key *key, const struct http_resp *resp, int64_t now_ms);

struct cache_numbers {
	uint64_t objects, bytes, bytes_max, evicted, purged, fills, collapsed, markers;
};
void cache_numbers(const struct cache *c, struct cache_numbers *ret);
/* Objects and bytes of one site; walks all objects. */
void cache_domain_numbers(struct cache *c, const struct domain *site, struct cache_numbers *ret);
