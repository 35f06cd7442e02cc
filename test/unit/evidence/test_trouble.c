/*
 * Evidence while the store fails, each way for real: nothing is lost until the stated bound, what
 * is lost is counted, and everything kept back is written once the store works again.
 */
#include "evidence_unit.h"
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include "base/clock.h"

#define PATIENCE 60000 /* ms; a bound for tests that hang */

static struct fault state_fault;

static bool is_waiting(void)
{
	return evidence_fault(evidence, &state_fault) && state_fault.code == FAULT_EVIDENCE_WAITING;
}

static bool is_well(void)
{
	return !evidence_fault(evidence, &state_fault);
}

static void wait_until(bool (*condition)(void), const char *what)
{
	uint64_t end = clock_mono_ms() + PATIENCE;

	while (!condition()) {
		if (clock_mono_ms() > end)
			fail_msg("%s: %s", what, fault_code_text(state_fault.code));
		usleep(10000);
	}
}

static void expect_waiting(const char *code)
{
	wait_until(is_waiting, "waits for the store");
	assert_span(fault_value(&state_fault, "code"), code);
}

/* Ten mails a call, and how they are told of when the store has n of them. */
static void deliver_ten(void)
{
	for (int i = 0; i < 10; i++)
		deliver("192.0.2.1", "mx.b.example", "TLSv1.3", DOMAIN_TLS_OFF, NOW);
}

static void expect_mails(unsigned n)
{
	char text[128];

	snprintf(text, sizeof(text), "delivered: %u mails", n);
	if (!strstr(written(MAILS), text))
		fail_msg("not %s: %s", text, rows(MAILS));
}

static void test_locked(void **state)
{
	sqlite3 *holder;

	assert_int_equal(sqlite3_open(path, &holder), SQLITE_OK);
	assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	deliver_ten();
	expect_waiting("STORE-LOCKED");
	deliver_ten();
	assert_int_equal(sqlite3_close(holder), SQLITE_OK);
	wait_until(is_well, "recovers");
	deliver_ten();
	expect_mails(30);
}

static void test_missing_from_the_beginning(void **state)
{
	char away[128];

	stop_evidence();
	snprintf(away, sizeof(away), "%s/away", folder);
	assert_int_equal(rename(path, away), 0);
	start_evidence();
	/* A store that fails is no matter here until something has to be written. */
	usleep(50000);
	assert_true(is_well());
	deliver_ten();
	expect_waiting("STORE-MISSING");
	assert_int_equal(rename(away, path), 0);
	wait_until(is_well, "recovers");
	expect_mails(10);
}

static void copy_over(const char *from, const char *to)
{
	static char bytes[1 << 20];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n = fread(bytes, 1, sizeof(bytes), in);

	assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

static void test_damaged_and_restored(void **state)
{
	char backup[128];
	FILE *f;

	deliver_ten();
	restart();
	snprintf(backup, sizeof(backup), "%s/backup", folder);
	copy_over(path, backup);
	f = fopen(path, "wb");
	fputs("this was a store", f);
	fclose(f);
	deliver_ten();
	expect_waiting("STORE-CORRUPT");
	copy_over(backup, path);
	wait_until(is_well, "recovers");
	expect_mails(20);
}

static void test_full(void **state)
{
	struct rlimit limit;

	restart();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	deliver_ten();
	wait_until(is_waiting, "waits for the store");
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	wait_until(is_well, "recovers");
	expect_mails(10);
}

/* One peer that fails all the time, while nothing can be written: it is counted, and takes no more
 * room. */
static void test_the_same_failure_again_and_again(void **state)
{
	char away[128];
	size_t used;

	deliver_ten();
	restart();
	snprintf(away, sizeof(away), "%s/away", folder);
	assert_int_equal(rename(path, away), 0);
	deliver_ten();
	expect_waiting("STORE-MISSING");
	for (int i = 0; i < 10; i++)
		fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), NOW);
	pthread_mutex_lock(&evidence->lock);
	used = evidence->batch->arena.used;
	pthread_mutex_unlock(&evidence->lock);
	for (int i = 0; i < 1000; i++)
		fail_handshake("192.0.2.1", "mx1.b.example", FAULT_TLS_NO_RSA_CERT, SPAN(""), NOW);
	pthread_mutex_lock(&evidence->lock);
	assert_int_equal(evidence->batch->arena.used, used);
	pthread_mutex_unlock(&evidence->lock);
	assert_int_equal(rename(away, path), 0);
	expect_mails(20);
}

/* The bound: what is new is lost and counted, what is known goes on counting. */
static void test_more_than_can_wait(void **state)
{
	uint8_t bytes[4000] = { 0x16, 3, 1, 0x0f, 0x9b, 1, 0, 0x0f, 0x97 };
	char away[128], helo[64];
	unsigned told = 0;
	uint64_t lost;

	deliver_ten();
	restart();
	snprintf(away, sizeof(away), "%s/away", folder);
	assert_int_equal(rename(path, away), 0);
	deliver_ten();
	expect_waiting("STORE-MISSING");
	deliver_ten();
	do {
		snprintf(helo, sizeof(helo), "mx%u.example", told++);
		shake_hands("192.0.2.1", helo, span_make(bytes, sizeof(bytes)), NOW);
		assert_true(told < 1000000);
	} while (!evidence_fault(evidence, &state_fault) || state_fault.code != FAULT_EVIDENCE_LOST);
	assert_true(evidence->batch->arena.used <= EVIDENCE_BYTES_MAX);
	assert_span(fault_value(&state_fault, "events"), "1");
	for (int i = 0; i < 9; i++) {
		snprintf(helo, sizeof(helo), "late%d.example", i);
		shake_hands("192.0.2.1", helo, SPAN(""), NOW);
	}
	assert_true(evidence_fault(evidence, &state_fault));
	assert_span(fault_value(&state_fault, "events"), "10");
	lost = evidence->lost;
	deliver_ten();
	assert_int_equal(evidence->lost, lost);
	assert_int_equal(rename(away, path), 0);
	expect_mails(40);
	assert_int_equal(evidence->lost, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_evidence, remove_evidence)
	const struct CMUnitTest tests[] = {
		TEST(test_locked),
		TEST(test_missing_from_the_beginning),
		TEST(test_damaged_and_restored),
		TEST(test_full),
		TEST(test_the_same_failure_again_and_again),
		TEST(test_more_than_can_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
