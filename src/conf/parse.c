/*
 * From text to the schema's struct, with every fault of the text in one run.
 *
 * The grammar is libconfuse's as far as people use it. The library itself is not taken: it stops
 * at its first error in grammar, drops an unknown name before anybody could say which it was,
 * lets the second of two equal keys or sections win in silence, expands ${NAME} from the
 * environment, takes what follows // in an unquoted URL for a comment, and keeps its scanner in
 * globals, while domains are parsed by several threads.
 *
 *   body  = { item }
 *   item  = name "=" value | name [ title ] "{" body "}"
 *   value = word | string | "{" [ value { "," value } [ "," ] ] "}"
 *
 * One token of look-ahead, one function a rule. After a fault the parser goes on where the next
 * item most likely begins, so that one mistake costs one message:
 *   - a missing "=" or "," is taken as written when a value follows it;
 *   - a value that is missing ends with its line;
 *   - a list that runs into "name =" ends there;
 *   - a section in which a section of the table outside begins ends there;
 *   - an unknown key is passed over with its value, an unknown section with all it holds.
 *
 * Recursion is as deep as the schema (CONF_DEPTH_MAX), never as deep as the text.
 */
#include "conf/conf_priv.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/fmt.h"
#include "base/map.h"
#include "base/mem.h"

#define KNOWN_MAX 400

/* One table while its section is read. */
struct scope {
	const struct conf_key *keys;
	void *out;
	struct span name;
	unsigned line; /* where the section begins */
	const struct scope *outer;
	unsigned seen[CONF_KEYS_MAX]; /* the line of the first; 0: not yet */
};
struct parser {
	struct lexer lex;
	struct token t; /* the next one, not yet taken */
	struct report report;
	struct arena *a;
};

static void parse_body(struct parser *p, struct scope *s);

static struct token take(struct parser *p)
{
	struct token taken = p->t;

	p->t = lexer_next(&p->lex);
	return taken;
}

static bool is_value(enum token_kind kind)
{
	return kind == TOKEN_WORD || kind == TOKEN_STRING || kind == TOKEN_BROKEN;
}

/* The next token is a name with its "=": the item before it has ended. */
static bool at_assignment(const struct parser *p)
{
	struct lexer ahead = p->lex;

	return p->t.kind == TOKEN_WORD && lexer_next(&ahead).kind == TOKEN_EQUALS;
}

/* The next token is "{": passes over all up to its "}". */
static void skip_braces(struct parser *p)
{
	unsigned line = p->t.line;
	unsigned long depth = 0;

	do {
		if (p->t.kind == TOKEN_END) {
			report_syntax(&p->report, line, "this {} is never closed|diese {} wird nie geschlossen",
				SPAN("{"));
			return;
		}
		if (p->t.kind == TOKEN_OPEN)
			depth++;
		else if (p->t.kind == TOKEN_CLOSE)
			depth--;
		take(p);
	} while (depth > 0);
}

/* Passes over the rest of the line, but not over the end of the section. */
static void skip_line(struct parser *p, unsigned line)
{
	while (p->t.line == line && p->t.kind != TOKEN_CLOSE && p->t.kind != TOKEN_END)
		if (p->t.kind == TOKEN_OPEN)
			skip_braces(p);
		else
			take(p);
}

static const struct conf_key *find_key(const struct conf_key *keys, struct span name)
{
	for (; keys->name; keys++)
		if (span_eq(name, span_of(keys->name)))
			return keys;
	return NULL;
}

/* "web.listen": for people. */
static void key_path(const struct scope *s, const char *name, char ret[CONF_PATH_MAX])
{
	size_t n = 0;

	if (s->outer) {
		key_path(s->outer, "", ret);
		n = strlen(ret);
		n += (size_t)snprintf(ret + n, CONF_PATH_MAX - n, "%.*s.", SPAN_ARG(s->name));
	}
	if (n < CONF_PATH_MAX)
		snprintf(ret + n, CONF_PATH_MAX - n, "%s", name);
}

/* ---- unknown keys ---- */

/* The key of the table that name was probably meant to be, or NULL. */
static const struct conf_key *nearest_key(const struct conf_key *keys, struct span name)
{
	/* One mistake in three letters. */
	unsigned least = (name.n < 3 ? 1 : (unsigned)name.n / 3) + 1;
	const struct conf_key *nearest = NULL;

	for (; keys->name; keys++) {
		unsigned far = fmt_distance(name, span_of(keys->name));

		if (far < least) {
			least = far;
			nearest = keys;
		}
	}
	return nearest;
}

