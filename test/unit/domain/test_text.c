/* Domains as text: there and back, presets, and every fault of a file in one run. */
#include "domain_unit.h"

static void test_example_of_the_manual(void **state)
{
	static const char text[] = "domain \"example.de\" {\n"
				   "  web    = {\"example.de\", \"www.example.de\"}\n"
				   "  origin = {\"http://10.0.0.5:8080\"}\n"
				   "  preset = \"wordpress\"\n"
				   "}\n";
	struct domain_file file = parse(text);
	struct domain *d = file.v;

	assert_int_equal(file.n, 1);
	assert_span(d->name, "example.de");
	assert_int_equal(d->web_n, 2);
	assert_span(d->web[1], "www.example.de");
	assert_int_equal(d->origin_n, 1);
	assert_int_equal(d->origin[0].port, 8080);
	assert_int_equal(d->preset, PRESET_WORDPRESS);
	assert_int_equal(d->grace_ms, 86400000);
	assert_true(d->origin_verify);
	assert_false(d->websocket);
	assert_int_equal(d->connect_timeout_ms, 3000);
	assert_int_equal(d->first_byte_timeout_ms, 60000);
	assert_int_equal(d->body_max, 100 << 20);
	assert_string_equal(exported(&file), text);
}

/* What is at its preset is left out, so a new preset reaches those who never chose. */
static void test_presets_are_written_as_exported(void **state)
{
	struct domain_file file = parse("domain a.de { }");

	assert_string_equal(exported(&file), "domain \"a.de\" {\n}\n");
}

static void test_every_key_comes_back(void **state)
{
	static const char text[] =
		"domain \"a.de\" {\n"
		"  web    = {\"a.de\", \"*.a.de\"}\n"
		"  origin = {\"https://o.a.de weight=3\", \"http://[::1]:81 backup\"}\n"
		"  preset = \"off\"\n"
		"  grace  = \"90m\"\n"
		"  grace_forced = true\n"
		"  redirect_to_tls = true\n"
		"  hsts   = \"180d\"\n"
		"  websocket = true\n"
		"  alt_svc = true\n"
		"  origin_verify = false\n"
		"  origin_host = \"inner.a.de:8443\"\n"
		"  health_path = \"/up?full=1\"\n"
		"  health_interval = \"10s\"\n"
		"  connect_timeout = \"250ms\"\n"
		"  first_byte_timeout = \"5m\"\n"
		"  read_timeout = \"10s\"\n"
		"  body_max = \"2G\"\n"
		"  mail   = \"[::1]:2525\"\n"
		"  tls    = \"require\"\n"
		"  mail_tls = \"verified\"\n"
		"  mail_client = \"xclient\"\n"
		"  mail_lines = \"mend\"\n"
		"  recipient = {\"anna@a.de report by=ada at=2026-11-25 until=2026-12-31\", \"bob@a.de off\"}\n"
		"}\n";
	struct domain_file file = parse(text);
	unsigned keys = 0, lines = 0;

	assert_string_equal(exported(&file), text);
	for (const struct conf_key *key = domain_keys; key->name; key++)
		keys++;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(keys, lines - 2);
}

static void test_forms_are_made_canonical(void **state)
{
	struct domain_file file =
		parse("domain M\xc3\xbcLLER.de. { web = {M\xc3\xbcller.DE, xn--mller-kva.de, *.A.de}\n"
		      "origin = HTTP://O.A.de:80/ grace = 3600 body_max = 1024K }");

	assert_string_equal(exported(&file),
		"domain \"xn--mller-kva.de\" {\n"
		"  web    = {\"xn--mller-kva.de\", \"*.a.de\"}\n"
		"  origin = {\"http://o.a.de\"}\n"
		"  grace  = \"1h\"\n"
		"  body_max = \"1M\"\n"
		"}\n");
	file = parse("domain a { web = a origin = http://[2001:DB8:0:0::1] }");
	assert_span(file.v[0].origin[0].host, "2001:db8::1");
}

static void test_all_faults_in_one_run(void **state)
{
	struct domain_file file;
	int r = domain_parse(span_of("domain a.de {\n"
				     "  web = {a.de, b.de, a..de}\n"
				     "  orign = http://10.0.0.5\n"
				     "  preset = wordpres\n"
				     "}\n"
				     "domain b.de {\n"
				     "  web = {B.de}\n"
				     "  origin = {10.0.0.5}\n"
				     "}\n"
				     "domain A.de {\n"
				     "}\n"
				     "domain c.de {\n"
				     "  web = c.de\n"
				     "}\n"
				     "domain c.de { grace = forever }\n"),
		"t", &arena, &file, &errors);

	assert_int_equal(r, -EINVAL);
	assert_string_equal(error_codes(),
		"2 SETTINGS-BAD-VALUE\n"
		"3 SETTINGS-UNKNOWN-KEY\n"
		"4 SETTINGS-BAD-VALUE\n"
		"6 DOMAIN-WEB-TWICE\n"
		"8 SETTINGS-BAD-VALUE\n"
		"10 DOMAIN-TWICE\n"
		"12 DOMAIN-NO-ORIGIN\n"
		"15 SETTINGS-BAD-VALUE\n"
		"15 SETTINGS-TWICE\n");
	assert_span(fault_value(&errors.v[1], "nearest"), "origin");
	assert_span(fault_value(&errors.v[3], "name"), "b.de");
	assert_span(fault_value(&errors.v[3], "owner"), "a.de");
	assert_span(fault_value(&errors.v[3], "first"), "1");
}

