/* The client's side of a conversation. See smtp/smtp.h. */
#include <errno.h>
#include "base/mem.h"
#include "smtp/smtp.h"

#define READ_AT_ONCE 2048
#define HEAD_KEPT    (SMTP_REPLY_MAX / 2) /* of a reply that is too long */
#define LINE_KEPT    1024                 /* of the line that comes in then */
#define CUT_MAX      (1 << 20)

void smtp_client_init(struct smtp_client *c, struct conn *conn)
{
	*c = (struct smtp_client){ .conn = conn, .in = BUF_INIT(SMTP_REPLY_MAX) };
}

void smtp_client_done(struct smtp_client *c)
{
	c->conn = conn_close(c->conn);
	buf_done(&c->in);
	c->used = 0;
}

static int fill(struct smtp_client *c, uint64_t deadline)
{
	size_t left = c->in.cap - c->in.n, n = left < READ_AT_ONCE ? left : READ_AT_ONCE;
	char *room = buf_room(&c->in, n);
	ssize_t got;

	must(room && n > 0);
	got = conn_recv(c->conn, room, n, deadline);
	if (got > 0)
		buf_grew(&c->in, (size_t)got);
	return got > 0 ? 0 : got < 0 ? (int)got : -ECONNRESET;
}

/* Bytes of the whole lines in the first n that were received. */
static size_t whole_lines(const struct smtp_client *c, size_t n)
{
	const char *lf = memrchr(c->in.p, '\n', n);

	return lf ? (size_t)(lf + 1 - c->in.p) : 0;
}

/* Makes room in a reply that is too long: its first lines stay, and the beginning of the line that
 * is coming in. */
static int cut_middle(struct smtp_client *c)
{
	size_t head = whole_lines(c, HEAD_KEPT), whole = whole_lines(c, c->in.n), tail = c->in.n - whole;

	if (tail > LINE_KEPT)
		tail = LINE_KEPT;
	c->cut += c->in.n - head - tail;
	memmove(c->in.p + head, c->in.p + whole, tail);
	c->in.n = head + tail;
	return c->cut < CUT_MAX ? 0 : -EPROTO;
}

int smtp_client_read(struct smtp_client *c, uint64_t deadline, struct smtp_reply *ret)
{
	int r;

	buf_consume(&c->in, c->used);
	c->used = c->cut = 0;
	while ((r = smtp_reply_parse(buf_span(&c->in), ret, &c->used)) != 1) {
		if (r == -EMSGSIZE)
			r = cut_middle(c);
		if (r == 0)
			r = fill(c, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

int smtp_client_write(struct smtp_client *c, struct span bytes, uint64_t deadline)
{
	return conn_write(c->conn, bytes.p, bytes.n, deadline);
}

int smtp_client_ask(struct smtp_client *c, struct span bytes, uint64_t deadline, struct smtp_reply *ret)
{
	int r = smtp_client_write(c, bytes, deadline);

	return r < 0 ? r : smtp_client_read(c, deadline, ret);
}

static int say_hello(struct smtp_client *c, const char *verb, const char *name, uint64_t deadline,
	struct smtp_reply *ret)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(SMTP_LINE_MAX);

	buf_addf(&line, "%s %s\r\n", verb, name);
	return smtp_client_ask(c, buf_span(&line), deadline, ret);
}

/* A server from before 1993 says one of these to EHLO; any other refusal is meant (RFC 5321
 * 4.1.4). */
static bool is_unknown_command(unsigned code)
{
	return code == 500 || code == 501 || code == 502 || code == 504;
}

int smtp_client_hello(struct smtp_client *c, const char *name, uint64_t deadline, struct smtp_reply *ret)
{
	int r = say_hello(c, "EHLO", name, deadline, ret);

	c->caps = (struct smtp_caps){ 0 };
	if (r < 0)
		return r;
	if (ret->code == 250)
		smtp_caps_parse(ret, &c->caps);
	else if (is_unknown_command(ret->code))
		r = say_hello(c, "HELO", name, deadline, ret);
	return r;
}

int smtp_client_starttls(struct smtp_client *c, uint64_t deadline, struct smtp_reply *ret, struct span *ret_behind)
{
	int r = smtp_client_ask(c, SPAN("STARTTLS\r\n"), deadline, ret);

	*ret_behind = (struct span){ 0 };
	if (r < 0 || ret->code != 220)
		return r;
	*ret_behind = span_from(buf_span(&c->in), c->used);
	c->in.n = c->used = 0;
	c->caps = (struct smtp_caps){ 0 };
	return 0;
}

bool smtp_client_has_more(const struct smtp_client *c)
{
	return c->in.n > c->used || conn_pending(c->conn) > 0;
}