/* The same in the sections of the table, as "web { listen }". */
static bool nearest_inside(const struct conf_key *keys, struct span name, struct buf *out)
{
	for (; keys->name; keys++) {
		const struct conf_key *nearest;

		if (!keys->inner)
			continue;
		nearest = nearest_key(keys->inner, name);
		if (nearest) {
			buf_addf(out, "%s { %s }", keys->name, nearest->name);
			return true;
		}
	}
	return false;
}

static void report_unknown(struct parser *p, const struct scope *s, const struct token *name)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(KNOWN_MAX);
	const struct conf_key *nearest = nearest_key(s->keys, name->text);
	const struct scope *top = s;
	char path[CONF_PATH_MAX];
	struct fault *f;
	bool found;

	while (top->outer)
		top = top->outer;
	if (nearest)
		buf_add_text(&text, nearest->name);
	found = nearest || nearest_inside(top->keys, name->text, &text);
	f = report_fault(&p->report, name->line, found ? FAULT_SETTINGS_UNKNOWN_KEY : FAULT_SETTINGS_NO_SUCH_KEY);
	if (!f)
		return;
	for (const struct conf_key *key = s->keys; !found && key->name; key++)
		buf_addf(&text, "%s%s", key == s->keys ? "" : ", ", key->name);
	key_path(s, "", path);
	fault_fact(f, "key", "%s%.*s", path, SPAN_ARG(span_sub(name->text, 0, CONF_PATH_MAX)));
	fault_fact(f, found ? "nearest" : "known", "%s", buf_text(&text));
}

/* Passes over what belongs to an unknown key. */
static void skip_item(struct parser *p, unsigned line)
{
	if (p->t.line == line && p->t.kind == TOKEN_EQUALS)
		take(p);
	if (p->t.line == line && is_value(p->t.kind) && !at_assignment(p))
		take(p);
	if (p->t.kind == TOKEN_OPEN)
		skip_braces(p);
}

/* ---- values ---- */

static void parse_list(struct parser *p, const struct scope *s, const struct conf_key *key, struct conf_list *list)
{
	unsigned line = take(p).line; /* its "{" */
	char path[CONF_PATH_MAX];
	bool full = false;

	key_path(s, key->name, path);
	*list = (struct conf_list){ .line = line };
	while (p->t.kind != TOKEN_CLOSE) {
		struct token value = p->t;
		const char *why;

		if (!is_value(value.kind) || at_assignment(p)) {
			report_syntax(&p->report, value.kind == TOKEN_COMMA ? value.line : line,
				value.kind == TOKEN_COMMA ? "a value is missing before this comma|"
							    "vor diesem Komma fehlt ein Wert"
							  : "the list of {} is not closed with }|"
							    "die Liste von {} ist nicht mit } geschlossen",
				span_of(path));
			if (value.kind != TOKEN_COMMA)
				return;
			take(p);
			continue;
		}
		take(p);
		why = value.kind == TOKEN_BROKEN ? NULL : value_add(key, value.text, list, p->a);
		/* Once is enough for all that are too many. */
		if (why && !(full && why == value_too_long))
			report_value(&p->report, value.line, path, key, value.text, why);
		full |= why == value_too_long;
		if (p->t.kind == TOKEN_COMMA)
			take(p);
		else if (is_value(p->t.kind) && !at_assignment(p))
			report_syntax(&p->report, value.line,
				"after \"{}\" a comma is missing|nach \"{}\" fehlt ein Komma", value.text);
	}
	take(p);
}

/* The next token begins the value. */
static void parse_value(struct parser *p, const struct scope *s, const struct conf_key *key)
{
	void *place = (char *)s->out + key->at;
	char path[CONF_PATH_MAX];
	struct token value = p->t;
	const char *why;

	key_path(s, key->name, path);
	if (value.kind == TOKEN_OPEN && key->type == CONF_LIST) {
		parse_list(p, s, key, place);
	} else if (value.kind == TOKEN_OPEN) {
		report_value(&p->report, value.line, path, key, SPAN("{"),
			"one value is wanted, not a list|ein Wert wird erwartet, keine Liste");
		skip_braces(p);
	} else {
		take(p);
		why = value.kind == TOKEN_BROKEN ? NULL : value_set(key, value.text, place, p->a);
		if (why)
			report_value(&p->report, value.line, path, key, value.text, why);
		else if (key->type == CONF_LIST)
			((struct conf_list *)place)->line = value.line;
	}
}

