/* Records to text: each type's form, compressed names, and what does not fit its type. */
#include "unit.h"
#include "base/mem.h"
#include "dns/dns.h"

/* A message of a header, the name mail.example.de at byte 12, and data. */
static struct buf message;
static struct dns_record record;

static void set_data(uint16_t type, const char *hex)
{
	static const char head[] = "\0\0\x80\0\0\0\0\0\0\0\0\0\4mail\7example\2de";
	uint8_t data[512];
	size_t n = strlen(hex) / 2;

	buf_done(&message);
	message = BUF_INIT(4096);
	buf_add(&message, head, sizeof(head));
	record = (struct dns_record){ .type = type,
		.klass = DNS_CLASS_IN,
		.rdata_at = message.n,
		.rdata_n = (uint16_t)n };
	assert_int_equal(span_from_hex(span_of(hex), data, n), 0);
	buf_add(&message, data, n);
}

static void assert_text(uint16_t type, const char *hex, const char *want)
{
	struct buf out = BUF_INIT(4096);

	set_data(type, hex);
	buf_add_text(&out, "before ");
	dns_record_text(buf_span(&message), &record, &out);
	assert_span(span_from(buf_span(&out), 7), want);
	buf_done(&out);
	buf_done(&message);
}

static void test_each_form(void **state)
{
	static const struct {
		uint16_t type;
		const char *hex, *want;
	} cases[] = {
		{ DNS_TYPE_A, "c0000201", "192.0.2.1" },
		{ DNS_TYPE_AAAA, "20010db8000000000000000000000001", "2001:db8::1" },
		{ DNS_TYPE_NS, "c00c", "mail.example.de." },
		{ DNS_TYPE_CNAME, "0377c0777700", "\\# 6 0377c0777700" },
		{ DNS_TYPE_PTR, "00", "." },
		{ DNS_TYPE_SOA, "c0110a686f73746d6173746572c011000000020000000300000004000000050000001e",
			"example.de. hostmaster.example.de. 2 3 4 5 30" },
		{ DNS_TYPE_MX, "000ac00c", "10 mail.example.de." },
		{ DNS_TYPE_TXT, "03612262035cff0a", "\"a\\\"b\" \"\\\\\\255\\010\"" },
		{ DNS_TYPE_TXT, "00", "\"\"" },
		{ DNS_TYPE_HINFO, "075246433834383200", "\"RFC8482\" \"\"" },
		{ DNS_TYPE_SRV, "0001000201bbc00c", "1 2 443 mail.example.de." },
		{ DNS_TYPE_NAPTR, "0064000a0175075349502b4432550000", "100 10 \"u\" \"SIP+D2U\" \"\" ." },
		{ DNS_TYPE_CAA, "00056973737565636120", "0 issue \"ca \"" },
		{ DNS_TYPE_URI, "000a0001687474703a2f2f61", "10 1 \"http://a\"" },
		{ DNS_TYPE_SSHFP, "0401abcd", "4 1 abcd" },
		{ DNS_TYPE_TLSA, "03010100ff", "3 1 1 00ff" },
		{ DNS_TYPE_DS, "09290d02c0ffee", "2345 13 2 c0ffee" },
		{ DNS_TYPE_DNSKEY, "0101030d4d616e", "257 3 13 TWFu" },
		{ DNS_TYPE_DNSKEY, "0101030d4d61", "257 3 13 TWE=" },
		{ DNS_TYPE_DNSKEY, "0101030d4d", "257 3 13 TQ==" },
		{ DNS_TYPE_RRSIG, "00010d030000001e65a0b9d965979f00092903777777c0114d616e",
			"A 13 3 30 20240112040233 20240105061736 2345 www.example.de. TWFu" },
		{ DNS_TYPE_NSEC, "c00c0006400000080003", "mail.example.de. A AAAA RRSIG NSEC" },
		{ DNS_TYPE_NSEC, "c00c", "mail.example.de." },
		{ DNS_TYPE_NSEC3, "0101000a02abcd04deadbeef000140", "1 1 10 abcd rqmrtro A" },
		{ DNS_TYPE_NSEC3PARAM, "0100000000", "1 0 0 -" },
		{ DNS_TYPE_HTTPS, "000100000100030268320003000201bb0004000808080808c0000201ffff000161",
			"1 . alpn=\"h2\" port=443 ipv4hint=8.8.8.8,192.0.2.1 key65535=\"a\"" },
		{ DNS_TYPE_SVCB, "0000c00c", "0 mail.example.de." },
		{ DNS_TYPE_SVCB, "00010000000004000100020002000000", "\\# 16 00010000000004000100020002000000" },
		{ DNS_TYPE_SVCB, "000100000000040001000200020000",
			"1 . mandatory=alpn,no-default-alpn no-default-alpn" },
		{ DNS_TYPE_OPENPGPKEY, "4d616e", "TWFu" },
		{ 4711, "0a00000704", "\\# 5 0a00000704" },
		{ 4711, "", "\\# 0" },
	};

	for (size_t i = 0; i < array_len(cases); i++)
		assert_text(cases[i].type, cases[i].hex, cases[i].want);
}

