/*
 * A probe's result as a line of JSON, and back. See survey/scan_cache.h.
 *
 * A line is probe_json()'s with one member more:
 *   "cache": {"quick", "helo", "answer_ms": how it was asked; "errno", "alert": numbers; "flags":
 *   names of what holds;
 *             "chains": [["base64 of DER", …], …]: the certificates, leaf first; "session_fault":
 *             fault_pack() of it}
 * Texts came from a server once; they are made safe for terminals again, for the file may have been
 * edited.
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "survey/scan_cache.h"

#define TEXT_MAX 4096
#define DER_MAX  65536

static const struct {
	const char *name;
	size_t at; /* a bool of struct probe */
} flags[] = {
#define FLAG(member) \
	{ \
#member, offsetof(struct probe, member) \
	}
	FLAG(full), FLAG(ordered), FLAG(follows_client), FLAG(signatures_all), FLAG(no_secure_renegotiation),
	FLAG(extended_master_secret), FLAG(compression), FLAG(wants_client_cert), FLAG(suite_not_offered), FLAG(no_rsa),
	FLAG(session)
#undef FLAG
};

static bool *flag_of(struct probe *p, size_t i)
{
	return (bool *)((char *)p + flags[i].at);
}

/* ---- writing ---- */

static void write_chains(struct jsonw *j, const struct probe *p)
{
	jsonw_array(j, "chains");
	for (unsigned i = 0; i < p->certs_n; i++) {
		jsonw_array(j, NULL);
		for (unsigned k = 0; k < p->certs[i]->chain_n; k++) {
			struct span der = p->certs[i]->chain[k];
			char *text = mem_alloc(der.n / 3 * 4 + 8);
			int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)der.p, (int)der.n);

			jsonw_span(j, NULL, span_make(text, (size_t)n));
			mem_free(text);
		}
		jsonw_end(j);
	}
	jsonw_end(j);
}

void scan_kept_write(const struct probe *p, int64_t now_s, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.tls-scan/1");
	probe_json(&j, p, now_s);
	jsonw_object(&j, "cache");
	jsonw_bool(&j, "quick", p->settings->quick);
	jsonw_text(&j, "helo", p->settings->helo ? p->settings->helo : "");
	jsonw_uint(&j, "answer_ms", p->settings->answer_ms);
	jsonw_uint(&j, "errno", (unsigned)-p->error);
	jsonw_uint(&j, "alert", p->alert);
	jsonw_array(&j, "flags");
	for (size_t i = 0; i < array_len(flags); i++)
		if (*flag_of((struct probe *)p, i))
			jsonw_text(&j, NULL, flags[i].name);
	jsonw_end(&j);
	write_chains(&j, p);
	if (p->session_fault) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(4 * FAULT_TEXT_MAX);

		fault_pack(p->session_fault, &text);
		jsonw_span(&j, "session_fault", buf_span(&text));
	}
	jsonw_end(&j);
	jsonw_end(&j);
}

/* ---- reading ---- */

/* Empty if it is no text. */
static struct span text_of(json_t *object, const char *key, struct arena *a)
{
	json_t *value = json_object_get(object, key);
	char text[TEXT_MAX];

	if (!json_is_string(value))
		return SPAN("");
	return arena_span(a,
		span_make(text,
			fmt_safe(span_make(json_string_value(value), json_string_length(value)), "", text,
				sizeof(text))));
}

static uint64_t number_of(json_t *object, const char *key, uint64_t max)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n < 0 ? 0 : (uint64_t)n > max ? max : (uint64_t)n;
}

static bool find_verdict(struct span word, enum probe_verdict *ret)
{
	for (enum probe_verdict v = PROBE_TLS; v < PROBE_VERDICT_COUNT; v++)
		if (span_eq(word, span_of(probe_verdict_word(v)))) {
			*ret = v;
			return true;
		}
	return false;
}

static int read_head(json_t *object, struct arena *a, struct scan_kept *ret)
{
	json_t *cache = json_object_get(object, "cache");
	const char *schema = json_string_value(json_object_get(object, "schema"));

	if (!schema || strcmp(schema, "torhaus.tls-scan/1") != 0 || !json_is_object(cache))
		return -EINVAL;
	ret->host = text_of(object, "host", a);
	ret->address = text_of(object, "address", a);
	ret->starttls = text_of(object, "starttls", a);
	ret->helo = text_of(cache, "helo", a);
	ret->port = (uint16_t)number_of(object, "port", UINT16_MAX);
	ret->asked_at = json_integer_value(json_object_get(object, "asked_at"));
	ret->answer_ms = number_of(cache, "answer_ms", UINT32_MAX);
	ret->quick = !json_is_false(json_object_get(cache, "quick"));
	if (!find_verdict(text_of(object, "verdict", a), &ret->verdict))
		return -EINVAL;
	return ret->host.n && ret->address.n && ret->port ? 0 : -EINVAL;
}

int scan_kept_read(struct span line, struct arena *a, struct scan_kept *ret)
{
	json_t *object = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	int r;

	*ret = (struct scan_kept){ .line = line };
	r = object ? read_head(object, a, ret) : -EINVAL;
	json_decref(object);
	return r;
}

static bool read_signature(struct span name, uint16_t *ret)
{
	const struct tls_signature *s = tls_signature_named(name);

	if (s)
		*ret = s->number;
	return s;
}

