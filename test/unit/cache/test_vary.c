/* Which requests get the same variant. */
#include "cache_unit.h"

static struct arena arena;

static int begin(void **state)
{
	arena_init(&arena, 65536);
	return 0;
}

static int end(void **state)
{
	arena_done(&arena);
	return 0;
}

static bool same(const char *vary, const char *one, const char *other)
{
	struct http_req a = get_of("/", one, &arena), b = get_of("/", other, &arena);

	return span_eq(vary_text(span_of(vary), &a, &arena), vary_text(span_of(vary), &b, &arena));
}

static void test_values(void **state)
{
	assert_true(same("Accept", "Accept: text/html", "accept: text/html"));
	assert_true(same("Accept", "Accept: a,  b", "Accept: a, b"));
	assert_true(same("Accept", "Accept: a|Accept: b", "Accept: a, b"));
	assert_true(same("Accept", "Accept: a|X: 1", "Accept: a|X: 2"));
	assert_false(same("Accept", "Accept: a", "Accept: b"));
	assert_false(same("Accept", "Accept: ", ""));
	assert_false(same("X-One, X-Two", "X-One: 1", "X-Two: 1"));
	assert_false(same("x-one", "X-One: 1", "X-One: 2"));
}

static void test_codings(void **state)
{
	assert_true(same("Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: br;q=0.5 , gzip"));
	assert_true(same("Accept-Encoding", "Accept-Encoding: gzip, zstd;q=0.0", "Accept-Encoding: GZIP, identity"));
	assert_true(same("Accept-Encoding", "Accept-Encoding: gzip, gzip", "Accept-Encoding: gzip"));
	assert_false(same("Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: br"));
	assert_false(same("Accept-Encoding", "Accept-Encoding: x-gzip", "Accept-Encoding: identity"));
}

/* What the client writes there, the origin does not hear. */
static void test_fields_that_are_ours(void **state)
{
	assert_true(same("X-Forwarded-Host", "X-Forwarded-Host: a", "X-Forwarded-Host: b"));
	assert_true(same("CF-Connecting-IP", "CF-Connecting-IP: a", "CF-Connecting-IP: b"));
}

static void test_bounds(void **state)
{
	static char field[9000] = "Cookie: ", names[600];
	struct http_req req;

	assert_true(vary_is_bounded(SPAN("Accept, Accept-Encoding, Cookie")));
	assert_false(vary_is_bounded(SPAN("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")));
	memset(names, 'a', sizeof(names));
	assert_false(vary_is_bounded(span_make(names, sizeof(names))));
	memset(field + 8, 'x', 8500);
	req = get_of("/", field, &arena);
	assert_null(vary_text(SPAN("Cookie"), &req, &arena).p);
	assert_non_null(vary_text(SPAN("Accept"), &req, &arena).p);
	field[4000] = 0;
	req = get_of("/", field, &arena);
	assert_non_null(vary_text(SPAN("Cookie"), &req, &arena).p);
	/* All of them together. */
	assert_null(vary_text(SPAN("Cookie, Cookie, Cookie"), &req, &arena).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, begin, end),
		cmocka_unit_test_setup_teardown(test_codings, begin, end),
		cmocka_unit_test_setup_teardown(test_fields_that_are_ours, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
