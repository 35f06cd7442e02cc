/*
 * From files to pairs: certificates and keys find each other by their public key, wherever they lie
 * (one .pem, fullchain.pem and privkey.pem, NAME.crt and NAME.key); then each pair is verified
 * before anything is served.
 *
 * A file may hold several servers' certificates: each that has a key makes a pair, with what the
 * file has of its issuers (tls/chain.c says in which order).
 *
 * Refused: no matching key, key or signature too weak for OpenSSL's security level 2, key usage
 * without digitalSignature, extended key usage without serverAuth, no names. Served, but reported:
 * out of date, itself or an issuer of its chain; no intermediate certificate; a chain that was put
 * in order, or that reaches no CA of this machine; a key that everybody may read. The same leaf in
 * two files (certbot's cert.pem and fullchain.pem) counts once, with the longer chain.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "tls/tls_priv.h"

#define SECURITY_BITS_MIN 112   /* OpenSSL's security level 2 */
#define NAME_TEXT_MAX     512   /* of a name, made safe; a host name has 253 */
#define NAMES_MAX         10000 /* of one certificate */

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
	/* paths up to the last dot -> struct tls_file: the first key, an OCSP response */
	struct map key_by_stem, staple_by_stem;
	const struct tls_set_settings *settings;
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

static void add_key(struct found *f, const struct tls_file *file, EVP_PKEY *key)
{
	f->keys = mem_resize(f->keys, f->keys_n + 1, sizeof(*f->keys));
	f->keys[f->keys_n++] = (struct found_key){ key, file->path, public_of(key) };
	map_put(&f->by_public, f->keys[f->keys_n - 1].public, (void *)(uintptr_t)f->keys_n);
}

/* "0644" */
static void tell_mode(struct found *f, enum fault_code code, const struct tls_file *file)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", file->mode & 07777u);
	tell(f, code, file->path, "mode", span_of(mode));
}

/* The path up to its last dot, if that stands in the file's name; all of it else. */
static struct span stem_of(struct span path)
{
	struct span stem = path;

	while (stem.n > 0 && stem.p[stem.n - 1] != '.' && stem.p[stem.n - 1] != '/')
		stem.n--;
	return stem.n > 0 && stem.p[stem.n - 1] == '.' ? stem : path;
}

static void read_keys(struct found *f, const struct tls_file *file)
{
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->n);
	unsigned before = f->keys_n;
	EVP_PKEY *key;

	while ((key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)))
		add_key(f, file, key);
	BIO_free(bio);
	ERR_clear_error();
	if (f->keys_n > before && !map_find(&f->key_by_stem, stem_of(span_of(file->path))))
		map_put(&f->key_by_stem, stem_of(span_of(file->path)), (void *)file);
	if (f->keys_n == before)
		tell(f, looks_like(file, SPAN("ENCRYPTED")) ? FAULT_CERT_KEY_ENCRYPTED : FAULT_CERT_BAD_FILE,
			file->path, NULL, SPAN(""));
	if (file->mode & (S_IROTH | S_IWOTH))
		tell_mode(f, FAULT_CERT_KEY_EXPOSED, file);
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

static const char *read_error(const struct tls_file *file)
{
	switch (file->error) {
	case EFBIG:
		return "it is larger than 256 KiB";
	case EMFILE:
		return "there are more than 40,000 files; this one and those behind it are not read";
	default:
		return strerror(file->error);
	}
}

static void read_file(struct found *f, const struct tls_file *file)
{
	if (S_ISDIR(file->mode)) {
		tell_mode(f, FAULT_CERT_FOLDER_OPEN, file);
		return;
	}
	if (!file->readable) {
		tell(f, FAULT_CERT_UNREADABLE, file->path, "error", span_of(read_error(file)));
		return;
	}
	if (strlen(file->path) > 5 && strcasecmp(file->path + strlen(file->path) - 5, ".ocsp") == 0) {
		map_put(&f->staple_by_stem, stem_of(span_of(file->path)), (void *)file);
		return;
	}
	if (looks_like(file, SPAN("PRIVATE KEY-----")))
		read_keys(f, file);
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
	map_done(&f->key_by_stem);
	map_done(&f->staple_by_stem);
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
	p->names_n = n > NAMES_MAX ? (unsigned)n : p->pub.names_n;
	if (p->pub.names_n == 0 && cn >= 0)
		names[p->pub.names_n++] =
			lower_name(&p->arena, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, cn)));
	GENERAL_NAMES_free(sans);
}

const char *cert_name_text(X509_NAME *name, char ret[CERT_NAME_SIZE])
{
	if (X509_NAME_get_text_by_NID(name, NID_commonName, ret, CERT_NAME_SIZE) < 0)
		X509_NAME_oneline(name, ret, CERT_NAME_SIZE);
	return ret;
}

static const char *issuer_of(struct pair *p)
{
	char text[CERT_NAME_SIZE] = "";

	return arena_text(&p->arena, span_of(cert_name_text(X509_get_issuer_name(p->leaf), text)));
}

