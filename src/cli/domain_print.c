/* Tables, differences and JSON of domains. */
#include "cli/domain_print.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"

#define COLUMN_MAX 40
#define CELL_MAX   600

/* ---- table ---- */

/* "first +N" */
static void add_more(struct buf *cell, unsigned n)
{
	if (n == 0)
		buf_add_char(cell, '-');
	else if (n > 1)
		buf_addf(cell, " +%u", n - 1);
}

enum column { COLUMN_NAME, COLUMN_WEB, COLUMN_ORIGIN, COLUMN_PRESET, COLUMN_MAIL, COLUMNS };

static const char *preset_text(const struct domain *d)
{
	const struct conf_key *key = domain_keys;

	while (key->type != CONF_ENUM)
		key++;
	return key->choices[d->preset];
}

static void fill_cells(const struct domain *d, struct buf cells[COLUMNS])
{
	for (unsigned i = 0; i < COLUMNS; i++)
		buf_reset(&cells[i]);
	buf_add_span(&cells[COLUMN_NAME], d->name);
	if (d->web_n > 0)
		buf_add_span(&cells[COLUMN_WEB], d->web[0]);
	add_more(&cells[COLUMN_WEB], d->web_n);
	if (d->origin_n > 0)
		origin_spec_print(&d->origin[0], &cells[COLUMN_ORIGIN]);
	add_more(&cells[COLUMN_ORIGIN], d->origin_n);
	buf_add_text(&cells[COLUMN_PRESET], preset_text(d));
	if (d->mail.host.n > 0)
		buf_addf(&cells[COLUMN_MAIL], "%.*s tls=%s", SPAN_ARG(d->mail.text), domain_tls_text(d->tls));
	else
		buf_add_char(&cells[COLUMN_MAIL], '-');
}

/* The last of the columns has no blanks behind it. */
static void print_cells(struct buf *out, const char *const cells[COLUMNS], const int width[COLUMNS], unsigned columns)
{
	for (unsigned c = 0; c + 1 < columns; c++)
		buf_addf(out, "%-*s  ", width[c], cells[c]);
	buf_addf(out, "%s\n", cells[columns - 1]);
}

void domain_print_table(struct buf *out, enum fault_lang lang, const struct domain_row *rows, unsigned n)
{
	const char *const heads[COLUMNS] = { "DOMAIN", "WEB", lang == FAULT_DE ? "URSPRUNGSSERVER" : "ORIGIN", "PRESET",
		"MAIL" };
	struct buf cells[COLUMNS];
	const char *texts[COLUMNS];
	int width[COLUMNS];
	unsigned columns = COLUMN_MAIL; /* one more if any domain has mail */

	for (unsigned c = 0; c < COLUMNS; c++) {
		buf_init(&cells[c], CELL_MAX);
		width[c] = (int)strlen(heads[c]);
	}
	for (unsigned i = 0; i < n; i++) {
		fill_cells(&rows[i].d, cells);
		if (rows[i].d.mail.host.n > 0)
			columns = COLUMNS;
		for (unsigned c = 0; c < COLUMNS; c++) {
			int length = (int)(cells[c].n > COLUMN_MAX ? COLUMN_MAX : cells[c].n);

			width[c] = length > width[c] ? length : width[c];
		}
	}
	if (n > 0)
		print_cells(out, heads, width, columns);
	for (unsigned i = 0; i < n; i++) {
		fill_cells(&rows[i].d, cells);
		for (unsigned c = 0; c < COLUMNS; c++)
			texts[c] = buf_text(&cells[c]);
		print_cells(out, texts, width, columns);
	}
	for (unsigned c = 0; c < COLUMNS; c++)
		buf_done(&cells[c]);
}

/* ---- JSON ---- */

static void print_lists_json(struct jsonw *j, const struct domain *d)
{
	jsonw_array(j, "web");
	for (unsigned i = 0; i < d->web_n; i++)
		jsonw_span(j, NULL, d->web[i]);
	jsonw_end(j);
	jsonw_array(j, "origin");
	for (unsigned i = 0; i < d->origin_n; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(CELL_MAX);

		origin_spec_print(&d->origin[i], &text);
		jsonw_span(j, NULL, buf_span(&text));
	}
	jsonw_end(j);
}

static void print_recipients_json(struct jsonw *j, const struct domain *d)
{
	jsonw_array(j, "recipient");
	for (unsigned i = 0; i < d->recipient_n; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(CELL_MAX);

		domain_recipient_print(&d->recipient[i], &text);
		jsonw_span(j, NULL, buf_span(&text));
	}
	jsonw_end(j);
}

static void print_key_json(struct jsonw *j, const struct domain *d, const struct conf_key *key)
{
	const void *at = (const char *)d + key->at;
	char name[64];

	switch (key->type) {
	case CONF_TEXT:
		jsonw_span(j, key->name, *(const struct span *)at);
		return;
	case CONF_BOOL:
		jsonw_bool(j, key->name, *(const bool *)at);
		return;
	case CONF_ENUM:
		jsonw_text(j, key->name, key->choices[*(const unsigned *)at]);
		return;
	case CONF_DURATION:
		snprintf(name, sizeof(name), "%s_ms", key->name);
		jsonw_uint(j, name, *(const uint64_t *)at);
		return;
	case CONF_SIZE:
	case CONF_UINT:
		jsonw_uint(j, key->name, *(const uint64_t *)at);
		return;
	case CONF_LIST: /* print_lists_json() */
	case CONF_SECTION:
	case CONF_TITLED:
		return;
	}
}

void domain_print_json(struct jsonw *j, const char *key, const struct domain_row *row)
{
	char at[CLOCK_RFC3339_SIZE];

	clock_rfc3339(row->changed_at, at);
	jsonw_object(j, key);
	jsonw_span(j, "name", row->d.name);
	print_lists_json(j, &row->d);
	for (const struct conf_key *k = domain_keys; k->name; k++)
		print_key_json(j, &row->d, k);
	print_recipients_json(j, &row->d);
	jsonw_text(j, "changed_at", at);
	jsonw_span(j, "changed_by", row->changed_by);
	jsonw_end(j);
}

/* ---- changes ---- */

static bool has_line(struct span text, struct span wanted)
{
	struct span line;

	while (span_cut(&text, '\n', &line))
		if (span_eq(line, wanted))
			return true;
	return false;
}

/* The lines of text that other does not have. */
static void print_lines(struct buf *out, char mark, struct span text, struct span other)
{
	struct span line;

	while (span_cut(&text, '\n', &line))
		if (line.n > 0 && !has_line(other, line))
			buf_addf(out, "    %c %.*s\n", mark, SPAN_ARG(line));
}

void domain_print_changes(struct buf *out, const struct domain_change *changes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct domain_change *c = &changes[i];

		buf_addf(out, "%c domain %.*s\n", "+-~"[c->kind], SPAN_ARG(c->name));
		print_lines(out, '-', c->before, c->after);
		print_lines(out, '+', c->after, c->before);
	}
}

void domain_print_changes_json(struct jsonw *j, const char *key, const struct domain_change *changes, unsigned n)
{
	static const char *const kinds[] = { "added", "removed", "changed" };

	jsonw_array(j, key);
	for (unsigned i = 0; i < n; i++) {
		jsonw_object(j, NULL);
		jsonw_text(j, "change", kinds[changes[i].kind]);
		jsonw_span(j, "domain", changes[i].name);
		jsonw_span(j, "before", changes[i].before);
		jsonw_span(j, "after", changes[i].after);
		jsonw_end(j);
	}
	jsonw_end(j);
}
