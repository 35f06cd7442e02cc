/*
 * Kept connections: idle ones to a server, that wait on their loop to be used again.
 *
 * The newest stands first, so that the others time out and a list shrinks to what is needed. While
 * it is kept a connection is parked: whatever happens on it - the server closes, or says something
 * that nobody asked for - ends it. To whom one may be lent is the owner's business, who walks over
 * his list: the head of a struct of his own stands in it.
 *
 * A list belongs to one thread. Nothing here suspends.
 */
#pragma once
#include "base/list.h"
#include "io/conn.h"

struct kept_list {
	struct list conns; /* of struct kept, newest first */
	unsigned n;
};
struct kept;
/* It is kept no longer: why says whether its time is over, or something happened on it. conn is the
 * owner's again. On the loop. */
typedef void kept_end_fn(struct kept *k, enum loop_idle_end why);
struct kept {
	struct list link;
	struct kept_list *in; /* NULL: not kept */
	struct conn *conn;    /* the owner sets it */
	kept_end_fn *end;
};
void kept_list_init(struct kept_list *l);
/* Keeps k->conn, which has to be quiet. */
void kept_add(struct kept_list *l, struct kept *k, uint64_t deadline, kept_end_fn *end);
/* Takes it off its list, for use or to be closed; end() will not be called. Not kept: nothing. */
void kept_remove(struct kept *k);
/* Nothing unread and not closed, as far as the kernel knows now: the park would tell, but only when
 * the loop comes round. */
bool kept_is_quiet(struct conn *c);
