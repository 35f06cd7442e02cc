/*
 * A session, from greeting to QUIT. See mail/mail.h.
 *
 * converse() is the conversation: greet, then a line and what it commands, until somebody has
 * enough. Where the next line is not there yet, the session is parked: it keeps what was agreed on,
 * but neither task nor buffers; resume() goes on from there when bytes come. Answers are gathered
 * and leave when all lines that are there have been obeyed (RFC 2920 3.2).
 */
#include <errno.h>
#include <stdio.h>
#include "base/rand.h"
#include "mail/mail_priv.h"

#define READ_AT_ONCE 4096
/* what is read at once while a message comes, behind a line */
#define IN_MAX         (SMTP_LINE_MAX + (16 << 10))
#define OUT_MAX        (64 << 10)
#define OUT_FLUSH      4096 /* gathered answers beyond this are sent before the next command */
#define FAREWELL_MS    2000
#define FAREWELL_BYTES (256 << 10)
#define SAID_SHOWN     60 /* bytes of what is no SMTP, in the log */

/* What must have happened before a command. */
enum needs { NEEDS_HELO = 1, NEEDS_MAIL = 2, NEEDS_RCPT = 4, NEEDS_NO_MAIL = 8 };

static command_fn on_noop, on_vrfy, on_expn, on_help, on_quit;
static const struct command {
	command_fn *run;
	unsigned needs;
} commands[SMTP_VERB_COUNT] = {
	[SMTP_HELO] = { on_helo, 0 },
	[SMTP_EHLO] = { on_ehlo, 0 },
	[SMTP_STARTTLS] = { on_starttls, NEEDS_HELO },
	[SMTP_MAIL] = { on_mail, NEEDS_HELO | NEEDS_NO_MAIL },
	[SMTP_RCPT] = { on_rcpt, NEEDS_MAIL },
	[SMTP_DATA] = { on_data, NEEDS_MAIL | NEEDS_RCPT },
	[SMTP_BDAT] = { on_bdat, 0 }, /* its bytes have to be taken in any case */
	[SMTP_RSET] = { on_rset, 0 },
	[SMTP_NOOP] = { on_noop, 0 },
	[SMTP_VRFY] = { on_vrfy, 0 },
	[SMTP_EXPN] = { on_expn, 0 },
	[SMTP_HELP] = { on_help, 0 },
	[SMTP_QUIT] = { on_quit, 0 },
};

const struct mail_settings *session_settings(const struct mail_session *s)
{
	return &s->state->settings;
}

bool session_is_self(const struct mail_session *s)
{
	return s->helo && strcmp(s->helo, session_settings(s)->hostname) == 0 &&
		net_addr_eq_host(&s->conn->peer, &s->conn->local);
}

struct evidence_peer session_peer(const struct mail_session *s)
{
	return (struct evidence_peer){ .addr = &s->conn->peer, .helo = span_of(s->helo) };
}

/* ---- saying ---- */

static void count_answer(struct mail_session *s, unsigned code)
{
	if (code >= 500)
		s->errors++;
}

void session_answer(struct mail_session *s, const struct smtp_answer *a)
{
	count_answer(s, a->code);
	smtp_answer_print(&s->out, a);
}

