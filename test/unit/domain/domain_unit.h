/* Arena, faults and texts that every test of domain/ has. */
#pragma once
#include "../unit.h"
#include "base/mem.h"
#include "domain/domain.h"

static struct arena arena;
static struct conf_errors errors;
static struct fault fault __attribute__((unused));

static inline int setup_arena(void **state)
{
	arena_init(&arena, 65536);
	return 0;
}

static inline int teardown_arena(void **state)
{
	arena_done(&arena);
	return 0;
}

/* All faults as "line CODE\n". */
static inline const char *error_codes(void)
{
	static char text[8192];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < errors.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s %s\n",
			SPAN_ARG(fault_value(&errors.v[i], "line")), fault_code_text(errors.v[i].code));
	return text;
}

static inline struct domain_file parse(const char *text)
{
	struct domain_file file = { 0 };

	if (domain_parse(span_of(text), "t", &arena, &file, &errors) < 0)
		fail_msg("%s", error_codes());
	return file;
}

static inline const char *exported(const struct domain_file *file)
{
	struct buf out = BUF_INIT(1 << 24);
	const char *text;

	for (unsigned i = 0; i < file->n; i++)
		domain_export(&file->v[i], &out);
	text = arena_text(&arena, buf_span(&out));
	buf_done(&out);
	return text;
}
