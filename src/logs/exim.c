/*
 * Exim's main log.
 *
 *   2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=host (helo) [192.0.2.1]:4711 P=esmtps
 *   X=TLS1.2:SUITE:256 CV=no S=… 2024-01-05 09:14:21 1rB7Q1-0041w7-0i => a@b R=… T=… H=host
 *   [192.0.2.1] X=TLS1.3:SUITE:256 CV=yes C="250 OK" 2024-01-05 09:14:21 TLS error on connection
 *   from host (helo) [192.0.2.1]:4711 I=[…]:25 (SSL_accept): error:… 2024-01-05 09:14:22 H=host
 *   (helo) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: encryption required
 *
 * A failed handshake of a delivery is told with what is done about it (without TLS is the default),
 * or once for each recipient; older versions had words of their own:
 *
 *   2024-01-05 09:14:21 1rB7Q1-0041w7-0i TLS session: (SSL_connect): error:…: delivering
 *   unencrypted to H=host [192.0.2.1] (not in … 2024-01-05 09:14:21 1rB7Q1-0041w7-0i == a@b R=… T=…
 *   defer (-37) H=host [192.0.2.1]: TLS session: (SSL_connect): error:… 2024-01-05 09:14:21
 *   1rB7Q1-0041w7-0i == a@b R=… T=… defer (-38) H=host [192.0.2.1]: a TLS session is required, but
 *   … 2024-01-05 09:14:21 1rB7Q1-0041w7-0i H=host [192.0.2.1]: TLS error on connection
 *   (gnutls_handshake): …
 *
 * X= holds version, suite and bits; a build with GnuTLS writes
 * ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM where the signature names the key type. A pid in
 * brackets, milliseconds and a zone may stand behind the time.
 *
 * A build with GnuTLS, as a server, sends its alert, waits for half a second and for the client to
 * hang up, and only then writes that the handshake failed: a client that comes again at once
 * without TLS stands before its own failure.
 */
#include "logs/logs_priv.h"

/* "1rB7Q1-0041w7-0i " or the longer form since 4.97; 0: none. */
static size_t id_bytes(struct span s)
{
	if (s.n > 17 && s.p[6] == '-' && s.p[13] == '-' && s.p[16] == ' ')
		return 17;
	if (s.n > 24 && s.p[6] == '-' && s.p[18] == '-' && s.p[23] == ' ')
		return 24;
	return 0;
}

/* "TLS1.2:SUITE:256" */
static unsigned suite_of(struct logs *l, struct span tls)
{
	struct span version, suite;
	struct memo *m;

	if (!memo_find(l, WHICH_SUITE, tls, &m)) {
		span_cut(&tls, ':', &version);
		m->answer = SUITES_MAX;
		if (span_cut(&tls, ':', &suite))
			m->answer = suite_index(l, version, suite, suite_key(suite));
	}
	return m->answer;
}

/* The value of X= among the words behind the host, which it follows soon. */
static bool find_tls(struct span rest, struct span *ret)
{
	for (unsigned i = 0; i < 6; i++) {
		ptrdiff_t blank = span_index(rest, ' ');

		if (skip(&rest, SPAN("X="))) {
			*ret = span_sub(rest, 0, blank < 0 ? rest.n : (size_t)blank - 2);
			return true;
		}
		if (blank < 0 || span_starts(rest, SPAN("C=")) || span_starts(rest, SPAN("CV")))
			return false;
		rest = span_from(rest, (size_t)blank + 1);
	}
	return false;
}

/* P=esmtps, esmtpsa, smtps, …: with TLS, also where its cipher is not logged. */
static bool is_secured(struct span rest)
{
	struct span protocol, word;

	if (!find_value(rest, SPAN(" P"), &protocol))
		return false;
	span_cut(&protocol, ' ', &word);
	return span_ends(word, SPAN("s")) || span_ends(word, SPAN("sa"));
}