void session_say(struct mail_session *s, unsigned code, const char *enhanced, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(SMTP_LINE_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	count_answer(s, code);
	smtp_answer_line(&s->out, code, enhanced, buf_span(&text), false);
}

void session_refuse_syntax(struct mail_session *s, const char *command, struct span args, const struct smtp_answer *a)
{
	note_syntax(s, command, args, a);
	session_say(s, a->code, a->enhanced, "%s [%s]", a->text, fault_code_text(FAULT_MAIL_BAD_SYNTAX));
}

/* Does the code speak of us and the backend rather than of the mail? Then it is not for the client:
 * 421 closes a channel, 502 and 503 do not know our command or do not expect it, the others ask for
 * TLS or for a password. */
static bool is_between_us(unsigned code)
{
	static const unsigned codes[] = { 421, 454, 502, 503, 523, 524, 525, 530, 534, 535, 538 };

	for (unsigned i = 0; i < array_len(codes); i++)
		if (code == codes[i])
			return true;
	return code / 100 == 3;
}

unsigned session_pass(struct mail_session *s, const struct smtp_reply *r)
{
	static const char *const fallback[] = { [2] = "2.0.0", [4] = "4.0.0", [5] = "5.0.0" };

	if (is_between_us(r->code)) {
		session_say(s, 451, "4.3.0", "The mail server behind this one cannot take it now (%u)", r->code);
		return 451;
	}
	count_answer(s, r->code);
	smtp_reply_print(&s->out, r, fallback[r->code / 100]);
	return r->code;
}

static int flush_until(struct mail_session *s, uint64_t deadline)
{
	int r = s->out.n > 0 ? conn_write(s->conn, s->out.p, s->out.n, deadline) : 0;

	buf_reset(&s->out);
	return r;
}

int session_flush(struct mail_session *s)
{
	return flush_until(s, deadline_in(session_settings(s)->command_timeout_ms));
}

/* ---- hearing ---- */

struct span session_unread(const struct mail_session *s)
{
	return span_from(buf_span(&s->in), s->used);
}

int session_receive(struct mail_session *s, size_t n, uint64_t deadline)
{
	ssize_t got;
	char *room;

	buf_consume(&s->in, s->used);
	s->used = 0;
	room = buf_room(&s->in, n);
	must(room); /* callers have used what was received before, but for a begun line */
	got = conn_recv(s->conn, room, n, deadline);
	if (got > 0)
		buf_grew(&s->in, (size_t)got);
	return got > 0 ? 0 : got < 0 ? (int)got : -ECONNRESET;
}

/* What the client speaks that surely is no SMTP, or NULL. */
static const struct smtp_foreign *foreigner(const struct mail_session *s)
{
	return smtp_find_foreign(session_unread(s), !s->helo && s->commands == 0);
}

/* 1 and the next line; 0 if it has not come yet and there is nothing to do meanwhile; -EBADMSG,
 * -EMSGSIZE and -EPROTONOSUPPORT about the line; -errno of the connection. */
static int next_line(struct mail_session *s, struct span *ret)
{
	size_t used;
	int r;

	for (;;) {
		if (foreigner(s))
			return -EPROTONOSUPPORT;
		r = smtp_line_take(session_unread(s), ret, &used);
		if (r == 1)
			s->used += used;
		if (r != 0)
			return r;
		r = session_flush(s);
		if (r < 0)
			return r;
		if (conn_wait(s->conn, loop_now_ms()) == -ETIMEDOUT)
			return 0;
		r = session_receive(s, READ_AT_ONCE, s->deadline);
		if (r < 0)
			return r;
	}
}

/* ---- commands without a file of their own ---- */

static int on_noop(struct mail_session *s, struct span args)
{
	(void)args;
	session_say(s, 250, "2.0.0", "Ok");
	return NEXT_COMMAND;
}

static int on_vrfy(struct mail_session *s, struct span args)
{
	(void)args;
	session_say(s, 252, "2.1.5", "Send the mail, the recipient's server will tell");
	return NEXT_COMMAND;
}

static int on_expn(struct mail_session *s, struct span args)
{
	(void)args;
	session_say(s, 502, "5.5.1", "Lists are not expanded here");
	return NEXT_COMMAND;
}

static int on_help(struct mail_session *s, struct span args)
{
	(void)args;
	session_say(s, 214, "2.0.0", "EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT: RFC 5321");
	return NEXT_COMMAND;
}

static int on_quit(struct mail_session *s, struct span args)
{
	(void)args;
	session_say(s, 221, "2.0.0", "Bye");
	s->verdict = VERDICT_QUIT;
	return NEXT_CLOSE;
}

/* ---- obeying ---- */

/* NULL, or why the command comes at the wrong time. */
static const struct smtp_answer *out_of_order(const struct mail_session *s, unsigned needs)
{
	static const struct smtp_answer helo = { 503, "5.5.1", "Say EHLO first" };
	static const struct smtp_answer mail = { 503, "5.5.1", "Say MAIL first" };
	static const struct smtp_answer again = { 503, "5.5.1", "MAIL was said already" };
	static const struct smtp_answer chunks = { 503, "5.5.1", "The message has begun" };
	static const struct smtp_answer rcpt = { 554, "5.5.1", "No recipient was accepted" };

	if ((needs & NEEDS_HELO) && !s->helo)
		return &helo;
	if ((needs & NEEDS_MAIL) && !s->mail)
		return &mail;
	if ((needs & NEEDS_NO_MAIL) && s->mail)
		return &again;
	if ((needs & NEEDS_MAIL) && s->mail->relay)
		return &chunks;
	if ((needs & NEEDS_RCPT) && s->mail->recipients == 0)
		return &rcpt;
	return NULL;
}

static int give_up(struct mail_session *s, enum verdict verdict, enum fault_code code, const char *what)
{
	s->verdict = verdict;
	s->code = code;
	session_say(s, 421, "4.7.0", "%s [%s]", what, fault_code_text(code));
	return NEXT_CLOSE;
}

static bool is_tiresome(const struct mail_session *s)
{
	return s->errors > session_settings(s)->errors_max / 2;
}

static int obey(struct mail_session *s, struct span text)
{
	const struct mail_settings *settings = session_settings(s);
	const struct smtp_answer *no;
	struct smtp_line line;
	unsigned errors = s->errors;
	int r = NEXT_COMMAND;

	if (++s->commands > settings->commands_max)
		return give_up(s, VERDICT_TOO_MANY, FAULT_MAIL_TOO_MANY_COMMANDS, "Too many commands");
	no = smtp_line_parse(text, &line);
	if (no)
		session_refuse_syntax(s, NULL, text, no);
	else if ((no = out_of_order(s, commands[line.verb].needs)) != NULL)
		session_answer(s, no);
	else
		r = commands[line.verb].run(s, line.args);
	if (r != NEXT_COMMAND)
		return r;
	if (s->errors > settings->errors_max)
		return give_up(s, VERDICT_TOO_MANY, FAULT_MAIL_TOO_MANY_ERRORS, "Too many errors");
	if (s->errors > errors && is_tiresome(s))
		r = task_sleep(settings->tarpit_ms);
	if (r == 0 && s->out.n > OUT_FLUSH)
		r = session_flush(s);
	return r;
}

/* ---- the beginning ---- */

static int too_many_here(struct mail_session *s)
{
	struct fault f;

	fault_set(&f, FAULT_MAIL_TOO_MANY_CONNECTIONS);
	fault_fact(&f, "limit", "%u", session_settings(s)->connections_per_network);
	note_fault(s, LOG_LEVEL_WARNING, "refused", &f);
	if (!s->implicit_tls)
		return give_up(s, VERDICT_TOO_MANY, f.code, "Too many connections from your network");
	/* Implicit TLS: a reply would need a handshake first; close silently. */
	s->verdict = VERDICT_TOO_MANY;
	s->code = f.code;
	return -ECONNREFUSED;
}

/* A load balancer that sends none, or a health check that only connects, which nobody need hear
 * of. */
static int no_proxy_header(struct mail_session *s)
{
	struct fault f;
	char byte;
	bool left = recv(s->conn->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;

	fault_set(&f, FAULT_MAIL_NO_PROXY_HEADER);
	note_fault(s, left ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "refused", &f);
	s->verdict = left ? VERDICT_LOST : VERDICT_MALFORMED;
	s->code = f.code;
	return -EPROTO;
}

static int greet(struct mail_session *s, struct edge_arrival *a)
{
	int r = 0;

	switch (a->welcome) {
	case EDGE_NO_PROXY_HEADER:
		return no_proxy_header(s);
	case EDGE_CROWDED:
		return too_many_here(s);
	case EDGE_NO_CERTIFICATES:
		return -ENOENT;
	case EDGE_TLS_FAILED:
	case EDGE_WELCOME:
		break;
	}
	if (a->tls)
		r = session_tls_ended(s, a->tls_error, &a->facts);
	tls_facts_done(&a->facts);
	if (r == 0)
		session_say(s, 220, "", "%s ESMTP %s", session_settings(s)->hostname,
			backends_mark(s->thread->mail->backends));
	return r;
}

/* ---- the end ---- */

static void session_free(struct mail_session *s)
{
	struct mail_thread *t = s->thread;

	session_reset(s);
	edge_leave(&t->door, s->conn, s->in_network);
	mail_state_unref(s->state);
	conn_close(s->conn);
	buf_done(&s->in);
	buf_done(&s->out);
	mem_free(s->helo);
	mem_free(s->name);
	mem_free(s->reverse_name);
	mem_free(s);
}

/* Nothing more of it is looked at: a mail may stand in the body of a POST. */
static int end_foreigner(struct mail_session *s)
{
	const struct smtp_foreign *who = foreigner(s);
	struct fault f;

	fault_set(&f, FAULT_MAIL_NOT_SMTP);
	fault_fact(&f, "protocol", "%s", who->name);
	fault_fact(&f, "protocol_de", "%s", who->name_de);
	fault_fact(&f, "said", "%.*s", SPAN_ARG(span_sub(session_unread(s), 0, SAID_SHOWN)));
	note_fault(s, LOG_LEVEL_INFO, "refused", &f);
	s->verdict = VERDICT_NOT_SMTP;
	s->code = f.code;
	session_say(s, 521, "5.5.1", "This is a mail server (SMTP), and that was %s [%s]", who->name,
		fault_code_text(f.code));
	return NEXT_CLOSE;
}

/* What went wrong with the client's line or its connection, as our last words, if there are any. */
static int last_words(struct mail_session *s, int error)
{
	static const struct smtp_answer bare = { 521, "5.5.2", "A lone CR or LF, or a NUL: lines end in CRLF" };
	static const struct smtp_answer too_long = { 500, "5.5.6", "The line is too long" };

	switch (error) {
	case -EPROTONOSUPPORT:
		return end_foreigner(s);
	case -EBADMSG:
	case -EMSGSIZE:
		s->verdict = VERDICT_MALFORMED;
		s->code = FAULT_MAIL_BARE_LINE;
		session_answer(s, error == -EBADMSG ? &bare : &too_long);
		return NEXT_CLOSE;
	case -ETIMEDOUT:
		s->verdict = VERDICT_TIMEOUT;
		session_say(s, 421, "4.4.2", "%s: nothing was heard for too long", session_settings(s)->hostname);
		return NEXT_CLOSE;
	default:
		return error;
	}
}

static int last_words_in_drain(struct mail_session *s)
{
	s->verdict = VERDICT_DRAINED;
	session_say(s, 421, "4.3.2", "%s is going down for a moment", session_settings(s)->hostname);
	return NEXT_CLOSE;
}

static void end_session(struct mail_session *s, int r)
{
	uint64_t deadline = deadline_in(FAREWELL_MS);

	session_reset(s);
	if (r == NEXT_CLOSE && flush_until(s, deadline) == 0) {
		/* After QUIT nothing comes that could reset our last words away. */
		if (s->verdict == VERDICT_QUIT)
			conn_shutdown(s->conn, deadline);
		else
			conn_linger(s->conn, FAREWELL_BYTES, FAREWELL_MS, deadline);
	}
	note_session(s);
	session_free(s);
}

/* ---- the conversation ---- */

static task_fn resume;

/* From now on the session reads what is published now; within a transaction it keeps the state that
 * it began with. */
static void take_new_state(struct mail_session *s)
{
	if (s->mail || s->state == s->thread->state)
		return;
	mail_state_unref(s->state);
	s->state = mail_state_ref(s->thread->state);
}

static void resume_session(struct mail_session *s, enum loop_idle_end why)
{
	list_remove(&s->link);
	s->wait_ended = why;
	if (!task_spawn("mail-session", resume, s)) {
		note_session(s);
		session_free(s);
	}
}

static void on_wait_end(void *arg, enum loop_idle_end why)
{
	resume_session(arg, why);
}

static void park_session(struct mail_session *s)
{
	buf_done(&s->out);
	buf_init(&s->out, OUT_MAX);
	if (session_unread(s).n == 0) {
		buf_done(&s->in);
		buf_init(&s->in, IN_MAX);
		s->used = 0;
	}
	if (!s->mail)
		s->state = mail_state_unref(s->state);
	list_push_back(&s->thread->parked, &s->link);
	conn_park(s->conn, s->deadline, on_wait_end, s);
}

static void await_command(struct mail_session *s)
{
	take_new_state(s);
	s->deadline = deadline_in(session_settings(s)->command_timeout_ms);
}

/* Why it goes on: the wait's end as an enum next or -errno. */
static int wait_ended(struct mail_session *s)
{
	if (s->wait_ended == LOOP_IDLE_TIMEOUT)
		return last_words(s, -ETIMEDOUT);
	if (s->wait_ended == LOOP_IDLE_STOP)
		return last_words_in_drain(s);
	return NEXT_COMMAND;
}

/* r: what came of the greeting, or of the wait. */
static void converse(struct mail_session *s, int r)
{
	struct span line;

	while (r == NEXT_COMMAND) {
		r = next_line(s, &line);
		if (r == 0 && !(s->thread->draining && !s->mail)) {
			park_session(s);
			return;
		}
		if (r == 0)
			r = last_words_in_drain(s);
		else if (r == 1)
			r = obey(s, line);
		if (r < 0)
			r = last_words(s, r);
		await_command(s);
	}
	end_session(s, r);
}

static void resume(void *arg)
{
	struct mail_session *s = arg;

	take_new_state(s);
	converse(s, wait_ended(s));
}

void session_begin(struct mail_thread *t, struct edge_arrival *a)
{
	struct mail_session *s = mem_new(struct mail_session);

	s->thread = t;
	s->conn = a->conn;
	s->state = container_of(a->state, struct mail_state, published);
	s->implicit_tls = a->tls;
	s->in_network = a->in_network;
	list_init(&s->link);
	buf_init(&s->in, IN_MAX);
	buf_init(&s->out, OUT_MAX);
	snprintf(s->id, sizeof(s->id), "%012llx", (unsigned long long)(rand_fast() >> 16));
	s->deadline = deadline_in(session_settings(s)->command_timeout_ms);
	converse(s, greet(s, a));
}

void session_end_parked(struct mail_thread *t)
{
	list_each_safe (it, &t->parked) {
		struct mail_session *s = container_of(it, struct mail_session, link);

		/* A message that has begun may be finished. */
		if (s->mail)
			continue;
		loop_fd_unpark(&s->conn->fd);
		resume_session(s, LOOP_IDLE_STOP);
	}
}
