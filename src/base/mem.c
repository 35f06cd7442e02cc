/*
 * Memory that cannot fail.
 *
 * The one place that calls malloc(). Running out ends the process with a line on stderr:
 * a half-built answer is worth less than a fresh worker, and code without failure paths
 * has no untested ones. Nothing here allocates on the way to abort().
 */
#include "base/mem.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(size_t count, size_t size)
{
	dprintf(STDERR_FILENO, "torhaus: out of memory (%zu * %zu bytes)\n", count, size);
	abort();
}

void *mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory(1, n);
	return p;
}

void *mem_zalloc(size_t count, size_t size)
{
	void *p = count && size ? calloc(count, size) : calloc(1, 1);

	if (!p)
		out_of_memory(count, size);
	return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		out_of_memory(count, size);
	p = realloc(p, n ? n : 1);
	if (!p)
		out_of_memory(count, size);
	return p;
}

void *mem_copy(const void *p, size_t count, size_t size)
{
	void *copy = mem_zalloc(count + 1, size);

	return count > 0 ? memcpy(copy, p, count * size) : copy;
}

char *mem_text(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

char *mem_textf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(1, strlen(fmt));
	return text;
}

void *mem_free(void *p)
{
	free(p);
	return NULL;
}

void mem_freep(void *pp)
{
	free(*(void **)pp);
}

_Noreturn void must_failed(const char *cond, const char *file, int line)
{
	dprintf(STDERR_FILENO, "torhaus: %s:%d: must hold: %s\n", file, line, cond);
	abort();
}
