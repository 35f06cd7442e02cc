/* Values of fields: lists, entity tags, ranges, dates; trailers. */
#include "base/mem.h"
#include "http/h1_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(struct span value)
{
	struct http_range ranges[HTTP_RANGES_MAX];
	int n = http_range_parse(value, 1000, ranges);

	must(n <= HTTP_RANGES_MAX);
	for (int i = 0; i < n; i++) {
		must(ranges[i].first <= ranges[i].last && ranges[i].last < 1000);
		for (int j = 0; j < i; j++)
			must(ranges[i].first > ranges[j].last + 1 || ranges[j].first > ranges[i].last + 1);
	}
}

static void check_date(struct span value)
{
	char text[HTTP_DATE_SIZE];
	int64_t first, second;

	if (http_date_parse(value, 1704067200, &first) < 0)
		return;
	http_date_format(first, text);
	must(http_date_parse(span_of(text), 1704067200, &second) == 0 && first == second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = span_make(data, size), rest = value, element;
	struct http_fields fields;
	struct arena arena;

	while (http_list_next(&rest, &element)) {
		must(element.n > 0);
		http_field_id_of(element);
		http_etag_in(value, element, true);
	}
	check_ranges(value);
	check_date(value);
	arena_init(&arena, 1024);
	if (h1_parse_trailers(value, &arena, &fields) == 0)
		http_fields_strip_hop(&fields);
	arena_done(&arena);
	return 0;
}
