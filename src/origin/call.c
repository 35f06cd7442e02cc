/*
 * One request to a site, one response.
 *
 * What may be tried again, and where:
 *
 *   phase that failed            any method     idempotent, body untouched     other
 *   connect                      other origin   other origin                   other origin
 *   kept connection gone         -              same origin, new connection    (none is used)
 *   sent, then broke off         -              other origin                   fails
 *   silent until the timeout     -              other origin                   fails
 *   response begun               fails          fails                          fails
 *
 * Methods that are not idempotent, and requests with a body, never use a kept connection: the
 * origin may close it at the moment we send, and then nobody knows whether the request was carried
 * out, or the body is gone.
 *
 * What may follow on the same connection: another request of the same site (origin/kept.c), and
 * only if the origin can have nothing else to say there. Not after
 *
 *   a request with a body    an origin that does not read it takes it for the next request and
 *                            answers that, too (CL.0). Connection: close keeps it from both.
 *   HEAD, 204, 304           some send a body all the same, maybe late; it would be read as the
 *                            beginning of the next answer.
 *   bytes behind the answer, or before the request
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/rand.h"
#include "origin/origin_priv.h"
#include "stats/stats.h"

#define BODY_PIECE        16384
#define EVENTS_TIMEOUT_MS (3600 * 1000) /* between two events, unless read_timeout is longer */
#define ORIGINS_MAX       32            /* of one site: a bit each in the set of those tried */

struct attempt {
	struct origins *origins;
	const struct domain *site;
	const struct origin_request *request;
	struct arena *arena;
	struct origin_call *call;
	struct fault *fault;
	uint32_t tried;                          /* bit per origin of the site */
	bool sent, body_touched, response_begun; /* how far the current try came */
};

/* Weighted random pick among the origins of one class that were not tried yet; -1 if there is
 * none. */
static int pick_class(const struct attempt *a, bool backup, bool only_up)
{
	uint64_t now = loop_now_ms();
	unsigned total = 0;
	int picked = -1;

	for (unsigned i = 0; i < a->site->origin_n && i < ORIGINS_MAX; i++) {
		const struct origin_spec *spec = &a->site->origin[i];

		if ((a->tried >> i & 1) || spec->backup != backup)
			continue;
		if (only_up && !origin_is_up(origin_get(a->origins, spec), now))
			continue;
		total += spec->weight;
		if (rand_below(total) < spec->weight) /* a reservoir of one, by weight */
			picked = (int)i;
	}
	return picked;
}

static int pick(const struct attempt *a)
{
	int i = pick_class(a, false, true);

	if (i < 0)
		i = pick_class(a, true, true);
	if (i < 0)
		i = pick_class(a, false, false);
	if (i < 0)
		i = pick_class(a, true, false);
	return i;
}

static void client_body_fault(struct fault *fault, int error)
{
	if (error == -EPROTO) {
		fault_set(fault, FAULT_HTTP_BAD_CHUNKS);
	} else if (error == -ETIMEDOUT) {
		fault_set(fault, FAULT_HTTP_SLOW_BODY);
	} else {
		fault_set(fault, FAULT_CLIENT_BODY_BROKE_OFF);
		fault_fact(fault, "error", "%s", strerror(-error));
	}
}

/* The client's body to the origin, in its framing. 0 also when the origin answered early;
 * -ECANCELED if the client's side failed, so that nobody blames the origin. */
static int send_body(struct attempt *a, struct http_client *client, bool chunked)
{
	struct http_exchange *x = a->request->body_from;
	_cleanup_(mem_freep) char *piece = mem_alloc(BODY_PIECE);
	uint64_t timeout_ms = a->site->read_timeout_ms;
	ssize_t n;
	int r;

	a->body_touched = true;
	while ((n = x->ops->read_body(x, piece, BODY_PIECE)) > 0) {
		/* An early refusal, usually. */
		if (http_client_has_answer(client)) {
			a->call->cut = true;
			return 0;
		}
		r = http_client_send_body(client, span_make(piece, (size_t)n), chunked, deadline_in(timeout_ms));
		if (r < 0)
			return r;
	}
	if (n == -EFBIG) {
		fault_set(a->fault, FAULT_WEB_BODY_TOO_LARGE);
		return -ECANCELED;
	}
	if (n < 0) {
		client_body_fault(a->fault, (int)n);
		return -ECANCELED;
	}
	return http_client_send_end(client, chunked, x->ops->trailers(x), deadline_in(timeout_ms));
}

