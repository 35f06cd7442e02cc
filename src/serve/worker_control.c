/*
 * The control socket: HTTP with JSON, for `torhaus status`, `reload`, `stop`, `cache` and `cert`.
 *
 * The supervisor opened it, so that it outlives workers; loop 0 serves it. Who may connect is
 * decided by the rights of the socket file. What only the supervisor can do (reload, stop) is
 * passed on to it; the answer comes back with the tag of the question.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "io/helper.h"
#include "serve/serve_priv.h"

#define BODY_MAX       (64 * 1024)
#define ANSWER_WAIT_MS 45000
#define NESTING_MAX    64
#define FILES_KEPT     16

static void send_json(struct http_exchange *x, unsigned status, struct span json)
{
	struct http_fields fields = { 0 };
	struct iovec iov = { (char *)json.p, json.n };

	http_fields_add_name(&fields, x->arena, SPAN("Content-Type"), SPAN("application/json"));
	if (x->ops->send_head(x, status, &fields, (int64_t)json.n) == 0 && x->ops->send_body(x, &iov, 1) == 0)
		x->ops->finish(x, NULL);
}

static void send_fault(struct http_exchange *x, unsigned status, const struct fault *f)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.fault/1");
	jsonw_array(&j, "faults");
	fault_json(&j, NULL, f);
	jsonw_end(&j);
	jsonw_end(&j);
	send_json(x, status, buf_span(&out));
	buf_done(&out);
}

/* ---- questions to the supervisor ---- */

static struct question *question_new(struct control *c)
{
	for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
		struct question *q = &c->questions[i];

		if (q->tag != 0)
			continue;
		*q = (struct question){ .tag = ++c->tags, .answer = BUF_INIT(STATUS_MAX) };
		return q;
	}
	return NULL;
}

void control_answer(struct control *c, uint32_t tag, unsigned status, int fd)
{
	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
		struct question *q = &c->questions[i];

		if (q->tag != tag || memfd_read(fd, &q->answer) < 0)
			continue;
		q->status = status;
		q->answered = true;
	}
	task_cond_broadcast(&c->answered);
	pthread_mutex_unlock(&c->lock);
}

/* 0, or -errno when no answer came. */
static int ask(struct control *c, struct question *q, enum channel_type type, struct span text)
{
	uint64_t deadline = deadline_in(ANSWER_WAIT_MS);
	int r = worker_tell(c->worker, type, q->tag, text);

	pthread_mutex_lock(&c->lock);
	while (r == 0 && !q->answered)
		r = task_cond_wait(&c->answered, &c->lock, deadline);
	pthread_mutex_unlock(&c->lock);
	return r;
}

static void pass_on(struct control *c, struct http_exchange *x, enum channel_type type, struct span text)
{
	struct question *q = question_new(c);
	struct fault busy;

	if (q && ask(c, q, type, text) == 0) {
		send_json(x, q->status, buf_span(&q->answer));
	} else {
		fault_set(&busy, FAULT_SERVE_BUSY);
		fault_fact(&busy, "what", "reload");
		send_fault(x, 503, &busy);
	}
	if (q) {
		buf_done(&q->answer);
		q->tag = 0;
	}
}

static void on_reload(struct control *c, struct http_exchange *x)
{
	pass_on(c, x, CHANNEL_RELOAD, SPAN(""));
}

static void on_reload_binary(struct control *c, struct http_exchange *x)
{
	pass_on(c, x, CHANNEL_RELOAD, SPAN("binary"));
}

static void on_stop(struct control *c, struct http_exchange *x)
{
	pass_on(c, x, CHANNEL_STOP, SPAN(""));
}

/* ---- what the worker knows ---- */

static void on_status(struct control *c, struct http_exchange *x)
{
	struct buf out = BUF_INIT(STATUS_MAX);

	status_json(c->worker, &out);
	send_json(x, 200, buf_span(&out));
	buf_done(&out);
}

static void on_certs(struct control *c, struct http_exchange *x)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	struct report faults = { 0 };
	struct jsonw j;

	certs_report(&c->worker->certs, &faults);
	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.certificates/1");
	certs_json(&c->worker->certs, &j);
	jsonw_array(&j, "faults");
	report_values(&j, &faults);
	jsonw_end(&j);
	jsonw_end(&j);
	send_json(x, 200, buf_span(&out));
	report_done(&faults);
	buf_done(&out);
}

/* ---- the cache ---- */

struct numbers {
	struct cache *cache;
	struct span domain;
	struct cache_numbers ret;
};

static void domain_numbers(void *arg)
{
	struct numbers *n = arg;

	cache_site_numbers(n->cache, n->domain, &n->ret);
}

