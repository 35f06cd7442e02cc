/*
 * The state of the web edge and how a new one reaches the threads.
 *
 * web_publish() makes a struct web_state and posts it to each loop; there it becomes the thread's view. A request
 * holds the view it began with, so a snapshot lives until its last request ended. Nothing waits for anything.
 */
#include <pthread.h>
#include <stdio.h>
#include "base/log.h"
#include "base/rand.h"
#include "web/web_priv.h"

static struct web_state *state_ref(struct web_state *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

static struct web_state *state_unref(struct web_state *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
		snapshot_unref(s->snapshot);
		tls_set_unref(s->tls);
		mem_free(s->sites);
		mem_free((void *)s->settings.proxy_from);
		mem_free((void *)s->settings.access_to);
		mem_free(s);
	}
	return NULL;
}

struct web_view *web_view_ref(struct web_view *v)
{
	v->refs++;
	return v;
}

struct web_view *web_view_unref(struct web_view *v)
{
	if (v && --v->refs == 0) {
		state_unref(v->state);
		mem_free(v);
	}
	return NULL;
}

void web_view_unrefp(struct web_view **v)
{
	*v = web_view_unref(*v);
}

static void copy_settings(struct web_settings *to, const struct web_settings *from)
{
	*to = *from;
	to->proxy_from = mem_copy(from->proxy_from, from->proxy_from_n, sizeof(*from->proxy_from));
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

/* What is published now, with the parts that are given replaced. */
static struct web_state *state_new(const struct web_state *old, struct snapshot *snapshot, struct tls_set *tls,
	const struct web_settings *settings)
{
	struct web_state *s = mem_new(struct web_state);

	must(old || (snapshot && settings));
	s->refs = 1;
	s->snapshot = snapshot_ref(snapshot ? snapshot : old->snapshot);
	if (tls || (old && old->tls))
		s->tls = tls_set_ref(tls ? tls : old->tls);
	copy_settings(&s->settings, settings ? settings : &old->settings);
	s->sites = sites_of(s->snapshot);
	return s;
}

/* ---- on the thread's loop ---- */

static void thread_take(struct web_thread *t, struct web_state *state, struct access_sink *sink)
{
	struct web_view *view = mem_new(struct web_view);

	view->refs = 1;
	view->state = state;
	web_view_unref(t->view);
	t->view = view;
	t->plain.limits = t->secure.limits = state->settings.limits;
	access_log_to(t->access, sink);
}

static void on_delivery(void *thread, void *state)
{
	struct web *w = ((struct web_thread *)thread)->web;
	struct access_sink *sink;

	/* Another one may be opened at any moment. */
	pthread_mutex_lock(&w->lock);
	sink = access_sink_ref(w->sink);
	pthread_mutex_unlock(&w->lock);
	thread_take(thread, state, sink);
	access_sink_unref(sink);
}

static void deliver(struct web *w, struct web_state *state)
{
	for (unsigned i = 0; i < w->threads_n; i++) {
		struct web_thread *t = &w->threads[i];

		if (t->loop)
			loop_post_pair(t->loop, on_delivery, t, state_ref(state));
	}
}

/* The access log's sink for these settings; a file that cannot be opened keeps the old one. Under w->lock. */
static void reopen_sink(struct web *w)
{
	const char *to = w->current->settings.access_to;
	struct access_sink *sink = access_sink_open(to);

	if (!sink) {
		log_event(LOG_LEVEL_ERROR, "web", "access-log-failed", "path=%s error=\"%m\"", log_value(span_of(to)));
		return;
	}
	access_sink_unref(w->sink);
	w->sink = sink;
}

void web_publish(struct web *w, struct snapshot *snapshot, struct tls_set *tls, const struct web_settings *settings)
{
	struct web_state *old;

	pthread_mutex_lock(&w->lock);
	old = w->current;
	w->current = state_new(old, snapshot, tls, settings);
	if (settings) {
		cache_resize(w->cache, settings->cache_memory);
		reopen_sink(w);
	}
	deliver(w, w->current);
	pthread_mutex_unlock(&w->lock);
	state_unref(old);
}

void web_reopen_log(struct web *w)
{
	pthread_mutex_lock(&w->lock);
	reopen_sink(w);
	deliver(w, w->current);
	pthread_mutex_unlock(&w->lock);
}

static void on_closed(void *arg, struct conn *c)
{
	struct web_thread *t = arg;

	(void)c;
	atomic_fetch_sub(&t->web->connections, 1);
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

void web_thread_start(struct web *w, unsigned thread)
{
	struct web_thread *t = &w->threads[thread];

	must(thread < w->threads_n && !t->loop);
	t->web = w;
	t->index = thread;
	list_init(&t->acceptors);
	t->access = access_log_new();
	t->plain = (struct h1_server){ .handler = web_on_exchange,
		.refused = on_refused,
		.closed = on_closed,
		.arg = t,
		.draining = &t->draining };
	t->secure = t->plain;
	origins_thread_start(w->origins, thread);
	pthread_mutex_lock(&w->lock);
	t->loop = loop_self();
	if (w->current)
		thread_take(t, state_ref(w->current), w->sink);
	pthread_mutex_unlock(&w->lock);
}

struct web *web_new(struct cache *cache, struct origins *origins, unsigned threads)
{
	struct web *w = mem_new(struct web);

	w->cache = cache;
	w->origins = origins;
	w->threads_n = threads;
	w->threads = mem_zalloc(threads, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	snprintf(w->pseudonym, sizeof(w->pseudonym), "torhaus-%08x", (unsigned)rand_below(UINT32_MAX));
	return w;
}

struct web *web_free(struct web *w)
{
	if (!w)
		return NULL;
	for (unsigned i = 0; i < w->threads_n; i++) {
		access_log_free(w->threads[i].access);
		web_view_unref(w->threads[i].view);
	}
	access_sink_unref(w->sink);
	state_unref(w->current);
	pthread_mutex_destroy(&w->lock);
	mem_free(w->threads);
	return mem_free(w);
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
	web_unlisten(t->web, t->index, -1);
	loop_timer_set(&t->drain_timer, deadline_in(DRAIN_IDLE_MS), on_drain_idle, t);
}

void web_drain(struct web *w)
{
	for (unsigned i = 0; i < w->threads_n; i++)
		if (w->threads[i].loop)
			loop_post(w->threads[i].loop, on_drain, &w->threads[i]);
}

unsigned web_connections(const struct web *w)
{
	return w->connections;
}
