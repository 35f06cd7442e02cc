/* Settings of the process: any bytes; what is accepted equals itself and can be handed over. */
#include "base/mem.h"
#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a;
	struct conf_errors errors;
	struct web_settings web;
	struct settings *s;

	arena_init(&a, 4096);
	s = settings_parse(span_make(data, size), "f", &a, &errors);
	must((s == NULL) == (errors.n > 0));
	if (!s)
		return 0;
	settings_for_web(s, &web);
	must(web.proxy_from_n == 0 || web.proxy_from != NULL);
	must(settings_compare(s, s, NULL) == SETTINGS_SAME);
	settings_unref(s);
	return 0;
}
