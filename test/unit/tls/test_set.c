/* The set: what replaces what, which name gets which pair, what is told about changes. */
#include "maker.h"

static struct folder folder;
static struct told told;

static int set_up(void **state)
{
	(void)state;
	folder = folder_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

/* Builds anew from the folder; the earlier set is let go, as serve/ does it. */
static void rebuild(struct tls_set **set)
{
	struct tls_set *now = folder_build(&folder, *set, &told);

	tls_set_unref(*set);
	*set = now;
}

static struct made dated(const char *san, EVP_PKEY *key, long from_s, long until_s)
{
	return make(&(struct recipe){ .cn = "dated", .san = san, .key = key, .from_s = from_s, .until_s = until_s });
}

#define EC  TLS_KEY_ECDSA
#define RSA TLS_KEY_RSA

/* ---- what replaces what ---- */

static void test_a_faulty_pair_never_replaces_a_working_one(void **state)
{
	struct made good = make_simple("DNS:a.example", NULL);
	struct made wrong = make(&(struct recipe){ .cn = "a", .san = "DNS:a.example", .extended = "clientAuth" });
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "a.pem", &good);
	rebuild(&set);
	assert_int_equal(told.n, 0);
	/* Another key, garbage, not for servers; each time the first stays, also as kept of a kept
	 * one. */
	folder_put(&folder, "a.pem", CERTS(&good), maker_key(EC, 1));
	rebuild(&set);
	assert_int_equal(told.count[FAULT_CERT_KEY_MISMATCH], 1);
	assert_int_equal(told.count[FAULT_CERT_KEPT], 1);
	assert_true(tls_set_pair(set, 0)->kept);
	assert_true(serves(set, "a.example", EC, &good));
	folder_put_bytes(&folder, "a.pem", "garbage", 7);
	rebuild(&set);
	assert_int_equal(told.count[FAULT_CERT_KEPT], 1);
	assert_int_equal(told.count[FAULT_CERT_NONE], 0);
	folder_put_pair(&folder, "a.pem", &wrong);
	rebuild(&set);
	assert_true(serves(set, "a.example", EC, &good));
	/* Mended: nothing is kept any more. */
	folder_put_pair(&folder, "a.pem", &good);
	rebuild(&set);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	assert_false(tls_set_pair(set, 0)->kept);
	tls_set_unref(set);
}

static void test_half_of_a_renewal_keeps_the_old_pair(void **state)
{
	struct made old = make_simple("DNS:a.example", maker_key(EC, 0));
	struct made new = make_simple("DNS:a.example", maker_key(EC, 1));
	struct tls_set *set = NULL;

	folder_put(&folder, "a.crt", CERTS(&old), NULL);
	folder_put(&folder, "a.key", NULL, old.key);
	rebuild(&set);
	folder_put(&folder, "a.key", NULL, new.key);
	rebuild(&set);
	assert_true(serves(set, "a.example", EC, &old));
	folder_put(&folder, "a.crt", CERTS(&new), NULL);
	rebuild(&set);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	assert_true(serves(set, "a.example", EC, &new));
	tls_set_unref(set);
}

static void test_a_vanished_file_drops_its_pair(void **state)
{
	struct made a = make_simple("DNS:a.example", maker_key(EC, 0));
	struct made b = make_simple("DNS:b.example", maker_key(EC, 1));
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "a.pem", &a);
	folder_put_pair(&folder, "b.pem", &b);
	rebuild(&set);
	folder_drop(&folder, "b.pem");
	rebuild(&set);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	assert_true(serves(set, "b.example", EC, &a));
	/* A kept one goes with its file, too. */
	folder_put_bytes(&folder, "a.pem", "garbage", 7);
	rebuild(&set);
	assert_true(tls_set_pair(set, 0)->kept);
	folder_drop(&folder, "a.pem");
	rebuild(&set);
	assert_int_equal(tls_set_count(set), 0);
	assert_int_equal(told.count[FAULT_CERT_NONE], 1);
	tls_set_unref(set);
}

