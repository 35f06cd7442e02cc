/*
 * RFC 9111 as arithmetic: may a response be stored (3), how long is it fresh (4.2), when may it be
 * served stale (4.2.4, RFC 5861), with CDN-Cache-Control (RFC 9213) taking precedence for us. Pure.
 *
 * Where the RFC leaves a choice, the careful side: Set-Cookie is stored only where the response
 * says that it is for everybody (public, s-maxage or CDN-Cache-Control). A response without any
 * freshness is stored only for a request without cookies and credentials, and never given to a
 * request that merely waited.
 */
#include <errno.h>
#include "cache/cache_priv.h"

#define HEURISTIC_FRACTION 10 /* a tenth of the time since Last-Modified (4.2.2) */
#define HEURISTIC_MOST_MS  (24 * 3600 * 1000LL)

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

/*
 * RFC 9213 2.1: a targeted field is a Structured Fields dictionary (RFC 8941), and one that does
 * not parse is ignored. Members: key, or key "=" integer, token, or string; booleans ?0 ?1.
 * Parameters do not occur.
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

static bool is_dictionary(struct span value)
{
	struct span rest = value, member;
	bool any = false;

	while (http_list_next(&rest, &member)) {
		ptrdiff_t equals = span_index(member, '=');
		struct span key = equals < 0 ? member : span_sub(member, 0, (size_t)equals);

		if (!is_key(key) || (equals >= 0 && !is_bare_item(span_from(member, (size_t)equals + 1))))
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

int64_t policy_born_ms(const struct http_fields *fields, int64_t asked_ms, int64_t answered_ms)
{
	int64_t answered_s = answered_ms / 1000;
	int64_t apparent_s = answered_s - date_of(fields, HTTP_DATE, answered_s, answered_s);
	struct span age = http_fields_value(fields, HTTP_AGE);
	int64_t delay_ms = answered_ms > asked_ms ? answered_ms - asked_ms : 0;
	int64_t corrected_ms;
	uint64_t age_s = 0;
	int r = age.p ? span_to_u64(age, &age_s) : 0;

	if (r == -ERANGE || age_s > SECONDS_MAX)
		age_s = SECONDS_MAX;
	else if (r < 0)
		age_s = 0;
	corrected_ms = (int64_t)age_s * 1000 + delay_ms;
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
	bool *ret_explicit)
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
	preset = preset_default_ms(site, req, fields);
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
	if (asked.no_store || status < 200 || status == 206 || status == 304)
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

static bool is_anonymous(const struct http_req *req)
{
	return !http_fields_find(&req->fields, HTTP_COOKIE) && !http_fields_find(&req->fields, HTTP_AUTHORIZATION);
}

/* "*", or what tells every visitor from every other: the origin hears it from us, so requests do
 * not show it. */
static bool varies_always(const struct http_fields *fields, struct arena *a)
{
	static const enum http_field_id personal[] = { HTTP_X_FORWARDED_FOR, HTTP_X_REAL_IP, HTTP_FORWARDED, HTTP_VIA };
	struct span vary = http_fields_joined(fields, HTTP_VARY, a);

	for (size_t i = 0; i < array_len(personal); i++)
		if (http_list_has(vary, http_field_name(personal[i])))
			return true;
	return http_list_has(vary, SPAN("*"));
}

static int64_t ms_or_none(int32_t seconds)
{
	return seconds < 0 ? -1 : seconds * 1000LL;
}

void policy_of_response(const struct domain *site, const struct http_req *req, unsigned status,
	const struct http_fields *fields, int64_t answered_ms, struct arena *a, struct cache_policy *ret)
{
	struct http_cache_control cc;
	bool targeted, is_explicit;
	int64_t most = preset_most_ms(site, fields);

	directives(fields, a, &cc, &targeted);
	*ret = (struct cache_policy){ .leave_marker = status < 500,
		.stale_while_ms = ms_or_none(cc.stale_while_revalidate),
		.stale_error_ms = ms_or_none(cc.stale_if_error),
		.private_fields = cc.private_fields,
		.no_cache_fields = cc.no_cache_fields };
	ret->always_validate = cc.no_cache && !cc.no_cache_fields.p;
	ret->never_stale = cc.must_revalidate || cc.proxy_revalidate || ret->always_validate;
	ret->no_grace = cc.s_maxage >= 0 && !targeted;
	ret->lifetime_ms = lifetime_ms(site, req, status, fields, &cc, targeted, answered_ms / 1000, &is_explicit);
	if (most >= 0 && ret->lifetime_ms > most)
		ret->lifetime_ms = most;
	ret->storable = ret->lifetime_ms >= 0 && is_permitted(req, status, fields, &cc, targeted) &&
		!varies_always(fields, a) && (is_explicit || !preset_is_disguised(req, fields));
	if (ret->lifetime_ms == 0 && !is_explicit)
		ret->storable = ret->storable && is_anonymous(req);
	ret->shareable = ret->storable && !ret->always_validate && (ret->lifetime_ms > 0 || ret->stale_while_ms > 0);
}

void policy_of_request(const struct http_req *req, struct http_cache_control *ret)
{
	http_cache_control_of(&req->fields, HTTP_CACHE_CONTROL, ret);
	/* RFC 9111 5.4: Pragma counts where Cache-Control is missing. */
	if (!ret->present && http_list_has(http_fields_value(&req->fields, HTTP_PRAGMA), SPAN("no-cache")))
		ret->no_cache = true;
}
