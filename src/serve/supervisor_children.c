/*
 * The supervisor's children: workers, and the trial of a new program.
 *
 * A worker is forked without exec: it has the settings, sockets and keys in memory. One that ends
 * unasked is replaced at once. Only a worker that keeps ending soon after its start is a crash
 * loop, and its successor waits: 0.1 s, 0.2 s, … up to 10 s. SIGKILL does not count once the worker
 * was ready, for it comes from outside.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "serve/notify.h"
#include "serve/supervisor.h"

#define QUICK_MS     3000
#define BACKOFF_MS   100
#define BACKOFF_MAX  10000
#define TRIAL_MS     5000
#define KILL_SLACK_S 5
/* What a child may say in MESSAGES_WINDOW_MS. */
#define MESSAGES_MAX       200
#define MESSAGES_WINDOW_MS 1000
/* So many workers in a row that do not get ready: what they began with may be the reason. */
#define UNREADY_MAX 2

struct child *child_find(struct supervisor *sv, enum child_role role)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role == role)
			return &sv->children[i];
	return NULL;
}

struct child *child_by_pid(struct supervisor *sv, pid_t pid)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role != CHILD_NONE && sv->children[i].pid == pid)
			return &sv->children[i];
	return NULL;
}

/* ---- starting ---- */

/* In the child: what belongs to the supervisor alone is closed. */
static void let_go(struct supervisor *sv)
{
	sigset_t mask;

	close(sv->signals);
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (sv->children[i].role != CHILD_NONE && sv->children[i].channel >= 0)
			close(sv->children[i].channel);
	/* The terminal's Ctrl-C reaches the whole group, but it is the supervisor who decides: its
	 * signals stay blocked here. SIGCHLD is of no interest. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

_Noreturn static void be_worker(struct supervisor *sv, pid_t supervisor, int channel, bool alone)
{
	struct buf state = BUF_INIT(STATUS_MAX);
	struct birth birth = { .settings = sv->settings,
		.listeners = &sv->listeners,
		.user = sv->user,
		.tickets = sv->watch.tickets,
		.channel = channel,
		.control = sv->control,
		.certs = sv->watch.blob,
		.certs_tag = sv->watch.tag,
		.served = sv->served,
		.snapshot = sv->snapshot,
		.names = sv->names,
		.alone = alone,
		.supervisor = supervisor,
		.restarts = sv->restarts };

	log_forget_backlog();
	let_go(sv);
	supervisor_state_json(sv, &state);
	birth.state = buf_take(&state);
	exit(worker_run(&birth));
}

static struct child *child_new(struct supervisor *sv, enum child_role role, pid_t pid, int channel)
{
	struct child *c = child_find(sv, CHILD_NONE);
	uint64_t now = clock_mono_ms();

	*c = (struct child){ .role = role, .pid = pid, .channel = channel, .started_ms = now, .alive_ms = now };
	return c;
}

struct child *child_start(struct supervisor *sv, enum child_role role)
{
	pid_t me = getpid(), pid;
	int pair[2], r;

	if (!child_find(sv, CHILD_NONE)) {
		errno = EAGAIN;
		return NULL;
	}
	r = channel_pair(pair);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		be_worker(sv, me, pair[1], role == CHILD_WORKER);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return NULL;
	}
	log_event(LOG_LEVEL_INFO, "serve", "worker-started", "pid=%d threads=%u", (int)pid,
		serve_threads(sv->settings));
	return child_new(sv, role, pid, pair[0]);
}

_Noreturn static void be_trial(struct supervisor *sv, int state)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	handover_exec(sv->program, sv->config, state, true);
	_exit(127);
}

struct child *child_trial(struct supervisor *sv)
{
	int state = child_find(sv, CHILD_NONE) ? handover_state(sv) : -EAGAIN;
	pid_t pid;
	struct child *c;

	if (state < 0) {
		errno = -state;
		return NULL;
	}
	pid = fork();
	if (pid == 0)
		be_trial(sv, state);
	close(state);
	if (pid < 0)
		return NULL;
	c = child_new(sv, CHILD_TRIAL, pid, -1);
	c->kill_ms = c->started_ms + TRIAL_MS;
	return c;
}

void child_drain(struct child *c)
{
	c->role = CHILD_DRAINING;
	c->kill_ms = clock_mono_ms() + (DRAIN_MAX_S + KILL_SLACK_S) * 1000;
	channel_send(c->channel, CHANNEL_DRAIN, 0, SPAN(""), NULL, 0);
}

/* ---- telling ---- */

void children_tell(struct supervisor *sv, uint32_t type, uint32_t tag, struct span text, const int *fds, unsigned fds_n)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &sv->children[i];

		if (c->role == CHILD_WORKER || c->role == CHILD_SUCCESSOR)
			channel_send(c->channel, type, tag, text, fds, fds_n);
	}
}

