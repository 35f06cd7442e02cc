/* What the tests of the explanation engine share: an attempt that fails, and what is said about
 * it. */
#pragma once
#include "hand.h"
#include "tls/explain.h"

struct explained {
	struct attempt attempt;
	struct tls_explanation why;
};
/* Each fails the test if the handshake succeeds. around may be NULL. */
void explain_client(struct tls_set *set, enum tls_use use, const struct client_recipe *recipe, struct explained *ret);
void explain_hello(struct tls_set *set, enum tls_use use, const struct hello_recipe *recipe, struct explained *ret);
void explain_bytes(struct tls_set *set, struct span bytes, int error, struct explained *ret);
/* The same behind STARTTLS. */
void explain_bytes_after_starttls(struct tls_set *set, struct span bytes, int error, struct explained *ret);
/* Facts that were made up. */
void explain_facts(struct tls_set *set, const struct tls_facts *facts, const struct tls_circumstances *around,
	struct explained *ret);
void explained_done(struct explained *e);

/* The causes are exactly these, in this order (FAULT_NONE ends). */
#define assert_causes(e, ...) \
	assert_causes_at((e), (const enum fault_code[]){ __VA_ARGS__, FAULT_NONE }, __FILE__, __LINE__)
void assert_causes_at(const struct explained *e, const enum fault_code *codes, const char *file, int line);
/* Evidence of the first cause holds this text. */
#define assert_evidence(e, name, part) assert_evidence_at((e), 0, (name), (part), __FILE__, __LINE__)
void assert_evidence_at(const struct explained *e, unsigned cause, const char *name, const char *part, const char *file,
	int line);
/* Cause and remedy of all causes, in both languages, name no evidence that is missing. Called by
 * the explain_*(). */
void assert_complete(const struct explained *e);
/* The proof: n causes had to be lifted, and then it was this suite; n == 0: there is none. */
#define assert_proof(e, n, suite) assert_proof_at((e), (n), (suite), __FILE__, __LINE__)
void assert_proof_at(const struct explained *e, unsigned n, const char *suite, const char *file, int line);

/* A set of up to three pairs (NULL: left out), in files a.pem, b.pem, c.pem. */
struct tls_set *set_of_pairs(const struct made *a, const struct made *b, const struct made *c);
