/*
 * Filling the cache.
 *
 * The client that leads a fill asks the origin in its own task up to the response's head: until
 * then it has nothing to send, so it can be neither slow nor gone in a way that matters. Once the
 * head says "store", a task of its own feeds the body into the cache at the origin's speed, and the
 * client reads along like every follower: a slow or vanished client neither stalls nor ends the
 * fill. If the head says "not to be stored", the followers were released and the client takes the
 * answer straight through.
 *
 * An origin that fails (no answer, broken answer, 5xx) is answered from the old object where that
 * may be served; the next try then waits (cache_origin_failed()).
 */
#include <errno.h>
#include <stdatomic.h>
#include "base/clock.h"
#include "web/web_priv.h"

/* How long a fetch goes on that nobody reads. */
#define UNREAD_MS 30000

struct fetch {
	struct web *web;
	struct cache_fill *fill;
	bool uncacheable;   /* the client's own conditions and range went along */
	struct arena arena; /* of the response's head, and of a refresh */
	struct origin_call call;
};

/* A fetch beside the answer, which outlives the request that it is made from. */
struct refresh {
	struct fetch *fetch;
	struct web_asked asked; /* copies, in the fetch's arena */
	struct http_req req;
	struct net_addr client;
	struct web_state *state; /* a reference: it holds the site */
	struct site_stats *stats;
	struct cache_obj *old;
};

static void copy_fields(struct arena *a, const struct http_fields *from, struct http_fields *to)
{
	*to = (struct http_fields){ 0 };
	for (unsigned i = 0; i < from->n; i++) {
		struct http_field copy = from->v[i];

		copy.name = arena_span(a, copy.name);
		copy.value = arena_span(a, copy.value);
		http_fields_push(to, a, copy);
	}
}

static struct fetch *fetch_new(struct web_request *r, struct cache_found *found)
{
	struct fetch *f = mem_new(struct fetch);

	f->web = r->thread->web;
	f->fill = found->fill;
	f->uncacheable = found->uncacheable && !found->obj;
	found->fill = NULL;
	arena_init(&f->arena, 4096);
	return f;
}

static void fetch_free(struct fetch *f)
{
	origin_call_done(&f->call);
	cache_fill_drop(f->fill);
	arena_done(&f->arena);
	mem_free(f);
}

