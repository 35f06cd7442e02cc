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
	"/my-account", "/wp-cron.php" };
static const char *const marketing[] = { "utm_*", "gclid", "gclsrc", "gbraid", "wbraid", "dclid", "fbclid", "msclkid",
	"mc_*", "yclid", "ttclid", "twclid", "li_fat_id", "igshid", "_ga", "_gl", "mkt_tok", "hsa_*" };

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

static bool has_wordpress_cookie(const struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value, pair;

		if (fields->v[i].id != HTTP_COOKIE)
			continue;
		while (span_cut(&rest, ';', &pair)) {
			ptrdiff_t equals = span_index(pair, '=');
			struct span name = span_trim(equals < 0 ? pair : span_sub(pair, 0, (size_t)equals));

			if (is_wordpress_auth(name) || matches(name, wordpress_cookies, array_len(wordpress_cookies)))
				return true;
		}
	}
	return false;
}

/* The page itself or what lies below it; also in a folder of its own ("/blog/wp-admin/"). */
static bool is_wordpress_private_path(struct span path)
{
	for (size_t i = 0; i < array_len(wordpress_paths); i++) {
		struct span part = span_of(wordpress_paths[i]);
		struct span rest = path;
		ptrdiff_t at;

		while ((at = span_find(rest, part)) >= 0) {
			rest = span_from(rest, (size_t)at + part.n);
			if (rest.n == 0 || rest.p[0] == '/')
				return true;
		}
	}
	return false;
}

const char *preset_bypass(const struct domain *site, const struct http_req *req)
{
	if (req->method != HTTP_GET && req->method != HTTP_HEAD)
		return "method";
	if (site->preset == PRESET_OFF || req->has_body)
		return "bypass";
	if (!presets[site->preset].is_wordpress)
		return NULL;
	return is_wordpress_private_path(req->path) || has_wordpress_cookie(&req->fields) ? "bypass" : NULL;
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

int64_t preset_default_ms(const struct domain *site, const struct http_req *req, const struct http_fields *fields)
{
	const struct preset *p = &presets[site->preset];

	/* An answer to a question or to somebody in particular gets no lifetime that the origin did
	 * not give. */
	if (req->query.p || http_fields_find(&req->fields, HTTP_AUTHORIZATION))
		return -1;
	return is_html(fields) ? p->html_default_ms : p->other_default_ms;
}

int64_t preset_most_ms(const struct domain *site, const struct http_fields *fields)
{
	return is_html(fields) ? presets[site->preset].html_most_ms : -1;
}

/*
 * Web cache deception: /account/x.css answered with the account page. The ending proves nothing, so
 * the type must agree with it, or the origin must have said how long.
 */
bool preset_is_disguised(const struct http_req *req, const struct http_fields *fields)
{
	static const char *const endings[] = { ".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg",
		".ico", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp4", ".webm", ".mp3", ".ogg", ".pdf", ".zip",
		".gz", ".json", ".map", ".txt", ".xml" };
	struct span type = http_fields_value(fields, HTTP_CONTENT_TYPE);

	for (size_t i = 0; i < array_len(endings); i++)
		if (span_ends(req->path, span_of(endings[i])))
			return is_html(fields) || type.n == 0;
	return false;
}
