/*
 * Handing over to a new program: execve() in place, so that the process number stays, and with it all that the service
 * manager knows of us.
 *
 * The new executable first has to run as a child (--version): one that does not even start never gets this far. Then
 * our state goes into a memfd whose number is in the environment (TORHAUS_HANDOVER): sockets, ticket keys, the last good
 * snapshot, and the workers with their channels. The new supervisor adopts the old worker, starts
 * its own as the successor, and the rest is as with a reload: the old one drains once the new one is ready, and
 * stays if that never gets there.
 *
 * The state is JSON, "version" 1. A program that does not understand it must not be given it: that is what the version
 * is for.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/notify.h"
#include "serve/supervisor.h"

#define STATE_ENV     "TORHAUS_HANDOVER"
#define STATE_VERSION 1
#define STATE_MAX     ((size_t)4 << 20)

static void answer_fault(struct supervisor *sv, const struct asker *asker, unsigned status, const struct fault *f)
{
	struct buf json = BUF_INIT(STATUS_MAX);
	struct jsonw j;

	log_fault(LOG_LEVEL_ERROR, "serve", "reload-refused", f);
	jsonw_init(&j, &json);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.reload/1");
	jsonw_array(&j, "faults");
	report_fault_json(&j, NULL, f);
	jsonw_end(&j);
	jsonw_end(&j);
	supervisor_answer(sv, asker, status, buf_span(&json));
	buf_done(&json);
}

static void unfit(struct supervisor *sv, const char *error)
{
	struct fault f;

	fault_set(&f, FAULT_SERVE_BINARY_UNFIT);
	fault_fact(&f, "path", "%s", sv->program);
	fault_fact(&f, "error", "%s", error);
	answer_fault(sv, &sv->asker, 422, &f);
	sv->asker = (struct asker){ 0 };
	notify_send("READY=1\nSTATUS=serving");
}

void handover_begin(struct supervisor *sv, struct asker asker)
{
	struct fault busy;

	if (sv->stopping || child_find(sv, CHILD_SUCCESSOR) || child_find(sv, CHILD_TRIAL)) {
		fault_set(&busy, FAULT_SERVE_BUSY);
		fault_fact(&busy, "what", "reload");
		answer_fault(sv, &asker, 409, &busy);
		return;
	}
	notify_reloading();
	sv->asker = asker;
	if (!child_trial(sv))
		unfit(sv, strerror(errno));
}

/* ---- giving ---- */

/* A descriptor of the state: it has to survive the execve(). */
static json_t *give_fd(int fd, bool survive)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, survive ? 0 : FD_CLOEXEC);
	return json_integer(fd);
}

static json_t *give_listeners(const struct listeners *all, bool survive)
{
	json_t *list = json_array();
	char text[NET_ADDR_SIZE], actual[NET_ADDR_SIZE];

	for (unsigned i = 0; i < all->n; i++) {
		const struct listener *l = &all->v[i];
		json_t *fds = json_array();

		for (unsigned k = 0; k < l->n; k++)
			json_array_append_new(fds, give_fd(l->fds[k], survive));
		net_addr_text(&l->wanted, text);
		net_addr_text(&l->actual, actual);
		json_array_append_new(list,
			json_pack("{s:s s:s s:s s:o}", "wanted", text, "actual", actual, "kind",
				listener_kind_text(l->kind), "fds", fds));
	}
	return list;
}

static json_t *give_children(struct supervisor *sv, bool survive)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &sv->children[i];

		if (c->role != CHILD_WORKER && c->role != CHILD_DRAINING)
			continue;
		json_array_append_new(list,
			json_pack("{s:i s:o s:b s:b}", "pid", (int)c->pid, "channel", give_fd(c->channel, survive),
				"ready", (int)c->ready, "draining", (int)(c->role == CHILD_DRAINING)));
	}
	return list;
}

