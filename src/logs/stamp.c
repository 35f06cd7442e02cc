/*
 * When: the forms of time that lines begin with.
 *
 *   2024-01-05 09:14:21.123 +0100     Exim; zone and fraction may be missing
 *   2024-01-05T09:14:21.123+01:00     RFC 3339
 *   Jan  5 09:14:21                   syslog; journalctl (05, also with a fraction)
 *   Mär 05 09:14:21                   the same in another language
 *   Fri 2024-01-05 09:14:21 CET       journalctl -o short-full, with-unit
 *   Fri Jan  5 09:14:21 2024          logread of OpenWrt
 *   1704442461.123456                 journalctl -o short-unix, json
 *
 * The first three are told by a few bytes at known places, and computed only for lines that matter.
 * The others are brought into one of those forms when they are met.
 *
 * A month's name may be of any locale of glibc (logs/months.tbl.h). Some names are of different
 * months in different languages; so what a log has shown is remembered: the languages that have all
 * the names that came. What is then still open is the month that lies the shortest time back from
 * the file's last change.
 */
#include <time.h>
#include "base/buf.h"
#include "base/mem.h"
#include "logs/logs_priv.h"

/* ---- months ---- */

static const char *const month_rows[] = {
#define MONTHS(locale, names) names,
#include "logs/months.tbl.h"
#undef MONTHS
};
enum { ENGLISH, GERMAN };      /* the first rows */
enum { FOUND_MONTH = '\x01' }; /* in a stamp's own text: the next byte is the month, 0 to 11 */
_Static_assert(array_len(month_rows) <= 64 * LANGUAGE_WORDS, "more words for the languages");
static const char english[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int english_month(const char *p)
{
	for (int i = 0; i < 12; i++)
		if (memcmp(english + 3 * i, p, 3) == 0)
			return i;
	return -1;
}

/* The month of that name in one language; -1: it has none. */
static int month_in(const char *row, struct span name)
{
	struct span rest = span_of(row), one;

	for (int i = 0; span_cut(&rest, '|', &one); i++)
		if (span_eq(one, name))
			return i;
	return -1;
}

static bool has_language(const uint64_t set[LANGUAGE_WORDS], size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

/* The languages with this name, of those that are possible; all of them if none of those has it: it
 * is another file, then. false: no language has it. */
static bool narrow(struct logs *l, struct span name)
{
	uint64_t with[LANGUAGE_WORDS] = { 0 }, any = 0, both = 0;

	for (size_t i = 0; i < array_len(month_rows); i++)
		if (month_in(month_rows[i], name) >= 0)
			with[i / 64] |= UINT64_C(1) << i % 64;
	for (size_t i = 0; i < LANGUAGE_WORDS; i++) {
		any |= with[i];
		both |= with[i] & l->languages[i];
	}
	for (size_t i = 0; i < LANGUAGE_WORDS && any; i++)
		l->languages[i] = with[i] & (both ? l->languages[i] : UINT64_MAX);
	return any;
}

/* How many months lie between this one, of the latest year, and the file's last change. */
static int months_back(const struct logs *l, int month)
{
	time_t changed = l->changed_at + 86400;
	struct tm now;

	localtime_r(&changed, &now);
	return (now.tm_mon - month + 12) % 12;
}

static int month_of(struct logs *l, struct span name)
{
	int best = -1;

	if (name.n == l->month.n && memcmp(name.p, l->month.name, name.n) == 0)
		return l->month.number;
	if (name.n == 0 || name.n > sizeof(l->month.name) || !narrow(l, name))
		return -1;
	for (size_t i = 0; i < array_len(month_rows); i++) {
		int month = has_language(l->languages, i) ? month_in(month_rows[i], name) : -1;

		if (month >= 0 && (best < 0 || months_back(l, month) < months_back(l, best)))
			best = month;
		if (best >= 0 && i <= GERMAN)
			break;
	}
	if (best >= 0) {
		memcpy(l->month.name, name.p, name.n);
		l->month.n = name.n;
		l->month.number = best;
	}
	return best;
}

/* ---- zones ---- */

static int two(const char *p)
{
	return ascii_digit(p[0]) && ascii_digit(p[1]) ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* "CET": hours east of Greenwich. journalctl writes the zone of the machine that it runs on, which
 * need not be this one. Names of several zones (CST, IST) are not here: they are taken for the
 * local time. */
static bool named_zone(struct span s, int *ret)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = { { "UTC", 0 }, { "GMT", 0 }, { "WET", 0 }, { "WEST", 1 }, { "CET", 1 }, { "CEST", 2 },
		{ "EET", 2 }, { "EEST", 3 }, { "MSK", 3 }, { "EST", -5 }, { "EDT", -4 }, { "PST", -8 }, { "PDT", -7 },
		{ "JST", 9 }, { "AEST", 10 }, { "AEDT", 11 } };

	for (size_t i = 0; i < array_len(zones); i++)
		if (span_eq(s, span_of(zones[i].name))) {
			*ret = zones[i].hours * 3600;
			return true;
		}
	return false;
}

/* "+0100", "+01:00", "+01", "Z", "CET": seconds east of Greenwich; false: no zone. */
static bool zone_of(struct span s, int *ret)
{
	int sign = s.n > 0 && s.p[0] == '-' ? -1 : 1, h, m;

	*ret = 0;
	if (s.n >= 1 && s.p[0] == 'Z')
		return true;
	if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-'))
		return named_zone(s, ret);
	h = two(s.p + 1);
	m = s.n < 5 ? 0 : s.p[3] != ':' ? two(s.p + 3) : s.n >= 6 ? two(s.p + 4) : -1;
	if (h < 0 || m < 0)
		return false;
	*ret = sign * (h * 3600 + m * 60);
	return true;
}

/* ".123456" */
static size_t fraction_bytes(struct span s)
{
	size_t n = 0;

	if (s.n > 0 && (s.p[0] == '.' || s.p[0] == ','))
		while (++n < s.n && ascii_digit(s.p[n]))
			;
	return n;
}

/* ---- values ---- */

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
 * clocks that differ). */
static bool undated_hour(struct logs *l, const char *p, int64_t *ret)
{
	int month = has_language(l->languages, ENGLISH) ? english_month(p) : -1, hour = two(p + 7);
	int day = p[4] == ' ' && ascii_digit(p[5]) ? p[5] - '0' : two(p + 4);
	time_t changed = l->changed_at + 86400;
	struct tm tm, before, now;

	if (p[0] == FOUND_MONTH)
		month = p[1];
	else if (month < 0)
		month = month_of(l, span_make(p, 3));
	tm = before = (struct tm){ .tm_mon = month, .tm_mday = day, .tm_hour = hour, .tm_isdst = -1 };
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
		if (!(kind == UNDATED ? undated_hour(l, p, ret) : dated_hour(p, kind == UTC, ret)))
			return false;
		memcpy(cache->key, key, sizeof(key));
		cache->hour_s = *ret;
	}
	*ret = cache->hour_s;
	return true;
}

