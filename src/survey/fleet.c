/* Servers as sets of traits, and their sums. See survey/fleet.h. */
#include "survey/fleet.h"
#include <errno.h>
#include <jansson.h>
#include "base/mem.h"
#include "io/net.h"

#define DAY_S     86400
#define SOON_DAYS 30

void fleet_init(struct fleet *f)
{
	*f = (struct fleet){ 0 };
	arena_init(&f->arena, 1 << 16);
	map_init(&f->places);
}

void fleet_done(struct fleet *f)
{
	f->v = mem_free(f->v);
	f->n = 0;
	map_done(&f->places);
	arena_done(&f->arena);
}

/* ---- reading a line ---- */

static struct span text_of(struct fleet *f, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_string(value)
		? arena_span(&f->arena, span_make(json_string_value(value), json_string_length(value)))
		: SPAN("");
}

static void add_trait(struct fleet_host *h, enum fleet_kind kind, struct span name)
{
	for (unsigned i = 0; i < h->traits_n; i++)
		if (h->traits[i].kind == kind && span_eq(h->traits[i].name, name))
			return;
	if (h->traits_n < FLEET_TRAITS_MAX && name.n)
		h->traits[h->traits_n++] = (struct fleet_trait){ kind, name };
}

static void add_list(struct fleet *f, struct fleet_host *h, enum fleet_kind kind, json_t *list)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (json_is_string(value))
			add_trait(h, kind, arena_span(&f->arena, span_of(json_string_value(value))));
	}
}

static void add_signatures(struct fleet *f, struct fleet_host *h, json_t *list)
{
	json_t *value;
	size_t i;

	h->signatures = arena_array(&f->arena, struct span, json_array_size(list) + 1);
	json_array_foreach(list, i, value)
	{
		if (json_is_string(value))
			h->signatures[h->signatures_n++] = arena_span(&f->arena, span_of(json_string_value(value)));
	}
}

/* Their names as probe_json() writes them; also the order of the bits of fleet_host.asked. */
static const char *const versions[] = { "SSL 2", "SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" };

static void add_versions(struct fleet_host *h, json_t *object)
{
	for (size_t i = 0; i < array_len(versions); i++) {
		json_t *value = json_object_get(object, versions[i]);

		if (!value)
			continue;
		h->asked |= 1u << i;
		if (json_is_true(value))
			add_trait(h, FLEET_VERSION, span_of(versions[i]));
	}
}

static void add_certs(struct fleet *f, struct fleet_host *h, json_t *list)
{
	json_t *cert;
	size_t i;

	json_array_foreach(list, i, cert)
	{
		if (h->certs_n == FLEET_CERTS_MAX)
			break;
		h->certs[h->certs_n].type = text_of(f, cert, "type");
		h->certs[h->certs_n].sha256 = text_of(f, cert, "sha256");
		h->certs[h->certs_n].not_after = json_integer_value(json_object_get(cert, "not_after"));
		h->certs[h->certs_n].trusted = json_is_true(json_object_get(cert, "trusted"));
		h->certs[h->certs_n].name_fits = !json_is_false(json_object_get(cert, "name_fits"));
		add_trait(h, FLEET_KEY, h->certs[h->certs_n].type);
		add_trait(h, FLEET_ISSUER, text_of(f, cert, "issuer"));
		h->certs_n++;
	}
}

/* The network of an address, or the name without its first label. */
static struct span siblings_of(struct fleet *f, struct span host)
{
	ptrdiff_t dot = span_index(host, '.');
	char text[NET_ADDR_SIZE];
	struct net_addr a;

	if (net_addr_parse_host(host, &a) < 0)
		return dot < 0 ? SPAN("") : span_from(host, (size_t)dot + 1);
	if (a.sa.sa_family == AF_INET)
		memset((char *)&a.in.sin_addr + 3, 0, 1);
	else
		memset((char *)&a.in6.sin6_addr + 8, 0, 8);
	net_addr_host_text(&a, text);
	return arena_spanf(&f->arena, "%s/%d", text, a.sa.sa_family == AF_INET ? 24 : 64);
}

static struct span place_of(struct fleet *f, json_t *line, struct span host)
{
	json_int_t port = json_integer_value(json_object_get(line, "port"));
	const char *starttls = json_string_value(json_object_get(line, "starttls"));

	if (port <= 0 || port == (starttls && strcmp(starttls, "smtp") == 0 ? 25 : 443))
		return host;
	return arena_spanf(&f->arena, span_index(host, ':') < 0 ? "%.*s:%lld" : "[%.*s]:%lld", SPAN_ARG(host),
		(long long)port);
}

