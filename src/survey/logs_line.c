/*
 * A line's time and program, and the parts that all programs write alike.
 *
 * Lines are found with memchr(), which looks at 32 bytes at a time; what a line is about is then told by a few bytes at
 * known places (the date's dashes, the arrow behind Exim's message id, the daemon's name), so that the many lines which tell
 * nothing are left after those.
 */
#include <arpa/inet.h>
#include <time.h>
#include "survey/logs_priv.h"

bool skip(struct span *rest, struct span prefix)
{
	if (!span_starts(*rest, prefix))
		return false;
	*rest = span_from(*rest, prefix.n);
	return true;
}

/* ---- times ---- */

static int two(const char *p)
{
	return ascii_digit(p[0]) && ascii_digit(p[1]) ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

static int month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, p, 3) == 0)
			return i;
	return -1;
}

/* "+0100", "+01:00", "Z": seconds east of Greenwich; false: no zone. */
static bool zone_of(struct span s, int *ret)
{
	int sign = s.n > 0 && s.p[0] == '-' ? -1 : 1, h, m;

	*ret = 0;
	if (s.n >= 1 && s.p[0] == 'Z')
		return true;
	if (s.n < 5 || (s.p[0] != '+' && s.p[0] != '-'))
		return false;
	h = two(s.p + 1);
	m = s.p[3] == ':' && s.n >= 6 ? two(s.p + 4) : two(s.p + 3);
	if (h < 0 || m < 0)
		return false;
	*ret = sign * (h * 3600 + m * 60);
	return true;
}

/* The hour's beginning, by the first 13 bytes; once an hour of log time it is computed. */
static int64_t hour_s(struct clock_cache *cache, const char *p, bool utc)
{
	struct tm tm = { .tm_isdst = -1 };

	if (memcmp(cache->key, p, 13) == 0 && cache->key[13] == (utc ? 'u' : 'l'))
		return cache->hour_s;
	memcpy(cache->key, p, 13);
	cache->key[13] = utc ? 'u' : 'l';
	tm.tm_year = two(p) * 100 + two(p + 2) - 1900;
	tm.tm_mon = two(p + 5) - 1;
	tm.tm_mday = two(p + 8);
	tm.tm_hour = two(p + 11);
	cache->hour_s = utc ? timegm(&tm) : mktime(&tm);
	return cache->hour_s;
}

static int64_t dated_s(struct logs *l, struct span s)
{
	struct span rest = span_from(s, 19);
	size_t n = 0;
	int zone;
	bool has_zone;

	if (rest.n > 0 && rest.p[0] == '.')
		for (n = 1; n < rest.n && ascii_digit(rest.p[n]); n++)
			;
	rest = span_trim(span_from(rest, n));
	has_zone = zone_of(rest, &zone);
	return hour_s(&l->local, s.p, has_zone) + two(s.p + 14) * 60 + two(s.p + 17) - zone;
}

/* "Jan  5 09:14:21": the latest year that does not lie past the file's last change (and a day, for clocks that differ). */
static int64_t undated_s(struct logs *l, struct span s)
{
	struct tm tm = { 0 }, now;
	time_t changed = l->changed_at + 86400;
	int64_t at;

	if (memcmp(l->syslog.key, s.p, 9) == 0)
		return l->syslog.hour_s + two(s.p + 10) * 60 + two(s.p + 13);
	memcpy(l->syslog.key, s.p, 9);
	localtime_r(&changed, &now);
	tm.tm_year = now.tm_year;
	tm.tm_mon = month_of(s.p);
	tm.tm_mday = s.p[4] == ' ' ? s.p[5] - '0' : two(s.p + 4);
	tm.tm_hour = two(s.p + 7);
	tm.tm_isdst = -1;
	at = mktime(&tm);
	if (at > changed) {
		tm.tm_year--;
		tm.tm_isdst = -1;
		at = mktime(&tm);
	}
	l->syslog.hour_s = at;
	return at + two(s.p + 10) * 60 + two(s.p + 13);
}

bool stamp_time(struct logs *l, const struct stamp *stamp, int64_t *ret)
{
	int64_t at;

	if (stamp->form == STAMP_NONE)
		return false;
	at = stamp->form == STAMP_SYSLOG ? undated_s(l, stamp->text) : dated_s(l, stamp->text);
	*ret = at;
	if (at < l->since)
		return false;
	l->totals.relevant++;
	if (l->totals.first_at == 0 || at < l->totals.first_at)
		l->totals.first_at = at;
	if (at > l->totals.last_at)
		l->totals.last_at = at;
	return true;
}

static bool is_clock(const char *p)
{
	return two(p) >= 0 && p[2] == ':' && two(p + 3) >= 0 && p[5] == ':' && two(p + 6) >= 0;
}

/* Takes the time off *rest. */
static struct stamp take_stamp(struct span *rest)
{
	const char *p = rest->p;
	struct stamp s = { .form = STAMP_NONE };
	size_t n = 19;

	if (rest->n < 21)
		return s;
	if (p[4] == '-' && p[7] == '-' && two(p) >= 0 && two(p + 2) >= 0 && two(p + 5) > 0 && two(p + 8) > 0 &&
		is_clock(p + 11) && (p[10] == ' ' || p[10] == 'T')) {
		s.form = p[10] == ' ' ? STAMP_EXIM : STAMP_RFC3339;
		if (p[n] == '.')
			while (++n < rest->n && ascii_digit(p[n]))
				;
		if (s.form == STAMP_EXIM && n + 6 < rest->n && p[n] == ' ' && (p[n + 1] == '+' || p[n + 1] == '-') &&
			two(p + n + 2) >= 0)
			n += 6;
		while (s.form == STAMP_RFC3339 && n < rest->n && p[n] != ' ')
			n++;
	} else if (p[3] == ' ' && p[6] == ' ' && is_clock(p + 7) && month_of(p) >= 0 && ascii_digit(p[5])) {
		s.form = STAMP_SYSLOG;
		n = 15;
	} else {
		return s;
	}
	s.text = span_sub(*rest, 0, n);
	*rest = span_from(*rest, n + 1);
	return s;
}

