/* Conversations with http_serve() over a socket: what the client says, what it gets. */
#include <stdio.h>
#include <stdlib.h>
#include "../io/io_test.h"
#include "http/h1_priv.h"

#define H         "Host: a\r\n"
#define E         "\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H E
/* Answers, without their Date. */
#define HELLO       "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello"
#define HELLO_CLOSE "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
#define REFUSED(status_reason, n) \
	"HTTP/1.1 " status_reason "\r\nContent-Type: text/plain\r\nContent-Length: " n \
	"\r\nConnection: close\r\n\r\n" status_reason "\n"
#define REFUSED_400 REFUSED("400 Bad Request", "16")
#define REFUSED_408 REFUSED("408 Request Timeout", "20")

#define WAIT deadline_in(10000)

struct talk {
	struct http_server server;
	struct conn *conn; /* the server's side */
	struct conn *client;
	bool draining;
	unsigned requests, closed, refused;
	enum fault_code refused_code;
	int body_error, send_error;
	char got[1 << 17];
	size_t got_n;
};

/* ---- the handler: the path says what it does ---- */

static void send_text(struct http_exchange *x, const char *text)
{
	struct iovec iov = { (char *)text, strlen(text) };

	x->ops->send_body(x, &iov, 1);
}

static void answer_hello(struct talk *t, struct http_exchange *x)
{
	struct http_fields fields = { 0 };

	http_fields_add_name(&fields, x->arena, SPAN("X-A"), SPAN("b"));
	x->ops->send_head(x, 200, &fields, 5);
	send_text(x, "hello");
	x->ops->finish(x, NULL);
	(void)t;
}

static void answer_echo(struct talk *t, struct http_exchange *x)
{
	struct buf body = BUF_INIT(1 << 20);
	char piece[7];
	ssize_t n;

	while ((n = x->ops->read_body(x, piece, sizeof(piece))) > 0)
		buf_add(&body, piece, (size_t)n);
	t->body_error = (int)n;
	if (n == 0) {
		const struct http_fields *trailers = x->ops->trailers(x);
		struct iovec iov = { body.p, body.n };

		x->ops->send_head(x, 200, NULL, trailers->n ? -1 : (int64_t)body.n);
		x->ops->send_body(x, &iov, body.n ? 1 : 0);
		x->ops->finish(x, trailers);
	}
	buf_done(&body);
}

static void answer_unknown_length(struct talk *t, struct http_exchange *x)
{
	x->ops->send_head(x, 200, NULL, -1);
	send_text(x, "");
	send_text(x, "one ");
	send_text(x, "sixteen bytes...");
	x->ops->finish(x, NULL);
	(void)t;
}

static void answer_status(struct talk *t, struct http_exchange *x)
{
	unsigned status = (unsigned)strtoul(x->req.path.p + 1, NULL, 10);

	x->ops->send_head(x, status, NULL, 5);
	send_text(x, "12345");
	x->ops->finish(x, NULL);
	(void)t;
}

static void answer_in_pieces(struct talk *t, struct http_exchange *x)
{
	struct iovec iov[100];

	for (unsigned i = 0; i < 100; i++)
		iov[i] = (struct iovec){ (char *)"ab", i % 3 };
	x->ops->send_head(x, 200, NULL, 99);
	x->ops->send_body(x, iov, 100);
	x->ops->finish(x, NULL);
	(void)t;
}

static void answer_half(struct talk *t, struct http_exchange *x)
{
	x->ops->send_head(x, 200, NULL, span_eq(x->req.query, SPAN("length")) ? 10 : -1);
	send_text(x, "half");
	x->ops->abort(x);
	t->send_error = x->ops->finish(x, NULL);
}

static void answer_wrong_length(struct talk *t, struct http_exchange *x)
{
	x->ops->send_head(x, 200, NULL, 10);
	send_text(x, "half");
	t->send_error = x->ops->finish(x, NULL);
}

static void answer_early_hints(struct talk *t, struct http_exchange *x)
{
	struct http_fields fields = { 0 };

	http_fields_add_name(&fields, x->arena, SPAN("Link"), SPAN("</x>"));
	x->ops->send_interim(x, 103, &fields);
	answer_hello(t, x);
}