static void add_host(struct fleet *f, json_t *line)
{
	struct fleet_host *h = arena_new(&f->arena, struct fleet_host);
	struct span host = text_of(f, line, "host");
	struct fleet_trait *all = mem_zalloc(FLEET_TRAITS_MAX, sizeof(*all));

	h->place = place_of(f, line, host);
	h->siblings = siblings_of(f, host);
	h->verdict = text_of(f, line, "verdict");
	h->address = text_of(f, line, "address");
	h->asked_at = json_integer_value(json_object_get(line, "asked_at"));
	h->kept = json_is_true(json_object_get(line, "cached"));
	h->full = json_is_true(json_object_get(line, "full"));
	h->traits = all;
	add_versions(h, json_object_get(line, "versions"));
	add_certs(f, h, json_object_get(line, "certificates"));
	if (json_integer_value(json_object_get(json_object_get(line, "tlsa"), "records")) > 0)
		add_trait(h, FLEET_TLSA, SPAN("TLSA"));
	add_list(f, h, FLEET_SUITE, json_object_get(line, "suites_13"));
	add_list(f, h, FLEET_SUITE, json_object_get(line, "suites"));
	add_list(f, h, FLEET_GROUP, json_object_get(line, "groups"));
	add_signatures(f, h, json_object_get(line, "signatures"));
	h->traits =
		memcpy(arena_array(&f->arena, struct fleet_trait, h->traits_n + 1), all, h->traits_n * sizeof(*all));
	mem_free(all);
	if (map_put(&f->places, h->place, h))
		/* twice in one file: the last counts for comparisons, the first stays in sums */
		return;
	if ((f->n & (f->n - 1)) == 0)
		f->v = mem_resize(f->v, f->n ? 2 * (size_t)f->n : 1, sizeof(*f->v));
	f->v[f->n++] = h;
}

int fleet_add(struct fleet *f, struct span line)
{
	json_t *object = json_loadb(line.p, line.n, 0, NULL);
	const char *schema = json_string_value(json_object_get(object, "schema"));
	bool ours = schema && strcmp(schema, "torhaus.tls-scan/1") == 0;
	int r = object ? !ours : -EINVAL;

	if (ours && json_is_string(json_object_get(object, "host")))
		add_host(f, object);
	json_decref(object);
	return r;
}

void fleet_trait_print(const struct fleet_trait *t, enum fault_lang lang, struct buf *out)
{
	static const char *const formats[FLEET_KIND_COUNT][2] = {
		[FLEET_VERSION] = { "%.*s", "%.*s" },
		[FLEET_KEY] = { "%.*s certificate", "%.*s-Zertifikat" },
		[FLEET_ISSUER] = { "issuer %.*s", "Aussteller %.*s" },
		[FLEET_TLSA] = { "%.*s records", "%.*s-Einträge" },
		[FLEET_SUITE] = { "suite %.*s", "Suite %.*s" },
		[FLEET_GROUP] = { "group %.*s", "Gruppe %.*s" },
	};

	buf_addf(out, formats[t->kind][lang], SPAN_ARG(t->name));
}

/* ---- sums ---- */

static bool has(const struct fleet_host *h, enum fleet_kind kind, const char *name)
{
	for (unsigned i = 0; i < h->traits_n; i++)
		if (h->traits[i].kind == kind && span_eq(h->traits[i].name, span_of(name)))
			return true;
	return false;
}

static bool is_unknown(const struct fleet_host *h)
{
	static const char *const verdicts[] = { "unresolved", "unreachable", "silent", "rate-limited" };

	for (size_t i = 0; i < array_len(verdicts); i++)
		if (span_eq(h->verdict, span_of(verdicts[i])))
			return true;
	return false;
}

static void sum_certs(const struct fleet_host *h, int64_t now_s, struct fleet_sums *s)
{
	bool expired = false, expiring = false, untrusted = false, misnamed = false;
	bool rsa = has(h, FLEET_KEY, "RSA"), ecdsa = has(h, FLEET_KEY, "ECDSA");

	for (unsigned i = 0; i < h->certs_n; i++) {
		expired |= h->certs[i].not_after < now_s;
		expiring |= h->certs[i].not_after >= now_s && h->certs[i].not_after < now_s + SOON_DAYS * DAY_S;
		untrusted |= !h->certs[i].trusted;
		misnamed |= !h->certs[i].name_fits;
	}
	s->expired += expired;
	s->expiring += expiring;
	s->untrusted += untrusted;
	s->misnamed += misnamed;
	s->both += rsa && ecdsa;
	s->rsa_only += rsa && !ecdsa;
	s->ecdsa_only += ecdsa && !rsa;
}

void fleet_sum(const struct fleet *f, int64_t now_s, struct fleet_sums *ret)
{
	*ret = (struct fleet_sums){ .servers = f->n };
	for (unsigned i = 0; i < f->n; i++) {
		const struct fleet_host *h = f->v[i];
		bool v13 = has(h, FLEET_VERSION, "TLS 1.3"), v12 = has(h, FLEET_VERSION, "TLS 1.2");

		ret->kept += h->kept;
		if (span_eq(h->verdict, SPAN("opted-out"))) {
			ret->opted_out++;
			continue;
		}
		if (is_unknown(h)) {
			ret->unknown++;
			continue;
		}
		if (!span_eq(h->verdict, SPAN("tls"))) {
			ret->without_tls++;
			continue;
		}
		ret->tls++;
		ret->without_13 += !v13;
		ret->below_12 += !v13 && !v12;
		ret->older += has(h, FLEET_VERSION, "TLS 1.1") || has(h, FLEET_VERSION, "TLS 1.0") ||
			has(h, FLEET_VERSION, "SSL 3") || has(h, FLEET_VERSION, "SSL 2");
		ret->tlsa += has(h, FLEET_TLSA, "TLSA");
		sum_certs(h, now_s, ret);
	}
}
