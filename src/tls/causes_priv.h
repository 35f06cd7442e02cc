/*
 * Inside the table of causes: what predicates have in common. A predicate looks at the facts, and
 * adds the evidence that its sentence in base/fault_tls.tbl.h names, before or after it has
 * decided.
 */
#pragma once
#include "tls/explain_priv.h"

#define CAUSE(code, is, change, flags, alert) bool cause_##is(const struct why *w, struct found *f);
#include "tls/causes.tbl.h"
#undef CAUSE

/* ---- causes_evidence.c ---- */

#define LIST_SHOWN 320 /* bytes of a list of names */

void cause_add(struct found *f, const char *name, struct span value);
/* English and German. */
void cause_add_both(struct found *f, const char *name, const char *name_de, const char *en, const char *de);
/* Appends a name to a list that may not grow over LIST_SHOWN; what does not fit is counted. */
void cause_list_add(struct buf *list, struct span name, unsigned *left_out);
void cause_add_list(struct found *f, const char *name, struct buf *list, unsigned left_out);
void cause_add_suites(const struct why *w, struct found *f);
void cause_add_our_suites(const struct why *w, struct found *f, bool in_13);
void cause_add_their_signatures(const struct why *w, struct found *f);
void cause_add_their_groups(const struct why *w, struct found *f);
void cause_add_our_groups(struct found *f);
void cause_add_version(const struct why *w, struct found *f);
void cause_add_name(const struct why *w, struct found *f);
void cause_add_served(const struct why *w, struct found *f);
void cause_add_bytes(const struct why *w, struct found *f);
/* Suite and group that we chose, with the bits of a classic DH group. */
void cause_add_choice(const struct why *w, struct found *f);
/* "alert 42, bad_certificate"; "it hung up" */
void cause_add_alert(const struct why *w, struct found *f);
/* OpenSSL's own words. */
void cause_add_error(const struct why *w, struct found *f);
/* OpenSSL's words about a certificate, and German ones for the usual verdicts. */
void cause_add_verdict(const struct why *w, struct found *f);
