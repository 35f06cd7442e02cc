/*
 * What findings are made of: the store, certificates, listeners, origins, the running server, one
 * function a thing.
 *
 * Nothing here changes anything, and one finding never hides another.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain.h"
#include "report/findings.h"
#include "settings/settings.h"
#include "store/store.h"
#include "tls/tls.h"

#define CONNECT_MS  3000
#define ORIGINS_MAX 2000 /* that one run tries */

static void on_fault(void *arg, const struct fault *fault)
{
	findings_add(arg, fault);
}

/* ---- store ---- */

struct snapshot *findings_read_store(struct findings *f, const char *url)
{
	struct snapshot *snapshot = NULL;
	struct store *store = NULL;
	struct fault fault;
	int r = store_open(url, false, &store, &fault);

	if (r == 0)
		r = snapshot_load(store, on_fault, f, &snapshot, &fault);
	if (r < 0)
		findings_add(f, &fault);
	store_close(store);
	return r < 0 ? NULL : snapshot;
}

/* Is encryption required for any recipient? */
static bool is_required(const struct domain *d)
{
	bool required = d->tls == DOMAIN_TLS_REQUIRE;

	for (unsigned i = 0; i < d->recipient_n; i++)
		required = required || d->recipient[i].tls == DOMAIN_TLS_REQUIRE;
	return required;
}

/* Names are not looked up here: one that means this machine should be called so. */
static bool is_this_machine(struct span host)
{
	static const char *const loopback[] = { "127.0.0.0/8", "::1" };
	struct net_prefix prefix;
	struct net_addr a;

	if (net_addr_parse_host(host, &a) < 0)
		return span_eq(host, SPAN("localhost"));
	for (size_t i = 0; i < array_len(loopback); i++)
		if (net_prefix_parse(span_of(loopback[i]), &prefix) == 0 && net_prefix_contains(&prefix, &a))
			return true;
	return false;
}

/* Domains whose mail nobody takes, for no address is listened on. */
static void check_mail_listeners(struct findings *f, const struct settings *s, const struct snapshot *snapshot)
{
	const struct domain *first = NULL;
	struct fault fault;
	unsigned n = 0;

	for (unsigned i = 0; s->mail.listen.n + s->mail.listen_tls.n == 0 && i < snapshot_count(snapshot); i++)
		if (snapshot_at(snapshot, i)->mail.host.n > 0 && n++ == 0)
			first = snapshot_at(snapshot, i);
	if (n == 0)
		return;
	fault_set(&fault, FAULT_MAIL_NOT_LISTENING);
	fault_fact(&fault, "count", "%u", n);
	fault_fact(&fault, "domain", "%.*s", SPAN_ARG(first->name));
	findings_add(f, &fault);
}

/* What is required of the sender, torhaus must be able to keep. */
void findings_domains(struct findings *f, const struct settings *s, const struct snapshot *snapshot)
{
	struct fault fault;

	check_mail_listeners(f, s, snapshot);
	for (unsigned i = 0; i < snapshot_count(snapshot); i++) {
		const struct domain *d = snapshot_at(snapshot, i);

		if (d->mail.host.n == 0 || d->mail_tls != DOMAIN_MAIL_TLS_OFF || !is_required(d) ||
			is_this_machine(d->mail.host))
			continue;
		fault_set(&fault, FAULT_MAIL_HOP_IN_CLEAR);
		fault_fact(&fault, "domain", "%.*s", SPAN_ARG(d->name));
		fault_fact(&fault, "backend", "%.*s", SPAN_ARG(d->mail.text));
		findings_add(f, &fault);
	}
}

/* ---- certificates ---- */

/* The certificates whose names are looked at: those of a set, or those of a running server. */
struct certs_seen {
	const struct tls_set *set;
	struct map names; /* if there is no set */
	unsigned pairs, self_signed;
	struct span first; /* the name that strangers see; .n == 0: none */
};

static bool has_name(const struct certs_seen *c, struct span name)
{
	ptrdiff_t dot = span_index(name, '.');
	char wildcard[300];

	if (c->set)
		return tls_set_has_name(c->set, name);
	if (map_find(&c->names, name))
		return true;
	if (dot <= 0 || name.n - (size_t)dot > 256)
		return false;
	snprintf(wildcard, sizeof(wildcard), "*%.*s", SPAN_ARG(span_from(name, (size_t)dot)));
	return map_find(&c->names, span_of(wildcard)) != NULL;
}

