/*
 * struct map: text -> pointer, open addressing, keys borrowed from the values' owner.
 *
 * Keys compare byte for byte (lower-case them first where case does not count). Lookups
 * are safe from many threads as long as nobody changes the map: published maps
 * (snapshots) are immutable.
 */
#pragma once
#include "base/span.h"

struct map_slot;
struct map {
	struct map_slot *slots;
	size_t count, room;
};

void map_init(struct map *m);
void map_done(struct map *m); /* frees the table, not the values */
/* Sets key to value (never NULL); the old value, or NULL. key must outlive the entry. */
void *map_put(struct map *m, struct span key, void *value);
void *map_find(const struct map *m, struct span key); /* NULL if absent */
void *map_remove(struct map *m, struct span key);     /* the value, or NULL */
/* For all entries in no particular order: size_t at = 0; while (map_next(m, &at, &k, &v)) */
bool map_next(const struct map *m, size_t *at, struct span *ret_key, void **ret_value);
size_t map_bytes(const struct map *m); /* memory of the table itself */
