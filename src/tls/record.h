/*
 * TLS records, walked (RFC 8446 5.1; the same since SSL 3): type, version, length, payload. Pure.
 *
 * Messages of a handshake do not respect the borders of records: who looks for one joins the
 * payloads of those of type handshake.
 */
#pragma once
#include <errno.h>
#include <stdint.h>
#include "base/reader.h"

enum { TLS_RECORD_CCS = 20, TLS_RECORD_ALERT = 21, TLS_RECORD_HANDSHAKE = 22, TLS_RECORD_DATA = 23 };
#define TLS_RECORD_HEADER 5
/* Of a payload; with TLS 1.2 compression and encryption may add that much (RFC 5246 6.2.3). */
#define TLS_RECORD_MAX (16384 + 2048)

struct tls_record {
	uint8_t type; /* of those above */
	uint16_t version;
	size_t size;         /* of the whole record as announced, header included */
	struct span payload; /* borrowed; shorter than announced if the bytes end before it does */
	bool whole;
};
/* Takes the first record of *rest, which then begins behind it. 1; 0: fewer bytes than a header
 * are left; -EPROTO: what stands there is no record. */
static inline int tls_record_next(struct span *rest, struct tls_record *ret)
{
	struct reader r = reader_of(*rest);
	uint32_t length;

	if (rest->n < TLS_RECORD_HEADER)
		return 0;
	ret->type = (uint8_t)reader_number(&r, 1);
	ret->version = (uint16_t)reader_number(&r, 2);
	length = reader_number(&r, 2);
	if (ret->type < TLS_RECORD_CCS || ret->type > TLS_RECORD_DATA || ret->version >> 8 != 3 ||
		length > TLS_RECORD_MAX)
		return -EPROTO;
	ret->size = TLS_RECORD_HEADER + length;
	ret->payload = reader_take(&r, length);
	ret->whole = !r.error;
	*rest = r.rest;
	return 1;
}
