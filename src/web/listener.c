/*
 * From the door (edge/edge.h) to HTTP: what is logged of those who came no further, and
 * http_serve() for the others.
 *
 * Each connection has a task of its own until it idles.
 */
#include "base/log.h"
#include "tls/explain.h"
#include "web/web_priv.h"

static void log_tls_failure(const struct edge_arrival *a, struct tls_set *set)
{
	/* Too big for a task's stack. */
	struct tls_explanation *why = mem_new(struct tls_explanation);
	struct fault *cause = &why->causes[0];
	char client[NET_ADDR_SIZE];

	tls_explain_in_task(&a->facts, set, NULL, why);
	stat_add(STAT_TLS_FAILED, 1);
	net_addr_host_text(&a->conn->peer, client);
	fault_fact(cause, "client", "%s", client);
	/* Port scans and health checks that say nothing are not worth a warning. */
	if (cause->code == FAULT_TLS_PEER_LEFT)
		log_event(LOG_LEVEL_DEBUG, "web", "tls-left", "client=%s", client);
	else
		log_fault_rated(LOG_LEVEL_WARNING, "web", "tls-failed", cause);
	mem_free(why);
}

static void log_no_proxy_header(const struct conn *c)
{
	char client[NET_ADDR_SIZE];
	struct fault fault;

	net_addr_host_text(&c->peer, client);
	fault_set(&fault, FAULT_WEB_NO_PROXY_HEADER);
	fault_fact(&fault, "client", "%s", client);
	log_fault_rated(LOG_LEVEL_WARNING, "web", "no-proxy-header", &fault);
}

static void count_handshake(const struct conn *c)
{
	struct tls_info info;

	stat_add(STAT_TLS_HANDSHAKES, 1);
	if (tls_conn_info(c, &info) && info.resumed)
		stat_add(STAT_TLS_RESUMED, 1);
}

static void run_connection(void *thread, struct edge_arrival *a)
{
	struct web_thread *t = thread;
	struct web_state *state = container_of(a->state, struct web_state, published);

	if (a->welcome == EDGE_NO_PROXY_HEADER)
		log_no_proxy_header(a->conn);
	if (a->welcome == EDGE_TLS_FAILED)
		log_tls_failure(a, state->tls);
	tls_facts_done(&a->facts);
	web_state_unref(state);
	if (a->welcome != EDGE_WELCOME) {
		t->plain.closed(t, a->conn);
		conn_close(a->conn);
		return;
	}
	if (a->tls)
		count_handshake(a->conn);
	http_serve(a->tls ? &t->secure : &t->plain, a->conn);
}

static void present_policy(void *thread, struct edge_policy *ret)
{
	struct web_state *s = ((struct web_thread *)thread)->state;

	*ret = (struct edge_policy){ .state = &s->published,
		.tls = s->tls,
		.proxy_from = s->settings.proxy_from,
		.proxy_from_n = s->settings.proxy_from_n,
		.connections_max = s->settings.connections_max,
		.greet_timeout_ms = s->settings.tls_timeout_ms };
}

const struct edge_protocol web_protocol = { .name = "web",
	.task = "web-connection",
	.use = TLS_FOR_WEB,
	.came = STAT_CONNECTIONS,
	.refused = STAT_ACCEPT_ERRORS,
	.policy = present_policy,
	.run = run_connection };
