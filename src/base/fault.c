/*
 * Faults: codes, evidence, and the sentences filled with it.
 *
 * Evidence lives in the fault's own text, one value behind the other, made safe when it
 * is added; a value added again under the same name replaces the old one for readers.
 * A sentence's {name} is a lower-case word with underscores; any other brace is text.
 * Between backquotes stands a command that people copy into their shell: what a peer chose
 * (an address may hold $, | and backquotes) is one quoted word there.
 */
#include "base/fault.h"
#include <errno.h>
#include <stdio.h>
#include "base/fmt.h"
#include "base/mem.h"

struct row {
	const char *code;
	const char *cause[2], *remedy[2]; /* by enum fault_lang */
};

static const struct row rows[FAULT_COUNT] = {
	[FAULT_NONE] = { "NONE", { "", "" }, { "", "" } },
#define FAULT(id, code, cause_en, cause_de, remedy_en, remedy_de) \
	[FAULT_##id] = { code, { cause_en, cause_de }, { remedy_en, remedy_de } },
#include "base/fault.tbl.h"
#undef FAULT
};

void fault_clear(struct fault *f)
{
	fault_set(f, FAULT_NONE);
}

void fault_set(struct fault *f, enum fault_code code)
{
	if (!f)
		return;
	must(code < FAULT_COUNT);
	f->code = code;
	f->facts = 0;
	f->used = 0;
}

/* The index of the fact of that name, or f->facts. */
static unsigned fact_index(const struct fault *f, struct span name)
{
	unsigned i = 0;

	while (i < f->facts && !span_eq(span_of(f->fact[i].name), name))
		i++;
	return i;
}

void fault_fact(struct fault *f, const char *name, const char *fmt, ...)
{
	char value[FAULT_TEXT_MAX + 1];
	va_list ap;
	unsigned i;
	int n;

	if (!f)
		return;
	i = fact_index(f, span_of(name));
	if (i == FAULT_FACTS_MAX)
		return;
	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	f->fact[i].name = name;
	f->fact[i].at = f->used;
	f->fact[i].n = (uint16_t)fmt_safe(span_sub(span_of(value), 0, (size_t)n), "", f->text + f->used,
		sizeof(f->text) - f->used);
	f->used += f->fact[i].n;
	if (i == f->facts)
		f->facts++;
}

static struct span fact_value(const struct fault *f, unsigned i)
{
	return span_make(f->text + f->fact[i].at, f->fact[i].n);
}

struct span fault_value(const struct fault *f, const char *name)
{
	unsigned i = f ? fact_index(f, span_of(name)) : 0;

	return f && i < f->facts ? fact_value(f, i) : (struct span){ NULL, 0 };
}

void fault_pack(const struct fault *f, struct buf *out)
{
	buf_addf(out, "%s\n", fault_code_text(f->code));
	for (unsigned i = 0; i < f->facts; i++)
		buf_addf(out, "%s=%.*s\n", f->fact[i].name, SPAN_ARG(fact_value(f, i)));
}

/* Names are those of {places}. */
static bool is_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !ascii_digit(name.p[i]) && name.p[i] != '_')
			return false;
	return name.n > 0;
}

int fault_unpack(struct span text, struct arena *a, struct fault *ret)
{
	struct span line = { 0 }, name;

	fault_clear(ret);
	span_cut(&text, '\n', &line);
	fault_set(ret, fault_code_find(line));
	while (ret->code != FAULT_NONE && span_cut(&text, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (!span_cut(&line, '=', &name) || !line.p || !is_name(name))
			fault_clear(ret);
		else
			fault_fact(ret, arena_text(a, name), "%.*s", SPAN_ARG(line));
	}
	return ret->code == FAULT_NONE ? -EINVAL : 0;
}

const char *fault_code_text(enum fault_code code)
{
	must(code < FAULT_COUNT);
	return rows[code].code;
}

enum fault_code fault_code_find(struct span text)
{
	for (unsigned i = FAULT_NONE + 1; i < FAULT_COUNT; i++)
		if (span_eq_nocase(text, span_of(rows[i].code)))
			return i;
	return FAULT_NONE;
}

enum fault_code fault_code_nearest(struct span text)
{
	enum fault_code nearest = FAULT_NONE + 1;
	unsigned least = ~0u;
	char upper[64];

	text = span_sub(text, 0, sizeof(upper));
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c == '_' ? '-' : c;
	}
	for (unsigned i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
		unsigned far = fmt_distance(span_make(upper, text.n), span_of(rows[i].code));

		if (far < least) {
			least = far;
			nearest = i;
		}
	}
	return nearest;
}

