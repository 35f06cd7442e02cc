/*
 * struct span: borrowed text.
 *
 * A span points at n bytes that somebody else owns; it need not end in NUL and may hold
 * any byte. Spans are passed and returned by value. The empty span may have p == NULL.
 * Comparisons that ignore case do so for ASCII letters only, whatever the locale: host
 * names, field names and verbs are ASCII.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

/* A span over a string literal. */
#define SPAN(lit) ((struct span){ (lit), sizeof(lit) - 1 })
/* For printf: "%.*s", SPAN_ARG(s). */
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}
static inline struct span span_make(const void *p, size_t n)
{
	return (struct span){ p, n };
}
static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}
bool span_eq_nocase(struct span a, struct span b);
bool span_starts_nocase(struct span s, struct span prefix);
static inline bool span_ends(struct span s, struct span suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}
/* <0, 0, >0 like memcmp, a shorter prefix first. */
int span_cmp(struct span a, struct span b);
/* Index of the first c, or -1. */
static inline ptrdiff_t span_index(struct span s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}
/* Index of the first occurrence of needle, or -1. */
ptrdiff_t span_find(struct span s, struct span needle);
/* Everything from byte at on, or at most n bytes of it; clamped to s. */
static inline struct span span_sub(struct span s, size_t at, size_t n)
{
	if (at > s.n)
		at = s.n;
	if (n > s.n - at)
		n = s.n - at;
	return (struct span){ at ? s.p + at : s.p, n };
}
static inline struct span span_from(struct span s, size_t at)
{
	return span_sub(s, at, s.n);
}
/* Without spaces and tabs at both ends. */
struct span span_trim(struct span s);
/* Takes what stands before the next sep off *rest (all of it if there is none).
 * Returns false once *rest is exhausted (rest->p == NULL marks that). */
bool span_cut(struct span *rest, char sep, struct span *ret_piece);
/* The length (1-4) of the well-formed UTF-8 character that s begins with; 0 if there is none. */
size_t span_utf8(struct span s);
/* Decimal digits only, whole span, no sign. 0, or -EINVAL (empty, other bytes), -ERANGE. */
int span_to_u64(struct span s, uint64_t *ret);
/* Hexadecimal digits only, whole span. 0, -EINVAL, -ERANGE. */
int span_to_hex_u64(struct span s, uint64_t *ret);
/* The n bytes that 2n hexadecimal digits spell. 0 or -EINVAL, ret then undefined. */
int span_from_hex(struct span s, void *ret, size_t n);
/* A NUL-terminated copy (mem_free() it). For borders to libc and libraries only. */
char *span_text(struct span s);
/* A keyed 64-bit hash (the key is random per process: input cannot choose collisions). */
uint64_t span_hash(struct span s, uint64_t seed);
/* The same hash over the ASCII-lowercased bytes. */
uint64_t span_hash_nocase(struct span s, uint64_t seed);

/* ASCII whatever the locale, unlike <ctype.h>; any char will do. */
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}
