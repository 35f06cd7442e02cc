/*
 * A JSON writer straight into a buf.
 *
 * Per level one bit says whether a comma is due and one whether it is an array. Numbers
 * are printed so that they read back exactly. What the buf refuses stays visible in its
 * sticky error; half a document never looks like a whole one to the caller who checks it.
 */
#include "base/jsonw.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/mem.h"

#define DEPTH_MAX 32

void jsonw_init(struct jsonw *j, struct buf *out)
{
	*j = (struct jsonw){ .out = out };
}

static uint32_t level_bit(const struct jsonw *j)
{
	return 1u << (j->depth - 1);
}

/* The comma and the key that stand before a value. */
static void lead(struct jsonw *j, const char *key)
{
	if (j->depth == 0) {
		must(!key);
		return;
	}
	must(!key == !!(j->arrays & level_bit(j)));
	if (j->first & level_bit(j))
		j->first &= ~level_bit(j);
	else
		buf_add_char(j->out, ',');
	if (key) {
		buf_add_char(j->out, '"');
		jsonw_escape(j->out, span_of(key));
		buf_add(j->out, "\":", 2);
	}
}

static void open_level(struct jsonw *j, const char *key, bool array)
{
	lead(j, key);
	must(j->depth < DEPTH_MAX);
	j->depth++;
	j->first |= level_bit(j);
	if (array)
		j->arrays |= level_bit(j);
	else
		j->arrays &= ~level_bit(j);
	buf_add_char(j->out, array ? '[' : '{');
}

void jsonw_object(struct jsonw *j, const char *key)
{
	open_level(j, key, false);
}

void jsonw_array(struct jsonw *j, const char *key)
{
	open_level(j, key, true);
}

void jsonw_end(struct jsonw *j)
{
	must(j->depth > 0);
	buf_add_char(j->out, j->arrays & level_bit(j) ? ']' : '}');
	j->depth--;
}

void jsonw_span(struct jsonw *j, const char *key, struct span value)
{
	lead(j, key);
	buf_add_char(j->out, '"');
	jsonw_escape(j->out, value);
	buf_add_char(j->out, '"');
}

void jsonw_text(struct jsonw *j, const char *key, const char *value)
{
	if (value) {
		jsonw_span(j, key, span_of(value));
		return;
	}
	lead(j, key);
	buf_add(j->out, "null", 4);
}

void jsonw_int(struct jsonw *j, const char *key, int64_t value)
{
	lead(j, key);
	if (value < 0)
		buf_add_char(j->out, '-');
	buf_add_u64(j->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void jsonw_uint(struct jsonw *j, const char *key, uint64_t value)
{
	lead(j, key);
	buf_add_u64(j->out, value);
}

void jsonw_real(struct jsonw *j, const char *key, double value)
{
	char digits[32];

	lead(j, key);
	if (!isfinite(value)) {
		buf_add(j->out, "null", 4);
		return;
	}
	/* 15 digits hold what people write (0.1), 17 every double. */
	snprintf(digits, sizeof(digits), "%.15g", value);
	if (strtod(digits, NULL) != value)
		snprintf(digits, sizeof(digits), "%.17g", value);
	buf_add_text(j->out, digits);
}

void jsonw_bool(struct jsonw *j, const char *key, bool value)
{
	lead(j, key);
	buf_add_text(j->out, value ? "true" : "false");
}

void jsonw_raw(struct jsonw *j, const char *key, struct span json)
{
	lead(j, key);
	buf_add_span(j->out, json.n > 0 ? json : SPAN("null"));
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void escape_ascii(struct buf *out, char c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *at = named; *at; at += 2)
		if (*at == c) {
			buf_add(out, (char[]){ '\\', at[1] }, 2);
			return;
		}
	buf_addf(out, "\\u%04x", (unsigned)c);
}

void jsonw_escape(struct buf *out, struct span s)
{
	while (s.n > 0) {
		size_t plain = 0, n;

		while (plain < s.n && is_plain(s.p[plain]))
			plain++;
		buf_add(out, s.p, plain);
		s = span_from(s, plain);
		if (s.n == 0)
			break;
		n = span_utf8(s);
		if (n == 1)
			escape_ascii(out, s.p[0]);
		else if (n > 1)
			buf_add(out, s.p, n);
		else
			buf_add_text(out, "\xef\xbf\xbd");
		s = span_from(s, n ? n : 1);
	}
}

void jsonw_time(struct jsonw *j, const char *key, int64_t wall_s)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_s, text);
	jsonw_text(j, key, wall_s ? text : NULL);
}
