/* Findings as a list: each once. */
#include "report/findings.h"
#include "base/mem.h"
#include "settings/settings.h"

void findings_init(struct findings *f)
{
	*f = (struct findings){ .faults = json_array() };
}

void findings_done(struct findings *f)
{
	json_decref(f->faults);
	f->faults = NULL;
}

static bool is_same(json_t *a, json_t *b)
{
	return json_equal(json_object_get(a, "code"), json_object_get(b, "code")) &&
		json_equal(json_object_get(a, "facts"), json_object_get(b, "facts"));
}

void findings_add_json(struct findings *f, json_t *fault)
{
	json_t *known;
	size_t i;

	json_array_foreach(f->faults, i, known)
	{
		if (is_same(known, fault))
			return;
	}
	json_array_append(f->faults, fault);
}

void findings_add(struct findings *f, const struct fault *fault)
{
	struct buf text = BUF_INIT(1 << 16);
	struct jsonw j;
	json_t *json;

	jsonw_init(&j, &text);
	fault_json(&j, NULL, fault);
	json = json_loadb(text.p, text.n, 0, NULL);
	must(json);
	findings_add_json(f, json);
	json_decref(json);
	buf_done(&text);
}

struct settings *findings_settings(struct findings *f, const char *path)
{
	struct conf_errors errors = { 0 };
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(path, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		findings_add(f, &errors.v[i]);
	arena_done(&a);
	f->settings_faulty = !s;
	return s;
}
