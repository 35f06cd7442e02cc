/* A file that `torhaus tls scan --json` is said to have printed: servers, and the ClientHellos that
 * they are supposed to send. */
#include "base/mem.h"
#include "survey/fleet.h"
#include "predict/predict.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size), line;
	struct arena a;
	struct fleet f;

	arena_init(&a, 4096);
	fleet_init(&f);
	while (span_cut(&rest, '\n', &line))
		fleet_add(&f, line);
	for (unsigned i = 0; i < f.n; i++) {
		uint8_t print[32];
		struct tls_hello parsed;
		struct span hello;

		must(f.v[i]->traits_n <= FLEET_TRAITS_MAX && f.v[i]->certs_n <= FLEET_CERTS_MAX);
		if (predict_from_server(f.v[i], &a, &hello, print))
			must(tls_hello_parse(hello, &a, &parsed) == 0 && parsed.suites.n > 0);
	}
	fleet_done(&f);
	arena_done(&a);
	return 0;
}
