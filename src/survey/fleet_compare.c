/*
 * The odd one out among siblings, and what changed between two scans. See survey/fleet.h.
 */
#include "base/mem.h"
#include "survey/fleet.h"

#define SIBLINGS_MIN 3
#define TOLD_MAX     6 /* traits in one sentence */

/* ---- the odd one out ---- */

/* Those of one group that speak TLS, and how often each trait occurs among them. */
struct group {
	struct span siblings;
	const struct fleet_host **v;
	unsigned n;
	bool diverse[FLEET_KIND_COUNT][2]; /* by direction */
	unsigned full;                     /* of them were walked through */
	struct map counts;                 /* "kind name" -> struct count */
	struct arena arena;
};
struct count {
	struct fleet_trait trait;
	unsigned n; /* that have it */
};

static struct span key_of(struct group *g, const struct fleet_trait *t)
{
	return arena_spanf(&g->arena, "%d %.*s", t->kind, SPAN_ARG(t->name));
}

static void count_traits(struct group *g, const struct fleet_host *h)
{
	for (unsigned i = 0; i < h->traits_n; i++) {
		struct span key = key_of(g, &h->traits[i]);
		struct count *c = map_find(&g->counts, key);

		if (!c) {
			c = arena_new(&g->arena, struct count);
			c->trait = h->traits[i];
			map_put(&g->counts, key, c);
		}
		c->n++;
	}
}

static bool is_about_walks(const struct fleet_trait *t)
{
	return t->kind == FLEET_SUITE || t->kind == FLEET_GROUP;
}

static bool has_trait(const struct fleet_host *h, const struct fleet_trait *t)
{
	for (unsigned i = 0; i < h->traits_n; i++)
		if (h->traits[i].kind == t->kind && span_eq(h->traits[i].name, t->name))
			return true;
	return false;
}

/* A list of traits in both languages. */
struct oddity {
	struct buf en, de;
	unsigned n;
};

static void add_trait(struct oddity *o, const struct fleet_trait *t)
{
	if (++o->n > TOLD_MAX)
		return;
	buf_add_text(&o->en, o->n > 1 ? ", " : "");
	buf_add_text(&o->de, o->n > 1 ? ", " : "");
	fleet_trait_print(t, FAULT_EN, &o->en);
	fleet_trait_print(t, FAULT_DE, &o->de);
}

/* How many may be odd: one, or a tenth. */
static unsigned few(const struct group *g)
{
	return g->n / 10 > 1 ? g->n / 10 : 1;
}

enum direction { LACKS, HAS, DIRECTIONS };

/* h is one of the few in this. */
static bool is_peculiar(const struct group *g, const struct fleet_host *h, const struct count *c, enum direction d)
{
	if (is_about_walks(&c->trait) && g->full < g->n)
		return false;
	if (d == HAS)
		return c->n <= few(g) && has_trait(h, &c->trait);
	return c->n < g->n && c->n >= g->n - few(g) && !has_trait(h, &c->trait);
}

static bool is_peculiar_in(const struct group *g, const struct fleet_host *h, enum fleet_kind kind, enum direction d)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(&g->counts, &at, &key, &value);)
		if (((struct count *)value)->trait.kind == kind && is_peculiar(g, h, value, d))
			return true;
	return false;
}

/* Where many are peculiar in a kind, as when each has an issuer of its own, nobody is odd. */
static void find_diversity(struct group *g)
{
	for (enum fleet_kind kind = 0; kind < FLEET_KIND_COUNT; kind++)
		for (enum direction d = LACKS; d < DIRECTIONS; d++) {
			unsigned n = 0;

			for (unsigned i = 0; i < g->n && n <= few(g); i++)
				n += is_peculiar_in(g, g->v[i], kind, d);
			g->diverse[kind][d] = n > few(g);
		}
}

/* Kinds in their order, so that the sentence begins with what matters. */
static void gather(const struct group *g, const struct fleet_host *h, enum direction d, struct oddity *o)
{
	for (enum fleet_kind kind = 0; kind < FLEET_KIND_COUNT; kind++) {
		struct span key;
		void *value;

		for (size_t at = 0; !g->diverse[kind][d] && map_next(&g->counts, &at, &key, &value);) {
			const struct count *c = value;

			if (c->trait.kind == kind && is_peculiar(g, h, c, d))
				add_trait(o, &c->trait);
		}
	}
}

static void end_list(struct oddity *o)
{
	if (o->n > TOLD_MAX) {
		buf_addf(&o->en, ", … (%u)", o->n);
		buf_addf(&o->de, ", … (%u)", o->n);
	}
	if (o->n == 0) {
		buf_add_text(&o->en, "nothing");
		buf_add_text(&o->de, "nichts");
	}
}

