/* Requests and answers as one line of text each, for the pure parts of cache/. */
#pragma once
#include "../unit.h"
#include "cache/cache_priv.h"

/* "Name: value|Name: value" */
static inline void fields_of(const char *text, struct arena *a, struct http_fields *ret)
{
	struct span rest = span_of(text), line, name;

	*ret = (struct http_fields){ 0 };
	while (span_cut(&rest, '|', &line)) {
		struct span value = line;

		span_cut(&value, ':', &name);
		if (name.n > 0)
			http_fields_add_name(ret, a, name, span_trim(value));
	}
}

/* "/path?query" and fields */
static inline struct http_req get_of(const char *target, const char *fields, struct arena *a)
{
	struct http_req req = { .method = HTTP_GET, .host = SPAN("a.test"), .target = span_of(target) };
	struct span rest = req.target;

	span_cut(&rest, '?', &req.path);
	req.query = rest;
	fields_of(fields, a, &req.fields);
	return req;
}
