/*
 * The store's watcher: a thread of its own, for the store blocks.
 *
 * Four times a second it asks the store for its version; when that changed it loads the domains and
 * publishes them as a snapshot, and it carries out purges by their sequence numbers. Once a second
 * it tries whether the store could be changed, so that a full disk or a lock that nobody gives back
 * is told before an administrator runs into it. Whatever is wrong with the store (locked, full,
 * corrupt, gone) changes nothing for visitors: the snapshot that is there stays, the fault is kept
 * for the status, logged once, and the next round tries again.
 *
 * A new worker begins with the last good snapshot, which the supervisor keeps: it serves at once,
 * whatever the store is doing, and reads the store right after. The names of that snapshot are kept
 * beside it, so that DNS is answered before it is parsed (edges_save()).
 */
#include <errno.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/serve_priv.h"

#define ROUND_MS      250
#define TRY_MS        1000 /* between two tries whether the store could be changed */
#define LOCKED_MS     5000 /* others may hold it for so long */
#define PURGE_WAIT_MS 5000
#define PURGE_SLACK_S 2 /* clocks of the one who asks and ours */

static void load_failed(struct domains *d, const struct fault *fault)
{
	bool news;

	pthread_mutex_lock(&d->lock);
	news = !d->failing || d->fault.code != fault->code;
	if (!d->failing)
		d->fault_since = clock_wall_s();
	d->failing = true;
	d->fault = *fault;
	pthread_mutex_unlock(&d->lock);
	d->version_known = false;
	if (news)
		log_fault(LOG_LEVEL_ERROR, "store", "store-failed", fault);
}

static void load_works(struct domains *d)
{
	bool news;
	int64_t since;

	pthread_mutex_lock(&d->lock);
	news = d->failing;
	since = d->fault_since;
	d->failing = false;
	pthread_mutex_unlock(&d->lock);
	if (news)
		log_event(LOG_LEVEL_INFO, "store", "store-recovered", "after=%llds",
			(long long)(clock_wall_s() - since));
}

/* ---- domains ---- */

struct origins_news {
	struct worker *worker;
	struct snapshot *snapshot;
};

static void on_origins(void *arg)
{
	struct origins_news *news = arg;

	origins_watch(news->worker->origins, news->snapshot);
	snapshot_unref(news->snapshot);
	mem_free(news);
}

/* The edges have it; the others get it, too. Consumes snapshot. */
static void adopt(struct domains *d, struct snapshot *snapshot)
{
	struct worker *w = d->worker;
	struct origins_news *news = mem_new(struct origins_news);
	struct snapshot *old;

	*news = (struct origins_news){ w, snapshot_ref(snapshot) };
	loop_post(w->threads[0].loop, on_origins, news);
	pthread_mutex_lock(&d->lock);
	old = d->snapshot;
	d->snapshot = snapshot;
	pthread_mutex_unlock(&d->lock);
	snapshot_unref(old);
}

/* For the next worker: the domains, and beside them what edges_save() gives. */
static void hand_to_supervisor(struct domains *d, struct span text)
{
	struct buf names = BUF_INIT(LARGE_MAX);
	int fds[2], n = 0;

	edges_save(d->worker, &names);
	fds[n] = memfd_from("torhaus-domains", text);
	n += fds[n] >= 0;
	if (n > 0 && !buf_error(&names)) {
		fds[n] = memfd_from("torhaus-names", buf_span(&names));
		n += fds[n] >= 0;
	}
	if (n > 0)
		channel_send(d->worker->birth->channel, CHANNEL_SNAPSHOT, 0, SPAN(""), fds, (unsigned)n);
	while (n > 0)
		close(fds[--n]);
	buf_done(&names);
}

static uint64_t hash_of(struct span text, const struct snapshot *s)
{
	return span_hash(text, 2 * (uint64_t)snapshot_count(s) + snapshot_is_whole(s));
}

static void note_loaded(struct domains *d)
{
	pthread_mutex_lock(&d->lock);
	d->loaded_at = clock_wall_s();
	pthread_mutex_unlock(&d->lock);
}

/* Publishes snapshot (consumed) unless it says what the published one says: commits that are purges
 * only, and a new worker, must not cost every thread a new state. */
static void take(struct domains *d, struct snapshot *snapshot)
{
	struct buf text = BUF_INIT(LARGE_MAX);
	uint64_t hash;

	snapshot_to_text(snapshot, &text);
	hash = hash_of(buf_span(&text), snapshot);
	if (d->hash_known && d->hash == hash && buf_error(&text) == 0) {
		snapshot_unref(snapshot);
	} else {
		log_event(LOG_LEVEL_INFO, "store", "domains-loaded", "domains=%u", snapshot_count(snapshot));
		edges_publish(d->worker, NULL, snapshot, NULL);
		adopt(d, snapshot);
		if (buf_error(&text) == 0)
			hand_to_supervisor(d, buf_span(&text));
		d->hash = hash;
		d->hash_known = true;
	}
	if (d->loaded_at == 0)
		note_loaded(d);
	buf_done(&text);
}

