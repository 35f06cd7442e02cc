/* Self-signed pairs: for `torhaus init`, for a server that has no certificate yet, and for
 * tests. */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/rand.h"
#include "tls/tls_priv.h"

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = extension && X509_add_ext(x, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool add_names(X509 *x, const struct span *names, unsigned n)
{
	struct buf sans = BUF_INIT(65536);
	bool ok;

	for (unsigned i = 0; i < n; i++)
		buf_addf(&sans, "%sDNS:%.*s", i ? "," : "", SPAN_ARG(names[i]));
	ok = add_extension(x, NID_subject_alt_name, buf_text(&sans));
	buf_done(&sans);
	return ok;
}

static X509 *certificate(EVP_PKEY *key, const struct span *names, unsigned n, unsigned days)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	struct span cn = span_sub(names[0], 0, 64);
	bool ok;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), rand_fast() >> 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), (long)days * 86400);
	X509_set_pubkey(x, key);
	ok = X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn.p, (int)cn.n, -1, 0) ==
			1 &&
		X509_set_issuer_name(x, subject) == 1 && add_names(x, names, n) &&
		add_extension(x, NID_key_usage, "critical,digitalSignature") &&
		add_extension(x, NID_ext_key_usage, "serverAuth") && X509_sign(x, key, EVP_sha256()) > 0;
	if (ok)
		return x;
	X509_free(x);
	return NULL;
}

static void take_pem(BIO *bio, struct buf *ret)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	buf_add(ret, p, (size_t)n);
	BIO_free(bio);
}

X509 *self_signed_new(enum tls_key_type type, const struct span *names, unsigned n, unsigned days, EVP_PKEY **ret_key)
{
	EVP_PKEY *key = type == TLS_KEY_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509 *x = key && n > 0 ? certificate(key, names, n, days) : NULL;

	if (x) {
		*ret_key = key;
		return x;
	}
	EVP_PKEY_free(key);
	return NULL;
}

int tls_self_signed(enum tls_key_type type, const struct span *names, unsigned n, unsigned days,
	struct buf *ret_cert_pem, struct buf *ret_key_pem)
{
	EVP_PKEY *key;
	X509 *x = self_signed_new(type, names, n, days, &key);
	BIO *cert_pem, *key_pem;

	if (!x)
		return -EINVAL;
	cert_pem = BIO_new(BIO_s_mem());
	key_pem = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(cert_pem, x);
	PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL);
	take_pem(cert_pem, ret_cert_pem);
	take_pem(key_pem, ret_key_pem);
	EVP_PKEY_free(key);
	X509_free(x);
	return 0;
}
