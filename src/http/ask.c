/* One plain request and its whole answer, for those who need no more of HTTP. */
#include <errno.h>
#include "http/http_priv.h"

static int send_question(struct http_client *c, const struct http_question *q, uint64_t deadline)
{
	struct http_client_request request = { .method = q->method,
		.target = q->target,
		.host = q->host,
		.fields = q->fields,
		.has_body = q->body.p != NULL,
		.length = (int64_t)q->body.n,
		.last = true };
	int r = http_client_send_head(c, &request, deadline);

	return r < 0 ? r : http_client_send_body(c, q->body, false, deadline);
}

/* The final head; 1xx ones say nothing to anybody here. */
static int read_head(struct http_client *c, const struct http_question *q, uint64_t deadline, struct fault *fault)
{
	enum http_method method = span_eq(q->method, SPAN("HEAD")) ? HTTP_HEAD : HTTP_GET;
	int r;

	do
		r = http_client_read_head(c, method, deadline, fault);
	while (r == 0 && c->resp.status < 200);
	return r;
}

static int read_body(struct http_client *c, uint64_t deadline, struct buf *ret)
{
	struct span piece;
	int r;

	do {
		uint64_t now = loop_now_ms();

		c->body_timeout_ms = deadline > now ? deadline - now : 0;
		r = http_client_read_body(c, &piece);
		buf_add_span(ret, piece);
	} while (r == 0 && piece.n > 0 && !buf_error(ret));
	return r < 0 ? r : buf_error(ret);
}

int http_ask(struct conn *conn, const struct http_question *q, uint64_t deadline, struct arena *a,
	struct http_resp *ret, struct buf *ret_body, struct fault *fault)
{
	struct http_client c;
	int r;

	http_client_init(&c, conn, a);
	r = send_question(&c, q, deadline);
	if (r == 0)
		r = read_head(&c, q, deadline, fault);
	*ret = c.resp;
	if (r == 0 && ret_body)
		r = read_body(&c, deadline, ret_body);
	http_client_done(&c);
	return r;
}
