/*
 * The worker: the process that speaks with the world.
 *
 * Born by fork() with everything it needs in memory (struct birth), it gives up its rights, fences
 * itself in, and only then starts threads. Loop 0 runs on the first thread and has the channel to
 * the supervisor, the control socket and the clock of the process besides its visitors.
 *
 * Domains and certificates are read on helper threads, and what needs them begins when they are
 * there; until then visitors wait in the kernel's queue. Questions for names do not: the worker
 * before left what DNS has to know, and where that one is gone they are answered at once. Without
 * it, they wait, too: a name of ours is never called unknown.
 *
 * It ends when it was told to drain and its last connection is gone, or after DRAIN_MAX_S; when the
 * supervisor vanishes, so does the worker (PR_SET_PDEATHSIG).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "io/helper.h"
#include "serve/serve_priv.h"
#include "tls/explain.h"

#define HELPERS       4
#define TICK_MS       1000
#define DRAIN_LOOK_MS 50
#define PROVE_TICKS   60
#define GONE_MS       1000
#define SETTINGS_MAX  ((size_t)SETTINGS_BYTES_MAX)

unsigned serve_threads(const struct settings *s)
{
	int cores = get_nprocs();

	return s->threads ? (unsigned)s->threads : cores > 0 ? (unsigned)cores : 1;
}

struct settings *worker_settings(struct worker *w)
{
	struct settings *s;

	pthread_mutex_lock(&w->lock);
	s = settings_ref(w->settings);
	pthread_mutex_unlock(&w->lock);
	return s;
}

int worker_tell(struct worker *w, uint32_t type, uint32_t tag, struct span text)
{
	return channel_send(w->birth->channel, type, tag, text, NULL, 0);
}

/* ---- listening ---- */

/* A listener that comes or goes, for one thread; its sockets stay open for longer than the way
 * there takes. */
struct listen_change {
	struct worker_thread *thread;
	struct listener listener;
	bool gone;
};

static void on_listen_change(void *arg)
{
	struct listen_change *c = arg;
	struct worker_thread *t = c->thread;

	if (c->gone)
		edges_unlisten(t, &c->listener);
	else if (!t->worker->draining)
		edges_listen(t, &c->listener);
	mem_free(c);
}

static void tell_threads(struct worker *w, const struct listener *l, bool gone)
{
	for (unsigned i = 0; i < w->threads_n; i++) {
		struct listen_change *c = mem_new(struct listen_change);

		*c = (struct listen_change){ &w->threads[i], *l, gone };
		loop_post(w->threads[i].loop, on_listen_change, c);
	}
}

/* ---- what the supervisor says ---- */

static void on_new_settings(struct worker *w, struct channel_message *m)
{
	struct buf text = BUF_INIT(SETTINGS_MAX);
	struct conf_errors errors = { 0 };
	struct settings *s = NULL, *old = w->settings;
	struct arena a;

	arena_init(&a, 4096);
	if (m->fds_n == 1 && memfd_read(m->fds[0], &text) == 0)
		s = settings_parse(buf_span(&text), old->file.p, &a, &errors);
	if (s) {
		pthread_mutex_lock(&w->lock);
		w->settings = s;
		pthread_mutex_unlock(&w->lock);
		settings_unref(old);
		log_level_max(settings_log_level(s));
		edges_publish(w, s, NULL, NULL);
	}
	arena_done(&a);
	buf_done(&text);
}

static void on_listen(struct worker *w, struct channel_message *m)
{
	struct listeners *all = w->birth->listeners;
	struct listener l;

	if (all->n == LISTENERS_MAX || listener_parse(m->text, &l) < 0)
		return;
	l.fds = mem_zalloc(m->fds_n + 1, sizeof(int));
	for (unsigned i = 0; i < m->fds_n; i++) {
		l.fds[l.n++] = m->fds[i];
		m->fds[i] = -1;
	}
	pthread_mutex_lock(&w->lock);
	all->v[all->n++] = l;
	pthread_mutex_unlock(&w->lock);
	tell_threads(w, &l, false);
}

