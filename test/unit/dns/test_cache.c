/* What is kept: found by name, type and bits; bounded; fresh, stale and failures side by side. */
#include <unistd.h>
#include "dns/resolver_priv.h"
#include "dns_test.h"

static struct dns_answer *answer_of(const struct dns_question *q, const char *name, uint32_t ttl)
{
	static struct dns_message m;
	struct dns_answer *a;

	dns_message_begin(&m, 0, DNS_QR);
	dns_message_question(&m, name, q->type);
	dns_message_record(&m, 6, name, q->type, ttl, "c0000201");
	assert_int_equal(dns_answer_read(dns_message_span(&m), q, &a), 0);
	return a;
}

static void put(struct answers *all, const char *name, uint32_t ttl)
{
	struct dns_question q = dns_question_of(name, DNS_TYPE_A);
	struct dns_answer *a = answer_of(&q, name, ttl);

	answers_put(all, &q, 0, a);
	dns_answer_unref(a);
}

/* "fresh", "stale", "failed" or "none". */
static const char *find(struct answers *all, const char *name, bool stale_too)
{
	struct dns_question q = dns_question_of(name, DNS_TYPE_A);
	struct dns_result result;
	bool refresh;

	if (!answers_find(all, &q, 0, stale_too, &result, &refresh))
		return "none";
	if (!result.answer)
		return "failed";
	dns_answer_unref(result.answer);
	return result.stale ? "stale" : "fresh";
}

static void put_failure(struct answers *all, const char *name, bool silent)
{
	struct dns_question q = dns_question_of(name, DNS_TYPE_A);

	answers_put_failure(all, &q, 0, DNS_SERVFAIL, DNS_EDE_NO_REACHABLE, silent);
}

static void test_ages(void **state)
{
	struct answers *all = answers_new(1 << 20);

	(void)state;
	put(all, "short.example", 1);
	put(all, "long.example", 300);
	put(all, "zero.example", 0);
	put_failure(all, "failed.example", false);
	assert_string_equal(find(all, "short.example", false), "fresh");
	assert_string_equal(find(all, "zero.example", true), "none");
	assert_string_equal(find(all, "other.example", true), "none");
	assert_string_equal(find(all, "failed.example", false), "failed");
	/* A failure beside a fresh answer changes nothing. */
	put_failure(all, "long.example", false);
	assert_string_equal(find(all, "long.example", false), "fresh");
	usleep(1100 * 1000);
	assert_string_equal(find(all, "short.example", false), "none");
	assert_string_equal(find(all, "short.example", true), "stale");
	assert_string_equal(find(all, "failed.example", true), "none");
	/* Once a try for a fresh one has failed, the stale one is given without waiting: for a
	 * while (RFC 8767 5). */
	put_failure(all, "short.example", false);
	assert_string_equal(find(all, "short.example", false), "stale");
	usleep(1100 * 1000);
	assert_string_equal(find(all, "short.example", false), "none");
	put(all, "short.example", 300);
	assert_string_equal(find(all, "short.example", false), "fresh");
	assert_null(answers_free(all));
	assert_null(answers_free(NULL));
}

/* RFC 9520 3.2: longer each time. */
static void test_failures_hold(void **state)
{
	struct answers *all = answers_new(1 << 20);
	static const char *const names[] = { "once.example", "twice.example", "well.example" };

	(void)state;
	for (unsigned i = 0; i < array_len(names); i++) {
		put_failure(all, names[i], true);
		/* Another thread's, at the same time: it is one failure. */
		put_failure(all, names[i], true);
	}
	usleep(1100 * 1000);
	for (unsigned i = 0; i < array_len(names); i++)
		assert_string_equal(find(all, names[i], false), "none");
	put_failure(all, "twice.example", true);
	/* An answer in between: failures begin anew. */
	put(all, "well.example", 1);
	usleep(1100 * 1000);
	put_failure(all, "once.example", false);
	put_failure(all, "well.example", true);
	assert_string_equal(find(all, "twice.example", false), "failed");
	assert_string_equal(find(all, "well.example", false), "stale");
	usleep(1100 * 1000);
	assert_string_equal(find(all, "twice.example", false), "none");
	assert_string_equal(find(all, "once.example", false), "failed");
	assert_string_equal(find(all, "well.example", false), "none");
	/* Who was silent answers again: silence counts no more, what was said does. */
	put_failure(all, "twice.example", true);
	assert_string_equal(find(all, "twice.example", false), "failed");
	answers_forgive(all);
	assert_string_equal(find(all, "twice.example", false), "none");
	assert_string_equal(find(all, "once.example", false), "failed");
	answers_free(all);
}

static size_t bytes_kept(struct answers *all)
{
	struct buf out = BUF_INIT(1024);
	struct jsonw j;
	ptrdiff_t at;
	size_t n;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	answers_json(all, &j);
	jsonw_end(&j);
	at = span_find(buf_span(&out), SPAN("\"bytes\":"));
	assert_true(at >= 0);
	n = strtoul(buf_text(&out) + at + 8, NULL, 10);
	buf_done(&out);
	return n;
}

static void test_bounds(void **state)
{
	struct answers *all = answers_new(256 << 10);
	char name[32];
	unsigned left = 0;

	(void)state;
	put(all, "asked.example", 300);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(all, name, 300);
		if (i % 10 == 0)
			put_failure(all, name, false);
		assert_true(bytes_kept(all) <= 256 << 10);
		/* What is asked for again and again stays. */
		assert_string_equal(find(all, "asked.example", false), "fresh");
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		left += strcmp(find(all, name, false), "fresh") == 0;
	}
	assert_true(left > 500 && left < 5000);
	answers_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_failures_hold),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
