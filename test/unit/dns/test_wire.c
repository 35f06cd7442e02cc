/* Reading what others wrote, and writing: pointers that loop, lead forward or out, lengths that
 * lie, compression. */
#include "dns_test.h"

/* Reads the name at `at` of a message of these bytes (12 bytes of header come first). */
static bool read_at(const char *hex, size_t at, struct dns_name *ret)
{
	uint8_t p[512] = { 0 };
	struct dns_reader r;
	size_t n = strlen(hex) / 2;

	assert_int_equal(span_from_hex(span_of(hex), p + DNS_HEADER_SIZE, n), 0);
	dns_reader_init(&r, span_make(p, DNS_HEADER_SIZE + n));
	r.at = at;
	dns_read_name(&r, ret);
	return !r.error;
}

static void assert_name(const char *hex, size_t at, const char *want)
{
	char text[DNS_NAME_TEXT_SIZE];
	struct dns_name name;

	assert_true(read_at(hex, at, &name));
	dns_name_text(&name, text);
	assert_string_equal(text, want);
}

static void test_pointers(void **state)
{
	(void)state;
	/* RFC 1035 4.1.4: F.ISI.ARPA at 12, FOO.F.ISI.ARPA, ARPA, the root. */
	assert_name("0146034953490441525041"
		    "00"
		    "03464f4f"
		    "c00c"
		    "c012"
		    "00",
		12, "F.ISI.ARPA");
	assert_name("0146034953490441525041"
		    "00"
		    "03464f4f"
		    "c00c"
		    "c012"
		    "00",
		24, "FOO.F.ISI.ARPA");
	assert_name("0146034953490441525041"
		    "00"
		    "03464f4f"
		    "c00c"
		    "c012"
		    "00",
		30, "ARPA");
	assert_name("0146034953490441525041"
		    "00"
		    "03464f4f"
		    "c00c"
		    "c012"
		    "00",
		32, ".");
	/* A pointer to a pointer. */
	assert_name("016100"
		    "c00c"
		    "c00f",
		17, "a");
}

static void test_pointers_that_lie(void **state)
{
	static const struct {
		const char *hex;
		size_t at;
	} bad[] = {
		{ "c00c", 12 }, /* to itself */
		{ "c00e"
		  "c00c",
			12 }, /* each to the other */
		{ "c00e"
		  "c00c",
			14 },
		{ "0161"
		  "c00c",
			12 }, /* to the label before it, for ever */
		{ "c00e"
		  "016100",
			12 },       /* forward */
		{ "c000", 12 },     /* into the header */
		{ "ffff", 12 },     /* out of the message */
		{ "c0", 12 },       /* half of one */
		{ "0161", 12 },     /* no end */
		{ "0561", 12 },     /* a label that is not there */
		{ "40616100", 12 }, /* RFC 2671's binary labels are gone (RFC 6891 5) */
		{ "80616100", 12 },
		{ "", 12 },
	};
	struct dns_name name;

	(void)state;
	for (unsigned i = 0; i < array_len(bad); i++) {
		assert_false(read_at(bad[i].hex, bad[i].at, &name));
		assert_int_equal(name.n, 1);
	}
}

/* Pointers that each add a label: the name ends at 255 bytes, however long the chain. */
static void test_a_name_of_pointers_has_an_end(void **state)
{
	uint8_t p[2048] = { 0 };
	struct dns_reader r;
	struct dns_name name;
	size_t at = DNS_HEADER_SIZE, n = at + 1;

	(void)state;
	for (; n + 66 < sizeof(p); n += 66) {
		p[n] = 63;
		memset(p + n + 1, 'a', 63);
		dns_put_u16(p + n + 64, (uint16_t)(0xc000 | at));
		at = n;
	}
	dns_reader_init(&r, span_make(p, n));
	r.at = at;
	dns_read_name(&r, &name);
	assert_true(r.error);
	/* Three labels of 63 are 193 bytes: that is a name. */
	dns_reader_init(&r, span_make(p, n));
	r.at = DNS_HEADER_SIZE + 1 + 2 * 66;
	dns_read_name(&r, &name);
	assert_false(r.error);
	assert_int_equal(name.n, 193);
}

