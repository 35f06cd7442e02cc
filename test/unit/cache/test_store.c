/* What is stored, counted, evicted and purged: the cache without a network around it. */
#include <malloc.h>
#include "../unit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/cache.h"

#define NOW began_ms
#define MIB (1024u * 1024u)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0 /* mallinfo2() knows nothing of the sanitizer's */
#else
#define OWN_ALLOCATOR 1
#endif

static int64_t began_ms;
static struct domain site = { .name = { "a.test", 6 }, .grace_ms = 86400000 };
static struct cache *cache;
static struct arena arena;
static struct http_req req;
static struct cache_key key;

static int begin(void **state)
{
	struct cache_settings settings = { .bytes_max = 8 * MIB };

	began_ms = (int64_t)clock_mono_ms();
	cache = cache_new(&settings);
	arena_init(&arena, 8192);
	return 0;
}

static int end(void **state)
{
	/* It says itself if a byte is missing. */
	cache = cache_free(cache);
	arena_done(&arena);
	return 0;
}

/* GET http://a.test/NUMBER */
static void ask(unsigned number)
{
	struct span target;

	arena_reset(&arena);
	target = arena_spanf(&arena, "/%u", number);
	req = (struct http_req){ .method = HTTP_GET, .host = SPAN("a.test"), .target = target, .path = target };
	cache_key_make(&key, &site, false, req.host, target, &arena);
}

static enum cache_verdict look(unsigned number, int64_t now_ms)
{
	struct cache_found found;

	ask(number);
	cache_find(cache, &key, &req, now_ms, &found);
	cache_found_done(&found);
	return found.verdict;
}

static bool is_fresh(unsigned number)
{
	return look(number, NOW) == CACHE_FRESH;
}

/* The leader's whole part; field and value: of the answer besides Cache-Control. */
static void fill(unsigned number, size_t bytes, enum http_field_id id, struct span value)
{
	struct http_resp resp = { .status = 200, .body = HTTP_BODY_LENGTH, .content_length = bytes };
	char *body = mem_zalloc(1, bytes + 1);
	struct cache_found found;

	ask(number);
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	if (id)
		http_fields_add(&resp.fields, &arena, id, value);
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_LEAD);
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW, NOW), CACHE_STORE);
	assert_int_equal(cache_fill_body(found.fill, span_make(body, bytes)), 0);
	cache_fill_end(found.fill, NULL);
	cache_found_done(&found);
	mem_free(body);
}

static void store(unsigned number, size_t bytes)
{
	fill(number, bytes, HTTP_OTHER, SPAN(""));
}

static struct cache_numbers numbers(void)
{
	struct cache_numbers n;

	cache_numbers(cache, &n);
	return n;
}

static uint64_t purge(enum cache_purge_kind kind, const char *what, bool hard)
{
	return cache_purge(cache, kind, span_of(what), NULL, hard, NOW);
}

static void sweep_all(int64_t now_ms)
{
	for (unsigned i = 0; i < 256; i++)
		cache_sweep(cache, now_ms);
}

/* ---- memory ---- */

static void test_counted_to_the_byte(void **state)
{
	uint64_t before = numbers().bytes;
	struct mallinfo2 heap = mallinfo2(), later;

	for (unsigned i = 0; i < 2000; i++)
		store(i, 3000);
	later = mallinfo2();
	assert_int_equal(numbers().objects, 2000);
	/* Nothing that belongs to an object is left out; what the test's own arena takes is
	 * small. */
	if (OWN_ALLOCATOR)
		assert_in_range(numbers().bytes - before, later.uordblks - heap.uordblks - 32768,
			later.uordblks - heap.uordblks + 32768);
	assert_int_equal(purge(CACHE_PURGE_ALL, "", true), 2000);
	sweep_all(NOW);
	assert_int_equal(numbers().objects, 0);
	/* But for the purge point of the site, which stays. */
	assert_in_range(numbers().bytes, before, before + 256);
}

