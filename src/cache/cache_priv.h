/* Inside cache/: what is stored and how it hangs together. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "base/map.h"
#include "cache/cache.h"

#define SHARDS        64
#define VARIANTS_MAX  64  /* of one key */
#define VARIES_MAX    4   /* different values of Vary among them */
#define SPELLINGS_MAX 16  /* keys of one URI */
#define TAGS_MAX      256 /* of one object */
#define BACKOFF_MAX_S 30
#define SECONDS_MAX   INT32_MAX /* RFC 9111 1.2.2 */

/* ---- policy.c, preset.c: pure ---- */

/* What the response's fields say about storing and reusing it, worked out once. */
struct cache_policy {
	bool storable;
	bool shareable;    /* may answer the requests that wait for it now, too */
	bool leave_marker; /* if not: the next requests must not wait for each other */
	/* it tells of the request that was sent rather than of the page (400, 431 …): what is
	 * stored of the page stays */
	bool about_request;
	int64_t lifetime_ms;
	int64_t stale_while_ms, stale_error_ms; /* -1: not given */
	bool always_validate;                   /* no-cache */
	bool never_stale;                       /* must-revalidate, proxy-revalidate, no-cache */
	/* s-maxage: stale only as far as the response itself permits it */
	bool no_grace;
	struct span private_fields, no_cache_fields;
};
void policy_of_response(const struct domain *site, const struct http_req *req, unsigned status,
	const struct http_fields *fields, int64_t answered_ms, struct arena *a, struct cache_policy *ret);
/* RFC 9111 4.2.3: when the response was made, as far as its age tells. */
int64_t policy_born_ms(const struct http_fields *fields, int64_t asked_ms, int64_t answered_ms);
/* The request's directives (Cache-Control, else Pragma). */
void policy_of_request(const struct http_req *req, struct http_cache_control *ret);
/* Why a request of this site passes the cache by ("method", "bypass", "request"), or NULL. */
const char *preset_bypass(const struct domain *site, const struct http_req *req);
/* target without what the site's preset drops (marketing parameters); memory from a if it
 * changes. */
struct span preset_target(const struct domain *site, struct span target, struct arena *a);
/* Did nobody in particular ask? Without credentials, and without cookies but those that are known
 * to tell nothing. */
bool preset_is_anonymous(const struct http_req *req);
/* Lifetime in ms where the response says nothing (-1: none), and the most that it may say for this
 * kind (-1: no bound). */
int64_t preset_default_ms(const struct domain *site, const struct http_req *req, const struct http_fields *fields,
	struct arena *a);
int64_t preset_most_ms(const struct domain *site, const struct http_fields *fields);
/* Does the path look like a file (style sheet, image…) whose content type says something else? */
bool preset_is_disguised(const struct http_req *req, const struct http_fields *fields, struct arena *a);

/* ---- vary.c: pure ---- */

/* Can it be looked at for each request? Else the answer is not stored. */
bool vary_is_bounded(struct span vary);
/* The request's values of the fields that Vary names, normalised, as one text: two requests with
 * the same text get the same variant. .p == NULL: more bytes than we select by. */
struct span vary_text(struct span vary, const struct http_req *req, struct arena *a);

/* How a request answers for each Vary of an entry: read off it while no lock is held. */
struct selection {
	struct vary_choice {
		struct span vary, text; /* text: vary_text() */
		uint64_t text_hash;
	} v[VARIES_MAX];
	unsigned n;
};

/* ---- key.c: pure ---- */

/* A key's text with its target in the normal form of RFC 3986 6.2.2: two that are equal are
 * spellings of one URI. open: it is the beginning of one. Borrows from text, or from a. */
struct span key_text_normal(struct span text, bool open, struct arena *a);
struct span target_normal(struct span target, bool open, struct arena *a);

/* ---- memory ---- */

/* Blocks whose size, allocator's overhead included, is counted in c->bytes. */
void *counted_alloc(struct cache *c, size_t n);
void counted_free(struct cache *c, void *p);
size_t counted_size(const void *p); /* NULL: 0 */

/* ---- object.c ---- */

struct cache_segment {
	struct cache_segment *next;
	size_t n, room; /* n grows under body->lock while the body does */
	unsigned pins;  /* readers that are sending it; under body->lock, too */
	bool dropped;   /* out of the body: freed with the last pin */
	char data[];
};
struct cache_body {
	atomic_uint refs;
	struct cache *cache;
	atomic_bool complete; /* from then on immutable, read without the lock */
	pthread_mutex_t lock; /* while it grows: for all below */
	struct task_cond grown, drained;
	struct cache_segment *first, *last;
	uint64_t first_at; /* offset of first: 0, unless it streams */
	uint64_t length;   /* bytes so far */
	int64_t declared;  /* by the origin; -1: unknown */
	bool failed, streams, ended;
	uint64_t held;                /* memory of its segments */
	struct site_holding *holding; /* for which they count as under way; NULL: not any more */
	struct list readers;          /* of growing bodies */
	void (*on_unread)(void *arg); /* the last of them has gone (cache_fill_watch()) */
	void *on_unread_arg;
	struct http_fields trailers;
};

