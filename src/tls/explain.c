/*
 * The engine's frame: walks the table of causes, lets the replay tell apart those that hit, and
 * writes the proof down. The essay is in tls/explain.h.
 */
#include "tls/explain.h"
#include <errno.h>
#include <openssl/err.h>
#include "base/fmt.h"
#include "io/helper.h"
#include "tls/causes_priv.h"
#include "tls/record.h"

#define FOUND_MAX 8 /* rows that may hit at once; later ones are left out */
#define JOBS_MAX  2 /* replaying at once */

struct cause {
	enum fault_code code;
	bool (*is)(const struct why *w, struct found *f);
	unsigned change, flags;
	uint8_t alert;
};
static const struct cause causes[] = {
#define CAUSE(code, is, change, flags, alert) { FAULT_##code, cause_##is, change, flags, alert },
#include "tls/causes.tbl.h"
#undef CAUSE
};

struct ranking {
	struct why why;
	struct found *found; /* in the why's arena */
	unsigned found_n;
	unsigned replays;
	unsigned proof;   /* the changes that sufficed */
	unsigned proof_n; /* the causes in front that they lift */
	const char *suite;
};

/* ---- what applies ---- */

static void find(struct ranking *r)
{
	unsigned named = 0; /* those in front that the peer's alert names */

	r->found = arena_array(&r->why.arena, struct found, FOUND_MAX + 1);
	for (unsigned i = 0; i < array_len(causes) && r->found_n < FOUND_MAX; i++) {
		const struct cause *c = &causes[i];
		struct found *f = &r->found[r->found_n], hit;

		if ((c->flags & CAUSE_LAST) && r->found_n > 0)
			continue;
		fault_set(&f->fault, c->code);
		f->change = c->change;
		if (!c->is(&r->why, f))
			continue;
		r->found_n++;
		if (c->alert && c->alert == r->why.facts->alert_received) {
			hit = *f;
			memmove(&r->found[named + 1], &r->found[named], (size_t)(f - &r->found[named]) * sizeof(*f));
			r->found[named++] = hit;
		}
		if (c->flags & CAUSE_FINAL)
			return;
	}
}

/* ---- which of them ---- */

static const char *try(struct ranking *r, unsigned changes)
{
	if (r->replays == TLS_REPLAYS_MAX)
		return NULL;
	r->replays++;
	return replay(&r->why, changes);
}

static void to_front(struct ranking *r, unsigned i, unsigned place)
{
	struct found f = r->found[i];

	memmove(&r->found[place + 1], &r->found[place], (i - place) * sizeof(f));
	r->found[place] = f;
}

/* If one change alone makes the replay succeed, its row is the cause, and rows that need another
 * change are dropped. */
static bool prove_one(struct ranking *r)
{
	for (unsigned i = 0; i < r->found_n; i++) {
		unsigned change = r->found[i].change, kept = 0;

		r->suite = change ? try(r, change) : NULL;
		if (!r->suite)
			continue;
		r->proof = change;
		r->proof_n = 1;
		to_front(r, i, 0);
		for (unsigned k = 0; k < r->found_n; k++)
			if (k == 0 || r->found[k].change == 0 || r->found[k].change == change)
				r->found[kept++] = r->found[k];
		r->found_n = kept;
		return true;
	}
	return false;
}

/* If two changes are needed together, both rows are causes. */
static bool prove_two(struct ranking *r)
{
	for (unsigned i = 0; i < r->found_n; i++)
		for (unsigned k = i + 1; k < r->found_n; k++) {
			unsigned a = r->found[i].change, b = r->found[k].change;

			if (a == 0 || b == 0 || a == b)
				continue;
			r->suite = try(r, a | b);
			if (!r->suite)
				continue;
			r->proof = a | b;
			r->proof_n = 2;
			to_front(r, i, 0);
			to_front(r, k, 1);
			return true;
		}
	return false;
}

/* ---- the result ---- */

