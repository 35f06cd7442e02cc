/*
 * struct arena: memory that dies together.
 *
 * One arena per request, message or load; allocations are bumped from chunks and never
 * freed one by one. arena_reset() keeps the first chunk, so an arena that serves many
 * requests on one connection allocates once. An arena belongs to one thread.
 *
 * Under AddressSanitizer what has not been handed out is poisoned, so that running over
 * the end of an allocation is found although malloc() does not see it.
 */
#pragma once
#include "base/span.h"
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define arena_unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define arena_unpoison(p, n) ((void)(p))
#endif

#define ARENA_ALIGN 16

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *at, *end;             /* free bytes of the newest chunk, both aligned */
	size_t used;                /* bytes handed out since the last reset */
	size_t chunk_size;
};

/* chunk_size: bytes taken from malloc at a time; allocations over a quarter of it get a
 * chunk of their own. Nothing is allocated yet. */
void arena_init(struct arena *a, size_t chunk_size);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc_slow(struct arena *a, size_t n); /* arena_alloc() from a new chunk */
/* n bytes aligned for any type, uninitialised; never NULL. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
	char *p = a->at;

	if (n - 1 >= (size_t)(a->end - p)) /* does not fit, or n is 0 */
		return arena_alloc_slow(a, n);
	/* Both ends are aligned, so what fits does so rounded up, too. */
	a->at += (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	a->used += (size_t)(a->at - p);
	arena_unpoison(p, n);
	return p;
}
/* The same, zeroed; a product that overflows ends the process. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* A copy whose bytes live as long as the arena, followed by a NUL. */
struct span arena_span(struct arena *a, struct span s);
char *arena_text(struct arena *a, struct span s);
struct span arena_spanf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define arena_new(a, type)          ((type *)arena_zalloc((a), 1, sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_zalloc((a), (count), sizeof(type)))
