/* The state of a hand-over as a text. See serve/handover_state.h. */
#include "serve/handover_state.h"
#include <errno.h>
#include <jansson.h>
#include "base/jsonw.h"
#include "base/mem.h"

/* ---- to text ---- */

static void listener_json(const struct listener *l, struct jsonw *j)
{
	char wanted[NET_ADDR_SIZE], actual[NET_ADDR_SIZE];

	net_addr_text(&l->wanted, wanted);
	net_addr_text(&l->actual, actual);
	jsonw_object(j, NULL);
	jsonw_text(j, "kind", listener_kind_text(l->kind));
	jsonw_text(j, "wanted", wanted);
	jsonw_text(j, "actual", actual);
	jsonw_array(j, "fds");
	for (unsigned i = 0; i < l->n; i++)
		jsonw_int(j, NULL, l->fds[i]);
	jsonw_end(j);
	jsonw_end(j);
}

static void child_json(const struct handover_child *c, struct jsonw *j)
{
	jsonw_object(j, NULL);
	jsonw_int(j, "pid", c->pid);
	jsonw_int(j, "channel", c->channel);
	jsonw_bool(j, "ready", c->ready);
	jsonw_bool(j, "draining", c->draining);
	jsonw_end(j);
}

static void tickets_json(const struct tls_ticket_keys *keys, struct jsonw *j)
{
	struct buf hex = BUF_INIT(2 * sizeof(*keys));

	buf_add_hex(&hex, keys, sizeof(*keys));
	jsonw_span(j, "tickets", buf_span(&hex));
	explicit_bzero(hex.p, hex.n);
	buf_done(&hex);
}

void handover_encode(const struct handover *h, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j, NULL);
	jsonw_int(&j, "version", HANDOVER_VERSION);
	jsonw_text(&j, "settings", h->settings);
	jsonw_array(&j, "listeners");
	for (unsigned i = 0; i < h->listeners.n; i++)
		listener_json(&h->listeners.v[i], &j);
	jsonw_end(&j);
	jsonw_int(&j, "control", h->control);
	jsonw_text(&j, "control_path", h->control_path);
	jsonw_int(&j, "snapshot", h->snapshot);
	jsonw_int(&j, "names", h->names);
	jsonw_int(&j, "served", h->served);
	jsonw_array(&j, "children");
	for (unsigned i = 0; i < h->children_n; i++)
		child_json(&h->children[i], &j);
	jsonw_end(&j);
	tickets_json(&h->tickets, &j);
	jsonw_uint(&j, "restarts", h->restarts);
	jsonw_int(&j, "started_at", h->started_at);
	jsonw_int(&j, "asker", h->asker);
	jsonw_uint(&j, "tag", h->tag);
	jsonw_end(&j);
}

/* ---- from text ---- */

static int decode_listener(json_t *value, struct listener *ret)
{
	const char *wanted, *actual, *kind;
	json_t *fds, *fd;
	size_t i;

	if (json_unpack(value, "{s:s s:s s:s s:o}", "wanted", &wanted, "actual", &actual, "kind", &kind, "fds", &fds) <
			0 ||
		listener_kind_parse(span_of(kind), &ret->kind) < 0 ||
		net_addr_parse(span_of(wanted), -1, &ret->wanted) < 0 ||
		net_addr_parse(span_of(actual), -1, &ret->actual) < 0)
		return -EINVAL;
	ret->fds = mem_zalloc(json_array_size(fds) + 1, sizeof(int));
	json_array_foreach(fds, i, fd)
	{
		if (!json_is_integer(fd) || json_integer_value(fd) < 0)
			return -EINVAL;
		ret->fds[ret->n++] = (int)json_integer_value(fd);
	}
	return 0;
}

static int decode_listeners(json_t *list, struct listeners *ret)
{
	json_t *value;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > LISTENERS_MAX)
		return -EINVAL;
	json_array_foreach(list, i, value)
	{
		if (decode_listener(value, &ret->v[ret->n++]) < 0)
			return -EINVAL;
	}
	return 0;
}

static int decode_children(json_t *list, struct handover *ret)
{
	json_t *value;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > HANDOVER_CHILDREN_MAX)
		return -EINVAL;
	json_array_foreach(list, i, value)
	{
		struct handover_child *c = &ret->children[ret->children_n++];
		int pid, ready, draining;

		if (json_unpack(value, "{s:i s:i s:b s:b}", "pid", &pid, "channel", &c->channel, "ready", &ready,
			    "draining", &draining) < 0 ||
			pid <= 0)
			return -EINVAL;
		c->pid = pid;
		c->ready = ready;
		c->draining = draining;
	}
	return 0;
}

static int decode(json_t *state, struct handover *ret)
{
	json_t *listeners, *children;
	const char *settings, *path, *tickets;
	json_int_t started_at, asker, tag, restarts;
	int version;

	if (json_unpack(state, "{s:i}", "version", &version) < 0 || version != HANDOVER_VERSION)
		return -EINVAL;
	ret->names = ret->served = -1;
	if (json_unpack(state, "{s:s s:o s:i s:s s:i s?i s?i s:o s:s s:I s:I s:I s:I}", "settings", &settings,
		    "listeners", &listeners, "control", &ret->control, "control_path", &path, "snapshot",
		    &ret->snapshot, "names", &ret->names, "served", &ret->served, "children", &children, "tickets",
		    &tickets, "restarts", &restarts, "started_at", &started_at, "asker", &asker, "tag", &tag) < 0 ||
		ret->control < 0 || span_from_hex(span_of(tickets), &ret->tickets, sizeof(ret->tickets)) < 0)
		return -EINVAL;
	ret->settings = mem_text(settings);
	ret->control_path = mem_text(path);
	ret->restarts = (unsigned)restarts;
	ret->started_at = started_at;
	ret->asker = (pid_t)asker;
	ret->tag = (uint32_t)tag;
	return decode_listeners(listeners, &ret->listeners) < 0 ? -EINVAL : decode_children(children, ret);
}

int handover_decode(struct span text, struct handover *ret)
{
	json_t *state = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
	int r;

	memset(ret, 0, sizeof(*ret));
	r = decode(state, ret);
	json_decref(state);
	return r;
}

void handover_done(struct handover *h)
{
	h->settings = mem_free(h->settings);
	h->control_path = mem_free(h->control_path);
	for (unsigned i = 0; i < h->listeners.n; i++)
		h->listeners.v[i].fds = mem_free(h->listeners.v[i].fds);
	h->listeners.n = 0;
	explicit_bzero(&h->tickets, sizeof(h->tickets));
}

int handover_each_fd(const struct handover *h, int (*fn)(int fd))
{
	int r = fn(h->control);

	if (r >= 0 && h->snapshot >= 0)
		r = fn(h->snapshot);
	if (r >= 0 && h->names >= 0)
		r = fn(h->names);
	if (r >= 0 && h->served >= 0)
		r = fn(h->served);
	for (unsigned i = 0; i < h->children_n; i++)
		if (r >= 0 && h->children[i].channel >= 0)
			r = fn(h->children[i].channel);
	for (unsigned i = 0; i < h->listeners.n; i++)
		for (unsigned k = 0; r >= 0 && k < h->listeners.v[i].n; k++)
			r = fn(h->listeners.v[i].fds[k]);
	return r < 0 ? r : 0;
}
