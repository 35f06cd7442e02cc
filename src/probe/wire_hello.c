/*
 * The ClientHello, written by hand.
 *
 * Lengths stand before what they count: a place is left for each and filled in once its content is
 * written. Hellos of 256 to 511 bytes are padded to 512, since some load balancers of 2013 hang on
 * those (RFC 7685).
 */
#include "base/mem.h"
#include "probe/wire.h"

enum {
	EXT_NAME = 0,
	EXT_GROUPS = 10,
	EXT_POINTS = 11,
	EXT_SIGNATURES = 13,
	EXT_PADDING = 21,
	EXT_MASTER_SECRET = 23,
	EXT_VERSIONS = 43,
	EXT_PSK_MODES = 45,
	EXT_KEY_SHARE = 51,
	EXT_RENEGOTIATION = 0xff01,
};
#define SUITE_NO_RENEGOTIATION 0x00ff /* RFC 5746 3.3, where there are no extensions */
#define RECORD_HEADER          5
#define RANDOM_BYTES           32

static void put(struct buf *out, uint32_t v, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		buf_add_char(out, (char)(v >> 8 * i));
}

/* A place for a length; end() fills it in. */
static size_t begin(struct buf *out, unsigned bytes)
{
	put(out, 0, bytes);
	return out->n;
}

static void end(struct buf *out, size_t at, unsigned bytes)
{
	size_t n = out->n - at;

	must(!buf_error(out));
	for (unsigned i = 0; i < bytes; i++)
		out->p[at - 1 - i] = (char)(n >> 8 * i);
}

static void put_list(struct buf *out, struct wire_list list, unsigned length_bytes)
{
	size_t at = begin(out, length_bytes);

	must(list.n <= WIRE_LIST_MAX);
	for (unsigned i = 0; i < list.n; i++)
		put(out, list.v[i], 2);
	end(out, at, length_bytes);
}

static size_t begin_extension(struct buf *out, uint16_t type)
{
	put(out, type, 2);
	return begin(out, 2);
}

static void put_list_extension(struct buf *out, uint16_t type, struct wire_list list, unsigned length_bytes)
{
	size_t at = begin_extension(out, type);

	put_list(out, list, length_bytes);
	end(out, at, 2);
}

static void put_bytes_extension(struct buf *out, uint16_t type, struct span body)
{
	size_t at = begin_extension(out, type);

	buf_add_span(out, body);
	end(out, at, 2);
}

static void put_name(struct buf *out, struct span name)
{
	size_t at = begin_extension(out, EXT_NAME), list = begin(out, 2), host;

	put(out, 0, 1);
	host = begin(out, 2);
	buf_add_span(out, name);
	end(out, host, 2);
	end(out, list, 2);
	end(out, at, 2);
}

static void put_extensions(struct buf *out, const struct wire_hello *h)
{
	static const uint16_t all[] = { WIRE_TLS13, WIRE_TLS12, WIRE_TLS11, WIRE_TLS10 };
	const struct wire_list versions = { all, h->only ? 1 : array_len(all) };

	if (h->name.n)
		put_name(out, h->name);
	put_bytes_extension(out, EXT_RENEGOTIATION, SPAN("\0"));
	put_bytes_extension(out, EXT_MASTER_SECRET, SPAN(""));
	if (h->groups.v) {
		put_list_extension(out, EXT_GROUPS, h->groups, 2);
		put_bytes_extension(out, EXT_POINTS, SPAN("\1\0"));
	}
	if (h->signatures.v && h->version >= WIRE_TLS12)
		put_list_extension(out, EXT_SIGNATURES, h->signatures, 2);
	if (h->version < WIRE_TLS13)
		return;
	put_list_extension(out, EXT_VERSIONS, versions, 1);
	put_bytes_extension(out, EXT_PSK_MODES, SPAN("\1\1"));
	/* No share at all: the server has to ask for the group it wants. */
	put_bytes_extension(out, EXT_KEY_SHARE, SPAN("\0\0"));
}

static void pad(struct buf *out, size_t message_at)
{
	size_t n = out->n - message_at, at;

	if (n < 256 || n >= 512)
		return;
	at = begin_extension(out, EXT_PADDING);
	while (out->n - message_at < 512)
		put(out, 0, 1);
	end(out, at, 2);
}

static void write_v2(const uint8_t random[64], struct buf *out)
{
	static const uint32_t suites[] = { 0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0 };
	unsigned n = 3 * array_len(suites);

	put(out, 0x8000 | (9 + n + 16), 2);
	put(out, 1, 1); /* CLIENT-HELLO */
	put(out, WIRE_SSL2, 2);
	put(out, n, 2);
	put(out, 0, 2);
	put(out, 16, 2);
	for (unsigned i = 0; i < array_len(suites); i++)
		put(out, suites[i], 3);
	buf_add(out, random, 16);
}

void wire_hello_write(const struct wire_hello *h, const uint8_t random[64], struct buf *out)
{
	bool extensions = h->version > WIRE_SSL3, is13 = h->version >= WIRE_TLS13;
	size_t start = out->n, record, message, body, at;

	if (h->version == WIRE_SSL2) {
		write_v2(random, out);
		return;
	}
	put(out, 22, 1);
	put(out, h->version < WIRE_TLS10 ? WIRE_SSL3 : WIRE_TLS10, 2);
	record = begin(out, 2);
	message = out->n;
	put(out, 1, 1);
	body = begin(out, 3);
	put(out, is13 ? WIRE_TLS12 : h->version, 2);
	buf_add(out, random, RANDOM_BYTES);
	put(out, is13 ? RANDOM_BYTES : 0, 1);
	buf_add(out, random + RANDOM_BYTES, is13 ? RANDOM_BYTES : 0);
	at = begin(out, 2);
	for (unsigned i = 0; i < h->suites.n; i++)
		put(out, h->suites.v[i], 2);
	if (!extensions)
		put(out, SUITE_NO_RENEGOTIATION, 2);
	end(out, at, 2);
	put(out, 0x0100, 2); /* no compression */
	if (extensions) {
		at = begin(out, 2);
		put_extensions(out, h);
		pad(out, message);
		end(out, at, 2);
	}
	end(out, body, 3);
	end(out, record, 2);
	must(out->n - start <= WIRE_HELLO_MAX);
}

void wire_goodbye_write(uint16_t version, struct buf *out)
{
	uint16_t record = version < WIRE_TLS10 ? WIRE_SSL3 : version > WIRE_TLS12 ? WIRE_TLS12 : version;
	static const uint8_t alerts[] = { 90, 0 };

	for (unsigned i = 0; i < array_len(alerts); i++) {
		put(out, 21, 1);
		put(out, record, 2);
		put(out, 2, 2);
		put(out, 1, 1);
		put(out, alerts[i], 1);
	}
}
