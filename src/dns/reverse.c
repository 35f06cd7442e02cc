/*
 * The name of an address, as mail servers want it: PTR, then the name's addresses, of which one has
 * to be the address again; anybody can write any name into his own PTR.
 */
#include <errno.h>
#include <stdio.h>
#include "dns/resolver_priv.h"

#define NAMES_MAX 4 /* of an address that are tried */
#define ADDRS_MAX 32

/* 4.3.2.1.in-addr.arpa (RFC 1035 3.5), nibbles under ip6.arpa (RFC 3596 2.5). False: neither. */
static bool reverse_name(const struct net_addr *a, struct dns_name *ret)
{
	const uint8_t *b = a->sa.sa_family == AF_INET6 ? a->in6.sin6_addr.s6_addr : (const uint8_t *)&a->in.sin_addr;
	char text[80];
	int n = 0;

	if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		b += 12;
	else if (a->sa.sa_family == AF_INET6)
		for (int i = 15; i >= 0; i--)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%x.%x.", b[i] & 15, b[i] >> 4);
	else if (a->sa.sa_family != AF_INET)
		return false;
	if (n > 0)
		snprintf(text + n, sizeof(text) - (size_t)n, "ip6.arpa");
	else
		snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
	return dns_name_parse(span_of(text), ret) == 0;
}

/* Letters, digits, hyphens, underscores and dots, and no address. */
static bool is_host_name(const char *text)
{
	struct net_addr a;

	for (const char *c = text; *c; c++)
		if (!ascii_digit(*c) && !strchr("-_.", *c) && (ascii_lower(*c) < 'a' || ascii_lower(*c) > 'z'))
			return false;
	return strcmp(text, ".") != 0 && net_addr_parse_host(span_of(text), &a) < 0;
}

/* 1: it has the address, 0: it has not, or -errno. */
static int has_address(const char *name, const struct net_addr *a, uint64_t deadline)
{
	struct net_addr found[ADDRS_MAX];
	int n = dns_resolve(span_of(name), 0, found, ADDRS_MAX, deadline);

	for (int i = 0; i < n; i++)
		if (net_addr_eq_host(&found[i], a))
			return 1;
	return n >= 0 || n == -ENOENT ? 0 : n;
}

/* The next name of the answer that is one of a host. */
static bool next_name(const struct dns_answer *answer, size_t *at, char ret[DNS_NAME_TEXT_SIZE])
{
	struct span message = dns_answer_message(answer), data;
	uint32_t ttl;

	while (dns_answer_next(answer, DNS_TYPE_PTR, at, &data, &ttl)) {
		struct dns_reader r;
		struct dns_name name;

		dns_reader_init(&r, message);
		r.at = (size_t)(data.p - message.p);
		dns_read_name(&r, &name);
		if (!r.error && dns_name_text(&name, ret) > 0 && is_host_name(ret))
			return true;
	}
	return false;
}

/* Looks for a name that has the address; the first stays if none has. */
static int confirm(const struct dns_answer *answer, const struct net_addr *a, uint64_t deadline,
	char ret_name[DNS_NAME_TEXT_SIZE], bool *ret_confirmed)
{
	char name[DNS_NAME_TEXT_SIZE];
	int r = 0, error = 0;
	size_t at = 0;

	for (unsigned i = 0; i < NAMES_MAX && r != 1 && next_name(answer, &at, name); i++) {
		r = has_address(name, a, deadline);
		error = r < 0 ? r : error;
		if (i == 0 || r == 1)
			memcpy(ret_name, name, sizeof(name));
	}
	*ret_confirmed = r == 1;
	return r == 1 ? 0 : error;
}

int dns_reverse(const struct net_addr *a, uint64_t deadline, char ret_name[DNS_NAME_TEXT_SIZE], bool *ret_confirmed)
{
	struct dns_question q = { .type = DNS_TYPE_PTR, .klass = DNS_CLASS_IN };
	struct dns_result result;
	int r;

	*ret_name = '\0';
	*ret_confirmed = false;
	if (!reverse_name(a, &q.name))
		return 0;
	if (!dns_client)
		return -EAGAIN;
	r = dns_query(&q, 0, deadline, &result);
	if (r < 0)
		return r;
	if (!result.answer)
		r = -EAGAIN;
	else if (dns_answer_rcode(result.answer) == DNS_NOERROR)
		r = confirm(result.answer, a, deadline, ret_name, ret_confirmed);
	else if (dns_answer_rcode(result.answer) != DNS_NXDOMAIN)
		r = -EAGAIN;
	dns_answer_unref(result.answer);
	return r;
}
