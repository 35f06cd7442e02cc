/* From files to pairs: what is served, and each fault that keeps a pair out or is told about one
 * that is served. */
#include "maker.h"
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tls/tls_priv.h"

static struct folder folder;
static struct told told;

static int set_up(void **state)
{
	(void)state;
	folder = folder_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

/* The folder makes `count` pairs, and only `code` is told, once (FAULT_NONE: nothing). */
static void assert_built(unsigned count, enum fault_code code)
{
	struct tls_set *set = folder_build(&folder, NULL, &told);

	assert_int_equal(tls_set_count(set), count);
	if (count == 0) {
		assert_int_equal(told.count[FAULT_CERT_NONE], 1);
		told.n--;
	}
	assert_int_equal(told.n, code == FAULT_NONE ? 0 : 1);
	assert_true(code == FAULT_NONE || told.count[code] == 1);
	tls_set_unref(set);
}

static void assert_fact(enum fault_code code, const char *name, const char *part)
{
	struct span value = fault_value(&told.last[code], name);

	if (span_find(value, span_of(part)) < 0)
		print_error("%s: \"%.*s\" lacks \"%s\"\n", name, SPAN_ARG(value), part);
	assert_true(span_find(value, span_of(part)) >= 0);
}

/* ---- layouts ---- */

static void test_one_file_holds_all(void **state)
{
	struct family f = make_family("DNS:a.example,DNS:*.B.example", NULL);
	struct tls_set *set;
	const struct tls_pair *p;

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle), f.leaf.key);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	p = tls_set_pair(set, 0);
	assert_string_equal(p->cert_path, p->key_path);
	assert_int_equal(p->names_n, 2);
	assert_span(p->names[0], "a.example");
	assert_span(p->names[1], "*.b.example");
	assert_int_equal(p->type, TLS_KEY_ECDSA);
	assert_int_equal(p->bits, 256);
	assert_string_equal(p->issuer, "Test Intermediate");
	assert_false(p->kept || p->has_staple || p->self_signed);
	assert_int_equal((p->not_after - p->not_before) / DAY, 91);
	tls_set_unref(set);
}

static void test_the_key_may_stand_first(void **state)
{
	struct made m = make_simple("DNS:a.example", maker_key(TLS_KEY_RSA, 0));
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	PEM_write_bio_PrivateKey_traditional(bio, m.key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(bio, m.x);
	n = BIO_get_mem_data(bio, &pem);
	folder_put_bytes(&folder, "a.pem", pem, (size_t)n);
	BIO_free(bio);
	assert_built(1, FAULT_NONE);
}

static void test_apart_they_find_each_other_by_key(void **state)
{
	struct made a = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));
	struct made b = make_simple("DNS:b.example", maker_key(TLS_KEY_ECDSA, 1));
	struct made c = make_simple("DNS:c.example", maker_key(TLS_KEY_ED25519, 0));

	folder_put(&folder, "a.crt", CERTS(&a), NULL);
	folder_put(&folder, "b.cer", CERTS(&b), NULL);
	folder_put(&folder, "c.crt", CERTS(&c), NULL);
	/* Named crosswise on purpose. */
	folder_put(&folder, "a.key", NULL, b.key);
	folder_put(&folder, "b.key", NULL, a.key);
	folder_put(&folder, "keys/c.key", NULL, c.key);
	assert_built(3, FAULT_NONE);
}

static void test_certbot(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct tls_set *set;

	folder_put(&folder, "a.example/cert.pem", CERTS(&f.leaf), NULL);
	folder_put(&folder, "a.example/chain.pem", CERTS(&f.middle), NULL);
	folder_put(&folder, "a.example/fullchain.pem", CERTS(&f.leaf, &f.middle), NULL);
	folder_put(&folder, "a.example/privkey.pem", NULL, f.leaf.key);
	folder_put_bytes(&folder, "README", "not ours", 8);
	set = folder_build(&folder, NULL, &told);
	/* No complaint about cert.pem without its chain, nor chain.pem without its key. */
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	assert_non_null(strstr(tls_set_pair(set, 0)->cert_path, "a.example/fullchain.pem"));
	assert_true(serves(set, "a.example", TLS_KEY_ECDSA, &f.leaf));
	tls_set_unref(set);
}

/* ---- not served ---- */

