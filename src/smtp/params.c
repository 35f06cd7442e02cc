/*
 * The parameters of MAIL, RCPT and BDAT: one table a command. A parameter that is not in the table
 * is refused (555), one that does not fit or says two things as well (501). AUTH (RFC 4954 5) is
 * what a relay says of who logged in there; it is taken, and believed by nobody.
 */
#include "base/mem.h"
#include "smtp/smtp.h"

#define ENVID_MAX  100 /* RFC 3461 4.4 */
#define ORCPT_MAX  500 /* RFC 3461 4.2 */
#define PARAMS_MAX 8   /* of a table */

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

static bool take_auth(void *to, struct span value)
{
	(void)to;
	return span_eq(value, SPAN("<>")) || (value.n > 0 && is_xtext(value));
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
	{ "AUTH", take_auth },
	{ NULL, NULL },
};
static const struct param rcpt_params[] = {
	{ "NOTIFY", take_notify },
	{ "ORCPT", take_orcpt },
	{ NULL, NULL },
};

static const struct smtp_answer *take_param(struct span word, const struct param *known, struct span *seen, void *to)
{
	struct span value = word, name;

	span_cut(&value, '=', &name);
	for (unsigned i = 0; known[i].name; i++) {
		if (!span_eq_nocase(name, span_of(known[i].name)))
			continue;
		/* Twice the same is said once. */
		if (seen[i].n > 0 ? !span_eq_nocase(seen[i], word) : !known[i].take(to, value))
			return &bad_param;
		seen[i] = word;
		return NULL;
	}
	return &unknown_param;
}

static const struct smtp_answer *take_params(struct span rest, const struct param *known, void *to)
{
	struct span seen[PARAMS_MAX] = { { 0 } }, word;
	const struct smtp_answer *no = NULL;

	if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '\t')
		return &bad_param;
	rest = smtp_skip_blanks(rest); /* a comment behind the address, too */
	while (!no && (word = smtp_take_word(&rest)).n > 0)
		no = take_param(word, known, seen, to);
	return no;
}

/* A local part in UTF-8 is taken without SMTPUTF8, as Postfix and Exim do; a domain has A-labels
 * for that. */
static bool lacks_utf8(const struct smtp_path *p)
{
	for (size_t i = 0; i < p->domain.n; i++)
		if ((unsigned char)p->domain.p[i] >= 0x80)
			return true;
	return false;
}

/* Only <postmaster> lives everywhere (RFC 5321 4.5.1). */
static bool is_nowhere(const struct smtp_path *p)
{
	return p->domain.n == 0 && !span_eq_nocase(p->local, SPAN("postmaster"));
}

const struct smtp_answer *smtp_mail_parse(struct span args, struct smtp_mail *ret)
{
	const struct smtp_answer *no;

	*ret = (struct smtp_mail){ 0 };
	if (smtp_path_parse(&args, &ret->from) < 0)
		return &bad_sender;
	no = take_params(args, mail_params, ret);
	if (!no && !ret->utf8 && lacks_utf8(&ret->from))
		no = &sender_utf8;
	return no;
}

const struct smtp_answer *smtp_rcpt_parse(struct span args, bool utf8, struct smtp_rcpt *ret)
{
	const struct smtp_answer *no;

	*ret = (struct smtp_rcpt){ 0 };
	if (smtp_path_parse(&args, &ret->to) < 0 || ret->to.local.n == 0 || is_nowhere(&ret->to))
		return &bad_recipient;
	no = take_params(args, rcpt_params, ret);
	if (!no && !utf8 && lacks_utf8(&ret->to))
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
