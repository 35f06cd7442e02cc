/*
 * Growing text with a stated maximum.
 *
 * Invariants: room is 0 (and p NULL) or n < room <= cap + 1, so there is always a byte for
 * the NUL and whatever fits into room is below the cap. That is why buf_add() in the
 * header need only look at room. Growth doubles, from BUF_FIRST on.
 */
#include "base/buf.h"
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"

#define BUF_FIRST 128

void buf_init(struct buf *b, size_t cap)
{
	*b = BUF_INIT(cap);
}

void buf_done(struct buf *b)
{
	if (!b)
		return;
	mem_free(b->p);
	*b = BUF_INIT(b->cap);
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->error = 0;
}

int buf_error(const struct buf *b)
{
	return b->error;
}

/* Room for n more bytes and the spare one, or the sticky error. */
static bool make_room(struct buf *b, size_t n)
{
	size_t room;

	if (b->error)
		return false;
	if (n > b->cap - b->n) {
		b->error = -ENOBUFS;
		return false;
	}
	if (b->room > b->n + n)
		return true;
	room = b->room ? b->room : BUF_FIRST;
	while (room <= b->n + n && room <= b->cap / 2)
		room *= 2;
	if (room <= b->n + n || room > b->cap + 1)
		room = b->cap + 1;
	b->p = mem_resize(b->p, room, 1);
	b->room = room;
	return true;
}

void buf_add_slow(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !make_room(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_add_hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++) {
		buf_add_char(b, digits[bytes[i] >> 4]);
		buf_add_char(b, digits[bytes[i] & 15]);
	}
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t left;
	int n;

	if (b->error)
		return;
	va_copy(again, ap);
	left = b->room - b->n;
	n = vsnprintf(left ? b->p + b->n : NULL, left, fmt, ap);
	if (n < 0)
		b->error = -ENOBUFS;
	else if ((size_t)n < left)
		b->n += (size_t)n;
	else if (make_room(b, (size_t)n))
		b->n += (size_t)vsnprintf(b->p + b->n, b->room - b->n, fmt, again);
	va_end(again);
}

char *buf_room(struct buf *b, size_t n)
{
	return make_room(b, n) ? b->p + b->n : NULL;
}

void buf_grew(struct buf *b, size_t n)
{
	must(n == 0 || n < b->room - b->n);
	b->n += n;
}

void buf_consume(struct buf *b, size_t n)
{
	must(n <= b->n);
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

const char *buf_text(struct buf *b)
{
	if (!b->room)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}

char *buf_take(struct buf *b)
{
	char *text = b->room ? b->p : mem_alloc(1);

	text[b->n] = '\0';
	*b = BUF_INIT(b->cap);
	return text;
}
