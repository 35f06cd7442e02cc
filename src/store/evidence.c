/* The door to the engines for what the mail edge keeps. */
#include "store/evidence.h"
#include "base/mem.h"
#include "store/store_priv.h"

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
