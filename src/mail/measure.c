/* What is seen of a message that passes. Pure. See mail_priv.h. */
#include "mail/mail_priv.h"

static const char field[] = "received:";
#define FIELD_N  (sizeof(field) - 1)
#define NO_FIELD (FIELD_N + 1)

/* A byte of the header. */
static void header_byte(struct mail_scan *scan, char c)
{
	if (c == '\n') {
		scan->in_body = scan->line_n == 0;
		scan->line_n = 0;
		scan->matched = 0;
		return;
	}
	if (c == '\r')
		return;
	scan->line_n++;
	if (scan->matched < FIELD_N)
		scan->matched = ascii_lower(c) == field[scan->matched] ? scan->matched + 1 : NO_FIELD;
	if (scan->matched == FIELD_N) {
		scan->received++;
		scan->matched = NO_FIELD;
	}
}

static bool has_eight_bit(struct span s)
{
	uint64_t word = 0, some;
	size_t i = 0;

	for (; i + sizeof(some) <= s.n; i += sizeof(some)) {
		memcpy(&some, s.p + i, sizeof(some));
		word |= some;
	}
	for (; i < s.n; i++)
		word |= (unsigned char)s.p[i];
	return (word & 0x8080808080808080u) != 0;
}

void mail_scan(struct mail_scan *scan, struct span content)
{
	scan->bytes += content.n;
	if (!scan->eight_bit)
		scan->eight_bit = has_eight_bit(content);
	for (size_t i = 0; i < content.n && !scan->in_body; i++)
		header_byte(scan, content.p[i]);
}
