/*
 * Units that people write, and text that is safe to show them.
 *
 * Durations and sizes are a whole number and one unit; no fractions, no sums ("1h30m"),
 * no blanks. What is printed is what would be read back.
 */
#include "base/fmt.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include "base/mem.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first. A bare number is seconds, so 0 needs no unit. */
static const struct unit durations[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};
static const struct unit sizes[] = {
	{ "T", 1ull << 40 },
	{ "G", 1ull << 30 },
	{ "M", 1ull << 20 },
	{ "K", 1ull << 10 },
};

static int parse(struct span s, const struct unit *units, size_t count, uint64_t bare, uint64_t *ret)
{
	uint64_t factor = bare, v;
	size_t digits = 0;
	struct span name;
	size_t i = 0;
	int r;

	while (digits < s.n && ascii_digit(s.p[digits]))
		digits++;
	name = span_from(s, digits);
	if (name.n > 0) {
		while (i < count && !span_eq(name, span_of(units[i].name)))
			i++;
		if (i == count)
			return -EINVAL;
		factor = units[i].factor;
	}
	r = span_to_u64(span_sub(s, 0, digits), &v);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(v, factor, &v))
		return -ERANGE;
	*ret = v;
	return 0;
}

int fmt_parse_duration_ms(struct span s, uint64_t *ret_ms)
{
	return parse(s, durations, array_len(durations), 1000, ret_ms);
}

int fmt_parse_size(struct span s, uint64_t *ret_bytes)
{
	return parse(s, sizes, array_len(sizes), 1, ret_bytes);
}

/* With the largest unit that divides v, else bare. */
static void print(uint64_t v, const struct unit *units, size_t count, char *ret)
{
	size_t i = 0;

	while (i < count && v % units[i].factor != 0)
		i++;
	if (v == 0 || i == count)
		snprintf(ret, FMT_SIZE, "%" PRIu64, v);
	else
		snprintf(ret, FMT_SIZE, "%" PRIu64 "%s", v / units[i].factor, units[i].name);
}

void fmt_duration(uint64_t ms, char ret[FMT_SIZE])
{
	print(ms, durations, array_len(durations), ret);
}

void fmt_size(uint64_t bytes, char ret[FMT_SIZE])
{
	print(bytes, sizes, array_len(sizes), ret);
}

void fmt_size_rough(uint64_t bytes, char ret[FMT_SIZE])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t rest = 0;
	size_t i = 0;

	/* From 1023.5 on, "%.0f" would print 1024. */
	while (bytes >= 1024 || (i > 0 && bytes == 1023 && rest >= 512)) {
		rest = bytes % 1024;
		bytes /= 1024;
		i++;
	}
	if (i == 0 || bytes >= 10)
		snprintf(ret, FMT_SIZE, "%" PRIu64 " %s", bytes + (rest >= 512), names[i]);
	else
		snprintf(ret, FMT_SIZE, "%.1f %s", (double)bytes + (double)rest / 1024, names[i]);
}

struct span fmt_u64(uint64_t v, char room[FMT_U64_SIZE])
{
	char *p = room + FMT_U64_SIZE;

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10));
	return span_make(p, (size_t)(room + FMT_U64_SIZE - p));
}

#define DISTANCE_WORD_MAX 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Insert, delete, replace, and swap of neighbours: one each. Three rows of the usual table. */
unsigned fmt_distance(struct span a, struct span b)
{
	unsigned rows[3][DISTANCE_WORD_MAX + 1];

	if (a.n > DISTANCE_WORD_MAX || b.n > DISTANCE_WORD_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = a.p[i - 1] == b.p[j - 1];

			row[j] = least(row[j - 1] + 1, above[j] + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = least(row[j], row[j], top[j - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

/* Controls, the C1 ones (which some terminals obey) included; s begins with n good bytes. */
static bool is_control(struct span s, size_t n)
{
	unsigned char c = (unsigned char)s.p[0];

	if (n == 2)
		return c == 0xc2 && (unsigned char)s.p[1] < 0xa0;
	return n == 1 && (c < 0x20 || c == 0x7f);
}

size_t fmt_safe(struct span s, const char *also, char *out, size_t room)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	while (s.n > 0) {
		size_t n = span_utf8(s);

		if (n > 0 && !is_control(s, n) && !(n == 1 && s.p[0] && strchr(also, s.p[0]))) {
			if (n > room - used)
				break;
			memcpy(out + used, s.p, n);
			used += n;
		} else {
			unsigned char c = (unsigned char)s.p[0];

			n = 1;
			if (room - used < 4)
				break;
			memcpy(out + used, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
			used += 4;
		}
		s = span_from(s, n);
	}
	return used;
}

int fmt_width(const char *text, int columns)
{
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) == 0x80;
	return columns;
}