bool stamp_s(struct logs *l, const struct stamp *stamp, int64_t *ret)
{
	bool dated = stamp->form != STAMP_SYSLOG;
	struct span zone = span_from(stamp->text, 19);
	const char *clock = stamp->text.p + (dated ? 14 : 10);
	int minutes, seconds, east = 0;
	char kind = dated ? LOCAL : UNDATED;

	*ret = stamp->at;
	if (stamp->form == STAMP_NONE || stamp->form == STAMP_SECONDS)
		return stamp->form == STAMP_SECONDS;
	minutes = two(clock);
	seconds = two(clock + 3);
	if (dated && zone.n > 0 && zone_of(span_trim(span_from(zone, fraction_bytes(zone))), &east))
		kind = UTC;
	if (minutes < 0 || seconds < 0 || !hour_s(l, stamp->text.p, kind, ret))
		return false;
	*ret += minutes * 60 + seconds - east;
	return true;
}

bool stamp_time(struct logs *l, const struct stamp *stamp, int64_t *ret)
{
	if (!stamp_s(l, stamp, ret))
		return false;
	if (*ret < l->since) {
		l->totals.older++;
		return false;
	}
	l->totals.relevant++;
	if (l->totals.first_at == 0 || *ret < l->totals.first_at)
		l->totals.first_at = *ret;
	if (*ret > l->totals.last_at)
		l->totals.last_at = *ret;
	return true;
}

/* ---- the three forms that are told at once ---- */

static bool is_sign(char c)
{
	return c == '+' || c == '-';
}

/* Behind the seconds of Exim's: a fraction and a zone. */
static size_t exim_bytes(struct span s)
{
	size_t n = 19 + fraction_bytes(span_from(s, 19));

	if (n + 6 < s.n && s.p[n] == ' ' && is_sign(s.p[n + 1]) && two(s.p + n + 2) >= 0 && two(s.p + n + 4) >= 0)
		n += 6;
	return n;
}

static size_t word_bytes(struct span s)
{
	ptrdiff_t blank = span_index(s, ' ');

	return blank < 0 ? s.n : (size_t)blank;
}

