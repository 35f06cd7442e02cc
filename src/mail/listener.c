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
