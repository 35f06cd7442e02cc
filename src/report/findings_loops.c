/*
 * Mail domains whose mail server is this torhaus: mail for them would run in a circle. The running
 * gateway sees it when it connects (mail/mta.c); here it is seen before that, by addresses alone.
 */
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain.h"
#include "report/findings.h"
#include "settings/settings.h"

#define HOSTS_MAX 1000 /* mail servers with a name that are looked up */

static bool is_any(const struct net_addr *a)
{
	char host[NET_ADDR_SIZE];

	net_addr_host_text(a, host);
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool to_addr(const struct sockaddr *sa, struct net_addr *ret)
{
	if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return false;
	*ret = (struct net_addr){ .n = sa->sa_family == AF_INET ? sizeof(ret->in) : sizeof(ret->in6) };
	memcpy(&ret->sa, sa, ret->n);
	return true;
}

/* One of this machine's, or in 127.0.0.0/8. */
static bool is_here(const struct ifaddrs *own, const struct net_addr *a)
{
	struct net_prefix loopback;
	struct net_addr here;

	if (net_prefix_parse(SPAN("127.0.0.0/8"), &loopback) == 0 && net_prefix_contains(&loopback, a))
		return true;
	for (; own; own = own->ifa_next)
		if (to_addr(own->ifa_addr, &here) && net_addr_eq_host(&here, a))
			return true;
	return false;
}

static bool listens_on(const struct net_addr *listen, unsigned n, const struct ifaddrs *own, const struct net_addr *a)
{
	for (unsigned i = 0; i < n; i++)
		if (net_addr_port(&listen[i]) == net_addr_port(a) &&
			(net_addr_eq_host(&listen[i], a) ||
				(is_any(&listen[i]) && listen[i].sa.sa_family == a->sa.sa_family && is_here(own, a))))
			return true;
	return false;
}

static bool is_ours(const struct settings *s, const struct ifaddrs *own, const struct domain_mail *mail)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct net_addr a;
	bool ours = false;
	char host[256];

	snprintf(host, sizeof(host), "%.*s", SPAN_ARG(mail->host));
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	for (struct addrinfo *at = found; at && !ours; at = at->ai_next) {
		if (!to_addr(at->ai_addr, &a))
			continue;
		net_addr_set_port(&a, mail->port);
		ours = listens_on(s->mail.plain, s->mail.listen.n, own, &a) ||
			listens_on(s->mail.tls, s->mail.listen_tls.n, own, &a);
	}
	freeaddrinfo(found);
	return ours;
}

static void add_loop(struct findings *f, const struct domain *d)
{
	struct fault fault;

	fault_set(&fault, FAULT_MAIL_LOOP);
	fault_fact(&fault, "domain", "%.*s", SPAN_ARG(d->name));
	fault_fact(&fault, "backend", "%.*s", SPAN_ARG(d->mail.text));
	fault_fact(&fault, "how", "mail.listen has its address");
	fault_fact(&fault, "how_de", "mail.listen hat seine Adresse");
	findings_add(f, &fault);
}

void findings_loops(struct findings *f, const struct settings *s, const struct snapshot *domains)
{
	static int yes, no; /* what a mail server was found to be */
	struct ifaddrs *own = NULL;
	struct map seen;

	if (s->mail.listen.n + s->mail.listen_tls.n == 0)
		return;
	if (getifaddrs(&own) < 0)
		own = NULL;
	map_init(&seen);
	for (unsigned i = 0; i < snapshot_count(domains); i++) {
		const struct domain *d = snapshot_at(domains, i);
		int *is;

		if (d->mail.host.n == 0)
			continue;
		is = map_find(&seen, d->mail.text);
		if (!is && seen.count < HOSTS_MAX) {
			is = is_ours(s, own, &d->mail) ? &yes : &no;
			map_put(&seen, d->mail.text, is);
		}
		if (is == &yes)
			add_loop(f, d);
	}
	map_done(&seen);
	if (own)
		freeifaddrs(own);
}