static void write_proof(const struct ranking *r, struct fault *fault)
{
	_cleanup_(buf_done) struct buf en = BUF_INIT(512), de = BUF_INIT(512);

	changes_text(r->proof, FAULT_EN, &en);
	changes_text(r->proof, FAULT_DE, &de);
	fault_fact(fault, "proof", " Replayed against the same settings plus %s, this ClientHello succeeds with %s.",
		buf_text(&en), r->suite);
	fault_fact(fault, "proof_de",
		" Gegen dieselben Einstellungen plus %s abgespielt, gelingt dieses ClientHello mit %s.", buf_text(&de),
		r->suite);
}

/* "ECDSA (mx.pem): the peer offers no suite for its key type; ..." */
static void write_certificates(const struct tls_explanation *e, struct fault *fault)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);

	for (unsigned i = 0; i < e->obstacles_n; i++)
		buf_addf(&text, "%s%s (%s): %s", i ? "; " : "", tls_key_type_text(e->obstacles[i].pair->type),
			e->obstacles[i].pair->cert_path, e->obstacles[i].why_en);
	fault_fact(fault, "certificates", "%s", buf_text(&text));
}

static void write_result(const struct ranking *r, struct tls_explanation *ret)
{
	const struct why *w = &r->why;

	ret->causes_n = r->found_n < TLS_CAUSES_MAX ? r->found_n : TLS_CAUSES_MAX;
	for (unsigned i = 0; i < w->pairs_n; i++)
		obstacle_text(w->obstacles[i], w->pairs[i], &ret->obstacles[ret->obstacles_n++]);
	for (unsigned i = 0; i < ret->causes_n; i++) {
		ret->causes[i] = r->found[i].fault;
		if (i < r->proof_n)
			write_proof(r, &ret->causes[i]);
		else
			fault_fact(&ret->causes[i], "proof", "%s", "");
	}
	/* Once we have answered, our certificates were good enough to be chosen. */
	if (w->has_hello && w->pairs_n > 0 && !why_answered(w))
		write_certificates(ret, &ret->causes[0]);
	ret->proven = r->proof_n > 0;
	ret->proof_n = r->proof_n;
	ret->suite = r->suite;
	ret->replays = r->replays;
}

void tls_explain(const struct tls_facts *facts, struct tls_set *set, const struct tls_circumstances *around,
	struct tls_explanation *ret)
{
	struct ranking r = { 0 };

	*ret = (struct tls_explanation){ 0 };
	why_init(&r.why, facts, set, around);
	find(&r);
	if (r.why.has_hello && r.why.ctx && !r.why.around->no_replay && !prove_one(&r))
		prove_two(&r);
	write_result(&r, ret);
	why_done(&r.why);
}

/* ---- in a task ---- */

struct job {
	const struct tls_facts *facts;
	struct tls_set *set;
	const struct tls_circumstances *around;
	struct tls_explanation *ret;
};

static void run_job(void *arg)
{
	const struct job *job = arg;

	tls_explain(job->facts, job->set, job->around, job->ret);
}

void tls_explain_in_task(const struct tls_facts *facts, struct tls_set *set, const struct tls_circumstances *around,
	struct tls_explanation *ret)
{
	static atomic_uint running;
	struct tls_circumstances alone = around ? *around : (struct tls_circumstances){ 0 };
	struct job job = { facts, set, around, ret };
	bool done = false;

	if (set && facts->hello_n > 0 && facts->hello[0] == TLS_RECORD_HANDSHAKE) {
		done = atomic_fetch_add(&running, 1) < JOBS_MAX && helper_run(run_job, &job) == 0;
		atomic_fetch_sub(&running, 1);
	}
	if (done)
		return;
	alone.no_replay = true;
	tls_explain(facts, set, &alone, ret);
}

/* ---- a hello without a connection ---- */

bool tls_explain_hello(struct span hello, enum tls_use use, struct tls_set *set, const char **ret_suite,
	struct tls_explanation *ret)
{
	struct tls_facts facts = { .use = use };
	SSL *ssl = SSL_new(set->ctx[use]);
	struct why why;
	int r;

