/* Faults as text: any bytes. What is accepted comes back from its own text. */
#include "base/fault.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf first = BUF_INIT(1 << 16), second = BUF_INIT(1 << 16);
	_cleanup_(arena_done) struct arena a;
	struct fault f;

	arena_init(&a, 1024);
	if (size > 8192 || fault_unpack(span_make(data, size), &a, &f) < 0)
		return 0;
	fault_pack(&f, &first);
	must(fault_unpack(buf_span(&first), &a, &f) == 0);
	fault_pack(&f, &second);
	must(buf_error(&first) == 0 && span_eq(buf_span(&first), buf_span(&second)));
	return 0;
}
