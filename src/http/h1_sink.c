/*
 * The response of an exchange on an HTTP/1.1 connection.
 *
 * The head is built when send_head() is called and held back: it leaves with the first body
 * bytes or with the end, in one sendmsg. An answer without declared length is chunked, or for
 * an HTTP/1.0 client ends with the connection.
 *
 * Once anything failed the exchange is dead: every later call returns -EPIPE, and the
 * connection is closed as it is, so that the client sees that something is missing.
 */
#include <errno.h>
#include <stdio.h>
#include "base/fmt.h"
#include "http/h1_work.h"

/* Entries of one sendmsg that come from the caller. */
#define BATCH 28
/* An answer up to this size, head included, is copied together: one piece is cheaper for the kernel
 * than a list. */
#define ONE_PIECE_MAX 4096
#define OWN_LINES_MAX 96

static struct h1_work *work_of(struct http_exchange *x)
{
	return container_of(x, struct h1_work, x);
}

int h1_send(struct h1_work *w, struct iovec *iov, int count)
{
	struct conn *c = w->h->conn;

	/* conn_send() has one deadline for all; here each piece that the client takes earns a new
	 * one. */
	while (count > 0) {
		uint64_t deadline = deadline_in(w->h->server->limits.send_timeout_ms);
		ssize_t sent = c->top->ops->send(c->top, iov, count, deadline);

		if (sent < 0) {
			w->out.dead = true;
			return (int)sent;
		}
		iov_skip(&iov, &count, (size_t)sent);
	}
	return 0;
}

/* Status line, Date, fields, extra lines, empty line, in the arena; .p == NULL if the fields must
 * not go on the wire. */
static struct span build_head(struct h1_work *w, unsigned status, const struct http_fields *fields, struct span extra,
	enum http_field_id allowed)
{
	struct span reason = span_of(http_reason(status)), date = { 0 };
	ssize_t size = h1_fields_size(fields, allowed);
	struct h1_writer out;
	char line[16], *p;

	must(status >= 100 && status <= 999);
	if (size < 0)
		return (struct span){ 0 };
	if (status >= 200 && !(fields && http_fields_find(fields, HTTP_DATE)))
		date = h1_date_line();
	memcpy(line, "HTTP/1.1 ... ", 13);
	for (unsigned i = 0, rest = status; i < 3; i++, rest /= 10)
		line[11 - i] = (char)('0' + rest % 10);
	size += (ssize_t)(13 + reason.n + 2 + date.n + extra.n + 2);
	p = arena_alloc(&w->arena, (size_t)size);
	out = (struct h1_writer){ p, p + size };
	h1_write(&out, span_make(line, 13));
	h1_write(&out, reason);
	h1_write(&out, SPAN("\r\n"));
	h1_write(&out, date);
	h1_write_fields(&out, fields);
	h1_write(&out, extra);
	h1_write(&out, SPAN("\r\n"));
	return span_make(p, (size_t)size);
}

static int send_span(struct h1_work *w, struct span s)
{
	struct iovec iov = { (char *)s.p, s.n };

	return h1_send(w, &iov, 1);
}

static int die(struct h1_work *w, int error)
{
	w->out.dead = true;
	return error;
}

static int sink_interim(struct http_exchange *x, unsigned status, const struct http_fields *fields)
{
	struct h1_work *w = work_of(x);
	struct span head;

	must(status >= 100 && status < 200 && status != 101 && !x->head_sent);
	if (w->out.dead)
		return -EPIPE;
	/* RFC 9110 15.2: HTTP/1.0 knows none; and nobody needs a second 100, or one unasked. */
	if (w->terms.version_minor == 0 || (status == 100 && !w->in.continue_owed))
		return 0;
	if (status == 100)
		w->in.continue_owed = false;
	head = build_head(w, status, fields, (struct span){ 0 }, HTTP_OTHER);
	return head.p ? send_span(w, head) : die(w, -EINVAL);
}

