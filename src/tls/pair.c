/*
 * From files to pairs: certificates and keys find each other by their public key, wherever they lie
 * (one .pem, fullchain.pem and privkey.pem, NAME.crt and NAME.key); then each pair is verified
 * before anything is served.
 *
 * Refused: no matching key, chain out of order, key or signature too weak for OpenSSL's security
 * level 2, key usage without digitalSignature, extended key usage without serverAuth, no names.
 * Served, but reported: expired, not yet valid, no intermediate certificate. The same leaf in two
 * files (certbot's cert.pem and fullchain.pem) counts once, with the longer chain.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "tls/tls_priv.h"

#define SECURITY_BITS_MIN 112  /* OpenSSL's security level 2 */
#define NAME_TEXT_MAX     512  /* of a name, made safe; a host name has 253 */
#define NAMES_MAX         1000 /* of one certificate */

/* What the files hold, before it is paired. */
struct found_key {
	EVP_PKEY *key;
	const char *path;
	struct span public; /* SubjectPublicKeyInfo, DER: what certificates are matched by */
};
struct found_cert {
	STACK_OF(X509) * certs; /* as they stand in the file */
	const char *path;
};
struct found {
	struct found_key *keys;
	struct found_cert *certs;
	unsigned keys_n, certs_n;
	struct map by_public; /* public -> index of the key, plus one */
	bool stand_in_keys;
	tls_fault_fn *on_fault;
	void *arg;
};

static void tell(struct found *f, enum fault_code code, const char *path, const char *name, struct span value)
{
	struct fault fault;

	fault_set(&fault, code);
	fault_fact(&fault, "file", "%s", path);
	if (name)
		fault_fact(&fault, name, "%.*s", SPAN_ARG(value));
	f->on_fault(f->arg, &fault);
}

/* ---- what is in a file ---- */

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

static bool looks_like(const struct tls_file *file, struct span what)
{
	return span_find(span_make(file->bytes, file->n), what) >= 0;
}

static struct span public_of(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	return span_make(der, n > 0 ? (size_t)n : 0);
}

static void read_key(struct found *f, const struct tls_file *file)
{
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	if (!key) {
		tell(f, looks_like(file, SPAN("ENCRYPTED")) ? FAULT_CERT_KEY_ENCRYPTED : FAULT_CERT_BAD_FILE,
			file->path, NULL, SPAN(""));
		ERR_clear_error();
		return;
	}
	f->keys = mem_resize(f->keys, f->keys_n + 1, sizeof(*f->keys));
	f->keys[f->keys_n++] = (struct found_key){ key, file->path, public_of(key) };
	map_put(&f->by_public, f->keys[f->keys_n - 1].public, (void *)(uintptr_t)f->keys_n);
}

static void read_certs(struct found *f, const struct tls_file *file)
{
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->n);
	STACK_OF(X509) *certs = sk_X509_new_null();
	unsigned long error;
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		sk_X509_push(certs, x);
	BIO_free(bio);
	error = ERR_peek_last_error();
	if (sk_X509_num(certs) == 0 || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
		tell(f, FAULT_CERT_BAD_FILE, file->path, NULL, SPAN(""));
		sk_X509_pop_free(certs, X509_free);
		ERR_clear_error();
		return;
	}
	ERR_clear_error();
	f->certs = mem_resize(f->certs, f->certs_n + 1, sizeof(*f->certs));
	f->certs[f->certs_n++] = (struct found_cert){ certs, file->path };
}

static void read_file(struct found *f, const struct tls_file *file)
{
	bool is_staple = span_ends(span_of(file->path), SPAN(".ocsp"));

	if (!file->readable) {
		tell(f, FAULT_CERT_UNREADABLE, file->path, "error", span_of(strerror(file->error)));
		return;
	}
	if (is_staple)
		return;
	if (looks_like(file, SPAN("PRIVATE KEY-----")))
		read_key(f, file);
	if (looks_like(file, SPAN("-----BEGIN CERTIFICATE-----")) ||
		looks_like(file, SPAN("-----BEGIN TRUSTED CERTIFICATE-----")))
		read_certs(f, file);
	else if (!looks_like(file, SPAN("PRIVATE KEY-----")))
		tell(f, FAULT_CERT_BAD_FILE, file->path, NULL, SPAN(""));
}

