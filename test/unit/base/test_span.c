/* Spans: comparing, cutting, numbers; the hash against itself. */
#include "../unit.h"
#include "base/mem.h"
#include "base/rand.h"

static const struct span nothing = { NULL, 0 };

static void test_empty_is_harmless(void **state)
{
	assert_true(span_eq(nothing, SPAN("")));
	assert_true(span_eq_nocase(nothing, SPAN("")));
	assert_true(span_starts(nothing, nothing));
	assert_true(span_ends(SPAN("x"), nothing));
	assert_int_equal(span_cmp(nothing, nothing), 0);
	assert_true(span_cmp(nothing, SPAN("a")) < 0);
	assert_int_equal(span_index(nothing, 'a'), -1);
	assert_int_equal(span_find(nothing, SPAN("a")), -1);
	assert_int_equal(span_find(nothing, nothing), 0);
	assert_span(span_trim(nothing), "");
	assert_span(span_from(nothing, 3), "");
	assert_int_equal(span_hash(nothing, 0), span_hash(SPAN(""), 0));
}

static void test_ignoring_case(void **state)
{
	assert_true(span_eq_nocase(SPAN("Content-Length"), SPAN("cONTENT-lENGTH")));
	assert_true(span_eq_nocase(SPAN("AZ"), SPAN("az")));
	/* Neighbours of the letters in ASCII, 32 apart, are not letters. */
	assert_false(span_eq_nocase(SPAN("@"), SPAN("`")));
	assert_false(span_eq_nocase(SPAN("[[[[[[[["), SPAN("{{{{{{{{")));
	assert_false(span_eq_nocase(SPAN("12345678@"), SPAN("12345678`")));
	assert_false(span_eq_nocase(SPAN("\xc3\x84xxxxxx"), SPAN("\xc3\xa4xxxxxx")));
	assert_true(span_starts_nocase(SPAN("Bearer abc"), SPAN("bearer ")));
	assert_false(span_starts_nocase(SPAN("Bear"), SPAN("bearer ")));
}

static void test_all_bytes_fold_alike(void **state)
{
	for (int c = 0; c < 256; c++) {
		char one = (char)c, low = ascii_lower(one), eight[8], lower[8];

		memset(eight, one, 8);
		memset(lower, low, 8);
		assert_true(span_eq_nocase(span_make(&one, 1), span_make(&low, 1)));
		assert_true(span_eq_nocase(span_make(eight, 8), span_make(lower, 8)));
		eight[3] ^= 1;
		assert_int_equal(span_eq_nocase(span_make(eight, 8), span_make(lower, 8)),
			ascii_lower(eight[3]) == low);
	}
}

static void test_parts(void **state)
{
	struct span s = SPAN("example.de");

	assert_true(span_starts(s, SPAN("exam")));
	assert_false(span_starts(SPAN("ex"), s));
	assert_true(span_ends(s, SPAN(".de")));
	assert_false(span_ends(SPAN("de"), SPAN(".de")));
	assert_span(span_from(s, 8), "de");
	assert_span(span_from(s, 99), "");
	assert_span(span_sub(s, 8, 99), "de");
	assert_span(span_sub(s, 2, 3), "amp");
	assert_span(span_sub(s, SIZE_MAX, SIZE_MAX), "");
	assert_int_equal(span_index(s, '.'), 7);
	assert_int_equal(span_find(s, SPAN("ple")), 4);
	assert_int_equal(span_find(s, SPAN("plx")), -1);
	assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
	assert_span(span_trim(SPAN(" \t ")), "");
	assert_true(span_cmp(SPAN("ab"), SPAN("abc")) < 0);
	assert_true(span_cmp(SPAN("b"), SPAN("abc")) > 0);
	assert_true(span_cmp(SPAN("\xff"), SPAN("a")) > 0);
}

static void test_cut(void **state)
{
	struct span rest = SPAN("a,,b,"), piece;
	static const char *const want[] = { "a", "", "b", "" };

	for (size_t i = 0; i < array_len(want); i++) {
		assert_true(span_cut(&rest, ',', &piece));
		assert_span(piece, want[i]);
	}
	assert_false(span_cut(&rest, ',', &piece));
	rest = SPAN("");
	assert_true(span_cut(&rest, ',', &piece));
	assert_false(span_cut(&rest, ',', &piece));
}

