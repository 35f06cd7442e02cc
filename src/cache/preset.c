/*
 * What each preset adds to RFC 9111.
 *
 *   standard   nothing
 *   static     a site of files: what says nothing of freshness is fresh for an hour; marketing
 *              parameters are not part of the key
 *   wordpress  pages without freshness are fresh for ten minutes, files for an hour, HTML never
 *              longer than 10 h (a nonce lives 12 to 24 h); visitors who are logged in, have
 *              commented, or have a cart pass by, and so do the pages where that happens; marketing
 *              parameters are not part of the key
 *   off        nothing is stored
 *
 * A preset speaks only where the origin is silent, and only of what was asked for anonymously: an
 * answer to somebody who is known by a cookie may be his alone, whatever its path looks like.
 *
 * Paths are compared in the form that an origin could make of them at most (path_as_read()): what
 * "//my-account", "/My-Account" and "/x/..%2fmy-account" reach is one page to many servers.
 */
#include "cache/cache_priv.h"

#define MINUTE_MS 60000LL
#define HOUR_MS   (60 * MINUTE_MS)

static const struct preset {
	int64_t html_default_ms, other_default_ms; /* -1: none */
	int64_t html_most_ms;                      /* -1: no bound */
	bool drops_marketing, is_wordpress;
} presets[] = {
	[PRESET_STANDARD] = { -1, -1, -1, false, false },
	[PRESET_WORDPRESS] = { 10 * MINUTE_MS, HOUR_MS, 10 * HOUR_MS, true, true },
	[PRESET_STATIC] = { HOUR_MS, HOUR_MS, -1, true, false },
	[PRESET_OFF] = { -1, -1, -1, false, false },
};

/* Names, or with '*' at the end beginnings of names. wordpress_test_cookie is set for every visitor
 * of the log-in page and says nothing about him. */
static const char *const wordpress_cookies[] = { "wordpress_logged_in*", "wordpress_sec*", "wp-postpass*",
	"comment_author*", "wordpress_no_cache", "woocommerce_items_in_cart", "woocommerce_cart_hash",
	"wp_woocommerce_session_*" };
static const char *const wordpress_paths[] = { "/wp-admin", "/wp-login.php", "/xmlrpc.php", "/cart", "/checkout",
	"/my-account", "/warenkorb", "/kasse", "/mein-konto", "/wp-cron.php" };
/* Of advertisers and newsletters; whole names, for a shop may well have a "utm_..." or "mc_..." of
 * its own. */
static const char *const marketing[] = { "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
	"utm_id", "utm_source_platform", "utm_creative_format", "utm_marketing_tactic", "gclid", "gclsrc", "gbraid",
	"wbraid", "gad_source", "gad_campaignid", "srsltid", "dclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "yclid",
	"ysclid", "ttclid", "twclid", "li_fat_id", "igshid", "igsh", "epik", "_ga", "_gl", "mkt_tok", "hsa_acc",
	"hsa_cam", "hsa_grp", "hsa_ad", "hsa_src", "hsa_tgt", "hsa_kw", "hsa_mt", "hsa_net", "hsa_ver", "_hsenc",
	"_hsmi", "mtm_source", "mtm_medium", "mtm_campaign", "mtm_keyword", "mtm_content", "mtm_cid", "mtm_group",
	"mtm_placement", "pk_source", "pk_medium", "pk_campaign", "pk_keyword", "pk_content", "pk_cid" };
/* Cookies that count visitors or remember that they were asked about cookies: no answer depends on
 * them. */
static const char *const harmless_cookies[] = { "_ga", "_ga_*", "_gid", "_gat", "_gat_*", "_gcl_*", "__utm*", "_fbp",
	"_fbc", "_pk_id*", "_pk_ses*", "_pk_ref*", "_uetsid", "_uetvid", "_hj*", "_clck", "_clsk", "_tt_*",
	"_pin_unauth", "__cf_bm", "_cfuvid", "cf_clearance", "OptanonConsent", "OptanonAlertBoxClosed", "CookieConsent",
	"cookie_notice_accepted", "cookieyes-consent", "borlabs-cookie", "cmplz_*", "moove_gdpr_popup",
	"viewed_cookie_policy", "cookielawinfo-*", "wordpress_test_cookie" };