static void test_expired_never_replaces_valid(void **state)
{
	struct made valid = dated("DNS:a.example", maker_key(EC, 0), -DAY, DAY);
	struct made expired = dated("DNS:a.example", maker_key(EC, 1), -3600, -60);
	struct made future = dated("DNS:a.example", maker_key(EC, 2), DAY, 2 * DAY);
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "a.pem", &valid);
	rebuild(&set);
	/* In the same file, and beside it. */
	folder_put_pair(&folder, "a.pem", &expired);
	rebuild(&set);
	assert_int_equal(told.count[FAULT_CERT_EXPIRED], 1);
	assert_int_equal(told.count[FAULT_CERT_KEPT], 1);
	assert_true(serves(set, "a.example", EC, &valid));
	folder_put_pair(&folder, "a.pem", &valid);
	folder_put_pair(&folder, "b.pem", &expired);
	folder_put_pair(&folder, "c.pem", &future);
	rebuild(&set);
	assert_int_equal(tls_set_count(set), 1);
	assert_true(serves(set, "a.example", EC, &valid));
	/* An expired one is better than none. */
	folder_drop(&folder, "a.pem");
	folder_drop(&folder, "c.pem");
	rebuild(&set);
	assert_true(serves(set, "a.example", EC, &expired));
	tls_set_unref(set);
}

static void test_of_two_the_newest_wins(void **state)
{
	struct made old = dated("DNS:a.example,DNS:b.example", maker_key(EC, 0), -9 * DAY, 80 * DAY);
	struct made new = dated("DNS:a.example", maker_key(EC, 1), -DAY, 30 * DAY);
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "1.pem", &old);
	folder_put_pair(&folder, "2.pem", &new);
	rebuild(&set);
	assert_int_equal(tls_set_count(set), 2);
	assert_true(serves(set, "a.example", EC, &new));
	assert_true(serves(set, "b.example", EC, &old));
	tls_set_unref(set);
}

/* What works replaces all of it: a name or a key type given up on purpose must not linger. */
static void test_a_working_pair_replaces_the_whole_old_one(void **state)
{
	struct made both = make_simple("DNS:a.example,DNS:b.example", maker_key(RSA, 0));
	struct made one = make_simple("DNS:a.example", maker_key(EC, 1));
	struct tls_set *set = NULL, *earlier;

	folder_put_pair(&folder, "a.pem", &both);
	rebuild(&set);
	earlier = tls_set_ref(set);
	folder_put_pair(&folder, "a.pem", &one);
	rebuild(&set);
	assert_int_equal(told.n, 0);
	assert_int_equal(tls_set_count(set), 1);
	assert_false(serves(set, "a.example", RSA, &both));
	told = (struct told){ 0 };
	tls_set_compare(set, earlier, told_fault, &told);
	assert_int_equal(told.count[FAULT_CERT_KEY_TYPE_CHANGED], 1);
	assert_int_equal(told.count[FAULT_CERT_NAME_LOST], 1);
	assert_span(fault_value(&told.last[FAULT_CERT_NAME_LOST], "name"), "b.example");
	tls_set_unref(earlier);
	tls_set_unref(set);
}

static void test_a_set_outlives_the_next_one(void **state)
{
	struct made a = make_simple("DNS:a.example", maker_key(EC, 0));
	struct tls_set *set = NULL, *earlier;

	folder_put_pair(&folder, "a.pem", &a);
	rebuild(&set);
	earlier = tls_set_ref(set);
	folder_drop(&folder, "a.pem");
	rebuild(&set);
	tls_set_unref(set);
	assert_true(serves(earlier, "a.example", EC, &a));
	assert_null(tls_set_unref(earlier));
	assert_null(tls_set_unref(NULL));
}

/* ---- names ---- */

static void test_names(void **state)
{
	struct made standard = make_simple("DNS:first.example", maker_key(EC, 0));
	struct made exact = make_simple("DNS:www.a.example", maker_key(EC, 1));
	struct made wild = make_simple("DNS:*.a.example", maker_key(EC, 2));
	const struct {
		const char *name;
		const struct made *want;
	} rows[] = { { "www.a.example", &exact }, { "other.a.example", &wild }, { "WWW.A.Example", &exact },
		{ "OTHER.A.EXAMPLE", &wild }, { "www.a.example.", &exact }, { "a.example", &standard },
		{ "deep.other.a.example", &standard }, { "unknown.example", &standard }, { "", &standard },
		{ "*.a.example", &wild }, { ".a.example", &standard }, { "first.example", &standard } };
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "1.pem", &standard);
	folder_put_pair(&folder, "2.pem", &exact);
	folder_put_pair(&folder, "3.pem", &wild);
	rebuild(&set);
	for (size_t i = 0; i < array_len(rows); i++) {
		if (!serves(set, rows[i].name, EC, rows[i].want))
			print_error("\"%s\"\n", rows[i].name);
		assert_true(serves(set, rows[i].name, EC, rows[i].want));
	}
	tls_set_unref(set);
}

