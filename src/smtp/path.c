/*
 * Addresses of the envelope: RFC 5321 4.1.2 with the UTF-8 of RFC 6531.
 *
 * Wider than the RFC in two places where the world is: local parts may be longer than 64 bytes, and
 * an underscore may stand in a domain. Narrower in none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include "smtp/smtp.h"

/* atext of RFC 5322 3.2.3, besides letters and digits. */
static const char atext_marks[] = "!#$%&'*+-/=?^_`{|}~";

static bool is_alnum(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_atext(char c)
{
	return is_alnum(c) || (c && strchr(atext_marks, c));
}

/* The length of a character beyond ASCII that s begins with, or 0. */
static size_t beyond_ascii(struct span s)
{
	size_t n = span_utf8(s);

	return n > 1 ? n : 0;
}

/* The length of what s begins with, at most up to the first byte that does not belong to it; 0:
 * nothing. */
static size_t dot_string(struct span s)
{
	size_t at = 0, atom = 0;

	while (at < s.n) {
		size_t wide = beyond_ascii(span_from(s, at));

		if (s.p[at] == '.' && atom > 0)
			atom = 0, at++;
		else if (is_atext(s.p[at]))
			atom++, at++;
		else if (wide)
			atom++, at += wide;
		else
			break;
	}
	return atom > 0 ? at : 0;
}

static size_t quoted_string(struct span s)
{
	size_t at = 1;

	while (at < s.n) {
		unsigned char c = (unsigned char)s.p[at];
		size_t wide = beyond_ascii(span_from(s, at));

		if (c == '"')
			return at + 1;
		if (c == '\\' && at + 1 < s.n && s.p[at + 1] >= ' ' && s.p[at + 1] < 0x7f)
			at += 2;
		else if (c >= ' ' && c < 0x7f && c != '\\')
			at++;
		else if (wide)
			at += wide;
		else
			return 0;
	}
	return 0;
}

static size_t local_part(struct span s)
{
	size_t n = s.n > 0 && s.p[0] == '"' ? quoted_string(s) : dot_string(s);

	return n <= SMTP_LOCAL_MAX ? n : 0;
}

static bool in_label(struct span s, size_t *ret_n)
{
	*ret_n = is_alnum(s.p[0]) || s.p[0] == '-' || s.p[0] == '_' ? 1 : beyond_ascii(s);
	return *ret_n > 0;
}

static size_t host_name(struct span s)
{
	size_t at = 0, label = 0, n;

	while (at < s.n) {
		if (s.p[at] == '.' && label > 0 && s.p[at - 1] != '-')
			label = 0, at++;
		else if (in_label(span_from(s, at), &n) && (label > 0 || s.p[at] != '-'))
			label += n, at += n;
		else
			break;
		if (label > 63)
			return 0;
	}
	return label > 0 && s.p[at - 1] != '-' && at <= SMTP_NAME_MAX ? at : 0;
}

static size_t literal(struct span s)
{
	ptrdiff_t end = span_index(s, ']');
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	struct span inner;
	bool v6;

	if (end < 0)
		return 0;
	inner = span_sub(s, 1, (size_t)end - 1);
	v6 = span_starts_nocase(inner, SPAN("IPv6:"));
	if (v6)
		inner = span_from(inner, 5);
	if (inner.n >= sizeof(text))
		return 0;
	memcpy(text, inner.p, inner.n);
	text[inner.n] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, v6 ? (void *)&six : (void *)&four) != 1)
		return 0;
	return (size_t)end + 1;
}

static size_t domain_part(struct span s)
{
	return s.n > 0 && s.p[0] == '[' ? literal(s) : host_name(s);
}

/* "@a,@b:" before a mailbox: to be accepted and ignored (RFC 5321 appendix C). 0 or -EINVAL. */
static int skip_route(struct span *s)
{
	while (s->n > 0 && s->p[0] == '@') {
		size_t n = domain_part(span_from(*s, 1));
		char next;

		*s = span_from(*s, 1 + n);
		if (n == 0 || s->n == 0)
			return -EINVAL;
		next = s->p[0];
		*s = span_from(*s, 1);
		if (next == ':')
			return 0;
		if (next != ',' || s->n == 0 || s->p[0] != '@')
			return -EINVAL;
	}
	return 0;
}

static bool has_utf8(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

int smtp_path_parse(struct span *rest, struct smtp_path *ret)
{
	struct span s = *rest;
	size_t n;

	*ret = (struct smtp_path){ 0 };
	if (s.n < 2 || s.p[0] != '<')
		return -EINVAL;
	s = span_from(s, 1);
	if (s.p[0] == '>') {
		*rest = span_from(s, 1);
		return 0;
	}
	if (skip_route(&s) < 0)
		return -EINVAL;
	n = local_part(s);
	ret->local = span_sub(s, 0, n);
	s = span_from(s, n);
	if (n > 0 && s.n > 0 && s.p[0] == '@') {
		n = domain_part(span_from(s, 1));
		ret->domain = span_sub(s, 1, n);
		s = span_from(s, 1 + n);
	} else if (!span_eq_nocase(ret->local, SPAN("postmaster"))) {
		return -EINVAL;
	}
	if (n == 0 || s.n == 0 || s.p[0] != '>')
		return -EINVAL;
	ret->utf8 = has_utf8(ret->local) || has_utf8(ret->domain);
	*rest = span_from(s, 1);
	return 0;
}

void smtp_path_print(const struct smtp_path *p, struct buf *out)
{
	buf_add_char(out, '<');
	buf_add_span(out, p->local);
	if (p->domain.n > 0) {
		buf_add_char(out, '@');
		buf_add_span(out, p->domain);
	}
	buf_add_char(out, '>');
}

/* Without quotes and backslashes if a dot-string remains; else as written. */
static void print_local(struct span local, struct buf *out)
{
	char plain[SMTP_LOCAL_MAX];
	size_t n = 0;

	for (size_t i = 1; local.n > 1 && i + 1 < local.n; i++) {
		if (local.p[i] == '\\')
			i++;
		plain[n++] = local.p[i];
	}
	if (local.n > 0 && local.p[0] == '"' && n > 0 && dot_string(span_make(plain, n)) == n)
		buf_add(out, plain, n);
	else
		buf_add_span(out, local);
}

void smtp_path_mailbox(const struct smtp_path *p, struct buf *out)
{
	print_local(p->local, out);
	if (p->domain.n == 0)
		return;
	buf_add_char(out, '@');
	for (size_t i = 0; i < p->domain.n; i++)
		buf_add_char(out, ascii_lower(p->domain.p[i]));
}
