/* The chunked decoder: split at any byte (the first input byte says where) or at every one, the
 * body, the trailers and the verdict are the same. */
#include "base/buf.h"
#include "base/mem.h"
#include "http/h1_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Offers bytes up to `first`, then step more each time. */
static int decode(struct span bytes, size_t first, size_t step, struct buf *out, size_t *ret_used)
{
	struct h1_chunked c = { 0 };
	size_t at = 0, have = first < bytes.n ? first : bytes.n;

	for (;;) {
		size_t used;
		struct span body;
		int r = h1_chunked_step(&c, span_sub(bytes, at, have - at), &used, &body);

		must(body.n <= used);
		at += used;
		buf_add_span(out, body);
		*ret_used = at;
		if (r)
			return r;
		if (used)
			continue;
		if (have == bytes.n)
			return 0;
		have = have + step < bytes.n ? have + step : bytes.n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data + 1, size ? size - 1 : 0);
	struct buf whole, other;
	size_t used, other_used;
	int r;

	if (size == 0)
		return 0;
	buf_init(&whole, size + 1);
	buf_init(&other, size + 1);
	r = decode(bytes, bytes.n, 1, &whole, &used);
	for (int bytewise = 0; bytewise < 2; bytewise++) {
		buf_reset(&other);
		must(decode(bytes, bytewise ? 1 : data[0], bytewise ? 1 : size, &other, &other_used) == r);
		must(r < 0 || used == other_used);
		must(r < 0 || span_eq(buf_span(&whole), buf_span(&other)));
	}
	if (r == 1) {
		struct http_fields trailers;
		struct arena arena;

		arena_init(&arena, 1024);
		h1_parse_trailers(bytes, &arena, &trailers);
		arena_done(&arena);
	}
	buf_done(&whole);
	buf_done(&other);
	return 0;
}
