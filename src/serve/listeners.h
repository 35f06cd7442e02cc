/*
 * Listening sockets: the supervisor opens them, every worker uses the very same.
 *
 * Each address has one socket a thread (SO_REUSEPORT: the kernel spreads connections, threads share
 * no queue). A socket lives as long as its address stands in the settings: closing one would reset
 * the connections in its queue. So a worker with fewer threads serves several sockets a thread, one
 * with more gets further sockets.
 *
 * An address of names.listen has two listeners, UDP and TCP, on the same port, also where port 0
 * picks a free one.
 */
#pragma once
#include "base/buf.h"
#include "edge/edge.h"
#include "io/net.h"
#include "settings/settings.h"

#define LISTENERS_MAX (6 * SETTINGS_LISTEN_MAX)

/* The edges, in the order in which they are told things. */
enum edge_id { EDGE_WEB, EDGE_MAIL, EDGE_NAMES, EDGES };

/* What is spoken there. */
enum listener_kind {
	LISTENER_WEB,
	LISTENER_WEB_TLS,
	LISTENER_NAMES_UDP,
	LISTENER_NAMES_TCP,
	LISTENER_MAIL,
	LISTENER_MAIL_TLS,
};
/* Does TLS begin with the first byte there? */
bool listener_kind_is_tls(enum listener_kind kind);
/* Who speaks there, and how it is brought to them. */
enum edge_id listener_kind_edge(enum listener_kind kind);
enum edge_way listener_kind_way(enum listener_kind kind);
/* "web", "web-tls"…: in messages, in the status and in the log. */
const char *listener_kind_text(enum listener_kind kind);
/* 0 or -EINVAL. */
int listener_kind_parse(struct span text, enum listener_kind *ret);

struct listener {
	struct net_addr wanted; /* as in the settings, maybe with port 0 */
	struct net_addr actual;
	enum listener_kind kind;
	int *fds;
	unsigned n;
};
struct listeners {
	struct listener v[LISTENERS_MAX];
	unsigned n;
};
/* "web-tls 127.0.0.1:8443": kind and actual address, for messages and the log. */
#define LISTENER_TEXT_SIZE (NET_ADDR_SIZE + 16)
void listener_text(const struct listener *l, char ret[LISTENER_TEXT_SIZE]);
/* The same back: kind, wanted and actual of ret; no sockets. 0 or -EINVAL. */
int listener_parse(struct span text, struct listener *ret);
struct listener *listeners_find(struct listeners *all, struct span text);

/* Opens wanted with a socket for each of threads. Refuses an address that another program listens
 * on, although SO_REUSEPORT would allow it for one of the same user. 0 or -errno with fault
 * (LISTEN-FAILED). */
int listener_open(struct listener *ret, const struct net_addr *wanted, enum listener_kind kind, unsigned threads,
	struct fault *fault);
/* Further sockets up to threads. */
int listener_grow(struct listener *l, unsigned threads, struct fault *fault);
void listener_close(struct listener *l);
void listeners_close(struct listeners *all);

/* The listeners that s wants: those of old that stay are moved to ret, others opened. What is no
 * longer wanted remains in old. On failure ret is empty and old as it was. */
int listeners_change(struct listeners *old, const struct settings *s, unsigned threads, struct listeners *ret,
	struct fault *fault);
