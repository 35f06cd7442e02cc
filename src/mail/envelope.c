/*
 * MAIL, RCPT, RSET: the envelope.
 *
 * MAIL is answered by us, for the backend is known only with the first recipient: then MAIL and
 * RCPT go there together, and a refusal of MAIL is the answer to RCPT. Each recipient gets the
 * backend's own answer.
 */
#include <errno.h>
#include <stdio.h>
#include "base/rand.h"
#include "mail/mail_priv.h"

/* ---- the transaction's beginning and end ---- */

static struct mail_transaction *transaction_new(void)
{
	struct mail_transaction *t = mem_new(struct mail_transaction);

	arena_init(&t->arena, 1024);
	buf_init(&t->to, 1 << 20);
	snprintf(t->id, sizeof(t->id), "%012llx", (unsigned long long)(rand_fast() >> 16));
	t->started_ms = loop_now_ms();
	return t;
}

void session_reset(struct mail_session *s)
{
	struct mail_transaction *t = s->mail;

	if (!t)
		return;
	if (t->relay)
		note_mail(s, NOTE_LOST, t->relay->measure.bytes, SPAN(""));
	/* Within a message only the end of the connection voids what was sent of it. */
	if (t->mta && t->relay)
		mta_drop(t->mta);
	else if (t->mta)
		mta_put(t->mta);
	relay_free(t->relay);
	buf_done(&t->to);
	arena_done(&t->arena);
	s->mail = mem_free(t);
}

int on_rset(struct mail_session *s, struct span args)
{
	(void)args;
	session_reset(s);
	session_say(s, 250, "2.0.0", "Ok");
	return NEXT_COMMAND;
}

int on_mail(struct mail_session *s, struct span args)
{
	static const struct smtp_answer too_big = { 552, "5.3.4", "The message is larger than is taken here" };
	struct mail_transaction *t = transaction_new();
	const struct smtp_answer *no = smtp_mail_parse(arena_span(&t->arena, args), &t->from);

	s->mail = t;
	if (no) {
		session_reset(s);
		session_refuse_syntax(s, "MAIL FROM", args, no);
		return NEXT_COMMAND;
	}
	if (t->from.size > session_settings(s)->message_size_max) {
		session_reset(s);
		session_answer(s, &too_big);
		return NEXT_COMMAND;
	}
	session_say(s, 250, "2.1.0", "Ok");
	return NEXT_COMMAND;
}

/* ---- lines for the backend ---- */

