/*
 * A line's time and program.
 *
 * Lines are found with memchr(), which looks at 32 bytes at a time; what a line is about is then
 * told by a few bytes at known places (the date's dashes, the arrow behind Exim's message id, the
 * daemon's name), so that the many lines which tell nothing are left after those. Whatever costs
 * more waits until it is needed: that a time's digits are digits, too, is seen when a line that
 * matters is to be dated.
 */
#include <time.h>
#include "logs/logs_priv.h"

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

/* ".123456" */
static size_t fraction_bytes(struct span s)
{
	size_t n = 0;

	if (s.n > 0 && s.p[0] == '.')
		while (++n < s.n && ascii_digit(s.p[n]))
			;
	return n;
}

/* "2024-01-05 09": the hour's beginning. */
static bool dated_hour(const char *p, bool utc, int64_t *ret)
{
	int century = two(p), year = two(p + 2), month = two(p + 5), day = two(p + 8), hour = two(p + 11);
	struct tm tm = { .tm_year = century * 100 + year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_isdst = -1 };

	if (century < 0 || year < 0 || month < 1 || day < 1 || hour < 0)
		return false;
	*ret = utc ? timegm(&tm) : mktime(&tm);
	return true;
}

/* "Jan  5 09": of the latest year that does not lie past the file's last change (and a day, for
 *       clocks that differ). */
static bool undated_hour(const char *p, int64_t changed_at, int64_t *ret)
{
	int month = month_of(p), hour = two(p + 7);
	int day = p[4] == ' ' && ascii_digit(p[5]) ? p[5] - '0' : two(p + 4);
	time_t changed = changed_at + 86400;
	struct tm tm = { .tm_mon = month, .tm_mday = day, .tm_hour = hour, .tm_isdst = -1 }, before = tm, now;

	if (month < 0 || day < 1 || hour < 0)
		return false;
	localtime_r(&changed, &now);
	tm.tm_year = now.tm_year;
	before.tm_year = now.tm_year - 1;
	*ret = mktime(&tm);
	if (*ret > changed)
		*ret = mktime(&before);
	return true;
}

enum { LOCAL = 'l', UTC = 'u', UNDATED = '?' };

/* The hour's beginning, computed once an hour of log time. */
static bool hour_s(struct logs *l, const char *p, char kind, int64_t *ret)
{
	struct clock_cache *cache = &l->clock;
	char key[sizeof(cache->key)] = { [15] = kind };

	if (kind == UNDATED)
		memcpy(key, p, 9);
	else
		memcpy(key, p, 13);
	if (memcmp(key, cache->key, sizeof(key)) != 0) {
		if (!(kind == UNDATED ? undated_hour(p, l->changed_at, ret) : dated_hour(p, kind == UTC, ret)))
			return false;
		memcpy(cache->key, key, sizeof(key));
		cache->hour_s = *ret;
	}
	*ret = cache->hour_s;
	return true;
}

/* Seconds since 1970 of any form; false: it only looked like a time. */
static bool stamp_s(struct logs *l, const struct stamp *stamp, int64_t *ret)
{
	bool dated = stamp->form != STAMP_SYSLOG;
	struct span zone = span_from(stamp->text, 19);
	const char *clock = stamp->text.p + (dated ? 14 : 10);
	int minutes, seconds, east = 0;
	char kind = dated ? LOCAL : UNDATED;

	if (stamp->form == STAMP_NONE)
		return false;
	minutes = two(clock);
	seconds = two(clock + 3);
	if (zone.n > 0 && zone_of(span_trim(span_from(zone, fraction_bytes(zone))), &east))
		kind = UTC;
	if (minutes < 0 || seconds < 0 || !hour_s(l, stamp->text.p, kind, ret))
		return false;
	*ret += minutes * 60 + seconds - east;
	return true;
}

bool stamp_time(struct logs *l, const struct stamp *stamp, int64_t *ret)
{
	if (!stamp_s(l, stamp, ret) || *ret < l->since)
		return false;
	l->totals.relevant++;
	if (l->totals.first_at == 0 || *ret < l->totals.first_at)
		l->totals.first_at = *ret;
	if (*ret > l->totals.last_at)
		l->totals.last_at = *ret;
	return true;
}

static bool is_sign(char c)
{
	return c == '+' || c == '-';
}

/* Takes the time off *rest. */
static struct stamp take_stamp(struct span *rest)
{
	const char *p = rest->p;
	struct stamp s = { .form = STAMP_NONE };
	size_t n;

	if (rest->n < 21)
		return s;
	if (p[4] == '-' && p[7] == '-' && p[13] == ':' && p[16] == ':' && p[10] == ' ') {
		s.form = STAMP_EXIM;
		n = 19 + fraction_bytes(span_from(*rest, 19));
		if (n + 6 < rest->n && p[n] == ' ' && is_sign(p[n + 1]) && two(p + n + 2) >= 0)
			n += 6;
	} else if (p[4] == '-' && p[7] == '-' && p[13] == ':' && p[16] == ':' && p[10] == 'T') {
		s.form = STAMP_RFC3339;
		for (n = 19; n < rest->n && p[n] != ' '; n++)
			;
	} else if (p[3] == ' ' && p[6] == ' ' && p[9] == ':' && p[12] == ':') {
		s.form = STAMP_SYSLOG;
		n = 15;
	} else {
		return s;
	}
	s.text = span_sub(*rest, 0, n);
	*rest = span_from(*rest, n + 1);
	return s;
}

/* ---- lines ---- */

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

static void on_syslog_line(struct logs *l, const struct stamp *stamp, struct span rest)
{
	struct span program;
	struct stamp inner;
	uint32_t pid;

	if (!take_header(&rest, &program, &pid))
		return;
	if (span_starts(program, SPAN("postfix"))) {
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

		if (stamp_s(l, &stamp, ret))
			return true;
	}
	return false;
}

void logs_feed(struct logs *l, struct span lines, int64_t changed_at)
{
	const char *p = lines.p, *end = lines.p + lines.n;

	if (l->changed_at != changed_at) {
		l->changed_at = changed_at;
		l->clock.key[0] = '\0';
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