/* leaf is one of cert's. key may be NULL, for a pair that is only told about. */
static struct pair *pair_new(const struct found_cert *cert, X509 *leaf, const struct found_key *key)
{
	struct pair *p = mem_new(struct pair);
	unsigned n = sizeof(p->pub.fingerprint);

	p->refs = 1;
	arena_init(&p->arena, 512);
	p->leaf = leaf;
	X509_up_ref(p->leaf);
	p->chain = chain_put_in_order(cert->certs, leaf, &p->left_out, &p->reordered);
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

/* A root's own signature proves nothing, whatever it is made with. */
static bool chain_is_signed_weakly(const struct pair *p)
{
	X509 *x = p->leaf;

	for (int i = 0; x; i++) {
		if (X509_self_signed(x, 0) != 1 && is_signed_weakly(x))
			return true;
		x = i < sk_X509_num(p->chain) ? sk_X509_value(p->chain, i) : NULL;
	}
	return false;
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
	return chain_is_signed_weakly(p) ? FAULT_CERT_WEAK_SIGNATURE : FAULT_NONE;
}

/* "RSA"; of kinds that cannot be served OpenSSL's name. */
static const char *type_text(EVP_PKEY *key)
{
	enum tls_key_type type = key_type_of(key);

	if (type == TLS_KEY_OTHER && key)
		return OBJ_nid2sn(EVP_PKEY_get_base_id(key));
	return tls_key_type_text(type);
}

static void set_time(struct fault *fault, const char *name, int64_t at)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(at, text);
	fault_fact(fault, name, "%s", text);
}

static void pair_fault_set(struct fault *fault, enum fault_code code, const struct pair *p)
{
	fault_set(fault, code);
	fault_fact(fault, "file", "%s", p->pub.cert_path);
	fault_fact(fault, "name", "%.*s", SPAN_ARG(p->pub.names_n ? p->pub.names[0] : SPAN("-")));
}

void pair_tell(const struct pair *p, enum fault_code code, tls_fault_fn *on_fault, void *arg)
{
	struct fault fault;

	pair_fault_set(&fault, code, p);
	set_time(&fault, "from", p->pub.not_before);
	set_time(&fault, "until", p->pub.not_after);
	fault_fact(&fault, "type", "%s", type_text(X509_get0_pubkey(p->leaf)));
	fault_fact(&fault, "key", "%s", p->pub.key_path);
	fault_fact(&fault, "bits", "%d", EVP_PKEY_get_bits(weakest_key(p)));
	fault_fact(&fault, "issuer", "%s", p->pub.issuer);
	on_fault(arg, &fault);
}

static void tell_chain_date(const struct pair *p, int64_t now_s, tls_fault_fn *on_fault, void *arg)
{
	X509 *out = chain_out_of_date(p, now_s);
	char issuer[CERT_NAME_SIZE] = "";
	struct fault fault;

	if (!out)
		return;
	pair_fault_set(&fault, FAULT_CERT_CHAIN_DATE, p);
	fault_fact(&fault, "issuer", "%s", cert_name_text(X509_get_subject_name(out), issuer));
	set_time(&fault, "from", asn1_time_s(X509_get0_notBefore(out)));
	set_time(&fault, "until", asn1_time_s(X509_get0_notAfter(out)));
	on_fault(arg, &fault);
}

void pair_tell_dates(const struct pair *p, int64_t now_s, tls_fault_fn *on_fault, void *arg)
{
	if (now_s >= p->pub.not_after)
		pair_tell(p, FAULT_CERT_EXPIRED, on_fault, arg);
	else if (now_s < p->pub.not_before)
		pair_tell(p, FAULT_CERT_NOT_YET_VALID, on_fault, arg);
	tell_chain_date(p, now_s, on_fault, arg);
}

static void tell_pair(struct found *f, enum fault_code code, const struct pair *p)
{
	pair_tell(p, code, f->on_fault, f->arg);
}

/* What was left out or put elsewhere, of the certificates or of the names. */
static void tell_tidied(struct found *f, const struct pair *p)
{
	struct fault fault;

	if (p->reordered) {
		pair_fault_set(&fault, FAULT_CERT_CHAIN_ORDER, p);
		fault_fact(&fault, "served", "%d", 1 + sk_X509_num(p->chain));
		fault_fact(&fault, "left_out", "%u", p->left_out);
		f->on_fault(f->arg, &fault);
	}
	if (p->names_n > p->pub.names_n) {
		pair_fault_set(&fault, FAULT_CERT_NAMES_LEFT_OUT, p);
		fault_fact(&fault, "count", "%u", p->names_n);
		fault_fact(&fault, "most", "%u", p->pub.names_n);
		f->on_fault(f->arg, &fault);
	}
}

