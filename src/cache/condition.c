/*
 * A client's conditions against a stored object (RFC 9110 13.1, 13.2.2): If-Match or else
 * If-Unmodified-Since, then If-None-Match or else If-Modified-Since, then Range with If-Range. For
 * GET and HEAD of status 200 only: other answers are sent as they are.
 */
#include "cache/cache_priv.h"

static bool date_field(const struct http_req *req, enum http_field_id id, const struct cache_obj *o, int64_t *ret)
{
	struct span value = http_fields_value(&req->fields, id);

	return value.p && http_date_parse(value, o->answered_ms / 1000, ret) == 0;
}

static bool precondition_fails(const struct cache_obj *o, const struct http_req *req)
{
	struct span match = http_fields_value(&req->fields, HTTP_IF_MATCH);
	int64_t date;

	if (match.p)
		return !span_eq(match, SPAN("*")) && (!o->etag.p || !http_etag_in(match, o->etag, false));
	return date_field(req, HTTP_IF_UNMODIFIED_SINCE, o, &date) && o->modified_s >= 0 && o->modified_s > date;
}

static bool is_unmodified(const struct cache_obj *o, const struct http_req *req)
{
	struct span none_match = http_fields_value(&req->fields, HTTP_IF_NONE_MATCH);
	int64_t date;

	if (none_match.p)
		return span_eq(none_match, SPAN("*")) || (o->etag.p && http_etag_in(none_match, o->etag, true));
	if (!date_field(req, HTTP_IF_MODIFIED_SINCE, o, &date))
		return false;
	/* RFC 9111 4.3.2: without Last-Modified the Date counts. */
	return (o->modified_s >= 0 ? o->modified_s : o->date_s) <= date;
}

/* RFC 9110 13.1.5: a strong entity tag, or a date that equals Last-Modified and is strong (8.8.2.2:
 * a minute older than Date). */
static bool range_holds(const struct cache_obj *o, const struct http_req *req)
{
	struct span value = http_fields_value(&req->fields, HTTP_IF_RANGE);
	int64_t date;

	if (!value.p)
		return true;
	/* "Wed, …" is a date. */
	if (span_starts(value, SPAN("\"")) || span_starts(value, SPAN("W/")))
		return o->etag.p && http_etag_in(value, o->etag, false);
	return date_field(req, HTTP_IF_RANGE, o, &date) && date == o->modified_s && o->modified_s + 60 <= o->date_s;
}

enum cache_condition cache_condition(const struct cache_obj *o, const struct http_req *req)
{
	if (o->status != 200)
		return CACHE_SEND;
	if (precondition_fails(o, req))
		return CACHE_PRECONDITION_FAILED;
	if (is_unmodified(o, req))
		return CACHE_NOT_MODIFIED;
	if (req->method == HTTP_GET && http_fields_find(&req->fields, HTTP_RANGE) && range_holds(o, req))
		return CACHE_SEND_RANGE;
	return CACHE_SEND;
}
