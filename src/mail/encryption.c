/*
 * Who must come encrypted.
 *
 * The rule stands at the domain, an exception at the recipient: off, report (noted, nothing more),
 * require. Where it is required and the session is in the clear, RCPT is refused, so nothing of
 * that mail is ever sent here: put off (450) within the grace time, which runs from the peer's
 * first try without TLS for that domain, for its next may come with it; then refused (550). The
 * promise goes on behind us: to the backend the mail goes encrypted, or it does not leave this
 * machine.
 *
 * A peer that comes without TLS right after its handshake failed is told why that was, and so is
 * the log: to the peer's operator the refusal looks like the cause, and is not.
 */
#include "base/fmt.h"
#include "mail/mail_priv.h"

#define MAILBOX_MAX 400 /* of one in a sentence of the log */
#define WHY_MAX     400 /* of a cause in an answer, which is one line of 512 bytes */

bool encryption_hop_is_safe(const struct mta *m)
{
	return m->secure || m->local;
}

/* One refusal on its way. */
struct refusal {
	struct mail_session *s;
	const struct domain *domain;
	struct span mailbox;
	bool put_off;       /* 450, else 550 */
	struct fault fault; /* ours */
	bool follows;       /* a failed handshake of the same peer */
	struct fault earlier;
	int64_t ago_s;
};

static unsigned refusal_code(const struct refusal *r)
{
	return r->put_off ? 450 : 550;
}

/* Why it came without TLS, by the explanation engine, if its handshake failed just before; else the
 * rule itself. */
static void find_fault(struct refusal *r)
{
	const struct tls_facts none = { .use = TLS_FOR_MAIL, .alert_sent = 0xff, .alert_received = 0xff };
	const struct tls_circumstances around = { .plaintext = true,
		.earlier = &r->earlier,
		.earlier_ago_s = r->ago_s,
		.no_replay = true };
	struct tls_explanation *why;

	if (!r->follows) {
		fault_set(&r->fault, FAULT_MAIL_TLS_REQUIRED);
		fault_fact(&r->fault, "how", "%s", r->put_off ? "put off" : "refused");
		fault_fact(&r->fault, "how_de", "%s", r->put_off ? "aufgeschoben" : "abgewiesen");
	} else {
		why = mem_new(struct tls_explanation);
		tls_explain(&none, NULL, &around, why);
		r->fault = why->causes[0];
		mem_free(why);
	}
	fault_fact(&r->fault, "rcpt", "%.*s", SPAN_ARG(r->mailbox));
}

static void log_refusal(const struct refusal *r)
{
	_cleanup_(buf_done) struct buf more = BUF_INIT(2048);
	char mailbox[MAILBOX_MAX];
	struct span to = span_make(mailbox, fmt_safe(r->mailbox, "|", mailbox, sizeof(mailbox)));
	long long ago = r->ago_s;

	if (r->follows)
		buf_addf(&more,
			"followed: %lld s later the same peer came without TLS and was %s for %.*s (encryption required)."
			"|danach:  %lld s später kam dieselbe Gegenstelle ohne TLS und wurde für %.*s %s (Verschlüsselung verlangt).",
			ago, r->put_off ? "deferred" : "refused", SPAN_ARG(to), ago, SPAN_ARG(to),
			r->put_off ? "aufgeschoben" : "abgewiesen");
	note_refusal(r->s, LOG_LEVEL_WARNING, "plaintext-refused", &r->fault, r->mailbox, refusal_code(r),
		r->follows ? buf_text(&more) : NULL);
}

static void say_refusal(const struct refusal *r)
{
	_cleanup_(buf_done) struct buf why = BUF_INIT(2048);
	unsigned code = refusal_code(r);
	const char *enhanced = r->put_off ? "4.7.0" : "5.7.10";
	const char *what =
		r->put_off ? "Must issue a STARTTLS command first" : "Encryption is required for this recipient";

	if (!r->follows) {
		session_say(r->s, code, enhanced, "%s [%s]", what, fault_code_text(r->fault.code));
		return;
	}
	fault_cause(&r->earlier, FAULT_EN, &why);
	session_say(r->s, code, enhanced, "%s; your TLS handshake %lld s ago failed: [%s] %.*s", what,
		(long long)r->ago_s, fault_code_text(r->earlier.code), SPAN_ARG(span_sub(buf_span(&why), 0, WHY_MAX)));
}

static void keep_evidence(const struct refusal *r)
{
	_cleanup_(buf_done) struct buf sender = BUF_INIT(SMTP_LINE_MAX);
	struct evidence_refusal refusal = {
		.peer = session_peer(r->s),
		.domain = r->domain->name,
		.recipient = r->mailbox,
		.code = r->fault.code,
		.earlier = r->follows ? r->earlier.code : FAULT_NONE,
		.at = loop_wall_s(),
	};

	smtp_path_mailbox(&r->s->mail->from.from, &sender);
	refusal.sender = buf_span(&sender);
	evidence_refused(r->s->thread->mail->evidence, &refusal);
}

static void refuse_plaintext(struct refusal *r)
{
	struct evidence *e = r->s->thread->mail->evidence;
	const struct evidence_peer peer = session_peer(r->s);
	int64_t now = loop_wall_s(), since = evidence_plaintext(e, &peer, r->domain->name, now);

	r->put_off = (uint64_t)since * 1000 < session_settings(r->s)->tls_grace_ms;
	r->follows = evidence_earlier(e, &peer, now, &r->earlier, &r->ago_s);
	r->ago_s += r->ago_s == 0; /* "0 s later" would read oddly */
	find_fault(r);
	log_refusal(r);
	say_refusal(r);
	keep_evidence(r);
	stat_add(STAT_MAIL_PLAINTEXT_REFUSED, 1);
}

unsigned encryption_judge(struct mail_session *s, const struct domain *d, enum domain_tls rule, struct span mailbox)
{
	struct refusal *r;
	unsigned code;

	if (s->conn->secure || rule == DOMAIN_TLS_OFF)
		return 0;
	if (rule == DOMAIN_TLS_REPORT) {
		stat_add(STAT_MAIL_PLAINTEXT, 1);
		return 0;
	}
	r = mem_new(struct refusal);
	r->s = s;
	r->domain = d;
	r->mailbox = mailbox;
	refuse_plaintext(r);
	code = refusal_code(r);
	mem_free(r);
	return code;
}
