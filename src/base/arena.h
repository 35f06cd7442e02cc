/*
 * struct arena: memory that dies together.
 *
 * One arena per request, message or load; allocations are bumped from chunks and never
 * freed one by one. arena_reset() keeps the first chunk, so an arena that serves many
 * requests on one connection allocates once. An arena belongs to one thread.
 */
#pragma once
#include "base/span.h"

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks;    /* newest first */
	char *at, *end;
	size_t used;                   /* bytes handed out */
	size_t chunk_size;
};

void arena_init(struct arena *a, size_t chunk_size);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);
/* n bytes aligned for any type, uninitialised; never NULL. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_zalloc(struct arena *a, size_t n);
/* A copy whose bytes live as long as the arena, followed by a NUL. */
struct span arena_span(struct arena *a, struct span s);
char *arena_text(struct arena *a, struct span s);
struct span arena_spanf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
#define arena_new(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_zalloc((a), sizeof(type) * (count)))
