/* The message between DATA and its dot: what ends it, what breaks it, and that splitting changes
 * nothing. */
#include "../unit.h"
#include "base/buf.h"
#include "base/mem.h"
#include "smtp/smtp.h"

struct outcome {
	int result;
	size_t used;
	struct buf content;
};

/* Reads bytes in two pieces. */
static void read_split(struct span bytes, size_t at, struct outcome *ret)
{
	struct smtp_data d = { 0 };
	size_t used;

	*ret = (struct outcome){ .content = BUF_INIT(65536) };
	ret->result = smtp_data_read(&d, span_sub(bytes, 0, at), &ret->content, &ret->used);
	if (ret->result != 0)
		return;
	assert_int_equal(ret->used, at);
	ret->result = smtp_data_read(&d, span_from(bytes, at), &ret->content, &used);
	ret->used += used;
}

static void expect(struct span bytes, int result, size_t used, const char *content)
{
	for (size_t at = 0; at <= bytes.n; at++) {
		struct outcome o;

		read_split(bytes, at, &o);
		if (o.result != result || (result == 1 && o.used != used))
			fail_msg("\"%.*s\" split at %zu: %d, %zu bytes", SPAN_ARG(bytes), at, o.result, o.used);
		if (result >= 0)
			assert_span(buf_span(&o.content), content);
		buf_done(&o.content);
	}
}

static void test_ends(void **state)
{
	expect(SPAN(".\r\n"), 1, 3, "");
	expect(SPAN("a\r\n.\r\nQUIT\r\n"), 1, 6, "a\r\n");
	expect(SPAN("a\r\n\r\n.\r\n"), 1, 8, "a\r\n\r\n");
	expect(SPAN("..\r\n.\r\n"), 1, 7, ".\r\n");
	expect(SPAN("..a\r\n.b\r\n.\r\n"), 1, 12, ".a\r\nb\r\n");
	expect(SPAN("a.\r\n.\r\n"), 1, 7, "a.\r\n");
	expect(SPAN("a\r\n."), 0, 0, "a\r\n");
	expect(SPAN("a\r\n.\r"), 0, 0, "a\r\n");
	expect(SPAN("a"), 0, 0, "a");
}

/* The ends of data with which mail is smuggled (SEC Consult, CVE-2023-51764 to -51766): none ends a
 * message here. */
static void test_smuggling(void **state)
{
	static const struct span ends[] = {
		SPAN("\n.\n"),
		SPAN("\n.\r\n"),
		SPAN("\r.\r"),
		SPAN("\r.\r\n"),
		SPAN("\r\n.\n"),
		SPAN("\r\n.\r"),
		SPAN("\n.\r"),
		SPAN("\r.\n"),
		SPAN("\r\n\0.\r\n"),
		SPAN("\r\n.\0\r\n"),
	};

	for (size_t i = 0; i < array_len(ends); i++) {
		_cleanup_(buf_done) struct buf bytes = BUF_INIT(4096);

		buf_add_text(&bytes, "Subject: a\r\n\r\nfirst");
		buf_add_span(&bytes, ends[i]);
		buf_add_text(&bytes, "MAIL FROM:<b@example>\r\nDATA\r\nsecond\r\n.\r\n");
		expect(buf_span(&bytes), -EBADMSG, 0, "");
	}
}

static void test_chunks(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct smtp_data d = { 0 };

	assert_int_equal(smtp_chunk_read(&d, SPAN("a\r\n.\r\n.b\r"), &out), 0);
	assert_false(smtp_chunks_end(&d, &out));
	assert_int_equal(smtp_chunk_read(&d, SPAN("\nc"), &out), 0);
	assert_true(smtp_chunks_end(&d, &out));
	assert_span(buf_span(&out), "a\r\n.\r\n.b\r\nc");
	assert_int_equal(smtp_chunk_read(&d, SPAN("\n"), &out), -EBADMSG);
	d = (struct smtp_data){ 0 };
	assert_int_equal(smtp_chunk_read(&d, SPAN("\rx"), &out), -EBADMSG);
	d = (struct smtp_data){ 0 };
	assert_int_equal(smtp_chunk_read(&d, SPAN("\0"), &out), -EBADMSG);
}

/* A reader that mends: the same, wherever the bytes are split; an end is one only between CRLFs. */
static void test_mend(void **state)
{
	static const struct {
		struct span bytes;
		int result;
		const char *content;
	} rows[] = {
		{ SPAN("a\nb\rc\r\n.\r\n"), 1, "a\r\nb\r\nc\r\n" },
		{ SPAN("a\r\r\nb\r\r\r\n\r\n.\r\n"), 1, "a\r\nb\r\n\r\n" },
		{ SPAN("\n\r\n.\r\n"), 1, "\r\n\r\n" },
		{ SPAN("a\n..b\n.c\r\n.\r\n"), 1, "a\r\n.b\r\nc\r\n" },
		{ SPAN("a\n.\r\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\n.\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\r\n.\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\r\n.\rb"), -EBADMSG, "a\r\n" },
		{ SPAN("a\r\n.\r\r\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\r.\r\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\r\r\n.\r\n"), -EBADMSG, "a\r\n" },
		{ SPAN("a\0"), -EBADMSG, "a" },
	};

	for (size_t i = 0; i < array_len(rows); i++)
		for (size_t split = 0; split <= rows[i].bytes.n; split++) {
			_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
			struct smtp_data d = { .mend = true };
			size_t used;
			int r = smtp_data_read(&d, span_sub(rows[i].bytes, 0, split), &out, &used);

			if (r == 0)
				r = smtp_data_read(&d, span_from(rows[i].bytes, split), &out, &used);
			assert_int_equal(r, rows[i].result);
			assert_span(buf_span(&out), rows[i].content);
		}
}

/* What the writer writes, the reader reads back, wherever it was split. */
static void test_write(void **state)
{
	struct span content = SPAN(".\r\n..\r\n.a\r\n\r\nb.c\r\n.");
	struct span want = SPAN("..\r\n...\r\n..a\r\n\r\nb.c\r\n..\r\n.\r\n");

	for (size_t at = 0; at <= content.n; at++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT(4096), back = BUF_INIT(4096);
		struct smtp_dot_stuffing w = { 0 };
		struct smtp_data d = { 0 };
		size_t used;

		smtp_dot_stuffing_write(&w, span_sub(content, 0, at), &out);
		smtp_dot_stuffing_write(&w, span_from(content, at), &out);
		smtp_dot_stuffing_end(&w, &out);
		assert_true(span_eq(buf_span(&out), want));
		assert_int_equal(smtp_data_read(&d, buf_span(&out), &back, &used), 1);
		assert_int_equal(used, out.n);
		assert_span(span_sub(buf_span(&back), 0, content.n), ".\r\n..\r\n.a\r\n\r\nb.c\r\n.");
		assert_int_equal(back.n, content.n + 2);
	}
}

static void test_write_empty(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(16);
	struct smtp_dot_stuffing w = { 0 };

	smtp_dot_stuffing_end(&w, &out);
	assert_span(buf_span(&out), ".\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_mend),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
