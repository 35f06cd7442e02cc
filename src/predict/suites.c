/* A list of suites, and the ClientHello that somebody with this list would send. The essay is in
 * predict/predict.h. */
#include <errno.h>
#include <openssl/evp.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "base/rand.h"
#include "predict/predict_priv.h"
#include "tls/explain.h"
#include "tls/names.h"

#define UNKNOWN_SHOWN 200

#define GROUP_X25519 29

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

/* "0x13" of a pair of bytes, as `openssl ciphers -V` and gnutls-cli write numbers: "0x13,0x01",
 * "0x13, 0x01". */
static bool is_byte(struct span name)
{
	uint64_t v;

	return name.n == 4 && name.p[0] == '0' && ascii_lower(name.p[1]) == 'x' &&
		span_to_hex_u64(span_from(name, 2), &v) == 0;
}

static bool pair_take(struct span first, struct span *rest, uint16_t *ret)
{
	struct span after = *rest, second;
	uint64_t high, low;

	if (!is_byte(first) || !next_name(&after, &second) || !is_byte(second))
		return false;
	span_to_hex_u64(span_from(first, 2), &high);
	span_to_hex_u64(span_from(second, 2), &low);
	*ret = (uint16_t)(high << 8 | low);
	*rest = after;
	return true;
}

/* By the name, also as Java (SSL_RSA_WITH_…) and Windows (…_P256, the curve with the suite) write
 * it. */
static bool suite_find(struct span name, uint16_t *ret)
{
	char text[96] = "TLS_";

	if (tls_suite_find(name, ret))
		return true;
	if (span_ends(name, SPAN("_P256")) || span_ends(name, SPAN("_P384")) || span_ends(name, SPAN("_P521")))
		return tls_suite_find(span_sub(name, 0, name.n - 5), ret);
	if (!span_starts(name, SPAN("SSL_")) || name.n >= sizeof(text))
		return false;
	memcpy(text + 4, name.p + 4, name.n - 4);
	return tls_suite_find(span_make(text, name.n), ret);
}

struct suite_list {
	struct predict_lists lists;
	unsigned unknown_n;
	char unknown[UNKNOWN_SHOWN];
	size_t unknown_used;
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

	struct predict_lists *l = &ret->lists;

	*ret = (struct suite_list){ .lists.version = 0x0303 };
	while (next_name(&text, &name)) {
		if (!pair_take(name, &text, &number) && (is_byte(name) || !suite_find(name, &number))) {
			add_unknown(ret, name);
			continue;
		}
		if (l->suites_n == PREDICT_SUITES_MAX || tls_suite_get(number).kind == TLS_SUITE_SIGNAL)
			continue;
		l->suites[l->suites_n++] = number;
		if (tls_suite_get(number).auth == TLS_AUTH_ANY)
			l->with_13 = true;
		else
			l->with_12 = true;
	}
	predict_usual_groups(l);
	predict_usual_signatures(l);
}

static void add_missing(uint16_t *to, uint16_t *n, unsigned max, const uint16_t *v, unsigned v_n)
{
	for (unsigned i = 0; i < v_n; i++) {
		unsigned k = 0;

		while (k < *n && to[k] != v[i])
			k++;
		if (k == *n && k < max)
			to[(*n)++] = v[i];
	}
}

void predict_usual_groups(struct predict_lists *l)
{
	static const uint16_t all[] = { GROUP_X25519, 23, 24, 25 };

	add_missing(l->groups, &l->groups_n, PREDICT_GROUPS_MAX, all, array_len(all));
}

void predict_usual_signatures(struct predict_lists *l)
{
	static const uint16_t all[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601 };

	add_missing(l->signatures, &l->signatures_n, PREDICT_SIGNATURES_MAX, all, array_len(all));
}

