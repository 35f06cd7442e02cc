/*
 * What is kept of an upstream's answer, and what a client gets of it: the chain, other people's
 * records, negative answers (RFC 2308), names in data (RFC 3597), TTLs, stale answers (RFC 8767),
 * truncation.
 */
#include "dns_test.h"

static struct dns_message m;
static struct dns_question asked;

static void begin(const char *name, uint16_t type, unsigned rcode)
{
	asked = dns_question_of(name, type);
	dns_message_begin(&m, 7, DNS_QR | DNS_RD | DNS_RA | rcode);
	dns_message_question(&m, name, type);
}

static void answer(const char *name, uint16_t type, uint32_t ttl, const char *data)
{
	dns_message_record(&m, 6, name, type, ttl, data);
}

static struct dns_answer *read_it(void)
{
	struct dns_answer *a = NULL;

	assert_int_equal(dns_answer_read(dns_message_span(&m), &asked, &a), 0);
	return a;
}

static void assert_none(void)
{
	struct dns_answer *a = NULL;

	assert_int_equal(dns_answer_read(dns_message_span(&m), &asked, &a), -EPROTO);
}

/* The records of a's answer and authority sections, "name TYPE ttl; …". */
static void assert_kept(const struct dns_answer *a, const char *want)
{
	struct buf text = BUF_INIT(4096);
	char name[DNS_NAME_TEXT_SIZE];
	struct dns_reader r;
	struct dns_header h;
	struct dns_question q;
	struct dns_record record;

	dns_reader_init(&r, dns_answer_message(a));
	dns_read_header(&r, &h);
	dns_read_question(&r, &q);
	for (unsigned i = 0; i < h.answers + h.authorities; i++) {
		dns_read_record(&r, &record);
		dns_name_text(&record.name, name);
		buf_addf(&text, "%s%s %s %u",
			i == 0                   ? ""
				: i == h.answers ? " | "
						 : "; ",
			name, dns_type_text(record.type), record.ttl);
	}
	assert_false(r.error);
	assert_int_equal(r.at, r.n);
	assert_string_equal(text.n ? buf_text(&text) : "", want);
	buf_done(&text);
}

/* ---- keeping ---- */

static void test_addresses(void **state)
{
	struct dns_answer *a;
	struct span data;
	uint32_t ttl;
	size_t at = 0;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 300, "c0000201");
	answer("WWW.example.de", DNS_TYPE_A, 200, "c0000202");
	a = read_it();
	assert_kept(a, "www.example.de A 300; www.example.de A 200");
	assert_int_equal(dns_answer_ttl(a), 200);
	assert_int_equal(dns_answer_rcode(a), DNS_NOERROR);
	assert_true(dns_answer_bytes(a) > 60);
	assert_true(dns_answer_next(a, DNS_TYPE_A, &at, &data, &ttl));
	assert_memory_equal(data.p, "\xc0\0\2\1", 4);
	assert_int_equal(ttl, 300);
	assert_true(dns_answer_next(a, DNS_TYPE_A, &at, &data, &ttl));
	assert_false(dns_answer_next(a, DNS_TYPE_A, &at, &data, &ttl));
	assert_ptr_equal(dns_answer_ref(a), a);
	dns_answer_unref(a);
	assert_null(dns_answer_unref(a));
	assert_null(dns_answer_unref(NULL));
}

static void test_a_chain_in_any_order(void **state)
{
	struct dns_answer *a;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("c.example.net", DNS_TYPE_A, 60, "c0000201");
	answer("b.example.com", DNS_TYPE_CNAME, 50, "@c.example.net");
	answer("www.example.de", DNS_TYPE_CNAME, 300, "@b.example.com");
	a = read_it();
	/* It leaves in the order of its links. */
	assert_kept(a, "www.example.de CNAME 300; b.example.com CNAME 50; c.example.net A 60");
	assert_int_equal(dns_answer_ttl(a), 50);
	dns_answer_unref(a);
	/* Asked for the alias itself, it ends there. */
	begin("www.example.de", DNS_TYPE_CNAME, 0);
	answer("www.example.de", DNS_TYPE_CNAME, 300, "@b.example.com");
	answer("b.example.com", DNS_TYPE_CNAME, 50, "@c.example.net");
	a = read_it();
	assert_kept(a, "www.example.de CNAME 300");
	dns_answer_unref(a);
}

