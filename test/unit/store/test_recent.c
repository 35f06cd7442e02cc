/* What a peer delivered lately, by days. */
#include <time.h>
#include "store/evidence.h"
#include "store_unit.h"

#define DAY 86400

static uint64_t seen_all, seen_recent;

static int see(void *arg, const struct store_peer *p)
{
	seen_all = p->mails;
	seen_recent = p->mails_recent;
	return 0;
}

static int see_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	assert_span(h->bytes, "hello");
	assert_int_equal(h->succeeded, 2);
	return see(arg, p);
}

static void add(struct store *s, int64_t at, uint64_t mails)
{
	struct store_hello h = { .fingerprint = { 1 }, .bytes = SPAN("hello"), .first_at = at, .last_at = at };
	struct store_peer p = { .network = SPAN("192.0.2.0/24"),
		.helo = SPAN("mx.example.com"),
		.address = SPAN("192.0.2.1"),
		.first_at = at,
		.last_at = at,
		.mails = mails };

	h.succeeded = at > time(NULL) - DAY;
	assert_int_equal(store_begin(s, &fault), 0);
	assert_int_equal(store_peer_add(s, &p, &h, 1, &fault), 0);
	assert_int_equal(store_commit(s, &fault), 0);
}

static void test_the_last_thirty_days(void **state)
{
	struct store *s = open_store(true);
	int64_t now = time(NULL);
	uint64_t rows = 0;

	add(s, now - 40 * DAY, 100);
	add(s, now - 31 * DAY, 10);
	add(s, now - 29 * DAY, 5);
	add(s, now, 2);
	add(s, now, 1);
	assert_int_equal(store_peer_each(s, false, see, NULL, &fault), 0);
	assert_int_equal(seen_all, 118);
	assert_int_equal(seen_recent, 8);
	seen_recent = 0;
	assert_int_equal(store_hello_each(s, see_hello, NULL, &fault), 0);
	assert_int_equal(seen_recent, 8);
	assert_int_equal(store_begin(s, &fault), 0);
	assert_int_equal(store_evidence_expire(s, now, &rows, &fault), 0);
	assert_int_equal(store_commit(s, &fault), 0);
	assert_int_equal(rows, 2);
	assert_int_equal(store_peer_each(s, false, see, NULL, &fault), 0);
	assert_int_equal(seen_recent, 8);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_last_thirty_days, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
