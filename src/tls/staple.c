/*
 * OCSP stapling: the response in NAME.ocsp (DER, as `openssl ocsp -respout` writes it) beside
 * NAME.crt or NAME.pem is stapled if it says "good" about this very certificate and is in date. The
 * issuer must be in the chain: its key signs the response, or the key of a responder that it
 * certified.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include "tls/tls_priv.h"

#define CLOCK_SKEW_S 300

static bool says_good(OCSP_BASICRESP *basic, struct pair *p, X509 *issuer)
{
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, p->leaf, issuer);
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	bool good = OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) == 1 &&
		status == V_OCSP_CERTSTATUS_GOOD && OCSP_check_validity(from, until, CLOCK_SKEW_S, -1) == 1;

	p->staple_until = until ? asn1_time_s(until) : INT64_MAX;
	OCSP_CERTID_free(id);
	return good;
}

static bool is_signed_by(OCSP_BASICRESP *basic, X509 *issuer)
{
	/* The signer's certificate need not be in the response if it is the issuer's own. */
	STACK_OF(X509) *signers = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	bool ok;

	sk_X509_push(signers, issuer);
	X509_STORE_add_cert(store, issuer);
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	ok = OCSP_basic_verify(basic, signers, store, 0) == 1;
	sk_X509_free(signers);
	X509_STORE_free(store);
	return ok;
}

static bool is_good(const struct tls_file *file, struct pair *p)
{
	const unsigned char *der = (const unsigned char *)file->bytes;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, (long)file->n);
	OCSP_BASICRESP *basic = NULL;
	X509 *issuer = sk_X509_num(p->chain) > 0 ? sk_X509_value(p->chain, 0) : NULL;
	bool good = false;

	if (response && issuer && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	if (basic)
		good = says_good(basic, p, issuer) && is_signed_by(basic, issuer);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return good;
}

void pair_read_staple(struct pair *p, const struct tls_file *file, tls_fault_fn *on_fault, void *arg)
{
	struct fault fault;

	if (!file)
		return;
	if (is_good(file, p)) {
		p->staple = arena_span(&p->arena, span_make(file->bytes, file->n));
		p->pub.has_staple = true;
		return;
	}
	fault_set(&fault, FAULT_CERT_STAPLE_BAD);
	fault_fact(&fault, "file", "%s", file->path);
	on_fault(arg, &fault);
}
