/* One writer for several clients: one transaction for all, again after a failure, nothing twice,
 * nothing lost. */
#include "store_unit.h"
#include <stdatomic.h>
#include "store/evidence.h"
#include "store/writer.h"

#define PATIENCE_MS 20000

/* Counts mails of a domain of its own, a batch being their number. */
struct counter {
	struct span domain;
	struct writer *writer;
	_Atomic uint64_t added, loads, writes, refuse, good_rounds, bad_rounds, given_up;
};

static int load(void *arg, struct store *s, struct fault *f)
{
	struct counter *c = arg;

	c->loads++;
	return 0;
}

static void *take(void *arg)
{
	struct counter *c = arg;
	uint64_t n = atomic_exchange(&c->added, 0), *batch;

	if (n == 0)
		return NULL;
	batch = mem_new(uint64_t);
	*batch = n;
	return batch;
}

static int write_batch(void *arg, struct store *s, const void *batch, struct fault *f)
{
	struct counter *c = arg;
	const struct store_mail m = { .domain = c->domain,
		.day = 20000,
		.verdict = SPAN("delivered"),
		.mails = *(const uint64_t *)batch };

	c->writes++;
	if (c->refuse > 0) {
		c->refuse--;
		fault_set(f, FAULT_STORE_LOCKED);
		return -EBUSY;
	}
	return store_mail_add(s, &m, f);
}

static void went(void *arg, void *batch, const struct fault *failed)
{
	struct counter *c = arg;

	if (failed) {
		c->bad_rounds++;
		return;
	}
	c->good_rounds++;
	mem_free(batch);
}

static void give_up(void *arg, void *batch)
{
	struct counter *c = arg;

	c->given_up += *(uint64_t *)batch;
	mem_free(batch);
}

static int expire(void *arg, struct store *s, uint64_t *ret_rows, struct fault *f)
{
	*ret_rows = 0;
	return 0;
}

static const struct writer_client counting = { load, take, write_batch, went, give_up, expire };

static void add_to(struct counter *c, uint64_t n)
{
	c->added += n;
	writer_wake(c->writer);
}

static int sum(void *arg, const struct store_mail *m)
{
	*(uint64_t *)arg += m->mails;
	return 0;
}

static uint64_t in_store(const struct counter *c)
{
	struct store *s = open_store(false);
	uint64_t n = 0;

	assert_int_equal(store_mail_each(s, c->domain, 0, 30000, sum, &n, &fault), 0);
	store_close(s);
	return n;
}

static void wait_for(_Atomic uint64_t *count, uint64_t at_least)
{
	for (unsigned i = 0; *count < at_least && i < PATIENCE_MS; i++)
		usleep(1000);
	assert_true(*count >= at_least);
}

static int make(void **state)
{
	if (make_folder(state) < 0)
		return -1;
	store_close(open_store(true));
	return 0;
}

static struct writer *start(struct counter *a, struct counter *b)
{
	struct writer *w = writer_new(url);

	writer_add(w, &counting, a);
	writer_add(w, &counting, b);
	a->writer = b->writer = w;
	writer_start(w);
	return w;
}

/* The second client fails: the first one's batch is not kept either, so that it does not come
 * twice. */
static void test_all_or_none(void **state)
{
	struct counter a = { .domain = SPAN("a.test") }, b = { .domain = SPAN("b.test"), .refuse = 1 };
	struct writer *w = start(&a, &b);

	add_to(&b, 5);
	add_to(&a, 3);
	wait_for(&b.bad_rounds, 1);
	add_to(&a, 4);
	wait_for(&b.good_rounds, 2);
	writer_stop(w);
	assert_int_equal(in_store(&a), 7);
	assert_int_equal(in_store(&b), 5);
	assert_true(a.loads == 1 && b.loads == 1 && a.given_up == 0 && b.given_up == 0);
	writer_free(w);
}

/* What came just before the end is written; what cannot be goes back. */
static void test_the_end(void **state)
{
	struct counter a = { .domain = SPAN("a.test") }, b = { .domain = SPAN("b.test") };
	struct writer *w = start(&a, &b);

	wait_for(&a.good_rounds, 1);
	add_to(&a, 1);
	writer_stop(w);
	assert_int_equal(in_store(&a), 1);
	writer_free(w);
	b.refuse = 1000;
	w = start(&a, &b);
	add_to(&b, 9);
	add_to(&a, 2);
	writer_stop(w);
	assert_int_equal(a.given_up, 2);
	assert_int_equal(b.given_up, 9);
	assert_int_equal(in_store(&a), 1);
	writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_or_none, make, remove_folder),
		cmocka_unit_test_setup_teardown(test_the_end, make, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
