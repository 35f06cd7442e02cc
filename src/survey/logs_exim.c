/*
 * Exim's main log.
 *
 *   2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=host (helo) [192.0.2.1]:4711 P=esmtps X=TLS1.2:SUITE:256 CV=no S=…
 *   2024-01-05 09:14:21 1rB7Q1-0041w7-0i => a@b R=… T=… H=host [192.0.2.1] X=TLS1.3:SUITE:256 CV=yes C="250 OK"
 *   2024-01-05 09:14:21 TLS error on connection from host (helo) [192.0.2.1]:4711 I=[…]:25 (SSL_accept): error:…
 *   2024-01-05 09:14:21 1rB7Q1-0041w7-0i H=host [192.0.2.1]: TLS error on connection (gnutls_handshake): …
 *   2024-01-05 09:14:22 H=host (helo) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: encryption required
 *
 * X= holds version, suite and bits; a build with GnuTLS writes ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM where the
 * signature names the key type. A pid in brackets, milliseconds and a zone may stand behind the time.
 *
 * Such a build, as a server, sends its alert, waits for half a second and for the client to hang up, and only then writes that the
 * handshake failed: a client that comes again at once without TLS stands before its own failure.
 */
#include "survey/logs_priv.h"

/* "1rB7Q1-0041w7-0i " or the longer form since 4.97; 0: none. */
static size_t id_bytes(struct span s)
{
	if (s.n > 17 && s.p[6] == '-' && s.p[13] == '-' && s.p[16] == ' ')
		return 17;
	if (s.n > 24 && s.p[6] == '-' && s.p[18] == '-' && s.p[23] == ' ')
		return 24;
	return 0;
}

/* "X=TLS1.2:SUITE:256" */
static bool take_tls(struct span word, struct span *ret_version, struct span *ret_suite)
{
	struct span rest = word;

	if (!skip(&rest, SPAN("X=")) || !span_cut(&rest, ':', ret_version) || !rest.p)
		return false;
	return span_cut(&rest, ':', ret_suite);
}

/* X= among the words behind the host, which it follows soon. */
static bool find_tls(struct span rest, struct span *ret_version, struct span *ret_suite)
{
	struct span word;

	for (unsigned i = 0; i < 6 && span_cut(&rest, ' ', &word); i++) {
		if (word.n > 2 && word.p[0] == 'X' && word.p[1] == '=')
			return take_tls(word, ret_version, ret_suite);
		if (word.n > 1 && word.p[0] == 'C' && (word.p[1] == '=' || word.p[1] == 'V'))
			return false;
	}
	return false;
}

/* The host behind " H=". Only few = stand before it. */
static bool find_host(struct span *rest, struct party *ret)
{
	const char *p = rest->p, *end = rest->p + rest->n;

	while ((p = memchr(p, '=', (size_t)(end - p)))) {
		if (p - rest->p >= 2 && p[-1] == 'H' && p[-2] == ' ') {
			*rest = span_make(p + 1, (size_t)(end - p) - 1);
			return party_take(rest, ret);
		}
		p++;
	}
	return false;
}

static void on_mail(struct logs *l, const struct stamp *stamp, struct span rest, enum way way)
{
	struct span version, suite;
	struct party p;
	int64_t at;
	bool secured;

	if (!find_host(&rest, &p) || !stamp_time(l, stamp, &at))
		return;
	secured = find_tls(rest, &version, &suite);
	if (secured)
		peer_secured(l, &p, way, at, version, suite, suite_key(suite));
	peer_mail(l, &p, way, at, secured, 1);
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

/* rest stands behind the host: " I=[…]:25 (SSL_accept): reason" or " (SSL_connect): reason". */
static void on_failure(struct logs *l, const struct stamp *stamp, const struct party *p, struct span rest, enum way way)
{
	ptrdiff_t open = span_index(rest, '('), close = span_find(rest, SPAN("): "));
	struct span where = SPAN("");
	int64_t at;

	if (open >= 0 && close > open) {
		where = span_sub(rest, (size_t)open + 1, (size_t)(close - open) - 1);
		rest = span_from(rest, (size_t)close + 3);
	}
	if (is_after_handshake(where) || !stamp_time(l, stamp, &at))
		return;
	peer_failed(l, p, way, at, span_trim(rest));
	if (way == IN && span_starts(where, SPAN("gnutls_handshake")))
		peer_failed_before(l, p->addr, at);
}

static void on_tls_error(struct logs *l, const struct stamp *stamp, struct span rest)
{
	enum way way = IN;
	struct party p;

	if (skip(&rest, SPAN("TLS error on connection to ")))
		way = OUT;
	else if (!skip(&rest, SPAN("TLS error on connection from ")))
		return;
	skip(&rest, SPAN("H="));
	if (party_take(&rest, &p))
		on_failure(l, stamp, &p, rest, way);
}

static struct span recipient_of(struct span rest)
{
	ptrdiff_t open = span_index(rest, '<'), close = span_index(rest, '>');

	return open >= 0 && close > open ? span_sub(rest, (size_t)open + 1, (size_t)(close - open) - 1) : SPAN("");
}

/* "rejected RCPT <c@d>: encryption required" without X= */
static void on_rejection(struct logs *l, const struct stamp *stamp, const struct party *p, struct span rest)
{
	ptrdiff_t at = span_find(rest, SPAN("rejected "));
	struct span words, version, suite;
	ptrdiff_t colon;
	int64_t when;

	if (at < 0 || find_tls(rest, &version, &suite))
		return;
	words = span_from(rest, (size_t)at + 9);
	colon = span_find(words, SPAN(": "));
	if (colon < 0 || !is_about_encryption(span_from(words, (size_t)colon)) || !stamp_time(l, stamp, &when))
		return;
	peer_refused(l, p, when, recipient_of(span_sub(words, 0, (size_t)colon)), span_from(words, (size_t)colon + 2));
}

/* "H=host [address] ..." */
static void on_host(struct logs *l, const struct stamp *stamp, struct span rest, bool of_message)
{
	ptrdiff_t error;
	struct party p;

	rest = span_from(rest, 2);
	if (!party_take(&rest, &p))
		return;
	error = span_find(rest, SPAN("TLS error on connection"));
	if (error < 0)
		error = span_find(rest, SPAN("TLS session: ("));
	if (error >= 0)
		on_failure(l, stamp, &p, span_from(rest, (size_t)error), of_message ? OUT : IN);
	else if (!of_message)
		on_rejection(l, stamp, &p, rest);
}

void exim_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	size_t id;

	if (rest.n > 2 && rest.p[0] == '[' && ascii_digit(rest.p[1])) {
		ptrdiff_t close = span_find(rest, SPAN("] "));

		rest = close < 0 ? rest : span_from(rest, (size_t)close + 2);
	}
	id = id_bytes(rest);
	rest = span_from(rest, id);
	if (rest.n < 3)
		return;
	if (rest.p[1] == '=' && rest.p[0] == '<')
		on_mail(l, stamp, rest, IN);
	else if (rest.p[1] == '>' && (rest.p[0] == '=' || rest.p[0] == '-'))
		on_mail(l, stamp, rest, OUT);
	else if (rest.p[0] == 'H' && rest.p[1] == '=')
		on_host(l, stamp, rest, id > 0);
	else if (rest.p[0] == 'T' && rest.p[1] == 'L')
		on_tls_error(l, stamp, rest);
}
