/* The client's side: what an origin hears, and what comes of what it says. */
#include <stdio.h>
#include "../io/io_test.h"
#include "http/h1_priv.h"

#define WAIT  deadline_in(10000)
#define OK200 "HTTP/1.1 200 OK\r\n"
#define E     "\r\n"

struct talk {
	struct conn *conn, *origin;
	struct arena arena;
	struct http_client client;
	struct fault fault;
};

static void begin(struct talk *t)
{
	int fd, error;

	t->conn = io_conn_pair(&fd);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	t->origin = conn_new(fd, &error);
	assert_non_null(t->origin);
	arena_init(&t->arena, 1024);
	http_client_init(&t->client, t->conn, &t->arena);
	t->client.body_timeout_ms = 10000;
	fault_clear(&t->fault);
}

static void end(struct talk *t)
{
	http_client_done(&t->client);
	arena_done(&t->arena);
	conn_close(t->conn);
	conn_close(t->origin);
}

/* The origin gets exactly this. */
static void hear(struct talk *t, const char *want)
{
	char got[4096];
	size_t n = 0;

	while (n < strlen(want)) {
		ssize_t r = conn_recv(t->origin, got + n, sizeof(got) - 1 - n, WAIT);

		assert_true(r > 0);
		n += (size_t)r;
	}
	got[n] = '\0';
	assert_string_equal(got, want);
}

/* ---- requests ---- */