static void test_a_key_of_another_certificate(void **state)
{
	struct made m = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));

	folder_put(&folder, "a.crt", CERTS(&m), NULL);
	folder_put(&folder, "a.key", NULL, maker_key(TLS_KEY_ECDSA, 1));
	folder_put(&folder, "a.example.key", NULL, maker_key(TLS_KEY_ECDSA, 2));
	assert_built(0, FAULT_CERT_KEY_MISMATCH);
	assert_fact(FAULT_CERT_KEY_MISMATCH, "file", "/a.crt");
	assert_fact(FAULT_CERT_KEY_MISMATCH, "key", "/a.key");
}

static void test_a_key_of_another_certificate_in_one_file(void **state)
{
	struct made m = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));

	folder_put(&folder, "a.pem", CERTS(&m), maker_key(TLS_KEY_RSA, 0));
	assert_built(0, FAULT_CERT_KEY_MISMATCH);
}

static void test_certbots_key_of_another_certificate(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);

	folder_put(&folder, "a/fullchain.pem", CERTS(&f.leaf, &f.middle), NULL);
	folder_put(&folder, "a/privkey.pem", NULL, maker_key(TLS_KEY_ECDSA, 1));
	assert_built(0, FAULT_CERT_KEY_MISMATCH);
	assert_fact(FAULT_CERT_KEY_MISMATCH, "key", "/a/privkey.pem");
}

static void test_no_key(void **state)
{
	struct made m = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));

	folder_put(&folder, "a.crt", CERTS(&m), NULL);
	/* Of another certificate by its name: no reason to speak of a mismatch. */
	folder_put(&folder, "a.example.key", NULL, maker_key(TLS_KEY_ECDSA, 2));
	assert_built(0, FAULT_CERT_NO_KEY);
	assert_fact(FAULT_CERT_NO_KEY, "file", "/a.crt");
}

static void put_encrypted(const char *name, EVP_PKEY *key, bool traditional)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char secret[] = "secret";
	char *pem;
	long n;

	if (traditional)
		PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(), secret, 6, NULL, NULL);
	else
		PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), (char *)secret, 6, NULL, NULL);
	n = BIO_get_mem_data(bio, &pem);
	folder_put_bytes(&folder, name, pem, (size_t)n);
	BIO_free(bio);
}

static void test_an_encrypted_key(void **state)
{
	for (int traditional = 0; traditional < 2; traditional++) {
		struct tls_set *set;

		put_encrypted("a.key", maker_key(TLS_KEY_RSA, 0), traditional);
		set = folder_build(&folder, NULL, &told);
		assert_int_equal(told.count[FAULT_CERT_KEY_ENCRYPTED], 1);
		assert_fact(FAULT_CERT_KEY_ENCRYPTED, "file", "/a.key");
		tls_set_unref(set);
	}
}

static void test_what_cannot_be_read(void **state)
{
	struct span path = span_of(folder.path);
	struct tls_set_settings settings = { .session_lifetime_s = 7200 };
	struct made m = make_simple("DNS:a.example", NULL);
	struct tls_files *files;
	struct tls_set *set;

	folder_put_pair(&folder, "a.pem", &m);
	files = tls_files_read(&path, 1);
	/* As it is for one who is not root. */
	files->v[0].readable = false;
	files->v[0].error = EACCES;
	files->v[0].n = 0;
	told = (struct told){ 0 };
	set = tls_set_build(files, &settings, NULL, told_fault, &told);
	assert_int_equal(told.count[FAULT_CERT_UNREADABLE], 1);
	assert_fact(FAULT_CERT_UNREADABLE, "error", "Permission denied");
	assert_int_equal(tls_set_count(set), 0);
	tls_set_unref(set);
	tls_files_free(files);
}

static void test_garbage(void **state)
{
	static const char *const contents[] = { "", "hello", "-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n", "\x30\x82\x01\x01\x30",
		"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n" };

	for (size_t i = 0; i < array_len(contents); i++) {
		folder_put_bytes(&folder, "a.pem", contents[i], strlen(contents[i]));
		assert_built(0, FAULT_CERT_BAD_FILE);
	}
}

/* A file that was cut off while it was copied must not pass for a shorter chain. */
static void test_a_chain_cut_off(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct span path = span_of(folder.path);
	struct tls_files *files;

	folder_put(&folder, "a.crt", CERTS(&f.leaf, &f.middle), NULL);
	files = tls_files_read(&path, 1);
	folder_put_bytes(&folder, "a.crt", files->v[0].bytes, files->v[0].n - 60);
	folder_put(&folder, "a.key", NULL, f.leaf.key);
	tls_files_free(files);
	assert_built(0, FAULT_CERT_BAD_FILE);
}

