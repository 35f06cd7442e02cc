/*
 * The door: what becomes of a connection before its protocol begins. See edge/edge.h.
 *
 * welcome() is the order of things. The limit of all connections comes first, in the acceptor
 * itself: whoever is too much costs no task. Who a client is, is known only after the PROXY header,
 * so the guard is asked behind it; a handshake costs more than all the rest, so TLS is last.
 */
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "edge/edge.h"

/* From accept to the connection's task. */
struct newcomer {
	struct edge_door *door;
	struct conn *conn;
	bool tls;
};

static bool must_begin_with_header(const struct edge_policy *policy, const struct net_addr *peer)
{
	for (unsigned i = 0; i < policy->proxy_from_n; i++)
		if (net_prefix_contains(&policy->proxy_from[i], peer))
			return true;
	return false;
}

static bool guard_admits(struct edge_arrival *a, const struct edge_policy *policy)
{
	if (!a->door->networks || policy->connections_per_network == 0)
		return true;
	a->in_network = networks_enter(a->door->networks, &a->conn->peer, policy->connections_per_network);
	return a->in_network;
}

/* policy is that of a->state, which is held. */
static enum edge_welcome welcome(struct edge_arrival *a, const struct edge_policy *policy)
{
	uint64_t deadline = deadline_in(policy->greet_timeout_ms);

	if (must_begin_with_header(policy, &a->conn->peer)) {
		if (conn_read_proxy(a->conn, deadline) < 0)
			return EDGE_NO_PROXY_HEADER;
		/* A slow balancer does not shorten the client's handshake. */
		deadline = deadline_in(policy->greet_timeout_ms);
	}
	if (!guard_admits(a, policy))
		return EDGE_CROWDED;
	if (!a->tls)
		return EDGE_WELCOME;
	if (!policy->tls)
		return EDGE_NO_CERTIFICATES;
	a->tls_error = tls_accept_for(a->door->protocol->use, TLS_AT_ONCE, a->conn, policy->tls, deadline, &a->facts);
	return a->tls_error < 0 ? EDGE_TLS_FAILED : EDGE_WELCOME;
}

static void run_connection(void *arg)
{
	struct newcomer *n = arg;
	struct edge_arrival a = { .door = n->door, .conn = n->conn, .tls = n->tls };
	const struct edge_protocol *protocol = a.door->protocol;
	struct edge_policy policy;

	mem_free(n);
	protocol->policy(a.door->thread, &policy);
	a.state = policy.state;
	published_ref(a.state);
	a.welcome = welcome(&a, &policy);
	protocol->run(a.door->thread, &a);
}

/* ---- accepting ---- */

static bool is_full(const struct edge_door *d, unsigned open)
{
	struct edge_policy policy;

	d->protocol->policy(d->thread, &policy);
	if (open < policy.connections_max)
		return false;
	return !d->protocol->make_room || !d->protocol->make_room(d->thread);
}

static void refuse(struct edge_door *d, int fd)
{
	const char *words = d->protocol->full;

	if (words && fd >= 0)
		send(fd, words, strlen(words), MSG_DONTWAIT | MSG_NOSIGNAL);
	atomic_fetch_sub(d->open, 1);
	stat_add(d->protocol->refused, 1);
}

static void take(struct edge_door *d, int fd, bool tls)
{
	struct newcomer *n;
	int error;

	if (is_full(d, atomic_fetch_add(d->open, 1))) {
		refuse(d, fd);
		close(fd);
		return;
	}
	n = mem_new(struct newcomer);
	*n = (struct newcomer){ d, conn_new(fd, &error), tls };
	if (n->conn && task_spawn(d->protocol->task, run_connection, n)) {
		stat_add(d->protocol->came, 1);
		return;
	}
	/* conn_new() has closed what it could not take. */
	refuse(d, n->conn ? n->conn->fd.fd : -1);
	conn_close(n->conn);
	mem_free(n);
}

static void take_plain(void *door, int fd)
{
	take(door, fd, false);
}

static void take_tls(void *door, int fd)
{
	take(door, fd, true);
}

static void on_failed(void *door, const struct fault *fault)
{
	const struct edge_door *d = door;

	stat_add(STAT_ACCEPT_ERRORS, 1);
	log_fault_rated(LOG_LEVEL_ERROR, d->protocol->name, "accept-failed", fault);
}

void edge_door_init(struct edge_door *d, const struct edge_protocol *protocol, void *thread, atomic_uint *open,
	struct networks *networks)
{
	*d = (struct edge_door){ .protocol = protocol, .thread = thread, .open = open, .networks = networks };
	list_init(&d->acceptors);
}

void edge_door_open(struct edge_door *d, int fd, enum edge_way way)
{
	static const struct accept_to plain = { take_plain, on_failed }, secure = { take_tls, on_failed };

	accept_start(&d->acceptors, fd, way == EDGE_TLS ? &secure : &plain, d);
}

void edge_door_shut(struct edge_door *d, int fd)
{
	accept_stop(&d->acceptors, fd);
}

void edge_leave(struct edge_door *d, const struct conn *c, bool in_network)
{
	if (in_network)
		networks_leave(d->networks, &c->peer);
	atomic_fetch_sub(d->open, 1);
}
