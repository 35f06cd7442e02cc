/*
 * The catalogue of causes, 70 rows, and where each is tested: a row, a code or a test that is
 * missing fails here.
 *
 * A test counts if the file named runs it and its body names the code. Row 0: codes of the engine
 * beyond the catalogue (what is left when no row fits, and the client's side of rows that the
 * catalogue tells from the server's).
 */
#include "../unit.h"
#include "base/buf.h"
#include "tls/explain_priv.h"

#define ROWS 70

static const struct row {
	unsigned number;
	enum fault_code code;
	const char *file, *test;
} rows[] = {
	{ 1, FAULT_TLS_NO_RSA_CERT, "test_explain_offer.c", "test_the_founding_case" },
	{ 2, FAULT_TLS_NO_ECDSA_CERT, "test_explain_offer.c", "test_2_ecdsa_suites_only" },
	{ 3, FAULT_TLS_SIGNATURES_RSA_ONLY, "test_explain_offer.c", "test_3_rsa_signatures_only" },
	{ 4, FAULT_TLS_SIGNATURES_ECDSA_ONLY, "test_explain_offer.c", "test_4_ecdsa_signatures_only" },
	{ 5, FAULT_TLS_NO_ECDSA_SIGNATURE, "test_explain_offer.c", "test_5_ecdsa_suites_without_ecdsa_signatures" },
	{ 6, FAULT_TLS_NO_RSA_SIGNATURE, "test_explain_offer.c", "test_6_rsa_suites_without_rsa_signatures" },
	{ 7, FAULT_TLS_CERT_CURVE, "test_explain_offer.c", "test_7_a_curve_that_the_peer_lacks" },
	{ 8, FAULT_TLS_CERT_CURVE_SIGNATURE, "test_explain_offer.c", "test_8_a_curve_whose_signatures_the_peer_lacks" },
	{ 9, FAULT_TLS_CERT_ED25519, "test_explain_offer.c", "test_9_ed25519" },
	{ 10, FAULT_TLS_PAIR_RSA_PSS, "test_explain_offer.c", "test_10_an_rsa_pss_key" },
	{ 11, FAULT_TLS_SUITES_DISJOINT, "test_explain_offer.c", "test_11_no_suite_in_common" },
	{ 12, FAULT_TLS_SUITES_DISJOINT_13, "test_explain_offer.c", "test_12_no_suite_in_common_13" },
	{ 13, FAULT_TLS_PEER_3DES, "test_explain_offer.c", "test_13_to_15_ciphers_of_the_past" },
	{ 14, FAULT_TLS_PEER_RC4, "test_explain_offer.c", "test_13_to_15_ciphers_of_the_past" },
	{ 15, FAULT_TLS_PEER_EXPORT, "test_explain_offer.c", "test_13_to_15_ciphers_of_the_past" },
	{ 16, FAULT_TLS_GROUPS_DISJOINT, "test_explain_offer.c", "test_16_no_group_in_common" },
	{ 17, FAULT_TLS_GROUPS_DISJOINT_13, "test_explain_offer.c", "test_17_no_group_in_common_13" },
	{ 18, FAULT_TLS_NO_DH, "test_explain_offer.c", "test_18_no_dh_parameters" },
	{ 19, FAULT_TLS_DH_TOO_SMALL, "test_explain_client.c", "test_19_its_dh_group_is_too_small" },
	{ 20, FAULT_TLS_PEER_TOO_OLD, "test_explain_first.c", "test_20_too_old" },
	{ 21, FAULT_TLS_PEER_NEEDS_13, "test_explain_first.c", "test_21_insists_on_13" },
	{ 22, FAULT_TLS_ONLY_13_ALLOWED, "test_explain_first.c", "test_22_only_13_allowed" },
	{ 23, FAULT_TLS_LEVEL_FORBIDS_OLD, "test_explain_first.c", "test_23_forbidden_by_the_level" },
	{ 24, FAULT_TLS_PEER_SSL3, "test_explain_first.c", "test_24_ssl3" },
	{ 25, FAULT_TLS_PEER_SSL2, "test_explain_first.c", "test_25_and_26_ssl2" },
	{ 26, FAULT_TLS_HELLO_V2, "test_explain_first.c", "test_25_and_26_ssl2" },
	{ 27, FAULT_TLS_PEER_DRAFT, "test_explain_first.c", "test_27_drafts" },
	{ 28, FAULT_TLS_FALLBACK_SCSV, "test_explain_first.c", "test_28_fallback" },
	{ 29, FAULT_TLS_NO_CERT, "test_explain_offer.c", "test_29_no_certificate" },
	{ 30, FAULT_TLS_PAIR_MISMATCHED, "test_explain_offer.c", "test_30_a_key_of_another_certificate" },
	{ 31, FAULT_TLS_PAIR_SMALL_KEY, "test_explain_offer.c", "test_31_a_small_key" },
	{ 32, FAULT_TLS_PAIR_WEAK_SIGNATURE, "test_explain_offer.c", "test_32_signed_with_sha1" },
	{ 33, FAULT_TLS_PAIR_KEY_MISSING, "test_explain_offer.c", "test_33_no_key" },
	{ 34, FAULT_TLS_PAIR_KEY_USAGE, "test_explain_offer.c", "test_34_a_key_that_may_not_sign" },
	{ 35, FAULT_TLS_PEER_SHA1_ONLY, "test_explain_offer.c", "test_35_sha1_only" },
	{ 36, FAULT_TLS_NO_SIGNATURES, "test_explain_offer.c", "test_36_no_signature_algorithms" },
	{ 37, FAULT_TLS_HELLO_INCOMPLETE_13, "test_explain_offer.c", "test_37_an_incomplete_hello_of_13" },
	{ 38, FAULT_TLS_NAME_REFUSED, "test_explain_first.c", "test_38_a_name_refused" },
	{ 39, FAULT_TLS_NO_ALPN, "test_explain_first.c", "test_39_no_protocol_in_common" },
	{ 40, FAULT_TLS_PLAIN_SMTP, "test_explain_first.c", "test_40_to_43_other_protocols" },
	{ 41, FAULT_TLS_SERVER_SPEAKS_FIRST, "test_explain_client.c", "test_41_it_greets" },
	{ 42, FAULT_TLS_HTTP, "test_explain_first.c", "test_42_http" },
	{ 43, FAULT_TLS_PROXY_HEADER, "test_explain_first.c", "test_40_to_43_other_protocols" },
	{ 43, FAULT_TLS_SSH, "test_explain_first.c", "test_40_to_43_other_protocols" },
	{ 44, FAULT_TLS_PEER_LEFT, "test_explain_first.c", "test_44_gone_early" },
	{ 45, FAULT_TLS_PEER_LEFT_AT_CERT, "test_explain_peer.c", "test_45_hung_up_at_the_certificate" },
	{ 46, FAULT_TLS_RESET, "test_explain_first.c", "test_46_reset_after_the_hello" },
	{ 47, FAULT_TLS_SILENCE, "test_explain_first.c", "test_47_silence" },
	{ 48, FAULT_TLS_CERT_EXPIRED, "test_explain_peer.c", "test_48_expired" },
	{ 49, FAULT_TLS_CERT_NOT_YET_VALID, "test_explain_peer.c", "test_49_not_yet_valid" },
	{ 50, FAULT_TLS_CERT_NAME, "test_explain_peer.c", "test_50_another_name" },
	{ 51, FAULT_TLS_CERT_SELF_SIGNED, "test_explain_peer.c", "test_51_self_signed" },
	{ 52, FAULT_TLS_CERT_NO_CHAIN, "test_explain_peer.c", "test_52_no_intermediate" },
	{ 53, FAULT_TLS_CERT_CA_UNKNOWN, "test_explain_peer.c", "test_53_a_ca_that_the_peer_lacks" },
	{ 54, FAULT_TLS_CERT_WEAK, "test_explain_peer.c", "test_54_a_key_too_small_for_the_peer" },
	{ 55, FAULT_TLS_CERT_NOT_FOR_SERVERS, "test_explain_peer.c", "test_55_not_for_servers" },
	{ 56, FAULT_TLS_DANE_MISMATCH, "test_explain_peer.c", "test_56_and_57_with_real_peers" },
	{ 57, FAULT_TLS_MTA_STS, "test_explain_peer.c", "test_56_and_57_with_real_peers" },
	{ 58, FAULT_TLS_CHAIN_TOO_LARGE, "test_explain_peer.c", "test_58_a_chain_too_large" },
	{ 58, FAULT_TLS_SERVER_CHAIN_TOO_LARGE, "test_explain_client.c", "test_58_its_chain_is_too_large" },
	{ 59, FAULT_TLS_CLIENT_CERT_MISSING, "test_explain_peer.c", "test_59_a_client_certificate_is_missing" },
	{ 59, FAULT_TLS_CLIENT_CERT_WANTED, "test_explain_client.c", "test_59_it_demands_a_certificate" },
	{ 60, FAULT_TLS_CLIENT_CERT_BAD, "test_explain_peer.c", "test_60_a_client_certificate_is_bad" },
	{ 60, FAULT_TLS_CLIENT_CERT_EXPIRED, "test_explain_peer.c", "test_60_a_client_certificate_is_bad" },
	{ 60, FAULT_TLS_CLIENT_CERT_EARLY, "test_explain_peer.c", "test_60_a_client_certificate_is_bad" },
	{ 60, FAULT_TLS_CLIENT_CERT_PURPOSE, "test_explain_peer.c", "test_60_a_client_certificate_is_bad" },
	{ 61, FAULT_TLS_MUST_STAPLE, "test_explain_real.c", "test_61_must_staple" },
	{ 62, FAULT_TLS_RECORD_CORRUPT, "test_explain_peer.c", "test_62_a_corrupt_record" },
	{ 63, FAULT_TLS_RECORD_TOO_LARGE, "test_explain_first.c", "test_63_a_record_too_large" },
	{ 64, FAULT_TLS_HELLO_MALFORMED, "test_explain_first.c", "test_64_malformed_hellos" },
	{ 65, FAULT_TLS_UNEXPECTED_MESSAGE, "test_explain_first.c", "test_65_something_else_first" },
	{ 66, FAULT_TLS_NO_SECURE_RENEGOTIATION, "test_explain_client.c", "test_66_it_lacks_secure_renegotiation" },
	{ 67, FAULT_TLS_SUITE_NOT_OFFERED, "test_explain_client.c", "test_67_it_chooses_what_was_not_offered" },
	{ 68, FAULT_TLS_NOT_OFFERED, "test_explain_around.c", "test_68_starttls_is_not_offered" },
	{ 69, FAULT_TLS_PIPELINED, "test_explain_around.c", "test_69_bytes_behind_starttls" },
	{ 70, FAULT_TLS_PLAINTEXT_FALLBACK, "test_explain_around.c", "test_70_plaintext_after_a_failure" },
	{ 0, FAULT_TLS_NOT_TLS, "test_explain_first.c", "test_40_to_43_other_protocols" },
	{ 0, FAULT_TLS_PLAIN_AFTER_STARTTLS, "test_explain_first.c", "test_40_behind_starttls" },
	{ 0, FAULT_TLS_SERVER_PLAIN_AFTER_STARTTLS, "test_explain_client.c", "test_41_it_goes_on_in_plain_text" },
	{ 0, FAULT_TLS_HELLO_TOO_LARGE, "test_explain_first.c", "test_64_a_hello_without_end" },
	{ 0, FAULT_TLS_SIGNATURES_PKCS1_ONLY, "test_explain_offer.c", "test_signatures_that_nobody_makes" },
	{ 0, FAULT_TLS_SIGNATURES_ML_DSA_ONLY, "test_explain_offer.c", "test_signatures_that_nobody_makes" },
	{ 0, FAULT_TLS_SIGNATURES_DSS_ONLY, "test_explain_offer.c", "test_signatures_that_nobody_makes" },
	{ 0, FAULT_TLS_SIGNATURES_UNUSABLE, "test_explain_offer.c", "test_signatures_that_nobody_makes" },
	{ 0, FAULT_TLS_GROUPS_POST_QUANTUM, "test_explain_offer.c", "test_post_quantum_groups_only" },
	{ 0, FAULT_TLS_CHAIN_DATE, "test_explain_peer.c", "test_our_own_chain" },
	{ 0, FAULT_TLS_CHAIN_NO_CA, "test_explain_peer.c", "test_our_own_chain" },
	{ 0, FAULT_TLS_CERT_WEAK_FOR_PEER, "test_explain_peer.c", "test_54_too_weak_for_the_peer" },
	{ 0, FAULT_TLS_CERT_REVOKED, "test_explain_peer.c", "test_alerts_without_a_fact" },
	{ 0, FAULT_TLS_DH_TOO_LARGE, "test_explain_peer.c", "test_what_was_chosen" },
	{ 0, FAULT_TLS_PEER_BROKE_OFF, "test_explain_peer.c", "test_alerts_without_a_fact" },
	{ 0, FAULT_TLS_CERT_REFUSED, "test_explain_peer.c", "test_56_and_57_policies" },
	{ 0, FAULT_TLS_NOT_TRUSTED, "test_explain_client.c", "test_52_and_53_its_chain" },
	{ 0, FAULT_TLS_SERVER_VERSION, "test_explain_client.c", "test_20_it_is_too_old" },
	{ 0, FAULT_TLS_SERVER_REFUSED, "test_explain_client.c", "test_38_it_refuses_the_name" },
	{ 0, FAULT_TLS_TIMEOUT, "test_explain_first.c", "test_a_handshake_that_is_too_slow" },
	{ 0, FAULT_TLS_HANDSHAKE_FAILED, "test_explain_around.c", "test_70_plaintext_after_a_failure" },
};

