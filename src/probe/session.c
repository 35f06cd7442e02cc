/*
 * One connection to a server, up to the point where TLS begins, and its end.
 *
 * What a server says decides here: 421, 450 and 554 mean that it has had enough of us, wherever
 * they come, and end the whole probe; so do refused or silent connections after one that worked.
 * The end is awaited: a server counts a connection until it has seen it closed, and must never see
 * two.
 */
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "probe/probe_priv.h"

#define LINGER_MS  3000
#define LINGER_MAX 65536
#define SAID_MAX   200

/* The lines of a reply on one, for people. */
void probe_end(struct probe *p, enum probe_verdict verdict, struct span said, int error)
{
	_cleanup_(buf_done) struct buf joined = BUF_INIT(2 * SMTP_REPLY_MAX);
	char text[SAID_MAX];
	struct span line;

	said = span_sub(said, 0, SAID_MAX);
	while (span_cut(&said, '\n', &line)) {
		line = span_trim(line.n && line.p[line.n - 1] == '\r' ? span_sub(line, 0, line.n - 1) : line);
		if (line.n && joined.n)
			buf_add_text(&joined, ", ");
		buf_add_span(&joined, line);
	}
	p->verdict = verdict;
	p->said = arena_span(p->arena, span_make(text, fmt_safe(buf_span(&joined), "", text, sizeof(text))));
	p->error = error;
}

static uint64_t soon(const struct probe *p)
{
	return deadline_in(p->settings->answer_ms);
}

/* ---- the end ---- */

static void leave(struct session *s)
{
	conn_linger(s->smtp.conn, LINGER_MAX, LINGER_MS, deadline_in(LINGER_MS));
	smtp_client_done(&s->smtp);
}

void session_drop(struct session *s, bool say_goodbye)
{
	_cleanup_(buf_done) struct buf alerts = BUF_INIT(64);

	if (say_goodbye) {
		wire_goodbye_write(s->version, &alerts);
		conn_write(s->smtp.conn, alerts.p, alerts.n, deadline_in(LINGER_MS));
	}
	leave(s);
}

static void quit(struct probe *p, struct session *s)
{
	struct smtp_reply reply;

	smtp_client_ask(&s->smtp, SPAN("QUIT\r\n"), soon(p), &reply);
	conn_shutdown(s->smtp.conn, soon(p));
	leave(s);
}

void session_finish(struct probe *p, struct session *s)
{
	struct smtp_reply reply;
	struct fault late;

	if (p->settings->smtp && smtp_client_hello(&s->smtp, p->settings->helo, soon(p), &reply) == 0) {
		quit(p, s);
		return;
	}
	if (p->settings->smtp && tls_conn_refused(s->smtp.conn, &late)) {
		p->session_fault = arena_new(p->arena, struct fault);
		*p->session_fault = late;
	}
	conn_shutdown(s->smtp.conn, soon(p));
	leave(s);
}

/* ---- the beginning ---- */

static bool is_limit(unsigned code)
{
	return code == 421 || code == 450 || code == 554;
}

/* A server that answered before and does not any more has had enough. */
static enum probe_verdict or_limited(const struct probe *p, enum probe_verdict v)
{
	return p->connections > 1 ? PROBE_RATE_LIMITED : v;
}

static int fail(struct probe *p, struct session *s, enum probe_verdict verdict, struct span said, int error)
{
	if (error == -ECANCELED) {
		smtp_client_done(&s->smtp);
		return error;
	}
	probe_end(p, verdict, said, error);
	/* A server that said nothing will not say goodbye either. */
	if (error == -ETIMEDOUT)
		smtp_client_done(&s->smtp);
	else
		leave(s);
	return 1;
}

/* An answer that is not the one hoped for. */
static int refused(struct probe *p, struct session *s, const struct smtp_reply *reply, enum probe_verdict verdict)
{
	probe_end(p, is_limit(reply->code) ? PROBE_RATE_LIMITED : verdict, reply->lines, 0);
	quit(p, s);
	return 1;
}