static void on_unlisten(struct worker *w, struct channel_message *m)
{
	struct listeners *all = w->birth->listeners;
	struct listener *l = listeners_find(all, m->text), gone;

	if (!l)
		return;
	gone = *l;
	pthread_mutex_lock(&w->lock);
	*l = all->v[--all->n];
	pthread_mutex_unlock(&w->lock);
	tell_threads(w, &gone, true);
	if (w->gone.n == LISTENERS_MAX)
		listeners_close(&w->gone);
	w->gone.v[w->gone.n++] = gone;
	w->gone_ms = deadline_in(GONE_MS);
}

static void on_tickets(struct channel_message *m)
{
	struct buf bytes = BUF_INIT(sizeof(struct tls_ticket_keys));
	struct tls_ticket_keys keys;

	if (m->fds_n == 1 && memfd_read(m->fds[0], &bytes) == 0 && bytes.n == sizeof(keys)) {
		memcpy(&keys, bytes.p, sizeof(keys));
		tls_ticket_keys_use(&keys);
		explicit_bzero(bytes.p, bytes.n);
		explicit_bzero(&keys, sizeof(keys));
	}
	buf_done(&bytes);
}

static void on_state(struct worker *w, struct channel_message *m)
{
	struct buf state = BUF_INIT(STATUS_MAX);

	if (m->fds_n != 1 || memfd_read(m->fds[0], &state) < 0) {
		buf_done(&state);
		return;
	}
	pthread_mutex_lock(&w->lock);
	buf_done(&w->state);
	w->state = state;
	pthread_mutex_unlock(&w->lock);
}

static void on_reopen(struct worker *w)
{
	int r = log_reopen();

	if (r < 0)
		log_event(LOG_LEVEL_ERROR, "serve", "log-failed", "error=%s", log_value(span_of(strerror(-r))));
	edges_reopen_logs(w);
}

static void on_answer(struct worker *w, struct channel_message *m)
{
	uint64_t status;

	if (m->fds_n == 1 && span_to_u64(m->text, &status) == 0)
		control_answer(&w->control, m->tag, (unsigned)status, m->fds[0]);
}

static void begin_drain(struct worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	w->drain_deadline = deadline_in(DRAIN_MAX_S * 1000);
	control_stop(&w->control);
	edges_drain(w);
	loop_timer_set(&w->tick, deadline_in(DRAIN_LOOK_MS), w->tick.fn, w);
}

static void on_message(struct worker *w, struct channel_message *m)
{
	switch (m->type) {
	case CHANNEL_SETTINGS:
		on_new_settings(w, m);
		break;
	case CHANNEL_LISTEN:
		on_listen(w, m);
		break;
	case CHANNEL_UNLISTEN:
		on_unlisten(w, m);
		break;
	case CHANNEL_CERTS:
		if (m->fds_n == 1) {
			certs_take(&w->certs, m->fds[0], m->tag);
			m->fds[0] = -1;
		}
		break;
	case CHANNEL_TICKETS:
		on_tickets(m);
		break;
	case CHANNEL_DRAIN:
		begin_drain(w);
		break;
	case CHANNEL_REOPEN:
		on_reopen(w);
		break;
	case CHANNEL_ANSWER:
		on_answer(w, m);
		break;
	case CHANNEL_STATE:
		on_state(w, m);
		break;
	default:
		break;
	}
}

static void read_channel(void *arg)
{
	struct worker *w = arg;
	struct channel_message *m = mem_new(struct channel_message);
	int r;

	do {
		while ((r = channel_receive(w->channel.fd, m)) == 1) {
			on_message(w, m);
			channel_message_done(m);
		}
		w->channel.readable = false;
		/* The supervisor speaks when it has something to say. */
	} while (r == 0 && loop_fd_wait_read(&w->channel, DEADLINE_NEVER) == 0);
	mem_free(m);
	loop_fd_remove(&w->channel);
	begin_drain(w);
}

/* ---- the clock ---- */

static void on_thread_end(void *arg)
{
	struct worker_thread *t = arg;

	origins_thread_stop(t->worker->origins, t->index);
	dns_resolver_thread_stop(t->worker->resolver, t->index);
	loop_stop(t->loop);
}