static const enum fault_code causes[] = {
#define CAUSE(code, is, change, flags, alert) FAULT_##code,
#include "tls/causes.tbl.h"
#undef CAUSE
};

static const char *folder; /* of the tests' sources */

static void test_every_row_is_there(void **state)
{
	unsigned next = 1;

	for (size_t i = 0; i < array_len(rows); i++) {
		if (rows[i].number == 0)
			continue;
		assert_true(rows[i].number == next || rows[i].number == next - 1);
		next = rows[i].number + 1;
	}
	assert_int_equal(next, ROWS + 1);
}

/* The engine can find it, and tests know what it is called there. */
static void test_every_code_is_a_cause(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		bool known = false;

		for (unsigned k = 0; k < array_len(causes); k++)
			known |= causes[k] == rows[i].code;
		if (!known)
			fail_msg("the engine has no %s", fault_code_text(rows[i].code));
	}
}

static void test_every_cause_is_a_row(void **state)
{
	for (unsigned k = 0; k < array_len(causes); k++) {
		bool known = false;

		for (size_t i = 0; i < array_len(rows); i++)
			known |= causes[k] == rows[i].code;
		if (!known)
			fail_msg("no row has %s", fault_code_text(causes[k]));
	}
}

static char source[1 << 20];

static struct span read_source(const char *file)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	n = fread(source, 1, sizeof(source), f);
	fclose(f);
	return span_make(source, n);
}

