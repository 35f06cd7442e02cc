/*
 * Fields by which a request could claim to come from somebody else, by another way, or to ask for
 * something else: those with HTTP_FORWARDING in the table (http/field.tbl.h), and what load
 * balancers, CDNs and frameworks have invented beside them. Origins believe such fields, and none
 * is part of the cache's key.
 *
 * CGI makes a variable of a name and folds into '_' whatever is no letter or digit (some servers
 * only '-', PHP also '.' and ' '), so names are compared after that: "True.Client_IP" is
 * "True-Client-IP" to the program behind.
 */
#include "base/mem.h"
#include "http/http.h"

#define COMPARED_MAX 64 /* bytes of a name that are looked at */

/* Whole names, or with '*' at the end beginnings of names. "Proxy" becomes HTTP_PROXY in CGI. */
static const char *const claims[] = { "X-Forwarded", "X-Forwarded-*", "X-Forward-*", "Forwarded-*", "X-Original-*",
	"X-Originating-*", "X-Rewrite-*", "X-Real-*", "X-Remote-*", "Remote-Addr*", "Remote-Host", "Remote-User",
	"Client-Address", "X-Client-Address", "X-Client-Host", "X-Source-Address", "True-Client-*", "CF-*",
	"CloudFront-*", "Fastly-Client*", "Fastly-SSL", "Fastly-FF", "Akamai-*", "Incap-*", "X-Sucuri-*", "Fly-*",
	"X-Vercel-*", "X-Nf-*", "X-Azure-*", "X-Arr-*", "X-AppEngine-*", "X-Appgw-*", "X-Envoy-*", "X-ProxyUser-*",
	"WL-Proxy-*", "Ali-CDN-*", "X-Scheme", "X-URL-Scheme", "Front-End-Https", "X-HTTPS", "HTTPS",
	"X-Http-Host-Override", "X-Server-Name", "X-Backend-Host", "X-HTTP-Destinationurl", "Base-Url",
	"X-HTTP-Method*", "X-Method*", "HTTP-*", "Proxy", "Proxy-Host" };
/* No browser sends a name that ends like this. */
static const char *const address_endings[] = { "-IP", "-ClientIP", "-IPv4", "-IPv6", "-IP-Address", "-Remote-Addr",
	"-Client-Addr", "-Client-Address" };

static bool matches(struct span name, struct span pattern)
{
	if (pattern.p[pattern.n - 1] == '*')
		return span_starts_nocase(name, span_sub(pattern, 0, pattern.n - 1));
	return span_eq_nocase(name, pattern);
}

static bool ends_like(struct span name, struct span ending)
{
	return name.n > ending.n && span_eq_nocase(span_from(name, name.n - ending.n), ending);
}

bool http_field_claims(const struct http_field *f)
{
	char folded[COMPARED_MAX];
	/* Of a longer name the beginning. */
	struct span name = span_sub(f->name, 0, sizeof(folded));

	if (f->id != HTTP_OTHER)
		return http_field_flags(f->id) & HTTP_FORWARDING;
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		folded[i] = ascii_digit(c) || (c >= 'a' && c <= 'z') ? c : '-';
	}
	name.p = folded;
	/* A twin of a field that we know: Accept_Language would choose what is stored and not be
	 * seen by Vary. */
	if (http_field_id_of(name) != HTTP_OTHER && name.n == f->name.n)
		return true;
	for (size_t i = 0; i < array_len(claims); i++)
		if (matches(name, span_of(claims[i])))
			return true;
	for (size_t i = 0; i < array_len(address_endings); i++)
		if (ends_like(name, span_of(address_endings[i])))
			return true;
	return false;
}