static void each_second(struct worker *w)
{
	log_flush();
	cache_sweep(w->cache, (int64_t)clock_mono_ms());
	worker_tell(w, CHANNEL_ALIVE, 0, SPAN(""));
	w->ticks++;
	if (w->ticks % PROVE_TICKS == 0)
		certs_check(&w->certs);
}

static void on_tick(void *arg)
{
	struct worker *w = arg;

	/* By now every thread has emptied the queues of listeners that went. */
	if (loop_now_ms() >= w->gone_ms)
		listeners_close(&w->gone);
	if (!w->draining) {
		each_second(w);
		loop_timer_set(&w->tick, deadline_in(TICK_MS), on_tick, w);
	} else if (edges_busy(w) > 0 && loop_now_ms() < w->drain_deadline) {
		loop_timer_set(&w->tick, deadline_in(DRAIN_LOOK_MS), on_tick, w);
	} else {
		for (unsigned i = 0; i < w->threads_n; i++)
			loop_post(w->threads[i].loop, on_thread_end, &w->threads[i]);
	}
}

/* ---- threads ---- */

static void read_cas(void *arg)
{
	(void)arg;
	tls_client_prepare();
}

static void on_all_started(void *arg)
{
	struct worker *w = arg;

	domains_start(&w->domains);
	writer_start(w->writer);
	worker_tell(w, CHANNEL_READY, 0, SPAN(""));
	certs_check(&w->certs);
}

/* With those of edges that were restored, or with the others. Where the worker before is gone, the
 * former do not wait for what is still being read. */
static void listen_to(struct worker_thread *t, bool restored)
{
	const struct listeners *all = t->worker->birth->listeners;

	for (unsigned i = 0; i < all->n; i++)
		if (restored == t->worker->edges[listener_kind_edge(all->v[i].kind)].restored)
			edges_listen(t, &all->v[i]);
}

static void on_thread_start(void *arg)
{
	struct worker_thread *t = arg;
	struct worker *w = t->worker;

	dns_resolver_thread_start(w->resolver, t->index);
	edges_thread_start(t);
	if (w->birth->alone)
		listen_to(t, true);
}

static void on_loaded(void *arg)
{
	struct worker_thread *t = arg;
	struct worker *w = t->worker;

	listen_to(t, false);
	if (!w->birth->alone)
		listen_to(t, true);
	if (t->index == 0) {
		must(loop_fd_add(&w->channel, w->birth->channel) == 0);
		must(task_spawn("channel", read_channel, w));
		control_start(&w->control, w, w->birth->control);
		loop_timer_set(&w->tick, deadline_in(TICK_MS), on_tick, w);
	}
	if (atomic_fetch_add(&w->started, 1) + 1 == w->threads_n)
		loop_post(w->threads[0].loop, on_all_started, w);
}

/* On a helper thread. */
static void load(void *arg)
{
	struct worker *w = arg;

	domains_init(&w->domains, w, w->birth->snapshot);
	certs_init(&w->certs, w);
	for (unsigned i = 0; i < w->threads_n; i++)
		loop_post(w->threads[i].loop, on_loaded, &w->threads[i]);
}

static void *thread_main(void *arg)
{
	struct worker_thread *t = arg;

	loop_run(t->loop);
	return NULL;
}

static int make_threads(struct worker *w)
{
	w->threads = mem_zalloc(w->threads_n, sizeof(*w->threads));
	for (unsigned i = 0; i < w->threads_n; i++) {
		w->threads[i] = (struct worker_thread){ .worker = w, .index = i, .loop = loop_new(NULL) };
		if (!w->threads[i].loop)
			return -errno;
		loop_post(w->threads[i].loop, on_thread_start, &w->threads[i]);
	}
	return 0;
}

static void run_threads(struct worker *w)
{
	for (unsigned i = 1; i < w->threads_n; i++)
		must(pthread_create(&w->threads[i].thread, NULL, thread_main, &w->threads[i]) == 0);
	thread_main(&w->threads[0]);
	for (unsigned i = 1; i < w->threads_n; i++)
		pthread_join(w->threads[i].thread, NULL);
}

/* ---- birth and end ---- */

