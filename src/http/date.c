/*
 * HTTP-date (RFC 9110 5.6.7) in its three forms:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT       IMF-fixdate, the only one that is written
 *     Sunday, 06-Nov-94 08:49:37 GMT      RFC 850; two digits are at most 50 years ahead
 *     Sun Nov  6 08:49:37 1994            that of asctime in C
 *
 * Read strictly except for the case of letters. The weekday must be one, but whether the
 * date falls on it is not checked: a wrong one harms nobody.
 */
#include <errno.h>
#include "http/http_priv.h"

static const char days[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
	"Dec" };

struct date {
	int year, month, day, hour, minute, second;
};
/* A reader with a sticky error: read, read, then look at bad once. */
struct reader {
	const char *p, *end;
	bool bad;
};

static void read_text(struct reader *r, const char *text)
{
	struct span want = span_of(text);

	if ((size_t)(r->end - r->p) < want.n || !span_eq_nocase(span_make(r->p, want.n), want))
		r->bad = true;
	else
		r->p += want.n;
}

static int read_digits(struct reader *r, int count)
{
	int v = 0;

	for (; count > 0; count--) {
		if (r->p == r->end || !ascii_digit(*r->p)) {
			r->bad = true;
			return 0;
		}
		v = v * 10 + (*r->p++ - '0');
	}
	return v;
}

static int read_month(struct reader *r)
{
	for (int i = 0; i < 12; i++)
		if (r->end - r->p >= 3 && span_eq_nocase(span_make(r->p, 3), span_make(months[i], 3))) {
			r->p += 3;
			return i + 1;
		}
	r->bad = true;
	return 1;
}

static void read_time(struct reader *r, struct date *d)
{
	d->hour = read_digits(r, 2);
	read_text(r, ":");
	d->minute = read_digits(r, 2);
	read_text(r, ":");
	d->second = read_digits(r, 2);
}

/* The weekday decides the form: "Sun, ", "Sunday, " or "Sun ". */
static enum { IMF, RFC850, ASCTIME, NO_DATE } read_weekday(struct reader *r)
{
	struct span s = span_make(r->p, (size_t)(r->end - r->p));

	for (int i = 0; i < 7; i++) {
		struct span day = span_of(days[i]);

		if (!span_starts_nocase(s, span_sub(day, 0, 3)))
			continue;
		if (span_starts(span_from(s, 3), SPAN(", "))) {
			r->p += 5;
			return IMF;
		}
		if (span_starts_nocase(s, day) && span_starts(span_from(s, day.n), SPAN(", "))) {
			r->p += day.n + 2;
			return RFC850;
		}
		if (span_starts(span_from(s, 3), SPAN(" "))) {
			r->p += 4;
			return ASCTIME;
		}
	}
	return NO_DATE;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that the
 * leap day is the last one, and eras of 400 years have 146097 days. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int year_of(int64_t wall_s)
{
	int year = (int)(1970 + wall_s / 31556952);

	while (days_of(year + 1, 1, 1) * 86400 <= wall_s)
		year++;
	while (days_of(year, 1, 1) * 86400 > wall_s)
		year--;
	return year;
}

/* RFC 9110 5.6.7: what looks more than 50 years ahead lies in the past. */
static int century(int two_digits, int64_t now_s)
{
	int now = year_of(now_s);
	int year = now - now % 100 + two_digits;

	if (year > now + 50)
		return year - 100;
	return year + 100 <= now + 50 ? year + 100 : year;
}

static bool date_exists(const struct date *d)
{
	static const int lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;

	if (d->day < 1 || d->day > lengths[d->month - 1] || (d->month == 2 && d->day == 29 && !leap))
		return false;
	return d->hour < 24 && d->minute < 60 && d->second <= 60; /* 60: a leap second */
}

int http_date_parse(struct span s, int64_t now_s, int64_t *ret)
{
	struct reader r = { .p = s.p, .end = s.p + s.n };
	struct date d = { 0 };

	switch (read_weekday(&r)) {
	case IMF:
		d.day = read_digits(&r, 2);
		read_text(&r, " ");
		d.month = read_month(&r);
		read_text(&r, " ");
		d.year = read_digits(&r, 4);
		read_text(&r, " ");
		read_time(&r, &d);
		read_text(&r, " GMT");
		break;
	case RFC850:
		d.day = read_digits(&r, 2);
		read_text(&r, "-");
		d.month = read_month(&r);
		read_text(&r, "-");
		d.year = century(read_digits(&r, 2), now_s);
		read_text(&r, " ");
		read_time(&r, &d);
		read_text(&r, " GMT");
		break;
	case ASCTIME:
		d.month = read_month(&r);
		read_text(&r, " ");
		if (r.p < r.end && *r.p == ' ') {
			r.p++;
			d.day = read_digits(&r, 1);
		} else {
			d.day = read_digits(&r, 2);
		}
		read_text(&r, " ");
		read_time(&r, &d);
		read_text(&r, " ");
		d.year = read_digits(&r, 4);
		break;
	case NO_DATE:
		r.bad = true;
		break;
	}
	if (r.bad || r.p != r.end || !date_exists(&d))
		return -EINVAL;
	*ret = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	return 0;
}

static char *put_digits(char *p, unsigned v, int count)
{
	for (int i = count - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + count;
}

void http_date_format(int64_t wall_s, char ret[HTTP_DATE_SIZE])
{
	int64_t day = wall_s / 86400, second = wall_s % 86400;
	int year, month = 1;
	char *p = ret;

	if (second < 0) {
		day--;
		second += 86400;
	}
	/* Four digits is what the form has. */
	if (day < days_of(0, 1, 1))
		day = days_of(0, 1, 1);
	if (day > days_of(9999, 12, 31))
		day = days_of(9999, 12, 31);
	year = year_of(day * 86400);
	while (month < 12 && days_of(year, month + 1, 1) <= day)
		month++;
	p = mempcpy(p, days[((day + 4) % 7 + 7) % 7], 3);
	p = mempcpy(p, ", ", 2);
	p = put_digits(p, (unsigned)(day - days_of(year, month, 1)) + 1, 2);
	*p++ = ' ';
	p = mempcpy(p, months[month - 1], 3);
	*p++ = ' ';
	p = put_digits(p, (unsigned)year, 4);
	*p++ = ' ';
	p = put_digits(p, (unsigned)(second / 3600), 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)(second / 60 % 60), 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)(second % 60), 2);
	memcpy(p, " GMT", 5);
}
