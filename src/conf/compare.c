/* Two results of one schema, key by key: what a reload is about to change. */
#include "conf/conf_priv.h"
#include <stdio.h>
#include "base/mem.h"

static bool same_list(const struct conf_list *a, const struct conf_list *b)
{
	unsigned i = 0;

	while (i < a->n && i < b->n && span_eq(a->v[i], b->v[i]))
		i++;
	return i == a->n && i == b->n;
}

static bool same_value(enum conf_type type, const void *a, const void *b)
{
	switch (type) {
	case CONF_TEXT:
		return span_eq(*(const struct span *)a, *(const struct span *)b);
	case CONF_LIST:
		return same_list(a, b);
	case CONF_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case CONF_UINT:
	case CONF_DURATION:
	case CONF_SIZE:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case CONF_ENUM:
		return *(const unsigned *)a == *(const unsigned *)b;
	case CONF_SECTION:
	case CONF_TITLED:
		break;
	}
	must(!"sections have no value");
	return false;
}

struct comparison {
	conf_differs_fn *fn;
	void *arg;
};

static void compare_keys(const struct comparison *c, const struct conf_key *keys, const char *outer, const char *one,
	const char *other)
{
	char path[CONF_PATH_MAX];

	for (; keys->name; keys++) {
		const char *a = one + keys->at, *b = other + keys->at;

		snprintf(path, sizeof(path), "%s%s%s", outer, *outer ? "." : "", keys->name);
		if (keys->type == CONF_SECTION)
			compare_keys(c, keys->inner, path, a, b);
		else if (keys->type != CONF_TITLED && !same_value(keys->type, a, b))
			c->fn(c->arg, path, keys);
	}
}

void conf_compare(const struct conf_key *keys, const void *one, const void *other, conf_differs_fn *fn, void *arg)
{
	compare_keys(&(struct comparison){ fn, arg }, keys, "", one, other);
}
