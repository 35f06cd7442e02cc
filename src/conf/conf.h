/*
 * Text that people write: settings (torhaus.conf) and domains (torhaus domain export). One
 * grammar: name = value, name = {a, b}, section { … }, section "title" { … }, # comments.
 *
 *   threads = 4                          # a bare word
 *   store   = "sqlite:/var/lib/x.db"     # or "…" or '…'
 *   web {
 *     listen = {"0.0.0.0:80", "[::]:80"} # a single value is a list of one
 *   }
 *   domain "example.de" { origin = http://10.0.0.5:8080 }
 *
 * A bare word holds anything but blanks, control bytes and "'{}(),;=# . A string ends on its line;
 * in "…" stand \" \\ \' \n \r \t \xHH, in '…' only \' and \\. Nothing is expanded: a $ is a $.
 * A value begins on the line of its name; apart from that lines mean nothing.
 *
 * A schema (tables of struct conf_key) says which keys exist, their type, default and help; from
 * the same tables come the man page, `torhaus init`'s commented file and the "did you mean". A key
 * that is not in the table, a value that does not fit, a key or section that stands twice: each is
 * a fault with file and line, and all faults of a file are reported in one run.
 *
 * Everything is reentrant: any thread may parse any text at any time.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/fault.h"

#define CONF_BYTES_MAX  (64u << 20) /* of a text */
#define CONF_KEYS_MAX   64          /* of one table */
#define CONF_DEPTH_MAX  4           /* tables inside tables */
#define CONF_LIST_MAX   4096        /* elements of a list */
#define CONF_ERRORS_MAX 100         /* faults that are kept */
#define CONF_PATH_MAX   128         /* "web.listen" and its NUL */

enum conf_type {
	CONF_TEXT,     /* struct span, followed by a NUL that it does not count; never holds one */
	CONF_LIST,     /* struct conf_list of such spans */
	CONF_BOOL,     /* bool: true false yes no on off */
	CONF_UINT,     /* uint64_t within min..max */
	CONF_DURATION, /* uint64_t ms within min..max */
	CONF_SIZE,     /* uint64_t bytes within min..max */
	CONF_ENUM,     /* unsigned: index into choices */
	CONF_SECTION,  /* at most once: the struct of its fields */
	CONF_TITLED,   /* struct conf_sections: any number, no title twice */
};
struct conf_list {
	struct span *v;
	unsigned n;
	unsigned line; /* where its value begins; 0: the preset */
};
/*
 * Texts for people (wanted, what judge() returns) hold both languages: "no port|kein Port"; without
 * the bar the text serves for both.
 */
struct conf_key {
	const char *name;
	enum conf_type type;
	size_t at; /* offsetof its place in the struct of its table */
	/* default as text ("30s"); lists: blank-separated; NULL: empty/0 */
	const char *preset;
	/* for UINT, DURATION, SIZE; LIST: max elements; max 0: no bound */
	uint64_t min, max;
	const char *const *choices; /* ENUM, NULL-terminated */
	/* Further judgement of TEXT, LIST elements and titles: NULL if fine, else why not. A TEXT
	 * without preset may always be empty: not set. */
	const char *(*judge)(struct span value);
	const char *wanted;            /* how a right value looks, for the fault */
	const struct conf_key *inner;  /* SECTION and TITLED; ends with name == NULL */
	size_t inner_size;             /* TITLED: size of the struct of one section */
	unsigned flags;                /* the owner's of the table: nothing here looks at them */
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
	struct fault *v; /* in file order, memory from conf_parse()'s arena */
	unsigned n;      /* at most CONF_ERRORS_MAX are kept */
};
/* Parses text (file: its name for the faults) into *ret by keys; memory from a, text may go. Keys
 * absent from the text take their presets. 0, or -EINVAL with errors filled; what did fit is in ret
 * even then, so that the caller can look for more faults. */
int conf_parse(struct span text, const char *file, const struct conf_key *keys, void *ret, struct arena *a,
	struct conf_errors *errors);
/* Writes `"text"` with the escapes that the grammar needs; text holds no NUL. */
void conf_quote(struct buf *out, struct span text);
/* A commented file with every key at its preset, or as given: values as they stand in a file, by
 * path ({ "web.listen", "{\"[::]:80\"}" }, the last path NULL; given may be NULL). For `torhaus
 * init`. */
struct conf_given {
	const char *path, *value;
};
void conf_template(struct buf *out, const struct conf_key *keys, const struct conf_given *given, enum fault_lang lang);
/* The keys as man page rows (roff), keys of a section under its name. */
void conf_man(struct buf *out, const struct conf_key *keys);
/* Calls fn for every key whose values differ in two structs that conf_parse() filled; TITLED ones
 * are left out. */
typedef void conf_differs_fn(void *arg, const char *path, const struct conf_key *key);
void conf_compare(const struct conf_key *keys, const void *one, const void *other, conf_differs_fn *fn, void *arg);

/* For what a schema cannot say: a further fault of the file at its place, with file and line. NULL
 * if enough are kept. */
struct fault *conf_error(struct conf_errors *errors, struct arena *a, const char *file, unsigned line,
	enum fault_code code);
/* The same as SETTINGS-BAD-VALUE; why and wanted are "English|German". */
void conf_error_value(struct conf_errors *errors, struct arena *a, const char *file, unsigned line, const char *path,
	struct span value, const char *why, const char *wanted);
