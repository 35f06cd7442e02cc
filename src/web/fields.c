/*
 * Fields on their way through: what the origin gets of a request, what the visitor gets of an
 * answer.
 *
 * The rule for requests: no field that is not part of the cache's key may let a client pretend that
 * it came from elsewhere or asked for something else. Such fields (http_field_claims()) are dropped
 * and, where origins rely on them, set by us alone.
 */
#include "web/web_priv.h"

/* Ours to write, or not for others to hear. */
static bool stays_here(const struct http_field *f, bool conditional)
{
	unsigned flags = http_field_flags(f->id);

	if (flags & (HTTP_HOP | HTTP_FRAMING))
		return true;
	if (f->id == HTTP_EXPECT || f->id == HTTP_VIA)
		return true;
	return !conditional && (flags & HTTP_CONDITIONAL);
}

struct span web_host(const struct web_asked *q)
{
	const struct http_req *req = q->req;

	if (req->port == 0 || req->port == (req->tls ? 443 : 80))
		return req->host;
	return arena_spanf(q->arena, "%.*s:%u", SPAN_ARG(req->host), req->port);
}

struct span web_origin_host(const struct web_asked *q)
{
	return q->site->origin_host.n ? q->site->origin_host : web_host(q);
}

static void add_forwarding(const struct web_asked *q, struct http_fields *out)
{
	struct arena *a = q->arena;
	const struct http_req *req = q->req;
	struct span proto = req->tls ? SPAN("https") : SPAN("http");
	struct span via = http_fields_joined(&req->fields, HTTP_VIA, a);
	struct span host = web_host(q);
	char text[NET_ADDR_SIZE];
	struct span client;
	bool v6;

	net_addr_host_text(q->client, text);
	client = arena_span(a, span_of(text));
	v6 = span_index(client, ':') >= 0;
	http_fields_add(out, a, HTTP_X_FORWARDED_FOR, client);
	http_fields_add(out, a, HTTP_X_FORWARDED_PROTO, proto);
	http_fields_add(out, a, HTTP_X_FORWARDED_HOST, host);
	http_fields_add(out, a, HTTP_X_REAL_IP, client);
	http_fields_add(out, a, HTTP_FORWARDED,
		arena_spanf(a, "for=%s%.*s%s;host=\"%.*s\";proto=%.*s", v6 ? "\"[" : "", SPAN_ARG(client),
			v6 ? "]\"" : "", SPAN_ARG(host), SPAN_ARG(proto)));
	http_fields_add(out, a, HTTP_VIA,
		arena_spanf(a, "%.*s%s%.*s %s", SPAN_ARG(via), via.n ? ", " : "", SPAN_ARG(req->version),
			q->web->pseudonym));
}

void web_origin_fields(const struct web_asked *q, bool conditional, struct http_fields *ret)
{
	*ret = (struct http_fields){ 0 };
	for (unsigned i = 0; i < q->req->fields.n; i++) {
		const struct http_field *f = &q->req->fields.v[i];

		if (!http_field_claims(f) && !stays_here(f, conditional))
			http_fields_push(ret, q->arena, *f);
	}
	add_forwarding(q, ret);
}

bool web_is_loop(const struct web_asked *q)
{
	const struct http_fields *fields = &q->req->fields;

	for (unsigned i = 0; i < fields->n; i++)
		if (fields->v[i].id == HTTP_VIA && span_find(fields->v[i].value, span_of(q->web->pseudonym)) >= 0)
			return true;
	return false;
}

/* Meant for caches (us), not for visitors; Age, Cache-Status and HSTS are written anew where
 * due. */
static bool is_for_us(enum http_field_id id)
{
	return id == HTTP_CDN_CACHE_CONTROL || id == HTTP_CACHE_TAG || id == HTTP_SURROGATE_KEY;
}

/* Alt-Svc would lead the visitor past us, to a port of the origin's own. */
void web_answer_fields(struct web_request *r, const struct http_fields *of, struct http_fields *ret)
{
	bool hsts = r->x->req.tls && r->asked.site && r->asked.site->hsts_ms > 0;
	struct arena *a = r->x->arena;

	*ret = (struct http_fields){ 0 };
	for (unsigned i = 0; i < of->n; i++) {
		const struct http_field *f = &of->v[i];

		if (http_field_flags(f->id) & (HTTP_HOP | HTTP_FRAMING))
			continue;
		if (f->id == HTTP_ALT_SVC && !(r->asked.site && r->asked.site->alt_svc))
			continue;
		if (is_for_us(f->id) || (hsts && f->id == HTTP_STRICT_TRANSPORT_SECURITY))
			continue;
		http_fields_push(ret, a, *f);
	}
	if (hsts)
		http_fields_add(ret, a, HTTP_STRICT_TRANSPORT_SECURITY,
			arena_spanf(a, "max-age=%llu", (unsigned long long)(r->asked.site->hsts_ms / 1000)));
}
