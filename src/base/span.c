/*
 * Borrowed text: comparing, cutting, numbers, hashing.
 *
 * The hash is of the wyhash family: eight bytes a step, folded by 64x64->128 bit
 * multiplications. Its constants are public, and with known constants colliding keys can
 * be computed; so here all of them are drawn at random when the process starts. That
 * makes it a keyed hash good enough for hash tables that strangers fill. It is no MAC,
 * and values must not leave the process (they change with every start).
 *
 * Ignoring case works on whole words, too: lower8() lower-cases eight ASCII letters in a
 * few additions. Bytes from 0x80 on stay as they are.
 */
#include "base/span.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"

#define EACH_BYTE(b) (0x0101010101010101ull * (b))

static uint64_t hash_key[4];

__attribute__((constructor)) static void hash_key_init(void)
{
	rand_bytes(hash_key, sizeof(hash_key));
	for (size_t i = 0; i < array_len(hash_key); i++)
		hash_key[i] |= 1;
}

static inline uint64_t load8(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load4(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Adding the distance to 0x80 sets a byte's top bit from 'A', and from 'Z' + 1, on. */
static inline uint64_t lower8(uint64_t v)
{
	uint64_t low = v & EACH_BYTE(0x7f);
	uint64_t from_a = low + EACH_BYTE(0x80 - 'A');
	uint64_t past_z = low + EACH_BYTE(0x7f - 'Z');
	uint64_t upper = (from_a ^ past_z) & ~v & EACH_BYTE(0x80);

	return v | upper >> 2;
}

static bool eq_nocase(const char *a, const char *b, size_t n)
{
	for (; n >= 8; n -= 8, a += 8, b += 8)
		if (lower8(load8(a)) != lower8(load8(b)))
			return false;
	for (; n > 0; n--, a++, b++)
		if (ascii_lower(*a) != ascii_lower(*b))
			return false;
	return true;
}

bool span_eq_nocase(struct span a, struct span b)
{
	return a.n == b.n && eq_nocase(a.p, b.p, a.n);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
	return span_eq_nocase(span_sub(s, 0, prefix.n), prefix);
}

int span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

ptrdiff_t span_find(struct span s, struct span needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? at - s.p : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool span_cut(struct span *rest, char sep, struct span *ret_piece)
{
	ptrdiff_t at;

	if (!rest->p)
		return false;
	at = span_index(*rest, sep);
	if (at < 0) {
		*ret_piece = *rest;
		*rest = (struct span){ NULL, 0 };
	} else {
		*ret_piece = span_sub(*rest, 0, (size_t)at);
		*rest = span_from(*rest, (size_t)at + 1);
	}
	return true;
}

size_t span_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong below */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates above */
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f; /* U+10FFFF is the last */
	if (s.n < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static int digit_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int to_u64(struct span s, int base, uint64_t *ret)
{
	bool over = false;
	uint64_t v = 0;

	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		int digit = digit_value(s.p[i]);

		if (digit >= base)
			return -EINVAL;
		over |= __builtin_mul_overflow(v, (uint64_t)base, &v);
		over |= __builtin_add_overflow(v, (uint64_t)digit, &v);
	}
	if (over)
		return -ERANGE;
	*ret = v;
	return 0;
}

int span_to_u64(struct span s, uint64_t *ret)
{
	return to_u64(s, 10, ret);
}

int span_to_hex_u64(struct span s, uint64_t *ret)
{
	return to_u64(s, 16, ret);
}

int span_from_hex(struct span s, void *ret, size_t n)
{
	uint8_t *bytes = ret;
	uint64_t byte;

	if (s.n != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (span_to_hex_u64(span_sub(s, 2 * i, 2), &byte) < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)byte;
	}
	return 0;
}

char *span_text(struct span s)
{
	char *text = mem_alloc(s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word(uint64_t v, bool nocase)
{
	return nocase ? lower8(v) : v;
}

/* Up to 16 bytes as two words; the reads overlap instead of branching on each length. */
static inline void short_words(const char *p, size_t n, uint64_t *ret_a, uint64_t *ret_b)
{
	if (n >= 4) {
		size_t step = n >> 3 << 2;

		*ret_a = load4(p) << 32 | load4(p + step);
		*ret_b = load4(p + n - 4) << 32 | load4(p + n - 4 - step);
	} else if (n > 0) {
		const unsigned char *u = (const unsigned char *)p;

		*ret_a = (uint64_t)u[0] << 16 | (uint64_t)u[n >> 1] << 8 | u[n - 1];
		*ret_b = 0;
	} else {
		*ret_a = *ret_b = 0;
	}
}

/* nocase is a constant at both calls: two functions come of it, neither branching on it. */
static inline __attribute__((always_inline)) uint64_t hash(struct span s, uint64_t seed, bool nocase)
{
	const char *p = s.p;
	size_t n = s.n;
	uint64_t a, b;

	seed ^= hash_key[0];
	if (n <= 16) {
		short_words(p, n, &a, &b);
	} else {
		for (; n > 16; n -= 16, p += 16)
			seed = mix(word(load8(p), nocase) ^ hash_key[1], word(load8(p + 8), nocase) ^ seed);
		a = load8(p + n - 16);
		b = load8(p + n - 8);
	}
	a = word(a, nocase) ^ hash_key[1];
	b = word(b, nocase) ^ seed;
	return mix(hash_key[2] ^ s.n, mix(a, b) ^ hash_key[3]);
}

uint64_t span_hash(struct span s, uint64_t seed)
{
	return hash(s, seed, false);
}

uint64_t span_hash_nocase(struct span s, uint64_t seed)
{
	return hash(s, seed, true);
}