static void found_done(struct found *f)
{
	for (unsigned i = 0; i < f->keys_n; i++) {
		EVP_PKEY_free(f->keys[i].key);
		OPENSSL_free((void *)f->keys[i].public.p);
	}
	map_done(&f->by_public);
	for (unsigned i = 0; i < f->certs_n; i++)
		sk_X509_pop_free(f->certs[i].certs, X509_free);
	mem_free(f->keys);
	mem_free(f->certs);
}

/* ---- facts of a certificate ---- */

enum tls_key_type key_type_of(EVP_PKEY *key)
{
	switch (key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
		return TLS_KEY_RSA;
	case EVP_PKEY_EC:
		return TLS_KEY_ECDSA;
	case EVP_PKEY_ED25519:
		return TLS_KEY_ED25519;
	default:
		return TLS_KEY_OTHER;
	}
}

int64_t asn1_time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

/* Safe for terminals and logs: certificates come from anybody, and a name that needs this fits no
 * host. */
static struct span lower_name(struct arena *a, const ASN1_STRING *s)
{
	char copy[NAME_TEXT_MAX];
	size_t n = fmt_safe(span_make(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)), "", copy, sizeof(copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = ascii_lower(copy[i]);
	return arena_span(a, span_make(copy, n));
}

/* The DNS names of the SAN, else the common name (RFC 9525 has no use for it, old internal
 * certificates do). */
static void read_names(struct pair *p)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(p->leaf, NID_subject_alt_name, NULL, NULL);
	int n = sans ? sk_GENERAL_NAME_num(sans) : 0;
	struct span *names = arena_array(&p->arena, struct span, (size_t)(n < NAMES_MAX ? n : NAMES_MAX) + 1);
	X509_NAME *subject = X509_get_subject_name(p->leaf);
	int cn = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	p->pub.names = names;
	for (int i = 0; i < n && i < NAMES_MAX; i++) {
		const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);

		if (san->type == GEN_DNS)
			names[p->pub.names_n++] = lower_name(&p->arena, san->d.dNSName);
	}
	if (p->pub.names_n == 0 && cn >= 0)
		names[p->pub.names_n++] =
			lower_name(&p->arena, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, cn)));
	GENERAL_NAMES_free(sans);
}

static const char *issuer_of(struct pair *p)
{
	char text[256] = "";

	if (X509_NAME_get_text_by_NID(X509_get_issuer_name(p->leaf), NID_commonName, text, sizeof(text)) < 0)
		X509_NAME_oneline(X509_get_issuer_name(p->leaf), text, sizeof(text));
	return arena_text(&p->arena, span_of(text));
}

/* key may be NULL, for a pair that is only told about. */
static struct pair *pair_new(const struct found_cert *cert, const struct found_key *key)
{
	struct pair *p = mem_new(struct pair);
	unsigned n = sizeof(p->pub.fingerprint);

	p->refs = 1;
	arena_init(&p->arena, 512);
	p->leaf = sk_X509_value(cert->certs, 0);
	X509_up_ref(p->leaf);
	p->chain = sk_X509_new_null();
	for (int i = 1; i < sk_X509_num(cert->certs); i++) {
		X509_up_ref(sk_X509_value(cert->certs, i));
		sk_X509_push(p->chain, sk_X509_value(cert->certs, i));
	}
	if (key && EVP_PKEY_up_ref(key->key))
		p->key = key->key;
	p->pub.cert_path = arena_text(&p->arena, span_of(cert->path));
	p->pub.key_path = key ? arena_text(&p->arena, span_of(key->path)) : "";
	p->pub.type = key_type_of(X509_get0_pubkey(p->leaf));
	p->pub.bits = (unsigned)EVP_PKEY_get_bits(X509_get0_pubkey(p->leaf));
	p->pub.not_before = asn1_time_s(X509_get0_notBefore(p->leaf));
	p->pub.not_after = asn1_time_s(X509_get0_notAfter(p->leaf));
	p->pub.self_signed = X509_self_signed(p->leaf, 0) == 1;
	p->pub.issuer = issuer_of(p);
	X509_digest(p->leaf, EVP_sha256(), p->pub.fingerprint, &n);
	read_names(p);
	return p;
}

