/*
 * Classes of bytes.
 *
 * A request target may hold everything but control bytes, blanks and '#'. RFC 3986 would
 * also forbid " < > \ ^ ` { | } [ ] and bytes from 0x80 on, but browsers do send them (query
 * strings above all), origins do answer them, and none of them can move the border between
 * two parts of a message: refusing them would only break pages.
 *
 * A host's name is letters, digits and - . _ ~: what RFC 3986 adds (sub-delims, percent
 * signs) names no host in DNS, and a comma there is two hosts to some readers.
 */
#include <endian.h>
#include "http/http_priv.h"

#define T HTTP_CHAR_TOKEN
#define V HTTP_CHAR_VALUE
#define G HTTP_CHAR_TARGET
#define H HTTP_CHAR_HOST
const uint8_t http_chars[256] = {
	['\t'] = V,
	[' '] = V,
	['!'] = T | V | G,
	['"'] = V | G,
	['#'] = T | V,
	['$' ... '\''] = T | V | G,
	['('] = V | G,
	[')'] = V | G,
	['*'] = T | V | G,
	['+'] = T | V | G,
	[','] = V | G,
	['-'] = T | V | G | H,
	['.'] = T | V | G | H,
	['/'] = V | G,
	['0' ... '9'] = T | V | G | H,
	[':' ... '@'] = V | G,
	['A' ... 'Z'] = T | V | G | H,
	['[' ... ']'] = V | G,
	['^'] = T | V | G,
	['_'] = T | V | G | H,
	['`'] = T | V | G,
	['a' ... 'z'] = T | V | G | H,
	['{'] = V | G,
	['|'] = T | V | G,
	['}'] = V | G,
	['~'] = T | V | G | H,
	[0x80 ... 0xff] = V | G,
};
#undef T
#undef V
#undef G
#undef H

#define EACH(byte) (0x0101010101010101u * (byte))

/* Eight bytes at once: the lowest bit set belongs to the first control byte (HTAB is one, too);
 * bits above it mean nothing. */
static inline uint64_t control_bytes(const char *p)
{
	uint64_t w, del, low;

	memcpy(&w, p, sizeof(w));
	w = le64toh(w);
	low = (w - EACH(0x20)) & ~w;
	w ^= EACH(0x7f);
	del = (w - EACH(1)) & ~w;
	return (low | del) & EACH(0x80);
}

size_t http_value_length(const char *p, size_t n)
{
	size_t i = 0;

	while (n - i >= 8) {
		uint64_t found = control_bytes(p + i);

		if (!found) {
			i += 8;
			continue;
		}
		i += (size_t)__builtin_ctzll(found) / 8;
		if (p[i] != '\t')
			return i;
		i++;
	}
	while (i < n && http_char_is(p[i], HTTP_CHAR_VALUE))
		i++;
	return i;
}

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!http_char_is(s.p[i], HTTP_CHAR_TOKEN))
			return false;
	return s.n > 0;
}
