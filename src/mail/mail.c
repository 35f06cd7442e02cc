/* The state of the mail edge and how a new one reaches the threads: as that of the web edge (web/web.c). */
#include "mail/mail_priv.h"

struct mail_state *mail_state_ref(struct mail_state *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

struct mail_state *mail_state_unref(struct mail_state *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
		snapshot_unref(s->snapshot);
		tls_set_unref(s->tls);
		mem_free((void *)s->settings.proxy_from);
		mem_free((void *)s->settings.hostname);
		mem_free(s);
	}
	return NULL;
}

static void copy_settings(struct mail_settings *to, const struct mail_settings *from)
{
	*to = *from;
	to->proxy_from = mem_copy(from->proxy_from, from->proxy_from_n, sizeof(*from->proxy_from));
	to->hostname = mem_text(from->hostname);
}

/* What is published now, with the parts that are given replaced. */
static struct mail_state *state_new(const struct mail_state *old, struct snapshot *snapshot, struct tls_set *tls,
	const struct mail_settings *settings)
{
	struct mail_state *s = mem_new(struct mail_state);

	must(old || (snapshot && settings));
	s->refs = 1;
	s->snapshot = snapshot_ref(snapshot ? snapshot : old->snapshot);
	if (tls || (old && old->tls))
		s->tls = tls_set_ref(tls ? tls : old->tls);
	copy_settings(&s->settings, settings ? settings : &old->settings);
	return s;
}

/* ---- on the thread's loop ---- */

static void thread_take(struct mail_thread *t, struct mail_state *state)
{
	mail_state_unref(t->state);
	t->state = state;
}

static void on_delivery(void *thread, void *state)
{
	thread_take(thread, state);
}

void mail_publish(struct mail *m, struct snapshot *snapshot, struct tls_set *tls, const struct mail_settings *settings)
{
	struct mail_state *old;

	pthread_mutex_lock(&m->lock);
	old = m->current;
	m->current = state_new(old, snapshot, tls, settings);
	if (snapshot)
		backends_watch(m->backends, snapshot);
	for (unsigned i = 0; i < m->threads_n; i++)
		if (m->threads[i].loop)
			loop_post_pair(m->threads[i].loop, on_delivery, &m->threads[i], mail_state_ref(m->current));
	pthread_mutex_unlock(&m->lock);
	mail_state_unref(old);
}

void mail_thread_start(struct mail *m, unsigned thread)
{
	struct mail_thread *t = &m->threads[thread];

	must(thread < m->threads_n && !t->loop);
	t->mail = m;
	t->index = thread;
	list_init(&t->acceptors);
	list_init(&t->parked);
	pthread_mutex_lock(&m->lock);
	t->loop = loop_self();
	if (m->current)
		thread_take(t, mail_state_ref(m->current));
	pthread_mutex_unlock(&m->lock);
}

struct mail *mail_new(unsigned threads, struct evidence *evidence)
{
	struct mail *m = mem_new(struct mail);

	m->threads_n = threads;
	m->evidence = evidence;
	m->threads = mem_zalloc(threads, sizeof(*m->threads));
	m->networks = networks_new();
	m->backends = backends_new(threads);
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

struct mail *mail_free(struct mail *m)
{
	if (!m)
		return NULL;
	for (unsigned i = 0; i < m->threads_n; i++)
		mail_state_unref(m->threads[i].state);
	mail_state_unref(m->current);
	networks_free(m->networks);
	backends_free(m->backends);
	pthread_mutex_destroy(&m->lock);
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
	for (unsigned i = 0; i < m->threads_n; i++)
		if (m->threads[i].loop)
			loop_post(m->threads[i].loop, on_drain, &m->threads[i]);
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
