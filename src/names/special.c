/*
 * The table of RFC 6303 4, with 100.64.0.0/10 (RFC 7793) and localhost. A zone that is a row of
 * numbers (172.16 to 172.31) is one line with a range.
 */
#include <stdio.h>
#include "names/special.h"

static const struct {
	const char *zone;  /* behind the number, if there is a range */
	unsigned from, to; /* of its first label; 0, 0: none */
	bool is_private;
} zones[] = {
	{ "localhost", 0, 0, false },
	{ "10.in-addr.arpa", 0, 0, true },
	{ "172.in-addr.arpa", 16, 31, true },
	{ "168.192.in-addr.arpa", 0, 0, true },
	{ "100.in-addr.arpa", 64, 127, true },
	{ "0.in-addr.arpa", 0, 0, false },
	{ "127.in-addr.arpa", 0, 0, false },
	{ "254.169.in-addr.arpa", 0, 0, true },
	{ "2.0.192.in-addr.arpa", 0, 0, false },
	{ "100.51.198.in-addr.arpa", 0, 0, false },
	{ "113.0.203.in-addr.arpa", 0, 0, false },
	{ "255.255.255.255.in-addr.arpa", 0, 0, false },
	{ "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", 0, 0, false },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", 0, 0, false },
	{ "c.f.ip6.arpa", 0, 0, true },
	{ "d.f.ip6.arpa", 0, 0, true },
	{ "8.e.f.ip6.arpa", 0, 0, true },
	{ "9.e.f.ip6.arpa", 0, 0, true },
	{ "a.e.f.ip6.arpa", 0, 0, true },
	{ "b.e.f.ip6.arpa", 0, 0, true },
	{ "8.b.d.0.1.0.0.2.ip6.arpa", 0, 0, false },
};

/* Its last label, in a name of at least one. */
static struct span last_label(const struct dns_name *name)
{
	unsigned at = 0;

	while (name->p[at] != 0 && at + 1u + name->p[at] + 1 < name->n)
		at += 1u + name->p[at];
	return span_make(name->p + at + 1, name->p[at]);
}

static bool is_under(const struct dns_name *name, const char *text, struct dns_name *zone)
{
	return dns_name_parse(span_of(text), zone) == 0 && dns_name_under(name, zone);
}

static bool is_in_range(const struct dns_name *name, unsigned i, struct dns_name *zone)
{
	char text[DNS_NAME_TEXT_SIZE];

	if (!is_under(name, zones[i].zone, zone))
		return false;
	for (unsigned number = zones[i].from; number <= zones[i].to; number++) {
		snprintf(text, sizeof(text), "%u.%s", number, zones[i].zone);
		if (is_under(name, text, zone))
			return true;
	}
	return false;
}

static bool is_loopback(const struct dns_name *name, const struct dns_name *zone)
{
	static const struct dns_name v4 = { .n = 24,
		.p = "\1"
		     "1\1"
		     "0\1"
		     "0\3"
		     "127\7in-addr\4arpa" };

	/* Of the zones only that of ::1 begins with a 1, and it is the whole address. */
	return zone->p[1] == 'l' || dns_name_eq(name, &v4) ||
		(dns_name_eq(name, zone) && zone->n > 64 && zone->p[1] == '1');
}

bool special_find(const struct dns_name *name, struct special *ret)
{
	struct span last = last_label(name);

	/* Nearly all names end otherwise. */
	if (!span_eq(last, SPAN("arpa")) && !span_eq(last, SPAN("localhost")))
		return false;
	for (unsigned i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (!(zones[i].to ? is_in_range(name, i, &ret->zone) : is_under(name, zones[i].zone, &ret->zone)))
			continue;
		ret->is = is_loopback(name, &ret->zone) ? SPECIAL_LOOPBACK
			: dns_name_eq(name, &ret->zone) ? SPECIAL_ZONE
							: SPECIAL_NONE;
		ret->reverse = i > 0;
		ret->is_private = zones[i].is_private;
		return true;
	}
	return false;
}