static void choose_framing(struct h1_work *w, unsigned status, int64_t length)
{
	const struct http_req *req = &w->x.req;

	if (req->method == HTTP_HEAD || status == 204 || status == 304)
		w->out.framing = H1_OUT_NONE;
	else if (length >= 0)
		w->out.framing = H1_OUT_LENGTH;
	else
		w->out.framing = w->terms.version_minor ? H1_OUT_CHUNKED : H1_OUT_UNTIL_CLOSE;
	w->out.left = w->out.framing == H1_OUT_LENGTH ? (uint64_t)length : 0;
}

static bool has_to_close(const struct h1_work *w)
{
	const struct http_server *server = w->h->server;

	return w->out.framing == H1_OUT_UNTIL_CLOSE || !w->terms.keep_alive || !h1_body_droppable(w) ||
		(server->draining && __atomic_load_n(server->draining, __ATOMIC_RELAXED)) ||
		(server->limits.requests_max && w->h->requests >= server->limits.requests_max);
}

/* Framing and Connection: the lines that are the sink's to write. */
static struct span own_lines(const struct h1_work *w, unsigned status, int64_t length, char room[OWN_LINES_MAX])
{
	struct h1_writer out = { room, room + OWN_LINES_MAX };
	char digits[FMT_U64_SIZE];

	if (length >= 0 && status != 204)
		h1_write_field(&out, SPAN("Content-Length"), fmt_u64((uint64_t)length, digits));
	else if (w->out.framing == H1_OUT_CHUNKED)
		h1_write(&out, SPAN("Transfer-Encoding: chunked\r\n"));
	if (w->out.close)
		h1_write(&out, SPAN("Connection: close\r\n"));
	else if (w->terms.version_minor == 0)
		h1_write(&out, SPAN("Connection: keep-alive\r\n"));
	return span_make(room, (size_t)(out.p - room));
}

static int sink_head(struct http_exchange *x, unsigned status, const struct http_fields *fields, int64_t length)
{
	struct h1_work *w = work_of(x);
	char room[OWN_LINES_MAX];

	must(!x->head_sent && status >= 200);
	if (w->out.dead)
		return -EPIPE;
	choose_framing(w, status, length);
	w->out.close = w->out.close || has_to_close(w);
	w->out.head = build_head(w, status, fields, own_lines(w, status, length, room), HTTP_OTHER);
	if (!w->out.head.p)
		return die(w, -EINVAL);
	x->status = (uint16_t)status;
	x->head_sent = true;
	return 0;
}

static void put(struct iovec *v, int *count, struct span s)
{
	if (s.n)
		v[(*count)++] = (struct iovec){ (char *)s.p, s.n };
}

/* The head, if it is still here. */
static void put_head(struct h1_work *w, struct iovec *v, int *count)
{
	put(v, count, w->out.head);
	w->out.head = (struct span){ 0 };
}

/* v in one piece, if it begins with the head (so that it happens once an exchange) and is small.
 * Its new count. */
static int join(struct h1_work *w, struct iovec *v, int count)
{
	struct h1_writer out;
	size_t size = 0;
	char *p;

	for (int i = 0; i < count; i++)
		size += v[i].iov_len;
	if (size > ONE_PIECE_MAX)
		return count;
	p = arena_alloc(&w->arena, size);
	out = (struct h1_writer){ p, p + size };
	for (int i = 0; i < count; i++)
		h1_write(&out, span_make(v[i].iov_base, v[i].iov_len));
	*v = (struct iovec){ p, size };
	return 1;
}