static void test_one_body(void **state)
{
	struct domain d;

	assert_int_equal(domain_parse_body(SPAN("a.de"), SPAN("web = a.de\norigin = \"http://b\"\n"), &arena, &d,
				 &errors),
		0);
	assert_span(d.name, "a.de");
	assert_int_equal(d.web_n, 1);
	assert_int_equal(domain_parse_body(SPAN("a.de"), SPAN("\nwebb = a.de"), &arena, &d, &errors), -EINVAL);
	assert_string_equal(error_codes(), "2 SETTINGS-UNKNOWN-KEY\n");
	assert_span(fault_value(&errors.v[0], "file"), "domain a.de");
	assert_int_equal(domain_parse_body(SPAN("a b"), SPAN(""), &arena, &d, &errors), -EINVAL);
	assert_string_equal(error_codes(), "1 DOMAIN-BAD-NAME\n");
}

static void test_long_lists(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	struct domain d;

	buf_add_text(&text, "origin = http://o\nweb = {");
	for (unsigned i = 0; i < DOMAIN_WEB_MAX; i++)
		buf_addf(&text, "w%u.de,", i);
	buf_add_text(&text, "}\n");
	assert_int_equal(domain_parse_body(SPAN("a.de"), buf_span(&text), &arena, &d, &errors), 0);
	text.n -= 2;
	buf_add_text(&text, "one.more}\n");
	assert_int_equal(domain_parse_body(SPAN("a.de"), buf_span(&text), &arena, &d, &errors), -EINVAL);
	assert_string_equal(error_codes(), "1 DOMAIN-TOO-MANY\n");
	buf_reset(&text);
	buf_add_text(&text, "origin = {");
	for (unsigned i = 0; i <= DOMAIN_ORIGIN_MAX; i++)
		buf_addf(&text, "\"http://o%u\",", i);
	buf_add_text(&text, "}\n");
	assert_int_equal(domain_parse_body(SPAN("a.de"), buf_span(&text), &arena, &d, &errors), -EINVAL);
	assert_string_equal(error_codes(), "1 DOMAIN-TOO-MANY\n");
}

/* ---- mail ---- */

static void test_mail_only(void **state)
{
	struct domain_file file =
		parse("domain a.de { mail = MX.A.de }\ndomain b.de { mail = \"[2001:DB8:0::1]:26\" }");
	struct domain *d = file.v;

	assert_int_equal(d[0].web_n, 0);
	assert_span(d[0].mail.host, "mx.a.de");
	assert_int_equal(d[0].mail.port, 25);
	assert_int_equal(d[0].tls, DOMAIN_TLS_OFF);
	assert_int_equal(d[0].mail_tls, DOMAIN_MAIL_TLS_OPPORTUNISTIC);
	assert_int_equal(d[0].mail_client, DOMAIN_MAIL_CLIENT_NONE);
	assert_span(d[1].mail.host, "2001:db8::1");
	assert_string_equal(exported(&file),
		"domain \"a.de\" {\n  mail   = \"mx.a.de:25\"\n}\n"
		"domain \"b.de\" {\n  mail   = \"[2001:db8::1]:26\"\n}\n");
}

static void test_backends_that_are_none(void **state)
{
	static const char *const values[] = { "http://a.de", "a.de:0", "a.de:65536", "a.de:", ":25", "a b", "a.de/x",
		"x@a.de", "::1", "[::1", "10.0.0.300", "a..de" };
	struct domain_mail mail;
	const char *why;

	for (size_t i = 0; i < array_len(values); i++) {
		assert_int_equal(domain_mail_parse(span_of(values[i]), &mail, &why), -EINVAL);
		assert_non_null(strchr(why, '|'));
	}
}