#define NAMES_SHOWN 20

/* A list of names under way, of which the first NAMES_SHOWN are named. */
struct names_missing {
	struct buf text;
	unsigned n;
};

static void look_for(struct names_missing *m, const struct certs_seen *c, struct span name)
{
	if (name.n == 0 || has_name(c, name))
		return;
	if (m->n++ < NAMES_SHOWN)
		buf_addf(&m->text, "%s%.*s", m->text.n ? ", " : "", SPAN_ARG(name));
}

static void tell_missing(struct findings *f, struct names_missing *m, const struct certs_seen *c, enum fault_code code)
{
	struct fault fault;

	if (m->n > NAMES_SHOWN)
		buf_addf(&m->text, " (+%u)", m->n - NAMES_SHOWN);
	if (m->n > 0) {
		fault_set(&fault, code);
		fault_fact(&fault, "names", "%s", buf_text(&m->text));
		fault_fact(&fault, "count", "%u", m->n);
		fault_fact(&fault, "other", "%.*s", SPAN_ARG(c->first));
		findings_add(f, &fault);
	}
	buf_done(&m->text);
}

/* Which names visitors and mail servers ask for, and no certificate has. Where there is none at
 * all, that is told already. */
static void check_names(struct findings *f, const struct settings *s, const struct snapshot *domains,
	const struct certs_seen *c)
{
	struct names_missing web = { .text = BUF_INIT(8192) }, mail = { .text = BUF_INIT(8192) };
	struct fault fault;

	if (c->pairs == 0)
		return;
	for (unsigned i = 0; domains && s->web.listen_tls.n > 0 && i < snapshot_count(domains); i++) {
		const struct domain *d = snapshot_at(domains, i);

		for (unsigned k = 0; k < d->web_n; k++)
			look_for(&web, c, d->web[k]);
	}
	if (s->mail.listen.n + s->mail.listen_tls.n > 0)
		look_for(&mail, c, s->mail.hostname);
	tell_missing(f, &web, c, FAULT_CERT_NAME_MISSING);
	tell_missing(f, &mail, c, FAULT_CERT_MAIL_NAME_MISSING);
	if (c->self_signed < c->pairs)
		return;
	fault_set(&fault, FAULT_CERT_ALL_SELF_SIGNED);
	fault_fact(&fault, "count", "%u", c->pairs);
	findings_add(f, &fault);
}

static void check_set(struct findings *f, const struct settings *s, const struct snapshot *domains,
	const struct tls_set *set)
{
	struct certs_seen c = { .set = set, .pairs = tls_set_count(set) };

	for (unsigned i = 0; i < c.pairs; i++)
		c.self_signed += tls_set_pair(set, i)->self_signed;
	if (c.pairs > 0)
		c.first = tls_set_pair(set, 0)->names[0];
	check_names(f, s, domains, &c);
}

void findings_served_names(struct findings *f, const struct settings *s, const struct snapshot *domains, json_t *pairs)
{
	struct certs_seen c = { .pairs = (unsigned)json_array_size(pairs) };
	json_t *pair, *name;
	size_t i, k;

	map_init(&c.names);
	json_array_foreach(pairs, i, pair)
	{
		c.self_signed += json_is_true(json_object_get(pair, "self_signed"));
		json_array_foreach(json_object_get(pair, "names"), k, name)
		{
			struct span text = span_of(json_string_value(name));

			map_put(&c.names, text, pair);
			c.first = c.first.n ? c.first : text;
		}
	}
	check_names(f, s, domains, &c);
	map_done(&c.names);
}

void findings_certificates(struct findings *f, const struct settings *s, const struct snapshot *domains)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 3600, .judge_reach = true };
	struct tls_files *files;
	struct tls_set *set;

	if (s->web.listen_tls.n + s->mail.listen.n + s->mail.listen_tls.n == 0)
		return;
	files = tls_files_read(s->certificates.v, s->certificates.n);
	set = tls_set_build(files, &settings, NULL, on_fault, f);
	tls_set_dates(set, on_fault, f);
	check_set(f, s, domains, set);
	tls_set_unref(set);
	tls_files_free(files);
}

