/*
 * The set: which pairs answer for which name.
 *
 * For one name and key type several pairs may stand; the best is served: one that is valid now
 * before one that is not, one from the files as they are before one kept from an earlier set, then
 * the one issued last. A pair of the earlier set is kept in the competition as long as one of its
 * files is still there and its certificate's file holds nothing that works: so what replaces a
 * working pair must itself work, and what does work replaces all of it, names and key type
 * included.
 */
#include <limits.h>
#include "base/clock.h"
#include "tls/tls_priv.h"

#define EXPIRY_NEAR_S (21 * 86400)
#define ANY_NAME      SPAN("*") /* no host name */

struct tls_set *set_new(void)
{
	struct tls_set *set = mem_new(struct tls_set);

	set->refs = 1;
	map_init(&set->names);
	arena_init(&set->arena, 4096);
	return set;
}

struct tls_set *tls_set_ref(struct tls_set *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

struct tls_set *tls_set_unref(struct tls_set *set)
{
	if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
		return NULL;
	for (unsigned i = 0; i < TLS_USES; i++)
		SSL_CTX_free(set->ctx[i]);
	mem_free(set->refused);
	pairs_done(&set->pairs);
	map_done(&set->names);
	arena_done(&set->arena);
	return mem_free(set);
}

/* ---- the competition ---- */

/* Is a to be served rather than b? */
static bool is_better(const struct pair *a, const struct pair *b, int64_t now_s)
{
	bool a_valid = pair_is_valid_now(a, now_s), b_valid = pair_is_valid_now(b, now_s);

	if (a_valid != b_valid)
		return a_valid;
	if (a->pub.kept != b->pub.kept)
		return b->pub.kept;
	return a->pub.not_before > b->pub.not_before;
}

static struct tls_slot *slot_get(struct tls_set *set, struct span name)
{
	struct tls_slot *slot = map_find(&set->names, name);

	if (!slot) {
		slot = arena_new(&set->arena, struct tls_slot);
		map_put(&set->names, arena_span(&set->arena, name), slot);
	}
	return slot;
}

static void enter_as(struct tls_set *set, struct pair *p, struct span name, int64_t now_s)
{
	struct pair **place = &slot_get(set, name)->by_type[p->pub.type];

	if (!*place || is_better(p, *place, now_s))
		*place = p;
}

static void enter(struct tls_set *set, struct pair *p, bool any_name, int64_t now_s)
{
	if (any_name)
		enter_as(set, p, ANY_NAME, now_s);
	for (unsigned i = 0; !any_name && i < p->pub.names_n; i++)
		enter_as(set, p, p->pub.names[i], now_s);
}

static bool is_in_service(const struct tls_set *set, const struct pair *p)
{
	const struct tls_slot *any = map_find(&set->names, ANY_NAME);

	if (any)
		return any->by_type[p->pub.type] == p;
	for (unsigned i = 0; i < p->pub.names_n; i++) {
		const struct tls_slot *slot = map_find(&set->names, p->pub.names[i]);

		if (slot && slot->by_type[p->pub.type] == p)
			return true;
	}
	return false;
}

/* files->n if it is not there. */
static unsigned file_index(const struct tls_files *files, const char *path)
{
	unsigned i = 0;

	while (i < files->n && strcmp(files->v[i].path, path) != 0)
		i++;
	return i;
}

static bool has_file(const struct tls_files *files, const char *path)
{
	return file_index(files, path) < files->n;
}

/* The same certificate, or what the same file holds now and that works as well: on purpose it may
 * have other names or another key type. */
static bool has_successor(const struct pairs *pairs, const struct pair *p, int64_t now_s)
{
	for (unsigned i = 0; i < pairs->n; i++) {
		const struct pair *now = pairs->v[i];

		if (memcmp(now->pub.fingerprint, p->pub.fingerprint, sizeof(p->pub.fingerprint)) == 0)
			return true;
		if (strcmp(now->pub.cert_path, p->pub.cert_path) == 0 &&
			(pair_is_valid_now(now, now_s) || !pair_is_valid_now(p, now_s)))
			return true;
	}
	return false;
}

/* A pair of the earlier set, marked as kept: a copy of its facts over the same objects. */
static struct pair *keep(const struct pair *earlier)
{
	struct pair *p = mem_new(struct pair);
	struct span *names;

	p->refs = 1;
	arena_init(&p->arena, 512);
	p->pub = earlier->pub;
	p->pub.kept = true;
	p->pub.cert_path = arena_text(&p->arena, span_of(earlier->pub.cert_path));
	p->pub.key_path = arena_text(&p->arena, span_of(earlier->pub.key_path));
	p->pub.issuer = arena_text(&p->arena, span_of(earlier->pub.issuer));
	p->pub.names = names = arena_array(&p->arena, struct span, earlier->pub.names_n);
	for (unsigned i = 0; i < p->pub.names_n; i++)
		names[i] = arena_span(&p->arena, earlier->pub.names[i]);
	p->staple = arena_span(&p->arena, earlier->staple);
	p->staple_until = earlier->staple_until;
	X509_up_ref(p->leaf = earlier->leaf);
	p->chain = X509_chain_up_ref(earlier->chain);
	EVP_PKEY_up_ref(p->key = earlier->key);
	return p;
}

static void add_kept(struct pairs *candidates, const struct tls_set *earlier, const struct tls_files *files,
	int64_t now_s)
{
	unsigned fresh = candidates->n;

	for (unsigned i = 0; earlier && i < earlier->pairs.n; i++) {
		const struct pair *p = earlier->pairs.v[i];

		if (has_successor(&(struct pairs){ candidates->v, fresh }, p, now_s) ||
			(!has_file(files, p->pub.cert_path) && !has_file(files, p->pub.key_path)))
			continue;
		candidates->v = mem_resize(candidates->v, candidates->n + 1, sizeof(struct pair *));
		candidates->v[candidates->n++] = keep(p);
	}
}

/* Those that won a place for a name; the others are let go. */
static void take_winners(struct tls_set *set, struct pairs *candidates, tls_fault_fn *on_fault, void *arg)
{
	set->pairs.v = mem_zalloc(candidates->n + 1, sizeof(struct pair *));
	for (unsigned i = 0; i < candidates->n; i++) {
		struct pair *p = candidates->v[i];

		if (!is_in_service(set, p)) {
			pair_unref(p);
			continue;
		}
		set->pairs.v[set->pairs.n++] = p;
		if (p->pub.kept) {
			struct fault fault;

			fault_set(&fault, FAULT_CERT_KEPT);
			fault_fact(&fault, "file", "%s", p->pub.cert_path);
			fault_fact(&fault, "name", "%.*s", SPAN_ARG(p->pub.names[0]));
			on_fault(arg, &fault);
		}
	}
	mem_free(candidates->v);
}

/* The first pair in the order of the files. Fresh ones are in that order; a kept one comes before
 * them if its file does: that a file broke must not change what strangers see. */
static void choose_fallback(struct tls_set *set, const struct tls_files *files)
{
	const struct pair *first = NULL;
	unsigned first_at = UINT_MAX;

	set->fallback = map_find(&set->names, ANY_NAME);
	for (unsigned i = 0; !set->fallback && i < set->pairs.n; i++) {
		const struct pair *p = set->pairs.v[i];
		unsigned at = i == 0 || p->pub.kept ? file_index(files, p->pub.cert_path) : UINT_MAX;

		if (!first || at < first_at) {
			first = p;
			first_at = at;
		}
	}
	if (first)
		set->fallback = map_find(&set->names, first->pub.names[0]);
}

/* Passes a fault on, and keeps it if it may explain a failed handshake later. */
struct teller {
	struct tls_set *set;
	tls_fault_fn *on_fault;
	void *arg;
};

static void tell_and_keep(void *arg, const struct fault *f)
{
	struct teller *t = arg;
	bool refused = f->code == FAULT_CERT_KEY_MISMATCH || f->code == FAULT_CERT_NO_KEY ||
		f->code == FAULT_CERT_KEY_KIND || f->code == FAULT_CERT_KEY_TOO_SMALL ||
		f->code == FAULT_CERT_WEAK_SIGNATURE || f->code == FAULT_CERT_KEY_USAGE;

	t->on_fault(t->arg, f);
	if (!refused || t->set->refused_n == REFUSED_MAX)
		return;
	t->set->refused = mem_resize(t->set->refused, t->set->refused_n + 1, sizeof(struct fault));
	t->set->refused[t->set->refused_n++] = *f;
}

struct tls_set *tls_set_build(const struct tls_files *files, const struct tls_set_settings *settings,
	struct tls_set *earlier, tls_fault_fn *on_fault, void *arg)
{
	struct tls_set *set = set_new();
	int64_t now_s = clock_wall_s();
	struct pairs candidates;
	struct fault fault;

	pairs_from_files(files, settings, &candidates, tell_and_keep, &(struct teller){ set, on_fault, arg });
	add_kept(&candidates, earlier, files, now_s);
	if (candidates.n == 0) {
		fault_set(&fault, FAULT_CERT_NONE);
		on_fault(arg, &fault);
	}
	for (unsigned i = 0; i < candidates.n; i++)
		enter(set, candidates.v[i], settings->any_name, now_s);
	take_winners(set, &candidates, on_fault, arg);
	choose_fallback(set, files);
	for (unsigned i = 0; i < TLS_USES; i++)
		set->ctx[i] = context_new(i, set, settings);
	return set;
}

/* ---- look-ups ---- */

/* The slot of the name itself, or of the wildcard that covers it. */
static const struct tls_slot *slot_of(const struct tls_set *set, struct span name)
{
	const struct tls_slot *slot = name.n ? map_find(&set->names, name) : NULL;
	ptrdiff_t dot = span_index(name, '.');
	char wildcard[256];

	if (slot || dot <= 0 || name.n - (size_t)dot >= sizeof(wildcard) - 1)
		return slot;
	wildcard[0] = '*';
	memcpy(wildcard + 1, name.p + dot, name.n - (size_t)dot);
	return map_find(&set->names, span_make(wildcard, name.n - (size_t)dot + 1));
}

const struct tls_slot *set_slot_for(const struct tls_set *set, struct span name)
{
	const struct tls_slot *slot = slot_of(set, name);

	return slot ? slot : set->fallback;
}

bool tls_set_has_name(const struct tls_set *set, struct span name)
{
	return slot_of(set, name) != NULL;
}

unsigned tls_set_count(const struct tls_set *set)
{
	return set->pairs.n;
}

const struct tls_pair *tls_set_pair(const struct tls_set *set, unsigned i)
{
	must(i < set->pairs.n);
	return &set->pairs.v[i]->pub;
}

unsigned tls_set_pairs_for(const struct tls_set *set, struct span name, const struct tls_pair **ret, unsigned max)
{
	const struct tls_slot *slot = set_slot_for(set, name);
	unsigned n = 0;

	for (unsigned i = 0; slot && i < TLS_KEY_TYPES_MAX && n < max; i++)
		if (slot->by_type[i])
			ret[n++] = &slot->by_type[i]->pub;
	return n;
}

const char *tls_key_type_text(enum tls_key_type t)
{
	static const char *const texts[] = { "RSA", "ECDSA", "Ed25519", "other" };

	return texts[t];
}

/* ---- what changed ---- */

static void key_types(const struct tls_slot *slot, struct buf *out)
{
	for (unsigned i = 0; i < TLS_KEY_TYPES_MAX; i++)
		if (slot && slot->by_type[i])
			buf_addf(out, "%s%s", out->n ? " and " : "", tls_key_type_text(i));
}

/* A type that came beside the others breaks nobody. */
static bool lost_a_type(const struct tls_slot *now, const struct tls_slot *before)
{
	for (unsigned i = 0; i < TLS_KEY_TYPES_MAX; i++)
		if (before->by_type[i] && !(now && now->by_type[i]))
			return true;
	return false;
}

static void compare_name(struct span name, const struct tls_slot *now, const struct tls_slot *before,
	tls_fault_fn *on_fault, void *arg)
{
	struct buf old = BUF_INIT(64), new = BUF_INIT(64);
	struct fault fault;

	key_types(before, &old);
	key_types(now, &new);
	if (lost_a_type(now, before)) {
		fault_set(&fault, now ? FAULT_CERT_KEY_TYPE_CHANGED : FAULT_CERT_NAME_LOST);
		fault_fact(&fault, "name", "%.*s", SPAN_ARG(name));
		fault_fact(&fault, "before", "%s", buf_text(&old));
		fault_fact(&fault, "now", "%s", buf_text(&new));
		on_fault(arg, &fault);
	}
	buf_done(&old);
	buf_done(&new);
}

void tls_set_compare(const struct tls_set *now, const struct tls_set *earlier, tls_fault_fn *on_fault, void *arg)
{
	struct span name;
	size_t at = 0;
	void *slot;

	while (earlier && map_next(&earlier->names, &at, &name, &slot))
		compare_name(name, map_find(&now->names, name), slot, on_fault, arg);
}

void tls_set_dates(const struct tls_set *set, tls_fault_fn *on_fault, void *arg)
{
	int64_t now_s = clock_wall_s();

	for (unsigned i = 0; i < set->pairs.n; i++) {
		const struct pair *p = set->pairs.v[i];

		pair_tell_dates(p, now_s, on_fault, arg);
		if (pair_is_valid_now(p, now_s) && p->pub.not_after - now_s <= EXPIRY_NEAR_S)
			pair_tell(p, FAULT_CERT_EXPIRES_SOON, on_fault, arg);
	}
}
