/* Questions: a client's, read strictly; ours; does an answer belong to one (RFC 1035 4.1, 6891 6.1,
 * 5452 9.1, 8914). */
#include "dns_test.h"

static int parse_hex(const char *hex, struct dns_query *q)
{
	static uint8_t p[1024];
	size_t n = strlen(hex) / 2;

	assert_int_equal(span_from_hex(span_of(hex), p, n), 0);
	return dns_query_parse(span_make(p, n), q);
}

#define NAME "03777777076578616d706c6502646500"
#define A_IN "00010001"
#define OPT \
	"00" \
	"0029" \
	"1000" \
	"00" \
	"00" \
	"8000" \
	"0000"

static void test_a_question(void **state)
{
	struct dns_query q;

	(void)state;
	assert_int_equal(parse_hex("abcd0100"
				   "0001000000000001"
				   "03575757076578616d706c6502646500" A_IN OPT,
				 &q),
		0);
	assert_int_equal(q.id, 0xabcd);
	assert_int_equal(q.q.type, DNS_TYPE_A);
	/* Lower case to compare, as written to repeat. */
	assert_memory_equal(q.q.name.p, "\3www\7example\2de", 16);
	assert_memory_equal(q.question, "\3WWW", 4);
	assert_int_equal(q.question_n, 20);
	assert_true(q.edns.present && q.edns.dnssec_ok);
	assert_int_equal(q.edns.udp_size, 4096);
	assert_int_equal(dns_udp_limit(&q), DNS_UDP_MAX);
}

/* Nothing is left of what stood in the struct before. */
static void test_a_question_without_edns(void **state)
{
	struct dns_query q;

	(void)state;
	memset(&q, 0x55, sizeof(q));
	assert_int_equal(parse_hex("abcd01000001000000000000" NAME A_IN, &q), 0);
	assert_false(q.edns.present || q.edns.dnssec_ok);
	assert_int_equal(q.edns.ede, DNS_EDE_NONE);
	assert_int_equal(dns_udp_limit(&q), DNS_UDP_PLAIN);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"abcd0100"
		"0000000000000000", /* no question */
		"abcd0100"
		"0002000000000000" NAME A_IN NAME A_IN, /* two */
		"abcd0100"
		"0001000000000000" NAME "0001", /* half of one */
		"abcd0100"
		"0001000000000000"
		"c00c" A_IN, /* a pointer has nothing to lead to */
		"abcd0100"
		"0001000000000000"
		"40"
		"61" A_IN, /* a label of 64 */
		"abcd0100"
		"0001000000000000" NAME A_IN "00", /* more than was counted */
		"abcd0100"
		"0001000000000001" NAME A_IN, /* less */
		"abcd0100"
		"0001ffffffffffff" NAME A_IN,
		"abcd0100"
		"0001000000000002" NAME A_IN OPT OPT, /* two OPT records */
		"abcd0100"
		"0001000100000000" NAME A_IN OPT, /* one that is an answer */
		"abcd0100"
		"0001000000000001" NAME A_IN "016100"
		"0029"
		"1000"
		"00000000"
		"0000",
		"abcd0100"
		"0001000000000001" NAME A_IN "00"
		"0029"
		"1000"
		"00000000"
		"0005"
		"000f000800", /* an option's length */
		"abcd0100"
		"0001000000000000" NAME "0029"
		"0001", /* OPT is no question */
	};
	struct dns_query q;

	(void)state;
	for (unsigned i = 0; i < array_len(bad); i++)
		assert_int_equal(parse_hex(bad[i], &q), DNS_FORMERR);
}

static void test_other_kinds(void **state)
{
	struct dns_query q;

	(void)state;
	/* Not to be answered at all: no header, an answer. Two servers must not talk to each other
	 * for ever. */
	assert_int_equal(parse_hex("", &q), -EPROTO);
	assert_int_equal(parse_hex("abcd01000001", &q), -EPROTO);
	assert_int_equal(parse_hex("abcd8100"
				   "0001000000000000" NAME A_IN,
				 &q),
		-EPROTO);
	/* NOTIFY, and an opcode that nobody has given away. */
	assert_int_equal(parse_hex("abcd2000"
				   "0001000000000000" NAME A_IN,
				 &q),
		DNS_NOTIMP);
	assert_int_equal(q.question_n, 20);
	assert_int_equal(parse_hex("abcd7800"
				   "0000000000000000",
				 &q),
		DNS_NOTIMP);
	/* EDNS of the future (RFC 6891 6.1.3). */
	assert_int_equal(parse_hex("abcd0100"
				   "0001000000000001" NAME A_IN "00"
				   "0029"
				   "1000"
				   "00"
				   "01"
				   "0000"
				   "0000",
				 &q),
		DNS_BADVERS);
	/* Options that nobody knows are no fault. */
	assert_int_equal(parse_hex("abcd0100"
				   "0001000000000001" NAME A_IN "00"
				   "0029"
				   "1000"
				   "00000000"
				   "0006"
				   "fde9"
				   "0002"
				   "0102",
				 &q),
		0);
}