/* The folder of a file, for the fence. */
static char *folder_of(struct span path)
{
	size_t n = path.n;

	while (n > 1 && path.p[n - 1] != '/')
		n--;
	return span_text(span_sub(path, 0, n > 1 ? n - 1 : 1));
}

static bool is_file(struct span to)
{
	return span_starts(to, SPAN("/"));
}

static int fence_failed(const char *what, int r)
{
	struct fault f;

	fault_set(&f, FAULT_SERVE_FENCE_FAILED);
	fault_fact(&f, "what", "%s", what);
	fault_fact(&f, "error", "%s", strerror(-r));
	log_fault(LOG_LEVEL_ERROR, "serve", "fence-failed", &f);
	return r;
}

static int fence(struct worker *w)
{
	const struct settings *s = w->settings;
	struct sandbox_paths paths = { 0 };
	char *folders[3];
	int r;

	if (store_url_file(s->store).n > 0)
		folders[paths.writable_n++] = folder_of(store_url_file(s->store));
	if (is_file(s->log.access_to))
		folders[paths.writable_n++] = folder_of(s->log.access_to);
	if (is_file(s->log.to))
		folders[paths.writable_n++] = folder_of(s->log.to);
	for (unsigned i = 0; i < paths.writable_n; i++)
		paths.writable[i] = folders[i];
	r = sandbox_landlock(&paths);
	for (unsigned i = 0; i < paths.writable_n; i++)
		mem_free(folders[i]);
	w->landlock_abi = r;
	if (r < 0)
		return fence_failed("Landlock", r);
	r = sandbox_seccomp();
	return r < 0 ? fence_failed("seccomp", r) : 0;
}

static int give_up_rights(struct worker *w)
{
	int r = sandbox_become(&w->birth->user);

	if (r < 0)
		return fence_failed("user", r);
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != w->birth->supervisor)
		return -ESRCH;
	return fence(w);
}

static void begin_edges(struct worker *w)
{
	struct buf saved = BUF_INIT(LARGE_MAX);

	if (w->birth->names >= 0 && memfd_read(w->birth->names, &saved) < 0)
		buf_reset(&saved);
	edges_make(w, &saved);
	buf_done(&saved);
}

static int begin(struct worker *w)
{
	struct cache_settings cs = { .bytes_max = w->settings->web.cache_memory,
		.site_share = (unsigned)w->settings->web.cache_share };
	int r;

	control_keep_files();
	tls_client_open();
	r = give_up_rights(w);
	if (r < 0)
		return r;
	r = make_threads(w);
	if (r < 0)
		return r;
	helper_start(HELPERS);
	tls_ticket_keys_use(&w->birth->tickets);
	w->cache = cache_new(&cs);
	w->resolver = dns_resolver_new(w->threads_n);
	w->origins = origins_new(w->threads_n);
	w->writer = writer_new(w->settings->store.p);
	w->evidence = evidence_new(w->writer);
	begin_edges(w);
	must(helper_post(load, w) == 0);
	must(helper_post(read_cas, NULL) == 0);
	return 0;
}

static void end(struct worker *w)
{
	domains_stop(&w->domains);
	helper_stop();
	edges_free(w);
	writer_stop(w->writer);
	evidence_free(w->evidence);
	writer_free(w->writer);
	origins_free(w->origins);
	dns_resolver_free(w->resolver);
	cache_free(w->cache);
	for (unsigned i = 0; i < w->threads_n; i++)
		loop_free(w->threads[i].loop);
	domains_done(&w->domains);
	certs_done(&w->certs);
	mem_free(w->threads);
	buf_done(&w->state);
	listeners_close(&w->gone);
	settings_unref(w->settings);
	pthread_mutex_destroy(&w->lock);
	mem_free(w);
}

int worker_run(struct birth *b)
{
	struct worker *w = mem_new(struct worker);
	int r;

	w->birth = b;
	w->settings = settings_ref(b->settings);
	w->threads_n = serve_threads(b->settings);
	w->started_at = clock_wall_s();
	pthread_mutex_init(&w->lock, NULL);
	buf_init(&w->state, STATUS_MAX);
	buf_add_text(&w->state, b->state ? b->state : "");
	r = begin(w);
	if (r < 0)
		return 1;
	run_threads(w);
	end(w);
	return 0;
}