static int send_batch(struct h1_work *w, const struct iovec *iov, int n)
{
	bool with_head = w->out.head.n > 0;
	char size[H1_CHUNK_HEAD_SIZE];
	struct iovec v[BATCH + 3];
	size_t total = 0;
	int count = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	/* An empty chunk would be the last one. */
	if (total == 0)
		return 0;
	if (w->out.framing == H1_OUT_LENGTH) {
		if (total > w->out.left)
			return die(w, -EMSGSIZE);
		w->out.left -= total;
	}
	put_head(w, v, &count);
	if (w->out.framing == H1_OUT_CHUNKED)
		put(v, &count, span_make(size, h1_chunk_head(size, total)));
	memcpy(v + count, iov, (size_t)n * sizeof(*v));
	count += n;
	if (w->out.framing == H1_OUT_CHUNKED)
		put(v, &count, SPAN("\r\n"));
	w->x.body_bytes_sent += total;
	if (with_head)
		count = join(w, v, count);
	return h1_send(w, v, count);
}

static int sink_body(struct http_exchange *x, const struct iovec *iov, int count)
{
	struct h1_work *w = work_of(x);
	int r = 0;

	must(x->head_sent && !w->out.finished);
	if (w->out.dead)
		return -EPIPE;
	if (w->out.framing == H1_OUT_NONE)
		return 0;
	while (count > 0 && r == 0) {
		int n = count < BATCH ? count : BATCH;

		r = send_batch(w, iov, n);
		iov += n;
		count -= n;
	}
	return r;
}

static int sink_finish(struct http_exchange *x, const struct http_fields *trailers)
{
	struct h1_work *w = work_of(x);
	struct iovec v[2];
	int count = 0, r;

	must(x->head_sent && !w->out.finished);
	if (w->out.dead)
		return -EPIPE;
	if (w->out.left > 0)
		return die(w, -EMSGSIZE);
	put_head(w, v, &count);
	if (w->out.framing == H1_OUT_CHUNKED) {
		struct span last = h1_last_chunk(trailers, &w->arena);

		if (!last.p)
			return die(w, -EINVAL);
		put(v, &count, last);
	}
	r = h1_send(w, v, count);
	w->out.finished = r == 0;
	return r;
}

static void sink_abort(struct http_exchange *x)
{
	struct h1_work *w = work_of(x);

	/* Where the end of the connection is the end of the body, only a reset says otherwise. */
	if (x->head_sent && w->out.framing == H1_OUT_UNTIL_CLOSE)
		conn_reset_at_close(w->h->conn);
	w->out.dead = true;
}

static bool sink_has_left(const struct http_exchange *x)
{
	const struct h1_work *w = container_of(x, const struct h1_work, x);

	return conn_is_hung_up(w->h->conn);
}

static struct conn *sink_upgrade(struct http_exchange *x, const struct http_fields *fields)
{
	struct h1_work *w = work_of(x);
	struct span head, protocol = { 0 };
	char extra[256];
	int n;

	must(!x->head_sent);
	if (w->out.dead || !x->req.upgrade)
		return NULL;
	if (!fields || !http_fields_find(fields, HTTP_UPGRADE))
		protocol = http_fields_value(&x->req.fields, HTTP_UPGRADE);
	n = snprintf(extra, sizeof(extra), "Connection: Upgrade\r\n%s%.*s%s", protocol.n ? "Upgrade: " : "",
		SPAN_ARG(protocol), protocol.n ? "\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(extra))
		return NULL;
	head = build_head(w, 101, fields, span_make(extra, (size_t)n), HTTP_UPGRADE);
	if (!head.p || send_span(w, head) < 0)
		return NULL;
	x->status = 101;
	x->head_sent = w->out.upgraded = w->out.close = true;
	h1_push_early(w->h->conn, h1_work_unread(w));
	w->at = w->end;
	return w->h->conn;
}

const struct http_exchange_ops h1_exchange_ops = {
	.read_body = h1_read_body,
	.trailers = h1_read_trailers,
	.send_interim = sink_interim,
	.send_head = sink_head,
	.send_body = sink_body,
	.finish = sink_finish,
	.abort = sink_abort,
	.has_left = sink_has_left,
	.upgrade = sink_upgrade,
};
