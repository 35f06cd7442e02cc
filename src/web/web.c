/* The state of the web edge (io/published.h): a request holds the one that it began with, so a
 * snapshot lives until its last request has ended. */
#include <netinet/tcp.h>
#include <stdio.h>
#include "base/log.h"
#include "base/rand.h"
#include "web/web_priv.h"

static struct web_state *state_of(struct published_state *s)
{
	return s ? container_of(s, struct web_state, published) : NULL;
}

static void state_free(struct published_state *published)
{
	struct web_state *s = state_of(published);

	snapshot_unref(s->snapshot);
	tls_set_unref(s->tls);
	access_sink_unref(s->sink);
	mem_free(s->sites);
	mem_free((void *)s->settings.proxy_from);
	mem_free((void *)s->settings.forwarded_from);
	mem_free((void *)s->settings.health_path);
	mem_free((void *)s->settings.access_to);
	mem_free(s);
}

static void copy_settings(struct web_settings *to, const struct web_settings *from)
{
	*to = *from;
	to->proxy_from = mem_copy(from->proxy_from, from->proxy_from_n, sizeof(*from->proxy_from));
	to->forwarded_from = mem_copy(from->forwarded_from, from->forwarded_from_n, sizeof(*from->forwarded_from));
	to->health_path = mem_text(from->health_path ? from->health_path : "");
	to->access_to = mem_text(from->access_to ? from->access_to : "stderr");
}

static struct site_stats **sites_of(struct snapshot *s)
{
	unsigned n = snapshot_count(s);
	struct site_stats **sites = mem_zalloc(n + 1, sizeof(*sites));

	for (unsigned i = 0; i < n; i++)
		sites[i] = site_stats_get(snapshot_at(s, i)->name);
	return sites;
}

/* Where the access log goes now, opened anew; what cannot be opened leaves it where it was. */
static struct access_sink *sink_opened(const struct web_state *old, const struct web_settings *settings)
{
	const char *to = settings->access_to;
	struct access_sink *sink = settings->access == ACCESS_OFF ? NULL : access_sink_open(to);

	if (sink || settings->access == ACCESS_OFF)
		return sink;
	log_event(LOG_LEVEL_ERROR, "web", "access-log-failed", "path=%s error=\"%m\"", log_value(span_of(to)));
	return old ? access_sink_ref(old->sink) : NULL;
}

/* The old state with the parts that are given replaced. */
static struct published_state *state_new(const struct web_state *old, struct snapshot *snapshot, struct tls_set *tls,
	const struct web_settings *settings)
{
	struct web_state *s = mem_new(struct web_state);

	must(old || (snapshot && settings));
	s->snapshot = snapshot_ref(snapshot ? snapshot : old->snapshot);
	if (tls || (old && old->tls))
		s->tls = tls_set_ref(tls ? tls : old->tls);
	copy_settings(&s->settings, settings ? settings : &old->settings);
	s->sink = settings ? sink_opened(old, &s->settings) : access_sink_ref(old->sink);
	s->sites = snapshot ? sites_of(snapshot)
			    : mem_copy(old->sites, snapshot_count(old->snapshot), sizeof(struct site_stats *));
	return &s->published;
}

static struct published_state *state_copy(const struct published_state *s)
{
	return state_new(container_of(s, const struct web_state, published), NULL, NULL, NULL);
}

static const struct published_kind web_kind = { state_copy, state_free };

static void on_taken(void *thread, struct published_state *present)
{
	struct web_thread *t = thread;

	t->state = state_of(present);
	t->plain.limits = t->secure.limits = t->state->settings.limits;
	access_log_to(t->access, t->state->sink);
}

static void web_publish(void *edge, const struct edge_news *news)
{
	struct web *w = edge;
	struct web_state *old = state_of(published_take(&w->published));
	const struct web_settings *settings = news->settings;

	if (settings)
		cache_resize(w->cache, settings->cache_memory, settings->cache_share);
	published_put(&w->published, state_new(old, news->snapshot, news->tls, settings));
}

static void web_reopen_log(void *edge)
{
	struct web *w = edge;
	struct web_state *old = state_of(published_take(&w->published));

	must(old);
	published_put(&w->published, state_new(old, NULL, NULL, &old->settings));
}

