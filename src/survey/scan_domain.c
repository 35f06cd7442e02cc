/* A domain's MX names, and what its MTA-STS policy demands of them. See survey/scan_domain.h. */
#include "survey/scan_domain.h"
#include <errno.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "dns/dns.h"

/* ---- MX ---- */

struct mx {
	unsigned preference;
	struct span name; /* empty: the root, of a null MX */
};

static bool read_mx(struct span record, struct arena *a, struct mx *ret)
{
	char text[DNS_NAME_TEXT_SIZE];
	struct dns_reader r;
	struct dns_name name;

	dns_reader_init(&r, record);
	ret->preference = dns_read_u16(&r);
	dns_read_name(&r, &name);
	if (r.error)
		return false;
	dns_name_lower(&name);
	ret->name = name.n == 1 ? SPAN("") : arena_span(a, span_make(text, dns_name_text(&name, text)));
	return true;
}

static unsigned sort_in(struct mx *list, unsigned n, struct mx m)
{
	unsigned at = n;

	for (; at > 0 && list[at - 1].preference > m.preference; at--)
		list[at] = list[at - 1];
	list[at] = m;
	return n + 1;
}

static void add_mx(struct scan *s, struct scan_domain *d, struct span name)
{
	struct scan_host *h;

	if (scan_add(s, name, false) < 0)
		return;
	h = scan_find(s, name, s->port);
	if (h && d->mx_n < SCAN_MX_MAX)
		d->mx[d->mx_n++] = h;
}

int scan_domain_ask(struct scan *s, struct scan_domain *d)
{
	struct mx list[SCAN_RECORDS_MAX];
	struct scan_answer answer;
	unsigned n = 0;
	int r;

	d->opted_out = s->except && scan_except_name(s->except, d->name);
	if (d->opted_out)
		return 0;
	r = scan_dns_ask(s->dns, d->name, DNS_TYPE_MX, &d->arena, &answer);
	d->secure = answer.secure;
	d->bogus = answer.bogus;
	for (unsigned i = 0; i < answer.n; i++) {
		struct mx m;

		if (read_mx(answer.v[i], &d->arena, &m))
			n = sort_in(list, n, m);
	}
	d->null_mx = n == 1 && list[0].name.n == 0;
	if (d->null_mx)
		return 0;
	for (unsigned i = 0; i < n; i++)
		add_mx(s, d, list[i].name);
	/* Without any, the domain's own address is meant (RFC 5321 5.1). */
	if (r == -ENOENT)
		add_mx(s, d, d->name);
	else if (r < 0)
		d->error = r;
	return scan_sts_ask(s, d);
}

/* ---- findings ---- */

struct domain_findings {
	const struct scan_domain *d;
	struct fault *v;
	unsigned n;
};

static struct fault *add(struct domain_findings *f, enum fault_code code)
{
	struct fault *fault = &f->v[f->n < SCAN_DOMAIN_FINDINGS_MAX ? f->n++ : SCAN_DOMAIN_FINDINGS_MAX - 1];

	fault_set(fault, code);
	fault_fact(fault, "domain", "%.*s", SPAN_ARG(f->d->name));
	fault_fact(fault, "place", "%.*s", SPAN_ARG(f->d->name));
	fault_fact(fault, "mode", "%s", sts_mode_text(f->d->policy.mode));
	return fault;
}

/* Why a sender that obeys the policy would not deliver there; NULL: it would, or nobody knows. */
static const char *policy_obstacle(const struct probe *p, const char **ret_de)
{
	static const bool without_tls[PROBE_VERDICT_COUNT] = {
		[PROBE_NOT_OFFERED] = true,
		[PROBE_MASKED] = true,
		[PROBE_REFUSED] = true,
		[PROBE_RESET] = true,
		[PROBE_FAILED] = true,
	};

	if (without_tls[p->verdict]) {
		*ret_de = "es spricht kein TLS";
		return "it speaks no TLS";
	}
	for (unsigned i = 0; i < p->certs_n; i++) {
		if (p->certs[i]->name_fits == PROBE_NO) {
			*ret_de = "es ist für einen anderen Namen";
			return "it is for another name";
		}
		if (p->certs[i]->verify_error != X509_V_OK) {
			*ret_de = p->certs[i]->verify_text;
			return p->certs[i]->verify_text;
		}
	}
	return NULL;
}