/* What lies, is too short or too long is shown as it came. */
static void test_what_does_not_fit(void **state)
{
	static const struct {
		uint16_t type;
		const char *hex;
	} cases[] = {
		{ DNS_TYPE_A, "c00002" },
		{ DNS_TYPE_A, "c000020101" },
		{ DNS_TYPE_A, "" },
		{ DNS_TYPE_AAAA, "20010db8" },
		{ DNS_TYPE_MX, "000a" },
		{ DNS_TYPE_MX, "000ac00cff" },
		{ DNS_TYPE_NS, "c000" }, /* into the header */
		{ DNS_TYPE_NS, "c01d" }, /* to itself */
		{ DNS_TYPE_NS, "ffff" },
		{ DNS_TYPE_NS, "03616263" }, /* no end */
		{ DNS_TYPE_TXT, "" },
		{ DNS_TYPE_TXT, "0561" },
		{ DNS_TYPE_CAA, "0001206100" }, /* a blank in the tag */
		{ DNS_TYPE_CAA, "0000" },
		{ DNS_TYPE_TLSA, "030101" },
		{ DNS_TYPE_DNSKEY, "0101030d" },
		{ DNS_TYPE_NSEC, "c00c0000" },
		{ DNS_TYPE_NSEC, "c00c0021" },
		{ DNS_TYPE_NSEC, "c00c000140000140" }, /* a window twice */
		{ DNS_TYPE_HTTPS, "00010000010003036832" },
		{ DNS_TYPE_HTTPS, "000100000200010061" }, /* no-default-alpn with a value */
		{ DNS_TYPE_HTTPS, "00010000040003080808" },
	};
	char want[128];

	for (size_t i = 0; i < array_len(cases); i++) {
		size_t n = strlen(cases[i].hex);

		snprintf(want, sizeof(want), "\\# %zu%s%s", n / 2, n ? " " : "", cases[i].hex);
		assert_text(cases[i].type, cases[i].hex, want);
	}
}

static void test_other_classes(void **state)
{
	struct buf out = BUF_INIT(64);

	set_data(DNS_TYPE_A, "c0000201");
	record.klass = 3;
	dns_record_text(buf_span(&message), &record, &out);
	assert_span(buf_span(&out), "\\# 4 c0000201");
	buf_done(&out);
	buf_done(&message);
}

/* A full buffer keeps its error and what stood there. */
static void test_a_full_buffer(void **state)
{
	struct buf out = BUF_INIT(10);

	set_data(DNS_TYPE_AAAA, "20010db8000000000000000000000001");
	buf_add_text(&out, "12345678");
	dns_record_text(buf_span(&message), &record, &out);
	assert_int_equal(buf_error(&out), -ENOBUFS);
	assert_span(span_sub(buf_span(&out), 0, 8), "12345678");
	buf_done(&out);
	buf_done(&message);
}

static void test_extended_errors(void **state)
{
	assert_string_equal(dns_ede_text(3), "Stale Answer");
	assert_string_equal(dns_ede_text(22), "No Reachable Authority");
	assert_string_equal(dns_ede_text(24), "Invalid Data");
	assert_string_equal(dns_ede_text(25), "");
	assert_string_equal(dns_ede_text(-1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_form),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_other_classes),
		cmocka_unit_test(test_a_full_buffer),
		cmocka_unit_test(test_extended_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
