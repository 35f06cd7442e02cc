/*
 * Connections: stacks of small filters with one vtable.
 *
 *     TLS filter            tls/tls.h pushes it
 *     socket                the bottom; conn_read_proxy() takes a PROXY protocol header off
 *                           it before anything else is pushed
 *
 * Whoever holds a `struct conn` reads and writes through its top and does not know what
 * lies below. A conn belongs to one loop and, at a time, to one reading and one writing
 * task (often the same).
 *
 * Everything here may suspend unless it says otherwise, and takes an absolute deadline.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "io/loop.h"
#include "io/net.h"

struct conn;
struct conn_filter;

struct conn_filter_ops {
	const char *name;
	/* Up to n bytes; 0 at the orderly end; a negative errno. */
	ssize_t (*recv)(struct conn_filter *f, void *p, size_t n, uint64_t deadline);
	/* Writes some of iov (at least one byte); the count or a negative errno. */
	ssize_t (*send)(struct conn_filter *f, const struct iovec *iov, int count, uint64_t deadline);
	/* Bytes that recv would return without touching the socket (does not suspend). */
	size_t (*pending)(struct conn_filter *f);
	/* Says goodbye in the filter's own language (close_notify, FIN). */
	int (*shutdown)(struct conn_filter *f, uint64_t deadline);
	/* Frees the filter; does not suspend and does not touch the network. */
	void (*free)(struct conn_filter *f);
	/* Of a bottom that is no socket; else NULL. wait: until recv would return something, 0 or a
	 * negative errno. reset: its end shall look broken to the peer. has_ended: has the peer
	 * ended its side? */
	int (*wait)(struct conn_filter *f, uint64_t deadline);
	void (*reset)(struct conn_filter *f);
	bool (*has_ended)(const struct conn_filter *f);
};
struct conn_filter {
	const struct conn_filter_ops *ops;
	struct conn_filter *below; /* NULL at the bottom */
	struct conn *conn;
};

struct conn {
	struct conn_filter *top;
	struct loop_fd fd;           /* of the bottom socket */
	struct net_addr peer, local; /* the client's own, once a PROXY header told it */
	/* the load balancer's, if there was a PROXY header; else n == 0 */
	struct net_addr via;
	bool tls_before;              /* that balancer says that the client came to it by TLS */
	uint64_t bytes_in, bytes_out; /* on the wire */
	/* The last recv got less than it asked for: the socket is drained, and the next
	 * readiness is an edge to come; callers that go idle need not try recv first. */
	bool drained;
	bool cut_short; /* it ended, and the TLS filter did not hear that it should */
	bool secure;    /* a TLS filter is on the stack and its handshake done */
	uint64_t started_ms;
};

/* Takes the descriptor (closes it on failure too). Sets TCP_NODELAY. Does not suspend. */
struct conn *conn_new(int fd, int *ret_error);
/* A connection over something that is not a socket, such as a stream within another connection:
 * bottom reads and writes its bytes and has the three functions for that. It cannot be parked.
 * Does not suspend. */
struct conn *conn_new_over(struct conn_filter *bottom, const struct net_addr *peer, const struct net_addr *local);
/* Closes without farewell; conn may be NULL. Returns NULL. Does not suspend. */
struct conn *conn_close(struct conn *c);
void conn_closep(struct conn **c);
/* Connects to a; NULL and *ret_error on failure. */
struct conn *conn_connect(const struct net_addr *a, uint64_t deadline, int *ret_error);
/* Connects to the first of n addresses that answers, in their order. Each has an equal share of the
 * time that is left, so that one whose packets vanish does not use up that of the others. */
struct conn *conn_connect_any(const struct net_addr *a, int n, uint64_t deadline, int *ret_error);

/* Receives up to n bytes. How many; 0 at the end, or a negative errno. */
ssize_t conn_recv(struct conn *c, void *p, size_t n, uint64_t deadline);
/* All of iov, whose entries it may change. 0 or a negative errno. */
int conn_send(struct conn *c, struct iovec *iov, int count, uint64_t deadline);
/* Steps over the first n bytes of *count pieces, and over empty ones behind them. Does not
 * suspend. */
void iov_skip(struct iovec **iov, int *count, size_t n);
int conn_write(struct conn *c, const void *p, size_t n, uint64_t deadline);
/* Farewell of every filter from the top, then FIN; the conn still needs conn_close(). */
int conn_shutdown(struct conn *c, uint64_t deadline);
/* After a response that ends the connection: FIN, then reads and drops at most bytes_max
 * until the peer closes or is silent for idle_ms, so that it sees our last bytes and not a reset
 * (RFC 9112 9.6). */
void conn_linger(struct conn *c, size_t bytes_max, uint64_t idle_ms, uint64_t deadline);
/* conn_close() shall look to the peer as if the connection broke (TCP: a reset). Does not
 * suspend. */
void conn_reset_at_close(struct conn *c);
/* Has the peer ended its side, as far as the loop heard? Does not suspend. */
bool conn_is_hung_up(const struct conn *c);
size_t conn_pending(struct conn *c);
/* Waits until recv would return something, or the end. 0, -ETIMEDOUT, -ECANCELED. */
int conn_wait(struct conn *c, uint64_t deadline);

bool conn_can_park(const struct conn *c);
/* Parks an idle connection: it owns no task. fn(arg, why) is called on the loop when
 * bytes (or the end) are there, and usually spawns a task. Does not suspend. Must not be
 * called while conn_pending() > 0. */
void conn_park(struct conn *c, uint64_t deadline, loop_idle_fn *fn, void *arg);

/* For filters. */
void conn_push(struct conn *c, struct conn_filter *f);

/* Reads a PROXY protocol header (v1 or v2, haproxy's proxy-protocol.txt 2.1, 2.2) off c,
 * sets peer, local and via; LOCAL and UNKNOWN leave them. 0; -EPROTO for anything else
 * (then close). Bytes after the header stay readable. */
int conn_read_proxy(struct conn *c, uint64_t deadline);
/* Pure: 1 and *ret_used for a whole header, 0 if more bytes are needed (at most 65551; *ret_used,
 * once it is known how many), -EPROTO. */
struct proxy_header {
	bool has_addrs;
	bool tls; /* the client came to the balancer by TLS */
	struct net_addr source, target;
};
int proxy_header_parse(struct span bytes, struct proxy_header *ret, size_t *ret_used);
/* Pure: a header of version 2 for a stream from source to target; LOCAL if these are not of one
 * family. */
void proxy_header_write(const struct net_addr *source, const struct net_addr *target, struct buf *out);
