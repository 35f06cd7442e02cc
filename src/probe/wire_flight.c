/*
 * A server's first flight, read.
 *
 * Everything here comes from a stranger. Whole records only are looked at; the payloads of those of
 * type handshake are joined, since messages do not respect records' borders, and read one by one. A
 * reader with a sticky error makes each message all or nothing: one that ends too early in itself
 * is malformed, one whose end has not come is waited for. Nothing is read twice with different
 * results: the same bytes with more behind them give the same facts and more.
 */
#include <errno.h>
#include "base/reader.h"
#include "probe/wire.h"
#include "tls/names.h"
#include "tls/record.h"

enum {
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_TICKET = 4,
	MESSAGE_CERTIFICATE = 11,
	MESSAGE_KEY_EXCHANGE = 12,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_DONE = 14,
	MESSAGE_STATUS = 22,
};
enum { EXT_MASTER_SECRET = 23, EXT_VERSIONS = 43, EXT_KEY_SHARE = 51, EXT_RENEGOTIATION = 0xff01 };
#define ALERT_CLOSE_NOTIFY 0
#define CURVE_NAMED        3

/* ---- ServerHello ---- */

/* SHA-256 of "HelloRetryRequest" (RFC 8446 4.1.3). */
static bool is_retry(struct span random)
{
	return span_eq(random,
		SPAN("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
		     "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"));
}

static void read_extension(uint32_t type, struct span body, struct wire_flight *f)
{
	struct reader r = reader_of(body);

	if (type == EXT_VERSIONS)
		f->version = (uint16_t)reader_number(&r, 2);
	else if (type == EXT_KEY_SHARE)
		f->group = (uint16_t)reader_number(&r, 2);
	else if (type == EXT_MASTER_SECRET)
		f->extended_master_secret = true;
	else if (type == EXT_RENEGOTIATION)
		f->secure_renegotiation = true;
}

static bool read_hello_body(struct reader *r, struct wire_flight *f)
{
	struct reader extensions;

	f->version = (uint16_t)reader_number(r, 2);
	f->retry = is_retry(reader_take(r, 32));
	reader_vector(r, 1); /* session id */
	f->suite = (uint16_t)reader_number(r, 2);
	f->compression = reader_number(r, 1) != 0;
	if (r->error)
		return false;
	extensions = reader_of(r->rest.n ? reader_vector(r, 2) : SPAN(""));
	while (extensions.rest.n > 0 && !extensions.error) {
		uint32_t type = reader_number(&extensions, 2);

		read_extension(type, reader_vector(&extensions, 2), f);
	}
	return !r->error && !extensions.error && r->rest.n == 0 && f->version >= WIRE_SSL3 && f->version <= WIRE_TLS13;
}

/* All or nothing: a version that stands in half a hello was not chosen. */
static int read_hello(struct reader r, struct wire_flight *f)
{
	if (f->version)
		return -EPROTO;
	if (!read_hello_body(&r, f)) {
		f->version = 0;
		return -EPROTO;
	}
	f->whole = f->version == WIRE_TLS13;
	return f->whole;
}

/* ---- the other messages of TLS 1.2 and below ---- */

static int read_certificates(struct reader r, struct wire_flight *f)
{
	struct reader list = reader_of(reader_vector(&r, 3));

	f->chain_bytes = list.rest.n;
	f->chain_n = 0;
	while (list.rest.n > 0 && !list.error) {
		struct span der = reader_vector(&list, 3);

		if (f->chain_n < WIRE_CHAIN_MAX)
			f->chain[f->chain_n++] = der;
	}
	return r.error || list.error || r.rest.n ? -EPROTO : 0;
}

static unsigned bits_of(struct span number)
{
	while (number.n && number.p[0] == 0)
		number = span_from(number, 1);
	if (number.n == 0)
		return 0;
	return (unsigned)(8 * (number.n - 1)) + (32 - (unsigned)__builtin_clz((uint8_t)number.p[0]));
}

/* RFC 8422 5.4. An explicit curve has no number; what is behind it is not looked at. */
static bool read_ecdhe(struct reader *r, struct wire_flight *f)
{
	if (reader_number(r, 1) != CURVE_NAMED)
		return false;
	f->group = (uint16_t)reader_number(r, 2);
	reader_vector(r, 1); /* its share */
	return true;
}

static bool read_dhe(struct reader *r, struct wire_flight *f)
{
	f->dh_bits = bits_of(reader_vector(r, 2));
	reader_vector(r, 2); /* generator */
	reader_vector(r, 2); /* its share */
	return true;
}

static int read_exchange(struct reader r, struct wire_flight *f)
{
	enum tls_suite_exchange exchange = tls_suite_get(f->suite).exchange;
	bool known = false;

	f->has_exchange = true;
	if (exchange == TLS_EXCHANGE_ECDHE)
		known = read_ecdhe(&r, f);
	else if (exchange == TLS_EXCHANGE_DHE)
		known = read_dhe(&r, f);
	if (known && f->version == WIRE_TLS12 && r.rest.n > 0) /* anonymous ones are not signed */
		f->signature = (uint16_t)reader_number(&r, 2);
	return r.error ? -EPROTO : 0;
}