static void test_the_bound_holds(void **state)
{
	for (unsigned i = 0; i < 20000; i++) {
		store(i, 1000 + i % 1000);
		assert_true(numbers().bytes <= 8 * MIB);
	}
	assert_true(numbers().evicted > 10000 && numbers().objects > 2500);
	cache_resize(cache, MIB, 0);
	assert_true(numbers().bytes <= MIB);
}

static void test_what_is_asked_for_stays(void **state)
{
	unsigned kept = 0;

	/* A hundred favourites, and a crawler that passes by once. */
	for (unsigned i = 0; i < 100; i++)
		store(i, 2000);
	for (unsigned i = 0; i < 20000; i++) {
		store(1000 + i, 2000);
		if (i % 5 == 0)
			is_fresh(i / 5 % 100);
	}
	for (unsigned i = 0; i < 100; i++)
		kept += is_fresh(i);
	assert_in_range(kept, 95, 100);
}

static void test_an_object_too_large(void **state)
{
	struct http_resp resp = { .status = 200, .body = HTTP_BODY_LENGTH, .content_length = 2 * MIB };
	struct cache_found found;

	ask(1);
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW, NOW), CACHE_RELEASE);
	cache_found_done(&found);
	assert_int_equal(numbers().objects, 0);
}

/* ---- lifetimes ---- */

static void test_life_and_grace(void **state)
{
	store(1, 10);
	assert_int_equal(look(1, NOW + 599000), CACHE_FRESH);
	assert_int_equal(look(1, NOW + 601000), CACHE_LEAD);
	/* It stays as long as it may be served stale, and not longer. */
	sweep_all(NOW + 600000 + 86000000);
	assert_int_equal(numbers().objects, 1);
	sweep_all(NOW + 600000 + 87000000);
	assert_int_equal(numbers().objects, 0);
}

static void test_hit_for_miss(void **state)
{
	struct http_resp private = { .status = 200, .body = HTTP_BODY_LENGTH };
	struct cache_found found, other;

	ask(1);
	http_fields_add(&private.fields, &arena, HTTP_CACHE_CONTROL, SPAN("private"));
	cache_find(cache, &key, &req, NOW, &found);
	cache_find(cache, &key, &req, NOW, &other);
	assert_true(found.verdict == CACHE_LEAD && !found.uncacheable && other.verdict == CACHE_FOLLOW);
	cache_found_done(&other);
	assert_int_equal(cache_fill_head(found.fill, &req, &private, NOW, NOW, NOW), CACHE_RELEASE);
	cache_found_done(&found);
	/* From now on nobody waits for anybody … */
	cache_find(cache, &key, &req, (int64_t)clock_mono_ms(), &found);
	cache_find(cache, &key, &req, (int64_t)clock_mono_ms(), &other);
	assert_true(
		found.verdict == CACHE_LEAD && found.uncacheable && other.verdict == CACHE_LEAD && other.uncacheable);
	cache_found_done(&found);
	cache_found_done(&other);
	assert_int_equal(numbers().markers, 1);
	/* … for two minutes, or until an answer can be shared. */
	cache_find(cache, &key, &req, (int64_t)clock_mono_ms() + 121000, &found);
	assert_true(found.verdict == CACHE_LEAD && !found.uncacheable);
	cache_found_done(&found);
	store(1, 10);
	assert_int_equal(numbers().markers, 0);
	assert_true(is_fresh(1));
}

/* ---- purges ---- */

static void test_purges_touch_no_object(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		fill(i, 100, HTTP_CACHE_TAG, i % 10 ? SPAN("shop") : SPAN("shop, news"));
	assert_int_equal(purge(CACHE_PURGE_TAG, "news", true), 100);
	/* Out of reach at once, freed later. */
	assert_int_equal(numbers().objects, 1000);
	assert_false(is_fresh(0));
	assert_true(is_fresh(1));
	assert_int_equal(purge(CACHE_PURGE_TAG, "news", true), 0);
	sweep_all(NOW);
	assert_int_equal(numbers().objects, 900);
	assert_int_equal(purge(CACHE_PURGE_DOMAIN, "a.test", false), 900);
	assert_int_equal(look(1, NOW), CACHE_LEAD);
	assert_int_equal(purge(CACHE_PURGE_ALL, "", true), 900);
	sweep_all(NOW);
	assert_int_equal(numbers().objects, 0);
}