static void test_keys_too_small(void **state)
{
	struct made m = make_simple("DNS:a.example", maker_weak_key());

	folder_put_pair(&folder, "a.pem", &m);
	assert_built(0, FAULT_CERT_KEY_TOO_SMALL);
	assert_fact(FAULT_CERT_KEY_TOO_SMALL, "bits", "1024");
}

/* OpenSSL refuses the whole chain in the handshake: all clients would fail. */
static void test_a_small_key_of_an_intermediate(void **state)
{
	struct made root = make(&(struct recipe){ .cn = "root", .ca = true, .key = maker_weak_key() });
	struct made leaf = make(&(struct recipe){ .cn = "a", .san = "DNS:a.example", .by = &root });

	folder_put(&folder, "a.pem", CERTS(&leaf, &root), leaf.key);
	assert_built(0, FAULT_CERT_KEY_TOO_SMALL);
	assert_fact(FAULT_CERT_KEY_TOO_SMALL, "bits", "1024");
}

static void test_keys_of_another_kind(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	struct made by = make(&(struct recipe){ .cn = "root", .ca = true });
	struct made m = make(&(struct recipe){ .cn = "a", .san = "DNS:a.example", .key = key, .by = &by });

	folder_put(&folder, "a.pem", CERTS(&m, &by), key);
	assert_built(0, FAULT_CERT_KEY_KIND);
	EVP_PKEY_free(key);
}

static void test_weak_signatures(void **state)
{
	struct made root = make(&(struct recipe){ .cn = "root", .ca = true, .digest = EVP_sha1() });
	struct made middle = make(&(struct recipe){ .cn = "m",
		.ca = true,
		.key = maker_key(TLS_KEY_ECDSA, 1),
		.by = &root,
		.digest = EVP_sha1() });
	struct made leaf =
		make(&(struct recipe){ .cn = "l", .san = "DNS:a.example", .by = &root, .digest = EVP_sha1() });
	struct made under = make(&(struct recipe){ .cn = "l", .san = "DNS:a.example", .by = &middle });
	struct made fine = make(&(struct recipe){ .cn = "l", .san = "DNS:a.example", .by = &root });

	folder_put(&folder, "a.pem", CERTS(&leaf, &root), leaf.key);
	assert_built(0, FAULT_CERT_WEAK_SIGNATURE);
	folder_put(&folder, "a.pem", CERTS(&under, &middle), leaf.key);
	assert_built(0, FAULT_CERT_WEAK_SIGNATURE);
	/* A root's signature of itself proves nothing. */
	folder_put(&folder, "a.pem", CERTS(&fine, &root), leaf.key);
	assert_built(1, FAULT_NONE);
}

/* One pair is served with this many issuers, and these codes are told once each. */
static void assert_tidied(int issuers, const char *left_out, enum fault_code also)
{
	struct tls_set *set = folder_build(&folder, NULL, &told);

	assert_int_equal(tls_set_count(set), 1);
	assert_int_equal(sk_X509_num(set->pairs.v[0]->chain), issuers);
	assert_int_equal(told.n, also == FAULT_NONE ? 1 : 2);
	assert_int_equal(told.count[FAULT_CERT_CHAIN_ORDER], 1);
	assert_true(also == FAULT_NONE || told.count[also] == 1);
	assert_fact(FAULT_CERT_CHAIN_ORDER, "left_out", left_out);
	tls_set_unref(set);
}

/* Put in order, and told: the root before the intermediate, the leaf or an issuer twice, a foreign
 * certificate beside, in front, or of the issuer's name with another key. */
static void test_chains_out_of_order(void **state)
{
	struct family f = make_family("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));
	struct made other = make(&(struct recipe){ .cn = "Test Intermediate", .ca = true });
	struct made foreign = make_simple("DNS:b.example", maker_key(TLS_KEY_ECDSA, 1));

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.root, &f.middle), f.leaf.key);
	assert_tidied(2, "0", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&f.root, &f.middle, &f.leaf), f.leaf.key);
	assert_tidied(2, "0", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&f.middle, &f.leaf), f.leaf.key);
	assert_tidied(1, "0", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.leaf, &f.middle), f.leaf.key);
	assert_tidied(1, "1", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle, &f.middle), f.leaf.key);
	assert_tidied(1, "1", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&foreign, &f.leaf, &foreign, &f.middle), f.leaf.key);
	assert_tidied(1, "2", FAULT_NONE);
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &other), f.leaf.key);
	assert_tidied(0, "1", FAULT_CERT_NO_CHAIN);
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle, &f.root), f.leaf.key);
	assert_built(1, FAULT_NONE);
}

