/*
 * Handing over to a new program: execve() in place, so that the process number stays, and with it
 * all that the service manager knows of us.
 *
 * Our state (serve/handover_state.h) goes into a memfd whose number is in the environment: sockets,
 * ticket keys, the last good snapshot, the settings in force, and the workers with their channels.
 * The new program first has to run as a child ("serve --try") and to understand that state with
 * those settings: one that cannot never gets further. Then it replaces us, adopts the old worker,
 * starts its own as the successor, and the rest is as with a reload: the old one drains once the
 * new one is ready, and stays if that never gets there.
 *
 * The settings change with the program at most in what their presets are. Whatever was changed in
 * the file meanwhile is an ordinary reload afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/handover_state.h"
#include "serve/notify.h"
#include "serve/supervisor.h"

#define STATE_ENV "TORHAUS_HANDOVER"

/* ---- giving ---- */

static void give_children(struct supervisor *sv, struct handover *h)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &sv->children[i];

		if (c->role == CHILD_WORKER || c->role == CHILD_DRAINING)
			h->children[h->children_n++] =
				(struct handover_child){ c->pid, c->channel, c->ready, c->role == CHILD_DRAINING };
	}
}

/* All borrowed from sv. */
static void give(struct supervisor *sv, struct handover *ret)
{
	*ret = (struct handover){ .settings = (char *)sv->settings->text.p,
		.listeners = sv->listeners,
		.control = sv->control,
		.control_path = sv->control_path,
		.snapshot = sv->snapshot,
		.names = sv->names,
		.served = sv->served >= 0 ? sv->served : sv->watch.blob,
		.tickets = sv->watch.tickets,
		.restarts = sv->restarts,
		.started_at = sv->started_at,
		.asker = sv->asker.worker,
		.tag = sv->asker.tag };
	give_children(sv, ret);
}

int handover_state(struct supervisor *sv)
{
	static struct handover h;
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);
	int fd;

	give(sv, &h);
	handover_encode(&h, &text);
	fd = buf_error(&text) < 0 ? buf_error(&text) : memfd_from("torhaus-handover", buf_span(&text));
	explicit_bzero(&h.tickets, sizeof(h.tickets));
	explicit_bzero(text.p, text.n);
	buf_done(&text);
	return fd;
}

static int survives_exec(int fd)
{
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

static int ends_at_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

void handover_exec(const char *program, const char *config, int state, bool trial)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", state);
	if (survives_exec(state) < 0 || setenv(STATE_ENV, number, 1) < 0)
		return;
	execl(program, program, "--config", config, "serve", trial ? "--try" : (char *)NULL, (char *)NULL);
	unsetenv(STATE_ENV);
}

/* Returns only if it failed: -errno. */
static int execute(struct supervisor *sv)
{
	static struct handover h;
	int state = handover_state(sv), r;

	if (state < 0)
		return state;
	give(sv, &h);
	r = handover_each_fd(&h, survives_exec);
	log_event(LOG_LEVEL_INFO, "serve", "handing-over", "program=%s", log_value(span_of(sv->program)));
	if (r == 0) {
		handover_exec(sv->program, sv->config, state, false);
		r = -errno;
	}
	handover_each_fd(&h, ends_at_exec);
	close(state);
	return r;
}

/* ---- asked for, tried ---- */

static void unfit(struct supervisor *sv, const char *error)
{
	struct fault f;

	fault_set(&f, FAULT_SERVE_BINARY_UNFIT);
	fault_fact(&f, "path", "%s", sv->program);
	fault_fact(&f, "error", "%s", error);
	reload_refuse(sv, &sv->asker, &f);
	sv->asker = (struct asker){ 0 };
	notify_send("READY=1\nSTATUS=serving");
}