static void test_a_purge_wins_over_a_fill(void **state)
{
	struct http_resp resp = { .status = 200, .body = HTTP_BODY_LENGTH };
	struct cache_found found;

	ask(1);
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	cache_find(cache, &key, &req, NOW, &found);
	cache_fill_head(found.fill, &req, &resp, NOW, NOW, NOW);
	purge(CACHE_PURGE_DOMAIN, "a.test", true);
	cache_fill_end(found.fill, NULL);
	cache_found_done(&found);
	assert_false(is_fresh(1));
}

static void test_names_of_tags_are_forgotten(void **state)
{
	uint64_t before;

	store(0, 100);
	before = numbers().bytes;
	/* Two points each: of the site's tag, and of the tag everywhere. */
	for (unsigned i = 1; i <= 3000; i++) {
		char tag[32];

		snprintf(tag, sizeof(tag), "a-tag-of-its-own-%u", i);
		fill(i, 100, HTTP_CACHE_TAG, span_of(tag));
	}
	assert_int_equal(purge(CACHE_PURGE_ALL, "", true), 3001);
	sweep_all(NOW);
	sweep_all(NOW + 2 * 3600 * 1000LL);
	assert_true(numbers().bytes <= before + 64 * 1024);
}

/* One that was led alone, beside those that nobody may follow any more, and what came after it. */
static void test_a_purge_by_url_finds_every_fill(void **state)
{
	struct http_resp private = { .status = 200, .body = HTTP_BODY_LENGTH }, resp = private;
	struct cache_found first, alone, later;

	ask(1);
	http_fields_add(&private.fields, &arena, HTTP_CACHE_CONTROL, SPAN("private"));
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	cache_find(cache, &key, &req, NOW, &first);
	cache_fill_head(first.fill, &req, &private, NOW, NOW, NOW);
	cache_found_done(&first);
	cache_find(cache, &key, &req, NOW, &alone);
	assert_true(alone.verdict == CACHE_LEAD && alone.uncacheable);
	assert_int_equal(cache_fill_head(alone.fill, &req, &resp, NOW, NOW, NOW), CACHE_STORE);
	purge(CACHE_PURGE_URL, "http://a.test/1", true);
	cache_find(cache, &key, &req, NOW, &later);
	assert_int_equal(later.verdict, CACHE_LEAD);
	assert_int_equal(cache_fill_head(later.fill, &req, &resp, NOW, NOW, NOW), CACHE_STORE);
	cache_fill_end(later.fill, NULL);
	assert_true(is_fresh(1));
	/* It comes late, and takes nothing away. */
	cache_fill_end(alone.fill, NULL);
	assert_true(is_fresh(1));
	cache_found_done(&alone);
	cache_found_done(&later);
}

/* ---- spellings ---- */

static void ask_target(const char *target)
{
	arena_reset(&arena);
	req = (struct http_req){ .method = HTTP_GET, .host = SPAN("a.test"), .target = span_of(target) };
	req.path = req.target;
	cache_key_make(&key, &site, false, req.host, req.target, &arena);
}

static enum cache_verdict find_target(const char *target)
{
	struct cache_found found;

	ask_target(target);
	cache_find(cache, &key, &req, NOW, &found);
	cache_found_done(&found);
	return found.verdict;
}

/* The rest of the leader's part; what cache_fill_head() said. */
static enum cache_decision answer_with(struct cache_found *found, struct http_resp *resp, size_t bytes)
{
	char *body = mem_zalloc(1, bytes + 1);
	enum cache_decision decision;

