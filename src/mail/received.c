/* The trace line (RFC 5321 4.4): from whom, by which protocol and which TLS, under which id. */
#include <time.h>
#include "mail/mail_priv.h"

/* What a client says of itself may hold anything; here it is an atom. */
static void add_name(struct buf *out, struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_digit(c) ||
			(c && strchr(".-_:[]", c));

		buf_add_char(out, fits ? c : '?');
	}
}

static void add_date(struct buf *out)
{
	time_t now = (time_t)loop_wall_s();
	char text[64];
	struct tm tm;

	/* "C" is the locale of the process, so names of days and months are RFC 5322's. */
	localtime_r(&now, &tm);
	buf_add(out, text, strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &tm));
}

/* RFC 3848, RFC 6531 3.7.3. */
static const char *protocol(const struct mail_session *s)
{
	bool tls = s->conn->secure;

	if (s->mail->from.utf8)
		return tls ? "UTF8SMTPS" : "UTF8SMTP";
	if (!s->esmtp)
		return "SMTP";
	return tls ? "ESMTPS" : "ESMTP";
}

void received_print(const struct mail_session *s, struct buf *out)
{
	char host[NET_ADDR_SIZE];
	struct tls_info tls;

	net_addr_host_text(&s->conn->peer, host);
	buf_add_text(out, "Received: from ");
	add_name(out, span_of(s->helo));
	buf_addf(out, " ([%s%s])\r\n", strchr(host, ':') ? "IPv6:" : "", host);
	if (tls_conn_info(s->conn, &tls))
		buf_addf(out, "\t(using %s with cipher %s)\r\n", tls.version, tls.suite);
	buf_addf(out, "\tby %s (torhaus) with %s id %s", session_settings(s)->hostname, protocol(s), s->mail->id);
	/* Recipients are not told of each other. */
	if (s->mail->recipients == 1 && s->mail->to.n < SMTP_NAME_MAX)
		buf_addf(out, "\r\n\tfor <%.*s>", SPAN_ARG(buf_span(&s->mail->to)));
	buf_add_text(out, ";\r\n\t");
	add_date(out);
	buf_add_text(out, "\r\n");
}
