/*
 * The supervisor: one thread, one poll loop over a signalfd and the channels of the workers.
 *
 * It does little, so that it lives long: starts workers, watches folders, passes things on.
 * Signals: TERM and INT stop with a drain (a second one at once), HUP reloads, USR1 opens logs
 * again.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/notify.h"
#include "serve/supervisor.h"

/* Exit statuses as everywhere in torhaus (cli/cli.h). */
#define STATUS_FAILED   1
#define STATUS_SETTINGS 3
#define POLL_MAX_MS     1000
#define NOT_ALIVE_MS    60000

/* ---- signals ---- */

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void kill_all(struct supervisor *sv)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role != CHILD_NONE)
			kill(sv->children[i].pid, SIGKILL);
}

static void on_stop(struct supervisor *sv, const char *name)
{
	if (sv->stopping) {
		kill_all(sv);
		return;
	}
	sv->stopping = true;
	sv->restart_ms = 0;
	log_event(LOG_LEVEL_INFO, "serve", "stopping", "signal=%s", name);
	notify_send("STOPPING=1\nSTATUS=finishing open requests");
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role == CHILD_WORKER || sv->children[i].role == CHILD_SUCCESSOR)
			child_drain(&sv->children[i]);
}

static void on_reopen(struct supervisor *sv)
{
	struct fault f;

	/* log_open() of the same path makes a new file and gives it to the worker's user,
	 * log_reopen() goes there. */
	if (supervisor_open_log(sv, sv->settings, &f) < 0)
		log_fault(LOG_LEVEL_ERROR, "serve", "log-failed", &f);
	children_tell(sv, CHANNEL_REOPEN, 0, SPAN(""), NULL, 0);
}

static void on_signals(struct supervisor *sv)
{
	struct signalfd_siginfo info;

	while (read(sv->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			on_stop(sv, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
			break;
		case SIGHUP:
			reload_begin(sv, (struct asker){ 0 });
			break;
		case SIGUSR1:
			on_reopen(sv);
			break;
		default:
			children_reap(sv);
			break;
		}
	}
}

/* ---- time ---- */

static void earlier(uint64_t *deadline, uint64_t candidate)
{
	if (candidate < *deadline)
		*deadline = candidate;
}

static void restart(struct supervisor *sv)
{
	sv->restart_ms = 0;
	if (!child_start(sv, CHILD_WORKER)) {
		log_event(LOG_LEVEL_ERROR, "serve", "worker-not-started", "error=%s",
			log_value(span_of(strerror(errno))));
		sv->restart_ms = clock_mono_ms() + POLL_MAX_MS;
	}
}

/* Workers that overstay, and one whose first loop stands still. */
static void watch_children(struct supervisor *sv, uint64_t now, uint64_t *deadline)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &sv->children[i];

		if (c->role == CHILD_NONE)
			continue;
		if (c->role == CHILD_WORKER && c->ready && now > c->alive_ms + NOT_ALIVE_MS) {
			log_event(LOG_LEVEL_ERROR, "serve", "worker-stands-still", "pid=%d", (int)c->pid);
			kill(c->pid, SIGABRT);
			c->alive_ms = now;
		}
		if (c->kill_ms != 0 && now >= c->kill_ms) {
			kill(c->pid, SIGKILL);
			c->kill_ms = now + POLL_MAX_MS;
		}
		if (c->kill_ms != 0)
			earlier(deadline, c->kill_ms);
	}
}

static uint64_t turn(struct supervisor *sv)
{
	uint64_t now = clock_mono_ms(), deadline = now + POLL_MAX_MS;

	if (sv->restart_ms != 0 && now >= sv->restart_ms)
		restart(sv);
	if (sv->restart_ms != 0)
		earlier(&deadline, sv->restart_ms);
	log_flush();
	watch_children(sv, now, &deadline);
	if (!sv->stopping)
		watch_turn(sv, &deadline);
	if (sv->reload_pending && !child_find(sv, CHILD_SUCCESSOR) && !child_find(sv, CHILD_TRIAL)) {
		sv->reload_pending = false;
		reload_begin(sv, (struct asker){ 0 });
	}
	return deadline;
}

static void watchdog(uint64_t *next)
{
	uint64_t every = notify_watchdog_ms(), now = clock_mono_ms();

	if (every == 0 || now < *next)
		return;
	notify_send("WATCHDOG=1");
	*next = now + every;
}

/* ---- the loop ---- */

static void wait_for_something(struct supervisor *sv, uint64_t deadline)
{
	struct pollfd fds[1 + CHILDREN_MAX] = { { .fd = sv->signals, .events = POLLIN } };
	uint64_t now = clock_mono_ms();

	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &sv->children[i];

		uint64_t deaf = c->role == CHILD_NONE ? 0 : child_deaf_until(c, now);

		fds[1 + i] = (struct pollfd){ .fd = c->role == CHILD_NONE || deaf ? -1 : c->channel, .events = POLLIN };
		if (deaf)
			earlier(&deadline, deaf);
	}
	if (poll(fds, array_len(fds), deadline > now ? (int)(deadline - now) : 0) < 0)
		return;
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (fds[1 + i].revents && sv->children[i].role != CHILD_NONE)
			children_each_message(sv, &sv->children[i]);
	if (fds[0].revents)
		on_signals(sv);
}