	resp->body = HTTP_BODY_LENGTH;
	resp->content_length = bytes;
	decision = cache_fill_head(found->fill, &req, resp, NOW, NOW, NOW);
	if (decision == CACHE_STORE) {
		struct cache_obj *reader = cache_fill_obj(found->fill);

		/* Where it does not fit, it streams, and nobody reads. */
		if (cache_fill_body(found->fill, span_make(body, bytes)) == 0)
			cache_fill_end(found->fill, NULL);
		cache_obj_unref(reader);
	}
	cache_found_done(found);
	mem_free(body);
	return decision;
}

static enum cache_decision store_as_asked(void)
{
	struct http_resp resp = { .status = 200 };
	struct cache_found found;

	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_LEAD);
	return answer_with(&found, &resp, 10);
}

static void store_target(const char *target)
{
	ask_target(target);
	assert_int_equal(store_as_asked(), CACHE_STORE);
}

static void test_a_purge_finds_all_spellings(void **state)
{
	static const char *const spellings[] = { "/%C3%BC/~a", "/%c3%bc/~a", "/%c3%BC/%7Ea", "/x/../%C3%BC/%7ea",
		"/\xc3\xbc/~a", "/./%C3%BC/./~a", "/%c3%bc/%7e%61" };

	for (size_t i = 0; i < array_len(spellings); i++) {
		for (size_t k = 0; k < array_len(spellings); k++)
			store_target(spellings[k]);
		store_target("/%C3%BC/~b");
		assert_int_equal(purge(CACHE_PURGE_URL, arena_spanf(&arena, "http://A.Test:80%s", spellings[i]).p,
					 true),
			array_len(spellings));
		assert_int_equal(find_target("/%C3%BC/~b"), CACHE_FRESH);
		for (size_t k = 0; k < array_len(spellings); k++)
			store_target(spellings[k]);
		assert_int_equal(purge(CACHE_PURGE_PREFIX, "//a.test/%c3%bc/", true), array_len(spellings) + 1);
	}
	/* What is reserved is no spelling of anything else. */
	store_target("/a%2Fb");
	assert_int_equal(purge(CACHE_PURGE_URL, "http://a.test/a/b", true), 0);
	assert_int_equal(purge(CACHE_PURGE_URL, "http://a.test/a%2fb", true), 1);
	store_target("/.well-known/x");
	assert_int_equal(purge(CACHE_PURGE_PREFIX, "//a.test/.", true), 1);
	store_target("/q?a=%7e");
	assert_int_equal(purge(CACHE_PURGE_URL, "http://a.test/q?a=~", true), 1);
}

static void test_spellings_are_bounded(void **state)
{
	char target[64];

	for (unsigned i = 0; i < 100; i++) {
		size_t n = 1;

		target[0] = '/';
		for (unsigned bit = 0; bit < 7; bit++)
			n += (size_t)snprintf(target + n, sizeof(target) - n, "%s", i >> bit & 1 ? "%62" : "b");
		store_target(target);
	}
	assert_in_range(numbers().objects, 2, 16);
	assert_int_equal(find_target(target), CACHE_FRESH);
}

static void test_the_nearest(void **state)
{
	struct buf near = BUF_INIT(1024);

	store_target("/shop/shoes");
	store_target("/shop/shirts");
	cache_nearest(cache, CACHE_PURGE_URL, SPAN("http://a.test/shop/shoe"), NULL, &near);
	assert_string_equal(buf_text(&near), "http://a.test/shop/shoes");
	near.n = 0;
	cache_nearest(cache, CACHE_PURGE_PREFIX, SPAN("//a.test/shop/shir/"), NULL, &near);
	assert_string_equal(buf_text(&near), "//a.test/shop/shirts");
	near.n = 0;
	cache_nearest(cache, CACHE_PURGE_DOMAIN, SPAN("a.tset"), NULL, &near);
	assert_string_equal(buf_text(&near), "a.test");
	near.n = 0;
	cache_nearest(cache, CACHE_PURGE_TAG, SPAN("news"), NULL, &near);
	assert_int_equal(near.n, 0);
	buf_done(&near);
}

/* ---- whose page it is ---- */

