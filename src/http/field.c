/*
 * Field names and lists of fields; methods and reasons.
 *
 * A name finds its id through a small open-addressed table over length, first and last
 * letter, filled from the X-macro before main(). Most names arrive in the table's own
 * spelling, so an exact comparison comes first.
 *
 * A list is an array in the arena of whoever adds; it doubles when full and the old array
 * stays behind until the arena dies. Removing closes the gap and keeps the order.
 */
#include "http/http_priv.h"

#define SLOTS 256

static const struct {
	struct span name;
	unsigned flags;
} known[HTTP_FIELD_COUNT] = {
#define HTTP_FIELD(id, name, flags) [HTTP_##id] = { { (name), sizeof(name) - 1 }, (flags) },
#include "http/field.tbl.h"
#undef HTTP_FIELD
};
static uint8_t slots[SLOTS];

static inline unsigned slot_of(struct span name)
{
	/* The factors were found by trying: two names find their slot taken. Folds more than
	 * letters; the comparison that follows does not. */
	unsigned first = (unsigned char)name.p[0] | 0x20;
	unsigned last = (unsigned char)name.p[name.n - 1] | 0x20;

	return (first * 9 + last * 17 + (unsigned)name.n * 15) % SLOTS;
}

__attribute__((constructor)) static void slots_fill(void)
{
	for (unsigned id = 1; id < HTTP_FIELD_COUNT; id++) {
		unsigned at = slot_of(known[id].name);

		while (slots[at])
			at = (at + 1) % SLOTS;
		slots[at] = (uint8_t)id;
	}
}

enum http_field_id http_field_id_of(struct span name)
{
	unsigned at;

	if (name.n == 0)
		return HTTP_OTHER;
	for (at = slot_of(name); slots[at]; at = (at + 1) % SLOTS) {
		struct span is = known[slots[at]].name;

		if (is.n != name.n)
			continue;
		if (memcmp(is.p, name.p, name.n) == 0 || span_eq_nocase(is, name))
			return slots[at];
	}
	return HTTP_OTHER;
}

struct span http_field_name(enum http_field_id id)
{
	return known[id].name;
}

unsigned http_field_flags(enum http_field_id id)
{
	return known[id].flags;
}

const struct http_field *http_fields_find(const struct http_fields *f, enum http_field_id id)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			return &f->v[i];
	return NULL;
}

struct span http_fields_value(const struct http_fields *f, enum http_field_id id)
{
	const struct http_field *field = http_fields_find(f, id);

	return field ? field->value : (struct span){ 0 };
}

const struct http_field *http_fields_find_name(const struct http_fields *f, struct span name)
{
	enum http_field_id id = http_field_id_of(name);

	if (id != HTTP_OTHER)
		return http_fields_find(f, id);
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == HTTP_OTHER && span_eq_nocase(f->v[i].name, name))
			return &f->v[i];
	return NULL;
}

unsigned http_fields_count(const struct http_fields *f, enum http_field_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++)
		n += f->v[i].id == id;
	return n;
}

struct span http_fields_joined(const struct http_fields *f, enum http_field_id id, struct arena *a)
{
	const struct http_field *first = http_fields_find(f, id);
	size_t size = 0;
	char *p, *at;

	if (!first || http_fields_count(f, id) == 1)
		return first ? first->value : (struct span){ 0 };
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			size += f->v[i].value.n + 2;
	p = at = arena_alloc(a, size);
	for (unsigned i = 0; i < f->n; i++) {
		if (f->v[i].id != id)
			continue;
		if (at != p)
			at = mempcpy(at, ", ", 2);
		if (f->v[i].value.n)
			at = mempcpy(at, f->v[i].value.p, f->v[i].value.n);
	}
	return span_make(p, (size_t)(at - p));
}

void http_fields_push(struct http_fields *f, struct arena *a, struct http_field field)
{
	if (f->n == f->room) {
		unsigned room = f->room ? f->room * 2u : 16;
		struct http_field *v;

		must(room <= UINT16_MAX);
		v = arena_alloc(a, room * sizeof(*v));
		if (f->n)
			memcpy(v, f->v, f->n * sizeof(*v));
		f->v = v;
		f->room = (uint16_t)room;
	}
	f->v[f->n++] = field;
}

