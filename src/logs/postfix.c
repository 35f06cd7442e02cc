/*
 * Postfix's log. One connection leaves several lines, which only the process's number joins:
 *
 *   postfix/smtpd[12]: connect from host[192.0.2.1]
 *   postfix/smtpd[12]: Anonymous TLS connection established from host[192.0.2.1]: TLSv1.2 with
 *   cipher SUITE (256/256 bits) postfix/smtpd[12]: SSL_accept error from host[192.0.2.1]: -1
 *   postfix/smtpd[12]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared
 *   cipher:… postfix/smtpd[12]: 4F1A…: client=host[192.0.2.1]
 *   postfix/smtpd[12]: NOQUEUE: reject: RCPT from host[192.0.2.1]: 530 5.7.0 Must issue a STARTTLS
 *   command first; from=<…> to=<…> … postfix/smtp[13]: Trusted TLS connection established to
 *   host[192.0.2.1]:25: TLSv1.3 with cipher SUITE (…) …
 *      … key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256
 *   postfix/smtp[13]: 4F1A…: to=<…>, relay=host[192.0.2.1]:25, …, status=sent (…)
 *   postfix/smtp[13]: 4F1A…: to=<…>, relay=host[192.0.2.1]:25, …, status=deferred (TLS is required,
 *   but was not offered by host …)
 *
 * The words of the library come behind the error's line and replace its number. With TLS 1.3 the
 * signature names the key type. smtp does not say that it connects: a connection is another one
 * when it has a line about TLS, or another message.
 *
 * tlsproxy does the TLS of postscreen, and of smtp where connections are used again. It has many
 * connections at a time, and the library's words, without an address, stand before the failure:
 *
 *   postfix/tlsproxy[14]: Anonymous TLS connection established from [192.0.2.1]:4711: TLSv1.3 with
 *   cipher SUITE (…) … postfix/tlsproxy[14]: warning: TLS library problem: error:0A0000C1:SSL
 *   routines::no shared cipher:… postfix/tlsproxy[14]: TLS handshake failed for service=smtpd
 *   peer=[192.0.2.1]:4711 postfix/postscreen[15]: NOQUEUE: reject: RCPT from [192.0.2.1]:4712: 450
 *   4.3.2 Service currently unavailable; from=<…>, to=<…>, …
 *
 * postscreen refuses every first recipient while it tests a client: no refusal to count, but it
 * tells that somebody came without TLS. It writes nothing when it demands TLS itself
 * (postscreen_tls_security_level = encrypt).
 */
#include "base/mem.h"
#include "logs/logs_priv.h"

/* Did the mails that a connection brought come with TLS? */
enum held { HELD_CLEAR, HELD_SECURED, HELD_UNTOLD };

static void settle(struct logs *l, struct session *s, enum held held)
{
	struct peer *p = s->held > 0 ? peer_find(l, s->addr) : NULL;

	if (p && held == HELD_UNTOLD && !l->postfix_tells[IN])
		p->untold[IN] += s->held;
	else if (p)
		peer_mail(p, IN, s->held_at, held == HELD_SECURED, s->held);
	s->held = 0;
}

void postfix_end(struct logs *l)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		settle(l, &l->sessions[i], HELD_UNTOLD);
}

static struct session *session_of(struct logs *l, uint32_t pid, bool client)
{
	struct session *s = &l->sessions[pid % SESSIONS_MAX];

	if (s->pid != pid || s->client != client) {
		settle(l, s, HELD_UNTOLD);
		*s = (struct session){ .pid = pid, .client = client };
	}
	return s;
}

