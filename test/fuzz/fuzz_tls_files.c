/* What the worker unpacks: any bytes; what is accepted comes back from packing it. */
#include <errno.h>
#include "base/mem.h"
#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct tls_files *a, const struct tls_files *b)
{
	bool ok = a->n == b->n;

	for (unsigned i = 0; ok && i < a->n; i++)
		ok = strcmp(a->v[i].path, b->v[i].path) == 0 && a->v[i].changed_ns == b->v[i].changed_ns &&
			a->v[i].readable == b->v[i].readable && a->v[i].error == b->v[i].error &&
			span_eq(span_make(a->v[i].bytes, a->v[i].n), span_make(b->v[i].bytes, b->v[i].n));
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf packed = BUF_INIT(64 << 20);
	struct tls_files *files, *again;
	int r = tls_files_unpack(span_make(data, size), &files);

	must(r == 0 || r == -EINVAL);
	if (r < 0)
		return 0;
	tls_files_pack(files, &packed);
	must(tls_files_unpack(buf_span(&packed), &again) == 0);
	must(same(files, again));
	tls_files_free(files);
	tls_files_free(again);
	return 0;
}
