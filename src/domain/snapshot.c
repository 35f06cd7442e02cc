/*
 * The snapshot: all domains in one arena, immutable once made.
 *
 * The domains stand sorted by name, so that an id is an index and finding a domain by its name is
 * a binary search. Web names are keys of two tables that borrow the names' own bytes: `exact`, and
 * `wild`, whose keys begin at the dot of "*.example.de"; a host costs one look-up in the first
 * and, if that fails, one in the second, from its first dot on. A wildcard stands for exactly one
 * label, as in certificates.
 *
 * Hosts of origins and other texts that many domains share are kept once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

struct snapshot {
	atomic_uint refs;
	struct arena arena;
	struct domain *v;
	unsigned n, room;
	bool whole;
	struct map exact, wild; /* -> index + 1: v moves while it grows */
};
struct loading {
	struct snapshot *s;
	struct map texts;     /* that are in the arena already */
	struct arena scratch; /* of one domain */
	void (*on_fault)(void *arg, const struct fault *f);
	void *arg;
	bool left_out; /* a row was */
};

/* ---- making ---- */

static void loading_init(struct loading *l)
{
	*l = (struct loading){ .s = mem_new(struct snapshot) };
	atomic_init(&l->s->refs, 1);
	arena_init(&l->s->arena, 65536);
	map_init(&l->s->exact);
	map_init(&l->s->wild);
	map_init(&l->texts);
	arena_init(&l->scratch, 16384);
}

static void loading_done(struct loading *l)
{
	map_done(&l->texts);
	arena_done(&l->scratch);
}

static struct span keep(struct loading *l, struct span text)
{
	struct span kept;
	void *p;

	if (text.n == 0)
		return (struct span){ "", 0 };
	p = map_find(&l->texts, text);
	if (p)
		return span_make(p, text.n);
	kept = arena_span(&l->s->arena, text);
	map_put(&l->texts, kept, (char *)kept.p);
	return kept;
}

/* The table of a web name, and the name's key in it. */
static struct map *table_of(struct snapshot *s, struct span *name)
{
	if (!span_starts(*name, SPAN("*.")))
		return &s->exact;
	*name = span_from(*name, 1);
	return &s->wild;
}

/* The domain that has one of d's web names already, or NULL. */
static const struct domain *rival(struct snapshot *s, const struct domain *d, struct span *ret_name)
{
	for (unsigned i = 0; i < d->web_n; i++) {
		struct span key = d->web[i];
		struct map *table = table_of(s, &key);
		uintptr_t index = (uintptr_t)map_find(table, key);

		*ret_name = d->web[i];
		if (index)
			return &s->v[index - 1];
	}
	return NULL;
}

/* Names must come in order, and web names must be free. */
static void add(struct loading *l, const struct domain *d)
{
	struct snapshot *s = l->s;
	struct domain *to;

	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->v = mem_resize(s->v, s->room, sizeof(*s->v));
	}
	to = &s->v[s->n];
	*to = *d;
	to->id = s->n++;
	to->name = keep(l, d->name);
	to->origin_host = keep(l, d->origin_host);
	to->health_path = keep(l, d->health_path);
	to->origin = arena_array(&s->arena, struct origin_spec, d->origin_n);
	for (unsigned i = 0; i < d->origin_n; i++) {
		to->origin[i] = d->origin[i];
		to->origin[i].host = keep(l, d->origin[i].host);
	}
	to->mail.text = keep(l, d->mail.text);
	to->mail.host = keep(l, d->mail.host);
	to->recipient = arena_array(&s->arena, struct domain_recipient, d->recipient_n);
	for (unsigned i = 0; i < d->recipient_n; i++) {
		to->recipient[i] = d->recipient[i];
		to->recipient[i].address = keep(l, d->recipient[i].address);
		to->recipient[i].by = keep(l, d->recipient[i].by);
	}
	to->web = arena_array(&s->arena, struct span, d->web_n);
	for (unsigned i = 0; i < d->web_n; i++) {
		struct span key = to->web[i] = keep(l, d->web[i]);
		struct map *table = table_of(s, &key);

		map_put(table, key, (void *)(uintptr_t)s->n);
	}
}

/* Gives back the room that growing left over. */
static struct snapshot *finish(struct loading *l)
{
	struct snapshot *s = l->s;

	if (s->n > 0)
		s->v = mem_resize(s->v, s->n, sizeof(*s->v));
	s->room = s->n;
	loading_done(l);
	return s;
}

/* why: "English|German" */
static void tell(struct loading *l, struct span name, const char *why)
{
	struct fault f;

	if (!l->on_fault)
		return;
	fault_set(&f, FAULT_STORE_BAD_ROW);
	fault_fact(&f, "domain", "%.*s", SPAN_ARG(name));
	errors_why(&f, why);
	l->on_fault(l->arg, &f);
}

static void tell_error(struct loading *l, struct span name, const struct fault *error)
{
	struct fault f;

	if (!l->on_fault)
		return;
	domain_bad_row(&f, name, error);
	l->on_fault(l->arg, &f);
}

