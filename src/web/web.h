/*
 * The web edge: a caching reverse proxy.
 *
 *   listener.c   from the door (edge/edge.h) to HTTP
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
#include "edge/edge.h"
#include "http/http.h"

enum access_format { ACCESS_OFF, ACCESS_JSON, ACCESS_COMBINED };
/* The fields that a balancer says it in: X-Forwarded-For and -Proto, or Forwarded (RFC 7239). Never
 * both: the one that it does not write itself, it passes on from anybody. */
enum web_forwarded_by { WEB_FORWARDED_BY_X, WEB_FORWARDED_BY_STANDARD };
struct web_settings {
	struct http_limits limits;
	uint64_t tls_timeout_ms;             /* for the handshake, and for a PROXY header */
	unsigned connections_max;            /* of the whole worker; more are closed at accept */
	bool redirect_to_tls;                /* for all sites */
	const struct net_prefix *proxy_from; /* who must begin with a PROXY protocol header */
	unsigned proxy_from_n;
	const struct net_prefix *forwarded_from; /* whose word on client and scheme counts */
	unsigned forwarded_from_n;
	enum web_forwarded_by forwarded_by;
	unsigned public_tls_port; /* of redirects; 0: as it seems */
	const char *health_path;  /* "": none */
	unsigned answer_fields_max;
	enum access_format access;
	const char *access_to; /* "stderr" or a path */
	uint64_t cache_memory;
	unsigned cache_share; /* percent */
};
struct web;
struct origins;
/* cache and origins are borrowed and must live longer. */
struct web *web_new(struct cache *cache, struct origins *origins, unsigned threads);
struct web *web_free(struct web *w); /* after all its loops have ended */

/* How the worker drives it; what is published to it has struct web_settings, which are copied. */
extern const struct edge_ops web_edge;
