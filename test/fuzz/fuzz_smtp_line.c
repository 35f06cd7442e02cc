/* Command lines and addresses: what is taken has no byte that could end a line, borrows from the
 * input, and an address that is printed reads back as the same. */
#include "base/mem.h"
#include "smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const struct smtp_path *path)
{
	struct buf text = BUF_INIT(4096), mailbox = BUF_INIT(4096);
	struct smtp_path again;
	struct span rest;

	smtp_path_print(path, &text);
	smtp_path_mailbox(path, &mailbox);
	for (size_t i = 0; i < text.n; i++)
		must((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f);
	rest = buf_span(&text);
	must(smtp_path_parse(&rest, &again) == 0 && rest.n == 0);
	must(span_eq(again.local, path->local) && span_eq(again.domain, path->domain) && again.utf8 == path->utf8);
	must(mailbox.n <= text.n);
	buf_done(&text);
	buf_done(&mailbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size), text;
	struct smtp_line line;
	struct smtp_mail mail;
	struct smtp_rcpt rcpt;
	size_t used;
	uint64_t n;
	bool last;

	/* Whoever says more does not become a mail client by that. */
	if (size > 1 && smtp_find_foreign(span_sub(bytes, 0, size - 1), true))
		must(smtp_find_foreign(bytes, true));
	smtp_find_foreign(bytes, false);
	if (smtp_line_take(bytes, &text, &used) != 1)
		return 0;
	must(used == text.n + 2 && used <= size && used <= SMTP_LINE_MAX);
	if (smtp_line_parse(text, &line))
		return 0;
	if (line.verb == SMTP_MAIL && !smtp_mail_parse(line.args, &mail))
		check_path(&mail.from);
	if (line.verb == SMTP_RCPT && !smtp_rcpt_parse(line.args, true, &rcpt))
		check_path(&rcpt.to);
	if (line.verb == SMTP_BDAT)
		smtp_bdat_parse(line.args, &n, &last);
	return 0;
}
