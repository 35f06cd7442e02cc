/*
 * Text -> pointer by open addressing: linear probing over a power of two of slots, at
 * most three quarters full. Slots keep their hash, so that probing compares it before
 * the key and growing hashes nothing. Removal moves later entries back instead of leaving
 * tombstones, so a table never gets slower with age.
 */
#include "base/map.h"
#include "base/mem.h"

#define ROOM_FIRST 16

struct map_slot {
	uint64_t hash;
	struct span key;
	void *value; /* NULL: empty */
};

void map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void map_done(struct map *m)
{
	if (!m)
		return;
	mem_free(m->slots);
	map_init(m);
}

/* The key's slot, or the empty one where it belongs. room is not 0. */
static struct map_slot *probe(const struct map *m, struct span key, uint64_t hash)
{
	size_t mask = m->room - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct map_slot *slot = &m->slots[i];

		if (!slot->value || (slot->hash == hash && span_eq(slot->key, key)))
			return slot;
	}
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->room = old.room ? old.room * 2 : ROOM_FIRST;
	m->slots = mem_zalloc(m->room, sizeof(*m->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].value)
			*probe(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	mem_free(old.slots);
}

void *map_put(struct map *m, struct span key, void *value)
{
	uint64_t hash = span_hash(key, 0);
	struct map_slot *slot;
	void *old;

	must(value);
	if (m->count >= m->room / 4 * 3)
		grow(m);
	slot = probe(m, key, hash);
	old = slot->value;
	if (!old)
		m->count++;
	/* The new key, too: the old one may die with the old value. */
	*slot = (struct map_slot){ hash, key, value };
	return old;
}

void *map_find(const struct map *m, struct span key)
{
	if (m->count == 0)
		return NULL;
	return probe(m, key, span_hash(key, 0))->value;
}

/* Fills the hole at i with later entries that may stand there: those whose home is not
 * behind the hole. */
static void close_hole(struct map *m, size_t hole)
{
	size_t mask = m->room - 1;

	for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole].value = NULL;
}

void *map_remove(struct map *m, struct span key)
{
	struct map_slot *slot;
	void *old;

	if (m->count == 0)
		return NULL;
	slot = probe(m, key, span_hash(key, 0));
	old = slot->value;
	if (!old)
		return NULL;
	m->count--;
	close_hole(m, (size_t)(slot - m->slots));
	return old;
}

bool map_next(const struct map *m, size_t *at, struct span *ret_key, void **ret_value)
{
	while (*at < m->room) {
		const struct map_slot *slot = &m->slots[(*at)++];

		if (slot->value) {
			*ret_key = slot->key;
			*ret_value = slot->value;
			return true;
		}
	}
	return false;
}

size_t map_bytes(const struct map *m)
{
	return m->room * sizeof(*m->slots);
}
