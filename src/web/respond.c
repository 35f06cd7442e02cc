/*
 * An object to a client: conditions first (RFC 9110 13.2.2), then ranges, then the body as it is
 * there or as it comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/rand.h"
#include "web/web_priv.h"

#define PIECES        64    /* iovecs in one go */
#define READ_ALONG_MS 60000 /* for a fill to bring the next bytes */

/* n bytes of the object from r->at on (n < 0: to its end). 0, or -errno; the client must not take
 * what it got for whole then. */
static int send_bytes(struct web_request *r, struct cache_reader *reader, int64_t n)
{
	struct http_exchange *x = r->x;
	struct iovec iov[PIECES];

	while (n != 0) {
		int count = cache_reader_next(reader, iov, PIECES, deadline_in(READ_ALONG_MS));
		int error, used = 0;

		if (count < 0)
			return count;
		if (count == 0)
			return n < 0 ? 0 : -EPIPE;
		while (used < count && n != 0) {
			if (n > 0 && (int64_t)iov[used].iov_len > n)
				iov[used].iov_len = (size_t)n;
			n -= n > 0 ? (int64_t)iov[used].iov_len : 0;
			used++;
		}
		error = x->ops->send_body(x, iov, used);
		if (error < 0)
			return error;
	}
	return 0;
}

static void end(struct web_request *r, int error, const struct http_fields *trailers)
{
	if (error < 0)
		r->x->ops->abort(r->x);
	else
		r->x->ops->finish(r->x, trailers);
}

static void add_age(struct web_request *r, struct cache_obj *obj, struct http_fields *fields)
{
	/* A hit is answered at once; other answers may have taken their time. */
	int64_t now_ms = r->status.hit ? r->now_ms : (int64_t)clock_mono_ms();

	http_fields_add(fields, r->x->arena, HTTP_AGE, cache_number(cache_obj_age_s(obj, now_ms), r->x->arena));
	cache_status_add(&r->status, fields, r->x->arena);
}

static void send_whole(struct web_request *r, struct cache_obj *obj, struct cache_reader *reader,
	struct http_fields *fields)
{
	struct http_exchange *x = r->x;
	int error = 0;

	if (x->ops->send_head(x, cache_obj_status(obj), fields, cache_reader_length(reader)) < 0)
		return;
	if (x->req.method != HTTP_HEAD)
		error = send_bytes(r, reader, -1);
	/* They are known now, and not before. */
	end(r, error, cache_obj_trailers(obj));
}

/* ---- ranges (RFC 9110 14) ---- */

static void send_one_range(struct web_request *r, struct cache_reader *reader, struct http_fields *fields,
	const struct http_range *range, uint64_t length)
{
	struct http_exchange *x = r->x;
	uint64_t n = range->last - range->first + 1;

	http_fields_add(fields, x->arena, HTTP_CONTENT_RANGE,
		arena_spanf(x->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first, range->last, length));
	if (x->ops->send_head(x, 206, fields, (int64_t)n) < 0)
		return;
	reader->at = range->first;
	end(r, send_bytes(r, reader, (int64_t)n), NULL);
}

struct part {
	struct span head;
	struct http_range range;
};

static int send_part(struct web_request *r, struct cache_reader *reader, const struct part *part)
{
	struct iovec iov = { (void *)part->head.p, part->head.n };
	int error = r->x->ops->send_body(r->x, &iov, 1);

	reader->at = part->range.first;
	return error < 0 ? error : send_bytes(r, reader, (int64_t)(part->range.last - part->range.first + 1));
}

