/*
 * Tries by UDP.
 *
 * A try gets a connected socket of its own with a port of the kernel's choice, which is random, and
 * a random id. With PORTS_MAX sockets to an upstream open, tries share one of them, picked at
 * random; a socket that has carried PORT_USES_MAX gets no new ones, and one without tries is
 * closed. Only the upstream's own datagrams reach a connected socket, and an ICMP refusal comes as
 * an error of recv().
 *
 * Datagrams that fit no try (late, doubled, forged) are counted and dropped. A forger who guesses
 * wrong does not make us give up.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/rand.h"
#include "dns/resolver_priv.h"

#define READS_IN_A_ROW 128

struct port {
	struct list link; /* in lane->ports */
	struct loop_fd fd;
	struct lane *lane;
	struct list tries;
	unsigned uses;
	bool reading;
};

static void on_readable(void *arg, enum loop_idle_end why);

static void port_close(struct port *p)
{
	list_remove(&p->link);
	p->lane->ports_n--;
	loop_fd_remove(&p->fd);
	close(p->fd.fd);
	mem_free(p);
}

/* NULL with errno. */
static struct port *port_open(struct lane *lane)
{
	const struct net_addr *a = &lane->upstream->addr;
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct port *p;
	int error;

	if (fd < 0)
		return NULL;
	if (connect(fd, &a->sa, a->n) < 0) {
		error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	p = mem_new(struct port);
	if (loop_fd_add(&p->fd, fd) < 0) {
		error = errno;
		close(fd);
		mem_free(p);
		errno = error;
		return NULL;
	}
	p->lane = lane;
	list_init(&p->tries);
	list_push_back(&lane->ports, &p->link);
	lane->ports_n++;
	/* Nothing can have come yet. */
	p->fd.readable = false;
	loop_fd_park(&p->fd, DEADLINE_NEVER, on_readable, p);
	return p;
}

/* One of those that are open, at random; the next behind it that has not carried too much, if there
 * is one. */
static struct port *port_shared(struct lane *lane)
{
	struct port *first = NULL, *p;
	uint64_t skip = rand_below(lane->ports_n);

	list_each (it, &lane->ports) {
		p = container_of(it, struct port, link);
		if (skip > 0) {
			skip--;
			continue;
		}
		if (!first)
			first = p;
		if (p->uses < PORT_USES_MAX)
			return p;
	}
	return first;
}

static struct port *port_get(struct lane *lane)
{
	struct port *p = lane->ports_n < PORTS_MAX ? port_open(lane) : NULL;

	return p || lane->ports_n == 0 ? p : port_shared(lane);
}

static struct list *bucket_of(const struct port *p, uint16_t id)
{
	return &p->lane->client->tries[id % TRY_BUCKETS];
}

static struct dns_try *find(const struct port *p, uint16_t id)
{
	list_each (it, bucket_of(p, id)) {
		struct dns_try *t = container_of(it, struct dns_try, by_id);

		if (t->id == id && t->port == p)
			return t;
	}
	return NULL;
}

/* ---- the question on the wire ---- */

static bool is_upper(const struct dns_try *t, unsigned i)
{
	return t->case_bits >> (i % 64) & 1;
}

static uint8_t letter(const struct dns_try *t, unsigned i, uint8_t byte)
{
	return byte >= 'a' && byte <= 'z' && is_upper(t, i) ? (uint8_t)(byte & ~0x20) : byte;
}

static const struct dns_question *question_of(const struct dns_try *t, struct dns_question *room)
{
	if (t->question)
		return &t->question->q;
	probe_question(t, room);
	return room;
}

size_t try_write(const struct dns_try *t, uint8_t out[DNS_QUERY_MAX])
{
	unsigned bits = t->question ? t->question->bits : 0;
	struct dns_edns edns = { .udp_size = DNS_UDP_MAX, .dnssec_ok = bits & DNS_ASK_DO, .ede = DNS_EDE_NONE };
	struct dns_question room;
	const struct dns_question *q = question_of(t, &room);
	uint16_t flags = (uint16_t)(DNS_RD | (bits & DNS_ASK_CD ? DNS_CD : 0));
	size_t n = dns_query_write(q, t->id, flags, t->edns ? &edns : NULL, out);

	for (unsigned i = 0; i < q->name.n; i++)
		out[DNS_HEADER_SIZE + i] = letter(t, i, out[DNS_HEADER_SIZE + i]);
	return n;
}

enum try_match try_match(const struct dns_try *t, struct span message)
{
	struct dns_question room;
	const struct dns_question *q = question_of(t, &room);
	const uint8_t *name = (const uint8_t *)message.p + DNS_HEADER_SIZE;

