/* Sessions, step by step: what the client hears and what the backend hears, and what becomes of it
 * when one of them goes. */
#include "talk.h"

static struct talk t;

static int begin(void **state)
{
	talk_begin(&t, NULL);
	return 0;
}

static int end(void **state)
{
	talk_end(&t);
	return 0;
}

/* One mail, all of it. The backend knows PIPELINING, so MAIL and RCPT come together. */
static const char *const one_mail[] = {
	"> 220 mx.test ESMTP *",
	"< EHLO client.test",
	"> 250-mx.test",
	"> 250-PIPELINING",
	"> 250-SIZE 100000",
	"> 250-ENHANCEDSTATUSCODES",
	"> 250-8BITMIME",
	"> 250-DSN",
	"> 250-SMTPUTF8",
	"> 250 CHUNKING",
	"< MAIL FROM:<a@b.test>",
	"> 250 2.1.0 Ok",
	"< RCPT TO:<box@example.test>",
	"+",
	"b< 220 backend.test",
	"b> EHLO mx.test",
	"b< 250-backend.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES",
	"b> MAIL FROM:<a@b.test>",
	"b> RCPT TO:<box@example.test>",
	"b< 250 2.1.0 Ok",
	"b< 250 2.1.5 Ok",
	"> 250 2.1.5 Ok",
	"< DATA",
	"b> DATA",
	"b< 354 Go",
	"> 354 End with <CR><LF>.<CR><LF>",
	"< Subject: x\r\n\r\n..dot",
	"b> Received: from client.test*",
	"b> \tby mx.test (torhaus) with ESMTP id *",
	"b> \tfor <box@example.test>;",
	"b> \t*",
	"b> Subject: x",
	"b> ",
	"b> ..dot",
	"< last\r\n.",
	"b> last",
	"b> .",
	"b< 250 2.0.0 Ok: queued as 4711",
	"> 250 2.0.0 Ok: queued as 4711",
	"< QUIT",
	"> 221 2.0.0 Bye",
	">-",
	NULL,
};

static unsigned step_of(const char *step)
{
	for (unsigned i = 0; one_mail[i]; i++)
		if (strcmp(one_mail[i], step) == 0)
			return i;
	fail();
	return 0;
}

static void play_up_to(unsigned n)
{
	const char *steps[array_len(one_mail)] = { NULL };

	memcpy(steps, one_mail, n * sizeof(*steps));
	talk_connect(&t);
	talk_play(&t, steps);
}

static void test_one_mail(void **state)
{
	play_up_to(array_len(one_mail) - 1);
}

/* Wherever the client goes before its dot has come, the backend never hears one. */
static void test_the_client_goes(void **state)
{
	for (unsigned n = 0; n < step_of("< last\r\n."); n++) {
		char line[64];
		bool dot = false;

		talk_begin(&t, NULL);
		play_up_to(n);
		PLAY(&t, "x");
		/* Between two messages the connection stays for the next; within one it is
		 * dropped. */
		if (n > step_of("b< 354 Go"))
			while (recv(t.backend, line, sizeof(line), 0) > 0)
				dot = dot || memmem(line, sizeof(line), "\r\n.\r\n", 5);
		assert_false(dot);
		talk_end(&t);
	}
}

/* Wherever the backend goes, the client is told to try again, and may. */
static void test_the_backend_goes(void **state)
{
	unsigned first = step_of("+") + 1, end_of_data = step_of("< last\r\n.") + 1,
		 said_250 = step_of("b< 250 2.0.0 Ok: queued as 4711");

	for (unsigned n = first; n <= said_250; n++) {
		talk_begin(&t, NULL);
		play_up_to(n);
		PLAY(&t, "-");
		if (n <= step_of("b< 250 2.1.5 Ok"))
			PLAY(&t, "> 451 4.4.1 *", "< DATA", "> 554 5.5.1 *");
		else if (n == step_of("b< 250 2.1.5 Ok") + 1)
			PLAY(&t, "> 250 2.1.5 Ok", "< DATA", "> 451 4.4.2 *");
		else if (n <= step_of("b< 354 Go") && n > step_of("< DATA"))
			PLAY(&t, "> 451 4.4.2 *");
		else if (n <= step_of("< DATA"))
			PLAY(&t, "< DATA", "> 451 4.4.2 *");
		else if (n == step_of("b< 354 Go") + 1)
			PLAY(&t, "> 354 *", "< x\r\n.", "> 451 4.4.2 *");
		else if (n < end_of_data)
			PLAY(&t, "< x\r\n.", "> 451 4.4.2 *");
		else
			PLAY(&t, "> 451 4.4.2 *");
		PLAY(&t, "< NOOP", "> 250 2.0.0 Ok", "x");
		talk_end(&t);
	}
}

