/* What every unit test includes: cmocka with the headers that it needs, and span's friends. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/span.h"

static inline void assert_span_at(struct span s, const char *want, const char *file, int line)
{
	if (span_eq(s, span_of(want)))
		return;
	print_error("\"%.*s\" is not \"%s\"\n", SPAN_ARG(s), want);
	_fail(file, line);
}
/* The span holds exactly this text; both are printed if not. */
#define assert_span(s, want) assert_span_at((s), (want), __FILE__, __LINE__)