static json_t *give_tickets(const struct tls_ticket_keys *keys)
{
	const uint8_t *p = (const uint8_t *)keys;
	char hex[2 * sizeof(*keys) + 1];
	json_t *text;

	for (size_t i = 0; i < sizeof(*keys); i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	text = json_string(hex);
	explicit_bzero(hex, sizeof(hex));
	return text;
}

static json_t *give(struct supervisor *sv, bool survive)
{
	return json_pack("{s:i s:o s:o s:o s:s s:o s:o s:i s:I s:I s:I}", "version", STATE_VERSION, "listeners",
		give_listeners(&sv->listeners, survive), "children", give_children(sv, survive), "control",
		give_fd(sv->control, survive), "control_path", sv->control_path, "snapshot",
		give_fd(sv->snapshot, survive), "tickets", give_tickets(&sv->watch.tickets), "restarts",
		(int)sv->restarts, "started_at", (json_int_t)sv->started_at, "asker", (json_int_t)sv->asker.worker,
		"tag", (json_int_t)sv->asker.tag);
}

/* Returns only if it failed: -errno. */
static int execute(struct supervisor *sv)
{
	json_t *state = give(sv, true);
	char *text = json_dumps(state, JSON_COMPACT);
	int fd = memfd_from("torhaus-handover", span_of(text));
	char number[16];
	int r;

	json_decref(state);
	if (text)
		explicit_bzero(text, strlen(text));
	/* It was made by jansson. */
	free(text);
	if (fd < 0)
		return fd;
	give_fd(fd, true);
	snprintf(number, sizeof(number), "%d", fd);
	setenv(STATE_ENV, number, 1);
	log_event(LOG_LEVEL_INFO, "serve", "handing-over", "program=%s", log_value(span_of(sv->program)));
	execl(sv->program, sv->program, "--config", sv->config, "serve", (char *)NULL);
	r = -errno;
	unsetenv(STATE_ENV);
	close(fd);
	json_decref(give(sv, false));
	return r;
}

void handover_tried(struct supervisor *sv, bool fit, const char *how)
{
	if (sv->stopping)
		return;
	unfit(sv, fit ? strerror(-execute(sv)) : how);
}

/* ---- taking ---- */

static int take_fd(json_t *value)
{
	int fd = (int)json_integer_value(value);

	if (!json_is_integer(value) || fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return fd;
}

static int take_listener(struct supervisor *sv, json_t *value)
{
	struct listener *l = &sv->listeners.v[sv->listeners.n];
	const char *wanted, *actual, *kind;
	json_t *fds, *fd;
	size_t i;

	if (sv->listeners.n == LISTENERS_MAX ||
		json_unpack(value, "{s:s s:s s:s s:o}", "wanted", &wanted, "actual", &actual, "kind", &kind, "fds",
			&fds) < 0)
		return -EINVAL;
	*l = (struct listener){ 0 };
	if (listener_kind_parse(span_of(kind), &l->kind) < 0 || net_addr_parse(span_of(wanted), -1, &l->wanted) < 0 ||
		net_addr_parse(span_of(actual), -1, &l->actual) < 0)
		return -EINVAL;
	l->fds = mem_zalloc(json_array_size(fds) + 1, sizeof(int));
	json_array_foreach(fds, i, fd)
	{
		l->fds[l->n] = take_fd(fd);
		if (l->fds[l->n++] < 0)
			return -EBADF;
	}
	sv->listeners.n++;
	return 0;
}

static void take_child(struct supervisor *sv, json_t *value)
{
	struct child *c = child_find(sv, CHILD_NONE);
	int pid, ready, draining;
	json_t *channel;

	if (!c ||
		json_unpack(value, "{s:i s:o s:b s:b}", "pid", &pid, "channel", &channel, "ready", &ready, "draining",
			&draining) < 0)
		return;
	*c = (struct child){ .role = draining ? CHILD_DRAINING : CHILD_WORKER,
		.pid = pid,
		.channel = take_fd(channel),
		.ready = ready,
		.started_ms = clock_mono_ms(),
		.alive_ms = clock_mono_ms() };
	if (draining)
		c->kill_ms = clock_mono_ms() + DRAIN_MAX_S * 1000;
}

static void take_tickets(struct tls_ticket_keys *keys, const char *hex)
{
	uint8_t *p = (uint8_t *)keys;
	uint64_t byte;

	if (strlen(hex) != 2 * sizeof(*keys))
		return;
	for (size_t i = 0; i < sizeof(*keys); i++)
		if (span_to_hex_u64(span_make(hex + 2 * i, 2), &byte) == 0)
			p[i] = (uint8_t)byte;
}

static int take(struct supervisor *sv, json_t *state)
{
	json_t *listeners, *children, *control, *snapshot, *value;
	const char *path, *tickets;
	json_int_t started_at, asker, tag;
	int version, restarts, r = 0;
	size_t i;

	if (json_unpack(state, "{s:i s:o s:o s:o s:s s:o s:s s:i s:I s:I s:I}", "version", &version, "listeners",
		    &listeners, "children", &children, "control", &control, "control_path", &path, "snapshot",
		    &snapshot, "tickets", &tickets, "restarts", &restarts, "started_at", &started_at, "asker", &asker,
		    "tag", &tag) < 0 ||
		version != STATE_VERSION)
		return -EINVAL;
	json_array_foreach(listeners, i, value)
	{
		if (r == 0)
			r = take_listener(sv, value);
	}
	json_array_foreach(children, i, value)
	{
		take_child(sv, value);
	}
	sv->control = take_fd(control);
	sv->control_path = mem_text(path);
	sv->snapshot = take_fd(snapshot);
	take_tickets(&sv->watch.tickets, tickets);
	sv->restarts = (unsigned)restarts;
	sv->started_at = started_at;
	sv->asker = (struct asker){ (pid_t)asker, (uint32_t)tag };
	return r < 0 ? r : sv->control < 0 ? -EBADF : 1;
}

int handover_take(struct supervisor *sv)
{
	const char *number = getenv(STATE_ENV);
	struct buf text = BUF_INIT(STATE_MAX);
	json_t *state = NULL;
	uint64_t fd;
	int r;

	if (!number)
		return 0;
	r = span_to_u64(span_of(number), &fd);
	unsetenv(STATE_ENV);
	if (r == 0)
		r = memfd_read((int)fd, &text);
	if (r == 0) {
		state = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
		close((int)fd);
		r = take(sv, state);
	}
	json_decref(state);
	if (text.p)
		explicit_bzero(text.p, text.n);
	buf_done(&text);
	return r;
}
