/* Command lines and the parameters of MAIL, RCPT and BDAT. */
#include "../unit.h"
#include "base/mem.h"
#include "smtp/smtp.h"

static void test_verbs(void **state)
{
	static const struct {
		const char *line;
		enum smtp_verb verb;
		unsigned code; /* 0: fine */
		const char *args;
	} rows[] = {
		{ "EHLO mail.example", SMTP_EHLO, 0, "mail.example" },
		{ "ehlo  [192.0.2.1] ", SMTP_EHLO, 0, "[192.0.2.1]" },
		{ "EHLO", SMTP_EHLO, 501, "" },
		{ "MAIL FROM:<a@b.example> SIZE=1", SMTP_MAIL, 0, "<a@b.example> SIZE=1" },
		{ "mail from: <a@b.example>", SMTP_MAIL, 0, "<a@b.example>" },
		{ "MAIL TO:<a@b.example>", SMTP_MAIL, 501, NULL },
		{ "RCPT TO:<a@b.example>", SMTP_RCPT, 0, "<a@b.example>" },
		{ "RCPT TO:", SMTP_RCPT, 501, NULL },
		{ "DATA", SMTP_DATA, 0, "" },
		{ "DATA x", SMTP_DATA, 501, NULL },
		{ "STARTTLS now", SMTP_STARTTLS, 501, NULL },
		{ "BDAT 10 LAST", SMTP_BDAT, 0, "10 LAST" },
		{ "NOOP anything", SMTP_NOOP, 0, "anything" },
		{ "QUIT", SMTP_QUIT, 0, "" },
		{ "", SMTP_UNKNOWN, 500, "" },
		{ " EHLO x", SMTP_EHLO, 0, "x" },
		{ "\tMAIL\tFROM:\t<a@b.example>\tSIZE=1 ", SMTP_MAIL, 0, "<a@b.example>\tSIZE=1" },
		{ "MAIL  FROM:a@b.example", SMTP_MAIL, 0, "a@b.example" },
		{ "MAIL FROM :<a@b.example>", SMTP_MAIL, 501, NULL },
		{ "MAIL FROM<a@b.example>", SMTP_MAIL, 501, NULL },
		{ "MAIL <a@b.example>", SMTP_MAIL, 501, NULL },
		{ "MAILFROM:<a@b.example>", SMTP_UNKNOWN, 500, NULL },
		{ " ", SMTP_UNKNOWN, 500, "" },
		{ "GET / HTTP/1.1", SMTP_UNKNOWN, 500, NULL },
		{ "EHLO a\tb", SMTP_EHLO, 0, "a\tb" },
		{ "MAIL FROM:<a\x01@b.example>", SMTP_UNKNOWN, 500, NULL },
		{ "EHLO \xff", SMTP_UNKNOWN, 500, NULL },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		const struct smtp_answer *no;
		struct smtp_line line;

		no = smtp_line_parse(span_of(rows[i].line), &line);
		if ((no ? no->code : 0) != rows[i].code || line.verb != rows[i].verb)
			fail_msg("%s: %u", rows[i].line, no ? no->code : 0);
		if (rows[i].args)
			assert_span(line.args, rows[i].args);
	}
}

static void test_take(void **state)
{
	static const struct {
		struct span bytes;
		int result;
		const char *line;
	} rows[] = {
		{ SPAN("EHLO x\r\nMAIL"), 1, "EHLO x" },
		{ SPAN("\r\n"), 1, "" },
		{ SPAN("EHLO x\r"), 0, NULL },
		{ SPAN("EHLO x"), 0, NULL },
		{ SPAN(""), 0, NULL },
		{ SPAN("EHLO x\n"), -EBADMSG, NULL },
		{ SPAN("EHLO\rx\r\n"), -EBADMSG, NULL },
		{ SPAN("EHLO\0x\r\n"), -EBADMSG, NULL },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct span line;
		size_t used;

		assert_int_equal(smtp_line_take(rows[i].bytes, &line, &used), rows[i].result);
		if (rows[i].line)
			assert_span(line, rows[i].line);
	}
}

static void test_take_long(void **state)
{
	char bytes[SMTP_LINE_MAX + 2];
	struct span line;
	size_t used;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes + SMTP_LINE_MAX - 2, "\r\n", 2);
	assert_int_equal(smtp_line_take(span_make(bytes, sizeof(bytes)), &line, &used), 1);
	assert_int_equal(used, SMTP_LINE_MAX);
	memcpy(bytes + SMTP_LINE_MAX - 2, "x\r\n", 3);
	assert_int_equal(smtp_line_take(span_make(bytes, sizeof(bytes)), &line, &used), -EMSGSIZE);
	assert_int_equal(smtp_line_take(span_make(bytes, SMTP_LINE_MAX - 1), &line, &used), 0);
}