static int send_request(struct attempt *a, struct http_client *client)
{
	const struct origin_request *rq = a->request;
	struct http_exchange *x = rq->body_from;
	bool has_body = x && x->req.has_body;
	bool chunked = has_body && x->req.content_length < 0;
	struct http_client_request r = { .method = rq->method_text,
		.target = rq->target,
		.host = rq->host,
		.fields = rq->fields,
		.has_body = has_body,
		.upgrade = rq->upgrade,
		.last = a->call->last,
		.length = has_body && !chunked ? x->req.content_length : -1 };
	int error = http_client_send_head(client, &r, deadline_in(a->site->read_timeout_ms));

	if (error < 0 || !has_body)
		return error;
	error = send_body(a, client, chunked);
	if (error != -EPIPE && error != -ECONNRESET)
		return error;
	/* It may have refused and closed while we were sending: then its answer is what counts. */
	a->call->cut = true;
	return 0;
}

/* Could the answer be 304 (RFC 9110 15.4.5)? */
static bool has_condition(const struct origin_request *rq)
{
	return (rq->method == HTTP_GET || rq->method == HTTP_HEAD) &&
		(http_fields_find(rq->fields, HTTP_IF_NONE_MATCH) ||
			http_fields_find(rq->fields, HTTP_IF_MODIFIED_SINCE));
}

/* The final head (or 101); 1xx ones on the way are passed on. */
static int read_head(struct attempt *a, struct http_client *client)
{
	const struct origin_request *rq = a->request;
	uint64_t deadline = deadline_in(a->site->first_byte_timeout_ms);

	for (unsigned interim = 0;; interim++) {
		struct fault bad;
		int r;

		fault_clear(&bad);
		r = http_client_read_head(client, rq->method, deadline, &bad);
		if (r == -EPROTO) {
			fault_set(a->fault, FAULT_ORIGIN_BAD_RESPONSE);
			fault_fact(a->fault, "origin", "%s", a->call->origin->text);
			fault_fact(a->fault, "code", "%s", fault_code_text(bad.code));
			fault_fact(a->fault, "what", "%.*s", SPAN_ARG(fault_value(&bad, "what")));
			a->response_begun = true;
			return r;
		}
		if (r < 0) {
			origin_fault(a->fault, a->call->origin, r, FAULT_ORIGIN_SILENT);
			return r;
		}
		a->response_begun = true;
		if (client->resp.status == 101) {
			struct span to = http_fields_value(&client->resp.fields, HTTP_UPGRADE);

			if (rq->upgrade.p && span_eq_nocase(to, rq->upgrade))
				return 0;
			fault_set(a->fault, FAULT_ORIGIN_BAD_RESPONSE);
			fault_fact(a->fault, "origin", "%s", a->call->origin->text);
			fault_fact(a->fault, "what", "101 to a request that asked for no upgrade%s%.*s",
				rq->upgrade.p ? " to " : "", SPAN_ARG(rq->upgrade.p ? to : rq->upgrade));
			return -EPROTO;
		}
		http_fields_strip_hop(&client->resp.fields);
		if (client->resp.status == 304 && !has_condition(rq)) {
			fault_set(a->fault, FAULT_ORIGIN_BAD_RESPONSE);
			fault_fact(a->fault, "origin", "%s", a->call->origin->text);
			fault_fact(a->fault, "what", "304 to a request that asked for no validation");
			return -EPROTO;
		}
		if (client->resp.status >= 200)
			return 0;
		if (interim == 16) {
			fault_set(a->fault, FAULT_ORIGIN_BAD_RESPONSE);
			fault_fact(a->fault, "origin", "%s", a->call->origin->text);
			fault_fact(a->fault, "what", "more than 16 interim (1xx) responses");
			return -EPROTO;
		}
		if (rq->on_interim && client->resp.status != 100)
			r = rq->on_interim(rq->arg, client->resp.status, &client->resp.fields);
		if (r < 0)
			return -ECANCELED;
	}
}

