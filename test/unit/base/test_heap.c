/* Heaps and lists: the order of timers under random changes; links that stay whole. */
#include "../unit.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"

#define NODES 300

/* Every node is where it says, and none is before its parent. */
static void assert_is_heap(const struct heap *h, const struct heap_node nodes[NODES])
{
	size_t count = 0;

	for (size_t i = 0; i < NODES; i++)
		if (nodes[i].place) {
			assert_ptr_equal(h->v[nodes[i].place - 1], &nodes[i]);
			count++;
		}
	assert_int_equal(count, h->count);
	for (size_t place = 2; place <= h->count; place++)
		assert_true(h->v[place / 2 - 1]->key <= h->v[place - 1]->key);
}

static void test_random_changes(void **state)
{
	static struct heap_node nodes[NODES];
	_cleanup_(heap_done) struct heap h;

	heap_init(&h);
	assert_null(heap_first(&h));
	for (int step = 0; step < 5000; step++) {
		struct heap_node *node = &nodes[rand_below(NODES)];

		if (rand_below(3) == 0)
			heap_remove(&h, node);
		else
			heap_move(&h, node, rand_below(1000));
		assert_is_heap(&h, nodes);
	}
}

static void test_comes_out_sorted(void **state)
{
	static struct heap_node nodes[NODES];
	_cleanup_(heap_done) struct heap h;
	uint64_t before = 0;

	heap_init(&h);
	for (size_t i = 0; i < NODES; i++)
		heap_add(&h, &nodes[i], i % 7 ? rand_fast() : UINT64_MAX);
	for (size_t i = 0; i < NODES; i++) {
		struct heap_node *first = heap_first(&h);

		assert_true(first->key >= before);
		before = first->key;
		heap_remove(&h, first);
		heap_remove(&h, first); /* twice: nothing */
		assert_int_equal(first->place, 0);
	}
	assert_null(heap_first(&h));
}

static void test_done_lets_nodes_go(void **state)
{
	struct heap_node node = { 0 };
	struct heap h;

	heap_init(&h);
	heap_add(&h, &node, 1);
	heap_done(&h);
	assert_int_equal(node.place, 0);
	heap_remove(&h, &node);
	heap_done(NULL);
}

struct item {
	int number;
	struct list link;
};

static void test_lists(void **state)
{
	struct item items[4];
	struct list head;
	int seen = 0;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_pop(&head));
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_push_back(&head, &items[i].link);
	}
	list_remove(&items[0].link);
	list_remove(&items[0].link);
	list_push_front(&head, &items[0].link);
	list_each (it, &head)
		assert_int_equal(container_of(it, struct item, link)->number, seen++);
	assert_int_equal(seen, 4);
	list_each_safe (it, &head)
		if (container_of(it, struct item, link)->number % 2)
			list_remove(it);
	assert_ptr_equal(list_pop(&head), &items[0].link);
	assert_ptr_equal(list_pop(&head), &items[2].link);
	assert_null(list_pop(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_comes_out_sorted),
		cmocka_unit_test(test_done_lets_nodes_go),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
