/*
 * Range: bytes=… (RFC 9110 14.1.2). What does not follow the grammar, asks in another
 * unit or asks for more than HTTP_RANGES_MAX pieces is ignored as a whole: the client then
 * gets everything. Pieces that overlap or touch are merged into the place of the first, so
 * that no request makes an answer longer than the body (14.2).
 */
#include <errno.h>
#include "http/http_priv.h"

/* Digits, saturating: a position past the end of everything is still a position. */
static bool position(struct span text, uint64_t *ret)
{
	bool beyond = false;
	uint64_t v = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (!ascii_digit(text.p[i]))
			return false;
		beyond = beyond || v > (UINT64_MAX - 9) / 10;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = beyond ? UINT64_MAX : v;
	return text.n > 0;
}

/* One of "0-499", "500-", "-500": 1, 0 if it lies outside the body, -EINVAL. */
static int range_of(struct span text, uint64_t length, struct http_range *ret)
{
	ptrdiff_t dash = span_index(text, '-');
	struct span first, last;
	uint64_t suffix;

	if (dash < 0)
		return -EINVAL;
	first = span_sub(text, 0, (size_t)dash);
	last = span_from(text, (size_t)dash + 1);
	if (first.n == 0) {
		if (!position(last, &suffix))
			return -EINVAL;
		ret->first = suffix < length ? length - suffix : 0;
		ret->last = length - 1;
		return suffix > 0 && length > 0;
	}
	ret->last = UINT64_MAX;
	if (!position(first, &ret->first) || (last.n && !position(last, &ret->last)) || ret->last < ret->first)
		return -EINVAL;
	if (ret->first >= length)
		return 0;
	if (ret->last >= length)
		ret->last = length - 1;
	return 1;
}

/* Adds r, swallowing what it overlaps or touches; the merged one stands where the first stood. */
static unsigned range_add(struct http_range *v, unsigned n, struct http_range r)
{
	unsigned place = n, kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (v[i].first > r.last + 1 || r.first > v[i].last + 1) {
			v[kept++] = v[i];
			continue;
		}
		if (place == n)
			place = kept++;
		r.first = v[i].first < r.first ? v[i].first : r.first;
		r.last = v[i].last > r.last ? v[i].last : r.last;
	}
	if (place == n)
		place = kept++;
	v[place] = r;
	return kept;
}

int http_range_parse(struct span value, uint64_t length, struct http_range ret[HTTP_RANGES_MAX])
{
	unsigned asked = 0, n = 0;
	struct span element;

	if (!span_starts_nocase(value, SPAN("bytes=")))
		return 0;
	value = span_from(value, 6);
	while (http_list_next(&value, &element)) {
		struct http_range range;
		int r = range_of(element, length, &range);

		if (r < 0 || ++asked > HTTP_RANGES_MAX)
			return 0;
		if (r > 0)
			n = range_add(ret, n, range);
	}
	if (asked == 0)
		return 0;
	return n ? (int)n : -ERANGE;
}
