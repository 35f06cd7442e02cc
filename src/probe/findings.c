/*
 * What is wrong with a server, in the codes and sentences of the explanation engine where it has
 * them, else in those of base/fault_scan.tbl.h. First what keeps TLS from beginning, then
 * certificates, then what is old.
 */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "probe/probe_priv.h"
#include "tls/explain.h"

#define DAY_S       86400
#define SOON_DAYS   14
#define RSA_MIN     2048
#define EC_MIN      224
#define DH_MIN      2048
#define NAMES_TOLD  5
#define SUITES_TOLD 4
#define PLACE_SIZE  320

struct findings {
	const struct probe *p;
	struct fault *v;
	unsigned n;
	int64_t now_s;
	char place[PLACE_SIZE];
};

void probe_place(const struct probe *p, char *ret, size_t size)
{
	uint16_t port = net_addr_port(&p->addr);
	bool v6 = span_index(p->host, ':') >= 0;

	if (port == 0 || port == (p->settings->smtp ? 25 : 443))
		snprintf(ret, size, "%.*s", SPAN_ARG(p->host));
	else
		snprintf(ret, size, v6 ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARG(p->host), port);
}

/* A place for what does not fit any more. */
static struct fault *add(struct findings *f, enum fault_code code)
{
	struct fault *fault = &f->v[f->n < PROBE_FINDINGS_MAX ? f->n++ : PROBE_FINDINGS_MAX - 1];

	fault_set(fault, code);
	fault_fact(fault, "place", "%s", f->place);
	return fault;
}

/* ---- TLS does not begin ---- */

/* Plain text where TLS should have begun: how it should have decides what that means. */
static enum fault_code no_tls(const struct probe *p)
{
	if (p->settings->smtp)
		return p->agreed ? FAULT_TLS_SERVER_PLAIN_AFTER_STARTTLS : FAULT_TLS_NOT_TLS;
	return span_starts(p->said, SPAN("220")) ? FAULT_TLS_SERVER_SPEAKS_FIRST : FAULT_TLS_NOT_TLS;
}

static void add_verdict(struct findings *f)
{
	static const enum fault_code codes[PROBE_VERDICT_COUNT] = {
		[PROBE_UNRESOLVED] = FAULT_SCAN_NO_ADDRESS,
		[PROBE_UNREACHABLE] = FAULT_SCAN_UNREACHABLE,
		[PROBE_SILENT] = FAULT_SCAN_SILENT,
		[PROBE_RATE_LIMITED] = FAULT_SCAN_RATE_LIMITED,
		[PROBE_NOT_OFFERED] = FAULT_TLS_NOT_OFFERED,
		[PROBE_MASKED] = FAULT_SCAN_MASKED,
		[PROBE_REFUSED] = FAULT_SCAN_REFUSES_TLS,
		[PROBE_RESET] = FAULT_SCAN_RESET,
		[PROBE_FAILED] = FAULT_TLS_SERVER_REFUSED,
	};
	const struct probe *p = f->p;
	struct fault *fault;

	if (p->verdict == PROBE_TLS)
		return;
	fault = add(f, p->verdict == PROBE_NOT_TLS ? no_tls(p) : codes[p->verdict]);
	if (p->verdict == PROBE_UNRESOLVED)
		fault_fact(fault, "error", "%.*s", SPAN_ARG(p->said));
	else
		fault_fact(fault, "error", "%s", p->error ? strerror(-p->error) : "-");
	fault_fact(fault, "reply", "%.*s", SPAN_ARG(p->said));
	fault_fact(fault, "bytes", "%.*s", SPAN_ARG(p->said));
	fault_fact(fault, "where", "%s", p->settings->smtp ? "or SMTP before it" : "on a TLS port");
	fault_fact(fault, "where_de", "%s", p->settings->smtp ? "kein SMTP und" : "auf einem TLS-Port");
	fault_fact(fault, "count", "%u", p->connections);
	fault_fact(fault, "name", "%.*s", SPAN_ARG(p->host));
	fault_fact(fault, "alert", "alert %u, %s", p->alert, tls_alert_text(p->alert));
	fault_fact(fault, "alert_de", "Alert %u, %s", p->alert, tls_alert_text(p->alert));
}

/* ---- certificates ---- */

static void add_time(struct fault *fault, const char *name, int64_t wall_s)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_s, text);
	fault_fact(fault, name, "%s", text);
}

/* The facts that sentences about certificates want: name, file (here: where it is served), what the
 * peer did (nobody was asked). */
