/*
 * Memory that dies together: bump allocation from a list of chunks.
 *
 * The newest chunk is the one allocated from. What is large gets a chunk of exactly its
 * size, put behind the newest so that the rest of that one is not lost. arena_reset()
 * keeps one chunk of the ordinary size and gives the others back.
 */
#include "base/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include "base/mem.h"

#ifdef ARENA_POISON
#define arena_poison(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#else
#define arena_poison(p, n) ((void)(p))
#endif

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the bytes behind this header, a multiple of ARENA_ALIGN */
};
_Static_assert(sizeof(struct arena_chunk) % ARENA_ALIGN == 0, "what follows is aligned");

#define CHUNK_SIZE_MIN 256

static size_t aligned(size_t n)
{
	must(n <= SIZE_MAX - ARENA_ALIGN);
	return (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

static char *chunk_bytes(struct arena_chunk *chunk)
{
	return (char *)(chunk + 1);
}

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *chunk;

	must(size <= SIZE_MAX / 2);
	chunk = mem_alloc(sizeof(*chunk) + size);
	chunk->size = size;
	arena_poison(chunk_bytes(chunk), size);
	return chunk;
}

static void chunk_free(struct arena_chunk *chunk)
{
	arena_unpoison(chunk_bytes(chunk), chunk->size);
	mem_free(chunk);
}

void arena_init(struct arena *a, size_t chunk_size)
{
	if (chunk_size < CHUNK_SIZE_MIN)
		chunk_size = CHUNK_SIZE_MIN;
	*a = (struct arena){ .chunk_size = aligned(chunk_size) };
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;

		chunk_free(chunk);
		chunk = next;
	}
}

void arena_done(struct arena *a)
{
	if (!a)
		return;
	free_chunks(a->chunks);
	*a = (struct arena){ .chunk_size = a->chunk_size };
}

static size_t ordinary_size(const struct arena *a)
{
	return a->chunk_size - sizeof(struct arena_chunk);
}

static void start_chunk(struct arena *a, struct arena_chunk *chunk)
{
	a->chunks = chunk;
	a->at = chunk_bytes(chunk);
	a->end = a->at + chunk->size;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk **at = &a->chunks, *keep;

	a->used = 0;
	while (*at && (*at)->size != ordinary_size(a))
		at = &(*at)->next;
	keep = *at;
	if (!keep) {
		arena_done(a);
		return;
	}
	*at = keep->next;
	free_chunks(a->chunks);
	keep->next = NULL;
	arena_poison(chunk_bytes(keep), keep->size);
	start_chunk(a, keep);
}

void *arena_alloc_slow(struct arena *a, size_t n)
{
	size_t size = aligned(n);
	struct arena_chunk *chunk;

	/* Nothing has an address, too, and needs no chunk for it. */
	if (n == 0)
		return arena_alloc(a, 1);
	if (a->chunks && size > ordinary_size(a) / 4) {
		chunk = chunk_new(size);
		chunk->next = a->chunks->next;
		a->chunks->next = chunk;
		a->used += size;
		arena_unpoison(chunk_bytes(chunk), n);
		return chunk_bytes(chunk);
	}
	chunk = chunk_new(size > ordinary_size(a) ? size : ordinary_size(a));
	chunk->next = a->chunks;
	start_chunk(a, chunk);
	return arena_alloc(a, n);
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t n;

	must(!__builtin_mul_overflow(count, size, &n));
	return memset(arena_alloc(a, n), 0, n);
}

char *arena_text(struct arena *a, struct span s)
{
	char *text = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

struct span arena_span(struct arena *a, struct span s)
{
	return (struct span){ arena_text(a, s), s.n };
}

struct span arena_spanf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	must(n >= 0);
	text = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct span){ text, (size_t)n };
}