/* ---- parties ---- */

/* Dotted numbers; they are nearly all there is. */
static bool take_v4(struct span s, uint8_t ret[4])
{
	unsigned part = 0, v = 0, digits = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && ascii_digit(s.p[i]) && digits < 3) {
			v = v * 10 + (unsigned)(s.p[i] - '0');
			digits++;
			continue;
		}
		if (digits == 0 || v > 255 || part == 4 || (i < s.n && (s.p[i] != '.' || part == 3)))
			return false;
		ret[part++] = (uint8_t)v;
		v = digits = 0;
	}
	return part == 4;
}

bool party_addr(struct span s, uint8_t ret[16])
{
	char text[64];

	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	if (take_v4(s, ret + 12))
		return true;
	skip(&s, SPAN("IPv6:"));
	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

/* Where the address's bracket opens: behind the EHLO name in parentheses, which may be a bracketed address itself. */
static ptrdiff_t address_at(struct span s)
{
	ptrdiff_t open = span_index(s, '['), helo, end;

	if (open <= 0)
		return open;
	helo = span_index(span_sub(s, 0, (size_t)open), '(');
	if (helo < 0)
		return open;
	end = span_find(span_from(s, (size_t)helo), SPAN(") ["));
	return end < 0 ? -1 : helo + end + 2;
}

bool party_take(struct span *rest, struct party *ret)
{
	ptrdiff_t open = address_at(*rest), close;
	struct span before, inside;

	if (open < 0)
		return false;
	inside = span_from(*rest, (size_t)open + 1);
	close = span_index(inside, ']');
	if (close < 0 || !party_addr(span_sub(inside, 0, (size_t)close), ret->addr))
		return false;
	before = span_sub(*rest, 0, (size_t)open);
	for (size_t i = 0; i < before.n; i++)
		if (before.p[i] == ' ' || before.p[i] == '(')
			before.n = i;
	if (span_eq(before, SPAN("unknown")))
		before.n = 0;
	ret->host = before;
	*rest = span_from(inside, (size_t)close + 1);
	return true;
}

/* ---- lines ---- */

/* "host program[123]: message"; false: another form. */
static bool take_header(struct span *rest, struct span *ret_program, uint32_t *ret_pid)
{
	ptrdiff_t host = span_index(*rest, ' '), open, close;
	uint64_t pid;
	struct span s;

	if (host <= 0)
		return false;
	s = span_from(*rest, (size_t)host + 1);
	open = span_index(span_sub(s, 0, 64), '[');
	if (open <= 0)
		return false;
	*ret_program = span_sub(s, 0, (size_t)open);
	s = span_from(s, (size_t)open + 1);
	close = span_index(span_sub(s, 0, 12), ']');
	if (close <= 0 || span_to_u64(span_sub(s, 0, (size_t)close), &pid) < 0)
		return false;
	*ret_pid = (uint32_t)pid;
	s = span_from(s, (size_t)close + 1);
	if (!skip(&s, SPAN(": ")))
		return false;
	*rest = s;
	return true;
}

static void on_syslog_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct span program;
	struct stamp inner;
	uint32_t pid;

	if (!take_header(&rest, &program, &pid))
		return;
	if (span_starts(program, SPAN("postfix"))) {
		for (size_t i = program.n; i > 0; i--)
			if (program.p[i - 1] == '/') {
				program = span_from(program, i);
				break;
			}
		postfix_line(l, stamp, program, pid, rest);
	} else if (span_starts(program, SPAN("exim"))) {
		inner = take_stamp(&rest);
		exim_line(l, inner.form == STAMP_EXIM ? &inner : stamp, rest);
	} else if (span_eq(program, SPAN("torhaus")) && skip(&rest, SPAN("mail "))) {
		torhaus_line(l, stamp, rest);
	}
}

static void on_line(struct logs *l, struct span line)
{
	struct stamp stamp = take_stamp(&line);
	struct span whole = line;

	switch (stamp.form) {
	case STAMP_NONE:
		return;
	case STAMP_EXIM:
		exim_line(l, &stamp, line);
		return;
	case STAMP_RFC3339:
		/* A host may be called mail, too. */
		if (!skip(&line, SPAN("mail ")) || !torhaus_line(l, &stamp, line))
			on_syslog_line(l, &stamp, whole);
		return;
	case STAMP_SYSLOG:
		on_syslog_line(l, &stamp, line);
		return;
	}
}

bool logs_first_time(struct logs *l, struct span lines, int64_t changed_at, int64_t *ret)
{
	struct span line;

	l->changed_at = changed_at;
	while (span_cut(&lines, '\n', &line)) {
		struct stamp stamp = take_stamp(&line);

		if (stamp.form != STAMP_NONE)
			return stamp_time(l, &stamp, ret);
	}
	return false;
}

void logs_feed(struct logs *l, struct span lines, int64_t changed_at)
{
	const char *p = lines.p, *end = lines.p + lines.n;

	if (l->changed_at != changed_at) {
		l->changed_at = changed_at;
		l->syslog.key[0] = '\0';
	}
	l->totals.bytes += lines.n;
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		l->totals.lines++;
		on_line(l, span_make(p, (size_t)(stop - p)));
		p = stop + 1;
	}
}
