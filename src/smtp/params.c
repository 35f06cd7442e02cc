/*
 * The parameters of MAIL, RCPT and BDAT: one table a command. A parameter that is not in the table
 * is refused (555), one that stands twice or does not fit as well (501).
 */
#include "base/mem.h"
#include "smtp/smtp.h"

#define ENVID_MAX 100 /* RFC 3461 4.4 */
#define ORCPT_MAX 500 /* RFC 3461 4.2 */

static const struct smtp_answer bad_sender = { 501, "5.1.7", "The sender's address is malformed" };
static const struct smtp_answer bad_recipient = { 501, "5.1.3", "The recipient's address is malformed" };
static const struct smtp_answer bad_param = { 501, "5.5.4", "A parameter is malformed or stands twice" };
static const struct smtp_answer unknown_param = { 555, "5.5.4", "A parameter is not known here" };
static const struct smtp_answer sender_utf8 = { 553, "5.6.7", "This address needs SMTPUTF8" };
static const struct smtp_answer bad_chunk = { 501, "5.5.4", "BDAT is followed by a length and maybe LAST" };

/* ---- values ---- */

/* xtext of RFC 3461 4, also with the UTF-8 of RFC 6533 3. */
static bool is_xtext(struct span s)
{
	while (s.n > 0) {
		size_t n = span_utf8(s);
		uint64_t byte;

		if (n == 0 || (n == 1 && (*s.p < '!' || *s.p > '~' || *s.p == '=')))
			return false;
		if (*s.p == '+') {
			if (s.n < 3 || span_to_hex_u64(span_sub(s, 1, 2), &byte) < 0)
				return false;
			n = 3;
		}
		s = span_from(s, n);
	}
	return true;
}

static bool take_size(void *to, struct span value)
{
	struct smtp_mail *m = to;

	return value.n <= 20 && span_to_u64(value, &m->size) == 0;
}

static bool take_body(void *to, struct span value)
{
	struct smtp_mail *m = to;

	if (span_eq_nocase(value, SPAN("7BIT")))
		m->body = SMTP_BODY_7BIT;
	else if (span_eq_nocase(value, SPAN("8BITMIME")))
		m->body = SMTP_BODY_8BITMIME;
	return m->body != SMTP_BODY_NONE;
}

static bool take_utf8(void *to, struct span value)
{
	struct smtp_mail *m = to;

	m->utf8 = true;
	return value.n == 0;
}

static bool take_ret(void *to, struct span value)
{
	struct smtp_mail *m = to;

	if (span_eq_nocase(value, SPAN("FULL")))
		m->ret = SMTP_RET_FULL;
	else if (span_eq_nocase(value, SPAN("HDRS")))
		m->ret = SMTP_RET_HDRS;
	return m->ret != SMTP_RET_NONE;
}

static bool take_envid(void *to, struct span value)
{
	struct smtp_mail *m = to;

	m->envid = value;
	return value.n > 0 && value.n <= ENVID_MAX && is_xtext(value);
}

static bool take_notify(void *to, struct span value)
{
	struct smtp_rcpt *r = to;
	struct span rest = value, word;

	r->notify = value;
	if (span_eq_nocase(value, SPAN("NEVER")))
		return true;
	while (span_cut(&rest, ',', &word))
		if (!span_eq_nocase(word, SPAN("SUCCESS")) && !span_eq_nocase(word, SPAN("FAILURE")) &&
			!span_eq_nocase(word, SPAN("DELAY")))
			return false;
	return value.n > 0;
}

static bool take_orcpt(void *to, struct span value)
{
	struct smtp_rcpt *r = to;
	ptrdiff_t semicolon = span_index(value, ';');

	r->orcpt = value;
	return semicolon > 0 && value.n <= ORCPT_MAX && value.n > (size_t)semicolon + 1 && is_xtext(value);
}

/* ---- the tables ---- */

struct param {
	const char *name;
	bool (*take)(void *to, struct span value);
};
static const struct param mail_params[] = {
	{ "SIZE", take_size },
	{ "BODY", take_body },
	{ "SMTPUTF8", take_utf8 },
	{ "RET", take_ret },
	{ "ENVID", take_envid },
	{ NULL, NULL },
};
static const struct param rcpt_params[] = {
	{ "NOTIFY", take_notify },
	{ "ORCPT", take_orcpt },
	{ NULL, NULL },
};

static const struct smtp_answer *take_param(struct span word, const struct param *known, unsigned *seen, void *to)
{
	struct span value = word, name;

	span_cut(&value, '=', &name);
	for (unsigned i = 0; known[i].name; i++) {
		if (!span_eq_nocase(name, span_of(known[i].name)))
			continue;
		if ((*seen >> i & 1) || !known[i].take(to, value))
			return &bad_param;
		*seen |= 1u << i;
		return NULL;
	}
	return &unknown_param;
}

static const struct smtp_answer *take_params(struct span rest, const struct param *known, void *to)
{
	const struct smtp_answer *no = NULL;
	unsigned seen = 0;
	struct span word;

	if (rest.n > 0 && rest.p[0] != ' ')
		return &bad_param;
	while (!no && span_cut(&rest, ' ', &word))
		if (word.n > 0)
			no = take_param(word, known, &seen, to);
	return no;
}

const struct smtp_answer *smtp_mail_parse(struct span args, struct smtp_mail *ret)
{
	const struct smtp_answer *no;

	*ret = (struct smtp_mail){ 0 };
	if (smtp_path_parse(&args, &ret->from) < 0 || (ret->from.local.n > 0 && ret->from.domain.n == 0))
		return &bad_sender;
	no = take_params(args, mail_params, ret);
	if (!no && ret->from.utf8 && !ret->utf8)
		no = &sender_utf8;
	return no;
}

const struct smtp_answer *smtp_rcpt_parse(struct span args, bool utf8, struct smtp_rcpt *ret)
{
	const struct smtp_answer *no;

	*ret = (struct smtp_rcpt){ 0 };
	if (smtp_path_parse(&args, &ret->to) < 0 || ret->to.local.n == 0)
		return &bad_recipient;
	no = take_params(args, rcpt_params, ret);
	if (!no && ret->to.utf8 && !utf8)
		no = &sender_utf8;
	return no;
}

const struct smtp_answer *smtp_bdat_parse(struct span args, uint64_t *ret_n, bool *ret_last)
{
	struct span rest = args, number;

	span_cut(&rest, ' ', &number);
	rest = span_trim(rest);
	*ret_last = span_eq_nocase(rest, SPAN("LAST"));
	if (number.n > 19 || span_to_u64(number, ret_n) < 0 || (rest.n > 0 && !*ret_last))
		return &bad_chunk;
	return NULL;
}
