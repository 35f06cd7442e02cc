/*
 * What people write and what is written for them: units, times, JSON, evidence, log values.
 * Whatever is accepted reads back as the same; whatever is printed is one line of UTF-8.
 */
#include <jansson.h>
#include "base/clock.h"
#include "base/fault.h"
#include "base/fmt.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back_units(struct span s)
{
	char text[FMT_SIZE], time[CLOCK_RFC3339_SIZE];
	uint64_t v, again;
	int64_t at, at_again;

	if (fmt_parse_duration_ms(s, &v) == 0) {
		fmt_duration(v, text);
		must(fmt_parse_duration_ms(span_of(text), &again) == 0 && again == v);
	}
	if (fmt_parse_size(s, &v) == 0) {
		fmt_size(v, text);
		must(fmt_parse_size(span_of(text), &again) == 0 && again == v);
		fmt_size_rough(v, text);
	}
	if (clock_parse_rfc3339(s, &at) == 0 && at > 0 && at < 253402200000) {
		clock_rfc3339(at, time);
		must(clock_parse_rfc3339(span_of(time), &at_again) == 0 && at_again == at);
	}
}

static void must_be_one_line(struct span s)
{
	while (s.n > 0) {
		size_t n = span_utf8(s);

		must(n > 0 && (unsigned char)s.p[0] >= 0x20 && s.p[0] != 0x7f);
		s = span_from(s, n);
	}
}

static void print_json(struct span s)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct jsonw j;
	json_t *read;

	jsonw_init(&j, &out);
	jsonw_array(&j, NULL);
	jsonw_span(&j, NULL, s);
	jsonw_end(&j);
	if (buf_error(&out) < 0)
		return;
	read = json_loadb(out.p, out.n, JSON_ALLOW_NUL, NULL);
	must(read);
	json_decref(read);
}

static void print_fault(struct span s)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct span rest, line;
	struct fault f;

	fault_set(&f, fault_code_nearest(s));
	fault_fact(&f, "address", "%.*s", SPAN_ARG(s));
	fault_fact(&f, "why", "%.*s", SPAN_ARG(s));
	for (enum fault_lang lang = FAULT_EN; lang <= FAULT_DE; lang++) {
		buf_reset(&out);
		fault_print(&f, lang, &out);
		must(buf_error(&out) == 0);
		rest = buf_span(&out);
		for (int i = 0; i < 2; i++) {
			must(span_cut(&rest, '\n', &line));
			must_be_one_line(line);
		}
		must(rest.n == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_make(data, size), half = span_sub(s, 0, size / 2);

	read_back_units(s);
	print_json(s);
	print_fault(s);
	must_be_one_line(span_of(log_value(s)));
	must(fmt_distance(half, span_from(s, size / 2)) == fmt_distance(span_from(s, size / 2), half));
	return 0;
}
