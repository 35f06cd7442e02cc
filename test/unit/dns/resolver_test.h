/*
 * What the tests of the resolver share: upstreams that do as they are told, on the loop of the
 * test, so that nothing is left to chance but the clock.
 */
#pragma once
#include <sys/socket.h>
#include <unistd.h>
#include "dns/resolver.h"
#include "dns_test.h"
#include "io/helper.h"
#include "io/loop.h"
#include "io/net.h"

enum script {
	PLAIN,  /* 192.0.2.1 for every A, NODATA otherwise */
	SILENT, /* a black hole */
	SERVFAIL,
	REFUSED,
	WRONG_ID,
	WRONG_QUESTION,
	OTHERS, /* records of another name only */
	GARBAGE,
	TRUNCATED, /* by UDP; by TCP plain */
	SLOW,      /* after 600 ms */
	VERY_SLOW, /* after 2.5 s */
	BUSY,      /* one after the other, 10 ms each */
	STALLS,    /* 1.5 s once, then busy */
	NO_EDNS,   /* FORMERR for whoever speaks EDNS */
	NX,
	CHAIN,        /* a CNAME and its target's address */
	FORGED_FIRST, /* two lies, then the truth */
	OTHER_PORT,   /* a lie that fits, from another port, then the truth */
	BOGUS,        /* SERVFAIL, and says why */
	LOWER_CASE,   /* does not repeat the letters */
	NO_AAAA,      /* silent to AAAA */
	MANY_AAAA,    /* 20 of these, and one A */
	LONG,         /* of 5000 bytes, without TC; by TCP plain */
};
struct scripted {
	enum script script, probe; /* for questions, for probes */
	unsigned asked, asked_tcp; /* without probes */
	uint32_t ttl;
	struct loop_fd fd;
	int listener;
	struct net_addr addr;
	struct task *task, *tcp_task;
	unsigned tasks;
	struct dns_name secret; /* of the last loop test */
	struct net_addr secret_from;
	struct dns_query last;
	uint8_t last_bytes[512];
};

static inline size_t scripted_answer(struct scripted *u, enum script script, const struct dns_query *q, uint8_t *out)
{
	struct dns_message *m = mem_new(struct dns_message);
	char name[DNS_NAME_TEXT_SIZE];
	struct dns_name written = { .n = q->q.name.n };
	unsigned rcode = script == SERVFAIL || script == BOGUS ? DNS_SERVFAIL
		: script == REFUSED                            ? DNS_REFUSED
		: script == NX                                 ? DNS_NXDOMAIN
							       : 0;
	size_t n;

	memcpy(written.p, q->question, written.n);
	dns_name_text(script == LOWER_CASE ? &q->q.name : &written, name);
	if (script == NO_EDNS && q->edns.present)
		rcode = DNS_FORMERR;
	dns_message_begin(m, script == WRONG_ID ? q->id ^ 1 : q->id,
		DNS_QR | DNS_RD | DNS_RA | rcode | (script == TRUNCATED ? DNS_TC : 0u));
	dns_message_question(m, script == WRONG_QUESTION ? "other.example" : name, q->q.type);
	if (script == NX)
		dns_message_soa(m, ".", u->ttl, u->ttl);
	else if (script == OTHERS)
		dns_message_record(m, 6, "bank.example", q->q.type, u->ttl, "c0000266");
	else if (script == CHAIN && q->q.type == DNS_TYPE_A) {
		dns_message_record(m, 6, name, DNS_TYPE_CNAME, u->ttl, "@target.example");
		dns_message_record(m, 6, "target.example", DNS_TYPE_A, u->ttl, "c0000202");
	} else if (script == MANY_AAAA && q->q.type == DNS_TYPE_AAAA) {
		for (unsigned i = 0; i < 20; i++) {
			char data[33];

			snprintf(data, sizeof(data), "20010db80000000000000000000000%02x", i);
			dns_message_record(m, 6, name, DNS_TYPE_AAAA, u->ttl, data);
		}
	} else if (rcode == 0 && q->q.type == DNS_TYPE_A)
		dns_message_record(m, 6, name, DNS_TYPE_A, u->ttl, "c0000201");
	else if (rcode == 0)
		dns_message_soa(m, ".", u->ttl, u->ttl);
	if (script == BOGUS) {
		dns_write_edns(&m->w, &(struct dns_edns){ .udp_size = DNS_UDP_MAX, .ede = 6 });
		dns_message_count(m, 10);
	}
	n = script == GARBAGE ? m->w.n - 3 : m->w.n;
	memcpy(out, m->p, n);
	mem_free(m);
	return n;
}