static void answer_split(struct talk *t, struct http_exchange *x)
{
	static const struct {
		struct span name, value;
	} rows[] = {
		{ SPAN("X"), SPAN("a\r\nSet-Cookie: b") },
		{ SPAN("X"), SPAN("a\nb") },
		{ SPAN("X"), SPAN("a\0b") },
		{ SPAN("X: y\r\nZ"), SPAN("a") },
		{ SPAN("Content-Length"), SPAN("5") },
		{ SPAN("transfer-encoding"), SPAN("chunked") },
		{ SPAN("Connection"), SPAN("close") },
	};
	size_t row = (size_t)(x->req.query.p[0] - '0');
	struct http_fields fields = { 0 };

	http_fields_add_name(&fields, x->arena, rows[row].name, rows[row].value);
	t->send_error = x->ops->send_head(x, 200, &fields, 0);
}

static void answer_upgrade(struct talk *t, struct http_exchange *x)
{
	struct http_fields fields = { 0 };
	struct conn *c;
	char text[16];
	ssize_t n;

	http_fields_add_name(&fields, x->arena, SPAN("Sec-WebSocket-Accept"), SPAN("k"));
	c = x->ops->upgrade(x, &fields);
	if (!c) {
		answer_hello(t, x);
		return;
	}
	while ((n = conn_recv(c, text, sizeof(text), WAIT)) > 0)
		conn_write(c, text, (size_t)n, WAIT);
}

static void answer_flood(struct talk *t, struct http_exchange *x)
{
	static char zeros[1 << 20];
	struct iovec iov = { zeros, sizeof(zeros) };
	int r = x->ops->send_head(x, 200, NULL, -1);

	while (r == 0)
		r = x->ops->send_body(x, &iov, 1);
	t->send_error = r;
}

static void answer_nothing(struct talk *t, struct http_exchange *x)
{
	(void)t;
	(void)x;
}

static void handle(void *arg, struct http_exchange *x)
{
	static const struct {
		const char *path;
		void (*answer)(struct talk *t, struct http_exchange *x);
	} answers[] = {
		{ "/hello", answer_hello },
		{ "/echo", answer_echo },
		{ "/unknown", answer_unknown_length },
		{ "/204", answer_status },
		{ "/304", answer_status },
		{ "/404", answer_status },
		{ "/pieces", answer_in_pieces },
		{ "/half", answer_half },
		{ "/wrong", answer_wrong_length },
		{ "/hints", answer_early_hints },
		{ "/split", answer_split },
		{ "/upgrade", answer_upgrade },
		{ "/flood", answer_flood },
		{ "/nothing", answer_nothing },
	};
	struct talk *t = arg;

	t->requests++;
	for (size_t i = 0; i < array_len(answers); i++)
		if (span_eq(x->req.path, span_of(answers[i].path)))
			answers[i].answer(t, x);
}

static void on_refused(void *arg, struct conn *c, unsigned status, const struct fault *fault)
{
	struct talk *t = arg;

	assert_ptr_equal(c, t->conn);
	t->refused = status;
	t->refused_code = fault->code;
}

static void on_closed(void *arg, struct conn *c)
{
	struct talk *t = arg;

	assert_ptr_equal(c, t->conn);
	t->closed++;
}

/* ---- the client ---- */

static void run_server(void *arg)
{
	struct talk *t = arg;

	http_serve(&t->server, t->conn);
}

static struct talk *begin_with(struct conn *c)
{
	struct talk *t = mem_new(struct talk);

	t->server = (struct http_server){
		.limits = { .head_timeout_ms = 10000,
			.body_timeout_ms = 10000,
			.send_timeout_ms = 10000,
			.keep_alive_ms = 10000,
			.requests_max = 1000 },
		.handler = handle,
		.refused = on_refused,
		.closed = on_closed,
		.arg = t,
		.draining = &t->draining,
	};
	t->conn = c;
	return t;
}

static struct talk *begin(void)
{
	int fd, error;
	struct talk *t = begin_with(io_conn_pair(&fd));

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	t->client = conn_new(fd, &error);
	assert_non_null(t->client);
	task_spawn("server", run_server, t);
	return t;
}

static void say_n(struct talk *t, struct span text)
{
	assert_int_equal(conn_write(t->client, text.p, text.n, WAIT), 0);
}

