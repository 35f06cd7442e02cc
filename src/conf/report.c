/*
 * The faults of one text.
 *
 * They arrive roughly in the order of the lines (an unclosed section is known at the end of
 * the file but belongs to its first line) and are kept sorted. A fault in grammar makes more of
 * them on its line; those say nothing new and are dropped.
 */
#include "conf/conf_priv.h"
#include <string.h>
#include "base/mem.h"

/* So that one long value does not crowd out the rest of a fault's evidence. */
#define SHOWN_MAX 100

static bool syntax_known(const struct report *r, unsigned line)
{
	for (unsigned i = 0; i < r->errors->n; i++)
		if (r->lines[i] == line && r->errors->v[i].code == FAULT_SETTINGS_SYNTAX)
			return true;
	return false;
}

struct fault *report_fault(struct report *r, unsigned line, enum fault_code code)
{
	struct conf_errors *errors = r->errors;
	unsigned at = errors->n;

	if (errors->n == CONF_ERRORS_MAX)
		return NULL;
	if (code == FAULT_SETTINGS_SYNTAX && syntax_known(r, line))
		return NULL;
	if (!errors->v)
		errors->v = arena_array(r->a, struct fault, CONF_ERRORS_MAX);
	while (at > 0 && r->lines[at - 1] > line)
		at--;
	memmove(&errors->v[at + 1], &errors->v[at], (errors->n - at) * sizeof(*errors->v));
	memmove(&r->lines[at + 1], &r->lines[at], (errors->n - at) * sizeof(*r->lines));
	errors->n++;
	r->lines[at] = line;
	fault_set(&errors->v[at], code);
	fault_fact(&errors->v[at], "file", "%.*s", SHOWN_MAX, r->file);
	fault_fact(&errors->v[at], "line", "%u", line);
	return &errors->v[at];
}

struct span report_half(const char *text, enum fault_lang lang)
{
	struct span rest = span_of(text), half;

	span_cut(&rest, '|', &half);
	return lang == FAULT_DE && rest.p ? rest : half;
}

/* The half for lang with what in the place of {}. */
static void fill(struct buf *out, const char *text, enum fault_lang lang, struct span what)
{
	struct span half = report_half(text, lang);
	ptrdiff_t at = span_find(half, SPAN("{}"));

	if (at < 0) {
		buf_add_span(out, half);
		return;
	}
	buf_add(out, half.p, (size_t)at);
	buf_add_span(out, span_sub(what, 0, SHOWN_MAX));
	buf_add_span(out, span_from(half, (size_t)at + 2));
}

static void add_why(struct fault *f, const char *text, struct span what)
{
	_cleanup_(buf_done) struct buf en = BUF_INIT(FAULT_TEXT_MAX), de = BUF_INIT(FAULT_TEXT_MAX);

	fill(&en, text, FAULT_EN, what);
	fill(&de, text, FAULT_DE, what);
	fault_fact(f, "why", "%s", buf_text(&en));
	fault_fact(f, "why_de", "%s", buf_text(&de));
}

void report_syntax(struct report *r, unsigned line, const char *text, struct span what)
{
	struct fault *f = report_fault(r, line, FAULT_SETTINGS_SYNTAX);

	if (f)
		add_why(f, text, what);
}

void report_value(struct report *r, unsigned line, const char *path, const struct conf_key *key, struct span value,
	const char *why)
{
	_cleanup_(buf_done) struct buf en = BUF_INIT(FAULT_TEXT_MAX), de = BUF_INIT(FAULT_TEXT_MAX);
	struct fault *f = report_fault(r, line, FAULT_SETTINGS_BAD_VALUE);

	if (!f)
		return;
	value_wanted(key, FAULT_EN, &en);
	value_wanted(key, FAULT_DE, &de);
	fault_fact(f, "key", "%s", path);
	fault_fact(f, "value", "%.*s", SPAN_ARG(span_sub(value, 0, SHOWN_MAX)));
	add_why(f, why, value);
	fault_fact(f, "wanted", "%s", buf_text(&en));
	fault_fact(f, "wanted_de", "%s", buf_text(&de));
}