static inline bool is_probe(const struct dns_query *q)
{
	return q->q.name.n == 1 || memcmp(q->q.name.p + 1, "torhaus-", 8) == 0;
}

static inline void scripted_udp_one(struct scripted *u, const uint8_t *p, size_t n, const struct net_addr *peer)
{
	enum script script;
	struct dns_query q;
	uint8_t out[5000] = { 0 };

	assert_int_equal(dns_query_parse(span_make(p, n), &q), 0);
	script = is_probe(&q) ? u->probe : u->script;
	if (is_probe(&q) && q.q.name.n > 1) {
		u->secret = q.q.name;
		u->secret_from = *peer;
	}
	if (!is_probe(&q)) {
		u->asked++;
		memcpy(u->last_bytes, p, n);
		dns_query_parse(span_make(u->last_bytes, n), &u->last);
	}
	if (script == SILENT || (script == NO_AAAA && q.q.type == DNS_TYPE_AAAA))
		return;
	if ((script == SLOW || script == VERY_SLOW) && task_sleep(script == SLOW ? 600 : 2500) < 0)
		return;
	if (script == BUSY && task_sleep(10) < 0)
		return;
	if (script == STALLS) {
		u->script = u->probe = BUSY;
		if (task_sleep(1500) < 0)
			return;
	}
	if (script == FORGED_FIRST) {
		n = scripted_answer(u, WRONG_ID, &q, out);
		sendto(u->fd.fd, out, n, 0, &peer->sa, peer->n);
		n = scripted_answer(u, WRONG_QUESTION, &q, out);
		sendto(u->fd.fd, out, n, 0, &peer->sa, peer->n);
	}
	if (script == OTHER_PORT) {
		int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		n = scripted_answer(u, CHAIN, &q, out);
		assert_int_equal(sendto(other, out, n, 0, &peer->sa, peer->n), n);
		close(other);
		task_sleep(20);
	}
	n = scripted_answer(u, script, &q, out);
	if (script == LONG)
		n = sizeof(out);
	sendto(u->fd.fd, out, n, 0, &peer->sa, peer->n);
}

static inline void scripted_udp(void *arg)
{
	struct scripted *u = arg;

	do {
		struct net_addr peer = { .n = sizeof(peer.un) };
		uint8_t p[512];
		ssize_t n = recvfrom(u->fd.fd, p, sizeof(p), MSG_DONTWAIT, &peer.sa, &peer.n);

		if (n > 0)
			scripted_udp_one(u, p, (size_t)n, &peer);
		else
			u->fd.readable = false;
	} while (loop_fd_wait_read(&u->fd, DEADLINE_NEVER) == 0);
	loop_fd_remove(&u->fd);
	u->tasks--;
}

/* One question a connection. */
static inline void scripted_tcp(void *arg)
{
	struct scripted *u = arg;

	while (task_sleep(5) == 0) {
		int fd = accept(u->listener, NULL, NULL);
		uint8_t p[512], out[1024 + 2];
		struct dns_query q;
		ssize_t n;

		if (fd < 0)
			continue;
		/* Whoever connected may have to send yet, on this very loop. On the loopback, what
		 * is small comes as one. */
		while ((n = recv(fd, p, sizeof(p), MSG_DONTWAIT)) < 0 && task_sleep(1) == 0)
			continue;
		if (n <= 0) {
			close(fd);
			continue;
		}
		assert_true(n > 2);
		u->asked_tcp++;
		assert_int_equal(dns_query_parse(span_make(p + 2, (size_t)n - 2), &q), 0);
		n = (ssize_t)scripted_answer(u, u->script == LOWER_CASE ? LOWER_CASE : PLAIN, &q, out + 2);
		dns_put_u16(out, (uint16_t)n);
		assert_int_equal(send(fd, out, (size_t)n + 2, 0), n + 2);
		close(fd);
	}
	u->tasks--;
}

/* A port that is free for both. */
static inline int scripted_bind(struct scripted *u)
{
	for (unsigned i = 0; i < 100; i++) {
		int fd;

		assert_int_equal(net_addr_parse(SPAN("127.0.0.1:0"), -1, &u->addr), 0);
		fd = net_listen_udp(&u->addr, false, 1 << 20, NULL);
		assert_true(fd >= 0);
		assert_int_equal(getsockname(fd, &u->addr.sa, &u->addr.n), 0);
		u->listener = net_listen(&u->addr, false, 100, NULL);
		if (u->listener >= 0)
			return fd;
		close(fd);
	}
	return -1;
}

