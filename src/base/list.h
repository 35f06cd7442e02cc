/* An intrusive, circular, doubly linked list: the head is a node that holds nothing. */
#pragma once
#include <stdbool.h>
#include "base/mem.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
/* Before the head's first, after the head's last. */
static inline void list_insert(struct list *prev, struct list *next, struct list *node)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}
static inline void list_push_front(struct list *head, struct list *node)
{
	list_insert(head, head->next, node);
}
static inline void list_push_back(struct list *head, struct list *node)
{
	list_insert(head->prev, head, node);
}
/* Leaves node initialised, so removing twice is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}
/* The first node taken off, or NULL. */
static inline struct list *list_pop(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}
/* All nodes, in their order, to *ret; head is empty then. */
static inline void list_take(struct list *head, struct list *ret)
{
	list_init(ret);
	if (list_empty(head))
		return;
	list_insert(head->prev, head, ret);
	list_remove(head);
}
#define list_each(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)
/* it may be removed in the body. */
#define list_each_safe(it, head) \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)
