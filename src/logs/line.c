/*
 * Of which program a line is.
 *
 * Lines are found with memchr(), which looks at 32 bytes at a time; what a line is about is then
 * told by a few bytes at known places (the date's dashes, the arrow behind Exim's message id, the
 * daemon's name), so that the many lines which tell nothing are left after those. Whatever costs
 * more waits until it is needed: that a time's digits are digits, too, is seen when a line that
 * matters is to be dated.
 *
 * Only a line that is none of the usual ones is looked at closely: what containers put before it
 * (mail_1 | …, [pod/mail/postfix] …, … stderr F …), other forms of time (logs/stamp.c) and of the
 * header (BusyBox, RFC 5424), an object of JSON. What is of no known program then is counted.
 */
#include "base/fmt.h"
#include "base/mem.h"
#include "logs/logs_priv.h"

#define PREFIX_WORDS 4      /* before the time */
#define NESTED_MAX   3      /* a line within a line: docker's, syslog's, Exim's */
#define REPEATED_MAX 10000u /* more repetitions of a line than this are not believed */

/* ---- programs ---- */

/* What stands beside a mail server in logs and knows nothing of SMTP's TLS; a star at the end
 * stands for anything. */
static bool is_neighbour(struct span program)
{
	static const char *const names[] = { "CRON*", "NetworkManager*", "amavis*", "anacron", "apache2", "audit*",
		"authdaemon*", "chronyd", "clam*", "containerd", "cron*", "cyrus*", "dbus*", "dhclient*", "dockerd",
		"dovecot*", "fail2ban*", "fetchmail", "freshclam", "greylist*", "imap*", "in.*", "init", "kernel",
		"kubelet", "lmtp*", "logrotate", "mailman*", "mariadbd", "milter*", "mimedefang*", "mysqld", "named",
		"nginx", "nslcd", "ntpd", "opendkim", "opendmarc", "php*", "policy*", "pop3*", "postfwd*", "postgres",
		"postgrey", "postsrsd", "pure-ftpd", "redis*", "rspamd*", "rsyslogd", "saslauthd", "snapd", "spamass*",
		"spamd", "sqlgrey", "sshd*", "sssd*", "su", "sudo", "sympa*", "syslog*", "systemd*", "unbound",
		"vsftpd" };

	for (size_t i = 0; i < array_len(names); i++) {
		struct span name = span_of(names[i]);

		if (span_ends(name, SPAN("*")) ? span_starts(program, span_sub(name, 0, name.n - 1))
					       : span_eq(program, name))
			return true;
	}
	return false;
}

/* "relay/smtpd": Postfix under another syslog_name. */
static bool is_renamed_postfix(struct span program)
{
	static const char *const daemons[] = { "/smtpd", "/smtp", "/tlsproxy", "/postscreen", "/qmgr", "/cleanup",
		"/lmtp", "/local", "/virtual", "/pipe", "/bounce", "/error", "/master", "/anvil", "/pickup", "/scache",
		"/verify", "/tlsmgr", "/postsuper", "/dnsblog", "/trivial-rewrite", "/relay" };

	for (size_t i = 0; i < array_len(daemons); i++)
		if (span_ends(program, span_of(daemons[i])))
			return true;
	return false;
}

/* "web origin-failed site=…": an event of torhaus that says nothing about mail or TLS here. */
static bool is_torhaus(struct span rest)
{
	static const char *const areas[] = { "mail ", "tls ", "web ", "serve ", "store ", "names ", "cache ", "dns ",
		"origin ", "evidence ", "guard " };
	struct span event;

	for (size_t i = 0; i < array_len(areas); i++)
		if (skip(&rest, span_of(areas[i])) && span_cut(&rest, ' ', &event))
			return span_index(event, ':') < 0 && (!rest.p || span_index(rest, '=') > 0);
	return false;
}

/* false: it is none that is read. */
static bool on_program(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid,
	struct span message)
{
	struct stamp inner;

	if (span_starts(program, SPAN("postfix")) || is_renamed_postfix(program)) {
		postfix_line(l, stamp, program, pid, message);
	} else if (span_starts(program, SPAN("exim"))) {
		bool own = stamp_take(&message, &inner) && inner.form == STAMP_EXIM;

		exim_line(l, own ? &inner : stamp, message);
	} else if (span_starts(program, SPAN("torhaus"))) {
		if (skip(&message, SPAN("mail ")))
			torhaus_line(l, stamp, message);
	} else {
		return false;
	}
	return true;
}

