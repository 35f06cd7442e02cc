/*
 * One request, from its site to its answer.
 *
 * The cache decides the way (cache/cache.h): answer from an object; answer and refresh beside; lead
 * the fetch; follow somebody else's; or pass.
 */
#include "base/clock.h"
#include "io/helper.h"
#include "web/web_priv.h"

#define ACME_PATH "/.well-known/acme-challenge/"

static void refuse(struct web_request *r, unsigned status, enum fault_code code, const char *fact, struct span value)
{
	struct fault fault;

	fault_set(&fault, code);
	fault_fact(&fault, fact, "%.*s", SPAN_ARG(value));
	if (r->asked.site)
		fault_fact(&fault, "domain", "%.*s", SPAN_ARG(r->asked.site->name));
	web_page(r, status, &fault);
}

/* The port that visitors find us at by https. Who came without a port in Host although this
 * listener is not at 80 came through something that maps ports (NAT, Docker), which will map 443,
 * too. */
static unsigned public_tls_port(const struct web_request *r)
{
	const struct net_addr *local = r->x->local;

	if (r->state->settings.public_tls_port)
		return r->state->settings.public_tls_port;
	if (r->x->req.port == 0 && net_addr_port(local) != 80)
		return 443;
	return r->thread->web->tls_port;
}

static void redirect_to_tls(struct web_request *r)
{
	const struct http_req *req = &r->x->req;
	unsigned port = public_tls_port(r);
	unsigned status = req->method == HTTP_GET || req->method == HTTP_HEAD ? 301 : 308;
	struct span host = req->host;

	if (port != 0 && port != 443)
		host = arena_spanf(r->x->arena, "%.*s:%u", SPAN_ARG(host), port);
	web_redirect(r, status, arena_spanf(r->x->arena, "https://%.*s%.*s", SPAN_ARG(host), SPAN_ARG(req->target)));
}

/* What is answered before the cache is asked. True if it was. */
static bool answer_early(struct web_request *r)
{
	const struct http_req *req = &r->x->req;
	bool wants_tls = r->asked.site->redirect_to_tls || r->state->settings.redirect_to_tls;

	if (req->method == HTTP_CONNECT || req->method == HTTP_TRACE) {
		refuse(r, 405, FAULT_WEB_METHOD_REFUSED, "method", req->method_text);
		return true;
	}
	if (web_is_loop(&r->asked)) {
		refuse(r, 508, FAULT_ORIGIN_LOOP, "host", req->host);
		return true;
	}
	if (!req->tls && wants_tls && !span_starts(req->path, SPAN(ACME_PATH))) {
		redirect_to_tls(r);
		return true;
	}
	if (r->asked.site->body_max && req->content_length > 0 &&
		(uint64_t)req->content_length > r->asked.site->body_max) {
		struct fault fault;

		fault_set(&fault, FAULT_WEB_BODY_TOO_LARGE);
		web_origin_page(r, &fault);
		return true;
	}
	return false;
}

struct purge {
	struct cache *cache;
	enum cache_purge_kind kind;
	struct span what;
	const struct domain *site;
	int64_t now_ms;
	uint64_t objects;
};

static void run_purge(void *arg)
{
	struct purge *p = arg;

	p->objects = cache_purge(p->cache, p->kind, p->what, p->site, false, p->now_ms);
}

/* PURGE as the usual cache plugins of WordPress send it: one URL, or with "X-Purge-Method: regex"
 * and "/.*" all. */
static void purge(struct web_request *r)
{
	const struct http_req *req = &r->x->req;
	const struct http_field *method = http_fields_find_name(&req->fields, SPAN("X-Purge-Method"));
	bool all = method && span_eq_nocase(method->value, SPAN("regex"));
	struct span target = req->target;
	struct purge p = { .cache = r->thread->web->cache,
		.kind = all ? CACHE_PURGE_PREFIX : CACHE_PURGE_URL,
		.site = r->asked.site,
		.now_ms = r->now_ms };

	if (!origin_has_address(r->thread->web->origins, r->asked.site, r->asked.client)) {
		char client[NET_ADDR_SIZE];

		net_addr_host_text(r->asked.client, client);
		refuse(r, 403, FAULT_WEB_PURGE_FORBIDDEN, "client", span_of(client));
		return;
	}
	if (all && span_ends(target, SPAN(".*")))
		target.n -= 2;
	p.what = arena_spanf(r->x->arena, "//%.*s%.*s", SPAN_ARG(web_host(&r->asked)), SPAN_ARG(target));
	/* A prefix takes its time. */
	if (all ? helper_run(run_purge, &p) < 0 : (run_purge(&p), false))
		refuse(r, 503, FAULT_WEB_BUSY, "url", req->target);
	else
		web_answer_text(r, 200, arena_spanf(r->x->arena, "%llu purged\n", (unsigned long long)p.objects));
}

static void origin_is_silent(struct web_request *r, struct fault *fault)
{
	fault_set(fault, FAULT_ORIGIN_SILENT);
	fault_fact(fault, "domain", "%.*s", SPAN_ARG(r->asked.site->name));
}

/* Somebody else fetches: read along, or learn that it is not for all. False: it takes long, look
 * again. */
