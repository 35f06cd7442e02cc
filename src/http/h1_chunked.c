/*
 * The chunked coding (RFC 9112 7.1), read strictly:
 *
 *     chunk = 1*HEXDIG BWS *( ";" BWS name BWS [ "=" BWS value BWS ] ) CRLF data CRLF
 *
 * Extensions have to be ignored (7.1.1), so nothing is kept of them and nothing passed on. But
 * implementations that disagree about where one ends have been the way into many a request queue:
 * their grammar is checked byte by byte, a control byte is none of it, and a lone CR or LF never
 * ends a line.
 *
 * Bounds: a size has at most DIGITS_MAX digits, leading zeros among them; what stands behind it has
 * LINE_MAX bytes, and over a whole body not more than the body itself and LINES_FREE (a body of
 * one-byte chunks with long extensions would cost us a thousand times what it brings).
 *
 * Trailers come as one block, so the reader must have room for HTTP_TRAILERS_MAX bytes; until
 * all of it is there, nothing of it is consumed.
 */
#include <errno.h>
#include "http/http_priv.h"

#define DIGITS_MAX 32
#define LINE_MAX   1024
#define LINES_FREE 16384

static int hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* A byte after a whole size, name or value. */
static int step_behind(struct h1_chunked *c, char byte)
{
	if (is_blank(byte))
		c->state = c->state == H1_CHUNK_EXT_NAME ? H1_CHUNK_EXT_EQUALS : H1_CHUNK_BLANKS;
	else if (byte == ';')
		c->state = H1_CHUNK_EXT;
	else if (byte == '\r')
		c->state = H1_CHUNK_SIZE_LF;
	else
		return -EPROTO;
	return 0;
}

/* The first byte of a name or value, blanks before it, or a byte within it. */
static int step_token(struct h1_chunked *c, char byte, int within)
{
	bool begins = c->state != within;

	if (http_char_is(byte, HTTP_CHAR_TOKEN))
		c->state = within;
	else if (begins && !is_blank(byte))
		return -EPROTO;
	else if (!begins)
		return step_behind(c, byte);
	return 0;
}

static int step_quoted(struct h1_chunked *c, char byte)
{
	if (!http_char_is(byte, HTTP_CHAR_VALUE))
		return -EPROTO;
	if (c->state == H1_CHUNK_EXT_QUOTED && byte == '"')
		c->state = H1_CHUNK_BLANKS;
	else if (c->state == H1_CHUNK_EXT_QUOTED && byte == '\\')
		c->state = H1_CHUNK_EXT_PAIR;
	else
		c->state = H1_CHUNK_EXT_QUOTED;
	return 0;
}

/* A byte between a size and the CR of its line. */
static int step_line(struct h1_chunked *c, char byte)
{
	if (++c->line > LINE_MAX || ++c->lines > c->data + LINES_FREE)
		return -EPROTO;
	switch ((int)c->state) {
	case H1_CHUNK_EXT:
	case H1_CHUNK_EXT_NAME:
		if (c->state == H1_CHUNK_EXT_NAME && byte == '=') {
			c->state = H1_CHUNK_EXT_VALUE;
			return 0;
		}
		return step_token(c, byte, H1_CHUNK_EXT_NAME);
	case H1_CHUNK_EXT_EQUALS:
		if (is_blank(byte))
			return 0;
		c->state = byte == '=' ? H1_CHUNK_EXT_VALUE : H1_CHUNK_BLANKS;
		return byte == '=' ? 0 : step_behind(c, byte);
	case H1_CHUNK_EXT_VALUE:
		if (byte == '"') {
			c->state = H1_CHUNK_EXT_QUOTED;
			return 0;
		}
		return step_token(c, byte, H1_CHUNK_EXT_TOKEN);
	case H1_CHUNK_EXT_TOKEN:
		return step_token(c, byte, H1_CHUNK_EXT_TOKEN);
	case H1_CHUNK_EXT_QUOTED:
	case H1_CHUNK_EXT_PAIR:
		return step_quoted(c, byte);
	default:
		return step_behind(c, byte);
	}
}

/* A byte of the size. */
static int step_size(struct h1_chunked *c, char byte)
{
	int digit = hex_digit(byte);

	if (digit >= 0) {
		if (++c->digits > DIGITS_MAX || c->left > INT64_MAX >> 4)
			return -EPROTO;
		c->left = c->left << 4 | (unsigned)digit;
		return 0;
	}
	if (c->digits == 0)
		return -EPROTO;
	c->line = 0;
	return step_behind(c, byte);
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
		else if (c->state < H1_CHUNK_SIZE_LF)
			r = step_line(c, byte);
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
		c->data += ret_data->n;
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
