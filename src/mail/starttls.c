/*
 * STARTTLS (RFC 3207), and what becomes of a handshake, also of implicit TLS (RFC 8314).
 *
 * Nothing survives it: bytes that came behind the command, before TLS, end the session (whoever
 * sits on the wire may have put them there: CVE-2011-0411), and what the client said of itself is
 * forgotten (RFC 3207 4.2).
 *
 * A handshake that fails is explained: the log has its cause, its remedy and, where a replay of the
 * client's hello could show it, the proof of the remedy; the evidence keeps it for when the same
 * peer comes without TLS.
 */
#include <errno.h>
#include "mail/mail_priv.h"

/* More than the command was sent: read already, or waiting in the kernel. */
static bool something_follows(const struct mail_session *s)
{
	char byte;

	return session_unread(s).n > 0 || recv(s->conn->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void explain(struct mail_session *s, const struct tls_facts *facts, struct tls_set *set,
	const struct tls_circumstances *around)
{
	struct tls_explanation *why = mem_new(struct tls_explanation);
	const struct fault *cause = &why->causes[0];
	const struct evidence_peer peer = session_peer(s);

	tls_explain_in_task(facts, set, around, why);
	evidence_failed(s->thread->mail->evidence, &peer, why, span_make(facts->hello, facts->hello_n), loop_wall_s());
	s->code = cause->code;
	stat_add(STAT_MAIL_TLS_FAILED, 1);
	/* Port scans and health checks that say nothing are not worth a warning. */
	note_fault(s, cause->code == FAULT_TLS_PEER_LEFT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "tls-failed", cause);
	mem_free(why);
}

static int refuse_pipelined(struct mail_session *s)
{
	const struct tls_circumstances around = { .pipelined =
							  session_unread(s).n > 0 ? session_unread(s) : SPAN("?") };
	const struct tls_facts facts = { .use = TLS_FOR_MAIL, .alert_sent = 0xff, .alert_received = 0xff };

	explain(s, &facts, s->state->tls, &around);
	s->verdict = VERDICT_TLS_FAILED;
	session_say(s, 554, "5.5.1", "Nothing may follow STARTTLS before its answer [%s]", fault_code_text(s->code));
	return NEXT_CLOSE;
}

static void succeeded(struct mail_session *s, const struct tls_facts *facts)
{
	const struct evidence_peer peer = session_peer(s);
	struct tls_info info;

	stat_add(STAT_MAIL_TLS_HANDSHAKES, 1);
	s->self = session_is_self(s);
	if (!s->self && tls_conn_info(s->conn, &info))
		evidence_handshake(s->thread->mail->evidence, &peer, &info, span_make(facts->hello, facts->hello_n),
			loop_wall_s());
}

int session_tls_ended(struct mail_session *s, int error, const struct tls_facts *facts)
{
	if (error < 0) {
		s->verdict = VERDICT_TLS_FAILED;
		explain(s, facts, s->state->tls, NULL);
	} else {
		succeeded(s, facts);
	}
	return error;
}

static int start_tls(struct mail_session *s)
{
	uint64_t deadline = deadline_in(session_settings(s)->tls_timeout_ms);
	struct tls_facts facts = { 0 };
	int r = tls_accept_for(TLS_FOR_MAIL, TLS_AFTER_STARTTLS, s->conn, s->state->tls, deadline, &facts);

	r = session_tls_ended(s, r, &facts);
	tls_facts_done(&facts);
	return r;
}

int on_starttls(struct mail_session *s, struct span args)
{
	struct tls_set *set = s->state->tls;
	int r;

	(void)args;
	if (s->conn->secure) {
		session_say(s, 503, "5.5.1", "TLS is on already");
		return NEXT_COMMAND;
	}
	if (!set || tls_set_count(set) == 0) {
		session_say(s, 454, "4.7.0", "There is no certificate here now");
		return NEXT_COMMAND;
	}
	if (something_follows(s))
		return refuse_pipelined(s);
	session_reset(s);
	session_say(s, 220, "2.0.0", "Go ahead");
	r = session_flush(s);
	if (r == 0)
		r = start_tls(s);
	s->helo = r == 0 ? mem_free(s->helo) : s->helo;
	return r;
}
