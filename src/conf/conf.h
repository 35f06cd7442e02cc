/*
 * Text that people write: settings (torhaus.conf) and domains (torhaus domain export). One
 * grammar, libconfuse's: name = value, name = {a, b}, section { … }, section "title" { … },
 * # comments.
 *
 * A schema (tables of struct conf_key) says which keys exist, their type, default and help; from
 * the same tables come the man page, `torhaus init`'s commented file and the "did you mean". A key
 * that is not in the table, a value that does not fit, a section that may stand once and stands
 * twice: each is a fault with file and line, and all faults of a file are reported in one run.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/fault.h"

enum conf_type {
	CONF_TEXT,     /* struct span */
	CONF_LIST,     /* struct conf_list */
	CONF_BOOL,     /* bool */
	CONF_UINT,     /* uint64_t within min..max */
	CONF_DURATION, /* uint64_t ms, within min..max */
	CONF_SIZE,     /* uint64_t bytes, within min..max */
	CONF_ENUM,     /* unsigned: index into choices */
	CONF_SECTION,  /* at most once; fields inside */
	CONF_TITLED,   /* any number, each with a title: struct conf_section list */
};
struct conf_list {
	struct span *v;
	unsigned n;
};
struct conf_key {
	const char *name;
	enum conf_type type;
	size_t at;                  /* offsetof its place in the result struct */
	const char *preset;         /* default as text ("30s"); lists: blank-separated; NULL: empty/0 */
	uint64_t min, max;          /* for UINT, DURATION, SIZE; max 0: no bound */
	const char *const *choices; /* ENUM, NULL-terminated */
	/* Further judgement of TEXT and LIST elements: NULL if fine, else why not ("no address"). */
	const char *(*judge)(struct span value);
	const char *wanted;            /* how a right value looks, for the fault */
	const struct conf_key *inner;  /* SECTION and TITLED; ends with name == NULL */
	size_t inner_size;             /* TITLED: size of the struct of one section */
	const char *help_en, *help_de; /* one sentence each */
};
/* What a TITLED key fills: an array of inner_size structs, titles beside. */
struct conf_sections {
	void *v;
	struct span *titles;
	unsigned *lines;
	unsigned n;
};
struct conf_errors {
	struct fault *v; /* in file order */
	unsigned n;      /* at most 100 are kept */
};
/* Parses text (file: its name for the faults) into *ret by keys; memory from a. Keys absent from the
 * text take their presets. 0, or -EINVAL with errors filled (ret is unusable then). */
int conf_parse(struct span text, const char *file, const struct conf_key *keys, void *ret, struct arena *a,
	struct conf_errors *errors);
/* Writes `"text"` with the escapes that the grammar needs. */
void conf_quote(struct buf *out, struct span text);
/* A commented file with every key at its preset, for `torhaus init`. */
void conf_template(struct buf *out, const struct conf_key *keys, enum fault_lang lang);
/* The keys as man page rows (roff). */
void conf_man(struct buf *out, const struct conf_key *keys);
