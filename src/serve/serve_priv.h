/* Inside serve/: what a worker is born with, and its parts. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "cache/cache.h"
#include "evidence/evidence.h"
#include "store/writer.h"
#include "origin/origin.h"
#include "serve/channel.h"
#include "serve/listeners.h"
#include "serve/report.h"
#include "serve/sandbox.h"
#include "serve/serve.h"
#include "store/store.h"
#include "tls/tls.h"

#define LARGE_MAX   ((size_t)1 << 30)  /* of settings, certificates and snapshots on the channel */
#define STATUS_MAX  ((size_t)64 << 20) /* of a status document */
#define DRAIN_MAX_S 30

/* Threads that s asks for. */
unsigned serve_threads(const struct settings *s);

/* ---- the worker (worker.c) ---- */

/* What the supervisor leaves in the child's memory; descriptors of -1 are absent. */
struct birth {
	struct settings *settings;
	struct listeners *listeners;
	struct sandbox_user user;
	struct tls_ticket_keys tickets;
	int channel, control;
	int certs; /* memfd: tls_files_pack() */
	uint32_t certs_tag;
	int served;   /* memfd: the same of what is in service, if that is not certs */
	int snapshot; /* memfd: the last good domains */
	int names;    /* memfd: their names, as edges_save() wrote them */
	bool alone;   /* no other worker serves */
	pid_t supervisor;
	unsigned restarts; /* of workers before this one */
	char *state;       /* the supervisor's part of the status */
};
/* In the child, after fork(). The exit status. */
int worker_run(struct birth *b);

struct worker_thread {
	struct worker *worker;
	unsigned index;
	pthread_t thread;
	struct loop *loop;
};

/* ---- worker_edges.c: web, mail and names ---- */

struct edge {
	const struct edge_ops *ops;
	void *self;
	bool restored; /* it has what the worker before left */
};
/* Makes all of them. saved: of edges_save() of a worker before, which is taken; or empty. */
void edges_make(struct worker *w, struct buf *saved);
void edges_free(struct worker *w);
/* What the next worker's edges can begin with before they get a snapshot (one of them at most has
 * such a thing); empty if there is none. */
void edges_save(struct worker *w, struct buf *out);
/* Have all got something that can begin with what was saved? */
bool edges_restored(const struct worker *w);
/* s, snapshot, set: NULL keeps. Any thread. */
void edges_publish(struct worker *w, const struct settings *s, struct snapshot *snapshot, struct tls_set *set);
/* The first of all, before anybody listens. known: the snapshot says which domains there are; one
 * that was restored has the like of it already, and keeps that. */
void edges_publish_first(struct worker *w, const struct settings *s, struct snapshot *snapshot, bool known);
/* On the thread's loop. */
void edges_thread_start(struct worker_thread *t);
void edges_listen(struct worker_thread *t, const struct listener *l);
void edges_unlisten(struct worker_thread *t, const struct listener *l);
/* Any thread. */
void edges_reopen_logs(struct worker *w);
void edges_drain(struct worker *w);
unsigned edges_busy(const struct worker *w);
void edges_faults(struct worker *w, edge_fault_fn *on_fault, void *arg);
void edges_json(struct worker *w, struct jsonw *j);

/* ---- worker_domains.c: the store's watcher ---- */

#define PURGES_KNOWN 256
struct purge_done {
	uint64_t seq, objects;
};
struct domains {
	struct worker *worker;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct task_cond looked; /* a round is over */
	bool started, stopping, hurry;
	uint64_t rounds;
	struct snapshot *snapshot; /* published now */
	int64_t loaded_at;         /* 0: not from the store yet */
	bool failing;
	struct fault fault;
	int64_t fault_since;
	struct fault unwritable; /* why it can be read, but not changed; FAULT_NONE: it can */
	struct report bad_rows;
	struct purge_done done[PURGES_KNOWN]; /* a ring by seq */
	uint64_t purged_seq;
	/* The thread's own: */
	struct store *store;
	uint64_t version, hash; /* of the store; of the published text */
	bool version_known, hash_known;
	/* when a change was last tried, and when it would have been possible */
	uint64_t tried_ms, written_ms;
	int64_t born_at; /* purges from before are nothing to an empty cache */
};
/* The first snapshot: the last good one, else the store's, else an empty one. Blocking. */
void domains_init(struct domains *d, struct worker *w, int snapshot_fd);
void domains_start(struct domains *d);
void domains_stop(struct domains *d);
void domains_done(struct domains *d);
/* Looks at the store now and carries out its purges; the objects that purge seq hit. Suspends.
 * 0, -ETIMEDOUT if it was not carried out (the store's fault). */
