/*
 * struct fault: why something went wrong, for a person.
 *
 * Every refusal, failed handshake, 502/504, failed reload or renewal has a code
 * (ORIGIN-REFUSED), the evidence (concrete values: addresses, dates, names), the cause in
 * one sentence and the remedy in one sentence. The same text stands in the log line, on
 * the command line, in the API and on the page, in English and German.
 *
 * Evidence in words (why) may have a German form beside it under the name with _de (why_de),
 * which the German sentences take instead.
 *
 * The codes and sentences are the rows of "base/fault.tbl.h". A sentence names its
 * evidence as {origin}; the fault carries the values. Evidence that is missing prints as
 * <origin>, which is also how `torhaus explain CODE` prints a row.
 *
 * Libraries fill a fault and return a negative errno; the edge that handles it logs it,
 * once. A fault is a plain value of about 1.6 KiB: no allocation, copy it freely.
 */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/jsonw.h"

enum fault_code {
	FAULT_NONE = 0,
#define FAULT(id, code, cause_en, cause_de, remedy_en, remedy_de) FAULT_##id,
#include "base/fault.tbl.h"
#undef FAULT
	FAULT_COUNT
};
enum fault_lang { FAULT_EN, FAULT_DE };

#define FAULT_FACTS_MAX 12
#define FAULT_TEXT_MAX  1400
struct fault {
	enum fault_code code;
	unsigned facts;
	struct {
		const char *name; /* a literal */
		uint16_t at, n;   /* its value in text */
	} fact[FAULT_FACTS_MAX];
	uint16_t used;
	char text[FAULT_TEXT_MAX];
};

void fault_clear(struct fault *f);
/* Starts over with this code and no evidence. f may be NULL here and below: then nothing. */
void fault_set(struct fault *f, enum fault_code code);
/* Adds evidence; name must be a literal. Values that do not fit are cut, never overrun;
 * control bytes are written as \xNN, so a value cannot break a log line. */
void fault_fact(struct fault *f, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct span fault_value(const struct fault *f, const char *name); /* empty if absent */

/* A fault as lines of text for keeping: its code, then name=value for each piece of evidence. */
void fault_pack(const struct fault *f, struct buf *out);
/* And back; the names of the evidence live in a. 0, or -EINVAL with *ret cleared: damaged, or a
 * code of another version. */
int fault_unpack(struct span text, struct arena *a, struct fault *ret);

const char *fault_code_text(enum fault_code code); /* "ORIGIN-REFUSED" */
/* The code of that text, FAULT_NONE if there is none; fault_code_nearest() never fails. */
enum fault_code fault_code_find(struct span text);
enum fault_code fault_code_nearest(struct span text);
/* The sentences with the evidence filled in. */
void fault_cause(const struct fault *f, enum fault_lang lang, struct buf *out);
void fault_remedy(const struct fault *f, enum fault_lang lang, struct buf *out);
/* "cause: …" and "remedy: …" lines, each indented by two blanks, for logs and terminals. */
void fault_print(const struct fault *f, enum fault_lang lang, struct buf *out);
/* The language of $LANG-like text ("de_DE.UTF-8" -> FAULT_DE). */
enum fault_lang fault_lang_of(const char *locale);
/* A member (or, without key, a value) of the document under way: {"code", "cause", "remedy",
 * "cause_de", "remedy_de", "facts": {}} */
void fault_json(struct jsonw *j, const char *key, const struct fault *f);
