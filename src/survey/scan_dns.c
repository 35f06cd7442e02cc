/*
 * A validating resolver for surveys. See survey/scan_dns.h.
 *
 * libunbound's contexts may be used by several threads at once; each question blocks a helper
 * thread of its own.
 */
#include "survey/scan_dns.h"
#include <errno.h>
#include <unbound.h>
#include <unistd.h>
#include "base/mem.h"
#include "dns/dns.h"
#include "io/helper.h"

struct scan_dns {
	struct ub_ctx *ctx;
};

struct scan_dns *scan_dns_free(struct scan_dns *d)
{
	if (d)
		ub_ctx_delete(d->ctx);
	return mem_free(d);
}

static int set_up(struct ub_ctx *ctx, const char *resolver, const char *anchor)
{
	int r;

	/* A resolver on this machine is as good as any. */
	r = ub_ctx_set_option(ctx, "do-not-query-localhost:", "no");
	if (r == 0)
		r = resolver ? ub_ctx_set_fwd(ctx, resolver) : ub_ctx_resolvconf(ctx, NULL);
	if (r == 0 && !resolver)
		r = ub_ctx_hosts(ctx, NULL);
	if (r == 0 && (anchor || access(SCAN_ANCHOR, R_OK) == 0))
		r = ub_ctx_add_ta_file(ctx, anchor ? anchor : SCAN_ANCHOR);
	return r;
}

const char *scan_dns_error_text(int error)
{
	return error == -ENOENT       ? "there is no such name"
		: error == -EBADMSG   ? "its DNSSEC proof fails"
		: error == -ETIMEDOUT ? "the resolver does not answer"
				      : "no usable answer from the resolver";
}

struct scan_dns *scan_dns_new(const char *resolver, const char *anchor, const char **ret_why)
{
	struct scan_dns *d = mem_new(struct scan_dns);
	int r;

	d->ctx = ub_ctx_create();
	must(d->ctx);
	if (anchor && access(anchor, R_OK) < 0) {
		*ret_why = strerror(errno);
		return scan_dns_free(d);
	}
	r = set_up(d->ctx, resolver, anchor);
	if (r == 0)
		return d;
	*ret_why = ub_strerror(r);
	return scan_dns_free(d);
}

/* ---- questions ---- */

struct question {
	struct scan_dns *dns;
	const char *name;
	int type;
	struct ub_result *result;
	int error; /* of libunbound */
};

static void ask(void *arg)
{
	struct question *q = arg;

	q->error = ub_resolve(q->dns->ctx, q->name, q->type, DNS_CLASS_IN, &q->result);
}

static int read_result(const struct ub_result *r, struct arena *a, struct scan_answer *ret)
{
	ret->secure = r->secure;
	ret->bogus = r->bogus;
	if (r->bogus)
		return -EBADMSG;
	if (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN)
		return -EAGAIN;
	if (!r->havedata)
		return -ENOENT;
	for (unsigned i = 0; r->data[i] && ret->n < SCAN_RECORDS_MAX; i++)
		ret->v[ret->n++] = arena_span(a, span_make(r->data[i], (size_t)r->len[i]));
	return 0;
}

int scan_dns_ask(struct scan_dns *d, struct span name, unsigned type, struct arena *a, struct scan_answer *ret)
{
	struct question q = { .dns = d, .name = arena_text(a, name), .type = (int)type };
	int r;

	*ret = (struct scan_answer){ 0 };
	r = helper_run(ask, &q);
	if (r < 0)
		return r;
	if (q.error || !q.result)
		return -EAGAIN;
	r = read_result(q.result, a, ret);
	ub_resolve_free(q.result);
	return r;
}

int scan_dns_addresses(struct scan_dns *d, struct span name, uint16_t port, struct arena *a, struct net_addr *ret,
	unsigned max)
{
	static const unsigned types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	int error = -ENOENT;
	unsigned n = 0;

	for (size_t t = 0; t < array_len(types); t++) {
		struct scan_answer answer;
		int r = scan_dns_ask(d, name, types[t], a, &answer);

		if (r == -EAGAIN || r == -EBADMSG)
			error = r;
		for (unsigned i = 0; i < answer.n && n < max; i++) {
			bool v6 = types[t] == DNS_TYPE_AAAA;

			if (answer.v[i].n != (v6 ? 16 : 4))
				continue;
			ret[n] = (struct net_addr){ .n = v6 ? sizeof(ret->in6) : sizeof(ret->in) };
			ret[n].sa.sa_family = v6 ? AF_INET6 : AF_INET;
			memcpy(v6 ? (void *)&ret[n].in6.sin6_addr : (void *)&ret[n].in.sin_addr, answer.v[i].p,
				answer.v[i].n);
			net_addr_set_port(&ret[n++], port);
		}
	}
	return n ? (int)n : error;
}