/* Of an issuer and its twin with the same key and name the one in date is sent. */
static void test_a_twin_of_the_issuer(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct made old = make(&(struct recipe){ .cn = "Test Intermediate",
		.ca = true,
		.by = &f.root,
		.key = f.middle.key,
		.from_s = -90 * DAY,
		.until_s = -DAY });
	struct tls_set *set;

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &old, &f.middle), f.leaf.key);
	assert_tidied(1, "1", FAULT_NONE);
	/* Alone it is sent, and told. */
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &old), f.leaf.key);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(tls_set_count(set), 1);
	assert_int_equal(told.n, 1);
	assert_fact(FAULT_CERT_CHAIN_DATE, "issuer", "Test Intermediate");
	assert_fact(FAULT_CERT_CHAIN_DATE, "file", "a.pem");
	tls_set_unref(set);
}

/* RSA and ECDSA of one name in one file, with both keys: two pairs. */
static void test_two_servers_in_one_file(void **state)
{
	struct family f = make_family("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));
	struct made rsa = make(&(struct recipe){ .cn = "a.example",
		.san = "DNS:a.example",
		.by = &f.middle,
		.key = maker_key(TLS_KEY_RSA, 0) });
	struct tls_set *set;

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &rsa, &f.middle), f.leaf.key);
	folder_put(&folder, "b.key", NULL, rsa.key);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(tls_set_count(set), 2);
	assert_int_equal(sk_X509_num(set->pairs.v[0]->chain), 1);
	assert_int_equal(sk_X509_num(set->pairs.v[1]->chain), 1);
	assert_int_equal(told.n, told.count[FAULT_CERT_CHAIN_ORDER]);
	tls_set_unref(set);
}

static struct tls_set *build_judged(void)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 3600, .judge_reach = true };
	struct span path = span_of(folder.path);
	struct tls_files *files = tls_files_read(&path, 1);
	struct tls_set *set;

	told = (struct told){ 0 };
	set = tls_set_build(files, &settings, NULL, told_fault, &told);
	tls_files_free(files);
	return set;
}

/* The CAs of this machine are one root here. */
static void test_reaching_a_ca(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct made strange =
		make(&(struct recipe){ .cn = "Strange CA", .ca = true, .key = maker_key(TLS_KEY_RSA, 1) });
	struct made stray = make(&(struct recipe){ .cn = "b.example", .san = "DNS:b.example", .by = &strange });
	struct made direct = make(&(struct recipe){ .cn = "c.example", .san = "DNS:c.example", .by = &f.root });
	struct made self = make_simple("DNS:d.example", maker_key(TLS_KEY_RSA, 0));
	char cas[] = "/tmp/torhaus-cas-XXXXXX";
	FILE *file = fdopen(mkstemp(cas), "w");
	struct tls_set *set;

	PEM_write_X509(file, f.root.x);
	fclose(file);
	setenv("SSL_CERT_FILE", cas, 1);
	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle), f.leaf.key);
	folder_put(&folder, "c.pem", CERTS(&direct), direct.key); /* needs no intermediate */
	folder_put(&folder, "d.pem", CERTS(&self), self.key);
	set = build_judged();
	assert_int_equal(told.n, 0);
	assert_int_equal(set->pairs.v[0]->pub.reach, TLS_REACH_YES);
	assert_int_equal(set->pairs.v[1]->pub.reach, TLS_REACH_YES);
	assert_int_equal(set->pairs.v[2]->pub.reach, TLS_REACH_UNKNOWN);
	tls_set_unref(set);
	folder_put(&folder, "b.pem", CERTS(&stray, &strange), stray.key);
	folder_put(&folder, "a.pem", CERTS(&f.leaf), f.leaf.key);
	set = build_judged();
	assert_int_equal(told.n, 2);
	assert_int_equal(told.count[FAULT_CERT_NO_CHAIN], 1);
	assert_int_equal(told.count[FAULT_CERT_CHAIN_NO_CA], 1);
	assert_fact(FAULT_CERT_CHAIN_NO_CA, "file", "b.pem");
	tls_set_unref(set);
	unlink(cas);
}

