/*
 * Facts and set, side by side: what the peer offered, what we have, the version in common, and what
 * keeps each certificate of the name from serving this peer.
 *
 * Up to TLS 1.2 a suite names its authentication, so a certificate first needs a suite of its kind
 * that both allow and whose key exchange both can do; then a signature algorithm for its key; an
 * ECDSA key's curve must also be among the peer's groups (RFC 8422 5.1). With TLS 1.3 only the
 * signature algorithms decide, and for ECDSA they name the curve (RFC 8446 4.2.3). Without the
 * extension a TLS 1.2 client means SHA-1 (RFC 5246 7.4.1.4.1).
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include "base/clock.h"
#include "tls/explain_priv.h"

#define SERVER_HELLO_BIT (1u << 2)
#define SUITES_MAX       1024

static const struct tls_circumstances nothing;

/* ---- the peer's offer ---- */

static void read_suites(struct why *w)
{
	unsigned size = w->hello.v2 ? 3 : 2;
	size_t n = w->hello.suites.n / size;

	n = n < SUITES_MAX ? n : SUITES_MAX;
	w->suites = arena_array(&w->arena, struct tls_suite, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct span entry = span_sub(w->hello.suites, i * size, size);
		struct tls_suite s;

		/* Those of SSL 2 itself have a first byte. */
		if (size == 3 && entry.p[0] != 0)
			continue;
		s = tls_suite_get(tls_hello_u16(span_from(entry, size - 2), 0));
		if (s.number == SUITE_FALLBACK_SCSV)
			w->fallback_scsv = true;
		if (s.kind != TLS_SUITE_SIGNAL)
			w->suites[w->suites_n++] = s;
	}
}

static void read_versions(struct why *w)
{
	const struct tls_hello *h = &w->hello;

	w->theirs_max = tls_hello_version(h);
	w->theirs_min = w->theirs_max;
	/* Without the list everything below is meant, too (RFC 5246 E.1). */
	if (!h->versions.p) {
		w->theirs_min = h->legacy_version < 0x0300 ? h->legacy_version : 0x0300;
		if (w->theirs_max > 0x0303)
			w->theirs_max = 0x0303;
	}
	for (size_t i = 0; i < h->versions.n / 2; i++) {
		uint16_t v = tls_hello_u16(h->versions, i);

		if (v >= 0x0300 && v < w->theirs_min)
			w->theirs_min = v;
	}
}

static bool theirs_has(const struct why *w, uint16_t version)
{
	if (!w->hello.versions.p)
		return version >= w->theirs_min && version <= w->theirs_max;
	for (size_t i = 0; i < w->hello.versions.n / 2; i++)
		if (tls_hello_u16(w->hello.versions, i) == version)
			return true;
	return false;
}

/* ---- the overlap ---- */

static void find_version(struct why *w)
{
	w->ours_min = (uint16_t)SSL_CTX_get_min_proto_version(w->ctx);
	w->ours_max = (uint16_t)SSL_CTX_get_max_proto_version(w->ctx);
	if (w->ours_min == 0)
		w->ours_min = 0x0301;
	if (w->ours_max == 0)
		w->ours_max = 0x0304;
	for (uint16_t v = w->ours_max; w->version == 0 && v >= w->ours_min; v--)
		if (theirs_has(w, v))
			w->version = v;
}

static bool list_has(struct span list, uint16_t number)
{
	for (size_t i = 0; i < list.n / 2; i++)
		if (tls_hello_u16(list, i) == number)
			return true;
	return false;
}

static bool groups_meet(const struct why *w)
{
	for (unsigned i = 0; i < our_groups_n; i++)
		if (list_has(w->hello.groups, our_groups[i]))
			return true;
	return false;
}

static enum tls_suite_auth auth_for(enum tls_key_type key)
{
	return key == TLS_KEY_RSA ? TLS_AUTH_RSA : TLS_AUTH_ECDSA;
}

/* The suite's side of a certificate's case: NONE if one can be used. */
static enum obstacle suites_obstacle(const struct why *w, enum tls_suite_auth auth)
{
	enum obstacle o = OBSTACLE_SUITE;
	bool meet = groups_meet(w);

	for (unsigned i = 0; i < w->suites_n; i++) {
		const struct tls_suite *s = &w->suites[i];

		if (s->kind != TLS_SUITE_USUAL || s->auth != auth)
			continue;
		if (!suite_is_allowed(w->ctx, s->number)) {
			o = o == OBSTACLE_SUITE ? OBSTACLE_SUITE_OURS : o;
			continue;
		}
		if (s->exchange == TLS_EXCHANGE_RSA || (s->exchange != TLS_EXCHANGE_DHE && meet))
			return OBSTACLE_NONE;
		/* Whether there are parameters cannot be asked; this is how OpenSSL fails
		 * without. */
		if (s->exchange == TLS_EXCHANGE_DHE && why_reason(w) != SSL_R_NO_SHARED_CIPHER)
			return OBSTACLE_NONE;
		if (s->exchange != TLS_EXCHANGE_DHE)
			o = OBSTACLE_GROUPS;
		else if (o != OBSTACLE_GROUPS)
			o = OBSTACLE_DH;
	}
	return o;
}

