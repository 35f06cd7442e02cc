/* What the presets add: who and what passes by, what a page's address leaves out. */
#include "cache_unit.h"

static struct domain site = { .name = { "a.test", 6 } };
static struct arena arena;

static int begin(void **state)
{
	arena_init(&arena, 8192);
	return 0;
}

static int end(void **state)
{
	arena_done(&arena);
	return 0;
}

static bool passes_by(const char *target, const char *fields)
{
	struct http_req req = get_of(target, fields, &arena);

	site.preset = PRESET_WORDPRESS;
	return preset_bypass(&site, &req);
}

static void test_private_paths(void **state)
{
	static const char *const private[] = { "/wp-admin/", "/wp-login.php", "/wp-login.php?x", "/blog/wp-admin/x.php",
		"/xmlrpc.php", "/cart", "/checkout/pay", "/my-account", "/mein-konto/", "//my-account", "/My-Account",
		"/my%2daccount", "/my%252daccount", "/x/..%2fmy-account", "/x/../my-account", "/./my-account",
		"/my-account;x=1", "/my-account%2f", "/my-account%00", "/my-account%20", "\\my-account",
		"/my-account%3fa", "/wp-login.php%0a", "/wp-admin;a/x" };
	static const char *const open[] = { "/", "/cartoons", "/cart-wheel", "/my-accounts", "/checkout.html",
		"/wp-content/a.css", "/wp-login.php5" };

	for (size_t i = 0; i < array_len(private); i++) {
		if (!passes_by(private[i], ""))
			print_error("%s\n", private[i]);
		assert_true(passes_by(private[i], ""));
	}
	for (size_t i = 0; i < array_len(open); i++)
		assert_false(passes_by(open[i], ""));
}

static void test_cookies_of_wordpress(void **state)
{
	assert_true(passes_by("/", "Cookie: a=1; wordpress_logged_in_ab=x"));
	assert_true(passes_by("/", "Cookie: wordpress_0123abcd=x"));
	assert_true(passes_by("/", "Cookie: wp_woocommerce_session_1=x"));
	assert_true(passes_by("/", "Cookie: a=1|Cookie: comment_author_1=x"));
	assert_false(passes_by("/", "Cookie: wordpress_test_cookie=x"));
	assert_false(passes_by("/", "Cookie: _ga=x"));
}

static void test_methods(void **state)
{
	struct http_req req = get_of("/", "", &arena);

	site.preset = PRESET_STANDARD;
	assert_null(preset_bypass(&site, &req));
	req.method = HTTP_POST;
	assert_string_equal(preset_bypass(&site, &req), "method");
	req = get_of("/", "", &arena);
	req.has_body = true;
	assert_string_equal(preset_bypass(&site, &req), "bypass");
	req.has_body = false;
	site.preset = PRESET_OFF;
	assert_string_equal(preset_bypass(&site, &req), "bypass");
}

static bool is_anonymous(const char *fields)
{
	struct http_req req = get_of("/", fields, &arena);

	return preset_is_anonymous(&req);
}

static void test_anonymous(void **state)
{
	assert_true(is_anonymous(""));
	assert_true(is_anonymous("Cookie: _ga_X1=1; __utmz=2; CookieConsent=yes"));
	assert_true(is_anonymous("Cookie: "));
	assert_false(is_anonymous("Cookie: _ga=1; session=2"));
	assert_false(is_anonymous("Cookie: _ga=1|Cookie: lang=de"));
	assert_false(is_anonymous("Cookie: token"));
	assert_false(is_anonymous("Authorization: Basic eDp5"));
	assert_false(is_anonymous("X-Auth-Token: 1"));
}

static void test_marketing_parameters(void **state)
{
	static const char *const pairs[][2] = {
		{ "/p?utm_source=a&b=1&fbclid=c", "/p?b=1" },
		{ "/p?gclid=a", "/p" },
		{ "/p?mc_cid=1&mc_eid=2", "/p" },
		/* None of marketing's. */
		{ "/p?mc_id=1&mc_page=2", "/p?mc_id=1&mc_page=2" },
		{ "/p?utm_page=2&hsa_x=1&GCLID=3", "/p?utm_page=2&hsa_x=1&GCLID=3" },
		{ "/p?", "/p?" },
	};

	site.preset = PRESET_STATIC;
	for (size_t i = 0; i < array_len(pairs); i++)
		assert_span(preset_target(&site, span_of(pairs[i][0]), &arena), pairs[i][1]);
	site.preset = PRESET_STANDARD;
	assert_span(preset_target(&site, SPAN("/p?gclid=1"), &arena), "/p?gclid=1");
}

static int64_t lifetime(enum domain_preset preset, const char *target, const char *type)
{
	struct http_req req = get_of(target, "", &arena);
	struct http_fields fields;

	site.preset = preset;
	fields_of(type, &arena, &fields);
	return preset_default_ms(&site, &req, &fields, &arena);
}

static void test_lifetimes(void **state)
{
	assert_int_equal(lifetime(PRESET_STANDARD, "/a", "Content-Type: text/css"), -1);
	assert_int_equal(lifetime(PRESET_STATIC, "/a", "Content-Type: text/html"), 3600000);
	assert_int_equal(lifetime(PRESET_WORDPRESS, "/a", "Content-Type: text/html; charset=utf-8"), 600000);
	assert_int_equal(lifetime(PRESET_WORDPRESS, "/a", "Content-Type: image/png"), 3600000);
	/* An answer to a question gets none; what is not asked is no question. */
	assert_int_equal(lifetime(PRESET_WORDPRESS, "/a?p=1", "Content-Type: image/png"), -1);
	assert_int_equal(lifetime(PRESET_WORDPRESS, "/a?fbclid=1", "Content-Type: image/png"), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_private_paths, begin, end),
		cmocka_unit_test_setup_teardown(test_cookies_of_wordpress, begin, end),
		cmocka_unit_test_setup_teardown(test_methods, begin, end),
		cmocka_unit_test_setup_teardown(test_anonymous, begin, end),
		cmocka_unit_test_setup_teardown(test_marketing_parameters, begin, end),
		cmocka_unit_test_setup_teardown(test_lifetimes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
