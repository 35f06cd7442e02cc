/*
 * Reading a message. The reader never leaves it; once something does not fit, everything that
 * follows reads as zeros.
 *
 * A pointer must lead to before the beginning of the part of the name that it ends (RFC 1035 4.1.4:
 * "a prior occurrence"), so each jump goes further back. A pointer may lead to a pointer, but
 * nobody needs more jumps than a name can have labels: with more it is malformed, and no message
 * can make a name expensive.
 */
#include "dns/dns_priv.h"

#define POINTER   0xc0
#define JUMPS_MAX 127

void dns_reader_init(struct dns_reader *r, struct span message)
{
	*r = (struct dns_reader){ .p = (const uint8_t *)message.p, .n = message.n };
}

static const uint8_t *take(struct dns_reader *r, size_t n)
{
	const uint8_t *p = r->p + r->at;

	if (r->error || n > r->n - r->at) {
		r->error = true;
		return NULL;
	}
	r->at += n;
	return p;
}

uint8_t dns_read_u8(struct dns_reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? p[0] : 0;
}

uint16_t dns_read_u16(struct dns_reader *r)
{
	const uint8_t *p = take(r, 2);

	return p ? dns_get_u16(p) : 0;
}

uint32_t dns_read_u32(struct dns_reader *r)
{
	const uint8_t *p = take(r, 4);

	return p ? (uint32_t)dns_get_u16(p) << 16 | dns_get_u16(p + 2) : 0;
}

struct span dns_read_bytes(struct dns_reader *r, size_t n)
{
	const uint8_t *p = take(r, n);

	return p ? span_make(p, n) : (struct span){ 0 };
}

/* Moves *at to where the pointer at *at leads. False: that is not before limit, which becomes the
 * new limit. */
static bool jump(const struct dns_reader *r, size_t *at, size_t *limit)
{
	size_t to;

	if (*at + 2 > r->n)
		return false;
	to = dns_get_u16(r->p + *at) & 0x3fff;
	if (to >= *limit || to < DNS_HEADER_SIZE)
		return false;
	*at = *limit = to;
	return true;
}

/* The name at `at` into name (may be NULL), *ret_end is behind it. */
static bool read_name(const struct dns_reader *r, size_t at, struct dns_name *name, size_t *ret_end)
{
	size_t limit = at, n = 0;
	unsigned jumps = 0;

	for (;;) {
		uint8_t length;

		if (at >= r->n)
			return false;
		length = r->p[at];
		if ((length & POINTER) == POINTER) {
			if (jumps == 0)
				*ret_end = at + 2;
			if (++jumps > JUMPS_MAX || !jump(r, &at, &limit))
				return false;
			continue;
		}
		if (length > DNS_LABEL_MAX || at + 1 + length > r->n || n + 1 + length > DNS_NAME_MAX)
			return false;
		if (name)
			memcpy(name->p + n, r->p + at, 1u + length);
		n += 1u + length;
		at += 1u + length;
		if (length == 0)
			break;
	}
	if (jumps == 0)
		*ret_end = at;
	if (name)
		name->n = (uint8_t)n;
	return true;
}

static void name_into(struct dns_reader *r, struct dns_name *ret)
{
	size_t end;

	if (ret) {
		ret->n = 1;
		ret->p[0] = 0;
	}
	if (r->error)
		return;
	if (read_name(r, r->at, ret, &end)) {
		r->at = end;
		return;
	}
	r->error = true;
	if (ret) {
		ret->n = 1;
		ret->p[0] = 0;
	}
}

void dns_read_name(struct dns_reader *r, struct dns_name *ret)
{
	name_into(r, ret);
}

void dns_skip_name(struct dns_reader *r)
{
	name_into(r, NULL);
}

void dns_read_header(struct dns_reader *r, struct dns_header *ret)
{
	ret->id = dns_read_u16(r);
	ret->flags = dns_read_u16(r);
	ret->questions = dns_read_u16(r);
	ret->answers = dns_read_u16(r);
	ret->authorities = dns_read_u16(r);
	ret->additionals = dns_read_u16(r);
}

void dns_read_question(struct dns_reader *r, struct dns_question *ret)
{
	dns_read_name(r, &ret->name);
	ret->type = dns_read_u16(r);
	ret->klass = dns_read_u16(r);
}

void dns_read_record(struct dns_reader *r, struct dns_record *ret)
{
	dns_read_name(r, &ret->name);
	ret->type = dns_read_u16(r);
	ret->klass = dns_read_u16(r);
	ret->ttl = dns_read_u32(r);
	if (ret->ttl > INT32_MAX)
		ret->ttl = 0;
	ret->rdata_n = dns_read_u16(r);
	ret->rdata_at = r->at;
	take(r, ret->rdata_n);
}
