/* Cache-Status (RFC 9211), and the same in one word for logs. */
#include <inttypes.h>
#include "cache/cache_priv.h"

void cache_status_add(const struct cache_status *s, struct http_fields *fields, struct arena *a)
{
	struct span earlier = http_fields_joined(fields, HTTP_CACHE_STATUS, a);
	struct buf out = BUF_INIT(HTTP_HEAD_MAX);

	buf_add_span(&out, earlier);
	buf_add_text(&out, earlier.n ? ", torhaus" : "torhaus");
	if (s->hit) {
		buf_addf(&out, "; hit; ttl=%" PRId64, s->ttl_s);
	} else {
		buf_addf(&out, "; fwd=%s", s->fwd ? s->fwd : "bypass");
		if (s->fwd_status)
			buf_addf(&out, "; fwd-status=%u", s->fwd_status);
		if (s->stored)
			buf_add_text(&out, "; stored");
		if (s->collapsed)
			buf_add_text(&out, "; collapsed");
	}
	if (s->detail)
		buf_addf(&out, "; detail=%s", s->detail);
	http_fields_remove(fields, HTTP_CACHE_STATUS);
	http_fields_add(fields, a, HTTP_CACHE_STATUS, arena_span(a, buf_span(&out)));
	buf_done(&out);
}

const char *cache_status_word(const struct cache_status *s)
{
	if (s->hit)
		return s->stale ? "stale" : "hit";
	if (!s->fwd)
		return "-";
	if (s->collapsed)
		return "collapsed";
	if (s->fwd_status == 304)
		return "revalidated";
	return s->stored ? "miss" : "pass";
}
