/*
 * Edges: web, mail and names as the worker sees them, and what they all do before their protocol
 * begins.
 *
 *   driving    struct edge_ops is all that the worker knows of an edge. It walks over a list of
 *              them; another edge is another row there.
 *   arriving   door.c: accept -> count -> PROXY header -> the guard's word -> TLS. What came of it
 *              is told to the protocol, which says it in its own language, or begins.
 *
 * A refusal is no error of the door: struct edge_arrival says how far a connection came, and the
 * protocol's run() gets it in any case, for whoever is refused is logged, answered or kept as
 * evidence differently on each edge. Only where there is no room for a task is there nothing to
 * run: those are closed after the protocol's own words for it.
 */
#pragma once
#include <stdatomic.h>
#include "base/jsonw.h"
#include "guard/guard.h"
#include "io/accept.h"
#include "io/conn.h"
#include "io/published.h"
#include "stats/stats.h"
#include "tls/tls.h"

struct snapshot;

/* ---- driving ---- */

/* What a listening socket brings. */
enum edge_way { EDGE_PLAIN, EDGE_TLS, EDGE_DATAGRAMS };

/* What is published to an edge: NULL keeps what is there. All borrowed. */
struct edge_news {
	struct snapshot *snapshot;
	struct tls_set *tls;
	const void *settings; /* the edge's own struct: web_settings and so on */
};
typedef void edge_fault_fn(void *arg, const struct fault *f);

/* edge is what web_new() and its like gave. None of these suspends. */
struct edge_ops {
	const char *name; /* "web": in logs and messages */
	/* On thread's own loop, before listen(). */
	void (*thread_start)(void *edge, unsigned thread);
	/* Serves fd (kept by the caller) from now on. On the thread's loop, after the first
	 * publish(). */
	void (*listen)(void *edge, unsigned thread, int fd, enum edge_way way);
	/* Stops that; its queue is emptied within moments, fd must stay open for that long. fd < 0:
	 * all. On the thread's loop. */
	void (*unlisten)(void *edge, unsigned thread, int fd);
	/* A new state for all threads; the first one has settings, and a snapshot unless the edge
	 * says that it can do without. Any thread; takes effect on each loop as it comes round; no
	 * connection is touched. */
	void (*publish)(void *edge, const struct edge_news *news);
	/* Opens log files of its own again. Any thread. NULL: it has none. */
	void (*reopen_logs)(void *edge);
	/* Nothing new; what is under way is finished. Any thread. */
	void (*drain)(void *edge);
	/* How much is under way: connections, sessions, questions. Any thread. */
	unsigned (*busy)(const void *edge);
	/* What is wrong now. Any thread. NULL: never anything. */
	void (*faults)(void *edge, edge_fault_fn *on_fault, void *arg);
	/* Adds members to the object of the status. Any thread. */
	void (*json)(void *edge, struct jsonw *j);
	/* Appends what the edge needs of the snapshot as bytes, for restore() in another process,
	 * long before a snapshot could be read there; nothing if it has none yet. NULL: it needs
	 * the snapshot itself. Any thread. */
	void (*save)(void *edge, struct buf *out);
	/* publish() of what was saved, which is taken. 0, or -EINVAL (and nothing is changed):
	 * these are no such bytes. */
	int (*restore)(void *edge, struct buf *saved);
};

/* ---- arriving ---- */

/* How far a connection came. */
enum edge_welcome {
	EDGE_WELCOME,         /* the protocol may begin */
	EDGE_NO_PROXY_HEADER, /* it had to begin with one (PROXY protocol) and did not in time */
	EDGE_CROWDED,         /* too many are here from its network */
	EDGE_NO_CERTIFICATES, /* TLS is spoken here, and there are none */
	EDGE_TLS_FAILED,
};
struct edge_arrival {
	struct edge_door *door;
	struct conn *conn; /* run()'s, also when it is not welcome */
	bool tls;          /* TLS begins with the first byte */
	enum edge_welcome welcome;
	bool in_network; /* counted by the guard: for edge_leave() */
	/* that it was received under; held, and run()'s */
	struct published_state *state;
	/* Of the handshake, if there was one: 0 or -errno, and what was seen. run() frees facts by
	 * tls_facts_done(). */
	int tls_error;
	struct tls_facts facts;
};

/* What a thread's present state says. All borrowed. */
struct edge_policy {
	struct published_state *state;
	struct tls_set *tls;                 /* NULL: no TLS */
	const struct net_prefix *proxy_from; /* who must begin with a PROXY header */
	unsigned proxy_from_n;
	unsigned connections_max;         /* more are closed at accept */
	unsigned connections_per_network; /* 0: no limit */
	uint64_t greet_timeout_ms;        /* for the PROXY header, and for the handshake */
};

/* What the door knows of a protocol. */
struct edge_protocol {
	const char *name; /* of its log lines */
	const char *task; /* name of a connection's task */
	enum tls_use use;
	/* counted when somebody came, and when he was refused for want of room */
	enum stat_id came, refused;
	const char *full; /* what a client is told then; NULL: nothing */
	void (*policy)(void *thread, struct edge_policy *ret);
	/* Beyond connections_max: false if nobody can make room. NULL: nobody can. */
	bool (*make_room)(void *thread);
	/* The connection's task; suspends. It is counted until edge_leave(). */
	void (*run)(void *thread, struct edge_arrival *a);
};

/* Where connections of one protocol come in on one thread. */
struct edge_door {
	const struct edge_protocol *protocol;
	void *thread;              /* given to the protocol */
	atomic_uint *open;         /* connections: of all threads together, or of this one */
	struct networks *networks; /* of all threads; NULL: the guard is not asked */
	struct list acceptors;
};
/* open and networks are borrowed and must live longer. */
void edge_door_init(struct edge_door *d, const struct edge_protocol *protocol, void *thread, atomic_uint *open,
	struct networks *networks);
/* Takes connections on fd, as edge_ops.listen(). On the thread's loop. */
void edge_door_open(struct edge_door *d, int fd, enum edge_way way);
/* As edge_ops.unlisten(). */
void edge_door_shut(struct edge_door *d, int fd);
/* The connection is about to be closed, and counts no more. */
void edge_leave(struct edge_door *d, const struct conn *c, bool in_network);
