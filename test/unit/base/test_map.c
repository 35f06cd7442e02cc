/* Maps: against a plain array as the model, with many removals; immutable reads. */
#include "../unit.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"

#define KEYS 500 /* at most */

static void test_empty(void **state)
{
	_cleanup_(map_done) struct map m;
	struct span key;
	void *value;
	size_t at = 0;

	map_init(&m);
	assert_null(map_find(&m, SPAN("a")));
	assert_null(map_remove(&m, SPAN("a")));
	assert_false(map_next(&m, &at, &key, &value));
	assert_int_equal(map_bytes(&m), 0);
}

static void test_put_find_remove(void **state)
{
	_cleanup_(map_done) struct map m;
	int one, two;

	map_init(&m);
	assert_null(map_put(&m, SPAN("a"), &one));
	assert_ptr_equal(map_put(&m, SPAN("a"), &two), &one);
	assert_int_equal(m.count, 1);
	assert_ptr_equal(map_find(&m, SPAN("a")), &two);
	assert_null(map_find(&m, SPAN("A")));
	assert_null(map_put(&m, SPAN(""), &one));
	assert_ptr_equal(map_find(&m, (struct span){ NULL, 0 }), &one);
	assert_ptr_equal(map_remove(&m, SPAN("a")), &two);
	assert_null(map_find(&m, SPAN("a")));
	assert_int_equal(m.count, 1);
}

static void test_replacing_takes_the_new_key(void **state)
{
	_cleanup_(map_done) struct map m;
	char *old = mem_text("key");
	int one, two;

	map_init(&m);
	map_put(&m, span_of(old), &one);
	map_put(&m, SPAN("key"), &two);
	mem_free(old);
	assert_ptr_equal(map_find(&m, SPAN("key")), &two);
}

static void assert_same(const struct map *m, size_t keys_used, char keys[KEYS][16], void *const model[KEYS])
{
	size_t count = 0, seen = 0, at = 0;
	struct span key;
	void *value;

	for (size_t i = 0; i < keys_used; i++) {
		assert_ptr_equal(map_find(m, span_of(keys[i])), model[i]);
		count += model[i] != NULL;
	}
	assert_int_equal(m->count, count);
	while (map_next(m, &at, &key, &value)) {
		size_t i = (size_t)((void **)value - model);

		assert_true(i < keys_used && model[i] == value);
		assert_span(key, keys[i]);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void change_at_random(size_t keys_used)
{
	static char keys[KEYS][16];
	void *model[KEYS] = { 0 };
	_cleanup_(map_done) struct map m;

	map_init(&m);
	for (size_t i = 0; i < keys_used; i++)
		snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
	for (int step = 0; step < 20000; step++) {
		size_t i = rand_below(keys_used);

		if (rand_below(2)) {
			assert_ptr_equal(map_put(&m, span_of(keys[i]), &model[i]), model[i]);
			model[i] = &model[i];
		} else {
			assert_ptr_equal(map_remove(&m, span_of(keys[i])), model[i]);
			model[i] = NULL;
		}
		if (step % 500 < 20)
			assert_same(&m, keys_used, keys, model);
	}
	assert_same(&m, keys_used, keys, model);
	/* Removal leaves no tombstones, so the table has not grown past what it once held. */
	assert_in_range(m.room, 1, 4 * keys_used);
}

/* Many keys, and so few that runs of them often wrap around the table's end. */
static void test_against_a_model(void **state)
{
	change_at_random(KEYS);
	change_at_random(12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_put_find_remove),
		cmocka_unit_test(test_replacing_takes_the_new_key),
		cmocka_unit_test(test_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
