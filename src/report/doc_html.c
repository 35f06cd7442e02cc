/*
 * A document as an HTML page: one file, no scripts, nothing from elsewhere (its
 * Content-Security-Policy says so to the browser), made for A4 paper as well as for the screen:
 * heads of tables are repeated on each page, rows are not torn apart.
 */
#include "base/mem.h"
#include "report/doc_priv.h"

static const char style[] =
	"@page{size:A4;margin:18mm 15mm}"
	"body{font:10.5pt/1.45 system-ui,-apple-system,'Segoe UI','Liberation Sans',Arial,sans-serif;color:#1a1a1a;"
	"max-width:60em;margin:2em auto;padding:0 1em}"
	"h1{font-size:1.6em;margin:0}"
	"h2{font-size:1.15em;margin:1.8em 0 .4em;border-bottom:1px solid #999;padding-bottom:.15em;break-after:avoid}"
	".sub{color:#555;margin:.2em 0 1.5em}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;vertical-align:top;padding:.25em .6em .25em 0;overflow-wrap:anywhere}"
	"thead{display:table-header-group}"
	"th{font-weight:600;color:#555;font-size:.85em;border-bottom:1px solid #ccc}"
	"tbody tr.row td{border-top:1px solid #e6e6e6}"
	"tr{break-inside:avoid}"
	"tr.row:has(+tr.more){break-after:avoid}"
	"td.r,th.r{text-align:right;white-space:nowrap;padding-right:1.4em}"
	"td.name{width:32%;color:#555}"
	"tr.more td{padding-left:1.5em;padding-top:0}"
	"tr.more span{color:#555}"
	"td.bar{width:25%;min-width:6em}"
	"td.bar div{background:#3d6b99;height:.8em;margin-top:.3em;"
	"-webkit-print-color-adjust:exact;print-color-adjust:exact}"
	"@media print{body{margin:0;max-width:none;padding:0}}";

static void add_escaped(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '&':
			buf_add_text(out, "&amp;");
			break;
		case '<':
			buf_add_text(out, "&lt;");
			break;
		case '>':
			buf_add_text(out, "&gt;");
			break;
		case '"':
			buf_add_text(out, "&quot;");
			break;
		case '\'':
			buf_add_text(out, "&#39;");
			break;
		default:
			buf_add_char(out, text.p[i]);
		}
}

/* <tag>text</tag> */
static void add_element(struct buf *out, const char *tag, const char *attributes, struct span text)
{
	buf_addf(out, "<%s%s>", tag, attributes);
	add_escaped(out, text);
	buf_addf(out, "</%s>", tag);
}

static void add_heads(struct buf *out, const struct doc_block *b)
{
	buf_add_text(out, "<thead><tr>");
	for (unsigned i = 0; i < b->columns_n && b->columns[i] != 'w'; i++)
		add_element(out, "th", b->columns[i] == 'r' ? " class=\"r\"" : "", b->heads[i]);
	buf_add_text(out, "</tr></thead>\n");
}

static void add_cell(struct buf *out, const struct doc_block *b, unsigned i, struct span cell)
{
	if (b->columns[i] == 'b')
		buf_addf(out, "<td class=\"bar\"><div style=\"width:%u.%u%%\"></div></td>", doc_per_mille(cell) / 10,
			doc_per_mille(cell) % 10);
	else
		add_element(out, "td",
			b->columns[i] == 'r'              ? " class=\"r\""
				: !b->has_heads && i == 0 ? " class=\"name\""
							  : "",
			cell);
}

static unsigned short_columns(const struct doc_block *b)
{
	unsigned n = 0;

	while (n < b->columns_n && b->columns[n] != 'w')
		n++;
	return n;
}

static void add_row(struct buf *out, const struct doc_block *b, const struct doc_row *r)
{
	unsigned columns = short_columns(b);

	buf_add_text(out, "<tr class=\"row\">");
	for (unsigned i = 0; i < r->n && i < columns; i++)
		add_cell(out, b, i, r->cells[i]);
	buf_add_text(out, "</tr>\n");
	for (unsigned i = columns; i < r->n; i++) {
		if (r->cells[i].n == 0)
			continue;
		buf_addf(out, "<tr class=\"more\"><td colspan=\"%u\">", columns);
		if (b->heads[i].n > 0) {
			add_element(out, "span", "", b->heads[i]);
			buf_add_text(out, ": ");
		}
		add_escaped(out, r->cells[i]);
		buf_add_text(out, "</td></tr>\n");
	}
}

static void add_table(struct buf *out, const struct doc_block *b)
{
	buf_add_text(out, "<table>\n");
	if (b->has_heads)
		add_heads(out, b);
	buf_add_text(out, "<tbody>\n");
	for (const struct doc_row *r = b->rows; r; r = r->next)
		add_row(out, b, r);
	buf_add_text(out, "</tbody></table>\n");
}

static void add_block(struct buf *out, const struct doc_block *b)
{
	switch (b->kind) {
	case DOC_HEADING:
		add_element(out, "h2", "", b->text);
		buf_add_char(out, '\n');
		break;
	case DOC_PARAGRAPH:
		add_element(out, "p", "", b->text);
		buf_add_char(out, '\n');
		break;
	case DOC_TABLE:
		add_table(out, b);
		break;
	}
}

void doc_print_html(const struct doc *d, enum fault_lang lang, struct buf *out)
{
	buf_addf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		lang == FAULT_DE ? "de" : "en");
	buf_add_text(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n");
	add_element(out, "title", "", d->title);
	buf_addf(out, "\n<style>%s</style>\n</head>\n<body>\n", style);
	add_element(out, "h1", "", d->title);
	buf_add_char(out, '\n');
	if (d->subtitle.n > 0)
		add_element(out, "p", " class=\"sub\"", d->subtitle);
	buf_add_char(out, '\n');
	for (const struct doc_block *b = d->first; b; b = b->next)
		add_block(out, b);
	buf_add_text(out, "</body>\n</html>\n");
}
