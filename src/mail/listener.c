/* From the door (edge/edge.h) to a session. */
#include "mail/mail_priv.h"

static void run_session(void *thread, struct edge_arrival *a)
{
	session_begin(thread, a);
}

static void present_policy(void *thread, struct edge_policy *ret)
{
	struct mail_state *s = ((struct mail_thread *)thread)->state;

	*ret = (struct edge_policy){ .state = &s->published,
		.tls = s->tls,
		.proxy_from = s->settings.proxy_from,
		.proxy_from_n = s->settings.proxy_from_n,
		.connections_max = s->settings.connections_max,
		.connections_per_network = s->settings.connections_per_network,
		.greet_timeout_ms = s->settings.tls_timeout_ms };
}

const struct edge_protocol mail_protocol = { .name = "mail",
	.task = "mail-session",
	.use = TLS_FOR_MAIL,
	.came = STAT_MAIL_SESSIONS,
	.refused = STAT_ACCEPT_ERRORS,
	/* Over the limit of the worker, or of what the machine gives. */
	.full = "421 4.3.2 Too many connections; try again\r\n",
	.policy = present_policy,
	.run = run_session };

void mail_remember_listener(struct mail_thread *t, int fd)
{
	struct net_addr a = { .n = sizeof(a.un) };

	if (t->listeners_n == MAIL_LISTENERS_MAX || getsockname(fd, &a.sa, &a.n) < 0)
		return;
	t->listeners[t->listeners_n].fd = fd;
	t->listeners[t->listeners_n++].addr = a;
}

void mail_forget_listener(struct mail_thread *t, int fd)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->listeners_n; i++)
		if (fd >= 0 && t->listeners[i].fd != fd)
			t->listeners[kept++] = t->listeners[i];
	t->listeners_n = kept;
}

static bool is_any(const struct net_addr *a)
{
	char host[NET_ADDR_SIZE];

	net_addr_host_text(a, host);
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

bool mail_listens_on(const struct mail_thread *t, const struct net_addr *a, bool here)
{
	for (unsigned i = 0; i < t->listeners_n; i++) {
		const struct net_addr *own = &t->listeners[i].addr;

		if (net_addr_port(own) == net_addr_port(a) &&
			(net_addr_eq_host(own, a) || (here && is_any(own) && own->sa.sa_family == a->sa.sa_family)))
			return true;
	}
	return false;
}