static void requests(void *arg)
{
	struct http_fields fields = { 0 }, trailers = { 0 };
	struct http_client_request r = { .method = SPAN("GET"),
		.target = SPAN("/a?b"),
		.host = SPAN("a.de:81"),
		.fields = &fields,
		.length = -1 };
	struct talk t;

	(void)arg;
	begin(&t);
	assert_int_equal(http_client_send_head(&t.client, &r, WAIT), 0);
	hear(&t, "GET /a?b HTTP/1.1\r\nHost: a.de:81\r\n\r\n");
	http_fields_add_name(&fields, &t.arena, SPAN("X-A"), SPAN("b"));
	r.method = SPAN("POST");
	assert_int_equal(http_client_send_head(&t.client, &r, WAIT), 0);
	hear(&t, "POST /a?b HTTP/1.1\r\nHost: a.de:81\r\nX-A: b\r\nContent-Length: 0\r\n\r\n");
	r.has_body = true;
	r.length = 3;
	assert_int_equal(http_client_send_head(&t.client, &r, WAIT), 0);
	assert_int_equal(http_client_send_body(&t.client, SPAN("abc"), false, WAIT), 0);
	assert_int_equal(http_client_send_end(&t.client, false, NULL, WAIT), 0);
	hear(&t, "POST /a?b HTTP/1.1\r\nHost: a.de:81\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
	r.length = -1;
	http_fields_add_name(&trailers, &t.arena, SPAN("X-Sum"), SPAN("1"));
	assert_int_equal(http_client_send_head(&t.client, &r, WAIT), 0);
	assert_int_equal(http_client_send_body(&t.client, SPAN("sixteen bytes..."), true, WAIT), 0);
	assert_int_equal(http_client_send_body(&t.client, SPAN(""), true, WAIT), 0);
	assert_int_equal(http_client_send_end(&t.client, true, &trailers, WAIT), 0);
	hear(&t,
		"POST /a?b HTTP/1.1\r\nHost: a.de:81\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
		"10\r\nsixteen bytes...\r\n0\r\nX-Sum: 1\r\n\r\n");
	r = (struct http_client_request){ .method = SPAN("GET"),
		.target = SPAN("/"),
		.host = SPAN("a"),
		.upgrade = SPAN("websocket") };
	assert_int_equal(http_client_send_head(&t.client, &r, WAIT), 0);
	hear(&t, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	end(&t);
}

static void test_requests(void **state)
{
	(void)state;
	io_run(requests, NULL);
}

static void no_smuggling(void *arg)
{
	static const struct {
		struct span method, target, host, name, value;
	} rows[] = {
		{ SPAN("GET "), SPAN("/"), SPAN("a"), SPAN("X"), SPAN("y") },
		{ SPAN("GET"), SPAN(""), SPAN("a"), SPAN("X"), SPAN("y") },
		{ SPAN("GET"), SPAN("/ HTTP/1.1\r\n"), SPAN("a"), SPAN("X"), SPAN("y") },
		{ SPAN("GET"), SPAN("/"), SPAN("a\r\nX: y"), SPAN("X"), SPAN("y") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("X"), SPAN("y\r\nZ: z") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("X:"), SPAN("y") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("Host"), SPAN("b") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("content-length"), SPAN("5") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("Transfer-Encoding"), SPAN("chunked") },
		{ SPAN("GET"), SPAN("/"), SPAN("a"), SPAN("Connection"), SPAN("close") },
	};
	struct talk t;

	(void)arg;
	begin(&t);
	for (size_t i = 0; i < array_len(rows); i++) {
		struct http_fields fields = { 0 };
		struct http_client_request r = { .method = rows[i].method,
			.target = rows[i].target,
			.host = rows[i].host,
			.fields = &fields };

		http_fields_add_name(&fields, &t.arena, rows[i].name, rows[i].value);
		if (http_client_send_head(&t.client, &r, WAIT) != -EINVAL)
			fail_msg("row %zu", i);
	}
	assert_int_equal(t.conn->bytes_out, 0);
	end(&t);
}

static void test_no_smuggling(void **state)
{
	(void)state;
	io_run(no_smuggling, NULL);
}

/* ---- responses ---- */

struct row {
	const char *said;
	bool closes; /* the origin closes after that */
	int error;   /* of the head or the body */
	const char *body;
	bool reusable;
	enum http_method method;
};

static const struct row rows[] = {
	{ OK200 "Content-Length: 5\r\n" E "hello", false, 0, "hello", true },
	{ OK200 "Content-Length: 0\r\n" E, false, 0, "", true },
	{ OK200 "Content-Length: 5\r\n" E, false, 0, "", true, HTTP_HEAD },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n" E, false, 0, "", true },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", false, 0, "abcde", true },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "0\r\nX-Sum: 1\r\n\r\n", false, 0, "", true },
	{ OK200 "Content-Length: 5\r\nConnection: close\r\n" E "hello", true, 0, "hello", false },
	{ OK200 E "until the end", true, 0, "until the end", false },
	{ "HTTP/1.0 200 OK\r\n" E "until the end", true, 0, "until the end", false },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\n" OK200 "Content-Length: 2\r\n" E "ok", false,
		0, "ok", true },
	/* More than was asked for. */
	{ OK200 "Content-Length: 5\r\n" E "helloHTTP/1.1 200 OK\r\n", false, 0, "hello", false },
	{ OK200 "Content-Length: 5\r\n" E "hello", false, 0, "", false, HTTP_HEAD },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "0\r\n\r\nx", false, 0, "", false },
	{ "HTTP/1.1 204 No Content\r\n" E "0\r\n\r\n", false, 0, "", false },
	/* Less. */
	{ "", true, -ECONNRESET, "", false },
	{ "HTTP/1.1 200 O", true, -EPROTO, "", false },
	{ OK200 "Content-Length: 5\r\n" E "hell", true, -EPROTO, "hell", false },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "5\r\nhell", true, -EPROTO, "hell", false },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "4\r\nhell\r\n", true, -EPROTO, "hell", false },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "0\r\nX: y\r\n", true, -EPROTO, "", false },
	/* Nonsense. */
	{ "\n", false, -EPROTO, "", false },
	{ "SSH-2.0-OpenSSH_9.2\r\n\r\n", false, -EPROTO, "", false },
	{ OK200 "Content-Length: 5\r\nContent-Length: 5\r\n" E "hello", false, -EPROTO, "", false },
	{ OK200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" E "hello", false, -EPROTO, "", false },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "3;=x\r\nabc\r\n", false, -EPROTO, "", false },
	{ OK200 "Transfer-Encoding: chunked\r\n" E "0\r\nX : y\r\n\r\n", false, -EPROTO, "", false },
};

struct script {
	struct talk *t;
	const struct row *row;
	bool bytewise;
};

static void speak(void *arg)
{
	struct script *s = arg;
	const char *said = s->row->said;

	if (!s->bytewise)
		conn_write(s->t->origin, said, strlen(said), WAIT);
	for (; s->bytewise && *said; said++) {
		conn_write(s->t->origin, said, 1, WAIT);
		task_yield();
		task_yield();
	}
	if (s->row->closes)
		conn_shutdown(s->t->origin, WAIT);
}

/* Reads the final head and the body into out. */
static int read_all(struct talk *t, enum http_method method, struct buf *out)
{
	struct span piece = { 0 };
	int r;

	do {
		r = http_client_read_head(&t->client, method, WAIT, &t->fault);
		if (r < 0)
			return r;
	} while (t->client.resp.status < 200);
	do {
		r = http_client_read_body(&t->client, &piece);
		buf_add_span(out, piece);
	} while (r == 0 && piece.n);
	return r;
}

