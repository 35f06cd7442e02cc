/*
 * A document for people: headings, paragraphs and tables, built once in the user's language and
 * then printed as text for the terminal or as an HTML page for the browser and the printer.
 *
 * The page is one file without scripts, pictures and foreign hosts; every value in it is escaped.
 * Everything that is given is copied to the document's arena.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"

#define DOC_COLUMNS_MAX 8

struct doc_block;
struct doc {
	struct arena *a;
	struct span title, subtitle;
	struct doc_block *first, **last, *block; /* block: the newest */
};
/* subtitle may be empty. */
void doc_init(struct doc *d, struct arena *a, struct span title, struct span subtitle);
void doc_heading(struct doc *d, const char *text);
void doc_paragraph(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Begins a table; rows follow with doc_row(), their cells with doc_cell(), column by column.
 * columns has a letter for each:
 *   l text, r a number (to the right), b a bar (its cells hold a number from 0 to 1000), w a long
 *   text, which stands in a line of its own below its row; w columns come last.
 * heads: a text for each column, those of b and w "" or a word before the text; NULL: a table
 * without heads (names and values).
 */
void doc_table(struct doc *d, const char *columns, const char *const *heads);
void doc_row(struct doc *d);
void doc_cell(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For a terminal; bold and plain: the escapes for headings, "" without. */
void doc_print_text(const struct doc *d, const char *bold, const char *plain, struct buf *out);
void doc_print_html(const struct doc *d, enum fault_lang lang, struct buf *out);
