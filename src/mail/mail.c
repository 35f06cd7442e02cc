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

void mail_publish(struct mail *m, struct snapshot *snapshot, struct tls_set *tls, const struct mail_settings *settings)
{
	struct mail_state *old = state_of(published_take(&m->published));

	if (snapshot)
		backends_watch(m->backends, snapshot);
	published_put(&m->published, state_new(old, snapshot, tls, settings));
}

void mail_thread_start(struct mail *m, unsigned thread)
{
	struct mail_thread *t = &m->threads[thread];

	must(thread < m->threads_n && !t->reader.loop);
	t->mail = m;
	t->index = thread;
	list_init(&t->acceptors);
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

/* ---- the end ---- */

static void on_drain(void *arg)
{
	struct mail_thread *t = arg;

	t->draining = true;
	mail_unlisten(t->mail, t->index, -1);
	session_end_parked(t);
}

void mail_drain(struct mail *m)
{
	published_tell(&m->published, on_drain);
}

unsigned mail_sessions(const struct mail *m)
{
	return m->sessions;
}

void mail_faults(struct mail *m, mail_fault_fn *on_fault, void *arg)
{
	backends_faults(m->backends, on_fault, arg);
}

void mail_backends_json(struct mail *m, struct jsonw *j)
{
	backends_json(m->backends, j);
}
