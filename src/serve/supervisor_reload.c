/*
 * A reload: settings read anew, and what differs is done.
 *
 * What a running worker can take is sent to it. Where a key needs a new worker, that is started
 * beside the old one with the same sockets; the old one drains once the new one is ready. If that
 * never gets ready, everything is put back. A faulty file changes nothing, and all its faults go to
 * whoever asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/notify.h"
#include "serve/supervisor.h"

#define CHANGED_MAX 4096

/* Of answers, in HTTP's terms. */
#define ANSWER_DONE     200
#define ANSWER_CONFLICT 409 /* the settings are right, but cannot be had now */
#define ANSWER_SETTINGS 422

/* ---- logs ---- */

/* The folder of the preset (/var/log/torhaus) is made by the package and by systemd; without them
 * by us, if its parent is there. */
static void make_folder_of(const char *path, const struct sandbox_user *user)
{
	_cleanup_(mem_freep) char *folder = mem_text(path);
	char *end = strrchr(folder, '/');

	if (!end || end == folder)
		return;
	*end = '\0';
	if (mkdir(folder, 0750) == 0 && user->change && chown(folder, user->uid, user->gid) < 0)
		return;
}

/* Makes the file and gives it to the worker's user, who opens it again himself. */
static int give_file(const char *path, const struct sandbox_user *user)
{
	int fd = log_sink_open(path);
	int r = 0;

	if (fd < 0)
		return fd;
	if (user->change && fchown(fd, user->uid, user->gid) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int log_failed(struct fault *fault, const char *path, int r)
{
	fault_set(fault, FAULT_LOG_FAILED);
	fault_fact(fault, "path", "%s", path);
	fault_fact(fault, "error", "%s", strerror(-r));
	return r;
}

int supervisor_open_log(struct supervisor *sv, const struct settings *s, struct fault *fault)
{
	int r = 0;

	if (s->log.access != ACCESS_OFF && span_starts(s->log.access_to, SPAN("/"))) {
		make_folder_of(s->log.access_to.p, &sv->user);
		r = give_file(s->log.access_to.p, &sv->user);
	}
	if (r < 0)
		return log_failed(fault, s->log.access_to.p, r);
	if (span_starts(s->log.to, SPAN("/")))
		r = give_file(s->log.to.p, &sv->user);
	if (r == 0)
		r = log_open(s->log.to.p);
	if (r == 0)
		log_level_max(settings_log_level(s));
	return r < 0 ? log_failed(fault, s->log.to.p, r) : 0;
}

/* ---- answers ---- */

static void answer(struct supervisor *sv, const struct asker *to, unsigned status, const char *changed, bool new_worker,
	const struct report *faults)
{
	struct buf json = BUF_INIT(STATUS_MAX);
	struct jsonw j;

	jsonw_init(&j, &json);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.reload/1");
	jsonw_text(&j, "changed", changed ? changed : "");
	jsonw_bool(&j, "new_worker", new_worker);
	jsonw_array(&j, "faults");
	report_values(&j, faults);
	jsonw_end(&j);
	jsonw_end(&j);
	supervisor_answer(sv, to, status, buf_span(&json));
	buf_done(&json);
}

void reload_refuse(struct supervisor *sv, const struct asker *to, const struct fault *fault)
{
	struct report one = { 0 };

	log_fault(LOG_LEVEL_ERROR, "serve", "reload-refused", fault);
	report_add(&one, fault);
	answer(sv, to, ANSWER_CONFLICT, NULL, false, &one);
	report_done(&one);
}

static void finish(struct supervisor *sv, unsigned status, bool new_worker)
{
	for (unsigned i = 0; i < sv->faults.n; i++)
		log_fault(LOG_LEVEL_ERROR, "serve", "reload-refused", &sv->faults.v[i]);
	if (sv->faults.n == 0) {
		sv->reloaded_at = clock_wall_s();
		log_event(LOG_LEVEL_INFO, "serve", "reloaded", "changed=%s new_worker=%s",
			log_value(span_of(sv->changed ? sv->changed : "")), new_worker ? "yes" : "no");
	}
	answer(sv, &sv->asker, status, sv->changed, new_worker, &sv->faults);
	sv->asker = (struct asker){ 0 };
	sv->changed = mem_free(sv->changed);
	children_tell_state(sv);
	notify_send("READY=1\nSTATUS=serving");
}

static void refuse(struct supervisor *sv, const struct fault *f)
{
	report_add(&sv->faults, f);
	finish(sv, ANSWER_CONFLICT, false);
}

/* ---- in place ---- */

static void tell_settings(struct supervisor *sv)
{
	int fd = memfd_from("torhaus-settings", sv->settings->text);

	if (fd < 0)
		return;
	children_tell(sv, CHANNEL_SETTINGS, 0, SPAN(""), &fd, 1);
	close(fd);
}

static void tell_listeners(struct supervisor *sv, const struct listeners *all, uint32_t type)
{
	char text[LISTENER_TEXT_SIZE];

	for (unsigned i = 0; i < all->n; i++) {
		const struct listener *l = &all->v[i];
		unsigned fds_n = l->n < CHANNEL_FDS_MAX ? l->n : CHANNEL_FDS_MAX;

		listener_text(l, text);
		children_tell(sv, type, 0, span_of(text), l->fds, type == CHANNEL_LISTEN ? fds_n : 0);
	}
}

/* Those of now that were not in before: the worker has to learn of them. */
static void collect_new(const struct listeners *now, struct listeners *before, struct listeners *ret)
{
	char text[LISTENER_TEXT_SIZE];

	ret->n = 0;
	for (unsigned i = 0; i < now->n; i++) {
		listener_text(&now->v[i], text);
		if (!listeners_find(before, span_of(text)))
			ret->v[ret->n++] = now->v[i];
	}
}

static int change_in_place(struct supervisor *sv, struct settings *s, struct fault *fault)
{
	static struct listeners before, now, added;
	bool folders = sv->settings->certificates.n != s->certificates.n;
	int r;

	before = sv->listeners;
	r = listeners_change(&sv->listeners, s, serve_threads(s), &now, fault);
	if (r < 0)
		return r;
	for (unsigned i = 0; !folders && i < s->certificates.n; i++)
		folders = !span_eq(s->certificates.v[i], sv->settings->certificates.v[i]);
	settings_unref(sv->settings);
	sv->settings = s;
	log_level_max(settings_log_level(s));
	tell_settings(sv);
	collect_new(&now, &before, &added);
	tell_listeners(sv, &added, CHANNEL_LISTEN);
	tell_listeners(sv, &sv->listeners, CHANNEL_UNLISTEN);
	listeners_close(&sv->listeners);
	sv->listeners = now;
	if (folders)
		watch_read(sv, true);
	return 0;
}

/* ---- with a new worker ---- */

/* All listeners that there are go to those that s wants; the rest is in sv->leaving. */
static int change_listeners(struct supervisor *sv, const struct settings *s, struct fault *fault)
{
	static struct listeners now;
	int r = listeners_change(&sv->listeners, s, serve_threads(s), &now, fault);

	if (r < 0)
		return r;
	sv->leaving = sv->listeners;
	sv->listeners = now;
	return 0;
}

static int change_control(struct supervisor *sv, const struct settings *s, struct fault *fault)
{
	int fd, r;

	if (span_eq(s->control, span_of(sv->control_path)))
		return 0;
	r = control_listen(s->control.p, &sv->user, &fd, fault);
	if (r < 0)
		return r;
	sv->control_old = sv->control;
	sv->control_leaving = sv->control_path;
	sv->control = fd;
	sv->control_path = mem_text(s->control.p);
	return 0;
}

static void restore_control(struct supervisor *sv)
{
	if (!sv->control_leaving)
		return;
	unlink(sv->control_path);
	close(sv->control);
	mem_free(sv->control_path);
	sv->control = sv->control_old;
	sv->control_path = sv->control_leaving;
	sv->control_leaving = NULL;
}

/* Back to sv->previous. Its listeners are all still open. */
static void restore(struct supervisor *sv)
{
	static struct listeners all;
	struct fault ignored;

	all = sv->listeners;
	for (unsigned i = 0; i < sv->leaving.n && all.n < LISTENERS_MAX; i++)
		all.v[all.n++] = sv->leaving.v[i];
	sv->leaving.n = 0;
	if (listeners_change(&all, sv->previous, serve_threads(sv->previous), &sv->listeners, &ignored) == 0)
		listeners_close(&all);
	restore_control(sv);
	settings_unref(sv->settings);
	sv->settings = sv->previous;
	sv->previous = NULL;
	sandbox_user_find(sv->settings->user, &sv->user, &ignored);
	supervisor_open_log(sv, sv->settings, &ignored);
}

/* On failure everything is as before. */
static int start_successor(struct supervisor *sv, struct settings *s, struct fault *fault)
{
	struct child *c;
	int r;

	sv->previous = sv->settings;
	sv->settings = s;
	r = sandbox_user_find(s->user, &sv->user, fault);
	if (r == 0)
		r = supervisor_open_log(sv, s, fault);
	if (r == 0)
		r = change_control(sv, s, fault);
	if (r == 0)
		r = change_listeners(sv, s, fault);
	if (r < 0) {
		settings_ref(s);
		restore(sv);
		return r;
	}
	watch_read(sv, true);
	c = child_start(sv, CHILD_SUCCESSOR);
	if (c)
		return 0;
	fault_set(fault, FAULT_SERVE_WORKER_UNFIT);
	fault_fact(fault, "how", "%s", strerror(errno));
	settings_ref(s);
	restore(sv);
	return -EAGAIN;
}

void reload_end(struct supervisor *sv)
{
	struct child *successor = child_find(sv, CHILD_SUCCESSOR), *old = child_find(sv, CHILD_WORKER);
	char text[LISTENER_TEXT_SIZE];

	/* The answer goes through the old worker, while it still listens to us. */
	successor->role = CHILD_WORKER;
	sv->restart_ms = 0;
	finish(sv, ANSWER_DONE, true);
	for (unsigned i = 0; old && i < sv->leaving.n; i++) {
		listener_text(&sv->leaving.v[i], text);
		channel_send(old->channel, CHANNEL_UNLISTEN, 0, span_of(text), NULL, 0);
	}
	if (old)
		child_drain(old);
	listeners_close(&sv->leaving);
	if (sv->control_leaving) {
		unlink(sv->control_leaving);
		close(sv->control_old);
		sv->control_leaving = mem_free(sv->control_leaving);
	}
	sv->previous = settings_unref(sv->previous);
}

void reload_failed(struct supervisor *sv, const char *how)
{
	struct fault f;

	if (sv->previous)
		restore(sv);
	fault_set(&f, FAULT_SERVE_WORKER_UNFIT);
	fault_fact(&f, "how", "%s", how);
	if (!sv->stopping)
		refuse(sv, &f);
}

/* ---- the beginning ---- */

static void refuse_busy(struct supervisor *sv, const struct asker *asker)
{
	struct fault f;

	/* A signal cannot be refused: it is done later. */
	if (!asker->worker) {
		sv->reload_pending = true;
		return;
	}
	fault_set(&f, FAULT_SERVE_BUSY);
	fault_fact(&f, "what", "reload");
	reload_refuse(sv, asker, &f);
}

static void read_settings(struct supervisor *sv)
{
	struct buf keys = BUF_INIT(CHANGED_MAX);
	struct conf_errors errors = { 0 };
	struct fault fault;
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_load(sv->config, &a, &errors);
	if (!s) {
		for (unsigned i = 0; i < errors.n; i++)
			report_add(&sv->faults, &errors.v[i]);
		finish(sv, ANSWER_SETTINGS, false);
		arena_done(&a);
		return;
	}
	arena_done(&a);
	switch (settings_compare(sv->settings, s, &keys)) {
	case SETTINGS_SAME:
		settings_unref(s);
		finish(sv, ANSWER_DONE, false);
		break;
	case SETTINGS_IN_PLACE:
		sv->changed = buf_take(&keys);
		if (change_in_place(sv, s, &fault) == 0) {
			finish(sv, ANSWER_DONE, false);
		} else {
			settings_unref(s);
			refuse(sv, &fault);
		}
		break;
	case SETTINGS_NEW_WORKER:
		sv->changed = buf_take(&keys);
		if (start_successor(sv, s, &fault) < 0) {
			settings_unref(s);
			refuse(sv, &fault);
		}
		break;
	}
	buf_done(&keys);
}

void reload_begin(struct supervisor *sv, struct asker asker)
{
	if (sv->stopping)
		return;
	if (child_find(sv, CHILD_SUCCESSOR) || child_find(sv, CHILD_TRIAL)) {
		refuse_busy(sv, &asker);
		return;
	}
	notify_reloading();
	sv->asker = asker;
	report_clear(&sv->faults);
	read_settings(sv);
}
