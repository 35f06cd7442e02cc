/*
 * What an engine must do. store.c picks one by the scheme of the URL and checks what all engines
 * have in common; an engine embeds struct store as its first member. The functions mean what
 * "store/store.h" says of their namesakes.
 */
#pragma once
#include <stddef.h>
#include "store/evidence.h"

/* ---- records: how a struct lies in a row, field by field ---- */

enum record_kind {
	RECORD_TEXT,   /* struct span */
	RECORD_BLOB,   /* struct span, for a column of bytes */
	RECORD_NUMBER, /* int64_t, uint64_t */
	RECORD_FLAG,   /* bool */
	RECORD_BYTES,  /* uint8_t[size] */
};
struct record_field {
	enum record_kind kind;
	unsigned short offset, size; /* within the struct */
};
struct record {
	const struct record_field *fields;
	int count;
};
/* clang-format off */
#define RECORD_KIND_OF(field) _Generic((field), struct span: RECORD_TEXT, int64_t: RECORD_NUMBER, \
	uint64_t: RECORD_NUMBER, bool: RECORD_FLAG, uint8_t *: RECORD_BYTES)
/* clang-format on */
#define RECORD_FIELD_OF(type, field, kind) \
	{ \
		kind, offsetof(type, field), sizeof(((type *)0)->field) \
	}
/* A field of a struct, by what its type says; a span of bytes is to be called a blob. */
#define RECORD_FIELD(type, field)      RECORD_FIELD_OF(type, field, RECORD_KIND_OF(((type *)0)->field))
#define RECORD_FIELD_BLOB(type, field) RECORD_FIELD_OF(type, field, RECORD_BLOB)
extern const struct record store_peer_record, store_hello_record, store_failure_record, store_refusal_record,
	store_mail_record, store_grace_record, store_certificate_record;

/* ---- engines ---- */

/* Of "store/evidence.h"; additions run inside a transaction. */
struct store_evidence_engine {
	int (*peer_add)(struct store *s, const struct store_peer *p, const struct store_hello *hellos, unsigned n,
		struct fault *fault);
	int (*failure_add)(struct store *s, const struct store_failure *f, struct fault *fault);
	int (*refusal_add)(struct store *s, const struct store_refusal *r, struct fault *fault);
	int (*mail_add)(struct store *s, const struct store_mail *m, struct fault *fault);
	int (*grace_put)(struct store *s, const struct store_grace *g, struct fault *fault);
	int (*certificate_add)(struct store *s, const struct store_certificate *c, struct fault *fault);
	int (*trim)(struct store *s, struct fault *fault);
	int (*expire)(struct store *s, int64_t now, uint64_t *ret_rows, struct fault *fault);
	int (*peer_each)(struct store *s, bool failed, store_peer_fn *fn, void *arg, struct fault *fault);
	int (*hello_each)(struct store *s, store_hello_fn *fn, void *arg, struct fault *fault);
	int (*failure_each)(struct store *s, int64_t from, int64_t to, store_failure_fn *fn, void *arg,
		struct fault *fault);
	int (*refusal_each)(struct store *s, struct span domain, int64_t from, int64_t to, store_refusal_fn *fn,
		void *arg, struct fault *fault);
	int (*mail_each)(struct store *s, struct span domain, int64_t first, int64_t last, store_mail_fn *fn, void *arg,
		struct fault *fault);
	int (*certificate_each)(struct store *s, struct span name, int64_t from, int64_t to, store_certificate_fn *fn,
		void *arg, struct fault *fault);
	int (*grace_each)(struct store *s, store_grace_fn *fn, void *arg, struct fault *fault);
	int (*since)(struct store *s, int64_t *ret, struct fault *fault);
};
struct store_engine {
	const char *scheme; /* "sqlite": what stands before the colon */
	/* What stands behind the colon: is it an address, and of which file (empty: none)? */
	bool (*is_place)(struct span place);
	struct span (*file)(struct span place);
	int (*open)(struct span place, bool create, struct store **ret, struct fault *fault);
	void (*close)(struct store *s);
	int (*begin)(struct store *s, struct fault *fault);
	int (*commit)(struct store *s, struct fault *fault);
	void (*rollback)(struct store *s);
	int (*writable)(struct store *s, struct fault *fault);
	int (*version)(struct store *s, uint64_t *ret, struct fault *fault);
	/* put and remove run inside a transaction. */
	int (*domain_put)(struct store *s, const struct store_domain *d, struct fault *fault);
	int (*domain_remove)(struct store *s, struct span name, struct fault *fault);
	/* only: one domain (then -ENOENT if it is absent), or NULL for all. */
	int (*domain_each)(struct store *s, const struct span *only, store_domain_fn *fn, void *arg,
		struct fault *fault);
	int (*undo_last)(struct store *s, store_undo_fn *fn, void *arg, struct fault *fault);
	int (*purge_add)(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault);
	int (*purge_since)(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault);
	int (*purge_last)(struct store *s, uint64_t *ret_seq, struct fault *fault);
	const struct store_evidence_engine *evidence;
};
struct store {
	const struct store_engine *engine;
	bool begun; /* between begin and commit or rollback */
};

extern const struct store_engine store_engine_sqlite;