static void test_mail(void **state)
{
	static const struct {
		const char *args;
		unsigned code;
	} rows[] = {
		{ "<a@b.example>", 0 },
		{ "<>", 0 },
		{ "<> SIZE=100 BODY=8BITMIME", 0 },
		{ "<a@b.example>  RET=HDRS  ENVID=QQ+2B1", 0 },
		{ "<j\xc3\xb6rg@b.example> SMTPUTF8", 0 },
		{ "<j\xc3\xb6rg@b.example>", 0 },
		{ "<a@b\xc3\xbc.example>", 553 },
		{ "<postmaster>", 0 },
		{ "<root> SIZE=1", 0 },
		{ "root AUTH=<>", 0 },
		{ "a@b.example", 0 },
		{ "a@b.example SIZE=100 BODY=8BITMIME", 0 },
		{ "a@b.example\tSIZE=100", 0 },
		{ "<a@b.example> (Joe)", 0 },
		{ "<a@b.example> (Joe) SIZE=1", 0 },
		{ "Joe <a@b.example> SIZE=1", 0 },
		{ "Joe a@b.example", 555 },
		{ "<a@b.example>, <c@b.example>", 501 },
		{ "<a@b.example> <c@b.example>", 555 },
		{ "a@b.example,c@b.example", 501 },
		{ "<a@b.example>SIZE=1", 501 },
		{ "<a@b.example> SIZE=", 501 },
		{ "<a@b.example> SIZE=1x", 501 },
		{ "<a@b.example> SIZE=1 size=2", 501 },
		{ "<a@b.example> SMTPUTF8=1", 501 },
		{ "<a@b.example> BODY=BINARYMIME", 501 },
		{ "<a@b.example> ENVID=a=b", 501 },
		{ "<a@b.example> ENVID=+2", 501 },
		{ "<a@b.example> REQUIRETLS", 555 },
		{ "<a@b.example> AUTH=<>", 0 },
		{ "<a@b.example> AUTH=e+3Dmc2@example.com", 0 },
		{ "<a@b.example> AUTH=", 501 },
		{ "<a@b.example> AUTH=<a>=", 501 },
		{ "<a@b.example> SIZE=1 size=1", 0 },
		{ "<a@b.example> BODY=7BIT BODY=8BITMIME", 501 },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct smtp_mail mail;
		const struct smtp_answer *no = smtp_mail_parse(span_of(rows[i].args), &mail);

		if ((no ? no->code : 0) != rows[i].code)
			fail_msg("%s: %u", rows[i].args, no ? no->code : 0);
	}
}

static void test_mail_values(void **state)
{
	struct smtp_mail mail;

	assert_null(smtp_mail_parse(SPAN("<a@b.example> size=123 body=8bitmime RET=full ENVID=x SMTPUTF8"), &mail));
	assert_span(mail.from.local, "a");
	assert_span(mail.from.domain, "b.example");
	assert_int_equal(mail.size, 123);
	assert_int_equal(mail.body, SMTP_BODY_8BITMIME);
	assert_int_equal(mail.ret, SMTP_RET_FULL);
	assert_span(mail.envid, "x");
	assert_true(mail.utf8);
	assert_null(smtp_mail_parse(SPAN("a@b.example\tSIZE=7"), &mail));
	assert_span(mail.from.domain, "b.example");
	assert_int_equal(mail.size, 7);
	/* The bracket of a parameter is none of an address. */
	assert_null(smtp_mail_parse(SPAN("root AUTH=<>"), &mail));
	assert_span(mail.from.local, "root");
}

static void test_rcpt(void **state)
{
	static const struct {
		const char *args;
		bool utf8;
		unsigned code;
	} rows[] = {
		{ "<a@b.example>", false, 0 },
		{ "<Postmaster>", false, 0 },
		{ "<a@b.example> NOTIFY=NEVER", false, 0 },
		{ "<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;a@b.example", false, 0 },
		{ "<\xc3\xb6@b.example>", true, 0 },
		{ "<\xc3\xb6@b.example>", false, 0 },
		{ "<a@\xc3\xb6.example>", false, 553 },
		{ "a@b.example NOTIFY=NEVER", false, 0 },
		{ "<>", false, 501 },
		{ "<a>", false, 501 },
		{ "<a@b.example> NOTIFY=NEVER,DELAY", false, 501 },
		{ "<a@b.example> NOTIFY=", false, 501 },
		{ "<a@b.example> NOTIFY=FAILURE,", false, 501 },
		{ "<a@b.example> ORCPT=rfc822", false, 501 },
		{ "<a@b.example> ORCPT=;a", false, 501 },
		{ "<a@b.example> SIZE=1", false, 555 },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct smtp_rcpt rcpt;
		const struct smtp_answer *no = smtp_rcpt_parse(span_of(rows[i].args), rows[i].utf8, &rcpt);

		if ((no ? no->code : 0) != rows[i].code)
			fail_msg("%s: %u", rows[i].args, no ? no->code : 0);
	}
}

static void test_bdat(void **state)
{
	uint64_t n;
	bool last;

	assert_null(smtp_bdat_parse(SPAN("10"), &n, &last));
	assert_true(n == 10 && !last);
	assert_null(smtp_bdat_parse(SPAN("0  last"), &n, &last));
	assert_true(n == 0 && last);
	assert_non_null(smtp_bdat_parse(SPAN("x"), &n, &last));
	assert_non_null(smtp_bdat_parse(SPAN("10 FIRST"), &n, &last));
	assert_non_null(smtp_bdat_parse(SPAN("99999999999999999999"), &n, &last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_long),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mail_values),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_bdat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