bool web_is_server_error(unsigned status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

void web_server_error(const struct origin_call *call, struct fault *fault)
{
	fault_set(fault, FAULT_ORIGIN_SERVER_ERROR);
	fault_fact(fault, "origin", "%s", call->origin_text);
	fault_fact(fault, "status", "%u", call->client.resp.status);
}

/* To the leader's client. If that is gone, the others wait all the same. */
static int pass_interim(void *arg, unsigned status, const struct http_fields *fields)
{
	web_forward_interim(arg, status, fields);
	return 0;
}

/* Asks the origin for the whole object (or whether old is still good). leader: the client that
 * hears interim responses, or NULL. 0 and a head in f->call, or -errno with fault; a 5xx counts
 * as a failure where old could be served instead. */
static int ask(const struct web_asked *q, struct fetch *f, struct cache_obj *old, struct web_request *leader,
	struct fault *fault)
{
	struct http_fields fields;
	struct origin_request request = { .method = HTTP_GET,
		.method_text = SPAN("GET"),
		.target = cache_fill_target(f->fill),
		.host = web_origin_host(q),
		.fields = &fields,
		.fields_max = q->settings->answer_fields_max,
		.on_interim = leader ? pass_interim : NULL,
		.arg = leader };
	int error;

	web_origin_fields(q, f->uncacheable, &fields);
	cache_fill_conditions(f->fill, &fields, q->arena);
	fault_clear(fault);
	error = origin_call(f->web->origins, q->site, &request, &f->arena, &f->call, fault);
	if (error == 0)
		error = origin_call_await_body(&f->call, fault);
	if (error < 0)
		return error;
	if (web_is_server_error(f->call.client.resp.status) && old &&
		cache_stale_usable(old, q->site, q->req, (int64_t)clock_mono_ms())) {
		web_server_error(&f->call, fault);
		return -EPROTO;
	}
	return 0;
}

/* ---- the body into the cache ---- */

/* A body that is being fed, and who watches that it is of use to somebody: when its last reader has
 * gone, it ends at once if its answer serves nobody else, and otherwise has UNREAD_MS to come to
 * its end. Referred to by its task and by the messages on their way to its loop. */
struct feed {
	atomic_uint refs;
	struct fetch *fetch; /* NULL once it has ended */
	struct loop *loop;
	struct task *task;
	struct loop_timer timer;
};

static void feed_unref(struct feed *feed)
{
	if (atomic_fetch_sub(&feed->refs, 1) == 1)
		mem_free(feed);
}

static void on_unread_for_long(void *arg)
{
	struct feed *feed = arg;

	if (!cache_fill_is_read(feed->fetch->fill))
		task_cancel(feed->task);
}

static void on_feed_unread(void *arg)
{
	struct feed *feed = arg;

	if (feed->fetch)
		loop_timer_set(&feed->timer, deadline_in(cache_fill_is_of_use(feed->fetch->fill) ? UNREAD_MS : 0),
			on_unread_for_long, feed);
	feed_unref(feed);
}

/* On the last reader's thread. */
static void tell_unread(void *arg)
{
	struct feed *feed = arg;

	atomic_fetch_add(&feed->refs, 1);
	loop_post(feed->loop, on_feed_unread, feed);
}

static struct feed *feed_watch(struct fetch *f)
{
	struct feed *feed = mem_new(struct feed);

	feed->refs = 1;
	feed->fetch = f;
	feed->loop = loop_self();
	feed->task = task_self();
	cache_fill_watch(f->fill, tell_unread, feed);
	/* The reader for whom it was fetched may have gone before this task ran. */
	if (!cache_fill_is_read(f->fill) && !cache_fill_is_of_use(f->fill))
		tell_unread(feed);
	return feed;
}

static void feed_done(struct feed *feed)
{
	cache_fill_watch(feed->fetch->fill, NULL, NULL);
	loop_timer_clear(&feed->timer);
	feed->fetch = NULL;
	feed_unref(feed);
}

static void run_feed(void *arg)
{
	struct fetch *f = arg;
	struct feed *feed = feed_watch(f);
	struct fault fault;
	struct span body;
	int r;

	fault_clear(&fault);
	while ((r = origin_call_body(&f->call, &body, &fault)) == 0 && body.n > 0)
		if (cache_fill_body(f->fill, body) < 0)
			break;
	feed_done(feed);
	if (r == 0 && body.n == 0) {
		cache_fill_end(f->fill, &f->call.client.trailers);
	} else {
		cache_fill_abort(f->fill, &fault);
		if (r < 0 && r != -ECANCELED)
			log_fault(LOG_LEVEL_WARNING, "web", "broke-off", &fault);
	}
	fetch_free(f);
}

/* Consumes f: a task feeds the body from now on. */
static void feed(struct fetch *f)
{
	struct fault fault;

	if (task_spawn("web-feed", run_feed, f))
		return;
	fault_set(&fault, FAULT_WEB_BUSY);
	cache_fill_abort(f->fill, &fault);
	fetch_free(f);
}

/* The origin failed: the followers are told, the object's next try waits. */
static void give_up(struct fetch *f, struct cache_obj *old, struct site_stats *stats, struct fault *fault)
{
	cache_fill_abort(f->fill, fault);
	cache_origin_failed(old, (int64_t)clock_mono_ms());
	site_stat_add(stats, SITE_ORIGIN_ERRORS, 1);
}

void web_answer_failure(struct web_request *r, struct cache_found *found, struct fault *fault)
{
	if (found->obj && cache_stale_usable(found->obj, r->asked.site, &r->x->req, (int64_t)clock_mono_ms())) {
		web_log_fault(&r->asked, "stale-served", fault, NULL);
		r->code = fault->code;
		web_respond_hit(r, found);
		return;
	}
	web_origin_page(r, fault);
}

/* A fetch that is shared goes out without If-* and Range: if its answer cannot be stored, the
 * request is sent again as it came. */
static bool has_conditions(const struct http_req *req)
{
	for (unsigned i = 0; i < req->fields.n; i++)
		if (http_field_flags(req->fields.v[i].id) & HTTP_CONDITIONAL)
			return true;
	return false;
}

static void answer_released(struct web_request *r, struct fetch *f)
{
	unsigned status = f->call.client.resp.status;

	if (!f->uncacheable && (status == 304 || (status == 200 && has_conditions(&r->x->req)))) {
		fetch_free(f);
		web_forward(r, NULL);
		return;
	}
	web_forward_answer(r, &f->call);
	fetch_free(f);
}

/* The object that the fill makes (or has made), read along, under the fields that the origin sent
 * this client. */
static void answer_stored(struct web_request *r, struct cache_obj *obj, const struct http_fields *fields)
{
	r->status.stored = true;
	web_respond(r, obj, fields);
	cache_obj_unref(obj);
}

static void answer_fetched(struct web_request *r, struct fetch *f)
{
	const struct http_resp *resp = &f->call.client.resp;
	struct http_fields fields;
	struct cache_obj *obj;

	r->status.fwd_status = resp->status;
	r->origin_text = arena_text(r->x->arena, span_of(f->call.origin_text));
	switch (cache_fill_head(f->fill, &r->x->req, resp, f->call.asked_ms, f->call.answered_ms,
		(int64_t)clock_mono_ms())) {
	case CACHE_STORE:
		obj = cache_fill_obj(f->fill);
		copy_fields(r->x->arena, &resp->fields, &fields);
		feed(f);
		answer_stored(r, obj, &fields);
		return;
	case CACHE_UPDATED:
		obj = cache_fill_obj(f->fill);
		fetch_free(f);
		answer_stored(r, obj, cache_obj_fields(obj));
		return;
	case CACHE_RELEASE:
		answer_released(r, f);
		return;
	}
}

void web_fetch(struct web_request *r, struct cache_found *found)
{
	struct fetch *f = fetch_new(r, found);
	struct fault fault;

	stat_add(STAT_MISSES, 1);
	site_stat_add(r->stats, SITE_MISSES, 1);
	if (ask(&r->asked, f, found->obj, r, &fault) == 0) {
		answer_fetched(r, f);
		return;
	}
	/* The client has gone, for whom alone this was: that is no failure of the origin's. */
	if (task_canceled()) {
		cache_fill_abort(f->fill, NULL);
		fetch_free(f);
		return;
	}
	give_up(f, found->obj, r->stats, &fault);
	fetch_free(f);
	web_answer_failure(r, found, &fault);
}

/* ---- beside the client's answer ---- */

static struct refresh *refresh_new(struct web_request *r, struct cache_found *found)
{
	struct refresh *refresh = mem_new(struct refresh);
	struct fetch *f = fetch_new(r, found);
	struct http_req *req = &refresh->req;

	refresh->fetch = f;
	*req = (struct http_req){ .method = HTTP_GET,
		.method_text = SPAN("GET"),
		.version = arena_span(&f->arena, r->x->req.version),
		.tls = r->x->req.tls,
		.host = arena_span(&f->arena, r->x->req.host),
		.port = r->x->req.port,
		.target = arena_span(&f->arena, r->x->req.target) };
	req->path = span_sub(req->target, 0, r->x->req.path.n);
	if (r->x->req.query.p)
		req->query = span_from(req->target, req->path.n + 1);
	copy_fields(&f->arena, &r->x->req.fields, &req->fields);
	refresh->client = *r->asked.client;
	refresh->asked =
		(struct web_asked){ f->web, r->asked.site, r->asked.settings, req, &refresh->client, &f->arena };
	refresh->state = web_state_ref(r->state);
	refresh->stats = r->stats;
	refresh->old = cache_obj_ref(found->obj);
	return refresh;
}

static void refresh_free(struct refresh *refresh)
{
	cache_obj_unref(refresh->old);
	web_state_unref(refresh->state);
	mem_free(refresh);
}

static void run_refresh(void *arg)
{
	struct refresh *refresh = arg;
	struct fetch *f = refresh->fetch;
	struct fault fault;

	if (ask(&refresh->asked, f, refresh->old, NULL, &fault) < 0) {
		give_up(f, refresh->old, refresh->stats, &fault);
		web_log_fault(&refresh->asked, "refresh-failed", &fault, NULL);
		fetch_free(f);
	} else if (cache_fill_head(f->fill, &refresh->req, &f->call.client.resp, f->call.asked_ms, f->call.answered_ms,
			   (int64_t)clock_mono_ms()) == CACHE_STORE) {
		run_feed(f);
	} else {
		fetch_free(f);
	}
	refresh_free(refresh);
}

void web_refresh(struct web_request *r, struct cache_found *found)
{
	struct refresh *refresh;

	if (!found->fill)
		return;
	refresh = refresh_new(r, found);
	if (task_spawn("web-refresh", run_refresh, refresh))
		return;
	fetch_free(refresh->fetch);
	refresh_free(refresh);
}
