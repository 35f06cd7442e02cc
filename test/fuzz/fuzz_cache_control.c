/* Cache-Control: numbers stay in range, a second copy of the value never makes it laxer. */
#include "base/buf.h"
#include "base/mem.h"
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_cache_control once, twice;
	struct buf text;

	http_cache_control_parse(span_make(data, size), &once);
	must(once.max_age >= HTTP_SECONDS_NONE && once.min_fresh >= HTTP_SECONDS_NONE);
	must(!once.no_cache_fields.p || (once.no_cache && once.no_cache_fields.n));
	must(!once.private_fields.p || (once.is_private && once.private_fields.n));
	buf_init(&text, size * 2 + 2);
	buf_add(&text, data, size);
	buf_add_char(&text, ',');
	buf_add(&text, data, size);
	http_cache_control_parse(buf_span(&text), &twice);
	if (!memchr(data, '"', size)) {
		must(once.present == twice.present && once.max_age == twice.max_age);
		must(once.no_store == twice.no_store && once.s_maxage == twice.s_maxage);
	}
	buf_done(&text);
	return 0;
}
