/*
 * DATA and BDAT: the message.
 *
 * Between DATA and its dot lines end in CRLF and the message in CRLF.CRLF, nothing else does; in
 * chunks the lines are checked the same. A lone CR or LF, or a NUL, ends the session with 521, and
 * the backend never sees a final dot. Domains with `mail_lines = "mend"` have lone CRs and LFs
 * within the message mended instead; the end of DATA stays CRLF.CRLF.
 */
#include <errno.h>
#include "mail/mail_priv.h"

#define READ_AT_ONCE 16384
#define CHUNK_MIN    512 /* shorter ones count as commands */

/* A message that no two programs read alike. */
static int refuse_bytes(struct mail_session *s)
{
	struct fault f;

	fault_set(&f, FAULT_MAIL_BARE_LINE);
	note_fault(s, LOG_LEVEL_WARNING, "refused", &f);
	s->verdict = VERDICT_MALFORMED;
	s->code = f.code;
	if (s->mail && s->mail->relay)
		relay_refuse(s->mail->relay, 521, SPAN("A lone CR or LF, or a NUL, in the message"));
	session_say(s, 521, "5.5.2", "A lone CR or LF, or a NUL, in the message [%s]", fault_code_text(f.code));
	return NEXT_CLOSE;
}

static int refuse_endless(struct mail_session *s)
{
	s->verdict = VERDICT_TOO_MANY;
	s->code = FAULT_MAIL_TOO_LARGE;
	if (s->mail && s->mail->relay)
		relay_refuse(s->mail->relay, 552, SPAN("The message has no end"));
	session_say(s, 552, "5.3.4", "The message has no end [%s]", fault_code_text(s->code));
	return NEXT_CLOSE;
}

/* ---- DATA ---- */

static int read_message(struct relay *r)
{
	struct mail_session *s = r->s;
	size_t used;
	int end = 0, error;

	while (end == 0) {
		if (session_unread(s).n == 0) {
			error = session_receive(s, READ_AT_ONCE, relay_deadline(r));
			if (error < 0)
				return error;
		}
		end = smtp_data_read(&r->in, session_unread(s), &r->content, &used);
		s->used += used;
		r->received += used;
		if (end < 0)
			return refuse_bytes(s);
		if (relay_send(r) < 0)
			return refuse_endless(s);
	}
	return relay_end(r);
}

/* Whoever sends the message without waiting would have it taken for commands, once it is not
 * wanted. */
static int refuse_early(struct mail_session *s)
{
	s->verdict = VERDICT_MALFORMED;
	session_say(s, 421, "4.5.0", "The message came before it was asked for");
	return NEXT_CLOSE;
}

int on_data(struct mail_session *s, struct span args)
{
	bool early = session_unread(s).n > 0;
	struct relay *r;
	int error;

	(void)args;
	r = relay_begin(s);
	if (!r)
		return early ? refuse_early(s) : NEXT_COMMAND;
	session_say(s, 354, "", "End with <CR><LF>.<CR><LF>");
	error = session_flush(s);
	return error < 0 ? error : read_message(r);
}

/* ---- BDAT ---- */

/* The next bytes of a chunk of which left are to come. 0, or -errno. */
static int next_bytes(struct mail_session *s, uint64_t left, uint64_t deadline, struct span *ret)
{
	if (session_unread(s).n == 0) {
		int error = session_receive(s, READ_AT_ONCE, deadline);

		if (error < 0)
			return error;
	}
	*ret = span_sub(session_unread(s), 0, left < SIZE_MAX ? (size_t)left : SIZE_MAX);
	s->used += ret->n;
	return 0;
}

/* A chunk that nobody wants. */
static int drop_chunk(struct mail_session *s, uint64_t n)
{
	uint64_t deadline = deadline_in(session_settings(s)->data_timeout_ms);
	struct span bytes;
	int error;

	if (n > session_settings(s)->message_size_max)
		return refuse_endless(s);
	for (; n > 0; n -= bytes.n) {
		error = next_bytes(s, n, deadline, &bytes);
		if (error < 0)
			return error;
	}
	return NEXT_COMMAND;
}

static int relay_chunk(struct relay *r, uint64_t n)
{
	struct span bytes;
	int error;

	for (; n > 0; n -= bytes.n) {
		error = next_bytes(r->s, n, relay_deadline(r), &bytes);
		if (error < 0)
			return error;
		r->received += bytes.n;
		if (smtp_chunk_read(&r->in, bytes, &r->content) < 0)
			return refuse_bytes(r->s);
		if (relay_send(r) < 0)
			return refuse_endless(r->s);
	}
	return NEXT_COMMAND;
}

static int refuse_chunk(struct mail_session *s, uint64_t n)
{
	int r = drop_chunk(s, n);

	if (r == NEXT_COMMAND && !s->mail)
		session_say(s, 503, "5.5.1", "Say MAIL first");
	else if (r == NEXT_COMMAND)
		session_say(s, 554, "5.5.1", "No recipient was accepted");
	return r;
}

int on_bdat(struct mail_session *s, struct span args)
{
	const struct smtp_answer *no;
	struct relay *relay;
	uint64_t n;
	bool last;
	int r;

	no = smtp_bdat_parse(args, &n, &last);
	if (no) {
		/* Its bytes would be taken for commands. */
		session_answer(s, no);
		return NEXT_CLOSE;
	}
	if (!s->mail || s->mail->recipients == 0)
		return refuse_chunk(s, n);
	relay = s->mail->relay ? s->mail->relay : relay_begin(s);
	if (!relay)
		return drop_chunk(s, n);
	r = relay_chunk(relay, n);
	if (r != NEXT_COMMAND)
		return r;
	if (last && !smtp_chunks_end(&relay->in, &relay->content))
		return refuse_bytes(s);
	if (last && relay_send(relay) < 0)
		return refuse_endless(s);
	if (last)
		return relay_end(relay);
	/* A large message comes in thousands of chunks, which is no nuisance. */
	if (n >= CHUNK_MIN)
		s->commands--;
	session_say(s, 250, "2.0.0", "%llu bytes", (unsigned long long)n);
	return NEXT_COMMAND;
}
