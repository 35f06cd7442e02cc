/*
 * An upstream's answer to the question that it repeats. What is kept is a message in which every
 * record can be read, holds nothing for names outside the chain, and stays the same when it is read
 * again.
 */
#include "base/mem.h"
#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct span message, unsigned *ret_records)
{
	struct dns_reader r;
	struct dns_header h;
	struct dns_question q;
	struct dns_record record;

	dns_reader_init(&r, message);
	dns_read_header(&r, &h);
	dns_read_question(&r, &q);
	must(h.questions == 1 && h.additionals == 0);
	*ret_records = h.answers + h.authorities;
	for (unsigned i = 0; i < *ret_records; i++)
		dns_read_record(&r, &record);
	must(!r.error && r.at == r.n);
}

static void check_client(struct dns_answer *a, const struct dns_question *q, size_t max)
{
	uint8_t query[DNS_QUERY_MAX], *out = mem_alloc(max);
	struct dns_edns edns = { .udp_size = 4096, .ede = DNS_EDE_NONE };
	size_t n = dns_query_write(q, 1, DNS_RD, &edns, query);
	struct dns_query client;

	/* OPT is no question that a client may ask. */
	if (dns_query_parse(span_make(query, n), &client) == 0) {
		n = dns_answer_write(a, &client, 10, true, out, max);
		must(n >= DNS_HEADER_SIZE && n <= max && dns_response_matches(span_make(out, n), 1, q));
	}
	mem_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_make(data, size);
	struct dns_answer *a, *again;
	struct dns_question q;
	struct dns_header h;
	struct dns_reader r;
	unsigned n, n_again;
	int ede = dns_response_ede(message);

	must(ede >= DNS_EDE_NONE && ede <= UINT16_MAX);
	dns_reader_init(&r, message);
	dns_read_header(&r, &h);
	dns_read_question(&r, &q);
	if (r.error || h.questions != 1 || dns_answer_read(message, &q, &a) < 0)
		return 0;
	dns_name_lower(&q.name);
	check_message(dns_answer_message(a), &n);
	check_client(a, &q, DNS_UDP_PLAIN);
	check_client(a, &q, DNS_MESSAGE_MAX);
	/* A DNAME that led nowhere, or a signature without its record, was kept for nothing; never
	 * is anything added. */
	if (dns_answer_read(dns_answer_message(a), &q, &again) == 0) {
		check_message(dns_answer_message(again), &n_again);
		must(n_again <= n);
		dns_answer_unref(again);
	}
	dns_answer_unref(a);
	return 0;
}