/* Pointers that lead to pointers add nothing, and nobody needs many of them. */
static void test_pointers_to_pointers(void **state)
{
	uint8_t p[512] = { 0 };
	struct dns_reader r;
	struct dns_name name;
	size_t n = DNS_HEADER_SIZE;

	(void)state;
	memcpy(p + n, "\1a", 3);
	dns_put_u16(p + n + 3, (uint16_t)(0xc000 | n));
	for (n += 5; n + 2 <= sizeof(p); n += 2)
		dns_put_u16(p + n, (uint16_t)(0xc000 | (n - 2)));
	for (unsigned jumps = 1; jumps < 200; jumps++) {
		dns_reader_init(&r, span_make(p, n));
		r.at = DNS_HEADER_SIZE + 1 + 2 * jumps;
		dns_read_name(&r, &name);
		assert_int_equal(r.error, jumps > 127);
		assert_int_equal(name.n, jumps > 127 ? 1 : 3);
	}
}

static void test_the_error_stays(void **state)
{
	struct dns_reader r;
	struct dns_record record;

	(void)state;
	dns_reader_init(&r, SPAN("\1\2\3"));
	assert_int_equal(dns_read_u16(&r), 0x0102);
	assert_int_equal(dns_read_u16(&r), 0);
	assert_true(r.error);
	assert_int_equal(dns_read_u8(&r), 0);
	assert_null(dns_read_bytes(&r, 1).p);
	dns_skip_name(&r);
	dns_read_record(&r, &record);
	assert_int_equal(record.ttl, 0);
}

static void test_a_record(void **state)
{
	/* TTL 0x80000001: over 2^31, that is 0 (RFC 2181 8). */
	struct span s = SPAN("\0\0\1\0\1\x80\0\0\1\0\4\x7f\0\0\1"
			     "\0\0\1\0\1\0\0\0\5\0\5\x7f\0\0\1");
	struct dns_reader r;
	struct dns_record record;

	(void)state;
	dns_reader_init(&r, s);
	dns_read_record(&r, &record);
	assert_false(r.error);
	assert_int_equal(record.ttl, 0);
	assert_int_equal(record.rdata_at, 11);
	/* One byte less than its length says. */
	dns_read_record(&r, &record);
	assert_true(r.error);
}

static void test_compression(void **state)
{
	uint8_t p[256];
	struct dns_writer w;
	struct dns_name a = dns_name_of("www.example.de"), b = dns_name_of("mail.EXAMPLE.de"), c = dns_name_of("de");

	(void)state;
	dns_writer_init(&w, p, sizeof(p));
	w.n = DNS_HEADER_SIZE;
	dns_write_name(&w, &a, true);
	assert_int_equal(w.n, DNS_HEADER_SIZE + 16);
	dns_write_name(&w, &b, true);
	assert_memory_equal(p + DNS_HEADER_SIZE + 16, "\4mail\xc0\x10", 7);
	dns_write_name(&w, &c, true);
	assert_memory_equal(p + DNS_HEADER_SIZE + 23, "\xc0\x18", 2);
	dns_write_name(&w, &a, true);
	assert_memory_equal(p + DNS_HEADER_SIZE + 25, "\xc0\x0c", 2);
	/* Where no pointer may be (RFC 3597 4). */
	dns_write_name(&w, &a, false);
	assert_memory_equal(p + DNS_HEADER_SIZE + 27, a.p, a.n);
	assert_false(w.error);
}

static void test_what_does_not_fit(void **state)
{
	uint8_t p[20];
	struct dns_writer w;
	struct dns_name a = dns_name_of("www.example.de");

	(void)state;
	dns_writer_init(&w, p, sizeof(p));
	dns_write_bytes(&w, "12345678", 8);
	dns_write_name(&w, &a, true);
	assert_true(w.error);
	/* What was cut off is nothing that a pointer can mean. */
	assert_int_equal(w.names_n, 0);
	dns_write_u16(&w, 1);
	assert_true(w.n <= sizeof(p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_pointers_that_lie),
		cmocka_unit_test(test_a_name_of_pointers_has_an_end),
		cmocka_unit_test(test_pointers_to_pointers),
		cmocka_unit_test(test_the_error_stays),
		cmocka_unit_test(test_a_record),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