	if (!dns_response_matches(message, t->id, q))
		return TRY_OTHER;
	/* Without a question (some failures) there is nothing to compare. */
	if (!t->strict || dns_get_u16((const uint8_t *)message.p + 4) == 0)
		return TRY_MATCHES;
	for (unsigned i = 0; i < q->name.n; i++)
		if (name[i] != letter(t, i, q->name.p[i]))
			return TRY_FOLDED;
	return TRY_MATCHES;
}

/* ---- sending and receiving ---- */

int port_send(struct dns_try *t)
{
	struct port *p = port_get(t->lane);
	uint8_t query[DNS_QUERY_MAX];
	ssize_t sent;
	size_t n;

	if (!p)
		return -errno;
	do
		rand_bytes(&t->id, sizeof(t->id));
	while (find(p, t->id));
	n = try_write(t, query);
	if (!t->question)
		probe_leaves(t, p->fd.fd);
	do
		sent = send(p->fd.fd, query, n, 0);
	while (sent < 0 && errno == EINTR);
	/* A full queue is as good as a lost packet: there will be another try. */
	if (sent < 0 && errno != EAGAIN) {
		int error = errno;

		if (list_empty(&p->tries) && !p->reading)
			port_close(p);
		return -error;
	}
	p->uses++;
	t->port = p;
	list_push_back(&p->tries, &t->in_port);
	list_push_front(bucket_of(p, t->id), &t->by_id);
	t->lane->open_n += t->question != NULL;
	atomic_fetch_add_explicit(&t->lane->upstream->asked, 1, memory_order_relaxed);
	return 0;
}

void try_drop(struct dns_try *t)
{
	struct port *p = t->port;

	if (t->stream)
		stream_leave(t->stream);
	t->lane->open_n -= p && t->question;
	list_remove(&t->in_port);
	list_remove(&t->by_id);
	list_remove(&t->in_question);
	mem_free(t);
	if (p && list_empty(&p->tries) && !p->reading)
		port_close(p);
}

/* An error of the socket is one of all its tries. */
static void fail_all(struct port *p, int error)
{
	struct list failed;

	list_take(&p->tries, &failed);
	while (!list_empty(&failed)) {
		struct dns_try *t = container_of(failed.next, struct dns_try, in_port);

		try_failed(t, error);
	}
}

static void on_datagram(struct port *p, struct span message)
{
	struct dns_try *t = message.n >= DNS_HEADER_SIZE ? find(p, dns_get_u16((const uint8_t *)message.p)) : NULL;

	switch (t ? try_match(t, message) : TRY_OTHER) {
	case TRY_MATCHES:
		try_answered(t, message);
		return;
	case TRY_FOLDED:
		try_folded(t);
		break;
	case TRY_OTHER:
		break;
	}
	stat_add(STAT_DNS_STRAY, 1);
}

/* One that is longer than our room for it is asked for by TCP, like any other that was cut. Its
 * length now. */
static size_t fit_datagram(uint8_t *bytes, size_t n)
{
	if (n <= ANSWER_UDP_MAX)
		return n;
	dns_put_u16(bytes + 2, dns_get_u16(bytes + 2) | DNS_TC);
	return ANSWER_UDP_MAX;
}

static void read_all(struct port *p)
{
	uint8_t bytes[ANSWER_UDP_MAX];

	for (unsigned i = 0; i < READS_IN_A_ROW && !list_empty(&p->tries); i++) {
		/* The length that it had, not the one that we took. */
		ssize_t n = recv(p->fd.fd, bytes, sizeof(bytes), MSG_TRUNC);

		if (n >= 0) {
			on_datagram(p, span_make(bytes, fit_datagram(bytes, (size_t)n)));
		} else if (errno == EAGAIN) {
			p->fd.readable = false;
			return;
		} else if (errno != EINTR) {
			fail_all(p, errno);
		}
	}
}

static void on_readable(void *arg, enum loop_idle_end why)
{
	struct port *p = arg;

	/* A drain (LOOP_IDLE_STOP) is no reason to stop listening: somebody waits for this. */
	(void)why;
	p->reading = true;
	read_all(p);
	p->reading = false;
	if (list_empty(&p->tries))
		port_close(p);
	else
		loop_fd_park(&p->fd, DEADLINE_NEVER, on_readable, p);
}