/* From the test's head to the end of its function. */
static struct span body_of(struct span text, const char *test)
{
	struct buf head = BUF_INIT(256);
	ptrdiff_t at, end;

	buf_addf(&head, "static void %s(void **state)\n{", test);
	at = span_find(text, buf_span(&head));
	buf_done(&head);
	if (at < 0)
		return SPAN("");
	text = span_from(text, (size_t)at);
	end = span_find(text, SPAN("\n}\n"));
	return span_sub(text, 0, end < 0 ? 0 : (size_t)end);
}

/* "TLS-NO-RSA-CERT" as "FAULT_TLS_NO_RSA_CERT", and no letter behind. */
static bool names_code(struct span body, enum fault_code code)
{
	struct buf id = BUF_INIT(256);
	bool found = false;
	ptrdiff_t at;

	buf_addf(&id, "FAULT_%s", fault_code_text(code));
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] == '-')
			id.p[i] = '_';
	while (!found && (at = span_find(body, buf_span(&id))) >= 0) {
		char next;

		body = span_from(body, (size_t)at + id.n);
		next = body.n > 0 ? body.p[0] : ' ';
		found = next != '_' && !(next >= 'A' && next <= 'Z') && !ascii_digit(next);
	}
	buf_done(&id);
	return found;
}

static void test_every_row_has_its_test(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		struct span text = read_source(rows[i].file);
		struct buf run = BUF_INIT(256);

		if (!names_code(body_of(text, rows[i].test), rows[i].code))
			fail_msg("row %u: %s in %s does not name %s", rows[i].number, rows[i].test, rows[i].file,
				fault_code_text(rows[i].code));
		buf_addf(&run, "cmocka_unit_test(%s)", rows[i].test);
		if (span_find(text, buf_span(&run)) < 0)
			fail_msg("row %u: %s does not run %s", rows[i].number, rows[i].file, rows[i].test);
		buf_done(&run);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_there),
		cmocka_unit_test(test_every_code_is_a_cause),
		cmocka_unit_test(test_every_cause_is_a_row),
		cmocka_unit_test(test_every_row_has_its_test),
	};

	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