static void parse_assignment(struct parser *p, const struct scope *s, const struct conf_key *key, unsigned line)
{
	struct span name = span_of(key->name);
	bool equals = p->t.kind == TOKEN_EQUALS;

	if (equals)
		line = take(p).line;
	if ((p->t.line == line && is_value(p->t.kind)) || p->t.kind == TOKEN_OPEN) {
		if (!equals)
			report_syntax(&p->report, line, "the = after \"{}\" is missing|nach \"{}\" fehlt das =", name);
		parse_value(p, s, key);
		return;
	}
	report_syntax(&p->report, line,
		"the value of \"{}\" is missing (it begins on the same line)|"
		"der Wert von \"{}\" fehlt (er beginnt auf derselben Zeile)",
		name);
	skip_line(p, line);
}

/* ---- sections ---- */

/* The braces and what is in them into out. */
static void parse_section(struct parser *p, const struct scope *outer, const struct conf_key *key, void *out,
	unsigned line)
{
	struct scope s = {
		.keys = key->inner,
		.out = out,
		.name = span_of(key->name),
		.line = line,
		.outer = outer,
	};

	if (p->t.kind != TOKEN_OPEN) {
		report_syntax(&p->report, line, "the { after \"{}\" is missing|nach \"{}\" fehlt die {", s.name);
		skip_line(p, line);
		return;
	}
	take(p);
	parse_body(p, &s);
}

/* Room for one more; full whenever n is a power of two. */
static void grow_sections(struct conf_sections *all, size_t size, struct arena *a)
{
	unsigned room = all->n ? all->n * 2 : 1;
	struct conf_sections grown = { .n = all->n };

	if (all->n & (all->n - 1))
		return;
	grown.v = arena_zalloc(a, room, size);
	grown.titles = arena_array(a, struct span, room);
	grown.lines = arena_array(a, unsigned, room);
	if (all->n) {
		memcpy(grown.v, all->v, all->n * size);
		memcpy(grown.titles, all->titles, all->n * sizeof(*all->titles));
		memcpy(grown.lines, all->lines, all->n * sizeof(*all->lines));
	}
	*all = grown;
}

static void parse_titled(struct parser *p, const struct scope *s, const struct conf_key *key, unsigned line)
{
	struct conf_sections *all = (struct conf_sections *)((char *)s->out + key->at);
	struct span title = { "", 0 };
	const char *why;
	void *out;

	if (p->t.line != line || !is_value(p->t.kind)) {
		report_syntax(&p->report, line, "the title after \"{}\" is missing|nach \"{}\" fehlt der Titel",
			span_of(key->name));
	} else {
		bool broken = p->t.kind == TOKEN_BROKEN;

		title = arena_span(p->a, take(p).text);
		why = key->judge && !broken ? key->judge(title) : NULL;
		if (why)
			report_value(&p->report, line, key->name, key, title, why);
	}
	grow_sections(all, key->inner_size, p->a);
	out = (char *)all->v + all->n * key->inner_size;
	all->titles[all->n] = title;
	all->lines[all->n] = line;
	all->n++;
	value_presets(key->inner, out, p->a);
	parse_section(p, s, key, out, line);
}

static void report_twice(struct parser *p, unsigned line, unsigned first, const char *what, struct span title)
{
	struct fault *f = report_fault(&p->report, line, FAULT_SETTINGS_TWICE);

	if (!f)
		return;
	if (title.n)
		fault_fact(f, "key", "%s \"%.*s\"", what, SPAN_ARG(span_sub(title, 0, CONF_PATH_MAX)));
	else
		fault_fact(f, "key", "%s", what);
	fault_fact(f, "first", "%u", first);
}

/* Titles that stand twice; empty ones are faults already. */
static void check_titles(struct parser *p, const struct conf_key *key, const struct conf_sections *all)
{
	_cleanup_(map_done) struct map first;

	map_init(&first);
	for (unsigned i = 0; i < all->n; i++) {
		unsigned *line = map_find(&first, all->titles[i]);

		if (all->titles[i].n == 0)
			continue;
		if (line)
			report_twice(p, all->lines[i], *line, key->name, all->titles[i]);
		else
			map_put(&first, all->titles[i], &all->lines[i]);
	}
}

