/*
 * Who surely is no mail client, by how a line of his begins.
 *
 * Browsers and scripts that somebody points at a mail server send it their own protocol, in which a
 * mail may be hidden (the body of a POST), so the first word that cannot be SMTP has to be the
 * last. What a mail client with a fault may say - unknown verbs, empty lines, a lost dot - is not
 * judged here: it gets its 500.
 */
#include "base/mem.h"
#include "smtp/smtp.h"

static const struct smtp_foreign http = { "HTTP", "HTTP" }, header = { "header lines", "Kopfzeilen" },
				 unknown = { "another protocol", "ein anderes Protokoll" };

/* At the beginning of a session. */
static const struct {
	struct span bytes;
	struct smtp_foreign who;
} beginnings[] = {
	{ SPAN("\x16\x03"), { "TLS", "TLS" } },
	{ SPAN("\r\n\r\n\0\r\nQUIT\n"), { "the PROXY protocol", "das PROXY-Protokoll" } },
	{ SPAN("PROXY "), { "the PROXY protocol", "das PROXY-Protokoll" } },
	{ SPAN("SSH-"), { "SSH", "SSH" } },
	{ SPAN("\3\0\0"), { "RDP", "RDP" } },
	{ SPAN("\4\1"), { "SOCKS", "SOCKS" } },
	{ SPAN("\5\1"), { "SOCKS", "SOCKS" } },
	{ SPAN("\5\2"), { "SOCKS", "SOCKS" } },
	{ SPAN("RFB "), { "VNC", "VNC" } },
	{ SPAN("AMQP"), { "AMQP", "AMQP" } },
	{ SPAN("JRMI"), { "Java RMI", "Java RMI" } },
	{ SPAN("GIOP"), { "CORBA", "CORBA" } },
	{ SPAN("<stream"), { "XMPP", "XMPP" } },
	{ SPAN("<?xml"), { "XMPP", "XMPP" } },
};
/* In the last word of a request line: "GET / HTTP/1.1". */
static const struct {
	struct span begin;
	struct smtp_foreign who;
} versions[] = {
	{ SPAN("HTTP/"), { "HTTP", "HTTP" } },
	{ SPAN("SIP/"), { "SIP", "SIP" } },
	{ SPAN("RTSP/"), { "RTSP", "RTSP" } },
	{ SPAN("ICAP/"), { "ICAP", "ICAP" } },
};
/* RFC 9110 9, RFC 5789, RFC 4918, HTTP/2's preface. */
static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
	"PRI", "PROPFIND", "REPORT" };

/* The line that bytes begin with, if its end is there, or can only be too late. */
static bool whole_line(struct span bytes, struct span *ret)
{
	size_t n = 0;

	while (n < bytes.n && n < SMTP_LINE_MAX && bytes.p[n] != '\r' && bytes.p[n] != '\n')
		n++;
	*ret = span_sub(bytes, 0, n);
	return n < bytes.n || n == SMTP_LINE_MAX;
}

static const struct smtp_foreign *by_version(struct span line)
{
	struct span word, last = { 0 };

	while ((word = smtp_take_word(&line)).n > 0)
		last = word;
	for (size_t i = 0; i < array_len(versions); i++)
		if (span_starts_nocase(last, versions[i].begin) && last.n > versions[i].begin.n &&
			ascii_digit(last.p[versions[i].begin.n]))
			return &versions[i].who;
	return NULL;
}

static bool is_method(struct span word)
{
	for (size_t i = 0; i < array_len(methods); i++)
		if (span_eq_nocase(word, span_of(methods[i])))
			return true;
	return false;
}

/* "Host: x", "Subject: y"; not "MAILFROM:", which somebody meant well. */
static bool is_header(struct span word)
{
	ptrdiff_t colon = span_index(word, ':');

	for (ptrdiff_t i = 0; i < colon; i++)
		if (word.p[i] != '-' && !ascii_digit(word.p[i]) &&
			(ascii_lower(word.p[i]) < 'a' || ascii_lower(word.p[i]) > 'z'))
			return false;
	return colon > 1 && !span_starts_nocase(word, SPAN("MAIL")) && !span_starts_nocase(word, SPAN("RCPT"));
}

/* A whole line whose verb we do not know. */
static const struct smtp_foreign *by_line(struct span line)
{
	const struct smtp_foreign *who = by_version(line);
	struct span rest = line, word = smtp_take_word(&rest);

	if (!who && is_method(word))
		who = &http;
	if (!who && is_header(word))
		who = &header;
	return who;
}

/* A command begins with a letter; empty lines and blanks are faults of somebody who speaks SMTP. */
static bool begins_like_a_command(struct span bytes)
{
	char c = ascii_lower(bytes.p[0]);

	return (c >= 'a' && c <= 'z') || c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

const struct smtp_foreign *smtp_find_foreign(struct span bytes, bool first)
{
	struct smtp_line parsed;
	struct span line;

	for (size_t i = 0; first && i < array_len(beginnings); i++)
		if (span_starts(bytes, beginnings[i].bytes))
			return &beginnings[i].who;
	if (first && bytes.n > 0 && !begins_like_a_command(bytes))
		return &unknown;
	if (!whole_line(bytes, &line))
		return NULL;
	smtp_line_parse(line, &parsed);
	return parsed.verb == SMTP_UNKNOWN ? by_line(line) : NULL;
}
