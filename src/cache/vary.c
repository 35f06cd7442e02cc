/*
 * Vary (RFC 9111 4.1): the request's values of the named fields as one text. Normalised so that
 * requests which mean the same share a variant: blanks are folded, several lines are joined, and of
 * Accept-Encoding the usual codings stand in a fixed order, the others behind them.
 *
 * The text is bounded, and so is the work to make it: a request of which more bytes would select
 * the answer is not for the cache, nor is an answer that names more fields.
 */
#include "cache/cache_priv.h"

#define VARY_BYTES_MAX 512  /* of the field */
#define VARY_NAMES_MAX 16   /* in it */
#define SELECTING_MAX  8192 /* bytes of the text */

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

/* Its place in the table, or one of these: identity is always fine and says nothing. */
enum { CODING_NONE = -1, CODING_OTHER = -2 };

static int coding_index(struct span coding)
{
	for (size_t i = 0; i < array_len(codings); i++)
		if (span_eq_nocase(coding, span_of(codings[i])))
			return (int)i;
	return span_eq_nocase(coding, SPAN("identity")) ? CODING_NONE : CODING_OTHER;
}

/* The usual ones in the order of the table, then the others as they come: whoever takes x-gzip or
 * compress may get it, the others must not. One pass: the value may be long. */
static void add_encodings(struct buf *out, struct span value)
{
	struct buf others = BUF_INIT(SELECTING_MAX);
	unsigned usual = 0;
	struct span element;

	while (http_list_next(&value, &element)) {
		struct span coding = coding_of(element);
		int i = refuses(element) ? CODING_NONE : coding_index(coding);

		if (i >= 0) {
			usual |= 1u << i;
		} else if (i == CODING_OTHER) {
			buf_add_span(&others, coding);
			buf_add_char(&others, ',');
		}
	}
	for (size_t i = 0; i < array_len(codings); i++)
		if (usual >> i & 1) {
			buf_add_text(out, codings[i]);
			buf_add_char(out, ',');
		}
	buf_add_span(out, buf_span(&others));
	buf_done(&others);
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

/* All values of that field, in order. False: more than SELECTING_MAX bytes. .p == NULL: none. */
static bool joined(const struct http_req *req, struct span name, struct arena *a, struct span *ret)
{
	enum http_field_id id = http_field_id_of(name);
	struct buf all = BUF_INIT(SELECTING_MAX);
	bool any = false, fits;

	*ret = (struct span){ 0 };
	/* The origin hears those from us, or not at all: what the client wrote there changes
	 * nothing. */
	if (http_field_claims(&(struct http_field){ .name = name, .id = (uint8_t)id }))
		return true;
	for (unsigned i = 0; i < req->fields.n; i++) {
		const struct http_field *f = &req->fields.v[i];

		if (id ? f->id != id : !span_eq_nocase(f->name, name))
			continue;
		if (any)
			buf_add_text(&all, ", ");
		buf_add_span(&all, f->value);
		any = true;
	}
	if (any)
		*ret = arena_span(a, buf_span(&all));
	fits = buf_error(&all) == 0;
	buf_done(&all);
	return fits;
}

bool vary_is_bounded(struct span vary)
{
	struct span name;
	unsigned names = 0;

	if (vary.n > VARY_BYTES_MAX)
		return false;
	while (http_list_next(&vary, &name))
		names++;
	return names <= VARY_NAMES_MAX;
}

struct span vary_text(struct span vary, const struct http_req *req, struct arena *a)
{
	struct buf out = BUF_INIT(SELECTING_MAX);
	struct span name, value, ret = { 0 };
	bool fits = true;

	while (fits && http_list_next(&vary, &name)) {
		fits = joined(req, name, a, &value);
		/* A field that is absent differs from one that is empty. */
		buf_add_char(&out, value.p ? '=' : '-');
		if (http_field_id_of(name) == HTTP_ACCEPT_ENCODING)
			add_encodings(&out, value);
		else
			add_folded(&out, value);
		buf_add_char(&out, '\n');
		fits = fits && buf_error(&out) == 0;
	}
	if (fits)
		ret = arena_span(a, buf_span(&out));
	buf_done(&out);
	return ret;
}
