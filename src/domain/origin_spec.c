/*
 * Origins as they are written: scheme://host[:port] [weight=N] [backup].
 *
 * The host is a name (letters, digits, hyphens and, because container networks have them,
 * underscores), an IPv4 address or an IPv6 address in brackets. Anything that an origin does not
 * have (user, path, query) is refused rather than dropped, but for a lone slash at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include "domain/domain_priv.h"

#define WEIGHT_MAX 100

static bool is_address(int family, struct span text)
{
	char copy[INET6_ADDRSTRLEN], binary[16];

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	/* A NUL inside would let the rest pass unseen. */
	return strlen(copy) == text.n && inet_pton(family, copy, binary) == 1;
}

static const char *judge_host(struct span host)
{
	static const char why[] = "its host is no name (letters, digits, hyphens) and no address|"
				  "ihr Host ist kein Name (Buchstaben, Ziffern, Bindestriche) und keine Adresse";
	struct span rest = host, label = { 0 };
	uint64_t number;

	if (host.n == 0 || host.n > NAME_MAX_BYTES)
		return why;
	/* A last dot, of a name without others. */
	if (span_index(rest, '.') + 1 == (ptrdiff_t)rest.n && rest.n > 1)
		rest.n--;
	while (span_cut(&rest, '.', &label)) {
		if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return why;
		for (size_t i = 0; i < label.n; i++) {
			char c = ascii_lower(label.p[i]);

			if (!ascii_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
				return why;
		}
	}
	if (span_to_u64(label, &number) != -EINVAL && !is_address(AF_INET, host))
		return "its host is no IPv4 address|ihr Host ist keine IPv4-Adresse";
	return NULL;
}

static const char *parse_port(struct span text, struct origin_spec *spec)
{
	uint64_t port;

	if (span_to_u64(text, &port) < 0 || port == 0 || port > UINT16_MAX)
		return "its port is no number from 1 to 65535|ihr Port ist keine Zahl von 1 bis 65535";
	spec->port = (uint16_t)port;
	return NULL;
}

static const char *parse_bracketed(struct span text, struct origin_spec *spec)
{
	ptrdiff_t end = span_index(text, ']');
	struct span after = span_from(text, end < 0 ? text.n : (size_t)end + 1);

	if (end < 0 || !is_address(AF_INET6, span_sub(text, 1, (size_t)end - 1)))
		return "there is no IPv6 address between its brackets|"
		       "zwischen ihren Klammern steht keine IPv6-Adresse";
	spec->host = span_sub(text, 1, (size_t)end - 1);
	if (after.n == 0)
		return NULL;
	if (after.p[0] != ':')
		return "after the bracket only a port may follow|nach der Klammer kann nur ein Port stehen";
	return parse_port(span_from(after, 1), spec);
}

/* A last dot says that the name is whole (RFC 1034 3.1), which one with other dots is anyway; TLS
 * and HTTP want it without (RFC 6066 3). */
static struct span whole_name(struct span host)
{
	if (span_ends(host, SPAN(".")) && !span_ends(host, SPAN("..")) && span_index(host, '.') + 1 < (ptrdiff_t)host.n)
		host.n--;
	return host;
}

const char *origin_authority_parse(struct span text, struct origin_spec *spec)
{
	ptrdiff_t colon;

	if (text.n > 0 && text.p[0] == '[')
		return parse_bracketed(text, spec);
	colon = span_index(text, ':');
	if (colon >= 0 && span_index(span_from(text, (size_t)colon + 1), ':') >= 0)
		return "an IPv6 address needs brackets: [2001:db8::1]:80|"
		       "eine IPv6-Adresse braucht Klammern: [2001:db8::1]:80";
	spec->host = whole_name(span_sub(text, 0, colon < 0 ? text.n : (size_t)colon));
	if (colon >= 0) {
		const char *why = parse_port(span_from(text, (size_t)colon + 1), spec);

		if (why)
			return why;
	}
	return judge_host(spec->host);
}

static const char *parse_authority(struct span text, struct origin_spec *spec)
{
	if (span_ends(text, SPAN("/")))
		text.n--;
	if (span_index(text, '@') >= 0)
		return "an origin has no user and no password|ein Ursprungsserver hat keinen Benutzer und kein Passwort";
	if (span_index(text, '/') >= 0 || span_index(text, '?') >= 0 || span_index(text, '#') >= 0)
		return "an origin has no path; the visitor's is sent|"
		       "ein Ursprungsserver hat keinen Pfad; der des Besuchers wird gesendet";
	return origin_authority_parse(text, spec);
}

static const char *parse_word(struct span word, struct origin_spec *spec)
{
	uint64_t weight;

	if (span_eq(word, SPAN("backup")) && !spec->backup) {
		spec->backup = true;
		return NULL;
	}
	if (!span_starts(word, SPAN("weight=")) || spec->weight > 0)
		return "after the address only weight=N and backup may stand, each once|"
		       "nach der Adresse können nur weight=N und backup stehen, jedes einmal";
	if (span_to_u64(span_from(word, 7), &weight) < 0 || weight == 0 || weight > WEIGHT_MAX)
		return "its weight is no number from 1 to 100|ihr Gewicht ist keine Zahl von 1 bis 100";
	spec->weight = (unsigned)weight;
	return NULL;
}

static const char *parse(struct span text, struct origin_spec *spec)
{
	struct span rest = span_trim(text), url = { 0 }, word;
	const char *why;

	span_cut(&rest, ' ', &url);
	if (span_starts_nocase(url, SPAN("https://")))
		spec->tls = true;
	else if (!span_starts_nocase(url, SPAN("http://")))
		return "an origin begins with http:// or https://|ein Ursprungsserver beginnt mit http:// oder https://";
	spec->port = spec->tls ? 443 : 80;
	why = parse_authority(span_from(url, spec->tls ? 8 : 7), spec);
	while (!why && span_cut(&rest, ' ', &word))
		if (word.n > 0)
			why = parse_word(word, spec);
	if (spec->weight == 0)
		spec->weight = 1;
	return why;
}

int origin_spec_parse(struct span text, struct origin_spec *ret, const char **ret_why)
{
	*ret = (struct origin_spec){ 0 };
	*ret_why = parse(text, ret);
	return *ret_why ? -EINVAL : 0;
}

void origin_spec_print(const struct origin_spec *spec, struct buf *out)
{
	bool v6 = span_index(spec->host, ':') >= 0;

	buf_add_text(out, spec->tls ? "https://" : "http://");
	buf_addf(out, v6 ? "[%.*s]" : "%.*s", SPAN_ARG(spec->host));
	if (spec->port != (spec->tls ? 443 : 80))
		buf_addf(out, ":%u", spec->port);
	if (spec->weight != 1)
		buf_addf(out, " weight=%u", spec->weight);
	if (spec->backup)
		buf_add_text(out, " backup");
}
