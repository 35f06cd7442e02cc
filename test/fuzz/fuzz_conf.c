/*
 * Settings: any bytes. What is refused has faults in the order of its lines; what is accepted
 * comes back from its quoted form.
 */
#include "../unit/conf/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct conf_errors *errors)
{
	uint64_t last = 1, line;

	must(errors->n > 0);
	for (unsigned i = 0; i < errors->n; i++, last = line) {
		must(span_to_u64(fault_value(&errors->v[i], "line"), &line) == 0);
		must(line >= last);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 24);
	struct sample first, again;
	struct conf_errors errors;

	arena_init(&a, 4096);
	if (conf_parse(span_make(data, size), "f", sample_keys, &first, &a, &errors) < 0) {
		check_order(&errors);
		return 0;
	}
	buf_add_text(&text, "user = ");
	conf_quote(&text, first.user);
	must(conf_parse(buf_span(&text), "f", sample_keys, &again, &a, &errors) == 0);
	must(span_eq(first.user, again.user));
	return 0;
}
