/*
 * Has the visitor gone while we wait for an origin?
 *
 * A request that waits reads nothing from its visitor, so nobody would notice; and an origin that
 * needs a minute for an answer would make it for nobody. Once a second we look whether the client
 * has ended its side. That alone is no proof, for a client may end its side and still read (`nc -N`
 * and some libraries); so it has to last for two looks, with the whole request read and nothing
 * sent meanwhile. Then the request's task is cancelled, and with it the call to the origin. In the
 * access log that is status 499, as nginx writes it.
 */
#include "web/web_priv.h"

#define LOOK_MS     1000
#define STATUS_LEFT 499

static bool seems_gone(struct web_watch *w)
{
	const struct http_exchange *x = w->r->x;
	bool still = w->sent == x->body_bytes_sent;

	w->sent = x->body_bytes_sent;
	return still && x->body_ended && x->ops->has_left(x) && !(w->fill && cache_fill_is_followed(w->fill));
}

static void on_look(void *arg)
{
	struct web_watch *w = arg;
	bool gone = seems_gone(w);

	if (gone && w->missed) {
		w->ended_it = true;
		task_cancel(w->task);
		return;
	}
	w->missed = gone;
	loop_timer_set(&w->timer, deadline_in(LOOK_MS), on_look, w);
}

void web_watch_begin(struct web_watch *w, struct web_request *r, struct cache_fill *fill)
{
	*w = (struct web_watch){ .r = r, .fill = cache_fill_ref(fill), .task = task_self() };
	loop_timer_set(&w->timer, deadline_in(LOOK_MS), on_look, w);
}

void web_watch_end(struct web_watch *w)
{
	loop_timer_clear(&w->timer);
	cache_fill_unref(w->fill);
	if (w->ended_it && !w->r->x->head_sent)
		w->r->x->status = STATUS_LEFT;
}
