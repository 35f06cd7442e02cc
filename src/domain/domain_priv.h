/* What the files of domain/ share. */
#pragma once
#include "domain/domain.h"

/* ---- name.c ---- */

#define NAME_MAX_BYTES 253
/* Normalises into out (not NUL-terminated); NULL, or why not ("English|German"). */
const char *name_normalise(struct span text, bool wildcard, char out[NAME_MAX_BYTES + 2], size_t *ret_n);

/* ---- errors.c ---- */

/* One more fault, or NULL if enough are kept. */
struct fault *errors_add(struct conf_errors *errors, struct arena *a, enum fault_code code);
/* Evidence {why} and {why_de} from "English|German". */
void errors_why(struct fault *f, const char *why);
/* In the order of their lines. */
void errors_sort(struct conf_errors *errors);

/* ---- keys.c ---- */

/* What conf_parse() fills: the domain's plain values are in their place already, lists are not. */
struct domain_text {
	struct domain d;
	struct conf_list web, origin, recipient;
};
/* Of a whole file, by domain_file_keys; inside are struct domain_text, by domain_keys. */
struct domain_file_text {
	struct conf_sections domains;
};
extern const struct conf_key domain_file_keys[];

/* ---- recipient.c ---- */

/* snapshot_tls_of() at a time. */
enum domain_tls domain_tls_of(const struct domain *d, struct span mailbox, int64_t now);

/* ---- origin_spec.c ---- */

/* host[:port] into spec; the port stays as it is if there is none. NULL, or why not. */
const char *origin_authority_parse(struct span text, struct origin_spec *spec);

/* ---- change.c ---- */

/* A change with the domain to be written (NULL: removed). */
struct change_plan {
	struct domain_change *changes;
	const struct domain **after;
	unsigned n, room;
};
/* Adds "before becomes after", unless both are the same; before.p == NULL: absent so far. */
void change_add(struct change_plan *plan, struct arena *a, struct span name, struct span before,
	const struct domain *after);
/* Carries all out and ends the transaction; r: how it went so far (< 0: nothing is carried out),
 * dry_run: none was begun and nothing is carried out either. How many changes, or -errno. */
int change_end(struct store *s, const struct change_plan *plan, int r, bool dry_run, const char *by,
	struct fault *fault);
/* All rows of the store in order of their names. */
struct store_rows {
	struct arena *a;
	struct row {
		struct span name, body;
	} * v;
	unsigned n, room;
};
int store_rows_read(struct store *s, struct arena *a, struct store_rows *ret, struct fault *fault);
