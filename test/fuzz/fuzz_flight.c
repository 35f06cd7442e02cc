/* A server's first flight: never past the end, the same facts with more behind it, certificates
 * read by the prober. */
#include <errno.h>
#include "base/mem.h"
#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CERTS_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct wire_flight f, half;
	int r, r_half;

	arena_init(&a, 4096);
	r_half = wire_flight_read(span_make(data, size / 2), &a, &half);
	r = wire_flight_read(span_make(data, size), &a, &f);
	must(r == 0 || r == 1 || r == -EPROTO || r == -EMSGSIZE);
	must(r_half != 1 || (r == 1 && half.version == f.version && half.suite == f.suite) || size > WIRE_FLIGHT_MAX);
	must(f.chain_n <= WIRE_CHAIN_MAX && f.v2_suites.n % 3 == 0);
	must(size == 0 || wire_flight_need(span_make(data, size)) > 0);
	for (unsigned i = 0; i < f.chain_n && i < CERTS_MAX; i++) {
		const struct probe_cert *c =
			probe_cert_read(&f.chain[i], f.chain_n - i, SPAN("mx.example.net"), NULL, 1700000000, &a);

		must(!c || (c->names_n <= PROBE_NAMES_MAX && c->key && c->subject && c->issuer));
	}
	return 0;
}
