/*
 * A certificate chain as a server sent it: who, for what names, how long, with what key, and
 * whether a CA of ours stands behind it.
 *
 * OpenSSL reads and verifies; texts are made safe for terminals and logs here, once. Name and chain
 * are judged apart, since "expired" and "for another name" want different remedies.
 */
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "probe/probe_priv.h"

#define TEXT_MAX 512
/* OpenSSL's level: no MD5, no 512-bit keys; peers of mail servers ask for no more */
#define VERIFY_SAFETY 1

/* ---- CAs ---- */

struct x509_store_st *probe_store_new(const char *ca_file)
{
	X509_STORE *store = X509_STORE_new();

	must(store);
	if (X509_STORE_set_default_paths(store) != 1)
		ERR_clear_error();
	if (!ca_file || X509_STORE_load_file(store, ca_file) == 1)
		return store;
	ERR_clear_error();
	X509_STORE_free(store);
	return NULL;
}

void probe_store_free(struct x509_store_st *store)
{
	X509_STORE_free(store);
}

/* ---- texts ---- */

static struct span safe(struct arena *a, struct span s)
{
	char text[TEXT_MAX];

	return arena_span(a, span_make(text, fmt_safe(s, "", text, sizeof(text))));
}

static const char *name_text(struct arena *a, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct span text = SPAN("");
	char *p;
	long n;

	must(bio);
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &p);
		text = span_make(p, n > 0 ? (size_t)n : 0);
	}
	text = safe(a, text);
	BIO_free(bio);
	return text.p;
}

/* ---- names ---- */

static void add_name(struct probe_cert *c, struct arena *a, struct span name)
{
	if (c->names_n < PROBE_NAMES_MAX && name.n)
		c->names[c->names_n++] = safe(a, name);
}

static void add_general_name(struct probe_cert *c, struct arena *a, const GENERAL_NAME *name)
{
	char address[NET_ADDR_SIZE];
	struct net_addr addr = { .n = 0 };
	const unsigned char *p;
	int n;

	if (name->type == GEN_DNS) {
		add_name(c, a,
			span_make(ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName)));
		return;
	}
	if (name->type != GEN_IPADD)
		return;
	p = ASN1_STRING_get0_data(name->d.iPAddress);
	n = ASN1_STRING_length(name->d.iPAddress);
	if (n == 4) {
		addr.n = sizeof(addr.in);
		addr.in.sin_family = AF_INET;
		memcpy(&addr.in.sin_addr, p, 4);
	} else if (n == 16) {
		addr.n = sizeof(addr.in6);
		addr.in6.sin6_family = AF_INET6;
		memcpy(&addr.in6.sin6_addr, p, 16);
	}
	if (addr.n == 0)
		return;
	net_addr_host_text(&addr, address);
	add_name(c, a, span_of(address));
}

static void read_names(struct probe_cert *c, struct arena *a, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	char common[TEXT_MAX];
	int n;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_general_name(c, a, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	if (c->names_n > 0)
		return;
	n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, common, sizeof(common));
	add_name(c, a, span_make(common, n > 0 ? (size_t)n : 0));
}

static enum probe_answer name_fits(X509 *x, struct span host)
{
	_cleanup_(mem_freep) char *name = span_text(host);
	struct net_addr literal;