void supervisor_state_json(struct supervisor *sv, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j, NULL);
	jsonw_int(&j, "pid", getpid());
	jsonw_text(&j, "program", sv->program);
	jsonw_text(&j, "config", sv->config);
	jsonw_int(&j, "started_at", sv->started_at);
	jsonw_int(&j, "reloaded_at", sv->reloaded_at);
	jsonw_uint(&j, "worker_restarts", sv->restarts);
	jsonw_bool(&j, "crash_loop", sv->looping);
	if (sv->has_last_end) {
		jsonw_int(&j, "last_end_at", sv->last_end_at);
		fault_json(&j, "last_end", &sv->last_end);
	}
	jsonw_array(&j, "faults");
	report_values(&j, &sv->faults);
	jsonw_end(&j);
	jsonw_end(&j);
}

void children_tell_state(struct supervisor *sv)
{
	struct buf json = BUF_INIT(STATUS_MAX);
	int fd;

	supervisor_state_json(sv, &json);
	fd = memfd_from("torhaus-state", buf_span(&json));
	if (fd >= 0) {
		children_tell(sv, CHANNEL_STATE, 0, SPAN(""), &fd, 1);
		close(fd);
	}
	buf_done(&json);
}

void supervisor_answer(struct supervisor *sv, const struct asker *to, unsigned status, struct span json)
{
	struct child *c = to->worker ? child_by_pid(sv, to->worker) : NULL;
	char text[16];

	snprintf(text, sizeof(text), "%u", status);
	if (c && c->channel >= 0)
		channel_send_large(c->channel, CHANNEL_ANSWER, to->tag, span_of(text), json);
}

/* ---- listening ---- */

static void on_ready(struct supervisor *sv, struct child *c)
{
	c->ready = true;
	log_event(LOG_LEVEL_INFO, "serve", "worker-ready", "pid=%d after=%llums", (int)c->pid,
		(unsigned long long)(clock_mono_ms() - c->started_ms));
	if (c->role == CHILD_SUCCESSOR)
		reload_end(sv);
	if (c->role == CHILD_WORKER && !sv->stopping)
		notify_send("READY=1\nSTATUS=serving");
}

/* The i-th of the message's descriptors in the place of the one before; -1 if there is none. */
static void replace_fd(int *to, struct channel_message *m, unsigned i)
{
	if (*to >= 0)
		close(*to);
	*to = -1;
	if (i < m->fds_n) {
		*to = m->fds[i];
		m->fds[i] = -1;
	}
}

/* Only what nobody can change any more, and what the next worker would take. */
static void on_snapshot(struct supervisor *sv, struct channel_message *m)
{
	bool fit = m->fds_n > 0;

	for (unsigned i = 0; i < m->fds_n; i++)
		fit = fit && memfd_is_sealed(m->fds[i], LARGE_MAX);
	if (!fit)
		return;
	replace_fd(&sv->snapshot, m, 0);
	replace_fd(&sv->names, m, 1);
}

