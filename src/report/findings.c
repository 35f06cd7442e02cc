/* Findings as a list: each once. */
#include "report/findings.h"
#include "base/mem.h"
#include "settings/settings.h"

void findings_init(struct findings *f)
{
	*f = (struct findings){ .faults = json_array() };
	map_init(&f->known);
	arena_init(&f->arena, 4096);
}

void findings_done(struct findings *f)
{
	json_decref(f->faults);
	f->faults = NULL;
	map_done(&f->known);
	arena_done(&f->arena);
}

void findings_add_json(struct findings *f, json_t *fault)
{
	const char *code = json_string_value(json_object_get(fault, "code"));
	_cleanup_(mem_freep) char *facts = json_dumps(json_object_get(fault, "facts"), JSON_COMPACT | JSON_SORT_KEYS);
	_cleanup_(mem_freep) char *key = mem_textf("%s %s", code ? code : "", facts ? facts : "");

	if (map_find(&f->known, span_of(key)))
		return;
	map_put(&f->known, arena_span(&f->arena, span_of(key)), f);
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
