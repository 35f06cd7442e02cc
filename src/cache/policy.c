/*
 * RFC 9111 as arithmetic: may a response be stored (3), how long is it fresh (4.2), when may it be
 * served stale (4.2.4, RFC 5861), with CDN-Cache-Control (RFC 9213) taking precedence for us. Pure.
 *
 * Where the RFC leaves a choice, the careful side:
 *
 * - Set-Cookie is stored only where the response says that it is for everybody (public, s-maxage or
 *   CDN-Cache-Control).
 * - A response that does not say itself how long it is fresh is stored only if it was asked for
 *   anonymously; one without any freshness is never given to a request that merely waited.
 * - What a visitor can provoke by odd fields of his own (400, 431 …) is never stored, whatever it
 *   says: else one odd request would take a page from everybody (CPDoS). Other errors (500, 503,
 *   418 …) are stored on the origin's word, for it protects itself by that, but only if the request
 *   was an ordinary one.
 * - A response whose Vary names more than we look at is not stored.
 */
#include <errno.h>
#include "cache/cache_priv.h"

#define HEURISTIC_FRACTION 10 /* a tenth of the time since Last-Modified (4.2.2) */
#define HEURISTIC_MOST_MS  (24 * 3600 * 1000LL)
#define ORDINARY_HEAD_MAX  4096 /* bytes of fields of an ordinary request */

/* RFC 9110 15.1; 206 is not: partial responses are not stored, ranges are cut from whole ones. */
static bool is_heuristically_cacheable(unsigned status)
{
	return status == 200 || status == 203 || status == 204 || status == 300 || status == 301 || status == 308 ||
		status == 404 || status == 405 || status == 410 || status == 414 || status == 501;
}

/* Statuses whose caching we understand (must-understand, RFC 9111 5.2.2.3): final ones, but 206 and
 * 304. */
static bool is_understood(unsigned status)
{
	return is_heuristically_cacheable(status) || status == 302 || status == 303 || status == 307 || status == 401 ||
		status == 403 || status == 451;
}

/* What a request gets for its own fields, credentials, body or haste, or for the conditions in it,
 * so that another request for the same page may get something else. */
static bool is_about_request(unsigned status)
{
	switch (status) {
	case 404:
	case 405: /* we ask by GET alone, and pass no X-HTTP-Method-Override; 501 likewise */
	case 410:
	case 414: /* the target is the key */
	case 451:
		return false;
	default:
		/* 418 and what nobody has defined are jokes or applications' own. */
		return (status >= 400 && status <= 417) || (status >= 420 && status <= 431) || status == 505 ||
			status == 510 || status == 511;
	}
}

/* Such as browsers and crawlers send: nothing in it that could have provoked an error by itself. */
static bool is_ordinary(const struct http_req *req)
{
	static const char *const usual[] = { "Upgrade-Insecure-Requests", "DNT", "Priority", "Save-Data", "From",
		"Accept-Charset", "X-Requested-With" };
	size_t bytes = 0;

	for (unsigned i = 0; i < req->fields.n; i++) {
		const struct http_field *f = &req->fields.v[i];
		bool known = f->id != HTTP_OTHER || span_starts_nocase(f->name, SPAN("Sec-"));

		for (size_t k = 0; k < array_len(usual) && !known; k++)
			known = span_eq_nocase(f->name, span_of(usual[k]));
		bytes += f->name.n + f->value.n;
		if (!known || bytes > ORDINARY_HEAD_MAX)
			return false;
	}
	return true;
}

/*
 * RFC 9213 2.1: a targeted field is a Structured Fields dictionary (RFC 8941), and one that does
 * not parse, or in which a directive that we know has a value of the wrong type, is ignored.
 * Members: key, or key "=" integer, token, or string; booleans ?0 ?1. Parameters do not occur.
 */
