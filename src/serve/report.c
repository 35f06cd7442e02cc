/* Faults as JSON. */
#include "serve/report.h"
#include "base/mem.h"

typedef void sentence_fn(const struct fault *f, enum fault_lang lang, struct buf *out);

static void sentence(struct jsonw *j, const char *key, sentence_fn *fn, const struct fault *f, enum fault_lang lang)
{
	struct buf text = BUF_INIT(4096);

	fn(f, lang, &text);
	jsonw_span(j, key, buf_span(&text));
	buf_done(&text);
}

void report_fault_json(struct jsonw *j, const char *key, const struct fault *f)
{
	jsonw_object(j, key);
	jsonw_text(j, "code", fault_code_text(f->code));
	sentence(j, "cause", fault_cause, f, FAULT_EN);
	sentence(j, "remedy", fault_remedy, f, FAULT_EN);
	sentence(j, "cause_de", fault_cause, f, FAULT_DE);
	sentence(j, "remedy_de", fault_remedy, f, FAULT_DE);
	jsonw_object(j, "facts");
	for (unsigned i = 0; i < f->facts; i++)
		jsonw_span(j, f->fact[i].name, fault_value(f, f->fact[i].name));
	jsonw_end(j);
	jsonw_end(j);
}

void report_add(struct report *r, const struct fault *f)
{
	if (r->n == REPORT_FAULTS_MAX) {
		r->more++;
		return;
	}
	r->v = mem_resize(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = *f;
}

void report_clear(struct report *r)
{
	r->n = r->more = 0;
}

void report_done(struct report *r)
{
	r->v = mem_free(r->v);
	r->n = r->more = 0;
}

void report_values(struct jsonw *j, const struct report *r)
{
	for (unsigned i = 0; i < r->n; i++)
		report_fault_json(j, NULL, &r->v[i]);
}
