/*
 * Cache-Control and CDN-Cache-Control: a list of directives, each NAME, NAME=token or
 * NAME="quoted string" (RFC 9111 5.2); unknown ones are ignored.
 *
 * Where senders contradict themselves or cannot be understood, the careful reading wins:
 * a lifetime that is no number is 0, of two the smaller counts, and a list of field names
 * that cannot be used as it stands means the whole response.
 */
#include "http/http_priv.h"

/* Digits to seconds; what is no number (also with blanks around "=") is unreadable. */
static int32_t seconds_of(struct span text, int32_t unreadable)
{
	uint64_t v = 0;

	if (text.n == 0)
		return unreadable;
	for (size_t i = 0; i < text.n; i++) {
		if (!ascii_digit(text.p[i]))
			return unreadable;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
		if (v > INT32_MAX)
			v = INT32_MAX;
	}
	return (int32_t)v;
}

static void lifetime(int32_t *ret, struct span text)
{
	int32_t v = seconds_of(text, 0);

	if (*ret == HTTP_SECONDS_NONE || v < *ret)
		*ret = v;
}

/* no-cache, private: with field names it binds those, without it binds all. */
static void qualified(bool *ret, struct span *ret_fields, bool has_value, struct span text)
{
	bool whole = !has_value || text.n == 0 || memchr(text.p, '\\', text.n);

	*ret_fields = whole || *ret ? (struct span){ 0 } : text;
	*ret = true;
}

struct directive {
	struct span name, value;
	bool has_value;
};

static struct directive directive_of(struct span element)
{
	ptrdiff_t equals = span_index(element, '=');
	struct directive d = { .name = element };

	if (equals < 0)
		return d;
	d.has_value = true;
	d.name = span_trim(span_sub(element, 0, (size_t)equals));
	d.value = span_from(element, (size_t)equals + 1);
	if (d.name.n != (size_t)equals)
		d.value = SPAN(" "); /* blanks before "=": understood, but unreadable */
	else if (d.value.n >= 2 && d.value.p[0] == '"' && d.value.p[d.value.n - 1] == '"')
		d.value = span_sub(d.value, 1, d.value.n - 2);
	return d;
}

static bool is(const struct directive *d, const char *name)
{
	return span_eq_nocase(d->name, span_of(name));
}

static void note_flag(struct http_cache_control *cc, const struct directive *d)
{
	if (is(d, "no-store"))
		cc->no_store = true;
	else if (is(d, "no-cache"))
		qualified(&cc->no_cache, &cc->no_cache_fields, d->has_value, d->value);
	else if (is(d, "private"))
		qualified(&cc->is_private, &cc->private_fields, d->has_value, d->value);
	else if (is(d, "public"))
		cc->is_public = true;
	else if (is(d, "must-revalidate"))
		cc->must_revalidate = true;
	else if (is(d, "proxy-revalidate"))
		cc->proxy_revalidate = true;
	else if (is(d, "must-understand"))
		cc->must_understand = true;
	else if (is(d, "no-transform"))
		cc->no_transform = true;
	else if (is(d, "only-if-cached"))
		cc->only_if_cached = true;
	else if (is(d, "immutable"))
		cc->immutable = true;
}

static bool note_seconds(struct http_cache_control *cc, const struct directive *d)
{
	if (is(d, "max-age")) {
		lifetime(&cc->max_age, d->value);
	} else if (is(d, "s-maxage")) {
		lifetime(&cc->s_maxage, d->value);
	} else if (is(d, "stale-while-revalidate")) {
		lifetime(&cc->stale_while_revalidate, d->value);
	} else if (is(d, "stale-if-error")) {
		lifetime(&cc->stale_if_error, d->value);
	} else if (is(d, "max-stale")) {
		if (d->has_value)
			lifetime(&cc->max_stale, d->value);
		else
			cc->max_stale_any = true;
	} else if (is(d, "min-fresh")) {
		/* The only one where more is more careful. */
		int32_t v = seconds_of(d->value, INT32_MAX);

		cc->min_fresh = v > cc->min_fresh ? v : cc->min_fresh;
	} else {
		return false;
	}
	return true;
}

static void begin(struct http_cache_control *ret)
{
	*ret = (struct http_cache_control){
		.max_age = HTTP_SECONDS_NONE,
		.s_maxage = HTTP_SECONDS_NONE,
		.max_stale = HTTP_SECONDS_NONE,
		.min_fresh = HTTP_SECONDS_NONE,
		.stale_while_revalidate = HTTP_SECONDS_NONE,
		.stale_if_error = HTTP_SECONDS_NONE,
	};
}

static void add(struct http_cache_control *ret, struct span value)
{
	struct span element;

	while (http_list_next(&value, &element)) {
		struct directive d = directive_of(element);

		ret->present = true;
		if (!note_seconds(ret, &d))
			note_flag(ret, &d);
	}
	/* Given with and without a bound: the bound counts. */
	if (ret->max_stale != HTTP_SECONDS_NONE)
		ret->max_stale_any = false;
}

void http_cache_control_parse(struct span value, struct http_cache_control *ret)
{
	begin(ret);
	add(ret, value);
}

void http_cache_control_of(const struct http_fields *f, enum http_field_id id, struct http_cache_control *ret)
{
	begin(ret);
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			add(ret, f->v[i].value);
}
