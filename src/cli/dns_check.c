/*
 * torhaus dns check: the listeners answer, the upstreams answer, and names are answered as the
 * store says.
 *
 * Everything is asked over the network as any client would.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/dns.h"
#include "domain/domain.h"

#define UPSTREAM_MS 2000
#define SLOW_US     1000000

struct check {
	struct findings f;
	struct cli *cli;
	struct settings *s;
	json_t *status;                        /* of the running server, or NULL */
	json_t *listeners, *upstreams, *names; /* of the document */
	struct net_addr server;                /* the first listener that answers by UDP */
	bool has_server;
};

static void add_fault(struct check *c, enum fault_code code, const struct net_addr *server, const char *transport,
	int error)
{
	char text[NET_ADDR_SIZE];
	struct fault f;

	net_addr_text(server, text);
	fault_set(&f, code);
	fault_fact(&f, "server", "%s", text);
	fault_fact(&f, "transport", "%s", transport);
	fault_fact(&f, "error", "%s", strerror(-error));
	findings_add(&c->f, &f);
}

/* ---- a server, by both transports ---- */

struct answered {
	int udp, tcp; /* 0 or -errno */
	uint64_t udp_us, tcp_us;
	uint16_t flags; /* of what came by UDP, else by TCP */
};

static void ask_both(const struct net_addr *server, const struct dns_question *q, unsigned timeout_ms,
	struct answered *ret)
{
	struct dns_heard h;

	ret->tcp = dns_ask(server, true, q, timeout_ms, &h);
	ret->tcp_us = h.took_us;
	ret->flags = h.header.flags;
	dns_heard_done(&h);
	ret->udp = dns_ask(server, false, q, timeout_ms, &h);
	ret->udp_us = h.took_us;
	if (ret->udp == 0)
		ret->flags = h.header.flags;
	dns_heard_done(&h);
}

static json_t *time_json(int r, uint64_t us)
{
	return r == 0 ? json_real((double)us / 1000) : json_null();
}

static json_t *answered_json(const struct net_addr *server, const struct answered *a)
{
	char text[NET_ADDR_SIZE];

	net_addr_text(server, text);
	return json_pack("{s:s s:o s:o}", "address", text, "udp_ms", time_json(a->udp, a->udp_us), "tcp_ms",
		time_json(a->tcp, a->tcp_us));
}

/* ---- listeners ---- */

/* Something that is refused at once, without a look at any upstream: any answer will do. */
static const struct dns_question anything = { .name = { .n = 1 }, .type = DNS_TYPE_TXT, .klass = 3 };

static void check_listener(struct check *c, const struct net_addr *server)
{
	struct answered a;

	ask_both(server, &anything, DNS_ASK_MS, &a);
	json_array_append_new(c->listeners, answered_json(server, &a));
	if (a.udp < 0)
		add_fault(c, FAULT_DNS_NO_ANSWER, server, "UDP", a.udp);
	if (a.tcp < 0)
		add_fault(c, FAULT_DNS_NO_ANSWER, server, "TCP", a.tcp);
	if (a.udp == 0 && !c->has_server) {
		c->server = *server;
		c->has_server = true;
	}
}

static void check_listeners(struct check *c)
{
	struct net_addr server;
	struct fault f;

	for (size_t i = 0; i < json_array_size(json_object_get(c->status, "listeners")); i++)
		if (dns_listener(c->status, i, LISTENER_NAMES_UDP, &server))
			check_listener(c, &server);
	/* The server has not been told to listen yet: then these are silent. */
	for (unsigned i = 0; c->status && i < c->s->names.listen.n && json_array_size(c->listeners) == 0; i++)
		check_listener(c, &c->s->names.addrs[i]);
	if (c->s->names.listen.n > 0)
		return;
	fault_set(&f, FAULT_DNS_OFF);
	findings_add(&c->f, &f);
}

/* ---- upstreams ---- */

/* The SOA that server gives for the name, as text; empty: none. */
static void ask_soa(const struct net_addr *server, const struct dns_question *q, struct buf *out)
{
	struct dns_question repeated;
	struct dns_record record;
	struct dns_reader r;
	struct dns_heard h;

	if (dns_ask(server, false, q, UPSTREAM_MS, &h) == 0 && h.header.answers == 1) {
		dns_reader_init(&r, buf_span(&h.message));
		r.at = DNS_HEADER_SIZE;
		dns_read_question(&r, &repeated);
		dns_read_record(&r, &record);
		if (!r.error && record.type == DNS_TYPE_SOA)
			dns_record_text(buf_span(&h.message), &record, out);
	}
	dns_heard_done(&h);
}

