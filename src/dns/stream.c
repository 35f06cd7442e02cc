/*
 * Tries by TCP (RFC 7766), for what did not fit into a datagram: one connection, one question. At
 * most STREAMS_MAX at a time have a task; the others wait for their turn as long as their question
 * lives.
 */
#include <errno.h>
#include <string.h>
#include "dns/resolver_priv.h"
#include "io/conn.h"

struct stream {
	struct dns_client *client;
	struct dns_try *try; /* NULL: nobody waits any more */
	struct task *task;
	struct net_addr addr;
	size_t n;
	uint8_t query[2 + DNS_QUERY_MAX];
};

static int read_exactly(struct conn *c, uint8_t *p, size_t n, uint64_t deadline)
{
	while (n > 0) {
		ssize_t r = conn_recv(c, p, n, deadline);

		if (r <= 0)
			return r < 0 ? (int)r : -ECONNRESET;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int converse(struct stream *s, uint8_t *answer, size_t *ret_n)
{
	uint64_t deadline = deadline_in(DNS_ANSWER_MS);
	uint8_t length[2];
	int r;
	struct conn *c = conn_connect(&s->addr, deadline, &r);

	if (!c)
		return r;
	r = conn_write(c, s->query, s->n, deadline);
	if (r == 0)
		r = read_exactly(c, length, sizeof(length), deadline);
	if (r == 0) {
		*ret_n = dns_get_u16(length);
		r = read_exactly(c, answer, *ret_n, deadline);
	}
	conn_close(c);
	return r;
}

static void start_next(struct dns_client *c);

static void run(void *arg)
{
	struct stream *s = arg;
	uint8_t *answer = mem_alloc(DNS_MESSAGE_MAX);
	size_t n = 0;
	int r = converse(s, answer, &n);
	struct dns_try *t = s->try;

	s->client->streams_n--;
	if (t) {
		t->stream = NULL;
		if (r == 0 && n >= DNS_HEADER_SIZE && try_match(t, span_make(answer, n)) != TRY_OTHER)
			try_answered(t, span_make(answer, n));
		else
			try_failed(t, r < 0 ? r : -EPROTO);
	}
	start_next(s->client);
	mem_free(answer);
	mem_free(s);
}

static void start(struct dns_try *t)
{
	struct dns_client *c = t->lane->client;
	struct stream *s = mem_new(struct stream);
	size_t n = try_write(t, s->query + 2);

	dns_put_u16(s->query, (uint16_t)n);
	s->client = c;
	s->n = 2 + n;
	s->addr = t->lane->upstream->addr;
	s->try = t;
	s->task = task_spawn("dns-tcp", run, s);
	if (!s->task) {
		/* The question has other tries, and an end. */
		mem_free(s);
		return;
	}
	t->stream = s;
	c->streams_n++;
}

static void start_next(struct dns_client *c)
{
	struct list *link = c->stopping ? NULL : list_pop(&c->streams_waiting);

	if (link)
		start(container_of(link, struct dns_try, in_port));
}

void stream_send(struct dns_try *t)
{
	struct dns_client *c = t->lane->client;

	if (c->streams_n < STREAMS_MAX)
		start(t);
	else
		list_push_back(&c->streams_waiting, &t->in_port);
}

void stream_leave(struct stream *s)
{
	s->try = NULL;
	task_cancel(s->task);
}
