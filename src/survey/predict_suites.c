/* A list of suites, and the ClientHello that somebody with this list would send. The essay is in survey/predict.h. */
#include <errno.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "base/rand.h"
#include "survey/predict.h"
#include "tls/explain.h"
#include "tls/names.h"

#define UNKNOWN_SHOWN 200
#define HELLO_ROOM    4096

enum { EXT_SNI = 0, EXT_GROUPS = 10, EXT_POINTS = 11, EXT_SIGNATURES = 13, EXT_VERSIONS = 43, EXT_SHARES = 51 };

/* ---- the list ---- */

static bool is_separator(char c)
{
	return c == ':' || c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next name; false at the end. */
static bool next_name(struct span *rest, struct span *ret)
{
	size_t n = 0;

	for (;;) {
		while (rest->n > 0 && is_separator(rest->p[0]))
			*rest = span_from(*rest, 1);
		if (rest->n == 0)
			return false;
		if (rest->p[0] != '#')
			break;
		while (rest->n > 0 && rest->p[0] != '\n')
			*rest = span_from(*rest, 1);
	}
	while (n < rest->n && !is_separator(rest->p[n]))
		n++;
	*ret = span_sub(*rest, 0, n);
	*rest = span_from(*rest, n);
	return true;
}

struct suite_list {
	uint16_t suites[PREDICT_SUITES_MAX];
	unsigned n, unknown_n;
	char unknown[UNKNOWN_SHOWN];
	size_t unknown_used;
	bool with_13, with_12;
};

static void add_unknown(struct suite_list *l, struct span name)
{
	char safe[64];
	size_t n = fmt_safe(name, "", safe, sizeof(safe));

	l->unknown_n++;
	if (l->unknown_used + n + 2 > sizeof(l->unknown))
		return;
	if (l->unknown_used > 0) {
		memcpy(l->unknown + l->unknown_used, ", ", 2);
		l->unknown_used += 2;
	}
	memcpy(l->unknown + l->unknown_used, safe, n);
	l->unknown_used += n;
}

static void read_list(struct span text, struct suite_list *ret)
{
	struct span name;
	uint16_t number;

	*ret = (struct suite_list){ 0 };
	while (next_name(&text, &name)) {
		if (!tls_suite_find(name, &number)) {
			add_unknown(ret, name);
			continue;
		}
		if (ret->n == PREDICT_SUITES_MAX || tls_suite_get(number).kind == TLS_SUITE_SIGNAL)
			continue;
		ret->suites[ret->n++] = number;
		if (tls_suite_get(number).auth == TLS_AUTH_ANY)
			ret->with_13 = true;
		else
			ret->with_12 = true;
	}
}

void predict_server_suites(struct span text, struct buf *ret_12, struct buf *ret_13)
{
	struct suite_list list;

	read_list(text, &list);
	for (unsigned i = 0; i < list.n; i++) {
		struct tls_suite s = tls_suite_get(list.suites[i]);
		struct buf *out = s.auth == TLS_AUTH_ANY ? ret_13 : ret_12;

		if (s.kind == TLS_SUITE_USUAL)
			buf_addf(out, "%s%s", out->n ? ":" : "", tls_suite_text(s.number));
	}
}

/* ---- the hello ---- */

static void add_number(struct buf *b, unsigned bytes, size_t v)
{
	while (bytes-- > 0)
		buf_add_char(b, (char)(v >> 8 * bytes));
}

/* The length of what has been added since the mark, into the bytes before it. */
static void close_vector(struct buf *b, size_t mark, unsigned bytes)
{
	size_t n = b->n - mark;

	for (unsigned i = 0; i < bytes; i++)
		b->p[mark - 1 - i] = (char)(n >> 8 * i);
}

static size_t open_vector(struct buf *b, unsigned bytes)
{
	add_number(b, bytes, 0);
	return b->n;
}

/* An extension that holds one list of two-byte numbers. */
static void add_numbers(struct buf *b, unsigned type, unsigned length_bytes, const uint16_t *v, unsigned n)
{
	size_t body, list;

	add_number(b, 2, type);
	body = open_vector(b, 2);
	list = open_vector(b, length_bytes);
	for (unsigned i = 0; i < n; i++)
		add_number(b, 2, v[i]);
	close_vector(b, list, length_bytes);
	close_vector(b, body, 2);
}

static void add_name(struct buf *b, struct span name)
{
	add_number(b, 2, EXT_SNI);
	add_number(b, 2, name.n + 5);
	add_number(b, 2, name.n + 3);
	add_number(b, 1, 0); /* host_name */
	add_number(b, 2, name.n);
	buf_add_span(b, name);
}

static void add_random(struct buf *b, size_t n)
{
	char *p = buf_room(b, n);

	must(p);
	rand_bytes(p, n);
	buf_grew(b, n);
}

/* Any 32 bytes are a point of X25519. */
static void add_share(struct buf *b)
{
	add_number(b, 2, EXT_SHARES);
	add_number(b, 2, 38);
	add_number(b, 2, 36);
	add_number(b, 2, 29);
	add_number(b, 2, 32);
	add_random(b, 32);
}

static void add_extensions(struct buf *b, const struct suite_list *l, struct span name)
{
	static const uint16_t groups[] = { 29, 23, 24, 25 };
	static const uint16_t signatures[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601 };
	static const uint16_t versions[] = { 0x0304, 0x0303 };
	size_t all = open_vector(b, 2);

	if (name.n > 0 && name.n <= 253)
		add_name(b, name);
	add_numbers(b, EXT_GROUPS, 2, groups, array_len(groups));
	add_number(b, 2, EXT_POINTS);
	add_number(b, 2, 2);
	add_number(b, 2, 0x0100); /* one: uncompressed */
	add_numbers(b, EXT_SIGNATURES, 2, signatures, array_len(signatures));
	if (l->with_13) {
		add_numbers(b, EXT_VERSIONS, 1, versions, l->with_12 ? 2 : 1);
		add_share(b);
	}
	close_vector(b, all, 2);
}

static void write_hello(struct buf *b, const struct suite_list *l, struct span name)
{
	size_t record, message, suites;

	add_number(b, 3, 0x160301); /* a handshake record */
	record = open_vector(b, 2);
	add_number(b, 1, 1); /* ClientHello */
	message = open_vector(b, 3);
	add_number(b, 2, 0x0303);
	add_random(b, 32);
	add_number(b, 1, 0); /* no session */
	suites = open_vector(b, 2);
	for (unsigned i = 0; i < l->n; i++)
		add_number(b, 2, l->suites[i]);
	add_number(b, 2, 0x00ff); /* secure renegotiation */
	close_vector(b, suites, 2);
	add_number(b, 2, 0x0100); /* no compression */
	add_extensions(b, l, name);
	close_vector(b, message, 3);
	close_vector(b, record, 2);
}

int predict_from_suites(struct span text, struct span name, struct arena *a, struct predict_client *ret,
	struct fault *fault)
{
	_cleanup_(buf_done) struct buf hello = BUF_INIT(HELLO_ROOM);
	struct suite_list list;

	*ret = (struct predict_client){ .supposed = true };
	read_list(text, &list);
	ret->suites_n = list.n;
	ret->with_13 = list.with_13;
	ret->unknown_n = list.unknown_n;
	ret->unknown = arena_span(a, span_make(list.unknown, list.unknown_used));
	if (list.n == 0) {
		fault_set(fault, FAULT_TLS_SUITES_UNKNOWN);
		fault_fact(fault, "names", "%.*s", SPAN_ARG(ret->unknown.n ? ret->unknown : SPAN("-")));
		return -EINVAL;
	}
	write_hello(&hello, &list, name);
	must(buf_error(&hello) == 0);
	ret->hello = arena_span(a, buf_span(&hello));
	return 0;
}
