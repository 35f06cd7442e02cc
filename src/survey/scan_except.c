/* Lists of those who are not to be asked. See survey/scan_except.h. */
#include "survey/scan_except.h"
#include <errno.h>
#include "base/mem.h"
#include "survey/scan_priv.h"

void scan_except_init(struct scan_except *e)
{
	*e = (struct scan_except){ 0 };
	arena_init(&e->arena, 1 << 12);
	map_init(&e->names);
}

void scan_except_done(struct scan_except *e)
{
	e->networks = mem_free(e->networks);
	e->networks_n = 0;
	map_done(&e->names);
	arena_done(&e->arena);
}

static struct span without_dot(struct span name)
{
	return name.n > 1 && name.p[name.n - 1] == '.' ? span_sub(name, 0, name.n - 1) : name;
}

int scan_except_add(struct scan_except *e, struct span entry)
{
	struct net_prefix network;
	struct span name = without_dot(entry);

	if (e->names.count + e->networks_n >= SCAN_EXCEPT_MAX)
		return -E2BIG;
	if (net_prefix_parse(entry, &network) == 0) {
		e->networks = scan_grown(e->networks, e->networks_n, sizeof(*e->networks));
		e->networks[e->networks_n++] = network;
		return 0;
	}
	if (!scan_is_host(name))
		return -EINVAL;
	name = scan_lower(&e->arena, name);
	map_put(&e->names, name, e);
	return 0;
}

bool scan_except_name(const struct scan_except *e, struct span name)
{
	for (name = without_dot(name); name.n > 0;) {
		ptrdiff_t dot = span_index(name, '.');

		if (map_find(&e->names, name))
			return true;
		name = dot < 0 ? SPAN("") : span_from(name, (size_t)dot + 1);
	}
	return false;
}

bool scan_except_address(const struct scan_except *e, const struct net_addr *a)
{
	for (unsigned i = 0; i < e->networks_n; i++)
		if (net_prefix_contains(&e->networks[i], a))
			return true;
	return false;
}