	if (host.n == 0 || net_addr_parse_host(host, &literal) == 0)
		return PROBE_NOT_ASKED;
	return X509_check_host(x, name, host.n, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ? PROBE_YES : PROBE_NO;
}

/* ---- key and signature ---- */

static void read_key(struct probe_cert *c, struct arena *a, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int id = key ? EVP_PKEY_get_base_id(key) : 0;
	char curve[64] = "?";

	c->bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
	c->type = id == EVP_PKEY_RSA     ? TLS_KEY_RSA
		: id == EVP_PKEY_EC      ? TLS_KEY_ECDSA
		: id == EVP_PKEY_ED25519 ? TLS_KEY_ED25519
					 : TLS_KEY_OTHER;
	if (id == EVP_PKEY_EC && EVP_PKEY_get_utf8_string_param(key, "group", curve, sizeof(curve), NULL) == 1)
		c->key = arena_spanf(a, "ECDSA %s",
			strcmp(curve, "prime256v1") == 0          ? "P-256"
				: strcmp(curve, "secp384r1") == 0 ? "P-384"
				: strcmp(curve, "secp521r1") == 0 ? "P-521"
								  : curve)
				 .p;
	else if (id == EVP_PKEY_ED25519)
		c->key = "Ed25519";
	else
		c->key = arena_spanf(a, "%s %u",
			id == EVP_PKEY_RSA ? "RSA"
				: id       ? OBJ_nid2sn(id)
					   : "unknown",
			c->bits)
				 .p;
}

static void read_signature(struct probe_cert *c, X509 *x)
{
	int digest = NID_undef, nid = X509_get_signature_nid(x);

	c->signature = OBJ_nid2sn(nid);
	if (OBJ_find_sigid_algs(nid, &digest, NULL) == 1)
		c->weak_signature = digest == NID_sha1 || digest == NID_md5 || digest == NID_md2 || digest == NID_md4;
}

static void read_prints(struct probe_cert *c, X509 *x, struct span der)
{
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);

	SHA256((const unsigned char *)der.p, der.n, c->sha256);
	if (n > 0)
		SHA256(spki, (size_t)n, c->spki_sha256);
	OPENSSL_free(spki);
}

/* id-pe-tlsfeature with status_request (RFC 7633). */
static bool demands_staple(X509 *x)
{
	TLS_FEATURE *features = X509_get_ext_d2i(x, NID_tlsfeature, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		found |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5;
	TLS_FEATURE_free(features);
	return found;
}

static int64_t time_of(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	must(epoch);
	if (ASN1_TIME_diff(&days, &seconds, epoch, t) != 1)
		days = seconds = 0;
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

/* ---- the chain ---- */

static X509 *cert_of(struct span der)
{
	const unsigned char *at = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &at, (long)der.n);

	ERR_clear_error();
	return x;
}

static STACK_OF(X509) * others(const struct span *chain, unsigned n)
{
	STACK_OF(X509) *all = sk_X509_new_null();

	must(all);
	for (unsigned i = 1; i < n; i++) {
		X509 *x = cert_of(chain[i]);

		if (x && sk_X509_push(all, x) == 0)
			X509_free(x);
	}
	return all;
}

static int verify(X509 *leaf, const struct span *chain, unsigned n, X509_STORE *store, int64_t now_s)
{
	STACK_OF(X509) *untrusted = others(chain, n);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error;

	must(ctx && X509_STORE_CTX_init(ctx, store, leaf, untrusted) == 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_time(param, now_s);
	X509_VERIFY_PARAM_set_auth_level(param, VERIFY_SAFETY);
	error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	sk_X509_pop_free(untrusted, X509_free);
	ERR_clear_error();
	return error;
}

struct probe_cert *probe_cert_read(const struct span *chain, unsigned n, struct span host, struct x509_store_st *store,
	int64_t now_s, struct arena *a)
{
	X509 *x = n ? cert_of(chain[0]) : NULL;
	struct probe_cert *c;

	if (!x)
		return NULL;
	c = arena_new(a, struct probe_cert);
	c->subject = name_text(a, X509_get_subject_name(x));
	c->issuer = name_text(a, X509_get_issuer_name(x));
	c->not_before = time_of(X509_get0_notBefore(x));
	c->not_after = time_of(X509_get0_notAfter(x));
	c->self_signed = X509_self_signed(x, 0) == 1;
	c->for_servers = X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) == 1;
	c->must_staple = demands_staple(x);
	c->name_fits = name_fits(x, host);
	read_names(c, a, x);
	read_key(c, a, x);
	read_signature(c, x);
	read_prints(c, x, chain[0]);
	for (unsigned i = 0; i < n && i < WIRE_CHAIN_MAX; i++)
		c->chain[c->chain_n++] = arena_span(a, chain[i]);
	c->verify_error = store ? verify(x, chain, n, store, now_s) : X509_V_OK;
	c->verify_text = X509_verify_cert_error_string(c->verify_error);
	X509_free(x);
	ERR_clear_error();
	return c;
}