static struct snapshot *snapshot_now(struct worker *w)
{
	struct snapshot *s;

	pthread_mutex_lock(&w->domains.lock);
	s = snapshot_ref(w->domains.snapshot);
	pthread_mutex_unlock(&w->domains.lock);
	return s;
}

static void send_numbers(struct http_exchange *x, struct span domain, const struct cache_numbers *n)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.cache/1");
	if (domain.n > 0)
		jsonw_span(&j, "domain", domain);
	jsonw_uint(&j, "objects", n->objects);
	jsonw_uint(&j, "bytes", n->bytes);
	if (domain.n == 0) {
		jsonw_uint(&j, "bytes_max", n->bytes_max);
		jsonw_uint(&j, "evicted", n->evicted);
		jsonw_uint(&j, "purged", n->purged);
		jsonw_uint(&j, "fills", n->fills);
		jsonw_uint(&j, "markers", n->markers);
	}
	jsonw_end(&j);
	send_json(x, 200, buf_span(&out));
	buf_done(&out);
}

/* The query is the domain's name, or empty. */
static void on_cache_stat(struct control *c, struct http_exchange *x)
{
	struct numbers n = { .cache = c->worker->cache, .domain = x->req.query };
	struct snapshot *s = snapshot_now(c->worker);
	struct fault unknown;

	if (x->req.query.n == 0) {
		cache_numbers(n.cache, &n.ret);
		send_numbers(x, x->req.query, &n.ret);
	} else if (snapshot_find(s, x->req.query) && helper_run(domain_numbers, &n) == 0) {
		send_numbers(x, x->req.query, &n.ret);
	} else {
		fault_set(&unknown, FAULT_WEB_NO_SUCH_SITE);
		fault_fact(&unknown, "host", "%.*s", SPAN_ARG(x->req.query));
		send_fault(x, 404, &unknown);
	}
	snapshot_unref(s);
}

struct purge {
	struct cache *cache;
	enum cache_purge_kind kind;
	struct span what;
	bool hard;
	uint64_t objects;
};

static void purge_directly(void *arg)
{
	struct purge *p = arg;

	p->objects = cache_purge(p->cache, p->kind, p->what, NULL, p->hard, (int64_t)clock_mono_ms());
}

struct nearest {
	const struct purge *purge;
	struct buf found;
};

static void find_nearest(void *arg)
{
	struct nearest *n = arg;

	cache_nearest(n->purge->cache, n->purge->kind, n->purge->what, NULL, &n->found);
}

/* The number, and if it is none, what is there that comes nearest. */
static void send_number(struct http_exchange *x, const struct purge *p)
{
	struct nearest near = { .purge = p, .found = BUF_INIT(STATUS_MAX) };
	struct buf out = BUF_INIT(STATUS_MAX);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.purge/1");
	jsonw_uint(&j, "objects", p->objects);
	if (p->objects == 0 && p->what.n > 0 && helper_run(find_nearest, &near) == 0 && near.found.n > 0)
		jsonw_span(&j, "nearest", buf_span(&near.found));
	jsonw_end(&j);
	send_json(x, 200, buf_span(&out));
	buf_done(&near.found);
	buf_done(&out);
}

static void send_purged(struct http_exchange *x, int r, const struct purge *p)
{
	struct fault late;

	if (r == 0) {
		send_number(x, p);
		return;
	}
	fault_set(&late, FAULT_SERVE_BUSY);
	fault_fact(&late, "what", "store");
	send_fault(x, 503, &late);
}

static int kind_of(const char *text, enum cache_purge_kind *ret)
{
	static const char *const names[] = { "url", "prefix", "tag", "domain", "all" };

	for (unsigned i = 0; text && i < array_len(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum cache_purge_kind)i;
			return 0;
		}
	return -EINVAL;
}

static int read_body(struct http_exchange *x, struct buf *body)
{
	char piece[4096];
	ssize_t n;

	while ((n = x->ops->read_body(x, piece, sizeof(piece))) > 0)
		buf_add(body, piece, (size_t)n);
	return n < 0 ? (int)n : buf_error(body);
}

/* Does it nest deeper than any body that we understand? A parser that goes down with it would leave
 * the task's small stack. Brackets within texts count, too: none of ours has so many. */
static bool nests_too_deep(struct span json)
{
	unsigned depth = 0;

	for (size_t i = 0; i < json.n; i++) {
		if (json.p[i] == '[' || json.p[i] == '{')
			depth++;
		else if ((json.p[i] == ']' || json.p[i] == '}') && depth > 0)
			depth--;
		if (depth > NESTING_MAX)
			return true;
	}
	return false;
}

/* {"seq": N}: carry out the store's purges up to N (kind and what: only for telling what is
 * nearest); {"kind", "what", "hard"}: purge without the store. */