static void on_bad_row(void *arg, const struct fault *f)
{
	report_add(arg, f);
}

static void log_bad_rows(const struct report *rows)
{
	for (unsigned i = 0; i < rows->n; i++)
		log_fault(LOG_LEVEL_ERROR, "store", "domain-left-out", &rows->v[i]);
}

static int load(struct domains *d, struct fault *fault)
{
	struct report bad = { 0 };
	struct snapshot *snapshot;
	int r = snapshot_load(d->store, on_bad_row, &bad, &snapshot, fault);

	if (r < 0) {
		report_done(&bad);
		return r;
	}
	log_bad_rows(&bad);
	pthread_mutex_lock(&d->lock);
	report_done(&d->bad_rows);
	d->bad_rows = bad;
	pthread_mutex_unlock(&d->lock);
	take(d, snapshot);
	/* Reading takes several times the memory of what stays: that goes back to the system. */
	malloc_trim(0);
	return 0;
}

/* ---- purges ---- */

static int on_purge(void *arg, const struct store_purge *p)
{
	/* In the order of enum store_purge_kind. */
	static const enum cache_purge_kind kinds[] = { CACHE_PURGE_URL, CACHE_PURGE_PREFIX, CACHE_PURGE_TAG,
		CACHE_PURGE_DOMAIN, CACHE_PURGE_ALL };
	struct domains *d = arg;
	uint64_t objects = 0;

	if (p->at >= d->born_at - PURGE_SLACK_S && (size_t)p->kind < array_len(kinds)) {
		objects =
			cache_purge(d->worker->cache, kinds[p->kind], p->what, NULL, p->hard, (int64_t)clock_mono_ms());
		log_event(LOG_LEVEL_INFO, "cache", "purged", "seq=%llu what=%s hard=%s objects=%llu",
			(unsigned long long)p->seq, log_value(p->what), p->hard ? "yes" : "no",
			(unsigned long long)objects);
	}
	pthread_mutex_lock(&d->lock);
	d->done[p->seq % PURGES_KNOWN] = (struct purge_done){ p->seq, objects };
	d->purged_seq = p->seq;
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static int purge(struct domains *d, struct fault *fault)
{
	uint64_t last;
	int r = store_purge_last(d->store, &last, fault);

	if (r < 0 || last == d->purged_seq)
		return r;
	/* An older store was put in place: its numbers begin again. */
	if (last < d->purged_seq)
		d->purged_seq = last;
	return store_purge_since(d->store, d->purged_seq, on_purge, d, fault);
}

/* ---- rounds ---- */

static int open_store(struct domains *d, struct fault *fault)
{
	struct settings *s;
	int r;

	if (d->store)
		return 0;
	s = worker_settings(d->worker);
	r = store_open(s->store.p, false, &d->store, fault);
	settings_unref(s);
	return r;
}

static int look(struct domains *d, struct fault *fault)
{
	uint64_t version;
	int r = open_store(d, fault);

	if (r == 0)
		r = store_version(d->store, &version, fault);
	if (r < 0 || (d->version_known && version == d->version))
		return r;
	r = purge(d, fault);
	if (r == 0)
		r = load(d, fault);
	d->version = version;
	d->version_known = r == 0;
	return r;
}

static void set_unwritable(struct domains *d, const struct fault *fault)
{
	enum fault_code before, now = fault ? fault->code : FAULT_NONE;

	pthread_mutex_lock(&d->lock);
	before = d->unwritable.code;
	if (fault)
		d->unwritable = *fault;
	else
		fault_clear(&d->unwritable);
	pthread_mutex_unlock(&d->lock);
	if (now && now != before)
		log_fault(LOG_LEVEL_ERROR, "store", "store-not-writable", fault);
	else if (before && !now)
		log_event(LOG_LEVEL_INFO, "store", "store-writable", "after=%s", fault_code_text(before));
}

/* After a round that could read it: what keeps the store from being read is told already. */
static void try_to_write(struct domains *d)
{
	uint64_t now = clock_mono_ms();
	struct fault fault;
	int r;

	if (now - d->tried_ms < TRY_MS)
		return;
	d->tried_ms = now;
	fault_clear(&fault);
	r = store_writable(d->store, &fault);
	if (r == 0)
		d->written_ms = now;
	if (r != -EBUSY || now - d->written_ms >= LOCKED_MS)
		set_unwritable(d, r < 0 ? &fault : NULL);
}

static void round_of(struct domains *d)
{
	struct fault fault;

	fault_clear(&fault);
	if (look(d, &fault) < 0) {
		load_failed(d, &fault);
	} else {
		load_works(d);
		try_to_write(d);
	}
	pthread_mutex_lock(&d->lock);
	d->rounds++;
	task_cond_broadcast(&d->looked);
	pthread_mutex_unlock(&d->lock);
}

/* Under the lock: until the next round is due, or somebody is in a hurry. */
static void rest(struct domains *d)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ROUND_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!d->stopping && !d->hurry)
		if (pthread_cond_timedwait(&d->wake, &d->lock, &until) == ETIMEDOUT)
			break;
	d->hurry = false;
}