static void test_dname(void **state)
{
	struct dns_answer *a;

	(void)state;
	begin("www.old.example", DNS_TYPE_A, 0);
	answer("old.example", DNS_TYPE_DNAME, 300, "@new.example");
	answer("www.old.example", DNS_TYPE_CNAME, 300, "@www.new.example");
	answer("www.new.example", DNS_TYPE_A, 60, "c0000201");
	answer("other.example", DNS_TYPE_DNAME, 300, "@evil.example");
	a = read_it();
	assert_kept(a, "old.example DNAME 300; www.old.example CNAME 300; www.new.example A 60");
	dns_answer_unref(a);
}

static void test_records_of_others(void **state)
{
	struct dns_answer *a;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("bank.example", DNS_TYPE_A, 86400, "c0000266");
	answer("www.example.de", DNS_TYPE_A, 60, "c0000201");
	answer("www.example.de", DNS_TYPE_TXT, 60, "0161");
	dns_message_record(&m, 8, "example.de", DNS_TYPE_NS, 60, "@ns.evil.example");
	dns_message_soa(&m, "bank.example", 60, 60);
	dns_message_record(&m, 10, "ns.evil.example", DNS_TYPE_A, 60, "c0000266");
	a = read_it();
	assert_kept(a, "www.example.de A 60");
	dns_answer_unref(a);
	/* Nothing but such. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("bank.example", DNS_TYPE_A, 86400, "c0000266");
	assert_none();
	/* Another class. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 60, "c0000201");
	m.p[DNS_HEADER_SIZE + 20 + 2 + 3] = 3;
	assert_none();
}

static void test_no_such_thing(void **state)
{
	struct dns_answer *a;

	(void)state;
	/* RFC 2308 5: the lesser of the SOA's TTL and its minimum. */
	begin("nix.example.de", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_message_soa(&m, "example.de", 3600, 90);
	a = read_it();
	assert_int_equal(dns_answer_rcode(a), DNS_NXDOMAIN);
	assert_int_equal(dns_answer_ttl(a), 90);
	assert_kept(a, "example.de SOA 90");
	dns_answer_unref(a);
	/* And three hours at most. */
	begin("nix.example.de", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_message_soa(&m, "example.de", 86400, 86400);
	a = read_it();
	assert_int_equal(dns_answer_ttl(a), 10800);
	dns_answer_unref(a);
	/* No such data at the end of a chain; the SOA is of its zone. */
	begin("www.example.de", DNS_TYPE_AAAA, 0);
	answer("www.example.de", DNS_TYPE_CNAME, 300, "@www.example.net");
	dns_message_soa(&m, "example.net", 60, 900);
	a = read_it();
	assert_int_equal(dns_answer_ttl(a), 60);
	dns_answer_unref(a);
	/* Without an SOA it is not to be kept. */
	begin("www.example.de", DNS_TYPE_AAAA, 0);
	a = read_it();
	assert_int_equal(dns_answer_ttl(a), 0);
	dns_answer_unref(a);
	/* An SOA of somebody else's zone is none. */
	begin("www.example.de", DNS_TYPE_AAAA, DNS_NXDOMAIN);
	dns_message_soa(&m, "example.net", 60, 900);
	a = read_it();
	assert_int_equal(dns_answer_ttl(a), 0);
	assert_kept(a, "");
	dns_answer_unref(a);
}

static void test_proofs(void **state)
{
	struct dns_answer *a;
	/* RRSIG of A: type, algorithm, labels, TTL, two times, key tag, signer, signature. */
	static const char sig_a[] = "0001"
				    "0d"
				    "02"
				    "0000012c"
				    "00000000"
				    "00000000"
				    "1234"
				    "00"
				    "abcd";
	static const char sig_soa[] = "0006"
				      "0d"
				      "02"
				      "0000012c"
				      "00000000"
				      "00000000"
				      "1234"
				      "00"
				      "abcd";
	/* …of CNAME by example.de, of A by example.net. */
	static const char sig_cname[] = "0005"
					"0d"
					"02"
					"0000012c"
					"00000000"
					"00000000"
					"1234"
					"076578616d706c65026465"
					"00"
					"abcd";
	static const char sig_net[] = "0001"
				      "0d"
				      "03"
				      "0000012c"
				      "00000000"
				      "00000000"
				      "1234"
				      "076578616d706c65036e6574"
				      "00"
				      "abcd";
	static const char nsec[] = "00"
				   "000140";

	(void)state;
	begin("nix.example.de", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_message_soa(&m, "example.de", 3600, 90);
	dns_message_record(&m, 8, "example.de", DNS_TYPE_RRSIG, 3600, sig_soa);
	dns_message_record(&m, 8, "a.example.de", DNS_TYPE_NSEC, 90, nsec);
	dns_message_record(&m, 8, "a.example.net", DNS_TYPE_NSEC, 90, nsec);
	a = read_it();
	assert_kept(a, "example.de SOA 90; example.de RRSIG 3600; a.example.de NSEC 90");
	dns_answer_unref(a);
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 60, "c0000201");
	answer("www.example.de", DNS_TYPE_RRSIG, 60, sig_a);
	answer("www.example.de", DNS_TYPE_RRSIG, 60, sig_soa);
	a = read_it();
	assert_kept(a, "www.example.de A 60; www.example.de RRSIG 60");
	dns_answer_unref(a);
	/* A wildcard's CNAME into another signed zone, where there is nothing: both prove it. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_RRSIG, 60, sig_cname);
	answer("www.example.de", DNS_TYPE_CNAME, 60, "@a.example.net");
	dns_message_record(&m, 8, "v.example.de", DNS_TYPE_NSEC, 90, nsec);
	dns_message_soa(&m, "example.net", 3600, 90);
	dns_message_record(&m, 8, "a.example.net", DNS_TYPE_NSEC, 90, nsec);
	dns_message_record(&m, 8, "a.example.org", DNS_TYPE_NSEC, 90, nsec);
	a = read_it();
	assert_kept(a,
		"www.example.de RRSIG 60; www.example.de CNAME 60 | v.example.de NSEC 90; example.net SOA 90; a.example.net NSEC 90");
	dns_answer_unref(a);
	/* The same with an address there: its zone signs, too. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("a.example.net", DNS_TYPE_A, 60, "c0000201");
	answer("a.example.net", DNS_TYPE_RRSIG, 60, sig_net);
	answer("www.example.de", DNS_TYPE_CNAME, 60, "@a.example.net");
	answer("www.example.de", DNS_TYPE_RRSIG, 60, sig_cname);
	dns_message_record(&m, 8, "v.example.de", DNS_TYPE_NSEC, 90, nsec);
	a = read_it();
	assert_kept(a,
		"www.example.de CNAME 60; www.example.de RRSIG 60; a.example.net A 60; a.example.net RRSIG 60 | v.example.de NSEC 90");
	dns_answer_unref(a);
}

static void test_what_is_no_answer(void **state)
{
	uint8_t saved;

	(void)state;
	/* A referral: name servers, no SOA. */
	begin("www.example.de", DNS_TYPE_A, 0);
	dns_message_record(&m, 8, "example.de", DNS_TYPE_NS, 60, "@ns.example.de");
	assert_none();
	/* Chains without an end. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_CNAME, 60, "@b.example.de");
	answer("b.example.de", DNS_TYPE_CNAME, 60, "@www.example.de");
	assert_none();
	/* Other codes are for the caller. */
	begin("www.example.de", DNS_TYPE_A, DNS_SERVFAIL);
	assert_none();
	/* A code beyond 15 in the OPT record. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 60, "c0000201");
	dns_write_edns(&m.w, &(struct dns_edns){ .udp_size = 1232, .rcode_high = 1, .ede = DNS_EDE_NONE });
	dns_message_count(&m, 10);
	assert_none();
	/* Data that does not fit its type, counts and lengths that lie: cut anywhere, it is no
	 * answer. */
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 60, "c000020100");
	assert_none();
	begin("example.de", DNS_TYPE_MX, 0);
	answer("example.de", DNS_TYPE_MX, 60, "10@mail.example.de");
	for (size_t n = m.w.n; n-- > 0;) {
		struct dns_answer *a = NULL;

		assert_int_equal(dns_answer_read(span_make(m.p, n), &asked, &a), -EPROTO);
	}
	saved = m.p[m.w.n - 1];
	m.p[m.w.n - 1] = 0xff;
	assert_none();
	m.p[m.w.n - 1] = saved;
	dns_answer_unref(read_it());
}

/* Names in data may be pointers into their message: they must not be copied as bytes. */
static void test_names_in_data(void **state)
{
	struct dns_answer *a;
	struct span kept;

	(void)state;
	begin("example.de", DNS_TYPE_MX, 0);
	answer("example.de", DNS_TYPE_MX, 60, "10@mail.example.de");
	a = read_it();
	kept = dns_answer_message(a);
	/* Compressed here (RFC 1035) … */
	assert_memory_equal(kept.p + kept.n - 9, "\0\x0a\4mail\xc0\x0c", 9);
	dns_answer_unref(a);
	/* … and spelled out where newer types have names (RFC 2782, RFC 3597 4), whatever the
	 * sender did. */
	begin("_x._tcp.example.de", DNS_TYPE_SRV, 0);
	answer("_x._tcp.example.de", DNS_TYPE_SRV, 60,
		"000100020003"
		"c014");
	a = read_it();
	kept = dns_answer_message(a);
	assert_memory_equal(kept.p + kept.n - 18, "\0\1\0\2\0\3\7example\2de", 18);
	dns_answer_unref(a);
	/* A type that nobody knows is bytes. */
	begin("example.de", 65280, 0);
	answer("example.de", 65280, 60, "c00cc00c");
	a = read_it();
	kept = dns_answer_message(a);
	assert_memory_equal(kept.p + kept.n - 4, "\xc0\x0c\xc0\x0c", 4);
	dns_answer_unref(a);
}

/* ---- giving ---- */

static struct dns_query client;
static uint8_t client_bytes[DNS_QUERY_MAX];

static void ask(const char *name, uint16_t type, bool edns)
{
	struct dns_question q = dns_question_of(name, type);
	struct dns_edns e = { .udp_size = 4096, .ede = DNS_EDE_NONE };
	size_t n = dns_query_write(&q, 99, DNS_RD, edns ? &e : NULL, client_bytes);

	assert_int_equal(dns_query_parse(span_make(client_bytes, n), &client), 0);
}

static void test_a_client_gets_it(void **state)
{
	struct dns_answer *a;
	uint8_t out[DNS_UDP_MAX];
	size_t n;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 300, "c0000201");
	a = read_it();
	ask("WWW.Example.de", DNS_TYPE_A, true);
	n = dns_answer_write(a, &client, 100, false, out, sizeof(out));
	assert_int_equal(n, DNS_HEADER_SIZE + 20 + 16 + DNS_EDNS_SIZE);
	assert_memory_equal(out, "\0\x63\x81\x80\0\1\0\1\0\0\0\1\3WWW\7Example\2de\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\xc8",
		42);
	/* Older than its TTL: 0, never less. */
	ask("www.example.de", DNS_TYPE_A, false);
	n = dns_answer_write(a, &client, 301, false, out, sizeof(out));
	assert_int_equal(n, DNS_HEADER_SIZE + 20 + 16);
	assert_memory_equal(out + 38, "\0\0\0\0", 4);
	assert_int_equal(out[11], 0);
	dns_answer_unref(a);
}