static void test_a_host_that_moves_takes_no_pages_along(void **state)
{
	struct domain other = { .name = SPAN("b.test"), .grace_ms = 86400000 };
	struct cache_found found;

	store_target("/p");
	cache_key_make(&key, &other, false, req.host, req.target, &arena);
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_LEAD);
	assert_null(found.obj);
	cache_found_done(&found);
	/* Nor does one wait for the other's fetch. */
	ask_target("/q");
	cache_find(cache, &key, &req, NOW, &found);
	key.site = &other;
	{
		struct cache_found second;

		cache_find(cache, &key, &req, NOW, &second);
		assert_int_equal(second.verdict, CACHE_LEAD);
		cache_found_done(&second);
	}
	cache_found_done(&found);
}

static void test_pages_of_other_origins_are_stale(void **state)
{
	struct domain moved = site;
	struct http_fields conditions = { 0 };
	struct cache_found found;

	moved.origin_hash = 1;
	store_target("/p");
	cache_key_make(&key, &moved, false, req.host, req.target, &arena);
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_LEAD);
	assert_true(found.obj && cache_stale_usable(found.obj, &moved, &req, NOW));
	/* The new one is not asked about what it did not send. */
	cache_fill_conditions(found.fill, &conditions, &arena);
	assert_int_equal(conditions.n, 0);
	cache_found_done(&found);
}

/* ---- variants ---- */

static void ask_variant(const char *name, struct span value)
{
	ask_target("/v");
	http_fields_add_name(&req.fields, &arena, span_of(name), value);
}

static enum cache_decision store_variant(const char *vary)
{
	struct http_resp resp = { .status = 200 };
	struct cache_found found;

	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	http_fields_add(&resp.fields, &arena, HTTP_VARY, span_of(vary));
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_LEAD);
	return answer_with(&found, &resp, 10);
}

static void test_variants_are_bounded(void **state)
{
	struct cache_found found;
	char value[32];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(value, sizeof(value), "%u", i);
		ask_variant("X-V", span_of(value));
		assert_int_equal(store_variant("X-V"), CACHE_STORE);
	}
	assert_in_range(numbers().objects, 2, 64);
	ask_variant("X-V", SPAN("199"));
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(found.verdict, CACHE_FRESH);
	cache_found_done(&found);
	/* In many ways: the newest few stay. */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(value, sizeof(value), "X-%u", i);
		ask_variant(value, SPAN("1"));
		assert_int_equal(store_variant(value), CACHE_STORE);
	}
	assert_in_range(numbers().objects, 2, 4);
}

/* A visitor with 60 KB in a field that selects is served past the cache. */
static void test_what_selects_is_bounded(void **state)
{
	char *large = mem_zalloc(1, 60000);
	struct cache_found found;

	memset(large, 'x', 60000);
	ask_variant("X-V", SPAN("1"));
	store_variant("X-V");
	ask_variant("X-V", span_make(large, 60000));
	cache_find(cache, &key, &req, NOW, &found);
	assert_true(found.verdict == CACHE_PASS && !found.fill);
	cache_found_done(&found);
	mem_free(large);
}

/* ---- who asks ---- */

static void test_small_questions_stay_small(void **state)
{
	struct cache_found found;

	ask_target("/h");
	req.method = HTTP_HEAD;
	cache_find(cache, &key, &req, NOW, &found);
	assert_true(found.verdict == CACHE_PASS && !found.fill);
	cache_found_done(&found);
	for (unsigned i = 0; i < 3; i++) {
		struct http_resp part = { .status = 206 };

		ask_target("/r");
		http_fields_add(&req.fields, &arena, HTTP_RANGE, SPAN("bytes=0-0"));
		cache_find(cache, &key, &req, NOW, &found);
		assert_int_equal(found.verdict, CACHE_LEAD);
		/* The third time the whole is fetched. */
		assert_int_equal(found.uncacheable, i < 2);
		assert_int_equal(answer_with(&found, &part, 1), CACHE_RELEASE);
	}
}

