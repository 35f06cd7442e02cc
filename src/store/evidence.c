/* What rows of evidence are made of, for engines and for copies, and the door to the engines. */
#include "store/evidence.h"
#include "base/arena.h"
#include "base/mem.h"
#include "store/store_priv.h"

/* ---- records ---- */

/* The last field is counted for the reader and has no parameter. */
#define FIELD(name) RECORD_FIELD(struct store_peer, name)
static const struct record_field peer_fields[] = { FIELD(network), FIELD(helo), FIELD(address), FIELD(first_at),
	FIELD(last_at), FIELD(handshakes), FIELD(failures), FIELD(refusals), FIELD(mails), FIELD(mails_clear),
	FIELD(version), FIELD(suite), FIELD(key), FIELD(failed_at), FIELD(fault), FIELD(proof), FIELD(mails_recent) };
const struct record store_peer_record = { peer_fields, array_len(peer_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_hello, name)
static const struct record_field hello_fields[] = { FIELD(fingerprint), RECORD_FIELD_BLOB(struct store_hello, bytes),
	FIELD(succeeded), FIELD(failed), FIELD(first_at), FIELD(last_at) };
const struct record store_hello_record = { hello_fields, array_len(hello_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_failure, name)
static const struct record_field failure_fields[] = { FIELD(network), FIELD(helo), FIELD(address), FIELD(first_at),
	FIELD(last_at), FIELD(times), FIELD(code), FIELD(fault), FIELD(also), FIELD(proof) };
const struct record store_failure_record = { failure_fields, array_len(failure_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_refusal, name)
static const struct record_field refusal_fields[] = { FIELD(domain), FIELD(network), FIELD(helo), FIELD(address),
	FIELD(sender), FIELD(recipient), FIELD(first_at), FIELD(last_at), FIELD(times), FIELD(code), FIELD(earlier) };
const struct record store_refusal_record = { refusal_fields, array_len(refusal_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_mail, name)
static const struct record_field mail_fields[] = { FIELD(domain), FIELD(day), FIELD(version), FIELD(suite), FIELD(hop),
	FIELD(verdict), FIELD(mails), FIELD(recipients), FIELD(bytes) };
const struct record store_mail_record = { mail_fields, array_len(mail_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_grace, name)
static const struct record_field grace_fields[] = { FIELD(network), FIELD(helo), FIELD(domain), FIELD(first_at),
	FIELD(last_at) };
const struct record store_grace_record = { grace_fields, array_len(grace_fields) };
#undef FIELD

#define FIELD(name) RECORD_FIELD(struct store_certificate, name)
static const struct record_field certificate_fields[] = { FIELD(sha256), FIELD(name), FIELD(key), FIELD(bits),
	FIELD(issuer), FIELD(self_signed), FIELD(not_before), FIELD(not_after), FIELD(first_at), FIELD(last_at) };
const struct record store_certificate_record = { certificate_fields, array_len(certificate_fields) };
#undef FIELD

/* The texts of a row that was copied move into the arena. */
static void keep(struct arena *a, const struct record *record, void *row)
{
	for (int i = 0; i < record->count; i++) {
		const struct record_field *field = &record->fields[i];
		struct span *text = (struct span *)((char *)row + field->offset);

		if (field->kind == RECORD_TEXT || field->kind == RECORD_BLOB)
			*text = arena_span(a, *text);
	}
}

void store_peer_keep(struct arena *a, struct store_peer *p)
{
	keep(a, &store_peer_record, p);
}

void store_hello_keep(struct arena *a, struct store_hello *h)
{
	keep(a, &store_hello_record, h);
}

void store_failure_keep(struct arena *a, struct store_failure *f)
{
	keep(a, &store_failure_record, f);
}

void store_refusal_keep(struct arena *a, struct store_refusal *r)
{
	keep(a, &store_refusal_record, r);
}

void store_certificate_keep(struct arena *a, struct store_certificate *c)
{
	keep(a, &store_certificate_record, c);
}

/* ---- the door ---- */

int store_peer_add(struct store *s, const struct store_peer *p, const struct store_hello *hellos, unsigned n,
	struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->peer_add(s, p, hellos, n, fault);
}

int store_failure_add(struct store *s, const struct store_failure *f, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->failure_add(s, f, fault);
}

int store_refusal_add(struct store *s, const struct store_refusal *r, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->refusal_add(s, r, fault);
}

int store_mail_add(struct store *s, const struct store_mail *m, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->mail_add(s, m, fault);
}

int store_grace_put(struct store *s, const struct store_grace *g, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->grace_put(s, g, fault);
}

int store_certificate_add(struct store *s, const struct store_certificate *c, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->certificate_add(s, c, fault);
}

int store_evidence_trim(struct store *s, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->trim(s, fault);
}

int store_evidence_expire(struct store *s, int64_t now, uint64_t *ret_rows, struct fault *fault)
{
	must(s->begun);
	return s->engine->evidence->expire(s, now, ret_rows, fault);
}

int store_peer_each(struct store *s, bool failed, store_peer_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->evidence->peer_each(s, failed, fn, arg, fault);
}

int store_hello_each(struct store *s, store_hello_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->evidence->hello_each(s, fn, arg, fault);
}

int store_failure_each(struct store *s, int64_t from, int64_t to, store_failure_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->evidence->failure_each(s, from, to, fn, arg, fault);
}

int store_refusal_each(struct store *s, struct span domain, int64_t from, int64_t to, store_refusal_fn *fn, void *arg,
	struct fault *fault)
{
	return s->engine->evidence->refusal_each(s, domain, from, to, fn, arg, fault);
}

int store_mail_each(struct store *s, struct span domain, int64_t first, int64_t last, store_mail_fn *fn, void *arg,
	struct fault *fault)
{
	return s->engine->evidence->mail_each(s, domain, first, last, fn, arg, fault);
}

int store_certificate_each(struct store *s, struct span name, int64_t from, int64_t to, store_certificate_fn *fn,
	void *arg, struct fault *fault)
{
	return s->engine->evidence->certificate_each(s, name, from, to, fn, arg, fault);
}

int store_grace_each(struct store *s, store_grace_fn *fn, void *arg, struct fault *fault)
{
	return s->engine->evidence->grace_each(s, fn, arg, fault);
}

int store_evidence_since(struct store *s, int64_t *ret, struct fault *fault)
{
	*ret = 0;
	return s->engine->evidence->since(s, ret, fault);
}
