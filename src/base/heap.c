/* A binary heap in an array; v[place - 1] is the node whose place that is. */
#include "base/heap.h"
#include "base/mem.h"

#define ROOM_FIRST 16

void heap_init(struct heap *h)
{
	*h = (struct heap){ 0 };
}

void heap_done(struct heap *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->count; i++)
		h->v[i]->place = 0;
	mem_free(h->v);
	heap_init(h);
}

static void put(struct heap *h, size_t place, struct heap_node *node)
{
	h->v[place - 1] = node;
	node->place = place;
}

/* Moves node, for which there is a gap at place, to where it belongs. */
static void rise(struct heap *h, size_t place, struct heap_node *node)
{
	while (place > 1 && h->v[place / 2 - 1]->key > node->key) {
		put(h, place, h->v[place / 2 - 1]);
		place /= 2;
	}
	put(h, place, node);
}

static void sink(struct heap *h, size_t place, struct heap_node *node)
{
	for (;;) {
		size_t child = place * 2;

		if (child < h->count && h->v[child]->key < h->v[child - 1]->key)
			child++;
		if (child > h->count || h->v[child - 1]->key >= node->key)
			break;
		put(h, place, h->v[child - 1]);
		place = child;
	}
	put(h, place, node);
}

static void settle(struct heap *h, size_t place, struct heap_node *node)
{
	if (place > 1 && h->v[place / 2 - 1]->key > node->key)
		rise(h, place, node);
	else
		sink(h, place, node);
}

void heap_add(struct heap *h, struct heap_node *node, uint64_t key)
{
	must(node->place == 0);
	if (h->count == h->room) {
		h->room = h->room ? h->room * 2 : ROOM_FIRST;
		h->v = mem_resize(h->v, h->room, sizeof(*h->v));
	}
	node->key = key;
	rise(h, ++h->count, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	size_t place = node->place;
	struct heap_node *last;

	if (place == 0)
		return;
	must(place <= h->count && h->v[place - 1] == node);
	node->place = 0;
	last = h->v[--h->count];
	if (last != node)
		settle(h, place, last);
}

void heap_move(struct heap *h, struct heap_node *node, uint64_t key)
{
	if (node->place == 0) {
		heap_add(h, node, key);
		return;
	}
	node->key = key;
	settle(h, node->place, node);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->count ? h->v[0] : NULL;
}
