/* Captures and lists of suites: what is found is a whole hello, and a list's hello is sound. */
#include <errno.h>
#include "base/mem.h"
#include "predict/predict.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_whole(struct span hello, struct arena *a)
{
	struct tls_hello h;

	must(tls_hello_parse(hello, a, &h) == 0 && h.complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct predict_client client;
	struct fault fault;
	int r;

	arena_init(&a, 1024);
	r = predict_from_capture(span_make(data, size), &a, &client, &fault);
	must(r == 0 || (r == -EINVAL && fault.code == FAULT_TLS_HELLO_NOT_FOUND));
	if (r == 0)
		must_be_whole(client.hello, &a);
	r = predict_from_suites(span_make(data, size), SPAN("mx.example.net"), &a, &client, &fault);
	must(r == 0 || (r == -EINVAL && fault.code == FAULT_TLS_SUITES_UNKNOWN));
	if (r == 0)
		must_be_whole(client.hello, &a);
	return 0;
}