static void *watch(void *arg)
{
	struct domains *d = arg;

	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		pthread_mutex_unlock(&d->lock);
		round_of(d);
		pthread_mutex_lock(&d->lock);
		rest(d);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- life ---- */

/* The snapshot that the supervisor kept, or NULL. If nothing is lacking beside it, what the store
 * says need not be published if it is the same. */
static struct snapshot *last_good(struct domains *d, int fd)
{
	struct buf text = BUF_INIT(LARGE_MAX);
	struct snapshot *snapshot = NULL;
	struct conf_errors errors = { 0 };
	struct arena a;

	arena_init(&a, 1 << 16);
	if (fd >= 0 && memfd_read(fd, &text) == 0)
		snapshot_from_text(buf_span(&text), &a, &snapshot, &errors);
	if (snapshot && edges_restored(d->worker)) {
		d->hash = hash_of(buf_span(&text), snapshot);
		d->hash_known = true;
	}
	arena_done(&a);
	buf_done(&text);
	return snapshot;
}

void domains_init(struct domains *d, struct worker *w, int snapshot_fd)
{
	pthread_condattr_t attr;
	struct snapshot *first;
	bool known;

	*d = (struct domains){ .worker = w, .born_at = clock_wall_s() };
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &attr);
	pthread_condattr_destroy(&attr);
	task_cond_init(&d->looked);
	first = last_good(d, snapshot_fd);
	known = first != NULL;
	first = known ? first : snapshot_unread();
	edges_publish_first(w, w->settings, first, known);
	adopt(d, first);
	if (!known)
		round_of(d);
}

void domains_start(struct domains *d)
{
	must(pthread_create(&d->thread, NULL, watch, d) == 0);
	d->started = true;
}

void domains_stop(struct domains *d)
{
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (d->started)
		pthread_join(d->thread, NULL);
	d->started = false;
}

void domains_done(struct domains *d)
{
	d->store = store_close(d->store);
	snapshot_unref(d->snapshot);
	report_done(&d->bad_rows);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
}

int domains_purge(struct domains *d, uint64_t seq, uint64_t *ret_objects)
{
	uint64_t deadline = deadline_in(PURGE_WAIT_MS);
	const struct purge_done *done = &d->done[seq % PURGES_KNOWN];
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (r == 0 && done->seq != seq) {
		d->hurry = true;
		pthread_cond_signal(&d->wake);
		r = task_cond_wait(&d->looked, &d->lock, deadline);
	}
	*ret_objects = done->objects;
	pthread_mutex_unlock(&d->lock);
	return r;
}

void domains_json(struct domains *d, struct jsonw *j)
{
	pthread_mutex_lock(&d->lock);
	jsonw_uint(j, "domains", snapshot_count(d->snapshot));
	jsonw_object(j, "snapshot");
	jsonw_int(j, "loaded_at", d->loaded_at);
	jsonw_bool(j, "from_store", d->loaded_at != 0);
	jsonw_uint(j, "bytes", snapshot_bytes(d->snapshot));
	jsonw_end(j);
	jsonw_object(j, "store");
	jsonw_text(j, "state", d->failing ? "failing" : "ok");
	if (d->failing) {
		jsonw_int(j, "since", d->fault_since);
		jsonw_text(j, "code", fault_code_text(d->fault.code));
	}
	jsonw_bool(j, "writable", !d->failing && !d->unwritable.code);
	jsonw_uint(j, "left_out", d->bad_rows.n + d->bad_rows.more);
	jsonw_uint(j, "purged_seq", d->purged_seq);
	jsonw_end(j);
	pthread_mutex_unlock(&d->lock);
}

void domains_report(struct domains *d, struct report *r)
{
	struct fault old;

	pthread_mutex_lock(&d->lock);
	if (d->failing)
		report_add(r, &d->fault);
	else if (d->unwritable.code)
		report_add(r, &d->unwritable);
	if (d->failing && d->loaded_at == 0) {
		fault_set(&old, FAULT_SERVE_SNAPSHOT_OLD);
		fault_fact(&old, "domains", "%u", snapshot_count(d->snapshot));
		report_add(r, &old);
	}
	for (unsigned i = 0; i < d->bad_rows.n; i++)
		report_add(r, &d->bad_rows.v[i]);
	pthread_mutex_unlock(&d->lock);
}