static void test_a_fill_for_nobody_ends(void **state)
{
	static char piece[300 * 1024];
	struct http_resp resp = { .status = 200, .body = HTTP_BODY_LENGTH, .content_length = 900 * 1024 };
	struct cache_found found;
	struct cache_obj *reader;

	ask_target("/large");
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW, NOW), CACHE_STORE);
	reader = cache_fill_obj(found.fill);
	assert_int_equal(cache_fill_body(found.fill, span_make(piece, sizeof(piece))), 0);
	cache_obj_unref(reader);
	assert_int_equal(cache_fill_body(found.fill, span_make(piece, sizeof(piece))), -EPIPE);
	cache_found_done(&found);
	/* Nearly done, it goes on. */
	resp.content_length = 400 * 1024;
	cache_find(cache, &key, &req, NOW, &found);
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW, NOW), CACHE_STORE);
	reader = cache_fill_obj(found.fill);
	assert_int_equal(cache_fill_body(found.fill, span_make(piece, sizeof(piece))), 0);
	cache_obj_unref(reader);
	assert_int_equal(cache_fill_body(found.fill, span_make(piece, 100 * 1024)), 0);
	cache_fill_end(found.fill, NULL);
	cache_found_done(&found);
	assert_int_equal(find_target("/large"), CACHE_FRESH);
}

/* Those who wait longer than the patience: one more is sent, then another, four at most. */
static void test_one_at_a_time_asks_again(void **state)
{
	struct cache_found asks[4], found;
	int64_t at = NOW;

	ask_target("/slow");
	for (unsigned i = 0; i < 4; i++, at += 5000) {
		cache_find(cache, &key, &req, at, &asks[i]);
		assert_int_equal(asks[i].verdict, CACHE_LEAD);
		for (unsigned k = 0; k < 3; k++) {
			cache_find(cache, &key, &req, at + 4999, &found);
			assert_true(found.verdict == CACHE_FOLLOW && found.fill == asks[i].fill);
			cache_found_done(&found);
		}
	}
	cache_find(cache, &key, &req, at + 60000, &found);
	assert_int_equal(found.verdict, CACHE_FOLLOW);
	cache_found_done(&found);
	for (unsigned i = 0; i < 4; i++)
		cache_found_done(&asks[i]);
}

/* ---- shares ---- */

static void store_for(struct domain *d, unsigned number, size_t bytes, struct span tags)
{
	struct http_resp resp = { .status = 200 };
	struct cache_found found;

	arena_reset(&arena);
	req = (struct http_req){ .method = HTTP_GET, .host = d->name, .target = arena_spanf(&arena, "/%u", number) };
	req.path = req.target;
	cache_key_make(&key, d, false, req.host, req.target, &arena);
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=600"));
	if (tags.n > 0)
		http_fields_add(&resp.fields, &arena, HTTP_CACHE_TAG, tags);
	cache_find(cache, &key, &req, NOW, &found);
	answer_with(&found, &resp, bytes);
}

static uint64_t objects_of(const struct domain *d)
{
	struct cache_numbers n;

	cache_site_numbers(cache, d->name, &n);
	return n.objects;
}

static void test_a_site_keeps_to_its_share(void **state)
{
	struct domain small = { .name = SPAN("small.test") }, greedy = { .name = SPAN("greedy.test") };
	_cleanup_(buf_done) struct buf tags = BUF_INIT(65536);

	for (unsigned i = 0; i < 500; i++)
		store_for(&small, i, 4000, SPAN(""));
	for (unsigned i = 0; i < 2000; i++) {
		tags.n = 0;
		for (unsigned k = 0; k < 250; k++)
			buf_addf(&tags, "a-tag-of-one-page-only-%u-%u,", i, k);
		store_for(&greedy, i, 20000, i % 2 ? buf_span(&tags) : SPAN(""));
		assert_true(numbers().bytes <= 8 * MIB + 8 * MIB / 8);
	}
	assert_int_equal(objects_of(&small), 500);
	assert_true(objects_of(&greedy) > 10);
	/* Tags that could not all be purged by: not kept. */
	buf_addf(&tags, "1,2,3,4,5,6,7");
	store_for(&small, 1000, 10, buf_span(&tags));
	assert_int_equal(objects_of(&small), 500);
}