/* Its serial is the time at which the server read the name: nobody else gives the same by
 * chance. */
static void check_loop(struct check *c, const struct net_addr *upstream, const struct dns_question *ours)
{
	struct buf here = BUF_INIT(4096), there = BUF_INIT(4096);
	char server[NET_ADDR_SIZE], name[DNS_NAME_TEXT_SIZE];
	struct fault f;

	ask_soa(&c->server, ours, &here);
	if (here.n > 0)
		ask_soa(upstream, ours, &there);
	if (here.n > 0 && span_eq(buf_span(&here), buf_span(&there))) {
		net_addr_text(upstream, server);
		dns_name_text(&ours->name, name);
		fault_set(&f, FAULT_DNS_UPSTREAM_LOOPS);
		fault_fact(&f, "server", "%s", server);
		fault_fact(&f, "name", "%s", name);
		findings_add(&c->f, &f);
	}
	buf_done(&here);
	buf_done(&there);
}

static void tell_answer(struct check *c, const struct net_addr *server, const struct answered *a)
{
	unsigned rcode = a->flags & DNS_RCODE;
	char text[NET_ADDR_SIZE], took[FMT_SIZE];
	struct fault f;

	fault_set(&f,
		rcode == DNS_REFUSED                          ? FAULT_DNS_UPSTREAM_REFUSES
			: rcode != DNS_NOERROR                ? FAULT_DNS_UPSTREAM_FAILS
			: !(a->flags & DNS_RA)                ? FAULT_DNS_UPSTREAM_NO_RECURSION
			: a->udp == 0 && a->udp_us >= SLOW_US ? FAULT_DNS_UPSTREAM_SLOW
							      : FAULT_NONE);
	if (f.code == FAULT_NONE)
		return;
	net_addr_text(server, text);
	fmt_duration(a->udp_us / 1000, took);
	fault_fact(&f, "server", "%s", text);
	fault_fact(&f, "rcode", "%s", dns_rcode_text(rcode));
	fault_fact(&f, "time", "%s", took);
	findings_add(&c->f, &f);
}

/* One that is asked; all are at the same time, for each may take its time. */
struct upstream {
	const struct net_addr *server;
	struct answered a;
	struct net_addr peer; /* who answered a plain question after all; n 0: nobody */
	pthread_t thread;
};

static void *ask_upstream(void *arg)
{
	static const struct dns_question root = { .name = { .n = 1 }, .type = DNS_TYPE_NS, .klass = DNS_CLASS_IN };
	struct upstream *u = arg;

	ask_both(u->server, &root, UPSTREAM_MS, &u->a);
	if (u->a.udp != -ETIMEDOUT || dns_ask_anybody(u->server, &root, UPSTREAM_MS, &u->peer) < 0)
		u->peer.n = 0;
	return NULL;
}