static bool is_key(struct span s)
{
	if (s.n == 0 || !((s.p[0] >= 'a' && s.p[0] <= 'z') || s.p[0] == '*'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || ascii_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'))
			return false;
	}
	return true;
}

static bool is_bare_item(struct span s)
{
	uint64_t number;

	if (s.n > 1 && s.p[0] == '-' && ascii_digit(s.p[1]))
		s = span_from(s, 1);
	if (s.n > 0 && ascii_digit(s.p[0]))
		return s.n <= 15 && span_to_u64(s, &number) == 0;
	if (s.n >= 2 && s.p[0] == '"')
		return s.p[s.n - 1] == '"';
	if (s.n == 2 && s.p[0] == '?')
		return s.p[1] == '0' || s.p[1] == '1';
	return http_is_token(s) && !ascii_digit(s.p[0]);
}

/* Seconds are integers, yes or no is a boolean; no-cache and private may name fields. */
static bool is_type_of(struct span key, struct span value)
{
	static const char *const seconds[] = { "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error" };
	static const char *const flags[] = { "no-store", "public", "must-revalidate", "proxy-revalidate",
		"must-understand", "no-transform", "immutable" };

	for (size_t i = 0; i < array_len(seconds); i++)
		if (span_eq(key, span_of(seconds[i])))
			return value.n > 0 && ascii_digit(value.p[0]);
	for (size_t i = 0; i < array_len(flags); i++)
		if (span_eq(key, span_of(flags[i])))
			return !value.p || span_eq(value, SPAN("?1"));
	if (span_eq(key, SPAN("no-cache")) || span_eq(key, SPAN("private")))
		return !value.p || value.p[0] == '"' || span_eq(value, SPAN("?1"));
	return true;
}

static bool is_dictionary(struct span value)
{
	struct span rest = value, member;
	bool any = false;

	while (http_list_next(&rest, &member)) {
		ptrdiff_t equals = span_index(member, '=');
		struct span key = equals < 0 ? member : span_sub(member, 0, (size_t)equals);
		struct span item = equals < 0 ? (struct span){ 0 } : span_from(member, (size_t)equals + 1);

		if (!is_key(key) || (equals >= 0 && !is_bare_item(item)) || !is_type_of(key, item))
			return false;
		any = true;
	}
	return any;
}

/* The directives that hold for us. *ret_targeted: they came from CDN-Cache-Control. */
static void directives(const struct http_fields *fields, struct arena *a, struct http_cache_control *ret,
	bool *ret_targeted)
{
	struct span targeted = http_fields_joined(fields, HTTP_CDN_CACHE_CONTROL, a);

	*ret_targeted = targeted.p && is_dictionary(targeted);
	http_cache_control_parse(*ret_targeted ? targeted : http_fields_joined(fields, HTTP_CACHE_CONTROL, a), ret);
}

static int64_t date_of(const struct http_fields *fields, enum http_field_id id, int64_t now_s, int64_t otherwise)
{
	struct span value = http_fields_value(fields, id);
	int64_t date;

	return value.p && http_date_parse(value, now_s, &date) == 0 ? date : otherwise;
}

/* RFC 9111 5.1: seconds. Of several values the RFC takes the first; the greatest is more careful,
 * and several of which one is no number are old. One alone that is no number is ignored, as it
 * says. */
static int64_t age_s_of(const struct http_fields *fields)
{
	int64_t most = 0;
	unsigned values = 0;
	bool unreadable = false;

	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value, one;

		while (fields->v[i].id == HTTP_AGE && http_list_next(&rest, &one)) {
			uint64_t age_s = 0;
			int r = span_to_u64(one, &age_s);

			values++;
			unreadable |= r == -EINVAL;
			if (r == -ERANGE || age_s > SECONDS_MAX)
				age_s = SECONDS_MAX;
			most = (int64_t)age_s > most ? (int64_t)age_s : most;
		}
	}
	if (!unreadable)
		return most;
	return values > 1 ? SECONDS_MAX : 0;
}

int64_t policy_born_ms(const struct http_fields *fields, int64_t asked_ms, int64_t answered_ms)
{
	int64_t answered_s = answered_ms / 1000;
	int64_t apparent_s = answered_s - date_of(fields, HTTP_DATE, answered_s, answered_s);
	int64_t delay_ms = answered_ms > asked_ms ? answered_ms - asked_ms : 0;
	int64_t corrected_ms = age_s_of(fields) * 1000 + delay_ms;

	if (apparent_s > SECONDS_MAX)
		apparent_s = SECONDS_MAX;
	if (apparent_s * 1000 > corrected_ms)
		corrected_ms = apparent_s * 1000;
	return answered_ms - corrected_ms;
}

/* 4.2.1 and 4.2.2, then the preset's word where the response has none, within the preset's
 * bound. */
static int64_t lifetime_ms(const struct domain *site, const struct http_req *req, unsigned status,
	const struct http_fields *fields, const struct http_cache_control *cc, bool targeted, int64_t answered_s,
	struct arena *a, bool *ret_explicit)
{
	int64_t date = date_of(fields, HTTP_DATE, answered_s, answered_s);
	int64_t modified = date_of(fields, HTTP_LAST_MODIFIED, answered_s, -1);
	int64_t most = HEURISTIC_MOST_MS;
	int64_t preset;

	*ret_explicit = true;
	if (cc->s_maxage >= 0 && !targeted)
		return cc->s_maxage * 1000LL;
	if (cc->max_age >= 0)
		return cc->max_age * 1000LL;
	if (http_fields_find(fields, HTTP_EXPIRES) && !targeted) {
		int64_t expires = date_of(fields, HTTP_EXPIRES, answered_s, 0);

		return expires > date ? (expires - date) * 1000 : 0;
	}
	*ret_explicit = false;
	if (!is_heuristically_cacheable(status) && !cc->is_public)
		return -1;
	preset = preset_default_ms(site, req, fields, a);
	if (preset >= 0)
		return preset;
	if (modified < 0 || modified >= date)
		return 0;
	if ((date - modified) * 1000 / HEURISTIC_FRACTION < most)
		most = (date - modified) * 1000 / HEURISTIC_FRACTION;
	return most;
}

