/* MTA-STS, its record and its policy file. See survey/sts.h. */
#include "survey/sts.h"
#include <errno.h>

#define MAX_AGE_MAX_S 31557600 /* RFC 8461 3.2 */

const char *sts_mode_text(enum sts_mode m)
{
	static const char *const texts[] = { "none", "testing", "enforce" };

	return texts[m];
}

static bool is_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = ascii_lower(id.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z'))
			return false;
	}
	return id.n > 0 && id.n <= STS_ID_MAX;
}

int sts_record_parse(struct span text, struct span *ret_id)
{
	struct span field, name;
	bool first = true;

	*ret_id = SPAN("");
	while (span_cut(&text, ';', &field)) {
		struct span value = span_trim(field);

		if (first && !span_eq(value, SPAN("v=STSv1")))
			return 0;
		first = false;
		span_cut(&value, '=', &name);
		if (span_eq(span_trim(name), SPAN("id")) && value.p)
			*ret_id = span_trim(value);
	}
	return is_id(*ret_id) ? 1 : -EPROTO;
}

/* ---- the policy ---- */

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EPROTO;
}

static int read_mode(struct span value, struct sts_policy *ret, const char **ret_why)
{
	for (unsigned m = STS_NONE; m <= STS_ENFORCE; m++)
		if (span_eq(value, span_of(sts_mode_text(m)))) {
			ret->mode = m;
			return 0;
		}
	return refuse(ret_why, "its mode is none of enforce, testing, none");
}

static int read_mx(struct span value, struct arena *a, struct sts_policy *ret, const char **ret_why)
{
	char *lower = arena_text(a, value);

	if (value.n == 0 || value.n > 255)
		return refuse(ret_why, "an mx line is empty or too long");
	if (ret->mx_n == STS_MX_MAX)
		return refuse(ret_why, "it has too many mx lines");
	for (size_t i = 0; i < value.n; i++)
		lower[i] = ascii_lower(lower[i]);
	ret->mx[ret->mx_n++] = span_make(lower, value.n);
	return 0;
}

/* What has been seen, as bits. */
enum { VERSION = 1, MODE = 2, MAX_AGE = 4 };

static int read_line(struct span line, struct arena *a, struct sts_policy *ret, unsigned *seen, const char **ret_why)
{
	struct span value = line, key;

	span_cut(&value, ':', &key);
	key = span_trim(key);
	if (!value.p)
		return refuse(ret_why, "a line has no colon");
	value = span_trim(value);
	if (span_eq(key, SPAN("version"))) {
		*seen |= VERSION;
		return span_eq(value, SPAN("STSv1")) ? 0 : refuse(ret_why, "its version is not STSv1");
	}
	if (span_eq(key, SPAN("mode")) && !(*seen & MODE)) {
		*seen |= MODE;
		return read_mode(value, ret, ret_why);
	}
	if (span_eq(key, SPAN("max_age")) && !(*seen & MAX_AGE)) {
		*seen |= MAX_AGE;
		if (span_to_u64(value, &ret->max_age_s) < 0 || ret->max_age_s > MAX_AGE_MAX_S)
			return refuse(ret_why, "its max_age is no number of seconds up to a year");
		return 0;
	}
	return span_eq(key, SPAN("mx")) ? read_mx(value, a, ret, ret_why) : 0;
}

int sts_policy_parse(struct span text, struct arena *a, struct sts_policy *ret, const char **ret_why)
{
	unsigned seen = 0;
	struct span line;

	*ret = (struct sts_policy){ 0 };
	if (text.n > STS_POLICY_MAX)
		return refuse(ret_why, "it is too long");
	while (span_cut(&text, '\n', &line)) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (span_trim(line).n && read_line(line, a, ret, &seen, ret_why) < 0)
			return -EPROTO;
	}
	if (!(seen & VERSION))
		return refuse(ret_why, "it has no version");
	if (!(seen & MODE) || !(seen & MAX_AGE))
		return refuse(ret_why, "it lacks mode or max_age");
	if (ret->mode != STS_NONE && ret->mx_n == 0)
		return refuse(ret_why, "it names no mx");
	return 0;
}

bool sts_policy_covers(const struct sts_policy *p, struct span mx)
{
	for (unsigned i = 0; i < p->mx_n; i++) {
		struct span pattern = p->mx[i];
		ptrdiff_t dot = span_index(mx, '.');

		if (span_eq_nocase(pattern, mx))
			return true;
		if (span_starts(pattern, SPAN("*.")) && dot > 0 &&
			span_eq_nocase(span_from(pattern, 1), span_from(mx, (size_t)dot)))
			return true;
	}
	return false;
}