/* "message repeated 3 times: [ … ]" of rsyslog: so often more than the line that it repeats. */
static bool take_repetition(struct span *message, unsigned *ret_times)
{
	struct span s = *message, number;
	uint64_t times;

	if (!skip(&s, SPAN("message repeated ")) || !span_cut(&s, ' ', &number) || span_to_u64(number, &times) < 0 ||
		!skip(&s, SPAN("times: [")) || !span_ends(s, SPAN("]")))
		return false;
	*message = span_trim(span_sub(s, 0, s.n - 1));
	*ret_times = times > REPEATED_MAX ? REPEATED_MAX : (unsigned)times;
	return true;
}

void line_message(struct logs *l, const struct stamp *stamp, struct span program, uint32_t pid, struct span message)
{
	unsigned times = 1;
	bool known = true;

	if (message.n > 0 && message.p[0] == 'm' && take_repetition(&message, &times))
		l->last.message = message;
	for (unsigned i = 0; i < times && known; i++)
		known = on_program(l, stamp, program, pid, message);
	if (known)
		l->totals.understood++;
	else if (is_neighbour(program))
		l->totals.neighbours++;
	else
		line_is_foreign(l);
}

/* ---- what is not understood ---- */

static void keep_odd(struct logs *l)
{
	size_t n;

	if (l->totals.first_odd[0])
		return;
	n = fmt_safe(l->line, "", l->totals.first_odd, LOGS_TEXT - 1);
	l->totals.first_odd[n] = '\0';
}

void line_is_foreign(struct logs *l)
{
	l->totals.foreign++;
	keep_odd(l);
}

/* Without a time. What is indented goes on with the line before; "-- Boot …" is journalctl's. */
static void line_is_undated(struct logs *l)
{
	struct span line = span_trim(l->line);

	if (line.n == 0 || span_starts(line, SPAN("-- ")) || (l->line.p[0] == ' ' && l->totals.understood > 0))
		return;
	l->totals.undated++;
	keep_odd(l);
}

/* ---- headers of syslog ---- */

/* "host program[123]: message"; false: another form. */
static bool take_header(struct span *rest, struct span *ret_program, uint32_t *ret_pid)
{
	ptrdiff_t host = span_index(*rest, ' '), open;
	struct span s;
	size_t n = 0;

	if (host <= 0)
		return false;
	s = span_from(*rest, (size_t)host + 1);
	open = span_index(span_sub(s, 0, 64), '[');
	if (open <= 0)
		return false;
	*ret_program = span_sub(s, 0, (size_t)open);
	s = span_from(s, (size_t)open + 1);
	for (*ret_pid = 0; n < s.n && ascii_digit(s.p[n]); n++)
		*ret_pid = *ret_pid * 10 + (uint32_t)(s.p[n] - '0');
	*rest = span_from(s, n);
	return skip(rest, SPAN("]: "));
}

/* "program[123]:" or "program:" */
static bool read_tag(struct span word, struct span *ret_program, uint32_t *ret_pid)
{
	ptrdiff_t open = span_index(word, '[');
	uint64_t pid = 0;

	if (word.n < 2 || word.p[word.n - 1] != ':')
		return false;
	word.n--;
	if (open > 0 && word.p[word.n - 1] == ']' &&
		span_to_u64(span_sub(word, (size_t)open + 1, word.n - (size_t)open - 2), &pid) < 0)
		return false;
	*ret_pid = (uint32_t)pid;
	*ret_program = open > 0 ? span_sub(word, 0, (size_t)open) : word;
	return true;
}

/* The tag within the first words: "host mail.info postfix/smtpd[1]: " (BusyBox), "<mail.info> host
 * …" (FreeBSD), or without a host. */
static bool take_tag(struct span *rest, struct span *ret_program, uint32_t *ret_pid)
{
	struct span s = *rest, word;

	for (unsigned i = 0; i < PREFIX_WORDS && span_cut(&s, ' ', &word); i++)
		if (read_tag(word, ret_program, ret_pid)) {
			*rest = s.p ? s : SPAN("");
			return true;
		}
	return false;
}