void handover_begin(struct supervisor *sv, struct asker asker)
{
	struct fault busy;

	if (sv->stopping || child_find(sv, CHILD_SUCCESSOR) || child_find(sv, CHILD_TRIAL)) {
		fault_set(&busy, FAULT_SERVE_BUSY);
		fault_fact(&busy, "what", "reload");
		reload_refuse(sv, &asker, &busy);
		return;
	}
	notify_reloading();
	sv->asker = asker;
	if (!child_trial(sv))
		unfit(sv, strerror(errno));
}

void handover_tried(struct supervisor *sv, bool fit, const char *how)
{
	if (sv->stopping)
		return;
	unfit(sv, fit ? strerror(-execute(sv)) : how);
}

/* ---- taking ---- */

/* As we were called, which an update leaves as it is: a symbolic link is not followed, for it may
 * then lead to another version. Relative paths are completed. */
char *handover_program(void)
{
	const char *called = (const char *)getauxval(AT_EXECFN);
	char *here = called && called[0] != '/' ? getcwd(NULL, 0) : NULL;
	char *program = NULL;

	if (called && (called[0] == '/' || here))
		program = here ? mem_textf("%s/%s", here, called) : mem_text(called);
	mem_free(here);
	return program;
}

static void adopt_child(struct supervisor *sv, const struct handover_child *from)
{
	struct child *c = child_find(sv, CHILD_NONE);
	uint64_t now = clock_mono_ms();

	must(c);
	*c = (struct child){ .role = from->draining ? CHILD_DRAINING : CHILD_WORKER,
		.pid = from->pid,
		.channel = from->channel,
		.ready = from->ready,
		.started_ms = now,
		.alive_ms = now,
		.kill_ms = from->draining ? now + DRAIN_MAX_S * 1000 : 0 };
}

/* h's listeners and texts become sv's. */
static void adopt(struct supervisor *sv, struct handover *h)
{
	sv->listeners = h->listeners;
	h->listeners.n = 0;
	sv->control = h->control;
	sv->control_path = h->control_path;
	h->control_path = NULL;
	sv->snapshot = h->snapshot;
	sv->names = h->names;
	sv->served = h->served;
	sv->watch.tickets = h->tickets;
	sv->restarts = h->restarts;
	sv->started_at = h->started_at;
	sv->asker = (struct asker){ h->asker, h->tag };
	for (unsigned i = 0; i < h->children_n; i++)
		adopt_child(sv, &h->children[i]);
}

static struct settings *parse_settings(const struct handover *h, const char *config)
{
	struct conf_errors errors = { 0 };
	struct settings *s;
	struct arena a;

	arena_init(&a, 4096);
	s = settings_parse(span_of(h->settings), config, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		log_fault(LOG_LEVEL_ERROR, "serve", "settings-faulty", &errors.v[i]);
	arena_done(&a);
	return s;
}

/* The state that the environment names. 1, 0 (there is none), or -errno; handover_done(ret) in any
 * case. */
static int read_state(struct handover *ret)
{
	const char *number = getenv(STATE_ENV);
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);
	uint64_t fd;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!number)
		return 0;
	r = span_to_u64(span_of(number), &fd);
	unsetenv(STATE_ENV);
	if (r == 0)
		r = memfd_read((int)fd, &text);
	if (r == 0) {
		close((int)fd);
		r = handover_decode(buf_span(&text), ret);
	}
	if (text.p)
		explicit_bzero(text.p, text.n);
	buf_done(&text);
	return r < 0 ? r : 1;
}

int handover_take(struct supervisor *sv)
{
	static struct handover h;
	int r = read_state(&h);

	if (r == 1) {
		sv->settings = parse_settings(&h, sv->config);
		r = sv->settings ? handover_each_fd(&h, ends_at_exec) : -EINVAL;
		r = r < 0 ? r : 1;
	}
	if (r == 1)
		adopt(sv, &h);
	handover_done(&h);
	return r;
}

int handover_try(const char *config)
{
	static struct handover h;
	struct settings *s = NULL;
	int r = read_state(&h);

	if (r == 1) {
		s = parse_settings(&h, config);
		r = s ? 1 : -EINVAL;
	}
	settings_unref(s);
	handover_done(&h);
	return r;
}
