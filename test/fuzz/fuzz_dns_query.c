/* A client's question: what was understood is repeated as it was written, and what is answered is a
 * message that says so. */
#include <errno.h>
#include "base/mem.h"
#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reply has the client's id and question, the code, and nothing behind its OPT record. */
static void check_reply(const struct dns_query *q, unsigned rcode)
{
	uint8_t out[DNS_UDP_PLAIN];
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;
	size_t n = dns_reply_empty(q, DNS_RA, rcode, DNS_EDE_NOT_SUPPORTED, out, sizeof(out));

	must(n >= DNS_HEADER_SIZE);
	dns_reader_init(&r, span_make(out, n));
	dns_read_header(&r, &h);
	must(h.id == q->id && h.flags & DNS_QR && (h.flags & DNS_RCODE) == (rcode & DNS_RCODE));
	must(h.questions == (q->question_n > 0) && h.additionals == q->edns.present);
	must(q->question_n == 0 || memcmp(out + DNS_HEADER_SIZE, q->question, q->question_n) == 0);
	r.at += q->question_n;
	if (q->edns.present)
		dns_read_record(&r, &record);
	must(!r.error && r.at == r.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query q;
	int rcode = dns_query_parse(span_make(data, size), &q);
	size_t limit;

	must(rcode == -EPROTO || rcode == 0 || rcode == DNS_FORMERR || rcode == DNS_NOTIMP || rcode == DNS_BADVERS);
	if (rcode == -EPROTO)
		return 0;
	check_reply(&q, (unsigned)rcode);
	if (rcode != 0)
		return 0;
	must(q.question_n == q.q.name.n + 4 && q.question == data + DNS_HEADER_SIZE);
	for (unsigned i = 0; i < q.q.name.n; i++)
		must(ascii_lower((char)q.question[i]) == (char)q.q.name.p[i]);
	limit = dns_udp_limit(&q);
	must(limit >= DNS_UDP_PLAIN && limit <= DNS_UDP_MAX);
	return 0;
}