/* RFC 5424, behind its time: "host postfix/smtpd 123 - - message", or "… 123 - [x] message" */
static bool take_5424(struct span *rest, struct span *ret_program, uint32_t *ret_pid)
{
	struct span s = *rest, host, pid, id;
	uint64_t number = 0;

	if (!span_cut(&s, ' ', &host) || !span_cut(&s, ' ', ret_program) || !span_cut(&s, ' ', &pid) ||
		!span_cut(&s, ' ', &id) || !s.p)
		return false;
	if (span_starts(s, SPAN("["))) {
		ptrdiff_t close = find(s, SPAN("] "));

		s = close < 0 ? SPAN("") : span_from(s, (size_t)close + 2);
	} else if (!skip(&s, SPAN("- "))) {
		return false;
	}
	skip(&s, SPAN("\xef\xbb\xbf"));
	span_to_u64(pid, &number);
	*ret_pid = (uint32_t)number;
	*rest = s;
	return true;
}

/* "host last message repeated 3 times" of older daemons. */
static bool on_last_repeated(struct logs *l, const struct stamp *stamp, struct span rest)
{
	ptrdiff_t at = find(rest, SPAN("last message repeated "));
	struct span number;
	uint64_t times;

	if (at < 0)
		return false;
	rest = span_from(rest, (size_t)at + 22);
	if (!span_cut(&rest, ' ', &number) || span_to_u64(number, &times) < 0 || !span_starts(rest, SPAN("time")))
		return false;
	l->totals.understood++;
	for (uint64_t i = 0; i < times && i < REPEATED_MAX && l->last.program.n > 0; i++)
		on_program(l, stamp, l->last.program, l->last.pid, l->last.message);
	return true;
}

/* The usual header was not there, or of no known program. depth: of lines within lines. */
static void on_odd_header(struct logs *l, const struct stamp *stamp, struct span rest, unsigned depth)
{
	struct span program, inner = rest, s = rest;
	struct stamp stamp_within;
	uint32_t pid;

	if (on_last_repeated(l, stamp, rest))
		return;
	/* Kubernetes: "stderr F message" */
	if (skip(&inner, SPAN("stdout ")) || skip(&inner, SPAN("stderr ")))
		if (skip(&inner, SPAN("F ")) || skip(&inner, SPAN("P ")))
			s = rest = inner;
	if (depth < NESTED_MAX && stamp_take(&s, &stamp_within)) {
		line_dated(l, &stamp_within, s, depth + 1);
		return;
	}
	if (take_tag(&s, &program, &pid))
		line_message(l, stamp, program, pid, s);
	else if (is_torhaus(rest) || exim_line(l, stamp, rest))
		l->totals.understood++;
	else
		line_is_foreign(l);
}

static void on_syslog(struct logs *l, const struct stamp *stamp, struct span rest, unsigned depth)
{
	struct span program, s = rest;
	uint32_t pid;

	if (!take_header(&s, &program, &pid)) {
		on_odd_header(l, stamp, rest, depth);
		return;
	}
	l->last.program = program;
	l->last.message = s;
	l->last.pid = pid;
	if (span_starts(program, SPAN("postfix")) && s.n > 0 && s.p[0] != 'm') {
		postfix_line(l, stamp, program, pid, s);
		l->totals.understood++;
	} else if (span_index(program, ' ') >= 0) {
		on_odd_header(l, stamp, rest, depth);
	} else {
		line_message(l, stamp, program, pid, s);
	}
}

void line_dated(struct logs *l, const struct stamp *stamp, struct span rest, unsigned depth)
{
	struct span s = rest;

	switch (stamp->form) {
	case STAMP_NONE:
		return;
	case STAMP_EXIM:
		if (exim_line(l, stamp, rest))
			l->totals.understood++;
		else
			on_syslog(l, stamp, rest, depth);
		return;
	case STAMP_RFC3339:
		/* A host may be called mail, too. */
		if (skip(&s, SPAN("mail ")) && (torhaus_line(l, stamp, s) || is_torhaus(rest)))
			l->totals.understood++;
		else
			on_syslog(l, stamp, rest, depth);
		return;
	case STAMP_SYSLOG:
	case STAMP_SECONDS:
		on_syslog(l, stamp, rest, depth);
		return;
	}
}

