/* The DNS edge as a stage for tests: real sockets, an upstream that does as it is told, clients. */
#pragma once
#include "../dns/resolver_test.h"
#include "names/names_priv.h"

static const char domains[] =
	"domain \"example.test\" {\n"
	"  web = {\"example.test\", \"www.example.test\", \"*.wild.test\"}\n"
	"  origin = {\"http://192.0.2.10\", \"http://192.0.2.11\", \"http://[2001:db8::1]:8080\", "
	"\"http://192.0.2.12 backup\"}\n"
	"}\n"
	"domain \"named.test\" {\n"
	"  web = {\"named.test\"}\n"
	"  origin = {\"http://backend.example\"}\n"
	"}\n"
	"domain \"mixed.test\" {\n"
	"  origin = {\"http://backend.example\", \"http://192.0.2.30\", \"http://named.test\", \"http://www.example.test.\"}\n"
	"}\n"
	"domain \"circle.test\" {\n"
	"  origin = {\"http://square.test\"}\n"
	"}\n"
	"domain \"square.test\" {\n"
	"  origin = {\"http://circle.test\"}\n"
	"}\n"
	"domain \"mail.test\" {\n"
	"  mail = \"192.0.2.20:25\"\n"
	"}\n";

/* ---- the stage ---- */

struct edge {
	struct dns_resolver *resolver;
	struct names *names;
	struct scripted upstream;
	struct net_addr addr;
	int udp, tcp;
	void (*fn)(struct edge *e);
	bool forward;
};

static void edge_publish(struct edge *e)
{
	struct conf_errors errors = { 0 };
	struct net_prefix allow;
	struct names_settings settings = { .forward = &e->upstream.addr,
		.forward_n = e->forward,
		.allow = &allow,
		.allow_n = 1 };
	struct snapshot *s = NULL;
	struct arena a;

	arena_init(&a, 4096);
	assert_int_equal(net_prefix_parse(SPAN("127.0.0.0/24"), &allow), 0);
	assert_int_equal(snapshot_from_text(span_of(domains), &a, &s, &errors), 0);
	names_edge.publish(e->names, &(struct edge_news){ .snapshot = s, .settings = &settings });
	/* Also where nothing is forwarded. */
	dns_resolver_use(e->resolver, &e->upstream.addr, 1);
	snapshot_unref(s);
	arena_done(&a);
	task_sleep(1);
}

static void edge_listen(struct edge *e)
{
	do {
		assert_int_equal(net_addr_parse(SPAN("127.0.0.1:0"), -1, &e->addr), 0);
		e->udp = net_listen_udp(&e->addr, false, 1 << 20, NULL);
		assert_true(e->udp >= 0);
		assert_int_equal(getsockname(e->udp, &e->addr.sa, &e->addr.n), 0);
		e->tcp = net_listen(&e->addr, false, 100, NULL);
		if (e->tcp < 0)
			close(e->udp);
	} while (e->tcp < 0);
	names_edge.listen(e->names, 0, e->udp, EDGE_DATAGRAMS);
	names_edge.listen(e->names, 0, e->tcp, EDGE_PLAIN);
}

static void edge_main(void *arg)
{
	struct edge *e = arg;

	scripted_start(&e->upstream, PLAIN);
	dns_resolver_thread_start(e->resolver, 0);
	names_edge.thread_start(e->names, 0);
	edge_publish(e);
	edge_listen(e);
	e->fn(e);
	names_edge.drain(e->names);
	while (names_edge.busy(e->names) > 0)
		task_sleep(1);
	dns_resolver_thread_stop(e->resolver, 0);
	scripted_stop(&e->upstream);
	task_sleep(1);
	close(e->udp);
	close(e->tcp);
	loop_stop(loop_self());
}

static void edge_run(void (*fn)(struct edge *e))
{
	struct edge e = { .resolver = dns_resolver_new(1), .fn = fn, .forward = true };
	struct loop *loop = loop_new(NULL);

	e.names = names_new(e.resolver, 1);
	task_spawn_on(loop, "test", edge_main, &e, NULL);
	loop_run(loop);
	assert_int_equal(loop_tasks(loop), 0);
	assert_int_equal(loop_idle_count(loop), 0);
	assert_null(loop_free(loop));
	assert_null(names_free(e.names));
	assert_null(dns_resolver_free(e.resolver));
}

/* ---- clients ---- */

struct heard {
	uint8_t p[4096];
	size_t n;
	struct dns_header h;
};

static size_t write_question(const char *name, uint16_t type, uint16_t id, uint8_t out[DNS_QUERY_MAX])
{
	struct dns_question q = dns_question_of(name, type);
	struct dns_edns edns = { .udp_size = 1232, .ede = DNS_EDE_NONE };

	return dns_query_write(&q, id, DNS_RD, &edns, out);
}