/* ---- listeners ---- */

/* Those that a running server listens on are ours. */
static bool is_ours(json_t *status, const char *address, const char *kind)
{
	json_t *l;
	size_t i;

	json_array_foreach(json_object_get(status, "listeners"), i, l)
	{
		const char *text = json_string_value(json_object_get(l, "address"));
		const char *word = json_string_value(json_object_get(l, "kind"));

		if (text && word && strcmp(text, address) == 0 && strcmp(word, kind) == 0)
			return true;
	}
	return false;
}

/* kind: the word that the status document has for it. */
static void check_listeners(struct findings *f, json_t *status, const struct net_addr *all, unsigned n,
	const char *kind, int socket_type)
{
	char text[NET_ADDR_SIZE];
	struct fault fault;

	for (unsigned i = 0; i < n; i++) {
		int r;

		net_addr_text(&all[i], text);
		if (is_ours(status, text, kind))
			continue;
		r = net_probe(&all[i], socket_type);
		if (r == 0)
			continue;
		fault_set(&fault, FAULT_LISTEN_FAILED);
		fault_fact(&fault, "address", "%s", text);
		fault_fact(&fault, "error", "%s", strerror(-r));
		findings_add(f, &fault);
	}
}

void findings_listeners(struct findings *f, const struct settings *s, json_t *status)
{
	check_listeners(f, status, s->web.plain, s->web.listen.n, "web", SOCK_STREAM);
	check_listeners(f, status, s->web.tls, s->web.listen_tls.n, "web-tls", SOCK_STREAM);
	check_listeners(f, status, s->mail.plain, s->mail.listen.n, "mail", SOCK_STREAM);
	check_listeners(f, status, s->mail.tls, s->mail.listen_tls.n, "mail-tls", SOCK_STREAM);
	check_listeners(f, status, s->names.addrs, s->names.listen.n, "names-udp", SOCK_DGRAM);
	check_listeners(f, status, s->names.addrs, s->names.listen.n, "names-tcp", SOCK_STREAM);
}

/* ---- origins and mail servers ---- */

static int wait_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0, r = poll(&p, 1, CONNECT_MS);
	socklen_t n = sizeof(error);

	if (r == 0)
		return -ETIMEDOUT;
	if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -errno;
	return -error;
}

static int try_connect(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_connected(fd) : -errno;
	close(fd);
	return r;
}

/* What is reached: the codes say which kind, the fact how it is called there. */
static const struct place_kind {
	const char *fact;
	enum fault_code unknown, refused, timeout, unreachable;
} place_origin = { "origin", FAULT_ORIGIN_NAME_UNKNOWN, FAULT_ORIGIN_REFUSED, FAULT_ORIGIN_CONNECT_TIMEOUT,
	FAULT_ORIGIN_UNREACHABLE },
  place_backend = { "backend", FAULT_MAIL_BACKEND_NAME_UNKNOWN, FAULT_MAIL_BACKEND_REFUSED, FAULT_MAIL_BACKEND_SILENT,
	  FAULT_MAIL_BACKEND_UNREACHABLE };

static void place_fault(struct findings *f, const struct place_kind *kind, struct span text, const char *host, int r)
{
	struct fault fault;

	fault_set(&fault,
		r == -ENOENT                 ? kind->unknown
			: r == -ECONNREFUSED ? kind->refused
			: r == -ETIMEDOUT    ? kind->timeout
					     : kind->unreachable);
	fault_fact(&fault, kind->fact, "%.*s", SPAN_ARG(text));
	fault_fact(&fault, "name", "%s", host);
	fault_fact(&fault, "error", "%s", strerror(-r));
	findings_add(f, &fault);
}

/* One of the places that the domains name. */
struct places {
	struct findings *f;
	struct arena arena;
	struct map seen;
};

