/*
 * Memory that cannot fail, and scoped cleanup.
 *
 * Out of memory ends the process (the supervisor starts a new worker): no caller
 * checks for NULL. What protects against running out is that every buffer, table and
 * count that input can grow has a stated maximum. Bare malloc() is banned outside base/.
 */
#pragma once
#include <stddef.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* n bytes, uninitialised. Free with mem_free(). */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* count * size bytes, zeroed; a product that overflows ends the process. */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Grows or shrinks p (may be NULL) to count * size bytes. */
void *mem_resize(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
/* A copy of count * size bytes at p (may be NULL if there are none); never empty. */
void *mem_copy(const void *p, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* A copy of the NUL-terminated text s. */
char *mem_text(const char *s) __attribute__((malloc, returns_nonnull));
/* A formatted text of its own. */
char *mem_textf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
/* Frees p (NULL is fine); always NULL, so that `x = mem_free(x)` leaves nothing behind. */
void *mem_free(void *p);
/* For _cleanup_(mem_freep) on a `T *` variable. */
void mem_freep(void *pp);

#define mem_new(type) ((type *)mem_zalloc(1, sizeof(type)))

/* An invariant of ours, never a judgement on input; stays in release builds. */
#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))
_Noreturn void must_failed(const char *cond, const char *file, int line);

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define array_len(a)                    (sizeof(a) / sizeof((a)[0]))
