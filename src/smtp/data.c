/*
 * The message between DATA and its dot.
 *
 * States of the reader, after the bytes so far:
 *
 *   LINE_START  CRLF (or DATA itself)      "." → DOT
 *   IN_LINE     something else             CR → CR
 *   CR          CR in a line               LF → LINE_START, anything else is an error
 *   DOT         a line's first "."         CR → DOT_CR; "." or anything else: the dot was the
 *               sender's, it goes
 *   DOT_CR      a line's first "." CR      LF → the end, anything else is an error
 *
 * LF outside CR and DOT_CR, and NUL anywhere, are errors. So no sequence of bytes but CRLF.CRLF
 * ends a message, and none but CRLF ends a line.
 *
 * A reader that mends line ends (for domains whose senders are known to write them wrong) makes a
 * CRLF of a lone LF, of a lone CR, and of several CRs before an LF. The end stays what it was: a
 * line that is a dot alone and has one such end before it or behind it is what mail is smuggled
 * with, and an error.
 */
#include <errno.h>
#include "smtp/smtp.h"

enum state { LINE_START, IN_LINE, CR, DOT, DOT_CR };

#define CRS_MAX 100 /* before an LF */

typedef int step_fn(struct smtp_data *d, char c, struct buf *out);
static step_fn step, step_in_chunk;

/* Bytes of in from at on that stand in a line and mean nothing. */
static size_t plain_run(struct span in, size_t at)
{
	size_t n = at;

	while (n < in.n && in.p[n] != '\r' && in.p[n] != '\n' && in.p[n] != '\0')
		n++;
	return n - at;
}

/* mended: it ended in something else than CRLF. */
static int end_line(struct smtp_data *d, bool mended, struct buf *out)
{
	d->state = LINE_START;
	d->after_mended = mended;
	buf_add(out, "\r\n", 2);
	return 0;
}

/* A byte at the beginning of a line or in one, where dots mean nothing (any more). */
static int in_line(struct smtp_data *d, char c, struct buf *out)
{
	if (c == '\n' && d->mend)
		return end_line(d, true, out);
	if (c == '\n' || c == '\0')
		return -EBADMSG;
	d->state = c == '\r' ? CR : IN_LINE;
	d->crs = 1;
	if (c != '\r')
		buf_add_char(out, c);
	return 0;
}

static int after_cr(struct smtp_data *d, char c, struct buf *out, step_fn *step_by)
{
	if (c == '\n')
		return end_line(d, d->crs > 1, out);
	if (!d->mend)
		return -EBADMSG;
	/* CR CR LF is one line end, written twice by two programs. */
	if (c == '\r')
		return d->crs < CRS_MAX ? (d->crs++, 0) : -EBADMSG;
	end_line(d, true, out);
	return step_by(d, c, out);
}

/* One byte. 1 at the end. */
static int step(struct smtp_data *d, char c, struct buf *out)
{
	switch ((enum state)d->state) {
	case LINE_START:
		if (c != '.')
			return in_line(d, c, out);
		d->state = DOT;
		return 0;
	case IN_LINE:
		return in_line(d, c, out);
	case CR:
		return after_cr(d, c, out, step);
	case DOT:
		/* Behind a dot alone nothing is mended, nor before it. */
		if (c == '\n' || (c == '\r' && d->after_mended))
			return -EBADMSG;
		if (c != '\r')
			return in_line(d, c, out);
		d->state = DOT_CR;
		return 0;
	case DOT_CR:
		return c == '\n' ? 1 : -EBADMSG;
	}
	return -EBADMSG;
}

/* A byte of a chunk, where a dot is a dot and the end is elsewhere. */
static int step_in_chunk(struct smtp_data *d, char c, struct buf *out)
{
	return d->state == CR ? after_cr(d, c, out, step_in_chunk) : in_line(d, c, out);
}

/* Byte by byte, but for what means nothing. What a step returned that was not 0; *ret_used counts
 * its byte. */
static int walk(struct smtp_data *d, struct span in, struct buf *out, step_fn *step_by, size_t *ret_used)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < in.n) {
		size_t run = d->state == IN_LINE ? plain_run(in, at) : 0;

		if (run > 0) {
			buf_add(out, in.p + at, run);
			at += run;
		} else {
			r = step_by(d, in.p[at++], out);
		}
	}
	*ret_used = at;
	return r;
}

int smtp_data_read(struct smtp_data *d, struct span in, struct buf *out, size_t *ret_used)
{
	int r = walk(d, in, out, step, ret_used);

	if (r == 1)
		d->state = LINE_START;
	return r;
}

int smtp_chunk_read(struct smtp_data *d, struct span in, struct buf *out)
{
	size_t used;

	return walk(d, in, out, step_in_chunk, &used);
}

bool smtp_chunks_end(struct smtp_data *d, struct buf *out)
{
	if (d->state == CR && d->mend)
		end_line(d, true, out);
	return d->state != CR;
}

/* ---- writing ---- */

void smtp_dot_stuffing_write(struct smtp_dot_stuffing *w, struct span content, struct buf *out)
{
	while (content.n > 0) {
		const char *lf = memchr(content.p, '\n', content.n);
		struct span line = span_sub(content, 0, lf ? (size_t)(lf - content.p) + 1 : content.n);

		if (!w->in_line && line.p[0] == '.')
			buf_add_char(out, '.');
		buf_add_span(out, line);
		w->in_line = !lf;
		content = span_from(content, line.n);
	}
}

void smtp_dot_stuffing_end(struct smtp_dot_stuffing *w, struct buf *out)
{
	if (w->in_line)
		buf_add_text(out, "\r\n");
	buf_add_text(out, ".\r\n");
	*w = (struct smtp_dot_stuffing){ 0 };
}
