/* Listening sockets. See serve/listeners.h. */
#include "serve/listeners.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

#define UDP_QUEUE_BYTES (8 << 20) /* what comes while a worker is replaced waits here */
#define PAIR_TRIES      8

static const struct {
	const char *text;
	enum edge_id edge;
	enum edge_way way;
} kinds[] = {
	[LISTENER_WEB] = { "web", EDGE_WEB, EDGE_PLAIN },
	[LISTENER_WEB_TLS] = { "web-tls", EDGE_WEB, EDGE_TLS },
	[LISTENER_NAMES_UDP] = { "names-udp", EDGE_NAMES, EDGE_DATAGRAMS },
	[LISTENER_NAMES_TCP] = { "names-tcp", EDGE_NAMES, EDGE_PLAIN },
	[LISTENER_MAIL] = { "mail", EDGE_MAIL, EDGE_PLAIN },
	[LISTENER_MAIL_TLS] = { "mail-tls", EDGE_MAIL, EDGE_TLS },
};

const char *listener_kind_text(enum listener_kind kind)
{
	return kinds[kind].text;
}

bool listener_kind_is_tls(enum listener_kind kind)
{
	return kinds[kind].way == EDGE_TLS;
}

enum edge_id listener_kind_edge(enum listener_kind kind)
{
	return kinds[kind].edge;
}

enum edge_way listener_kind_way(enum listener_kind kind)
{
	return kinds[kind].way;
}

int listener_kind_parse(struct span text, enum listener_kind *ret)
{
	for (unsigned i = 0; i < array_len(kinds); i++)
		if (span_eq(text, span_of(kinds[i].text))) {
			*ret = (enum listener_kind)i;
			return 0;
		}
	return -EINVAL;
}

void listener_text(const struct listener *l, char ret[LISTENER_TEXT_SIZE])
{
	char addr[NET_ADDR_SIZE];

	net_addr_text(&l->actual, addr);
	snprintf(ret, LISTENER_TEXT_SIZE, "%s %s", listener_kind_text(l->kind), addr);
}

int listener_parse(struct span text, struct listener *ret)
{
	struct span rest = text, kind;

	*ret = (struct listener){ 0 };
	if (!span_cut(&rest, ' ', &kind) || listener_kind_parse(kind, &ret->kind) < 0 ||
		net_addr_parse(rest, -1, &ret->actual) < 0)
		return -EINVAL;
	ret->wanted = ret->actual;
	return 0;
}

struct listener *listeners_find(struct listeners *all, struct span text)
{
	char one[LISTENER_TEXT_SIZE];

	for (unsigned i = 0; i < all->n; i++) {
		listener_text(&all->v[i], one);
		if (span_eq(span_of(one), text))
			return &all->v[i];
	}
	return NULL;
}

int listener_grow(struct listener *l, unsigned threads, struct fault *fault)
{
	while (l->n < threads) {
		int fd = listener_kind_way(l->kind) == EDGE_DATAGRAMS
			? net_listen_udp(&l->actual, true, UDP_QUEUE_BYTES, fault)
			: net_listen(&l->actual, true, BACKLOG, fault);

		if (fd < 0)
			return fd;
		l->fds = mem_resize(l->fds, l->n + 1, sizeof(*l->fds));
		l->fds[l->n++] = fd;
		/* Port 0 has become a port: further sockets take the same. */
		l->actual.n = sizeof(l->actual.un);
		must(getsockname(fd, &l->actual.sa, &l->actual.n) == 0);
	}
	return 0;
}

int listener_open(struct listener *ret, const struct net_addr *wanted, enum listener_kind kind, unsigned threads,
	struct fault *fault)
{
	int type = listener_kind_way(kind) == EDGE_DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM;
	int r = net_addr_port(wanted) ? net_probe(wanted, type) : 0;
	char text[NET_ADDR_SIZE];

	*ret = (struct listener){ .wanted = *wanted, .actual = *wanted, .kind = kind };
	if (r < 0) {
		net_addr_text(wanted, text);
		fault_set(fault, FAULT_LISTEN_FAILED);
		fault_fact(fault, "address", "%s", text);
		fault_fact(fault, "error", "%s", strerror(-r));
		return r;
	}
	r = listener_grow(ret, threads, fault);
	if (r < 0)
		listener_close(ret);
	return r;
}

void listener_close(struct listener *l)
{
	for (unsigned i = 0; i < l->n; i++)
		close(l->fds[i]);
	l->fds = mem_free(l->fds);
	l->n = 0;
}

void listeners_close(struct listeners *all)
{
	for (unsigned i = 0; i < all->n; i++)
		listener_close(&all->v[i]);
	all->n = 0;
}

/* ---- a change of settings ---- */