static bool is_repeatable(const struct attempt *a)
{
	return http_method_idempotent(a->request->method) && !a->body_touched && !a->response_begun;
}

/* Sends and reads on one connection. 0, or -errno with fault; the connection is closed then. */
static int exchange_on(struct attempt *a, struct conn *conn, bool reused)
{
	struct origin_call *call = a->call;
	int r;

	a->sent = true;
	http_client_init(&call->client, conn, a->arena);
	call->client.fields_max = a->request->fields_max;
	call->client.body_timeout_ms = a->site->read_timeout_ms;
	call->reused = reused;
	call->early = !reused && !call->origin->tls && !kept_is_quiet(conn);
	call->asked_ms = clock_wall_ms();
	stat_add(STAT_ORIGIN_REQUESTS, 1);
	if (reused)
		stat_add(STAT_ORIGIN_REUSED, 1);
	r = send_request(a, &call->client);
	if (r < 0 && r != -ECANCELED)
		origin_fault(a->fault, call->origin, r, FAULT_ORIGIN_SILENT);
	if (r == 0)
		r = read_head(a, &call->client);
	call->answered_ms = clock_wall_ms();
	if (r < 0) {
		http_client_done(&call->client);
		call->client.conn = conn_close(conn);
	}
	return r;
}

static struct span owner_of(const struct attempt *a, const struct origin *o, struct span name)
{
	if (!o->tls)
		return a->site->name;
	return arena_spanf(a->arena, "%.*s %.*s%s", SPAN_ARG(a->site->name), SPAN_ARG(name),
		a->site->origin_verify ? "" : " unverified");
}

/* The name that an https origin's certificate must have: the URL's, unless that is an address. */
static struct span certificate_name(const struct attempt *a, const struct origin_spec *spec)
{
	struct net_addr addr;
	struct span host = a->request->host;
	ptrdiff_t colon;

	if (net_addr_parse(spec->host, spec->port, &addr) < 0)
		return spec->host;
	colon = span_index(host, ':');
	return colon > 0 ? span_sub(host, 0, (size_t)colon) : host;
}

static bool has_body(const struct origin_request *rq)
{
	return rq->body_from && rq->body_from->req.has_body;
}

static bool may_use_kept(const struct origin_request *rq)
{
	return http_method_idempotent(rq->method) && !has_body(rq);
}

/* One origin: a kept connection if there is one, else (or if that was gone) a new one. */
static int try_origin(struct attempt *a, const struct origin_spec *spec)
{
	struct origin_call *call = a->call;
	struct origin *o = origin_get(a->origins, spec);
	struct span name = certificate_name(a, spec);
	struct conn *conn;
	int r;

	call->origin = o;
	call->owner = owner_of(a, o, name);
	call->last = has_body(a->request) || a->request->method == HTTP_HEAD;
	snprintf(call->origin_text, sizeof(call->origin_text), "%s", o->text);
	if (may_use_kept(a->request))
		origin_resolve_again(o, deadline_in(a->site->connect_timeout_ms));
	while (may_use_kept(a->request) && (conn = origin_take_kept(o, call->owner))) {
		r = exchange_on(a, conn, true);
		if (r == 0 || r == -ETIMEDOUT || r == -ECANCELED || !is_repeatable(a))
			return r;
		stat_add(STAT_ORIGIN_RETRIES, 1);
	}
	conn = origin_connect(o, a->site, name, a->fault);
	if (!conn)
		return task_canceled() ? -ECANCELED : -ECONNREFUSED;
	return exchange_on(a, conn, false);
}

