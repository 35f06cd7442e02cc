/* Names in text and on the wire (RFC 1035 3.1, 5.1; RFC 4343), types by name and number (RFC 3597
 * 5). */
#include "dns_test.h"

static void assert_round(const char *text, const char *want)
{
	struct dns_name name = dns_name_of(text);
	char back[DNS_NAME_TEXT_SIZE];

	assert_int_equal(dns_name_text(&name, back), strlen(want));
	assert_string_equal(back, want);
}

static void test_text_and_back(void **state)
{
	static const uint8_t wire[] = "\7Example\2de";
	struct dns_name name = dns_name_of("Example.de.");

	(void)state;
	assert_int_equal(name.n, sizeof(wire));
	assert_memory_equal(name.p, wire, sizeof(wire));
	assert_round("Example.de", "Example.de");
	assert_round("example.de.", "example.de");
	assert_round(".", ".");
	assert_round("a\\.b.c", "a\\.b.c");
	assert_round("\\097\\000\\255", "a\\000\\255");
	assert_round("x\\ y", "x\\032y");
	assert_round("back\\\\slash", "back\\\\slash");
	assert_round("*.example.de", "*.example.de");
}

static void test_what_is_no_name(void **state)
{
	static const char *const bad[] = { "", "..", ".a", "a..b", "a.b..", "\\", "a\\", "\\25", "\\256", "\\2a5" };
	char text[DNS_NAME_MAX * 2];
	struct dns_name name;

	(void)state;
	for (unsigned i = 0; i < array_len(bad); i++)
		assert_int_equal(dns_name_parse(span_of(bad[i]), &name), -EINVAL);
	memset(text, 'a', sizeof(text));
	assert_int_equal(dns_name_parse(span_make(text, 63), &name), 0);
	assert_int_equal(dns_name_parse(span_make(text, 64), &name), -EINVAL);
	/* Labels of one byte: 127 of them and the root are 255 bytes. */
	for (unsigned i = 1; i < sizeof(text); i += 2)
		text[i] = '.';
	assert_int_equal(dns_name_parse(span_make(text, 253), &name), 0);
	assert_int_equal(name.n, DNS_NAME_MAX);
	assert_int_equal(dns_name_parse(span_make(text, 255), &name), -EINVAL);
}

static void test_case_does_not_count(void **state)
{
	struct dns_name a = dns_name_of("WWW.example.DE"), b = dns_name_of("www.EXAMPLE.de");
	/* RFC 4343 3: only ASCII letters are folded: [ and { are 0x20 apart, too. */
	struct dns_name c = dns_name_of("[.de"), d = dns_name_of("{.de");

	(void)state;
	assert_true(dns_name_eq(&a, &b));
	assert_false(dns_name_eq(&c, &d));
	dns_name_lower(&a);
	dns_name_lower(&b);
	assert_memory_equal(a.p, b.p, a.n);
}

static void test_below(void **state)
{
	struct dns_name www = dns_name_of("www.example.de"), zone = dns_name_of("Example.de"), root = dns_name_of(".");
	/* Ends alike byte for byte, but is no label's beginning. */
	struct dns_name other = dns_name_of("notexample.de"), longer = dns_name_of("a.www.example.de");

	(void)state;
	assert_true(dns_name_under(&www, &zone));
	assert_true(dns_name_under(&zone, &zone));
	assert_true(dns_name_under(&www, &root));
	assert_false(dns_name_under(&other, &zone));
	assert_false(dns_name_under(&zone, &www));
	assert_false(dns_name_under(&www, &longer));
	dns_name_up(&www);
	assert_true(dns_name_eq(&www, &zone));
	dns_name_up(&root);
	assert_int_equal(root.n, 1);
}

static void test_types(void **state)
{
	uint16_t type;

	(void)state;
	assert_int_equal(dns_type_parse(SPAN("aaaa"), &type), 0);
	assert_int_equal(type, 28);
	assert_int_equal(dns_type_parse(SPAN("TYPE65280"), &type), 0);
	assert_int_equal(type, 65280);
	assert_int_equal(dns_type_parse(SPAN("type1"), &type), 0);
	assert_int_equal(dns_type_parse(SPAN("TYPE65536"), &type), -EINVAL);
	assert_int_equal(dns_type_parse(SPAN("TYPE"), &type), -EINVAL);
	assert_int_equal(dns_type_parse(SPAN("nothing"), &type), -EINVAL);
	assert_string_equal(dns_type_text(DNS_TYPE_HTTPS), "HTTPS");
	assert_string_equal(dns_type_text(65280), "TYPE65280");
	assert_string_equal(dns_rcode_text(DNS_NXDOMAIN), "NXDOMAIN");
	assert_string_equal(dns_rcode_text(77), "RCODE77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_what_is_no_name),
		cmocka_unit_test(test_case_does_not_count),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
