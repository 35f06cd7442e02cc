/* Faults: sentences filled with evidence, evidence that tries to misbehave, the table. */
#include "../unit.h"
#include "base/fault.h"
#include "base/mem.h"

static struct buf out;

static const char *print(const struct fault *f, enum fault_lang lang)
{
	buf_done(&out);
	buf_init(&out, 1 << 16);
	fault_print(f, lang, &out);
	return buf_text(&out);
}

static int teardown(void **state)
{
	buf_done(&out);
	return 0;
}

static void test_both_languages(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	fault_fact(&f, "address", "[::]:%d", 443);
	fault_fact(&f, "error", "%s", "Address already in use");
	assert_non_null(strstr(print(&f, FAULT_EN),
		"  cause:  The address [::]:443 cannot be listened on: Address already in use.\n"
		"  remedy: Find who holds it"));
	assert_non_null(
		strstr(print(&f, FAULT_DE), "  Ursache: Auf der Adresse [::]:443 kann nicht gelauscht werden: "));
	assert_non_null(strstr(buf_text(&out), "\n  Abhilfe: Nachsehen"));
}

static void test_missing_evidence(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	assert_non_null(strstr(print(&f, FAULT_EN), "The address <address> cannot"));
	assert_span(fault_value(&f, "address"), "");
	assert_span(fault_value(NULL, "address"), "");
	fault_clear(&f);
	assert_int_equal(f.code, FAULT_NONE);
}

static void test_evidence_cannot_break_a_line(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	fault_fact(&f, "address", "a\nb\x1b[2J\x7f \xff \xc2\x9b m\xc3\xa4\xc3\xb6");
	assert_span(fault_value(&f, "address"), "a\\x0ab\\x1b[2J\\x7f \\xff \\xc2\\x9b m\xc3\xa4\xc3\xb6");
}

/* A remedy is copied into a shell: what a stranger chose is one word there, and elsewhere as it
 * is. */
static void test_evidence_cannot_break_a_command(void **state)
{
	static const char *const rows[][2] = {
		{ "anna+news@example.test", "`torhaus recipient set anna+news@example.test --tls report`" },
		{ "m\xc3\xbcller@example.test", "`torhaus recipient set m\xc3\xbcller@example.test --tls report`" },
		{ "x|reboot@example.test", "`torhaus recipient set 'x|reboot@example.test' --tls report`" },
		{ "`reboot`@example.test", "`torhaus recipient set '`reboot`@example.test' --tls report`" },
		{ "o'$(reboot)@example.test", "`torhaus recipient set 'o'\\''$(reboot)@example.test' --tls report`" },
	};
	struct fault f;

	for (size_t i = 0; i < array_len(rows); i++) {
		fault_set(&f, FAULT_MAIL_TLS_REQUIRED);
		fault_fact(&f, "rcpt", "%s", rows[i][0]);
		assert_non_null(strstr(print(&f, FAULT_EN), rows[i][1]));
		assert_non_null(strstr(print(&f, FAULT_DE), rows[i][1]));
		assert_non_null(strstr(buf_text(&out), rows[i][0]));
	}
}

static void test_too_much_evidence_is_cut(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m" };
	char big[2000];
	struct fault f;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	fault_set(&f, FAULT_LISTEN_FAILED);
	fault_fact(&f, "first", "%s", "small");
	for (size_t i = 0; i < array_len(names); i++)
		fault_fact(&f, names[i], "%s", big);
	assert_int_equal(f.facts, FAULT_FACTS_MAX);
	assert_true(f.used <= FAULT_TEXT_MAX);
	assert_span(fault_value(&f, "first"), "small");
	assert_int_equal(fault_value(&f, "a").n, FAULT_TEXT_MAX - strlen("small"));
	assert_span(fault_value(&f, "b"), "");
}

static void test_same_name_again(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	fault_fact(&f, "address", "%s", "old");
	fault_fact(&f, "error", "%s", "why");
	fault_fact(&f, "address", "%s", "new");
	assert_int_equal(f.facts, 2);
	assert_span(fault_value(&f, "address"), "new");
	assert_span(fault_value(&f, "error"), "why");
}

static void test_words_in_german(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_SETTINGS_BAD_VALUE);
	fault_fact(&f, "why", "%s", "no port");
	fault_fact(&f, "why_de", "%s", "kein Port");
	assert_non_null(strstr(print(&f, FAULT_EN), ": no port."));
	assert_non_null(strstr(print(&f, FAULT_DE), ": kein Port."));
}

static void test_null_fault(void **state)
{
	fault_set(NULL, FAULT_LISTEN_FAILED);
	fault_fact(NULL, "address", "%s", "x");
	fault_clear(NULL);
}

static void test_codes_are_found(void **state)
{
	assert_int_equal(fault_code_find(SPAN("LISTEN-FAILED")), FAULT_LISTEN_FAILED);
	assert_int_equal(fault_code_find(SPAN("listen-failed")), FAULT_LISTEN_FAILED);
	assert_int_equal(fault_code_find(SPAN("LISTEN-FAILE")), FAULT_NONE);
	assert_int_equal(fault_code_find(SPAN("")), FAULT_NONE);
	assert_int_equal(fault_code_nearest(SPAN("listen_faild")), FAULT_LISTEN_FAILED);
	assert_int_not_equal(fault_code_nearest(SPAN("")), FAULT_NONE);
	assert_string_equal(fault_code_text(FAULT_NONE), "NONE");
}