struct change {
	struct listeners *old, *now;
	bool taken[LISTENERS_MAX];  /* of old */
	bool opened[LISTENERS_MAX]; /* of now */
	unsigned threads;
};

/* Which of the old is for wanted and not taken; -1: none. */
static int find_wanted(const struct change *c, const struct net_addr *wanted, enum listener_kind kind)
{
	for (unsigned i = 0; i < c->old->n; i++)
		if (!c->taken[i] && c->old->v[i].kind == kind && net_addr_eq(&c->old->v[i].wanted, wanted))
			return (int)i;
	return -1;
}

static int keep_old(struct change *c, unsigned i, struct fault *fault)
{
	int r = listener_grow(&c->old->v[i], c->threads, fault);

	if (r < 0)
		return r;
	c->now->v[c->now->n++] = c->old->v[i];
	c->taken[i] = true;
	return 0;
}

/* at: where it is to be opened; wanted with a port, if another listener has found that. */
static int open_new(struct change *c, const struct net_addr *wanted, const struct net_addr *at, enum listener_kind kind,
	struct fault *fault)
{
	struct listener *l = &c->now->v[c->now->n];
	int r = listener_open(l, at, kind, c->threads, fault);

	if (r < 0)
		return r;
	l->wanted = *wanted;
	c->opened[c->now->n++] = true;
	return 0;
}

static int add_wanted(struct change *c, const struct net_addr *wanted, enum listener_kind kind, struct fault *fault)
{
	int i = find_wanted(c, wanted, kind);

	must(c->now->n < LISTENERS_MAX);
	return i >= 0 ? keep_old(c, (unsigned)i, fault) : open_new(c, wanted, wanted, kind, fault);
}

static void close_newest(struct change *c)
{
	listener_close(&c->now->v[--c->now->n]);
	c->opened[c->now->n] = false;
}

/* UDP and TCP on one port. A free port of UDP's may be taken in TCP: then another is tried. */
static int open_pair(struct change *c, const struct net_addr *wanted, struct fault *fault)
{
	int r = -EADDRINUSE;

	must(c->now->n + 2 <= LISTENERS_MAX);
	for (unsigned i = 0; r == -EADDRINUSE && i < PAIR_TRIES; i++) {
		r = open_new(c, wanted, wanted, LISTENER_NAMES_UDP, fault);
		if (r < 0)
			return r;
		r = open_new(c, wanted, &c->now->v[c->now->n - 1].actual, LISTENER_NAMES_TCP, fault);
		if (r < 0)
			close_newest(c);
		if (net_addr_port(wanted) != 0)
			break;
	}
	return r;
}

static int add_pair(struct change *c, const struct net_addr *wanted, struct fault *fault)
{
	int udp = find_wanted(c, wanted, LISTENER_NAMES_UDP), tcp = find_wanted(c, wanted, LISTENER_NAMES_TCP);
	int r;

	if (udp < 0 || tcp < 0)
		return open_pair(c, wanted, fault);
	r = keep_old(c, (unsigned)udp, fault);
	return r < 0 ? r : keep_old(c, (unsigned)tcp, fault);
}

static int add_all(struct change *c, const struct settings *s, struct fault *fault)
{
	const struct {
		enum listener_kind kind;
		const struct net_addr *v;
		unsigned n;
	} wanted[] = {
		{ LISTENER_WEB, s->web.plain, s->web.listen.n },
		{ LISTENER_WEB_TLS, s->web.tls, s->web.listen_tls.n },
		{ LISTENER_MAIL, s->mail.plain, s->mail.listen.n },
		{ LISTENER_MAIL_TLS, s->mail.tls, s->mail.listen_tls.n },
		{ LISTENER_NAMES_UDP, s->names.addrs, s->names.listen.n },
	};
	int r = 0;

	for (unsigned k = 0; k < array_len(wanted); k++)
		for (unsigned i = 0; r == 0 && i < wanted[k].n; i++)
			r = wanted[k].kind == LISTENER_NAMES_UDP
				? add_pair(c, &wanted[k].v[i], fault)
				: add_wanted(c, &wanted[k].v[i], wanted[k].kind, fault);
	return r;
}

static void keep_untaken(struct change *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->old->n; i++)
		if (!c->taken[i])
			c->old->v[n++] = c->old->v[i];
	c->old->n = n;
}

int listeners_change(struct listeners *old, const struct settings *s, unsigned threads, struct listeners *ret,
	struct fault *fault)
{
	struct change c = { .old = old, .now = ret, .threads = threads };
	int r;

	ret->n = 0;
	r = add_all(&c, s, fault);
	if (r == 0) {
		keep_untaken(&c);
		return 0;
	}
	for (unsigned i = 0; i < ret->n; i++)
		if (c.opened[i])
			listener_close(&ret->v[i]);
	ret->n = 0;
	return r;
}
