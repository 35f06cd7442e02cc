/*
 * A message on its way from the client to the backend.
 *
 * Bytes are taken as they come, checked and freed of the client's dot-stuffing (smtp/data.c),
 * measured (measure.c), given dot-stuffing of our own, and sent on; the final dot is held back
 * until the client's has come. A message that turns out unfit on the way is spoiled: the backend's
 * connection is dropped, which voids what it has of it, and the rest is taken and thrown away, so
 * that the client hears why.
 */
#include <errno.h>
#include "mail/mail_priv.h"

/* Received lines of a message; more: it runs in a circle (RFC 5321 6.3) */
#define TRACE_MAX     50
#define RATE_MIN      500 /* bytes a second on the average, beyond the first data_timeout */
#define EARLY_WORD_MS 500 /* for why it went */
#define EARLY_MS      20  /* for the rest of what it has begun to say */
#define CONTENT_MAX   (64 << 10)
#define WASTE_MAX     (1 << 20)

static const struct smtp_answer too_big = { 552, "5.3.4", "The message is larger than is taken here" };
static const struct smtp_answer loops = { 554, "5.4.6",
	"The message runs in a circle: too many Received lines [MAIL-LOOP]" };
static const struct smtp_answer no_8bit = { 554, "5.6.3", "The mail server of this domain takes 7-bit messages only" };
static const struct smtp_answer no_8bit_after_all = { 451, "4.6.3",
	"The mail server of this domain takes 7-bit messages only; ask EHLO again" };
static const struct smtp_answer went = { 451, "4.4.2", "The mail server of this domain went away; try again" };

static void spoil(struct relay *r, const struct smtp_answer *why)
{
	r->spoiled = why;
	r->s->mail->mta = mta_drop(r->mta);
	r->mta = NULL;
}

/* ---- what came of it ---- */

static enum note_verdict verdict_of(unsigned code)
{
	return code / 100 == 2 ? NOTE_DELIVERED : code / 100 == 4 ? NOTE_DEFERRED : NOTE_REFUSED;
}

static void count_message(unsigned code, uint64_t bytes)
{
	stat_add(code / 100 == 2 ? STAT_MAIL_DELIVERED : code / 100 == 4 ? STAT_MAIL_DEFERRED : STAT_MAIL_REFUSED, 1);
	if (code / 100 == 2)
		stat_add(STAT_MAIL_BYTES, bytes);
}

/* ---- beginning ---- */

static enum fault_code backend_failed(struct mail_session *s, int error)
{
	struct fault f;

	mta_fault(&f, s->mail->mta, error);
	note_fault(s, LOG_LEVEL_WARNING, "backend-failed", &f);
	return f.code;
}

static void say_backend_failed(struct mail_session *s, int error)
{
	session_say(s, 451, "4.4.2", "%s [%s]", went.text, fault_code_text(backend_failed(s, error)));
}

/* Every domain among the recipients has to want it. */
static bool may_mend_lines(const struct mail_transaction *t)
{
	for (const struct share *share = t->share; share; share = share->next)
		if (share->domain->mail_lines != DOMAIN_MAIL_LINES_MEND)
			return false;
	return true;
}

static struct relay *relay_new(struct mail_session *s)
{
	struct relay *r = mem_new(struct relay);
	uint64_t theirs = s->mail->mta->client.caps.size_max;

	r->s = s;
	r->mta = s->mail->mta;
	buf_init(&r->content, CONTENT_MAX);
	buf_init(&r->out, 2 * CONTENT_MAX + 4096);
	buf_init(&r->last, SMTP_REPLY_MAX);
	r->started_ms = loop_now_ms();
	r->size_max = session_settings(s)->message_size_max;
	if (theirs > 0 && theirs < r->size_max)
		r->size_max = theirs;
	r->in.mend = may_mend_lines(s->mail);
	received_print(s, &r->out);
	return r;
}

struct relay *relay_free(struct relay *r)
{
	if (!r)
		return NULL;
	buf_done(&r->content);
	buf_done(&r->out);
	buf_done(&r->last);
	return mem_free(r);
}

/* The message was refused before its first byte, which was said: the transaction is over. broken:
 * so is the connection. */
static struct relay *refuse_all(struct mail_session *s, unsigned code, struct span reply, bool broken)
{
	note_mail(s, verdict_of(code), 0, reply);
	count_message(code, 0);
	if (broken)
		s->mail->mta = mta_drop(s->mail->mta);
	session_reset(s);
	return NULL;
}

struct relay *relay_begin(struct mail_session *s)
{
	struct mail_transaction *t = s->mail;
	struct smtp_reply reply;
	int r;

	if (t->lost) {
		session_answer(s, &went);
		return refuse_all(s, went.code, span_of(went.text), true);
	}
	r = mta_ask(t->mta, SPAN("DATA\r\n"), &reply);
	if (r == 0 && reply.code == 354)
		return t->relay = relay_new(s);
	/* A yes without the message is none: the sender must not take it for one. */
	if (r == 0 && reply.code < 400)
		r = -EPROTO;
	if (r == 0)
		return refuse_all(s, session_pass(s, &reply), reply.text, false);
	say_backend_failed(s, r);
	return refuse_all(s, went.code, span_of(strerror(-r)), true);
}

/* ---- on the way ---- */

uint64_t relay_deadline(const struct relay *r)
{
	uint64_t patience = session_settings(r->s)->data_timeout_ms;
	uint64_t next = deadline_in(patience), all = r->started_ms + patience + r->received * 1000 / RATE_MIN;

	return next < all ? next : all;
}

