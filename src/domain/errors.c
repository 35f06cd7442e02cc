/* Faults of a text beside those that conf_parse() finds. */
#include "base/mem.h"
#include "domain/domain_priv.h"

struct fault *errors_add(struct conf_errors *errors, struct arena *a, enum fault_code code)
{
	if (errors->n == CONF_ERRORS_MAX)
		return NULL;
	if (errors->n == 0)
		errors->v = arena_array(a, struct fault, CONF_ERRORS_MAX);
	fault_set(&errors->v[errors->n], code);
	return &errors->v[errors->n++];
}

void errors_why(struct fault *f, const char *why)
{
	struct span rest = span_of(why), english = { 0 };

	span_cut(&rest, '|', &english);
	fault_fact(f, "why", "%.*s", SPAN_ARG(english));
	fault_fact(f, "why_de", "%.*s", SPAN_ARG(rest.p ? rest : english));
}

static uint64_t line_of(const struct fault *f)
{
	uint64_t line = 0;

	span_to_u64(fault_value(f, "line"), &line);
	return line;
}

void errors_sort(struct conf_errors *errors)
{
	for (unsigned i = 1; i < errors->n; i++) {
		struct fault f = errors->v[i];
		unsigned at = i;

		for (; at > 0 && line_of(&errors->v[at - 1]) > line_of(&f); at--)
			errors->v[at] = errors->v[at - 1];
		errors->v[at] = f;
	}
}

void domain_bad_row(struct fault *f, struct span name, const struct fault *why)
{
	_cleanup_(buf_done) struct buf en = BUF_INIT(FAULT_TEXT_MAX), de = BUF_INIT(FAULT_TEXT_MAX);

	fault_cause(why, FAULT_EN, &en);
	fault_cause(why, FAULT_DE, &de);
	fault_set(f, FAULT_STORE_BAD_ROW);
	fault_fact(f, "domain", "%.*s", SPAN_ARG(name));
	fault_fact(f, "why", "%s", buf_text(&en));
	fault_fact(f, "why_de", "%s", buf_text(&de));
}
