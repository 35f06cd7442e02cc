/* The ClientHello reader; the essay is in tls/hello.h. */
#include <errno.h>
#include "tls/hello.h"

#define RECORD_HANDSHAKE 22
#define MESSAGE_HELLO    1
#define HELLO_BYTES_MAX  65536

enum { EXT_SNI = 0, EXT_GROUPS = 10, EXT_SIGNATURES = 13, EXT_ALPN = 16, EXT_VERSIONS = 43, EXT_KEY_SHARE = 51 };

/* Reads with a sticky end: past it everything is empty and `short_` is set. */
struct reader {
	struct span rest;
	bool short_;
};

static struct span take(struct reader *r, size_t n)
{
	struct span s;

	if (n > r->rest.n) {
		r->short_ = true;
		n = r->rest.n;
	}
	s = span_sub(r->rest, 0, n);
	r->rest = span_from(r->rest, n);
	return s;
}

static uint32_t number(struct reader *r, unsigned bytes)
{
	struct span s = take(r, bytes);
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (uint8_t)s.p[i];
	return s.n == bytes ? v : 0;
}

/* A vector: its length in `bytes` bytes, then that many. */
static struct span vector(struct reader *r, unsigned bytes)
{
	return take(r, number(r, bytes));
}

uint16_t tls_hello_u16(struct span list, size_t i)
{
	return (uint16_t)((uint8_t)list.p[2 * i] << 8 | (uint8_t)list.p[2 * i + 1]);
}

/* Whole entries only. */
static struct span pairs_of(struct span list)
{
	list.n &= ~(size_t)1;
	return list;
}

/* ---- extensions ---- */

static struct span read_sni(struct span body)
{
	struct reader r = { body, false };
	struct reader names = { vector(&r, 2), false };

	while (names.rest.n > 0) {
		uint32_t type = number(&names, 1);
		struct span name = vector(&names, 2);

		if (type == 0)
			return name;
	}
	return (struct span){ 0 };
}

static struct span read_shares(struct span body, struct arena *a)
{
	struct reader r = { body, false };
	struct reader shares = { vector(&r, 2), false };
	char *groups = arena_alloc(a, shares.rest.n + 1);
	size_t n = 0;

	while (shares.rest.n > 4) {
		struct span group = take(&shares, 2);

		vector(&shares, 2);
		memcpy(groups + n, group.p, 2);
		n += 2;
	}
	return span_make(groups, n);
}

static void read_extension(uint32_t type, struct span body, struct arena *a, struct tls_hello *h)
{
	struct reader r = { body, false };

	switch (type) {
	case EXT_SNI:
		h->sni = read_sni(body);
		break;
	case EXT_GROUPS:
		h->groups = pairs_of(vector(&r, 2));
		break;
	case EXT_SIGNATURES:
		h->signatures = pairs_of(vector(&r, 2));
		break;
	case EXT_ALPN:
		h->alpn = vector(&r, 2);
		break;
	case EXT_VERSIONS:
		h->versions = pairs_of(vector(&r, 1));
		break;
	case EXT_KEY_SHARE:
		h->shares = read_shares(body, a);
		break;
	default:
		break;
	}
}

static void read_body(struct reader *r, struct arena *a, struct tls_hello *h)
{
	struct reader extensions;

	h->legacy_version = (uint16_t)number(r, 2);
	take(r, 32);  /* random */
	vector(r, 1); /* session id */
	h->suites = pairs_of(vector(r, 2));
	vector(r, 1); /* compression methods */
	if (r->rest.n == 0)
		return;
	extensions = (struct reader){ vector(r, 2), false };
	while (extensions.rest.n > 0) {
		uint32_t type = number(&extensions, 2);

		read_extension(type, vector(&extensions, 2), a, h);
	}
}

/* ---- the way to the body ---- */

/* The payloads of the handshake records, joined; what a record lacks is simply not there. */
static struct span join_records(struct span bytes, struct arena *a)
{
	struct reader r = { bytes, false };
	char *joined = arena_alloc(a, bytes.n + 1);
	size_t n = 0;

	while (r.rest.n >= 5 && (uint8_t)r.rest.p[0] == RECORD_HANDSHAKE) {
		struct span payload;

		take(&r, 3);
		payload = vector(&r, 2);
		memcpy(joined + n, payload.p, payload.n);
		n += payload.n;
	}
	return span_make(joined, n);
}

static int parse_v2(struct span bytes, struct tls_hello *h)
{
	struct reader r = { bytes, false };
	uint32_t length = number(&r, 2) & 0x7fff, suites_n, id_n, challenge_n;

	take(&r, 1); /* CLIENT-HELLO, seen by the caller */
	h->v2 = true;
	h->legacy_version = (uint16_t)number(&r, 2);
	suites_n = number(&r, 2);
	id_n = number(&r, 2);
	challenge_n = number(&r, 2);
	if (suites_n % 3 != 0 || length != 9 + suites_n + id_n + challenge_n)
		return -EPROTO;
	h->suites = take(&r, suites_n);
	h->suites.n -= h->suites.n % 3;
	take(&r, id_n + challenge_n);
	h->complete = !r.short_;
	return 0;
}

int tls_hello_parse(struct span bytes, struct arena *a, struct tls_hello *ret)
{
	struct reader r;
	uint32_t length;

	*ret = (struct tls_hello){ 0 };
	bytes = span_sub(bytes, 0, HELLO_BYTES_MAX);
	if (bytes.n >= 11 && ((uint8_t)bytes.p[0] & 0x80) && bytes.p[2] == MESSAGE_HELLO)
		return parse_v2(bytes, ret);
	if (bytes.n < 6 || (uint8_t)bytes.p[0] != RECORD_HANDSHAKE || bytes.p[1] != 3)
		return -EPROTO;
	r = (struct reader){ join_records(bytes, a), false };
	if (number(&r, 1) != MESSAGE_HELLO)
		return -EPROTO;
	length = number(&r, 3);
	ret->complete = !r.short_ && length <= r.rest.n;
	r.rest = span_sub(r.rest, 0, length);
	read_body(&r, a, ret);
	return 0;
}

uint16_t tls_hello_version(const struct tls_hello *h)
{
	uint16_t best = 0;

	if (!h->versions.p)
		return h->legacy_version;
	for (size_t i = 0; i < h->versions.n / 2; i++) {
		uint16_t v = tls_hello_u16(h->versions, i);

		if (v >= 0x0300 && v <= 0x0304 && v > best)
			best = v;
	}
	return best;
}