static void on_closed(void *arg, struct conn *c)
{
	struct web_thread *t = arg;

	edge_leave(&t->door, c, false);
	stat_add(STAT_CONNECTIONS_CLOSED, 1);
}

static void on_refused(void *arg, struct conn *c, unsigned status, const struct fault *fault)
{
	char client[NET_ADDR_SIZE];

	(void)arg;
	stat_add(STAT_REQUESTS_REFUSED, 1);
	net_addr_host_text(&c->peer, client);
	log_event(LOG_LEVEL_DEBUG, "web", "request-refused", "client=%s status=%u code=%s", client, status,
		fault_code_text(fault->code));
}

static void web_thread_start(void *edge, unsigned thread)
{
	struct web *w = edge;
	struct web_thread *t = &w->threads[thread];

	must(thread < w->threads_n && !t->reader.loop);
	t->web = w;
	t->index = thread;
	edge_door_init(&t->door, &web_protocol, t, &w->connections, NULL);
	t->access = access_log_new();
	t->plain = (struct http_server){ .handler = web_on_exchange,
		.refused = on_refused,
		.closed = on_closed,
		.arg = t,
		.draining = &t->draining };
	t->secure = t->plain;
	origins_thread_start(w->origins, thread);
	published_read(&w->published, &t->reader, on_taken, t);
}

struct web *web_new(struct cache *cache, struct origins *origins, unsigned threads)
{
	struct web *w = mem_new(struct web);

	w->cache = cache;
	w->origins = origins;
	w->threads_n = threads;
	w->threads = mem_zalloc(threads, sizeof(*w->threads));
	published_init(&w->published, &web_kind);
	snprintf(w->pseudonym, sizeof(w->pseudonym), "torhaus-%08x", (unsigned)rand_below(UINT32_MAX));
	return w;
}

struct web *web_free(struct web *w)
{
	if (!w)
		return NULL;
	for (unsigned i = 0; i < w->threads_n; i++)
		access_log_free(w->threads[i].access);
	published_done(&w->published);
	mem_free(w->threads);
	return mem_free(w);
}

/* ---- listening ---- */

#define UNSENT_MAX (128 * 1024)

static unsigned port_of(int fd)
{
	struct net_addr addr = { .n = sizeof(struct sockaddr_in6) };

	return getsockname(fd, &addr.sa, &addr.n) == 0 ? net_addr_port(&addr) : 0;
}

static void web_listen(void *edge, unsigned thread, int fd, enum edge_way way)
{
	struct web *w = edge;
	struct web_thread *t = &w->threads[thread];
	unsigned unsent = UNSENT_MAX;

	must(t->state);
	if (way == EDGE_TLS && w->tls_port == 0)
		w->tls_port = port_of(fd);
	/* Accepted sockets inherit it. What a slow reader has not taken stays in the cache, where
	 * it is shared, and not in a send queue of the kernel's for each. Throughput does not
	 * suffer: what is on its way does not count. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	edge_door_open(&t->door, fd, way);
}

static void web_unlisten(void *edge, unsigned thread, int fd)
{
	struct web *w = edge;

	edge_door_shut(&w->threads[thread].door, fd);
}

/* ---- the end ---- */

#define DRAIN_IDLE_MS 5000 /* idle connections may send one more request, then they are closed */

static void on_drain_idle(void *arg)
{
	(void)arg;
	loop_idle_stop_all();
}

static void on_drain(void *arg)
{
	struct web_thread *t = arg;

	t->draining = true;
	edge_door_shut(&t->door, -1);
	loop_timer_set(&t->drain_timer, deadline_in(DRAIN_IDLE_MS), on_drain_idle, t);
}

/* Idle connections are closed after a moment, busy ones end after their current answer. */
static void web_drain(void *edge)
{
	struct web *w = edge;

	published_tell(&w->published, on_drain);
}

/* ---- for the worker ---- */

static unsigned web_busy(const void *edge)
{
	const struct web *w = edge;

	return w->connections;
}

static void web_json(void *edge, struct jsonw *j)
{
	jsonw_uint(j, "connections", web_busy(edge));
}

const struct edge_ops web_edge = { .name = "web",
	.thread_start = web_thread_start,
	.listen = web_listen,
	.unlisten = web_unlisten,
	.publish = web_publish,
	.reopen_logs = web_reopen_log,
	.drain = web_drain,
	.busy = web_busy,
	.json = web_json };
