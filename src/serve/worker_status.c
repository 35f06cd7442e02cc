/* GET /status: everything that a running server says of itself, one document. */
#include <sys/resource.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/serve_priv.h"
#include "stats/stats.h"
#include "web/access.h"

#define FILES_SPARE 256 /* for origins, logs and the store, besides visitors */

static void listeners_json(struct worker *w, struct jsonw *j)
{
	char text[NET_ADDR_SIZE];

	jsonw_array(j, "listeners");
	for (unsigned i = 0; i < w->birth->listeners->n; i++) {
		const struct listener *l = &w->birth->listeners->v[i];

		net_addr_text(&l->actual, text);
		jsonw_object(j, NULL);
		jsonw_text(j, "address", text);
		jsonw_text(j, "kind", listener_kind_text(l->kind));
		jsonw_bool(j, "tls", listener_kind_is_tls(l->kind));
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void cache_json(struct worker *w, struct jsonw *j)
{
	struct cache_numbers n;

	cache_numbers(w->cache, &n);
	jsonw_object(j, "cache");
	jsonw_uint(j, "objects", n.objects);
	jsonw_uint(j, "bytes", n.bytes);
	jsonw_uint(j, "bytes_max", n.bytes_max);
	jsonw_uint(j, "evicted", n.evicted);
	jsonw_uint(j, "purged", n.purged);
	jsonw_uint(j, "fills", n.fills);
	jsonw_uint(j, "markers", n.markers);
	jsonw_end(j);
}

/* ---- what is wrong now ---- */

/* What may be open at a time: a visitor, or a sender and its backend. A part that is off needs
 * nothing. */
static uint64_t connections_wanted(const struct settings *s)
{
	uint64_t n = 0;

	if (s->web.listen.n + s->web.listen_tls.n > 0)
		n += s->web.connections_max;
	if (s->mail.listen.n + s->mail.listen_tls.n > 0)
		n += 2 * s->mail.connections_max;
	return n;
}

static void report_files(struct worker *w, struct report *r)
{
	uint64_t connections = connections_wanted(w->settings), wanted = connections + FILES_SPARE;
	struct rlimit limit;
	struct fault f;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	fault_set(&f, FAULT_SERVE_FEW_FILES);
	fault_fact(&f, "limit", "%llu", (unsigned long long)limit.rlim_cur);
	fault_fact(&f, "connections", "%llu", (unsigned long long)connections);
	fault_fact(&f, "wanted", "%llu", (unsigned long long)wanted);
	report_add(r, &f);
}

static void report_lost(struct report *r)
{
	uint64_t events = log_lost(), lines = access_log_lost();
	struct fault f;

	if (events == 0 && lines == 0)
		return;
	fault_set(&f, FAULT_LOG_LINES_LOST);
	fault_fact(&f, "events", "%llu", (unsigned long long)events);
	fault_fact(&f, "lines", "%llu", (unsigned long long)lines);
	report_add(r, &f);
}

static void add_fault(void *arg, const struct fault *f)
{
	report_add(arg, f);
}

static void faults_json(struct worker *w, struct jsonw *j)
{
	struct report r = { 0 };
	struct fault f;

	domains_report(&w->domains, &r);
	certs_report(&w->certs, &r);
	edges_faults(w, add_fault, &r);
	report_files(w, &r);
	report_lost(&r);
	if (evidence_fault(w->evidence, &f))
		report_add(&r, &f);
	jsonw_array(j, "faults");
	report_values(j, &r);
	jsonw_end(j);
	report_done(&r);
}

void status_json(struct worker *w, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.status/1");
	jsonw_text(&j, "version", TORHAUS_VERSION);
	jsonw_int(&j, "supervisor_pid", w->birth->supervisor);
	jsonw_int(&j, "worker_pid", getpid());
	jsonw_int(&j, "worker_uptime", clock_wall_s() - w->started_at);
	jsonw_uint(&j, "threads", w->threads_n);
	jsonw_int(&j, "landlock", w->landlock_abi);
	jsonw_uint(&j, "worker_restarts", w->birth->restarts);
	listeners_json(w, &j);
	domains_json(&w->domains, &j);
	certs_json(&w->certs, &j);
	cache_json(w, &j);
	stats_json(&j);
	origins_json(w->origins, &j);
	edges_json(w, &j);
	faults_json(w, &j);
	pthread_mutex_lock(&w->lock);
	jsonw_raw(&j, "supervisor", buf_span(&w->state));
	pthread_mutex_unlock(&w->lock);
	jsonw_end(&j);
}
