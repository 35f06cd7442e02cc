/*
 * Questions: a client's, read strictly (RFC 1035 4.1, RFC 6891 6.1), ours, and whether an answer
 * belongs to one of ours (RFC 5452 9.1).
 *
 * One message, one question. Whatever does not add up (counts that lie, two OPT records, bytes
 * behind the last record) is FORMERR, with the question repeated as far as it could be read.
 */
#include <errno.h>
#include "dns/dns_priv.h"

/* The question right behind the header, where there is nothing that a pointer could lead to. */
static bool read_question(struct dns_reader *r, struct dns_query *q)
{
	size_t start = r->at;
	const uint8_t *p = r->p;
	unsigned n = 0;

	for (;;) {
		unsigned length;

		if (r->at + n >= r->n)
			return false;
		length = p[r->at + n];
		if (length > DNS_LABEL_MAX || n + 1 + length > DNS_NAME_MAX || r->at + n + 1 + length > r->n)
			return false;
		for (unsigned i = 0; i <= length; i++)
			q->q.name.p[n + i] = (uint8_t)ascii_lower((char)p[r->at + n + i]);
		n += 1 + length;
		if (length == 0)
			break;
	}
	q->q.name.n = (uint8_t)n;
	r->at += n;
	q->q.type = dns_read_u16(r);
	q->q.klass = dns_read_u16(r);
	if (r->error)
		return false;
	q->question = p + start;
	q->question_n = (uint16_t)(r->at - start);
	return true;
}

/* The options of an OPT record; the first extended error is kept. */
static bool read_options(struct dns_reader r, const struct dns_record *record, struct dns_edns *e)
{
	r.at = record->rdata_at;
	r.n = record->rdata_at + record->rdata_n;
	while (!r.error && r.at < r.n) {
		uint16_t option = dns_read_u16(&r), n = dns_read_u16(&r);
		struct span data = dns_read_bytes(&r, n);

		if (option == DNS_OPTION_EDE && n >= 2 && data.p && e->ede < 0)
			e->ede = dns_get_u16((const uint8_t *)data.p);
	}
	return !r.error;
}

/* What an OPT record says; a second one, or one with a name, is malformed (RFC 6891 6.1.1). */
static bool read_opt(const struct dns_reader *r, const struct dns_record *record, struct dns_edns *e)
{
	uint8_t high = r->p[record->rdata_at - 6], version = r->p[record->rdata_at - 5];

	if (e->present || record->name.n != 1)
		return false;
	*e = (struct dns_edns){ .present = true,
		.version = version,
		.rcode_high = high,
		.udp_size = record->klass,
		.dnssec_ok = r->p[record->rdata_at - 4] & 0x80,
		.ede = DNS_EDE_NONE };
	return read_options(*r, record, e);
}

static bool read_records(struct dns_reader *r, const struct dns_header *h, struct dns_edns *edns)
{
	unsigned before = h->answers + h->authorities, n = before + h->additionals;
	struct dns_record record;

	for (unsigned i = 0; i < n; i++) {
		dns_read_record(r, &record);
		if (r->error)
			return false;
		if (record.type == DNS_TYPE_OPT && (i < before || !read_opt(r, &record, edns)))
			return false;
	}
	return r->at == r->n;
}

int dns_query_parse(struct span message, struct dns_query *ret)
{
	struct dns_reader r;
	struct dns_header h;

	ret->question_n = 0;
	ret->edns = (struct dns_edns){ .ede = DNS_EDE_NONE };
	dns_reader_init(&r, message);
	dns_read_header(&r, &h);
	if (r.error || h.flags & DNS_QR)
		return -EPROTO;
	ret->id = h.id;
	ret->flags = h.flags;
	if (h.flags & DNS_OPCODE) {
		if (h.questions == 1)
			read_question(&r, ret);
		return DNS_NOTIMP;
	}
	if (h.questions != 1 || !read_question(&r, ret) || !read_records(&r, &h, &ret->edns))
		return DNS_FORMERR;
	if (ret->edns.present && ret->edns.version != 0)
		return DNS_BADVERS;
	return ret->q.type == DNS_TYPE_OPT ? DNS_FORMERR : 0;
}

size_t dns_query_write(const struct dns_question *q, uint16_t id, uint16_t flags, const struct dns_edns *edns,
	uint8_t out[DNS_QUERY_MAX])
{
	struct dns_header h = { .id = id, .flags = flags, .questions = 1, .additionals = edns ? 1 : 0 };
	struct dns_writer w;

	dns_writer_init(&w, out, DNS_QUERY_MAX);
	dns_write_header(&w, &h);
	dns_write_name(&w, &q->name, false);
	dns_write_u16(&w, q->type);
	dns_write_u16(&w, q->klass);
	if (edns)
		dns_write_edns(&w, edns);
	must(!w.error);
	return w.n;
}

/* Those with which a server says that it could not even read the question. */
static bool may_lack_question(unsigned rcode)
{
	return rcode == DNS_FORMERR || rcode == DNS_NOTIMP || rcode == DNS_SERVFAIL || rcode == DNS_REFUSED;
}

bool dns_response_matches(struct span message, uint16_t id, const struct dns_question *q)
{
	struct dns_reader r;
	struct dns_header h;
	struct dns_question repeated;

	dns_reader_init(&r, message);
	dns_read_header(&r, &h);
	if (r.error || h.id != id || !(h.flags & DNS_QR) || h.flags & DNS_OPCODE)
		return false;
	if (h.questions == 0)
		return may_lack_question(h.flags & DNS_RCODE);
	dns_read_question(&r, &repeated);
	return !r.error && h.questions == 1 && repeated.type == q->type && repeated.klass == q->klass &&
		dns_name_eq(&repeated.name, &q->name);
}

int dns_response_ede(struct span message)
{
	struct dns_edns edns = { .ede = DNS_EDE_NONE };
	struct dns_reader r;
	struct dns_header h;

	dns_reader_init(&r, message);
	dns_read_header(&r, &h);
	for (unsigned i = 0; i < h.questions && !r.error; i++) {
		dns_skip_name(&r);
		dns_read_u32(&r);
	}
	return !r.error && read_records(&r, &h, &edns) ? edns.ede : DNS_EDE_NONE;
}

size_t dns_udp_limit(const struct dns_query *q)
{
	if (!q->edns.present || q->edns.udp_size < DNS_UDP_PLAIN)
		return DNS_UDP_PLAIN;
	return q->edns.udp_size < DNS_UDP_MAX ? q->edns.udp_size : DNS_UDP_MAX;
}

size_t dns_reply_empty(const struct dns_query *q, uint16_t flags, unsigned rcode, int ede, uint8_t *out, size_t max)
{
	struct dns_header h = { .id = q->id,
		.flags = (uint16_t)(DNS_QR | (q->flags & (DNS_OPCODE | DNS_RD | DNS_CD)) | flags | (rcode & DNS_RCODE)),
		.questions = q->question_n > 0,
		.additionals = q->edns.present };
	struct dns_edns edns = { .udp_size = DNS_UDP_MAX,
		.dnssec_ok = q->edns.dnssec_ok,
		.rcode_high = (uint8_t)(rcode >> 4),
		.ede = ede };
	struct dns_writer w;

	dns_writer_init(&w, out, max);
	dns_write_header(&w, &h);
	dns_write_bytes(&w, q->question, q->question_n);
	if (q->edns.present)
		dns_write_edns(&w, &edns);
	return w.error ? 0 : w.n;
}
