/*
 * A writer for JSON log lines and small documents, straight into a buf: no tree, no
 * allocation. Commas are its business; nesting up to 32. Text is escaped by RFC 8259 and
 * bytes that are not UTF-8 become U+FFFD, so that every line parses.
 * (Larger documents that are read, too, use jansson.)
 */
#pragma once
#include <stdbool.h>
#include "base/buf.h"

struct json {
	struct buf *out;
	uint32_t first;  /* bit per level: nothing written there yet */
	uint32_t arrays; /* bit per level: an array, else an object */
	unsigned depth;
};

/* out is borrowed until the document is complete. */
void json_init(struct json *j, struct buf *out);
/* key is NULL inside arrays and for the outermost value. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j); /* closes the innermost */
void json_span(struct json *j, const char *key, struct span value);
void json_text(struct json *j, const char *key, const char *value); /* NULL: null */
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_real(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
/* Escapes s into out, without quotes. */
void json_escape(struct buf *out, struct span s);
