/*
 * MTA-STS of one domain, fetched: the TXT record says that there is a policy, HTTPS brings it (RFC
 * 8461 3).
 *
 * One connection, one GET, no redirects, at most STS_POLICY_MAX bytes, the certificate verified for
 * mta-sts.DOMAIN.
 */
#include <errno.h>
#include "base/clock.h"
#include "base/mem.h"
#include "dns/dns.h"
#include "http/client.h"
#include "survey/scan_priv.h"
#include "tls/tls.h"

#define PORT_HTTPS 443
#define PATH       "/.well-known/mta-sts.txt"

/* ---- the record ---- */

/* The strings of a TXT record as one text. */
static struct span txt_text(struct span data, struct arena *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);

	while (data.n > 0) {
		size_t n = (uint8_t)data.p[0];

		buf_add_span(&text, span_sub(data, 1, n));
		data = span_from(data, 1 + n);
	}
	return arena_span(a, buf_span(&text));
}

static void read_records(struct scan_domain *d, const struct scan_answer *answer)
{
	unsigned found = 0;

	for (unsigned i = 0; i < answer->n; i++) {
		struct span id;
		int r = sts_record_parse(txt_text(answer->v[i], &d->arena), &id);

		if (r == 0)
			continue;
		found++;
		d->sts = r > 0 ? SCAN_STS_UNFETCHED : SCAN_STS_BROKEN_RECORD;
		d->sts_id = id;
		d->sts_why = SPAN("its id is missing or malformed");
	}
	if (found > 1) {
		d->sts = SCAN_STS_BROKEN_RECORD;
		d->sts_why = SPAN("there is more than one");
	}
}

/* ---- the policy ---- */

static int unfetched(struct scan_domain *d, const char *why)
{
	d->sts_why = arena_span(&d->arena, span_of(why));
	return 0;
}

/* NULL, or why the certificate will not do. */
static const char *check_peer(struct scan *s, struct scan_domain *d, struct conn *c, struct span host)
{
	const struct probe_cert *cert;
	struct tls_peer peer;

	if (!tls_conn_peer(c, &d->arena, &peer))
		return "no certificate";
	cert = probe_cert_read(peer.chain, peer.chain_n, host, s->probe.store, clock_wall_s(), &d->arena);
	if (!cert)
		return "no certificate";
	if (cert->name_fits != PROBE_YES)
		return "its certificate is for another name";
	return cert->verify_error ? cert->verify_text : NULL;
}

static const char *check_head(const struct http_resp *resp)
{
	if (resp->status != 200)
		return resp->status / 100 == 3 ? "a redirect, which senders do not follow" : "the answer is not 200";
	if (!span_starts_nocase(http_fields_value(&resp->fields, HTTP_CONTENT_TYPE), SPAN("text/plain")))
		return "its type is not text/plain";
	return NULL;
}

static int get(struct scan *s, struct scan_domain *d, struct conn *conn, struct span host, struct buf *out)
{
	struct http_question question = { .method = SPAN("GET"), .target = SPAN(PATH), .host = host };
	struct http_resp resp;
	const char *why = NULL;
	int r = http_ask(conn, &question, deadline_in(s->probe.answer_ms), &d->arena, &resp, out, NULL);

	if (r == -ECANCELED)
		return r;
	if (r == 0 || r == -ENOBUFS)
		why = check_head(&resp);
	if (!why && r < 0)
		why = r == -ENOBUFS ? "it is too long" : strerror(-r);
	if (why)
		unfetched(d, why);
	return why ? 1 : 0;
}

static int fetch(struct scan *s, struct scan_domain *d, const struct net_addr *a, struct span host, struct buf *out)
{
	const struct tls_client_settings tls = { .name = host, .no_verify = true };
	int error, r;
	_cleanup_(conn_closep) struct conn *c = conn_connect(a, deadline_in(s->probe.connect_ms), &error);
	const char *why;

	if (!c) {
		unfetched(d, strerror(-error));
		return error == -ECANCELED ? error : 1;
	}
	r = tls_connect(c, &tls, deadline_in(s->probe.answer_ms), NULL);
	if (r < 0) {
		unfetched(d, "the TLS handshake fails");
		return r == -ECANCELED ? r : 1;
	}
	why = check_peer(s, d, c, host);
	if (why) {
		unfetched(d, why);
		return 1;
	}
	return get(s, d, c, host, out);
}

/* As polite as with the servers themselves: many domains have their policies at one address. */
static int fetch_politely(struct scan *s, struct scan_domain *d, const struct net_addr *a, struct span host,
	struct buf *out)
{
	struct scan_address *address;
	int r = scan_take_address(s, a, &address);

	if (r < 0)
		return r;
	r = scan_gate(s);
	if (r == 0)
		r = fetch(s, d, a, host, out);
	scan_give_address(s, address);
	return r;
}

static bool is_excepted(const struct scan *s, const struct net_addr *addrs, int n)
{
	for (int i = 0; i < n && s->except; i++)
		if (scan_except_address(s->except, &addrs[i]))
			return true;
	return false;
}

static void parse(struct scan_domain *d, struct span text)
{
	const char *why = "";

	d->sts = SCAN_STS_POLICY;
	if (sts_policy_parse(text, &d->arena, &d->policy, &why) == 0)
		return;
	d->sts = SCAN_STS_MALFORMED;
	d->sts_why = span_of(why);
}

int scan_sts_ask(struct scan *s, struct scan_domain *d)
{
	_cleanup_(buf_done) struct buf policy = BUF_INIT(STS_POLICY_MAX);
	struct span host = arena_spanf(&d->arena, "mta-sts.%.*s", SPAN_ARG(d->name));
	struct net_addr addrs[SCAN_ADDRESSES_MAX];
	struct scan_answer answer;
	int n, r = 1;

	scan_dns_ask(s->dns, arena_spanf(&d->arena, "_mta-sts.%.*s", SPAN_ARG(d->name)), DNS_TYPE_TXT, &d->arena,
		&answer);
	read_records(d, &answer);
	if (d->sts != SCAN_STS_UNFETCHED)
		return 0;
	n = scan_dns_addresses(s->dns, host, PORT_HTTPS, &d->arena, addrs, SCAN_ADDRESSES_MAX);
	if (n <= 0)
		return unfetched(d, "that name has no address");
	if (is_excepted(s, addrs, n)) {
		d->sts = SCAN_STS_OPTED_OUT;
		return 0;
	}
	for (int i = 0; i < n && r == 1; i++)
		r = fetch_politely(s, d, &addrs[i], host, &policy);
	if (r == 0)
		parse(d, buf_span(&policy));
	return r < 0 ? r : 0;
}
