/*
 * What is not for the cache: the request goes to the origin as it is, the answer to the client as
 * it comes, with back-pressure all the way (a slow client makes us read slowly from the origin).
 * And upgrades: after a 101 both byte streams are passed through until one side ends.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "web/web_priv.h"

#define RELAY_PIECE   16384
#define RELAY_IDLE_MS (3600 * 1000) /* a WebSocket that says nothing for an hour is gone */

static unsigned status_for(const struct fault *fault)
{
	/* Everything else is the origin's doing. */
	if (fault->code == FAULT_ORIGIN_CONNECT_TIMEOUT || fault->code == FAULT_ORIGIN_SILENT)
		return 504;
	if (fault->code == FAULT_ORIGIN_NONE)
		return 503;
	if (fault->code == FAULT_WEB_BODY_TOO_LARGE)
		return 413;
	if (fault->code == FAULT_CLIENT_BODY_BROKE_OFF || fault->code == FAULT_HTTP_BAD_CHUNKS)
		return 400;
	if (fault->code == FAULT_HTTP_SLOW_BODY)
		return 408;
	return 502;
}

void web_origin_page(struct web_request *r, struct fault *fault)
{
	char limit[FMT_SIZE];

	if (fault->code == FAULT_WEB_BODY_TOO_LARGE) {
		fmt_size(r->asked.site->body_max, limit);
		fault_fact(fault, "limit", "%s", limit);
		fault_fact(fault, "domain", "%.*s", SPAN_ARG(r->asked.site->name));
	} else if (fault->code != FAULT_CLIENT_BODY_BROKE_OFF) {
		site_stat_add(r->stats, SITE_ORIGIN_ERRORS, 1);
	}
	web_page(r, status_for(fault), fault);
}

int web_forward_interim(void *arg, unsigned status, const struct http_fields *fields)
{
	struct web_request *r = arg;
	struct http_fields answer;

	web_answer_fields(r, fields, &answer);
	return r->x->ops->send_interim(r->x, status, &answer);
}

static int64_t declared_length(const struct http_resp *resp)
{
	if (resp->body == HTTP_BODY_LENGTH || resp->has_length)
		return (int64_t)resp->content_length;
	return -1;
}

static void forward_body(struct web_request *r, struct origin_call *call)
{
	struct http_exchange *x = r->x;
	struct fault fault;
	struct iovec iov;
	struct span body;
	int error;

	for (;;) {
		error = origin_call_body(call, &body, &fault);
		if (error < 0) {
			x->ops->abort(x);
			if (error == -ECANCELED)
				return;
			web_log_fault(&r->asked, "broke-off", &fault, NULL);
			return;
		}
		if (body.n == 0)
			break;
		iov = (struct iovec){ (void *)body.p, body.n };
		if (x->ops->send_body(x, &iov, 1) < 0)
			return;
	}
	x->ops->finish(x, &call->client.trailers);
}

void web_forward_answer(struct web_request *r, struct origin_call *call)
{
	const struct http_resp *resp = &call->client.resp;
	struct http_fields fields;

	r->origin_text = arena_text(r->x->arena, span_of(call->origin_text));
	r->status.fwd_status = resp->status;
	web_answer_fields(r, &resp->fields, &fields);
	cache_status_add(&r->status, &fields, r->x->arena);
	if (r->x->ops->send_head(r->x, resp->status, &fields, declared_length(resp)) < 0)
		;
	else if (r->x->req.method == HTTP_HEAD)
		r->x->ops->finish(r->x, NULL);
	else
		forward_body(r, call);
	origin_call_done(call);
}

static int call_origin(struct web_request *r, struct span upgrade, struct origin_call *call, struct fault *fault)
{
	struct http_fields fields;
	struct origin_request request = { .method = r->x->req.method,
		.method_text = r->x->req.method_text,
		.target = r->x->req.target,
		.host = web_origin_host(&r->asked),
		.fields = &fields,
		.fields_max = r->asked.settings->answer_fields_max,
		.body_from = r->x,
		.upgrade = upgrade,
		.on_interim = web_forward_interim,
		.arg = r };

	web_origin_fields(&r->asked, true, &fields);
	r->x->body_max = r->asked.site->body_max;
	return origin_call(r->thread->web->origins, r->asked.site, &request, r->x->arena, call, fault);
}

