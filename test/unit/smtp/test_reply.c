/* Replies and capabilities. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"
#include "smtp/smtp.h"

static void test_read(void **state)
{
	static const struct {
		const char *bytes;
		int result;
		unsigned code;
		const char *enhanced, *text;
	} rows[] = {
		{ "250 2.1.0 Ok\r\n", 1, 250, "2.1.0", "Ok" },
		{ "250\r\n", 1, 250, "", "" },
		{ "250 \r\n", 1, 250, "", "" },
		{ "354 go\r\n", 1, 354, "", "go" },
		{ "550-5.1.1 no\r\n550 5.1.1 such user\r\n", 1, 550, "5.1.1", "no" },
		{ "550 5.1.1\r\n", 1, 550, "5.1.1", "" },
		{ "550 4.1.1 class differs\r\n", 1, 550, "", "4.1.1 class differs" },
		{ "550 5.1234.1 x\r\n", 1, 550, "", "5.1234.1 x" },
		{ "550 5.1.x\r\n", 1, 550, "", "5.1.x" },
		{ "250-a\r\n", 0, 0, NULL, NULL },
		{ "250 a", 0, 0, NULL, NULL },
		{ "250-a\r\n251 b\r\n", -EPROTO, 0, NULL, NULL },
		{ "25 a\r\n", -EPROTO, 0, NULL, NULL },
		{ "150 a\r\n", -EPROTO, 0, NULL, NULL },
		{ "600 a\r\n", -EPROTO, 0, NULL, NULL },
		{ "250_a\r\n", -EPROTO, 0, NULL, NULL },
		{ "250 a\n", 1, 250, "", "a" },
		{ "250-a\n250 b\r\n", 1, 250, "", "a" },
		{ "550 5.1.1 a\rb\r\r\n", 1, 550, "5.1.1", "a\rb\r" },
		{ "\n", -EPROTO, 0, NULL, NULL },
		{ "2\r\n", -EPROTO, 0, NULL, NULL },
		{ "HTTP/1.1 400 Bad Request\r\n", -EPROTO, 0, NULL, NULL },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct smtp_reply reply;
		size_t used = 0;
		int r = smtp_reply_parse(span_of(rows[i].bytes), &reply, &used);

		if (r != rows[i].result)
			fail_msg("%s: %d", rows[i].bytes, r);
		if (r != 1)
			continue;
		assert_int_equal(reply.code, rows[i].code);
		assert_int_equal(used, strlen(rows[i].bytes));
		assert_span(reply.enhanced, rows[i].enhanced);
		assert_span(reply.text, rows[i].text);
	}
}

/* Every beginning of a reply asks for more; what follows it stays. */
static void test_pieces(void **state)
{
	struct span all = SPAN("250-mx.example\r\n250-SIZE 1000\r\n250 DSN\r\n354 next\r\n");
	struct smtp_reply reply;
	size_t whole = all.n - strlen("354 next\r\n"), used;

	for (size_t n = 0; n < whole; n++)
		assert_int_equal(smtp_reply_parse(span_sub(all, 0, n), &reply, &used), 0);
	assert_int_equal(smtp_reply_parse(all, &reply, &used), 1);
	assert_int_equal(used, whole);
}

static void test_endless(void **state)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(4 * SMTP_REPLY_MAX);
	struct smtp_reply reply;
	size_t used;

	while (bytes.n < 2 * SMTP_REPLY_MAX)
		buf_add_text(&bytes, "250-more\r\n");
	assert_int_equal(smtp_reply_parse(buf_span(&bytes), &reply, &used), -EMSGSIZE);
	assert_int_equal(smtp_reply_parse(span_sub(buf_span(&bytes), 0, SMTP_REPLY_MAX - 1), &reply, &used), 0);
}

static void test_caps(void **state)
{
	struct smtp_reply reply;
	struct smtp_caps caps;
	size_t used;

	assert_int_equal(smtp_reply_parse(SPAN("250-DSN.example CHUNKING\r\n250-pipelining\r\n250-SIZE 1000\r\n"
					       "250-X-SOMETHING\r\n250-XCLIENT NAME ADDR PROTO\r\n250 8BITMIME\r\n"),
				 &reply, &used),
		1);
	smtp_caps_parse(&reply, &caps);
	assert_int_equal(caps.mask,
		SMTP_CAP_EHLO | SMTP_CAP_PIPELINING | SMTP_CAP_SIZE | SMTP_CAP_XCLIENT | SMTP_CAP_8BITMIME);
	assert_int_equal(caps.size_max, 1000);
	assert_int_equal(caps.xclient, SMTP_XCLIENT_NAME | SMTP_XCLIENT_ADDR | SMTP_XCLIENT_PROTO);
}

static void print(const char *bytes, const char *fallback, const char *want)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);
	struct smtp_reply reply;
	size_t used;

	assert_int_equal(smtp_reply_parse(span_of(bytes), &reply, &used), 1);
	smtp_reply_print(&out, &reply, fallback);
	assert_span(buf_span(&out), want);
}

static void test_print(void **state)
{
	print("550 5.1.1 no such user\r\n", "5.0.0", "550 5.1.1 no such user\r\n");
	print("550 no such user\r\n", "5.0.0", "550 5.0.0 no such user\r\n");
	print("550-5.7.1 a\r\n550 5.7.1 b\r\n", "5.0.0", "550-5.7.1 a\r\n550 5.7.1 b\r\n");
	print("550-5.7.1 a\n550 5.7.1 b\rc\n", "5.0.0", "550-5.7.1 a\r\n550 5.7.1 b?c\r\n");
	print("250 2.0.0 J\xc3\xb6rg \x1b[1m \xff\r\n", "2.0.0", "250 2.0.0 J\xc3\xb6rg ?[1m ?\r\n");
}

static void test_print_long(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);
	char text[2000];

	memset(text, 'x', sizeof(text));
	smtp_answer_line(&out, 451, "4.4.1", span_make(text, sizeof(text)), false);
	assert_int_equal(out.n, 512);
	assert_true(span_ends(buf_span(&out), SPAN("x\r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
