/*
 * Vary (RFC 9111 4.1): the request's values of the named fields as one text. Normalised so that
 * requests which mean the same share a variant: blanks are folded, several lines are joined, and of
 * Accept-Encoding the usual codings stand in a fixed order, the others behind them.
 */
#include "cache/cache_priv.h"

static bool refuses(struct span element)
{
	ptrdiff_t q = span_find(element, SPAN("q=0"));

	if (q < 0)
		return false;
	/* q=0, q=0.0, q=0.000 */
	for (size_t i = (size_t)q + 3; i < element.n; i++)
		if (element.p[i] != '.' && element.p[i] != '0')
			return false;
	return true;
}

static const char *const codings[] = { "br", "deflate", "gzip", "zstd", "*" };

static struct span coding_of(struct span element)
{
	ptrdiff_t semicolon = span_index(element, ';');

	return span_trim(semicolon < 0 ? element : span_sub(element, 0, (size_t)semicolon));
}

static bool is_usual(struct span coding)
{
	for (size_t i = 0; i < array_len(codings); i++)
		if (span_eq_nocase(coding, span_of(codings[i])))
			return true;
	return span_eq_nocase(coding, SPAN("identity"));
}

static void add_encodings(struct buf *out, struct span value)
{
	struct span rest, element;

	for (size_t i = 0; i < array_len(codings); i++) {
		rest = value;
		while (http_list_next(&rest, &element))
			if (span_eq_nocase(coding_of(element), span_of(codings[i])) && !refuses(element)) {
				buf_add_text(out, codings[i]);
				buf_add_char(out, ',');
				break;
			}
	}
	/* Whoever takes x-gzip or compress may get it; the others must not. */
	rest = value;
	while (http_list_next(&rest, &element))
		if (!is_usual(coding_of(element)) && !refuses(element)) {
			buf_add_span(out, coding_of(element));
			buf_add_char(out, ',');
		}
}

static void add_folded(struct buf *out, struct span value)
{
	bool blank = false;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == ' ' || c == '\t') {
			blank = true;
			continue;
		}
		if (blank && c != ',')
			buf_add_char(out, ' ');
		blank = false;
		buf_add_char(out, c);
	}
}

/* All values of that field, in order. */
static struct span joined(const struct http_req *req, struct span name, struct arena *a)
{
	enum http_field_id id = http_field_id_of(name);
	struct buf all = BUF_INIT(HTTP_HEAD_MAX);
	struct span ret = { 0 };

	/* The origin hears those from us, or not at all: what the client wrote there changes
	 * nothing. */
	if (http_field_flags(id) & HTTP_FORWARDING)
		return ret;
	for (unsigned i = 0; i < req->fields.n; i++) {
		const struct http_field *f = &req->fields.v[i];

		if (id ? f->id != id : !span_eq_nocase(f->name, name))
			continue;
		if (ret.p)
			buf_add_text(&all, ", ");
		buf_add_span(&all, f->value);
		ret.p = "";
	}
	if (ret.p)
		ret = arena_span(a, buf_span(&all));
	buf_done(&all);
	return ret;
}

struct span vary_text(struct span vary, const struct http_req *req, struct arena *a)
{
	struct buf out = BUF_INIT(2 * HTTP_HEAD_MAX);
	struct span name, ret;

	while (http_list_next(&vary, &name)) {
		struct span value = joined(req, name, a);

		/* A field that is absent differs from one that is empty. */
		buf_add_char(&out, value.p ? '=' : '-');
		if (http_field_id_of(name) == HTTP_ACCEPT_ENCODING)
			add_encodings(&out, value);
		else
			add_folded(&out, value);
		buf_add_char(&out, '\n');
	}
	ret = arena_span(a, buf_span(&out));
	buf_done(&out);
	return ret;
}
