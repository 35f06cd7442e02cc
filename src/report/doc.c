/* Building a document, and printing it as text. */
#include "report/doc.h"
#include <stdarg.h>
#include <string.h>
#include "base/mem.h"
#include "report/doc_priv.h"

#define TEXT_MAX   16384
#define LINE_WIDTH 100
#define BAR_WIDTH  20

/* ---- building ---- */

static struct doc_block *add_block(struct doc *d, enum doc_kind kind)
{
	struct doc_block *b = arena_new(d->a, struct doc_block);

	b->kind = kind;
	b->last_row = &b->rows;
	*d->last = b;
	d->last = &b->next;
	d->block = b;
	return b;
}

static struct span format(struct doc *d, const char *fmt, va_list ap)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

	buf_vaddf(&text, fmt, ap);
	return arena_span(d->a, buf_span(&text));
}

void doc_init(struct doc *d, struct arena *a, struct span title, struct span subtitle)
{
	*d = (struct doc){ .a = a, .title = arena_span(a, title), .subtitle = arena_span(a, subtitle) };
	d->last = &d->first;
}

void doc_heading(struct doc *d, const char *text)
{
	add_block(d, DOC_HEADING)->text = arena_span(d->a, span_of(text));
}

void doc_paragraph(struct doc *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_block(d, DOC_PARAGRAPH)->text = format(d, fmt, ap);
	va_end(ap);
}

void doc_table(struct doc *d, const char *columns, const char *const *heads)
{
	struct doc_block *b = add_block(d, DOC_TABLE);

	b->columns_n = (unsigned)strlen(columns);
	must(b->columns_n <= DOC_COLUMNS_MAX);
	for (unsigned i = 0; i < b->columns_n; i++) {
		b->columns[i] = columns[i];
		b->heads[i] = heads ? arena_span(d->a, span_of(heads[i])) : (struct span){ 0 };
	}
	b->has_heads = heads != NULL;
}

void doc_row(struct doc *d)
{
	struct doc_row *r = arena_new(d->a, struct doc_row);

	must(d->block && d->block->kind == DOC_TABLE);
	*d->block->last_row = r;
	d->block->last_row = &r->next;
	d->block->row = r;
}

void doc_cell(struct doc *d, const char *fmt, ...)
{
	struct doc_row *r = d->block->row;
	va_list ap;

	must(r->n < d->block->columns_n);
	va_start(ap, fmt);
	r->cells[r->n++] = format(d, fmt, ap);
	va_end(ap);
}

unsigned doc_per_mille(struct span cell)
{
	uint64_t v = 0;

	return span_to_u64(cell, &v) == 0 && v <= 1000 ? (unsigned)v : 0;
}

/* ---- text ---- */

/* Columns on a terminal that a text takes: characters, as far as they are one wide. */
static size_t width_of(struct span text)
{
	size_t n = 0;

	while (text.n > 0) {
		size_t step = span_utf8(text);

		text = span_from(text, step ? step : 1);
		n++;
	}
	return n;
}

static void add_blanks(struct buf *out, size_t n)
{
	buf_addf(out, "%*s", (int)n, "");
}

/* Words, wrapped at LINE_WIDTH, each line indented; the first stands behind `used` columns
 * already. */
static void add_wrapped(struct buf *out, struct span text, size_t indent, size_t used)
{
	bool first = true;
	struct span word;

	while (span_cut(&text, ' ', &word)) {
		size_t width = width_of(word);

		if (!first && used + 1 + width > LINE_WIDTH) {
			buf_add_char(out, '\n');
			add_blanks(out, indent);
			used = indent;
		} else if (!first) {
			buf_add_char(out, ' ');
			used++;
		}
		buf_add_span(out, word);
		used += width;
		first = false;
	}
	buf_add_char(out, '\n');
}

static void add_bar(struct buf *out, unsigned per_mille)
{
	unsigned blocks = (per_mille * BAR_WIDTH + 999) / 1000;

	for (unsigned i = 0; i < blocks; i++)
		buf_add_text(out, "█");
}

static size_t cell_width(const struct doc_block *b, unsigned column, struct span cell)
{
	return b->columns[column] == 'b' ? BAR_WIDTH : width_of(cell);
}

static void measure(const struct doc_block *b, size_t widths[DOC_COLUMNS_MAX])
{
	for (unsigned i = 0; i < b->columns_n; i++)
		widths[i] = width_of(b->heads[i]);
	for (const struct doc_row *r = b->rows; r; r = r->next)
		for (unsigned i = 0; i < r->n; i++)
			if (cell_width(b, i, r->cells[i]) > widths[i])
				widths[i] = cell_width(b, i, r->cells[i]);
}

/* The columns of a row but the long ones; no blanks at its end. */
static void add_cells(struct buf *out, const struct doc_block *b, const struct span *cells, unsigned n, bool head,
	const size_t widths[DOC_COLUMNS_MAX])
{
	size_t owed = 2;

	for (unsigned i = 0; i < n && b->columns[i] != 'w'; i++) {
		size_t width = head ? width_of(cells[i]) : cell_width(b, i, cells[i]);
		size_t blanks = widths[i] - width;

		if (b->columns[i] == 'b' && !head) {
			add_blanks(out, owed);
			add_bar(out, doc_per_mille(cells[i]));
			continue;
		}
		if (b->columns[i] == 'r')
			owed += blanks;
		if (cells[i].n > 0) {
			add_blanks(out, owed);
			owed = 0;
		} else {
			owed += width;
		}
		buf_add_span(out, cells[i]);
		owed += 2 + (b->columns[i] == 'r' ? 0 : blanks);
	}
	buf_add_char(out, '\n');
}

static void add_long_cells(struct buf *out, const struct doc_block *b, const struct doc_row *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (b->columns[i] != 'w' || r->cells[i].n == 0)
			continue;
		add_blanks(out, 6);
		if (b->heads[i].n > 0)
			buf_addf(out, "%.*s: ", SPAN_ARG(b->heads[i]));
		add_wrapped(out, r->cells[i], 8, 6 + (b->heads[i].n > 0 ? width_of(b->heads[i]) + 2 : 0));
	}
}

static void add_table(struct buf *out, const struct doc_block *b)
{
	size_t widths[DOC_COLUMNS_MAX] = { 0 };

	measure(b, widths);
	if (b->has_heads)
		add_cells(out, b, b->heads, b->columns_n, true, widths);
	for (const struct doc_row *r = b->rows; r; r = r->next) {
		add_cells(out, b, r->cells, r->n, false, widths);
		add_long_cells(out, b, r);
	}
}

void doc_print_text(const struct doc *d, const char *bold, const char *plain, struct buf *out)
{
	buf_addf(out, "%s%.*s%s\n", bold, SPAN_ARG(d->title), plain);
	if (d->subtitle.n > 0)
		buf_addf(out, "%.*s\n", SPAN_ARG(d->subtitle));
	for (const struct doc_block *b = d->first; b; b = b->next)
		switch (b->kind) {
		case DOC_HEADING:
			buf_addf(out, "\n%s%.*s%s\n", bold, SPAN_ARG(b->text), plain);
			break;
		case DOC_PARAGRAPH:
			add_blanks(out, 2);
			add_wrapped(out, b->text, 2, 2);
			break;
		case DOC_TABLE:
			add_table(out, b);
			break;
		}
}
