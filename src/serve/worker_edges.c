/*
 * The edges that this worker drives, one row each: how it is made, and what of torhaus.conf it
 * gets. Everything else that the worker does with an edge goes through its struct edge_ops.
 */
#include "serve/serve_priv.h"
#include "mail/mail.h"
#include "names/names.h"
#include "web/web.h"

union edge_settings {
	struct web_settings web;
	struct mail_settings mail;
	struct names_settings names;
};

static void *make_web(struct worker *w)
{
	return web_new(w->cache, w->origins, w->threads_n);
}

static void *make_mail(struct worker *w)
{
	return mail_new(w->threads_n, w->evidence);
}

static void *make_names(struct worker *w)
{
	return names_new(w->resolver, w->threads_n);
}

static void free_web(void *edge)
{
	web_free(edge);
}

static void free_mail(void *edge)
{
	mail_free(edge);
}

static void free_names(void *edge)
{
	names_free(edge);
}

static void web_part(const struct settings *s, union edge_settings *ret)
{
	settings_for_web(s, &ret->web);
}

static void mail_part(const struct settings *s, union edge_settings *ret)
{
	settings_for_mail(s, &ret->mail);
}

static void names_part(const struct settings *s, union edge_settings *ret)
{
	settings_for_names(s, &ret->names);
}

static const struct row {
	const struct edge_ops *ops;
	void *(*make)(struct worker *w);
	void (*free)(void *edge);
	void (*part)(const struct settings *s, union edge_settings *ret);
} rows[EDGES] = {
	[EDGE_WEB] = { &web_edge, make_web, free_web, web_part },
	[EDGE_MAIL] = { &mail_edge, make_mail, free_mail, mail_part },
	[EDGE_NAMES] = { &names_edge, make_names, free_names, names_part },
};

/* ---- birth and end ---- */

/* An edge that can begin with what the worker before left has a state at once. */
static void restore(struct worker *w, enum edge_id id, struct buf *saved)
{
	struct edge *e = &w->edges[id];
	union edge_settings settings;

	rows[id].part(w->settings, &settings);
	e->ops->publish(e->self, &(struct edge_news){ .settings = &settings });
	e->restored = saved->n > 0 && e->ops->restore(e->self, saved) == 0;
}

void edges_make(struct worker *w, struct buf *saved)
{
	for (enum edge_id id = 0; id < EDGES; id++) {
		w->edges[id] = (struct edge){ .ops = rows[id].ops, .self = rows[id].make(w) };
		if (rows[id].ops->restore)
			restore(w, id, saved);
	}
}

void edges_free(struct worker *w)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		rows[id].free(w->edges[id].self);
}

void edges_save(struct worker *w, struct buf *out)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		if (w->edges[id].ops->save)
			w->edges[id].ops->save(w->edges[id].self, out);
}

/* ---- publishing ---- */

void edges_publish(struct worker *w, const struct settings *s, struct snapshot *snapshot, struct tls_set *set)
{
	union edge_settings settings;

	for (enum edge_id id = 0; id < EDGES; id++) {
		struct edge *e = &w->edges[id];
		struct edge_news news = { .snapshot = snapshot, .tls = set };

		if (s) {
			rows[id].part(s, &settings);
			news.settings = &settings;
		}
		e->ops->publish(e->self, &news);
	}
}

bool edges_restored(const struct worker *w)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		if (w->edges[id].ops->restore && !w->edges[id].restored)
			return false;
	return true;
}

void edges_publish_first(struct worker *w, const struct settings *s, struct snapshot *snapshot, bool known)
{
	union edge_settings settings;

	for (enum edge_id id = 0; id < EDGES; id++) {
		struct edge *e = &w->edges[id];

		/* It knows more than a snapshot that was not read. */
		if (e->ops->restore && (e->restored || !known))
			continue;
		rows[id].part(s, &settings);
		e->ops->publish(e->self, &(struct edge_news){ .snapshot = snapshot, .settings = &settings });
	}
}

/* ---- listening ---- */

/* Thread t serves every socket whose number is t modulo the number of threads. */
void edges_listen(struct worker_thread *t, const struct listener *l)
{
	const struct edge *e = &t->worker->edges[listener_kind_edge(l->kind)];

	for (unsigned i = t->index; i < l->n; i += t->worker->threads_n)
		e->ops->listen(e->self, t->index, l->fds[i], listener_kind_way(l->kind));
}

void edges_unlisten(struct worker_thread *t, const struct listener *l)
{
	const struct edge *e = &t->worker->edges[listener_kind_edge(l->kind)];

	for (unsigned i = t->index; i < l->n; i += t->worker->threads_n)
		e->ops->unlisten(e->self, t->index, l->fds[i]);
}

/* ---- all of them ---- */

void edges_thread_start(struct worker_thread *t)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		t->worker->edges[id].ops->thread_start(t->worker->edges[id].self, t->index);
}

void edges_reopen_logs(struct worker *w)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		if (w->edges[id].ops->reopen_logs)
			w->edges[id].ops->reopen_logs(w->edges[id].self);
}

void edges_drain(struct worker *w)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		w->edges[id].ops->drain(w->edges[id].self);
}

unsigned edges_busy(const struct worker *w)
{
	unsigned sum = 0;

	for (enum edge_id id = 0; id < EDGES; id++)
		sum += w->edges[id].ops->busy(w->edges[id].self);
	return sum;
}

void edges_faults(struct worker *w, edge_fault_fn *on_fault, void *arg)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		if (w->edges[id].ops->faults)
			w->edges[id].ops->faults(w->edges[id].self, on_fault, arg);
}

void edges_json(struct worker *w, struct jsonw *j)
{
	for (enum edge_id id = 0; id < EDGES; id++)
		w->edges[id].ops->json(w->edges[id].self, j);
}