static bool fits(const struct tls_signature *s, enum tls_key_type key, bool in_13, uint16_t group)
{
	return s && s->key == key && (!in_13 || (s->in_13 && (s->group == 0 || group == 0 || s->group == group)));
}

static enum obstacle signatures_obstacle(const struct why *w, const struct pair *p)
{
	bool in_13 = w->version == 0x0304, weak = false, other_curve = false;
	uint16_t group = p->pub.type == TLS_KEY_ECDSA ? group_of_key(p->key) : 0;

	if (!w->hello.signatures.p)
		return OBSTACLE_NO_SIGNATURES;
	for (size_t i = 0; i < w->hello.signatures.n / 2; i++) {
		const struct tls_signature *s = tls_signature_find(tls_hello_u16(w->hello.signatures, i));

		if (fits(s, p->pub.type, in_13, group) && !s->weak)
			return OBSTACLE_NONE;
		weak |= fits(s, p->pub.type, false, 0) && s->weak;
		other_curve |= fits(s, p->pub.type, in_13, 0) && !s->weak;
	}
	return other_curve ? OBSTACLE_CURVE_13 : weak ? OBSTACLE_SHA1 : OBSTACLE_SIGNATURE;
}

static enum obstacle obstacle_of(const struct why *w, const struct pair *p)
{
	enum obstacle o;

	if (w->version == 0)
		return OBSTACLE_VERSION;
	if (w->version == 0x0304) {
		o = signatures_obstacle(w, p);
		return o != OBSTACLE_NONE ? o : suites_obstacle(w, TLS_AUTH_ANY);
	}
	o = suites_obstacle(w, auth_for(p->pub.type));
	if (o != OBSTACLE_NONE)
		return o;
	if (w->version < 0x0303)
		return SSL_CTX_get_security_level(w->ctx) > 0 ? OBSTACLE_LEVEL : OBSTACLE_NONE;
	o = signatures_obstacle(w, p);
	if (o != OBSTACLE_NONE)
		return o;
	if (p->pub.type == TLS_KEY_ECDSA && w->hello.groups.p && !list_has(w->hello.groups, group_of_key(p->key)))
		return OBSTACLE_CURVE;
	return OBSTACLE_NONE;
}

static void find_pairs(struct why *w)
{
	char lower[256];
	size_t n = w->hello.sni.n < sizeof(lower) ? w->hello.sni.n : 0;

	for (size_t i = 0; i < n; i++)
		lower[i] = ascii_lower(w->hello.sni.p[i]);
	w->slot = set_slot_for(w->set, span_make(lower, n > 0 && lower[n - 1] == '.' ? n - 1 : n));
	for (unsigned i = 0; w->slot && i < TLS_KEY_TYPES_MAX; i++) {
		const struct pair *p = w->slot->by_type[i];

		if (!p)
			continue;
		w->obstacles[w->pairs_n] = w->has_hello ? obstacle_of(w, p) : OBSTACLE_NONE;
		w->pairs[w->pairs_n++] = p;
	}
}

void why_init(struct why *w, const struct tls_facts *facts, struct tls_set *set, const struct tls_circumstances *around)
{
	*w = (struct why){ .facts = facts,
		.set = set,
		.around = around ? around : &nothing,
		.bytes = span_make(facts->hello, facts->hello_n) };
	w->now_s = w->around->now_s ? w->around->now_s : clock_wall_s();
	arena_init(&w->arena, 4096);
	w->has_hello = !facts->client && tls_hello_parse(w->bytes, &w->arena, &w->hello) == 0 && w->hello.complete;
	if (w->has_hello) {
		read_suites(w);
		read_versions(w);
	}
	if (!set)
		return;
	w->ctx = set->ctx[facts->use];
	find_version(w);
	find_pairs(w);
}

void why_done(struct why *w)
{
	arena_done(&w->arena);
}

/* ---- questions ---- */

bool why_sent(const struct why *w, unsigned message)
{
	return w->facts->messages_sent & 1u << message;
}

bool why_has_left(const struct why *w)
{
	int error = w->facts->error;

	return w->facts->ended || error == -ECONNRESET || error == -EPIPE || error == -ECANCELED;
}

bool why_answered(const struct why *w)
{
	return w->facts->messages_sent & SERVER_HELLO_BIT;
}

