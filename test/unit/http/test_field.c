/* Field names, lists of fields, what is stripped on the way. */
#include "../unit.h"
#include "base/mem.h"
#include "http/http.h"

static struct arena arena;

static int setup(void **state)
{
	arena_init(&arena, 1024);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

static void add(struct http_fields *f, const char *name, const char *value)
{
	http_fields_add_name(f, &arena, span_of(name), span_of(value));
}

static void test_every_known_name_has_its_id(void **state)
{
	for (unsigned id = 1; id < HTTP_FIELD_COUNT; id++) {
		struct span name = http_field_name(id);
		char other[64];

		assert_int_equal(http_field_id_of(name), id);
		for (size_t i = 0; i < name.n; i++)
			other[i] = i % 2 ? ascii_lower(name.p[i]) : (char)(name.p[i] & ~0x20);
		if (!memchr(name.p, '-', name.n))
			assert_int_equal(http_field_id_of(span_make(other, name.n)), id);
		for (size_t i = 0; i < name.n; i++)
			other[i] = ascii_lower(name.p[i]);
		assert_int_equal(http_field_id_of(span_make(other, name.n)), id);
		other[name.n - 1] = '~';
		assert_int_equal(http_field_id_of(span_make(other, name.n)), HTTP_OTHER);
	}
}

static void test_unknown_names(void **state)
{
	static const char *const names[] = { "", "X", "Hos", "Hostt", "Content\rLength", "X-Custom", "Sec-Fetch-Mode",
		"content_length", "DNT" };

	for (size_t i = 0; i < array_len(names); i++)
		assert_int_equal(http_field_id_of(span_of(names[i])), HTTP_OTHER);
}

static void test_find_and_join(void **state)
{
	struct http_fields f = { 0 };

	assert_null(http_fields_find(&f, HTTP_VARY));
	assert_null(http_fields_joined(&f, HTTP_VARY, &arena).p);
	add(&f, "vary", "Accept");
	add(&f, "X-One", "1");
	assert_span(http_fields_joined(&f, HTTP_VARY, &arena), "Accept");
	add(&f, "VARY", "");
	add(&f, "Vary", "Cookie");
	assert_int_equal(http_fields_count(&f, HTTP_VARY), 3);
	assert_span(http_fields_value(&f, HTTP_VARY), "Accept");
	assert_span(http_fields_joined(&f, HTTP_VARY, &arena), "Accept, , Cookie");
	assert_span(http_fields_find_name(&f, SPAN("x-one"))->value, "1");
	assert_span(http_fields_find_name(&f, SPAN("vARY"))->value, "Accept");
	assert_null(http_fields_find_name(&f, SPAN("X-Two")));
	http_fields_remove(&f, HTTP_VARY);
	assert_int_equal(f.n, 1);
	assert_span(f.v[0].name, "X-One");
}

static void test_lists_grow_and_keep_order(void **state)
{
	struct http_fields f = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		http_fields_add_name(&f, &arena, arena_spanf(&arena, "N%u", i), SPAN("v"));
	assert_int_equal(f.n, 1000);
	assert_span(f.v[0].name, "N0");
	assert_span(f.v[999].name, "N999");
}

static void test_hop_by_hop_goes_with_what_connection_names(void **state)
{
	struct http_fields f = { 0 };

	add(&f, "X-Before", "named below");
	add(&f, "Keep-Alive", "timeout=5");
	add(&f, "connection", "close, x-BEFORE");
	add(&f, "Cookie", "kept though named");
	add(&f, "Connection", "X-After, , cookie, Host, content-length, authorization, ETag");
	add(&f, "X-After", "named above");
	add(&f, "ETag", "known and named");
	add(&f, "Upgrade", "websocket");
	add(&f, "Proxy-Connection", "keep-alive");
	add(&f, "TE", "trailers");
	add(&f, "Content-Length", "5");
	add(&f, "Authorization", "x");
	add(&f, "X-Stays", "1");
	http_fields_strip_hop(&f);
	assert_int_equal(f.n, 4);
	assert_span(f.v[0].name, "Cookie");
	assert_span(f.v[1].name, "Content-Length");
	assert_span(f.v[2].name, "Authorization");
	assert_span(f.v[3].name, "X-Stays");
}

static void test_strip_without_connection(void **state)
{
	struct http_fields f = { 0 };

	http_fields_strip_hop(&f);
	assert_int_equal(f.n, 0);
	add(&f, "Accept", "*/*");
	add(&f, "Transfer-Encoding", "chunked");
	http_fields_strip_hop(&f);
	assert_int_equal(f.n, 1);
}

static void test_methods_and_reasons(void **state)
{
	assert_true(http_method_safe(HTTP_GET) && http_method_safe(HTTP_OPTIONS));
	assert_false(http_method_safe(HTTP_POST) || http_method_safe(HTTP_METHOD_OTHER));
	assert_true(http_method_idempotent(HTTP_PUT) && http_method_idempotent(HTTP_HEAD));
	assert_false(http_method_idempotent(HTTP_POST) || http_method_idempotent(HTTP_PATCH));
	assert_string_equal(http_reason(200), "OK");
	assert_string_equal(http_reason(103), "Early Hints");
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(451), "Unavailable For Legal Reasons");
	for (unsigned status = 0; status < 1200; status++)
		assert_non_null(http_reason(status));
}

static bool claims(const char *name)
{
	struct http_field f = { .name = span_of(name), .id = (uint8_t)http_field_id_of(span_of(name)) };

	return http_field_claims(&f);
}

/* Nobody but us says where a request came from, in no vendor's words and no spelling. */
static void test_claims(void **state)
{
	static const char *const ours[] = { "X-Forwarded-For", "X_Forwarded_For", "x.forwarded.for",
		"X-Forwarded-Anything", "Forwarded", "Forwarded-For", "True-Client-IP", "true_client_ip",
		"True.Client!IP", "CF-Connecting-IP", "CF_Connecting+IP", "Fastly-Client-IP", "X-Originating-IP",
		"X-Cluster-Client-IP", "X-ProxyUser-Ip", "X-Azure-ClientIP", "Some-New-Vendor-IP", "WL-Proxy-Client-IP",
		"X-Original-URL", "X-Remote-User", "Front-End-Https", "Proxy", "pRoXy", "Accept_Language",
		"X-HTTP-Method_Override", "X-Forwarded-For-And-A-Name-That-Is-Longer-Than-What-Is-Compared-Of-It" };
	static const char *const theirs[] = { "Accept-Language", "Cookie", "Authorization", "X-Requested-With",
		"X-Api-Key", "X-Client-Version", "Zip", "X-Trip", "IP", "Sec-Fetch-Site", "X-Wap-Profile", "X-WP-Nonce",
		"Save-Data" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (!claims(ours[i]))
			print_error("%s\n", ours[i]);
		assert_true(claims(ours[i]));
	}
	for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++)
		assert_false(claims(theirs[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_known_name_has_its_id),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test_setup_teardown(test_find_and_join, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists_grow_and_keep_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hop_by_hop_goes_with_what_connection_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strip_without_connection, setup, teardown),
		cmocka_unit_test(test_methods_and_reasons),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
