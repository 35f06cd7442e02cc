/* What is seen of a message that passes. Pure. See mail_priv.h. */
#include "mail/mail_priv.h"

static const char field[] = "received:";
#define FIELD_N  (sizeof(field) - 1)
#define NO_FIELD (FIELD_N + 1)

/* A byte of the header. */
static void header_byte(struct mail_measure *m, char c)
{
	if (c == '\n') {
		m->in_body = m->line_n == 0;
		m->line_n = 0;
		m->matched = 0;
		return;
	}
	if (c == '\r')
		return;
	m->line_n++;
	if (m->matched < FIELD_N)
		m->matched = ascii_lower(c) == field[m->matched] ? m->matched + 1 : NO_FIELD;
	if (m->matched == FIELD_N) {
		m->received++;
		m->matched = NO_FIELD;
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

void mail_measure(struct mail_measure *m, struct span content)
{
	m->bytes += content.n;
	if (!m->eight_bit)
		m->eight_bit = has_eight_bit(content);
	for (size_t i = 0; i < content.n && !m->in_body; i++)
		header_byte(m, content.p[i]);
}
