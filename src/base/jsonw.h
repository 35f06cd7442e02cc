/*
 * A writer for JSON log lines and small documents, straight into a buf: no tree, no
 * allocation. Commas are its business; nesting up to 32. Text is escaped by RFC 8259 and
 * bytes that are not UTF-8 become U+FFFD, so that every line parses.
 * (Larger documents that are read, too, use jansson, which owns the names json_*.)
 */
#pragma once
#include <stdbool.h>
#include "base/buf.h"

struct jsonw {
	struct buf *out;
	uint32_t first;  /* bit per level: nothing written there yet */
	uint32_t arrays; /* bit per level: an array, else an object */
	unsigned depth;
};

/* out is borrowed until the document is complete. */
void jsonw_init(struct jsonw *j, struct buf *out);
/* key is NULL inside arrays and for the outermost value. */
void jsonw_object(struct jsonw *j, const char *key);
void jsonw_array(struct jsonw *j, const char *key);
void jsonw_end(struct jsonw *j); /* closes the innermost */
void jsonw_span(struct jsonw *j, const char *key, struct span value);
void jsonw_text(struct jsonw *j, const char *key, const char *value); /* NULL: null */
void jsonw_int(struct jsonw *j, const char *key, int64_t value);
void jsonw_uint(struct jsonw *j, const char *key, uint64_t value);
void jsonw_real(struct jsonw *j, const char *key, double value);
void jsonw_bool(struct jsonw *j, const char *key, bool value);
/* RFC 3339 with the local offset; null for 0. */
void jsonw_time(struct jsonw *j, const char *key, int64_t wall_s);
/* A value that is JSON already (empty: null); the caller vouches for it. */
void jsonw_raw(struct jsonw *j, const char *key, struct span json);
/* Escapes s into out, without quotes. */
void jsonw_escape(struct buf *out, struct span s);
