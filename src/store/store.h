/*
 * The store: where domains live. One thin interface; SQLite is behind it today, PostgreSQL
 * can be without a change above: nothing here shows SQL, files or rows of one engine.
 *
 * Everything blocks: call it from the command line or from helper threads, never in a task. One
 * struct store belongs to one thread at a time.
 *
 * Consistency: store_begin()/store_commit() make many changes one; store_version() changes with
 * every commit of domains or purges by anybody. What the mail edge keeps here (store/evidence.h)
 * does not count.
 *
 * Results: 0 or -errno with a fault (STORE-*: missing, locked, read-only, full, corrupt, wrong
 * version). The same handle may be used again afterwards: it reopens what it must (the file was
 * replaced, the server restarted), except that a store which went missing is not made again. Where
 * -ENOENT or a number of fn's is a result, the fault stays empty.
 *
 * Rights with SQLite: who changes domains needs to write FILE, FILE-wal, FILE-shm and their folder;
 * who only reads needs to read the three files (a server that is fenced in must have the folder
 * among its writable ones, for it records purges and moves the log into the file). Made or touched
 * by root, they keep the owner of the folder and of FILE.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/fault.h"

#define STORE_TEXT_MAX (512 * 1024) /* bytes of a domain's text, of what a purge names */
#define STORE_WEB_MAX  1000         /* web names of a domain */

/* ---- the address of a store ---- */

#define STORE_URL_PRESET "sqlite:/var/lib/torhaus/torhaus.db"
/* What an address has to be, for people: English and German. */
#define STORE_URL_WANTED "\"sqlite:\" and the absolute path of a file|\"sqlite:\" und der absolute Pfad einer Datei"
/* Is there an engine for it, and does it look like an address of that engine's? */
bool store_url_is_valid(struct span url);
/* The file that url means; its folder has to be writable, for there are others beside it. Empty:
 * the engine keeps no file on this machine. Borrowed from url, with the NUL behind it. url must be
 * valid. */
struct span store_url_file(struct span url);
/* The address of a store in that file. The caller's, to be mem_free()d. */
char *store_url_of_file(const char *path);

/* ---- opening ---- */

struct store;
/* create: makes the file and its tables if absent and brings an older
 * schema up to date; else an absent store is STORE-MISSING and an older schema is brought up
 * too. */
int store_open(const char *url, bool create, struct store **ret, struct fault *fault);
/* Rolls back what was begun. NULL is fine; always NULL. */
struct store *store_close(struct store *s);

/* For writing: waits up to 5 s for others. What comes until store_commit() is seen by others then,
 * all of it, or never. */
int store_begin(struct store *s, struct fault *fault);
int store_commit(struct store *s, struct fault *fault);
void store_rollback(struct store *s); /* none begun: nothing */
/* Could a change be made now? Makes none and waits for nobody. 0, or -errno: -EBUSY with
 * STORE-LOCKED (which is ordinary for a moment), -EROFS, -ENOSPC, … Outside of a transaction. */
int store_writable(struct store *s, struct fault *fault);
/* Changes with each commit of domains or purges by anyone, and when a store with others was put in
 * place; cheap to ask. Ask before reading: then a commit in between is seen the next time. 0 or
 * -errno. */
int store_version(struct store *s, uint64_t *ret, struct fault *fault);

/* A domain's row: its name and its text form (domain/domain.h makes and reads it): the store keeps
 * what the model means, not its columns; `web names` are rows of their own because they must be
 * unique. */
struct store_domain {
	struct span name;
	struct span text;       /* the section's body in export form */
	const struct span *web; /* unique across all domains; read: in order of the alphabet */
	unsigned web_n;
	int64_t changed_at;
	const char *changed_by;
};
/* Insert or replace. -EEXIST with STORE-NAME-TAKEN if a web name belongs to another domain. */
int store_domain_put(struct store *s, const struct store_domain *d, struct fault *fault);
int store_domain_remove(struct store *s, struct span name, struct fault *fault); /* -ENOENT */
/* All domains by name, one consistent view; row is borrowed during the call; non-zero from fn ends
 * it. */
typedef int store_domain_fn(void *arg, const struct store_domain *d);
int store_domain_each(struct store *s, store_domain_fn *fn, void *arg, struct fault *fault);
int store_domain_get(struct store *s, struct span name, store_domain_fn *fn, void *arg,
	struct fault *fault); /* -ENOENT */

/* What the latest transaction that changed domains (anybody's) found before it; the last
 * STORE_UNDO_MAX of them are kept. Within a transaction that was begun: with it that change is
 * forgotten, and what else is written in it is kept as no change of its own, so that the next call
 * reaches the one before. -ENOENT: none is kept. Borrowed during the call; non-zero from fn ends
 * it. */
#define STORE_UNDO_MAX 20
struct store_undo {
	struct span name;
	bool existed;
	struct span text; /* if it existed */
};
typedef int store_undo_fn(void *arg, const struct store_undo *u);
int store_undo_last(struct store *s, store_undo_fn *fn, void *arg, struct fault *fault);

/* Purges are rows with a sequence number, so that every edge node carries out each once. Rows older
 * than a day are dropped when new ones are written. Numbers only grow; store_purge_last() below a
 * number seen before means that an older store was put in place: go on from there. */
enum store_purge_kind { STORE_PURGE_URL, STORE_PURGE_PREFIX, STORE_PURGE_TAG, STORE_PURGE_DOMAIN, STORE_PURGE_ALL };
struct store_purge {
	uint64_t seq;
	enum store_purge_kind kind;
	struct span what;
	bool hard;
	int64_t at; /* wall seconds */
};
/* Writes p but for its number, which it gets. As all changes: in the transaction that was begun, or
 * else in one of its own. */
int store_purge_add(struct store *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault);
/* Those after number seq in the order of their numbers; borrowed during the call; non-zero from fn
 * ends it and is returned. */
typedef int store_purge_fn(void *arg, const struct store_purge *p);
int store_purge_since(struct store *s, uint64_t seq, store_purge_fn *fn, void *arg, struct fault *fault);
/* The highest number ever given; 0: none. */
int store_purge_last(struct store *s, uint64_t *ret_seq, struct fault *fault);