/* Another connection than before? Then nothing is known of it. */
static void session_meet(struct logs *l, struct session *s, const struct party *p)
{
	if (memcmp(s->addr, p->addr, 16) == 0)
		return;
	settle(l, s, HELD_UNTOLD);
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

/* "TLS connection established from host[address]: TLSv1.2 with cipher …", "… established to
 * host[address]:25: …", "… reused to …" */
static void on_tls(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	bool again = skip(&rest, SPAN("TLS connection reused to "));
	struct party party;
	struct peer *p;
	int64_t at;

	if (!again && !skip(&rest, SPAN("TLS connection established from ")) &&
		!skip(&rest, SPAN("TLS connection established to ")))
		return;
	if (!party_take(&rest, &party) || !stamp_time(l, stamp, &at))
		return;
	session_meet(l, s, &party);
	s->secured = true;
	s->mail = 0;
	l->postfix_tells[s->client ? OUT : IN] = true;
	p = peer_meet(l, &party, at);
	if (!again)
		peer_secured(l, p, s->client ? OUT : IN, at,
			suite_of(l, span_from(rest, (size_t)(find(rest, SPAN(": ")) + 2))));
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
	session_meet(l, s, &p);
	s->failed = true;
	s->secured = false;
	peer_failed(l, peer_meet(l, &p, at), s->client ? OUT : IN, at,
		colon < 0 ? SPAN("") : span_from(rest, (size_t)colon + 2));
}

static void on_library(struct logs *l, struct session *s, struct span rest)
{
	struct peer *p = s->failed ? peer_find(l, s->addr) : NULL;

	if (p)
		peer_failed_because(l, p, rest);
}

/* Gone while STARTTLS was under way. */
static void on_lost(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct party p;
	int64_t at;

	if (!party_take(&rest, &p))
		return;
	session_meet(l, s, &p);
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

/* ":4712" (smtpd_client_port_logging), or nothing. */
static void skip_port(struct span *rest)
{
	size_t n = 1;

	if (rest->n < 2 || rest->p[0] != ':' || !ascii_digit(rest->p[1]))
		return;
	while (n < rest->n && ascii_digit(rest->p[n]))
		n++;
	*rest = span_from(*rest, n);
}

static void on_reject(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	ptrdiff_t from = find(rest, SPAN(" from ")), end;
	struct party p;
	int64_t at;

	if (from < 0 || s->secured)
		return;
	rest = span_from(rest, (size_t)from + 6);
	if (!party_take(&rest, &p))
		return;
	skip_port(&rest);
	if (!skip(&rest, SPAN(": ")))
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
	struct peer *peer;
	struct party p;
	int64_t at;

	if (!party_take(&rest, &p) || !stamp_time(l, stamp, &at))
		return;
	session_meet(l, s, &p);
	peer = peer_meet(l, &p, at);
	if (s->secured)
		peer_mail(peer, IN, at, true, 1);
	else if (s->held++ == 0)
		s->held_at = at;
}

/* "host[address] ehlo=2 starttls=1 mail=1 … commands=7": how often each command was accepted, and
 * of how many (0/1). With smtpd_tls_loglevel = 0 nothing else tells that TLS was up; before 3.0 the
 * numbers were missing. */
static void on_disconnect(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct span tls;
	bool any = find_value(rest, SPAN(" starttls"), &tls),
	     counted = any || find_value(rest, SPAN(" commands"), &tls);
	bool up = any && tls.p[0] != '0';
	struct party p;
	int64_t at;

	if (s->held == 0 && (!any || s->secured || s->failed || (up && l->postfix_tells[IN])))
		return;
	if (!party_take(&rest, &p) || memcmp(p.addr, s->addr, 16) != 0 || !stamp_time(l, stamp, &at)) {
		settle(l, s, HELD_UNTOLD);
		return;
	}
	if (up && !s->secured)
		peer_secured_somehow(peer_meet(l, &p, at), IN, at);
	else if (any && !up && !s->failed)
		peer_failed(l, peer_meet(l, &p, at), IN, s->held > 0 ? s->held_at : at, SPAN("starttls=0"));
	settle(l, s, up ? HELD_SECURED : counted ? HELD_CLEAR : HELD_UNTOLD);
}

/* What was not delivered for want of TLS, and has no other line: by this machine's settings, or by
 * the server's ("host mx[192.0.2.1] said: 530 5.7.0 Must issue a STARTTLS command first (in …"). */
static bool is_for_want_of_tls(struct logs *l, struct span status)
{
	ptrdiff_t open = span_index(status, '('), said;

	status = span_from(status, (size_t)(open < 0 ? 0 : open + 1));
	said = find(status, SPAN(" said: "));
	if (said >= 0 && is_about_encryption(l, span_from(status, (size_t)said)))
		return true;
	return span_starts(status, SPAN("TLS is required")) || span_starts(status, SPAN("Server certificate not "));
}

/* "to=<…>, relay=host[address]:25, …, status=sent (…)" */
static void on_delivery(struct logs *l, const struct stamp *stamp, struct session *s, struct span id, struct span rest)
{
	uint64_t mail = span_hash(id, 0);
	struct party p;
	int64_t at;
	bool sent;

	if (!skip_to_value(&rest, SPAN(", relay")) || !party_take(&rest, &p) || !skip_to_value(&rest, SPAN(", status")))
		return;
	session_meet(l, s, &p);
	if (s->mail > 0 && s->mail != mail)
		s->secured = false;
	s->mail = mail;
	sent = skip(&rest, SPAN("sent"));
	if ((!sent && !is_for_want_of_tls(l, rest)) || !stamp_time(l, stamp, &at))
		return;
	if (sent && !s->secured && !s->failed && !l->postfix_tells[OUT])
		peer_meet(l, &p, at)->untold[OUT]++;
	else if (sent)
		peer_mail(peer_meet(l, &p, at), OUT, at, s->secured, 1);
	else
		peer_failed_for(l, peer_meet(l, &p, at), id, at, span_from(rest, (size_t)span_index(rest, '(') + 1));
}

/* "4F1A2B3C: " or the long form, before lines of a message; "NOQUEUE: " and "warning: " look the
 * same. */
static bool take_queue_id(struct span *rest, struct span *ret)
{
	ptrdiff_t colon = span_index(span_sub(*rest, 0, 24), ':');

	if (colon < 0 || (size_t)colon + 1 >= rest->n || rest->p[colon + 1] != ' ')
		return false;
	*ret = span_sub(*rest, 0, (size_t)colon);
	*rest = span_from(*rest, (size_t)colon + 2);
	return true;
}

/* What Postfix thinks of the other side's certificate. */
static bool skip_trust(struct span *rest)
{
	return skip(rest, SPAN("Anonymous ")) || skip(rest, SPAN("Untrusted ")) || skip(rest, SPAN("Trusted ")) ||
		skip(rest, SPAN("Verified "));
}

static void on_labelled(struct logs *l, const struct stamp *stamp, struct session *s, struct span id, struct span rest)
{
	if (!s->client && skip(&rest, SPAN("client=")))
		on_client(l, stamp, s, rest);
	else if (s->client && span_starts(rest, SPAN("to=<")))
		on_delivery(l, stamp, s, id, rest);
	else if (skip(&rest, SPAN("reject: ")))
		on_reject(l, stamp, s, rest);
	else if (skip(&rest, SPAN("TLS library problem: ")))
		on_library(l, s, rest);
	else if (s->client && span_starts(rest, SPAN("Cannot start TLS"))) {
		s->secured = false;
		s->failed = true;
	}
}

static void on_connect(struct logs *l, struct session *s, struct span rest)
{
	struct party p;

	settle(l, s, HELD_UNTOLD);
	*s = (struct session){ .pid = s->pid, .client = s->client };
	if (!l->postfix_tells[IN] && party_take(&rest, &p))
		memcpy(s->addr, p.addr, 16);
}

/* postfix/smtps/smtpd: TLS from the first byte, so that no STARTTLS is counted. */
static bool is_wrapped(struct span program)
{
	return program.n > sizeof("postfix/smtpd") - 1 &&
		(find(program, SPAN("/smtps/")) >= 0 || find(program, SPAN("/submissions/")) >= 0);
}

static void on_session_line(struct logs *l, const struct stamp *stamp, struct session *s, struct span rest)
{
	struct span id;

	if (skip(&rest, SPAN("connect from "))) {
		on_connect(l, s, rest);
	} else if (skip(&rest, SPAN("disconnect from "))) {
		on_disconnect(l, stamp, s, rest);
		*s = (struct session){ .pid = s->pid, .client = s->client };
	} else if (take_queue_id(&rest, &id))
		on_labelled(l, stamp, s, id, rest);
	else if (skip_trust(&rest))
		on_tls(l, stamp, s, rest);
	else if (skip(&rest, SPAN("SSL_accept error from ")) || skip(&rest, SPAN("SSL_connect error to ")))
		on_error(l, stamp, s, rest);
	else if (skip(&rest, SPAN("lost connection after STARTTLS from ")))
		on_lost(l, stamp, s, rest);
}

/* ---- tlsproxy and postscreen ---- */

/* "smtpd peer=[192.0.2.1]:4711" */
static void on_proxy_failure(struct logs *l, const struct stamp *stamp, uint32_t pid, struct span rest)
{
	struct span service, words = l->words.pid == pid ? span_make(l->words.text, l->words.n) : SPAN("");
	struct party p;
	int64_t at;

	if (!span_cut(&rest, ' ', &service) || !skip(&rest, SPAN("peer=")) || !party_take(&rest, &p) ||
		!stamp_time(l, stamp, &at))
		return;
	peer_failed(l, peer_meet(l, &p, at), span_eq(service, SPAN("smtp")) ? OUT : IN, at,
		words.n > 0 ? words : SPAN("TLS handshake failed"));
}

static void proxy_line(struct logs *l, const struct stamp *stamp, uint32_t pid, struct span rest)
{
	struct session s = { 0 };

	if (skip(&rest, SPAN("warning: "))) {
		skip(&rest, SPAN("TLS library problem: "));
		rest = span_sub(rest, 0, sizeof(l->words.text));
		l->words.pid = pid;
		l->words.n = rest.n;
		memcpy(l->words.text, rest.p, rest.n);
		return;
	}
	if (skip(&rest, SPAN("TLS handshake failed for service=")))
		on_proxy_failure(l, stamp, pid, rest);
	else if (skip_trust(&rest) && span_starts(rest, SPAN("TLS connection established from ")))
		on_tls(l, stamp, &s, rest); /* those to others smtp tells itself */
	l->words.n = 0;
}

static void postscreen_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct party p;
	int64_t at;

	if (skip(&rest, SPAN("NOQUEUE: reject: RCPT from ")) && party_take(&rest, &p) && peer_find(l, p.addr) &&
		stamp_time(l, stamp, &at))
		peer_came(peer_meet(l, &p, at), at);
}

/* Which daemon writes such a line? (journalctl -o with-unit names the unit only.) */
static struct span daemon_of(const struct logs *l, uint32_t pid, struct span rest)
{
	static const char *const of_smtp[] = { "TLS connection established to ", "TLS connection reused to ",
		"SSL_connect error to ", ": to=<", "Cannot start TLS" };
	const struct session *s = &l->sessions[pid % SESSIONS_MAX];

	if (find(rest, SPAN(" peer=[")) >= 0)
		return SPAN("/tlsproxy");
	if (span_starts(rest, SPAN("NOQUEUE: reject: RCPT from [")))
		return SPAN("/postscreen");
	for (size_t i = 0; i < array_len(of_smtp); i++)
		if (find(rest, span_of(of_smtp[i])) >= 0)
			return SPAN("/smtp");
	return s->pid == pid && s->client && span_starts(rest, SPAN("warning: ")) ? SPAN("/smtp") : SPAN("/smtpd");
}

void postfix_line(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid, struct span rest)
{
	if (span_ends(program, SPAN(".service")))
		program = daemon_of(l, pid, rest);
	if (span_ends(program, SPAN("/smtpd"))) {
		struct session *s = session_of(l, pid, false);

		s->secured |= is_wrapped(program);
		on_session_line(l, stamp, s, rest);
	} else if (span_ends(program, SPAN("/smtp")))
		on_session_line(l, stamp, session_of(l, pid, true), rest);
	else if (span_ends(program, SPAN("/tlsproxy")))
		proxy_line(l, stamp, pid, rest);
	else if (span_ends(program, SPAN("/postscreen")))
		postscreen_line(l, stamp, rest);
}