static void print_mail(const struct smtp_mail *m, unsigned caps, struct buf *out)
{
	buf_add_text(out, "MAIL FROM:");
	smtp_path_print(&m->from, out);
	if (m->size > 0 && (caps & SMTP_CAP_SIZE))
		buf_addf(out, " SIZE=%llu", (unsigned long long)m->size);
	if (m->body != SMTP_BODY_NONE && (caps & SMTP_CAP_8BITMIME))
		buf_addf(out, " BODY=%s", m->body == SMTP_BODY_7BIT ? "7BIT" : "8BITMIME");
	if (m->utf8)
		buf_add_text(out, " SMTPUTF8");
	if (m->ret != SMTP_RET_NONE && (caps & SMTP_CAP_DSN))
		buf_addf(out, " RET=%s", m->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
	if (m->envid.n > 0 && (caps & SMTP_CAP_DSN))
		buf_addf(out, " ENVID=%.*s", SPAN_ARG(m->envid));
	buf_add_text(out, "\r\n");
}

static void print_rcpt(const struct smtp_rcpt *r, unsigned caps, struct buf *out)
{
	buf_add_text(out, "RCPT TO:");
	smtp_path_print(&r->to, out);
	if (r->notify.n > 0 && (caps & SMTP_CAP_DSN))
		buf_addf(out, " NOTIFY=%.*s", SPAN_ARG(r->notify));
	if (r->orcpt.n > 0 && (caps & SMTP_CAP_DSN))
		buf_addf(out, " ORCPT=%.*s", SPAN_ARG(r->orcpt));
	buf_add_text(out, "\r\n");
}

/* ---- a recipient ---- */

/* One RCPT on its way. */
struct recipient {
	struct mail_session *s;
	struct mail_transaction *t;
	struct smtp_rcpt rcpt;
	struct buf mailbox; /* as it is compared and logged */
	const struct domain *domain;
	enum domain_tls rule; /* must it come encrypted? */
};

static void count_refused(struct recipient *r, unsigned code)
{
	r->t->refused++;
	stat_add(code / 100 == 4 ? STAT_MAIL_RECIPIENTS_DEFERRED : STAT_MAIL_RECIPIENTS_REFUSED, 1);
}

/* Logged, and answered with the fault's code, which `torhaus explain` knows. */
static void refuse_recipient(struct recipient *r, unsigned code, const char *enhanced, struct fault *f,
	const char *text)
{
	fault_fact(f, "rcpt", "%.*s", SPAN_ARG(buf_span(&r->mailbox)));
	note_refusal(r->s, LOG_LEVEL_INFO, "recipient-refused", f, buf_span(&r->mailbox), code, NULL);
	session_say(r->s, code, enhanced, "%s [%s]", text, fault_code_text(f->code));
	count_refused(r, code);
}

static void refuse_plainly(struct recipient *r, unsigned code, const char *enhanced, enum fault_code why,
	const char *text)
{
	struct fault f;

	fault_set(&f, why);
	refuse_recipient(r, code, enhanced, &f, text);
}

/* The domain whose name this is, or one that it lies in. */
static const struct domain *find_upwards(const struct snapshot *s, struct span name)
{
	while (name.n > 0) {
		const struct domain *d = snapshot_find_mail(s, name);
		ptrdiff_t dot = span_index(name, '.');

		if (d || dot < 0)
			return d;
		name = span_from(name, (size_t)dot + 1);
	}
	return NULL;
}

/* <postmaster> without a domain is ours (RFC 5321 4.5.1): it goes where mail for our own name
 * goes. */
static const struct domain *find_domain(const struct recipient *r)
{
	const struct snapshot *snapshot = r->s->state->snapshot;
	struct span name = r->rcpt.to.domain;
	const struct domain *d = NULL;
	struct span normal;
	struct arena a;

	if (name.n == 0)
		return find_upwards(snapshot, span_of(session_settings(r->s)->hostname));
	arena_init(&a, 1024);
	if (domain_name_normalise(name, false, &a, &normal) == 0)
		d = snapshot_find_mail(snapshot, normal);
	arena_done(&a);
	return d;
}

static void refuse_relaying(struct recipient *r)
{
	bool known = snapshot_is_whole(r->s->state->snapshot);
	struct fault f;

	fault_set(&f, known ? FAULT_MAIL_RELAY_DENIED : FAULT_MAIL_DOMAINS_UNREAD);
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(r->rcpt.to.domain));
	if (known)
		refuse_recipient(r, 550, "5.7.1", &f, "Relaying denied: no mail is taken here for this domain");
	else
		refuse_recipient(r, 451, "4.3.0", &f,
			"The domains of this server could not all be read; try again later");
}

/* Does the local part name another place to send it to? Postfix follows user%other@here and
 * other!user@here for clients that it trusts, as it may trust us, and is an open relay then. */
static bool is_routed(struct span local)
{
	return span_index(local, '@') >= 0 || span_index(local, '%') >= 0 || span_index(local, '!') >= 0;
}

/* ---- its backend ---- */

/* The backend refused the client's EHLO name: we refuse as it did, for now (4xx) or for good
 * (5xx). */
static void refuse_name(struct recipient *r, struct fault *f)
{
	bool for_good = span_starts(fault_value(f, "reply"), SPAN("5"));

	refuse_recipient(r, for_good ? 550 : 451, for_good ? "5.7.1" : "4.7.1", f,
		"The mail server of this domain refuses the name that you said in EHLO");
}

/* The backend failed: 451, so that the sender tries again. */
static void put_off(struct recipient *r, struct fault *f)
{
	if (f->code == FAULT_MAIL_HELO_REFUSED) {
		refuse_name(r, f);
		return;
	}
	fault_fact(f, "domain", "%.*s", SPAN_ARG(r->domain->name));
	note_refusal(r->s, LOG_LEVEL_WARNING, "backend-failed", f, buf_span(&r->mailbox), 451, NULL);
	if (f->code == FAULT_MAIL_LOOP)
		session_say(r->s, 451, "4.4.6", "The mail server of this domain is this one: a circle [%s]",
			fault_code_text(f->code));
	else
		session_say(r->s, 451, "4.4.1", "The mail server of this domain cannot be reached now [%s]",
			fault_code_text(f->code));
	count_refused(r, 451);
}

