/* What stands before a line: forms of time, languages, headers, containers, JSON. And what is not
 * understood is counted. */
#include "../unit.h"
#include "base/mem.h"
#include "feed.h"

#define CHANGED   1704500000 /* 2024-01-06 */
#define FAILED_AT 1704446061 /* 2024-01-05 09:14:21 UTC */
#define SAID      "SSL_accept error from h.example[192.0.2.1]: -1"
#define EXIM_SAID "TLS error on connection from h.example [192.0.2.1] (SSL_accept): timed out"

static void assert_failed_once(const char *line)
{
	if (logs_count(logs) != 1 || peer("192.0.2.1")->failures_in != 1 || peer("192.0.2.1")->failed_at != FAILED_AT)
		fail_msg("%u peers of %s", logs_count(logs), line);
	assert_int_equal(logs_totals(logs)->understood, 1);
	assert_int_equal(logs_totals(logs)->foreign + logs_totals(logs)->undated, 0);
}

/* The same line however it is dated and prefixed. The tests' zone is UTC. */
static void test_every_form(void **state)
{
	static const char *const lines[] = {
		"Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"Jan 05 09:14:21 mail postfix/smtpd[12]: " SAID,
		"Jan 05 09:14:21.123456 mail postfix/smtpd[12]: " SAID,
		"Jan 05 09:14:21 postfix/smtpd[12]: " SAID,
		"2024-01-05T10:14:21.123456+01:00 mail postfix/smtpd[12]: " SAID,
		"2024-01-05T10:14:21+0100 mail postfix/smtpd[12]: " SAID,
		"2024-01-05T09:14:21Z mail relay/smtpd[12]: " SAID,
		"2024-01-05 09:14:21 mail postfix/smtpd[12]: " SAID,
		"2024-01-05_09:14:21.12345 mail postfix/smtpd[12]: " SAID,
		/* journalctl -o short-full, with-unit, short-unix, json, json-sse, json-seq */
		"Fri 2024-01-05 10:14:21 CET mail postfix/smtpd[12]: " SAID,
		"Fr 2024-01-05 09:14:21 UTC mail postfix/smtpd[12]: " SAID,
		"Fri 2024-01-05 06:14:21 -03 mail postfix/smtpd[12]: " SAID,
		"Fri 2024-01-05 10:14:21 CET mail postfix@-.service[12]: " SAID,
		"Fri 2024-01-05 10:14:21 CET mail exim4.service[12]: 2024-01-05 10:14:21 +0100 " EXIM_SAID,
		"1704446061.123456 mail postfix/smtpd[12]: " SAID,
		"{\"__REALTIME_TIMESTAMP\":\"1704446061123456\",\"_HOSTNAME\":\"mail\",\"SYSLOG_IDENTIFIER\":\"postfix/smtpd\",\"_PID\":\"12\",\"MESSAGE\":\"" SAID
		"\"}",
		"data: {\"MESSAGE\":\"" SAID
		"\",\"_COMM\":\"postfix/smtpd\",\"SYSLOG_PID\":\"12\",\"__REALTIME_TIMESTAMP\":\"1704446061123456\"}",
		"\x1e{\"MESSAGE\":[83,83,76,95,97,99,99,101,112,116,32,101,114,114,111,114,32,102,114,111,109,32,104,91,49,57,50,46,48,46,50,46,49,93,58,32,45,49],\"SYSLOG_IDENTIFIER\":\"postfix/smtpd\",\"__REALTIME_TIMESTAMP\":\"1704446061123456\"}",
		/* BusyBox, with -S, read by logread; FreeBSD -v; raw; RFC 5424 */
		"Jan  5 09:14:21 host mail.info postfix/smtpd[12]: " SAID,
		"Fri Jan  5 09:14:21 2024 mail.info postfix/smtpd[12]: " SAID,
		"Jan  5 09:14:21 <mail.info> host postfix/smtpd[12]: " SAID,
		"<22>Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"<22>1 2024-01-05T09:14:21.123Z mail postfix/smtpd 12 - - " SAID,
		"<22>1 2024-01-05T09:14:21.123Z mail postfix/smtpd 12 - [meta sequenceId=\"1\"] \xef\xbb\xbf" SAID,
		/* containers */
		"mail_1  | Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"\x1b[36mmail-1    |\x1b[0m Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"mail_1 | 2024-01-05T09:14:21.123456789Z Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"mail.1.abcdef@node1    | 2024-01-05T09:14:21+00:00 mail postfix/smtpd[12]: " SAID,
		"2024-01-05T09:14:21.123456789Z Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"2024-01-05T09:14:21.123456789+00:00 stdout F Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"[pod/mail-0/postfix] Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"mail-0 postfix Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID,
		"{\"log\":\"Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID
		"\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-05T09:14:21.5Z\"}",
		"{\"log\":\"" EXIM_SAID "\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-05T09:14:21.5Z\"}",
		"mail_1 | 2024-01-05 09:14:21 " EXIM_SAID,
		"2024-01-05T09:14:21.123456789Z stderr F 2024-01-05 09:14:21 " EXIM_SAID,
		"2024-01-05T09:14:21.5Z " EXIM_SAID,
		/* months */
		"janv. 05 09:14:21 mail postfix/smtpd[12]: " SAID,
		"Jän 05 09:14:21 mail postfix/smtpd[12]: " SAID,
		" 1月 05 09:14:21 mail postfix/smtpd[12]: " SAID,
		"Thg 1 05 09:14:21 mail postfix/smtpd[12]: " SAID,
		"mail_1 | янв 05 09:14:21 mail postfix/smtpd[12]: " SAID,
	};

	for (size_t i = 0; i < array_len(lines); i++) {
		feed(lines[i]);
		assert_failed_once(lines[i]);
	}
}

/* Each name of each locale of glibc is the month that it should be, in a log of a whole year. */
static void test_all_languages(void **state)
{
	static const char *const rows[] = {
#define MONTHS(locale, names) names,
#include "logs/months.tbl.h"
#undef MONTHS
	};
	static const int64_t begins[] = { 1704067200, 1706745600, 1709251200, 1711929600, 1714521600, 1717200000,
		1719792000, 1722470400, 1725148800, 1727740800, 1730419200, 1733011200 };

	for (size_t i = 0; i < array_len(rows); i++) {
		struct span rest = span_of(rows[i]), name;
		struct buf text = BUF_INIT(8192);
		unsigned n = 0;

		while (span_cut(&rest, '|', &name))
			buf_addf(&text,
				"%.*s 01 00:00:%02d mail postfix/smtpd[1]: SSL_accept error from h[192.0.2.%u]: -1\n",
				SPAN_ARG(name), n, n + 1),
				n++;
		assert_int_equal(n, 12);
		/* Twice: the first names may be another language's, too. Then that is known. */
		feed_at(buf_text(&text), 1735000000); /* 2024-12-24 */
		logs_feed(logs, buf_span(&text), 1735000000);
		logs_conclude(logs);
		for (unsigned k = 0; k < 12; k++) {
			char address[32];

			snprintf(address, sizeof(address), "192.0.2.%u", k + 1);
			if (peer(address)->failed_at != begins[k] + k)
				fail_msg("%s: %u is %lld", rows[i], k, (long long)peer(address)->failed_at);
		}
		buf_done(&text);
	}
}

/* A name of two months: the language that the log has shown, else the month not long ago. */
static void test_names_of_two_months(void **state)
{
#define LINE(month, n) month " 01 00:00:00 m postfix/smtpd[1]: SSL_accept error from h[192.0.2." n "]: -1\n"
	feed_at(LINE("srp", "1") LINE("zář", "2") LINE("lis", "3"), 1735000000); /* Czech */
	assert_int_equal(peer("192.0.2.3")->failed_at, 1730419200);
	feed_at(LINE("srp", "1") LINE("kol", "2") LINE("lis", "3"), 1735000000); /* Croatian */
	assert_int_equal(peer("192.0.2.3")->failed_at, 1727740800);
	feed_at(LINE("lis", "1"), 1729000000); /* 2024-10-15: it is October */
	assert_int_equal(peer("192.0.2.1")->failed_at, 1727740800);
	feed_at(LINE("lis", "1"), 1732000000); /* 2024-11-19 */
	assert_int_equal(peer("192.0.2.1")->failed_at, 1730419200);
}

static void test_repetitions(void **state)
{
	feed("Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID
	     "\nJan  5 09:14:21 mail postfix/smtpd[12]: message repeated 3 times: [ " SAID
	     "]\nJan  5 09:14:21 mail last message repeated 2 times\n");
	assert_int_equal(peer("192.0.2.1")->failures_in, 1 + 3 + 2 * 1);
	assert_int_equal(logs_totals(logs)->understood, 3);
	/* Across what is read at once. */
	feed("Jan  5 09:14:21 mail postfix/smtpd[12]: " SAID "\n");
	logs_feed(logs, SPAN("Jan  5 09:14:21 mail last message repeated 2 times\n"), CHANGED);
	logs_conclude(logs);
	assert_int_equal(peer("192.0.2.1")->failures_in, 3);
	feed("Jan  5 09:14:21 mail postfix/smtpd[12]: message repeated 4000000000 times: [ " SAID "]\n");
	assert_int_equal(peer("192.0.2.1")->failures_in, 10000);
	feed("Jan  5 09:14:21 mail last message repeated 2 times\nJan  5 09:14:21 mail postfix/smtpd[1]: message repeated x\n");
	assert_int_equal(logs_count(logs), 0);
}

static void test_what_is_not_understood(void **state)
{
	static const struct {
		const char *lines;
		unsigned understood, neighbours, foreign, undated;
		bool is_little;
		const char *first;
	} cases[] = {
		{ "", 0, 0, 0, 0, false, "" },
		{ "\n\n-- No entries --\n", 0, 0, 0, 0, false, "" },
		{ "connect from h[192.0.2.1]\n" SAID "\n", 0, 0, 0, 2, true, "connect from h[192.0.2.1]" },
		{ "Jan  5 09:14:21 mail haraka[1]: x\nJan  5 09:14:21 mail dovecot: x\n", 0, 1, 1, 0, true,
			"Jan  5 09:14:21 mail haraka[1]: x" },
		{ "Jan  5 09:14:21 mail dovecot: imap-login: x\n", 0, 1, 0, 0, true, "" },
		{ "2024-01-05 09:14:21 INFO something else\n", 0, 0, 1, 0, true,
			"2024-01-05 09:14:21 INFO something else" },
		{ "2024-01-05 09:14:21,123 INFO [main] x: y\n", 0, 0, 1, 0, true,
			"2024-01-05 09:14:21,123 INFO [main] x: y" },
		{ "{\"level\":\"info\",\"time\":1704446061}\n", 0, 0, 1, 0, true,
			"{\"level\":\"info\",\"time\":1704446061}" },
		{ "2024-01-05 09:14:21 Start queue run: pid=1\n\tindented\n", 1, 0, 0, 1, false, "\\x09indented" },
		{ "Jan  5 09:14:21 mail postfix/qmgr[1]: 4F1A: removed\n", 1, 0, 0, 0, false, "" },
		{ "2024-01-05T09:14:21+01:00 web origin-failed site=x\n  cause: x\n", 1, 0, 0, 0, false, "" },
		{ "2024-01-05T09:14:21+01:00 mail tls-failed code=X suites=\"a[1]: b\"\n", 1, 0, 0, 0, false, "" },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct logs_totals *t;

		feed(cases[i].lines);
		t = logs_totals(logs);
		assert_string_equal(t->first_odd, cases[i].first);
		assert_int_equal(t->understood, cases[i].understood);
		assert_int_equal(t->neighbours, cases[i].neighbours);
		assert_int_equal(t->foreign, cases[i].foreign);
		assert_int_equal(t->undated, cases[i].undated);
		assert_int_equal(logs_is_little(t), cases[i].is_little);
		assert_int_equal(logs_count(logs), 0);
	}
}

/* A tenth is enough. */
static void test_little(void **state)
{
	struct logs_totals t = { .understood = 10, .foreign = 90, .neighbours = 10000 };

	assert_false(logs_is_little(&t));
	t.undated = 9;
	assert_true(logs_is_little(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form),
		cmocka_unit_test(test_all_languages),
		cmocka_unit_test(test_names_of_two_months),
		cmocka_unit_test(test_repetitions),
		cmocka_unit_test(test_what_is_not_understood),
		cmocka_unit_test(test_little),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