/* What is no reply, at each place where one is awaited. */
static void test_the_backend_talks_nonsense(void **state)
{
	static const char *const nonsense[] = { "hello", "999 x", "250-x\r\n251 y", "25", "250-a\nb", "250_x" };

	for (unsigned i = 0; i < array_len(nonsense); i++) {
		for (unsigned n = 0; one_mail[n]; n++) {
			char step[64];

			if (strncmp(one_mail[n], "b< ", 3) != 0 || n == step_of("b< 250 2.1.5 Ok"))
				continue;
			talk_begin(&t, NULL);
			play_up_to(n);
			snprintf(step, sizeof(step), "b< %s", nonsense[i]);
			PLAY(&t, step, "> 451 4.4.*", "b-", "< NOOP", "> 250 2.0.0 Ok", "x");
			talk_end(&t);
		}
	}
}

/* A yes is one, however its lines end; what comes behind it goes with the connection. */
static void test_odd_answers_to_the_dot(void **state)
{
	static const char *const odd[][4] = { { "b< 250 Ok\nwhat", "> 250 2.0.0 Ok" },
		{ "b< 250-a\n250 2.0.0 b", "> 250-2.0.0 a", "> 250 2.0.0 b" }, { "b< 250 a\rb\r", "> 250 2.0.0 a?b?" },
		{ "b< 250", "> 250 2.0.0 " }, { "b< 550 5.7.1 spam\n\n", "> 550 5.7.1 spam" } };

	for (unsigned i = 0; i < array_len(odd); i++) {
		talk_begin(&t, NULL);
		play_up_to(step_of("b< 250 2.0.0 Ok: queued as 4711"));
		talk_play(&t, odd[i]);
		PLAY(&t, "< NOOP", "> 250 2.0.0 Ok", "x");
		talk_end(&t);
	}
}

/* The backend that refuses MAIL for good and closes has said what counts; the next recipient finds
 * it again. */
static void test_a_refusal_of_mail_and_a_close(void **state)
{
	play_up_to(step_of("b< 250 2.1.0 Ok"));
	PLAY(&t, "b< 550 5.7.1 You are not welcome", "-", "> 550 5.7.1 You are not welcome");
	PLAY(&t, "< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO *", "b< 250 x", "b> MAIL *", "b< 250 Ok",
		"b> RCPT *", "b< 250 Ok", "> 250 2.0.0 Ok", "x");
}

/* Errors count since the last message that was taken: a sender of many mails is no harvester. */
static void test_a_message_forgives_errors(void **state)
{
	talk_begin(&t, NULL);
	t.settings.errors_max = 3;
	mail_edge.publish(t.mail, &(struct edge_news){ .settings = &t.settings });
	play_up_to(step_of("< QUIT"));
	for (unsigned i = 0; i < 3; i++) {
		PLAY(&t, "< WHAT", "> 500 *", "< WHAT", "> 500 *", "< WHAT", "> 500 *");
		PLAY(&t, "< MAIL FROM:<>", "> 250 *", "< RCPT TO:<box@example.test>", "b> MAIL *", "b> RCPT *",
			"b< 250 Ok\r\n250 Ok", "> 250 *", "< DATA", "b> DATA", "b< 354 Go", "> 354 *", "< .",
			"b> Received: *", "b> \t*", "b> \t*", "b> \t*", "b> .", "b< 250 Ok", "> 250 *");
	}
	PLAY(&t, "< WHAT", "> 500 *", "< WHAT", "> 500 *", "< WHAT", "> 500 *", "< WHAT", "> 500 *", "> 421 4.7.0 *",
		">-");
	talk_end(&t);
}

