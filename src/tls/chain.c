/*
 * A pair's chain: put in order, and judged as a whole.
 *
 * In order: the server's certificate, then each one's issuer, as far as the file has them (RFC 8446
 * 4.4.2). Files are put together by hand: the issuer first, a certificate twice, one of another
 * server beside. What belongs can be told from the signatures, so it is served as it should be, and
 * told. Of two issuers with the same key (a root and its cross-signed twin) the one that is in date
 * is taken, then the one that stands first.
 *
 * Judged: does it reach a CA of this machine? Peers have much the same ones, so what does not is a
 * reason for refusals that no alert names. Dates are another question, answered apart: here they
 * are left aside. Of the chains of many pairs most are the same from the first issuer on, and that
 * a pair's own certificate is signed by that one is known, so each is verified once.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "tls/tls_priv.h"

#define CHAIN_MAX 16

/* ---- in order ---- */

static bool is_in(STACK_OF(X509) * chain, X509 *x)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_cmp(sk_X509_value(chain, i), x) == 0)
			return true;
	return false;
}

static bool is_signed_by(X509 *x, X509 *issuer)
{
	bool is = X509_check_issued(issuer, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return is;
}

static bool is_in_date(X509 *x)
{
	return X509_cmp_timeframe(NULL, X509_get0_notBefore(x), X509_get0_notAfter(x)) == 0;
}

/* Of certs; NULL: it is not there, or in the chain already. */
static X509 *issuer_of(STACK_OF(X509) * certs, X509 *x, STACK_OF(X509) * chain)
{
	X509 *best = NULL;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *other = sk_X509_value(certs, i);

		if (!is_signed_by(x, other) || is_in(chain, other))
			continue;
		if (is_in_date(other))
			return other;
		if (!best)
			best = other;
	}
	return best;
}

STACK_OF(X509) * chain_put_in_order(STACK_OF(X509) * certs, X509 *leaf, unsigned *ret_left_out, bool *ret_changed)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	*ret_changed = sk_X509_value(certs, 0) != leaf;
	for (X509 *x = leaf; x && sk_X509_num(chain) < CHAIN_MAX;
		x = X509_self_signed(x, 0) == 1 ? NULL : issuer_of(certs, x, chain)) {
		*ret_changed |= sk_X509_value(certs, sk_X509_num(chain)) != x;
		X509_up_ref(x);
		sk_X509_push(chain, x);
	}
	*ret_left_out = (unsigned)(sk_X509_num(certs) - sk_X509_num(chain));
	*ret_changed |= *ret_left_out > 0;
	X509_free(sk_X509_shift(chain));
	return chain;
}

/* ---- judged ---- */

static const char reaches_it[] = "";

/* The issuers' fingerprints, one behind the other. */
static struct span issuers_of(const struct pair *p, char ret[CHAIN_MAX * 32])
{
	size_t n = 0;

	for (int i = 0; i < sk_X509_num(p->chain); i++) {
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned length;

		must(X509_digest(sk_X509_value(p->chain, i), EVP_sha256(), digest, &length) == 1 && length == 32);
		memcpy(ret + n, digest, 32);
		n += 32;
	}
	return span_make(ret, n);
}

/* OpenSSL's words, or reaches_it. own: what is wrong is the pair's own certificate. */
static const char *verify(X509_STORE *cas, const struct pair *p, bool *ret_own)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *error = reaches_it;

	must(ctx && X509_STORE_CTX_init(ctx, cas, p->leaf, p->chain) == 1);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
	if (X509_verify_cert(ctx) != 1)
		error = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	*ret_own = error != reaches_it && X509_STORE_CTX_get_error_depth(ctx) == 0;
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return error;
}

X509 *chain_end(const struct pair *p)
{
	int n = sk_X509_num(p->chain);

	return n > 0 ? sk_X509_value(p->chain, n - 1) : p->leaf;
}

X509 *chain_out_of_date(const struct pair *p, int64_t now_s)
{
	for (int i = 0; i < sk_X509_num(p->chain); i++) {
		X509 *x = sk_X509_value(p->chain, i);

		if (X509_self_signed(x, 0) == 1 && p->pub.reach == TLS_REACH_YES)
			continue;
		if (asn1_time_s(X509_get0_notBefore(x)) > now_s || asn1_time_s(X509_get0_notAfter(x)) <= now_s)
			return x;
	}
	return NULL;
}

void chain_judge_init(struct chain_judge *j, X509_STORE *cas)
{
	j->cas = cas;
	map_init(&j->known);
	arena_init(&j->arena, 4096);
}

void chain_judge_done(struct chain_judge *j)
{
	map_done(&j->known);
	arena_done(&j->arena);
}

const char *chain_judge(struct chain_judge *j, struct pair *p)
{
	char room[CHAIN_MAX * 32];
	const char *error = NULL;
	struct span key;
	bool own;

	p->pub.reach = TLS_REACH_UNKNOWN;
	if (!j->cas || p->pub.self_signed || p->pub.stand_in)
		return NULL;
	key = issuers_of(p, room);
	if (key.n > 0)
		error = map_find(&j->known, key);
	if (!error) {
		error = verify(j->cas, p, &own);
		if (!own && key.n > 0)
			map_put(&j->known, arena_span(&j->arena, key), (void *)error);
	}
	p->pub.reach = error == reaches_it ? TLS_REACH_YES : TLS_REACH_NO;
	return error == reaches_it ? NULL : error;
}