int domains_purge(struct domains *d, uint64_t seq, uint64_t *ret_objects);
/* "store" and "snapshot" of the status, current faults to r. */
void domains_json(struct domains *d, struct jsonw *j);
void domains_report(struct domains *d, struct report *r);

/* ---- worker_certs.c: the certificates in service ---- */

struct certs {
	struct worker *worker;
	pthread_mutex_t lock; /* of what follows */
	struct tls_set *set;
	int64_t since;
	struct report faults; /* of the files, of the last build */
	struct report notes;  /* of the comparison with the set before */
	struct report dates;  /* what runs out, or has, looked at each minute */
	struct report proof;  /* CERT-NOT-SERVED, now */
	int64_t proved_at;
	unsigned proofs; /* the helper's: where the next proof begins */
	bool building;
	int waiting; /* memfd that came while building, or -1 */
	uint32_t waiting_tag;
	int served; /* the builder's: memfd of the files that are in service, or -1 */
};
/* What is in service before comes first, so that it can stand in for what is faulty now. */
void certs_init(struct certs *c, struct worker *w);
void certs_done(struct certs *c);
/* A new blob (taken): built and proved on a helper thread. */
void certs_take(struct certs *c, int fd, uint32_t tag);
/* Proves what is served, on a helper thread. */
void certs_check(struct certs *c);
void certs_json(struct certs *c, struct jsonw *j);
void certs_report(struct certs *c, struct report *r);

/* ---- worker_control.c: the API on the control socket ---- */

#define QUESTIONS_MAX 16
struct question {
	uint32_t tag; /* 0: free */
	bool answered;
	unsigned status;
	struct buf answer;
};
struct control {
	struct worker *worker;
	struct loop_fd listener;
	struct task *task;
	bool closing;
	struct http_server server;
	uint32_t tags;
	struct question questions[QUESTIONS_MAX];
	pthread_mutex_t lock; /* for the condition only: all is on loop 0 */
	struct task_cond answered;
};
/* On loop 0. */
void control_start(struct control *c, struct worker *w, int fd);
/* Before threads: keeps descriptors back, so that it answers when there are no others left. */
void control_keep_files(void);
void control_stop(struct control *c);
void control_answer(struct control *c, uint32_t tag, unsigned status, int fd);

struct worker {
	struct birth *birth;
	struct settings *settings; /* on loop 0; others take them under lock */
	pthread_mutex_t lock;
	struct buf state; /* under lock: the supervisor's part of the status */
	unsigned threads_n;
	struct worker_thread *threads;
	atomic_uint started;
	struct cache *cache;
	struct dns_resolver *resolver;
	struct origins *origins;
	struct writer *writer; /* of evidence */
	struct evidence *evidence;
	struct edge edges[EDGES];
	struct domains domains;
	struct certs certs;
	struct control control;
	struct loop_fd channel;
	struct loop_timer tick;
	bool draining;
	uint64_t drain_deadline;
	int64_t started_at;
	int landlock_abi;
	unsigned ticks;
	struct listeners gone; /* closed at gone_ms */
	uint64_t gone_ms;
};
/* To the supervisor; any thread. 0 or -errno. */
int worker_tell(struct worker *w, uint32_t type, uint32_t tag, struct span text);
/* The settings; unref them. Any thread. */
struct settings *worker_settings(struct worker *w);
/* The document of GET /status. On loop 0. */
void status_json(struct worker *w, struct buf *out);