struct pair *pair_ref(struct pair *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

struct pair *pair_unref(struct pair *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return NULL;
	X509_free(p->leaf);
	sk_X509_pop_free(p->chain, X509_free);
	EVP_PKEY_free(p->key);
	arena_done(&p->arena);
	return mem_free(p);
}

bool pair_is_valid_now(const struct pair *p, int64_t now_s)
{
	return p->pub.not_before <= now_s && now_s < p->pub.not_after;
}

/* ---- verification ---- */

static bool is_signed_weakly(X509 *x)
{
	int digest, key, bits;
	uint32_t flags;

	return X509_get_signature_info(x, &digest, &key, &bits, &flags) == 1 && bits < SECURITY_BITS_MIN;
}

/* The key that the pair stands and falls with: of the leaf or of an issuer in the chain, since
 * OpenSSL looks at all of them. */
static EVP_PKEY *weakest_key(const struct pair *p)
{
	EVP_PKEY *weakest = X509_get0_pubkey(p->leaf);

	for (int i = 0; i < sk_X509_num(p->chain); i++) {
		EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(p->chain, i));

		if (key && EVP_PKEY_get_security_bits(key) < EVP_PKEY_get_security_bits(weakest))
			weakest = key;
	}
	return weakest;
}

/* Every certificate signed by the next, and none signed weakly; a root's own signature proves
 * nothing anyway. */
static enum fault_code chain_fault(const struct pair *p)
{
	X509 *x = p->leaf;

	for (int i = 0; i <= sk_X509_num(p->chain); i++) {
		X509 *issuer = i < sk_X509_num(p->chain) ? sk_X509_value(p->chain, i) : NULL;

		if (X509_self_signed(x, 0) != 1 && is_signed_weakly(x))
			return FAULT_CERT_WEAK_SIGNATURE;
		if (issuer &&
			(X509_check_issued(issuer, x) != X509_V_OK || X509_verify(x, X509_get0_pubkey(issuer)) != 1))
			return FAULT_CERT_CHAIN_ORDER;
		x = issuer;
	}
	return FAULT_NONE;
}

/* Why the pair must not be served; FAULT_NONE if it may. */
static enum fault_code pair_fault(const struct pair *p)
{
	uint32_t usage = X509_get_key_usage(p->leaf);
	uint32_t extended = X509_get_extended_key_usage(p->leaf);

	if (p->pub.type == TLS_KEY_OTHER)
		return FAULT_CERT_KEY_KIND;
	if (EVP_PKEY_get_security_bits(weakest_key(p)) < SECURITY_BITS_MIN)
		return FAULT_CERT_KEY_TOO_SMALL;
	if (usage != UINT32_MAX && !(usage & KU_DIGITAL_SIGNATURE))
		return FAULT_CERT_KEY_USAGE;
	if (extended != UINT32_MAX && !(extended & (XKU_SSL_SERVER | XKU_ANYEKU)))
		return FAULT_CERT_NOT_FOR_SERVERS;
	if (p->pub.names_n == 0)
		return FAULT_CERT_NO_NAMES;
	return chain_fault(p);
}

/* "RSA"; of kinds that cannot be served OpenSSL's name. */
static const char *type_text(EVP_PKEY *key)
{
	enum tls_key_type type = key_type_of(key);

	if (type == TLS_KEY_OTHER && key)
		return OBJ_nid2sn(EVP_PKEY_get_base_id(key));
	return tls_key_type_text(type);
}