static void test_a_long_name_is_unknown(void **state)
{
	struct made m = make_simple("DNS:a.example", NULL);
	struct tls_set *set = NULL;
	char name[2000];
	const struct tls_pair *found;

	folder_put_pair(&folder, "a.pem", &m);
	rebuild(&set);
	memset(name, 'a', sizeof(name));
	for (size_t i = 1; i < sizeof(name); i += 50)
		name[i] = '.';
	assert_int_equal(tls_set_pairs_for(set, span_make(name, sizeof(name)), &found, 1), 1);
	assert_span(found->names[0], "a.example");
	tls_set_unref(set);
}

/* The default is the first file's pair; that the file breaks does not change it. */
static void test_a_kept_pair_stays_the_default(void **state)
{
	struct made first = make_simple("DNS:first.example", maker_key(EC, 0));
	struct made second = make_simple("DNS:second.example", maker_key(EC, 1));
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "1.pem", &first);
	folder_put_pair(&folder, "2.pem", &second);
	rebuild(&set);
	assert_true(serves(set, "", EC, &first));
	folder_put_bytes(&folder, "1.pem", "garbage", 7);
	rebuild(&set);
	assert_true(serves(set, "", EC, &first));
	tls_set_unref(set);
}

/* ---- key types side by side ---- */

static void test_side_by_side(void **state)
{
	struct made rsa = make_simple("DNS:a.example", maker_key(RSA, 0));
	struct made ecdsa = make_simple("DNS:a.example", maker_key(EC, 0));
	struct made ed = make_simple("DNS:a.example", maker_key(TLS_KEY_ED25519, 0));
	const struct tls_pair *pairs[4];
	struct tls_set *set = NULL;

	folder_put_pair(&folder, "rsa.pem", &rsa);
	folder_put_pair(&folder, "ecdsa.pem", &ecdsa);
	folder_put_pair(&folder, "ed.pem", &ed);
	rebuild(&set);
	assert_int_equal(tls_set_pairs_for(set, SPAN("a.example"), pairs, 4), 3);
	assert_int_equal(tls_set_pairs_for(set, SPAN("a.example"), pairs, 2), 2);
	assert_true(serves(set, "a.example", RSA, &rsa));
	assert_true(serves(set, "a.example", EC, &ecdsa));
	assert_true(serves(set, "a.example", TLS_KEY_ED25519, &ed));
	folder_drop(&folder, "rsa.pem");
	rebuild(&set);
	assert_false(serves(set, "a.example", RSA, &rsa));
	assert_true(serves(set, "a.example", EC, &ecdsa));
	tls_set_unref(set);
}

/* Certificates with hundreds of names and long chains do not fit into one flight of a small
 * buffer. */
static void test_a_big_certificate_is_proved(void **state)
{
	struct buf sans = BUF_INIT(65536);
	struct tls_set *set = NULL;
	struct made m;

	for (unsigned i = 0; i < 900; i++)
		buf_addf(&sans, "%sDNS:name-%u.of-a-big-certificate.example", i ? "," : "", i);
	m = make_simple(buf_text(&sans), NULL);
	folder_put_pair(&folder, "a.pem", &m);
	rebuild(&set);
	assert_int_equal(tls_set_pair(set, 0)->names_n, 900);
	assert_true(serves(set, "name-7.of-a-big-certificate.example", EC, &m));
	buf_done(&sans);
	tls_set_unref(set);
}

static void test_proof_of_what_is_not_there(void **state)
{
	struct made m = make_simple("DNS:a.example", NULL);
	struct tls_set *set = NULL;
	uint8_t print[32];

	rebuild(&set);
	assert_int_equal(tls_set_prove(set, SPAN("a.example"), EC, print), -EPROTO);
	folder_put_pair(&folder, "a.pem", &m);
	rebuild(&set);
	assert_int_equal(tls_set_prove(set, SPAN("a.example"), RSA, print), -EPROTO);
	assert_int_equal(tls_set_prove(set, SPAN("a.example"), EC, print), 0);
	tls_set_unref(set);
}

/* ---- without any pair ---- */

static void test_none_and_the_first(void **state)
{
	struct tls_set_settings settings = { .session_lifetime_s = 60 };
	struct tls_files none = { 0 };
	struct tls_set *set;
	uint8_t print[32];

	told = (struct told){ 0 };
	set = tls_set_build(&none, &settings, NULL, told_fault, &told);
	assert_int_equal(told.count[FAULT_CERT_NONE], 1);
	assert_int_equal(tls_set_count(set), 0);
	assert_true(tls_set_prove(set, SPAN("anything.example"), EC, print) < 0);
	/* Once there is a pair, it is served for every name. */
	{
		struct made m = make_simple("DNS:a.example", NULL);

		folder_put_pair(&folder, "a.pem", &m);
		rebuild(&set);
		assert_int_equal(tls_set_count(set), 1);
		assert_true(serves(set, "localhost", EC, &m));
	}
	tls_set_unref(set);
}

