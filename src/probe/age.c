/*
 * How old a server's TLS is: the first rule that its answers fit. A rule says since about when a
 * library or a default of that kind has been usual, so the year is that of the software's state,
 * not of its installation; a server may be newer and set up to look old.
 *
 *     2024  TLS 1.3 and X25519MLKEM768              OpenSSL 3.5, Go 1.24
 *     2018  TLS 1.3                                 OpenSSL 1.1.1, GnuTLS 3.6.5
 *     2016  TLS 1.2 with ChaCha20 or X25519         OpenSSL 1.1.0
 *     2015  TLS 1.2, ECDHE with GCM                 OpenSSL 1.0.2
 *     2013  TLS 1.2, ECDHE with CBC only            Windows Server 2012, OpenSSL 1.0.1
 *     2012  TLS 1.2 without ECDHE                   OpenSSL 1.0.1 built without curves
 *     2010  TLS 1.0 or 1.1 with ECDHE               OpenSSL 1.0.0
 *     2006  TLS 1.0 or 1.1 with AES                 OpenSSL 0.9.8
 *     2003  TLS 1.0, RC4 or 3DES at best            Windows Server 2003
 *     1999  SSL 3 at best
 *     1995  SSL 2 only
 */
#include "base/mem.h"
#include "probe/probe_priv.h"
#include "tls/explain.h"

#define GROUP_X25519   29
#define GROUP_MLKEM768 0x11ec

static bool has_text(const struct probe *p, const char *part)
{
	for (unsigned i = 0; i < p->suites.n; i++)
		if (strstr(tls_suite_text(p->suites.v[i]), part))
			return true;
	return false;
}

static bool has_ecdhe(const struct probe *p)
{
	for (unsigned i = 0; i < p->suites.n; i++)
		if (tls_suite_get(p->suites.v[i]).exchange == TLS_EXCHANGE_ECDHE)
			return true;
	return false;
}

static bool speaks(const struct probe *p, enum probe_version v)
{
	return p->versions[v] == PROBE_YES;
}

static bool is_13_hybrid(const struct probe *p)
{
	return speaks(p, PROBE_TLS13) && offer_has(&p->groups, GROUP_MLKEM768);
}

static bool is_13(const struct probe *p)
{
	return speaks(p, PROBE_TLS13);
}

static bool is_12_chacha(const struct probe *p)
{
	return speaks(p, PROBE_TLS12) && (has_text(p, "CHACHA20") || offer_has(&p->groups, GROUP_X25519));
}

static bool is_12_gcm(const struct probe *p)
{
	return speaks(p, PROBE_TLS12) && has_ecdhe(p) && has_text(p, "GCM");
}

static bool is_12_ecdhe(const struct probe *p)
{
	return speaks(p, PROBE_TLS12) && has_ecdhe(p);
}

static bool is_12(const struct probe *p)
{
	return speaks(p, PROBE_TLS12);
}

static bool is_10_ecdhe(const struct probe *p)
{
	return (speaks(p, PROBE_TLS11) || speaks(p, PROBE_TLS10)) && has_ecdhe(p);
}

static bool is_10_aes(const struct probe *p)
{
	return speaks(p, PROBE_TLS11) || (speaks(p, PROBE_TLS10) && has_text(p, "AES"));
}

static bool is_10(const struct probe *p)
{
	return speaks(p, PROBE_TLS10);
}

static bool is_ssl3(const struct probe *p)
{
	return speaks(p, PROBE_SSL3);
}

static bool is_ssl2(const struct probe *p)
{
	return speaks(p, PROBE_SSL2);
}

struct probe_age probe_age(const struct probe *p)
{
	static const struct {
		bool (*is)(const struct probe *p);
		struct probe_age age;
	} rules[] = {
		{ is_13_hybrid,
			{ 2024, "current", "aktuell", "TLS 1.3 with X25519MLKEM768", "TLS 1.3 mit X25519MLKEM768" } },
		{ is_13, { 2018, "current", "aktuell", "TLS 1.3", "TLS 1.3" } },
		{ is_12_chacha,
			{ 2016, "dated", "in die Jahre gekommen", "no TLS 1.3; ChaCha20 or X25519",
				"kein TLS 1.3; ChaCha20 oder X25519" } },
		{ is_12_gcm,
			{ 2015, "dated", "in die Jahre gekommen", "no TLS 1.3; ECDHE with GCM",
				"kein TLS 1.3; ECDHE mit GCM" } },
		{ is_12_ecdhe,
			{ 2013, "old", "alt", "no TLS 1.3; ECDHE with CBC only", "kein TLS 1.3; ECDHE nur mit CBC" } },
		{ is_12, { 2012, "old", "alt", "no TLS 1.3, no ECDHE", "kein TLS 1.3, kein ECDHE" } },
		{ is_10_ecdhe, { 2010, "old", "alt", "no TLS 1.2; ECDHE", "kein TLS 1.2; ECDHE" } },
		{ is_10_aes,
			{ 2006, "ancient", "uralt", "no TLS 1.2, no ECDHE; AES", "kein TLS 1.2, kein ECDHE; AES" } },
		{ is_10, { 2003, "ancient", "uralt", "no TLS 1.1, no AES", "kein TLS 1.1, kein AES" } },
		{ is_ssl3, { 1999, "ancient", "uralt", "SSL 3 at best", "höchstens SSL 3" } },
		{ is_ssl2, { 1995, "ancient", "uralt", "SSL 2 only", "nur SSL 2" } },
	};

	for (size_t i = 0; i < array_len(rules); i++)
		if (rules[i].is(p))
			return rules[i].age;
	return (struct probe_age){ 0, "unknown", "unbekannt", "it speaks no TLS", "es spricht kein TLS" };
}
