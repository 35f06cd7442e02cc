/*
 * Postfix's log. One connection leaves several lines, which only the process's number joins:
 *
 *   postfix/smtpd[12]: connect from host[192.0.2.1]
 *   postfix/smtpd[12]: Anonymous TLS connection established from host[192.0.2.1]: TLSv1.2 with cipher SUITE (256/256 bits)
 *   postfix/smtpd[12]: SSL_accept error from host[192.0.2.1]: -1
 *   postfix/smtpd[12]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:…
 *   postfix/smtpd[12]: 4F1A…: client=host[192.0.2.1]
 *   postfix/smtpd[12]: NOQUEUE: reject: RCPT from host[192.0.2.1]: 530 5.7.0 Must issue a STARTTLS command first; from=<…> to=<…> …
 *   postfix/smtp[13]: Trusted TLS connection established to host[192.0.2.1]:25: TLSv1.3 with cipher SUITE (…) …
 *      … key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256
 *   postfix/smtp[13]: 4F1A…: to=<…>, relay=host[192.0.2.1]:25, …, status=sent (…)
 *
 * The words of the library come behind the error's line and replace its number. With TLS 1.3 the signature names the key type.
 */
#include "survey/logs_priv.h"

static struct session *session_of(struct logs *l, uint32_t pid, bool client)
{
	struct session *s = &l->sessions[pid % SESSIONS_MAX];

	if (s->pid != pid || s->client != client)
		*s = (struct session){ .pid = pid, .client = client };
	return s;
}

/* Another connection than before? Then nothing is known of it. */
static void session_meet(struct session *s, const struct party *p)
{
	if (memcmp(s->addr, p->addr, 16) == 0)
		return;
	memcpy(s->addr, p->addr, 16);
	s->secured = s->failed = false;
}

static enum tls_key_type signature_key(struct span rest)
{
	ptrdiff_t at = find(rest, SPAN("server-signature "));

	if (at < 0)
		return TLS_KEY_OTHER;
	rest = span_from(rest, (size_t)at + 17);
	return span_starts(rest, SPAN("RSA"))      ? TLS_KEY_RSA
		: span_starts(rest, SPAN("ECDSA")) ? TLS_KEY_ECDSA
						   : TLS_KEY_OTHER;
}

/* "TLSv1.2 with cipher SUITE (256/256 bits) …" */
static unsigned suite_read(struct logs *l, struct span tls)
{
	struct span version, suite;
	enum tls_key_type key;

	if (!span_cut(&tls, ' ', &version) || !skip(&tls, SPAN("with cipher ")) || !span_cut(&tls, ' ', &suite))
		return SUITES_MAX;
	key = signature_key(tls);
	return suite_index(l, version, suite, key == TLS_KEY_OTHER ? suite_key(suite) : key);
}

static unsigned suite_of(struct logs *l, struct span tls)
{
	struct memo *m;

	if (!memo_find(l, WHICH_SUITE, tls, &m))
		m->answer = suite_read(l, tls);
	return m->answer;
}

/* "host[address]: TLSv1.2 with cipher …", "host[address]:25: …" */
static void on_established(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	ptrdiff_t colon;
	int64_t at;

	if (!party_take(&rest, &p) || !stamp_time(l, stamp, &at))
		return;
	colon = find(rest, SPAN(": "));
	session_meet(s, &p);
	s->secured = true;
	peer_secured(l, peer_meet(l, &p, at), s->client ? OUT : IN,
		suite_of(l, span_from(rest, (size_t)(colon < 0 ? 0 : colon + 2))));
}

/* "host[address]: -1", "host[address]:25: Connection reset by peer" */
static void on_error(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	ptrdiff_t colon;
	int64_t at;

	if (!party_take(&rest, &p) || !stamp_time(l, stamp, &at))
		return;
	colon = find(rest, SPAN(": "));
	session_meet(s, &p);
	s->failed = true;
	peer_failed(l, peer_meet(l, &p, at), s->client ? OUT : IN, at,
		colon < 0 ? SPAN("") : span_from(rest, (size_t)colon + 2));
}

/* "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:" */
static void on_library(struct logs *l, struct session *s, struct span rest)
{
	struct peer *p = s->failed ? peer_find(l, s->addr) : NULL;
	ptrdiff_t file = find(rest, SPAN(":../"));

	if (p)
		peer_failed_because(l, p, file > 0 ? span_sub(rest, 0, (size_t)file) : rest);
}