/* A client that sends its message unasked, and is refused: nothing of the message is a command. */
static void test_a_message_unasked(void **state)
{
	play_up_to(step_of("< DATA"));
	PLAY(&t, "< DATA\r\nMAIL FROM:<evil@b.test>\r\n.", "b> DATA", "b< 452 4.3.1 Full", "> 452 4.3.1 Full",
		"> 421 4.5.0 *", ">-");
}

/* A connection that carried one message carries the next; one that carried half of one does not. */
static void test_connections_are_kept(void **state)
{
	play_up_to(step_of("< QUIT"));
	PLAY(&t, "< MAIL FROM:<> SIZE=10", "> 250 2.1.0 Ok", "< RCPT TO:<two@example.test> NOTIFY=NEVER",
		"b> MAIL FROM:<>", "b> RCPT TO:<two@example.test> NOTIFY=NEVER", "b< 250 Ok", "b< 550 No such user",
		"> 550 5.0.0 No such user", "< RSET", "> 250 2.0.0 Ok");
	/* What was begun is ended before the next. */
	PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "b> RSET", "b< 250 Ok",
		"b> MAIL FROM:<>", "b> RCPT TO:<box@example.test>", "b< 250 Ok", "b< 250 Ok", "> 250 2.0.0 Ok",
		"< DATA", "b> DATA", "b< 354 Go", "> 354 *", "x", "b-");
}

/* A kept connection that the backend closed, or is done with, costs nobody anything. */
static void test_a_dead_connection_is_replaced(void **state)
{
	for (unsigned how = 0; how < 2; how++) {
		talk_begin(&t, NULL);
		play_up_to(step_of("< QUIT"));
		PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "b> MAIL FROM:<>",
			"b> RCPT *");
		if (how == 0)
			PLAY(&t, "-");
		else
			PLAY(&t, "b< 421 Shutting down\r\n421 Shutting down");
		PLAY(&t, "+", "b< 220 x", "b> EHLO *", "b< 250 x", "b> MAIL FROM:<>", "b< 250 Ok", "b> RCPT *",
			"b< 250 Ok", "> 250 2.0.0 Ok", "x");
		talk_end(&t);
	}
}

/* Without PIPELINING one command goes at a time; what is refused at MAIL is the answer to RCPT. */
static void test_a_plain_backend(void **state)
{
	talk_connect(&t);
	talk_hello(&t);
	PLAY(&t, "< MAIL FROM:<a@b.test> SIZE=100 RET=FULL ENVID=x BODY=8BITMIME", "> 250 2.1.0 Ok",
		"< RCPT TO:<box@example.test> NOTIFY=SUCCESS", "+", "b< 220 x", "b> EHLO mx.test", "b< 502 What?",
		"b> HELO mx.test", "b< 250 x", "b> MAIL FROM:<a@b.test>", "b< 451 Busy", "> 451 4.0.0 Busy",
		"< RCPT TO:<box@example.test>", "b> MAIL FROM:<a@b.test>", "b< 250 Ok", "b> RCPT TO:<box@example.test>",
		"b< 250 Ok", "> 250 2.0.0 Ok", "< DATA", "b> DATA", "b< 354 Go", "> 354 *", "< \xc3\xa4\r\n.",
		"> 451 4.6.3 *", "b-");
	/* Now it is known: who looks again is told so, and who does not look has it back. */
	PLAY(&t, "< EHLO client.test", "> 250-mx.test", "> 250-PIPELINING", "> 250-SIZE 100000",
		"> 250-ENHANCEDSTATUSCODES", "> 250 CHUNKING", "< MAIL FROM:<a@b.test>", "> 250 2.1.0 Ok",
		"< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO mx.test", "b< 502 What?", "b> HELO mx.test",
		"b< 250 x", "b> MAIL FROM:<a@b.test>", "b< 250 Ok", "b> RCPT TO:<box@example.test>", "b< 250 Ok",
		"> 250 2.0.0 Ok", "< DATA", "b> DATA", "b< 354 Go", "> 354 *", "< \xc3\xa4\r\n.", "> 554 5.6.3 *", "b-",
		"x");
}

