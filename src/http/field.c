/*
 * Field names and lists of fields; methods and reasons.
 *
 * A name finds its id through a small open-addressed table over length, first and last
 * letter, filled from the X-macro before main(). Most names arrive in the table's own
 * spelling, so an exact comparison comes first.
 *
 * A list is an array in the arena of whoever adds; it doubles when full and the old array
 * stays behind until the arena dies. Removing closes the gap and keeps the order.
 */
#include "http/http_priv.h"

#define SLOTS 256

static const struct {
	struct span name;
	unsigned flags;
} known[HTTP_FIELD_COUNT] = {
#define HTTP_FIELD(id, name, flags) [HTTP_##id] = { { (name), sizeof(name) - 1 }, (flags) },
#include "http/field.tbl.h"
#undef HTTP_FIELD
};
static uint8_t slots[SLOTS];

static inline unsigned slot_of(struct span name)
{
	/* The factors were found by trying: two names find their slot taken. Folds more than
	 * letters; the comparison that follows does not. */
	unsigned first = (unsigned char)name.p[0] | 0x20;
	unsigned last = (unsigned char)name.p[name.n - 1] | 0x20;

	return (first * 9 + last * 17 + (unsigned)name.n * 15) % SLOTS;
}

__attribute__((constructor)) static void slots_fill(void)
{
	for (unsigned id = 1; id < HTTP_FIELD_COUNT; id++) {
		unsigned at = slot_of(known[id].name);

		while (slots[at])
			at = (at + 1) % SLOTS;
		slots[at] = (uint8_t)id;
	}
}

enum http_field_id http_field_id_of(struct span name)
{
	unsigned at;

	if (name.n == 0)
		return HTTP_OTHER;
	for (at = slot_of(name); slots[at]; at = (at + 1) % SLOTS) {
		struct span is = known[slots[at]].name;

		if (is.n != name.n)
			continue;
		if (memcmp(is.p, name.p, name.n) == 0 || span_eq_nocase(is, name))
			return slots[at];
	}
	return HTTP_OTHER;
}

struct span http_field_name(enum http_field_id id)
{
	return known[id].name;
}

unsigned http_field_flags(enum http_field_id id)
{
	return known[id].flags;
}

const struct http_field *http_fields_find(const struct http_fields *f, enum http_field_id id)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			return &f->v[i];
	return NULL;
}

struct span http_fields_value(const struct http_fields *f, enum http_field_id id)
{
	const struct http_field *field = http_fields_find(f, id);

	return field ? field->value : (struct span){ 0 };
}

const struct http_field *http_fields_find_name(const struct http_fields *f, struct span name)
{
	enum http_field_id id = http_field_id_of(name);

	if (id != HTTP_OTHER)
		return http_fields_find(f, id);
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == HTTP_OTHER && span_eq_nocase(f->v[i].name, name))
			return &f->v[i];
	return NULL;
}

unsigned http_fields_count(const struct http_fields *f, enum http_field_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++)
		n += f->v[i].id == id;
	return n;
}

struct span http_fields_joined(const struct http_fields *f, enum http_field_id id, struct arena *a)
{
	const struct http_field *first = http_fields_find(f, id);
	size_t size = 0;
	char *p, *at;

	if (!first || http_fields_count(f, id) == 1)
		return first ? first->value : (struct span){ 0 };
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			size += f->v[i].value.n + 2;
	p = at = arena_alloc(a, size);
	for (unsigned i = 0; i < f->n; i++) {
		if (f->v[i].id != id)
			continue;
		if (at != p)
			at = mempcpy(at, ", ", 2);
		if (f->v[i].value.n)
			at = mempcpy(at, f->v[i].value.p, f->v[i].value.n);
	}
	return span_make(p, (size_t)(at - p));
}

void http_fields_push(struct http_fields *f, struct arena *a, struct http_field field)
{
	if (f->n == f->room) {
		unsigned room = f->room ? f->room * 2u : 16;
		struct http_field *v;

		must(room <= UINT16_MAX);
		v = arena_alloc(a, room * sizeof(*v));
		if (f->n)
			memcpy(v, f->v, f->n * sizeof(*v));
		f->v = v;
		f->room = (uint16_t)room;
	}
	f->v[f->n++] = field;
}

void http_fields_add(struct http_fields *f, struct arena *a, enum http_field_id id, struct span value)
{
	must(id != HTTP_OTHER);
	http_fields_push(f, a, (struct http_field){ .name = known[id].name, .value = value, .id = (uint8_t)id });
}

void http_fields_add_name(struct http_fields *f, struct arena *a, struct span name, struct span value)
{
	http_fields_push(f, a,
		(struct http_field){ .name = name, .value = value, .id = (uint8_t)http_field_id_of(name) });
}

void http_fields_remove(struct http_fields *f, enum http_field_id id)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id != id)
			f->v[kept++] = f->v[i];
	f->n = (uint16_t)kept;
}

/* Does one of the Connection fields name this field? The parsers bound the options' number. */
static bool named_by_connection(const struct http_fields *f, struct span name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].id == HTTP_CONNECTION && http_list_has(f->v[i].value, name))
			return true;
	return false;
}

void http_fields_strip_named(struct http_fields *f)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < f->n; i++) {
		const struct http_field field = f->v[i];

		if ((known[field.id].flags & (HTTP_NO_STRIP | HTTP_HOP)) || !named_by_connection(f, field.name))
			f->v[kept++] = field;
	}
	f->n = (uint16_t)kept;
}

void http_fields_strip_hop(struct http_fields *f)
{
	unsigned kept = 0;

	if (http_fields_find(f, HTTP_CONNECTION))
		http_fields_strip_named(f);
	for (unsigned i = 0; i < f->n; i++)
		if (!(known[f->v[i].id].flags & HTTP_HOP))
			f->v[kept++] = f->v[i];
	f->n = (uint16_t)kept;
}

bool http_method_safe(enum http_method m)
{
	return m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS || m == HTTP_TRACE;
}

bool http_method_idempotent(enum http_method m)
{
	return http_method_safe(m) || m == HTTP_PUT || m == HTTP_DELETE;
}
