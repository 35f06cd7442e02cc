/*
 * From an origin's name to a connection: resolve, connect to its addresses in turn, TLS for https.
 *
 * The resolver keeps an answer for its TTL and is asked again each second, or at once when
 * connecting failed; an older answer is used when it fails. A kept connection to an address that is
 * no longer one of the name's is not used again.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "origin/origin_priv.h"

void origin_fault(struct fault *fault, const struct origin *o, int error, enum fault_code timeout_code)
{
	enum fault_code code;

	switch (error) {
	case -ECONNREFUSED:
		code = FAULT_ORIGIN_REFUSED;
		break;
	case -ETIMEDOUT:
		code = timeout_code;
		break;
	case -ECONNRESET:
	case -EPIPE:
	case -EPROTO:
		code = FAULT_ORIGIN_BROKE_OFF;
		break;
	default:
		code = FAULT_ORIGIN_UNREACHABLE;
	}
	fault_set(fault, code);
	fault_fact(fault, "origin", "%s", o->text);
	fault_fact(fault, "error", "%s", strerror(-error));
}

/* The addresses known by now, resolved anew if they are old. Their number, or -errno. */
static int addresses(struct origin *o, uint64_t deadline, struct net_addr ret[ORIGIN_ADDRS_MAX])
{
	struct net_addr fresh[ORIGIN_ADDRS_MAX];
	uint64_t now = loop_now_ms();
	bool old;
	int n, r;

	pthread_mutex_lock(&o->lock);
	n = (int)o->addrs_n;
	if (n > 0)
		memcpy(ret, o->addrs, (size_t)n * sizeof(*ret));
	old = o->resolved_ms == 0 || now - o->resolved_ms > ORIGIN_RESOLVE_MS;
	pthread_mutex_unlock(&o->lock);
	if (n > 0 && !old)
		return n;
	if (net_addr_parse(span_of(o->host), o->port, &fresh[0]) == 0)
		r = 1;
	else
		r = dns_resolve(span_of(o->host), o->port, fresh, ORIGIN_ADDRS_MAX, deadline);
	if (r <= 0)
		return n > 0 ? n : r < 0 ? r : -ENOENT;
	pthread_mutex_lock(&o->lock);
	if (!o->addrs)
		o->addrs = mem_zalloc(ORIGIN_ADDRS_MAX, sizeof(*o->addrs));
	memcpy(o->addrs, fresh, (size_t)r * sizeof(*fresh));
	o->addrs_n = (unsigned)r;
	o->resolved_ms = now;
	pthread_mutex_unlock(&o->lock);
	memcpy(ret, fresh, (size_t)r * sizeof(*ret));
	return r;
}

bool origin_is_at(struct origin *o, const struct net_addr *a)
{
	bool found = false;

	pthread_mutex_lock(&o->lock);
	for (unsigned i = 0; i < o->addrs_n; i++)
		found = found || net_addr_eq(&o->addrs[i], a);
	pthread_mutex_unlock(&o->lock);
	return found;
}

void origin_resolve_again(struct origin *o, uint64_t deadline)
{
	struct net_addr addrs[ORIGIN_ADDRS_MAX];

	addresses(o, deadline, addrs);
}

/* What is believed of the name failed: it is asked for again at the next try. */
static void forget_time(struct origin *o)
{
	pthread_mutex_lock(&o->lock);
	o->resolved_ms = 0;
	pthread_mutex_unlock(&o->lock);
}

static struct conn *connect_any(struct origin *o, uint64_t deadline, struct fault *fault)
{
	struct net_addr addrs[ORIGIN_ADDRS_MAX];
	int n = addresses(o, deadline, addrs);
	int error = n;
	struct conn *c;

	if (n < 0 && n != -ETIMEDOUT) {
		fault_set(fault, FAULT_ORIGIN_NAME_UNKNOWN);
		fault_fact(fault, "origin", "%s", o->text);
		fault_fact(fault, "name", "%s", o->host);
		return NULL;
	}
	c = conn_connect_any(addrs, n, deadline, &error);
	if (!c) {
		forget_time(o);
		origin_fault(fault, o, error, FAULT_ORIGIN_CONNECT_TIMEOUT);
	}
	return c;
}

struct conn *origin_connect(struct origin *o, const struct domain *site, struct span name, struct fault *fault)
{
	uint64_t deadline = deadline_in(site->connect_timeout_ms);
	struct tls_client_settings tls = { .name = name, .no_verify = !site->origin_verify };
	struct conn *c = connect_any(o, deadline, fault);
	struct fault why;

	if (!c || !o->tls)
		return c;
	if (tls_connect(c, &tls, deadline, &why) == 0)
		return c;
	fault_set(fault, FAULT_ORIGIN_TLS_FAILED);
	fault_fact(fault, "origin", "%s", o->text);
	fault_fact(fault, "name", "%.*s", SPAN_ARG(name));
	fault_fact(fault, "code", "%s", fault_code_text(why.code));
	fault_fact(fault, "error", "%.*s", SPAN_ARG(fault_value(&why, "error")));
	return conn_close(c);
}
