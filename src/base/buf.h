/*
 * struct buf: growing text with a stated maximum.
 *
 * Appending past the cap (or onto a buffer that has already refused something) sets the
 * sticky error instead of writing: write, write, write, then look at buf_error() once.
 * A buffer always keeps one spare byte so that buf_text() can end it in NUL.
 */
#pragma once
#include <stdarg.h>
#include <stdint.h>
#include "base/span.h"

struct buf {
	char *p;
	size_t n;    /* bytes in use */
	size_t room; /* bytes allocated */
	size_t cap;  /* the most n may become */
	int error;   /* 0 or -ENOBUFS, sticky until buf_reset() */
};

#define BUF_INIT(cap_) ((struct buf){ .cap = (cap_) })

void buf_init(struct buf *b, size_t cap);
void buf_done(struct buf *b);  /* frees; b may be used again after buf_init() */
void buf_reset(struct buf *b); /* n = 0, error = 0, memory kept */
int buf_error(const struct buf *b);
/* All appenders: no-ops once error is set. */
void buf_add_slow(struct buf *b, const void *p, size_t n); /* buf_add() that may grow */
static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n && n < b->room - b->n && !b->error) {
		memcpy(b->p + b->n, p, n);
		b->n += n;
	} else {
		buf_add_slow(b, p, n);
	}
}
static inline void buf_add_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}
static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}
void buf_add_text(struct buf *b, const char *text);
void buf_add_u64(struct buf *b, uint64_t v);
/* n bytes in lower-case hexadecimal digits. */
void buf_add_hex(struct buf *b, const void *p, size_t n);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);
/* Room for n more bytes to be written at the returned place, then buf_grew(); NULL at the cap. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Borrowed until the next append. */
static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}
const char *buf_text(struct buf *b); /* NUL-terminated, borrowed likewise */
char *buf_take(struct buf *b);       /* NUL-terminated, mem_free() it; b is empty then */