static struct fault *add_cert(struct findings *f, const struct probe_cert *c, enum fault_code code)
{
	struct fault *fault = add(f, code);

	fault_fact(fault, "name", "%.*s", c->names_n ? (int)c->names[0].n : 1, c->names_n ? c->names[0].p : "-");
	fault_fact(fault, "file", "%s", f->place);
	fault_fact(fault, "type", "%s", tls_key_type_text(c->type));
	fault_fact(fault, "refusal", "%s", "");
	fault_fact(fault, "issuer", "%s", c->issuer);
	add_time(fault, "until", c->not_after);
	add_time(fault, "from", c->not_before);
	return fault;
}

static void add_misnamed(struct findings *f, const struct probe_cert *c)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(1024);
	struct fault *fault = add_cert(f, c, FAULT_TLS_CERT_NAME);

	for (unsigned i = 0; i < c->names_n && i < NAMES_TOLD; i++)
		buf_addf(&names, "%s%.*s", i ? ", " : "", SPAN_ARG(c->names[i]));
	if (c->names_n > NAMES_TOLD)
		buf_addf(&names, ", … (%u)", c->names_n);
	fault_fact(fault, "names", "%s", names.n ? buf_text(&names) : "-");
	fault_fact(fault, "name", "%.*s", SPAN_ARG(f->p->host));
}

static void add_weak(struct findings *f, const struct probe_cert *c)
{
	struct fault *fault;

	if ((c->type == TLS_KEY_RSA && c->bits < RSA_MIN) || (c->type == TLS_KEY_ECDSA && c->bits < EC_MIN)) {
		fault = add_cert(f, c, FAULT_TLS_CERT_WEAK);
		fault_fact(fault, "weakness", "a key of %u bits", c->bits);
		fault_fact(fault, "weakness_de", "einen Schlüssel mit %u Bit", c->bits);
	}
	if (c->weak_signature) {
		fault = add_cert(f, c, FAULT_TLS_CERT_WEAK);
		fault_fact(fault, "weakness", "a signature that is too weak (%s)", c->signature);
		fault_fact(fault, "weakness_de", "eine zu schwache Signatur (%s)", c->signature);
	}
}

/* What stands behind the chain. Dates and names have findings of their own. */
static void add_trust(struct findings *f, const struct probe_cert *c)
{
	switch (c->verify_error) {
	case X509_V_OK:
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		add_cert(f, c, FAULT_TLS_CERT_SELF_SIGNED);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		if (c->chain_n == 1) {
			add_cert(f, c, FAULT_TLS_CERT_NO_CHAIN);
			break;
		}
		/* fall through */
	default:
		if (c->for_servers)
			fault_fact(add_cert(f, c, FAULT_TLS_NOT_TRUSTED), "error", "%s", c->verify_text);
	}
	if (!c->for_servers)
		add_cert(f, c, FAULT_TLS_CERT_NOT_FOR_SERVERS);
}

static void add_certificate(struct findings *f, const struct probe_cert *c)
{
	int64_t left_s = c->not_after - f->now_s;

	if (left_s < 0)
		add_cert(f, c, FAULT_TLS_CERT_EXPIRED);
	else if (left_s < SOON_DAYS * DAY_S)
		fault_fact(add_cert(f, c, FAULT_SCAN_CERT_EXPIRES), "days", "%d", (int)(left_s / DAY_S));
	if (c->not_before > f->now_s)
		add_cert(f, c, FAULT_TLS_CERT_NOT_YET_VALID);
	if (c->name_fits == PROBE_NO)
		add_misnamed(f, c);
	if (c->dane == PROBE_NO)
		add_cert(f, c, FAULT_TLS_DANE_MISMATCH);
	add_trust(f, c);
	add_weak(f, c);
}

/* ---- what is old ---- */

static bool is_obsolete(uint16_t number)
{
	return tls_suite_get(number).kind != TLS_SUITE_USUAL;
}

static void list_suites(const struct probe *p, struct buf *out)
{
	for (unsigned i = 0; i < p->suites.n && i < SUITES_TOLD; i++)
		buf_addf(out, "%s%s", i ? ", " : "", tls_suite_text(p->suites.v[i]));
	if (p->suites.n > SUITES_TOLD)
		buf_add_text(out, ", …");
}

static void add_what(struct buf *en, struct buf *de, bool is, const char *word_en, const char *word_de)
{
	if (!is)
		return;
	buf_addf(en, "%s%s", en->n ? ", " : "", word_en);
	buf_addf(de, "%s%s", de->n ? ", " : "", word_de);
}

