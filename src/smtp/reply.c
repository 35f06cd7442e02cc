/* Replies, both ways, and the capabilities in the answer to EHLO. See smtp/smtp.h. */
#include <errno.h>
#include "base/mem.h"
#include "smtp/smtp.h"

#define ANSWER_MAX 510 /* of a line that we write, without its CRLF */

/* ---- reading ---- */

/* The code that a line begins with, with its separator; 0: none. */
static unsigned code_of(struct span line, bool *ret_more)
{
	uint64_t code;

	if (line.n < 3 || span_to_u64(span_sub(line, 0, 3), &code) < 0 || code < 200 || code > 599)
		return 0;
	*ret_more = line.n > 3 && line.p[3] == '-';
	return line.n == 3 || line.p[3] == ' ' || line.p[3] == '-' ? (unsigned)code : 0;
}

static size_t digits(struct span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && n < 3 && ascii_digit(s.p[at + n]))
		n++;
	return n;
}

/* The length of an enhanced code (RFC 3463 2: class "." subject "." detail) that text begins with,
 * or 0. */
static size_t enhanced_of(struct span text, unsigned code)
{
	size_t subject, detail, n;

	if (text.n < 5 || text.p[0] != (char)('0' + code / 100) || text.p[1] != '.')
		return 0;
	subject = digits(text, 2);
	if (subject == 0 || 2 + subject >= text.n || text.p[2 + subject] != '.')
		return 0;
	detail = digits(text, 3 + subject);
	n = 3 + subject + detail;
	return detail > 0 && (n == text.n || text.p[n] == ' ') ? n : 0;
}

static void take_first(struct span line, struct smtp_reply *ret)
{
	size_t n;

	ret->text = span_from(line, 4);
	n = enhanced_of(ret->text, ret->code);
	ret->enhanced = span_sub(ret->text, 0, n);
	ret->text = span_from(ret->text, n > 0 ? n + 1 : 0);
}

/* The line up to the next LF, without it and a CR before it. */
static bool take_line(struct span bytes, struct span *ret_line, size_t *ret_used)
{
	ptrdiff_t end = span_index(bytes, '\n');

	if (end < 0)
		return false;
	*ret_used = (size_t)end + 1;
	*ret_line = span_sub(bytes, 0, end > 0 && bytes.p[end - 1] == '\r' ? (size_t)end - 1 : (size_t)end);
	return true;
}

int smtp_reply_parse(struct span bytes, struct smtp_reply *ret, size_t *ret_used)
{
	struct span kept = span_sub(bytes, 0, SMTP_REPLY_MAX), line;
	size_t at = 0, used;

	*ret = (struct smtp_reply){ 0 };
	while (take_line(span_from(kept, at), &line, &used)) {
		bool more;
		unsigned code = code_of(line, &more);

		if (code == 0 || (ret->code != 0 && code != ret->code))
			return -EPROTO;
		ret->code = code;
		if (at == 0)
			take_first(line, ret);
		at += used;
		if (!more) {
			ret->lines = span_sub(bytes, 0, at);
			*ret_used = at;
			return 1;
		}
	}
	return bytes.n < SMTP_REPLY_MAX ? 0 : -EMSGSIZE;
}

bool smtp_reply_next(struct span *rest, struct span *ret_text)
{
	struct span line;
	size_t used;

	if (!take_line(*rest, &line, &used))
		return false;
	*ret_text = span_from(line, 4);
	*rest = span_from(*rest, used);
	return true;
}

/* ---- capabilities ---- */

static const struct {
	const char *word;
	unsigned cap;
} caps[] = {
	{ "PIPELINING", SMTP_CAP_PIPELINING },
	{ "SIZE", SMTP_CAP_SIZE },
	{ "8BITMIME", SMTP_CAP_8BITMIME },
	{ "SMTPUTF8", SMTP_CAP_SMTPUTF8 },
	{ "DSN", SMTP_CAP_DSN },
	{ "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCED },
	{ "CHUNKING", SMTP_CAP_CHUNKING },
	{ "STARTTLS", SMTP_CAP_STARTTLS },
	{ "XCLIENT", SMTP_CAP_XCLIENT },
}, xclients[] = {
	{ "NAME", SMTP_XCLIENT_NAME },
	{ "ADDR", SMTP_XCLIENT_ADDR },
	{ "PORT", SMTP_XCLIENT_PORT },
	{ "PROTO", SMTP_XCLIENT_PROTO },
	{ "HELO", SMTP_XCLIENT_HELO },
	{ "DESTADDR", SMTP_XCLIENT_DESTADDR },
	{ "DESTPORT", SMTP_XCLIENT_DESTPORT },
	{ "REVERSE_NAME", SMTP_XCLIENT_REVERSE_NAME },
};

static void take_xclient(struct span rest, struct smtp_caps *ret)
{
	struct span word;

	while (span_cut(&rest, ' ', &word))
		for (size_t i = 0; i < array_len(xclients); i++)
			if (span_eq_nocase(word, span_of(xclients[i].word)))
				ret->xclient |= xclients[i].cap;
}

static void take_cap(struct span line, struct smtp_caps *ret)
{
	struct span rest = line, word;

	span_cut(&rest, ' ', &word);
	for (size_t i = 0; i < array_len(caps); i++)
		if (span_eq_nocase(word, span_of(caps[i].word)))
			ret->mask |= caps[i].cap;
	if (span_eq_nocase(word, SPAN("SIZE")) && span_to_u64(span_trim(rest), &ret->size_max) < 0)
		ret->size_max = 0;
	if (span_eq_nocase(word, SPAN("XCLIENT")))
		take_xclient(rest, ret);
}

void smtp_caps_parse(const struct smtp_reply *ehlo, struct smtp_caps *ret)
{
	struct span rest = ehlo->lines, line;
	bool first = true;

	*ret = (struct smtp_caps){ .mask = SMTP_CAP_EHLO };
	for (; smtp_reply_next(&rest, &line); first = false)
		if (!first) /* the first line is the server's name */
			take_cap(line, ret);
}

/* ---- writing ---- */

static void add_text(struct buf *out, struct span text, size_t room)
{
	for (size_t at = 0, n; at < text.n; at += n) {
		size_t utf8 = span_utf8(span_from(text, at));

		n = utf8 ? utf8 : 1;
		if (n > room)
			return;
		if (utf8 == 0 || (unsigned char)text.p[at] < ' ' || text.p[at] == 0x7f)
			buf_add_char(out, '?');
		else
			buf_add(out, text.p + at, n);
		room -= n;
	}
}

void smtp_answer_line(struct buf *out, unsigned code, const char *enhanced, struct span text, bool more)
{
	size_t before = out->n;

	buf_add_u64(out, code);
	buf_add_char(out, more ? '-' : ' ');
	if (*enhanced) {
		buf_add_text(out, enhanced);
		buf_add_char(out, ' ');
	}
	add_text(out, text, ANSWER_MAX - (out->n - before));
	buf_add_text(out, "\r\n");
}

void smtp_answer_print(struct buf *out, const struct smtp_answer *a)
{
	smtp_answer_line(out, a->code, a->enhanced, span_of(a->text), false);
}

void smtp_reply_print(struct buf *out, const struct smtp_reply *r, const char *fallback)
{
	struct span rest = r->lines, text;

	while (smtp_reply_next(&rest, &text)) {
		bool has = enhanced_of(text, r->code) > 0;

		smtp_answer_line(out, r->code, has ? "" : fallback, text, rest.n > 0);
	}
}
