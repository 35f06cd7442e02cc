/*
 * The chunked coding (RFC 9112 7.1), read strictly: a size is 1 to 16 hexadecimal digits
 * directly followed by CRLF. Extensions are refused: nobody uses them, and implementations
 * that disagree about where one ends have been the way into many a request queue.
 *
 * Trailers come as one block, so the reader must have room for HTTP_TRAILERS_MAX bytes; until
 * all of it is there, nothing of it is consumed.
 */
#include <errno.h>
#include "http/http_priv.h"

static int hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of the size line. */
static int step_size(struct h1_chunked *c, char byte)
{
	int digit = hex_digit(byte);

	if (digit < 0) {
		if (byte != '\r' || c->digits == 0)
			return -EPROTO;
		c->state = H1_CHUNK_SIZE_LF;
		return 0;
	}
	if (++c->digits > 16)
		return -EPROTO;
	c->left = c->left << 4 | (unsigned)digit;
	return c->left > INT64_MAX ? -EPROTO : 0;
}

/* A byte that has to be this one. */
static int step_expect(struct h1_chunked *c, char byte, char want, int next)
{
	if (byte != want)
		return -EPROTO;
	c->state = next;
	c->digits = 0;
	return 0;
}

/* The length of the trailer block once its empty line is there, 0 until then. */
static int trailers_length(struct h1_chunked *c, struct span bytes)
{
	size_t at = c->trailer_scanned;
	const char *lf;

	for (; at < bytes.n && (lf = memchr(bytes.p + at, '\n', bytes.n - at)); at++) {
		at = (size_t)(lf - bytes.p);
		if (at >= HTTP_TRAILERS_MAX || at == 0 || lf[-1] != '\r')
			return -EPROTO;
		if (at == 1 || lf[-2] == '\n')
			return (int)at + 1;
	}
	c->trailer_scanned = bytes.n;
	return bytes.n >= HTTP_TRAILERS_MAX ? -EPROTO : 0;
}

int h1_chunked_step(struct h1_chunked *c, struct span bytes, size_t *ret_used, struct span *ret_data)
{
	size_t at = 0;
	int r = 0;

	*ret_used = 0;
	*ret_data = (struct span){ 0 };
	while (at < bytes.n && c->state != H1_CHUNK_DATA && c->state != H1_CHUNK_TRAILERS) {
		char byte = bytes.p[at++];

		if (c->state == H1_CHUNK_SIZE)
			r = step_size(c, byte);
		else if (c->state == H1_CHUNK_SIZE_LF)
			r = step_expect(c, byte, '\n', c->left ? H1_CHUNK_DATA : H1_CHUNK_TRAILERS);
		else if (c->state == H1_CHUNK_DATA_CR)
			r = step_expect(c, byte, '\r', H1_CHUNK_DATA_LF);
		else if (c->state == H1_CHUNK_DATA_LF)
			r = step_expect(c, byte, '\n', H1_CHUNK_SIZE);
		else
			r = -EPROTO; /* H1_CHUNK_DONE: nothing belongs to it any more */
		if (r < 0)
			return r;
	}
	if (c->state == H1_CHUNK_DATA && at < bytes.n) {
		*ret_data = span_sub(bytes, at, c->left < bytes.n - at ? c->left : bytes.n - at);
		c->left -= ret_data->n;
		if (c->left == 0)
			c->state = H1_CHUNK_DATA_CR;
	} else if (c->state == H1_CHUNK_TRAILERS && at < bytes.n) {
		r = trailers_length(c, span_from(bytes, at));
		if (r > 0) {
			*ret_data = span_sub(bytes, at, (size_t)r);
			c->state = H1_CHUNK_DONE;
			r = 1;
		}
	}
	*ret_used = at + ret_data->n;
	return r;
}
