/*
 * What the words of a TLS library mean, as far as they go: a table of parts of them, the first that
 * is found counts. Words of OpenSSL ("no shared cipher"), of GnuTLS ("No supported cipher suites
 * have been found.") and of the programs around them.
 */
#include "base/mem.h"
#include "logs/logs_priv.h"

static const struct rule {
	const char *text; /* lower case */
	enum fault_code code;
	bool guess;
	const char *en, *de;
} rules[] = {
	[NO_RULE] = { "", FAULT_TLS_HANDSHAKE_FAILED, true, "the words do not tell", "der Wortlaut sagt es nicht" },
	{ "no shared cipher", FAULT_TLS_HANDSHAKE_FAILED, true,
		"no suite that both sides know and a certificate here can serve: key type, suites or curves",
		"keine Suite, die beide Seiten kennen und zu der hier ein Zertifikat passt: Schlüsselart, Suiten oder Kurven" },
	{ "no supported cipher suites", FAULT_TLS_HANDSHAKE_FAILED, true,
		"no suite that both sides know and a certificate here can serve: key type, suites or curves",
		"keine Suite, die beide Seiten kennen und zu der hier ein Zertifikat passt: Schlüsselart, Suiten oder Kurven" },
	{ "could not negotiate a supported cipher suite", FAULT_TLS_HANDSHAKE_FAILED, true,
		"no suite that both sides know and a certificate here can serve: key type, suites or curves",
		"keine Suite, die beide Seiten kennen und zu der hier ein Zertifikat passt: Schlüsselart, Suiten oder Kurven" },
	{ "no suitable signature algorithm", FAULT_TLS_SIGNATURES_RSA_ONLY, true,
		"it verifies no signatures of the key type served here, or speaks nothing above TLS 1.1, which the security level forbids",
		"sie prüft keine Signaturen der hier verwendeten Schlüsselart oder spricht höchstens TLS 1.1, was die Sicherheitsstufe verbietet" },
	{ "no shared signature algorithms", FAULT_TLS_PEER_SHA1_ONLY, true, "it verifies only SHA-1 signatures",
		"sie prüft nur SHA-1-Signaturen" },
	{ "no suitable key share", FAULT_TLS_GROUPS_DISJOINT_13, false, "no group (curve) in common",
		"keine gemeinsame Gruppe (Kurve)" },
	{ "no common key exchange", FAULT_TLS_GROUPS_DISJOINT_13, false, "no group (curve) in common",
		"keine gemeinsame Gruppe (Kurve)" },
	{ "inappropriate fallback", FAULT_TLS_FALLBACK_SCSV, false,
		"it retried with a lower version after an earlier failure",
		"sie versuchte es nach einem Fehlschlag mit einer niedrigeren Version" },
	{ "unsupported protocol", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: it is probably too old",
		"keine gemeinsame Version: sie ist wohl zu alt" },
	{ "version too low", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: it is too old",
		"keine gemeinsame Version: sie ist zu alt" },
	{ "unknown protocol", FAULT_TLS_PEER_SSL2, true, "no version in common: SSL 2, or no TLS",
		"keine gemeinsame Version: SSL 2 oder kein TLS" },
	{ "alert protocol version", FAULT_TLS_SERVER_VERSION, false, "no version in common",
		"keine gemeinsame Version" },
	{ "unsupported version packet", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: it is probably too old",
		"keine gemeinsame Version: sie ist wohl zu alt" },
	{ "version not supported", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: it is probably too old",
		"keine gemeinsame Version: sie ist wohl zu alt" },
	{ "http request", FAULT_TLS_HTTP, false, "somebody sent HTTP", "jemand sandte HTTP" },
	{ "https proxy request", FAULT_TLS_HTTP, false, "somebody sent HTTP", "jemand sandte HTTP" },
	{ "wrong version number", FAULT_TLS_NOT_TLS, false, "it did not speak TLS", "sie sprach kein TLS" },
	{ "unexpected tls packet", FAULT_TLS_NOT_TLS, true, "it did not speak TLS, or broke off",
		"sie sprach kein TLS oder brach ab" },
	/* Exim with OpenSSL writes only the version that it was at. */
	{ "(sslv", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: SSL 2 or 3",
		"keine gemeinsame Version: SSL 2 oder 3" },
	{ "(tlsv1.3)", FAULT_TLS_NOT_TLS, true, "it did not speak TLS, or no version that is served here",
		"sie sprach kein TLS oder keine hier angebotene Version" },
	{ "(tlsv1", FAULT_TLS_PEER_TOO_OLD, true, "no version in common: it is probably too old",
		"keine gemeinsame Version: sie ist wohl zu alt" },
	{ "not offered by host", FAULT_TLS_NOT_OFFERED, false, "TLS was demanded, and the server did not offer it",
		"TLS wurde verlangt, und der Server bot es nicht an" },
	{ "did not offer tls", FAULT_TLS_NOT_OFFERED, false, "TLS was demanded, and the server did not offer it",
		"TLS wurde verlangt, und der Server bot es nicht an" },
	{ "refused to start tls", FAULT_TLS_NOT_OFFERED, false, "TLS was demanded, and the server refused STARTTLS",
		"TLS wurde verlangt, und der Server lehnte STARTTLS ab" },
	{ "attempt to start tls failed", FAULT_TLS_NOT_OFFERED, true,
		"TLS was demanded, and the server refused STARTTLS",
		"TLS wurde verlangt, und der Server lehnte STARTTLS ab" },
	{ "server certificate not", FAULT_TLS_NOT_TRUSTED, false, "the server's certificate was not trusted",
		"dem Zertifikat des Servers wurde nicht vertraut" },
	{ "certificate invalid", FAULT_TLS_NOT_TRUSTED, false, "the other side's certificate was not trusted",
		"dem Zertifikat der anderen Seite wurde nicht vertraut" },
	{ "certificate expired", FAULT_TLS_CERT_EXPIRED, true, "a certificate had expired in the other side's eyes",
		"ein Zertifikat galt der anderen Seite als abgelaufen" },
	{ "unknown ca", FAULT_TLS_CERT_CA_UNKNOWN, true, "the CA was not known to the other side",
		"die CA war der anderen Seite nicht bekannt" },
	{ "bad certificate", FAULT_TLS_CERT_REFUSED, true, "the other side refused the certificate",
		"die andere Seite lehnte das Zertifikat ab" },
	{ "certificate is bad", FAULT_TLS_CERT_REFUSED, true, "the other side refused the certificate",
		"die andere Seite lehnte das Zertifikat ab" },
	{ "unsupported certificate", FAULT_TLS_CERT_NOT_FOR_SERVERS, true,
		"the certificate was not for this purpose in the other side's eyes",
		"das Zertifikat war der anderen Seite nicht für diesen Zweck" },
	{ "certificate unknown", FAULT_TLS_CERT_REFUSED, true, "the other side refused the certificate",
		"die andere Seite lehnte das Zertifikat ab" },
	{ "certificate verify failed", FAULT_TLS_NOT_TRUSTED, false, "the other side's certificate was not trusted",
		"dem Zertifikat der anderen Seite wurde nicht vertraut" },
	{ "certificate verification failed", FAULT_TLS_NOT_TRUSTED, false,
		"the other side's certificate was not trusted",
		"dem Zertifikat der anderen Seite wurde nicht vertraut" },
	{ "peer did not return a certificate", FAULT_TLS_CLIENT_CERT_MISSING, false,
		"a client certificate was demanded, and there was none",
		"ein Client-Zertifikat wurde verlangt, und es gab keines" },
	{ "dh key too small", FAULT_TLS_DH_TOO_SMALL, false, "the server's DH group is too small",
		"die DH-Gruppe des Servers ist zu klein" },
	{ "unsafe legacy renegotiation", FAULT_TLS_NO_SECURE_RENEGOTIATION, false,
		"the server lacks secure renegotiation", "dem Server fehlt die sichere Neuverhandlung" },
	{ "unknown cipher returned", FAULT_TLS_SUITE_NOT_OFFERED, false,
		"the server chose a suite that was not offered", "der Server wählte eine nicht angebotene Suite" },
	{ "wrong cipher returned", FAULT_TLS_SUITE_NOT_OFFERED, false, "the server chose a suite that was not offered",
		"der Server wählte eine nicht angebotene Suite" },
	{ "unrecognized name", FAULT_TLS_NAME_REFUSED, false, "the name asked for was refused",
		"der verlangte Name wurde abgelehnt" },
	{ "no application protocol", FAULT_TLS_NO_ALPN, false, "no application protocol in common",
		"kein gemeinsames Anwendungsprotokoll" },
	{ "bad record mac", FAULT_TLS_RECORD_CORRUPT, false, "data were changed on the way",
		"Daten wurden unterwegs verändert" },
	{ "decryption failed", FAULT_TLS_RECORD_CORRUPT, false, "data were changed on the way",
		"Daten wurden unterwegs verändert" },
	/* GnuTLS, of the alert that an OpenSSL client of TLS 1.3 sends in clear when it refuses the
	 * certificate. */
	{ "decryption has failed", FAULT_TLS_CERT_REFUSED, true,
		"most likely it refused the certificate (by an alert that the library here could not read)",
		"wohl lehnte sie das Zertifikat ab (mit einem Alarm, den die hiesige Bibliothek nicht lesen konnte)" },
	{ "packet length too long", FAULT_TLS_RECORD_TOO_LARGE, false, "no TLS, or broken", "kein TLS, oder defekt" },
	{ "unexpected message", FAULT_TLS_UNEXPECTED_MESSAGE, false, "it sent something else than expected",
		"sie sandte etwas anderes als erwartet" },
	{ "bad extension", FAULT_TLS_HELLO_MALFORMED, false, "its ClientHello is malformed",
		"ihr ClientHello ist fehlerhaft" },
	{ "missing sigalgs", FAULT_TLS_HELLO_INCOMPLETE_13, false, "its ClientHello is incomplete",
		"ihr ClientHello ist unvollständig" },
	{ "tls handshake failed", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word",
		"sie legte wortlos auf" },
	{ "alert handshake failure", FAULT_TLS_SERVER_REFUSED, true,
		"the other side found nothing in common, or wants what this one lacks",
		"die andere Seite fand nichts Gemeinsames oder verlangt, was dieser fehlt" },
	{ "handshake failed", FAULT_TLS_SERVER_REFUSED, true,
		"the other side found nothing in common, or wants what this one lacks",
		"die andere Seite fand nichts Gemeinsames oder verlangt, was dieser fehlt" },
	{ "internal error", FAULT_TLS_LEVEL_FORBIDS_OLD, true,
		"probably TLS 1.0 or 1.1, which the security level forbids",
		"wohl TLS 1.0 oder 1.1, was die Sicherheitsstufe verbietet" },
	{ "fatal alert", FAULT_TLS_SERVER_REFUSED, true, "the other side broke off with an alert",
		"die andere Seite brach mit einem Alarm ab" },
	{ "timed out", FAULT_TLS_TIMEOUT, false, "it took too long", "es dauerte zu lange" },
	{ "timeout", FAULT_TLS_TIMEOUT, false, "it took too long", "es dauerte zu lange" },
	{ "ret 5", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it broke the connection off without a word",
		"sie brach die Verbindung wortlos ab" },
	{ "reset by peer", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it broke the connection off without a word",
		"sie brach die Verbindung wortlos ab" },
	{ "unexpected eof", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word", "sie legte wortlos auf" },
	{ "closed by peer", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word", "sie legte wortlos auf" },
	{ "lost connection", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word", "sie legte wortlos auf" },
	{ "non-properly terminated", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word",
		"sie legte wortlos auf" },
	{ "pull function", FAULT_TLS_PEER_LEFT_AT_CERT, true, "it hung up without a word", "sie legte wortlos auf" },
};
#define LIBRARY_RULES array_len(rules)
#define SUITE_RULES   3 /* the first ones */
#define WORDS_MAX     512

/* As text to be searched: in lower case, without NUL, and not too long. */
static const char *lower_text(struct span s, char ret[WORDS_MAX])
{
	s = span_sub(s, 0, WORDS_MAX - 1);
	for (size_t i = 0; i < s.n; i++)
		ret[i] = s.p[i] ? ascii_lower(s.p[i]) : ' ';
	ret[s.n] = '\0';
	return ret;
}

static unsigned rule_of(struct span reason)
{
	char words[WORDS_MAX];

	lower_text(reason, words);
	for (unsigned i = 1; i < LIBRARY_RULES; i++)
		if (strstr(words, rules[i].text))
			return i;
	return NO_RULE;
}

unsigned rule_find(struct logs *l, struct span reason)
{
	struct memo *m;

	if (!memo_find(l, WHICH_RULE, reason, &m))
		m->answer = rule_of(reason);
	return m->answer;
}

/* Codes as torhaus logs them stand behind the rules, one each. */
unsigned rule_of_code(enum fault_code code)
{
	return LIBRARY_RULES + (unsigned)code;
}

void rule_cause(unsigned rule, struct log_cause *ret)
{
	if (rule >= LIBRARY_RULES)
		*ret = (struct log_cause){ .code = (enum fault_code)(rule - LIBRARY_RULES),
			.en = "torhaus found it",
			.de = "torhaus hat es festgestellt" };
	else
		*ret = (struct log_cause){ .code = rules[rule].code,
			.guess = rules[rule].guess,
			.en = rules[rule].en,
			.de = rules[rule].de };
}

bool rule_is_about_suites(unsigned rule)
{
	return rule > NO_RULE && rule <= SUITE_RULES;
}

static bool has(struct span s, const char *part)
{
	return find(s, span_of(part)) >= 0;
}

enum tls_key_type suite_key(struct span suite)
{
	/* "ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM", "ECDHE-ECDSA-AES128-GCM-SHA256" */
	if (has(suite, "ECDSA"))
		return TLS_KEY_ECDSA;
	if (has(suite, "RSA"))
		return TLS_KEY_RSA;
	if (has(suite, "EDDSA"))
		return TLS_KEY_ED25519;
	/* OpenSSL's short names of suites with RSA key exchange. */
	if (span_starts(suite, SPAN("AES")) || span_starts(suite, SPAN("CAMELLIA")) ||
		span_starts(suite, SPAN("DES-CBC3")) || span_starts(suite, SPAN("RC4-")))
		return TLS_KEY_RSA;
	return TLS_KEY_OTHER;
}

static bool asks_for_encryption(struct span reply)
{
	static const char *const signs[] = { "encrypt", "starttls", "5.7.10", "tls required", "require tls",
		"verschl" };
	char words[WORDS_MAX];

	lower_text(reply, words);
	for (size_t i = 0; i < array_len(signs); i++)
		if (strstr(words, signs[i]))
			return true;
	return false;
}

bool is_about_encryption(struct logs *l, struct span words)
{
	struct memo *m;

	if (!memo_find(l, ABOUT_ENCRYPTION, words, &m))
		m->answer = asks_for_encryption(words);
	return m->answer;
}