static void test_recipients_are_sorted_and_canonical(void **state)
{
	struct domain_file file = parse("domain M\xc3\xbcLLER.de { recipient = {\" Zoe@m\xc3\xbcller.de  off\",\n"
					"\"Anna.X+y@xn--mller-kva.de require at=2026-11-25 by=r\xc3\xb6 \"} }");
	const struct domain *d = &file.v[0];

	assert_string_equal(exported(&file),
		"domain \"xn--mller-kva.de\" {\n"
		"  recipient = {\"anna.x+y@xn--mller-kva.de require by=r\xc3\xb6 at=2026-11-25\", "
		"\"zoe@xn--mller-kva.de off\"}\n}\n");
	assert_int_equal(d->recipient[0].at, 1795564800);
	assert_ptr_equal(domain_find_recipient(d, SPAN("ZOE@m\xc3\xbcller.de")), &d->recipient[1]);
	assert_ptr_equal(domain_find_recipient(d, SPAN("anna.X+Y@xn--mller-kva.de")), &d->recipient[0]);
	assert_null(domain_find_recipient(d, SPAN("anna.x@xn--mller-kva.de")));
	assert_null(domain_find_recipient(d, SPAN("zo@xn--mller-kva.de")));
	assert_null(domain_find_recipient(d, SPAN("zoe")));
	assert_null(domain_find_recipient(d, SPAN("")));
}

static void test_recipients_that_are_none(void **state)
{
	static const char *const values[] = { "", "anna require", "@a.de require", "anna@ require", "anna@a.de",
		"anna@a.de always", "anna@a.de require by=", "anna@a.de require at=today",
		"anna@a.de require at=2026-11-25T00:00:00Z", "anna@a.de require by=a by=b",
		"anna@a.de require at=2026-11-25 at=2026-11-26", "anna@a.de require now", "anna@a.de off until=never",
		"anna@a.de off until=2026-11-25 until=2026-11-26", "\"an na\"@a.de require", "an\tna@a.de require",
		"an@na@a.de require", "\xff@a.de require", "anna@a.de require by=123456789012345678901234567890123",
		"anna@a..de off", "12345678901234567890123456789012345678901234567890123456789012345@a.de off" };
	struct domain_recipient r;
	const char *why;

	for (size_t i = 0; i < array_len(values); i++) {
		if (domain_recipient_parse(span_of(values[i]), &arena, &r, &why) != -EINVAL)
			fail_msg("%s", values[i]);
		assert_non_null(strchr(why, '|'));
	}
}

static void test_recipients_of_others_and_twice(void **state)
{
	struct domain_file file;

	assert_int_equal(domain_parse(SPAN("domain a.de {\n"
					   "  recipient = {\"x@b.de off\", \"y@a.de off\", \"Y@A.de require\"}\n"
					   "}\n"),
				 "t", &arena, &file, &errors),
		-EINVAL);
	assert_string_equal(error_codes(), "2 SETTINGS-BAD-VALUE\n2 SETTINGS-BAD-VALUE\n");
	assert_span(fault_value(&errors.v[0], "why"), "it is an address of another domain");
	assert_span(fault_value(&errors.v[1], "value"), "y@a.de");
}

/* The longest that can be said fits into a row of the store. */
static void test_longest_text_fits(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4 << 20), out = BUF_INIT(STORE_TEXT_MAX);
	char label[64], name[256];
	struct domain d;

	memset(label, 'n', sizeof(label));
	snprintf(name, sizeof(name), "%.63s.%.63s.%.63s.%.59s", label, label, label, label);
	buf_add_text(&text, "origin = http://o\nweb = {");
	for (unsigned i = 0; i < DOMAIN_WEB_MAX; i++)
		buf_addf(&text, "\"%.63s.%.63s.%.63s.%.55s%04u\",", label, label, label, label, i);
	buf_add_text(&text, "}\nrecipient = {");
	for (unsigned i = 0; i < DOMAIN_RECIPIENT_MAX; i++)
		buf_addf(&text, "\"%.60s%04u@%s require by=%s at=2026-11-25 until=2026-11-25\",", label, i, name,
			"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"");
	buf_add_text(&text, "}\n");
	if (domain_parse_body(span_of(name), buf_span(&text), &arena, &d, &errors) < 0)
		fail_msg("%s", error_codes());
	domain_export_body(&d, &out);
	assert_int_equal(buf_error(&out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_the_manual),
		cmocka_unit_test(test_presets_are_written_as_exported),
		cmocka_unit_test(test_every_key_comes_back),
		cmocka_unit_test(test_forms_are_made_canonical),
		cmocka_unit_test(test_all_faults_in_one_run),
		cmocka_unit_test(test_one_body),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_mail_only),
		cmocka_unit_test(test_backends_that_are_none),
		cmocka_unit_test(test_recipients_are_sorted_and_canonical),
		cmocka_unit_test(test_recipients_that_are_none),
		cmocka_unit_test(test_recipients_of_others_and_twice),
		cmocka_unit_test(test_longest_text_fits),
	};

	return cmocka_run_group_tests(tests, setup_arena, teardown_arena);
}