static void add_obsolete(struct findings *f)
{
	static const struct {
		enum offer_weakness is;
		const char *en, *de;
	} words[] = {
		{ OFFER_EXPORT, "export suites of the 1990s", "Export-Suites der 1990er" },
		{ OFFER_RC4, "RC4", "RC4" },
		{ OFFER_3DES, "3DES", "3DES" },
		{ OFFER_DES, "single DES", "einfaches DES" },
		{ OFFER_IDEA, "IDEA", "IDEA" },
		{ OFFER_NULL, "suites without encryption", "Suites ohne Verschlüsselung" },
		{ OFFER_ANON, "suites without authentication", "Suites ohne Authentisierung" },
	};
	_cleanup_(buf_done) struct buf en = BUF_INIT(512), de = BUF_INIT(512);
	const struct probe *p = f->p;
	struct fault *fault;
	unsigned found = 0;

	for (unsigned i = 0; i < p->suites.n; i++)
		found |= offer_weaknesses(p->suites.v[i]);
	add_what(&en, &de, p->versions[PROBE_SSL2] == PROBE_YES, "SSL 2", "SSL 2");
	add_what(&en, &de, p->versions[PROBE_SSL3] == PROBE_YES, "SSL 3", "SSL 3");
	for (size_t i = 0; i < array_len(words); i++)
		add_what(&en, &de, found & words[i].is, words[i].en, words[i].de);
	if (en.n == 0)
		return;
	fault = add(f, FAULT_SCAN_OBSOLETE);
	fault_fact(fault, "what", "%s", buf_text(&en));
	fault_fact(fault, "what_de", "%s", buf_text(&de));
}

static enum probe_version highest(const struct probe *p)
{
	enum probe_version v = PROBE_TLS13;

	while (v > PROBE_SSL2 && p->versions[v] != PROBE_YES)
		v--;
	return v;
}

static bool all_obsolete(const struct probe *p)
{
	for (unsigned i = 0; i < p->suites.n; i++)
		if (!is_obsolete(p->suites.v[i]) && highest(p) > PROBE_SSL3)
			return false;
	return p->suites_13.n == 0;
}

static void add_age(struct findings *f)
{
	_cleanup_(buf_done) struct buf suites = BUF_INIT(512);
	const struct probe *p = f->p;
	const char *version = tls_version_text(probe_version_number(highest(p)));
	struct fault *fault;

	if (p->versions[highest(p)] != PROBE_YES)
		return;
	if (all_obsolete(p)) {
		list_suites(p, &suites);
		fault = add(f, FAULT_SCAN_ONLY_OBSOLETE);
		fault_fact(fault, "version", "%s", version);
		fault_fact(fault, "suites", "%s", suites.n ? buf_text(&suites) : "-");
		return;
	}
	if (highest(p) < PROBE_TLS12)
		fault_fact(add(f, FAULT_SCAN_OLD_VERSION), "version", "%s", version);
	add_obsolete(f);
}

static void add_rest(struct findings *f)
{
	const struct probe *p = f->p;

	if (p->tlsa_bogus)
		add(f, FAULT_SCAN_DNSSEC_BOGUS);
	if (probe_has_key(p, TLS_KEY_ECDSA) && !probe_has_key(p, TLS_KEY_RSA) && p->verdict == PROBE_TLS)
		add(f, FAULT_SCAN_ECDSA_ONLY);
	if (p->dh_bits && p->dh_bits < DH_MIN)
		fault_fact(add(f, FAULT_SCAN_WEAK_DH), "bits", "%u", p->dh_bits);
	if (p->no_secure_renegotiation)
		add(f, FAULT_TLS_NO_SECURE_RENEGOTIATION);
	if (p->compression)
		add(f, FAULT_SCAN_COMPRESSION);
	if (p->suite_not_offered)
		add(f, FAULT_TLS_SUITE_NOT_OFFERED);
	if (p->session_fault)
		*add(f, p->session_fault->code) = *p->session_fault;
}

unsigned probe_findings(const struct probe *p, int64_t now_s, struct fault *ret)
{
	struct findings f = { .p = p, .v = ret, .now_s = now_s };

	probe_place(p, f.place, sizeof(f.place));
	add_verdict(&f);
	for (unsigned i = 0; i < p->certs_n; i++)
		add_certificate(&f, p->certs[i]);
	add_age(&f);
	add_rest(&f);
	return f.n;
}
