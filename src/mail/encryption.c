/*
 * Who must come encrypted.
 *
 * The rule stands at the domain, an exception at the recipient: off, report (noted, nothing more), require. Where it is required
 * and the session is in the clear, RCPT is refused, so nothing of that mail is ever sent here: put off (450)
 * within the grace time, for the sender's next try may come with TLS; then refused (550). The promise goes on
 * behind us: to the backend the mail goes encrypted or not beyond this machine.
 */
#include "mail/mail_priv.h"

bool encryption_hop_is_safe(const struct mta *m)
{
	return m->secure || m->local;
}

static void refuse(struct mail_session *s, struct span mailbox)
{
	bool in_grace = session_settings(s)->tls_grace_ms > 0;
	struct fault f;

	fault_set(&f, FAULT_MAIL_TLS_REQUIRED);
	fault_fact(&f, "rcpt", "%.*s", SPAN_ARG(mailbox));
	stat_add(STAT_MAIL_PLAINTEXT_REFUSED, 1);
	note_fault(s, LOG_LEVEL_WARNING, "plaintext-refused", &f);
	if (in_grace)
		session_say(s, 450, "4.7.0", "Must issue a STARTTLS command first [%s]", fault_code_text(f.code));
	else
		session_say(s, 550, "5.7.10", "Encryption is required for this recipient [%s]",
			fault_code_text(f.code));
}

bool encryption_allows(struct mail_session *s, const struct domain *d, struct span mailbox)
{
	enum domain_tls rule = snapshot_tls_of(s->view->state->snapshot, d, mailbox);

	if (s->conn->secure || rule == DOMAIN_TLS_OFF)
		return true;
	if (rule == DOMAIN_TLS_REPORT) {
		stat_add(STAT_MAIL_PLAINTEXT, 1);
		return true;
	}
	refuse(s, mailbox);
	return false;
}
