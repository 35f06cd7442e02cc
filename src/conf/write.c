/*
 * Text in the grammar, and the schema as a commented file and as man page rows.
 *
 * What is written is what would be read back: numbers and yes/no bare, all else quoted, with
 * escapes for what a string cannot hold as it is and for bytes that are not UTF-8.
 */
#include "conf/conf_priv.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

static void quote_byte(struct buf *out, unsigned char c)
{
	static const char names[] = "nrt", values[] = "\n\r\t";
	const char *value = c ? strchr(values, c) : NULL;

	if (value)
		buf_addf(out, "\\%c", names[value - values]);
	else if (c == '"' || c == '\\')
		buf_addf(out, "\\%c", c);
	else if (c < 0x20 || c >= 0x7f)
		buf_addf(out, "\\x%02x", c);
	else
		buf_add_char(out, (char)c);
}

void conf_quote(struct buf *out, struct span text)
{
	buf_add_char(out, '"');
	while (text.n > 0) {
		size_t n = span_utf8(text);

		if (n > 1) {
			buf_add(out, text.p, n);
		} else {
			n = 1;
			quote_byte(out, (unsigned char)text.p[0]);
		}
		text = span_from(text, n);
	}
	buf_add_char(out, '"');
}

static void write_list(struct buf *out, const char *preset)
{
	struct span rest = span_of(preset), piece;
	const char *between = "";

	buf_add_char(out, '{');
	while (preset && span_cut(&rest, ' ', &piece)) {
		buf_add_text(out, between);
		conf_quote(out, piece);
		between = ", ";
	}
	buf_add_char(out, '}');
}

/* The preset as a value. */
static void write_preset(struct buf *out, const struct conf_key *key)
{
	const char *preset = key->preset;

	switch (key->type) {
	case CONF_TEXT:
		conf_quote(out, span_of(preset));
		return;
	case CONF_LIST:
		write_list(out, preset);
		return;
	case CONF_BOOL:
		buf_add_text(out, preset ? preset : "false");
		return;
	case CONF_UINT:
		buf_add_text(out, preset ? preset : "0");
		return;
	case CONF_DURATION:
	case CONF_SIZE:
		conf_quote(out, span_of(preset ? preset : "0"));
		return;
	case CONF_ENUM:
		conf_quote(out, span_of(preset ? preset : key->choices[0]));
		return;
	case CONF_SECTION:
	case CONF_TITLED:
		return;
	}
}

struct writer {
	struct buf *out;
	const struct conf_given *given;
	enum fault_lang lang;
};

/* The value given for path, else the preset. */
static void write_value(const struct writer *w, const struct conf_key *key, const char *path)
{
	for (const struct conf_given *g = w->given; g && g->path; g++)
		if (strcmp(g->path, path) == 0) {
			buf_add_text(w->out, g->value);
			return;
		}
	write_preset(w->out, key);
}

/* Each line behind margin: a tab a level, and "# " in titled sections, which have no preset. */
static void write_keys(const struct writer *w, const struct conf_key *keys, const char *outer, const char *margin)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		const char *mark = key->type == CONF_TITLED ? "# " : "";
		char path[CONF_PATH_MAX], inner[16];

		snprintf(path, sizeof(path), "%s%s%s", outer, *outer ? "." : "", key->name);
		buf_addf(w->out, "%s%s# %s\n", key == keys ? "" : "\n", margin,
			w->lang == FAULT_DE ? key->help_de : key->help_en);
		if (!key->inner) {
			buf_addf(w->out, "%s%s = ", margin, key->name);
			write_value(w, key, path);
			buf_add_char(w->out, '\n');
			continue;
		}
		buf_addf(w->out, "%s%s%s %s{\n", margin, mark, key->name, *mark ? "\"TITLE\" " : "");
		snprintf(inner, sizeof(inner), "%s%s\t", margin, mark);
		write_keys(w, key->inner, path, inner);
		buf_addf(w->out, "%s%s}\n", margin, mark);
	}
}

void conf_template(struct buf *out, const struct conf_key *keys, const struct conf_given *given, enum fault_lang lang)
{
	write_keys(&(struct writer){ out, given, lang }, keys, "", "");
}

/* Text for roff: hyphens that stay hyphens, no escapes, no requests. */
static void roff(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '-':
			buf_add_text(out, "\\-");
			break;
		case '\\':
			buf_add_text(out, "\\e");
			break;
		case '.':
		case '\'':
			buf_add_text(out, i == 0 ? "\\&" : "");
			buf_add_char(out, text.p[i]);
			break;
		default:
			buf_add_char(out, text.p[i]);
			break;
		}
}

static void man_key(struct buf *out, const struct conf_key *key, struct buf *scratch)
{
	buf_addf(out, ".TP\n.B %s\n", key->name);
	roff(out, span_of(key->help_en));
	buf_add_text(out, "\nWrite ");
	buf_reset(scratch);
	value_wanted(key, FAULT_EN, scratch);
	roff(out, buf_span(scratch));
	buf_add_text(out, ". Preset: ");
	buf_reset(scratch);
	write_preset(scratch, key);
	roff(out, buf_span(scratch));
	buf_add_text(out, ".\n");
}

static void man_keys(struct buf *out, const struct conf_key *keys, struct buf *scratch)
{
	for (; keys->name; keys++) {
		if (!keys->inner) {
			man_key(out, keys, scratch);
			continue;
		}
		buf_addf(out, ".TP\n.B %s %s{ ... }\n", keys->name,
			keys->type == CONF_TITLED ? "\\(dqTITLE\\(dq " : "");
		roff(out, span_of(keys->help_en));
		buf_add_text(out, "\n.RS\n");
		man_keys(out, keys->inner, scratch);
		buf_add_text(out, ".RE\n");
	}
}

void conf_man(struct buf *out, const struct conf_key *keys)
{
	_cleanup_(buf_done) struct buf scratch = BUF_INIT(4096);

	man_keys(out, keys, &scratch);
}