static bool read_list(json_t *object, const char *key, bool (*find)(struct span, uint16_t *), struct offer *ret)
{
	json_t *list = json_object_get(object, key), *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		struct span name = span_make(json_string_value(value), json_string_length(value));
		uint16_t number;
		uint64_t wide;

		if (span_starts(name, SPAN("0x")) && span_to_hex_u64(span_from(name, 2), &wide) == 0 &&
			wide <= UINT16_MAX)
			number = (uint16_t)wide;
		else if (!json_is_string(value) || !find(name, &number))
			return false;
		offer_add(ret, number);
	}
	return json_is_array(list);
}

static enum probe_answer read_answer(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_true(value) ? PROBE_YES : json_is_false(value) ? PROBE_NO : PROBE_NOT_ASKED;
}

static void read_versions(json_t *object, struct probe *p)
{
	static const char *const names[PROBE_VERSION_COUNT] = { "SSL 2", "SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2",
		"TLS 1.3" };

	for (unsigned v = 0; v < PROBE_VERSION_COUNT; v++)
		p->versions[v] = read_answer(object, names[v]);
}

static bool read_der(json_t *value, struct arena *a, struct span *ret)
{
	size_t n = json_string_length(value);
	const char *text = json_string_value(value);
	unsigned char *der;
	int got;

	if (!json_is_string(value) || n == 0 || n % 4 || n > DER_MAX)
		return false;
	der = arena_alloc(a, n / 4 * 3);
	got = EVP_DecodeBlock(der, (const unsigned char *)text, (int)n);
	if (got != (int)(n / 4 * 3))
		return false;
	got -= (text[n - 1] == '=') + (text[n - 2] == '=');
	*ret = span_make(der, (size_t)got);
	return true;
}

static bool read_chain(json_t *list, int64_t now_s, struct probe *p)
{
	struct span chain[WIRE_CHAIN_MAX];
	struct probe_cert *cert;
	unsigned n = 0;
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (n == WIRE_CHAIN_MAX || !read_der(value, p->arena, &chain[n++]))
			return false;
	}
	cert = probe_cert_read(chain, n, p->host, p->settings->store, now_s, p->arena);
	if (!cert || p->certs_n == PROBE_CERTS_MAX)
		return false;
	p->certs[p->certs_n++] = cert;
	return true;
}

static void read_session(json_t *object, json_t *cache, struct probe *p)
{
	json_t *session = json_object_get(object, "session"), *packed = json_object_get(cache, "session_fault");
	struct fault *fault;

	if (json_is_object(session)) {
		p->session_version = text_of(session, "version", p->arena).p;
		p->session_suite = text_of(session, "suite", p->arena).p;
		p->session_group = text_of(session, "group", p->arena).p;
	}
	if (!json_is_string(packed))
		return;
	fault = arena_new(p->arena, struct fault);
	if (fault_unpack(span_make(json_string_value(packed), json_string_length(packed)), p->arena, fault) == 0)
		p->session_fault = fault;
}

static void read_flags(json_t *list, struct probe *p)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		for (size_t k = 0; json_is_string(value) && k < array_len(flags); k++)
			if (strcmp(json_string_value(value), flags[k].name) == 0)
				*flag_of(p, k) = true;
	}
}

/* What does not depend on the name that was asked for. */
static void restore_verdict(json_t *object, const struct scan_kept *k, struct probe *p)
{
	json_t *cache = json_object_get(object, "cache");

	p->verdict = k->verdict;
	p->said = text_of(object, "said", p->arena);
	p->error = -(int)number_of(cache, "errno", 4095);
	p->alert = (uint8_t)number_of(cache, "alert", UINT8_MAX);
	p->connections = (unsigned)number_of(object, "connections", 100000);
	p->took_ms = number_of(object, "took_ms", UINT32_MAX);
	p->greeting_ms = number_of(object, "greeting_ms", UINT32_MAX);
}

static bool restore_tls(json_t *object, int64_t now_s, struct probe *p)
{
	json_t *cache = json_object_get(object, "cache"), *chain;
	bool ok = read_list(object, "suites_13", tls_suite_find, &p->suites_13) &&
		read_list(object, "suites", tls_suite_find, &p->suites) &&
		read_list(object, "groups", tls_group_find, &p->groups) &&
		read_list(object, "signatures", read_signature, &p->signatures);
	size_t i;

	read_versions(json_object_get(object, "versions"), p);
	p->dh_bits = (unsigned)number_of(object, "dh_bits", UINT16_MAX);
	p->obsolete = read_answer(object, "obsolete");
	read_flags(json_object_get(cache, "flags"), p);
	read_session(object, cache, p);
	json_array_foreach(json_object_get(cache, "chains"), i, chain)
	{
		ok = ok && read_chain(chain, now_s, p);
	}
	/* Certificates that were there and cannot be read again would be a false "none". */
	return ok && json_array_size(json_object_get(object, "certificates")) == p->certs_n;
}

int scan_kept_restore(const struct scan_kept *k, bool whole, int64_t now_s, struct probe *p)
{
	json_t *object = json_loadb(k->line.p, k->line.n, JSON_REJECT_DUPLICATES, NULL);
	const struct probe blank = { .settings = p->settings,
		.host = p->host,
		.addr = p->addr,
		.gate = p->gate,
		.gate_arg = p->gate_arg,
		.arena = p->arena };
	bool ok = object != NULL;

	if (ok)
		restore_verdict(object, k, p);
	if (ok && whole)
		ok = restore_tls(object, now_s, p);
	json_decref(object);
	if (!ok)
		*p = blank;
	return ok ? 0 : -EINVAL;
}