static void on_purge(struct control *c, struct http_exchange *x)
{
	struct buf body = BUF_INIT(BODY_MAX);
	struct purge p = { .cache = c->worker->cache };
	json_t *json = NULL;
	const char *kind = NULL, *what = "";
	json_int_t seq = 0;
	int hard = 0, r = read_body(x, &body);

	if (r == 0 && !nests_too_deep(buf_span(&body)))
		json = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
	if (json &&
		json_unpack(json, "{s?I s?s s?s s?b}", "seq", &seq, "kind", &kind, "what", &what, "hard", &hard) == 0 &&
		(kind_of(kind, &p.kind) == 0 || seq > 0)) {
		p.what = span_of(what);
		p.hard = hard;
		if (seq > 0)
			r = domains_purge(&c->worker->domains, (uint64_t)seq, &p.objects);
		else
			r = helper_run(purge_directly, &p);
		send_purged(x, r, &p);
	} else {
		send_json(x, 400, SPAN("{}"));
	}
	json_decref(json);
	buf_done(&body);
}

/* ---- the table ---- */

static const struct route {
	enum http_method method;
	const char *path;
	void (*run)(struct control *c, struct http_exchange *x);
} routes[] = {
	{ HTTP_GET, "/status", on_status },
	{ HTTP_GET, "/certs", on_certs },
	{ HTTP_GET, "/cache/stat", on_cache_stat },
	{ HTTP_POST, "/cache/purge", on_purge },
	{ HTTP_POST, "/reload", on_reload },
	{ HTTP_POST, "/reload/binary", on_reload_binary },
	{ HTTP_POST, "/stop", on_stop },
};

static void on_exchange(void *arg, struct http_exchange *x)
{
	for (unsigned i = 0; i < array_len(routes); i++)
		if (x->req.method == routes[i].method && span_eq(x->req.path, span_of(routes[i].path))) {
			routes[i].run(arg, x);
			return;
		}
	send_json(x, 404, SPAN("{}"));
}

/* ---- connections ---- */

static void run_connection(void *arg)
{
	struct conn *conn = ((void **)arg)[0];
	struct control *c = ((void **)arg)[1];

	mem_free(arg);
	http_serve(&c->server, conn);
}

static void take(struct control *c, int fd)
{
	int error;
	struct conn *conn = conn_new(fd, &error);
	void **both;

	if (!conn)
		return;
	both = mem_zalloc(2, sizeof(*both));
	both[0] = conn;
	both[1] = c;
	if (task_spawn("control", run_connection, both))
		return;
	conn_close(conn);
	mem_free(both);
}

/* Where visitors have used up all descriptors, some are left that only this socket uses: the
 * worker's own limit lies FILES_KEPT below what the system gives it, and is lifted for a moment. */
static int accept_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct rlimit low, all;

	if (fd >= 0 || errno != EMFILE || getrlimit(RLIMIT_NOFILE, &low) < 0)
		return fd;
	all = (struct rlimit){ low.rlim_max, low.rlim_max };
	setrlimit(RLIMIT_NOFILE, &all);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	setrlimit(RLIMIT_NOFILE, &low);
	return fd;
}

void control_keep_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 4 * FILES_KEPT)
		return;
	limit.rlim_cur = limit.rlim_max - FILES_KEPT;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void accept_all(struct control *c)
{
	int fd;

	while ((fd = accept_one(c->listener.fd)) >= 0)
		take(c, fd);
	c->listener.readable = false;
}

static void run_listener(void *arg)
{
	struct control *c = arg;

	do
		accept_all(c);
	/* People ask when they like. */
	while (!c->closing && loop_fd_wait_read(&c->listener, DEADLINE_NEVER) == 0);
	loop_fd_remove(&c->listener);
}

void control_start(struct control *c, struct worker *w, int fd)
{
	c->worker = w;
	c->server = (struct http_server){ .limits = { .head_timeout_ms = 10000,
						  .body_timeout_ms = 10000,
						  .send_timeout_ms = 10000,
						  /* Until the request comes: its sender may be slow
						 * on a busy machine. */
						  .keep_alive_ms = 10000,
						  .requests_max = 1 },
		.handler = on_exchange,
		.arg = c,
		.draining = &w->draining };
	pthread_mutex_init(&c->lock, NULL);
	task_cond_init(&c->answered);
	must(loop_fd_add(&c->listener, fd) == 0);
	c->task = task_spawn("control-listener", run_listener, c);
	must(c->task);
}

void control_stop(struct control *c)
{
	if (c->closing || !c->task)
		return;
	c->closing = true;
	task_cancel(c->task);
}