/* The backend cannot be written to any more. It may have said why. */
static void lost_backend(struct relay *r, int error)
{
	struct smtp_reply reply;

	if (smtp_client_read(&r->mta->client, deadline_in(EARLY_WORD_MS), &reply) == 0 && reply.code >= 400)
		buf_add_span(&r->last, reply.lines);
	else
		backend_failed(r->s, error);
	spoil(r, &went);
}

static const struct smtp_answer *why_unfit(const struct relay *r)
{
	if (r->measure.bytes > r->size_max)
		return &too_big;
	if (r->measure.received > TRACE_MAX)
		return &loops;
	if (r->measure.eight_bit && !(r->mta->client.caps.mask & SMTP_CAP_8BITMIME))
		return r->s->offered & SMTP_CAP_8BITMIME ? &no_8bit_after_all : &no_8bit;
	return NULL;
}

static void send_out(struct relay *r)
{
	int error = smtp_client_write(&r->mta->client, buf_span(&r->out),
		deadline_in(session_settings(r->s)->backend_timeout_ms));

	buf_reset(&r->out);
	if (error < 0)
		lost_backend(r, error);
}

int relay_send(struct relay *r)
{
	const struct smtp_answer *no;

	mail_measure(&r->measure, buf_span(&r->content));
	no = r->mta ? why_unfit(r) : NULL;
	if (no)
		spoil(r, no);
	if (r->mta) {
		smtp_dot_stuffing_write(&r->dot_stuffing, buf_span(&r->content), &r->out);
		must(buf_error(&r->out) == 0 && buf_error(&r->content) == 0);
		send_out(r);
	}
	buf_reset(&r->content);
	return r->mta || r->measure.bytes < 2 * r->size_max + WASTE_MAX ? 0 : -EMSGSIZE;
}

/* ---- the end ---- */

/* Our answer, or the backend's word that came before its time. */
static void answer_spoiled(struct relay *r)
{
	struct smtp_reply reply;
	size_t used;

	if (r->last.n > 0 && smtp_reply_parse(buf_span(&r->last), &reply, &used) == 1) {
		unsigned code = session_pass(r->s, &reply);

		note_mail(r->s, verdict_of(code), r->measure.bytes, reply.text);
		count_message(code, 0);
		return;
	}
	session_answer(r->s, r->spoiled);
	note_mail(r->s, verdict_of(r->spoiled->code), r->measure.bytes, span_of(r->spoiled->text));
	count_message(r->spoiled->code, 0);
}

/* What the backend says to the dot is what we say. The code that was said. */
static unsigned answer_final(struct relay *r, const struct smtp_reply *reply)
{
	struct mail_session *s = r->s;
	unsigned code = session_pass(s, reply);

	r->mta->begun = false;
	/* it goes, or is out of step */
	r->mta->broken = reply->code == 421 || reply->code / 100 == 3;
	r->mta->mails++;
	count_message(code, r->measure.bytes);
	if (code / 100 == 2) {
		s->mails++;
		s->errors_before += s->errors;
		s->commands = s->errors = 0;
	}
	return code;
}

/* A word of the backend before the dot is no answer to it. A refusal counts; anything else is a
 * conversation out of step. */
static void hear_early(struct relay *r)
{
	struct smtp_client *c = &r->mta->client;
	struct smtp_reply reply;
	int error;

	if (c->in.n <= c->used && conn_wait(c->conn, loop_now_ms()) < 0)
		return;
	error = smtp_client_read(c, deadline_in(EARLY_MS), &reply);
	if (error == -ETIMEDOUT && c->in.n <= c->used)
		return; /* TLS spoke, not the server */
	if (error == 0 && reply.code >= 400)
		buf_add_span(&r->last, reply.lines);
	else
		backend_failed(r->s, error < 0 ? error : -EPROTO);
	spoil(r, &went);
}

/* The dot was sent and no answer came: nobody knows. The sender tries again; the mail may arrive
 * twice, but never not at all. */
static void answer_unknown(struct relay *r, int error)
{
	say_backend_failed(r->s, error);
	note_mail(r->s, NOTE_UNKNOWN, r->measure.bytes, span_of(strerror(-error)));
	count_message(451, 0);
	r->s->mail->mta = mta_drop(r->mta);
}

static int finish_message(struct relay *r)
{
	struct mail_session *s = r->s;
	struct smtp_reply reply;
	unsigned code;
	int error, sent;

	hear_early(r);
	/* This worker ends: the dot would bring the mail to a backend whose answer nobody hears. */
	if (r->mta && task_canceled())
		spoil(r, &went);
	if (r->mta) {
		smtp_dot_stuffing_end(&r->dot_stuffing, &r->out);
		send_out(r);
	}
	if (!r->mta) {
		answer_spoiled(r);
		return 0;
	}
	error = smtp_client_read(&r->mta->client, deadline_in(session_settings(s)->final_timeout_ms), &reply);
	if (error < 0) {
		answer_unknown(r, error);
		return 0;
	}
	code = answer_final(r, &reply);
	sent = session_flush(s);
	note_mail(s, sent < 0 && code / 100 == 2 ? NOTE_UNANSWERED : verdict_of(code), r->measure.bytes, reply.text);
	return sent;
}

int relay_end(struct relay *r)
{
	struct mail_session *s = r->s;
	int error = 0;

	if (r->mta)
		error = finish_message(r);
	else
		answer_spoiled(r);
	s->mail->relay = relay_free(r);
	session_reset(s);
	return error;
}

void relay_refuse(struct relay *r, unsigned code, struct span why)
{
	struct mail_session *s = r->s;

	note_mail(s, verdict_of(code), r->measure.bytes, why);
	count_message(code, 0);
	s->mail->mta = mta_drop(s->mail->mta);
	s->mail->relay = relay_free(r);
	session_reset(s);
}
