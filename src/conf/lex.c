/*
 * Tokens: words, strings, { } = and commas; blanks and comments are passed over.
 *
 * A byte that belongs to no token is a fault and is passed over, too, so that "threads = 2;"
 * costs one fault and nothing else. A string without its end stops at the end of its line: the
 * lines below are still read as what they are.
 */
#include "conf/conf_priv.h"
#include <string.h>

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_word(char c)
{
	return !is_control(c) && !strchr(" \"'{}(),;=#", c);
}

void lexer_init(struct lexer *x, struct span text, struct report *report)
{
	/* A byte order mark, which some editors write. */
	if (span_starts(text, SPAN("\xef\xbb\xbf")))
		text = span_from(text, 3);
	*x = (struct lexer){ .rest = text, .line = 1, .report = report };
}

static bool at(const struct lexer *x, size_t i, char c)
{
	return i < x->rest.n && x->rest.p[i] == c;
}

/* The length of what s has before the end of its first line. */
static size_t line_length(struct span s)
{
	ptrdiff_t end = span_index(s, '\n');

	return end < 0 ? s.n : (size_t)end;
}

static void skip_blanks(struct lexer *x)
{
	for (;;) {
		if (at(x, 0, '\n'))
			x->line++;
		else if (at(x, 0, '#'))
			x->rest = span_from(x->rest, line_length(x->rest) - 1);
		else if (!at(x, 0, ' ') && !at(x, 0, '\t') && !(at(x, 0, '\r') && at(x, 1, '\n')))
			return;
		x->rest = span_from(x->rest, 1);
	}
}

/* Passes over bytes that belong to no token, as one fault. */
static void skip_stray(struct lexer *x)
{
	struct span stray = { x->rest.p, 0 };

	do
		stray.n++;
	while (stray.n < x->rest.n && !is_word(stray.p[stray.n]) && !memchr(" \t\r\n\"'{},=#", stray.p[stray.n], 11));
	report_syntax(x->report, x->line,
		"\"{}\" does not belong here (in a value it needs quotes)|"
		"\"{}\" gehört nicht hierher (in einem Wert braucht es Anführungszeichen)",
		stray);
	x->rest = span_from(x->rest, stray.n);
}

/* The byte for the escape after a backslash; its length in *ret_n, 0 if there is no such escape. */
static char escape(struct span s, char quote, size_t *ret_n)
{
	static const char names[] = "nrt\"\\'", values[] = "\n\r\t\"\\'";
	const char *name = s.n > 0 && s.p[0] ? strchr(quote == '"' ? names : "\\'", s.p[0]) : NULL;
	uint64_t byte;

	*ret_n = 0;
	if (name) {
		*ret_n = 1;
		return quote == '"' ? values[name - names] : s.p[0];
	}
	if (quote == '"' && s.n >= 3 && s.p[0] == 'x' && span_to_hex_u64(span_sub(s, 1, 2), &byte) == 0 && byte != 0) {
		*ret_n = 3;
		return (char)byte;
	}
	return 0;
}

/* Decodes what stands between the quotes into to, which has room for it. The length, or -1
 * after reporting a fault. */
static ptrdiff_t decode(struct lexer *x, struct span raw, char quote, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		size_t used;

		if (is_control(raw.p[i]) && raw.p[i] != '\t') {
			report_syntax(x->report, x->line,
				"the control byte \"{}\" stands in a string (write it as \\xHH)|"
				"das Steuerzeichen \"{}\" steht in einem Text (als \\xHH schreiben)",
				span_sub(raw, i, 1));
			return -1;
		}
		if (raw.p[i] != '\\') {
			to[n++] = raw.p[i];
			continue;
		}
		to[n] = escape(span_from(raw, i + 1), quote, &used);
		if (used == 0 && quote == '\'') {
			to[n] = '\\';
		} else if (used == 0) {
			report_syntax(x->report, x->line,
				"there is no escape \"{}\" (a backslash itself is \\\\)|"
				"die Umschreibung \"{}\" gibt es nicht (ein Backslash selbst ist \\\\)",
				span_sub(raw, i, 2));
			return -1;
		}
		n++;
		i += used;
	}
	return (ptrdiff_t)n;
}

/* The length of the string's inside, or -1 if it does not end on its line. */
static ptrdiff_t find_end(struct span inside, char quote)
{
	size_t end = line_length(inside);

	for (size_t i = 0; i < end; i++)
		if (inside.p[i] == quote)
			return (ptrdiff_t)i;
		else if (inside.p[i] == '\\')
			i++;
	return -1;
}

static void take_string(struct lexer *x, struct token *t)
{
	char quote = x->rest.p[0];
	struct span inside = span_from(x->rest, 1);
	ptrdiff_t end = find_end(inside, quote), n;
	char *to;

	t->kind = TOKEN_BROKEN;
	if (end < 0) {
		size_t length = line_length(inside);

		report_syntax(x->report, x->line,
			"the string {} does not end on its line|"
			"der Text {} endet nicht auf seiner Zeile",
			span_sub(x->rest, 0, length < 30 ? length + 1 : 30));
		x->rest = span_from(inside, length);
		return;
	}
	to = arena_alloc(x->report->a, (size_t)end + 1);
	n = decode(x, span_sub(inside, 0, (size_t)end), quote, to);
	if (n >= 0) {
		t->kind = TOKEN_STRING;
		t->text = span_make(to, (size_t)n);
	}
	x->rest = span_from(inside, (size_t)end + 1);
}

static void take_word(struct lexer *x, struct token *t)
{
	size_t n = 0;

	while (n < x->rest.n && is_word(x->rest.p[n]))
		n++;
	t->kind = TOKEN_WORD;
	t->text = span_sub(x->rest, 0, n);
	x->rest = span_from(x->rest, n);
}

/* A token of one byte. */
static void take_mark(struct lexer *x, struct token *t, enum token_kind kind)
{
	t->kind = kind;
	t->text = span_sub(x->rest, 0, 1);
	x->rest = span_from(x->rest, 1);
}

struct token lexer_next(struct lexer *x)
{
	struct token t = { .kind = TOKEN_END };

	skip_blanks(x);
	while (x->rest.n > 0 && !is_word(x->rest.p[0]) && !memchr("\"'{},=", x->rest.p[0], 6)) {
		skip_stray(x);
		skip_blanks(x);
	}
	t.line = x->line;
	if (x->rest.n == 0)
		return t;
	switch (x->rest.p[0]) {
	case '{':
		take_mark(x, &t, TOKEN_OPEN);
		break;
	case '}':
		take_mark(x, &t, TOKEN_CLOSE);
		break;
	case '=':
		take_mark(x, &t, TOKEN_EQUALS);
		break;
	case ',':
		take_mark(x, &t, TOKEN_COMMA);
		break;
	case '"':
	case '\'':
		take_string(x, &t);
		break;
	default:
		take_word(x, &t);
		break;
	}
	return t;
}
