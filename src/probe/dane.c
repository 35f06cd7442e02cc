/*
 * TLSA records against the certificates that are served (RFC 6698, RFC 7672 for SMTP).
 *
 * For SMTP only usages 2 (a CA of the chain) and 3 (the certificate itself) count; the others are
 * taken as not there (RFC 7672 3.1.3). Every certificate that a server serves must be covered:
 * which one a sender gets is not the operator's choice.
 */
#include <openssl/sha.h>
#include "base/reader.h"
#include "probe/probe_priv.h"

enum { USAGE_CA = 2, USAGE_LEAF = 3 };
enum { SELECT_ALL = 0, SELECT_KEY = 1 };
enum { MATCH_ALL = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

struct tlsa {
	uint8_t usage, selector, matching;
	struct span data;
};

static bool read_tlsa(struct span record, struct tlsa *ret)
{
	struct reader r = reader_of(record);

	ret->usage = (uint8_t)reader_number(&r, 1);
	ret->selector = (uint8_t)reader_number(&r, 1);
	ret->matching = (uint8_t)reader_number(&r, 1);
	ret->data = r.rest;
	return !r.error && ret->data.n > 0 && (ret->usage == USAGE_CA || ret->usage == USAGE_LEAF) &&
		ret->selector <= SELECT_KEY && ret->matching <= MATCH_SHA512;
}

static bool data_fits(const struct tlsa *t, struct span what)
{
	unsigned char digest[SHA512_DIGEST_LENGTH];

	if (t->matching == MATCH_ALL)
		return span_eq(t->data, what);
	if (t->matching == MATCH_SHA256) {
		SHA256((const unsigned char *)what.p, what.n, digest);
		return span_eq(t->data, span_make(digest, SHA256_DIGEST_LENGTH));
	}
	SHA512((const unsigned char *)what.p, what.n, digest);
	return span_eq(t->data, span_make(digest, SHA512_DIGEST_LENGTH));
}

static bool cert_fits(const struct tlsa *t, struct span der)
{
	const unsigned char *at = (const unsigned char *)der.p;
	unsigned char *key = NULL;
	bool fits = false;
	X509 *x;
	int n;

	if (t->selector == SELECT_ALL)
		return data_fits(t, der);
	x = d2i_X509(NULL, &at, (long)der.n);
	n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &key) : 0;
	if (n > 0)
		fits = data_fits(t, span_make(key, (size_t)n));
	OPENSSL_free(key);
	X509_free(x);
	ERR_clear_error();
	return fits;
}

static bool chain_fits(const struct tlsa *t, const struct probe_cert *c)
{
	if (t->usage == USAGE_LEAF)
		return cert_fits(t, c->chain[0]);
	/* With a CA the name must fit, too (RFC 7672 3.1.2). */
	for (unsigned i = 1; i < c->chain_n; i++)
		if (cert_fits(t, c->chain[i]))
			return c->name_fits != PROBE_NO;
	return false;
}

void probe_dane(struct probe *p, const struct span *records, unsigned n)
{
	struct tlsa t;

	p->tlsa_n = n;
	p->tlsa_usable = 0;
	for (unsigned i = 0; i < n; i++)
		p->tlsa_usable += read_tlsa(records[i], &t);
	for (unsigned c = 0; c < p->certs_n && p->tlsa_usable > 0; c++) {
		p->certs[c]->dane = PROBE_NO;
		for (unsigned i = 0; i < n; i++)
			if (read_tlsa(records[i], &t) && chain_fits(&t, p->certs[c]))
				p->certs[c]->dane = PROBE_YES;
	}
}
