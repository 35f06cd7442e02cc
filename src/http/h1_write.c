/*
 * Writing heads and chunk framing.
 *
 * A head is measured first and written into one piece of memory then. Measuring is also
 * where response splitting ends: a value that holds CR, LF, NUL or another control byte
 * is refused, whoever put it there, and so is a framing or hop-by-hop field, of which
 * there would be two then.
 */
#include <errno.h>
#include "http/http_priv.h"
#include "io/loop.h"

void h1_write_fields(struct h1_writer *w, const struct http_fields *f)
{
	for (unsigned i = 0; f && i < f->n; i++)
		h1_write_field(w, f->v[i].name, f->v[i].value);
}

ssize_t h1_fields_size(const struct http_fields *f, enum http_field_id allowed)
{
	size_t size = 0;

	for (unsigned i = 0; f && i < f->n; i++) {
		const struct http_field *field = &f->v[i];
		bool ours = http_field_flags(field->id) & (HTTP_HOP | HTTP_FRAMING);

		if ((ours && field->id != allowed) || !http_value_ok(field->value) ||
			(field->id == HTTP_OTHER && !http_is_token(field->name)))
			return -EINVAL;
		size += field->name.n + field->value.n + 4;
	}
	return (ssize_t)size;
}

size_t h1_chunk_head(char ret[H1_CHUNK_HEAD_SIZE], uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	unsigned count = 1;

	while (count < 16 && n >> (4 * count))
		count++;
	for (unsigned i = 0; i < count; i++)
		ret[i] = digits[n >> (4 * (count - 1 - i)) & 15];
	memcpy(ret + count, "\r\n", 2);
	return count + 2;
}

struct span h1_last_chunk(const struct http_fields *trailers, struct arena *a)
{
	ssize_t size = h1_fields_size(trailers, HTTP_OTHER);
	struct h1_writer w;
	char *p;

	if (size == 0)
		return SPAN("0\r\n\r\n");
	if (size < 0)
		return (struct span){ 0 };
	p = arena_alloc(a, (size_t)size + 5);
	w = (struct h1_writer){ p, p + size + 5 };
	h1_write(&w, SPAN("0\r\n"));
	h1_write_fields(&w, trailers);
	h1_write(&w, SPAN("\r\n"));
	return span_make(p, (size_t)(w.p - p));
}

struct span h1_date_line(void)
{
	static _Thread_local char line[sizeof("Date: \r\n") + HTTP_DATE_SIZE];
	static _Thread_local int64_t second = -1;
	int64_t now = loop_wall_s();

	if (now != second) {
		char date[HTTP_DATE_SIZE];
		struct h1_writer w = { line, line + sizeof(line) };

		http_date_format(now, date);
		h1_write_field(&w, SPAN("Date"), span_make(date, HTTP_DATE_SIZE - 1));
		second = now;
	}
	return span_make(line, strlen("Date: \r\n") + HTTP_DATE_SIZE - 1);
}