/* Gone while STARTTLS was under way. */
static void on_lost(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	int64_t at;

	if (!party_take(&rest, &p))
		return;
	session_meet(s, &p);
	if (s->failed || s->secured || !stamp_time(l, stamp, &at))
		return;
	peer_failed(l, peer_meet(l, &p, at), IN, at, SPAN("lost connection after STARTTLS"));
}

static struct span value_of(struct span rest, struct span name)
{
	ptrdiff_t at = find(rest, name), end;

	if (at < 0)
		return SPAN("");
	rest = span_from(rest, (size_t)at + name.n);
	end = span_index(rest, '>');
	return end < 0 ? SPAN("") : span_sub(rest, 0, (size_t)end);
}

static void on_reject(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	ptrdiff_t from = find(rest, SPAN(" from ")), end;
	struct party p;
	int64_t at;

	if (from < 0 || s->secured)
		return;
	rest = span_from(rest, (size_t)from + 6);
	if (!party_take(&rest, &p) || !skip(&rest, SPAN(": ")))
		return;
	end = find(rest, SPAN("; from="));
	if (!is_about_encryption(l, span_sub(rest, 0, end < 0 ? rest.n : (size_t)end)) || !stamp_time(l, stamp, &at))
		return;
	peer_refused(peer_meet(l, &p, at), at, value_of(rest, SPAN(" to=<")),
		span_sub(rest, 0, end < 0 ? rest.n : (size_t)end));
}

/* Behind a queue id: "client=host[address]" */
static void on_client(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	int64_t at;

	if (!party_take(&rest, &p) || !stamp_time(l, stamp, &at))
		return;
	session_meet(s, &p);
	peer_mail(peer_meet(l, &p, at), IN, at, s->secured, 1);
}

/* "to=<…>, relay=host[address]:25, …, status=sent (…)" */
static void on_delivery(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	int64_t at;

	if (!skip_to_value(&rest, SPAN(", relay")) || !party_take(&rest, &p) ||
		!skip_to_value(&rest, SPAN(", status")) || !skip(&rest, SPAN("sent")) || !stamp_time(l, stamp, &at))
		return;
	session_meet(s, &p);
	peer_mail(peer_meet(l, &p, at), OUT, at, s->secured, 1);
}

/* "4F1A2B3C: " or the long form, before lines of a message; "NOQUEUE: " and "warning: " look the same. */
static bool skip_queue_id(struct span *rest)
{
	ptrdiff_t colon = span_index(span_sub(*rest, 0, 24), ':');

	if (colon < 0 || (size_t)colon + 1 >= rest->n || rest->p[colon + 1] != ' ')
		return false;
	*rest = span_from(*rest, (size_t)colon + 2);
	return true;
}

static bool skip_established(struct span *rest)
{
	struct span s = *rest;

	if (!skip(&s, SPAN("Anonymous ")) && !skip(&s, SPAN("Untrusted ")) && !skip(&s, SPAN("Trusted ")) &&
		!skip(&s, SPAN("Verified ")))
		return false;
	if (!skip(&s, SPAN("TLS connection established from ")) && !skip(&s, SPAN("TLS connection established to ")))
		return false;
	*rest = s;
	return true;
}

static void on_labelled(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	if (!s->client && skip(&rest, SPAN("client=")))
		on_client(l, stamp, s, rest);
	else if (s->client && span_starts(rest, SPAN("to=<")))
		on_delivery(l, stamp, s, rest);
	else if (skip(&rest, SPAN("reject: ")))
		on_reject(l, stamp, s, rest);
	else if (skip(&rest, SPAN("TLS library problem: ")))
		on_library(l, s, rest);
}

void postfix_line(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid, struct span rest)
{
	bool client = span_ends(program, SPAN("/smtp"));
	struct session *s;

	if (!client && !span_ends(program, SPAN("/smtpd")))
		return;
	s = session_of(l, pid, client);
	if (skip(&rest, SPAN("connect from ")) || skip(&rest, SPAN("disconnect from ")))
		*s = (struct session){ .pid = pid, .client = client };
	else if (skip_queue_id(&rest))
		on_labelled(l, stamp, s, rest);
	else if (skip_established(&rest))
		on_established(l, stamp, s, rest);
	else if (skip(&rest, SPAN("SSL_accept error from ")) || skip(&rest, SPAN("SSL_connect error to ")))
		on_error(l, stamp, s, rest);
	else if (skip(&rest, SPAN("lost connection after STARTTLS from ")))
		on_lost(l, stamp, s, rest);
}
