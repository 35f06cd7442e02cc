/* The state of the mail edge (io/published.h): a transaction keeps the one that it began with. */
#include "mail/mail_priv.h"

static struct mail_state *state_of(struct published_state *s)
{
	return s ? container_of(s, struct mail_state, published) : NULL;
}

static void state_free(struct published_state *published)
{
	struct mail_state *s = state_of(published);

	snapshot_unref(s->snapshot);
	tls_set_unref(s->tls);
	mem_free((void *)s->settings.proxy_from);
	mem_free((void *)s->settings.hostname);
	mem_free(s);
}

static void copy_settings(struct mail_settings *to, const struct mail_settings *from)
{
	*to = *from;
	to->proxy_from = mem_copy(from->proxy_from, from->proxy_from_n, sizeof(*from->proxy_from));
	to->hostname = mem_text(from->hostname);
}

/* The old state with the parts that are given replaced. */
static struct published_state *state_new(const struct mail_state *old, struct snapshot *snapshot, struct tls_set *tls,
	const struct mail_settings *settings)
{
	struct mail_state *s = mem_new(struct mail_state);

	must(old || (snapshot && settings));
	s->snapshot = snapshot_ref(snapshot ? snapshot : old->snapshot);
	if (tls || (old && old->tls))
		s->tls = tls_set_ref(tls ? tls : old->tls);
	copy_settings(&s->settings, settings ? settings : &old->settings);
	return &s->published;
}

static struct published_state *state_copy(const struct published_state *s)
{
	return state_new(container_of(s, const struct mail_state, published), NULL, NULL, NULL);
}

static const struct published_kind mail_kind = { state_copy, state_free };

static void on_taken(void *thread, struct published_state *present)
{
	struct mail_thread *t = thread;

	t->state = state_of(present);
}

static void mail_publish(void *edge, const struct edge_news *news)
{
	struct mail *m = edge;
	struct mail_state *old = state_of(published_take(&m->published));

	if (news->snapshot)
		backends_watch(m->backends, news->snapshot);
	published_put(&m->published, state_new(old, news->snapshot, news->tls, news->settings));
}

static void mail_thread_start(void *edge, unsigned thread)
{
	struct mail *m = edge;
	struct mail_thread *t = &m->threads[thread];

	must(thread < m->threads_n && !t->reader.loop);
	t->mail = m;
	t->index = thread;
	edge_door_init(&t->door, &mail_protocol, t, &m->sessions, m->networks);
	list_init(&t->parked);
	published_read(&m->published, &t->reader, on_taken, t);
}

struct mail *mail_new(unsigned threads, struct evidence *evidence)
{
	struct mail *m = mem_new(struct mail);

	m->threads_n = threads;
	m->evidence = evidence;
	m->threads = mem_zalloc(threads, sizeof(*m->threads));
	m->networks = networks_new();
	m->backends = backends_new(threads);
	published_init(&m->published, &mail_kind);
	return m;
}

struct mail *mail_free(struct mail *m)
{
	if (!m)
		return NULL;
	published_done(&m->published);
	networks_free(m->networks);
	backends_free(m->backends);
	mem_free(m->threads);
	return mem_free(m);
}

/* ---- listening ---- */

static void mail_listen(void *edge, unsigned thread, int fd, enum edge_way way)
{
	struct mail *m = edge;
	struct mail_thread *t = &m->threads[thread];

	must(t->state);
	mail_remember_listener(t, fd);
	edge_door_open(&t->door, fd, way);
}

static void mail_unlisten(void *edge, unsigned thread, int fd)
{
	struct mail *m = edge;

	mail_forget_listener(&m->threads[thread], fd);
	edge_door_shut(&m->threads[thread].door, fd);
}

/* ---- the end ---- */

static void on_drain(void *arg)
{
	struct mail_thread *t = arg;

	t->draining = true;
	edge_door_shut(&t->door, -1);
	session_end_parked(t);
}

static void mail_drain(void *edge)
{
	struct mail *m = edge;

	published_tell(&m->published, on_drain);
}

/* ---- for the worker ---- */

static unsigned mail_busy(const void *edge)
{
	const struct mail *m = edge;

	return m->sessions;
}

static void mail_faults(void *edge, edge_fault_fn *on_fault, void *arg)
{
	struct mail *m = edge;

	backends_faults(m->backends, on_fault, arg);
}

static void mail_json(void *edge, struct jsonw *j)
{
	struct mail *m = edge;

	jsonw_object(j, "mail");
	jsonw_uint(j, "sessions", m->sessions);
	backends_json(m->backends, j);
	if (m->evidence)
		evidence_json(m->evidence, j);
	jsonw_end(j);
}

const struct edge_ops mail_edge = { .name = "mail",
	.thread_start = mail_thread_start,
	.listen = mail_listen,
	.unlisten = mail_unlisten,
	.publish = mail_publish,
	.drain = mail_drain,
	.busy = mail_busy,
	.faults = mail_faults,
	.json = mail_json };
