/* Inside web/: the state every request reads, and the request itself. */
#pragma once
#include <stdatomic.h>
#include "base/log.h"
#include "cache/cache.h"
#include "edge/edge.h"
#include "origin/origin.h"
#include "stats/stats.h"
#include "web/access.h"
#include "web/web.h"

/* What is published to the edge. */
struct web_state {
	struct published_state published;
	struct snapshot *snapshot;
	struct tls_set *tls; /* NULL: no TLS */
	struct web_settings settings;
	struct access_sink *sink;  /* of the access log; NULL: it could not be opened */
	struct site_stats **sites; /* by domain.id */
};
static inline struct web_state *web_state_ref(struct web_state *s)
{
	published_ref(&s->published);
	return s;
}
/* NULL is fine; always NULL. */
static inline struct web_state *web_state_unref(struct web_state *s)
{
	if (s)
		published_unref(&s->published);
	return NULL;
}

struct web_thread {
	struct web *web;
	unsigned index;
	struct published_reader reader;
	struct web_state *state;          /* the present one */
	struct http_server plain, secure; /* limits are those of the present state */
	struct edge_door door;
	struct access_log *access;
	bool draining;
	struct loop_timer drain_timer;
};

struct web {
	struct cache *cache;
	struct origins *origins;
	unsigned threads_n;
	struct web_thread *threads;
	atomic_uint connections;
	/* of the first TLS listener, for redirects; 0: none. Each thread tells its own */
	atomic_uint tls_port;
	struct published published; /* struct web_state */
	char pseudonym[24];         /* in Via, "torhaus-1f2e3d4c": how we know our own requests */
};

/* What was asked of which site, and by whom: all that an origin and the log hear of it. A refresh
 * has one of its own, for it outlives the request that it is made from. */
struct web_asked {
	struct web *web;
	const struct domain *site; /* NULL until found */
	const struct web_settings *settings;
	const struct http_req *req;
	const struct net_addr *client;
	struct arena *arena;
};
/* One request on its way. */
struct web_request {
	struct web_thread *thread;
	struct web_state *state; /* held */
	struct http_exchange *x;
	struct web_asked asked;     /* of x->req */
	int64_t began_ms, now_ms;   /* when it began: wall clock, monotonic */
	struct site_stats *stats;   /* of the site */
	struct cache_status status; /* for Cache-Status and the access log */
	const char *origin_text;    /* the origin asked, for the access log; or NULL */
	enum fault_code code;       /* of the error page, for the access log */
};

/* ---- request.c ---- */
void web_request(struct web_request *r);

/* ---- forwarded.c ---- */
/* Client and scheme as a balancer of web.forwarded_from says, if this request came from one. */
void web_believe_balancer(struct web_request *r);
/* Pure: what those fields say. The client is the last address that is none of the n trusted
 * networks (false: they name none that can be read); *ret_tls is -1 where nothing is said. */
bool web_forwarded_read(const struct http_fields *fields, enum web_forwarded_by by, const struct net_prefix *trusted,
	unsigned n, struct arena *a, struct net_addr *ret_client, int *ret_tls);

/* ---- fields.c ---- */
/* The request's fields as the origin gets them: without hop-by-hop, framing, Expect, and everything
 * by which a client could claim to be somebody else or to have asked something else; with our own
 * X-Forwarded-*, Forwarded, X-Real-IP and Via. conditional: keep If-* and Range. */
void web_origin_fields(const struct web_asked *q, bool conditional, struct http_fields *ret);
/* What the request is for: its host, with the port unless that is the scheme's own. */
struct span web_host(const struct web_asked *q);
/* The Host for the origin. */
struct span web_origin_host(const struct web_asked *q);
/* The fields of an answer as the visitor gets them: of, minus hop-by-hop, framing and what is meant
 * for us alone, plus HSTS where the site wants it. */
void web_answer_fields(struct web_request *r, const struct http_fields *of, struct http_fields *ret);
/* Did this request leave us already (Via)? */
bool web_is_loop(const struct web_asked *q);

/* ---- page.c ---- */
/* Answers with an error page, logs fault with what the request was. Nothing if the head was sent
 * already: then the exchange is aborted. */
void web_page(struct web_request *r, unsigned status, struct fault *fault);
/* The log's share of that: URL, client and reference (may be NULL) are added to fault. */
void web_log_fault(const struct web_asked *q, const char *event, struct fault *fault, const char *ref);
void web_answer_text(struct web_request *r, unsigned status, struct span text);
void web_redirect(struct web_request *r, unsigned status, struct span location);

/* ---- respond.c ---- */
/* An object, complete or growing, to the client: conditions, ranges, Age, Cache-Status. fields:
 * those stored with it, or those that the origin sent with it to this client. */
void web_respond(struct web_request *r, struct cache_obj *obj, const struct http_fields *fields);
/* found's object as a hit, fresh or stale. */
void web_respond_hit(struct web_request *r, const struct cache_found *found);

/* ---- forward.c ---- */
/* Passes the request on and the answer back, storing nothing. found (may be NULL): its object, if
 * it may be served stale, is the answer to GET and HEAD where the origin fails. */
void web_forward(struct web_request *r, struct cache_found *found);
/* The same once the origin has answered: head and body to the client, then the call is done. */
void web_forward_answer(struct web_request *r, struct origin_call *call);
void web_forward_upgrade(struct web_request *r);
/* The error page for what origin_call() says. */
void web_origin_page(struct web_request *r, struct fault *fault);
/* 1xx of the origin to the client; arg is the struct web_request. */
int web_forward_interim(void *arg, unsigned status, const struct http_fields *fields);

/* ---- fetch.c ---- */
/* Leads a fill: asks the origin, stores what may be stored, answers the client (from the old object
 * if the origin fails and that may be served). Consumes found's fill. */
void web_fetch(struct web_request *r, struct cache_found *found);
/* Is that the origin's failure rather than an answer? */
bool web_is_server_error(unsigned status);
void web_server_error(const struct origin_call *call, struct fault *fault);
/* The origin failed: found's object if it may be served stale, else an error page. */
void web_answer_failure(struct web_request *r, struct cache_found *found, struct fault *fault);
/* A fill beside the client's answer (stale-while-revalidate). */
void web_refresh(struct web_request *r, struct cache_found *found);

/* ---- watch.c ---- */
/* Ends the request's task (task_cancel()) some seconds after its visitor has gone, unless others
 * wait for the fill that it leads (NULL: none). Until web_watch_end(), by the same task. */
struct web_watch {
	struct web_request *r;
	struct cache_fill *fill; /* a reference */
	struct task *task;
	struct loop_timer timer;
	uint64_t sent; /* of the answer's body when it was last looked at */
	bool missed;   /* the visitor seemed to be gone then */
	bool ended_it;
};
void web_watch_begin(struct web_watch *w, struct web_request *r, struct cache_fill *fill);
void web_watch_end(struct web_watch *w);

/* ---- listener.c ---- */
extern const struct edge_protocol web_protocol;
void web_on_exchange(void *arg, struct http_exchange *x);
