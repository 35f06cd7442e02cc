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

/* Eight bytes at once: does any of them look like a control byte? HTAB does, too, and so may
 * a byte above a real one; who asks looks closer then. */
static inline bool word_suspect(const char *p)
{
	uint64_t w, del, low;

	memcpy(&w, p, sizeof(w));
	low = (w - EACH(0x20)) & ~w;
	w ^= EACH(0x7f);
	del = (w - EACH(1)) & ~w;
	return (low | del) & EACH(0x80);
}

size_t http_value_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t stop = i + 8 < n ? i + 8 : n;

		if (stop - i == 8 && !word_suspect(p + i)) {
			i = stop;
			continue;
		}
		for (; i < stop; i++)
			if (!http_char_is(p[i], HTTP_CHAR_VALUE))
				return i;
	}
	return n;
}

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!http_char_is(s.p[i], HTTP_CHAR_TOKEN))
			return false;
	return s.n > 0;
}