static int read_greeting(struct probe *p, struct session *s)
{
	uint64_t began = clock_mono_ms(), waited;
	struct smtp_reply reply;
	int r = smtp_client_read(&s->smtp, deadline_in(p->settings->greeting_ms), &reply);

	waited = clock_mono_ms() - began;
	if (waited > p->greeting_ms)
		p->greeting_ms = waited;
	if (r == -EPROTO)
		return fail(p, s, PROBE_NOT_TLS, buf_span(&s->smtp.in), r);
	if (r < 0)
		return fail(p, s, or_limited(p, PROBE_SILENT), SPAN(""), r);
	return reply.code == 220 ? 0 : refused(p, s, &reply, PROBE_REFUSED);
}

/* Firewalls that inspect SMTP write XXXX or **** over what they do not know. */
static bool is_masked(const struct smtp_reply *ehlo)
{
	struct span rest = ehlo->lines, line;

	while (smtp_reply_next(&rest, &line))
		if (span_starts(line, SPAN("XXXX")) || span_starts(line, SPAN("****")))
			return true;
	return false;
}

static int say_hello(struct probe *p, struct session *s, struct smtp_reply *ret)
{
	int r = smtp_client_hello(&s->smtp, p->settings->helo, soon(p), ret);

	if (r < 0)
		return fail(p, s, or_limited(p, PROBE_SILENT), SPAN(""), r);
	return ret->code == 250 ? 0 : refused(p, s, ret, PROBE_REFUSED);
}

static int start_tls(struct probe *p, struct session *s)
{
	struct smtp_reply reply;
	struct span behind;
	int r = say_hello(p, s, &reply);

	if (r)
		return r;
	if (!(s->smtp.caps.mask & SMTP_CAP_STARTTLS))
		return refused(p, s, &reply, is_masked(&reply) ? PROBE_MASKED : PROBE_NOT_OFFERED);
	r = smtp_client_starttls(&s->smtp, soon(p), &reply, &behind);
	if (r < 0)
		return fail(p, s, or_limited(p, PROBE_SILENT), SPAN(""), r);
	if (reply.code != 220)
		return refused(p, s, &reply, PROBE_REFUSED);
	p->agreed = true;
	return behind.n > 0 ? fail(p, s, PROBE_NOT_TLS, behind, -EPROTO) : 0;
}

static int connect_to(struct probe *p, struct session *s)
{
	struct conn *conn;
	int r = p->gate ? p->gate(p->gate_arg) : 0;

	if (r == 0 && p->connections > 0 && p->settings->gap_ms > 0)
		r = task_sleep(p->settings->gap_ms);
	if (r < 0)
		return r;
	p->connections++;
	conn = conn_connect(&p->addr, deadline_in(p->settings->connect_ms), &r);
	if (!conn && r == -ECANCELED)
		return r;
	if (!conn) {
		probe_end(p, or_limited(p, PROBE_UNREACHABLE), span_of(strerror(-r)), r);
		return 1;
	}
	*s = (struct session){ .version = WIRE_TLS12 };
	smtp_client_init(&s->smtp, conn);
	return 0;
}

int session_open(struct probe *p, struct session *s)
{
	int r = connect_to(p, s);

	if (r == 0 && p->settings->smtp)
		r = read_greeting(p, s);
	if (r == 0 && p->settings->smtp)
		r = start_tls(p, s);
	return r;
}

int session_plain(struct probe *p)
{
	struct session s;
	struct smtp_reply reply;
	int r;

	if (!p->settings->smtp)
		return 0;
	r = connect_to(p, &s);
	if (r == 0)
		r = read_greeting(p, &s);
	if (r == 0)
		r = say_hello(p, &s, &reply);
	if (r == 0) {
		p->session = true;
		quit(p, &s);
	}
	return r;
}
