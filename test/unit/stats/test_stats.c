/* Counters: sums over threads, sites by name, the JSON form. */
#include "unit.h"
#include <pthread.h>
#include "stats/stats.h"

static void *count(void *arg)
{
	for (unsigned i = 0; i < 10000; i++) {
		stat_add(STAT_REQUESTS, 1);
		site_stat_add(site_stats_get(SPAN("example.de")), SITE_HITS, 1);
	}
	return NULL;
}

static void threads_add_up_also_after_their_end(void **state)
{
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	stat_add(STAT_REQUESTS, 5);
	assert_int_equal(stat_read(STAT_REQUESTS), 40005);
	assert_int_equal(stat_read(STAT_HITS), 0);
	assert_int_equal(site_stats_get(SPAN("example.de"))->v[SITE_HITS], 40000);
}

static void sites_are_told_apart(void **state)
{
	struct site_stats *a = site_stats_get(SPAN("a.example"));

	assert_ptr_equal(site_stats_get(SPAN("a.example")), a);
	assert_ptr_not_equal(site_stats_get(SPAN("b.example")), a);
}

static void json_has_all_names(void **state)
{
	struct buf out = BUF_INIT(1 << 16);
	struct jsonw j;

	site_stat_add(site_stats_get(SPAN("json.example")), SITE_STALE, 7);
	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	stats_json(&j);
	jsonw_end(&j);
	assert_int_equal(buf_error(&out), 0);
	assert_non_null(strstr(buf_text(&out), "\"json.example\":{\"requests\":0,\"hits\":0,\"stale\":7,"));
	for (enum stat_id s = 0; s < STAT_COUNT; s++)
		assert_true(span_find(buf_span(&out), span_of(stat_name(s))) > 0);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_add_up_also_after_their_end),
		cmocka_unit_test(sites_are_told_apart),
		cmocka_unit_test(json_has_all_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
