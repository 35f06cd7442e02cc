/* Listening sockets. See serve/listeners.h. */
#include "serve/listeners.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

void listener_text(const struct listener *l, char ret[LISTENER_TEXT_SIZE])
{
	char addr[NET_ADDR_SIZE];

	net_addr_text(&l->actual, addr);
	snprintf(ret, LISTENER_TEXT_SIZE, "%s %s", l->tls ? "tls" : "plain", addr);
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

/* Binds without SO_REUSEPORT, which fails if anybody listens there. */
static int probe(const struct net_addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, r = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a->sa, a->n) < 0)
		r = -errno;
	close(fd);
	return r;
}

int listener_grow(struct listener *l, unsigned threads, struct fault *fault)
{
	while (l->n < threads) {
		int fd = net_listen(&l->actual, true, BACKLOG, fault);

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

int listener_open(struct listener *ret, const struct net_addr *wanted, bool tls, unsigned threads, struct fault *fault)
{
	int r = net_addr_port(wanted) ? probe(wanted) : 0;
	char text[NET_ADDR_SIZE];

	*ret = (struct listener){ .wanted = *wanted, .actual = *wanted, .tls = tls };
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

/* Which of all is for wanted and not in taken; -1: none. */
static int find_wanted(const struct listeners *all, uint64_t taken, const struct net_addr *wanted, bool tls)
{
	for (unsigned i = 0; i < all->n; i++)
		if (!(taken >> i & 1) && all->v[i].tls == tls && net_addr_eq(&all->v[i].wanted, wanted))
			return (int)i;
	return -1;
}

struct change {
	struct listeners *old, *now;
	uint64_t taken;  /* of old */
	uint64_t opened; /* of now */
	unsigned threads;
};

static int add_wanted(struct change *c, const struct net_addr *wanted, bool tls, struct fault *fault)
{
	int i = find_wanted(c->old, c->taken, wanted, tls);
	struct listener *l = &c->now->v[c->now->n];
	int r = 0;

	must(c->now->n < LISTENERS_MAX);
	if (i >= 0) {
		r = listener_grow(&c->old->v[i], c->threads, fault);
		*l = c->old->v[i];
		c->taken |= 1ull << i;
	} else {
		r = listener_open(l, wanted, tls, c->threads, fault);
		c->opened |= 1ull << c->now->n;
	}
	if (r == 0)
		c->now->n++;
	return r;
}

static void keep_untaken(struct change *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->old->n; i++)
		if (!(c->taken >> i & 1))
			c->old->v[n++] = c->old->v[i];
	c->old->n = n;
}

int listeners_change(struct listeners *old, const struct settings *s, unsigned threads, struct listeners *ret,
	struct fault *fault)
{
	struct change c = { .old = old, .now = ret, .threads = threads };
	int r = 0;

	ret->n = 0;
	for (unsigned i = 0; r == 0 && i < s->web.listen.n; i++)
		r = add_wanted(&c, &s->web.plain[i], false, fault);
	for (unsigned i = 0; r == 0 && i < s->web.listen_tls.n; i++)
		r = add_wanted(&c, &s->web.tls[i], true, fault);
	if (r == 0) {
		keep_untaken(&c);
		return 0;
	}
	for (unsigned i = 0; i < ret->n; i++)
		if (c.opened >> i & 1)
			listener_close(&ret->v[i]);
	ret->n = 0;
	return r;
}