/* What a draining worker serves is nothing to the next one. */
static void on_served(struct supervisor *sv, const struct child *c, struct channel_message *m)
{
	bool whole = m->fds_n == 0 && m->tag == sv->watch.tag;

	if (c->role == CHILD_DRAINING)
		return;
	if (whole || (m->fds_n == 1 && memfd_is_sealed(m->fds[0], LARGE_MAX)))
		replace_fd(&sv->served, m, 0);
}

static void on_stop(struct supervisor *sv, struct asker *asker)
{
	supervisor_answer(sv, asker, 200, SPAN("{\"schema\":\"torhaus.stop/1\",\"stopping\":true}"));
	kill(getpid(), SIGTERM);
}

static void on_message(struct supervisor *sv, struct child *c, struct channel_message *m)
{
	struct asker asker = { c->pid, m->tag };

	switch (m->type) {
	case CHANNEL_READY:
		on_ready(sv, c);
		break;
	case CHANNEL_SNAPSHOT:
		on_snapshot(sv, m);
		break;
	case CHANNEL_SERVED:
		on_served(sv, c, m);
		break;
	case CHANNEL_RELOAD:
		if (span_eq(m->text, SPAN("binary")))
			handover_begin(sv, asker);
		else
			reload_begin(sv, asker);
		break;
	case CHANNEL_STOP:
		on_stop(sv, &asker);
		break;
	case CHANNEL_ALIVE:
		c->alive_ms = clock_mono_ms();
		break;
	default:
		break;
	}
}

uint64_t child_deaf_until(const struct child *c, uint64_t now)
{
	uint64_t end = c->window_ms + MESSAGES_WINDOW_MS;

	return c->window_n >= MESSAGES_MAX && now < end ? end : 0;
}

/* A worker says a few words a second. More than MESSAGES_MAX is said by somebody who has got hold
 * of it: the rest waits in the channel, which thereby becomes full. */
static bool may_speak(struct child *c)
{
	uint64_t now = clock_mono_ms();

	if (now >= c->window_ms + MESSAGES_WINDOW_MS) {
		c->window_ms = now;
		c->window_n = 0;
	}
	if (++c->window_n == MESSAGES_MAX)
		log_event(LOG_LEVEL_ERROR, "serve", "worker-floods", "pid=%d messages=%u", (int)c->pid, MESSAGES_MAX);
	return c->window_n <= MESSAGES_MAX;
}

/* A worker that says what is no message is in an intruder's hands, or broken. */
static void hang_up(struct child *c, int error)
{
	close(c->channel);
	c->channel = -1;
	if (error != -EPROTO)
		return;
	log_event(LOG_LEVEL_ERROR, "serve", "worker-babbles", "pid=%d", (int)c->pid);
	kill(c->pid, SIGKILL);
}

void children_each_message(struct supervisor *sv, struct child *c)
{
	static struct channel_message m;
	int r = 0;

	while (c->channel >= 0 && may_speak(c) && (r = channel_receive(c->channel, &m)) == 1) {
		on_message(sv, c, &m);
		channel_message_done(&m);
	}
	if (c->channel >= 0 && r < 0)
		hang_up(c, r);
}

/* Of what a dead child had said, only what the next begins with matters. */
static void last_messages(struct supervisor *sv, struct child *c)
{
	static struct channel_message m;

	for (unsigned i = 0; i < MESSAGES_MAX && channel_receive(c->channel, &m) == 1; i++) {
		if (m.type == CHANNEL_SNAPSHOT)
			on_snapshot(sv, &m);
		else if (m.type == CHANNEL_SERVED)
			on_served(sv, c, &m);
		channel_message_done(&m);
	}
	close(c->channel);
	c->channel = -1;
}

/* ---- ends ---- */

