/* Comma-separated lists (RFC 9110 5.6.1) and entity tags (8.8.3). */
#include "http/http_priv.h"

bool http_list_next(struct span *rest, struct span *ret_element)
{
	while (rest->n) {
		bool quoted = false;
		size_t i = 0;

		for (; i < rest->n && (quoted || rest->p[i] != ','); i++) {
			if (rest->p[i] == '"')
				quoted = !quoted;
			else if (quoted && rest->p[i] == '\\' && i + 1 < rest->n)
				i++;
		}
		*ret_element = span_trim(span_sub(*rest, 0, i));
		*rest = i < rest->n ? span_from(*rest, i + 1) : (struct span){ 0 };
		if (ret_element->n)
			return true;
	}
	return false;
}

bool http_list_has(struct span list, struct span token)
{
	struct span element;

	while (http_list_next(&list, &element))
		if (span_eq_nocase(element, token))
			return true;
	return false;
}

/*
 * Takes one tag off a list. Not http_list_next(): a backslash in a tag is an ordinary byte,
 * so a quote always ends it. What is not quoted (some origins forget to) reaches to the
 * next comma.
 */
static bool tag_next(struct span *rest, struct span *ret_tag)
{
	size_t at = 0, end;
	const char *quote;

	while (at < rest->n && (rest->p[at] == ',' || rest->p[at] == ' ' || rest->p[at] == '\t'))
		at++;
	if (at == rest->n)
		return false;
	end = at + (span_starts(span_from(*rest, at), SPAN("W/")) ? 2 : 0);
	if (end < rest->n && rest->p[end] == '"') {
		quote = memchr(rest->p + end + 1, '"', rest->n - end - 1);
		end = quote ? (size_t)(quote - rest->p) + 1 : rest->n;
	} else {
		while (end < rest->n && rest->p[end] != ',')
			end++;
	}
	*ret_tag = span_trim(span_sub(*rest, at, end - at));
	*rest = span_from(*rest, end);
	return true;
}

/* Takes W/ off; true if it was there. */
static bool tag_weak(struct span *tag)
{
	if (!span_starts(*tag, SPAN("W/")))
		return false;
	*tag = span_from(*tag, 2);
	return true;
}

bool http_etag_in(struct span list, struct span etag, bool weak)
{
	bool etag_is_weak = tag_weak(&etag);
	struct span tag;

	if (span_eq(span_trim(list), SPAN("*")))
		return true;
	if (etag.n == 0 || (etag_is_weak && !weak))
		return false;
	while (tag_next(&list, &tag)) {
		bool tag_is_weak = tag_weak(&tag);

		if ((weak || !tag_is_weak) && span_eq(tag, etag))
			return true;
	}
	return false;
}
