/* Inside names/: the state that every question reads. */
#pragma once
#include <stdatomic.h>
#include "base/list.h"
#include "dns/resolver.h"
#include "edge/edge.h"
#include "names/names.h"
#include "names/special.h"
#include "names/zone.h"
#include "stats/stats.h"

struct names_conn;

/* ---- names.c ---- */

/* What is published to the edge. */
struct names_state {
	struct published_state published;
	struct zone *zone; /* NULL: not known yet */
	struct names_settings settings;
};
struct names_thread {
	struct names *names;
	unsigned index;
	struct published_reader reader;
	struct names_state *state;    /* the present one */
	struct list listeners, conns; /* struct names_listener, names_conn */
	struct edge_door door;        /* by TCP */
	atomic_uint conns_n;          /* by TCP */
	struct list look_ups;         /* of hosts.c */
	unsigned waiting_n, look_ups_n;
	bool draining;
	uint64_t turn; /* picks the first address */
};
struct names {
	struct dns_resolver *resolver; /* the caller's */
	unsigned threads_n;
	struct names_thread *threads;
	_Atomic unsigned waiting;   /* of all threads */
	struct published published; /* struct names_state */
};

/* ---- responder.c ---- */

/* Who asked, and the way back. */
struct names_from {
	const struct net_addr *peer;
	struct names_listener *listener; /* by UDP; NULL: by TCP */
	const struct msghdr *datagram;   /* its head */
	struct names_conn *conn;
};
/* The answer to message into out. Its length; 0: none now: it comes later, on the way back, or the
 * message was not worth one. */
size_t names_respond(struct names_thread *t, struct span message, const struct names_from *from, uint8_t *out,
	size_t max);
bool names_may_ask(const struct names_thread *t, const struct net_addr *peer);
#define NAMES_TTL 30
/* Addresses of a name of ours, 4 or 16 bytes each. */
struct names_addresses {
	uint8_t p[NAMES_ADDRS_MAX * 16];
	unsigned n;
	uint32_t ttl_s;
	bool stale; /* some of them (EDE 3) */
};
/* Owners and the rest of an answer for a name of ours with these addresses, of q's type; none:
 * NODATA with the SOA of apex. */
size_t names_answer_addresses(struct names_thread *t, const struct dns_query *q, const struct dns_name *apex,
	const struct names_addresses *all, uint8_t *out, size_t max);

/* ---- forward.c ---- */

/* As names_respond(): asks the resolver. */
size_t names_forward(struct names_thread *t, const struct dns_query *q, const struct names_from *from, uint8_t *out,
	size_t max);

/* ---- hosts.c ---- */

/* The same for a name of ours of whose origins some are host names: q asks for A or AAAA. */
size_t names_answer_hosts(struct names_thread *t, const struct dns_query *q, const struct zone_found *found,
	const struct names_from *from, uint8_t *out, size_t max);

/* ---- listener.c, sender.c ---- */

#define NAMES_CONTROL_MAX 64

/* The way back to whoever sent a datagram: his address, and ours that it came to, if the socket has
 * many. */
struct names_way {
	struct net_addr peer;
	uint8_t control[NAMES_CONTROL_MAX] __attribute__((aligned(8)));
	uint8_t control_n;
};
void names_way_init(struct names_way *way, const struct msghdr *datagram);

struct names_listener {
	struct list link;
	struct names_thread *thread;
	/* a duplicate of the caller's: answers leave by it also when that is closed */
	struct loop_fd fd;
	int original; /* the caller's */
	struct task *task;
	unsigned waiting; /* questions that will be answered here */
	bool any;         /* bound to no address: each datagram tells which one it came to */
	bool closing, ended;
	/* Of sender.c: */
	struct task *sender;
	struct list unsent; /* answers that the socket had no room for */
	size_t unsent_bytes;
	struct task_cond turned; /* there is something to be sent, or nothing any more */
	pthread_mutex_t lock;    /* for the condition only: all is on one loop */
};
void names_listen_udp(struct names_thread *t, int fd);
void names_unlisten_udp(struct names_thread *t, int fd); /* -1: all */
/* One of waiting less. l may be gone afterwards. */
void names_listener_leave(struct names_listener *l);
/* Nobody will be answered here any more. */
bool names_listener_is_done(const struct names_listener *l);
void names_listener_free_if_done(struct names_listener *l);

void names_sender_start(struct names_listener *l);
/* l is done: frees it as soon as all is sent. */
void names_sender_end(struct names_listener *l);
/* An answer, now or when there is room. Does not suspend. */
void names_send(struct names_listener *l, const struct names_way *to, const void *p, size_t n);
/* The same for a batch; suspends until nothing waits for room. */
void names_send_all(struct names_listener *l, struct mmsghdr *v, unsigned n);

/* ---- waiting.c ---- */

#define NAMES_WAITING_MAX 20000 /* questions of clients that wait, per thread */

/* A question whose answer comes later, with the little of it that the answer needs. */
struct names_waiting {
	struct dns_waiter waiter;
	struct names_thread *thread;
	struct names_conn *conn;         /* by TCP */
	struct names_listener *listener; /* by UDP; then: */
	struct names_way way;
	/* of the question, as it was written: */
	struct dns_edns edns;
	uint16_t id, flags, type, question_n;
	uint8_t question[DNS_NAME_MAX + 4];
};
/* NULL: too many wait. */
struct names_waiting *names_waiting_new(struct names_thread *t, const struct dns_query *q,
	const struct names_from *from);
/* The question again; without its name in lower case, which no answer needs. */
void names_waiting_query(const struct names_waiting *w, struct dns_query *ret);
/* How long its answer may be. */
size_t names_waiting_limit(const struct names_waiting *w, const struct dns_query *q);
/* Sends the answer (n > 0) and forgets w. */
void names_waiting_end(struct names_waiting *w, const uint8_t *p, size_t n);
/* SERVFAIL, because of ede; because there is too much to do. */
size_t names_write_failure(const struct dns_query *q, int ede, uint8_t *out, size_t max);
size_t names_write_overload(const struct dns_query *q, uint8_t *out, size_t max);

/* ---- tcp.c ---- */

extern const struct edge_protocol names_tcp_protocol;
/* No more questions on open connections. */
void names_drain_tcp(struct names_thread *t);
/* A question on c waits; its answer, which may be empty. c may be gone after the latter. */
void names_conn_wait(struct names_conn *c);
void names_conn_answer(struct names_conn *c, const void *p, size_t n);
/* For an answer of any size; else only small ones are welcome. */
bool names_conn_has_room(const struct names_conn *c);
