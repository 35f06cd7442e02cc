/* The ClientHello: never past the end, every list inside what was read, the same again with more
 * behind it. */
#include <errno.h>
#include "base/mem.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte, for AddressSanitizer. */
static unsigned sum(struct span s)
{
	unsigned v = 0;

	for (size_t i = 0; i < s.n; i++)
		v += (uint8_t)s.p[i];
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct tls_hello h;
	int r;

	arena_init(&a, 1024);
	r = tls_hello_parse(span_make(data, size), &a, &h);
	must(r == 0 || r == -EPROTO);
	if (r < 0)
		return 0;
	sum(h.suites), sum(h.sni), sum(h.versions), sum(h.groups), sum(h.signatures), sum(h.shares), sum(h.alpn);
	must(h.suites.n % (h.v2 ? 3 : 2) == 0);
	must((h.versions.n | h.groups.n | h.signatures.n | h.shares.n) % 2 == 0);
	must(h.suites.n + h.sni.n + h.versions.n + h.groups.n + h.signatures.n + h.shares.n + h.alpn.n <= size);
	must(h.versions.p == NULL || tls_hello_version(&h) <= 0x0304);
	for (size_t i = 0; i < h.groups.n / 2; i++)
		tls_hello_u16(h.groups, i);
	return 0;
}
