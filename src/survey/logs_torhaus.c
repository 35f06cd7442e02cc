/*
 * torhaus's own log:
 *
 *   TIME mail session session=… peer=192.0.2.1 helo=mx.example.com tls=TLSv1.3 suite=… verdict=quit mails=1 … [code=TLS-…]
 *   TIME mail plaintext-refused peer=… helo=… tls=none session=… code=TLS-PLAINTEXT-FALLBACK …
 *   TIME mail recipient session=… peer=… helo=… tls=none id=… from=… to=… answer=550 reply="5.7.10 …"
 *
 * Words are name=value; values with blanks are quoted. A session without TLS says tls=none.
 */
#include "survey/logs_priv.h"

/* The value of a word; empty if it is not there. */
static struct span value(struct span rest, struct span name)
{
	for (;;) {
		ptrdiff_t at = span_find(rest, name);
		bool begins = at == 0 || (at > 0 && rest.p[at - 1] == ' ');
		struct span v;
		ptrdiff_t end;

		if (at < 0)
			return SPAN("");
		v = span_from(rest, (size_t)at + name.n);
		rest = v;
		if (!begins)
			continue;
		if (v.n > 0 && v.p[0] == '"') {
			v = span_from(v, 1);
			end = span_index(v, '"');
		} else {
			end = span_index(v, ' ');
		}
		return end < 0 ? v : span_sub(v, 0, (size_t)end);
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
		peer_secured(l, p, IN, suite_index(l, version, suite, suite_key(suite)));
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
