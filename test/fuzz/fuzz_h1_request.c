/* A request's head: its end is the same however the bytes arrive, and what is accepted is clean. */
#include "base/mem.h"
#include "http/h1_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	size_t whole = 0, scanned = 0;
	int want = h1_head_length(bytes, &whole), got = 0;
	struct fault fault;
	struct h1_terms terms;
	struct http_req req;
	struct arena arena;

	for (size_t n = 0; n <= size && !got; n++)
		got = h1_head_length(span_sub(bytes, 0, n), &scanned);
	must(got == want);
	arena_init(&arena, 1024);
	fault_clear(&fault);
	/* Also heads that a connection would not pass on must be survived. */
	if (h1_parse_request(want > 0 ? span_sub(bytes, 0, (size_t)want) : bytes, false, &arena, &req, &terms,
		    &fault) == 0) {
		must((req.host.n || span_eq(req.version, SPAN("1.0"))) && req.path.n && req.target.n &&
			fault.code == FAULT_NONE);
		must(!http_fields_find(&req.fields, HTTP_HOST));
		for (unsigned i = 0; i < req.fields.n; i++) {
			must(http_is_token(req.fields.v[i].name));
			must(span_index(req.fields.v[i].value, '\r') < 0);
			must(span_index(req.fields.v[i].value, '\n') < 0);
			must(span_index(req.fields.v[i].value, '\0') < 0);
		}
		http_fields_strip_hop(&req.fields);
	} else {
		must(fault.code != FAULT_NONE);
	}
	arena_done(&arena);
	return 0;
}