	must(ssl);
	SSL_set_bio(ssl, BIO_new_mem_buf(hello.p, (int)hello.n), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	facts_attach(ssl, &facts);
	facts_add_bytes(&facts, hello.p, hello.n);
	ERR_clear_error();
	r = SSL_do_handshake(ssl);
	facts.error = r == 1 ? 0 : -EPROTO;
	facts_failed(ssl, &facts);
	ERR_clear_error();
	SSL_free(ssl);
	why_init(&why, &facts, set, NULL);
	*ret_suite = why.has_hello ? replay(&why, 0) : NULL;
	why_done(&why);
	if (!*ret_suite)
		tls_explain(&facts, set, NULL, ret);
	tls_facts_done(&facts);
	return *ret_suite;
}

/* One of the certificates can serve a client that chooses this suite. */
static bool is_usable(const struct why *w, const struct tls_suite *s)
{
	if ((s->auth == TLS_AUTH_ANY) != (w->version == 0x0304))
		return false;
	for (unsigned i = 0; i < w->pairs_n; i++) {
		bool rsa = w->pairs[i]->pub.type == TLS_KEY_RSA;

		if (w->obstacles[i] == OBSTACLE_NONE && (s->auth == TLS_AUTH_ANY || (s->auth == TLS_AUTH_RSA) == rsa))
			return true;
	}
	return false;
}

static void count_suite(const struct why *w, const struct tls_suite *s, struct tls_offer *ret)
{
	ret->suites_n++;
	ret->rsa_n += s->auth == TLS_AUTH_RSA;
	ret->ecdsa_n += s->auth == TLS_AUTH_ECDSA;
	ret->any_n += s->auth == TLS_AUTH_ANY;
	ret->past_n += s->kind != TLS_SUITE_USUAL && s->kind != TLS_SUITE_UNKNOWN;
	if (!suite_is_allowed(w->ctx, s->number))
		return;
	ret->common_n++;
	ret->usable_n += is_usable(w, s);
}

bool tls_explain_offer(struct span hello, enum tls_use use, struct tls_set *set, struct tls_offer *ret)
{
	struct tls_facts facts = { .use = use };
	struct why why;
	bool has_hello;

	*ret = (struct tls_offer){ 0 };
	facts_add_bytes(&facts, hello.p, hello.n);
	why_init(&why, &facts, set, NULL);
	has_hello = why.has_hello;
	for (unsigned i = 0; i < why.suites_n; i++)
		count_suite(&why, &why.suites[i], ret);
	for (unsigned i = 0; i < why.pairs_n; i++)
		obstacle_text(why.obstacles[i], why.pairs[i], &ret->obstacles[ret->obstacles_n++]);
	ret->version = why.version;
	ret->version_max = why.theirs_max;
	ret->name[fmt_safe(why.hello.sni, "", ret->name, sizeof(ret->name) - 1)] = '\0';
	why_done(&why);
	tls_facts_done(&facts);
	return has_hello;
}

/* ---- as a document ---- */

void tls_explanation_json(struct jsonw *j, const char *name, const struct tls_explanation *e)
{
	jsonw_object(j, name);
	jsonw_array(j, "causes");
	for (unsigned i = 0; i < e->causes_n; i++)
		fault_json(j, NULL, &e->causes[i]);
	jsonw_end(j);
	jsonw_array(j, "certificates");
	for (unsigned i = 0; i < e->obstacles_n; i++) {
		const struct tls_obstacle *o = &e->obstacles[i];

		jsonw_object(j, NULL);
		jsonw_text(j, "file", o->pair->cert_path);
		jsonw_text(j, "type", tls_key_type_text(o->pair->type));
		jsonw_bool(j, "usable", o->usable);
		jsonw_text(j, "why", o->why_en);
		jsonw_text(j, "why_de", o->why_de);
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_bool(j, "proven", e->proven);
	jsonw_text(j, "suite", e->suite);
	jsonw_end(j);
}
