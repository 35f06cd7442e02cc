/* Inside names/: the state that every question reads. */
#pragma once
#include <stdatomic.h>
#include "base/list.h"
#include "dns/resolver.h"
#include "edge/edge.h"
#include "names/names.h"
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
	struct list look_ups;         /* of forward.c */
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
/* Owners, TTL and the rest of an answer for a name of ours with these addresses (4 or 16 bytes
 * each, of q's type); none: NODATA with the SOA of apex. */
size_t names_answer_addresses(struct names_thread *t, const struct dns_query *q, const struct dns_name *apex,
	const uint8_t *p, unsigned n, uint8_t *out, size_t max);

/* ---- forward.c ---- */

#define NAMES_WAITING_MAX 20000 /* questions of clients that wait, per thread */

/* As names_respond(): asks the resolver. */
size_t names_forward(struct names_thread *t, const struct dns_query *q, const struct names_from *from, uint8_t *out,
	size_t max);
/* The same for a name of ours whose origin is a host name. */
size_t names_forward_host(struct names_thread *t, const struct dns_query *q, const struct zone_found *found,
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

/* ---- tcp.c ---- */

extern const struct edge_protocol names_tcp_protocol;
/* No more questions on open connections. */
void names_drain_tcp(struct names_thread *t);
/* A question on c waits; its answer, which may be empty. c may be gone after the latter. */
void names_conn_wait(struct names_conn *c);
void names_conn_answer(struct names_conn *c, const void *p, size_t n);
/* For an answer of any size; else only small ones are welcome. */
bool names_conn_has_room(const struct names_conn *c);