/* Beside Authorization and cookies: fields by which programs say who they are. */
static const char *const credentials[] = { "X-Api-Key", "X-Auth-Token", "X-Access-Token", "X-Session-Token",
	"X-WP-Nonce", "Api-Key", "Apikey" };

static bool matches(struct span name, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span pattern = span_of(patterns[i]);

		if (pattern.p[pattern.n - 1] == '*' ? span_starts(name, span_sub(pattern, 0, pattern.n - 1))
						    : span_eq(name, pattern))
			return true;
	}
	return false;
}

/* "wordpress_" and hexadecimal digits: the authentication cookie. */
static bool is_wordpress_auth(struct span name)
{
	struct span prefix = SPAN("wordpress_");

	if (!span_starts(name, prefix) || name.n == prefix.n)
		return false;
	for (size_t i = prefix.n; i < name.n; i++)
		if (!ascii_digit(name.p[i]) && !(name.p[i] >= 'a' && name.p[i] <= 'f'))
			return false;
	return true;
}

static bool is_wordpress_cookie(struct span name)
{
	return is_wordpress_auth(name) || matches(name, wordpress_cookies, array_len(wordpress_cookies));
}

static bool is_telling_cookie(struct span name)
{
	return name.n > 0 && !matches(name, harmless_cookies, array_len(harmless_cookies));
}

static bool has_cookie(const struct http_fields *fields, bool (*is_one)(struct span name))
{
	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value, pair;

		if (fields->v[i].id != HTTP_COOKIE)
			continue;
		while (span_cut(&rest, ';', &pair)) {
			ptrdiff_t equals = span_index(pair, '=');

			if (is_one(span_trim(equals < 0 ? pair : span_sub(pair, 0, (size_t)equals))))
				return true;
		}
	}
	return false;
}

bool preset_is_anonymous(const struct http_req *req)
{
	if (http_fields_find(&req->fields, HTTP_AUTHORIZATION) || has_cookie(&req->fields, is_telling_cookie))
		return false;
	for (size_t i = 0; i < array_len(credentials); i++)
		if (http_fields_find_name(&req->fields, span_of(credentials[i])))
			return false;
	return true;
}

/* ---- paths ---- */

/* %HH decoded in place. The new length. */
static size_t decode(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		char byte;

		if (p[i] == '%' && i + 2 < n && span_from_hex(span_make(p + i + 1, 2), &byte, 1) == 0) {
			p[to++] = byte;
			i += 2;
		} else {
			p[to++] = p[i];
		}
	}
	return to;
}

/* "." and ".." and empty segments taken out in place, as far as they end with a slash or the path.
 * The new length. */
static size_t resolve_dots(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		struct span segment;

		while (end < n && p[end] != '/')
			end++;
		segment = span_make(p + i + 1, end - i - 1);
		if (span_eq(segment, SPAN(".."))) {
			while (to > 0 && p[--to] != '/')
				;
		} else if (segment.n > 0 && !span_eq(segment, SPAN("."))) {
			memmove(p + to, p + i, end - i);
			to += end - i;
		}
		i = end;
	}
	return to;
}

/*
 * What an origin could make of a path at most, in lower case: decoded twice (a server before the
 * program that decodes again), backslashes for slashes, slashes together, dots resolved, parameters
 * of segments (";x") taken off. "/a/" is "/a", "/" is "".
 */
static struct span path_as_read(struct span path, struct arena *a)
{
	char *p = arena_text(a, path);
	size_t n = decode(p, decode(p, path.n)), to = 0;
	bool parameter = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i] == '\\' ? '/' : ascii_lower(p[i]);

		parameter = c == '/' ? false : parameter || c == ';';
		if (!parameter)
			p[to++] = c;
	}
	return span_make(p, to > 0 && p[0] == '/' ? resolve_dots(p, to) : to);
}

