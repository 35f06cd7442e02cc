/* States that are replaced as a whole. See io/published.h. */
#include "io/published.h"
#include "io/loop.h"

static struct published_state *adopt(struct published_state *state, const struct published_kind *kind)
{
	state->refs = 1;
	state->kind = kind;
	return state;
}

void published_ref(struct published_state *state)
{
	state->refs++;
}

void published_unref(struct published_state *state)
{
	if (state && --state->refs == 0)
		state->kind->free(state);
}

void published_init(struct published *p, const struct published_kind *kind)
{
	p->kind = kind;
	p->latest = NULL;
	pthread_mutex_init(&p->lock, NULL);
	list_init(&p->readers);
}

void published_done(struct published *p)
{
	list_each (it, &p->readers) {
		struct published_reader *r = container_of(it, struct published_reader, link);

		published_unref(r->present);
		published_unref(r->next);
	}
	published_unref(p->latest);
	pthread_mutex_destroy(&p->lock);
}

/* ---- on the reader's loop ---- */

static void take(struct published_reader *r, struct published_state *state)
{
	struct published_state *before = r->present;

	r->present = state;
	r->taken(r->arg, state);
	published_unref(before);
}

static void on_next(void *reader)
{
	struct published_reader *r = reader;

	take(r, atomic_exchange(&r->next, NULL));
}

void published_read(struct published *p, struct published_reader *r,
	void (*taken)(void *arg, struct published_state *present), void *arg)
{
	struct published_state *first = NULL;

	*r = (struct published_reader){ .loop = loop_self(), .taken = taken, .arg = arg };
	pthread_mutex_lock(&p->lock);
	list_push_back(&p->readers, &r->link);
	if (p->latest)
		first = adopt(p->kind->copy(p->latest), p->kind);
	pthread_mutex_unlock(&p->lock);
	/* What is published from here on comes by the loop, and so later. */
	if (first)
		take(r, first);
}

/* ---- on the publisher's thread ---- */

static void hand(struct published_reader *r, struct published_state *state)
{
	struct published_state *overtaken = atomic_exchange(&r->next, state);

	/* The loop was told of that one and will find this. */
	if (overtaken)
		published_unref(overtaken);
	else
		loop_post(r->loop, on_next, r);
}

struct published_state *published_take(struct published *p)
{
	pthread_mutex_lock(&p->lock);
	return p->latest;
}

void published_put(struct published *p, struct published_state *state)
{
	struct published_state *before = p->latest;

	p->latest = adopt(state, p->kind);
	list_each (it, &p->readers)
		hand(container_of(it, struct published_reader, link), adopt(p->kind->copy(state), p->kind));
	pthread_mutex_unlock(&p->lock);
	published_unref(before);
}

void published_keep(struct published *p)
{
	pthread_mutex_unlock(&p->lock);
}

void published_tell(struct published *p, task_fn *fn)
{
	pthread_mutex_lock(&p->lock);
	list_each (it, &p->readers) {
		struct published_reader *r = container_of(it, struct published_reader, link);

		loop_post(r->loop, fn, r->arg);
	}
	pthread_mutex_unlock(&p->lock);
}
