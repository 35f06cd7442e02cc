/* Cache-Status (RFC 9211), and the same in one word for logs. */
#include <stdio.h>
#include "base/fmt.h"
#include "cache/cache_priv.h"

struct span cache_number(int64_t v, struct arena *a)
{
	char text[1 + FMT_U64_SIZE];
	struct span s = fmt_u64(v < 0 ? -(uint64_t)v : (uint64_t)v, text + 1);

	if (v < 0) {
		text[s.p - text - 1] = '-';
		s = span_make(s.p - 1, s.n + 1);
	}
	return arena_span(a, s);
}

static struct span hit_text(const struct cache_status *s, struct arena *a)
{
	struct span before = SPAN("torhaus; hit; ttl="), number = cache_number(s->ttl_s, a);
	char *text = arena_alloc(a, before.n + number.n);

	memcpy(text, before.p, before.n);
	memcpy(text + before.n, number.p, number.n);
	return span_make(text, before.n + number.n);
}

static struct span forwarded_text(const struct cache_status *s, struct arena *a)
{
	char status[32] = "";

	if (s->fwd_status)
		snprintf(status, sizeof(status), "; fwd-status=%u", s->fwd_status);
	return arena_spanf(a, "torhaus; fwd=%s%s%s%s", s->fwd ? s->fwd : "bypass", status, s->stored ? "; stored" : "",
		s->collapsed ? "; collapsed" : "");
}

void cache_status_add(const struct cache_status *s, struct http_fields *fields, struct arena *a)
{
	struct span earlier = http_fields_joined(fields, HTTP_CACHE_STATUS, a);
	struct span ours = s->hit ? hit_text(s, a) : forwarded_text(s, a);

	if (s->detail)
		ours = arena_spanf(a, "%.*s; detail=%s", SPAN_ARG(ours), s->detail);
	if (earlier.n > 0) {
		ours = arena_spanf(a, "%.*s, %.*s", SPAN_ARG(earlier), SPAN_ARG(ours));
		http_fields_remove(fields, HTTP_CACHE_STATUS);
	}
	http_fields_add(fields, a, HTTP_CACHE_STATUS, ours);
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