/* A backend that says 421 to the dot goes, one that says 354 is out of step: neither gets another
 * mail. */
static void test_odd_refusals_of_the_dot(void **state)
{
	static const char *const odd[] = { "b< 421 4.3.2 Going down", "b< 354 Go on" };

	for (unsigned i = 0; i < array_len(odd); i++) {
		talk_begin(&t, NULL);
		play_up_to(step_of("b< 250 2.0.0 Ok: queued as 4711"));
		PLAY(&t, odd[i], "> 451 4.3.0 *", "b-", "< MAIL FROM:<>", "> 250 2.1.0 Ok",
			"< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO *", "b< 250 x", "b> MAIL *",
			"b< 250 Ok", "b> RCPT *", "b< 250 Ok", "> 250 2.0.0 Ok", "x");
		talk_end(&t);
	}
}

/* XCLIENT, then EHLO again; the next client on the same connection is told of anew, after an open
 * message was ended. */
static void test_xclient(void **state)
{
	talk_begin(&t, "domain \"example.test\" { mail = \"127.0.0.1:$\" mail_client = \"xclient\" }\n");
	talk_connect(&t);
	talk_hello(&t);
	PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO mx.test",
		"b< 250-x\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 XCLIENT NAME PROTO HELO",
		"b> XCLIENT NAME=[UNAVAILABLE] PROTO=ESMTP HELO=client.test", "b< 220 x", "b> EHLO client.test",
		"b< 250-x\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 XCLIENT NAME PROTO HELO", "b> MAIL FROM:<>",
		"b< 250 Ok", "b> RCPT TO:<box@example.test>", "b< 550 No", "> 550 5.0.0 No", "x");
	talk_connect(&t);
	talk_hello(&t);
	PLAY(&t, "< HELO a+b", "> 250 mx.test", "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>",
		"b> RSET", "b< 250 Ok", "b> XCLIENT NAME=[UNAVAILABLE] PROTO=SMTP HELO=a+2Bb", "b< 220 x",
		"b> EHLO a+b", "b< 250 x", "b> MAIL FROM:<>", "b< 250 Ok", "b> RCPT TO:<box@example.test>", "b< 250 Ok",
		"> 250 2.0.0 Ok", "x");
	talk_end(&t);
}

/* What the backend says to the client's name is for the client, and no fault of the backend's. */
static void test_a_name_that_is_refused(void **state)
{
	static const char *const said[][2] = { { "b< 550 5.7.1 Not you", "> 550 5.7.1 *" },
		{ "b< 450 4.7.1 Unknown name", "> 451 4.7.1 *" }, { "b< 421 Down", "> 451 4.4.1 *" } };

	for (unsigned i = 0; i < array_len(said); i++) {
		talk_begin(&t, "domain \"example.test\" { mail = \"127.0.0.1:$\" mail_client = \"xclient\" }\n");
		talk_connect(&t);
		talk_hello(&t);
		PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+", "b< 220 x",
			"b> EHLO mx.test", "b< 250-x\r\n250 XCLIENT HELO", "b> XCLIENT HELO=client.test", "b< 220 x",
			"b> EHLO client.test", said[i][0], said[i][1], "b-", "x");
		talk_end(&t);
	}
}

/* A backend that will not have it: the mail waits, rather than come from the wrong host. */
static void test_xclient_is_not_to_be_had(void **state)
{
	talk_begin(&t, "domain \"example.test\" { mail = \"127.0.0.1:$\" mail_client = \"xclient\" }\n");
	talk_connect(&t);
	talk_hello(&t);
	PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO mx.test",
		"b< 250 x", "> 451 4.4.1 *", "b-", "x");
	talk_end(&t);
}

/* Two domains at two backends: the second comes by itself. What must be encrypted goes to a backend
 * on this machine in the clear. */
