/* The ClientHello reader; the essay is in tls/hello.h. */
#include <errno.h>
#include "base/reader.h"
#include "tls/hello.h"
#include "tls/record.h"

#define MESSAGE_HELLO  1
#define MESSAGE_HEADER 4

enum { EXT_SNI = 0, EXT_GROUPS = 10, EXT_SIGNATURES = 13, EXT_ALPN = 16, EXT_VERSIONS = 43, EXT_KEY_SHARE = 51 };

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

struct span tls_hello_sni(struct span body)
{
	struct reader r = reader_of(body);
	struct reader names = reader_of(reader_vector(&r, 2));

	while (names.rest.n > 0) {
		uint32_t type = reader_number(&names, 1);
		struct span name = reader_vector(&names, 2);

		if (type == 0)
			return name;
	}
	return (struct span){ 0 };
}

static struct span read_shares(struct span body, struct arena *a)
{
	struct reader r = reader_of(body);
	struct reader shares = reader_of(reader_vector(&r, 2));
	char *groups = arena_alloc(a, shares.rest.n + 1);
	size_t n = 0;

	while (shares.rest.n > 4) {
		struct span group = reader_take(&shares, 2);

		reader_vector(&shares, 2);
		memcpy(groups + n, group.p, 2);
		n += 2;
	}
	return span_make(groups, n);
}

static void read_extension(uint32_t type, struct span body, struct arena *a, struct tls_hello *h)
{
	struct reader r = reader_of(body);

	switch (type) {
	case EXT_SNI:
		h->sni = tls_hello_sni(body);
		break;
	case EXT_GROUPS:
		h->groups = pairs_of(reader_vector(&r, 2));
		break;
	case EXT_SIGNATURES:
		h->signatures = pairs_of(reader_vector(&r, 2));
		break;
	case EXT_ALPN:
		h->alpn = reader_vector(&r, 2);
		break;
	case EXT_VERSIONS:
		h->versions = pairs_of(reader_vector(&r, 1));
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

	h->legacy_version = (uint16_t)reader_number(r, 2);
	reader_take(r, 32);  /* random */
	reader_vector(r, 1); /* session id */
	h->suites = pairs_of(reader_vector(r, 2));
	reader_vector(r, 1); /* compression methods */
	if (r->rest.n == 0)
		return;
	extensions = reader_of(reader_vector(r, 2));
	while (extensions.rest.n > 0) {
		uint32_t type = reader_number(&extensions, 2);

		read_extension(type, reader_vector(&extensions, 2), a, h);
	}
}

/* ---- the way to the body ---- */

/* The length of the message that begins there, with its header, or of the header alone. */
static size_t message_size(struct span joined)
{
	struct reader r = reader_of(joined);

	reader_take(&r, 1);
	return MESSAGE_HEADER + reader_number(&r, 3);
}

/* The payloads of the records that the first message is in, joined. What the last one lacks is
 * simply not there. */
static struct span join_records(struct span bytes, struct arena *a, size_t *ret_records_n)
{
	char *joined = arena_alloc(a, bytes.n + 1);
	struct span rest = bytes;
	struct tls_record record;
	size_t n = 0, size = MESSAGE_HEADER;

	while (n < size && rest.n > 0 && (uint8_t)rest.p[0] == TLS_RECORD_HANDSHAKE &&
		tls_record_next(&rest, &record) == 1) {
		memcpy(joined + n, record.payload.p, record.payload.n);
		n += record.payload.n;
		size = message_size(span_make(joined, n));
	}
	*ret_records_n = n < size ? bytes.n + (size - n) : bytes.n - rest.n;
	return span_make(joined, n);
}

static int parse_v2(struct span bytes, struct tls_hello *h)
{
	struct reader r = reader_of(bytes);
	uint32_t length = reader_number(&r, 2) & 0x7fff, suites_n, id_n, challenge_n;

	reader_take(&r, 1); /* CLIENT-HELLO, seen by the caller */
	h->v2 = true;
	h->legacy_version = (uint16_t)reader_number(&r, 2);
	suites_n = reader_number(&r, 2);
	id_n = reader_number(&r, 2);
	challenge_n = reader_number(&r, 2);
	if (suites_n % 3 != 0 || length != 9 + suites_n + id_n + challenge_n)
		return -EPROTO;
	h->suites = reader_take(&r, suites_n);
	h->suites.n -= h->suites.n % 3;
	reader_take(&r, id_n + challenge_n);
	h->complete = !r.error;
	h->records_n = 2 + length;
	return 0;
}

int tls_hello_parse(struct span bytes, struct arena *a, struct tls_hello *ret)
{
	struct reader r;
	uint32_t length;

	*ret = (struct tls_hello){ 0 };
	bytes = span_sub(bytes, 0, TLS_HELLO_MAX);
	if (bytes.n >= 11 && ((uint8_t)bytes.p[0] & 0x80) && bytes.p[2] == MESSAGE_HELLO)
		return parse_v2(bytes, ret);
	if (bytes.n < 6 || (uint8_t)bytes.p[0] != TLS_RECORD_HANDSHAKE || bytes.p[1] != 3)
		return -EPROTO;
	r = reader_of(join_records(bytes, a, &ret->records_n));
	if (reader_number(&r, 1) != MESSAGE_HELLO)
		return -EPROTO;
	length = reader_number(&r, 3);
	ret->complete = !r.error && length <= r.rest.n;
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