static void say(struct talk *t, const char *text)
{
	say_n(t, span_of(text));
}

static void say_bytewise(struct talk *t, const char *text)
{
	for (; *text; text++) {
		assert_int_equal(conn_write(t->client, text, 1, WAIT), 0);
		for (unsigned i = 0; i < 3; i++)
			task_yield();
	}
}

/* Takes the Date lines out of what was received. */
static void drop_dates(struct talk *t)
{
	ptrdiff_t at;

	while ((at = span_find(span_make(t->got, t->got_n), SPAN("\r\nDate: "))) >= 0) {
		size_t end = (size_t)at + strlen("\r\nDate: ") + HTTP_DATE_SIZE - 1;

		if (end > t->got_n)
			return;
		memmove(t->got + at, t->got + end, t->got_n - end);
		t->got_n -= end - (size_t)at;
	}
}

static ssize_t receive(struct talk *t)
{
	ssize_t n = conn_recv(t->client, t->got + t->got_n, sizeof(t->got) - t->got_n, WAIT);

	if (n > 0)
		t->got_n += (size_t)n;
	drop_dates(t);
	return n;
}

/* The next bytes from the server are these. */
static void hear(struct talk *t, const char *want)
{
	size_t n = strlen(want);

	while (t->got_n < n && receive(t) > 0)
		;
	if (t->got_n < n || memcmp(t->got, want, n) != 0)
		fail_msg("heard:\n%.*s\ninstead of:\n%s", (int)t->got_n, t->got, want);
	t->got_n -= n;
	memmove(t->got, t->got + n, t->got_n);
}

static void end(struct talk *t)
{
	conn_close(t->client);
	for (unsigned i = 0; i < 1000 && !t->closed; i++)
		task_sleep(1);
	assert_int_equal(t->closed, 1);
	mem_free(t);
}

/* The server closes in an orderly way and says no more. */
static void hear_end(struct talk *t)
{
	ssize_t n = receive(t);

	if (n != 0 || t->got_n)
		fail_msg("no end: %zd, %.*s", n, (int)t->got_n, t->got);
	end(t);
}