static void test_two_backends(void **state)
{
	talk_begin(&t,
		"domain \"example.test\" { mail = \"127.0.0.1:$\" }\n"
		"domain \"other.test\" { mail = \"127.0.0.2:$\" }\n"
		"domain \"same.test\" { mail = \"127.0.0.1:$\" }\n"
		"domain \"strict.test\" { mail = \"127.0.0.1:$\" mail_tls = \"required\" }\n");
	play_up_to(step_of("< DATA"));
	PLAY(&t, "< RCPT TO:<x@other.test>", "> 451 4.5.3 *", "< RCPT TO:<x@same.test>", "b> RCPT TO:<x@same.test>",
		"b< 250 Ok", "> 250 2.0.0 Ok", "< RCPT TO:<x@strict.test>", "> 451 4.5.3 *", "< RSET", "> 250 2.0.0 Ok",
		"x");
	talk_end(&t);
}

/* What forbids us to come is no missing EHLO. */
static void test_a_backend_that_refuses_us(void **state)
{
	static const char *const greetings[][2] = { { "554 Go away", NULL }, { "220 x", "550 5.7.1 Not you" },
		{ "220 x", "530 TLS first" } };

	for (unsigned i = 0; i < array_len(greetings); i++) {
		char step[64];

		talk_begin(&t, NULL);
		talk_connect(&t);
		talk_hello(&t);
		PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+");
		snprintf(step, sizeof(step), "b< %s", greetings[i][0]);
		PLAY(&t, step);
		if (greetings[i][1]) {
			snprintf(step, sizeof(step), "b< %s", greetings[i][1]);
			PLAY(&t, "b> EHLO mx.test", step);
		}
		PLAY(&t, "> 451 4.4.1 *", "b-", "x");
		talk_end(&t);
	}
}

/* The backend answers before the dot and closes: its word reaches the client. */
static void test_an_early_refusal(void **state)
{
	play_up_to(step_of("< last\r\n."));
	PLAY(&t, "b< 552 5.2.2 Over quota", "-");
	/* The first bytes may still go; then it shows. */
	PLAY(&t, "< more", "< more", "< more\r\n.");
	PLAY(&t, "> 552 5.2.2 Over quota", "< NOOP", "> 250 2.0.0 Ok", "x");
}

/* A yes before the dot is no yes to the message, and one reply too many is not the answer to the
 * next command. */
static void test_a_backend_out_of_step(void **state)
{
	play_up_to(step_of("< last\r\n."));
	PLAY(&t, "b< 250 2.0.0 Ok: queued", "< last\r\n.", "> 451 4.4.2 *", "b> last", "b-", "< NOOP", "> 250 2.0.0 Ok",
		"x");
	talk_connect(&t);
	talk_hello(&t);
	PLAY(&t, "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+", "b< 220 x", "b> EHLO mx.test",
		"b< 250 x", "b> MAIL FROM:<>", "b< 250 Ok", "b> RCPT TO:<box@example.test>", "b< 250 Ok\r\n354 Go",
		"> 250 2.0.0 Ok", "< DATA", "> 451 4.4.2 *", "b-", "x");
}

static void test_what_ends_a_session(void **state)
{
	static const char *const bad[] = { "NO\nOP", "NO\rOP", "\n" };

	for (unsigned i = 0; i < array_len(bad); i++) {
		char step[64];

		talk_connect(&t);
		snprintf(step, sizeof(step), "< %s", bad[i]);
		PLAY(&t, "> 220 *", step, "> 521 5.5.2 *", ">-");
	}
}

/* Whoever speaks something else is not listened to any longer, wherever he stands. */
static void test_what_is_no_mail_client(void **state)
{
	static const char *const first[] = { "\x16\x03\x01\x02", "SSH-2.0-x", "PROXY TCP4 1 2 3 4", "{\"a\":1}",
		"<?xml?>" };
	static const char *const ever[] = { "GET / HTTP/1.1",
		"POST /x HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<>", "get /", "OPTIONS sip:x SIP/2.0",
		"PRI * HTTP/2.0", "Host: mx.test", "FOO / http/1.0\nX: y" };
	char step[200];

	for (unsigned i = 0; i < array_len(first) + array_len(ever); i++) {
		snprintf(step, sizeof(step), "< %s", i < array_len(first) ? first[i] : ever[i - array_len(first)]);
		talk_connect(&t);
		PLAY(&t, "> 220 *", step, "> 521 5.5.1 *", ">-");
	}
	for (unsigned i = 0; i < array_len(ever); i++) {
		snprintf(step, sizeof(step), "< EHLO x\r\nMAIL FROM:<>\r\n%s", ever[i]);
		talk_connect(&t);
		PLAY(&t, "> 220 *", step, "> 250-mx.test", "> 250-*", "> 250-*", "> 250-*", "> 250-*", "> 250-*",
			"> 250-*", "> 250 CHUNKING", "> 250 2.1.0 Ok", "> 521 5.5.1 *", ">-");
	}
	talk_connect(&t);
	PLAY(&t, "> 220 *", "< ", "> 500 *", "< MAILFROM:<a@b>", "> 500 *", "< OH HTTP", "> 500 *", "< NOOP HTTP/1.1",
		"> 250 *", "x");
}

