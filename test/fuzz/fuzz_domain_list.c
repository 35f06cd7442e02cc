/* The flat "name address" list: any bytes. What is accepted are sound names and origins, no name
 * twice. */
#include "base/mem.h"
#include "domain/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct conf_errors errors;
	struct domain_list list;

	arena_init(&a, 16384);
	if (domain_list_parse(span_make(data, size), "f", &a, &list, &errors) < 0) {
		must(errors.n > 0);
		return 0;
	}
	for (unsigned i = 0; i < list.n; i++) {
		struct span name;

		must(domain_name_normalise(list.v[i].name, false, &a, &name) == 0);
		must(span_eq(name, list.v[i].name));
		must(list.v[i].origin.port > 0 && list.v[i].origin.host.n > 0);
		must(i == 0 || !span_eq(name, list.v[i - 1].name));
	}
	return 0;
}
