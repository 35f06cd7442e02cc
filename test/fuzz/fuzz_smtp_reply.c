/* Replies: a whole one stays the same whatever follows it, and what we make of it is a reply of at
 * most 512 bytes a line with the same code. */
#include <errno.h>
#include "base/mem.h"
#include "smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_print(const struct smtp_reply *reply)
{
	struct buf out = BUF_INIT(1 << 20);
	struct span rest, line;
	struct smtp_reply again;
	size_t used;

	smtp_reply_print(&out, reply, "5.0.0");
	rest = buf_span(&out);
	while (smtp_line_take(rest, &line, &used) == 1) {
		must(used <= 512);
		rest = span_from(rest, used);
	}
	must(rest.n == 0);
	if (out.n <= SMTP_REPLY_MAX)
		must(smtp_reply_parse(buf_span(&out), &again, &used) == 1 && used == out.n &&
			again.code == reply->code);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	struct smtp_reply reply, again;
	struct smtp_caps caps;
	size_t used, used_again;
	int r = smtp_reply_parse(bytes, &reply, &used);

	must(r == 1 || (r == 0 && size < SMTP_REPLY_MAX) || (r == -EMSGSIZE && size >= SMTP_REPLY_MAX) || r == -EPROTO);
	if (r != 1)
		return 0;
	must(used <= size && used <= SMTP_REPLY_MAX && reply.code >= 200 && reply.code <= 599);
	must(smtp_reply_parse(span_sub(bytes, 0, used), &again, &used_again) == 1 && used_again == used);
	must(smtp_reply_parse(span_sub(bytes, 0, used - 1), &again, &used_again) == 0);
	smtp_caps_parse(&reply, &caps);
	check_print(&reply);
	return 0;
}