/* Lone LFs and CRs are mended where every domain wants it, but for the end. */
static void test_lines_are_mended(void **state)
{
	static const char *const bad[] = { "\n.\n", "\n.", "a\r.", ".\n", "\r\r\n." };
	char step[64];

	for (unsigned i = 0; i < array_len(bad) + 2; i++) {
		talk_begin(&t,
			"domain \"example.test\" { mail = \"127.0.0.1:$\" mail_lines = \"mend\" }\n"
			"domain \"strict.test\" { mail = \"127.0.0.1:$\" }\n");
		play_up_to(step_of("< DATA"));
		if (i == array_len(bad) + 1) {
			PLAY(&t, "< RCPT TO:<x@strict.test>", "b> RCPT *", "b< 250 Ok", "> 250 *", "< DATA", "b> DATA",
				"b< 354 Go", "> 354 *", "< a\nb", "> 521 5.5.2 *", ">-", "b-");
			talk_end(&t);
			continue;
		}
		PLAY(&t, "< DATA", "b> DATA", "b< 354 Go", "> 354 *", "< one\ntwo\rthree\r\r\n..x\n..y",
			"b> Received: *", "b> \t*", "b> \t*", "b> \t*", "b> one", "b> two", "b> three", "b> ..x",
			"b> ..y");
		snprintf(step, sizeof(step), "< %s", i < array_len(bad) ? bad[i] : ".");
		if (i < array_len(bad))
			PLAY(&t, step, "> 521 5.5.2 *", ">-");
		else
			PLAY(&t, step, "b> .", "b< 250 Ok", "> 250 2.0.0 Ok", "< MAIL FROM:<>", "> 250 *",
				"< RCPT TO:<box@example.test>", "b> MAIL *", "b> RCPT *", "b< 250 Ok\r\n250 Ok",
				"> 250 *", "< BDAT 9 LAST\r\na\nb\n.\n\r", "b> DATA", "b< 354 Go", "b> Received: *",
				"b> \t*", "b> \t*", "b> \t*", "b> a", "b> b", "b> ..", "b> ", "b> .", "b< 250 Ok",
				"> 250 2.0.0 Ok", "x");
		talk_end(&t);
	}
}

/* The backend is ourselves, by whatever way: it is known by its greeting. */
static void test_a_loop(void **state)
{
	char greeting[200];

	talk_connect(&t);
	PLAY(&t, "> 220 *");
	snprintf(greeting, sizeof(greeting), "b< 220 some.where ESMTP %s", backends_mark(t.mail->backends));
	PLAY(&t, "< EHLO client.test", "> 250-mx.test", "> 250-*", "> 250-*", "> 250-*", "> 250-*", "> 250-*",
		"> 250-*", "> 250 CHUNKING", "< MAIL FROM:<>", "> 250 2.1.0 Ok", "< RCPT TO:<box@example.test>", "+",
		greeting, "> 451 4.4.6 *", "b-", "x");
}

static void test_bare_bytes_within_a_message(void **state)
{
	static const char *const bad[] = { "a\nb", "a\rb", "\n.\n", "\r.", ".\n" };

	for (unsigned i = 0; i < array_len(bad); i++) {
		char step[64];

		talk_begin(&t, NULL);
		play_up_to(step_of("< last\r\n."));
		snprintf(step, sizeof(step), "< %s", bad[i]);
		PLAY(&t, step, "> 521 5.5.2 *", ">-", "b-");
		talk_end(&t);
	}
}