/* 1: that was the last. */
static int read_message(uint32_t type, struct span body, struct wire_flight *f)
{
	if (type == MESSAGE_SERVER_HELLO)
		return read_hello(reader_of(body), f);
	if (!f->version)
		return -EPROTO;
	switch (type) {
	case MESSAGE_CERTIFICATE:
		return read_certificates(reader_of(body), f);
	case MESSAGE_KEY_EXCHANGE:
		return read_exchange(reader_of(body), f);
	case MESSAGE_CERTIFICATE_REQUEST:
		f->wants_client_cert = true;
		return 0;
	case MESSAGE_DONE:
		f->whole = true;
		return 1;
	case MESSAGE_TICKET:
	case MESSAGE_STATUS:
		return 0;
	default:
		return -EPROTO;
	}
}

static int read_messages(struct span joined, struct wire_flight *f)
{
	struct reader r = reader_of(joined);

	for (;;) {
		uint32_t type = reader_number(&r, 1);
		struct span body = reader_vector(&r, 3);
		int done;

		if (r.error)
			return 0;
		done = read_message(type, body, f);
		if (done)
			return done;
	}
}

/* ---- records ---- */

size_t wire_flight_need(struct span bytes)
{
	struct span rest = bytes;
	struct tls_record record;

	for (;;) {
		size_t at = bytes.n - rest.n;

		if (rest.n == 0 && at > 0)
			return at;
		switch (tls_record_next(&rest, &record)) {
		case 0:
			return at + TLS_RECORD_HEADER;
		case 1:
			if (!record.whole)
				return at + record.size;
			break;
		default:
			return bytes.n;
		}
	}
}

/* 1: nothing comes behind it. */
static int read_alert(struct span payload, struct wire_flight *f)
{
	if (payload.n != 2)
		return -EPROTO;
	f->alert_level = (uint8_t)payload.p[0];
	f->alert = (uint8_t)payload.p[1];
	return f->alert_level != 1 || f->alert == ALERT_CLOSE_NOTIFY;
}

static int read_records(struct span bytes, struct arena *a, struct wire_flight *f)
{
	char *joined = arena_alloc(a, bytes.n + 1);
	struct tls_record record;
	size_t n = 0;
	int ended = 0, r;

	while (ended == 0 && (r = tls_record_next(&bytes, &record)) != 0) {
		if (r < 0 || record.version > WIRE_TLS13)
			ended = -EPROTO;
		else if (!record.whole)
			break;
		else if (record.type == TLS_RECORD_ALERT)
			ended = read_alert(record.payload, f);
		else if (record.type != TLS_RECORD_HANDSHAKE)
			ended = 1; /* encrypted from here on */
		else {
			memcpy(joined + n, record.payload.p, record.payload.n);
			n += record.payload.n;
		}
	}
	/* A flight that is whole counts, whatever stands behind it. */
	r = read_messages(span_make(joined, n), f);
	if (r == 0 && ended < 0)
		return ended;
	/* A hello must have come before anything is encrypted. */
	if (r == 0 && ended && f->alert == WIRE_NO_ALERT)
		return f->version ? 1 : -EPROTO;
	return r ? r : ended;
}

/* ---- SSL 2 ---- */

/* SERVER-HELLO: session id hit, certificate type, version, three lengths, then certificate, suites,
 * connection id. */
static int read_v2(struct span bytes, struct arena *a, struct wire_flight *f)
{
	struct reader r = reader_of(bytes);
	size_t length = reader_number(&r, 2) & 0x7fff, cert_n, suites_n, id_n;

	if (bytes.n < 2 + length)
		return 0;
	r.rest = span_sub(r.rest, 0, length);
	if (reader_number(&r, 1) != 4)
		return -EPROTO;
	reader_number(&r, 2);
	if (reader_number(&r, 2) != WIRE_SSL2)
		return -EPROTO;
	cert_n = reader_number(&r, 2);
	suites_n = reader_number(&r, 2);
	id_n = reader_number(&r, 2);
	if (r.error || suites_n % 3 || r.rest.n != cert_n + suites_n + id_n)
		return -EPROTO;
	f->version = WIRE_SSL2;
	f->whole = true;
	f->chain_n = cert_n > 0;
	f->chain_bytes = cert_n;
	f->chain[0] = arena_span(a, reader_take(&r, cert_n));
	f->v2_suites = arena_span(a, reader_take(&r, suites_n));
	return 1;
}

int wire_flight_read(struct span bytes, struct arena *a, struct wire_flight *ret)
{
	*ret = (struct wire_flight){ .alert = WIRE_NO_ALERT };
	if (bytes.n > WIRE_FLIGHT_MAX)
		return -EMSGSIZE;
	if (bytes.n >= 3 && ((uint8_t)bytes.p[0] & 0x80) && bytes.p[2] == 4)
		return read_v2(bytes, a, ret);
	return read_records(bytes, a, ret);
}
