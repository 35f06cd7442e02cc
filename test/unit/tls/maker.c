/* The maker of certificates; see maker.h. */
#include "maker.h"
#include <dirent.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS 4

/* What lives until the process ends stays reachable, so that LeakSanitizer is content. */
static void *keep(void *p)
{
	static struct kept {
		struct kept *next;
		void *p;
	} * all;
	struct kept *k = mem_new(struct kept);

	assert_non_null(p);
	*k = (struct kept){ all, p };
	all = k;
	return p;
}

EVP_PKEY *maker_key(enum tls_key_type type, unsigned i)
{
	static EVP_PKEY *keys[3][KEYS];

	assert_true(type < 3 && i < KEYS);
	if (!keys[type][i]) {
		if (type == TLS_KEY_RSA)
			keys[type][i] = EVP_RSA_gen(2048);
		else
			keys[type][i] =
				type == TLS_KEY_ECDSA ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	assert_non_null(keys[type][i]);
	return keys[type][i];
}

EVP_PKEY *maker_weak_key(void)
{
	static EVP_PKEY *key;

	if (!key)
		key = EVP_RSA_gen(1024);
	return key;
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (!value)
		return;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct made make(const struct recipe *r)
{
	static long serial = 1000;
	struct made m = { keep(X509_new()), r->key ? r->key : maker_key(TLS_KEY_ECDSA, 0) };
	X509 *issuer = r->by ? r->by->x : m.x;
	EVP_PKEY *signer = r->by ? r->by->key : m.key;
	bool own_digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;

	X509_set_version(m.x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(m.x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(m.x), r->from_s || r->until_s ? r->from_s : -DAY);
	X509_gmtime_adj(X509_getm_notAfter(m.x), r->from_s || r->until_s ? r->until_s : 90 * DAY);
	X509_set_pubkey(m.x, m.key);
	if (r->cn)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(m.x), "CN", MBSTRING_UTF8,
			(const unsigned char *)r->cn, -1, -1, 0);
	X509_set_issuer_name(m.x, X509_get_subject_name(issuer));
	extend(m.x, issuer, NID_basic_constraints, r->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	extend(m.x, issuer, NID_subject_key_identifier, "hash");
	extend(m.x, issuer, NID_subject_alt_name, r->san);
	extend(m.x, issuer, NID_key_usage, r->usage);
	extend(m.x, issuer, NID_ext_key_usage, r->extended);
	extend(m.x, issuer, NID_tlsfeature, r->must_staple ? "status_request" : NULL);
	assert_true(X509_sign(m.x, signer, own_digest ? NULL : r->digest ? r->digest : EVP_sha256()) > 0);
	return m;
}

struct made make_simple(const char *san, EVP_PKEY *key)
{
	return make(&(struct recipe){ .cn = "simple", .san = san, .key = key });
}

struct family make_family(const char *san, EVP_PKEY *leaf_key)
{
	struct family f;

	f.root = make(&(struct recipe){ .cn = "Test Root", .ca = true, .key = maker_key(TLS_KEY_ECDSA, 3) });
	f.middle = make(&(struct recipe){ .cn = "Test Intermediate",
		.ca = true,
		.key = maker_key(TLS_KEY_ECDSA, 2),
		.by = &f.root });
	f.leaf = make(&(struct recipe){ .cn = "leaf", .san = san, .key = leaf_key, .by = &f.middle });
	return f;
}

struct span make_staple(const struct made *leaf, const struct made *issuer, const struct made *by, bool embed,
	int status, long from_s, long until_s)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, leaf->x, issuer->x);
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *until = X509_gmtime_adj(NULL, until_s);
	ASN1_TIME *revoked = status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int n;

	assert_non_null(OCSP_basic_add1_status(basic, id, status, 0, revoked, from, until));
	assert_int_equal(OCSP_basic_sign(basic, by->x, by->key, EVP_sha256(), NULL, embed ? 0 : OCSP_NOCERTS), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	n = i2d_OCSP_RESPONSE(response, &der);
	assert_true(n > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return span_make(keep(der), (size_t)n);
}

/* ---- folders ---- */

struct folder folder_make(void)
{
	struct folder f = { "/tmp/torhaus-tls-XXXXXX" };

	assert_non_null(mkdtemp(f.path));
	return f;
}

static void remove_below(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_(mem_freep) char *inner = mem_textf("%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlink(inner) < 0)
			remove_below(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

void folder_remove(struct folder *f)
{
	remove_below(f->path);
}

static FILE *folder_open(const struct folder *f, const char *name)
{
	_cleanup_(mem_freep) char *path = mem_textf("%s/%s", f->path, name);
	char *slash = strrchr(path, '/');
	FILE *file;

	*slash = '\0';
	mkdir(path, 0700);
	*slash = '/';
	/* Anew, not over it: what renews certificates does so, too, and a link's target is left
	 * alone. */
	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	return file;
}

void folder_put(const struct folder *f, const char *name, const struct made *const *certs, EVP_PKEY *key)
{
	FILE *file = folder_open(f, name);

	for (; certs && *certs; certs++)
		PEM_write_X509(file, (*certs)->x);
	if (key)
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
}

void folder_put_bytes(const struct folder *f, const char *name, const void *p, size_t n)
{
	FILE *file = folder_open(f, name);

	assert_int_equal(fwrite(p, 1, n, file), n);
	fclose(file);
}

void folder_drop(const struct folder *f, const char *name)
{
	_cleanup_(mem_freep) char *path = mem_textf("%s/%s", f->path, name);

	assert_int_equal(unlink(path), 0);
}

void folder_put_pair(const struct folder *f, const char *name, const struct made *pair)
{
	folder_put(f, name, CERTS(pair), pair->key);
}

/* ---- building ---- */

void told_fault(void *arg, const struct fault *f)
{
	struct told *told = arg;

	told->n++;
	told->count[f->code]++;
	told->last[f->code] = *f;
}

static const struct tls_set_settings settings = { .session_lifetime_s = 7200 };

struct tls_set *folder_build(const struct folder *f, struct tls_set *earlier, struct told *told)
{
	struct span path = span_of(f->path);
	struct tls_files *files = tls_files_read(&path, 1);
	struct tls_set *set;

	*told = (struct told){ 0 };
	set = tls_set_build(files, &settings, earlier, told_fault, told);
	tls_files_free(files);
	return set;
}

struct tls_set *set_of(const struct made *const *certs, EVP_PKEY *key)
{
	struct folder f = folder_make();
	struct told told;
	struct tls_set *set;

	folder_put(&f, "pair.pem", certs, key);
	set = folder_build(&f, NULL, &told);
	folder_remove(&f);
	return set;
}

bool serves(struct tls_set *set, const char *name, enum tls_key_type type, const struct made *want)
{
	uint8_t served[32], wanted[32];
	unsigned n = sizeof(wanted);

	X509_digest(want->x, EVP_sha256(), wanted, &n);
	return tls_set_prove(set, span_of(name), type, served) == 0 && memcmp(served, wanted, sizeof(served)) == 0;
}