static struct mta *get_mta(struct recipient *r, enum domain_mail_tls tls, bool fresh, struct fault *f)
{
	struct mail_session *s = r->s;
	struct mta_client client = { .peer = &s->conn->peer,
		.local = &s->conn->local,
		.helo = span_of(s->helo),
		.esmtp = s->esmtp };

	if (r->domain->mail_client == DOMAIN_MAIL_CLIENT_XCLIENT)
		find_peer_name(s, &client.name, &client.reverse_name);

	return mta_get(s->thread, r->domain, tls, &client, session_settings(s), fresh, f);
}

static bool hop_must_be_safe(const struct recipient *r)
{
	return r->rule == DOMAIN_TLS_REQUIRE;
}

/* A connection to the recipient's backend, as safe as it has to be. 0, or it was refused. */
static int connect_backend(struct recipient *r, bool fresh)
{
	struct mail_transaction *t = r->t;
	struct fault f;

	fault_clear(&f);
	t->mta = get_mta(r, r->domain->mail_tls, fresh, &f);
	if (t->mta && hop_must_be_safe(r) && !encryption_hop_is_safe(t->mta)) {
		mta_put(t->mta);
		t->mta = get_mta(r, DOMAIN_MAIL_TLS_REQUIRED, fresh, &f);
	}
	if (t->mta)
		return 0;
	put_off(r, &f);
	return -1;
}

/* The backend took nothing, and may have closed: the next recipient gets a connection as the first
 * did. */
static void give_back(struct mail_transaction *t)
{
	mta_put(t->mta);
	t->mta = NULL;
}

/* Can the one that the transaction has serve this recipient, too? Then 0; if a transaction of its
 * own could, it is told so. */
static int share_backend(struct recipient *r)
{
	struct mail_transaction *t = r->t;

	if (mta_is_for(t->mta, r->domain, r->domain->mail_tls) &&
		(!hop_must_be_safe(r) || encryption_hop_is_safe(t->mta)))
		return 0;
	if (t->recipients > 0) {
		refuse_plainly(r, 451, "4.5.3", FAULT_MAIL_SPLIT,
			"Another mail server than that of the recipients before: send again for this one");
		return -1;
	}
	give_back(t);
	return 0;
}

/* What the backend lacks for this mail. 0, or it was refused. */
static int check_caps(struct recipient *r)
{
	if (!r->t->from.utf8 || (r->t->mta->client.caps.mask & SMTP_CAP_SMTPUTF8))
		return 0;
	if (r->s->offered & SMTP_CAP_SMTPUTF8)
		refuse_plainly(r, 451, "4.6.7", FAULT_MAIL_NO_SMTPUTF8,
			"The mail server of this domain does not know SMTPUTF8; ask EHLO again");
	else
		refuse_plainly(r, 550, "5.6.7", FAULT_MAIL_NO_SMTPUTF8,
			"The mail server of this domain does not know SMTPUTF8");
	return -1;
}

static int ask_envelope(struct recipient *r, struct smtp_reply *ret_mail, struct smtp_reply *ret_rcpt)
{
	_cleanup_(buf_done) struct buf mail = BUF_INIT(SMTP_LINE_MAX), rcpt = BUF_INIT(SMTP_LINE_MAX);
	unsigned caps = r->t->mta->client.caps.mask;

	print_mail(&r->t->from, caps, &mail);
	print_rcpt(&r->rcpt, caps, &rcpt);
	return mta_envelope(r->t->mta, buf_span(&mail), buf_span(&rcpt), ret_mail, ret_rcpt);
}

/* The connection is gone, or the backend is done with it. */
static bool is_gone(int r, const struct smtp_reply *mail, const struct smtp_reply *rcpt)
{
	return r < 0 || mail->code == 421 || rcpt->code == 421;
}

/* The backend is lost: 451, and the same for all that it had taken. */
static void lose_backend(struct recipient *r, int error)
{
	struct mail_transaction *t = r->t;
	struct fault f;

	mta_fault(&f, t->mta, error < 0 ? error : -ECONNRESET);
	t->mta = mta_drop(t->mta);
	t->lost = t->recipients > 0;
	put_off(r, &f);
}