static void on_mail(struct logs *l, const struct stamp *stamp, struct span rest, enum way way)
{
	struct party party;
	struct peer *p;
	struct span tls;
	bool secured;
	int64_t at;

	if (!skip_to_value(&rest, SPAN(" H")) || !party_take(&rest, &party) || !stamp_time(l, stamp, &at))
		return;
	p = peer_meet(l, &party, at);
	secured = find_tls(rest, &tls);
	if (secured) {
		peer_secured(l, p, way, at, suite_of(l, tls));
	} else if (way == IN && is_secured(rest)) {
		peer_secured_somehow(p, way, at);
		secured = true;
	}
	peer_mail(p, way, at, secured, 1);
}

static bool is_after_handshake(struct span where)
{
	static const char *const calls[] = { "recv", "send", "SSL_read", "SSL_write", "tls_read", "tls_write",
		"gnutls_record", "SSL_shutdown", "shutdown" };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (span_starts(where, span_of(calls[i])))
			return true;
	return false;
}

/* " I=[…]:25 (SSL_accept): reason", "TLS session: (SSL_connect): reason", ": reason" (then
 * *ret_where is empty). */
static struct span take_reason(struct span rest, struct span *ret_where)
{
	ptrdiff_t open = span_index(rest, '('), close = find(rest, SPAN("): ")), colon = find(rest, SPAN(": "));

	*ret_where = SPAN("");
	if (open >= 0 && close > open) {
		*ret_where = span_sub(rest, (size_t)open + 1, (size_t)(close - open) - 1);
		rest = span_from(rest, (size_t)close + 3);
	} else if (colon >= 0) {
		rest = span_from(rest, (size_t)colon + 2);
	}
	return span_trim(rest);
}

/* id: of the message that was to be delivered, or empty. */
static void on_failure(struct logs *l, const struct stamp *stamp, struct span id, enum way way,
	const struct party *party, struct span words)
{
	struct span where, reason = take_reason(words, &where);
	struct peer *p;
	int64_t at;

	if (is_after_handshake(where) || !stamp_time(l, stamp, &at))
		return;
	p = peer_meet(l, party, at);
	if (id.n > 0 && way == OUT)
		peer_failed_for(l, p, id, at, reason);
	else
		peer_failed(l, p, way, at, reason);
	if (way == IN && span_starts(where, SPAN("gnutls_handshake")))
		peer_failed_before(p, at);
}

/* "TLS error on connection to host …" */
static void on_tls_error(struct logs *l, const struct stamp *stamp, struct span id, struct span rest)
{
	enum way way = IN;
	struct party p;

	if (skip(&rest, SPAN("to ")))
		way = OUT;
	else if (!skip(&rest, SPAN("from ")))
		return;
	skip(&rest, SPAN("H="));
	if (party_take(&rest, &p))
		on_failure(l, stamp, id, way, &p, rest);
}

/* "TLS session: (SSL_connect): reason: delivering unencrypted to H=host [address] (not in
 * hosts_require_tls)" */
static void on_unencrypted(struct logs *l, const struct stamp *stamp, struct span id, struct span rest)
{
	static const struct span instead = SPAN("delivering unencrypted to H=");
	ptrdiff_t at = find(rest, instead);
	struct party p;
	struct span to;

	if (at < 2)
		return;
	to = span_from(rest, (size_t)at + instead.n);
	if (party_take(&to, &p))
		on_failure(l, stamp, id, OUT, &p, span_sub(rest, 0, (size_t)at - 2));
}

/* The server takes it with TLS only: "SMTP error from remote mail server after RCPT TO:<a@b>: 550
 * STARTTLS is required". */
static void on_demand(struct logs *l, const struct stamp *stamp, struct span id, const struct party *party,
	struct span words)
{
	int64_t at;

	if (stamp_time(l, stamp, &at))
		peer_failed_for(l, peer_meet(l, party, at), id, at, words);
}

/* "a@b R=… T=… defer (-37) H=host [address]: TLS session: (SSL_connect): reason", "…: a TLS session
 * is required, but …" */
static void on_deferral(struct logs *l, const struct stamp *stamp, struct span id, struct span rest)
{
	ptrdiff_t error;
	struct party p;

	if (!skip_to_value(&rest, SPAN(" H")) || !party_take(&rest, &p))
		return;
	error = find(rest, SPAN(": SMTP error from remote mail server after "));
	if (error >= 0 && is_about_encryption(l, span_from(rest, (size_t)error)))
		on_demand(l, stamp, id, &p, span_from(rest, (size_t)error + 2));
	else if (find(rest, SPAN(": TLS session: (")) >= 0 || find(rest, SPAN(": a TLS session is required")) >= 0)
		on_failure(l, stamp, id, OUT, &p, rest);
}

