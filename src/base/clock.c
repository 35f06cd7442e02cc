/*
 * Time. Everything here is a vDSO call or cheaper; the wall clock in seconds reads the
 * kernel's tick (up to 4 ms behind), which is what time() does.
 *
 * Stamps are made once a second and thread: localtime_r() takes a lock, and a busy edge
 * writes thousands of lines with the same second.
 */
#include "base/clock.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"

/* Stamps have years of four digits, 1000 to 9999, with a day's distance for the offset. */
#define STAMP_MIN (-30610137600ll)
#define STAMP_MAX 253402214400ll
#define DAY_S     86400

static _Thread_local struct {
	int64_t wall_s;
	bool made;
	char rfc3339[CLOCK_RFC3339_SIZE];
	char clf[CLOCK_CLF_SIZE];
} stamp;

static struct timespec now(clockid_t id)
{
	struct timespec t;

	must(clock_gettime(id, &t) == 0);
	return t;
}

uint64_t clock_mono_ms(void)
{
	struct timespec t = now(CLOCK_MONOTONIC);

	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_boot_ms(void)
{
	struct timespec t = now(CLOCK_BOOTTIME);

	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_mono_ns(void)
{
	struct timespec t = now(CLOCK_MONOTONIC);

	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int64_t clock_wall_s(void)
{
	return time(NULL);
}

int64_t clock_wall_ms(void)
{
	struct timespec t = now(CLOCK_REALTIME);

	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void make_stamp(int64_t wall_s)
{
	time_t t = wall_s < STAMP_MIN ? STAMP_MIN : wall_s > STAMP_MAX ? STAMP_MAX : wall_s;
	struct tm tm;
	size_t n;

	must(localtime_r(&t, &tm));
	must(strftime(stamp.clf, sizeof(stamp.clf), "%d/%b/%Y:%H:%M:%S %z", &tm) > 0);
	/* "+0100" wants its colon. */
	n = strftime(stamp.rfc3339, sizeof(stamp.rfc3339) - 1, "%Y-%m-%dT%H:%M:%S%z", &tm);
	must(n > 2);
	memmove(stamp.rfc3339 + n - 1, stamp.rfc3339 + n - 2, 3);
	stamp.rfc3339[n - 2] = ':';
	stamp.wall_s = wall_s;
	stamp.made = true;
}

void clock_rfc3339(int64_t wall_s, char ret[CLOCK_RFC3339_SIZE])
{
	if (!stamp.made || stamp.wall_s != wall_s)
		make_stamp(wall_s);
	memcpy(ret, stamp.rfc3339, CLOCK_RFC3339_SIZE);
}

void clock_clf(int64_t wall_s, char ret[CLOCK_CLF_SIZE])
{
	if (!stamp.made || stamp.wall_s != wall_s)
		make_stamp(wall_s);
	memcpy(ret, stamp.clf, CLOCK_CLF_SIZE);
}

/* Takes a number of exactly `digits` digits, at most max, off s. */
static bool take_number(struct span *s, size_t digits, unsigned max, unsigned *ret)
{
	uint64_t v;

	if (s->n < digits || span_to_u64(span_sub(*s, 0, digits), &v) < 0 || v > max)
		return false;
	*s = span_from(*s, digits);
	*ret = (unsigned)v;
	return true;
}

static bool take_char(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_from(*s, 1);
	return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap
 * day is the last of its year. */
static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool take_date(struct span *s, int64_t *ret_days)
{
	static const unsigned char lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year, month, day;
	bool leap;

	if (!take_number(s, 4, 9999, &year) || !take_char(s, '-') || !take_number(s, 2, 12, &month) ||
		!take_char(s, '-') || month == 0 || !take_number(s, 2, lengths[month - 1], &day) || day == 0)
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (month == 2 && day == 29 && !leap)
		return false;
	*ret_days = days_from_date(year, month, day);
	return true;
}

static bool take_time(struct span *s, int64_t *ret_s)
{
	unsigned hour, minute, second, digit;

	if (!take_number(s, 2, 23, &hour) || !take_char(s, ':') || !take_number(s, 2, 59, &minute) ||
		!take_char(s, ':') || !take_number(s, 2, 60, &second))
		return false;
	if (take_char(s, '.')) {
		if (!take_number(s, 1, 9, &digit))
			return false;
		while (take_number(s, 1, 9, &digit))
			;
	}
	*ret_s = hour * 3600 + minute * 60 + second;
	return true;
}

static bool take_offset(struct span *s, int64_t *ret_s)
{
	unsigned hour, minute;
	int sign = 1;

	*ret_s = 0;
	if (take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	if (take_char(s, '-'))
		sign = -1;
	else if (!take_char(s, '+'))
		return false;
	if (!take_number(s, 2, 23, &hour) || !take_char(s, ':') || !take_number(s, 2, 59, &minute))
		return false;
	*ret_s = sign * (int64_t)(hour * 3600 + minute * 60);
	return true;
}

int clock_parse_rfc3339(struct span s, int64_t *ret_wall_s)
{
	int64_t days, time_s = 0, offset_s = 0;

	if (!take_date(&s, &days))
		return -EINVAL;
	if (s.n > 0) {
		if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
			return -EINVAL;
		if (!take_time(&s, &time_s) || !take_offset(&s, &offset_s) || s.n > 0)
			return -EINVAL;
	}
	*ret_wall_s = days * DAY_S + time_s - offset_s;
	return 0;
}

void clock_minute(int64_t wall_s, char ret[CLOCK_MINUTE_SIZE])
{
	time_t t = wall_s;
	struct tm tm;

	if (wall_s == 0 || !localtime_r(&t, &tm) || strftime(ret, CLOCK_MINUTE_SIZE, "%Y-%m-%d %H:%M", &tm) == 0)
		memcpy(ret, "-", 2);
}