/* MAIL, if it was not said, and RCPT. 0 and the answer that counts, or it was refused. */
static int ask_backend(struct recipient *r, struct smtp_reply *ret)
{
	struct mail_transaction *t = r->t;
	struct smtp_reply mail;
	bool again = false;
	int error;

	for (;;) {
		if (!t->mta && connect_backend(r, again) < 0)
			return -1;
		if (check_caps(r) < 0)
			return -1;
		error = ask_envelope(r, &mail, ret);
		if (!is_gone(error, &mail, ret))
			break;
		/* A kept connection may just have been closed; nothing of the message was sent. */
		if (!t->mta->reused || t->recipients > 0) {
			lose_backend(r, error);
			return -1;
		}
		t->mta = mta_drop(t->mta);
		again = true;
	}
	if (mail.code != 0 && mail.code / 100 != 2)
		*ret = mail;
	return 0;
}

static struct share *share_of(struct recipient *r)
{
	struct mail_transaction *t = r->t;
	struct share *s = t->share;

	while (s && s->domain != r->domain)
		s = s->next;
	if (s)
		return s;
	s = arena_new(&t->arena, struct share);
	s->next = t->share;
	s->domain = r->domain;
	s->mailbox = arena_span(&t->arena, buf_span(&r->mailbox));
	return t->share = s;
}

static void add_to_share(struct recipient *r)
{
	struct share *s = share_of(r);

	s->n++;
	if (r->rule > s->policy)
		s->policy = r->rule;
}

static void take_answer(struct recipient *r, const struct smtp_reply *reply)
{
	struct mail_transaction *t = r->t;
	unsigned code = session_pass(r->s, reply);

	if (code / 100 != 2) {
		count_refused(r, code);
		note_recipient(r->s, buf_span(&r->mailbox), code, reply->text);
		if (!t->mta->begun)
			give_back(t);
		return;
	}
	if (t->recipients++ > 0)
		buf_add_char(&t->to, ' ');
	buf_add_span(&t->to, buf_span(&r->mailbox));
	add_to_share(r);
}

static void deliver_to_backend(struct recipient *r)
{
	struct smtp_reply reply;

	if (r->t->lost)
		refuse_plainly(r, 451, "4.4.2", FAULT_MAIL_BACKEND_BROKE_OFF,
			"The mail server of this domain went away");
	else if ((!r->t->mta || share_backend(r) == 0) && ask_backend(r, &reply) == 0)
		take_answer(r, &reply);
}

static void receive_recipient(struct recipient *r)
{
	unsigned refused;

	if (r->t->recipients >= session_settings(r->s)->recipients_max) {
		refuse_plainly(r, 452, "4.5.3", FAULT_MAIL_TOO_MANY_RECIPIENTS, "Too many recipients for one message");
		return;
	}
	r->domain = find_domain(r);
	if (!r->domain) {
		refuse_relaying(r);
		return;
	}
	if (is_routed(r->rcpt.to.local)) {
		refuse_plainly(r, 550, "5.7.1", FAULT_MAIL_ROUTED,
			"Relaying denied: no way behind the domain is taken");
		return;
	}
	r->rule = snapshot_tls_of(r->s->state->snapshot, r->domain, buf_span(&r->mailbox));
	refused = encryption_judge(r->s, r->domain, r->rule, buf_span(&r->mailbox));
	if (refused == 0)
		deliver_to_backend(r);
	else
		count_refused(r, refused);
}

int on_rcpt(struct mail_session *s, struct span args)
{
	struct recipient r = { .s = s, .t = s->mail, .mailbox = BUF_INIT(SMTP_LOCAL_MAX + SMTP_NAME_MAX + 2) };
	const struct smtp_answer *no = smtp_rcpt_parse(args, s->mail->from.utf8, &r.rcpt);

	if (no) {
		session_refuse_syntax(s, "RCPT TO", args, no);
		return NEXT_COMMAND;
	}
	smtp_path_mailbox(&r.rcpt.to, &r.mailbox);
	receive_recipient(&r);
	buf_done(&r.mailbox);
	return NEXT_COMMAND;
}
