/* Command lines. See smtp/smtp.h. */
#include <errno.h>
#include "base/mem.h"
#include "smtp/smtp.h"

/* What follows the verb. */
enum args {
	ARGS_NONE,
	ARGS_SOME, /* must be there */
	ARGS_ANY,
};

static const struct verb {
	const char *text;
	const char *second; /* a second word, with its colon: "MAIL FROM:" */
	enum args args;
} verbs[SMTP_VERB_COUNT] = {
	[SMTP_UNKNOWN] = { "?", NULL, ARGS_ANY },
	[SMTP_HELO] = { "HELO", NULL, ARGS_SOME },
	[SMTP_EHLO] = { "EHLO", NULL, ARGS_SOME },
	[SMTP_STARTTLS] = { "STARTTLS", NULL, ARGS_NONE },
	[SMTP_MAIL] = { "MAIL", "FROM:", ARGS_SOME },
	[SMTP_RCPT] = { "RCPT", "TO:", ARGS_SOME },
	[SMTP_DATA] = { "DATA", NULL, ARGS_NONE },
	[SMTP_BDAT] = { "BDAT", NULL, ARGS_SOME },
	[SMTP_RSET] = { "RSET", NULL, ARGS_NONE },
	[SMTP_NOOP] = { "NOOP", NULL, ARGS_ANY },
	[SMTP_VRFY] = { "VRFY", NULL, ARGS_ANY },
	[SMTP_EXPN] = { "EXPN", NULL, ARGS_ANY },
	[SMTP_HELP] = { "HELP", NULL, ARGS_ANY },
	[SMTP_QUIT] = { "QUIT", NULL, ARGS_NONE },
};

static const struct smtp_answer unknown = { 500, "5.5.2", "Command not recognized" };
static const struct smtp_answer no_args = { 501, "5.5.4", "No argument is expected here" };
static const struct smtp_answer args_missing = { 501, "5.5.4", "An argument is missing" };
static const struct smtp_answer not_text = { 500, "5.5.2", "Bytes that no command holds" };

struct span smtp_take_word(struct span *rest)
{
	struct span s = span_trim(*rest);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	*rest = span_from(s, n);
	return span_sub(s, 0, n);
}

static enum smtp_verb find_verb(struct span word)
{
	for (int v = SMTP_UNKNOWN + 1; v < SMTP_VERB_COUNT; v++)
		if (span_eq_nocase(word, span_of(verbs[v].text)))
			return (enum smtp_verb)v;
	return SMTP_UNKNOWN;
}

/* Well-formed UTF-8 without control bytes, of which a tab is none here. */
static bool is_text(struct span s)
{
	while (s.n > 0) {
		size_t n = span_utf8(s);

		if (n == 0 || (n == 1 && (((unsigned char)*s.p < ' ' && *s.p != '\t') || *s.p == 0x7f)))
			return false;
		s = span_from(s, n);
	}
	return true;
}

const struct smtp_answer *smtp_line_parse(struct span line, struct smtp_line *ret)
{
	struct span rest = span_trim(line), word;
	const struct verb *v;

	*ret = (struct smtp_line){ .verb = SMTP_UNKNOWN };
	if (!is_text(line))
		return &not_text;
	word = smtp_take_word(&rest);
	ret->verb = find_verb(word);
	v = &verbs[ret->verb];
	ret->args = span_trim(rest);
	if (ret->verb == SMTP_UNKNOWN)
		return &unknown;
	if (v->second) {
		if (!span_starts_nocase(ret->args, span_of(v->second)))
			return &args_missing;
		ret->args = span_trim(span_from(ret->args, strlen(v->second)));
	}
	if (v->args == ARGS_NONE && ret->args.n > 0)
		return &no_args;
	if (v->args == ARGS_SOME && ret->args.n == 0)
		return &args_missing;
	return NULL;
}

int smtp_line_take(struct span bytes, struct span *ret_line, size_t *ret_used)
{
	size_t n = bytes.n < SMTP_LINE_MAX ? bytes.n : SMTP_LINE_MAX;

	for (size_t i = 0; i < n; i++) {
		char c = bytes.p[i];

		if (c == '\0' || c == '\n')
			return -EBADMSG;
		if (c != '\r')
			continue;
		if (i + 1 == bytes.n)
			return 0;
		if (bytes.p[i + 1] != '\n')
			return -EBADMSG;
		if (i + 2 > SMTP_LINE_MAX)
			return -EMSGSIZE;
		*ret_line = span_sub(bytes, 0, i);
		*ret_used = i + 2;
		return 1;
	}
	return bytes.n >= SMTP_LINE_MAX ? -EMSGSIZE : 0;
}

bool smtp_is_helo(struct span name)
{
	return name.n > 0 && name.n <= SMTP_NAME_MAX && is_text(name);
}