struct purge_point;
struct cache_fill;
struct cache_obj {
	atomic_uint refs;
	_Atomic bool visited;     /* SIEVE's bit */
	_Atomic int purged;       /* by URL or prefix: enum purge_way, never hard */
	_Atomic int64_t retry_ms; /* the origin failed: not before */
	_Atomic unsigned failures;
	struct cache *cache;
	struct cache_body *body;
	unsigned status;
	struct http_fields fields;
	struct span etag;    /* within fields; .p == NULL: none */
	int64_t modified_s;  /* Last-Modified; -1: none */
	int64_t date_s;      /* Date, or when it came */
	int64_t answered_ms; /* wall clock */
	int64_t born_ms;     /* monotonic: when it was made, as far as its age tells */
	int64_t keep_ms;     /* how long past its life it is kept at least */
	struct cache_policy policy;
	struct span vary; /* Vary's value, and vary_text() of the request it answered */
	struct span vary_text;
	uint64_t vary_text_hash;
	uint64_t origin_hash; /* the site's when it was fetched */
	uint64_t seq;         /* purge sequence at which its fetch began */
	uint64_t number;      /* of its fill: later ones win */
	struct purge_point *site_point;
	struct purge_point **tags;
	unsigned tags_n;
	/* In the index; under the shard's lock. */
	bool indexed;
	struct cache_shard *shard;
	struct cache_entry *entry;
	struct list variant_link, sieve_link;
	/* Among the site's; under points_lock. */
	struct list site_link;
	uint64_t cost; /* memory that is counted for the site */
};
/* A head for body (whose reference it takes), made from these fields. */
struct cache_obj *obj_new(struct cache *c, struct cache_body *body, unsigned status, const struct http_fields *fields,
	const struct cache_policy *policy);
/* Copies fields but those that policy (may be NULL) and the rules for storing keep out: one counted
 * block, to->v. */
void fields_copy(struct cache *c, const struct http_fields *from, const struct cache_policy *policy,
	struct http_fields *to);
struct cache_body *body_new(struct cache *c, int64_t declared, struct site_holding *holding);
/* Its bytes are under way no more. Under b->lock. */
void body_settle(struct cache_body *b);
struct cache_body *body_ref(struct cache_body *b);
void body_add(struct cache_body *b, struct span bytes);
/* Lets go of the segments that end before offset, but for the last one. Under b->lock. */
void body_drop_until(struct cache_body *b, uint64_t offset);
/* Does the variant answer req (Vary)? Reads all of its fields: hold no lock that others need. */
bool obj_fits(const struct cache_obj *o, const struct http_req *req);
/* Was it fetched for that site? Hosts move from one to another. */
bool obj_is_of(const struct cache_obj *o, const struct domain *site);
/* The memory that it takes, with its body. */
uint64_t obj_cost(struct cache_obj *o);
int64_t obj_ttl_ms(const struct cache_obj *o, int64_t now_ms);

/* ---- index.c ---- */

/* One key. Lives while it has variants, fills or a marker. */
struct cache_entry {
	struct cache_entry *next;
	uint64_t hash;
	struct span text;     /* behind the struct */
	struct list variants; /* cache_obj.variant_link, newest first */
	struct list fills;    /* cache_fill.link */
	unsigned fills_n;
	unsigned ranges;              /* requests for a part while there was nothing */
	int64_t uncacheable_until_ms; /* hit-for-miss */
};
/* Objects newest first, and the hand of SIEVE: where the search goes on, NULL at the end. */
struct sieve {
	struct list objects;
	struct list *hand;
	size_t n;
};
struct cache_shard {
	pthread_mutex_t lock;
	struct cache_entry **buckets;
	size_t buckets_n, entries;
	struct sieve sieve;
	size_t swept; /* bucket that cache_sweep() does next */
};
struct cache {
	struct cache_settings settings;
	_Atomic uint64_t bytes, bytes_max, objects, evicted, purged, fills, markers;
	_Atomic uint64_t begun;     /* fills, ever */
	_Atomic uint64_t under_way; /* memory of bodies that grow or stream */
	_Atomic uint64_t seq;       /* of purges */
	_Atomic unsigned site_share;
	struct cache_shard shards[SHARDS];
	pthread_mutex_t points_lock; /* for the points, and for what sites hold */
	struct map points;           /* text -> purge_point */
	uint64_t points_bytes;       /* of that table, counted */
	struct list over;            /* site_holding.over_link */
	struct purge_point *all;
	unsigned sweep_shard;
	int64_t points_swept_ms;
};
struct cache_shard *shard_of(struct cache *c, uint64_t hash);
struct cache_entry **bucket_of(struct cache_shard *s, uint64_t hash);
/* Under the shard's lock. */
struct cache_entry *entry_find(struct cache_shard *s, const struct cache_key *key);
struct cache_entry *entry_get(struct cache *c, struct cache_shard *s, const struct cache_key *key);
/* The hit-for-miss marker: leaves one from now on; takes it away. */
void entry_mark(struct cache *c, struct cache_entry *e, int64_t now_ms);
void entry_unmark(struct cache *c, struct cache_entry *e);
void entry_release_if_empty(struct cache *c, struct cache_shard *s, struct cache_entry *e, int64_t now_ms);
void index_add(struct cache_shard *s, struct cache_entry *e, struct cache_obj *o);
/* Takes o out; the caller drops the index's reference after unlocking. */
void index_remove(struct cache_shard *s, struct cache_obj *o);
/* Drops the index's references to objects taken out (linked by variant_link); no lock held. */
void objs_unref(struct list *objects);
/* Makes room; no lock held. False: there is nothing more that could go. */
bool cache_evict(struct cache *c, struct cache_shard *first);
uint64_t site_bytes_max(const struct cache *c);