/* RFC 9111 4.4: an unsafe request that succeeded makes what we store of its URI out of date. */
static void invalidate(struct web_request *r, const struct http_resp *resp)
{
	const struct http_req *req = &r->x->req;
	struct cache_key key;

	if (http_method_safe(req->method) || resp->status < 200 || resp->status >= 400)
		return;
	cache_key_make(&key, r->asked.site, req->tls, web_host(&r->asked), req->target, r->x->arena);
	cache_invalidate(r->thread->web->cache, &key, resp);
}

static bool has_stale(struct web_request *r, const struct cache_found *found)
{
	return found && found->obj && (r->x->req.method == HTTP_GET || r->x->req.method == HTTP_HEAD) &&
		cache_stale_usable(found->obj, r->asked.site, &r->x->req, (int64_t)clock_mono_ms());
}

void web_forward(struct web_request *r, struct cache_found *found)
{
	struct origin_call call;
	struct fault fault;

	fault_clear(&fault);
	stat_add(STAT_PASSED, 1);
	site_stat_add(r->stats, SITE_PASSED, 1);
	if (call_origin(r, (struct span){ 0 }, &call, &fault) < 0) {
		if (task_canceled())
			return;
		if (has_stale(r, found))
			web_answer_failure(r, found, &fault);
		else
			web_origin_page(r, &fault);
		return;
	}
	if (web_is_server_error(call.client.resp.status) && has_stale(r, found)) {
		web_server_error(&call, &fault);
		origin_call_done(&call);
		web_answer_failure(r, found, &fault);
		return;
	}
	invalidate(r, &call.client.resp);
	if (origin_call_await_body(&call, &fault) < 0) {
		origin_call_done(&call);
		if (!task_canceled())
			web_origin_page(r, &fault);
		return;
	}
	web_forward_answer(r, &call);
}

/* ---- upgrades ---- */

/* Two tasks pass bytes, one in each direction; the first to end wakes and cancels the other. */
struct relay {
	struct conn *client, *origin;
	struct task *back; /* origin -> client; NULL once it has ended */
	struct task *forth;
	bool forth_waits;
};

/* Until the end or an error of either; then `to` hears the end, too. */
static void pass_bytes(struct conn *from, struct conn *to)
{
	_cleanup_(mem_freep) char *piece = mem_alloc(RELAY_PIECE);
	ssize_t n;

	while ((n = conn_recv(from, piece, RELAY_PIECE, deadline_in(RELAY_IDLE_MS))) > 0)
		if (conn_write(to, piece, (size_t)n, deadline_in(RELAY_IDLE_MS)) < 0)
			return;
	if (n == 0)
		conn_shutdown(to, deadline_in(1000));
}

static void run_back(void *arg)
{
	struct relay *relay = arg;

	pass_bytes(relay->origin, relay->client);
	relay->back = NULL;
	if (!relay->forth_waits)
		task_cancel(relay->forth);
}

static void relay_streams(struct relay *relay)
{
	relay->forth = task_self();
	relay->back = task_spawn("web-relay", run_back, relay);
	if (!relay->back)
		return;
	pass_bytes(relay->client, relay->origin);
	relay->forth_waits = true;
	if (relay->back)
		task_cancel(relay->back);
	/* relay lives on this stack: the other task must have ended. It was cancelled, so it does
	 * at once. */
	while (relay->back)
		task_give_way();
}

static void switch_protocols(struct web_request *r, struct origin_call *call)
{
	const struct http_resp *resp = &call->client.resp;
	struct http_exchange *x = r->x;
	struct relay relay = { 0 };
	struct http_fields fields;
	struct span early;

	web_answer_fields(r, &resp->fields, &fields);
	http_fields_add(&fields, x->arena, HTTP_UPGRADE, http_fields_value(&resp->fields, HTTP_UPGRADE));
	relay.client = x->ops->upgrade(x, &fields);
	relay.origin = origin_call_take(call, &early);
	if (relay.client &&
		(early.n == 0 || conn_write(relay.client, early.p, early.n, deadline_in(RELAY_IDLE_MS)) == 0))
		relay_streams(&relay);
	conn_close(relay.origin);
}

void web_forward_upgrade(struct web_request *r)
{
	struct span upgrade = http_fields_value(&r->x->req.fields, HTTP_UPGRADE);
	struct origin_call call;
	struct fault fault;

	fault_clear(&fault);
	site_stat_add(r->stats, SITE_PASSED, 1);
	if (call_origin(r, upgrade, &call, &fault) < 0)
		web_origin_page(r, &fault);
	else if (call.client.resp.status == 101)
		switch_protocols(r, &call);
	else
		web_forward_answer(r, &call);
}
