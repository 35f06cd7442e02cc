/*
 * The state of the DNS edge and how a new one reaches the threads: names_publish() makes a struct names_state and posts it
 * to each loop. A thread has no question in the middle of which its state could change but those that wait for an
 * upstream, and these need none.
 */
#include "names/names_priv.h"

static struct names_state *state_ref(struct names_state *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

static struct names_state *state_unref(struct names_state *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
		zone_unref(s->zone);
		mem_free((void *)s->settings.forward);
		mem_free((void *)s->settings.allow);
		mem_free(s);
	}
	return NULL;
}

/* Consumes zone, if there is one. */
static struct names_state *state_new(const struct names_state *old, struct zone *zone,
	const struct names_settings *settings)
{
	struct names_state *s = mem_new(struct names_state);

	must(old || settings);
	s->refs = 1;
	s->zone = zone || !old ? zone : zone_ref(old->zone);
	s->settings = settings ? *settings : old->settings;
	s->settings.forward = mem_copy(s->settings.forward, s->settings.forward_n, sizeof(*s->settings.forward));
	s->settings.allow = mem_copy(s->settings.allow, s->settings.allow_n, sizeof(*s->settings.allow));
	return s;
}

/* ---- on the thread's loop ---- */

/* Reads /etc/resolv.conf, so that origins that are host names can be looked up although nobody is forwarded to. */
static void prepare(void *arg)
{
	struct names_thread *t = arg;

	dns_resolver_prepare(t->names->resolver);
}

static void thread_take(struct names_thread *t, struct names_state *state)
{
	state_unref(t->state);
	t->state = state;
	if (t->index == 0 && state->settings.forward_n == 0)
		task_spawn("names-prepare", prepare, t);
}

static void on_delivery(void *thread, void *state)
{
	thread_take(thread, state);
}

/* Consumes zone. */
static void publish(struct names *n, struct zone *zone, const struct names_settings *settings)
{
	struct names_state *old;

	pthread_mutex_lock(&n->lock);
	old = n->current;
	n->current = state_new(old, zone, settings);
	for (unsigned i = 0; i < n->threads_n; i++)
		if (n->threads[i].loop)
			loop_post_pair(n->threads[i].loop, on_delivery, &n->threads[i], state_ref(n->current));
	pthread_mutex_unlock(&n->lock);
	state_unref(old);
}

void names_publish(struct names *n, const struct snapshot *snapshot, const struct names_settings *settings)
{
	publish(n, snapshot ? zone_of(snapshot) : NULL, settings);
}

int names_restore(struct names *n, struct buf *saved)
{
	struct zone *zone;
	int r = zone_new(saved, &zone);

	if (r == 0)
		publish(n, zone, NULL);
	return r;
}

void names_save(struct names *n, struct buf *out)
{
	struct zone *zone;

	pthread_mutex_lock(&n->lock);
	zone = n->current ? zone_ref(n->current->zone) : NULL;
	pthread_mutex_unlock(&n->lock);
	if (zone)
		buf_add_span(out, zone_bytes(zone));
	zone_unref(zone);
}

void names_thread_start(struct names *n, unsigned thread)
{
	struct names_thread *t = &n->threads[thread];

	must(thread < n->threads_n && !t->loop);
	t->names = n;
	t->index = thread;
	list_init(&t->listeners);
	list_init(&t->acceptors);
	list_init(&t->conns);
	list_init(&t->look_ups);
	pthread_mutex_lock(&n->lock);
	t->loop = loop_self();
	if (n->current)
		thread_take(t, state_ref(n->current));
	pthread_mutex_unlock(&n->lock);
}

struct names *names_new(struct dns_resolver *resolver, unsigned threads)
{
	struct names *n = mem_new(struct names);

	n->resolver = resolver;
	n->threads_n = threads;
	n->threads = mem_zalloc(threads, sizeof(*n->threads));
	pthread_mutex_init(&n->lock, NULL);
	return n;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	for (unsigned i = 0; i < n->threads_n; i++)
		state_unref(n->threads[i].state);
	state_unref(n->current);
	pthread_mutex_destroy(&n->lock);
	mem_free(n->threads);
	return mem_free(n);
}

/* ---- listening ---- */

void names_listen(struct names *n, unsigned thread, int fd, bool tcp)
{
	struct names_thread *t = &n->threads[thread];

	must(t->state);
	if (tcp)
		names_listen_tcp(t, fd);
	else
		names_listen_udp(t, fd);
}

void names_unlisten(struct names *n, unsigned thread, int fd)
{
	names_unlisten_udp(&n->threads[thread], fd);
	accept_stop(&n->threads[thread].acceptors, fd);
}

/* ---- the end ---- */

static void on_drain(void *arg)
{
	struct names_thread *t = arg;

	t->draining = true;
	names_unlisten_udp(t, -1);
	accept_stop(&t->acceptors, -1);
	names_drain_tcp(t);
}

void names_drain(struct names *n)
{
	for (unsigned i = 0; i < n->threads_n; i++)
		if (n->threads[i].loop)
			loop_post(n->threads[i].loop, on_drain, &n->threads[i]);
}

unsigned names_busy(const struct names *n)
{
	return atomic_load(&n->waiting) + atomic_load(&n->conns);
}

/* ---- for people ---- */

void names_json(struct names *n, struct jsonw *j)
{
	const struct zone *zone;

	pthread_mutex_lock(&n->lock);
	zone = n->current ? n->current->zone : NULL;
	jsonw_object(j, "names");
	jsonw_uint(j, "names", zone ? zone_count(zone) : 0);
	jsonw_uint(j, "serial", zone ? zone_serial(zone) : 0);
	pthread_mutex_unlock(&n->lock);
	jsonw_uint(j, "waiting", atomic_load(&n->waiting));
	jsonw_uint(j, "connections", atomic_load(&n->conns));
	dns_resolver_json(n->resolver, j);
	jsonw_end(j);
}
