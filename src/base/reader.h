/*
 * struct reader: binary formats, read with a sticky error.
 *
 * Read, read, read, then look at .error once. Past the end come zeros and what is left of the
 * bytes, never more than there are. Numbers are big-endian, as on the network.
 */
#pragma once
#include "base/span.h"

struct reader {
	struct span rest;
	bool error; /* more was wanted than there is */
};

static inline struct reader reader_of(struct span s)
{
	return (struct reader){ s, false };
}
/* n bytes, borrowed. */
static inline struct span reader_take(struct reader *r, size_t n)
{
	struct span s;

	if (n > r->rest.n) {
		r->error = true;
		n = r->rest.n;
	}
	s = span_sub(r->rest, 0, n);
	r->rest = span_from(r->rest, n);
	return s;
}
/* A number of 1 to 4 bytes. */
static inline uint32_t reader_number(struct reader *r, unsigned bytes)
{
	struct span s = reader_take(r, bytes);
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (uint8_t)s.p[i];
	return s.n == bytes ? v : 0;
}
/* A vector: its length in `bytes` bytes, then that many. */
static inline struct span reader_vector(struct reader *r, unsigned bytes)
{
	return reader_take(r, reader_number(r, bytes));
}