static void test_languages(void **state)
{
	assert_int_equal(fault_lang_of("de_DE.UTF-8"), FAULT_DE);
	assert_int_equal(fault_lang_of("de"), FAULT_DE);
	assert_int_equal(fault_lang_of("DE@euro"), FAULT_DE);
	assert_int_equal(fault_lang_of("den"), FAULT_EN);
	assert_int_equal(fault_lang_of("en_US"), FAULT_EN);
	assert_int_equal(fault_lang_of("C"), FAULT_EN);
	assert_int_equal(fault_lang_of(""), FAULT_EN);
	assert_int_equal(fault_lang_of(NULL), FAULT_EN);
}

/* The names in braces of text, one after the other; NULL behind the last. */
static const char *next_name(const char *text, char name[64])
{
	const char *open = strchr(text, '{'), *end;

	if (!open)
		return NULL;
	end = strchr(open, '}');
	assert_non_null(end);
	assert_in_range(end - open, 2, 63);
	snprintf(name, 64, "%.*s", (int)(end - open + 1), open);
	return end;
}

static void assert_same_names(const char *code, const char *a, const char *b)
{
	char name[64];

	for (const char *at = next_name(a, name); at; at = next_name(at, name))
		if (!strstr(b, name))
			fail_msg("%s: %s stands in one language only", code, name);
}

static void assert_good_row(const char *code, const char *en, const char *de)
{
	static const char *const ascii_umlauts[] = { "fuer ", "ueber", "koenn", "waehl", "moegl", "loesch", "pruef",
		"aender", "muess", "oeffn", "schluess" };

	for (const char *c = code; *c; c++)
		if (!(*c >= 'A' && *c <= 'Z') && !ascii_digit(*c) && *c != '-')
			fail_msg("%s: codes are of A-Z, digits and hyphens", code);
	if (!*en || !*de)
		fail_msg("%s: a sentence is missing", code);
	for (size_t i = 0; i < array_len(ascii_umlauts); i++)
		if (strstr(de, ascii_umlauts[i]))
			fail_msg("%s: \"%s\" wants its umlaut", code, ascii_umlauts[i]);
	assert_same_names(code, en, de);
	assert_same_names(code, de, en);
}

static void test_every_row(void **state)
{
#define FAULT(id, code, cause_en, cause_de, remedy_en, remedy_de) \
	assert_good_row(code, cause_en, cause_de); \
	assert_good_row(code, remedy_en, remedy_de); \
	assert_int_equal(fault_code_find(SPAN(code)), FAULT_##id);
#include "base/fault.tbl.h"
#undef FAULT
}

static void test_packed_and_back(void **state)
{
	struct buf text = BUF_INIT(4096);
	struct fault f, back;
	struct arena a;

	arena_init(&a, 1024);
	fault_set(&f, FAULT_ORIGIN_REFUSED);
	fault_fact(&f, "origin", "10.0.0.5:80");
	fault_fact(&f, "error", "a=b\nc");
	fault_fact(&f, "empty", "%s", "");
	fault_pack(&f, &text);
	assert_string_equal(buf_text(&text), "ORIGIN-REFUSED\norigin=10.0.0.5:80\nerror=a=b\\x0ac\nempty=\n");
	assert_int_equal(fault_unpack(buf_span(&text), &a, &back), 0);
	assert_int_equal(back.code, FAULT_ORIGIN_REFUSED);
	assert_int_equal(back.facts, 3);
	assert_span(fault_value(&back, "error"), "a=b\\x0ac");
	assert_span(fault_value(&back, "empty"), "");
	arena_done(&a);
	buf_done(&text);
}

static void test_packed_by_others(void **state)
{
	static const char *const texts[] = { "", "\n", "NEW-CODE\na=b\n", "ORIGIN-REFUSED\nno value\n",
		"ORIGIN-REFUSED\n=b\n", "ORIGIN-REFUSED\nA b=c\n", "NONE\n" };
	struct arena a;
	struct fault f;

	arena_init(&a, 1024);
	for (size_t i = 0; i < array_len(texts); i++) {
		assert_int_equal(fault_unpack(span_of(texts[i]), &a, &f), -EINVAL);
		assert_int_equal(f.code, FAULT_NONE);
	}
	/* More than a fault holds is cut. */
	assert_int_equal(
		fault_unpack(SPAN("ORIGIN-REFUSED\na=1\nb=1\nc=1\nd=1\ne=1\nf=1\ng=1\nh=1\ni=1\nj=1\nk=1\nl=1\nm=1\n"),
			&a, &f),
		0);
	assert_int_equal(f.facts, FAULT_FACTS_MAX);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_languages),
		cmocka_unit_test(test_missing_evidence),
		cmocka_unit_test(test_evidence_cannot_break_a_line),
		cmocka_unit_test(test_evidence_cannot_break_a_command),
		cmocka_unit_test(test_too_much_evidence_is_cut),
		cmocka_unit_test(test_same_name_again),
		cmocka_unit_test(test_words_in_german),
		cmocka_unit_test(test_null_fault),
		cmocka_unit_test(test_codes_are_found),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_packed_and_back),
		cmocka_unit_test(test_packed_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
