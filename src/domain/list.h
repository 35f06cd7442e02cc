/*
 * The flat "name address" list that domain_import() takes, as read: no store, no domains yet.
 */
#pragma once
#include "domain/domain.h"

struct domain_list_line {
	struct span name; /* normalised, no wildcard */
	struct origin_spec origin;
	unsigned line;
	bool joined; /* "www.x" that is served with x */
};
struct domain_list {
	struct domain_list_line *v; /* in the order of the lines, no name twice */
	unsigned n, room;
};
/* 0, or -EINVAL with all faults. Memory from a; text may go. */
int domain_list_parse(struct span text, const char *file, struct arena *a, struct domain_list *ret,
	struct conf_errors *errors);