static struct span recipient_of(struct span rest)
{
	ptrdiff_t open = span_index(rest, '<'), close = span_index(rest, '>');

	return open >= 0 && close > open ? span_sub(rest, (size_t)open + 1, (size_t)(close - open) - 1) : SPAN("");
}

/* " F=<a@b> rejected RCPT <c@d>: encryption required", without X=. */
static void on_rejection(struct logs *l, const struct stamp *stamp, const struct party *party, struct span rest)
{
	ptrdiff_t colon = find(rest, SPAN(": ")), rejected;
	struct span before, words, tls;
	int64_t at;

	if (colon < 0)
		return;
	before = span_sub(rest, 0, (size_t)colon);
	words = span_from(rest, (size_t)colon + 2);
	if (!is_about_encryption(l, words))
		return;
	rejected = find(before, SPAN("rejected "));
	if (rejected < 0 || find_tls(rest, &tls) || !stamp_time(l, stamp, &at))
		return;
	peer_refused(peer_meet(l, party, at), at, recipient_of(span_from(before, (size_t)rejected)), words);
}

/* Behind "H=": "host [address] …", of a client or (id) a delivery. */
static void on_host(struct logs *l, const struct stamp *stamp, struct span id, struct span rest)
{
	struct party party;

	if (!party_take(&rest, &party))
		return;
	if (find(rest, SPAN("TLS error on connection")) >= 0 || (id.n > 0 && find(rest, SPAN("TLS session")) >= 0))
		on_failure(l, stamp, id, id.n > 0 ? OUT : IN, &party, rest);
	else if (id.n == 0)
		on_rejection(l, stamp, &party, rest);
}

/* How lines of the main log begin that are about no message, as far as they tell nothing here. */
static bool is_exim(struct span rest)
{
	static const char *const starts[] = { "H=", "U=", "TLS error", "TLS session", "SMTP connection",
		"SMTP protocol", "SMTP command timeout", "SMTP data timeout", "SMTP call from", "SMTP syntax error",
		"no host name found for IP", "no IP address found for host",
		"Start queue run:", "End queue run:", "exim 4", "exim 5", "refused connection from",
		"unexpected disconnection while reading SMTP", "rejected EHLO", "rejected HELO", "rejected connection",
		"Connection from ", "ident connection to", "list matching forced to fail", "DNS list lookup defer",
		"host name alias", "lowest numbered MX", "cancelled by ",
		"DKIM: d=", "PDKIM: ", "remote host address is" };

	for (size_t i = 0; i < array_len(starts); i++)
		if (rest.n > 0 && starts[i][0] == rest.p[0] && span_starts(rest, span_of(starts[i])))
			return true;
	return find(rest, SPAN(" authenticator failed for ")) >= 0 || find(rest, SPAN(": SIGHUP received")) >= 0;
}

bool exim_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct span id, whole;

	if (rest.n > 2 && rest.p[0] == '[' && ascii_digit(rest.p[1])) {
		ptrdiff_t close = find(rest, SPAN("] "));

		rest = close < 0 ? rest : span_from(rest, (size_t)close + 2);
	}
	id = span_sub(rest, 0, id_bytes(rest));
	rest = whole = span_from(rest, id.n);
	if (skip(&rest, SPAN("<=")))
		on_mail(l, stamp, rest, IN);
	else if (skip(&rest, SPAN("=>")) || skip(&rest, SPAN("->")))
		on_mail(l, stamp, rest, OUT);
	else if (skip(&rest, SPAN("==")) || skip(&rest, SPAN("**")))
		on_deferral(l, stamp, id, rest);
	else if (skip(&rest, SPAN("H=")))
		on_host(l, stamp, id, rest);
	else if (skip(&rest, SPAN("TLS error on connection ")))
		on_tls_error(l, stamp, id, rest);
	else if (span_starts(rest, SPAN("TLS session")))
		on_unencrypted(l, stamp, id, rest);
	return id.n > 0 || is_exim(whole);
}
