/*
 * The state of the DNS edge (io/published.h). Nothing holds it: a thread has no question in the
 * middle of which its state could change but those that wait for an upstream, and these need none.
 */
#include "names/names_priv.h"

static struct names_state *state_of(struct published_state *s)
{
	return s ? container_of(s, struct names_state, published) : NULL;
}

static void state_free(struct published_state *published)
{
	struct names_state *s = state_of(published);

	zone_unref(s->zone);
	mem_free((void *)s->settings.forward);
	mem_free((void *)s->settings.allow);
	mem_free(s);
}

/* The old state with the parts that are given replaced. Consumes zone, if there is one. */
static struct published_state *state_new(const struct names_state *old, struct zone *zone,
	const struct names_settings *settings)
{
	struct names_state *s = mem_new(struct names_state);

	must(old || settings);
	s->zone = zone || !old ? zone : zone_ref(old->zone);
	s->settings = settings ? *settings : old->settings;
	s->settings.forward = mem_copy(s->settings.forward, s->settings.forward_n, sizeof(*s->settings.forward));
	s->settings.allow = mem_copy(s->settings.allow, s->settings.allow_n, sizeof(*s->settings.allow));
	return &s->published;
}

static struct published_state *state_copy(const struct published_state *s)
{
	return state_new(container_of(s, const struct names_state, published), NULL, NULL);
}

static const struct published_kind names_kind = { state_copy, state_free };

/* ---- on the thread's loop ---- */

/* Reads /etc/resolv.conf, so that origins that are host names can be looked up although nobody is
 * forwarded to. */
static void prepare(void *arg)
{
	struct names_thread *t = arg;

	dns_resolver_prepare(t->names->resolver);
}

static void on_taken(void *thread, struct published_state *present)
{
	struct names_thread *t = thread;

	t->state = state_of(present);
	if (t->index == 0 && t->state->settings.forward_n == 0)
		task_spawn("names-prepare", prepare, t);
}

/* Consumes zone. */
static void publish(struct names *n, struct zone *zone, const struct names_settings *settings)
{
	struct names_state *old = state_of(published_take(&n->published));

	published_put(&n->published, state_new(old, zone, settings));
}

static void names_publish(void *edge, const struct edge_news *news)
{
	struct names *n = edge;
	const struct names_settings *s = news->settings;

	if (s)
		dns_resolver_use(n->resolver, s->forward, s->forward_n);
	if (s || news->snapshot)
		publish(n, news->snapshot ? zone_of(news->snapshot) : NULL, s);
}

static int names_restore(void *edge, struct buf *saved)
{
	struct names *n = edge;
	struct zone *zone;
	int r = zone_new(saved, &zone);

	if (r == 0)
		publish(n, zone, NULL);
	return r;
}

static void names_save(void *edge, struct buf *out)
{
	struct names *n = edge;
	const struct names_state *latest = state_of(published_take(&n->published));
	struct zone *zone = latest ? zone_ref(latest->zone) : NULL;

	published_keep(&n->published);
	if (zone)
		buf_add_span(out, zone_bytes(zone));
	zone_unref(zone);
}

static void names_thread_start(void *edge, unsigned thread)
{
	struct names *n = edge;
	struct names_thread *t = &n->threads[thread];

	must(thread < n->threads_n && !t->reader.loop);
	t->names = n;
	t->index = thread;
	edge_door_init(&t->door, &names_tcp_protocol, t, &t->conns_n, NULL);
	list_init(&t->listeners);
	list_init(&t->conns);
	list_init(&t->look_ups);
	published_read(&n->published, &t->reader, on_taken, t);
}

struct names *names_new(struct dns_resolver *resolver, unsigned threads)
{
	struct names *n = mem_new(struct names);

	n->resolver = resolver;
	n->threads_n = threads;
	n->threads = mem_zalloc(threads, sizeof(*n->threads));
	published_init(&n->published, &names_kind);
	return n;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	published_done(&n->published);
	mem_free(n->threads);
	return mem_free(n);
}

/* ---- listening ---- */

static void names_listen(void *edge, unsigned thread, int fd, enum edge_way way)
{
	struct names *n = edge;
	struct names_thread *t = &n->threads[thread];

	must(t->state);
	if (way == EDGE_DATAGRAMS)
		names_listen_udp(t, fd);
	else
		edge_door_open(&t->door, fd, way);
}

static void names_unlisten(void *edge, unsigned thread, int fd)
{
	struct names *n = edge;

	names_unlisten_udp(&n->threads[thread], fd);
	edge_door_shut(&n->threads[thread].door, fd);
}

/* ---- the end ---- */

static void on_drain(void *arg)
{
	struct names_thread *t = arg;

	t->draining = true;
	names_unlisten_udp(t, -1);
	edge_door_shut(&t->door, -1);
	names_drain_tcp(t);
}

static void names_drain(void *edge)
{
	struct names *n = edge;

	published_tell(&n->published, on_drain);
}

/* ---- for the worker ---- */

static unsigned connections(const struct names *n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n->threads_n; i++)
		sum += atomic_load(&n->threads[i].conns_n);
	return sum;
}

static unsigned names_busy(const void *edge)
{
	const struct names *n = edge;

	return atomic_load(&n->waiting) + connections(n);
}

static void names_faults(void *edge, edge_fault_fn *on_fault, void *arg)
{
	struct names *n = edge;

	dns_resolver_faults(n->resolver, on_fault, arg);
}

static void names_json(void *edge, struct jsonw *j)
{
	struct names *n = edge;
	const struct names_state *latest = state_of(published_take(&n->published));
	const struct zone *zone = latest ? latest->zone : NULL;

	jsonw_object(j, "names");
	jsonw_uint(j, "names", zone ? zone_count(zone) : 0);
	jsonw_uint(j, "serial", zone ? zone_serial(zone) : 0);
	published_keep(&n->published);
	jsonw_uint(j, "waiting", atomic_load(&n->waiting));
	jsonw_uint(j, "connections", connections(n));
	dns_resolver_json(n->resolver, j);
	jsonw_end(j);
}

const struct edge_ops names_edge = { .name = "names",
	.thread_start = names_thread_start,
	.listen = names_listen,
	.unlisten = names_unlisten,
	.publish = names_publish,
	.drain = names_drain,
	.busy = names_busy,
	.faults = names_faults,
	.json = names_json,
	.save = names_save,
	.restore = names_restore };
