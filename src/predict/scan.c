/* A scanned server, and the ClientHello that it would send if it were a client. The essay is in
 * predict/predict.h. */
#include <openssl/sha.h>
#include "base/mem.h"
#include "survey/fleet.h"
#include "predict/predict_priv.h"
#include "tls/names.h"

static bool has(const struct fleet_host *h, enum fleet_kind kind, const char *name)
{
	for (unsigned i = 0; i < h->traits_n; i++)
		if (h->traits[i].kind == kind && span_eq(h->traits[i].name, span_of(name)))
			return true;
	return false;
}

/* The highest up to TLS 1.2; 0: none. */
static uint16_t old_version(const struct fleet_host *h)
{
	static const struct {
		const char *name;
		uint16_t number;
	} all[] = { { "TLS 1.2", 0x0303 }, { "TLS 1.1", 0x0302 }, { "TLS 1.0", 0x0301 }, { "SSL 3", 0x0300 } };

	for (size_t i = 0; i < array_len(all); i++)
		if (has(h, FLEET_VERSION, all[i].name))
			return all[i].number;
	return 0;
}

static void take_suite(struct predict_lists *l, struct span name)
{
	uint16_t number;

	if (l->suites_n == PREDICT_SUITES_MAX || !tls_suite_find(name, &number))
		return;
	if (tls_suite_get(number).auth == TLS_AUTH_ANY ? l->with_13 : l->with_12)
		l->suites[l->suites_n++] = number;
}

static void take_group(struct predict_lists *l, struct span name)
{
	uint16_t number;

	if (l->groups_n < PREDICT_GROUPS_MAX && tls_group_find(name, &number))
		l->groups[l->groups_n++] = number;
}

static void take_signature(struct predict_lists *l, const struct tls_signature *s)
{
	if (s && l->signatures_n < PREDICT_SIGNATURES_MAX)
		l->signatures[l->signatures_n++] = s->number;
}

/* What it signed with, and the usual ones that it could not show. */
static void take_signatures(struct predict_lists *l, const struct fleet_host *h)
{
	struct predict_lists usual = { 0 };

	for (unsigned i = 0; i < h->signatures_n; i++)
		take_signature(l, tls_signature_named(h->signatures[i]));
	if (l->with_13 || !h->full || l->signatures_n == 0) {
		predict_usual_signatures(l);
		return;
	}
	predict_usual_signatures(&usual);
	for (unsigned i = 0; i < usual.signatures_n; i++) {
		const struct tls_signature *s = tls_signature_find(usual.signatures[i]);

		if (!has(h, FLEET_KEY, tls_key_type_text(s->key)))
			take_signature(l, s);
	}
}

bool predict_from_server(const struct fleet_host *h, struct arena *a, struct span *ret_hello,
	uint8_t ret_fingerprint[32])
{
	_cleanup_(buf_done) struct buf hello = BUF_INIT(PREDICT_HELLO_ROOM);
	struct predict_lists l = { .version = old_version(h) };

	l.with_13 = has(h, FLEET_VERSION, "TLS 1.3");
	l.with_12 = l.version > 0;
	for (unsigned i = 0; i < h->traits_n; i++)
		if (h->traits[i].kind == FLEET_SUITE)
			take_suite(&l, h->traits[i].name);
		else if (h->traits[i].kind == FLEET_GROUP)
			take_group(&l, h->traits[i].name);
	if (l.suites_n == 0)
		return false;
	if (!h->full || l.groups_n == 0)
		predict_usual_groups(&l);
	take_signatures(&l, h);
	predict_hello_write(&hello, &l, SPAN(""));
	must(buf_error(&hello) == 0);
	*ret_hello = arena_span(a, buf_span(&hello));
	SHA256((const unsigned char *)&l, sizeof(l), ret_fingerprint);
	return true;
}
