/* Failed attempts and what is said about them; see explained.h. */
#include "explained.h"

static void explain(struct tls_set *set, const struct tls_circumstances *around, struct explained *e)
{
	assert_false(e->attempt.server_done);
	tls_explain(&e->attempt.facts, set, around, &e->why);
	assert_complete(e);
}

void explain_client(struct tls_set *set, enum tls_use use, const struct client_recipe *recipe, struct explained *e)
{
	attempt_client(set, use, recipe, &e->attempt);
	explain(set, NULL, e);
}

void explain_hello(struct tls_set *set, enum tls_use use, const struct hello_recipe *recipe, struct explained *e)
{
	struct hand h;

	hand_hello(recipe, &h);
	attempt_bytes(set, use, hand_span(&h), 0, &e->attempt);
	explain(set, NULL, e);
}

void explain_bytes(struct tls_set *set, struct span bytes, int error, struct explained *e)
{
	attempt_bytes(set, TLS_FOR_MAIL, bytes, error, &e->attempt);
	explain(set, NULL, e);
}

void explain_bytes_after_starttls(struct tls_set *set, struct span bytes, int error, struct explained *e)
{
	attempt_bytes(set, TLS_FOR_MAIL, bytes, error, &e->attempt);
	e->attempt.facts.starttls = true;
	explain(set, NULL, e);
}

void explain_facts(struct tls_set *set, const struct tls_facts *facts, const struct tls_circumstances *around,
	struct explained *e)
{
	e->attempt = (struct attempt){ .facts = *facts };
	explain(set, around, e);
}

void explained_done(struct explained *e)
{
	attempt_done(&e->attempt);
}

/* ---- assertions ---- */

static void print_all(const struct explained *e)
{
	for (unsigned i = 0; i < e->why.causes_n; i++) {
		struct buf text = BUF_INIT(16384);

		fault_print(&e->why.causes[i], FAULT_EN, &text);
		print_error("%s\n%s", fault_code_text(e->why.causes[i].code), buf_text(&text));
		buf_done(&text);
	}
}

void assert_causes_at(const struct explained *e, const enum fault_code *codes, const char *file, int line)
{
	unsigned n = 0;

	while (codes[n] != FAULT_NONE && n < e->why.causes_n && e->why.causes[n].code == codes[n])
		n++;
	if (codes[n] == FAULT_NONE && n == e->why.causes_n)
		return;
	print_error("wanted %s as cause %u of:\n", codes[n] ? fault_code_text(codes[n]) : "the end", n + 1);
	print_all(e);
	_fail(file, line);
}

void assert_evidence_at(const struct explained *e, unsigned cause, const char *name, const char *part, const char *file,
	int line)
{
	struct span value = fault_value(&e->why.causes[cause], name);

	if (span_find(value, span_of(part)) >= 0)
		return;
	print_error("%s is \"%.*s\", without \"%s\"\n", name, SPAN_ARG(value), part);
	_fail(file, line);
}

void assert_complete(const struct explained *e)
{
	assert_in_range(e->why.causes_n, 1, TLS_CAUSES_MAX);
	for (unsigned i = 0; i < e->why.causes_n; i++)
		for (enum fault_lang lang = FAULT_EN; lang <= FAULT_DE; lang++) {
			struct buf text = BUF_INIT(16384);

			fault_print(&e->why.causes[i], lang, &text);
			if (span_index(buf_span(&text), '<') >= 0)
				fail_msg("evidence is missing: %s", buf_text(&text));
			buf_done(&text);
		}
}

void assert_proof_at(const struct explained *e, unsigned n, const char *suite, const char *file, int line)
{
	if (e->why.proof_n == n && e->why.proven == (n > 0) && (n == 0 || strcmp(e->why.suite, suite) == 0))
		return;
	print_error("proof of %u with %s\n", e->why.proof_n, e->why.suite ? e->why.suite : "nothing");
	print_all(e);
	_fail(file, line);
}

struct tls_set *set_of_pairs(const struct made *a, const struct made *b, const struct made *c)
{
	struct folder f = folder_make();
	struct told told;
	struct tls_set *set;

	if (a)
		folder_put_pair(&f, "a.pem", a);
	if (b)
		folder_put_pair(&f, "b.pem", b);
	if (c)
		folder_put_pair(&f, "c.pem", c);
	set = folder_build(&f, NULL, &told);
	folder_remove(&f);
	return set;
}