static bool follow(struct web_request *r, struct cache_found *found)
{
	struct cache_obj *obj = NULL;
	struct fault fault;
	bool is_last = (int64_t)clock_mono_ms() - r->now_ms > (int64_t)r->asked.site->first_byte_timeout_ms;
	enum cache_ready ready = cache_fill_wait(found->fill, &r->x->req, &obj, &fault);

	if (task_canceled()) {
		cache_obj_unref(obj);
		return true;
	}
	r->status.collapsed = ready != CACHE_READY_LATE;
	switch (ready) {
	case CACHE_READY_BODY:
		web_respond(r, obj, cache_obj_fields(obj));
		cache_obj_unref(obj);
		return true;
	case CACHE_READY_PASS:
		web_forward(r, found);
		return true;
	case CACHE_READY_LATE:
		/* Who has an old page to give does not let his visitor wait any longer. */
		if (!is_last &&
			!(found->obj &&
				cache_stale_usable(found->obj, r->asked.site, &r->x->req, (int64_t)clock_mono_ms())))
			return false;
		origin_is_silent(r, &fault);
		break;
	case CACHE_READY_FAILED:
		break;
	}
	web_answer_failure(r, found, &fault);
	return true;
}

/* Somebody has to wait for the origin; if the visitor does not, nobody need. False: look again. */
static bool answer_from_origin(struct web_request *r, struct cache_found *found)
{
	struct web_watch watch;
	bool answered = true;

	web_watch_begin(&watch, r, found->verdict == CACHE_LEAD ? found->fill : NULL);
	if (found->verdict == CACHE_LEAD)
		web_fetch(r, found);
	else if (found->verdict == CACHE_FOLLOW)
		answered = follow(r, found);
	else
		web_forward(r, found);
	web_watch_end(&watch);
	return answered;
}

/* False: look again. */
static bool answer_found(struct web_request *r, const struct cache_key *key)
{
	struct cache_found found;
	bool answered = true;

	cache_find(r->thread->web->cache, key, &r->x->req, (int64_t)clock_mono_ms(), &found);
	if (found.verdict != CACHE_FRESH && found.verdict != CACHE_REFRESH)
		r->status.fwd = found.why;
	switch (found.verdict) {
	case CACHE_FRESH:
		web_respond_hit(r, &found);
		break;
	case CACHE_REFRESH:
		web_refresh(r, &found);
		web_respond_hit(r, &found);
		break;
	case CACHE_LEAD:
	case CACHE_FOLLOW:
	case CACHE_PASS:
		answered = answer_from_origin(r, &found);
		break;
	case CACHE_BUSY:
		if (found.obj && cache_stale_usable(found.obj, r->asked.site, &r->x->req, (int64_t)clock_mono_ms()))
			web_respond_hit(r, &found);
		else
			refuse(r, 503, FAULT_WEB_BUSY, "url", r->x->req.target);
		break;
	case CACHE_ONLY_IF_CACHED:
		refuse(r, 504, FAULT_WEB_ONLY_IF_CACHED, "url", r->x->req.target);
		break;
	}
	cache_found_done(&found);
	return answered;
}

static void answer_from_cache(struct web_request *r)
{
	struct cache_key key;

	cache_key_make(&key, r->asked.site, r->x->req.tls, web_host(&r->asked), r->x->req.target, r->x->arena);
	while (!answer_found(r, &key))
		;
	if (r->status.collapsed)
		stat_add(STAT_COLLAPSED, 1);
}

/* Only WebSocket upgrades reach the origin: an h2c upgrade would open a tunnel past the cache and
 * these checks. */
static bool wants_websocket(const struct http_req *req)
{
	return span_eq_nocase(http_fields_value(&req->fields, HTTP_UPGRADE), SPAN("websocket"));
}

/* The health URL, for load balancers: they ask by address, or by HTTP/1.0 without any host, so that
 * no path of a site is taken. */
static bool is_health_check(const struct web_request *r)
{
	const struct http_req *req = &r->x->req;
	struct net_addr unused;

	if (!span_eq(req->path, span_of(r->state->settings.health_path)) || req->path.n == 0)
		return false;
	return req->host.n == 0 || req->host.p[0] == '[' || net_addr_parse_host(req->host, &unused) == 0;
}

static void answer_nameless(struct web_request *r)
{
	const struct http_req *req = &r->x->req;

	if (is_health_check(r) && r->thread->draining)
		web_answer_text(r, 503, SPAN("ending\n"));
	else if (is_health_check(r))
		web_answer_text(r, 200, SPAN("ok\n"));
	else if (req->host.n == 0)
		refuse(r, 400, FAULT_HTTP_NO_HOST, "what", req->target);
	else
		refuse(r, 421, FAULT_WEB_NO_SUCH_SITE, "host", req->host);
}

void web_request(struct web_request *r)
{
	const struct http_req *req = &r->x->req;

	r->asked.site = snapshot_find_web(r->state->snapshot, req->host);
	if (!r->asked.site) {
		answer_nameless(r);
		return;
	}
	r->stats = r->state->sites[r->asked.site->id];
	site_stat_add(r->stats, SITE_REQUESTS, 1);
	if (answer_early(r))
		return;
	if (req->upgrade && r->asked.site->websocket && wants_websocket(req))
		web_forward_upgrade(r);
	else if (req->method == HTTP_PURGE && r->asked.site->preset == PRESET_WORDPRESS)
		purge(r);
	else
		answer_from_cache(r);
}

void web_on_exchange(void *arg, struct http_exchange *x)
{
	struct web_thread *t = arg;
	struct web_request r = { .thread = t,
		.state = web_state_ref(t->state),
		.x = x,
		.asked = { .web = t->web,
			.settings = &t->state->settings,
			.req = &x->req,
			.client = x->client,
			.arena = x->arena },
		.began_ms = clock_wall_ms(),
		.now_ms = (int64_t)clock_mono_ms() };

	stat_add(STAT_REQUESTS, 1);
	if (r.state->settings.forwarded_from_n > 0)
		web_believe_balancer(&r);
	web_request(&r);
	stat_add(STAT_BYTES_SENT, x->body_bytes_sent);
	if (r.stats)
		site_stat_add(r.stats, SITE_BYTES, x->body_bytes_sent);
	access_log_add(t->access, &r);
	web_state_unref(r.state);
}