int why_reason(const struct why *w)
{
	return ERR_GET_LIB(w->facts->ssl_error) == ERR_LIB_SSL ? ERR_GET_REASON(w->facts->ssl_error) : 0;
}

bool why_has_auth(const struct why *w, enum tls_suite_auth auth)
{
	for (unsigned i = 0; i < w->suites_n; i++)
		if (w->suites[i].kind == TLS_SUITE_USUAL && w->suites[i].auth == auth)
			return true;
	return false;
}

bool why_verifies(const struct why *w, enum tls_key_type key)
{
	for (size_t i = 0; i < w->hello.signatures.n / 2; i++) {
		const struct tls_signature *s = tls_signature_find(tls_hello_u16(w->hello.signatures, i));

		if (fits(s, key, w->version == 0x0304, 0) && !s->weak)
			return true;
	}
	return false;
}

bool why_needs_group(const struct why *w)
{
	bool needs = false;

	for (unsigned i = 0; i < w->suites_n; i++) {
		const struct tls_suite *s = &w->suites[i];

		if (s->kind != TLS_SUITE_USUAL || (s->auth == TLS_AUTH_ANY) != (w->version == 0x0304) ||
			!suite_is_allowed(w->ctx, s->number))
			continue;
		if (s->exchange == TLS_EXCHANGE_RSA || s->exchange == TLS_EXCHANGE_DHE)
			return false;
		needs = true;
	}
	return needs && !groups_meet(w);
}

bool why_any_obstacle(const struct why *w, enum obstacle o)
{
	for (unsigned i = 0; i < w->pairs_n; i++)
		if (w->obstacles[i] == o)
			return true;
	return false;
}

const struct pair *why_pair(const struct why *w, enum tls_key_type key)
{
	return w->slot && key < TLS_KEY_TYPES_MAX ? w->slot->by_type[key] : NULL;
}

struct span why_name(const struct why *w)
{
	if (w->hello.sni.n > 0)
		return w->hello.sni;
	return w->pairs_n > 0 ? w->pairs[0]->pub.names[0] : SPAN("-");
}

const char *why_served(const struct why *w)
{
	static const char *const texts[] = { "", "RSA", "ECDSA", "RSA and ECDSA", "Ed25519", "RSA and Ed25519",
		"ECDSA and Ed25519", "RSA, ECDSA and Ed25519" };
	unsigned types = 0;

	for (unsigned i = 0; i < w->pairs_n; i++)
		types |= 1u << w->pairs[i]->pub.type;
	return texts[types];
}

void obstacle_text(enum obstacle o, const struct pair *p, struct tls_obstacle *ret)
{
	static const char *const texts[][2] = {
		[OBSTACLE_NONE] = { "the peer could use it", "die Gegenstelle könnte es benutzen" },
		[OBSTACLE_VERSION] = { "there is no version in common", "es gibt keine gemeinsame Version" },
		[OBSTACLE_SUITE] = { "the peer offers no suite for its key type",
			"die Gegenstelle bietet keine Suite für seine Schlüsselart an" },
		[OBSTACLE_SUITE_OURS] = { "the peer's suites for its key type are not allowed here",
			"die Suiten der Gegenstelle für seine Schlüsselart sind hier nicht erlaubt" },
		[OBSTACLE_GROUPS] = { "there is no group in common", "es gibt keine gemeinsame Gruppe" },
		[OBSTACLE_DH] = { "there are no DH parameters", "es gibt keine DH-Parameter" },
		[OBSTACLE_NO_SIGNATURES] = { "the peer names no signature algorithms, which means SHA-1",
			"die Gegenstelle nennt keine Signaturverfahren, das heißt SHA-1" },
		[OBSTACLE_SHA1] = { "the peer verifies only SHA-1 signatures of its key type",
			"die Gegenstelle prüft bei seiner Schlüsselart nur SHA-1-Signaturen" },
		[OBSTACLE_SIGNATURE] = { "the peer verifies no signatures of its key type",
			"die Gegenstelle prüft keine Signaturen seiner Schlüsselart" },
		[OBSTACLE_CURVE] = { "the peer does not know its curve", "die Gegenstelle kennt seine Kurve nicht" },
		[OBSTACLE_CURVE_13] = { "the peer verifies no signatures on its curve",
			"die Gegenstelle prüft keine Signaturen auf seiner Kurve" },
		[OBSTACLE_LEVEL] = { "the peer's version needs SHA-1", "die Version der Gegenstelle braucht SHA-1" },
	};

	*ret = (struct tls_obstacle){ .pair = &p->pub,
		.usable = o == OBSTACLE_NONE,
		.why_en = texts[o][FAULT_EN],
		.why_de = texts[o][FAULT_DE] };
}