/* ---- purge.c ---- */

/* What happens to an object, least first. Invalid (RFC 9111 4.4) is worse than stale: it needs
 * validation, come what may. */
enum purge_way { PURGE_NOT, PURGE_SOFT, PURGE_INVALID, PURGE_HARD };

/* What one site holds. */
struct site_holding {
	struct sieve sieve; /* its objects in the index, by site_link; under points_lock */
	uint64_t cost;      /* of them */
	bool is_over;       /* beyond its share, as far as was noticed: in cache->over */
	struct list over_link;
	_Atomic uint64_t under_way; /* memory of its bodies that grow or stream */
};
struct purge_point {
	_Atomic uint64_t hard_seq, soft_seq; /* of the last purge; 0: none */
	uint64_t refs;                       /* objects and fills; under points_lock */
	/* objects in the index born since the last hard purge */
	uint64_t live, bytes;
	int64_t purged_ms;
	struct site_holding *holding; /* of sites, else NULL */
	size_t n;                     /* of text, its key */
	char text[];
};
/* The point of that name (a reference), made if absent. kind: 'a' all, 's' site, 't' tag (site
 * empty: everywhere). */
struct purge_point *point_get(struct cache *c, char kind, struct span site, struct span tag);
void point_unref(struct cache *c, struct purge_point *p);
bool point_is_of(const struct purge_point *p, const struct domain *site);
/* o enters the index (1) or leaves it (-1). */
void points_count(struct cache_obj *o, int sign);
/* The next to go of a site that is beyond its share, a reference; NULL: none. */
struct cache_obj *points_victim(struct cache *c);
bool obj_is_purged(const struct cache_obj *o); /* hard: out of reach */
bool obj_is_soft_purged(const struct cache_obj *o);
/* Was there a purge since the fetch began that concerns it? (Of tags, only its answer tells.) */
bool fill_is_overtaken(const struct cache_fill *f);
void points_init(struct cache *c);
void points_done(struct cache *c);
void points_sweep(struct cache *c, int64_t now_ms);
/* The tags that the response's Cache-Tag and Surrogate-Key name, as points of o. */
void obj_set_tags(struct cache_obj *o, struct span site, const struct http_fields *fields);
/* Not more of them than an object can have: one that is left out could not be purged by it. */
bool tags_are_bounded(const struct http_fields *fields);

/* ---- fill.c ---- */

struct cache_fill {
	atomic_uint refs;
	struct cache *cache;
	struct cache_key key; /* text is the fill's own */
	struct cache_shard *shard;
	struct cache_obj *old; /* to validate, or NULL */
	uint64_t seq, number;
	uint64_t origin_hash; /* the site's when it began */
	int64_t began_ms;
	bool uncacheable;        /* led without followers: a marker, or a part is asked for */
	bool wanted;             /* the page was there before: others will come */
	struct span vary;        /* that was known when it began, if any */
	uint64_t vary_text_hash; /* of vary_text() for it */
	struct arena arena;      /* of vary, and of its head */
	struct purge_point *site_point;
	/* In the entry; under the shard's lock. */
	struct list link;
	bool listed;
	bool open;          /* to followers */
	_Atomic int purged; /* by URL or prefix while in flight: enum purge_way */
	/* The head, for those who wait. */
	pthread_mutex_t lock;
	struct task_cond ready;
	_Atomic enum fill_state { FILL_WAITING, FILL_BODY, FILL_PASS, FILL_FAILED } state;
	_Atomic unsigned waiting, followers; /* now, ever */
	struct cache_obj *obj;
	struct fault fault;
	bool ended;
};
/* What a fill begins with. */
struct fill_begin {
	const struct cache_key *key;
	struct cache_obj *old; /* to validate, or NULL */
	const struct vary_choice *choice;
	int64_t now_ms;
	bool uncacheable, wanted; /* as in struct cache_fill */
};
/* Under the shard's lock. */
struct cache_fill *fill_new(struct cache *c, struct cache_shard *s, struct cache_entry *e,
	const struct fill_begin *begin);