static void check_row(size_t i, bool bytewise)
{
	struct buf body = BUF_INIT(1024);
	struct talk t;
	struct script s = { &t, &rows[i], bytewise };
	int r;

	begin(&t);
	task_spawn("origin", speak, &s);
	/* All of it is there, so that what comes too much is seen. */
	if (!bytewise)
		task_yield();
	r = read_all(&t, rows[i].method, &body);
	if (r != rows[i].error || !span_eq(buf_span(&body), span_of(rows[i].body)))
		fail_msg("row %zu: %d, \"%s\"", i, r, buf_text(&body));
	if (r == 0 && !(bytewise && !rows[i].reusable) && http_client_reusable(&t.client) != rows[i].reusable)
		fail_msg("row %zu: reusable", i);
	/* The script may still be speaking. */
	for (unsigned j = 0; j < 1000 && loop_tasks(loop_self()) > 1; j++)
		task_yield();
	buf_done(&body);
	end(&t);
}

static void responses(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < array_len(rows); i++) {
		check_row(i, false);
		check_row(i, true);
	}
}

static void test_responses(void **state)
{
	(void)state;
	io_run(responses, NULL);
}

static void one_after_another(void *arg)
{
	struct buf body = BUF_INIT(1024);
	struct talk t;

	(void)arg;
	begin(&t);
	for (unsigned i = 0; i < 3; i++) {
		const char *said = OK200 "ETag: \"x\"\r\nTransfer-Encoding: chunked\r\n" E
					 "2\r\nab\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n";

		assert_int_equal(conn_write(t.origin, said, strlen(said), WAIT), 0);
		assert_int_equal(read_all(&t, HTTP_GET, &body), 0);
		assert_true(http_client_reusable(&t.client));
		assert_int_equal(t.client.trailers.n, 1);
		assert_true(span_eq(http_fields_value(&t.client.resp.fields, HTTP_ETAG), SPAN("\"x\"")));
	}
	assert_string_equal(buf_text(&body), "ababab");
	buf_done(&body);
	end(&t);
}

static void test_one_after_another(void **state)
{
	(void)state;
	io_run(one_after_another, NULL);
}

/* A head of 60000 bytes, then a body; and one that is too large. */
static void large_heads(void *arg)
{
	struct buf said = BUF_INIT(1 << 18), body = BUF_INIT(1024);
	struct talk t;

	(void)arg;
	begin(&t);
	buf_add_text(&said, OK200 "Content-Length: 2\r\nX: ");
	for (unsigned i = 0; i < 60000; i++)
		buf_add_char(&said, 'x');
	buf_add_text(&said, "\r\n\r\nok");
	assert_int_equal(conn_write(t.origin, said.p, said.n, WAIT), 0);
	assert_int_equal(read_all(&t, HTTP_GET, &body), 0);
	assert_string_equal(buf_text(&body), "ok");
	assert_true(http_client_reusable(&t.client));
	said.n -= 6;
	for (unsigned i = 0; i < 10000; i++)
		buf_add_char(&said, 'x');
	assert_int_equal(conn_write(t.origin, said.p, said.n, WAIT), 0);
	assert_int_equal(read_all(&t, HTTP_GET, &body), -EPROTO);
	assert_int_equal(t.fault.code, FAULT_HTTP_HEAD_TOO_LARGE);
	buf_done(&said);
	buf_done(&body);
	end(&t);
}

static void test_large_heads(void **state)
{
	(void)state;
	io_run(large_heads, NULL);
}

static void timeouts(void *arg)
{
	const char *said = OK200 "Content-Length: 5\r\n" E "he";
	struct span piece;
	struct talk t;

	(void)arg;
	begin(&t);
	t.client.body_timeout_ms = 20;
	assert_int_equal(http_client_read_head(&t.client, HTTP_GET, deadline_in(20), &t.fault), -ETIMEDOUT);
	assert_int_equal(conn_write(t.origin, said, strlen(said), WAIT), 0);
	assert_int_equal(http_client_read_head(&t.client, HTTP_GET, WAIT, &t.fault), 0);
	assert_int_equal(http_client_read_body(&t.client, &piece), 0);
	assert_int_equal(piece.n, 2);
	assert_int_equal(http_client_read_body(&t.client, &piece), -ETIMEDOUT);
	assert_false(http_client_reusable(&t.client));
	end(&t);
}

static void test_timeouts(void **state)
{
	(void)state;
	io_run(timeouts, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_smuggling),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_one_after_another),
		cmocka_unit_test(test_large_heads),
		cmocka_unit_test(test_timeouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
