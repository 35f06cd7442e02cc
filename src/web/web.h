/*
 * The web edge: a caching reverse proxy.
 *
 *   listener.c   accept -> PROXY header -> TLS -> HTTP
 *   request.c    site -> cache -> origin -> answer: one request, read from top to bottom
 *   respond.c    an object to a client: conditions, ranges, Age, Cache-Status
 *   fetch.c      a fill of the cache; forward.c: what is not for the cache
 *   page.c       error pages that tell the visitor little; access.c: the access log
 *
 * One struct web per worker. Each thread has a state (snapshot, settings, certificates) of its own,
 * replaced as a whole; a request keeps the state it started with.
 */
#pragma once
#include "cache/cache.h"
#include "domain/domain.h"
#include "http/http.h"
#include "io/net.h"
#include "tls/tls.h"

enum access_format { ACCESS_OFF, ACCESS_JSON, ACCESS_COMBINED };
struct web_settings {
	struct http_limits limits;
	uint64_t tls_timeout_ms;             /* for the handshake, and for a PROXY header */
	unsigned connections_max;            /* of the whole worker; more are closed at accept */
	bool redirect_to_tls;                /* for all sites */
	const struct net_prefix *proxy_from; /* who must begin with a PROXY protocol header */
	unsigned proxy_from_n;
	enum access_format access;
	const char *access_to; /* "stderr" or a path */
	uint64_t cache_memory;
};
struct web;
struct origins;
/* cache and origins are borrowed and must live longer. */
struct web *web_new(struct cache *cache, struct origins *origins, unsigned threads);
struct web *web_free(struct web *w); /* after all its loops have ended */

/* On thread's own loop, before anything else. */
void web_thread_start(struct web *w, unsigned thread);
/* Accepts on fd (kept by the caller) from now on. On the thread's loop, after the first
 * web_publish(). */
void web_listen(struct web *w, unsigned thread, int fd, bool tls);
/* Stops accepting there; its queue is emptied within moments, fd must stay open for that long. fd <
 * 0: on all. On the thread's loop. */
void web_unlisten(struct web *w, unsigned thread, int fd);

/* A new state for all threads: each argument may be NULL to keep what is there; references are
 * taken (settings are copied). Any thread; takes effect on each loop as it comes round; no
 * connection is touched. */
void web_publish(struct web *w, struct snapshot *snapshot, struct tls_set *tls, const struct web_settings *settings);
/* Reopens the access log (after logrotate). Any thread. */
void web_reopen_log(struct web *w);
/* No new connections; open ones end after their current answer. Any thread. */
void web_drain(struct web *w);
/* Open ones, of all threads. Any thread. */
unsigned web_connections(const struct web *w);