static void judge(const struct group *g, const struct fleet_host *h, fleet_odd_fn *fn, void *arg)
{
	struct oddity lacks = { BUF_INIT(4096), BUF_INIT(4096), 0 }, extra = { BUF_INIT(4096), BUF_INIT(4096), 0 };
	struct fault f;

	gather(g, h, LACKS, &lacks);
	gather(g, h, HAS, &extra);
	if (lacks.n + extra.n > 0) {
		end_list(&lacks);
		end_list(&extra);
		fault_set(&f, FAULT_SCAN_ODD_ONE);
		fault_fact(&f, "place", "%.*s", SPAN_ARG(h->place));
		fault_fact(&f, "siblings", "%.*s", SPAN_ARG(g->siblings));
		fault_fact(&f, "count", "%u", g->n - 1);
		fault_fact(&f, "lacks", "%s", buf_text(&lacks.en));
		fault_fact(&f, "lacks_de", "%s", buf_text(&lacks.de));
		fault_fact(&f, "has", "%s", buf_text(&extra.en));
		fault_fact(&f, "has_de", "%s", buf_text(&extra.de));
		fn(arg, h, &f);
	}
	buf_done(&lacks.en);
	buf_done(&lacks.de);
	buf_done(&extra.en);
	buf_done(&extra.de);
}

static void judge_group(struct group *g, fleet_odd_fn *fn, void *arg)
{
	if (g->n < SIBLINGS_MIN)
		return;
	for (unsigned i = 0; i < g->n; i++)
		count_traits(g, g->v[i]);
	find_diversity(g);
	for (unsigned i = 0; i < g->n; i++)
		judge(g, g->v[i], fn, arg);
}

static struct group *group_of(struct map *groups, struct span siblings)
{
	struct group *g = map_find(groups, siblings);

	if (g)
		return g;
	g = mem_new(struct group);
	g->siblings = siblings;
	map_init(&g->counts);
	arena_init(&g->arena, 1 << 14);
	map_put(groups, siblings, g);
	return g;
}

void fleet_odd(const struct fleet *f, fleet_odd_fn *fn, void *arg)
{
	struct map groups;
	struct span key;
	void *value;
	size_t at = 0;

	map_init(&groups);
	for (unsigned i = 0; i < f->n; i++) {
		struct group *g;

		if (!span_eq(f->v[i]->verdict, SPAN("tls")) || f->v[i]->siblings.n == 0)
			continue;
		g = group_of(&groups, f->v[i]->siblings);
		if ((g->n & (g->n - 1)) == 0)
			g->v = mem_resize(g->v, g->n ? 2 * (size_t)g->n : 1, sizeof(*g->v));
		g->v[g->n++] = f->v[i];
		g->full += f->v[i]->full;
	}
	while (map_next(&groups, &at, &key, &value)) {
		struct group *g = value;

		judge_group(g, fn, arg);
		mem_free(g->v);
		map_done(&g->counts);
		arena_done(&g->arena);
		mem_free(g);
	}
	map_done(&groups);
}

/* ---- changes ---- */

/* A version counts if both were asked for it, suites and groups if both were walked through. */
static bool is_comparable(const struct fleet_host *a, const struct fleet_host *b, const struct fleet_trait *t)
{
	static const char *const names[] = { "SSL 2", "SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" };

	if (is_about_walks(t))
		return a->full && b->full;
	if (t->kind != FLEET_VERSION)
		return a->certs_n > 0 && b->certs_n > 0;
	for (size_t i = 0; i < array_len(names); i++)
		if (span_eq(t->name, span_of(names[i])))
			return (a->asked & b->asked) >> i & 1;
	return false;
}

static unsigned only_in(const struct fleet_host *a, const struct fleet_host *b, const struct fleet_trait **ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->traits_n; i++)
		if (!has_trait(b, &a->traits[i]) && is_comparable(a, b, &a->traits[i]))
			ret[n++] = &a->traits[i];
	return n;
}

static void compare_certs(const struct fleet_host *was, const struct fleet_host *is, struct fleet_change *c)
{
	for (unsigned i = 0; i < is->certs_n; i++) {
		bool known = false, had_type = false;

		for (unsigned k = 0; k < was->certs_n; k++) {
			known |= span_eq(was->certs[k].sha256, is->certs[i].sha256);
			had_type |= span_eq(was->certs[k].type, is->certs[i].type);
		}
		if (known || !had_type)
			continue;
		c->new_certs++;
		c->not_after = is->certs[i].not_after;
	}
}

static void compare(const struct fleet_host *was, const struct fleet_host *is, fleet_change_fn *fn, void *arg)
{
	struct fleet_change *c = mem_new(struct fleet_change);

	c->was = was;
	c->is = is;
	if (was && is) {
		c->verdict = !span_eq(was->verdict, is->verdict);
		c->gained_n = only_in(is, was, c->gained);
		c->lost_n = only_in(was, is, c->lost);
		compare_certs(was, is, c);
	}
	if (!was || !is || c->verdict || c->gained_n || c->lost_n || c->new_certs)
		fn(arg, c);
	mem_free(c);
}

void fleet_compare(const struct fleet *was, const struct fleet *is, fleet_change_fn *fn, void *arg)
{
	for (unsigned i = 0; i < is->n; i++)
		compare(map_find(&was->places, is->v[i]->place), is->v[i], fn, arg);
	for (unsigned i = 0; i < was->n; i++)
		if (!map_find(&is->places, was->v[i]->place))
			compare(was->v[i], NULL, fn, arg);
}
