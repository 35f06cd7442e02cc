/* What is stored, counted, evicted and purged: the cache without a network around it. */
#include <malloc.h>
#include "../unit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/cache.h"

#define NOW 1700000000000LL
#define MIB (1024u * 1024u)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0 /* mallinfo2() knows nothing of the sanitizer's */
#else
#define OWN_ALLOCATOR 1
#endif

static struct domain site = { .name = { "a.test", 6 }, .grace_ms = 86400000 };
static struct cache *cache;
static struct arena arena;
static struct http_req req;
static struct cache_key key;

static int begin(void **state)
{
	struct cache_settings settings = { .bytes_max = 8 * MIB };

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
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW), CACHE_STORE);
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
	cache_resize(cache, MIB);
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
	assert_int_equal(cache_fill_head(found.fill, &req, &resp, NOW, NOW), CACHE_RELEASE);
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
	assert_true(found.verdict == CACHE_LEAD && !found.solo && other.verdict == CACHE_FOLLOW);
	cache_found_done(&other);
	assert_int_equal(cache_fill_head(found.fill, &req, &private, NOW, NOW), CACHE_RELEASE);
	cache_found_done(&found);
	/* From now on nobody waits for anybody … */
	cache_find(cache, &key, &req, clock_wall_ms(), &found);
	cache_find(cache, &key, &req, clock_wall_ms(), &other);
	assert_true(found.verdict == CACHE_LEAD && found.solo && other.verdict == CACHE_LEAD && other.solo);
	cache_found_done(&found);
	cache_found_done(&other);
	assert_int_equal(numbers().markers, 1);
	/* … for two minutes, or until an answer can be shared. */
	cache_find(cache, &key, &req, clock_wall_ms() + 121000, &found);
	assert_true(found.verdict == CACHE_LEAD && !found.solo);
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
	cache_fill_head(found.fill, &req, &resp, NOW, NOW);
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
	cache_fill_head(first.fill, &req, &private, NOW, NOW);
	cache_found_done(&first);
	cache_find(cache, &key, &req, NOW, &alone);
	assert_true(alone.verdict == CACHE_LEAD && alone.solo);
	assert_int_equal(cache_fill_head(alone.fill, &req, &resp, NOW, NOW), CACHE_STORE);
	purge(CACHE_PURGE_URL, "http://a.test/1", true);
	cache_find(cache, &key, &req, NOW, &later);
	assert_int_equal(later.verdict, CACHE_LEAD);
	assert_int_equal(cache_fill_head(later.fill, &req, &resp, NOW, NOW), CACHE_STORE);
	cache_fill_end(later.fill, NULL);
	assert_true(is_fresh(1));
	/* It comes late, and takes nothing away. */
	cache_fill_end(alone.fill, NULL);
	assert_true(is_fresh(1));
	cache_found_done(&alone);
	cache_found_done(&later);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