/* ---- what changed ---- */

static void test_compare(void **state)
{
	struct made rsa = make_simple("DNS:a.example", maker_key(RSA, 0));
	struct made ecdsa = make_simple("DNS:a.example", maker_key(EC, 0));
	struct made soon = dated("DNS:soon.example", maker_key(EC, 1), -DAY, 5 * DAY);
	struct tls_set *before = NULL, *now = NULL;

	folder_put_pair(&folder, "rsa.pem", &rsa);
	rebuild(&before);
	folder_drop(&folder, "rsa.pem");
	folder_put_pair(&folder, "ecdsa.pem", &ecdsa);
	folder_put_pair(&folder, "soon.pem", &soon);
	rebuild(&now);
	told = (struct told){ 0 };
	tls_set_compare(now, before, told_fault, &told);
	tls_set_dates(now, told_fault, &told);
	assert_int_equal(told.n, 2);
	assert_span(fault_value(&told.last[FAULT_CERT_KEY_TYPE_CHANGED], "before"), "RSA");
	assert_span(fault_value(&told.last[FAULT_CERT_KEY_TYPE_CHANGED], "now"), "ECDSA");
	assert_span(fault_value(&told.last[FAULT_CERT_EXPIRES_SOON], "name"), "soon.example");
	/* The other way round: a name lost, and no word about a name that came. */
	told = (struct told){ 0 };
	tls_set_compare(before, now, told_fault, &told);
	assert_int_equal(told.n, 2);
	assert_span(fault_value(&told.last[FAULT_CERT_NAME_LOST], "name"), "soon.example");
	/* A second type beside the first is no loss. */
	folder_put_pair(&folder, "rsa.pem", &rsa);
	folder_drop(&folder, "soon.pem");
	tls_set_unref(now);
	now = NULL;
	rebuild(&now);
	told = (struct told){ 0 };
	tls_set_compare(now, before, told_fault, &told);
	assert_int_equal(told.n, 0);
	/* Nothing earlier, nothing changed. */
	told = (struct told){ 0 };
	tls_set_compare(before, NULL, told_fault, &told);
	tls_set_compare(before, before, told_fault, &told);
	assert_int_equal(told.n, 0);
	tls_set_unref(before);
	tls_set_unref(now);
}

static void test_self_signed(void **state)
{
	struct span names[] = { SPAN("a.example"), SPAN("*.b.example") };

	for (enum tls_key_type type = TLS_KEY_RSA; type <= TLS_KEY_ECDSA; type++) {
		struct buf cert = BUF_INIT(16384), key = BUF_INIT(16384);
		struct tls_set *set = NULL;

		assert_int_equal(tls_self_signed(type, names, 2, 30, &cert, &key), 0);
		folder_put_bytes(&folder, "a.crt", cert.p, cert.n);
		folder_put_bytes(&folder, "a.key", key.p, key.n);
		rebuild(&set);
		assert_int_equal(told.n, 0);
		assert_int_equal(tls_set_pair(set, 0)->type, type);
		assert_int_equal(tls_set_pair(set, 0)->names_n, 2);
		tls_set_unref(set);
		buf_done(&cert);
		buf_done(&key);
	}
	assert_int_equal(tls_self_signed(TLS_KEY_ECDSA, NULL, 0, 30, NULL, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_a_faulty_pair_never_replaces_a_working_one),
		TEST(test_half_of_a_renewal_keeps_the_old_pair),
		TEST(test_a_vanished_file_drops_its_pair),
		TEST(test_expired_never_replaces_valid),
		TEST(test_of_two_the_newest_wins),
		TEST(test_a_working_pair_replaces_the_whole_old_one),
		TEST(test_a_set_outlives_the_next_one),
		TEST(test_names),
		TEST(test_a_long_name_is_unknown),
		TEST(test_a_kept_pair_stays_the_default),
		TEST(test_side_by_side),
		TEST(test_a_big_certificate_is_proved),
		TEST(test_proof_of_what_is_not_there),
		TEST(test_none_and_the_first),
		TEST(test_compare),
		TEST(test_self_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
