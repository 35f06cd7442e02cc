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
	const struct names_state *latest = state_of(published_take(&n->published));
	struct zone *zone = latest ? zone_ref(latest->zone) : NULL;

	published_keep(&n->published);
	if (zone)
		buf_add_span(out, zone_bytes(zone));
	zone_unref(zone);
}

void names_thread_start(struct names *n, unsigned thread)
{
	struct names_thread *t = &n->threads[thread];

	must(thread < n->threads_n && !t->reader.loop);
	t->names = n;
	t->index = thread;
	list_init(&t->listeners);
	list_init(&t->acceptors);
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
	published_tell(&n->published, on_drain);
}

unsigned names_busy(const struct names *n)
{
	return atomic_load(&n->waiting) + atomic_load(&n->conns);
}

/* ---- for people ---- */

void names_json(struct names *n, struct jsonw *j)
{
	const struct names_state *latest = state_of(published_take(&n->published));
	const struct zone *zone = latest ? latest->zone : NULL;

	jsonw_object(j, "names");
	jsonw_uint(j, "names", zone ? zone_count(zone) : 0);
	jsonw_uint(j, "serial", zone ? zone_serial(zone) : 0);
	published_keep(&n->published);
	jsonw_uint(j, "waiting", atomic_load(&n->waiting));
	jsonw_uint(j, "connections", atomic_load(&n->conns));
	dns_resolver_json(n->resolver, j);
	jsonw_end(j);
}