static void test_replies(void **state)
{
	struct dns_query q;
	struct dns_reader r;
	struct dns_header h;
	uint8_t out[512];
	size_t n;

	(void)state;
	parse_hex("abcd0110"
		  "0001000000000001"
		  "03575757076578616d706c6502646500" A_IN "00"
		  "0029"
		  "0100"
		  "00"
		  "01"
		  "8000"
		  "0000",
		&q);
	n = dns_reply_empty(&q, DNS_RA, DNS_BADVERS, DNS_EDE_NOT_SUPPORTED, out, sizeof(out));
	dns_reader_init(&r, span_make(out, n));
	dns_read_header(&r, &h);
	assert_int_equal(h.id, 0xabcd);
	assert_int_equal(h.flags, DNS_QR | DNS_RD | DNS_RA | DNS_CD);
	assert_int_equal(h.questions, 1);
	assert_memory_equal(out + DNS_HEADER_SIZE, "\3WWW\7example\2de", 16);
	/* OPT with the high bits of the code, DO, and the extended error. */
	assert_memory_equal(out + DNS_HEADER_SIZE + 20, "\0\0\x29\x04\xd0\1\0\x80\0\0\6\0\x0f\0\2\0\x15", 17);
	assert_int_equal(n, DNS_HEADER_SIZE + 20 + DNS_EDNS_SIZE + DNS_EDNS_EDE_SIZE);
	assert_int_equal(dns_udp_limit(&q), DNS_UDP_PLAIN);
	assert_int_equal(dns_reply_empty(&q, 0, DNS_NOERROR, DNS_EDE_NONE, out, 20), 0);
	/* A question that could not be read is not repeated, and who speaks no EDNS gets none. */
	parse_hex("abcd0100"
		  "0001000000000000" NAME "00",
		&q);
	n = dns_reply_empty(&q, DNS_RA, DNS_FORMERR, DNS_EDE_NONE, out, sizeof(out));
	assert_int_equal(n, DNS_HEADER_SIZE);
	assert_int_equal(out[5], 0);
}

static void test_what_we_ask(void **state)
{
	struct dns_question asked = dns_question_of("Www.example.de", DNS_TYPE_AAAA);
	struct dns_edns edns = { .udp_size = 1232, .dnssec_ok = true, .ede = DNS_EDE_NONE };
	uint8_t out[DNS_QUERY_MAX];
	size_t n = dns_query_write(&asked, 7, DNS_RD, &edns, out);
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_parse(span_make(out, n), &q), 0);
	assert_int_equal(q.id, 7);
	assert_int_equal(q.q.type, DNS_TYPE_AAAA);
	assert_true(q.edns.dnssec_ok);
	assert_true(dns_name_eq(&q.q.name, &asked.name));
}

static bool matches(uint16_t id, unsigned flags, const char *name, uint16_t type)
{
	struct dns_question asked = dns_question_of("www.example.de", DNS_TYPE_A);
	struct dns_message m;

	dns_message_begin(&m, id, flags);
	if (name)
		dns_message_question(&m, name, type);
	return dns_response_matches(dns_message_span(&m), 7, &asked);
}

static void test_whose_answer(void **state)
{
	struct dns_question asked = dns_question_of("www.example.de", DNS_TYPE_A);

	(void)state;
	assert_true(matches(7, DNS_QR, "www.example.de", DNS_TYPE_A));
	assert_true(matches(7, DNS_QR, "WWW.EXAMPLE.DE", DNS_TYPE_A));
	assert_false(matches(8, DNS_QR, "www.example.de", DNS_TYPE_A));
	assert_false(matches(7, 0, "www.example.de", DNS_TYPE_A));
	assert_false(matches(7, DNS_QR | 0x2000, "www.example.de", DNS_TYPE_A));
	assert_false(matches(7, DNS_QR, "www.example.com", DNS_TYPE_A));
	assert_false(matches(7, DNS_QR, "www.example.de", DNS_TYPE_AAAA));
	/* Without a question only who could not read ours. */
	assert_false(matches(7, DNS_QR, NULL, 0));
	assert_false(matches(7, DNS_QR | DNS_NXDOMAIN, NULL, 0));
	assert_true(matches(7, DNS_QR | DNS_FORMERR, NULL, 0));
	assert_true(matches(7, DNS_QR | DNS_SERVFAIL, NULL, 0));
	assert_false(dns_response_matches(SPAN("\0\7\x80"), 7, &asked));
}

static void test_an_error_with_words(void **state)
{
	struct dns_message m;

	(void)state;
	dns_message_begin(&m, 7, DNS_QR | DNS_SERVFAIL);
	dns_message_question(&m, "www.example.de", DNS_TYPE_A);
	assert_int_equal(dns_response_ede(dns_message_span(&m)), DNS_EDE_NONE);
	dns_write_edns(&m.w, &(struct dns_edns){ .udp_size = 1232, .ede = 6 });
	dns_message_count(&m, 10);
	assert_int_equal(dns_response_ede(dns_message_span(&m)), 6);
	for (size_t n = 0; n < m.w.n; n++)
		assert_int_equal(dns_response_ede(span_make(m.p, n)), DNS_EDE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question),
		cmocka_unit_test(test_a_question_without_edns),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_what_we_ask),
		cmocka_unit_test(test_whose_answer),
		cmocka_unit_test(test_an_error_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