static void how_ended(int status, char *text, size_t n)
{
	if (WIFSIGNALED(status))
		snprintf(text, n, "SIG%s%s", sigabbrev_np(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(text, n, "exit status %d", WEXITSTATUS(status));
}

static void note_end(struct supervisor *sv, const struct child *c, const char *how)
{
	char lived[FMT_SIZE];

	fmt_duration(clock_mono_ms() - c->started_ms, lived);
	fault_set(&sv->last_end, FAULT_SERVE_WORKER_DIED);
	fault_fact(&sv->last_end, "pid", "%d", (int)c->pid);
	fault_fact(&sv->last_end, "lived", "%s", lived);
	fault_fact(&sv->last_end, "how", "%s", how);
	sv->has_last_end = true;
	sv->last_end_at = clock_wall_s();
	sv->restarts++;
	log_fault(LOG_LEVEL_ERROR, "serve", "worker-died", &sv->last_end);
}

static void note_loop(struct supervisor *sv, const char *how, uint64_t wait_ms)
{
	char wait[FMT_SIZE];
	struct fault f;

	fmt_duration(wait_ms, wait);
	fault_set(&f, FAULT_SERVE_CRASH_LOOP);
	fault_fact(&f, "times", "%u", sv->quick_ends);
	fault_fact(&f, "how", "%s", how);
	fault_fact(&f, "wait", "%s", wait);
	log_fault(LOG_LEVEL_ERROR, "serve", "crash-loop", &f);
	sv->looping = true;
}

/* The next worker begins from the store, as the first one did. */
static void throw_state_away(struct supervisor *sv)
{
	if (sv->snapshot < 0 && sv->names < 0 && sv->served < 0)
		return;
	log_event(LOG_LEVEL_ERROR, "serve", "state-thrown-away", "workers=%u", sv->unready_ends);
	if (sv->snapshot >= 0)
		close(sv->snapshot);
	if (sv->names >= 0)
		close(sv->names);
	if (sv->served >= 0)
		close(sv->served);
	sv->snapshot = sv->names = sv->served = -1;
}

static uint64_t backoff(unsigned quick_ends)
{
	uint64_t ms = quick_ends < 2 ? 0 : BACKOFF_MS << (quick_ends - 2 < 7 ? quick_ends - 2 : 7);

	return ms < BACKOFF_MAX ? ms : BACKOFF_MAX;
}

static void worker_ended(struct supervisor *sv, const struct child *c, int status, const char *how)
{
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && c->ready;
	uint64_t now = clock_mono_ms(), wait;

	note_end(sv, c, how);
	sv->unready_ends = c->ready ? 0 : sv->unready_ends + 1;
	if (sv->unready_ends >= UNREADY_MAX || sv->quick_ends > 3)
		throw_state_away(sv);
	if (killed || now - c->started_ms > QUICK_MS) {
		sv->quick_ends = 0;
		sv->looping = false;
	} else {
		sv->quick_ends++;
	}
	wait = backoff(sv->quick_ends);
	if (sv->quick_ends > 3)
		note_loop(sv, how, wait);
	sv->restart_ms = now + wait;
}

static void child_ended(struct supervisor *sv, struct child *c, int status)
{
	struct child gone = *c;
	char how[64];

	how_ended(status, how, sizeof(how));
	if (c->channel >= 0)
		last_messages(sv, c);
	c->role = CHILD_NONE;
	switch (gone.role) {
	case CHILD_WORKER:
		if (sv->stopping)
			break;
		worker_ended(sv, &gone, status, how);
		break;
	case CHILD_SUCCESSOR:
		reload_failed(sv, how);
		break;
	case CHILD_DRAINING:
		log_event(status == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "serve", "worker-ended", "pid=%d how=%s",
			(int)gone.pid, log_value(span_of(how)));
		break;
	case CHILD_TRIAL:
		handover_tried(sv, WIFEXITED(status) && WEXITSTATUS(status) == 0, how);
		break;
	case CHILD_NONE:
		break;
	}
}

void children_reap(struct supervisor *sv)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = child_by_pid(sv, pid);

		if (c)
			child_ended(sv, c, status);
	}
}