static bool sets_cookie(const struct http_fields *fields, const struct http_cache_control *cc)
{
	return http_fields_find(fields, HTTP_SET_COOKIE) && !http_list_has(cc->private_fields, SPAN("Set-Cookie")) &&
		!http_list_has(cc->no_cache_fields, SPAN("Set-Cookie"));
}

/* 3 and 3.5, without the question of freshness. */
static bool is_permitted(const struct http_req *req, unsigned status, const struct http_fields *fields,
	const struct http_cache_control *cc, bool targeted)
{
	struct http_cache_control asked;
	bool for_all = cc->is_public || cc->s_maxage >= 0;

	policy_of_request(req, &asked);
	if (asked.no_store || status < 200 || status == 206 || status == 304 || is_about_request(status))
		return false;
	if (status >= 400 && !is_heuristically_cacheable(status) && !is_ordinary(req))
		return false;
	if (cc->must_understand ? !is_understood(status) : cc->no_store)
		return false;
	if (cc->is_private && !cc->private_fields.p)
		return false;
	if (http_fields_find(&req->fields, HTTP_AUTHORIZATION) && !for_all && !cc->must_revalidate)
		return false;
	if (sets_cookie(fields, cc) && !for_all && !targeted)
		return false;
	return true;
}

/* "*", more than we look at, or what tells every visitor from every other: the origin hears it from
 * us, so requests do not show it. */
static bool varies_always(const struct http_req *req, const struct http_fields *fields, struct arena *a)
{
	static const enum http_field_id personal[] = { HTTP_X_FORWARDED_FOR, HTTP_X_REAL_IP, HTTP_FORWARDED, HTTP_VIA };
	struct span vary = http_fields_joined(fields, HTTP_VARY, a);

	for (size_t i = 0; i < array_len(personal); i++)
		if (http_list_has(vary, http_field_name(personal[i])))
			return true;
	if (http_list_has(vary, SPAN("*")) || !vary_is_bounded(vary))
		return true;
	return vary.n > 0 && !vary_text(vary, req, a).p;
}

static int64_t ms_or_none(int32_t seconds)
{
	return seconds < 0 ? -1 : seconds * 1000LL;
}

/* Events have no end that a visitor could wait for, and are those of one visitor. */
static bool is_event_stream(const struct http_fields *fields)
{
	return span_starts_nocase(http_fields_value(fields, HTTP_CONTENT_TYPE), SPAN("text/event-stream"));
}

void policy_of_response(const struct domain *site, const struct http_req *req, unsigned status,
	const struct http_fields *fields, int64_t answered_ms, struct arena *a, struct cache_policy *ret)
{
	struct http_cache_control cc;
	bool targeted, is_explicit;
	int64_t most = preset_most_ms(site, fields);

	directives(fields, a, &cc, &targeted);
	*ret = (struct cache_policy){ .about_request = is_about_request(status),
		.leave_marker = status < 500 && !is_about_request(status),
		.stale_while_ms = ms_or_none(cc.stale_while_revalidate),
		.stale_error_ms = ms_or_none(cc.stale_if_error),
		.private_fields = cc.private_fields,
		.no_cache_fields = cc.no_cache_fields };
	ret->always_validate = cc.no_cache && !cc.no_cache_fields.p;
	ret->never_stale = cc.must_revalidate || cc.proxy_revalidate || ret->always_validate;
	ret->no_grace = cc.s_maxage >= 0 && !targeted;
	ret->lifetime_ms = lifetime_ms(site, req, status, fields, &cc, targeted, answered_ms / 1000, a, &is_explicit);
	if (most >= 0 && ret->lifetime_ms > most)
		ret->lifetime_ms = most;
	ret->storable = ret->lifetime_ms >= 0 && is_permitted(req, status, fields, &cc, targeted) &&
		!varies_always(req, fields, a) && !is_event_stream(fields);
	if (!is_explicit)
		ret->storable = ret->storable && preset_is_anonymous(req) && !preset_is_disguised(req, fields, a);
	ret->shareable = ret->storable && !ret->always_validate && (ret->lifetime_ms > 0 || ret->stale_while_ms > 0);
}

void policy_of_request(const struct http_req *req, struct http_cache_control *ret)
{
	http_cache_control_of(&req->fields, HTTP_CACHE_CONTROL, ret);
	/* RFC 9111 5.4: Pragma counts where Cache-Control is missing. */
	if (!ret->present && http_list_has(http_fields_value(&req->fields, HTTP_PRAGMA), SPAN("no-cache")))
		ret->no_cache = true;
}