static void tell_pair(struct found *f, enum fault_code code, const struct pair *p)
{
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	struct fault fault;

	clock_rfc3339(p->pub.not_before, from);
	clock_rfc3339(p->pub.not_after, to);
	fault_set(&fault, code);
	fault_fact(&fault, "file", "%s", p->pub.cert_path);
	fault_fact(&fault, "name", "%.*s", SPAN_ARG(p->pub.names_n ? p->pub.names[0] : SPAN("-")));
	fault_fact(&fault, "from", "%s", from);
	fault_fact(&fault, "until", "%s", to);
	fault_fact(&fault, "type", "%s", type_text(X509_get0_pubkey(p->leaf)));
	fault_fact(&fault, "key", "%s", p->pub.key_path);
	fault_fact(&fault, "bits", "%d", EVP_PKEY_get_bits(weakest_key(p)));
	fault_fact(&fault, "issuer", "%s", p->pub.issuer);
	f->on_fault(f->arg, &fault);
}

static void tell_worries(struct found *f, const struct pair *p)
{
	int64_t now = clock_wall_s();

	if (now >= p->pub.not_after)
		tell_pair(f, FAULT_CERT_EXPIRED, p);
	else if (now < p->pub.not_before)
		tell_pair(f, FAULT_CERT_NOT_YET_VALID, p);
	if (sk_X509_num(p->chain) == 0 && !p->pub.self_signed)
		tell_pair(f, FAULT_CERT_NO_CHAIN, p);
}

/* ---- pairing ---- */

