/*
 * What a load balancer or CDN in front of us says of the visitor: X-Forwarded-For and
 * X-Forwarded-Proto, or Forwarded (RFC 7239).
 *
 * Each hop adds its peer at the end, so the list is read from there: as long as the addresses are
 * trusted ones (more balancers in a row), the next to the left was written by one of them. What is
 * left of the first address that is not trusted came from the visitor and is worth nothing. An
 * element that is no address ends the reading; the one to its right counts then.
 */
#include "web/web_priv.h"

#define HOPS_MAX 64 /* further ones, to the left, are not looked at */

static bool is_trusted(const struct net_prefix *trusted, unsigned n, const struct net_addr *a)
{
	for (unsigned i = 0; i < n; i++)
		if (net_prefix_contains(&trusted[i], a))
			return true;
	return false;
}

/* The last elements of the list, in order. Their number. */
static unsigned last_elements(struct span list, struct span ret[HOPS_MAX])
{
	struct span element;
	unsigned n = 0;

	while (http_list_next(&list, &element)) {
		if (n == HOPS_MAX)
			memmove(ret, ret + 1, --n * sizeof(*ret));
		ret[n++] = element;
	}
	return n;
}

static struct span unquoted(struct span s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return span_sub(s, 1, s.n - 2);
	return s;
}

/* The value of a parameter of a Forwarded element (RFC 7239 4); .p == NULL if it has none. */
static struct span parameter(struct span element, struct span name)
{
	struct span part, key;

	while (span_cut(&element, ';', &part)) {
		while (part.n && (part.p[0] == ' ' || part.p[0] == '\t'))
			part = span_from(part, 1);
		if (span_cut(&part, '=', &key) && span_eq_nocase(key, name) && part.p)
			return unquoted(part);
	}
	return (struct span){ 0 };
}

/* An address, with a port or without, in brackets or not. */
static bool parse_hop(struct span text, struct net_addr *ret)
{
	if (net_addr_parse_host(text, ret) == 0)
		return true;
	return text.n > 0 && net_addr_parse(text, 0, ret) == 0 && ret->sa.sa_family != AF_UNIX;
}

static int tls_of(struct span scheme)
{
	if (span_eq_nocase(scheme, SPAN("https")) || span_eq_nocase(scheme, SPAN("wss")))
		return 1;
	return span_eq_nocase(scheme, SPAN("http")) || span_eq_nocase(scheme, SPAN("ws")) ? 0 : -1;
}

bool web_forwarded_read(const struct http_fields *fields, enum web_forwarded_by by, const struct net_prefix *trusted,
	unsigned n, struct arena *a, struct net_addr *ret_client, int *ret_tls)
{
	bool standard = by == WEB_FORWARDED_BY_STANDARD, found = false;
	enum http_field_id id = standard ? HTTP_FORWARDED : HTTP_X_FORWARDED_FOR;
	struct span hops[HOPS_MAX], protos[HOPS_MAX];
	unsigned hops_n = last_elements(http_fields_joined(fields, id, a), hops), protos_n;
	struct net_addr hop;

	for (unsigned i = hops_n; i-- > 0;) {
		if (!parse_hop(standard ? parameter(hops[i], SPAN("for")) : hops[i], &hop))
			break;
		*ret_client = hop;
		found = true;
		if (!is_trusted(trusted, n, &hop))
			break;
	}
	*ret_tls = -1;
	if (standard && hops_n > 0)
		*ret_tls = tls_of(parameter(hops[hops_n - 1], SPAN("proto")));
	if (standard)
		return found;
	protos_n = last_elements(http_fields_joined(fields, HTTP_X_FORWARDED_PROTO, a), protos);
	if (protos_n > 0)
		*ret_tls = tls_of(protos[protos_n - 1]);
	return found;
}

void web_believe_balancer(struct web_request *r)
{
	const struct web_settings *s = &r->state->settings;
	struct net_addr client;
	int tls;

	if (!is_trusted(s->forwarded_from, s->forwarded_from_n, r->x->client))
		return;
	if (web_forwarded_read(&r->x->req.fields, s->forwarded_by, s->forwarded_from, s->forwarded_from_n, r->x->arena,
		    &client, &tls)) {
		struct net_addr *copy = arena_new(r->x->arena, struct net_addr);

		*copy = client;
		r->asked.client = copy;
	}
	if (tls >= 0)
		r->x->req.tls = tls;
}
