/*
 * Addresses of the envelope: RFC 5321 4.1.2 with the UTF-8 of RFC 6531, and wider where the world
 * is and an address can mean one thing only. What Postfix or Exim take of that kind is taken:
 *
 *   a@b  a@b>  <<a@b>>  Joe <a@b>        brackets that are missing or too many, a name before them
 *   < a @ b >  <a@b (Joe)>               blanks and comments between the parts
 *   <.a..b.@c>  <a\ b@c>  <"a".b@c>      dots anywhere, quoting of single characters or of words
 *   <a@b.>  <a@b-.c>  <a@b_c>            a dot at a domain's end, hyphens at a label's, underscores
 *   <a@…>                                local parts of more than 64 bytes
 *
 * What two programs could read differently is refused: an open bracket or quote, a second @, a
 * colon, bytes that nothing quotes. What is passed on is written anew, without blanks, comments and
 * names, in one pair of brackets.
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

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of what s begins with, at most up to the first byte that does not belong to it; 0:
 * nothing. */
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

/* Outside of quotes: an atom's character, or one of these and a blank behind a backslash. */
static size_t atom_char(struct span s)
{
	if (is_atext(s.p[0]))
		return 1;
	if (s.p[0] == '\\' && s.n > 1 && (is_atext(s.p[1]) || s.p[1] == ' ' || s.p[1] == '.'))
		return 2;
	return beyond_ascii(s);
}

/* Words between dots, of which some may be empty: each an atom or a quoted string. */
static size_t local_part(struct span s)
{
	bool begun = false, quoted = false; /* the word */
	size_t at = 0, n;

	while (at < s.n) {
		bool quote = s.p[at] == '"', dot = s.p[at] == '.';

		n = dot ? 1 : quote ? quoted_string(span_from(s, at)) : atom_char(span_from(s, at));
		if (n == 0)
			break;
		/* A quoted string is a word of its own. */
		if (!dot && (quoted || (quote && begun)))
			return 0;
		begun = !dot;
		quoted = quote;
		at += n;
	}
	return at <= SMTP_LOCAL_MAX ? at : 0;
}

/* Would it be the same without quotes: atoms and dots? */
static bool is_dot_string(struct span s)
{
	size_t at = 0, n;

	while (at < s.n) {
		n = s.p[at] == '.' ? 1 : s.p[at] == '\\' ? 0 : atom_char(span_from(s, at));
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

static bool in_label(struct span s, size_t *ret_n)
{
	*ret_n = is_alnum(s.p[0]) || s.p[0] == '-' || s.p[0] == '_' ? 1 : beyond_ascii(s);
	return *ret_n > 0;
}

/* A dot at the end belongs to it. */
static size_t host_name(struct span s)
{
	size_t at = 0, label = 0, n;

	while (at < s.n) {
		if (s.p[at] == '.' && label > 0)
			label = 0, at++;
		else if (in_label(span_from(s, at), &n) && (label > 0 || s.p[at] != '-'))
			label += n, at += n;
		else
			break;
		if (label > 63)
			return 0;
	}
	return at <= SMTP_NAME_MAX ? at : 0;
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

/* "(Joe)", with nothing in it that would have to be read; or 0. */
static size_t comment(struct span s)
{
	size_t at = 1;

	while (at < s.n && s.p[at] >= ' ' && s.p[at] < 0x7f && !strchr("()<>\\\"", s.p[at]))
		at++;
	return at < s.n && s.p[at] == ')' ? at + 1 : 0;
}

struct span smtp_skip_blanks(struct span s)
{
	size_t n = 1;

	while (s.n > 0 && n > 0) {
		n = is_blank(s.p[0]) ? 1 : s.p[0] == '(' ? comment(s) : 0;
		s = span_from(s, n);
	}
	return s;
}

/* `Joe "J" Doe <`: a name before the bracket is nobody's address. Without one s is as it was. */
static struct span skip_name(struct span s)
{
	size_t at = 0, n;

	while (at < s.n && s.p[at] != '<') {
		struct span rest = span_from(s, at);

		if (s.p[at] == '"')
			n = quoted_string(rest);
		else
			n = is_blank(s.p[at]) || s.p[at] == '.' ? 1 : atom_char(rest);
		if (n == 0)
			return s;
		at += n;
	}
	return at > 0 && at < s.n && (is_blank(s.p[at - 1]) || s.p[at - 1] == '"') ? span_from(s, at) : s;
}

static bool skip_char(struct span *s, char c)
{
	bool has = s->n > 0 && s->p[0] == c;

	if (has)
		*s = span_from(*s, 1);
	return has;
}

/* local@domain, or a local part alone. loose: blanks and comments may stand between. 0 or
 * -EINVAL. */
static int take_mailbox(struct span *s, bool loose, struct smtp_path *ret)
{
	struct span behind;
	size_t n = local_part(*s);

	if (n == 0)
		return -EINVAL;
	ret->local = span_sub(*s, 0, n);
	*s = span_from(*s, n);
	behind = loose ? smtp_skip_blanks(*s) : *s;
	if (!skip_char(&behind, '@'))
		return 0;
	*s = loose ? smtp_skip_blanks(behind) : behind;
	n = domain_part(*s);
	if (n == 0)
		return -EINVAL;
	ret->domain = span_sub(*s, 0, s->p[n - 1] == '.' ? n - 1 : n);
	*s = span_from(*s, n);
	return 0;
}

/* Behind the first bracket, up to its counterpart. */
static int take_in_brackets(struct span *s, struct smtp_path *ret)
{
	bool twice = skip_char(s, '<');

	*s = smtp_skip_blanks(*s);
	if (s->n > 0 && s->p[0] != '>' && (skip_route(s) < 0 || take_mailbox(s, true, ret) < 0))
		return -EINVAL;
	*s = smtp_skip_blanks(*s);
	return skip_char(s, '>') && (!twice || skip_char(s, '>')) ? 0 : -EINVAL;
}

int smtp_path_parse(struct span *rest, struct smtp_path *ret)
{
	struct span s = skip_name(smtp_skip_blanks(*rest));
	int r;

	*ret = (struct smtp_path){ 0 };
	if (skip_char(&s, '<')) {
		r = take_in_brackets(&s, ret);
	} else {
		r = take_mailbox(&s, false, ret);
		skip_char(&s, '>');
	}
	if (r < 0)
		return r;
	ret->utf8 = has_utf8(ret->local) || has_utf8(ret->domain);
	*rest = s;
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

/* Without quotes and backslashes if that means the same; else as written. */
static void print_local(struct span local, struct buf *out)
{
	char plain[SMTP_LOCAL_MAX];
	size_t n = 0;

	must(local.n <= sizeof(plain));
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"')
			continue;
		if (local.p[i] == '\\' && i + 1 < local.n)
			i++;
		plain[n++] = local.p[i];
	}
	if (n > 0 && is_dot_string(span_make(plain, n)))
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
