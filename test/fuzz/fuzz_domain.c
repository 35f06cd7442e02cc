/* Domains: any bytes. What is refused has faults; what is accepted comes back from its export. */
#include "base/mem.h"
#include "domain/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void export(const struct domain_file *file, struct buf *out)
{
	for (unsigned i = 0; i < file->n; i++)
		domain_export(&file->v[i], out);
	must(buf_error(out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	_cleanup_(buf_done) struct buf first = BUF_INIT(64 << 20), second = BUF_INIT(64 << 20);
	struct domain_file file;
	struct conf_errors errors;

	arena_init(&a, 16384);
	if (domain_parse(span_make(data, size), "f", &a, &file, &errors) < 0) {
		must(errors.n > 0);
		return 0;
	}
	export(&file, &first);
	must(domain_parse(buf_span(&first), "f", &a, &file, &errors) == 0);
	export(&file, &second);
	must(span_eq(buf_span(&first), buf_span(&second)));
	return 0;
}
