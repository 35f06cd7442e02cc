/*
 * struct heap: an intrusive binary min-heap of uint64_t keys; the timers' order.
 * A node knows its place, so that removal is O(log n) without a search.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;
	size_t place; /* 1-based; 0: in no heap */
};
struct heap {
	struct heap_node **v;
	size_t count, room;
};

void heap_init(struct heap *h);
void heap_done(struct heap *h);
void heap_add(struct heap *h, struct heap_node *node, uint64_t key);
void heap_remove(struct heap *h, struct heap_node *node);             /* in no heap: nothing */
void heap_move(struct heap *h, struct heap_node *node, uint64_t key); /* adds if absent */
struct heap_node *heap_first(const struct heap *h);                   /* NULL if empty */