static void tell_rival(struct loading *l, struct span name, struct span web, const struct domain *owner)
{
	struct span why = arena_spanf(&l->scratch, "its web name %.*s belongs to %.*s|ihr Webname %.*s gehört zu %.*s",
		SPAN_ARG(web), SPAN_ARG(owner->name), SPAN_ARG(web), SPAN_ARG(owner->name));

	tell(l, name, why.p);
}

/* false: it is left out. */
static bool load_domain(struct loading *l, const struct store_domain *row)
{
	struct conf_errors errors;
	const struct domain *owner;
	struct domain d;
	struct span web;

	if (l->s->n == DOMAINS_MAX) {
		tell(l, row->name, "there are too many domains|es gibt zu viele Domains");
		return false;
	}
	if (domain_parse_body(row->name, row->text, &l->scratch, &d, &errors) < 0) {
		tell_error(l, row->name, &errors.v[0]);
		return false;
	}
	if (!span_eq(d.name, row->name)) {
		tell(l, row->name,
			"its name is not in lower case or no A-label|"
			"ihr Name ist nicht kleingeschrieben oder kein A-Label");
		return false;
	}
	owner = rival(l->s, &d, &web);
	if (owner)
		tell_rival(l, row->name, web, owner);
	else
		add(l, &d);
	return !owner;
}

static int load_row(void *arg, const struct store_domain *row)
{
	struct loading *l = arg;

	arena_reset(&l->scratch);
	l->left_out |= !load_domain(l, row);
	return 0;
}

int snapshot_load(struct store *store, void (*on_fault)(void *arg, const struct fault *f), void *arg,
	struct snapshot **ret, struct fault *fault)
{
	struct loading l;
	int r;

	loading_init(&l);
	l.on_fault = on_fault;
	l.arg = arg;
	r = store_domain_each(store, load_row, &l, fault);
	*ret = finish(&l);
	(*ret)->whole = !l.left_out;
	if (r < 0)
		*ret = snapshot_unref(*ret);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return span_cmp(((const struct domain *)a)->name, ((const struct domain *)b)->name);
}

int snapshot_from_text(struct span text, struct arena *a, struct snapshot **ret, struct conf_errors *errors)
{
	struct domain_file file;
	struct loading l;
	int r = domain_parse(text, "snapshot", a, &file, errors);

	if (r < 0)
		return r;
	if (file.n > 1)
		qsort(file.v, file.n, sizeof(*file.v), by_name);
	loading_init(&l);
	for (unsigned i = 0; i < file.n; i++)
		add(&l, &file.v[i]);
	*ret = finish(&l);
	(*ret)->whole = true;
	return 0;
}

struct snapshot *snapshot_unread(void)
{
	struct loading l;

	loading_init(&l);
	return finish(&l);
}

bool snapshot_is_whole(const struct snapshot *s)
{
	return s->whole;
}

void snapshot_to_text(const struct snapshot *s, struct buf *out)
{
	for (unsigned i = 0; i < s->n; i++)
		domain_export(&s->v[i], out);
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	map_done(&s->exact);
	map_done(&s->wild);
	arena_done(&s->arena);
	mem_free(s->v);
	return mem_free(s);
}

/* ---- look-ups ---- */

const struct domain *snapshot_find_web(const struct snapshot *s, struct span host)
{
	uintptr_t index = (uintptr_t)map_find(&s->exact, host);
	ptrdiff_t dot;

	if (!index) {
		dot = span_index(host, '.');
		if (dot > 0)
			index = (uintptr_t)map_find(&s->wild, span_from(host, (size_t)dot));
	}
	return index ? &s->v[index - 1] : NULL;
}

const struct domain *snapshot_find(const struct snapshot *s, struct span name)
{
	unsigned low = 0, high = s->n;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = span_cmp(name, s->v[middle].name);

		if (order == 0)
			return &s->v[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct domain *snapshot_find_mail(const struct snapshot *s, struct span name)
{
	char text[NAME_MAX_BYTES + 2];
	const struct domain *d;
	size_t n;

	if (name_normalise(name, false, text, &n))
		return NULL;
	d = snapshot_find(s, span_make(text, n));
	return d && d->mail.host.n > 0 ? d : NULL;
}

enum domain_tls snapshot_tls_of(const struct snapshot *s, const struct domain *d, struct span mailbox)
{
	must(d == &s->v[d->id]);
	return domain_tls_of(d, mailbox, clock_wall_s());
}

unsigned snapshot_count(const struct snapshot *s)
{
	return s->n;
}

const struct domain *snapshot_at(const struct snapshot *s, unsigned i)
{
	must(i < s->n);
	return &s->v[i];
}

size_t snapshot_bytes(const struct snapshot *s)
{
	return sizeof(*s) + s->arena.used + s->n * sizeof(*s->v) + map_bytes(&s->exact) + map_bytes(&s->wild);
}
