/* Names that another process left: nothing, or a map whose every answer lies within its bytes. */
#include "base/mem.h"
#include "names/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct zone *z, const struct dns_name *name)
{
	struct span bytes = zone_bytes(z);
	const uint8_t *first = (const uint8_t *)bytes.p, *behind = first + bytes.n;
	struct zone_found f;

	if (!zone_find(z, name, &f))
		return;
	must(f.v4 >= first && f.v6 >= f.v4 && f.v6 + 16 * f.v6_n < behind);
	must(f.apex->n > 0 && f.apex->p + f.apex->n <= behind && f.apex->p[f.apex->n - 1] == 0);
	for (unsigned i = 0; i < f.hosts_n; i++, f.hosts = zone_next_host(f.hosts))
		must(f.hosts->n > 0 && f.hosts->p + f.hosts->n <= behind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf image = BUF_INIT(1 << 20);
	struct zone *z;

	buf_add(&image, data, size);
	if (zone_new(&image, &z) == 0) {
		/* Whatever in it may be a name is one that is asked for. */
		for (size_t at = 0; at + 2 < size; at++) {
			struct dns_reader r;
			struct dns_name name;

			dns_reader_init(&r, span_make(data, size));
			r.at = at;
			dns_read_name(&r, &name);
			if (!r.error)
				check(z, &name);
		}
		must(zone_count(z) <= size);
		zone_unref(z);
	}
	buf_done(&image);
	return 0;
}
