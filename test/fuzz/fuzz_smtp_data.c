/* The message's framing: however the bytes are split, the outcome is the same; what was read can be
 * written and read back, and holds no lone CR or LF and no NUL. First byte: where to split. */
#include <errno.h>
#include "base/mem.h"
#include "smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		must(s.p[i] != '\0');
		must(s.p[i] != '\n' || (i > 0 && s.p[i - 1] == '\r'));
		must(s.p[i] != '\r' || (i + 1 < s.n && s.p[i + 1] == '\n'));
	}
}

static void check_way_back(struct span content)
{
	struct buf wire = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22);
	struct smtp_dot_stuffing w = { 0 };
	struct smtp_data d = { 0 };
	size_t used;

	smtp_dot_stuffing_write(&w, content, &wire);
	smtp_dot_stuffing_end(&w, &wire);
	must(smtp_data_read(&d, buf_span(&wire), &back, &used) == 1);
	must(used == wire.n);
	must(span_eq(span_sub(buf_span(&back), 0, content.n), content) && back.n - content.n <= 2);
	buf_done(&wire);
	buf_done(&back);
}

/* A reader that mends finds an end exactly where CRLF.CRLF stands, and hands on whole lines. */
static void check_mended(struct span bytes)
{
	struct smtp_data d = { .mend = true }, c = { .mend = true };
	struct buf out = BUF_INIT(1 << 22), chunk = BUF_INIT(1 << 22);
	size_t used;
	int r = smtp_data_read(&d, bytes, &out, &used);

	if (r == 1)
		must(used >= 3 && memcmp(bytes.p + used - 3, ".\r\n", 3) == 0 &&
			(used == 3 || (used >= 5 && memcmp(bytes.p + used - 5, "\r\n", 2) == 0)));
	if (r == 1) {
		check_lines(buf_span(&out));
		check_way_back(buf_span(&out));
	}
	if (smtp_chunk_read(&c, bytes, &chunk) == 0) {
		must(smtp_chunks_end(&c, &chunk));
		check_lines(buf_span(&chunk));
	}
	buf_done(&out);
	buf_done(&chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_from(span_make(data, size), 1), first;
	struct buf once = BUF_INIT(1 << 21), twice = BUF_INIT(1 << 21), chunk = BUF_INIT(1 << 21);
	struct smtp_data d = { 0 }, split = { 0 }, c = { 0 };
	size_t used, used_first, used_second = 0;
	int r, again;

	if (size == 0)
		return 0;
	first = span_sub(bytes, 0, data[0]);
	r = smtp_data_read(&d, bytes, &once, &used);
	again = smtp_data_read(&split, first, &twice, &used_first);
	if (again == 0)
		again = smtp_data_read(&split, span_from(bytes, first.n), &twice, &used_second);
	must(r == again && used == used_first + used_second);
	must(r == 0 || r == 1 || r == -EBADMSG);
	must(span_eq(buf_span(&once), buf_span(&twice)));
	if (r == 1) {
		check_lines(buf_span(&once));
		check_way_back(buf_span(&once));
	}
	check_mended(bytes);
	if (smtp_chunk_read(&c, bytes, &chunk) == 0 && smtp_chunks_end(&c, &chunk)) {
		must(span_eq(buf_span(&chunk), bytes));
		check_lines(bytes);
		check_way_back(bytes);
	}
	buf_done(&once);
	buf_done(&twice);
	buf_done(&chunk);
	return 0;
}