/* Each once, however many domains have it. */
static void check_place(struct places *p, const struct place_kind *kind, struct span name, uint16_t port_n,
	struct span text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char host[256], port[8];
	int r = -ENOENT;

	if (name.n >= sizeof(host) || p->seen.count >= ORIGINS_MAX || map_find(&p->seen, text))
		return;
	map_put(&p->seen, arena_span(&p->arena, text), p);
	snprintf(host, sizeof(host), "%.*s", SPAN_ARG(name));
	snprintf(port, sizeof(port), "%u", port_n);
	if (getaddrinfo(host, port, &hints, &found) == 0)
		for (struct addrinfo *a = found; a && r != 0; a = a->ai_next)
			r = try_connect(a);
	if (found)
		freeaddrinfo(found);
	if (r < 0)
		place_fault(p->f, kind, text, host, r);
}

void findings_origins(struct findings *f, const struct snapshot *snapshot)
{
	struct places p = { .f = f };
	struct buf text = BUF_INIT(1024);

	arena_init(&p.arena, 1 << 16);
	map_init(&p.seen);
	for (unsigned i = 0; i < snapshot_count(snapshot); i++) {
		const struct domain *d = snapshot_at(snapshot, i);

		for (unsigned k = 0; k < d->origin_n; k++) {
			buf_reset(&text);
			origin_spec_print(&d->origin[k], &text);
			check_place(&p, &place_origin, d->origin[k].host, d->origin[k].port, buf_span(&text));
		}
		if (d->mail.host.n > 0)
			check_place(&p, &place_backend, d->mail.host, d->mail.port, d->mail.text);
	}
	map_done(&p.seen);
	arena_done(&p.arena);
	buf_done(&text);
}

/* ---- a running server ---- */

static void add_all(struct findings *f, json_t *faults)
{
	json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		findings_add_json(f, fault);
	}
}

/* The names that the server gives with an origin: "a.example, b.example and 7 more". */
static void name_domains(json_t *origin, struct buf *en, struct buf *de)
{
	json_t *names = json_object_get(origin, "domains"), *name;
	json_int_t all = json_integer_value(json_object_get(origin, "domains_count"));
	size_t i;

	json_array_foreach(names, i, name)
	{
		buf_addf(en, "%s%s", i > 0 ? ", " : "", json_string_value(name));
	}
	buf_add_span(de, buf_span(en));
	if (all > (json_int_t)json_array_size(names)) {
		buf_addf(en, " and %lld more", (long long)(all - (json_int_t)json_array_size(names)));
		buf_addf(de, " und %lld weiteren", (long long)(all - (json_int_t)json_array_size(names)));
	}
}

/* A failing origin: what happened, with its whole evidence, and whom it concerns. */
static void add_origin(struct findings *f, json_t *origin)
{
	json_t *why = json_object_get(origin, "fault"), *value;
	const char *code = json_string_value(json_object_get(why, "code")), *name;
	_cleanup_(buf_done) struct buf en = BUF_INIT(4096), de = BUF_INIT(4096);
	struct fault fault;
	struct arena a;

	if (!code || fault_code_find(span_of(code)) == FAULT_NONE)
		return;
	arena_init(&a, 1024);
	fault_set(&fault, fault_code_find(span_of(code)));
	json_object_foreach(json_object_get(why, "facts"), name, value) if (json_is_string(value))
		fault_fact(&fault, arena_text(&a, span_of(name)), "%s", json_string_value(value));
	name_domains(origin, &en, &de);
	fault_fact(&fault, "domains", "%s", buf_text(&en));
	fault_fact(&fault, "domains_de", "%s", buf_text(&de));
	findings_add(f, &fault);
	arena_done(&a);
}

/* The settings are read by whoever asks; what the server found in them may be mended by now. */
static bool is_of_settings(json_t *fault)
{
	const char *code = json_string_value(json_object_get(fault, "code"));

	return code && strncmp(code, "SETTINGS-", strlen("SETTINGS-")) == 0;
}

void findings_server(struct findings *f, json_t *status)
{
	json_t *supervisor = json_object_get(status, "supervisor"), *origin, *fault;
	size_t i;

	add_all(f, json_object_get(status, "faults"));
	json_array_foreach(json_object_get(supervisor, "faults"), i, fault)
	{
		if (!is_of_settings(fault))
			findings_add_json(f, fault);
	}
	if (json_is_true(json_object_get(supervisor, "crash_loop")) && json_object_get(supervisor, "last_end"))
		findings_add_json(f, json_object_get(supervisor, "last_end"));
	json_array_foreach(json_object_get(status, "origins"), i, origin)
	{
		add_origin(f, origin);
	}
}