/* What is being sent stays, and counts; what does not fit beside it is not kept. */
static void test_what_is_being_sent_is_not_taken_out(void **state)
{
	struct cache_obj *sent[64];
	struct cache_found found;
	unsigned n = 0;

	for (unsigned i = 0; i < 64; i++) {
		store_for(&site, i, 500000, SPAN(""));
		cache_find(cache, &key, &req, NOW, &found);
		if (found.verdict == CACHE_FRESH)
			sent[n++] = cache_obj_ref(found.obj);
		cache_found_done(&found);
		assert_true(numbers().bytes <= 8 * MIB + 2 * MIB);
	}
	assert_in_range(n, 10, 24);
	while (n > 0)
		cache_obj_unref(sent[--n]);
	store_for(&site, 100, 500000, SPAN(""));
	assert_true(numbers().bytes <= 8 * MIB + 8 * MIB / 16);
}

static void test_what_can_be_validated_stays_without_grace(void **state)
{
	struct domain d = { .name = SPAN("none.test") };
	struct http_resp resp = { .status = 200 };
	struct http_fields conditions = { 0 };
	struct cache_found found;

	arena_reset(&arena);
	req = (struct http_req){ .method = HTTP_GET, .host = d.name, .target = SPAN("/"), .path = SPAN("/") };
	cache_key_make(&key, &d, false, req.host, req.target, &arena);
	http_fields_add(&resp.fields, &arena, HTTP_CACHE_CONTROL, SPAN("max-age=1"));
	http_fields_add(&resp.fields, &arena, HTTP_ETAG, SPAN("\"1\""));
	cache_find(cache, &key, &req, NOW, &found);
	answer_with(&found, &resp, 10);
	sweep_all(NOW + 5000);
	cache_find(cache, &key, &req, NOW + 5000, &found);
	assert_true(found.obj && !cache_stale_usable(found.obj, &d, &req, NOW + 5000));
	cache_fill_conditions(found.fill, &conditions, &arena);
	assert_int_equal(conditions.n, 1);
	cache_found_done(&found);
	sweep_all(NOW + 25 * 3600000LL);
	assert_int_equal(numbers().objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counted_to_the_byte, begin, end),
		cmocka_unit_test_setup_teardown(test_the_bound_holds, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_asked_for_stays, begin, end),
		cmocka_unit_test_setup_teardown(test_an_object_too_large, begin, end),
		cmocka_unit_test_setup_teardown(test_life_and_grace, begin, end),
		cmocka_unit_test_setup_teardown(test_hit_for_miss, begin, end),
		cmocka_unit_test_setup_teardown(test_purges_touch_no_object, begin, end),
		cmocka_unit_test_setup_teardown(test_a_purge_wins_over_a_fill, begin, end),
		cmocka_unit_test_setup_teardown(test_names_of_tags_are_forgotten, begin, end),
		cmocka_unit_test_setup_teardown(test_a_purge_by_url_finds_every_fill, begin, end),
		cmocka_unit_test_setup_teardown(test_a_purge_finds_all_spellings, begin, end),
		cmocka_unit_test_setup_teardown(test_spellings_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_the_nearest, begin, end),
		cmocka_unit_test_setup_teardown(test_a_host_that_moves_takes_no_pages_along, begin, end),
		cmocka_unit_test_setup_teardown(test_pages_of_other_origins_are_stale, begin, end),
		cmocka_unit_test_setup_teardown(test_variants_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_what_selects_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_small_questions_stay_small, begin, end),
		cmocka_unit_test_setup_teardown(test_a_fill_for_nobody_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_one_at_a_time_asks_again, begin, end),
		cmocka_unit_test_setup_teardown(test_a_site_keeps_to_its_share, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_being_sent_is_not_taken_out, begin, end),
		cmocka_unit_test_setup_teardown(test_what_can_be_validated_stays_without_grace, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
