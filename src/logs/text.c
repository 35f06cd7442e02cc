/* Names and addresses of peers, which all programs write much alike; and what texts were found to
 * say before. */
#include <arpa/inet.h>
#include "logs/logs_priv.h"

/* Behind the quote that ends what s begins in; false: it does not end. */
static bool skip_quoted(struct span *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i] == '"') {
			*s = span_from(*s, i + 1);
			return true;
		}
		if (s->p[i] == '\\')
			i++;
	}
	return false;
}

bool skip_to_value_past_quotes(struct span *rest, struct span name)
{
	struct span s = *rest, value;
	ptrdiff_t quote;

	while (find_value(s, name, &value)) {
		quote = span_index(span_sub(s, 0, (size_t)(value.p - s.p)), '"');
		if (quote < 0) {
			*rest = value;
			return true;
		}
		s = span_from(s, (size_t)quote + 1);
		if (!skip_quoted(&s))
			return false;
	}
	return false;
}

static unsigned digit(const char *p, const char *end)
{
	return p < end ? (unsigned)(unsigned char)*p - '0' : 10;
}

/* One to three digits, up to 255: behind them, or NULL. */
static const char *octet(const char *p, const char *end, uint8_t *ret)
{
	unsigned v = digit(p, end), next;

	if (v > 9)
		return NULL;
	next = digit(++p, end);
	if (next <= 9) {
		v = v * 10 + next;
		next = digit(++p, end);
	}
	if (next <= 9) {
		v = v * 10 + next;
		p++;
	}
	*ret = (uint8_t)v;
	return v > 255 ? NULL : p;
}

/* Dotted numbers; they are nearly all there is. */
static bool read_v4(struct span s, uint8_t ret[4])
{
	const char *p = s.p, *end;

	if (s.n == 0)
		return false;
	end = s.p + s.n;
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		p = octet(p, end, &ret[i]);
		if (!p)
			return false;
	}
	return p == end;
}

bool party_addr(struct span s, uint8_t ret[16])
{
	char text[64];

	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	if (read_v4(s, ret + 12))
		return true;
	skip(&s, SPAN("IPv6:"));
	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

/* The name in what stands before the address's bracket: "name (helo) ", "(helo) ", "name " or
 * "name". */
static struct span name_in(struct span before, size_t blank)
{
	uint8_t addr[4];

	if (before.n == 0 || before.p[0] == '(')
		return SPAN("");
	before.n = blank;
	return span_eq(before, SPAN("unknown")) || read_v4(before, addr) ? SPAN("") : before;
}

bool party_take(struct span *rest, struct party *ret)
{
	ptrdiff_t open = span_index(*rest, '['), blank, close;
	struct span inside;

	if (open < 0)
		return false;
	blank = span_index(span_sub(*rest, 0, (size_t)open), ' ');
	/* An EHLO name in parentheses may be a bracketed address itself. */
	if (rest->p[0] == '(' || rest->p[blank + 1] == '(') {
		ptrdiff_t end = find(*rest, SPAN(") ["));

		if (end < 0)
			return false;
		open = end + 2;
	}
	inside = span_from(*rest, (size_t)open + 1);
	close = span_index(inside, ']');
	if (close < 0 || !party_addr(span_sub(inside, 0, (size_t)close), ret->addr))
		return false;
	ret->host = name_in(span_sub(*rest, 0, (size_t)open), (size_t)(blank < 0 ? open : blank));
	*rest = span_from(inside, (size_t)close + 1);
	return true;
}

/* ---- what is known already ---- */

bool memo_find(struct logs *l, enum question q, struct span text, struct memo **ret)
{
	uint64_t hash = span_hash(text, q);
	struct memo *m = *ret = &l->memos[hash % MEMOS];

	if (m->hash == hash)
		return true;
	m->hash = hash;
	return false;
}
