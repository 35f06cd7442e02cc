/* What is kept of a peer's first bytes: a beginning of them, from which the same fingerprint comes
 * again. */
#include "base/mem.h"
#include "evidence/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t one[STORE_FINGERPRINT], other[STORE_FINGERPRINT];
	struct span all = span_make(data, size), cut = evidence_hello_cut(all, one), again;

	must(cut.n <= size && cut.n <= STORE_HELLO_BYTES && (cut.n == 0 || cut.p == all.p));
	/* What is longer than what is kept may lose its end, and then offers less. */
	if (size > STORE_HELLO_BYTES)
		return 0;
	again = evidence_hello_cut(cut, other);
	must(again.n == cut.n && memcmp(one, other, sizeof(one)) == 0);
	return 0;
}