static bool goes_on(char c)
{
	return ascii_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

/* The page itself or what lies below it; also in a folder of its own ("/blog/wp-admin/"). */
static bool is_wordpress_private_path(struct span path)
{
	struct arena a;
	bool found = false;

	arena_init(&a, 1024);
	path = path_as_read(path, &a);
	for (size_t i = 0; i < array_len(wordpress_paths) && !found; i++) {
		struct span part = span_of(wordpress_paths[i]);
		struct span rest = path;
		ptrdiff_t at;

		while (!found && (at = span_find(rest, part)) >= 0) {
			rest = span_from(rest, (size_t)at + part.n);
			found = rest.n == 0 || !goes_on(rest.p[0]);
		}
	}
	arena_done(&a);
	return found;
}

const char *preset_bypass(const struct domain *site, const struct http_req *req)
{
	if (req->method != HTTP_GET && req->method != HTTP_HEAD)
		return "method";
	if (site->preset == PRESET_OFF || req->has_body)
		return "bypass";
	if (!presets[site->preset].is_wordpress)
		return NULL;
	return is_wordpress_private_path(req->path) || has_cookie(&req->fields, is_wordpress_cookie) ? "bypass" : NULL;
}

struct span preset_target(const struct domain *site, struct span target, struct arena *a)
{
	ptrdiff_t question = span_index(target, '?');
	struct span rest, pair;
	struct buf out;

	if (question < 0 || !presets[site->preset].drops_marketing)
		return target;
	buf_init(&out, target.n);
	buf_add_span(&out, span_sub(target, 0, (size_t)question));
	rest = span_from(target, (size_t)question + 1);
	for (char separator = '?'; span_cut(&rest, '&', &pair);) {
		ptrdiff_t equals = span_index(pair, '=');

		if (matches(equals < 0 ? pair : span_sub(pair, 0, (size_t)equals), marketing, array_len(marketing)))
			continue;
		buf_add_char(&out, separator);
		buf_add_span(&out, pair);
		separator = '&';
	}
	target = arena_span(a, buf_span(&out));
	buf_done(&out);
	return target;
}

static bool is_html(const struct http_fields *fields)
{
	struct span type = http_fields_value(fields, HTTP_CONTENT_TYPE);

	return span_starts_nocase(type, SPAN("text/html")) || span_starts_nocase(type, SPAN("application/xhtml"));
}

/* What the origin is asked when this is fetched for all: parameters that are left out are none. */
static bool has_question(const struct domain *site, const struct http_req *req, struct arena *a)
{
	return req->query.p && span_index(preset_target(site, req->target, a), '?') >= 0;
}

int64_t preset_default_ms(const struct domain *site, const struct http_req *req, const struct http_fields *fields,
	struct arena *a)
{
	const struct preset *p = &presets[site->preset];

	/* An answer to a question or to somebody in particular gets no lifetime that the origin did
	 * not give. */
	if (has_question(site, req, a) || !preset_is_anonymous(req))
		return -1;
	return is_html(fields) ? p->html_default_ms : p->other_default_ms;
}

int64_t preset_most_ms(const struct domain *site, const struct http_fields *fields)
{
	return is_html(fields) ? presets[site->preset].html_most_ms : -1;
}

static bool ends_with(struct span path, struct span ending)
{
	return path.n >= ending.n && span_eq_nocase(span_from(path, path.n - ending.n), ending);
}

/*
 * Web cache deception: /account/x.css answered with the account page. The ending proves nothing, so
 * the type must agree with it, or the origin must have said how long.
 */
bool preset_is_disguised(const struct http_req *req, const struct http_fields *fields, struct arena *a)
{
	static const char *const endings[] = { ".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg",
		".ico", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp4", ".webm", ".mp3", ".ogg", ".pdf", ".zip",
		".gz", ".json", ".map", ".txt", ".xml" };
	struct span type = http_fields_value(fields, HTTP_CONTENT_TYPE);
	struct span path;

	if (!is_html(fields) && type.n > 0)
		return false;
	path = path_as_read(req->path, a);
	for (size_t i = 0; i < array_len(endings); i++)
		if (ends_with(path, span_of(endings[i])) || ends_with(req->path, span_of(endings[i])))
			return true;
	return false;
}
