/*
 * The key: exactly what is forwarded, "https" NUL host NUL target.
 *
 * One URI has several spellings (RFC 3986 6.2.2): /%7Ea and /~a, /%c3%bc and /%C3%BC, /a/../b and
 * /b. Each is forwarded as it came, for an origin may redirect one to the other, and so each is a
 * key of its own; but the hash is that of the normal form, so that all stand in one bucket and a
 * purge finds them together. At most SPELLINGS_MAX of one URI are kept (cache/index.c).
 *
 * The normal form: percent signs with upper-case digits, and none where the byte may stand for
 * itself; percent signs for what may not (a raw "ü", which browsers encode, too); dot segments
 * resolved, in the path. Scheme and host come in one spelling already.
 */
#include "cache/cache_priv.h"

static bool is_unreserved(char c)
{
	char lower = ascii_lower(c);

	return ascii_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* RFC 3986 2.2, and the percent sign of a pair that is none. */
static bool may_stand(char c)
{
	return is_unreserved(c) || (c != '\0' && strchr(":/?#[]@!$&'()*+,;=%", c));
}

static bool is_plain(struct span target)
{
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] == '%' || !may_stand(target.p[i]))
			return false;
	return span_find(target, SPAN("/.")) < 0;
}

static void add_byte(struct buf *out, char c, bool encoded)
{
	if (encoded ? is_unreserved(c) : may_stand(c))
		buf_add_char(out, c);
	else
		buf_addf(out, "%%%02X", (unsigned char)c);
}

static void add_text(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char byte;

		if (s.p[i] == '%' && i + 2 < s.n && span_from_hex(span_make(s.p + i + 1, 2), &byte, 1) == 0) {
			add_byte(out, byte, true);
			i += 2;
		} else {
			add_byte(out, s.p[i], false);
		}
	}
}

/* RFC 3986 5.2.4 in place, for a path that begins with a slash. open: something may follow, so the
 * last segment stays as it is. The new length. */
static size_t remove_dots(char *p, size_t n, bool open)
{
	size_t to = 0;

	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		struct span segment;
		bool last;

		while (end < n && p[end] != '/')
			end++;
		last = end == n;
		segment = span_make(p + i + 1, end - i - 1);
		if (!(last && open) && span_eq(segment, SPAN(".."))) {
			while (to > 0 && p[--to] != '/')
				;
		} else if ((last && open) || !span_eq(segment, SPAN("."))) {
			memmove(p + to, p + i, end - i);
			to += end - i;
			last = false;
		}
		if (last)
			p[to++] = '/';
		i = end;
	}
	return to;
}

struct span target_normal(struct span target, bool open, struct arena *a)
{
	ptrdiff_t question = span_index(target, '?');
	struct span path = span_sub(target, 0, question < 0 ? target.n : (size_t)question);
	struct buf out;

	if (is_plain(target))
		return target;
	buf_init(&out, 3 * target.n + 1);
	add_text(&out, path);
	if (path.n > 0 && path.p[0] == '/')
		out.n = remove_dots(out.p, out.n, open && question < 0);
	if (question >= 0)
		add_text(&out, span_from(target, (size_t)question));
	target = arena_span(a, buf_span(&out));
	buf_done(&out);
	return target;
}

/* Scheme NUL host NUL of a key's text; *ret_target: the rest. */
static struct span text_split(struct span text, struct span *ret_target)
{
	struct span scheme, host, rest = text;

	span_cut(&rest, '\0', &scheme);
	span_cut(&rest, '\0', &host);
	*ret_target = rest.p ? rest : span_from(text, text.n);
	return span_sub(text, 0, text.n - ret_target->n);
}

static struct span text_of(struct span front, struct span target, struct arena *a)
{
	char *p = arena_alloc(a, front.n + target.n);

	memcpy(p, front.p, front.n);
	memcpy(p + front.n, target.p, target.n);
	return span_make(p, front.n + target.n);
}

struct span key_text_normal(struct span text, bool open, struct arena *a)
{
	struct span target, front = text_split(text, &target), normal = target_normal(target, open, a);

	return normal.p == target.p ? text : text_of(front, normal, a);
}

void cache_key_make(struct cache_key *ret, const struct domain *site, bool tls, struct span host, struct span target,
	struct arena *a)
{
	struct span scheme = tls ? SPAN("https") : SPAN("http");
	char *text;

	target = preset_target(site, target, a);
	ret->site = site;
	ret->text.n = scheme.n + 1 + host.n + 1 + target.n;
	ret->text.p = text = arena_alloc(a, ret->text.n);
	memcpy(text, scheme.p, scheme.n);
	text += scheme.n;
	*text++ = '\0';
	memcpy(text, host.p, host.n);
	text += host.n;
	*text++ = '\0';
	memcpy(text, target.p, target.n);
	ret->hash = span_hash(key_text_normal(ret->text, false, a), 0);
}

struct span cache_fill_target(const struct cache_fill *f)
{
	struct span target;

	text_split(f->key.text, &target);
	return target;
}
