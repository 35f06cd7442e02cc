/*
 * Suites, groups, signature algorithms, versions and alerts: their numbers and what they mean.
 *
 * OpenSSL is asked about the suites that it still has; those of the past, which explain failures,
 * stand here. Sources: the IANA registries of TLS parameters.
 */
#include <openssl/core_names.h>
#include <pthread.h>
#include <stdio.h>
#include "tls/explain_priv.h"

#define RING 8

/* ---- suites ---- */

static const struct {
	struct tls_suite suite;
	const char *name;
	const char *bare; /* IANA's name without TLS_ and WITH_ */
} forgotten[] = {
	{ { 0x0001, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "NULL-MD5", "RSA_NULL_MD5" },
	{ { 0x0002, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "NULL-SHA", "RSA_NULL_SHA" },
	{ { 0x0003, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_EXPORT }, "EXP-RC4-MD5", "RSA_EXPORT_RC4_40_MD5" },
	{ { 0x0004, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_RC4 }, "RC4-MD5", "RSA_RC4_128_MD5" },
	{ { 0x0005, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_RC4 }, "RC4-SHA", "RSA_RC4_128_SHA" },
	{ { 0x0006, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_EXPORT }, "EXP-RC2-CBC-MD5",
		"RSA_EXPORT_RC2_CBC_40_MD5" },
	{ { 0x0007, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "IDEA-CBC-SHA", "RSA_IDEA_CBC_SHA" },
	{ { 0x0008, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_EXPORT }, "EXP-DES-CBC-SHA", "RSA_EXPORT_DES40_CBC_SHA" },
	{ { 0x0009, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "DES-CBC-SHA", "RSA_DES_CBC_SHA" },
	{ { 0x000a, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_3DES }, "DES-CBC3-SHA", "RSA_3DES_EDE_CBC_SHA" },
	{ { 0x0011, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP-DHE-DSS-DES-CBC-SHA",
		"DHE_DSS_EXPORT_DES40_CBC_SHA" },
	{ { 0x0012, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-DSS-DES-CBC-SHA",
		"DHE_DSS_DES_CBC_SHA" },
	{ { 0x0013, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_3DES }, "DHE-DSS-DES-CBC3-SHA",
		"DHE_DSS_3DES_EDE_CBC_SHA" },
	{ { 0x0014, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP-DHE-RSA-DES-CBC-SHA",
		"DHE_RSA_EXPORT_DES40_CBC_SHA" },
	{ { 0x0015, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-RSA-DES-CBC-SHA",
		"DHE_RSA_DES_CBC_SHA" },
	{ { 0x0016, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_3DES }, "DHE-RSA-DES-CBC3-SHA",
		"DHE_RSA_3DES_EDE_CBC_SHA" },
	{ { 0x0017, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP-ADH-RC4-MD5",
		"DH_anon_EXPORT_RC4_40_MD5" },
	{ { 0x0018, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_RC4 }, "ADH-RC4-MD5", "DH_anon_RC4_128_MD5" },
	{ { 0x0019, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP-ADH-DES-CBC-SHA",
		"DH_anon_EXPORT_DES40_CBC_SHA" },
	{ { 0x001a, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "ADH-DES-CBC-SHA", "DH_anon_DES_CBC_SHA" },
	{ { 0x001b, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_3DES }, "ADH-DES-CBC3-SHA",
		"DH_anon_3DES_EDE_CBC_SHA" },
	{ { 0x0062, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_EXPORT }, "EXP1024-DES-CBC-SHA",
		"RSA_EXPORT1024_DES_CBC_SHA" },
	{ { 0x0063, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP1024-DHE-DSS-DES-CBC-SHA",
		"DHE_DSS_EXPORT1024_DES_CBC_SHA" },
	{ { 0x0064, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_EXPORT }, "EXP1024-RC4-SHA",
		"RSA_EXPORT1024_RC4_56_SHA" },
	{ { 0x0065, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_EXPORT }, "EXP1024-DHE-DSS-RC4-SHA",
		"DHE_DSS_EXPORT1024_RC4_56_SHA" },
	{ { 0x0066, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_RC4 }, "DHE-DSS-RC4-SHA", "DHE_DSS_RC4_128_SHA" },
	{ { 0x0096, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "SEED-SHA", "RSA_SEED_CBC_SHA" },
	{ { 0x0099, TLS_AUTH_OTHER, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-DSS-SEED-SHA",
		"DHE_DSS_SEED_CBC_SHA" },
	{ { 0x009a, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-RSA-SEED-SHA", "DHE_RSA_SEED_CBC_SHA" },
	{ { 0xc002, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_RC4 }, "ECDH-ECDSA-RC4-SHA",
		"ECDH_ECDSA_RC4_128_SHA" },
	{ { 0xc003, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_3DES }, "ECDH-ECDSA-DES-CBC3-SHA",
		"ECDH_ECDSA_3DES_EDE_CBC_SHA" },
	{ { 0xc007, TLS_AUTH_ECDSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_RC4 }, "ECDHE-ECDSA-RC4-SHA",
		"ECDHE_ECDSA_RC4_128_SHA" },
	{ { 0xc008, TLS_AUTH_ECDSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_3DES }, "ECDHE-ECDSA-DES-CBC3-SHA",
		"ECDHE_ECDSA_3DES_EDE_CBC_SHA" },
	{ { 0xc00c, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_RC4 }, "ECDH-RSA-RC4-SHA", "ECDH_RSA_RC4_128_SHA" },
	{ { 0xc00d, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_3DES }, "ECDH-RSA-DES-CBC3-SHA",
		"ECDH_RSA_3DES_EDE_CBC_SHA" },
	{ { 0xc011, TLS_AUTH_RSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_RC4 }, "ECDHE-RSA-RC4-SHA", "ECDHE_RSA_RC4_128_SHA" },
	{ { 0xc012, TLS_AUTH_RSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_3DES }, "ECDHE-RSA-DES-CBC3-SHA",
		"ECDHE_RSA_3DES_EDE_CBC_SHA" },
	{ { 0xc016, TLS_AUTH_OTHER, TLS_EXCHANGE_ECDHE, TLS_SUITE_RC4 }, "AECDH-RC4-SHA", "ECDH_anon_RC4_128_SHA" },
	{ { 0xc017, TLS_AUTH_OTHER, TLS_EXCHANGE_ECDHE, TLS_SUITE_3DES }, "AECDH-DES-CBC3-SHA",
		"ECDH_anon_3DES_EDE_CBC_SHA" },
	{ { 0xc004, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES128-SHA",
		"ECDH_ECDSA_AES_128_CBC_SHA" },
	{ { 0xc005, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES256-SHA",
		"ECDH_ECDSA_AES_256_CBC_SHA" },
	{ { 0xc00e, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES128-SHA",
		"ECDH_RSA_AES_128_CBC_SHA" },
	{ { 0xc00f, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES256-SHA",
		"ECDH_RSA_AES_256_CBC_SHA" },
	{ { 0xc025, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES128-SHA256",
		"ECDH_ECDSA_AES_128_CBC_SHA256" },
	{ { 0xc026, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES256-SHA384",
		"ECDH_ECDSA_AES_256_CBC_SHA384" },
	{ { 0xc029, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES128-SHA256",
		"ECDH_RSA_AES_128_CBC_SHA256" },
	{ { 0xc02a, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES256-SHA384",
		"ECDH_RSA_AES_256_CBC_SHA384" },
	{ { 0xc02d, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES128-GCM-SHA256",
		"ECDH_ECDSA_AES_128_GCM_SHA256" },
	{ { 0xc02e, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-ECDSA-AES256-GCM-SHA384",
		"ECDH_ECDSA_AES_256_GCM_SHA384" },
	{ { 0xc031, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES128-GCM-SHA256",
		"ECDH_RSA_AES_128_GCM_SHA256" },
	{ { 0xc032, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_FORGOTTEN }, "ECDH-RSA-AES256-GCM-SHA384",
		"ECDH_RSA_AES_256_GCM_SHA384" },
	{ { 0xc07a, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "CAMELLIA128-GCM-SHA256",
		"RSA_CAMELLIA_128_GCM_SHA256" },
	{ { 0xc07b, TLS_AUTH_RSA, TLS_EXCHANGE_RSA, TLS_SUITE_FORGOTTEN }, "CAMELLIA256-GCM-SHA384",
		"RSA_CAMELLIA_256_GCM_SHA384" },
	{ { 0xc07c, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-RSA-CAMELLIA128-GCM-SHA256",
		"DHE_RSA_CAMELLIA_128_GCM_SHA256" },
	{ { 0xc07d, TLS_AUTH_RSA, TLS_EXCHANGE_DHE, TLS_SUITE_FORGOTTEN }, "DHE-RSA-CAMELLIA256-GCM-SHA384",
		"DHE_RSA_CAMELLIA_256_GCM_SHA384" },
	{ { 0xc086, TLS_AUTH_ECDSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_FORGOTTEN }, "ECDHE-ECDSA-CAMELLIA128-GCM-SHA256",
		"ECDHE_ECDSA_CAMELLIA_128_GCM_SHA256" },
	{ { 0xc087, TLS_AUTH_ECDSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_FORGOTTEN }, "ECDHE-ECDSA-CAMELLIA256-GCM-SHA384",
		"ECDHE_ECDSA_CAMELLIA_256_GCM_SHA384" },
	{ { 0xc08a, TLS_AUTH_RSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_FORGOTTEN }, "ECDHE-RSA-CAMELLIA128-GCM-SHA256",
		"ECDHE_RSA_CAMELLIA_128_GCM_SHA256" },
	{ { 0xc08b, TLS_AUTH_RSA, TLS_EXCHANGE_ECDHE, TLS_SUITE_FORGOTTEN }, "ECDHE-RSA-CAMELLIA256-GCM-SHA384",
		"ECDHE_RSA_CAMELLIA_256_GCM_SHA384" },
	{ { 0x00ff, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_SIGNAL }, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
		"EMPTY_RENEGOTIATION_INFO_SCSV" },
	{ { SUITE_FALLBACK_SCSV, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_SIGNAL }, "TLS_FALLBACK_SCSV",
		"FALLBACK_SCSV" },
};

/* A connection that is never made: OpenSSL's table of suites hangs on one. */
static SSL *lookup;

static void make_lookup(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	lookup = ctx ? SSL_new(ctx) : NULL;
	must(lookup);
}

static const SSL_CIPHER *cipher_find(uint16_t number)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned char wire[2] = { (unsigned char)(number >> 8), (unsigned char)number };

	pthread_once(&once, make_lookup);
	return SSL_CIPHER_find(lookup, wire);
}

static enum tls_suite_auth auth_of(const SSL_CIPHER *cipher)
{
	switch (SSL_CIPHER_get_auth_nid(cipher)) {
	case NID_auth_rsa:
		return TLS_AUTH_RSA;
	case NID_auth_ecdsa:
		return TLS_AUTH_ECDSA;
	case NID_auth_any:
		return TLS_AUTH_ANY;
	default:
		return TLS_AUTH_OTHER;
	}
}

static enum tls_suite_exchange exchange_of(const SSL_CIPHER *cipher)
{
	switch (SSL_CIPHER_get_kx_nid(cipher)) {
	case NID_kx_rsa:
		return TLS_EXCHANGE_RSA;
	case NID_kx_dhe:
		return TLS_EXCHANGE_DHE;
	case NID_kx_ecdhe:
		return TLS_EXCHANGE_ECDHE;
	case NID_kx_any:
		return TLS_EXCHANGE_ANY;
	default:
		return TLS_EXCHANGE_OTHER;
	}
}

bool tls_is_grease(uint16_t number)
{
	return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

struct tls_suite tls_suite_get(uint16_t number)
{
	const SSL_CIPHER *cipher;

	for (size_t i = 0; i < array_len(forgotten); i++)
		if (forgotten[i].suite.number == number)
			return forgotten[i].suite;
	if (tls_is_grease(number))
		return (struct tls_suite){ number, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_SIGNAL };
	cipher = cipher_find(number);
	if (!cipher)
		return (struct tls_suite){ number, TLS_AUTH_OTHER, TLS_EXCHANGE_OTHER, TLS_SUITE_UNKNOWN };
	return (struct tls_suite){ number, auth_of(cipher), exchange_of(cipher), TLS_SUITE_USUAL };
}

const char *tls_suite_text(uint16_t number)
{
	static _Thread_local char ring[RING][8];
	static _Thread_local unsigned next;
	const SSL_CIPHER *cipher;
	char *text;

	for (size_t i = 0; i < array_len(forgotten); i++)
		if (forgotten[i].suite.number == number)
			return forgotten[i].name;
	cipher = cipher_find(number);
	if (cipher)
		return SSL_CIPHER_get_name(cipher);
	text = ring[next++ % RING];
	snprintf(text, sizeof(ring[0]), "0x%04x", number);
	return text;
}

/* ---- a name's number ---- */

#define BARE_MAX 64

/* What the ways of writing a name have in common: IANA's, without TLS_ and WITH_, which is
 * GnuTLS's; GnuTLS writes SHA1. */
static void bare_name(struct span name, char ret[BARE_MAX])
{
	ptrdiff_t with;
	size_t n = 0;

	if (span_starts_nocase(name, SPAN("TLS_")))
		name = span_from(name, 4);
	with = span_find(name, SPAN("WITH_"));
	for (size_t i = 0; i < name.n && n < BARE_MAX - 1; i++)
		if (with < 0 || i < (size_t)with || i >= (size_t)with + 5)
			ret[n++] = name.p[i];
	if (n > 4 && memcmp(ret + n - 4, "SHA1", 4) == 0)
		n--;
	ret[n] = '\0';
}

static bool is_name_of(const char *bare, struct span name, const char *openssl, const char *other_bare)
{
	return span_eq_nocase(name, span_of(openssl)) || span_eq_nocase(span_of(bare), span_of(other_bare));
}

static bool find_usual(const char *bare, struct span name, uint16_t *ret)
{
	/* Where all of OpenSSL's lie. */
	static const uint16_t pages[] = { 0x0000, 0x1300, 0xc000, 0xcc00 };

	for (size_t i = 0; i < array_len(pages); i++)
		for (uint16_t low = 0; low < 256; low++) {
			const SSL_CIPHER *cipher = cipher_find(pages[i] | low);
			char other[BARE_MAX];

			if (!cipher)
				continue;
			bare_name(span_of(SSL_CIPHER_standard_name(cipher)), other);
			if (is_name_of(bare, name, SSL_CIPHER_get_name(cipher), other)) {
				*ret = pages[i] | low;
				return true;
			}
		}
	return false;
}

bool tls_suite_find(struct span name, uint16_t *ret)
{
	char bare[BARE_MAX], older[BARE_MAX];
	uint64_t number;

	if (span_starts_nocase(name, SPAN("0x")) && span_to_hex_u64(span_from(name, 2), &number) == 0) {
		*ret = (uint16_t)number;
		return number <= UINT16_MAX;
	}
	/* What DHE was called until OpenSSL 1.1. */
	if (span_starts_nocase(name, SPAN("EDH-"))) {
		snprintf(older, sizeof(older), "DHE-%.*s", SPAN_ARG(span_from(name, 4)));
		name = span_of(older);
	}
	bare_name(name, bare);
	for (size_t i = 0; i < array_len(forgotten); i++)
		if (is_name_of(bare, name, forgotten[i].name, forgotten[i].bare)) {
			*ret = forgotten[i].suite.number;
			return true;
		}
	return find_usual(bare, name, ret);
}

bool suite_is_allowed(SSL_CTX *ctx, uint16_t number)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(all, i)) == number)
			return true;
	return false;
}

/* ---- signature algorithms ---- */

static const struct tls_signature signatures[] = {
	{ 0x0403, "ecdsa_secp256r1_sha256", TLS_KEY_ECDSA, 23, true, false },
	{ 0x0503, "ecdsa_secp384r1_sha384", TLS_KEY_ECDSA, 24, true, false },
	{ 0x0603, "ecdsa_secp521r1_sha512", TLS_KEY_ECDSA, 25, true, false },
	{ 0x0807, "ed25519", TLS_KEY_ED25519, 0, true, false },
	{ 0x0808, "ed448", TLS_KEY_OTHER, 0, true, false },
	{ 0x0804, "rsa_pss_rsae_sha256", TLS_KEY_RSA, 0, true, false },
	{ 0x0805, "rsa_pss_rsae_sha384", TLS_KEY_RSA, 0, true, false },
	{ 0x0806, "rsa_pss_rsae_sha512", TLS_KEY_RSA, 0, true, false },
	{ 0x0809, "rsa_pss_pss_sha256", TLS_KEY_OTHER, 0, true, false },
	{ 0x080a, "rsa_pss_pss_sha384", TLS_KEY_OTHER, 0, true, false },
	{ 0x080b, "rsa_pss_pss_sha512", TLS_KEY_OTHER, 0, true, false },
	{ 0x0401, "rsa_pkcs1_sha256", TLS_KEY_RSA, 0, false, false },
	{ 0x0501, "rsa_pkcs1_sha384", TLS_KEY_RSA, 0, false, false },
	{ 0x0601, "rsa_pkcs1_sha512", TLS_KEY_RSA, 0, false, false },
	{ 0x0301, "rsa_pkcs1_sha224", TLS_KEY_RSA, 0, false, false },
	{ 0x0303, "ecdsa_sha224", TLS_KEY_ECDSA, 0, false, false },
	{ 0x0201, "rsa_pkcs1_sha1", TLS_KEY_RSA, 0, false, true },
	{ 0x0203, "ecdsa_sha1", TLS_KEY_ECDSA, 0, false, true },
	{ 0x0202, "dsa_sha1", TLS_KEY_OTHER, 0, false, true },
	{ 0x0101, "rsa_pkcs1_md5", TLS_KEY_RSA, 0, false, true },
	{ 0x0302, "dsa_sha224", TLS_KEY_OTHER, 0, false, false },
	{ 0x0402, "dsa_sha256", TLS_KEY_OTHER, 0, false, false },
	{ 0x0502, "dsa_sha384", TLS_KEY_OTHER, 0, false, false },
	{ 0x0602, "dsa_sha512", TLS_KEY_OTHER, 0, false, false },
	{ 0x0904, "mldsa44", TLS_KEY_OTHER, 0, true, false },
	{ 0x0905, "mldsa65", TLS_KEY_OTHER, 0, true, false },
	{ 0x0906, "mldsa87", TLS_KEY_OTHER, 0, true, false },
};

const struct tls_signature *tls_signature_find(uint16_t number)
{
	for (size_t i = 0; i < array_len(signatures); i++)
		if (signatures[i].number == number)
			return &signatures[i];
	return NULL;
}

const struct tls_signature *tls_signature_named(struct span name)
{
	for (size_t i = 0; i < array_len(signatures); i++)
		if (span_eq(name, span_of(signatures[i].name)))
			return &signatures[i];
	return NULL;
}

/* ---- groups ---- */

static const struct {
	uint16_t number;
	const char *name, *openssl;
} groups[] = { { 23, "P-256", "prime256v1" }, { 24, "P-384", "secp384r1" }, { 25, "P-521", "secp521r1" },
	{ 29, "X25519", "" }, { 30, "X448", "" }, { 22, "secp256k1", "secp256k1" }, { 21, "P-224", "secp224r1" },
	{ 19, "P-192", "prime192v1" }, { 26, "brainpoolP256r1", "brainpoolP256r1" },
	{ 27, "brainpoolP384r1", "brainpoolP384r1" }, { 28, "brainpoolP512r1", "brainpoolP512r1" },
	{ 256, "ffdhe2048", "" }, { 257, "ffdhe3072", "" }, { 258, "ffdhe4096", "" }, { 259, "ffdhe6144", "" },
	{ 260, "ffdhe8192", "" }, { 14, "sect571r1", "" }, { 13, "sect571k1", "" }, { 12, "sect409r1", "" },
	{ 11, "sect409k1", "" }, { 10, "sect283r1", "" }, { 9, "sect283k1", "" }, { 15, "secp160k1", "" },
	{ 16, "secp160r1", "" }, { 17, "secp160r2", "" }, { 18, "secp192k1", "" }, { 20, "secp224k1", "" },
	{ 0x11eb, "SecP256r1MLKEM768", "" }, { 0x11ed, "SecP384r1MLKEM1024", "" }, { 0x11ec, "X25519MLKEM768", "" },
	{ 0x6399, "X25519Kyber768", "" }, { 0x639a, "SecP256r1Kyber768", "" }, { 0x0200, "MLKEM512", "" },
	{ 0x0201, "MLKEM768", "" }, { 0x0202, "MLKEM1024", "" }, { 0x11ee, "curveSM2MLKEM768", "" } };

const char *tls_group_text(uint16_t number)
{
	static _Thread_local char ring[RING][8];
	static _Thread_local unsigned next;
	char *text;

	for (size_t i = 0; i < array_len(groups); i++)
		if (groups[i].number == number)
			return groups[i].name;
	text = ring[next++ % RING];
	snprintf(text, sizeof(ring[0]), "0x%04x", number);
	return text;
}

bool tls_group_find(struct span name, uint16_t *ret)
{
	for (size_t i = 0; i < array_len(groups); i++)
		if (span_eq(name, span_of(groups[i].name))) {
			*ret = groups[i].number;
			return true;
		}
	return false;
}

uint16_t group_of_key(EVP_PKEY *key)
{
	char name[64];

	if (EVP_PKEY_is_a(key, "X25519"))
		return 29;
	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) != 1)
		return 0;
	for (size_t i = 0; i < array_len(groups); i++)
		if (strcmp(groups[i].openssl, name) == 0)
			return groups[i].number;
	return 0;
}

/* ---- versions and alerts ---- */

const char *tls_version_text(uint16_t version)
{
	switch (version) {
	case 0x0002:
		return "SSL 2";
	case 0x0300:
		return "SSL 3";
	case 0x0301:
		return "TLS 1.0";
	case 0x0302:
		return "TLS 1.1";
	case 0x0303:
		return "TLS 1.2";
	case 0x0304:
		return "TLS 1.3";
	default:
		return "unknown";
	}
}

/* OpenSSL's own table has gaps (86, 109, 116). */
const char *tls_alert_text(uint8_t alert)
{
	static const struct {
		uint8_t number;
		const char *text;
	} alerts[] = { { 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" },
		{ 22, "record_overflow" }, { 40, "handshake_failure" }, { 42, "bad_certificate" },
		{ 43, "unsupported_certificate" }, { 44, "certificate_revoked" }, { 45, "certificate_expired" },
		{ 46, "certificate_unknown" }, { 47, "illegal_parameter" }, { 48, "unknown_ca" },
		{ 49, "access_denied" }, { 50, "decode_error" }, { 51, "decrypt_error" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" }, { 86, "inappropriate_fallback" },
		{ 90, "user_canceled" }, { 100, "no_renegotiation" }, { 109, "missing_extension" },
		{ 110, "unsupported_extension" }, { 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" }, { 115, "unknown_psk_identity" },
		{ 116, "certificate_required" }, { 120, "no_application_protocol" }, { 0xff, "none" } };

	for (size_t i = 0; i < array_len(alerts); i++)
		if (alerts[i].number == alert)
			return alerts[i].text;
	return "unknown";
}