static void tell_reach(struct found *f, struct chain_judge *judge, struct pair *p)
{
	const char *error = chain_judge(judge, p);
	char issuer[CERT_NAME_SIZE] = "";
	struct fault fault;

	/* With no intermediate at all the cause is known. */
	if (sk_X509_num(p->chain) == 0 && !p->pub.self_signed && p->pub.reach != TLS_REACH_YES) {
		tell_pair(f, FAULT_CERT_NO_CHAIN, p);
		return;
	}
	if (!error)
		return;
	pair_fault_set(&fault, FAULT_CERT_CHAIN_NO_CA, p);
	fault_fact(&fault, "issuer", "%s", cert_name_text(X509_get_issuer_name(chain_end(p)), issuer));
	fault_fact(&fault, "error", "%s", error);
	f->on_fault(f->arg, &fault);
}

static void tell_worries(struct found *f, struct chain_judge *judge, struct pair *p)
{
	tell_tidied(f, p);
	tell_reach(f, judge, p);
	pair_tell_dates(p, clock_wall_s(), f->on_fault, f->arg);
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
static const char *namesake_key(const struct found *f, const char *cert_path)
{
	const struct tls_file *key = map_find(&f->key_by_stem, stem_of(span_of(cert_path)));
	const char *slash = strrchr(cert_path, '/');
	char *certbots;

	if (!key) {
		certbots = mem_textf("%.*s/privkey.", slash ? (int)(slash - cert_path) : 0, cert_path);
		key = map_find(&f->key_by_stem, span_of(certbots));
		mem_free(certbots);
	}
	return key ? key->path : NULL;
}

/* chain.pem and its like are there to be parts of others; what names hosts is a server's, CA or
 * not. */
static bool is_issuer(X509 *x)
{
	return X509_check_ca(x) > 0 && X509_get_ext_by_NID(x, NID_subject_alt_name, -1) < 0;
}

static void tell_unpaired(struct found *f, const struct found_cert *cert, X509 *x)
{
	struct pair *p;
	const char *key;

	if (is_issuer(x))
		return;
	key = namesake_key(f, cert->path);
	p = pair_new(cert, x, NULL);
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

static void pair_up(struct found *f, const struct found_cert *cert, X509 *leaf, struct pairs *ret)
{
	const struct found_key *key = key_of(f, leaf);
	bool stand_in = !key && f->settings->stand_in_keys && is_for_server(f, leaf);
	enum fault_code code;
	struct pair *p;

	if (!key && !stand_in) {
		tell_unpaired(f, cert, leaf);
		return;
	}
	p = pair_new(cert, leaf, key);
	code = pair_fault(p);
	if (!code && stand_in && !give_stand_in(p))
		code = FAULT_CERT_KEY_KIND;
	if (code) {
		tell_pair(f, code, p);
		pair_unref(p);
		return;
	}
	pair_read_staple(p, map_find(&f->staple_by_stem, stem_of(span_of(cert->path))), f->on_fault, f->arg);
	pairs_add(ret, p);
}

static bool stands_before(STACK_OF(X509) * certs, int i)
{
	for (int k = 0; k < i; k++)
		if (X509_cmp(sk_X509_value(certs, k), sk_X509_value(certs, i)) == 0)
			return true;
	return false;
}

/* Servers' certificates with a key, each once; else the first that has one; else what looks most
 * like a server's. */
static void pair_up_file(struct found *f, const struct found_cert *cert, struct pairs *ret)
{
	X509 *with_key = NULL, *server = NULL;
	bool any = false;

	for (int i = 0; i < sk_X509_num(cert->certs); i++) {
		X509 *x = sk_X509_value(cert->certs, i);
		bool has_key = key_of(f, x) != NULL;

		if (!with_key && has_key)
			with_key = x;
		if (!server && !is_issuer(x))
			server = x;
		if (!has_key || is_issuer(x) || stands_before(cert->certs, i))
			continue;
		pair_up(f, cert, x, ret);
		any = true;
	}
	if (!any)
		pair_up(f, cert, with_key ? with_key : server ? server : sk_X509_value(cert->certs, 0), ret);
}

void pairs_from_files(const struct tls_files *files, const struct tls_set_settings *settings, struct pairs *ret,
	tls_fault_fn *on_fault, void *arg)
{
	struct found f = { .settings = settings, .on_fault = on_fault, .arg = arg };
	struct chain_judge judge;

	*ret = (struct pairs){ 0 };
	map_init(&f.by_public);
	map_init(&f.key_by_stem);
	map_init(&f.staple_by_stem);
	for (unsigned i = 0; i < files->n; i++)
		read_file(&f, &files->v[i]);
	for (unsigned i = 0; i < f.certs_n; i++)
		pair_up_file(&f, &f.certs[i], ret);
	chain_judge_init(&judge, settings->judge_reach ? client_cas() : NULL);
	for (unsigned i = 0; i < ret->n; i++)
		tell_worries(&f, &judge, ret->v[i]);
	chain_judge_done(&judge);
	found_done(&f);
}
