/* MTA-STS: a record, then a policy; what is accepted keeps its bounds. */
#include <errno.h>
#include "base/mem.h"
#include "survey/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct sts_policy p;
	const char *why;
	struct span id;
	int r = sts_record_parse(span_make(data, size), &id);

	arena_init(&a, 1024);
	must(r >= -EPROTO && r <= 1 && (r != 1 || (id.n > 0 && id.n <= STS_ID_MAX)));
	if (sts_policy_parse(span_make(data, size), &a, &p, &why) < 0)
		return 0;
	must(p.mx_n <= STS_MX_MAX && (p.mode == STS_NONE || p.mx_n > 0));
	for (unsigned i = 0; i < p.mx_n; i++)
		must(p.mx[i].n > 0 && sts_policy_covers(&p, p.mx[i]));
	return 0;
}