bool stamp_take(struct span *rest, struct stamp *ret)
{
	const char *p = rest->p;
	size_t n;

	if (rest->n < 21)
		return false;
	if (p[4] == '-' && p[7] == '-' && p[13] == ':' && p[16] == ':') {
		ret->form = p[10] == 'T' || p[10] == '_' ? STAMP_RFC3339 : STAMP_EXIM;
		n = ret->form == STAMP_RFC3339           ? word_bytes(*rest)
			: p[19] != ' ' || is_sign(p[20]) ? exim_bytes(*rest)
							 : 19;
	} else if (p[3] == ' ' && p[6] == ' ' && p[9] == ':' && p[12] == ':') {
		ret->form = STAMP_SYSLOG;
		n = p[15] == ' ' ? 15 : 15 + fraction_bytes(span_from(*rest, 15));
	} else {
		return false;
	}
	ret->text = span_make(p, n);
	*rest = span_from(*rest, n + 1);
	return true;
}

/* ---- the others ---- */

static struct span skip_blanks(struct span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = span_from(s, 1);
	return s;
}

/* Neither a digit nor what stands in names of programs: "Fri", "Fr", "пт", "lun." */
static bool is_weekday(struct span word)
{
	if (word.n == 0 || word.n > 24)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] >= 0 && !(ascii_lower(word.p[i]) >= 'a' && ascii_lower(word.p[i]) <= 'z') &&
			word.p[i] != '.')
			return false;
	return true;
}

/* "2024-01-05 09:14:21 CET ", behind its weekday. */
static bool take_full(struct span *rest, struct stamp *ret)
{
	struct span s = *rest;
	size_t n;

	if (!stamp_take(&s, ret) || ret->form != STAMP_EXIM)
		return false;
	n = word_bytes(s);
	ret->text.n = (size_t)(s.p - ret->text.p) + n;
	*rest = span_from(s, n + 1);
	return true;
}

/* "Mär 05 09:14:21 ", "Jan  5 09:14:21 2024 " */
static bool take_month(struct logs *l, struct span *rest, struct stamp *ret)
{
	ptrdiff_t colon = span_index(span_sub(*rest, 0, MONTH_NAME_MAX + 8), ':');
	const char *clock;
	struct span after;
	int month;

	if (colon < 7 || rest->n < (size_t)colon + 7 || rest->p[colon + 3] != ':')
		return false;
	clock = rest->p + colon - 2;
	after = span_from(*rest, (size_t)colon + 6);
	if (clock[-1] != ' ' || clock[-4] != ' ' || two(clock) < 0)
		return false;
	month = month_of(l, span_trim(span_sub(*rest, 0, (size_t)colon - 6)));
	if (month < 0)
		return false;
	ret->form = STAMP_SYSLOG;
	ret->own[0] = FOUND_MONTH;
	ret->own[1] = (char)month;
	ret->own[2] = ' ';
	memcpy(ret->own + 3, clock - 4, 12); /* " 05 09:14:21" */
	ret->text = span_make(ret->own, 15);
	after = span_from(after, fraction_bytes(after));
	if (after.n > 6 && after.p[0] == ' ' && two(after.p + 1) > 0 && two(after.p + 3) >= 0 && after.p[5] == ' ') {
		struct buf own = BUF_INIT(64);

		ret->form = STAMP_EXIM;
		buf_addf(&own, "%.4s-%02d-%c%c %.8s", after.p + 1, month + 1, clock[-3] == ' ' ? '0' : clock[-3],
			clock[-2], clock);
		memcpy(ret->own, own.p, 19);
		buf_done(&own);
		ret->text = span_make(ret->own, 19);
		after = span_from(after, 5);
	}
	*rest = span_from(after, 1);
	return true;
}

/* "1704442461.123456 " */
static bool take_seconds(struct span *rest, struct stamp *ret)
{
	struct span word = span_sub(*rest, 0, word_bytes(*rest)), whole;
	uint64_t s;

	if (!span_cut(&word, '.', &whole) || !word.p || whole.n < 9 || whole.n > 11 || span_to_u64(whole, &s) < 0)
		return false;
	ret->form = STAMP_SECONDS;
	ret->at = (int64_t)s;
	*rest = span_from(*rest, whole.n + 1 + word.n + 1);
	return true;
}

bool stamp_take_any(struct logs *l, struct span *rest, struct stamp *ret)
{
	struct span s;

	if (stamp_take(rest, ret) || take_month(l, rest, ret) || take_seconds(rest, ret))
		return true;
	if (!is_weekday(span_sub(*rest, 0, word_bytes(*rest))))
		return false;
	s = skip_blanks(span_from(*rest, word_bytes(*rest)));
	if (!take_full(&s, ret) && !take_month(l, &s, ret))
		return false;
	*rest = s;
	return true;
}