static void test_chunks(void **state)
{
	play_up_to(step_of("< DATA"));
	PLAY(&t, "< BDAT 9\r\n.x\r\n..y", "b> DATA", "b< 354 Go", "> 250 2.0.0 9 bytes", "b> Received: *", "b> \t*",
		"b> \t*", "b> \t*", "b> ..x", "b> ...y");
	PLAY(&t, "< RCPT TO:<two@example.test>", "> 503 5.5.1 *", "< DATA", "> 503 5.5.1 *", "< BDAT 0 LAST", "b> .",
		"b< 250 Ok", "> 250 2.0.0 Ok");
	PLAY(&t, "< BDAT 3\r\nx", "> 503 5.5.1 *", "< BDAT x", "> 501 5.5.4 *", ">-");
}

/* A large message comes in more chunks than a session has commands; a flood of tiny ones does
 * not. */
static void test_many_chunks(void **state)
{
	char chunk[600], received[600];

	talk_begin(&t, NULL);
	t.settings.commands_max = 12;
	mail_edge.publish(t.mail, &(struct edge_news){ .settings = &t.settings });
	play_up_to(step_of("< DATA"));
	snprintf(chunk, sizeof(chunk), "< BDAT 512\r\n%0510d", 0);
	snprintf(received, sizeof(received), "b> %0510d", 0);
	PLAY(&t, chunk, "b> DATA", "b< 354 Go", "> 250 2.0.0 512 bytes", "b> Received: *", "b> \t*", "b> \t*", "b> \t*",
		received);
	for (unsigned i = 0; i < 20; i++)
		PLAY(&t, chunk, "> 250 2.0.0 512 bytes", received);
	for (unsigned i = 0; i < 9; i++)
		PLAY(&t, "< BDAT 2\r\n", "> 250 2.0.0 2 bytes");
	PLAY(&t, "< BDAT 2\r\n", "> 421 4.7.0 *", ">-");
	talk_end(&t);
}

static void test_chunks_that_the_backend_refuses(void **state)
{
	play_up_to(step_of("< DATA"));
	PLAY(&t, "< BDAT 7\r\nhello", "b> DATA", "b< 452 4.3.1 Full", "> 452 4.3.1 Full", "< BDAT 2 LAST\r\n",
		"> 503 5.5.1 *", "< RSET", "> 250 2.0.0 Ok", "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_mail, begin, end),
		cmocka_unit_test(test_the_client_goes),
		cmocka_unit_test(test_the_backend_goes),
		cmocka_unit_test(test_the_backend_talks_nonsense),
		cmocka_unit_test(test_odd_answers_to_the_dot),
		cmocka_unit_test(test_odd_refusals_of_the_dot),
		cmocka_unit_test_setup_teardown(test_a_refusal_of_mail_and_a_close, begin, end),
		cmocka_unit_test_setup_teardown(test_a_message_unasked, begin, end),
		cmocka_unit_test(test_a_message_forgives_errors),
		cmocka_unit_test_setup_teardown(test_connections_are_kept, begin, end),
		cmocka_unit_test(test_a_dead_connection_is_replaced),
		cmocka_unit_test_setup_teardown(test_a_plain_backend, begin, end),
		cmocka_unit_test(test_xclient),
		cmocka_unit_test(test_a_name_that_is_refused),
		cmocka_unit_test(test_xclient_is_not_to_be_had),
		cmocka_unit_test(test_two_backends),
		cmocka_unit_test(test_a_backend_that_refuses_us),
		cmocka_unit_test_setup_teardown(test_an_early_refusal, begin, end),
		cmocka_unit_test_setup_teardown(test_a_backend_out_of_step, begin, end),
		cmocka_unit_test_setup_teardown(test_what_ends_a_session, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_no_mail_client, begin, end),
		cmocka_unit_test(test_lines_are_mended),
		cmocka_unit_test_setup_teardown(test_a_loop, begin, end),
		cmocka_unit_test(test_bare_bytes_within_a_message),
		cmocka_unit_test_setup_teardown(test_chunks, begin, end),
		cmocka_unit_test(test_many_chunks),
		cmocka_unit_test_setup_teardown(test_chunks_that_the_backend_refuses, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
