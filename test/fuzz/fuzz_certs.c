/* Certificate files: any bytes. A set comes out whatever they are; its pairs have a name and are
 * found by it. */
#include "base/mem.h"
#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_fault(void *arg, const struct fault *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	must(f->code != FAULT_NONE);
	fault_print(f, FAULT_DE, &text);
	++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 60 };
	char *bytes = memcpy(mem_alloc(size + 1), data, size);
	/* The staple is the same bytes: the reader of OCSP responses gets its share. */
	struct tls_file file[2] = { { .path = "a.pem", .bytes = bytes, .n = size, .readable = true },
		{ .path = "a.ocsp", .bytes = bytes, .n = size, .readable = true } };
	struct tls_files files = { file, 2 };
	const struct tls_pair *found[TLS_KEY_TYPES_MAX];
	unsigned faults = 0;
	struct tls_set *set = tls_set_build(&files, &settings, NULL, on_fault, &faults);

	must(tls_set_count(set) > 0 || faults > 0);
	for (unsigned i = 0; i < tls_set_count(set); i++) {
		const struct tls_pair *p = tls_set_pair(set, i);

		must(p->names_n > 0 && p->type != TLS_KEY_OTHER);
		must(tls_set_pairs_for(set, p->names[0], found, TLS_KEY_TYPES_MAX) > 0);
	}
	tls_set_unref(set);
	mem_free(bytes);
	return 0;
}
