/* What the files of conf/ share: faults of a text, tokens, values. */
#pragma once
#include "conf/conf.h"

/* ---- report.c: the faults of one text, kept in the order of its lines ---- */

struct report {
	const char *file;
	struct arena *a;
	struct conf_errors *errors;
};
/* A new fault at its place, with file and line; NULL if enough are kept. */
struct fault *report_fault(struct report *r, unsigned line, enum fault_code code);
/* SETTINGS-SYNTAX; text is "English|German", in both {} stands for what. Only the first of a line
 * is kept: the others are its echo. */
void report_syntax(struct report *r, unsigned line, const char *text, struct span what);
/* SETTINGS-BAD-VALUE; why is "English|German". */
void report_value(struct report *r, unsigned line, const char *path, const struct conf_key *key, struct span value,
	const char *why);
/* The half of "English|German" for lang. */
struct span report_half(const char *text, enum fault_lang lang);

/* ---- lex.c: tokens ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_BROKEN, /* a string with a fault that has been reported */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_COMMA,
};
struct token {
	enum token_kind kind;
	unsigned line;
	struct span text; /* a word or string: its value; else as written */
};
/* A value, so that a copy of it looks ahead. */
struct lexer {
	struct span rest;
	unsigned line;
	struct report *report;
};
void lexer_init(struct lexer *x, struct span text, struct report *report);
struct token lexer_next(struct lexer *x);

/* ---- value.c: text <-> typed value ---- */

/* One value (for a LIST: a list of one) into its place; NULL, or why not ("English|German"). */
const char *value_set(const struct conf_key *key, struct span text, void *place, struct arena *a);
/* One more element; growing doubles the array. value_too_long if no more may come. */
extern const char value_too_long[];
const char *value_add(const struct conf_key *key, struct span text, struct conf_list *list, struct arena *a);
/* All keys of the table and its sections to their presets, which must be right. */
void value_presets(const struct conf_key *keys, void *out, struct arena *a);
/* How a right value looks: "a duration such as 30s, 5m or 4h, from 1s to 1h". */
void value_wanted(const struct conf_key *key, enum fault_lang lang, struct buf *out);
