/* Helpers that the tests of conf/ share. */
#pragma once
#include "../unit.h"
#include "sample.h"

static struct arena arena;
static struct conf_errors errors;
static struct sample sample;

static int conf_setup(void **state)
{
	arena_init(&arena, 4096);
	return 0;
}
static int conf_teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

static inline int parse(const char *text)
{
	/* A heap copy of exactly its size, gone at once: nothing may point into it. */
	size_t n = strlen(text);
	char *copy = memcpy(mem_alloc(n ? n : 1), text, n);
	int r;

	memset(&sample, 0xa5, sizeof(sample));
	r = conf_parse(span_make(copy, n), "t.conf", sample_keys, &sample, &arena, &errors);
	mem_free(copy);
	return r;
}

/* The faults as "line CODE key why|nearest|known|first" lines. */
static inline const char *faults(void)
{
	static char text[65536];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < errors.n; i++) {
		static const char *const names[] = { "key", "why", "nearest", "known", "first" };

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s %s",
			SPAN_ARG(fault_value(&errors.v[i], "line")),
			fault_code_text(errors.v[i].code) + strlen("SETTINGS-"));
		for (size_t k = 0; k < array_len(names); k++) {
			struct span value = fault_value(&errors.v[i], names[k]);

			if (value.n)
				n += (size_t)snprintf(text + n, sizeof(text) - n, " %.*s", SPAN_ARG(value));
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
	}
	return text;
}

/* Parsing text gives exactly these faults. */
#define assert_faults(text, want) \
	do { \
		assert_int_equal(parse(text), -EINVAL); \
		assert_string_equal(faults(), want); \
	} while (0)
static inline void assert_parses_at(const char *text, const char *file, int line)
{
	if (parse(text) == 0)
		return;
	print_error("%s", faults());
	_fail(file, line);
}
#define assert_parses(text) assert_parses_at((text), __FILE__, __LINE__)
