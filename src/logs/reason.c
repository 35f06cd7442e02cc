/*
 * What the words of a TLS library mean, as far as they go: of OpenSSL ("no shared cipher"), of
 * GnuTLS ("No supported cipher suites have been found.") and of the programs around them.
 *
 * An alert's number goes before all words; then a whole text of a library's table counts
 * (logs/words.tbl.h); then what programs say, and last the longest text of a library within the
 * words. Who said it decides what it means: an alert is the other side's opinion, which a client
 * has of this server's answer, and a server of this machine's offer (logs/meanings.tbl.h).
 */
#include "base/mem.h"
#include "logs/logs_priv.h"

#define WORDS_MAX 512

/* ---- tables ---- */

enum meaning {
#define MEANING(name, ...) M_##name,
#define SAME(name, ...)    M_##name,
#include "logs/meanings.tbl.h"
#undef MEANING
#undef SAME
	MEANINGS
};
_Static_assert(M_UNKNOWN == NO_RULE, "what no words tell is 0");

static const struct meaning_row {
	bool guess;
	struct {
		enum fault_code code;
		const char *en, *de;
	} by_way[2];
} meanings[] = {
#define MEANING(name, guess, in, in_en, in_de, out, out_en, out_de) \
	[M_##name] = { guess, { { FAULT_##in, in_en, in_de }, { FAULT_##out, out_en, out_de } } },
#define SAME(name, guess, code, en, de) MEANING(name, guess, code, en, de, code, en, de)
#include "logs/meanings.tbl.h"
#undef MEANING
#undef SAME
};

static const struct words {
	const char *text;
	enum meaning meaning;
} library[] = {
#define WORDS(text, meaning) { text, M_##meaning },
#define ALERT(number, meaning, openssl, gnutls)
#include "logs/words.tbl.h"
#undef WORDS
#undef ALERT
};

static const struct alert {
	unsigned number;
	enum meaning meaning;
	const char *openssl, *gnutls;
} alerts[] = {
#define WORDS(text, meaning)
#define ALERT(number, meaning, openssl, gnutls) { number, M_##meaning, openssl, gnutls },
#include "logs/words.tbl.h"
#undef WORDS
#undef ALERT
};

/* What programs say, and parts that stand within other words: the first that is found counts. */
static const struct words programs[] = {
	{ "but our tls engine is unavailable", M_BROKEN_HERE },
	{ "tls engine not available", M_BROKEN_HERE },
	{ "not available due to local problem", M_BROKEN_HERE },
	{ "not offered by host", M_NOT_OFFERED },
	{ "did not offer tls", M_NOT_OFFERED },
	{ "not supported by remote host", M_NOT_OFFERED },
	{ "refused to start tls", M_STARTTLS_REFUSED },
	{ "attempt to start tls failed", M_STARTTLS_REFUSED_PERHAPS },
	{ "in reply to starttls", M_STARTTLS_REFUSED },
	/* Asked only when the reply is about encryption. */
	{ "said: ", M_DEMANDED },
	{ "smtp error from remote mail server", M_DEMANDED },
	{ "server certificate not", M_NOT_TRUSTED },
	{ "certificate invalid", M_NOT_TRUSTED },
	{ "certificate verification failed", M_NOT_TRUSTED },
	{ "certificate verify failed", M_NOT_TRUSTED },
	{ "starttls=0", M_STARTTLS_FAILED },
	/* Exim with OpenSSL writes only the version that it was at. */
	{ "(sslv", M_VERSION_SSL },
	{ "(tlsv1.3)", M_VERSION_13 },
	{ "(tlsv1", M_NO_VERSION },
	{ "no common key exchange", M_NO_GROUP },
	{ "version not supported", M_NO_VERSION },
	{ "tls handshake failed", M_LEFT },
	{ "timed out", M_TIMEOUT },
	{ "timeout", M_TIMEOUT },
	{ "ret 5", M_LEFT },
	{ "reset by peer", M_LEFT },
	{ "broken pipe", M_LEFT },
	{ "closed by peer", M_LEFT },
	{ "lost connection", M_LEFT },
	{ "connection closed", M_LEFT },
	{ "syscall error", M_LEFT },
	{ "non-properly terminated", M_LEFT },
	{ "pull function", M_LEFT },
};

/* ---- words ---- */

/* As text to be searched: in lower case, without NUL, and not too long. */
static const char *lower_text(struct span s, char ret[WORDS_MAX])
{
	s = span_sub(s, 0, WORDS_MAX - 1);
	for (size_t i = 0; i < s.n; i++)
		ret[i] = s.p[i] ? ascii_lower(s.p[i]) : ' ';
	ret[s.n] = '\0';
	return ret;
}

static enum meaning alert_by_number(unsigned number)
{
	for (size_t i = 0; i < array_len(alerts); i++)
		if (alerts[i].number == number)
			return alerts[i].meaning;
	return M_ALERT;
}

/* The number behind this, as in "SSL alert number 48"; false: it is not there. */
static bool number_behind(const char *words, const char *mark, unsigned *ret)
{
	const char *at = strstr(words, mark);

	if (!at || !ascii_digit(at[strlen(mark)]))
		return false;
	*ret = 0;
	for (at += strlen(mark); ascii_digit(*at) && *ret < 10000; at++)
		*ret = *ret * 10 + (unsigned)(*at - '0');
	return true;
}

static bool skip_text(struct span *s, const char *prefix)
{
	return skip(s, span_of(prefix));
}

/* "sslv3 alert handshake failure", "tlsv1 unrecognized name", "ssl/tls alert bad certificate".
 * false: none of OpenSSL's reasons for an alert. */
static bool openssl_alert(struct span s, enum meaning *ret)
{
	bool any = skip_text(&s, "sslv3 ") || skip_text(&s, "tlsv13 ") || skip_text(&s, "tlsv1 ") ||
		skip_text(&s, "ssl/tls ");

	any |= skip_text(&s, "alert ");
	for (size_t i = 0; i < array_len(alerts) && any; i++)
		if (alerts[i].openssl[0] && span_eq(s, span_of(alerts[i].openssl))) {
			*ret = alerts[i].meaning;
			return true;
		}
	return false;
}

/* By GnuTLS's name, as Exim writes it: alone, behind "rxd alert: " or behind the error's text. */
static bool gnutls_alert(struct span s, enum meaning *ret)
{
	static const struct span received = SPAN("alert has been received.: ");
	ptrdiff_t at = find(s, received);

	if (at >= 0)
		s = span_from(s, (size_t)at + received.n);
	if (skip_text(&s, "rxd alert"))
		while (s.n > 0 && (s.p[0] == ':' || s.p[0] == ' '))
			s = span_from(s, 1);
	for (size_t i = 0; i < array_len(alerts); i++)
		if (alerts[i].gnutls[0] && span_eq(s, span_of(alerts[i].gnutls))) {
			*ret = alerts[i].meaning;
			return true;
		}
	return false;
}

static bool library_words(struct span s, enum meaning *ret)
{
	for (size_t i = 0; i < array_len(library); i++)
		if (span_eq(s, span_of(library[i].text))) {
			*ret = library[i].meaning;
			return true;
		}
	return false;
}

/* GnuTLS's errors end with a full stop, as a rule, and its alerts do not: "Certificate is required"
 * is both. */
static bool gnutls_words(struct span s, enum meaning *ret)
{
	bool stop = span_ends(s, SPAN("."));

	if (stop)
		s.n--;
	return (!stop && gnutls_alert(s, ret)) || library_words(s, ret) || openssl_alert(s, ret);
}

/* The longest text of a library within these words. */
static enum meaning library_part(const char *words)
{
	enum meaning best = M_UNKNOWN;
	size_t best_n = 9; /* shorter ones are within too much else */

	for (size_t i = 0; i < array_len(library); i++)
		if (strlen(library[i].text) > best_n && strstr(words, library[i].text)) {
			best = library[i].meaning;
			best_n = strlen(library[i].text);
		}
	for (size_t i = 0; i < array_len(alerts); i++)
		for (unsigned k = 0; k < 2; k++) {
			const char *name = k ? alerts[i].gnutls : alerts[i].openssl;

			if (strlen(name) > best_n && strstr(words, name)) {
				best = alerts[i].meaning;
				best_n = strlen(name);
			}
		}
	return best;
}

/* "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:": the reason,
 * and in *ret_end where it ends; empty: no words of OpenSSL. */
static struct span openssl_reason(struct span words, size_t *ret_end)
{
	ptrdiff_t begin = find(words, SPAN("error:")), colon = 0;
	size_t at;

	if (begin < 0)
		return SPAN("");
	at = (size_t)begin;
	for (unsigned i = 0; i < 4; i++) {
		colon = span_index(span_from(words, at), ':');
		if (colon < 0)
			return SPAN("");
		at += (size_t)colon + 1;
	}
	colon = span_index(span_from(words, at), ':');
	*ret_end = colon < 0 ? words.n : at + (size_t)colon;
	return span_sub(words, at, *ret_end - at);
}

struct span reason_shown(struct span words)
{
	size_t end = words.n;

	openssl_reason(words, &end);
	return span_sub(words, 0, end);
}

static enum meaning meaning_of(struct span reason)
{
	char text[WORDS_MAX];
	const char *words = lower_text(reason, text);
	struct span whole = span_of(words), s;
	enum meaning m = M_UNKNOWN;
	unsigned number;
	size_t end;

	if (number_behind(words, "alert number ", &number) ||
		(number_behind(words, "reason(", &number) && number >= 1000 && (number -= 1000) < 256))
		return alert_by_number(number);
	s = openssl_reason(whole, &end);
	if (s.n > 0 ? openssl_alert(s, &m) || library_words(s, &m) : gnutls_words(whole, &m))
		return m;
	for (size_t i = 0; i < array_len(programs); i++)
		if (strstr(words, programs[i].text))
			return programs[i].meaning;
	m = library_part(words);
	return m == M_UNKNOWN && strstr(words, "alert") ? M_ALERT : m;
}

/* ---- rules: a meaning and a direction, or a code and none ---- */

unsigned rule_find(struct logs *l, enum way way, struct span reason)
{
	struct memo *m;

	if (!memo_find(l, WHICH_RULE, reason, &m))
		m->answer = meaning_of(reason);
	return m->answer == M_UNKNOWN ? NO_RULE : m->answer * 2 + (unsigned)way;
}

/* Codes as torhaus logs them stand behind the meanings. */
unsigned rule_of_code(enum fault_code code)
{
	return 2 * MEANINGS + (unsigned)code;
}

void rule_cause(unsigned rule, struct log_cause *ret)
{
	const struct meaning_row *m;

	if (rule >= 2 * MEANINGS) {
		*ret = (struct log_cause){ .code = (enum fault_code)(rule - 2 * MEANINGS),
			.en = "torhaus found it",
			.de = "torhaus hat es festgestellt" };
		return;
	}
	m = &meanings[rule / 2];
	*ret = (struct log_cause){ .code = m->by_way[rule % 2].code,
		.guess = m->guess,
		.en = m->by_way[rule % 2].en,
		.de = m->by_way[rule % 2].de };
}

bool rule_is_about_suites(unsigned rule)
{
	return rule / 2 == M_NO_SUITE;
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

/* ---- refusals for want of encryption ---- */

/* What somebody else chose is no word of the reply: addresses, host names, URLs, what stands in
 * angles. Their bytes become blanks. */
static void blank_names(char *words)
{
	for (char *p = words; *p;) {
		size_t n = strcspn(p, " <>,;()");
		bool is_name = false;

		if (*p == '<') {
			n = strcspn(p, ">");
			is_name = true;
		}
		for (size_t i = 0; i < n && !is_name; i++)
			is_name = p[i] == '@' || (p[i] == '/' && p[i + 1] == '/') ||
				(p[i] == '.' && i > 0 && i + 1 < n &&
					!(ascii_digit(p[i - 1]) && ascii_digit(p[i + 1])));
		if (is_name)
			memset(p, ' ', n);
		p += n > 0 ? n : 1;
	}
}

/* Does one of these stand in the text, at the beginning of a word? */
static bool has_word(const char *words, const char *const *list)
{
	for (; *list; list++)
		for (const char *p = words; (p = strstr(p, *list)); p++)
			if (p == words || !((p[-1] >= 'a' && p[-1] <= 'z') || p[-1] < 0))
				return true;
	return false;
}

/* "530 5.7.0 Must issue a STARTTLS command first", "encryption required", "450 4.7.0 Session
 * encryption is required", "Annahme nur verschlüsselt": encryption of the connection, and that it
 * is demanded. Encrypted attachments are another matter. */
static bool asks_for_encryption(struct span reply)
{
	static const char *const codes[] = { "5.7.10", "4.7.10", NULL };
	static const char *const subject[] = { "encrypt", "starttls", "tls", "ssl", "verschl", NULL };
	static const char *const lack[] = { "unencrypted", "plaintext", "plain text", "cleartext", "clear text",
		"unverschl", NULL };
	static const char *const demand[] = { "requir", "need", "must", "mandatory", "only", "first", "without",
		"insufficient", "too weak", "enforce", "missing", "please use", "use tls", "use starttls",
		"not encrypted", "erforderlich", "nur ", "muss", "pflicht", "ohne ", "notwendig", "benötigt", NULL };
	static const char *const others[] = { "attachment", "archive", "password", "anhang", "pgp", "gpg", "s/mime",
		"smime", "zip", "not available", "temporarily unavailable", NULL };
	char words[WORDS_MAX];

	lower_text(reply, words);
	if (has_word(words, codes))
		return true;
	if (has_word(words, others))
		return false;
	blank_names(words);
	return has_word(words, lack) || (has_word(words, subject) && has_word(words, demand));
}

bool is_about_encryption(struct logs *l, struct span words)
{
	struct memo *m;

	if (!memo_find(l, ABOUT_ENCRYPTION, words, &m))
		m->answer = asks_for_encryption(words);
	return m->answer;
}