void http_fields_add(struct http_fields *f, struct arena *a, enum http_field_id id, struct span value)
{
	must(id != HTTP_OTHER);
	http_fields_push(f, a, (struct http_field){ .name = known[id].name, .value = value, .id = (uint8_t)id });
}

void http_fields_add_name(struct http_fields *f, struct arena *a, struct span name, struct span value)
{
	http_fields_push(f, a,
		(struct http_field){ .name = name, .value = value, .id = (uint8_t)http_field_id_of(name) });
}

void http_fields_remove(struct http_fields *f, enum http_field_id id)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id != id)
			f->v[kept++] = f->v[i];
	f->n = (uint16_t)kept;
}

/* Does one of the Connection fields name this field? The parsers bound the options' number. */
static bool named_by_connection(const struct http_fields *f, struct span name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == HTTP_CONNECTION && http_list_has(f->v[i].value, name))
			return true;
	return false;
}

void http_fields_strip_named(struct http_fields *f)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < f->n; i++) {
		const struct http_field field = f->v[i];

		if ((known[field.id].flags & (HTTP_NO_STRIP | HTTP_HOP)) || !named_by_connection(f, field.name))
			f->v[kept++] = field;
	}
	f->n = (uint16_t)kept;
}

void http_fields_strip_hop(struct http_fields *f)
{
	unsigned kept = 0;

	if (http_fields_find(f, HTTP_CONNECTION))
		http_fields_strip_named(f);
	for (unsigned i = 0; i < f->n; i++)
		if (!(known[f->v[i].id].flags & HTTP_HOP))
			f->v[kept++] = f->v[i];
	f->n = (uint16_t)kept;
}

bool http_method_safe(enum http_method m)
{
	return m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS || m == HTTP_TRACE;
}

bool http_method_idempotent(enum http_method m)
{
	return http_method_safe(m) || m == HTTP_PUT || m == HTTP_DELETE;
}

/* ---- claims ---- */

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

/* ---- reasons ---- */

/* RFC 9110 15, and the registered ones of other RFCs that origins use. */
const char *http_reason(unsigned status)
{
	static const char *const reasons[][32] = {
		[1] = { "Continue", "Switching Protocols", "Processing", "Early Hints" },
		[2] = { "OK", "Created", "Accepted", "Non-Authoritative Information", "No Content", "Reset Content",
			"Partial Content", "Multi-Status", "Already Reported", [26] = "IM Used" },
		[3] = { "Multiple Choices", "Moved Permanently", "Found", "See Other", "Not Modified",
			"Use Proxy", [7] = "Temporary Redirect", "Permanent Redirect" },
		[4] = { "Bad Request", "Unauthorized", "Payment Required", "Forbidden", "Not Found",
			"Method Not Allowed", "Not Acceptable", "Proxy Authentication Required", "Request Timeout",
			"Conflict", "Gone", "Length Required", "Precondition Failed", "Content Too Large",
			"URI Too Long", "Unsupported Media Type", "Range Not Satisfiable",
			"Expectation Failed", [21] = "Misdirected Request", "Unprocessable Content", "Locked",
			"Failed Dependency", "Too Early", "Upgrade Required", [28] = "Precondition Required",
			"Too Many Requests", [31] = "Request Header Fields Too Large" },
		[5] = { "Internal Server Error", "Not Implemented", "Bad Gateway", "Service Unavailable",
			"Gateway Timeout", "HTTP Version Not Supported", "Variant Also Negotiates",
			"Insufficient Storage", "Loop Detected", [10] = "Not Extended",
			"Network Authentication Required" },
	};
	unsigned class = status / 100, rest = status % 100;

	if (status == 451)
		return "Unavailable For Legal Reasons";
	if (class < 1 || class > 5 || rest > 31 || !reasons[class][rest])
		return "";
	return reasons[class][rest];
}