/* Suffixes in capitals, files that are too large, keys and folders that are open to all. */
static void test_nothing_is_dropped_without_a_word(void **state)
{
	struct made one = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));
	struct made other = make_simple("DNS:b.example", maker_key(TLS_KEY_ECDSA, 1));
	_cleanup_(mem_freep) char *large = mem_zalloc(300 * 1024, 1), *path = NULL;

	folder_put(&folder, "A.PEM", CERTS(&one), one.key);
	assert_built(1, FAULT_NONE);
	folder_put(&folder, "B.CRT", CERTS(&other), NULL);
	folder_put(&folder, "B.Key", NULL, other.key);
	assert_built(2, FAULT_NONE);
	folder_put_bytes(&folder, "c.pem", large, 300 * 1024);
	assert_built(2, FAULT_CERT_UNREADABLE);
	assert_fact(FAULT_CERT_UNREADABLE, "error", "256 KiB");
	folder_drop(&folder, "c.pem");
	path = mem_textf("%s/B.Key", folder.path);
	for (unsigned i = 0; i < 2; i++) {
		chmod(path, i ? 0602 : 0644);
		assert_built(2, FAULT_CERT_KEY_EXPOSED);
		assert_fact(FAULT_CERT_KEY_EXPOSED, "mode", i ? "0602" : "0644");
	}
	chmod(path, 0640);
	assert_built(2, FAULT_NONE);
	chmod(folder.path, 0777);
	assert_built(2, FAULT_CERT_FOLDER_OPEN);
	assert_fact(FAULT_CERT_FOLDER_OPEN, "file", folder.path);
	chmod(folder.path, 0700);
}

static void test_many_names(void **state)
{
	struct buf san = BUF_INIT(1 << 20);
	struct made one;
	struct tls_set *set;

	for (unsigned i = 0; i < 1500; i++)
		buf_addf(&san, "%sDNS:n%u.example", i ? "," : "", i);
	one = make_simple(buf_text(&san), maker_key(TLS_KEY_ECDSA, 0));
	folder_put_pair(&folder, "a.pem", &one);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_pair(set, 0)->names_n, 1500);
	assert_true(tls_set_has_name(set, SPAN("n1499.example")));
	assert_false(tls_set_has_name(set, SPAN("n1500.example")));
	tls_set_unref(set);
	buf_done(&san);
}

static void test_usages(void **state)
{
	static const struct {
		const char *usage, *extended;
		enum fault_code code;
	} rows[] = { { "critical,digitalSignature", "serverAuth", FAULT_NONE },
		{ "digitalSignature,keyEncipherment", "serverAuth,clientAuth", FAULT_NONE },
		{ NULL, "anyExtendedKeyUsage", FAULT_NONE }, { "keyEncipherment", NULL, FAULT_CERT_KEY_USAGE },
		{ "critical,keyAgreement", "serverAuth", FAULT_CERT_KEY_USAGE },
		{ NULL, "clientAuth", FAULT_CERT_NOT_FOR_SERVERS },
		{ "digitalSignature", "emailProtection,codeSigning", FAULT_CERT_NOT_FOR_SERVERS } };

	for (size_t i = 0; i < array_len(rows); i++) {
		struct made m = make(&(struct recipe){ .cn = "a",
			.san = "DNS:a.example",
			.usage = rows[i].usage,
			.extended = rows[i].extended });

		folder_put_pair(&folder, "a.pem", &m);
		assert_built(rows[i].code == FAULT_NONE, rows[i].code);
	}
}

static void test_names(void **state)
{
	struct made none = make(&(struct recipe){ 0 });
	struct made address = make(&(struct recipe){ .san = "IP:192.0.2.1,email:a@a.example" });
	struct made common = make(&(struct recipe){ .cn = "Old.Example" });
	struct tls_set *set;

	folder_put_pair(&folder, "a.pem", &none);
	assert_built(0, FAULT_CERT_NO_NAMES);
	folder_put_pair(&folder, "a.pem", &address);
	assert_built(0, FAULT_CERT_NO_NAMES);
	folder_put_pair(&folder, "a.pem", &common);
	set = folder_build(&folder, NULL, &told);
	assert_span(tls_set_pair(set, 0)->names[0], "old.example");
	tls_set_unref(set);
}

/* ---- served, but told ---- */

