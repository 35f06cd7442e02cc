/*
 * torhaus's own log:
 *
 *   TIME mail session session=… peer=192.0.2.1 helo=mx.example.com tls=TLSv1.3 suite=… verdict=quit
 *   mails=1 … [code=TLS-…] TIME mail plaintext-refused peer=… helo=… tls=none session=… id=… from=…
 *   to=… answer=450 code=TLS-PLAINTEXT-FALLBACK … rcpt=… TIME mail recipient session=… peer=…
 *   helo=… tls=none id=… from=… to=… answer=550 reply="5.7.10 …"
 *
 * Words are name=value; values with blanks are quoted. A session without TLS says tls=none.
 */
#include "logs/logs_priv.h"

/* Takes a value off the front: up to the next blank, or within its quotes, where no quote
 * stands. */
static struct span take_value(struct span *rest)
{
	bool quoted = span_starts(*rest, SPAN("\""));
	struct span from = span_from(*rest, quoted ? 1 : 0), v;
	ptrdiff_t end = span_index(from, quoted ? '"' : ' ');

	v = end < 0 ? from : span_sub(from, 0, (size_t)end);
	*rest = end < 0 ? SPAN("") : span_from(from, (size_t)end + 1);
	return v;
}

/* The value of a word; empty if it is not there. What looks like a word within another's quotes is
 * none. */
static struct span value(struct span rest, struct span name)
{
	for (;;) {
		ptrdiff_t equals = span_index(rest, '='), blank = span_index(rest, ' ');
		struct span v, word;

		if (equals < 0)
			return SPAN("");
		if (blank >= 0 && blank < equals) {
			rest = span_from(rest, (size_t)blank + 1);
			continue;
		}
		word = span_sub(rest, 0, (size_t)equals + 1);
		rest = span_from(rest, word.n);
		v = take_value(&rest);
		if (span_eq(word, name))
			return v;
	}
}

static bool read_party(struct span rest, struct party *ret)
{
	if (!party_addr(value(rest, SPAN("peer=")), ret->addr))
		return false;
	ret->host = value(rest, SPAN("helo="));
	if (span_eq(ret->host, SPAN("-")))
		ret->host.n = 0;
	return true;
}

static void on_session(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct span version = value(rest, SPAN("tls=")), suite = value(rest, SPAN("suite="));
	enum fault_code code = fault_code_find(value(rest, SPAN("code=")));
	bool secured = version.n > 0 && !span_eq(version, SPAN("none"));
	uint64_t mails = 0;
	struct party party;
	struct peer *p;
	int64_t at;

	if (!read_party(rest, &party) || !stamp_time(l, stamp, &at))
		return;
	p = peer_meet(l, &party, at);
	if (secured)
		peer_secured(l, p, IN, at, suite_index(l, version, suite, suite_key(suite)));
	else if (span_eq(value(rest, SPAN("verdict=")), SPAN("tls-failed")))
		peer_failed_as(l, p, IN, at, code == FAULT_NONE ? FAULT_TLS_HANDSHAKE_FAILED : code);
	if (span_to_u64(value(rest, SPAN("mails=")), &mails) == 0 && mails > 0)
		peer_mail(p, IN, at, secured, mails);
}

static void on_recipient(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct span reply = value(rest, SPAN("reply="));
	struct party p;
	int64_t at;

	if (!span_eq(value(rest, SPAN("tls=")), SPAN("none")) || !is_about_encryption(l, reply) ||
		!read_party(rest, &p) || !stamp_time(l, stamp, &at))
		return;
	peer_refused(peer_meet(l, &p, at), at, value(rest, SPAN("to=")), reply);
}

/* Refused or put off by torhaus itself. */
static void on_plaintext(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct party p;
	int64_t at;

	if (read_party(rest, &p) && stamp_time(l, stamp, &at))
		peer_refused(peer_meet(l, &p, at), at, value(rest, SPAN("rcpt=")), value(rest, SPAN("code=")));
}

bool torhaus_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	if (skip(&rest, SPAN("session ")))
		on_session(l, stamp, rest);
	else if (skip(&rest, SPAN("recipient ")))
		on_recipient(l, stamp, rest);
	else if (skip(&rest, SPAN("plaintext-refused ")))
		on_plaintext(l, stamp, rest);
	else
		return false;
	return true;
}