static const struct found_key *key_of(const struct found *f, X509 *x)
{
	struct span public = public_of(X509_get0_pubkey(x));
	uintptr_t i = (uintptr_t)map_find(&f->by_public, public);

	OPENSSL_free((void *)public.p);
	/* The parameters agree; whether the private part belongs to them is another question. */
	if (i == 0 || X509_check_private_key(x, f->keys[i - 1].key) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return &f->keys[i - 1];
}

/* "/etc/certs/shop.crt" and "/etc/certs/shop.key" are meant for each other, and what stands beside
 * certbot's privkey.pem. */
static bool is_namesake(struct span cert, struct span key)
{
	size_t stem = cert.n, folder = cert.n;
	struct span ending;

	while (folder > 0 && cert.p[folder - 1] != '/')
		folder--;
	while (stem > folder && cert.p[stem - 1] != '.')
		stem--;
	if (!span_starts(key, span_sub(cert, 0, folder)))
		return false;
	ending = span_from(key, stem);
	return span_eq(span_from(key, folder), SPAN("privkey.pem")) ||
		(span_starts(key, span_sub(cert, 0, stem)) && span_index(ending, '.') < 0 &&
			span_index(ending, '/') < 0);
}

static const char *namesake_key(const struct found *f, const char *cert_path)
{
	for (unsigned i = 0; i < f->keys_n; i++)
		if (is_namesake(span_of(cert_path), span_of(f->keys[i].path)))
			return f->keys[i].path;
	return NULL;
}

/* The issuer stands first: what the file is for is the certificate further down that has a key. */
static bool tell_issuer_first(struct found *f, const struct found_cert *cert)
{
	for (int i = 1; i < sk_X509_num(cert->certs); i++) {
		X509 *x = sk_X509_value(cert->certs, i);
		const struct found_key *key = key_of(f, x);
		struct pair *p;

		if (!key)
			continue;
		sk_X509_set(cert->certs, i, sk_X509_value(cert->certs, 0));
		sk_X509_set(cert->certs, 0, x);
		p = pair_new(cert, key);
		tell_pair(f, FAULT_CERT_CHAIN_ORDER, p);
		pair_unref(p);
		return true;
	}
	return false;
}

/* chain.pem and its like are there to be parts of others; what names hosts is a server's, CA or
 * not. */
static bool is_issuer(X509 *x)
{
	return X509_check_ca(x) > 0 && X509_get_ext_by_NID(x, NID_subject_alt_name, -1) < 0;
}

static void tell_unpaired(struct found *f, const struct found_cert *cert)
{
	X509 *x = sk_X509_value(cert->certs, 0);
	struct pair *p;
	const char *key;

	if (tell_issuer_first(f, cert) || is_issuer(x))
		return;
	key = namesake_key(f, cert->path);
	p = pair_new(cert, NULL);
	p->pub.key_path = key ? key : "";
	tell_pair(f, key ? FAULT_CERT_KEY_MISMATCH : FAULT_CERT_NO_KEY, p);
	pair_unref(p);
}

static EVP_PKEY *key_like(EVP_PKEY *public)
{
	char group[64];

	switch (key_type_of(public)) {
	case TLS_KEY_RSA:
		return EVP_RSA_gen(2048);
	case TLS_KEY_ECDSA:
		if (EVP_PKEY_get_group_name(public, group, sizeof(group), NULL) != 1)
			return NULL;
		return EVP_EC_gen(group);
	case TLS_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case TLS_KEY_OTHER:
		break;
	}
	return NULL;
}

/* A key of its own for the certificate, and a copy of it that says so. Servers do not verify what
 * they send. */
static bool give_stand_in(struct pair *p)
{
	EVP_PKEY *key = key_like(X509_get0_pubkey(p->leaf));
	X509 *leaf = key ? X509_dup(p->leaf) : NULL;

	if (!leaf || X509_set_pubkey(leaf, key) != 1) {
		X509_free(leaf);
		EVP_PKEY_free(key);
		return false;
	}
	X509_free(p->leaf);
	p->leaf = leaf;
	p->key = key;
	p->pub.stand_in = true;
	return true;
}

/* The same leaf once: the longer chain stays. */
static void pairs_add(struct pairs *pairs, struct pair *p)
{
	for (unsigned i = 0; i < pairs->n; i++) {
		if (memcmp(pairs->v[i]->pub.fingerprint, p->pub.fingerprint, sizeof(p->pub.fingerprint)) != 0)
			continue;
		if (sk_X509_num(p->chain) > sk_X509_num(pairs->v[i]->chain)) {
			struct pair *shorter = pairs->v[i];

			pairs->v[i] = p;
			p = shorter;
		}
		pair_unref(p);
		return;
	}
	pairs->v = mem_resize(pairs->v, pairs->n + 1, sizeof(struct pair *));
	pairs->v[pairs->n++] = p;
}

void pairs_done(struct pairs *pairs)
{
	for (unsigned i = 0; i < pairs->n; i++)
		pair_unref(pairs->v[i]);
	pairs->v = mem_free(pairs->v);
	pairs->n = 0;
}

/* May a certificate that came without its key be meant as a server's? One that looks like an
 * issuer's may if it signed itself, as old certificates for one server did, and none of the
 * others. */
static bool is_for_server(const struct found *f, X509 *x)
{
	if (!is_issuer(x))
		return true;
	if (X509_self_signed(x, 0) != 1)
		return false;
	for (unsigned i = 0; i < f->certs_n; i++) {
		X509 *other = sk_X509_value(f->certs[i].certs, 0);

		if (other != x && X509_check_issued(x, other) == X509_V_OK && X509_cmp(x, other) != 0)
			return false;
	}
	return true;
}

static void pair_up(struct found *f, const struct tls_files *files, const struct found_cert *cert, struct pairs *ret)
{
	const struct found_key *key = key_of(f, sk_X509_value(cert->certs, 0));
	enum fault_code code;
	bool stand_in = !key && f->stand_in_keys && is_for_server(f, sk_X509_value(cert->certs, 0));
	struct pair *p;

	if (!key && !stand_in) {
		tell_unpaired(f, cert);
		return;
	}
	p = pair_new(cert, key);
	code = pair_fault(p);
	if (!code && stand_in && !give_stand_in(p))
		code = FAULT_CERT_KEY_KIND;
	if (code) {
		tell_pair(f, code, p);
		pair_unref(p);
		return;
	}
	pair_read_staple(p, files, f->on_fault, f->arg);
	pairs_add(ret, p);
}

void pairs_from_files(const struct tls_files *files, bool stand_in_keys, struct pairs *ret, tls_fault_fn *on_fault,
	void *arg)
{
	struct found f = { .stand_in_keys = stand_in_keys, .on_fault = on_fault, .arg = arg };

	*ret = (struct pairs){ 0 };
	map_init(&f.by_public);
	for (unsigned i = 0; i < files->n; i++)
		read_file(&f, &files->v[i]);
	for (unsigned i = 0; i < f.certs_n; i++)
		pair_up(&f, files, &f.certs[i], ret);
	for (unsigned i = 0; i < ret->n; i++)
		tell_worries(&f, ret->v[i]);
	found_done(&f);
}