#define CONVERSATION(name) \
	static void name##_task(void *arg); \
	static void test_##name(void **state) \
	{ \
		(void)state; \
		io_run(name##_task, NULL); \
	} \
	static void name##_task(__attribute__((unused)) void *arg)

/* ---- ordinary days ---- */

CONVERSATION(keep_alive)
{
	struct talk *t = begin();

	for (unsigned i = 0; i < 3; i++) {
		say(t, GET("/hello"));
		hear(t, HELLO);
	}
	assert_int_equal(t->requests, 3);
	/* Parked: no task but this one is left. */
	task_yield();
	assert_int_equal(loop_idle_count(loop_self()), 1);
	assert_int_equal(loop_tasks(loop_self()), 1);
	end(t);
}

CONVERSATION(close_on_demand)
{
	struct talk *t = begin();

	say(t, "GET /hello HTTP/1.1\r\n" H "Connection: close\r\n" E);
	hear(t, HELLO_CLOSE);
	hear_end(t);
}

CONVERSATION(pipelining)
{
	struct talk *t = begin();

	say(t,
		"\r\n" GET("/hello") "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n" E "abc" GET("/204")
			GET("/hello") "GET /hel");
	hear(t,
		HELLO "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
		      "HTTP/1.1 204 No Content\r\n\r\n" HELLO);
	say(t, "lo HTTP/1.1\r\n" H E);
	hear(t, HELLO);
	end(t);
}

CONVERSATION(many_pipelined)
{
	struct talk *t = begin();
	struct buf b = BUF_INIT(1 << 16);

	for (unsigned i = 0; i < 500; i++)
		buf_add_text(&b, GET("/204"));
	say_n(t, buf_span(&b));
	for (unsigned i = 0; i < 500; i++)
		hear(t, "HTTP/1.1 204 No Content\r\n\r\n");
	buf_done(&b);
	end(t);
}

CONVERSATION(byte_by_byte)
{
	struct talk *t = begin();

	say_bytewise(t,
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" E
		"3\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n" GET("/hello"));
	hear(t,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nabc0123456789\r\n"
		"0\r\nX-Sum: 1\r\n\r\n" HELLO);
	end(t);
}

CONVERSATION(chunked_upload_in_one_piece)
{
	struct talk *t = begin();

	say(t,
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" E
		"1\r\na\r\n1\r\nb\r\n8\r\n01234567\r\n0\r\n\r\n\r\n");
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab01234567");
	say(t, GET("/hello"));
	hear(t, HELLO);
	end(t);
}

CONVERSATION(unknown_length)
{
	struct talk *t = begin();

	say(t, GET("/unknown"));
	hear(t,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n10\r\nsixteen bytes...\r\n"
		"0\r\n\r\n");
	end(t);
}

CONVERSATION(no_body_where_none_belongs)
{
	struct talk *t = begin();

	say(t, "HEAD /hello HTTP/1.1\r\n" H E "HEAD /unknown HTTP/1.1\r\n" H E GET("/204") GET("/304") GET("/404"));
	hear(t,
		"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\n"
		"HTTP/1.1 200 OK\r\n\r\n"
		"HTTP/1.1 204 No Content\r\n\r\n"
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
		"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n12345");
	end(t);
}

CONVERSATION(many_pieces)
{
	struct talk *t = begin();
	char body[100];

	for (unsigned i = 0, n = 0; i < 100; i++)
		for (unsigned j = 0; j < i % 3; j++)
			body[n++] = "ab"[j];
	body[99] = '\0';
	say(t, GET("/pieces"));
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
	hear(t, body);
	end(t);
}

CONVERSATION(old_clients)
{
	struct talk *t = begin();

	say(t, "GET /hello HTTP/1.0\r\n" H "Connection: keep-alive\r\n" E);
	hear(t, "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
	say(t, "GET /hints HTTP/1.0\r\n" H "Connection: keep-alive\r\n" E);
	hear(t, "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
	say(t, "GET /unknown HTTP/1.0\r\n" H "Connection: keep-alive\r\n" E);
	hear(t, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none sixteen bytes...");
	hear_end(t);
	t = begin();
	say(t, "GET /hello HTTP/1.0\r\n" H E);
	hear(t, HELLO_CLOSE);
	hear_end(t);
}

CONVERSATION(interim)
{
	struct talk *t = begin();

	say(t, GET("/hints"));
	hear(t, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" HELLO);
	end(t);
}

CONVERSATION(large_head)
{
	struct talk *t = begin();
	struct buf b = BUF_INIT(1 << 17);

	for (unsigned round = 0; round < 2; round++) {
		buf_add_text(&b, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nCookie: ");
		for (unsigned i = 0; i < 20000; i++)
			buf_add_char(&b, 'c');
		buf_add_text(&b, "\r\n\r\n2\r\nab\r\n0\r\nX: ");
		for (unsigned i = 0; i < 8000; i++)
			buf_add_char(&b, 'x');
		buf_add_text(&b, "\r\n\r\n" GET("/hello"));
	}
	say_n(t, buf_span(&b));
	for (unsigned round = 0; round < 2; round++) {
		hear(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: ");
		for (unsigned i = 0; i < 8000; i++)
			hear(t, "x");
		hear(t, "\r\n\r\n" HELLO);
	}
	buf_done(&b);
	end(t);
}

CONVERSATION(requests_are_counted)
{
	struct talk *t = begin();

	t->server.limits.requests_max = 2;
	say(t, GET("/hello") GET("/hello") GET("/hello"));
	hear(t, HELLO HELLO_CLOSE);
	hear_end(t);
}

CONVERSATION(draining)
{
	struct talk *t = begin();

	say(t, GET("/hello"));
	hear(t, HELLO);
	t->draining = true;
	say(t, GET("/hello"));
	hear(t, HELLO_CLOSE);
	hear_end(t);
	t = begin();
	say(t, GET("/hello"));
	hear(t, HELLO);
	task_yield();
	loop_idle_stop_all();
	hear_end(t);
}

CONVERSATION(upgrade)
{
	struct talk *t = begin();

	say(t, "GET /upgrade HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: websocket\r\n" E "early");
	hear(t,
		"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\nearly");
	say(t, "late");
	hear(t, "late");
	conn_shutdown(t->client, WAIT);
	hear_end(t);
	t = begin();
	say(t, GET("/upgrade"));
	hear(t, HELLO);
	end(t);
}

/* ---- 100-continue, bodies nobody reads ---- */

#define EXPECT "Expect: 100-continue\r\nContent-Length: 3\r\n"

CONVERSATION(continue_is_sent_when_the_body_is_read)
{
	struct talk *t = begin();

	say(t, "POST /echo HTTP/1.1\r\n" H EXPECT E);
	hear(t, "HTTP/1.1 100 Continue\r\n\r\n");
	say(t, "abc");
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
	/* The body is on its way already. */
	say(t, "POST /echo HTTP/1.1\r\n" H EXPECT E "abc");
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
	end(t);
}

CONVERSATION(continue_is_not_sent_when_nobody_reads)
{
	struct talk *t = begin();

	say(t, "POST /hello HTTP/1.1\r\n" H EXPECT E);
	hear(t, HELLO_CLOSE);
	hear_end(t);
}

CONVERSATION(an_unread_body_is_dropped)
{
	struct talk *t = begin();

	say(t, "POST /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n" E "abc" GET("/hello"));
	hear(t, HELLO HELLO);
	say(t, "POST /hello HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" E);
	hear(t, HELLO);
	say(t, "3\r\nabc\r\n0\r\n\r\n" GET("/hello"));
	hear(t, HELLO);
	end(t);
}

CONVERSATION(a_large_unread_body_ends_the_connection)
{
	struct talk *t = begin();
	char zeros[1000] = { 0 };

	say(t, "POST /hello HTTP/1.1\r\n" H "Content-Length: 100000\r\n" E);
	hear(t, HELLO_CLOSE);
	for (unsigned i = 0; i < 100; i++)
		say_n(t, span_make(zeros, sizeof(zeros)));
	hear_end(t);
}

/* ---- misbehaviour ---- */

CONVERSATION(refusals)
{
	static const struct {
		const char *said, *heard;
		enum fault_code code;
	} rows[] = {
		{ "GET / HTTP/1.1\n", REFUSED_400, FAULT_HTTP_BAD_LINE_END },
		{ GET("/#"), REFUSED_400, FAULT_HTTP_BAD_TARGET },
		{ "GET / HTTP/1.1\r\n\r\n", REFUSED_400, FAULT_HTTP_NO_HOST },
		{ "GET / HTTP/3.0\r\n" H E, REFUSED("505 HTTP Version Not Supported", "31"), FAULT_HTTP_BAD_VERSION },
		{ "CONNECT a:443 HTTP/1.1\r\n" H E, REFUSED("501 Not Implemented", "20"), FAULT_HTTP_CONNECT },
		{ "GET / HTTP/1.1\r\n" H "Expect: x\r\n" E, REFUSED("417 Expectation Failed", "23"),
			FAULT_HTTP_BAD_EXPECT },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" E
		  "0\r\n\r\n" GET("/hello"),
			REFUSED_400, FAULT_HTTP_LENGTH_AND_CODING },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct talk *t = begin();

		say(t, rows[i].said);
		hear(t, rows[i].heard);
		assert_int_equal(t->refused_code, rows[i].code);
		assert_int_equal(t->requests, 0);
		hear_end(t);
	}
}

CONVERSATION(a_refusal_ends_the_pipeline)
{
	struct talk *t = begin();

	say(t, GET("/hello") "GET /hello\r\n\r\n" GET("/hello"));
	hear(t, HELLO REFUSED_400);
	assert_int_equal(t->requests, 1);
	assert_int_equal(t->refused, 400);
	hear_end(t);
}

CONVERSATION(a_slow_head_is_refused)
{
	struct talk *t = begin();

	t->server.limits.head_timeout_ms = 60;
	say(t, "GET / HTTP/1.1\r\n");
	hear(t, REFUSED_408);
	assert_int_equal(t->refused_code, FAULT_HTTP_SLOW_HEAD);
	hear_end(t);
}

CONVERSATION(silence_is_parked_and_ends_quietly)
{
	struct talk *t = begin();

	t->server.limits.keep_alive_ms = 100;
	task_sleep(50);
	assert_int_equal(loop_idle_count(loop_self()), 1);
	assert_int_equal(loop_tasks(loop_self()), 1);
	hear_end(t);
}

CONVERSATION(idle_connections_end)
{
	struct talk *t = begin();

	t->server.limits.keep_alive_ms = 30;
	say(t, GET("/hello"));
	hear(t, HELLO);
	hear_end(t);
}

CONVERSATION(a_slow_body_is_refused)
{
	struct talk *t = begin();

	t->server.limits.body_timeout_ms = 30;
	say(t, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n" E "ab");
	hear(t, REFUSED_408);
	assert_int_equal(t->body_error, -ETIMEDOUT);
	assert_int_equal(t->refused_code, FAULT_HTTP_SLOW_BODY);
	hear_end(t);
}

CONVERSATION(a_broken_body_is_refused)
{
	static const char *const bodies[] = { "3;x=\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n", "x", "0\r\nX : y\r\n\r\n",
		"0\r\n\n" };

	for (size_t i = 0; i < array_len(bodies); i++) {
		struct talk *t = begin();

		say(t, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" E);
		say(t, bodies[i]);
		hear(t, REFUSED_400);
		assert_int_equal(t->body_error, -EPROTO);
		assert_int_equal(t->refused_code, FAULT_HTTP_BAD_CHUNKS);
		hear_end(t);
	}
}

CONVERSATION(a_client_that_leaves_within_its_body)
{
	struct talk *t = begin();

	say(t, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n" E "ab");
	conn_shutdown(t->client, WAIT);
	hear(t, REFUSED_400);
	assert_int_equal(t->body_error, -ECONNRESET);
	hear_end(t);
}

CONVERSATION(a_client_that_leaves_within_its_head)
{
	struct talk *t = begin();

	say(t, "GET /hello HT");
	conn_shutdown(t->client, WAIT);
	assert_int_equal(t->requests, 0);
	hear_end(t);
}

CONVERSATION(a_client_that_only_sends_no_more)
{
	struct talk *t = begin();

	say(t, GET("/hello"));
	conn_shutdown(t->client, WAIT);
	hear(t, HELLO);
	hear_end(t);
}

CONVERSATION(a_client_that_does_not_read)
{
	struct talk *t = begin();

	t->server.limits.send_timeout_ms = 50;
	say(t, GET("/flood"));
	for (unsigned i = 0; i < 5000 && !t->closed; i++)
		task_sleep(1);
	assert_int_equal(t->send_error, -ETIMEDOUT);
	end(t);
}

/* ---- broken answers ---- */

CONVERSATION(a_broken_answer_looks_broken)
{
	struct talk *t = begin();
	ssize_t n;

	say(t, GET("/half?length"));
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	assert_int_equal(t->send_error, -EPIPE);
	hear_end(t);
	t = begin();
	say(t, GET("/half"));
	hear(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
	hear_end(t);
	t = begin();
	say(t, GET("/wrong"));
	hear(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	assert_int_equal(t->send_error, -EMSGSIZE);
	hear_end(t);
	t = begin();
	say(t, GET("/nothing"));
	hear_end(t);
	/* A body that ends with the connection: only a reset tells. */
	t = begin();
	say(t, "GET /half HTTP/1.0\r\n" H E);
	while ((n = receive(t)) > 0)
		;
	assert_int_equal(n, -ECONNRESET);
	end(t);
}

CONVERSATION(responses_cannot_be_split)
{
	for (unsigned row = 0; row < 7; row++) {
		struct talk *t = begin();
		char said[64];

		snprintf(said, sizeof(said), "GET /split?%u HTTP/1.1\r\n" H E, row);
		say(t, said);
		hear_end(t);
	}
}

/* ---- over something that is no socket ---- */

struct script {
	struct conn_filter filter;
	struct span in;
	struct buf out;
	bool reset;
};

static struct script *script_of(struct conn_filter *f)
{
	return container_of(f, struct script, filter);
}

static ssize_t script_recv(struct conn_filter *f, void *p, size_t n, uint64_t deadline)
{
	struct script *s = script_of(f);

	n = n < s->in.n ? n : s->in.n;
	n = n < 7 ? n : 7;
	memcpy(p, s->in.p, n);
	s->in = span_from(s->in, n);
	return (ssize_t)n;
}

static ssize_t script_send(struct conn_filter *f, const struct iovec *iov, int count, uint64_t deadline)
{
	buf_add(&script_of(f)->out, iov->iov_base, iov->iov_len);
	return (ssize_t)iov->iov_len;
}

static size_t script_pending(struct conn_filter *f)
{
	return 0;
}

static int script_shutdown(struct conn_filter *f, uint64_t deadline)
{
	buf_add_text(&script_of(f)->out, "<end>");
	return 0;
}

static void script_free(struct conn_filter *f)
{
	buf_add_text(&script_of(f)->out, script_of(f)->reset ? "<reset>" : "<closed>");
}

static int script_wait(struct conn_filter *f, uint64_t deadline)
{
	return task_yield();
}

static void script_reset(struct conn_filter *f)
{
	script_of(f)->reset = true;
}

static bool script_has_ended(const struct conn_filter *f)
{
	return container_of(f, const struct script, filter)->in.n == 0;
}

static const struct conn_filter_ops script_ops = { .name = "script",
	.recv = script_recv,
	.send = script_send,
	.pending = script_pending,
	.shutdown = script_shutdown,
	.free = script_free,
	.wait = script_wait,
	.reset = script_reset,
	.has_ended = script_has_ended };

/* What is answered to said on such a connection. */
static void check_script(const char *said, const char *begins, const char *ends)
{
	struct script s = { .filter = { .ops = &script_ops }, .in = span_of(said), .out = BUF_INIT(65536) };
	struct net_addr nobody = { .n = sizeof(nobody.in), .in.sin_family = AF_INET };
	struct talk *t = begin_with(conn_new_over(&s.filter, &nobody, &nobody));

	run_server(t);
	assert_int_equal(t->closed, 1);
	mem_free(t);
	if (!span_starts(buf_span(&s.out), span_of(begins)) || !span_ends(buf_span(&s.out), span_of(ends)))
		fail_msg("said: %s", buf_text(&s.out));
	buf_done(&s.out);
}

CONVERSATION(a_connection_that_is_no_socket)
{
	check_script(GET("/hello") GET("/hello"), "HTTP/1.1 200 OK\r\n", "hello<end><closed>");
	check_script("POST /echo HTTP/1.1\r\n" H "Content-Length: 20\r\n" E "abcdefghijklmnopqrst" GET("/hello"),
		"HTTP/1.1 200 OK\r\n", "hello<end><closed>");
	check_script("GET /half HTTP/1.0\r\n" H E, "HTTP/1.1 200 OK\r\n", "<reset>");
	check_script("GET /hello HTTP/1.1\r\n" E, "HTTP/1.1 400 Bad Request\r\n", "400 Bad Request\n<end><closed>");
	check_script("GET /upgrade HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: x\r\n" E "early and late",
		"HTTP/1.1 101 Switching Protocols\r\n", "early and late<end><closed>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_close_on_demand),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_many_pipelined),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_chunked_upload_in_one_piece),
		cmocka_unit_test(test_unknown_length),
		cmocka_unit_test(test_no_body_where_none_belongs),
		cmocka_unit_test(test_many_pieces),
		cmocka_unit_test(test_old_clients),
		cmocka_unit_test(test_interim),
		cmocka_unit_test(test_large_head),
		cmocka_unit_test(test_requests_are_counted),
		cmocka_unit_test(test_draining),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_continue_is_sent_when_the_body_is_read),
		cmocka_unit_test(test_continue_is_not_sent_when_nobody_reads),
		cmocka_unit_test(test_an_unread_body_is_dropped),
		cmocka_unit_test(test_a_large_unread_body_ends_the_connection),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_a_refusal_ends_the_pipeline),
		cmocka_unit_test(test_a_slow_head_is_refused),
		cmocka_unit_test(test_silence_is_parked_and_ends_quietly),
		cmocka_unit_test(test_idle_connections_end),
		cmocka_unit_test(test_a_slow_body_is_refused),
		cmocka_unit_test(test_a_broken_body_is_refused),
		cmocka_unit_test(test_a_client_that_leaves_within_its_body),
		cmocka_unit_test(test_a_client_that_leaves_within_its_head),
		cmocka_unit_test(test_a_client_that_only_sends_no_more),
		cmocka_unit_test(test_a_client_that_does_not_read),
		cmocka_unit_test(test_a_broken_answer_looks_broken),
		cmocka_unit_test(test_responses_cannot_be_split),
		cmocka_unit_test(test_a_connection_that_is_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
