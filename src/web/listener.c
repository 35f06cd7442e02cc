/*
 * From a listening socket to HTTP: accept, PROXY header from listed addresses, TLS, http_serve().
 *
 * Each connection gets a task of its own until it idles.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "web/web_priv.h"

struct arrival {
	struct web_thread *thread;
	struct conn *conn;
	bool tls;
};

static bool is_proxy(const struct web_settings *settings, const struct net_addr *peer)
{
	for (unsigned i = 0; i < settings->proxy_from_n; i++)
		if (net_prefix_contains(&settings->proxy_from[i], peer))
			return true;
	return false;
}

static void log_tls_failure(struct conn *c, struct fault *fault)
{
	char client[NET_ADDR_SIZE];

	stat_add(STAT_TLS_FAILED, 1);
	net_addr_host_text(&c->peer, client);
	fault_fact(fault, "client", "%s", client);
	/* Port scans and health checks that say nothing are not worth a warning. */
	if (fault->code == FAULT_TLS_PEER_LEFT)
		log_event(LOG_LEVEL_DEBUG, "web", "tls-left", "client=%s", client);
	else
		log_fault_rated(LOG_LEVEL_WARNING, "web", "tls-failed", fault);
}

/* PROXY header and handshake. 0, or a negative errno and the connection is of no use. */
static int greet(const struct web_state *state, struct conn *c, bool tls)
{
	uint64_t deadline = deadline_in(state->settings.tls_timeout_ms);
	struct tls_facts facts = { 0 };
	struct tls_info info;
	struct fault fault;
	int r;

	if (is_proxy(&state->settings, &c->peer)) {
		r = conn_read_proxy(c, deadline);
		if (r < 0)
			return r;
	}
	if (!tls)
		return 0;
	if (!state->tls)
		return -ENOENT;
	fault_clear(&fault);
	r = tls_accept(c, state->tls, deadline, &facts, &fault);
	if (r < 0)
		log_tls_failure(c, &fault);
	else
		stat_add(STAT_TLS_HANDSHAKES, 1);
	if (r == 0 && tls_conn_info(c, &info) && info.resumed)
		stat_add(STAT_TLS_RESUMED, 1);
	tls_facts_done(&facts);
	return r;
}

static void run_connection(void *arg)
{
	struct arrival a = *(struct arrival *)arg;
	struct web_thread *t = a.thread;
	struct web_state *state = web_state_ref(t->state);
	int r = greet(state, a.conn, a.tls);

	web_state_unref(state);
	mem_free(arg);
	if (r < 0) {
		t->plain.closed(t, a.conn);
		conn_close(a.conn);
		return;
	}
	http_serve(a.tls ? &t->secure : &t->plain, a.conn);
}

static void take(struct web_thread *t, int fd, bool tls)
{
	struct arrival *a;
	int error;

	/* Over the limit: closed at once, which the peer sees; nobody else suffers. */
	if (atomic_fetch_add(&t->web->connections, 1) >= t->state->settings.connections_max) {
		atomic_fetch_sub(&t->web->connections, 1);
		stat_add(STAT_ACCEPT_ERRORS, 1);
		close(fd);
		return;
	}
	stat_add(STAT_CONNECTIONS, 1);
	a = mem_new(struct arrival);
	*a = (struct arrival){ .thread = t, .conn = conn_new(fd, &error), .tls = tls };
	if (a->conn && task_spawn("web-connection", run_connection, a))
		return;
	stat_add(STAT_ACCEPT_ERRORS, 1);
	t->plain.closed(t, a->conn);
	conn_close(a->conn);
	mem_free(a);
}

static void take_plain(void *thread, int fd)
{
	take(thread, fd, false);
}

static void take_tls(void *thread, int fd)
{
	take(thread, fd, true);
}

static void on_failed(void *thread, const struct fault *fault)
{
	(void)thread;
	stat_add(STAT_ACCEPT_ERRORS, 1);
	log_fault_rated(LOG_LEVEL_ERROR, "web", "accept-failed", fault);
}

static unsigned port_of(int fd)
{
	struct net_addr addr = { .n = sizeof(struct sockaddr_in6) };

	return getsockname(fd, &addr.sa, &addr.n) == 0 ? net_addr_port(&addr) : 0;
}

void web_listen(struct web *w, unsigned thread, int fd, bool tls)
{
	static const struct accept_to plain = { take_plain, on_failed }, secure = { take_tls, on_failed };
	struct web_thread *t = &w->threads[thread];

	must(t->state);
	if (tls && w->tls_port == 0)
		w->tls_port = port_of(fd);
	accept_start(&t->acceptors, fd, tls ? &secure : &plain, t);
}

void web_unlisten(struct web *w, unsigned thread, int fd)
{
	accept_stop(&w->threads[thread].acceptors, fd);
}