/* The name in the braces that s begins with; empty if that is not what stands there. */
static struct span place_name(struct span s)
{
	size_t n = 1;

	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_'))
		n++;
	return n < s.n && s.p[n] == '}' ? span_sub(s, 1, n - 1) : (struct span){ NULL, 0 };
}

/* The index of the evidence for {name} in that language, or f->facts. */
static unsigned fact_index_in(const struct fault *f, struct span name, enum fault_lang lang)
{
	char german[64];
	unsigned i;
	int n;

	if (lang == FAULT_DE && name.n > 0 && name.n < sizeof(german) - 3) {
		n = snprintf(german, sizeof(german), "%.*s_de", SPAN_ARG(name));
		i = fact_index(f, span_make(german, (size_t)n));
		if (i < f->facts)
			return i;
	}
	return fact_index(f, name);
}

/* Is it one word to a shell, and nothing else? */
static bool is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i], lower = (unsigned char)ascii_lower(s.p[i]);

		if (c < 0x80 && !ascii_digit((char)c) && !(lower >= 'a' && lower <= 'z') && !strchr("@%+=:,./_-", c))
			return false;
	}
	return s.n > 0;
}

static void add_word(struct buf *out, struct span s)
{
	if (is_word(s)) {
		buf_add_span(out, s);
		return;
	}
	buf_add_char(out, '\'');
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			buf_add_text(out, "'\\''");
		else
			buf_add_char(out, s.p[i]);
	buf_add_char(out, '\'');
}

static bool has_odd_backquotes(struct span s)
{
	bool odd = false;

	for (size_t i = 0; i < s.n; i++)
		odd ^= s.p[i] == '`';
	return odd;
}

static void fill(const struct fault *f, const char *sentence, enum fault_lang lang, struct buf *out)
{
	struct span s = span_of(sentence), name;
	bool in_command = false;
	ptrdiff_t at;
	unsigned i;

	while ((at = span_index(s, '{')) >= 0) {
		buf_add(out, s.p, (size_t)at);
		in_command ^= has_odd_backquotes(span_sub(s, 0, (size_t)at));
		s = span_from(s, (size_t)at);
		name = place_name(s);
		i = fact_index_in(f, name, lang);
		if (name.n == 0)
			buf_add_char(out, '{');
		else if (i < f->facts && in_command)
			add_word(out, fact_value(f, i));
		else if (i < f->facts)
			buf_add_span(out, fact_value(f, i));
		else
			buf_addf(out, "<%.*s>", SPAN_ARG(name));
		s = span_from(s, name.n ? name.n + 2 : 1);
	}
	buf_add_span(out, s);
}

void fault_cause(const struct fault *f, enum fault_lang lang, struct buf *out)
{
	fill(f, rows[f->code].cause[lang], lang, out);
}

void fault_remedy(const struct fault *f, enum fault_lang lang, struct buf *out)
{
	fill(f, rows[f->code].remedy[lang], lang, out);
}

void fault_print(const struct fault *f, enum fault_lang lang, struct buf *out)
{
	buf_add_text(out, lang == FAULT_DE ? "  Ursache: " : "  cause:  ");
	fault_cause(f, lang, out);
	buf_add_text(out, lang == FAULT_DE ? "\n  Abhilfe: " : "\n  remedy: ");
	fault_remedy(f, lang, out);
	buf_add_char(out, '\n');
}

enum fault_lang fault_lang_of(const char *locale)
{
	struct span s = span_of(locale);

	if (!span_starts_nocase(s, SPAN("de")))
		return FAULT_EN;
	return s.n == 2 || strchr("_-.@", s.p[2]) ? FAULT_DE : FAULT_EN;
}

static void sentence(struct jsonw *j, const char *key,
	void (*write)(const struct fault *, enum fault_lang, struct buf *), const struct fault *f, enum fault_lang lang)
{
	struct buf text = BUF_INIT(4 * FAULT_TEXT_MAX);

	write(f, lang, &text);
	jsonw_span(j, key, buf_span(&text));
	buf_done(&text);
}

void fault_json(struct jsonw *j, const char *key, const struct fault *f)
{
	jsonw_object(j, key);
	jsonw_text(j, "code", fault_code_text(f->code));
	sentence(j, "cause", fault_cause, f, FAULT_EN);
	sentence(j, "remedy", fault_remedy, f, FAULT_EN);
	sentence(j, "cause_de", fault_cause, f, FAULT_DE);
	sentence(j, "remedy_de", fault_remedy, f, FAULT_DE);
	jsonw_object(j, "facts");
	for (unsigned i = 0; i < f->facts; i++)
		jsonw_span(j, f->fact[i].name, fault_value(f, f->fact[i].name));
	jsonw_end(j);
	jsonw_end(j);
}
