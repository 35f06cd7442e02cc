/* A response's head, as the answer to GET and to HEAD: same verdict, no body for HEAD. */
#include "base/mem.h"
#include "http/h1_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span head = span_make(data, size);
	struct http_resp get, by_head;
	struct fault fault;
	struct arena arena;
	int r;

	arena_init(&arena, 1024);
	fault_clear(&fault);
	r = h1_parse_response(head, HTTP_GET, HTTP_FIELDS_MAX, &arena, &get, &fault);
	must((r == 0) == (fault.code == FAULT_NONE));
	must(h1_parse_response(head, HTTP_HEAD, HTTP_FIELDS_MAX, &arena, &by_head, NULL) == r);
	if (r == 0) {
		must(by_head.body == HTTP_BODY_NONE && get.status >= 100 && get.status <= 999);
		must(get.body != HTTP_BODY_UNTIL_CLOSE || !get.keep_alive);
		must(http_fields_count(&get.fields, HTTP_CONTENT_LENGTH) == get.has_length);
	}
	arena_done(&arena);
	return 0;
}
