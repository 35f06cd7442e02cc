/*
 * A probe's results as JSON: the lines of `torhaus tls scan --json`, which `--compare` reads again.
 * Suites, groups and signature algorithms go by their names; times are seconds since 1970. What was
 * not asked is left out, so that a quick scan does not make a server look poor.
 */
#include <stdio.h>
#include "base/mem.h"
#include "probe/probe_priv.h"
#include "tls/explain.h"

static const char *const version_words[PROBE_VERSION_COUNT] = { "SSL 2", "SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2",
	"TLS 1.3" };

static const struct {
	const char *word, *text[2];
} verdicts[PROBE_VERDICT_COUNT] = {
	[PROBE_TLS] = { "tls", { "TLS", "TLS" } },
#define VERDICT(id, word, en, de) [PROBE_##id] = { word, { en, de } },
#include "probe/verdict.tbl.h"
#undef VERDICT
};

const char *probe_verdict_word(enum probe_verdict v)
{
	return verdicts[v].word;
}

const char *probe_verdict_text(enum probe_verdict v, enum fault_lang lang)
{
	return verdicts[v].text[lang];
}

static void versions(struct jsonw *j, const struct probe *p)
{
	jsonw_object(j, "versions");
	for (unsigned v = 0; v < PROBE_VERSION_COUNT; v++)
		if (p->versions[v] != PROBE_NOT_ASKED)
			jsonw_bool(j, version_words[v], p->versions[v] == PROBE_YES);
	jsonw_end(j);
}

static const char *signature_name(uint16_t number)
{
	static _Thread_local char unknown[8];
	const struct tls_signature *s = tls_signature_find(number);

	snprintf(unknown, sizeof(unknown), "0x%04x", number);
	return s ? s->name : unknown;
}

static void list(struct jsonw *j, const char *key, const struct offer *o, const char *(*text)(uint16_t))
{
	jsonw_array(j, key);
	for (unsigned i = 0; i < o->n; i++)
		jsonw_text(j, NULL, text(o->v[i]));
	jsonw_end(j);
}

static void print(struct jsonw *j, const char *key, const uint8_t bytes[32])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);

	buf_add_hex(&text, bytes, 32);
	jsonw_span(j, key, buf_span(&text));
}

static void certificate(struct jsonw *j, const struct probe_cert *c)
{
	jsonw_object(j, NULL);
	jsonw_text(j, "type", tls_key_type_text(c->type));
	jsonw_text(j, "key", c->key);
	jsonw_text(j, "subject", c->subject);
	jsonw_text(j, "issuer", c->issuer);
	jsonw_array(j, "names");
	for (unsigned i = 0; i < c->names_n; i++)
		jsonw_span(j, NULL, c->names[i]);
	jsonw_end(j);
	jsonw_int(j, "not_before", c->not_before);
	jsonw_int(j, "not_after", c->not_after);
	jsonw_text(j, "signature", c->signature);
	print(j, "sha256", c->sha256);
	print(j, "spki_sha256", c->spki_sha256);
	jsonw_uint(j, "chain", c->chain_n);
	jsonw_bool(j, "self_signed", c->self_signed);
	jsonw_bool(j, "trusted", c->verify_error == X509_V_OK);
	jsonw_text(j, "verify", c->verify_text);
	if (c->name_fits != PROBE_NOT_ASKED)
		jsonw_bool(j, "name_fits", c->name_fits == PROBE_YES);
	if (c->dane != PROBE_NOT_ASKED)
		jsonw_bool(j, "dane", c->dane == PROBE_YES);
	jsonw_end(j);
}

static void age(struct jsonw *j, const struct probe *p)
{
	struct probe_age a = probe_age(p);

	if (a.year == 0)
		return;
	jsonw_object(j, "age");
	jsonw_uint(j, "year", a.year);
	jsonw_text(j, "word", a.word_en);
	jsonw_text(j, "rule", a.rule_en);
	jsonw_end(j);
}

static void session(struct jsonw *j, const struct probe *p)
{
	if (!p->session_suite)
		return;
	jsonw_object(j, "session");
	jsonw_text(j, "version", p->session_version);
	jsonw_text(j, "suite", p->session_suite);
	jsonw_text(j, "group", p->session_group);
	jsonw_end(j);
}

static void findings(struct jsonw *j, const struct probe *p, int64_t now_s)
{
	struct fault *all = mem_zalloc(PROBE_FINDINGS_MAX, sizeof(*all));
	unsigned n = probe_findings(p, now_s, all);

	jsonw_array(j, "findings");
	for (unsigned i = 0; i < n; i++)
		fault_json(j, NULL, &all[i]);
	jsonw_end(j);
	mem_free(all);
}

void probe_json(struct jsonw *j, const struct probe *p, int64_t now_s)
{
	char address[NET_ADDR_SIZE] = "";

	jsonw_span(j, "host", p->host);
	if (p->addr.n)
		net_addr_host_text(&p->addr, address);
	jsonw_text(j, "address", p->addr.n ? address : NULL);
	jsonw_uint(j, "port", net_addr_port(&p->addr));
	jsonw_text(j, "starttls", p->settings->smtp ? "smtp" : "none");
	jsonw_text(j, "verdict", probe_verdict_word(p->verdict));
	jsonw_int(j, "asked_at", now_s);
	jsonw_uint(j, "connections", p->connections);
	jsonw_uint(j, "took_ms", p->took_ms);
	if (p->settings->smtp)
		jsonw_uint(j, "greeting_ms", p->greeting_ms);
	if (p->said.n)
		jsonw_span(j, "said", p->said);
	versions(j, p);
	jsonw_bool(j, "full", p->full);
	jsonw_bool(j, "ordered", p->ordered);
	jsonw_bool(j, "follows_client", p->follows_client);
	list(j, "suites_13", &p->suites_13, tls_suite_text);
	list(j, "suites", &p->suites, tls_suite_text);
	list(j, "groups", &p->groups, tls_group_text);
	list(j, "signatures", &p->signatures, signature_name);
	jsonw_bool(j, "signatures_all", p->signatures_all);
	if (p->obsolete != PROBE_NOT_ASKED)
		jsonw_bool(j, "obsolete", p->obsolete == PROBE_YES);
	if (p->dh_bits)
		jsonw_uint(j, "dh_bits", p->dh_bits);
	jsonw_array(j, "certificates");
	for (unsigned i = 0; i < p->certs_n; i++)
		certificate(j, p->certs[i]);
	jsonw_end(j);
	if (p->tlsa_n || p->tlsa_bogus) {
		jsonw_object(j, "tlsa");
		jsonw_uint(j, "records", p->tlsa_n);
		jsonw_uint(j, "usable", p->tlsa_usable);
		jsonw_bool(j, "bogus", p->tlsa_bogus);
		jsonw_end(j);
	}
	session(j, p);
	age(j, p);
	findings(j, p, now_s);
}