static void parse_item(struct parser *p, struct scope *s)
{
	struct token name = take(p);
	const struct conf_key *key = find_key(s->keys, name.text);
	char path[CONF_PATH_MAX];
	unsigned *first;

	if (!key) {
		report_unknown(p, s, &name);
		skip_item(p, name.line);
		return;
	}
	first = &s->seen[key - s->keys];
	if (*first && key->type != CONF_TITLED) {
		key_path(s, key->name, path);
		report_twice(p, name.line, *first, path, (struct span){ NULL, 0 });
	} else {
		*first = name.line;
	}
	if (!key->inner) {
		parse_assignment(p, s, key, name.line);
		return;
	}
	if (p->t.kind == TOKEN_EQUALS) {
		report_syntax(&p->report, name.line,
			"no = stands after the name of the section \"{}\"|"
			"nach dem Namen des Abschnitts \"{}\" steht kein =",
			name.text);
		take(p);
	}
	if (key->type == CONF_TITLED)
		parse_titled(p, s, key, name.line);
	else
		parse_section(p, s, key, (char *)s->out + key->at, name.line);
}

/* The next word begins a section of a table further out: the } of this one is missing. */
static bool at_outer_section(const struct parser *p, const struct scope *s)
{
	const struct conf_key *key;

	if (find_key(s->keys, p->t.text))
		return false;
	for (s = s->outer; s; s = s->outer) {
		key = find_key(s->keys, p->t.text);
		if (key && key->inner)
			return true;
	}
	return false;
}

/* True once the section has ended; its } is taken. */
static bool ends_body(struct parser *p, const struct scope *s)
{
	if (p->t.kind == TOKEN_CLOSE) {
		unsigned line = take(p).line;

		if (!s->outer)
			report_syntax(&p->report, line, "this {} closes nothing|diese {} schließt nichts", SPAN("}"));
		return s->outer;
	}
	if (p->t.kind != TOKEN_END && !(p->t.kind == TOKEN_WORD && at_outer_section(p, s)))
		return false;
	if (s->outer)
		report_syntax(&p->report, s->line,
			"the section \"{}\" is not closed with }|"
			"der Abschnitt \"{}\" ist nicht mit } geschlossen",
			s->name);
	return true;
}

static void parse_body(struct parser *p, struct scope *s)
{
	while (!ends_body(p, s)) {
		if (p->t.kind == TOKEN_WORD) {
			parse_item(p, s);
			continue;
		}
		report_syntax(&p->report, p->t.line,
			"the name of a setting is wanted here, not \"{}\"|"
			"hier wird der Name einer Einstellung erwartet, nicht \"{}\"",
			p->t.text);
		skip_line(p, p->t.line);
	}
	for (const struct conf_key *key = s->keys; key->name; key++)
		if (key->type == CONF_TITLED)
			check_titles(p, key, (struct conf_sections *)((char *)s->out + key->at));
}

/* What a schema must keep to; a breach is an error of ours. */
static void check_schema(const struct conf_key *keys, unsigned depth)
{
	unsigned n = 0;

	must(depth <= CONF_DEPTH_MAX);
	for (; keys->name; keys++, n++)
		if (keys->inner)
			check_schema(keys->inner, depth + 1);
	must(n <= CONF_KEYS_MAX);
}

int conf_parse(struct span text, const char *file, const struct conf_key *keys, void *ret, struct arena *a,
	struct conf_errors *errors)
{
	struct parser p = { .report = { .file = file, .a = a, .errors = errors }, .a = a };
	struct scope top = { .keys = keys, .out = ret, .line = 1 };

	*errors = (struct conf_errors){ NULL, 0 };
	check_schema(keys, 1);
	value_presets(keys, ret, a);
	if (text.n > CONF_BYTES_MAX) {
		report_syntax(&p.report, 1, "it is larger than 64 MiB|sie ist größer als 64 MiB", text);
		return -EINVAL;
	}
	lexer_init(&p.lex, text, &p.report);
	take(&p);
	parse_body(&p, &top);
	return errors->n ? -EINVAL : 0;
}
