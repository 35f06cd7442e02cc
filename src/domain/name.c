/*
 * Host names as the web uses them: what a browser sends as Host, in the one form that all
 * comparisons use. ASCII names are lower-cased here; others go through libidn2 (UTS 46, not
 * transitional: ß stays ß), as browsers do. Labels that are A-labels already are taken as they are:
 * registries hold names that strict IDNA 2008 would refuse, and their owners have customers. Names
 * of sites (those that may be wildcards) may have underscores: no host should, but browsers and DNS
 * take them, and there are such sites.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <idn2.h>
#include "base/mem.h"
#include "domain/domain_priv.h"

#define LABEL_MAX 63

static bool is_ldh(char c)
{
	return ascii_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
}

static const char *judge_label(struct span label, bool underscores)
{
	if (label.n == 0)
		return "a host name has no empty parts between dots|"
		       "ein Hostname hat zwischen Punkten keine leeren Teile";
	if (label.n > LABEL_MAX)
		return "a part between dots has at most 63 bytes|"
		       "ein Teil zwischen Punkten hat höchstens 63 Zeichen";
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return "no part of a host name begins or ends with a hyphen|"
		       "kein Teil eines Hostnamens beginnt oder endet mit einem Bindestrich";
	for (size_t i = 0; i < label.n; i++)
		if (!is_ldh(label.p[i]) && !(underscores && label.p[i] == '_'))
			return "a host name has only letters, digits, hyphens and dots|"
			       "ein Hostname hat nur Buchstaben, Ziffern, Bindestriche und Punkte";
	return NULL;
}

/* A last part of digits alone is an IPv4 address or nothing (WHATWG URL, "ends in a number"). */
static const char *judge_number(struct span name, struct span last)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	uint64_t number;

	if (span_to_u64(last, &number) == -EINVAL)
		return NULL;
	if (name.n < sizeof(text)) {
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		if (inet_pton(AF_INET, text, &address) == 1)
			return NULL;
	}
	return "a host name does not end in a number, and this is no IPv4 address|"
	       "ein Hostname endet nicht auf eine Zahl, und eine IPv4-Adresse ist das nicht";
}

static const char *judge_labels(struct span name, bool underscores)
{
	struct span rest = name, label = { 0 };
	const char *why = NULL;

	while (!why && span_cut(&rest, '.', &label))
		why = judge_label(label, underscores);
	return why ? why : judge_number(name, label);
}

/* UTF-8 to A-labels. */
static const char *to_ascii(struct span text, char out[NAME_MAX_BYTES], size_t *ret_n)
{
	_cleanup_(mem_freep) char *utf8 = span_text(text);
	uint8_t *ascii = NULL;
	size_t n = 0;

	if (idn2_lookup_u8((const uint8_t *)utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		n = strlen((const char *)ascii);
	if (n > 0 && n <= NAME_MAX_BYTES)
		memcpy(out, ascii, n);
	idn2_free(ascii);
	*ret_n = n;
	return n > 0 && n <= NAME_MAX_BYTES ? NULL
					    : "it is no valid internationalised name (IDNA 2008)|"
					      "es ist kein gültiger internationalisierter Name (IDNA 2008)";
}

static const char *fold(struct span text, char out[NAME_MAX_BYTES], size_t *ret_n)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] & 0x80)
			return to_ascii(text, out, ret_n);
		out[i] = ascii_lower(text.p[i]);
	}
	*ret_n = text.n;
	return NULL;
}

const char *name_normalise(struct span text, bool wildcard, char out[NAME_MAX_BYTES + 2], size_t *ret_n)
{
	size_t star = span_starts(text, SPAN("*.")) ? 2 : 0, n;
	const char *why;

	if (star && !wildcard)
		return "a wildcard stands among the web names only|"
		       "ein Platzhalter steht nur unter den Webnamen";
	text = span_from(text, star);
	if (span_ends(text, SPAN(".")))
		text.n--;
	if (text.n == 0)
		return "it is empty|er ist leer";
	if (span_index(text, ':') >= 0 || span_index(text, '/') >= 0)
		return "the host name stands alone, without scheme, port and path|"
		       "der Hostname steht allein, ohne Schema, Port und Pfad";
	if (span_index(text, '\0') >= 0 || text.n > NAME_MAX_BYTES)
		return "a host name has at most 253 bytes|ein Hostname hat höchstens 253 Zeichen";
	memcpy(out, "*.", star);
	why = fold(text, out + star, &n);
	*ret_n = star + n;
	return why ? why : judge_labels(span_make(out + star, n), wildcard);
}

int domain_name_normalise(struct span text, bool wildcard, struct arena *a, struct span *ret)
{
	char out[NAME_MAX_BYTES + 2];
	size_t n;

	if (name_normalise(text, wildcard, out, &n))
		return -EINVAL;
	*ret = arena_span(a, span_make(out, n));
	return 0;
}
