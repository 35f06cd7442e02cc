/* Names in wire form: labels with their lengths, ended by the empty one (RFC 1035 3.1). */
#include <errno.h>
#include <stdio.h>
#include "dns/dns_priv.h"

/* One character of a label; \. \\ and \DDD stand for bytes. 1, or -EINVAL. */
static int take_byte(struct span *rest, uint8_t *ret)
{
	uint64_t number;

	*ret = (uint8_t)rest->p[0];
	if (*ret != '\\') {
		*rest = span_from(*rest, 1);
		return 1;
	}
	*rest = span_from(*rest, 1);
	if (rest->n == 0)
		return -EINVAL;
	*ret = (uint8_t)rest->p[0];
	if (!ascii_digit(rest->p[0])) {
		*rest = span_from(*rest, 1);
		return 1;
	}
	if (rest->n < 3 || span_to_u64(span_sub(*rest, 0, 3), &number) < 0 || number > 255)
		return -EINVAL;
	*ret = (uint8_t)number;
	*rest = span_from(*rest, 3);
	return 1;
}

/* One label behind name's last; rest then stands behind its dot. */
static int take_label(struct span *rest, struct dns_name *name)
{
	unsigned n = 0, start = name->n;
	uint8_t byte;

	while (rest->n > 0 && rest->p[0] != '.') {
		if (take_byte(rest, &byte) < 0 || ++n > DNS_LABEL_MAX || start + n + 1 >= DNS_NAME_MAX)
			return -EINVAL;
		name->p[start + n] = byte;
	}
	if (n == 0)
		return -EINVAL;
	if (rest->n > 0)
		*rest = span_from(*rest, 1);
	name->p[start] = (uint8_t)n;
	name->n = (uint8_t)(start + n + 1);
	return 0;
}

int dns_name_parse(struct span text, struct dns_name *ret)
{
	ret->n = 0;
	if (span_eq(text, SPAN(".")))
		text.n = 0;
	else if (text.n == 0)
		return -EINVAL;
	while (text.n > 0)
		if (take_label(&text, ret) < 0)
			return -EINVAL;
	ret->p[ret->n++] = 0;
	return 0;
}

static size_t print_byte(uint8_t byte, char *out)
{
	if (byte == '.' || byte == '\\') {
		out[0] = '\\';
		out[1] = (char)byte;
		return 2;
	}
	if (byte <= ' ' || byte >= 0x7f)
		return (size_t)snprintf(out, 5, "\\%03u", byte);
	out[0] = (char)byte;
	return 1;
}

size_t dns_name_text(const struct dns_name *name, char ret[DNS_NAME_TEXT_SIZE])
{
	size_t n = 0;

	for (unsigned at = 0; name->p[at] != 0; at += 1u + name->p[at]) {
		if (at > 0)
			ret[n++] = '.';
		for (unsigned i = 1; i <= name->p[at]; i++)
			n += print_byte(name->p[at + i], ret + n);
	}
	if (n == 0)
		ret[n++] = '.';
	ret[n] = 0;
	return n;
}

static bool eq_bytes(const uint8_t *a, const uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ascii_lower((char)a[i]) != ascii_lower((char)b[i]))
			return false;
	return true;
}

/* Lengths of labels are below 64, no letters: folding case leaves them alone. */
bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
	return a->n == b->n && eq_bytes(a->p, b->p, a->n);
}

bool dns_name_under(const struct dns_name *name, const struct dns_name *parent)
{
	unsigned at = 0;

	while (name->n - at > parent->n)
		at += 1u + name->p[at];
	return name->n - at == parent->n && eq_bytes(name->p + at, parent->p, parent->n);
}

void dns_name_up(struct dns_name *name)
{
	unsigned first = 1u + name->p[0];

	if (name->n == 1)
		return;
	memmove(name->p, name->p + first, name->n - first);
	name->n = (uint8_t)(name->n - first);
}

void dns_name_lower(struct dns_name *name)
{
	for (unsigned i = 0; i < name->n; i++)
		name->p[i] = (uint8_t)ascii_lower((char)name->p[i]);
}

/* ---- types ---- */

static const struct {
	const char *name;
	uint16_t number;
} types[] = {
#define TYPE(name, number) { #name, number },
#include "dns/type.tbl.h"
#undef TYPE
};

int dns_type_parse(struct span text, uint16_t *ret)
{
	uint64_t number;

	for (unsigned i = 0; i < array_len(types); i++)
		if (span_eq_nocase(text, span_of(types[i].name))) {
			*ret = types[i].number;
			return 0;
		}
	if (!span_starts_nocase(text, SPAN("TYPE")) || span_to_u64(span_from(text, 4), &number) < 0 ||
		number > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)number;
	return 0;
}

const char *dns_type_text(uint16_t type)
{
	static _Thread_local char text[16];

	for (unsigned i = 0; i < array_len(types); i++)
		if (types[i].number == type)
			return types[i].name;
	snprintf(text, sizeof(text), "TYPE%u", type);
	return text;
}

const char *dns_rcode_text(unsigned rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "RCODE11", "RCODE12", "RCODE13", "RCODE14",
		"RCODE15", "BADVERS" };
	static _Thread_local char text[16];

	if (rcode < array_len(names))
		return names[rcode];
	snprintf(text, sizeof(text), "RCODE%u", rcode);
	return text;
}
