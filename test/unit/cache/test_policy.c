/* May it be stored, for how long, and when may it be served stale: RFC 9111 as a table. */
#include "cache_unit.h"

#define NOW  1700000000000LL /* Tue, 14 Nov 2023 22:13:20 GMT */
#define NONE (-1)

static struct domain site = { .name = { "a.test", 6 } };
static struct arena arena;

static int begin(void **state)
{
	arena_init(&arena, 16384);
	site.preset = PRESET_STANDARD;
	return 0;
}

static int end(void **state)
{
	arena_done(&arena);
	return 0;
}

static struct cache_policy judge_request(const struct http_req *req, unsigned status, const char *answer)
{
	struct cache_policy policy;
	struct http_fields fields;

	fields_of(answer, &arena, &fields);
	policy_of_response(&site, req, status, &fields, NOW, &arena, &policy);
	return policy;
}

static struct cache_policy judge(const char *asked, unsigned status, const char *answer)
{
	struct http_req req = get_of("/p", asked, &arena);

	return judge_request(&req, status, answer);
}

static void expect(const char *asked, unsigned status, const char *answer, int64_t lifetime_s)
{
	struct cache_policy p = judge(asked, status, answer);

	if (p.storable == (lifetime_s >= 0) && (!p.storable || p.lifetime_ms == lifetime_s * 1000))
		return;
	print_error("%s -> %u %s: stored %d, for %lld ms\n", asked, status, answer, p.storable,
		(long long)p.lifetime_ms);
	fail();
}

static void test_lifetimes(void **state)
{
	expect("", 200, "Cache-Control: max-age=60", 60);
	expect("", 200, "Cache-Control: max-age=0, s-maxage=60", 60);
	expect("", 200, "Expires: Tue, 14 Nov 2023 22:14:20 GMT", 60);
	expect("", 200, "Expires: Tue, 14 Nov 2023 22:14:20 GMT|Cache-Control: max-age=5", 5);
	expect("", 200, "Expires: 0", 0);
	/* A tenth of the time since the last change, at most a day. */
	expect("", 200, "Last-Modified: Tue, 14 Nov 2023 22:03:20 GMT", 60);
	expect("", 200, "Last-Modified: Tue, 14 Nov 2000 22:03:20 GMT", 86400);
	expect("", 302, "Last-Modified: Tue, 14 Nov 2023 22:03:20 GMT", NONE);
	expect("", 200, "", 0);
	expect("", 206, "Cache-Control: max-age=60", NONE);
}

static void test_what_forbids_storing(void **state)
{
	expect("", 200, "Cache-Control: max-age=60, no-store", NONE);
	expect("", 200, "Cache-Control: max-age=60, private", NONE);
	expect("Cache-Control: no-store", 200, "Cache-Control: max-age=60", NONE);
	expect("Authorization: Basic eDp5", 200, "Cache-Control: max-age=60", NONE);
	expect("Authorization: Basic eDp5", 200, "Cache-Control: max-age=60, public", 60);
	expect("", 200, "Cache-Control: max-age=60|Set-Cookie: a=b", NONE);
	expect("", 200, "Cache-Control: max-age=60, public|Set-Cookie: a=b", 60);
	expect("", 200, "Cache-Control: max-age=60|Vary: *", NONE);
	expect("", 200, "Cache-Control: max-age=60|Vary: Accept, X-Forwarded-For", NONE);
	expect("", 200, "Cache-Control: max-age=60|Vary: Accept", 60);
}

/* Its own fields would take the page from everybody. */
static void test_what_a_visitor_can_provoke(void **state)
{
	static const unsigned never[] = { 400, 401, 402, 403, 406, 407, 408, 409, 411, 412, 413, 415, 416, 417, 421,
		422, 423, 424, 425, 426, 428, 429, 431, 505 };
	static const unsigned of_the_page[] = { 404, 405, 410, 414, 451, 418, 500, 501, 503 };

	for (size_t i = 0; i < array_len(never); i++) {
		struct cache_policy p =
			judge("", never[i], "Cache-Control: public, max-age=60|CDN-Cache-Control: max-age=60");

		if (p.storable || p.leave_marker || !p.about_request)
			print_error("%u\n", never[i]);
		assert_true(!p.storable && !p.leave_marker && p.about_request);
	}
	for (size_t i = 0; i < array_len(of_the_page); i++)
		expect("", of_the_page[i], "Cache-Control: max-age=60", 60);
	expect("Accept: text/html|User-Agent: x|Sec-Fetch-Mode: navigate|Cookie: a=b", 500, "Cache-Control: max-age=60",
		60);
	expect("X-Odd: 1", 500, "Cache-Control: max-age=60", NONE);
	expect("X-Odd: 1", 404, "Cache-Control: max-age=60", 60);
}

