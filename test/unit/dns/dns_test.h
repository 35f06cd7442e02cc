/* What the tests of dns/ share: names from text, and messages that are written as one reads
 * them. */
#pragma once
#include "unit.h"
#include "base/mem.h"
#include "dns/dns.h"

static inline struct dns_name dns_name_of(const char *text)
{
	struct dns_name name;

	assert_int_equal(dns_name_parse(span_of(text), &name), 0);
	return name;
}

static inline struct dns_question dns_question_of(const char *name, uint16_t type)
{
	return (struct dns_question){ .name = dns_name_of(name), .type = type, .klass = DNS_CLASS_IN };
}

/* A message under construction; counts are kept in its header. */
struct dns_message {
	struct dns_writer w;
	uint8_t p[8192];
};

static inline void dns_message_count(struct dns_message *m, unsigned at)
{
	dns_put_u16(m->p + at, (uint16_t)(dns_get_u16(m->p + at) + 1));
}

static inline void dns_message_begin(struct dns_message *m, uint16_t id, unsigned flags)
{
	struct dns_header h = { .id = id, .flags = (uint16_t)flags };

	dns_writer_init(&m->w, m->p, sizeof(m->p));
	dns_write_header(&m->w, &h);
}

static inline void dns_message_question(struct dns_message *m, const char *name, uint16_t type)
{
	struct dns_name n = dns_name_of(name);

	dns_write_name(&m->w, &n, true);
	dns_write_u16(&m->w, type);
	dns_write_u16(&m->w, DNS_CLASS_IN);
	dns_message_count(m, 4);
}

/* section: 6, 8 or 10, the place of its count. data: hexadecimal digits, or "@name", or
 * "NUMBER@name" (of MX). */
static inline void dns_message_record(struct dns_message *m, unsigned section, const char *name, uint16_t type,
	uint32_t ttl, const char *data)
{
	struct dns_name n = dns_name_of(name), target;
	const char *at = strchr(data, '@');
	size_t length_at;
	uint8_t bytes[512];

	dns_write_name(&m->w, &n, true);
	dns_write_u16(&m->w, type);
	dns_write_u16(&m->w, DNS_CLASS_IN);
	dns_write_u32(&m->w, ttl);
	length_at = m->w.n;
	dns_write_u16(&m->w, 0);
	if (at) {
		if (at > data)
			dns_write_u16(&m->w, (uint16_t)strtoul(data, NULL, 10));
		target = dns_name_of(at + 1);
		dns_write_name(&m->w, &target, true);
	} else {
		assert_int_equal(span_from_hex(span_of(data), bytes, strlen(data) / 2), 0);
		dns_write_bytes(&m->w, bytes, strlen(data) / 2);
	}
	dns_put_u16(m->p + length_at, (uint16_t)(m->w.n - length_at - 2));
	dns_message_count(m, section);
	assert_false(m->w.error);
}

/* An SOA of zone in the authority section. */
static inline void dns_message_soa(struct dns_message *m, const char *zone, uint32_t ttl, uint32_t minimum)
{
	char data[64];

	snprintf(data, sizeof(data), "0000%08x%08x%08x%08x%08x", 1u, 2u, 3u, 4u, minimum);
	dns_message_record(m, 8, zone, DNS_TYPE_SOA, ttl, data);
}

static inline struct span dns_message_span(const struct dns_message *m)
{
	return span_make(m->p, m->w.n);
}