static void ask_upstreams(const struct settings *s, struct upstream *all)
{
	unsigned n = s->names.forward.n;

	for (unsigned i = 0; i < n; i++) {
		all[i].server = &s->names.upstreams[i];
		must(pthread_create(&all[i].thread, NULL, ask_upstream, &all[i]) == 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
}

/* One that answers after all, but not as it should. */
static void tell_odd(struct check *c, const struct upstream *u)
{
	bool itself = net_addr_eq(&u->peer, u->server);
	char server[NET_ADDR_SIZE], peer[NET_ADDR_SIZE];
	struct fault f;

	net_addr_text(u->server, server);
	net_addr_text(&u->peer, peer);
	fault_set(&f, itself ? FAULT_DNS_UPSTREAM_NO_EDNS : FAULT_DNS_UPSTREAM_ELSEWHERE);
	fault_fact(&f, "server", "%s", server);
	fault_fact(&f, "peer", "%s", peer);
	findings_add(&c->f, &f);
}

static void tell_upstream(struct check *c, const struct upstream *u)
{
	const struct answered *a = &u->a;
	json_t *json = answered_json(u->server, a);

	if (a->udp == 0 || a->tcp == 0) {
		json_object_set_new(json, "rcode", json_string(dns_rcode_text(a->flags & DNS_RCODE)));
		json_object_set_new(json, "recursion", json_boolean(a->flags & DNS_RA));
		tell_answer(c, u->server, a);
	}
	json_array_append_new(c->upstreams, json);
	if (u->peer.n > 0)
		tell_odd(c, u);
	else if (a->udp < 0 && a->tcp < 0)
		add_fault(c, FAULT_DNS_UPSTREAM_SILENT, u->server, "UDP, TCP", a->udp);
	else if (a->udp < 0 || a->tcp < 0)
		add_fault(c, FAULT_DNS_UPSTREAM_SILENT, u->server, a->udp < 0 ? "UDP" : "TCP",
			a->udp < 0 ? a->udp : a->tcp);
}

static void check_upstreams(struct check *c, const struct snapshot *domains)
{
	struct upstream all[SETTINGS_FORWARD_MAX];
	const struct domain *d = NULL;
	struct dns_question ours;

	for (unsigned i = 0; domains && i < snapshot_count(domains) && !d; i++)
		if (snapshot_at(domains, i)->origin_n > 0)
			d = snapshot_at(domains, i);
	ask_upstreams(c->s, all);
	for (unsigned i = 0; i < c->s->names.forward.n; i++) {
		tell_upstream(c, &all[i]);
		if (all[i].a.udp == 0 && c->has_server && d && dns_question_of(d->name, DNS_TYPE_SOA, &ours) == 0)
			check_loop(c, all[i].server, &ours);
	}
}

/* ---- all of it ---- */

static void check_names(struct check *c)
{
	struct dns_compared n;

	dns_compare_store(&c->f, c->s, &c->server, &n);
	if (n.refused)
		add_fault(c, FAULT_DNS_NOT_ALLOWED, &c->server, "UDP", 0);
	else
		c->names = json_pack("{s:i s:i s:i}", "names", (int)n.names, "asked", (int)n.asked, "differ",
			(int)n.differ);
}

static void print_servers(struct cli *cli, json_t *servers, const char *title)
{
	static const char *const transports[] = { "udp", "tcp" };
	json_t *server, *ms;
	size_t i;

	json_array_foreach(servers, i, server)
	{
		fprintf(cli->out, "%-10s %-24s", title, json_string_value(json_object_get(server, "address")));
		for (size_t k = 0; k < array_len(transports); k++) {
			ms = json_object_get(server, k == 0 ? "udp_ms" : "tcp_ms");
			if (json_is_real(ms))
				fprintf(cli->out, "  %s %.1f ms", transports[k], json_real_value(ms));
			else
				fprintf(cli->out, "  %s %s", transports[k], cli_say(cli, "silent", "schweigt"));
		}
		fprintf(cli->out, "\n");
	}
}

static void print_check(struct check *c)
{
	print_servers(c->cli, c->listeners, cli_say(c->cli, "listener", "Adresse"));
	print_servers(c->cli, c->upstreams, cli_say(c->cli, "upstream", "Upstream"));
	if (c->names)
		fprintf(c->cli->out,
			cli_say(c->cli,
				"store      %lld names, %lld questions, %lld answered otherwise than the store says\n",
				"Store      %lld Namen, %lld Fragen, %lld anders beantwortet als im Store steht\n"),
			(long long)json_integer_value(json_object_get(c->names, "names")),
			(long long)json_integer_value(json_object_get(c->names, "asked")),
			(long long)json_integer_value(json_object_get(c->names, "differ")));
}

static int end(struct check *c, int status)
{
	int r;

	if (!c->cli->json)
		print_check(c);
	r = cli_findings_end_with(c->cli, &c->f,
		json_pack("{s:s s:o s:o s:o?}", "schema", "torhaus.dns-check/1", "listeners", c->listeners, "upstreams",
			c->upstreams, "names", c->names));
	json_decref(c->status);
	return status == CLI_DONE ? r : status;
}

static void tell_not_running(struct check *c, int error)
{
	struct fault f;

	cli_no_server(c->s, error, &f);
	findings_add(&c->f, &f);
}

int cli_dns_check(struct cli *cli, int argc, char **argv)
{
	struct check c = { .cli = cli };
	struct cli_args args;
	struct snapshot *domains;
	unsigned http;
	int error;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	c.s = cli_settings(cli);
	if (!c.s)
		return CLI_SETTINGS;
	findings_init(&c.f);
	c.listeners = json_array();
	c.upstreams = json_array();
	c.status = cli_ask(c.s, "GET", "/status", NULL, &http, &error);
	if (!c.status)
		tell_not_running(&c, error);
	check_listeners(&c);
	domains = findings_read_store(&c.f, c.s->store.p);
	check_upstreams(&c, domains);
	snapshot_unref(domains);
	if (c.has_server)
		check_names(&c);
	settings_unref(c.s);
	return end(&c, c.status ? CLI_DONE : CLI_UNREACHABLE);
}
