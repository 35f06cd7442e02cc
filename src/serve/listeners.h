/*
 * Listening sockets: the supervisor opens them, every worker uses the very same.
 *
 * Each address has one socket a thread (SO_REUSEPORT: the kernel spreads connections, threads share no queue). A
 * socket lives as long as its address stands in the settings: closing one would reset the connections in its
 * queue. So a worker with fewer threads serves several sockets a thread, one with more gets further sockets.
 */
#pragma once
#include "base/buf.h"
#include "io/net.h"
#include "serve/settings.h"

#define LISTENERS_MAX (2 * SETTINGS_LISTEN_MAX)

struct listener {
	struct net_addr wanted; /* as in the settings, maybe with port 0 */
	struct net_addr actual;
	bool tls;
	int *fds;
	unsigned n;
};
struct listeners {
	struct listener v[LISTENERS_MAX];
	unsigned n;
};
/* "tls 127.0.0.1:8443": the actual address, for messages and the log. */
#define LISTENER_TEXT_SIZE (NET_ADDR_SIZE + 8)
void listener_text(const struct listener *l, char ret[LISTENER_TEXT_SIZE]);
struct listener *listeners_find(struct listeners *all, struct span text);

/* Opens wanted with a socket for each of threads. Refuses an address that another program listens on, although
 * SO_REUSEPORT would allow it for one of the same user. 0 or -errno with fault (LISTEN-FAILED). */
int listener_open(struct listener *ret, const struct net_addr *wanted, bool tls, unsigned threads, struct fault *fault);
/* Further sockets up to threads. */
int listener_grow(struct listener *l, unsigned threads, struct fault *fault);
void listener_close(struct listener *l);
void listeners_close(struct listeners *all);

/* The listeners that s wants: those of old that stay are moved to ret, others opened. What is no longer wanted remains
 * in old. On failure ret is empty and old as it was. */
int listeners_change(struct listeners *old, const struct settings *s, unsigned threads, struct listeners *ret,
	struct fault *fault);
