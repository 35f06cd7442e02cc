/* Faults as JSON. */
#include "serve/report.h"
#include "base/mem.h"

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
		fault_json(j, NULL, &r->v[i]);
}
