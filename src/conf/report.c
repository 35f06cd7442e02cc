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

static uint64_t line_of(const struct fault *f)
{
	uint64_t line = 0;

	span_to_u64(fault_value(f, "line"), &line);
	return line;
}

struct fault *conf_error(struct conf_errors *errors, struct arena *a, const char *file, unsigned line,
	enum fault_code code)
{
	unsigned at = errors->n;
	struct fault *f;

	if (errors->n == CONF_ERRORS_MAX)
		return NULL;
	if (errors->n == 0)
		errors->v = arena_array(a, struct fault, CONF_ERRORS_MAX);
	while (at > 0 && line_of(&errors->v[at - 1]) > line)
		at--;
	f = &errors->v[at];
	memmove(f + 1, f, (errors->n - at) * sizeof(*f));
	errors->n++;
	fault_set(f, code);
	fault_fact(f, "file", "%.*s", SHOWN_MAX, file);
	fault_fact(f, "line", "%u", line);
	return f;
}

struct fault *report_fault(struct report *r, unsigned line, enum fault_code code)
{
	return conf_error(r->errors, r->a, r->file, line, code);
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

static bool syntax_known(const struct conf_errors *errors, unsigned line)
{
	for (unsigned i = 0; i < errors->n; i++)
		if (errors->v[i].code == FAULT_SETTINGS_SYNTAX && line_of(&errors->v[i]) == line)
			return true;
	return false;
}

void report_syntax(struct report *r, unsigned line, const char *text, struct span what)
{
	struct fault *f;

	if (syntax_known(r->errors, line))
		return;
	f = report_fault(r, line, FAULT_SETTINGS_SYNTAX);
	if (f)
		add_why(f, text, what);
}

void conf_error_value(struct conf_errors *errors, struct arena *a, const char *file, unsigned line, const char *path,
	struct span value, const char *why, const char *wanted)
{
	struct fault *f = conf_error(errors, a, file, line, FAULT_SETTINGS_BAD_VALUE);

	if (!f)
		return;
	fault_fact(f, "key", "%s", path);
	fault_fact(f, "value", "%.*s", SPAN_ARG(span_sub(value, 0, SHOWN_MAX)));
	add_why(f, why, value);
	fault_fact(f, "wanted", "%.*s", SPAN_ARG(report_half(wanted, FAULT_EN)));
	fault_fact(f, "wanted_de", "%.*s", SPAN_ARG(report_half(wanted, FAULT_DE)));
}

void report_value(struct report *r, unsigned line, const char *path, const struct conf_key *key, struct span value,
	const char *why)
{
	_cleanup_(buf_done) struct buf wanted = BUF_INIT(FAULT_TEXT_MAX);

	value_wanted(key, FAULT_EN, &wanted);
	buf_add_char(&wanted, '|');
	value_wanted(key, FAULT_DE, &wanted);
	conf_error_value(r->errors, r->a, r->file, line, path, value, why, buf_text(&wanted));
}