void predict_server_suites(struct span text, struct buf *ret_12, struct buf *ret_13)
{
	struct suite_list list;

	read_list(text, &list);
	for (unsigned i = 0; i < list.lists.suites_n; i++) {
		struct tls_suite s = tls_suite_get(list.lists.suites[i]);
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
static void add_point(struct buf *b, uint16_t group)
{
	EVP_PKEY *key;
	uint8_t *point;
	size_t n;

	if (group == GROUP_X25519) {
		add_number(b, 2, 32);
		add_random(b, 32);
		return;
	}
	key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", tls_group_text(group));
	must(key);
	n = EVP_PKEY_get1_encoded_public_key(key, &point);
	add_number(b, 2, n);
	buf_add_span(b, span_make(point, n));
	OPENSSL_free(point);
	EVP_PKEY_free(key);
}

/* For the first of its groups that a key can be made for; none: the server would have to ask for
 * one. */
static void add_share(struct buf *b, const struct predict_lists *l)
{
	size_t body, list;
	unsigned i = 0;

	while (i < l->groups_n && l->groups[i] != GROUP_X25519 && (l->groups[i] < 23 || l->groups[i] > 25))
		i++;
	add_number(b, 2, EXT_SHARES);
	body = open_vector(b, 2);
	list = open_vector(b, 2);
	if (i < l->groups_n) {
		add_number(b, 2, l->groups[i]);
		add_point(b, l->groups[i]);
	}
	close_vector(b, list, 2);
	close_vector(b, body, 2);
}

static void add_extensions(struct buf *b, const struct predict_lists *l, struct span name)
{
	const uint16_t versions[] = { 0x0304, l->version };
	size_t all = open_vector(b, 2);

	if (name.n > 0 && name.n <= 253)
		add_name(b, name);
	add_numbers(b, EXT_GROUPS, 2, l->groups, l->groups_n);
	add_number(b, 2, EXT_POINTS);
	add_number(b, 2, 2);
	add_number(b, 2, 0x0100); /* one: uncompressed */
	if (l->with_13 || l->version >= 0x0303)
		add_numbers(b, EXT_SIGNATURES, 2, l->signatures, l->signatures_n);
	if (l->with_13) {
		add_numbers(b, EXT_VERSIONS, 1, versions, l->with_12 ? 2 : 1);
		add_share(b, l);
	}
	close_vector(b, all, 2);
}

void predict_hello_write(struct buf *b, const struct predict_lists *l, struct span name)
{
	size_t record, message, suites;

	add_number(b, 3, 0x160301); /* a handshake record */
	record = open_vector(b, 2);
	add_number(b, 1, 1); /* ClientHello */
	message = open_vector(b, 3);
	add_number(b, 2, l->with_13 ? 0x0303 : l->version);
	add_random(b, 32);
	add_number(b, 1, 0); /* no session */
	suites = open_vector(b, 2);
	for (unsigned i = 0; i < l->suites_n; i++)
		add_number(b, 2, l->suites[i]);
	add_number(b, 2, 0x00ff); /* secure renegotiation */
	close_vector(b, suites, 2);
	add_number(b, 2, 0x0100); /* no compression */
	if (l->with_13 || l->version > 0x0300)
		add_extensions(b, l, name);
	close_vector(b, message, 3);
	close_vector(b, record, 2);
}

int predict_from_suites(struct span text, struct span name, struct arena *a, struct predict_client *ret,
	struct fault *fault)
{
	_cleanup_(buf_done) struct buf hello = BUF_INIT(PREDICT_HELLO_ROOM);
	struct suite_list list;

	*ret = (struct predict_client){ .supposed = true };
	read_list(text, &list);
	ret->suites_n = list.lists.suites_n;
	ret->with_13 = list.lists.with_13;
	ret->unknown_n = list.unknown_n;
	ret->unknown = arena_span(a, span_make(list.unknown, list.unknown_used));
	if (list.lists.suites_n == 0) {
		fault_set(fault, FAULT_TLS_SUITES_UNKNOWN);
		fault_fact(fault, "names", "%.*s", SPAN_ARG(ret->unknown.n ? ret->unknown : SPAN("-")));
		return -EINVAL;
	}
	predict_hello_write(&hello, &list.lists, name);
	must(buf_error(&hello) == 0);
	ret->hello = arena_span(a, buf_span(&hello));
	return 0;
}