static void test_numbers(void **state)
{
	uint64_t v = 7;

	assert_int_equal(span_to_u64(SPAN("18446744073709551615"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(span_to_u64(SPAN("007"), &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(span_to_u64(SPAN("18446744073709551616"), &v), -ERANGE);
	assert_int_equal(span_to_u64(SPAN("99999999999999999999999x"), &v), -EINVAL);
	assert_int_equal(span_to_u64(SPAN(""), &v), -EINVAL);
	assert_int_equal(span_to_u64(SPAN("+1"), &v), -EINVAL);
	assert_int_equal(span_to_u64(SPAN("-1"), &v), -EINVAL);
	assert_int_equal(span_to_u64(SPAN(" 1"), &v), -EINVAL);
	assert_int_equal(span_to_u64(SPAN("1f"), &v), -EINVAL);
	assert_int_equal(v, 7);
	assert_int_equal(span_to_hex_u64(SPAN("fFfFffffFFFFffff"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(span_to_hex_u64(SPAN("10000000000000000"), &v), -ERANGE);
	assert_int_equal(span_to_hex_u64(SPAN("0x10"), &v), -EINVAL);
	assert_int_equal(span_to_hex_u64(SPAN("g"), &v), -EINVAL);
}

static void test_utf8(void **state)
{
	assert_int_equal(span_utf8(SPAN("a")), 1);
	assert_int_equal(span_utf8(SPAN("\0")), 1);
	assert_int_equal(span_utf8(SPAN("\xc3\xa4")), 2);
	assert_int_equal(span_utf8(SPAN("\xe2\x82\xac!")), 3);
	assert_int_equal(span_utf8(SPAN("\xf4\x8f\xbf\xbf")), 4);
	assert_int_equal(span_utf8(nothing), 0);
	assert_int_equal(span_utf8(SPAN("\x80")), 0);
	assert_int_equal(span_utf8(SPAN("\xc3")), 0);
	assert_int_equal(span_utf8(SPAN("\xc0\xaf")), 0); /* overlong */
	assert_int_equal(span_utf8(SPAN("\xe0\x80\xaf")), 0);
	assert_int_equal(span_utf8(SPAN("\xf0\x80\x80\xaf")), 0);
	assert_int_equal(span_utf8(SPAN("\xed\xa0\x80")), 0);     /* surrogate */
	assert_int_equal(span_utf8(SPAN("\xf4\x90\x80\x80")), 0); /* past U+10FFFF */
	assert_int_equal(span_utf8(SPAN("\xe2\x82")), 0);
	assert_int_equal(span_utf8(SPAN("\xe2\x82(")), 0);
}

/* Every length from 0 to 100: each single bit counts, and case only where it should. */
static void test_hash_sees_every_bit(void **state)
{
	char text[100];

	rand_bytes(text, sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		_cleanup_(mem_freep) char *copy = span_text(span_make(text, n));
		struct span s = span_make(copy, n);
		uint64_t before = span_hash(s, 0);

		assert_true(before != span_hash(s, 1));
		for (size_t bit = 0; bit < n * 8; bit++) {
			copy[bit / 8] ^= (char)(1 << bit % 8);
			assert_true(span_hash(s, 0) != before);
			copy[bit / 8] ^= (char)(1 << bit % 8);
		}
		assert_true(span_hash(s, 0) == before);
	}
}

static void test_hash_sees_the_length(void **state)
{
	static const char zeroes[64];
	uint64_t seen[65];

	for (size_t n = 0; n <= 64; n++) {
		seen[n] = span_hash(span_make(zeroes, n), 0);
		for (size_t before = 0; before < n; before++)
			assert_true(seen[before] != seen[n]);
	}
}

static void test_hash_nocase_is_hash_of_lower(void **state)
{
	char text[70], lower[70];

	for (size_t n = 0; n <= sizeof(text); n++)
		for (int turn = 0; turn < 50; turn++) {
			rand_bytes(text, n);
			for (size_t i = 0; i < n; i++)
				lower[i] = ascii_lower(text[i]);
			assert_true(span_hash_nocase(span_make(text, n), 9) == span_hash(span_make(lower, n), 9));
		}
}

/* 65536 similar keys into 65536 places: about 1/e of the places stay empty (36.8 %). */
static void test_hash_spreads(void **state)
{
	static unsigned char seen[65536];
	unsigned empty[2] = { 0 };

	for (int high = 0; high < 2; high++) {
		memset(seen, 0, sizeof(seen));
		for (unsigned i = 0; i < 65536; i++) {
			char key[32];
			int n = snprintf(key, sizeof(key), "www.shop%u.example", i);
			uint64_t h = span_hash(span_make(key, (size_t)n), 0);

			seen[(high ? h >> 48 : h) & 0xffff] = 1;
		}
		for (unsigned i = 0; i < 65536; i++)
			empty[high] += !seen[i];
		assert_in_range(empty[high], 23400, 24850);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_is_harmless),
		cmocka_unit_test(test_ignoring_case),
		cmocka_unit_test(test_all_bytes_fold_alike),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_hash_sees_every_bit),
		cmocka_unit_test(test_hash_sees_the_length),
		cmocka_unit_test(test_hash_nocase_is_hash_of_lower),
		cmocka_unit_test(test_hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