int origin_call(struct origins *o, const struct domain *site, const struct origin_request *r, struct arena *arena,
	struct origin_call *ret, struct fault *fault)
{
	struct attempt a = { .origins = o, .site = site, .request = r, .arena = arena, .call = ret, .fault = fault };
	int error = -ENOENT;
	int i;

	*ret = (struct origin_call){ .origins = o };
	if (site->origin_n == 0) {
		fault_set(fault, FAULT_ORIGIN_NONE);
		fault_fact(fault, "domain", "%.*s", SPAN_ARG(site->name));
	}
	while ((i = pick(&a)) >= 0) {
		if (ret->tries++ > 0)
			stat_add(STAT_ORIGIN_RETRIES, 1);
		a.tried |= 1u << i;
		a.sent = false;
		error = try_origin(&a, &site->origin[i]);
		if (error == 0) {
			origin_succeeded(ret->origin);
			return 0;
		}
		if (error == -ECANCELED)
			return error;
		origin_failed(ret->origin, fault);
		stat_add(STAT_ORIGIN_ERRORS, 1);
		if (a.sent && !is_repeatable(&a))
			break;
	}
	return error;
}

static const char *body_error(const struct origin_call *c, int error)
{
	if (error != -EPROTO)
		return strerror(-error);
	return c->client.bad_chunks ? fault_code_text(FAULT_HTTP_BAD_CHUNKS) : "closed before its declared end";
}

/* Events of a stream may be far apart, and whoever waits for them wants its head at once. */
static bool is_event_stream(const struct http_resp *resp)
{
	struct span type = http_fields_value(&resp->fields, HTTP_CONTENT_TYPE);

	return span_starts_nocase(type, SPAN("text/event-stream"));
}

int origin_call_await_body(struct origin_call *c, struct fault *fault)
{
	int r;

	if (is_event_stream(&c->client.resp)) {
		if (c->client.body_timeout_ms < EVENTS_TIMEOUT_MS)
			c->client.body_timeout_ms = EVENTS_TIMEOUT_MS;
		return 0;
	}
	r = origin_call_body(c, &c->first, fault);
	c->has_first = r == 0;
	return r;
}

int origin_call_body(struct origin_call *c, struct span *ret, struct fault *fault)
{
	int r;

	if (c->has_first) {
		*ret = c->first;
		c->has_first = false;
		return 0;
	}
	r = http_client_read_body(&c->client, ret);
	if (r == -ETIMEDOUT) {
		fault_set(fault, FAULT_ORIGIN_BODY_STALLED);
		fault_fact(fault, "origin", "%s", c->origin_text);
	} else if (r < 0) {
		fault_set(fault, FAULT_ORIGIN_BODY_BROKE_OFF);
		fault_fact(fault, "origin", "%s", c->origin_text);
		fault_fact(fault, "error", "%s", body_error(c, r));
	}
	return r;
}

/* Can what comes next on the connection be nothing but the answer to what is asked next? */
static bool may_carry_another(const struct origin_call *c)
{
	unsigned status = c->client.resp.status;

	return !c->last && !c->cut && !c->early && status != 204 && status != 304 && http_client_reusable(&c->client);
}

void origin_call_done(struct origin_call *c)
{
	struct conn *conn = c->client.conn;
	bool keep;

	if (!conn)
		return;
	keep = may_carry_another(c);
	http_client_done(&c->client);
	c->client.conn = NULL;
	if (keep)
		origin_keep(c->origin, c->owner, conn);
	else
		conn_close(conn);
}

struct conn *origin_call_take(struct origin_call *c, struct span *ret_early)
{
	struct conn *conn = c->client.conn;

	*ret_early = http_client_take_early(&c->client);
	c->client.conn = NULL;
	return conn;
}
