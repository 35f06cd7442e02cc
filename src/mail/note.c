/* What is logged: one line a session, one a message, one a recipient that was refused, faults with
 * their sentences. */
#include "mail/mail_priv.h"

#define ARGS_SHOWN 400 /* bytes of a command that was not understood, in the log */

static const char *const verdicts[VERDICT_COUNT] = {
	[VERDICT_LOST] = "lost",
	[VERDICT_QUIT] = "quit",
	[VERDICT_TIMEOUT] = "timeout",
	[VERDICT_TLS_FAILED] = "tls-failed",
	[VERDICT_MALFORMED] = "malformed",
	[VERDICT_NOT_SMTP] = "not-smtp",
	[VERDICT_TOO_MANY] = "too-many",
	[VERDICT_DRAINED] = "drained",
};

static const struct {
	const char *text;
	enum evidence_verdict evidence;
} verdicts_of_mails[] = {
	[NOTE_DELIVERED] = { "delivered", EVIDENCE_DELIVERED },
	[NOTE_UNANSWERED] = { "unanswered", EVIDENCE_DELIVERED },
	[NOTE_REFUSED] = { "refused", EVIDENCE_REFUSED },
	[NOTE_DEFERRED] = { "deferred", EVIDENCE_DEFERRED },
	[NOTE_UNKNOWN] = { "unknown", EVIDENCE_DEFERRED },
	[NOTE_LOST] = { "lost", EVIDENCE_DEFERRED },
};

/* Who, and how protected: the beginning of every line. */
static void add_who(const struct mail_session *s, struct buf *out)
{
	char peer[NET_ADDR_SIZE];
	struct tls_info tls;

	net_addr_host_text(&s->conn->peer, peer);
	buf_addf(out, "peer=%s helo=%s", peer, log_value(span_of(s->helo ? s->helo : "-")));
	if (tls_conn_info(s->conn, &tls))
		buf_addf(out, " tls=%s suite=%s", tls.version, tls.suite);
	else
		buf_add_text(out, " tls=none");
}

void note_session(const struct mail_session *s)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(2048);

	add_who(s, &line);
	buf_addf(&line, " session=%s verdict=%s mails=%u errors=%u seconds=%llu", s->id, verdicts[s->verdict], s->mails,
		s->errors_before + s->errors, (unsigned long long)(loop_now_ms() - s->conn->started_ms) / 1000);
	if (s->code != FAULT_NONE)
		buf_addf(&line, " code=%s", fault_code_text(s->code));
	log_event(s->self && s->commands <= 2 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "mail", "session", "%s",
		buf_text(&line));
}

/* What the evidence keeps of a message: once for each domain among its recipients. */
static void keep_evidence(const struct mail_session *s, enum note_verdict verdict, uint64_t bytes)
{
	_cleanup_(buf_done) struct buf sender = BUF_INIT(SMTP_LINE_MAX);
	const struct mail_transaction *t = s->mail;
	struct tls_info tls = { 0 }, hop = { 0 };

	smtp_path_mailbox(&t->from.from, &sender);
	tls_conn_info(s->conn, &tls);
	if (t->mta)
		tls_conn_info(t->mta->client.conn, &hop);
	for (const struct share *share = t->share; share; share = share->next) {
		const struct evidence_mail m = {
			.peer = session_peer(s),
			.domain = share->domain->name,
			.sender = buf_span(&sender),
			.recipient = share->mailbox,
			.recipients = share->n,
			.bytes = bytes,
			.version = tls.version,
			.suite = tls.suite,
			.hop = hop.version                ? hop.version
				: t->mta && t->mta->local ? "local"
							  : NULL,
			.policy = share->policy,
			.verdict = verdicts_of_mails[verdict].evidence,
			.at = loop_wall_s(),
		};

		evidence_mail(s->thread->mail->evidence, &m);
	}
}

static void add_from(const struct mail_session *s, struct buf *line)
{
	_cleanup_(buf_done) struct buf from = BUF_INIT(SMTP_LINE_MAX);

	smtp_path_print(&s->mail->from.from, &from);
	buf_addf(line, " session=%s id=%s from=%s", s->id, s->mail->id, log_value(buf_span(&from)));
}

void note_mail(const struct mail_session *s, enum note_verdict verdict, uint64_t bytes, struct span reply)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);
	const struct mail_transaction *t = s->mail;

	add_who(s, &line);
	add_from(s, &line);
	buf_addf(&line, " to=%s taken=%u refused=%u bytes=%llu verdict=%s", log_value(buf_span(&t->to)), t->recipients,
		t->refused, (unsigned long long)bytes, verdicts_of_mails[verdict].text);
	if (t->mta)
		buf_addf(&line, " backend=%s backend_tls=%s", mta_text(t->mta), t->mta->secure ? "yes" : "no");
	buf_addf(&line, " reply=%s ms=%llu", log_value(reply), (unsigned long long)(loop_now_ms() - t->started_ms));
	log_event(LOG_LEVEL_INFO, "mail", "mail", "%s", buf_text(&line));
	/* Of a message that its sender did not finish there is nothing to show. */
	if (verdict != NOTE_LOST)
		keep_evidence(s, verdict, bytes);
}

void note_recipient(const struct mail_session *s, struct span mailbox, unsigned code, struct span reply)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);

	add_who(s, &line);
	add_from(s, &line);
	buf_addf(&line, " to=%s answer=%u reply=%s", log_value(mailbox), code, log_value(reply));
	log_event(LOG_LEVEL_INFO, "mail", "recipient", "%s", buf_text(&line));
}

void note_syntax(const struct mail_session *s, const char *command, struct span args, const struct smtp_answer *a)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(4096);
	struct span shown = span_sub(args, 0, ARGS_SHOWN);
	struct fault f;

	fault_set(&f, FAULT_MAIL_BAD_SYNTAX);
	fault_fact(&f, "command", "%s%s%.*s", command ? command : "", command ? ":" : "", SPAN_ARG(shown));
	fault_fact(&f, "answer", "%u", a->code);
	fault_fact(&f, "why", "%s", a->text);
	add_who(s, &who);
	buf_addf(&who, " session=%s", s->id);
	if (log_rate_allows("mail", &f))
		log_fault_about(LOG_LEVEL_INFO, "mail", "syntax-refused", buf_text(&who), &f, NULL);
	else
		log_event(LOG_LEVEL_INFO, "mail", "syntax-refused", "%s code=%s command=%s answer=%u", buf_text(&who),
			fault_code_text(f.code), log_value(fault_value(&f, "command")), a->code);
}

void note_fault(const struct mail_session *s, enum log_level level, const char *event, const struct fault *f)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(2048);
	struct fault about = *f;

	if (!log_rate_allows("mail", f))
		return;
	add_who(s, &who);
	fault_fact(&about, "session", "%s", s->id);
	log_fault_about(level, "mail", event, buf_text(&who), &about, NULL);
}

void note_refusal(const struct mail_session *s, enum log_level level, const char *event, const struct fault *f,
	struct span mailbox, unsigned code, const char *more)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(2048);

	if (!log_rate_allows("mail", f)) {
		note_recipient(s, mailbox, code, span_of(fault_code_text(f->code)));
		return;
	}
	add_who(s, &who);
	add_from(s, &who);
	buf_addf(&who, " to=%s answer=%u", log_value(mailbox), code);
	log_fault_about(level, "mail", event, buf_text(&who), f, more);
}