static inline void scripted_start(struct scripted *u, enum script script)
{
	int fd;

	*u = (struct scripted){ .script = script, .ttl = 300 };
	fd = scripted_bind(u);
	assert_true(fd >= 0);
	assert_int_equal(loop_fd_add(&u->fd, fd), 0);
	u->tasks = 2;
	u->task = task_spawn("upstream", scripted_udp, u);
	u->tcp_task = task_spawn("upstream-tcp", scripted_tcp, u);
}

static inline void scripted_stop(struct scripted *u)
{
	int fd = u->fd.fd;

	task_cancel(u->task);
	if (u->tcp_task)
		task_cancel(u->tcp_task);
	while (u->tasks > 0)
		task_yield();
	close(fd);
	close(u->listener);
}

/* ---- a loop with a resolver and two upstreams ---- */

struct stage {
	struct dns_resolver *r;
	struct scripted u[2];
	void (*fn)(struct stage *s);
	enum script scripts[2];
	unsigned n;
};

static inline void stage_use(struct stage *s)
{
	struct net_addr addrs[2] = { s->u[0].addr, s->u[1].addr };

	dns_resolver_use(s->r, addrs, s->n);
	/* What is posted to the loop comes before this goes on. */
	task_sleep(1);
}

static inline void stage_main(void *arg)
{
	struct stage *s = arg;

	for (unsigned i = 0; i < s->n; i++)
		scripted_start(&s->u[i], s->scripts[i]);
	dns_resolver_thread_start(s->r, 0);
	stage_use(s);
	s->fn(s);
	dns_resolver_thread_stop(s->r, 0);
	for (unsigned i = 0; i < s->n; i++)
		scripted_stop(&s->u[i]);
	loop_stop(loop_self());
}

static inline void stage_run(void (*fn)(struct stage *s), unsigned n, enum script first, enum script second)
{
	struct stage s = { .r = dns_resolver_new(1), .fn = fn, .scripts = { first, second }, .n = n };
	struct loop *loop = loop_new(NULL);

	assert_non_null(loop);
	task_spawn_on(loop, "test", stage_main, &s, NULL);
	loop_run(loop);
	assert_int_equal(loop_tasks(loop), 0);
	assert_int_equal(loop_idle_count(loop), 0);
	assert_int_equal(dns_resolver_busy(s.r), 0);
	assert_null(loop_free(loop));
	assert_null(dns_resolver_free(s.r));
}

/* Asks and waits. */
static inline struct dns_result stage_ask(struct stage *s, const char *name, uint16_t type)
{
	struct dns_question q = dns_question_of(name, type);
	struct dns_result result;

	assert_int_equal(dns_query(&q, 0, DEADLINE_NEVER, &result), 0);
	return result;
}

/* …for an address, which must come, and from whom. */
static inline void stage_assert_address(struct stage *s, const char *name, const char *want)
{
	struct dns_result result = stage_ask(s, name, DNS_TYPE_A);
	struct span data;
	uint32_t ttl;
	size_t at = 0;

	assert_non_null(result.answer);
	assert_true(dns_answer_next(result.answer, DNS_TYPE_A, &at, &data, &ttl));
	assert_memory_equal(data.p, want, 4);
	dns_answer_unref(result.answer);
}

static inline void stage_assert_failure(struct stage *s, const char *name, int ede)
{
	struct dns_result result = stage_ask(s, name, DNS_TYPE_A);

	assert_null(result.answer);
	assert_int_equal(result.rcode, DNS_SERVFAIL);
	assert_int_equal(result.ede, ede);
}

/* The status as the document would have it. */
static inline bool stage_says(struct stage *s, const char *text)
{
	struct buf out = BUF_INIT(1 << 16);
	struct jsonw j;
	bool found;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	dns_resolver_json(s->r, &j);
	jsonw_end(&j);
	found = span_find(buf_span(&out), span_of(text)) >= 0;
	buf_done(&out);
	return found;
}

static inline void stage_wait_for(struct stage *s, const char *text)
{
	for (unsigned i = 0; i < 2000 && !stage_says(s, text); i++)
		task_sleep(5);
	assert_true(stage_says(s, text));
}