static void add_policy(struct domain_findings *f)
{
	const struct scan_domain *d = f->d;

	for (unsigned i = 0; i < d->mx_n && d->policy.mode != STS_NONE; i++) {
		const char *why, *why_de = NULL;
		struct fault *fault;

		if (!sts_policy_covers(&d->policy, d->mx[i]->name))
			fault_fact(add(f, FAULT_SCAN_STS_MX), "mx", "%.*s", SPAN_ARG(d->mx[i]->name));
		why = d->mx[i]->done && !d->mx[i]->opted_out ? policy_obstacle(&d->mx[i]->probe, &why_de) : NULL;
		if (!why)
			continue;
		fault = add(f, FAULT_SCAN_STS_CERT);
		fault_fact(fault, "mx", "%.*s", SPAN_ARG(d->mx[i]->name));
		fault_fact(fault, "why", "%s", why);
		fault_fact(fault, "why_de", "%s", why_de);
	}
}

unsigned scan_domain_findings(const struct scan_domain *d, struct fault *ret)
{
	static const enum fault_code codes[] = {
		[SCAN_STS_BROKEN_RECORD] = FAULT_SCAN_STS_RECORD,
		[SCAN_STS_UNFETCHED] = FAULT_SCAN_STS_FETCH,
		[SCAN_STS_MALFORMED] = FAULT_SCAN_STS_POLICY,
	};
	struct domain_findings f = { .d = d, .v = ret };

	if (d->bogus)
		add(&f, FAULT_SCAN_DNSSEC_BOGUS);
	else if (d->error)
		fault_fact(add(&f, FAULT_SCAN_MX_UNKNOWN), "error", "%s", scan_dns_error_text(d->error));
	if (d->sts == SCAN_STS_POLICY)
		add_policy(&f);
	else if (d->sts != SCAN_STS_ABSENT && d->sts != SCAN_STS_OPTED_OUT)
		fault_fact(add(&f, codes[d->sts]), "why", "%.*s", SPAN_ARG(d->sts_why));
	return f.n;
}

/* ---- as a document ---- */

static void sts_json(struct jsonw *j, const struct scan_domain *d)
{
	if (d->sts == SCAN_STS_ABSENT)
		return;
	jsonw_object(j, "mta_sts");
	jsonw_span(j, "id", d->sts_id);
	if (d->sts == SCAN_STS_OPTED_OUT)
		jsonw_bool(j, "opted_out", true);
	if (d->sts == SCAN_STS_POLICY) {
		jsonw_text(j, "mode", sts_mode_text(d->policy.mode));
		jsonw_uint(j, "max_age", d->policy.max_age_s);
		jsonw_array(j, "mx");
		for (unsigned i = 0; i < d->policy.mx_n; i++)
			jsonw_span(j, NULL, d->policy.mx[i]);
		jsonw_end(j);
	}
	jsonw_end(j);
}

void scan_domain_json(struct jsonw *j, const struct scan_domain *d)
{
	struct fault *found = mem_zalloc(SCAN_DOMAIN_FINDINGS_MAX, sizeof(*found));
	unsigned n = scan_domain_findings(d, found);

	jsonw_span(j, "domain", d->name);
	jsonw_array(j, "mx");
	for (unsigned i = 0; i < d->mx_n; i++)
		jsonw_span(j, NULL, d->mx[i]->name);
	jsonw_end(j);
	if (d->opted_out)
		jsonw_bool(j, "opted_out", true);
	jsonw_bool(j, "null_mx", d->null_mx);
	jsonw_bool(j, "dnssec", d->secure);
	sts_json(j, d);
	jsonw_array(j, "findings");
	for (unsigned i = 0; i < n; i++)
		fault_json(j, NULL, &found[i]);
	jsonw_end(j);
	mem_free(found);
}