static bool has_children(struct supervisor *sv)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role != CHILD_NONE)
			return true;
	return false;
}

static void run(struct supervisor *sv)
{
	uint64_t next_watchdog = 0;

	while (!sv->stopping || has_children(sv)) {
		uint64_t deadline = turn(sv);

		watchdog(&next_watchdog);
		wait_for_something(sv, deadline);
	}
}

/* ---- beginning and end ---- */

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* From the program before us, else from the file. */
static int load_settings(struct supervisor *sv)
{
	struct conf_errors errors = { 0 };
	struct arena a;
	int taken = handover_take(sv);

	if (taken < 0)
		log_event(LOG_LEVEL_ERROR, "serve", "handover-not-understood", "error=%s",
			log_value(span_of(strerror(-taken))));
	if (taken != 0) {
		/* What has changed in the file since is the first reload. */
		sv->reload_pending = true;
		return taken < 0 ? taken : 0;
	}
	arena_init(&a, 4096);
	sv->settings = settings_load(sv->config, &a, &errors);
	for (unsigned i = 0; i < errors.n; i++)
		log_fault(LOG_LEVEL_ERROR, "serve", "settings-faulty", &errors.v[i]);
	arena_done(&a);
	return sv->settings ? 0 : -EINVAL;
}

/* The sockets, from the program before us or new. */
static int open_sockets(struct supervisor *sv, struct fault *fault)
{
	static struct listeners none, now;
	int r = control_listen(sv->settings->control.p, &sv->user, &sv->control, fault);

	if (r < 0)
		return r;
	sv->control_path = mem_text(sv->settings->control.p);
	r = listeners_change(&none, sv->settings, serve_threads(sv->settings), &now, fault);
	sv->listeners = now;
	return r;
}

static int begin(struct supervisor *sv)
{
	struct fault fault;
	int r = sandbox_user_find(sv->settings->user, &sv->user, &fault);

	if (r == 0)
		r = supervisor_open_log(sv, sv->settings, &fault);
	if (r < 0) {
		log_fault(LOG_LEVEL_ERROR, "serve", "not-started", &fault);
		return r;
	}
	/* Sockets that a hand-over brought are those of the settings that it brought. */
	if (!sv->control_path)
		r = open_sockets(sv, &fault);
	if (r < 0) {
		log_fault(LOG_LEVEL_ERROR, "serve", "not-started", &fault);
		return r;
	}
	watch_begin(sv);
	if (!child_start(sv, child_find(sv, CHILD_WORKER) ? CHILD_SUCCESSOR : CHILD_WORKER))
		return -errno;
	return 0;
}

static void end(struct supervisor *sv)
{
	if (sv->control_path)
		unlink(sv->control_path);
	if (sv->control >= 0)
		close(sv->control);
	listeners_close(&sv->listeners);
	listeners_close(&sv->leaving);
	if (sv->watch.blob >= 0)
		close(sv->watch.blob);
	if (sv->snapshot >= 0)
		close(sv->snapshot);
	if (sv->names >= 0)
		close(sv->names);
	if (sv->served >= 0)
		close(sv->served);
	close(sv->signals);
	mem_free(sv->control_path);
	mem_free(sv->program);
	report_done(&sv->faults);
	settings_unref(sv->settings);
	settings_unref(sv->previous);
}

int serve_try(const char *config_path)
{
	struct supervisor sv = { .config = config_path };
	int r = handover_try(config_path);

	if (r == 0)
		r = load_settings(&sv);
	settings_unref(sv.settings);
	return r < 0 ? STATUS_SETTINGS : 0;
}

int serve_run(const char *config_path)
{
	static struct supervisor sv;

	sv = (struct supervisor){ .config = config_path,
		.control = -1,
		.snapshot = -1,
		.names = -1,
		.served = -1,
		.watch.blob = -1,
		.started_at = clock_wall_s() };
	if (load_settings(&sv) < 0)
		return STATUS_SETTINGS;
	sv.program = handover_program();
	sv.signals = open_signals();
	raise_files();
	if (!sv.program || sv.signals < 0 || begin(&sv) < 0) {
		kill_all(&sv);
		end(&sv);
		return STATUS_FAILED;
	}
	log_event(LOG_LEVEL_INFO, "serve", "started", "version=%s pid=%d", TORHAUS_VERSION, (int)getpid());
	run(&sv);
	log_event(LOG_LEVEL_INFO, "serve", "stopped", "pid=%d", (int)getpid());
	end(&sv);
	return 0;
}