/* multipart/byteranges (RFC 9110 14.6) */
static void send_parts(struct web_request *r, struct cache_reader *reader, struct http_fields *fields,
	const struct http_range *ranges, int count, uint64_t length)
{
	struct http_exchange *x = r->x;
	struct span type = http_fields_value(fields, HTTP_CONTENT_TYPE);
	unsigned long long boundary = rand_fast();
	struct part parts[HTTP_RANGES_MAX];
	struct span last = arena_spanf(x->arena, "\r\n--%016llx--\r\n", boundary);
	struct iovec iov = { (void *)last.p, last.n };
	uint64_t total = last.n;
	int error = 0;

	for (int i = 0; i < count; i++) {
		parts[i].range = ranges[i];
		parts[i].head = arena_spanf(x->arena,
			"\r\n--%016llx\r\n%s%.*s%sContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
			boundary, type.n ? "Content-Type: " : "", SPAN_ARG(type), type.n ? "\r\n" : "", ranges[i].first,
			ranges[i].last, length);
		total += parts[i].head.n + ranges[i].last - ranges[i].first + 1;
	}
	http_fields_remove(fields, HTTP_CONTENT_TYPE);
	http_fields_add(fields, x->arena, HTTP_CONTENT_TYPE,
		arena_spanf(x->arena, "multipart/byteranges; boundary=%016llx", boundary));
	if (x->ops->send_head(x, 206, fields, (int64_t)total) < 0)
		return;
	for (int i = 0; i < count && error == 0; i++)
		error = send_part(r, reader, &parts[i]);
	if (error == 0)
		error = x->ops->send_body(x, &iov, 1);
	end(r, error, NULL);
}

static void send_not_satisfiable(struct web_request *r, struct http_fields *fields, uint64_t length)
{
	struct http_exchange *x = r->x;

	http_fields_remove(fields, HTTP_CONTENT_TYPE);
	http_fields_add(fields, x->arena, HTTP_CONTENT_RANGE, arena_spanf(x->arena, "bytes */%" PRIu64, length));
	if (x->ops->send_head(x, 416, fields, 0) == 0)
		x->ops->finish(x, NULL);
}

static void send_ranges(struct web_request *r, struct cache_obj *obj, struct cache_reader *reader,
	struct http_fields *fields)
{
	struct http_range ranges[HTTP_RANGES_MAX];
	int64_t length = cache_reader_length(reader);
	int n = length < 0
		? 0
		: http_range_parse(http_fields_value(&r->x->req.fields, HTTP_RANGE), (uint64_t)length, ranges);

	if (n == -ERANGE)
		send_not_satisfiable(r, fields, (uint64_t)length);
	else if (n == 1)
		send_one_range(r, reader, fields, &ranges[0], (uint64_t)length);
	else if (n > 1)
		send_parts(r, reader, fields, ranges, n, (uint64_t)length);
	else
		send_whole(r, obj, reader, fields);
}

/* ---- the way in ---- */

static void send_empty(struct web_request *r, unsigned status, const struct http_fields *fields)
{
	if (r->x->ops->send_head(r->x, status, fields, status == 304 ? -1 : 0) == 0)
		r->x->ops->finish(r->x, NULL);
}

void web_respond(struct web_request *r, struct cache_obj *obj, const struct http_fields *of)
{
	struct cache_reader reader;
	struct http_fields fields;

	web_answer_fields(r, of, &fields);
	http_fields_remove(&fields, HTTP_AGE);
	add_age(r, obj, &fields);
	cache_reader_init(&reader, obj);
	switch (cache_condition(obj, &r->x->req)) {
	case CACHE_SEND:
		send_whole(r, obj, &reader, &fields);
		break;
	case CACHE_SEND_RANGE:
		send_ranges(r, obj, &reader, &fields);
		break;
	case CACHE_NOT_MODIFIED:
		http_fields_remove(&fields, HTTP_CONTENT_TYPE);
		send_empty(r, 304, &fields);
		break;
	case CACHE_PRECONDITION_FAILED:
		http_fields_remove(&fields, HTTP_CONTENT_TYPE);
		send_empty(r, 412, &fields);
		break;
	}
	cache_reader_done(&reader);
}

void web_respond_hit(struct web_request *r, const struct cache_found *found)
{
	bool stale = found->ttl_s < 0 || found->verdict != CACHE_FRESH;

	stat_add(STAT_HITS, 1);
	site_stat_add(r->stats, SITE_HITS, 1);
	if (stale) {
		stat_add(STAT_STALE, 1);
		site_stat_add(r->stats, SITE_STALE, 1);
	}
	r->status.hit = true;
	r->status.stale = stale;
	r->status.ttl_s = found->ttl_s;
	if (r->code)
		r->status.detail = fault_code_text(r->code);
	web_respond(r, found->obj, cache_obj_fields(found->obj));
}
