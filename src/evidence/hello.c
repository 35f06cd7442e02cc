/*
 * When are two ClientHellos the same? Not by their bytes: random, session id, key shares and
 * tickets are new in every one. By what the client offers: its versions, suites, groups, signature
 * algorithms, groups of key shares, ALPN and the name it asks for, all in its order. GREASE values
 * (RFC 8701), which are drawn anew each time, count as one.
 */
#include "evidence/hello.h"
#include <openssl/evp.h>
#include "base/mem.h"
#include "tls/hello.h"

#define OTHER_BYTES 64 /* that are kept of what is no hello */
_Static_assert(STORE_HELLO_BYTES == TLS_HELLO_MAX, "what explains a handshake is kept whole");

static unsigned u16(struct span s, size_t at)
{
	return (unsigned)(uint8_t)s.p[at] << 8 | (uint8_t)s.p[at + 1];
}

static void add_list(struct buf *out, struct span list)
{
	buf_addf(out, "%zu:", list.n);
	for (size_t i = 0; i + 1 < list.n; i += 2) {
		unsigned v = u16(list, i);
		bool grease = (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);

		buf_addf(out, "%x,", grease ? 0x0a0a : v);
	}
}

static void add_text(struct buf *out, struct span text)
{
	buf_addf(out, "%zu:", text.n);
	buf_add_span(out, text);
}

struct span evidence_hello_cut(struct span bytes, uint8_t ret_fingerprint[STORE_FINGERPRINT])
{
	_cleanup_(buf_done) struct buf offer = BUF_INIT(1 << 18);
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct tls_hello h = { 0 };
	struct arena a;

	arena_init(&a, 4096);
	if (tls_hello_parse(bytes, &a, &h) < 0) {
		bytes = span_sub(bytes, 0, OTHER_BYTES);
		buf_add_text(&offer, "no hello");
	} else {
		bytes = span_sub(bytes, 0, h.records_n);
		buf_addf(&offer, "%d %x %d ", h.v2, h.legacy_version, h.complete);
		if (h.v2) /* entries of three bytes */
			add_text(&offer, h.suites);
		else
			add_list(&offer, h.suites);
		add_list(&offer, h.versions);
		add_list(&offer, h.groups);
		add_list(&offer, h.signatures);
		add_list(&offer, h.shares);
		add_text(&offer, h.alpn);
		add_text(&offer, h.sni);
	}
	must(EVP_Digest(offer.p, offer.n, digest, NULL, EVP_sha256(), NULL) == 1);
	memcpy(ret_fingerprint, digest, STORE_FINGERPRINT);
	arena_done(&a);
	return bytes;
}
