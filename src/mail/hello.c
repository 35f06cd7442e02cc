/* HELO and EHLO: who the client says it is, and what it may ask for. What only the backends can do
 * is announced if all of them can (RFC 5321 4.1.1.1); of one that is not known yet the best is
 * believed, and who relied on that is put off, not refused. */
#include <stdio.h>
#include "mail/mail_priv.h"

/* 0, or -1 after answering 501. */
static int take_helo_name(struct mail_session *s, struct span name)
{
	static const struct smtp_answer no_name = { 501, "5.5.4", "A name or an address literal is expected" };

	if (!smtp_is_helo(name)) {
		session_refuse_syntax(s, "EHLO", name, &no_name);
		return -1;
	}
	session_reset(s);
	mem_free(s->helo);
	s->helo = span_text(name);
	return 0;
}

int on_helo(struct mail_session *s, struct span args)
{
	if (take_helo_name(s, args) < 0)
		return NEXT_COMMAND;
	s->esmtp = false;
	s->offered = 0;
	session_say(s, 250, "", "%s", session_settings(s)->hostname);
	return NEXT_COMMAND;
}

static uint64_t size_max(const struct mail_session *s, uint64_t backends)
{
	uint64_t ours = session_settings(s)->message_size_max;

	return backends > 0 && backends < ours ? backends : ours;
}

static void offer_extension(struct mail_session *s, const char *what)
{
	smtp_answer_line(&s->out, 250, "", span_of(what), true);
}

int on_ehlo(struct mail_session *s, struct span args)
{
	uint64_t backends_max;
	unsigned caps = backends_caps(s->thread->mail->backends, &backends_max);
	struct tls_set *tls = s->state->tls;
	char size[32];

	if (take_helo_name(s, args) < 0)
		return NEXT_COMMAND;
	s->esmtp = true;
	s->offered = caps;
	snprintf(size, sizeof(size), "SIZE %llu", (unsigned long long)size_max(s, backends_max));
	offer_extension(s, session_settings(s)->hostname);
	offer_extension(s, "PIPELINING");
	offer_extension(s, size);
	if (!s->conn->secure && tls && tls_set_count(tls) > 0)
		offer_extension(s, "STARTTLS");
	offer_extension(s, "ENHANCEDSTATUSCODES");
	if (caps & SMTP_CAP_8BITMIME)
		offer_extension(s, "8BITMIME");
	if (caps & SMTP_CAP_DSN)
		offer_extension(s, "DSN");
	if (caps & SMTP_CAP_SMTPUTF8)
		offer_extension(s, "SMTPUTF8");
	/* Chunks are passed on as DATA, so every backend can have them. */
	smtp_answer_line(&s->out, 250, "", SPAN("CHUNKING"), false);
	return NEXT_COMMAND;
}
