/*
 * What is known of an origin's health, and how it becomes known.
 *
 * Passive: two failures in a row mark an origin down; it is then left alone for 1, 2, 4 … 30 s
 * and tried again. Any success marks it up at once. "Down" never means "not asked": when all
 * origins of a site are down, they are tried all the same.
 *
 * Active: origins of sites with several origins or with a health path are asked every
 * health_interval; an origin that is down is asked, too, so that recovery is seen without a
 * visitor paying for it. A check is a TCP connect (and TLS), with a health path a GET
 * that must answer below 500. At most 64 run at once; the others come a second later.
 */
#include <errno.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "origin/origin_priv.h"

bool origin_is_up(struct origin *o, uint64_t now_ms)
{
	bool up;

	pthread_mutex_lock(&o->lock);
	up = o->down_until_ms <= now_ms;
	pthread_mutex_unlock(&o->lock);
	return up;
}

void origin_succeeded(struct origin *o)
{
	bool was_down;

	pthread_mutex_lock(&o->lock);
	was_down = o->down_until_ms != 0;
	if (was_down)
		o->changed_at = clock_wall_s();
	o->fails = o->downs = 0;
	o->down_until_ms = 0;
	pthread_mutex_unlock(&o->lock);
	if (was_down)
		log_event(LOG_LEVEL_INFO, "web", "origin-up", "origin=%s", o->text);
}

void origin_failed(struct origin *o, const struct fault *why)
{
	uint64_t wait = ORIGIN_DOWN_MS_MIN;
	bool went_down = false;

	pthread_mutex_lock(&o->lock);
	if (!o->why)
		o->why = mem_new(struct fault);
	*o->why = *why;
	if (++o->fails >= ORIGIN_FAILS_TO_DOWN) {
		went_down = o->down_until_ms == 0;
		if (went_down)
			o->changed_at = clock_wall_s();
		for (unsigned i = 0; i < o->downs && wait < ORIGIN_DOWN_MS_MAX; i++)
			wait *= 2;
		o->downs++;
		o->down_until_ms = clock_mono_ms() + (wait < ORIGIN_DOWN_MS_MAX ? wait : ORIGIN_DOWN_MS_MAX);
	}
	pthread_mutex_unlock(&o->lock);
	if (went_down)
		log_fault(LOG_LEVEL_WARNING, "web", "origin-down", why);
}

/* ---- active checks, on the loop of thread 0 ---- */

struct check {
	struct origins *origins;
	struct origin *origin;
	const struct domain *site; /* in origins->watched */
	struct loop_timer timer;
};

static bool wants_check(const struct check *c)
{
	return c->site->origin_n > 1 || c->site->health_path.n > 0 || !origin_is_up(c->origin, 0);
}

static void check_later(struct check *c, uint64_t ms);

/* One GET of the health path on a new connection. */
static int ask_health_path(struct origin *o, const struct domain *site, struct conn *conn, struct fault *fault)
{
	struct http_question question = { .method = SPAN("GET"),
		.target = site->health_path,
		.host = site->origin_host.n ? site->origin_host : site->name };
	struct http_resp resp;
	struct arena arena;
	int r;

	arena_init(&arena, 2048);
	r = http_ask(conn, &question, deadline_in(ORIGIN_CHECK_MS), &arena, &resp, NULL, fault);
	if (r < 0) {
		origin_fault(fault, o, r, FAULT_ORIGIN_SILENT);
	} else if (resp.status >= 500) {
		fault_set(fault, FAULT_ORIGIN_UNHEALTHY);
		fault_fact(fault, "origin", "%s", o->text);
		fault_fact(fault, "path", "%.*s", SPAN_ARG(site->health_path));
		fault_fact(fault, "status", "%u", resp.status);
		r = -EPROTO;
	}
	arena_done(&arena);
	return r;
}

/* What a running check needs, so that a new snapshot may come meanwhile. */
struct check_run {
	struct origins *origins;
	struct origin *origin;
	const struct domain *site;
	struct snapshot *snapshot;
};

static void run_check(void *arg)
{
	struct check_run *run = arg;
	struct span name = run->site->origin_host.n ? run->site->origin_host : run->site->name;
	struct fault fault = { 0 };
	struct conn *conn = origin_connect(run->origin, run->site, name, &fault);
	int r = conn ? 0 : -ECONNREFUSED;

	if (conn && run->site->health_path.n > 0)
		r = ask_health_path(run->origin, run->site, conn, &fault);
	conn_close(conn);
	if (r == 0)
		origin_succeeded(run->origin);
	else if (!task_canceled())
		origin_failed(run->origin, &fault);
	run->origins->checking--;
	snapshot_unref(run->snapshot);
	mem_free(run);
}

static void on_check_due(void *arg)
{
	struct check *c = arg;
	struct check_run *run;

	if (!wants_check(c)) {
		check_later(c, c->site->health_interval_ms);
		return;
	}
	if (c->origins->checking >= ORIGIN_CHECKS_MAX) {
		check_later(c, 1000);
		return;
	}
	run = mem_new(struct check_run);
	*run = (struct check_run){ c->origins, c->origin, c->site, snapshot_ref(c->origins->watched) };
	c->origins->checking++;
	if (!task_spawn("origin-check", run_check, run)) {
		c->origins->checking--;
		snapshot_unref(run->snapshot);
		mem_free(run);
	}
	check_later(c, c->site->health_interval_ms);
}

/* With a little jitter, so that ten thousand checks do not come in one moment. */
static void check_later(struct check *c, uint64_t ms)
{
	loop_timer_set(&c->timer, deadline_in(ms - ms / 8 + rand_below(ms / 4 + 1)), on_check_due, c);
}

void origins_unwatch(struct origins *o)
{
	for (unsigned i = 0; i < o->checks_n; i++)
		loop_timer_clear(&o->checks[i].timer);
	o->checks = mem_free(o->checks);
	o->checks_n = 0;
	o->watched = snapshot_unref(o->watched);
}

void origins_watch(struct origins *o, struct snapshot *s)
{
	unsigned n = 0;

	origins_unwatch(o);
	o->watched = snapshot_ref(s);
	for (unsigned i = 0; i < snapshot_count(s); i++)
		n += snapshot_at(s, i)->origin_n;
	o->checks = mem_zalloc(n ? n : 1, sizeof(*o->checks));
	for (unsigned i = 0; i < snapshot_count(s); i++) {
		const struct domain *site = snapshot_at(s, i);

		if (site->health_interval_ms == 0)
			continue;
		for (unsigned k = 0; k < site->origin_n; k++) {
			struct check *c = &o->checks[o->checks_n++];

			*c = (struct check){ .origins = o, .origin = origin_get(o, &site->origin[k]), .site = site };
			check_later(c, site->health_interval_ms);
		}
	}
}
