/* Good as it is: nothing in it may be found. */
#pragma once
#include <stddef.h>

struct text_ops {
	void (*free)(void *p);

	void *(*malloc)(size_t n);
};

/* A group: one comment for both. */
void text_init(struct text_ops *ops) __attribute__((nonnull));
void text_done(struct text_ops *ops);

void text_print(const char *fmt, ...); /* beside it counts, too */

/* if (a) for (b) while (c) ? malloc() strcpy() */
static inline const char *text_name(void)
{
	return "strcpy(a, b); /* quoted */ // no comment";
}
/* This comment goes on beside its code until it has passed the hundredth column of its line, which is too wide. */