static void test_another_address_first_each_time(void **state)
{
	uint8_t out[DNS_UDP_MAX], firsts[4];
	struct dns_answer *a;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_CNAME, 300, "@b.example.com");
	for (unsigned i = 1; i <= 3; i++) {
		char data[9];

		snprintf(data, sizeof(data), "c000020%u", i);
		answer("b.example.com", DNS_TYPE_A, 300, data);
	}
	a = read_it();
	ask("www.example.de", DNS_TYPE_A, false);
	for (unsigned i = 0; i < 4; i++) {
		size_t n = dns_answer_write(a, &client, 0, false, out, sizeof(out));
		unsigned sum = 0;

		/* Three records of 16 bytes end the message; each address is there. */
		for (unsigned k = 0; k < 3; k++)
			sum += out[n - 1 - 16 * k];
		assert_int_equal(sum, 1 + 2 + 3);
		firsts[i] = out[n - 1 - 32];
	}
	assert_memory_equal(firsts, "\1\2\3\1", 4);
	dns_answer_unref(a);
}

static void test_stale(void **state)
{
	struct dns_answer *a;
	uint8_t out[DNS_UDP_MAX];
	size_t n;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	answer("www.example.de", DNS_TYPE_A, 300, "c0000201");
	a = read_it();
	ask("www.example.de", DNS_TYPE_A, true);
	n = dns_answer_write(a, &client, 5000, true, out, sizeof(out));
	assert_memory_equal(out + 38, "\0\0\0\x1e", 4);
	assert_memory_equal(out + n - 6, "\0\x0f\0\2\0\3", 6);
	dns_answer_unref(a);
	begin("nix.example.de", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_message_soa(&m, "example.de", 3600, 90);
	a = read_it();
	ask("nix.example.de", DNS_TYPE_A, true);
	n = dns_answer_write(a, &client, 5000, true, out, sizeof(out));
	assert_memory_equal(out + n - 6, "\0\x0f\0\2\0\x13", 6);
	assert_int_equal(out[3] & DNS_RCODE, DNS_NXDOMAIN);
	dns_answer_unref(a);
}

static void test_truncation(void **state)
{
	struct dns_answer *a;
	uint8_t out[4096];
	size_t n;

	(void)state;
	begin("www.example.de", DNS_TYPE_A, 0);
	for (unsigned i = 0; i < 40; i++)
		answer("www.example.de", DNS_TYPE_A, 300, "c0000201");
	a = read_it();
	ask("www.example.de", DNS_TYPE_A, false);
	n = dns_answer_write(a, &client, 0, false, out, dns_udp_limit(&client));
	assert_int_equal(n, DNS_HEADER_SIZE + 20);
	assert_int_equal(out[2] & 0x02, 0x02);
	assert_int_equal(dns_get_u16(out + 6), 0);
	n = dns_answer_write(a, &client, 0, false, out, sizeof(out));
	assert_int_equal(out[2] & 0x02, 0);
	assert_int_equal(dns_get_u16(out + 6), 40);
	assert_int_equal(n, DNS_HEADER_SIZE + 20 + 40 * 16);
	dns_answer_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_a_chain_in_any_order),
		cmocka_unit_test(test_dname),
		cmocka_unit_test(test_records_of_others),
		cmocka_unit_test(test_no_such_thing),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_names_in_data),
		cmocka_unit_test(test_a_client_gets_it),
		cmocka_unit_test(test_another_address_first_each_time),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