static void test_without_the_origins_word_only_the_anonymous(void **state)
{
	static const char modified[] = "Last-Modified: Tue, 14 Nov 2023 22:03:20 GMT";
	static const char css[] = "Content-Type: text/css";

	expect("Cookie: PHPSESSID=1", 200, modified, NONE);
	expect("Cookie: _ga=GA1.2; _fbp=x", 200, modified, 60);
	expect("X-Api-Key: 1", 200, modified, NONE);
	expect("Cookie: PHPSESSID=1", 200, "Cache-Control: max-age=60", 60);
	site.preset = PRESET_STATIC;
	expect("Cookie: PHPSESSID=1", 200, css, NONE);
	expect("Cookie: _ga=GA1.2", 200, css, 3600);
	expect("Authorization: Bearer x", 200, "Content-Type: text/css|Cache-Control: public", NONE);
	site.preset = PRESET_WORDPRESS;
	expect("Cookie: sid=1; _ga=1", 200, css, NONE);
	expect("", 200, css, 3600);
	expect("", 200, "Content-Type: text/html", 600);
	expect("", 200, "Content-Type: text/html|Cache-Control: max-age=360000", 36000);
}

/* A path that looks like a file in one reading of it, and a page that says nothing of freshness. */
static void test_disguises(void **state)
{
	static const char *const paths[] = { "/account/x.css", "/account/x.CSS", "/account/x%2ecss", "/account/x.cs%73",
		"/account/x%252ecss", "/account;x.css", "/account%00.css", "/account/..%2fx.css", "/account\\x.css" };

	site.preset = PRESET_STATIC;
	for (size_t i = 0; i < array_len(paths); i++) {
		struct http_req req = get_of(paths[i], "", &arena);

		assert_false(judge_request(&req, 200, "Content-Type: text/html").storable);
		assert_true(judge_request(&req, 200, "Content-Type: text/css").storable);
		assert_true(judge_request(&req, 200, "Content-Type: text/html|Cache-Control: max-age=9").storable);
	}
}

static void test_targeted_fields(void **state)
{
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age=60", 60);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: no-store", NONE);
	/* Of the wrong type, or no dictionary: as if it were not there. */
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age=\"60\"", NONE);
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age=60.5", NONE);
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age", NONE);
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age=?1", NONE);
	expect("", 200, "Cache-Control: no-store|CDN-Cache-Control: max-age=-60", NONE);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: no-store=1", 60);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: private=token", 60);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: max-age=7, &&&", 60);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: ", 60);
	expect("", 200, "Cache-Control: max-age=60|CDN-Cache-Control: max-age=7, frob=tok, other=\"x\"", 7);
}

static void test_stale_windows(void **state)
{
	struct cache_policy p = judge("", 200, "Cache-Control: max-age=1, stale-while-revalidate=5, stale-if-error=9");

	assert_true(p.stale_while_ms == 5000 && p.stale_error_ms == 9000 && !p.never_stale && !p.no_grace);
	assert_true(judge("", 200, "Cache-Control: max-age=1, must-revalidate").never_stale);
	assert_true(judge("", 200, "Cache-Control: max-age=1, proxy-revalidate").never_stale);
	assert_true(judge("", 200, "Cache-Control: s-maxage=1").no_grace);
	assert_true(judge("", 200, "Cache-Control: no-cache").always_validate);
	assert_false(judge("", 200, "Cache-Control: no-cache=\"X-A\", max-age=5").always_validate);
	/* What may not answer anybody else now is not given to those who wait. */
	assert_false(judge("", 200, "").shareable);
	assert_false(judge("", 200, "Cache-Control: no-cache").shareable);
	assert_true(judge("", 200, "Cache-Control: max-age=1").shareable);
}

static int64_t age_s(const char *fields)
{
	struct http_fields f;

	fields_of(fields, &arena, &f);
	return (NOW - policy_born_ms(&f, NOW - 2000, NOW)) / 1000;
}

static void test_age(void **state)
{
	assert_int_equal(age_s(""), 2);
	assert_int_equal(age_s("Age: 100"), 102);
	assert_int_equal(age_s("Age: 99999999999999999999"), SECONDS_MAX + 2LL);
	assert_int_equal(age_s("Date: Tue, 14 Nov 2023 22:11:40 GMT"), 100);
	assert_int_equal(age_s("Age: abc"), 2);
	/* Several: the greatest; with one that is no number, old. */
	assert_int_equal(age_s("Age: 100, 0"), 102);
	assert_int_equal(age_s("Age: 0, 100"), 102);
	assert_int_equal(age_s("Age: 0|Age: 100"), 102);
	assert_int_equal(age_s("Age: old, 0"), SECONDS_MAX + 2LL);
	assert_int_equal(age_s("Age: 0|Age: x"), SECONDS_MAX + 2LL);
}

static void test_requests(void **state)
{
	struct http_req req = get_of("/", "Pragma: no-cache", &arena);
	struct http_cache_control asked;

	policy_of_request(&req, &asked);
	assert_true(asked.no_cache);
	req = get_of("/", "Pragma: no-cache|Cache-Control: max-age=5", &arena);
	policy_of_request(&req, &asked);
	assert_true(!asked.no_cache && asked.max_age == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lifetimes, begin, end),
		cmocka_unit_test_setup_teardown(test_what_forbids_storing, begin, end),
		cmocka_unit_test_setup_teardown(test_what_a_visitor_can_provoke, begin, end),
		cmocka_unit_test_setup_teardown(test_without_the_origins_word_only_the_anonymous, begin, end),
		cmocka_unit_test_setup_teardown(test_disguises, begin, end),
		cmocka_unit_test_setup_teardown(test_targeted_fields, begin, end),
		cmocka_unit_test_setup_teardown(test_stale_windows, begin, end),
		cmocka_unit_test_setup_teardown(test_age, begin, end),
		cmocka_unit_test_setup_teardown(test_requests, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
