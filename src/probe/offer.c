/* What a hello of ours can offer; numbers of the IANA registries of TLS parameters. */
#include "probe/offer.h"
#include "base/mem.h"
#include "tls/explain.h"

static const uint16_t suites_13[] = { 0x1302, 0x1303, 0x1301, 0x1304, 0x1305 };

/* clang-format off */
static const uint16_t suites[] = {
	/* ECDHE and DHE with AEAD */
	0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e,
	0xc0ad, 0xc0af, 0xc09f, 0xc0a3, 0xc0ac, 0xc0ae, 0xc09e, 0xc0a2,
	0xc05d, 0xc061, 0xc053, 0xc05c, 0xc060, 0xc052, 0xc087, 0xc08b, 0xc07d, 0xc086, 0xc08a, 0xc07c,
	/* ECDHE and DHE with CBC */
	0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033,
	0xc073, 0xc077, 0x00c4, 0xc072, 0xc076, 0x00be, 0x0088, 0x0045, 0x009a,
	/* key exchange by RSA */
	0x009d, 0x009c, 0xc09d, 0xc0a1, 0xc09c, 0xc0a0, 0xc051, 0xc050, 0xc07b, 0xc07a,
	0x003d, 0x003c, 0x0035, 0x002f, 0x00c0, 0x00ba, 0x0084, 0x0041, 0x0096,
	/* DSS, static DH and ECDH */
	0x00a3, 0x00a2, 0x006a, 0x0040, 0x0038, 0x0032, 0x0087, 0x0044, 0x0099,
	0xc02e, 0xc032, 0xc02d, 0xc031, 0xc026, 0xc02a, 0xc025, 0xc029, 0xc005, 0xc00f, 0xc004, 0xc00e,
	/* IDEA, 3DES, RC4 */
	0x0007, 0xc008, 0xc012, 0x0016, 0x000a, 0x0013, 0xc003, 0xc00d,
	0xc007, 0xc011, 0x0005, 0x0004, 0x0066, 0xc002, 0xc00c,
	/* without authentication */
	0x00a7, 0x00a6, 0x006d, 0x006c, 0x003a, 0x0034, 0x0089, 0x0046, 0xc019, 0xc018, 0xc017, 0xc016, 0x001b, 0x0018, 0x001a,
	/* single DES, export */
	0x0015, 0x0009, 0x0012, 0x0014, 0x0008, 0x0006, 0x0003, 0x0011, 0x0062, 0x0064, 0x0063, 0x0065, 0x0019, 0x0017,
	/* without encryption */
	0xc006, 0xc010, 0x003b, 0x0002, 0x0001, 0xc015,
};
static const uint16_t groups[] = {
	29, 23, 24, 25, 30, 0x11ec, 0x11eb, 0x11ed, 0x6399, 22, 26, 27, 28, 21, 20, 19, 18, 17, 16, 15,
	14, 13, 12, 11, 10, 9, 256, 257, 258, 259, 260,
};
static const uint16_t signatures[] = {
	0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0808,
	0x0809, 0x080a, 0x080b, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0302, 0x0202, 0x0101,
};
/* clang-format on */

_Static_assert(sizeof(suites) / 2 <= WIRE_LIST_MAX, "a list too long");

bool offer_has(const struct offer *o, uint16_t number)
{
	for (unsigned i = 0; i < o->n; i++)
		if (o->v[i] == number)
			return true;
	return false;
}

void offer_add(struct offer *o, uint16_t number)
{
	if (o->n < WIRE_LIST_MAX && !offer_has(o, number))
		o->v[o->n++] = number;
}

void offer_remove(struct offer *o, uint16_t number)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < o->n; i++)
		if (o->v[i] != number)
			o->v[kept++] = o->v[i];
	o->n = kept;
}

void offer_last(struct offer *o, const struct offer *seen)
{
	for (unsigned i = 0; i < seen->n; i++) {
		if (!offer_has(o, seen->v[i]))
			continue;
		offer_remove(o, seen->v[i]);
		offer_add(o, seen->v[i]);
	}
}

static void fill(struct offer *ret, const uint16_t *v, size_t n)
{
	ret->n = (unsigned)n;
	memcpy(ret->v, v, n * sizeof(*v));
}

void offer_suites_13(struct offer *ret)
{
	fill(ret, suites_13, array_len(suites_13));
}

void offer_suites(struct offer *ret)
{
	fill(ret, suites, array_len(suites));
}

void offer_suites_of(enum tls_key_type key, struct offer *ret)
{
	enum tls_suite_auth auth = key == TLS_KEY_RSA ? TLS_AUTH_RSA : TLS_AUTH_ECDSA;

	ret->n = 0;
	for (size_t i = 0; i < array_len(suites); i++)
		if (tls_suite_get(suites[i]).auth == auth)
			offer_add(ret, suites[i]);
}

void offer_suites_classic(struct offer *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < array_len(suites); i++) {
		struct tls_suite s = tls_suite_get(suites[i]);

		if (s.auth == TLS_AUTH_RSA && s.exchange != TLS_EXCHANGE_ECDHE && !offer_weaknesses(s.number))
			offer_add(ret, s.number);
	}
}

void offer_suites_weak(struct offer *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < array_len(suites); i++)
		if (offer_weaknesses(suites[i]))
			offer_add(ret, suites[i]);
}

unsigned offer_weaknesses(uint16_t suite)
{
	/* An export suite's cipher says nothing about that cipher at its full length. */
	static const struct {
		const char *part; /* of OpenSSL's name; the first counts */
		enum offer_weakness is;
	} ciphers[] = {
		{ "EXP", OFFER_EXPORT },
		{ "RC4", OFFER_RC4 },
		{ "DES-CBC3", OFFER_3DES },
		{ "DES-CBC-", OFFER_DES },
		{ "IDEA", OFFER_IDEA },
		{ "NULL", OFFER_NULL },
	};
	const char *name = tls_suite_text(suite);
	unsigned found = strstr(name, "ADH") || strstr(name, "AECDH") ? OFFER_ANON : 0;

	for (size_t i = 0; i < array_len(ciphers); i++)
		if (strstr(name, ciphers[i].part))
			return found | ciphers[i].is;
	return found;
}

void offer_groups(struct offer *ret)
{
	fill(ret, groups, array_len(groups));
}

void offer_signatures(struct offer *ret)
{
	fill(ret, signatures, array_len(signatures));
}

static bool is_pss_key(uint16_t signature)
{
	return signature >= 0x0809 && signature <= 0x080b;
}

static bool is_edwards(uint16_t signature)
{
	return signature == 0x0807 || signature == 0x0808;
}

void offer_signatures_of(enum tls_key_type key, struct offer *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < array_len(signatures); i++) {
		uint16_t s = signatures[i];
		enum tls_key_type of = tls_signature_find(s)->key;

		if (of == key || (key == TLS_KEY_RSA ? is_pss_key(s) : is_edwards(s)))
			offer_add(ret, s);
	}
}