/* ---- lines ---- */

/* Colours, as docker compose gives them to names: "\x1b[36m". */
static struct span skip_colour(struct span s)
{
	while (span_starts(s, SPAN("\x1b["))) {
		size_t n = 2;

		while (n < s.n && (ascii_digit(s.p[n]) || s.p[n] == ';'))
			n++;
		s = span_from(s, n + 1);
	}
	return s;
}

/* "<22>" and RFC 5424's "<22>1 ": what follows has that form. */
static bool skip_priority(struct span *s)
{
	ptrdiff_t close = span_index(span_sub(*s, 0, 5), '>');
	uint64_t number;

	if (!span_starts(*s, SPAN("<")) || close < 2 || span_to_u64(span_sub(*s, 1, (size_t)close - 1), &number) < 0)
		return false;
	*s = span_from(*s, (size_t)close + 1);
	return skip(s, SPAN("1 "));
}

static void on_5424(struct logs *l, struct span rest)
{
	struct span program;
	struct stamp stamp;
	uint32_t pid;

	if (!stamp_take(&rest, &stamp))
		line_is_undated(l);
	else if (take_5424(&rest, &program, &pid))
		line_message(l, &stamp, program, pid, rest);
	else
		line_is_foreign(l);
}

/* The time stands behind some words, or has a form that is not told at once. */
static void on_odd_line(struct logs *l, struct span line)
{
	struct stamp stamp = { .form = STAMP_NONE };
	struct span rest = skip_colour(line), word;

	if (skip_priority(&rest)) {
		on_5424(l, rest);
		return;
	}
	if (journal_line(l, rest))
		return;
	for (unsigned i = 0; i <= PREFIX_WORDS && rest.n > 0; i++) {
		struct span s = rest;

		if (stamp_take_any(l, &s, &stamp)) {
			line_dated(l, &stamp, s, 0);
			return;
		}
		span_cut(&rest, ' ', &word);
		while (rest.n > 0 && rest.p[0] == ' ')
			rest = span_from(rest, 1);
		rest = skip_colour(rest);
	}
	line_is_undated(l);
}

static void on_line(struct logs *l, struct span line)
{
	struct stamp stamp;

	l->line = line;
	if (stamp_take(&line, &stamp))
		line_dated(l, &stamp, line, 0);
	else if (line.n > 0)
		on_odd_line(l, line);
}

bool logs_first_time(struct logs *l, struct span lines, int64_t changed_at, int64_t *ret)
{
	struct span line;

	l->changed_at = changed_at;
	while (span_cut(&lines, '\n', &line)) {
		struct stamp stamp;

		l->line = line;
		if (stamp_take(&line, &stamp) && stamp_s(l, &stamp, ret))
			return true;
		l->totals = (struct logs_totals){ 0 };
		on_odd_line(l, l->line);
		*ret = l->totals.first_at;
		if (l->totals.relevant > 0)
			return true;
	}
	return false;
}

/* The last line, whose text goes: it may be repeated. */
static void keep_last(struct logs *l)
{
	struct span program = span_sub(l->last.program, 0, sizeof(l->last.text) / 2);
	struct span message = span_sub(l->last.message, 0, sizeof(l->last.text) - program.n);

	if (program.n == 0 || message.n == 0)
		return;
	memmove(l->last.text, program.p, program.n);
	memmove(l->last.text + program.n, message.p, message.n);
	l->last.program = span_make(l->last.text, program.n);
	l->last.message = span_make(l->last.text + program.n, message.n);
}

void logs_feed(struct logs *l, struct span lines, int64_t changed_at)
{
	const char *p = lines.p, *end = lines.p + lines.n;

	if (l->changed_at != changed_at) {
		l->changed_at = changed_at;
		l->clock.key[0] = '\0';
		l->month.n = 0;
		memset(l->languages, 0xff, sizeof(l->languages));
	}
	l->totals.bytes += lines.n;
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		l->totals.lines++;
		on_line(l, span_make(p, (size_t)(stop - p)));
		p = stop + 1;
	}
	keep_last(l);
}

bool logs_is_little(const struct logs_totals *t)
{
	uint64_t odd = t->foreign + t->undated;

	if (t->understood == 0)
		return t->neighbours + odd > 0;
	return t->understood < odd / 9;
}