static void test_dates(void **state)
{
	struct made old =
		make(&(struct recipe){ .cn = "a", .san = "DNS:a.example", .from_s = -90 * DAY, .until_s = -60 });
	struct made young =
		make(&(struct recipe){ .cn = "a", .san = "DNS:a.example", .from_s = DAY, .until_s = 90 * DAY });

	folder_put_pair(&folder, "a.pem", &old);
	assert_built(1, FAULT_CERT_EXPIRED);
	assert_fact(FAULT_CERT_EXPIRED, "name", "a.example");
	assert_fact(FAULT_CERT_EXPIRED, "until", "T");
	folder_put_pair(&folder, "a.pem", &young);
	assert_built(1, FAULT_CERT_NOT_YET_VALID);
}

static void test_no_chain(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);

	folder_put_pair(&folder, "a.pem", &f.leaf);
	assert_built(1, FAULT_CERT_NO_CHAIN);
	assert_fact(FAULT_CERT_NO_CHAIN, "issuer", "Test Intermediate");
}

/* ---- OCSP ---- */

static void assert_staple(struct span staple, bool good)
{
	struct tls_set *set;

	folder_put_bytes(&folder, "a.ocsp", staple.p, staple.n);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(tls_set_count(set), 1);
	assert_int_equal(told.count[FAULT_CERT_STAPLE_BAD], !good);
	assert_int_equal(told.n, !good);
	assert_int_equal(tls_set_pair(set, 0)->has_staple, good);
	tls_set_unref(set);
}

static void test_staples(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct made other = make(&(struct recipe){ .cn = "b", .san = "DNS:b.example", .by = &f.middle });
	struct made responder = make(&(struct recipe){ .cn = "ocsp",
		.key = maker_key(TLS_KEY_ECDSA, 1),
		.by = &f.middle,
		.usage = "digitalSignature",
		.extended = "OCSPSigning" });
	struct made stranger =
		make(&(struct recipe){ .cn = "Test Intermediate", .ca = true, .key = maker_key(TLS_KEY_RSA, 0) });
	struct made self = make_simple("DNS:a.example", NULL);
	const int good = V_OCSP_CERTSTATUS_GOOD, revoked = V_OCSP_CERTSTATUS_REVOKED;

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle), f.leaf.key);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, good, -60, DAY), true);
	/* Most CAs leave their own certificate out. */
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, false, good, -60, DAY), true);
	assert_staple(make_staple(&f.leaf, &f.middle, &responder, true, good, -60, DAY), true);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, revoked, -60, DAY), false);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, V_OCSP_CERTSTATUS_UNKNOWN, -60, DAY), false);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, good, -2 * DAY, -DAY), false);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, good, DAY, 2 * DAY), false);
	assert_staple(make_staple(&other, &f.middle, &f.middle, true, good, -60, DAY), false);
	assert_staple(make_staple(&f.leaf, &f.middle, &stranger, true, good, -60, DAY), false);
	assert_staple(make_staple(&f.leaf, &f.middle, &other, true, good, -60, DAY), false);
	assert_staple(SPAN("garbage"), false);
	assert_staple(SPAN(""), false);
	/* Without the issuer nothing can be verified. */
	folder_put_pair(&folder, "a.pem", &self);
	assert_staple(make_staple(&f.leaf, &f.middle, &f.middle, true, good, -60, DAY), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_one_file_holds_all),
		TEST(test_the_key_may_stand_first),
		TEST(test_apart_they_find_each_other_by_key),
		TEST(test_certbot),
		TEST(test_a_key_of_another_certificate),
		TEST(test_a_key_of_another_certificate_in_one_file),
		TEST(test_certbots_key_of_another_certificate),
		TEST(test_no_key),
		TEST(test_an_encrypted_key),
		TEST(test_what_cannot_be_read),
		TEST(test_garbage),
		TEST(test_a_chain_cut_off),
		TEST(test_keys_too_small),
		TEST(test_a_small_key_of_an_intermediate),
		TEST(test_keys_of_another_kind),
		TEST(test_weak_signatures),
		TEST(test_chains_out_of_order),
		TEST(test_a_twin_of_the_issuer),
		TEST(test_two_servers_in_one_file),
		TEST(test_reaching_a_ca),
		TEST(test_nothing_is_dropped_without_a_word),
		TEST(test_many_names),
		TEST(test_usages),
		TEST(test_names),
		TEST(test_dates),
		TEST(test_no_chain),
		TEST(test_staples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
