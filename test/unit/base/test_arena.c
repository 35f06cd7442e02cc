/* Arenas: alignment, sizes around the chunk's, reuse after a reset. */
#include "../unit.h"
#include "base/arena.h"
#include "base/mem.h"

static void test_sizes_and_alignment(void **state)
{
	_cleanup_(arena_done) struct arena a;
	size_t total = 0;

	arena_init(&a, 1024);
	for (size_t n = 0; n < 3000; n += 7) {
		char *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % ARENA_ALIGN, 0);
		memset(p, 0xa5, n);
		total += n;
	}
	assert_true(a.used >= total);
}

/* Every byte handed out is its owner's alone, across chunks and large pieces. */
static void test_nothing_overlaps(void **state)
{
	_cleanup_(arena_done) struct arena a;
	unsigned char *p[200];

	arena_init(&a, 512);
	for (size_t i = 0; i < array_len(p); i++) {
		p[i] = arena_alloc(&a, i * 3 + 1);
		memset(p[i], (int)i, i * 3 + 1);
	}
	for (size_t i = 0; i < array_len(p); i++)
		for (size_t at = 0; at < i * 3 + 1; at++)
			assert_int_equal(p[i][at], i & 0xff);
}

static void test_large_piece_leaves_the_chunk_in_use(void **state)
{
	_cleanup_(arena_done) struct arena a;
	char *first, *second;

	arena_init(&a, 4096);
	first = arena_alloc(&a, 16);
	memset(arena_alloc(&a, 100000), 1, 100000);
	second = arena_alloc(&a, 16);
	assert_ptr_equal(second, first + 16);
	/* What would fit into a new chunk but is large leaves the rest of this one in use, too. */
	memset(arena_alloc(&a, 3000), 1, 3000);
	memset(arena_alloc(&a, 2000), 1, 2000);
	assert_ptr_equal(arena_alloc(&a, 16), second + 16 + 3008);
}

static void test_nothing_takes_no_chunk(void **state)
{
	struct arena a;
	char *first, *second;

	arena_init(&a, 4096);
	first = arena_alloc(&a, 1);
	second = arena_array(&a, char, 0);
	assert_ptr_equal(second, first + ARENA_ALIGN);
	assert_ptr_equal(arena_alloc(&a, 1), second + ARENA_ALIGN);
	arena_done(&a);
}

static void test_reset_keeps_one_chunk(void **state)
{
	_cleanup_(arena_done) struct arena a;
	struct arena_chunk *kept;

	arena_init(&a, 1024);
	arena_reset(&a); /* of nothing */
	for (int i = 0; i < 100; i++)
		memset(arena_alloc(&a, 200), 1, 200);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	kept = a.chunks;
	assert_non_null(kept);
	for (int turn = 0; turn < 10; turn++) {
		memset(arena_alloc(&a, 200), 1, 200);
		assert_ptr_equal(a.chunks, kept);
		arena_reset(&a);
	}
}

static void test_reset_gives_a_large_first_chunk_back(void **state)
{
	_cleanup_(arena_done) struct arena a;

	arena_init(&a, 1024);
	arena_alloc(&a, 1 << 20);
	arena_reset(&a);
	assert_null(a.chunks);
	assert_non_null(arena_alloc(&a, 1));
}

static void test_texts(void **state)
{
	_cleanup_(arena_done) struct arena a;
	struct span copy;
	int *numbers;

	arena_init(&a, 1024);
	copy = arena_span(&a, SPAN("host\0name"));
	assert_int_equal(copy.n, 9);
	assert_memory_equal(copy.p, "host\0name", 10);
	assert_string_equal(arena_text(&a, (struct span){ NULL, 0 }), "");
	assert_span(arena_spanf(&a, "%s:%d", "example.de", 443), "example.de:443");
	numbers = arena_array(&a, int, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(numbers[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_and_alignment),
		cmocka_unit_test(test_nothing_overlaps),
		cmocka_unit_test(test_large_piece_leaves_the_chunk_in_use),
		cmocka_unit_test(test_nothing_takes_no_chunk),
		cmocka_unit_test(test_reset_keeps_one_chunk),
		cmocka_unit_test(test_reset_gives_a_large_first_chunk_back),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
