/* What is logged: one line a session, one a message, one a recipient that was refused, faults with their sentences. */
#include "mail/mail_priv.h"

static const char *const verdicts[VERDICT_COUNT] = {
	[VERDICT_LOST] = "lost",
	[VERDICT_QUIT] = "quit",
	[VERDICT_TIMEOUT] = "timeout",
	[VERDICT_TLS_FAILED] = "tls-failed",
	[VERDICT_MALFORMED] = "malformed",
	[VERDICT_TOO_MANY] = "too-many",
	[VERDICT_DRAINED] = "drained",
};

/* Who, and how protected: the beginning of every line. */
static void add_who(const struct mail_session *s, struct buf *out)
{
	char peer[NET_ADDR_SIZE];
	struct tls_info tls;

	net_addr_host_text(&s->conn->peer, peer);
	buf_addf(out, "session=%s peer=%s helo=%s", s->id, peer, log_value(span_of(s->helo ? s->helo : "-")));
	if (tls_conn_info(s->conn, &tls))
		buf_addf(out, " tls=%s suite=%s", tls.version, tls.suite);
	else
		buf_add_text(out, " tls=none");
}

void note_session(const struct mail_session *s)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(2048);

	add_who(s, &line);
	buf_addf(&line, " verdict=%s mails=%u errors=%u seconds=%llu", verdicts[s->verdict], s->mails, s->errors,
		(unsigned long long)(loop_now_ms() - s->conn->started_ms) / 1000);
	if (s->code != FAULT_NONE)
		buf_addf(&line, " code=%s", fault_code_text(s->code));
	log_event(LOG_LEVEL_INFO, "mail", "session", "%s", buf_text(&line));
}

static void add_from(const struct mail_session *s, struct buf *line)
{
	_cleanup_(buf_done) struct buf from = BUF_INIT(SMTP_LINE_MAX);

	smtp_path_print(&s->mail->from.from, &from);
	buf_addf(line, " id=%s from=%s", s->mail->id, log_value(buf_span(&from)));
}

void note_mail(const struct mail_session *s, const char *verdict, uint64_t bytes, struct span reply)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);
	const struct mail_transaction *t = s->mail;

	add_who(s, &line);
	add_from(s, &line);
	buf_addf(&line, " to=%s taken=%u refused=%u bytes=%llu verdict=%s", log_value(buf_span(&t->to)), t->recipients,
		t->refused, (unsigned long long)bytes, verdict);
	if (t->mta)
		buf_addf(&line, " backend=%s backend_tls=%s", mta_text(t->mta), t->mta->secure ? "yes" : "no");
	buf_addf(&line, " reply=%s ms=%llu", log_value(reply), (unsigned long long)(loop_now_ms() - t->started_ms));
	log_event(LOG_LEVEL_INFO, "mail", "mail", "%s", buf_text(&line));
}

void note_recipient(const struct mail_session *s, struct span mailbox, unsigned code, struct span reply)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);

	add_who(s, &line);
	add_from(s, &line);
	buf_addf(&line, " to=%s answer=%u reply=%s", log_value(mailbox), code, log_value(reply));
	log_event(LOG_LEVEL_INFO, "mail", "recipient", "%s", buf_text(&line));
}

void note_fault(const struct mail_session *s, enum log_level level, const char *event, struct fault *f)
{
	char peer[NET_ADDR_SIZE];

	net_addr_host_text(&s->conn->peer, peer);
	fault_fact(f, "peer", "%s", peer);
	fault_fact(f, "helo", "%s", s->helo ? s->helo : "-");
	fault_fact(f, "session", "%s", s->id);
	log_fault_rated(level, "mail", event, f);
}
